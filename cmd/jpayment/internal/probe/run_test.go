package probe

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/jpayment-go/jpayment"
	"github.com/jpayment-go/jpayment/cmd/jpayment/internal/console"
	"github.com/jpayment-go/jpayment/internal/assumed"
	"github.com/jpayment-go/jpayment/internal/sim"
)

// wires is a network in memory, so that a test has the time of its own.
type wires struct {
	mu        sync.Mutex
	listeners map[string]*cable
}

type cable struct {
	*wires
	address string
	calls   chan net.Conn
	once    sync.Once
	closed  chan struct{}
}

func (w *wires) listen(address string) *cable {
	w.mu.Lock()
	defer w.mu.Unlock()
	l := &cable{wires: w, address: address, calls: make(chan net.Conn), closed: make(chan struct{})}
	if w.listeners == nil {
		w.listeners = map[string]*cable{}
	}
	w.listeners[address] = l
	return l
}

func (w *wires) dial(ctx context.Context, _, address string) (net.Conn, error) {
	w.mu.Lock()
	l := w.listeners[address]
	w.mu.Unlock()
	refused := &net.OpError{Op: "dial", Net: "tcp", Err: errors.New("connection refused")}
	if l == nil {
		return nil, refused
	}
	here, there := net.Pipe()
	select {
	case l.calls <- fromLoopback{there}:
		return here, nil
	case <-l.closed:
		return nil, refused
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (l *cable) Accept() (net.Conn, error) {
	select {
	case c := <-l.calls:
		return c, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

func (l *cable) Close() error { l.once.Do(func() { close(l.closed) }); return nil }
func (l *cable) Addr() net.Addr {
	return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 9}
}

type fromLoopback struct{ net.Conn }

func (fromLoopback) RemoteAddr() net.Addr {
	return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 40000}
}

// store is a simulated gateway in memory, with test payments of every kind.
type store struct {
	*sim.Simulator
	wires
	payments []Payment
	dir      string
}

const gatewayURL = "http://127.0.0.1:8080"

// openStore starts a gateway in a bubble of synctest.
func openStore(t *testing.T, values assumed.Values, change ...func(*sim.Config)) *store {
	t.Helper()
	config := sim.Defaults()
	var err error
	config.Behaviour, err = config.With(values)
	require.NoError(t, err)
	s := &store{dir: t.TempDir()}
	config.Dial = s.dial
	for _, f := range change {
		f(&config)
	}
	s.Simulator = sim.New(config)
	s.SetTestMode(true)
	s.SetKickbackURL("http://127.0.0.1:9/kickback")
	listener := s.listen("127.0.0.1:8080")
	server := &http.Server{Handler: s, ConnState: s.ConnState}
	ctx, cancel := context.WithCancel(t.Context())
	var tasks sync.WaitGroup
	tasks.Go(func() { _ = server.Serve(listener) })
	tasks.Go(func() { s.Run(ctx) })
	t.Cleanup(func() {
		cancel()
		_ = server.Close()
		tasks.Wait()
	})

	add := func(kind Kind, a sim.Authorization) {
		a.Amount, a.Tax, a.Shipping = 1000, 80, 500
		s.payments = append(s.payments, Payment{ID: s.Authorize(a), Kind: kind, OrderNumber: a.OrderNumber, Amount: 1580})
	}
	for i := range 12 {
		add(Plain, sim.Authorization{OrderNumber: fmt.Sprintf("order-%d", i)})
	}
	add(Comma, sim.Authorization{OrderNumber: "A-1,B-2"})
	add(Japanese, sim.Authorization{OrderNumber: "試験１"})
	for i := range 2 {
		add(Declined, sim.Authorization{OrderNumber: fmt.Sprintf("declined-%d", i), Decline: "G1242G120000"})
	}
	add(Barred, sim.Authorization{At: time.Now().AddDate(0, -3, 0)})
	add(Late, sim.Authorization{At: time.Now().AddDate(0, 0, -100)})
	return s
}

// probe returns a probe of the store.
func (s *store) probe(watch time.Duration) *Run {
	return &Run{
		Console: console.Console{Lang: console.English, Stdin: strings.NewReader(""), Stdout: io.Discard, Stderr: io.Discard},
		Store:   "123456", Gateway: gatewayURL, Payments: s.payments,
		Options: []jpayment.Option{jpayment.WithBaseURL(gatewayURL)},
		Out:     filepath.Join(s.dir, "probe"), Yes: true, Timeout: 2 * time.Minute, Again: "jpayment probe",
		Kickbacks: s.listen("127.0.0.1:9"), Watch: watch, Pause: 2 * time.Second, dial: s.dial,
	}
}

// verdicts returns the numbers by what the report says of them.
func verdictsOf(p assumed.Profile) map[assumed.Verdict][]int {
	all := map[assumed.Verdict][]int{}
	for _, f := range p.Assumptions {
		all[f.Verdict] = append(all[f.Verdict], f.Number)
	}
	return all
}

func profileOf(t *testing.T, r *Run) assumed.Profile {
	t.Helper()
	data, err := os.ReadFile(r.Out + ".json")
	require.NoError(t, err)
	p, err := assumed.ParseProfile(data)
	require.NoError(t, err)
	return p
}

// A gateway that behaves as assumed: nothing is refuted, and what is not tried is what this
// gateway does not have.
func TestAsAssumed(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := openStore(t, nil)
		r := s.probe(time.Hour)
		var said bytes.Buffer
		r.Console.Stderr = &said
		require.NoError(t, r.Do(t.Context()))
		t.Log(said.String())
		p := profileOf(t, r)
		all := verdictsOf(p)
		for _, f := range p.Assumptions {
			if f.Verdict == assumed.Refuted {
				t.Log(f.Number, f.Reason, f.Evidence)
			}
		}
		require.Empty(t, all[assumed.Refuted])
		for _, f := range p.Assumptions {
			if f.Verdict == assumed.NotTried {
				t.Log(f.Number, f.Reason.En)
			}
		}
		require.Equal(t, []int{6, 7, 8, 10, 20, 21, 23, 26, 27, 28, 30, 57, 64, 66, 74}, all[assumed.NotTried])
	})
}

// Each setting is flipped, and the report refutes exactly its assumption and those that
// hang on it.
func TestFlipped(t *testing.T) {
	t.Parallel()
	for _, setting := range assumed.Settings() {
		t.Run(setting.Key, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s := openStore(t, assumed.Values{setting.Key: setting.Flip})
				r := s.probe(10 * time.Minute)
				require.NoError(t, r.Do(t.Context()))
				a, _ := assumed.BySetting(setting.Key)
				p := profileOf(t, r)
				for _, f := range p.Assumptions {
					if f.Verdict == assumed.Refuted {
						t.Log(f.Number, f.Reason)
					}
					if f.Number == a.Number {
						t.Log(f.Verdict, f.Reason, f.Value, f.Evidence)
						require.NotNil(t, f.Value, "the profile makes the simulated gateway behave so")
						require.Equal(t, setting.Flip, string(*f.Value))
					}
				}
				want := append([]int{a.Number}, assumed.Hanging(a.Number)...)
				slices.Sort(want)
				require.Equal(t, want, verdictsOf(p)[assumed.Refuted])
			})
		})
	}
}

// faults are what goes wrong with one request in four.
func faults(s *store) {
	for _, f := range []sim.Fault{
		{Kind: sim.DropBeforeBooking}, {Kind: sim.DropAfterBooking}, {Kind: sim.CutReply}, {Kind: sim.CutHeader}, {Kind: sim.HangAfterBooking},
		{Kind: sim.AnswerCode, Code: "ER010"}, {Kind: sim.AnswerCodeAfterBooking, Code: "ER010"}, {Kind: sim.AnswerCode, Code: "ER999"},
		{Kind: sim.AnswerStatus}, {Kind: sim.Garbage},
	} {
		f.Probability = 0.03
		s.Fail(f)
	}
}

// At a gateway at which replies are lost and cut, that is congested and under maintenance,
// an assumption may not be tried; but none is confirmed that is wrong, nor refuted that is
// right.
func TestFaults(t *testing.T) {
	t.Parallel()
	tried := 0
	for _, setting := range append([]*assumed.Setting{nil}, assumed.Settings()...) {
		for seed := range int64(3) {
			values, name := assumed.Values{}, "as assumed"
			var wrong []int
			if setting != nil {
				values[setting.Key], name = setting.Flip, setting.Key
				a, _ := assumed.BySetting(setting.Key)
				wrong = append(assumed.Hanging(a.Number), a.Number)
			}
			t.Run(fmt.Sprintf("%s/%d", name, seed), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					s := openStore(t, values, func(c *sim.Config) { c.Seed = seed })
					faults(s)
					p := finish(t, func() *Run { return s.probe(10 * time.Minute) })
					for _, f := range p.Assumptions {
						if slices.Contains(wrong, f.Number) {
							require.NotEqual(t, assumed.Confirmed, f.Verdict, "%d", f.Number)
						} else {
							require.NotEqual(t, assumed.Refuted, f.Verdict, "%d: %v", f.Number, f)
						}
						if f.Verdict == assumed.NotTried {
							require.NotEmpty(t, f.Reason.En, "%d", f.Number)
							require.NotEmpty(t, f.Reason.Ja, "%d", f.Number)
						} else {
							tried++
						}
					}
				})
			})
		}
	}
	require.Greater(t, tried, 2000, "the faults leave something to be tried")
}

// finish starts the probe until nothing is left that it would send.
func finish(t *testing.T, probe func() *Run) assumed.Profile {
	t.Helper()
	last := -1
	for {
		r := probe()
		err := r.Do(t.Context())
		var said console.ExitStatus
		if err != nil && !errors.As(err, &said) {
			require.NoError(t, err)
		}
		if left := r.left(); err == nil || left == last {
			return profileOf(t, r)
		} else {
			last = left
		}
	}
}

package probe

import (
	"bytes"
	"context"
	"crypto/x509"
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/jpayment-go/jpayment"
	"github.com/jpayment-go/jpayment/cmd/jpayment/internal/console"
	"github.com/jpayment-go/jpayment/internal/assumed"
	"github.com/jpayment-go/jpayment/internal/sim"
)

var update = flag.Bool("update", false, "write the golden files")

// wires is a network in memory, so that tests can use synctest's clock.
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

// openStore starts a gateway in a synctest bubble.
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

// verdicts returns the numbers of the assumptions, grouped by the verdict in the report.
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

// If the gateway behaves as assumed, nothing is refuted, and only what this gateway lacks is
// not tried.
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

// If a setting is flipped, the report refutes exactly its assumption and those that depend on
// it.
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

// faults are the faults that strike one request in seven.
func faults(s *store) {
	for _, f := range []sim.Fault{
		{Kind: sim.DropBeforeBooking},
		{Kind: sim.DropAfterBooking},
		{Kind: sim.CutReply},
		{Kind: sim.CutHeader},
		{Kind: sim.HangAfterBooking},
		{Kind: sim.AnswerCode, Code: "ER010"},
		{Kind: sim.AnswerCodeAfterBooking, Code: "ER010"},
		{Kind: sim.AnswerCode, Code: "ER999"},
		{Kind: sim.AnswerStatus},
		{Kind: sim.Garbage},
	} {
		f.Probability = 0.015
		s.Fail(f)
	}
}

// If replies are lost or cut, or the gateway is congested or under maintenance, an assumption
// may remain not tried. But no wrong assumption is confirmed, and no right one is refuted.
func TestFaults(t *testing.T) {
	t.Parallel()
	var tried atomic.Int64
	t.Run("settings", func(t *testing.T) {
		for i, setting := range append([]*assumed.Setting{nil}, assumed.Settings()...) {
			for n := range 3 {
				seed := int64(3*i + n)
				values, name := assumed.Values{}, "as assumed"
				var wrong []int
				if setting != nil {
					values[setting.Key], name = setting.Flip, setting.Key
					a, _ := assumed.BySetting(setting.Key)
					wrong = append(assumed.Hanging(a.Number), a.Number)
				}
				t.Run(fmt.Sprintf("%s/%d", name, seed), func(t *testing.T) {
					t.Parallel()
					synctest.Test(t, func(t *testing.T) {
						s := openStore(t, values, func(c *sim.Config) { c.Seed = seed })
						faults(s)
						for _, f := range finish(t, s).Assumptions {
							switch {
							case slices.Contains(wrong, f.Number):
								require.NotEqual(t, assumed.Confirmed, f.Verdict, "%d", f.Number)
							default:
								require.NotEqual(t, assumed.Refuted, f.Verdict, "%d: %v", f.Number, f)
							}
							if f.Verdict == assumed.NotTried {
								require.NotEmpty(t, f.Reason.En, "%d", f.Number)
								require.NotEmpty(t, f.Reason.Ja, "%d", f.Number)
							} else {
								tried.Add(1)
							}
						}
					})
				})
			}
		}
	})
	require.Greater(t, tried.Load(), int64(2000), "the faults leave something to be tried")
}

// finish runs probes until nothing is left to send.
func finish(t *testing.T, s *store) assumed.Profile {
	t.Helper()
	for last := -1; ; {
		r := s.probe(10 * time.Minute)
		err := r.Do(t.Context())
		var said console.ExitStatus
		if err != nil && !errors.As(err, &said) {
			require.NoError(t, err)
		}
		left := r.left()
		if err == nil || left == last {
			return profileOf(t, r)
		}
		last = left
	}
}

// A store that is not in test mode loses one authorisation, and nothing is captured. A second
// run sends nothing more.
func TestProduction(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := openStore(t, nil)
		s.SetTestMode(false)
		for i := range s.payments { // The payments of openStore were created in test mode.
			s.payments[i].ID = s.Authorize(sim.Authorization{Amount: 1580})
		}
		for range 2 {
			r := s.probe(0)
			var said bytes.Buffer
			r.Console.Stderr = &said
			require.Equal(t, console.ExitStatus(console.Failed), r.Do(t.Context()))
			require.Contains(t, said.String(), "The store is not in test mode")
		}
		require.Len(t, s.Requests(), 2, "a Cancel of payment 0 and one of the first payment")
		for _, p := range s.Payments() {
			require.NotEqual(t, sim.Captured, p.State)
		}
	})
}

// If the replies of both approvals are lost, nothing shows test mode.
func TestNoProofOfTestMode(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := openStore(t, nil)
		for _, op := range []jpayment.Operation{jpayment.OpSales, jpayment.OpCancel} {
			s.Fail(sim.Fault{Kind: sim.AnswerCode, Code: "ER900", Operation: op})
		}
		r := s.probe(0)
		var said bytes.Buffer
		r.Console.Stderr = &said
		require.Equal(t, console.ExitStatus(console.Failed), r.Do(t.Context()))
		require.Contains(t, said.String(), "No approval has shown that the store is in test mode")
		require.Len(t, s.Requests(), 3)
	})
}

// With a connection authentication code two more assumptions are tried. Neither the code nor
// its hashes appear in the report or the journal.
func TestConnectionAuth(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const code = "a-connection-code"
		s := openStore(t, nil, func(c *sim.Config) { c.ConnectionCode = code })
		r := s.probe(10 * time.Minute)
		r.Options, r.Auth = append(r.Options, jpayment.WithConnectionAuth(code)), jpayment.NewSecret(code)
		require.NoError(t, r.Do(t.Context()))
		all := verdictsOf(profileOf(t, r))
		require.Empty(t, all[assumed.Refuted])
		require.Subset(t, all[assumed.Confirmed], []int{28, 30})
		for _, ext := range []string{".md", ".json", ".journal"} {
			data, err := os.ReadFile(r.Out + ext)
			require.NoError(t, err)
			require.NotContains(t, string(data), code)
			require.NotRegexp(t, `[0-9a-f]{64}`, string(data))
		}
	})
}

// The report contains neither the store's number, nor an order number, nor a kickback that is
// not the probe's.
func TestPrivate(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := openStore(t, assumed.Values{"refusal_row": "payment", "order_comma": "escaped", "reply_charset": "shift_jis"})
		r := s.probe(time.Minute)
		done := make(chan error)
		go func() { done <- r.Do(t.Context()) }()
		time.Sleep(80 * time.Second) // while it listens
		d, err := s.ForgeKickback(t.Context(), "gid=1&rst=1&cod=theirs&am=5&tx=0&sf=0&ta=5&name=Sato")
		require.NoError(t, err)
		require.Empty(t, d.Answer, "it is not delivered: somebody else waits for it")
		require.NoError(t, <-done)
		for _, ext := range []string{".md", ".json"} {
			data, err := os.ReadFile(r.Out + ext)
			require.NoError(t, err)
			for _, private := range []string{"123456", "A-1", "B-2", "order-", "declined-0", "theirs", "Sato"} {
				require.NotContains(t, string(data), private, ext)
			}
		}
	})
}

// Ctrl-C ends a probe after the request in progress, and the same command resumes it.
func TestInterrupted(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := openStore(t, nil)
		ctx, interrupt := context.WithCancel(t.Context())
		said := &bytes.Buffer{}
		r := s.probe(time.Minute)
		r.Console.Stderr = said
		s.Fail(sim.Fault{Kind: sim.DelayReply, Delay: 5 * time.Second, Nth: 4, Notify: interrupt})
		require.Equal(t, console.ExitStatus(console.Failed), r.Do(ctx))
		require.Contains(t, said.String(), "Sales         10000002  ER032")
		require.Contains(t, said.String(), "To continue: jpayment probe")
		require.Len(t, s.Requests(), 4)

		r = s.probe(time.Hour)
		r.Console.Stderr = said
		require.NoError(t, r.Do(t.Context()))
		s.holds(t, said.String())
		require.Len(t, verdictsOf(profileOf(t, r))[assumed.Confirmed], 59)

		again := s.probe(time.Hour)
		before := len(s.Requests())
		require.NoError(t, again.Do(t.Context()))
		require.Len(t, s.Requests(), before, "a third start has nothing to send")
	})
}

// The probe reports the TLS version and checks the certificate.
func TestTLS(t *testing.T) {
	t.Parallel()
	s := sim.New(sim.Defaults())
	s.SetTestMode(true)
	server := httptest.NewTLSServer(s)
	t.Cleanup(server.Close)
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	probe := func(roots *x509.CertPool) []assumed.Finding {
		r := &Run{
			Console: console.Console{Lang: console.English, Stderr: io.Discard}, Store: "123456", Gateway: server.URL,
			Payments: []Payment{{ID: s.Authorize(sim.Authorization{Amount: 1}), Kind: Plain}},
			Options:  []jpayment.Option{jpayment.WithBaseURL(server.URL)},
			Out:      filepath.Join(t.TempDir(), "probe"), Yes: true, Timeout: time.Minute, roots: roots,
		}
		// Only the first requests matter here: do not wait for the idle connection.
		ctx, interrupt := context.WithCancel(t.Context())
		s.ClearFaults()
		s.Fail(sim.Fault{Kind: sim.DelayReply, Delay: time.Nanosecond, Nth: 3, Notify: interrupt})
		require.Equal(t, console.ExitStatus(console.Failed), r.Do(ctx))
		return profileOf(t, r).Assumptions
	}
	require.Equal(t, assumed.NotTried, probe(nil)[73].Verdict)
	roots := x509.NewCertPool()
	roots.AddCert(server.Certificate())
	f := probe(roots)[73]
	require.Equal(t, 74, f.Number)
	require.Equal(t, assumed.Confirmed, f.Verdict)
	require.Equal(t, "TLS 1.3.", f.Reason.En)
}

// A probe does not resume the journal of another store, nor one that another probe is using.
func TestJournalOfAnother(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := openStore(t, nil)
		require.NoError(t, s.probe(0).Do(t.Context()))
		other := s.probe(0)
		other.Payments = other.Payments[1:]
		what := console.What(other.Do(t.Context()))
		require.Contains(t, what.En, "is the journal of a probe of another store, gateway or list of payments")

		j, err := openJournal(other.Out + ".journal")
		require.NoError(t, err)
		what = console.What(s.probe(0).Do(t.Context()))
		require.Contains(t, what.En, "another probe is using it")
		require.NoError(t, j.close())

		require.NoError(t, os.WriteFile(other.Out+".journal", []byte("something else\n"), 0o600))
		what = console.What(s.probe(0).Do(t.Context()))
		require.Contains(t, what.En, "is not a journal of jpayment probe")
	})
}

// The report, in both languages, about a gateway that contradicts a few assumptions.
func TestReport(t *testing.T) {
	t.Parallel()
	for _, lang := range []console.Lang{console.English, console.Japanese} {
		synctest.Test(t, func(t *testing.T) {
			s := openStore(t, assumed.Values{
				"second_sales": "ER053", "request_charset": "shift_jis", "success_gid": "own", "kickback_retries": "5s", "decline_kickback": "nothing",
			})
			r := s.probe(10 * time.Minute)
			r.Console.Lang = lang
			require.NoError(t, r.Do(t.Context()))
			for _, ext := range []string{".md", ".json"} {
				got, err := os.ReadFile(r.Out + ext)
				require.NoError(t, err)
				path := filepath.Join("testdata", "report-"+string(lang)+ext+".golden")
				if ext == ".json" { // It is the same in every language.
					path = filepath.Join("testdata", "report.json.golden")
				}
				if *update {
					require.NoError(t, os.MkdirAll("testdata", 0o755))
					require.NoError(t, os.WriteFile(path, got, 0o644))
				}
				want, err := os.ReadFile(path)
				require.NoError(t, err)
				require.Equal(t, string(want), string(got))
			}
		})
	}
}

// Every observable assumption has an experiment or depends on one that has.
func TestTable(t *testing.T) {
	t.Parallel()
	for _, a := range assumed.All() {
		has := slices.ContainsFunc(experiments, func(e experiment) bool { return e.number == a.Number })
		hangs := !slices.ContainsFunc(a.HangsOn, func(n int) bool {
			return !slices.ContainsFunc(experiments, func(e experiment) bool { return e.number == n })
		}) && len(a.HangsOn) > 0
		require.Equal(t, a.Observable(), has || hangs, "%d", a.Number)
	}
	for _, e := range experiments {
		for _, name := range slices.Concat(e.needs, e.kickbacks) {
			require.NotPanics(t, func() { stepOf(name) }, "%d: %s", e.number, name)
		}
	}
}

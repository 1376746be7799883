package main

import (
	"bufio"
	"context"
	"database/sql"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/jpayment-go/jpayment"
	"github.com/jpayment-go/jpayment/fulfilment"
	"github.com/jpayment-go/jpayment/jpaymenttest"
)

// TestMain lets the test binary run as the program in a separate process.
func TestMain(m *testing.M) {
	if os.Getenv("STORE_PROCESS") != "" {
		main()
		return
	}
	os.Exit(m.Run())
}

var config = fulfilment.Config{StoreID: storeID, KickbackWait: time.Hour}

// A unit test: the fake answers in the gateway's place, and the test delivers the kickback.
func TestWithFake(t *testing.T) {
	databases(t, func(t *testing.T, database string) {
		s := open(t, database)
		for i, number := range []string{"whole", "part", "declined", "called off"} {
			require.NoError(t, s.add(t.Context(), Order{Number: number, PaymentID: fmt.Sprint(10000001 + i), Total: 5000}))
		}
		require.NoError(t, s.ship(t.Context(), "whole"))
		require.NoError(t, s.shipPart(t.Context(), "part", 3000))
		require.NoError(t, s.ship(t.Context(), "declined"))
		require.NoError(t, s.ship(t.Context(), "called off"))
		require.NoError(t, s.cancel(t.Context(), "called off"))
		require.ErrorIs(t, s.ship(t.Context(), "whole"), errNotNow)
		require.ErrorIs(t, s.shipPart(t.Context(), "nothing", 1), errNotNow)
		require.ErrorContains(t, s.cancel(t.Context(), "part"), "re-authorisation")
		is(t, s, "part", Shipping)

		verifier, err := jpayment.NewKickbackVerifier(storeID, 0, key)
		require.NoError(t, err)
		kickbacks, err := jpayment.NewKickbackHandler(verifier, s.Settle)
		require.NoError(t, err)
		fake := &jpaymenttest.Fake{
			SalesFunc: func(_ context.Context, r jpayment.SalesRequest) (*jpayment.Result, error) {
				if r.PaymentID == "10000003" {
					return nil, &jpayment.GatewayError{Call: jpayment.Call{Operation: jpayment.OpSales, PaymentID: r.PaymentID}, Code: "G1242G120000"}
				}
				return &jpayment.Result{PaymentID: r.PaymentID, Status: jpayment.StatusSucceeded}, nil
			},
			CancelFunc: func(_ context.Context, r jpayment.CancelRequest) (*jpayment.Result, error) {
				return &jpayment.Result{PaymentID: r.PaymentID, Status: jpayment.StatusSucceeded}, nil
			},
			ReAuthByKickbackFunc: func(_ context.Context, r jpayment.ReAuthRequest) error {
				answer := httptest.NewRecorder()
				kickbacks.ServeHTTP(answer, jpaymenttest.NewKickback("/", jpaymenttest.KickbackParams{
					PaymentID: "20000001", Amount: r.Amount, Key: key, Request: jpayment.KickbackRequest{PaymentID: r.PaymentID},
				}))
				if answer.Code != http.StatusOK {
					return fmt.Errorf("the kickback was answered with %d", answer.Code)
				}
				return nil
			},
		}
		work(t, s, fake)
		for number, state := range map[string]State{"whole": Shipped, "part": Shipped, "declined": Problem, "called off": Cancelled} {
			is(t, s, number, state)
		}
		var captured []string
		for _, c := range fake.Calls() {
			if c.Operation == jpayment.OpSales {
				captured = append(captured, c.PaymentID)
			}
		}
		slices.Sort(captured)
		require.Equal(t, []string{"10000001", "10000003", "10000004", "20000001"}, captured)
	})
}

// An order that is cancelled while its capture is on its way is never shipped, whatever becomes
// of the capture.
func TestCancelledDuringCapture(t *testing.T) {
	databases(t, func(t *testing.T, database string) {
		switch s := open(t, database).(type) {
		case storeOn[*sql.Tx]:
			cancelledDuringCapture(t, s)
		case storeOn[pgx.Tx]:
			cancelledDuringCapture(t, s)
		default:
			require.Fail(t, "another database", "%T", s)
		}
	})
}

func cancelledDuringCapture[TTx any](t *testing.T, s storeOn[TTx]) {
	verdict := func(number string, op jpayment.Operation, state fulfilment.State) {
		require.NoError(t, s.transact(t.Context(), func(tx TTx) error {
			return s.settled(t.Context(), tx, fulfilment.Job{Reference: number, Operation: op, State: state})
		}))
	}
	for number, end := range map[string]fulfilment.State{"captured": fulfilment.StateDone, "declined": fulfilment.StateRefused} {
		require.NoError(t, s.add(t.Context(), Order{Number: number, PaymentID: map[fulfilment.State]string{fulfilment.StateDone: "10000001", fulfilment.StateRefused: "10000002"}[end], Total: 5000}))
		require.NoError(t, s.ship(t.Context(), number))
		require.NoError(t, s.cancel(t.Context(), number))
		for _, state := range []fulfilment.State{fulfilment.StateReview, end} {
			verdict(number, jpayment.OpSales, state)
			is(t, s, number, Cancelling)
		}
	}
	verdict("captured", jpayment.OpCancel, fulfilment.StateDone)
	is(t, s, "captured", Cancelled)
	verdict("declined", jpayment.OpCancel, fulfilment.StateRefused)
	is(t, s, "declined", Problem)
}

// An end-to-end test: the whole program with the simulated gateway, which loses an answer.
func TestWithSimulatedGateway(t *testing.T) {
	databases(t, func(t *testing.T, database string) {
		gateway := jpaymenttest.NewServer(t)
		s := open(t, database)
		part := pay(t, s, gateway, "part")
		before := pay(t, s, gateway, "cancelled before")
		after := pay(t, s, gateway, "cancelled after")
		gateway.Fail(jpaymenttest.Fault{Kind: jpaymenttest.DropAfterBooking, Operation: jpayment.OpReAuthByKickback, Nth: 1})
		p := start(t, gateway, database)

		p.post("/part", url.Values{"number": {"part"}, "total": {"3000"}})
		p.post("/cancel", url.Values{"number": {"cancelled before"}})
		p.post("/ship", url.Values{"number": {"cancelled after"}})
		becomes(t, s, "cancelled after", Shipped)
		p.post("/cancel", url.Values{"number": {"cancelled after"}})
		becomes(t, s, "cancelled after", Cancelled)
		becomes(t, s, "cancelled before", Cancelled)
		becomes(t, s, "part", Shipped)
		p.stop()

		for id, history := range map[string]string{
			before: "Authorize Cancel", after: "Authorize Sales Cancel", part: "Authorize ReAuthByKickback",
			order(t, s, "part").PaymentID: "ReAuthByKickback Sales",
		} {
			payment, found := gateway.Payment(id)
			require.True(t, found, id)
			var events []string
			for _, e := range payment.History {
				events = append(events, string(e.Operation))
			}
			require.Equal(t, history, strings.Join(events, " "), id)
		}
		replacement, _ := gateway.Payment(order(t, s, "part").PaymentID)
		require.EqualValues(t, 3000, replacement.Amount)
	})
}

// One process is killed while re-authorisations are on their way, another while captures are. In
// the end each order's payment is captured once.
func TestKilled(t *testing.T) {
	databases(t, func(t *testing.T, database string) {
		gateway := jpaymenttest.NewServer(t, jpaymenttest.WithKickbackRetries(slices.Repeat([]time.Duration{300 * time.Millisecond}, 100)...))
		s := open(t, database)
		const orders = 6
		for i := range orders {
			number := fmt.Sprintf("A-%d", 1001+i)
			pay(t, s, gateway, number)
			require.NoError(t, s.shipPart(t.Context(), number, 3000))
		}
		for _, fault := range []jpaymenttest.Fault{
			{Kind: jpaymenttest.DropAfterBooking, Operation: jpayment.OpReAuthByKickback},
			{Kind: jpaymenttest.DropBeforeBooking, Operation: jpayment.OpSales},
		} {
			var once sync.Once
			struck := make(chan struct{})
			died := make(chan struct{})
			fault.Notify = func() {
				once.Do(func() { close(struck) })
				<-died
			}
			gateway.Fail(fault)
			cmd, _ := startProcess(t, gateway, database)
			<-struck
			require.NoError(t, cmd.Process.Kill())
			require.Error(t, cmd.Wait())
			close(died)
			gateway.ClearFaults()
		}
		cmd, stop := startProcess(t, gateway, database)
		for i := range orders {
			becomes(t, s, fmt.Sprintf("A-%d", 1001+i), Shipped)
		}
		stop()
		require.NoError(t, cmd.Wait(), "a signal ends it cleanly")

		captures := map[string]int{}
		for _, r := range gateway.Requests() {
			if r.Operation == jpayment.OpSales && r.Booked {
				captures[r.PaymentID]++
			}
		}
		require.Len(t, captures, orders)
		require.Len(t, gateway.Payments(), 2*orders, "each was re-authorised once")
		all, err := s.orders(t.Context())
		require.NoError(t, err)
		for _, o := range all {
			require.Equal(t, 1, captures[o.PaymentID])
			payment, _ := gateway.Payment(o.PaymentID)
			require.EqualValues(t, 3000, payment.Amount)
			require.Equal(t, jpaymenttest.Captured, payment.State)
		}
	})
}

// With the gateway in the process, orders of an earlier run are an error.
func TestOldDatabase(t *testing.T) {
	database := filepath.Join(t.TempDir(), "orders.db")
	require.NoError(t, open(t, database).add(t.Context(), Order{Number: "A-1001", PaymentID: "10000001", Total: 1}))
	err := run(t.Context(), []string{"-database", database, "-listen", "127.0.0.1:0", "-kickbacks", "127.0.0.1:0"}, io.Discard)
	require.ErrorContains(t, err, "-gateway")
}

// databases runs a test with a SQLite file and with its own Postgres database.
func databases(t *testing.T, test func(t *testing.T, database string)) {
	t.Run("SQLite", func(t *testing.T) {
		t.Parallel()
		test(t, filepath.Join(t.TempDir(), "orders.db"))
	})
	t.Run("Postgres", func(t *testing.T) { postgres(t, test) })
}

// postgres runs a test with its own database, if there is a server.
func postgres(t *testing.T, test func(t *testing.T, database string)) {
	t.Helper()
	const variable = "JPAYMENT_TEST_POSTGRES"
	server := os.Getenv(variable)
	if server == "" {
		t.Skipf("set %s to the URL of a Postgres to run this on it too", variable)
	}
	t.Parallel()
	name := fmt.Sprintf("store_%d_%d", os.Getpid(), made.Add(1))
	do(t, server, "CREATE DATABASE "+name)
	t.Cleanup(func() { do(t, server, "DROP DATABASE "+name+" WITH (FORCE)") })
	u, err := url.Parse(server)
	require.NoError(t, err)
	u.Path = "/" + name
	test(t, u.String())
}

var made atomic.Int64

// do runs a statement in Postgres.
func do(t *testing.T, database, statement string) {
	t.Helper()
	ctx := context.WithoutCancel(t.Context())
	c, err := pgx.Connect(ctx, database)
	require.NoError(t, err)
	defer c.Close(ctx)
	_, err = c.Exec(ctx, statement)
	require.NoError(t, err)
}

// open opens the store, which other processes may have open as well.
func open(t *testing.T, database string) store {
	t.Helper()
	s, closeIt, err := openStore(t.Context(), database, config)
	require.NoError(t, err)
	t.Cleanup(closeIt)
	return s
}

// pay acts as the checkout.
func pay(t *testing.T, s store, gateway *jpaymenttest.Server, number string) (paymentID string) {
	t.Helper()
	paymentID = gateway.Authorize(jpaymenttest.Authorization{Amount: 5000, OrderNumber: number})
	require.NoError(t, s.add(t.Context(), Order{Number: number, PaymentID: paymentID, Total: 5000}))
	return paymentID
}

func order(t *testing.T, s store, number string) Order {
	t.Helper()
	all, err := s.orders(t.Context())
	require.NoError(t, err)
	i := slices.IndexFunc(all, func(o Order) bool { return o.Number == number })
	require.GreaterOrEqual(t, i, 0, number)
	return all[i]
}

func is(t *testing.T, s store, number string, state State) {
	t.Helper()
	require.Equal(t, state, order(t, s, number).State, number)
}

const patience = 2 * time.Minute

// becomes waits until an order has a state.
func becomes(t *testing.T, s store, number string, state State) {
	t.Helper()
	require.Eventually(t, func() bool { return order(t, s, number).State == state }, patience, 20*time.Millisecond, "%s is not %s", number, state)
}

// worker is a store or a queue.
type worker interface {
	Jobs(ctx context.Context, f fulfilment.Filter) ([]fulfilment.Job, error)
	Run(ctx context.Context, gateway jpayment.Gateway, cfg fulfilment.WorkerConfig) error
}

// work runs a worker until no job is open.
func work(t *testing.T, s worker, gateway jpayment.Gateway) {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- s.Run(ctx, gateway, fulfilment.WorkerConfig{}) }()
	require.Eventually(t, func() bool {
		jobs, err := s.Jobs(t.Context(), fulfilment.Filter{})
		return err == nil && !slices.ContainsFunc(jobs, func(j fulfilment.Job) bool { return !j.State.Settled() })
	}, patience, 20*time.Millisecond, "jobs are open")
	stop()
	require.NoError(t, <-ended)
}

// program is the running program, in this process or another.
type program struct {
	t    *testing.T
	page string
	stop func()
}

// arguments returns the arguments for a gateway outside the program's process, or none if it is
// inside.
func arguments(gateway *jpaymenttest.Server, database string) []string {
	args := []string{"-database", database, "-listen", "127.0.0.1:0", "-kickbacks", "127.0.0.1:0", "-call-timeout", "2s"}
	if gateway != nil {
		args = append(args, "-gateway", gateway.URL)
	}
	return args
}

// started reads the program's addresses from its output, and then discards the output.
func started(t *testing.T, gateway *jpaymenttest.Server, out io.Reader) (page string) {
	t.Helper()
	lines := bufio.NewReader(out)
	for page == "" {
		line, err := lines.ReadString('\n')
		require.NoError(t, err)
		var kickbacks string
		if n, _ := fmt.Sscanf(line, "store %s kickbacks %s", &page, &kickbacks); n == 2 && gateway != nil {
			gateway.SetKickbackURL(kickbacks)
		}
	}
	go io.Copy(io.Discard, lines)
	return page
}

func start(t *testing.T, gateway *jpaymenttest.Server, database string) *program {
	t.Helper()
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	out, in := io.Pipe()
	ended := make(chan error, 1)
	go func() { ended <- run(ctx, arguments(gateway, database), in) }()
	p := &program{t: t, page: started(t, gateway, out)}
	p.stop = sync.OnceFunc(func() {
		cancel()
		require.NoError(t, <-ended)
		_ = in.Close()
	})
	t.Cleanup(p.stop)
	return p
}

// startProcess starts the program in a separate process. stop tells it to end.
func startProcess(t *testing.T, gateway *jpaymenttest.Server, database string) (cmd *exec.Cmd, stop func()) {
	t.Helper()
	binary, err := os.Executable()
	require.NoError(t, err)
	cmd = exec.CommandContext(context.WithoutCancel(t.Context()), binary, arguments(gateway, database)...)
	cmd.Env = append(os.Environ(), "STORE_PROCESS=1")
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	t.Cleanup(func() { _ = cmd.Process.Kill() })
	started(t, gateway, out)
	return cmd, func() { require.NoError(t, cmd.Process.Signal(os.Interrupt)) }
}

// post submits a form of the page.
func (p *program) post(path string, form url.Values) {
	p.t.Helper()
	req, err := http.NewRequestWithContext(p.t.Context(), http.MethodPost, strings.TrimSuffix(p.page, "/")+path, strings.NewReader(form.Encode()))
	require.NoError(p.t, err)
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	answer, err := http.DefaultClient.Do(req)
	require.NoError(p.t, err)
	require.NoError(p.t, answer.Body.Close())
	require.Equal(p.t, http.StatusOK, answer.StatusCode, path)
}

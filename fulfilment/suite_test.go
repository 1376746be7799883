package fulfilment

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/rivertype"
	"github.com/stretchr/testify/require"
	"golang.org/x/time/rate"

	"github.com/jpayment-go/jpayment"
	"github.com/jpayment-go/jpayment/jpaymenttest"
)

const (
	postgresVariable = "JPAYMENT_TEST_POSTGRES"
	testStore        = "123456"
	patience         = 2 * time.Minute // how long a test waits for another goroutine
	tick             = 10 * time.Millisecond
)

var kickbackKey = []byte("a key of the merchant's, 32 bytes and more")

// place is a test's own database. Each queue from it has its own connections, like another
// process.
type place[TTx any] func(cfg Config) *Queue[TTx]

func onSQLite(t testing.TB) place[*sql.Tx] {
	return sqliteAt(t, filepath.Join(t.TempDir(), "orders.db"))
}

func sqliteAt(t testing.TB, path string) place[*sql.Tx] {
	return func(cfg Config) *Queue[*sql.Tx] {
		db, err := OpenSQLite(path)
		require.NoError(t, err)
		t.Cleanup(func() { require.NoError(t, db.Close()) })
		cfg.StoreID = cmp.Or(cfg.StoreID, testStore)
		q, err := NewSQLite(db, cfg)
		require.NoError(t, err)
		return q
	}
}

var schemas atomic.Int64

func onPostgres(t testing.TB) place[pgx.Tx] {
	schema := fmt.Sprintf("test_%d_%d", os.Getpid(), schemas.Add(1))
	pool := pgxPool(t)
	t.Cleanup(func() {
		_, err := pool.Exec(context.WithoutCancel(t.Context()), "DROP SCHEMA IF EXISTS "+schema+" CASCADE")
		require.NoError(t, err)
	})
	return postgresAt(t, schema)
}

func postgresAt(t testing.TB, schema string) place[pgx.Tx] {
	return func(cfg Config) *Queue[pgx.Tx] {
		cfg.StoreID, cfg.Schema = cmp.Or(cfg.StoreID, testStore), schema
		q, err := NewPostgres(pgxPool(t), cfg)
		require.NoError(t, err)
		return q
	}
}

func pgxPool(t testing.TB) *pgxpool.Pool {
	url := os.Getenv(postgresVariable)
	if url == "" {
		t.Skipf("set %s to the URL of a Postgres, such as postgres://postgres@127.0.0.1:5432/test, to run this on it too", postgresVariable)
	}
	pool, err := pgxpool.New(t.Context(), url)
	require.NoError(t, err)
	t.Cleanup(pool.Close)
	return pool
}

// testCase is a test that runs on every database.
type testCase[TTx any] struct {
	name string
	run  func(*testing.T, place[TTx])
}

func runAll[TTx any](t *testing.T, cases []testCase[TTx], on func(testing.TB) place[TTx]) {
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			c.run(t, on(t))
		})
	}
}

// site is a merchant's setup: a queue and a simulated gateway.
type site[TTx any] struct {
	*Queue[TTx]
	t       *testing.T
	place   place[TTx]
	gateway *jpaymenttest.Server
	later   *atomic.Int64
}

func newSite[TTx any](t *testing.T, p place[TTx], cfg Config, opts ...jpaymenttest.Option) *site[TTx] {
	t.Helper()
	s := &site[TTx]{Queue: p(cfg), t: t, place: p, gateway: jpaymenttest.NewServer(t, opts...), later: new(atomic.Int64)}
	s.now = s.clock
	require.NoError(t, s.Migrate(t.Context()))
	return s
}

func (s *site[TTx]) clock() time.Time { return time.Now().Add(time.Duration(s.later.Load())) }

// pass advances the time.
func (s *site[TTx]) pass(d time.Duration) { s.later.Add(int64(d)) }

// client returns a client of the gateway, which calls before for each request that leaves.
func (s *site[TTx]) client(before func(), opts ...jpayment.Option) *jpayment.Client {
	mine := []jpayment.Option{jpayment.WithRetry(jpayment.RetryPolicy{MaxAttempts: 1}), jpayment.WithProductionOnly()}
	if s.kickbackWait > 0 {
		mine = append(mine, jpayment.WithKickbackKey(kickbackKey))
	}
	if before != nil {
		mine = append(mine, jpayment.WithTransportWrapper(func(rt http.RoundTripper) http.RoundTripper {
			return roundTrip(func(r *http.Request) (*http.Response, error) { before(); return rt.RoundTrip(r) })
		}))
	}
	return s.gateway.Client(append(mine, opts...)...)
}

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// worker returns a worker that River does not start: the test calls Work.
func (s *site[TTx]) worker(gateway jpayment.Gateway) *worker[TTx] {
	cfg, err := WorkerConfig{Rate: rate.Inf}.withDefaults()
	require.NoError(s.t, err)
	return s.newWorker(s.t.Context(), gateway, cfg)
}

// work runs a job as River does. It returns whether River would run it again.
func (s *site[TTx]) work(w *worker[TTx], j Job) (snoozed bool) {
	s.t.Helper()
	return snooze(s.t, w.Work(s.t.Context(), riverJob(j)))
}

func riverJob(j Job) *river.Job[args] {
	return &river.Job[args]{JobRow: &rivertype.JobRow{}, Args: args{j.ID}}
}

func snooze(t *testing.T, err error) bool {
	t.Helper()
	if s := new(rivertype.JobSnoozeError); err != nil {
		require.ErrorAs(t, err, &s)
		return true
	}
	return false
}

// done is the answer to a successful call.
var done = answer{outcome: jpayment.OutcomeDone}

func (s *site[TTx]) authorize() string {
	return s.gateway.Authorize(jpaymenttest.Authorization{Amount: 1000, Tax: 80, Shipping: 500})
}

// enqueue records a request for a new payment.
func (s *site[TTx]) enqueue(op jpayment.Operation) Job {
	s.t.Helper()
	return s.enqueueFor(op, s.authorize())
}

func (s *site[TTx]) enqueueFor(op jpayment.Operation, paymentID string) Job {
	s.t.Helper()
	j, err := s.Enqueue(s.t.Context(), request(op, paymentID))
	require.NoError(s.t, err)
	return j
}

func request(op jpayment.Operation, paymentID string) Request {
	switch reference := "order-" + paymentID; op {
	case jpayment.OpSales:
		return Sales(reference, jpayment.SalesRequest{PaymentID: paymentID})
	case jpayment.OpCancel:
		return Cancel(reference, jpayment.CancelRequest{PaymentID: paymentID})
	default:
		return ReAuth(reference, jpayment.ReAuthRequest{PaymentID: paymentID, Amount: 900, Tax: 72, Shipping: 500})
	}
}

// look returns the current state of a job.
func (s *site[TTx]) look(j Job) Job {
	s.t.Helper()
	j, err := s.Job(s.t.Context(), j.Operation, j.PaymentID)
	require.NoError(s.t, err)
	return j
}

// stands asserts the state and reason of a job.
func (s *site[TTx]) stands(j Job, state State, reason Reason) Job {
	s.t.Helper()
	j = s.look(j)
	require.Equal(s.t, [2]string{string(state), string(reason)}, [2]string{string(j.State), string(j.Reason)})
	return j
}

func (s *site[TTx]) attempts(j Job) []Attempt {
	s.t.Helper()
	as, err := s.Attempts(s.t.Context(), j.ID)
	require.NoError(s.t, err)
	return as
}

// outcomes returns the outcomes of a job's attempts.
func (s *site[TTx]) outcomes(j Job) (all []jpayment.Outcome) {
	s.t.Helper()
	for _, a := range s.attempts(j) {
		all = append(all, a.Outcome)
	}
	return all
}

// elsewhere stands for somebody who uses the control panel.
const elsewhere = "the store's people"

// captureElsewhere captures a payment, as in the control panel.
func (s *site[TTx]) captureElsewhere(paymentID string) error {
	_, err := s.gateway.Client(jpayment.WithUserAgent(elsewhere)).Sales(s.t.Context(), jpayment.SalesRequest{PaymentID: paymentID})
	return err
}

// ours returns the requests that arrived at the gateway from workers.
func (s *site[TTx]) ours() []jpaymenttest.Request {
	return slices.DeleteFunc(s.gateway.Requests(), func(r jpaymenttest.Request) bool { return r.Header.Get("User-Agent") == elsewhere })
}

// operationOf returns the operation of the job that makes a request.
func operationOf(r jpaymenttest.Request) jpayment.Operation {
	if r.Operation == jpayment.OpReAuthByKickback {
		return jpayment.OpReAuth
	}
	return r.Operation
}

// requests counts the requests that arrived at the gateway for a job.
func (s *site[TTx]) requests(j Job) (n int) {
	for _, r := range s.ours() {
		if r.PaymentID == j.PaymentID && operationOf(r) == j.Operation {
			n++
		}
	}
	return n
}

// booked counts the gateway's bookings of an operation on a payment.
func (s *site[TTx]) booked(j Job) (n int) {
	for _, r := range s.ours() {
		if r.Booked && r.PaymentID == j.PaymentID && operationOf(r) == j.Operation {
			n++
		}
	}
	return n
}

// exec runs a statement in the database.
func (s *site[TTx]) exec(statement string, args ...any) {
	s.t.Helper()
	_, err := s.db.session().exec(s.t.Context(), statement, args...)
	require.NoError(s.t, err)
}

func (s *site[TTx]) count(statement string, args ...any) int64 {
	s.t.Helper()
	n, _, err := first(s.t.Context(), s.db.session(), scanInt, statement, args...)
	require.NoError(s.t, err)
	return n
}

// riverTable returns the name of River's table in a statement.
func (s *site[TTx]) riverTable() string {
	if s.db.schema() == "" {
		return "river_job"
	}
	return s.db.schema() + ".river_job"
}

func (s *site[TTx]) riverJobs() int64 { return s.count("SELECT COUNT(*) FROM " + s.riverTable()) }

// run runs a worker until stop is called. stop returns once the worker has ended.
func (s *site[TTx]) run(gateway jpayment.Gateway, cfg WorkerConfig) (stop func()) {
	ctx, cancel := context.WithCancel(s.t.Context())
	ended := make(chan error, 1)
	go func() { ended <- s.Run(ctx, gateway, cfg) }()
	return func() {
		s.t.Helper()
		cancel()
		select {
		case err := <-ended:
			require.NoError(s.t, err)
		case <-time.After(patience):
			require.FailNow(s.t, "the worker does not end")
		}
	}
}

// eventually waits until a condition holds.
func eventually(t *testing.T, what string, condition func() bool) {
	t.Helper()
	require.Eventually(t, condition, patience, tick, what)
}

// settled waits until no job is open.
func (s *site[TTx]) settled() {
	s.t.Helper()
	eventually(s.t, "jobs are still open", func() bool {
		st, err := s.Status(s.t.Context(), "")
		return err == nil && st.Open() == 0
	})
}

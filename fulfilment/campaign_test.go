package fulfilment

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"
	"golang.org/x/time/rate"

	"github.com/jpayment-go/jpayment"
	"github.com/jpayment-go/jpayment/jpaymenttest"
)

var (
	campaignJobs  = flag.Int("jobs", 300, "how many jobs the campaign has")
	campaignKills = flag.Int("kills", 5, "how many worker processes the campaign kills")
	campaignSeed  = flag.Uint64("seed", 0, "the campaign's seed, drawn if 0")
	campaignWaits = flag.Bool("waits", false, "have the campaign's jobs wait before they are sent again, for a fiftieth of their time")
)

// The campaign's worker processes are this test binary.
const workerVariable = "JPAYMENT_TEST_WORKER"

func TestMain(m *testing.M) {
	if text := os.Getenv(workerVariable); text != "" {
		if err := campaignWorker(text); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

// workerOrders are what a worker process is told.
type workerOrders struct {
	SQLite           string // the file, or
	Postgres, Schema string
	Gateway          string
	Waits            bool
}

const (
	campaignKickbackWait = 3 * time.Second
	campaignCallTimeout  = time.Second
)

func (o workerOrders) config() Config {
	return Config{StoreID: testStore, KickbackWait: campaignKickbackWait, Schema: o.Schema}
}

// campaignWorker works until it is killed or its standard input ends, as it does with its
// parent.
func campaignWorker(text string) error {
	var o workerOrders
	if err := json.Unmarshal([]byte(text), &o); err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		cancel()
	}()
	cfg := o.config()
	cfg.Logger = slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelError}))
	if o.SQLite != "" {
		db, err := OpenSQLite(o.SQLite)
		if err != nil {
			return err
		}
		defer db.Close()
		q, err := NewSQLite(db, cfg)
		if err != nil {
			return err
		}
		return runCampaignWorker(ctx, q, o)
	}
	pool, err := pgxpool.New(ctx, o.Postgres)
	if err != nil {
		return err
	}
	defer pool.Close()
	q, err := NewPostgres(pool, cfg)
	if err != nil {
		return err
	}
	return runCampaignWorker(ctx, q, o)
}

func runCampaignWorker[TTx any](ctx context.Context, q *Queue[TTx], o workerOrders) error {
	client, err := jpayment.NewClient(testStore,
		jpayment.WithBaseURL(o.Gateway), jpayment.WithTimeout(campaignCallTimeout/2), jpayment.WithProductionOnly(),
		jpayment.WithKickbackKey(kickbackKey), jpayment.WithRetry(jpayment.RetryPolicy{MaxAttempts: 1}))
	if err != nil {
		return err
	}
	q.pace = func(d time.Duration) time.Duration {
		if o.Waits {
			return d / 50
		}
		return 0
	}
	return q.Run(ctx, client, WorkerConfig{Rate: rate.Inf, CallTimeout: campaignCallTimeout})
}

// TestCampaign kills worker processes in the middle of their work, at a gateway that does
// all that it can to mislead them, and holds the verdicts against the gateway's books.
func TestCampaign(t *testing.T) {
	t.Run("SQLite", func(t *testing.T) {
		o := workerOrders{SQLite: filepath.Join(t.TempDir(), "orders.db")}
		campaign[*sql.Tx](t, sqliteAt(t, o.SQLite), o, 1)
	})
	t.Run("Postgres", func(t *testing.T) {
		p := onPostgres(t)
		o := workerOrders{Postgres: os.Getenv(postgresVariable), Schema: p(Config{}).db.schema()}
		campaign[pgx.Tx](t, p, o, 3)
	})
}

// troubles are the gateway's, by how often they strike.
var troubles = []jpaymenttest.Fault{
	{Kind: jpaymenttest.AnswerCode, Code: "ER010", Probability: 0.05},
	{Kind: jpaymenttest.AnswerCode, Code: "ER003", Probability: 0.001},
	{Kind: jpaymenttest.AnswerCode, Code: "ER000", Probability: 0.01},
	{Kind: jpaymenttest.AnswerCodeAfterBooking, Code: "ER042", Probability: 0.01},
	{Kind: jpaymenttest.DropBeforeBooking, Probability: 0.02},
	{Kind: jpaymenttest.DropAfterBooking, Probability: 0.02},
	{Kind: jpaymenttest.ResetAfterBooking, Probability: 0.01},
	{Kind: jpaymenttest.HangBeforeBooking, Probability: 0.002},
	{Kind: jpaymenttest.HangAfterBooking, Probability: 0.002},
	{Kind: jpaymenttest.StallReply, Probability: 0.002},
	{Kind: jpaymenttest.CutReply, Probability: 0.01},
	{Kind: jpaymenttest.CutHeader, Probability: 0.01},
	{Kind: jpaymenttest.CloseAfterReply, Probability: 0.02},
	{Kind: jpaymenttest.AnswerStatus, Probability: 0.01},
	{Kind: jpaymenttest.AnswerStatusAfterBooking, Probability: 0.01},
	{Kind: jpaymenttest.Garbage, Probability: 0.01},
	{Kind: jpaymenttest.DelayReply, Delay: 20 * time.Millisecond, Probability: 0.8},
}

func campaign[TTx any](t *testing.T, p place[TTx], o workerOrders, processes int) {
	seed := cmp.Or(*campaignSeed, rand.Uint64())
	t.Logf("again: go test -run TestCampaign -seed %d -jobs %d -kills %d", seed, *campaignJobs, *campaignKills)
	random := rand.New(rand.NewPCG(seed, 0))
	s := newSite(t, p, o.config(),
		jpaymenttest.WithSeed(int64(seed)), jpaymenttest.WithKickbackDuplicates(1),
		jpaymenttest.WithKickbackRetries(campaignRetries...))
	s.listens()
	o.Gateway, o.Waits = s.gateway.URL, *campaignWaits

	var asked []Request
	for i := range *campaignJobs {
		a := jpaymenttest.Authorization{Amount: 1000 + int64(i), Tax: 80}
		switch n := random.IntN(100); {
		case n < 5:
			a.Decline = "G1242G120000"
		case n < 8:
			a.RegisteredProduct = true
		}
		id := s.gateway.Authorize(a)
		if random.IntN(100) < 3 {
			_ = s.captureElsewhere(id) // The store's people were faster, unless the card is declined.
		}
		asked = append(asked, request([]jpayment.Operation{jpayment.OpSales, jpayment.OpCancel, jpayment.OpReAuth}[i%3], id))
	}
	for _, f := range troubles {
		s.gateway.Fail(f)
	}
	began := time.Now()
	workers := make([]*process, processes)
	for i := range workers {
		workers[i] = start(t, o)
	}
	enqueued := make(chan error, 1)
	go func() {
		for some := range slices.Chunk(asked, 50) {
			if _, err := s.EnqueueAll(t.Context(), some); err != nil {
				enqueued <- err
				return
			}
		}
		enqueued <- nil
	}()

	// The kills are spread over the jobs.
	for kills := 0; ; {
		st, err := s.Status(t.Context(), "")
		require.NoError(t, err)
		if st.Paused != nil {
			require.NoError(t, s.Resume(t.Context()))
		}
		settled := st.Total() - st.Open()
		if kills < *campaignKills && settled >= int64((kills+1)*len(asked)/(*campaignKills+2)) {
			i := random.IntN(len(workers))
			workers[i].kill()
			workers[i] = start(t, o)
			kills++
		}
		if kills == *campaignKills && settled == int64(len(asked)) && kickbacksOwed(s.gateway) == 0 {
			break
		}
		require.Less(t, time.Since(began), campaignPatience(), "%+v", st)
		time.Sleep(time.Duration(random.IntN(20)) * time.Millisecond) // A kill is to come at any moment.
	}
	elapsed := time.Since(began)
	require.NoError(t, <-enqueued)
	for _, w := range workers {
		w.stop()
	}
	t.Logf("%d jobs, %d kills, %d requests: %.1f s, %.0f jobs a second", len(asked), *campaignKills, len(s.gateway.Requests()),
		elapsed.Seconds(), float64(len(asked))/elapsed.Seconds())
	s.audit(len(asked))
}

// campaignPatience is how long nothing but a hang takes.
func campaignPatience() time.Duration {
	return time.Minute + time.Duration(*campaignKills)*10*time.Second + time.Duration(*campaignJobs)*100*time.Millisecond
}

// audit holds the verdicts against the gateway's books.
func (s *site[TTx]) audit(asked int) {
	t := s.t
	type book struct {
		requests, booked int
		considered       int // requests that were not turned away at the door
	}
	books := map[string]book{}
	key := func(operation jpayment.Operation, paymentID string) string {
		return string(operation) + " " + paymentID
	}
	for _, r := range s.ours() {
		b := books[key(operationOf(r), r.PaymentID)]
		b.requests++
		if r.Booked {
			b.booked++
		}
		if answer := string(r.Answer); !strings.Contains(answer, "ER010") && !strings.Contains(answer, "ER003") {
			b.considered++
		}
		books[key(operationOf(r), r.PaymentID)] = b
	}

	jobs, tally := 0, map[string]int{}
	for after := int64(0); ; {
		page, err := s.Jobs(t.Context(), Filter{AfterID: after, Limit: 1000})
		require.NoError(t, err)
		if len(page) == 0 {
			break
		}
		for _, j := range page {
			jobs, after = jobs+1, j.ID
			b, payment := books[key(j.Operation, j.PaymentID)], s.payment(j)
			tally[fmt.Sprintf("%s %s", j.State, j.Reason)]++
			require.LessOrEqual(t, b.booked, 1, "%v: booked twice", j)
			require.LessOrEqual(t, b.requests, j.Attempts, "%v: a request that is not written down", j)
			switch j.State {
			case StateDone:
				require.Equal(t, 1, b.booked, "%v: done, and not in the books", j)
				require.NotNil(t, j.Result, "%v", j)
				require.Equal(t, payment.ReplacedBy, j.NewPaymentID, "%v", j)
			case StateRefused:
				require.Zero(t, b.booked, "%v: refused, and in the books", j)
			case StateReview:
				declined := j.Operation == jpayment.OpReAuth && (payment.Decline != "" || j.Code == jpayment.CodeCancelFailed)
				require.True(t, declined || slices.Contains(s.outcomes(j), jpayment.OutcomeUnknown), "%v: needs review for nothing", j)
			default:
				require.Failf(t, "not settled", "%v", j)
			}
			if j.Operation == jpayment.OpReAuth {
				require.LessOrEqual(t, b.considered, 1, "%v: sent again", j)
			}
		}
	}
	require.Equal(t, asked, jobs, "a request is lost")
	for _, p := range s.gateway.Payments() {
		var done []string
		for _, e := range p.History {
			done = append(done, string(e.Operation))
		}
		slices.Sort(done)
		require.Equal(t, slices.Compact(slices.Clone(done)), done, "payment %s: the same twice", p.ID)
	}
	for _, what := range slices.Sorted(maps.Keys(tally)) {
		t.Logf("%5d (%4.1f %%) %s", tally[what], 100*float64(tally[what])/float64(jobs), what)
	}
}

func (s *site[TTx]) payment(j Job) jpaymenttest.Payment {
	p, found := s.gateway.Payment(j.PaymentID)
	require.True(s.t, found)
	return p
}

// process is a worker process.
type process struct {
	t     *testing.T
	cmd   *exec.Cmd
	stdin io.Closer
}

func start(t *testing.T, o workerOrders) *process {
	t.Helper()
	text, err := json.Marshal(o)
	require.NoError(t, err)
	cmd := exec.CommandContext(context.WithoutCancel(t.Context()), os.Args[0])
	cmd.Env = append(os.Environ(), workerVariable+"="+string(text))
	cmd.Stdout, cmd.Stderr = os.Stderr, os.Stderr
	stdin, err := cmd.StdinPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	p := &process{t: t, cmd: cmd, stdin: stdin}
	t.Cleanup(func() {
		if cmd.ProcessState == nil {
			p.kill()
		}
	})
	return p
}

// kill ends the process as a lack of memory or power does: by SIGKILL.
func (p *process) kill() {
	p.t.Helper()
	require.NoError(p.t, p.cmd.Process.Kill())
	require.Error(p.t, p.cmd.Wait())
}

// stop lets the process end by itself.
func (p *process) stop() {
	p.t.Helper()
	require.NoError(p.t, p.stdin.Close())
	require.NoError(p.t, p.cmd.Wait())
}

// kickbacksOwed returns how many kickbacks the gateway has still to deliver: each that was
// asked for, and its duplicate, until it is delivered or its last attempt was made.
func kickbacksOwed(gateway *jpaymenttest.Server) int {
	type kickback struct{ request, duplicate int }
	owed := map[kickback]bool{}
	for _, r := range gateway.Requests() {
		if r.Operation == jpayment.OpReAuthByKickback && (r.Booked || strings.HasPrefix(string(r.Code), "G")) {
			owed[kickback{r.Number, 0}], owed[kickback{r.Number, 1}] = true, true
		}
	}
	for _, d := range gateway.Kickbacks() {
		if d.Delivered || d.Attempt > len(campaignRetries) {
			delete(owed, kickback{d.Request, d.Duplicate})
		}
	}
	return len(owed)
}

// campaignRetries is when the gateway tries again to deliver a kickback.
var campaignRetries = []time.Duration{50 * time.Millisecond, 200 * time.Millisecond, time.Second, 5 * time.Second, 10 * time.Second}

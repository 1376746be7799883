package monthend

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/csv"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/time/rate"

	"github.com/jpayment-go/jpayment"
	"github.com/jpayment-go/jpayment/cmd/jpayment/internal/console"
	"github.com/jpayment-go/jpayment/cmd/jpayment/internal/sheet"
	"github.com/jpayment-go/jpayment/fulfilment"
	"github.com/jpayment-go/jpayment/jpaymenttest"
)

// desk is where a person runs files: a directory, a database, and a gateway.
type desk struct {
	*Run
	dir            string
	db             *sql.DB
	stdout, stderr transcript
}

// transcript keeps what is written, and calls a function when a certain text appears.
type transcript struct {
	mu   sync.Mutex
	text bytes.Buffer
	on   string
	do   func()
}

func (w *transcript) Write(b []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.text.Write(b)
	if w.do != nil && strings.Contains(w.text.String(), w.on) {
		w.do()
		w.do = nil
	}
	return len(b), nil
}

func (w *transcript) String() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.text.String()
}

// when calls f once the text has been written.
func (w *transcript) when(text string, f func()) { w.on, w.do = text, f }

func newDesk(t *testing.T, lang console.Lang, url, file string) *desk {
	t.Helper()
	dir := t.TempDir()
	client, err := jpayment.NewClient("123456", jpayment.WithBaseURL(url), jpayment.WithRetry(jpayment.RetryPolicy{MaxAttempts: 1}))
	require.NoError(t, err)
	db, err := fulfilment.OpenSQLite(filepath.Join(dir, "jobs.db"))
	require.NoError(t, err)
	t.Cleanup(func() { db.Close() })
	queue, err := fulfilment.NewSQLite(db, fulfilment.Config{StoreID: "123456"})
	require.NoError(t, err)
	require.NoError(t, queue.Migrate(t.Context()))
	d := &desk{dir: dir, db: db}
	d.Run = &Run{
		Path: filepath.Join(dir, "a.csv"), Report: filepath.Join(dir, "a.report.csv"), Yes: true,
		Console: console.Console{Lang: lang, Stdin: strings.NewReader(""), Stdout: &d.stdout, Stderr: &d.stderr},
		Store:   "123456", Gateway: url, Database: "jobs.db",
		OpenQueue: func(context.Context) (Queue, func(), error) { return queue, func() {}, nil },
		Client:    client, Timeout: time.Minute, Worker: fulfilment.WorkerConfig{Rate: 1000},
	}
	require.NoError(t, os.WriteFile(d.Path, []byte(file), 0o600))
	return d
}

// sales returns a file of captures.
func sales(rows int) string {
	var file strings.Builder
	file.WriteString("operation,payment,reference\n")
	for i := range rows {
		fmt.Fprintf(&file, "sales,%d,order-%d\n", 10000001+i, i)
	}
	return file.String()
}

// gateway returns a simulated gateway with payments.
func gateway(t *testing.T, payments int) *jpaymenttest.Server {
	t.Helper()
	g := jpaymenttest.NewServer(t)
	for range payments {
		g.Authorize(jpaymenttest.Authorization{Amount: 1000})
	}
	return g
}

// verdicts reads the report, including its header.
func (d *desk) verdicts(t *testing.T) [][]string {
	t.Helper()
	b, err := os.ReadFile(d.Report)
	require.NoError(t, err)
	all, err := csv.NewReader(strings.NewReader(strings.TrimPrefix(string(b), sheet.Mark))).ReadAll()
	require.NoError(t, err)
	return all
}

// closedPort returns the URL of a port where nothing listens.
func closedPort(t *testing.T) string {
	t.Helper()
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	require.NoError(t, l.Close())
	return "http://" + l.Addr().String()
}

// An unreachable gateway is reported at once with its cause, and in the report.
func TestUnreachableGateway(t *testing.T) {
	t.Parallel()
	for lang, want := range map[console.Lang][2]string{
		console.English:  {"connection refused", "The run retries automatically."},
		console.Japanese: {"接続が拒否されました", "自動で再送します"},
	} {
		t.Run(string(lang), func(t *testing.T) {
			t.Parallel()
			d := newDesk(t, lang, closedPort(t), sales(100))
			d.Worker.Rate = 20 // Trying them all takes longer than reporting the cause.
			ctx, interrupt := context.WithCancel(t.Context())
			d.stderr.when(want[1], interrupt)
			require.Equal(t, console.ExitStatus(console.Failed), d.Do(ctx))
			require.Contains(t, d.stderr.String(), want[0])
			require.Equal(t, 1, strings.Count(d.stderr.String(), want[0]), "it is told once: %s", &d.stderr)
			told := 0
			for _, v := range d.verdicts(t)[1:] {
				if v[8] != "0" { // It was tried.
					require.Contains(t, v[5], want[0])
					told++
				}
			}
			require.Positive(t, told)
		})
	}
}

// A gateway that accepts calls and does not answer is reported at once.
func TestSilentGateway(t *testing.T) {
	t.Parallel()
	for lang, want := range map[console.Lang]string{console.English: "Waiting for the gateway to answer (requests: 1), up to 60 s for each.", console.Japanese: "応答を待っています（1件）"} {
		g := gateway(t, 1)
		ctx, interrupt := context.WithCancel(t.Context())
		g.Fail(jpaymenttest.Fault{Kind: jpaymenttest.DelayReply, Delay: time.Second})
		d := newDesk(t, lang, g.URL, sales(1))
		d.patience = time.Millisecond
		d.stderr.when(want, interrupt)
		require.NoError(t, d.Do(ctx), "%s", &d.stderr)
		require.Contains(t, d.stderr.String(), want)
	}
}

// Trouble is reported once, not for every row, and so is its end.
func TestTroubleIsToldOnce(t *testing.T) {
	t.Parallel()
	d := newDesk(t, console.English, closedPort(t), sales(1))
	teller := d.newTeller(tally{})
	fail := func(err error) { teller.gateway.end(teller.gateway.begin(), err) }
	refused := &jpayment.TransportError{NotSent: true, Err: &net.OpError{Op: "dial", Net: "tcp", Err: os.NewSyscallError("connect", syscall.ECONNREFUSED)}}
	fail(refused)
	teller.tellTrouble()
	require.Empty(t, d.stderr.String(), "a single failed call is reported by its row")
	for range 3 {
		fail(refused)
		teller.gateway.since = time.Now().Add(-troubleLasts)
		teller.tellTrouble()
	}
	require.Equal(t, 1, strings.Count(d.stderr.String(), "Nothing was sent"))
	fail(&jpayment.GatewayError{Code: jpayment.CodePaymentID}) // It is about one payment only.
	teller.tellTrouble()
	require.NotContains(t, d.stderr.String(), "answers again", "not yet: it may come and go")
	teller.trouble = teller.trouble.Add(-calmAfter)
	teller.tellTrouble()
	require.Equal(t, 1, strings.Count(d.stderr.String(), "answers again"))
}

// An attempt that cannot be recorded is not sent. The failure is reported while it lasts, and
// so is the recovery.
func TestDatabaseThatFails(t *testing.T) {
	t.Parallel()
	for lang, want := range map[console.Lang][2]string{
		console.English:  {"Attempts that cannot be recorded are not sent", "The database works again."},
		console.Japanese: {"記録できないものは送信しません", "データベースが使用できるようになりました。"},
	} {
		t.Run(string(lang), func(t *testing.T) {
			t.Parallel()
			g := gateway(t, 3)
			d := newDesk(t, lang, g.URL, sales(3))
			change := func(statement string) {
				_, err := d.db.ExecContext(t.Context(), statement)
				require.NoError(t, err)
			}
			change(`CREATE TRIGGER no_attempt BEFORE INSERT ON jpayment_attempt BEGIN SELECT RAISE(ABORT, 'canary'); END`)
			sent := -1
			mended := make(chan struct{})
			d.stderr.when(want[0], func() { // The run that reports it is using the only connection.
				go func() {
					defer close(mended)
					sent = len(g.Requests())
					change(`DROP TRIGGER no_attempt`)
				}()
			})
			require.NoError(t, d.Do(t.Context()), "%s", &d.stderr)
			<-mended
			require.Zero(t, sent)
			require.Len(t, g.Requests(), 3)
			require.Equal(t, 1, strings.Count(d.stderr.String(), want[0]), "%s", &d.stderr)
			require.NotContains(t, d.stderr.String(), "canary")
			require.Contains(t, d.stderr.String(), want[1])
		})
	}
}

// A failing database is reported once, and so is its recovery.
func TestDatabaseTroubleIsToldOnce(t *testing.T) {
	t.Parallel()
	q := &ailingQueue{}
	d := newDesk(t, console.English, closedPort(t), sales(1))
	d.queue = q
	teller := d.newTeller(tally{})
	teller.tellDatabase()
	q.health = fulfilment.Health{Since: time.Now(), Failures: 1, What: jpayment.Text{En: "the disk is full"}}
	teller.tellDatabase()
	require.Empty(t, d.stderr.String(), "it is tried again")
	q.health.Failures++
	teller.tellDatabase()
	q.health.Failures++
	teller.tellDatabase()
	require.Equal(t, 1, strings.Count(d.stderr.String(), "✗ the disk is full\n"))
	q.health = fulfilment.Health{}
	teller.tellDatabase()
	teller.tellDatabase()
	require.Equal(t, 1, strings.Count(d.stderr.String(), "✓ The database works again.\n"))
}

// ailingQueue is a queue with a failing database.
type ailingQueue struct {
	Queue
	health fulfilment.Health
}

func (q *ailingQueue) Health() fulfilment.Health { return q.health }

// A run waits during maintenance and prints until when. A new start does not resume the
// store.
func TestMaintenanceIsWaitedFor(t *testing.T) {
	t.Parallel()
	for lang, want := range map[console.Lang]string{console.English: "Waiting until ", console.Japanese: "まで待機します: "} {
		g := gateway(t, 1)
		g.SetMaintenance(true)
		d := newDesk(t, lang, g.URL, sales(1))
		ctx, interrupt := context.WithCancel(t.Context())
		d.stderr.when(want, interrupt)
		require.Equal(t, console.ExitStatus(console.Failed), d.Do(ctx), "%s", &d.stderr)
		require.Contains(t, d.stderr.String(), want)
		require.Contains(t, d.stderr.String(), lang.In("Interrupted.", "中断しました。"), "it does not end by itself")
		paused := func() *fulfilment.Pause {
			st, err := d.queue.Status(t.Context(), "")
			require.NoError(t, err)
			require.NotNil(t, st.Paused)
			return st.Paused
		}
		before := paused()
		require.False(t, before.Until.IsZero())
		require.Len(t, g.Requests(), 1)

		again := newDesk(t, lang, g.URL, sales(1))
		again.OpenQueue = d.OpenQueue
		ctx, interrupt = context.WithCancel(t.Context())
		again.stderr.when(want, interrupt)
		require.Equal(t, console.ExitStatus(console.Failed), again.Do(ctx), "%s", &again.stderr)
		require.Equal(t, before, paused(), "it was not resumed")
		require.Len(t, g.Requests(), 1, "nothing is sent before its end")
	}
}

// Only a file with captures warns that the cardholder is charged.
func TestWarningIsOfCaptures(t *testing.T) {
	t.Parallel()
	for file, want := range map[string]bool{
		"処理,決済番号,注文番号\n実売上,1,a\n取消,2,b\n":          true,
		"処理,決済番号,注文番号,金額,税額,送料\n再オーソリ,1,a,1,2,3\n": false,
		"処理,決済番号,注文番号\n取消,1,a\n":                   false,
	} {
		for lang, warning := range map[console.Lang]string{console.English: "charge the cardholder", console.Japanese: "実売上ではカード会員に請求されます。"} {
			d := newDesk(t, lang, closedPort(t), file)
			d.Yes = false // There is nobody to confirm.
			require.Error(t, d.Do(t.Context()))
			require.Equal(t, want, strings.Contains(d.stderr.String(), warning), "%s", &d.stderr)
		}
	}
}

// Ignored columns are listed once, in the summary.
func TestUnreadColumnsAreNamed(t *testing.T) {
	t.Parallel()
	for lang, want := range map[console.Lang]string{
		console.English:  "  ignored columns  備考, (no name), 担当\n",
		console.Japanese: "  対象外の列    備考、（列名なし）、担当\n",
	} {
		d := newDesk(t, lang, closedPort(t), "処理,備考,決済番号,,注文番号,担当,,\n実売上,x,1,y,a,z,,\n取消,x,2,y,a,z\n")
		d.DryRun = true
		require.NoError(t, d.Do(t.Context()), "%s", &d.stderr)
		require.Equal(t, 1, strings.Count(d.stderr.String(), "備考"))
		require.Contains(t, d.stderr.String(), want)
	}
}

// After a kill the run reports how many calls it waits for, and until when.
func TestLostCallsAreTold(t *testing.T) {
	t.Parallel()
	due := time.Date(2026, 11, 30, 12, 5, 0, 0, time.UTC)
	for lang, want := range map[console.Lang]string{
		console.English:  "have not ended: 2. The run waits for them until 21:05:00 JST",
		console.Japanese: "2 件の結果が、まだ記録されていません。21:05:00 JST まで待ち",
	} {
		d := newDesk(t, lang, closedPort(t), sales(1))
		d.queue = runningQueue{jobs: []fulfilment.Job{{Due: due.Add(-time.Second)}, {Due: due}}}
		teller := d.newTeller(tally{})
		teller.lost(t.Context(), fulfilment.Status{Running: 2})
		require.Contains(t, d.stderr.String(), want)
		before := d.stderr.String()
		teller.lost(t.Context(), fulfilment.Status{})
		require.Equal(t, before, d.stderr.String())
	}
}

// They are reported when the run begins.
func TestRunTellsOfLostCalls(t *testing.T) {
	t.Parallel()
	d := newDesk(t, console.English, gateway(t, 1).URL, sales(1))
	open := d.OpenQueue
	d.OpenQueue = func(ctx context.Context) (Queue, func(), error) {
		q, closeIt, err := open(ctx)
		return &lostQueue{Queue: q}, closeIt, err
	}
	require.NoError(t, d.Do(t.Context()), "%s", &d.stderr)
	require.Contains(t, d.stderr.String(), "have not ended: 1. The run waits for them until")
}

// lostQueue reports a running job of the file until it is asked a second time.
type lostQueue struct {
	Queue
	asked bool
}

func (q *lostQueue) Status(ctx context.Context, batch string) (fulfilment.Status, error) {
	st, err := q.Queue.Status(ctx, batch)
	if batch != "" && !q.asked {
		q.asked, st.Running = true, 1
	}
	return st, err
}

func (q *lostQueue) Jobs(context.Context, fulfilment.Filter) ([]fulfilment.Job, error) {
	return []fulfilment.Job{{Due: time.Now()}}, nil
}

// If nothing will be sent for a while, the run reports once until when, and why.
func TestWaitIsTold(t *testing.T) {
	t.Parallel()
	for lang, want := range map[console.Lang]string{
		console.English:  "Waiting until 10:30:00 JST: " + fulfilment.ReasonMaintenance.Text().En + "\n",
		console.Japanese: "10:30:00 JST まで待機します: " + fulfilment.ReasonMaintenance.Text().Ja + "\n",
	} {
		d := newDesk(t, lang, closedPort(t), sales(1))
		synctest.Test(t, func(t *testing.T) { // It begins at midnight UTC.
			d.queue = waitingQueue{}
			teller := d.newTeller(tally{open: 1})
			far := fulfilment.Status{Waiting: 1, NextDue: time.Now().Add(90 * time.Minute)}
			for range 3 {
				teller.tell(t.Context(), tally{open: 1}, far)
			}
			require.Equal(t, want, d.stderr.String())
			teller.tell(t.Context(), tally{open: 1}, fulfilment.Status{Waiting: 1, NextDue: time.Now().Add(time.Second)})
			require.Equal(t, want, d.stderr.String(), "a second is no wait")
		})
	}
}

// waitingQueue has a job that waits for the end of maintenance.
type waitingQueue struct{ Queue }

func (waitingQueue) Health() fulfilment.Health { return fulfilment.Health{} }

func (waitingQueue) Jobs(context.Context, fulfilment.Filter) ([]fulfilment.Job, error) {
	return []fulfilment.Job{{State: fulfilment.StateWaiting, Reason: fulfilment.ReasonMaintenance}}, nil
}

// runningQueue has running jobs.
type runningQueue struct {
	Queue
	jobs []fulfilment.Job
}

func (q runningQueue) Jobs(_ context.Context, f fulfilment.Filter) ([]fulfilment.Job, error) {
	if f.State != fulfilment.StateRunning {
		return nil, nil
	}
	return q.jobs, nil
}

// meddler refuses a capture between the transactions in which a file is recorded.
type meddler struct {
	Queue
	review func(ctx context.Context, id int64, d fulfilment.Decision) (fulfilment.Job, error)
	of     string // the payment
}

func (m *meddler) EnqueueAll(ctx context.Context, rs []fulfilment.Request) ([]fulfilment.Job, error) {
	jobs, err := m.Queue.EnqueueAll(ctx, rs)
	for _, j := range jobs {
		if j.PaymentID == m.of && j.Operation == jpayment.OpSales && j.State == fulfilment.StateWaiting {
			if _, err := m.review(ctx, j.ID, fulfilment.Decision{State: fulfilment.StateRefused, By: "keiri"}); err != nil {
				return nil, err
			}
		}
	}
	return jobs, err
}

// A row is refused if the row above it on the same payment is, however far above that is
// and whenever it was refused.
func TestRowsFollowThoseAboveThem(t *testing.T) {
	t.Parallel()
	const rows = atOnce + 1
	for name, c := range map[string]struct {
		row    int
		before bool // The row above was refused before the run, not while it is recorded.
	}{
		"in the same transaction":             {10, true},
		"in the next transaction":             {atOnce, true},
		"refused before the next transaction": {atOnce, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := gateway(t, rows)
			lines := strings.SplitAfter(sales(rows), "\n")
			lines = slices.Insert(lines, 1+c.row, "cancel,10000001,order-0\n")
			d := newDesk(t, console.English, g.URL, strings.Join(lines, ""))
			d.Worker.Rate = rate.Inf
			queue, err := fulfilment.NewSQLite(d.db, fulfilment.Config{StoreID: "123456"})
			require.NoError(t, err)
			m := &meddler{Queue: queue, review: queue.Review, of: "10000001"}
			if c.before {
				_, err := m.EnqueueAll(t.Context(), []fulfilment.Request{fulfilment.Sales("order-0", jpayment.SalesRequest{PaymentID: "10000001"})})
				require.NoError(t, err)
			}
			d.OpenQueue = func(context.Context) (Queue, func(), error) { return m, func() {}, nil }
			require.Equal(t, console.ExitStatus(console.Failed), d.Do(t.Context()), "%s", &d.stderr)
			for _, r := range g.Requests() {
				require.NotEqual(t, "10000001", r.PaymentID, r.Operation)
			}
			require.Equal(t, []string{"cancel", "10000001", "order-0", "refused"}, d.verdicts(t)[1+c.row][1:5])
		})
	}
}

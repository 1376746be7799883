package desk_test

import (
	"context"
	"database/sql"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"
	"golang.org/x/time/rate"

	"github.com/jpayment-go/jpayment"
	"github.com/jpayment-go/jpayment/cmd/jpayment/internal/desk"
	"github.com/jpayment-go/jpayment/fulfilment"
	"github.com/jpayment-go/jpayment/jpaymenttest"
)

// queue has the methods of a [fulfilment.Queue], on either database, that the tests use.
type queue interface {
	desk.Queue
	Migrate(ctx context.Context) error
	Job(ctx context.Context, op jpayment.Operation, paymentID string) (fulfilment.Job, error)
	EnqueueAll(ctx context.Context, rs []fulfilment.Request) ([]fulfilment.Job, error)
	Run(ctx context.Context, g jpayment.Gateway, cfg fulfilment.WorkerConfig) error
}

// execute runs a statement in the database of a queue, as another program might. The statement
// has the prefix jpayment. before the names of tables.
func execute(t *testing.T, q queue, statement string) {
	t.Helper()
	q.(interface {
		execute(t *testing.T, statement string)
	}).execute(t, statement)
}

type onSQLite struct {
	*fulfilment.Queue[*sql.Tx]
	db *sql.DB
}

func (q onSQLite) execute(t *testing.T, statement string) {
	t.Helper()
	_, err := q.db.ExecContext(t.Context(), strings.ReplaceAll(statement, "jpayment.", ""))
	require.NoError(t, err)
}

type onPostgres struct {
	*fulfilment.Queue[pgx.Tx]
	pool   *pgxpool.Pool
	schema string
}

func (q onPostgres) execute(t *testing.T, statement string) {
	t.Helper()
	_, err := q.pool.Exec(t.Context(), strings.ReplaceAll(statement, "jpayment.", q.schema+"."))
	require.NoError(t, err)
}

var schemas atomic.Int64

// databases runs a test on each database.
func databases(t *testing.T, f func(t *testing.T, q queue)) {
	t.Run("SQLite", func(t *testing.T) {
		f(t, newSQLite(t))
	})
	t.Run("Postgres", func(t *testing.T) {
		server := os.Getenv("JPAYMENT_TEST_POSTGRES")
		if server == "" {
			t.Skip(`no Postgres: set JPAYMENT_TEST_POSTGRES to a URL, for instance by eval "$(.ci/postgres start)"`)
		}
		pool, err := pgxpool.New(t.Context(), server)
		require.NoError(t, err)
		schema := fmt.Sprintf("desk_%d_%d", os.Getpid(), schemas.Add(1))
		t.Cleanup(func() {
			pool.Close()
			ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
			defer cancel()
			conn, err := pgx.Connect(ctx, server)
			require.NoError(t, err)
			defer conn.Close(ctx)
			_, err = conn.Exec(ctx, "DROP SCHEMA IF EXISTS "+schema+" CASCADE")
			require.NoError(t, err)
		})
		q, err := fulfilment.NewPostgres(pool, fulfilment.Config{StoreID: "123456", Schema: schema})
		require.NoError(t, err)
		require.NoError(t, q.Migrate(t.Context()))
		f(t, onPostgres{q, pool, schema})
	})
}

func newSQLite(t *testing.T) queue {
	t.Helper()
	db, err := fulfilment.OpenSQLite(filepath.Join(t.TempDir(), "jobs.db"))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	q, err := fulfilment.NewSQLite(db, fulfilment.Config{StoreID: "123456"})
	require.NoError(t, err)
	require.NoError(t, q.Migrate(t.Context()))
	return onSQLite{q, db}
}

// The private data of a store, which must not appear on any page.
const privateEmail, privatePhone, privateExtra = "private@example.jp", "0399998888", "private-extra"

// month is a store in mid-month, with jobs 1 to 6. Jobs 3 and 4 are in review.
type month struct {
	queue
	gateway *jpaymenttest.Server
}

func newMonth(t *testing.T, q queue) month {
	t.Helper()
	m := month{q, jpaymenttest.NewServer(t)}
	for range 3 {
		m.gateway.Authorize(jpaymenttest.Authorization{Amount: 12_000, Tax: 1_200, Shipping: 600})
	}
	m.gateway.Authorize(jpaymenttest.Authorization{Amount: 12_000, Decline: "G1242G120000"})
	m.gateway.Fail(jpaymenttest.Fault{Kind: jpaymenttest.DropAfterBooking, PaymentID: "10000003"})
	reauth := func(id string, amount int64) jpayment.ReAuthRequest {
		return jpayment.ReAuthRequest{
			PaymentID: id, Amount: amount, Tax: amount / 10, Shipping: 500,
			Email: jpayment.NewSecret(privateEmail), Phone: jpayment.NewSecret(privatePhone),
			Extra: jpayment.NewExtra(map[string]string{"memo": privateExtra}),
		}
	}
	_, err := q.EnqueueAll(t.Context(), []fulfilment.Request{
		fulfilment.Sales("注文-1041", jpayment.SalesRequest{PaymentID: "10000001"}).InBatch("run-5f1c2a9b03d7"),
		fulfilment.Cancel("注文-1042", jpayment.CancelRequest{PaymentID: "10000002"}).InBatch("run-5f1c2a9b03d7"),
		fulfilment.ReAuth("注文-1043", reauth("10000003", 1_234_000)).InBatch("run-5f1c2a9b03d7"),
		fulfilment.ReAuth("注文-1044", reauth("10000004", 9_800)).InBatch("run-5f1c2a9b03d7"),
		fulfilment.Sales("注文-1045", jpayment.SalesRequest{PaymentID: "10000999"}).InBatch("run-5f1c2a9b03d7"),
	})
	require.NoError(t, err)
	m.work(t)
	_, err = q.EnqueueAll(t.Context(), []fulfilment.Request{fulfilment.Sales("注文-1046", jpayment.SalesRequest{PaymentID: "10000998"})})
	require.NoError(t, err)
	return m
}

// work runs a worker until no job is open.
func (m month) work(t *testing.T) {
	t.Helper()
	client, err := jpayment.NewClient("123456", jpayment.WithBaseURL(m.gateway.URL), jpayment.WithRetry(jpayment.RetryPolicy{MaxAttempts: 1}))
	require.NoError(t, err)
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- m.Run(ctx, client, fulfilment.WorkerConfig{Concurrency: 1, Rate: rate.Inf}) }()
	require.Eventually(t, func() bool {
		st, err := m.Status(t.Context(), "")
		return err == nil && st.Open() == 0
	}, time.Minute, 10*time.Millisecond)
	stop()
	require.NoError(t, <-ended)
}

// served is a running desk and the cookies of its user.
type served struct {
	URL     string
	cookies map[string]string
	lang    string
}

func serve(t *testing.T, config desk.Config) *served {
	t.Helper()
	if config.Listen == "" {
		config.Listen = "127.0.0.1:0"
	}
	config.StoreID, config.Database, config.Log = "123456", "jobs.db", slog.New(slog.NewTextHandler(t.Output(), nil))
	d, err := desk.Open(t.Context(), config)
	require.NoError(t, err)
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- d.Run(ctx) }()
	t.Cleanup(func() {
		stop()
		require.NoError(t, <-ended)
	})
	return &served{URL: strings.TrimSuffix(d.URL(), "/desk/"), cookies: map[string]string{}, lang: "ja"}
}

// call sends a request and returns the status, the body and the URL of a redirect.
func (s *served) call(t *testing.T, method, path string, form url.Values, header ...string) (status int, body, next string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, s.URL+path, strings.NewReader(form.Encode()))
	require.NoError(t, err)
	r.Header.Set("Accept-Language", s.lang)
	if form != nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	for i := 0; i < len(header); i += 2 {
		if header[i] == "Host" {
			r.Host = header[i+1]
			continue
		}
		r.Header.Set(header[i], header[i+1])
	}
	for name, value := range s.cookies {
		r.AddCookie(&http.Cookie{Name: name, Value: value})
	}
	client := http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	resp, err := client.Do(r)
	require.NoError(t, err)
	defer resp.Body.Close()
	for _, c := range resp.Cookies() {
		s.cookies[c.Name] = c.Value
	}
	b, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	return resp.StatusCode, string(b), resp.Header.Get("Location")
}

func (s *served) get(t *testing.T, path string) string {
	t.Helper()
	status, body, _ := s.call(t, http.MethodGet, path, nil)
	require.Equal(t, http.StatusOK, status, body)
	return body
}

var stampField = regexp.MustCompile(`name="stamp" value="([^"]*)"`)

// stamp returns the stamp in the form of a job.
func (s *served) stamp(t *testing.T, id int) string {
	t.Helper()
	m := stampField.FindStringSubmatch(s.get(t, fmt.Sprintf("/desk/jobs/%d", id)))
	require.NotNil(t, m)
	return m[1]
}

func decision(stamp, state, step string, more ...string) url.Values {
	form := url.Values{"stamp": {stamp}, "decision": {state}, "by": {"佐藤"}, "note": {"管理画面で確認"}, "step": {step}}
	for i := 0; i < len(more); i += 2 {
		form.Set(more[i], more[i+1])
	}
	return form
}

func TestDecisionsAreConfirmedAndRecorded(t *testing.T) {
	t.Parallel()
	databases(t, func(t *testing.T, q queue) {
		m := newMonth(t, q)
		sent := len(m.gateway.Requests())
		s := serve(t, desk.Config{Queue: q})
		page := s.get(t, "/desk/")
		require.Contains(t, page, "10000003")
		require.Contains(t, page, "10000004")
		require.NotContains(t, page, "10000001", "is done")
		require.Contains(t, page, jpayment.OpReAuth.NextIfUnknown().Ja)
		require.Contains(t, page, "¥1,357,900")

		job := func(id int64) fulfilment.Job {
			jobs, err := q.Jobs(t.Context(), fulfilment.Filter{AfterID: id - 1, Limit: 1})
			require.NoError(t, err)
			return jobs[0]
		}
		// An incomplete decision is not recorded, and the page says why.
		stamp := s.stamp(t, 3)
		for why, form := range map[string]url.Values{
			"新しい決済番号を数字で":    decision(stamp, "done", ""),
			"元の決済番号とは異なります":  decision(stamp, "done", "record", "new_payment", "10000003"),
			"担当者名を入力してください":  decision(stamp, "refused", "record", "by", " "),
			"確認した結果を選んでください": decision(stamp, "", "record"),
			"メモは200バイト":      decision(stamp, "refused", "record", "note", strings.Repeat("確", 67)),
			"担当者名は200バイト":    decision(stamp, "refused", "record", "by", strings.Repeat("佐", 67)),
			"メモに制御文字があります":   decision(stamp, "refused", "record", "note", "a\x01b"),
		} {
			status, body, _ := s.call(t, http.MethodPost, "/desk/jobs/3", form)
			require.Equal(t, http.StatusUnprocessableEntity, status)
			require.Contains(t, body, why)
		}
		require.NotContains(t, s.cookies, "by", "nobody has decided yet")

		form := decision(stamp, "done", "", "new_payment", "１０００００１７")
		status, body, _ := s.call(t, http.MethodPost, "/desk/jobs/3", form)
		require.Equal(t, http.StatusOK, status)
		require.Contains(t, body, "新しい決済は 10000017 です")
		require.Equal(t, fulfilment.StateReview, job(3).State, "it is not confirmed yet")
		form.Set("step", "edit")
		_, body, _ = s.call(t, http.MethodPost, "/desk/jobs/3", form)
		require.Contains(t, body, `value="10000017"`)
		require.Contains(t, body, `value="管理画面で確認"`)
		require.Equal(t, fulfilment.StateReview, job(3).State)

		form.Set("step", "record")
		status, _, next := s.call(t, http.MethodPost, "/desk/jobs/3", form)
		require.Equal(t, http.StatusSeeOther, status)
		require.Equal(t, "/desk/jobs/3?recorded", next)
		require.Equal(t, fulfilment.StateDone, job(3).State)
		require.Equal(t, "10000017", job(3).NewPaymentID)
		require.Equal(t, "佐藤", job(3).DecidedBy)
		page = s.get(t, next)
		require.Contains(t, page, "記録しました")
		require.Contains(t, page, `href="/desk/jobs/4#decide"`)

		// The page remembers the name and does not accept a decision twice.
		require.Contains(t, s.get(t, "/desk/jobs/4"), `value="佐藤"`)
		status, body, _ = s.call(t, http.MethodPost, "/desk/jobs/3", form)
		require.Equal(t, http.StatusConflict, status)
		require.Contains(t, body, "ジョブの状態が変わった")

		status, _, _ = s.call(t, http.MethodPost, "/desk/jobs/4", decision(s.stamp(t, 4), "waiting", "record"))
		require.Equal(t, http.StatusSeeOther, status)
		require.Equal(t, fulfilment.StateWaiting, job(4).State)
		status, _, _ = s.call(t, http.MethodPost, "/desk/jobs/6", decision(s.stamp(t, 6), "refused", "record"))
		require.Equal(t, http.StatusSeeOther, status)
		require.Equal(t, fulfilment.StateRefused, job(6).State, "it is withdrawn")
		require.Contains(t, s.get(t, "/desk/"), "確認が必要なジョブはありません")
		require.Len(t, m.gateway.Requests(), sent, "the desk sends nothing")
	})
}

// If a kickback contradicts a verdict, a person confirms or changes it.
func TestDisputes(t *testing.T) {
	t.Parallel()
	databases(t, func(t *testing.T, q queue) {
		newMonth(t, q)
		_, err := q.Review(t.Context(), 4, fulfilment.Decision{State: fulfilment.StateRefused, By: "鈴木"})
		require.NoError(t, err)
		s := serve(t, desk.Config{Queue: q})
		stamp := s.stamp(t, 4)
		execute(t, q, `UPDATE jpayment.jpayment_job SET dispute_en = 'a kickback tells of the new payment 10000077',
			dispute_ja = '決済結果通知に、新しい決済 10000077 とあります', disputed_at = updated_at + 60000000 WHERE id = 4`)
		page := s.get(t, "/desk/")
		require.Contains(t, page, "要確認 <b>2</b>", "one in review, and one disputed")
		require.Contains(t, page, `<section class="case" id="job-4"`)
		for _, path := range []string{"/desk/", "/desk/jobs/4"} {
			page = s.get(t, path)
			require.Contains(t, page, "結果は「拒否」ですが、食い違いがあります: 決済結果通知に、新しい決済 10000077 とあります")
			require.Contains(t, page, `<span class="badge disputed">結果の食い違い</span>`)
		}
		require.Contains(t, s.get(t, "/desk/jobs"), `<span class="badge disputed">`)
		status, _, _ := s.call(t, http.MethodPost, "/desk/jobs/4", decision(stamp, "done", "record", "new_payment", "10000077"))
		require.Equal(t, http.StatusConflict, status, "the form is from before the dispute")
		status, body, _ := s.call(t, http.MethodPost, "/desk/jobs/4", decision(s.stamp(t, 4), "done", "record", "new_payment", "10000077"))
		require.Equal(t, http.StatusSeeOther, status, body)
		require.NotContains(t, s.get(t, "/desk/jobs/4"), "食い違い")
		require.Contains(t, s.get(t, "/desk/"), "要確認 <b>1</b>")
	})
}

// A decision can be corrected by another. Both stay visible.
func TestCorrections(t *testing.T) {
	t.Parallel()
	databases(t, func(t *testing.T, q queue) {
		newMonth(t, q)
		s := serve(t, desk.Config{Queue: q})
		status, _, _ := s.call(t, http.MethodPost, "/desk/jobs/4", decision(s.stamp(t, 4), "refused", "record"))
		require.Equal(t, http.StatusSeeOther, status)
		page := s.get(t, "/desk/jobs/4")
		require.Contains(t, page, "判断を訂正する")
		require.Contains(t, page, "以前の判断も記録に残ります")
		require.Equal(t, 1, strings.Count(page, "管理画面で確認</td>"))
		stamp := s.stamp(t, 4)
		status, body, _ := s.call(t, http.MethodPost, "/desk/jobs/4", decision(stamp, "done", "", "new_payment", "10000077", "by", "田中"))
		require.Equal(t, http.StatusOK, status)
		require.Contains(t, body, "直前の判断を訂正します")
		status, body, _ = s.call(t, http.MethodPost, "/desk/jobs/4", decision(stamp, "done", "record", "new_payment", "10000077", "by", "田中", "note", "後で見つかった"))
		require.Equal(t, http.StatusSeeOther, status, body)
		page = s.get(t, "/desk/jobs/4")
		first, second := strings.Index(page, ">佐藤</td>"), strings.Index(page, ">田中</td>")
		require.Positive(t, first)
		require.Greater(t, second, first, "in their order")
		require.Contains(t, page, "最後の判断が有効です")
		require.Contains(t, page, "後で見つかった")
		decided, err := q.Decisions(t.Context(), 4)
		require.NoError(t, err)
		require.Len(t, decided, 2)
		jobs, err := q.Jobs(t.Context(), fulfilment.Filter{AfterID: 3, Limit: 1})
		require.NoError(t, err)
		require.Equal(t, fulfilment.StateDone, jobs[0].State)
	})
}

// A job that waits for another links to it, and can be withdrawn as long as it cannot have
// been carried out.
func TestOrderOfAPayment(t *testing.T) {
	t.Parallel()
	databases(t, func(t *testing.T, q queue) {
		_, err := q.EnqueueAll(t.Context(), []fulfilment.Request{
			fulfilment.Sales("注文-1", jpayment.SalesRequest{PaymentID: "10000001"}),
			fulfilment.Cancel("注文-1", jpayment.CancelRequest{PaymentID: "10000001"}).InTurn(),
		})
		require.NoError(t, err)
		s := serve(t, desk.Config{Queue: q})
		page := s.get(t, "/desk/jobs/2")
		require.Contains(t, page, `<a id="after" href="/desk/jobs/1">ジョブ 1</a>`)
		require.Contains(t, page, fulfilment.ReasonAfter.Text().Ja)
		require.Equal(t, 2, strings.Count(s.get(t, "/desk/jobs?q=10000001"), `<tr id="job-`), "all of a payment are found")
		status, body, _ := s.call(t, http.MethodPost, "/desk/jobs/2", decision(s.stamp(t, 2), "refused", "record"))
		require.Equal(t, http.StatusSeeOther, status, body)

		// It can be withdrawn after an attempt that was refused, but not after an unknown one.
		for outcome, offered := range map[jpayment.Outcome]bool{jpayment.OutcomeNotSent: true, jpayment.OutcomeUnknown: false} {
			execute(t, q, "DELETE FROM jpayment.jpayment_attempt")
			execute(t, q, fmt.Sprintf(`INSERT INTO jpayment.jpayment_attempt (job_id, number, worker, started_at, ended_at, outcome, code, what_en, what_ja)
				VALUES (1, 1, 'w', 1, 2, '%s', '', '', '')`, outcome))
			execute(t, q, "UPDATE jpayment.jpayment_job SET attempts = 1 WHERE id = 1")
			require.Equal(t, offered, strings.Contains(s.get(t, "/desk/jobs/1"), "取り下げる"), "%v", outcome)
		}
	})
}

// The page says when a temporary pause ends. A lasting pause can replace it.
func TestMaintenance(t *testing.T) {
	t.Parallel()
	databases(t, func(t *testing.T, q queue) {
		execute(t, q, `INSERT INTO jpayment.jpayment_pause (store_id, paused_at, reason, code, why_en, why_ja, until)
			VALUES ('123456', 1795000000000000, 'maintenance', 'ER999', 'under maintenance', 'メンテナンス中', 4102444800000000)`)
		s := serve(t, desk.Config{Queue: q})
		for _, path := range []string{"/desk/", "/desk/progress"} {
			page := s.get(t, path)
			require.Contains(t, page, "自動再開日時")
			require.Contains(t, page, `<time datetime="2100-01-01T09:00:00&#43;09:00">`)
		}
		status, body, _ := s.call(t, http.MethodPost, "/desk/pause", url.Values{"by": {"佐藤"}, "why": {"棚卸し"}})
		require.Equal(t, http.StatusSeeOther, status, body)
		page := s.get(t, "/desk/progress")
		require.Contains(t, page, "佐藤: 棚卸し")
		require.NotContains(t, page, "自動再開日時")
		require.NotContains(t, page, `id="do-pause"`)
	})
}

// changing is a queue in which someone else decides just before a decision is recorded.
type changing struct {
	desk.Queue
	first fulfilment.Decision
}

func (c changing) Review(ctx context.Context, id int64, d fulfilment.Decision) (fulfilment.Job, error) {
	if _, err := c.Queue.Review(ctx, id, c.first); err != nil {
		return fulfilment.Job{}, err
	}
	return c.Queue.Review(ctx, id, d)
}

func TestJobThatChangedMeanwhile(t *testing.T) {
	t.Parallel()
	q := newMonth(t, newSQLite(t))
	s := serve(t, desk.Config{Queue: changing{q, fulfilment.Decision{State: fulfilment.StateRefused, By: "別の担当者"}}})
	stamp := s.stamp(t, 4)
	status, body, _ := s.call(t, http.MethodPost, "/desk/jobs/4", decision(stamp, "waiting", "record"))
	require.Equal(t, http.StatusSeeOther, status, "a refused job may be sent again: %s", body)
	status, body, _ = s.call(t, http.MethodPost, "/desk/jobs/3", decision(s.stamp(t, 3), "refused", "record"))
	require.Equal(t, http.StatusConflict, status)
	require.Contains(t, body, "ジョブの状態が変わった")
	require.Contains(t, body, "別の担当者")

	// An old form of a job that is in review again is refused.
	status, body, _ = s.call(t, http.MethodPost, "/desk/jobs/4", decision(stamp, "refused", "record"))
	require.Equal(t, http.StatusConflict, status)
	require.Contains(t, body, "ジョブの状態が変わった")
}

func TestPauseAndResume(t *testing.T) {
	t.Parallel()
	databases(t, func(t *testing.T, q queue) {
		s := serve(t, desk.Config{Queue: q})
		paused := func() *fulfilment.Pause {
			st, err := q.Status(t.Context(), "")
			require.NoError(t, err)
			return st.Paused
		}
		for why, form := range map[string]url.Values{
			"担当者名を入力してください": {"why": {"確認"}}, "理由を入力してください": {"by": {"佐藤"}, "why": {" "}},
			"理由が長すぎます": {"by": {"佐藤"}, "why": {strings.Repeat("長", 200)}},
		} {
			status, body, _ := s.call(t, http.MethodPost, "/desk/pause", form)
			require.Equal(t, http.StatusUnprocessableEntity, status)
			require.Contains(t, body, why)
		}
		require.Nil(t, paused())
		status, _, next := s.call(t, http.MethodPost, "/desk/pause", url.Values{"by": {"佐藤"}, "why": {"金額の確認"}})
		require.Equal(t, http.StatusSeeOther, status)
		require.Equal(t, "/desk/progress", next)
		require.Equal(t, "佐藤: 金額の確認", paused().Why.Ja)
		for _, path := range []string{"/desk/", "/desk/jobs", "/desk/progress"} {
			require.Contains(t, s.get(t, path), "佐藤: 金額の確認")
		}
		status, _, _ = s.call(t, http.MethodPost, "/desk/pause", url.Values{"by": {"鈴木"}, "why": {"別の理由"}})
		require.Equal(t, http.StatusConflict, status)

		since := fmt.Sprint(paused().At.UnixMicro())
		status, _, _ = s.call(t, http.MethodPost, "/desk/resume", url.Values{"since": {since}})
		require.Equal(t, http.StatusUnprocessableEntity, status, "the cause is not said to be gone")
		status, _, _ = s.call(t, http.MethodPost, "/desk/resume", url.Values{"since": {"1"}, "mended": {"1"}})
		require.Equal(t, http.StatusConflict, status, "it is another pause")
		require.NotNil(t, paused())
		status, _, _ = s.call(t, http.MethodPost, "/desk/resume", url.Values{"since": {since}, "mended": {"1"}})
		require.Equal(t, http.StatusSeeOther, status)
		require.Nil(t, paused())
	})
}

func TestSearch(t *testing.T) {
	t.Parallel()
	s := serve(t, desk.Config{Queue: newMonth(t, newSQLite(t))})
	for text, want := range map[string]string{
		"10000003": "job-3", "１００００００３": "job-3", "注文-1042": "job-2", " 注文-1042 ": "job-2",
	} {
		page := s.get(t, "/desk/jobs?q="+url.QueryEscape(text))
		require.Contains(t, page, `id="`+want+`"`, text)
		require.Equal(t, 1, strings.Count(page, `<tr id="job-`), text)
	}
	page := s.get(t, "/desk/jobs?q="+url.QueryEscape("注文"))
	require.Contains(t, page, "番号の全体を入力してください")
	require.Equal(t, 2, strings.Count(s.get(t, "/desk/jobs?state=refused"), `<tr id="job-`)+1, "job 5 alone")
}

var rows = regexp.MustCompile(`<tr id="job-(\d+)"`)

// Ten thousand jobs can be paged through from the newest to the oldest and back. None appears
// twice, none is missing, and each link says where it leads.
func TestPagesOfTenThousandJobs(t *testing.T) {
	t.Parallel()
	databases(t, func(t *testing.T, q queue) {
		const all = 10_000
		requests := make([]fulfilment.Request, all)
		for i := range requests {
			requests[i] = fulfilment.Sales(fmt.Sprint("order-", i), jpayment.SalesRequest{PaymentID: fmt.Sprint(20_000_001 + i)}).InBatch(fmt.Sprint("run-", i%3))
		}
		_, err := q.EnqueueAll(t.Context(), requests)
		require.NoError(t, err)
		s := serve(t, desk.Config{Queue: q})
		link := func(page, id string) (href string) {
			m := regexp.MustCompile(`id="` + id + `" href="([^"]*)"`).FindStringSubmatch(page)
			if m == nil {
				return ""
			}
			return strings.ReplaceAll(m[1], "&amp;", "&")
		}
		ids := func(page string) (ids []string) {
			for _, m := range rows.FindAllStringSubmatch(page, -1) {
				ids = append(ids, m[1])
			}
			return ids
		}
		page := s.get(t, "/desk/jobs")
		require.Contains(t, page, "1〜50件目（全10,000件）")
		require.Contains(t, page, "古いジョブ（51〜100件目）")
		require.Equal(t, "10000", ids(page)[0])
		require.Empty(t, link(page, "previous"))
		page = s.get(t, link(page, "next"))
		require.Equal(t, "9950", ids(page)[0])
		page = s.get(t, link(page, "next"))
		require.Contains(t, page, "101〜150件目（全10,000件）")
		require.Equal(t, "9900", ids(page)[0])
		page = s.get(t, link(page, "previous"))
		require.Contains(t, page, "51〜100件目（全10,000件）")
		require.Equal(t, "9950", ids(page)[0])
		require.Len(t, ids(page), 50)
		page = s.get(t, link(page, "oldest"))
		require.Contains(t, page, "9,951〜10,000件目（全10,000件）")
		require.Equal(t, "1", ids(page)[49])
		require.Empty(t, link(page, "next"))
		page = s.get(t, link(page, "previous"))
		require.Contains(t, page, "9,901〜9,950件目")
		require.Equal(t, "100", ids(page)[0])

		// The pages of a run, whose numbers have gaps, are consecutive too.
		seen, at := map[string]bool{}, "/desk/jobs?batch=run-1"
		for n := 0; at != ""; n++ {
			page = s.get(t, at)
			for _, id := range ids(page) {
				require.False(t, seen[id], id)
				seen[id] = true
			}
			at = link(page, "next")
		}
		require.Len(t, seen, 3333)
		require.Contains(t, s.get(t, "/desk/progress"), "0 / 3,334件 終了")
	})
}

// The charts count the state changes of the last day by hours in Japan.
func TestCharts(t *testing.T) {
	t.Parallel()
	s := serve(t, desk.Config{Queue: newMonth(t, newSQLite(t))})
	page := s.get(t, "/desk/progress")
	for _, want := range []string{`<svg viewBox="0 0 360 136"`, `aria-label="1時間ごとの確定件数: 完了 2, 拒否 1"`, `未判断 2, 判断済み 0`, `<rect class="done"`} {
		require.Contains(t, page, want)
	}
	later := serve(t, desk.Config{Queue: newMonth(t, newSQLite(t)), Now: func() time.Time { return time.Now().Add(25 * time.Hour) }})
	require.Contains(t, later.get(t, "/desk/progress"), `aria-label="1時間ごとの確定件数: 完了 0, 拒否 0"`)
}

// No page shows private data, whatever the result of a job.
func TestNoPrivateData(t *testing.T) {
	t.Parallel()
	m := newMonth(t, newSQLite(t))
	s := serve(t, desk.Config{Queue: m})
	done, err := m.Job(t.Context(), jpayment.OpSales, "10000001")
	require.NoError(t, err)
	approval := done.Result.ApprovalCode.Reveal()
	require.NotEmpty(t, approval)
	for _, path := range everyPage {
		page := s.get(t, path)
		for _, private := range []string{privateEmail, privatePhone, privateExtra, approval} {
			require.NotContains(t, page, private, path)
		}
	}
}

var everyPage = []string{
	"/desk/", "/desk/jobs", "/desk/jobs?state=done", "/desk/jobs?batch=run-5f1c2a9b03d7", "/desk/jobs?q=10000003", "/desk/jobs?q=0",
	"/desk/progress", "/desk/jobs/1", "/desk/jobs/2", "/desk/jobs/3", "/desk/jobs/4", "/desk/jobs/5", "/desk/jobs/6",
}

// Japanese pages have no English except names and codes. English pages have no Japanese except
// the merchant's own text.
func TestLanguages(t *testing.T) {
	t.Parallel()
	s := serve(t, desk.Config{Queue: newMonth(t, newSQLite(t))})
	text := regexp.MustCompile(`(?s)<code>.*?</code>|<style.*?</style>|<[^>]*>`)
	known := regexp.MustCompile(`JST|English|店舗ID|tid|ER\d+|G\d{4}G\d{6}|run-[0-9a-f]+|jobs\.db`)
	english := regexp.MustCompile(`[A-Za-z]{2,}`)
	japanese := regexp.MustCompile(`[\p{Hiragana}\p{Katakana}\p{Han}]+`)
	for _, path := range everyPage {
		require.Empty(t, english.FindAllString(known.ReplaceAllString(text.ReplaceAllString(s.get(t, path), " "), " "), -1), path)
	}
	busy := serve(t, desk.Config{Queue: busyStore(t)})
	for _, path := range []string{"/desk/", "/desk/jobs/701", "/desk/jobs/9993", "/desk/progress"} {
		require.Empty(t, english.FindAllString(known.ReplaceAllString(text.ReplaceAllString(busy.get(t, path), " "), " "), -1), path)
	}
	s.lang = "en"
	quoted := regexp.MustCompile(`注文-\d+|日本語|Japanese|（[^）]*）|[(（][^)）]*[)）]`)
	for _, path := range everyPage {
		require.Empty(t, japanese.FindAllString(quoted.ReplaceAllString(text.ReplaceAllString(s.get(t, path), " "), " "), -1), path)
	}
	given := serve(t, desk.Config{Queue: newSQLite(t), Language: "en"})
	require.Contains(t, given.get(t, "/desk/"), `<html lang="en">`, "--lang is before the browser's")
	_, _, next := given.call(t, http.MethodPost, "/desk/language", url.Values{"language": {"ja"}, "next": {"/desk/jobs?state=done"}})
	require.Equal(t, "/desk/jobs?state=done", next)
	require.Contains(t, given.get(t, "/desk/"), `<html lang="ja">`)
	_, _, next = given.call(t, http.MethodPost, "/desk/language", url.Values{"language": {"ja"}, "next": {`/desk/\\evil.example`}})
	require.Equal(t, "/desk/", next)
}

func TestGuard(t *testing.T) {
	t.Parallel()
	q := newSQLite(t)
	_, err := desk.Open(t.Context(), desk.Config{Listen: "0.0.0.0:0", Queue: q})
	require.ErrorContains(t, err, "token")
	s := serve(t, desk.Config{Queue: q})
	pause := url.Values{"by": {"x"}, "why": {"x"}}
	for name, c := range map[string]struct {
		header []string
		status int
	}{
		"a form from elsewhere":   {[]string{"Origin", "https://evil.example"}, 403},
		"as the browser tells it": {[]string{"Sec-Fetch-Site", "cross-site"}, 403},
		"a name that points here": {[]string{"Host", "evil.example"}, 403},
	} {
		status, _, _ := s.call(t, http.MethodPost, "/desk/pause", pause, c.header...)
		require.Equal(t, c.status, status, name)
	}
	st, err := q.Status(t.Context(), "")
	require.NoError(t, err)
	require.Nil(t, st.Paused)
	status, _, _ := s.call(t, http.MethodGet, "/desk/", nil, "Host", "evil.example")
	require.Equal(t, http.StatusForbidden, status)
	for _, path := range []string{"/desk/x", "/desk/jobs/0", "/desk/jobs/x", "/desk/jobs/99"} {
		status, body, _ := s.call(t, http.MethodGet, path, nil)
		require.Equal(t, http.StatusNotFound, status)
		require.Contains(t, body, "ページがありません")
	}

	beyond := serve(t, desk.Config{Queue: q, Listen: "0.0.0.0:0", Token: "a token of the test"})
	status, _, _ = beyond.call(t, http.MethodGet, "/desk/", nil)
	require.Equal(t, http.StatusUnauthorized, status)
	status, _, _ = beyond.call(t, http.MethodGet, "/desk/", nil, "Authorization", "Bearer a token of the test")
	require.Equal(t, http.StatusOK, status)
}

// broken is a queue whose database is gone.
type broken struct{ desk.Queue }

func (broken) Status(context.Context, string) (fulfilment.Status, error) {
	return fulfilment.Status{}, context.DeadlineExceeded
}

func TestDatabaseThatFails(t *testing.T) {
	t.Parallel()
	s := serve(t, desk.Config{Queue: broken{}})
	status, body, _ := s.call(t, http.MethodGet, "/desk/", nil)
	require.Equal(t, http.StatusInternalServerError, status)
	require.Contains(t, body, "表示できません")
}

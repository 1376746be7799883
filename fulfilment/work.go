package fulfilment

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"os"
	"time"

	"github.com/riverqueue/river"
	"golang.org/x/time/rate"

	"github.com/jpayment-go/jpayment"
)

// WorkerConfig configures the workers of a process. Zero fields take their defaults.
type WorkerConfig struct {
	// Concurrency is the maximum number of calls at the same time, from 1 to 64, each until its
	// answer is recorded. If the process is killed, up to that many outcomes are unknown. The
	// default is 8.
	Concurrency int
	// Rate is the maximum number of calls per second for the store, over all processes on this
	// database, which should agree on it. The default is 10, which is modest because the
	// gateway publishes no limit (docs/protocol.md, "HTTP"). rate.Inf removes the limit.
	Rate rate.Limit
	// CallTimeout bounds one attempt. It should be longer than the client's own timeout, by
	// default 60 seconds, since giving up early makes outcomes unknown. The default is 70
	// seconds. An attempt that has not ended after one and a half times CallTimeout counts as
	// interrupted.
	CallTimeout time.Duration
	// MaxReplays is the maximum number of times that an unknown Sales or Cancel is sent
	// again, 1 to 10. The default is 3.
	MaxReplays int
	// Witness is the path of a file, outside the database and its backups, in which the
	// worker records how far the database has come. If the database is older than that, a
	// backup was restored: the worker refuses to start, or stops, with [ErrRestored] until
	// [Queue.AfterRestore] is called. The default is none.
	Witness string
}

func (c WorkerConfig) withDefaults() (WorkerConfig, error) {
	var bad invalidFields
	if c.Concurrency < 0 || c.Concurrency > 64 {
		bad.add("Concurrency", notBetween(1, 64))
	}
	if c.Rate < 0 {
		bad.add("Rate", isNegative)
	}
	if c.CallTimeout < 0 {
		bad.add("CallTimeout", isNegative)
	}
	if c.MaxReplays < 0 || c.MaxReplays > 10 {
		bad.add("MaxReplays", notBetween(1, 10))
	}
	if err := bad.err("fulfilment.WorkerConfig", ""); err != nil {
		return c, err
	}
	if c.Concurrency == 0 {
		c.Concurrency = 8
	}
	if c.Rate == 0 {
		c.Rate = 10
	}
	if c.CallTimeout == 0 {
		c.CallTimeout = 70 * time.Second
	}
	if c.MaxReplays == 0 {
		c.MaxReplays = 3
	}
	return c, nil
}

// lease is how long an attempt may last before it counts as lost. It leaves time to record
// the answer, and for clocks that differ.
func (c WorkerConfig) lease() time.Duration { return c.CallTimeout + c.CallTimeout/2 }

// stranded is how long a job may be due without being sent before the sweep checks on it.
// Half of that may be spent waiting for the rate limit.
func (c WorkerConfig) stranded() time.Duration { return min(c.lease(), 10*time.Second) }

// Run works the jobs of the store until the context ends. It then lets the calls on their way
// finish, and returns nil. Any number of processes may call Run at the same time.
//
// The client should try each request once (a [jpayment.RetryPolicy] with MaxAttempts 1),
// because Run does the retrying and records each attempt. In production the client should
// have [jpayment.WithProductionOnly].
//
// Run returns an error at once if
//
//   - the configuration is invalid;
//   - the tables are not current: see [Queue.Migrate];
//   - the database was restored from a backup, which a running worker detects too: see
//     [WorkerConfig.Witness];
//   - the gateway sends for another store, or does not sign although [Config.KickbackWait] is
//     set. Run can check this only if the gateway has the Preview method of
//     [jpayment.Client].
//
// If an attempt cannot be recorded, its request is not sent. Each failure of the database is
// logged as an error, and [Queue.Health] reports it until it is over.
//
// With [Config.Meter] Run records these metrics, each with the attribute store_id:
//
//   - jpayment.fulfilment.attempts counts attempts by operation and outcome;
//   - jpayment.fulfilment.jobs counts jobs that become done, refused or in review, by
//     operation and state;
//   - jpayment.fulfilment.pauses counts pauses by operation;
//   - jpayment.fulfilment.database.errors counts failures of the database by step;
//   - jpayment.fulfilment.call.duration measures the calls, in seconds.
func (q *Queue[TTx]) Run(ctx context.Context, gateway jpayment.Gateway, cfg WorkerConfig) error {
	cfg, err := cfg.withDefaults()
	if err != nil {
		return err
	}
	if err := q.checkGateway(ctx, gateway); err != nil {
		return err
	}
	w := q.newWorker(ctx, gateway, cfg)
	// A context that has already ended is no error: the worker starts, and stops.
	if err := limited(context.WithoutCancel(ctx), w.start); err != nil {
		return err
	}
	workers := river.NewWorkers()
	if err := river.AddWorkerSafely(workers, w); err != nil {
		return err
	}
	client, err := river.NewClient(q.db.driver(), &river.Config{
		Queues:  map[string]river.QueueConfig{q.riverQueue(): {MaxWorkers: cfg.Concurrency}},
		Workers: workers,
		Schema:  q.db.schema(),
		Logger:  slog.New(quiet{q.log.Handler()}),
		// River runs a job again that it considers stuck. Running one twice does no harm here.
		JobTimeout:           cfg.lease(),
		RescueStuckJobsAfter: cfg.lease(),
		FetchCooldown:        fetchCooldown,
		Test:                 q.riverTime(),
	})
	if err != nil {
		return err
	}
	if err := client.Start(context.WithoutCancel(ctx)); err != nil {
		if hint := withHint(err); errors.As(hint, new(*problem)) {
			return hint
		}
		return &problem{what: jpayment.Text{En: "River does not start", Ja: "River を開始できません"}, next: nextDatabase, cause: failed(err), database: true}
	}
	stopped := w.sweepUntilStopped(ctx)
	// The calls on their way end within their timeout.
	ending, cancel := context.WithTimeout(context.WithoutCancel(ctx), cfg.lease())
	defer cancel()
	if err := client.Stop(ending); err != nil {
		stopped = errors.Join(stopped, err, client.StopAndCancel(context.WithoutCancel(ctx)))
	}
	return stopped
}

// start checks whether the worker may begin.
func (w *worker[TTx]) start(ctx context.Context) error {
	err := w.ready(ctx, w.db.session())
	if err == nil && w.onSettled != nil {
		err = w.store().hook(ctx)
	}
	if err = w.did(ctx, beginning, 0, err); err != nil {
		return err
	}
	return w.checkAge(ctx)
}

// checkGateway returns an error if the gateway sends for another store, or if its kickbacks
// could not be verified. A gateway without a Preview method passes.
func (q *Queue[TTx]) checkGateway(ctx context.Context, gateway jpayment.Gateway) error {
	var bad invalidFields
	if gateway == nil {
		bad.add("gateway", jpayment.Text{En: "is nil", Ja: "がnilです"})
		return bad.err("fulfilment.Run", "")
	}
	asked, ok := gateway.(interface {
		Preview(ctx context.Context, op jpayment.Operation, r jpayment.Request) (*http.Request, error)
	})
	if !ok {
		return nil
	}
	preview, err := asked.Preview(ctx, jpayment.OpReAuthByKickback, jpayment.ReAuthRequest{PaymentID: "1", Amount: 1})
	if err != nil {
		return err
	}
	body, err := io.ReadAll(preview.Body)
	if err != nil {
		return err
	}
	form, err := url.ParseQuery(string(body))
	if err != nil {
		return err
	}
	if form.Get("aid") != q.storeID {
		bad.add("gateway", jpayment.Text{
			En: "sends for another store than the queue's, so its jobs would be carried out there",
			Ja: "の店舗がキューの店舗と異なります。このままではジョブが別の店舗で処理されます",
		})
	}
	if q.kickbackWait > 0 && form.Get(signature) == "" {
		bad.add("gateway", jpayment.Text{
			En: "does not sign its requests, so no kickback could settle a job; with KickbackWait the client needs jpayment.WithKickbackKey",
			Ja: "がリクエストに署名しないため、決済結果通知でジョブを確定できません。KickbackWait を使う場合は、クライアントに jpayment.WithKickbackKey を指定してください",
		})
	}
	return bad.err("fulfilment.Run", "")
}

// signature is the parameter that carries a client's signature.
const signature = "jpk"

func (q *Queue[TTx]) newWorker(stop context.Context, gateway jpayment.Gateway, cfg WorkerConfig) *worker[TTx] {
	host, _ := os.Hostname() // only informative
	w := &worker[TTx]{
		Queue: q, gateway: gateway, cfg: cfg,
		name: fmt.Sprintf("%.100s:%d", host, os.Getpid()),
		stop: stop,
	}
	w.begins.run, w.ends.run = w.beginAll, w.endAll
	return w
}

// fetchCooldown is River's minimum time between two fetches. Its default of 100 milliseconds
// would limit a worker to ten times its concurrency per second.
const fetchCooldown = 5 * time.Millisecond

// worker works jobs in one process.
type worker[TTx any] struct {
	river.WorkerDefaults[args]
	*Queue[TTx]
	gateway jpayment.Gateway
	cfg     WorkerConfig
	name    string
	stop    context.Context //nolint:containedctx // It lives exactly as long as the worker.
	pacer   pacer
	begins  group[int64, begun]
	ends    group[ended, conclusion]
}

// Timeout bounds a job as River sees it.
func (w *worker[TTx]) Timeout(*river.Job[args]) time.Duration { return w.cfg.lease() }

// NextRetry is when River retries after a failure of the database before or after the attempt.
func (w *worker[TTx]) NextRetry(*river.Job[args]) time.Time { return w.now().Add(minBackOff) }

// Work carries out one job, if it is still waiting. It returns an error only if the database
// failed; River then retries.
func (w *worker[TTx]) Work(ctx context.Context, rj *river.Job[args]) error {
	// Waiting for a turn is not part of the attempt. If the turn is far off, River retries.
	if err := w.turn(ctx); err != nil {
		return err
	}
	b, err := w.begins.do(rj.Args.JobID)
	if err != nil || b.attempt == nil {
		return errors.Join(err, b.snooze)
	}
	// Neither River's timeout nor a cancellation of the River job interrupts a call, which has
	// its own timeout.
	ctx = context.WithoutCancel(ctx)
	return w.end(ctx, b.attempt, w.call(ctx, b.attempt))
}

// attempt is one attempt to send a job.
type attempt struct {
	job     Job
	request jpayment.Request
	history history
	began   time.Time
}

// begun is a recorded attempt, or nil if the job is not to be sent. If it is not to be sent
// yet, snooze is River's error for that.
type begun struct {
	attempt *attempt
	snooze  error
}

// beginAll records attempts before their requests leave.
func (w *worker[TTx]) beginAll(ids []int64) (all []begun, err error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(w.stop), w.cfg.lease())
	defer cancel()
	var news []Job
	err = w.transact(ctx, beginning, only(ids), func(tx TTx) error {
		all, news, err = w.beginTx(ctx, tx, ids)
		return err
	})
	if err == nil {
		w.concluded(ctx, news)
	}
	return all, err
}

// only returns the job if there is exactly one, and 0 otherwise.
func only(ids []int64) int64 {
	if len(ids) == 1 {
		return ids[0]
	}
	return 0
}

func (w *worker[TTx]) beginTx(ctx context.Context, tx TTx, ids []int64) ([]begun, []Job, error) {
	all, s := make([]begun, len(ids)), w.in(tx)
	g, err := s.gate(ctx)
	if err != nil {
		return nil, nil, err
	}
	if err := checkVersion(g.version); err != nil {
		return nil, nil, err
	}
	now := w.moment()
	if g.pause.holds(now) {
		for i := range all { // Not until the end of the pause, since it may end earlier.
			all[i].snooze = river.JobSnooze(pausedSnooze)
		}
		return all, nil, nil
	}
	locked, err := s.lockJobs(ctx, ids)
	if err != nil {
		return nil, nil, err
	}
	unknown, err := s.unknownAttempts(ctx, locked, 0)
	if err != nil {
		return nil, nil, err
	}
	var (
		lost, running []record
		attempts      []jobAttempt
	)
	of := make(map[int64]begun, len(locked))
	for _, r := range locked {
		switch {
		case r.State != StateWaiting || !r.holds: // Already running or settled: the River job is redundant.
			continue
		case !r.isDue(now):
			of[r.ID] = begun{snooze: river.JobSnooze(r.Due.Sub(now))}
			continue
		}
		h := w.history(r, r.Attempts+1, unknown[r.ID])
		if !h.mayBegin() {
			v := h.lost()
			lost = append(lost, r.after(v, w.due(v, now), now))
			continue
		}
		r = r.begun(w.cfg.lease(), now)
		request, err := requestOf(r)
		if err != nil {
			return nil, nil, err
		}
		running = append(running, r)
		attempts = append(attempts, jobAttempt{Attempt: Attempt{Number: r.Attempts, Worker: w.name, StartedAt: now}, jobID: r.ID})
		of[r.ID] = begun{attempt: &attempt{job: r.Job, request: request, history: h, began: now}}
	}
	for i, id := range ids {
		all[i] = of[id]
		delete(of, id) // The same ID may occur twice.
	}
	if len(attempts) > 0 {
		if err := s.insertAttempts(ctx, attempts); err != nil {
			return nil, nil, err
		}
		if err := s.beginJobs(ctx, running); err != nil {
			return nil, nil, err
		}
	}
	news, err := w.write(ctx, tx, lost...)
	return all, news, err
}

// pausedSnooze is how long a River job is postponed during a pause. River's own pause keeps
// others from being fetched.
const pausedSnooze = 5 * time.Second

// history returns the history of a job before an attempt. An attempt without an end counts as
// unknown.
func (w *worker[TTx]) history(r record, number, unknown int) history {
	return history{
		operation: r.Operation, attempts: number, unknown: unknown,
		notified: w.kickbackWait > 0, maxReplays: w.cfg.MaxReplays,
	}
}

// call sends the request.
func (w *worker[TTx]) call(ctx context.Context, a *attempt) (ans answer) {
	// The timeout counts from the recorded start: a process that was suspended in between must
	// not send a request that another process has given up.
	ctx, cancel := context.WithTimeout(ctx, w.cfg.CallTimeout-w.now().Sub(a.began))
	defer cancel()
	defer func() {
		// A panic leaves the outcome unknown, like any error that is not the client's.
		if p := recover(); p != nil {
			ans = answer{what: textf("the gateway panicked with a %T", "決済ゲートウェイの呼び出しでパニックが発生しました（%T）", p)}
		}
	}()
	res, err := send(ctx, w.gateway, a.request, a.history.notified)
	switch toCome := a.job.Operation == jpayment.OpReAuth && a.history.notified; {
	case err == nil && res == nil && !toCome:
		return answer{what: jpayment.Text{En: "the gateway returned neither a result nor an error", Ja: "決済ゲートウェイの呼び出しが結果もエラーも返しませんでした"}}
	case err == nil && res != nil && w.production && res.TestMode():
		return approvedTest(res)
	default:
		return answerOf(res, err)
	}
}

// ended is an attempt with its answer.
type ended struct {
	*attempt
	answer  answer
	verdict verdict
	at      time.Time
}

// conclusion is a job after its attempt, and the jobs settled with it.
type conclusion struct {
	job  Job
	news []Job
}

// end records the answer to an attempt and its verdict. It retries as long as the process
// lives, even if the attempt has been given up, since the outcome is otherwise unknown.
func (w *worker[TTx]) end(ctx context.Context, a *attempt, ans answer) error {
	e := ended{attempt: a, answer: ans, at: w.moment()}
	e.verdict = a.history.judge(ans, e.at)
	var (
		c    conclusion
		err  error
		kept bool
	)
	for try := 0; ; try++ {
		if c, err = w.ends.do(e); err == nil {
			break
		}
		if try == 0 {
			w.log.LogAttrs(ctx, slog.LevelError, "fulfilment: an answer is not recorded yet", w.recoverable(e)...)
		}
		switch hooked := errors.As(err, new(hookError)); {
		case hooked && kept:
			w.health.fails(toldOf(a.job.ID), jpayment.WhatOf(err), w.moment())
		case hooked:
			w.failsToTell(ctx, a.job.ID, err)
			// If the process ends, another one finds the answer.
			failed := w.transact(ctx, ending, a.job.ID, func(tx TTx) (err error) {
				kept, err = w.keep(ctx, tx, e)
				return err
			})
			kept = kept && failed == nil
		}
		// A stop waits for this, but not indefinitely.
		if wait := min(500*time.Millisecond<<min(try, 4), 5*time.Second); !w.wait(ctx, wait, a) {
			if kept {
				return nil
			}
			w.log.LogAttrs(ctx, slog.LevelError, "fulfilment: an answer was never recorded", w.recoverable(e)...)
			return &problem{
				what: textf("the answer to attempt %[2]d of job %[1]d could not be recorded, so its outcome counts as unknown",
					"ジョブ %d の %d 回目の送信の結果を記録できなかったため、結果不明として扱います", a.job.ID, a.job.Attempts),
				next:  nextDatabase,
				cause: err,
			}
		}
	}
	w.concluded(ctx, c.news)
	w.report(ctx, a, c.job, e.verdict, ans, e.at)
	return nil
}

// wait waits before the next try. It reports false if the worker has been told to stop and
// the attempt's lease is over.
func (w *worker[TTx]) wait(ctx context.Context, d time.Duration, a *attempt) bool {
	if w.stop.Err() != nil && w.now().Sub(a.began) > w.cfg.lease() {
		return false
	}
	select {
	case <-time.After(d):
	case <-ctx.Done():
	}
	return true
}

// recoverable returns what a person needs to make up for a missing record.
func (w *worker[TTx]) recoverable(e ended) []slog.Attr {
	record := []slog.Attr{
		slog.Any("job", e.job), slog.Int("attempt", e.job.Attempts),
		slog.String("outcome", e.answer.outcome.String()), slog.String("code", string(e.answer.code)),
	}
	if e.answer.result != nil && e.job.Operation == jpayment.OpReAuth {
		record = append(record, slog.String("new_payment_id", e.answer.result.PaymentID))
	}
	return record
}

// keep stores the answer for the process that concludes the job, unless the attempt has been
// given up: the job may already have been sent again.
func (w *worker[TTx]) keep(ctx context.Context, tx TTx, e ended) (kept bool, err error) {
	r, err := w.in(tx).lockJob(ctx, e.job.ID)
	if err != nil || r.State != StateRunning || r.Attempts != e.job.Attempts {
		return false, err
	}
	text, err := e.answer.marshal()
	if err != nil {
		return false, err
	}
	return true, w.in(tx).endAttempts(ctx, []jobAttempt{e.ended(text)})
}

// ended returns the attempt for the record.
func (e ended) ended(answer string) jobAttempt {
	return jobAttempt{
		Attempt: Attempt{Number: e.job.Attempts, EndedAt: e.at, Outcome: e.answer.outcome, Code: e.answer.code, What: e.answer.what},
		jobID:   e.job.ID, answer: answer,
	}
}

func (w *worker[TTx]) endAll(all []ended) (cs []conclusion, err error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(w.stop), w.cfg.lease())
	defer cancel()
	ids := make([]int64, len(all))
	for i, e := range all {
		ids[i] = e.job.ID
	}
	err = w.transact(ctx, ending, only(ids), func(tx TTx) error {
		cs, err = w.endTx(ctx, tx, ids, all)
		return err
	})
	return cs, err
}

// endTx locks the jobs before it changes the attempts. All transactions use that order, to
// avoid deadlocks.
func (w *worker[TTx]) endTx(ctx context.Context, tx TTx, ids []int64, all []ended) ([]conclusion, error) {
	s := w.in(tx)
	locked, err := s.lockJobs(ctx, ids)
	if err != nil {
		return nil, err
	}
	of := make(map[int64]record, len(locked))
	for _, r := range locked {
		of[r.ID] = r
	}
	var (
		cs       = make([]conclusion, len(all))
		attempts = make([]jobAttempt, len(all))
		takes    = map[int64]bool{}
		now      = w.moment()
	)
	for i, e := range all {
		r, there := of[e.job.ID]
		if !there {
			return nil, ErrNoJob
		}
		v, ok := r.takes(e.verdict, e.answer, e.job.Attempts)
		if ok && v.reason == ReasonContradicted {
			e.answer.what = joined(e.answer.what, textf("a kickback had reported the new payment %s", "先に届いた決済結果通知によれば、新しい決済は %s です", r.NewPaymentID))
		}
		attempts[i] = e.ended("")
		due := w.due(v, now)
		if ok {
			of[r.ID], takes[r.ID] = r.after(v, due, now), true
		}
		if e.verdict.pause {
			if err := w.pauseTx(ctx, tx, e.verdict.pauseAt(now, due)); err != nil {
				return nil, err
			}
		}
	}
	if err := s.endAttempts(ctx, attempts); err != nil {
		return nil, err
	}
	if err := w.resolve(ctx, s, of, takes, now); err != nil {
		return nil, err
	}
	var changed []record
	for _, r := range locked {
		if takes[r.ID] {
			changed = append(changed, of[r.ID])
		}
	}
	for i, e := range all {
		cs[i].job = of[e.job.ID].Job
	}
	news, err := w.write(ctx, tx, changed...)
	if len(cs) > 0 {
		cs[0].news = news // One conclusion reports them all.
	}
	return cs, err
}

// resolve refuses jobs that were in review only because of an earlier unknown attempt, if the
// answer to that attempt has arrived after all.
func (w *worker[TTx]) resolve(ctx context.Context, s store, of map[int64]record, takes map[int64]bool, now time.Time) error {
	var doubtful []record
	for _, r := range of {
		if r.State == StateReview && r.Reason == ReasonReplayRefused {
			doubtful = append(doubtful, r)
		}
	}
	if len(doubtful) == 0 {
		return nil
	}
	unknown, err := s.unknownAttempts(ctx, doubtful, 0)
	for _, r := range doubtful {
		if err == nil && unknown[r.ID] == 0 {
			of[r.ID], takes[r.ID] = r.after(verdict{state: StateRefused, reason: ReasonCode, code: r.Code}, time.Time{}, now), true
		}
	}
	return err
}

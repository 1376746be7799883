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
	"sync/atomic"
	"time"

	"github.com/riverqueue/river"
	"golang.org/x/time/rate"

	"github.com/jpayment-go/jpayment"
)

// WorkerConfig is how a process works. Zero fields take their defaults.
type WorkerConfig struct {
	// Concurrency is how many calls are on their way at once, 1 to 64. The default is 8.
	Concurrency int
	// Rate bounds the calls per second. The default is 10: the gateway publishes no limit
	// (field notes), so it is modest. rate.Inf lifts it.
	Rate rate.Limit
	// CallTimeout bounds one attempt, and should be longer than the client's own time-out,
	// which is 60 seconds by default: whoever stops waiting early makes an outcome unknown
	// that was about to be known. The default is 70 seconds. An attempt that has not
	// ended after half as long again was its process's last.
	CallTimeout time.Duration
	// MaxReplays is how often an unknown Sales or Cancel is sent again, 1 to 10. The
	// default is 3.
	MaxReplays int
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

// lease is how long an attempt may stand without an end before it counts as lost. It
// leaves time for writing the end down, and for clocks that differ.
func (c WorkerConfig) lease() time.Duration { return c.CallTimeout + c.CallTimeout/2 }

// stranded is how long River may hold a job of which no attempt begins. Half of it may be
// spent on waiting for the rate.
func (c WorkerConfig) stranded() time.Duration { return min(c.lease(), 10*time.Second) }

// Run works the jobs of the store until the context ends, and then lets the calls on their
// way finish and returns nil. Any number of processes may run at once, their clocks
// agreeing within a few seconds.
//
// The gateway's client should try each request once (a [jpayment.RetryPolicy] with
// MaxAttempts 1): trying again is done here, where it is written down. In production it
// should have [jpayment.WithProductionOnly].
//
// With [Config.Meter] it counts attempts by operation and outcome
// (jpayment.fulfilment.attempts), jobs by operation and the state they came to
// (jpayment.fulfilment.jobs), pauses (jpayment.fulfilment.pauses) and failures of the
// database by what was being done (jpayment.fulfilment.database.errors), and measures the
// calls (jpayment.fulfilment.call.duration, seconds), each for its store (store_id).
//
// What the database does not take is not sent. Each failure of it is logged as an error, and
// [Queue.Health] tells of it until it is over.
//
// It refuses a gateway that sends for another store, and with [Config.KickbackWait] one that
// does not sign, if the gateway has the Preview method of [jpayment.Client] to be asked by.
func (q *Queue[TTx]) Run(ctx context.Context, gateway jpayment.Gateway, cfg WorkerConfig) error {
	cfg, err := cfg.withDefaults()
	if err != nil {
		return err
	}
	if err := q.checkGateway(ctx, gateway); err != nil {
		return err
	}
	w := q.newWorker(ctx, gateway, cfg)
	workers := river.NewWorkers()
	if err := river.AddWorkerSafely(workers, w); err != nil {
		return err
	}
	client, err := river.NewClient(q.db.driver(), &river.Config{
		Queues:  map[string]river.QueueConfig{q.riverQueue(): {MaxWorkers: cfg.Concurrency}},
		Workers: workers,
		Schema:  q.db.schema(),
		Logger:  slog.New(quiet{q.log.Handler()}),
		// River's own idea of a job that is stuck. To run one twice does no harm here.
		JobTimeout:           cfg.lease(),
		RescueStuckJobsAfter: cfg.lease(),
		FetchCooldown:        fetchCooldown,
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
	w.sweepUntilStopped(ctx)
	// The calls on their way end by themselves within their time-out.
	ending, cancel := context.WithTimeout(context.WithoutCancel(ctx), cfg.lease())
	defer cancel()
	if err := client.Stop(ending); err != nil {
		return errors.Join(err, client.StopAndCancel(context.WithoutCancel(ctx)))
	}
	return nil
}

// checkGateway finds out, before any job does, that a gateway sends for another store, or
// that its kickbacks could not be proved. A gateway that cannot be asked passes.
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
			En: "sends for another store than the queue's: its jobs would be carried out there",
			Ja: "がキューとは別の店舗に送信します。ジョブが別の店舗で処理されてしまいます",
		})
	}
	if q.kickbackWait > 0 && form.Get(signature) == "" {
		bad.add("gateway", jpayment.Text{
			En: "does not sign its requests, so no kickback could settle a job; with KickbackWait give the client jpayment.WithKickbackKey",
			Ja: "がリクエストに署名しないため、決済結果通知でジョブを確定できません。KickbackWait を使う場合は、クライアントに jpayment.WithKickbackKey を指定してください",
		})
	}
	return bad.err("fulfilment.Run", "")
}

// signature is the parameter by which a client signs a request.
const signature = "jpk"

func (q *Queue[TTx]) newWorker(stop context.Context, gateway jpayment.Gateway, cfg WorkerConfig) *worker[TTx] {
	host, _ := os.Hostname() // for people to read
	return &worker[TTx]{
		Queue: q, gateway: gateway, cfg: cfg,
		name:    fmt.Sprintf("%.100s:%d", host, os.Getpid()),
		limiter: rate.NewLimiter(cfg.Rate, 1),
		stop:    stop,
	}
}

// fetchCooldown is how long River waits between two looks for jobs. Its default of 100
// milliseconds would bound a worker to ten times its concurrency per second.
const fetchCooldown = 20 * time.Millisecond

// worker works jobs in one process.
type worker[TTx any] struct {
	river.WorkerDefaults[args]
	*Queue[TTx]
	gateway jpayment.Gateway
	cfg     WorkerConfig
	name    string
	limiter *rate.Limiter
	stop    context.Context //nolint:containedctx // It lives as long as the worker: its end is the worker's.
	closed  atomic.Int64    // until when the gateway is under maintenance, in microseconds
}

// Timeout bounds a job as River sees it.
func (w *worker[TTx]) Timeout(*river.Job[args]) time.Duration { return w.cfg.lease() }

// NextRetry is for what failed before or after the attempt: the database.
func (w *worker[TTx]) NextRetry(*river.Job[args]) time.Time { return w.now().Add(minBackOff) }

// Work carries out one job, if it is still to be done. It returns an error only if the
// database failed; then River comes again.
func (w *worker[TTx]) Work(ctx context.Context, rj *river.Job[args]) error {
	if until := fromMicros(w.closed.Load()); until.After(w.now()) {
		return river.JobSnooze(until.Sub(w.now()))
	}
	// Waiting for its turn is not a part of the attempt. One that is far off is not waited
	// for.
	turn, cancel := context.WithTimeout(ctx, w.cfg.stranded()/2)
	defer cancel()
	defer context.AfterFunc(w.stop, cancel)()
	if err := w.limiter.Wait(turn); err != nil || w.stop.Err() != nil {
		return river.JobSnooze(w.cfg.stranded() / 2)
	}
	a, err := w.begin(ctx, rj.Args.JobID)
	if err != nil || a == nil {
		return err
	}
	// What River thinks of the job's time, or an operator of River's job, does not cut a
	// call short, which has a time-out of its own.
	ctx = context.WithoutCancel(ctx)
	return w.end(ctx, a, w.call(ctx, a))
}

// attempt is one try to send a job.
type attempt struct {
	job     Job
	request jpayment.Request
	history history
	began   time.Time
}

// begin writes an attempt down before its request leaves. It returns nil if the job is not
// to be sent, or an error that is River's snooze if not yet.
func (w *worker[TTx]) begin(ctx context.Context, id int64) (a *attempt, err error) {
	err = w.transact(ctx, beginning, id, func(tx TTx) error {
		a, err = w.beginTx(ctx, tx, id)
		return err
	})
	if err != nil {
		return nil, err
	}
	return a, nil
}

func (w *worker[TTx]) beginTx(ctx context.Context, tx TTx, id int64) (*attempt, error) {
	s := w.in(tx)
	if p, err := s.pause(ctx); err != nil {
		return nil, err
	} else if p != nil {
		return nil, river.JobSnooze(pausedSnooze)
	}
	r, err := s.lockJob(ctx, id)
	now := w.moment()
	switch {
	case errors.Is(err, ErrNoJob), err == nil && r.State != StateWaiting:
		return nil, nil // It is somebody else's, or settled: this River job was one too many.
	case err != nil:
		return nil, err
	case !r.isDue(now):
		return nil, river.JobSnooze(r.Due.Sub(now))
	}
	h, err := w.history(ctx, s, r, r.Attempts+1)
	if err != nil {
		return nil, err
	}
	if !h.mayBegin() {
		_, err := w.conclude(ctx, tx, r, h.lost())
		return nil, err
	}
	r = r.begun(w.cfg.lease(), now)
	request, err := requestOf(r)
	if err != nil {
		return nil, err
	}
	if err := s.updateJob(ctx, r); err != nil {
		return nil, err
	}
	err = s.insertAttempt(ctx, r.ID, Attempt{Number: r.Attempts, Worker: w.name, StartedAt: now})
	return &attempt{job: r.Job, request: request, history: h, began: now}, err
}

// pausedSnooze is how long a River job is put off in a pause. River's own pause keeps others
// from being fetched.
const pausedSnooze = 5 * time.Second

// history reads what came before an attempt of the job. An attempt without an end counts as
// unknown.
func (w *worker[TTx]) history(ctx context.Context, s store, r record, number int) (history, error) {
	unknown, err := s.unknownAttempts(ctx, r.ID, r.reviewed, number)
	return history{
		operation: r.Operation, attempts: number, unknown: unknown,
		byKickback: w.kickbackWait > 0, maxReplays: w.cfg.MaxReplays,
	}, err
}

// call sends the request.
func (w *worker[TTx]) call(ctx context.Context, a *attempt) (ans answer) {
	// From the beginning, not from now: a process that was suspended in between must not
	// send what another has given up.
	ctx, cancel := context.WithDeadline(ctx, a.began.Add(w.cfg.CallTimeout))
	defer cancel()
	defer func() {
		// A panic of the gateway's leaves the outcome unknown, as any error does that is
		// not the client's.
		if p := recover(); p != nil {
			ans = answer{what: textf("the gateway panicked with a %T", "ゲートウェイの呼び出しがパニックを起こしました（%T）", p)}
		}
	}()
	res, err := send(ctx, w.gateway, a.request, a.history.byKickback)
	switch toCome := a.job.Operation == jpayment.OpReAuth && a.history.byKickback; {
	case err == nil && res == nil && !toCome:
		return answer{what: jpayment.Text{En: "the gateway returned neither a result nor an error", Ja: "ゲートウェイの呼び出しが結果もエラーも返しませんでした"}}
	case err == nil && res != nil && w.production && res.TestMode():
		return approvedTest(res)
	default:
		return answerOf(res, err)
	}
}

// end writes down what came of an attempt, and what follows for its job.
func (w *worker[TTx]) end(ctx context.Context, a *attempt, ans answer) error {
	ended := w.moment()
	v := a.history.judge(ans, ended)
	if v.reason == ReasonMaintenance {
		w.closed.Store(micros(w.due(v, ended)))
	}
	// Without this record the outcome is unknown, so it is tried for long, and even if the
	// job was given up meanwhile: a late success counts.
	ctx, cancel := context.WithTimeout(ctx, w.cfg.lease())
	defer cancel()
	var (
		job     Job
		changed bool
	)
	for {
		err := w.transact(ctx, ending, a.job.ID, func(tx TTx) (err error) {
			job, changed, err = w.endTx(ctx, tx, a, ans, v)
			return err
		})
		if err == nil {
			break
		}
		select {
		case <-time.After(500 * time.Millisecond):
		case <-ctx.Done():
			return &problem{
				what: textf("the end of attempt %[2]d of job %[1]d could not be written down, so its outcome counts as unknown",
					"ジョブ %d の %d 回目の送信の結果を記録できなかったため、結果不明として扱います", a.job.ID, a.job.Attempts),
				next:  nextDatabase,
				cause: err,
			}
		}
	}
	if changed {
		w.meters.concluded(ctx, job)
	}
	w.report(ctx, a, job, v, ans, ended)
	return nil
}

// endTx locks the job before it changes the attempt, as all do: two orders would be a
// deadlock.
func (w *worker[TTx]) endTx(ctx context.Context, tx TTx, a *attempt, ans answer, v verdict) (job Job, changed bool, err error) {
	s := w.in(tx)
	r, err := s.lockJob(ctx, a.job.ID)
	if err != nil {
		return r.Job, false, err
	}
	follows, changed := r.takes(v, ans, a.job.Attempts)
	what := ans.what
	if changed && follows.reason == ReasonContradicted {
		what = joined(what, textf("a kickback had told of the new payment %s", "決済結果通知には、新しい決済 %s とありました", r.NewPaymentID))
	}
	err = s.endAttempt(ctx, r.ID, Attempt{Number: a.job.Attempts, EndedAt: w.moment(), Outcome: ans.outcome, Code: ans.code, What: what})
	if err != nil {
		return r.Job, false, err
	}
	if changed {
		r, err = w.conclude(ctx, tx, r, follows)
	}
	if err == nil && v.pause {
		err = w.pauseTx(ctx, tx, v.pauseAt(w.moment()))
	}
	return r.Job, changed, err
}

// conclude writes down what becomes of a job, which is locked, by a verdict.
func (q *Queue[TTx]) conclude(ctx context.Context, tx TTx, r record, v verdict) (record, error) {
	now := q.moment()
	r = r.after(v, q.due(v, now), now)
	return r, q.write(ctx, tx, r)
}

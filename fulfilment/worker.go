package fulfilment

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"sync/atomic"
	"time"

	"github.com/riverqueue/river"
	"github.com/riverqueue/river/rivertype"
	"golang.org/x/time/rate"

	"github.com/jpayment-go/jpayment"
)

// WorkerConfig is how a process works. Of the zero value every field has its default.
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
	var faults []jpayment.Fault
	check := func(ok bool, field, reason string) {
		if !ok {
			faults = append(faults, jpayment.Fault{Field: field, Reason: reason})
		}
	}
	check(c.Concurrency >= 0 && c.Concurrency <= 64, "Concurrency", "is not between 1 and 64")
	check(c.Rate >= 0, "Rate", "is negative")
	check(c.CallTimeout >= 0, "CallTimeout", "is negative")
	check(c.MaxReplays >= 0 && c.MaxReplays <= 10, "MaxReplays", "is not between 1 and 10")
	if len(faults) > 0 {
		return c, invalidConfig("WorkerConfig", faults...)
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
// (jpayment.fulfilment.jobs) and pauses (jpayment.fulfilment.pauses), and measures the
// calls (jpayment.fulfilment.call.duration, seconds).
func (q *Queue[TTx]) Run(ctx context.Context, gateway jpayment.Gateway, cfg WorkerConfig) error {
	cfg, err := cfg.withDefaults()
	if err != nil {
		return err
	}
	if gateway == nil {
		return invalidConfig("Run", jpayment.Fault{Field: "gateway", Reason: "is nil"})
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
		return fmt.Errorf("fulfilment: starting River: %w", err)
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
	body    body
	history history
	began   time.Time

	result *jpayment.Result
}

// begin writes an attempt down before its request leaves. It returns nil if the job is not
// to be sent, or an error that is River's snooze if not yet.
func (w *worker[TTx]) begin(ctx context.Context, id int64) (a *attempt, err error) {
	err = w.db.transact(ctx, func(tx TTx) error {
		a, err = w.beginTx(ctx, tx, id)
		return err
	})
	if err != nil {
		return nil, err
	}
	return a, nil
}

func (w *worker[TTx]) beginTx(ctx context.Context, tx TTx, id int64) (*attempt, error) {
	s := w.db.in(tx)
	if p, err := w.paused(ctx, s); err != nil {
		return nil, err
	} else if p != nil {
		return nil, river.JobSnooze(pausedSnooze)
	}
	now := w.now()
	var private string
	// Who changes the row first has the job; nobody else's statement finds it waiting.
	job, found, err := first(ctx, s, func(rs rows) (Job, error) { return scanJob(alsoInto{rs, &private}) },
		`UPDATE jpayment_job SET state = $1, attempts = attempts + 1, due = $2, updated_at = $3
		WHERE id = $4 AND store_id = $5 AND state = 'waiting' AND due <= $6 RETURNING `+jobColumns+`, private`,
		string(StateRunning), micros(now.Add(w.cfg.lease())), micros(now), id, w.storeID, micros(now.Add(clockSkew)))
	if err != nil {
		return nil, err
	}
	if !found {
		return nil, w.whyNot(ctx, s, id)
	}
	h, err := w.history(ctx, s, job)
	if err != nil {
		return nil, err
	}
	if job.Operation == jpayment.OpReAuth && h.unknown > 0 {
		// Nothing leads here. Should something one day, no second request leaves.
		_, err := w.conclude(ctx, tx, job, h.lost(), nil)
		return nil, err
	}
	p, err := unmarshalPrivate(private)
	if err != nil {
		return nil, err
	}
	_, err = s.exec(ctx, `INSERT INTO jpayment_attempt (job_id, number, worker, started_at) VALUES ($1, $2, $3, $4)`, id, job.Attempts, w.name, micros(now))
	return &attempt{
		job: job, history: h, began: now,
		body: body{PaymentID: job.PaymentID, Amount: job.Amount, Tax: job.Tax, Shipping: job.Shipping, private: &p},
	}, err
}

const (
	clockSkew    = time.Second
	pausedSnooze = 5 * time.Second // River's own pause keeps others from being fetched.
)

// whyNot tells what to do with River's job for one of ours that is not to be sent now.
func (w *worker[TTx]) whyNot(ctx context.Context, s session, id int64) error {
	due, waits, err := first(ctx, s, scanInt, `SELECT due FROM jpayment_job WHERE id = $1 AND store_id = $2 AND state = 'waiting'`, id, w.storeID)
	if err != nil || !waits {
		return err // It is somebody else's, or settled: this River job was one too many.
	}
	return river.JobSnooze(max(fromMicros(due).Sub(w.now()), 0))
}

// alsoInto scans one column more.
type alsoInto struct {
	rows
	more *string
}

func (a alsoInto) Scan(into ...any) error { return a.rows.Scan(append(into, a.more)...) }

// history reads what came before the job's last attempt. An attempt without an end counts
// as unknown.
func (w *worker[TTx]) history(ctx context.Context, s session, job Job) (history, error) {
	unknown, _, err := first(ctx, s, scanInt, `SELECT COUNT(*) FROM jpayment_attempt
		WHERE job_id = $1 AND number < $2 AND outcome = 'unknown' AND number > (SELECT reviewed FROM jpayment_job WHERE id = $1)`, job.ID, job.Attempts)
	return history{
		operation: job.Operation, attempts: job.Attempts, unknown: int(unknown),
		byKickback: w.kickbackWait > 0, maxReplays: w.cfg.MaxReplays,
	}, err
}

// call sends the request.
func (w *worker[TTx]) call(ctx context.Context, a *attempt) (err error) {
	// From the beginning, not from now: a process that was suspended in between must not
	// send what another has given up.
	ctx, cancel := context.WithDeadline(ctx, a.began.Add(w.cfg.CallTimeout))
	defer cancel()
	defer func() {
		// A panic of the gateway's leaves the outcome unknown, as any error does that is
		// not the client's.
		if p := recover(); p != nil {
			err = fmt.Errorf("fulfilment: the gateway panicked with a %T", p)
		}
	}()
	a.result, err = a.body.send(ctx, w.gateway, a.job.Operation, a.history.byKickback)
	if toCome := a.job.Operation == jpayment.OpReAuth && a.history.byKickback; err == nil && a.result == nil && !toCome {
		err = errors.New("fulfilment: the gateway returned neither a result nor an error")
	}
	if err == nil {
		err = w.testMode(a.job, a.result)
	}
	return err
}

// end writes down what came of an attempt, and what follows for its job.
func (w *worker[TTx]) end(ctx context.Context, a *attempt, callErr error) error {
	now := w.now()
	v := a.history.judge(callErr, now)
	if v.reason == ReasonMaintenance {
		w.closed.Store(micros(now.Add(w.pace(v.wait))))
	}
	// Without this record the outcome is unknown, so it is tried for long, and even if the
	// job was given up meanwhile: a late success counts.
	ctx, cancel := context.WithTimeout(ctx, w.cfg.lease())
	defer cancel()
	var job Job
	for {
		err := w.db.transact(ctx, func(tx TTx) error {
			after := a.job
			after.Code, after.Result = codeOf(callErr), a.result
			var err error
			// The job before the attempt, as everywhere: two orders would be a deadlock.
			if job, err = w.conclude(ctx, tx, after, v, callErr); err != nil {
				return err
			}
			return w.closeAttempt(ctx, w.db.in(tx), a, callErr)
		})
		if err == nil {
			break
		}
		w.log.LogAttrs(ctx, slog.LevelError, "fulfilment: an attempt's end is not written down yet", slog.Any("job", a.job), slog.String("error", fmt.Sprintf("%T", err)))
		select {
		case <-time.After(500 * time.Millisecond):
		case <-ctx.Done():
			return fmt.Errorf("fulfilment: job %d: the end of attempt %d could not be written down, so its outcome counts as unknown: %w", a.job.ID, a.job.Attempts, err)
		}
	}
	w.report(ctx, a, job, v, callErr, now)
	return nil
}

func (w *worker[TTx]) closeAttempt(ctx context.Context, s session, a *attempt, callErr error) error {
	_, err := s.exec(ctx, `UPDATE jpayment_attempt SET ended_at = $1, outcome = $2, code = $3, what = $4 WHERE job_id = $5 AND number = $6`,
		micros(w.now()), jpayment.OutcomeOf(callErr).String(), string(codeOf(callErr)), describe(callErr), a.job.ID, a.job.Attempts)
	return err
}

// conclude writes a verdict down for a job, as its last attempt left it. If something else
// has settled or taken the job over meanwhile, a late success still counts, even over a
// person's word, and nothing else does. It returns the job as it is then.
func (q *Queue[TTx]) conclude(ctx context.Context, tx TTx, job Job, v verdict, cause error) (Job, error) {
	s, now := q.db.in(tx), q.now()
	due := now.Add(q.pace(v.wait))
	if v.state == StateAwaiting {
		due = now.Add(q.kickbackWait)
	}
	result, err := marshalResult(job.Result)
	if err != nil {
		return job, err
	}
	if job.Result != nil && job.Operation == jpayment.OpReAuth {
		job.NewPaymentID = job.Result.PaymentID
	}
	where := `state = 'running' AND attempts = $9`
	if v.state == StateDone {
		where = `((` + where + `) OR state IN ('waiting', 'running', 'awaiting-kickback', 'review') OR state = 'refused' AND reason = 'decided')`
	}
	changed, err := s.exec(ctx, `UPDATE jpayment_job SET state = $1, reason = $2, code = $3, result = $4, new_payment_id = $5, due = $6, updated_at = $7,
		private = CASE private WHEN 'forgotten' THEN '' ELSE private END WHERE id = $8 AND `+where,
		string(v.state), string(v.reason), string(job.Code), result, job.NewPaymentID, micros(due), micros(now), job.ID, job.Attempts)
	if err != nil {
		return job, err
	}
	if changed > 0 && v.state == StateWaiting {
		at := due
		if !due.After(now) {
			at = time.Time{} // River takes its time over a time, even over one that has passed.
		}
		if err := q.ask(ctx, tx, at, job.ID); err != nil {
			return job, err
		}
	}
	if v.pause {
		if err := q.pauseTx(ctx, tx, job.Code, describe(cause)); err != nil {
			return job, err
		}
	}
	if changed == 0 { // Something else has settled it.
		return q.find(ctx, s, job.Operation, job.PaymentID)
	}
	job.State, job.Reason, job.Due, job.UpdatedAt = v.state, v.reason, due, now
	if v.state.Settled() {
		job.Due = time.Time{}
	}
	return job, nil
}

// codeOf returns the gateway's code, or nothing.
func codeOf(err error) jpayment.Code {
	var gateway *jpayment.GatewayError
	if errors.As(err, &gateway) {
		return gateway.Code
	}
	return ""
}

// describe returns the line of an error of the package jpayment, which shows nothing
// private. Any other may, so it gives only its type.
func describe(err error) string {
	var ours interface {
		error
		Next() string
	}
	switch {
	case err == nil:
		return ""
	case errors.Is(err, errInterrupted):
		return errInterrupted.Error()
	case errors.As(err, &ours):
		return ours.Error()
	default:
		return fmt.Sprintf("error of type %T", err)
	}
}

// sweepUntilStopped looks now and then for jobs that their process has left behind, and
// for kickbacks that did not come.
func (w *worker[TTx]) sweepUntilStopped(ctx context.Context) {
	ticker := time.NewTicker(min(max(w.cfg.CallTimeout/10, 100*time.Millisecond), 5*time.Second))
	defer ticker.Stop()
	for {
		if err := errors.Join(w.sweep(ctx), w.sweepRiver(ctx)); err != nil && ctx.Err() == nil {
			w.log.LogAttrs(ctx, slog.LevelWarn, "fulfilment: looking for jobs left behind failed", slog.String("error", fmt.Sprintf("%T", err)))
		}
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return
		}
	}
}

// sweep concludes jobs whose attempt or kickback is overdue.
func (w *worker[TTx]) sweep(ctx context.Context) error {
	overdue, err := collect(ctx, w.db.session(), scanJob, `SELECT `+jobColumns+` FROM jpayment_job
		WHERE store_id = $1 AND state IN ('running', 'awaiting-kickback') AND due < $2 ORDER BY due LIMIT 100`, w.storeID, micros(w.now()))
	if err != nil {
		return err
	}
	for _, job := range overdue {
		err := w.db.transact(ctx, func(tx TTx) error { return w.giveUp(ctx, tx, job) })
		if err != nil {
			return err
		}
	}
	return nil
}

// giveUp concludes one overdue job, unless another process was faster.
func (w *worker[TTx]) giveUp(ctx context.Context, tx TTx, job Job) error {
	s := w.db.in(tx)
	// The row is locked by changing it.
	mine, err := s.exec(ctx, `UPDATE jpayment_job SET state = 'running' WHERE id = $1 AND state = $2 AND attempts = $3 AND due < $4`,
		job.ID, string(job.State), job.Attempts, micros(w.now()))
	if err != nil || mine == 0 {
		return err
	}
	v := verdict{state: StateReview, reason: ReasonNoKickback}
	if job.State == StateRunning {
		_, err := s.exec(ctx, `UPDATE jpayment_attempt SET ended_at = $1, what = $2 WHERE job_id = $3 AND number = $4 AND ended_at = 0`,
			micros(w.now()), describe(errInterrupted), job.ID, job.Attempts)
		if err != nil {
			return err
		}
		h, err := w.history(ctx, s, job)
		if err != nil {
			return err
		}
		v = h.lost()
	}
	job, err = w.conclude(ctx, tx, job, v, errInterrupted)
	if err != nil {
		return err
	}
	w.meters.concluded(ctx, job)
	w.log.LogAttrs(ctx, slog.LevelWarn, "fulfilment: overdue", slog.Any("job", job))
	return nil
}

// sweepRiver gives a new River job to jobs whose River job was fetched by a process that
// ended before it began an attempt. River's own rescue would take minutes. The old one is
// marked as cancelled, so that it is replaced once; one that an operator has cancelled is
// marked already, and is left alone.
func (w *worker[TTx]) sweepRiver(ctx context.Context) error {
	held, err := w.inserter.JobList(ctx, river.NewJobListParams().Queues(w.riverQueue()).States(rivertype.JobStateRunning).First(1000))
	if err != nil {
		return err
	}
	horizon := time.Now().Add(-w.cfg.stranded())
	for _, rj := range held.Jobs {
		if rj.AttemptedAt == nil || rj.AttemptedAt.After(horizon) {
			continue
		}
		err := w.db.transact(ctx, func(tx TTx) error { return w.replace(ctx, tx, rj) })
		if err != nil {
			return err
		}
	}
	return nil
}

// replace replaces one River job, if its job waits for it in vain.
func (w *worker[TTx]) replace(ctx context.Context, tx TTx, rj *rivertype.JobRow) error {
	var a args
	if err := json.Unmarshal(rj.EncodedArgs, &a); err != nil {
		return err
	}
	// The row is locked by changing it.
	waits, err := w.db.in(tx).exec(ctx, `UPDATE jpayment_job SET state = 'waiting' WHERE id = $1 AND store_id = $2 AND state = 'waiting' AND due < $3`,
		a.JobID, w.storeID, micros(w.now().Add(-w.cfg.stranded())))
	if err != nil || waits == 0 {
		return err
	}
	now, err := w.inserter.JobGetTx(ctx, tx, rj.ID)
	if err != nil {
		return err
	}
	var metadata struct {
		Cancelled string `json:"cancel_attempted_at"`
	}
	if err := json.Unmarshal(now.Metadata, &metadata); err != nil {
		return err
	}
	if now.State != rivertype.JobStateRunning || !now.AttemptedAt.Equal(*rj.AttemptedAt) || metadata.Cancelled != "" {
		return nil
	}
	if _, err := w.inserter.JobCancelTx(ctx, tx, rj.ID); err != nil {
		return err
	}
	return w.ask(ctx, tx, time.Time{}, a.JobID)
}

package fulfilment

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/jpayment-go/jpayment"
)

// OnSettled registers f to be called in each transaction that makes a job done, refused or in
// review. It is called once for each such change, whether a worker, a kickback, a person or
// the sweep for overdue jobs makes it. In f, update the order and enqueue the next request
// with [Queue.EnqueueTx] and the same tx. Call OnSettled once, before the queue is used.
//
// If f returns an error or panics, the change is not recorded. A worker keeps the gateway's
// answer and tries again within seconds; if it ends, another worker does. A kickback or a
// decision fails, and has to be repeated.
//
// f must not wait for anything but tx, since it holds a lock on the job's row, and in SQLite
// on the whole database. Its context ends after [HookTimeout]. Effects outside the
// transaction, such as an e-mail, may happen several times, or for a change that is then not
// recorded. Record in tx that they are to happen instead.
//
// If a process without f changes a job, as the command's review does, a worker with f calls
// it within seconds, in a transaction of its own. Once a process with f has run, there must
// be such a worker: changes are kept until f has been called for them.
func (q *Queue[TTx]) OnSettled(f func(ctx context.Context, tx TTx, job Job) error) { q.onSettled = f }

// HookTimeout bounds each call of the function registered with [Queue.OnSettled].
const HookTimeout = 10 * time.Second

// hookError reports that order code failed, and not the database.
type hookError struct{ *problem }

// Unwrap returns what order code returned.
func (e hookError) Unwrap() error { return e.problem }

// tell calls order code.
func (q *Queue[TTx]) tell(ctx context.Context, tx TTx, job Job) (err error) {
	ctx, cancel := context.WithTimeout(ctx, HookTimeout)
	defer cancel()
	fails := func(cause error, how jpayment.Text) error {
		return hookError{&problem{
			what: jpayment.Text{
				En: fmt.Sprintf("order code failed (%s) on the verdict of job %d, so nothing was recorded", how.En, job.ID),
				Ja: fmt.Sprintf("ジョブ %d について OnSettled の関数が失敗したため（%s）、記録していません", job.ID, how.Ja),
			},
			next: jpayment.Text{En: "correct the function passed to OnSettled; it will be called again", Ja: "OnSettled に渡した関数を修正する（その後、自動で再度呼び出される）"}, cause: cause, quiet: true,
		}}
	}
	defer func() {
		if p := recover(); p != nil {
			err = fails(nil, textf("panic: %T", "panic: %T", p))
		}
	}()
	if err := q.onSettled(ctx, tx, job); err != nil {
		return fails(err, kindOf(err))
	}
	return nil
}

// kindOf describes an error of order code. Its text may be private, unless it is an error of
// this package about a request.
func kindOf(err error) jpayment.Text {
	var (
		conflict *ConflictError
		refused  *RefusedError
	)
	switch {
	case errors.As(err, &conflict):
		return conflict.What()
	case errors.As(err, &refused):
		return refused.What()
	default:
		return textf("%T", "%T", err)
	}
}

// write records transitions of locked jobs and their consequences. It inserts a River job for
// each waiting job in the same transaction, so that none is left behind. It calls order code
// for each settled job, and sends or refuses the jobs that come after it. It returns the jobs
// that changed to done, refused or review.
func (q *Queue[TTx]) write(ctx context.Context, tx TTx, rs ...record) (news []Job, err error) {
	s := q.in(tx)
	for len(rs) > 0 {
		for i, r := range rs {
			if r.wantsHold() {
				if rs[i], err = q.hold(ctx, s, r); err != nil {
					return nil, err
				}
			}
		}
		if err := s.updateJobs(ctx, rs); err != nil {
			return nil, err
		}
		if err := q.ask(ctx, tx, rs); err != nil {
			return nil, err
		}
		var settled []record
		var closed []int64
		for _, r := range rs {
			if r.State.Settled() && (r.State != r.was || r.Reason != r.wasFor) {
				settled = append(settled, r)
			}
			if !r.isOpen() && r.was != r.State {
				closed = append(closed, r.ID)
			}
		}
		if len(settled) == 0 {
			return news, nil
		}
		if err := s.insertChanges(ctx, settled, q.onSettled != nil); err != nil {
			return nil, err
		}
		for _, r := range settled {
			news = append(news, r.Job)
			if q.onSettled != nil {
				if err := q.tell(ctx, tx, r.Job); err != nil {
					return nil, err
				}
			}
		}
		if rs, err = q.followers(ctx, s, rs, closed); err != nil {
			return nil, err
		}
	}
	return news, nil
}

// followers returns the jobs that were waiting for the closed ones, in their new state.
func (q *Queue[TTx]) followers(ctx context.Context, s store, rs []record, closed []int64) ([]record, error) {
	if len(closed) == 0 {
		return nil, nil
	}
	next, err := s.lockFollowers(ctx, closed)
	if err != nil {
		return nil, err
	}
	for i, f := range next {
		for _, r := range rs {
			switch {
			case r.ID != f.waitsFor:
			case r.State == StateDone && r.waitedFor != 0: // It was itself waiting: they now wait for that job.
				next[i].waitsFor = r.waitedFor
			default:
				next[i] = f.follows(r, q.moment())
			}
		}
	}
	return next, nil
}

// hold gives the job the hold on its payment, if no other job has it. Only a job that is to
// be sent must have it.
func (q *Queue[TTx]) hold(ctx context.Context, s store, r record) (record, error) {
	all, err := s.jobsOf(ctx, r.PaymentID)
	if err != nil {
		return r, err
	}
	r.holds = true
	for _, other := range all {
		if other.ID == r.ID || !other.holds && (other.Operation != r.Operation || other.State == StateRefused) {
			continue
		}
		if r.State == StateWaiting || other.Operation == r.Operation {
			return r, &ConflictError{Operation: r.Operation, Job: other.Job}
		}
		r.holds = false
	}
	return r, nil
}

// concluded counts and logs settled jobs, after their transaction.
func (q *Queue[TTx]) concluded(ctx context.Context, news []Job) {
	for _, j := range news {
		q.told(ctx, j.ID)
		q.meters.concluded(ctx, j)
		if j.Reason == ReasonPredecessor {
			q.log.LogAttrs(ctx, slog.LevelWarn, "fulfilment: refused", slog.Any("job", j))
		}
	}
}

// conclude records a verdict on a locked job.
func (q *Queue[TTx]) conclude(ctx context.Context, tx TTx, r record, v verdict) (record, []Job, error) {
	now := q.moment()
	r = r.after(v, q.due(v, now), now)
	news, err := q.write(ctx, tx, r)
	return r, news, err
}

package fulfilment

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/jpayment-go/jpayment"
)

// OnSettled has f called in the transaction that makes a job done, refused or in need of
// review, once for each such change, whoever makes it: a worker, a kickback, a person, or
// the sweep. There f updates the order, and enqueues what comes next with [Queue.EnqueueTx]
// on the same tx. Call it once, before the queue is used.
//
// If f returns an error or panics, nothing of the change is recorded and it is made again:
// by the worker that has the answer, within seconds, and from then on by any worker, since
// the answer itself is kept. A kickback or a decision fails, and is to be repeated.
//
// f may use tx and nothing else that waits: it holds the job's row, and on SQLite the whole
// database. Its context ends after [HookTimeout]. What is not in the transaction, such as an
// e-mail, may happen several times or for a change that is then not recorded: enqueue it
// instead.
//
// A change that is made in a process without f, such as by the command's review, is told by
// the next worker that has one, in a transaction of its own, within seconds. There must be
// one: once a process with f has run, changes are kept until they are told.
func (q *Queue[TTx]) OnSettled(f func(ctx context.Context, tx TTx, job Job) error) { q.onSettled = f }

// HookTimeout bounds each call of the function that [Queue.OnSettled] registers.
const HookTimeout = 10 * time.Second

// hookError says that order code failed, which is no fault of the database's.
type hookError struct{ *problem }

// Unwrap returns what order code returned.
func (e hookError) Unwrap() error { return e.problem }

// tell calls order code.
func (q *Queue[TTx]) tell(ctx context.Context, tx TTx, job Job) (err error) {
	ctx, cancel := context.WithTimeout(ctx, HookTimeout)
	defer cancel()
	fails := func(cause error, how string) error {
		return hookError{&problem{
			what: textf("order code failed (%[2]s) when it was told of job %[1]d, so nothing was recorded", "ジョブ %d について OnSettled の関数が失敗したため（%s）、記録していません", job.ID, how),
			next: jpayment.Text{En: "mend the function given to OnSettled; it is called again", Ja: "OnSettled に渡した関数を修正する。再度呼び出されます"}, cause: cause, quiet: true,
		}}
	}
	defer func() {
		if p := recover(); p != nil {
			err = fails(nil, fmt.Sprintf("panic: %T", p))
		}
	}()
	if err := q.onSettled(ctx, tx, job); err != nil {
		return fails(err, fmt.Sprintf("%T", err))
	}
	return nil
}

// write writes transitions of locked jobs down, and what follows from them for others: a job
// that waits has its River job written in the same transaction, which is what keeps it from
// being left behind; order code hears of what is settled; and jobs that come after it are
// let go or refused. It returns the jobs that changed to done, refused or review.
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

// followers returns the jobs that have waited for those that are closed, as they stand now.
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
			case r.State == StateDone && r.waitedFor != 0: // Before it was known that payments have an order.
				next[i].waitsFor = r.waitedFor
			default:
				next[i] = f.follows(r, q.moment())
			}
		}
	}
	return next, nil
}

// hold gives the job the hold on its payment, if no other has it. A job that is not to be
// sent can do without.
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

// concluded counts and logs what has come to an end, after its transaction.
func (q *Queue[TTx]) concluded(ctx context.Context, news []Job) {
	for _, j := range news {
		q.meters.concluded(ctx, j)
		if j.Reason == ReasonPredecessor {
			q.log.LogAttrs(ctx, slog.LevelWarn, "fulfilment: refused", slog.Any("job", j))
		}
	}
}

// conclude writes down what becomes of a job, which is locked, by a verdict.
func (q *Queue[TTx]) conclude(ctx context.Context, tx TTx, r record, v verdict) (record, []Job, error) {
	now := q.moment()
	r = r.after(v, q.due(v, now), now)
	news, err := q.write(ctx, tx, r)
	return r, news, err
}

package fulfilment

import (
	"context"
	"time"

	"github.com/jpayment-go/jpayment"
)

// Job returns the job for an operation (OpSales, OpCancel or OpReAuth) on a payment, or
// [ErrNoJob]. If there are several, at most one is not refused: Job returns that one, or the
// newest if all are refused.
func (q *Queue[TTx]) Job(ctx context.Context, op jpayment.Operation, paymentID string) (Job, error) {
	j, err := q.store().job(ctx, op, paymentID)
	return j, q.did(ctx, reading, j.ID, err)
}

// JobTx is [Queue.Job] in the caller's transaction.
func (q *Queue[TTx]) JobTx(ctx context.Context, tx TTx, op jpayment.Operation, paymentID string) (Job, error) {
	return q.in(tx).job(ctx, op, paymentID)
}

// Filter selects jobs. Empty fields do not restrict the selection.
type Filter struct {
	State     State
	Reference string
	Batch     string
	PaymentID string
	// ForPerson selects the jobs in review, and those whose verdict a kickback contradicts.
	ForPerson bool
	AfterID   int64 // for the next page: the ID of the last job of this one
	Limit     int   // the default is 100
}

// Jobs returns the selected jobs in the order of their IDs, which is the order in which
// they were recorded.
func (q *Queue[TTx]) Jobs(ctx context.Context, f Filter) ([]Job, error) {
	if f.Limit <= 0 {
		f.Limit = 100
	}
	jobs, err := q.store().jobs(ctx, f)
	return jobs, q.did(ctx, reading, 0, err)
}

// Attempts returns the attempts of a job, in order.
func (q *Queue[TTx]) Attempts(ctx context.Context, jobID int64) ([]Attempt, error) {
	as, err := q.store().attempts(ctx, jobID)
	return as, q.did(ctx, reading, 0, err)
}

// Status holds the numbers of jobs by state, and the store's pause.
type Status struct {
	Waiting, Running, Awaiting, Done, Refused, Review int64
	// Disputed is the number of done or refused jobs whose verdict a kickback contradicts.
	Disputed int64
	// Paused says why nothing is sent, or is nil if the store is not paused.
	Paused *Pause
	// NextDue is when the first waiting job is due. It is zero if none is waiting.
	NextDue time.Time
}

// Open returns the number of jobs that are not settled.
func (s Status) Open() int64 { return s.Waiting + s.Running + s.Awaiting }

// Total returns the number of all jobs.
func (s Status) Total() int64 { return s.Open() + s.Done + s.Refused + s.Review }

// Status returns the numbers of jobs of the store, or of one batch if batch is not empty.
func (q *Queue[TTx]) Status(ctx context.Context, batch string) (Status, error) {
	s := q.store()
	counts, err := s.countJobs(ctx, batch)
	if err != nil {
		return Status{}, q.did(ctx, reading, 0, err)
	}
	st := Status{
		Waiting: counts[StateWaiting], Running: counts[StateRunning], Awaiting: counts[StateAwaiting],
		Done: counts[StateDone], Refused: counts[StateRefused], Review: counts[StateReview],
	}
	if st.Waiting > 0 {
		if st.NextDue, err = s.nextDue(ctx, batch); err != nil {
			return Status{}, q.did(ctx, reading, 0, err)
		}
	}
	if st.Disputed, err = s.countDisputed(ctx, batch); err != nil {
		return Status{}, q.did(ctx, reading, 0, err)
	}
	g, err := s.gate(ctx)
	if g.pause.holds(q.moment()) {
		st.Paused = g.pause
	}
	return st, q.did(ctx, reading, 0, err)
}

// Decisions returns the decisions about a job, in order. Each later one corrects those before
// it.
func (q *Queue[TTx]) Decisions(ctx context.Context, jobID int64) ([]Decision, error) {
	ds, err := q.store().decisions(ctx, jobID)
	return ds, q.did(ctx, reading, 0, err)
}

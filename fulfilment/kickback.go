package fulfilment

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"github.com/jpayment-go/jpayment"
)

// Settle settles the re-authorisation that a kickback answers. It is a callback for
// [jpayment.NewKickbackHandler], which must have [jpayment.VerifyKickbacks]: a kickback that
// nobody has verified settles nothing and is an error.
//
// A kickback that comes again, or before the reply to its request, does what it should. One
// that belongs to no job of the store's is an error that wraps [ErrNoJob], for a handler
// of other kickbacks to look at; so is one whose amounts are not the job's.
func (q *Queue[TTx]) Settle(ctx context.Context, k *jpayment.Kickback) error {
	if k == nil || k.Request == nil {
		return errors.New("fulfilment: the kickback is not verified; give the handler jpayment.VerifyKickbacks")
	}
	if k.Request.StoreID != q.storeID {
		return fmt.Errorf("%w: the kickback is another store's", ErrNoJob)
	}
	if k.Status != jpayment.StatusSucceeded && k.Status != jpayment.StatusFailed {
		return fmt.Errorf("%w: the kickback has %s", ErrNoJob, k.Status)
	}
	var (
		job     Job
		changed bool
	)
	err := q.db.transact(ctx, func(tx TTx) (err error) {
		job, changed, err = q.settle(ctx, tx, k)
		return err
	})
	if err != nil {
		return err
	}
	if changed {
		q.meters.concluded(ctx, job)
	}
	q.log.LogAttrs(ctx, slog.LevelInfo, "fulfilment: kickback", slog.Any("job", job))
	return nil
}

// settle locks the job, so that a reply at the same moment waits.
func (q *Queue[TTx]) settle(ctx context.Context, tx TTx, k *jpayment.Kickback) (job Job, changed bool, err error) {
	s, req, now := q.in(tx), k.Request, q.moment()
	r, err := s.lockJobOf(ctx, jpayment.OpReAuth, req.PaymentID)
	if err != nil {
		return r.Job, false, err
	}
	if r.Amount != req.Amount || r.Tax != req.Tax || r.Shipping != req.Shipping {
		return r.Job, false, fmt.Errorf("%w: the kickback's request had other amounts than job %d", ErrNoJob, r.ID)
	}
	started, err := s.attemptStart(ctx, r.ID, r.Attempts)
	if err != nil {
		return r.Job, false, err
	}
	v, changes, err := r.kickbackVerdict(k, started, q.production, now)
	if err != nil || !changes {
		return r.Job, false, err
	}
	// The kickback ends the attempt that it answers: with a success if nobody else ends it,
	// its process having been killed, with a failure whether its reply was seen or not.
	a := Attempt{Number: r.Attempts, EndedAt: now, Outcome: jpayment.OutcomeDone}
	if k.Status == jpayment.StatusSucceeded {
		_, err = s.endOpenAttempt(ctx, r.ID, a)
	} else {
		a.Outcome, a.Code, a.What = outcomeOfCode(k.Code, jpayment.OpReAuth), k.Code, v.what
		err = s.endAttempt(ctx, r.ID, a)
	}
	if err != nil {
		return r.Job, false, err
	}
	r, err = q.conclude(ctx, tx, r, v)
	if err == nil && v.pause {
		err = q.pauseTx(ctx, tx, Pause{At: now, Code: v.code, Why: v.what})
	}
	return r.Job, true, err
}

package fulfilment

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/jpayment-go/jpayment"
)

// Settle settles the re-authorisation that a notice answers. It is a callback for
// [jpayment.NewKickbackHandler], which must have [jpayment.VerifyKickbacks]: a notice that
// nobody has verified settles nothing and is an error.
//
// A notice that comes again, or before the reply to its request, does what it should. One
// that belongs to no job of the store's is an error that wraps [ErrNoJob], for a handler
// of other notices to look at; so is one whose amounts are not the job's.
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
	var job Job
	err := q.db.transact(ctx, func(tx TTx) (err error) {
		job, err = q.settle(ctx, tx, k)
		return err
	})
	if err != nil {
		return err
	}
	q.meters.concluded(ctx, job)
	q.log.LogAttrs(ctx, slog.LevelInfo, "fulfilment: kickback", slog.Any("job", job))
	return nil
}

func (q *Queue[TTx]) settle(ctx context.Context, tx TTx, k *jpayment.Kickback) (Job, error) {
	s, req := q.db.in(tx), k.Request
	// The row is locked by changing it, so that a reply at the same moment waits.
	if _, err := s.exec(ctx, `UPDATE jpayment_job SET updated_at = $1 WHERE store_id = $2 AND operation = $3 AND payment_id = $4 AND state NOT IN ('done', 'refused')`,
		micros(q.now()), q.storeID, string(jpayment.OpReAuth), req.PaymentID); err != nil {
		return Job{}, err
	}
	job, err := q.find(ctx, s, jpayment.OpReAuth, req.PaymentID)
	if err != nil {
		return job, err
	}
	if job.Amount != req.Amount || job.Tax != req.Tax || job.Shipping != req.Shipping {
		return job, fmt.Errorf("%w: the kickback's request had other amounts than job %d", ErrNoJob, job.ID)
	}
	if k.Status == jpayment.StatusSucceeded {
		if job.State == StateDone && job.NewPaymentID != k.PaymentID {
			return job, fmt.Errorf("fulfilment: a kickback tells of another new payment than job %d has: look both up in the control panel", job.ID)
		}
		if job.State == StateRefused && job.Reason != ReasonDecided {
			return job, fmt.Errorf("fulfilment: a kickback tells of a success of job %d, which was refused: look it up in the control panel", job.ID)
		}
		if job.State == StateDone {
			return job, nil
		}
		// Should the attempt's process have been killed, nobody else ends it.
		if _, err := s.exec(ctx, `UPDATE jpayment_attempt SET ended_at = $1, outcome = $2 WHERE job_id = $3 AND number = $4 AND ended_at = 0`,
			micros(q.now()), jpayment.OutcomeDone.String(), job.ID, job.Attempts); err != nil {
			return job, err
		}
		job.Result, job.Code = &k.Result, ""
		test := q.testMode(job, &k.Result)
		if test == nil {
			return q.conclude(ctx, tx, job, verdict{state: StateDone, reason: ReasonKickback}, nil)
		}
		if job.State.Settled() {
			return job, nil
		}
		if _, err := s.exec(ctx, `UPDATE jpayment_job SET state = 'running' WHERE id = $1`, job.ID); err != nil {
			return job, err
		}
		return q.conclude(ctx, tx, job, history{operation: jpayment.OpReAuth}.judge(test, q.now()), test)
	}
	refusal := &jpayment.GatewayError{Call: jpayment.Call{Operation: jpayment.OpReAuthByKickback, PaymentID: req.PaymentID}, Code: k.Code}
	v := history{operation: jpayment.OpReAuth, attempts: job.Attempts}.judge(refusal, q.now())
	// A failure that comes again, or after a person's decision, changes nothing. What fails
	// an earlier attempt, or one that was not ours, says nothing of the last, which may be
	// on its way, or of one to come.
	started, _, err := first(ctx, s, scanInt, `SELECT started_at FROM jpayment_attempt WHERE job_id = $1 AND number = $2`, job.ID, job.Attempts)
	if err != nil {
		return job, err
	}
	earlier := job.Attempts == 0 || req.At.Before(fromMicros(started).Truncate(time.Second))
	again := job.State == StateWaiting && (v.state == StateWaiting || job.Reason == ReasonAgain)
	// To a person who looks for what became of it, a late decline says more than silence.
	tells := job.State == StateReview && job.Reason == ReasonNoKickback && v.state == StateReview
	if job.State.Settled() && !tells || earlier || again {
		return job, nil
	}
	// The notice ends the attempt that it answers, whether its reply was seen or not.
	if _, err := s.exec(ctx, `UPDATE jpayment_attempt SET ended_at = $1, outcome = $2, code = $3, what = $4 WHERE job_id = $5 AND number = $6`,
		micros(q.now()), refusal.Outcome().String(), string(k.Code), describe(refusal), job.ID, job.Attempts); err != nil {
		return job, err
	}
	job.Code = k.Code
	if _, err := s.exec(ctx, `UPDATE jpayment_job SET state = 'running' WHERE id = $1`, job.ID); err != nil {
		return job, err
	}
	return q.conclude(ctx, tx, job, v, refusal)
}

// testMode returns the error of a call that a test approved, where only production counts.
func (q *Queue[TTx]) testMode(j Job, r *jpayment.Result) error {
	if !q.production || r == nil || !r.TestMode() {
		return nil
	}
	return &jpayment.ReplyError{
		Call:   jpayment.Call{Operation: j.Operation, PaymentID: j.PaymentID, Attempts: 1},
		Reason: "it approves a test", Err: jpayment.ErrTestMode, Result: r,
	}
}

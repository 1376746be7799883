package fulfilment

import (
	"context"
	"log/slog"

	"github.com/jpayment-go/jpayment"
)

// Settle settles the re-authorisation that a kickback answers. It is a callback for
// [jpayment.NewKickbackHandler].
//
// Repeated kickbacks, and kickbacks that precede the reply, are handled. Since a kickback's
// status and new number are its sender's word, none makes anything be sent, paused or
// refused: a failure goes to review, and so does what contradicts a kickback before. For a
// kickback that answers no request of the store's jobs, or other amounts than the job's, the
// error wraps [ErrNoJob], for a handler of other kickbacks to look at. An error is also
// returned for a success of what a reply or a person has settled otherwise, which stays.
func (q *Queue[TTx]) Settle(ctx context.Context, k *jpayment.Kickback) error {
	switch {
	case k.Request.StoreID != q.storeID:
		return notOurs(jpayment.Text{En: "the kickback is another store's", Ja: "別の店舗の決済結果通知です"})
	case k.Status != jpayment.StatusSucceeded && k.Status != jpayment.StatusFailed:
		return notOurs(textf("the kickback tells of neither a success nor a failure (%s)", "成功でも失敗でもない決済結果通知です（%s）", k.Status))
	}
	var (
		job     Job
		changed bool
	)
	err := q.transact(ctx, recording, 0, func(tx TTx) (err error) {
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

// notOurs is the error for a kickback that belongs to no job.
func notOurs(what jpayment.Text) error {
	return &problem{what: what, next: nextOthers, cause: ErrNoJob}
}

// settle locks the job, so that a reply at the same moment waits.
func (q *Queue[TTx]) settle(ctx context.Context, tx TTx, k *jpayment.Kickback) (job Job, changed bool, err error) {
	s, req, now := q.in(tx), k.Request, q.moment()
	r, err := s.lockJobOf(ctx, jpayment.OpReAuth, req.PaymentID)
	if err != nil {
		return r.Job, false, err
	}
	if r.Amount != req.Amount || r.Tax != req.Tax || r.Shipping != req.Shipping {
		return r.Job, false, notOurs(textf("the kickback's request had other amounts than job %d", "決済結果通知のリクエストの金額が、ジョブ %d と異なります", r.ID))
	}
	last, err := s.lastAttempt(ctx, r)
	if err != nil {
		return r.Job, false, err
	}
	v, changes, err := r.kickbackVerdict(k, last.StartedAt, q.production)
	if err != nil || !changes {
		return r.Job, false, err
	}
	// The kickback ends the attempt that it answers, if nobody else has. What it says but
	// for a success proves nothing, and stands beside what the reply has said.
	last.EndedAt = now
	if v.state == StateDone {
		last.Outcome = jpayment.OutcomeDone
		_, err = s.endOpenAttempt(ctx, r.ID, last)
	} else {
		last.Outcome, last.What = jpayment.OutcomeUnknown, joined(last.What, v.what)
		if k.Code != "" {
			last.Code = k.Code
		}
		err = s.endAttempt(ctx, r.ID, last)
	}
	if err != nil {
		return r.Job, false, err
	}
	r, err = q.conclude(ctx, tx, r, v)
	return r.Job, true, err
}

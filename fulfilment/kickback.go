package fulfilment

import (
	"context"
	"log/slog"

	"github.com/jpayment-go/jpayment"
)

// Settle settles the re-authorisation that a kickback answers. It is a callback for
// [jpayment.NewKickbackHandler].
//
// Repeated kickbacks, and kickbacks that precede the reply, are handled. For one that
// belongs to no job of the store's, or whose amounts are not the job's, the error wraps
// [ErrNoJob], for a handler of other kickbacks to look at.
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
		a.Outcome, a.Code, a.What = k.Code.Outcome(jpayment.OpReAuth), k.Code, v.what
		err = s.endAttempt(ctx, r.ID, a)
	}
	if err != nil {
		return r.Job, false, err
	}
	r, err = q.conclude(ctx, tx, r, v)
	if err == nil && v.pause {
		err = q.pauseTx(ctx, tx, v.pauseAt(now))
	}
	return r.Job, true, err
}

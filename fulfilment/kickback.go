package fulfilment

import (
	"context"
	"errors"
	"log/slog"
	"slices"

	"github.com/jpayment-go/jpayment"
)

// Settle settles the re-authorisation that a kickback answers. It is a callback for
// [jpayment.NewKickbackHandler]. Repeated kickbacks, and kickbacks that arrive before the
// reply, are handled.
//
// The status and the new payment's number are only the sender's word. So no kickback causes a
// request to be sent, a store to be paused or a job to be refused:
//
//   - A success makes a job done that is on its way, awaits its kickback or is in review.
//   - A failure puts a job that is on its way or awaits its kickback into review. So does a
//     success for a job that waits to be sent again, or a contradiction of an earlier kickback.
//   - If a reply or a person has settled the job differently, the verdict stands, and
//     [Job.Dispute] says what the kickback said.
//
// If the kickback answers no request of the store's jobs, or has other amounts than the job,
// the error wraps [ErrNoJob]: pass the kickback to the handler of other kickbacks.
func (q *Queue[TTx]) Settle(ctx context.Context, k *jpayment.Kickback) error {
	switch {
	case k.Request.StoreID != q.storeID:
		return notOurs(jpayment.Text{En: "the kickback is for another store", Ja: "別の店舗の決済結果通知です"})
	case k.Status != jpayment.StatusSucceeded && k.Status != jpayment.StatusFailed:
		return notOurs(textf("the kickback reports neither success nor failure (%s)", "成功でも失敗でもない決済結果通知です（%s）", k.Status))
	}
	var (
		job     Job
		news    []Job
		dispute bool
	)
	err := q.transact(ctx, recording, 0, func(tx TTx) (err error) {
		job, news, dispute, err = q.settle(ctx, tx, k)
		return err
	})
	if errors.As(err, new(hookError)) {
		q.failsToTell(ctx, job.ID, err)
	}
	if err != nil {
		q.log.LogAttrs(ctx, slog.LevelWarn, "fulfilment: kickback not accepted", slog.String("payment_id", k.Request.PaymentID), slog.String("why", jpayment.WhatOf(err).En))
		return err
	}
	q.concluded(ctx, news)
	level := slog.LevelInfo
	if dispute {
		level = slog.LevelWarn
	}
	q.log.LogAttrs(ctx, level, "fulfilment: kickback", slog.Any("job", job))
	return nil
}

// notOurs returns the error for a kickback that belongs to no job.
func notOurs(what jpayment.Text) error {
	return &problem{what: what, next: nextOthers, cause: ErrNoJob}
}

// settle locks the job, so that a simultaneous reply waits.
func (q *Queue[TTx]) settle(ctx context.Context, tx TTx, k *jpayment.Kickback) (job Job, news []Job, dispute bool, err error) {
	s, req := q.in(tx), k.Request
	if err := q.ready(ctx, s); err != nil {
		return job, nil, false, err
	}
	all, err := s.lockJobsOf(ctx, jpayment.OpReAuth, req.PaymentID)
	if err != nil {
		return job, nil, false, err
	}
	if len(all) == 0 {
		return job, nil, false, notOurs(textf("the kickback is for payment %s, which no job re-authorises", "決済結果通知の決済 %s を再オーソリするジョブがありません", req.PaymentID))
	}
	// If there are several, all but one were refused.
	i := slices.IndexFunc(all, func(r record) bool { return r.Amount == req.Amount && r.Tax == req.Tax && r.Shipping == req.Shipping })
	if i < 0 {
		return all[0].Job, nil, false, notOurs(textf("the request of the kickback has other amounts than job %d", "決済結果通知のリクエストの金額が、ジョブ %d と異なります", all[0].ID))
	}
	r := all[i]
	last, err := s.lastAttempt(ctx, r)
	if err != nil {
		return r.Job, nil, false, err
	}
	c, err := r.byKickback(k, last.StartedAt, q.production)
	now := q.moment()
	switch {
	case err != nil:
		return r.Job, nil, false, err
	case c.dispute != jpayment.Text{} && c.dispute != r.Dispute:
		r = r.disputed(c.dispute, now)
		_, err = q.write(ctx, tx, r)
		return r.Job, nil, true, err
	case !c.changes:
		return r.Job, nil, false, nil
	}
	// The kickback ends the attempt that it answers, unless it has already ended. Anything but
	// a success proves nothing, and is recorded beside what the reply said.
	v, open := c.verdict, last.EndedAt.IsZero()
	last.EndedAt, last.answer = now, ""
	if v.state == StateDone {
		last.Outcome = jpayment.OutcomeDone
	} else {
		open = true
		last.Outcome, last.What = jpayment.OutcomeUnknown, joined(last.What, v.what)
		if k.Code != "" {
			last.Code = k.Code
		}
	}
	if open {
		if err := s.endAttempts(ctx, []jobAttempt{last}); err != nil {
			return r.Job, nil, false, err
		}
	}
	r, news, err = q.conclude(ctx, tx, r, v)
	return r.Job, news, false, err
}

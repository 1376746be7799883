package fulfilment

import (
	"context"
	"log/slog"
	"strings"

	"github.com/jpayment-go/jpayment"
)

// Decision is what a person found out about a job.
type Decision struct {
	// State is StateDone if the control panel shows that it was carried out, StateRefused
	// if it was not and is not to be, StateWaiting if it was not and is to be sent again.
	State State
	// NewPaymentID is the payment that a re-authorisation made, if it is done.
	NewPaymentID string
	By           string // who decided: 1 to 200 bytes
	// Note is what was found, at most 200 bytes. It may be personal and is never logged.
	Note jpayment.Secret
}

// Review records a person's decision on a job that needs review, or that awaits its
// kickback, and returns the job. A waiting job that nobody has ever sent can be
// withdrawn by a decision for StateRefused, and a refused one be sent again, when its
// reason has passed, by one for StateWaiting.
func (q *Queue[TTx]) Review(ctx context.Context, jobID int64, d Decision) (Job, error) {
	var r record
	err := q.transact(ctx, recording, jobID, func(tx TTx) (err error) {
		if r, err = q.in(tx).lockJob(ctx, jobID); err != nil {
			return err
		}
		if err := d.check(r); err != nil {
			return err
		}
		if d.State == StateWaiting && r.forgotten {
			return &problem{
				what: textf("the private data of job %d are erased, so it cannot be sent again", "ジョブ %d の個人情報などは消去済みのため、再送できません", r.ID),
				next: jpayment.Text{En: "carry it out in the control panel", Ja: "管理画面で処理する"},
			}
		}
		r = r.decided(d, q.moment())
		return q.write(ctx, tx, r)
	})
	if err != nil {
		return Job{}, err
	}
	q.log.LogAttrs(ctx, slog.LevelInfo, "fulfilment: reviewed", slog.Any("job", r.Job), slog.String("by", d.By))
	return r.Job, nil
}

func (d Decision) check(r record) error {
	var bad invalidFields
	if !r.mayDecide(d.State) {
		state := r.State.Text()
		bad.add("Job", jpayment.Text{
			En: "is " + state.En + "; a decision is for one that needs review or awaits its kickback, and a refused one can be sent again",
			Ja: "の状態は「" + state.Ja + "」です。判断できるのは、要確認または通知待ちのジョブです。拒否されたジョブは再送できます",
		})
	}
	if d.State != StateDone && d.State != StateRefused && d.State != StateWaiting {
		bad.add("State", jpayment.Text{En: "is neither done nor refused nor waiting", Ja: "が完了、拒否、待機のいずれでもありません"})
	}
	switch wanted := r.Operation == jpayment.OpReAuth && d.State == StateDone; {
	case wanted && (d.NewPaymentID == "" || strings.Trim(d.NewPaymentID, "0123456789") != "" || d.NewPaymentID == r.PaymentID):
		bad.add("NewPaymentID", jpayment.Text{En: "is not the number of the payment that the re-authorisation made", Ja: "が再オーソリで作成された決済の番号ではありません"})
	case !wanted && d.NewPaymentID != "":
		bad.add("NewPaymentID", jpayment.Text{En: "is given although no payment was made", Ja: "が指定されていますが、新しい決済は作成されていません"})
	}
	if d.By == "" {
		bad.add("By", isEmpty)
	}
	bad.add("By", nameReason(d.By))
	bad.add("Note", nameReason(d.Note.Reveal()))
	return bad.err("Review of "+r.Operation, r.PaymentID)
}

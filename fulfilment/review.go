package fulfilment

import (
	"context"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/jpayment-go/jpayment"
)

// Decision is a person's decision about a job.
type Decision struct {
	// State is StateDone if the control panel shows that the job was carried out. If it was
	// not, StateWaiting sends it again and StateRefused gives it up.
	State State
	// NewPaymentID is the payment that a re-authorisation created. It is required if a
	// re-authorisation is done, and must not be the new payment of another job, except one
	// that only a kickback reported.
	NewPaymentID string
	By           string // who decided: 1 to 200 bytes
	// Note says what was found, in at most 200 bytes. It may contain personal data and is
	// never logged.
	Note jpayment.Secret
	// Corrects allows the decision to replace an earlier decision by a person. Without it the
	// first decision stands.
	Corrects bool
	At       time.Time // when it was recorded; ignored if passed to Review
}

// Review records a person's decision on a job and returns the job. A person can decide on
//
//   - a job that is in review or awaits its kickback;
//   - a job whose verdict a kickback contradicts;
//   - with Corrects, a job on which a person has decided before (the earlier decision stays on
//     record);
//   - a waiting job that was certainly not carried out, because each attempt, if there was one,
//     was proved not sent or was refused before the gateway looked at the payment (StateRefused
//     withdraws it and frees the payment for another request);
//   - a refused job (StateWaiting sends it again).
//
// The error is a [*jpayment.ValidationError] if the decision is invalid or not possible in
// the job's state. It is a [*ConflictError] if the job cannot be sent again because another
// job of the payment excludes it.
func (q *Queue[TTx]) Review(ctx context.Context, jobID int64, d Decision) (Job, error) {
	jobs, err := q.ReviewAll(ctx, map[int64]Decision{jobID: d})
	if err != nil {
		return Job{}, err
	}
	return jobs[0], nil
}

// ReviewAll records all decisions or none, and returns the jobs in the order of their IDs.
func (q *Queue[TTx]) ReviewAll(ctx context.Context, ds map[int64]Decision) (jobs []Job, err error) {
	var news []Job
	err = q.transact(ctx, recording, 0, func(tx TTx) error {
		jobs, news, err = q.review(ctx, tx, ds)
		return err
	})
	if err != nil {
		return nil, err
	}
	q.concluded(ctx, news)
	for _, j := range jobs {
		q.log.LogAttrs(ctx, slog.LevelInfo, "fulfilment: reviewed", slog.Any("job", j), slog.String("by", j.DecidedBy))
	}
	return jobs, nil
}

// ReviewTx is [Queue.Review] in the caller's transaction, for example to withdraw a request
// and enqueue another. After an error, roll the transaction back.
func (q *Queue[TTx]) ReviewTx(ctx context.Context, tx TTx, jobID int64, d Decision) (Job, error) {
	jobs, _, err := q.review(ctx, tx, map[int64]Decision{jobID: d})
	if atFault(err) {
		q.fails(ctx, recording, jobID, err)
	}
	if err != nil {
		return Job{}, err
	}
	return jobs[0], nil
}

func (q *Queue[TTx]) review(ctx context.Context, tx TTx, ds map[int64]Decision) (jobs, news []Job, err error) {
	s := q.in(tx)
	if err := q.ready(ctx, s); err != nil {
		return nil, nil, err
	}
	now := q.moment()
	var made []string // new payments
	for _, id := range slices.Sorted(maps.Keys(ds)) {
		r, err := s.lockJob(ctx, id)
		if err != nil {
			return nil, nil, err
		}
		unknown, err := s.unknownAttempts(ctx, []record{r}, 0)
		if err != nil {
			return nil, nil, err
		}
		d := ds[id]
		if err := d.check(r, unknown[id]); err != nil {
			return nil, nil, err
		}
		if d.State == StateWaiting && r.forgotten {
			return nil, nil, &problem{
				what: textf("the private data of job %d have been erased, so it cannot be sent again", "ジョブ %d の個人情報などは消去済みのため、再送できません", r.ID),
				next: jpayment.Text{En: "carry it out in the control panel", Ja: "管理画面で処理する"},
			}
		}
		d.At = now
		if err := s.insertDecision(ctx, id, d); err != nil {
			return nil, nil, err
		}
		r = r.decided(d)
		more, err := q.write(ctx, tx, r)
		if err != nil {
			return nil, nil, err
		}
		jobs, news = append(jobs, r.Job), append(news, more...)
		if d.NewPaymentID != "" {
			made = append(made, d.NewPaymentID)
		}
	}
	return jobs, news, checkMade(ctx, s, jobs, made)
}

// checkMade returns an error if two re-authorisations are said to have made the same payment.
// It comes after the decisions, so that corrections can exchange two payments.
func checkMade(ctx context.Context, s store, decided []Job, made []string) error {
	if len(made) == 0 {
		return nil
	}
	all, err := s.reauthorisedAs(ctx, made...)
	if err != nil {
		return err
	}
	for _, j := range decided {
		for _, other := range all {
			if j.NewPaymentID == "" || j.NewPaymentID != other.NewPaymentID || j.ID == other.ID || other.Reason == ReasonKickback {
				continue // Nobody vouches for what a kickback says, so it must not stand in the way.
			}
			var bad invalidFields
			bad.add("NewPaymentID", textf("%[2]s is the new payment of job %[1]d (reference %[3]q)", "%[2]s は、ジョブ %[1]d（注文番号 %[3]q）の新しい決済の番号です", other.ID, other.NewPaymentID, other.Reference))
			return bad.err("Review of "+j.Operation, j.PaymentID)
		}
	}
	return nil
}

// maxPaymentID is the most digits that the client accepts.
const maxPaymentID = 20

func (d Decision) check(r record, unknown int) error {
	var bad invalidFields
	if !r.mayDecide(d, unknown) {
		state := r.State.Text()
		bad.add("Job", jpayment.Text{
			En: "is " + state.En + "; you can decide on a job that is in review or awaits its kickback, correct an earlier decision, withdraw a waiting job that cannot have been carried out, or send a refused job again",
			Ja: "の状態は「" + state.Ja + "」です。判断できるのは、要確認または通知待ちのジョブです。判断済みのジョブは、訂正として判断できます。待機中のジョブは、処理された可能性がなければ取り下げられます。拒否されたジョブは再送できます",
		})
	}
	if d.State != StateDone && d.State != StateRefused && d.State != StateWaiting {
		bad.add("State", jpayment.Text{En: "is not done, refused or waiting", Ja: "が完了、拒否、待機のいずれでもありません"})
	}
	switch wanted := r.Operation == jpayment.OpReAuth && d.State == StateDone; {
	case wanted && (d.NewPaymentID == "" || strings.Trim(d.NewPaymentID, "0123456789") != "" || len(d.NewPaymentID) > maxPaymentID || d.NewPaymentID == r.PaymentID):
		bad.add("NewPaymentID", jpayment.Text{En: "is not the number of the payment that the re-authorisation created", Ja: "が再オーソリで作成された決済の番号ではありません"})
	case !wanted && d.NewPaymentID != "":
		bad.add("NewPaymentID", jpayment.Text{En: "is set, but no new payment was created", Ja: "が指定されていますが、新しい決済は作成されていません"})
	}
	if d.By == "" {
		bad.add("By", isEmpty)
	}
	bad.add("By", nameReason(d.By))
	bad.add("Note", nameReason(d.Note.Reveal()))
	return bad.err("Review of "+r.Operation, r.PaymentID)
}

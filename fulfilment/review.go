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

// Decision is what a person found out and decided about a job.
type Decision struct {
	// State is StateDone if the control panel shows that it was carried out, StateRefused
	// if it was not and is not to be, StateWaiting if it was not and is to be sent again.
	State State
	// NewPaymentID is the payment that a re-authorisation made, if it is done.
	NewPaymentID string
	By           string // who decided: 1 to 200 bytes
	// Note is what was found, at most 200 bytes. It may be personal and is never logged.
	Note jpayment.Secret
	// Corrects says that a person has decided before, and otherwise. Without it the word of
	// whoever was first stands.
	Corrects bool
	At       time.Time // when it was recorded; what is given is not heeded
}

// Review records a person's decision on a job and returns the job: on one that is in review
// or awaits its kickback, on one that a kickback contradicts, and, with Corrects, on one that
// a person has decided about before, whose decision stays on record. A waiting job that
// is proved not to have been carried out (no attempt but such as were not sent, or turned
// away before the gateway looked at the payment) is withdrawn by a decision for
// StateRefused; then the payment is free for another request. A refused job is sent again,
// when its reason has passed, by one for StateWaiting.
//
// The error of a decision that cannot be is a [*jpayment.ValidationError], and that of one to
// send again what excludes another open job a [*ConflictError].
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

// ReviewTx is [Queue.Review] as part of the caller's transaction, for example to withdraw a
// request and record another. After an error roll it back.
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
				what: textf("the private data of job %d are erased, so it cannot be sent again", "ジョブ %d の個人情報などは消去済みのため、再送できません", r.ID),
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
	}
	return jobs, news, nil
}

// maxPaymentID is as many digits as the client takes.
const maxPaymentID = 20

func (d Decision) check(r record, unknown int) error {
	var bad invalidFields
	if !r.mayDecide(d, unknown) {
		state := r.State.Text()
		bad.add("Job", jpayment.Text{
			En: "is " + state.En + "; a decision is for one that needs review or awaits its kickback, or corrects another; a waiting one can be withdrawn if nothing of it can have been carried out, and a refused one be sent again",
			Ja: "の状態は「" + state.Ja + "」です。判断できるのは、要確認または通知待ちのジョブです。判断済みのジョブは、訂正として判断できます。待機中のジョブは、処理された可能性がなければ取り下げられます。拒否されたジョブは再送できます",
		})
	}
	if d.State != StateDone && d.State != StateRefused && d.State != StateWaiting {
		bad.add("State", jpayment.Text{En: "is neither done nor refused nor waiting", Ja: "が完了、拒否、待機のいずれでもありません"})
	}
	switch wanted := r.Operation == jpayment.OpReAuth && d.State == StateDone; {
	case wanted && (d.NewPaymentID == "" || strings.Trim(d.NewPaymentID, "0123456789") != "" || len(d.NewPaymentID) > maxPaymentID || d.NewPaymentID == r.PaymentID):
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

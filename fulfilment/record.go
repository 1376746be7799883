package fulfilment

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/jpayment-go/jpayment"
)

// ConflictError says that a request differs from the one that is known for the same
// operation and payment. Nothing was changed.
type ConflictError struct {
	Job    Job      // the one that is known
	Fields []string // what differs: "Amount", "Tax", "Shipping", "Reference"
}

// Error returns What and Next on one line.
func (e *ConflictError) Error() string { return sentence(e.What(), e.Next()) }

// What returns what differs from which job.
func (e *ConflictError) What() jpayment.Text {
	state := e.Job.State.Text()
	return jpayment.Text{
		En: fmt.Sprintf("%s of payment %s was asked for already, and not with the same %s (job %d, reference %q, %s)",
			e.Job.Operation, e.Job.PaymentID, strings.Join(e.Fields, " and "), e.Job.ID, e.Job.Reference, state.En),
		Ja: fmt.Sprintf("決済 %[2]s の %[1]s は登録済みで、%[3]s が異なります（ジョブ %[4]d、参照名 %[5]q、%[6]s）",
			e.Job.Operation, e.Job.PaymentID, strings.Join(e.Fields, "、"), e.Job.ID, e.Job.Reference, state.Ja),
	}
}

// Next returns what to do.
func (e *ConflictError) Next() jpayment.Text {
	return jpayment.Text{En: "correct the request, or let a person decide on the job", Ja: "リクエストを修正するか、担当者がジョブについて判断する"}
}

// RefusedError says that a request was asked for before and has been refused, so that
// nothing will be sent for it: what hangs on it, such as a shipment, must not go on.
// Nothing was changed.
type RefusedError struct {
	Job Job // the one that is known
}

// Error returns What and Next on one line.
func (e *RefusedError) Error() string { return sentence(e.What(), e.Next()) }

// What returns which job was refused, and why.
func (e *RefusedError) What() jpayment.Text {
	why := e.Job.Reason.Text()
	if code := codeText(e.Job.Code); e.Job.Reason == ReasonCode {
		why = jpayment.Text{En: why.En + ": " + code.En, Ja: why.Ja + "：" + code.Ja}
	}
	return jpayment.Text{
		En: fmt.Sprintf("%s of payment %s was asked for before and has been refused (job %d, reference %q): %s",
			e.Job.Operation, e.Job.PaymentID, e.Job.ID, e.Job.Reference, why.En),
		Ja: fmt.Sprintf("決済 %[2]s の %[1]s は登録済みで、すでに拒否されています（ジョブ %[3]d、参照名 %[4]q）。%[5]s",
			e.Job.Operation, e.Job.PaymentID, e.Job.ID, e.Job.Reference, why.Ja),
	}
}

// Next returns what to do.
func (e *RefusedError) Next() jpayment.Text {
	return jpayment.Text{
		En: "do not go on; once the reason has passed, have the job sent again by Review with StateWaiting",
		Ja: "処理を先に進めない。理由が解消した後で再送するには、Review に StateWaiting を指定する",
	}
}

// ErrNoJob says that there is no such job.
var ErrNoJob error = &problem{
	what: jpayment.Text{En: "there is no such job", Ja: "該当するジョブがありません"},
	next: jpayment.Text{En: "check the store, the operation and the payment number", Ja: "店舗、処理、決済番号を確認する"},
}

// Enqueue records a request, in a transaction of its own.
//
// What was asked for before is not asked for again. If its job is open, done or in review,
// that job comes back with Existed set, and nothing has changed: look at its State. If it
// was refused, the error is a [*RefusedError], and if the amounts or the reference differ,
// a [*ConflictError]. The error of a request that cannot be right is a
// [*jpayment.ValidationError].
func (q *Queue[TTx]) Enqueue(ctx context.Context, r Request) (Job, error) {
	jobs, err := q.EnqueueAll(ctx, []Request{r})
	if err != nil {
		return Job{}, err
	}
	return notRefused(jobs[0])
}

// EnqueueTx does what [Queue.Enqueue] does as a part of the caller's transaction: the job
// exists if and when the transaction is committed. After an error roll it back.
func (q *Queue[TTx]) EnqueueTx(ctx context.Context, tx TTx, r Request) (Job, error) {
	if err := q.check(ctx, r); err != nil {
		return Job{}, err
	}
	jobs, err := q.insert(ctx, tx, []Request{r})
	if atFault(err) {
		q.fails(ctx, recording, 0, err)
	}
	if err != nil {
		return Job{}, err
	}
	return notRefused(jobs[0])
}

func notRefused(j Job) (Job, error) {
	if j.State == StateRefused {
		return Job{}, &RefusedError{Job: j}
	}
	return j, nil
}

// EnqueueAll records requests, all or none, and returns their jobs in order. Unlike
// [Queue.Enqueue] it returns the jobs that were refused before too, with Existed set, so
// that a list can be asked for again as a whole.
func (q *Queue[TTx]) EnqueueAll(ctx context.Context, rs []Request) (jobs []Job, err error) {
	for _, r := range rs {
		if err := q.check(ctx, r); err != nil {
			return nil, err
		}
	}
	err = q.transact(ctx, recording, 0, func(tx TTx) error {
		jobs, err = q.insert(ctx, tx, rs)
		return err
	})
	if err != nil {
		return nil, err
	}
	return jobs, nil
}

// Check returns what [Queue.EnqueueAll] would for one request, and changes nothing: the job
// that is known, or the zero Job for a request that is new, or the error.
func (q *Queue[TTx]) Check(ctx context.Context, r Request) (Job, error) {
	if err := q.check(ctx, r); err != nil {
		return Job{}, err
	}
	wanted, err := q.recordOf(r)
	if err != nil {
		return Job{}, err
	}
	known, err := known(ctx, q.store(), wanted)
	err = q.did(ctx, reading, 0, err)
	if errors.Is(err, ErrNoJob) {
		return Job{}, nil
	}
	return known, err
}

// insert records the requests that are new, and returns the jobs of all.
func (q *Queue[TTx]) insert(ctx context.Context, tx TTx, rs []Request) ([]Job, error) {
	s := q.in(tx)
	jobs := make([]Job, len(rs))
	var fresh []int64
	for i, r := range rs {
		wanted, err := q.recordOf(r)
		if err != nil {
			return nil, err
		}
		inserted, err := s.insertJob(ctx, &wanted)
		if err != nil {
			return nil, err
		}
		if inserted {
			jobs[i] = wanted.Job
			fresh = append(fresh, wanted.ID)
			continue
		}
		jobs[i], err = known(ctx, s, wanted)
		if errors.Is(err, ErrNoJob) {
			err = &problem{
				what: textf("%[2]s of payment %[1]s is being asked for by another transaction", "決済 %s の %s は、別のトランザクションで登録中です",
					wanted.PaymentID, wanted.Operation),
				next:  nextAgain,
				cause: err,
			}
		}
		if err != nil {
			return nil, err
		}
	}
	return jobs, q.ask(ctx, tx, time.Time{}, fresh...)
}

// known returns the job that is there for what is wanted, ErrNoJob, or a ConflictError.
func known(ctx context.Context, s store, wanted record) (Job, error) {
	job, err := s.job(ctx, wanted.Operation, wanted.PaymentID)
	if err != nil {
		return Job{}, err
	}
	if fields := job.differs(wanted.Job); len(fields) > 0 {
		return Job{}, &ConflictError{Job: job, Fields: fields}
	}
	job.Existed = true
	return job, nil
}

// recordOf returns the job that a request is to become.
func (q *Queue[TTx]) recordOf(r Request) (record, error) {
	t, now := termsOf(r.asked), q.moment()
	private, err := t.private.marshal()
	if err != nil {
		return record{}, err
	}
	return record{
		Job: Job{
			StoreID: q.storeID, Operation: t.operation, PaymentID: t.paymentID, Reference: r.reference, Batch: r.batch,
			Amount: t.amount, Tax: t.tax, Shipping: t.shipping, State: StateWaiting, Due: now, CreatedAt: now, UpdatedAt: now,
		},
		private: private,
	}, nil
}

// differs names what another job for the same operation and payment says otherwise.
func (j Job) differs(other Job) (fields []string) {
	for _, f := range []struct {
		name    string
		differs bool
	}{
		{"Amount", j.Amount != other.Amount},
		{"Tax", j.Tax != other.Tax},
		{"Shipping", j.Shipping != other.Shipping},
		{"Reference", j.Reference != other.Reference},
	} {
		if f.differs {
			fields = append(fields, f.name)
		}
	}
	return fields
}

package fulfilment

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/jpayment-go/jpayment"
)

// ConflictError reports that a request conflicts with what is recorded about its payment:
// the same operation was requested with other data, or another operation is open. Nothing
// was changed.
type ConflictError struct {
	Operation jpayment.Operation // the requested operation
	Job       Job                // the recorded job
	// Fields are the fields that differ, if the recorded job is for the same operation:
	// "Amount", "Tax", "Shipping", "Reference".
	Fields []string
}

// Error returns What and Next on one line.
func (e *ConflictError) Error() string { return sentence(e.What(), e.Next()) }

// What describes the conflict.
func (e *ConflictError) What() jpayment.Text {
	state := e.Job.State.Text()
	if len(e.Fields) == 0 {
		return jpayment.Text{
			En: fmt.Sprintf("%s of payment %s was not recorded, since its %s is open (job %d, reference %q, %s)",
				e.Operation, e.Job.PaymentID, e.Job.Operation, e.Job.ID, e.Job.Reference, state.En),
			Ja: fmt.Sprintf("決済 %[2]s には未完了の %[3]s があるため、%[1]s を登録していません（ジョブ %[4]d、注文番号 %[5]q、%[6]s）",
				e.Operation, e.Job.PaymentID, e.Job.Operation, e.Job.ID, e.Job.Reference, state.Ja),
		}
	}
	return jpayment.Text{
		En: fmt.Sprintf("%s of payment %s is already recorded with a different %s (job %d, reference %q, %s)",
			e.Job.Operation, e.Job.PaymentID, strings.Join(e.Fields, " and "), e.Job.ID, e.Job.Reference, state.En),
		Ja: fmt.Sprintf("決済 %[2]s の %[1]s は登録済みで、%[3]s が異なります（ジョブ %[4]d、注文番号 %[5]q、%[6]s）",
			e.Job.Operation, e.Job.PaymentID, strings.Join(e.Fields, "、"), e.Job.ID, e.Job.Reference, state.Ja),
	}
}

// Next returns what to do.
func (e *ConflictError) Next() jpayment.Text {
	switch {
	case len(e.Fields) == 0:
		return jpayment.Text{
			En: "use Request.After to send the request after that job, or withdraw that job first",
			Ja: "そのジョブの後に処理するよう指定する（Request.After）か、先にそのジョブを取り下げる",
		}
	case e.Job.State == StateWaiting:
		return jpayment.Text{En: "correct the request, or withdraw the job and enqueue the request again", Ja: "リクエストを修正するか、ジョブを取り下げてから登録し直す"}
	default:
		return jpayment.Text{En: "correct the request, or have a person decide on the job", Ja: "リクエストを修正するか、担当者がそのジョブについて判断する"}
	}
}

// RefusedError reports that a request was recorded before and refused, so nothing will be
// sent. Do not continue with anything that depends on the request, such as a shipment. Nothing
// was changed.
type RefusedError struct {
	Job Job // the refused job
	// Operation is the operation that was to come after that job, or empty if the request was
	// for that job itself.
	Operation jpayment.Operation
}

// Error returns What and Next on one line.
func (e *RefusedError) Error() string { return sentence(e.What(), e.Next()) }

// What says which job was refused, and why.
func (e *RefusedError) What() jpayment.Text {
	why := e.Job.Reason.Text()
	if code := codeText(e.Job.Code); e.Job.Reason == ReasonCode {
		why = jpayment.Text{En: why.En + ": " + code.En, Ja: why.Ja + "：" + code.Ja}
	}
	if e.Operation != "" {
		return jpayment.Text{
			En: fmt.Sprintf("%s of payment %s was not recorded: the %s before it was refused (job %d, reference %q): %s",
				e.Operation, e.Job.PaymentID, e.Job.Operation, e.Job.ID, e.Job.Reference, why.En),
			Ja: fmt.Sprintf("決済 %[2]s の %[1]s は登録していません。先行する %[3]s が拒否されています（ジョブ %[4]d、注文番号 %[5]q）。%[6]s",
				e.Operation, e.Job.PaymentID, e.Job.Operation, e.Job.ID, e.Job.Reference, why.Ja),
		}
	}
	return jpayment.Text{
		En: fmt.Sprintf("%s of payment %s was recorded before and refused (job %d, reference %q): %s",
			e.Job.Operation, e.Job.PaymentID, e.Job.ID, e.Job.Reference, why.En),
		Ja: fmt.Sprintf("決済 %[2]s の %[1]s は登録済みで、すでに拒否されています（ジョブ %[3]d、注文番号 %[4]q）。%[5]s",
			e.Job.Operation, e.Job.PaymentID, e.Job.ID, e.Job.Reference, why.Ja),
	}
}

// Next returns what to do.
func (e *RefusedError) Next() jpayment.Text {
	return jpayment.Text{
		En: "do not continue; to send it again once the reason has passed, call Review with StateWaiting",
		Ja: "処理を先に進めない。理由が解消した後で再送するには、Review に StateWaiting を指定する",
	}
}

// ErrNoJob means that there is no such job in the store.
var ErrNoJob error = &problem{
	what: jpayment.Text{En: "there is no such job", Ja: "該当するジョブがありません"},
	next: jpayment.Text{En: "check the store, the operation and the payment number", Ja: "店舗、処理、決済番号を確認する"},
}

// Enqueue records a request in a transaction of its own and returns its job.
//
// Enqueueing a request again does not send it again. If its job is open, done or in review,
// Enqueue changes nothing and returns that job with Existed set: check its State.
//
// The error is
//
//   - a [*jpayment.ValidationError] if the request is invalid,
//   - a [*RefusedError] if the request was recorded before and refused,
//   - a [*ConflictError] if the request was recorded with other amounts or another reference,
//     and neither refused nor withdrawn, or if another operation on the payment is open and
//     the request does not come after it.
func (q *Queue[TTx]) Enqueue(ctx context.Context, r Request) (Job, error) {
	jobs, err := q.enqueue(ctx, []Request{r}, false)
	if err != nil {
		return Job{}, err
	}
	return notRefused(jobs[0])
}

// EnqueueTx is [Queue.Enqueue] in the caller's transaction: the job exists if and only if the
// transaction is committed. After an error, roll the transaction back.
func (q *Queue[TTx]) EnqueueTx(ctx context.Context, tx TTx, r Request) (Job, error) {
	if err := q.check(ctx, r); err != nil {
		return Job{}, err
	}
	jobs, _, err := q.insert(ctx, tx, []Request{r}, false)
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

// EnqueueAll records all requests or none, and returns their jobs in order. Unlike
// [Queue.Enqueue] it also returns jobs that were refused before, with Existed set, so that
// a whole list can be enqueued again.
//
// A request that comes after a refused job is recorded as refused with ReasonPredecessor. It
// comes after that job by [Request.After], or by [Request.InTurn] if that job is above it in
// the list. The function passed to [Queue.OnSettled] is called for this verdict too.
func (q *Queue[TTx]) EnqueueAll(ctx context.Context, rs []Request) ([]Job, error) {
	return q.enqueue(ctx, rs, true)
}

func (q *Queue[TTx]) enqueue(ctx context.Context, rs []Request, list bool) ([]Job, error) {
	for _, r := range rs {
		if err := q.check(ctx, r); err != nil {
			return nil, err
		}
	}
	var jobs, news []Job
	err := q.transact(ctx, recording, 0, func(tx TTx) (err error) {
		jobs, news, err = q.insert(ctx, tx, rs, list)
		return err
	})
	if err != nil {
		return nil, err
	}
	q.concluded(ctx, news)
	return jobs, nil
}

// Check returns what [Queue.EnqueueAll] would return for one request, without changing
// anything: the recorded job, the zero Job for a new request, or the error.
func (q *Queue[TTx]) Check(ctx context.Context, r Request) (Job, error) {
	if err := q.check(ctx, r); err != nil {
		return Job{}, err
	}
	wanted, err := q.recordOf(r)
	if err != nil {
		return Job{}, err
	}
	of, err := q.store().jobsOf(ctx, wanted.PaymentID)
	if err = q.did(ctx, reading, 0, err); err != nil {
		return Job{}, err
	}
	p := plan{wanted: wanted, inTurn: r.inTurn}
	if r.after != 0 && !slices.ContainsFunc(of, func(other record) bool { return other.ID == r.after }) {
		return Job{}, ErrNoJob
	}
	if job, err := p.known(of); err != nil || job.ID != 0 {
		return job, err
	}
	return Job{}, p.checkPlace(of)
}

// checkPlace returns an error if the request cannot come after the job that it names.
func (p plan) checkPlace(of []record) error {
	w := p.placeAfter(of)
	for _, before := range of {
		if before.ID == w.After {
			return w.mayFollow(before)
		}
	}
	return nil
}

// plan is a request about to be recorded.
type plan struct {
	wanted record
	inTurn bool // it comes after an open job, or otherwise after wanted.After
	list   bool // if it comes after a refused job, it is refused instead of an error
}

// known returns the job that is already recorded for the request, or the zero Job if the
// request is new, or an error if it cannot be recorded. The jobs of its payment are in the
// order of their IDs.
func (p plan) known(of []record) (Job, error) {
	var holder *Job
	var last Job // for the same operation, refused or not
	for _, other := range of {
		if other.Operation == p.wanted.Operation {
			last = other.Job
			if other.State != StateRefused {
				break // At most one job is not refused, and later ones do not count.
			}
		}
		if other.holds {
			holder = &other.Job
		}
	}
	if last.ID != 0 {
		fields := last.differs(p.wanted.Job)
		switch {
		case len(fields) == 0:
			last.Existed = true
			return last, nil
		case last.State != StateRefused:
			return Job{}, &ConflictError{Operation: p.wanted.Operation, Job: last, Fields: fields}
		}
	}
	if holder != nil && p.wanted.After == 0 && !p.inTurn {
		return Job{}, &ConflictError{Operation: p.wanted.Operation, Job: *holder}
	}
	return Job{}, nil
}

// insert records the requests that are new, and returns the jobs of all, and those that were
// refused with it.
func (q *Queue[TTx]) insert(ctx context.Context, tx TTx, rs []Request, list bool) (jobs, news []Job, err error) {
	s := q.in(tx)
	if err := q.ready(ctx, s); err != nil {
		return nil, nil, err
	}
	payments := map[string]int{}
	plans, ids := make([]plan, len(rs)), make([]string, 0, len(rs))
	for i, r := range rs {
		wanted, err := q.recordOf(r)
		if err != nil {
			return nil, nil, err
		}
		plans[i] = plan{wanted: wanted, inTurn: r.inTurn, list: list}
		if payments[wanted.PaymentID]++; payments[wanted.PaymentID] == 1 {
			ids = append(ids, wanted.PaymentID)
		}
	}
	of := map[string][]record{}
	const page = 1000
	for some := range slices.Chunk(ids, page) {
		jobs, err := s.jobsOf(ctx, some...)
		if err != nil {
			return nil, nil, err
		}
		for _, r := range jobs {
			of[r.PaymentID] = append(of[r.PaymentID], r)
		}
	}
	jobs = make([]Job, len(rs))
	var fresh []int // new, and the only ones of their payments: recorded together
	var rest []int
	for i, p := range plans {
		if rs[i].after != 0 || payments[p.wanted.PaymentID] > 1 || len(of[p.wanted.PaymentID]) > 0 {
			rest = append(rest, i)
			continue
		}
		fresh = append(fresh, i)
	}
	var asked []record
	for some := range slices.Chunk(fresh, page) {
		wanted := make([]record, len(some))
		for k, i := range some {
			plans[i].wanted.holds = true
			wanted[k] = plans[i].wanted
		}
		inserted, err := s.insertJobs(ctx, wanted)
		if err != nil {
			return nil, nil, err
		}
		for _, i := range some {
			w := plans[i].wanted
			if w.ID = inserted[w.subject()]; w.ID == 0 {
				rest = append(rest, i) // Another transaction was faster.
				continue
			}
			jobs[i] = w.Job
			asked = append(asked, w)
		}
	}
	slices.Sort(rest)
	above := map[string]int64{} // the last job of each payment in the list
	for _, i := range rest {
		p := plans[i]
		if p.inTurn && p.wanted.After == 0 {
			p.wanted.After = above[p.wanted.PaymentID]
		}
		w, more, err := q.insertOne(ctx, tx, p)
		if err != nil {
			return nil, nil, err
		}
		jobs[i] = w.Job
		news = append(news, more...)
		above[w.PaymentID] = w.ID
		if w.isOpen() && !w.Existed {
			asked = append(asked, w)
		}
	}
	return jobs, news, q.ask(ctx, tx, asked)
}

// insertOne records one request, unless it is already recorded, in its place among the jobs of
// its payment. It returns the job, and the jobs that were refused with it.
func (q *Queue[TTx]) insertOne(ctx context.Context, tx TTx, p plan) (w record, news []Job, err error) {
	s := q.in(tx)
	for range 3 {
		w = p.wanted
		of, err := s.jobsOf(ctx, w.PaymentID)
		if err != nil {
			return w, nil, err
		}
		if job, err := p.known(of); err != nil || job.ID != 0 {
			w.Job = job
			return w, nil, err
		}
		w, before, err := q.placed(ctx, s, p, of)
		if err != nil {
			return w, nil, err
		}
		inserted, err := s.insertJobs(ctx, []record{w})
		if err != nil {
			return w, nil, err
		}
		if w.ID = inserted[w.subject()]; w.ID == 0 {
			continue
		}
		if before.State != StateRefused {
			return w, nil, nil
		}
		if w, err = s.lockJob(ctx, w.ID); err != nil {
			return w, nil, err
		}
		w = w.follows(before, q.moment())
		news, err = q.write(ctx, tx, w)
		return w, news, err
	}
	return w, nil, &problem{
		what: textf("%[2]s of payment %[1]s is being recorded by another transaction", "決済 %s の %s は、別のトランザクションで登録中です",
			w.PaymentID, w.Operation),
		next: nextAgain, cause: ErrNoJob,
	}
}

// placed returns the job in its place among those of its payment: it either holds the payment
// or waits for the job that it comes after. It locks that job and returns it as well.
func (q *Queue[TTx]) placed(ctx context.Context, s store, p plan, of []record) (w, before record, err error) {
	w = p.placeAfter(of)
	if w.After == 0 {
		w.holds = true
		return w, before, nil
	}
	if before, err = s.lockJob(ctx, w.After); err != nil {
		return w, before, err
	}
	if err := w.mayFollow(before); err != nil {
		return w, before, err
	}
	switch {
	case before.State == StateRefused && before.ID != p.wanted.After: // It was open a moment ago.
		return q.placed(ctx, s, p, slices.DeleteFunc(of, func(other record) bool { return other.ID == before.ID }))
	case before.State == StateRefused && !p.list:
		return w, before, &RefusedError{Job: before.Job, Operation: w.Operation}
	case before.State == StateDone:
		w.holds = true
		return w, before, nil
	}
	for _, other := range of {
		if other.waitsFor == before.ID {
			return w, before, &ConflictError{Operation: w.Operation, Job: other.Job}
		}
	}
	w.waitsFor, w.Reason = before.ID, ReasonAfter
	return w, before, nil
}

// placeAfter returns the job with After set to the job that it comes after, if any.
func (p plan) placeAfter(of []record) record {
	w := p.wanted
	if p.inTurn { // It comes after the last of the open jobs.
		for _, other := range of {
			if other.holds || other.waitsFor != 0 {
				w.After = other.ID
			}
		}
	}
	return w
}

// mayFollow returns an error if the job cannot come after the given one.
func (r record) mayFollow(before record) error {
	var bad invalidFields
	switch {
	case before.PaymentID != r.PaymentID:
		bad.add("After", textf("is job %d, which is for another payment", "のジョブ %d は別の決済のものです", before.ID))
	case before.Operation == jpayment.OpReAuth && before.State != StateRefused:
		bad.add("After", textf("is job %d, a re-authorisation, which replaces the payment: when it is done, make the request for the new payment", "のジョブ %d は再オーソリで、完了すると決済が置き換わります。完了後に新しい決済について登録してください", before.ID))
	}
	return bad.err(r.Operation, r.PaymentID)
}

// recordOf returns the job for a request.
func (q *Queue[TTx]) recordOf(r Request) (record, error) {
	t, now := termsOf(r.asked), q.moment()
	private, err := t.private.marshal()
	if err != nil {
		return record{}, err
	}
	return record{
		Job: Job{
			StoreID: q.storeID, Operation: t.operation, PaymentID: t.paymentID, Reference: r.reference, Batch: r.batch,
			Amount: t.amount, Tax: t.tax, Shipping: t.shipping, After: r.after, State: StateWaiting, Due: now, CreatedAt: now, UpdatedAt: now,
		},
		private: jpayment.NewSecret(private),
	}, nil
}

// differs names the fields in which another job for the same operation and payment differs.
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

package fulfilment

import (
	"context"
	"fmt"
	"time"

	"github.com/jpayment-go/jpayment"
)

// store holds the statements on this package's tables, for one store (店舗ID).
type store struct {
	session
	storeID string
}

// record is a job with what only the database has of it.
type record struct {
	Job
	private   string // of the request, as it is stored
	reviewed  int    // as many attempts has a person found out about
	forgotten bool   // the private data are erased
}

const jobColumns = `id, store_id, operation, payment_id, reference, batch, amount, tax, shipping, state, reason, code, result, new_payment_id, attempts, decided_by, note, due, created_at, updated_at`

func scanJob(rs rows) (Job, error) { return scanJobAnd(rs) }

// scanJobAnd scans a job and further columns.
func scanJobAnd(rs rows, more ...any) (j Job, err error) {
	var (
		result, note          string
		due, created, updated int64
	)
	err = rs.Scan(append([]any{
		&j.ID, &j.StoreID, &j.Operation, &j.PaymentID, &j.Reference, &j.Batch, &j.Amount, &j.Tax, &j.Shipping,
		&j.State, &j.Reason, &j.Code, &result, &j.NewPaymentID, &j.Attempts, &j.DecidedBy, &note, &due, &created, &updated,
	}, more...)...)
	if err != nil {
		return j, err
	}
	j.Note = jpayment.NewSecret(note)
	if !j.State.Settled() {
		j.Due = fromMicros(due)
	}
	j.CreatedAt, j.UpdatedAt = fromMicros(created), fromMicros(updated)
	j.Result, err = unmarshalResult(j.ID, result)
	return j, err
}

func scanRecord(rs rows) (r record, err error) {
	var forgotten int64
	r.Job, err = scanJobAnd(rs, &r.private, &r.reviewed, &forgotten)
	r.forgotten = forgotten != 0
	return r, err
}

func scanInt(rs rows) (n int64, err error) { err = rs.Scan(&n); return n, err }

// insertJob records a job and sets its ID, unless there is one for its operation and
// payment.
func (s store) insertJob(ctx context.Context, r *record) (inserted bool, err error) {
	r.ID, inserted, err = first(ctx, s, scanInt, `
		INSERT INTO jpayment_job (store_id, operation, payment_id, reference, batch, amount, tax, shipping, private, state, due, created_at, updated_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
		ON CONFLICT (store_id, operation, payment_id) DO NOTHING RETURNING id`,
		s.storeID, string(r.Operation), r.PaymentID, r.Reference, r.Batch, r.Amount, r.Tax, r.Shipping, r.private,
		string(r.State), micros(r.Due), micros(r.CreatedAt), micros(r.UpdatedAt))
	return inserted, err
}

// job reads the job of an operation on a payment, or returns ErrNoJob.
func (s store) job(ctx context.Context, op jpayment.Operation, paymentID string) (Job, error) {
	return found(first(ctx, s, scanJob,
		`SELECT `+jobColumns+` FROM jpayment_job WHERE store_id = $1 AND operation = $2 AND payment_id = $3`, s.storeID, string(op), paymentID))
}

// lockJob reads a job and keeps others from changing it until the transaction ends, or
// returns ErrNoJob. A transaction on SQLite has the database to itself from its beginning.
func (s store) lockJob(ctx context.Context, id int64) (record, error) {
	return found(first(ctx, s, scanRecord,
		`SELECT `+jobColumns+`, private, reviewed, forgotten FROM jpayment_job WHERE store_id = $1 AND id = $2`+s.forUpdate(), s.storeID, id))
}

// lockJobOf does what lockJob does, by operation and payment.
func (s store) lockJobOf(ctx context.Context, op jpayment.Operation, paymentID string) (record, error) {
	return found(first(ctx, s, scanRecord,
		`SELECT `+jobColumns+`, private, reviewed, forgotten FROM jpayment_job WHERE store_id = $1 AND operation = $2 AND payment_id = $3`+s.forUpdate(),
		s.storeID, string(op), paymentID))
}

// found turns the lack of a job into ErrNoJob.
func found[T any](one T, found bool, err error) (T, error) {
	if err == nil && !found {
		err = ErrNoJob
	}
	return one, err
}

// updateJob writes what a transition may change of a job, which is locked.
func (s store) updateJob(ctx context.Context, r record) error {
	result, err := marshalResult(r.Result)
	if err != nil {
		return err
	}
	return mustChange(ctx, s, `
		UPDATE jpayment_job SET state = $1, reason = $2, code = $3, result = $4, new_payment_id = $5, attempts = $6, reviewed = $7,
			forgotten = $8, decided_by = $9, note = $10, due = $11, updated_at = $12
		WHERE store_id = $13 AND id = $14`,
		string(r.State), string(r.Reason), string(r.Code), result, r.NewPaymentID, r.Attempts, r.reviewed,
		asInt(r.forgotten), r.DecidedBy, r.Note.Reveal(), micros(r.Due), micros(r.UpdatedAt), s.storeID, r.ID)
}

// jobs reads a page of jobs.
func (s store) jobs(ctx context.Context, f Filter) ([]Job, error) {
	statement := `SELECT ` + jobColumns + ` FROM jpayment_job WHERE store_id = $1 AND id > $2`
	params := []any{s.storeID, f.AfterID}
	for _, c := range []struct{ column, value string }{{"state", string(f.State)}, {"reference", f.Reference}, {"batch", f.Batch}} {
		if c.value != "" {
			params = append(params, c.value)
			statement += fmt.Sprintf(` AND %s = $%d`, c.column, len(params))
		}
	}
	params = append(params, f.Limit)
	return collect(ctx, s, scanJob, statement+fmt.Sprintf(` ORDER BY id LIMIT $%d`, len(params)), params...)
}

// overdueJobs reads which jobs' attempt or kickback was to come before a time, from after
// one job. It reads no more of them, so that a row that is unreadable hides no other.
func (s store) overdueJobs(ctx context.Context, before time.Time, after int64) ([]int64, error) {
	return collect(ctx, s, scanInt, `SELECT id FROM jpayment_job
		WHERE store_id = $1 AND state IN ('running', 'awaiting-kickback') AND due < $2 AND id > $3 ORDER BY id LIMIT 100`, s.storeID, micros(before), after)
}

// stateCount is how many jobs are in a state, and when the first of them is due.
type stateCount struct {
	state State
	n     int64
	due   time.Time
}

// countJobs counts jobs by their state, those of one batch if it is not empty.
func (s store) countJobs(ctx context.Context, batch string) ([]stateCount, error) {
	scan := func(rs rows) (c stateCount, err error) {
		var due int64
		err = rs.Scan(&c.state, &c.n, &due)
		c.due = fromMicros(due)
		return c, err
	}
	if batch == "" {
		return collect(ctx, s, scan, `SELECT state, COUNT(*), MIN(due) FROM jpayment_job WHERE store_id = $1 GROUP BY state`, s.storeID)
	}
	return collect(ctx, s, scan, `SELECT state, COUNT(*), MIN(due) FROM jpayment_job WHERE store_id = $1 AND batch = $2 GROUP BY state`, s.storeID, batch)
}

// kept is a job that still has private data.
type kept struct {
	id     int64
	result string
}

// lockForgettable reads and locks jobs, from after one, that were settled before a time, but
// for those in review, and still have private data.
func (s store) lockForgettable(ctx context.Context, before time.Time, after int64, limit int) ([]kept, error) {
	return collect(ctx, s, func(rs rows) (k kept, err error) { err = rs.Scan(&k.id, &k.result); return k, err },
		`SELECT id, result FROM jpayment_job WHERE store_id = $1 AND state IN ('done', 'refused') AND updated_at < $2 AND forgotten = 0 AND id > $3 ORDER BY id LIMIT $4`+s.forUpdate(),
		s.storeID, micros(before), after, limit)
}

// forgetJob erases the private data of a job, which is locked.
func (s store) forgetJob(ctx context.Context, k kept) error {
	return mustChange(ctx, s, `UPDATE jpayment_job SET private = '', result = $1, note = '', forgotten = 1 WHERE store_id = $2 AND id = $3`, k.result, s.storeID, k.id)
}

// insertAttempt writes down that an attempt begins.
func (s store) insertAttempt(ctx context.Context, jobID int64, a Attempt) error {
	return mustChange(ctx, s, `INSERT INTO jpayment_attempt (job_id, number, worker, started_at) VALUES ($1, $2, $3, $4)`,
		jobID, a.Number, a.Worker, micros(a.StartedAt))
}

// endAttempt writes down how an attempt ended, whatever was written before.
func (s store) endAttempt(ctx context.Context, jobID int64, a Attempt) error {
	return mustChange(ctx, s, `UPDATE jpayment_attempt SET ended_at = $1, outcome = $2, code = $3, what_en = $4, what_ja = $5 WHERE job_id = $6 AND number = $7`,
		micros(a.EndedAt), a.Outcome.String(), string(a.Code), a.What.En, a.What.Ja, jobID, a.Number)
}

// endOpenAttempt writes down how an attempt ended, if nobody has yet.
func (s store) endOpenAttempt(ctx context.Context, jobID int64, a Attempt) (ended bool, err error) {
	return change(ctx, s, `UPDATE jpayment_attempt SET ended_at = $1, outcome = $2, code = $3, what_en = $4, what_ja = $5 WHERE job_id = $6 AND number = $7 AND ended_at = 0`,
		micros(a.EndedAt), a.Outcome.String(), string(a.Code), a.What.En, a.What.Ja, jobID, a.Number)
}

const attemptColumns = `number, worker, started_at, ended_at, outcome, code, what_en, what_ja`

func scanAttempt(rs rows) (a Attempt, err error) {
	var (
		started, ended int64
		outcome        string
	)
	err = rs.Scan(&a.Number, &a.Worker, &started, &ended, &outcome, &a.Code, &a.What.En, &a.What.Ja)
	a.StartedAt, a.EndedAt, a.Outcome = fromMicros(started), fromMicros(ended), parseOutcome(outcome)
	return a, err
}

// attempts reads those of a job, in order.
func (s store) attempts(ctx context.Context, jobID int64) ([]Attempt, error) {
	return collect(ctx, s, scanAttempt, `SELECT `+attemptColumns+` FROM jpayment_attempt
		WHERE job_id IN (SELECT id FROM jpayment_job WHERE id = $1 AND store_id = $2) ORDER BY number`, jobID, s.storeID)
}

// lastAttempt reads the last attempt of a job. It is zero but for its number if there is
// none.
func (s store) lastAttempt(ctx context.Context, r record) (Attempt, error) {
	a, _, err := first(ctx, s, scanAttempt, `SELECT `+attemptColumns+` FROM jpayment_attempt WHERE job_id = $1 AND number = $2`, r.ID, r.Attempts)
	a.Number = r.Attempts
	return a, err
}

// unknownAttempts counts the attempts of a job, from after one number to before another,
// whose outcome is unknown.
func (s store) unknownAttempts(ctx context.Context, jobID int64, after, before int) (int, error) {
	n, _, err := first(ctx, s, scanInt, `SELECT COUNT(*) FROM jpayment_attempt
		WHERE job_id = $1 AND number > $2 AND number < $3 AND outcome = 'unknown'`, jobID, after, before)
	return int(n), err
}

// pause reads why the store is paused, or returns nil.
func (s store) pause(ctx context.Context) (*Pause, error) {
	p, found, err := first(ctx, s, func(rs rows) (p Pause, err error) {
		var at int64
		err = rs.Scan(&at, &p.Reason, &p.Code, &p.Why.En, &p.Why.Ja)
		p.At = fromMicros(at)
		return p, err
	}, `SELECT paused_at, reason, code, why_en, why_ja FROM jpayment_pause WHERE store_id = $1`, s.storeID)
	if err != nil || !found {
		return nil, err
	}
	return &p, nil
}

// insertPause pauses the store, unless it is paused.
func (s store) insertPause(ctx context.Context, p Pause) (inserted bool, err error) {
	return change(ctx, s, `INSERT INTO jpayment_pause (store_id, paused_at, reason, code, why_en, why_ja) VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (store_id) DO NOTHING`,
		s.storeID, micros(p.At), string(p.Reason), string(p.Code), p.Why.En, p.Why.Ja)
}

// deletePause ends the pause of the store, if it is paused.
func (s store) deletePause(ctx context.Context) (deleted bool, err error) {
	return change(ctx, s, `DELETE FROM jpayment_pause WHERE store_id = $1`, s.storeID)
}

// parseOutcome reads what Outcome.String wrote. What it does not know is unknown.
func parseOutcome(s string) jpayment.Outcome {
	for _, o := range []jpayment.Outcome{jpayment.OutcomeDone, jpayment.OutcomeNotSent, jpayment.OutcomeRefused} {
		if s == o.String() {
			return o
		}
	}
	return jpayment.OutcomeUnknown
}

// micros returns microseconds since 1970, and 0 for the zero time.
func micros(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMicro()
}

func fromMicros(n int64) time.Time {
	if n == 0 {
		return time.Time{}
	}
	return time.UnixMicro(n)
}

func asInt(b bool) int {
	if b {
		return 1
	}
	return 0
}

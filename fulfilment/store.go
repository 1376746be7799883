package fulfilment

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/jpayment-go/jpayment"
)

// store runs the statements on this package's tables, for one store (店舗ID). Statements that
// name several jobs by ID do not name the store, because a planner could then scan all of the
// store's jobs. The IDs are those of this store's jobs.
type store struct {
	session
	storeID string
}

// record is a job with its internal fields.
type record struct {
	Job
	private   jpayment.Secret // private data of the request, as stored
	waitsFor  int64           // the job that it comes after, as long as that one is open
	holds     bool            // it holds its payment, as at most one open job does
	reviewed  int             // the number of attempts covered by a person's decision
	forgotten bool            // the private data have been erased

	// The values that were read.
	was       State
	wasFor    Reason
	waitedFor int64
}

const jobColumns = `id, store_id, operation, payment_id, reference, batch, amount, tax, shipping, after_id, state, reason, code, result, new_payment_id, attempts, decided_by, note, disputed_at, dispute_en, dispute_ja, due, created_at, updated_at`

const recordColumns = jobColumns + `, private, waits_for, holds, reviewed, forgotten`

func scanJob(rs rows) (Job, error) { return scanJobAnd(rs) }

// scanJobAnd scans a job and further columns.
func scanJobAnd(rs rows, more ...any) (j Job, err error) {
	var (
		result, note                    string
		disputed, due, created, updated int64
	)
	err = rs.Scan(append([]any{
		&j.ID, &j.StoreID, &j.Operation, &j.PaymentID, &j.Reference, &j.Batch, &j.Amount, &j.Tax, &j.Shipping, &j.After,
		&j.State, &j.Reason, &j.Code, &result, &j.NewPaymentID, &j.Attempts, &j.DecidedBy, &note,
		&disputed, &j.Dispute.En, &j.Dispute.Ja, &due, &created, &updated,
	}, more...)...)
	if err != nil {
		return j, err
	}
	j.Note = jpayment.NewSecret(note)
	if !j.State.Settled() {
		j.Due = fromMicros(due)
	}
	j.DisputedAt, j.CreatedAt, j.UpdatedAt = fromMicros(disputed), fromMicros(created), fromMicros(updated)
	j.Result, err = unmarshalResult(j.ID, result)
	return j, err
}

func scanRecord(rs rows) (r record, err error) {
	var (
		private          string
		holds, forgotten int64
	)
	r.Job, err = scanJobAnd(rs, &private, &r.waitsFor, &holds, &r.reviewed, &forgotten)
	r.private = jpayment.NewSecret(private)
	r.holds, r.forgotten = holds != 0, forgotten != 0
	r.was, r.wasFor, r.waitedFor = r.State, r.Reason, r.waitsFor
	return r, err
}

func scanInt(rs rows) (n int64, err error) { err = rs.Scan(&n); return n, err }

// subject is an operation on a payment, the key of a job that is not refused.
type subject struct {
	operation jpayment.Operation
	paymentID string
}

func (j Job) subject() subject { return subject{j.Operation, j.PaymentID} }

// jobRow is a new job, as a parameter of rows_of.
type jobRow struct {
	Operation string `json:"operation"`
	PaymentID string `json:"payment_id"`
	Reference string `json:"reference"`
	Batch     string `json:"batch"`
	Amount    int64  `json:"amount"`
	Tax       int64  `json:"tax"`
	Shipping  int64  `json:"shipping"`
	Private   string `json:"private"`
	AfterID   int64  `json:"after_id"`
	WaitsFor  int64  `json:"waits_for"`
	Holds     int    `json:"holds"`
	State     string `json:"state"`
	Reason    string `json:"reason"`
	Due       int64  `json:"due"`
	CreatedAt int64  `json:"created_at"`
}

// insertJobs records jobs, except those that recorded jobs exclude. It returns the IDs of the
// jobs that it recorded.
func (s store) insertJobs(ctx context.Context, rs []record) (map[subject]int64, error) {
	all := make([]jobRow, len(rs))
	for i, r := range rs {
		all[i] = jobRow{
			string(r.Operation), r.PaymentID, r.Reference, r.Batch, r.Amount, r.Tax, r.Shipping, r.private.Reveal(), r.After, r.waitsFor, asInt(r.holds),
			string(r.State), string(r.Reason), micros(r.Due), micros(r.CreatedAt),
		}
	}
	param, err := asRows(all)
	if err != nil {
		return nil, err
	}
	type inserted struct {
		id int64
		subject
	}
	ids, err := collect(ctx, s, func(rs rows) (i inserted, err error) {
		err = rs.Scan(&i.id, &i.operation, &i.paymentID)
		return i, err
	}, `
		INSERT INTO jpayment_job (store_id, operation, payment_id, reference, batch, amount, tax, shipping, private, after_id, waits_for, holds, state, reason, due, created_at, updated_at)
		SELECT $1, operation, payment_id, reference, batch, amount, tax, shipping, private, after_id, waits_for, holds, state, reason, due, created_at, created_at
		FROM rows_of($2, operation TEXT, payment_id TEXT, reference TEXT, batch TEXT, amount BIGINT, tax BIGINT, shipping BIGINT, private TEXT, after_id BIGINT, waits_for BIGINT, holds BIGINT, state TEXT, reason TEXT, due BIGINT, created_at BIGINT) AS r
		WHERE true ON CONFLICT DO NOTHING RETURNING id, operation, payment_id`, s.storeID, param)
	of := make(map[subject]int64, len(ids))
	for _, i := range ids {
		of[i.subject] = i.id
	}
	return of, err
}

// job reads the job of an operation on a payment, or returns ErrNoJob. If there are several,
// that is the one that is not refused, or the newest.
func (s store) job(ctx context.Context, op jpayment.Operation, paymentID string) (Job, error) {
	return found(first(ctx, s, scanJob,
		`SELECT `+jobColumns+` FROM (`+
			`SELECT * FROM jpayment_job WHERE store_id = $1 AND payment_id = $2 AND operation = $3 AND state <> 'refused' UNION ALL `+
			`SELECT * FROM jpayment_job WHERE store_id = $1 AND payment_id = $2 AND operation = $3 AND state = 'refused') AS of_payment ORDER BY state = 'refused', id DESC LIMIT 1`,
		s.storeID, paymentID, string(op)))
}

// jobByID reads a job, or returns ErrNoJob.
func (s store) jobByID(ctx context.Context, id int64) (Job, error) {
	return found(first(ctx, s, scanJob, `SELECT `+jobColumns+` FROM jpayment_job WHERE store_id = $1 AND id = $2`, s.storeID, id))
}

type paymentRow struct {
	PaymentID string `json:"payment_id"`
}

// paymentRows returns payment numbers as a parameter of rows_of.
func paymentRows(ids []string) (string, error) {
	all := make([]paymentRow, len(ids))
	for i, id := range ids {
		all[i].PaymentID = id
	}
	return asRows(all)
}

// jobsOf reads all jobs of payments, in the order of their IDs.
func (s store) jobsOf(ctx context.Context, paymentIDs ...string) ([]record, error) {
	param, err := paymentRows(paymentIDs)
	if err != nil {
		return nil, err
	}
	return collect(ctx, s, scanRecord, `SELECT `+recordColumns+` FROM (
			SELECT j.* FROM rows_of($1, payment_id TEXT) AS p CROSS JOIN jpayment_job AS j WHERE j.store_id = $2 AND j.payment_id = p.payment_id AND j.state <> 'refused'
			UNION ALL
			SELECT j.* FROM rows_of($1, payment_id TEXT) AS p CROSS JOIN jpayment_job AS j WHERE j.store_id = $2 AND j.payment_id = p.payment_id AND j.state = 'refused'
		) AS of_payment ORDER BY id`, param, s.storeID)
}

// reauthorisedAs reads the jobs that made payments, in the order of their IDs.
func (s store) reauthorisedAs(ctx context.Context, newPaymentIDs ...string) ([]Job, error) {
	param, err := paymentRows(newPaymentIDs)
	if err != nil {
		return nil, err
	}
	return collect(ctx, s, scanJob, `SELECT `+jobColumns+` FROM (
			SELECT j.* FROM rows_of($1, payment_id TEXT) AS p CROSS JOIN jpayment_job AS j
			WHERE j.store_id = $2 AND j.new_payment_id = p.payment_id AND j.new_payment_id <> ''
		) AS of_payment ORDER BY id`, param, s.storeID)
}

// lockJob reads a job and locks it until the transaction ends, or returns ErrNoJob. In SQLite a
// transaction locks the whole database from its beginning.
func (s store) lockJob(ctx context.Context, id int64) (record, error) {
	return found(first(ctx, s, scanRecord,
		`SELECT `+recordColumns+` FROM jpayment_job WHERE store_id = $1 AND id = $2 FOR UPDATE`, s.storeID, id))
}

// lockJobs reads and locks those of the jobs that exist, in the order of their IDs.
func (s store) lockJobs(ctx context.Context, ids []int64) ([]record, error) {
	if len(ids) == 1 {
		r, err := s.lockJob(ctx, ids[0])
		if err == ErrNoJob { //nolint:errorlint // found returns it unwrapped.
			return nil, nil
		}
		return []record{r}, err
	}
	param, err := asRows(ids)
	if err != nil {
		return nil, err
	}
	all, err := collect(ctx, s, scanRecord, `SELECT `+recordColumns+` FROM jpayment_job WHERE id IN ids_of($1) ORDER BY id FOR UPDATE`, param)
	return slices.DeleteFunc(all, func(r record) bool { return r.StoreID != s.storeID }), err
}

// lockJobsOf locks the jobs of an operation on a payment. It returns the one that is not
// refused first, and then the newest first.
func (s store) lockJobsOf(ctx context.Context, op jpayment.Operation, paymentID string) ([]record, error) {
	all, err := collect(ctx, s, scanRecord,
		`SELECT `+recordColumns+` FROM jpayment_job WHERE store_id = $1 AND payment_id = $2 AND operation = $3 ORDER BY id FOR UPDATE`,
		s.storeID, paymentID, string(op))
	slices.SortFunc(all, func(a, b record) int {
		if a, b := a.State == StateRefused, b.State == StateRefused; a != b {
			return asInt(a) - asInt(b)
		}
		return cmp.Compare(b.ID, a.ID)
	})
	return all, err
}

// lockFollowers locks the jobs that wait for others.
func (s store) lockFollowers(ctx context.Context, ids []int64) ([]record, error) {
	param, err := asRows(ids)
	if err != nil {
		return nil, err
	}
	return collect(ctx, s, scanRecord, `SELECT `+recordColumns+` FROM jpayment_job
		WHERE waits_for <> 0 AND waits_for IN ids_of($1) ORDER BY id FOR UPDATE`, param)
}

// few is a condition that is true of every ID. It makes Postgres expect few rows, since it would
// otherwise scan a whole table.
func few(id string) string { return id + ` BETWEEN 1 AND 9223372036854775807` }

// found returns ErrNoJob if no job was found.
func found[T any](one T, found bool, err error) (T, error) {
	if err == nil && !found {
		err = ErrNoJob
	}
	return one, err
}

// changeRow holds the columns of a job that a transition may change, as a parameter.
type changeRow struct {
	ID           int64  `json:"id"`
	WaitsFor     int64  `json:"waits_for"`
	Holds        int    `json:"holds"`
	State        string `json:"state"`
	Reason       string `json:"reason"`
	Code         string `json:"code"`
	Result       string `json:"result"`
	NewPaymentID string `json:"new_payment_id"`
	Attempts     int    `json:"attempts"`
	Reviewed     int    `json:"reviewed"`
	Forgotten    int    `json:"forgotten"`
	DecidedBy    string `json:"decided_by"`
	Note         string `json:"note"`
	DisputedAt   int64  `json:"disputed_at"`
	DisputeEn    string `json:"dispute_en"`
	DisputeJa    string `json:"dispute_ja"`
	Due          int64  `json:"due"`
	UpdatedAt    int64  `json:"updated_at"`
}

// updateJobs writes transitions of locked jobs.
func (s store) updateJobs(ctx context.Context, rs []record) error {
	all := make([]changeRow, len(rs))
	for i, r := range rs {
		result, err := marshalResult(r.Result)
		if err != nil {
			return err
		}
		all[i] = changeRow{
			r.ID, r.waitsFor, asInt(r.holds), string(r.State), string(r.Reason), string(r.Code), result, r.NewPaymentID, r.Attempts, r.reviewed,
			asInt(r.forgotten), r.DecidedBy, r.Note.Reveal(), micros(r.DisputedAt), r.Dispute.En, r.Dispute.Ja, micros(r.Due), micros(r.UpdatedAt),
		}
	}
	param, err := asRows(all)
	if err != nil {
		return err
	}
	return mustChangeAll(ctx, s, len(rs), `
		UPDATE jpayment_job SET waits_for = r.waits_for, holds = r.holds, state = r.state, reason = r.reason, code = r.code, result = r.result,
			new_payment_id = r.new_payment_id, attempts = r.attempts, reviewed = r.reviewed, forgotten = r.forgotten,
			decided_by = r.decided_by, note = r.note, disputed_at = r.disputed_at, dispute_en = r.dispute_en, dispute_ja = r.dispute_ja,
			due = r.due, updated_at = r.updated_at
		FROM rows_of($1, id BIGINT, waits_for BIGINT, holds BIGINT, state TEXT, reason TEXT, code TEXT, result TEXT, new_payment_id TEXT, attempts BIGINT, reviewed BIGINT, forgotten BIGINT, decided_by TEXT, note TEXT, disputed_at BIGINT, dispute_en TEXT, dispute_ja TEXT, due BIGINT, updated_at BIGINT) AS r
		WHERE jpayment_job.id = r.id AND `+few("r.id"), param)
}

// beginRow holds the columns of a job that the start of an attempt changes, as a parameter.
type beginRow struct {
	ID        int64 `json:"id"`
	Attempts  int   `json:"attempts"`
	Due       int64 `json:"due"`
	UpdatedAt int64 `json:"updated_at"`
}

// beginJobs records in locked jobs that attempts begin.
func (s store) beginJobs(ctx context.Context, rs []record) error {
	all := make([]beginRow, len(rs))
	for i, r := range rs {
		all[i] = beginRow{r.ID, r.Attempts, micros(r.Due), micros(r.UpdatedAt)}
	}
	param, err := asRows(all)
	if err != nil {
		return err
	}
	return mustChangeAll(ctx, s, len(rs), `UPDATE jpayment_job SET state = 'running', attempts = r.attempts, due = r.due, updated_at = r.updated_at
		FROM rows_of($1, id BIGINT, attempts BIGINT, due BIGINT, updated_at BIGINT) AS r WHERE jpayment_job.id = r.id AND `+few("r.id"), param)
}

// jobs reads a page of jobs.
func (s store) jobs(ctx context.Context, f Filter) ([]Job, error) {
	statement := `SELECT ` + jobColumns + ` FROM jpayment_job WHERE store_id = $1 AND id > $2`
	params := []any{s.storeID, f.AfterID}
	for _, c := range []struct{ column, value string }{
		{"state", string(f.State)}, {"reference", f.Reference}, {"batch", f.Batch}, {"payment_id", f.PaymentID},
	} {
		if c.value != "" {
			params = append(params, c.value)
			statement += fmt.Sprintf(` AND %s = $%d`, c.column, len(params))
		}
	}
	// These conditions let the indexes be used.
	if f.Batch != "" {
		statement += ` AND batch <> ''`
	}
	if f.State != "" && f.State != StateDone {
		statement += ` AND state <> 'done'`
	}
	if f.ForPerson {
		statement += ` AND (state = 'review' OR disputed_at <> 0)`
	}
	params = append(params, f.Limit)
	return collect(ctx, s, scanJob, statement+fmt.Sprintf(` ORDER BY id LIMIT $%d`, len(params)), params...)
}

// overdueJobs returns the IDs of the jobs whose attempt or kickback was due before a time, a page
// at a time, after the given job. It reads only IDs, so that an unreadable row hides no other.
func (s store) overdueJobs(ctx context.Context, before time.Time, after int64) ([]int64, error) {
	return collect(ctx, s, scanInt, `SELECT id FROM jpayment_job
		WHERE store_id = $1 AND state <> 'done' AND state IN ('running', 'awaiting-kickback') AND due < $2 AND id > $3 ORDER BY id LIMIT 100`, s.storeID, micros(before), after)
}

// dueJobs returns the IDs of the jobs that were due before a time, the longest due first.
func (s store) dueJobs(ctx context.Context, before time.Time, limit int) ([]int64, error) {
	return collect(ctx, s, scanInt, `SELECT id FROM jpayment_job
		WHERE store_id = $1 AND state <> 'done' AND state = 'waiting' AND holds = 1 AND due < $2 ORDER BY due LIMIT $3`, s.storeID, micros(before), limit)
}

// postdatedJobs returns the IDs of the jobs that a fast clock has postponed: both their due time
// and their last change are in the future.
func (s store) postdatedJobs(ctx context.Context, after time.Time) ([]int64, error) {
	return collect(ctx, s, scanInt, `SELECT id FROM jpayment_job
		WHERE store_id = $1 AND state <> 'done' AND state IN ('waiting', 'running', 'awaiting-kickback') AND due > $2 AND updated_at > $2 ORDER BY id LIMIT 100`, s.storeID, micros(after))
}

// openJobs returns the IDs of a page of jobs that are not settled, after the given job.
func (s store) openJobs(ctx context.Context, after int64) ([]int64, error) {
	return collect(ctx, s, scanInt, `SELECT id FROM jpayment_job
		WHERE store_id = $1 AND state <> 'done' AND state IN ('waiting', 'running', 'awaiting-kickback') AND id > $2 ORDER BY id LIMIT 500`, s.storeID, after)
}

// countJobs returns the numbers of jobs by state, of one batch if batch is not empty.
func (s store) countJobs(ctx context.Context, batch string) (map[State]int64, error) {
	statement, params := `SELECT state, CAST(SUM(jobs) AS BIGINT) FROM jpayment_count WHERE store_id = $1`, []any{s.storeID}
	if batch != "" {
		statement, params = statement+` AND batch = $2`, append(params, batch)
	}
	type count struct {
		state State
		n     int64
	}
	counts, err := collect(ctx, s, func(rs rows) (c count, err error) { err = rs.Scan(&c.state, &c.n); return c, err }, statement+` GROUP BY state`, params...)
	of := map[State]int64{}
	for _, c := range counts {
		of[c.state] = c.n
	}
	return of, err
}

// nextDue returns when the first waiting job is due.
func (s store) nextDue(ctx context.Context, batch string) (time.Time, error) {
	statement, params := `SELECT due FROM jpayment_job WHERE store_id = $1 AND state = 'waiting' AND state <> 'done' AND waits_for = 0`, []any{s.storeID}
	if batch != "" {
		statement, params = statement+` AND batch = $2 AND batch <> ''`, append(params, batch)
	}
	due, _, err := first(ctx, s, scanInt, statement+` ORDER BY due LIMIT 1`, params...)
	return fromMicros(due), err
}

// countDisputed counts the jobs that are not in review and whose verdict a kickback contradicts.
func (s store) countDisputed(ctx context.Context, batch string) (int64, error) {
	statement, params := `SELECT COUNT(*) FROM jpayment_job WHERE store_id = $1 AND disputed_at <> 0 AND state <> 'review'`, []any{s.storeID}
	if batch != "" {
		statement, params = statement+` AND batch = $2`, append(params, batch)
	}
	n, _, err := first(ctx, s, scanInt, statement, params...)
	return n, err
}

// kept is a job that still has private data.
type kept struct {
	id     int64
	result string
}

// lockForgettable reads and locks a page of jobs, after the given job, that were done or refused
// before a time and still have private data.
func (s store) lockForgettable(ctx context.Context, before time.Time, after int64, limit int) ([]kept, error) {
	return collect(ctx, s, func(rs rows) (k kept, err error) { err = rs.Scan(&k.id, &k.result); return k, err },
		`SELECT id, result FROM jpayment_job WHERE store_id = $1 AND state IN ('done', 'refused') AND updated_at < $2 AND forgotten = 0 AND id > $3 ORDER BY id LIMIT $4 FOR UPDATE`,
		s.storeID, micros(before), after, limit)
}

// forgetJob erases the private data of a locked job, and of its attempts and decisions.
func (s store) forgetJob(ctx context.Context, k kept) error {
	if _, err := change(ctx, s, `UPDATE jpayment_decision SET note = '' WHERE job_id = $1`, k.id); err != nil {
		return err
	}
	if _, err := change(ctx, s, `UPDATE jpayment_attempt SET answer = '' WHERE job_id = $1 AND answer <> ''`, k.id); err != nil {
		return err
	}
	return mustChange(ctx, s, `UPDATE jpayment_job SET private = '', result = $1, note = '', forgotten = 1 WHERE store_id = $2 AND id = $3`, k.result, s.storeID, k.id)
}

// attemptRow is an attempt, as a parameter of rows_of.
type attemptRow struct {
	JobID   int64  `json:"job_id"`
	Number  int    `json:"number"`
	Worker  string `json:"worker"`
	At      int64  `json:"at"`
	Outcome string `json:"outcome"`
	Code    string `json:"code"`
	WhatEn  string `json:"what_en"`
	WhatJa  string `json:"what_ja"`
	Answer  string `json:"answer"`
}

// jobAttempt is an attempt of a job.
type jobAttempt struct {
	Attempt
	jobID  int64
	answer string // the stored answer, until the job is concluded
}

func attemptRows(as []jobAttempt, at func(Attempt) time.Time) (string, error) {
	all := make([]attemptRow, len(as))
	for i, a := range as {
		all[i] = attemptRow{a.jobID, a.Number, a.Worker, micros(at(a.Attempt)), a.Outcome.String(), string(a.Code), a.What.En, a.What.Ja, a.answer}
	}
	return asRows(all)
}

// insertAttempts records that attempts begin.
func (s store) insertAttempts(ctx context.Context, as []jobAttempt) error {
	param, err := attemptRows(as, func(a Attempt) time.Time { return a.StartedAt })
	if err != nil {
		return err
	}
	return mustChangeAll(ctx, s, len(as), `INSERT INTO jpayment_attempt (job_id, number, worker, started_at)
		SELECT job_id, number, worker, at FROM rows_of($1, job_id BIGINT, number BIGINT, worker TEXT, at BIGINT) AS r`, param)
}

// endAttempts records how attempts ended, and replaces what was recorded before.
func (s store) endAttempts(ctx context.Context, as []jobAttempt) error {
	param, err := attemptRows(as, func(a Attempt) time.Time { return a.EndedAt })
	if err != nil {
		return err
	}
	return mustChangeAll(ctx, s, len(as), `UPDATE jpayment_attempt SET ended_at = r.at, outcome = r.outcome, code = r.code, what_en = r.what_en, what_ja = r.what_ja, answer = r.answer
		FROM rows_of($1, job_id BIGINT, number BIGINT, at BIGINT, outcome TEXT, code TEXT, what_en TEXT, what_ja TEXT, answer TEXT) AS r
		WHERE jpayment_attempt.job_id = r.job_id AND jpayment_attempt.number = r.number AND `+few("r.job_id"), param)
}

const attemptColumns = `number, worker, started_at, ended_at, outcome, code, what_en, what_ja`

func scanAttemptAnd(rs rows, more ...any) (a Attempt, err error) {
	var (
		started, ended int64
		outcome        string
	)
	err = rs.Scan(append([]any{&a.Number, &a.Worker, &started, &ended, &outcome, &a.Code, &a.What.En, &a.What.Ja}, more...)...)
	a.StartedAt, a.EndedAt, a.Outcome = fromMicros(started), fromMicros(ended), parseOutcome(outcome)
	return a, err
}

// attempts reads the attempts of a job, in order.
func (s store) attempts(ctx context.Context, jobID int64) ([]Attempt, error) {
	return collect(ctx, s, func(rs rows) (Attempt, error) { return scanAttemptAnd(rs) }, `SELECT `+attemptColumns+` FROM jpayment_attempt
		WHERE job_id IN (SELECT id FROM jpayment_job WHERE id = $1 AND store_id = $2) ORDER BY number`, jobID, s.storeID)
}

// lastAttempt reads the last attempt of a job. If there is none, only its job and number are
// set.
func (s store) lastAttempt(ctx context.Context, r record) (jobAttempt, error) {
	a, _, err := first(ctx, s, func(rs rows) (a jobAttempt, err error) { a.Attempt, err = scanAttemptAnd(rs, &a.answer); return a, err },
		`SELECT `+attemptColumns+`, answer FROM jpayment_attempt WHERE job_id = $1 AND number = $2`, r.ID, r.Attempts)
	a.jobID, a.Number = r.ID, r.Attempts
	return a, err
}

// unknownAttempts counts the attempts of each job whose outcome is unknown, except those that a
// person's decision covers and the last ones, as many as last says.
func (s store) unknownAttempts(ctx context.Context, rs []record, last int) (map[int64]int, error) {
	ids := make([]int64, 0, len(rs))
	for _, r := range rs {
		if r.Attempts-last > r.reviewed {
			ids = append(ids, r.ID)
		}
	}
	unknown := map[int64]int{}
	if len(ids) == 0 {
		return unknown, nil
	}
	param, err := asRows(ids)
	if err != nil {
		return nil, err
	}
	type count struct {
		id int64
		n  int
	}
	counts, err := collect(ctx, s, func(rs rows) (c count, err error) { err = rs.Scan(&c.id, &c.n); return c, err }, `
		SELECT j.id, COUNT(*) FROM jpayment_job AS j
		JOIN jpayment_attempt AS a ON a.job_id = j.id AND a.number > j.reviewed AND a.number <= j.attempts - $1 AND a.outcome = 'unknown'
		WHERE j.id IN ids_of($2) GROUP BY j.id`, last, param)
	for _, c := range counts {
		unknown[c.id] = c.n
	}
	return unknown, err
}

// insertDecision records a person's decision.
func (s store) insertDecision(ctx context.Context, jobID int64, d Decision) error {
	return mustChange(ctx, s, `INSERT INTO jpayment_decision (job_id, number, state, new_payment_id, decided_by, note, decided_at)
		SELECT CAST($1 AS BIGINT), COALESCE(MAX(number), 0) + 1, CAST($2 AS TEXT), CAST($3 AS TEXT), CAST($4 AS TEXT), CAST($5 AS TEXT), CAST($6 AS BIGINT) FROM jpayment_decision WHERE job_id = $1`,
		jobID, string(d.State), d.NewPaymentID, d.By, d.Note.Reveal(), micros(d.At))
}

// decisions reads the decisions on a job, in order.
func (s store) decisions(ctx context.Context, jobID int64) ([]Decision, error) {
	return collect(ctx, s, func(rs rows) (d Decision, err error) {
		var (
			note string
			at   int64
		)
		err = rs.Scan(&d.State, &d.NewPaymentID, &d.By, &note, &at)
		d.Note, d.At = jpayment.NewSecret(note), fromMicros(at)
		return d, err
	}, `SELECT state, new_payment_id, decided_by, note, decided_at FROM jpayment_decision
		WHERE job_id IN (SELECT id FROM jpayment_job WHERE id = $1 AND store_id = $2) ORDER BY number`, jobID, s.storeID)
}

type newsRow struct {
	JobID  int64  `json:"job_id"`
	State  string `json:"state"`
	Reason string `json:"reason"`
	At     int64  `json:"at"`
}

// insertChanges records that jobs have become done, refused or in review. Unless told is set, a
// process with order code calls it for them later, if there has been such a process.
func (s store) insertChanges(ctx context.Context, rs []record, told bool) error {
	all := make([]newsRow, len(rs))
	for i, r := range rs {
		all[i] = newsRow{r.ID, string(r.State), string(r.Reason), micros(r.UpdatedAt)}
	}
	param, err := asRows(all)
	if err != nil {
		return err
	}
	return mustChangeAll(ctx, s, len(rs), `INSERT INTO jpayment_change (store_id, job_id, state, reason, changed_at, told)
		SELECT $1, job_id, state, reason, at, CASE WHEN $2 = 0 AND EXISTS (SELECT 1 FROM jpayment_store WHERE store_id = $1 AND hooked = 1) THEN 0 ELSE 1 END
		FROM rows_of($3, job_id BIGINT, state TEXT, reason TEXT, at BIGINT) AS r`, s.storeID, asInt(told), param)
}

// lockUntold locks the next change for which order code has not been called.
func (s store) lockUntold(ctx context.Context, after int64) (change storedChange, found bool, err error) {
	return first(ctx, s, scanChange, `SELECT id, job_id, state, reason, changed_at FROM jpayment_change WHERE store_id = $1 AND told = 0 AND id > $2 ORDER BY id LIMIT 1 FOR UPDATE`, s.storeID, after)
}

func (s store) markTold(ctx context.Context, change int64) error {
	return mustChange(ctx, s, `UPDATE jpayment_change SET told = 1 WHERE store_id = $1 AND id = $2`, s.storeID, change)
}

// storedChange is a change as stored. If it was read by changes, its id is its position.
type storedChange struct {
	id, jobID int64
	state     State
	reason    Reason
	at        time.Time
}

func scanChange(rs rows) (c storedChange, err error) {
	var at int64
	err = rs.Scan(&c.id, &c.jobID, &c.state, &c.reason, &at)
	c.at = fromMicros(at)
	return c, err
}

// number assigns positions to changes in the order in which their transactions became visible.
// Identity columns are not in that order: a reader would skip a transaction that is slow to
// commit.
func (s store) number(ctx context.Context) error {
	fresh, found, err := first(ctx, s, scanInt, `SELECT COUNT(*) FROM jpayment_change WHERE store_id = $1 AND position IS NULL`, s.storeID)
	if err != nil || !found || fresh == 0 {
		return err
	}
	if err := s.insertStore(ctx); err != nil {
		return err
	}
	before, err := s.lockPositions(ctx)
	if err != nil {
		return err
	}
	ids, err := collect(ctx, s, scanInt, `SELECT id FROM jpayment_change WHERE store_id = $1 AND position IS NULL ORDER BY id LIMIT 1000`, s.storeID)
	if err != nil || len(ids) == 0 {
		return err
	}
	type positionRow struct {
		ID       int64 `json:"id"`
		Position int64 `json:"position"`
	}
	all := make([]positionRow, len(ids))
	for i, id := range ids {
		all[i] = positionRow{id, before + int64(i) + 1}
	}
	param, err := asRows(all)
	if err != nil {
		return err
	}
	if err := mustChangeAll(ctx, s, len(ids), `UPDATE jpayment_change SET position = r.position FROM rows_of($1, id BIGINT, position BIGINT) AS r WHERE jpayment_change.id = r.id AND `+few("r.id"), param); err != nil {
		return err
	}
	return mustChange(ctx, s, `UPDATE jpayment_store SET positions = $1 WHERE store_id = $2`, before+int64(len(ids)), s.storeID)
}

func (s store) lockPositions(ctx context.Context) (int64, error) {
	n, _, err := first(ctx, s, scanInt, `SELECT positions FROM jpayment_store WHERE store_id = $1 FOR UPDATE`, s.storeID)
	return n, err
}

// changes reads a page of changes after a position.
func (s store) changes(ctx context.Context, after int64) ([]storedChange, error) {
	return collect(ctx, s, scanChange, `SELECT position, job_id, state, reason, changed_at FROM jpayment_change
		WHERE store_id = $1 AND position IS NOT NULL AND position > $2 ORDER BY position LIMIT 100`, s.storeID, after)
}

// insertStore inserts the row of the store, unless it exists.
func (s store) insertStore(ctx context.Context) error {
	_, err := change(ctx, s, `INSERT INTO jpayment_store (store_id) VALUES ($1) ON CONFLICT (store_id) DO NOTHING`, s.storeID)
	return err
}

// hook records that a process with order code has run.
func (s store) hook(ctx context.Context) error {
	_, err := change(ctx, s, `INSERT INTO jpayment_store (store_id, hooked) VALUES ($1, 1) ON CONFLICT (store_id) DO UPDATE SET hooked = 1 WHERE jpayment_store.hooked = 0`, s.storeID)
	return err
}

func scanAge(rs rows) (a age, err error) { err = rs.Scan(&a.Epoch, &a.Mark); return a, err }

// age reads the age of the database.
func (s store) age(ctx context.Context) (age, error) {
	a, _, err := first(ctx, s, scanAge, `SELECT epoch, mark FROM jpayment_store WHERE store_id = $1`, s.storeID)
	return a, err
}

// older increases the age of the database by one mark.
func (s store) older(ctx context.Context) (age, error) {
	a, _, err := first(ctx, s, scanAge, `INSERT INTO jpayment_store (store_id, mark) VALUES ($1, 1) ON CONFLICT (store_id) DO UPDATE SET mark = jpayment_store.mark + 1 RETURNING epoch, mark`, s.storeID)
	return a, err
}

// restored begins another epoch.
func (s store) restored(ctx context.Context) error {
	_, err := change(ctx, s, `INSERT INTO jpayment_store (store_id, epoch) VALUES ($1, 1) ON CONFLICT (store_id) DO UPDATE SET epoch = jpayment_store.epoch + 1`, s.storeID)
	return err
}

// reserve reserves a span of time for calls, after those of other processes, and returns its
// end. It ignores a reservation that is implausibly far ahead, since a fast clock made it.
func (s store) reserve(ctx context.Context, now time.Time, span time.Duration) (time.Time, error) {
	end, _, err := first(ctx, s, scanInt, `INSERT INTO jpayment_store (store_id, slot) VALUES ($1, CAST($2 AS BIGINT) + CAST($3 AS BIGINT))
		ON CONFLICT (store_id) DO UPDATE SET slot = CASE WHEN jpayment_store.slot > $2 AND jpayment_store.slot < CAST($2 AS BIGINT) + 100 * CAST($3 AS BIGINT) THEN jpayment_store.slot ELSE $2 END + $3
		RETURNING slot`, s.storeID, micros(now), span.Microseconds())
	return fromMicros(end), err
}

// gate is what a transaction checks before it sends or records anything.
type gate struct {
	version int
	pause   *Pause
}

// gate reads the version of the tables, and the pause of the store, if any.
func (s store) gate(ctx context.Context) (gate, error) {
	g, found, err := first(ctx, s, func(rs rows) (g gate, err error) {
		var (
			p         Pause
			at, until int64
		)
		err = rs.Scan(&g.version, &at, &until, &p.Reason, &p.Code, &p.Why.En, &p.Why.Ja)
		if at != 0 {
			p.At, p.Until = fromMicros(at), fromMicros(until)
			g.pause = &p
		}
		return g, err
	}, `SELECT version, COALESCE(paused_at, 0), COALESCE(until, 0), COALESCE(reason, ''), COALESCE(code, ''), COALESCE(why_en, ''), COALESCE(why_ja, '')
		FROM jpayment_version LEFT JOIN jpayment_pause ON store_id = $1`, s.storeID)
	if err == nil && !found {
		err = checkVersion(0)
	}
	return g, err
}

// insertPause pauses the store. A pause replaces one that ends automatically, if it lasts
// longer.
func (s store) insertPause(ctx context.Context, p Pause) (inserted bool, err error) {
	return change(ctx, s, `INSERT INTO jpayment_pause (store_id, paused_at, reason, code, why_en, why_ja, until) VALUES ($1, $2, $3, $4, $5, $6, $7)
		ON CONFLICT (store_id) DO UPDATE SET paused_at = excluded.paused_at, reason = excluded.reason, code = excluded.code, why_en = excluded.why_en, why_ja = excluded.why_ja, until = excluded.until
		WHERE jpayment_pause.until <> 0 AND (excluded.until = 0 OR excluded.until > jpayment_pause.until)`,
		s.storeID, micros(p.At), string(p.Reason), string(p.Code), p.Why.En, p.Why.Ja, micros(p.Until))
}

// deletePause ends the pause of the store, if it is paused.
func (s store) deletePause(ctx context.Context) (deleted bool, err error) {
	return change(ctx, s, `DELETE FROM jpayment_pause WHERE store_id = $1`, s.storeID)
}

// endPause ends a pause whose time is over.
func (s store) endPause(ctx context.Context, now time.Time) (ended bool, err error) {
	return change(ctx, s, `DELETE FROM jpayment_pause WHERE store_id = $1 AND until <> 0 AND until <= $2`, s.storeID, micros(now))
}

// presence reads the version of the tables, and the database's time if it has a clock.
func (s store) presence(ctx context.Context, clock string) (version int, now time.Time, err error) {
	type presence struct {
		version int
		now     int64
	}
	p, found, err := first(ctx, s, func(rs rows) (p presence, err error) { err = rs.Scan(&p.version, &p.now); return p, err },
		`SELECT version, `+clock+` FROM jpayment_version`)
	if err == nil && !found {
		err = checkVersion(0)
	}
	return p.version, fromMicros(p.now), err
}

// parseOutcome parses the result of Outcome.String. Anything else is OutcomeUnknown.
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

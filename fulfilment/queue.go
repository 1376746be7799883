package fulfilment

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/riverqueue/river"
	"github.com/riverqueue/river/rivermigrate"
	"go.opentelemetry.io/otel/metric"

	"github.com/jpayment-go/jpayment"
)

// Config is what the processes of one store have in common: those that enqueue and those
// that work.
type Config struct {
	// StoreID is the store (店舗ID), six half-width digits.
	StoreID string
	// KickbackWait makes re-authorisations ask for their result by kickback, and is how
	// long a job waits for it. It needs a client with [jpayment.WithKickbackKey] and a
	// handler that calls [Queue.Settle]. Then a re-authorisation whose reply is lost can
	// still be settled. With zero, the default, results are asked for at once, and a
	// re-authorisation whose outcome is unknown goes to review.
	KickbackWait time.Duration
	// ProductionOnly puts what was approved in test mode, by which no money moves, to
	// review and pauses the store. The clients should have [jpayment.WithProductionOnly]
	// too, but a kickback does not pass through them. Without it such an approval is done,
	// and [jpayment.Result.TestMode] tells.
	ProductionOnly bool
	// Charset is the one that the clients send, see [jpayment.WithCharset].
	Charset jpayment.Charset
	// Schema is Postgres's schema for the tables: lower-case letters, digits and
	// underscores. The default is jpayment. SQLite has none.
	Schema string
	// Logger gets one record for each attempt and each verdict, without private data. The
	// default is to log nothing.
	Logger *slog.Logger
	// Meter makes the counters of the workers: see [Queue.Run]. The default is none.
	Meter metric.MeterProvider
}

// Queue is the durable record of a store's wishes. It is safe for concurrent use. TTx is
// a transaction: *sql.Tx on SQLite, pgx.Tx on Postgres.
type Queue[TTx any] struct {
	db           database[TTx]
	storeID      string
	kickbackWait time.Duration
	production   bool
	log          *slog.Logger
	meters       meters
	rehearsal    *jpayment.Client
	inserter     *river.Client[TTx] // works nothing
	now          func() time.Time
	pace         func(time.Duration) time.Duration // of waits: as they are, but in tests
}

func newQueue[TTx any](db database[TTx], cfg Config) (*Queue[TTx], error) {
	var faults []jpayment.Fault
	rehearsal, err := newRehearsal(cfg)
	var invalid *jpayment.ValidationError
	if errors.As(err, &invalid) {
		faults = invalid.Faults
	} else if err != nil {
		return nil, err
	}
	if cfg.KickbackWait < 0 {
		faults = append(faults, jpayment.Fault{Field: "KickbackWait", Reason: "is negative"})
	}
	if cfg.Schema != "" && !schemaName.MatchString(cfg.Schema) {
		faults = append(faults, jpayment.Fault{Field: "Schema", Reason: "has other characters than a-z, 0-9 and _, begins with a digit, or is longer than 46"})
	}
	if len(faults) > 0 {
		return nil, invalidConfig("Config", faults...)
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	m, err := newMeters(cfg.Meter)
	if err != nil {
		return nil, err
	}
	inserter, err := river.NewClient(db.driver(), &river.Config{
		Schema: db.schema(),
		Logger: slog.New(slog.DiscardHandler),
		// It bounds how often workers are told of new jobs, too. At River's default a wish
		// soon after another would wait for the workers' next look.
		FetchCooldown: time.Millisecond,
	})
	if err != nil {
		return nil, err
	}
	return &Queue[TTx]{
		db: db, storeID: cfg.StoreID, kickbackWait: cfg.KickbackWait, production: cfg.ProductionOnly, log: cfg.Logger,
		meters: m, rehearsal: rehearsal, inserter: inserter, now: time.Now,
		pace: func(d time.Duration) time.Duration { return d },
	}, nil
}

func invalidConfig(what jpayment.Operation, faults ...jpayment.Fault) error {
	return &jpayment.ValidationError{Call: jpayment.Call{Operation: "fulfilment." + what}, Faults: faults}
}

// Migrate makes the tables, or brings them up to date. It does no harm to call it at every
// start, and from several processes at once.
func (q *Queue[TTx]) Migrate(ctx context.Context) error {
	return q.db.migrating(ctx, func(ctx context.Context) error {
		if _, err := q.db.session().exec(ctx, q.db.tables()); err != nil {
			return fmt.Errorf("fulfilment: making the tables: %w", err)
		}
		m, err := rivermigrate.New(q.db.driver(), &rivermigrate.Config{Schema: q.db.schema(), Logger: slog.New(slog.DiscardHandler)})
		if err != nil {
			return err
		}
		if _, err := m.Migrate(ctx, rivermigrate.DirectionUp, nil); err != nil {
			return fmt.Errorf("fulfilment: making River's tables: %w", err)
		}
		return nil
	})
}

// ConflictError says that a wish differs from one for the same operation and payment that
// is known already. Nothing was changed.
type ConflictError struct {
	Job    Job      // the one that is known
	Fields []string // what differs: "Amount", "Tax", "Shipping", "Reference"
}

// Error returns the conflict on one line.
func (e *ConflictError) Error() string {
	return fmt.Sprintf("fulfilment: %s of payment %s: it was asked for already, and not with the same %s (job %d, reference %q, %s); next: correct the request, or let a person decide on the job",
		e.Job.Operation, e.Job.PaymentID, strings.Join(e.Fields, " and "), e.Job.ID, e.Job.Reference, e.Job.State)
}

// ErrNoJob says that there is no such job.
var ErrNoJob = errors.New("fulfilment: there is no such job")

// Enqueue records a wish, in a transaction of its own. What was asked for before is not
// asked for again: the job that is known comes back with Existed set, whatever has become
// of it, or a [*ConflictError] if the amounts or the reference differ. The error of a
// request that cannot be right is a [*jpayment.ValidationError].
func (q *Queue[TTx]) Enqueue(ctx context.Context, r Request) (Job, error) {
	jobs, err := q.EnqueueAll(ctx, []Request{r})
	if err != nil {
		return Job{}, err
	}
	return jobs[0], nil
}

// EnqueueAll records wishes, all or none, and returns their jobs in order. For the rest
// see [Queue.Enqueue].
func (q *Queue[TTx]) EnqueueAll(ctx context.Context, rs []Request) (jobs []Job, err error) {
	if err := q.checkAll(rs); err != nil {
		return nil, err
	}
	err = q.db.transact(ctx, func(tx TTx) error {
		jobs, err = q.insert(ctx, tx, rs)
		return err
	})
	if err != nil {
		return nil, err
	}
	return jobs, nil
}

// EnqueueTx does what [Queue.Enqueue] does as a part of the caller's transaction: the wish
// is there if and when the transaction is committed. After an error roll it back.
func (q *Queue[TTx]) EnqueueTx(ctx context.Context, tx TTx, r Request) (Job, error) {
	if err := q.check(r); err != nil {
		return Job{}, err
	}
	jobs, err := q.insert(ctx, tx, []Request{r})
	if err != nil {
		return Job{}, err
	}
	return jobs[0], nil
}

// Check returns what [Queue.Enqueue] would, and changes nothing: the job that is known, or
// the zero Job for a wish that is new, or the error.
func (q *Queue[TTx]) Check(ctx context.Context, r Request) (Job, error) {
	if err := q.check(r); err != nil {
		return Job{}, err
	}
	known, err := q.known(ctx, q.db.session(), r)
	if errors.Is(err, ErrNoJob) {
		return Job{}, nil
	}
	return known, err
}

func (q *Queue[TTx]) checkAll(rs []Request) error {
	for _, r := range rs {
		if err := q.check(r); err != nil {
			return err
		}
	}
	return nil
}

func (q *Queue[TTx]) insert(ctx context.Context, tx TTx, rs []Request) ([]Job, error) {
	s := q.db.in(tx)
	jobs := make([]Job, len(rs))
	var fresh []int64
	for i, r := range rs {
		b := r.body
		private, err := b.marshal()
		if err != nil {
			return nil, err
		}
		now := micros(q.now())
		id, inserted, err := first(ctx, s, scanInt, `
			INSERT INTO jpayment_job (store_id, operation, payment_id, reference, batch, amount, tax, shipping, private, state, due, created_at, updated_at)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
			ON CONFLICT (store_id, operation, payment_id) DO NOTHING RETURNING id`,
			q.storeID, string(r.operation), b.PaymentID, r.reference, r.batch, b.Amount, b.Tax, b.Shipping, private,
			string(StateWaiting), now, now, now)
		if err != nil {
			return nil, fmt.Errorf("fulfilment: recording a wish: %w", err)
		}
		if inserted {
			jobs[i] = Job{
				ID: id, StoreID: q.storeID, Operation: r.operation, PaymentID: b.PaymentID, Reference: r.reference, Batch: r.batch,
				Amount: b.Amount, Tax: b.Tax, Shipping: b.Shipping, State: StateWaiting,
				Due: fromMicros(now), CreatedAt: fromMicros(now), UpdatedAt: fromMicros(now),
			}
			fresh = append(fresh, id)
			continue
		}
		known, err := q.known(ctx, s, r)
		if errors.Is(err, ErrNoJob) {
			err = fmt.Errorf("fulfilment: %s of payment %s is being asked for by another transaction; try again: %w", r.operation, b.PaymentID, err)
		}
		if err != nil {
			return nil, err
		}
		jobs[i] = known
	}
	return jobs, q.ask(ctx, tx, time.Time{}, fresh...)
}

// known returns the job of a wish, ErrNoJob, or a ConflictError.
func (q *Queue[TTx]) known(ctx context.Context, s session, r Request) (Job, error) {
	job, err := q.find(ctx, s, r.operation, r.body.PaymentID)
	if err != nil {
		return Job{}, err
	}
	if fields := job.differs(r); len(fields) > 0 {
		return Job{}, &ConflictError{Job: job, Fields: fields}
	}
	job.Existed = true
	return job, nil
}

// differs names what a request says otherwise than the job.
func (j Job) differs(r Request) (fields []string) {
	for _, f := range []struct {
		name    string
		differs bool
	}{
		{"Amount", j.Amount != r.body.Amount},
		{"Tax", j.Tax != r.body.Tax},
		{"Shipping", j.Shipping != r.body.Shipping},
		{"Reference", j.Reference != r.reference},
	} {
		if f.differs {
			fields = append(fields, f.name)
		}
	}
	return fields
}

// args is River's job: it names one of ours and holds nothing else.
type args struct {
	JobID int64 `json:"job_id"`
}

// Kind is River's name for the jobs of this package.
func (args) Kind() string { return "jpayment" }

// riverQueue is the River queue of a store, so that stores pause apart.
func (q *Queue[TTx]) riverQueue() string { return "jpayment-" + q.storeID }

// maxRiverAttempts is as many as River's column holds: it is the policy that ends a job.
const maxRiverAttempts = 32767

// ask has River run jobs at a time, or now. Whoever makes a job wait calls it in the same
// transaction: that is what keeps a job from being forgotten.
func (q *Queue[TTx]) ask(ctx context.Context, tx TTx, at time.Time, ids ...int64) error {
	if len(ids) == 0 {
		return nil
	}
	params := make([]river.InsertManyParams, len(ids))
	for i, id := range ids {
		params[i] = river.InsertManyParams{Args: args{id}, InsertOpts: &river.InsertOpts{Queue: q.riverQueue(), MaxAttempts: maxRiverAttempts, ScheduledAt: at}}
	}
	if _, err := q.inserter.InsertManyFastTx(ctx, tx, params); err != nil {
		return fmt.Errorf("fulfilment: asking River: %w", err)
	}
	return nil
}

const jobColumns = `id, store_id, operation, payment_id, reference, batch, amount, tax, shipping, state, reason, code, result, new_payment_id, attempts, decided_by, note, due, created_at, updated_at`

func scanJob(rs rows) (j Job, err error) {
	var (
		result                string
		due, created, updated int64
	)
	err = rs.Scan(&j.ID, &j.StoreID, &j.Operation, &j.PaymentID, &j.Reference, &j.Batch, &j.Amount, &j.Tax, &j.Shipping,
		&j.State, &j.Reason, &j.Code, &result, &j.NewPaymentID, &j.Attempts, &j.DecidedBy, &j.Note, &due, &created, &updated)
	if err != nil {
		return j, err
	}
	if !j.State.Settled() {
		j.Due = fromMicros(due)
	}
	j.CreatedAt, j.UpdatedAt = fromMicros(created), fromMicros(updated)
	j.Result, err = unmarshalResult(result)
	return j, err
}

func (q *Queue[TTx]) find(ctx context.Context, s session, op jpayment.Operation, paymentID string) (Job, error) {
	j, found, err := first(ctx, s, scanJob,
		`SELECT `+jobColumns+` FROM jpayment_job WHERE store_id = $1 AND operation = $2 AND payment_id = $3`, q.storeID, string(op), paymentID)
	if err == nil && !found {
		err = ErrNoJob
	}
	return j, err
}

// Job returns the job of an operation (OpSales, OpCancel or OpReAuth) on a payment, or
// [ErrNoJob].
func (q *Queue[TTx]) Job(ctx context.Context, op jpayment.Operation, paymentID string) (Job, error) {
	return q.find(ctx, q.db.session(), op, paymentID)
}

// JobTx does what [Queue.Job] does in the caller's transaction.
func (q *Queue[TTx]) JobTx(ctx context.Context, tx TTx, op jpayment.Operation, paymentID string) (Job, error) {
	return q.find(ctx, q.db.in(tx), op, paymentID)
}

// Filter selects jobs. Of an empty field all are selected.
type Filter struct {
	State     State
	Reference string
	Batch     string
	AfterID   int64 // for the next page: the ID of the last one's last job
	Limit     int   // the default is 100
}

// Jobs returns jobs in the order of their IDs, which is that of their wishes.
func (q *Queue[TTx]) Jobs(ctx context.Context, f Filter) ([]Job, error) {
	statement := `SELECT ` + jobColumns + ` FROM jpayment_job WHERE store_id = $1 AND id > $2`
	params := []any{q.storeID, f.AfterID}
	for _, c := range []struct{ column, value string }{{"state", string(f.State)}, {"reference", f.Reference}, {"batch", f.Batch}} {
		if c.value != "" {
			params = append(params, c.value)
			statement += fmt.Sprintf(` AND %s = $%d`, c.column, len(params))
		}
	}
	if f.Limit <= 0 {
		f.Limit = 100
	}
	params = append(params, f.Limit)
	return collect(ctx, q.db.session(), scanJob, statement+fmt.Sprintf(` ORDER BY id LIMIT $%d`, len(params)), params...)
}

// Attempts returns what was tried for a job, in order.
func (q *Queue[TTx]) Attempts(ctx context.Context, jobID int64) ([]Attempt, error) {
	return collect(ctx, q.db.session(), func(rs rows) (a Attempt, err error) {
		var (
			started, ended int64
			outcome        string
		)
		err = rs.Scan(&a.Number, &a.Worker, &started, &ended, &outcome, &a.Code, &a.What)
		a.StartedAt, a.EndedAt, a.Outcome = fromMicros(started), fromMicros(ended), parseOutcome(outcome)
		return a, err
	}, `SELECT number, worker, started_at, ended_at, outcome, code, what FROM jpayment_attempt
		WHERE job_id IN (SELECT id FROM jpayment_job WHERE id = $1 AND store_id = $2) ORDER BY number`, jobID, q.storeID)
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

// Status counts jobs by their state.
type Status struct {
	Waiting, Running, Awaiting, Done, Refused, Review int64
	// Paused is why nothing is sent, or nil.
	Paused *Pause
	// NextDue is when the first of the waiting jobs is due, zero if none is waiting.
	NextDue time.Time
}

// Open returns how many jobs are not settled.
func (s Status) Open() int64 { return s.Waiting + s.Running + s.Awaiting }

// Total returns how many jobs there are.
func (s Status) Total() int64 { return s.Open() + s.Done + s.Refused + s.Review }

// Pause is why a store sends nothing.
type Pause struct {
	At   time.Time
	Code jpayment.Code // the gateway's, or empty
	Why  string
}

// Status counts the jobs of the store, or those of one batch if it is not empty.
func (q *Queue[TTx]) Status(ctx context.Context, batch string) (Status, error) {
	var st Status
	where, params := `store_id = $1`, []any{q.storeID}
	if batch != "" {
		where, params = where+` AND batch = $2`, append(params, batch)
	}
	_, err := collect(ctx, q.db.session(), func(rs rows) (struct{}, error) {
		var (
			state  State
			n, due int64
		)
		if err := rs.Scan(&state, &n, &due); err != nil {
			return struct{}{}, err
		}
		switch state {
		case StateWaiting:
			st.Waiting, st.NextDue = n, fromMicros(due)
		case StateRunning:
			st.Running = n
		case StateAwaiting:
			st.Awaiting = n
		case StateDone:
			st.Done = n
		case StateRefused:
			st.Refused = n
		case StateReview:
			st.Review = n
		}
		return struct{}{}, nil
	}, `SELECT state, COUNT(*), MIN(due) FROM jpayment_job WHERE `+where+` GROUP BY state`, params...)
	if err != nil {
		return Status{}, err
	}
	st.Paused, err = q.paused(ctx, q.db.session())
	return st, err
}

func (q *Queue[TTx]) paused(ctx context.Context, s session) (*Pause, error) {
	p, found, err := first(ctx, s, func(rs rows) (p Pause, err error) {
		var at int64
		err = rs.Scan(&at, &p.Code, &p.Why)
		p.At = fromMicros(at)
		return p, err
	}, `SELECT paused_at, code, why FROM jpayment_pause WHERE store_id = $1`, q.storeID)
	if err != nil || !found {
		return nil, err
	}
	return &p, nil
}

// Pause stops the sending for the store, on all machines, until Resume. Calls on their way
// are finished.
func (q *Queue[TTx]) Pause(ctx context.Context, why string) error {
	return q.db.transact(ctx, func(tx TTx) error { return q.pauseTx(ctx, tx, "", why) })
}

// pauseTx keeps the first reason. The record is this package's own, and the workers look at
// it before each attempt; River's pause only keeps them from being woken for nothing.
func (q *Queue[TTx]) pauseTx(ctx context.Context, tx TTx, code jpayment.Code, why string) error {
	if err := q.inserter.QueuePauseTx(ctx, tx, q.riverQueue(), nil); err != nil && !errors.Is(err, river.ErrNotFound) {
		return err
	}
	_, err := q.db.in(tx).exec(ctx, `INSERT INTO jpayment_pause (store_id, paused_at, code, why) VALUES ($1, $2, $3, $4) ON CONFLICT (store_id) DO NOTHING`,
		q.storeID, micros(q.now()), string(code), why)
	return err
}

// Resume takes the sending up again after Pause, or after the fault that stopped it was
// corrected.
func (q *Queue[TTx]) Resume(ctx context.Context) error {
	return q.db.transact(ctx, func(tx TTx) error {
		if err := q.inserter.QueueResumeTx(ctx, tx, q.riverQueue(), nil); err != nil && !errors.Is(err, river.ErrNotFound) {
			return err
		}
		_, err := q.db.in(tx).exec(ctx, `DELETE FROM jpayment_pause WHERE store_id = $1`, q.storeID)
		return err
	})
}

// Decision is what a person found out about a job.
type Decision struct {
	// State is StateDone if the control panel shows that it was carried out, StateRefused
	// if it was not and is not to be, StateWaiting if it was not and is to be sent again.
	State State
	// NewPaymentID is the payment that a re-authorisation made, if it is done.
	NewPaymentID string
	By           string // who decided: 1 to 200 bytes
	Note         string // at most 200 bytes
}

// Review records a person's decision on a job that needs review, or that awaits its
// kickback, and returns the job. A waiting job that nobody has ever sent can be
// withdrawn by a decision for StateRefused, and a refused one be sent again, when its
// reason has passed, by one for StateWaiting.
func (q *Queue[TTx]) Review(ctx context.Context, jobID int64, d Decision) (job Job, err error) {
	err = q.db.transact(ctx, func(tx TTx) error {
		s := q.db.in(tx)
		var found bool
		now := q.now()
		job, found, err = first(ctx, s, scanJob, `SELECT `+jobColumns+` FROM jpayment_job WHERE id = $1 AND store_id = $2`, jobID, q.storeID)
		if err == nil && !found {
			err = ErrNoJob
		}
		if err != nil {
			return err
		}
		if err := d.check(job); err != nil {
			return err
		}
		reason := ReasonDecided
		if d.State == StateWaiting {
			reason = ReasonAgain
		}
		if d.State == StateWaiting {
			erased, _, err := first(ctx, s, scanInt, `SELECT COUNT(*) FROM jpayment_job WHERE id = $1 AND private = 'forgotten'`, job.ID)
			if err != nil {
				return err
			}
			if erased > 0 {
				return fmt.Errorf("fulfilment: the private data of job %d are erased, so it cannot be sent again", job.ID)
			}
		}
		// As long as it stands as it was read, a person's word counts.
		changed, err := s.exec(ctx, `UPDATE jpayment_job SET state = $1, reason = $2, new_payment_id = $3, decided_by = $4, note = $5, reviewed = attempts, due = $6, updated_at = $7
			WHERE id = $8 AND state = $9 AND attempts = $10 AND NOT (state = 'refused' AND private = 'forgotten')`,
			string(d.State), string(reason), d.NewPaymentID, d.By, d.Note, micros(now), micros(now), job.ID, string(job.State), job.Attempts)
		if err != nil {
			return err
		}
		if changed == 0 {
			return fmt.Errorf("fulfilment: job %d changed meanwhile; look again", job.ID)
		}
		job.State, job.Reason, job.NewPaymentID, job.DecidedBy, job.Note = d.State, reason, d.NewPaymentID, d.By, d.Note
		job.Due, job.UpdatedAt = time.Time{}, fromMicros(micros(now))
		if d.State == StateWaiting {
			job.Due = job.UpdatedAt
			return q.ask(ctx, tx, time.Time{}, job.ID)
		}
		return nil
	})
	if err != nil {
		return Job{}, err
	}
	q.log.LogAttrs(ctx, slog.LevelInfo, "fulfilment: reviewed", slog.Any("job", job), slog.String("by", d.By))
	return job, nil
}

func (d Decision) check(j Job) error {
	var faults []jpayment.Fault
	add := func(field, reason string) {
		if reason != "" {
			faults = append(faults, jpayment.Fault{Field: field, Reason: reason})
		}
	}
	switch {
	case j.State == StateWaiting && j.Attempts == 0 && d.State == StateRefused:
	case j.State == StateRefused && d.State == StateWaiting:
	case j.State != StateReview && j.State != StateAwaiting:
		add("Job", fmt.Sprintf("is %s; a decision is for one that needs review or awaits its kickback, and a refused one can be sent again", j.State))
	}
	if d.State != StateDone && d.State != StateRefused && d.State != StateWaiting {
		add("State", "is neither done nor refused nor waiting")
	}
	switch wanted := j.Operation == jpayment.OpReAuth && d.State == StateDone; {
	case wanted && (d.NewPaymentID == "" || strings.Trim(d.NewPaymentID, "0123456789") != "" || d.NewPaymentID == j.PaymentID):
		add("NewPaymentID", "is not the number of the payment that the re-authorisation made")
	case !wanted && d.NewPaymentID != "":
		add("NewPaymentID", "is given although no payment was made")
	}
	if d.By == "" {
		add("By", "is empty")
	}
	add("By", nameReason(d.By))
	add("Note", nameReason(d.Note))
	if len(faults) == 0 {
		return nil
	}
	return &jpayment.ValidationError{Call: jpayment.Call{Operation: "Review of " + j.Operation, PaymentID: j.PaymentID}, Faults: faults}
}

// Forget erases the private data of the jobs that were settled before a time, in review
// not included: e-mail addresses, telephone numbers, other data, approval codes, issued
// IDs and passwords, and what persons noted. The verdicts stay. It returns how many jobs
// it changed. A copy of the database made before still has them.
func (q *Queue[TTx]) Forget(ctx context.Context, before time.Time) (forgotten int64, err error) {
	const batch = 500 // Between batches workers get their turn.
	for {
		var n int64
		err := q.db.transact(ctx, func(tx TTx) error {
			s := q.db.in(tx)
			type kept struct {
				id     int64
				result string
			}
			all, err := collect(ctx, s, func(rs rows) (k kept, err error) { err = rs.Scan(&k.id, &k.result); return k, err },
				`SELECT id, result FROM jpayment_job WHERE store_id = $1 AND state IN ('done', 'refused') AND updated_at < $2 AND private <> 'forgotten' ORDER BY id LIMIT $3`,
				q.storeID, micros(before), batch)
			if err != nil {
				return err
			}
			for _, k := range all {
				if k.result, err = forget(k.result); err != nil {
					return err
				}
				// Meanwhile a person may have had it sent again.
				if _, err = s.exec(ctx, `UPDATE jpayment_job SET private = 'forgotten', result = $1, note = '' WHERE id = $2 AND state IN ('done', 'refused')`, k.result, k.id); err != nil {
					return err
				}
			}
			n = int64(len(all))
			return nil
		})
		forgotten += n
		if err != nil || n < batch {
			return forgotten, err
		}
	}
}

// forget returns a stored result without what is private in it.
func forget(result string) (string, error) {
	r, err := unmarshalResult(result)
	if r == nil || err != nil {
		return "", err
	}
	r.ApprovalCode, r.IssuedID, r.IssuedPassword, r.Other = jpayment.Secret{}, jpayment.Secret{}, jpayment.Secret{}, jpayment.Secret{}
	return marshalResult(r)
}

func micros(t time.Time) int64 { return t.UnixMicro() }

func fromMicros(n int64) time.Time {
	if n == 0 {
		return time.Time{}
	}
	return time.UnixMicro(n)
}

func unmarshalPrivate(text string) (p private, err error) {
	if text == "" {
		return p, nil
	}
	if err = json.Unmarshal([]byte(text), &p); err != nil {
		return p, errors.New("fulfilment: the private data of a job are unreadable") // The cause may quote them.
	}
	return p, nil
}

package fulfilment

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	driver "modernc.org/sqlite"

	"github.com/jpayment-go/jpayment"
)

// databaseError is a failure of the database. It prints the kind of the failure and not the
// driver's message, since drivers quote values.
type databaseError struct{ driver func() error } // a function, because fmt does not print its result

// failed wraps a failure of the database in a databaseError.
func failed(err error) error {
	if err == nil || atFault(err) {
		return err
	}
	return &databaseError{func() error { return err }}
}

// Error returns the kind of the failure: the database's code, or the driver's type.
func (e *databaseError) Error() string {
	var (
		server *pgconn.PgError
		lite   *driver.Error
		errno  syscall.Errno
		err    = e.driver()
	)
	switch {
	case errors.As(err, &server):
		return fmt.Sprintf("Postgres failed (SQLSTATE %s)", server.Code)
	case errors.As(err, &lite):
		return fmt.Sprintf("SQLite failed (code %d: %s)", lite.Code(), driver.ErrorCodeString[lite.Code()&0xff])
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return "the database did not answer in time"
	case errors.As(err, &errno):
		return fmt.Sprintf("the database failed (%T: %s)", err, errno)
	default:
		return fmt.Sprintf("the database failed (%T)", err)
	}
}

// Format writes what Error returns, for every verb.
func (e *databaseError) Format(f fmt.State, _ rune) { fmt.Fprint(f, e.Error()) }

// Unwrap returns the driver's error, which may quote values.
func (e *databaseError) Unwrap() error { return e.driver() }

// atFault reports whether an error is the database's fault.
func atFault(err error) bool {
	var p *problem
	return errors.As(err, new(*databaseError)) || errors.As(err, &p) && p.database
}

// Health reports whether the database answers this process.
type Health struct {
	// Since is when the database began to fail. It is zero if it answers.
	Since time.Time
	// Last is when it last failed.
	Last time.Time
	// Failures is the number of failures since then.
	Failures int64
	// What describes the last failure, without private data.
	What jpayment.Text
}

// OK reports whether the database answers.
func (h Health) OK() bool { return h.Since.IsZero() }

// Health reports whether the database answers this process, by the last calls and without
// accessing it. If several steps fail, it returns the failure that has lasted longest.
func (q *Queue[TTx]) Health() Health { return q.health.worst(q.moment()) }

// doing is a step that needs the database. A failure ends when the same step succeeds:
// reading may succeed while writing fails.
type doing string

const (
	migrating doing = "migrating"
	recording doing = "recording" // requests, kickbacks, decisions and pauses
	reading   doing = "reading"
	beginning doing = "beginning an attempt"
	ending    doing = "ending an attempt"

	sweeping   doing = "looking for overdue jobs"
	concluding doing = "concluding an overdue job"
	listing    doing = "listing River's jobs"
	replacing  doing = "enqueueing in River again"
	telling    doing = "calling order code"
)

// health holds the current failures, by step. For a row that cannot be read the key is its
// job, and for order code that fails it is toldOf that.
type health struct {
	mu      sync.Mutex
	failing map[any]Health
}

func (h *health) fails(key any, what jpayment.Text, now time.Time) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.failing == nil {
		h.failing = map[any]Health{}
	}
	one := h.failing[key]
	if one.OK() {
		one.Since = now
	}
	one.Last, one.What = now, what
	one.Failures++
	h.failing[key] = one
}

// works ends a failure and returns it, if there was one.
func (h *health) works(key any) Health {
	h.mu.Lock()
	defer h.mu.Unlock()
	one := h.failing[key]
	delete(h.failing, key)
	return one
}

// rests reports whether what keeps failing should not be tried again yet. The pauses double up
// to five seconds.
func (h *health) rests(key any, now time.Time) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	one := h.failing[key]
	return !one.OK() && now.Sub(one.Last) < min(500*time.Millisecond<<min(one.Failures, 4), 5*time.Second)
}

// rowMemory is how long the failure for a single job counts unless it is repeated, since
// another process may have settled the job.
const rowMemory = 10 * time.Minute

func (h *health) worst(now time.Time) (worst Health) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for key, one := range h.failing {
		if _, step := key.(doing); !step && now.Sub(one.Last) > rowMemory {
			delete(h.failing, key)
			continue
		}
		if worst.OK() || one.Since.Before(worst.Since) {
			worst = one
		}
	}
	return worst
}

// transact runs f in a transaction and reports failures of the database. The job is the one
// that it concerns, or zero.
func (q *Queue[TTx]) transact(ctx context.Context, d doing, job int64, f func(tx TTx) error) error {
	return q.did(ctx, d, job, q.db.transact(ctx, f))
}

// did logs and counts a failure of the database, and logs when it is over. It returns err.
// Other errors, such as [ErrNoJob], are not failures of the database.
func (q *Queue[TTx]) did(ctx context.Context, d doing, job int64, err error) error {
	switch {
	case atFault(err):
		q.fails(ctx, d, job, err)
		return err
	case errors.As(err, new(hookError)):
		return err // The step has not succeeded either.
	}
	for _, key := range []any{d, job} {
		if over := q.health.works(key); !over.OK() {
			q.log.LogAttrs(ctx, slog.LevelInfo, "fulfilment: the database answers again", slog.String("during", string(d)),
				slog.Time("failed_since", over.Since), slog.Int64("failures", over.Failures))
		}
	}
	return err
}

// toldOf is the health key for order code that fails for a job.
type toldOf int64

// failsToTell logs and counts a failure of order code.
func (q *Queue[TTx]) failsToTell(ctx context.Context, job int64, err error) {
	what := jpayment.WhatOf(err)
	q.health.fails(toldOf(job), what, q.moment())
	q.meters.failures.Add(ctx, 1, metric.WithAttributes(q.meters.store, attribute.String("during", string(telling))))
	q.log.LogAttrs(ctx, slog.LevelError, "fulfilment: order code failed", slog.Int64("job_id", job), slog.String("error", what.En))
}

// told logs when order code has succeeded after a failure.
func (q *Queue[TTx]) told(ctx context.Context, job int64) {
	if over := q.health.works(toldOf(job)); !over.OK() {
		q.log.LogAttrs(ctx, slog.LevelInfo, "fulfilment: order code works again", slog.Int64("job_id", job),
			slog.Time("failed_since", over.Since), slog.Int64("failures", over.Failures))
	}
}

func (q *Queue[TTx]) fails(ctx context.Context, d doing, job int64, err error) {
	if errors.Is(ctx.Err(), context.Canceled) {
		return // The caller stopped; the database did not fail.
	}
	var (
		key  any = d
		what     = jpayment.Text{En: "the database failed", Ja: "データベースでエラーが発生しました"}
		p    *problem
		db   *databaseError
	)
	if errors.As(err, &p) {
		what = p.what
		if p.row != 0 {
			key, job = p.row, p.row
		}
	}
	if errors.As(err, &db) {
		what = jpayment.Text{En: what.En + ": " + db.Error(), Ja: what.Ja + "（" + db.Error() + "）"}
	}
	q.health.fails(key, what, q.moment())
	q.meters.failures.Add(ctx, 1, metric.WithAttributes(q.meters.store, attribute.String("during", string(d))))
	record := []slog.Attr{slog.String("during", string(d)), slog.String("error", what.En)}
	if job != 0 {
		record = append(record, slog.Int64("job_id", job))
	}
	q.log.LogAttrs(ctx, slog.LevelError, "fulfilment: the database failed", record...)
}

package fulfilment

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/sdk/metric"

	"github.com/jpayment-go/jpayment"
)

// logged returns a configuration whose log the test can read.
func logged(out *said) Config {
	return Config{Logger: slog.New(slog.NewTextHandler(out, nil))}
}

// records returns the lines of a log that have all of the words.
func (s *said) records(words ...string) (lines []string) {
	for line := range strings.Lines(s.String()) {
		has := true
		for _, w := range words {
			has = has && strings.Contains(line, w)
		}
		if has {
			lines = append(lines, line)
		}
	}
	return lines
}

const fails, answersAgain = `level=ERROR msg="fulfilment: the database failed"`, `msg="fulfilment: the database answers again"`

// One unreadable row does not stop the other jobs.
func unreadableRow[TTx any](t *testing.T, p place[TTx]) {
	var out said
	s := newSite(t, p, logged(&out))
	w := s.worker(s.client(nil))
	broken, other := s.enqueue(jpayment.OpSales), s.enqueue(jpayment.OpSales)
	for _, j := range []Job{broken, other} {
		s.begins(w, j)
	}
	s.exec("UPDATE jpayment_job SET result = $1 WHERE id = $2", "{"+canary, broken.ID)
	s.pass(w.cfg.lease() + time.Second)
	require.True(t, s.Health().OK())
	require.ErrorContains(t, w.sweep(t.Context()), fmt.Sprintf("job %d", broken.ID))
	s.stands(other, StateWaiting, ReasonInterrupted)
	require.Len(t, out.records(fails, fmt.Sprintf("job_id=%d", broken.ID), "store_id="+testStore), 1)
	require.Contains(t, s.Health().What.En, fmt.Sprintf("job %d", broken.ID))
	require.Contains(t, s.Health().What.Ja, fmt.Sprintf("ジョブ %d", broken.ID))

	s.exec("UPDATE jpayment_job SET result = '' WHERE id = $1", broken.ID)
	require.NoError(t, w.sweep(t.Context()))
	s.stands(broken, StateWaiting, ReasonInterrupted)
	require.True(t, s.Health().OK())
	require.Len(t, out.records(answersAgain), 1)

	// Nor does an unreadable request.
	s.exec("UPDATE jpayment_job SET private = $1 WHERE id = $2", canary, broken.ID)
	require.ErrorContains(t, w.work(t, broken), "cannot be read")
	require.False(t, s.work(w, other))
	s.stands(other, StateDone, ReasonNone)
	require.Equal(t, int64(1), s.Health().Failures)
	require.Len(t, out.records(fails, fmt.Sprintf("job_id=%d", broken.ID)), 2)
	s.pass(rowMemory + time.Second)
	require.True(t, s.Health().OK(), "another process has settled it, or it would fail again")

	// Nor does Forget stop.
	forgets := []Job{s.enqueue(jpayment.OpSales), s.enqueue(jpayment.OpSales)}
	for _, j := range forgets {
		require.False(t, s.work(w, j))
	}
	s.exec("UPDATE jpayment_job SET result = $1 WHERE id = $2", canary, forgets[0].ID)
	s.pass(time.Second)
	n, err := s.Forget(t.Context(), s.clock())
	require.ErrorContains(t, err, fmt.Sprintf("job %d", forgets[0].ID))
	require.EqualValues(t, 2, n)
	require.NotContains(t, out.String(), canary)
}

// A failure of the database is reported at once, and so is its end.
func databaseFails[TTx any](t *testing.T, p place[TTx]) {
	var out said
	cfg := logged(&out)
	reader := metric.NewManualReader()
	cfg.Meter = metric.NewMeterProvider(metric.WithReader(reader))
	s := newSite(t, p, cfg)
	w, j := s.worker(s.client(nil)), s.enqueue(jpayment.OpSales)
	s.exec("ALTER TABLE " + s.table("jpayment_attempt") + " RENAME TO jpayment_away")
	for range 3 {
		require.Error(t, w.work(t, j))
		require.NoError(t, w.sweep(t.Context()), "reading succeeds")
	}
	h := s.Health()
	require.False(t, h.OK())
	require.EqualValues(t, 3, h.Failures)
	require.False(t, h.Last.Before(h.Since))
	require.NotEmpty(t, h.What.Ja)
	require.Len(t, out.records(fails, fmt.Sprintf("job_id=%d", j.ID), `during="beginning an attempt"`), 3)
	require.Empty(t, out.records(answersAgain))
	require.EqualValues(t, 3, counts(t, reader)["jpayment.fulfilment.database.errors during=beginning an attempt,store_id="+testStore])
	require.Empty(t, s.gateway.Requests(), "an attempt that cannot be recorded is not sent")

	s.exec("ALTER TABLE " + s.table("jpayment_away") + " RENAME TO jpayment_attempt")
	require.False(t, s.work(w, j))
	require.True(t, s.Health().OK())
	require.Len(t, out.records(answersAgain, "failures=3"), 1)

	// ErrNoJob is no failure, nor is a cancelled context.
	_, err := s.Job(t.Context(), jpayment.OpSales, "4711")
	require.ErrorIs(t, err, ErrNoJob)
	_, err = s.Review(t.Context(), j.ID, Decision{})
	require.Error(t, err)
	stopped, stop := context.WithCancel(t.Context())
	stop()
	_, err = s.Jobs(stopped, Filter{})
	require.Error(t, err)
	_, err = s.Enqueue(stopped, request(jpayment.OpSales, s.authorize()))
	require.Error(t, err)
	require.True(t, s.Health().OK())
	require.Len(t, out.records(fails), 3)
}

// A missing privilege is reported by its code.
func TestHealthOfRights(t *testing.T) {
	var out said
	s := newSite(t, onPostgres(t), Config{})
	role := s.db.schema() + "_role"
	s.exec("CREATE ROLE " + role + " LOGIN")
	s.exec("GRANT USAGE ON SCHEMA " + s.db.schema() + " TO " + role)
	s.exec("GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA " + s.db.schema() + " TO " + role)
	s.exec("GRANT USAGE ON ALL SEQUENCES IN SCHEMA " + s.db.schema() + " TO " + role)
	s.exec("REVOKE INSERT ON " + s.table("jpayment_attempt") + " FROM " + role)
	t.Cleanup(func() {
		_, err := s.db.session().exec(context.WithoutCancel(t.Context()), "DROP OWNED BY "+role+"; DROP ROLE "+role)
		require.NoError(t, err)
	})
	poolConfig, err := pgxpool.ParseConfig(os.Getenv(postgresVariable))
	require.NoError(t, err)
	poolConfig.ConnConfig.User = role
	pool, err := pgxpool.NewWithConfig(t.Context(), poolConfig)
	require.NoError(t, err)
	t.Cleanup(pool.Close)
	cfg := logged(&out)
	cfg.StoreID, cfg.Schema = testStore, s.db.schema()
	q, err := NewPostgres(pool, cfg)
	require.NoError(t, err)
	limited := &site[pgx.Tx]{Queue: q, t: t, gateway: s.gateway}
	w, j := limited.worker(s.client(nil)), limited.enqueue(jpayment.OpSales)
	stop := limited.run(w.gateway, WorkerConfig{})
	eventually(t, "nothing is logged", func() bool { return len(out.records(fails, "SQLSTATE 42501", "beginning")) > 0 })
	require.False(t, q.Health().OK())
	require.Contains(t, q.Health().What.En, "SQLSTATE 42501")
	s.exec("GRANT INSERT ON " + s.table("jpayment_attempt") + " TO " + role)
	limited.settled()
	stop()
	s.stands(j, StateDone, ReasonNone)
	require.True(t, q.Health().OK())
	require.NotEmpty(t, out.records(answersAgain))
}

// So are a full disk and a file that cannot be written.
func TestHealthOfFile(t *testing.T) {
	t.Parallel()
	var out said
	s := newSite(t, onSQLite(t), logged(&out))
	j := s.enqueue(jpayment.OpSales)
	s.exec(fmt.Sprintf("PRAGMA max_page_count = %d", s.count("PRAGMA page_count")))
	var full error
	for full == nil {
		_, full = s.Enqueue(t.Context(), request(jpayment.OpSales, s.authorize()))
	}
	require.Contains(t, full.Error(), "SQLITE_FULL")
	require.Len(t, out.records(fails, "SQLITE_FULL"), 1)
	require.Contains(t, s.Health().What.En, "SQLITE_FULL")
	s.exec("PRAGMA max_page_count = 1000000")
	s.enqueue(jpayment.OpSales)
	require.True(t, s.Health().OK())

	s.exec("PRAGMA query_only = ON")
	w := s.worker(s.client(nil))
	require.Error(t, w.work(t, j))
	require.Len(t, out.records(fails, "SQLITE_READONLY", fmt.Sprintf("job_id=%d", j.ID)), 1)
	s.exec("PRAGMA query_only = OFF")
	require.False(t, s.work(w, j))
	require.True(t, s.Health().OK())
}

// Drivers' errors quote values; ours do not, with any verb.
func TestDatabaseErrorsQuoteNothing(t *testing.T) {
	t.Parallel()
	for _, err := range []error{
		&pgconn.PgError{Code: "23514", Message: canary, Detail: "Failing row contains (" + canary + ").", Where: canary},
		errors.New(canary), fmt.Errorf("%s: %w", canary, sql.ErrConnDone),
	} {
		text := fmt.Sprintf("%v %+v %#v %s %q %x %d %t %p", failed(err), failed(err), failed(err), failed(err), failed(err), failed(err), failed(err), failed(err), failed(err))
		require.NotContains(t, text, canary)
		require.NotContains(t, text, fmt.Sprintf("%x", canary))
		require.ErrorIs(t, failed(err), err)
	}
}

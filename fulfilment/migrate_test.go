package fulfilment

import (
	"context"
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"github.com/jpayment-go/jpayment"
	"github.com/jpayment-go/jpayment/jpaymenttest"
)

// storedSQLite returns a database of an earlier version from testdata.
func storedSQLite(t *testing.T, version int) place[*sql.Tx] {
	path := filepath.Join(t.TempDir(), "orders.db")
	db, err := OpenSQLite(path)
	require.NoError(t, err)
	_, err = db.ExecContext(t.Context(), stored(t, version, "sqlite"))
	require.NoError(t, err)
	require.NoError(t, db.Close())
	return sqliteAt(t, path)
}

func storedPostgres(t *testing.T, version int) place[pgx.Tx] {
	pool := pgxPool(t)
	schema := fmt.Sprintf("test_%d_%d", os.Getpid(), schemas.Add(1))
	text := strings.ReplaceAll(stored(t, version, "postgres"), "jpayment.", schema+".")
	_, err := pool.Exec(t.Context(), strings.Replace(text, "CREATE SCHEMA jpayment;", "CREATE SCHEMA "+schema+";", 1))
	require.NoError(t, err)
	t.Cleanup(func() {
		_, err := pool.Exec(context.WithoutCancel(t.Context()), "DROP SCHEMA "+schema+" CASCADE")
		require.NoError(t, err)
	})
	return postgresAt(t, schema)
}

func stored(t *testing.T, version int, database string) string {
	text, err := os.ReadFile(fmt.Sprintf("testdata/v%d/%s.sql", version, database))
	require.NoError(t, err)
	return string(text)
}

// Databases of every released version are brought up to date, and their jobs go on.
func TestMigrateStored(t *testing.T) {
	t.Run("SQLite", func(t *testing.T) { migrateStored(t, storedSQLite(t, 1)) })
	t.Run("Postgres", func(t *testing.T) { migrateStored(t, storedPostgres(t, 1)) })
}

func migrateStored[TTx any](t *testing.T, p place[TTx]) {
	q := p(Config{})
	_, err := q.Enqueue(t.Context(), request(jpayment.OpSales, "99999999"))
	require.ErrorContains(t, err, "call Migrate")
	require.ErrorContains(t, q.Run(t.Context(), new(jpaymenttest.Fake), WorkerConfig{}), "call Migrate")
	s := &site[TTx]{Queue: q, t: t, place: p, gateway: jpaymenttest.NewServer(t)}
	for range 8 { // the payments of the jobs
		s.authorize()
	}
	require.NoError(t, s.Migrate(t.Context()))
	require.NoError(t, s.Migrate(t.Context()))

	all, err := s.Jobs(t.Context(), Filter{})
	require.NoError(t, err)
	type job struct {
		reference string
		operation jpayment.Operation
		state     State
		reason    Reason
		after     int64
	}
	var got []job
	for _, j := range all {
		got = append(got, job{j.Reference, j.Operation, j.State, j.Reason, j.After})
	}
	require.Equal(t, []job{
		{"order-1", jpayment.OpSales, StateDone, ReasonNone, 0},
		{"order-2", jpayment.OpReAuth, StateDone, ReasonNone, 0},
		{"order-3", jpayment.OpSales, StateRefused, ReasonCode, 0},
		{"order-4", jpayment.OpSales, StateRunning, ReasonNone, 0},
		{"order-4", jpayment.OpCancel, StateWaiting, ReasonNone, 4},
		{"order-4", jpayment.OpReAuth, StateWaiting, ReasonNone, 5},
		{"order-5", jpayment.OpReAuth, StateReview, ReasonUnanswered, 0},
		{"order-6", jpayment.OpReAuth, StateRefused, ReasonDecided, 0},
		{"order-7", jpayment.OpSales, StateWaiting, ReasonNone, 0},
	}, got)
	st, err := s.Status(t.Context(), "november")
	require.NoError(t, err)
	require.Equal(t, Status{Waiting: 3, Running: 1, Done: 2, Refused: 2, Review: 1, NextDue: st.NextDue, Paused: st.Paused}, st)
	require.Equal(t, "stocktaking", st.Paused.Why.En)
	ds, err := s.Decisions(t.Context(), 8)
	require.NoError(t, err)
	require.Len(t, ds, 1)
	require.Equal(t, "not in the panel", ds[0].Note.Reveal())

	// The running job counts as interrupted; the cancellation comes after it.
	require.NoError(t, s.Resume(t.Context()))
	w := s.worker(s.client(nil))
	s.now = func() time.Time { return time.Now().Add(24 * time.Hour) }
	require.NoError(t, w.sweep(t.Context()))
	for _, id := range []int64{4, 5, 6, 9} {
		require.False(t, s.work(w, Job{ID: id}))
	}
	st, err = s.Status(t.Context(), "")
	require.NoError(t, err)
	require.Equal(t, [2]int64{5, 0}, [2]int64{st.Done, st.Open()}, "a cancelled payment cannot be re-authorised")
	require.Equal(t, st.Done, s.count("SELECT COUNT(*) FROM jpayment_job WHERE store_id = $1 AND state = 'done'", testStore))
}

// If the tables are current, Migrate takes no lock that another transaction could block.
func TestMigrateTakesNoLocks(t *testing.T) {
	s := newSite(t, onPostgres(t), Config{})
	merchant, err := pgxPool(t).Begin(t.Context())
	require.NoError(t, err)
	defer merchant.Rollback(t.Context()) // It only holds locks.
	for _, table := range []string{"jpayment_job", "jpayment_store", "river_job", "river_migration"} {
		_, err = merchant.Exec(t.Context(), "LOCK TABLE "+s.db.schema()+"."+table+" IN ROW EXCLUSIVE MODE")
		require.NoError(t, err)
	}
	require.NoError(t, s.Migrate(t.Context()))
	_, err = s.Status(t.Context(), "")
	require.NoError(t, err)
}

// A transaction that blocks Migrate is reported, and not waited for indefinitely.
func TestMigrateWaitsForALimitedTime(t *testing.T) {
	p := storedPostgres(t, 1)
	q := p(Config{})
	merchant, err := pgxPool(t).Begin(t.Context())
	require.NoError(t, err)
	defer merchant.Rollback(t.Context()) // It only holds locks.
	_, err = merchant.Exec(t.Context(), "LOCK TABLE "+q.db.schema()+".jpayment_job IN ROW EXCLUSIVE MODE")
	require.NoError(t, err)
	lockTimeout = "1ms"
	t.Cleanup(func() { lockTimeout = defaultLockTimeout })
	err = q.Migrate(t.Context())
	require.ErrorContains(t, err, "in use by a transaction")
}

// A role that may only read and write rows can work with current tables. With others, the
// error names the missing privilege.
func TestRowRightsAreEnough(t *testing.T) {
	owner := newSite(t, onPostgres(t), Config{})
	pool, schema := pgxPool(t), owner.db.schema()
	role := "role_" + schema
	for _, statement := range []string{
		"CREATE ROLE " + role + " LOGIN",
		"GRANT USAGE ON SCHEMA " + schema + " TO " + role,
		"GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA " + schema + " TO " + role,
		"GRANT USAGE ON ALL SEQUENCES IN SCHEMA " + schema + " TO " + role,
	} {
		_, err := pool.Exec(t.Context(), statement)
		require.NoError(t, err, statement)
	}
	t.Cleanup(func() {
		_, err := pool.Exec(context.WithoutCancel(t.Context()), "DROP OWNED BY "+role+"; DROP ROLE "+role)
		require.NoError(t, err)
	})
	cfg, err := pgxpool.ParseConfig(os.Getenv(postgresVariable))
	require.NoError(t, err)
	cfg.ConnConfig.User = role
	limited, err := pgxpool.NewWithConfig(t.Context(), cfg)
	require.NoError(t, err)
	t.Cleanup(limited.Close)
	q, err := NewPostgres(limited, Config{StoreID: testStore, Schema: schema})
	require.NoError(t, err)
	s := &site[pgx.Tx]{Queue: q, t: t, gateway: owner.gateway}
	require.NoError(t, s.Migrate(t.Context()))
	j := s.enqueue(jpayment.OpSales)
	stop := s.run(s.client(nil), WorkerConfig{})
	s.settled()
	stop()
	s.stands(j, StateDone, ReasonNone)
	require.NoError(t, s.Pause(t.Context(), "x"))
	require.NoError(t, s.Resume(t.Context()))
	_, err = s.AfterRestore(t.Context())
	require.NoError(t, err)

	fresh, err := NewPostgres(limited, Config{StoreID: testStore, Schema: schema + "x"})
	require.NoError(t, err)
	err = fresh.Migrate(t.Context())
	require.ErrorContains(t, err, "this role may not change them")
}

package fulfilment

import (
	"database/sql"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/jpayment-go/jpayment"
)

// CheckTables leaves the tables as they are: missing ones, those of an earlier version,
// current ones, and those of a later version.
func checkTables[TTx any](t *testing.T, none, first place[TTx]) {
	require.ErrorIs(t, none(Config{}).CheckTables(t.Context()), ErrTables)
	require.ErrorContains(t, none(Config{}).CheckTables(t.Context()), "the tables do not exist; next: call Migrate, or run jpayment migrate")
	old := first(Config{})
	for range 2 {
		require.ErrorIs(t, old.CheckTables(t.Context()), ErrTables)
		require.ErrorContains(t, old.CheckTables(t.Context()), fmt.Sprintf("have version 1 and not version %d; next: call Migrate, or run jpayment migrate", SchemaVersion))
	}
	s := newSite(t, none, Config{})
	require.NoError(t, s.CheckTables(t.Context()))
	s.exec("UPDATE jpayment_version SET version = $1", SchemaVersion+1)
	require.NotErrorIs(t, s.CheckTables(t.Context()), ErrTables)
	require.ErrorContains(t, s.CheckTables(t.Context()), "newer than this program")
}

func TestCheckTables(t *testing.T) {
	t.Run("SQLite", func(t *testing.T) { checkTables(t, onSQLite(t), storedSQLite(t, 1)) })
	t.Run("Postgres", func(t *testing.T) { checkTables(t, onPostgres(t), storedPostgres(t, 1)) })
}

// The statements for other migration tools create the same tables, in any schema.
func TestMigrationSQL(t *testing.T) {
	t.Run("SQLite", func(t *testing.T) {
		for from, p := range map[int]place[*sql.Tx]{0: onSQLite(t), 1: storedSQLite(t, 1)} {
			q := p(Config{})
			text, err := MigrationSQL("sqlite", "", from)
			require.NoError(t, err)
			require.NoError(t, q.db.transact(t.Context(), func(tx *sql.Tx) error {
				_, err := tx.ExecContext(t.Context(), text)
				return err
			}))
			require.NoError(t, q.CheckTables(t.Context()), "from version %d", from)
			require.NoError(t, q.Migrate(t.Context()), "River's are left")
		}
	})
	t.Run("Postgres", func(t *testing.T) {
		for from, p := range map[int]place[pgx.Tx]{0: onPostgres(t), 1: storedPostgres(t, 1)} {
			q := p(Config{})
			text, err := MigrationSQL("postgres", q.db.schema(), from)
			require.NoError(t, err)
			require.NotContains(t, text, "jpayment.")
			_, err = pgxPool(t).Exec(t.Context(), text)
			require.NoError(t, err)
			require.NoError(t, q.CheckTables(t.Context()), "from version %d", from)
			require.NoError(t, q.Migrate(t.Context()), "River's are left")
		}
	})
	text, err := MigrationSQL("postgres", "", 0)
	require.NoError(t, err)
	for version := 1; version <= SchemaVersion; version++ {
		one, err := os.ReadFile(fmt.Sprintf("migrations/postgres/%03d.sql", version))
		require.NoError(t, err)
		require.Contains(t, text, strings.TrimSpace(string(one)))
	}
	text, err = MigrationSQL("sqlite", "", SchemaVersion)
	require.NoError(t, err)
	require.Empty(t, text)
	var invalid *jpayment.ValidationError
	_, err = MigrationSQL("mysql", "x-y", SchemaVersion+1)
	require.ErrorAs(t, err, &invalid)
	require.Len(t, invalid.Fields, 3)
}

// Check returns the errors that EnqueueAll would return.
func checkAfterReAuth[TTx any](t *testing.T, p place[TTx]) {
	s := newSite(t, p, Config{})
	id := s.authorize()
	s.enqueueFor(jpayment.OpReAuth, id)
	r := request(jpayment.OpSales, id).InTurn()
	_, looked := s.Check(t.Context(), r)
	_, recorded := s.Enqueue(t.Context(), r)
	require.ErrorContains(t, looked, "a re-authorisation, which replaces the payment")
	require.Equal(t, recorded.Error(), looked.Error())
	other, err := s.Check(t.Context(), request(jpayment.OpSales, s.authorize()).InTurn())
	require.NoError(t, err)
	require.Zero(t, other.ID)
}

func TestCheckAfterReAuth(t *testing.T) {
	t.Run("SQLite", func(t *testing.T) { checkAfterReAuth(t, onSQLite(t)) })
	t.Run("Postgres", func(t *testing.T) { checkAfterReAuth(t, onPostgres(t)) })
}

// A job that waits for another is not due.
func followersAreNotDue[TTx any](t *testing.T, p place[TTx]) {
	s := newSite(t, p, Config{})
	id := s.authorize()
	capture := s.enqueueFor(jpayment.OpSales, id)
	_, err := s.Enqueue(t.Context(), request(jpayment.OpCancel, id).InTurn())
	require.NoError(t, err)
	due := func() time.Time {
		st, err := s.Status(t.Context(), "")
		require.NoError(t, err)
		return st.NextDue
	}
	require.Equal(t, capture.Due, due())
	s.exec("UPDATE jpayment_job SET state = 'review' WHERE id = $1", capture.ID)
	require.True(t, due().IsZero())
}

func TestFollowersAreNotDue(t *testing.T) {
	t.Run("SQLite", func(t *testing.T) { followersAreNotDue(t, onSQLite(t)) })
	t.Run("Postgres", func(t *testing.T) { followersAreNotDue(t, onPostgres(t)) })
}

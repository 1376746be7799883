package tools

import (
	"database/sql"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/jpayment-go/jpayment"
	"github.com/jpayment-go/jpayment/fulfilment"
)

// Every statement of SQL runs on a database with a job in it. One that moves open jobs into
// review does so on a restored backup, and a person's decision brings them back from there
// although River has forgotten them.
func TestSQL(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	ran, moved := 0, 0
	for _, p := range documents(t) {
		for _, b := range p.blocks("sql") {
			ran++
			file := filepath.Join(t.TempDir(), "orders.db")
			db, q := openQueue(t, file, store)
			job, err := q.Enqueue(ctx, fulfilment.Sales("order-1", jpayment.SalesRequest{PaymentID: "1"}))
			require.NoError(t, err)
			if !strings.HasPrefix(b.text, "UPDATE ") {
				rows, err := db.QueryContext(ctx, b.text)
				require.NoError(t, err, b)
				require.NoError(t, rows.Err(), b)
				require.NoError(t, rows.Close(), b)
				continue
			}
			moved++
			_, err = db.ExecContext(ctx, "VACUUM INTO '"+file+".backup'")
			require.NoError(t, err)
			restored, q := openQueue(t, file+".backup", store)
			for _, statement := range []string{b.text, "DELETE FROM river_job"} {
				_, err = restored.ExecContext(ctx, statement)
				require.NoError(t, err, b)
			}
			is := func(state fulfilment.State) {
				job, err = q.Job(ctx, job.Operation, job.PaymentID)
				require.NoError(t, err)
				require.Equal(t, state, job.State, b)
			}
			is(fulfilment.StateReview)
			_, err = q.Review(ctx, job.ID, fulfilment.Decision{State: fulfilment.StateWaiting, By: "accounts", Note: jpayment.NewSecret("仮売上")})
			require.NoError(t, err)
			work(t, q, nil)
			is(fulfilment.StateDone)
		}
	}
	require.Greater(t, ran, 2)
	require.Positive(t, moved)
}

var store = fulfilment.Config{StoreID: "123456"}

func openQueue(t *testing.T, file string, config fulfilment.Config) (*sql.DB, *fulfilment.Queue[*sql.Tx]) {
	t.Helper()
	db, err := fulfilment.OpenSQLite(file)
	require.NoError(t, err)
	t.Cleanup(func() { db.Close() })
	q, err := fulfilment.NewSQLite(db, config)
	require.NoError(t, err)
	require.NoError(t, q.Migrate(t.Context()))
	return db, q
}

// reviews fills a database with jobs that a person has to look at, of which the one with
// number 18 is a ReAuth.
func reviews(t *testing.T, file string) {
	t.Helper()
	db, q := openQueue(t, file, store)
	for n := 1; n < 20; n++ {
		request := fulfilment.Sales("order", jpayment.SalesRequest{PaymentID: fmt.Sprint(n)})
		if n == 18 {
			request = fulfilment.ReAuth("order", jpayment.ReAuthRequest{PaymentID: fmt.Sprint(n), Amount: 1})
		}
		_, err := q.Enqueue(t.Context(), request)
		require.NoError(t, err)
	}
	_, err := db.ExecContext(t.Context(), "UPDATE jpayment_job SET state = 'review', reason = 'unanswered'")
	require.NoError(t, err)
	require.NoError(t, db.Close())
}

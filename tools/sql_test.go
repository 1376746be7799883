package tools

import (
	"database/sql"
	"fmt"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/jpayment-go/jpayment"
	"github.com/jpayment-go/jpayment/fulfilment"
)

// Every SQL statement in a page runs on a database with a job.
func TestSQL(t *testing.T) {
	t.Parallel()
	ran := 0
	for _, p := range documents(t) {
		for _, b := range p.blocks("sql") {
			ran++
			db, q := openQueue(t, filepath.Join(t.TempDir(), "orders.db"), store)
			_, err := q.Enqueue(t.Context(), fulfilment.Sales("order-1", jpayment.SalesRequest{PaymentID: "1"}))
			require.NoError(t, err)
			rows, err := db.QueryContext(t.Context(), b.text)
			require.NoError(t, err, b)
			require.NoError(t, rows.Err(), b)
			require.NoError(t, rows.Close(), b)
		}
	}
	require.Greater(t, ran, 2)
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

// reviews fills a database with jobs in review; number 18 is a ReAuth.
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

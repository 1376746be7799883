package tools

import (
	"context"
	"database/sql"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/jpayment-go/jpayment"
	"github.com/jpayment-go/jpayment/fulfilment"
	"github.com/jpayment-go/jpayment/jpaymenttest"
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
			gateway := jpaymenttest.NewServer(t)
			id := gateway.Authorize(jpaymenttest.Authorization{Amount: 1000})
			file := filepath.Join(t.TempDir(), "shop.db")
			db, q := openQueue(t, file, store)
			_, err := q.Enqueue(ctx, fulfilment.Sales("order-1", jpayment.SalesRequest{PaymentID: id}))
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
			job, err := q.Job(ctx, jpayment.OpSales, id)
			require.NoError(t, err)
			require.Equal(t, fulfilment.StateReview, job.State, b)
			_, err = q.Review(ctx, job.ID, fulfilment.Decision{State: fulfilment.StateWaiting, By: "accounts", Note: "仮売上"})
			require.NoError(t, err)
			require.Equal(t, fulfilment.StateDone, worked(t, q, gateway.Client(), job).State, b)
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

// worked runs a worker until a job is settled.
func worked(t *testing.T, q *fulfilment.Queue[*sql.Tx], gateway jpayment.Gateway, job fulfilment.Job) fulfilment.Job {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- q.Run(ctx, gateway, fulfilment.WorkerConfig{}) }()
	require.Eventually(t, func() bool {
		var err error
		job, err = q.Job(ctx, job.Operation, job.PaymentID)
		return err == nil && job.State.Settled()
	}, time.Minute, 10*time.Millisecond)
	stop()
	require.NoError(t, <-ended)
	return job
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

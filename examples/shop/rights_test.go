package main

import (
	"context"
	"net/url"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"github.com/jpayment-go/jpayment"
	"github.com/jpayment-go/jpayment/fulfilment"
	"github.com/jpayment-go/jpayment/jpaymenttest"
)

// The roles of docs/order-to-money.md, created with its statements, have the privileges that the
// page says.
func TestRights(t *testing.T) {
	postgres(t, func(t *testing.T, database string) {
		ctx := t.Context()
		page, err := os.ReadFile("../../docs/order-to-money.md")
		require.NoError(t, err)
		found := regexp.MustCompile("(?s)```postgresql\n(.*?)```").FindSubmatch(page)
		require.NotNil(t, found)
		u, err := url.Parse(database)
		require.NoError(t, err)
		prefix := strings.Trim(u.Path, "/") // Roles belong to the whole server.
		statements := strings.NewReplacer("store_", prefix+"_", "DATABASE store ", "DATABASE "+prefix+" ").Replace(string(found[1]))
		admin, err := pgx.Connect(ctx, database)
		require.NoError(t, err)
		defer admin.Close(ctx)
		_, err = admin.Exec(ctx, statements)
		require.NoError(t, err)
		as := func(role string) *fulfilment.Queue[pgx.Tx] {
			role = prefix + "_" + role
			cfg, err := pgxpool.ParseConfig(database)
			require.NoError(t, err)
			cfg.ConnConfig.User = role
			pool, err := pgxpool.NewWithConfig(ctx, cfg)
			require.NoError(t, err)
			t.Cleanup(func() {
				pool.Close()
				do(t, database, "DROP OWNED BY "+role+" CASCADE")
				do(t, database, "DROP ROLE "+role)
			})
			q, err := fulfilment.NewPostgres(pool, config)
			require.NoError(t, err)
			return q
		}
		owner, app, reader := as("owner"), as("app"), as("reader")
		_, err = app.Enqueue(ctx, fulfilment.Sales("A-1001", jpayment.SalesRequest{PaymentID: "10000001"}))
		require.ErrorContains(t, err, "the tables do not exist")
		require.ErrorContains(t, app.Migrate(ctx), "this role may not change them")
		require.NoError(t, owner.Migrate(ctx))

		require.NoError(t, app.Migrate(ctx))
		told := 0
		app.OnSettled(func(context.Context, pgx.Tx, fulfilment.Job) error {
			told++
			return nil
		})
		gateway := jpaymenttest.NewServer(t)
		id := gateway.Authorize(jpaymenttest.Authorization{Amount: 5000})
		job, err := app.Enqueue(ctx, fulfilment.Sales("A-1001", jpayment.SalesRequest{PaymentID: id}))
		require.NoError(t, err)
		work(t, app, gateway.Client(jpayment.WithKickbackKey(key)))
		open, err := app.Enqueue(ctx, fulfilment.ReAuth("A-1002", jpayment.ReAuthRequest{PaymentID: "10000002", Amount: 1}))
		require.NoError(t, err)
		reviews, err := app.AfterRestore(ctx)
		require.NoError(t, err)
		require.EqualValues(t, 1, reviews)
		_, err = app.Review(ctx, open.ID, fulfilment.Decision{State: fulfilment.StateDone, NewPaymentID: "10000003", By: "accounts"})
		require.NoError(t, err)
		changes := 0
		for _, err := range app.Changes(ctx, 0) {
			require.NoError(t, err)
			changes++
		}
		require.Equal(t, 3, changes)
		require.Equal(t, changes, told)
		require.ErrorIs(t, app.Settle(ctx, &jpayment.Kickback{
			Result: jpayment.Result{Status: jpayment.StatusSucceeded}, Request: jpayment.KickbackRequest{StoreID: storeID, PaymentID: "1"},
		}), fulfilment.ErrNoJob)
		require.NoError(t, app.Pause(ctx, "stock-taking"))
		require.NoError(t, app.Resume(ctx))
		_, err = app.Forget(ctx, open.CreatedAt)
		require.NoError(t, err)

		status, err := reader.Status(ctx, "")
		require.NoError(t, err)
		require.EqualValues(t, 2, status.Done)
		_, err = reader.Jobs(ctx, fulfilment.Filter{})
		require.NoError(t, err)
		_, err = reader.Job(ctx, jpayment.OpSales, id)
		require.NoError(t, err)
		attempts, err := reader.Attempts(ctx, job.ID)
		require.NoError(t, err)
		require.Len(t, attempts, 1)
		_, err = reader.Decisions(ctx, open.ID)
		require.NoError(t, err)
		_, err = reader.Wait(ctx, job.ID)
		require.NoError(t, err)
		require.Error(t, reader.Pause(ctx, "x"))
	})
}

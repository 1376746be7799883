// Merchant is a program as a user would write it. .ci/release builds it outside the
// workspace. It captures a payment through a durable job, at a simulated gateway.
package main

import (
	"context"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"time"

	"github.com/jpayment-go/jpayment"
	"github.com/jpayment-go/jpayment/fulfilment"
	"github.com/jpayment-go/jpayment/jpaymenttest"
)

func main() {
	if err := run(); err != nil {
		log.Fatal(err)
	}
}

func run() error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	gateway := jpaymenttest.Start()
	defer gateway.Close()
	paymentID := gateway.Authorize(jpaymenttest.Authorization{Amount: 1000, Tax: 80, Shipping: 500})
	client, err := jpayment.NewClient("123456", jpayment.WithBaseURL(gateway.URL), jpayment.WithRetry(jpayment.RetryPolicy{MaxAttempts: 1}))
	if err != nil {
		return err
	}

	dir, err := os.MkdirTemp("", "")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	db, err := fulfilment.OpenSQLite(filepath.Join(dir, "orders.db"))
	if err != nil {
		return err
	}
	defer db.Close()
	q, err := fulfilment.NewSQLite(db, fulfilment.Config{StoreID: "123456"})
	if err != nil {
		return err
	}
	if err := q.Migrate(ctx); err != nil {
		return err
	}
	if _, err := q.Enqueue(ctx, fulfilment.Sales("order-1", jpayment.SalesRequest{PaymentID: paymentID})); err != nil {
		return err
	}

	working, stop := context.WithCancel(ctx)
	defer stop()
	ended := make(chan error, 1)
	go func() { ended <- q.Run(working, client, fulfilment.WorkerConfig{}) }()
	poll := time.NewTicker(5 * time.Millisecond)
	defer poll.Stop()
	for {
		select {
		case err := <-ended:
			return err
		case <-ctx.Done():
			return ctx.Err()
		case <-poll.C:
		}
		job, err := q.Job(ctx, jpayment.OpSales, paymentID)
		if err != nil {
			return err
		}
		if !job.State.Settled() {
			continue
		}
		fmt.Printf("%s: %s after %d attempt, %s yen\n", job.Reference, job.State, job.Attempts, job.Result.Total)
		stop()
		return <-ended
	}
}

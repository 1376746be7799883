package fulfilment_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"strings"

	"github.com/jpayment-go/jpayment"
	"github.com/jpayment-go/jpayment/fulfilment"
	"github.com/jpayment-go/jpayment/jpaymenttest"
)

// A worker with a witness refuses a database that was restored from an older copy, which does
// not know that the capture was sent.
func ExampleQueue_AfterRestore() {
	ctx := context.Background()
	dir, err := os.MkdirTemp("", "")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	gateway := jpaymenttest.Start()
	defer gateway.Close()
	paymentID := gateway.Authorize(jpaymenttest.Authorization{Amount: 3000})
	client, err := jpayment.NewClient("123456", jpayment.WithBaseURL(gateway.URL), jpayment.WithRetry(jpayment.RetryPolicy{MaxAttempts: 1}))
	if err != nil {
		log.Fatal(err)
	}
	worker := fulfilment.WorkerConfig{Witness: filepath.Join(dir, "orders.seen")}

	db, err := fulfilment.OpenSQLite(filepath.Join(dir, "orders.db"))
	if err != nil {
		log.Fatal(err)
	}
	defer db.Close()
	q, err := fulfilment.NewSQLite(db, fulfilment.Config{StoreID: "123456"})
	if err != nil {
		log.Fatal(err)
	}
	if err := q.CheckTables(ctx); errors.Is(err, fulfilment.ErrTables) {
		err = q.Migrate(ctx)
		if err != nil {
			log.Fatal(err)
		}
	}
	job, err := q.Enqueue(ctx, fulfilment.Sales("order-1", jpayment.SalesRequest{PaymentID: paymentID}))
	if err != nil {
		log.Fatal(err)
	}
	if _, err := db.ExecContext(ctx, "VACUUM INTO '"+filepath.Join(dir, "backup.db")+"'"); err != nil {
		log.Fatal(err)
	}
	working, stop := context.WithCancel(ctx)
	ended := make(chan error, 1)
	go func() { ended <- q.Run(working, client, worker) }()
	if job, err = q.Wait(ctx, job.ID); err != nil {
		log.Fatal(err)
	}
	fmt.Println(job.Reference, job.State)
	stop()
	if err := <-ended; err != nil {
		log.Fatal(err)
	}

	copied, err := fulfilment.OpenSQLite(filepath.Join(dir, "backup.db"))
	if err != nil {
		log.Fatal(err)
	}
	defer copied.Close()
	restored, err := fulfilment.NewSQLite(copied, fulfilment.Config{StoreID: "123456"})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("refused:", errors.Is(restored.Run(ctx, client, worker), fulfilment.ErrRestored))
	reviews, err := restored.AfterRestore(ctx)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("to look up:", reviews)
	// Output:
	// order-1 done
	// refused: true
	// to look up: 1
}

// A migration tool of the merchant's own runs the statements in one transaction.
func ExampleMigrationSQL() {
	text, err := fulfilment.MigrationSQL("postgres", "orders", 0)
	if err != nil {
		log.Fatal(err)
	}
	for line := range strings.Lines(text) {
		if strings.HasPrefix(line, "CREATE SCHEMA") {
			fmt.Print(line)
		}
	}
	// Output: CREATE SCHEMA IF NOT EXISTS orders;
}

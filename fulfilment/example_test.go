package fulfilment_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/jpayment-go/jpayment"
	"github.com/jpayment-go/jpayment/fulfilment"
	"github.com/jpayment-go/jpayment/jpaymenttest"
)

// The order is shipped and its capture asked for, or neither.
func Example() {
	ctx := context.Background()
	dir, err := os.MkdirTemp("", "")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	db, err := fulfilment.OpenSQLite(filepath.Join(dir, "orders.db"))
	if err != nil {
		log.Fatal(err)
	}
	defer db.Close()
	if _, err := db.ExecContext(ctx, `
		CREATE TABLE orders (number TEXT PRIMARY KEY, payment_id TEXT NOT NULL, status TEXT NOT NULL);
		INSERT INTO orders VALUES ('order-1', '10000001', 'packed')`); err != nil {
		log.Fatal(err)
	}
	q, err := fulfilment.NewSQLite(db, fulfilment.Config{StoreID: "123456"})
	if err != nil {
		log.Fatal(err)
	}
	if err := q.Migrate(ctx); err != nil {
		log.Fatal(err)
	}

	ship := func(number string) (fulfilment.Job, error) {
		tx, err := db.BeginTx(ctx, nil)
		if err != nil {
			return fulfilment.Job{}, err
		}
		defer tx.Rollback() // After the commit it does nothing.
		var paymentID string
		err = tx.QueryRowContext(ctx, `UPDATE orders SET status = 'shipped' WHERE number = ? RETURNING payment_id`, number).Scan(&paymentID)
		if err != nil {
			return fulfilment.Job{}, err
		}
		job, err := q.EnqueueTx(ctx, tx, fulfilment.Sales(number, jpayment.SalesRequest{PaymentID: paymentID}))
		if err != nil {
			return fulfilment.Job{}, err
		}
		return job, tx.Commit()
	}
	for range 2 { // Asking again asks for nothing more.
		job, err := ship("order-1")
		if err != nil {
			log.Fatal(err)
		}
		fmt.Printf("%s of payment %s: %s, known before: %t\n", job.Operation, job.PaymentID, job.State, job.Existed)
	}
	// Output:
	// Sales of payment 10000001: waiting, known before: false
	// Sales of payment 10000001: waiting, known before: true
}

// A capture was refused. Whoever asks for it again gets an error, and the order is not
// shipped by mistake.
func ExampleRefusedError() {
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	gateway := jpaymenttest.Start()
	defer gateway.Close()
	paymentID := gateway.Authorize(jpaymenttest.Authorization{Amount: 1000, Decline: "G1242G120000"})
	client, err := jpayment.NewClient("123456", jpayment.WithBaseURL(gateway.URL), jpayment.WithRetry(jpayment.RetryPolicy{MaxAttempts: 1}))
	if err != nil {
		log.Fatal(err)
	}
	q, remove := exampleQueue(ctx, fulfilment.Config{StoreID: "123456"})
	defer remove()
	sales := fulfilment.Sales("order-1", jpayment.SalesRequest{PaymentID: paymentID})
	if _, err := q.Enqueue(ctx, sales); err != nil {
		log.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- q.Run(ctx, client, fulfilment.WorkerConfig{}) }()
	settled(ctx, q, jpayment.OpSales, paymentID)

	_, err = q.Enqueue(ctx, sales)
	var refused *fulfilment.RefusedError
	if errors.As(err, &refused) {
		fmt.Println(refused.What())
		fmt.Println(refused.Next())
	}

	stop()
	if err := <-ended; err != nil {
		log.Fatal(err)
	}
	// Output:
	// Sales of payment 10000001 was asked for before and has been refused (job 1, reference "order-1"): the gateway refused it: G1242G120000 (the issuer declined: the card cannot be used)
	// do not go on; once the reason has passed, have the job sent again by Review with StateWaiting
}

// On Postgres the transaction is pgx's.
func ExampleNewPostgres() {
	ctx := context.Background()
	pool, err := pgxpool.New(ctx, os.Getenv("DATABASE_URL"))
	if err != nil {
		log.Fatal(err)
	}
	defer pool.Close()
	q, err := fulfilment.NewPostgres(pool, fulfilment.Config{StoreID: "123456"})
	if err != nil {
		log.Fatal(err)
	}
	if err := q.Migrate(ctx); err != nil {
		log.Fatal(err)
	}
	err = pgx.BeginFunc(ctx, pool, func(tx pgx.Tx) error {
		var paymentID string
		err := tx.QueryRow(ctx, `UPDATE orders SET status = 'shipped' WHERE number = $1 RETURNING payment_id`, "order-1").Scan(&paymentID)
		if err != nil {
			return err
		}
		_, err = q.EnqueueTx(ctx, tx, fulfilment.Sales("order-1", jpayment.SalesRequest{PaymentID: paymentID}))
		return err
	})
	if err != nil {
		log.Fatal(err)
	}
}

// A worker sends what was asked for. The client tries each request once: trying again is
// the worker's, who writes it down.
func ExampleQueue_Run() {
	ctx, stop := context.WithCancel(context.Background()) // signal.NotifyContext in a program
	defer stop()
	gateway := jpaymenttest.Start() // the real one needs no WithBaseURL
	defer gateway.Close()
	paymentID := gateway.Authorize(jpaymenttest.Authorization{Amount: 1000, Tax: 80, Shipping: 500})
	client, err := jpayment.NewClient("123456", jpayment.WithBaseURL(gateway.URL), jpayment.WithRetry(jpayment.RetryPolicy{MaxAttempts: 1}))
	if err != nil {
		log.Fatal(err)
	}
	q, remove := exampleQueue(ctx, fulfilment.Config{StoreID: "123456"})
	defer remove()

	if _, err := q.Enqueue(ctx, fulfilment.Sales("order-1", jpayment.SalesRequest{PaymentID: paymentID})); err != nil {
		log.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- q.Run(ctx, client, fulfilment.WorkerConfig{}) }()

	job := settled(ctx, q, jpayment.OpSales, paymentID)
	fmt.Printf("%s: %s after %d attempt, %s yen\n", job.Reference, job.State, job.Attempts, job.Result.Total)

	stop() // Calls on their way are finished.
	if err := <-ended; err != nil {
		log.Fatal(err)
	}
	// Output:
	// order-1: done after 1 attempt, 1580 yen
}

// The reply to a re-authorisation is lost. It is not sent again: a person looks it up and
// says what was found.
func ExampleQueue_Review() {
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	gateway := jpaymenttest.Start()
	defer gateway.Close()
	paymentID := gateway.Authorize(jpaymenttest.Authorization{Amount: 3000})
	gateway.Fail(jpaymenttest.Fault{Kind: jpaymenttest.DropAfterBooking, Nth: 1})
	client, err := jpayment.NewClient("123456", jpayment.WithBaseURL(gateway.URL), jpayment.WithRetry(jpayment.RetryPolicy{MaxAttempts: 1}))
	if err != nil {
		log.Fatal(err)
	}
	q, remove := exampleQueue(ctx, fulfilment.Config{StoreID: "123456"})
	defer remove()
	if _, err := q.Enqueue(ctx, fulfilment.ReAuth("order-2", jpayment.ReAuthRequest{PaymentID: paymentID, Amount: 2000})); err != nil {
		log.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- q.Run(ctx, client, fulfilment.WorkerConfig{}) }()
	settled(ctx, q, jpayment.OpReAuth, paymentID)

	jobs, err := q.Jobs(ctx, fulfilment.Filter{State: fulfilment.StateReview})
	if err != nil {
		log.Fatal(err)
	}
	for _, job := range jobs {
		fmt.Printf("%s: %s\n", job.Reference, job.Reason.Text()) // job.Next() says where to look.
		job, err := q.Review(ctx, job.ID, fulfilment.Decision{
			State:        fulfilment.StateDone,
			NewPaymentID: "10000002", // as the control panel shows it
			By:           "accounts",
			Note:         jpayment.NewSecret("2000 yen, found by the time and the total"),
		})
		if err != nil {
			log.Fatal(err)
		}
		fmt.Printf("%s: %s, the payment is now %s\n", job.Reference, job.State, job.NewPaymentID)
	}

	stop()
	if err := <-ended; err != nil {
		log.Fatal(err)
	}
	// Output:
	// order-2: nobody knows whether it was carried out; it is not sent again automatically
	// order-2: done, the payment is now 10000002
}

// With KickbackWait a re-authorisation is settled by its kickback, even if the reply to it
// was lost.
func ExampleQueue_Settle() {
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	key := []byte("from the secret store: 32 bytes or more") // the client's and the handler's
	q, remove := exampleQueue(ctx, fulfilment.Config{StoreID: "123456", KickbackWait: 10 * time.Minute})
	defer remove()

	// At the 決済結果通知URL of the store.
	verifier, err := jpayment.NewKickbackVerifier("123456", 0, key)
	if err != nil {
		log.Fatal(err)
	}
	handler, err := jpayment.NewKickbackHandler(verifier, q.Settle)
	if err != nil {
		log.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.Handle("/kickback", handler)
	merchant := httptest.NewServer(mux)
	defer merchant.Close()

	gateway := jpaymenttest.Start()
	defer gateway.Close()
	gateway.SetKickbackURL(merchant.URL + "/kickback")
	paymentID := gateway.Authorize(jpaymenttest.Authorization{Amount: 3000})
	gateway.Fail(jpaymenttest.Fault{Kind: jpaymenttest.DropAfterBooking, Nth: 1})
	client, err := jpayment.NewClient("123456", jpayment.WithBaseURL(gateway.URL),
		jpayment.WithKickbackKey(key), jpayment.WithRetry(jpayment.RetryPolicy{MaxAttempts: 1}))
	if err != nil {
		log.Fatal(err)
	}
	if _, err := q.Enqueue(ctx, fulfilment.ReAuth("order-3", jpayment.ReAuthRequest{PaymentID: paymentID, Amount: 2000})); err != nil {
		log.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- q.Run(ctx, client, fulfilment.WorkerConfig{}) }()

	job := settled(ctx, q, jpayment.OpReAuth, paymentID)
	fmt.Printf("%s: %s, %s; the payment is now %s\n", job.Reference, job.State, job.Reason.Text(), job.NewPaymentID)

	stop()
	if err := <-ended; err != nil {
		log.Fatal(err)
	}
	// Output:
	// order-3: done, the kickback said so; the payment is now 10000002
}

// exampleQueue makes a queue on a new file.
func exampleQueue(ctx context.Context, cfg fulfilment.Config) (q *fulfilment.Queue[*sql.Tx], remove func()) {
	dir, err := os.MkdirTemp("", "")
	if err != nil {
		log.Fatal(err)
	}
	db, err := fulfilment.OpenSQLite(filepath.Join(dir, "orders.db"))
	if err != nil {
		log.Fatal(err)
	}
	if q, err = fulfilment.NewSQLite(db, cfg); err != nil {
		log.Fatal(err)
	}
	if err := q.Migrate(ctx); err != nil {
		log.Fatal(err)
	}
	return q, func() {
		db.Close()
		os.RemoveAll(dir)
	}
}

// settled waits until nothing more is sent for a payment.
func settled(ctx context.Context, q *fulfilment.Queue[*sql.Tx], op jpayment.Operation, paymentID string) fulfilment.Job {
	poll := time.NewTicker(5 * time.Millisecond)
	defer poll.Stop()
	for range poll.C {
		job, err := q.Job(ctx, op, paymentID)
		if err != nil {
			log.Fatal(err)
		}
		if job.State.Settled() {
			return job
		}
	}
	panic("a ticker does not end")
}

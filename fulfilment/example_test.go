package fulfilment_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
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

// One transaction marks the order for shipping and enqueues its capture.
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
		defer tx.Rollback() // no-op after Commit
		var paymentID string
		err = tx.QueryRowContext(ctx, `UPDATE orders SET status = 'shipping' WHERE number = ? RETURNING payment_id`, number).Scan(&paymentID)
		if err != nil {
			return fulfilment.Job{}, err
		}
		job, err := q.EnqueueTx(ctx, tx, fulfilment.Sales(number, jpayment.SalesRequest{PaymentID: paymentID}))
		if err != nil {
			return fulfilment.Job{}, err
		}
		return job, tx.Commit()
	}
	for range 2 { // The second time enqueues nothing more.
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

// A capture was refused. Enqueueing it again returns an error, so that the order is not shipped
// by mistake.
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
	// Sales of payment 10000001 was recorded before and refused (job 1, reference "order-1"): the gateway refused it: G1242G120000 (the issuer declined: the card cannot be used)
	// do not continue; to send it again once the reason has passed, call Review with StateWaiting
}

// With Postgres, the transaction is a pgx.Tx.
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
		err := tx.QueryRow(ctx, `UPDATE orders SET status = 'shipping' WHERE number = $1 RETURNING payment_id`, "order-1").Scan(&paymentID)
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

// A worker sends the enqueued requests. The client tries each request once, because the worker
// does the retrying and records each attempt.
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

	stop() // Calls on their way finish.
	if err := <-ended; err != nil {
		log.Fatal(err)
	}
	// Output:
	// order-1: done after 1 attempt, 1580 yen
}

// The reply to a re-authorisation is lost. It is not sent again: a person looks the payment up
// and records what the control panel shows.
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
		fmt.Printf("%s: %s\n", job.Reference, job.Reason.Text()) // job.Next() says where to look
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

// With KickbackWait a kickback settles a re-authorisation, even if the reply is lost.
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
	// order-3: done, the kickback reported the result; the payment is now 10000002
}

// Less is shipped than was ordered. A capture is for the whole amount, so a re-authorisation
// replaces the payment with one for the lower amount. The verdict on it enqueues the capture of
// the new payment, in one transaction with the order.
func ExampleQueue_OnSettled() {
	ctx := context.Background()
	gateway := jpaymenttest.Start()
	defer gateway.Close()
	db, q, remove := exampleDatabase(ctx, fulfilment.Config{StoreID: "123456"})
	defer remove()
	paymentID := gateway.Authorize(jpaymenttest.Authorization{Amount: 5000})
	if _, err := db.ExecContext(ctx, `
		CREATE TABLE orders (number TEXT PRIMARY KEY, payment_id TEXT NOT NULL, status TEXT NOT NULL);
		INSERT INTO orders VALUES ('order-1', $1, 'packed in part')`, paymentID); err != nil {
		log.Fatal(err)
	}
	q.OnSettled(func(ctx context.Context, tx *sql.Tx, job fulfilment.Job) error { // for at most HookTimeout
		number := job.Reference
		switch {
		case job.State != fulfilment.StateDone:
			_, err := tx.ExecContext(ctx, `UPDATE orders SET status = 'to be looked at' WHERE number = ?`, number)
			return err
		case job.Operation == jpayment.OpReAuth:
			if _, err := tx.ExecContext(ctx, `UPDATE orders SET payment_id = ? WHERE number = ?`, job.NewPaymentID, number); err != nil {
				return err
			}
			_, err := q.EnqueueTx(ctx, tx, fulfilment.Sales(number, jpayment.SalesRequest{PaymentID: job.NewPaymentID}))
			return err
		default:
			_, err := tx.ExecContext(ctx, `UPDATE orders SET status = 'shipped' WHERE number = ?`, number)
			return err
		}
	})
	stop := exampleWorker(q, gateway, fulfilment.WorkerConfig{})

	if _, err := q.Enqueue(ctx, fulfilment.ReAuth("order-1", jpayment.ReAuthRequest{PaymentID: paymentID, Amount: 3000})); err != nil {
		log.Fatal(err)
	}
	reauth := settled(ctx, q, jpayment.OpReAuth, paymentID)
	capture, err := q.Job(ctx, jpayment.OpSales, reauth.NewPaymentID) // enqueued in the transaction of the verdict
	if err != nil {
		log.Fatal(err)
	}
	if _, err := q.Wait(ctx, capture.ID); err != nil {
		log.Fatal(err)
	}
	stop()
	var status string
	if err := db.QueryRowContext(ctx, `SELECT payment_id, status FROM orders WHERE number = 'order-1'`).Scan(&paymentID, &status); err != nil {
		log.Fatal(err)
	}
	payment, _ := gateway.Payment(paymentID)
	fmt.Printf("order-1 is %s; payment %s of %d yen is %s\n", status, payment.ID, payment.Amount, payment.State)
	fmt.Println("order code may take", fulfilment.HookTimeout)
	// Output:
	// order-1 is shipped; payment 10000002 of 3000 yen is captured
	// order code may take 10s
}

// An order is cancelled while its capture is on its way. The cancellation is sent once the
// capture is done.
func ExampleRequest_After() {
	ctx := context.Background()
	gateway := jpaymenttest.Start()
	defer gateway.Close()
	paymentID := gateway.Authorize(jpaymenttest.Authorization{Amount: 3000})
	q, remove := exampleQueue(ctx, fulfilment.Config{StoreID: "123456"})
	defer remove()
	capture, err := q.Enqueue(ctx, fulfilment.Sales("order-1", jpayment.SalesRequest{PaymentID: paymentID}))
	if err != nil {
		log.Fatal(err)
	}

	cancel := fulfilment.Cancel("order-1", jpayment.CancelRequest{PaymentID: paymentID})
	_, err = q.Enqueue(ctx, cancel)
	var conflict *fulfilment.ConflictError
	if errors.As(err, &conflict) {
		fmt.Println(conflict.What())
		fmt.Println(conflict.Next())
	}
	job, err := q.Enqueue(ctx, cancel.After(capture))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%s comes after job %d: %s\n", job.Operation, job.After, job.Reason.Text())

	stop := exampleWorker(q, gateway, fulfilment.WorkerConfig{})
	if job, err = q.Wait(ctx, job.ID); err != nil {
		log.Fatal(err)
	}
	stop()
	fmt.Println(job.Operation, job.State)
	for _, r := range gateway.Requests() {
		fmt.Println("the gateway received", r.Operation)
	}
	// Output:
	// Cancel of payment 10000001 was not recorded, since its Sales is open (job 1, reference "order-1", waiting)
	// use Request.After to send the request after that job, or withdraw that job first
	// Cancel comes after job 1: it will be sent once the job before it is done
	// Cancel done
	// the gateway received Sales
	// the gateway received Cancel
}

// A list with several lines about a payment is sent in the order of the list. If a line is
// refused, so are the later ones.
func ExampleRequest_InTurn() {
	ctx := context.Background()
	gateway := jpaymenttest.Start()
	defer gateway.Close()
	good := gateway.Authorize(jpaymenttest.Authorization{Amount: 3000})
	declined := gateway.Authorize(jpaymenttest.Authorization{Amount: 2000, Decline: "G1242G120000"})
	q, remove := exampleQueue(ctx, fulfilment.Config{StoreID: "123456"})
	defer remove()
	var list []fulfilment.Request
	for _, id := range []string{good, declined} {
		list = append(list,
			fulfilment.Sales("order-"+id, jpayment.SalesRequest{PaymentID: id}).InTurn(),
			fulfilment.Cancel("order-"+id, jpayment.CancelRequest{PaymentID: id}).InTurn())
	}
	jobs, err := q.EnqueueAll(ctx, list)
	if err != nil {
		log.Fatal(err)
	}
	stop := exampleWorker(q, gateway, fulfilment.WorkerConfig{})
	for _, job := range jobs {
		if job, err = q.Wait(ctx, job.ID); err != nil {
			log.Fatal(err)
		}
		fmt.Printf("%s %s: %s %q\n", job.PaymentID, job.Operation, job.State, job.Reason)
	}
	stop()
	// Output:
	// 10000001 Sales: done ""
	// 10000001 Cancel: done ""
	// 10000002 Sales: refused "code"
	// 10000002 Cancel: refused "predecessor"
}

// An HTTP handler waits for the verdict, but not indefinitely.
func ExampleQueue_Wait() {
	ctx := context.Background()
	gateway := jpaymenttest.Start()
	defer gateway.Close()
	paymentID := gateway.Authorize(jpaymenttest.Authorization{Amount: 3000})
	q, remove := exampleQueue(ctx, fulfilment.Config{StoreID: "123456"})
	defer remove()
	stop := exampleWorker(q, gateway, fulfilment.WorkerConfig{})
	defer stop()
	job, err := q.Enqueue(ctx, fulfilment.Sales("order-1", jpayment.SalesRequest{PaymentID: paymentID}))
	if err != nil {
		log.Fatal(err)
	}

	waiting, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	job, err = q.Wait(waiting, job.ID)
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		fmt.Println("it is on its way")
	case err != nil:
		log.Fatal(err)
	default:
		fmt.Println(job.Reference, job.State.Text())
	}
	// Output:
	// order-1 done
}

// Another service polls for verdicts. It stores the position of the last one that it has
// handled, and so misses none.
func ExampleQueue_Changes() {
	ctx := context.Background()
	gateway := jpaymenttest.Start()
	defer gateway.Close()
	q, remove := exampleQueue(ctx, fulfilment.Config{StoreID: "123456"})
	defer remove()
	stop := exampleWorker(q, gateway, fulfilment.WorkerConfig{})
	defer stop()
	deal := func(change fulfilment.Change) {
		fmt.Printf("%d: %s is %s\n", change.Position, change.Job.Reference, change.State)
	}
	var position int64 // stored in the service's own database
	for _, number := range []string{"order-1", "order-2"} {
		paymentID := gateway.Authorize(jpaymenttest.Authorization{Amount: 3000})
		job, err := q.Enqueue(ctx, fulfilment.Sales(number, jpayment.SalesRequest{PaymentID: paymentID}))
		if err != nil {
			log.Fatal(err)
		}
		if _, err := q.Wait(ctx, job.ID); err != nil {
			log.Fatal(err)
		}

		for change, err := range q.Changes(ctx, position) {
			if err != nil {
				log.Fatal(err)
			}
			deal(change)
			position = change.Position
		}
	}
	// Output:
	// 1: order-1 is done
	// 2: order-2 is done
}

// One transaction withdraws a wrong amount that has not been carried out, and enqueues the right
// one.
func ExampleQueue_ReviewTx() {
	ctx := context.Background()
	db, q, remove := exampleDatabase(ctx, fulfilment.Config{StoreID: "123456"})
	defer remove()
	wrong, err := q.Enqueue(ctx, fulfilment.ReAuth("order-1", jpayment.ReAuthRequest{PaymentID: "10000001", Amount: 20000}))
	if err != nil {
		log.Fatal(err)
	}

	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		log.Fatal(err)
	}
	defer tx.Rollback() // no-op after Commit
	if _, err := q.ReviewTx(ctx, tx, wrong.ID, fulfilment.Decision{State: fulfilment.StateRefused, By: "the order desk"}); err != nil {
		log.Fatal(err) // for example, it may have been carried out
	}
	if _, err := q.EnqueueTx(ctx, tx, fulfilment.ReAuth("order-1", jpayment.ReAuthRequest{PaymentID: "10000001", Amount: 2000})); err != nil {
		log.Fatal(err)
	}
	if err := tx.Commit(); err != nil {
		log.Fatal(err)
	}
	jobs, err := q.Jobs(ctx, fulfilment.Filter{PaymentID: "10000001"})
	if err != nil {
		log.Fatal(err)
	}
	for _, job := range jobs {
		fmt.Println(job.Amount, "yen:", job.State)
	}
	// Output:
	// 20000 yen: refused
	// 2000 yen: waiting
}

// Accounts looked at the wrong payment. A later decision corrects the first; both stay on
// record.
func ExampleDecision() {
	ctx := context.Background()
	gateway := jpaymenttest.Start()
	defer gateway.Close()
	paymentID := gateway.Authorize(jpaymenttest.Authorization{Amount: 3000})
	gateway.Fail(jpaymenttest.Fault{Kind: jpaymenttest.DropBeforeBooking})
	q, remove := exampleQueue(ctx, fulfilment.Config{StoreID: "123456"})
	defer remove()
	job, err := q.Enqueue(ctx, fulfilment.ReAuth("order-1", jpayment.ReAuthRequest{PaymentID: paymentID, Amount: 2000}))
	if err != nil {
		log.Fatal(err)
	}
	stop := exampleWorker(q, gateway, fulfilment.WorkerConfig{})
	if _, err := q.Wait(ctx, job.ID); err != nil {
		log.Fatal(err)
	}
	stop()

	for _, d := range []fulfilment.Decision{
		{State: fulfilment.StateDone, NewPaymentID: "10000007", By: "Sato", Note: jpayment.NewSecret("10000007 has 2000 yen")},
		{State: fulfilment.StateRefused, By: "Suzuki", Note: jpayment.NewSecret("10000007 is another order's"), Corrects: true},
	} {
		if _, err := q.Review(ctx, job.ID, d); err != nil {
			log.Fatal(err)
		}
	}
	decisions, err := q.Decisions(ctx, job.ID)
	if err != nil {
		log.Fatal(err)
	}
	for _, d := range decisions { // d.At is the time
		fmt.Println(d.State, "by", d.By+":", d.Note.Reveal())
	}
	// Output:
	// done by Sato: 10000007 has 2000 yen
	// refused by Suzuki: 10000007 is another order's
}

// A person's decisions on several jobs are recorded together, or not at all.
func ExampleQueue_ReviewAll() {
	ctx := context.Background()
	q, remove := exampleQueue(ctx, fulfilment.Config{StoreID: "123456"})
	defer remove()
	jobs, err := q.EnqueueAll(ctx, []fulfilment.Request{
		fulfilment.Sales("order-1", jpayment.SalesRequest{PaymentID: "10000001"}),
		fulfilment.Sales("order-2", jpayment.SalesRequest{PaymentID: "10000002"}),
	})
	if err != nil {
		log.Fatal(err)
	}
	withdrawn := fulfilment.Decision{State: fulfilment.StateRefused, By: "the order desk"}
	jobs, err = q.ReviewAll(ctx, map[int64]fulfilment.Decision{jobs[0].ID: withdrawn, jobs[1].ID: withdrawn})
	if err != nil {
		log.Fatal(err)
	}
	for _, job := range jobs {
		fmt.Println(job.Reference, job.State, job.Reason)
	}
	// Output:
	// order-1 refused decided
	// order-2 refused decided
}

// A person decides that a re-authorisation was not carried out, and a signed kickback says that
// it was. The decision stands, and the job needs a person again.
func ExampleFilter() {
	ctx := context.Background()
	gateway := jpaymenttest.Start()
	defer gateway.Close()
	paymentID := gateway.Authorize(jpaymenttest.Authorization{Amount: 3000})
	gateway.Fail(jpaymenttest.Fault{Kind: jpaymenttest.DropAfterBooking})
	q, remove := exampleQueue(ctx, fulfilment.Config{StoreID: "123456"})
	defer remove()
	job, err := q.Enqueue(ctx, fulfilment.ReAuth("order-1", jpayment.ReAuthRequest{PaymentID: paymentID, Amount: 2000}))
	if err != nil {
		log.Fatal(err)
	}
	stop := exampleWorker(q, gateway, fulfilment.WorkerConfig{})
	if _, err := q.Wait(ctx, job.ID); err != nil {
		log.Fatal(err)
	}
	stop()
	if _, err := q.Review(ctx, job.ID, fulfilment.Decision{State: fulfilment.StateRefused, By: "Sato"}); err != nil {
		log.Fatal(err)
	}

	kickback := &jpayment.Kickback{ // parsed and verified by a handler
		Result:  jpayment.Result{PaymentID: "10000002", Status: jpayment.StatusSucceeded},
		Request: jpayment.KickbackRequest{StoreID: "123456", PaymentID: paymentID, Amount: 2000, At: time.Now()},
	}
	if err := q.Settle(ctx, kickback); err != nil {
		log.Fatal(err)
	}
	status, err := q.Status(ctx, "")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("disputed:", status.Disputed)
	jobs, err := q.Jobs(ctx, fulfilment.Filter{ForPerson: true})
	if err != nil {
		log.Fatal(err)
	}
	for _, job := range jobs { // job.DisputedAt is the time
		fmt.Printf("%s is %s: %s\n%s\n", job.Reference, job.State, job.Dispute, job.Next())
	}
	// Output:
	// disputed: 1
	// order-1 is refused: a kickback reported the new payment 10000002
	// look the payments up in the control panel, then decide again or confirm the verdict
}

// The gateway is under maintenance. The store is paused until that is over, and then resumes
// automatically.
func ExamplePause() {
	ctx := context.Background()
	gateway := jpaymenttest.Start()
	defer gateway.Close()
	paymentID := gateway.Authorize(jpaymenttest.Authorization{Amount: 3000})
	gateway.SetMaintenance(true)
	q, remove := exampleQueue(ctx, fulfilment.Config{StoreID: "123456"})
	defer remove()
	if _, err := q.Enqueue(ctx, fulfilment.Sales("order-1", jpayment.SalesRequest{PaymentID: paymentID})); err != nil {
		log.Fatal(err)
	}
	stop := exampleWorker(q, gateway, fulfilment.WorkerConfig{})
	defer stop()
	poll := time.NewTicker(10 * time.Millisecond)
	defer poll.Stop()
	for range poll.C {
		status, err := q.Status(ctx, "")
		if err != nil {
			log.Fatal(err)
		}
		if pause := status.Paused; pause != nil {
			fmt.Println(pause.Reason.Text())
			fmt.Println("it ends automatically:", pause.Until.After(pause.At))
			break
		}
	}
	// Output:
	// the gateway is under maintenance
	// it ends automatically: true
}

// A restored backup is older than the database that the worker has seen. The worker refuses to
// start until AfterRestore has put the open jobs into review.
func ExampleQueue_AfterRestore() {
	ctx := context.Background()
	gateway := jpaymenttest.Start()
	defer gateway.Close()
	paymentID := gateway.Authorize(jpaymenttest.Authorization{Amount: 3000})
	dir, err := os.MkdirTemp("", "")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	// The file is on the worker's machine, outside the backups of the database.
	witness := fulfilment.WorkerConfig{Witness: filepath.Join(dir, "seen.json")}
	queueOn := func(file string) (*sql.DB, *fulfilment.Queue[*sql.Tx]) {
		db, err := fulfilment.OpenSQLite(filepath.Join(dir, file))
		if err != nil {
			log.Fatal(err)
		}
		q, err := fulfilment.NewSQLite(db, fulfilment.Config{StoreID: "123456"})
		if err != nil {
			log.Fatal(err)
		}
		if err := q.Migrate(ctx); err != nil {
			log.Fatal(err)
		}
		return db, q
	}
	db, q := queueOn("orders.db")
	defer db.Close()
	job, err := q.Enqueue(ctx, fulfilment.Sales("order-1", jpayment.SalesRequest{PaymentID: paymentID}))
	if err != nil {
		log.Fatal(err)
	}
	if _, err := db.ExecContext(ctx, "VACUUM INTO ?", filepath.Join(dir, "backup.db")); err != nil {
		log.Fatal(err)
	}
	stop := exampleWorker(q, gateway, witness)
	if _, err := q.Wait(ctx, job.ID); err != nil { // The capture is carried out after the backup.
		log.Fatal(err)
	}
	stop()

	backup, q := queueOn("backup.db")
	defer backup.Close()
	err = q.Run(ctx, gateway.Client(), witness)
	fmt.Println("restored:", errors.Is(err, fulfilment.ErrRestored))
	fmt.Println(jpayment.WhatOf(err))
	reviews, err := q.AfterRestore(ctx)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("in review:", reviews)
	stop = exampleWorker(q, gateway, witness) // now it starts
	next := gateway.Authorize(jpaymenttest.Authorization{Amount: 2000})
	if _, err := q.Enqueue(ctx, fulfilment.Sales("order-2", jpayment.SalesRequest{PaymentID: next})); err != nil {
		log.Fatal(err)
	}
	settled(ctx, q, jpayment.OpSales, next)
	stop()
	for _, r := range gateway.Requests() {
		fmt.Println(r.Operation, r.PaymentID)
	}
	// Output:
	// restored: true
	// the database is older than when this worker last used it: it must have been restored from a backup, and lacks what was carried out since
	// in review: 1
	// Sales 10000001
	// Sales 10000002
}

// The statements for the merchant's own migration tool.
func ExampleMigrations() {
	for _, database := range []string{"sqlite", "postgres"} {
		files, err := fs.Glob(fulfilment.Migrations(), database+"/*.sql")
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(files)
	}
	fmt.Println("this program works with version", fulfilment.SchemaVersion)
	// Output:
	// [sqlite/001.sql sqlite/002.sql]
	// [postgres/001.sql postgres/002.sql]
	// this program works with version 2
}

// The states that a job can be in.
func ExampleState() {
	for _, state := range []fulfilment.State{
		fulfilment.StateWaiting, fulfilment.StateRunning, fulfilment.StateAwaiting,
		fulfilment.StateDone, fulfilment.StateRefused, fulfilment.StateReview,
	} {
		fmt.Printf("%s (%s), settled: %t\n", state.Text().En, state.Text().Ja, state.Settled())
	}
	// Output:
	// waiting (待機中), settled: false
	// running (送信中), settled: false
	// awaiting its kickback (通知待ち), settled: false
	// done (完了), settled: true
	// refused (拒否), settled: true
	// in review (要確認), settled: true
}

// A list is checked as a whole, recorded as a batch, and counted by that batch.
func ExampleRequest_InBatch() {
	ctx := context.Background()
	gateway := jpaymenttest.Start()
	defer gateway.Close()
	q, remove := exampleQueue(ctx, fulfilment.Config{StoreID: "123456"})
	defer remove()
	var list []fulfilment.Request
	for range 3 {
		paymentID := gateway.Authorize(jpaymenttest.Authorization{Amount: 3000})
		list = append(list, fulfilment.Sales("order-"+paymentID, jpayment.SalesRequest{PaymentID: paymentID}).InBatch("November"))
	}
	for _, request := range list {
		known, err := q.Check(ctx, request)
		if err != nil {
			log.Fatal(err)
		}
		if known.ID != 0 {
			fmt.Println("enqueued before:", known.Reference, known.State)
		}
	}
	if _, err := q.EnqueueAll(ctx, list); err != nil {
		log.Fatal(err)
	}
	status, err := q.Status(ctx, "November")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("open:", status.Open(), "of", status.Total())
	// Output:
	// open: 3 of 3
}

// Nothing is sent during the stock-taking.
func ExampleQueue_Resume() {
	ctx := context.Background()
	q, remove := exampleQueue(ctx, fulfilment.Config{StoreID: "123456"})
	defer remove()
	if err := q.Pause(ctx, "stock-taking"); err != nil {
		log.Fatal(err)
	}
	status, err := q.Status(ctx, "")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("paused: %s; next: %s, then resume\n", status.Paused.Why, status.Paused.Next())
	if err := q.Resume(ctx); err != nil {
		log.Fatal(err)
	}
	if status, err = q.Status(ctx, ""); err != nil {
		log.Fatal(err)
	}
	fmt.Println("paused:", status.Paused != nil)
	// Output:
	// paused: stock-taking; next: correct the cause, then resume
	// paused: false
}

// A job is looked up in a transaction. With SQLite this is necessary while one is open.
func ExampleQueue_JobTx() {
	ctx := context.Background()
	db, q, remove := exampleDatabase(ctx, fulfilment.Config{StoreID: "123456"})
	defer remove()
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		log.Fatal(err)
	}
	defer tx.Rollback()
	if _, err := q.JobTx(ctx, tx, jpayment.OpSales, "10000001"); errors.Is(err, fulfilment.ErrNoJob) {
		fmt.Println("no capture is recorded")
	}
	// Output:
	// no capture is recorded
}

// The attempts on a job, with the worker and the outcome of each.
func ExampleAttempt() {
	ctx := context.Background()
	gateway := jpaymenttest.Start()
	defer gateway.Close()
	paymentID := gateway.Authorize(jpaymenttest.Authorization{Amount: 3000})
	gateway.Fail(jpaymenttest.Fault{Kind: jpaymenttest.AnswerStatus, Nth: 1})
	q, remove := exampleQueue(ctx, fulfilment.Config{StoreID: "123456"})
	defer remove()
	job, err := q.Enqueue(ctx, fulfilment.ReAuth("order-1", jpayment.ReAuthRequest{PaymentID: paymentID, Amount: 2000}))
	if err != nil {
		log.Fatal(err)
	}
	stop := exampleWorker(q, gateway, fulfilment.WorkerConfig{})
	if _, err := q.Wait(ctx, job.ID); err != nil {
		log.Fatal(err)
	}
	stop()
	attempts, err := q.Attempts(ctx, job.ID)
	if err != nil {
		log.Fatal(err)
	}
	for _, attempt := range attempts {
		fmt.Printf("%d: %s: %s\n", attempt.Number, attempt.Outcome, attempt.What)
	}
	// Output:
	// 1: unknown: the reply does not count as an answer: the HTTP status is not 200 but 503
}

// A health check uses the queue, which does not access the database for it.
func ExampleHealth() {
	q, remove := exampleQueue(context.Background(), fulfilment.Config{StoreID: "123456"})
	defer remove()
	http.HandleFunc("/ready", func(w http.ResponseWriter, _ *http.Request) {
		if health := q.Health(); !health.OK() {
			http.Error(w, health.What.En, http.StatusServiceUnavailable)
		}
	})
	fmt.Println("ready:", q.Health().OK())
	// Output:
	// ready: true
}

// The private data of jobs settled three months ago is erased. The verdicts stay.
func ExampleQueue_Forget() {
	ctx := context.Background()
	q, remove := exampleQueue(ctx, fulfilment.Config{StoreID: "123456"})
	defer remove()
	forgotten, err := q.Forget(ctx, time.Now().AddDate(0, -3, 0))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(forgotten, "jobs")
	// Output:
	// 0 jobs
}

// exampleQueue creates a queue in a new file.
func exampleQueue(ctx context.Context, cfg fulfilment.Config) (q *fulfilment.Queue[*sql.Tx], remove func()) {
	_, q, remove = exampleDatabase(ctx, cfg)
	return q, remove
}

// exampleDatabase creates a queue in a new file, and returns the database for the orders.
func exampleDatabase(ctx context.Context, cfg fulfilment.Config) (db *sql.DB, q *fulfilment.Queue[*sql.Tx], remove func()) {
	dir, err := os.MkdirTemp("", "")
	if err != nil {
		log.Fatal(err)
	}
	if db, err = fulfilment.OpenSQLite(filepath.Join(dir, "orders.db")); err != nil {
		log.Fatal(err)
	}
	if q, err = fulfilment.NewSQLite(db, cfg); err != nil {
		log.Fatal(err)
	}
	if err := q.Migrate(ctx); err != nil {
		log.Fatal(err)
	}
	return db, q, func() {
		db.Close()
		os.RemoveAll(dir)
	}
}

// exampleWorker runs a worker against the simulated gateway until stop is called.
func exampleWorker(q *fulfilment.Queue[*sql.Tx], gateway *jpaymenttest.Server, cfg fulfilment.WorkerConfig) (stop func()) {
	client := gateway.Client(jpayment.WithRetry(jpayment.RetryPolicy{MaxAttempts: 1}))
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- q.Run(ctx, client, cfg) }()
	return func() {
		cancel()
		if err := <-ended; err != nil {
			log.Fatal(err)
		}
	}
}

// settled waits for the verdict on a request.
func settled(ctx context.Context, q *fulfilment.Queue[*sql.Tx], op jpayment.Operation, paymentID string) fulfilment.Job {
	job, err := q.Job(ctx, op, paymentID)
	if err != nil {
		log.Fatal(err)
	}
	if job, err = q.Wait(ctx, job.ID); err != nil {
		log.Fatal(err)
	}
	return job
}

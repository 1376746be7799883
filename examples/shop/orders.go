package main

import (
	"context"
	"database/sql"
	"errors"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/jpayment-go/jpayment"
	"github.com/jpayment-go/jpayment/fulfilment"
)

// table is the store's own table, in the same database as the jobs, so that one transaction
// changes both.
const table = `CREATE TABLE IF NOT EXISTS orders (
	number     TEXT   NOT NULL PRIMARY KEY,
	payment_id TEXT   NOT NULL, -- 決済番号; a re-authorisation replaces it
	total      BIGINT NOT NULL, -- yen
	state      TEXT   NOT NULL
)`

// State is the state of an order.
type State string

const (
	Open       State = "open"
	Shipping   State = "shipping" // its capture is enqueued
	Shipped    State = "shipped"  // its capture is done
	Cancelling State = "cancelling"
	Cancelled  State = "cancelled"
	Problem    State = "problem" // refused, or in review: a person has to look
)

// Order is a row of the table.
type Order struct {
	Number, PaymentID string
	Total             int64
	State             State
}

// store is what the page and the process need, with either database.
type store interface {
	add(ctx context.Context, o Order) error
	orders(ctx context.Context) ([]Order, error)
	ship(ctx context.Context, number string) error
	shipPart(ctx context.Context, number string, total int64) error
	cancel(ctx context.Context, number string) error

	// The methods of the queue.
	Jobs(ctx context.Context, f fulfilment.Filter) ([]fulfilment.Job, error)
	Settle(ctx context.Context, k *jpayment.Kickback) error
	Run(ctx context.Context, gateway jpayment.Gateway, cfg fulfilment.WorkerConfig) error
}

// openStore opens a store in Postgres, if the name is a URL, or in a SQLite file.
func openStore(ctx context.Context, name string, config fulfilment.Config) (s store, closeIt func(), err error) {
	if strings.HasPrefix(name, "postgres") {
		pool, err := pgxpool.New(ctx, name)
		if err != nil {
			return nil, nil, err
		}
		q, err := fulfilment.NewPostgres(pool, config)
		if err != nil {
			return nil, nil, err
		}
		s, err = newStore(ctx, q, onPostgres(pool))
		return s, pool.Close, err
	}
	db, err := fulfilment.OpenSQLite(name)
	if err != nil {
		return nil, nil, err
	}
	q, err := fulfilment.NewSQLite(db, config)
	if err != nil {
		return nil, nil, err
	}
	s, err = newStore(ctx, q, onSQLite(db))
	return s, func() { _ = db.Close() }, err // Commits are durable already.
}

// storeOn is a store whose transactions have type TTx.
type storeOn[TTx any] struct {
	*fulfilment.Queue[TTx]
	database[TTx]
}

// newStore creates the tables and registers the store's function for verdicts.
func newStore[TTx any](ctx context.Context, q *fulfilment.Queue[TTx], db database[TTx]) (store, error) {
	s := storeOn[TTx]{q, db}
	q.OnSettled(s.settled)
	if err := q.Migrate(ctx); err != nil {
		return nil, err
	}
	return s, s.transact(ctx, func(tx TTx) error { return s.query(ctx, tx, none, table) })
}

// add adds an order whose payment the checkout has authorised (仮売上).
func (s storeOn[TTx]) add(ctx context.Context, o Order) error {
	return s.transact(ctx, func(tx TTx) error {
		return s.query(ctx, tx, none, `INSERT INTO orders (number, payment_id, total, state) VALUES ($1, $2, $3, 'open')`,
			o.Number, o.PaymentID, o.Total)
	})
}

// ship marks an order and enqueues the capture of its payment, in one transaction.
func (s storeOn[TTx]) ship(ctx context.Context, number string) error {
	return s.transact(ctx, func(tx TTx) error {
		paymentID, err := s.mark(ctx, tx, `UPDATE orders SET state = 'shipping' WHERE number = $1 AND state = 'open' RETURNING payment_id`, number)
		if err != nil {
			return err
		}
		_, err = s.EnqueueTx(ctx, tx, fulfilment.Sales(number, jpayment.SalesRequest{PaymentID: paymentID}))
		return err
	})
}

// shipPart ships less than was ordered. A capture is for the whole amount, so a
// re-authorisation first replaces the payment with one for the lower amount: see settled.
func (s storeOn[TTx]) shipPart(ctx context.Context, number string, total int64) error {
	return s.transact(ctx, func(tx TTx) error {
		paymentID, err := s.mark(ctx, tx, `UPDATE orders SET state = 'shipping', total = $1
			WHERE number = $2 AND state = 'open' AND total > $1 RETURNING payment_id`, total, number)
		if err != nil {
			return err
		}
		_, err = s.EnqueueTx(ctx, tx, fulfilment.ReAuth(number, jpayment.ReAuthRequest{PaymentID: paymentID, Amount: total}))
		return err
	})
}

// cancel cancels the payment, before or after its capture. With InTurn it waits for a capture
// that is on its way. While a re-authorisation is open, it returns an error.
func (s storeOn[TTx]) cancel(ctx context.Context, number string) error {
	return s.transact(ctx, func(tx TTx) error {
		paymentID, err := s.mark(ctx, tx, `UPDATE orders SET state = 'cancelling'
			WHERE number = $1 AND state NOT IN ('cancelling', 'cancelled') RETURNING payment_id`, number)
		if err != nil {
			return err
		}
		_, err = s.EnqueueTx(ctx, tx, fulfilment.Cancel(number, jpayment.CancelRequest{PaymentID: paymentID}).InTurn())
		return err
	})
}

// settled is called for each verdict, in the transaction that records it. Its writes are
// committed if and only if the verdict is.
func (s storeOn[TTx]) settled(ctx context.Context, tx TTx, job fulfilment.Job) error {
	number := job.Reference
	switch {
	case job.State != fulfilment.StateDone && job.Operation == jpayment.OpCancel: // The page shows why, and what to do next.
		return s.query(ctx, tx, none, `UPDATE orders SET state = 'problem' WHERE number = $1`, number)
	case job.State != fulfilment.StateDone: // An order that is being cancelled waits for the verdict on that.
		return s.query(ctx, tx, none, `UPDATE orders SET state = 'problem' WHERE number = $1 AND state <> 'cancelling'`, number)
	case job.Operation == jpayment.OpReAuth:
		if err := s.query(ctx, tx, none, `UPDATE orders SET payment_id = $1, state = 'shipping' WHERE number = $2`, job.NewPaymentID, number); err != nil {
			return err
		}
		_, err := s.EnqueueTx(ctx, tx, fulfilment.Sales(number, jpayment.SalesRequest{PaymentID: job.NewPaymentID}))
		return err
	case job.Operation == jpayment.OpSales: // An order that has been cancelled since then stays cancelled.
		return s.query(ctx, tx, none, `UPDATE orders SET state = 'shipped' WHERE number = $1 AND state <> 'cancelling'`, number)
	default:
		return s.query(ctx, tx, none, `UPDATE orders SET state = 'cancelled' WHERE number = $1`, number)
	}
}

// orders returns all orders.
func (s storeOn[TTx]) orders(ctx context.Context) (all []Order, err error) {
	err = s.transact(ctx, func(tx TTx) error {
		all = nil
		return s.query(ctx, tx, func(scan scanner) error {
			var o Order
			err := scan(&o.Number, &o.PaymentID, &o.Total, &o.State)
			all = append(all, o)
			return err
		}, `SELECT number, payment_id, total, state FROM orders ORDER BY number`)
	})
	return all, err
}

// errNotNow means that an order's state does not allow an action.
var errNotNow = errors.New("the order's state does not allow it")

// mark changes an order and returns its payment.
func (s storeOn[TTx]) mark(ctx context.Context, tx TTx, statement string, args ...any) (paymentID string, err error) {
	err = s.query(ctx, tx, func(scan scanner) error { return scan(&paymentID) }, statement, args...)
	if err == nil && paymentID == "" {
		err = errNotNow
	}
	return paymentID, err
}

// database abstracts the differences between SQLite and Postgres.
type database[TTx any] struct {
	transact func(ctx context.Context, f func(tx TTx) error) error
	query    func(ctx context.Context, tx TTx, each func(scanner) error, statement string, args ...any) error
}

// scanner reads a row.
type scanner func(into ...any) error

func none(scanner) error { return nil }

func onSQLite(db *sql.DB) database[*sql.Tx] {
	return database[*sql.Tx]{
		transact: func(ctx context.Context, f func(*sql.Tx) error) error {
			tx, err := db.BeginTx(ctx, nil)
			if err != nil {
				return err
			}
			defer tx.Rollback() //nolint:errcheck // no-op after Commit
			if err := f(tx); err != nil {
				return err
			}
			return tx.Commit()
		},
		query: func(ctx context.Context, tx *sql.Tx, each func(scanner) error, statement string, args ...any) error {
			rows, err := tx.QueryContext(ctx, statement, args...)
			if err != nil {
				return err
			}
			defer rows.Close() //nolint:errcheck // Err reports errors.
			for rows.Next() {
				if err := each(rows.Scan); err != nil {
					return err
				}
			}
			return rows.Err()
		},
	}
}

func onPostgres(pool *pgxpool.Pool) database[pgx.Tx] {
	return database[pgx.Tx]{
		transact: func(ctx context.Context, f func(pgx.Tx) error) error { return pgx.BeginFunc(ctx, pool, f) },
		query: func(ctx context.Context, tx pgx.Tx, each func(scanner) error, statement string, args ...any) error {
			rows, err := tx.Query(ctx, statement, args...)
			if err != nil {
				return err
			}
			defer rows.Close()
			for rows.Next() {
				if err := each(rows.Scan); err != nil {
					return err
				}
			}
			return rows.Err()
		},
	}
}

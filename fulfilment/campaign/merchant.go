//go:build linux

package main

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"strconv"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/jpayment-go/jpayment"
	"github.com/jpayment-go/jpayment/fulfilment"
	"github.com/jpayment-go/jpayment/internal/wallclock"
)

const (
	store       = "123456"
	key         = "a key of the campaign with more than 32 bytes"
	callTimeout = time.Second
	concurrency = 4
	rateLimit   = 1000
)

// kind is what an order does with its payment.
type kind string

const (
	capture     kind = "capture"
	cancel      kind = "cancel"
	captureLast kind = "capture, then cancel"
	partial     kind = "partial shipment" // a re-authorisation, then the capture of the new payment
)

// order is an order of the merchant.
type order struct {
	number    int
	kind      kind
	amount    int64
	decline   string // the code with which the issuer declines
	elsewhere bool   // somebody captures it in the control panel, too
	payment   string
}

func drawOrder(random *rand.Rand, number int) order {
	o := order{number: number, kind: capture, amount: 1000 + int64(number%1000)}
	switch n := random.IntN(100); {
	case n < 10:
		o.kind = cancel
	case n < 35:
		o.kind = captureLast
	case n < 60:
		o.kind = partial
	}
	switch n := random.IntN(100); {
	case n < 4:
		o.decline = "G1242G120000"
	case n < 7 && o.kind != partial:
		o.elsewhere = true
	}
	return o
}

func (o order) reference() string { return "order-" + strconv.Itoa(o.number) }

// requests returns the requests of an order, each enqueued in a transaction of its own.
func (o order) requests() []fulfilment.Request {
	first := fulfilment.Sales(o.reference(), jpayment.SalesRequest{PaymentID: o.payment})
	last := fulfilment.Cancel(o.reference(), jpayment.CancelRequest{PaymentID: o.payment})
	switch o.kind {
	case capture:
		return []fulfilment.Request{first}
	case cancel:
		return []fulfilment.Request{last}
	case captureLast:
		return []fulfilment.Request{first, last.InTurn()}
	default:
		return []fulfilment.Request{fulfilment.ReAuth(o.reference(), jpayment.ReAuthRequest{PaymentID: o.payment, Amount: o.amount / 2, Tax: 40})}
	}
}

// operations returns the operations of the requests.
func (o order) operations() []jpayment.Operation {
	switch o.kind {
	case capture:
		return []jpayment.Operation{jpayment.OpSales}
	case cancel:
		return []jpayment.Operation{jpayment.OpCancel}
	case captureLast:
		return []jpayment.Operation{jpayment.OpSales, jpayment.OpCancel}
	default:
		return []jpayment.Operation{jpayment.OpReAuth}
	}
}

// followUp returns the reference of the request that follows a re-authorisation.
func followUp(reference string) string { return reference + "-rest" }

// merchant is the merchant's side of a database.
type merchant interface {
	Migrate(ctx context.Context) error
	Status(ctx context.Context, batch string) (fulfilment.Status, error)
	Jobs(ctx context.Context, f fulfilment.Filter) ([]fulfilment.Job, error)
	Attempts(ctx context.Context, jobID int64) ([]fulfilment.Attempt, error)
	Run(ctx context.Context, gateway jpayment.Gateway, cfg fulfilment.WorkerConfig) error

	open(ctx context.Context) error
	ship(ctx context.Context, o order, nth int) error
	changes(ctx context.Context) ([]told, error)
	heard(ctx context.Context) ([]told, error)
	shipped(ctx context.Context) (map[string]int, error)
	close()
}

// told is a change for which order code is called.
type told struct {
	job           int64
	state, reason string
}

// merchantOn is a merchant on either database.
type merchantOn[TTx any] struct {
	*fulfilment.Queue[TTx]
	begin    func(ctx context.Context, f func(tx TTx) error) error
	exec     func(ctx context.Context, tx TTx, statement string, args ...any) error
	query    func(ctx context.Context, each func(scan func(...any) error) error, statement string) error
	id       string // column definition of an append-only row's ID
	closeAll func()

	mu     sync.Mutex
	failed map[int64]bool // order code, for a job
}

// address names a database. All processes use its config.
type address struct {
	Postgres, SQLite string
	KickbackWait     time.Duration
}

func (a address) config(log *slog.Logger) fulfilment.Config {
	return fulfilment.Config{StoreID: store, KickbackWait: a.KickbackWait, Logger: log}
}

func (a address) open(ctx context.Context, log *slog.Logger) (merchant, error) {
	if a.SQLite != "" {
		db, err := fulfilment.OpenSQLite(a.SQLite)
		if err != nil {
			return nil, err
		}
		q, err := fulfilment.NewSQLite(db, a.config(log))
		if err != nil {
			return nil, errors.Join(err, db.Close())
		}
		return newMerchant(&merchantOn[*sql.Tx]{
			Queue: q, id: "INTEGER PRIMARY KEY", closeAll: func() { _ = db.Close() },
			begin: func(ctx context.Context, f func(tx *sql.Tx) error) error {
				tx, err := db.BeginTx(ctx, nil)
				if err != nil {
					return err
				}
				if err := f(tx); err != nil {
					return errors.Join(err, tx.Rollback())
				}
				return tx.Commit()
			},
			exec: func(ctx context.Context, tx *sql.Tx, statement string, args ...any) error {
				_, err := tx.ExecContext(ctx, statement, args...)
				return err
			},
			query: func(ctx context.Context, each func(scan func(...any) error) error, statement string) error {
				rows, err := db.QueryContext(ctx, statement)
				if err != nil {
					return err
				}
				defer rows.Close() //nolint:errcheck // Err reports whether all rows were read.
				for rows.Next() {
					if err := each(rows.Scan); err != nil {
						return err
					}
				}
				return rows.Err()
			},
		}), nil
	}
	pool, err := pgxpool.New(ctx, a.Postgres)
	if err != nil {
		return nil, err
	}
	q, err := fulfilment.NewPostgres(pool, a.config(log))
	if err != nil {
		pool.Close()
		return nil, err
	}
	return newMerchant(&merchantOn[pgx.Tx]{
		Queue: q, id: "BIGSERIAL PRIMARY KEY", closeAll: pool.Close,
		begin: func(ctx context.Context, f func(tx pgx.Tx) error) error { return pgx.BeginFunc(ctx, pool, f) },
		exec: func(ctx context.Context, tx pgx.Tx, statement string, args ...any) error {
			_, err := tx.Exec(ctx, statement, args...)
			return err
		},
		query: func(ctx context.Context, each func(scan func(...any) error) error, statement string) error {
			rows, err := pool.Query(ctx, statement)
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
	}), nil
}

func newMerchant[TTx any](s *merchantOn[TTx]) merchant {
	s.failed = map[int64]bool{}
	s.OnSettled(s.settled)
	return s
}

func (s *merchantOn[TTx]) close() { s.closeAll() }

// open creates the tables.
func (s *merchantOn[TTx]) open(ctx context.Context) error {
	if err := s.Migrate(ctx); err != nil {
		return err
	}
	return s.begin(ctx, func(tx TTx) error {
		return errors.Join(
			s.exec(ctx, tx, "CREATE TABLE campaign_order (reference TEXT PRIMARY KEY, shipped INTEGER NOT NULL)"),
			s.exec(ctx, tx, "CREATE TABLE campaign_told (id "+s.id+", job_id BIGINT NOT NULL, state TEXT NOT NULL, reason TEXT NOT NULL)"))
	})
}

// ship enqueues the nth request of an order in the transaction that records it in the order.
func (s *merchantOn[TTx]) ship(ctx context.Context, o order, nth int) error {
	return s.begin(ctx, func(tx TTx) error {
		err := s.exec(ctx, tx, `INSERT INTO campaign_order (reference, shipped) VALUES ($1, $2)
			ON CONFLICT (reference) DO UPDATE SET shipped = excluded.shipped`, o.reference(), nth+1)
		if err != nil {
			return err
		}
		_, err = s.EnqueueTx(ctx, tx, o.requests()[nth])
		return err
	})
}

// settled is the order code. It sometimes fails, at most once for a job.
func (s *merchantOn[TTx]) settled(ctx context.Context, tx TTx, job fulfilment.Job) error {
	s.mu.Lock()
	again := s.failed[job.ID]
	s.failed[job.ID] = true
	s.mu.Unlock()
	if err := s.exec(ctx, tx, "INSERT INTO campaign_told (job_id, state, reason) VALUES ($1, $2, $3)", job.ID, string(job.State), string(job.Reason)); err != nil {
		return err
	}
	if job.Operation == jpayment.OpReAuth && job.State == fulfilment.StateDone {
		_, err := s.EnqueueTx(ctx, tx, fulfilment.Sales(followUp(job.Reference), jpayment.SalesRequest{PaymentID: job.NewPaymentID}))
		if err != nil {
			return err
		}
	}
	switch {
	case again:
	case job.ID%40 == 0:
		return errors.New("order code that fails")
	case job.ID%40 == 1:
		panic("order code that panics")
	}
	return nil
}

// changes returns the recorded changes.
func (s *merchantOn[TTx]) changes(ctx context.Context) (all []told, err error) {
	for c, err := range s.Changes(ctx, 0) {
		if err != nil {
			return nil, err
		}
		all = append(all, told{c.Job.ID, string(c.State), string(c.Reason)})
	}
	return all, nil
}

// heard returns the changes for which order code was called.
func (s *merchantOn[TTx]) heard(ctx context.Context) (all []told, err error) {
	err = s.query(ctx, func(scan func(...any) error) error {
		var t told
		err := scan(&t.job, &t.state, &t.reason)
		all = append(all, t)
		return err
	}, "SELECT job_id, state, reason FROM campaign_told")
	return all, err
}

// shipped returns the number of recorded requests of each order.
func (s *merchantOn[TTx]) shipped(ctx context.Context) (map[string]int, error) {
	all := map[string]int{}
	err := s.query(ctx, func(scan func(...any) error) error {
		var (
			reference string
			n         int
		)
		err := scan(&reference, &n)
		all[reference] = n
		return err
	}, "SELECT reference, shipped FROM campaign_order")
	return all, err
}

// workerVariable contains the configuration of a worker that is this program.
const workerVariable = "JPAYMENT_CAMPAIGN_WORKER"

// workerOrders is the configuration of a worker.
type workerOrders struct {
	Address                 address
	Gateway, Witness, Clock string
}

// work runs a worker with order code until it is stopped.
func work(ctx context.Context, text string) error {
	var o workerOrders
	if err := json.Unmarshal([]byte(text), &o); err != nil {
		return err
	}
	if o.Clock != "" {
		wallclock.Shift(func() time.Duration {
			text, _ := os.ReadFile(o.Clock)
			by, _ := time.ParseDuration(string(text)) // Without a file the clock is right.
			return by
		})
	}
	stopped := make(chan error, 1)
	go func() { stopped <- obeyLimits(os.Stdin) }()
	s, err := o.Address.open(ctx, slog.New(slog.NewJSONHandler(os.Stderr, nil)))
	if err != nil {
		return err
	}
	defer s.close()
	client, err := jpayment.NewClient(store, jpayment.WithBaseURL(o.Gateway), jpayment.WithTimeout(callTimeout),
		jpayment.WithKickbackKey([]byte(key)), jpayment.WithRetry(jpayment.RetryPolicy{MaxAttempts: 1}))
	if err != nil {
		return err
	}
	// As the command does.
	err = s.Run(ctx, client, fulfilment.WorkerConfig{Concurrency: concurrency, Rate: rateLimit, CallTimeout: callTimeout + callTimeout/6, Witness: o.Witness})
	if err != nil {
		return fmt.Errorf("the worker with order code: %w", err)
	}
	return nil
}

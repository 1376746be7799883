package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"
	"github.com/riverqueue/river/riverdriver/riversqlite"
	"github.com/riverqueue/river/rivermigrate"
	"golang.org/x/time/rate"

	"github.com/jpayment-go/jpayment"
	"github.com/jpayment-go/jpayment/fulfilment"
)

// atOnce is the concurrency of both sides, the maximum of a worker.
const atOnce = 64

// cooldown is River's minimum time between two fetches, on both sides.
const cooldown = 5 * time.Millisecond

// instant is a gateway that answers at once, in this process.
type instant struct{ jpayment.Gateway }

func (instant) Sales(_ context.Context, r jpayment.SalesRequest) (*jpayment.Result, error) {
	return &jpayment.Result{PaymentID: r.PaymentID, Status: jpayment.StatusSucceeded}, nil
}

// spent is the cost of a measured function.
type spent struct{ wall, cpu time.Duration }

func measure(f func() error) (spent, error) {
	before, began := cpuTime(), time.Now()
	err := f()
	return spent{time.Since(began), cpuTime() - before}, err
}

// floor compares jobs with plain River jobs whose worker does nothing, on the same database:
// enqueueing them, and working them.
func (m *measurement) floor(ctx context.Context) (string, error) {
	n := 10 * m.jobs
	kinds := []string{"enqueue, 500 in a transaction", "work"}
	var b strings.Builder
	fmt.Fprintf(&b, "## Compared with River alone\n\n%d jobs, and as many plain River jobs whose worker does nothing, in turns on the same database, in one process, with concurrency %d and a gateway that answers at once. Times are per job; the ratios are ours to River's. CPU is that of this process; Postgres uses CPU time of its own in addition.\n\n| database | | River, µs | ours, µs | time, ratio | CPU, ratio |\n|---|---|---:|---:|---:|---:|\n", n, atOnce)
	for _, name := range m.databases {
		rivers, ours := make([][]spent, len(kinds)), make([][]spent, len(kinds))
		for range m.rounds {
			for i, run := range []func(context.Context, string, int) ([]spent, error){m.river, m.ours} {
				costs, err := run(ctx, name, n)
				if err != nil {
					return "", fmt.Errorf("%s: %w", name, err)
				}
				to := rivers
				if i == 1 {
					to = ours
				}
				for k, c := range costs {
					to[k] = append(to[k], c)
				}
			}
		}
		each := func(all []spent, of func(spent) time.Duration) float64 {
			xs := make([]float64, len(all))
			for i, s := range all {
				xs[i] = float64(of(s).Nanoseconds()) / 1000 / float64(n)
			}
			return median(xs)
		}
		wall, cpu := func(s spent) time.Duration { return s.wall }, func(s spent) time.Duration { return s.cpu }
		for k, kind := range kinds {
			fmt.Fprintf(&b, "| %s | %s | %.0f | %.0f | %.1f | %.1f |\n", name, kind,
				each(rivers[k], wall), each(ours[k], wall), each(ours[k], wall)/each(rivers[k], wall), each(ours[k], cpu)/each(rivers[k], cpu))
		}
	}
	return b.String(), nil
}

func (m *measurement) ours(ctx context.Context, name string, n int) (costs []spent, err error) {
	db, err := m.open(ctx, name)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, db.remove(ctx)) }()
	all := sales(n)
	recorded, err := measure(func() error {
		for some := range slices.Chunk(all, 500) {
			if _, err := db.EnqueueAll(ctx, some); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	ended := make(chan error, 1)
	worked, err := measure(func() error {
		go func() {
			ended <- db.Run(ctx, instant{}, fulfilment.WorkerConfig{Concurrency: atOnce, Rate: rate.Inf})
		}()
		_, err := db.finished(ctx, n)
		return err
	})
	stop()
	return []spent{recorded, worked}, errors.Join(err, <-ended)
}

type nothing struct {
	N int `json:"job_id"`
}

func (nothing) Kind() string { return "nothing" }

type idle struct {
	river.WorkerDefaults[nothing]
	left atomic.Int64
	done chan struct{}
}

func (w *idle) Work(context.Context, *river.Job[nothing]) error {
	if w.left.Add(-1) == 0 {
		close(w.done)
	}
	return nil
}

func (m *measurement) river(ctx context.Context, name string, n int) (costs []spent, err error) {
	db, err := m.open(ctx, name)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, db.remove(ctx)) }()
	if name == "SQLite" {
		own, err := fulfilment.OpenSQLite(string(db.address))
		if err != nil {
			return nil, err
		}
		defer own.Close()
		return riverAlone(ctx, riversqlite.New(own), "", n)
	}
	url, schema, _ := strings.Cut(string(db.address), " ")
	pool, err := pgxpool.New(ctx, url)
	if err != nil {
		return nil, err
	}
	defer pool.Close()
	return riverAlone(ctx, riverpgxv5.New(pool), schema, n)
}

func riverAlone[TTx any](ctx context.Context, driver riverdriver.Driver[TTx], schema string, n int) ([]spent, error) {
	migrator, err := rivermigrate.New(driver, &rivermigrate.Config{Schema: schema, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		return nil, err
	}
	if _, err := migrator.Migrate(ctx, rivermigrate.DirectionUp, nil); err != nil {
		return nil, err
	}
	w := &idle{done: make(chan struct{})}
	w.left.Store(int64(n))
	workers := river.NewWorkers()
	river.AddWorker(workers, w)
	client, err := river.NewClient(driver, &river.Config{
		Schema: schema, Workers: workers, Logger: slog.New(slog.DiscardHandler),
		Queues: map[string]river.QueueConfig{river.QueueDefault: {MaxWorkers: atOnce}}, FetchCooldown: cooldown,
	})
	if err != nil {
		return nil, err
	}
	params := make([]river.InsertManyParams, n)
	for i := range params {
		params[i].Args = nothing{i}
	}
	recorded, err := measure(func() error {
		for some := range slices.Chunk(params, 500) {
			if _, err := client.InsertManyFast(ctx, some); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	worked, err := measure(func() error {
		if err := client.Start(context.WithoutCancel(ctx)); err != nil {
			return err
		}
		<-w.done
		return nil
	})
	return []spent{recorded, worked}, errors.Join(err, client.Stop(context.WithoutCancel(ctx)))
}

package main

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"time"

	"golang.org/x/time/rate"

	"github.com/jpayment-go/jpayment/fulfilment"
)

// depth fills a queue, and at several depths measures the cost of working a job, of enqueueing
// a request, and of Status.
func (m *measurement) depth(ctx context.Context) (string, error) {
	var b strings.Builder
	fmt.Fprintf(&b, "## Deep queues\n\nThe tables contain the given number of jobs, half of them done. A job is worked by a worker with `Concurrency: %d` and a gateway that answers at once; requests are enqueued 500 in a transaction. The table also shows the duration of `Status` and the heap of the process.\n\n| database | jobs | a job, µs | a request, µs | `Status`, ms | heap, MB |\n|---|---:|---:|---:|---:|---:|\n", atOnce)
	for _, name := range m.databases {
		rows, err := m.deeper(ctx, name)
		if err != nil {
			return "", fmt.Errorf("%s: %w", name, err)
		}
		b.WriteString(rows)
	}
	return b.String(), nil
}

func (m *measurement) deeper(ctx context.Context, name string) (rows string, err error) {
	db, err := m.open(ctx, name)
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, db.remove(ctx)) }()
	recorded := 0
	record := func(n int) (time.Duration, error) {
		began := time.Now()
		for n > 0 {
			some := make([]fulfilment.Request, min(n, 500))
			for i := range some {
				some[i] = sale(recorded + i)
			}
			if _, err := db.EnqueueAll(ctx, some); err != nil {
				return 0, err
			}
			recorded, n = recorded+len(some), n-len(some)
		}
		return time.Since(began), nil
	}
	for depth := m.deepest / 100; depth <= m.deepest; depth *= 10 {
		if _, err := record(max(depth-recorded, 0)); err != nil {
			return "", err
		}
		if err := db.settleHalf(ctx); err != nil {
			return "", err
		}
		n := 10 * m.jobs
		requests, err := record(n)
		if err != nil {
			return "", err
		}
		worked, err := m.workSome(ctx, db, n)
		if err != nil {
			return "", err
		}
		var asked []float64
		for range 21 {
			began := time.Now()
			if _, err := db.Status(ctx, ""); err != nil {
				return "", err
			}
			asked = append(asked, time.Since(began).Seconds()*1000)
		}
		runtime.GC()
		var memory runtime.MemStats
		runtime.ReadMemStats(&memory)
		rows += fmt.Sprintf("| %s | %d | %.0f | %.0f | %.1f | %.0f |\n", name, depth, worked.Seconds()*1e6, requests.Seconds()*1e6/float64(n), median(asked), float64(memory.HeapAlloc)/1e6)
	}
	return rows, nil
}

// workSome works about n waiting jobs and returns the time per job.
func (m *measurement) workSome(ctx context.Context, db *database, n int) (time.Duration, error) {
	before, err := db.Status(ctx, "")
	if err != nil {
		return 0, err
	}
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	ended := make(chan error, 1)
	began := time.Now()
	go func() {
		ended <- db.Run(ctx, instant{}, fulfilment.WorkerConfig{Concurrency: atOnce, Rate: rate.Inf})
	}()
	for poll := time.Tick(20 * time.Millisecond); ; {
		st, err := db.Status(ctx, "")
		if done := st.Done - before.Done; err != nil || done >= int64(n) {
			each := time.Since(began) / time.Duration(max(done, 1))
			stop()
			return each, errors.Join(err, <-ended)
		}
		select {
		case <-poll:
		case err := <-ended:
			return 0, errors.Join(err, errors.New("the worker has ended"))
		}
	}
}

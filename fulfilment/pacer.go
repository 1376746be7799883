package fulfilment

import (
	"context"
	"math"
	"sync"
	"time"

	"github.com/riverqueue/river"
	"golang.org/x/time/rate"
)

// pacer hands out times for calls that the process has taken from those of the store.
type pacer struct {
	mu   sync.Mutex
	next time.Time // of the first that is left
	left int
}

// turn waits until it is a job's turn by the store's rate, and returns River's snooze if that
// is far off or the worker is stopped.
func (w *worker[TTx]) turn(ctx context.Context) error {
	late := w.cfg.stranded() / 2
	if w.stop.Err() != nil {
		return river.JobSnooze(late)
	}
	if w.cfg.Rate == rate.Inf {
		return nil
	}
	at, err := w.takeTurn(ctx, late)
	if err != nil {
		return err
	}
	wait := at.Sub(w.now())
	if wait > late {
		return river.JobSnooze(wait)
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-w.stop.Done():
	case <-ctx.Done():
	}
	return river.JobSnooze(late)
}

// takeTurn returns when the next call may be made, and leaves one that is far off for later.
func (w *worker[TTx]) takeTurn(ctx context.Context, late time.Duration) (time.Time, error) {
	p := &w.pacer
	p.mu.Lock()
	defer p.mu.Unlock()
	apart := time.Duration(float64(time.Second) / float64(w.cfg.Rate))
	now := w.now()
	// What nobody has used is not made up for.
	for p.left > 0 && p.next.Before(now.Add(-apart)) {
		p.next, p.left = p.next.Add(apart), p.left-1
	}
	if p.left == 0 {
		// A quarter of a second's worth at once, so that a fast store asks the database seldom.
		n := min(max(int(math.Round(float64(w.cfg.Rate)/4)), 1), 4*w.cfg.Concurrency)
		end, err := w.store().reserve(ctx, now, time.Duration(n)*apart)
		if err = w.did(ctx, beginning, 0, err); err != nil {
			return time.Time{}, err
		}
		p.next, p.left = end.Add(-time.Duration(n)*apart), n
	}
	at := p.next
	if at.Sub(now) <= late {
		p.next, p.left = p.next.Add(apart), p.left-1
	}
	return at, nil
}

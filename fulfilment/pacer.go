package fulfilment

import (
	"context"
	"math"
	"sync"
	"time"

	"github.com/riverqueue/river"
	"golang.org/x/time/rate"
)

// pacer hands out the times for calls that the process has reserved for itself.
type pacer struct {
	mu   sync.Mutex
	next time.Time // the first time left
	left int
}

// turn waits for a job's turn by the store's rate limit. It returns River's snooze if the turn
// is far off or the worker is stopping.
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

// takeTurn returns when the next call may be made. It does not consume a time that is far off.
func (w *worker[TTx]) takeTurn(ctx context.Context, late time.Duration) (time.Time, error) {
	p := &w.pacer
	p.mu.Lock()
	defer p.mu.Unlock()
	apart := time.Duration(float64(time.Second) / float64(w.cfg.Rate))
	now := w.now()
	// Unused times expire.
	for p.left > 0 && p.next.Before(now.Add(-apart)) {
		p.next, p.left = p.next.Add(apart), p.left-1
	}
	if p.left == 0 {
		// Reserve for a quarter of a second, so that a high rate needs few database calls.
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

package fulfilment

import (
	"context"
	"errors"
	"time"

	"github.com/riverqueue/river"

	"github.com/jpayment-go/jpayment"
)

// Pause is the reason why a store sends nothing.
type Pause struct {
	At time.Time
	// Until is when it ends by itself, and zero if it lasts until [Queue.Resume].
	Until time.Time
	// Reason is ReasonNotPermitted, ReasonTestMode or ReasonMaintenance, or ReasonNone if it
	// was a call of [Queue.Pause].
	Reason Reason
	Code   jpayment.Code // the gateway's, or empty
	// Why is what happened. The reason given to [Queue.Pause] stands in both languages.
	Why jpayment.Text
}

// holds reports whether nothing is to be sent at a time.
func (p *Pause) holds(now time.Time) bool {
	return p != nil && (p.Until.IsZero() || p.Until.After(now))
}

// Next returns what to do before the store is resumed.
func (p Pause) Next() jpayment.Text {
	switch {
	case p.Reason == ReasonTestMode:
		return jpayment.NextOf(jpayment.ErrTestMode)
	case p.Code != "":
		return p.Code.Next(jpayment.OpSales)
	default:
		return jpayment.Text{En: "remove the cause", Ja: "原因を取り除く"}
	}
}

// Pause stops sending for the store, on all machines, until Resume. Calls on their way
// finish. A store that is already paused keeps its first reason.
func (q *Queue[TTx]) Pause(ctx context.Context, why string) error {
	return q.transact(ctx, recording, 0, func(tx TTx) error {
		return q.pauseTx(ctx, tx, Pause{At: q.moment(), Why: jpayment.Text{En: why, Ja: why}})
	})
}

// pauseTx pauses the store, unless it is paused for longer. The record is this package's own,
// and the workers look at it before each attempt; River's pause only keeps them from being
// woken for nothing.
func (q *Queue[TTx]) pauseTx(ctx context.Context, tx TTx, p Pause) error {
	paused, err := q.in(tx).insertPause(ctx, p)
	if err != nil || !paused {
		return err
	}
	if err := q.inserter.QueuePauseTx(ctx, tx, q.riverQueue(), nil); err != nil && !errors.Is(err, river.ErrNotFound) {
		return failed(err)
	}
	return nil
}

// Resume starts sending again after Pause, after the fault that paused the store was
// corrected, or before the end of maintenance. It does nothing if the store is not paused.
func (q *Queue[TTx]) Resume(ctx context.Context) error {
	return q.transact(ctx, recording, 0, func(tx TTx) error {
		if _, err := q.in(tx).deletePause(ctx); err != nil {
			return err
		}
		return q.resumeRiver(ctx, tx)
	})
}

func (q *Queue[TTx]) resumeRiver(ctx context.Context, tx TTx) error {
	if err := q.inserter.QueueResumeTx(ctx, tx, q.riverQueue(), nil); err != nil && !errors.Is(err, river.ErrNotFound) {
		return failed(err)
	}
	return nil
}

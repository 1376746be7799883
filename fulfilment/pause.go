package fulfilment

import (
	"context"
	"errors"
	"time"

	"github.com/riverqueue/river"

	"github.com/jpayment-go/jpayment"
)

// Pause says why a store sends nothing.
type Pause struct {
	At time.Time
	// Until is when the pause ends automatically. It is zero if it lasts until
	// [Queue.Resume].
	Until time.Time
	// Reason is ReasonNotPermitted, ReasonTestMode or ReasonMaintenance, or ReasonNone for a
	// call of [Queue.Pause].
	Reason Reason
	Code   jpayment.Code // the gateway's, or empty
	// Why says what happened. For a call of [Queue.Pause] it is its argument, in both fields.
	Why jpayment.Text
}

// holds reports whether the pause is in force at a time.
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
		return jpayment.Text{En: "correct the cause", Ja: "原因を取り除く"}
	}
}

// Pause stops sending for the store, on all machines, until [Queue.Resume]. Calls on their
// way finish. If the store is already paused until Resume, it keeps the first reason.
func (q *Queue[TTx]) Pause(ctx context.Context, why string) error {
	return q.transact(ctx, recording, 0, func(tx TTx) error {
		return q.pauseTx(ctx, tx, Pause{At: q.moment(), Why: jpayment.Text{En: why, Ja: why}})
	})
}

// pauseTx pauses the store, unless it is already paused for longer. Workers check this
// package's own record before each attempt. River's pause only saves them useless work.
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

// Resume ends the pause of the store, whatever its reason. If workers paused the store for a
// fault, correct the fault first. Resume does nothing if the store is not paused.
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

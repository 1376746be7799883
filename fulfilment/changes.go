package fulfilment

import (
	"context"
	"iter"
	"time"
)

// Change is a change of a job to done, refused or review.
type Change struct {
	// Position is its position among the store's changes, from 1, in the order in which they
	// became visible.
	Position int64
	// Job is the job as it is now; State and Reason are the job's after the change.
	Job    Job
	State  State
	Reason Reason
	At     time.Time
}

// Changes returns the store's changes after a position, in order, up to the present. With
// position 0 it returns all.
//
// Each change occurs exactly once, even if transactions overlap, so a service that stores the
// position of the last change that it has handled misses none. Order code in the workers'
// process can use [Queue.OnSettled] instead.
//
// Changes writes to the database, so its role needs the privileges of a worker.
func (q *Queue[TTx]) Changes(ctx context.Context, after int64) iter.Seq2[Change, error] {
	return func(yield func(Change, error) bool) {
		for {
			some, err := q.changesAfter(ctx, after)
			if err != nil {
				yield(Change{}, err)
				return
			}
			for _, c := range some {
				if !yield(c, nil) {
					return
				}
				after = c.Position
			}
			if len(some) == 0 {
				return
			}
		}
	}
}

func (q *Queue[TTx]) changesAfter(ctx context.Context, after int64) (all []Change, err error) {
	err = q.transact(ctx, reading, 0, func(tx TTx) error {
		all = nil
		s := q.in(tx)
		if err := s.number(ctx); err != nil {
			return err
		}
		stored, err := s.changes(ctx, after)
		if err != nil {
			return err
		}
		for _, c := range stored {
			job, err := s.jobByID(ctx, c.jobID)
			if err != nil {
				return err
			}
			all = append(all, Change{Position: c.id, Job: job, State: c.state, Reason: c.reason, At: c.at})
		}
		return nil
	})
	return all, err
}

// Wait waits until a job is done, refused or in review, and returns it. It polls the database
// ten times a second. If the context ends first, it returns the context's error.
func (q *Queue[TTx]) Wait(ctx context.Context, jobID int64) (Job, error) {
	ticker := time.NewTicker(100 * time.Millisecond)
	defer ticker.Stop()
	for {
		j, err := q.store().jobByID(ctx, jobID)
		if err = q.did(ctx, reading, jobID, err); err != nil || j.State.Settled() {
			return j, err
		}
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return j, ctx.Err()
		}
	}
}

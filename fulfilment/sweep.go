package fulfilment

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"slices"
	"time"

	"github.com/riverqueue/river"
	"github.com/riverqueue/river/rivertype"
	"golang.org/x/time/rate"

	"github.com/jpayment-go/jpayment"
)

// sweepUntilStopped sweeps periodically: for jobs that their process has left behind, kickbacks
// that did not arrive, changes for which order code has not been called, and the end of
// maintenance. It returns an error if the worker must stop.
func (w *worker[TTx]) sweepUntilStopped(ctx context.Context) error {
	ticker := time.NewTicker(min(max(w.cfg.CallTimeout/10, 100*time.Millisecond), 5*time.Second))
	defer ticker.Stop()
	for {
		if err := w.checkAge(ctx); errors.As(err, new(*problem)) && !atFault(err) {
			w.log.LogAttrs(ctx, slog.LevelError, "fulfilment: stopped", slog.String("why", jpayment.WhatOf(err).En))
			return err
		}
		// Failures are reported where they occur.
		_ = w.sweep(ctx)
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return nil
		}
	}
}

// stalled is how long a sweep waits for the database, so that one that hangs is reported.
const stalled = 15 * time.Second

// sweep runs each part once. If one part fails, the others still run.
func (w *worker[TTx]) sweep(ctx context.Context) error {
	limited, cancel := context.WithTimeout(ctx, stalled)
	defer cancel()
	err := w.did(limited, sweeping, 0, w.ready(limited, w.db.session()))
	return errors.Join(err, w.sweepPause(ctx), w.sweepOverdue(ctx), w.sweepPostdated(ctx), w.sweepForgotten(ctx), w.sweepUntold(ctx))
}

// limited runs f with a time limit.
func limited(ctx context.Context, f func(ctx context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, stalled)
	defer cancel()
	return f(ctx)
}

// sweepPause ends a pause whose time is over.
func (w *worker[TTx]) sweepPause(ctx context.Context) error {
	return limited(ctx, func(ctx context.Context) error {
		// Usually there is none, so check without a transaction.
		g, err := w.store().gate(ctx)
		if err != nil || g.pause == nil || g.pause.holds(w.moment()) {
			return w.did(ctx, sweeping, 0, err)
		}
		return w.transact(ctx, sweeping, 0, func(tx TTx) error {
			ended, err := w.in(tx).endPause(ctx, w.moment())
			if err != nil || !ended {
				return err
			}
			return w.resumeRiver(ctx, tx)
		})
	})
}

// each calls one for each job, page after page. If it fails for a job, it goes on with the next.
func (w *worker[TTx]) each(ctx context.Context, d doing, page func(ctx context.Context, after int64) ([]int64, error), one func(ctx context.Context, id int64) error) (err error) {
	for after := int64(0); ; {
		var ids []int64
		failure := limited(ctx, func(ctx context.Context) (err error) {
			ids, err = page(ctx, after)
			return w.did(ctx, sweeping, 0, err)
		})
		if failure != nil {
			return errors.Join(err, failure)
		}
		for _, id := range ids {
			err = errors.Join(err, limited(ctx, func(ctx context.Context) error { return one(ctx, id) }))
		}
		if len(ids) == 0 || ctx.Err() != nil {
			break
		}
		after = ids[len(ids)-1]
	}
	if err == nil {
		return w.did(ctx, d, 0, nil) // This ends an earlier failure.
	}
	return err
}

// sweepOverdue concludes jobs whose attempt or kickback is overdue.
func (w *worker[TTx]) sweepOverdue(ctx context.Context) error {
	return w.each(ctx, concluding, func(ctx context.Context, after int64) ([]int64, error) {
		return w.store().overdueJobs(ctx, w.moment(), after)
	}, func(ctx context.Context, id int64) error {
		if w.health.rests(toldOf(id), w.moment()) {
			return nil
		}
		var (
			job  Job
			mine bool
			news []Job
		)
		err := w.transact(ctx, concluding, id, func(tx TTx) (err error) {
			job, mine, news, err = w.giveUp(ctx, tx, id)
			return err
		})
		if errors.As(err, new(hookError)) {
			w.failsToTell(ctx, id, err)
		}
		if err == nil && mine {
			w.log.LogAttrs(ctx, slog.LevelWarn, "fulfilment: overdue", slog.Any("job", job))
			w.concluded(ctx, news)
		}
		return err
	})
}

// giveUp concludes one overdue job, unless another process already has.
func (w *worker[TTx]) giveUp(ctx context.Context, tx TTx, id int64) (job Job, mine bool, news []Job, err error) {
	s, now := w.in(tx), w.moment()
	r, err := s.lockJob(ctx, id)
	if err != nil || !r.isOverdue(now) {
		return r.Job, false, nil, err
	}
	unknown, err := s.unknownAttempts(ctx, []record{r}, 1)
	if err != nil {
		return r.Job, false, nil, err
	}
	last, err := s.lastAttempt(ctx, r)
	if err != nil {
		return r.Job, false, nil, err
	}
	a, err := last.answered()
	if err != nil {
		return r.Job, false, nil, err
	}
	v := r.overdue(w.history(r, r.Attempts, unknown[r.ID]), a, now)
	if r.State == StateRunning {
		if last.EndedAt.IsZero() {
			last.EndedAt, last.Outcome, last.What = now, jpayment.OutcomeUnknown, v.what
		}
		last.answer = ""
		if err := s.endAttempts(ctx, []jobAttempt{last}); err != nil {
			return r.Job, false, nil, err
		}
		if v.pause {
			if err := w.pauseTx(ctx, tx, v.pauseAt(now, w.due(v, now))); err != nil {
				return r.Job, false, nil, err
			}
		}
	}
	r, news, err = w.conclude(ctx, tx, r, v)
	return r.Job, true, news, err
}

// sweepPostdated moves jobs to the present that a fast clock has postponed.
func (w *worker[TTx]) sweepPostdated(ctx context.Context) error {
	now := w.moment()
	return w.each(ctx, concluding, func(ctx context.Context, after int64) ([]int64, error) {
		if after != 0 { // The first page is no longer postdated.
			return nil, nil
		}
		return w.store().postdatedJobs(ctx, now.Add(postdated))
	}, func(ctx context.Context, id int64) error {
		return w.transact(ctx, concluding, id, func(tx TTx) error {
			r, err := w.in(tx).lockJob(ctx, id)
			if err != nil || r.State.Settled() || !r.UpdatedAt.After(now.Add(postdated)) {
				return err
			}
			_, err = w.write(ctx, tx, r.postponed(now))
			return err
		})
	})
}

// postdated is how far in the future a change must be to count as made by a wrong clock.
const postdated = 10 * time.Second

// sweepForgotten inserts a new River job for each job that is due and that River will not run:
// its River job was fetched by a process that ended, was postponed by a fast clock, waits for
// a scheduler that is not running, was cancelled, or is gone.
func (w *worker[TTx]) sweepForgotten(ctx context.Context) error {
	return limited(ctx, func(ctx context.Context) error {
		horizon := w.moment().Add(-w.cfg.stranded())
		s := w.store()
		due, err := s.dueJobs(ctx, horizon, forgottenAtOnce)
		if err = w.did(ctx, sweeping, 0, err); err != nil || len(due) == 0 {
			return err
		}
		g, err := s.gate(ctx)
		if err != nil || g.pause.holds(w.moment()) {
			return w.did(ctx, sweeping, 0, err)
		}
		known, err := w.riverKnows(ctx, horizon)
		if err = w.did(ctx, listing, 0, failed(err)); err != nil || known == nil {
			return err
		}
		due = slices.DeleteFunc(due, func(id int64) bool { return known[id] })
		if len(due) == 0 {
			return nil
		}
		return w.transact(ctx, replacing, 0, func(tx TTx) error {
			locked, err := w.in(tx).lockJobs(ctx, due)
			if err != nil {
				return err
			}
			var asked []record
			for _, r := range locked {
				if r.isDue(horizon) {
					r.UpdatedAt = r.Due // It is due, so do not schedule it.
					asked = append(asked, r)
				}
			}
			return w.ask(ctx, tx, asked)
		})
	})
}

// riverKnows returns the jobs that River has and will run soon, or nil if it has so many that
// it may just be late.
func (w *worker[TTx]) riverKnows(ctx context.Context, horizon time.Time) (map[int64]bool, error) {
	const many = 1000
	list := river.NewJobListParams().Queues(w.riverQueue()).First(many).
		States(rivertype.JobStateAvailable, rivertype.JobStateRetryable, rivertype.JobStateScheduled, rivertype.JobStateRunning)
	all, err := w.inserter.JobList(ctx, list)
	if err != nil || len(all.Jobs) == many {
		return nil, err
	}
	known := map[int64]bool{}
	// With a low rate limit, a job is snoozed until its turn.
	soon := w.now().Add(maxBackOff)
	if w.cfg.Rate != rate.Inf {
		soon = soon.Add(time.Duration(200 * float64(time.Second) / float64(w.cfg.Rate)))
	}
	for _, rj := range all.Jobs {
		var a args
		if json.Unmarshal(rj.EncodedArgs, &a) != nil {
			continue // not one of ours
		}
		lost := false
		switch rj.State { //nolint:exhaustive // The others are not listed, or will be fetched.
		case rivertype.JobStateRunning:
			// It may have been fetched by a process with a fast clock.
			lost = rj.AttemptedAt != nil && (rj.AttemptedAt.Before(horizon) || rj.AttemptedAt.After(w.now().Add(postdated)))
		case rivertype.JobStateScheduled, rivertype.JobStateRetryable:
			// River's scheduler lags by seconds. A fast clock can keep River without a
			// scheduler for as long as it is ahead.
			lost = rj.ScheduledAt.Before(horizon)
		}
		if !lost && rj.ScheduledAt.Before(soon) {
			known[a.JobID] = true
		}
	}
	return known, nil
}

// forgottenAtOnce is the maximum number of jobs inserted in River in one transaction.
const forgottenAtOnce = 500

// sweepUntold calls order code for changes made by a process without it. If it fails for a
// job, the later changes of that job wait, and those of others do not.
func (w *worker[TTx]) sweepUntold(ctx context.Context) (failed error) {
	if w.onSettled == nil {
		return nil
	}
	waiting := map[int64]bool{} // jobs
	for after := int64(0); ctx.Err() == nil; {
		var (
			c     storedChange
			found bool
		)
		err := limited(ctx, func(ctx context.Context) error {
			return w.transact(ctx, telling, 0, func(tx TTx) (err error) {
				s := w.in(tx)
				if c, found, err = s.lockUntold(ctx, after); err != nil || !found {
					return err
				}
				if waiting[c.jobID] = waiting[c.jobID] || w.health.rests(toldOf(c.jobID), w.moment()); waiting[c.jobID] {
					return nil
				}
				job, err := s.jobByID(ctx, c.jobID)
				if err != nil {
					return err
				}
				if err := s.markTold(ctx, c.id); err != nil {
					return err
				}
				job.State, job.Reason = c.state, c.reason
				return w.tell(ctx, tx, job)
			})
		})
		switch {
		case errors.As(err, new(hookError)):
			w.failsToTell(ctx, c.jobID, err)
			waiting[c.jobID] = true
			failed = errors.Join(failed, err)
		case err != nil || !found:
			return errors.Join(failed, err)
		case !waiting[c.jobID]:
			w.told(ctx, c.jobID)
		}
		after = c.id
	}
	return failed
}

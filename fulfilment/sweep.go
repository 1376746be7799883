package fulfilment

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"time"

	"github.com/riverqueue/river"
	"github.com/riverqueue/river/rivertype"
)

// sweepUntilStopped looks now and then for jobs that their process has left behind, and
// for kickbacks that did not come.
func (w *worker[TTx]) sweepUntilStopped(ctx context.Context) {
	ticker := time.NewTicker(min(max(w.cfg.CallTimeout/10, 100*time.Millisecond), 5*time.Second))
	defer ticker.Stop()
	for {
		// What fails is told where it fails.
		_ = w.sweep(ctx)
		_ = w.sweepRiver(ctx)
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return
		}
	}
}

// stalled is how long a sweep waits for the database, so that one that hangs is told.
const stalled = 15 * time.Second

// sweep concludes jobs whose attempt or kickback is overdue. One that cannot be concluded
// keeps no other from it.
func (w *worker[TTx]) sweep(ctx context.Context) (err error) {
	for after, page := int64(0), []int64(nil); ; after = page[len(page)-1] {
		limited, cancel := context.WithTimeout(ctx, stalled)
		overdue, failure := w.store().overdueJobs(limited, w.moment(), after)
		cancel()
		if failure = w.did(ctx, sweeping, 0, failure); failure != nil {
			return errors.Join(err, failure)
		}
		for _, id := range overdue {
			err = errors.Join(err, w.sweepJob(ctx, id))
		}
		if page = overdue; len(page) == 0 || ctx.Err() != nil {
			return w.swept(ctx, concluding, err)
		}
	}
}

// swept says that a failure is over if nothing failed.
func (w *worker[TTx]) swept(ctx context.Context, d doing, err error) error {
	if err == nil {
		return w.did(ctx, d, 0, nil)
	}
	return err
}

func (w *worker[TTx]) sweepJob(ctx context.Context, id int64) error {
	limited, cancel := context.WithTimeout(ctx, stalled)
	defer cancel()
	var (
		job  Job
		mine bool
	)
	err := w.transact(limited, concluding, id, func(tx TTx) (err error) {
		job, mine, err = w.giveUp(limited, tx, id)
		return err
	})
	if err == nil && mine {
		w.meters.concluded(ctx, job)
		w.log.LogAttrs(ctx, slog.LevelWarn, "fulfilment: overdue", slog.Any("job", job))
	}
	return err
}

// giveUp concludes one overdue job, unless another process was faster.
func (w *worker[TTx]) giveUp(ctx context.Context, tx TTx, id int64) (job Job, mine bool, err error) {
	s, now := w.in(tx), w.moment()
	r, err := s.lockJob(ctx, id)
	if err != nil || !r.isOverdue(now) {
		return r.Job, false, err
	}
	h, err := w.history(ctx, s, r, r.Attempts)
	if err != nil {
		return r.Job, false, err
	}
	v := r.overdue(h)
	if r.State == StateRunning {
		if _, err := s.endOpenAttempt(ctx, r.ID, Attempt{Number: r.Attempts, EndedAt: now, What: v.what}); err != nil {
			return r.Job, false, err
		}
	}
	r, err = w.conclude(ctx, tx, r, v)
	return r.Job, true, err
}

// sweepRiver gives a new River job to jobs whose River job was fetched by a process that
// ended before it began an attempt. River's own rescue would take minutes. The old one is
// marked as cancelled, so that it is replaced once; one that an operator has cancelled is
// marked already, and is left alone.
func (w *worker[TTx]) sweepRiver(ctx context.Context) (err error) {
	limited, cancel := context.WithTimeout(ctx, stalled)
	held, failure := w.inserter.JobList(limited, river.NewJobListParams().Queues(w.riverQueue()).States(rivertype.JobStateRunning).First(1000))
	cancel()
	if failure = w.did(ctx, listing, 0, failed(failure)); failure != nil {
		return failure
	}
	horizon := time.Now().Add(-w.cfg.stranded())
	for _, rj := range held.Jobs {
		if rj.AttemptedAt == nil || rj.AttemptedAt.After(horizon) {
			continue
		}
		err = errors.Join(err, w.replaceJob(ctx, rj))
	}
	return w.swept(ctx, replacing, err)
}

func (w *worker[TTx]) replaceJob(ctx context.Context, rj *rivertype.JobRow) error {
	var a args
	if err := json.Unmarshal(rj.EncodedArgs, &a); err != nil {
		return w.did(ctx, replacing, 0, failed(err))
	}
	limited, cancel := context.WithTimeout(ctx, stalled)
	defer cancel()
	return w.transact(limited, replacing, a.JobID, func(tx TTx) error { return w.replace(limited, tx, rj, a.JobID) })
}

// replace replaces one River job, if its job waits for it in vain.
func (w *worker[TTx]) replace(ctx context.Context, tx TTx, rj *rivertype.JobRow, id int64) error {
	r, err := w.in(tx).lockJob(ctx, id)
	if errors.Is(err, ErrNoJob) {
		return nil
	}
	if err != nil || !r.isStranded(w.moment().Add(-w.cfg.stranded())) {
		return err
	}
	now, err := w.inserter.JobGetTx(ctx, tx, rj.ID)
	if err != nil {
		return failed(err)
	}
	var metadata struct {
		Cancelled string `json:"cancel_attempted_at"`
	}
	if err := json.Unmarshal(now.Metadata, &metadata); err != nil {
		return failed(err)
	}
	if now.State != rivertype.JobStateRunning || !now.AttemptedAt.Equal(*rj.AttemptedAt) || metadata.Cancelled != "" {
		return nil
	}
	if _, err := w.inserter.JobCancelTx(ctx, tx, rj.ID); err != nil {
		return failed(err)
	}
	return w.ask(ctx, tx, time.Time{}, id)
}

package fulfilment

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
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
		if err := errors.Join(w.sweep(ctx), w.sweepRiver(ctx)); err != nil && ctx.Err() == nil {
			w.log.LogAttrs(ctx, slog.LevelWarn, "fulfilment: looking for jobs left behind failed", slog.String("error", fmt.Sprintf("%T", err)))
		}
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return
		}
	}
}

// sweep concludes jobs whose attempt or kickback is overdue.
func (w *worker[TTx]) sweep(ctx context.Context) error {
	overdue, err := w.store().overdueJobs(ctx, w.moment())
	if err != nil {
		return err
	}
	for _, job := range overdue {
		mine := false
		err := w.db.transact(ctx, func(tx TTx) (err error) {
			job, mine, err = w.giveUp(ctx, tx, job.ID)
			return err
		})
		if err != nil {
			return err
		}
		if mine {
			w.meters.concluded(ctx, job)
			w.log.LogAttrs(ctx, slog.LevelWarn, "fulfilment: overdue", slog.Any("job", job))
		}
	}
	return nil
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
func (w *worker[TTx]) sweepRiver(ctx context.Context) error {
	held, err := w.inserter.JobList(ctx, river.NewJobListParams().Queues(w.riverQueue()).States(rivertype.JobStateRunning).First(1000))
	if err != nil {
		return err
	}
	horizon := time.Now().Add(-w.cfg.stranded())
	for _, rj := range held.Jobs {
		if rj.AttemptedAt == nil || rj.AttemptedAt.After(horizon) {
			continue
		}
		err := w.db.transact(ctx, func(tx TTx) error { return w.replace(ctx, tx, rj) })
		if err != nil {
			return err
		}
	}
	return nil
}

// replace replaces one River job, if its job waits for it in vain.
func (w *worker[TTx]) replace(ctx context.Context, tx TTx, rj *rivertype.JobRow) error {
	var a args
	if err := json.Unmarshal(rj.EncodedArgs, &a); err != nil {
		return err
	}
	r, err := w.in(tx).lockJob(ctx, a.JobID)
	if errors.Is(err, ErrNoJob) {
		return nil
	}
	if err != nil || !r.isStranded(w.moment().Add(-w.cfg.stranded())) {
		return err
	}
	now, err := w.inserter.JobGetTx(ctx, tx, rj.ID)
	if err != nil {
		return err
	}
	var metadata struct {
		Cancelled string `json:"cancel_attempted_at"`
	}
	if err := json.Unmarshal(now.Metadata, &metadata); err != nil {
		return err
	}
	if now.State != rivertype.JobStateRunning || !now.AttemptedAt.Equal(*rj.AttemptedAt) || metadata.Cancelled != "" {
		return nil
	}
	if _, err := w.inserter.JobCancelTx(ctx, tx, rj.ID); err != nil {
		return err
	}
	return w.ask(ctx, tx, time.Time{}, a.JobID)
}

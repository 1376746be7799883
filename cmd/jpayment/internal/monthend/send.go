package monthend

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jpayment-go/jpayment"
	"github.com/jpayment-go/jpayment/cmd/jpayment/internal/console"
	"github.com/jpayment-go/jpayment/cmd/jpayment/internal/jobtext"
	"github.com/jpayment-go/jpayment/fulfilment"
)

// tally counts the rows of a file by state.
type tally struct {
	done, refused, review int64
	open                  int64 // enqueued and not settled
	uncertain             int64 // of the open ones, those that may have been carried out
	held                  int64 // of the open ones, those that come after one in review and so wait for a person
}

func (t *tally) add(s fulfilment.State) {
	switch s {
	case fulfilment.StateDone:
		t.done++
	case fulfilment.StateRefused:
		t.refused++
	case fulfilment.StateReview:
		t.review++
	default:
		t.open++
	}
}

// ending is how the work on a file ended.
type ending struct {
	interrupted bool
	paused      *fulfilment.Pause
	failed      error
}

const tick = 250 * time.Millisecond

// work runs the worker until the jobs of the file are settled, the store is paused, or the
// person stops it.
func (r *Run) work(ctx context.Context, receiver <-chan error) (ended ending) {
	working, stop := context.WithCancel(ctx)
	defer stop()
	worker := make(chan error, 1)
	t, st, err := r.tally(context.WithoutCancel(ctx))
	if err != nil || t.open == t.held {
		ended.failed = err
		return ended
	}
	teller := r.newTeller(t)
	teller.lost(ctx, st)
	go func() { worker <- r.queue.Run(working, teller.gateway, r.Worker) }()
	for wait := time.Duration(0); ; {
		select {
		case <-time.After(wait):
		case <-ctx.Done():
		}
		began := time.Now()
		t, st, err := r.tally(context.WithoutCancel(ctx))
		wait = max(tick, 20*time.Since(began)) // Counting many jobs takes time from the worker.
		ended.failed = err
		if st.Paused != nil && st.Paused.Until.IsZero() {
			ended.paused = st.Paused
		}
		teller.tell(ctx, t, st)
		if t.open == t.held || ended.paused != nil || ended.failed != nil || ctx.Err() != nil {
			break
		}
		select {
		case ended.failed = <-worker:
			worker <- ended.failed // for the receive below
		case ended.failed = <-receiver:
		default:
			continue
		}
		break
	}
	teller.line.clear()
	ended.interrupted = ctx.Err() != nil
	if ended.interrupted {
		fmt.Fprintln(r.Console.Stderr, r.Console.Lang.In("Stopping after the requests in progress. Press Ctrl-C again to stop at once.", "停止しています。送信中のリクエストの完了を待っています。もう一度 Ctrl-C を押すと直ちに終了します。"))
	}
	stop()
	if err := <-worker; err != nil && ended.failed == nil {
		ended.failed = err
	}
	return ended
}

// tally counts the rows by state.
func (r *Run) tally(ctx context.Context) (tally, fulfilment.Status, error) {
	st, err := r.queue.Status(ctx, r.batch)
	if err != nil {
		return tally{}, st, err
	}
	var t tally
	open, err := r.scratch.settleKnown(ctx, func(op jpayment.Operation, payment string) (fate, error) {
		j, err := r.queue.Job(ctx, op, payment)
		if err != nil || !j.State.Settled() {
			return r.fateOf(ctx, j, err)
		}
		r.settled.add(j.State)
		return settled, nil
	}, &t.held)
	if err != nil {
		return tally{}, st, err
	}
	if st.Waiting > 0 && st.Running+st.Awaiting == 0 {
		held, err := r.allHeld(ctx)
		if err != nil {
			return tally{}, st, err
		}
		if held {
			t.held += st.Waiting
		}
	}
	t.done, t.refused, t.review = r.settled.done+st.Done, r.settled.refused+st.Refused, r.settled.review+st.Review
	t.open = open + st.Open()
	return t, st, nil
}

// allHeld reports whether all waiting jobs of the file come after one in review.
func (r *Run) allHeld(ctx context.Context) (bool, error) {
	filter := fulfilment.Filter{State: fulfilment.StateWaiting, Batch: r.batch}
	for {
		jobs, err := r.queue.Jobs(ctx, filter)
		if err != nil || len(jobs) == 0 {
			return err == nil, err
		}
		for _, j := range jobs {
			if f, err := r.fateOf(ctx, j, nil); err != nil || f != held {
				return false, err
			}
		}
		filter.AfterID = jobs[len(jobs)-1].ID
	}
}

// fate is what will happen to a job.
type fate int

const (
	open    fate = iota // it will be sent
	held                // it comes after one in review
	settled             // nothing: it is settled
)

// fateOf returns the fate of an open job.
func (r *Run) fateOf(ctx context.Context, j fulfilment.Job, err error) (fate, error) {
	for err == nil && j.State == fulfilment.StateWaiting && j.Reason == fulfilment.ReasonAfter {
		var before []fulfilment.Job
		if before, err = r.queue.Jobs(ctx, fulfilment.Filter{AfterID: j.After - 1, Limit: 1}); len(before) == 0 {
			break
		}
		if j = before[0]; j.State == fulfilment.StateReview {
			return held, nil
		}
	}
	return open, err
}

// conclude writes the report and prints how the run ended.
func (r *Run) conclude(ctx context.Context, ended ending) error {
	lang, stderr := r.Console.Lang, r.Console.Stderr
	next := func(text string) { fmt.Fprintf(stderr, lang.In("  next: %s\n", "  次の手順: %s\n"), text) }
	t, err := r.writeReport(ctx)
	if err != nil {
		fmt.Fprintf(stderr, lang.In("jpayment: the report cannot be written: %s\n", "jpayment: レポートを書き出せません: %s\n"), lang.Of(console.What(err)))
		next(fmt.Sprintf(lang.In("the results are in the database; run it again: %s", "結果はデータベースにあります。もう一度実行する: %s"), r.Again))
		return console.ExitStatus(console.Unknown) // The caller has not received the results.
	}
	status, m := console.Done, console.Good
	switch {
	case t.review+t.uncertain > 0:
		status, m = console.Unknown, console.Unsure
	case t.refused+t.open > 0:
		status, m = console.Failed, console.Bad
	}
	fmt.Fprintf(r.Console.Stdout, lang.In("%s %s: rows done: %s of %s\n", "%s %s: %[4]s件中%[3]s件が完了\n"),
		r.Console.OutMark(m), console.Printable(r.Path), console.Grouped(t.done), console.Grouped(r.rows))
	var rows [][]string
	for _, c := range []struct {
		n      int64
		en, ja string
	}{{t.refused, "refused", "拒否"}, {t.review, "in review", "要確認"}, {t.open - t.uncertain, "not sent", "未送信"}, {t.uncertain, "not known yet", "結果未確定"}} {
		if c.n > 0 {
			rows = append(rows, []string{lang.In(c.en, c.ja), console.Grouped(c.n)})
		}
	}
	console.WriteTable(r.Console.Stdout, append(rows, []string{lang.In("report", "レポート"), r.Report}))

	again := fmt.Sprintf(lang.In("continue from here; nothing is carried out twice: %s", "次のコマンドで続きから再開する（二重に処理することはありません）: %s"), r.Again)
	switch {
	case ended.failed != nil:
		fmt.Fprintf(stderr, lang.In("jpayment: the run stopped: %s\n", "jpayment: 処理が停止しました: %s\n"), lang.Of(jobtext.Failure(ended.failed, r.Flags)))
	case ended.paused != nil:
		fmt.Fprintf(stderr, lang.In("The store is paused: %s\n", "この店舗の送信を一時停止しました: %s\n"), console.Printable(lang.Of(ended.paused.Why)))
		again = lang.Of(ended.paused.Next()) + lang.In("; then ", "。その後、") + again
	case ended.interrupted && t.open > 0:
		fmt.Fprintln(stderr, lang.In("Interrupted.", "中断しました。"))
	}
	if t.review+t.held > 0 {
		next(fmt.Sprintf(lang.In("a person has to check the jobs in review: jpayment review%s", "要確認のジョブを管理画面で確認し、結果を記録する: jpayment review%s"), r.Flags))
	}
	if t.open > 0 && !errors.Is(ended.failed, fulfilment.ErrRestored) { // Its requests may have been carried out.
		next(again)
	}
	if ended.failed != nil && status == console.Done {
		status = console.Failed
	}
	if status == console.Done {
		return nil
	}
	return console.ExitStatus(status)
}

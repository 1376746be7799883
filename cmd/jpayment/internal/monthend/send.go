package monthend

import (
	"context"
	"fmt"
	"time"

	"github.com/jpayment-go/jpayment"
	"github.com/jpayment-go/jpayment/cmd/jpayment/internal/console"
	"github.com/jpayment-go/jpayment/cmd/jpayment/internal/jobtext"
	"github.com/jpayment-go/jpayment/fulfilment"
)

// tally counts the rows of a file by how they stand.
type tally struct {
	done, refused, review int64
	open                  int64 // asked for and not settled
	uncertain             int64 // of the open ones, those that may have been carried out
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

const (
	tick  = 250 * time.Millisecond
	lines = 10 * time.Second // between two lines where there is no terminal
)

// work works the jobs until those of the file are settled, the store is paused, or the
// person stops it.
func (r *Run) work(ctx context.Context, receiver <-chan error) (ended ending) {
	working, stop := context.WithCancel(ctx)
	defer stop()
	worker := make(chan error, 1)
	t, _, err := r.tally(context.WithoutCancel(ctx))
	if err != nil || t.open == 0 {
		ended.failed = err
		return ended
	}
	before := r.rows - t.open
	shown := r.newProgress("", t.open)
	go func() { worker <- r.queue.Run(working, r.Client, r.Worker) }()
	said, dueSaid := time.Now(), time.Time{}
	for wait := time.Duration(0); ; {
		select {
		case <-time.After(wait):
		case <-ctx.Done():
		}
		began := time.Now()
		t, st, tallyErr := r.tally(context.WithoutCancel(ctx))
		wait = max(tick, 20*time.Since(began)) // To count many jobs takes time that the work wants.
		ended.paused, ended.failed = st.Paused, tallyErr
		shown.describe(r.tallyText(t))
		shown.set(t.done + t.refused + t.review - before)
		if !r.Console.Terminal.Err && time.Since(said) >= lines {
			said = time.Now()
			fmt.Fprintf(r.Console.Stderr, r.Console.Lang.In("%s of %s rows: %s\n", "%[2]s行中%[1]s行: %[3]s\n"), console.Grouped(r.rows-t.open), console.Grouped(r.rows), r.tallyText(t))
		}
		if st.Running == 0 && time.Until(st.NextDue) > 20*time.Second && st.NextDue.Sub(dueSaid) > time.Minute {
			dueSaid = st.NextDue
			shown.clear()
			r.sayWaiting(ctx, st)
		}
		if t.open == 0 || ended.paused != nil || ended.failed != nil || ctx.Err() != nil {
			break
		}
		select {
		case ended.failed = <-worker:
			worker <- ended.failed // for the end below
		case ended.failed = <-receiver:
		default:
			continue
		}
		break
	}
	shown.end()
	ended.interrupted = ctx.Err() != nil
	if ended.interrupted {
		fmt.Fprintln(r.Console.Stderr, r.Console.Lang.In("Stopping: the calls on their way are waited for. Ctrl-C again ends at once.", "停止しています。送信中のリクエストの完了を待っています。もう一度 Ctrl-C を押すと直ちに終了します。"))
	}
	stop()
	if err := <-worker; err != nil && ended.failed == nil {
		ended.failed = err
	}
	return ended
}

// sayWaiting says that nothing is to be sent for a while, and why.
func (r *Run) sayWaiting(ctx context.Context, st fulfilment.Status) {
	why := ""
	waiting, err := r.queue.Jobs(ctx, fulfilment.Filter{State: fulfilment.StateWaiting, Batch: r.batch, Limit: 1})
	if err == nil && len(waiting) == 1 {
		why = r.Console.Lang.Of(jobtext.Why(waiting[0]))
	}
	fmt.Fprintf(r.Console.Stderr, r.Console.Lang.In("Waiting until %s: %s\n", "%s まで待機します：%s\n"), st.NextDue.Local().Format("15:04:05"), console.Printable(why))
}

// tally counts how the rows stand.
func (r *Run) tally(ctx context.Context) (tally, fulfilment.Status, error) {
	st, err := r.queue.Status(ctx, r.batch)
	if err != nil {
		return tally{}, st, err
	}
	open, err := r.scratch.settleKnown(ctx, func(op jpayment.Operation, payment string) (bool, error) {
		j, err := r.queue.Job(ctx, op, payment)
		if err != nil || !j.State.Settled() {
			return false, err
		}
		r.settled.add(j.State)
		return true, nil
	})
	return tally{
		done: r.settled.done + st.Done, refused: r.settled.refused + st.Refused, review: r.settled.review + st.Review,
		open: open + st.Open(),
	}, st, err
}

func (r *Run) tallyText(t tally) string {
	return fmt.Sprintf(r.Console.Lang.In("done %s, refused %s, review %s", "完了 %s、拒否 %s、要確認 %s"), console.Grouped(t.done), console.Grouped(t.refused), console.Grouped(t.review))
}

// conclude writes the report and says how it ended.
func (r *Run) conclude(ctx context.Context, ended ending) error {
	t, err := r.writeReport(ctx)
	if err != nil {
		fmt.Fprintf(r.Console.Stderr, r.Console.Lang.In("jpayment: no report: %v\n  next: the verdicts are in the database: run the same command again, or see jpayment status\n",
			"jpayment: レポートを書き出せません: %v\n  次の手順: 結果はデータベースにあります。同じコマンドを再実行するか、jpayment status で確認してください\n"), err)
		return console.ExitStatus(console.Unknown) // Who waits for the verdicts has not got them.
	}
	status, m := console.Done, console.Good
	switch {
	case t.review+t.uncertain > 0:
		status, m = console.Unknown, console.Unsure
	case t.refused+t.open > 0:
		status, m = console.Failed, console.Bad
	}
	w := r.Console.Stdout
	fmt.Fprintf(w, r.Console.Lang.In("%s %s: rows done: %s of %s\n", "%s %s: %[4]s行中%[3]s行が完了\n"),
		r.Console.OutMark(m), r.Path, console.Grouped(t.done), console.Grouped(r.rows))
	var rows [][]string
	for _, c := range []struct {
		n      int64
		en, ja string
	}{{t.refused, "refused", "拒否"}, {t.review, "review", "要確認"}, {t.open - t.uncertain, "not sent", "未送信"}, {t.uncertain, "unknown yet", "結果未確定"}} {
		if c.n > 0 {
			rows = append(rows, []string{r.Console.Lang.In(c.en, c.ja), console.Grouped(c.n)})
		}
	}
	console.WriteTable(w, append(rows, []string{r.Console.Lang.In("report", "レポート"), r.Report}))

	stderr := r.Console.Stderr
	again := r.Console.Lang.In("run the same command again: it goes on where it was and carries nothing out twice", "同じコマンドを再実行すると、続きから再開します。二重に処理することはありません")
	switch {
	case ended.failed != nil:
		fmt.Fprintf(stderr, r.Console.Lang.In("jpayment: the work stopped: %v\n", "jpayment: 処理が停止しました: %v\n"), ended.failed)
	case ended.paused != nil:
		fmt.Fprintf(stderr, r.Console.Lang.In("The store is paused: %s\n", "店舗を停止しました：%s\n"), console.Printable(r.Console.Lang.Of(jobtext.PauseWhy(ended.paused))))
		again = r.Console.Lang.Of(jobtext.PauseNext(ended.paused)) + r.Console.Lang.In("; then ", "。その後、") + again
	case ended.interrupted && t.open > 0:
		fmt.Fprintln(stderr, r.Console.Lang.In("Interrupted.", "中断しました。"))
	}
	if t.review > 0 {
		fmt.Fprintf(stderr, r.Console.Lang.In("  next: %s\n", "  次の手順: %s\n"), r.Console.Lang.In("jpayment review lists what a person has to look at", "担当者の確認が必要です。jpayment review で一覧を表示します"))
	}
	if t.open > 0 {
		fmt.Fprintf(stderr, r.Console.Lang.In("  next: %s\n", "  次の手順: %s\n"), again)
	}
	if ended.failed != nil && status == console.Done {
		status = console.Failed
	}
	if status == console.Done {
		return nil
	}
	return console.ExitStatus(status)
}

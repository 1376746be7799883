package cli

import (
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/jpayment-go/jpayment"
	"github.com/jpayment-go/jpayment/cmd/jpayment/internal/console"
	"github.com/jpayment-go/jpayment/fulfilment"
)

func newStatusCommand(lang console.Lang) *cobra.Command {
	var (
		batch  string
		asJSON bool
	)
	cmd := &cobra.Command{
		Use:   "status",
		Short: lang.In("Count the jobs of a store by state", "店舗のジョブを状態ごとに数える"),
		Long: lang.In(`Count the jobs of a store by state, and show whether the store is paused, why, and until
when. A disputed job is done or refused, but a kickback says otherwise. Nothing is sent or
changed.

Exit status: 0 shown, 1 the database failed, 2 usage error.`,
			`店舗のジョブを状態ごとに数え、送信を一時停止しているかどうか、その理由と期限を表示します。結果の食い違いは、
完了または拒否のうち、決済結果通知の内容が異なるものです。何も送信せず、何も変更しません。

終了ステータスは、0 表示した、1 データベースの異常、2 使い方の誤り です。`),
		Example: `  jpayment status --store 123456
  jpayment status --store 123456 --batch run-5f1c2a9b03d7 --json`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error { return status(cmd, batch, asJSON) },
	}
	addDatabaseFlags(cmd, lang)
	f := cmd.Flags()
	f.StringVar(&batch, "batch", "", lang.In("only the jobs of this batch", "このバッチ名のジョブだけを数える"))
	f.BoolVar(&asJSON, "json", false, lang.In("write one JSON object to standard output", "標準出力にJSONを1つ出力する"))
	return cmd
}

// statusRecord is the JSON form of a status.
type statusRecord struct {
	StoreID  string     `json:"store_id"`
	Batch    string     `json:"batch"`
	Waiting  int64      `json:"waiting"`
	Running  int64      `json:"running"`
	Awaiting int64      `json:"awaiting_kickback"`
	Done     int64      `json:"done"`
	Refused  int64      `json:"refused"`
	Review   int64      `json:"review"`
	Disputed int64      `json:"disputed"`
	NextDue  *time.Time `json:"next_due"`
	// NotSentSince is when the first job was due, if nothing is being sent although it
	// should be.
	NotSentSince *time.Time   `json:"not_sent_since"`
	Paused       *pauseRecord `json:"paused"`
}

type pauseRecord struct {
	At     time.Time     `json:"at"`
	Until  *time.Time    `json:"until"`
	Code   jpayment.Code `json:"code"`
	Why    string        `json:"why"`
	WhyJa  string        `json:"why_ja"`
	Next   string        `json:"next"`
	NextJa string        `json:"next_ja"`
}

func status(cmd *cobra.Command, batch string, asJSON bool) error {
	c, flags := worldOf(cmd).console(), sameFlags(cmd)
	s, err := databaseSettings(cmd)
	if err != nil {
		return err
	}
	q, closeQueue, err := openQueue(cmd.Context(), s, fulfilment.Config{}, toLook)
	if err != nil {
		return err
	}
	defer closeQueue()
	st, err := q.Status(cmd.Context(), batch)
	if err != nil {
		return databaseFailed(err)
	}
	if asJSON {
		return writeJSON(c.Stdout, newStatusRecord(s.store, batch, st, time.Now()))
	}
	if st.Total() == 0 && st.Paused == nil {
		fmt.Fprintf(c.Stdout, "%s %s\n", c.OutMark(console.Skipped), c.Lang.Of(noJobs(s, batch)))
		return nil
	}
	showStatus(c, st, flags, time.Now())
	return nil
}

// showStatus prints a status for a person.
func showStatus(c console.Console, st fulfilment.Status, flags string, now time.Time) {
	rows := [][]string{}
	for _, count := range []struct {
		state fulfilment.State
		n     int64
	}{
		{fulfilment.StateWaiting, st.Waiting},
		{fulfilment.StateRunning, st.Running},
		{fulfilment.StateAwaiting, st.Awaiting},
		{fulfilment.StateDone, st.Done},
		{fulfilment.StateRefused, st.Refused},
		{fulfilment.StateReview, st.Review},
	} {
		rows = append(rows, []string{c.Lang.Of(count.state.Text()), console.Grouped(count.n)})
	}
	if st.Disputed > 0 { // They are also counted as done or refused.
		rows = append(rows, []string{c.Lang.In("disputed", "結果の食い違い"), console.Grouped(st.Disputed)})
	}
	console.WriteTable(c.Stdout, rows)
	switch p := st.Paused; {
	case p != nil && !p.Until.IsZero():
		fmt.Fprintf(c.Stdout, "%s %s\n", c.OutMark(console.Skipped), c.Lang.Of(console.Textf("paused since %s, until %s: %s", "%s から %s まで送信を一時停止中: %s", c.Time(p.At), c.Time(p.Until), p.Why)))
		fmt.Fprintf(c.Stdout, "  %s\n", c.Lang.Of(console.Textf("next: nothing; workers resume automatically then. To resume earlier, run jpayment work --resume%s",
			"次の手順: 不要（この時刻になると、ワーカーが自動で再開する）。すぐに再開するには jpayment work --resume%s を実行する", flags)))
	case p != nil:
		fmt.Fprintf(c.Stdout, "%s %s\n", c.OutMark(console.Bad), c.Lang.Of(console.Textf("paused since %s: %s", "%s から送信を一時停止中: %s", c.Time(p.At), p.Why)))
		fmt.Fprintf(c.Stdout, "  %s\n", c.Lang.Of(console.Textf("next: %[1]s; then jpayment work --resume%[2]s, or jpayment run again",
			"次の手順: %[1]s。その後、jpayment work --resume%[2]s または jpayment run を実行する", p.Next(), flags)))
	case !notSentSince(st, now).IsZero():
		fmt.Fprintf(c.Stdout, "%s %s\n", c.OutMark(console.Unsure), c.Lang.Of(console.Textf(
			"due since %s, but nothing is being sent: jpayment work is not running, or cannot write to the database; see its log, and /ready of --health",
			"予定時刻（%s）を過ぎても送信されていません。jpayment work が起動していないか、データベースに書き込めていません。そのログと、--health の /ready を確認してください", c.Time(notSentSince(st, now)))))
	case !st.NextDue.IsZero():
		fmt.Fprintln(c.Stdout, c.Lang.Of(console.Textf("next due: %s", "次の送信予定: %s", c.Time(st.NextDue))))
	}
	if st.Review+st.Disputed > 0 {
		fmt.Fprintf(c.Stdout, "  %s\n", c.Lang.Of(console.Textf("next: jpayment review%s lists the jobs that need a person",
			"次の手順: jpayment review%s で、担当者の確認が必要なジョブを一覧表示する", flags)))
	}
}

// notSentAfter is how long a job must be overdue before it counts: workers look for jobs
// every few seconds.
const notSentAfter = time.Minute

// notSentSince returns when the first job was due, if nothing is being sent although it
// should be, and zero otherwise. A worker whose database fails cannot record that, so it is
// inferred.
func notSentSince(st fulfilment.Status, now time.Time) time.Time {
	if st.Paused != nil || st.Running > 0 || st.NextDue.IsZero() || now.Sub(st.NextDue) < notSentAfter {
		return time.Time{}
	}
	return st.NextDue
}

// noJobs says that the database has no such jobs.
func noJobs(s settings, batch string) jpayment.Text {
	if batch != "" {
		return console.Textf("database %s has no jobs of store %s in the batch %s", "データベース %s に、店舗 %s のバッチ %s のジョブはありません", s.databaseName(), s.store, batch)
	}
	return console.Textf("database %s has no jobs of store %s: check --store and --database", "データベース %s に店舗 %s のジョブはありません。--store と --database を確認してください", s.databaseName(), s.store)
}

func newStatusRecord(store, batch string, st fulfilment.Status, now time.Time) statusRecord {
	rec := statusRecord{
		StoreID: store, Batch: batch, Waiting: st.Waiting, Running: st.Running, Awaiting: st.Awaiting,
		Done: st.Done, Refused: st.Refused, Review: st.Review, Disputed: st.Disputed, NextDue: timeRecord(st.NextDue), NotSentSince: timeRecord(notSentSince(st, now)),
	}
	if p := st.Paused; p != nil {
		why, next := p.Why, p.Next()
		rec.Paused = &pauseRecord{p.At.UTC(), timeRecord(p.Until), p.Code, why.En, why.Ja, next.En, next.Ja}
	}
	return rec
}

// timeRecord returns a time for JSON, or null.
func timeRecord(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	t = t.UTC()
	return &t
}

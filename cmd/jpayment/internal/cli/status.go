package cli

import (
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/jpayment-go/jpayment"
	"github.com/jpayment-go/jpayment/fulfilment"
)

func newStatusCommand(lang string) *cobra.Command {
	var (
		batch  string
		asJSON bool
	)
	cmd := &cobra.Command{
		Use:   "status",
		Short: in(lang, "Count the jobs of a store by how they stand", "店舗のジョブを状態ごとに数える"),
		Long: in(lang, `Count the jobs of a store by how they stand, and tell whether the store is paused, and why.
Nothing is sent. Exit status: 0 told, 1 the database failed, 2 wrong usage.`,
			`店舗のジョブを状態ごとに数え、停止中かどうかとその理由を表示します。何も送信しません。
終了ステータスは、0 表示した、1 データベースの異常、2 使い方の誤り です。`),
		Example: `  jpayment status --store 123456
  jpayment status --store 123456 --batch run-5f1c2a9b03d7 --json`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return status(cmd, batch, asJSON) },
	}
	addDatabaseFlags(cmd, lang)
	f := cmd.Flags()
	f.StringVar(&batch, "batch", "", in(lang, "only the jobs that were asked for under this name", "この名前で登録されたジョブだけを数える"))
	f.BoolVar(&asJSON, "json", false, in(lang, "one JSON object on standard output", "標準出力にJSONを1つ出力する"))
	return cmd
}

// statusRecord is a status for a machine.
type statusRecord struct {
	StoreID  string       `json:"store_id"`
	Batch    string       `json:"batch"`
	Waiting  int64        `json:"waiting"`
	Running  int64        `json:"running"`
	Awaiting int64        `json:"awaiting_kickback"`
	Done     int64        `json:"done"`
	Refused  int64        `json:"refused"`
	Review   int64        `json:"review"`
	NextDue  *time.Time   `json:"next_due"`
	Paused   *pauseRecord `json:"paused"`
}

type pauseRecord struct {
	At     time.Time     `json:"at"`
	Code   jpayment.Code `json:"code"`
	Why    string        `json:"why"`
	Next   string        `json:"next"`
	NextJa string        `json:"next_ja"`
}

func status(cmd *cobra.Command, batch string, asJSON bool) error {
	w, lang := worldOf(cmd), language(cmd)
	s, err := databaseSettings(cmd)
	if err != nil {
		return err
	}
	q, closeQueue, err := openQueue(cmd.Context(), lang, s, nil, false)
	if err != nil {
		return err
	}
	defer closeQueue()
	st, err := q.Status(cmd.Context(), batch)
	if err != nil {
		return fmt.Errorf("database: %w", err)
	}
	if asJSON {
		return writeJSON(w.stdout, newStatusRecord(s.store, batch, st))
	}
	rows := [][]string{}
	for _, c := range []struct {
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
		rows = append(rows, []string{stateName(lang, c.state), grouped(c.n)})
	}
	writeTable(w.stdout, rows)
	if !st.NextDue.IsZero() && st.Paused == nil {
		fmt.Fprintf(w.stdout, in(lang, "next due: %s\n", "次の送信予定: %s\n"), localTime(st.NextDue))
	}
	if st.Paused != nil {
		fmt.Fprintf(w.stdout, in(lang, "%s paused since %s: %s\n  next: %s; then jpayment work --resume, or jpayment run again\n",
			"%s %s から停止中：%s\n  次の手順: %s。その後、jpayment work --resume または jpayment run を実行する\n"),
			bad.paint(w, w.terminal.out), localTime(st.Paused.At), printable(pauseWhy(lang, st.Paused)), pauseNext(lang, st.Paused))
	}
	if st.Review > 0 {
		fmt.Fprintf(w.stdout, in(lang, "  next: %s\n", "  次の手順: %s\n"), in(lang, "jpayment review lists what a person has to look at", "担当者の確認が必要です。jpayment review で一覧を表示します"))
	}
	return nil
}

func newStatusRecord(store, batch string, st fulfilment.Status) statusRecord {
	rec := statusRecord{
		StoreID: store, Batch: batch, Waiting: st.Waiting, Running: st.Running, Awaiting: st.Awaiting,
		Done: st.Done, Refused: st.Refused, Review: st.Review, NextDue: timeRecord(st.NextDue),
	}
	if p := st.Paused; p != nil {
		rec.Paused = &pauseRecord{p.At.UTC(), p.Code, p.Why, pauseNext(english, p), pauseNext(japanese, p)}
	}
	return rec
}

// timeRecord returns a time for a machine, or null.
func timeRecord(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	t = t.UTC()
	return &t
}

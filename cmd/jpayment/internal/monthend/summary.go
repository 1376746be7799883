package monthend

import (
	"context"
	"fmt"
	"strings"

	"github.com/jpayment-go/jpayment"
	"github.com/jpayment-go/jpayment/cmd/jpayment/internal/console"
	"github.com/jpayment-go/jpayment/cmd/jpayment/internal/jobtext"
	"github.com/jpayment-go/jpayment/fulfilment"
)

// fileCounts holds the counts of the summary.
type fileCounts struct {
	operations map[jpayment.Operation]int64
	yen        int64 // of the re-authorisations; -1 if it is too large for an int64
	known      map[fulfilment.State]int64
	faults     int64
}

// summarise prints what the file contains, and where it will be sent.
func (r *Run) summarise(ctx context.Context) error {
	lang := r.Console.Lang
	rows := [][]string{
		{lang.In("file", "ファイル"), fmt.Sprintf(lang.In("%s (rows: %s, %s)", "%s（%s件、%s）"), r.Path, console.Grouped(r.rows), r.charset)},
	}
	if len(r.unread) > 0 {
		rows = append(rows, []string{lang.In("ignored columns", "対象外の列"), r.unreadText()})
	}
	for _, op := range []jpayment.Operation{jpayment.OpSales, jpayment.OpCancel, jpayment.OpReAuth} {
		n := r.counts.operations[op]
		if n == 0 {
			continue
		}
		text := console.Grouped(n)
		if op == jpayment.OpReAuth {
			yen := console.Grouped(r.counts.yen)
			if r.counts.yen < 0 {
				yen = lang.In("too many", "桁あふれ")
			}
			text += fmt.Sprintf(lang.In(" (%s yen in total)", "（合計 %s 円）"), yen)
		}
		rows = append(rows, []string{lang.Of(jobtext.Operation(op)), text})
	}
	if known := r.knownText(); known != "" {
		rows = append(rows, []string{lang.In("already recorded", "記録済み"), known})
	}
	st, err := r.queue.Status(ctx, "")
	if err != nil {
		return err
	}
	others := st.Open()
	for state, n := range r.counts.known {
		if !state.Settled() {
			others -= n
		}
	}
	if others > 0 && r.unsettled() > 0 { // The worker sends every job, including those of other files and programs.
		rows = append(rows, []string{lang.In("other jobs", "ほかのジョブ"), fmt.Sprintf(lang.In("%s (from other files or programs; they are sent too)", "%s（ほかのファイルやプログラムが登録したもの。これらも送信します）"), console.Grouped(others))})
	}
	rows = append(rows,
		[]string{lang.In("store", "店舗ID"), r.Store},
		[]string{lang.In("gateway", "送信先"), r.Gateway},
		[]string{lang.In("database", "データベース"), r.Database},
		[]string{lang.In("report", "レポート"), r.Report})
	console.WriteTable(r.Console.Stderr, rows)
	switch r.pausedForGood = st.Paused != nil && st.Paused.Until.IsZero(); {
	case st.Paused != nil && !r.pausedForGood:
		fmt.Fprintf(r.Console.Stderr, lang.In("Sending is paused until %s: %s. It resumes automatically.\n", "%s まで送信を一時停止しています（%s）。その後、自動で再開します。\n"), r.Console.Time(st.Paused.Until), console.Printable(lang.Of(st.Paused.Why)))
	case st.Paused != nil:
		fmt.Fprintf(r.Console.Stderr, lang.In("The store is paused: %s. Continuing resumes it.\n", "この店舗の送信は一時停止中です（%s）。続行すると再開します。\n"), console.Printable(lang.Of(st.Paused.Why)))
	}
	if r.unsettled() > 0 && !r.DryRun {
		fmt.Fprintf(r.Console.Stderr, lang.In("Requests to send: up to %s.", "最大 %s 件のリクエストを送信します。"), console.Grouped(r.unsettled()))
		if r.counts.operations[jpayment.OpSales] > 0 {
			fmt.Fprint(r.Console.Stderr, lang.In(" Captures charge the cardholder.", "実売上ではカード会員に請求されます。"))
		}
		fmt.Fprintln(r.Console.Stderr)
	}
	return nil
}

// unreadText names the ignored columns.
func (r *Run) unreadText() string {
	names := make([]string, len(r.unread))
	for i, name := range r.unread {
		if names[i] = name; name == "" {
			names[i] = r.Console.Lang.In("(no name)", "（列名なし）")
		}
	}
	return strings.Join(names, r.Console.Lang.In(", ", "、"))
}

// unsettled returns the number of rows that were not settled when the file was checked.
func (r *Run) unsettled() int64 {
	n := r.rows
	for state, known := range r.counts.known {
		if state.Settled() {
			n -= known
		}
	}
	return n
}

func (r *Run) knownText() string {
	var parts []string
	var all int64
	for _, s := range []fulfilment.State{
		fulfilment.StateDone, fulfilment.StateRefused, fulfilment.StateReview,
		fulfilment.StateWaiting, fulfilment.StateRunning, fulfilment.StateAwaiting,
	} {
		if n := r.counts.known[s]; n > 0 {
			all += n
			parts = append(parts, r.Console.Lang.Of(s.Text())+" "+console.Grouped(n))
		}
	}
	if all == 0 {
		return ""
	}
	return fmt.Sprintf(r.Console.Lang.In("%s (%s)", "%s（%s）"), console.Grouped(all), strings.Join(parts, r.Console.Lang.In(", ", "、")))
}

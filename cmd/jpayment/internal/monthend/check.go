package monthend

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"math"
	"regexp"
	"slices"
	"strings"

	"github.com/jpayment-go/jpayment"
	"github.com/jpayment-go/jpayment/cmd/jpayment/internal/console"
	"github.com/jpayment-go/jpayment/cmd/jpayment/internal/jobtext"
	"github.com/jpayment-go/jpayment/cmd/jpayment/internal/runfile"
	"github.com/jpayment-go/jpayment/fulfilment"
)

// shownFaults is how many faults of a file are shown; the rest is counted.
const shownFaults = 100

// check reads the whole file and shows its faults. With any, its error is an exit status.
func (r *Run) check(ctx context.Context) error {
	r.counts = fileCounts{operations: map[jpayment.Operation]int64{}, known: map[fulfilment.State]int64{}}
	line := progress{console: r.Console}
	err := r.read(func(reader *runfile.Reader, row runfile.Row, faults []runfile.Fault) error {
		if r.rows%atOnce == 0 {
			line.show(r.Console.Lang.In("checking ", "検査中 ") + console.Grouped(r.rows))
		}
		return r.checkRow(ctx, reader, row, faults)
	})
	line.clear()
	switch {
	case err != nil && ctx.Err() != nil:
		return errors.New(r.Console.Lang.In("interrupted: nothing was sent", "中断しました。何も送信していません"))
	case err != nil:
		return fmt.Errorf("run: %w", err)
	}
	if r.rows == 0 && r.counts.faults == 0 {
		r.show(runfile.Fault{Reason: runfile.Text{En: "has no rows below its header", Ja: "に見出し行しかありません"}})
	}
	if r.counts.faults == 0 {
		return nil
	}
	if more := r.counts.faults - shownFaults; more > 0 {
		fmt.Fprintf(r.Console.Stderr, r.Console.Lang.In("… and %s more\n", "…ほか %s 件\n"), console.Grouped(more))
	}
	fmt.Fprintf(r.Console.Stderr, r.Console.Lang.In("%s faults: %s. Nothing was sent; correct the file and run it again.\n", "%s 誤り: %s 件。何も送信していません。ファイルを修正してから、もう一度実行してください。\n"),
		r.Console.ErrMark(console.Bad), console.Grouped(r.counts.faults))
	return console.ExitStatus(console.Usage)
}

func (r *Run) checkRow(ctx context.Context, reader *runfile.Reader, row runfile.Row, faults []runfile.Fault) error {
	if row.Line == 0 { // the end
		r.sum, r.unread = reader.Sum(), reader.Unread()
		r.batch = "run-" + hex.EncodeToString(r.sum[:6])
		return nil
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	if row.Operation != "" {
		job, err := r.queue.Check(ctx, r.request(row))
		more, err := r.faultsOf(row, err)
		if err != nil {
			return err
		}
		faults = append(faults, more...)
		r.count(row, job)
	}
	if row.Payment != "" && !slices.ContainsFunc(faults, func(f runfile.Fault) bool { return f.Name == runfile.Payment }) {
		earlier, err := r.scratch.seen(ctx, row.Payment, row.Line)
		if err != nil {
			return err
		}
		if earlier != 0 {
			faults = append(faults, row.Fault(runfile.Payment, runfile.Text{
				En: fmt.Sprintf("is in line %d too; a file has one row for a payment, since its rows are sent in no certain order", earlier),
				Ja: fmt.Sprintf("が%d行目と重複しています。送信順は決まっていないため、1つの決済は1ファイルに1行だけ記載してください", earlier),
			}))
		}
	}
	for _, f := range faults {
		r.show(f)
	}
	r.rows++
	if r.rows%atOnce == 0 && r.counts.faults == 0 {
		return r.scratch.mark(ctx, r.rows, reader.Sum())
	}
	return nil
}

func (r *Run) count(row runfile.Row, job fulfilment.Job) {
	r.counts.operations[row.Operation]++
	if job.ID != 0 {
		r.counts.known[job.State]++
	}
	if row.Operation != jpayment.OpReAuth || r.counts.yen < 0 {
		return
	}
	for _, yen := range []int64{row.Amount, row.Tax, row.Shipping} {
		if r.counts.yen > math.MaxInt64-max(yen, 0) {
			r.counts.yen = -1
			return
		}
		r.counts.yen += yen
	}
}

// columnOf are the columns of what [fulfilment.Queue.Check] finds fault with.
var columnOf = map[string]string{
	"PaymentID": runfile.Payment, "Amount": runfile.Amount, "Tax": runfile.Tax, "Shipping": runfile.Shipping,
	"Reference": runfile.Reference, "Email": runfile.Email, "Phone": runfile.Phone,
}

// faultsOf returns the faults that the error of a check tells of, or the error.
func (r *Run) faultsOf(row runfile.Row, err error) (faults []runfile.Fault, _ error) {
	var (
		invalid  *jpayment.ValidationError
		conflict *fulfilment.ConflictError
	)
	switch {
	case err == nil:
	case errors.As(err, &invalid):
		for _, f := range invalid.Faults {
			name := columnOf[f.Field]
			if row.Known(name) || f.Field == "Amount" && row.Known(runfile.Amount) {
				continue
			}
			faults = append(faults, row.Fault(name, runfile.Text{En: reasonEn(f.Reason), Ja: ReasonJa(f.Reason)}))
		}
	case errors.As(err, &conflict):
		for _, field := range conflict.Fields {
			if row.Known(columnOf[field]) {
				continue
			}
			j := conflict.Job
			faults = append(faults, row.Fault(columnOf[field], runfile.Text{
				En: fmt.Sprintf("differs from job %d, which asked for the same operation on this payment before (reference %q, %s); correct the row, or see jpayment review %d", j.ID, j.Reference, j.State, j.ID),
				Ja: fmt.Sprintf("が、同じ決済・同じ処理のジョブ %d（注文番号 %q、%s）と異なります。行を修正するか、jpayment review %d で確認してください", j.ID, j.Reference, jobtext.State(j.State).Ja, j.ID),
			}))
		}
	default:
		return nil, err
	}
	return faults, nil
}

// show shows a fault and counts it.
func (r *Run) show(f runfile.Fault) {
	if r.counts.faults++; r.counts.faults <= shownFaults {
		fmt.Fprintln(r.Console.Stderr, r.faultLine(f))
	}
}

// columnsJa are the columns as Japanese files have them.
var columnsJa = map[string]string{
	runfile.Operation: "処理", runfile.Payment: "決済番号", runfile.Amount: "金額", runfile.Tax: "税額", runfile.Shipping: "送料",
	runfile.Reference: "注文番号", runfile.Email: "メールアドレス", runfile.Phone: "電話番号",
}

// faultLine says where a fault is, and what.
func (r *Run) faultLine(f runfile.Fault) string {
	place, subject := r.Path, r.Console.Lang.In("the file", "ファイル")
	if f.Line > 0 {
		place, subject = fmt.Sprintf("%s:%d", place, f.Line), r.Console.Lang.In("the line", "行")
	}
	if f.Column > 0 {
		place, subject = fmt.Sprintf("%s:%d", place, f.Column), fmt.Sprintf(r.Console.Lang.In("column %d", "%d列目"), f.Column)
	}
	if f.Name != "" {
		subject = r.Console.Lang.In(f.Name, columnsJa[f.Name])
	}
	return console.Printable(place + ": " + subject + r.Console.Lang.In(" "+f.Reason.En, f.Reason.Ja))
}

// The reasons of the package jpayment, as a file has them.
var (
	zeroSum  = regexp.MustCompile(`^plus Tax .* is 0 yen`)
	tooLarge = regexp.MustCompile(`^plus Tax .* is too large`)
	tooMany  = regexp.MustCompile(`^has (\d+) digits; at most (\d+) are allowed$`)
	tooLong  = regexp.MustCompile(`^is (\d+) bytes long; at most (\d+) are allowed$`)
)

func reasonEn(reason string) string {
	switch {
	case zeroSum.MatchString(reason):
		return "plus tax plus shipping is 0 yen; use cancel to take a payment back"
	case tooLarge.MatchString(reason):
		return "plus tax plus shipping is too large to be a number of yen"
	default:
		return reason
	}
}

// ReasonJa returns a reason of the package jpayment in Japanese.
func ReasonJa(reason string) string {
	switch {
	case zeroSum.MatchString(reason):
		return "・税額・送料の合計が0円です。決済を取り消すには取消を指定してください"
	case tooLarge.MatchString(reason):
		return "・税額・送料の合計が大きすぎます"
	case tooMany.MatchString(reason):
		return tooMany.ReplaceAllString(reason, "が${1}桁です（最大${2}桁）")
	case tooLong.MatchString(reason):
		return tooLong.ReplaceAllString(reason, "が${1}バイトです（最大${2}バイト）")
	case strings.HasPrefix(reason, "has full-width digits"):
		return "に全角数字があります。半角数字で記入してください"
	}
	if ja, ok := reasonsJa[reason]; ok {
		return ja
	}
	return "に誤りがあります: " + reason
}

var reasonsJa = map[string]string{
	"is empty":                                 "が空欄です",
	"has white space; digits only":             "に空白があります。半角数字だけで記入してください",
	"has other characters than the digits 0-9": "に半角数字以外の文字があります",
	"has characters other than half-width (半角) letters, digits and signs": "に半角の英数字・記号以外の文字があります",
	"is not an e-mail address":            "がメールアドレスの形式ではありません",
	"has hyphens; drop them: digits only": "にハイフンがあります。半角数字だけで記入してください",
	"has a control character":             "に制御文字があります",
}

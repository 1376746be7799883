package monthend

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/jpayment-go/jpayment"
	"github.com/jpayment-go/jpayment/cmd/jpayment/internal/console"
	"github.com/jpayment-go/jpayment/cmd/jpayment/internal/runfile"
	"github.com/jpayment-go/jpayment/fulfilment"
)

// shownFaults is the number of faults that are printed; the rest are only counted.
const shownFaults = 100

// check reads the whole file and prints its faults. If there are any, its error is an exit
// status.
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
		return console.Failedf("interrupted: nothing was sent", "中断しました。何も送信していません")
	case err != nil:
		return err
	}
	if r.rows == 0 && r.counts.faults == 0 {
		r.show(runfile.Fault{Reason: jpayment.Text{En: "has no rows below its header", Ja: "に見出し行しかありません"}})
	}
	if r.counts.faults == 0 {
		return nil
	}
	if more := r.counts.faults - shownFaults; more > 0 {
		fmt.Fprintf(r.Console.Stderr, r.Console.Lang.In("… and %s more\n", "…ほか %s 件\n"), console.Grouped(more))
	}
	fmt.Fprintf(r.Console.Stderr, r.Console.Lang.In("%s errors: %s. Nothing was sent; correct the file and run it again.\n", "%s 誤り: %s 件。何も送信していません。ファイルを修正してから、もう一度実行してください。\n"),
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
	if row.Payment != "" && row.Operation != "" && !slices.ContainsFunc(faults, func(f runfile.Fault) bool { return f.Name == runfile.Payment }) {
		op, earlier, err := r.scratch.seen(ctx, row.Payment, row.Operation, row.Line)
		switch {
		case err != nil:
			return err
		case earlier == 0:
		case op == row.Operation:
			faults = append(faults, row.Fault(runfile.Payment, console.Textf(
				"is also in line %d, for the same operation; an operation is carried out only once on a payment",
				"が%d行目と重複しています（同じ処理です）。1つの決済に同じ処理は1回だけ記載してください", earlier)))
		default:
			faults = append(faults, row.Fault(runfile.Payment, console.Textf(
				"is re-authorised in line %d, which replaces it with a new payment: put later operations into another file, with the new payment number",
				"は%d行目で再オーソリされ、新しい決済に置き換わります。続きの処理は、新しい決済番号で別のファイルに記載してください", earlier)))
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

// columnOf maps the fields that [fulfilment.Queue.Check] reports to columns.
var columnOf = map[string]string{
	"PaymentID": runfile.Payment, "Amount": runfile.Amount, "Tax": runfile.Tax, "Shipping": runfile.Shipping,
	"Reference": runfile.Reference, "Email": runfile.Email, "Phone": runfile.Phone,
}

// faultsOf returns the faults in the error of a check, or the error itself.
func (r *Run) faultsOf(row runfile.Row, err error) (faults []runfile.Fault, _ error) {
	var (
		invalid  *jpayment.ValidationError
		conflict *fulfilment.ConflictError
	)
	switch {
	case err == nil:
	case errors.As(err, &invalid):
		for _, f := range invalid.Fields {
			if f.Field == "After" { // It is about an open job of the payment.
				faults = append(faults, row.Fault(runfile.Payment, console.Textf(
					"is being re-authorised by another file or program, which replaces it with a new payment: once that is done, run this row with the new payment number",
					"は、ほかのファイルまたはプログラムによる再オーソリが未完了で、新しい決済に置き換わります。完了後に、新しい決済番号で実行してください")))
				continue
			}
			name := columnOf[f.Field]
			if row.Known(name) || f.Field == "Amount" && row.Known(runfile.Amount) {
				continue
			}
			faults = append(faults, row.Fault(name, f.Reason))
		}
	case errors.As(err, &conflict) && len(conflict.Fields) == 0:
		faults = append(faults, row.Fault(runfile.Payment, console.Textf(
			"already has an open job (%[1]d): see jpayment review %[1]d%[2]s", "には未完了のジョブ %[1]d があります。jpayment review %[1]d%[2]s で確認してください", conflict.Job.ID, r.Flags)))
	case errors.As(err, &conflict):
		for _, field := range conflict.Fields {
			if row.Known(columnOf[field]) {
				continue
			}
			j := conflict.Job
			faults = append(faults, row.Fault(columnOf[field], console.Textf(
				"differs from job %[1]d, which has the same operation on this payment (reference %[2]s, %[3]s); correct the row, or see jpayment review %[1]d%[4]s",
				"が、同じ決済・同じ処理のジョブ %[1]d（注文番号 %[2]s、%[3]s）と異なります。行を修正するか、jpayment review %[1]d%[4]s で確認してください",
				j.ID, j.Reference, j.State.Text(), r.Flags)))
		}
	default:
		return nil, err
	}
	return faults, nil
}

// show prints a fault and counts it.
func (r *Run) show(f runfile.Fault) {
	if r.counts.faults++; r.counts.faults <= shownFaults {
		fmt.Fprintln(r.Console.Stderr, r.Console.Lang.Of(r.faultText(f)))
	}
}

// columnNames are the names of the columns in files.
var columnNames = map[string]jpayment.Text{
	runfile.Operation: {En: "operation", Ja: "処理"},
	runfile.Payment:   {En: "payment", Ja: "決済番号"},
	runfile.Amount:    {En: "amount", Ja: "金額"},
	runfile.Tax:       {En: "tax", Ja: "税額"},
	runfile.Shipping:  {En: "shipping", Ja: "送料"},
	runfile.Reference: {En: "reference", Ja: "注文番号"},
	runfile.Email:     {En: "email", Ja: "メールアドレス"},
	runfile.Phone:     {En: "phone", Ja: "電話番号"},
}

// faultText returns a fault with its place.
func (r *Run) faultText(f runfile.Fault) jpayment.Text {
	place, subject := r.Path, jpayment.Text{En: "the file", Ja: "ファイル"}
	if f.Line > 0 {
		place, subject = fmt.Sprintf("%s:%d", place, f.Line), jpayment.Text{En: "the line", Ja: "行"}
	}
	if f.Column > 0 {
		place, subject = fmt.Sprintf("%s:%d", place, f.Column), console.Textf("column %d", "%d列目", f.Column)
	}
	if name, ok := columnNames[f.Name]; ok {
		subject = name
	}
	return console.Textf("%s: %s %s", "%s: %s%s", place, subject, f.Reason)
}

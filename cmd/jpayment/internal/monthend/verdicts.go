package monthend

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strconv"

	"github.com/jpayment-go/jpayment"
	"github.com/jpayment-go/jpayment/cmd/jpayment/internal/console"
	"github.com/jpayment-go/jpayment/cmd/jpayment/internal/jobtext"
	"github.com/jpayment-go/jpayment/cmd/jpayment/internal/runfile"
	"github.com/jpayment-go/jpayment/cmd/jpayment/internal/sheet"
	"github.com/jpayment-go/jpayment/fulfilment"
)

// reportHeader returns the header of a report, by which a report is recognised.
func reportHeader(lang console.Lang) []string {
	if lang == console.Japanese {
		return []string{"行", "処理", "決済番号", "注文番号", "状態", "理由", "コード", "新決済番号", "送信回数", "次の手順"}
	}
	return []string{"line", "operation", "payment", "reference", "state", "reason", "code", "new payment", "attempts", "next"}
}

// checkReportPath returns an error if the report would overwrite a file that is not a
// report.
func (r *Run) checkReportPath() error {
	if r.DryRun {
		return nil
	}
	f, err := os.Open(r.Report)
	if errors.Is(err, os.ErrNotExist) {
		if info, err := os.Stat(filepath.Dir(r.Report)); err != nil || !info.IsDir() {
			return console.Usagef("--report: the directory %s does not exist", "--report: ディレクトリ %s がありません", filepath.Dir(r.Report))
		}
		return nil
	}
	if err != nil {
		return console.Usagef("--report: %s", "--report: %s", console.What(err))
	}
	defer f.Close() //nolint:errcheck // Nothing was written.
	head, err := bufio.NewReader(io.LimitReader(f, 1024)).ReadBytes('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return console.Usagef("--report: %s", "--report: %s", console.What(err))
	}
	for _, charset := range []runfile.Charset{runfile.UTF8, runfile.UTF8BOM, runfile.ShiftJIS} {
		for _, lang := range []console.Lang{console.English, console.Japanese} {
			var ours bytes.Buffer
			w := sheet.NewWriter(&ours, charset)
			if err := errors.Join(w.Write(reportHeader(lang)), w.Flush()); err != nil {
				return err
			}
			if bytes.Equal(head, ours.Bytes()) {
				return nil
			}
		}
	}
	return console.Usagef("%s exists and is not a report of jpayment run: move it, or name another file with --report",
		"%s は jpayment run のレポートではありません。移動するか、--report で別の名前を指定してください", r.Report)
}

// writeReport writes the verdict on each row, and counts them. An existing report is
// replaced only when the new one is complete.
func (r *Run) writeReport(ctx context.Context) (t tally, err error) {
	err = sheet.WriteFile(r.Report, r.charset, func(w *sheet.Writer) error {
		t, err = r.writeVerdicts(ctx, w)
		return err
	})
	return t, err
}

func (r *Run) writeVerdicts(ctx context.Context, w *sheet.Writer) (t tally, err error) {
	if err := w.Write(reportHeader(r.Console.Lang)); err != nil {
		return t, err
	}
	err = r.read(func(reader *runfile.Reader, row runfile.Row, faults []runfile.Fault) error {
		switch {
		case row.Line == 0 && reader.Sum() != r.sum, len(faults) > 0:
			return console.Failedf("the file was changed during the run", "処理中にファイルが変更されました")
		case row.Line == 0:
			return nil
		}
		j, err := r.queue.Job(ctx, row.Operation, row.Payment)
		if errors.Is(err, fulfilment.ErrNoJob) { // The recording was interrupted.
			j, err = fulfilment.Job{State: fulfilment.StateWaiting, Operation: row.Operation, PaymentID: row.Payment, Reference: row.Reference}, nil
		}
		if err != nil {
			return err
		}
		t.add(j.State)
		if j.State == fulfilment.StateWaiting && j.Reason == fulfilment.ReasonAfter {
			t.held++
		}
		if jobtext.Uncertain(j) && j.State != fulfilment.StateReview {
			t.uncertain++
		}
		why, err := r.why(ctx, j)
		if err != nil {
			return err
		}
		return w.Write(r.reportLine(row, j, why))
	})
	return t, err
}

// why returns the reason for the state of a job, with what its last attempt adds to it.
func (r *Run) why(ctx context.Context, j fulfilment.Job) (jpayment.Text, error) {
	why := jobtext.Why(j)
	switch j.Reason {
	case fulfilment.ReasonNotSent, fulfilment.ReasonUnknown, fulfilment.ReasonUnanswered, fulfilment.ReasonInvalid:
	default:
		return why, nil
	}
	attempts, err := r.queue.Attempts(ctx, j.ID)
	if err != nil || len(attempts) == 0 {
		return why, err
	}
	if last := attempts[len(attempts)-1].What; last != (jpayment.Text{}) {
		why = console.Textf("%s: %s", "%s: %s", why, last)
	}
	return why, nil
}

func (r *Run) reportLine(row runfile.Row, j fulfilment.Job, why jpayment.Text) []string {
	lang, flags := r.Console.Lang, r.Flags
	if !j.State.Settled() && j.Reason != fulfilment.ReasonAfter { // The next step is jpayment work.
		flags = r.SendingFlags
	}
	return []string{
		strconv.Itoa(row.Line), lang.Of(jobtext.Operation(row.Operation)), row.Payment, sheet.Harmless(row.Reference),
		lang.Of(j.State.Text()), lang.Of(why), string(j.Code), j.NewPaymentID, strconv.Itoa(j.Attempts), lang.Of(jobtext.Next(j, flags)),
	}
}

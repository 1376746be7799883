package monthend

import (
	"bufio"
	"bytes"
	"context"
	"encoding/csv"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"unicode"

	xjapanese "golang.org/x/text/encoding/japanese"

	"github.com/jpayment-go/jpayment"
	"github.com/jpayment-go/jpayment/cmd/jpayment/internal/console"
	"github.com/jpayment-go/jpayment/cmd/jpayment/internal/jobtext"
	"github.com/jpayment-go/jpayment/cmd/jpayment/internal/runfile"
	"github.com/jpayment-go/jpayment/fulfilment"
)

// reportHeader are the columns of a report, by which it is known again.
func reportHeader(lang console.Lang) []string {
	if lang == console.Japanese {
		return []string{"行", "処理", "決済番号", "注文番号", "状態", "理由", "コード", "新決済番号", "送信回数", "次の手順"}
	}
	return []string{"line", "operation", "payment", "reference", "state", "reason", "code", "new payment", "attempts", "next"}
}

// checkReportPath refuses to overwrite what is no report.
func (r *Run) checkReportPath() error {
	if r.DryRun {
		return nil
	}
	f, err := os.Open(r.Report)
	if errors.Is(err, os.ErrNotExist) {
		if info, err := os.Stat(filepath.Dir(r.Report)); err != nil || !info.IsDir() {
			return console.Usagef("--report: there is no directory %s", "--report: ディレクトリ %s がありません", filepath.Dir(r.Report))
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
			w := newReportWriter(&ours, charset)
			if err := errors.Join(w.write(reportHeader(lang)), w.flush()); err != nil {
				return err
			}
			if bytes.Equal(head, ours.Bytes()) {
				return nil
			}
		}
	}
	return console.Usagef("%s is there and is no report of jpayment run: move it away, or give another name by --report",
		"%s は jpayment run のレポートではありません。移動するか、--report で別の名前を指定してください", r.Report)
}

// writeReport writes the verdict on each row, and counts them. What was at the report's
// path stays until the new one is whole.
func (r *Run) writeReport(ctx context.Context) (t tally, err error) {
	f, err := os.CreateTemp(filepath.Dir(r.Report), ".jpayment-report-*")
	if err != nil {
		return t, err
	}
	defer func() {
		if err != nil {
			_ = f.Close() // The error above is the one that counts.
			_ = os.Remove(f.Name())
		}
	}()
	w := newReportWriter(f, r.charset)
	if t, err = r.writeVerdicts(ctx, w); err != nil {
		return t, err
	}
	if err := w.flush(); err != nil {
		return t, err
	}
	if w.unmarked {
		if f, err = marked(f); err != nil {
			return t, err
		}
	}
	if err := errors.Join(f.Sync(), f.Close()); err != nil {
		return t, err
	}
	return t, os.Rename(f.Name(), r.Report)
}

func (r *Run) writeVerdicts(ctx context.Context, w *reportWriter) (t tally, err error) {
	if err := w.write(reportHeader(r.Console.Lang)); err != nil {
		return t, err
	}
	err = r.read(func(reader *runfile.Reader, row runfile.Row, faults []runfile.Fault) error {
		switch {
		case row.Line == 0 && reader.Sum() != r.sum, len(faults) > 0:
			return console.Failedf("the file was changed meanwhile", "処理中にファイルが変更されました")
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
		if jobtext.Uncertain(j) && j.State != fulfilment.StateReview {
			t.uncertain++
		}
		why, err := r.why(ctx, j)
		if err != nil {
			return err
		}
		return w.write(r.reportLine(row, j, why))
	})
	return t, err
}

// marked copies a report behind the mark by which Excel knows UTF-8.
func marked(from *os.File) (*os.File, error) {
	to, err := os.CreateTemp(filepath.Dir(from.Name()), ".jpayment-report-*")
	if err != nil {
		return from, err
	}
	_, err = from.Seek(0, io.SeekStart)
	if err == nil {
		_, err = io.WriteString(to, mark)
	}
	if err == nil {
		_, err = io.Copy(to, from)
	}
	_ = from.Close() // It was only read.
	return to, errors.Join(err, os.Remove(from.Name()))
}

// why says why a job stands where it does. Where its last attempt knows more it is asked.
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
	if !j.State.Settled() { // What is next is jpayment work.
		flags = r.SendingFlags
	}
	return []string{
		strconv.Itoa(row.Line), lang.Of(jobtext.Operation(row.Operation)), row.Payment, harmless(row.Reference),
		lang.Of(j.State.Text()), lang.Of(why), string(j.Code), j.NewPaymentID, strconv.Itoa(j.Attempts), lang.Of(jobtext.Next(j, flags)),
	}
}

// harmless puts an apostrophe before what a spreadsheet program would take for a formula.
func harmless(s string) string {
	if s != "" && strings.ContainsRune("=+-@＝＋－＠", []rune(s)[0]) {
		return "'" + s
	}
	return s
}

// mark is what Excel knows UTF-8 by. It takes text without it for Shift_JIS.
const mark = "\ufeff"

// reportWriter writes lines of CSV in a character set. In UTF-8 it writes the mark before
// what is not ASCII from its first line on, and else says that it is to be put there.
type reportWriter struct {
	to      *bufio.Writer
	charset runfile.Charset
	line    bytes.Buffer
	csv     *csv.Writer
	begun   bool

	unmarked bool
}

func newReportWriter(to io.Writer, charset runfile.Charset) *reportWriter {
	w := &reportWriter{to: bufio.NewWriter(to), charset: charset}
	w.csv = csv.NewWriter(&w.line)
	return w
}

func (w *reportWriter) write(fields []string) error {
	w.line.Reset()
	if err := w.csv.Write(fields); err != nil {
		return err
	}
	w.csv.Flush()
	line := w.line.Bytes()
	switch ascii := !bytes.ContainsFunc(line, func(r rune) bool { return r > unicode.MaxASCII }); {
	case w.charset == runfile.ShiftJIS:
		line = toShiftJIS(w.line.String())
	case w.charset == runfile.UTF8 && ascii:
	case !w.begun:
		w.charset = runfile.UTF8BOM
		if _, err := w.to.WriteString(mark); err != nil {
			return err
		}
	case w.charset == runfile.UTF8:
		w.unmarked = true
	}
	w.begun = true
	_, err := w.to.Write(line)
	return err
}

func (w *reportWriter) flush() error { return w.to.Flush() }

// toShiftJIS encodes a text. What is not in the character set becomes a question mark; a
// reference that came in it cannot be.
func toShiftJIS(s string) []byte {
	encoder := xjapanese.ShiftJIS.NewEncoder()
	if b, err := encoder.Bytes([]byte(s)); err == nil {
		return b
	}
	var all []byte
	for _, c := range s {
		b, err := encoder.Bytes([]byte(string(c)))
		if err != nil {
			b = []byte("?")
		}
		all = slices.Concat(all, b)
	}
	return all
}

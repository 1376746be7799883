package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"

	"github.com/jpayment-go/jpayment"
	"github.com/jpayment-go/jpayment/cmd/jpayment/internal/console"
	"github.com/jpayment-go/jpayment/cmd/jpayment/internal/jobtext"
	"github.com/jpayment-go/jpayment/cmd/jpayment/internal/runfile"
	"github.com/jpayment-go/jpayment/cmd/jpayment/internal/sheet"
	"github.com/jpayment-go/jpayment/fulfilment"
)

// The columns of a review file. A person fills in the last three.
var (
	columnJob        = jpayment.Text{En: "job", Ja: "ジョブ"}
	columnOperation  = jpayment.Text{En: "operation", Ja: "処理"}
	columnPayment    = jpayment.Text{En: "payment", Ja: "決済番号"}
	columnReference  = jpayment.Text{En: "reference", Ja: "注文番号"}
	columnTotal      = jpayment.Text{En: "total", Ja: "合計金額"}
	columnState      = jpayment.Text{En: "state", Ja: "状態"}
	columnSince      = jpayment.Text{En: "since", Ja: "発生日時"}
	columnWhy        = jpayment.Text{En: "why", Ja: "理由"}
	columnLook       = jpayment.Text{En: "look for", Ja: "確認すること"}
	columnDecision   = jpayment.Text{En: "decision", Ja: "判断"}
	columnNewPayment = jpayment.Text{En: "new payment", Ja: "新決済番号"}
	columnNote       = jpayment.Text{En: "note", Ja: "メモ"}

	// decisionWords follow the name of their column, as help for filling it in.
	decisionWords = jpayment.Text{En: " (done, not-done, again)", Ja: "（処理済み、処理しない、再送）"}
)

// decisionText returns the name of a decision in files.
func decisionText(s fulfilment.State) jpayment.Text {
	switch s {
	case fulfilment.StateDone:
		return jpayment.Text{En: "done", Ja: "処理済み"}
	case fulfilment.StateRefused:
		return jpayment.Text{En: "not-done", Ja: "処理しない"}
	default:
		return jpayment.Text{En: "again", Ja: "再送"}
	}
}

// decisions are the possible decisions.
var decisions = []fulfilment.State{fulfilment.StateDone, fulfilment.StateRefused, fulfilment.StateWaiting}

// parseDecision parses a decision in either language.
func parseDecision(s string) (fulfilment.State, bool) {
	s = strings.ToLower(norm.NFKC.String(s))
	for _, state := range decisions {
		if text := decisionText(state); s == text.En || s == text.Ja {
			return state, true
		}
	}
	return "", false
}

// isColumn reports whether a name is that of one of our columns, in either language, with
// or without help after it.
func isColumn(name string, column jpayment.Text) bool {
	bare, _, _ := strings.Cut(norm.NFKC.String(name), "(")
	bare = strings.ToLower(strings.TrimSpace(bare))
	return bare == column.En || bare == column.Ja
}

// exportTo writes the jobs that a person must look up into a new file. An existing file may
// have been filled in, so it is an error.
func (r *review) exportTo(ctx context.Context, path string) error {
	if _, err := os.Lstat(path); !errors.Is(err, os.ErrNotExist) {
		return console.Usagef("--export: %s already exists and may have been filled in: move it, or give another name", "--export: %s はすでにあります（記入済みの可能性があります）。移動するか、別の名前を指定してください", path)
	}
	n := int64(0)
	err := sheet.WriteFile(path, runfile.UTF8, func(w *sheet.Writer) error {
		header := []string{}
		for _, column := range []jpayment.Text{
			columnJob, columnOperation, columnPayment, columnReference, columnTotal, columnState, columnSince, columnWhy, columnLook,
			console.Textf("%s%s", "%s%s", columnDecision, decisionWords), columnNewPayment, columnNote,
		} {
			header = append(header, r.Lang.Of(column))
		}
		if err := w.Write(header); err != nil {
			return err
		}
		return r.forPerson(ctx, func(jobs []fulfilment.Job) error {
			for _, j := range jobs {
				n++
				if err := w.Write(r.exportLine(j)); err != nil {
					return err
				}
			}
			return nil
		})
	})
	var ours *console.Error
	switch {
	case errors.As(err, &ours):
		return err
	case err != nil:
		return console.Failedf("--export: %s", "--export: %s", console.What(err))
	}
	fmt.Fprintf(r.Stdout, "%s %s\n", r.OutMark(console.Good), r.Lang.Of(console.Textf("%s: jobs to look up: %s", "%s: 確認が必要なジョブは%s件です", path, console.Grouped(n))))
	if n > 0 {
		fmt.Fprintf(r.Stdout, "  %s\n", r.Lang.Of(console.Textf("next: fill in what the control panel shows, then run jpayment review --import %s%s",
			"次の手順: 管理画面で確認した結果を記入し、jpayment review --import %s%s を実行する", shellWord(path), r.flags)))
	}
	return nil
}

func (r *review) exportLine(j fulfilment.Job) []string {
	total := ""
	if j.Operation == jpayment.OpReAuth {
		total = strconv.FormatInt(j.Amount+j.Tax+j.Shipping, 10)
	}
	return []string{
		strconv.FormatInt(j.ID, 10), r.Lang.Of(jobtext.Operation(j.Operation)), j.PaymentID, sheet.Harmless(j.Reference), total,
		r.Lang.Of(j.State.Text()), r.Time(since(j)), r.Lang.Of(jobtext.Why(j)), r.Lang.Of(jobtext.Look(j)), "", j.NewPaymentID, "",
	}
}

// bulk holds the decisions in a file.
type bulk struct {
	decisions map[int64]fulfilment.Decision
	jobs      map[int64]fulfilment.Job // the decided ones
	lines     map[int64]int            // of the decisions
	rows      int64                    // of the file
	left      int64                    // number of jobs that the file does not decide
	counts    map[fulfilment.State]int64
	faults    int64
}

func (b *bulk) decide(j fulfilment.Job, line int, d fulfilment.Decision) {
	b.decisions[j.ID], b.jobs[j.ID], b.lines[j.ID] = d, j, line
	b.counts[d.State]++
}

// importFile records the decisions in a file, all or none.
func (r *review) importFile(ctx context.Context, path string, s settings) error {
	if r.by == "" {
		r.by = r.user
	}
	if r.by == "" {
		return console.Usagef("--by is missing: give the name of the person who decided", "--by に判断者を指定してください")
	}
	if err := r.panel.check(); err != nil {
		return err
	}
	file, err := sheet.Open(path, func(name string) bool {
		return isColumn(name, columnJob) || isColumn(name, columnDecision) || sameWord(name, r.panel.PaymentColumn) || sameWord(name, r.panel.StatusColumn)
	})
	if err != nil {
		return r.wrongFile(path, err)
	}
	defer file.Close() //nolint:errcheck // Nothing was written.
	b := &bulk{decisions: map[int64]fulfilment.Decision{}, jobs: map[int64]fulfilment.Job{}, lines: map[int64]int{}, counts: map[fulfilment.State]int64{}}
	fault := func(line, column int, name, reason jpayment.Text) {
		const shown = 100
		if b.faults++; b.faults <= shown {
			fmt.Fprintln(r.Stderr, r.Lang.Of(faultText(path, file.Header, line, column, name, reason)))
		}
	}
	column := func(c jpayment.Text) int {
		return slices.IndexFunc(file.Header, func(name string) bool { return isColumn(name, c) })
	}
	read := r.readPanel
	if column(columnJob) >= 0 && column(columnDecision) >= 0 {
		read = r.readFilled
	} else if r.panel.PaymentColumn == "" || r.panel.StatusColumn == "" {
		return console.Usagef("%s: the header has no columns %s and %s; for an export of the control panel give --payment-column and --status-column, or [panel] in the configuration file",
			"%s: 見出し行に %s と %s の列がありません。管理画面のエクスポートの場合は、--payment-column と --status-column、または設定ファイルの [panel] を指定してください", path, columnJob, columnDecision)
	}
	if err := read(ctx, file, b, fault); err != nil {
		return r.wrongFile(path, err)
	}
	if b.faults > 0 {
		fmt.Fprintf(r.Stderr, "%s %s\n", r.ErrMark(console.Bad), r.Lang.Of(console.Textf("errors: %s. Nothing was recorded; correct the file and import it again.",
			"誤り: %s 件。何も記録していません。ファイルを修正してから、もう一度取り込んでください。", console.Grouped(b.faults))))
		return console.ExitStatus(console.Usage)
	}
	r.summarise(path, file.Charset, b, s)
	if len(b.decisions) == 0 {
		fmt.Fprintln(r.Stderr, r.Lang.In("The file has no decisions: nothing was recorded.", "判断がないため、何も記録していません。"))
		return console.ExitStatus(console.Failed)
	}
	if err := r.confirm(ctx); err != nil {
		return err
	}
	return r.recordAll(ctx, b)
}

// confirm asks for confirmation before recording, unless --yes is given.
func (r *review) confirm(ctx context.Context) error {
	if r.yes {
		return nil
	}
	err := r.Ask(ctx, r.Lang.In("Type yes to record it: ", "記録するには yes と入力してください: "))
	if errors.Is(err, console.ErrNotConfirmed) {
		fmt.Fprintln(r.Stderr, r.Lang.In("Not confirmed: nothing was recorded.", "確認されなかったため、何も記録していません。"))
		return console.ExitStatus(console.Failed)
	}
	return err
}

func (r *review) recordAll(ctx context.Context, b *bulk) error {
	decided, err := r.q.ReviewAll(ctx, b.decisions)
	var invalid *jpayment.ValidationError
	switch {
	case errors.As(err, &invalid): // It was valid when it was checked.
		for _, f := range invalid.Fields {
			fmt.Fprintf(r.Stderr, "jpayment: %s\n", r.Lang.Of(console.Textf("payment %s: %s; nothing was recorded, import it again", "決済 %s: %s。何も記録していません。もう一度取り込んでください",
				invalid.PaymentID, fieldText(f))))
		}
		return console.ExitStatus(console.Failed)
	case err != nil:
		return console.Failedf("nothing was recorded: %s", "何も記録していません。%s", console.WithNext(err))
	case r.json:
		for _, j := range decided {
			if err := writeJSON(r.Stdout, newJobRecord(j, r.flags)); err != nil {
				return err
			}
		}
		return nil
	}
	fmt.Fprintf(r.Stdout, "%s %s\n", r.OutMark(console.Good), r.Lang.Of(console.Textf("decisions recorded: %s", "%s件の判断を記録しました", console.Grouped(int64(len(decided))))))
	if b.counts[fulfilment.StateWaiting] > 0 {
		fmt.Fprintf(r.Stdout, "  %s\n", r.Lang.Of(console.Textf("next: a worker sends the jobs again: jpayment work%s", "次の手順: 再送するジョブはワーカーが送信する: jpayment work%s", r.flags)))
	}
	return nil
}

// summarise prints the decisions in a file.
func (r *review) summarise(path string, charset runfile.Charset, b *bulk, s settings) {
	lang := r.Lang
	rows := [][]string{{lang.In("file", "ファイル"), lang.Of(console.Textf("%s (rows: %s, %s)", "%s（%s件、%s）", path, console.Grouped(b.rows), charset.String()))}}
	for _, c := range []struct {
		n    int64
		name jpayment.Text
	}{
		{b.counts[fulfilment.StateDone], jpayment.Text{En: "done", Ja: "処理済み"}},
		{b.counts[fulfilment.StateRefused], jpayment.Text{En: "not done", Ja: "処理しない"}},
		{b.counts[fulfilment.StateWaiting], jpayment.Text{En: "send again", Ja: "再送"}},
		{b.left, jpayment.Text{En: "undecided", Ja: "判断なし"}},
	} {
		if c.n > 0 {
			rows = append(rows, []string{lang.Of(c.name), console.Grouped(c.n)})
		}
	}
	rows = append(rows,
		[]string{lang.In("decided by", "判断者"), r.by},
		[]string{lang.In("store", "店舗ID"), s.store},
		[]string{lang.In("database", "データベース"), s.databaseName()})
	console.WriteTable(r.Stderr, rows)
	if b.counts[fulfilment.StateWaiting] > 0 {
		fmt.Fprintln(r.Stderr, lang.In("If a job that is sent again was carried out after all, it may be carried out twice.", "再送するジョブは、実際には処理されていた場合、二重に処理されるおそれがあります。"))
	}
}

// faulter reports a fault. The line is from 1. The column is from 0, or -1 for a column
// that the file does not have or, without a name, for the whole line.
type faulter func(line, column int, name, reason jpayment.Text)

// readFilled reads a review file that a person has filled in.
func (r *review) readFilled(ctx context.Context, file *sheet.Reader, b *bulk, fault faulter) error {
	column := map[jpayment.Text]int{}
	for _, c := range []jpayment.Text{columnJob, columnOperation, columnPayment, columnDecision, columnNewPayment, columnNote} {
		column[c] = -1
		for i, name := range file.Header {
			if !isColumn(name, c) {
				continue
			}
			if column[c] >= 0 {
				fault(1, i, c, isTwice)
			}
			column[c] = i
		}
	}
	return file.Each(func(row sheet.Row) error {
		b.rows++
		at := func(c jpayment.Text) string { return row.At(column[c]) }
		wrong := func(c jpayment.Text, en, ja string, args ...any) {
			fault(row.Line, column[c], c, console.Textf(en, ja, args...))
		}
		if at(columnDecision) == "" {
			b.left++
			return nil
		}
		id, err := strconv.ParseInt(norm.NFKC.String(at(columnJob)), 10, 64)
		if err != nil || id < 1 {
			wrong(columnJob, "is not a job number", "がジョブ番号ではありません")
			return nil //nolint:nilerr // The fault is in the row.
		}
		job, found, err := r.look(ctx, id)
		switch {
		case err != nil:
			return databaseFailed(err)
		case !found:
			wrong(columnJob, "is not a job of this store", "のジョブはこの店舗にありません")
			return nil
		case b.lines[id] != 0:
			wrong(columnJob, "is also in line %d", "が%d行目と重複しています", b.lines[id])
			return nil
		}
		state, ok := parseDecision(at(columnDecision))
		if !ok {
			wrong(columnDecision, "is not done, not-done or again", "は 処理済み、処理しない、再送 のいずれでもありません")
			return nil
		}
		d := fulfilment.Decision{State: state, NewPaymentID: norm.NFKC.String(at(columnNewPayment)), By: r.by, Note: jpayment.NewSecret(at(columnNote)), Corrects: r.correct}
		if d.Note.Reveal() == "" {
			d.Note = jpayment.NewSecret(r.note)
		}
		good := true
		for _, f := range r.faultsOf(job.Job, &d, at) {
			good = false
			fault(row.Line, column[f.column], f.column, f.reason)
		}
		if good {
			b.decide(job.Job, row.Line, d)
		}
		return nil
	})
}

type columnFault struct {
	column jpayment.Text
	reason jpayment.Text
}

// faultsOf returns the faults of a decision in a file. If a decision needs no new payment
// and repeats the number on record, the number is removed from it.
func (r *review) faultsOf(j fulfilment.Job, d *fulfilment.Decision, at func(jpayment.Text) string) (faults []columnFault) {
	add := func(c jpayment.Text, en, ja string, args ...any) {
		faults = append(faults, columnFault{c, console.Textf(en, ja, args...)})
	}
	if payment := at(columnPayment); payment != "" && payment != j.PaymentID {
		add(columnPayment, "is not that of job %d, which is %s: rows are mixed up, or a spreadsheet program has changed it", "がジョブ %d の決済番号 %s と異なります。行がずれたか、表計算ソフトが書き換えたおそれがあります", j.ID, j.PaymentID)
	}
	if op, name := at(columnOperation), jobtext.Operation(j.Operation); op != "" && !strings.EqualFold(op, name.En) && op != name.Ja {
		add(columnOperation, "is not that of job %d, which is %s", "がジョブ %d の処理（%s）と異なります", j.ID, name)
	}
	needs := j.Operation == jpayment.OpReAuth && d.State == fulfilment.StateDone
	digits := strings.Trim(d.NewPaymentID, "0123456789") == ""
	switch {
	case !needs && d.NewPaymentID == j.NewPaymentID:
		d.NewPaymentID = ""
	case !needs && d.NewPaymentID != "":
		add(columnNewPayment, "is only for a reauth that was carried out; leave it blank", "は、再オーソリが処理済みの場合だけ記入してください")
	case needs && d.NewPaymentID == "":
		add(columnNewPayment, "is missing: give the number of the payment that the reauth created", "に、再オーソリで作成された決済の番号を記入してください")
	case needs && (!digits || d.NewPaymentID == j.PaymentID):
		add(columnNewPayment, "is not the number of the payment that the reauth created", "が再オーソリで作成された決済の番号ではありません")
	}
	if note := d.Note.Reveal(); len(note) > 200 || strings.ContainsFunc(note, unicode.IsControl) {
		add(columnNote, "is longer than 200 bytes or contains a line break", "が200バイトを超えているか、改行があります")
	}
	switch person := j.State == fulfilment.StateReview || j.State == fulfilment.StateAwaiting || !j.DisputedAt.IsZero(); {
	case person, j.State == fulfilment.StateRefused && d.State == fulfilment.StateWaiting, j.State == fulfilment.StateWaiting && d.State == fulfilment.StateRefused:
	case j.Reason == fulfilment.ReasonDecided && d.Corrects:
	case j.Reason == fulfilment.ReasonDecided:
		add(columnDecision, "is for a job that was already decided by %s (%s): leave it blank, or give --correct", "のジョブは判断済みです（判断: %s、%s）。空欄にするか、--correct を指定してください", j.DecidedBy, j.State.Text())
	default:
		add(columnDecision, "is for a job that is now %s: leave it blank", "のジョブの状態は「%s」になっています。空欄にしてください", j.State.Text())
	}
	return faults
}

// wrongFile returns the error of a file that cannot be read.
func (r *review) wrongFile(path string, err error) error {
	var (
		fault runfile.Fault
		ours  *console.Error
	)
	switch {
	case errors.As(err, &fault):
		return &console.Error{Text: faultText(path, nil, fault.Line, -1, jpayment.Text{}, fault.Reason), Status: console.Usage}
	case errors.As(err, &ours):
		return err
	default:
		return &console.Error{Text: console.What(err), Status: console.Usage}
	}
}

// faultText returns a fault with its place. The column, counted from 0, is named as in the
// file.
func faultText(path string, header []string, line, column int, name, reason jpayment.Text) jpayment.Text {
	place, subject := path, jpayment.Text{En: "the file", Ja: "ファイル"}
	if line > 0 {
		place, subject = fmt.Sprintf("%s:%d", place, line), jpayment.Text{En: "the line", Ja: "行"}
	}
	switch {
	case column >= 0 && column < len(header):
		theirs, _, _ := strings.Cut(header[column], "(") // Help for filling it in follows.
		theirs = console.Printable(strings.TrimSpace(theirs))
		place, subject = fmt.Sprintf("%s:%d", place, column+1), jpayment.Text{En: theirs, Ja: theirs}
	case name != jpayment.Text{}:
		subject = name
	}
	return console.Textf("%s: %s %s", "%s: %s%s", place, subject, reason)
}

var isTwice = jpayment.Text{En: "appears twice", Ja: "の列が重複しています"}

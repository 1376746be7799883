package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/jpayment-go/jpayment"
	"github.com/jpayment-go/jpayment/cmd/jpayment/internal/console"
	"github.com/jpayment-go/jpayment/cmd/jpayment/internal/jobtext"
	"github.com/jpayment-go/jpayment/fulfilment"
)

func newReviewCommand(lang console.Lang) *cobra.Command {
	r := &review{}
	cmd := &cobra.Command{
		Use:   "review [JOB]",
		Short: lang.In("List the jobs that need a person, and record decisions", "担当者の確認が必要なジョブを一覧表示し、判断を記録する"),
		Long: lang.In(`Without JOB, list the jobs whose outcome is unknown, and those whose verdict a kickback
contradicts, with the reason and what to look for. With JOB, show that job, its attempts and
the decisions about it. With a decision, record what the control panel shows:

  --done      it was carried out (for a reauth, also give the new payment)
  --not-done  it was not carried out, and will not be
  --again     it was not carried out, and is to be sent again

--not-done withdraws a waiting job, provided that it cannot have been carried out. --again
sends a refused job again, once the reason for the refusal is gone. --correct replaces an
earlier decision; both stay on record. The command shows what it will record and asks for
confirmation.

To decide many jobs at once, use a file. --export writes the jobs to look up as CSV, with
columns for the decision (done, not-done, again), the new payment and a note. --import checks
the whole file, prints a summary, asks for confirmation, and records all decisions or none.

--import also accepts a file exported from the control panel. Name its columns with
--payment-column and --status-column, and give the meaning of the statuses:

  --done-if 実売上 --again-if 仮売上              for captures
  --done-if cancel=取消 --again-if cancel=実売上  for cancellations

Other statuses and re-authorisations are left undecided. The columns and statuses can be kept
in the configuration file, under [panel].

Exit status: 0 shown or recorded; 1 not confirmed, nothing to record, or a job has changed;
2 usage error or errors in the file: nothing was recorded.`,
			`JOB を省略すると、結果が分からないジョブと、決済結果通知の内容が結果と食い違うジョブを、理由と確認事項とともに
一覧表示します。JOB を指定すると、そのジョブと、送信および判断の記録を表示します。判断を指定すると、
管理画面で確認した結果を記録します。

  --done      処理されていた（再オーソリでは新しい決済番号も指定する）
  --not-done  処理されておらず、今後も処理しない
  --again     処理されておらず、再送する

待機中のジョブは、処理された可能性がなければ、--not-done で取り下げることができます。拒否されたジョブは、原因が
解消した後に --again で再送できます。--correct を付けると、以前の判断を訂正します（どちらも記録に残ります）。
記録する内容を表示し、確認を求めます。

件数が多いときは、ファイルでまとめて判断できます。--export は、確認が必要なジョブを、判断（処理済み、処理しない、再送）、
新決済番号、メモを記入する列とともに CSV に書き出します。--import は、記入済みのファイル全体を検査し、
集計を表示して確認を求め、すべての判断を記録するか、まったく記録しないかのどちらかにします。

管理画面からエクスポートしたファイルも使えます。列名を --payment-column と --status-column で、
ステータスの意味を次のように指定します。

  --done-if 実売上 --again-if 仮売上              実売上のジョブ
  --done-if cancel=取消 --again-if cancel=実売上  取消のジョブ

ほかのステータスと再オーソリは、判断せずに残します。列名とステータスは、設定ファイルの [panel] にも記載できます。

終了ステータスは、0 表示または記録した、1 yes と答えなかった、記録するものがない、または確認中にジョブの状態が変わった、
2 使い方またはファイルの誤り（何も記録していない）です。`),
		Example: `  jpayment review --store 123456
  jpayment review 17 --store 123456
  jpayment review 17 --store 123456 --done --note 'captured at 21:04 in the control panel'
  jpayment review 18 --store 123456 --done --new-payment 10000042
  jpayment review 19 --store 123456 --again --yes
  jpayment review 17 --store 123456 --not-done --correct
  jpayment review --store 123456 --export review.csv
  jpayment review --store 123456 --import review.csv
  jpayment review --store 123456 --import panel.csv --payment-column 決済番号 --status-column 状態 --done-if 実売上 --again-if 仮売上`,
		Args: atMostOne("JOB"),
		RunE: r.run,
	}
	addDatabaseFlags(cmd, lang)
	f := cmd.Flags()
	f.BoolVar(&r.done, "done", false, lang.In("it was carried out", "処理されていた"))
	f.BoolVar(&r.notDone, "not-done", false, lang.In("it was not carried out, and will not be", "処理されておらず、今後も処理しない"))
	f.BoolVar(&r.again, "again", false, lang.In("it was not carried out, and is to be sent again", "処理されておらず、再送する"))
	f.BoolVar(&r.correct, "correct", false, lang.In("replace an earlier decision, which stays on record", "以前の判断を訂正する（以前の判断も記録に残る）"))
	f.StringVar(&r.newPayment, "new-payment", "", lang.In("new payment that a reauth created; with --done", "再オーソリで作成された決済の番号（--done とともに指定）"))
	f.StringVar(&r.by, "by", "", lang.In("name of the person who decided; defaults to the user name", "判断者。既定はユーザー名"))
	f.StringVar(&r.note, "note", "", lang.In("note on what was found, or @FILE or - to read it from a file or standard input", "確認した内容。@FILE または - でファイルまたは標準入力から読む"))
	f.BoolVar(&r.yes, "yes", false, lang.In("do not ask for confirmation", "確認を求めない"))
	f.BoolVar(&r.json, "json", false, lang.In("write JSON to standard output, one object per job", "標準出力に、ジョブごとに1つの JSON を出力する"))
	f.StringVar(&r.export, "export", "", lang.In("file to write the jobs to look up to", "確認が必要なジョブを書き出すファイル"))
	f.StringVar(&r.importFrom, "import", "", lang.In("file with the decisions to record", "判断を記録するファイル"))
	f.StringVar(&r.panel.PaymentColumn, "payment-column", "", lang.In("in an export of the control panel: column with the payment number", "管理画面のエクスポートの、決済番号の列"))
	f.StringVar(&r.panel.StatusColumn, "status-column", "", lang.In("in an export of the control panel: column with the status of the payment", "管理画面のエクスポートの、ステータスの列"))
	const form, formJa = "; STATUS for captures, or OPERATION=STATUS", "（実売上のジョブは ステータス、ほかは 処理=ステータス）"
	f.StringArrayVar(&r.panel.DoneIf, "done-if", nil, lang.In("in an export of the control panel: status that means the operation was carried out"+form, "管理画面のエクスポートで、処理済みとするステータス"+formJa))
	f.StringArrayVar(&r.panel.NotDoneIf, "not-done-if", nil, lang.In("in an export of the control panel: status that means the operation was not carried out, and will not be"+form, "管理画面のエクスポートで、今後も処理しないものとするステータス"+formJa))
	f.StringArrayVar(&r.panel.AgainIf, "again-if", nil, lang.In("in an export of the control panel: status that means the operation is to be sent again"+form, "管理画面のエクスポートで、再送するステータス"+formJa))
	return cmd
}

// review is the command with its flags.
type review struct {
	done, notDone, again, correct bool
	newPayment, by, note          string
	export, importFrom            string
	panel                         panelConfig // from the configuration, overridden by flags
	yes, json                     bool

	console.Console
	user  string // name of the user
	flags string // of this command
	q     queue
}

func (r *review) run(cmd *cobra.Command, args []string) error {
	r.Console, r.user, r.flags = worldOf(cmd).console(), worldOf(cmd).user, sameFlags(cmd)
	var id int64
	if len(args) == 1 {
		var err error
		if id, err = strconv.ParseInt(args[0], 10, 64); err != nil || id < 1 {
			return console.Usagef("JOB is not a job number; jpayment review lists them", "JOB がジョブ番号ではありません。番号は jpayment review で確認できます")
		}
	}
	if err := exclusive(cmd, "done", "not-done", "again"); err != nil {
		return err
	}
	if err := exclusive(cmd, "export", "import"); err != nil {
		return err
	}
	bulk := r.export != "" || r.importFrom != ""
	if bulk && (id != 0 || r.decision().State != "" || r.newPayment != "") {
		return console.Usagef("--export and --import apply to all jobs: leave out JOB and the decision", "--export と --import はジョブ全体が対象です。JOB と判断は指定できません")
	}
	if id == 0 && (r.decision().State != "" || r.newPayment != "") {
		return console.Usagef("JOB is missing: a decision applies to one job", "JOB がありません。判断はジョブを1つ指定して記録します")
	}
	s, err := databaseSettings(cmd)
	if err != nil {
		return err
	}
	in := sources{stdin: r.Stdin}
	if r.note, err = in.value("--note", r.note); err != nil {
		return err
	}
	if in.taken && !r.yes {
		return notConfirmable()
	}
	ctx := cmd.Context()
	r.panel = s.panel.or(r.panel)
	q, closeQueue, err := openQueue(ctx, s, fulfilment.Config{}, toLook)
	if err != nil {
		return err
	}
	defer closeQueue()
	r.q = q
	switch {
	case r.export != "":
		return r.exportTo(ctx, r.export)
	case r.importFrom != "":
		return r.importFile(ctx, r.importFrom, s)
	case id == 0:
		return r.list(ctx, s)
	default:
		return r.decide(ctx, id)
	}
}

func (r *review) decision() fulfilment.Decision {
	d := fulfilment.Decision{NewPaymentID: r.newPayment, By: r.by, Note: jpayment.NewSecret(r.note), Corrects: r.correct}
	switch {
	case r.done:
		d.State = fulfilment.StateDone
	case r.notDone:
		d.State = fulfilment.StateRefused
	case r.again:
		d.State = fulfilment.StateWaiting
	}
	return d
}

// forPerson calls f with the jobs that need a person, one page at a time.
func (r *review) forPerson(ctx context.Context, f func(jobs []fulfilment.Job) error) error {
	filter := fulfilment.Filter{ForPerson: true}
	for {
		jobs, err := r.q.Jobs(ctx, filter)
		if err != nil {
			return databaseFailed(err)
		}
		if len(jobs) == 0 {
			return nil
		}
		if err := f(jobs); err != nil {
			return err
		}
		filter.AfterID = jobs[len(jobs)-1].ID
	}
}

// list lists the jobs that need a person.
func (r *review) list(ctx context.Context, s settings) error {
	any := false
	err := r.forPerson(ctx, func(jobs []fulfilment.Job) error {
		any = true
		return r.show(jobs)
	})
	if err != nil {
		return err
	}
	switch {
	case r.json:
	case any:
		fmt.Fprintln(r.Stderr, r.Lang.Of(console.Textf("Record what you find: jpayment review JOB%s, with --done, --not-done or --again",
			"確認した結果を、jpayment review JOB%s に --done、--not-done、--again のいずれかを付けて記録してください", r.flags)))
	default:
		st, err := r.q.Status(ctx, "")
		if err != nil {
			return databaseFailed(err)
		}
		if st.Total() == 0 { // A mistyped store must not look as if all were well.
			fmt.Fprintf(r.Stdout, "%s %s\n", r.OutMark(console.Skipped), r.Lang.Of(noJobs(s, "")))
			return nil
		}
		fmt.Fprintln(r.Stdout, r.Lang.In("No jobs need a person.", "確認が必要なジョブはありません。"))
	}
	return nil
}

// show prints a page of jobs: a line for each, followed by the reason and the next step.
func (r *review) show(jobs []fulfilment.Job) error {
	if r.json {
		for _, j := range jobs {
			if err := writeJSON(r.Stdout, newJobRecord(j, r.flags)); err != nil {
				return err
			}
		}
		return nil
	}
	rows := [][]string{{r.Lang.In("job", "ジョブ"), r.Lang.In("operation", "処理"), r.Lang.In("payment", "決済番号"), r.Lang.In("reference", "注文番号"), r.Lang.In("state", "状態"), r.Lang.In("since", "発生日時")}}
	for _, j := range jobs {
		rows = append(rows, []string{strconv.FormatInt(j.ID, 10), r.Lang.Of(jobtext.Operation(j.Operation)), j.PaymentID, j.Reference, r.Lang.Of(j.State.Text()), r.Time(since(j))})
	}
	var table bytes.Buffer
	console.WriteTable(&table, rows)
	n := 0
	for line := range strings.Lines(table.String()) {
		fmt.Fprint(r.Stdout, line)
		if n > 0 {
			j := jobs[n-1]
			fmt.Fprintf(r.Stdout, "      %s\n", console.Printable(r.Lang.Of(jobtext.Why(j))))
			fmt.Fprintf(r.Stdout, r.Lang.In("      next: %s\n", "      次の手順: %s\n"), r.Lang.Of(jobtext.Next(j, r.flags)))
		}
		n++
	}
	return nil
}

// since returns since when a job needs a person.
func since(j fulfilment.Job) time.Time {
	if !j.DisputedAt.IsZero() {
		return j.DisputedAt
	}
	return j.UpdatedAt
}

// known is everything on record about a job.
type known struct {
	fulfilment.Job
	tried   []fulfilment.Attempt
	decided []fulfilment.Decision
}

// look reads a job.
func (r *review) look(ctx context.Context, id int64) (k known, found bool, err error) {
	jobs, err := r.q.Jobs(ctx, fulfilment.Filter{AfterID: id - 1, Limit: 1})
	if err != nil || len(jobs) == 0 || jobs[0].ID != id {
		return k, false, err
	}
	k.Job = jobs[0]
	if k.tried, err = r.q.Attempts(ctx, id); err == nil {
		k.decided, err = r.q.Decisions(ctx, id)
	}
	return k, true, err
}

// decide shows a job, and records a decision about it, if any.
func (r *review) decide(ctx context.Context, id int64) error {
	job, found, err := r.look(ctx, id)
	if err != nil {
		return databaseFailed(err)
	}
	if !found {
		return console.Usagef("the store has no job %d", "この店舗にジョブ %d はありません", id)
	}
	d := r.decision()
	if d.State == "" {
		return r.showOne(job)
	}
	if needsCorrect(job.Job, d) {
		return console.Usagef("job %d was already decided by %s (%s): to correct the decision, also give --correct", "ジョブ %d は判断済みです（判断: %s、%s）。訂正するには --correct も指定してください", id, job.DecidedBy, job.State.Text())
	}
	if d.By == "" {
		d.By = r.user
	}
	if job.Operation == jpayment.OpReAuth && r.done && r.newPayment == "" {
		return console.Usagef("--new-payment is missing: give the number of the payment that the reauth created", "--new-payment が指定されていません。再オーソリで作成された決済の番号を指定してください")
	}
	r.writeOne(r.Stderr, job)
	fmt.Fprintln(r.Stderr, r.Lang.Of(meaning(job.Job, d)))
	if err := r.confirm(ctx); err != nil {
		return err
	}
	decided, err := r.q.Review(ctx, id, d)
	var invalid *jpayment.ValidationError
	switch {
	case errors.As(err, &invalid):
		for _, f := range invalid.Fields {
			fmt.Fprintf(r.Stderr, "jpayment: %s\n", r.Lang.Of(fieldText(f)))
		}
		return console.ExitStatus(console.Usage)
	case err != nil:
		return console.Failedf("%s", "%s", console.WithNext(err))
	case r.json:
		return writeJSON(r.Stdout, newJobRecord(decided, r.flags))
	}
	fmt.Fprintf(r.Stdout, r.Lang.In("%s job %d: %s\n", "%s ジョブ %d: %s\n"), r.OutMark(console.Good), decided.ID, r.Lang.Of(decided.State.Text()))
	if next := r.Lang.Of(jobtext.Next(decided, r.flags)); next != "" {
		fmt.Fprintf(r.Stdout, r.Lang.In("  next: %s\n", "  次の手順: %s\n"), next)
	}
	return nil
}

// needsCorrect reports whether a decision would replace a person's earlier one without
// --correct.
func needsCorrect(j fulfilment.Job, d fulfilment.Decision) bool {
	decided := j.Reason == fulfilment.ReasonDecided && j.Dispute == jpayment.Text{}
	return decided && !d.Corrects && (j.State != fulfilment.StateRefused || d.State != fulfilment.StateWaiting)
}

// meaning says what a decision does.
func meaning(j fulfilment.Job, d fulfilment.Decision) jpayment.Text {
	what := console.Textf("%[1]s operation on payment %[2]s", "決済 %[2]s の%[1]s", jobtext.Operation(j.Operation), j.PaymentID)
	if d.State == fulfilment.StateRefused && j.State == fulfilment.StateWaiting {
		return console.Textf("This withdraws the %s (decided by %s). It will not be sent.", "%sを取り下げます（判断: %s）。送信しません。", what, d.By)
	}
	switch d.State {
	case fulfilment.StateDone:
		if d.NewPaymentID != "" {
			return console.Textf("This records that the %s was carried out and created payment %s (decided by %s). It will not be sent again.",
				"%sは処理され、新しい決済は %s であると記録します（判断: %s）。再送しません。", what, d.NewPaymentID, d.By)
		}
		return console.Textf("This records that the %s was carried out (decided by %s). It will not be sent again.", "%sは処理されていたと記録します（判断: %s）。再送しません。", what, d.By)
	case fulfilment.StateRefused:
		return console.Textf("This records that the %s was not carried out (decided by %s). It will not be sent again.", "%sは処理されていないと記録します（判断: %s）。再送しません。", what, d.By)
	default:
		return console.Textf("This sends the %s again, because it was not carried out (decided by %s). If it was, it may be carried out twice.", "%sを再送します（処理されていないという判断: %s）。実際には処理されていた場合、二重に処理されるおそれがあります。", what, d.By)
	}
}

func (r *review) showOne(j known) error {
	if r.json {
		rec := newJobRecord(j.Job, r.flags)
		for _, d := range j.decided {
			rec.Decisions = append(rec.Decisions, decisionRecord{string(d.State), d.NewPaymentID, d.By, d.At.UTC()})
		}
		for _, a := range j.tried {
			rec.Tried = append(rec.Tried, attemptRecord{a.Number, a.Worker, a.StartedAt.UTC(), timeRecord(a.EndedAt), a.Outcome.String(), a.Code, a.What.En, a.What.Ja})
		}
		return writeJSON(r.Stdout, rec)
	}
	r.writeOne(r.Stdout, j)
	return nil
}

// writeOne prints everything on record about a job.
func (r *review) writeOne(w io.Writer, j known) {
	rows := [][]string{
		{r.Lang.In("job", "ジョブ"), strconv.FormatInt(j.ID, 10)},
		{r.Lang.In("operation", "処理"), r.Lang.Of(jobtext.Operation(j.Operation))},
		{r.Lang.In("payment", "決済番号"), j.PaymentID},
		{r.Lang.In("reference", "注文番号"), j.Reference},
	}
	if j.Operation == jpayment.OpReAuth {
		rows = append(rows, []string{r.Lang.In("amounts", "金額・税額・送料"), fmt.Sprintf("%s + %s + %s", console.Grouped(j.Amount), console.Grouped(j.Tax), console.Grouped(j.Shipping))})
	}
	add := func(name, value string) {
		if value != "" {
			rows = append(rows, []string{name, value})
		}
	}
	if j.After != 0 {
		add(r.Lang.In("comes after", "先行するジョブ"), r.Lang.In("job ", "ジョブ ")+strconv.FormatInt(j.After, 10))
	}
	add(r.Lang.In("state", "状態"), r.Lang.Of(j.State.Text()))
	add(r.Lang.In("why", "理由"), r.Lang.Of(jobtext.Why(j.Job)))
	if !j.DisputedAt.IsZero() {
		add(r.Lang.In("disputed at", "食い違いの発生日時"), r.Time(j.DisputedAt))
	}
	add(r.Lang.In("code", "コード"), string(j.Code))
	add(r.Lang.In("new payment", "新決済番号"), j.NewPaymentID)
	if len(j.decided) == 1 {
		add(r.Lang.In("decided by", "判断者"), j.DecidedBy)
		add(r.Lang.In("note", "メモ"), j.Note.Reveal())
	}
	add(r.Lang.In("next", "次の手順"), r.Lang.Of(jobtext.Next(j.Job, r.flags)))
	console.WriteTable(w, rows)
	r.writeDecisions(w, j.decided)
	if len(j.tried) == 0 {
		return
	}
	fmt.Fprintln(w, r.Lang.In("attempts", "送信の記録"))
	rows = nil
	for _, a := range j.tried {
		ended := "–"
		if !a.EndedAt.IsZero() {
			ended = r.Time(a.EndedAt)
		}
		rows = append(rows, []string{strconv.Itoa(a.Number), r.Time(a.StartedAt), ended, r.Lang.Of(a.Outcome.Text()), r.Lang.Of(a.What)})
	}
	console.WriteTable(w, rows)
}

// writeDecisions prints the decisions about a job if there are several. Each corrects the
// earlier ones.
func (r *review) writeDecisions(w io.Writer, all []fulfilment.Decision) {
	if len(all) < 2 {
		return
	}
	fmt.Fprintln(w, r.Lang.In("decisions (the last one counts)", "判断の記録（最後のものが有効）"))
	var rows [][]string
	for i, d := range all {
		rows = append(rows, []string{strconv.Itoa(i + 1), r.Time(d.At), r.Lang.Of(decisionText(d.State)), d.NewPaymentID, d.By, d.Note.Reveal()})
	}
	console.WriteTable(w, rows)
}

// jobRecord is the JSON form of a job, without private data.
type jobRecord struct {
	ID           int64         `json:"job"`
	Operation    string        `json:"operation"`
	PaymentID    string        `json:"payment_id"`
	Reference    string        `json:"reference"`
	Batch        string        `json:"batch"`
	Amount       int64         `json:"amount"`
	Tax          int64         `json:"tax"`
	Shipping     int64         `json:"shipping"`
	State        string        `json:"state"`
	Reason       string        `json:"reason"`
	Why          string        `json:"why"`
	WhyJa        string        `json:"why_ja"`
	Code         jpayment.Code `json:"code"`
	NewPaymentID string        `json:"new_payment_id"`
	Attempts     int           `json:"attempts"`
	DecidedBy    string        `json:"decided_by"`
	Next         string        `json:"next"`
	NextJa       string        `json:"next_ja"`
	Due          *time.Time    `json:"due"`
	CreatedAt    time.Time     `json:"created_at"`
	UpdatedAt    time.Time     `json:"updated_at"`
	After        int64         `json:"after"` // the job it comes after, or 0
	Dispute      string        `json:"dispute"`
	DisputeJa    string        `json:"dispute_ja"`
	DisputedAt   *time.Time    `json:"disputed_at"`

	// For a single job:
	Tried     []attemptRecord  `json:"tried,omitempty"`
	Decisions []decisionRecord `json:"decisions,omitempty"`
}

// decisionRecord is a decision without its note, which may be private.
type decisionRecord struct {
	State        string    `json:"state"`
	NewPaymentID string    `json:"new_payment_id"`
	By           string    `json:"by"`
	At           time.Time `json:"at"`
}

type attemptRecord struct {
	Number    int           `json:"number"`
	Worker    string        `json:"worker"`
	StartedAt time.Time     `json:"started_at"`
	EndedAt   *time.Time    `json:"ended_at"`
	Outcome   string        `json:"outcome"`
	Code      jpayment.Code `json:"code"`
	What      string        `json:"what"`
	WhatJa    string        `json:"what_ja"`
}

func newJobRecord(j fulfilment.Job, flags string) jobRecord {
	why, next := jobtext.Why(j), jobtext.Next(j, flags)
	return jobRecord{
		ID: j.ID, Operation: string(j.Operation), PaymentID: j.PaymentID, Reference: j.Reference, Batch: j.Batch,
		Amount: j.Amount, Tax: j.Tax, Shipping: j.Shipping, State: string(j.State), Reason: string(j.Reason),
		Why: why.En, WhyJa: why.Ja, Code: j.Code, NewPaymentID: j.NewPaymentID, Attempts: j.Attempts,
		DecidedBy: j.DecidedBy, Next: next.En, NextJa: next.Ja,
		Due: timeRecord(j.Due), CreatedAt: j.CreatedAt.UTC(), UpdatedAt: j.UpdatedAt.UTC(),
		After: j.After, Dispute: j.Dispute.En, DisputeJa: j.Dispute.Ja, DisputedAt: timeRecord(j.DisputedAt),
	}
}

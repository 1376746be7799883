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
		Short: lang.In("List the jobs that need a person, and record what the person found", "担当者の確認が必要なジョブを一覧し、確認した結果を記録する"),
		Long: lang.In(`Without JOB, list the jobs that nobody knows the outcome of, with why and what to look at.
With JOB, show it and its attempts. With a decision, record what the control panel shows:

  --done      it was carried out (of a reauth, the new payment is given too)
  --not-done  it was not, and is not to be
  --again     it was not, and is to be sent again

A job that waits and was never sent can be withdrawn by --not-done. One that was refused
can be sent again by --again, when the reason has passed. What is decided is shown, and
has to be confirmed.

Exit status: 0 shown or recorded, 1 not confirmed, or the job changed meanwhile, 2 wrong
usage: nothing was recorded.`,
			`JOB を省略すると、結果が分からないジョブを、理由と確認事項とともに一覧表示します。JOB を指定すると、
そのジョブと送信の記録を表示します。判断を指定すると、管理画面で確認した結果を記録します。

  --done      処理されていた（再オーソリでは新しい決済番号も指定する）
  --not-done  処理されておらず、今後も処理しない
  --again     処理されておらず、再送する

一度も送信していない待機中のジョブは、--not-done で取り下げることができます。拒否されたジョブは、
原因が解消した後に --again で再送できます。記録する内容を表示し、確認を求めます。

終了ステータスは、0 表示または記録した、1 yes と答えなかった、または確認中にジョブの状態が変わった、2 使い方の誤り
（何も記録していない）です。`),
		Example: `  jpayment review --store 123456
  jpayment review 17 --store 123456
  jpayment review 17 --store 123456 --done --note 'captured at 21:04 in the control panel'
  jpayment review 18 --store 123456 --done --new-payment 10000042
  jpayment review 19 --store 123456 --again --yes`,
		Args: atMostOne("JOB"),
		RunE: r.run,
	}
	addDatabaseFlags(cmd, lang)
	f := cmd.Flags()
	f.BoolVar(&r.done, "done", false, lang.In("it was carried out", "処理されていた"))
	f.BoolVar(&r.notDone, "not-done", false, lang.In("it was not carried out, and is not to be", "処理されておらず、今後も処理しない"))
	f.BoolVar(&r.again, "again", false, lang.In("it was not carried out, and is to be sent again", "処理されておらず、再送する"))
	f.StringVar(&r.newPayment, "new-payment", "", lang.In("payment that a reauth made, with --done", "再オーソリでできた新しい決済番号（--done とともに指定）"))
	f.StringVar(&r.by, "by", "", lang.In("who decided; by default the name of the user", "判断した人。既定はユーザー名"))
	f.StringVar(&r.note, "note", "", lang.In("what was found, or @FILE or - to read it from a file or standard input", "確認した内容。@FILE または - でファイルまたは標準入力から読む"))
	f.BoolVar(&r.yes, "yes", false, lang.In("do not ask", "確認を求めない"))
	f.BoolVar(&r.json, "json", false, lang.In("JSON on standard output, one object for each job", "標準出力に、ジョブごとに1つの JSON を出力する"))
	return cmd
}

// review is the command with its flags.
type review struct {
	done, notDone, again bool
	newPayment, by, note string
	yes, json            bool

	console.Console
	user  string // who runs the command
	flags string // with which it was started
	q     queue
}

func (r *review) run(cmd *cobra.Command, args []string) error {
	r.Console, r.user, r.flags = worldOf(cmd).console(), worldOf(cmd).user, sameFlags(cmd)
	var id int64
	if len(args) == 1 {
		var err error
		if id, err = strconv.ParseInt(args[0], 10, 64); err != nil || id < 1 {
			return console.Usagef("JOB is not the number of a job, as jpayment review lists them", "JOB がジョブ番号ではありません。番号は jpayment review で確認できます")
		}
	}
	if err := exclusive(cmd, "done", "not-done", "again"); err != nil {
		return err
	}
	if id == 0 && (r.decision().State != "" || r.newPayment != "") {
		return console.Usagef("JOB is missing: a decision is about one job", "JOB がありません。判断はジョブを1つ指定して記録します")
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
	q, closeQueue, err := openQueue(ctx, s, nil, false)
	if err != nil {
		return err
	}
	defer closeQueue()
	r.q = q
	if id == 0 {
		return r.list(ctx, s)
	}
	return r.decide(ctx, id)
}

func (r *review) decision() fulfilment.Decision {
	d := fulfilment.Decision{NewPaymentID: r.newPayment, By: r.by, Note: jpayment.NewSecret(r.note)}
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

// list shows all that need a person.
func (r *review) list(ctx context.Context, s settings) error {
	filter, any := fulfilment.Filter{State: fulfilment.StateReview}, false
	for {
		jobs, err := r.q.Jobs(ctx, filter)
		if err != nil {
			return databaseFailed(err)
		}
		if len(jobs) == 0 {
			break
		}
		any = true
		if err := r.show(jobs); err != nil {
			return err
		}
		filter.AfterID = jobs[len(jobs)-1].ID
	}
	switch {
	case r.json:
	case any:
		fmt.Fprintln(r.Stderr, r.Lang.Of(console.Textf("Record what you find: jpayment review JOB%s with --done, --not-done or --again",
			"確認した結果を、jpayment review JOB%s に --done、--not-done、--again のいずれかを付けて記録してください", r.flags)))
	default:
		st, err := r.q.Status(ctx, "")
		if err != nil {
			return databaseFailed(err)
		}
		if st.Total() == 0 { // Of a mistyped store nobody should read that all is well.
			fmt.Fprintf(r.Stdout, "%s %s\n", r.OutMark(console.Skipped), r.Lang.Of(noJobs(s, "")))
			return nil
		}
		fmt.Fprintln(r.Stdout, r.Lang.In("Nothing needs a person.", "確認が必要なジョブはありません。"))
	}
	return nil
}

// show shows a page of jobs: a line for each, and below it why and what to do.
func (r *review) show(jobs []fulfilment.Job) error {
	if r.json {
		for _, j := range jobs {
			if err := writeJSON(r.Stdout, newJobRecord(j, r.flags)); err != nil {
				return err
			}
		}
		return nil
	}
	rows := [][]string{{r.Lang.In("job", "ジョブ"), r.Lang.In("operation", "処理"), r.Lang.In("payment", "決済番号"), r.Lang.In("reference", "注文番号"), r.Lang.In("since", "発生日時")}}
	for _, j := range jobs {
		rows = append(rows, []string{strconv.FormatInt(j.ID, 10), r.Lang.Of(jobtext.Operation(j.Operation)), j.PaymentID, j.Reference, r.Time(j.UpdatedAt)})
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

// decide shows a job, and records a decision about it if there is one.
func (r *review) decide(ctx context.Context, id int64) error {
	found, err := r.q.Jobs(ctx, fulfilment.Filter{AfterID: id - 1, Limit: 1})
	if err != nil {
		return databaseFailed(err)
	}
	if len(found) == 0 || found[0].ID != id {
		return console.Usagef("the store has no job %d", "この店舗にジョブ %d はありません", id)
	}
	job := found[0]
	attempts, err := r.q.Attempts(ctx, id)
	if err != nil {
		return databaseFailed(err)
	}
	d := r.decision()
	if d.State == "" {
		return r.showOne(job, attempts)
	}
	if d.By == "" {
		d.By = r.user
	}
	if job.Operation == jpayment.OpReAuth && r.done && r.newPayment == "" {
		return console.Usagef("--new-payment is missing: the number of the payment that the reauth made", "--new-payment が指定されていません。再オーソリで作成された決済の番号を指定してください")
	}
	r.writeOne(r.Stderr, job, attempts)
	fmt.Fprintln(r.Stderr, r.Lang.Of(meaning(job, d)))
	if !r.yes {
		err := r.Ask(ctx, r.Lang.In("Type yes to record it: ", "記録するには yes と入力してください: "))
		if errors.Is(err, console.ErrNotConfirmed) {
			fmt.Fprintln(r.Stderr, r.Lang.In("Not confirmed: nothing was recorded.", "確認されなかったため、何も記録していません。"))
			return console.ExitStatus(console.Failed)
		}
		if err != nil {
			return err
		}
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
		return console.Failedf("%s", "%s", withNext(err))
	case r.json:
		return writeJSON(r.Stdout, newJobRecord(decided, r.flags))
	}
	fmt.Fprintf(r.Stdout, r.Lang.In("%s job %d: %s\n", "%s ジョブ %d: %s\n"), r.OutMark(console.Good), decided.ID, r.Lang.Of(decided.State.Text()))
	if next := r.Lang.Of(jobtext.Next(decided, r.flags)); next != "" {
		fmt.Fprintf(r.Stdout, r.Lang.In("  next: %s\n", "  次の手順: %s\n"), next)
	}
	return nil
}

// meaning says what a decision does.
func meaning(j fulfilment.Job, d fulfilment.Decision) jpayment.Text {
	what := console.Textf("%[1]s of payment %[2]s", "決済 %[2]s の%[1]s", jobtext.Operation(j.Operation), j.PaymentID)
	switch d.State {
	case fulfilment.StateDone:
		if d.NewPaymentID != "" {
			return console.Textf("This records that the %s was carried out and made payment %s, by the word of %s. It is not sent again.",
				"%sは処理され、新しい決済は %s であると記録します（判断: %s）。再送しません。", what, d.NewPaymentID, d.By)
		}
		return console.Textf("This records that the %s was carried out, by the word of %s. It is not sent again.", "%sは処理されていたと記録します（判断: %s）。再送しません。", what, d.By)
	case fulfilment.StateRefused:
		return console.Textf("This records that the %s was not carried out, by the word of %s. It is not sent again.", "%sは処理されていないと記録します（判断: %s）。再送しません。", what, d.By)
	default:
		return console.Textf("This sends the %s again, by the word of %s that it was not carried out. If it was, it may be carried out twice.", "%sを再送します（処理されていないという判断: %s）。実際には処理されていた場合、二重に処理されるおそれがあります。", what, d.By)
	}
}

func (r *review) showOne(j fulfilment.Job, attempts []fulfilment.Attempt) error {
	if r.json {
		rec := newJobRecord(j, r.flags)
		for _, a := range attempts {
			rec.Tried = append(rec.Tried, attemptRecord{a.Number, a.Worker, a.StartedAt.UTC(), timeRecord(a.EndedAt), a.Outcome.String(), a.Code, a.What.En, a.What.Ja})
		}
		return writeJSON(r.Stdout, rec)
	}
	r.writeOne(r.Stdout, j, attempts)
	return nil
}

// writeOne writes all that is known of a job for a person.
func (r *review) writeOne(w io.Writer, j fulfilment.Job, attempts []fulfilment.Attempt) {
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
	add(r.Lang.In("state", "状態"), r.Lang.Of(j.State.Text()))
	add(r.Lang.In("why", "理由"), r.Lang.Of(jobtext.Why(j)))
	add(r.Lang.In("code", "コード"), string(j.Code))
	add(r.Lang.In("new payment", "新決済番号"), j.NewPaymentID)
	add(r.Lang.In("decided by", "判断した人"), j.DecidedBy)
	add(r.Lang.In("note", "メモ"), j.Note.Reveal())
	add(r.Lang.In("next", "次の手順"), r.Lang.Of(jobtext.Next(j, r.flags)))
	console.WriteTable(w, rows)
	if len(attempts) == 0 {
		return
	}
	fmt.Fprintln(w, r.Lang.In("attempts", "送信の記録"))
	rows = nil
	for _, a := range attempts {
		ended := "–"
		if !a.EndedAt.IsZero() {
			ended = r.Time(a.EndedAt)
		}
		rows = append(rows, []string{strconv.Itoa(a.Number), r.Time(a.StartedAt), ended, r.Lang.Of(a.Outcome.Text()), r.Lang.Of(a.What)})
	}
	console.WriteTable(w, rows)
}

// jobRecord is a job for a machine, without what is private.
type jobRecord struct {
	ID           int64           `json:"job"`
	Operation    string          `json:"operation"`
	PaymentID    string          `json:"payment_id"`
	Reference    string          `json:"reference"`
	Batch        string          `json:"batch"`
	Amount       int64           `json:"amount"`
	Tax          int64           `json:"tax"`
	Shipping     int64           `json:"shipping"`
	State        string          `json:"state"`
	Reason       string          `json:"reason"`
	Why          string          `json:"why"`
	WhyJa        string          `json:"why_ja"`
	Code         jpayment.Code   `json:"code"`
	NewPaymentID string          `json:"new_payment_id"`
	Attempts     int             `json:"attempts"`
	DecidedBy    string          `json:"decided_by"`
	Next         string          `json:"next"`
	NextJa       string          `json:"next_ja"`
	Due          *time.Time      `json:"due"`
	CreatedAt    time.Time       `json:"created_at"`
	UpdatedAt    time.Time       `json:"updated_at"`
	Tried        []attemptRecord `json:"tried,omitempty"` // where one job is asked for
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
	}
}

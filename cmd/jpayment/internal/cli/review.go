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
	"github.com/jpayment-go/jpayment/fulfilment"
)

func newReviewCommand(lang string) *cobra.Command {
	r := &review{}
	cmd := &cobra.Command{
		Use:   "review [JOB]",
		Short: in(lang, "List the jobs that need a person, and record what the person found", "担当者の確認が必要なジョブを一覧し、確認した結果を記録する"),
		Long: in(lang, `Without JOB, list the jobs that nobody knows the outcome of, with why and what to look at.
With JOB, show it and its attempts. With a decision, record what the control panel shows:

  --done      it was carried out (of a reauth, the new payment is given too)
  --not-done  it was not, and is not to be
  --again     it was not, and is to be sent again

A job that waits and was never sent can be withdrawn by --not-done. One that was refused
can be sent again by --again, when the reason has passed. What is decided is shown, and
has to be confirmed.

Exit status: 0 shown or recorded, 1 not confirmed, or the job changed meanwhile, 2 wrong
usage: nothing was recorded.`,
			`JOB を省略すると、結果が分からないジョブを、理由と確認事項とともに一覧します。JOB を指定すると、
そのジョブと送信の記録を表示します。判断を指定すると、管理画面で確認した結果を記録します。

  --done      処理されていた（再オーソリでは新しい決済番号も指定する）
  --not-done  処理されておらず、今後も処理しない
  --again     処理されておらず、再送する

一度も送信していない待機中のジョブは、--not-done で取り下げることができます。拒否されたジョブは、
理由が解消した後に --again で再送できます。記録する内容を表示し、確認を求めます。

終了ステータスは、0 表示または記録した、1 確認されなかったか、その間にジョブが変化した、2 使い方の誤り
（何も記録していない）です。`),
		Example: `  jpayment review --store 123456
  jpayment review 17 --store 123456
  jpayment review 17 --store 123456 --done --note 'captured at 21:04 in the control panel'
  jpayment review 18 --store 123456 --done --new-payment 10000042
  jpayment review 19 --store 123456 --again --yes`,
		Args: cobra.MaximumNArgs(1),
		RunE: r.run,
	}
	addDatabaseFlags(cmd, lang)
	f := cmd.Flags()
	f.BoolVar(&r.done, "done", false, in(lang, "it was carried out", "処理されていた"))
	f.BoolVar(&r.notDone, "not-done", false, in(lang, "it was not carried out, and is not to be", "処理されておらず、今後も処理しない"))
	f.BoolVar(&r.again, "again", false, in(lang, "it was not carried out, and is to be sent again", "処理されておらず、再送する"))
	f.StringVar(&r.newPayment, "new-payment", "", in(lang, "payment that a reauth made, with --done", "再オーソリでできた新しい決済番号（--done とともに指定）"))
	f.StringVar(&r.by, "by", "", in(lang, "who decided; by default the name of the user", "判断した人。既定はユーザー名"))
	f.StringVar(&r.note, "note", "", in(lang, "what was found", "確認した内容"))
	f.BoolVar(&r.yes, "yes", false, in(lang, "do not ask", "確認を求めない"))
	f.BoolVar(&r.json, "json", false, in(lang, "JSON on standard output, one object for each job", "標準出力に、ジョブごとに1つの JSON を出力する"))
	cmd.MarkFlagsMutuallyExclusive("done", "not-done", "again")
	return cmd
}

// review is the command with its flags.
type review struct {
	done, notDone, again bool
	newPayment, by, note string
	yes, json            bool

	world world
	lang  string
	q     queue
}

func (r *review) run(cmd *cobra.Command, args []string) error {
	r.world, r.lang = worldOf(cmd), language(cmd)
	var id int64
	if len(args) == 1 {
		var err error
		if id, err = strconv.ParseInt(args[0], 10, 64); err != nil || id < 1 {
			return usageError(in(r.lang, "JOB is not the number of a job, as jpayment review lists them", "JOB がジョブ番号ではありません。番号は jpayment review で確認できます"))
		}
	}
	if id == 0 && (r.decision().State != "" || r.newPayment != "") {
		return usageError(in(r.lang, "JOB is missing: a decision is about one job", "JOB がありません。判断はジョブを1つ指定して記録します"))
	}
	s, err := databaseSettings(cmd)
	if err != nil {
		return err
	}
	ctx := cmd.Context()
	q, closeQueue, err := openQueue(ctx, r.lang, s, nil, false)
	if err != nil {
		return err
	}
	defer closeQueue()
	r.q = q
	if id == 0 {
		return r.list(ctx)
	}
	return r.decide(ctx, id)
}

func (r *review) decision() fulfilment.Decision {
	d := fulfilment.Decision{NewPaymentID: r.newPayment, By: r.by, Note: r.note}
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
func (r *review) list(ctx context.Context) error {
	filter, any := fulfilment.Filter{State: fulfilment.StateReview}, false
	for {
		jobs, err := r.q.Jobs(ctx, filter)
		if err != nil {
			return fmt.Errorf("database: %w", err)
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
		fmt.Fprintln(r.world.stderr, in(r.lang, "Record what you find: jpayment review JOB --done, --not-done or --again", "確認した結果を記録してください: jpayment review JOB に --done、--not-done、--again のいずれかを指定"))
	default:
		fmt.Fprintln(r.world.stdout, in(r.lang, "Nothing needs a person.", "確認が必要なジョブはありません。"))
	}
	return nil
}

// show shows a page of jobs: a line for each, and below it why and what to do.
func (r *review) show(jobs []fulfilment.Job) error {
	if r.json {
		for _, j := range jobs {
			if err := writeJSON(r.world.stdout, newJobRecord(j)); err != nil {
				return err
			}
		}
		return nil
	}
	rows := [][]string{{in(r.lang, "job", "ジョブ"), in(r.lang, "operation", "処理"), in(r.lang, "payment", "決済番号"), in(r.lang, "reference", "注文番号"), in(r.lang, "since", "発生日時")}}
	for _, j := range jobs {
		rows = append(rows, []string{strconv.FormatInt(j.ID, 10), operationName(r.lang, j.Operation), j.PaymentID, j.Reference, localTime(j.UpdatedAt)})
	}
	var table bytes.Buffer
	writeTable(&table, rows)
	n := 0
	for line := range strings.Lines(table.String()) {
		fmt.Fprint(r.world.stdout, line)
		if n > 0 {
			j := jobs[n-1]
			fmt.Fprintf(r.world.stdout, "      %s\n", printable(whyOf(r.lang, j)))
			fmt.Fprintf(r.world.stdout, in(r.lang, "      next: %s\n", "      次の手順: %s\n"), nextOf(r.lang, j))
		}
		n++
	}
	return nil
}

// decide shows a job, and records a decision about it if there is one.
func (r *review) decide(ctx context.Context, id int64) error {
	found, err := r.q.Jobs(ctx, fulfilment.Filter{AfterID: id - 1, Limit: 1})
	if err != nil {
		return fmt.Errorf("database: %w", err)
	}
	if len(found) == 0 || found[0].ID != id {
		return usageError(fmt.Sprintf(in(r.lang, "the store has no job %d", "この店舗にジョブ %d はありません"), id))
	}
	job := found[0]
	attempts, err := r.q.Attempts(ctx, id)
	if err != nil {
		return fmt.Errorf("database: %w", err)
	}
	d := r.decision()
	if d.State == "" {
		return r.showOne(job, attempts)
	}
	if d.By == "" {
		d.By = r.world.user
	}
	r.writeOne(r.world.stderr, job, attempts)
	fmt.Fprintln(r.world.stderr, r.meaning(job, d))
	if !r.yes {
		err := r.world.console(r.lang).Ask(ctx, in(r.lang, "Type yes to record it: ", "記録するには yes と入力してください: "))
		if errors.Is(err, errNotConfirmed) {
			fmt.Fprintln(r.world.stderr, in(r.lang, "Not confirmed: nothing was recorded.", "確認されなかったため、何も記録していません。"))
			return exitStatus(exitFailed)
		}
		if err != nil {
			return err
		}
	}
	decided, err := r.q.Review(ctx, id, d)
	var invalid *jpayment.ValidationError
	switch {
	case errors.As(err, &invalid):
		for _, f := range invalid.Faults {
			fmt.Fprintf(r.world.stderr, "jpayment: %s\n", r.decisionFault(job, f))
		}
		return exitStatus(exitUsage)
	case err != nil:
		return fmt.Errorf("review: %w", err)
	case r.json:
		return writeJSON(r.world.stdout, newJobRecord(decided))
	}
	fmt.Fprintf(r.world.stdout, in(r.lang, "%s job %d: %s\n", "%s ジョブ %d: %s\n"), good.paint(r.world, r.world.terminal.out), decided.ID, stateName(r.lang, decided.State))
	if next := nextOf(r.lang, decided); next != "" {
		fmt.Fprintf(r.world.stdout, in(r.lang, "  next: %s\n", "  次の手順: %s\n"), next)
	}
	return nil
}

// decisionFault says what is wrong with a decision. The job is as it was shown.
func (r *review) decisionFault(j fulfilment.Job, f jpayment.Fault) string {
	switch {
	case f.Field == "Job":
		return fmt.Sprintf(in(r.lang, "job %d is %s: a decision is for one that needs review or awaits its kickback, and a refused one can be sent again", "ジョブ %d は%sです。判断を記録できるのは要確認または通知待ちのジョブで、拒否されたジョブは再送だけができます"), j.ID, stateName(r.lang, j.State))
	case f.Field == "NewPaymentID" && r.done && j.Operation == jpayment.OpReAuth:
		return in(r.lang, "--new-payment: give the number of the payment that the reauth made", "--new-payment に、再オーソリでできた新しい決済番号を指定してください")
	case f.Field == "NewPaymentID":
		return in(r.lang, "--new-payment is for a reauth that is done", "--new-payment は、処理されていた再オーソリにだけ指定します")
	case f.Field == "By":
		return in(r.lang, "--by "+f.Reason, "--by"+reasonJa(f.Reason))
	case f.Field == "Note":
		return in(r.lang, "--note "+f.Reason, "--note"+reasonJa(f.Reason))
	default:
		return f.Field + " " + f.Reason
	}
}

// meaning says what a decision does.
func (r *review) meaning(j fulfilment.Job, d fulfilment.Decision) string {
	what := fmt.Sprintf(in(r.lang, "%s of payment %s", "決済 %[2]s の%[1]s"), operationName(r.lang, j.Operation), j.PaymentID)
	by := printable(d.By)
	switch d.State {
	case fulfilment.StateDone:
		return fmt.Sprintf(in(r.lang, "This records that the %s was carried out, by the word of %s. It is not sent again.", "%sは処理されていたと記録します（判断: %s）。再送しません。"), what, by)
	case fulfilment.StateRefused:
		return fmt.Sprintf(in(r.lang, "This records that the %s was not carried out, by the word of %s. It is not sent again.", "%sは処理されていないと記録します（判断: %s）。再送しません。"), what, by)
	default:
		return fmt.Sprintf(in(r.lang, "This sends the %s again, by the word of %s that it was not carried out. If it was, it may be carried out twice.", "%sを再送します（処理されていないという判断: %s）。実際には処理されていた場合、二重に処理されるおそれがあります。"), what, by)
	}
}

func (r *review) showOne(j fulfilment.Job, attempts []fulfilment.Attempt) error {
	if r.json {
		rec := newJobRecord(j)
		for _, a := range attempts {
			rec.Tried = append(rec.Tried, attemptRecord{a.Number, a.Worker, a.StartedAt.UTC(), timeRecord(a.EndedAt), a.Outcome.String(), a.Code, a.What})
		}
		return writeJSON(r.world.stdout, rec)
	}
	r.writeOne(r.world.stdout, j, attempts)
	return nil
}

// writeOne writes all that is known of a job for a person.
func (r *review) writeOne(w io.Writer, j fulfilment.Job, attempts []fulfilment.Attempt) {
	rows := [][]string{
		{in(r.lang, "job", "ジョブ"), strconv.FormatInt(j.ID, 10)},
		{in(r.lang, "operation", "処理"), operationName(r.lang, j.Operation)},
		{in(r.lang, "payment", "決済番号"), j.PaymentID},
		{in(r.lang, "reference", "注文番号"), j.Reference},
	}
	if j.Operation == jpayment.OpReAuth {
		rows = append(rows, []string{in(r.lang, "amounts", "金額・税額・送料"), fmt.Sprintf("%s + %s + %s", grouped(j.Amount), grouped(j.Tax), grouped(j.Shipping))})
	}
	add := func(name, value string) {
		if value != "" {
			rows = append(rows, []string{name, value})
		}
	}
	add(in(r.lang, "state", "状態"), stateName(r.lang, j.State))
	add(in(r.lang, "why", "理由"), whyOf(r.lang, j))
	add(in(r.lang, "code", "コード"), string(j.Code))
	add(in(r.lang, "new payment", "新決済番号"), j.NewPaymentID)
	add(in(r.lang, "decided by", "判断した人"), j.DecidedBy)
	add(in(r.lang, "note", "メモ"), j.Note)
	add(in(r.lang, "next", "次の手順"), nextOf(r.lang, j))
	writeTable(w, rows)
	if len(attempts) == 0 {
		return
	}
	fmt.Fprintln(w, in(r.lang, "attempts", "送信の記録"))
	rows = nil
	for _, a := range attempts {
		ended := "–"
		if !a.EndedAt.IsZero() {
			ended = localTime(a.EndedAt)
		}
		what, _, _ := strings.Cut(a.What, "; next: ")
		if _, after, ok := strings.Cut(what, "outcome "+a.Outcome.String()+": "); ok {
			what = after
		}
		if r.lang == japanese && a.Code != "" {
			what = string(a.Code) + " " + a.Code.MessageJa()
		}
		rows = append(rows, []string{strconv.Itoa(a.Number), localTime(a.StartedAt), ended, outcomeName(r.lang, a.Outcome), what})
	}
	writeTable(w, rows)
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
}

func newJobRecord(j fulfilment.Job) jobRecord {
	return jobRecord{
		ID: j.ID, Operation: string(j.Operation), PaymentID: j.PaymentID, Reference: j.Reference, Batch: j.Batch,
		Amount: j.Amount, Tax: j.Tax, Shipping: j.Shipping, State: string(j.State), Reason: string(j.Reason),
		Why: whyOf(english, j), WhyJa: whyOf(japanese, j), Code: j.Code, NewPaymentID: j.NewPaymentID, Attempts: j.Attempts,
		DecidedBy: j.DecidedBy, Next: nextOf(english, j), NextJa: nextOf(japanese, j),
		Due: timeRecord(j.Due), CreatedAt: j.CreatedAt.UTC(), UpdatedAt: j.UpdatedAt.UTC(),
	}
}

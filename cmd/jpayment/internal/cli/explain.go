package cli

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/jpayment-go/jpayment"
	"github.com/jpayment-go/jpayment/cmd/jpayment/internal/console"
	"github.com/jpayment-go/jpayment/cmd/jpayment/internal/jobtext"
)

func newExplainCommand(lang console.Lang) *cobra.Command {
	e := explanation{}
	cmd := &cobra.Command{
		Use:   "explain CODE|ROW|QUERY",
		Short: lang.In("Explain a code, a reply or a kickback", "エラーコード・応答・決済結果通知の意味を示す"),
		Long: lang.In(`Explain an answer of the gateway: a code (ER003, G1242G120000), a reply as received (a row
of columns, OK or ER:ER003), or a kickback (its query, with or without the question mark,
or the whole URL). To keep it off the command line, use @FILE to read it from a file, or -
for standard input. Nothing is sent.

Approval codes, issued IDs and passwords, and other data are hidden unless --show-private
is given. Kickbacks are not verified: anyone who knows the URL can send one.

Exit status: 0 explained, 1 it contradicts itself or cannot be read, 2 usage error.`,
			`決済ゲートウェイの応答や通知の意味を示します。エラーコード（ER003、G1242G120000）、応答そのもの
（カンマ区切りの行、OK、ER:ER003）、または決済結果通知（クエリ。先頭の?はあってもなくてもよく、
URL全体でもよい）を指定してください。コマンドラインに書けない場合は、@FILE でファイルから、- で標準入力
から読み込めます。何も送信しません。

承認番号、発行ID・パスワード、その他データは、--show-private を指定しない限り表示しません。
決済結果通知の検証は行いません。URLを知っていれば誰でも通知を送ることができます。

終了ステータスは、0 説明できた、1 入力が矛盾しているか読めない、2 使い方の誤り です。`),
		Example: `  jpayment explain ER003
  jpayment explain '1095729,1,TestMod,,205685,,1000,2,4,1006,,,'
  jpayment explain '?gid=10000001&rst=1&ap=0001112&ec=&god=10000002&cod=test%20&am=1000&tx=80&sf=500&ta=1580'
  jpayment explain @reply.txt
  jpayment explain - < reply.txt`,
		Args: oneArgument("CODE|ROW|QUERY"),
		RunE: func(cmd *cobra.Command, args []string) error { return e.run(cmd, args[0]) },
	}
	f := cmd.Flags()
	f.BoolVar(&e.showPrivate, "show-private", false, lang.In("show private values, too", "非公開の値も表示する"))
	f.BoolVar(&e.json, "json", false, lang.In("write one JSON object to standard output", "標準出力にJSONを1つ出力する"))
	return cmd
}

// explanation is the explanation of an input. Its exported fields are the JSON output.
type explanation struct {
	Kind      string         `json:"kind"` // "code", "reply" or "kickback"
	Error     string         `json:"error,omitempty"`
	ErrorJa   string         `json:"error_ja,omitempty"`
	Verdict   string         `json:"verdict"`
	VerdictJa string         `json:"verdict_ja"`
	Code      *codeRecord    `json:"code,omitempty"`
	Columns   []column       `json:"columns,omitempty"`
	Result    *resultRecord  `json:"result,omitempty"`
	After     []afterOutcome `json:"after,omitempty"`

	lang              console.Lang
	showPrivate, json bool
}

// codeRecord describes a code.
type codeRecord struct {
	Code      jpayment.Code `json:"code"`
	Known     bool          `json:"known"`
	Message   string        `json:"message"`
	MessageJa string        `json:"message_ja"`
}

func newCodeRecord(c jpayment.Code) *codeRecord {
	message := c.Message()
	return &codeRecord{c, c.Known(), message.En, message.Ja}
}

// afterOutcome is the outcome of some operations that ended with a code.
type afterOutcome struct {
	Operations []jpayment.Operation `json:"operations"`
	Outcome    string               `json:"outcome"`
	Next       string               `json:"next"`
	NextJa     string               `json:"next_ja"`
	outcome    jpayment.Outcome
}

func (e explanation) run(cmd *cobra.Command, input string) error {
	w := worldOf(cmd)
	e.lang = language(cmd)
	in := sources{stdin: w.stdin}
	input, err := in.value("explain", input)
	if err != nil {
		return err
	}
	if err := e.explain(input); err != nil {
		return err
	}
	if e.json {
		if err := writeJSON(w.stdout, e); err != nil {
			return err
		}
	} else {
		e.write(w)
	}
	if e.Error != "" {
		return console.ExitStatus(console.Failed)
	}
	return nil
}

// explain recognises the input and explains it.
func (e *explanation) explain(input string) error {
	text := strings.TrimSpace(input)
	if query, ok := queryIn(text); ok {
		e.explainKickback(query)
		return nil
	}
	if code, ok := codeIn(text); ok {
		e.Kind = "code"
		e.explainCode(code)
		return nil
	}
	if text == "" || !strings.ContainsAny(text, ",:<") && text != "OK" {
		return console.Usagef("this is neither a code nor a reply nor a kickback", "エラーコード、応答、決済結果通知のいずれでもありません")
	}
	e.explainReply([]byte(input))
	return nil
}

// queryIn returns the query of a kickback, if the text is a kickback: a URL, text after a
// question mark, or text that begins with a name and an equals sign, as no row does.
func queryIn(text string) (query string, ok bool) {
	if strings.HasPrefix(text, "http://") || strings.HasPrefix(text, "https://") || strings.HasPrefix(text, "?") || strings.HasPrefix(text, "/") {
		_, query, _ = strings.Cut(text, "?")
		query, _, _ = strings.Cut(query, "#")
		return query, true
	}
	name, _, ok := strings.Cut(text, "=")
	return text, ok && name != "" && !strings.ContainsAny(name, ",<: ")
}

// codeIn returns the code that the text is. An unlisted code is recognised by its form.
func codeIn(text string) (c jpayment.Code, ok bool) {
	text = strings.ToUpper(text)
	c = jpayment.Code(text)
	digits, isER := strings.CutPrefix(text, "ER")
	alnum := strings.Trim(text, "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ") == ""
	return c, c.Known() ||
		isER && len(digits) == 3 && strings.Trim(digits, "0123456789") == "" ||
		len(text) == 12 && text[0] == 'G' && alnum
}

func (e *explanation) explainCode(c jpayment.Code) {
	e.Code = newCodeRecord(c)
	for _, op := range []jpayment.Operation{jpayment.OpSales, jpayment.OpCancel, jpayment.OpReAuth} {
		outcome, next := c.Outcome(op), c.Next(op)
		if outcome == jpayment.OutcomeUnknown {
			next = jobtext.AfterUnknown(op, "jpayment "+jobtext.Operation(op).En+" PAYMENT")
		}
		last := len(e.After) - 1
		if last >= 0 && e.After[last].outcome == outcome && e.After[last].Next == next.En {
			e.After[last].Operations = append(e.After[last].Operations, op)
			continue
		}
		e.After = append(e.After, afterOutcome{[]jpayment.Operation{op}, outcome.String(), next.En, next.Ja, outcome})
	}
	e.Verdict, e.VerdictJa = e.Code.Message, e.Code.MessageJa
}

// fail records why the input is not what it looks like.
func (e *explanation) fail(err error, verdict, verdictJa string) {
	what := jpayment.WhatOf(err)
	e.Error, e.ErrorJa = what.En, what.Ja
	e.Verdict, e.VerdictJa = verdict, verdictJa
}

func (e *explanation) explainReply(body []byte) {
	e.Kind = "reply"
	res, err := jpayment.ParseReply(body)
	if err != nil {
		e.fail(err, "This does not count as an answer: the outcome of the request is unknown. Look the payment up in the control panel before you do anything else.",
			"応答を結果として扱えないため、リクエストの結果は不明です。何よりも先に管理画面で決済を確認してください。")
		return
	}
	e.Result = newResultRecord(res)
	switch res.Status {
	case jpayment.StatusAccepted:
		e.Verdict = "Accepted: the gateway accepted a ReAuth whose result follows by kickback. This says nothing about the payment."
		e.VerdictJa = "受付済みです。再オーソリの結果は決済結果通知で届きます。決済の成否はまだ分かりません。"
		return
	case jpayment.StatusFailed:
		e.explainCode(res.Code)
		if e.After[0].outcome == jpayment.OutcomeRefused {
			e.Verdict = "Refused: the gateway answered with " + string(res.Code) + "."
			e.VerdictJa = "拒否されました。決済ゲートウェイの応答は " + string(res.Code) + " です。"
		} else {
			e.Verdict = "Unknown: the gateway answered with " + string(res.Code) + " and may have lost track of the payment."
			e.VerdictJa = "結果は不明です。決済ゲートウェイの応答は " + string(res.Code) + " で、処理されたかどうか分かりません。"
		}
	default:
		e.Verdict = "Done: the gateway says that it carried out the request for payment " + named(console.English, res) + "."
		e.VerdictJa = "完了です。決済ゲートウェイは決済 " + named(console.Japanese, res) + "について処理したと応答しました。"
		e.addTestMode(res)
	}
	if res.PaymentID != "" { // A bare code has no columns.
		e.Columns = columns(e.lang, res, e.showPrivate)
	}
}

// named returns a payment's number and total.
func named(lang console.Lang, res *jpayment.Result) string {
	total := lang.In("total unknown", "合計金額なし")
	if n, given := res.Total.Int64(); given {
		total = fmt.Sprintf(lang.In("%d yen in total", "合計 %d 円"), n)
	}
	return fmt.Sprintf(lang.In("%s (%s)", "%s（%s）"), res.PaymentID, total)
}

func (e *explanation) addTestMode(res *jpayment.Result) {
	if res.TestMode() {
		e.Verdict += " But the store is in test mode: no money moved."
		e.VerdictJa += "ただし店舗がテストモードのため、実際の請求は発生していません。"
	}
}

func (e *explanation) explainKickback(query string) {
	e.Kind = "kickback"
	k, err := jpayment.ParseKickback(query)
	if err != nil {
		e.fail(err, "This does not count as a kickback. Look the payment up in the control panel.", "決済結果通知として扱えません。管理画面で確認してください。")
		return
	}
	e.Result = newResultRecord(&k.Result)
	switch k.Status {
	case jpayment.StatusSucceeded:
		e.Verdict = "The kickback says that payment " + named(console.English, &k.Result) + " succeeded."
		e.VerdictJa = "通知によれば、決済 " + named(console.Japanese, &k.Result) + "は成功しました。"
		e.addTestMode(&k.Result)
	case jpayment.StatusFailed:
		e.Verdict = "The kickback says that the payment failed."
		e.VerdictJa = "通知によれば、決済は失敗しました。"
		if k.Code != "" {
			e.Code = newCodeRecord(k.Code)
		}
	default:
		e.Verdict = "The kickback has a status that the specification does not define. It is not a success."
		e.VerdictJa = "仕様書にない決済結果です。成功ではありません。"
	}
	e.Verdict += " Kickbacks are not signed by the gateway, and this one is not verified here."
	e.VerdictJa += "決済ゲートウェイは通知に署名しません。ここでも検証していません。"
	e.Columns = columns(e.lang, &k.Result, e.showPrivate)
	if k.Signed() { // Never shown: anyone who sees a signature can use it again.
		e.Columns = append(e.Columns, column{"jpk", terms["jpk"].Ja, e.lang.Of(console.Hidden), e.lang.In("signature of the request, made by WithKickbackKey", "リクエストの署名（WithKickbackKey による）")})
	}
}

// write prints the explanation for a person.
func (e *explanation) write(w world) {
	out := w.stdout
	if len(e.Columns) > 0 {
		console.WriteTable(out, append([][]string{{e.lang.In("name", "名前"), e.lang.In("term", "項目"), e.lang.In("value", "値"), e.lang.In("meaning", "意味")}}, columnRows(e.Columns)...))
		fmt.Fprintln(out)
	}
	if e.Kind != "code" {
		m := console.Bad
		switch {
		case e.Error != "":
			m = console.Unsure
		case e.Result.Status == jpayment.StatusSucceeded.String():
			m = console.Good
		case e.Result.Status != jpayment.StatusFailed.String(),
			len(e.After) > 0 && e.After[0].outcome == jpayment.OutcomeUnknown:
			m = console.Unsure
		}
		fmt.Fprintf(out, "%s %s\n", w.console().OutMark(m), console.Printable(e.lang.In(e.Verdict, e.VerdictJa)))
		if e.Error != "" {
			fmt.Fprintf(out, "  %s\n", console.Printable(e.lang.In(e.Error, e.ErrorJa)))
		}
	}
	if e.Code == nil {
		return
	}
	if e.lang != console.Japanese {
		fmt.Fprintf(out, "%s  %s\n%s  %s\n", string(e.Code.Code), e.Code.Message, strings.Repeat(" ", len(e.Code.Code)), e.Code.MessageJa)
	} else {
		fmt.Fprintf(out, "%s  %s\n", string(e.Code.Code), e.Code.MessageJa)
	}
	rows := make([][]string, len(e.After))
	for i, a := range e.After {
		names := make([]string, len(a.Operations))
		for j, op := range a.Operations {
			names[j] = e.lang.Of(jobtext.Operation(op))
		}
		rows[i] = []string{strings.Join(names, e.lang.In(", ", "・")), e.lang.Of(a.outcome.Text()), e.lang.In(a.Next, a.NextJa)}
	}
	if len(rows) > 0 {
		console.WriteTable(out, rows)
	}
}

package cli

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/jpayment-go/jpayment"
	"github.com/jpayment-go/jpayment/cmd/jpayment/internal/console"
)

// operation is a command that sends one operation.
type operation struct {
	op      jpayment.Operation
	name    string // in Japanese
	command string // as typed
	extra   []string
	yes     bool
	json    bool
	replay  bool
	private []privateFlag
	request func(paymentID string, extra jpayment.Extra) jpayment.Request
	warning func(paymentID string) jpayment.Text // what the request will do
}

func newSalesCommand(lang console.Lang) *cobra.Command {
	o := &operation{
		op: jpayment.OpSales, command: "sales", name: "実売上",
		request: func(paymentID string, extra jpayment.Extra) jpayment.Request {
			return jpayment.SalesRequest{PaymentID: paymentID, Extra: extra}
		},
		warning: func(paymentID string) jpayment.Text {
			return console.Textf("This captures payment %s: the cardholder is charged.", "決済 %s を実売上にします。カード会員に請求されます。", paymentID)
		},
	}
	cmd := o.newCommand(lang,
		lang.In("Capture a payment (実売上)", "実売上（仮売上の決済を確定する）"),
		lang.In("Capture an authorised payment (仮売上) in full. The cardholder is charged.", "仮売上の決済を全額、実売上にします。カード会員に請求されます。"))
	cmd.Example = `  jpayment sales 10000001 --store 123456
  jpayment sales 10000001 --store 123456 --yes --json`
	o.addReplayFlag(cmd, lang)
	return cmd
}

func newCancelCommand(lang console.Lang) *cobra.Command {
	o := &operation{
		op: jpayment.OpCancel, command: "cancel", name: "取消",
		request: func(paymentID string, extra jpayment.Extra) jpayment.Request {
			return jpayment.CancelRequest{PaymentID: paymentID, Extra: extra}
		},
		warning: func(paymentID string) jpayment.Text {
			return console.Textf("This cancels payment %s in full.", "決済 %s を全額、取り消します。", paymentID)
		},
	}
	cmd := o.newCommand(lang,
		lang.In("Cancel a payment (取消)", "取消（決済を取り消す）"),
		lang.In(`Cancel an authorised or captured payment, always in full.

If you cancel a captured payment, the cardholder may be charged first and refunded later by
the card company. Tell the cardholder.`, `仮売上または実売上の決済を全額、取り消します。

実売上後の決済を取り消すと、カード会員に一度請求され、後日カード会社から返金される場合が
あります。カード会員にその旨をご案内ください。`))
	cmd.Example = `  jpayment cancel 10000001 --store 123456
  jpayment cancel 10000001 --store 123456 --retry-unknown`
	o.addReplayFlag(cmd, lang)
	return cmd
}

func newReAuthCommand(lang console.Lang) *cobra.Command {
	var (
		req          jpayment.ReAuthRequest
		email, phone string
	)
	o := &operation{
		op: jpayment.OpReAuth, command: "reauth", name: "再オーソリ",
		private: []privateFlag{{"--email", &email}, {"--phone", &phone}},
		request: func(paymentID string, extra jpayment.Extra) jpayment.Request {
			req.PaymentID, req.Extra = paymentID, extra
			req.Email, req.Phone = jpayment.NewSecret(email), jpayment.NewSecret(phone)
			return req
		},
		warning: func(paymentID string) jpayment.Text {
			return console.Textf("This cancels payment %s and authorises a new one of %s yen in total.", "決済 %s を取り消し、合計 %s 円の新しい決済（仮売上）を作成します。",
				paymentID, console.Grouped(req.Amount+req.Tax+req.Shipping))
		},
	}
	cmd := o.newCommand(lang,
		lang.In("Replace a payment with a new one for different amounts (再オーソリ)", "再オーソリ（金額の異なる新しい決済に替える）"),
		lang.In(`Cancel a payment and authorise a new one for the given amounts, in whole yen. The new
payment has a number of its own: capture that one.

All three amounts are required, so that a forgotten one is not charged as 0. The request is
sent once and never repeated.`, `決済を取り消し、指定した金額（円）で新しい決済（仮売上）を作成します。新しい決済には新しい決済番号が
付きます。以後はその決済を実売上にしてください。

金額は3つとも必要です。指定し忘れた金額が0円として決済されることを防ぐためです。
送信は1回だけで、再送することはありません。`))
	cmd.Example = `  jpayment reauth 10000001 --store 123456 --amount 1000 --tax 80 --shipping 500`
	f := cmd.Flags()
	f.Int64Var(&req.Amount, "amount", 0, lang.In("new price in yen (am)", "新しい決済金額、円（am）"))
	f.Int64Var(&req.Tax, "tax", 0, lang.In("new tax in yen (tx)", "新しい税額、円（tx）"))
	f.Int64Var(&req.Shipping, "shipping", 0, lang.In("new shipping cost in yen (sf)", "新しい送料、円（sf）"))
	f.StringVar(&email, "email", "", lang.In("cardholder's e-mail address (em), or @FILE or - to read it from a file or standard input", "カード会員のメールアドレス（em）。@FILE または - でファイルまたは標準入力から読む"))
	f.StringVar(&phone, "phone", "", lang.In("cardholder's telephone number without hyphens (pn), or @FILE or -", "カード会員の電話番号、ハイフンなし（pn）。@FILE または - も使える"))
	for _, amount := range []string{"amount", "tax", "shipping"} {
		if err := cmd.MarkFlagRequired(amount); err != nil { // It fails only for a flag that does not exist.
			panic(err)
		}
	}
	return cmd
}

// newCommand returns the command, with the flags and arguments that all operations share.
func (o *operation) newCommand(lang console.Lang, short, long string) *cobra.Command {
	cmd := &cobra.Command{
		Use:   o.command + " PAYMENT",
		Short: short,
		Long: long + lang.In(`

PAYMENT is the payment number (決済番号). The command shows what it will send and asks for
confirmation. Double the @ of a value that begins with one: @@value.

Exit status: 0 done, 1 refused or not sent, 2 usage error, 3 unknown: look the payment up in
the control panel before you do anything else.`, `

PAYMENT は決済番号です。送信する内容を表示し、確認を求めます。@ で始まる値は @ を2つ重ねて
（@@値）指定してください。

終了ステータスは、0 完了、1 拒否または未送信、2 使い方の誤り、3 不明（何よりも先に管理画面で決済を確認する）です。`),
		Args: oneArgument("PAYMENT"),
		RunE: func(cmd *cobra.Command, args []string) error { return o.run(cmd, args[0]) },
	}
	addSettingsFlags(cmd, lang)
	f := cmd.Flags()
	f.StringArrayVar(&o.extra, "extra", nil, lang.In("other data (その他データ) as key=value, or @FILE or - to read one per line from a file or standard input; can be repeated", "その他データ（key=value）。@FILE または - でファイルまたは標準入力から1行に1つずつ読む。繰り返し指定できる"))
	f.BoolVar(&o.yes, "yes", false, lang.In("do not ask for confirmation", "確認を求めない"))
	f.BoolVar(&o.json, "json", false, lang.In("write one JSON object to standard output, everything else to standard error", "標準出力にJSONを1つ出力し、ほかは標準エラー出力に出す"))
	f.Bool("production-only", false, lang.In("do not count an approval in test mode as done, since no money moves [JPAYMENT_PRODUCTION_ONLY]", "テストモードの承認（実際の請求は発生しない）を完了とみなさない [JPAYMENT_PRODUCTION_ONLY]"))
	return cmd
}

func (o *operation) addReplayFlag(cmd *cobra.Command, lang console.Lang) {
	cmd.Flags().BoolVar(&o.replay, "retry-unknown", false, lang.In("send the request again if the outcome is unknown", "結果が不明なら再送する"))
}

// run carries out the operation and reports the outcome.
func (o *operation) run(cmd *cobra.Command, paymentID string) error {
	r := report{Console: worldOf(cmd).console(), op: o, paymentID: paymentID, flags: sendingFlags(cmd)}
	res, err := o.carryOut(cmd, paymentID)
	return r.write(res, err)
}

func (o *operation) carryOut(cmd *cobra.Command, paymentID string) (*jpayment.Result, error) {
	ctx, c := cmd.Context(), worldOf(cmd).console()
	s, err := readSettings(cmd)
	if err != nil {
		return nil, err
	}
	if s.store == "" {
		return nil, noStore()
	}
	in := sources{stdin: c.Stdin}
	for _, p := range o.private {
		if *p.value, err = in.value(p.flag, *p.value); err != nil {
			return nil, err
		}
	}
	pairs, err := in.pairs(o.extra)
	if err != nil {
		return nil, err
	}
	if in.taken && !o.yes {
		return nil, notConfirmable()
	}
	extra, err := parseExtra(pairs)
	if err != nil {
		return nil, err
	}
	client, err := jpayment.NewClient(s.store, append(s.options(), jpayment.WithRetry(jpayment.RetryPolicy{ReplayUnknown: o.replay}))...)
	if err != nil {
		return nil, err
	}
	request := o.request(paymentID, extra)
	address, parameters, err := preview(ctx, c.Lang, client, o.op, request)
	if err != nil {
		return nil, err
	}
	fmt.Fprintf(c.Stderr, "POST %s\n", address)
	console.WriteTable(c.Stderr, parameters)
	fmt.Fprintln(c.Stderr, c.Lang.Of(o.warning(paymentID)))
	if !o.yes {
		if err := c.Confirm(ctx); err != nil {
			return nil, err
		}
	}
	return send(ctx, client, request)
}

// send sends a request.
func send(ctx context.Context, g jpayment.Gateway, r jpayment.Request) (*jpayment.Result, error) {
	switch r := r.(type) {
	case jpayment.SalesRequest:
		return g.Sales(ctx, r)
	case jpayment.CancelRequest:
		return g.Cancel(ctx, r)
	case jpayment.ReAuthRequest:
		return g.ReAuth(ctx, r)
	default: // There is no other.
		panic(fmt.Sprintf("a request of type %T", r))
	}
}

func noStore() error {
	return console.Usagef("no store ID: give --store, JPAYMENT_STORE, or store in the configuration file",
		"店舗IDがありません。--store、JPAYMENT_STORE、または設定ファイルの store で指定してください")
}

// parseExtra parses key=value pairs. Its errors give the position of a pair and do not
// quote it.
func parseExtra(pairs []string) (jpayment.Extra, error) {
	extra := map[string]string{}
	for i, pair := range pairs {
		key, value, ok := strings.Cut(pair, "=")
		if !ok {
			return jpayment.Extra{}, console.Usagef("--extra number %d is not key=value", "%d番目の --extra が key=value ではありません", i+1)
		}
		if _, repeated := extra[key]; repeated {
			return jpayment.Extra{}, console.Usagef("--extra number %d repeats a key", "%d番目の --extra のキーが重複しています", i+1)
		}
		extra[key] = value
	}
	return jpayment.NewExtra(extra), nil
}

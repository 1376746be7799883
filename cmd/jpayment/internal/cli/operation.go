package cli

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/jpayment-go/jpayment"
	"github.com/jpayment-go/jpayment/cmd/jpayment/internal/console"
)

// operation is one that moves money, as the command line has it.
type operation struct {
	op      jpayment.Operation
	name    string // in Japanese
	command string // as it is typed
	extra   []string
	yes     bool
	json    bool
	replay  bool
	private []privateFlag
	request func(paymentID string, extra jpayment.Extra) jpayment.Request
	warning func(paymentID string) jpayment.Text // what it will do
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
		lang.In("Capture an authorised payment (仮売上) in whole. The cardholder is charged.", "仮売上の決済を全額、実売上にします。カード会員に請求されます。"))
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
			return console.Textf("This cancels payment %s, the whole of it.", "決済 %s を全額、取り消します。", paymentID)
		},
	}
	cmd := o.newCommand(lang,
		lang.In("Cancel a payment (取消)", "取消（決済を取り消す）"),
		lang.In(`Cancel a payment, authorised or captured, always in whole.

Cancelling a captured payment may bill the cardholder first: the card company refunds
later. Tell the cardholder so.`, `仮売上または実売上の決済を全額、取り消します。

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
			return console.Textf("This cancels payment %s and authorises a new one of %s yen in all.", "決済 %s を取り消し、合計 %s 円の新しい決済（仮売上）を作成します。",
				paymentID, console.Grouped(req.Amount+req.Tax+req.Shipping))
		},
	}
	cmd := o.newCommand(lang,
		lang.In("Replace a payment by a new one at other amounts (再オーソリ)", "再オーソリ（金額を訂正した新しい決済に替える）"),
		lang.In(`Cancel a payment and authorise a new one at the amounts given, which are whole yen. The
new payment has a number of its own: capture that one.

All three amounts are required, so that a forgotten one is not charged as 0. It is sent
once and never repeated.`, `決済を取り消し、指定した金額（円）で新しい決済（仮売上）を作成します。新しい決済には新しい決済番号が
付きます。以後はその決済を実売上にしてください。

金額は3つとも必要です。忘れた金額が0円として決済されることを防ぐためです。
送信は1回だけで、再送することはありません。`))
	cmd.Example = `  jpayment reauth 10000001 --store 123456 --amount 1000 --tax 80 --shipping 500`
	f := cmd.Flags()
	f.Int64Var(&req.Amount, "amount", 0, lang.In("new price in yen (am)", "新しい決済金額、円（am）"))
	f.Int64Var(&req.Tax, "tax", 0, lang.In("new tax in yen (tx)", "新しい税額、円（tx）"))
	f.Int64Var(&req.Shipping, "shipping", 0, lang.In("new shipping cost in yen (sf)", "新しい送料、円（sf）"))
	f.StringVar(&email, "email", "", lang.In("the cardholder's e-mail address (em), or @FILE or - to read it from a file or standard input", "カード会員のメールアドレス（em）。@FILE または - でファイルまたは標準入力から読む"))
	f.StringVar(&phone, "phone", "", lang.In("the cardholder's telephone number without hyphens (pn), or @FILE or -", "カード会員の電話番号、ハイフンなし（pn）。@FILE または - も使える"))
	for _, amount := range []string{"amount", "tax", "shipping"} {
		if err := cmd.MarkFlagRequired(amount); err != nil { // It fails for a flag that is not there.
			panic(err)
		}
	}
	return cmd
}

// newCommand returns the command with what all operations share.
func (o *operation) newCommand(lang console.Lang, short, long string) *cobra.Command {
	cmd := &cobra.Command{
		Use:   o.command + " PAYMENT",
		Short: short,
		Long: long + lang.In(`

PAYMENT is the payment number (決済番号). What will be sent is shown, and has to be
confirmed. A value that begins with @ is given with two: @@value. Exit status: 0 done, 1 refused or not sent, 2 wrong usage, 3 unknown: look
the payment up in the control panel before anything else.`, `

PAYMENT は決済番号です。送信する内容を表示し、確認を求めます。@ で始まる値は @ を2つ重ねて
（@@値）指定してください。終了ステータスは、0 完了、
1 拒否または未送信、2 使い方の誤り、3 不明（何よりも先に管理画面で決済を確認する）です。`),
		Args: oneArgument("PAYMENT"),
		RunE: func(cmd *cobra.Command, args []string) error { return o.run(cmd, args[0]) },
	}
	addSettingsFlags(cmd, lang)
	f := cmd.Flags()
	f.StringArrayVar(&o.extra, "extra", nil, lang.In("other data (その他データ) as key=value, or @FILE or - for a file or standard input with one in each line; may be repeated", "その他データ（key=value）。@FILE または - でファイルまたは標準入力から1行に1つずつ読む。繰り返し指定できる"))
	f.BoolVar(&o.yes, "yes", false, lang.In("do not ask", "確認を求めない"))
	f.BoolVar(&o.json, "json", false, lang.In("one JSON object on standard output, all else on standard error", "標準出力にJSONを1つ出力し、ほかは標準エラー出力に出す"))
	f.Bool("production-only", false, lang.In("do not count an approval in test mode, in which no money moves, as done [JPAYMENT_PRODUCTION_ONLY]", "テストモードの承認（実際の請求は発生しない）を完了とみなさない [JPAYMENT_PRODUCTION_ONLY]"))
	return cmd
}

func (o *operation) addReplayFlag(cmd *cobra.Command, lang console.Lang) {
	cmd.Flags().BoolVar(&o.replay, "retry-unknown", false, lang.In("send it again if the outcome is unknown", "結果が不明なら再送する"))
}

// run carries the operation out and tells what came of it.
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
	return console.Usagef("no store: give --store, JPAYMENT_STORE, or store in the configuration file",
		"店舗IDがありません。--store、JPAYMENT_STORE、または設定ファイルの store で指定してください")
}

// parseExtra reads key=value pairs. Its errors count them and show none.
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

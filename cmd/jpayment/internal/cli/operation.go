package cli

import (
	"context"
	"fmt"
	"log/slog"
	"strings"

	"github.com/spf13/cobra"

	"github.com/jpayment-go/jpayment"
)

// operation is one that moves money, as the command line has it.
type operation struct {
	op      jpayment.Operation
	name    string // in Japanese
	extra   []string
	yes     bool
	json    bool
	replay  bool
	do      func(paymentID string, extra jpayment.Extra) call
	warning func(lang, paymentID string) string // what it will do
}

func newSalesCommand(lang string) *cobra.Command {
	o := &operation{
		op: jpayment.OpSales, name: "実売上",
		do: func(paymentID string, extra jpayment.Extra) call {
			return func(ctx context.Context, g jpayment.Gateway) (*jpayment.Result, error) {
				return g.Sales(ctx, jpayment.SalesRequest{PaymentID: paymentID, Extra: extra})
			}
		},
		warning: func(lang, paymentID string) string {
			return fmt.Sprintf(in(lang, "This captures payment %s: the cardholder is charged.", "決済 %s を実売上します。カード会員に請求されます。"), paymentID)
		},
	}
	cmd := o.command(lang, "sales",
		in(lang, "Capture a payment (実売上)", "実売上（仮売上の決済を確定する）"),
		in(lang, "Capture an authorised payment (仮売上) in whole. The cardholder is charged.", "仮売上の決済を全額、実売上にします。カード会員に請求されます。"))
	cmd.Example = `  jpayment sales 10000001 --store 123456
  jpayment sales 10000001 --store 123456 --yes --json`
	o.addReplayFlag(cmd, lang)
	return cmd
}

func newCancelCommand(lang string) *cobra.Command {
	o := &operation{
		op: jpayment.OpCancel, name: "取消",
		do: func(paymentID string, extra jpayment.Extra) call {
			return func(ctx context.Context, g jpayment.Gateway) (*jpayment.Result, error) {
				return g.Cancel(ctx, jpayment.CancelRequest{PaymentID: paymentID, Extra: extra})
			}
		},
		warning: func(lang, paymentID string) string {
			return fmt.Sprintf(in(lang, "This cancels payment %s, the whole of it.", "決済 %s を全額、取り消します。"), paymentID)
		},
	}
	cmd := o.command(lang, "cancel",
		in(lang, "Cancel a payment (取消)", "取消（決済を取り消す）"),
		in(lang, `Cancel a payment, authorised or captured, always in whole.

Cancelling a captured payment may bill the cardholder first: the card company refunds
later. Tell the cardholder so.`, `仮売上または実売上の決済を全額、取り消します。

実売上後の決済を取り消すと、カード会員に一度請求され、後日カード会社から返金される場合が
あります。カード会員にその旨をご案内ください。`))
	cmd.Example = `  jpayment cancel 10000001 --store 123456
  jpayment cancel 10000001 --store 123456 --retry-unknown`
	o.addReplayFlag(cmd, lang)
	return cmd
}

func newReAuthCommand(lang string) *cobra.Command {
	var req jpayment.ReAuthRequest
	o := &operation{
		op: jpayment.OpReAuth, name: "再オーソリ",
		do: func(paymentID string, extra jpayment.Extra) call {
			req.PaymentID, req.Extra = paymentID, extra
			return func(ctx context.Context, g jpayment.Gateway) (*jpayment.Result, error) {
				return g.ReAuth(ctx, req)
			}
		},
		warning: func(lang, paymentID string) string {
			return fmt.Sprintf(in(lang, "This cancels payment %s and authorises a new one of %d yen in all.", "決済 %s を取り消し、合計 %d 円の新しい決済を仮売上します。"),
				paymentID, req.Amount+req.Tax+req.Shipping)
		},
	}
	cmd := o.command(lang, "reauth",
		in(lang, "Replace a payment by a new one at other amounts (再オーソリ)", "再オーソリ（金額を訂正した新しい決済に替える）"),
		in(lang, `Cancel a payment and authorise a new one at the amounts given, which are whole yen. The
new payment has a number of its own: capture that one.

All three amounts must be given, for one that was forgotten would be charged as 0.
It is sent once and never repeated.`, `決済を取り消し、指定した金額（円）で新しい決済を仮売上します。新しい決済には新しい決済番号が
付きます。以後はその決済を実売上してください。

金額は3つとも必要です。忘れた金額が0円として決済されることを防ぐためです。
送信は1回だけで、再送することはありません。`))
	cmd.Example = `  jpayment reauth 10000001 --store 123456 --amount 1000 --tax 80 --shipping 500`
	f := cmd.Flags()
	f.Int64Var(&req.Amount, "amount", 0, in(lang, "new price in yen (am)", "新しい決済金額、円（am）"))
	f.Int64Var(&req.Tax, "tax", 0, in(lang, "new tax in yen (tx)", "新しい税額、円（tx）"))
	f.Int64Var(&req.Shipping, "shipping", 0, in(lang, "new shipping cost in yen (sf)", "新しい送料、円（sf）"))
	f.StringVar(&req.Email, "email", "", in(lang, "the cardholder's e-mail address (em)", "カード会員のメールアドレス（em）"))
	f.StringVar(&req.Phone, "phone", "", in(lang, "the cardholder's telephone number without hyphens (pn)", "カード会員の電話番号、ハイフンなし（pn）"))
	for _, amount := range []string{"amount", "tax", "shipping"} {
		if err := cmd.MarkFlagRequired(amount); err != nil { // It fails for a flag that is not there.
			panic(err)
		}
	}
	return cmd
}

// command returns the command with what all operations share.
func (o *operation) command(lang, name, short, long string) *cobra.Command {
	cmd := &cobra.Command{
		Use:   name + " PAYMENT",
		Short: short,
		Long: long + in(lang, `

PAYMENT is the payment number (決済番号). What will be sent is shown, and has to be
confirmed. Exit status: 0 done, 1 refused or not sent, 2 wrong usage, 3 unknown: look
the payment up in the control panel before anything else.`, `

PAYMENT は決済番号です。送信する内容を表示し、確認を求めます。終了ステータスは、0 完了、
1 拒否または未送信、2 使い方の誤り、3 不明（何よりも先に管理画面で決済を確認する）です。`),
		Args: oneArgument("PAYMENT"),
		RunE: func(cmd *cobra.Command, args []string) error { return o.run(cmd, args[0]) },
	}
	addSettingsFlags(cmd, lang)
	f := cmd.Flags()
	f.StringArrayVar(&o.extra, "extra", nil, in(lang, "other data (その他データ) as key=value; may be repeated", "その他データ（key=value）。繰り返し指定できる"))
	f.BoolVar(&o.yes, "yes", false, in(lang, "do not ask", "確認を求めない"))
	f.BoolVar(&o.json, "json", false, in(lang, "one JSON object on standard output, all else on standard error", "標準出力にJSONを1つ出力し、ほかは標準エラー出力に出す"))
	f.Bool("production-only", false, in(lang, "let an approval in test mode, by which no money moves, not count as done [JPAYMENT_PRODUCTION_ONLY]", "テストモードの承認（お金は動かない）を完了とみなさない [JPAYMENT_PRODUCTION_ONLY]"))
	return cmd
}

func (o *operation) addReplayFlag(cmd *cobra.Command, lang string) {
	cmd.Flags().BoolVar(&o.replay, "retry-unknown", false, in(lang, "send it again if the outcome is unknown", "結果が不明なら再送する"))
}

// run carries the operation out and tells what came of it.
func (o *operation) run(cmd *cobra.Command, paymentID string) error {
	r := report{world: worldOf(cmd), lang: language(cmd), op: o, paymentID: paymentID}
	res, err := o.carryOut(cmd, paymentID, &r.attempts)
	return r.write(res, err)
}

func (o *operation) carryOut(cmd *cobra.Command, paymentID string, attempts *counter) (*jpayment.Result, error) {
	w, lang := worldOf(cmd), language(cmd)
	s, err := readSettings(cmd)
	if err != nil {
		return nil, err
	}
	if s.store == "" {
		return nil, usageError(noStore(lang))
	}
	extra, err := parseExtra(lang, o.extra)
	if err != nil {
		return nil, err
	}
	do := o.do(paymentID, extra)
	sending, err := rehearse(cmd.Context(), s, do)
	if err != nil {
		return nil, err
	}
	fmt.Fprintf(w.stderr, "POST %s\n", sending.url)
	writeTable(w.stderr, sending.rows(lang))
	fmt.Fprintln(w.stderr, o.warning(lang, paymentID))
	if !o.yes {
		if err := w.console(lang).Confirm(cmd.Context()); err != nil {
			return nil, err
		}
	}
	client, err := jpayment.NewClient(s.store, append(s.options(),
		jpayment.WithRetry(jpayment.RetryPolicy{ReplayUnknown: o.replay}),
		jpayment.WithLogger(slog.New(attempts)))...)
	if err != nil {
		return nil, err
	}
	return do(cmd.Context(), client)
}

func noStore(lang string) string {
	return in(lang, "no store: give --store, JPAYMENT_STORE, or store in the configuration file",
		"店舗IDがありません。--store、JPAYMENT_STORE、または設定ファイルの store で指定してください")
}

// parseExtra reads key=value pairs. Its errors count them and show none.
func parseExtra(lang string, pairs []string) (jpayment.Extra, error) {
	extra := jpayment.Extra{}
	for i, pair := range pairs {
		key, value, ok := strings.Cut(pair, "=")
		if !ok {
			return nil, usageError(fmt.Sprintf(in(lang, "--extra number %d is not key=value", "%d番目の --extra が key=value ではありません"), i+1))
		}
		if _, repeated := extra[key]; repeated {
			return nil, usageError(fmt.Sprintf(in(lang, "--extra number %d repeats a key", "%d番目の --extra のキーが重複しています"), i+1))
		}
		extra[key] = value
	}
	return extra, nil
}

// counter is a log handler that counts attempts: the client writes one record for
// each.
type counter struct{ n int }

func (c *counter) Enabled(context.Context, slog.Level) bool { return true }

func (c *counter) Handle(context.Context, slog.Record) error { c.n++; return nil }

func (c *counter) WithAttrs([]slog.Attr) slog.Handler { return c }

func (c *counter) WithGroup(string) slog.Handler { return c }

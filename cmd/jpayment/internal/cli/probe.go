package cli

import (
	"fmt"
	"net"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/jpayment-go/jpayment/cmd/jpayment/internal/console"
	"github.com/jpayment-go/jpayment/cmd/jpayment/internal/probe"
)

func newProbeCommand(lang console.Lang) *cobra.Command {
	var (
		r            probe.Run
		list, listen string
	)
	cmd := &cobra.Command{
		Use:   "probe [PAYMENT...]",
		Short: lang.In("Test the assumptions about the gateway at a store in test mode", "テストモードの店舗で、ゲートウェイについての前提を検証する"),
		Long: lang.In(`Test the assumptions about the gateway in docs/protocol.md at a store in test mode.
Authorise test payments first; without any, the command lists the ones it can use. Give them
in a CSV file (--payments) with the columns payment, kind, order and amount, or plain ones as
arguments.

The command shows what it will do to each payment and asks for confirmation. The first
request for a payment is a cancellation. Unless it, or the capture after it, is approved as
a test, nothing else is sent. Requests are sent one at a time, and each is written to a
journal first. So after Ctrl-C or a kill, the same command continues where it stopped, and
sends nothing twice.

With --listen, the command also experiments with kickbacks: set the store's 決済結果通知URL
to a server that forwards them to that address.

The report is written as Markdown and as JSON, without the store ID and private data. The
JSON is a profile for jpayment simulate and jpayment doctor.

Exit status: 0 everything was tried that the payments allow, 1 the probe ended early,
2 usage error.`,
			`docs/protocol.ja.md にあるゲートウェイについての前提を、テストモードの店舗で検証します。事前にテスト用の
決済を仮売上にしてください。決済を指定しないで実行すると、使用できる決済の一覧を表示します。決済は、
決済番号・種類・店舗オーダー番号・金額 の列がある CSV ファイル（--payments）、または引数（種類は「通常」）
で指定します。

各決済に対して行う操作を表示し、確認を求めます。決済に対する最初のリクエストは取消です。取消、または
続く実売上がテストモードの承認でなければ、それ以上は送信しません。リクエストは1件ずつ送信し、送信前に
記録するため、Ctrl-C や強制終了で中断しても、同じコマンドで続きから再開し、二重に送信しません。

--listen を指定すると、決済結果通知についても検証します。店舗の決済結果通知URLに届く通知が、このアドレス
に転送されるように設定してください。

レポートは Markdown と JSON で書き出します。店舗IDと個人情報は含みません。JSON は jpayment simulate と
jpayment doctor のプロファイルとして使えます。

終了ステータスは、0 指定した決済でできることをすべて検証した、1 途中で終了した、2 使い方の誤り です。`),
		Example: `  jpayment probe
  jpayment probe --payments payments.csv --store 123456
  jpayment probe --payments payments.csv --store 123456 --listen 127.0.0.1:8081 --watch 40m
  jpayment probe 10000001 10000002 --store 123456 --url http://127.0.0.1:8080 --yes --pause 0s`,
		RunE: func(cmd *cobra.Command, args []string) error { return runProbe(cmd, r, list, listen, args) },
	}
	addSettingsFlags(cmd, lang)
	f := cmd.Flags()
	f.StringVar(&list, "payments", "", lang.In("CSV file of the test payments", "テスト用の決済の CSV ファイル"))
	f.StringVar(&listen, "listen", "", lang.In("address and port on which to receive kickbacks", "決済結果通知を受信するアドレスとポート"))
	r.Watch, r.Pause = 3*time.Minute, 2*time.Second
	f.Var(timeFlag{&r.Watch}, "watch", lang.In("how long to wait for repeated kickbacks; defaults to 3m; 40m covers all assumed repetitions", "決済結果通知の再送を待つ時間。既定は 3m。40m なら想定される再送をすべて確認できる"))
	f.Var(timeFlag{&r.Pause}, "pause", lang.In("time between two requests; defaults to 2s", "リクエストの間隔。既定は 2s"))
	f.StringVar(&r.Out, "out", "jpayment-probe", lang.In("prefix of the names of the journal and the report; defaults to jpayment-probe", "記録とレポートのファイル名の先頭。既定は jpayment-probe"))
	f.BoolVar(&r.Yes, "yes", false, lang.In("do not ask for confirmation", "確認を求めない"))
	return cmd
}

// probeTimeout is the default timeout of a request. It is longer than the gateway is
// assumed to take.
const probeTimeout = 2 * time.Minute

func runProbe(cmd *cobra.Command, r probe.Run, list, listen string, numbers []string) (err error) {
	ctx := cmd.Context()
	r.Console = worldOf(cmd).console()
	switch {
	case list != "" && len(numbers) > 0:
		return console.Usagef("payments are given both by --payments and as arguments: use only one", "決済が --payments と引数の両方で指定されています。どちらか一方にしてください")
	case list != "":
		r.Payments, err = probe.ReadPayments(list)
	case len(numbers) > 0:
		r.Payments, err = probe.TypedPayments(numbers)
	default:
		fmt.Fprintln(r.Console.Stdout, r.Console.Lang.In("Authorise these test payments, or some of them, and give them with --payments (plain ones also as arguments):",
			"次のテスト用の決済（一部でも可）を仮売上にし、--payments で指定してください（種類が「通常」のものは引数でも指定できます）:"))
		console.WriteTable(r.Console.Stdout, probe.Needs(r.Console.Lang))
		return nil
	}
	if err != nil {
		return err
	}
	s, err := readSettings(cmd)
	if err != nil {
		return err
	}
	if s.store == "" {
		return noStore()
	}
	if r.Timeout = s.timeout; r.Timeout == 0 {
		r.Timeout = probeTimeout
	}
	r.Store, r.Options, r.Auth = s.store, s.options(), s.connectionAuth
	client, err := s.workClient()
	if err != nil {
		return wrongFields(err)
	}
	if r.Gateway, err = gatewayAddress(ctx, client); err != nil {
		return err
	}
	r.Again = "jpayment probe"
	for _, number := range numbers {
		r.Again += " " + number
	}
	cmd.Flags().Visit(func(f *pflag.Flag) {
		r.Again += " --" + f.Name
		if f.Value.Type() != "bool" {
			r.Again += " " + shellWord(f.Value.String())
		}
	})
	if listen != "" {
		if r.Kickbacks, err = (&net.ListenConfig{}).Listen(ctx, "tcp", listen); err != nil {
			return notListening("--listen", listen, err)
		}
		defer r.Kickbacks.Close() //nolint:errcheck // It may be closed already.
	}
	return r.Do(ctx)
}

// timeFlag is a flag for a time that is not negative.
type timeFlag struct{ *time.Duration }

func (f timeFlag) Type() string { return "string" }

func (f timeFlag) Set(s string) error {
	d, err := time.ParseDuration(s)
	if err != nil || d < 0 {
		return console.Usagef("must be a time such as 30s or 3m", "には 30s や 3m のような時間を指定してください")
	}
	*f.Duration = d
	return nil
}

package cli

import (
	"errors"
	"log/slog"
	"net"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/jpayment-go/jpayment/cmd/jpayment/internal/console"
	"github.com/jpayment-go/jpayment/cmd/jpayment/internal/localpage"
	"github.com/jpayment-go/jpayment/cmd/jpayment/internal/simulator"
	"github.com/jpayment-go/jpayment/internal/assumed"
)

// controlTokenVariable names the control token. It has no flag, since everyone on the
// machine can see the arguments of a process.
const controlTokenVariable = "JPAYMENT_CONTROL_TOKEN"

func newSimulateCommand(lang console.Lang) *cobra.Command {
	var (
		config      simulator.Config
		profilePath string
		set         []string
	)
	cmd := &cobra.Command{
		Use:   "simulate",
		Short: lang.In("Run a simulated gateway with a control panel and an API for tests", "管理画面とテスト用 API を備えた決済ゲートウェイのシミュレーターを起動する"),
		Long: lang.In(`Run a simulated gateway for clients in any language, at the paths of the real one, with
a control panel for people and a JSON API for test set-ups. No card is charged, no money
moves, and nothing leaves this machine.

The simulator runs until SIGINT or SIGTERM. With --state, its books survive, even if it is
killed. Where the vendor's specification does not define the gateway's behaviour, set it
with --set or --profile, in the panel or through the API; docs/simulator.md lists the
settings. With JPAYMENT_CONNECTION_AUTH, the store authenticates requests by that code.

The panel and the API can be reached only from this machine. To listen on another address,
set `+controlTokenVariable+`, which is then their password (16 bytes or more).`,
			`本番の決済ゲートウェイと同じパスで応答するシミュレーターを起動します。どの言語のクライアントからでも
利用でき、管理画面とテスト用の JSON API があります。実際のカード決済は行われず、このマシンの外には
何も送信しません。

SIGINT または SIGTERM で終了します。--state を指定すると、強制終了しても決済の記録が残ります。
接続仕様書で決まっていない動作は、--set、--profile、管理画面、API で設定できます。設定の一覧は
docs/simulator.ja.md にあります。JPAYMENT_CONNECTION_AUTH を設定すると、そのコードで接続認証を行います。

管理画面と API はこのマシン専用です。ほかのアドレスで待ち受けるには `+controlTokenVariable+` を
設定してください。その値（16バイト以上）が管理画面と API のパスワードになります。`),
		Example: `  jpayment simulate
  jpayment simulate --listen 127.0.0.1:9090 --state books.db
  jpayment simulate --set request_charset=shift_jis --set reply_charset=shift_jis
  JPAYMENT_CONTROL_TOKEN=$(openssl rand -hex 16) jpayment simulate --listen 0.0.0.0:8080`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			config.Token = worldOf(cmd).env(controlTokenVariable)
			config.ConnectionAuth = worldOf(cmd).env("JPAYMENT_CONNECTION_AUTH")
			var err error
			if config.Profile, err = readProfile(profilePath); err != nil {
				return err
			}
			if config.Set, err = readSet(set); err != nil {
				return err
			}
			if cmd.Flag("lang").Changed {
				config.Language = string(language(cmd))
			}
			config.Log = slog.New(slog.NewTextHandler(cmd.ErrOrStderr(), nil))
			return simulate(cmd, config)
		},
	}
	f := cmd.Flags()
	f.StringVar(&config.Listen, "listen", "", lang.In("address and port to listen on; defaults to 127.0.0.1:8080; port 0 picks a free port", "待ち受けるアドレスとポート。既定は 127.0.0.1:8080。ポート 0 は空きポート"))
	f.StringVar(&config.State, "state", "", lang.In("SQLite file for the books; without it they are kept in memory", "決済の記録を保存する SQLite ファイル。省略時はメモリ上"))
	f.IntVar(&config.Payments, "payments", 0, lang.In("create N payments of 1,580 yen to try things out, up to 10,000, unless there are payments already; their numbers begin at 10000001", "動作確認用の決済（各1,580円）をこの件数（10,000まで）だけ作成する。すでに決済があれば作成しない。決済番号は 10000001 から"))
	f.StringVar(&config.StoreID, "store", "", lang.In("store ID (aid), six digits; defaults to 123456", "店舗ID（aid）、半角数字6桁。既定は 123456"))
	f.StringVar(&profilePath, "profile", "", lang.In("JSON file of measurements from a store; behave like that store", "店舗の測定結果（JSON）。その店舗と同じように動作する"))
	f.StringArrayVar(&set, "set", nil, lang.In("setting as NAME=VALUE, such as columns=14; can be repeated", "設定の NAME=VALUE（columns=14 など）。複数回指定できる"))
	f.Int64Var(&config.Seed, "seed", 1, lang.In("random seed for faults with a probability", "確率で発生する障害の乱数シード"))
	completions := []string{}
	for _, s := range assumed.Settings() {
		completions = append(completions, s.Key+"="+s.Default, s.Key+"="+s.Flip)
	}
	complete(cmd, "set", completions...)
	return cmd
}

// readSet parses the arguments of --set.
func readSet(arguments []string) (all []simulator.Setting, err error) {
	for _, argument := range arguments {
		name, value, found := strings.Cut(argument, "=")
		if !found {
			return nil, console.Usagef("--set %s is not NAME=VALUE", "--set %s は NAME=VALUE ではありません", argument)
		}
		one := simulator.Setting{Name: name, Value: value}
		if err := simulator.CheckSetting(one); err != nil {
			return nil, console.Usagef("--set %s", "--set %s", console.What(err))
		}
		all = append(all, one)
	}
	return all, nil
}

func simulate(cmd *cobra.Command, config simulator.Config) error {
	if config.Listen == "" {
		config.Listen = "127.0.0.1:8080"
	}
	if config.StoreID != "" && (len(config.StoreID) != 6 || strings.Trim(config.StoreID, "0123456789") != "") {
		return console.Usagef("--store must be six digits", "--store には半角数字6桁を指定してください")
	}
	if config.Payments < 0 || config.Payments > maxPayments {
		return console.Usagef("--payments must be between 0 and %[1]s", "--payments には0から%[1]sまでの整数を指定してください", console.Grouped(maxPayments))
	}
	s, err := simulator.Open(cmd.Context(), config)
	if err != nil {
		return notSimulating(config, err)
	}
	if err := s.Announce(cmd.OutOrStdout(), string(language(cmd))); err != nil {
		return errors.Join(err, s.Close())
	}
	return s.Run(cmd.Context())
}

// maxPayments is the most payments that the simulator creates.
const maxPayments = 10_000

// notSimulating returns the error of a simulator that cannot start.
func notSimulating(config simulator.Config, err error) error {
	var listening *net.OpError
	switch {
	case errors.Is(err, localpage.ErrNoToken):
		return noToken(config.Listen)
	case errors.Is(err, localpage.ErrShortToken):
		return shortToken()
	case errors.As(err, &listening):
		return notListening("--listen", config.Listen, err)
	default:
		return console.Failedf("--state %s: %s", "--state %s: %s", config.State, console.What(err))
	}
}

// noToken is the error of an address that other machines can reach, and shortToken that of
// a token that can be guessed.
func noToken(listen string) error {
	return console.Usagef("--listen %s can be reached from other machines: set "+controlTokenVariable,
		"--listen %s はほかのマシンから接続できます。"+controlTokenVariable+" を設定してください", listen)
}

func shortToken() error {
	return console.Usagef(controlTokenVariable+": %s", controlTokenVariable+": %s", console.What(localpage.ErrShortToken))
}

// notListening returns the error of a flag whose address cannot be listened on.
func notListening(flag, address string, err error) error {
	var (
		wrong *net.AddrError
		dns   *net.DNSError
	)
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return console.Failedf("%[2]s is in use by another program: choose another port with %[1]s; %[1]s 127.0.0.1:0 picks a free one",
			"%[2]s は別のプログラムが使用中です。%[1]s で別のポートを指定してください（%[1]s 127.0.0.1:0 なら空きポートを使います）", flag, address)
	case errors.As(err, &wrong), errors.As(err, &dns):
		return console.Usagef("%s: %s", "%s: %s", flag, console.What(err))
	default:
		return console.Failedf("%s %s: %s", "%s %s: %s", flag, address, console.Reason(err))
	}
}

package cli

import (
	"errors"
	"log/slog"

	"github.com/spf13/cobra"

	"github.com/jpayment-go/jpayment/cmd/jpayment/internal/simulator"
)

// controlTokenVariable names the control token. It has no flag: the arguments of a
// process are for everybody to see.
const controlTokenVariable = "JPAYMENT_CONTROL_TOKEN"

func newSimulateCommand(lang string) *cobra.Command {
	var config simulator.Config
	cmd := &cobra.Command{
		Use:   "simulate",
		Short: in(lang, "Run a simulated gateway with a control panel and an API for tests", "管理画面とテスト用 API を備えた決済ゲートウェイのシミュレーターを起動する"),
		Long: in(lang, `Run a simulated gateway for clients in any language, at the paths of the real one, with
a control panel for people and a JSON API for test set-ups. No card and no money is
involved, and nothing leaves this machine.

It ends at SIGINT or SIGTERM. With --state, its books outlive it, even if it is killed.
Panel and API are for this machine only; to listen elsewhere, set `+controlTokenVariable+`,
which then is their password.`,
			`実際のゲートウェイと同じパスで応答するシミュレーターを起動します。どの言語のクライアントからでも
利用でき、管理画面とテスト用の JSON API があります。カードもお金も動かず、このマシンの外には何も
送信しません。

SIGINT または SIGTERM で終了します。--state を指定すると、強制終了しても決済の記録が残ります。
管理画面と API はこのマシン専用です。ほかのアドレスで待ち受けるには `+controlTokenVariable+` を
設定してください。その値が管理画面と API のパスワードになります。`),
		Example: `  jpayment simulate
  jpayment simulate --listen 127.0.0.1:9090 --state books.db
  JPAYMENT_CONTROL_TOKEN=example jpayment simulate --listen 0.0.0.0:8080`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			config.Token = worldOf(cmd).env(controlTokenVariable)
			config.Log = slog.New(slog.NewTextHandler(cmd.ErrOrStderr(), nil))
			return simulate(cmd, config)
		},
	}
	f := cmd.Flags()
	f.StringVar(&config.Listen, "listen", "127.0.0.1:8080", in(lang, "address and port to listen on; port 0 for any that is free", "待ち受けるアドレスとポート。ポート 0 は空きポート"))
	f.StringVar(&config.State, "state", "", in(lang, "SQLite file that keeps the books; without it they are in memory", "決済の記録を保存する SQLite ファイル。省略時はメモリ上"))
	f.IntVar(&config.Payments, "payments", 0, in(lang, "open as many payments to try things with, of 1,580 yen each, unless there are some; their numbers begin at 10000001", "試用の決済（各1,580円）をこの件数だけ作成する。すでに決済があれば作成しない。決済番号は 10000001 から"))
	f.StringVar(&config.StoreID, "store", "123456", in(lang, "store ID (aid), six digits", "店舗ID（aid）、半角数字6桁"))
	return cmd
}

func simulate(cmd *cobra.Command, config simulator.Config) error {
	s, err := simulator.Open(cmd.Context(), config)
	if errors.Is(err, simulator.ErrNoToken) {
		return usageError(in(language(cmd),
			"--listen "+config.Listen+" can be reached from other machines: set "+controlTokenVariable,
			"--listen "+config.Listen+" はほかのマシンから接続できます。"+controlTokenVariable+" を設定してください"))
	}
	if err != nil {
		return err
	}
	if err := s.Announce(cmd.OutOrStdout(), language(cmd)); err != nil {
		return errors.Join(err, s.Close())
	}
	return s.Run(cmd.Context())
}

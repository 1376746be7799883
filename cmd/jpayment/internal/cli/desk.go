package cli

import (
	"errors"
	"fmt"
	"log/slog"
	"net"

	"github.com/spf13/cobra"

	"github.com/jpayment-go/jpayment/cmd/jpayment/internal/console"
	pages "github.com/jpayment-go/jpayment/cmd/jpayment/internal/desk"
	"github.com/jpayment-go/jpayment/cmd/jpayment/internal/localpage"
	"github.com/jpayment-go/jpayment/fulfilment"
)

func newDeskCommand(lang console.Lang) *cobra.Command {
	var listen string
	cmd := &cobra.Command{
		Use:   "desk",
		Short: lang.In("Serve a page for people who work through what is in review", "要確認のジョブを処理する担当者向けの画面を起動する"),
		Long: lang.In(`Serve a page on this machine for people who do not use a terminal: the jobs by state, what
is in review with its attempts and what to look for in the control panel, the decisions
with name and note, the progress of runs, and pause and resume. Nothing is sent to the
gateway.

It ends at SIGINT or SIGTERM. The page is for this machine only; to listen elsewhere, set
`+controlTokenVariable+`, which then is its password, of 16 bytes or more.

Exit status: 0 stopped as asked, 1 the database failed or the port is taken, 2 wrong usage.`,
			`端末を使わない担当者のための画面を、このマシンで起動します。状態ごとのジョブ、要確認のジョブの送信の記録と
管理画面で確認すること、担当者名とメモを付けた判断の記録、一括処理の進み具合、一時停止と再開があります。
決済ゲートウェイへは何も送信しません。

SIGINT または SIGTERM で終了します。画面はこのマシン専用です。ほかのアドレスで待ち受けるには
`+controlTokenVariable+` を設定してください。その値（16バイト以上）が画面のパスワードになります。

終了ステータスは、0 指示どおり停止、1 データベースの異常、またはポートが使用中、2 使い方の誤り です。`),
		Example: `  jpayment desk --store 123456
  jpayment desk --store 123456 --database jobs.db --listen 127.0.0.1:9091 --lang ja`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error { return serveDesk(cmd, listen) },
	}
	addDatabaseFlags(cmd, lang)
	cmd.Flags().StringVar(&listen, "listen", "127.0.0.1:8091", lang.In("address and port to listen on; port 0 for any that is free", "待ち受けるアドレスとポート。ポート 0 は空きポート"))
	return cmd
}

func serveDesk(cmd *cobra.Command, listen string) error {
	s, err := databaseSettings(cmd)
	if err != nil {
		return err
	}
	ctx := cmd.Context()
	log := slog.New(slog.NewTextHandler(cmd.ErrOrStderr(), nil))
	q, closeQueue, err := openQueue(ctx, s, fulfilment.Config{Logger: log}, toLook)
	if err != nil {
		return err
	}
	defer closeQueue()
	config := pages.Config{
		Listen: listen, Token: worldOf(cmd).env(controlTokenVariable), StoreID: s.store,
		Database: s.databaseName(), Queue: q, Log: log,
	}
	if cmd.Flag("lang").Changed {
		config.Language = language(cmd)
	}
	d, err := pages.Open(ctx, config)
	var listening *net.OpError
	switch {
	case errors.Is(err, localpage.ErrNoToken):
		return noToken(listen)
	case errors.Is(err, localpage.ErrShortToken):
		return shortToken()
	case errors.As(err, &listening):
		return notListening("--listen", listen, err)
	case err != nil:
		return err
	}
	said := console.Textf("Desk of store %s: %s\nCtrl+C ends it.", "決済処理デスク（店舗ID %s）: %s\nCtrl+C で終了します。", s.store, d.URL())
	if _, err := fmt.Fprintln(cmd.OutOrStdout(), language(cmd).Of(said)); err != nil {
		return errors.Join(err, d.Close())
	}
	return d.Run(ctx)
}

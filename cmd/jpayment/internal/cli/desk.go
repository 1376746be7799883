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
		Short: lang.In("Serve a web page for people who work through the review queue", "要確認のジョブを処理する担当者向けの画面を起動する"),
		Long: lang.In(`Serve a web page on this machine for people who do not use a terminal. It shows the jobs by
state, and the jobs in review with their attempts and what to look for in the control panel.
It records decisions with a name and a note, shows the progress of runs, and pauses and
resumes the store. Nothing is sent to the gateway.

The server runs until SIGINT or SIGTERM. The page can be reached only from this machine. To
listen on another address, set `+controlTokenVariable+`, which is then its password (16
bytes or more).

Exit status: 0 stopped by a signal, 1 the database failed or the port is taken, 2 usage error.`,
			`端末を使わない担当者のための画面を、このマシンで起動します。状態ごとのジョブ、要確認のジョブの送信の記録と
管理画面で確認すること、一括処理の進み具合を表示します。担当者名とメモを付けて判断を記録し、店舗の送信を一時停止・
再開できます。決済ゲートウェイへは何も送信しません。

SIGINT または SIGTERM で終了します。画面はこのマシン専用です。ほかのアドレスで待ち受けるには
`+controlTokenVariable+` を設定してください。その値（16バイト以上）が画面のパスワードになります。

終了ステータスは、0 指示どおり停止、1 データベースの異常、またはポートが使用中、2 使い方の誤り です。`),
		Example: `  jpayment desk --store 123456
  jpayment desk --store 123456 --database jobs.db --listen 127.0.0.1:9091 --lang ja`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error { return serveDesk(cmd, listen) },
	}
	addDatabaseFlags(cmd, lang)
	cmd.Flags().StringVar(&listen, "listen", "127.0.0.1:8091", lang.In("address and port to listen on; defaults to 127.0.0.1:8091; port 0 picks a free port", "待ち受けるアドレスとポート。既定は 127.0.0.1:8091。ポート 0 は空きポート"))
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
	said := console.Textf("Desk of store %s: %s\nPress Ctrl-C to stop.", "決済処理デスク（店舗ID %s）: %s\nCtrl-C で終了します。", s.store, d.URL())
	if _, err := fmt.Fprintln(cmd.OutOrStdout(), language(cmd).Of(said)); err != nil {
		return errors.Join(err, d.Close())
	}
	return d.Run(ctx)
}

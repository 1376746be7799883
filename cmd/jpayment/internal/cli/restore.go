package cli

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/jpayment-go/jpayment/cmd/jpayment/internal/console"
	"github.com/jpayment-go/jpayment/fulfilment"
)

func newRestoreCheckCommand(lang console.Lang) *cobra.Command {
	var yes bool
	cmd := &cobra.Command{
		Use:   "restore-check",
		Short: lang.In("Move all open jobs into review, after the database was restored from a backup", "データベースの復元後に、未完了のジョブを要確認にする"),
		Long: lang.In(`After the database was restored from a backup, move every open job of the store into review.
Such a job may have been carried out after the backup was made, and would be sent again. Run
this command once after each restore, with all workers stopped. Until then, work and run
refuse to send if the database is older than the witness file says (--witness).

Requests enqueued after the backup was made are not in the database. Look them up in the
control panel before you enqueue them again.

Exit status: 0 done, 1 not confirmed, or the database failed, 2 usage error.`,
			`データベースをバックアップから復元した後に、店舗の未完了のジョブをすべて要確認にします。バックアップの作成後に処理された
可能性があり、そのままでは再送されるためです。復元のたびに1回、すべてのワーカーを停止した状態で実行してください。
実行するまで、work と run は、ウィットネス（--witness）の記録より古いデータベースでは送信しません。

バックアップの作成後に登録したものは含まれていません。管理画面で確認してから、登録し直してください。

終了ステータスは、0 完了、1 yes と答えなかった、またはデータベースの異常、2 使い方の誤り です。`),
		Example: `  jpayment restore-check --store 123456
  jpayment restore-check --store 123456 --database orders.db --yes`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error { return restoreCheck(cmd, yes) },
	}
	addDatabaseFlags(cmd, lang)
	cmd.Flags().BoolVar(&yes, "yes", false, lang.In("do not ask for confirmation", "確認を求めない"))
	return cmd
}

func restoreCheck(cmd *cobra.Command, yes bool) error {
	c, ctx, flags := worldOf(cmd).console(), cmd.Context(), sameFlags(cmd)
	s, err := databaseSettings(cmd)
	if err != nil {
		return err
	}
	q, closeQueue, err := openQueue(ctx, s, fulfilment.Config{}, toLook)
	if err != nil {
		return err
	}
	defer closeQueue()
	st, err := q.Status(ctx, "")
	if err != nil {
		return databaseFailed(err)
	}
	console.WriteTable(c.Stderr, [][]string{
		{c.Lang.In("store", "店舗ID"), s.store},
		{c.Lang.In("database", "データベース"), s.databaseName()},
		{c.Lang.In("open jobs", "未完了のジョブ"), console.Grouped(st.Open())},
	})
	fmt.Fprintln(c.Stderr, c.Lang.In(
		"This moves all open jobs into review; a person must then look each of them up in the control panel. Stop all workers first.",
		"未完了のジョブをすべて要確認にします。担当者が1件ずつ管理画面で確認することになります。先にすべてのワーカーを停止してください。"))
	if !yes {
		err := c.Ask(ctx, c.Lang.In("Type yes to continue: ", "実行するには yes と入力してください: "))
		if errors.Is(err, console.ErrNotConfirmed) {
			fmt.Fprintln(c.Stderr, c.Lang.In("Not confirmed: nothing was changed.", "確認されなかったため、何も変更していません。"))
			return console.ExitStatus(console.Failed)
		}
		if err != nil {
			return err
		}
	}
	reviews, err := q.AfterRestore(ctx)
	if err != nil {
		return databaseFailed(err)
	}
	fmt.Fprintf(c.Stdout, "%s %s\n", c.OutMark(console.Good), c.Lang.Of(console.Textf("jobs moved into review: %s", "要確認にしたジョブ: %s件", console.Grouped(reviews))))
	if reviews > 0 {
		fmt.Fprintf(c.Stdout, "  %s\n", c.Lang.Of(console.Textf(
			"next: look them up in the control panel and record what you find: jpayment review --export review.csv%[1]s; then start the workers",
			"次の手順: 管理画面で確認し、結果を記録する: jpayment review --export review.csv%[1]s。その後、ワーカーを起動する", flags)))
	} else {
		fmt.Fprintf(c.Stdout, "  %s\n", c.Lang.In("next: start the workers", "次の手順: ワーカーを起動する"))
	}
	fmt.Fprintf(c.Stdout, "  %s\n", c.Lang.In(
		"requests enqueued after the backup was made are not in the database: look them up before you enqueue them again",
		"バックアップの作成後に登録したものは、データベースにありません。登録し直す前に管理画面で確認する"))
	return nil
}

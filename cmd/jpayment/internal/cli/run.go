package cli

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/jpayment-go/jpayment"
	"github.com/jpayment-go/jpayment/cmd/jpayment/internal/console"
	"github.com/jpayment-go/jpayment/cmd/jpayment/internal/monthend"
	"github.com/jpayment-go/jpayment/cmd/jpayment/internal/runfile"
	"github.com/jpayment-go/jpayment/fulfilment"
)

func newRunCommand(lang console.Lang) *cobra.Command {
	var (
		r       monthend.Run
		columns string
	)
	cmd := &cobra.Command{
		Use:   "run FILE",
		Short: lang.In("Carry out a file of captures, cancellations and re-authorisations", "ファイルに記載した実売上・取消・再オーソリを一括処理する"),
		Long: lang.In(`Carry out a file of operations, one per line, separated by commas, tabs or semicolons, in
UTF-8 or Shift_JIS. The header names the columns, in any order: operation (sales, cancel,
reauth), payment, reference, and for reauth also amount, tax, shipping, email and phone; or
in Japanese 処理 (実売上, 取消, 再オーソリ), 決済番号, 注文番号, 金額, 税額, 送料,
メールアドレス, 電話番号. Other columns are ignored. If the file has other names for these
columns, map them with --columns.

The whole file is checked first. If there is any error, nothing is sent. Then a summary is
printed, and you confirm it. Each request is written to the database before it is sent. So
after Ctrl-C, a kill or a power cut, the same command continues where it stopped, and
carries nothing out twice. At the end, a report is written with the result of each line.

Exit status: 0 every row is done, 1 some rows were refused or not sent, 2 usage error or
errors in the file: nothing was sent, 3 some rows need a person: see the report and
jpayment review.`,
			`ファイルに1行1件で記載した操作を一括処理します。形式はCSV、TSV、またはセミコロン区切り、文字コードは
UTF-8またはShift_JISです。見出し行の列の順序は自由です。列は、処理（実売上、取消、再オーソリ）、決済番号、
注文番号、再オーソリではさらに 金額、税額、送料、メールアドレス、電話番号 です。英語の列名 operation
（sales, cancel, reauth）, payment, reference, amount, tax, shipping, email, phone も使えます。
ほかの列は読み込みません。列名が異なるファイルは --columns で対応付けられます。

最初にファイル全体を検査し、誤りが1つでもあれば何も送信しません。次に集計を表示し、確認を求めます。
送信する内容は送信前にデータベースへ記録します。Ctrl-C、強制終了、停電などで中断しても、同じコマンドで
続きから再開し、二重に処理しません。最後に、行ごとの結果をレポートに書き出します。

終了ステータスは、0 全件完了、1 拒否または未送信あり、2 使い方またはファイルの誤り（何も送信して
いない）、3 要確認あり（レポートと jpayment review を参照）です。`),
		Example: `  jpayment run month-end.csv --store 123456
  jpayment run month-end.csv --store 123456 --dry-run
  jpayment run month-end.csv --store 123456 --yes --rate 20 --report verdicts.csv
  jpayment run export.csv --store 123456 --columns 'Type=operation,伝票番号=reference'`,
		Args: oneArgument("FILE"),
		RunE: func(cmd *cobra.Command, args []string) error {
			r.Path = args[0]
			return runFile(cmd, r, columns)
		},
	}
	addDatabaseFlags(cmd, lang)
	addWorkFlags(cmd, lang)
	f := cmd.Flags()
	f.BoolVar(&r.Yes, "yes", false, lang.In("do not ask for confirmation", "確認を求めない"))
	f.BoolVar(&r.DryRun, "dry-run", false, lang.In("check the file and print the summary, but send nothing", "検査と集計だけを行い、何も送信しない"))
	f.StringVar(&r.Report, "report", "", lang.In("file for the report; defaults to FILE with the extension .report.csv", "レポートのファイル。既定は FILE の拡張子を .report.csv に替えた名前"))
	f.StringVar(&columns, "columns", "", lang.In("the file's names for the columns, as NAME=COLUMN,NAME=COLUMN", "ファイルの列名との対応（名前=列,名前=列）"))
	return cmd
}

// runFile carries out a file with the settings.
func runFile(cmd *cobra.Command, r monthend.Run, columns string) (err error) {
	ctx := cmd.Context()
	if r.Columns, err = runfile.ParseColumns(columns); err != nil {
		var fault runfile.Fault
		errors.As(err, &fault)
		return console.Usagef("--columns %s", "--columns%s", fault.Reason)
	}
	s, err := databaseSettings(cmd)
	if err != nil {
		return err
	}
	client, err := s.workClient()
	if err != nil {
		return wrongFields(err)
	}
	if r.Gateway, err = gatewayAddress(ctx, client); err != nil {
		return err
	}
	if r.Report == "" {
		r.Report = strings.TrimSuffix(r.Path, filepath.Ext(r.Path)) + ".report.csv"
	}
	r.Console, r.Now = worldOf(cmd).console(), worldOf(cmd).now
	var typed []string
	asTyped := *cmd.Flags()
	asTyped.SortFlags = false
	asTyped.Visit(func(f *pflag.Flag) { typed = append(typed, f.Name) })
	r.Again = "jpayment run " + shellWord(r.Path) + typedFlags(cmd, typed...)
	r.Flags, r.SendingFlags = sameFlags(cmd), sendingFlags(cmd)
	r.Store, r.Database = s.store, s.databaseName()
	r.Client, r.Worker = client, s.workerConfig()
	var unseen jpayment.Text
	if r.Worker.Witness, unseen, err = s.witnessFile(worldOf(cmd).stateDir); err != nil {
		return err
	}
	if unseen != (jpayment.Text{}) && !r.DryRun {
		fmt.Fprintln(r.Console.Stderr, r.Console.Lang.Of(console.Textf(
			"There is no witness, so a restored backup will not be detected: %s",
			"ウィットネスファイルを使用できないため、データベースが古いバックアップから復元されても検知できません: %s", unseen)))
	}
	if r.Timeout = s.timeout; r.Timeout == 0 {
		r.Timeout = defaultTimeout
	}
	var q queue
	r.OpenQueue = func(ctx context.Context) (_ monthend.Queue, closeIt func(), err error) {
		q, closeIt, err = openQueue(ctx, s, fulfilment.Config{}, toWork)
		return q, closeIt, err
	}
	r.Receive = func(ctx context.Context) (<-chan error, error) { return s.receiveKickbacks(ctx, q, nil) }
	return r.Do(ctx)
}

// gatewayAddress returns the URL of the gateway, from the code that sends.
func gatewayAddress(ctx context.Context, client *jpayment.Client) (string, error) {
	req, err := client.Preview(ctx, jpayment.OpSales, jpayment.SalesRequest{PaymentID: "0"})
	if err != nil {
		return "", wrongFields(err)
	}
	return req.URL.Scheme + "://" + req.URL.Host, nil
}

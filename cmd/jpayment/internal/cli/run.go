package cli

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/schollz/progressbar/v3"
	"github.com/spf13/cobra"

	"github.com/jpayment-go/jpayment"
	"github.com/jpayment-go/jpayment/cmd/jpayment/internal/runfile"
	"github.com/jpayment-go/jpayment/fulfilment"
)

func newRunCommand(lang string) *cobra.Command {
	r := &fileRun{openFile: func(path string) (io.ReadCloser, error) { return os.Open(path) }} //nolint:gosec // The user's own file, by the user's own choice.
	cmd := &cobra.Command{
		Use:   "run FILE",
		Short: in(lang, "Carry out a file of captures, cancellations and re-authorisations", "ファイルに記載した実売上・取消・再オーソリを一括処理する"),
		Long: in(lang, `Carry out a file of operations, one a line: CSV or TSV, in UTF-8 or Shift_JIS. Its first
line names the columns, in any order: operation (sales, cancel, reauth), payment,
reference, and for reauth amount, tax, shipping, email, phone; or in Japanese 処理
(実売上, 取消, 再オーソリ), 決済番号, 注文番号, 金額, 税額, 送料, メールアドレス, 電話番号.

The whole file is checked first. With any fault in it, nothing is sent. Then it is summed
up, and has to be confirmed. What is sent is written to the database before it leaves, so
the same command goes on where an interrupted one was, after a Ctrl-C, a kill or a power
cut, and carries nothing out twice. At the end a report has the verdict on each line.

Exit status: 0 every row is done, 1 some were refused or not sent, 2 wrong usage or
faults in the file: nothing was sent, 3 some need a person to look: see the report and
jpayment review.`,
			`ファイルに1行1件で記載した操作を一括処理します。形式はCSVまたはTSV、文字コードはUTF-8または
Shift_JISです。先頭行は列名で、順序は自由です。処理（実売上、取消、再オーソリ）、決済番号、注文番号、
再オーソリではさらに 金額、税額、送料、メールアドレス、電話番号。英語の列名 operation（sales, cancel,
reauth）, payment, reference, amount, tax, shipping, email, phone も使えます。

最初にファイル全体を検査し、誤りが1つでもあれば何も送信しません。次に集計を表示し、確認を求めます。
送信する内容は送信前にデータベースへ記録します。Ctrl-C、強制終了、停電などで中断しても、同じコマンドで
続きから再開し、二重に処理しません。最後に、行ごとの結果をレポートに書き出します。

終了ステータスは、0 全行完了、1 拒否または未送信の行あり、2 使い方またはファイルの誤り（何も送信して
いない）、3 要確認の行あり（レポートと jpayment review を参照）です。`),
		Example: `  jpayment run month-end.csv --store 123456
  jpayment run month-end.csv --store 123456 --dry-run
  jpayment run month-end.csv --store 123456 --yes --rate 20 --report verdicts.csv`,
		Args: oneArgument("FILE"),
		RunE: func(cmd *cobra.Command, args []string) error { return r.run(cmd, args[0]) },
	}
	addDatabaseFlags(cmd, lang)
	addWorkFlags(cmd, lang)
	f := cmd.Flags()
	f.BoolVar(&r.yes, "yes", false, in(lang, "do not ask", "確認を求めない"))
	f.BoolVar(&r.dryRun, "dry-run", false, in(lang, "check and sum up, and send nothing", "検査と集計だけを行い、何も送信しない"))
	f.StringVar(&r.reportPath, "report", "", in(lang, "file for the report; by default FILE with .report.csv at its end", "レポートのファイル。既定は FILE の末尾を .report.csv にした名前"))
	return cmd
}

// fileRun is one run of a file. The file is read once to check it, once to record its
// rows, and once to report on them.
type fileRun struct {
	yes, dryRun bool
	path        string
	reportPath  string
	openFile    func(path string) (io.ReadCloser, error)

	world    world
	lang     string
	settings settings
	q        queue
	scratch  *scratch

	charset runfile.Charset
	sum     [sha256.Size]byte // of the file as it was checked
	rows    int64
	batch   string
	counts  fileCounts
	settled tally // of the jobs that other files and programs had asked for
}

// fileCounts are what the summary says of a file.
type fileCounts struct {
	operations map[jpayment.Operation]int64
	yen        int64 // of the re-authorisations; -1 if it is too large for an int64
	known      map[fulfilment.State]int64
	faults     int64
}

func (r *fileRun) run(cmd *cobra.Command, path string) (err error) {
	r.world, r.lang, r.path = worldOf(cmd), language(cmd), path
	ctx := cmd.Context()
	if r.settings, err = databaseSettings(cmd); err != nil {
		return err
	}
	if r.reportPath == "" {
		r.reportPath = strings.TrimSuffix(path, filepath.Ext(path)) + ".report.csv"
	}
	if err := r.checkReportPath(); err != nil {
		return err
	}
	client, err := r.settings.workClient()
	if err != nil {
		return wrongConfig(err)
	}
	gateway, err := gatewayAddress(ctx, r.settings)
	if err != nil {
		return err
	}
	if err := r.detect(); err != nil {
		return r.wrongFile(err)
	}
	var closeQueue func()
	if r.q, closeQueue, err = openQueue(ctx, r.lang, r.settings, nil, true); err != nil {
		return err
	}
	defer closeQueue()
	if r.scratch, err = newScratch(ctx); err != nil {
		return fmt.Errorf("run: %w", err)
	}
	defer r.scratch.close()

	if err := r.check(ctx); err != nil {
		return err
	}
	if err := r.summarise(ctx, gateway); err != nil {
		return err
	}
	if r.dryRun {
		fmt.Fprintln(r.world.stderr, in(r.lang, "Dry run: nothing was sent.", "確認のみ（--dry-run）：何も送信していません。"))
		return nil
	}
	if !r.yes && r.open() > 0 {
		err := confirm(ctx, r.world, r.lang)
		if errors.Is(err, errNotConfirmed) {
			fmt.Fprintln(r.world.stderr, in(r.lang, "Not confirmed: nothing was sent.", "確認されなかったため、何も送信していません。"))
			return exitStatus(exitFailed)
		}
		if err != nil {
			return err
		}
	}
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	receiver, err := r.settings.receiveKickbacks(ctx, r.q, nil)
	if err != nil {
		return err
	}
	if err := r.record(ctx); err != nil {
		return err
	}
	return r.conclude(context.WithoutCancel(ctx), r.work(ctx, client, receiver))
}

// read calls f with each row of the file, and at its end with a row of line 0, up to the
// first error.
func (r *fileRun) read(f func(reader *runfile.Reader, row runfile.Row, faults []runfile.Fault) error) error {
	file, err := r.openFile(r.path)
	if err != nil {
		return err
	}
	defer file.Close() //nolint:errcheck // Nothing was written.
	reader := runfile.NewReader(file, r.charset)
	for {
		row, faults, err := reader.Next()
		if errors.Is(err, io.EOF) {
			return f(reader, runfile.Row{}, nil)
		}
		if err == nil {
			err = f(reader, row, faults)
		}
		if err != nil {
			return err
		}
	}
}

// detect finds out the character set of the file.
func (r *fileRun) detect() error {
	file, err := r.openFile(r.path)
	if err != nil {
		return err
	}
	defer file.Close() //nolint:errcheck // Nothing was written.
	r.charset, err = runfile.Detect(file)
	return err
}

// wrongFile returns the error of a file that is not there or no text.
func (r *fileRun) wrongFile(err error) error {
	var fault runfile.Fault
	if errors.As(err, &fault) {
		return usageError(r.faultLine(fault))
	}
	return usageError(err.Error())
}

// request returns what a row asks for.
func (r *fileRun) request(row runfile.Row) fulfilment.Request {
	switch row.Operation {
	case jpayment.OpSales:
		return fulfilment.Sales(row.Reference, jpayment.SalesRequest{PaymentID: row.Payment})
	case jpayment.OpCancel:
		return fulfilment.Cancel(row.Reference, jpayment.CancelRequest{PaymentID: row.Payment})
	default:
		return fulfilment.ReAuth(row.Reference, jpayment.ReAuthRequest{
			PaymentID: row.Payment, Amount: row.Amount, Tax: row.Tax, Shipping: row.Shipping, Email: row.Email, Phone: row.Phone,
		})
	}
}

// summarise says what the file asks for, and where it goes.
func (r *fileRun) summarise(ctx context.Context, gateway string) error {
	lang := r.lang
	rows := [][]string{
		{in(lang, "file", "ファイル"), fmt.Sprintf(in(lang, "%s (rows: %s, %s)", "%s（%s行、%s）"), r.path, grouped(r.rows), r.charset)},
	}
	for _, op := range []jpayment.Operation{jpayment.OpSales, jpayment.OpCancel, jpayment.OpReAuth} {
		n := r.counts.operations[op]
		if n == 0 {
			continue
		}
		text := grouped(n)
		if op == jpayment.OpReAuth {
			yen := grouped(r.counts.yen)
			if r.counts.yen < 0 {
				yen = in(lang, "too many", "桁あふれ")
			}
			text += fmt.Sprintf(in(lang, " (%s yen in all)", "（合計 %s 円）"), yen)
		}
		rows = append(rows, []string{operationName(lang, op), text})
	}
	if known := r.knownText(); known != "" {
		rows = append(rows, []string{in(lang, "known already", "記録済み"), known})
	}
	st, err := r.q.Status(ctx, "")
	if err != nil {
		return fmt.Errorf("database: %w", err)
	}
	others := st.Open()
	for state, n := range r.counts.known {
		if !state.Settled() {
			others -= n
		}
	}
	if others > 0 && r.open() > 0 { // The worker does not ask who wished for a job.
		rows = append(rows, []string{in(lang, "others", "ほかのジョブ"), fmt.Sprintf(in(lang, "%s (of other files or programs; they are sent too)", "%s（他のファイルやプログラムのもの。これらも送信されます）"), grouped(others))})
	}
	rows = append(rows,
		[]string{in(lang, "store", "店舗ID"), r.settings.store},
		[]string{in(lang, "gateway", "送信先"), gateway},
		[]string{in(lang, "database", "データベース"), r.settings.databaseName()},
		[]string{in(lang, "report", "レポート"), r.reportPath})
	writeTable(r.world.stderr, rows)
	if st.Paused != nil {
		fmt.Fprintf(r.world.stderr, in(lang, "The store is paused: %s. To go on resumes it.\n", "店舗は停止中です（%s）。続行すると再開します。\n"), printable(pauseWhy(lang, st.Paused)))
	}
	if r.open() > 0 && !r.dryRun {
		fmt.Fprintf(r.world.stderr, in(lang, "Requests to send: up to %s. Captures charge the cardholder.\n",
			"最大 %s 件のリクエストを送信します。実売上ではカード会員に請求されます。\n"), grouped(r.open()))
	}
	return nil
}

// open returns how many rows are not settled yet, as they stood at the check.
func (r *fileRun) open() int64 {
	n := r.rows
	for state, known := range r.counts.known {
		if state.Settled() {
			n -= known
		}
	}
	return n
}

func (r *fileRun) knownText() string {
	var parts []string
	var all int64
	for _, s := range []fulfilment.State{
		fulfilment.StateDone, fulfilment.StateRefused, fulfilment.StateReview,
		fulfilment.StateWaiting, fulfilment.StateRunning, fulfilment.StateAwaiting,
	} {
		if n := r.counts.known[s]; n > 0 {
			all += n
			parts = append(parts, stateName(r.lang, s)+" "+grouped(n))
		}
	}
	if all == 0 {
		return ""
	}
	return fmt.Sprintf(in(r.lang, "%s (%s)", "%s（%s）"), grouped(all), strings.Join(parts, in(r.lang, ", ", "、")))
}

// gatewayAddress returns the URL of the gateway, as the code that sends makes it.
func gatewayAddress(ctx context.Context, s settings) (string, error) {
	sending, err := rehearse(ctx, s, func(ctx context.Context, g jpayment.Gateway) (*jpayment.Result, error) {
		return g.Sales(ctx, jpayment.SalesRequest{PaymentID: "0"})
	})
	if err != nil {
		return "", wrongConfig(err)
	}
	return sending.url.Scheme + "://" + sending.url.Host, nil
}

// errChanged says that the file is not what was checked.
var errChanged = errors.New("the file was changed meanwhile")

const atOnce = 500 // rows in one transaction

// record asks for every row.
func (r *fileRun) record(ctx context.Context) error {
	if err := r.q.Resume(ctx); err != nil { // A person has asked for it.
		return fmt.Errorf("database: %w", err)
	}
	progress := r.newProgress(in(r.lang, "recording", "記録中"), r.rows)
	var (
		requests []fulfilment.Request
		n        int64
	)
	enqueue := func(same bool) error {
		if !same {
			return errChanged
		}
		jobs, err := r.q.EnqueueAll(ctx, requests)
		if err != nil {
			return err
		}
		requests = requests[:0]
		for _, j := range jobs {
			switch {
			case j.Batch == r.batch:
			case j.State.Settled():
				r.settled.add(j.State)
			default:
				if err := r.scratch.known(ctx, j); err != nil {
					return err
				}
			}
		}
		progress.set(n)
		return nil
	}
	err := r.read(func(reader *runfile.Reader, row runfile.Row, faults []runfile.Fault) error {
		switch {
		case row.Line == 0:
			return enqueue(reader.Sum() == r.sum)
		case len(faults) > 0:
			return errChanged
		}
		requests = append(requests, r.request(row).InBatch(r.batch))
		if n++; n%atOnce != 0 {
			return nil
		}
		same, err := r.scratch.marked(ctx, n, reader.Sum())
		if err != nil {
			return err
		}
		return enqueue(same)
	})
	progress.end()
	switch {
	case errors.Is(err, errChanged):
		return fmt.Errorf("%s: %s", r.path, in(r.lang, "the file was changed after it was checked; nothing was sent, run it again", "検査後にファイルが変更されました。何も送信していません。もう一度実行してください"))
	case err != nil && ctx.Err() != nil:
		return errors.New(in(r.lang, "interrupted before anything was sent; the same command goes on", "送信前に中断しました。同じコマンドで続行できます"))
	case err != nil:
		return fmt.Errorf("run: %w", err)
	}
	return nil
}

// progress shows how far something is: as a bar on a terminal, else not at all. Of -1
// rows nobody knows how many there are.
type progress struct{ bar *progressbar.ProgressBar }

func (r *fileRun) newProgress(what string, rows int64) progress {
	if !r.world.terminal.err {
		return progress{}
	}
	return progress{progressbar.NewOptions64(rows,
		progressbar.OptionSetWriter(r.world.stderr),
		progressbar.OptionSetDescription(what),
		progressbar.OptionShowCount(),
		progressbar.OptionShowIts(),
		progressbar.OptionSetItsString(in(r.lang, "rows", "行")),
		progressbar.OptionSetPredictTime(true),
		progressbar.OptionSetWidth(16),
		progressbar.OptionClearOnFinish(),
		progressbar.OptionSetSpinnerChangeInterval(0), // Else it turns by itself, after its end too.
	)}
}

func (p progress) set(n int64) {
	if p.bar != nil {
		_ = p.bar.Set64(n) // It is for the eye.
	}
}

func (p progress) describe(what string) {
	if p.bar != nil {
		p.bar.Describe(what)
	}
}

// clear makes room for a line.
func (p progress) clear() {
	if p.bar != nil {
		_ = p.bar.Clear()
	}
}

func (p progress) end() {
	if p.bar != nil {
		_ = p.bar.Exit()
		_ = p.bar.Clear()
	}
}

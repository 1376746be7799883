package cli

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/time/rate"

	"github.com/jpayment-go/jpayment"
	"github.com/jpayment-go/jpayment/cmd/jpayment/internal/console"
	"github.com/jpayment-go/jpayment/cmd/jpayment/internal/jobtext"
	"github.com/jpayment-go/jpayment/fulfilment"
	"github.com/jpayment-go/jpayment/internal/wallclock"
)

func newWorkCommand(lang console.Lang) *cobra.Command {
	var (
		asJSON, resume    bool
		health, testClock string
	)
	cmd := &cobra.Command{
		Use:   "work",
		Short: lang.In("Send a store's jobs until stopped", "店舗のジョブを、停止されるまで送信し続ける"),
		Long: lang.In(`Send the jobs that jpayment run and programs with the package fulfilment have enqueued,
until SIGINT or SIGTERM; the worker then waits for the requests in progress. Any number of
workers may run at once. Each attempt is one line on standard error.

With --kickback-listen, the worker also receives kickbacks (決済結果通知) at any path, verifies
them and settles their jobs.

With --health, GET /live returns 200 as long as the process runs. GET /ready returns 200 as
long as the database answers, otherwise 503 and what fails. GET /metrics returns the metrics
in the Prometheus format.

If attempts cannot be made, for example because the disk is full, the reason is logged within
seconds, on each retry, and so is the recovery. If the database was restored from a backup,
nothing is sent: see jpayment restore-check.

Exit status: 0 stopped by a signal, 1 failed, 2 usage error.`,
			`データベースにあるジョブ（jpayment run、またはパッケージ fulfilment を使うプログラムが登録したもの）を、
SIGINT または SIGTERM を受け取るまで送信し続けます。停止時は送信中のリクエストの完了を待ちます。
同時にいくつでも起動できます。送信の試行ごとに、標準エラー出力に1行出力します。

--kickback-listen を指定すると、決済結果通知の受信・検証・反映も行います。パスは問いません。

--health を指定すると、GET /live はプロセスの動作中に200を返します。GET /ready はデータベースが
応答する間は200を、応答しないときは503とその内容を返します。GET /metrics は、メトリクスを
Prometheus 形式で返します。

ディスクの空き不足などで送信できない場合は、数秒以内に、再試行のたびに理由を1行出力します。解消したときも
出力します。バックアップから復元されたデータベースでは送信しません（jpayment restore-check を参照）。

終了ステータスは、0 指示どおり停止、1 異常終了、2 使い方の誤り です。`),
		Example: `  jpayment work --store 123456
  jpayment work --store 123456 --resume --json
  jpayment work --store 123456 --kickback-listen 127.0.0.1:8081 --kickback-wait 10m`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if testClock != "" {
				wallclock.Shift(func() time.Duration { return clockShift(testClock) })
			}
			return work(cmd, asJSON, resume, health)
		},
	}
	addDatabaseFlags(cmd, lang)
	addWorkFlags(cmd, lang)
	f := cmd.Flags()
	f.BoolVar(&asJSON, "json", false, lang.In("write each line as a JSON object", "1行に1つの JSON を出力する"))
	f.BoolVar(&resume, "resume", false, lang.In("resume after a pause, once its cause is removed", "一時停止の原因を取り除いた後に再開する"))
	f.StringVar(&health, "health", "", lang.In("address and port on which to answer health checks", "ヘルスチェックに応答するアドレスとポート"))
	f.StringVar(&testClock, "test-clock", "", lang.In("for tests: file with the offset of the clock, such as -1h", "テスト用: 時計のずれ（-1h など）を記したファイル"))
	if err := f.MarkHidden("test-clock"); err != nil {
		panic(err) // The flag does not exist.
	}
	return cmd
}

// clockShift reads the clock offset of a test, which is zero without a file.
func clockShift(file string) time.Duration {
	text, err := os.ReadFile(file) //nolint:gosec // The test's own file.
	if err != nil {
		return 0
	}
	by, err := time.ParseDuration(strings.TrimSpace(string(text)))
	if err != nil {
		return 0
	}
	return by
}

// addWorkFlags adds the flags of the commands that send jobs.
func addWorkFlags(cmd *cobra.Command, lang console.Lang) {
	f := cmd.Flags()
	f.String("rate", "", lang.In("calls per second, above 0 and up to 1000; defaults to 10 [JPAYMENT_RATE]", "1秒あたりのリクエスト数。0より大きく1000以下。既定は10 [JPAYMENT_RATE]"))
	f.String("concurrency", "", lang.In("concurrent calls, 1 to 64; defaults to 8 [JPAYMENT_CONCURRENCY]", "同時に送信するリクエスト数。1～64。既定は8 [JPAYMENT_CONCURRENCY]"))
	f.Bool("production-only", false, lang.In("do not count an approval in test mode as done, since no money moves [JPAYMENT_PRODUCTION_ONLY]", "テストモードの承認（実際の請求は発生しない）を完了とみなさない [JPAYMENT_PRODUCTION_ONLY]"))
	f.String("kickback-wait", "", lang.In("request the results of re-authorisations by kickback, and wait this long for them, such as 10m [JPAYMENT_KICKBACK_WAIT]", "再オーソリの結果を決済結果通知で受け取り、この時間まで待つ（10m など） [JPAYMENT_KICKBACK_WAIT]"))
	f.String("witness", "", lang.In("file outside the database by which a restored backup is detected; defaults to the SQLite file's name with .seen appended, or for Postgres to a file in the user's state directory; '' for none [JPAYMENT_WITNESS]",
		"古いバックアップからの復元を検知するための、データベース外のファイル（ウィットネス）。既定は SQLite ではファイル名の末尾に .seen を付けたもの、Postgres ではユーザーの状態ディレクトリ。'' で使用しない [JPAYMENT_WITNESS]"))
	f.String("kickback-listen", "", lang.In("address and port on which to receive kickbacks", "決済結果通知を待ち受けるアドレスとポート"))
}

func work(cmd *cobra.Command, asJSON, resume bool, health string) error {
	ctx := cmd.Context()
	s, err := databaseSettings(cmd)
	if err != nil {
		return err
	}
	client, err := s.workClient()
	if err != nil {
		return wrongFields(err)
	}
	out := slog.New(slog.NewTextHandler(cmd.ErrOrStderr(), nil))
	if asJSON {
		out = slog.New(slog.NewJSONHandler(cmd.ErrOrStderr(), nil))
	}
	log := out.With("store_id", s.store) // The queue adds it to its own lines.
	config := s.workerConfig()
	var unseen jpayment.Text
	if config.Witness, unseen, err = s.witnessFile(worldOf(cmd).stateDir); err != nil {
		return err
	}
	if unseen != (jpayment.Text{}) {
		log.Warn("there is no witness: a restored backup will not be detected", "why", unseen.En)
	}
	var metrics metrics
	if health != "" {
		if metrics, err = newMetrics(); err != nil {
			return err
		}
	}
	q, closeQueue, err := openQueue(ctx, s, fulfilment.Config{Logger: out, Meter: metrics.meter}, toWork)
	if err != nil {
		return err
	}
	defer closeQueue()
	if resume {
		if err := q.Resume(ctx); err != nil {
			return databaseFailed(err)
		}
	}
	st, err := q.Status(ctx, "")
	if err != nil {
		return databaseFailed(err)
	}
	log.Info("working", "database", s.databaseName(), "waiting", st.Waiting, "witness", config.Witness)
	switch {
	case st.Paused != nil && !st.Paused.Until.IsZero():
		log.Info("the store is paused for a while", "since", st.Paused.At, "until", st.Paused.Until, "why", st.Paused.Why.En)
	case st.Paused != nil:
		log.Warn("the store is paused: nothing is sent until it is resumed", "since", st.Paused.At, "why", st.Paused.Why.En,
			"next", st.Paused.Next().En+"; then jpayment work --resume"+sendingFlags(cmd))
	}
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	if health != "" {
		if err := serveHealth(ctx, health, q, metrics, log); err != nil {
			return err
		}
	}
	receiver, err := s.receiveKickbacks(ctx, q, log)
	if err != nil {
		return err
	}
	worker := make(chan error, 1)
	go func() { worker <- q.Run(ctx, client, config) }()
	select {
	case err = <-worker:
		stop()
		if receiver != nil {
			err = errors.Join(err, <-receiver)
		}
	case err = <-receiver:
		stop()
		err = errors.Join(err, <-worker)
	}
	if err != nil {
		return console.Failedf("work: %s", "送信を続けられません。%s", jobtext.Failure(err, s.flags))
	}
	log.Info("stopped")
	return nil
}

// workClient returns a client that sends each request once. Retries are left to the worker,
// which records them.
func (s settings) workClient() (*jpayment.Client, error) {
	return jpayment.NewClient(s.store, append(s.options(), jpayment.WithRetry(jpayment.RetryPolicy{MaxAttempts: 1}))...)
}

const defaultTimeout = 60 * time.Second // the package's default

// workerConfig returns the configuration of the worker. Its timeout for an attempt is
// a sixth longer than that of the client, so that the client gives up first.
func (s settings) workerConfig() fulfilment.WorkerConfig {
	timeout := s.timeout
	if timeout == 0 {
		timeout = defaultTimeout
	}
	return fulfilment.WorkerConfig{
		Concurrency: s.concurrency, Rate: rate.Limit(s.rate), CallTimeout: timeout + timeout/6,
	}
}

// kickbackAge returns how old a kickback may be: a kickback is valid as long as a job waits
// for it.
func (s settings) kickbackAge() time.Duration { return max(s.kickbackWait, 24*time.Hour) }

// receiveKickbacks receives kickbacks until the context ends, if that is enabled. The channel,
// nil otherwise, receives the final error.
func (s settings) receiveKickbacks(ctx context.Context, q queue, log *slog.Logger) (<-chan error, error) {
	if s.kickbackListen == "" {
		return nil, nil
	}
	verifier, err := jpayment.NewKickbackVerifier(s.store, s.kickbackAge(), s.keys()...)
	if err != nil {
		return nil, wrongFields(err)
	}
	var opts []jpayment.KickbackOption
	if log != nil {
		opts = append(opts, jpayment.KickbackLogger(log))
	}
	handler, err := jpayment.NewKickbackHandler(verifier, q.Settle, opts...)
	if err != nil {
		return nil, wrongFields(err)
	}
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", s.kickbackListen)
	if err != nil {
		return nil, notListening("--kickback-listen", s.kickbackListen, err)
	}
	if log != nil {
		log.Info("receiving kickbacks", "address", l.Addr().String())
	}
	served := make(chan error, 1)
	go func() { served <- jpayment.ServeKickbacks(ctx, l, handler) }()
	return served, nil
}

package cli

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/time/rate"

	"github.com/jpayment-go/jpayment"
	"github.com/jpayment-go/jpayment/cmd/jpayment/internal/console"
	"github.com/jpayment-go/jpayment/fulfilment"
)

func newWorkCommand(lang console.Lang) *cobra.Command {
	var (
		asJSON, resume bool
		health         string
	)
	cmd := &cobra.Command{
		Use:   "work",
		Short: lang.In("Send the jobs of a store until stopped", "店舗のジョブを、停止されるまで送信し続ける"),
		Long: lang.In(`Send the jobs in the database, those of jpayment run and of programs with the package
fulfilment, until SIGINT or SIGTERM; the calls on their way are then waited for. Any number
may run at once. Each attempt is a line on standard error.

With --kickback-listen, kickbacks (決済結果通知) are received, verified and settled too. The
path does not matter.

With --health, GET /live answers 200 as long as the process runs, and GET /ready answers 200
as long as the database answers the process, else 503 and what fails.

Exit status: 0 stopped as asked, 1 it could not work, 2 wrong usage.`,
			`データベースにあるジョブ（jpayment run、またはパッケージ fulfilment を使うプログラムが登録したもの）を、
SIGINT または SIGTERM を受け取るまで送信し続けます。停止時は送信中のリクエストの完了を待ちます。
同時にいくつでも起動できます。送信のたびに、標準エラー出力に1行出力します。

--kickback-listen を指定すると、決済結果通知の受信・検証・反映も行います。パスは問いません。

--health を指定すると、GET /live はプロセスの動作中に200を返します。GET /ready はデータベースを
使用できる間は200を、使用できないときは503とその内容を返します。

終了ステータスは、0 指示どおり停止、1 動作できない、2 使い方の誤り です。`),
		Example: `  jpayment work --store 123456
  jpayment work --store 123456 --resume --json
  jpayment work --store 123456 --kickback-listen 127.0.0.1:8081 --kickback-wait 10m`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error { return work(cmd, asJSON, resume, health) },
	}
	addDatabaseFlags(cmd, lang)
	addWorkFlags(cmd, lang)
	f := cmd.Flags()
	f.BoolVar(&asJSON, "json", false, lang.In("one JSON object for each line", "1行に1つの JSON を出力する"))
	f.BoolVar(&resume, "resume", false, lang.In("go on after a pause, once its cause is removed", "一時停止の原因を取り除いた後に再開する"))
	f.StringVar(&health, "health", "", lang.In("address and port at which to answer health checks", "ヘルスチェックに応答するアドレスとポート"))
	return cmd
}

// addWorkFlags adds the flags of the commands that send jobs.
func addWorkFlags(cmd *cobra.Command, lang console.Lang) {
	f := cmd.Flags()
	f.String("rate", "", lang.In("calls per second, above 0 and up to 1000; 10 by default [JPAYMENT_RATE]", "1秒あたりのリクエスト数。0より大きく1000以下。既定は10 [JPAYMENT_RATE]"))
	f.String("concurrency", "", lang.In("calls at once, 1 to 64; 8 by default [JPAYMENT_CONCURRENCY]", "同時に送信するリクエスト数。1～64。既定は8 [JPAYMENT_CONCURRENCY]"))
	f.Bool("production-only", false, lang.In("do not count an approval in test mode, in which no money moves, as done [JPAYMENT_PRODUCTION_ONLY]", "テストモードの承認（実際の請求は発生しない）を完了とみなさない [JPAYMENT_PRODUCTION_ONLY]"))
	f.String("kickback-wait", "", lang.In("let re-authorisations be answered by kickback, and wait as long for it, such as 10m [JPAYMENT_KICKBACK_WAIT]", "再オーソリの結果を決済結果通知で受け取り、この時間まで待つ（10m など） [JPAYMENT_KICKBACK_WAIT]"))
	f.String("kickback-listen", "", lang.In("address and port at which to receive kickbacks", "決済結果通知を待ち受けるアドレスとポート"))
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
	q, closeQueue, err := openQueue(ctx, s, out, true)
	if err != nil {
		return err
	}
	defer closeQueue()
	log := out.With("store_id", s.store) // The queue adds it to its own.
	if resume {
		if err := q.Resume(ctx); err != nil {
			return databaseFailed(err)
		}
	}
	st, err := q.Status(ctx, "")
	if err != nil {
		return databaseFailed(err)
	}
	log.Info("working", "database", s.databaseName(), "waiting", st.Waiting)
	if st.Paused != nil {
		log.Warn("the store is paused: nothing is sent until it is resumed", "since", st.Paused.At, "why", st.Paused.Why.En,
			"next", st.Paused.Next().En+"; then jpayment work --resume"+sendingFlags(cmd))
	}
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	if health != "" {
		if err := serveHealth(ctx, health, q, log); err != nil {
			return err
		}
	}
	receiver, err := s.receiveKickbacks(ctx, q, log)
	if err != nil {
		return err
	}
	worker := make(chan error, 1)
	go func() { worker <- q.Run(ctx, client, s.workerConfig()) }()
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
		return console.Failedf("work: %s", "送信を続けられません。%s", console.What(err))
	}
	log.Info("stopped")
	return nil
}

// workClient returns a client that sends each request once: the worker sends it again,
// where it is written down.
func (s settings) workClient() (*jpayment.Client, error) {
	return jpayment.NewClient(s.store, append(s.options(), jpayment.WithRetry(jpayment.RetryPolicy{MaxAttempts: 1}))...)
}

const defaultTimeout = 60 * time.Second // the package's

// workerConfig returns how to work. An attempt gets a sixth more time than the client
// takes, so that the client is the one that gives up.
func (s settings) workerConfig() fulfilment.WorkerConfig {
	timeout := s.timeout
	if timeout == 0 {
		timeout = defaultTimeout
	}
	return fulfilment.WorkerConfig{
		Concurrency: s.concurrency, Rate: rate.Limit(s.rate), CallTimeout: timeout + timeout/6,
	}
}

// kickbackAge returns how old a kickback may be: a job that waits for one takes it as long as
// it waits.
func (s settings) kickbackAge() time.Duration { return max(s.kickbackWait, 24*time.Hour) }

// receiveKickbacks serves the receiver of kickbacks until the context ends, if there is to
// be one. The channel, nil without one, gets what it ended with.
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

// serveHealth answers health checks until the context ends.
func serveHealth(ctx context.Context, address string, q queue, log *slog.Logger) error {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /live", func(http.ResponseWriter, *http.Request) {})
	mux.HandleFunc("GET /ready", func(w http.ResponseWriter, _ *http.Request) {
		if h := q.Health(); !h.OK() {
			http.Error(w, h.What.En+", since "+h.Since.UTC().Format(time.RFC3339), http.StatusServiceUnavailable)
		}
	})
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", address)
	if err != nil {
		return notListening("--health", address, err)
	}
	log.Info("answering health checks", "health", l.Addr().String())
	server := &http.Server{Handler: mux, ReadHeaderTimeout: 10 * time.Second, IdleTimeout: time.Minute}
	context.AfterFunc(ctx, func() { _ = server.Close() })
	go func() {
		if err := server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			log.Error("health checks are not answered any more", "error", err.Error())
		}
	}()
	return nil
}

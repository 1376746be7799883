// A small order system with card payments. It ships orders, in full or in part, and cancels
// them. Its requests to the gateway survive a crash at any moment.
//
//	go run ./examples/shop
//
// This runs it with a simulated gateway in the process and a temporary SQLite file. -database
// names a permanent file or a Postgres URL, and -gateway another gateway.
package main

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/jpayment-go/jpayment"
	"github.com/jpayment-go/jpayment/fulfilment"
	"github.com/jpayment-go/jpayment/jpaymenttest"
)

const storeID = "123456" // 店舗ID

// key signs the requests that kickbacks answer. In production it comes from the secret store.
var key = []byte("from the secret store: 32 bytes or more")

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:], os.Stdout)
	stop()
	if err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// settings are the values of the flags.
type settings struct {
	gateway, database, pages, kickbacks string
	callTimeout                         time.Duration
}

func run(ctx context.Context, args []string, out io.Writer) error {
	var c settings
	flags := flag.NewFlagSet("store", flag.ContinueOnError)
	flags.SetOutput(out)
	flags.StringVar(&c.database, "database", "", "SQLite `file` or postgres:// URL; by default a temporary file")
	flags.StringVar(&c.gateway, "gateway", "", "`URL` of the gateway; by default a simulated gateway in the process")
	flags.StringVar(&c.pages, "listen", "127.0.0.1:8088", "`address` of the store's page")
	flags.StringVar(&c.kickbacks, "kickbacks", "127.0.0.1:8089", "`address` that receives kickbacks (決済結果通知URL)")
	flags.DurationVar(&c.callTimeout, "call-timeout", 70*time.Second, "timeout of a call; the process needs a grace period of more than one and a half times that")
	if err := flags.Parse(args); err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "store")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir) //nolint:errcheck // It is a temporary directory.
	s, closeStore, err := openStore(ctx, cmp.Or(c.database, filepath.Join(dir, "orders.db")), fulfilment.Config{
		StoreID:      storeID,
		KickbackWait: 10 * time.Minute, // Kickbacks settle re-authorisations.
		Logger:       slog.New(slog.NewTextHandler(out, nil)),
	})
	if err != nil {
		return err
	}
	defer closeStore()
	return serve(ctx, s, c, out)
}

// serve runs the page, the kickback endpoint and the worker until the context ends. It returns
// when all three have finished what they had begun.
func serve(ctx context.Context, s store, c settings, out io.Writer) error {
	var listen net.ListenConfig
	kickbacks, err := listen.Listen(ctx, "tcp", c.kickbacks)
	if err != nil {
		return err
	}
	defer kickbacks.Close() //nolint:errcheck // The server has closed it.
	pages, err := listen.Listen(ctx, "tcp", c.pages)
	if err != nil {
		return err
	}
	defer pages.Close() //nolint:errcheck // As above.
	if c.gateway == "" {
		gateway := jpaymenttest.Start()
		defer gateway.Close()
		gateway.SetKickbackURL("http://" + kickbacks.Addr().String() + "/")
		c.gateway = gateway.URL
		if err := demonstrate(ctx, s, gateway); err != nil {
			return err
		}
	}
	client, err := jpayment.NewClient(storeID, jpayment.WithBaseURL(c.gateway), jpayment.WithKickbackKey(key),
		jpayment.WithRetry(jpayment.RetryPolicy{MaxAttempts: 1})) // In production add WithProductionOnly, and ProductionOnly in the queue's Config.
	if err != nil {
		return err
	}
	verifier, err := jpayment.NewKickbackVerifier(storeID, 0, key)
	if err != nil {
		return err
	}
	handler, err := jpayment.NewKickbackHandler(verifier, s.Settle)
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "store http://%s/ kickbacks http://%s/\n", pages.Addr(), kickbacks.Addr())

	all, ctx := errgroup.WithContext(ctx)
	all.Go(func() error { return jpayment.ServeKickbacks(ctx, kickbacks, handler) })
	all.Go(func() error { return servePages(ctx, pages, page{s}.handler()) })
	all.Go(func() error { return s.Run(ctx, client, fulfilment.WorkerConfig{CallTimeout: c.callTimeout}) })
	return all.Wait()
}

// servePages serves the page until the context ends, like [jpayment.ServeKickbacks].
func servePages(ctx context.Context, l net.Listener, h http.Handler) error {
	server := &http.Server{Handler: h, ReadHeaderTimeout: 10 * time.Second}
	served := make(chan error, 1)
	go func() { served <- server.Serve(l) }()
	select {
	case err := <-served:
		return err
	case <-ctx.Done():
	}
	ending, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer cancel()
	return server.Shutdown(ending)
}

// demonstrate adds orders to an empty store, paid at a simulated gateway.
func demonstrate(ctx context.Context, s store, gateway *jpaymenttest.Server) error {
	before, err := s.orders(ctx)
	if err != nil {
		return err
	}
	if len(before) > 0 {
		return errors.New("the database has orders whose payments are not known to a gateway in this process: use another -database, or give their gateway with -gateway")
	}
	for i, a := range []jpaymenttest.Authorization{
		{Amount: 5280}, {Amount: 12800}, {Amount: 3480}, {Amount: 960}, {Amount: 24000, Decline: "G1242G120000"},
	} {
		a.OrderNumber = fmt.Sprintf("A-%d", 1001+i)
		if err := s.add(ctx, Order{Number: a.OrderNumber, PaymentID: gateway.Authorize(a), Total: a.Amount}); err != nil {
			return err
		}
	}
	return nil
}

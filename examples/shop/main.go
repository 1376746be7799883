// A small order system, paid by card. It ships orders, ships them in part, and cancels them,
// and what it asks of the gateway survives its own end at any moment.
//
//	go run ./examples/shop
//
// So it runs with a simulated gateway in the process and a SQLite file that goes with it.
// -database names a file that stays, or a Postgres, and -gateway another gateway.
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

// key signs what kickbacks answer. In production it comes from the secret store.
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

// settings are what the flags say.
type settings struct {
	gateway, database, pages, kickbacks string
	callTimeout                         time.Duration
}

func run(ctx context.Context, args []string, out io.Writer) error {
	var c settings
	flags := flag.NewFlagSet("store", flag.ContinueOnError)
	flags.SetOutput(out)
	flags.StringVar(&c.database, "database", "", "SQLite `file` or postgres:// URL; by default a file that goes with the process")
	flags.StringVar(&c.gateway, "gateway", "", "`URL` of the gateway; by default a simulated one in the process")
	flags.StringVar(&c.pages, "listen", "127.0.0.1:8088", "`address` of the store's page")
	flags.StringVar(&c.kickbacks, "kickbacks", "127.0.0.1:8089", "`address` to which kickbacks come (決済結果通知URL)")
	flags.DurationVar(&c.callTimeout, "call-timeout", 70*time.Second, "how long a call may take; whoever stops the process has to wait longer")
	if err := flags.Parse(args); err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "store")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir) //nolint:errcheck // It is in the directory for what nobody misses.
	s, closeStore, err := openStore(ctx, cmp.Or(c.database, filepath.Join(dir, "orders.db")), fulfilment.Config{
		StoreID:      storeID,
		KickbackWait: 10 * time.Minute, // Re-authorisations are settled by their kickbacks.
		Logger:       slog.New(slog.NewTextHandler(out, nil)),
	})
	if err != nil {
		return err
	}
	defer closeStore()
	return serve(ctx, s, c, out)
}

// serve runs the page, the receiver of kickbacks and the worker until the context ends, and
// returns when all three have finished what they had begun.
func serve(ctx context.Context, s store, c settings, out io.Writer) error {
	var listen net.ListenConfig
	kickbacks, err := listen.Listen(ctx, "tcp", c.kickbacks)
	if err != nil {
		return err
	}
	defer kickbacks.Close() //nolint:errcheck // Whoever serves has closed it.
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
		jpayment.WithRetry(jpayment.RetryPolicy{MaxAttempts: 1})) // In production: WithProductionOnly, as in the queue's Config.
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

// servePages does for pages what [jpayment.ServeKickbacks] does for kickbacks.
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

// demonstrate fills an empty store with orders that are paid at a simulated gateway.
func demonstrate(ctx context.Context, s store, gateway *jpaymenttest.Server) error {
	before, err := s.orders(ctx)
	if err != nil {
		return err
	}
	if len(before) > 0 {
		return errors.New("the database has orders whose payments a gateway in this process does not know: name another with -database, or their gateway with -gateway")
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

// Kickback runs re-authorisations whose results come by kickback, end to end in one process:
// a simulated gateway, the merchant's receiver, and a forger.
//
//	go run ./examples/kickback
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"time"

	"github.com/jpayment-go/jpayment"
	"github.com/jpayment-go/jpayment/jpaymenttest"
)

func main() {
	if err := run(context.Background(), os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(ctx context.Context, out io.Writer) error {
	key := []byte("from the secret store: 32 bytes or more") // the client's and the handler's

	// The merchant's receiver, at its 決済結果通知URL.
	kickbacks := make(chan *jpayment.Kickback, 2)
	verifier, err := jpayment.NewKickbackVerifier("123456", 0, key)
	if err != nil {
		return err
	}
	handler, err := jpayment.NewKickbackHandler(verifier, func(ctx context.Context, k *jpayment.Kickback) error {
		select { // A merchant stores it in a transaction: see ../kickbacksql.
		case kickbacks <- k:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	})
	if err != nil {
		return err
	}
	mux := http.NewServeMux()
	mux.Handle("/kickback", handler)
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	receiver := &http.Server{Handler: mux, ReadHeaderTimeout: 10 * time.Second}
	served := make(chan error, 1)
	go func() { served <- receiver.Serve(listener) }()

	// The gateway, with two authorised payments; the issuer will decline the second.
	gateway := jpaymenttest.Start()
	defer gateway.Close()
	gateway.SetKickbackURL("http://" + listener.Addr().String() + "/kickback")
	tea := gateway.Authorize(jpaymenttest.Authorization{Amount: 3000, Tax: 240, Shipping: 500})
	cup := gateway.Authorize(jpaymenttest.Authorization{Amount: 2000, Decline: "G1242G120000"})

	client, err := jpayment.NewClient("123456", jpayment.WithBaseURL(gateway.URL), jpayment.WithKickbackKey(key))
	if err != nil {
		return err
	}
	for _, req := range []jpayment.ReAuthRequest{
		{PaymentID: tea, Amount: 1500, Tax: 120, Shipping: 500},
		{PaymentID: cup, Amount: 1800},
	} {
		if err := client.ReAuthByKickback(ctx, req); err != nil {
			return err
		}
		fmt.Fprintf(out, "request   replace payment %s with one of %d yen; the gateway answers OK\n", req.PaymentID, req.Amount+req.Tax+req.Shipping)
		k := <-kickbacks
		fmt.Fprintf(out, "kickback  payment %s: %s", k.Request.PaymentID, k.Status)
		if k.Status == jpayment.StatusSucceeded {
			fmt.Fprintf(out, ", replaced by %s of %s yen\n\n", k.PaymentID, k.Total)
		} else {
			fmt.Fprintf(out, ", %v\n          check in the control panel whether payment %s is still authorised\n\n", k.Code, k.Request.PaymentID)
		}
	}

	// Anyone who knows the URL can send a kickback.
	forged, err := http.NewRequestWithContext(ctx, http.MethodGet,
		"http://"+listener.Addr().String()+"/kickback?gid=10000009&rst=1&am=1500&tx=120&sf=500&ta=2120", http.NoBody)
	if err != nil {
		return err
	}
	answer, err := http.DefaultClient.Do(forged)
	if err != nil {
		return err
	}
	body, err := io.ReadAll(answer.Body)
	if err = errors.Join(err, answer.Body.Close()); err != nil {
		return err
	}
	fmt.Fprintf(out, "forger    sends an unsigned kickback\nhandler   answers %d with %d bytes, and does not call the callback\n", answer.StatusCode, len(body))

	if err := receiver.Shutdown(ctx); err != nil {
		return err
	}
	if err := <-served; !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

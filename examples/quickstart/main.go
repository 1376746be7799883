// Quickstart captures, cancels and re-authorises a few payments at a simulated gateway in
// this process:
//
//	go run ./examples/quickstart
//
// With -store and -payment it captures that payment at the real gateway instead, after
// confirmation.
package main

import (
	"bufio"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"

	"github.com/jpayment-go/jpayment"
	"github.com/jpayment-go/jpayment/jpaymenttest"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := run(ctx, os.Args[1:], os.Stdin, os.Stdout)
	stop()
	if err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, in io.Reader, out io.Writer) error {
	flags := flag.NewFlagSet("quickstart", flag.ContinueOnError)
	flags.SetOutput(out)
	store := flags.String("store", "", "store `ID` (店舗ID) for a capture at the real gateway")
	payment := flags.String("payment", "", "`number` of the payment to capture there (決済番号)")
	url := flags.String("url", "https://credit.j-payment.co.jp/", "`base` of the gateway for that capture")
	if err := flags.Parse(args); err != nil {
		return err
	}
	switch {
	case *store == "" && *payment == "":
		return tour(ctx, out)
	case *store == "" || *payment == "":
		return errors.New("-store and -payment go together")
	default:
		return capture(ctx, *url, *store, *payment, in, out)
	}
}

// tour captures, cancels and re-authorises payments at a simulated gateway.
func tour(ctx context.Context, out io.Writer) error {
	gateway := jpaymenttest.Start()
	defer gateway.Close()
	book := gateway.Authorize(jpaymenttest.Authorization{Amount: 1000, Tax: 80, Shipping: 500, OrderNumber: "book"})
	lamp := gateway.Authorize(jpaymenttest.Authorization{Amount: 8000, Tax: 800, OrderNumber: "lamp"})
	tea := gateway.Authorize(jpaymenttest.Authorization{Amount: 3000, Tax: 240, Shipping: 500, OrderNumber: "tea"})
	cup := gateway.Authorize(jpaymenttest.Authorization{Amount: 2000, OrderNumber: "cup", Decline: "G1242G120000"})

	client, err := jpayment.NewClient("123456", jpayment.WithBaseURL(gateway.URL))
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "A simulated gateway runs in this process. Store 123456 has four authorised payments (仮売上).\n\n")
	line := func(what, which, text string) {
		fmt.Fprintf(out, "%-17s %-6s %s\n", what, which, text)
	}
	show := func(what string, res *jpayment.Result, err error) {
		requests := gateway.Requests()
		last := requests[len(requests)-1]
		line(what, "sent", string(last.Body))
		line("", "back", strings.TrimSpace(string(last.Answer)))
		line("", "means", meaning(res, err))
		if err != nil {
			line("", "next", jpayment.NextOf(err).En)
		}
		fmt.Fprintln(out)
	}

	res, err := client.Sales(ctx, jpayment.SalesRequest{PaymentID: book})
	show("capture the book", res, err)
	res, err = client.Cancel(ctx, jpayment.CancelRequest{PaymentID: lamp})
	show("cancel the lamp", res, err)
	res, err = client.ReAuth(ctx, jpayment.ReAuthRequest{PaymentID: tea, Amount: 1500, Tax: 120, Shipping: 500})
	show("half of the tea", res, err)
	res, err = client.Sales(ctx, jpayment.SalesRequest{PaymentID: cup})
	show("capture the cup", res, err)
	fmt.Fprintf(out, "Somebody removes this machine's IP address from the store's settings.\n\n")
	gateway.RegisterIPs() // no address at all
	res, err = client.Cancel(ctx, jpayment.CancelRequest{PaymentID: cup})
	show("cancel the cup", res, err)

	fmt.Fprintln(out, "the books afterwards")
	for _, p := range gateway.Payments() {
		fmt.Fprintf(out, "  %s  %-4s  %-10s  %5d yen\n", p.ID, p.OrderNumber, p.State, p.Amount+p.Tax+p.Shipping)
	}
	return nil
}

// meaning describes the outcome of a call.
func meaning(res *jpayment.Result, err error) string {
	if err == nil {
		return fmt.Sprintf("done: payment %s, %s yen", res.PaymentID, res.Total)
	}
	return fmt.Sprintf("%s: %s", jpayment.OutcomeOf(err), jpayment.WhatOf(err))
}

// capture captures one payment, after confirmation.
func capture(ctx context.Context, url, store, payment string, in io.Reader, out io.Writer) error {
	client, err := jpayment.NewClient(store, jpayment.WithBaseURL(url))
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "Capture payment %s of store %s at %s?\nThe cardholder will be charged. Type yes to continue: ", payment, store, url)
	answer, err := bufio.NewReader(in).ReadString('\n')
	if strings.TrimSpace(answer) != "yes" {
		return errors.Join(errors.New("nothing was sent"), ignoreEOF(err))
	}
	res, err := client.Sales(ctx, jpayment.SalesRequest{PaymentID: payment})
	if err != nil {
		return err
	}
	fmt.Fprintln(out, meaning(res, nil))
	return nil
}

func ignoreEOF(err error) error {
	if errors.Is(err, io.EOF) {
		return nil
	}
	return err
}

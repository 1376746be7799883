// Jpayment is the command line of the package jpayment: single operations by hand and
// whole files of them, explanations of codes and replies, checks of the way to the
// gateway, and a simulated gateway for clients in every language.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"github.com/jpayment-go/jpayment/cmd/jpayment/internal/cli"
)

func main() { os.Exit(run()) }

func run() int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // A second signal ends the process at once.
	return cli.Run(ctx, os.Args[1:], os.Getenv, os.Stdin, os.Stdout, os.Stderr)
}

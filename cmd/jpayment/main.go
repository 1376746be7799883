// Jpayment is the command line of the package jpayment. It sends single operations and
// whole files of them, explains codes and replies, checks the connection to the gateway,
// and runs a simulated gateway for clients in any language.
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
	context.AfterFunc(ctx, stop) // A second signal kills the process.
	return cli.Run(ctx, os.Args[1:], os.Getenv, os.Stdin, os.Stdout, os.Stderr)
}

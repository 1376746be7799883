//go:build linux

// Campaign tests the package fulfilment with real processes: the command itself, a separate
// worker with order code, a simulated gateway that loses, cuts and garbles its replies, and
// operators. It kills and suspends them, ends their connections, restarts Postgres, fills the
// disk, locks the file and sets the clock. Then it compares the results with the gateway's
// books. It requires Linux.
//
//	go run ./campaign [-for 1m] [-seed N] [-on postgres,sqlite] [-rate 8]
//
// It starts its own Postgres, since it restarts it without warning.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// options are common to all campaigns of a run.
type options struct {
	length time.Duration // of the faults
	seed   uint64
	rate   float64 // orders per second
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if text := os.Getenv(workerVariable); text != "" {
		if err := work(ctx, text); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	found, err := run(ctx)
	stop()
	switch {
	case err != nil:
		fmt.Fprintln(os.Stderr, "campaign:", err)
		os.Exit(2)
	case found:
		os.Exit(1)
	}
}

// run runs the campaigns, one after the other, and reports whether they found anything.
func run(ctx context.Context) (found bool, err error) {
	length := flag.Duration("for", time.Minute, "total `duration` of the faults, over all databases")
	seed := flag.Uint64("seed", 0, "`seed` of the random plan; 0 means a random seed")
	on := flag.String("on", "postgres,sqlite", "the `databases`")
	rate := flag.Float64("rate", 8, "orders per second")
	flag.Parse()
	databases := strings.Split(*on, ",")
	for _, name := range databases {
		if name != "postgres" && name != "sqlite" {
			return false, fmt.Errorf("-on %s: %q is not postgres or sqlite", *on, name)
		}
	}
	each := *length / time.Duration(len(databases))
	if flag.NArg() > 0 || each < 5*time.Second || !(*rate > 0 && *rate <= 100) {
		return false, errors.New("-for must be at least 5 s for each database, -rate must be above 0 and at most 100, and there are no other arguments")
	}
	if *seed == 0 {
		*seed = rand.Uint64N(1e6) //nolint:gosec // It needs no secrecy.
	}
	dir, err := os.MkdirTemp("", "campaign")
	if err != nil {
		return false, err
	}
	defer func() {
		if found || err != nil {
			fmt.Println("The logs of the processes are in", dir)
			return
		}
		err = os.RemoveAll(dir)
	}()
	command := filepath.Join(dir, "jpayment")
	build := exec.CommandContext(ctx, "go", "build", "-o", command, "github.com/jpayment-go/jpayment/cmd/jpayment") //nolint:gosec // The program under test.
	if out, err := build.CombinedOutput(); err != nil {
		return false, fmt.Errorf("building the command: %w\n%s", err, out)
	}
	self, err := os.Executable()
	if err != nil {
		return false, err
	}
	fmt.Printf("repeat with: go run ./campaign -for %v -seed %d -on %s -rate %v\n", *length, *seed, *on, *rate)
	for _, name := range databases {
		c := &campaign{options: options{each, *seed, *rate}, database: name, command: command, self: self, dir: filepath.Join(dir, name)}
		if err := c.hold(ctx); err != nil {
			return found, fmt.Errorf("%s: %w", name, err)
		}
		c.print(os.Stdout)
		found = found || len(c.findings) > 0
	}
	return found, nil
}

// hold runs a campaign on its database.
func (c *campaign) hold(ctx context.Context) (err error) {
	if err := os.MkdirAll(c.dir, 0o700); err != nil {
		return err
	}
	if c.database == "postgres" {
		if c.server, err = startServer(ctx); err != nil {
			return err
		}
		defer func() { err = errors.Join(err, c.server.stop(context.WithoutCancel(ctx))) }()
		c.rhythm, c.address = onPostgres, address{Postgres: c.server.url, KickbackWait: 15 * time.Second}
		return c.run(ctx)
	}
	if c.disk, err = newDisk(filepath.Join(c.dir, "disk")); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, c.disk.remove()) }()
	c.rhythm, c.address = onSQLite, address{SQLite: filepath.Join(c.disk.dir, "orders.db")}
	c.clock = filepath.Join(c.dir, "clock")
	return c.run(ctx)
}

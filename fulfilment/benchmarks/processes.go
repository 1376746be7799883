package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/jpayment-go/jpayment"
	"github.com/jpayment-go/jpayment/fulfilment"
)

const roleVariable = "JPAYMENT_FULFILMENT_BENCHMARK"

// start starts this program again in another role. The process ends when its standard input is
// closed.
func start(role string, args ...string) (says string, stop func(), err error) {
	self, err := os.Executable()
	if err != nil {
		return "", nil, err
	}
	cmd := exec.Command(self, args...)
	cmd.Env = append(os.Environ(), roleVariable+"="+role)
	cmd.Stderr = os.Stderr
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return "", nil, err
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return "", nil, err
	}
	if err := cmd.Start(); err != nil {
		return "", nil, err
	}
	stop = sync.OnceFunc(func() { stdin.Close(); cmd.Wait() })
	says, err = bufio.NewReader(stdout).ReadString('\n')
	if err != nil {
		stop()
		return "", nil, fmt.Errorf("the %s did not start: %w", role, err)
	}
	return strings.TrimSpace(says), stop, nil
}

// serve approves every capture, after a delay. The simulated gateway is not used, since its
// books would affect the measurements.
func serve(latency string) error {
	wait, err := time.ParseDuration(latency)
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	fmt.Printf("http://%s/\n", listener.Addr())
	go func() {
		io.Copy(io.Discard, os.Stdin)
		os.Exit(0)
	}()
	return http.Serve(listener, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		time.Sleep(wait)
		fmt.Fprintf(w, "%s,1,0001112,,20000001,,1000,80,500,1580,,,\r\n", r.FormValue("tid"))
	}))
}

// work runs a worker process.
func work(ctx context.Context, at, gateway string) error {
	client, err := newClient(gateway)
	if err != nil {
		return err
	}
	db, err := address(at).open(ctx)
	if err != nil {
		return err
	}
	defer db.close()
	ctx, stop := context.WithCancel(ctx)
	go func() {
		io.Copy(io.Discard, os.Stdin)
		stop()
	}()
	fmt.Println("here")
	return db.Run(ctx, client, workerConfig())
}

// database is a queue of either kind.
type database struct {
	queue
	address address
	// span returns the start of the first attempt and the end of the last one, in microseconds.
	span func(ctx context.Context) (began, ended int64, err error)
	// settleHalf marks half of the jobs as done, without a gateway, and updates the database's
	// statistics.
	settleHalf func(ctx context.Context) error
	// close closes the connections; remove also removes the database.
	close  func()
	remove func(ctx context.Context) error
}

type queue interface {
	Migrate(ctx context.Context) error
	EnqueueAll(ctx context.Context, rs []fulfilment.Request) ([]fulfilment.Job, error)
	Attempts(ctx context.Context, jobID int64) ([]fulfilment.Attempt, error)
	Status(ctx context.Context, batch string) (fulfilment.Status, error)
	Run(ctx context.Context, gateway jpayment.Gateway, cfg fulfilment.WorkerConfig) error
}

// address is the path of a SQLite file, or a Postgres URL, a space and a schema.
type address string

func (a address) open(ctx context.Context) (*database, error) {
	const span = "SELECT MIN(started_at), MAX(ended_at) FROM %sjpayment_attempt"
	const half = "UPDATE %sjpayment_job SET state = 'done', holds = 0 WHERE state = 'waiting' AND id %% 2 = 0; %s"
	url, schema, postgres := strings.Cut(string(a), " ")
	if !postgres {
		db, err := fulfilment.OpenSQLite(string(a))
		if err != nil {
			return nil, err
		}
		q, err := fulfilment.NewSQLite(db, fulfilment.Config{StoreID: storeID})
		return &database{
			queue: q, address: a,
			span: func(ctx context.Context) (began, ended int64, err error) {
				err = db.QueryRowContext(ctx, fmt.Sprintf(span, "")).Scan(&began, &ended)
				return began, ended, err
			},
			settleHalf: func(ctx context.Context) error {
				_, err := db.ExecContext(ctx, fmt.Sprintf(half, "", "ANALYZE"))
				return err
			},
			close:  func() { db.Close() },
			remove: func(context.Context) error { return db.Close() }, // The whole folder is removed later.
		}, err
	}
	pool, err := pgxpool.New(ctx, url)
	if err != nil {
		return nil, err
	}
	q, err := fulfilment.NewPostgres(pool, fulfilment.Config{StoreID: storeID, Schema: schema})
	return &database{
		queue: q, address: a,
		span: func(ctx context.Context) (began, ended int64, err error) {
			err = pool.QueryRow(ctx, fmt.Sprintf(span, schema+".")).Scan(&began, &ended)
			return began, ended, err
		},
		settleHalf: func(ctx context.Context) error {
			for _, statement := range []string{fmt.Sprintf(half, schema+".", ""), "VACUUM ANALYZE " + schema + ".jpayment_job", "VACUUM ANALYZE " + schema + ".river_job"} {
				if _, err := pool.Exec(ctx, statement); err != nil {
					return err
				}
			}
			return nil
		},
		close: pool.Close,
		remove: func(ctx context.Context) error {
			defer pool.Close()
			_, err := pool.Exec(context.WithoutCancel(ctx), "DROP SCHEMA IF EXISTS "+pgx.Identifier{schema}.Sanitize()+" CASCADE")
			return err
		},
	}, err
}

// finished waits until n jobs are done, each by one attempt, and returns how long they took.
func (db *database) finished(ctx context.Context, n int) (time.Duration, error) {
	for poll := time.Tick(20 * time.Millisecond); ; {
		st, err := db.Status(ctx, "")
		if err != nil {
			return 0, err
		}
		if st.Done == int64(n) {
			break
		}
		if st.Refused+st.Review > 0 || st.Paused != nil {
			return 0, errors.New("a job was refused or is in review, or the store is paused")
		}
		select {
		case <-poll:
		case <-ctx.Done():
			return 0, ctx.Err()
		}
	}
	began, ended, err := db.span(ctx)
	return time.Duration(ended-began) * time.Microsecond, err
}

// Benchmarks measures the package fulfilment: jobs per second with several worker processes,
// the cost of a job compared with River alone, in deep queues and compared with a direct call,
// and how fast requests are recorded. The workers and the gateway are separate processes. On a
// shared machine the numbers differ between runs. The values of one table are measured in
// turns, so their ratios are reproducible.
//
//	go run ./benchmarks [-postgres URL] [-rounds 3] [-jobs 600] [-deepest 100000] [-out ../docs]
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"golang.org/x/time/rate"

	"github.com/jpayment-go/jpayment"
	"github.com/jpayment-go/jpayment/fulfilment"
)

const (
	storeID     = "123456"
	concurrency = 16
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx); err != nil {
		fmt.Fprintln(os.Stderr, err)
		stop()
		os.Exit(1)
	}
}

func run(ctx context.Context) error {
	switch os.Getenv(roleVariable) {
	case "gateway":
		return serve(os.Args[1])
	case "worker":
		return work(ctx, os.Args[1], os.Args[2])
	}
	postgres := flag.String("postgres", os.Getenv("JPAYMENT_TEST_POSTGRES"), "Postgres `URL`; without it only SQLite is measured")
	rounds := flag.Int("rounds", 3, "rounds of each measurement; the tables show the medians")
	jobs := flag.Int("jobs", 600, "jobs in each measurement")
	deepest := flag.Int("deepest", 100_000, "jobs in the deepest queue")
	out := flag.String("out", "", "`folder` for fulfilment-benchmarks.md")
	flag.Parse()
	if flag.NArg() > 0 || *rounds < 1 || *jobs < concurrency || *deepest < 100 {
		return errors.New("usage: go run ./benchmarks [-postgres URL] [-rounds N] [-jobs N] [-deepest N] [-out FOLDER]")
	}
	dir, err := os.MkdirTemp("", "")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	m := measurement{rounds: *rounds, jobs: *jobs, deepest: *deepest, dir: dir, postgres: *postgres, databases: []string{"SQLite"}}
	if *postgres != "" {
		m.databases = append(m.databases, "Postgres")
	}
	command := fmt.Sprintf("cd fulfilment && go run ./benchmarks -rounds %d -jobs %d -deepest %d -out ../docs", *rounds, *jobs, *deepest)
	page := []string{
		"# What fulfilment costs",
		fmt.Sprintf("`%s` measures everything and writes this page. It includes Postgres if `JPAYMENT_TEST_POSTGRES` is a Postgres URL. Measured with %s on %s/%s, with %d cores shared by the workers, the gateway and the database. The absolute numbers are those of this machine; only their ratios are reproducible. Rounds of each measurement, taken in turns: %d; the tables show the medians. Back to [fulfilment.md](fulfilment.md).",
			command, runtime.Version(), runtime.GOOS, runtime.GOARCH, runtime.NumCPU(), *rounds),
	}
	for _, part := range []func(context.Context) (string, error){m.throughput, m.floor, m.depth, m.cost, m.enqueueing, m.reaction} {
		text, err := part(ctx)
		if err != nil {
			return err
		}
		fmt.Println(text)
		page = append(page, strings.TrimSpace(text), "Measured by `"+command+"`.")
	}
	if *out == "" {
		return nil
	}
	return os.WriteFile(filepath.Join(*out, "fulfilment-benchmarks.md"), []byte(strings.Join(page, "\n\n")+"\n"), 0o644)
}

// measurement is shared by all parts of the page.
type measurement struct {
	rounds, jobs, deepest int

	dir       string
	postgres  string
	databases []string
	opened    int
}

// open creates an empty database.
func (m *measurement) open(ctx context.Context, name string) (*database, error) {
	m.opened++
	at := address(filepath.Join(m.dir, fmt.Sprintf("%d.db", m.opened)))
	if name == "Postgres" {
		at = address(fmt.Sprintf("%s %s", m.postgres, fmt.Sprintf("jpayment_benchmark_%d_%d", os.Getpid(), m.opened)))
	}
	db, err := at.open(ctx)
	if err != nil {
		return nil, err
	}
	if err := db.Migrate(ctx); err != nil {
		return nil, errors.Join(err, db.remove(ctx))
	}
	return db, nil
}

// throughput measures several worker processes that work a backlog. The time is from the start
// of the first attempt to the end of the last one, as recorded in the database, so it excludes
// the start of the processes.
func (m *measurement) throughput(ctx context.Context) (string, error) {
	latencies, workers := []time.Duration{0, 50 * time.Millisecond}, []int{1, 2, 4}
	type cell struct {
		database string
		latency  time.Duration
		workers  int
	}
	samples := map[cell][]float64{}
	for _, latency := range latencies {
		gateway, stop, err := start("gateway", latency.String())
		if err != nil {
			return "", err
		}
		defer stop()
		for range m.rounds {
			for _, n := range workers {
				for _, name := range m.databases {
					perSecond, err := m.worked(ctx, name, gateway, n)
					if err != nil {
						return "", fmt.Errorf("%s, %v, %d workers: %w", name, latency, n, err)
					}
					c := cell{name, latency, n}
					samples[c] = append(samples[c], perSecond)
				}
			}
		}
		stop()
	}
	var b strings.Builder
	fmt.Fprintf(&b, "## Jobs per second\n\nWorker processes with `Concurrency: %d` and `Rate: rate.Inf` work a backlog of %d captures. The gateway answers at once or after 50 ms; at 50 ms, %d simultaneous calls limit each worker to %d per second. The default rate is 10 per second.\n\n| database | gateway delay | 1 worker | 2 workers | 4 workers |\n|---|---|---:|---:|---:|\n", concurrency, m.jobs, concurrency, concurrency*1000/50)
	for _, name := range m.databases {
		for _, latency := range latencies {
			fmt.Fprintf(&b, "| %s | %d ms |", name, latency.Milliseconds())
			for _, n := range workers {
				fmt.Fprintf(&b, " %.0f |", median(samples[cell{name, latency, n}]))
			}
			b.WriteString("\n")
		}
	}
	return b.String(), nil
}

func (m *measurement) worked(ctx context.Context, name, gateway string, workers int) (perSecond float64, err error) {
	db, err := m.open(ctx, name)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, db.remove(ctx)) }()
	if _, err := db.EnqueueAll(ctx, sales(m.jobs)); err != nil {
		return 0, err
	}
	for range workers {
		_, stop, err := start("worker", string(db.address), gateway)
		if err != nil {
			return 0, err
		}
		defer stop()
	}
	took, err := db.finished(ctx, m.jobs)
	return float64(m.jobs) / took.Seconds(), err
}

// cost compares a job with a direct call, both in one process.
func (m *measurement) cost(ctx context.Context) (string, error) {
	gateway, stop, err := start("gateway", "0s")
	if err != nil {
		return "", err
	}
	defer stop()
	client, err := newClient(gateway)
	if err != nil {
		return "", err
	}
	names := append([]string{"direct call"}, m.databases...)
	wall, cpu := make([][]float64, len(names)), make([][]float64, len(names))
	for range m.rounds {
		for i, name := range names {
			var took, used time.Duration
			if i == 0 {
				before, began := cpuTime(), time.Now()
				if err := callDirectly(ctx, client, m.jobs); err != nil {
					return "", err
				}
				took, used = time.Since(began), cpuTime()-before
			} else if took, used, err = m.workedHere(ctx, name, client); err != nil {
				return "", err
			}
			wall[i] = append(wall[i], float64(took.Microseconds())/float64(m.jobs))
			cpu[i] = append(cpu[i], float64(used.Microseconds())/float64(m.jobs))
		}
	}
	var b strings.Builder
	fmt.Fprintf(&b, "## Cost of a job compared with a direct call\n\nThe same captures with one client and a gateway that answers at once, %d at a time: called directly, and as jobs in the same process. The table shows the elapsed time per job and the CPU time of this process; Postgres uses CPU time of its own in addition. Compared with a call that takes 50 ms, a job adds a few per cent.\n\n| | time, µs | CPU, µs | time, ratio to the call | CPU, ratio to the call |\n|---|---:|---:|---:|---:|\n", concurrency)
	for i, name := range names {
		label := name
		if i > 0 {
			label = "a job on " + name
		}
		fmt.Fprintf(&b, "| %s | %.0f | %.0f | %.1f | %.1f |\n", label, median(wall[i]), median(cpu[i]), median(wall[i])/median(wall[0]), median(cpu[i])/median(cpu[0]))
	}
	return b.String(), nil
}

func (m *measurement) workedHere(ctx context.Context, name string, client *jpayment.Client) (took, used time.Duration, err error) {
	db, err := m.open(ctx, name)
	if err != nil {
		return 0, 0, err
	}
	defer func() { err = errors.Join(err, db.remove(ctx)) }()
	if _, err := db.EnqueueAll(ctx, sales(m.jobs)); err != nil {
		return 0, 0, err
	}
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	ended := make(chan error, 1)
	before := cpuTime()
	go func() { ended <- db.Run(ctx, client, workerConfig()) }()
	if took, err = db.finished(ctx, m.jobs); err != nil {
		return 0, 0, err
	}
	used = cpuTime() - before
	stop()
	return took, used, <-ended
}

func callDirectly(ctx context.Context, client *jpayment.Client, n int) error {
	ids, errs := make(chan int), make(chan error, concurrency)
	for range concurrency {
		go func() {
			var first error
			for id := range ids {
				if _, err := client.Sales(ctx, jpayment.SalesRequest{PaymentID: paymentID(id)}); err != nil && first == nil {
					first = err
				}
			}
			errs <- first
		}()
	}
	for i := range n {
		ids <- i
	}
	close(ids)
	var all error
	for range concurrency {
		all = errors.Join(all, <-errs)
	}
	return all
}

// enqueueing records requests one by one and in batches, each in one durable transaction.
func (m *measurement) enqueueing(ctx context.Context) (string, error) {
	sizes := []int{1, 500}
	samples := map[string][][]float64{}
	for range m.rounds {
		for _, name := range m.databases {
			if samples[name] == nil {
				samples[name] = make([][]float64, len(sizes))
			}
			for i, size := range sizes {
				db, err := m.open(ctx, name)
				if err != nil {
					return "", err
				}
				n := max(m.jobs/2, min(size*4, 2000))
				all, began := sales(n), time.Now()
				for batch := range slices.Chunk(all, size) {
					if _, err := db.EnqueueAll(ctx, batch); err != nil {
						return "", errors.Join(err, db.remove(ctx))
					}
				}
				samples[name][i] = append(samples[name][i], float64(n)/time.Since(began).Seconds())
				if err := db.remove(ctx); err != nil {
					return "", err
				}
			}
		}
	}
	var b strings.Builder
	b.WriteString("## Enqueueing requests\n\nRequests per second from one caller, with one and with 500 requests per transaction. Each commit is durable.\n\n| database | 1 per transaction | 500 per transaction |\n|---|---:|---:|\n")
	for _, name := range m.databases {
		fmt.Fprintf(&b, "| %s | %.0f | %.0f |\n", name, median(samples[name][0]), median(samples[name][1]))
	}
	return b.String(), nil
}

// reaction measures how long a request waits for an idle worker in another process.
func (m *measurement) reaction(ctx context.Context) (string, error) {
	gateway, stop, err := start("gateway", "0s")
	if err != nil {
		return "", err
	}
	defer stop()
	var b strings.Builder
	b.WriteString("## Latency\n\nMilliseconds from the commit of a request until an idle worker in another process starts its attempt, for 30 requests in sequence.\n\n| database | median | 90 % within |\n|---|---:|---:|\n")
	for _, name := range m.databases {
		waits, err := m.waits(ctx, name, gateway)
		if err != nil {
			return "", err
		}
		slices.Sort(waits)
		fmt.Fprintf(&b, "| %s | %.0f | %.0f |\n", name, median(waits), waits[len(waits)*9/10])
	}
	return b.String(), nil
}

func (m *measurement) waits(ctx context.Context, name, gateway string) (waits []float64, err error) {
	db, err := m.open(ctx, name)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, db.remove(ctx)) }()
	_, stop, err := start("worker", string(db.address), gateway)
	if err != nil {
		return nil, err
	}
	defer stop()
	for i, r := range sales(33) {
		jobs, err := db.EnqueueAll(ctx, []fulfilment.Request{r})
		if err != nil {
			return nil, err
		}
		committed := time.Now()
		if _, err := db.finished(ctx, i+1); err != nil {
			return nil, err
		}
		attempts, err := db.Attempts(ctx, jobs[0].ID)
		if err != nil {
			return nil, err
		}
		if i >= 3 { // The worker has started.
			waits = append(waits, attempts[0].StartedAt.Sub(committed).Seconds()*1000)
		}
	}
	return waits, nil
}

func workerConfig() fulfilment.WorkerConfig {
	return fulfilment.WorkerConfig{Concurrency: concurrency, Rate: rate.Inf}
}

func newClient(gateway string) (*jpayment.Client, error) {
	return jpayment.NewClient(storeID, jpayment.WithBaseURL(gateway), jpayment.WithRetry(jpayment.RetryPolicy{MaxAttempts: 1}))
}

func paymentID(i int) string { return fmt.Sprint(10000001 + i) }

func sales(n int) []fulfilment.Request {
	all := make([]fulfilment.Request, n)
	for i := range all {
		all[i] = sale(i)
	}
	return all
}

func sale(i int) fulfilment.Request {
	return fulfilment.Sales(fmt.Sprint("order-", i), jpayment.SalesRequest{PaymentID: paymentID(i)})
}

// median and cpuTime also exist in the module benchmarks, which shares no code with this one.
func median(xs []float64) float64 {
	xs = slices.Sorted(slices.Values(xs))
	return (xs[(len(xs)-1)/2] + xs[len(xs)/2]) / 2
}

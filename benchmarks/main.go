// Benchmarks compares the cost of the package jpayment with other clients: captures, reading
// replies, throughput and the size of a program. The contenders take turns in blocks of
// calls, in random order, against a server in another process. On a shared machine absolute
// times mean little, but their ratios are repeatable.
//
//	go run . [-rounds 300] [-out ../docs]
package main

import (
	"bufio"
	"cmp"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"
)

const (
	serverVariable      = "JPAYMENT_BENCHMARK_SERVER"
	latencyVariable     = "JPAYMENT_BENCHMARK_LATENCY"
	certificateVariable = "JPAYMENT_BENCHMARK_CERTIFICATE"
	blockCalls          = 50
)

func main() {
	if os.Getenv(serverVariable) != "" {
		exitOn(serve())
		return
	}
	rounds := flag.Int("rounds", 300, "the number of turns of each contender")
	out := flag.String("out", "", "the `folder` to write benchmarks.md and benchmarks.svg to")
	flag.Parse()
	exitOn(run(*rounds, *out))
}

func exitOn(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(rounds int, out string) error {
	// Throughput and size may use all cores, so they come first.
	pair, err := newCertificate()
	if err != nil {
		return err
	}
	certificate = pair
	remove, err := trustServer(pair)
	if err != nil {
		return err
	}
	defer remove()
	calls, err := throughput()
	if err != nil {
		return err
	}
	size, err := sizeTable()
	if err != nil {
		return err
	}

	runtime.GOMAXPROCS(1)
	pin()
	base, stop, err := startServer(0, false)
	if err != nil {
		return err
	}
	defer stop()
	all, err := contenders(base)
	if err != nil {
		return err
	}
	captures, err := measure(all, rounds, blockCalls)
	if err != nil {
		return err
	}
	read, err := reading(rounds)
	if err != nil {
		return err
	}
	page := fmt.Sprintf(`# Benchmarks

`+"`cd benchmarks && go run . -rounds %d -out ../docs`"+` writes this page. %s, %s/%s. The contenders take turns in random order. Times and ratios are medians over the rounds. On a shared machine absolute times mean little; compare the ratios.

## A capture

Over one kept-alive connection, on one core shared with the server; %d rounds of %d calls.

%s
![Time against net/http alone](benchmarks.svg)

## Reading a reply

`+"`ParseReply`"+` compared with encoding/csv and strconv, plus golang.org/x/text for a reply in Shift_JIS; %d rounds of %d replies.

%s
## Throughput

Calls per second as medians of %d turns, and the number of connections that the server saw opened in all turns. `+"`DefaultTransport`"+` is net/http's; tuned is net/http with 64 connections. In a burst all callers call at once. A turn has ten bursts, or a hundred if the server answers without delay.

%s
## Size

The size of a program that makes one capture, with net/http's PostForm and with the package. It is built by `+"`go build -trimpath`"+`, and stripped with `+"`-ldflags=\"-s -w\"`"+`. Much of the difference is the tables of golang.org/x/text for Shift_JIS. `+"`WithLogger`"+`, which is not used here, adds the handlers of log/slog.

%s`,
		rounds, runtime.Version(), runtime.GOOS, runtime.GOARCH,
		rounds, blockCalls, markdown(captures, "net/http"),
		rounds, readingCalls, markdown(read, "encoding/csv"),
		throughputTurns, calls, size)
	fmt.Print(page)
	if out == "" {
		return nil
	}
	if err := os.WriteFile(filepath.Join(out, "benchmarks.md"), []byte(page), 0o644); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(out, "benchmarks.svg"), []byte(svg(captures)), 0o644)
}

// certificate is the server's certificate with its key.
var certificate []byte

// startServer starts this program again as the server.
func startServer(latency time.Duration, secure bool) (base string, stop func(), err error) {
	self, err := os.Executable()
	if err != nil {
		return "", nil, err
	}
	cmd := exec.Command(self)
	cmd.Env = append(os.Environ(), serverVariable+"=1", latencyVariable+"="+latency.String())
	if secure {
		cmd.Env = append(cmd.Env, certificateVariable+"="+string(certificate))
	}
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
	line, err := bufio.NewReader(stdout).ReadString('\n')
	if err != nil {
		return "", nil, err
	}
	return strings.TrimSpace(line), func() { stdin.Close(); cmd.Wait() }, nil
}

// result is the cost of one call of a contender.
type result struct {
	name          string
	ns, cpu       float64 // nanoseconds: elapsed, and of this process's CPU time
	allocs, bytes float64
	ratio         float64 // of ns to the first contender's in the same round
}

// measure lets the contenders take turns of the given number of calls. Times are medians over
// the rounds.
func measure(all []contender, rounds, calls int) ([]result, error) {
	type sample struct{ ns, cpu, allocs, bytes, ratio []float64 }
	samples := make([]sample, len(all))
	for _, c := range all { // Open the connections.
		for range calls {
			if err := c.call(); err != nil {
				return nil, fmt.Errorf("%s: %w", c.name, err)
			}
		}
	}
	for range rounds {
		ns := make([]float64, len(all))
		for _, i := range rand.Perm(len(all)) {
			runtime.GC()
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			cpu, start := cpuTime(), time.Now()
			for range calls {
				if err := all[i].call(); err != nil {
					return nil, fmt.Errorf("%s: %w", all[i].name, err)
				}
			}
			elapsed, used := time.Since(start), cpuTime()-cpu
			runtime.ReadMemStats(&after)
			ns[i] = float64(elapsed) / float64(calls)
			samples[i].ns = append(samples[i].ns, ns[i])
			samples[i].cpu = append(samples[i].cpu, float64(used)/float64(calls))
			samples[i].allocs = append(samples[i].allocs, float64(after.Mallocs-before.Mallocs)/float64(calls))
			samples[i].bytes = append(samples[i].bytes, float64(after.TotalAlloc-before.TotalAlloc)/float64(calls))
		}
		for i := range all {
			samples[i].ratio = append(samples[i].ratio, ns[i]/ns[0])
		}
	}
	results := make([]result, len(all))
	for i, s := range samples {
		results[i] = result{all[i].name, median(s.ns), median(s.cpu), median(s.allocs), median(s.bytes), median(s.ratio)}
	}
	return results, nil
}

func median(xs []float64) float64 {
	xs = slices.Sorted(slices.Values(xs))
	return (xs[(len(xs)-1)/2] + xs[len(xs)/2]) / 2
}

func markdown(results []result, against string) string {
	var b strings.Builder
	b.WriteString("| | time, µs | CPU, µs | allocations | KB | time against " + against + " |\n|---|---:|---:|---:|---:|---:|\n")
	for _, r := range results {
		fmt.Fprintf(&b, "| %s | %.2f | %.2f | %.0f | %.1f | %.2f |\n", r.name, r.ns/1e3, r.cpu/1e3, r.allocs, r.bytes/1e3, r.ratio)
	}
	return b.String()
}

// svg draws the ratios as bars.
func svg(results []result) string {
	const width, row, label = 720, 30, 250
	longest := slices.MaxFunc(results, func(a, b result) int { return cmp.Compare(a.ratio, b.ratio) }).ratio
	var b strings.Builder
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" font-family="sans-serif" font-size="14" role="img" aria-label="Time of a capture against net/http alone">`+"\n", width, row*len(results)+10)
	io.WriteString(&b, `<style>text{fill:#333}rect{fill:#9aa7b5}.own{fill:#2f6f4f}@media(prefers-color-scheme:dark){text{fill:#ddd}rect{fill:#66727f}.own{fill:#5fae86}}</style>`+"\n")
	for i, r := range results {
		class := ""
		if r.name == "jpayment" {
			class = ` class="own"`
		}
		y := 5 + row*i
		length := r.ratio / longest * (width - label - 60)
		fmt.Fprintf(&b, `<text x="%d" y="%d" text-anchor="end">%s</text><rect%s x="%d" y="%d" width="%.0f" height="%d" rx="2"/><text x="%.0f" y="%d">%.2f</text>`+"\n",
			label-10, y+19, r.name, class, label, y+4, length, row-10, label+length+8, y+19, r.ratio)
	}
	b.WriteString("</svg>\n")
	return b.String()
}

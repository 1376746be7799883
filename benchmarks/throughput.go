package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/jpayment-go/jpayment"
)

// load is a pattern of calls.
type load struct {
	callers int
	latency time.Duration // of the server
	burst   bool          // all callers call once at the same time, repeatedly, over TLS; otherwise each calls continuously
}

func (l load) String() string {
	kind := "steady"
	if l.burst {
		kind = "bursts over TLS"
	}
	return fmt.Sprintf("%d, %v, %s", l.callers, l.latency, kind)
}

// loads returns all loads.
func loads() (all []load) {
	for _, burst := range []bool{false, true} {
		for _, latency := range []time.Duration{0, 20 * time.Millisecond} {
			for _, callers := range []int{1, 4, 16, 64} {
				all = append(all, load{callers, latency, burst})
			}
		}
	}
	return all
}

// throughputTurns is odd, so that each median is a measured value.
const throughputTurns = 7

// throughput compares the client with net/http's default transport, and with one that keeps
// as many connections as the client. They take turns, each with a server of its own.
func throughput() (string, error) {
	var b strings.Builder
	b.WriteString("| callers, latency, kind | jpayment, calls/s | connections | DefaultTransport, calls/s | connections | tuned net/http, calls/s | connections | jpayment against tuned |\n|---|---:|---:|---:|---:|---:|---:|---:|\n")
	for _, l := range loads() {
		row, err := l.row()
		if err != nil {
			return "", fmt.Errorf("%s: %w", l, err)
		}
		b.WriteString(row)
	}
	return b.String(), nil
}

// row measures a load and returns its row of the table.
func (l load) row() (string, error) {
	names := [...]string{"jpayment", "default", "tuned"}
	var (
		bases [len(names)]string
		calls [len(names)]func() error
		rates [len(names)][]float64
		ratio []float64
	)
	for i, name := range names {
		base, stop, err := startServer(l.latency, l.burst)
		if err != nil {
			return "", err
		}
		defer stop()
		bases[i] = base
		if calls[i], err = caller(name, base); err != nil {
			return "", err
		}
	}
	for turn := range throughputTurns {
		for _, i := range rand.Perm(len(names)) {
			rate, err := l.run(calls[i])
			if err != nil {
				return "", fmt.Errorf("%s: %w", names[i], err)
			}
			rates[i] = append(rates[i], rate)
		}
		ratio = append(ratio, rates[0][turn]/rates[len(names)-1][turn])
	}
	row := fmt.Sprintf("| %s |", l)
	for i := range names {
		opened, err := connections(bases[i])
		if err != nil {
			return "", err
		}
		row += fmt.Sprintf(" %.0f | %s |", median(rates[i]), opened)
	}
	return row + fmt.Sprintf(" %.2f |\n", median(ratio)), nil
}

// caller returns a function that makes one call with a new client.
func caller(name, base string) (func() error, error) {
	if name == "jpayment" {
		client, err := jpayment.NewClient("123456", jpayment.WithBaseURL(base))
		if err != nil {
			return nil, err
		}
		return func() error {
			_, err := client.Sales(context.Background(), jpayment.SalesRequest{PaymentID: paymentID})
			return err
		}, nil
	}
	transport, ok := http.DefaultTransport.(*http.Transport)
	if !ok {
		return nil, fmt.Errorf("the default transport is a %T", http.DefaultTransport)
	}
	transport = transport.Clone()
	if name == "tuned" {
		transport.MaxIdleConnsPerHost, transport.MaxConnsPerHost = 64, 64
	}
	hc := &http.Client{Transport: transport, Timeout: time.Minute}
	return func() error {
		resp, err := hc.Post(base+"/gateway/gateway.aspx", formType, bytes.NewReader([]byte("aid=123456&jb=SALES&rt=1&tid="+paymentID)))
		if err != nil {
			return err
		}
		defer resp.Body.Close()
		_, err = io.ReadAll(resp.Body)
		return err
	}, nil
}

// run makes calls and returns the number of calls per second.
func (l load) run(call func() error) (float64, error) {
	rounds, calls := 1, max(20, 4000/l.callers)
	if l.latency > 0 {
		calls = 20
	}
	if l.burst {
		rounds, calls = 100, 1
		if l.latency > 0 {
			rounds = 10
		}
	}
	var (
		wg    sync.WaitGroup
		first error
		once  sync.Once
	)
	start := time.Now()
	for range rounds {
		for range l.callers {
			wg.Go(func() {
				for range calls {
					if err := call(); err != nil {
						once.Do(func() { first = err })
						return
					}
				}
			})
		}
		wg.Wait()
	}
	return float64(rounds*l.callers*calls) / time.Since(start).Seconds(), first
}

// connections returns the number of connections that the server saw opened, without the one
// of this request.
func connections(base string) (string, error) {
	hc := &http.Client{Transport: &http.Transport{}, Timeout: time.Minute}
	resp, err := hc.Get(base + "/connections")
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return "", err
	}
	n, err := strconv.Atoi(string(body))
	return strconv.Itoa(n - 1), err
}

// trustServer makes this process trust the server's certificate, by SSL_CERT_FILE: the
// default transport of the client under test has no option for it.
func trustServer(certificate []byte) (remove func(), err error) {
	f, err := os.CreateTemp("", "benchmark-*.pem")
	if err != nil {
		return nil, err
	}
	defer f.Close()
	if _, err := f.Write(certificate); err != nil {
		return nil, err
	}
	return func() { os.Remove(f.Name()) }, os.Setenv("SSL_CERT_FILE", f.Name())
}

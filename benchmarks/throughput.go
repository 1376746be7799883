package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/jpayment-go/jpayment"
)

// load is a way in which calls come.
type load struct {
	callers int
	latency time.Duration // of the server
	burst   bool          // all callers call once at the same time, ten times, over TLS; else each calls on and on
}

var loads = []load{
	{callers: 1},
	{callers: 4},
	{callers: 16},
	{callers: 64},
	{callers: 1, latency: 20 * time.Millisecond},
	{callers: 16, latency: 20 * time.Millisecond},
	{callers: 64, latency: 20 * time.Millisecond},
	{callers: 64, latency: 20 * time.Millisecond, burst: true},
}

func (l load) String() string {
	kind := "steady"
	if l.burst {
		kind = "bursts over TLS"
	}
	return fmt.Sprintf("%d callers, %v, %s", l.callers, l.latency, kind)
}

// throughput compares the client with net/http's default transport and with one that is
// set up for as many connections.
func throughput() (string, error) {
	var b strings.Builder
	b.WriteString("| load | jpayment, calls/s | connections | DefaultTransport, calls/s | connections | tuned net/http, calls/s | connections |\n|---|---:|---:|---:|---:|---:|---:|\n")
	for _, l := range loads {
		fmt.Fprintf(&b, "| %s |", l)
		for _, name := range []string{"jpayment", "default", "tuned"} {
			base, stop, err := startServer(l.latency, l.burst)
			if err != nil {
				return "", err
			}
			call, err := caller(name, base)
			if err == nil {
				var rate float64
				rate, err = l.run(call)
				fmt.Fprintf(&b, " %.0f |", rate)
			}
			if err == nil {
				var opened string
				opened, err = connections(base)
				fmt.Fprintf(&b, " %s |", opened)
			}
			stop()
			if err != nil {
				return "", fmt.Errorf("%s, %s: %w", name, l, err)
			}
		}
		b.WriteString("\n")
	}
	return b.String(), nil
}

// caller returns one call of a client made anew.
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

// run makes calls and returns how many a second came back.
func (l load) run(call func() error) (float64, error) {
	rounds, calls := 1, max(20, 4000/l.callers)
	if l.latency > 0 {
		calls = 40
	}
	if l.burst {
		rounds, calls = 10, 1
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

// connections asks the server how many were opened, not counting the asker's.
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

// trustServer lets this process, and nobody else, trust the server's certificate: the
// default transport of the client under test has no switch for it.
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

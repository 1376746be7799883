//go:build linux

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"
)

// gateway is the simulated gateway, a process that is killed and restarted, with its books in a
// file. Its faults and its list of requests do not survive that, so the campaign keeps them.
type gateway struct {
	starter *starter
	command string
	address string
	state   string
	seed    uint64

	mu      sync.Mutex // held while it is down
	process *process
	after   int // the last request that was read
	faulty  bool
	seen    traffic
}

// traffic counts the requests that the gateway received. Those that were not read before it was
// killed are missing.
type traffic struct {
	requests, struck int
	// by operation and payment
	sent, considered map[string]int
}

// payment is a payment in the gateway's books.
type payment struct {
	ID         string `json:"payment_id"`
	Amount     int64  `json:"amount"`
	Decline    string `json:"decline"`
	Replaces   string `json:"replaces"`
	ReplacedBy string `json:"replaced_by"`
	History    []struct {
		Operation string `json:"operation"`
		Request   int    `json:"request"` // 0 for the control panel
	} `json:"history"`
}

// ours returns how often an operation was carried out by request.
func (p payment) ours(operation string) (n int) {
	for _, e := range p.History {
		if e.Request != 0 && strings.TrimSuffix(e.Operation, "ByKickback") == operation {
			n++
		}
	}
	return n
}

// faults are the gateway's faults, with their frequency.
var faults = []map[string]any{
	{"kind": "answer-code", "code": "ER010", "probability": 0.05},
	{"kind": "answer-code", "code": "ER003", "probability": 0.0005},
	{"kind": "answer-code", "code": "ER000", "probability": 0.01},
	{"kind": "answer-code-after-booking", "code": "ER042", "probability": 0.01},
	{"kind": "drop-before-booking", "probability": 0.01},
	{"kind": "drop-after-booking", "probability": 0.02},
	{"kind": "reset-after-booking", "probability": 0.01},
	{"kind": "hang-before-booking", "probability": 0.002},
	{"kind": "hang-after-booking", "probability": 0.002},
	{"kind": "stall-reply", "probability": 0.002},
	{"kind": "cut-reply", "probability": 0.01},
	{"kind": "cut-header", "probability": 0.01},
	{"kind": "close-after-reply", "probability": 0.02},
	{"kind": "answer-status", "status": 503, "probability": 0.01},
	{"kind": "answer-status-after-booking", "status": 502, "probability": 0.01},
	{"kind": "garbage", "body": "<html>", "probability": 0.01},
	{"kind": "delay-reply", "delay_ms": 20, "probability": 0.8},
}

// start starts the gateway. It accepts the re-authorisation of a payment that was already
// replaced, so that a request sent twice shows in the books.
func (g *gateway) start(ctx context.Context, kickbacksTo string) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if err := g.run(ctx); err != nil {
		return err
	}
	g.faulty = true
	if kickbacksTo != "" {
		if err := g.call(ctx, "PATCH", "settings", map[string]any{"kickback_url": kickbacksTo}, nil); err != nil {
			return err
		}
	}
	return g.addFaults(ctx)
}

func (g *gateway) run(ctx context.Context) (err error) {
	g.after = 0
	g.process, err = g.starter.start("gateway", nil, g.command, "simulate", "--listen", g.address, "--state", g.state, "--store", store,
		"--seed", strconv.FormatUint(g.seed%1e9, 10), "--set", "reauth_cancelled=done", "--set", "kickback_duplicates=1",
		"--set", "kickback_timeout=2s", "--set", "kickback_retries=200ms,1s,2s,4s,8s")
	if err != nil {
		return err
	}
	for {
		if err = g.call(ctx, "GET", "settings", nil, nil); err == nil || !g.process.alive() || ctx.Err() != nil {
			break
		}
		time.Sleep(20 * time.Millisecond)
	}
	if err != nil {
		return fmt.Errorf("the simulated gateway did not start, see %s: %w", g.process.log, err)
	}
	return nil
}

func (g *gateway) addFaults(ctx context.Context) error {
	for _, f := range faults {
		if err := g.call(ctx, "POST", "faults", f, nil); err != nil {
			return err
		}
	}
	return nil
}

// crash kills the gateway, and restarts it after a while.
func (g *gateway) crash(ctx context.Context, down time.Duration) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if err := g.read(ctx); err != nil {
		return err
	}
	g.seed++
	g.process.kill()
	sleep(ctx, down)
	if err := g.run(context.WithoutCancel(ctx)); err != nil || !g.faulty {
		return err
	}
	return g.addFaults(ctx)
}

// calm ends the faults.
func (g *gateway) calm(ctx context.Context) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.faulty = false
	return g.call(ctx, "DELETE", "faults", nil, nil)
}

func (g *gateway) maintenance(ctx context.Context, on bool) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.call(ctx, "PATCH", "settings", map[string]any{"maintenance": on}, nil)
}

// authorize authorises a payment.
func (g *gateway) authorize(ctx context.Context, o order) (string, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	var p payment
	if err := g.call(ctx, "POST", "payments", map[string]any{"amount": o.amount, "tax": 80, "decline": o.decline}, &p); err != nil {
		return "", err
	}
	if o.elsewhere { // Somebody captured it in the control panel, unless the card is declined.
		_ = g.call(ctx, "POST", "payments/"+p.ID+"/capture", map[string]any{}, nil)
	}
	return p.ID, nil
}

// payments returns the books.
func (g *gateway) payments(ctx context.Context) (all []payment, err error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for after, more := "0", true; more; {
		var page struct {
			Payments []payment `json:"payments"`
			More     bool      `json:"more"`
		}
		if err := g.call(ctx, "GET", "payments?limit=1000&after="+after, nil, &page); err != nil {
			return nil, err
		}
		all, more = append(all, page.Payments...), page.More
		if more {
			after = all[len(all)-1].ID
		}
	}
	return all, nil
}

// watch reads the gateway's requests before they are lost.
func (g *gateway) watch(ctx context.Context) {
	for ctx.Err() == nil {
		g.mu.Lock()
		_ = g.read(ctx) // A missing request can only hide a violation, not cause one.
		g.mu.Unlock()
		sleep(ctx, 300*time.Millisecond)
	}
}

func (g *gateway) read(ctx context.Context) error {
	for {
		var page struct {
			Requests []struct {
				Number    int    `json:"number"`
				Operation string `json:"operation"`
				PaymentID string `json:"payment_id"`
				Fault     string `json:"fault"`
				Answer    string `json:"answer"`
			} `json:"requests"`
			More bool `json:"more"`
		}
		if err := g.call(ctx, "GET", "requests?limit=1000&after="+strconv.Itoa(g.after), nil, &page); err != nil {
			return err
		}
		for _, r := range page.Requests {
			g.after = r.Number
			g.seen.requests++
			if r.Fault != "" && r.Fault != "delay-reply" {
				g.seen.struck++
			}
			key := strings.TrimSuffix(r.Operation, "ByKickback") + " " + r.PaymentID
			g.seen.sent[key]++
			if !strings.Contains(r.Answer, "ER010") && !strings.Contains(r.Answer, "ER003") && !strings.Contains(r.Answer, "ER999") {
				g.seen.considered[key]++
			}
		}
		if !page.More {
			return nil
		}
	}
}

// delivered returns the new payments whose kickback the merchant has accepted, as far as the
// gateway remembers.
func (g *gateway) delivered(ctx context.Context) (map[string]bool, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	took := map[string]bool{}
	for skip, more := 0, true; more; {
		var page struct {
			Deliveries []struct {
				Query     string `json:"query"`
				Delivered bool   `json:"delivered"`
			} `json:"deliveries"`
			More bool `json:"more"`
		}
		if err := g.call(ctx, "GET", "kickbacks?limit=1000&skip="+strconv.Itoa(skip), nil, &page); err != nil {
			return nil, err
		}
		for _, d := range page.Deliveries {
			if q, err := url.ParseQuery(d.Query); err == nil && d.Delivered {
				took[q.Get("gid")] = true
			}
		}
		more = page.More
		skip += 1000
	}
	return took, nil
}

// call calls the gateway's control interface.
func (g *gateway) call(ctx context.Context, method, path string, in, out any) error {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	var body bytes.Buffer
	if in != nil {
		if err := json.NewEncoder(&body).Encode(in); err != nil {
			return err
		}
	}
	r, err := http.NewRequestWithContext(ctx, method, "http://"+g.address+"/control/v1/"+path, &body)
	if err != nil {
		return err
	}
	r.Header.Set("Content-Type", "application/json")
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		return err
	}
	defer res.Body.Close() //nolint:errcheck // It is only read.
	var refused struct {
		Error string `json:"error"`
	}
	if res.StatusCode >= http.StatusBadRequest {
		return errors.Join(fmt.Errorf("%s %s: status %d", method, path, res.StatusCode), json.NewDecoder(res.Body).Decode(&refused), errors.New(refused.Error))
	}
	if out == nil {
		return nil
	}
	return json.NewDecoder(res.Body).Decode(out)
}

// sleep waits, at most until the context ends.
func sleep(ctx context.Context, d time.Duration) {
	select {
	case <-time.After(d):
	case <-ctx.Done():
	}
}

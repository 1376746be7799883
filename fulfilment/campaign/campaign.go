//go:build linux

package main

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/jpayment-go/jpayment"
	"github.com/jpayment-go/jpayment/fulfilment"
)

// campaign is the campaign on one database.
type campaign struct {
	options
	database string // its name
	command  string // the program jpayment
	self     string // this program
	dir      string

	starter  starter
	gateway  gateway
	address  address
	server   *server // or
	disk     *disk
	clock    string // the file that sets it
	merchant merchant
	workers  []*worker
	rhythm   rhythm

	mu       sync.Mutex
	counts   map[trouble]int
	ended    int // connections
	findings []finding
	orders   []order
	resumed  int
	looks    int // commands of operators
	failed   int
	slowest  time.Duration
	closed   atomic.Bool   // the gateway, for maintenance
	calm     time.Duration // from the end of the faults until everything was settled
	evidence evidence      // at the end
	first    evidence      // before the decisions

	oneAtATime map[trouble]*sync.Mutex
}

// worker is a process that is restarted when it has ended.
type worker struct {
	name string
	env  []string
	path string
	args []string

	mu      sync.Mutex
	process *process
}

func (c *campaign) find(format string, args ...any) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.findings = append(c.findings, findingf(format, args...))
}

// run runs the campaign. It returns an error if the campaign itself failed.
func (c *campaign) run(ctx context.Context) (err error) {
	c.counts = map[trouble]int{}
	c.oneAtATime = map[trouble]*sync.Mutex{crash: {}, maintenance: {}, restart: {}, full: {}, lock: {}}
	c.starter.dir, c.starter.last = filepath.Join(c.dir, "logs"), map[string]int{}
	// Ignore this machine's settings.
	c.starter.env = []string{"HOME=" + c.dir, "XDG_CONFIG_HOME=" + c.dir, "XDG_STATE_HOME=" + c.dir, "JPAYMENT_KICKBACK_KEY=" + key}
	if err := os.MkdirAll(c.starter.dir, 0o700); err != nil {
		return err
	}
	defer c.starter.stop()
	if c.merchant, err = c.address.open(ctx, slog.New(slog.DiscardHandler)); err != nil {
		return err
	}
	defer c.merchant.close()
	if err := c.merchant.open(ctx); err != nil {
		return err
	}
	if err := c.startAll(ctx); err != nil {
		return err
	}
	background, stop := context.WithCancel(ctx)
	defer stop()
	var rest sync.WaitGroup
	defer rest.Wait()
	defer stop()
	for _, f := range []func(context.Context){c.gateway.watch, c.operate, c.supervise} {
		rest.Go(func() { f(background) })
	}
	sold := make(chan struct{})
	trouble, over := context.WithTimeout(ctx, c.length)
	defer over()
	go func() {
		defer close(sold)
		c.sell(ctx, trouble)
	}()
	c.suffer(ctx)
	<-sold
	if err := c.gateway.calm(ctx); err != nil {
		return err
	}
	calm := time.Now()
	c.settle(ctx)
	c.calm = time.Since(calm)
	if err := c.collect(ctx); err != nil {
		return err
	}
	c.findings = append(c.findings, c.evidence.reviews()...)
	if err := c.decide(ctx); err != nil {
		return err
	}
	c.settle(ctx)
	c.listen(ctx)
	stop()
	for _, w := range c.workers {
		w.process.finish()
	}
	if err := c.conclude(ctx); err != nil {
		return err
	}
	c.findings = append(c.findings, c.evidence.verdicts()...)
	return ctx.Err()
}

// flags returns the command's flags for the database. The schema is the default.
func (c *campaign) flags() []string {
	at := c.address.SQLite
	if at == "" {
		at = c.address.Postgres
	}
	return []string{"--store", store, "--database", at, "--lang", "en"}
}

func (c *campaign) startAll(ctx context.Context) error {
	c.gateway.starter, c.gateway.command, c.gateway.seed = &c.starter, c.command, c.seed
	c.gateway.state, c.gateway.seen = filepath.Join(c.dir, "books.db"), traffic{sent: map[string]int{}, considered: map[string]int{}}
	var err error
	if c.gateway.address, err = freeAddress(); err != nil {
		return err
	}
	args := append([]string{
		"work", "--json", "--url", "http://" + c.gateway.address, "--timeout", callTimeout.String(),
		"--concurrency", strconv.Itoa(concurrency), "--rate", strconv.Itoa(rateLimit),
	}, c.flags()...)
	witness := ""
	if c.clock != "" {
		args = append(args, "--test-clock", c.clock)
		witness = c.address.SQLite + ".seen" // the command's default
	}
	receiver := ""
	if c.address.KickbackWait > 0 {
		args = append(args, "--kickback-wait", c.address.KickbackWait.String())
		if receiver, err = freeAddress(); err != nil {
			return err
		}
	}
	orders, err := json.Marshal(workerOrders{Address: c.address, Gateway: "http://" + c.gateway.address, Witness: witness, Clock: c.clock})
	if err != nil {
		return err
	}
	c.workers = []*worker{
		{name: "worker-with-order-code", path: c.self, env: []string{workerVariable + "=" + string(orders)}},
		{name: "worker-1", path: c.command, args: args},
		{name: "worker-2", path: c.command, args: args},
	}
	kickbacks := ""
	if receiver != "" {
		kickbacks = "http://" + receiver + "/"
		c.workers[1].args = append(slices.Clone(args), "--kickback-listen", receiver)
	}
	if err := c.gateway.start(ctx, kickbacks); err != nil {
		return err
	}
	// Changes are kept for order code only once a process with it has run.
	if err := c.start(c.workers[0]); err != nil {
		return err
	}
	first := order{number: 0, kind: capture, amount: 1000}
	if !c.order(ctx, first) {
		return errors.New("the first order cannot be recorded")
	}
	for {
		heard, err := c.merchant.heard(ctx)
		if err != nil || ctx.Err() != nil {
			return errors.Join(err, ctx.Err())
		}
		if len(heard) > 0 {
			break
		}
		if !c.workers[0].process.alive() {
			return fmt.Errorf("the worker with order code has ended, see %s", c.workers[0].process.log)
		}
		sleep(ctx, 50*time.Millisecond)
	}
	return errors.Join(c.start(c.workers[1]), c.start(c.workers[2]))
}

func (c *campaign) start(w *worker, more ...string) (err error) {
	w.process, err = c.starter.start(w.name, w.env, w.path, append(slices.Clone(w.args), more...)...)
	return err
}

// sell takes orders at a steady rate until the faults are over.
func (c *campaign) sell(ctx, trouble context.Context) {
	random := rand.New(rand.NewPCG(c.seed, 2)) //nolint:gosec // It needs no secrecy.
	ticker := time.NewTicker(time.Duration(float64(time.Second) / c.rate))
	defer ticker.Stop()
	var all sync.WaitGroup
	defer all.Wait()
	slots := make(chan struct{}, 8)
	for number := 1; ; number++ {
		select {
		case <-ticker.C:
		case <-trouble.Done():
			return
		}
		o := drawOrder(random, number)
		slots <- struct{}{}
		all.Go(func() {
			defer func() { <-slots }()
			c.order(ctx, o)
		})
	}
}

// order authorises a payment and enqueues the order's requests, with retries.
func (c *campaign) order(ctx context.Context, o order) bool {
	var err error
	if o.payment, err = c.gateway.authorize(ctx, o); err != nil {
		c.find("%s: authorising the payment: %v", o.reference(), err)
		return false
	}
	c.mu.Lock()
	c.orders = append(c.orders, o)
	c.mu.Unlock()
	for nth := range o.requests() {
		for {
			err := c.merchant.ship(ctx, o, nth)
			if err == nil || errors.As(err, new(*fulfilment.RefusedError)) { // It was recorded, and may already be refused.
				break
			}
			if errors.As(err, new(*fulfilment.ConflictError)) || errors.As(err, new(*jpayment.ValidationError)) {
				c.find("%s: its request was not recorded: %v", o.reference(), err)
				return false
			}
			if sleep(ctx, 200*time.Millisecond); ctx.Err() != nil {
				return false
			}
		}
	}
	return true
}

// suffer causes the faults of the plan, and returns when the last one is over.
func (c *campaign) suffer(ctx context.Context) {
	began := time.Now()
	var lasting sync.WaitGroup
	defer lasting.Wait()
	for _, e := range plan(c.seed, c.length, len(c.workers), common, c.rhythm) {
		if sleep(ctx, time.Until(began.Add(e.at))); ctx.Err() != nil {
			return
		}
		lasting.Go(func() {
			if err := c.happens(ctx, e); err != nil {
				c.find("%s at %v could not be caused: %v", e.trouble, e.at.Round(time.Millisecond), err)
				return
			}
			c.mu.Lock()
			c.counts[e.trouble]++
			c.mu.Unlock()
		})
	}
	sleep(ctx, time.Until(began.Add(c.length)))
}

// happens causes a fault, and ends it.
func (c *campaign) happens(ctx context.Context, e event) error {
	w := c.workers[e.worker]
	if one := c.oneAtATime[e.trouble]; one != nil {
		one.Lock()
		defer one.Unlock()
	}
	switch e.trouble {
	case kill:
		return c.replace(w, (*process).kill)
	case suspend:
		w.mu.Lock()
		p := w.process
		w.mu.Unlock()
		p.signal(syscall.SIGSTOP)
		sleep(ctx, e.lasts)
		p.signal(syscall.SIGCONT)
		return nil
	case crash:
		return c.gateway.crash(ctx, e.lasts)
	case maintenance:
		c.closed.Store(true)
		if err := c.gateway.maintenance(ctx, true); err != nil {
			return err
		}
		sleep(ctx, e.lasts)
		err := c.gateway.maintenance(ctx, false)
		c.closed.Store(false)
		return err
	case disconnect:
		n, err := c.server.endConnections(ctx, e.n)
		if pg := new(pgconn.PgError); errors.As(err, &pg) && pg.Code[:2] != "57" { // except while it is being restarted
			return err
		}
		c.mu.Lock()
		c.ended += n
		c.mu.Unlock()
		return nil
	case restart:
		return c.server.restart(ctx)
	case full:
		return c.fill(ctx, e.lasts)
	case lock:
		return c.lock(ctx, e.lasts)
	default:
		if err := os.WriteFile(c.clock, []byte(e.by.String()), 0o600); err != nil {
			return err
		}
		return c.replace(w, (*process).kill)
	}
}

// replace ends a worker and restarts it.
func (c *campaign) replace(w *worker, end func(*process), more ...string) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	end(w.process)
	return c.start(w, more...)
}

// fill fills the disk for a while.
func (c *campaign) fill(ctx context.Context, lasts time.Duration) error {
	w := c.workers[0]
	w.mu.Lock()
	stdin := w.process.stdin
	w.mu.Unlock()
	if err := c.disk.fill(stdin); err != nil {
		return err
	}
	sleep(ctx, lasts)
	err := c.disk.free(stdin)
	if c.disk.mounted {
		return err
	}
	return nil // The worker may have been killed.
}

// lock locks the SQLite file for a while.
func (c *campaign) lock(ctx context.Context, lasts time.Duration) error {
	db, err := fulfilment.OpenSQLite(c.address.SQLite)
	if err != nil {
		return err
	}
	defer db.Close() //nolint:errcheck // It only holds a lock.
	var tx *sql.Tx
	for tx == nil {
		if tx, err = db.BeginTx(ctx, nil); err != nil && ctx.Err() != nil {
			return err
		}
	}
	sleep(ctx, lasts)
	return tx.Rollback()
}

// supervise restarts workers that have ended on their own. They may do so if the database is not
// available at startup.
func (c *campaign) supervise(ctx context.Context) {
	for ctx.Err() == nil {
		for _, w := range c.workers {
			w.mu.Lock()
			if w.process.ownEnd() {
				if text, _ := os.ReadFile(w.process.log); bytes.Contains(text, []byte(`"fulfilment: attempt"`)) {
					c.find("%s ended while it was working (%v), see %s", w.name, w.process.err, w.process.log)
				}
				if err := c.start(w); err != nil {
					c.find("%s cannot be restarted: %v", w.name, err)
				}
			}
			w.mu.Unlock()
		}
		sleep(ctx, 500*time.Millisecond)
	}
}

// operate acts as the operators, who check the status and resume the store when it is paused.
func (c *campaign) operate(ctx context.Context) {
	for ctx.Err() == nil {
		var st struct {
			Review int64           `json:"review"`
			Paused json.RawMessage `json:"paused"`
		}
		text, err := c.look(ctx, "status", "--json")
		if err == nil && json.Unmarshal(text, &st) == nil && len(st.Paused) > 0 && string(st.Paused) != "null" && !c.closed.Load() {
			if err := c.replace(c.workers[2], (*process).finish, "--resume"); err != nil {
				c.find("worker-2 cannot be restarted: %v", err)
			}
			c.mu.Lock()
			c.resumed++
			c.mu.Unlock()
			sleep(ctx, time.Second)
		}
		_, _ = c.look(ctx, "review")
		sleep(ctx, 500*time.Millisecond)
	}
}

// look runs the command for a person, and requires an answer in time.
func (c *campaign) look(ctx context.Context, args ...string) ([]byte, error) {
	const unbearable = time.Minute
	ctx, cancel := context.WithTimeout(ctx, unbearable)
	defer cancel()
	var out, errs bytes.Buffer
	cmd := exec.CommandContext(ctx, c.command, append(args, c.flags()...)...) //nolint:gosec // The program under test.
	cmd.Env, cmd.Stdout, cmd.Stderr = append(os.Environ(), c.starter.env...), &out, &errs
	began := time.Now()
	err := cmd.Run()
	took := time.Since(began)
	switch {
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		c.find("jpayment %s did not answer within %v", args[0], unbearable)
	case err != nil && ctx.Err() == nil && errs.Len() == 0:
		c.find("jpayment %s failed (%v) without a message", args[0], err)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.looks++
	c.slowest = max(c.slowest, took)
	if err != nil {
		c.failed++
		err = fmt.Errorf("jpayment %s: %w: %s", args[0], err, errs.Bytes())
	}
	return out.Bytes(), err
}

// patience is the longest time for jobs to settle without faults, including the longest wait
// between attempts.
const patience = 4 * time.Minute

// settle waits until the only open jobs wait for a person or for maintenance to end.
func (c *campaign) settle(ctx context.Context) {
	if c.clock != "" {
		_ = os.Remove(c.clock) // The clock is right for processes started from now on.
	}
	began := time.Now()
	for ctx.Err() == nil {
		jobs, err := c.jobs(ctx)
		open := stuck(jobs)
		switch {
		case err == nil && len(open) == 0:
			return
		case time.Since(began) > patience:
			for _, j := range open {
				c.find("%v: still %s after %v without faults; due %v", j, j.State, patience, j.Due)
			}
			if err != nil {
				c.find("reading the jobs: %v", err)
			}
			return
		}
		sleep(ctx, 500*time.Millisecond)
	}
}

// listen waits until order code has been called for the decisions, which takes seconds.
func (c *campaign) listen(ctx context.Context) {
	for began := time.Now(); ctx.Err() == nil && time.Since(began) < patience; sleep(ctx, 500*time.Millisecond) {
		changes, err := c.merchant.changes(ctx)
		heard, err2 := c.merchant.heard(ctx)
		if err == nil && err2 == nil && len(heard) >= len(changes) {
			return
		}
	}
}

func (c *campaign) jobs(ctx context.Context) (all []fulfilment.Job, err error) {
	for after := int64(0); ; after = all[len(all)-1].ID {
		page, err := c.merchant.Jobs(ctx, fulfilment.Filter{AfterID: after, Limit: 1000})
		if err != nil || len(page) == 0 {
			return all, err
		}
		all = append(all, page...)
	}
}

// collect reads everything that is to be compared.
func (c *campaign) collect(ctx context.Context) (err error) {
	e := evidence{attempts: map[int64][]fulfilment.Attempt{}, books: map[string]payment{}, byKickback: c.address.KickbackWait > 0}
	if e.jobs, err = c.jobs(ctx); err != nil {
		return err
	}
	for _, j := range e.jobs {
		if j.State != fulfilment.StateReview {
			continue
		}
		if e.attempts[j.ID], err = c.merchant.Attempts(ctx, j.ID); err != nil {
			return err
		}
	}
	payments, err := c.gateway.payments(ctx)
	if err != nil {
		return err
	}
	for _, p := range payments {
		e.books[p.ID] = p
	}
	if e.delivered, err = c.gateway.delivered(ctx); err != nil {
		return err
	}
	for _, p := range c.starter.all {
		if p.name == "gateway" {
			continue
		}
		some, err := answersIn(p)
		if err != nil {
			return err
		}
		e.known = append(e.known, some...)
	}
	c.evidence = e
	return nil
}

// decide acts as the person who fills in the review file by the gateway's books and imports it.
// Jobs that wait for maintenance to end are withdrawn if they cannot have been carried out.
func (c *campaign) decide(ctx context.Context) error {
	file := filepath.Join(c.dir, "review.csv")
	if _, err := c.look(ctx, "review", "--export", file); err != nil {
		return err
	}
	text, err := os.ReadFile(file) //nolint:gosec // the campaign's own file
	if err != nil {
		return err
	}
	rows, err := csv.NewReader(bytes.NewReader(bytes.TrimPrefix(text, []byte("\ufeff")))).ReadAll()
	if err != nil {
		return err
	}
	at := func(name string) int {
		return slices.IndexFunc(rows[0], func(s string) bool { return len(s) >= len(name) && s[:len(name)] == name })
	}
	of := map[string]fulfilment.Job{}
	for _, j := range c.evidence.jobs {
		of[strconv.FormatInt(j.ID, 10)] = j
	}
	for _, row := range rows[1:] {
		j := of[row[at("job")]]
		p := c.evidence.books[j.PaymentID]
		row[at("decision")] = "not-done"
		if p.ours(string(j.Operation)) > 0 {
			row[at("decision")] = "done"
			if j.Operation == jpayment.OpReAuth {
				row[at("new payment")] = p.ReplacedBy
			}
		}
	}
	for _, j := range c.evidence.jobs {
		if !awaitsMaintenance(j) {
			continue
		}
		attempts, err := c.merchant.Attempts(ctx, j.ID)
		if err != nil {
			return err
		}
		if slices.ContainsFunc(attempts, func(a fulfilment.Attempt) bool { return a.Outcome == jpayment.OutcomeUnknown }) {
			continue
		}
		row := make([]string, len(rows[0]))
		row[at("job")], row[at("decision")] = strconv.FormatInt(j.ID, 10), "not-done"
		rows = append(rows, row)
	}
	if len(rows) == 1 {
		return nil
	}
	var filled bytes.Buffer
	if err := csv.NewWriter(&filled).WriteAll(rows); err != nil {
		return err
	}
	if err := os.WriteFile(file, filled.Bytes(), 0o600); err != nil {
		return err
	}
	if _, err := c.look(ctx, "review", "--import", file, "--by", "campaign", "--yes"); err != nil {
		c.find("the decisions about %d jobs were not recorded: %v", len(rows)-1, err)
	}
	return nil
}

// conclude reads the final state and compares it.
func (c *campaign) conclude(ctx context.Context) error {
	first := c.evidence
	if err := c.collect(ctx); err != nil {
		return err
	}
	e := &c.evidence
	var err error
	if e.changes, err = c.merchant.changes(ctx); err != nil {
		return err
	}
	if e.heard, err = c.merchant.heard(ctx); err != nil {
		return err
	}
	if e.shipped, err = c.merchant.shipped(ctx); err != nil {
		return err
	}
	for _, j := range stuck(e.jobs) {
		c.find("%v: not settled at the end", j)
	}
	e.orders, e.traffic = c.orders, c.gateway.seen
	for _, j := range e.jobs {
		if j.State == fulfilment.StateReview {
			c.find("%v: in review after all decisions", j)
		}
	}
	c.first = first
	return nil
}

package modeltest

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
	"pgregory.net/rapid"

	"github.com/jpayment-go/jpayment"
	"github.com/jpayment-go/jpayment/jpaymenttest"
)

var (
	seed = flag.Uint64("seed", 0, "run the model only from this seed")
	ops  = flag.Int("ops", 1500, "the approximate number of operations to run from each seed")
)

// The invariants. A failure names one.
const (
	invDone     = "INVARIANT done: a call that is reported done was booked exactly once, as reported"
	invRefused  = "INVARIANT refused: a call that is reported refused was not booked"
	invNotSent  = "INVARIANT not sent: no request of a call that is reported not sent arrived"
	invOnce     = "INVARIANT once: a call books at most once"
	invRepeat   = "INVARIANT repeat: no request that may have been booked is repeated, unless the policy allows it"
	invUnknown  = "INVARIANT unknown: a call is reported unknown only if a fault or the protocol makes that unavoidable"
	invKickback = "INVARIANT kickback: a verified kickback of a success reports a booking with the requested amounts"
	invLeak     = "INVARIANT leak: nothing is left open"
)

// stepsPerHistory is the average number of steps of a history.
const stepsPerHistory = 30

func TestModel(t *testing.T) {
	seeds := []uint64{*seed}
	if *seed == 0 {
		seeds = []uint64{1, 2, 3, rand.Uint64(), rand.Uint64()}
	}
	require.NoError(t, flag.Set("rapid.checks", strconv.Itoa(max(1, *ops/stepsPerHistory))))
	require.NoError(t, flag.Set("rapid.nofailfile", "true"))
	for _, seed := range seeds {
		var told tally
		require.NoError(t, flag.Set("rapid.seed", strconv.FormatUint(seed, 10)))
		if !t.Run(strconv.FormatUint(seed, 10), rapid.MakeCheck(func(t *rapid.T) { newHistory(t, &told).run(t) })) {
			t.Logf("again: go test -run Model -seed %d -ops %d", seed, *ops)
		}
		t.Logf("seed %d: %s", seed, &told)
	}
	http.DefaultTransport.(*http.Transport).CloseIdleConnections()
	goleak.VerifyNone(t)
}

// tally counts the reported outcomes.
type tally struct{ done, refused, notSent, unknown, kickbacks int }

func (n *tally) String() string {
	calls := n.done + n.refused + n.notSent + n.unknown
	return fmt.Sprintf("%d calls: %d done, %d refused, %d not sent, %d unknown (%d %%); %d kickbacks",
		calls, n.done, n.refused, n.notSent, n.unknown, 100*n.unknown/max(1, calls), n.kickbacks)
}

// history is one store, its payments and its merchant.
type history struct {
	told     *tally
	gateway  *jpaymenttest.Server
	clients  map[bool]*jpayment.Client // by whether they replay unknown outcomes
	conns    conns
	receiver *httptest.Server
	payments []string
	calls    int
	stale    int // the number of further steps during which an idle connection may already be closed

	mu        sync.Mutex
	kickbacks []*jpayment.Kickback
}

var kickbackKey = []byte("a key of the merchant's, 32 bytes and more")

func newHistory(t *rapid.T, told *tally) *history {
	h := &history{told: told, clients: map[bool]*jpayment.Client{}}
	var opts []jpaymenttest.Option
	opts = append(opts,
		jpaymenttest.WithColumns(rapid.SampledFrom([]int{11, 13, 14}).Draw(t, "columns")),
		jpaymenttest.WithLineEnding(rapid.SampledFrom([]string{"", "\r", "\r\n"}).Draw(t, "line ending")),
	)
	for _, o := range []struct {
		name string
		opt  jpaymenttest.Option
	}{
		{"Shift_JIS replies", jpaymenttest.WithShiftJISReplies()},
		{"plain other data", jpaymenttest.WithPlainOtherData()},
		{"a decline cancels", jpaymenttest.WithDeclineCancelling()},
	} {
		if rapid.Bool().Draw(t, o.name) {
			opts = append(opts, o.opt)
		}
	}
	h.gateway = jpaymenttest.Start(opts...)

	verifier, err := jpayment.NewKickbackVerifier("123456", 0, kickbackKey)
	require.NoError(t, err)
	handler, err := jpayment.NewKickbackHandler(verifier, func(_ context.Context, k *jpayment.Kickback) error {
		h.mu.Lock()
		defer h.mu.Unlock()
		h.kickbacks = append(h.kickbacks, k)
		return nil
	})
	require.NoError(t, err)
	h.receiver = httptest.NewServer(handler)
	h.gateway.SetKickbackURL(h.receiver.URL)

	for _, replays := range []bool{false, true} {
		h.clients[replays] = h.gateway.Client(
			jpayment.WithHTTPClient(&http.Client{Transport: h.conns.transport()}),
			jpayment.WithKickbackKey(kickbackKey),
			jpayment.WithRetry(jpayment.RetryPolicy{BaseDelay: time.Nanosecond, MaxDelay: time.Nanosecond, ReplayUnknown: replays}),
		)
	}
	return h
}

// run draws steps and runs them, each checked before the next.
func (h *history) run(t *rapid.T) {
	defer h.close()
	for range rapid.IntRange(1, 2*stepsPerHistory-1).Draw(t, "steps") {
		if len(h.payments) == 0 || rapid.Bool().Draw(t, "new payment") {
			h.authorize(t)
		}
		h.step(t)
	}
	h.close()
	if open := h.conns.wait(10 * time.Second); open != 0 {
		t.Fatalf("%s: %d connections", invLeak, open)
	}
}

func (h *history) close() {
	h.gateway.Close()
	h.receiver.Close()
	h.conns.closeIdle()
}

func (h *history) authorize(t *rapid.T) {
	a := jpaymenttest.Authorization{
		Amount:            rapid.Int64Range(1, 100_000).Draw(t, "amount"),
		Tax:               rapid.Int64Range(0, 9_999).Draw(t, "tax"),
		Shipping:          rapid.Int64Range(0, 999).Draw(t, "shipping"),
		OrderNumber:       rapid.SampledFrom([]string{"", "o-1", "注文7", "a,b", "0", "1,2,3"}).Draw(t, "order number"),
		RegisteredProduct: rapid.IntRange(0, 9).Draw(t, "registered product") == 0,
	}
	if rapid.IntRange(0, 5).Draw(t, "declined") == 0 {
		a.Decline = "G1242G120000"
	}
	h.payments = append(h.payments, h.gateway.Authorize(a))
}

// call is one call of the merchant, with its result.
type call struct {
	id      string // in the other data; identifies its requests
	op      jpayment.Operation
	payment string
	amount  int64
	replays bool
	res     *jpayment.Result
	err     error
}

// step calls the gateway for one payment, once or several times concurrently, during at most
// one trouble.
func (h *history) step(t *rapid.T) {
	before := len(h.gateway.Requests())
	payment := rapid.SampledFrom(h.payments).Draw(t, "payment")
	calls := make([]*call, rapid.SampledFrom([]int{1, 1, 1, 2, 4}).Draw(t, "callers"))
	for i := range calls {
		h.calls++
		calls[i] = &call{
			id: "c" + strconv.Itoa(h.calls),
			op: rapid.SampledFrom([]jpayment.Operation{
				jpayment.OpSales, jpayment.OpSales, jpayment.OpCancel, jpayment.OpReAuth, jpayment.OpReAuthByKickback,
			}).Draw(t, "operation"),
			payment: payment,
			amount:  rapid.Int64Range(1, 100_000).Draw(t, "new amount"),
			replays: rapid.Bool().Draw(t, "replays"),
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	trouble := rapid.SampledFrom(troubles).Draw(t, "trouble")
	restore := trouble.begin(t, h, cancel, calls)
	var wg sync.WaitGroup
	for _, c := range calls {
		wg.Go(func() { h.send(ctx, c) })
	}
	wg.Wait()
	restore()
	h.gateway.DeliverKickbacks(context.Background())
	h.check(t, calls, h.gateway.Requests()[before:], ctx.Err() != nil || h.stale > 0)
	if h.stale--; h.stale == 0 {
		h.conns.closeIdle() // Including any that was closed unseen.
	}
	h.checkKickbacks(t)
}

func (h *history) send(ctx context.Context, c *call) {
	client := h.clients[c.replays]
	extra := jpayment.NewExtra(map[string]string{"call": c.id})
	reAuth := jpayment.ReAuthRequest{PaymentID: c.payment, Amount: c.amount, Tax: c.amount / 10, Extra: extra}
	switch c.op {
	case jpayment.OpSales:
		c.res, c.err = client.Sales(ctx, jpayment.SalesRequest{PaymentID: c.payment, Extra: extra})
	case jpayment.OpCancel:
		c.res, c.err = client.Cancel(ctx, jpayment.CancelRequest{PaymentID: c.payment, Extra: extra})
	case jpayment.OpReAuth:
		c.res, c.err = client.ReAuth(ctx, reAuth)
	case jpayment.OpReAuthByKickback:
		c.err = client.ReAuthByKickback(ctx, reAuth)
	}
}

// check compares the reported outcomes with the books.
func (h *history) check(t *rapid.T, calls []*call, requests []jpaymenttest.Request, excused bool) {
	byCall := map[string][]jpaymenttest.Request{}
	for _, r := range requests {
		byCall[r.Form.Get("call")] = append(byCall[r.Form.Get("call")], r)
	}
	for _, c := range calls {
		booked := 0
		for _, r := range byCall[c.id] {
			if r.Booked {
				booked++
			}
		}
		fail := func(invariant string) {
			t.Fatalf("%s\n%s of %s, told %v: %v\n%d requests, %d booked", invariant, c.op, c.payment,
				jpayment.OutcomeOf(c.err), c.err, len(byCall[c.id]), booked)
		}
		if booked > 1 {
			fail(invOnce)
		}
		if repeated(c, byCall[c.id]) {
			fail(invRepeat)
		}
		switch jpayment.OutcomeOf(c.err) {
		case jpayment.OutcomeDone:
			h.told.done++
			if !h.asTold(c, byCall[c.id], booked) {
				fail(invDone)
			}
		case jpayment.OutcomeRefused:
			h.told.refused++
			if booked != 0 {
				fail(invRefused)
			}
		case jpayment.OutcomeNotSent:
			h.told.notSent++
			if len(byCall[c.id]) != 0 {
				fail(invNotSent)
			}
		case jpayment.OutcomeUnknown:
			h.told.unknown++
			if !excused && !h.ambiguous(c) && !slices.ContainsFunc(byCall[c.id], unavoidable) {
				fail(invUnknown)
			}
		}
	}
}

// unavoidable reports whether the answer to a request cannot show what the gateway has done:
// a fault spoilt it, or its code leaves that open. The refusal of a re-authorisation does so,
// unless the gateway refused the request before it looked at the payment.
func unavoidable(r jpaymenttest.Request) bool {
	if r.Fault != "" && r.Fault != jpaymenttest.AnswerCode {
		return true
	}
	code := strings.TrimPrefix(strings.TrimSpace(string(r.Answer)), "ER:")
	if columns := strings.Split(code, ","); len(columns) > 3 {
		code = columns[3]
	}
	switch code {
	case "", "OK", "ER001", "ER003", "ER010", "ER053", "ER999":
		return false
	case "ER032", "ER033", "G1242G120000", "G9542G950000":
		return r.Operation == jpayment.OpReAuth || r.Operation == jpayment.OpReAuthByKickback
	default:
		return true
	}
}

// ambiguous reports whether an order number with commas made a reply unreadable. Its numbers
// may happen to look like amounts.
func (h *history) ambiguous(c *call) bool {
	p, _ := h.gateway.Payment(c.payment)
	var re *jpayment.ReplyError
	err := c.err
	if ge := (*jpayment.GatewayError)(nil); errors.As(err, &ge) && ge.Earlier != nil {
		err = ge.Earlier
	}
	return strings.Contains(p.OrderNumber, ",") && errors.As(err, &re) && re.Column == "cod"
}

// repeated reports whether a request was repeated that must not be: any ReAuth, and, without
// ReplayUnknown, any Sales or Cancel except one that was answered with congestion.
func repeated(c *call, requests []jpaymenttest.Request) bool {
	for i := range len(requests) - 1 {
		busy := strings.Contains(string(requests[i].Answer), "ER010")
		reAuth := strings.HasPrefix(string(c.op), "ReAuth")
		if reAuth || !busy && !c.replays {
			return true
		}
	}
	return false
}

// asTold reports whether a call that is reported done was booked once, with the amounts in
// its result. The result of a ReAuthByKickback follows later.
func (h *history) asTold(c *call, requests []jpaymenttest.Request, booked int) bool {
	if c.op == jpayment.OpReAuthByKickback {
		return len(requests) == 1
	}
	p, found := h.gateway.Payment(c.res.PaymentID)
	if booked != 1 || !found || c.res.Status != jpayment.StatusSucceeded || c.res.Total != jpayment.Yen(p.Amount+p.Tax+p.Shipping) ||
		c.res.Amount != jpayment.Yen(p.Amount) || c.res.Tax != jpayment.Yen(p.Tax) || c.res.Shipping != jpayment.Yen(p.Shipping) {
		return false
	}
	if c.op == jpayment.OpReAuth {
		return p.Replaces == c.payment && p.Amount == c.amount && p.Tax == c.amount/10 && p.Shipping == 0
	}
	return p.ID == c.payment
}

// checkKickbacks compares the kickbacks since the last step with the books.
func (h *history) checkKickbacks(t *rapid.T) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.told.kickbacks += len(h.kickbacks)
	for _, k := range h.kickbacks {
		if k.Status != jpayment.StatusSucceeded {
			continue
		}
		p, found := h.gateway.Payment(k.PaymentID)
		if !found || p.Replaces != k.Request.PaymentID || p.Amount != k.Request.Amount || p.Tax != k.Request.Tax || p.Shipping != k.Request.Shipping {
			t.Fatalf("%s\n%v", invKickback, k)
		}
	}
	h.kickbacks = nil
}

// conns counts the open connections of a merchant's clients.
type conns struct {
	broken     atomic.Bool // no new connection can be made
	transports []*http.Transport

	mu     sync.Mutex
	open   int
	closed chan struct{} // closed when none is open
}

func (cs *conns) add(n int) {
	cs.mu.Lock()
	defer cs.mu.Unlock()
	if cs.open == 0 {
		cs.closed = make(chan struct{})
	}
	if cs.open += n; cs.open == 0 {
		close(cs.closed)
	}
}

// wait returns the number of connections that are still open after the limit, or 0 as soon as
// none is. A connection that net/http was still opening when it was no longer needed takes a
// moment to close.
func (cs *conns) wait(limit time.Duration) int {
	timer := time.NewTimer(limit)
	defer timer.Stop()
	for {
		cs.mu.Lock()
		open, closed := cs.open, cs.closed
		cs.mu.Unlock()
		if open == 0 {
			return 0
		}
		select {
		case <-closed:
		case <-timer.C:
			return open
		}
	}
}

type conn struct {
	net.Conn
	closed func()
}

func (c conn) Close() error {
	c.closed()
	return c.Conn.Close()
}

func (cs *conns) transport() *http.Transport {
	tr := &http.Transport{
		MaxIdleConnsPerHost: 8,
		DialContext: func(ctx context.Context, network, addr string) (net.Conn, error) {
			if cs.broken.Load() {
				return nil, errors.New("no route to the gateway")
			}
			raw, err := (&net.Dialer{}).DialContext(ctx, network, addr)
			if err != nil {
				return nil, err
			}
			cs.add(1)
			return conn{raw, sync.OnceFunc(func() { cs.add(-1) })}, nil
		},
	}
	cs.transports = append(cs.transports, tr)
	return tr
}

func (cs *conns) closeIdle() {
	for _, tr := range cs.transports {
		tr.CloseIdleConnections()
	}
}

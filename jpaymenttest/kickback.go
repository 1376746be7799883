package jpaymenttest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/jpayment-go/jpayment/internal/wire"
)

// SetKickbackURL sets the shop's notification URL (決済結果通知URL), to which the gateway
// sends the outcome of a re-authorisation with rt=0. A query of its own stands
// before the notice's parameters. Empty takes the URL back.
//
// ASSUMPTION (L): while there is no URL, notices are kept, and those that are due
// when there is one are sent then. An attempt goes to the URL of its time.
//
// SetKickbackURL panics unless the URL is absolute, of http or https, without a user
// name, and its host is localhost or an address of the loopback interface: what the
// simulated gateway sends are made-up payments, and one of a configuration file that
// was meant for the real one must not meet a shop's real receiver. The certificate
// of an https receiver is checked.
func (g *Gateway) SetKickbackURL(notificationURL string) {
	var target *url.URL
	if notificationURL != "" {
		u, err := url.Parse(notificationURL)
		if err != nil {
			panic(fmt.Sprintf("jpaymenttest: SetKickbackURL: %v", err))
		}
		if u.Scheme != "http" && u.Scheme != "https" || u.User != nil || !isLoopback(u.Hostname()) {
			panic(fmt.Sprintf("jpaymenttest: SetKickbackURL: %s is not a URL of http or https on this machine", u.Redacted()))
		}
		target = u
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.kickbacks.target = target
	g.changed()
	g.lookAgain()
}

func isLoopback(host string) bool {
	addr, err := netip.ParseAddr(host)
	return err == nil && addr.Unmap().IsLoopback() || strings.EqualFold(host, "localhost")
}

// KickbackDelivery is one attempt to deliver a kickback, and what became of it. It
// is kept from before the receiver can know of it; until the attempt has ended,
// Status, Answer, Err and Delivered are zero.
type KickbackDelivery struct {
	Request   int       // the Number of the Request whose outcome it tells; 0 if forged
	Duplicate int       // 0 for the notice itself, then counted from 1; see WithKickbackDuplicates
	Attempt   int       // to deliver this notice, or this duplicate of it, counted from 1
	Manual    bool      // asked for by RetryKickback
	At        time.Time // by the gateway's clock
	RawQuery  string    // the bytes after the question mark

	Status    int    // of the receiver's answer; 0 where there was none
	Answer    []byte // its body, up to 64 KiB
	Err       error  // why there was no answer, or not the whole of it
	Delivered bool   // the gateway is content
}

// Kickbacks returns every attempt so far to deliver a kickback, in order. Forged
// ones are not the gateway's: see [Gateway.ForgedKickbacks].
func (g *Gateway) Kickbacks() []KickbackDelivery {
	g.mu.Lock()
	defer g.mu.Unlock()
	return copyDeliveries(g.kickbacks.deliveries)
}

// ForgedKickbacks returns what [Gateway.ForgeKickback] sent so far, in order.
func (g *Gateway) ForgedKickbacks() []KickbackDelivery {
	g.mu.Lock()
	defer g.mu.Unlock()
	return copyDeliveries(g.kickbacks.forged)
}

func copyDeliveries(deliveries []*KickbackDelivery) []KickbackDelivery {
	all := make([]KickbackDelivery, len(deliveries))
	for i, d := range deliveries {
		all[i] = d.copy()
	}
	return all
}

func (d *KickbackDelivery) copy() KickbackDelivery {
	c := *d
	c.Answer = slices.Clone(d.Answer)
	return c
}

// DeliverKickbacks sends every kickback that is due by the gateway's clock, one
// after the other, and returns how many it sent, delivered or not. It first waits
// for those that are under way, other than by hand or forged, so that afterwards none
// that was due is left: but a receiver that calls it waits for itself, until the
// gateway's patience ends.
//
// A [Server] sends by itself what is due, as long as its clock is the machine's.
// With [WithClock], it sends by itself only a kickback that is due as soon as its
// request is answered, and that once; whether such a one is counted here is chance.
// A test that counts sets a [WithKickbackDelay]. A [Gateway] without a Server sends
// nothing by itself.
func (g *Gateway) DeliverKickbacks(ctx context.Context) (sent int) {
	g.mu.Lock()
	now := g.clock()
	g.mu.Unlock()
	return g.sendAll(ctx, func(n *notice) bool { return !n.due.After(now) })
}

// RetryKickback sends the kickback of a request once more and at once, whether or
// not it was delivered, as the operators of the gateway's control panel would. The
// error is that of the delivery; it is also one that the request has no kickback or
// the shop no notification URL.
//
// ASSUMPTION (L): an attempt by hand that succeeds ends the gateway's own, one that
// fails changes nothing about them.
func (g *Gateway) RetryKickback(ctx context.Context, request int) (KickbackDelivery, error) {
	g.mu.Lock()
	i := slices.IndexFunc(g.kickbacks.notices, func(n *notice) bool { return n.request == request })
	if i < 0 {
		g.mu.Unlock()
		return KickbackDelivery{}, fmt.Errorf("jpaymenttest: RetryKickback: request %d has no kickback", request)
	}
	n := g.kickbacks.notices[i]
	g.mu.Unlock()
	return g.send(ctx, n, n.query, true)
}

// ForgeKickback sends a query to the shop's notification URL as anyone can who knows
// it: kickbacks are not signed (field notes, "Kickbacks": H). The query is sent as it
// is, escaped or not, and once. The error is that of the delivery; it is also one
// that the shop has no notification URL.
func (g *Gateway) ForgeKickback(ctx context.Context, query string) (KickbackDelivery, error) {
	return g.send(ctx, nil, query, true)
}

// kickbacks is what the gateway keeps of them.
type kickbacks struct {
	target     *url.URL // nil for none
	notices    []*notice
	kept       int // how many of the notices the journal has
	deliveries []*KickbackDelivery
	forged     []*KickbackDelivery
}

// notice is the outcome of a re-authorisation that is to be told by kickback
// (決済結果通知, rt=0).
type notice struct {
	request   int
	duplicate int
	query     string

	held     bool      // its request is not answered yet
	prompt   bool      // it could be sent as soon as its request was answered
	due      time.Time // of the next attempt
	attempts int
	tries    int  // the attempts that nobody asked for by hand
	ended    bool // delivered or given up
}

// notify keeps the outcome of a re-authorisation with rt=0 for its kickback. Only
// what the issuer was asked about is told by kickback (specification, ※1 below the
// table of columns: codes there are those that begin with G).
func (g *Gateway) notify(req *Request, in input, res result) result {
	if in.wantsRow() || res.code != "" && g.declinesAnswered {
		return res
	}
	res.byKickback = true
	query := g.kickbackQuery(res, in.form.otherData())
	for duplicate := range 1 + g.kickbackCopies {
		g.kickbacks.notices = append(g.kickbacks.notices, &notice{
			request:   req.Number,
			duplicate: duplicate,
			query:     query,
			held:      true,
			due:       req.At.Add(g.kickbackDelay),
		})
	}
	return res
}

// kickbackQuery writes the parameters of a kickback (specification, キックバック(rt=0)仕様;
// field notes, "Kickbacks": empty values are kept, the merchant's other data comes
// back as parameters of its own after ta, acid may follow: H).
func (g *Gateway) kickbackQuery(res result, other []Param) string {
	columns := res.columns()
	pairs := make([]Param, 0, len(columns)+len(other)+1)
	for i, name := range []string{"gid", "rst", "ap", "ec", "god", "cod", "am", "tx", "sf", "ta"} {
		pairs = append(pairs, Param{name, columns[i]})
	}
	pairs = append(pairs, other...)
	if g.kickbackACID != "" {
		pairs = append(pairs, Param{"acid", g.kickbackACID})
	}
	return noticeQuery(pairs, g.kickbackCharset)
}

// noticeQuery writes pairs as key=value&key=value. Keys and values are
// percent-encoded in the character set, all but ASCII letters, digits, "-", ".", "_"
// and "~".
func noticeQuery(pairs []Param, charset wire.Charset) string {
	var b strings.Builder
	for i, p := range pairs {
		if i > 0 {
			b.WriteByte('&')
		}
		b.WriteString(escape(encode(p.Key, charset)))
		b.WriteByte('=')
		b.WriteString(escape(encode(p.Value, charset)))
	}
	return b.String()
}

// answered lets the notices of a request go. Its answer was written to w, or w is nil
// and a fault has the answer. net/http keeps a short answer until the flush here: a
// client that has its answer finds the notice due, and a Server sends the notice
// after the answer. Which of the two is read first is not in the gateway's hands.
func (g *Gateway) answered(w http.ResponseWriter, request int) {
	if !g.release(request) {
		return
	}
	if w != nil {
		_ = http.NewResponseController(w).Flush() // where it cannot, the answer is sent all the same
	}
	g.lookAgain()
}

func (g *Gateway) release(request int) (any bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, n := range slices.Backward(g.kickbacks.notices) {
		if n.request < request {
			break
		}
		if n.request == request {
			n.held = false
			n.prompt = g.kickbacks.target != nil && !n.due.After(g.clock())
			any = true
		}
	}
	return any
}

// lookAgain tells sendKickbacks that there may be something to do.
func (g *Gateway) lookAgain() {
	select {
	case g.wake <- struct{}{}:
	default:
	}
}

// sendKickbacks sends kickbacks as they fall due until the gateway is closed.
func (g *Gateway) sendKickbacks() {
	ctx := context.Background()
	for !g.closed() {
		var next <-chan time.Time
		if g.machineClock {
			g.DeliverKickbacks(ctx)
			if due, any := g.nextDue(); any {
				next = time.After(time.Until(due))
			}
		} else {
			g.sendAll(ctx, func(n *notice) bool { return n.prompt && n.tries == 0 })
		}
		select {
		case <-next:
		case <-g.wake:
		case <-g.closing:
		}
	}
}

func (g *Gateway) nextDue() (due time.Time, any bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, n := range g.kickbacks.notices {
		if g.sendable(n) && (!any || n.due.Before(due)) {
			due, any = n.due, true
		}
	}
	return due, any
}

func (g *Gateway) sendable(n *notice) bool {
	return g.kickbacks.target != nil && !n.held && !n.ended
}

// sendAll sends what is due until nothing is. One call at a time does.
func (g *Gateway) sendAll(ctx context.Context, isDue func(*notice) bool) (sent int) {
	select {
	case g.turn <- struct{}{}:
		defer func() { <-g.turn }()
	case <-ctx.Done():
		return 0
	case <-g.closing:
		return 0
	}
	for {
		batch := g.batch(isDue)
		if len(batch) == 0 {
			return sent
		}
		for _, n := range batch {
			if ctx.Err() != nil || g.closed() {
				return sent
			}
			if d, _ := g.send(ctx, n, n.query, false); d.Attempt > 0 { // the record has the error
				sent++
			}
		}
	}
}

// batch returns the notices that are due together, in the order in which to send
// them.
func (g *Gateway) batch(isDue func(*notice) bool) []*notice {
	g.mu.Lock()
	defer g.mu.Unlock()
	var batch []*notice
	for _, n := range g.kickbacks.notices {
		if g.sendable(n) && isDue(n) {
			batch = append(batch, n)
		}
	}
	slices.SortStableFunc(batch, func(a, b *notice) int { return a.due.Compare(b.due) })
	if g.kickbacksReversed {
		slices.Reverse(batch)
	}
	return batch
}

// maxAnswer bounds what is read of a receiver's answer.
const maxAnswer = 64 << 10

var (
	errClosed = errors.New("jpaymenttest: the gateway is closed")
	errNoURL  = errors.New("jpaymenttest: the shop has no notification URL (決済結果通知URL)")
	errEnded  = errors.New("jpaymenttest: the kickback was delivered meanwhile")
)

// send makes one attempt to deliver a notice, or a forged query where there is no
// notice. A delivery without an Attempt was none.
func (g *Gateway) send(ctx context.Context, n *notice, query string, byHand bool) (KickbackDelivery, error) {
	d := &KickbackDelivery{Attempt: 1}
	target, err := g.begin(d, n, query, byHand)
	if err != nil {
		return KickbackDelivery{}, err
	}
	status, answer, err := g.get(ctx, target, d.RawQuery)

	g.mu.Lock()
	defer g.mu.Unlock()
	d.Status, d.Answer, d.Err = status, answer, err
	// The success of a notice is judged by its receiver's output not being empty
	// (specification, キックバック(rt=0)仕様; field notes, "Kickbacks": H).
	d.Delivered = err == nil && len(answer) > 0
	if n != nil {
		n.ended = n.ended || d.Delivered
		_ = g.save(Change{Kickbacks: []WaitingKickback{n.waiting()}}) // see WithJournal
	}
	g.changed()
	return d.copy(), err
}

// begin keeps the record of an attempt and says where it goes.
func (g *Gateway) begin(d *KickbackDelivery, n *notice, query string, byHand bool) (*url.URL, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	target := g.kickbacks.target
	switch {
	case g.closed():
		return nil, errClosed
	case target == nil:
		return nil, errNoURL
	case !byHand && n.ended:
		return nil, errEnded
	}

	defer g.changed()
	d.At = g.clock()
	d.RawQuery = query
	if target.RawQuery != "" {
		d.RawQuery = target.RawQuery + "&" + query
	}
	if n == nil {
		g.kickbacks.forged = remember(g.kickbacks.forged, d, g.memory)
		return target, nil
	}
	n.attempts++
	d.Request, d.Duplicate, d.Attempt, d.Manual = n.request, n.duplicate, n.attempts, byHand
	g.kickbacks.deliveries = remember(g.kickbacks.deliveries, d, g.memory)
	if byHand {
		return target, nil
	}
	if n.ended = n.tries >= len(g.kickbackRetries); !n.ended {
		n.due = d.At.Add(g.kickbackRetries[n.tries])
	}
	n.tries++
	return target, nil
}

// get sends a query to a receiver and returns its answer. Each has a connection of
// its own: on one that was used before, net/http might send the query twice without a
// word. What the real gateway's headers are is not known, so that there are none but
// those that HTTP demands.
func (g *Gateway) get(ctx context.Context, target *url.URL, query string) (status int, answer []byte, err error) {
	ctx, cancel := context.WithTimeout(ctx, g.kickbackTimeout)
	defer cancel()
	go func() {
		select {
		case <-g.closing:
			cancel()
		case <-ctx.Done():
		}
	}()

	req, err := http.NewRequestWithContext(ctx, http.MethodGet, target.String(), http.NoBody)
	if err != nil {
		return 0, nil, err
	}
	req.URL.RawQuery = query
	req.Header.Set("User-Agent", "") // not net/http's
	// A transport alone follows no redirect and, being a new one, uses no proxy.
	transport := &http.Transport{DisableKeepAlives: true, DisableCompression: true}
	resp, err := transport.RoundTrip(req)
	if err != nil {
		return 0, nil, err
	}
	defer func() { _ = resp.Body.Close() }()
	answer, err = io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	return resp.StatusCode, answer, err
}

package jpaymenttest

import (
	"io"
	"math/rand/v2"
	"net/http"
	"net/netip"
	"slices"
	"sync"
	"time"
)

// The two pages of the gateway (specification, 接続先).
const (
	gatewayPath = "/gateway/gateway.aspx"
	reAuthPath  = "/gateway/re_auth.aspx"
)

// maxBody bounds what is kept of a request's body. No request of the protocol
// comes near it.
const maxBody = 1 << 20

// Gateway is one shop at the simulated gateway: its books, and the http.Handler
// before them. It is safe for concurrent use; requests are decided one at a time.
//
// Behind a listener other than [Server]'s, note that a Gateway sees the source
// address of a request in http.Request.RemoteAddr alone, as the real one does,
// and that some faults panic with [http.ErrAbortHandler], which net/http takes as
// the wish to drop the connection.
type Gateway struct {
	settings

	closing chan struct{} // closed when nothing is to be answered or booked any more

	mu          sync.Mutex
	random      *rand.Rand
	maintenance bool
	testMode    bool
	allowed     []netip.Prefix
	books       books
	faults      []*fault
	requests    []*Request
	numbered    int // requests so far
	kickbacks   kickbacks
	changes     chan struct{} // closed and replaced at every change

	wake chan struct{} // holds one element when the notices are to be looked at again
	turn chan struct{} // holds one element while notices are being sent
}

// New returns a gateway whose shop has no payments and admits requests from this
// machine only. It panics if an option is not valid.
func New(opts ...Option) *Gateway {
	g := &Gateway{
		settings: defaults(),
		closing:  make(chan struct{}),
		allowed: []netip.Prefix{
			netip.MustParsePrefix("127.0.0.0/8"),
			netip.MustParsePrefix("::1/128"),
		},
		books:   newBooks(),
		changes: make(chan struct{}),
		wake:    make(chan struct{}, 1),
		turn:    make(chan struct{}, 1),
	}
	for _, opt := range opts {
		opt(&g.settings)
	}
	g.random = newRandom(g.seed)
	g.restore()
	return g
}

// Request is a request as it arrived and what became of it.
type Request struct {
	Number     int       // counted from 1; requests are numbered in the order in which they were decided
	At         time.Time // by the gateway's clock
	RemoteAddr string
	Method     string
	Path       string
	RawQuery   string // the bytes after the question mark
	Header     http.Header
	Body       []byte // the exact bytes, up to 1 MiB
	Form       Form   // what could be decoded, in the order received

	Operation string // OpSales, OpCancel or OpReAuth; empty where it is none of them
	PaymentID string // tid as it was sent

	// Code is the code with which the gateway refused; empty where it did not or was
	// not asked. A G code that a re-authorisation with rt=0 met is here as well, though
	// only the kickback tells it.
	Code   string
	Booked bool      // the books changed, whatever the caller was told
	Fault  FaultKind // the fault that struck; empty for none

	Status int    // of the answer; 0 where none was given
	Answer []byte // the body that was sent, as far as it was sent
}

// ServeHTTP takes one request to the gateway.
func (g *Gateway) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(io.LimitReader(r.Body, maxBody+1))
	number, fault, ans, err := g.take(r, body, err)
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	if fault == nil {
		g.deliver(w, r, nil, ans)
		g.answered(w, number)
		return
	}
	g.answered(nil, number) // as far as the gateway knows: what goes wrong, does so after it
	if fault.Notify != nil {
		fault.Notify()
	}
	g.deliver(w, r, fault, ans)
}

// take records a request, decides it and books what comes of it, all under one
// lock: the order of the records is the order of the bookings. A request with an error
// is not to be answered: the client left in the middle of it, the gateway is closed or
// the booking could not be kept.
func (g *Gateway) take(r *http.Request, body []byte, readErr error) (number int, struck *fault, ans answer, err error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.closed() {
		return 0, nil, answer{}, errClosed
	}
	defer g.changed()

	in := g.read(r, body)
	g.numbered++
	req := &Request{
		Number:     g.numbered,
		At:         g.clock(),
		RemoteAddr: r.RemoteAddr,
		Method:     r.Method,
		Path:       r.URL.Path,
		RawQuery:   r.URL.RawQuery,
		Header:     r.Header.Clone(),
		Body:       body[:min(len(body), maxBody)],
		Form:       in.form,
		Operation:  operation(r.URL.Path, in.form),
		PaymentID:  in.form.Get("tid"),
	}
	g.requests = remember(g.requests, req, g.memory)
	switch {
	case readErr != nil:
		return req.Number, nil, answer{}, readErr
	case req.Path != gatewayPath && req.Path != reAuthPath:
		return req.Number, nil, record(req, page(http.StatusNotFound)), nil
	}

	struck = g.strike(req)
	if struck != nil {
		req.Fault = struck.Kind
	}
	var res result
	if struck == nil || !struck.Kind.beforeBooking() {
		res = g.decide(req, in)
		req.Code = res.code
	}
	if err := g.keep(); err != nil {
		req.Code, req.Booked, req.Fault = "", false, ""
		return req.Number, nil, answer{}, err
	}
	return req.Number, struck, record(req, g.answer(struck, res, in)), nil
}

// record keeps what is about to be sent, before anyone can have received it.
func record(req *Request, a answer) answer {
	if req.Method == http.MethodHead {
		a.body = nil // HTTP forbids one
	}
	req.Status, req.Answer = a.status, a.body
	return a
}

func operation(path string, form Form) string {
	if path == reAuthPath {
		return OpReAuth
	}
	if jb := form.Get("jb"); path == gatewayPath && (jb == OpSales || jb == OpCancel) {
		return jb
	}
	return ""
}

// Requests returns every request so far, in the order in which the gateway
// decided them.
func (g *Gateway) Requests() []Request {
	g.mu.Lock()
	defer g.mu.Unlock()
	all := make([]Request, len(g.requests))
	for i, req := range g.requests {
		all[i] = *req
		all[i].Header = req.Header.Clone()
		all[i].Body = slices.Clone(req.Body)
		all[i].Form = slices.Clone(req.Form)
		all[i].Answer = slices.Clone(req.Answer)
	}
	return all
}

// SetMaintenance begins or ends maintenance, during which every request is
// refused with ER999 (field notes, "Operations": H).
func (g *Gateway) SetMaintenance(on bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.maintenance = on
	g.changed()
}

// SetTestMode turns the shop's test mode on or off. In test mode the approval
// code of every reply is TestMod and no money moves (field notes, "Replies": H);
// see [Payment.TestMode].
func (g *Gateway) SetTestMode(on bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.testMode = on
	g.changed()
}

// RegisterIPs replaces the source addresses that the shop has registered, at
// first those of the loopback. Requests from elsewhere are refused with ER003
// (specification, 接続先); after RegisterIPs() without addresses all are. A shop
// with [WithConnectionAuth] is not checked by address. RegisterIPs panics if a
// prefix is not valid.
func (g *Gateway) RegisterIPs(prefixes ...netip.Prefix) {
	allowed := make([]netip.Prefix, len(prefixes))
	for i, p := range prefixes {
		if !p.IsValid() {
			panic("jpaymenttest: RegisterIPs: invalid prefix")
		}
		// A prefix matches only addresses of its own family, and an IPv4 client
		// of a dual-stack listener may be known by either.
		if p.Addr().Is4In6() {
			p = netip.PrefixFrom(p.Addr().Unmap(), max(p.Bits()-96, 0))
		}
		allowed[i] = p
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.allowed = allowed
	g.changed()
}

func (g *Gateway) knows(remoteAddr string) bool {
	source, err := netip.ParseAddrPort(remoteAddr)
	if err != nil {
		return false
	}
	addr := source.Addr().Unmap().WithZone("")
	return slices.ContainsFunc(g.allowed, func(p netip.Prefix) bool { return p.Contains(addr) })
}

// close ends the gateway: hanging requests are let go unanswered, and nothing is
// booked and no notice sent any more.
func (g *Gateway) close() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if !g.closed() {
		close(g.closing)
	}
}

func (g *Gateway) closed() bool {
	select {
	case <-g.closing:
		return true
	default:
		return false
	}
}

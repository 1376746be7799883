// Package sim is the simulated gateway: one store with its books, the pages before them,
// faults and kickbacks. Package jpaymenttest shows of it what a merchant's test needs and
// lists its assumptions; the command jpayment simulate uses the rest, which is what a
// program that runs for long and has a control panel needs.
//
// It is written from the connection specification and shares no decision with the client.
package sim

import (
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"sync"
	"time"

	"github.com/jpayment-go/jpayment"
)

// The two pages of the gateway (specification, 接続先).
const (
	gatewayPath = "/gateway/gateway.aspx"
	reAuthPath  = "/gateway/re_auth.aspx"
)

// maxBody bounds what is read of a request's body. No request of the protocol
// comes near it.
const maxBody = 64 << 10

// Simulator is one store at the simulated gateway: its books, and the http.Handler
// before them. It is safe for concurrent use; requests are decided one at a time.
//
// Behind a listener other than [Server]'s, note that a Simulator sees the source
// address of a request in http.Request.RemoteAddr alone, as the real gateway does,
// and that some faults panic with [http.ErrAbortHandler], by which net/http drops the
// connection.
type Simulator struct {
	config       Config
	clock        func() time.Time
	machineClock bool // a timer tells when a time by the clock has come

	closing chan struct{} // closed when nothing is to be answered or booked any more

	mu          sync.Mutex
	random      *rand.Rand
	maintenance bool
	testMode    bool
	allowed     []netip.Prefix
	books       books
	faults      []*ActiveFault
	faultsSet   int // so far
	requests    []measured
	numbered    int // requests so far
	kickbacks   kickbacks
	changes     chan struct{} // closed and replaced at every change

	wake chan struct{} // holds one element when the kickbacks are to be looked at again
	turn chan struct{} // holds one element while kickbacks are being sent

	idle idle
}

// New returns a simulator that admits requests from this machine only. It panics if the
// configuration cannot be meant.
func New(c Config) *Simulator {
	if err := c.check(); err != nil {
		panic("jpaymenttest: " + err.Error())
	}
	c.Behaviour = c.clone()
	s := &Simulator{
		config:       c,
		clock:        c.Clock,
		machineClock: c.Clock == nil,
		closing:      make(chan struct{}),
		random:       newRandom(c.Seed),
		allowed: []netip.Prefix{
			netip.MustParsePrefix("127.0.0.0/8"),
			netip.MustParsePrefix("::1/128"),
		},
		books:   newBooks(),
		changes: make(chan struct{}),
		wake:    make(chan struct{}, 1),
		turn:    make(chan struct{}, 1),
		idle:    idle{timers: map[net.Conn]*time.Timer{}},
	}
	if s.machineClock {
		s.clock = time.Now
	}
	s.restore()
	return s
}

// Config returns what the simulator was made of, and how it behaves now.
func (s *Simulator) Config() Config {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.config
}

// Behave makes the gateway behave otherwise from the next request on. Kickbacks that wait
// are sent as it behaves then.
func (s *Simulator) Behave(b Behaviour) {
	must("Behave", b.Values().Check())
	s.mu.Lock()
	defer s.mu.Unlock()
	s.config.Behaviour = b.clone()
	s.changed()
	s.lookAgain()
}

// must panics with an error of what a test or program has asked for. The reader knows
// the simulator as jpaymenttest.
func must(what string, err error) {
	if err != nil {
		panic("jpaymenttest: " + what + ": " + err.Error())
	}
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
	Body       []byte // the exact bytes, up to 64 KiB
	Form       Form   // what could be decoded, in the order received, up to 400 parameters

	Operation jpayment.Operation // empty where it is none of the gateway's
	PaymentID string             // tid as it was sent

	// Code is the code with which the gateway refused; empty where it did not or was
	// not asked. A G code that a re-authorisation with rt=0 met is here as well, though
	// only the kickback tells it.
	Code   string
	Booked bool      // the books changed, whatever the caller was told
	Fault  FaultKind // the fault that struck; empty for none

	Status int    // of the answer; 0 where none was given
	Answer []byte // the body that was sent, as far as it was sent
}

// measured is a request with how much memory it takes.
type measured struct {
	*Request
	size int
}

func (m measured) bytes() int { return m.size }

// measure counts what a request takes, with what a value costs beside its bytes.
func (r *Request) measure() measured {
	const each = 64
	size := 8*each + len(r.RemoteAddr) + len(r.Method) + len(r.Path) + len(r.RawQuery) + len(r.Body) + len(r.Answer)
	for name, values := range r.Header {
		size += each + len(name)
		for _, value := range values {
			size += each + len(value)
		}
	}
	for _, p := range r.Form {
		size += each + len(p.Key) + len(p.Value)
	}
	return measured{r, size}
}

func (r *Request) copy() Request {
	c := *r
	c.Header = r.Header.Clone()
	c.Body = slices.Clone(r.Body)
	c.Form = slices.Clone(r.Form)
	c.Answer = slices.Clone(r.Answer)
	return c
}

// ServeHTTP takes one request to the gateway.
func (s *Simulator) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(io.LimitReader(r.Body, maxBody+1))
	number, fault, ans, err := s.take(r, body, err)
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	if fault == nil {
		s.deliver(w, r, nil, ans)
		s.answered(w, number)
		return
	}
	s.answered(nil, number) // as far as the gateway knows: what goes wrong, does so after it
	if fault.Notify != nil {
		fault.Notify()
	}
	s.deliver(w, r, fault, ans)
}

// take records a request, decides it and books what comes of it, all under one
// lock: the order of the records is the order of the bookings. A request with an error
// is not to be answered: the client left in the middle of it, the gateway is closed or
// the booking could not be kept.
func (s *Simulator) take(r *http.Request, body []byte, readErr error) (number int, struck *ActiveFault, ans answer, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed() {
		return 0, nil, answer{}, errClosed
	}
	defer s.changed()

	in := s.read(r, body)
	s.numbered++
	req := &Request{
		Number:     s.numbered,
		At:         s.clock(),
		RemoteAddr: r.RemoteAddr,
		Method:     r.Method,
		Path:       r.URL.Path,
		RawQuery:   r.URL.RawQuery,
		Header:     r.Header.Clone(),
		Body:       slices.Clone(body[:min(len(body), maxBody)]), // without the room that reading it took
		Form:       in.form,
		Operation:  operation(r.URL.Path, in.form),
		PaymentID:  in.form.Get("tid"),
	}
	defer func() { s.requests = remember(append(s.requests, req.measure()), s.config) }()
	switch {
	case readErr != nil:
		return req.Number, nil, answer{}, readErr
	case req.Path != gatewayPath && req.Path != reAuthPath:
		return req.Number, nil, record(req, page(http.StatusNotFound)), nil
	}

	struck = s.strike(req)
	if struck != nil {
		req.Fault = struck.Kind
	}
	var res result
	if struck == nil || struck.books() {
		res = s.decide(req, in)
		req.Code = res.code
	}
	if err := s.keep(); err != nil {
		req.Code, req.Booked, req.Fault = "", false, ""
		return req.Number, nil, answer{}, err
	}
	return req.Number, struck, record(req, s.answer(struck, res, in)), nil
}

// record keeps what is about to be sent, before anyone can have received it.
func record(req *Request, a answer) answer {
	if req.Method == http.MethodHead {
		a.body = nil // HTTP forbids one
	}
	req.Status, req.Answer = a.status, a.body
	return a
}

// operation returns what a request asks for.
func operation(path string, form Form) jpayment.Operation {
	switch rt, jb := form.Get("rt"), form.Get("jb"); {
	case path == reAuthPath && rt == "0":
		return jpayment.OpReAuthByKickback
	case path == reAuthPath:
		return jpayment.OpReAuth
	case path == gatewayPath && jb == "SALES":
		return jpayment.OpSales
	case path == gatewayPath && jb == "CANCEL":
		return jpayment.OpCancel
	default:
		return ""
	}
}

// Requests returns every request so far, in the order in which the gateway
// decided them.
func (s *Simulator) Requests() []Request {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := make([]Request, len(s.requests))
	for i, req := range s.requests {
		all[i] = req.copy()
	}
	return all
}

// RequestsAfter returns the requests that follow the one of that number, the oldest first:
// as many as there are, up to a count and about so many bytes, and one at least. It reports
// whether there are more.
func (s *Simulator) RequestsAfter(number, count, bytes int) (page []Request, more bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, req := range s.requests {
		if req.Number <= number {
			continue
		}
		if bytes -= req.size; len(page) > 0 && (len(page) == count || bytes < 0) {
			return page, true
		}
		page = append(page, req.copy())
	}
	return page, false
}

// Request returns the request of that number, as long as it is remembered.
func (s *Simulator) Request(number int) (r Request, found bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	i := slices.IndexFunc(s.requests, func(r measured) bool { return r.Number == number })
	if i < 0 {
		return Request{}, false
	}
	return s.requests[i].copy(), true
}

// SetMaintenance begins or ends maintenance, during which every request is
// refused with ER999 (field notes, "Operations": H).
func (s *Simulator) SetMaintenance(on bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.maintenance = on
	s.changed()
}

// SetTestMode turns the store's test mode on or off. In test mode the approval
// code of every reply is TestMod and no money moves (field notes, "Replies": H);
// see [Payment.TestMode].
func (s *Simulator) SetTestMode(on bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.testMode = on
	s.changed()
}

// RegisterIPs replaces the source addresses that the store has registered, at
// first those of the loopback. Requests from elsewhere are refused with ER003
// (specification, 接続先); after RegisterIPs() without addresses all are. A store
// with a connection authentication code is not checked by address. RegisterIPs panics if a
// prefix is not valid.
func (s *Simulator) RegisterIPs(prefixes ...netip.Prefix) {
	allowed := make([]netip.Prefix, len(prefixes))
	for i, p := range prefixes {
		if !p.IsValid() {
			must("RegisterIPs", wrong("RegisteredIPs", "has an invalid prefix", "に不正な範囲があります"))
		}
		// A prefix matches only addresses of its own family, and an IPv4 client
		// of a dual-stack listener may be known by either.
		if p.Addr().Is4In6() {
			p = netip.PrefixFrom(p.Addr().Unmap(), max(p.Bits()-96, 0))
		}
		allowed[i] = p
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.allowed = allowed
	s.changed()
}

func (s *Simulator) knows(remoteAddr string) bool {
	source, err := netip.ParseAddrPort(remoteAddr)
	if err != nil {
		return false
	}
	addr := source.Addr().Unmap().WithZone("")
	return slices.ContainsFunc(s.allowed, func(p netip.Prefix) bool { return p.Contains(addr) })
}

// close ends the gateway: hanging requests are let go unanswered, and nothing is
// booked and no kickback sent any more.
func (s *Simulator) close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.closed() {
		close(s.closing)
	}
}

func (s *Simulator) closed() bool {
	select {
	case <-s.closing:
		return true
	default:
		return false
	}
}

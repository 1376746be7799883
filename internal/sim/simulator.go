// Package sim implements the simulated gateway: one store with its books, the gateway's
// pages, faults and kickbacks. Package jpaymenttest exports what tests of merchants need. The
// command jpayment simulate also uses the rest, such as the journal and the limits of memory.
//
// The package is written from the connection specification and shares no decision with the
// client.
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

// The two pages of the gateway (specification, "接続先").
const (
	gatewayPath = "/gateway/gateway.aspx"
	reAuthPath  = "/gateway/re_auth.aspx"
)

// maxBody bounds the body of a request, in bytes. Requests of the protocol are far smaller.
const maxBody = 64 << 10

// Simulator is one store at the simulated gateway: its books and an http.Handler. It is safe
// for concurrent use and decides requests one at a time.
//
// A Simulator takes the source address of a request from http.Request.RemoteAddr only, as
// the real gateway does. Some faults panic with [http.ErrAbortHandler], which makes net/http
// drop the connection.
type Simulator struct {
	config       Config
	clock        func() time.Time
	machineClock bool // timers can wait for times of the clock

	closing chan struct{} // closed when nothing is answered or booked any more

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

	wake chan struct{} // holds one element when kickbacks must be checked again
	turn chan struct{} // holds one element while kickbacks are being sent

	idle idle
}

// New returns a simulator that admits requests from this machine only. It panics if the
// configuration is not valid.
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

// Config returns the configuration of the simulator, with its present behaviour.
func (s *Simulator) Config() Config {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.config
}

// Behave changes the behaviour of the gateway from the next request on. It also applies to
// kickbacks that are still waiting.
func (s *Simulator) Behave(b Behaviour) {
	must("Behave", b.Values().Check())
	s.mu.Lock()
	defer s.mu.Unlock()
	s.config.Behaviour = b.clone()
	s.changed()
	s.lookAgain()
}

// must panics with the error of a call with invalid arguments. The message names package
// jpaymenttest, since users know the simulator under that name.
func must(what string, err error) {
	if err != nil {
		panic("jpaymenttest: " + what + ": " + err.Error())
	}
}

// Request is a received request and its result.
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

	Operation jpayment.Operation // empty if it is not one of the gateway's
	PaymentID string             // tid as it was sent

	// Code is the code of a refusal, or empty. It includes the G code of a declined
	// re-authorisation with rt=0, although only the kickback reports it.
	Code   string
	Booked bool      // the books changed, whatever the caller was told
	Fault  FaultKind // the fault that struck; empty for none

	Status int    // of the answer; 0 if there was none
	Answer []byte // the part of the body that was sent
}

// measured is a request and the memory that it takes.
type measured struct {
	*Request
	size int
}

func (m measured) bytes() int { return m.size }

// measure returns the memory that a request takes, including the overhead of its values.
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

// ServeHTTP handles one request to the gateway.
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
	s.answered(nil, number) // as far as the gateway knows; faults act after it
	if fault.Notify != nil {
		fault.Notify()
	}
	s.deliver(w, r, fault, ans)
}

// take records a request, decides it and books the result under one lock, so that the records
// are in the order of the bookings. A request with an error gets no answer: the client left,
// the gateway is closed, or the journal failed.
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
		Body:       slices.Clone(body[:min(len(body), maxBody)]), // without spare capacity
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

// record records an answer before it is sent.
func record(req *Request, a answer) answer {
	if req.Method == http.MethodHead {
		a.body = nil // HTTP forbids a body here
	}
	req.Status, req.Answer = a.status, a.body
	return a
}

// operation returns the operation that a request asks for.
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

// Requests returns all requests so far, in the order in which the gateway decided them.
func (s *Simulator) Requests() []Request {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := make([]Request, len(s.requests))
	for i, req := range s.requests {
		all[i] = req.copy()
	}
	return all
}

// RequestsAfter returns the requests after the one with the given number, the oldest first,
// up to a count and an approximate size in bytes, but at least one. It reports whether there
// are more.
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

// Request returns the request with the number if it is still remembered.
func (s *Simulator) Request(number int) (r Request, found bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	i := slices.IndexFunc(s.requests, func(r measured) bool { return r.Number == number })
	if i < 0 {
		return Request{}, false
	}
	return s.requests[i].copy(), true
}

// SetMaintenance begins or ends maintenance, during which the gateway refuses every request
// with ER999 (docs/protocol.md, "HTTP"; H).
func (s *Simulator) SetMaintenance(on bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.maintenance = on
	s.changed()
}

// SetTestMode turns the store's test mode on or off. In test mode the approval code of every
// reply is TestMod and no money moves (docs/protocol.md, assumption 58); see
// [Payment.TestMode].
func (s *Simulator) SetTestMode(on bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.testMode = on
	s.changed()
}

// RegisterIPs replaces the registered source addresses of the store, initially those of the
// loopback interface. The gateway refuses requests from other addresses with ER003
// (specification, "接続先"); after RegisterIPs() it refuses all. It does not check addresses
// if the store has a connection authentication code. RegisterIPs panics if a prefix is not
// valid.
func (s *Simulator) RegisterIPs(prefixes ...netip.Prefix) {
	allowed := make([]netip.Prefix, len(prefixes))
	for i, p := range prefixes {
		if !p.IsValid() {
			must("RegisterIPs", wrong("RegisteredIPs", "has an invalid prefix", "に不正な範囲があります"))
		}
		// A prefix matches only addresses of its own family, and the address of an IPv4
		// client of a dual-stack listener may have either.
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

// close ends the gateway. It drops hanging requests without an answer; afterwards nothing is
// booked and no kickback is sent.
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

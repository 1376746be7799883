package jpaymenttest

import (
	"context"
	"fmt"
	"net/http"
	"net/netip"
	"net/url"
	"testing"
	"time"

	"github.com/jpayment-go/jpayment"
	"github.com/jpayment-go/jpayment/internal/sim"
)

// Server is a simulated gateway with one store, on a port of the loopback interface. It is
// safe for concurrent use and decides requests one at a time.
type Server struct {
	// URL is the base of the gateway's pages, without a trailing slash:
	// http://127.0.0.1:port.
	URL string

	sim *sim.Server
}

// NewServer starts a server and closes it at the end of the test. It panics if an option is
// not valid.
func NewServer(tb testing.TB, opts ...Option) *Server {
	tb.Helper()
	s := Start(opts...)
	tb.Cleanup(s.Close)
	return s
}

// Start starts a server for a program. The caller must close it. Start panics if an option
// is not valid or it cannot listen.
func Start(opts ...Option) *Server {
	c := config(sim.Defaults())
	for _, opt := range opts {
		opt(&c)
	}
	server := sim.Start(sim.Config(c))
	return &Server{URL: server.URL, sim: server}
}

// Close shuts the server down. It closes all connections, including those of hanging requests
// and of kickbacks on their way, without waiting for clients or receivers. After it has
// returned, no request changes the books and no kickback is sent. Further calls do nothing.
func (s *Server) Close() { s.sim.Close() }

// ServeHTTP handles one request to the gateway, for tests with a listener of their own, for
// example one with TLS. Some faults panic with [http.ErrAbortHandler], which makes net/http
// drop the connection.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.sim.ServeHTTP(w, r) }

// Client returns a client of the server's store. It applies the options after those that
// direct the client to this server. The client retries without waiting. Client panics if an
// option is not valid.
func (s *Server) Client(opts ...jpayment.Option) *jpayment.Client {
	here := []jpayment.Option{
		jpayment.WithBaseURL(s.URL),
		jpayment.WithRetry(jpayment.RetryPolicy{BaseDelay: time.Nanosecond, MaxDelay: time.Nanosecond}),
	}
	config := s.sim.Config()
	if config.ConnectionCode != "" {
		here = append(here, jpayment.WithConnectionAuth(config.ConnectionCode))
	}
	c, err := jpayment.NewClient(config.StoreID, append(here, opts...)...)
	if err != nil {
		panic(fmt.Sprintf("jpaymenttest: Client: %v", err))
	}
	return c
}

// SetMaintenance begins or ends maintenance, during which the gateway refuses every request
// with ER999 (docs/protocol.md, "HTTP"; H).
func (s *Server) SetMaintenance(on bool) { s.sim.SetMaintenance(on) }

// SetTestMode turns the store's test mode on or off. In test mode the approval code of every
// reply is TestMod and no money moves (docs/protocol.md, assumption 58); see
// [Payment.TestMode].
func (s *Server) SetTestMode(on bool) { s.sim.SetTestMode(on) }

// RegisterIPs replaces the registered source addresses of the store, initially those of the
// loopback interface. The gateway refuses requests from other addresses with ER003
// (specification, "接続先"); after RegisterIPs() it refuses all. With [WithConnectionAuth]
// it does not check addresses. RegisterIPs panics if a prefix is not valid.
func (s *Server) RegisterIPs(prefixes ...netip.Prefix) { s.sim.RegisterIPs(prefixes...) }

// Request is a received request and its result.
type Request struct {
	Number     int       // counted from 1; requests are numbered in the order in which they were decided
	At         time.Time // by the server's clock
	RemoteAddr string
	Method     string
	Path       string
	RawQuery   string // the bytes after the question mark
	Header     http.Header
	Body       []byte     // the exact bytes, up to 64 KiB
	Form       url.Values // what could be decoded, up to 400 parameters

	// Operation is the requested operation, or empty if it is not one of the gateway's. A
	// re-authorisation with rt=0 is [jpayment.OpReAuthByKickback].
	Operation jpayment.Operation
	PaymentID string // tid as it was sent

	// Code is the code of a refusal, or empty. It includes the G code of a declined
	// re-authorisation with rt=0, although only the kickback reports it.
	Code   jpayment.Code
	Booked bool      // the books changed, whatever the answer
	Fault  FaultKind // the fault that struck; empty for none

	Status int    // of the answer; 0 if there was none
	Answer []byte // the part of the body that was sent
}

// Requests returns all requests so far, in the order in which the gateway decided them.
func (s *Server) Requests() []Request {
	return each(s.sim.Requests(), newRequest)
}

func newRequest(r sim.Request) Request {
	form := url.Values{}
	for _, p := range r.Form {
		form.Add(p.Key, p.Value)
	}
	return Request{
		Number: r.Number, At: r.At, RemoteAddr: r.RemoteAddr, Method: r.Method, Path: r.Path, RawQuery: r.RawQuery,
		Header: r.Header, Body: r.Body, Form: form,
		Operation: r.Operation, PaymentID: r.PaymentID, Code: jpayment.Code(r.Code), Booked: r.Booked, Fault: FaultKind(r.Fault),
		Status: r.Status, Answer: r.Answer,
	}
}

// each returns the results of f for all elements.
func each[T, R any](all []T, f func(T) R) []R {
	made := make([]R, len(all))
	for i, one := range all {
		made[i] = f(one)
	}
	return made
}

// SetKickbackURL sets the store's kickback URL (決済結果通知URL), to which the gateway sends
// the result of a re-authorisation with rt=0. The URL may have a query, which precedes the
// kickback's parameters. An empty string removes the URL.
//
// ASSUMPTION (L): kickbacks wait while there is no URL. Each attempt goes to the current
// URL.
//
// The URL must be absolute, http or https, and without a user name, and its host must be
// localhost or a loopback address; otherwise SetKickbackURL panics. The simulated gateway
// sends made-up payments, which must not reach a store's real receiver because a
// configuration file names it. The certificate of an https receiver is checked.
func (s *Server) SetKickbackURL(notificationURL string) { s.sim.SetKickbackURL(notificationURL) }

// KickbackDelivery is one attempt to deliver a kickback. It is recorded before the receiver
// is called; until the attempt has ended, Status, Answer, Err and Delivered are zero.
type KickbackDelivery struct {
	Request   int       // the Number of the Request whose result it reports
	Duplicate int       // 0 for the kickback itself, then counted from 1; see WithKickbackDuplicates
	Attempt   int       // to deliver this kickback, or this duplicate of it, counted from 1
	At        time.Time // by the server's clock
	RawQuery  string    // the bytes after the question mark

	Status    int    // of the receiver's answer; 0 if there was none
	Answer    []byte // its body, up to 64 KiB
	Err       error  // why the answer is missing or incomplete
	Delivered bool   // the gateway counts the kickback as delivered
}

// Kickbacks returns all attempts so far to deliver a kickback, in order.
func (s *Server) Kickbacks() []KickbackDelivery {
	return each(s.sim.Kickbacks(), newDelivery)
}

func newDelivery(d sim.KickbackDelivery) KickbackDelivery {
	return KickbackDelivery{
		Request: d.Request, Duplicate: d.Duplicate, Attempt: d.Attempt, At: d.At, RawQuery: d.RawQuery,
		Status: d.Status, Answer: d.Answer, Err: d.Err, Delivered: d.Delivered,
	}
}

// DeliverKickbacks sends all kickbacks that are due by the server's clock, one after the
// other, and returns the number of attempts, successful or not. It first waits for kickbacks
// on their way, so that none that was due remains. A receiver must not call it, since the
// call would wait for the receiver.
//
// Without [WithClock] a server sends kickbacks automatically as they fall due. With WithClock it
// automatically sends only a kickback that is due as soon as its request is answered, and only
// once; DeliverKickbacks may or may not count that one. A test that counts should set a
// [WithKickbackDelay].
func (s *Server) DeliverKickbacks(ctx context.Context) (sent int) { return s.sim.DeliverKickbacks(ctx) }

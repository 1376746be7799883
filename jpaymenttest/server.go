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

// Server is the simulated gateway with one store, on a port of the loopback interface.
// It is safe for concurrent use; requests are decided one at a time.
type Server struct {
	// URL is the base of the gateway's pages, without a slash at the end:
	// http://127.0.0.1:port.
	URL string

	sim *sim.Server
}

// NewServer starts a server that is closed at the end of the test. It panics if an
// option is not valid.
func NewServer(tb testing.TB, opts ...Option) *Server {
	tb.Helper()
	s := Start(opts...)
	tb.Cleanup(s.Close)
	return s
}

// Start starts a server for a program. The caller closes it. It panics if an option is
// not valid or there is no port to listen on.
func Start(opts ...Option) *Server {
	c := config(sim.Defaults())
	for _, opt := range opts {
		opt(&c)
	}
	server := sim.Start(sim.Config(c))
	return &Server{URL: server.URL, sim: server}
}

// Close ends the server. It closes every connection, those of hanging requests and
// of kickbacks under way too, and waits for no client and no receiver. Once it
// returns, no request changes the books and no kickback is sent any more. Closing
// again does nothing.
func (s *Server) Close() { s.sim.Close() }

// ServeHTTP takes one request to the gateway, for a test that puts it behind a listener
// of its own, one with TLS for instance. Some faults panic with [http.ErrAbortHandler],
// by which net/http drops the connection.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.sim.ServeHTTP(w, r) }

// Client returns a client of the server's store, with the options after those that
// point it here. It tries again at once, where it tries again at all. Client panics
// if an option is not valid.
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

// SetMaintenance begins or ends maintenance, during which every request is
// refused with ER999 (field notes, "Operations": H).
func (s *Server) SetMaintenance(on bool) { s.sim.SetMaintenance(on) }

// SetTestMode turns the store's test mode on or off. In test mode the approval
// code of every reply is TestMod and no money moves (field notes, "Replies": H);
// see [Payment.TestMode].
func (s *Server) SetTestMode(on bool) { s.sim.SetTestMode(on) }

// RegisterIPs replaces the source addresses that the store has registered, at
// first those of the loopback. Requests from elsewhere are refused with ER003
// (specification, 接続先); after RegisterIPs() without addresses all are. A store
// with [WithConnectionAuth] is not checked by address. RegisterIPs panics if a
// prefix is not valid.
func (s *Server) RegisterIPs(prefixes ...netip.Prefix) { s.sim.RegisterIPs(prefixes...) }

// Request is a request as it arrived and what became of it.
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

	// Operation is what was asked for, a re-authorisation with rt=0 being
	// [jpayment.OpReAuthByKickback]; empty where it is none of the gateway's.
	Operation jpayment.Operation
	PaymentID string // tid as it was sent

	// Code is the code with which the gateway refused; empty where it did not or was
	// not asked. A G code that a re-authorisation with rt=0 met is here as well, though
	// only the kickback tells it.
	Code   jpayment.Code
	Booked bool      // the books changed, whatever the caller was told
	Fault  FaultKind // the fault that struck; empty for none

	Status int    // of the answer; 0 where none was given
	Answer []byte // the body that was sent, as far as it was sent
}

// Requests returns every request so far, in the order in which the gateway
// decided them.
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

// each returns what f makes of every element.
func each[T, R any](all []T, f func(T) R) []R {
	made := make([]R, len(all))
	for i, one := range all {
		made[i] = f(one)
	}
	return made
}

// SetKickbackURL sets the store's kickback URL (決済結果通知URL), to which the gateway
// sends the outcome of a re-authorisation with rt=0. A query of its own stands
// before the kickback's parameters. Empty takes the URL back.
//
// ASSUMPTION (L): while there is no URL, kickbacks are kept, and those that are due
// when there is one are sent then. An attempt goes to the URL of its time.
//
// SetKickbackURL panics unless the URL is absolute, of http or https, without a user
// name, and its host is localhost or an address of the loopback interface: what the
// simulated gateway sends are made-up payments, and the URL of a configuration file that
// was meant for the real one must not lead to a store's real receiver. The certificate
// of an https receiver is checked.
func (s *Server) SetKickbackURL(notificationURL string) { s.sim.SetKickbackURL(notificationURL) }

// KickbackDelivery is one attempt to deliver a kickback, and what became of it. It
// is kept from before the receiver can know of it; until the attempt has ended,
// Status, Answer, Err and Delivered are zero.
type KickbackDelivery struct {
	Request   int       // the Number of the Request whose outcome it tells
	Duplicate int       // 0 for the kickback itself, then counted from 1; see WithKickbackDuplicates
	Attempt   int       // to deliver this kickback, or this duplicate of it, counted from 1
	At        time.Time // by the server's clock
	RawQuery  string    // the bytes after the question mark

	Status    int    // of the receiver's answer; 0 where there was none
	Answer    []byte // its body, up to 64 KiB
	Err       error  // why there was no answer, or not the whole of it
	Delivered bool   // the gateway is content
}

// Kickbacks returns every attempt so far to deliver a kickback, in order.
func (s *Server) Kickbacks() []KickbackDelivery {
	return each(s.sim.Kickbacks(), newDelivery)
}

func newDelivery(d sim.KickbackDelivery) KickbackDelivery {
	return KickbackDelivery{
		Request: d.Request, Duplicate: d.Duplicate, Attempt: d.Attempt, At: d.At, RawQuery: d.RawQuery,
		Status: d.Status, Answer: d.Answer, Err: d.Err, Delivered: d.Delivered,
	}
}

// DeliverKickbacks sends every kickback that is due by the server's clock, one
// after the other, and returns how many it sent, delivered or not. It first waits
// for those that are under way, so that afterwards none that was due is left: but a
// receiver that calls it waits for itself, until the gateway's patience ends.
//
// A server sends by itself what is due, as long as its clock is the machine's.
// With [WithClock], it sends by itself only a kickback that is due as soon as its
// request is answered, and that once; whether such a one is counted here is chance.
// A test that counts sets a [WithKickbackDelay].
func (s *Server) DeliverKickbacks(ctx context.Context) (sent int) { return s.sim.DeliverKickbacks(ctx) }

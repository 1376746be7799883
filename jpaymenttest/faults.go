package jpaymenttest

import (
	"cmp"
	"crypto/tls"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"strconv"
	"time"

	"github.com/jpayment-go/jpayment/internal/wire"
)

// FaultKind is what goes wrong.
type FaultKind string

// The kinds of faults. Those after booking let the gateway decide the request as
// always, so that it may also have refused: the books tell.
const (
	// DropBeforeBooking closes the connection without an answer; nothing is booked.
	DropBeforeBooking FaultKind = "drop-before-booking"
	// DropAfterBooking books, and closes the connection without an answer.
	DropAfterBooking FaultKind = "drop-after-booking"
	// ResetAfterBooking books, and resets the connection: the client sees a TCP RST.
	// Where the connection serves other requests too (HTTP/2), only the request's
	// stream is reset.
	ResetAfterBooking FaultKind = "reset-after-booking"
	// HangBeforeBooking never answers; nothing is booked. The client sees silence
	// until it gives up or the server is closed.
	HangBeforeBooking FaultKind = "hang-before-booking"
	// HangAfterBooking books, and never answers.
	HangAfterBooking FaultKind = "hang-after-booking"
	// CutReply books, promises the whole reply in its Content-Length, sends half of
	// it and closes the connection.
	CutReply FaultKind = "cut-reply"
	// StallReply books, sends half of the reply as CutReply does, and then nothing
	// until the client gives up or the server is closed.
	StallReply FaultKind = "stall-reply"
	// CutHeader books, sends half of an HTTP header and closes the connection.
	CutHeader FaultKind = "cut-header"
	// CloseAfterReply books, sends the whole reply on a connection that it promises to
	// keep, and closes it. The next request may be written before the client notices.
	CloseAfterReply FaultKind = "close-after-reply"
	// DelayReply books, and sends the whole reply after Fault.Delay.
	DelayReply FaultKind = "delay-reply"
	// AnswerStatus answers with an HTML page of Fault.Status, as a proxy would;
	// nothing is booked.
	AnswerStatus FaultKind = "answer-status"
	// AnswerStatusAfterBooking books, and answers as AnswerStatus does.
	AnswerStatusAfterBooking FaultKind = "answer-status-after-booking"
	// Redirect sends the client to Fault.Location; nothing is booked.
	Redirect FaultKind = "redirect"
	// AnswerCode refuses with Fault.Code; nothing is booked.
	AnswerCode FaultKind = "answer-code"
	// AnswerCodeAfterBooking books, and refuses with Fault.Code all the same, as a
	// gateway that lost track does (ER000, ER042).
	AnswerCodeAfterBooking FaultKind = "answer-code-after-booking"
	// Garbage books, and sends Fault.Body in place of the reply, with status 200.
	Garbage FaultKind = "garbage"
	// WrongCharset books, and writes the reply in another character set than its
	// Content-Type names: Shift_JIS for UTF-8, UTF-8 for Shift_JIS. A reply of ASCII
	// only is the same in both.
	WrongCharset FaultKind = "wrong-charset"
)

// beforeBooking tells that the gateway never sees the request.
func (k FaultKind) beforeBooking() bool {
	switch k {
	case DropBeforeBooking, HangBeforeBooking, AnswerStatus, Redirect, AnswerCode:
		return true
	case DropAfterBooking, ResetAfterBooking, HangAfterBooking, CutReply, StallReply, CutHeader, CloseAfterReply, DelayReply,
		AnswerStatusAfterBooking, AnswerCodeAfterBooking, Garbage, WrongCharset:
		return false
	default:
		panic(fmt.Sprintf("jpaymenttest: no such fault: %q", string(k)))
	}
}

// Fault says which requests go wrong and how. A fault comes between the client and
// the gateway: one before booking strikes whatever the gateway would have said, be
// it ER999 or ER003. Requests for other than the gateway's two pages are spared.
type Fault struct {
	Kind FaultKind

	// Operation and PaymentID narrow the fault to requests for OpSales, OpCancel or
	// OpReAuth, and to those whose tid this is. Empty means any.
	Operation string
	PaymentID string
	// Nth narrows it to one of the matching requests, counted from 1 since Fail.
	// With 0, it strikes each of them with Probability, where 0 means always.
	Nth         int
	Probability float64

	Code     string        // for AnswerCode and AnswerCodeAfterBooking
	Status   int           // for AnswerStatus and its variant, 503 if 0; for Redirect, 302 if 0
	Location string        // for Redirect; if empty, a page of this server that does not exist
	Body     []byte        // for Garbage; if nil, bytes that are no text in any character set of the gateway
	Delay    time.Duration // for DelayReply, by the machine's clock

	// Notify, where it is set, is called when the fault strikes: after any booking
	// and before the client sees anything of it. The request waits for it to return.
	Notify func()
}

type fault struct {
	Fault
	matched int
}

// Fail makes requests go wrong as f says, until [Gateway.ClearFaults]. Of several
// faults that would strike the same request, the one that was set first does; the
// others count it as matching all the same. Fail panics if f cannot be meant.
func (g *Gateway) Fail(f Fault) {
	f.Kind.beforeBooking() // panics on a kind that does not exist
	refuse := func(reason string) { panic(fmt.Sprintf("jpaymenttest: Fail: %s: %s", f.Kind, reason)) }

	switch f.Operation {
	case "", OpSales, OpCancel, OpReAuth:
	default:
		refuse(fmt.Sprintf("no request is a %q", f.Operation))
	}
	if f.Nth < 0 || !(f.Probability >= 0 && f.Probability <= 1) || f.Nth > 0 && f.Probability != 0 {
		refuse("Nth counts from 1, Probability is between 0 and 1, and only one of them is set")
	}
	if answersCode := f.Kind == AnswerCode || f.Kind == AnswerCodeAfterBooking; answersCode != (f.Code != "") ||
		answersCode && !isCode(f.Code) {
		refuse(fmt.Sprintf("code %q", f.Code))
	}
	if f.Delay < 0 || (f.Delay != 0) != (f.Kind == DelayReply) {
		refuse(fmt.Sprintf("delay %v", f.Delay))
	}
	if f.Body != nil && f.Kind != Garbage {
		refuse("Body is for Garbage")
	}
	if f.Location != "" && f.Kind != Redirect {
		refuse("Location is for Redirect")
	}
	least, most := 0, 0
	switch f.Kind { //nolint:exhaustive // The other kinds have no status.
	case AnswerStatus, AnswerStatusAfterBooking:
		f.Status = cmp.Or(f.Status, http.StatusServiceUnavailable)
		least, most = 200, 599
	case Redirect:
		f.Status = cmp.Or(f.Status, http.StatusFound)
		f.Location = cmp.Or(f.Location, "/elsewhere")
		least, most = 300, 399
	}
	if f.Status < least || f.Status > most {
		refuse(fmt.Sprintf("status %d", f.Status))
	}
	if f.Kind == Garbage && f.Body == nil {
		f.Body = []byte("\x81\x00\xff\xfe\x80\xa0\xfd\x00\x81")
	}

	g.mu.Lock()
	defer g.mu.Unlock()
	g.faults = append(g.faults, &fault{Fault: f})
	g.changed()
}

// ClearFaults takes all faults back. Requests that hang stay so.
func (g *Gateway) ClearFaults() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.faults = nil
	g.changed()
}

// isCode tells whether s has the form of the gateway's codes, 半角英数 of at most 12.
func isCode(s string) bool {
	for i := range len(s) {
		if (s[i] < '0' || s[i] > '9') && (s[i] < 'A' || s[i] > 'Z') {
			return false
		}
	}
	return s != "" && len(s) <= 12
}

func newRandom(seed int64) *rand.Rand {
	return rand.New(rand.NewPCG(uint64(seed), 0)) //nolint:gosec // Faults must be repeatable, not unpredictable.
}

// strike returns the fault that strikes a request, if one does.
func (g *Gateway) strike(req *Request) *fault {
	var first *fault
	for _, f := range g.faults {
		if f.Operation != "" && f.Operation != req.Operation || f.PaymentID != "" && f.PaymentID != req.PaymentID {
			continue
		}
		f.matched++
		strikes := f.Nth == 0 || f.Nth == f.matched
		if f.Probability > 0 {
			strikes = g.random.Float64() < f.Probability
		}
		if strikes && first == nil {
			first = f
		}
	}
	return first
}

// answer returns what the client is sent of a result, given the fault that struck.
func (g *Gateway) answer(f *fault, res result, in input) answer {
	reply := g.reply(res, in, g.replyCharset)
	if f == nil {
		return reply
	}
	switch f.Kind {
	case DropBeforeBooking, DropAfterBooking, ResetAfterBooking, CutHeader, HangBeforeBooking, HangAfterBooking:
		return answer{}
	case CutReply, StallReply:
		reply.body = reply.body[:len(reply.body)/2]
	case AnswerStatus, AnswerStatusAfterBooking:
		return page(f.Status)
	case Redirect:
		elsewhere := page(f.Status)
		elsewhere.location = f.Location
		return elsewhere
	case AnswerCode, AnswerCodeAfterBooking:
		return g.reply(refusal(f.Code), in, g.replyCharset)
	case Garbage:
		reply.body, reply.length = f.Body, len(f.Body)
	case WrongCharset:
		if g.replyCharset == wire.ShiftJIS {
			return g.reply(res, in, wire.UTF8)
		}
		return g.reply(res, in, wire.ShiftJIS)
	case DelayReply, CloseAfterReply:
	}
	return reply
}

// deliver sends the answer, or does to the connection what the fault asks for.
func (g *Gateway) deliver(w http.ResponseWriter, r *http.Request, f *fault, a answer) {
	var kind FaultKind
	if f != nil {
		kind = f.Kind
	}
	switch kind { //nolint:exhaustive // The other kinds are a matter of what is sent.
	case DropBeforeBooking, DropAfterBooking:
		panic(http.ErrAbortHandler)
	case ResetAfterBooking:
		reset(w)
		return
	case CutHeader:
		raw(w, "HTTP/1.1 200 OK\r\nContent-Ty")
		return
	case CloseAfterReply:
		raw(w, fmt.Sprintf("HTTP/1.1 200 OK\r\nContent-Type: %s\r\nContent-Length: %d\r\n\r\n%s", a.contentType, a.length, a.body))
		return
	case HangBeforeBooking, HangAfterBooking:
		g.wait(r, nil)
		panic(http.ErrAbortHandler)
	case DelayReply:
		timer := time.NewTimer(f.Delay)
		defer timer.Stop()
		if !g.wait(r, timer.C) {
			panic(http.ErrAbortHandler)
		}
	}

	header := w.Header()
	header.Set("Content-Type", a.contentType)
	if a.length > 0 {
		header.Set("Content-Length", strconv.Itoa(a.length))
	}
	if a.location != "" {
		header.Set("Location", a.location)
	}
	w.WriteHeader(a.status)
	_, _ = w.Write(a.body) // a client that has gone is no concern of the gateway's

	if kind == CutReply || kind == StallReply {
		// Without the flush the half would be discarded with the connection.
		if err := http.NewResponseController(w).Flush(); err == nil && kind == StallReply {
			g.wait(r, nil)
		}
		panic(http.ErrAbortHandler)
	}
}

// wait returns when until fires, and then true, or when nobody waits any more: the
// client has gone or the gateway is closed.
func (g *Gateway) wait(r *http.Request, until <-chan time.Time) bool {
	select {
	case <-until:
		return true
	case <-r.Context().Done():
		return false
	case <-g.closing:
		return false
	}
}

// raw writes what net/http's server would not, and closes the connection.
func raw(w http.ResponseWriter, text string) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	_, _ = io.WriteString(conn, text) // a client that has gone is no concern of the gateway's
	_ = conn.Close()
}

func reset(w http.ResponseWriter) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	raw := conn
	if secure, ok := conn.(*tls.Conn); ok {
		raw = secure.NetConn()
	}
	if tcp, ok := raw.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0) // if it fails, the client sees an end in place of a reset: lost all the same
	}
	_ = raw.Close()
}

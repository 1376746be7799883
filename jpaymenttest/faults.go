package jpaymenttest

import (
	"time"

	"github.com/jpayment-go/jpayment"
	"github.com/jpayment-go/jpayment/internal/sim"
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

// Fault says which requests go wrong and how. A fault comes between the client and
// the gateway: one before booking strikes whatever the gateway would have said, be
// it ER999 or ER003. Requests for other than the gateway's two pages are spared.
type Fault struct {
	Kind FaultKind

	// Operation and PaymentID narrow the fault to requests for that operation, and to
	// those whose tid this is. Empty means any. A re-authorisation with rt=0 is
	// jpayment.OpReAuthByKickback, one with rt=1 jpayment.OpReAuth.
	Operation jpayment.Operation
	PaymentID string
	// Nth narrows it to one of the matching requests, counted from 1 since Fail.
	// With 0, it strikes each of them with Probability, where 0 means always.
	Nth         int
	Probability float64

	Code     jpayment.Code // for AnswerCode and AnswerCodeAfterBooking
	Status   int           // for AnswerStatus and its variant, 503 if 0; for Redirect, 302 if 0
	Location string        // for Redirect; if empty, a page of this server that does not exist
	Body     []byte        // for Garbage; if nil, bytes that are no text in any character set of the gateway
	Delay    time.Duration // for DelayReply, by the machine's clock

	// Notify, where it is set, is called when the fault strikes: after any booking
	// and before the client sees anything of it. The request waits for it to return.
	Notify func()
}

// Fail makes requests go wrong as f says, until [Server.ClearFaults]. Of several
// faults that would strike the same request, the one that was set first does; the
// others count it as matching all the same. Fail panics if f cannot be meant.
func (s *Server) Fail(f Fault) { s.sim.Fail(f.simulated()) }

func (f Fault) simulated() sim.Fault {
	return sim.Fault{
		Kind: sim.FaultKind(f.Kind), Operation: f.Operation, PaymentID: f.PaymentID, Nth: f.Nth, Probability: f.Probability,
		Code: string(f.Code), Status: f.Status, Location: f.Location, Body: f.Body, Delay: f.Delay, Notify: f.Notify,
	}
}

// ClearFaults takes all faults back. Requests that hang stay so.
func (s *Server) ClearFaults() { s.sim.ClearFaults() }

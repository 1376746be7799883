package jpaymenttest

import (
	"time"

	"github.com/jpayment-go/jpayment"
	"github.com/jpayment-go/jpayment/internal/sim"
)

// FaultKind is a kind of fault.
type FaultKind string

// The kinds of faults. With a fault after booking, the gateway first decides the request as
// usual, and may refuse it: see the books.
const (
	// DropBeforeBooking closes the connection without an answer; nothing is booked.
	DropBeforeBooking FaultKind = "drop-before-booking"
	// DropAfterBooking books, then closes the connection without an answer.
	DropAfterBooking FaultKind = "drop-after-booking"
	// ResetAfterBooking books, then resets the connection: the client receives a TCP RST.
	// On an HTTP/2 connection only the stream of the request is reset.
	ResetAfterBooking FaultKind = "reset-after-booking"
	// HangBeforeBooking never answers; nothing is booked. The connection stays open until
	// the client gives up or the server is closed.
	HangBeforeBooking FaultKind = "hang-before-booking"
	// HangAfterBooking books, then never answers.
	HangAfterBooking FaultKind = "hang-after-booking"
	// CutReply books, then sends the Content-Length of the whole reply but only half of the
	// reply, and closes the connection.
	CutReply FaultKind = "cut-reply"
	// StallReply books, then sends half of the reply as CutReply does, and nothing more
	// until the client gives up or the server is closed.
	StallReply FaultKind = "stall-reply"
	// CutHeader books, then sends half of an HTTP header and closes the connection.
	CutHeader FaultKind = "cut-header"
	// CloseAfterReply books, sends the whole reply without Connection: close, and closes the
	// connection. The client may write the next request before it notices.
	CloseAfterReply FaultKind = "close-after-reply"
	// DelayReply books, then sends the whole reply after Fault.Delay.
	DelayReply FaultKind = "delay-reply"
	// AnswerStatus answers with an HTML page and the HTTP status Fault.Status, as a proxy
	// would; nothing is booked.
	AnswerStatus FaultKind = "answer-status"
	// AnswerStatusAfterBooking books, then answers as AnswerStatus does.
	AnswerStatusAfterBooking FaultKind = "answer-status-after-booking"
	// Redirect sends the client to Fault.Location; nothing is booked.
	Redirect FaultKind = "redirect"
	// AnswerCode refuses with Fault.Code; nothing is booked.
	AnswerCode FaultKind = "answer-code"
	// AnswerCodeAfterBooking books, then refuses with Fault.Code, like a gateway that has
	// lost track (ER000, ER042).
	AnswerCodeAfterBooking FaultKind = "answer-code-after-booking"
	// Garbage books, then sends Fault.Body instead of the reply, with status 200.
	Garbage FaultKind = "garbage"
	// WrongCharset books, then writes the reply in a character set other than the one in its
	// Content-Type: Shift_JIS for UTF-8, and UTF-8 for Shift_JIS. An ASCII reply is the same
	// in both.
	WrongCharset FaultKind = "wrong-charset"
)

// Fault says which requests fail, and how. It acts between the client and the gateway: a
// fault before booking strikes even a request that the gateway would have refused. A fault
// strikes only requests for the gateway's two pages.
type Fault struct {
	Kind FaultKind

	// Operation and PaymentID limit the fault to requests for that operation and with that
	// tid. Empty means any. A re-authorisation with rt=0 is jpayment.OpReAuthByKickback, one
	// with rt=1 is jpayment.OpReAuth.
	Operation jpayment.Operation
	PaymentID string
	// Nth limits the fault to one of the matching requests, counted from 1 since Fail. If
	// Nth is 0, the fault strikes each matching request with Probability, or always if
	// Probability is 0 too.
	Nth         int
	Probability float64

	Code     jpayment.Code // for AnswerCode and AnswerCodeAfterBooking
	Status   int           // for AnswerStatus and its variant, 503 if 0; for Redirect, 302 if 0
	Location string        // for Redirect; if empty, a page of this server that does not exist
	Body     []byte        // for Garbage; if nil, bytes that are invalid in every character set of the gateway
	Delay    time.Duration // for DelayReply, by the machine's clock

	// Notify, if set, is called when the fault strikes, after any booking and before the
	// client receives anything. The request waits for it to return.
	Notify func()
}

// Fail sets a fault, which lasts until [Server.ClearFaults]. If several faults match a
// request, the one that was set first strikes; for the others the request still counts as
// matching. Fail panics if f is not valid.
func (s *Server) Fail(f Fault) { s.sim.Fail(f.simulated()) }

func (f Fault) simulated() sim.Fault {
	return sim.Fault{
		Kind: sim.FaultKind(f.Kind), Operation: f.Operation, PaymentID: f.PaymentID, Nth: f.Nth, Probability: f.Probability,
		Code: string(f.Code), Status: f.Status, Location: f.Location, Body: f.Body, Delay: f.Delay, Notify: f.Notify,
	}
}

// ClearFaults removes all faults. Requests that hang keep hanging.
func (s *Server) ClearFaults() { s.sim.ClearFaults() }

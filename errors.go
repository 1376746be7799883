package jpayment

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"syscall"
)

// Outcome is what is known of a payment after a call.
type Outcome int

// The outcomes. The zero value is OutcomeUnknown, so that nothing can be taken
// for settled by mistake.
const (
	// OutcomeUnknown: the gateway may or may not have carried out the request.
	// Look the payment up in the control panel before anything else is done.
	OutcomeUnknown Outcome = iota
	// OutcomeDone: the gateway said that it carried out the request. After a
	// ReAuthByKickback: that it took the request; the result is still to come.
	OutcomeDone
	// OutcomeNotSent: no byte of the request left this machine.
	OutcomeNotSent
	// OutcomeRefused: the gateway said no, and the payment is as it was.
	OutcomeRefused
)

// String returns "unknown", "done", "not sent" or "refused".
func (o Outcome) String() string {
	switch o {
	case OutcomeDone:
		return "done"
	case OutcomeNotSent:
		return "not sent"
	case OutcomeRefused:
		return "refused"
	default:
		return "unknown"
	}
}

// OutcomeOf returns what the error of a call says of the payment: OutcomeDone for
// nil, and OutcomeUnknown for every error that does not come from this package.
// It looks through wrapped errors. Where an error joins several of this package's,
// they must agree, or the outcome is unknown.
func OutcomeOf(err error) Outcome {
	if err == nil {
		return OutcomeDone
	}
	o, _ := outcomeIn(err)
	return o
}

// outcomeIn also tells whether it found an error of this package's.
func outcomeIn(err error) (o Outcome, found bool) {
	//nolint:errorlint // This function is the walk down the chain.
	switch e := err.(type) {
	case *ValidationError:
		return OutcomeNotSent, true
	case *TransportError:
		return e.Outcome(), true
	case *ReplyError:
		return OutcomeUnknown, true
	case *GatewayError:
		return e.Outcome(), true
	case interface{ Unwrap() error }:
		return outcomeIn(e.Unwrap())
	case interface{ Unwrap() []error }:
		for _, err := range e.Unwrap() {
			o2, ok := outcomeIn(err)
			switch {
			case ok && found && o != o2:
				return OutcomeUnknown, true
			case ok:
				o, found = o2, true
			}
		}
		return o, found
	default:
		return OutcomeUnknown, false
	}
}

// Operation is the name of a call.
type Operation string

// The operations of a [Gateway].
const (
	OpSales            Operation = "Sales"
	OpCancel           Operation = "Cancel"
	OpReAuth           Operation = "ReAuth"
	OpReAuthByKickback Operation = "ReAuthByKickback"
)

// reauthorises tells whether the operation replaces the payment by a new one, so
// that sending it twice, or half of it done, would cost money.
func (o Operation) reauthorises() bool { return o == OpReAuth || o == OpReAuthByKickback }

// Call says which call an error is about.
type Call struct {
	Operation Operation
	PaymentID string // 対象決済番号 (tid); empty where it was not a number
	Attempts  int    // how often the request was tried, this error's attempt included

	// Earlier is the error of the last earlier attempt that ended with its
	// outcome unknown, or nil. Where it is set the outcome of the whole call is
	// unknown, whatever the last attempt was told: a refusal of the repetition
	// says nothing of the first. It is not part of the chain that errors.Is and
	// errors.As follow.
	Earlier error
}

// sentence puts a call, what became of it and what to do next on one line.
func (c Call) sentence(o Outcome, what, next string) string {
	var b strings.Builder
	b.WriteString("jpayment: ")
	if c.Operation != "" {
		b.WriteString(string(c.Operation))
		if c.PaymentID != "" {
			b.WriteString(" of payment " + c.PaymentID)
		}
		b.WriteString(": ")
	}
	b.WriteString("outcome " + o.String() + ": " + what)
	if c.Attempts > 1 {
		b.WriteString(" (after " + strconv.Itoa(c.Attempts) + " attempts)")
	}
	if c.Earlier != nil {
		b.WriteString("; an earlier attempt may have been carried out")
	}
	b.WriteString("; next: " + next)
	return b.String()
}

// Fault is one reason why a request or an option cannot be right.
type Fault struct {
	Field  string // the Go name: "PaymentID", "Extra", or an option's such as "WithTimeout"
	Param  string // the gateway's name: "tid"; empty where it has none
	Reason string // what is wrong, without the value
}

// String returns the fault on one line.
func (f Fault) String() string {
	if f.Param == "" {
		return f.Field + " " + f.Reason
	}
	return f.Field + " (" + f.Param + ") " + f.Reason
}

// ValidationError says that a request, or an argument of [NewClient], cannot be
// right. Nothing was sent: its outcome is always OutcomeNotSent. It holds every
// fault at once, and none of the values.
type ValidationError struct {
	Call
	Faults []Fault
}

// Error returns all faults on one line.
func (e *ValidationError) Error() string {
	faults := make([]string, len(e.Faults))
	for i, f := range e.Faults {
		faults[i] = f.String()
	}
	return e.sentence(OutcomeNotSent, strings.Join(faults, "; "), e.Next())
}

// Outcome returns OutcomeNotSent.
func (e *ValidationError) Outcome() Outcome { return OutcomeNotSent }

// TransportError says that there was no reply to read.
type TransportError struct {
	Call
	// NotSent is set when it is proved that no byte of the request left this
	// machine: the name was not resolved, the connection, the proxy's CONNECT
	// or the TLS handshake failed, or the context ended before a connection
	// was there.
	NotSent bool
	// Err is the cause, as net/http gave it. Of a transport of the merchant's own
	// it may hold anything.
	Err error `json:"-"`
}

// Error returns the failure on one line.
func (e *TransportError) Error() string {
	what := "no reply: "
	if e.NotSent {
		what = "could not connect: "
	}
	return e.sentence(e.Outcome(), what+describe(e.Err), e.Next())
}

// Unwrap returns the cause.
func (e *TransportError) Unwrap() error { return e.Err }

// Outcome returns OutcomeNotSent if that is proved for every attempt, else
// OutcomeUnknown.
func (e *TransportError) Outcome() Outcome {
	if e.NotSent && e.Earlier == nil {
		return OutcomeNotSent
	}
	return OutcomeUnknown
}

// ReplyError says that what came back is not an answer: a wrong HTTP status, a
// redirect, a page, a row that is cut short, unreadable or contradicts itself, or
// one about other amounts. Its outcome is always OutcomeUnknown.
type ReplyError struct {
	Call
	Reason     string  // what is wrong, without any value of the reply
	StatusCode int     // the HTTP status; 0 where none is known
	Column     string  // the column at fault by the gateway's name, such as "am"; or empty
	Result     *Result // what the reply said as far as it could be read; or nil
	Err        error   `json:"-"` // the cause, such as ErrTestMode; or nil

	raw []byte
}

// ErrTestMode is wrapped by the [*ReplyError] for an approval in test mode under
// [WithProductionOnly].
var ErrTestMode error = plainError("the store is in test mode and no money moved")

// Error returns what is wrong on one line. It never holds the reply itself.
func (e *ReplyError) Error() string {
	what := "the reply cannot count: "
	if e.Column != "" {
		what += e.Column + " "
	}
	what += e.Reason
	if e.StatusCode != 0 && e.StatusCode != http.StatusOK {
		what += " but " + strconv.Itoa(e.StatusCode)
	}
	if e.Err != nil {
		what += ": " + describe(e.Err)
	}
	return e.sentence(OutcomeUnknown, what, e.Next())
}

// Unwrap returns the cause, or nil.
func (e *ReplyError) Unwrap() error { return e.Err }

// Outcome returns OutcomeUnknown.
func (e *ReplyError) Outcome() Outcome { return OutcomeUnknown }

// Raw returns the reply as it came, at most 64 KiB of it. It may hold personal
// data and an issued password: look at it, keep it where payments are kept, and
// do not log it.
func (e *ReplyError) Raw() []byte { return e.raw }

// GoString returns Error, so that %#v does not show the raw reply.
func (e *ReplyError) GoString() string { return e.Error() }

// GatewayError says that the gateway answered with a code.
type GatewayError struct {
	Call
	Code   Code
	Result *Result // the refusal as it was read
}

// Error returns the code, its meaning and what to do next on one line.
func (e *GatewayError) Error() string {
	return e.sentence(e.Outcome(), e.Code.Error(), e.Next())
}

// Unwrap returns the code, so that errors.Is finds it and its class.
func (e *GatewayError) Unwrap() error { return e.Code }

// Outcome returns OutcomeRefused where the code says that the gateway turned the
// request down and the payment is as it was. It returns OutcomeUnknown
//
//   - for a code by which the gateway itself lost track (ER000, ER042 and the
//     like) and for one that nobody has listed;
//   - for a re-authorisation, unless the code is of the classes [ErrBusy],
//     [ErrMaintenance], [ErrNotPermitted] or [ErrInvalidParameter]: it cancels
//     first and authorises then, and whether the original survives a decline is
//     not documented;
//   - after an earlier attempt whose outcome is unknown.
func (e *GatewayError) Outcome() Outcome {
	cl := e.Code.info().class
	switch {
	case e.Earlier != nil, cl == classLost:
		return OutcomeUnknown
	case e.Operation.reauthorises() && !cl.atTheDoor():
		return OutcomeUnknown
	default:
		return OutcomeRefused
	}
}

// plainError is an error whose text is this package's own and shows nothing private.
type plainError string

func (e plainError) Error() string { return string(e) }

// describe returns the text of a cause if it is of a kind whose text cannot hold
// anything private: addresses, host names, certificates, time-outs. Of any other
// it names only the type, for the transport may be the merchant's own and its
// error may quote the request, or a proxy's URL with its password.
func describe(err error) string {
	var (
		plain  plainError
		dns    *net.DNSError
		cert   *tls.CertificateVerificationError
		record tls.RecordHeaderError
		op     *net.OpError
		errno  syscall.Errno

		timeout interface{ Timeout() bool }
	)
	switch {
	case err == nil:
		return "no cause is known"
	case errors.Is(err, context.Canceled):
		return "the context was cancelled"
	case errors.Is(err, context.DeadlineExceeded):
		return "the time ran out"
	case errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF):
		return "the connection was closed early"
	case errors.As(err, &plain):
		return plain.Error()
	case errors.As(err, &dns):
		return dns.Error()
	case errors.As(err, &cert):
		return cert.Error()
	case errors.As(err, &record):
		return record.Error()
	case errors.Is(err, http.ErrSchemeMismatch):
		return http.ErrSchemeMismatch.Error()
	case errors.As(err, &op) && errors.As(err, &errno):
		return op.Op + " " + op.Net + ": " + errno.Error()
	case op != nil && (op.Op == "remote error" || op.Op == "local error"): // TLS alerts
		return op.Op + ": " + op.Err.Error()
	case errors.As(err, &timeout) && timeout.Timeout():
		return "the time ran out"
	}
	for errors.Unwrap(err) != nil {
		err = errors.Unwrap(err)
	}
	// net/http has no name for this one.
	if err.Error() == "http: server closed idle connection" {
		return "the server closed a kept connection"
	}
	return fmt.Sprintf("error of type %T", err)
}

package jpayment

import (
	"context"
	"errors"
	"fmt"
	"strings"
)

// OutcomeOf returns what the error of a call says of the payment: OutcomeDone for
// nil, and OutcomeUnknown for any error other than a *ValidationError, *TransportError,
// *ReplyError or *GatewayError; a Code or Class alone tells of no call.
// It looks through wrapped errors. Where an error joins several of this package's,
// they must agree, or the outcome is unknown.
func OutcomeOf(err error) Outcome {
	if err == nil {
		return OutcomeDone
	}
	o, _ := outcomeIn(err)
	return o
}

// outcomeIn also reports whether it found an error of this package's.
func outcomeIn(err error) (o Outcome, found bool) {
	//nolint:errorlint // This function is the walk down the chain.
	switch e := err.(type) {
	case *ValidationError:
		return OutcomeNotSent, true
	case *TransportError:
		return e.outcome(), true
	case *ReplyError:
		return OutcomeUnknown, true
	case *GatewayError:
		return e.outcome(), true
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

// NextOf returns what to do after a call that ended with the error. An error of another
// package may have a method Next that says so. After any other error, or several that
// disagree, it is to look the payment up. It is nothing for nil.
func NextOf(err error) Text {
	switch {
	case err == nil:
		return Text{}
	case errors.Is(err, ErrTestMode):
		return nextProduction
	}
	var next func() Text
	told := find(err, func(err error) bool {
		switch e := err.(type) { //nolint:errorlint // find walks down the chain.
		case interface{ next() Text }:
			next = e.next
		case interface{ Next() Text }:
			next = e.Next
		}
		return next != nil
	})
	if told == nil {
		return nextLookUp
	}
	if o, ours := outcomeIn(told); ours && o != OutcomeOf(err) {
		return nextLookUp
	}
	return next()
}

// WhatOf returns what happened, without anything private; of a [Code] and a [Class] it is
// the meaning. An error of another package may have a method What that says so. Of one that
// may hold anything it is only the type. It is nothing for nil.
func WhatOf(err error) Text {
	if err == nil {
		return Text{}
	}
	var what func() Text
	told := find(err, func(err error) bool {
		switch e := err.(type) { //nolint:errorlint // find walks down the chain.
		case interface{ what() Text }:
			what = e.what
		case interface{ What() Text }:
			what = e.What
		}
		return what != nil
	})
	if told == nil {
		return describe(err)
	}
	return what()
}

// find returns the first error of a chain that is one, in the order of [errors.As], or nil.
func find(err error, is func(error) bool) error {
	if err == nil || is(err) {
		return err
	}
	switch e := err.(type) { //nolint:errorlint // This function is the walk down the chain.
	case interface{ Unwrap() error }:
		return find(e.Unwrap(), is)
	case interface{ Unwrap() []error }:
		for _, err := range e.Unwrap() {
			if found := find(err, is); found != nil {
				return found
			}
		}
	}
	return nil
}

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

// told returns what happened, with what came before.
func (c Call) told(what Text) Text {
	if c.Attempts > 1 {
		tries := textf(" (after %d attempts)", "（試行%d回）", c.Attempts)
		what = Text{what.En + tries.En, what.Ja + tries.Ja}
	}
	if c.Earlier != nil {
		what = Text{what.En + "; an earlier attempt may have been carried out", what.Ja + "。以前の試行が処理された可能性があります"}
	}
	return what
}

// sentence puts a call, what became of it and what to do next on one line.
func (c Call) sentence(o Outcome, what, next Text) string {
	var b strings.Builder
	b.WriteString("jpayment: ")
	if c.Operation != "" {
		b.WriteString(string(c.Operation))
		if c.PaymentID != "" {
			b.WriteString(" of payment " + c.PaymentID)
		}
		b.WriteString(": ")
	}
	b.WriteString("outcome " + o.String() + ": " + what.En + "; next: " + next.En)
	return b.String()
}

// InvalidField is one reason why a request or an option cannot be right.
type InvalidField struct {
	Field  string // the Go name: "PaymentID", "Extra", or an option's such as "WithTimeout"
	Key    string // the key at fault in Extra, quoted and at most 40 characters of it; or empty
	Param  string // the gateway's name: "tid"; empty where it has none
	Reason Text   // what is wrong, without the value, to follow the name
}

// String returns the Text in English.
func (f InvalidField) String() string { return f.Text().En }

// Text returns the field and what is wrong with it on one line.
func (f InvalidField) Text() Text {
	switch {
	case f.Key != "":
		name := f.Field + "[" + f.Key + "]"
		return Text{name + " " + f.Reason.En, name + f.Reason.Ja}
	case f.Param != "":
		return Text{f.Field + " (" + f.Param + ") " + f.Reason.En, f.Field + "（" + f.Param + "）" + f.Reason.Ja}
	default:
		return Text{f.Field + " " + f.Reason.En, f.Field + f.Reason.Ja}
	}
}

// ValidationError says that a request, or an argument of [NewClient], cannot be
// right. Nothing was sent: its outcome is always OutcomeNotSent. It holds every
// fault at once, and none of the values.
type ValidationError struct {
	Call
	Fields []InvalidField
}

// Error returns all faults on one line.
func (e *ValidationError) Error() string { return e.sentence(OutcomeNotSent, e.what(), e.next()) }

func (e *ValidationError) what() Text {
	en, ja := make([]string, len(e.Fields)), make([]string, len(e.Fields))
	for i, f := range e.Fields {
		t := f.Text()
		en[i], ja[i] = t.En, t.Ja
	}
	return Text{strings.Join(en, "; "), strings.Join(ja, "。")}
}

func (e *ValidationError) next() Text { return nextInput }

// TransportError says that there was no reply to read.
type TransportError struct {
	Call
	// NotSent is set when it is proved that no byte of the request left this
	// machine: the name was not resolved, the connection, the proxy's CONNECT
	// or the TLS handshake failed, or the context ended before a connection
	// was there.
	NotSent bool
	// Err is the cause. Of one that may quote the request, such as a custom
	// transport's, its text is only the type; errors.As and errors.Unwrap reach what
	// net/http returned.
	Err error `json:"-"`
}

// Error returns the failure on one line.
func (e *TransportError) Error() string { return e.sentence(e.outcome(), e.what(), e.next()) }

func (e *TransportError) what() Text {
	cause := describe(e.Err)
	if e.NotSent {
		return e.told(Text{"could not connect: " + cause.En, "接続できませんでした: " + cause.Ja})
	}
	return e.told(Text{"no reply: " + cause.En, "応答がありませんでした: " + cause.Ja})
}

func (e *TransportError) next() Text {
	switch {
	case e.outcome() == OutcomeUnknown:
		return e.Operation.NextIfUnknown()
	case isTimeout(e.Err):
		return nextMoreTime
	default:
		return nextConnect
	}
}

// isTimeout reports whether it was the caller's context or a time-out that ended a call.
func isTimeout(err error) bool {
	return errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)
}

// Unwrap returns the cause.
func (e *TransportError) Unwrap() error { return e.Err }

// outcome is OutcomeNotSent if that is proved for every attempt.
func (e *TransportError) outcome() Outcome {
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
	Reason     Text    // what is wrong, without any value of the reply; it follows Column, where there is one
	StatusCode int     // the HTTP status; 0 where none is known
	Column     string  // the column at fault by the gateway's name, such as "am"; or empty
	Result     *Result // what the reply said as far as it could be read; or nil
	Err        error   `json:"-"` // the cause, such as ErrTestMode; or nil

	raw Secret
}

// ErrTestMode is wrapped by the [*ReplyError] for an approval in test mode under
// [WithProductionOnly].
var ErrTestMode error = textError{Text{
	"the store is in test mode and no money moved",
	"店舗がテストモードのため、実際の請求は発生していません",
}}

// Error returns what is wrong on one line. It never holds the reply itself.
func (e *ReplyError) Error() string { return e.sentence(OutcomeUnknown, e.what(), e.next()) }

func (e *ReplyError) what() Text {
	what := e.Reason
	if e.Column != "" {
		what = Text{e.Column + " " + what.En, e.Column + what.Ja}
	}
	if e.Err != nil {
		cause := describe(e.Err)
		what = Text{what.En + ": " + cause.En, what.Ja + ": " + cause.Ja}
	}
	return e.told(Text{"the reply cannot count: " + what.En, "応答を結果として扱えません: " + what.Ja})
}

func (e *ReplyError) next() Text {
	if errors.Is(e.Err, ErrTestMode) {
		return nextProduction
	}
	return e.Operation.NextIfUnknown()
}

// Unwrap returns the cause, or nil.
func (e *ReplyError) Unwrap() error { return e.Err }

// Raw returns the reply as it came, at most 64 KiB of it. It may hold personal
// data and an issued password: look at it, keep it where payments are kept, and
// do not log it.
func (e *ReplyError) Raw() []byte { return []byte(e.raw.Reveal()) }

// GatewayError says that the gateway answered with a code.
type GatewayError struct {
	Call
	Code   Code
	Result *Result // the refusal as it was read
}

// Error returns the code, its meaning and what to do next on one line.
func (e *GatewayError) Error() string { return e.sentence(e.outcome(), e.what(), e.next()) }

func (e *GatewayError) what() Text { return e.told(e.Code.what()) }

func (e *GatewayError) next() Text {
	if e.Earlier != nil {
		return e.Operation.NextIfUnknown()
	}
	return e.Code.Next(e.Operation)
}

// Unwrap returns the code, so that errors.Is finds it and its class.
func (e *GatewayError) Unwrap() error { return e.Code }

// outcome is what [Code.Outcome] says, or OutcomeUnknown after an earlier attempt whose
// outcome is unknown.
func (e *GatewayError) outcome() Outcome {
	if e.Earlier != nil {
		return OutcomeUnknown
	}
	return e.Code.Outcome(e.Operation)
}

// Every verb of fmt writes the line of an error, so that none shows its fields.

// Format writes Error, for every verb.
func (e *ValidationError) Format(f fmt.State, _ rune) { fmt.Fprint(f, e.Error()) }

// Format writes Error, for every verb.
func (e *TransportError) Format(f fmt.State, _ rune) { fmt.Fprint(f, e.Error()) }

// Format writes Error, for every verb.
func (e *ReplyError) Format(f fmt.State, _ rune) { fmt.Fprint(f, e.Error()) }

// Format writes Error, for every verb.
func (e *GatewayError) Format(f fmt.State, _ rune) { fmt.Fprint(f, e.Error()) }

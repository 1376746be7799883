package jpayment

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/jpayment-go/jpayment/internal/wire"
)

// OutcomeOf returns the outcome of a call from its error, which may be wrapped. It returns
// OutcomeDone for nil, and OutcomeUnknown for any error other than a *ValidationError,
// *TransportError, *ReplyError or *GatewayError. A Code or Class by itself is not the error
// of a call, and its outcome is unknown. If an error joins several errors of this package
// whose outcomes differ, the outcome is unknown.
func OutcomeOf(err error) Outcome {
	if err == nil {
		return OutcomeDone
	}
	o, _ := outcomeIn(err)
	return o
}

// outcomeIn also reports whether the chain has an error of this package.
func outcomeIn(err error) (o Outcome, found bool) {
	//nolint:errorlint // This function walks down the chain.
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

// NextOf returns what to do after a call that returned err. An error of another package can
// provide the text by a method Next() Text. For any other error, and for joined errors whose
// outcomes differ, NextOf returns the advice to look the payment up. For nil it returns the
// zero Text.
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

// WhatOf returns what happened, without private data. For a [Code] or a [Class] it returns
// the meaning. An error of another package can provide the text by a method What() Text;
// for any other error, whose text may contain anything, WhatOf returns only the type. For
// nil it returns the zero Text.
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

// find returns the first error of the chain that satisfies is, in the order of [errors.As],
// or nil.
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

// Call identifies the call that an error is about.
type Call struct {
	Operation Operation
	PaymentID string // 対象決済番号 (tid); empty if it is not a valid number
	Attempts  int    // the number of attempts, including the one that this error is about

	// Earlier is the error of an earlier attempt whose outcome is unknown, or nil. If it is
	// set, the outcome of the whole call is unknown, whatever the last attempt returned: a
	// refusal of a repetition says nothing about the first attempt. errors.Is and errors.As
	// do not follow it.
	Earlier error
}

// told returns what happened, with a mention of earlier attempts.
func (c Call) told(what Text) Text {
	if c.Attempts > 1 {
		tries := textf(" (after %d attempts)", "（試行%d回）", c.Attempts)
		what = Text{what.En + tries.En, what.Ja + tries.Ja}
	}
	if c.Earlier != nil {
		what = Text{what.En + "; an earlier attempt may have been carried out", what.Ja + "。以前の送信が処理された可能性があります"}
	}
	return what
}

// sentence returns one line with the call, its outcome, what happened and what to do next.
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

// InvalidField is one fault of a request or an option.
type InvalidField struct {
	Field  string // the Go name: "PaymentID", "Extra", or an option's such as "WithTimeout"
	Key    string // the key in Extra, quoted and cut to 40 characters; or empty
	Param  string // the gateway's name: "tid"; empty if it has none
	Reason Text   // what is wrong, without the value; it follows the name in a sentence
}

// String returns Text in English.
func (f InvalidField) String() string { return f.Text().En }

// Text returns the field and its fault on one line.
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

// ValidationError reports an invalid request, or an invalid argument of a constructor such
// as [NewClient]. Nothing was sent: its outcome is always OutcomeNotSent. It lists every
// fault at once, and contains none of the values.
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

// TransportError reports that no reply arrived.
type TransportError struct {
	Call
	// NotSent reports whether it is proved that no byte of the request left this machine:
	// the name did not resolve, the connection, the proxy's CONNECT or the TLS handshake
	// failed, or the context ended before there was a connection.
	NotSent bool
	// Err is the cause. If its text may quote the request, as that of a custom transport's
	// error may, Err prints only its type. errors.As and errors.Unwrap reach the error that
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

// isTimeout reports whether the caller's context or a timeout ended the call.
func isTimeout(err error) bool {
	return errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)
}

// Unwrap returns the cause.
func (e *TransportError) Unwrap() error { return e.Err }

// outcome returns OutcomeNotSent if that is proved for every attempt.
func (e *TransportError) outcome() Outcome {
	if e.NotSent && e.Earlier == nil {
		return OutcomeNotSent
	}
	return OutcomeUnknown
}

// ReplyError reports a reply that does not count as an answer: another HTTP status than
// 200, a redirect, an HTML page, or a row that is truncated, unreadable, contradictory or
// about other amounts. Its outcome is always OutcomeUnknown.
type ReplyError struct {
	Call
	Reason     Text    // what is wrong, without any value of the reply; it follows Column, if there is one
	StatusCode int     // the HTTP status; 0 if unknown
	Column     string  // the column at fault, by the gateway's name such as "am"; or empty
	Result     *Result // the reply as far as it could be read; or nil
	Err        error   `json:"-"` // the cause, such as ErrTestMode; or nil

	raw Secret
}

// ErrTestMode is the cause of the [*ReplyError] that [WithProductionOnly] makes of an
// approval in test mode.
var ErrTestMode error = textError{Text{
	"the store is in test mode and no money moved",
	"店舗がテストモードのため、実際の請求は発生していません",
}}

// Error returns what is wrong on one line. It never quotes the reply.
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
	return e.told(Text{"the reply does not count as an answer: " + what.En, "応答を結果として扱えません: " + what.Ja})
}

func (e *ReplyError) next() Text {
	switch {
	case errors.Is(e.Err, ErrTestMode):
		return nextProduction
	case e.Operation == OpReAuth || e.Operation == OpReAuthByKickback:
		if r := e.Result; r != nil && r.Status == StatusSucceeded && r.PaymentID != e.PaymentID && strings.Trim(r.PaymentID, "0") != "" &&
			wire.IsDigits(r.PaymentID) && len(r.PaymentID) <= maxPaymentID {
			return nextAfterNamed(r.PaymentID)
		}
	}
	return e.Operation.NextIfUnknown()
}

// Unwrap returns the cause, or nil.
func (e *ReplyError) Unwrap() error { return e.Err }

// Raw returns the reply as it was received, up to 64 KiB. It may contain personal data and
// an issued password: keep it only where you keep payments, and do not log it.
func (e *ReplyError) Raw() []byte { return []byte(e.raw.Reveal()) }

// GatewayError reports that the gateway answered with a code.
type GatewayError struct {
	Call
	Code   Code
	Result *Result // the refusal as it was parsed
}

// Error returns the code, its meaning and what to do next on one line.
func (e *GatewayError) Error() string { return e.sentence(e.outcome(), e.what(), e.next()) }

func (e *GatewayError) what() Text {
	what := e.Code.what()
	if class := e.Code.Class(); (e.Operation == OpReAuth || e.Operation == OpReAuthByKickback) && (class == ErrCardDeclined || class == ErrRejected) {
		what = Text{what.En + "; the original payment may be cancelled", what.Ja + "。元の決済が取り消されている可能性があります"}
	}
	return e.told(what)
}

func (e *GatewayError) next() Text {
	if e.Earlier != nil {
		return e.Operation.NextIfUnknown()
	}
	return e.Code.Next(e.Operation)
}

// Unwrap returns the code, so that errors.Is finds it and its class.
func (e *GatewayError) Unwrap() error { return e.Code }

// outcome returns the outcome of the code, or OutcomeUnknown after an earlier attempt whose
// outcome is unknown.
func (e *GatewayError) outcome() Outcome {
	if e.Earlier != nil {
		return OutcomeUnknown
	}
	return e.Code.Outcome(e.Operation)
}

// The errors implement Format so that no verb of fmt prints their fields.

// Format writes Error, for every verb.
func (e *ValidationError) Format(f fmt.State, _ rune) { fmt.Fprint(f, e.Error()) }

// Format writes Error, for every verb.
func (e *TransportError) Format(f fmt.State, _ rune) { fmt.Fprint(f, e.Error()) }

// Format writes Error, for every verb.
func (e *ReplyError) Format(f fmt.State, _ rune) { fmt.Fprint(f, e.Error()) }

// Format writes Error, for every verb.
func (e *GatewayError) Format(f fmt.State, _ rune) { fmt.Fprint(f, e.Error()) }

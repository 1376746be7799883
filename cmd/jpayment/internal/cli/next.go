package cli

import (
	"errors"
	"fmt"
	"strings"

	"github.com/jpayment-go/jpayment"
)

// told is what an error of the package jpayment says, taken apart.
type told struct {
	call         jpayment.Call
	code         jpayment.Code
	what, whatJa string
	next, nextJa string
	result       *jpayment.Result
	faults       []jpayment.Fault // of a *jpayment.ValidationError
}

// tell takes an error apart.
func tell(err error) told {
	var (
		validation *jpayment.ValidationError
		transport  *jpayment.TransportError
		reply      *jpayment.ReplyError
		gateway    *jpayment.GatewayError
		t          told
	)
	switch {
	case errors.As(err, &validation):
		t.call, t.faults = validation.Call, validation.Faults
		t.what, t.next, t.nextJa = happened(validation, t.call), validation.Next(), validation.NextJa()
		t.whatJa = "入力に誤りがあります: " + t.what
	case errors.As(err, &transport):
		t.call = transport.Call
		t.what, t.next, t.nextJa = happened(transport, t.call), transport.Next(), transport.NextJa()
		t.whatJa = "応答がありませんでした: " + strings.TrimPrefix(t.what, "no reply: ")
		if transport.NotSent {
			t.whatJa = "接続できませんでした: " + strings.TrimPrefix(t.what, "could not connect: ")
		}
	case errors.As(err, &reply):
		t.call, t.result = reply.Call, reply.Result
		t.what, t.next, t.nextJa = happened(reply, t.call), reply.Next(), reply.NextJa()
		t.whatJa = "応答は回答と認められません: " + strings.TrimPrefix(t.what, "the reply cannot count: ")
	case errors.As(err, &gateway):
		t.call, t.result, t.code = gateway.Call, gateway.Result, gateway.Code
		t.what, t.whatJa = gateway.Code.Message(), gateway.Code.MessageJa()
		t.next, t.nextJa = gateway.Next(), gateway.NextJa()
	default:
		unknown := &jpayment.ReplyError{}
		t.what, t.whatJa = err.Error(), err.Error()
		t.next, t.nextJa = unknown.Next(), unknown.NextJa()
	}
	return t
}

// happened returns what happened out of the line of an error, without what the call
// tells of itself.
func happened(err error, call jpayment.Call) string {
	what, _, _ := strings.Cut(err.Error(), "; next: ")
	if _, after, ok := strings.Cut(what, "outcome "+jpayment.OutcomeOf(err).String()+": "); ok {
		what = after
	}
	if call.Earlier != nil {
		what = strings.TrimSuffix(what, "; an earlier attempt may have been carried out")
	}
	if call.Attempts > 1 {
		what = strings.TrimSuffix(what, fmt.Sprintf(" (after %d attempts)", call.Attempts))
	}
	return what
}

// outcomeName returns the outcome in the language.
func outcomeName(lang string, o jpayment.Outcome) string {
	if lang != japanese {
		return o.String()
	}
	switch o {
	case jpayment.OutcomeDone:
		return "完了（done）"
	case jpayment.OutcomeNotSent:
		return "未送信（not sent）"
	case jpayment.OutcomeRefused:
		return "拒否（refused）"
	default:
		return "不明（unknown）"
	}
}

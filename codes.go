package jpayment

import (
	"strings"

	"github.com/jpayment-go/jpayment/internal/wire"
)

// Code is a reply code: ER and three digits if the gateway refused, or a G code of 12
// characters if the card issuer declined (specification, "決済結果通知のパラメータ仕様", ec).
// It is an error, so that [errors.Is] can test for a code and for its class:
//
//	errors.Is(err, jpayment.CodeSourceIP)
//	errors.Is(err, jpayment.Code("ER571"))
//	errors.Is(err, jpayment.ErrCardDeclined)
//
// A Code prints as its Error; string(code) is the code alone.
//
// A code that this package does not list keeps its text. An unlisted G code counts as a
// decline by the issuer. Any other unlisted code has the class [ErrLostTrack], and the
// outcome of the call is unknown (docs/protocol.md, assumption 7).
type Code string

// The codes that programs are most likely to handle. For the others most programs test the
// [Class]; any code can be written as Code("ER571").
const (
	CodeSourceIP      Code = "ER003" // 送信元IPエラー: the caller's address is not registered
	CodeCaptureFailed Code = "ER032" // 実売上失敗: also the answer for a payment already captured
	CodeCancelFailed  Code = "ER033" // 取消失敗: also the answer for a payment already cancelled
	CodePaymentID     Code = "ER053" // the payment number is malformed or unknown
)

// Class is the kind of refusal that a code stands for. It is an error, so that
// errors.Is(err, jpayment.ErrBusy) tests the class of an error's code. A class says what the
// gateway answered. For what happened to the payment use [OutcomeOf].
type Class int

// The classes. The zero value is ErrLostTrack, so that an unlisted code never counts as a
// refusal.
const (
	// ErrLostTrack means that the gateway itself may not know what it did (ER000, ER042 and
	// similar codes). Unlisted codes have this class too.
	ErrLostTrack Class = iota
	// ErrRejected means that the gateway rejected the operation because of the payment, as
	// with ER032.
	ErrRejected
	// ErrCardDeclined means that the card issuer declined. All G codes have this class.
	ErrCardDeclined
	// ErrBusy means that the gateway is congested (処理混雑, ER010).
	ErrBusy
	// ErrMaintenance means that the gateway is under maintenance (メンテナンス中, ER999):
	// monthly from 02:55 to 04:30 Japan time (docs/protocol.md, "HTTP"; H).
	ErrMaintenance
	// ErrNotPermitted means that the store, its contract or this machine's address is not
	// set up for the request.
	ErrNotPermitted
	// ErrInvalidParameter means that the request or one of its parameters is invalid.
	ErrInvalidParameter
)

// Error returns the message in English.
func (c Class) Error() string { return c.what().En }

func (c Class) what() Text {
	switch c {
	case ErrRejected:
		return Text{"the gateway rejected the operation", "決済ゲートウェイが処理を拒否しました"}
	case ErrCardDeclined:
		return Text{"the card issuer declined", "カード会社が拒否しました"}
	case ErrBusy:
		return Text{"the gateway is congested", "決済ゲートウェイが混雑しています"}
	case ErrMaintenance:
		return Text{"the gateway is under maintenance", "決済ゲートウェイはメンテナンス中です"}
	case ErrNotPermitted:
		return Text{"the gateway does not permit this request", "決済ゲートウェイの設定によりリクエストが許可されていません"}
	case ErrInvalidParameter:
		return Text{"the gateway found the request invalid", "決済ゲートウェイがリクエストの不備を検出しました"}
	default:
		return Text{"the gateway lost track of the request", "決済ゲートウェイで処理されたかどうか不明です"}
	}
}

// atTheDoor reports whether the gateway refused the request before it looked at the
// payment. The vendor does not document the order of its checks; that these come first is
// an assumption (docs/protocol.md, assumption 5).
func (c Class) atTheDoor() bool {
	switch c {
	case ErrBusy, ErrMaintenance, ErrNotPermitted, ErrInvalidParameter:
		return true
	case ErrLostTrack, ErrRejected, ErrCardDeclined:
	}
	return false
}

// codeInfo is the catalogue's entry for a code.
type codeInfo struct {
	class   Class
	message Text
}

// info returns the entry of the code. An unlisted code gets the class of its kind.
func (c Code) info() codeInfo {
	if i, ok := catalogue[c]; ok {
		return i
	}
	if strings.HasPrefix(string(c), "G") {
		return codeInfo{ErrCardDeclined, Text{
			"the issuer declined, for a reason that no public list explains",
			"カード会社により拒否されました（公開されている一覧にないコード）",
		}}
	}
	return codeInfo{ErrLostTrack, Text{
		"a code that no public list explains",
		"公開されている一覧にないコードです",
	}}
}

// Known reports whether the code is in the catalogue of this package.
func (c Code) Known() bool {
	_, ok := catalogue[c]
	return ok
}

// Class returns the class of the code.
func (c Code) Class() Class { return c.info().class }

// Message returns the meaning of the code, in a few words without a full stop, and the zero
// Text for an empty code.
func (c Code) Message() Text {
	if c == "" {
		return Text{}
	}
	return c.info().message
}

// Outcome returns the outcome of an operation that was answered with the code. It returns
// OutcomeRefused if the gateway refused and left the payment as it was, and OutcomeUnknown
//
//   - for a code of the class [ErrLostTrack], which includes unlisted codes;
//   - for a re-authorisation, unless the class is [ErrBusy], [ErrMaintenance],
//     [ErrNotPermitted] or [ErrInvalidParameter]. A re-authorisation cancels first and
//     authorises afterwards; it is not documented whether the original survives a decline.
func (c Code) Outcome(op Operation) Outcome {
	class := c.Class()
	if class == ErrLostTrack || op.replacesPayment() && !class.atTheDoor() {
		return OutcomeUnknown
	}
	return OutcomeRefused
}

// Next returns what to do after an operation that was answered with the code.
func (c Code) Next(op Operation) Text {
	if c.Outcome(op) == OutcomeUnknown {
		return op.NextIfUnknown()
	}
	switch c {
	case CodeSourceIP:
		return nextSourceIP
	case CodePaymentID:
		return nextPaymentID
	default: // The class decides.
	}
	switch c.Class() {
	case ErrCardDeclined:
		if op == OpCancel {
			return nextDeclinedCancel
		}
		return nextDeclined
	case ErrBusy:
		return nextBusy
	case ErrMaintenance:
		return nextMaintenance
	case ErrNotPermitted:
		return nextContract
	case ErrInvalidParameter:
		return nextRequest
	case ErrRejected, ErrLostTrack:
	}
	switch op {
	case OpSales:
		return nextAfterRefusedSales
	case OpCancel:
		return nextAfterRefusedCancel
	default:
		return nextLookUp
	}
}

// Error returns the code and its meaning in English, or "" for an empty code.
func (c Code) Error() string { return c.what().En }

// what returns the code and its meaning.
func (c Code) what() Text {
	if c == "" {
		return Text{}
	}
	m := c.Message()
	return Text{string(c) + " (" + m.En + ")", string(c) + ": " + m.Ja}
}

// Is reports whether target is the code or its class, for [errors.Is].
func (c Code) Is(target error) bool {
	switch target := target.(type) {
	case Code:
		return c == target
	case Class:
		return c.Class() == target
	default:
		return false
	}
}

// isCode reports whether s has the form of a reply code: 1 to 12 half-width
// letters and digits (specification, ec).
func isCode(s string) bool { return len(s) >= 1 && len(s) <= 12 && wire.IsAlnum(s) }

// isBareCode reports whether a reply that consists of s can only be a code. It is stricter
// than isCode, since any word has the form of a code.
func isBareCode(s string) bool {
	if Code(s).Known() {
		return true
	}
	if rest, ok := strings.CutPrefix(s, "ER"); ok {
		return len(rest) == 3 && wire.IsDigits(rest)
	}
	return len(s) == 12 && s[0] == 'G' && isCode(s)
}

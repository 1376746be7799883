package jpayment

import (
	"strings"

	"github.com/jpayment-go/jpayment/internal/wire"
)

// Code is a reply code of the gateway: ER and three digits for the gateway's
// own, or a G code of 12 characters for the card issuer's (specification,
// "決済結果通知のパラメータ仕様", ec). It is an error, so that a single code can
// be asked for with [errors.Is], and so can the class it belongs to:
//
//	errors.Is(err, jpayment.CodeSourceIP)
//	errors.Is(err, jpayment.Code("ER571"))
//	errors.Is(err, jpayment.ErrCardDeclined)
//
// Printed, it is its Error; string(code) is the code alone.
//
// A code that this package does not know stays what it is. An unknown G code is
// a decline by the issuer; any other unknown code is of no class, and the
// outcome of the call that got it is unknown (field notes, "Codes").
type Code string

// The codes that a program is likely to act upon. Of the others most programs ask for the
// [Class]; each can be written as Code("ER571").
const (
	CodeSourceIP      Code = "ER003" // 送信元IPエラー: the caller's address is not registered
	CodeCaptureFailed Code = "ER032" // 実売上失敗: also the answer for a payment already captured
	CodeCancelFailed  Code = "ER033" // 取消失敗
	CodePaymentID     Code = "ER053" // the payment number is malformed or unknown
)

// Class is what a code tells of the request that it answers. It is an error, so that
// errors.Is(err, jpayment.ErrBusy) finds the class of an error's code. Like the code, it
// says what the gateway answered, and not what became of the payment: for that ask
// [OutcomeOf].
type Class int

// The classes. The zero value is ErrLostTrack, so that a code that nobody has listed can
// never pass for a refusal.
const (
	// ErrLostTrack is the class of the codes by which the gateway itself may not know
	// what it did (ER000, ER042 and the like), and of unlisted ones.
	ErrLostTrack Class = iota
	// ErrRejected is the class of the codes by which the gateway rejected the operation
	// for a reason of the payment's, such as ER032.
	ErrRejected
	// ErrCardDeclined is the class of all G codes: the card issuer declined.
	ErrCardDeclined
	// ErrBusy is the class of ER010 (処理混雑): the gateway is congested.
	ErrBusy
	// ErrMaintenance is the class of ER999 (メンテナンス中): the gateway is under maintenance,
	// monthly from 02:55 to 04:30 Japan time (field notes, grade H).
	ErrMaintenance
	// ErrNotPermitted is the class of the codes that say that the store, its
	// contract or this machine's address is not set up for the request.
	ErrNotPermitted
	// ErrInvalidParameter is the class of the codes that say that the request
	// or one of its parameters is wrong.
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

// atTheDoor reports whether the gateway turned the request away before it looked
// at the payment. That the checks come first is an assumption: no text of the
// vendor's says in which order the gateway works.
func (c Class) atTheDoor() bool {
	switch c {
	case ErrBusy, ErrMaintenance, ErrNotPermitted, ErrInvalidParameter:
		return true
	case ErrLostTrack, ErrRejected, ErrCardDeclined:
	}
	return false
}

// codeInfo is what the catalogue says of a code.
type codeInfo struct {
	class   Class
	message Text
}

// info never fails: an unlisted code gets the class of its kind.
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

// Message returns the meaning of the code, in a few words without a full stop. An empty
// code has none.
func (c Code) Message() Text {
	if c == "" {
		return Text{}
	}
	return c.info().message
}

// Outcome returns what the code says of the payment after the operation:
// OutcomeRefused where the gateway turned the request down and the payment is as it was,
// and OutcomeUnknown
//
//   - for a code of the class [ErrLostTrack], which unlisted codes have too;
//   - for a re-authorisation, unless the code is of the classes [ErrBusy],
//     [ErrMaintenance], [ErrNotPermitted] or [ErrInvalidParameter]: it cancels first and
//     authorises then, and whether the original survives a decline is not documented.
func (c Code) Outcome(op Operation) Outcome {
	class := c.Class()
	if class == ErrLostTrack || op.replacesPayment() && !class.atTheDoor() {
		return OutcomeUnknown
	}
	return OutcomeRefused
}

// Next returns what to do after the operation was answered with the code.
func (c Code) Next(op Operation) Text {
	if c.Outcome(op) == OutcomeUnknown {
		return op.NextIfUnknown()
	}
	switch c {
	case CodeSourceIP:
		return nextSourceIP
	case CodePaymentID:
		return nextPaymentID
	default: // the class decides
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

// Error returns the code and its meaning in English, and nothing for an empty code.
func (c Code) Error() string { return c.what().En }

// what returns the code and its meaning.
func (c Code) what() Text {
	if c == "" {
		return Text{}
	}
	m := c.Message()
	return Text{string(c) + " (" + m.En + ")", string(c) + "（" + m.Ja + "）"}
}

// Is reports whether target is this code or its class. It is for [errors.Is].
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

// isBareCode reports whether a whole reply of s can only be a code. It asks for
// more than isCode, since any word has the form of a code.
func isBareCode(s string) bool {
	if Code(s).Known() {
		return true
	}
	if rest, ok := strings.CutPrefix(s, "ER"); ok {
		return len(rest) == 3 && wire.IsDigits(rest)
	}
	return len(s) == 12 && s[0] == 'G' && isCode(s)
}

package jpayment

import (
	"errors"
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

// The codes that a program is likely to act upon. Every other code can be
// written as Code("ER571").
const (
	CodeInternal      Code = "ER000" // internal error of the gateway, outcome unknown
	CodeSourceIP      Code = "ER003" // 送信元IPエラー: the caller's address is not registered
	CodeBusy          Code = "ER010" // 処理混雑: congestion
	CodeCaptureFailed Code = "ER032" // 実売上失敗: also the answer for a payment already captured
	CodeCancelFailed  Code = "ER033" // 取消失敗
	CodeCommunication Code = "ER042" // communication error behind the gateway, outcome unknown
	CodePaymentID     Code = "ER053" // the payment number is malformed or unknown
	CodeMaintenance   Code = "ER999" // メンテナンス中
)

// The classes of codes, for use with [errors.Is].
var (
	// ErrCardDeclined is the class of all G codes: the card issuer declined.
	ErrCardDeclined = errors.New("the card issuer declined")
	// ErrBusy is the class of ER010: the gateway is congested.
	ErrBusy = errors.New("the gateway is congested")
	// ErrMaintenance is the class of ER999: the gateway is under maintenance,
	// monthly from 02:55 to 04:30 Japan time (field notes, grade H).
	ErrMaintenance = errors.New("the gateway is under maintenance")
	// ErrNotPermitted is the class of the codes that say that the store, its
	// contract or this machine's address is not set up for the request.
	ErrNotPermitted = errors.New("the gateway does not permit this request")
	// ErrInvalidParameter is the class of the codes that say that the request
	// or one of its parameters is wrong.
	ErrInvalidParameter = errors.New("the gateway found the request invalid")
)

// Retry tells whether sending a refused request again can help. It is a
// judgement of this package's authors; the gateway documents nothing of it.
type Retry int

// The answers of [Code.Retry].
const (
	RetryUnknown Retry = iota
	RetryNo
	RetryYes
)

// String returns "unknown", "no" or "yes".
func (r Retry) String() string {
	switch r {
	case RetryNo:
		return "no"
	case RetryYes:
		return "yes"
	default:
		return "unknown"
	}
}

// class says what a code tells of the request it answers.
type class int

const (
	// classLost: the gateway itself may not know what it did. The zero value,
	// so that a code nobody has listed can never pass for a refusal.
	classLost class = iota
	classRefused
	classDeclined
	classBusy
	classMaintenance
	classNotPermitted
	classInvalidParameter
)

// sentinel returns the error that stands for the class, or nil.
func (c class) sentinel() error {
	switch c {
	case classDeclined:
		return ErrCardDeclined
	case classBusy:
		return ErrBusy
	case classMaintenance:
		return ErrMaintenance
	case classNotPermitted:
		return ErrNotPermitted
	case classInvalidParameter:
		return ErrInvalidParameter
	case classLost, classRefused:
	}
	return nil
}

// atTheDoor tells whether the gateway turned the request away before it looked
// at the payment. That the checks come first is an assumption: no text of the
// vendor's says in which order the gateway works.
func (c class) atTheDoor() bool {
	switch c {
	case classBusy, classMaintenance, classNotPermitted, classInvalidParameter:
		return true
	case classLost, classRefused, classDeclined:
	}
	return false
}

// codeInfo is what the catalogue says of a code.
type codeInfo struct {
	class  class
	retry  Retry
	en, ja string
}

// info never fails: an unlisted code gets the class of its kind.
func (c Code) info() codeInfo {
	if i, ok := catalogue[c]; ok {
		return i
	}
	if strings.HasPrefix(string(c), "G") {
		return codeInfo{
			class: classDeclined,
			en:    "the issuer declined, for a reason that no public list explains",
			ja:    "カード会社により拒否されました（公開されている一覧にないコード）",
		}
	}
	return codeInfo{
		en: "a code that no public list explains",
		ja: "公開されている一覧にないコードです",
	}
}

// Known tells whether the code is in the catalogue of this package.
func (c Code) Known() bool {
	_, ok := catalogue[c]
	return ok
}

// Message returns the meaning of the code in English, in a few words without a
// full stop.
func (c Code) Message() string { return c.info().en }

// MessageJa returns the meaning of the code in Japanese.
func (c Code) MessageJa() string { return c.info().ja }

// Retry tells whether sending the same request again can help.
func (c Code) Retry() Retry { return c.info().retry }

// Error returns the code and its meaning in English.
func (c Code) Error() string { return string(c) + " (" + c.Message() + ")" }

// Is tells whether target is this code or its class. It is for [errors.Is].
func (c Code) Is(target error) bool {
	if other, ok := target.(Code); ok {
		return c == other
	}
	s := c.info().class.sentinel()
	return s != nil && s == target
}

// isCode tells whether s has the form of a reply code: 1 to 12 half-width
// letters and digits (specification, ec).
func isCode(s string) bool { return len(s) >= 1 && len(s) <= 12 && wire.IsAlnum(s) }

// isBareCode tells whether a whole reply of s can only be a code. It asks for
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

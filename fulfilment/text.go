package fulfilment

import (
	"fmt"

	"github.com/jpayment-go/jpayment"
)

// textf formats both languages with the same arguments.
func textf(en, ja string, args ...any) jpayment.Text {
	return jpayment.Text{En: fmt.Sprintf(en, args...), Ja: fmt.Sprintf(ja, args...)}
}

// codeText returns a code and its meaning.
func codeText(c jpayment.Code) jpayment.Text {
	m := c.Message()
	return jpayment.Text{En: string(c) + " (" + m.En + ")", Ja: string(c) + "（" + m.Ja + "）"}
}

// joined joins two sentences on one line. The first may be empty.
func joined(a, b jpayment.Text) jpayment.Text {
	if a.En == "" {
		return b
	}
	return jpayment.Text{En: a.En + "; " + b.En, Ja: a.Ja + "。" + b.Ja}
}

// sentence joins what happened and what to do next on one line.
func sentence(what, next jpayment.Text) string {
	line := "fulfilment: " + what.En
	if next.En != "" {
		line += "; next: " + next.En
	}
	return line
}

// problem is an error that says what happened and what to do next. Only its cause may contain
// private data.
type problem struct {
	what, next jpayment.Text
	cause      error // or nil
	database   bool  // the database is at fault
	row        int64 // the job whose row is at fault, or zero
	quiet      bool  // the cause may be private, so Error omits it
	is         error // the sentinel error of this package that it matches, or nil
}

// Error returns what happened, the cause and what to do next on one line.
func (e *problem) Error() string {
	if e.cause == nil || e.quiet || e.cause == ErrNoJob { //nolint:errorlint // Its text would add nothing.
		return sentence(e.what, e.next)
	}
	return sentence(jpayment.Text{En: e.what.En + ": " + e.cause.Error()}, e.next)
}

// What returns what happened, without the cause.
func (e *problem) What() jpayment.Text { return e.what }

// Next returns what to do next.
func (e *problem) Next() jpayment.Text { return e.next }

// Is reports whether the problem matches a sentinel error of this package.
func (e *problem) Is(target error) bool { return e.is != nil && e.is == target }

// Unwrap returns the cause, or nil.
func (e *problem) Unwrap() error { return e.cause }

// The next steps that several errors share.
var (
	nextDatabase = jpayment.Text{En: "check the database and the version of its tables", Ja: "データベースの状態とテーブルのバージョンを確認する"}
	nextMigrate  = jpayment.Text{En: "call Migrate, or run jpayment migrate", Ja: "Migrate を呼び出すか、jpayment migrate を実行する"}
	nextDispute  = jpayment.Text{En: "look the payments up in the control panel, then decide again or confirm the verdict", Ja: "管理画面で該当する決済を確認し、判断し直すか、現在の結果を確定する"}
	nextAgain    = jpayment.Text{En: "try again", Ja: "再実行する"}
	nextOthers   = jpayment.Text{En: "pass it to the handler of other kickbacks", Ja: "ほかの決済結果通知を扱う処理に渡す"}
)

// Package jobtext describes a job to the person at a terminal: why it is in its state, and
// what to type next.
package jobtext

import (
	"errors"
	"fmt"
	"strings"

	"github.com/jpayment-go/jpayment"
	"github.com/jpayment-go/jpayment/cmd/jpayment/internal/console"
	"github.com/jpayment-go/jpayment/fulfilment"
)

// Operation returns the name of an operation in files and commands.
func Operation(op jpayment.Operation) jpayment.Text {
	ja := "再オーソリ"
	switch op { //nolint:exhaustive // To a person both kinds of ReAuth are the same.
	case jpayment.OpSales:
		ja = "実売上"
	case jpayment.OpCancel:
		ja = "取消"
	}
	return jpayment.Text{En: strings.ToLower(string(op)), Ja: ja}
}

// Code returns a code with its meaning.
func Code(c jpayment.Code) jpayment.Text {
	return console.Textf("%s %s", "%s %s", string(c), c.Message())
}

// Why returns the reason for the state of a job, or an empty text.
func Why(j fulfilment.Job) jpayment.Text {
	why := j.Reason.Text()
	if j.Dispute != (jpayment.Text{}) { // The verdict is in doubt, whatever it rests on.
		return console.Textf("recorded as %s, but disputed: %s", "結果は「%s」ですが、食い違いがあります: %s", j.State.Text(), j.Dispute)
	}
	switch {
	case j.State == fulfilment.StateRunning:
		return jpayment.Text{En: "the outcome of the last attempt is not recorded yet", Ja: "送信の結果がまだ記録されていません"}
	case j.Code == "" || j.State == fulfilment.StateDone:
		return why
	case why == jpayment.Text{}:
		return j.Code.Message()
	default:
		return console.Textf("%s: %s", "%s: %s", why, j.Code.Message())
	}
}

// TestMode is the next step after an approval in test mode.
var TestMode = jpayment.NextOf(jpayment.ErrTestMode)

// Failure describes an error of the database and, if it is known, what to type next. Flags
// are the flags that name the store and the database, as the person typed them.
func Failure(err error, flags string) jpayment.Text {
	switch {
	case errors.Is(err, fulfilment.ErrTables):
		return console.Textf("%s; next: jpayment migrate%s", "%s。次の手順: jpayment migrate%s を実行する", console.What(err), flags)
	case errors.Is(err, fulfilment.ErrRestored):
		return console.Textf("%s; next: jpayment restore-check%s; if this is meant to be a different database, name another file with --witness",
			"%s。次の手順: jpayment restore-check%s を実行する。意図して別のデータベースを使う場合は、--witness で別のファイルを指定する", console.What(err), flags)
	default:
		return console.WithNext(err)
	}
}

// Capture returns the next step after a re-authorisation.
func Capture(newPayment string) jpayment.Text {
	return console.Textf("capture the new payment %s", "以後は新しい決済 %s を実売上にする", newPayment)
}

// AfterUnknown returns the next step if it is unknown whether an operation was carried out.
// Again is the command that sends it again.
func AfterUnknown(op jpayment.Operation, again string) jpayment.Text {
	switch op {
	case jpayment.OpSales:
		return console.Textf("look the payment up in the control panel: ship only if it is captured (実売上); if it is still authorised (仮売上), send it again with %s",
			"管理画面で決済を確認する。実売上の場合だけ出荷し、仮売上のままなら %s で再送する", again)
	case jpayment.OpCancel:
		return console.Textf("look the payment up in the control panel: if it is not cancelled (取消), send it again with %s",
			"管理画面で決済を確認する。取消になっていなければ %s で再送する", again)
	default:
		return op.NextIfUnknown()
	}
}

// Next returns the next step for a job, or an empty text. Flags are the flags that name the
// store and the database, as the person typed them.
func Next(j fulfilment.Job, flags string) jpayment.Text {
	switch {
	case j.Result != nil && j.Result.TestMode():
		return TestMode
	case j.Dispute != jpayment.Text{} && j.State != fulfilment.StateReview:
		return console.Textf("%[1]s: jpayment review %[2]d --done --new-payment NUMBER%[3]s, or with --not-done instead",
			"%[1]s: jpayment review %[2]d --done --new-payment 新決済番号%[3]s、なければ --not-done で記録する",
			j.Next(), j.ID, flags)
	case j.State == fulfilment.StateReview && j.Reason != fulfilment.ReasonTestMode && j.Operation == jpayment.OpReAuth:
		return console.Textf("%[1]s; record what you find with jpayment review %[2]d --done --new-payment NUMBER%[3]s, or with --not-done instead",
			"%[1]s。新しい決済があれば jpayment review %[2]d --done --new-payment 新決済番号%[3]s で、なければ --not-done で記録する",
			j.Operation.NextIfUnknown(), j.ID, flags)
	case j.State == fulfilment.StateReview && j.Reason != fulfilment.ReasonTestMode:
		return console.Textf("%[1]s; if it was carried out, record that with jpayment review %[2]d --done%[3]s", "%[1]s。処理されていれば jpayment review %[2]d --done%[3]s で記録する",
			AfterUnknown(j.Operation, fmt.Sprintf("jpayment review %d --again%s", j.ID, flags)), j.ID, flags)
	case j.State == fulfilment.StateWaiting && j.Reason == fulfilment.ReasonAfter:
		return console.Textf("it is sent once job %[1]d is done; see jpayment review %[1]d%[2]s", "ジョブ %[1]d が完了すると送信される。jpayment review %[1]d%[2]s で確認する", j.After, flags)
	case j.State == fulfilment.StateRefused && j.Reason == fulfilment.ReasonPredecessor:
		return console.Textf("%[1]s: jpayment review %[2]d%[3]s", "%[1]s: jpayment review %[2]d%[3]s", j.Next(), j.After, flags)
	case j.State == fulfilment.StateDone && j.Operation == jpayment.OpReAuth:
		return console.Textf("capture the new payment %s, unless your order system does so", "以後は新しい決済 %s を実売上にする（受注システムが行う場合は不要）", j.NewPaymentID)
	case j.State == fulfilment.StateRunning, j.State == fulfilment.StateAwaiting:
		return console.Textf("to find out its outcome, run the same command again, or jpayment work%s", "同じコマンド、または jpayment work%s を実行して結果を確定する", flags)
	case !j.State.Settled():
		return console.Textf("to send it, run the same command again, or jpayment work%s", "同じコマンド、または jpayment work%s を実行して送信する", flags)
	default:
		return j.Next()
	}
}

// Look returns what to look for in the control panel before choosing a decision about a
// job, or an empty text.
func Look(j fulfilment.Job) jpayment.Text {
	unknown := j.State == fulfilment.StateReview && j.Reason != fulfilment.ReasonTestMode
	switch {
	case unknown && j.Operation == jpayment.OpSales:
		return jpayment.Text{
			En: "look the payment up in the control panel: ship only if it is captured (実売上); if it is still authorised (仮売上), choose to send it again",
			Ja: "管理画面で決済を確認する。実売上の場合だけ出荷し、仮売上のままなら再送を選ぶ",
		}
	case unknown && j.Operation == jpayment.OpCancel:
		return jpayment.Text{
			En: "look the payment up in the control panel: if it is not cancelled (取消), choose to send it again",
			Ja: "管理画面で決済を確認する。取消になっていなければ再送を選ぶ",
		}
	default:
		return j.Next()
	}
}

// Uncertain reports whether a job may have been carried out although no result is recorded.
func Uncertain(j fulfilment.Job) bool {
	switch j.State {
	case fulfilment.StateReview, fulfilment.StateRunning, fulfilment.StateAwaiting:
		return true
	case fulfilment.StateWaiting:
		return j.Reason == fulfilment.ReasonUnknown || j.Reason == fulfilment.ReasonInterrupted
	default:
		return false
	}
}

// Package jobtext says of a job and of a store what a person wants to know: how it stands,
// why, and what to do next.
package jobtext

import (
	"fmt"
	"strings"

	"github.com/jpayment-go/jpayment"
	"github.com/jpayment-go/jpayment/cmd/jpayment/internal/console"
	"github.com/jpayment-go/jpayment/fulfilment"
)

// State returns a state in the language.
func State(lang console.Lang, s fulfilment.State) string {
	if lang != console.Japanese {
		return string(s)
	}
	switch s {
	case fulfilment.StateWaiting:
		return "待機中"
	case fulfilment.StateRunning:
		return "送信中"
	case fulfilment.StateAwaiting:
		return "通知待ち"
	case fulfilment.StateDone:
		return "完了"
	case fulfilment.StateRefused:
		return "拒否"
	case fulfilment.StateReview:
		return "要確認"
	default:
		return string(s)
	}
}

// Operation returns an operation as files and commands have it.
func Operation(lang console.Lang, op jpayment.Operation) string {
	if lang != console.Japanese {
		return strings.ToLower(string(op))
	}
	switch op {
	case jpayment.OpSales:
		return "実売上"
	case jpayment.OpCancel:
		return "取消"
	default:
		return "再オーソリ"
	}
}

// Why says why a job stands where it does, or nothing.
func Why(lang console.Lang, j fulfilment.Job) string {
	why := lang.In(j.Reason.String(), j.Reason.Ja())
	if j.Code != "" && j.State != fulfilment.StateDone {
		why = strings.TrimSuffix(why, "。") + lang.In(": ", "：") + lang.In(j.Code.Message(), j.Code.MessageJa())
		why = strings.TrimPrefix(strings.TrimPrefix(why, ": "), "：")
	}
	return why
}

// Next says what to do about a job, or nothing.
func Next(lang console.Lang, j fulfilment.Job) string {
	call := jpayment.Call{Operation: j.Operation, PaymentID: j.PaymentID}
	switch {
	case j.State == fulfilment.StateReview:
		return lang.In(j.Next(), j.NextJa())
	case j.Result != nil && j.Result.TestMode():
		return lang.In("do not ship: the store is in test mode and no money moved", "店舗がテストモードで、お金は動いていません。出荷しないでください。")
	case j.State == fulfilment.StateDone && j.Operation == jpayment.OpReAuth:
		return fmt.Sprintf(lang.In("capture the new payment %s", "以後は新しい決済 %s を実売上してください。"), j.NewPaymentID)
	case j.State == fulfilment.StateRefused && j.Reason == fulfilment.ReasonCode:
		err := &jpayment.GatewayError{Call: call, Code: j.Code}
		return lang.In(err.Next(), err.NextJa())
	case j.State == fulfilment.StateRefused && j.Reason == fulfilment.ReasonInvalid:
		err := &jpayment.ValidationError{Call: call}
		return lang.In(err.Next(), err.NextJa())
	case !j.State.Settled():
		return lang.In("it is sent when the same command is run again, or by jpayment work", "同じコマンドの再実行、または jpayment work により送信されます")
	default:
		return ""
	}
}

// Uncertain tells whether a job may have been carried out without anybody knowing.
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

// PauseWhy says why a store is paused.
func PauseWhy(lang console.Lang, p *fulfilment.Pause) string {
	switch {
	case testMode(p):
		return lang.In(fulfilment.ReasonTestMode.String(), fulfilment.ReasonTestMode.Ja())
	case p.Code == "":
		return p.Why
	}
	return string(p.Code) + " " + lang.In(p.Code.Message(), p.Code.MessageJa())
}

// PauseNext says what to do about it.
func PauseNext(lang console.Lang, p *fulfilment.Pause) string {
	switch {
	case testMode(p):
		err := &jpayment.ReplyError{Err: jpayment.ErrTestMode}
		return lang.In(err.Next(), err.NextJa())
	case p.Code == "":
		return lang.In("remove the cause", "原因を取り除く")
	}
	err := &jpayment.GatewayError{Call: jpayment.Call{Operation: jpayment.OpSales}, Code: p.Code}
	return lang.In(err.Next(), err.NextJa())
}

// testMode tells whether an approval in test mode made the pause.
func testMode(p *fulfilment.Pause) bool {
	return p.Code == "" && strings.Contains(p.Why, jpayment.ErrTestMode.Error())
}

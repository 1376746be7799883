package cli

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/jpayment-go/jpayment"
	"github.com/jpayment-go/jpayment/fulfilment"
)

// stateName returns a state in the language.
func stateName(lang string, s fulfilment.State) string {
	if lang != japanese {
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

// operationName returns an operation as files and commands have it.
func operationName(lang string, op jpayment.Operation) string {
	if lang != japanese {
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

// whyOf says why a job stands where it does, or nothing.
func whyOf(lang string, j fulfilment.Job) string {
	why := in(lang, j.Reason.String(), j.Reason.Ja())
	if j.Code != "" && j.State != fulfilment.StateDone {
		why = strings.TrimSuffix(why, "。") + in(lang, ": ", "：") + in(lang, j.Code.Message(), j.Code.MessageJa())
		why = strings.TrimPrefix(strings.TrimPrefix(why, ": "), "：")
	}
	return why
}

// nextOf says what to do about a job, or nothing.
func nextOf(lang string, j fulfilment.Job) string {
	call := jpayment.Call{Operation: j.Operation, PaymentID: j.PaymentID}
	switch {
	case j.State == fulfilment.StateReview:
		return in(lang, j.Next(), j.NextJa())
	case j.Result != nil && j.Result.TestMode():
		return in(lang, "do not ship: the store is in test mode and no money moved", "店舗がテストモードで、お金は動いていません。出荷しないでください。")
	case j.State == fulfilment.StateDone && j.Operation == jpayment.OpReAuth:
		return fmt.Sprintf(in(lang, "capture the new payment %s", "以後は新しい決済 %s を実売上してください。"), j.NewPaymentID)
	case j.State == fulfilment.StateRefused && j.Reason == fulfilment.ReasonCode:
		err := &jpayment.GatewayError{Call: call, Code: j.Code}
		return in(lang, err.Next(), err.NextJa())
	case j.State == fulfilment.StateRefused && j.Reason == fulfilment.ReasonInvalid:
		err := &jpayment.ValidationError{Call: call}
		return in(lang, err.Next(), err.NextJa())
	case !j.State.Settled():
		return in(lang, "it is sent when the same command is run again, or by jpayment work", "同じコマンドの再実行、または jpayment work により送信されます")
	default:
		return ""
	}
}

// uncertain tells whether a job may have been carried out without anybody knowing.
func uncertain(j fulfilment.Job) bool {
	switch j.State {
	case fulfilment.StateReview, fulfilment.StateRunning, fulfilment.StateAwaiting:
		return true
	case fulfilment.StateWaiting:
		return j.Reason == fulfilment.ReasonUnknown || j.Reason == fulfilment.ReasonInterrupted
	default:
		return false
	}
}

// grouped writes a number with commas between its thousands.
func grouped(n int64) string {
	s := strconv.FormatInt(n, 10)
	for i := len(s) - 3; i > 0 && s[i-1] != '-'; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

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
	next         string
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
		t.what, t.next = split(validation, t.call)
		t.whatJa = "入力に誤りがあります: " + t.what
	case errors.As(err, &transport):
		t.call = transport.Call
		t.what, t.next = split(transport, t.call)
		t.whatJa = "応答がありませんでした: " + strings.TrimPrefix(t.what, "no reply: ")
		if transport.NotSent {
			t.whatJa = "接続できませんでした: " + strings.TrimPrefix(t.what, "could not connect: ")
		}
	case errors.As(err, &reply):
		t.call, t.result = reply.Call, reply.Result
		t.what, t.next = split(reply, t.call)
		t.whatJa = "応答は回答と認められません: " + strings.TrimPrefix(t.what, "the reply cannot count: ")
	case errors.As(err, &gateway):
		t.call, t.result, t.code = gateway.Call, gateway.Result, gateway.Code
		_, t.next = split(gateway, t.call)
		t.what, t.whatJa = gateway.Code.Message(), gateway.Code.MessageJa()
	default:
		t.what, t.next = err.Error(), "look the payment up in the control panel"
		t.whatJa = t.what
	}
	return t
}

// split returns what happened and what to do next out of the line of an error, without
// what the call tells of itself.
func split(err error, call jpayment.Call) (what, next string) {
	what, next, _ = strings.Cut(err.Error(), "; next: ")
	if _, after, ok := strings.Cut(what, "outcome "+jpayment.OutcomeOf(err).String()+": "); ok {
		what = after
	}
	if call.Earlier != nil {
		what = strings.TrimSuffix(what, "; an earlier attempt may have been carried out")
	}
	if call.Attempts > 1 {
		what = strings.TrimSuffix(what, fmt.Sprintf(" (after %d attempts)", call.Attempts))
	}
	return what, next
}

// nextJa are the next steps of the package's errors in Japanese, in the words of
// docs/outcomes.ja.md.
//
//nolint:gosec // No credentials: instructions.
var nextJa = map[string]string{
	"look the payment up in the control panel: ship only if it is captured (実売上), send Sales again if it is still authorised (仮売上)":                                        "管理画面で決済を確認する。実売上の場合だけ出荷し、仮売上のままなら Sales を再送する",
	"look the payment up in the control panel: send Cancel again if it is not cancelled (取消)":                                                                              "管理画面で決済を確認する。取消になっていなければ Cancel を再送する",
	"do not send it again; look in the control panel: go on with the new payment if it is there, with the original if that is not cancelled, and with neither do not ship": "再送しない。管理画面を確認し、新しい決済があればそれで、元の決済が取消になっていなければ元の決済で処理を続ける。どちらもなければ出荷しない",
	"do not ship, no money moved; switch the store to production in the control panel":                                                                                     "お金は動いていないので出荷しない。管理画面で店舗を本番に切り替える",
	"correct the input; nothing was sent": "入力を修正する（何も送信されていない）",
	"check the network, the proxy and the address of the gateway, then send it again; nothing was sent": "ネットワーク、プロキシ、ゲートウェイの接続先を確認してから再送する（何も送信されていない）",
	"send it again with more time; nothing was sent":                                                    "時間に余裕を持たせて再送する（何も送信されていない）",
	"register this machine's egress IP address in the control panel (設定 → 決済システム → 決済ゲートウェイ＆CTI決済設定 → 決済データ送信元IP), then send it again": "このサーバーの送信元IPアドレスを管理画面（設定 → 決済システム → 決済ゲートウェイ＆CTI決済設定 → 決済データ送信元IP）に登録してから再送する",
	"look the payment up in the control panel: it may be captured already, cancelled or expired; ship only if it is captured (実売上)":    "管理画面で決済を確認する。実売上済み、取消済み、期限切れのいずれかの可能性がある。実売上の場合だけ出荷する",
	"look the payment up in the control panel: it may be cancelled (取消) already":                                                       "管理画面で決済を確認する。取消済みの可能性がある",
	"check the payment number and that it belongs to this store":                                                                       "決済番号に誤りがないか、この店舗の決済かを確認する",
	"do not ship; if the reason can pass send it again, else ask the cardholder for another way to pay":                                "出荷しない。一時的な理由なら再送し、そうでなければカード会員に別の支払方法を依頼する",
	"look the payment up in the control panel and ask the gateway's support why the issuer declined":                                   "管理画面で決済を確認し、カード会社が拒否した理由をゲートウェイのサポートに問い合わせる",
	"send it again a little later":                                 "少し待ってから再送する",
	"send it again when the maintenance is over":                   "メンテナンスが終わってから再送する",
	"check the store's contract and settings in the control panel": "管理画面で店舗の契約と設定を確認する",
	"correct the request":                                          "リクエストを修正する",
	"look the payment up in the control panel":                     "管理画面で決済を確認する",
}

// nextIn returns a next step in the language. One that nobody has translated stays
// English.
func nextIn(lang, next string) string {
	if ja, ok := nextJa[next]; ok && lang == japanese {
		return ja
	}
	return next
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

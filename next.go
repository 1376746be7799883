package jpayment

import (
	"context"
	"errors"
)

// nextStep is what to do after a call.
type nextStep int

// The next steps, in the order of docs/outcomes.md.
const (
	nextAfterUnknownSales nextStep = iota
	nextAfterUnknownCancel
	nextAfterUnknownReAuth
	nextProduction
	nextInput
	nextConnect
	nextMoreTime
	nextSourceIP
	nextAfterRefusedSales
	nextAfterRefusedCancel
	nextPaymentID
	nextDeclined
	nextDeclinedCancel
	nextBusy
	nextMaintenance
	nextContract
	nextRequest
	nextLookUp
)

var nextSteps = [...]struct{ en, ja string }{
	nextAfterUnknownSales: {
		"look the payment up in the control panel: ship only if it is captured (実売上), send Sales again if it is still authorised (仮売上)",
		"管理画面で決済を確認する。実売上の場合だけ出荷し、仮売上のままなら Sales を再送する",
	},
	nextAfterUnknownCancel: {
		"look the payment up in the control panel: send Cancel again if it is not cancelled (取消)",
		"管理画面で決済を確認する。取消になっていなければ Cancel を再送する",
	},
	nextAfterUnknownReAuth: {
		"do not send it again; look in the control panel: go on with the new payment if it is there, with the original if that is not cancelled, and with neither do not ship",
		"再送しない。管理画面を確認し、新しい決済があればそれで、元の決済が取消になっていなければ元の決済で処理を続ける。どちらもなければ出荷しない",
	},
	nextProduction: {
		"do not ship, no money moved; switch the store to production in the control panel",
		"お金は動いていないので出荷しない。管理画面で店舗を本番に切り替える",
	},
	nextInput: {
		"correct the input; nothing was sent",
		"入力を修正する（何も送信されていない）",
	},
	nextConnect: {
		"check the network, the proxy and the address of the gateway, then send it again; nothing was sent",
		"ネットワーク、プロキシ、ゲートウェイの接続先を確認してから再送する（何も送信されていない）",
	},
	nextMoreTime: {
		"send it again with more time; nothing was sent",
		"時間に余裕を持たせて再送する（何も送信されていない）",
	},
	nextSourceIP: {
		"register this machine's egress IP address in the control panel (設定 → 決済システム → 決済ゲートウェイ＆CTI決済設定 → 決済データ送信元IP), then send it again",
		"このサーバーの送信元IPアドレスを管理画面（設定 → 決済システム → 決済ゲートウェイ＆CTI決済設定 → 決済データ送信元IP）に登録してから再送する",
	},
	nextAfterRefusedSales: {
		"look the payment up in the control panel: it may be captured already, cancelled or expired; ship only if it is captured (実売上)",
		"管理画面で決済を確認する。実売上済み、取消済み、期限切れのいずれかの可能性がある。実売上の場合だけ出荷する",
	},
	nextAfterRefusedCancel: {
		"look the payment up in the control panel: it may be cancelled (取消) already",
		"管理画面で決済を確認する。取消済みの可能性がある",
	},
	nextPaymentID: {
		"check the payment number and that it belongs to this store",
		"決済番号に誤りがないか、この店舗の決済かを確認する",
	},
	nextDeclined: {
		"do not ship; if the reason can pass send it again, else ask the cardholder for another way to pay",
		"出荷しない。一時的な理由なら再送し、そうでなければカード会員に別の支払方法を依頼する",
	},
	nextDeclinedCancel: {
		"look the payment up in the control panel and ask the gateway's support why the issuer declined",
		"管理画面で決済を確認し、カード会社が拒否した理由をゲートウェイのサポートに問い合わせる",
	},
	nextBusy: {
		"send it again a little later",
		"少し待ってから再送する",
	},
	nextMaintenance: {
		"send it again when the maintenance is over",
		"メンテナンスが終わってから再送する",
	},
	nextContract: {
		"check the store's contract and settings in the control panel",
		"管理画面で店舗の契約と設定を確認する",
	},
	nextRequest: {
		"correct the request",
		"リクエストを修正する",
	},
	nextLookUp: {
		"look the payment up in the control panel",
		"管理画面で決済を確認する",
	},
}

func (n nextStep) en() string { return nextSteps[n].en }
func (n nextStep) ja() string { return nextSteps[n].ja }

// Next returns what to do next, with which Error ends.
func (e *ValidationError) Next() string { return nextInput.en() }

// NextJa returns what Next does, in Japanese.
func (e *ValidationError) NextJa() string { return nextInput.ja() }

// Next returns what to do next, with which Error ends.
func (e *TransportError) Next() string { return e.next().en() }

// NextJa returns what Next does, in Japanese.
func (e *TransportError) NextJa() string { return e.next().ja() }

func (e *TransportError) next() nextStep {
	switch {
	case e.Outcome() == OutcomeUnknown:
		return e.nextAfterUnknown()
	case errors.Is(e.Err, context.Canceled), errors.Is(e.Err, context.DeadlineExceeded):
		return nextMoreTime
	default:
		return nextConnect
	}
}

// Next returns what to do next, with which Error ends.
func (e *ReplyError) Next() string { return e.next().en() }

// NextJa returns what Next does, in Japanese.
func (e *ReplyError) NextJa() string { return e.next().ja() }

func (e *ReplyError) next() nextStep {
	if errors.Is(e.Err, ErrTestMode) {
		return nextProduction
	}
	return e.nextAfterUnknown()
}

// Next returns what to do next, with which Error ends.
func (e *GatewayError) Next() string { return e.next().en() }

// NextJa returns what Next does, in Japanese.
func (e *GatewayError) NextJa() string { return e.next().ja() }

func (e *GatewayError) next() nextStep {
	if e.Outcome() == OutcomeUnknown {
		return e.nextAfterUnknown()
	}
	switch e.Code {
	case CodeSourceIP:
		return nextSourceIP
	case CodePaymentID:
		return nextPaymentID
	default: // the class decides
	}
	switch e.Code.info().class {
	case classDeclined:
		if e.Operation == OpCancel {
			return nextDeclinedCancel
		}
		return nextDeclined
	case classBusy:
		return nextBusy
	case classMaintenance:
		return nextMaintenance
	case classNotPermitted:
		return nextContract
	case classInvalidParameter:
		return nextRequest
	case classRefused, classLost:
	}
	switch e.Operation {
	case OpSales:
		return nextAfterRefusedSales
	case OpCancel:
		return nextAfterRefusedCancel
	default:
		return nextLookUp
	}
}

// nextAfterUnknown says how to find out what became of a payment.
func (c Call) nextAfterUnknown() nextStep {
	switch c.Operation {
	case OpSales:
		return nextAfterUnknownSales
	case OpCancel:
		return nextAfterUnknownCancel
	case OpReAuth, OpReAuthByKickback:
		return nextAfterUnknownReAuth
	default:
		return nextLookUp
	}
}

package jpayment

// Operation is the name of a call.
type Operation string

// The operations of a [Gateway].
const (
	OpSales            Operation = "Sales"
	OpCancel           Operation = "Cancel"
	OpReAuth           Operation = "ReAuth"
	OpReAuthByKickback Operation = "ReAuthByKickback"
)

// replacesPayment reports whether the operation replaces the payment with a new one. Such
// an operation costs money if it is sent twice or only half done.
func (o Operation) replacesPayment() bool { return o == OpReAuth || o == OpReAuthByKickback }

// Outcome says what is known about a call.
type Outcome int

// The outcomes. The zero value is OutcomeUnknown, so that nothing counts as settled by
// mistake.
const (
	// OutcomeUnknown: the gateway may or may not have carried out the request.
	// Look the payment up in the control panel before you do anything else.
	OutcomeUnknown Outcome = iota
	// OutcomeDone: the gateway confirmed the operation. After a ReAuthByKickback it means
	// only that the gateway accepted the request; the result follows by kickback.
	OutcomeDone
	// OutcomeNotSent: no byte of the request left this machine.
	OutcomeNotSent
	// OutcomeRefused: the gateway refused, and this call changed nothing.
	OutcomeRefused
)

// String returns "unknown", "done", "not sent" or "refused".
func (o Outcome) String() string { return o.Text().En }

// Text returns the outcome in a word or two.
func (o Outcome) Text() Text {
	switch o {
	case OutcomeDone:
		return Text{"done", "完了"}
	case OutcomeNotSent:
		return Text{"not sent", "未送信"}
	case OutcomeRefused:
		return Text{"refused", "拒否"}
	default:
		return Text{"unknown", "不明"}
	}
}

// The next steps, in the order of docs/outcomes.md.
var (
	nextAfterUnknownSales = Text{
		"look the payment up in the control panel: ship only if it is captured (実売上); if it is still authorised (仮売上), send the capture again",
		"管理画面で決済を確認する。実売上の場合だけ出荷し、仮売上のままなら実売上を再送する",
	}
	nextAfterUnknownCancel = Text{
		"look the payment up in the control panel: if it is not cancelled (取消), send the cancellation again",
		"管理画面で決済を確認する。取消になっていなければ取消を再送する",
	}
	nextAfterUnknownReAuth = Text{
		"do not send it again; look in the control panel: continue with the new payment if there is one, or with the original if it is not cancelled; otherwise do not ship",
		"再送しない。管理画面を確認し、新しい決済があればそれで、元の決済が取消になっていなければ元の決済で処理を続ける。どちらもなければ出荷しない",
	}
	nextProduction = Text{
		"do not ship, no money moved; switch the store to production in the control panel",
		"実際の請求は発生していないので出荷しない。管理画面で店舗を本番に切り替える",
	}
	nextInput = Text{
		"correct the input; nothing was sent",
		"入力を修正する（何も送信されていない）",
	}
	nextConnect = Text{
		"check the network, the proxy and the address of the gateway, then send it again; nothing was sent",
		"ネットワーク、プロキシ、決済ゲートウェイの接続先を確認してから再送する（何も送信されていない）",
	}
	nextMoreTime = Text{
		"send it again with more time; nothing was sent",
		"時間に余裕を持たせて再送する（何も送信されていない）",
	}
	nextSourceIP = Text{
		"register this machine's egress IP address in the control panel (設定 → 決済システム → 決済ゲートウェイ＆CTI決済設定 → 決済データ送信元IP), then send it again",
		"このマシンの送信元IPアドレスを管理画面（設定 → 決済システム → 決済ゲートウェイ＆CTI決済設定 → 決済データ送信元IP）に登録してから再送する",
	}
	nextAfterRefusedSales = Text{
		"look the payment up in the control panel: it may be captured already, cancelled or expired; ship only if it is captured (実売上)",
		"管理画面で決済を確認する。実売上済み、取消済み、期限切れのいずれかの可能性がある。実売上の場合だけ出荷する",
	}
	nextAfterRefusedCancel = Text{
		"look the payment up in the control panel: it may be cancelled (取消) already",
		"管理画面で決済を確認する。取消済みの可能性がある",
	}
	nextPaymentID = Text{
		"check the payment number and that it belongs to this store",
		"決済番号に誤りがないか、この店舗の決済かを確認する",
	}
	nextDeclined = Text{
		"do not ship; if the reason may be temporary, send it again, otherwise ask the cardholder for another way to pay",
		"出荷しない。一時的な理由なら再送し、そうでなければカード会員に別の支払方法を依頼する",
	}
	nextDeclinedCancel = Text{
		"look the payment up in the control panel and ask the gateway's support why the issuer declined",
		"管理画面で決済を確認し、カード会社が拒否した理由を決済ゲートウェイのサポートに問い合わせる",
	}
	nextBusy = Text{
		"send it again a little later",
		"少し待ってから再送する",
	}
	nextMaintenance = Text{
		"send it again when the maintenance is over",
		"メンテナンスが終わってから再送する",
	}
	nextContract = Text{
		"check the store's contract and settings in the control panel",
		"管理画面で店舗の契約と設定を確認する",
	}
	nextRequest = Text{
		"correct the request",
		"リクエストを修正する",
	}
	nextLookUp = Text{
		"look the payment up in the control panel",
		"管理画面で決済を確認する",
	}
)

// nextAfterNamed is for a ReAuth whose reply names a payment and does not count as an answer.
// Whether the ReAuth created that payment, and with the requested amounts, is not proved.
func nextAfterNamed(paymentID string) Text {
	return textf(
		"do not send it again; look in the control panel for payment %s, which the reply names: capture it only if it replaces this payment and its amounts are right",
		"再送しない。応答にある決済 %s を管理画面で確認し、この再オーソリによる決済で、金額も正しい場合だけ実売上にする", paymentID)
}

// NextIfUnknown returns what to do if it is unknown whether the operation was carried out:
// how to find out, and how to go on.
func (o Operation) NextIfUnknown() Text {
	switch o {
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

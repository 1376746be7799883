// Package jpayment captures, cancels and re-authorises credit-card payments at ROBOT
// PAYMENT's gateway (credit.j-payment.co.jp) for Japanese merchants. The payments
// exist already; no card data passes through this package.
//
//	client, err := jpayment.NewClient("123456") // 店舗ID
//	…
//	res, err := client.Sales(ctx, jpayment.SalesRequest{PaymentID: "10000001"})
//	switch jpayment.OutcomeOf(err) {
//	case jpayment.OutcomeDone: // captured; res tells the amounts
//	case jpayment.OutcomeRefused: // the gateway said no, and the payment is as it was
//	case jpayment.OutcomeNotSent: // nothing left this machine; see below
//	case jpayment.OutcomeUnknown: // look the payment up in the control panel
//	}
//
// # Outcomes
//
// The gateway has no idempotency key and no status inquiry, so what to do next depends on
// what is known after the call. [OutcomeOf] returns one of four outcomes, and in doubt
// [OutcomeUnknown]:
//
//   - Done: the gateway said so, in an answer that contradicts neither itself nor the
//     request.
//   - Refused: the gateway turned the request down by a code that leaves no doubt, and this
//     call changed nothing. [CodeCaptureFailed] and [CodeCancelFailed] are also what a
//     payment already captured or cancelled gets: after an earlier call whose outcome is
//     unknown, they prove nothing of that call.
//   - Not sent: no byte can have left this machine. If the error is a [*ValidationError],
//     correct the request; resending it unchanged cannot succeed. After any other error
//     send it again.
//   - Unknown: the gateway may or may not have carried out the request. Look the payment
//     up before anything else is done.
//
// The errors are [*ValidationError], [*TransportError], [*ReplyError] and
// [*GatewayError]; a [Code] and its [Class] are found with errors.Is. Each error says
// on one line what happened and what to do next, and shows nothing private. [WhatOf] and
// [NextOf] return the two, in English and Japanese.
//
// # Trying again
//
// The client retries only when that is safe: if the request was not sent, or, for Sales
// and Cancel, if the gateway was congested. See [RetryPolicy].
//
// # Kickbacks
//
// The result of a [Client.ReAuthByKickback] comes to the merchant's 決済結果通知URL. The
// gateway does not sign it. With [WithKickbackKey] the request carries a signature, which
// comes back: a [KickbackHandler] with a [KickbackVerifier] hands on only what is proved.
//
// # Testing
//
// The gateway answers only registered IP addresses, so nobody can try a program
// against it from a laptop. The package jpaymenttest has a simulated gateway in the
// manner of net/http/httptest, and a fake of the interface [Gateway] for tests that
// want no HTTP.
//
// # Sources
//
// Doc comments name the gateway's own terms and where a fact is from: the vendor's
// connection specification, by its heading, or the field notes, with their grade: H
// for the vendor's other texts or several independent clients, M for one client in
// production, L for an inference. What is neither is called an assumption.
package jpayment

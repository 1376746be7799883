// Package jpayment captures, cancels and re-authorises credit-card payments at ROBOT
// PAYMENT's gateway (credit.j-payment.co.jp) for Japanese merchants. The payments
// already exist; this package handles no card data.
//
//	client, err := jpayment.NewClient("123456") // 店舗ID
//	…
//	res, err := client.Sales(ctx, jpayment.SalesRequest{PaymentID: "10000001"})
//	switch jpayment.OutcomeOf(err) {
//	case jpayment.OutcomeDone: // captured; res has the amounts
//	case jpayment.OutcomeRefused: // the gateway said no, and the payment is as it was
//	case jpayment.OutcomeNotSent: // no byte of the request left this machine; see below
//	case jpayment.OutcomeUnknown: // look the payment up in the control panel
//	}
//
// # Outcomes
//
// The gateway has no idempotency key and no status inquiry, so what to do next depends on
// what is known after the call. [OutcomeOf] returns one of four outcomes, and
// [OutcomeUnknown] in case of doubt:
//
//   - Done: the gateway confirmed the operation, and its answer contradicts neither itself
//     nor the request.
//   - Refused: the gateway refused the request with a code that leaves no doubt, and this
//     call changed nothing. The gateway also answers [CodeCaptureFailed] and
//     [CodeCancelFailed] for a payment that is already captured or cancelled: after an
//     earlier call whose outcome is unknown, they prove nothing about that call.
//   - Not sent: no byte of the request left this machine. If the error is a
//     [*ValidationError], correct the request; resending it unchanged cannot succeed. After
//     any other error send it again.
//   - Unknown: the gateway may or may not have carried out the request. Look the payment
//     up before you do anything else.
//
// The errors are [*ValidationError], [*TransportError], [*ReplyError] and
// [*GatewayError]. Use errors.Is to test for a [Code] or a [Class]. Each error says on one
// line what happened and what to do next, without private data. [WhatOf] and [NextOf]
// return the two parts in English and Japanese.
//
// # Retries
//
// The client retries only when that is safe: if the request was not sent, or, for Sales
// and Cancel, if the gateway was congested. See [RetryPolicy].
//
// # Kickbacks
//
// The gateway sends the result of a [Client.ReAuthByKickback] to the merchant's
// 決済結果通知URL, and does not sign it. With [WithKickbackKey] the request carries a
// signature, which the gateway returns. A [KickbackHandler] with a [KickbackVerifier]
// passes on only kickbacks whose signature is valid.
//
// # Testing
//
// The gateway answers registered IP addresses only, so a program cannot be tried against
// it from a laptop. Package jpaymenttest has a simulated gateway in the manner of
// net/http/httptest, and a fake [Gateway] for tests without HTTP.
//
// # Sources
//
// Doc comments give the gateway's own terms and the source of each fact. A fact from the
// vendor's connection specification is cited by heading. Any other fact is cited by a
// heading, or the number of an assumption, in
// [docs/protocol.md], with a grade: H for the vendor's other texts or several independent
// clients, M for one client in production, L for an inference.
//
// [docs/protocol.md]: https://github.com/jpayment-go/jpayment/blob/main/docs/protocol.md
package jpayment

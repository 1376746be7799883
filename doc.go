// Package jpayment captures, cancels and re-authorises credit-card payments at ROBOT
// PAYMENT's gateway (credit.j-payment.co.jp) for Japanese merchants. The payments
// exist already; no card data passes through this package.
//
//	client, err := jpayment.NewClient("123456") // 店舗ID
//	…
//	res, err := client.Sales(ctx, jpayment.SalesRequest{PaymentID: "10000001"})
//	switch jpayment.OutcomeOf(err) {
//	case jpayment.OutcomeDone: // captured; res tells the amounts
//	case jpayment.OutcomeNotSent: // nothing left this machine; send it again
//	case jpayment.OutcomeRefused: // the gateway said no; err tells why
//	case jpayment.OutcomeUnknown: // look the payment up in the control panel
//	}
//
// # Outcomes
//
// The gateway has no idempotency key and no status inquiry, so what a program does
// after a call hangs on what is known then. Every call ends in one of four outcomes,
// and [OutcomeOf] tells which. In doubt it is [OutcomeUnknown]: done means that the
// gateway said so in an answer that contradicts neither itself nor the request,
// refused that it turned the request down by a code that leaves no doubt, not sent
// that no byte can have left this machine.
//
// The errors are [*ValidationError], [*TransportError], [*ReplyError] and
// [*GatewayError]; a [Code] and its class are found with errors.Is. Each error says
// on one line what happened and what to do next, and shows nothing private.
//
// # Trying again
//
// By default a request is sent again only where that cannot do harm: if it was not
// sent, or, for Sales and Cancel, if the gateway was congested. See [RetryPolicy].
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

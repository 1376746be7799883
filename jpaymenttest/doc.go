// Package jpaymenttest is ROBOT PAYMENT's credit-card gateway, simulated: a
// server that keeps books, answers in the gateway's own shapes and fails in the
// ways that cost money.
//
//	gateway := jpaymenttest.NewServer(t)
//	id := gateway.Authorize(jpaymenttest.Authorization{Amount: 1000, Tax: 80, Shipping: 500})
//	// ... let the code under test capture the payment through gateway.URL ...
//	payment, _ := gateway.Payment(id)
//	// payment.State is jpaymenttest.Captured, payment.History tells when
//
// The package is written from the connection specification, not from the client.
// It forgives nothing that the gateway refuses: an amount in full-width digits,
// a sign or a space in a number, a form sent as JSON are refused here too.
//
// # What it answers
//
// Captures (実売上, SALES) and cancellations (取消, CANCEL) are taken at
// /gateway/gateway.aspx, re-authorisations (再オーソリ) at /gateway/re_auth.aspx.
// Parameters come in the query of a GET or in the form of a POST. With rt=1 the
// reply is one row of comma-separated columns; with rt=0 it is OK, or ER: and a
// code. The status is 200 for a refusal too.
//
// # Kickbacks
//
// What becomes of a re-authorisation with rt=0 is told by kickback: a GET to the
// store's kickback URL (決済結果通知URL), which [Server.SetKickbackURL] sets and which
// must be on this machine. A [Server] sends kickbacks by itself; under a test's own
// clock [Server.DeliverKickbacks] does. A receiver that answers with an empty body
// has not got the kickback and gets it again. [Server.Kickbacks] tells every attempt.
// [NewKickback] makes one kickback for a handler by itself, signed or not.
//
// # Faults
//
// [Server.Fail] makes requests go wrong: before the gateway has booked anything
// or, worse, after. What the gateway really did is in [Server.Payment] and in
// [Request.Booked]; what the caller should have concluded can be checked against
// them. The simulated gateway waits for events and never sleeps; only the
// [DelayReply] fault takes time of its own accord. A fault stands between the client
// and the gateway: the kickback of a request whose answer it spoils or withholds is
// sent all the same, and does not wait for that answer.
//
// # Other ways to test
//
// [Fake] is an implementation of [jpayment.Gateway] for unit tests without HTTP. The
// command jpayment simulate is the same simulated gateway as a program, with a control
// panel.
//
// # Assumptions
//
// The specification leaves much open. What is assumed instead is listed, with how well it
// is known and what would change if it were wrong, in
// https://github.com/jpayment-go/jpayment/blob/main/docs/protocol.md#assumptions. Most
// of it can be set: [WithSetting] sets one, and the options beside it those that most tests
// want; their comments name the assumption, its default and its grade: H is the vendor's
// own text or several independent clients, M one production client, L inferred.
// [WithProfile] sets everything that was measured at a store.
package jpaymenttest

// Package jpaymenttest simulates ROBOT PAYMENT's credit-card gateway. The simulated gateway
// is a server that keeps books, answers in the real gateway's formats, and fails on request
// in the ways that cost money.
//
//	gateway := jpaymenttest.NewServer(t)
//	id := gateway.Authorize(jpaymenttest.Authorization{Amount: 1000, Tax: 80, Shipping: 500})
//	// ... let the code under test capture the payment through gateway.URL ...
//	payment, _ := gateway.Payment(id)
//	// payment.State is jpaymenttest.Captured, payment.History says when
//
// The package is written from the connection specification, independently of the client. It
// refuses what the gateway refuses, such as an amount in full-width digits, a sign or a
// space in a number, and a JSON body.
//
// # Requests and replies
//
// The gateway accepts captures (実売上, SALES) and cancellations (取消, CANCEL) at
// /gateway/gateway.aspx, and re-authorisations (再オーソリ) at /gateway/re_auth.aspx, by
// GET or by POST. With rt=1 the reply is one row of comma-separated columns. With rt=0 it is
// OK, or ER: and a code. The HTTP status is 200 even for a refusal.
//
// # Kickbacks
//
// The gateway reports the result of a re-authorisation with rt=0 by kickback: a GET request
// to the store's kickback URL (決済結果通知URL). [Server.SetKickbackURL] sets that URL,
// which must be on this machine. A [Server] sends kickbacks automatically; with [WithClock] a
// test calls [Server.DeliverKickbacks]. If the receiver answers with an empty body, the
// gateway sends the kickback again. [Server.Kickbacks] returns all attempts. [NewKickback]
// builds a single kickback, signed or not, for the test of a handler.
//
// # Faults
//
// [Server.Fail] makes requests fail, either before the gateway has booked anything or, worse,
// afterwards. [Server.Payment] and [Request.Booked] say what the gateway really did, so that a
// test can check what the caller concluded. A fault acts between the client and the
// gateway. If it spoils or withholds an answer, the gateway still sends the kickback and
// does not wait for that answer. Only the [DelayReply] fault makes it wait.
//
// # Other ways to test
//
// [Fake] implements [jpayment.Gateway] for unit tests without HTTP. The command
// jpayment simulate runs the same simulated gateway as a program with a control panel.
//
// # Assumptions
//
// The specification leaves much open. The page
// https://github.com/jpayment-go/jpayment/blob/main/docs/protocol.md#assumptions lists the
// assumptions, how reliable each is, and what happens if it is wrong. Most assumptions have a
// setting: [WithSetting] changes any setting, and the common ones have a separate option.
// [WithProfile] applies the settings that were measured at a store. The doc comments of the
// options give the assumption and its grade: H for the vendor's own text or several
// independent clients, M for one client in production, L for an inference.
package jpaymenttest

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
// The specification leaves much open. What could be chosen has a switch, an
// [Option] whose comment names the assumption, its default and how well it is
// known: grade H is the vendor's own text or several independent clients, M one
// production client, L inferred. These assumptions have no switch; all are L
// except where noted:
//
//   - A request is refused by the first of: maintenance (ER999), source address
//     (ER003), HTTP method (ER107), aid (ER050, ER004), a form that is not
//     key=value pairs, cannot be decoded or repeats a parameter of the protocol
//     (ER001), more than 1,024 bytes of other data (ER001), connection
//     authentication (ER003); then jb, rt, tid, am, tx, sf, em and pn in the order
//     of the specification's tables; then what the books say.
//   - A request whose rt is not exactly one "1" is refused in the short form.
//   - Only the form of a POST is read, not its query, and only where its
//     Content-Type is application/x-www-form-urlencoded; a charset named there is
//     not looked at. Other forms have no parameters, so that aid is what is missing.
//   - A line break or space that is not percent-encoded makes the form unreadable:
//     the specification demands the encoding.
//   - The 1,024 bytes of other data are counted as key=value&key=value before
//     percent-encoding, in the character set of the request.
//   - Parameter names are matched exactly, lower-case. aid, jb, rt, tid, am, tx,
//     sf, em, pn, ut and hak are the protocol's on both pages and never other data;
//     a page ignores those that its table does not list.
//   - am, tx and sf must each be present, in digits, and together between 1 and the
//     greatest int64. A total of 0 or beyond is ER061.
//   - em and pn may be empty. An em is printable ASCII with one @ inside.
//   - A capture is refused with ER032 in any state but [Authorized], a cancellation
//     with ER033 in any state but [Authorized] and [Captured] (H for the codes).
//   - Re-authorising a cancelled payment is ER033, since its cancellation fails;
//     one that is older than last month or has registered products is ER053, since
//     its number cannot be a target. The month is that of the authorisation.
//   - A payment that is captured can be re-authorised. The new payment is
//     [Authorized] whatever the old one was, has a number and an order code of its
//     own and keeps the merchant's order number.
//   - The issuer's refusal is its G code in column 4, with rt=0 ER: and that code; a
//     re-authorisation with rt=0 is answered OK all the same, and its kickback has
//     the code. Issuers do not refuse cancellations.
//   - A store in test mode books as usual. The approval code is TestMod (H).
//   - A refusal's row carries no other data (H, the vendor's sample).
//   - With rt=0, a re-authorisation that is refused before the issuer is asked is
//     answered ER: and its code, and has no kickback (M). Captures and cancellations
//     never have one (the specification).
//   - The kickback of a decline has the gid 0, the rst 2, the G code, amounts of 0 and,
//     as in a refusal's row, nothing else of the payment. The merchant's other data
//     follows all the same: without it nobody could tell which payment it is about.
//   - A kickback's parameters are escaped as other data in a row is. The other data
//     keeps its order, and a name that is the kickback's own is written a second time.
//   - Kickbacks are sent one after the other. One is delivered if its receiver's
//     answer has a body that is not empty (H) and whole, or 64 KiB of it, whatever the
//     status; a redirect is not followed and is judged likewise.
//   - Text that the reply's character set does not have becomes question marks. A
//     comma in the order number is written as it is.
package jpaymenttest

package jpayment

import (
	"context"
	"fmt"
	"log/slog"
)

// SalesRequest is a request to capture (実売上) an authorised payment (仮売上). A capture
// is always for the whole authorised amount.
type SalesRequest struct {
	// PaymentID is the number of the payment to capture (対象決済番号, tid):
	// half-width digits.
	PaymentID string `url:"tid"`
	// Extra is optional free-form data that the gateway keeps with the payment.
	Extra Extra
}

// salesForm holds the parameters of a capture (specification, "決済処理(実売上、取消)仕様").
type salesForm struct {
	StoreID fixed `url:"aid"`
	Job     fixed `url:"jb"`
	Reply   fixed `url:"rt"`
	SalesRequest
}

func (r SalesRequest) outgoing(c *Client, op Operation) (outgoing, faults) {
	var fs faults
	fs.checkOperation(op, OpSales)
	fs.checkPaymentID(r.PaymentID)
	fs.checkExtra(r.Extra, c.charset, maxExtra)
	return outgoing{
		paymentID: r.PaymentID, page: c.gatewayPage,
		form: &salesForm{StoreID: fixed(c.storeID), Job: "SALES", Reply: replyAtOnce, SalesRequest: r},
	}, fs
}

// LogValue returns the request without its private data.
func (r SalesRequest) LogValue() slog.Value {
	return slog.GroupValue(slog.String("payment_id", r.PaymentID), slog.Any("extra", r.Extra))
}

// Format writes the request without its private data, whatever the verb.
func (r SalesRequest) Format(f fmt.State, _ rune) { printPublic(f, "SalesRequest", r.LogValue()) }

// MarshalText returns an error: the request holds private data, and many loggers print
// JSON.
func (r SalesRequest) MarshalText() ([]byte, error) { return nil, errNotMarshalled }

// Sales captures (実売上) an authorised payment. The cardholder is charged.
//
// Capture an authorization within 90 days; issuers may release their hold after 30 to 90
// (docs/protocol.md, "Sales and Cancel"; H). A second capture is refused with
// [CodeCaptureFailed], which proves only that this capture failed and so never counts as
// done.
//
// The gateway has no idempotency key and no status inquiry. If the outcome of the error is
// [OutcomeUnknown], the payment may or may not be captured: look it up in the control
// panel. The errors are [*ValidationError], [*TransportError], [*ReplyError] and
// [*GatewayError].
func (c *Client) Sales(ctx context.Context, req SalesRequest) (*Result, error) {
	return c.do(ctx, OpSales, req)
}

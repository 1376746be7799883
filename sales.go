package jpayment

import (
	"context"
	"fmt"
	"log/slog"
)

// SalesRequest asks for the capture (実売上) of an authorised payment (仮売上).
// The amount is the authorised one and cannot be given.
type SalesRequest struct {
	// PaymentID is the number of the payment to capture (対象決済番号, tid):
	// half-width digits.
	PaymentID string `url:"tid"`
	// Extra is free-form data to keep with the payment, each pair a parameter of its
	// own. Optional.
	Extra Extra
}

// salesForm is a capture as it goes out (specification, "決済処理(実売上、取消)仕様").
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

// Format writes the request without its private data, for every verb.
func (r SalesRequest) Format(f fmt.State, _ rune) { printPublic(f, "SalesRequest", r.LogValue()) }

// MarshalText returns an error: the request holds private data, and JSON is how many
// loggers print.
func (r SalesRequest) MarshalText() ([]byte, error) { return nil, errNotMarshalled }

// Sales captures (実売上) an authorised payment. The cardholder is charged.
//
// Capture an authorization within 90 days; issuers may release their hold after 30 to
// 90 (field notes, H). A second capture is refused with [CodeCaptureFailed], which
// proves only that this capture failed and so never counts as done.
//
// The gateway has no idempotency key and no status inquiry. If the outcome of the
// error is [OutcomeUnknown], the payment may be captured or not: look it up in the
// control panel. The errors are [*ValidationError], [*TransportError],
// [*ReplyError] and [*GatewayError].
func (c *Client) Sales(ctx context.Context, req SalesRequest) (*Result, error) {
	return c.do(ctx, OpSales, req)
}

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
	PaymentID string
	// Extra is free-form data to keep with the payment. Optional.
	Extra Extra
}

// LogValue returns the request without its private data.
func (r SalesRequest) LogValue() slog.Value { return logTarget(r.PaymentID, r.Extra) }

// Format writes the request without its private data, for every verb.
func (r SalesRequest) Format(f fmt.State, _ rune) { printPublic(f, "SalesRequest", r.LogValue()) }

// Sales captures (実売上) an authorised payment. The cardholder is charged.
//
// An authorisation wants capturing within 90 days; issuers may drop their hold
// after 30 to 90 (field notes, H). A payment that was captured before is refused
// with [CodeCaptureFailed], which however says no more than that this capture
// failed, and never counts as done.
//
// The gateway has no idempotency key and no status inquiry. If the outcome of the
// error is [OutcomeUnknown], the payment may be captured or not: look it up in the
// control panel. The errors are [*ValidationError], [*TransportError],
// [*ReplyError] and [*GatewayError].
func (c *Client) Sales(ctx context.Context, req SalesRequest) (*Result, error) {
	return c.onPayment(ctx, OpSales, "SALES", req.PaymentID, req.Extra)
}

// onPayment sends a job for the page gateway.aspx, which names a payment and no amounts
// (specification, "決済処理(実売上、取消)仕様").
func (c *Client) onPayment(ctx context.Context, op Operation, job, paymentID string, extra Extra) (*Result, error) {
	var fs faults
	fs.checkPaymentID(paymentID)
	fs.checkExtra(extra, c.charset, maxExtra)
	if err := fs.err(op, paymentID); err != nil {
		return nil, err
	}
	f := form{"aid", c.storeID, "jb", job, "rt", replyAtOnce, "tid", paymentID}
	return c.do(ctx, exchange{op: op, paymentID: paymentID, page: c.gatewayPage, form: f.with(extra)})
}

// logTarget is what a request on a payment shows of itself.
func logTarget(paymentID string, extra Extra, more ...slog.Attr) slog.Value {
	attrs := append([]slog.Attr{slog.String("payment_id", paymentID)}, more...)
	return slog.GroupValue(append(attrs, slog.Any("extra", extra))...)
}

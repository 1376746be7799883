package jpayment

import (
	"context"
	"fmt"
	"log/slog"
)

// CancelRequest asks for the cancellation (取消) of a payment, always of its whole
// amount.
type CancelRequest struct {
	// PaymentID is the number of the payment to cancel (対象決済番号, tid):
	// half-width digits.
	PaymentID string
	// Extra is free-form data to keep with the payment. Optional.
	Extra Extra
}

// LogValue returns the request without its private data.
func (r CancelRequest) LogValue() slog.Value { return logTarget(r.PaymentID, r.Extra) }

// Format writes the request without its private data, for every verb.
func (r CancelRequest) Format(f fmt.State, _ rune) { printPublic(f, "CancelRequest", r.LogValue()) }

// Cancel cancels (取消) a payment, whether it is authorised or captured.
//
// Cancelling a captured payment may bill the cardholder first: the card company
// refunds later, and only it can tell the cardholder when (specification,
// "取消処理の注意点"). Tell your customer so.
//
// If the outcome of the error is [OutcomeUnknown], the payment may be cancelled or
// not: look it up in the control panel. [CodeCancelFailed] never counts as done,
// although a payment already cancelled is answered with it. The errors are those
// of [Client.Sales].
func (c *Client) Cancel(ctx context.Context, req CancelRequest) (*Result, error) {
	return c.onPayment(ctx, OpCancel, "CANCEL", req.PaymentID, req.Extra)
}

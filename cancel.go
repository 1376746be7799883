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
	PaymentID string `url:"tid"`
	// Extra is free-form data to keep with the payment, each pair a parameter of its
	// own. Optional.
	Extra Extra
}

// cancelForm is a cancellation as it goes out (specification,
// "決済処理(実売上、取消)仕様").
type cancelForm struct {
	StoreID fixed `url:"aid"`
	Job     fixed `url:"jb"`
	Reply   fixed `url:"rt"`
	CancelRequest
}

func (r CancelRequest) outgoing(c *Client, op Operation) (outgoing, faults) {
	var fs faults
	fs.checkOperation(op, OpCancel)
	fs.checkPaymentID(r.PaymentID)
	fs.checkExtra(r.Extra, c.charset, maxExtra)
	return outgoing{
		paymentID: r.PaymentID, page: c.gatewayPage,
		form: &cancelForm{StoreID: fixed(c.storeID), Job: "CANCEL", Reply: replyAtOnce, CancelRequest: r},
	}, fs
}

// LogValue returns the request without its private data.
func (r CancelRequest) LogValue() slog.Value {
	return slog.GroupValue(slog.String("payment_id", r.PaymentID), slog.Any("extra", r.Extra))
}

// Format writes the request without its private data, for every verb.
func (r CancelRequest) Format(f fmt.State, _ rune) { printPublic(f, "CancelRequest", r.LogValue()) }

// MarshalText returns an error: the request holds private data, and JSON is how many
// loggers print.
func (r CancelRequest) MarshalText() ([]byte, error) { return nil, errNotMarshalled }

// Cancel voids (取消) a payment, whether it is authorised or captured.
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
	return c.do(ctx, OpCancel, req)
}

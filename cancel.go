package jpayment

import (
	"context"
	"fmt"
	"log/slog"
)

// CancelRequest is a request to cancel (取消) a payment, always in full.
type CancelRequest struct {
	// PaymentID is the number of the payment to cancel (対象決済番号, tid):
	// half-width digits.
	PaymentID string `url:"tid"`
	// Extra is optional free-form data that the gateway keeps with the payment.
	Extra Extra
}

// cancelForm holds the parameters of a cancellation (specification,
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

// Format writes the request without its private data, whatever the verb.
func (r CancelRequest) Format(f fmt.State, _ rune) { printPublic(f, "CancelRequest", r.LogValue()) }

// MarshalText returns an error: the request holds private data, and many loggers print
// JSON.
func (r CancelRequest) MarshalText() ([]byte, error) { return nil, errNotMarshalled }

// Cancel voids (取消) a payment, whether it is authorised or captured.
//
// If you cancel a captured payment, the cardholder may be charged first and refunded
// later. Only the card company can tell the cardholder when (specification,
// "取消処理の注意点"). Tell your customer.
//
// If the outcome of the error is [OutcomeUnknown], the payment may or may not be cancelled:
// look it up in the control panel. The gateway also answers [CodeCancelFailed] for a
// payment that is already cancelled, but this package never counts it as done. The errors
// are those of [Client.Sales].
func (c *Client) Cancel(ctx context.Context, req CancelRequest) (*Result, error) {
	return c.do(ctx, OpCancel, req)
}

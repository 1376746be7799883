package jpayment

import (
	"context"
	"fmt"
	"log/slog"

	"github.com/jpayment-go/jpayment/internal/token"
	"github.com/jpayment-go/jpayment/internal/wallclock"
)

// ReAuthRequest is a request to re-authorise (再オーソリ) a payment: the gateway cancels
// the payment and authorises a new one for the amounts in the request. Amounts are in yen
// and must not be negative; their total must be positive.
type ReAuthRequest struct {
	// PaymentID is the number of the payment to replace (対象決済番号, tid):
	// half-width digits.
	PaymentID string `url:"tid"`
	// Amount is the new price in yen (決済金額, am), without tax and shipping.
	Amount int64 `url:"am"`
	// Tax is the new tax in yen (税額, tx).
	Tax int64 `url:"tx"`
	// Shipping is the new shipping cost in yen (送料, sf).
	Shipping int64 `url:"sf"`
	// Email is the cardholder's e-mail address (em), at most 254 bytes. Optional.
	Email Secret `url:"em,omitempty"`
	// Phone is the cardholder's telephone number (pn), at most 15 digits without
	// hyphens. Optional.
	Phone Secret `url:"pn,omitempty"`
	// Extra is optional free-form data that the gateway keeps with the new payment.
	Extra Extra
}

// reAuthForm holds the parameters of a re-authorisation (specification,
// "決済処理(再オーソリ)仕様").
type reAuthForm struct {
	StoreID fixed `url:"aid"`
	Reply   fixed `url:"rt"`
	ReAuthRequest
	Signature fixed `url:"jpk,omitempty"` // token.Param
}

func (r ReAuthRequest) outgoing(c *Client, op Operation) (outgoing, faults) {
	var fs faults
	form := &reAuthForm{StoreID: fixed(c.storeID), Reply: replyAtOnce, ReAuthRequest: r}
	room := maxExtra
	if op == OpReAuthByKickback {
		form.Reply = replyByKickback
	} else {
		fs.checkOperation(op, OpReAuth)
	}
	if key := c.kickbackKey.Reveal(); key != "" && op == OpReAuthByKickback {
		room -= len(token.Param+"=&") + token.MaxLen(len(r.PaymentID))
		form.Signature = fixed(token.Sign([]byte(key), token.Claims{
			StoreID: c.storeID, PaymentID: r.PaymentID,
			Amount: r.Amount, Tax: r.Tax, Shipping: r.Shipping,
			At: wallclock.Now(),
		}))
	}
	fs.checkPaymentID(r.PaymentID)
	fs.checkAmounts(r.Amount, r.Tax, r.Shipping)
	fs.checkEmail(r.Email)
	fs.checkPhone(r.Phone)
	fs.checkExtra(r.Extra, c.charset, room)
	return outgoing{
		paymentID: r.PaymentID, page: c.reAuthPage, form: form,
		amount: r.Amount, tax: r.Tax, shipping: r.Shipping,
	}, fs
}

// LogValue returns the request without its private data.
func (r ReAuthRequest) LogValue() slog.Value {
	return slog.GroupValue(
		slog.String("payment_id", r.PaymentID),
		slog.Int64("amount", r.Amount), slog.Int64("tax", r.Tax), slog.Int64("shipping", r.Shipping),
		slog.Any("extra", r.Extra),
	)
}

// Format writes the request without its private data, whatever the verb.
func (r ReAuthRequest) Format(f fmt.State, _ rune) { printPublic(f, "ReAuthRequest", r.LogValue()) }

// MarshalText returns an error: the request holds private data, and many loggers print
// JSON.
func (r ReAuthRequest) MarshalText() ([]byte, error) { return nil, errNotMarshalled }

// ReAuth cancels a payment and authorises a new one for different amounts. The result's
// PaymentID is the new payment's; capture that one.
//
// The gateway asks the issuer again, which may decline although it approved the original.
// Only payments of this or the last calendar month can be re-authorised, and none that was
// made with a registered product (商品登録あり) (specification, "再オーソリ処理の注意点").
//
// The client never sends a ReAuth twice. It is not documented whether the original
// survives a declined re-authorisation, so the outcome of a decline is [OutcomeUnknown]:
// see [Code.Outcome]. A reply with amounts other than the requested ones is a
// [*ReplyError]. If the reply is lost, so is the new payment's number: find it in the
// control panel, or use [Client.ReAuthByKickback]. The errors are those of [Client.Sales].
func (c *Client) ReAuth(ctx context.Context, req ReAuthRequest) (*Result, error) {
	return c.do(ctx, OpReAuth, req)
}

// ReAuthByKickback requests a re-authorisation whose result the gateway sends by kickback,
// within 30 seconds, to the 決済結果通知URL that is set in the control panel
// (docs/protocol.md, "Other shapes"; H); see [KickbackHandler]. A nil error means that the
// gateway accepted the request, and says nothing about the payment. The limits of
// [Client.ReAuth] apply here too. With [WithKickbackKey] the request carries a signature
// that identifies its kickback.
func (c *Client) ReAuthByKickback(ctx context.Context, req ReAuthRequest) error {
	_, err := c.do(ctx, OpReAuthByKickback, req)
	return err
}

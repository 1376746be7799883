package jpayment

import (
	"context"
	"fmt"
	"log/slog"
	"strconv"
	"time"

	"github.com/jpayment-go/jpayment/internal/token"
)

// ReAuthRequest asks for the re-authorisation (再オーソリ) of a payment: the payment
// is cancelled and a new one is authorised at the amounts given here. Amounts are
// yen and must not be negative; their total must be positive.
type ReAuthRequest struct {
	// PaymentID is the number of the payment to replace (対象決済番号, tid):
	// half-width digits.
	PaymentID string
	// Amount is the new price in yen (決済金額, am), without tax and shipping.
	Amount int64
	// Tax is the new tax in yen (税額, tx).
	Tax int64
	// Shipping is the new shipping cost in yen (送料, sf).
	Shipping int64
	// Email is the cardholder's e-mail address (em), at most 254 bytes. Optional.
	Email string
	// Phone is the cardholder's telephone number (pn), at most 15 digits without
	// hyphens. Optional.
	Phone string
	// Extra is free-form data to keep with the new payment. Optional.
	Extra Extra
}

// LogValue returns the request without its private data.
func (r ReAuthRequest) LogValue() slog.Value {
	return logTarget(r.PaymentID, r.Extra, slog.Int64("amount", r.Amount), slog.Int64("tax", r.Tax), slog.Int64("shipping", r.Shipping))
}

// Format writes the request without its private data, for every verb.
func (r ReAuthRequest) Format(f fmt.State, _ rune) { printPublic(f, "ReAuthRequest", r.LogValue()) }

// MarshalJSON returns an error: the request holds private data, and JSON is how
// many loggers print.
func (r ReAuthRequest) MarshalJSON() ([]byte, error) { return nil, errNotMarshalled }

// ReAuth cancels a payment and authorises a new one at other amounts. The result's
// PaymentID is the new payment's; capture that one.
//
// The issuer is asked again, so a re-authorisation may be declined although the
// original succeeded. It covers only payments of this or the last calendar month,
// and none that were made with a registered product (商品登録あり) (specification,
// "再オーソリ処理の注意点").
//
// It is never sent twice. Whether the original survives a declined
// re-authorisation is not documented, so the outcome of a decline is
// [OutcomeUnknown]: see [GatewayError.Outcome]. A reply about other amounts than
// those asked for is a [*ReplyError]. A lost reply loses the new payment's number:
// find it in the control panel, or use [Client.ReAuthByKickback]. The errors are
// those of [Client.Sales].
func (c *Client) ReAuth(ctx context.Context, req ReAuthRequest) (*Result, error) {
	ex, err := c.reAuth(OpReAuth, req, replyAtOnce)
	if err != nil {
		return nil, err
	}
	return c.do(ctx, ex)
}

// ReAuthByKickback asks for a re-authorisation whose result comes by a kickback, to
// the 決済結果通知URL that is set in the control panel, within 30 seconds (field
// notes, H); see [KickbackHandler]. A nil error says that the gateway took the
// request, and nothing of the payment. What is said of [Client.ReAuth] holds here as
// well. With [WithKickbackKey] the request carries a signature by which its notice is
// known.
func (c *Client) ReAuthByKickback(ctx context.Context, req ReAuthRequest) error {
	ex, err := c.reAuth(OpReAuthByKickback, req, replyByKickback)
	if err != nil {
		return err
	}
	_, err = c.do(ctx, ex)
	return err
}

// reAuth makes the request (specification, "決済処理(再オーソリ)仕様").
func (c *Client) reAuth(op Operation, req ReAuthRequest, reply string) (exchange, error) {
	key := c.kickbackKey.Reveal()
	sign := key != "" && reply == replyByKickback
	room := maxExtra
	if sign {
		room -= len(token.Param+"=&") + token.MaxLen(len(req.PaymentID))
	}
	var fs faults
	fs.checkPaymentID(req.PaymentID)
	fs.checkAmounts(req.Amount, req.Tax, req.Shipping)
	fs.checkEmail(req.Email)
	fs.checkPhone(req.Phone)
	fs.checkExtra(req.Extra, c.charset, room)
	if err := fs.err(op, req.PaymentID); err != nil {
		return exchange{}, err
	}
	f := form{
		"aid", c.storeID, "rt", reply, "tid", req.PaymentID,
		"am", strconv.FormatInt(req.Amount, 10), "tx", strconv.FormatInt(req.Tax, 10), "sf", strconv.FormatInt(req.Shipping, 10),
	}
	if req.Email != "" {
		f = append(f, "em", req.Email)
	}
	if req.Phone != "" {
		f = append(f, "pn", req.Phone)
	}
	if sign {
		f = append(f, token.Param, token.Sign([]byte(key), token.Claims{
			StoreID: c.storeID, PaymentID: req.PaymentID,
			Amount: req.Amount, Tax: req.Tax, Shipping: req.Shipping,
			At: time.Now(),
		}))
	}
	return exchange{
		op: op, paymentID: req.PaymentID, page: c.reAuthPage, form: f.with(req.Extra),
		amount: req.Amount, tax: req.Tax, shipping: req.Shipping,
	}, nil
}

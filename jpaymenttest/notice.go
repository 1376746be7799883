package jpaymenttest

import (
	"context"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"time"

	"github.com/jpayment-go/jpayment"
	"github.com/jpayment-go/jpayment/internal/token"
	"github.com/jpayment-go/jpayment/internal/wire"
)

// Notice is what a test notification says. Fields that are empty are there with
// nothing in them, as the gateway has it; amounts are yen.
type Notice struct {
	PaymentID    string          // gid, of the new payment
	Status       jpayment.Status // rst; if 0, a failure where Code is set and else a success
	ApprovalCode string          // ap
	Code         jpayment.Code   // ec
	OrderCode    string          // god
	OrderNumber  string          // cod
	Amount       int64           // am
	Tax          int64           // tx
	Shipping     int64           // sf; ta is their sum
	ACID         string          // acid; if empty, not there
	Extra        jpayment.Extra
	ShiftJIS     bool // escapes hold Shift_JIS in place of UTF-8

	// Key signs the notice as a client with [jpayment.WithKickbackKey] would have
	// signed the request; without it the notice is not signed.
	Key []byte
	// Request is what is signed. Where they are zero, its StoreID is 123456, its
	// amounts are the notice's and its time is now.
	Request jpayment.KickbackRequest
}

// NewKickback returns a notification to the target, a path or URL, as the gateway sends
// it, for a handler under test. Its RawQuery can be sent by other means, too. It panics
// if text is not to be had in Shift_JIS.
func NewKickback(target string, n Notice) *http.Request {
	if n.Status == 0 {
		n.Status = jpayment.StatusSucceeded
		if n.Code != "" {
			n.Status = jpayment.StatusFailed
		}
	}
	pairs := []Param{
		{"gid", n.PaymentID},
		{"rst", strconv.Itoa(int(n.Status))},
		{"ap", n.ApprovalCode},
		{"ec", string(n.Code)},
		{"god", n.OrderCode},
		{"cod", n.OrderNumber},
		{"am", yen(n.Amount)},
		{"tx", yen(n.Tax)},
		{"sf", yen(n.Shipping)},
		{"ta", yen(n.Amount + n.Tax + n.Shipping)},
	}
	for _, key := range slices.Sorted(maps.Keys(n.Extra)) {
		pairs = append(pairs, Param{key, n.Extra[key]})
	}
	if n.Key != nil {
		pairs = append(pairs, Param{token.Param, token.Sign(n.Key, n.claims())})
	}
	if n.ACID != "" {
		pairs = append(pairs, Param{"acid", n.ACID})
	}
	charset := wire.UTF8
	if n.ShiftJIS {
		charset = wire.ShiftJIS
		for _, p := range pairs {
			if _, err := charset.Encode(p.Value); err != nil {
				panic("jpaymenttest: NewKickback: " + p.Key + " " + err.Error())
			}
		}
	}
	r := httptest.NewRequestWithContext(context.Background(), http.MethodGet, target, nil)
	r.URL.RawQuery = noticeQuery(pairs, charset)
	return r
}

func (n Notice) claims() token.Claims {
	c := token.Claims(n.Request)
	if c.StoreID == "" {
		c.StoreID = defaults().storeID
	}
	if c.Amount == 0 && c.Tax == 0 && c.Shipping == 0 {
		c.Amount, c.Tax, c.Shipping = n.Amount, n.Tax, n.Shipping
	}
	if c.At.IsZero() {
		c.At = time.Now()
	}
	return c
}

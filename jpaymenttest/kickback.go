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
	"github.com/jpayment-go/jpayment/internal/sim"
	"github.com/jpayment-go/jpayment/internal/token"
	"github.com/jpayment-go/jpayment/internal/wire"
)

// KickbackParams holds the parameters of a kickback for a test. An empty one is sent with an
// empty value, as the gateway does. Amounts are in yen.
type KickbackParams struct {
	PaymentID    string          // gid, of the new payment
	Status       jpayment.Status // rst; if 0, a failure if Code is set, otherwise a success
	ApprovalCode string          // ap
	Code         jpayment.Code   // ec
	OrderCode    string          // god
	OrderNumber  string          // cod
	Amount       int64           // am
	Tax          int64           // tx
	Shipping     int64           // sf; ta is their sum
	ACID         string          // acid; if empty, it is not sent
	Extra        jpayment.Extra
	ShiftJIS     bool // encode values in Shift_JIS instead of UTF-8

	// Key signs the kickback as a client with [jpayment.WithKickbackKey] signs the request.
	// If it is nil, the kickback is not signed.
	Key []byte
	// Request is the signed request. By default its StoreID is 123456, its amounts are those
	// of the kickback, and its time is now.
	Request jpayment.KickbackRequest
}

// NewKickback returns a kickback to the target, a path or URL, for a handler under test. A
// test may also send its RawQuery by other means. NewKickback panics if a value cannot be
// encoded in Shift_JIS although ShiftJIS is set.
func NewKickback(target string, p KickbackParams) *http.Request {
	if p.Status == 0 {
		p.Status = jpayment.StatusSucceeded
		if p.Code != "" {
			p.Status = jpayment.StatusFailed
		}
	}
	var pairs []sim.Param
	add := func(key, value string) { pairs = append(pairs, sim.Param{Key: key, Value: value}) }
	add("gid", p.PaymentID)
	add("rst", strconv.Itoa(int(p.Status)))
	add("ap", p.ApprovalCode)
	add("ec", string(p.Code))
	add("god", p.OrderCode)
	add("cod", p.OrderNumber)
	add("am", yen(p.Amount))
	add("tx", yen(p.Tax))
	add("sf", yen(p.Shipping))
	add("ta", yen(p.Amount+p.Tax+p.Shipping))
	extra := p.Extra.Reveal()
	for _, key := range slices.Sorted(maps.Keys(extra)) {
		add(key, extra[key])
	}
	if p.Key != nil {
		add(token.Param, token.Sign(p.Key, p.claims()))
	}
	if p.ACID != "" {
		add("acid", p.ACID)
	}
	charset := wire.UTF8
	if p.ShiftJIS {
		charset = wire.ShiftJIS
		for _, pair := range pairs {
			if _, why := charset.Encode(pair.Value); why != nil {
				panic("jpaymenttest: NewKickback: " + pair.Key + " " + why.En)
			}
		}
	}
	r := httptest.NewRequestWithContext(context.Background(), http.MethodGet, target, nil)
	r.URL.RawQuery = sim.Query(pairs, charset)
	return r
}

func (p KickbackParams) claims() token.Claims {
	c := token.Claims(p.Request)
	if c.StoreID == "" {
		c.StoreID = sim.Defaults().StoreID
	}
	if c.Amount == 0 && c.Tax == 0 && c.Shipping == 0 {
		c.Amount, c.Tax, c.Shipping = p.Amount, p.Tax, p.Shipping
	}
	if c.At.IsZero() {
		c.At = time.Now()
	}
	return c
}

func yen(n int64) string { return strconv.FormatInt(n, 10) }

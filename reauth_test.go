package jpayment_test

import (
	"context"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/jpayment-go/jpayment"
)

func TestReAuthSends(t *testing.T) {
	t.Parallel()
	plain := jpayment.ReAuthRequest{PaymentID: "10000001", Amount: 900, Tax: 72, Shipping: 500}
	full := plain
	full.Email, full.Phone = jpayment.NewSecret("a.b+c@example.jp"), jpayment.NewSecret("0312345678")
	full.Extra = jpayment.NewExtra(map[string]string{"note": "a b\r\nc&d=e+f%"})
	requests := map[string]jpayment.ReAuthRequest{
		"plain": plain, "everything": full, "by kickback": plain,
		"zero tax and shipping": {PaymentID: "10000001", Amount: 1},
	}
	requireSent(t, "/gateway/re_auth.aspx", map[string]sending{
		"plain": {
			call: reAuthorise(requests["plain"]), reply: reAuthOK,
			body: "aid=123456&am=900&rt=1&sf=500&tid=10000001&tx=72",
		},
		"zero tax and shipping": {
			call: reAuthorise(requests["zero tax and shipping"]), reply: "10000002,1,A00002,,,,1,0,0,1,,,",
			body: "aid=123456&am=1&rt=1&sf=0&tid=10000001&tx=0",
		},
		"everything": {
			call: reAuthorise(full), reply: reAuthOK,
			body: "aid=123456&am=900&em=a.b%2Bc%40example.jp&note=a%20b%0D%0Ac%26d%3De%2Bf%25&pn=0312345678&rt=1&sf=500&tid=10000001&tx=72",
		},
		"by kickback": {
			call: func(ctx context.Context, c *jpayment.Client) error { return c.ReAuthByKickback(ctx, plain) }, reply: "OK",
			body: "aid=123456&am=900&rt=0&sf=500&tid=10000001&tx=72",
		},
	}, func(ctx context.Context, c *jpayment.Client, name string) (*http.Request, error) {
		op := jpayment.OpReAuth
		if name == "by kickback" {
			op = jpayment.OpReAuthByKickback
		}
		return c.Preview(ctx, op, requests[name])
	})
}

func TestReAuthResult(t *testing.T) {
	t.Parallel()
	renewed, err := newStub(t, reply(reAuthOK)).client(t).ReAuth(t.Context(), jpayment.ReAuthRequest{PaymentID: "10000001", Amount: 900, Tax: 72, Shipping: 500})
	require.NoError(t, err)
	require.Equal(t, "10000002", renewed.PaymentID)
	require.Equal(t, jpayment.Yen(1472), renewed.Total)
}

func TestReAuthComparesAmounts(t *testing.T) {
	t.Parallel()
	req := jpayment.ReAuthRequest{PaymentID: "10000001", Amount: 900, Tax: 72, Shipping: 500}
	for column, amounts := range map[string]string{"am": "901,72,499,1472", "tx": "900,73,499,1472", "sf": "900,72,,972"} {
		gw := newStub(t, reply("10000002,1,A00002,,2,o-1,"+amounts+",,,"))
		_, err := gw.client(t).ReAuth(t.Context(), req)
		var re *jpayment.ReplyError
		require.ErrorAs(t, err, &re)
		require.Equal(t, column, re.Column)
		require.Equal(t, "is not the requested amount", re.Reason.En)
		require.Equal(t, "10000002", re.Result.PaymentID, "the new payment's number is not lost")
	}
}

func TestReAuthByKickbackTakesOnlyOK(t *testing.T) {
	t.Parallel()
	req := jpayment.ReAuthRequest{PaymentID: "10000001", Amount: 900}
	gw := newStub(t, reply(reAuthOK), reply("ER:ER061"))
	c := gw.client(t)
	err := c.ReAuthByKickback(t.Context(), req)
	var re *jpayment.ReplyError
	require.ErrorAs(t, err, &re)
	require.Equal(t, "10000002", re.Result.PaymentID)
	err = c.ReAuthByKickback(t.Context(), req)
	require.ErrorIs(t, err, jpayment.Code("ER061"))
	require.Equal(t, jpayment.OutcomeRefused, jpayment.OutcomeOf(err))
}

func reAuthorise(req jpayment.ReAuthRequest) func(context.Context, *jpayment.Client) error {
	return func(ctx context.Context, c *jpayment.Client) error {
		_, err := c.ReAuth(ctx, req)
		return err
	}
}

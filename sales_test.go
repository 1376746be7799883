package jpayment_test

import (
	"context"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/jpayment-go/jpayment"
)

func TestSalesSends(t *testing.T) {
	t.Parallel()
	requests := map[string]jpayment.SalesRequest{
		"plain":     {PaymentID: "10000001"},
		"with data": {PaymentID: "10000001", Extra: jpayment.NewExtra(map[string]string{"b": "", "a": "1 2"})},
		"UTF-8":     {PaymentID: "10000001", Extra: jpayment.NewExtra(map[string]string{"備考": "表示"})},
		"Shift_JIS": {PaymentID: "10000001", Extra: jpayment.NewExtra(map[string]string{"備考": "表示"})},
	}
	requireSent(t, "/gateway/gateway.aspx", map[string]sending{
		"plain": {
			call: sales(requests["plain"]), reply: salesOK,
			body: "aid=123456&jb=SALES&rt=1&tid=10000001",
		},
		"with data": {
			call: sales(requests["with data"]), reply: salesOK,
			body: "a=1%202&aid=123456&b=&jb=SALES&rt=1&tid=10000001",
		},
		"UTF-8": {
			call: sales(requests["UTF-8"]), reply: salesOK,
			body: "aid=123456&jb=SALES&rt=1&tid=10000001&%E5%82%99%E8%80%83=%E8%A1%A8%E7%A4%BA",
		},
		"Shift_JIS": {
			call: sales(requests["Shift_JIS"]), opts: []jpayment.Option{jpayment.WithCharset(jpayment.ShiftJIS)}, reply: salesOK,
			body: "aid=123456&jb=SALES&rt=1&tid=10000001&%94%F5%8Dl=%95%5C%8E%A6",
		},
	}, func(ctx context.Context, c *jpayment.Client, name string) (*http.Request, error) {
		return c.Preview(ctx, jpayment.OpSales, requests[name])
	})
}

func TestSalesResult(t *testing.T) {
	t.Parallel()
	captured, err := newStub(t, reply(salesOK)).client(t).Sales(t.Context(), jpayment.SalesRequest{PaymentID: "10000001"})
	require.NoError(t, err)
	require.Equal(t, &jpayment.Result{
		PaymentID: "10000001", Status: jpayment.StatusSucceeded, ApprovalCode: jpayment.NewSecret("A00001"), OrderCode: "20000001", OrderNumber: "o-1",
		Amount: jpayment.Yen(1000), Tax: jpayment.Yen(80), Shipping: jpayment.Yen(500), Total: jpayment.Yen(1580),
		Attempts: 1,
	}, captured)
}

// A success reports the number of attempts.
func TestSalesAttempts(t *testing.T) {
	t.Parallel()
	gw := newStub(t, reply(refusal("ER010")), reply(salesOK))
	res, err := gw.client(t).Sales(t.Context(), jpayment.SalesRequest{PaymentID: "10000001"})
	require.NoError(t, err)
	require.Equal(t, 2, res.Attempts)
}

func TestReplyAboutAnotherPayment(t *testing.T) {
	t.Parallel()
	gw := newStub(t, reply(salesOK))
	for name, call := range map[string]func(context.Context, *jpayment.Client) error{
		"Sales":  sales(jpayment.SalesRequest{PaymentID: "10000009"}),
		"Cancel": cancelling(jpayment.CancelRequest{PaymentID: "10000009"}),
	} {
		err := call(t.Context(), gw.client(t))
		require.ErrorContains(t, err, "outcome unknown: the reply does not count as an answer: gid is not the requested payment; if this is so in every reply, use WithUnmatchedPaymentID", name)
		var re *jpayment.ReplyError
		require.ErrorAs(t, err, &re)
		require.Equal(t, "10000001", re.Result.PaymentID)
		require.NoError(t, call(t.Context(), gw.client(t, jpayment.WithUnmatchedPaymentID())), name)
	}
}

func TestProductionOnly(t *testing.T) {
	t.Parallel()
	gw := newStub(t, reply("10000001,1,TestMod,,2,,1000,80,500,1580,,,"))
	req := jpayment.SalesRequest{PaymentID: "10000001"}
	res, err := gw.client(t).Sales(t.Context(), req)
	require.NoError(t, err)
	require.True(t, res.TestMode())

	retry := jpayment.WithRetry(jpayment.RetryPolicy{ReplayUnknown: true})
	_, err = gw.client(t, jpayment.WithProductionOnly(), retry).Sales(t.Context(), req)
	require.ErrorIs(t, err, jpayment.ErrTestMode)
	require.Equal(t, jpayment.OutcomeUnknown, jpayment.OutcomeOf(err))
	require.Len(t, gw.got(), 2, "a test's approval is not repeated")
}

func sales(req jpayment.SalesRequest) func(context.Context, *jpayment.Client) error {
	return func(ctx context.Context, c *jpayment.Client) error {
		_, err := c.Sales(ctx, req)
		return err
	}
}

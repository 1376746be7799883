package jpayment_test

import (
	"context"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/jpayment-go/jpayment"
)

func TestCancelSends(t *testing.T) {
	t.Parallel()
	req := jpayment.CancelRequest{PaymentID: "10000001", Extra: jpayment.NewExtra(map[string]string{"why": "returned"})}
	requireSent(t, "/gateway/gateway.aspx", map[string]sending{
		"with data": {
			call: cancelling(req), reply: salesOK,
			body: "aid=123456&jb=CANCEL&rt=1&tid=10000001&why=returned",
		},
	}, func(ctx context.Context, c *jpayment.Client, _ string) (*http.Request, error) {
		return c.Preview(ctx, jpayment.OpCancel, req)
	})
}

func TestCancelResult(t *testing.T) {
	t.Parallel()
	cancelled, err := newStub(t, reply(salesOK)).client(t).Cancel(t.Context(), jpayment.CancelRequest{PaymentID: "10000001"})
	require.NoError(t, err)
	require.Equal(t, "10000001", cancelled.PaymentID)
	require.Equal(t, jpayment.Yen(1580), cancelled.Total)
}

func cancelling(req jpayment.CancelRequest) func(context.Context, *jpayment.Client) error {
	return func(ctx context.Context, c *jpayment.Client) error {
		_, err := c.Cancel(ctx, req)
		return err
	}
}

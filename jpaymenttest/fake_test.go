package jpaymenttest_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/jpayment-go/jpayment"
	"github.com/jpayment-go/jpayment/jpaymenttest"
)

func TestFake(t *testing.T) {
	t.Parallel()
	busy := errors.New("busy")
	ok := &jpayment.Result{PaymentID: "1"}
	sales, cancel := jpayment.SalesRequest{PaymentID: "1"}, jpayment.CancelRequest{PaymentID: "2"}
	reAuth := jpayment.ReAuthRequest{PaymentID: "3", Amount: 4}
	fake := &jpaymenttest.Fake{
		SalesFunc: func(_ context.Context, req jpayment.SalesRequest) (*jpayment.Result, error) {
			require.Equal(t, sales, req)
			return ok, nil
		},
		CancelFunc:           func(context.Context, jpayment.CancelRequest) (*jpayment.Result, error) { return nil, busy },
		ReAuthFunc:           func(context.Context, jpayment.ReAuthRequest) (*jpayment.Result, error) { return ok, nil },
		ReAuthByKickbackFunc: func(context.Context, jpayment.ReAuthRequest) error { return busy },
	}
	res, err := fake.Sales(t.Context(), sales)
	require.NoError(t, err)
	require.Same(t, ok, res)
	_, err = fake.Cancel(t.Context(), cancel)
	require.ErrorIs(t, err, busy)
	_, err = fake.ReAuth(t.Context(), reAuth)
	require.NoError(t, err)
	require.ErrorIs(t, fake.ReAuthByKickback(t.Context(), reAuth), busy)
	require.Equal(t, []jpaymenttest.FakeCall{
		{Operation: jpayment.OpSales, PaymentID: "1", Request: sales},
		{Operation: jpayment.OpCancel, PaymentID: "2", Request: cancel},
		{Operation: jpayment.OpReAuth, PaymentID: "3", Request: reAuth},
		{Operation: jpayment.OpReAuthByKickback, PaymentID: "3", Request: reAuth},
	}, fake.Calls())
}

func TestFakeThatWasNotTold(t *testing.T) {
	t.Parallel()
	fake := &jpaymenttest.Fake{}
	_, err := fake.Sales(t.Context(), jpayment.SalesRequest{})
	require.EqualError(t, err, "jpaymenttest: Fake.SalesFunc is not set")
	require.Equal(t, jpayment.OutcomeUnknown, jpayment.OutcomeOf(err))
	require.EqualError(t, fake.ReAuthByKickback(t.Context(), jpayment.ReAuthRequest{}), "jpaymenttest: Fake.ReAuthByKickbackFunc is not set")
}

// ship is order code that depends only on the interface.
func ship(ctx context.Context, gw jpayment.Gateway, paymentID string) string {
	_, err := gw.Sales(ctx, jpayment.SalesRequest{PaymentID: paymentID})
	switch jpayment.OutcomeOf(err) {
	case jpayment.OutcomeDone:
		return "ship it"
	case jpayment.OutcomeUnknown:
		return "ask a person"
	default:
		return "keep it"
	}
}

func ExampleFake() {
	fake := &jpaymenttest.Fake{
		SalesFunc: func(_ context.Context, req jpayment.SalesRequest) (*jpayment.Result, error) {
			if req.PaymentID == "10000001" {
				return &jpayment.Result{PaymentID: req.PaymentID, Status: jpayment.StatusSucceeded}, nil
			}
			return nil, &jpayment.GatewayError{Call: jpayment.Call{Operation: jpayment.OpSales}, Code: "G1242G120000"}
		},
	}
	fmt.Println(ship(context.Background(), fake, "10000001"))
	fmt.Println(ship(context.Background(), fake, "10000002"))
	captured := func(c jpaymenttest.FakeCall) bool {
		return c.Operation == jpayment.OpSales && c.PaymentID == "10000001"
	}
	fmt.Println(len(fake.Calls()), "calls, the first payment's among them:", slices.ContainsFunc(fake.Calls(), captured))
	// Output:
	// ship it
	// keep it
	// 2 calls, the first payment's among them: true
}

// A call that a test did not expect has an unknown outcome, so the test fails.
func ExampleFake_Calls() {
	fake := &jpaymenttest.Fake{}
	ctx := context.Background()
	_, sales := fake.Sales(ctx, jpayment.SalesRequest{PaymentID: "10000001"})
	_, cancel := fake.Cancel(ctx, jpayment.CancelRequest{PaymentID: "10000001"})
	_, reAuth := fake.ReAuth(ctx, jpayment.ReAuthRequest{PaymentID: "10000002", Amount: 900})
	byKickback := fake.ReAuthByKickback(ctx, jpayment.ReAuthRequest{PaymentID: "10000002", Amount: 900})
	for i, err := range []error{sales, cancel, reAuth, byKickback} {
		call := fake.Calls()[i]
		fmt.Println(call.Operation, call.PaymentID, jpayment.OutcomeOf(err))
	}
	// Output:
	// Sales 10000001 unknown
	// Cancel 10000001 unknown
	// ReAuth 10000002 unknown
	// ReAuthByKickback 10000002 unknown
}

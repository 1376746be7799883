package jpaymenttest

import (
	"context"
	"fmt"
	"slices"
	"sync"

	"github.com/jpayment-go/jpayment"
)

// Fake is a [jpayment.Gateway] for unit tests without HTTP. Each operation calls its
// function. If the function is not set, the operation returns an error whose outcome is
// unknown, so that an unexpected call fails the test. A Fake is safe for concurrent use if
// its functions are.
type Fake struct {
	SalesFunc            func(context.Context, jpayment.SalesRequest) (*jpayment.Result, error)
	CancelFunc           func(context.Context, jpayment.CancelRequest) (*jpayment.Result, error)
	ReAuthFunc           func(context.Context, jpayment.ReAuthRequest) (*jpayment.Result, error)
	ReAuthByKickbackFunc func(context.Context, jpayment.ReAuthRequest) error

	mu    sync.Mutex
	calls []FakeCall
}

var _ jpayment.Gateway = (*Fake)(nil)

// FakeCall is a call of a Fake.
type FakeCall struct {
	Operation jpayment.Operation
	PaymentID string
	Request   jpayment.Request
}

// Calls returns all calls so far, in order.
func (f *Fake) Calls() []FakeCall {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.calls)
}

// Sales calls SalesFunc.
func (f *Fake) Sales(ctx context.Context, req jpayment.SalesRequest) (*jpayment.Result, error) {
	return call(ctx, f, jpayment.OpSales, req.PaymentID, req, f.SalesFunc)
}

// Cancel calls CancelFunc.
func (f *Fake) Cancel(ctx context.Context, req jpayment.CancelRequest) (*jpayment.Result, error) {
	return call(ctx, f, jpayment.OpCancel, req.PaymentID, req, f.CancelFunc)
}

// ReAuth calls ReAuthFunc.
func (f *Fake) ReAuth(ctx context.Context, req jpayment.ReAuthRequest) (*jpayment.Result, error) {
	return call(ctx, f, jpayment.OpReAuth, req.PaymentID, req, f.ReAuthFunc)
}

// ReAuthByKickback calls ReAuthByKickbackFunc.
func (f *Fake) ReAuthByKickback(ctx context.Context, req jpayment.ReAuthRequest) error {
	f.record(jpayment.OpReAuthByKickback, req.PaymentID, req)
	if f.ReAuthByKickbackFunc == nil {
		return notSet(jpayment.OpReAuthByKickback)
	}
	return f.ReAuthByKickbackFunc(ctx, req)
}

func call[R jpayment.Request](
	ctx context.Context, f *Fake, op jpayment.Operation, paymentID string, req R,
	answer func(context.Context, R) (*jpayment.Result, error),
) (*jpayment.Result, error) {
	f.record(op, paymentID, req)
	if answer == nil {
		return nil, notSet(op)
	}
	return answer(ctx, req)
}

func (f *Fake) record(op jpayment.Operation, paymentID string, req jpayment.Request) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.calls = append(f.calls, FakeCall{op, paymentID, req})
}

func notSet(op jpayment.Operation) error {
	return fmt.Errorf("jpaymenttest: Fake.%sFunc is not set", op)
}

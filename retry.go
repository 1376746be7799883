package jpayment

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"
)

// RetryPolicy says when a request is sent again. Zero fields take their defaults.
//
// By default a request is sent again only if it was not sent at all, or if a Sales
// or Cancel was answered with ER010 (congestion). A ReAuth that may have left this
// machine is never sent again. Nor is anything that the gateway refused, and
// nothing once the context has ended.
type RetryPolicy struct {
	// MaxAttempts is how often a request is tried in all, 1 to 10. The default is
	// 3; 1 switches trying again off.
	MaxAttempts int
	// BaseDelay is the upper bound of the first wait; it doubles per attempt. Waits are
	// uniform between zero and the bound, so that many callers do not come back at
	// once. The default is 500 milliseconds.
	BaseDelay time.Duration
	// MaxDelay bounds every wait. The default is 10 seconds.
	MaxDelay time.Duration
	// ReplayUnknown sends a Sales or Cancel again whose outcome is unknown. If the
	// repetition succeeds the call has succeeded. If it is refused the outcome
	// stays unknown, with Earlier set in the error: the refusal may be because the
	// first attempt was carried out (ER032, ER033), but does not prove it. The
	// default is not to.
	ReplayUnknown bool
}

const maxMaxAttempts = 10

// reason says what is wrong with the policy, or nothing.
func (p RetryPolicy) reason() Text {
	switch {
	case p.MaxAttempts < 0 || p.MaxAttempts > maxMaxAttempts:
		return textf("has MaxAttempts that is not between 1 and %d", "のMaxAttemptsが1～%dの範囲にありません", maxMaxAttempts)
	case p.BaseDelay < 0 || p.MaxDelay < 0:
		return Text{"has a negative BaseDelay or MaxDelay", "のBaseDelayまたはMaxDelayが負の値です"}
	case p.withDefaults().MaxDelay < p.withDefaults().BaseDelay:
		return Text{"has a MaxDelay that is shorter than BaseDelay", "のMaxDelayがBaseDelayより短くなっています"}
	default:
		return Text{}
	}
}

func (p RetryPolicy) withDefaults() RetryPolicy {
	if p.MaxAttempts == 0 {
		p.MaxAttempts = 3
	}
	if p.BaseDelay == 0 {
		p.BaseDelay = 500 * time.Millisecond
	}
	if p.MaxDelay == 0 {
		p.MaxDelay = 10 * time.Second
	}
	return p
}

// again decides whether a call that ended in err is sent again. The cases stand in
// the order in which they count.
func (p RetryPolicy) again(call Call, err error) bool {
	var (
		transport *TransportError
		gateway   *GatewayError
	)
	switch {
	case call.Attempts >= p.MaxAttempts:
		return false
	case errors.As(err, &transport) && transport.NotSent:
		return true
	case call.Operation.replacesPayment():
		return false
	case errors.Is(err, ErrBusy):
		return true
	case errors.Is(err, ErrTestMode):
		return false
	case errors.As(err, &gateway) && gateway.Code.Class() != ErrLostTrack:
		return false
	default:
		return p.ReplayUnknown
	}
}

// wait waits before the attempt that follows the given one. If the context ends
// first, or will, it returns the context's error, in the second case at once.
func (p RetryPolicy) wait(ctx context.Context, attempt int) error {
	bound := p.MaxDelay
	if shift := attempt - 1; p.BaseDelay < p.MaxDelay>>shift {
		bound = p.BaseDelay << shift
	}
	delay := rand.N(bound + 1) //nolint:gosec // Spreading callers out needs no secrecy.
	if deadline, ok := ctx.Deadline(); ok && time.Until(deadline) <= delay {
		return context.DeadlineExceeded
	}
	timer := time.NewTimer(delay)
	defer timer.Stop()
	select {
	case <-timer.C:
		return ctx.Err()
	case <-ctx.Done():
		return ctx.Err()
	}
}

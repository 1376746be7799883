package jpayment

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"
)

// RetryPolicy determines when the client sends a request again. Zero fields take their
// defaults.
//
// By default the client repeats a request only if it was not sent, or if a Sales or Cancel
// was answered with ER010 (congestion). It never repeats a ReAuth that may have left this
// machine, a request that the gateway refused for another reason, or any request after the
// context has ended.
type RetryPolicy struct {
	// MaxAttempts is the maximum number of attempts, 1 to 10. The default is 3; 1 disables
	// retries.
	MaxAttempts int
	// BaseDelay is the upper bound of the first wait; it doubles per attempt. Waits are
	// uniform between zero and the bound, so that many callers do not retry at the same
	// time. The default is 500 milliseconds.
	BaseDelay time.Duration
	// MaxDelay bounds every wait. The default is 10 seconds.
	MaxDelay time.Duration
	// ReplayUnknown also repeats a Sales or Cancel whose outcome is unknown. If the
	// repetition succeeds, the call has succeeded. If the gateway refuses the repetition,
	// the outcome stays unknown and Earlier is set in the error: the gateway may have
	// refused because it carried out the first attempt (ER032, ER033), but the refusal does
	// not prove it. The default is false.
	ReplayUnknown bool
}

const maxMaxAttempts = 10

// reason returns what is wrong with the policy, or the zero Text.
func (p RetryPolicy) reason() Text {
	switch {
	case p.MaxAttempts < 0 || p.MaxAttempts > maxMaxAttempts:
		return textf("has a MaxAttempts that is not between 1 and %d", "のMaxAttemptsが1～%dの範囲にありません", maxMaxAttempts)
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

// again reports whether to repeat a call that ended with err. The order of the cases
// matters.
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

// wait waits before the attempt that follows the given one. It returns the context's error
// if the context ends first, and at once if its deadline is too near.
func (p RetryPolicy) wait(ctx context.Context, attempt int) error {
	bound := p.MaxDelay
	if shift := attempt - 1; p.BaseDelay < p.MaxDelay>>shift {
		bound = p.BaseDelay << shift
	}
	delay := rand.N(bound + 1) //nolint:gosec // Jitter needs no secrecy.
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

package fulfilment

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"

	"github.com/jpayment-go/jpayment"
)

// verdict is what follows from an attempt.
type verdict struct {
	state  State
	reason Reason
	wait   time.Duration // until the job is sent again
	pause  bool          // the store's configuration is at fault: send nothing more
}

// history is what came before the end of an attempt.
type history struct {
	operation  jpayment.Operation
	attempts   int // this one included
	unknown    int // earlier ones whose outcome nobody has found out
	byKickback bool
	maxReplays int
}

// judge is the policy: what becomes of a job whose attempt ended in err at the given time.
// The cases stand in the order in which they count.
func (h history) judge(err error, now time.Time) verdict {
	var (
		invalid *jpayment.ValidationError
		outcome = jpayment.OutcomeOf(err)
		reauth  = h.operation == jpayment.OpReAuth
	)
	switch {
	case err == nil && reauth && h.byKickback:
		return verdict{state: StateAwaiting}
	case err == nil:
		return verdict{state: StateDone}

	case errors.As(err, &invalid) && h.unknown == 0:
		return verdict{state: StateRefused, reason: ReasonInvalid}
	case errors.As(err, &invalid):
		return verdict{state: StateReview, reason: ReasonUnanswered}
	case errors.Is(err, jpayment.ErrTestMode):
		return verdict{state: StateReview, reason: ReasonTestMode, pause: true}

	// These say nothing of earlier attempts, nor do they end the job.
	case outcome == jpayment.OutcomeNotSent && interrupted(err):
		return verdict{state: StateWaiting, reason: ReasonNotSent, wait: time.Second}
	case outcome == jpayment.OutcomeNotSent:
		return verdict{state: StateWaiting, reason: ReasonNotSent, wait: backOff(h.attempts)}
	case atTheDoor(err, jpayment.ErrBusy):
		return verdict{state: StateWaiting, reason: ReasonBusy, wait: backOff(h.attempts)}
	case atTheDoor(err, jpayment.ErrMaintenance):
		return verdict{state: StateWaiting, reason: ReasonMaintenance, wait: untilMaintenanceEnds(now)}
	case atTheDoor(err, jpayment.ErrNotPermitted):
		return verdict{state: StateWaiting, reason: ReasonNotPermitted, wait: time.Second, pause: true}

	// A re-authorisation that may have been carried out is never sent again.
	case reauth && outcome == jpayment.OutcomeRefused:
		return verdict{state: StateRefused, reason: ReasonCode}
	case reauth && refused(err):
		return verdict{state: StateReview, reason: ReasonDeclined}
	case reauth && h.byKickback:
		return verdict{state: StateAwaiting, reason: ReasonUnknown}
	case reauth:
		return verdict{state: StateReview, reason: ReasonUnanswered}

	case outcome == jpayment.OutcomeRefused && h.unknown == 0:
		return verdict{state: StateRefused, reason: ReasonCode}
	case refused(err):
		return verdict{state: StateReview, reason: ReasonReplayRefused}
	case h.unknown < h.maxReplays:
		return verdict{state: StateWaiting, reason: ReasonUnknown, wait: backOff(h.unknown + 1)}
	default:
		return verdict{state: StateReview, reason: ReasonUnanswered}
	}
}

// lost is the verdict on a job whose attempt nobody has seen the end of.
func (h history) lost() verdict {
	v := h.judge(errInterrupted, time.Time{})
	if v.reason == ReasonUnknown {
		v.reason, v.wait = ReasonInterrupted, 0 // The lease was wait enough.
	}
	return v
}

// errInterrupted is no error of the package jpayment, so its outcome is unknown.
var errInterrupted = errors.New("fulfilment: the process ended during the attempt")

// interrupted tells whether it was the worker's own stop that kept a request from being
// sent.
func interrupted(err error) bool { return errors.Is(err, context.Canceled) }

// atTheDoor tells whether the gateway turned this request down by a code of the class,
// before it looked at the payment.
func atTheDoor(err, class error) bool {
	var gateway *jpayment.GatewayError
	return errors.As(err, &gateway) && gateway.Earlier == nil && errors.Is(gateway.Code, class)
}

// refused tells whether the gateway turned the last sending down, whatever may be unknown
// of one before, and of what a declined re-authorisation did to the payment.
func refused(err error) bool {
	var gateway *jpayment.GatewayError
	if !errors.As(err, &gateway) {
		return false
	}
	alone := &jpayment.GatewayError{Call: jpayment.Call{Operation: jpayment.OpSales}, Code: gateway.Code}
	return alone.Outcome() == jpayment.OutcomeRefused
}

const (
	minBackOff = 5 * time.Second
	maxBackOff = 10 * time.Minute
)

// backOff returns the wait after the n-th failure: at least half of a bound that doubles
// from 5 seconds to 10 minutes, the rest by chance, so that many jobs do not come back at
// once.
func backOff(n int) time.Duration {
	bound := maxBackOff
	if shift := n - 1; shift < 8 {
		bound = min(bound, minBackOff<<max(shift, 0))
	}
	return bound/2 + rand.N(bound/2+1) //nolint:gosec // Spreading jobs out needs no secrecy.
}

// The gateway's maintenance is monthly, from 02:55 to 04:30 Japan time (field notes, H).
// Japan has no daylight saving time.
var japan = time.FixedZone("JST", 9*60*60)

const (
	maintenanceFrom = 2*time.Hour + 55*time.Minute
	maintenanceTo   = 4*time.Hour + 30*time.Minute
	// maintenanceSpread is over how long the jobs come back afterwards, and
	// maintenanceRetry how long to wait where the maintenance is not at its hours.
	maintenanceSpread = 5 * time.Minute
	maintenanceRetry  = 5 * time.Minute
)

// untilMaintenanceEnds returns how long to wait after ER999.
func untilMaintenanceEnds(now time.Time) time.Duration {
	now = now.In(japan)
	midnight := time.Date(now.Year(), now.Month(), now.Day(), 0, 0, 0, 0, japan)
	wait := maintenanceRetry
	if t := now.Sub(midnight); t >= maintenanceFrom && t < maintenanceTo {
		wait = maintenanceTo - t
	}
	return wait + rand.N(maintenanceSpread) //nolint:gosec // As above.
}

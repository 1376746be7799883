package fulfilment

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"

	"github.com/jpayment-go/jpayment"
)

// answer is how an attempt ended, as far as anybody knows.
type answer struct {
	outcome jpayment.Outcome
	code    jpayment.Code    // the gateway's, or empty
	result  *jpayment.Result // of a success, or nil
	what    jpayment.Text    // what happened, on one line, without private data

	replayed bool // the client itself had sent the request before, with an outcome unknown
	invalid  bool // the client found the request invalid
	stopped  bool // the worker's own stop kept the request from being sent
	test     bool // the gateway approved a test where only production counts
}

// answerOf returns the answer that the result and the error of a call are. A result that
// comes with an error does not count.
func answerOf(res *jpayment.Result, err error) answer {
	if err == nil {
		return answer{outcome: jpayment.OutcomeDone, result: res}
	}
	a := answer{outcome: jpayment.OutcomeOf(err), what: jpayment.WhatOf(err)}
	var gateway *jpayment.GatewayError
	if errors.As(err, &gateway) {
		a.code, a.replayed = gateway.Code, gateway.Earlier != nil
	}
	a.invalid = errors.As(err, new(*jpayment.ValidationError))
	a.stopped = errors.Is(err, context.Canceled)
	a.test = errors.Is(err, jpayment.ErrTestMode)
	return a
}

// approvedTest is the answer of a gateway that approved a test where only production counts.
func approvedTest(res *jpayment.Result) answer {
	return answer{test: true, result: res, what: jpayment.WhatOf(jpayment.ErrTestMode)}
}

// unseen is the answer to an attempt whose process ended before there was one.
var unseen = answer{what: jpayment.Text{En: "the process ended during the attempt", Ja: "送信中にプロセスが終了しました"}}

// atTheDoor reports whether the gateway turned the request down by a code of the class,
// before it looked at the payment.
func (a answer) atTheDoor(class jpayment.Class) bool {
	return a.code != "" && !a.replayed && a.code.Class() == class
}

// refused reports whether the gateway turned the last sending down, whatever may be unknown
// of one before, and of what a declined re-authorisation did to the payment.
func (a answer) refused() bool {
	return a.code != "" && a.code.Outcome(jpayment.OpSales) == jpayment.OutcomeRefused
}

// verdict is what becomes of a job.
type verdict struct {
	state  State
	reason Reason
	code   jpayment.Code
	result *jpayment.Result
	what   jpayment.Text // what happened, on one line
	wait   time.Duration // until the job is sent again
	pause  bool          // the store's configuration is at fault: send nothing more
}

// pauseAt returns the pause of the store that follows.
func (v verdict) pauseAt(now time.Time) Pause {
	return Pause{At: now, Reason: v.reason, Code: v.code, Why: v.what}
}

// history is what came before an attempt.
type history struct {
	operation  jpayment.Operation
	attempts   int // this one included
	unknown    int // earlier ones whose outcome nobody has found out
	byKickback bool
	maxReplays int
}

// mayBegin reports whether the attempt is allowed. Nothing leads to one that is not. Should
// something one day, no second request leaves.
func (h history) mayBegin() bool { return h.operation != jpayment.OpReAuth || h.unknown == 0 }

// judge is the policy: what becomes of a job whose attempt ended at the given time.
func (h history) judge(a answer, now time.Time) verdict {
	v := h.follows(a, now)
	v.code, v.result, v.what = a.code, a.result, a.what
	return v
}

// follows has the cases of judge in the order in which they count.
func (h history) follows(a answer, now time.Time) verdict {
	reauth := h.operation == jpayment.OpReAuth
	switch {
	case a.outcome == jpayment.OutcomeDone && reauth && h.byKickback:
		return verdict{state: StateAwaiting}
	case a.outcome == jpayment.OutcomeDone:
		return verdict{state: StateDone}

	case a.invalid && h.unknown == 0:
		return verdict{state: StateRefused, reason: ReasonInvalid}
	case a.invalid:
		return verdict{state: StateReview, reason: ReasonUnanswered}
	case a.test:
		return verdict{state: StateReview, reason: ReasonTestMode, pause: true}

	// These say nothing of earlier attempts, nor do they end the job.
	case a.outcome == jpayment.OutcomeNotSent && a.stopped:
		return verdict{state: StateWaiting, reason: ReasonNotSent, wait: time.Second}
	case a.outcome == jpayment.OutcomeNotSent:
		return verdict{state: StateWaiting, reason: ReasonNotSent, wait: backOff(h.attempts)}
	case a.atTheDoor(jpayment.ErrBusy):
		return verdict{state: StateWaiting, reason: ReasonBusy, wait: backOff(h.attempts)}
	case a.atTheDoor(jpayment.ErrMaintenance):
		return verdict{state: StateWaiting, reason: ReasonMaintenance, wait: untilMaintenanceEnds(now)}
	case a.atTheDoor(jpayment.ErrNotPermitted):
		return verdict{state: StateWaiting, reason: ReasonNotPermitted, wait: time.Second, pause: true}

	// A re-authorisation that may have been carried out is never sent again.
	case reauth && a.outcome == jpayment.OutcomeRefused:
		return verdict{state: StateRefused, reason: ReasonCode}
	case reauth && a.refused():
		return verdict{state: StateReview, reason: ReasonDeclined}
	case reauth && h.byKickback:
		return verdict{state: StateAwaiting, reason: ReasonUnknown}
	case reauth:
		return verdict{state: StateReview, reason: ReasonUnanswered}

	case a.outcome == jpayment.OutcomeRefused && h.unknown == 0:
		return verdict{state: StateRefused, reason: ReasonCode}
	case a.refused():
		return verdict{state: StateReview, reason: ReasonReplayRefused}
	case h.unknown < h.maxReplays:
		return verdict{state: StateWaiting, reason: ReasonUnknown, wait: backOff(h.unknown + 1)}
	default:
		return verdict{state: StateReview, reason: ReasonUnanswered}
	}
}

// lost is the verdict on a job whose attempt nobody has seen the end of.
func (h history) lost() verdict {
	v := h.judge(unseen, time.Time{})
	if v.reason == ReasonUnknown {
		v.reason, v.wait = ReasonInterrupted, 0 // The lease was wait enough.
	}
	return v
}

// The transitions of a job. Whoever makes one has locked the job, and writes it down in the
// same transaction.

// after returns the job as a verdict leaves it. Due is when it comes up again, if it does.
func (r record) after(v verdict, due, now time.Time) record {
	r.State, r.Reason, r.Code, r.Result = v.state, v.reason, v.code, v.result
	r.Due, r.UpdatedAt = due, now
	if v.result != nil {
		r.forgotten = false // The result can have private data, to be forgotten again.
		if r.Operation == jpayment.OpReAuth {
			r.NewPaymentID = v.result.PaymentID
		}
	}
	return r
}

// clockSkew is how far the clocks of two processes may differ.
const clockSkew = time.Second

// isDue reports whether the job is to be sent now.
func (r record) isDue(now time.Time) bool {
	return r.State == StateWaiting && !r.Due.After(now.Add(clockSkew))
}

// begun returns the job with one more attempt on its way, which counts as lost after the
// lease.
func (r record) begun(lease time.Duration, now time.Time) record {
	r.State, r.Due, r.UpdatedAt = StateRunning, now.Add(lease), now
	r.Attempts++
	return r
}

// takes reports whether the verdict on an attempt of the job still counts. Something else
// may have settled the job or taken it over meanwhile: then only a success counts, even
// over a person's word.
func (r record) takes(v verdict, number int) bool {
	switch {
	case r.State == StateRunning && r.Attempts == number:
		return true
	case v.state != StateDone || r.State == StateDone:
		return false
	default:
		return r.State != StateRefused || r.Reason == ReasonDecided
	}
}

// isOverdue reports whether the job's attempt or kickback was to come before now.
func (r record) isOverdue(now time.Time) bool {
	return (r.State == StateRunning || r.State == StateAwaiting) && r.Due.Before(now)
}

// overdue is the verdict on a job that is overdue.
func (r record) overdue(h history) verdict {
	if r.State == StateRunning {
		return h.lost()
	}
	return verdict{state: StateReview, reason: ReasonNoKickback, code: r.Code, result: r.Result}
}

// isStranded reports whether the job has been due for so long that its River job must be in
// the hands of a process that is gone.
func (r record) isStranded(horizon time.Time) bool {
	return r.State == StateWaiting && r.Due.Before(horizon)
}

// kickbackVerdict is what follows for the job from a kickback that answers it. The job's
// last attempt began at started, if it has one. With production, a test's approval is no
// success. Changes is false if nothing follows.
func (r record) kickbackVerdict(k *jpayment.Kickback, started time.Time, production bool, now time.Time) (v verdict, changes bool, err error) {
	if k.Status != jpayment.StatusSucceeded {
		v, changes = r.kickbackFailure(k.Code, k.Request.At, started, now)
		return v, changes, nil
	}
	switch {
	case r.State == StateDone && r.NewPaymentID != k.PaymentID:
		return verdict{}, false, &problem{
			what: textf("a kickback tells of another new payment than job %d has", "決済結果通知の新しい決済番号が、ジョブ %d のものと異なります", r.ID),
			next: nextLookUp,
		}
	case r.State == StateRefused && r.Reason != ReasonDecided:
		return verdict{}, false, &problem{
			what: textf("a kickback tells of a success of job %d, which was refused", "拒否されたジョブ %d について、成功の決済結果通知が届きました", r.ID),
			next: jpayment.OpReAuth.NextIfUnknown(),
		}
	case r.State == StateDone:
		return verdict{}, false, nil
	case production && k.TestMode():
		return history{operation: r.Operation}.judge(approvedTest(&k.Result), now), !r.State.Settled(), nil
	default:
		return verdict{state: StateDone, reason: ReasonKickback, result: &k.Result}, true, nil
	}
}

// kickbackFailure is what follows from a kickback with a code, to a request sent at a time.
func (r record) kickbackFailure(code jpayment.Code, sent, started, now time.Time) (v verdict, changes bool) {
	a := answer{outcome: code.Outcome(jpayment.OpReAuth), code: code, what: codeText(code)}
	v = history{operation: jpayment.OpReAuth, attempts: r.Attempts}.judge(a, now)
	v.result = r.Result
	// What fails an earlier attempt, or one that was not ours, says nothing of the last,
	// which may be on its way, or of one to come.
	earlier := r.Attempts == 0 || sent.Before(started.Truncate(time.Second))
	again := r.State == StateWaiting && (v.state == StateWaiting || r.Reason == ReasonAgain)
	// To a person who looks for what became of it, a late decline says more than silence.
	tells := r.State == StateReview && r.Reason == ReasonNoKickback && v.state == StateReview
	// A failure that comes again, or after a person's decision, changes nothing.
	return v, !earlier && !again && (!r.State.Settled() || tells)
}

// mayDecide reports whether a person may decide for a state.
func (r record) mayDecide(state State) bool {
	switch r.State {
	case StateReview, StateAwaiting:
		return true
	case StateWaiting: // Nobody has ever sent it: it is withdrawn.
		return r.Attempts == 0 && state == StateRefused
	case StateRefused:
		return state == StateWaiting
	default:
		return false
	}
}

// decided returns the job as a person's decision leaves it.
func (r record) decided(d Decision, now time.Time) record {
	r.State, r.Reason, r.Due, r.UpdatedAt = d.State, ReasonDecided, time.Time{}, now
	if d.State == StateWaiting {
		r.Reason, r.Due = ReasonAgain, now
	}
	r.NewPaymentID, r.DecidedBy, r.Note = d.NewPaymentID, d.By, d.Note
	r.reviewed = r.Attempts
	return r
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

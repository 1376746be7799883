package fulfilment

import (
	"context"
	"encoding/json"
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

// storedAnswer is an answer as the database keeps it until its job goes by it.
type storedAnswer struct {
	Outcome, Code     string
	Result            string // as jobs keep theirs
	En, Ja            string
	Replayed, Invalid bool
	Stopped, Test     bool
}

func (a answer) marshal() (string, error) {
	result, err := marshalResult(a.result)
	if err != nil {
		return "", err
	}
	text, err := json.Marshal(storedAnswer{
		Outcome: a.outcome.String(), Code: string(a.code), Result: result, En: a.what.En, Ja: a.what.Ja,
		Replayed: a.replayed, Invalid: a.invalid, Stopped: a.stopped, Test: a.test,
	})
	return string(text), err
}

// answered returns what is known of an attempt that its process has not concluded.
func (a jobAttempt) answered() (answer, error) {
	if a.answer == "" {
		return unseen, nil
	}
	var s storedAnswer
	if err := json.Unmarshal([]byte(a.answer), &s); err != nil {
		return answer{}, &problem{ // The cause may quote it.
			what: textf("the answer to job %d is unreadable in the database", "ジョブ %d への応答をデータベースから読み取れません", a.jobID),
			next: nextDatabase, database: true, row: a.jobID,
		}
	}
	result, err := unmarshalResult(a.jobID, s.Result)
	return answer{
		outcome: parseOutcome(s.Outcome), code: jpayment.Code(s.Code), result: result, what: jpayment.Text{En: s.En, Ja: s.Ja},
		replayed: s.Replayed, invalid: s.Invalid, stopped: s.Stopped, test: s.Test,
	}, err
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

// untouched reports whether the attempt did not carry its request out, nor one before it in
// the same call.
func (a answer) untouched() bool {
	return a.outcome == jpayment.OutcomeNotSent || a.outcome == jpayment.OutcomeRefused || a.refused() && !a.replayed
}

// verdict is what becomes of a job.
type verdict struct {
	state  State
	reason Reason
	code   jpayment.Code
	result *jpayment.Result
	what   jpayment.Text // what happened, on one line
	wait   time.Duration // until the job is sent again
	pause  bool          // send nothing more: the gateway is closed, or the store's configuration at fault
}

// pauseAt returns the pause of the store that follows. A maintenance ends when the job comes
// up again; another pause lasts until a person ends it.
func (v verdict) pauseAt(now, due time.Time) Pause {
	p := Pause{At: now, Reason: v.reason, Code: v.code, Why: v.what}
	if v.reason == ReasonMaintenance {
		p.Until = due
	}
	return p
}

// history is what came before an attempt.
type history struct {
	operation  jpayment.Operation
	attempts   int  // this one included
	unknown    int  // earlier ones whose outcome nobody has found out
	notified   bool // its result comes by a kickback
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
	case a.outcome == jpayment.OutcomeDone && reauth && h.notified:
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
		return verdict{state: StateWaiting, reason: ReasonMaintenance, wait: untilMaintenanceEnds(now), pause: true}
	case a.atTheDoor(jpayment.ErrNotPermitted):
		return verdict{state: StateWaiting, reason: ReasonNotPermitted, wait: time.Second, pause: true}

	// A re-authorisation that may have been carried out is never sent again.
	case reauth && a.outcome == jpayment.OutcomeRefused:
		return verdict{state: StateRefused, reason: ReasonCode}
	case reauth && a.refused():
		return verdict{state: StateReview, reason: ReasonDeclined}
	case reauth && h.notified:
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
	if v.reason == ReasonUnknown || v.reason == ReasonUnanswered {
		v.reason, v.wait = ReasonInterrupted, 0 // The lease was wait enough.
	}
	return v
}

// The transitions of a job. Whoever makes one has locked the job, and writes it down in the
// same transaction.

// after returns the job as a verdict leaves it. Due is when it comes up again, if it does.
func (r record) after(v verdict, due, now time.Time) record {
	news := v.result != nil && v.result != r.Result
	r.State, r.Reason, r.Code, r.Result = v.state, v.reason, v.code, v.result
	r.Due, r.UpdatedAt = due, now
	r = r.held()
	if news {
		r.forgotten = false // The result can have private data, to be forgotten again.
		if r.Operation == jpayment.OpReAuth {
			r.NewPaymentID = v.result.PaymentID
		}
	}
	return r
}

// held returns the job without a hold on its payment if nothing of it is open.
func (r record) held() record {
	if r.State == StateDone || r.State == StateRefused {
		r.holds, r.waitsFor = false, 0
	}
	return r
}

// isOpen reports whether the job may still change its payment, as far as anybody knows.
func (r record) isOpen() bool { return r.State != StateDone && r.State != StateRefused }

// wantsHold reports whether the job is open and neither holds its payment nor waits for
// another job to let go of it.
func (r record) wantsHold() bool { return r.isOpen() && !r.holds && r.waitsFor == 0 }

// follows returns what becomes of the job when the one that it waits for is settled: it is
// sent if that one is done, and refused otherwise, unless it was sent already.
func (r record) follows(before record, now time.Time) record {
	r.waitsFor = 0
	if r.State != StateWaiting {
		return r
	}
	r.UpdatedAt = now
	if before.State == StateDone || r.Attempts > 0 {
		r.Reason, r.Due, r.holds = ReasonNone, now, true
		return r
	}
	r.State, r.Reason, r.Due = StateRefused, ReasonPredecessor, time.Time{}
	return r.held()
}

// restored returns the open job as it stands after a restoration from an older copy, since
// which it may have been carried out.
func (r record) restored(now time.Time) record {
	r.State, r.Reason, r.Due, r.UpdatedAt, r.waitsFor = StateReview, ReasonRestored, time.Time{}, now, 0
	return r
}

// postponed returns the job with the times that a clock which ran ahead gave it moved to the
// present.
func (r record) postponed(now time.Time) record {
	r.Due, r.UpdatedAt = now.Add(max(r.Due.Sub(r.UpdatedAt), 0)), now
	return r
}

// clockSkew is how far the clocks of two processes may differ.
const clockSkew = time.Second

// isDue reports whether the job is to be sent now.
func (r record) isDue(now time.Time) bool {
	return r.State == StateWaiting && r.holds && !r.Due.After(now.Add(clockSkew))
}

// begun returns the job with one more attempt on its way, which counts as lost after the
// lease.
func (r record) begun(lease time.Duration, now time.Time) record {
	r.State, r.Due, r.UpdatedAt = StateRunning, now.Add(lease), now
	r.Attempts++
	return r
}

// takes returns what becomes of the job by the answer to an attempt, on which the verdict is
// v. Something else may have settled the job or taken it over meanwhile: then only a success
// counts, even over a person's word, and what excludes a kickback that was believed. Where
// the attempt was given up for lost and nothing has happened since, its answer counts as if
// it were in time.
func (r record) takes(v verdict, a answer, number int) (_ verdict, takes bool) {
	switch {
	case r.State == StateRunning && r.Attempts == number:
		return v, true
	case r.Reason == ReasonInterrupted && r.Attempts == number && r.reviewed < number:
		return v, true
	case r.State == StateDone && r.Reason == ReasonKickback && r.Attempts == number && a.untouched():
		return r.contradicted(a.code, a.what), true
	case v.state != StateDone || r.State == StateDone:
		return v, false
	default:
		return v, r.State != StateRefused || r.Reason == ReasonDecided
	}
}

// isOverdue reports whether the job's attempt or kickback was to come before now.
func (r record) isOverdue(now time.Time) bool {
	return (r.State == StateRunning || r.State == StateAwaiting) && r.Due.Before(now)
}

// overdue is the verdict on a job that is overdue, by the answer to its last attempt, if
// anybody has seen one.
func (r record) overdue(h history, a answer, now time.Time) verdict {
	switch {
	case r.State != StateRunning:
		return verdict{state: StateReview, reason: ReasonNoKickback, code: r.Code, result: r.Result}
	case a.what == unseen.what:
		return h.lost()
	default:
		return h.judge(a, now)
	}
}

// consequence is what follows for a job from a kickback that answers it: nothing, a verdict,
// or a dispute, which leaves the verdict as it is.
type consequence struct {
	verdict verdict
	changes bool
	dispute jpayment.Text
}

// byKickback is what follows for the job from a kickback that answers it. The job's last
// attempt began at started, if it has one. With production, a test's approval is no success.
//
// A kickback's signature proves which request it answers. Its status, code and new number
// are its sender's word. So nothing is sent, paused or refused for it, it overrules neither
// a person nor a reply, and what excludes it goes to a person.
func (r record) byKickback(k *jpayment.Kickback, started time.Time, production bool) (consequence, error) {
	success := k.Status == jpayment.StatusSucceeded
	open := r.State == StateRunning || r.State == StateAwaiting
	switch {
	case r.Attempts == 0:
		return consequence{}, notOurs(textf("the kickback answers a request that is not job %d's, which was never sent", "ジョブ %d はまだ送信していないため、この決済結果通知はほかのリクエストへのものです", r.ID))
	case !success && k.Request.At.Before(started.Truncate(time.Second)):
		return consequence{}, nil // What failed an earlier attempt says nothing of the last.
	case r.State == StateReview && r.Reason == ReasonContradicted:
		return consequence{}, nil // Whatever is said now, a person has to look.
	case success && r.State == StateDone && r.NewPaymentID == k.PaymentID:
		return consequence{}, nil
	case r.State == StateDone && r.Reason == ReasonKickback:
		return consequence{verdict: r.contradicted(k.Code, kickbackText(k)), changes: true}, nil
	case success && production && k.TestMode():
		v := verdict{state: StateReview, reason: ReasonTestMode, result: &k.Result, what: jpayment.WhatOf(jpayment.ErrTestMode)}
		return consequence{verdict: v, changes: open}, nil
	case r.State == StateDone, success && r.State == StateRefused: // A reply or a person said so.
		return consequence{dispute: kickbackText(k)}, nil
	case success && r.State == StateWaiting: // It is not sent again if it may have been carried out.
		return consequence{verdict: r.contradicted(r.Code, kickbackText(k)), changes: true}, nil
	case success:
		return consequence{verdict: verdict{state: StateDone, reason: ReasonKickback, result: &k.Result}, changes: true}, nil
	default:
		v := verdict{state: StateReview, reason: ReasonUnanswered, code: k.Code, result: r.Result, what: kickbackText(k)}
		if k.Code.Outcome(jpayment.OpReAuth) == jpayment.OutcomeUnknown && k.Code.Outcome(jpayment.OpSales) == jpayment.OutcomeRefused {
			v.reason = ReasonDeclined
		}
		// To a person who looks for what became of it, a code says more than silence.
		tells := r.State == StateReview && r.Reason == ReasonNoKickback
		return consequence{verdict: v, changes: open || tells}, nil
	}
}

// disputed returns the job with what a kickback says against its verdict.
func (r record) disputed(what jpayment.Text, now time.Time) record {
	r.Dispute, r.DisputedAt = what, now
	return r
}

// contradicted is the verdict on a job of which two things are known that exclude each
// other.
func (r record) contradicted(code jpayment.Code, what jpayment.Text) verdict {
	return verdict{state: StateReview, reason: ReasonContradicted, code: code, result: r.Result, what: what}
}

// kickbackText says what a kickback tells.
func kickbackText(k *jpayment.Kickback) jpayment.Text {
	if k.Status == jpayment.StatusSucceeded {
		return textf("a kickback tells of the new payment %s", "決済結果通知によれば、新しい決済は %s です", k.PaymentID)
	}
	code := codeText(k.Code)
	return jpayment.Text{En: "a kickback tells of a failure: " + code.En, Ja: "決済結果通知によれば、決済は失敗しました: " + code.Ja}
}

// mayDecide reports whether a person may decide for a state. So many of the job's attempts
// are unknown.
func (r record) mayDecide(d Decision, unknown int) bool {
	state := d.State
	switch {
	case r.State == StateReview, r.State == StateAwaiting, r.Dispute != jpayment.Text{}:
		return true
	case r.State == StateWaiting: // Nothing of it has been carried out: it is withdrawn.
		return unknown == 0 && state == StateRefused
	case r.State == StateRefused && state == StateWaiting:
		return true
	case r.State == StateRefused, r.State == StateDone: // A person's word is corrected by another.
		return r.Reason == ReasonDecided && d.Corrects
	default:
		return false
	}
}

// decided returns the job as a person's decision leaves it.
func (r record) decided(d Decision) record {
	r.State, r.Reason, r.Due, r.UpdatedAt = d.State, ReasonDecided, time.Time{}, d.At
	if d.State == StateWaiting {
		r.Reason, r.Due = ReasonAgain, d.At
	}
	r.NewPaymentID, r.DecidedBy, r.Note = d.NewPaymentID, d.By, d.Note
	r.Dispute, r.DisputedAt = jpayment.Text{}, time.Time{}
	r.waitsFor, r.reviewed = 0, r.Attempts
	return r.held()
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

// The gateway's maintenance is monthly, from 02:55 to 04:30 Japan time (docs/protocol.md,
// "HTTP"; H). Japan has no daylight saving time.
var japan = time.FixedZone("JST", 9*60*60)

const (
	maintenanceFrom = 2*time.Hour + 55*time.Minute
	maintenanceTo   = 4*time.Hour + 30*time.Minute
	// maintenanceRetry is how long to wait where the maintenance is not at its hours.
	maintenanceRetry = 5 * time.Minute
)

// untilMaintenanceEnds returns how long to wait after ER999.
func untilMaintenanceEnds(now time.Time) time.Duration {
	now = now.In(japan)
	midnight := time.Date(now.Year(), now.Month(), now.Day(), 0, 0, 0, 0, japan)
	if t := now.Sub(midnight); t >= maintenanceFrom && t < maintenanceTo {
		return maintenanceTo - t
	}
	return maintenanceRetry
}

package fulfilment

import (
	"context"
	"encoding/json"
	"errors"
	"math/rand/v2"
	"time"

	"github.com/jpayment-go/jpayment"
)

// answer is how an attempt ended, as far as that is known.
type answer struct {
	outcome jpayment.Outcome
	code    jpayment.Code    // the gateway's, or empty
	result  *jpayment.Result // of a success, or nil
	what    jpayment.Text    // what happened, on one line, without private data

	replayed bool // the client had sent the request before, with an unknown outcome
	invalid  bool // the client found the request invalid
	stopped  bool // the request was not sent because the worker was stopping
	test     bool // the gateway approved a test, and only production counts
}

// answerOf returns the answer for the result and error of a call. It ignores a result that
// comes with an error.
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

// approvedTest returns the answer for a test approval if only production counts.
func approvedTest(res *jpayment.Result) answer {
	return answer{test: true, result: res, what: jpayment.WhatOf(jpayment.ErrTestMode)}
}

// storedAnswer is an answer as the database stores it until the job is concluded.
type storedAnswer struct {
	Outcome, Code     string
	Result            string // as in jpayment_job
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

// answered returns the stored answer to an attempt that its process has not concluded.
func (a jobAttempt) answered() (answer, error) {
	if a.answer == "" {
		return unseen, nil
	}
	var s storedAnswer
	if err := json.Unmarshal([]byte(a.answer), &s); err != nil {
		return answer{}, &problem{ // The cause may quote private data.
			what: textf("the answer to job %d cannot be read from the database", "ジョブ %d への応答をデータベースから読み取れません", a.jobID),
			next: nextDatabase, database: true, row: a.jobID,
		}
	}
	result, err := unmarshalResult(a.jobID, s.Result)
	return answer{
		outcome: parseOutcome(s.Outcome), code: jpayment.Code(s.Code), result: result, what: jpayment.Text{En: s.En, Ja: s.Ja},
		replayed: s.Replayed, invalid: s.Invalid, stopped: s.Stopped, test: s.Test,
	}, err
}

// unseen is the answer to an attempt whose process ended before it received one.
var unseen = answer{what: jpayment.Text{En: "the process ended during the attempt", Ja: "送信中にプロセスが終了しました"}}

// atTheDoor reports whether the gateway refused the request with a code of the class, before it
// looked at the payment.
func (a answer) atTheDoor(class jpayment.Class) bool {
	return a.code != "" && !a.replayed && a.code.Class() == class
}

// refused reports whether the gateway refused the last request. An earlier request, and the
// effect of a declined re-authorisation on the payment, may still be unknown.
func (a answer) refused() bool {
	return a.code != "" && a.code.Outcome(jpayment.OpSales) == jpayment.OutcomeRefused
}

// untouched reports whether the request was not carried out, nor an earlier one in the same
// call.
func (a answer) untouched() bool {
	return a.outcome == jpayment.OutcomeNotSent || a.outcome == jpayment.OutcomeRefused || a.refused() && !a.replayed
}

// verdict is the new state of a job after an attempt.
type verdict struct {
	state  State
	reason Reason
	code   jpayment.Code
	result *jpayment.Result
	what   jpayment.Text // what happened, on one line
	wait   time.Duration // until the job is sent again
	pause  bool          // pause the store: for maintenance, or a fault of its settings
}

// pauseAt returns the pause of the store for the verdict. A pause for maintenance ends when
// the job is due again; any other lasts until a person ends it.
func (v verdict) pauseAt(now, due time.Time) Pause {
	p := Pause{At: now, Reason: v.reason, Code: v.code, Why: v.what}
	if v.reason == ReasonMaintenance {
		p.Until = due
	}
	return p
}

// history describes a job and its earlier attempts.
type history struct {
	operation  jpayment.Operation
	attempts   int  // this one included
	unknown    int  // earlier attempts whose outcome is still unknown
	notified   bool // its result comes by kickback
	maxReplays int
}

// mayBegin reports whether the attempt is allowed. It always should be; this is a last guard
// against sending a re-authorisation twice.
func (h history) mayBegin() bool { return h.operation != jpayment.OpReAuth || h.unknown == 0 }

// judge is the policy: it returns the verdict on a job whose attempt ended at the given time.
func (h history) judge(a answer, now time.Time) verdict {
	v := h.follows(a, now)
	v.code, v.result, v.what = a.code, a.result, a.what
	return v
}

// follows contains the cases of judge, the most important first.
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

	// These say nothing about earlier attempts and do not end the job.
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

// lost returns the verdict on a job whose attempt has no known end.
func (h history) lost() verdict {
	v := h.judge(unseen, time.Time{})
	if v.reason == ReasonUnknown || v.reason == ReasonUnanswered {
		v.reason, v.wait = ReasonInterrupted, 0 // The lease was a long enough wait.
	}
	return v
}

// The transitions of a job follow. The caller has locked the job, and records the transition in
// the same transaction.

// after returns the job after a verdict. Due is when it is due again, or zero.
func (r record) after(v verdict, due, now time.Time) record {
	news := v.result != nil && v.result != r.Result
	r.State, r.Reason, r.Code, r.Result = v.state, v.reason, v.code, v.result
	r.Due, r.UpdatedAt = due, now
	r = r.held()
	if news {
		r.forgotten = false // The result can contain private data.
		if r.Operation == jpayment.OpReAuth {
			r.NewPaymentID = v.result.PaymentID
		}
	}
	return r
}

// held returns the job without its hold on the payment if the job is no longer open.
func (r record) held() record {
	if r.State == StateDone || r.State == StateRefused {
		r.holds, r.waitsFor = false, 0
	}
	return r
}

// isOpen reports whether the job may still change its payment, or may have changed it.
func (r record) isOpen() bool { return r.State != StateDone && r.State != StateRefused }

// wantsHold reports whether the job is open and neither holds its payment nor waits for
// another job to release it.
func (r record) wantsHold() bool { return r.isOpen() && !r.holds && r.waitsFor == 0 }

// follows returns the job after the one that it waits for is closed. If that one is done, or
// the job has been sent already, the job is sent; otherwise it is refused.
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

// restored returns an open job in review after a restore from a backup, since it may have been
// carried out after the backup was made.
func (r record) restored(now time.Time) record {
	r.State, r.Reason, r.Due, r.UpdatedAt, r.waitsFor = StateReview, ReasonRestored, time.Time{}, now, 0
	return r
}

// postponed returns the job with times in the future, which a fast clock gave it, moved to the
// present.
func (r record) postponed(now time.Time) record {
	r.Due, r.UpdatedAt = now.Add(max(r.Due.Sub(r.UpdatedAt), 0)), now
	return r
}

// clockSkew is how far the clocks of two processes may differ.
const clockSkew = time.Second

// isDue reports whether the job is due to be sent.
func (r record) isDue(now time.Time) bool {
	return r.State == StateWaiting && r.holds && !r.Due.After(now.Add(clockSkew))
}

// begun returns the job with one more attempt, which counts as lost after the lease.
func (r record) begun(lease time.Duration, now time.Time) record {
	r.State, r.Due, r.UpdatedAt = StateRunning, now.Add(lease), now
	r.Attempts++
	return r
}

// takes returns the verdict that applies to the job, given the answer to an attempt and the
// verdict v on it, and reports whether any does.
//
// If the attempt was given up and nothing has happened since, a late answer counts as if it
// were in time. If something else has settled the job or taken it over since then, only two
// answers count: a success, even against a person's decision, and one that disproves a kickback
// that was believed.
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

// isOverdue reports whether the end of the job's attempt or its kickback is overdue.
func (r record) isOverdue(now time.Time) bool {
	return (r.State == StateRunning || r.State == StateAwaiting) && r.Due.Before(now)
}

// overdue returns the verdict on an overdue job, given the stored answer to its last attempt,
// or unseen.
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

// consequence is the effect of a kickback on the job that it answers: none, a new verdict, or
// a dispute, which leaves the verdict unchanged.
type consequence struct {
	verdict verdict
	changes bool
	dispute jpayment.Text
}

// byKickback returns the effect of a kickback that answers the job. The job's last attempt, if
// any, began at started. With production, a test approval is no success.
//
// A kickback's signature proves only which request it answers. Its status, code and new
// payment number are the sender's word. So it causes nothing to be sent, paused or refused, it
// overrules neither a person nor a reply, and a contradiction goes to a person.
func (r record) byKickback(k *jpayment.Kickback, started time.Time, production bool) (consequence, error) {
	success := k.Status == jpayment.StatusSucceeded
	open := r.State == StateRunning || r.State == StateAwaiting
	switch {
	case r.Attempts == 0:
		return consequence{}, notOurs(textf("the kickback answers another request, since job %d was never sent", "ジョブ %d はまだ送信していないため、この決済結果通知はほかのリクエストへのものです", r.ID))
	case !success && k.Request.At.Before(started.Truncate(time.Second)):
		return consequence{}, nil // It concerns an earlier attempt, and says nothing about the last.
	case r.State == StateReview && r.Reason == ReasonContradicted:
		return consequence{}, nil // A person has to look in any case.
	case success && r.State == StateDone && r.NewPaymentID == k.PaymentID:
		return consequence{}, nil
	case r.State == StateDone && r.Reason == ReasonKickback:
		return consequence{verdict: r.contradicted(k.Code, kickbackText(k)), changes: true}, nil
	case success && production && k.TestMode():
		v := verdict{state: StateReview, reason: ReasonTestMode, result: &k.Result, what: jpayment.WhatOf(jpayment.ErrTestMode)}
		return consequence{verdict: v, changes: open}, nil
	case r.State == StateDone, success && r.State == StateRefused: // It contradicts a reply or a person.
		return consequence{dispute: kickbackText(k)}, nil
	case success && r.State == StateWaiting: // It may have been carried out, so it is not sent again.
		return consequence{verdict: r.contradicted(r.Code, kickbackText(k)), changes: true}, nil
	case success:
		return consequence{verdict: verdict{state: StateDone, reason: ReasonKickback, result: &k.Result}, changes: true}, nil
	default:
		v := verdict{state: StateReview, reason: ReasonUnanswered, code: k.Code, result: r.Result, what: kickbackText(k)}
		if k.Code.Outcome(jpayment.OpReAuth) == jpayment.OutcomeUnknown && k.Code.Outcome(jpayment.OpSales) == jpayment.OutcomeRefused {
			v.reason = ReasonDeclined
		}
		// If the job is in review because no kickback came, this one helps the person.
		tells := r.State == StateReview && r.Reason == ReasonNoKickback
		return consequence{verdict: v, changes: open || tells}, nil
	}
}

// disputed returns the job with a kickback's contradiction of its verdict.
func (r record) disputed(what jpayment.Text, now time.Time) record {
	r.Dispute, r.DisputedAt = what, now
	return r
}

// contradicted returns the verdict on a job about which two sources contradict each other.
func (r record) contradicted(code jpayment.Code, what jpayment.Text) verdict {
	return verdict{state: StateReview, reason: ReasonContradicted, code: code, result: r.Result, what: what}
}

// kickbackText returns what a kickback says.
func kickbackText(k *jpayment.Kickback) jpayment.Text {
	if k.Status == jpayment.StatusSucceeded {
		return textf("a kickback reported the new payment %s", "決済結果通知によれば、新しい決済は %s です", k.PaymentID)
	}
	code := codeText(k.Code)
	return jpayment.Text{En: "a kickback reported a failure: " + code.En, Ja: "決済結果通知によれば、決済は失敗しました: " + code.Ja}
}

// mayDecide reports whether a person may make the decision, given the number of the job's
// unknown attempts.
func (r record) mayDecide(d Decision, unknown int) bool {
	state := d.State
	switch {
	case r.State == StateReview, r.State == StateAwaiting, r.Dispute != jpayment.Text{}:
		return true
	case r.State == StateWaiting: // It is withdrawn, if it cannot have been carried out.
		return unknown == 0 && state == StateRefused
	case r.State == StateRefused && state == StateWaiting:
		return true
	case r.State == StateRefused, r.State == StateDone: // Only a person's decision can be corrected.
		return r.Reason == ReasonDecided && d.Corrects
	default:
		return false
	}
}

// decided returns the job after a person's decision.
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

// backOff returns the wait after the n-th failure. It is random between half of a bound and the
// bound, so that many jobs do not return at once. The bound doubles from 5 seconds to 10
// minutes.
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
	// maintenanceRetry is how long to wait for maintenance outside of these hours.
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

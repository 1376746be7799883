//go:build linux

package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/jpayment-go/jpayment"
	"github.com/jpayment-go/jpayment/fulfilment"
)

// evidence is everything that is compared at the end.
type evidence struct {
	orders    []order
	shipped   map[string]int
	jobs      []fulfilment.Job
	attempts  map[int64][]fulfilment.Attempt // of jobs in review
	changes   []told
	heard     []told
	books     map[string]payment
	traffic   traffic
	delivered map[string]bool // new payments whose kickback was accepted
	known     []known
	// byKickback says that the reply to a re-authorisation only acknowledges it.
	byKickback bool
}

// known is an answer that a process has logged.
type known struct {
	job      int64
	attempt  int
	outcome  string
	recorded bool // the log says that it was recorded
	killed   bool // the process was killed later
	log      string
}

// finding is a violation of a promise.
type finding string

func findingf(format string, args ...any) finding { return finding(fmt.Sprintf(format, args...)) }

// reviews returns findings about jobs in review. Each must have something that no process could
// know.
func (e evidence) reviews() (all []finding) {
	for _, j := range e.jobs {
		if j.State != fulfilment.StateReview {
			continue
		}
		unknown := slices.ContainsFunc(e.attempts[j.ID], func(a fulfilment.Attempt) bool { return a.Outcome == jpayment.OutcomeUnknown })
		switch j.Reason {
		case fulfilment.ReasonDeclined:
			if j.Operation != jpayment.OpReAuth || j.Code == "" {
				all = append(all, findingf("%v: in review as declined, but it was not declined", j))
			}
		case fulfilment.ReasonNoKickback:
			if e.delivered[e.books[j.PaymentID].ReplacedBy] {
				all = append(all, findingf("%v: in review for lack of a kickback, but that was accepted", j))
			}
		case fulfilment.ReasonUnanswered, fulfilment.ReasonReplayRefused, fulfilment.ReasonInterrupted:
			if !unknown {
				all = append(all, findingf("%v: in review, but the outcome of each attempt is known", j))
			}
		default:
			all = append(all, findingf("%v: in review without a cause", j))
		}
		for _, k := range e.known {
			if k.job != j.ID || k.killed && !k.recorded {
				continue
			}
			a := slices.IndexFunc(e.attempts[j.ID], func(a fulfilment.Attempt) bool { return a.Number == k.attempt && !k.recorded })
			switch {
			case k.outcome == jpayment.OutcomeDone.String() && (j.Operation != jpayment.OpReAuth || !e.byKickback):
				all = append(all, findingf("%v: in review, but a process knew that it was done, see %s", j, k.log))
			case a >= 0 && k.outcome != e.attempts[j.ID][a].Outcome.String():
				all = append(all, findingf("%v: attempt %d was %s by the log of its process, but is recorded as %s, see %s", j, k.attempt, k.outcome, e.attempts[j.ID][a].Outcome, k.log))
			}
		}
	}
	return all
}

// lost counts the answers that were lost with the process that received them.
func (e evidence) lost() int {
	type answer struct {
		log string
		job int64
	}
	lost := map[answer]bool{}
	for _, k := range e.known { // in the order of the log
		if k.killed {
			lost[answer{k.log, k.job}] = !k.recorded
		}
	}
	n := 0
	for _, is := range lost {
		if is {
			n++
		}
	}
	return n
}

// verdicts compares the jobs with the orders, the books and the calls of order code.
func (e evidence) verdicts() (all []finding) {
	byPayment := map[string][]fulfilment.Job{}
	for _, j := range e.jobs {
		byPayment[j.PaymentID] = append(byPayment[j.PaymentID], j)
	}
	ours := map[int64]bool{}
	take := func(what, paymentID string, operation jpayment.Operation, reference string) {
		n := 0
		for _, j := range byPayment[paymentID] {
			if j.Operation == operation && j.Reference == reference {
				ours[j.ID] = true
				n++
			}
		}
		if n != 1 {
			all = append(all, findingf("%s: %d jobs for %s of payment %s instead of 1", what, n, operation, paymentID))
		}
	}
	for _, o := range e.orders {
		if e.shipped[o.reference()] != len(o.operations()) {
			all = append(all, findingf("%s: the order records %d requests instead of %d", o.reference(), e.shipped[o.reference()], len(o.operations())))
		}
		for _, op := range o.operations() {
			take(o.reference(), o.payment, op, o.reference())
		}
	}
	for _, j := range e.jobs {
		if j.Operation == jpayment.OpReAuth && j.State == fulfilment.StateDone {
			take(fmt.Sprintf("the follow-up of job %d", j.ID), j.NewPaymentID, jpayment.OpSales, followUp(j.Reference))
		}
	}
	for _, j := range e.jobs {
		if !ours[j.ID] {
			all = append(all, findingf("%v: belongs to no request", j))
		}
		all = append(all, e.verdict(j)...)
	}
	all = append(all, e.bookings()...)
	return append(all, differences(e.changes, e.heard)...)
}

// verdict compares one job with the books.
func (e evidence) verdict(j fulfilment.Job) (all []finding) {
	p, booked := e.books[j.PaymentID], e.books[j.PaymentID].ours(string(j.Operation))
	key := string(j.Operation) + " " + j.PaymentID
	switch {
	case j.State == fulfilment.StateDone && booked == 0:
		all = append(all, findingf("%v: done, but not in the books", j))
	case j.State == fulfilment.StateDone && j.Operation == jpayment.OpReAuth && j.NewPaymentID != p.ReplacedBy:
		all = append(all, findingf("%v: the new payment in the books is %s", j, p.ReplacedBy))
	case j.State == fulfilment.StateRefused && booked > 0:
		all = append(all, findingf("%v: refused, but in the books", j))
	}
	if j.Dispute != (jpayment.Text{}) {
		all = append(all, findingf("%v: disputed, although the gateway sends no false kickbacks", j))
	}
	if n := e.traffic.sent[key]; n > j.Attempts {
		all = append(all, findingf("%v: %d requests were sent, more than recorded attempts", j, n))
	}
	if n := e.traffic.considered[key]; j.Operation == jpayment.OpReAuth && n > 1 {
		all = append(all, findingf("%v: sent again, and processed %d times", j, n))
	}
	return all
}

// bookings returns the operations that were booked twice.
func (e evidence) bookings() (all []finding) {
	replaced := map[string]string{}
	for id, p := range e.books {
		for _, op := range []jpayment.Operation{jpayment.OpSales, jpayment.OpCancel, jpayment.OpReAuth} {
			if n := p.ours(string(op)); n > 1 {
				all = append(all, findingf("payment %s: %s was booked %d times", id, op, n))
			}
		}
		if p.Replaces == "" {
			continue
		}
		if other := replaced[p.Replaces]; other != "" {
			all = append(all, findingf("payment %s was replaced twice, by %s and %s", p.Replaces, other, id))
		}
		replaced[p.Replaces] = id
	}
	return all
}

// stuck returns the jobs that are not settled and do not wait for a person or for maintenance to
// end, directly or through the jobs that they come after.
func stuck(jobs []fulfilment.Job) (all []fulfilment.Job) {
	held := map[int64]bool{}
	for _, j := range jobs { // A job comes after an earlier one.
		switch {
		case j.State == fulfilment.StateReview, awaitsMaintenance(j):
			held[j.ID] = true
		case j.State == fulfilment.StateWaiting && j.Reason == fulfilment.ReasonAfter && held[j.After]:
			held[j.ID] = true
		case !j.State.Settled():
			all = append(all, j)
		}
	}
	return all
}

// awaitsMaintenance reports whether a job waits for maintenance to end, which takes five minutes
// outside of its scheduled hours.
func awaitsMaintenance(j fulfilment.Job) bool {
	return j.State == fulfilment.StateWaiting && j.Reason == fulfilment.ReasonMaintenance
}

// differences returns the changes for which order code was not called exactly once.
func differences(changes, heard []told) (all []finding) {
	count := map[told]int{}
	for _, t := range changes {
		count[t]++
	}
	for _, t := range heard {
		count[t]--
	}
	for t, n := range count {
		switch {
		case n > 0:
			all = append(all, findingf("job %d became %s (%s), but order code was not called", t.job, t.state, t.reason))
		case n < 0:
			all = append(all, findingf("order code was called %d times too often when job %d became %s (%s)", -n, t.job, t.state, t.reason))
		}
	}
	return all
}

// answersIn reads the answers in the log of a worker.
func answersIn(p *process) (all []known, err error) {
	f, err := os.Open(p.log)
	if err != nil {
		return nil, err
	}
	defer f.Close() //nolint:errcheck // It is only read.
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var l struct {
			Msg     string `json:"msg"`
			Outcome string `json:"outcome"`
			Attempt int    `json:"attempt"`
			Job     struct {
				ID int64 `json:"id"`
			} `json:"job"`
		}
		if json.Unmarshal(lines.Bytes(), &l) != nil || l.Job.ID == 0 {
			continue // The line was cut off by a kill, or concerns something else.
		}
		k := known{job: l.Job.ID, attempt: l.Attempt, outcome: l.Outcome, killed: p.wasKilled(), log: p.log}
		switch {
		case l.Msg == "fulfilment: attempt":
			k.recorded = true
		case strings.HasPrefix(l.Msg, "fulfilment: an answer "):
		default:
			continue
		}
		all = append(all, k)
	}
	return all, lines.Err()
}

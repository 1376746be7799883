//go:build linux

package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/jpayment-go/jpayment"
	"github.com/jpayment-go/jpayment/fulfilment"
)

// book returns a payment with operations carried out by request.
func book(id string, operations ...string) payment {
	p := payment{ID: id}
	for i, op := range operations {
		p.History = append(p.History, struct {
			Operation string `json:"operation"`
			Request   int    `json:"request"`
		}{op, i + 1})
	}
	return p
}

// sound is the evidence of a campaign without findings: a cancelled capture, a partial shipment
// with its follow-up, and a capture in review whose outcome nobody knows.
func sound() evidence {
	replaced := book("3", "ReAuthByKickback")
	replaced.ReplacedBy = "4"
	rest := book("4", "Sales")
	rest.Replaces = "3"
	return evidence{
		orders: []order{
			{number: 1, kind: captureLast, payment: "1"}, {number: 2, kind: capture, payment: "2"}, {number: 3, kind: partial, payment: "3"},
		},
		shipped: map[string]int{"order-1": 2, "order-2": 1, "order-3": 1},
		jobs: []fulfilment.Job{
			{ID: 1, Operation: jpayment.OpSales, PaymentID: "1", Reference: "order-1", State: fulfilment.StateDone, Attempts: 1},
			{ID: 2, Operation: jpayment.OpCancel, PaymentID: "1", Reference: "order-1", State: fulfilment.StateDone, Attempts: 1, After: 1},
			{ID: 3, Operation: jpayment.OpSales, PaymentID: "2", Reference: "order-2", State: fulfilment.StateReview, Reason: fulfilment.ReasonReplayRefused, Attempts: 2},
			{ID: 4, Operation: jpayment.OpReAuth, PaymentID: "3", Reference: "order-3", State: fulfilment.StateDone, NewPaymentID: "4", Attempts: 1},
			{ID: 5, Operation: jpayment.OpSales, PaymentID: "4", Reference: "order-3-rest", State: fulfilment.StateDone, Attempts: 1},
		},
		attempts: map[int64][]fulfilment.Attempt{3: {{Number: 1, Outcome: jpayment.OutcomeUnknown}, {Number: 2, Outcome: jpayment.OutcomeRefused}}},
		changes:  []told{{1, "done", ""}, {2, "done", ""}, {3, "review", "replay-refused"}, {4, "done", ""}, {5, "done", ""}},
		heard:    []told{{2, "done", ""}, {1, "done", ""}, {3, "review", "replay-refused"}, {4, "done", ""}, {5, "done", ""}},
		books:    map[string]payment{"1": book("1", "Sales", "Cancel"), "2": book("2", "Sales"), "3": replaced, "4": rest},
		traffic: traffic{
			sent:       map[string]int{"Sales 1": 1, "Cancel 1": 1, "Sales 2": 2, "ReAuth 3": 1, "Sales 4": 1},
			considered: map[string]int{"Sales 1": 1, "Cancel 1": 1, "Sales 2": 2, "ReAuth 3": 1, "Sales 4": 1},
		},
		delivered: map[string]bool{"4": true},
		known:     []known{{job: 1, outcome: "done", recorded: true}, {job: 3, outcome: "refused", recorded: true}},
	}
}

// Each violation is found, and nothing is found in sound evidence.
func TestWhatIsFound(t *testing.T) {
	t.Parallel()
	for what, c := range map[string]struct {
		spoil func(e *evidence)
		want  string
	}{
		"nothing":                    {func(*evidence) {}, ""},
		"done, and not booked":       {func(e *evidence) { e.books["1"] = book("1", "Cancel") }, "job 1: done, but not in the books"},
		"captured in the panel only": {func(e *evidence) { p := e.books["1"]; p.History[0].Request = 0 }, "job 1: done, but not in the books"},
		"refused, and booked":        {func(e *evidence) { e.jobs[1].State = fulfilment.StateRefused }, "job 2: refused, but in the books"},
		"another new payment":        {func(e *evidence) { p := e.books["3"]; p.ReplacedBy = "9"; e.books["3"] = p }, "job 4: the new payment in the books is 9"},
		"disputed":                   {func(e *evidence) { e.jobs[0].Dispute = jpayment.Text{En: "failed"} }, "job 1: disputed, although the gateway sends no false kickbacks"},
		"sent without a record":      {func(e *evidence) { e.traffic.sent["Sales 1"] = 2 }, "job 1: 2 requests were sent, more than recorded attempts"},
		"re-authorised twice":        {func(e *evidence) { e.jobs[3].Attempts = 2; e.traffic.considered["ReAuth 3"] = 2 }, "job 4: sent again, and processed 2 times"},
		"booked twice":               {func(e *evidence) { e.books["2"] = book("2", "Sales", "Sales") }, "payment 2: Sales was booked 2 times"},
		"replaced twice":             {func(e *evidence) { p := book("5"); p.Replaces = "3"; e.books["5"] = p }, "payment 3 was replaced twice"},
		"no follow-up":               {func(e *evidence) { e.jobs = e.jobs[:4] }, "the follow-up of job 4: 0 jobs for Sales of payment 4"},
		"two follow-ups":             {func(e *evidence) { j := e.jobs[4]; j.ID = 6; e.jobs = append(e.jobs, j) }, "the follow-up of job 4: 2 jobs for Sales of payment 4"},
		"a follow-up for nothing":    {func(e *evidence) { e.jobs[3].State = fulfilment.StateReview }, "job 5: belongs to no request"},
		"a request is lost":          {func(e *evidence) { e.jobs = slices.Delete(e.jobs, 1, 2) }, "order-1: 0 jobs for Cancel of payment 1"},
		"an order half recorded":     {func(e *evidence) { e.shipped["order-1"] = 1 }, "order-1: the order records 1 requests instead of 2"},
		"order code was not called":  {func(e *evidence) { e.heard = e.heard[1:] }, "job 2 became done (), but order code was not called"},
		"order code called twice":    {func(e *evidence) { e.heard = append(e.heard, e.heard[0]) }, "order code was called 1 times too often when job 2"},
		"in review for nothing":      {func(e *evidence) { e.attempts[3][0].Outcome = jpayment.OutcomeNotSent }, "job 3: in review, but the outcome of each attempt is known"},
		"in review without a cause":  {func(e *evidence) { e.jobs[2].Reason = fulfilment.ReasonContradicted }, "job 3: in review without a cause"},
		"not declined":               {func(e *evidence) { e.jobs[2].Reason = fulfilment.ReasonDeclined }, "job 3: in review as declined, but it was not declined"},
		"a kickback that was accepted": {func(e *evidence) {
			e.jobs[3].State, e.jobs[3].Reason = fulfilment.StateReview, fulfilment.ReasonNoKickback
		}, "job 4: in review for lack of a kickback, but that was accepted"},
		"known to be done": {func(e *evidence) { e.known[1].outcome = "done" }, "job 3: in review, but a process knew that it was done"},
		"known to be replaced": {func(e *evidence) {
			e.jobs[3].State, e.jobs[3].Reason = fulfilment.StateReview, fulfilment.ReasonUnanswered
			e.attempts[4] = []fulfilment.Attempt{{Number: 1, Outcome: jpayment.OutcomeUnknown}}
			e.known = append(e.known, known{job: 4, outcome: "done", recorded: true})
		}, "job 4: in review, but a process knew that it was done"},
		"an answer was thrown away":   {func(e *evidence) { e.known[1] = known{job: 3, attempt: 1, outcome: "refused"} }, "job 3: attempt 1 was refused by the log of its process, but is recorded as unknown"},
		"an answer died with its own": {func(e *evidence) { e.known[1] = known{job: 3, attempt: 1, outcome: "refused", killed: true} }, ""},
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			e := sound()
			c.spoil(&e)
			found := append(e.reviews(), e.verdicts()...)
			if c.want == "" {
				require.Empty(t, found)
				return
			}
			require.True(t, slices.ContainsFunc(found, func(f finding) bool { return matches(f, c.want) }), "%q", found)
		})
	}
}

// matches reports whether a finding matches, if its job is replaced by the job's number.
func matches(f finding, want string) bool {
	text := regexp.MustCompile(`Job\{id=(\d+)[^}]*\}`).ReplaceAllString(string(f), "job $1")
	return strings.HasPrefix(text, want)
}

func TestWhatIsStuck(t *testing.T) {
	t.Parallel()
	after := func(id, before int64) fulfilment.Job {
		return fulfilment.Job{ID: id, After: before, State: fulfilment.StateWaiting, Reason: fulfilment.ReasonAfter}
	}
	jobs := []fulfilment.Job{
		{ID: 1, State: fulfilment.StateReview},
		after(2, 1), after(3, 2), // They go on once a person has decided.
		{ID: 4, State: fulfilment.StateDone},
		after(5, 4),
		{ID: 6, State: fulfilment.StateRunning},
		{ID: 7, State: fulfilment.StateWaiting, Reason: fulfilment.ReasonMaintenance},
		after(8, 7),
	}
	ids := []int64{}
	for _, j := range stuck(jobs) {
		ids = append(ids, j.ID)
	}
	require.Equal(t, []int64{5, 6}, ids)
}

// The answers in a worker's log are read: recorded ones, those not recorded yet, and not a line
// that was cut off by a kill.
func TestAnswersAreReadFromTheLog(t *testing.T) {
	t.Parallel()
	log := filepath.Join(t.TempDir(), "worker.log")
	var text []byte
	for _, line := range []map[string]any{
		{"msg": "working"},
		{"msg": "fulfilment: an answer is not recorded yet", "job": map[string]any{"id": 7}, "attempt": 2, "outcome": "done"},
		{"msg": "fulfilment: attempt", "job": map[string]any{"id": 7, "attempts": 2}, "outcome": "done"},
		{"msg": "fulfilment: overdue", "job": map[string]any{"id": 8}},
	} {
		b, err := json.Marshal(line)
		require.NoError(t, err)
		text = append(append(text, b...), '\n')
	}
	require.NoError(t, os.WriteFile(log, append(text, `{"msg":"fulfilment: attempt","job":{"id":9`...), 0o600))
	got, err := answersIn(&process{log: log, killed: true})
	require.NoError(t, err)
	require.Equal(t, []known{
		{job: 7, attempt: 2, outcome: "done", killed: true, log: log},
		{job: 7, outcome: "done", recorded: true, killed: true, log: log},
	}, got)
	require.Zero(t, evidence{known: got}.lost())
	require.Equal(t, 1, evidence{known: got[:1]}.lost())
}

func TestPlan(t *testing.T) {
	t.Parallel()
	const length = 10 * time.Second
	first := plan(7, length, 3, common, onSQLite)
	require.Equal(t, first, plan(7, length, 3, common, onSQLite))
	require.NotEqual(t, first, plan(8, length, 3, common, onSQLite))
	for seed := range uint64(50) {
		seen := map[trouble]bool{}
		for _, e := range plan(seed, length, 3, common, onPostgres, onSQLite) {
			seen[e.trouble] = true
			require.Less(t, e.at, length)
			require.Less(t, e.worker, 3)
		}
		require.Len(t, seen, len(common)+len(onPostgres)+len(onSQLite), "seed %d", seed)
	}
}

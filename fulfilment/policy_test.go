package fulfilment

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/jpayment-go/jpayment"
)

// The errors of calls, as the client makes them.

func answered(op jpayment.Operation, code jpayment.Code) error {
	return &jpayment.GatewayError{Call: jpayment.Call{Operation: op}, Code: code}
}

func answeredAgain(op jpayment.Operation, code jpayment.Code) error {
	return &jpayment.GatewayError{Call: jpayment.Call{Operation: op, Earlier: lostReply(op)}, Code: code}
}

func lostReply(op jpayment.Operation) error {
	return &jpayment.TransportError{Call: jpayment.Call{Operation: op}, Err: errors.New("connection reset")}
}

func unsent(op jpayment.Operation, cause error) error {
	return &jpayment.TransportError{Call: jpayment.Call{Operation: op}, NotSent: true, Err: cause}
}

func unreadable(op jpayment.Operation, cause error) error {
	return &jpayment.ReplyError{Call: jpayment.Call{Operation: op}, Reason: jpayment.Text{En: "is no row"}, Err: cause}
}

func invalid(op jpayment.Operation) error {
	return &jpayment.ValidationError{Call: jpayment.Call{Operation: op}, Fields: []jpayment.InvalidField{{Field: "Extra", Reason: jpayment.Text{En: "is too long"}}}}
}

// callErrors are all the ways in which a call can end.
func callErrors(op jpayment.Operation) map[string]error {
	all := map[string]error{
		"nothing":           nil,
		"invalid":           invalid(op),
		"not sent":          unsent(op, errors.New("no route")),
		"stopped":           unsent(op, context.Canceled),
		"lost":              lostReply(op),
		"unreadable":        unreadable(op, nil),
		"test mode":         unreadable(op, jpayment.ErrTestMode),
		"nobody's":          errors.New("who knows"),
		"joined":            errors.Join(invalid(op), lostReply(op)),
		"congestion, again": answeredAgain(op, "ER010"),
		"refused, again":    answeredAgain(op, "ER032"),
	}
	for _, code := range []jpayment.Code{"ER000", "ER001", "ER003", "ER010", "ER032", "ER033", "ER042", "ER053", "ER123", "ER999", "G1242G120000"} {
		all[string(code)] = answered(op, code)
	}
	return all
}

func TestJudge(t *testing.T) {
	type want struct {
		state  State
		reason Reason
		pause  bool
	}
	waits := func(r Reason) want { return want{state: StateWaiting, reason: r} }
	review := func(r Reason) want { return want{state: StateReview, reason: r} }
	refused := want{state: StateRefused, reason: ReasonCode}
	const (
		first    = "first"  // no earlier attempt is unknown
		replay   = "replay" // an earlier attempt is unknown
		last     = "last"   // no replay is left
		reauth   = "re-authorisation"
		kickback = "re-authorisation by kickback"
	)
	// By the kind of error. For a call that is not listed, the verdict is that of first.
	table := map[string]map[string]want{
		"nothing":    {first: {state: StateDone}, kickback: {state: StateAwaiting}},
		"invalid":    {first: {state: StateRefused, reason: ReasonInvalid}, replay: review(ReasonUnanswered), last: review(ReasonUnanswered)},
		"not sent":   {first: waits(ReasonNotSent)},
		"stopped":    {first: waits(ReasonNotSent)},
		"lost":       {first: waits(ReasonUnknown), last: review(ReasonUnanswered), reauth: review(ReasonUnanswered), kickback: {state: StateAwaiting, reason: ReasonUnknown}},
		"unreadable": {first: waits(ReasonUnknown), last: review(ReasonUnanswered), reauth: review(ReasonUnanswered), kickback: {state: StateAwaiting, reason: ReasonUnknown}},
		"nobody's":   {first: waits(ReasonUnknown), last: review(ReasonUnanswered), reauth: review(ReasonUnanswered), kickback: {state: StateAwaiting, reason: ReasonUnknown}},
		"test mode":  {first: {state: StateReview, reason: ReasonTestMode, pause: true}},
		"ER010":      {first: waits(ReasonBusy)},
		"ER999":      {first: {state: StateWaiting, reason: ReasonMaintenance, pause: true}},
		"ER003":      {first: {state: StateWaiting, reason: ReasonNotPermitted, pause: true}},
		"ER001":      {first: refused, replay: review(ReasonReplayRefused), last: review(ReasonReplayRefused), reauth: refused, kickback: refused},
		"ER053":      {first: refused, replay: review(ReasonReplayRefused), last: review(ReasonReplayRefused), reauth: refused, kickback: refused},
		"ER032":      {first: refused, replay: review(ReasonReplayRefused), last: review(ReasonReplayRefused), reauth: review(ReasonDeclined), kickback: review(ReasonDeclined)},
		"ER033":      {first: refused, replay: review(ReasonReplayRefused), last: review(ReasonReplayRefused), reauth: review(ReasonDeclined), kickback: review(ReasonDeclined)},
		"G1242G120000": {
			first: refused, replay: review(ReasonReplayRefused), last: review(ReasonReplayRefused),
			reauth: review(ReasonDeclined), kickback: review(ReasonDeclined),
		},
		"ER000":             {first: waits(ReasonUnknown), last: review(ReasonUnanswered), reauth: review(ReasonUnanswered), kickback: {state: StateAwaiting, reason: ReasonUnknown}},
		"ER042":             {first: waits(ReasonUnknown), last: review(ReasonUnanswered), reauth: review(ReasonUnanswered), kickback: {state: StateAwaiting, reason: ReasonUnknown}},
		"ER123":             {first: waits(ReasonUnknown), last: review(ReasonUnanswered), reauth: review(ReasonUnanswered), kickback: {state: StateAwaiting, reason: ReasonUnknown}},
		"congestion, again": {first: review(ReasonReplayRefused), reauth: review(ReasonDeclined), kickback: review(ReasonDeclined)}, // Only a client that retries returns it.
		"refused, again":    {first: review(ReasonReplayRefused), reauth: review(ReasonDeclined), kickback: review(ReasonDeclined)},
		"joined":            {first: {state: StateRefused, reason: ReasonInvalid}, replay: review(ReasonUnanswered), last: review(ReasonUnanswered)},
	}
	histories := map[string][]history{
		first:    {{operation: jpayment.OpSales, attempts: 1, maxReplays: 3}, {operation: jpayment.OpCancel, attempts: 1, maxReplays: 3, notified: true}},
		replay:   {{operation: jpayment.OpSales, attempts: 2, unknown: 1, maxReplays: 3}, {operation: jpayment.OpCancel, attempts: 3, unknown: 2, maxReplays: 3}},
		last:     {{operation: jpayment.OpSales, attempts: 4, unknown: 3, maxReplays: 3}, {operation: jpayment.OpCancel, attempts: 4, unknown: 3, maxReplays: 3}},
		reauth:   {{operation: jpayment.OpReAuth, attempts: 1, maxReplays: 3}},
		kickback: {{operation: jpayment.OpReAuth, attempts: 1, maxReplays: 3, notified: true}},
	}
	for when, hs := range histories {
		for _, h := range hs {
			op := h.operation
			if when == kickback {
				op = jpayment.OpReAuthByKickback
			}
			for kind, err := range callErrors(op) {
				require.Contains(t, table, kind)
				w, named := table[kind][when]
				if !named {
					w = table[kind][first]
				}
				v := h.judge(answerOf(nil, err), time.Now())
				require.Equal(t, w, want{v.state, v.reason, v.pause}, "%s, %s of a %s", kind, when, op)
				require.Equal(t, v.state == StateWaiting, v.wait > 0, "only a waiting job has a wait")
			}
		}
	}
}

// Properties of every verdict, whatever came before.
func TestJudgeNeverGuesses(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		h := history{
			operation:  rapid.SampledFrom([]jpayment.Operation{jpayment.OpSales, jpayment.OpCancel, jpayment.OpReAuth}).Draw(t, "operation"),
			attempts:   rapid.IntRange(1, 1000).Draw(t, "attempts"),
			unknown:    rapid.IntRange(0, 12).Draw(t, "unknown"),
			notified:   rapid.Bool().Draw(t, "by kickback"),
			maxReplays: rapid.IntRange(1, 10).Draw(t, "replays"),
		}
		op := h.operation
		if op == jpayment.OpReAuth && h.notified {
			op = jpayment.OpReAuthByKickback
		}
		var err error
		switch n := rapid.IntRange(0, 2).Draw(t, "kind"); n {
		case 0:
			all := callErrors(op)
			err = all[rapid.SampledFrom(sortedKeys(all)).Draw(t, "error")]
		case 1:
			err = answered(op, jpayment.Code(fmt.Sprintf("ER%03d", rapid.IntRange(0, 999).Draw(t, "code"))))
		default:
			err = answered(op, jpayment.Code(rapid.StringMatching(`G[0-9A-Z]{11}`).Draw(t, "code")))
		}
		v, outcome := h.judge(answerOf(nil, err), time.Now()), jpayment.OutcomeOf(err)
		reauth := h.operation == jpayment.OpReAuth
		neverSent := new(*jpayment.ValidationError)

		if v.state == StateDone {
			require.NoError(t, err)
		}
		if v.state == StateRefused {
			require.True(t, h.unknown == 0 || reauth, "refused after an unknown attempt")
			require.True(t, outcome == jpayment.OutcomeRefused || errors.As(err, neverSent), "refused, with the outcome %s", outcome)
		}
		if reauth && outcome == jpayment.OutcomeUnknown {
			require.NotEqual(t, StateWaiting, v.state, "an unknown re-authorisation is not sent again")
		}
		if outcome == jpayment.OutcomeUnknown && h.unknown >= h.maxReplays {
			require.NotEqual(t, StateWaiting, v.state, "replays end")
		}
		if v.pause {
			require.True(t, errors.Is(err, jpayment.ErrNotPermitted) || errors.Is(err, jpayment.ErrMaintenance) || errors.Is(err, jpayment.ErrTestMode))
		}
		require.Contains(t, []State{StateWaiting, StateAwaiting, StateDone, StateRefused, StateReview}, v.state)
	})
}

func TestReasonsAreExplained(t *testing.T) {
	require.Len(t, reasons, 20)
	require.Zero(t, ReasonNone.Text())
	for r := range reasons {
		require.NotEmpty(t, r)
		require.NotEmpty(t, r.Text().En)
		require.NotEmpty(t, r.Text().Ja)
	}
	for _, op := range []jpayment.Operation{jpayment.OpSales, jpayment.OpCancel, jpayment.OpReAuth} {
		for _, notified := range []bool{false, true} {
			for unknown := range 4 {
				h := history{operation: op, attempts: 4, unknown: unknown, notified: notified, maxReplays: 3}
				for _, err := range callErrors(op) {
					for _, r := range []Reason{h.judge(answerOf(nil, err), time.Now()).reason, h.lost().reason} {
						require.True(t, r == ReasonNone || reasons[r].En != "", "%q has no text", r)
					}
				}
			}
		}
	}
}

func TestMaintenanceIsWaitedOut(t *testing.T) {
	at := func(text string) time.Time {
		now, err := time.ParseInLocation("15:04:05.000", text, japan)
		require.NoError(t, err)
		return now.AddDate(2027, 0, 9)
	}
	for now, wait := range map[string]time.Duration{
		"02:54:59.999": maintenanceRetry,
		"02:55:00.000": 95 * time.Minute,
		"04:00:00.000": 30 * time.Minute,
		"04:29:59.000": time.Second,
		"04:29:59.999": time.Millisecond,
		"04:30:00.000": maintenanceRetry,
		"23:00:00.000": maintenanceRetry,
	} {
		for _, location := range []*time.Location{japan, time.UTC, time.FixedZone("", -11*60*60)} {
			require.Equal(t, wait, untilMaintenanceEnds(at(now).In(location)), now)
		}
	}
}

func TestBackOffDoublesToItsBound(t *testing.T) {
	for n, bound := range map[int]time.Duration{
		-1: 5 * time.Second, 0: 5 * time.Second, 1: 5 * time.Second, 2: 10 * time.Second, 3: 20 * time.Second,
		7: 320 * time.Second, 8: 10 * time.Minute, 9: 10 * time.Minute, 1_000_000: 10 * time.Minute,
	} {
		for range 100 {
			got := backOff(n)
			require.GreaterOrEqual(t, got, bound/2, n)
			require.LessOrEqual(t, got, bound, n)
		}
	}
}

func sortedKeys(m map[string]error) []string {
	return slices.Sorted(maps.Keys(m))
}

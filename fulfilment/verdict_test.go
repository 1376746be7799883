package fulfilment

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/riverqueue/river"
	"github.com/stretchr/testify/require"

	"github.com/jpayment-go/jpayment"
	"github.com/jpayment-go/jpayment/jpaymenttest"
)

var loopback = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("::1/128")}

// The operations that may be sent again.
var replayable = []jpayment.Operation{jpayment.OpSales, jpayment.OpCancel}

func refusalIsFinal[TTx any](t *testing.T, p place[TTx]) {
	s := newSite(t, p, Config{})
	w := s.worker(s.client(nil))
	declined := s.gateway.Authorize(jpaymenttest.Authorization{Amount: 1000, Decline: "G1242G120000"})
	captured := s.authorize()
	require.NoError(t, s.captureElsewhere(captured))
	for code, id := range map[jpayment.Code]string{"G1242G120000": declined, jpayment.CodeCaptureFailed: captured, jpayment.CodePaymentID: "999"} {
		j := s.enqueueFor(jpayment.OpSales, id)
		require.False(t, s.work(w, j))
		require.False(t, s.work(w, j))
		got := s.stands(j, StateRefused, ReasonCode)
		require.Equal(t, code, got.Code)
		require.Equal(t, []jpayment.Outcome{jpayment.OutcomeRefused}, s.outcomes(j))
		require.Equal(t, 1, s.requests(j))
		s.refusedBefore(j)
	}
}

func invalidAtTheClient[TTx any](t *testing.T, p place[TTx]) {
	s := newSite(t, p, Config{})
	invalid := &jpayment.ValidationError{Fields: []jpayment.InvalidField{{Field: "Extra", Reason: jpayment.Text{En: "is too long"}}}}
	j := s.enqueue(jpayment.OpSales)
	w := s.worker(&jpaymenttest.Fake{SalesFunc: func(context.Context, jpayment.SalesRequest) (*jpayment.Result, error) { return nil, invalid }})
	require.False(t, s.work(w, j))
	s.stands(j, StateRefused, ReasonInvalid)
}

func attemptBeforeRequest[TTx any](t *testing.T, p place[TTx]) {
	s := newSite(t, p, Config{})
	for _, op := range []jpayment.Operation{jpayment.OpSales, jpayment.OpCancel, jpayment.OpReAuth} {
		j, looked := s.enqueue(op), false
		other := p(Config{}) // another connection sees only committed data
		w := s.worker(s.client(func() {
			looked = true
			got, err := other.Job(t.Context(), op, j.PaymentID)
			require.NoError(t, err)
			require.Equal(t, StateRunning, got.State)
			as, err := other.Attempts(t.Context(), j.ID)
			require.NoError(t, err)
			require.Len(t, as, 1)
			require.Zero(t, as[0].EndedAt)
			require.NotZero(t, as[0].StartedAt)
			require.Equal(t, jpayment.OutcomeUnknown, as[0].Outcome)
		}))
		require.False(t, s.work(w, j))
		require.True(t, looked)
		s.stands(j, StateDone, ReasonNone)
		require.NotZero(t, s.attempts(j)[0].EndedAt)
	}
}

func notSentIsSentLater[TTx any](t *testing.T, p place[TTx]) {
	s := newSite(t, p, Config{})
	unreachable := s.client(nil, jpayment.WithHTTPClient(&http.Client{Transport: &http.Transport{
		DialContext: func(context.Context, string, string) (net.Conn, error) { return nil, errors.New("no route") },
	}}))
	for _, op := range []jpayment.Operation{jpayment.OpSales, jpayment.OpCancel, jpayment.OpReAuth} {
		j := s.enqueue(op)
		for range 3 {
			require.False(t, s.work(s.worker(unreachable), j))
			got := s.stands(j, StateWaiting, ReasonNotSent)
			require.Greater(t, got.Due, s.clock().Add(time.Second))
			require.True(t, s.work(s.worker(s.client(nil)), j), "it is not due")
			s.pass(maxBackOff)
		}
		require.Zero(t, s.requests(j))
		require.False(t, s.work(s.worker(s.client(nil)), j))
		s.stands(j, StateDone, ReasonNone)
		require.Equal(t, []jpayment.Outcome{jpayment.OutcomeNotSent, jpayment.OutcomeNotSent, jpayment.OutcomeNotSent, jpayment.OutcomeDone}, s.outcomes(j))
	}
	require.EqualValues(t, 3*4, s.riverJobs(), "each waiting job has a River job")
}

func congestion[TTx any](t *testing.T, p place[TTx]) {
	s := newSite(t, p, Config{})
	for _, op := range []jpayment.Operation{jpayment.OpSales, jpayment.OpCancel, jpayment.OpReAuth} {
		s.gateway.Fail(jpaymenttest.Fault{Kind: jpaymenttest.AnswerCode, Code: "ER010", Operation: op, Nth: 1})
		w, j := s.worker(s.client(nil)), s.enqueue(op)
		require.False(t, s.work(w, j))
		got := s.stands(j, StateWaiting, ReasonBusy)
		require.Equal(t, jpayment.Code("ER010"), got.Code)
		require.True(t, s.work(w, j), "it is not due")
		s.pass(minBackOff)
		require.False(t, s.work(w, j))
		got = s.stands(j, StateDone, ReasonNone)
		require.Empty(t, got.Code)
		require.Equal(t, []jpayment.Outcome{jpayment.OutcomeRefused, jpayment.OutcomeDone}, s.outcomes(j))
	}
}

func maintenance[TTx any](t *testing.T, p place[TTx]) {
	var log strings.Builder
	s := newSite(t, p, Config{Logger: slog.New(slog.NewTextHandler(&log, nil))})
	// To the beginning of the window, on any day.
	night := time.Date(2027, 1, 10, 3, 0, 0, 0, japan)
	s.pass(time.Until(night))
	s.gateway.SetMaintenance(true)
	w := s.worker(s.client(nil))
	first, second := s.enqueue(jpayment.OpSales), s.enqueue(jpayment.OpReAuth)
	require.False(t, s.work(w, first))
	got := s.stands(first, StateWaiting, ReasonMaintenance)
	require.False(t, got.Due.Before(time.Date(2027, 1, 10, 4, 30, 0, 0, japan)), got.Due)
	require.Less(t, got.Due, time.Date(2027, 1, 10, 4, 36, 0, 0, japan))
	require.Contains(t, log.String(), `level=WARN msg="fulfilment: paused"`)
	require.Contains(t, log.String(), "until=2027-01-")
	require.NotContains(t, log.String(), "until Resume is called", "it ends automatically")

	require.True(t, s.work(w, second))
	require.True(t, s.work(w, first))
	require.Len(t, s.gateway.Requests(), 1, "nothing is sent meanwhile")
	s.stands(second, StateWaiting, ReasonNone)
	var snoozed *river.JobSnoozeError
	require.ErrorAs(t, w.Work(t.Context(), riverJob(second)), &snoozed)
	require.LessOrEqual(t, snoozed.Duration, pausedSnooze, "Resume is to be heeded before the maintenance was to end")

	s.gateway.SetMaintenance(false)
	s.pass(got.Due.Sub(s.clock()) + time.Second)
	for _, j := range []Job{first, second} {
		require.False(t, s.work(w, j))
		s.stands(j, StateDone, ReasonNone)
	}
}

func configurationPauses[TTx any](t *testing.T, p place[TTx]) {
	s := newSite(t, p, Config{})
	s.gateway.RegisterIPs()
	w := s.worker(s.client(nil))
	first, second := s.enqueue(jpayment.OpSales), s.enqueue(jpayment.OpSales)
	require.False(t, s.work(w, first))
	s.stands(first, StateWaiting, ReasonNotPermitted)

	other := p(Config{})
	st, err := other.Status(t.Context(), "")
	require.NoError(t, err)
	require.NotNil(t, st.Paused)
	require.Equal(t, jpayment.CodeSourceIP, st.Paused.Code)
	require.Contains(t, st.Paused.Why.En, "ER003")
	require.NotZero(t, st.Paused.At)
	require.NoError(t, other.Pause(t.Context(), "the first reason stays"))
	again, err := s.Status(t.Context(), "")
	require.NoError(t, err)
	require.Equal(t, st.Paused, again.Paused)

	s.gateway.RegisterIPs(loopback...)
	s.pass(time.Minute)
	require.True(t, s.work(w, second))
	require.True(t, s.work(w, first))
	require.Len(t, s.gateway.Requests(), 1)

	require.NoError(t, other.Resume(t.Context()))
	for _, j := range []Job{first, second} {
		require.False(t, s.work(w, j))
		s.stands(j, StateDone, ReasonNone)
	}
	st, err = s.Status(t.Context(), "")
	require.NoError(t, err)
	require.Nil(t, st.Paused)
}

func testApproval[TTx any](t *testing.T, p place[TTx]) {
	s := newSite(t, p, Config{})
	s.gateway.SetTestMode(true)
	w := s.worker(s.client(nil))
	j, other := s.enqueue(jpayment.OpSales), s.enqueue(jpayment.OpSales)
	require.False(t, s.work(w, j))
	got := s.stands(j, StateReview, ReasonTestMode)
	require.NotEmpty(t, got.Next().En)
	require.NotEmpty(t, got.Next().Ja)
	require.True(t, s.work(w, other))
	require.Len(t, s.gateway.Requests(), 1)
	st, err := s.Status(t.Context(), "")
	require.NoError(t, err)
	require.NotNil(t, st.Paused)
	require.Contains(t, st.Paused.Why.En, "test mode")
}

func replaySucceeds[TTx any](t *testing.T, p place[TTx]) {
	s := newSite(t, p, Config{})
	w := s.worker(s.client(nil))
	for _, op := range replayable {
		j := s.enqueue(op)
		s.gateway.Fail(jpaymenttest.Fault{Kind: jpaymenttest.DropBeforeBooking, PaymentID: j.PaymentID, Nth: 1})
		require.False(t, s.work(w, j))
		s.stands(j, StateWaiting, ReasonUnknown)
		require.True(t, s.work(w, j), "it is not due")
		s.pass(maxBackOff)
		require.False(t, s.work(w, j))
		s.stands(j, StateDone, ReasonNone)
		require.Equal(t, []jpayment.Outcome{jpayment.OutcomeUnknown, jpayment.OutcomeDone}, s.outcomes(j))
		require.Equal(t, 1, s.booked(j))
	}
}

func replayRefused[TTx any](t *testing.T, p place[TTx]) {
	s := newSite(t, p, Config{})
	w := s.worker(s.client(nil))
	for i, op := range replayable {
		j := s.enqueue(op)
		s.gateway.Fail(jpaymenttest.Fault{Kind: jpaymenttest.DropAfterBooking, PaymentID: j.PaymentID, Nth: 1})
		require.False(t, s.work(w, j))
		s.pass(maxBackOff)
		require.False(t, s.work(w, j))
		got := s.stands(j, StateReview, ReasonReplayRefused)
		require.Equal(t, []jpayment.Code{jpayment.CodeCaptureFailed, jpayment.CodeCancelFailed}[i], got.Code)
		require.NotEmpty(t, got.Next().En)
		require.Equal(t, []jpayment.Outcome{jpayment.OutcomeUnknown, jpayment.OutcomeRefused}, s.outcomes(j))
		s.pass(maxBackOff)
		require.False(t, s.work(w, j))
		require.Equal(t, 2, s.requests(j), "a review ends the sending")
		require.Equal(t, 1, s.booked(j))
	}
}

func replaysEnd[TTx any](t *testing.T, p place[TTx]) {
	s := newSite(t, p, Config{})
	w := s.worker(s.client(nil))
	for _, op := range replayable {
		j := s.enqueue(op)
		s.gateway.Fail(jpaymenttest.Fault{Kind: jpaymenttest.DropBeforeBooking, PaymentID: j.PaymentID})
		for range 2 * w.cfg.MaxReplays {
			require.False(t, s.work(w, j))
			s.pass(maxBackOff)
		}
		s.stands(j, StateReview, ReasonUnanswered)
		require.Equal(t, 1+w.cfg.MaxReplays, s.requests(j))
		require.Len(t, s.attempts(j), 1+w.cfg.MaxReplays)
	}
}

var storeOf = map[time.Duration]string{0: "123456", time.Hour: "654321"}

func unknownReAuth[TTx any](t *testing.T, p place[TTx]) {
	for wait, state := range map[time.Duration]State{0: StateReview, time.Hour: StateAwaiting} {
		s := newSite(t, p, Config{StoreID: storeOf[wait], KickbackWait: wait}, jpaymenttest.WithStoreID(storeOf[wait]))
		j, w := s.enqueue(jpayment.OpReAuth), s.worker(s.client(nil))
		s.gateway.Fail(jpaymenttest.Fault{Kind: jpaymenttest.DropBeforeBooking, PaymentID: j.PaymentID, Nth: 1})
		for range 3 {
			require.False(t, s.work(w, j))
			require.NoError(t, w.sweep(t.Context()))
			require.Equal(t, state, s.look(j).State)
			s.pass(maxBackOff)
		}
		s.pass(wait)
		require.NoError(t, w.sweep(t.Context()))
		require.False(t, s.work(w, j))
		require.Equal(t, StateReview, s.look(j).State)
		require.Equal(t, 1, s.requests(j))
		require.Zero(t, s.booked(j))
	}
}

func declinedReAuth[TTx any](t *testing.T, p place[TTx]) {
	s := newSite(t, p, Config{})
	w := s.worker(s.client(nil))
	for code, want := range map[jpayment.Code]struct {
		state  State
		reason Reason
	}{
		"G1242G120000": {StateReview, ReasonDeclined},
		"ER033":        {StateReview, ReasonDeclined},
		"ER000":        {StateReview, ReasonUnanswered},
		"ER053":        {StateRefused, ReasonCode},
	} {
		j := s.enqueue(jpayment.OpReAuth)
		s.gateway.Fail(jpaymenttest.Fault{Kind: jpaymenttest.AnswerCode, Code: code, PaymentID: j.PaymentID})
		require.False(t, s.work(w, j))
		s.stands(j, want.state, want.reason)
		require.False(t, s.work(w, j))
		require.Equal(t, 1, s.requests(j))
	}
}

func panickingGateway[TTx any](t *testing.T, p place[TTx]) {
	s := newSite(t, p, Config{})
	j := s.enqueue(jpayment.OpReAuth)
	w := s.worker(&jpaymenttest.Fake{ReAuthFunc: func(context.Context, jpayment.ReAuthRequest) (*jpayment.Result, error) { panic("nobody@example.com") }})
	require.False(t, s.work(w, j))
	s.stands(j, StateReview, ReasonUnanswered)
	j = s.enqueue(jpayment.OpSales)
	w = s.worker(&jpaymenttest.Fake{SalesFunc: func(context.Context, jpayment.SalesRequest) (*jpayment.Result, error) { return nil, nil }})
	require.False(t, s.work(w, j))
	s.stands(j, StateWaiting, ReasonUnknown)
	// Nor does a result count if it comes with an error.
	j = s.enqueue(jpayment.OpReAuth)
	w = s.worker(&jpaymenttest.Fake{ReAuthFunc: func(context.Context, jpayment.ReAuthRequest) (*jpayment.Result, error) {
		return &jpayment.Result{PaymentID: "77"}, lostReply(jpayment.OpReAuth)
	}})
	require.False(t, s.work(w, j))
	got := s.stands(j, StateReview, ReasonUnanswered)
	require.Nil(t, got.Result)
	require.Empty(t, got.NewPaymentID)
}

// begins simulates a process that is killed before the reply.
func (s *site[TTx]) begins(w *worker[TTx], j Job) *attempt {
	s.t.Helper()
	b, err := w.begins.do(j.ID)
	require.NoError(s.t, err)
	require.NotNil(s.t, b.attempt)
	return b.attempt
}

func leftOpen[TTx any](t *testing.T, p place[TTx]) {
	s := newSite(t, p, Config{})
	w := s.worker(s.client(nil))
	for _, op := range replayable {
		j := s.enqueue(op)
		s.begins(w, j)
		require.NoError(t, w.sweep(t.Context()))
		s.stands(j, StateRunning, ReasonNone)
		require.False(t, s.work(w, j))
		require.Zero(t, s.requests(j), "another process has it")

		s.pass(w.cfg.lease() + time.Second)
		before := s.riverJobs()
		require.NoError(t, w.sweep(t.Context()))
		require.NoError(t, w.sweep(t.Context()))
		s.stands(j, StateWaiting, ReasonInterrupted)
		require.Equal(t, before+1, s.riverJobs())
		require.NotZero(t, s.attempts(j)[0].EndedAt)
		require.False(t, s.work(w, j))
		s.stands(j, StateDone, ReasonNone)
		require.Equal(t, []jpayment.Outcome{jpayment.OutcomeUnknown, jpayment.OutcomeDone}, s.outcomes(j))
	}

	j := s.enqueue(jpayment.OpReAuth)
	s.begins(w, j)
	s.pass(w.cfg.lease() + time.Second)
	require.NoError(t, w.sweep(t.Context()))
	s.stands(j, StateReview, ReasonInterrupted)
	require.False(t, s.work(w, j))
	require.Zero(t, s.requests(j))
}

func lateEnd[TTx any](t *testing.T, p place[TTx]) {
	s := newSite(t, p, Config{})
	w := s.worker(s.client(nil))
	givenUp := func() (Job, *attempt) {
		j := s.enqueue(jpayment.OpReAuth)
		a := s.begins(w, j)
		s.pass(w.cfg.lease() + time.Second)
		require.NoError(t, w.sweep(t.Context()))
		return s.stands(j, StateReview, ReasonInterrupted), a
	}
	refused := func(j Job) {
		_, err := s.Review(t.Context(), j.ID, Decision{State: StateRefused, By: "the till"})
		require.NoError(t, err)
	}
	success := func(a *attempt) {
		res := &jpayment.Result{PaymentID: "77", Status: jpayment.StatusSucceeded}
		require.NoError(t, w.end(t.Context(), a, answerOf(res, nil)))
	}

	j, a := givenUp()
	success(a)
	require.Equal(t, "77", s.stands(j, StateDone, ReasonNone).NewPaymentID)
	require.Equal(t, []jpayment.Outcome{jpayment.OutcomeDone}, s.outcomes(j))

	j, a = givenUp()
	refused(j)
	success(a)
	s.stands(j, StateDone, ReasonNone)

	j, a = givenUp()
	require.NoError(t, w.end(t.Context(), a, answerOf(nil, answered(jpayment.OpReAuth, "ER010"))))
	s.stands(j, StateWaiting, ReasonBusy)

	j, a = givenUp()
	refused(j)
	require.NoError(t, w.end(t.Context(), a, answerOf(nil, answered(jpayment.OpReAuth, "ER010"))))
	s.stands(j, StateRefused, ReasonDecided)

	// A capture that was given up is on its way again; the first answer counts only once.
	j = s.enqueue(jpayment.OpSales)
	a = s.begins(w, j)
	s.pass(w.cfg.lease() + time.Second)
	require.NoError(t, w.sweep(t.Context()))
	b := s.begins(w, j)
	success(a)
	require.NoError(t, w.end(t.Context(), b, answerOf(nil, answered(jpayment.OpSales, jpayment.CodeCaptureFailed))))
	s.stands(j, StateDone, ReasonNone)
	require.Equal(t, []jpayment.Outcome{jpayment.OutcomeDone, jpayment.OutcomeRefused}, s.outcomes(j))

	// Its first answer is a refusal. Whether it comes before the second answer or after it, both
	// are known in the end, so no review is necessary.
	for _, firstComesFirst := range []bool{true, false} {
		j = s.enqueue(jpayment.OpSales)
		a = s.begins(w, j)
		s.pass(w.cfg.lease() + time.Second)
		require.NoError(t, w.sweep(t.Context()))
		b = s.begins(w, j)
		order := []*attempt{a, b}
		if !firstComesFirst {
			order = []*attempt{b, a}
		}
		for _, one := range order {
			require.NoError(t, w.end(t.Context(), one, answerOf(nil, answered(jpayment.OpSales, jpayment.CodeCaptureFailed))))
		}
		require.Equal(t, jpayment.CodeCaptureFailed, s.stands(j, StateRefused, ReasonCode).Code)
		require.Equal(t, []jpayment.Outcome{jpayment.OutcomeRefused, jpayment.OutcomeRefused}, s.outcomes(j))
	}
}

// unwrittenEnd has an answer that the database does not accept. It is kept as long as the process
// lives; if it is never recorded, the outcome counts as unknown.
func unwrittenEnd[TTx any](t *testing.T, p place[TTx]) {
	var log strings.Builder
	s := newSite(t, p, Config{Logger: slog.New(slog.NewTextHandler(&log, nil))})
	stop, cancel := context.WithCancel(t.Context())
	defer cancel()
	w := s.worker(s.client(nil))
	w.stop = stop
	j := s.enqueue(jpayment.OpReAuth)
	a := s.begins(w, j)
	ans := w.call(t.Context(), a)
	require.Equal(t, jpayment.OutcomeDone, ans.outcome)
	s.exec("ALTER TABLE " + s.table("jpayment_attempt") + " RENAME TO jpayment_away")
	s.pass(10 * w.cfg.lease()) // It keeps trying, however long that takes.
	ended := make(chan error, 1)
	go func() { ended <- w.end(t.Context(), a, ans) }()
	eventually(t, "the failure is not reported", func() bool { return !s.Health().OK() })
	s.exec("ALTER TABLE " + s.table("jpayment_away") + " RENAME TO jpayment_attempt")
	require.NoError(t, <-ended)
	s.stands(j, StateDone, ReasonNone)
	require.Contains(t, log.String(), "new_payment_id="+ans.result.PaymentID, "it can be recovered from the log")

	j = s.enqueue(jpayment.OpSales)
	a = s.begins(w, j)
	require.Equal(t, jpayment.OutcomeDone, w.call(t.Context(), a).outcome)
	s.exec("ALTER TABLE " + s.table("jpayment_attempt") + " RENAME TO jpayment_away")
	s.pass(w.cfg.lease() + time.Second)
	cancel()
	require.ErrorContains(t, w.end(t.Context(), a, done), "unknown")
	s.exec("ALTER TABLE " + s.table("jpayment_away") + " RENAME TO jpayment_attempt")
	require.Contains(t, log.String(), "was never recorded")
	s.stands(j, StateRunning, ReasonNone)
	require.Equal(t, []jpayment.Outcome{jpayment.OutcomeUnknown}, s.outcomes(j))

	w = s.worker(s.client(nil))
	require.NoError(t, w.sweep(t.Context()))
	require.False(t, s.work(w, j))
	s.stands(j, StateReview, ReasonReplayRefused)
	require.Equal(t, 1, s.booked(j))
}

func (s *site[TTx]) table(name string) string {
	if s.db.schema() == "" {
		return name
	}
	return s.db.schema() + "." + name
}

func twoWorkers[TTx any](t *testing.T, p place[TTx]) {
	s := newSite(t, p, Config{})
	another := &site[TTx]{Queue: p(Config{}), t: t, gateway: s.gateway}
	workers := []*worker[TTx]{s.worker(s.client(nil)), another.worker(s.client(nil))}
	for range 5 {
		j := s.enqueue(jpayment.OpReAuth)
		var all sync.WaitGroup
		for i := range 8 {
			all.Go(func() { s.work(workers[i%2], j) })
		}
		all.Wait()
		s.stands(j, StateDone, ReasonNone)
		require.Equal(t, 1, s.requests(j))
	}
}

func callOutlivesRiver[TTx any](t *testing.T, p place[TTx]) {
	s := newSite(t, p, Config{})
	ctx, cancel := context.WithCancel(t.Context())
	w, j := s.worker(s.client(cancel)), s.enqueue(jpayment.OpReAuth)
	require.NoError(t, w.Work(ctx, riverJob(j)))
	require.Error(t, ctx.Err())
	s.stands(j, StateDone, ReasonNone)
}

func stoppedWorker[TTx any](t *testing.T, p place[TTx]) {
	s := newSite(t, p, Config{})
	stop, cancel := context.WithCancel(t.Context())
	cancel()
	for range 20 {
		w, j := s.worker(s.client(nil)), s.enqueue(jpayment.OpSales)
		w.stop = stop
		require.True(t, s.work(w, j))
	}
	require.Empty(t, s.gateway.Requests())
}

// A process that was suspended after recording the attempt sends nothing when it resumes.
func suspended[TTx any](t *testing.T, p place[TTx]) {
	s := newSite(t, p, Config{})
	w, j := s.worker(s.client(nil)), s.enqueue(jpayment.OpReAuth)
	a := s.begins(w, j)
	a.began = a.began.Add(-w.cfg.CallTimeout)
	require.Equal(t, jpayment.OutcomeNotSent, w.call(t.Context(), a).outcome)
	require.Empty(t, s.gateway.Requests())
}

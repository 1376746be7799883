package fulfilment

import (
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/jpayment-go/jpayment"
	"github.com/jpayment-go/jpayment/jpaymenttest"
)

// receiver is the merchant's kickback handler.
func (s *site[TTx]) receiver() http.Handler {
	h, err := jpayment.NewKickbackHandler(verifier(s.t, s.storeID), s.Settle)
	require.NoError(s.t, err)
	return h
}

func verifier(t *testing.T, storeID string) *jpayment.KickbackVerifier {
	v, err := jpayment.NewKickbackVerifier(storeID, time.Hour, kickbackKey)
	require.NoError(t, err)
	return v
}

// listens makes the gateway send its kickbacks to the merchant.
func (s *site[TTx]) listens() {
	server := httptest.NewServer(s.receiver())
	s.t.Cleanup(server.Close)
	s.gateway.SetKickbackURL(server.URL)
}

// answers returns the request of a job as a kickback contains it.
func answers(j Job, at time.Time) jpayment.KickbackRequest {
	return jpayment.KickbackRequest{StoreID: testStore, PaymentID: j.PaymentID, Amount: j.Amount, Tax: j.Tax, Shipping: j.Shipping, At: at}
}

func success(j Job) jpaymenttest.KickbackParams {
	return jpaymenttest.KickbackParams{PaymentID: "777", Amount: j.Amount, Tax: j.Tax, Shipping: j.Shipping, ApprovalCode: "123456", Key: kickbackKey, Request: answers(j, time.Now())}
}

func failure(j Job, code jpayment.Code) jpaymenttest.KickbackParams {
	return jpaymenttest.KickbackParams{PaymentID: "0", Code: code, Key: kickbackKey, Request: answers(j, time.Now())}
}

// deliver sends a kickback and reports whether it was accepted.
func (s *site[TTx]) deliver(n jpaymenttest.KickbackParams) bool {
	w := httptest.NewRecorder()
	s.receiver().ServeHTTP(w, jpaymenttest.NewKickback("/", n))
	return w.Code == http.StatusOK
}

func kickbackSettles[TTx any](t *testing.T, p place[TTx]) {
	s := newSite(t, p, Config{KickbackWait: time.Hour})
	j := s.enqueue(jpayment.OpReAuth)
	require.False(t, s.work(s.worker(s.client(nil)), j))
	got := s.stands(j, StateAwaiting, ReasonNone)
	require.WithinRange(t, got.Due, s.clock().Add(59*time.Minute), s.clock().Add(time.Hour))
	require.Nil(t, got.Result)

	s.listens()
	eventually(t, "the kickback does not settle", func() bool { return s.look(j).State == StateDone })
	got = s.stands(j, StateDone, ReasonKickback)
	payment, _ := s.gateway.Payment(j.PaymentID)
	require.Equal(t, payment.ReplacedBy, got.NewPaymentID)
	require.Equal(t, jpayment.Yen(1472), got.Result.Total)
	require.Zero(t, got.Due)
	require.Equal(t, 1, s.requests(j))
}

func kickbackBeforeReply[TTx any](t *testing.T, p place[TTx]) {
	s := newSite(t, p, Config{KickbackWait: time.Hour})
	w := s.worker(s.client(nil))
	for _, c := range []struct {
		kickback func(Job) jpaymenttest.KickbackParams
		state    State
		reason   Reason
	}{
		{success, StateDone, ReasonKickback},
		{func(j Job) jpaymenttest.KickbackParams { return failure(j, "G1242G120000") }, StateReview, ReasonDeclined},
	} {
		j := s.enqueue(jpayment.OpReAuth)
		a := s.begins(w, j)
		require.True(t, s.deliver(c.kickback(j)))
		s.stands(j, c.state, c.reason)
		require.NoError(t, w.end(t.Context(), a, done))
		s.stands(j, c.state, c.reason)
	}
}

func kickbackInPlaceOfReply[TTx any](t *testing.T, p place[TTx]) {
	s := newSite(t, p, Config{KickbackWait: time.Hour})
	j := s.enqueue(jpayment.OpReAuth)
	s.gateway.Fail(jpaymenttest.Fault{Kind: jpaymenttest.DropAfterBooking, Operation: jpayment.OpReAuthByKickback})
	require.False(t, s.work(s.worker(s.client(nil)), j))
	s.stands(j, StateAwaiting, ReasonUnknown)
	require.Equal(t, []jpayment.Outcome{jpayment.OutcomeUnknown}, s.outcomes(j))
	s.listens()
	eventually(t, "the kickback does not settle", func() bool { return s.look(j).State == StateDone })

	// The same after the process was killed.
	j = s.enqueue(jpayment.OpReAuth)
	w := s.worker(s.client(nil))
	s.begins(w, j)
	s.pass(w.cfg.lease() + time.Second)
	require.NoError(t, w.sweep(t.Context()))
	s.stands(j, StateAwaiting, ReasonInterrupted)
	require.True(t, s.deliver(success(j)))
	s.stands(j, StateDone, ReasonKickback)
}

func kickbackAfterDeadline[TTx any](t *testing.T, p place[TTx]) {
	s := newSite(t, p, Config{KickbackWait: time.Hour})
	w := s.worker(s.client(nil))
	busy, declined, decided := s.enqueue(jpayment.OpReAuth), s.enqueue(jpayment.OpReAuth), s.enqueue(jpayment.OpReAuth)
	for _, j := range []Job{busy, declined, decided} {
		require.False(t, s.work(w, j))
	}
	s.pass(time.Hour - time.Minute)
	require.NoError(t, w.sweep(t.Context()))
	s.stands(busy, StateAwaiting, ReasonNone)
	s.pass(2 * time.Minute)
	require.NoError(t, w.sweep(t.Context()))
	for _, j := range []Job{busy, declined, decided} {
		s.stands(j, StateReview, ReasonNoKickback)
	}
	_, err := s.Review(t.Context(), decided.ID, Decision{State: StateRefused, By: "the till"})
	require.NoError(t, err)

	// A late failure adds its code, and a late success settles the job.
	require.True(t, s.deliver(failure(busy, "ER010")))
	require.Equal(t, jpayment.Code("ER010"), s.stands(busy, StateReview, ReasonUnanswered).Code)
	require.True(t, s.deliver(failure(declined, "G1242G120000")))
	require.Equal(t, jpayment.Code("G1242G120000"), s.stands(declined, StateReview, ReasonDeclined).Code)
	for _, j := range []Job{busy, declined} {
		require.True(t, s.deliver(success(j)))
		require.Equal(t, "777", s.stands(j, StateDone, ReasonKickback).NewPaymentID)
	}

	// After a person's decision the kickback only disputes it.
	before := s.look(decided)
	require.True(t, s.deliver(failure(decided, "G1242G120000")))
	require.Equal(t, before, s.look(decided), "it agrees with the decision")
	require.True(t, s.deliver(success(decided)))
	s.disputed(before)
}

func kickbackDuplicates[TTx any](t *testing.T, p place[TTx]) {
	s := newSite(t, p, Config{KickbackWait: time.Hour})
	w := s.worker(s.client(nil))
	for _, c := range []struct {
		kickback func(Job) jpaymenttest.KickbackParams
		state    State
		reason   Reason
	}{
		{success, StateDone, ReasonKickback},
		{func(j Job) jpaymenttest.KickbackParams { return failure(j, "G1242G120000") }, StateReview, ReasonDeclined},
		{func(j Job) jpaymenttest.KickbackParams { return failure(j, "ER010") }, StateReview, ReasonUnanswered},
		{func(j Job) jpaymenttest.KickbackParams { return failure(j, "ER000") }, StateReview, ReasonUnanswered},
	} {
		j := s.enqueue(jpayment.OpReAuth)
		a := s.begins(w, j)
		before := s.riverJobs()
		var all sync.WaitGroup
		for range 10 {
			all.Go(func() {
				if !s.deliver(c.kickback(j)) {
					t.Error("a duplicate is rejected")
				}
			})
		}
		all.Wait()
		require.NoError(t, w.end(t.Context(), a, done))
		s.stands(j, c.state, c.reason)
		require.LessOrEqual(t, s.riverJobs(), before+1)
	}
}

func kickbackDecline[TTx any](t *testing.T, p place[TTx]) {
	s := newSite(t, p, Config{KickbackWait: time.Hour})
	s.listens()
	j := s.enqueueFor(jpayment.OpReAuth, s.gateway.Authorize(jpaymenttest.Authorization{Amount: 1000, Decline: "G1242G120000"}))
	require.False(t, s.work(s.worker(s.client(nil)), j))
	eventually(t, "the kickback does not settle", func() bool { return s.look(j).State == StateReview })
	got := s.stands(j, StateReview, ReasonDeclined)
	require.Equal(t, jpayment.Code("G1242G120000"), got.Code)
	require.NotEmpty(t, got.Next().En)
	require.Empty(t, got.NewPaymentID)
	require.Equal(t, 1, s.requests(j))
}

func kickbackOfEarlierAttempt[TTx any](t *testing.T, p place[TTx]) {
	s := newSite(t, p, Config{KickbackWait: time.Hour})
	s.pass(-time.Minute) // The first attempt was a minute ago.
	w := s.worker(s.client(nil))
	j := s.enqueue(jpayment.OpReAuth)
	a := s.begins(w, j)
	require.NoError(t, w.end(t.Context(), a, answerOf(nil, answered(jpayment.OpReAuth, "ER010"))))
	first := failure(j, "ER010")
	first.Request.At = s.clock()

	s.pass(time.Minute)
	s.begins(w, j)
	before, jobs := s.look(j), s.riverJobs()
	require.True(t, s.deliver(first))
	require.Equal(t, before, s.look(j))
	require.Equal(t, jobs, s.riverJobs(), "a re-authorisation on its way is not sent again")

	// A person has seen the decline and decides to send it again.
	declined := failure(j, "G1242G120000")
	require.True(t, s.deliver(declined))
	s.stands(j, StateReview, ReasonDeclined)
	_, err := s.Review(t.Context(), j.ID, Decision{State: StateWaiting, By: "the till"})
	require.NoError(t, err)
	before = s.look(j)
	require.True(t, s.deliver(declined))
	require.Equal(t, before, s.look(j))
}

// No kickback causes a request to be sent or a store to be paused.
func kickbackSendsNothing[TTx any](t *testing.T, p place[TTx]) {
	s := newSite(t, p, Config{KickbackWait: time.Hour, ProductionOnly: true})
	w := s.worker(s.client(nil))
	states := map[string]func() Job{
		"on its way": func() Job {
			j := s.enqueue(jpayment.OpReAuth)
			s.begins(w, j)
			return j
		},
		"awaiting": func() Job {
			j := s.enqueue(jpayment.OpReAuth)
			require.False(t, s.work(w, j))
			return j
		},
		"lost": func() Job {
			j := s.enqueue(jpayment.OpReAuth)
			require.NoError(t, w.end(t.Context(), s.begins(w, j), answerOf(nil, lostReply(jpayment.OpReAuth))))
			return j
		},
	}
	for state, to := range states {
		for _, code := range []jpayment.Code{"ER000", "ER001", "ER003", "ER010", "ER032", "ER042", "ER053", "ER123", "ER999", "G1242G120000"} {
			j := to()
			jobs, sent := s.riverJobs(), len(s.gateway.Requests())
			require.True(t, s.deliver(failure(j, code)))
			got := s.look(j)
			require.Equal(t, StateReview, got.State, "%s, %s", state, code)
			require.Equal(t, code, got.Code)
			require.Zero(t, got.Due)
			require.NotEmpty(t, got.Next().En)
			last := s.attempts(j)[0]
			require.Equal(t, [2]string{string(code), "unknown"}, [2]string{string(last.Code), last.Outcome.String()}, "a failure is not proved")
			require.Contains(t, last.What.En, "kickback")
			require.Equal(t, jobs, s.riverJobs(), "%s, %s", state, code)
			require.Len(t, s.gateway.Requests(), sent)
		}
		j := to()
		test := success(j)
		test.ApprovalCode = "TestMod"
		require.True(t, s.deliver(test))
		s.stands(j, StateReview, ReasonTestMode)
	}
	st, err := s.Status(t.Context(), "")
	require.NoError(t, err)
	require.Nil(t, st.Paused)
	require.Zero(t, st.Waiting)
}

// A kickback neither refuses nor settles a job that was not sent or waits to be sent again.
func kickbackOfUnsent[TTx any](t *testing.T, p place[TTx]) {
	s := newSite(t, p, Config{KickbackWait: time.Hour})
	w := s.worker(s.client(nil))
	never, busy, test := s.enqueue(jpayment.OpReAuth), s.enqueue(jpayment.OpReAuth), s.enqueue(jpayment.OpReAuth)
	for _, j := range []Job{busy, test} {
		require.NoError(t, w.end(t.Context(), s.begins(w, j), answerOf(nil, answered(jpayment.OpReAuth, "ER010"))))
	}
	for _, j := range []Job{never, busy, test} {
		before := s.look(j)
		for _, code := range []jpayment.Code{"ER003", "ER010", "ER053", "G1242G120000"} {
			s.deliver(failure(j, code))
			require.Equal(t, before, s.look(j))
		}
	}
	// If the job was never sent, the kickback answers another request.
	before := s.look(never)
	require.False(t, s.deliver(success(never)))
	require.Equal(t, before, s.look(never))

	// A job that may have succeeded is not sent again without a person.
	require.True(t, s.deliver(success(busy)))
	got := s.stands(busy, StateReview, ReasonContradicted)
	require.Empty(t, got.NewPaymentID)
	require.Contains(t, s.attempts(busy)[0].What.En, "777")
	require.False(t, s.work(w, busy))
	require.Empty(t, s.gateway.Requests())
}

// A believed kickback can still be contradicted.
func kickbackContradicted[TTx any](t *testing.T, p place[TTx]) {
	s := newSite(t, p, Config{KickbackWait: time.Hour})
	w := s.worker(s.client(nil))
	believed := func() (Job, *attempt) {
		j := s.enqueue(jpayment.OpReAuth)
		a := s.begins(w, j)
		require.True(t, s.deliver(success(j)))
		return s.stands(j, StateDone, ReasonKickback), a
	}
	other := func(j Job) jpaymenttest.KickbackParams {
		n := success(j)
		n.PaymentID = "778"
		return n
	}

	// By another kickback, which is as credible as the first.
	for _, n := range []func(Job) jpaymenttest.KickbackParams{other, func(j Job) jpaymenttest.KickbackParams { return failure(j, "ER053") }} {
		j, _ := believed()
		require.True(t, s.deliver(n(j)))
		before := s.stands(j, StateReview, ReasonContradicted)
		require.Equal(t, n(j).Code, before.Code)
		require.NotEmpty(t, s.attempts(j)[0].What.En)
		for _, again := range []jpaymenttest.KickbackParams{success(j), other(j), failure(j, "ER010")} {
			require.True(t, s.deliver(again))
			require.Equal(t, before, s.look(j), "a person has to decide now")
		}
	}

	// By a reply that proves that nothing was carried out.
	for name, err := range map[string]error{
		"refused": answered(jpayment.OpReAuth, "ER053"), "declined": answered(jpayment.OpReAuth, "G1242G120000"),
		"busy": answered(jpayment.OpReAuth, "ER010"), "not sent": unsent(jpayment.OpReAuth, http.ErrServerClosed),
	} {
		j, a := believed()
		jobs := s.riverJobs()
		require.NoError(t, w.end(t.Context(), a, answerOf(nil, err)))
		require.Equal(t, ReasonContradicted, s.look(j).Reason, name)
		s.stands(j, StateReview, ReasonContradicted)
		require.Equal(t, jobs, s.riverJobs())
	}
	for _, err := range []error{nil, lostReply(jpayment.OpReAuth), answered(jpayment.OpReAuth, "ER000"), answeredAgain(jpayment.OpReAuth, "ER032")} {
		j, a := believed()
		require.NoError(t, w.end(t.Context(), a, answerOf(nil, err)))
		s.stands(j, StateDone, ReasonKickback)
	}

	// A person's decision stays.
	for _, d := range []Decision{{State: StateRefused, By: "the till"}, {State: StateDone, NewPaymentID: "778", By: "the till"}} {
		j := s.enqueue(jpayment.OpReAuth)
		require.False(t, s.work(w, j))
		_, err := s.Review(t.Context(), j.ID, d)
		require.NoError(t, err)
		before := s.look(j)
		require.True(t, s.deliver(success(j)))
		s.disputed(before)
		jobs, err := s.Jobs(t.Context(), Filter{ForPerson: true, PaymentID: j.PaymentID})
		require.NoError(t, err)
		require.Len(t, jobs, 1)
		disputed := s.look(j)
		require.True(t, s.deliver(success(j)))
		require.Equal(t, disputed, s.look(j), "it is recorded already")

		// A person checks again and decides.
		d.Note = jpayment.NewSecret("looked again")
		_, err = s.Review(t.Context(), j.ID, d)
		require.NoError(t, err)
		require.Empty(t, s.look(j).Dispute)
		decisions, err := s.Decisions(t.Context(), j.ID)
		require.NoError(t, err)
		require.Len(t, decisions, 2)
	}

	// A failure, although a person decided for done.
	j := s.enqueue(jpayment.OpReAuth)
	require.False(t, s.work(w, j))
	_, err := s.Review(t.Context(), j.ID, Decision{State: StateDone, NewPaymentID: "779", By: "the till"})
	require.NoError(t, err)
	before := s.look(j)
	require.True(t, s.deliver(failure(j, "ER010")))
	s.disputed(before)
}

// disputed asserts that a job's verdict stands and that it is disputed.
func (s *site[TTx]) disputed(before Job) {
	s.t.Helper()
	got := s.look(before)
	require.NotEmpty(s.t, got.Dispute.En)
	require.NotEmpty(s.t, got.Dispute.Ja)
	require.False(s.t, got.DisputedAt.IsZero())
	require.NotEmpty(s.t, got.Next())
	got.Dispute, got.DisputedAt = before.Dispute, before.DisputedAt
	require.Equal(s.t, before, got)
}

func kickbackOfNoJob[TTx any](t *testing.T, p place[TTx]) {
	s := newSite(t, p, Config{KickbackWait: time.Hour})
	j := s.enqueue(jpayment.OpReAuth)
	require.False(t, s.work(s.worker(s.client(nil)), j))
	settle := func(n jpaymenttest.KickbackParams) error {
		k, err := verifier(t, n.Request.StoreID).Verify(jpaymenttest.NewKickback("/", n).URL.RawQuery, time.Now())
		require.NoError(t, err)
		return s.Settle(t.Context(), k)
	}

	forged := success(j)
	forged.Key = []byte("somebody else's key, of 32 bytes and more")
	require.False(t, s.deliver(forged))
	forged.Key = nil
	require.False(t, s.deliver(forged))
	s.stands(j, StateAwaiting, ReasonNone)

	for name, change := range map[string]func(*jpaymenttest.KickbackParams){
		"another store's": func(n *jpaymenttest.KickbackParams) { n.Request.StoreID = "654321" },
		"nobody's":        func(n *jpaymenttest.KickbackParams) { n.Request.PaymentID = "4711" },
		"other amounts":   func(n *jpaymenttest.KickbackParams) { n.Amount++; n.Request.Amount++ },
		"other tax":       func(n *jpaymenttest.KickbackParams) { n.Tax++; n.Request.Tax++ },
		"recurring":       func(n *jpaymenttest.KickbackParams) { n.Status = 4 },
	} {
		n := success(j)
		change(&n)
		err := settle(n)
		require.ErrorIs(t, err, ErrNoJob, name)
		require.NotEmpty(t, jpayment.WhatOf(err).Ja, name)
		require.NotEmpty(t, jpayment.NextOf(err).Ja, name)
		s.stands(j, StateAwaiting, ReasonNone)
	}

	require.ErrorIs(t, settle(success(s.enqueue(jpayment.OpReAuth))), ErrNoJob, "never sent")
	require.NoError(t, settle(success(j)))
	require.Equal(t, "777", s.stands(j, StateDone, ReasonKickback).NewPaymentID)
}

// A kickback that changes nothing does not change UpdatedAt.
func kickbackChangesNothing[TTx any](t *testing.T, p place[TTx]) {
	s := newSite(t, p, Config{KickbackWait: time.Hour})
	w := s.worker(s.client(nil))
	decided := s.enqueue(jpayment.OpReAuth)
	require.False(t, s.work(w, decided))
	s.pass(2 * time.Hour)
	require.NoError(t, w.sweep(t.Context()))
	s.stands(decided, StateReview, ReasonNoKickback)
	require.True(t, s.deliver(failure(decided, "ER010")))
	before := s.look(decided)
	s.pass(time.Minute)
	require.True(t, s.deliver(failure(decided, "ER010")))
	require.Equal(t, before, s.look(decided))

	waiting := s.enqueue(jpayment.OpReAuth)
	s.pass(time.Minute)
	require.False(t, s.deliver(failure(waiting, "G1242G120000")), "it answers another request")
	require.Equal(t, waiting, s.look(waiting))

	others := success(waiting)
	others.Amount++
	others.Request.Amount++
	require.False(t, s.deliver(others))
	require.Equal(t, waiting, s.look(waiting))
}

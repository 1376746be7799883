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

// receiver is the merchant's handler of kickbacks.
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

// listens has the gateway send its kickbacks to the merchant.
func (s *site[TTx]) listens() {
	server := httptest.NewServer(s.receiver())
	s.t.Cleanup(server.Close)
	s.gateway.SetKickbackURL(server.URL)
}

// answers is the request of a job as a kickback has it.
func answers(j Job, at time.Time) jpayment.KickbackRequest {
	return jpayment.KickbackRequest{StoreID: testStore, PaymentID: j.PaymentID, Amount: j.Amount, Tax: j.Tax, Shipping: j.Shipping, At: at}
}

func success(j Job) jpaymenttest.KickbackParams {
	return jpaymenttest.KickbackParams{PaymentID: "777", Amount: j.Amount, Tax: j.Tax, Shipping: j.Shipping, ApprovalCode: "123456", Key: kickbackKey, Request: answers(j, time.Now())}
}

func failure(j Job, code jpayment.Code) jpaymenttest.KickbackParams {
	return jpaymenttest.KickbackParams{PaymentID: "0", Code: code, Key: kickbackKey, Request: answers(j, time.Now())}
}

// deliver sends a kickback and reports whether it was taken.
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

	// So it does after the process was killed.
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
	due := func() Job {
		j := s.enqueue(jpayment.OpReAuth)
		require.False(t, s.work(w, j))
		s.pass(time.Hour - time.Minute)
		require.NoError(t, w.sweep(t.Context()))
		s.stands(j, StateAwaiting, ReasonNone)
		s.pass(2 * time.Minute)
		require.NoError(t, w.sweep(t.Context()))
		return s.stands(j, StateReview, ReasonNoKickback)
	}
	j := due()
	require.True(t, s.deliver(failure(j, "ER010")), "it is not sent again behind a person's back")
	s.stands(j, StateReview, ReasonNoKickback)
	require.True(t, s.deliver(failure(j, "G1242G120000")))
	require.Equal(t, jpayment.Code("G1242G120000"), s.stands(j, StateReview, ReasonDeclined).Code)
	require.True(t, s.deliver(success(j)))
	require.Equal(t, "777", s.stands(j, StateDone, ReasonKickback).NewPaymentID)

	j = due()
	_, err := s.Review(t.Context(), j.ID, Decision{State: StateRefused, By: "the till"})
	require.NoError(t, err)
	require.True(t, s.deliver(failure(j, "G1242G120000")))
	s.stands(j, StateRefused, ReasonDecided)
	require.True(t, s.deliver(success(j)))
	s.stands(j, StateDone, ReasonKickback)
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
		{func(j Job) jpaymenttest.KickbackParams { return failure(j, "ER010") }, StateWaiting, ReasonBusy},
		{func(j Job) jpaymenttest.KickbackParams { return failure(j, "ER000") }, StateReview, ReasonUnanswered},
	} {
		j := s.enqueue(jpayment.OpReAuth)
		a := s.begins(w, j)
		before := s.riverJobs()
		var all sync.WaitGroup
		for range 10 {
			all.Go(func() {
				if !s.deliver(c.kickback(j)) {
					t.Error("a duplicate is turned down")
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
	s.pass(-time.Minute) // The first attempt is a minute ago.
	w := s.worker(s.client(nil))
	j := s.enqueue(jpayment.OpReAuth)
	a := s.begins(w, j)
	busy := failure(j, "ER010")
	busy.Request.At = s.clock()
	require.True(t, s.deliver(busy))
	s.stands(j, StateWaiting, ReasonBusy)
	require.NoError(t, w.end(t.Context(), a, done))

	s.pass(time.Minute)
	s.begins(w, j)
	before := s.riverJobs()
	require.True(t, s.deliver(busy))
	s.stands(j, StateRunning, ReasonBusy)
	require.Equal(t, before, s.riverJobs(), "a re-authorisation on its way is not sent beside itself")

	// A person has seen the decline and wants it sent again.
	declined := failure(j, "G1242G120000")
	require.True(t, s.deliver(declined))
	s.stands(j, StateReview, ReasonDeclined)
	_, err := s.Review(t.Context(), j.ID, Decision{State: StateWaiting, By: "the till"})
	require.NoError(t, err)
	require.True(t, s.deliver(declined))
	s.stands(j, StateWaiting, ReasonAgain)

	// Nor does the failure of somebody else's request refuse a request that was not sent yet.
	unsent := s.enqueue(jpayment.OpReAuth)
	for _, code := range []jpayment.Code{"G1242G120000", "ER053"} {
		require.True(t, s.deliver(failure(unsent, code)))
		s.stands(unsent, StateWaiting, ReasonNone)
	}
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

	require.NoError(t, settle(success(j)))
	other := success(j)
	other.PaymentID = "778"
	require.ErrorContains(t, settle(other), "another new payment")
	require.Equal(t, "777", s.stands(j, StateDone, ReasonKickback).NewPaymentID)
}

// A kickback that changes nothing leaves the time at which the job last changed.
func kickbackChangesNothing[TTx any](t *testing.T, p place[TTx]) {
	s := newSite(t, p, Config{KickbackWait: time.Hour})
	w := s.worker(s.client(nil))
	decided := s.enqueue(jpayment.OpReAuth)
	require.False(t, s.work(w, decided))
	s.pass(2 * time.Hour)
	require.NoError(t, w.sweep(t.Context()))
	before := s.stands(decided, StateReview, ReasonNoKickback)
	s.pass(time.Minute)
	require.True(t, s.deliver(failure(decided, "ER010")))
	require.Equal(t, before, s.look(decided))

	waiting := s.enqueue(jpayment.OpReAuth)
	s.pass(time.Minute)
	require.True(t, s.deliver(failure(waiting, "G1242G120000")))
	require.Equal(t, waiting, s.look(waiting))

	others := success(waiting)
	others.Amount++
	others.Request.Amount++
	require.False(t, s.deliver(others))
	require.Equal(t, waiting, s.look(waiting))
}

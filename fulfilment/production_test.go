package fulfilment

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/jpayment-go/jpayment"
)

// A test approval is no success if only production counts, by reply or by kickback.
func testApprovalInProduction[TTx any](t *testing.T, p place[TTx]) {
	s := newSite(t, p, Config{ProductionOnly: true, KickbackWait: time.Hour})
	lax := s.gateway.Client(jpayment.WithRetry(jpayment.RetryPolicy{MaxAttempts: 1}), jpayment.WithKickbackKey(kickbackKey))
	w := s.worker(lax)
	sales, reauth := s.enqueue(jpayment.OpSales), s.enqueue(jpayment.OpReAuth)
	require.False(t, s.work(w, reauth))
	s.stands(reauth, StateAwaiting, ReasonNone)
	kickback := success(reauth)
	kickback.ApprovalCode = "TestMod"
	require.True(t, s.deliver(kickback))
	s.stands(reauth, StateReview, ReasonTestMode)
	require.True(t, s.deliver(kickback), "again")
	s.stands(reauth, StateReview, ReasonTestMode)
	st, err := s.Status(t.Context(), "")
	require.NoError(t, err)
	require.Nil(t, st.Paused, "a kickback pauses nothing")

	s.gateway.SetTestMode(true)
	require.False(t, s.work(w, sales))
	s.stands(sales, StateReview, ReasonTestMode)
	s.isPaused()
}

func (s *site[TTx]) isPaused() {
	s.t.Helper()
	st, err := s.Status(s.t.Context(), "")
	require.NoError(s.t, err)
	require.NotNil(s.t, st.Paused)
	require.Contains(s.t, st.Paused.Why.En, "test mode")
}

// Without the setting it is done, and the result reports it.
func testApprovalInTests[TTx any](t *testing.T, p place[TTx]) {
	s := newSite(t, p, Config{KickbackWait: time.Hour})
	j := s.enqueue(jpayment.OpReAuth)
	require.False(t, s.work(s.worker(s.client(nil)), j))
	kickback := success(j)
	kickback.ApprovalCode = "TestMod"
	require.True(t, s.deliver(kickback))
	require.True(t, s.stands(j, StateDone, ReasonKickback).Result.TestMode())
}

func TestRunWantsAGateway(t *testing.T) {
	s := newSite(t, onSQLite(t), Config{})
	ended, end := context.WithCancel(t.Context())
	end()
	invalid := new(*jpayment.ValidationError)
	require.ErrorAs(t, s.Run(ended, nil, WorkerConfig{}), invalid)
	require.Equal(t, "gateway", (*invalid).Fields[0].Field)
}

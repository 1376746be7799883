package fulfilment

import (
	"context"
	"sync/atomic"
	"testing"
	"time"

	"github.com/riverqueue/river/riverdriver"
	"github.com/riverqueue/river/rivertype"
	"github.com/stretchr/testify/require"
	"golang.org/x/time/rate"

	"github.com/jpayment-go/jpayment"
	"github.com/jpayment-go/jpayment/jpaymenttest"
)

// The tests of this file let River run the jobs.

func (s *site[TTx]) enqueueMany(n int) []Job {
	s.t.Helper()
	rs := make([]Request, n)
	for i := range rs {
		rs[i] = request(jpayment.OpSales, s.authorize())
	}
	jobs, err := s.EnqueueAll(s.t.Context(), rs)
	require.NoError(s.t, err)
	return jobs
}

func drains[TTx any](t *testing.T, p place[TTx]) {
	s := newSite(t, p, Config{})
	early := s.enqueueMany(30)
	stop := s.run(s.client(nil), WorkerConfig{Rate: rate.Inf})
	late := s.enqueueMany(10)
	s.settled()
	stop()
	for _, j := range append(early, late...) {
		s.stands(j, StateDone, ReasonNone)
		require.Equal(t, 1, s.requests(j))
	}
	require.Len(t, s.gateway.Requests(), 40)
}

func outlivesRiver[TTx any](t *testing.T, p place[TTx]) {
	s := newSite(t, p, Config{})
	jobs := s.enqueueMany(3)
	stop := s.run(s.client(nil), WorkerConfig{Rate: rate.Inf})
	s.settled()
	s.exec("DELETE FROM " + s.riverTable())
	for _, j := range jobs {
		require.True(t, s.enqueueFor(jpayment.OpSales, j.PaymentID).Existed)
	}
	require.Zero(t, s.riverJobs())
	stop()
	require.Len(t, s.gateway.Requests(), 3)
}

func pauseWithHundreds[TTx any](t *testing.T, p place[TTx]) {
	const concurrency = 4
	s := newSite(t, p, Config{})
	s.gateway.RegisterIPs()
	s.enqueueMany(300)
	stop := s.run(s.client(nil), WorkerConfig{Rate: rate.Inf, Concurrency: concurrency})
	eventually(t, "the store is not paused", func() bool {
		st, err := s.Status(t.Context(), "")
		return err == nil && st.Paused != nil && st.Running == 0
	})
	// All jobs that River had handed out were turned away or snoozed.
	stop()
	sent := len(s.gateway.Requests())
	require.LessOrEqual(t, sent, 1+concurrency)

	s.gateway.RegisterIPs(loopback...)
	stop = s.run(s.client(nil), WorkerConfig{Rate: rate.Inf, Concurrency: concurrency})
	defer stop()
	require.NoError(t, s.Resume(t.Context()))
	s.settled()
	st, err := s.Status(t.Context(), "")
	require.NoError(t, err)
	require.Equal(t, Status{Done: 300}, st)
	require.Len(t, s.gateway.Requests(), 300+sent)
}

func gracefulStop[TTx any](t *testing.T, p place[TTx]) {
	s := newSite(t, p, Config{})
	arrived, release := make(chan struct{}, 10), make(chan struct{})
	client := s.client(func() {
		arrived <- struct{}{}
		<-release
	})
	s.enqueueMany(10)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- s.Run(ctx, client, WorkerConfig{Rate: rate.Inf, Concurrency: 2}) }()
	<-arrived
	<-arrived
	cancel()
	close(release)
	require.NoError(t, <-ended)
	st, err := s.Status(t.Context(), "")
	require.NoError(t, err)
	require.EqualValues(t, 2, st.Done)
	require.EqualValues(t, 8, st.Waiting)
	require.Len(t, s.gateway.Requests(), 2)
}

func concurrencyRespected[TTx any](t *testing.T, p place[TTx]) {
	const concurrency = 3
	s := newSite(t, p, Config{})
	s.enqueueMany(4 * concurrency)
	var inFlight, most atomic.Int64
	arrived, release := make(chan struct{}, 4*concurrency), make(chan struct{})
	client := s.client(func() {
		n := inFlight.Add(1)
		for m := most.Load(); n > m && !most.CompareAndSwap(m, n); m = most.Load() {
		}
		arrived <- struct{}{}
		<-release
		inFlight.Add(-1)
	})
	stop := s.run(client, WorkerConfig{Rate: rate.Inf, Concurrency: concurrency})
	for range concurrency { // The maximum number of calls is on its way.
		<-arrived
	}
	close(release)
	s.settled()
	stop()
	require.EqualValues(t, concurrency, most.Load())
}

func rateRespected[TTx any](t *testing.T, p place[TTx]) {
	s := newSite(t, p, Config{})
	s.enqueueMany(20)
	// With one call in a quarter of an hour, the other jobs are snoozed in between.
	stop := s.run(s.client(nil), WorkerConfig{Rate: 1.0 / 900, CallTimeout: time.Second})
	eventually(t, "no job waits for the rate limit", func() bool {
		return s.count("SELECT COUNT(*) FROM "+s.riverTable()+" WHERE CAST(metadata AS TEXT) LIKE '%snoozes%'") >= 8
	})
	stop()
	require.Len(t, s.gateway.Requests(), 1)
	st, err := s.Status(t.Context(), "")
	require.NoError(t, err)
	require.Equal(t, []int64{1, 19}, []int64{st.Done, st.Waiting})
}

func riverJobTooMany[TTx any](t *testing.T, p place[TTx]) {
	s := newSite(t, p, Config{})
	j := s.enqueue(jpayment.OpReAuth)
	require.NoError(t, s.db.transact(t.Context(), func(tx TTx) error {
		for range 20 {
			if err := s.ask(t.Context(), tx, []record{{Job: Job{ID: j.ID, State: StateWaiting}}}); err != nil {
				return err
			}
		}
		return s.ask(t.Context(), tx, []record{{Job: Job{ID: 4711, State: StateWaiting}}})
	}))
	stop := s.run(s.client(nil), WorkerConfig{Rate: rate.Inf})
	eventually(t, "River's jobs are not worked", func() bool {
		return s.count("SELECT COUNT(*) FROM "+s.riverTable()+" WHERE state = 'completed'") == 22
	})
	stop()
	s.stands(j, StateDone, ReasonNone)
	require.Len(t, s.gateway.Requests(), 1)
}

// fetched simulates a process that is killed between River's fetch and the attempt.
func (s *site[TTx]) fetched() *rivertype.JobRow {
	s.t.Helper()
	now := s.now()
	got, err := s.db.driver().GetExecutor().JobGetAvailable(s.t.Context(), &riverdriver.JobGetAvailableParams{
		Now: &now, ClientID: "dead", MaxToLock: 1, MaxAttemptedBy: 10, Queue: s.riverQueue(), Schema: s.db.schema(),
	})
	require.NoError(s.t, err)
	require.Len(s.t, got.Jobs, 1)
	return got.Jobs[0]
}

// forgottenJob has a due job whose River job is no longer of use.
func forgottenJob[TTx any](t *testing.T, p place[TTx]) {
	s := newSite(t, p, Config{})
	for name, forget := range map[string]func(){
		"fetched by a process that was killed": func() { s.fetched() },
		"fetched by a process that was killed, and whose clock ran ahead": func() {
			s.fetched()
			s.exec("UPDATE " + s.riverTable() + " SET attempted_at = '2099-01-01 00:00:00'")
		},
		"gone": func() { s.exec("DELETE FROM " + s.riverTable()) },
		"cancelled by an operator": func() {
			_, err := s.inserter.JobCancel(t.Context(), s.fetched().ID)
			require.NoError(t, err)
			s.exec("UPDATE " + s.riverTable() + " SET state = 'cancelled', finalized_at = created_at")
		},
		"put off by a clock that ran ahead": func() {
			in := "'2099-01-01 00:00:00'"
			s.exec("UPDATE " + s.riverTable() + " SET state = 'scheduled', scheduled_at = " + in)
		},
		"left to the scheduler, while a clock that ran ahead keeps River from having one": func() {
			s.exec("UPDATE " + s.riverTable() + " SET state = 'scheduled'")
		},
	} {
		w := s.worker(s.client(nil))
		j := s.enqueue(jpayment.OpSales)
		forget()
		before := s.riverJobs()
		require.NoError(t, w.sweep(t.Context()))
		require.Equal(t, before, s.riverJobs(), "it may be about to start")
		s.pass(20 * time.Second)
		for range 5 {
			require.NoError(t, w.sweep(t.Context()))
			require.Equal(t, before+1, s.riverJobs(), name)
		}
		stop := s.run(s.client(nil), WorkerConfig{Rate: rate.Inf})
		s.settled()
		stop()
		s.stands(j, StateDone, ReasonNone)
		require.Equal(t, 1, s.requests(j))
		s.exec("DELETE FROM " + s.riverTable())
	}
}

// notForgotten has jobs that River knows, however long they have been due, and jobs of a
// paused store.
func notForgotten[TTx any](t *testing.T, p place[TTx]) {
	s := newSite(t, p, Config{})
	w := s.worker(s.client(nil))
	s.enqueueMany(3)
	s.pass(time.Hour)
	require.NoError(t, w.sweep(t.Context()))
	require.EqualValues(t, 3, s.riverJobs(), "River is only late")
	s.exec("DELETE FROM " + s.riverTable())
	require.NoError(t, s.Pause(t.Context(), "stocktaking"))
	require.NoError(t, w.sweep(t.Context()))
	require.Zero(t, s.riverJobs())
	require.NoError(t, s.Resume(t.Context()))
	require.NoError(t, w.sweep(t.Context()))
	require.EqualValues(t, 3, s.riverJobs())
}

// clockAhead has a process whose clock was fast for a while. The times that it wrote must not
// delay its jobs for as long.
func clockAhead[TTx any](t *testing.T, p place[TTx]) {
	s := newSite(t, p, Config{})
	j := s.enqueue(jpayment.OpSales)
	s.gateway.Fail(jpaymenttest.Fault{Kind: jpaymenttest.AnswerCode, Code: "ER010", Nth: 1})
	s.pass(time.Hour)
	s.work(s.worker(s.client(nil)), j)
	s.stands(j, StateWaiting, ReasonBusy)
	s.pass(-time.Hour)
	w := s.worker(s.client(nil))
	require.NoError(t, w.sweep(t.Context()))
	require.WithinDuration(t, s.clock(), s.look(j).Due, maxBackOff)
	s.pass(maxBackOff)
	s.work(w, j)
	s.stands(j, StateDone, ReasonNone)
}

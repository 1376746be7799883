package fulfilment

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/time/rate"

	"github.com/jpayment-go/jpayment"
	"github.com/jpayment-go/jpayment/jpaymenttest"
)

// Tests of jobs for one payment, of order code, and of withdrawals and corrections.

// oneAtATime enqueues two operations on a payment at once, from two processes.
func oneAtATime[TTx any](t *testing.T, p place[TTx]) {
	s := newSite(t, p, Config{})
	another := p(Config{})
	for range 20 {
		id := s.authorize()
		var all sync.WaitGroup
		errs := make([]error, 2)
		all.Go(func() { _, errs[0] = s.Enqueue(t.Context(), request(jpayment.OpSales, id)) })
		all.Go(func() { _, errs[1] = another.Enqueue(t.Context(), request(jpayment.OpCancel, id)) })
		all.Wait()
		failures := 0
		for _, err := range errs {
			if err != nil {
				failures++
				require.ErrorAs(t, err, new(*ConflictError))
			}
		}
		require.Equal(t, 1, failures)
	}
	stop := s.run(s.client(nil), WorkerConfig{Rate: rate.Inf})
	s.settled()
	stop()
	require.Len(t, s.gateway.Requests(), 20)
}

// afterAnother captures, and then cancels.
func afterAnother[TTx any](t *testing.T, p place[TTx]) {
	s := newSite(t, p, Config{})
	w := s.worker(s.client(nil))
	id := s.authorize()
	capture := s.enqueueFor(jpayment.OpSales, id)
	cancel, err := s.Enqueue(t.Context(), request(jpayment.OpCancel, id).After(capture))
	require.NoError(t, err)
	require.Equal(t, capture.ID, cancel.After)
	s.stands(cancel, StateWaiting, ReasonAfter)
	require.EqualValues(t, 1, s.riverJobs())
	require.False(t, s.work(w, cancel), "a superfluous River job")
	require.Empty(t, s.gateway.Requests())

	again, err := s.Enqueue(t.Context(), request(jpayment.OpCancel, id).After(capture))
	require.NoError(t, err)
	require.True(t, again.Existed)
	var conflict *ConflictError
	_, err = s.Enqueue(t.Context(), request(jpayment.OpReAuth, id).After(capture))
	require.ErrorAs(t, err, &conflict)
	require.Equal(t, cancel.ID, conflict.Job.ID, "the cancellation comes next")
	last, err := s.Enqueue(t.Context(), request(jpayment.OpReAuth, id).InTurn())
	require.NoError(t, err)
	require.Equal(t, cancel.ID, last.After)

	for _, j := range []Job{capture, cancel, last} {
		s.stands(j, StateWaiting, s.look(j).Reason)
		require.False(t, s.work(w, j))
		require.Equal(t, 1, s.requests(j))
	}
	s.stands(cancel, StateDone, ReasonNone)
	payment, _ := s.gateway.Payment(id)
	require.Equal(t, jpaymenttest.Cancelled, payment.State)

	// After a done job it is sent at once; nothing can come after a re-authorisation.
	id = s.authorize()
	capture = s.enqueueFor(jpayment.OpSales, id)
	require.False(t, s.work(w, capture))
	cancel, err = s.Enqueue(t.Context(), request(jpayment.OpCancel, id).After(capture))
	require.NoError(t, err)
	require.False(t, s.work(w, cancel))
	s.stands(cancel, StateDone, ReasonNone)
	reauth := s.enqueue(jpayment.OpReAuth)
	var invalid *jpayment.ValidationError
	_, err = s.Enqueue(t.Context(), request(jpayment.OpSales, reauth.PaymentID).After(reauth))
	require.ErrorAs(t, err, &invalid)
	require.Equal(t, "After", invalid.Fields[0].Field)
	_, err = s.Enqueue(t.Context(), request(jpayment.OpSales, s.authorize()).After(reauth))
	require.ErrorAs(t, err, &invalid)
	_, err = s.Enqueue(t.Context(), request(jpayment.OpSales, s.authorize()).After(Job{ID: 4711}))
	require.ErrorIs(t, err, ErrNoJob)
}

// afterRefused enqueues a request whose predecessor is refused, before or after that.
func afterRefused[TTx any](t *testing.T, p place[TTx]) {
	s := newSite(t, p, Config{})
	w := s.worker(s.client(nil))
	declined := func() string {
		return s.gateway.Authorize(jpaymenttest.Authorization{Amount: 1000, Decline: "G1242G120000"})
	}
	id := declined()
	capture := s.enqueueFor(jpayment.OpSales, id)
	cancel, err := s.Enqueue(t.Context(), request(jpayment.OpCancel, id).After(capture))
	require.NoError(t, err)
	last, err := s.Enqueue(t.Context(), request(jpayment.OpReAuth, id).After(cancel))
	require.NoError(t, err)
	require.False(t, s.work(w, capture))
	s.stands(capture, StateRefused, ReasonCode)
	for _, j := range []Job{cancel, last} {
		require.NotEmpty(t, s.stands(j, StateRefused, ReasonPredecessor).Next())
		require.False(t, s.work(w, j))
		require.Zero(t, s.requests(j))
	}
	var refused *RefusedError
	_, err = s.Enqueue(t.Context(), request(jpayment.OpCancel, id).After(capture))
	require.ErrorAs(t, err, &refused)

	id = declined()
	capture = s.enqueueFor(jpayment.OpSales, id)
	require.False(t, s.work(w, capture))
	_, err = s.Enqueue(t.Context(), request(jpayment.OpCancel, id).After(capture))
	require.ErrorAs(t, err, &refused)
	require.Equal(t, jpayment.OpCancel, refused.Operation)
	saysBoth(t, err)
}

// listAfterRefused enqueues lists whose rows follow a refused job, in the same list or in an
// earlier one.
func listAfterRefused[TTx any](t *testing.T, p place[TTx]) {
	s := newSite(t, p, Config{})
	var h heard
	s.OnSettled(func(_ context.Context, _ TTx, j Job) error { h.add(j); return nil })
	w := s.worker(s.client(nil))
	refusedSales := func() Job {
		j := s.enqueueFor(jpayment.OpSales, s.gateway.Authorize(jpaymenttest.Authorization{Amount: 1000, Decline: "G1242G120000"}))
		require.False(t, s.work(w, j))
		return s.stands(j, StateRefused, ReasonCode)
	}

	sales := refusedSales()
	for range 2 { // The second time both jobs are recorded already.
		jobs, err := s.EnqueueAll(t.Context(), []Request{
			request(jpayment.OpSales, sales.PaymentID), request(jpayment.OpCancel, sales.PaymentID).InTurn(),
		})
		require.NoError(t, err)
		require.Equal(t, sales.ID, jobs[0].ID)
		require.Equal(t, StateRefused, jobs[1].State)
		s.stands(jobs[1], StateRefused, ReasonPredecessor)
		require.Equal(t, sales.ID, s.look(jobs[1]).After)
		require.Equal(t, []string{"Sales refused code", "Cancel refused predecessor"}, h.states(), "order code is called once")
		require.False(t, s.work(w, jobs[1]))
		require.Zero(t, s.requests(jobs[1]))
	}

	// The rest of a list, enqueued later, follows the row above it and any open job.
	sales = refusedSales()
	jobs, err := s.EnqueueAll(t.Context(), []Request{
		request(jpayment.OpCancel, sales.PaymentID).After(sales).InTurn(),
		request(jpayment.OpReAuth, sales.PaymentID).InTurn(),
	})
	require.NoError(t, err)
	for _, j := range jobs {
		s.stands(j, StateRefused, ReasonPredecessor)
	}
	jobs, err = s.EnqueueAll(t.Context(), []Request{request(jpayment.OpCancel, refusedSales().PaymentID).InTurn()})
	require.NoError(t, err)
	require.Equal(t, StateWaiting, jobs[0].State, "nothing above it was refused")

	id := s.authorize()
	sales = s.enqueueFor(jpayment.OpSales, id)
	require.False(t, s.work(w, sales))
	cancel := s.enqueueFor(jpayment.OpCancel, id)
	last, err := s.Enqueue(t.Context(), request(jpayment.OpReAuth, id).After(sales).InTurn())
	require.NoError(t, err)
	require.Equal(t, cancel.ID, last.After)
	s.stands(last, StateWaiting, ReasonAfter)

	// A single request is an error, and records nothing.
	sales = refusedSales()
	var refused *RefusedError
	_, err = s.Enqueue(t.Context(), request(jpayment.OpCancel, sales.PaymentID).After(sales).InTurn())
	require.ErrorAs(t, err, &refused)
	require.Equal(t, sales.ID, refused.Job.ID)
	_, err = s.Job(t.Context(), jpayment.OpCancel, sales.PaymentID)
	require.ErrorIs(t, err, ErrNoJob)
}

// fileInOrder enqueues several operations on each payment at once, in order.
func fileInOrder[TTx any](t *testing.T, p place[TTx]) {
	s := newSite(t, p, Config{})
	var rs []Request
	for range 30 {
		id := s.authorize()
		rs = append(rs, request(jpayment.OpSales, id).InTurn(), request(jpayment.OpCancel, id).InTurn())
	}
	jobs, err := s.EnqueueAll(t.Context(), rs)
	require.NoError(t, err)
	for i, j := range jobs {
		require.Equal(t, rs[i].asked, requestIn(t, j))
	}
	again, err := s.EnqueueAll(t.Context(), rs)
	require.NoError(t, err)
	for i, j := range again {
		require.True(t, j.Existed)
		require.Equal(t, jobs[i].ID, j.ID)
	}
	stop := s.run(s.client(nil), WorkerConfig{Rate: rate.Inf, Concurrency: 16})
	s.settled()
	stop()
	order := map[string][]jpayment.Operation{}
	for _, r := range s.gateway.Requests() {
		order[r.PaymentID] = append(order[r.PaymentID], r.Operation)
	}
	for _, ops := range order {
		require.Equal(t, []jpayment.Operation{jpayment.OpSales, jpayment.OpCancel}, ops)
	}
	st, err := s.Status(t.Context(), "")
	require.NoError(t, err)
	require.EqualValues(t, 60, st.Done)
}

func requestIn(t *testing.T, j Job) jpayment.Request {
	r, err := requestOf(record{Job: j})
	require.NoError(t, err)
	return r
}

// withdrawnUnsent withdraws a request that was never carried out, after several attempts.
func withdrawnUnsent[TTx any](t *testing.T, p place[TTx]) {
	s := newSite(t, p, Config{})
	w := s.worker(s.client(nil))
	withdraw := Decision{State: StateRefused, By: "the till"}
	for _, code := range []jpayment.Code{"ER010", "ER999", "ER003"} {
		j := s.enqueue(jpayment.OpReAuth)
		s.gateway.Fail(jpaymenttest.Fault{Kind: jpaymenttest.AnswerCode, Code: code, PaymentID: j.PaymentID})
		require.False(t, s.work(w, j))
		require.NoError(t, s.Resume(t.Context()))
		require.Equal(t, StateWaiting, s.look(j).State)
		_, err := s.Review(t.Context(), j.ID, withdraw)
		require.NoError(t, err)
		s.pass(2 * time.Hour)
		require.False(t, s.work(w, j))
		require.Equal(t, 1, s.requests(j))

		// With another amount it is a new request, and the history stays.
		other, err := s.Enqueue(t.Context(), ReAuth("order-"+j.PaymentID, jpayment.ReAuthRequest{PaymentID: j.PaymentID, Amount: 500}))
		require.NoError(t, err)
		require.NotEqual(t, j.ID, other.ID)
		require.EqualValues(t, 500, s.look(other).Amount)
		jobs, err := s.Jobs(t.Context(), Filter{PaymentID: j.PaymentID})
		require.NoError(t, err)
		require.Len(t, jobs, 2)

		// The first cannot be sent again beside it.
		_, err = s.Review(t.Context(), j.ID, Decision{State: StateWaiting, By: "the till"})
		require.ErrorAs(t, err, new(*ConflictError))
	}
	// A request that may have been carried out cannot be withdrawn.
	j := s.enqueue(jpayment.OpSales)
	s.gateway.Fail(jpaymenttest.Fault{Kind: jpaymenttest.DropAfterBooking, PaymentID: j.PaymentID, Nth: 1})
	require.False(t, s.work(w, j))
	s.stands(j, StateWaiting, ReasonUnknown)
	_, err := s.Review(t.Context(), j.ID, withdraw)
	require.ErrorAs(t, err, new(*jpayment.ValidationError))
}

// changedInOneTransaction withdraws a request and enqueues another amount.
func changedInOneTransaction[TTx any](t *testing.T, p place[TTx]) {
	s := newSite(t, p, Config{})
	j := s.enqueue(jpayment.OpReAuth)
	changed := func(end error) error {
		return s.db.transact(t.Context(), func(tx TTx) error {
			if _, err := s.ReviewTx(t.Context(), tx, j.ID, Decision{State: StateRefused, By: "the order system"}); err != nil {
				return err
			}
			_, err := s.EnqueueTx(t.Context(), tx, ReAuth("order-1", jpayment.ReAuthRequest{PaymentID: j.PaymentID, Amount: 1}))
			return errors.Join(err, end)
		})
	}
	require.Error(t, changed(errors.New("the merchant thought better of it")))
	s.stands(j, StateWaiting, ReasonNone)
	require.NoError(t, changed(nil))
	require.EqualValues(t, 1, s.look(j).Amount)
	w := s.worker(s.client(nil))
	require.False(t, s.work(w, j))
	require.False(t, s.work(w, s.look(j)))
	require.Len(t, s.gateway.Requests(), 1)
}

// correctedDecision corrects a decision by a later one.
func correctedDecision[TTx any](t *testing.T, p place[TTx]) {
	s := newSite(t, p, Config{})
	j := s.inReview(jpayment.OpSales)
	first := Decision{State: StateDone, By: "accounts", Note: jpayment.NewSecret("seen in the panel")}
	_, err := s.Review(t.Context(), j.ID, first)
	require.NoError(t, err)
	second := Decision{State: StateRefused, By: "the store", Note: jpayment.NewSecret("it was another payment")}
	_, err = s.Review(t.Context(), j.ID, second)
	require.ErrorAs(t, err, new(*jpayment.ValidationError), "a correction needs Corrects")
	second.Corrects = true
	_, err = s.Review(t.Context(), j.ID, second)
	require.NoError(t, err)
	s.stands(j, StateRefused, ReasonDecided)
	_, err = s.Review(t.Context(), j.ID, Decision{State: StateWaiting, By: "the store"})
	require.NoError(t, err)
	ds, err := s.Decisions(t.Context(), j.ID)
	require.NoError(t, err)
	require.Len(t, ds, 3)
	for i, want := range []Decision{first, second, {State: StateWaiting, By: "the store"}} {
		require.False(t, ds[i].At.IsZero())
		require.Equal(t, [3]string{string(want.State), want.By, want.Note.Reveal()}, [3]string{string(ds[i].State), ds[i].By, ds[i].Note.Reveal()})
	}
	_, err = s.Forget(t.Context(), s.now().Add(time.Hour))
	require.NoError(t, err)
}

// heard counts the calls of order code.
type heard struct {
	mu   sync.Mutex
	jobs []Job
}

func (h *heard) states() (all []string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, j := range h.jobs {
		all = append(all, fmt.Sprintf("%s %s %s", j.Operation, j.State, j.Reason))
	}
	return all
}

func (h *heard) add(j Job) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.jobs = append(h.jobs, j)
}

func hookHears[TTx any](t *testing.T, p place[TTx]) {
	s := newSite(t, p, Config{KickbackWait: time.Hour})
	var h heard
	s.OnSettled(func(_ context.Context, _ TTx, j Job) error { h.add(j); return nil })
	w := s.worker(s.client(nil))
	// By a worker, with the job that comes after.
	id := s.authorize()
	capture := s.enqueueFor(jpayment.OpSales, id)
	cancel, err := s.Enqueue(t.Context(), request(jpayment.OpCancel, id).After(capture))
	require.NoError(t, err)
	require.False(t, s.work(w, capture))
	require.False(t, s.work(w, cancel))
	// By a kickback, ten times.
	reauth := s.enqueue(jpayment.OpReAuth)
	require.False(t, s.work(w, reauth))
	for range 10 {
		require.True(t, s.deliver(success(reauth)))
	}
	// By the sweep, and then by a person.
	late := s.enqueue(jpayment.OpReAuth)
	require.False(t, s.work(w, late))
	s.pass(2 * time.Hour)
	require.NoError(t, w.sweep(t.Context()))
	_, err = s.Review(t.Context(), late.ID, Decision{State: StateRefused, By: "accounts"})
	require.NoError(t, err)
	require.Equal(t, []string{"Sales done ", "Cancel done ", "ReAuth done kickback", "ReAuth review no-kickback", "ReAuth refused decided"}, h.states())

	var positions []int64
	var changes []string
	for c, err := range s.Changes(t.Context(), 0) {
		require.NoError(t, err)
		positions = append(positions, c.Position)
		changes = append(changes, fmt.Sprintf("%s %s %s", c.Job.Operation, c.State, c.Reason))
	}
	require.Equal(t, h.states(), changes)
	require.Equal(t, []int64{1, 2, 3, 4, 5}, positions)
	for range s.Changes(t.Context(), 5) {
		require.Fail(t, "there are no more")
	}
}

// hookFails has order code that fails: only the answer is recorded, and it is called again.
func hookFails[TTx any](t *testing.T, p place[TTx]) {
	for name, failing := range map[string]func() error{
		"an error": func() error { return errors.New("no such order, taro@example.com") },
		"a panic":  func() error { panic("taro@example.com") },
	} {
		var log strings.Builder
		s := newSite(t, p, Config{Logger: slog.New(slog.NewTextHandler(&log, nil))})
		var h heard
		var broken bool
		s.OnSettled(func(_ context.Context, _ TTx, j Job) error {
			if broken {
				return failing()
			}
			h.add(j)
			return nil
		})
		w := s.worker(s.client(nil))
		stop, cancel := context.WithCancel(t.Context())
		w.stop = stop
		if name == "a panic" {
			s.authorize() // The database is the same.
		}
		j := s.enqueue(jpayment.OpReAuth)
		a := s.begins(w, j)
		ans := w.call(t.Context(), a)
		require.NotNil(t, ans.result, name)
		broken = true
		s.pass(2 * w.cfg.lease())
		cancel() // The process is stopping; the answer is kept all the same.
		require.NoError(t, w.end(t.Context(), a, ans), name)
		s.stands(j, StateRunning, ReasonNone)
		require.Empty(t, h.states())
		require.False(t, s.Health().OK())
		require.NotContains(t, log.String(), "taro")

		other := s.worker(s.client(nil))
		require.NoError(t, other.sweep(t.Context()), "it is not called again at once")
		s.pass(5 * time.Second)
		require.Error(t, other.sweep(t.Context()))
		s.stands(j, StateRunning, ReasonNone)
		broken = false
		s.pass(5 * time.Second)
		require.NoError(t, other.sweep(t.Context()))
		require.Equal(t, ans.result.PaymentID, s.stands(j, StateDone, ReasonNone).NewPaymentID, name)
		require.Equal(t, []string{"ReAuth done "}, h.states())
		require.Equal(t, 1, s.requests(j))
	}
}

// hookFailsTooLong has order code that fails until the attempt is given up. The process that
// sends the job again does not know the answer.
func hookFailsTooLong[TTx any](t *testing.T, p place[TTx]) {
	s := newSite(t, p, Config{})
	broken := true
	s.OnSettled(func(context.Context, TTx, Job) error {
		if broken {
			return errors.New("no such order")
		}
		return nil
	})
	w, other := s.worker(s.client(nil)), s.worker(s.client(nil))
	stop, cancel := context.WithCancel(t.Context())
	w.stop = stop
	j := s.enqueue(jpayment.OpSales)
	a := s.begins(w, j)
	ans := w.call(t.Context(), a)
	require.Equal(t, jpayment.OutcomeDone, ans.outcome)
	s.pass(2 * w.cfg.lease())
	require.NoError(t, other.sweep(t.Context()))
	s.stands(j, StateWaiting, ReasonInterrupted)
	cancel()
	require.Error(t, w.end(t.Context(), a, ans), "it cannot be kept: another process has the job")

	broken = false
	require.False(t, s.work(other, j)) // The gateway refuses to capture it twice.
	s.stands(j, StateReview, ReasonReplayRefused)
	require.NoError(t, w.end(t.Context(), a, ans))
	s.stands(j, StateDone, ReasonNone)
}

// hookFailsForOne has order code that fails for one of two jobs that a process without order
// code decided. The other is not held up, and the log says what fails, not too often.
func hookFailsForOne[TTx any](t *testing.T, p place[TTx]) {
	var out said
	s := newSite(t, p, logged(&out))
	a, b := s.inReview(jpayment.OpSales), s.inReview(jpayment.OpSales)
	command := p(Config{})
	broken := true
	var h heard
	s.OnSettled(func(ctx context.Context, tx TTx, j Job) error {
		if j.ID == a.ID && broken {
			_, err := s.EnqueueTx(ctx, tx, Sales("another order", jpayment.SalesRequest{PaymentID: b.PaymentID}))
			return err
		}
		h.add(j)
		return nil
	})
	w := s.worker(s.client(nil))
	require.NoError(t, s.store().hook(t.Context()))
	for _, d := range []struct {
		job   Job
		state State
	}{{a, StateDone}, {a, StateRefused}, {b, StateDone}} {
		_, err := command.Review(t.Context(), d.job.ID, Decision{State: d.state, By: "accounts", Corrects: true})
		require.NoError(t, err)
	}
	const failed, again = `msg="fulfilment: order code failed"`, `msg="fulfilment: order code works again"`
	require.ErrorAs(t, w.sweepUntold(t.Context()), new(*ConflictError))
	require.Equal(t, []string{"Sales done decided"}, h.states(), "the other job is not held up")
	require.Len(t, out.records(failed, fmt.Sprintf("job_id=%d", a.ID), "payment "+b.PaymentID), 1)
	require.NoError(t, w.sweepUntold(t.Context()), "it is not called again at once")
	require.False(t, s.Health().OK())
	for range 20 {
		s.pass(time.Second)
		_ = w.sweepUntold(t.Context())
	}
	n := len(out.records(failed))
	require.Greater(t, n, 2)
	require.Less(t, n, 10)
	require.Empty(t, out.records(answersAgain))
	require.Empty(t, out.records(again))
	require.EqualValues(t, n, s.Health().Failures)

	broken = false
	s.pass(10 * time.Second)
	require.NoError(t, w.sweepUntold(t.Context()))
	require.Equal(t, []string{"Sales done decided", "Sales done decided", "Sales refused decided"}, h.states())
	require.True(t, s.Health().OK())
	require.Len(t, out.records(again, fmt.Sprintf("job_id=%d", a.ID)), 1)
	require.Empty(t, out.records(answersAgain))
}

// hookElsewhere decides in a process without order code; a worker that has it calls it.
func hookElsewhere[TTx any](t *testing.T, p place[TTx]) {
	s := newSite(t, p, Config{})
	before := s.inReview(jpayment.OpSales)
	command := p(Config{})
	var h heard
	s.OnSettled(func(_ context.Context, _ TTx, j Job) error { h.add(j); return nil })
	stop := s.run(s.client(nil), WorkerConfig{Rate: rate.Inf, CallTimeout: time.Second})
	eventually(t, "the store is not hooked", func() bool { return s.count("SELECT hooked FROM jpayment_store WHERE store_id = $1", testStore) == 1 })
	for _, state := range []State{StateDone, StateRefused} {
		_, err := command.Review(t.Context(), before.ID, Decision{State: state, By: "accounts", Corrects: true})
		require.NoError(t, err)
	}
	eventually(t, "order code is not called", func() bool { return len(h.states()) == 2 })
	stop()
	require.Equal(t, []string{"Sales done decided", "Sales refused decided"}, h.states(), "it is not called for earlier changes")
}

// partialShipment captures a part: the verdict on a re-authorisation enqueues the capture of the
// new payment.
func partialShipment[TTx any](t *testing.T, p place[TTx]) {
	s := newSite(t, p, Config{})
	s.OnSettled(func(ctx context.Context, tx TTx, j Job) error {
		if j.Operation != jpayment.OpReAuth || j.State != StateDone {
			return nil
		}
		_, err := s.EnqueueTx(ctx, tx, Sales(j.Reference, jpayment.SalesRequest{PaymentID: j.NewPaymentID}))
		return err
	})
	var jobs []Job
	for range 10 {
		jobs = append(jobs, s.enqueue(jpayment.OpReAuth))
	}
	stop := s.run(s.client(nil), WorkerConfig{Rate: rate.Inf})
	for _, j := range jobs {
		got, err := s.Wait(t.Context(), j.ID)
		require.NoError(t, err)
		require.Equal(t, StateDone, got.State)
		capture, err := s.Job(t.Context(), jpayment.OpSales, got.NewPaymentID)
		require.NoError(t, err)
		capture, err = s.Wait(t.Context(), capture.ID)
		require.NoError(t, err)
		require.Equal(t, StateDone, capture.State)
		require.Equal(t, j.Reference, capture.Reference)
	}
	stop()
	waiting, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := s.Wait(waiting, s.enqueue(jpayment.OpSales).ID)
	require.Error(t, err)
}

// maintenancePauses has one ER999, and a backlog that waits until maintenance is over.
func maintenancePauses[TTx any](t *testing.T, p place[TTx]) {
	s := newSite(t, p, Config{})
	w := s.worker(s.client(nil))
	first := s.enqueue(jpayment.OpSales)
	backlog := s.enqueueMany(20)
	s.gateway.Fail(jpaymenttest.Fault{Kind: jpaymenttest.AnswerCode, Code: "ER999", Nth: 1})
	require.False(t, s.work(w, first))
	st, err := s.Status(t.Context(), "")
	require.NoError(t, err)
	require.NotNil(t, st.Paused)
	require.Equal(t, ReasonMaintenance, st.Paused.Reason)
	require.True(t, st.Paused.Until.After(s.now()))
	for _, j := range backlog {
		require.True(t, s.work(w, j))
		require.Equal(t, s.look(j).UpdatedAt, s.look(j).CreatedAt, "it is not rewritten")
	}
	require.Len(t, s.gateway.Requests(), 1)
	require.NoError(t, w.sweep(t.Context()))
	require.NotZero(t, s.count("SELECT COUNT(*) FROM jpayment_pause WHERE store_id = $1", testStore))
	s.pass(st.Paused.Until.Sub(s.now()) + time.Second)
	stop := s.run(s.client(nil), WorkerConfig{Rate: rate.Inf})
	s.settled()
	stop()
	require.Zero(t, s.count("SELECT COUNT(*) FROM jpayment_pause WHERE store_id = $1", testStore))
}

// restoredCopy restores a database from a backup.
func restoredCopy[TTx any](t *testing.T, p place[TTx]) {
	s := newSite(t, p, Config{})
	witness := t.TempDir() + "/seen.json"
	open := s.enqueue(jpayment.OpReAuth)
	settled := s.enqueue(jpayment.OpSales)
	w := s.worker(s.client(nil))
	w.cfg.Witness = witness
	require.False(t, s.work(w, settled))
	require.NoError(t, w.checkAge(t.Context()))
	s.exec("DELETE FROM " + s.riverTable() + "")
	copied := s.count("SELECT mark FROM jpayment_store WHERE store_id = $1", testStore)
	require.NoError(t, w.checkAge(t.Context()))
	require.NoError(t, w.checkAge(t.Context()))
	// The other contents of the backup do not matter here.
	s.exec("UPDATE jpayment_store SET mark = $1 WHERE store_id = $2", copied, testStore)

	err := s.Run(t.Context(), s.client(nil), WorkerConfig{Witness: witness})
	require.ErrorContains(t, err, "restored")
	saysBoth(t, err)
	n, err := s.AfterRestore(t.Context())
	require.NoError(t, err)
	require.EqualValues(t, 1, n)
	s.stands(open, StateReview, ReasonRestored)
	s.stands(settled, StateDone, ReasonNone)
	stop := s.run(s.client(nil), WorkerConfig{Witness: witness, Rate: rate.Inf})
	eventually(t, "it does not go on", func() bool {
		return s.count("SELECT mark FROM jpayment_store WHERE store_id = $1", testStore) > copied+1
	})
	stop()
	require.Zero(t, s.requests(open))
	// While a worker runs.
	s.exec("UPDATE jpayment_store SET mark = 1 WHERE store_id = $1", testStore)
	require.ErrorContains(t, w.sweepUntilStopped(t.Context()), "restored")
}

// newerTables has tables of a version that this program does not know.
func newerTables[TTx any](t *testing.T, p place[TTx]) {
	s := newSite(t, p, Config{})
	id := s.authorize()
	w := s.worker(s.client(nil))
	j := s.enqueue(jpayment.OpSales)
	s.exec("UPDATE jpayment_version SET version = $1", SchemaVersion+1)
	newer := p(Config{})
	err := newer.Migrate(t.Context())
	require.ErrorContains(t, err, "newer than this program")
	saysBoth(t, err)
	_, err = newer.Enqueue(t.Context(), request(jpayment.OpSales, id))
	require.ErrorContains(t, err, "newer than this program")
	require.ErrorContains(t, newer.Run(t.Context(), s.client(nil), WorkerConfig{}), "newer than this program")
	require.Error(t, w.Work(t.Context(), riverJob(j)), "nor does a running worker")
	require.Empty(t, s.gateway.Requests())
}

// rateOfTheStore checks the rate limit over all processes.
func rateOfTheStore[TTx any](t *testing.T, p place[TTx]) {
	const calls, each = 40, 100 * time.Millisecond // ten a second
	s := newSite(t, p, Config{})
	now := s.moment()
	var times []time.Time
	for range 2 {
		q := p(Config{})
		q.now = func() time.Time { return now }
		w := q.newWorker(t.Context(), new(jpaymenttest.Fake), WorkerConfig{Rate: 10, Concurrency: 8, CallTimeout: time.Hour})
		for range calls / 2 {
			at, err := w.takeTurn(t.Context(), time.Hour)
			require.NoError(t, err)
			times = append(times, at)
		}
	}
	slices.SortFunc(times, time.Time.Compare)
	require.False(t, times[0].Before(now))
	for i := range calls - 1 {
		require.GreaterOrEqual(t, times[i+1].Sub(times[i]), each)
	}
	require.LessOrEqual(t, times[calls-1].Sub(now), (calls+8)*each, "nor are they much further apart")

	// The reservation of a fast clock is ignored.
	s.exec("UPDATE jpayment_store SET slot = $1 WHERE store_id = $2", micros(now.Add(time.Hour)), testStore)
	q := p(Config{})
	q.now = func() time.Time { return now }
	at, err := q.newWorker(t.Context(), new(jpaymenttest.Fake), WorkerConfig{Rate: 10, Concurrency: 8, CallTimeout: time.Hour}).takeTurn(t.Context(), time.Hour)
	require.NoError(t, err)
	require.WithinDuration(t, now, at, time.Second)
}

// stoppedAtOnce runs a worker whose context has already ended.
func stoppedAtOnce[TTx any](t *testing.T, p place[TTx]) {
	s := newSite(t, p, Config{})
	s.OnSettled(func(context.Context, TTx, Job) error { return nil })
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	require.NoError(t, s.Run(ctx, s.client(nil), WorkerConfig{Witness: t.TempDir() + "/seen.json"}))
}

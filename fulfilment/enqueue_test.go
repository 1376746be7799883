package fulfilment

import (
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/jpayment-go/jpayment"
	"github.com/jpayment-go/jpayment/jpaymenttest"
)

func requestIsCarriedOut[TTx any](t *testing.T, p place[TTx]) {
	s := newSite(t, p, Config{})
	w := s.worker(s.client(nil))
	for _, op := range []jpayment.Operation{jpayment.OpSales, jpayment.OpCancel, jpayment.OpReAuth} {
		j := s.enqueue(op)
		require.Equal(t, StateWaiting, j.State)
		require.False(t, j.Existed)
		require.Equal(t, j, s.look(j))

		require.False(t, s.work(w, j))
		require.False(t, s.work(w, j), "once more")
		got := s.stands(j, StateDone, ReasonNone)
		require.NotNil(t, got.Result)
		require.Equal(t, jpayment.StatusSucceeded, got.Result.Status)
		require.Equal(t, 1, got.Attempts)
		require.Zero(t, got.Due)
		require.Equal(t, 1, s.requests(j))
		payment, _ := s.gateway.Payment(j.PaymentID)
		require.Equal(t, payment.ReplacedBy, got.NewPaymentID)
		require.Equal(t, op == jpayment.OpReAuth, got.NewPaymentID != "")
		require.Equal(t, []jpayment.Outcome{jpayment.OutcomeDone}, s.outcomes(j))
	}
}

func requestInTransaction[TTx any](t *testing.T, p place[TTx]) {
	s := newSite(t, p, Config{})
	s.exec("CREATE TABLE " + s.table("jpayment_shipment") + " (payment_id TEXT)")
	ship := func(paymentID string, end error) {
		err := s.db.transact(t.Context(), func(tx TTx) error {
			if _, err := s.db.in(tx).exec(t.Context(), "INSERT INTO jpayment_shipment (payment_id) VALUES ($1)", paymentID); err != nil {
				return err
			}
			j, err := s.EnqueueTx(t.Context(), tx, request(jpayment.OpSales, paymentID))
			require.NoError(t, err)
			seen, err := s.JobTx(t.Context(), tx, jpayment.OpSales, paymentID)
			require.NoError(t, err)
			require.Equal(t, j, seen)
			return end
		})
		require.ErrorIs(t, err, end)
	}
	shipped := func(paymentID string) int64 {
		return s.count("SELECT COUNT(*) FROM jpayment_shipment WHERE payment_id = $1", paymentID)
	}

	undone, kept := s.authorize(), s.authorize()
	ship(undone, errors.New("the merchant thought better of it"))
	_, err := s.Job(t.Context(), jpayment.OpSales, undone)
	require.ErrorIs(t, err, ErrNoJob)
	require.Zero(t, shipped(undone))
	require.Zero(t, s.riverJobs())

	ship(kept, nil)
	require.EqualValues(t, 1, shipped(kept))
	require.EqualValues(t, 1, s.riverJobs())
	j, err := s.Job(t.Context(), jpayment.OpSales, kept)
	require.NoError(t, err)
	require.False(t, s.work(s.worker(s.client(nil)), j))
	require.Equal(t, 1, s.booked(j))
}

func sameRequestAgain[TTx any](t *testing.T, p place[TTx]) {
	s := newSite(t, p, Config{})
	id := s.authorize()
	again := func(state State) {
		t.Helper()
		j, err := s.Enqueue(t.Context(), request(jpayment.OpSales, id).InBatch("another"))
		require.NoError(t, err)
		require.True(t, j.Existed)
		require.Equal(t, state, j.State)
		require.Empty(t, j.Batch)
	}
	j := s.enqueueFor(jpayment.OpSales, id)
	again(StateWaiting)
	require.False(t, s.work(s.worker(s.client(func() { again(StateRunning) })), j))
	again(StateDone)
	require.EqualValues(t, 1, s.riverJobs())
	require.Equal(t, 1, s.requests(j))
}

func sameRequestAtOnce[TTx any](t *testing.T, p place[TTx]) {
	s := newSite(t, p, Config{})
	queues := []*Queue[TTx]{s.Queue, p(Config{}), p(Config{})}
	id := s.authorize()
	jobs := make([]Job, 24)
	var all sync.WaitGroup
	for i := range jobs {
		all.Go(func() {
			var err error
			q, r := queues[i%len(queues)], request(jpayment.OpSales, id)
			if i%2 == 0 {
				jobs[i], err = q.Enqueue(t.Context(), r)
			} else {
				err = q.db.transact(t.Context(), func(tx TTx) (err error) {
					jobs[i], err = q.EnqueueTx(t.Context(), tx, r)
					return err
				})
			}
			if err != nil {
				t.Errorf("%d: %v", i, err)
			}
		})
	}
	all.Wait()
	fresh := 0
	for _, j := range jobs {
		require.Equal(t, jobs[0].ID, j.ID)
		if !j.Existed {
			fresh++
		}
	}
	require.Equal(t, 1, fresh)
	require.EqualValues(t, 1, s.riverJobs())
	w := s.worker(s.client(nil))
	for _, j := range jobs {
		require.False(t, s.work(w, j))
	}
	require.Equal(t, 1, s.requests(jobs[0]))
}

func conflictingRequest[TTx any](t *testing.T, p place[TTx]) {
	s := newSite(t, p, Config{})
	id := s.authorize()
	first := jpayment.ReAuthRequest{PaymentID: id, Amount: 900, Tax: 72, Shipping: 500}
	j, err := s.Enqueue(t.Context(), ReAuth("order-1", first))
	require.NoError(t, err)

	other := jpayment.ReAuthRequest{PaymentID: id, Amount: 901, Tax: 73, Shipping: 501}
	_, err = s.Enqueue(t.Context(), ReAuth("order-2", other))
	var conflict *ConflictError
	require.ErrorAs(t, err, &conflict)
	require.Equal(t, []string{"Amount", "Tax", "Shipping", "Reference"}, conflict.Fields)
	require.Equal(t, j, conflict.Job)
	saysBoth(t, err)
	require.ErrorContains(t, err, "with a different Amount and Tax and Shipping and Reference")
	require.ErrorContains(t, err, "next: ")
	require.Equal(t, j, s.look(j))
	require.EqualValues(t, 1, s.riverJobs())

	for _, op := range []jpayment.Operation{jpayment.OpSales, jpayment.OpCancel} {
		_, err := s.Enqueue(t.Context(), request(op, id))
		require.ErrorAs(t, err, &conflict)
		require.Empty(t, conflict.Fields)
		require.Equal(t, op, conflict.Operation)
		require.Equal(t, j, conflict.Job)
		saysBoth(t, err)
	}
}

// refusedBefore enqueues a refused request again. It must return an error, since callers ship
// if there is none.
func (s *site[TTx]) refusedBefore(j Job) {
	s.t.Helper()
	ways := map[string]func(Request) error{
		"Enqueue": func(r Request) error {
			_, err := s.Enqueue(s.t.Context(), r)
			return err
		},
		"EnqueueTx": func(r Request) error {
			return s.db.transact(s.t.Context(), func(tx TTx) error {
				_, err := s.EnqueueTx(s.t.Context(), tx, r)
				return err
			})
		},
	}
	before, jobs := s.look(j), s.riverJobs()
	for name, ask := range ways {
		var refused *RefusedError
		require.ErrorAs(s.t, ask(request(j.Operation, j.PaymentID)), &refused, name)
		require.Equal(s.t, before.ID, refused.Job.ID)
		require.Equal(s.t, StateRefused, refused.Job.State)
		saysBoth(s.t, refused)
		require.True(s.t, refused.Job.Existed)
	}
	// A whole list can be enqueued again.
	all, err := s.EnqueueAll(s.t.Context(), []Request{request(j.Operation, j.PaymentID)})
	require.NoError(s.t, err)
	require.True(s.t, all[0].Existed)
	require.Equal(s.t, StateRefused, all[0].State)
	known, err := s.Check(s.t.Context(), request(j.Operation, j.PaymentID))
	require.NoError(s.t, err)
	require.Equal(s.t, all[0], known)
	require.Equal(s.t, before, s.look(j))
	require.Equal(s.t, jobs, s.riverJobs())
}

// saysBoth requires that an error says what happened and what to do next in both languages,
// and that its message consists of that.
func saysBoth(t *testing.T, err error) {
	t.Helper()
	what, next := jpayment.WhatOf(err), jpayment.NextOf(err)
	require.Equal(t, "fulfilment: "+what.En+"; next: "+next.En, err.Error())
	for _, ja := range []string{what.Ja, next.Ja} {
		require.Regexp(t, `\p{Hiragana}`, ja)
	}
}

func allOrNone[TTx any](t *testing.T, p place[TTx]) {
	s := newSite(t, p, Config{})
	known := s.enqueue(jpayment.OpSales)
	a, b := s.authorize(), s.authorize()

	_, err := s.EnqueueAll(t.Context(), []Request{
		request(jpayment.OpSales, a), Sales("another", jpayment.SalesRequest{PaymentID: known.PaymentID}), request(jpayment.OpSales, b),
	})
	var conflict *ConflictError
	require.ErrorAs(t, err, &conflict)
	st, err := s.Status(t.Context(), "")
	require.NoError(t, err)
	require.EqualValues(t, 1, st.Total())
	require.EqualValues(t, 1, s.riverJobs())

	jobs, err := s.EnqueueAll(t.Context(), []Request{
		request(jpayment.OpSales, a), request(jpayment.OpSales, known.PaymentID), request(jpayment.OpSales, a), request(jpayment.OpSales, b),
	})
	require.NoError(t, err)
	require.Equal(t, []bool{false, true, true, false}, []bool{jobs[0].Existed, jobs[1].Existed, jobs[2].Existed, jobs[3].Existed})
	require.Equal(t, jobs[0].ID, jobs[2].ID)
	require.EqualValues(t, 3, s.riverJobs())
}

func requestsCrossing[TTx any](t *testing.T, p place[TTx]) {
	s := newSite(t, p, Config{})
	ways := [2]*Queue[TTx]{s.Queue, p(Config{})}
	for range 3 {
		var there, back []Request
		for range 40 {
			there = append(there, request(jpayment.OpSales, s.authorize()))
		}
		back = slices.Clone(there)
		slices.Reverse(back)
		var all sync.WaitGroup
		for i, rs := range [2][]Request{there, back} {
			all.Go(func() {
				if _, err := ways[i].EnqueueAll(t.Context(), rs); err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
	}
	require.EqualValues(t, 120, s.riverJobs())
}

func invalidRequest[TTx any](t *testing.T, p place[TTx]) {
	s := newSite(t, p, Config{})
	requests := map[string]struct {
		request Request
		faults  []string
	}{
		"capture": {Sales("", jpayment.SalesRequest{PaymentID: "x", Extra: jpayment.NewExtra(map[string]string{"aid": "1"})}), []string{"PaymentID", "Extra", "Reference"}},
		"re-authorisation": {
			ReAuth("a\nb", jpayment.ReAuthRequest{PaymentID: "1", Amount: -1, Email: jpayment.NewSecret("nobody"), Phone: jpayment.NewSecret("x")}).InBatch("\xff"),
			[]string{"Amount", "Email", "Phone", "Reference", "Batch"},
		},
		"nothing": {Request{}, []string{"Request", "Reference"}},
	}
	for name, c := range requests {
		_, err := s.Enqueue(t.Context(), c.request)
		var invalid *jpayment.ValidationError
		require.ErrorAs(t, err, &invalid, name)
		var fields []string
		for _, f := range invalid.Fields {
			fields = append(fields, f.Field)
		}
		require.ElementsMatch(t, c.faults, fields, name)
	}
	require.Zero(t, s.riverJobs())
	require.Empty(t, s.gateway.Requests())
}

func checkChangesNothing[TTx any](t *testing.T, p place[TTx]) {
	s := newSite(t, p, Config{})
	id := s.authorize()
	j, err := s.Check(t.Context(), request(jpayment.OpSales, id))
	require.NoError(t, err)
	require.Zero(t, j)
	require.Zero(t, s.riverJobs())

	known := s.enqueueFor(jpayment.OpSales, id)
	j, err = s.Check(t.Context(), request(jpayment.OpSales, id))
	require.NoError(t, err)
	require.True(t, j.Existed)
	require.Equal(t, known.ID, j.ID)
	_, err = s.Check(t.Context(), Sales("another", jpayment.SalesRequest{PaymentID: id}))
	var conflict *ConflictError
	require.ErrorAs(t, err, &conflict)
}

// The configuration is checked first.
func TestConfigNamesAllFaults(t *testing.T) {
	_, err := NewSQLite(nil, Config{StoreID: "１２３４５６", KickbackWait: -time.Second, Schema: "Other-Schema"})
	var invalid *jpayment.ValidationError
	require.ErrorAs(t, err, &invalid)
	require.Len(t, invalid.Fields, 3)

	q := sqliteAt(t, t.TempDir()+"/orders.db")(Config{})
	err = q.Run(t.Context(), new(jpaymenttest.Fake), WorkerConfig{Concurrency: 65, Rate: -1, CallTimeout: -1, MaxReplays: 11})
	require.ErrorAs(t, err, &invalid)
	require.Len(t, invalid.Fields, 4)
}

func tablesMissing[TTx any](t *testing.T, p place[TTx]) {
	q := p(Config{})
	_, err := q.Status(t.Context(), "")
	require.ErrorContains(t, err, "call Migrate")
	_, err = q.Enqueue(t.Context(), request(jpayment.OpSales, "1"))
	require.ErrorContains(t, err, "call Migrate")
	require.ErrorContains(t, q.Run(t.Context(), new(jpaymenttest.Fake), WorkerConfig{}), "call Migrate")
}

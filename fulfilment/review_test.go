package fulfilment

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/jpayment-go/jpayment"
	"github.com/jpayment-go/jpayment/jpaymenttest"
)

// inReview returns a job in review whose request was booked and whose reply was lost.
func (s *site[TTx]) inReview(op jpayment.Operation) Job {
	s.t.Helper()
	w, j := s.worker(s.client(nil)), s.enqueue(op)
	s.gateway.Fail(jpaymenttest.Fault{Kind: jpaymenttest.DropAfterBooking, PaymentID: j.PaymentID, Nth: 1})
	s.work(w, j)
	if op != jpayment.OpReAuth {
		s.pass(maxBackOff)
		s.work(w, j)
	}
	j = s.look(j)
	require.Equal(s.t, StateReview, j.State)
	return j
}

func personDecides[TTx any](t *testing.T, p place[TTx]) {
	s := newSite(t, p, Config{})
	for _, op := range []jpayment.Operation{jpayment.OpSales, jpayment.OpCancel, jpayment.OpReAuth} {
		for _, state := range []State{StateDone, StateRefused} {
			j := s.inReview(op)
			d := Decision{State: state, By: "the till", Note: jpayment.NewSecret("seen in the control panel")}
			if op == jpayment.OpReAuth && state == StateDone {
				d.NewPaymentID = "777"
			}
			decided, err := s.Review(t.Context(), j.ID, d)
			require.NoError(t, err)
			got := s.stands(j, state, ReasonDecided)
			require.Equal(t, []string{d.By, d.Note.Reveal(), d.NewPaymentID}, []string{got.DecidedBy, got.Note.Reveal(), got.NewPaymentID})
			require.Equal(t, got.State, decided.State)
			require.Zero(t, decided.Due)
			require.Equal(t, got.UpdatedAt, decided.UpdatedAt)
			require.Empty(t, got.Next())
			require.Nil(t, got.Result)
		}
	}

	k := newSite(t, func(cfg Config) *Queue[TTx] { cfg.StoreID = "654321"; return p(cfg) }, Config{KickbackWait: time.Hour}, jpaymenttest.WithStoreID("654321"))
	j := k.enqueue(jpayment.OpReAuth)
	require.False(t, k.work(k.worker(k.client(nil)), j))
	_, err := k.Review(t.Context(), j.ID, Decision{State: StateDone, NewPaymentID: "777", By: "the till"})
	require.NoError(t, err)
	k.stands(j, StateDone, ReasonDecided)
}

// sendOlderAgain sends a refused job again although a newer one was refused too. The job that
// is sent is the one that counts.
func sendOlderAgain[TTx any](t *testing.T, p place[TTx]) {
	s := newSite(t, p, Config{KickbackWait: time.Hour})
	w := s.worker(s.client(nil))
	withdraw := Decision{State: StateRefused, By: "the till"}
	id := s.authorize()
	var jobs []Job
	for _, reference := range []string{"order-1", "order-2"} {
		j, err := s.Enqueue(t.Context(), ReAuth(reference, jpayment.ReAuthRequest{PaymentID: id, Amount: 900}))
		require.NoError(t, err)
		_, err = s.Review(t.Context(), j.ID, withdraw)
		require.NoError(t, err)
		jobs = append(jobs, j)
	}
	found := func() Job {
		j, err := s.Job(t.Context(), jpayment.OpReAuth, id)
		require.NoError(t, err)
		return j
	}
	require.Equal(t, jobs[1].ID, found().ID, "the newest")
	_, err := s.Review(t.Context(), jobs[0].ID, Decision{State: StateWaiting, By: "the till"})
	require.NoError(t, err)
	require.Equal(t, jobs[0].ID, found().ID, "the one that is sent")

	require.False(t, s.work(w, jobs[0]))
	s.stands(jobs[0], StateAwaiting, ReasonNone)
	require.True(t, s.deliver(success(s.look(jobs[0]))))
	s.stands(jobs[0], StateDone, ReasonKickback)
	require.Zero(t, s.look(jobs[1]).DisputedAt)
}

func sendAgain[TTx any](t *testing.T, p place[TTx]) {
	s := newSite(t, p, Config{})
	w := s.worker(s.client(nil))
	for _, op := range []jpayment.Operation{jpayment.OpSales, jpayment.OpCancel, jpayment.OpReAuth} {
		j := s.inReview(op)
		sent, before := s.requests(j), s.riverJobs()
		_, err := s.Review(t.Context(), j.ID, Decision{State: StateWaiting, By: "the till"})
		require.NoError(t, err)
		s.stands(j, StateWaiting, ReasonAgain)
		require.Equal(t, before+1, s.riverJobs())
		require.False(t, s.work(w, j))
		require.Equal(t, sent+1, s.requests(j))
		if op == jpayment.OpReAuth {
			s.stands(j, StateReview, ReasonDeclined) // The payment is cancelled already.
		} else {
			// Unknown attempts before the decision no longer count, so a refusal is final.
			s.stands(j, StateRefused, ReasonCode)
		}
		require.Equal(t, 1, s.booked(j))
	}
}

func decisionFaults[TTx any](t *testing.T, p place[TTx]) {
	s := newSite(t, p, Config{})
	capture, reauth, waiting := s.inReview(jpayment.OpSales), s.inReview(jpayment.OpReAuth), s.enqueue(jpayment.OpSales)
	long := strings.Repeat("x", 201)
	for name, c := range map[string]struct {
		job    Job
		d      Decision
		fields []string
	}{
		"nothing":               {capture, Decision{}, []string{"State", "By"}},
		"everything":            {waiting, Decision{State: StateReview, NewPaymentID: "1", By: long, Note: jpayment.NewSecret("a\nb")}, []string{"Job", "State", "NewPaymentID", "By", "Note"}},
		"no new payment":        {reauth, Decision{State: StateDone, By: "x"}, []string{"NewPaymentID"}},
		"the payment itself":    {reauth, Decision{State: StateDone, NewPaymentID: reauth.PaymentID, By: "x"}, []string{"NewPaymentID"}},
		"a number too long":     {reauth, Decision{State: StateDone, NewPaymentID: "123456789012345678901", By: "x"}, []string{"NewPaymentID"}},
		"a payment of no job":   {capture, Decision{State: StateDone, NewPaymentID: "1", By: "x"}, []string{"NewPaymentID"}},
		"done without a sign":   {waiting, Decision{State: StateDone, By: "x"}, []string{"Job"}},
		"again before anything": {waiting, Decision{State: StateWaiting, By: "x"}, []string{"Job"}},
	} {
		_, err := s.Review(t.Context(), c.job.ID, c.d)
		var invalid *jpayment.ValidationError
		require.ErrorAs(t, err, &invalid, name)
		var fields []string
		for _, f := range invalid.Fields {
			fields = append(fields, f.Field)
		}
		require.Equal(t, c.fields, fields, name)
		require.Equal(t, s.look(c.job), s.stands(c.job, c.job.State, c.job.Reason), name)
	}
	_, err := s.Review(t.Context(), 4711, Decision{State: StateDone, By: "x"})
	require.ErrorIs(t, err, ErrNoJob)
}

// newPaymentTwice gives the payment that one re-authorisation made to another.
func newPaymentTwice[TTx any](t *testing.T, p place[TTx]) {
	s := newSite(t, p, Config{})
	a, b, c := s.inReview(jpayment.OpReAuth), s.inReview(jpayment.OpReAuth), s.inReview(jpayment.OpReAuth)
	made := func(id string, corrects bool) Decision {
		return Decision{State: StateDone, NewPaymentID: id, By: "the till", Corrects: corrects}
	}
	fails := func(err error, at, other Job) {
		t.Helper()
		var invalid *jpayment.ValidationError
		require.ErrorAs(t, err, &invalid)
		require.Equal(t, at.PaymentID, invalid.PaymentID)
		require.Equal(t, "NewPaymentID", invalid.Fields[0].Field)
		require.Contains(t, err.Error(), fmt.Sprintf("is the new payment of job %d", other.ID))
	}
	_, err := s.ReviewAll(t.Context(), map[int64]Decision{a.ID: made("777", false), b.ID: made("777", false)})
	fails(err, a, b)
	s.stands(a, StateReview, a.Reason)
	_, err = s.ReviewAll(t.Context(), map[int64]Decision{a.ID: made("777", false), b.ID: made("778", false)})
	require.NoError(t, err)
	_, err = s.Review(t.Context(), c.ID, made("778", false))
	fails(err, c, b)
	s.stands(c, StateReview, c.Reason)

	_, err = s.ReviewAll(t.Context(), map[int64]Decision{a.ID: made("778", true), b.ID: made("777", true)})
	require.NoError(t, err, "the two were mistaken for each other")
	require.Equal(t, "778", s.look(a).NewPaymentID)
}

func decisionTooLate[TTx any](t *testing.T, p place[TTx]) {
	s := newSite(t, p, Config{})
	j := s.inReview(jpayment.OpSales)
	var (
		all  sync.WaitGroup
		errs [8]error
	)
	for i := range errs {
		all.Go(func() {
			_, errs[i] = s.Review(t.Context(), j.ID, Decision{State: StateDone, By: fmt.Sprint("person ", i)})
		})
	}
	all.Wait()
	taken := 0
	for _, err := range errs {
		if err == nil {
			taken++
		}
	}
	require.Equal(t, 1, taken)
	s.stands(j, StateDone, ReasonDecided)
}

func withdrawal[TTx any](t *testing.T, p place[TTx]) {
	s := newSite(t, p, Config{})
	w := s.worker(s.client(nil))
	j := s.enqueue(jpayment.OpSales)
	_, err := s.Review(t.Context(), j.ID, Decision{State: StateRefused, By: "the till"})
	require.NoError(t, err)
	require.False(t, s.work(w, j))
	s.stands(j, StateRefused, ReasonDecided)
	require.Zero(t, s.requests(j))
	s.refusedBefore(j)

	tried := s.enqueue(jpayment.OpSales)
	s.gateway.Fail(jpaymenttest.Fault{Kind: jpaymenttest.DropBeforeBooking, PaymentID: tried.PaymentID})
	require.False(t, s.work(w, tried))
	_, err = s.Review(t.Context(), tried.ID, Decision{State: StateRefused, By: "the till"})
	var invalid *jpayment.ValidationError
	require.ErrorAs(t, err, &invalid, "the outcome of its request is unknown")
}

func refusedAgain[TTx any](t *testing.T, p place[TTx]) {
	s := newSite(t, p, Config{})
	w := s.worker(s.client(nil))
	j := s.enqueue(jpayment.OpSales)
	s.gateway.Fail(jpaymenttest.Fault{Kind: jpaymenttest.AnswerCode, PaymentID: j.PaymentID, Code: "G1242G120000", Nth: 1})
	require.False(t, s.work(w, j))
	s.stands(j, StateRefused, ReasonCode)
	again, err := s.Review(t.Context(), j.ID, Decision{State: StateWaiting, By: "the till"})
	require.NoError(t, err)
	require.Equal(t, StateWaiting, again.State)
	require.False(t, s.work(w, j))
	s.stands(j, StateDone, ReasonNone)
	require.Equal(t, 2, s.requests(j))

	// A job whose private data are erased cannot be sent.
	erased := s.enqueue(jpayment.OpSales)
	_, err = s.Review(t.Context(), erased.ID, Decision{State: StateRefused, By: "the till"})
	require.NoError(t, err)
	_, err = s.Forget(t.Context(), s.clock().Add(time.Hour))
	require.NoError(t, err)
	_, err = s.Review(t.Context(), erased.ID, Decision{State: StateWaiting, By: "the till"})
	require.ErrorContains(t, err, "erased")
	s.stands(erased, StateRefused, ReasonDecided)
}

func forgetting[TTx any](t *testing.T, p place[TTx]) {
	s := newSite(t, p, Config{KickbackWait: time.Hour})
	w := s.worker(s.client(nil))
	private := func(id string) Request {
		return ReAuth("order-"+id, jpayment.ReAuthRequest{
			PaymentID: id, Amount: 900, Tax: 72, Shipping: 500,
			Email: jpayment.NewSecret(canary + "@example.com"), Phone: jpayment.NewSecret(canaryDigits), Extra: jpayment.NewExtra(map[string]string{"k": canary + " extra"}),
		})
	}
	j, err := s.Enqueue(t.Context(), private(s.authorize()))
	require.NoError(t, err)
	require.False(t, s.work(w, j))
	n := success(j)
	n.ApprovalCode, n.Extra = canaryCode, jpayment.NewExtra(map[string]string{"k": canary + " extra"})
	require.True(t, s.deliver(n))
	settled := s.stands(j, StateDone, ReasonKickback)
	require.Equal(t, canaryCode, settled.Result.ApprovalCode.Reveal())
	require.Contains(t, settled.Result.Other.Reveal(), canary)
	noted := s.enqueue(jpayment.OpSales)
	_, err = s.Review(t.Context(), noted.ID, Decision{State: StateRefused, By: "the till", Note: jpayment.NewSecret(canary + " called")})
	require.NoError(t, err)
	open, err := s.Enqueue(t.Context(), private(s.authorize()))
	require.NoError(t, err)
	require.NotEmpty(t, s.leaks(), "the canaries are stored")

	forgotten, err := s.Forget(t.Context(), settled.UpdatedAt)
	require.NoError(t, err)
	require.Zero(t, forgotten, "settled later")
	s.pass(time.Second)
	forgotten, err = s.Forget(t.Context(), s.clock())
	require.NoError(t, err)
	require.EqualValues(t, 2, forgotten)
	forgotten, err = s.Forget(t.Context(), s.clock())
	require.NoError(t, err)
	require.Zero(t, forgotten, "once is enough")

	got := s.stands(j, StateDone, ReasonKickback)
	require.Equal(t, "777", got.NewPaymentID)
	require.Equal(t, jpayment.Yen(1472), got.Result.Total)
	require.True(t, s.enqueueFor(jpayment.OpReAuth, j.PaymentID).Existed)
	require.False(t, s.work(w, j))
	require.Equal(t, 1, s.requests(j))

	// Open jobs keep their data.
	require.NotEmpty(t, s.leaks())
	require.False(t, s.work(w, open))
	require.Equal(t, 1, s.requests(open))
	require.True(t, s.deliver(success(open)))
	s.pass(time.Second)
	forgotten, err = s.Forget(t.Context(), s.clock())
	require.NoError(t, err)
	require.EqualValues(t, 1, forgotten)
	require.Empty(t, s.leaks())

	// The data of a late answer can be erased too.
	late := s.enqueue(jpayment.OpReAuth)
	a := s.begins(w, late)
	a.history.notified = false // Its reply has a result.
	s.pass(w.cfg.lease() + time.Hour)
	require.NoError(t, w.sweep(t.Context()))
	_, err = s.Review(t.Context(), late.ID, Decision{State: StateRefused, By: "the till"})
	require.NoError(t, err)
	s.pass(time.Second)
	_, err = s.Forget(t.Context(), s.clock())
	require.NoError(t, err)
	res := &jpayment.Result{PaymentID: "777", Status: jpayment.StatusSucceeded, ApprovalCode: jpayment.NewSecret(canaryCode)}
	require.NoError(t, w.end(t.Context(), a, answerOf(res, nil)))
	require.NotEmpty(t, s.leaks())
	s.pass(time.Second)
	_, err = s.Forget(t.Context(), s.clock())
	require.NoError(t, err)
	require.Empty(t, s.leaks())
}

// leaks returns the rows of all tables that contain a canary.
func (s *site[TTx]) leaks() (found []string) {
	s.t.Helper()
	for _, table := range s.tableNames() {
		texts, err := collect(s.t.Context(), s.db.session(), func(rs rows) (text string, err error) { err = rs.Scan(&text); return text, err }, s.allText(table))
		require.NoError(s.t, err)
		for _, text := range texts {
			if hasCanary(text) {
				found = append(found, table+": "+text)
			}
		}
	}
	return found
}

func (s *site[TTx]) tableNames() []string {
	statement := "SELECT name FROM sqlite_master WHERE type = 'table'"
	var args []any
	if schema := s.db.schema(); schema != "" {
		statement, args = "SELECT table_name FROM information_schema.tables WHERE table_schema = $1 AND table_type = 'BASE TABLE'", []any{schema}
	}
	names, err := collect(s.t.Context(), s.db.session(), func(rs rows) (name string, err error) { err = rs.Scan(&name); return name, err }, statement, args...)
	require.NoError(s.t, err)
	require.Subset(s.t, names, []string{"jpayment_job", "jpayment_attempt", "jpayment_pause", "river_job"})
	return names
}

// allText selects each row of a table as one text.
func (s *site[TTx]) allText(table string) string {
	if s.db.schema() != "" {
		return fmt.Sprintf("SELECT CAST(x AS TEXT) FROM %s x", s.table(table))
	}
	columns, err := collect(s.t.Context(), s.db.session(), func(rs rows) (name string, err error) { err = rs.Scan(&name); return name, err },
		"SELECT name FROM pragma_table_info($1)", table)
	require.NoError(s.t, err)
	for i, c := range columns {
		columns[i] = fmt.Sprintf(`COALESCE(CAST("%s" AS TEXT), '')`, c)
	}
	return fmt.Sprintf("SELECT %s FROM %s", strings.Join(columns, " || ' ' || "), table)
}

func twoStores[TTx any](t *testing.T, p place[TTx]) {
	a := newSite(t, p, Config{StoreID: "111111"}, jpaymenttest.WithStoreID("111111"))
	b := newSite(t, p, Config{StoreID: "222222"}, jpaymenttest.WithStoreID("222222"))
	inA, inB := a.enqueue(jpayment.OpSales), b.enqueue(jpayment.OpSales)
	require.Equal(t, inA.PaymentID, inB.PaymentID)
	require.NotEqual(t, inA.ID, inB.ID)
	require.False(t, a.work(a.worker(a.client(nil)), inB), "the job belongs to another store")
	_, err := a.Review(t.Context(), inB.ID, Decision{State: StateRefused, By: "x"})
	require.ErrorIs(t, err, ErrNoJob)
	require.NoError(t, a.Pause(t.Context(), "stock-taking"))
	require.True(t, a.work(a.worker(a.client(nil)), inA))
	require.False(t, b.work(b.worker(b.client(nil)), inB))
	require.Empty(t, a.attempts(inB))
	b.stands(inB, StateDone, ReasonNone)
	a.stands(inA, StateWaiting, ReasonNone)
	require.Empty(t, a.gateway.Requests())

	st, err := b.Status(t.Context(), "")
	require.NoError(t, err)
	require.Nil(t, st.Paused)
	require.EqualValues(t, 1, st.Total())
	n, err := a.Forget(t.Context(), time.Now().Add(time.Hour))
	require.NoError(t, err)
	require.Zero(t, n)
}

func migrateAtOnce[TTx any](t *testing.T, p place[TTx]) {
	queues := []*Queue[TTx]{p(Config{}), p(Config{}), p(Config{})}
	var (
		all  sync.WaitGroup
		errs [12]error
	)
	for i := range errs {
		all.Go(func() {
			ctx, cancel := context.WithTimeout(t.Context(), patience)
			defer cancel()
			errs[i] = queues[i%len(queues)].Migrate(ctx)
		})
	}
	all.Wait()
	for _, err := range errs {
		require.NoError(t, err)
	}
	s := newSite(t, p, Config{})
	require.False(t, s.work(s.worker(s.client(nil)), s.enqueue(jpayment.OpSales)))
}

func pagesAndCounts[TTx any](t *testing.T, p place[TTx]) {
	s := newSite(t, p, Config{})
	empty, err := s.Status(t.Context(), "")
	require.NoError(t, err)
	require.Equal(t, Status{}, empty)

	var all []Request
	for i := range 25 {
		r := request(jpayment.OpSales, s.authorize())
		if i >= 20 {
			r = r.InBatch("night")
		}
		all = append(all, r)
	}
	jobs, err := s.EnqueueAll(t.Context(), all)
	require.NoError(t, err)
	w := s.worker(s.client(nil))
	for _, j := range jobs[:3] {
		require.False(t, s.work(w, j))
	}
	s.begins(w, jobs[3])

	var seen []int64
	for after := int64(0); ; {
		page, err := s.Jobs(t.Context(), Filter{AfterID: after, Limit: 7})
		require.NoError(t, err)
		if len(page) == 0 {
			break
		}
		require.LessOrEqual(t, len(page), 7)
		for _, j := range page {
			seen = append(seen, j.ID)
		}
		after = page[len(page)-1].ID
	}
	var want []int64
	for _, j := range jobs {
		want = append(want, j.ID)
	}
	require.Equal(t, want, seen)

	for f, n := range map[Filter]int{
		{}:                                 25,
		{State: StateDone}:                 3,
		{State: StateWaiting}:              21,
		{Batch: "night"}:                   5,
		{Batch: "night", State: StateDone}: 0,
		{Reference: jobs[4].Reference}:     1,
		{Reference: jobs[4].Reference, AfterID: jobs[4].ID}: 0,
	} {
		page, err := s.Jobs(t.Context(), f)
		require.NoError(t, err)
		require.Len(t, page, n, "%+v", f)
	}

	st, err := s.Status(t.Context(), "")
	require.NoError(t, err)
	require.Equal(t, Status{Waiting: 21, Running: 1, Done: 3, NextDue: jobs[4].Due}, st)
	require.EqualValues(t, 22, st.Open())
	require.EqualValues(t, 25, st.Total())
	st, err = s.Status(t.Context(), "night")
	require.NoError(t, err)
	require.Equal(t, Status{Waiting: 5, NextDue: jobs[20].Due}, st)
}

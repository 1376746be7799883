package sim_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/jpayment-go/jpayment"
	"github.com/jpayment-go/jpayment/internal/sim"
)

// journal stores changes as a file would.
type journal struct {
	payments []sim.Payment
	waiting  []sim.WaitingKickback
	err      error
}

func (j *journal) save(c sim.Change) error {
	if j.err != nil {
		return j.err
	}
	for _, p := range c.Payments {
		i := slices.IndexFunc(j.payments, func(known sim.Payment) bool { return known.ID == p.ID })
		if i < 0 {
			i = len(j.payments)
			j.payments = append(j.payments, p)
		}
		j.payments[i] = p
	}
	for _, w := range c.Kickbacks {
		j.waiting = slices.DeleteFunc(j.waiting, func(known sim.WaitingKickback) bool {
			return known.Request == w.Request && known.Duplicate == w.Duplicate
		})
		if !w.Over {
			j.waiting = append(j.waiting, w)
		}
	}
	return nil
}

// carriedOn returns a simulator that continues with the stored state.
func (j *journal) carriedOn(c *sim.Config) {
	c.Journal, c.Payments, c.Waiting = j.save, j.payments, j.waiting
}

func TestBooksOutliveTheSimulator(t *testing.T) {
	t.Parallel()
	j := new(journal)
	g := newSimulator(j.carriedOn)
	g.Authorize(order)
	require.Equal(t, "OK\r\n", ask(t, g, byKickback))
	declined := order
	declined.Decline = "G1242G120000"
	g.Authorize(declined)
	require.Equal(t, refused("ER033"), ask(t, g, "aid=123456&rt=1&tid=10000001&am=1&tx=0&sf=0"))

	again := newSimulator(j.carriedOn)
	require.Equal(t, g.Payments(), again.Payments())
	require.Equal(t, g.WaitingKickbacks(), again.WaitingKickbacks())
	require.Equal(t, toldByKickback, again.WaitingKickbacks()[0].RawQuery)

	require.Equal(t, refused("G1242G120000"), ask(t, again, "aid=123456&rt=1&tid=10000003&am=1&tx=0&sf=0"))
	require.Equal(t, 2, again.Requests()[0].Number, "no booking's request has this number")
	require.Equal(t, "10000004", again.Authorize(order))

	rec := newReceiver(t, content)
	again.SetKickbackURL(rec.URL)
	require.Equal(t, 1, again.DeliverKickbacks(t.Context()))
	require.Equal(t, []string{toldByKickback}, rec.received())
	require.Empty(t, again.WaitingKickbacks())
	require.Empty(t, j.waiting)
}

func TestAttemptsAreCountedOn(t *testing.T) {
	t.Parallel()
	j, now := new(journal), newClock(t)
	rec := newReceiver(t, empty)
	start := func() *sim.Simulator {
		g := newSimulator(j.carriedOn, withClock(now.now), withKickbackRetries(time.Minute))
		g.SetKickbackURL(rec.URL)
		return g
	}
	g := start()
	g.Authorize(order)
	ask(t, g, byKickback)
	require.Equal(t, 1, g.DeliverKickbacks(t.Context()))

	g = start()
	require.Zero(t, g.DeliverKickbacks(t.Context()), "not due yet")
	now.advance(time.Minute)
	require.Equal(t, 1, g.DeliverKickbacks(t.Context()))
	require.Equal(t, 2, g.Kickbacks()[0].Attempt)
	require.Empty(t, g.WaitingKickbacks(), "given up")
	require.Empty(t, start().WaitingKickbacks())
}

// If the gateway has fewer retries than before, a kickback that has had more is tried once more
// and given up.
func TestFewerRetriesThanBefore(t *testing.T) {
	t.Parallel()
	rec := newReceiver(t, empty)
	g := newSimulator(withKickbackRetries(),
		withWaitingKickbacks([]sim.WaitingKickback{{Request: 7, RawQuery: "gid=1", Tries: 3, Attempts: 3}}))
	g.SetKickbackURL(rec.URL)
	require.Equal(t, 1, g.DeliverKickbacks(t.Context()))
	require.Empty(t, g.WaitingKickbacks())
}

func TestWhatCannotBeKeptIsNotBooked(t *testing.T) {
	t.Parallel()
	j := new(journal)
	g := newSimulator(j.carriedOn)
	id := g.Authorize(order)
	before := g.Payments()
	j.err = errors.New("disk full")

	dropped := func(form string) {
		t.Helper()
		require.PanicsWithValue(t, http.ErrAbortHandler, func() { ask(t, g, form) })
		require.Equal(t, before, g.Payments())
		require.Empty(t, g.WaitingKickbacks())
		last := g.Requests()[len(g.Requests())-1]
		require.False(t, last.Booked)
		require.Zero(t, last.Status)
	}
	dropped(byKickback)
	dropped("aid=123456&rt=1&tid=10000001&am=900&tx=72&sf=0")
	require.ErrorIs(t, g.Capture(id), j.err)
	require.ErrorIs(t, g.Cancel(id), j.err)
	_, err := g.ReAuthorize(id, 1, 0, 0)
	require.ErrorIs(t, err, j.err)
	require.Panics(t, func() { g.Authorize(order) })
	require.Equal(t, before, g.Payments())

	require.Equal(t, refused("ER053"), ask(t, g, "aid=123456&rt=1&tid=1&am=900&tx=72&sf=0"), "nothing is to be kept")
	j.err = nil
	require.Equal(t, "OK\r\n", ask(t, g, byKickback))
	require.Equal(t, "10000002", g.Payments()[1].ID)
	require.Equal(t, g.Payments(), j.payments)
}

func TestMemory(t *testing.T) {
	t.Parallel()
	g := newSimulator(withMemory(2))
	rec := newReceiver(t, content)
	g.SetKickbackURL(rec.URL)
	for range 3 {
		ask(t, g, "aid=123456")
		_, err := g.ForgeKickback(t.Context(), "gid=1")
		require.NoError(t, err)
	}
	require.Len(t, g.ForgedKickbacks(), 2)
	numbers := []int{}
	for _, r := range g.Requests() {
		numbers = append(numbers, r.Number)
	}
	require.Equal(t, []int{2, 3}, numbers)
}

// A kickback that was delivered or given up is kept, to be sent again by hand. Only as many are
// kept as requests.
func TestMemoryOfKickbacks(t *testing.T) {
	t.Parallel()
	for name, respond := range map[string]func(http.ResponseWriter, *http.Request, int){"delivered": content, "given up": empty} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := newSimulator(withMemory(2), withKickbackRetries())
			rec := newReceiver(t, respond)
			for range 4 {
				ask(t, g, "aid=123456&rt=0&am=1&tx=0&sf=0&tid="+g.Authorize(order))
			}
			require.Len(t, g.WaitingKickbacks(), 4, "what waits is never forgotten")
			g.SetKickbackURL(rec.URL)
			require.Equal(t, 4, g.DeliverKickbacks(t.Context()))
			for number := range 5 {
				_, err := g.RetryKickback(t.Context(), number)
				require.Equal(t, number >= 3, err == nil, "request %d: %v", number, err)
			}
			require.Equal(t, 2, sim.RememberedKickbacks(g))

			ask(t, g, "aid=123456&rt=0&am=1&tx=0&sf=0&tid="+g.Authorize(order))
			_, err := g.RetryKickback(t.Context(), 5)
			require.NoError(t, err)
			g.DeliverKickbacks(t.Context())
			require.Equal(t, 2, sim.RememberedKickbacks(g))
			require.Empty(t, g.WaitingKickbacks())
		})
	}
}

func TestControlPanel(t *testing.T) {
	t.Parallel()
	g := newSimulator()
	g.SetMaintenance(true) // does not matter
	id := g.Authorize(order)
	require.NoError(t, g.Capture(id))
	require.ErrorIs(t, g.Capture(id), jpayment.Code("ER032"))
	next, err := g.ReAuthorize(id, 900, 72, 0)
	require.NoError(t, err)
	require.Equal(t, "10000002", next)
	require.ErrorIs(t, g.Cancel(id), jpayment.Code("ER033"))
	require.NoError(t, g.Cancel(next))
	_, err = g.ReAuthorize(next, 0, 0, 0)
	require.ErrorIs(t, err, jpayment.Code("ER061"))
	require.ErrorIs(t, g.Cancel("1"), jpayment.Code("ER053"))

	p, _ := g.Payment(id)
	require.Equal(t, next, p.ReplacedBy)
	for _, event := range p.History {
		require.Zero(t, event.Request)
	}
	require.Empty(t, g.WaitingKickbacks())
}

func TestSettingsAreTold(t *testing.T) {
	t.Parallel()
	g := newSimulator()
	require.Len(t, g.Settings().RegisteredIPs, 2)
	g.SetTestMode(true)
	g.SetMaintenance(true)
	g.RegisterIPs()
	g.SetKickbackURL("http://localhost:1/kb?a=b")
	require.Equal(t, sim.Settings{
		TestMode: true, Maintenance: true, RegisteredIPs: g.Settings().RegisteredIPs, KickbackURL: "http://localhost:1/kb?a=b",
	}, g.Settings())
	require.Empty(t, g.Settings().RegisteredIPs)
}

func TestEveryChangeIsTold(t *testing.T) {
	t.Parallel()
	g := newSimulator()
	rec := newReceiver(t, content)
	for name, change := range map[string]func(){
		"authorise":   func() { g.Authorize(order) },
		"test mode":   func() { g.SetTestMode(false) },
		"maintenance": func() { g.SetMaintenance(false) },
		"addresses":   func() { g.RegisterIPs() },
		"URL":         func() { g.SetKickbackURL(rec.URL) },
		"fault":       func() { g.Fail(sim.Fault{Kind: sim.CutReply, Nth: 9}) },
		"remove":      func() { g.RemoveFault(g.Fail(sim.Fault{Kind: sim.CutReply}).Number) },
		"clear":       g.ClearFaults,
		"request":     func() { ask(t, g, "aid=1") },
		"capture":     func() { _ = g.Capture(g.Authorize(order)) },
	} {
		before := g.Changes()
		change()
		require.NotEqual(t, before, g.Changes(), name)
		<-before
	}
}

func TestRun(t *testing.T) {
	t.Parallel()
	g := newSimulator()
	ctx, cancel := context.WithCancel(t.Context())
	rec := newReceiver(t, content)
	g.SetKickbackURL(rec.URL)
	g.Authorize(order)
	ended := make(chan struct{})
	go func() { defer close(ended); g.Run(ctx) }()
	ask(t, g, byKickback)
	require.Equal(t, toldByKickback, <-rec.queries)
	cancel()
	<-ended
	require.Error(t, g.Capture("10000002"), "the simulator is closed")
	require.PanicsWithValue(t, http.ErrAbortHandler, func() { g.ServeHTTP(httptest.NewRecorder(), request(t, byKickback)) })
}

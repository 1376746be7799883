package sim_test

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/jpayment-go/jpayment/internal/sim"
)

const (
	// byKickback re-authorises the first payment.
	byKickback = "aid=123456&rt=0&tid=10000001&am=900&tx=72&sf=0"
	// toldByKickback is the query of its kickback if the payment was order.
	toldByKickback = "gid=10000002&rst=1&ap=0001113&ec=&god=20000002&cod=test&am=900&tx=72&sf=0&ta=972"
	toldDeclined   = "gid=10000001&rst=2&ap=&ec=G1242G120000&god=&cod=test&am=0&tx=0&sf=0&ta=0"
)

// receiver is a store's page for kickbacks. It keeps the queries and answers with respond, which
// receives the number of earlier requests.
type receiver struct {
	*httptest.Server
	queries chan string
}

func newReceiver(t *testing.T, respond func(w http.ResponseWriter, r *http.Request, before int)) *receiver {
	t.Helper()
	rec := &receiver{queries: make(chan string, 1000)}
	var count atomic.Int64
	rec.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		before := int(count.Add(1)) - 1
		rec.queries <- strings.TrimPrefix(r.RequestURI, "/?")
		respond(w, r, before)
	}))
	t.Cleanup(rec.Close)
	return rec
}

func content(w http.ResponseWriter, _ *http.Request, _ int) { _, _ = io.WriteString(w, "0") }

func empty(http.ResponseWriter, *http.Request, int) {}

func hang(_ http.ResponseWriter, r *http.Request, _ int) { <-r.Context().Done() }

// received returns the queries so far.
func (rec *receiver) received() []string {
	queries := make([]string, len(rec.queries))
	for i := range queries {
		queries[i] = <-rec.queries
	}
	return queries
}

// ask sends a form to the re-authorisation page of a gateway without a server.
func ask(t *testing.T, g *sim.Simulator, form string) string {
	t.Helper()
	w := httptest.NewRecorder()
	g.ServeHTTP(w, request(t, form))
	return w.Body.String()
}

func request(t *testing.T, form string) *http.Request {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, reAuthPage, strings.NewReader(form))
	r.Header.Set("Content-Type", formType)
	r.RemoteAddr = "127.0.0.1:1"
	return r
}

// clock is a clock that tests move by hand.
type clock struct{ nanoseconds atomic.Int64 }

func (c *clock) now() time.Time          { return time.Unix(0, c.nanoseconds.Load()).UTC() }
func (c *clock) set(t time.Time)         { c.nanoseconds.Store(t.UnixNano()) }
func (c *clock) advance(d time.Duration) { c.nanoseconds.Add(int64(d)) }

func newClock(t *testing.T) *clock {
	t.Helper()
	c := new(clock)
	c.set(day(t, "2026-03-05T10:00:00+09:00"))
	return c
}

func TestKickbackQuery(t *testing.T) {
	t.Parallel()
	type options = []option
	declined := order
	declined.Decline = "G1242G120000"
	named := func(cod string) sim.Authorization {
		return sim.Authorization{Amount: 1, OrderNumber: cod}
	}
	tests := map[string]struct {
		options  options
		payment  sim.Authorization
		url      string // after the receiver's host
		form     string // appended to byKickback
		testMode bool
		want     string // including the slash and the question mark
	}{
		"the vendor's sample": {
			payment: named("test "), url: "/",
			want: "/?gid=10000002&rst=1&ap=0001113&ec=&god=20000002&cod=test%20&am=900&tx=72&sf=0&ta=972",
		},
		"no path": {payment: order, want: "/?" + toldByKickback},
		"a path":  {payment: order, url: "/kb/notify.php", want: "/kb/notify.php?" + toldByKickback},
		"a query of its own": {
			payment: order, url: "/kb?store=1&x=%e3%81%82", want: "/kb?store=1&x=%e3%81%82&" + toldByKickback,
		},
		"a fragment": {payment: order, url: "/kb#x", want: "/kb?" + toldByKickback},
		"other data": {
			payment: order, url: "/", form: "&z=a+b%2B%26%3D&%E6%8B%85%E5%BD%93=%E3%81%82%0D%0A&z=&gid=1",
			want: "/?" + toldByKickback + "&z=a%20b%2B%26%3D&%E6%8B%85%E5%BD%93=%E3%81%82%0D%0A&z=&gid=1",
		},
		"not what the protocol owns": {
			payment: order, url: "/", form: "&em=a@example.com&pn=1&jb=x&ut=1&hak=2", want: "/?" + toldByKickback,
		},
		"acid": {
			options: options{withKickbackACID("1000000001")},
			payment: order, url: "/", form: "&a=b", want: "/?" + toldByKickback + "&acid=1000000001&a=b",
		},
		"Japanese": {
			payment: named("注文①"), url: "/", form: "&a=%E3%81%82",
			want: "/?gid=10000002&rst=1&ap=0001113&ec=&god=20000002&cod=%E6%B3%A8%E6%96%87%E2%91%A0&am=900&tx=72&sf=0&ta=972&a=%E3%81%82",
		},
		"Shift_JIS": {
			options: options{withShiftJISKickbacks()},
			payment: named("注文①"), url: "/", form: "&%E3%81%82=%F0%9F%98%80",
			want: "/?gid=10000002&rst=1&ap=0001113&ec=&god=20000002&cod=%92%8D%95%B6%87%40&am=900&tx=72&sf=0&ta=972&%82%A0=%3F",
		},
		"Shift_JIS replies alone": {
			options: options{withShiftJISReplies(), withPlainOtherData()},
			payment: order, url: "/", form: "&a=%E3%81%82", want: "/?" + toldByKickback + "&a=%E3%81%82",
		},
		"test mode": {
			payment: order, url: "/", testMode: true,
			want: "/?" + strings.Replace(toldByKickback, "0001113", "TestMod", 1),
		},
		"declined": {payment: declined, url: "/", want: "/?" + toldDeclined},
		"declined, with all that follows": {
			options: options{withKickbackACID("0"), withDeclineCancelling()},
			payment: declined, url: "/?x", form: "&a=b", want: "/?x&" + toldDeclined + "&acid=0&a=b",
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			rec := newReceiver(t, content)
			g := newSimulator(test.options...)
			g.SetKickbackURL(rec.URL + test.url)
			g.Authorize(test.payment)
			g.SetTestMode(test.testMode)
			require.Equal(t, "OK\r\n", ask(t, g, byKickback+test.form))
			g.SetTestMode(false)
			require.Equal(t, 1, g.DeliverKickbacks(t.Context()))
			require.Equal(t, strings.TrimPrefix(test.want, "/?"), <-rec.queries)
			_, query, _ := strings.Cut(test.want, "?")
			require.Equal(t, query, g.Kickbacks()[0].RawQuery)
		})
	}
}

// The request for a kickback, byte by byte as far as net/http shows it.
func TestKickbackRequest(t *testing.T) {
	t.Parallel()
	requests := make(chan *http.Request, 1)
	rec := newReceiver(t, func(w http.ResponseWriter, r *http.Request, _ int) {
		requests <- r
		content(w, r, 0)
	})
	c := newClock(t)
	g := newSimulator(withClock(c.now))
	g.SetKickbackURL(strings.Replace(rec.URL, "127.0.0.1", "LocalHost", 1))
	g.Authorize(order)
	require.Equal(t, "OK\r\n", ask(t, g, byKickback))
	require.Equal(t, 1, g.DeliverKickbacks(t.Context()))
	require.Equal(t, 0, g.DeliverKickbacks(t.Context()))

	r := <-requests
	require.Equal(t, http.MethodGet, r.Method)
	require.Equal(t, http.Header{"Connection": {"close"}}, r.Header)
	require.Empty(t, r.TransferEncoding)
	require.Zero(t, r.ContentLength)
	require.Equal(t, []sim.KickbackDelivery{{
		Request: 1, Attempt: 1, At: c.now(), RawQuery: toldByKickback,
		Status: 200, Answer: []byte("0"), Delivered: true,
	}}, g.Kickbacks())
	g.Kickbacks()[0].Answer[0] = 'x'
	require.Equal(t, "0", string(g.Kickbacks()[0].Answer))
}

// Only a request with rt=0 that reached the issuer has a kickback.
func TestWhatHasAKickback(t *testing.T) {
	t.Parallel()
	const (
		reAuth  = reAuthPage + "?am=2&tx=3&sf=4&aid=123456"
		gateway = gatewayPage + "?aid=123456"
	)
	steps := []struct{ request, reply, code, kickback string }{
		{reAuth + "&rt=1&tid=10000001", "10000003,1,0001114,,20000003,test,2,3,4,9,,,\r\n", "", ""},
		{reAuth + "&rt=0&tid=10000001", "ER:ER033\r\n", "ER033", ""},
		{reAuth + "&rt=0&tid=1", "ER:ER053\r\n", "ER053", ""},
		{reAuth + "&rt=0&tid=10000003&pn=-", "ER:ER060\r\n", "ER060", ""},
		{reAuth + "&rt=2&tid=10000003", "ER:ER052\r\n", "ER052", ""},
		{reAuth + "&tid=10000003", "ER:ER052\r\n", "ER052", ""},
		{
			reAuth + "&rt=0&tid=10000003", "OK\r\n", "",
			"gid=10000004&rst=1&ap=0001115&ec=&god=20000004&cod=test&am=2&tx=3&sf=4&ta=9",
		},
		{reAuth + "&rt=0&tid=10000002", "OK\r\n", "G1242G120000", strings.Replace(toldDeclined, "10000001", "10000002", 1)},
		{reAuth + "&rt=1&tid=10000002", declinedRow, "G1242G120000", ""},
		{gateway + "&rt=0&jb=SALES&tid=10000002", "ER:G1242G120000\r\n", "G1242G120000", ""},
		{gateway + "&rt=0&jb=SALES&tid=10000004", "OK\r\n", "", ""},
		{gateway + "&rt=0&jb=CANCEL&tid=10000004", "OK\r\n", "", ""},
	}
	rec := newReceiver(t, content)
	g := newSimulator()
	g.SetKickbackURL(rec.URL)
	g.Authorize(order)
	declined := order
	declined.Decline = "G1242G120000"
	g.Authorize(declined)
	for i, step := range steps {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, step.request, http.NoBody)
		r.RemoteAddr = "127.0.0.1:1"
		w := httptest.NewRecorder()
		g.ServeHTTP(w, r)
		require.Equal(t, step.reply, w.Body.String(), step.request)
		require.Equal(t, step.code, g.Requests()[i].Code)

		var want []string
		if step.kickback != "" {
			want = []string{step.kickback}
		}
		require.Equal(t, len(want), g.DeliverKickbacks(t.Context()))
		require.ElementsMatch(t, want, rec.received())
		if want != nil {
			kickbacks := g.Kickbacks()
			require.Equal(t, i+1, kickbacks[len(kickbacks)-1].Request)
		}
	}
}

func TestDeclinesAnswered(t *testing.T) {
	t.Parallel()
	rec := newReceiver(t, content)
	g := newSimulator(withDeclinesAnswered())
	g.SetKickbackURL(rec.URL)
	g.Authorize(order)
	declined := order
	declined.Decline = "G1242G120000"
	g.Authorize(declined)
	require.Equal(t, "ER:G1242G120000\r\n", ask(t, g, "aid=123456&rt=0&am=1&tx=0&sf=0&tid=10000002"))
	require.Zero(t, g.DeliverKickbacks(t.Context()))
	require.Equal(t, "OK\r\n", ask(t, g, byKickback))
	require.Equal(t, 1, g.DeliverKickbacks(t.Context()))
}

func TestReceivers(t *testing.T) {
	t.Parallel()
	half := func(w http.ResponseWriter) {
		w.Header().Set("Content-Length", "4")
		_, _ = io.WriteString(w, "ok")
		w.(http.Flusher).Flush()
	}
	status := func(code int, body string) func(http.ResponseWriter, *http.Request, int) {
		return func(w http.ResponseWriter, _ *http.Request, before int) {
			if before > 0 {
				panic("a second request")
			}
			w.Header().Set("Location", "/elsewhere")
			w.WriteHeader(code)
			_, _ = io.WriteString(w, body)
		}
	}
	tests := map[string]struct {
		respond   func(http.ResponseWriter, *http.Request, int)
		options   []option
		delivered bool
		status    int
		answer    string
		err       error
	}{
		"content":              {respond: content, delivered: true, status: 200, answer: "0"},
		"a line end":           {respond: status(200, "\n"), delivered: true, status: 200, answer: "\n"},
		"nothing":              {respond: empty, status: 200},
		"204":                  {respond: status(204, ""), status: 204},
		"an error with a page": {respond: status(500, "sorry"), delivered: true, status: 500, answer: "sorry"},
		"an error without":     {respond: status(500, ""), status: 500},
		"not found":            {respond: status(404, "no"), delivered: true, status: 404, answer: "no"},
		"a redirect":           {respond: status(302, ""), status: 302},
		"a redirect's page":    {respond: status(301, "moved"), delivered: true, status: 301, answer: "moved"},
		"a lot": {
			respond:   status(200, strings.Repeat("x", 1<<16+1)),
			delivered: true, status: 200, answer: strings.Repeat("x", 1<<16),
		},
		"an answer cut short": {
			respond: func(w http.ResponseWriter, _ *http.Request, _ int) { half(w); panic(http.ErrAbortHandler) },
			status:  200, answer: "ok", err: io.ErrUnexpectedEOF,
		},
		"a connection dropped": {
			respond: func(http.ResponseWriter, *http.Request, int) { panic(http.ErrAbortHandler) }, err: io.EOF,
		},
		"compressed": {
			respond: func(w http.ResponseWriter, _ *http.Request, _ int) {
				w.Header().Set("Content-Encoding", "gzip")
				_, _ = io.WriteString(w, "0")
			},
			delivered: true, status: 200, answer: "0",
		},
		"one that hangs": {
			respond: hang, options: []option{withKickbackTimeout(time.Millisecond)},
			err: context.DeadlineExceeded,
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			rec := newReceiver(t, test.respond)
			g := newSimulator(test.options...)
			g.SetKickbackURL(rec.URL)
			g.Authorize(order)
			ask(t, g, byKickback)
			require.Equal(t, 1, g.DeliverKickbacks(t.Context()), "delivered or not, it was sent")
			got := g.Kickbacks()
			require.Len(t, got, 1)
			require.Equal(t, test.delivered, got[0].Delivered)
			require.Equal(t, test.status, got[0].Status)
			require.Equal(t, test.answer, string(got[0].Answer))
			require.ErrorIs(t, got[0].Err, test.err)
		})
	}
}

func TestNobodyReceives(t *testing.T) {
	t.Parallel()
	rec := newReceiver(t, content)
	rec.Close()
	g := newSimulator()
	g.SetKickbackURL(rec.URL)
	g.Authorize(order)
	ask(t, g, byKickback)
	require.Equal(t, 1, g.DeliverKickbacks(t.Context()))
	require.ErrorIs(t, g.Kickbacks()[0].Err, syscall.ECONNREFUSED)
	require.Zero(t, g.Kickbacks()[0].Status)
	require.False(t, g.Kickbacks()[0].Delivered)
}

func TestCertificatesAreChecked(t *testing.T) {
	t.Parallel()
	rec := httptest.NewUnstartedServer(http.NotFoundHandler())
	rec.Config.ErrorLog = log.New(io.Discard, "", 0)
	rec.StartTLS()
	defer rec.Close()
	g := newSimulator()
	g.SetKickbackURL(rec.URL)
	_, err := g.ForgeKickback(t.Context(), "gid=1")
	var unknown x509.UnknownAuthorityError
	require.ErrorAs(t, err, &unknown)
}

func TestKickbackRetries(t *testing.T) {
	t.Parallel()
	const minute = time.Minute
	tests := map[string]struct {
		options  []option
		failures int
		waits    []time.Duration // between the attempts
	}{
		"delivered at once":       {failures: 0},
		"delivered at the second": {failures: 1, waits: []time.Duration{minute}},
		"delivered at the last":   {failures: 3, waits: []time.Duration{minute, 5 * minute, 30 * minute}},
		"given up":                {failures: 99, waits: []time.Duration{minute, 5 * minute, 30 * minute}},
		"tried once": {
			options: []option{withKickbackRetries()}, failures: 99,
		},
		"a schedule of one's own": {
			options:  []option{withKickbackRetries(time.Hour, time.Nanosecond)},
			failures: 99, waits: []time.Duration{time.Hour, time.Nanosecond},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			rec := newReceiver(t, func(w http.ResponseWriter, r *http.Request, before int) {
				if before >= test.failures {
					content(w, r, before)
				}
			})
			c := newClock(t)
			g := newSimulator(append(test.options, withClock(c.now))...)
			g.SetKickbackURL(rec.URL)
			g.Authorize(order)
			ask(t, g, byKickback)

			var want []sim.KickbackDelivery
			expect := func() {
				attempt := sim.KickbackDelivery{
					Request: 1, Attempt: len(want) + 1, At: c.now(), RawQuery: toldByKickback, Status: 200,
				}
				if attempt.Attempt > test.failures {
					attempt.Answer, attempt.Delivered = []byte("0"), true
				}
				require.Equal(t, 1, g.DeliverKickbacks(t.Context()))
				require.Equal(t, toldByKickback, <-rec.queries)
				want = append(want, attempt)
			}
			expect()
			for _, wait := range test.waits {
				c.advance(wait - 1)
				require.Zero(t, g.DeliverKickbacks(t.Context()))
				c.advance(1)
				expect()
			}
			c.advance(1000 * time.Hour)
			require.Zero(t, g.DeliverKickbacks(t.Context()))
			got := g.Kickbacks()
			for i := range got {
				if len(got[i].Answer) == 0 {
					got[i].Answer = nil
				}
			}
			require.Equal(t, want, got)
		})
	}
}

// A retry counts from the previous attempt, however late that was. If the clock runs while
// kickbacks are sent, no more of them become due.
func TestKickbackRetriesUnderAMovingClock(t *testing.T) {
	t.Parallel()
	c := newClock(t)
	rec := newReceiver(t, func(http.ResponseWriter, *http.Request, int) { c.advance(24 * time.Hour) })
	g := newSimulator(withClock(c.now))
	g.SetKickbackURL(rec.URL)
	g.Authorize(order)
	ask(t, g, byKickback)
	for attempt := range 4 {
		require.Equal(t, 1, g.DeliverKickbacks(t.Context()))
		require.Equal(t, attempt+1, g.Kickbacks()[attempt].Attempt)
	}
	require.Zero(t, g.DeliverKickbacks(t.Context()))
}

// three requests three re-authorisations a second apart. It returns the requests whose
// kickbacks then reach the receiver.
func three(t *testing.T, options ...option) (sent int, order []string) {
	t.Helper()
	rec := newReceiver(t, content)
	c := newClock(t)
	g := newSimulator(append(options, withClock(c.now))...)
	g.SetKickbackURL(rec.URL)
	for i := range 3 {
		id := g.Authorize(sim.Authorization{Amount: 1})
		ask(t, g, fmt.Sprintf("aid=123456&rt=0&am=1&tx=0&sf=0&tid=%s&n=%d", id, i+1))
		c.advance(time.Second)
	}
	sent = g.DeliverKickbacks(t.Context())
	for _, query := range rec.received() {
		order = append(order, query[strings.LastIndex(query, "n="):])
	}
	return sent, order
}

func TestOrderAndDuplicates(t *testing.T) {
	t.Parallel()
	type options = []option
	tests := map[string]struct {
		options options
		want    []string
	}{
		"in order":       {nil, []string{"n=1", "n=2", "n=3"}},
		"the last first": {options{withKickbacksReversed()}, []string{"n=3", "n=2", "n=1"}},
		"twice":          {options{withKickbackDuplicates(1)}, []string{"n=1", "n=1", "n=2", "n=2", "n=3", "n=3"}},
		"none more":      {options{withKickbackDuplicates(0)}, []string{"n=1", "n=2", "n=3"}},
		"one not yet":    {options{withKickbackDelay(2 * time.Second)}, []string{"n=1", "n=2"}},
		"two not yet":    {options{withKickbackDelay(2*time.Second + 1)}, []string{"n=1"}},
		"all of it": {
			options{
				withKickbackDelay(2 * time.Second), withKickbacksReversed(),
				withKickbackDuplicates(2),
			},
			[]string{"n=2", "n=2", "n=2", "n=1", "n=1", "n=1"},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			sent, got := three(t, test.options...)
			require.Equal(t, test.want, got)
			require.Equal(t, len(test.want), sent)
		})
	}
}

// A repeated kickback is ordered by the time at which it is due.
func TestRetriesAmongOthers(t *testing.T) {
	t.Parallel()
	c := newClock(t)
	rec := newReceiver(t, func(w http.ResponseWriter, r *http.Request, before int) {
		if before > 0 {
			content(w, r, before)
		}
	})
	g := newSimulator(withClock(c.now), withKickbackDelay(10*time.Second))
	g.SetKickbackURL(rec.URL)
	for range 2 {
		g.Authorize(order)
	}
	ask(t, g, "aid=123456&rt=0&am=1&tx=0&sf=0&tid=10000001")
	c.advance(10 * time.Second)
	require.Equal(t, 1, g.DeliverKickbacks(t.Context())) // not delivered, again after a minute
	ask(t, g, "aid=123456&rt=0&am=1&tx=0&sf=0&tid=10000002")
	c.advance(time.Hour)
	require.Equal(t, 2, g.DeliverKickbacks(t.Context()))
	var got [][2]int
	for _, d := range g.Kickbacks() {
		got = append(got, [2]int{d.Request, d.Attempt})
	}
	require.Equal(t, [][2]int{{1, 1}, {2, 1}, {1, 2}}, got)
}

func TestDuplicatesAreTriedAgainOnTheirOwn(t *testing.T) {
	t.Parallel()
	c := newClock(t)
	rec := newReceiver(t, func(w http.ResponseWriter, r *http.Request, before int) {
		if before != 1 {
			content(w, r, before)
		}
	})
	g := newSimulator(withClock(c.now), withKickbackDuplicates(1))
	g.SetKickbackURL(rec.URL)
	g.Authorize(order)
	ask(t, g, byKickback)
	require.Equal(t, 2, g.DeliverKickbacks(t.Context()))
	c.advance(time.Minute)
	require.Equal(t, 1, g.DeliverKickbacks(t.Context()))
	var got [][3]int
	for _, d := range g.Kickbacks() {
		got = append(got, [3]int{d.Request, d.Duplicate, d.Attempt})
	}
	require.Equal(t, [][3]int{{1, 0, 1}, {1, 1, 1}, {1, 1, 2}}, got)
}

func TestNoKickbackURL(t *testing.T) {
	t.Parallel()
	rec, other := newReceiver(t, empty), newReceiver(t, content)
	c := newClock(t)
	g := newSimulator(withClock(c.now))
	g.Authorize(order)
	require.Equal(t, "OK\r\n", ask(t, g, byKickback))
	require.Zero(t, g.DeliverKickbacks(t.Context()))
	_, err := g.RetryKickback(t.Context(), 1)
	require.EqualError(t, err, "the store has no kickback URL (決済結果通知URL)")
	forged, err := g.ForgeKickback(t.Context(), "gid=1")
	require.EqualError(t, err, "the store has no kickback URL (決済結果通知URL)")
	require.Zero(t, forged)
	require.Empty(t, g.ForgedKickbacks())
	require.Empty(t, g.Kickbacks())

	c.advance(time.Hour)
	g.SetKickbackURL(rec.URL)
	require.Equal(t, 1, g.DeliverKickbacks(t.Context()))
	require.Equal(t, 1, g.Kickbacks()[0].Attempt)
	c.advance(time.Hour)
	g.SetKickbackURL("")
	require.Zero(t, g.DeliverKickbacks(t.Context()))
	g.SetKickbackURL(other.URL)
	require.Equal(t, 1, g.DeliverKickbacks(t.Context()))
	require.True(t, g.Kickbacks()[1].Delivered)
	require.Len(t, rec.received(), 1)
	require.Len(t, other.received(), 1)
}

func TestSetKickbackURLPanics(t *testing.T) {
	t.Parallel()
	for _, u := range []string{
		"kickback", "/kickback", "//127.0.0.1/", "127.0.0.1:80/kickback", "ftp://127.0.0.1/", "http:127.0.0.1", "http:///kickback",
		"http://", "http://example.com/", "http://192.0.2.1/", "http://10.0.0.1/", "http://0.0.0.0/", "http://[::]/",
		"http://localhost.example.com/", "http://127.0.0.1.example.com/", "http://127.0.0.1@example.com/",
		"http://user:secret@127.0.0.1/", "http://127.1/", "http://2130706433/", "http://[::ffff:192.0.2.1]/", "http://127.0.0.1/%zz",
		"http://127.0.0.1/\n",
	} {
		require.Panics(t, func() { newSimulator().SetKickbackURL(u) }, u)
	}
	require.PanicsWithValue(t,
		"jpaymenttest: SetKickbackURL: KickbackURL is not a URL of http or https on this machine, such as http://127.0.0.1:9000/kickback",
		func() { newSimulator().SetKickbackURL("http://user:secret@127.0.0.1/") })
	for _, u := range []string{
		"", "http://127.0.0.1", "https://127.0.0.1/kb", "HTTP://127.255.1.2:8080/kb?x=y", "http://[::1]:1/",
		"http://localhost/", "https://LOCALHOST:443", "http://[::ffff:127.0.0.1]/",
	} {
		require.NotPanics(t, func() { newSimulator().SetKickbackURL(u) }, u)
	}
}

// The gateway copies the schedule from the caller's slice.
func TestKickbackRetriesAreCopied(t *testing.T) {
	t.Parallel()
	schedule := []time.Duration{time.Minute}
	option := withKickbackRetries(schedule...)
	c := newClock(t)
	g := newSimulator(option, withClock(c.now))
	schedule[0] = time.Hour
	g.SetKickbackURL(newReceiver(t, empty).URL)
	g.Authorize(order)
	ask(t, g, byKickback)
	require.Equal(t, 1, g.DeliverKickbacks(t.Context()))
	c.advance(time.Minute)
	require.Equal(t, 1, g.DeliverKickbacks(t.Context()))
}

// writer calls its functions at each step of an answer.
type writer struct {
	http.ResponseWriter
	write, flush func()
}

func (w *writer) Write(p []byte) (int, error) {
	w.write()
	return w.ResponseWriter.Write(p)
}

func (w *writer) Flush() { w.flush() }

func TestTheAnswerComesBeforeItsKickback(t *testing.T) {
	t.Parallel()
	rec := newReceiver(t, content)
	g := newSimulator()
	g.SetKickbackURL(rec.URL)
	g.Authorize(order)
	var steps []string
	note := func(step string) func() {
		return func() { steps = append(steps, fmt.Sprint(step, " ", g.DeliverKickbacks(t.Context()))) }
	}
	g.ServeHTTP(&writer{httptest.NewRecorder(), note("write"), note("flush")}, request(t, byKickback))
	g.ServeHTTP(&writer{httptest.NewRecorder(), note("write"), note("flush")}, request(t, "aid=123456&rt=0"))
	require.Equal(t, []string{"write 0", "flush 1", "write 0"}, steps)
}

// The kickback reports what was booked, whatever the client receives. It does not wait for an
// answer that fails.
func TestKickbacksOfFaults(t *testing.T) {
	t.Parallel()
	kinds := map[sim.FaultKind]int{
		sim.DropBeforeBooking: 0, sim.HangBeforeBooking: 0, sim.AnswerStatus: 0,
		sim.Redirect: 0, sim.AnswerCode: 0,
		sim.DropAfterBooking: 1, sim.ResetAfterBooking: 1, sim.HangAfterBooking: 1,
		sim.CutReply: 1, sim.StallReply: 1, sim.DelayReply: 1,
		sim.AnswerStatusAfterBooking: 1, sim.AnswerCodeAfterBooking: 1,
		sim.Garbage: 1, sim.WrongCharset: 1,
	}
	for kind, want := range kinds {
		t.Run(string(kind), func(t *testing.T) {
			t.Parallel()
			rec := newReceiver(t, content)
			g := newSimulator()
			g.SetKickbackURL(rec.URL)
			g.Authorize(order)
			ctx, leave := context.WithCancel(t.Context())
			sent := -1
			f := sim.Fault{Kind: kind, Notify: func() {
				sent = g.DeliverKickbacks(t.Context())
				leave()
			}}
			switch kind { //nolint:exhaustive // The others need nothing.
			case sim.DelayReply:
				f.Delay = time.Hour
			case sim.AnswerCode, sim.AnswerCodeAfterBooking:
				f.Code = "ER000"
			}
			g.Fail(f)
			func() {
				defer func() { _ = recover() }() // http.ErrAbortHandler, from faults that drop the connection
				g.ServeHTTP(httptest.NewRecorder(), request(t, byKickback).WithContext(ctx))
			}()
			require.Equal(t, want, sent)
			require.Len(t, rec.received(), want)
			require.Equal(t, want == 1, g.Requests()[0].Booked)
		})
	}
}

func TestRetryKickback(t *testing.T) {
	t.Parallel()
	c := newClock(t)
	answers := []string{"", "", "", "0", "0"}
	rec := newReceiver(t, func(w http.ResponseWriter, _ *http.Request, before int) {
		_, _ = io.WriteString(w, answers[before])
	})
	g := newSimulator(withClock(c.now))
	g.SetKickbackURL(rec.URL)
	g.Authorize(order)
	ask(t, g, "aid=123456&rt=0")
	ask(t, g, byKickback)
	for _, number := range []int{0, 1, 3} {
		_, err := g.RetryKickback(t.Context(), number)
		require.ErrorIs(t, err, sim.ErrNoKickback)
	}

	start := c.now()
	require.Equal(t, 1, g.DeliverKickbacks(t.Context()))
	c.advance(59 * time.Second)
	d, err := g.RetryKickback(t.Context(), 2)
	require.NoError(t, err)
	require.Equal(t, sim.KickbackDelivery{
		Request: 2, Attempt: 2, Manual: true, At: start.Add(59 * time.Second), RawQuery: toldByKickback, Status: 200, Answer: []byte{},
	}, d)
	require.Zero(t, g.DeliverKickbacks(t.Context()))
	c.advance(time.Second)
	require.Equal(t, 1, g.DeliverKickbacks(t.Context()), "the schedule is as it was")
	d, err = g.RetryKickback(t.Context(), 2)
	require.NoError(t, err)
	require.True(t, d.Delivered)
	require.Equal(t, 4, d.Attempt)
	c.advance(time.Hour)
	require.Zero(t, g.DeliverKickbacks(t.Context()), "delivered by hand")
	d, err = g.RetryKickback(t.Context(), 2)
	require.NoError(t, err)
	require.Equal(t, 5, d.Attempt)
	require.Equal(t, d, g.Kickbacks()[4])
	require.Len(t, rec.received(), 5)

	rec.Close()
	d, err = g.RetryKickback(t.Context(), 2)
	require.ErrorIs(t, err, syscall.ECONNREFUSED)
	require.Equal(t, err, d.Err)
	require.False(t, d.Delivered)
}

func TestForgeKickback(t *testing.T) {
	t.Parallel()
	c := newClock(t)
	rec := newReceiver(t, func(w http.ResponseWriter, _ *http.Request, _ int) {
		w.WriteHeader(http.StatusForbidden)
		_, _ = io.WriteString(w, "no")
	})
	g := newSimulator(withClock(c.now))
	g.SetKickbackURL(rec.URL)
	for _, query := range []string{"gid=10000001&rst=1&ap=%zz&ta=;#<あ>", ""} {
		d, err := g.ForgeKickback(t.Context(), query)
		require.NoError(t, err)
		require.Equal(t, sim.KickbackDelivery{
			Attempt: 1, At: c.now(), RawQuery: query, Status: 403, Answer: []byte("no"), Delivered: true,
		}, d)
		forged := g.ForgedKickbacks()
		require.Equal(t, d, forged[len(forged)-1])
	}
	require.Equal(t, []string{"gid=10000001&rst=1&ap=%zz&ta=;#<あ>", "/"}, rec.received())

	g.SetKickbackURL(rec.URL + "/?store=1")
	d, err := g.ForgeKickback(t.Context(), "gid=1")
	require.NoError(t, err)
	require.Equal(t, "store=1&gid=1", d.RawQuery)
	require.Equal(t, "store=1&gid=1", <-rec.queries)

	d, err = g.ForgeKickback(t.Context(), "gid=1\r\nHost: x")
	require.ErrorContains(t, err, "control character")
	require.Equal(t, err, d.Err)
	require.Zero(t, d.Status)

	c.advance(time.Hour)
	require.Zero(t, g.DeliverKickbacks(t.Context()))
	require.Empty(t, g.Kickbacks())
	require.Len(t, g.ForgedKickbacks(), 4)
}

func TestDeliveryEndsWithItsContext(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	rec := newReceiver(t, func(w http.ResponseWriter, r *http.Request, before int) {
		if before > 0 {
			content(w, r, before)
			return
		}
		cancel()
		hang(w, r, before)
	})
	c := newClock(t)
	g := newSimulator(withClock(c.now))
	g.SetKickbackURL(rec.URL)
	for _, id := range []string{g.Authorize(order), g.Authorize(order)} {
		ask(t, g, "aid=123456&rt=0&am=1&tx=0&sf=0&tid="+id)
	}
	require.Equal(t, 1, g.DeliverKickbacks(ctx))
	require.ErrorIs(t, g.Kickbacks()[0].Err, context.Canceled)
	require.Zero(t, g.DeliverKickbacks(ctx))
	require.Equal(t, 1, g.DeliverKickbacks(t.Context()), "the one that was not tried")
	c.advance(time.Minute)
	require.Equal(t, 1, g.DeliverKickbacks(t.Context()), "the one that was")
}

// While a receiver holds a kickback, its record exists, and other kickbacks wait for their turn
// or are given up by their callers. Those sent by hand or forged do not wait.
func TestWhileAKickbackIsUnderWay(t *testing.T) {
	t.Parallel()
	arrived, proceed := make(chan struct{}), make(chan struct{})
	rec := newReceiver(t, func(w http.ResponseWriter, r *http.Request, before int) {
		if before == 0 {
			close(arrived)
			<-proceed
		}
		content(w, r, before)
	})
	g := newSimulator()
	g.SetKickbackURL(rec.URL)
	g.Authorize(order)
	ask(t, g, byKickback)
	first := make(chan int)
	go func() { first <- g.DeliverKickbacks(context.WithoutCancel(t.Context())) }()
	<-arrived

	underWay := g.Kickbacks()
	require.Len(t, underWay, 1)
	require.Equal(t, toldByKickback, underWay[0].RawQuery)
	require.Zero(t, underWay[0].Status)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	require.Zero(t, g.DeliverKickbacks(ctx))
	_, err := g.ForgeKickback(t.Context(), "x")
	require.NoError(t, err)
	d, err := g.RetryKickback(t.Context(), 1)
	require.NoError(t, err)
	require.Equal(t, 2, d.Attempt)

	second := make(chan int)
	go func() { second <- g.DeliverKickbacks(context.WithoutCancel(t.Context())) }()
	close(proceed)
	require.Equal(t, 1, <-first)
	require.Zero(t, <-second)
	require.Equal(t, 200, g.Kickbacks()[0].Status)
}

// A kickback waits behind another, and the situation changes before its turn.
func TestWhileAKickbackWaits(t *testing.T) {
	t.Parallel()
	for name, meanwhile := range map[string]func(*sim.Simulator){
		"it is delivered by hand": func(g *sim.Simulator) { _, _ = g.RetryKickback(context.Background(), 2) },
		"the URL is taken back":   func(g *sim.Simulator) { g.SetKickbackURL("") },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := newSimulator()
			rec := newReceiver(t, func(w http.ResponseWriter, r *http.Request, before int) {
				if before == 0 {
					meanwhile(g)
				}
				content(w, r, before)
			})
			g.SetKickbackURL(rec.URL)
			for _, id := range []string{g.Authorize(order), g.Authorize(order)} {
				ask(t, g, "aid=123456&rt=0&am=1&tx=0&sf=0&tid="+id)
			}
			require.Equal(t, 1, g.DeliverKickbacks(t.Context()))
			for _, d := range g.Kickbacks() {
				require.Equal(t, d.Request == 2, d.Manual)
			}
		})
	}
}

func TestServerDeliversByItself(t *testing.T) {
	t.Parallel()
	type options = []option
	c := newClock(t)
	tests := map[string]struct {
		options  options
		failures int
	}{
		"at once":                     {},
		"after a delay":               {options: options{withKickbackDelay(time.Millisecond)}},
		"at once, by another's clock": {options: options{withClock(c.now)}},
		"at the third attempt": {
			options:  options{withKickbackRetries(time.Millisecond, time.Nanosecond)},
			failures: 2,
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			rec := newReceiver(t, func(w http.ResponseWriter, r *http.Request, before int) {
				if before >= test.failures {
					content(w, r, before)
				}
			})
			s := newServer(t, test.options...)
			s.SetKickbackURL(rec.URL)
			s.Authorize(order)
			require.Equal(t, "OK\r\n", post(t, s, reAuthPage, byKickback))
			for range test.failures + 1 {
				require.Equal(t, toldByKickback, <-rec.queries)
			}
			require.Zero(t, s.DeliverKickbacks(t.Context()), "waits for the one under way")
			got := s.Kickbacks()
			require.Len(t, got, test.failures+1)
			require.True(t, got[test.failures].Delivered)
		})
	}
}

// The server waits for the earliest of several times, whether it belongs to the first kickback
// or to the last.
func TestServerWaitsForTheFirst(t *testing.T) {
	t.Parallel()
	rec := newReceiver(t, empty)
	s := newServer(t, withKickbackRetries(20*time.Millisecond, time.Hour))
	s.SetKickbackURL(rec.URL)
	again := func(gid string) {
		for range 2 {
			require.Contains(t, <-rec.queries, gid)
		}
	}
	first, second, third := s.Authorize(order), s.Authorize(order), s.Authorize(order)
	const form = "aid=123456&rt=0&am=1&tx=0&sf=0&tid="
	s.ServeHTTP(&writer{httptest.NewRecorder(), func() {
		post(t, s, reAuthPage, form+second)
		again("gid=10000005") // next after an hour
	}, func() {}}, request(t, form+first))
	again("gid=10000004") // next after an hour, too
	post(t, s, reAuthPage, form+third)
	again("gid=10000006")
}

func TestServerDeliversWhenThereIsAURL(t *testing.T) {
	t.Parallel()
	rec := newReceiver(t, content)
	s := newServer(t)
	s.Authorize(order)
	require.Equal(t, "OK\r\n", post(t, s, reAuthPage, byKickback))
	s.SetKickbackURL(rec.URL)
	require.Equal(t, toldByKickback, <-rec.queries)
}

// With a test's clock, the server itself makes only the first attempt for a kickback that is
// due with the answer.
func TestServerUnderATestsClock(t *testing.T) {
	t.Parallel()
	arrived := make(chan struct{})
	c := newClock(t)
	rec := newReceiver(t, func(_ http.ResponseWriter, _ *http.Request, before int) {
		if before == 0 {
			c.advance(time.Hour) // before the answer, so that the retry is due when the server could send it
			close(arrived)
		}
	})
	s := newServer(t, withClock(c.now), withKickbackRetries(time.Minute))
	s.Authorize(order)
	s.Authorize(order)
	require.Equal(t, "OK\r\n", post(t, s, reAuthPage, byKickback))
	s.SetKickbackURL(rec.URL)
	require.Equal(t, "OK\r\n", post(t, s, reAuthPage, "aid=123456&rt=0&am=1&tx=0&sf=0&tid=10000002"))
	<-arrived
	require.Equal(t, 2, s.DeliverKickbacks(t.Context()))
	var got [][2]int
	for _, d := range s.Kickbacks() {
		got = append(got, [2]int{d.Request, d.Attempt})
	}
	require.Equal(t, [][2]int{{2, 1}, {1, 1}, {2, 2}}, got)
}

func TestCloseDuringADelivery(t *testing.T) {
	t.Parallel()
	for name, deliver := range map[string]func(*sim.Server){
		"by the server": func(*sim.Server) {},
		"by the test":   func(s *sim.Server) { s.DeliverKickbacks(context.Background()) },
		"by hand":       func(s *sim.Server) { _, _ = s.RetryKickback(context.Background(), 1) },
		"forged":        func(s *sim.Server) { _, _ = s.ForgeKickback(context.Background(), "x") },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			rec := newReceiver(t, hang)
			c := newClock(t)
			opts := []option{withKickbackDuplicates(3)}
			if name != "by the server" {
				opts = append(opts, withClock(c.now), withKickbackDelay(time.Second))
			}
			s := start(opts...)
			defer s.Close()
			s.SetKickbackURL(rec.URL)
			s.Authorize(order)
			post(t, s, reAuthPage, byKickback)
			c.advance(time.Second)
			var group sync.WaitGroup
			group.Go(func() { deliver(s) })
			<-rec.queries
			s.Close()
			group.Wait()
			got := append(s.Kickbacks(), s.ForgedKickbacks()...)
			require.Len(t, got, 1)
			require.ErrorIs(t, got[0].Err, context.Canceled)

			require.Zero(t, s.DeliverKickbacks(t.Context()))
			_, err := s.RetryKickback(t.Context(), 1)
			require.EqualError(t, err, "the simulator is closed")
			_, err = s.ForgeKickback(t.Context(), "x")
			require.EqualError(t, err, "the simulator is closed")
			require.Empty(t, rec.received())
		})
	}
}

// A receiver may close the gateway that sends to it.
func TestCloseByTheReceiver(t *testing.T) {
	t.Parallel()
	s := start()
	closed := make(chan struct{})
	rec := newReceiver(t, func(http.ResponseWriter, *http.Request, int) {
		s.Close()
		close(closed)
	})
	s.SetKickbackURL(rec.URL)
	s.Authorize(order)
	post(t, s, reAuthPage, byKickback)
	<-closed
	require.Len(t, s.Kickbacks(), 1)
}

// A receiver may capture the new payment, request another re-authorisation and read the books
// before it answers.
func TestReceiverThatCallsTheGateway(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	rec := newReceiver(t, func(w http.ResponseWriter, r *http.Request, before int) {
		gid := r.URL.Query().Get("gid")
		if before == 0 {
			resp, err := http.Get(s.URL + reAuthPage + "?aid=123456&rt=0&am=1&tx=0&sf=0&tid=" + gid) //nolint:noctx // The test's server.
			if err != nil {
				panic(err)
			}
			_ = resp.Body.Close()
		}
		p, _ := s.Payment(gid)
		_, _ = io.WriteString(w, string(p.State))
	})
	s.SetKickbackURL(rec.URL)
	s.Authorize(order)
	post(t, s, reAuthPage, byKickback)
	require.Equal(t, toldByKickback, <-rec.queries)
	require.Contains(t, <-rec.queries, "gid=10000003&")
	s.DeliverKickbacks(t.Context())
	got := s.Kickbacks()
	require.Len(t, got, 2)
	require.Equal(t, "cancelled", string(got[0].Answer))
	require.Equal(t, "authorized", string(got[1].Answer))
}

func TestManyKickbacksAtOnce(t *testing.T) {
	t.Parallel()
	const many = 20
	rec := newReceiver(t, func(w http.ResponseWriter, r *http.Request, before int) {
		if before%2 == 1 {
			content(w, r, before)
		}
	})
	s := newServer(t, withKickbackRetries(
		1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,
	))
	s.SetKickbackURL(rec.URL)
	var group sync.WaitGroup
	for range many {
		id := s.Authorize(order)
		group.Go(func() {
			_, _, reply, err := send(t, http.MethodPost, s.URL+reAuthPage, formType, "aid=123456&rt=0&am=1&tx=0&sf=0&tid="+id)
			if err != nil || reply != "OK\r\n" {
				panic(errors.New(reply))
			}
			s.DeliverKickbacks(t.Context())
			s.Kickbacks()
		})
	}
	group.Wait()
	delivered := map[int]int{}
	for len(delivered) < many {
		<-rec.queries
		s.DeliverKickbacks(t.Context())
		clear(delivered)
		for _, d := range s.Kickbacks() {
			if d.Delivered {
				delivered[d.Request]++
			}
		}
	}
	for number, times := range delivered {
		require.Equal(t, 1, times, number)
	}
}

// In a testing/synctest bubble the gateway uses the bubble's clock.
func TestKickbacksInFakeTime(t *testing.T) {
	t.Parallel()
	rec := newReceiver(t, func(w http.ResponseWriter, r *http.Request, before int) {
		if before > 0 {
			content(w, r, before)
		}
	})
	synctest.Test(t, func(t *testing.T) {
		g := newSimulator(withKickbackDelay(30 * time.Second))
		g.SetKickbackURL(rec.URL)
		g.Authorize(order)
		start := time.Now()
		require.Equal(t, "OK\r\n", ask(t, g, byKickback))
		time.Sleep(30*time.Second - 1)
		require.Zero(t, g.DeliverKickbacks(t.Context()))
		time.Sleep(time.Nanosecond)
		require.Equal(t, 1, g.DeliverKickbacks(t.Context()))
		time.Sleep(time.Minute)
		require.Equal(t, 1, g.DeliverKickbacks(t.Context()))
		got := g.Kickbacks()
		require.Equal(t, start.Add(30*time.Second), got[0].At)
		require.Equal(t, start.Add(90*time.Second), got[1].At)
		require.True(t, got[1].Delivered)
	})
}

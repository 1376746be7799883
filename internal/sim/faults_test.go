package sim_test

import (
	"context"
	"io"
	"math"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/jpayment-go/jpayment"
	"github.com/jpayment-go/jpayment/internal/sim"
)

const (
	saleForm = "aid=123456&jb=SALES&rt=1&tid=10000001"
	saleRow  = "10000001,1,0001112,,20000001,test,1000,80,500,1580,,,\r\n"
)

// dial sends a capture byte by byte as written here and returns the connection.
func dial(t *testing.T, url string) *net.TCPConn {
	t.Helper()
	var dialer net.Dialer
	conn, err := dialer.DialContext(t.Context(), "tcp", strings.TrimPrefix(url, "http://"))
	require.NoError(t, err)
	t.Cleanup(func() { _ = conn.Close() })
	deadline := time.Now().Add(time.Minute) // only if the test hangs
	require.NoError(t, conn.SetDeadline(deadline))
	_, err = io.WriteString(conn, "POST /gateway/gateway.aspx HTTP/1.1\r\nHost: gateway\r\n"+
		"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: "+strconv.Itoa(len(saleForm))+"\r\n\r\n"+saleForm)
	require.NoError(t, err)
	return conn.(*net.TCPConn)
}

func TestFaultsThatAnswer(t *testing.T) {
	t.Parallel()
	page := func(title string) string {
		return "<html><head><title>" + title[:3] + "</title></head><body><h1>" + title + "</h1></body></html>\n"
	}
	const html = "text/html"
	const text = "text/html; charset=UTF-8"
	tests := map[string]struct {
		fault       sim.Fault
		form        string // if not saleForm
		status      int
		contentType string
		body        string
		state       sim.State
		code        string
	}{
		"a status": {
			fault:  sim.Fault{Kind: sim.AnswerStatus, Status: 502},
			status: 502, contentType: html, body: page("502 Bad Gateway"), state: sim.Authorized,
		},
		"the usual status": {
			fault:  sim.Fault{Kind: sim.AnswerStatus},
			status: 503, contentType: html, body: page("503 Service Unavailable"), state: sim.Authorized,
		},
		"a page with status 200": {
			fault:  sim.Fault{Kind: sim.AnswerStatus, Status: 200},
			status: 200, contentType: html, body: page("200 OK"), state: sim.Authorized,
		},
		"a status without a body": {
			fault:  sim.Fault{Kind: sim.AnswerStatus, Status: 204},
			status: 204, contentType: html, state: sim.Authorized,
		},
		"a status after booking": {
			fault:  sim.Fault{Kind: sim.AnswerStatusAfterBooking, Status: 504},
			status: 504, contentType: html, body: page("504 Gateway Timeout"), state: sim.Captured,
		},
		"a redirect": {
			fault:  sim.Fault{Kind: sim.Redirect, Status: 307, Location: "/gateway/re_auth.aspx"},
			status: 307, contentType: html, body: page("307 Temporary Redirect"), state: sim.Authorized,
		},
		"a code": {
			fault:  sim.Fault{Kind: sim.AnswerCode, Code: "ER010"},
			status: 200, contentType: text, body: refused("ER010"), state: sim.Authorized,
		},
		"a code, short": {
			fault: sim.Fault{Kind: sim.AnswerCode, Code: "ER010"}, form: "aid=123456&jb=SALES&rt=0&tid=10000001",
			status: 200, contentType: text, body: "ER:ER010\r\n", state: sim.Authorized,
		},
		"a code in place of another": {
			fault: sim.Fault{Kind: sim.AnswerCodeAfterBooking, Code: "ER000"}, form: "aid=1&rt=1&tid=10000001",
			status: 200, contentType: text, body: refused("ER000"), state: sim.Authorized, code: "ER050",
		},
		"a code after booking": {
			fault:  sim.Fault{Kind: sim.AnswerCodeAfterBooking, Code: "ER042"},
			status: 200, contentType: text, body: refused("ER042"), state: sim.Captured,
		},
		"garbage": {
			fault:  sim.Fault{Kind: sim.Garbage},
			status: 200, contentType: text, body: "\x81\x00\xff\xfe\x80\xa0\xfd\x00\x81", state: sim.Captured,
		},
		"garbage of one's own": {
			fault:  sim.Fault{Kind: sim.Garbage, Body: []byte("1,2")},
			status: 200, contentType: text, body: "1,2", state: sim.Captured,
		},
		"nothing at all": {
			fault:  sim.Fault{Kind: sim.Garbage, Body: []byte{}},
			status: 200, contentType: text, body: "", state: sim.Captured,
		},
		"the whole reply, late": {
			fault:  sim.Fault{Kind: sim.DelayReply, Delay: time.Millisecond},
			status: 200, contentType: text, body: saleRow, state: sim.Captured,
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newServer(t)
			id := s.Authorize(order)
			s.Fail(test.fault)
			form := saleForm
			if test.form != "" {
				form = test.form
			}
			status, header, body, err := send(t, http.MethodPost, s.URL+gatewayPage, formType, form)
			require.NoError(t, err)
			require.Equal(t, test.status, status)
			require.Equal(t, test.contentType, header.Get("Content-Type"))
			require.Equal(t, test.body, body)
			require.Equal(t, test.fault.Location, header.Get("Location"))
			require.Equal(t, test.state, state(t, s, id))

			r := s.Requests()[0]
			require.Equal(t, test.fault.Kind, r.Fault)
			require.Equal(t, test.state == sim.Captured, r.Booked)
			require.Equal(t, test.code, r.Code)
			require.Equal(t, test.status, r.Status)
			require.Equal(t, test.body, string(r.Answer))
		})
	}
}

func TestRedirectElsewhere(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	s.Fail(sim.Fault{Kind: sim.Redirect})
	status, header, _, err := send(t, http.MethodPost, s.URL+gatewayPage, formType, saleForm)
	require.NoError(t, err)
	require.Equal(t, http.StatusFound, status)
	status, _, _, err = send(t, http.MethodGet, s.URL+header.Get("Location"), "", "")
	require.NoError(t, err)
	require.Equal(t, http.StatusNotFound, status)
}

func TestWrongCharset(t *testing.T) {
	t.Parallel()
	a := order
	a.OrderNumber = "注文"
	tests := map[string]struct {
		options        []option
		named, written string
	}{
		"Shift_JIS called UTF-8": {nil, "UTF-8", "\x92\x8d\x95\xb6"},
		"UTF-8 called Shift_JIS": {[]option{withShiftJISReplies()}, "Shift_JIS", "注文"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newServer(t, test.options...)
			id := s.Authorize(a)
			s.Fail(sim.Fault{Kind: sim.WrongCharset})
			_, header, body, err := send(t, http.MethodPost, s.URL+gatewayPage, formType, saleForm)
			require.NoError(t, err)
			require.Equal(t, "text/html; charset="+test.named, header.Get("Content-Type"))
			require.Equal(t, "10000001,1,0001112,,20000001,"+test.written+",1000,80,500,1580,,,\r\n", body)
			require.Equal(t, sim.Captured, state(t, s, id))
		})
	}
}

func TestFaultsThatCloseTheConnection(t *testing.T) {
	t.Parallel()
	tests := map[sim.FaultKind]struct {
		state sim.State
		err   error
		sent  string // of the reply's body
	}{
		sim.DropBeforeBooking: {sim.Authorized, nil, ""},
		sim.DropAfterBooking:  {sim.Captured, nil, ""},
		sim.ResetAfterBooking: {sim.Captured, syscall.ECONNRESET, ""},
		sim.CutReply:          {sim.Captured, nil, saleRow[:27]},
	}
	for kind, test := range tests {
		t.Run(string(kind), func(t *testing.T) {
			t.Parallel()
			s := newServer(t)
			id := s.Authorize(order)
			s.Fail(sim.Fault{Kind: kind})
			reply, err := io.ReadAll(dial(t, s.URL))
			require.ErrorIs(t, err, test.err)
			wantStatus := 0
			if test.sent == "" {
				require.Empty(t, reply)
			} else {
				wantStatus = http.StatusOK
				head, body, found := strings.Cut(string(reply), "\r\n\r\n")
				require.True(t, found)
				require.Contains(t, head, "HTTP/1.1 200 OK\r\n")
				require.Contains(t, head+"\r\n", "\r\nContent-Length: 55\r\n") // of saleRow
				require.Equal(t, test.sent, body)
			}

			require.Equal(t, test.state, state(t, s, id))
			r := s.Requests()[0]
			require.Equal(t, kind, r.Fault)
			require.Equal(t, test.state == sim.Captured, r.Booked)
			require.Equal(t, wantStatus, r.Status)
			require.Equal(t, test.sent, string(r.Answer))
		})
	}
}

// A connection that also serves other requests cannot be reset. The request still ends without
// an answer.
func TestFaultsOverOtherTransports(t *testing.T) {
	t.Parallel()
	for name, http2 := range map[string]bool{"TLS": false, "HTTP/2": true} {
		for _, kind := range []sim.FaultKind{
			sim.ResetAfterBooking, sim.DropAfterBooking, sim.CutReply,
		} {
			t.Run(name+" "+string(kind), func(t *testing.T) {
				t.Parallel()
				g := newSimulator()
				id := g.Authorize(order)
				g.Fail(sim.Fault{Kind: kind})
				s := httptest.NewUnstartedServer(g)
				s.EnableHTTP2 = http2
				s.StartTLS()
				defer s.Close()
				req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.URL+gatewayPage, strings.NewReader(saleForm))
				require.NoError(t, err)
				req.Header.Set("Content-Type", formType)
				resp, err := s.Client().Do(req)
				if kind == sim.CutReply {
					require.NoError(t, err)
					body, readErr := io.ReadAll(resp.Body)
					require.NoError(t, resp.Body.Close())
					require.Equal(t, saleRow[:27], string(body))
					err = readErr
				}
				require.Error(t, err)
				if kind == sim.ResetAfterBooking && !http2 {
					require.ErrorIs(t, err, syscall.ECONNRESET)
				}
				p, _ := g.Payment(id)
				require.Equal(t, sim.Captured, p.State)
			})
		}
	}
}

// silent lists the faults that end when the client leaves or the server is closed.
var silent = map[sim.FaultKind]sim.State{
	sim.HangBeforeBooking: sim.Authorized,
	sim.HangAfterBooking:  sim.Captured,
	sim.StallReply:        sim.Captured,
	sim.DelayReply:        sim.Captured,
}

func silence(kind sim.FaultKind, notify func()) sim.Fault {
	f := sim.Fault{Kind: kind, Notify: notify}
	if kind == sim.DelayReply {
		f.Delay = time.Hour
	}
	return f
}

func TestSilenceUntilTheServerIsClosed(t *testing.T) {
	t.Parallel()
	for kind, want := range silent {
		t.Run(string(kind), func(t *testing.T) {
			t.Parallel()
			s := newServer(t)
			id := s.Authorize(order)
			struck := make(chan struct{})
			s.Fail(silence(kind, func() { close(struck) }))
			conn := dial(t, s.URL)
			<-struck
			require.Equal(t, want, state(t, s, id))
			if kind == sim.StallReply {
				_, err := conn.Read(make([]byte, 1)) // the half arrives without the rest
				require.NoError(t, err)
			}
			s.Close()
			rest, _ := io.ReadAll(conn) // an end or a reset
			if kind == sim.StallReply {
				require.True(t, strings.HasSuffix(string(rest), "\r\n\r\n"+saleRow[:27]), "%q", rest)
			} else {
				require.Empty(t, rest)
			}
		})
	}
}

func TestSilenceUntilTheClientHasGone(t *testing.T) {
	t.Parallel()
	for kind, want := range silent {
		t.Run(string(kind), func(t *testing.T) {
			t.Parallel()
			g := newSimulator()
			id := g.Authorize(order)
			struck, ended := make(chan struct{}), make(chan struct{})
			g.Fail(silence(kind, func() { close(struck) }))
			s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				defer close(ended)
				g.ServeHTTP(w, r)
			}))
			defer s.Close()
			conn := dial(t, s.URL)
			<-struck
			require.NoError(t, conn.Close())
			<-ended
			p, _ := g.Payment(id)
			require.Equal(t, want, p.State)
		})
	}
}

// watched is a context that reports whether anyone waited for it to be done.
type watched struct {
	context.Context
	waited *bool
}

func (w watched) Done() <-chan struct{} {
	*w.waited = true
	return w.Context.Done()
}

func TestWhatWaitsForTheClient(t *testing.T) {
	t.Parallel()
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	tests := map[sim.FaultKind]bool{
		sim.DropBeforeBooking: false,
		sim.DropAfterBooking:  false,
		sim.CutReply:          false,
	}
	for kind := range silent {
		tests[kind] = true
	}
	for kind, want := range tests {
		t.Run(string(kind), func(t *testing.T) {
			t.Parallel()
			g := newSimulator()
			g.Authorize(order)
			g.Fail(silence(kind, nil))
			waited := false
			r := httptest.NewRequestWithContext(watched{gone, &waited}, http.MethodPost, gatewayPage, strings.NewReader(saleForm))
			r.Header.Set("Content-Type", formType)
			r.RemoteAddr = "127.0.0.1:1"
			require.PanicsWithValue(t, http.ErrAbortHandler, func() { g.ServeHTTP(httptest.NewRecorder(), r) })
			require.Equal(t, want, waited)
		})
	}
}

// Notify is called after the booking and before the client knows, so that a test can make its
// client give up exactly then.
func TestClientGivesUpWhenNotified(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	id := s.Authorize(order)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	s.Fail(sim.Fault{Kind: sim.HangAfterBooking, Notify: cancel})
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, s.URL+gatewayPage, strings.NewReader(saleForm))
	require.NoError(t, err)
	req.Header.Set("Content-Type", formType)
	resp, err := http.DefaultClient.Do(req)
	if err == nil {
		require.NoError(t, resp.Body.Close())
	}
	require.ErrorIs(t, err, context.Canceled)
	require.Equal(t, sim.Captured, state(t, s, id))
}

// A fault after booking can hide a refusal.
func TestFaultThatHidesARefusal(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	s.Fail(sim.Fault{Kind: sim.DropAfterBooking})
	reply, err := io.ReadAll(dial(t, s.URL))
	require.NoError(t, err)
	require.Empty(t, reply)
	r := s.Requests()[0]
	require.False(t, r.Booked)
	require.Equal(t, "ER053", r.Code)
}

// strikes reports for each request whether a fault struck it.
func strikes(s *sim.Server) (struck []bool) {
	for _, r := range s.Requests() {
		struck = append(struck, r.Fault != "")
	}
	return struck
}

func TestWhichRequestsFail(t *testing.T) {
	t.Parallel()
	const (
		sale1   = "jb=SALES&tid=10000001"
		sale2   = "jb=SALES&tid=10000002"
		cancel1 = "jb=CANCEL&tid=10000001"
		reAuth1 = "am=1&tx=0&sf=0&tid=10000001"
		other1  = "jb=OTHER&tid=10000001"
	)
	requests := []string{sale1, sale2, cancel1, reAuth1, other1, sale1, reAuth1, sale2}
	tests := map[string]struct {
		fault sim.Fault
		want  []bool
	}{
		"every one":                {sim.Fault{}, []bool{true, true, true, true, true, true, true, true}},
		"the third":                {sim.Fault{Nth: 3}, []bool{false, false, true, false, false, false, false, false}},
		"captures":                 {sim.Fault{Operation: jpayment.OpSales}, []bool{true, true, false, false, false, true, false, true}},
		"the third capture":        {sim.Fault{Operation: jpayment.OpSales, Nth: 3}, []bool{false, false, false, false, false, true, false, false}},
		"cancellations":            {sim.Fault{Operation: jpayment.OpCancel}, []bool{false, false, true, false, false, false, false, false}},
		"re-authorisations":        {sim.Fault{Operation: jpayment.OpReAuth}, []bool{false, false, false, true, false, false, true, false}},
		"a payment":                {sim.Fault{PaymentID: "10000002"}, []bool{false, true, false, false, false, false, false, true}},
		"captures of a payment":    {sim.Fault{Operation: jpayment.OpSales, PaymentID: "10000001"}, []bool{true, false, false, false, false, true, false, false}},
		"always, by probability 1": {sim.Fault{Probability: 1}, []bool{true, true, true, true, true, true, true, true}},
		"hardly ever":              {sim.Fault{Probability: math.SmallestNonzeroFloat64}, make([]bool, 8)},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newServer(t)
			test.fault.Kind, test.fault.Code = sim.AnswerCode, "ER010"
			s.Fail(test.fault)
			for i, form := range requests {
				page := gatewayPage
				if form == reAuth1 {
					page = reAuthPage
				}
				body := post(t, s, page, "aid=123456&rt=1&"+form)
				require.Equal(t, test.want[i], body == refused("ER010"))
			}
			require.Equal(t, test.want, strikes(s))
		})
	}
}

func TestProbabilityIsRepeatable(t *testing.T) {
	t.Parallel()
	run := func(opts ...option) []bool {
		s := newServer(t, opts...)
		s.Fail(sim.Fault{Kind: sim.AnswerCode, Code: "ER010", Probability: 0.5})
		for range 64 {
			post(t, s, gatewayPage, saleForm)
		}
		return strikes(s)
	}
	one := run()
	require.Contains(t, one, true)
	require.Contains(t, one, false)
	require.Equal(t, one, run(withSeed(1)))
	require.NotEqual(t, one, run(withSeed(2)))
}

func TestSeveralFaults(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	s.Authorize(order)
	s.Fail(sim.Fault{Kind: sim.AnswerCode, Code: "ER010", Nth: 1})
	s.Fail(sim.Fault{Kind: sim.AnswerCode, Code: "ER042", Nth: 2})
	s.Fail(sim.Fault{Kind: sim.AnswerCode, Code: "ER000"})
	require.Equal(t, refused("ER010"), post(t, s, gatewayPage, saleForm))
	require.Equal(t, refused("ER042"), post(t, s, gatewayPage, saleForm))
	require.Equal(t, refused("ER000"), post(t, s, gatewayPage, saleForm))
	s.ClearFaults()
	require.Equal(t, saleRow, post(t, s, gatewayPage, saleForm))
}

// A fault before booking strikes before every check of the gateway.
func TestFaultDuringMaintenance(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	s.SetMaintenance(true)
	s.RegisterIPs()
	s.Fail(sim.Fault{Kind: sim.AnswerCode, Code: "ER010"})
	require.Equal(t, refused("ER010"), post(t, s, gatewayPage, saleForm))
}

func TestFailPanics(t *testing.T) {
	t.Parallel()
	tests := map[string]sim.Fault{
		"no kind":               {},
		"unknown kind":          {Kind: "explode"},
		"unknown operation":     {Kind: sim.DropAfterBooking, Operation: "sales"},
		"authorise":             {Kind: sim.DropAfterBooking, Operation: sim.OpAuthorize},
		"negative count":        {Kind: sim.DropAfterBooking, Nth: -1},
		"negative probability":  {Kind: sim.DropAfterBooking, Probability: -0.1},
		"more than certain":     {Kind: sim.DropAfterBooking, Probability: 1.1},
		"no number":             {Kind: sim.DropAfterBooking, Probability: math.NaN()},
		"count and probability": {Kind: sim.DropAfterBooking, Nth: 1, Probability: 0.5},
		"no code":               {Kind: sim.AnswerCode},
		"no code after booking": {Kind: sim.AnswerCodeAfterBooking},
		"not a code":            {Kind: sim.AnswerCode, Code: "er010"},
		"long code":             {Kind: sim.AnswerCode, Code: "G1242G1200000"},
		"code for a drop":       {Kind: sim.DropAfterBooking, Code: "ER010"},
		"status for a drop":     {Kind: sim.DropAfterBooking, Status: 500},
		"status 100":            {Kind: sim.AnswerStatus, Status: 100},
		"status 600":            {Kind: sim.AnswerStatusAfterBooking, Status: 600},
		"redirect with 200":     {Kind: sim.Redirect, Status: 200},
		"location for a status": {Kind: sim.AnswerStatus, Status: 302, Location: "/"},
		"body for a status":     {Kind: sim.AnswerStatus, Body: []byte("x")},
		"no delay":              {Kind: sim.DelayReply},
		"negative delay":        {Kind: sim.DelayReply, Delay: -1},
		"delay for a drop":      {Kind: sim.DropAfterBooking, Delay: 1},
	}
	for name, f := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			require.Panics(t, func() { newSimulator().Fail(f) })
		})
	}
}

func TestFaultsThatWriteRawBytes(t *testing.T) {
	t.Parallel()
	for kind, want := range map[sim.FaultKind]string{
		sim.CutHeader:       "HTTP/1.1 200 OK\r\nContent-Ty",
		sim.CloseAfterReply: "HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=UTF-8\r\nContent-Length: 55\r\n\r\n" + saleRow,
	} {
		t.Run(string(kind), func(t *testing.T) {
			t.Parallel()
			gateway := newServer(t)
			gateway.Authorize(sim.Authorization{Amount: 1000, Tax: 80, Shipping: 500, OrderNumber: "test"})
			gateway.Fail(sim.Fault{Kind: kind})
			got, err := io.ReadAll(dial(t, gateway.URL)) // to the end: the connection is closed
			require.NoError(t, err)
			require.Equal(t, want, string(got))
			p, _ := gateway.Payment("10000001")
			require.Equal(t, sim.Captured, p.State)
		})
	}
}

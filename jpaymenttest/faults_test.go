package jpaymenttest_test

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

	"github.com/jpayment-go/jpayment/jpaymenttest"
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
	deadline := time.Now().Add(time.Minute) // against a test that hangs, never reached
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
		fault       jpaymenttest.Fault
		form        string // if not saleForm
		status      int
		contentType string
		body        string
		state       jpaymenttest.State
		code        string
	}{
		"a status": {
			fault:  jpaymenttest.Fault{Kind: jpaymenttest.AnswerStatus, Status: 502},
			status: 502, contentType: html, body: page("502 Bad Gateway"), state: jpaymenttest.Authorized,
		},
		"the usual status": {
			fault:  jpaymenttest.Fault{Kind: jpaymenttest.AnswerStatus},
			status: 503, contentType: html, body: page("503 Service Unavailable"), state: jpaymenttest.Authorized,
		},
		"a page with status 200": {
			fault:  jpaymenttest.Fault{Kind: jpaymenttest.AnswerStatus, Status: 200},
			status: 200, contentType: html, body: page("200 OK"), state: jpaymenttest.Authorized,
		},
		"a status without a body": {
			fault:  jpaymenttest.Fault{Kind: jpaymenttest.AnswerStatus, Status: 204},
			status: 204, contentType: html, state: jpaymenttest.Authorized,
		},
		"a status after booking": {
			fault:  jpaymenttest.Fault{Kind: jpaymenttest.AnswerStatusAfterBooking, Status: 504},
			status: 504, contentType: html, body: page("504 Gateway Timeout"), state: jpaymenttest.Captured,
		},
		"a redirect": {
			fault:  jpaymenttest.Fault{Kind: jpaymenttest.Redirect, Status: 307, Location: "/gateway/re_auth.aspx"},
			status: 307, contentType: html, body: page("307 Temporary Redirect"), state: jpaymenttest.Authorized,
		},
		"a code": {
			fault:  jpaymenttest.Fault{Kind: jpaymenttest.AnswerCode, Code: "ER010"},
			status: 200, contentType: text, body: refused("ER010"), state: jpaymenttest.Authorized,
		},
		"a code, short": {
			fault: jpaymenttest.Fault{Kind: jpaymenttest.AnswerCode, Code: "ER010"}, form: "aid=123456&jb=SALES&rt=0&tid=10000001",
			status: 200, contentType: text, body: "ER:ER010\r\n", state: jpaymenttest.Authorized,
		},
		"a code in place of another": {
			fault: jpaymenttest.Fault{Kind: jpaymenttest.AnswerCodeAfterBooking, Code: "ER000"}, form: "aid=1&rt=1&tid=10000001",
			status: 200, contentType: text, body: refused("ER000"), state: jpaymenttest.Authorized, code: "ER050",
		},
		"a code after booking": {
			fault:  jpaymenttest.Fault{Kind: jpaymenttest.AnswerCodeAfterBooking, Code: "ER042"},
			status: 200, contentType: text, body: refused("ER042"), state: jpaymenttest.Captured,
		},
		"garbage": {
			fault:  jpaymenttest.Fault{Kind: jpaymenttest.Garbage},
			status: 200, contentType: text, body: "\x81\x00\xff\xfe\x80\xa0\xfd\x00\x81", state: jpaymenttest.Captured,
		},
		"garbage of one's own": {
			fault:  jpaymenttest.Fault{Kind: jpaymenttest.Garbage, Body: []byte("1,2")},
			status: 200, contentType: text, body: "1,2", state: jpaymenttest.Captured,
		},
		"nothing at all": {
			fault:  jpaymenttest.Fault{Kind: jpaymenttest.Garbage, Body: []byte{}},
			status: 200, contentType: text, body: "", state: jpaymenttest.Captured,
		},
		"the whole reply, late": {
			fault:  jpaymenttest.Fault{Kind: jpaymenttest.DelayReply, Delay: time.Millisecond},
			status: 200, contentType: text, body: saleRow, state: jpaymenttest.Captured,
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := jpaymenttest.NewServer(t)
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
			require.Equal(t, test.state == jpaymenttest.Captured, r.Booked)
			require.Equal(t, test.code, r.Code)
			require.Equal(t, test.status, r.Status)
			require.Equal(t, test.body, string(r.Answer))
		})
	}
}

func TestRedirectElsewhere(t *testing.T) {
	t.Parallel()
	s := jpaymenttest.NewServer(t)
	s.Fail(jpaymenttest.Fault{Kind: jpaymenttest.Redirect})
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
		options        []jpaymenttest.Option
		named, written string
	}{
		"Shift_JIS called UTF-8": {nil, "UTF-8", "\x92\x8d\x95\xb6"},
		"UTF-8 called Shift_JIS": {[]jpaymenttest.Option{jpaymenttest.WithShiftJISReplies()}, "Shift_JIS", "注文"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := jpaymenttest.NewServer(t, test.options...)
			id := s.Authorize(a)
			s.Fail(jpaymenttest.Fault{Kind: jpaymenttest.WrongCharset})
			_, header, body, err := send(t, http.MethodPost, s.URL+gatewayPage, formType, saleForm)
			require.NoError(t, err)
			require.Equal(t, "text/html; charset="+test.named, header.Get("Content-Type"))
			require.Equal(t, "10000001,1,0001112,,20000001,"+test.written+",1000,80,500,1580,,,\r\n", body)
			require.Equal(t, jpaymenttest.Captured, state(t, s, id))
		})
	}
}

func TestFaultsThatCloseTheConnection(t *testing.T) {
	t.Parallel()
	tests := map[jpaymenttest.FaultKind]struct {
		state jpaymenttest.State
		err   error
		sent  string // of the reply's body
	}{
		jpaymenttest.DropBeforeBooking: {jpaymenttest.Authorized, nil, ""},
		jpaymenttest.DropAfterBooking:  {jpaymenttest.Captured, nil, ""},
		jpaymenttest.ResetAfterBooking: {jpaymenttest.Captured, syscall.ECONNRESET, ""},
		jpaymenttest.CutReply:          {jpaymenttest.Captured, nil, saleRow[:27]},
	}
	for kind, test := range tests {
		t.Run(string(kind), func(t *testing.T) {
			t.Parallel()
			s := jpaymenttest.NewServer(t)
			id := s.Authorize(order)
			s.Fail(jpaymenttest.Fault{Kind: kind})
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
			require.Equal(t, test.state == jpaymenttest.Captured, r.Booked)
			require.Equal(t, wantStatus, r.Status)
			require.Equal(t, test.sent, string(r.Answer))
		})
	}
}

// A connection that serves others, too, cannot be reset: the request ends all the
// same, without an answer.
func TestFaultsOverOtherTransports(t *testing.T) {
	t.Parallel()
	for name, http2 := range map[string]bool{"TLS": false, "HTTP/2": true} {
		for _, kind := range []jpaymenttest.FaultKind{
			jpaymenttest.ResetAfterBooking, jpaymenttest.DropAfterBooking, jpaymenttest.CutReply,
		} {
			t.Run(name+" "+string(kind), func(t *testing.T) {
				t.Parallel()
				g := jpaymenttest.New()
				id := g.Authorize(order)
				g.Fail(jpaymenttest.Fault{Kind: kind})
				s := httptest.NewUnstartedServer(g)
				s.EnableHTTP2 = http2
				s.StartTLS()
				defer s.Close()
				req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.URL+gatewayPage, strings.NewReader(saleForm))
				require.NoError(t, err)
				req.Header.Set("Content-Type", formType)
				resp, err := s.Client().Do(req)
				if kind == jpaymenttest.CutReply {
					require.NoError(t, err)
					body, readErr := io.ReadAll(resp.Body)
					require.NoError(t, resp.Body.Close())
					require.Equal(t, saleRow[:27], string(body))
					err = readErr
				}
				require.Error(t, err)
				if kind == jpaymenttest.ResetAfterBooking && !http2 {
					require.ErrorIs(t, err, syscall.ECONNRESET)
				}
				p, _ := g.Payment(id)
				require.Equal(t, jpaymenttest.Captured, p.State)
			})
		}
	}
}

// silent are the faults that end when the client goes or the server is closed.
var silent = map[jpaymenttest.FaultKind]jpaymenttest.State{
	jpaymenttest.HangBeforeBooking: jpaymenttest.Authorized,
	jpaymenttest.HangAfterBooking:  jpaymenttest.Captured,
	jpaymenttest.StallReply:        jpaymenttest.Captured,
	jpaymenttest.DelayReply:        jpaymenttest.Captured,
}

func silence(kind jpaymenttest.FaultKind, notify func()) jpaymenttest.Fault {
	f := jpaymenttest.Fault{Kind: kind, Notify: notify}
	if kind == jpaymenttest.DelayReply {
		f.Delay = time.Hour
	}
	return f
}

func TestSilenceUntilTheServerIsClosed(t *testing.T) {
	t.Parallel()
	for kind, want := range silent {
		t.Run(string(kind), func(t *testing.T) {
			t.Parallel()
			s := jpaymenttest.NewServer(t)
			id := s.Authorize(order)
			struck := make(chan struct{})
			s.Fail(silence(kind, func() { close(struck) }))
			conn := dial(t, s.URL)
			<-struck
			require.Equal(t, want, state(t, s, id))
			if kind == jpaymenttest.StallReply {
				_, err := conn.Read(make([]byte, 1)) // the half is on its way without more to come
				require.NoError(t, err)
			}
			s.Close()
			rest, _ := io.ReadAll(conn) // an end or a reset
			if kind == jpaymenttest.StallReply {
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
			g := jpaymenttest.New()
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

// watched is a context that tells whether anyone waited for its end.
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
	tests := map[jpaymenttest.FaultKind]bool{
		jpaymenttest.DropBeforeBooking: false,
		jpaymenttest.DropAfterBooking:  false,
		jpaymenttest.CutReply:          false,
	}
	for kind := range silent {
		tests[kind] = true
	}
	for kind, want := range tests {
		t.Run(string(kind), func(t *testing.T) {
			t.Parallel()
			g := jpaymenttest.New()
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

// Notify comes after the booking and before the client knows, so that a test can
// make its client give up at exactly this point.
func TestClientGivesUpWhenNotified(t *testing.T) {
	t.Parallel()
	s := jpaymenttest.NewServer(t)
	id := s.Authorize(order)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	s.Fail(jpaymenttest.Fault{Kind: jpaymenttest.HangAfterBooking, Notify: cancel})
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, s.URL+gatewayPage, strings.NewReader(saleForm))
	require.NoError(t, err)
	req.Header.Set("Content-Type", formType)
	resp, err := http.DefaultClient.Do(req)
	if err == nil {
		require.NoError(t, resp.Body.Close())
	}
	require.ErrorIs(t, err, context.Canceled)
	require.Equal(t, jpaymenttest.Captured, state(t, s, id))
}

// A fault after booking may well hide a refusal.
func TestFaultThatHidesARefusal(t *testing.T) {
	t.Parallel()
	s := jpaymenttest.NewServer(t)
	s.Fail(jpaymenttest.Fault{Kind: jpaymenttest.DropAfterBooking})
	reply, err := io.ReadAll(dial(t, s.URL))
	require.NoError(t, err)
	require.Empty(t, reply)
	r := s.Requests()[0]
	require.False(t, r.Booked)
	require.Equal(t, "ER053", r.Code)
}

// strikes tells of each request whether a fault struck it.
func strikes(s *jpaymenttest.Server) (struck []bool) {
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
		fault jpaymenttest.Fault
		want  []bool
	}{
		"every one":                {jpaymenttest.Fault{}, []bool{true, true, true, true, true, true, true, true}},
		"the third":                {jpaymenttest.Fault{Nth: 3}, []bool{false, false, true, false, false, false, false, false}},
		"captures":                 {jpaymenttest.Fault{Operation: "SALES"}, []bool{true, true, false, false, false, true, false, true}},
		"the third capture":        {jpaymenttest.Fault{Operation: "SALES", Nth: 3}, []bool{false, false, false, false, false, true, false, false}},
		"cancellations":            {jpaymenttest.Fault{Operation: "CANCEL"}, []bool{false, false, true, false, false, false, false, false}},
		"re-authorisations":        {jpaymenttest.Fault{Operation: "REAUTH"}, []bool{false, false, false, true, false, false, true, false}},
		"a payment":                {jpaymenttest.Fault{PaymentID: "10000002"}, []bool{false, true, false, false, false, false, false, true}},
		"captures of a payment":    {jpaymenttest.Fault{Operation: "SALES", PaymentID: "10000001"}, []bool{true, false, false, false, false, true, false, false}},
		"always, by probability 1": {jpaymenttest.Fault{Probability: 1}, []bool{true, true, true, true, true, true, true, true}},
		"hardly ever":              {jpaymenttest.Fault{Probability: math.SmallestNonzeroFloat64}, make([]bool, 8)},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := jpaymenttest.NewServer(t)
			test.fault.Kind, test.fault.Code = jpaymenttest.AnswerCode, "ER010"
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
	run := func(opts ...jpaymenttest.Option) []bool {
		s := jpaymenttest.NewServer(t, opts...)
		s.Fail(jpaymenttest.Fault{Kind: jpaymenttest.AnswerCode, Code: "ER010", Probability: 0.5})
		for range 64 {
			post(t, s, gatewayPage, saleForm)
		}
		return strikes(s)
	}
	one := run()
	require.Contains(t, one, true)
	require.Contains(t, one, false)
	require.Equal(t, one, run(jpaymenttest.WithSeed(1)))
	require.NotEqual(t, one, run(jpaymenttest.WithSeed(2)))
}

func TestSeveralFaults(t *testing.T) {
	t.Parallel()
	s := jpaymenttest.NewServer(t)
	s.Authorize(order)
	s.Fail(jpaymenttest.Fault{Kind: jpaymenttest.AnswerCode, Code: "ER010", Nth: 1})
	s.Fail(jpaymenttest.Fault{Kind: jpaymenttest.AnswerCode, Code: "ER042", Nth: 2})
	s.Fail(jpaymenttest.Fault{Kind: jpaymenttest.AnswerCode, Code: "ER000"})
	require.Equal(t, refused("ER010"), post(t, s, gatewayPage, saleForm))
	require.Equal(t, refused("ER042"), post(t, s, gatewayPage, saleForm))
	require.Equal(t, refused("ER000"), post(t, s, gatewayPage, saleForm))
	s.ClearFaults()
	require.Equal(t, saleRow, post(t, s, gatewayPage, saleForm))
}

// A fault before booking comes before every check of the gateway.
func TestFaultDuringMaintenance(t *testing.T) {
	t.Parallel()
	s := jpaymenttest.NewServer(t)
	s.SetMaintenance(true)
	s.RegisterIPs()
	s.Fail(jpaymenttest.Fault{Kind: jpaymenttest.AnswerCode, Code: "ER010"})
	require.Equal(t, refused("ER010"), post(t, s, gatewayPage, saleForm))
}

func TestFailPanics(t *testing.T) {
	t.Parallel()
	tests := map[string]jpaymenttest.Fault{
		"no kind":               {},
		"unknown kind":          {Kind: "explode"},
		"unknown operation":     {Kind: jpaymenttest.DropAfterBooking, Operation: "sales"},
		"AUTH":                  {Kind: jpaymenttest.DropAfterBooking, Operation: jpaymenttest.OpAuth},
		"negative count":        {Kind: jpaymenttest.DropAfterBooking, Nth: -1},
		"negative probability":  {Kind: jpaymenttest.DropAfterBooking, Probability: -0.1},
		"more than certain":     {Kind: jpaymenttest.DropAfterBooking, Probability: 1.1},
		"no number":             {Kind: jpaymenttest.DropAfterBooking, Probability: math.NaN()},
		"count and probability": {Kind: jpaymenttest.DropAfterBooking, Nth: 1, Probability: 0.5},
		"no code":               {Kind: jpaymenttest.AnswerCode},
		"no code after booking": {Kind: jpaymenttest.AnswerCodeAfterBooking},
		"not a code":            {Kind: jpaymenttest.AnswerCode, Code: "er010"},
		"long code":             {Kind: jpaymenttest.AnswerCode, Code: "G1242G1200000"},
		"code for a drop":       {Kind: jpaymenttest.DropAfterBooking, Code: "ER010"},
		"status for a drop":     {Kind: jpaymenttest.DropAfterBooking, Status: 500},
		"status 100":            {Kind: jpaymenttest.AnswerStatus, Status: 100},
		"status 600":            {Kind: jpaymenttest.AnswerStatusAfterBooking, Status: 600},
		"redirect with 200":     {Kind: jpaymenttest.Redirect, Status: 200},
		"location for a status": {Kind: jpaymenttest.AnswerStatus, Status: 302, Location: "/"},
		"body for a status":     {Kind: jpaymenttest.AnswerStatus, Body: []byte("x")},
		"no delay":              {Kind: jpaymenttest.DelayReply},
		"negative delay":        {Kind: jpaymenttest.DelayReply, Delay: -1},
		"delay for a drop":      {Kind: jpaymenttest.DropAfterBooking, Delay: 1},
	}
	for name, f := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			require.Panics(t, func() { jpaymenttest.New().Fail(f) })
		})
	}
}

func TestFaultsThatWriteRawBytes(t *testing.T) {
	t.Parallel()
	for kind, want := range map[jpaymenttest.FaultKind]string{
		jpaymenttest.CutHeader:       "HTTP/1.1 200 OK\r\nContent-Ty",
		jpaymenttest.CloseAfterReply: "HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=UTF-8\r\nContent-Length: 55\r\n\r\n" + saleRow,
	} {
		t.Run(string(kind), func(t *testing.T) {
			t.Parallel()
			gateway := jpaymenttest.NewServer(t)
			gateway.Authorize(jpaymenttest.Authorization{Amount: 1000, Tax: 80, Shipping: 500, OrderNumber: "test"})
			gateway.Fail(jpaymenttest.Fault{Kind: kind})
			got, err := io.ReadAll(dial(t, gateway.URL)) // to the end: the connection is closed
			require.NoError(t, err)
			require.Equal(t, want, string(got))
			p, _ := gateway.Payment("10000001")
			require.Equal(t, jpaymenttest.Captured, p.State)
		})
	}
}

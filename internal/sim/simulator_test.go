package sim_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/jpayment-go/jpayment"
	"github.com/jpayment-go/jpayment/internal/sim"
)

const (
	gatewayPage = "/gateway/gateway.aspx"
	reAuthPage  = "/gateway/re_auth.aspx"
	formType    = "application/x-www-form-urlencoded"

	declinedRow = "0,2,,G1242G120000,,,0,0,0,0,,,\r\n"
)

// refused is the row of a refusal, in 13 columns.
func refused(code string) string { return "0,2,," + code + ",,,0,0,0,0,,,\r\n" }

// order is the payment 10000001 of the vendor's samples.
var order = sim.Authorization{Amount: 1000, Tax: 80, Shipping: 500, OrderNumber: "test"}

// at returns a fixed clock.
func at(t *testing.T, rfc3339 string) option {
	t.Helper()
	now, err := time.Parse(time.RFC3339, rfc3339)
	require.NoError(t, err)
	return withClock(func() time.Time { return now })
}

func day(t *testing.T, rfc3339 string) time.Time {
	t.Helper()
	v, err := time.Parse(time.RFC3339, rfc3339)
	require.NoError(t, err)
	return v
}

// send makes one request on a new connection without following redirects. It returns the status,
// the headers and the exact body.
func send(t *testing.T, method, url, contentType, body string) (int, http.Header, string, error) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	require.NoError(t, err)
	if contentType != "" {
		req.Header.Set("Content-Type", contentType)
	}
	transport := &http.Transport{DisableKeepAlives: true}
	defer transport.CloseIdleConnections()
	resp, err := transport.RoundTrip(req)
	if err != nil {
		return 0, nil, "", err
	}
	defer func() { require.NoError(t, resp.Body.Close()) }()
	text, err := io.ReadAll(resp.Body)
	return resp.StatusCode, resp.Header, string(text), err
}

func post(t *testing.T, s *sim.Server, page, form string) string {
	t.Helper()
	status, header, body, err := send(t, http.MethodPost, s.URL+page, formType, form)
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, status)
	require.Regexp(t, `^text/html; charset=(UTF-8|Shift_JIS)$`, header.Get("Content-Type"))
	return body
}

func state(t *testing.T, s *sim.Server, id string) sim.State {
	t.Helper()
	p, found := s.Payment(id)
	require.True(t, found)
	return p.State
}

func TestSalesThenCancel(t *testing.T) {
	t.Parallel()
	authorized, now := day(t, "2026-03-01T10:00:00+09:00"), day(t, "2026-03-05T10:00:00+09:00")
	s := newServer(t, withClock(func() time.Time { return now }))
	a := order
	a.At = authorized
	id := s.Authorize(a)
	require.Equal(t, "10000001", id)

	require.Equal(t, "10000001,1,0001112,,20000001,test,1000,80,500,1580,,,\r\n",
		post(t, s, gatewayPage, "aid=123456&jb=SALES&rt=1&tid=10000001"))
	require.Equal(t, sim.Captured, state(t, s, id))
	require.Equal(t, refused("ER032"), post(t, s, gatewayPage, "aid=123456&jb=SALES&rt=1&tid=10000001"))

	now = now.Add(time.Hour)
	require.Equal(t, "10000001,1,0001112,,20000001,test,1000,80,500,1580,,,\r\n",
		post(t, s, gatewayPage, "aid=123456&jb=CANCEL&rt=1&tid=10000001"))
	require.Equal(t, refused("ER033"), post(t, s, gatewayPage, "aid=123456&jb=CANCEL&rt=1&tid=10000001"))
	require.Equal(t, refused("ER032"), post(t, s, gatewayPage, "aid=123456&jb=SALES&rt=1&tid=10000001"))

	p, found := s.Payment(id)
	require.True(t, found)
	require.Equal(t, sim.Payment{
		ID: "10000001", State: sim.Cancelled,
		Amount: 1000, Tax: 80, Shipping: 500,
		OrderNumber: "test", OrderCode: "20000001", ApprovalCode: "0001112",
		AuthorizedAt: authorized,
		History: []sim.Event{
			{At: authorized, Operation: sim.OpAuthorize, State: sim.Authorized},
			{At: now.Add(-time.Hour), Operation: jpayment.OpSales, State: sim.Captured, Request: 1},
			{At: now, Operation: jpayment.OpCancel, State: sim.Cancelled, Request: 3},
		},
	}, p)

	var booked []bool
	var codes []string
	for _, r := range s.Requests() {
		booked, codes = append(booked, r.Booked), append(codes, r.Code)
	}
	require.Equal(t, []bool{true, false, true, false, false}, booked)
	require.Equal(t, []string{"", "ER032", "", "ER033", "ER032"}, codes)
}

func TestCancelOfAnAuthorization(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	id := s.Authorize(order)
	require.Equal(t, "OK\r\n", post(t, s, gatewayPage, "aid=123456&jb=CANCEL&rt=0&tid=10000001"))
	require.Equal(t, sim.Cancelled, state(t, s, id))
}

func TestShortForm(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	s.Authorize(order)
	require.Equal(t, "OK\r\n", post(t, s, gatewayPage, "aid=123456&jb=SALES&rt=0&tid=10000001"))
	require.Equal(t, "ER:ER032\r\n", post(t, s, gatewayPage, "aid=123456&jb=SALES&rt=0&tid=10000001"))
}

func TestGet(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	s.Authorize(order)
	status, _, body, err := send(t, http.MethodGet, s.URL+gatewayPage+"?aid=123456&jb=SALES&rt=1&tid=10000001", "", "")
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, status)
	require.Equal(t, "10000001,1,0001112,,20000001,test,1000,80,500,1580,,,\r\n", body)
	require.Equal(t, "aid=123456&jb=SALES&rt=1&tid=10000001", s.Requests()[0].RawQuery)
}

func TestCheckedParametersOfGatewayPage(t *testing.T) {
	t.Parallel()
	tests := map[string]struct{ form, want string }{
		"no parameter":               {"", "ER:ER050\r\n"},
		"aid missing":                {"jb=SALES&rt=1&tid=10000001", refused("ER050")},
		"aid empty":                  {"aid=&jb=SALES&rt=1&tid=10000001", refused("ER050")},
		"aid short":                  {"aid=12345&jb=SALES&rt=1&tid=10000001", refused("ER050")},
		"aid long":                   {"aid=1234567&jb=SALES&rt=1&tid=10000001", refused("ER050")},
		"aid with a letter":          {"aid=12345a&jb=SALES&rt=1&tid=10000001", refused("ER050")},
		"aid in full-width digits":   {"aid=%EF%BC%91%EF%BC%92&jb=SALES&rt=1&tid=10000001", refused("ER050")},
		"aid with a space":           {"aid=+12345&jb=SALES&rt=1&tid=10000001", refused("ER050")},
		"AID in capitals":            {"AID=123456&jb=SALES&rt=1&tid=10000001", refused("ER050")},
		"aid of another store":       {"aid=123457&jb=SALES&rt=1&tid=10000001", refused("ER004")},
		"aid before an unreadable x": {"aid=123457&jb=SALES&rt=1&tid=10000001&x=%zz", refused("ER004")},
		"jb missing":                 {"aid=123456&rt=1&tid=10000001", refused("ER051")},
		"jb empty":                   {"aid=123456&jb=&rt=1&tid=10000001", refused("ER051")},
		"jb lower-case":              {"aid=123456&jb=sales&rt=1&tid=10000001", refused("ER051")},
		"jb of another interface":    {"aid=123456&jb=CAPTURE&rt=1&tid=10000001", refused("ER051")},
		"jb REAUTH":                  {"aid=123456&jb=REAUTH&rt=1&tid=10000001", refused("ER051")},
		"rt missing":                 {"aid=123456&jb=SALES&tid=10000001", "ER:ER052\r\n"},
		"rt empty":                   {"aid=123456&jb=SALES&rt=&tid=10000001", "ER:ER052\r\n"},
		"rt 2":                       {"aid=123456&jb=SALES&rt=2&tid=10000001", "ER:ER052\r\n"},
		"rt 01":                      {"aid=123456&jb=SALES&rt=01&tid=10000001", "ER:ER052\r\n"},
		"rt in full-width":           {"aid=123456&jb=SALES&rt=%EF%BC%91&tid=10000001", "ER:ER052\r\n"},
		"tid missing":                {"aid=123456&jb=SALES&rt=1", refused("ER053")},
		"tid empty":                  {"aid=123456&jb=SALES&rt=1&tid=", refused("ER053")},
		"tid unknown":                {"aid=123456&jb=SALES&rt=1&tid=10000002", refused("ER053")},
		"tid unknown, short form":    {"aid=123456&jb=SALES&rt=0&tid=10000002", "ER:ER053\r\n"},
		"tid with a leading zero":    {"aid=123456&jb=SALES&rt=1&tid=010000001", refused("ER053")},
		"tid with a letter":          {"aid=123456&jb=SALES&rt=1&tid=1000000l", refused("ER053")},
		"tid in full-width":          {"aid=123456&jb=SALES&rt=1&tid=%EF%BC%91", refused("ER053")},
		"tid with a space":           {"aid=123456&jb=SALES&rt=1&tid=10000001%20", refused("ER053")},
		"aid repeated":               {"aid=123456&aid=123456&jb=SALES&rt=1&tid=10000001", refused("ER001")},
		"rt repeated":                {"aid=123456&jb=SALES&rt=1&rt=1&tid=10000001", refused("ER001")},
		"tid repeated":               {"aid=123456&jb=SALES&rt=1&tid=10000001&tid=10000001", refused("ER001")},
		"am repeated":                {"aid=123456&jb=SALES&rt=1&tid=10000001&am=1&am=2", refused("ER001")},
		"% without digits":           {"aid=123456&jb=SALES&rt=1&tid=10000001&x=%", refused("ER001")},
		"% with one digit":           {"aid=123456&jb=SALES&rt=1&tid=10000001&x=%4", refused("ER001")},
		"% with another letter":      {"aid=123456&jb=SALES&rt=1&tid=10000001&x=%4g", refused("ER001")},
		"% in the key":               {"aid=123456&jb=SALES&rt=1&tid=10000001&%g4=x", refused("ER001")},
		"not UTF-8":                  {"aid=123456&jb=SALES&rt=1&tid=10000001&x=%82%A0", refused("ER001")},
		"key not UTF-8":              {"aid=123456&jb=SALES&rt=1&tid=10000001&%82%A0=x", refused("ER001")},
		"a space not encoded":        {"aid=123456&jb=SALES&rt=1&tid=10000001&x=a b", refused("ER001")},
		"a line break not encoded":   {"aid=123456&jb=SALES&rt=1&tid=10000001\n", refused("ER001")},
		"a delete not encoded":       {"aid=123456&jb=SALES&rt=1&tid=10000001&x=\x7f", refused("ER001")},
		"no key":                     {"aid=123456&jb=SALES&rt=1&tid=10000001&=x", refused("ER001")},
		"other data of 1,025 bytes": {
			"aid=123456&jb=SALES&rt=1&tid=10000001&a=1&b=" + strings.Repeat("x", 1024-5), refused("ER001"),
		},
		"other data of 1,025 bytes in three-byte characters": {
			"aid=123456&jb=SALES&rt=1&tid=10000001&ab=" + strings.Repeat("%E3%81%82", 340) + "12", refused("ER001"),
		},
		"more than any request has": {
			"aid=123456&jb=SALES&rt=1&tid=10000001&em=" + strings.Repeat("x", 64<<10), refused("ER001"),
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newServer(t)
			id := s.Authorize(order)
			require.Equal(t, test.want, post(t, s, gatewayPage, test.form))
			require.Equal(t, sim.Authorized, state(t, s, id))
			r := s.Requests()[0]
			require.False(t, r.Booked)
			require.Contains(t, test.want, r.Code)
			require.Equal(t, test.form[:min(len(test.form), 64<<10)], string(r.Body))
		})
	}
}

func TestParametersOfTheOtherPageAreIgnored(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	s.Authorize(order)
	require.Equal(t, "10000001,1,0001112,,20000001,test,1000,80,500,1580,,,\r\n",
		post(t, s, gatewayPage, "aid=123456&jb=SALES&rt=1&tid=10000001&am=1&tx=-&sf=&em=x&pn=y&ut=1&hak=2"))
	require.Equal(t, "10000002,1,0001113,,20000002,test,1,2,3,6,,,\r\n",
		post(t, s, reAuthPage, "aid=123456&rt=1&tid=10000001&am=1&tx=2&sf=3&jb=CANCEL"))
}

func TestFormsThatAreNone(t *testing.T) {
	t.Parallel()
	const form = "aid=123456&jb=SALES&rt=1&tid=10000001"
	tests := map[string]struct{ method, query, contentType, body, want string }{
		"JSON":                      {"POST", "", "application/json", `{"aid":"123456"}`, "ER:ER050\r\n"},
		"a form without its type":   {"POST", "", "", form, "ER:ER050\r\n"},
		"a form of unreadable type": {"POST", "", formType + "; =", form, "ER:ER050\r\n"},
		"rt alone in the query":     {"POST", "?rt=1", "", form, refused("ER050")},
		"query and body disagree":   {"POST", "?tid=2", formType, form, refused("ER001")},
		"the body of a GET":         {"GET", "", formType, form, "ER:ER050\r\n"},
		"PUT":                       {"PUT", "", formType, form, "ER:ER107\r\n"},
		"DELETE with a query":       {"DELETE", "?" + form, "", "", "ER:ER107\r\n"},
		"HEAD":                      {"HEAD", "?" + form, "", "", ""},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newServer(t)
			id := s.Authorize(order)
			status, _, body, err := send(t, test.method, s.URL+gatewayPage+test.query, test.contentType, test.body)
			require.NoError(t, err)
			require.Equal(t, http.StatusOK, status)
			require.Equal(t, test.want, body)
			require.Equal(t, sim.Authorized, state(t, s, id))
			require.Equal(t, test.want, string(s.Requests()[0].Answer))
		})
	}
}

func TestFormTypeWithParameters(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	s.Authorize(order)
	_, _, body, err := send(t, http.MethodPost, s.URL+gatewayPage, "Application/X-WWW-Form-Urlencoded; charset=utf-8",
		"aid=123456&jb=SALES&rt=0&tid=10000001")
	require.NoError(t, err)
	require.Equal(t, "OK\r\n", body)
}

func TestOtherPagesAreNotFound(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	s.Authorize(order)
	s.Fail(sim.Fault{Kind: sim.AnswerCode, Code: "ER010"})
	for _, page := range []string{"/", "/gateway/gateway.asp", "/gateway/gateway.aspx/", "/Gateway/gateway.aspx"} {
		status, _, body, err := send(t, http.MethodPost, s.URL+page, formType, "aid=123456&jb=SALES&rt=1&tid=10000001")
		require.NoError(t, err)
		require.Equal(t, http.StatusNotFound, status)
		require.Equal(t, "<html><head><title>404</title></head><body><h1>404 Not Found</h1></body></html>\n", body)
	}
	requests := s.Requests()
	require.Len(t, requests, 4)
	require.Empty(t, requests[0].Operation)
	require.Empty(t, requests[0].Fault)
	require.Equal(t, http.StatusNotFound, requests[0].Status)
}

func TestOtherData(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		options []option
		form    string
		want    string
	}{
		"in the order received, a key twice": {
			form: "z=1&aid=123456&jb=SALES&a=2&rt=1&tid=10000001&z=3",
			want: "z=1&a=2&z=3",
		},
		"empty value":      {form: "aid=123456&jb=SALES&rt=1&tid=10000001&a=", want: "a="},
		"equals sign":      {form: "aid=123456&jb=SALES&rt=1&tid=10000001&a=b=c", want: "a=b%3Dc"},
		"+ and space":      {form: "aid=123456&jb=SALES&rt=1&tid=10000001&a=b+c%2B%20", want: "a=b%20c%2B%20"},
		"line break":       {form: "aid=123456&jb=SALES&rt=1&tid=10000001&a=b%0d%0Ac", want: "a=b%0D%0Ac"},
		"comma in the key": {form: "aid=123456&jb=SALES&rt=1&tid=10000001&a,b=c,d", want: "a%2Cb=c%2Cd"},
		"unreserved":       {form: "aid=123456&jb=SALES&rt=1&tid=10000001&aZ09-._~=*", want: "aZ09-._~=%2A"},
		"Japanese":         {form: "aid=123456&jb=SALES&rt=1&tid=10000001&a=%E3%81%82", want: "a=%E3%81%82"},
		"Japanese, raw":    {form: "aid=123456&jb=SALES&rt=1&tid=10000001&a=あ", want: "a=%E3%81%82"},
		"names of the reply": {
			form: "aid=123456&jb=SALES&rt=1&tid=10000001&gid=1&cod=2&rst=2",
			want: "gid=1&cod=2&rst=2",
		},
		"1,024 bytes": {
			form: "aid=123456&jb=SALES&rt=1&tid=10000001&a=1&b=" + strings.Repeat("x", 1024-6),
			want: "a=1&b=" + strings.Repeat("x", 1024-6),
		},
		"1,024 bytes in three-byte characters": {
			form: "aid=123456&jb=SALES&rt=1&tid=10000001&ab=" + strings.Repeat("%E3%81%82", 340) + "1",
			want: "ab=" + strings.Repeat("%E3%81%82", 340) + "1",
		},
		"plain": {
			options: []option{withPlainOtherData()},
			form:    "aid=123456&jb=SALES&rt=1&tid=10000001&a=b,c&d=%E3%81%82%0A+",
			want:    "a=b,c&d=あ\n ",
		},
		"Shift_JIS in": {
			options: []option{withShiftJISRequests()},
			form:    "aid=123456&jb=SALES&rt=1&tid=10000001&a=%82%A0%83%5C",
			want:    "a=%E3%81%82%E3%82%BD",
		},
		"Shift_JIS out": {
			options: []option{withShiftJISReplies()},
			form:    "aid=123456&jb=SALES&rt=1&tid=10000001&a=%E3%81%82%E3%82%BD%F0%9F%98%80",
			want:    "a=%82%A0%83%5C%3F",
		},
		"Shift_JIS out, plain": {
			options: []option{withShiftJISReplies(), withPlainOtherData()},
			form:    "aid=123456&jb=SALES&rt=1&tid=10000001&a=%E3%81%82%E3%82%BD%F0%9F%98%80",
			want:    "a=\x82\xa0\x83\x5c?",
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newServer(t, test.options...)
			s.Authorize(order)
			require.Equal(t, "10000001,1,0001112,,20000001,test,1000,80,500,1580,,,"+test.want+"\r\n",
				post(t, s, gatewayPage, test.form))
		})
	}
}

func TestShiftJISRequestThatIsUTF8(t *testing.T) {
	t.Parallel()
	s := newServer(t, withShiftJISRequests())
	s.Authorize(order)
	require.Equal(t, refused("ER001"),
		post(t, s, gatewayPage, "aid=123456&jb=SALES&rt=1&tid=10000001&a=%E3%81%82"))
}

// Two bytes per character: this fits in Shift_JIS but would not fit in UTF-8.
func TestOtherDataIsCountedInTheCharsetOfTheRequest(t *testing.T) {
	t.Parallel()
	s := newServer(t, withShiftJISRequests())
	s.Authorize(order)
	require.Equal(t, "OK\r\n",
		post(t, s, gatewayPage, "aid=123456&jb=SALES&rt=0&tid=10000001&a="+strings.Repeat("%82%A0", 511)))
}

func TestRequestsAreKept(t *testing.T) {
	t.Parallel()
	now := day(t, "2026-03-01T10:00:00+09:00")
	s := newServer(t, at(t, "2026-03-01T10:00:00+09:00"))
	s.Authorize(order)
	const form = "tid=10000001&%61id=123456&jb=SALES&rt=1&a=%E3%81%82+b&a=2&%zz=1"
	status, _, body, err := send(t, http.MethodPost, s.URL+gatewayPage+"?q=%20", formType, form)
	require.NoError(t, err)

	requests := s.Requests()
	require.Len(t, requests, 1)
	r := requests[0]
	require.True(t, strings.HasPrefix(r.RemoteAddr, "127.0.0.1:"), r.RemoteAddr)
	require.Equal(t, formType, r.Header.Get("Content-Type"))
	r.RemoteAddr, r.Header = "", nil
	require.Equal(t, sim.Request{
		Number: 1, At: now, Method: "POST", Path: gatewayPage, RawQuery: "q=%20", Body: []byte(form),
		Form: sim.Form{
			{Key: "q", Value: " "},
			{Key: "tid", Value: "10000001"},
			{Key: "aid", Value: "123456"},
			{Key: "jb", Value: "SALES"},
			{Key: "rt", Value: "1"},
			{Key: "a", Value: "あ b"},
			{Key: "a", Value: "2"},
		},
		Operation: jpayment.OpSales, PaymentID: "10000001",
		Code: "ER001", Status: status, Answer: []byte(body),
	}, r)
	require.Equal(t, "あ b", r.Form.Get("a"))
	require.Empty(t, r.Form.Get("b"))
}

func TestWhatIsReturnedIsACopy(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	id := s.Authorize(order)
	post(t, s, gatewayPage, "aid=123456&jb=SALES&rt=0&tid=10000001")

	r := s.Requests()[0]
	r.Header.Set("Content-Type", "x")
	r.Body[0], r.Answer[0], r.Form[0].Key = 'x', 'x', "x"
	p, _ := s.Payment(id)
	p.History[0].State = "x"
	s.Payments()[0].History[0].State = "x"

	r = s.Requests()[0]
	require.Equal(t, formType, r.Header.Get("Content-Type"))
	require.Equal(t, "aid=123456&jb=SALES&rt=0&tid=10000001", string(r.Body))
	require.Equal(t, "OK\r\n", string(r.Answer))
	require.Equal(t, "aid", r.Form[0].Key)
	p, _ = s.Payment(id)
	require.Equal(t, sim.Authorized, p.History[0].State)
}

func TestMaintenance(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	s.Authorize(order)
	s.RegisterIPs()
	s.SetMaintenance(true)
	require.Equal(t, refused("ER999"), post(t, s, gatewayPage, "aid=1&jb=SALES&rt=1&tid=10000001"))
	require.Equal(t, "ER:ER999\r\n", post(t, s, reAuthPage, ""))
	s.SetMaintenance(false)
	require.Equal(t, refused("ER003"), post(t, s, gatewayPage, "aid=1&jb=SALES&rt=1&tid=10000001"))
}

func TestTestMode(t *testing.T) {
	t.Parallel()
	s := newServer(t, at(t, "2026-03-01T10:00:00+09:00"))
	s.SetTestMode(true)
	tested := s.Authorize(sim.Authorization{Amount: 1000, Tax: 2, Shipping: 4})
	s.SetTestMode(false)
	genuine := s.Authorize(order)

	require.Equal(t, "10000001,1,TestMod,,20000001,,1000,2,4,1006,,,\r\n",
		post(t, s, gatewayPage, "aid=123456&jb=SALES&rt=1&tid="+tested))
	s.SetTestMode(true)
	require.Equal(t, "10000002,1,TestMod,,20000002,test,1000,80,500,1580,,,\r\n",
		post(t, s, gatewayPage, "aid=123456&jb=SALES&rt=1&tid="+genuine))
	require.Equal(t, "10000003,1,TestMod,,20000003,,1,0,0,1,,,\r\n",
		post(t, s, reAuthPage, "aid=123456&rt=1&am=1&tx=0&sf=0&tid="+tested))
	s.SetTestMode(false)
	require.Equal(t, "10000002,1,0001113,,20000002,test,1000,80,500,1580,,,\r\n",
		post(t, s, gatewayPage, "aid=123456&jb=CANCEL&rt=1&tid="+genuine))
	untested := s.Authorize(order)

	tests := func(id string) (all []bool) {
		p, found := s.Payment(id)
		require.True(t, found)
		for _, event := range p.History {
			all = append(all, event.TestMode)
		}
		return append(all, p.TestMode)
	}
	require.Equal(t, []bool{true, true, true, true}, tests(tested))
	require.Equal(t, []bool{false, true, false, true}, tests(genuine))
	require.Equal(t, []bool{true, true}, tests("10000003"))
	require.Equal(t, []bool{false, false}, tests(untested))

	p, _ := s.Payment(tested)
	require.Equal(t, "TestMod", p.ApprovalCode)
	p, _ = s.Payment(genuine)
	require.Equal(t, "0001113", p.ApprovalCode)
}

func TestSourceAddresses(t *testing.T) {
	t.Parallel()
	prefixes := func(all ...string) (ps []netip.Prefix) {
		for _, p := range all {
			ps = append(ps, netip.MustParsePrefix(p))
		}
		return ps
	}
	loopback := []netip.Prefix(nil)
	tests := map[string]struct {
		register []netip.Prefix
		remote   string
		admitted bool
	}{
		"loopback by default":              {loopback, "127.0.0.1:80", true},
		"all of the loopback":              {loopback, "127.255.0.9:80", true},
		"IPv6 loopback by default":         {loopback, "[::1]:80", true},
		"mapped loopback by default":       {loopback, "[::ffff:127.0.0.1]:80", true},
		"elsewhere by default":             {loopback, "192.0.2.1:1234", false},
		"IPv6 elsewhere by default":        {loopback, "[2001:db8::1]:80", false},
		"no address":                       {loopback, "@", false},
		"no address registered":            {prefixes(), "127.0.0.1:80", false},
		"registered":                       {prefixes("203.0.113.0/24", "192.0.2.1/32"), "192.0.2.1:80", true},
		"registered, seen as mapped":       {prefixes("192.0.2.1/32"), "[::ffff:192.0.2.1]:80", true},
		"registered as mapped":             {prefixes("::ffff:192.0.2.0/120"), "192.0.2.9:80", true},
		"beside what is registered mapped": {prefixes("::ffff:192.0.2.0/120"), "192.0.3.1:80", false},
		"all of the mapped":                {prefixes("::ffff:0.0.0.0/64"), "192.0.3.1:80", true},
		"the loopback no more":             {prefixes("192.0.2.1/32"), "127.0.0.1:80", false},
		"IPv6 with a zone":                 {prefixes("fe80::/10"), "[fe80::1%eth0]:80", true},
		"IPv6 does not cover IPv4":         {prefixes("::/0"), "127.0.0.1:80", false},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := newSimulator()
			if test.register != nil || name == "no address registered" {
				g.RegisterIPs(test.register...)
			}
			id := g.Authorize(order)
			r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, gatewayPage,
				strings.NewReader("aid=123456&jb=SALES&rt=0&tid="+id))
			r.Header.Set("Content-Type", formType)
			r.Header.Set("X-Forwarded-For", "127.0.0.1")
			r.RemoteAddr = test.remote
			w := httptest.NewRecorder()
			g.ServeHTTP(w, r)
			if test.admitted {
				require.Equal(t, "OK\r\n", w.Body.String())
			} else {
				require.Equal(t, "ER:ER003\r\n", w.Body.String())
			}
		})
	}
	require.Panics(t, func() { newSimulator().RegisterIPs(netip.Prefix{}) })
}

func TestSourceAddressBeforeStore(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	s.RegisterIPs()
	require.Equal(t, refused("ER003"), post(t, s, gatewayPage, "rt=1"))
}

// Of many concurrent captures of one payment, exactly one is booked.
func TestOneCaptureOfMany(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	id := s.Authorize(order)
	replies := make([]string, 20)
	var group sync.WaitGroup
	for i := range replies {
		group.Go(func() {
			_, _, replies[i], _ = send(t, http.MethodPost, s.URL+gatewayPage, formType, "aid=123456&jb=SALES&rt=0&tid="+id)
		})
	}
	group.Wait()
	count := map[string]int{}
	for _, reply := range replies {
		count[reply]++
	}
	require.Equal(t, map[string]int{"OK\r\n": 1, "ER:ER032\r\n": 19}, count)
	p, _ := s.Payment(id)
	require.Len(t, p.History, 2)
	for i, r := range s.Requests() {
		require.Equal(t, i+1, r.Number)
		require.Equal(t, i+1 == p.History[1].Request, r.Booked)
	}
}

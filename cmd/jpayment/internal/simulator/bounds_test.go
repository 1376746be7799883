package simulator_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/jpayment-go/jpayment/cmd/jpayment/internal/localpage"
	"github.com/jpayment-go/jpayment/cmd/jpayment/internal/simulator"
)

// Clients of the gateway's pages cannot make the simulator keep or send unlimited data.
func TestRequestsAreBounded(t *testing.T) {
	t.Parallel()
	r := start(t, simulator.Config{})
	body := strings.Repeat("a=b&", 1<<18)
	const sent = 300
	for range sent {
		status, _, _ := call(t, "POST", r.URL+"/gateway/gateway.aspx", body, "Content-Type", "application/x-www-form-urlencoded")
		require.Equal(t, http.StatusOK, status)
	}
	kept, after, more := 0, 0, true
	for more {
		status, answer, _ := call(t, "GET", fmt.Sprintf("%s/control/v1/requests?after=%d", r.URL, after), "")
		require.Equal(t, http.StatusOK, status)
		require.Less(t, len(answer), 8<<20, "a page is not as long as one pleases")
		var page struct {
			Requests []struct{ Number int }
			More     bool
		}
		require.NoError(t, json.Unmarshal([]byte(answer), &page))
		require.NotEmpty(t, page.Requests)
		kept += len(page.Requests)
		after, more = page.Requests[len(page.Requests)-1].Number, page.More
	}
	require.Equal(t, sent, after)
	require.Less(t, kept, sent)
	require.Greater(t, kept, 50)
}

// Lists are paged.
func TestPages(t *testing.T) {
	t.Parallel()
	r := start(t, simulator.Config{Payments: 105})
	names := func(path, list, name string) (names []string, more any) {
		page := r.control(t, "GET", path, "", http.StatusOK)
		for _, one := range page[list].([]any) {
			names = append(names, fmt.Sprint(one.(map[string]any)[name]))
		}
		return names, page["more"]
	}
	all, more := names("/payments", "payments", "payment_id")
	require.Len(t, all, 100)
	require.Equal(t, true, more)
	all, more = names("/payments?after=10000100", "payments", "payment_id")
	require.Equal(t, []string{"10000101", "10000102", "10000103", "10000104", "10000105"}, all)
	require.Equal(t, false, more)
	all, more = names("/payments?limit=2&after=10000001", "payments", "payment_id")
	require.Equal(t, []string{"10000002", "10000003"}, all)
	require.Equal(t, true, more)

	for range 3 {
		call(t, "POST", r.URL+"/gateway/gateway.aspx", "aid=1", "Content-Type", "application/x-www-form-urlencoded")
	}
	all, more = names("/requests?limit=2", "requests", "number")
	require.Equal(t, []string{"1", "2"}, all)
	require.Equal(t, true, more)
	all, more = names("/requests?limit=2&after=2", "requests", "number")
	require.Equal(t, []string{"3"}, all)
	require.Equal(t, false, more)

	for id := range 3 {
		call(t, "POST", r.URL+"/gateway/re_auth.aspx", fmt.Sprintf("aid=123456&rt=0&tid=%d&am=1&tx=0&sf=0", 10000001+id), "Content-Type", "application/x-www-form-urlencoded")
	}
	all, more = names("/kickbacks?limit=2", "waiting", "request")
	require.Equal(t, []string{"4", "5"}, all)
	require.Equal(t, true, more)
	all, more = names("/kickbacks?limit=2&skip=2", "waiting", "request")
	require.Equal(t, []string{"6"}, all)
	require.Equal(t, false, more)

	for path, field := range map[string]string{
		"/payments?limit=0": "limit", "/payments?limit=1001": "limit", "/requests?limit=x": "limit", "/kickbacks?limit=-1": "limit",
		"/kickbacks?skip=-1": "skip", "/kickbacks?skip=x": "skip", "/payments?after=x": "after", "/requests?after=x": "after",
	} {
		require.Contains(t, r.control(t, "GET", path, "", http.StatusBadRequest)["error"], field+": ", path)
	}
}

// A header that is too long is refused before there is a request.
func TestHeaderIsBounded(t *testing.T) {
	t.Parallel()
	r := start(t, simulator.Config{})
	var dialer net.Dialer
	conn, err := dialer.DialContext(t.Context(), "tcp", strings.TrimPrefix(r.URL, "http://"))
	require.NoError(t, err)
	defer conn.Close()
	_, err = fmt.Fprintf(conn, "GET /gateway/gateway.aspx HTTP/1.1\r\nHost: x\r\nX: %s\r\n\r\n", strings.Repeat("x", 100<<10))
	require.NoError(t, err)
	line, err := bufio.NewReader(conn).ReadString('\n')
	require.NoError(t, err)
	require.Contains(t, line, " 431 ")
	require.Empty(t, r.control(t, "GET", "/requests", "", http.StatusOK)["requests"])
}

// Requests that another web page makes a browser send reach neither the gateway's pages nor the
// panel. They would come from this machine, whose address is registered.
func TestOtherWebSitesDoNotReachTheGateway(t *testing.T) {
	t.Parallel()
	r := start(t, simulator.Config{})
	id := r.authorize(t)
	form, sales := []string{"Content-Type", "application/x-www-form-urlencoded"}, "aid=123456&jb=SALES&rt=1&tid="+id
	const page = "/gateway/gateway.aspx"
	for name, test := range map[string]struct {
		method, url, body string
		header            []string
	}{
		"a form":                   {"POST", page, sales, []string{"Sec-Fetch-Site", "cross-site"}},
		"of another port":          {"POST", page, sales, []string{"Sec-Fetch-Site", "same-site"}},
		"of an older browser":      {"POST", page, sales, []string{"Origin", "https://evil.example"}},
		"without a site":           {"POST", page, sales, []string{"Origin", "null"}},
		"the other page":           {"POST", "/gateway/re_auth.aspx", "aid=123456&rt=1&am=1&tx=0&sf=0&tid=" + id, []string{"Sec-Fetch-Site", "cross-site"}},
		"an image":                 {"GET", page + "?" + sales, "", []string{"Sec-Fetch-Site", "cross-site"}},
		"a path of nobody's":       {"POST", "/x", "a=b", []string{"Sec-Fetch-Site", "cross-site"}},
		"a name that points here":  {"POST", page, sales, []string{"Origin", "http://evil.example", "Host", "evil.example"}},
		"as the browser tells it":  {"POST", page, sales, []string{"Sec-Fetch-Site", "same-origin", "Host", "evil.example"}},
		"a site with an odd value": {"POST", page, sales, []string{"Sec-Fetch-Site", "x"}},
	} {
		t.Run(name, func(t *testing.T) {
			status, body, _ := call(t, test.method, r.URL+test.url, test.body, append(form, test.header...)...)
			require.Equal(t, http.StatusForbidden, status, body)
			_, body, _ = call(t, test.method, r.URL+test.url, test.body, append(form, append(test.header, "Accept-Language", "ja")...)...)
			require.Regexp(t, `\p{Hiragana}`, body)
		})
	}
	require.Empty(t, r.control(t, "GET", "/requests", "", http.StatusOK)["requests"])
	require.Equal(t, "authorized", r.control(t, "GET", "/payments/"+id, "", http.StatusOK)["state"])
	for name, header := range map[string][]string{
		"a server":           nil,
		"its own page":       {"Origin", r.URL, "Sec-Fetch-Site", "same-origin"},
		"a typed address":    {"Sec-Fetch-Site", "none"},
		"a server's address": {"Host", "credit.j-payment.co.jp"},
	} {
		status, body, _ := call(t, "POST", r.URL+page, sales, append(form, header...)...)
		require.Equal(t, http.StatusOK, status, name)
		require.NotContains(t, body, "ER001", name)
	}
	require.Len(t, r.control(t, "GET", "/requests", "", http.StatusOK)["requests"], 4)
}

// After a switch of the language the browser stays in the panel, whatever the form says.
func TestLanguageSwitchStaysHere(t *testing.T) {
	t.Parallel()
	r := start(t, simulator.Config{})
	form := []string{"Content-Type", "application/x-www-form-urlencoded"}
	for next, want := range map[string]string{
		"%2Fpanel%2F": "/panel/",
		"%2Fpanel%2F%3Fq%3D%25E6%25B3%25A8%26requests%3D20": "/panel/?q=%E6%B3%A8&requests=20",
		"%2Fpanel%2Fpayments%2F10000001%3Fpayments%3D20":    "/panel/payments/10000001?payments=20",
		"%2Fpanel%2Frequests%2F7":                           "/panel/requests/7",
		"":                                                  "/panel/",
		"%2Fpanel%2F..%2F%5Cevil.example":                   "/panel/",
		"%2Fpanel%2F..%2F%2Fevil.example":                   "/panel/",
		"%2Fpanel%2F%2E%2E%2F%5C%5Cevil.example":            "/panel/",
		"%2Fpanel%2F%252e%252e%2F%255Cevil.example":         "/panel/",
		"%2Fpanel%2F%252e%252e%252F%252Fevil.example":       "/panel/",
		"%2Fpanel%2F..%2F%09%2Fevil.example":                "/panel/",
		"%2Fpanel%2F..%2F%0D%0A%2Fevil.example":             "/panel/",
		"%2F%2Fevil.example":                                "/panel/",
		"%2F%2Fevil.example%2Fpanel%2F":                     "/panel/",
		"%5C%5Cevil.example":                                "/panel/",
		"%2F%5Cevil.example":                                "/panel/",
		"https%3A%2F%2Fevil.example%2Fpanel%2F":             "/panel/",
		"javascript%3Aalert(1)":                             "/panel/",
		"%2Fpanel%2F%40evil.example":                        "/panel/",
		"%2Fcontrol%2Fv1%2Fpayments":                        "/panel/",
	} {
		status, _, header := call(t, "POST", r.URL+"/panel/language", "language=en&next="+next, form...)
		require.Equal(t, http.StatusSeeOther, status, next)
		require.Equal(t, want, header.Get("Location"), next)
	}
}

// A token that is short enough to guess is refused.
func TestTokenHasALeastLength(t *testing.T) {
	t.Parallel()
	for _, listen := range []string{"127.0.0.1:0", "0.0.0.0:0"} {
		_, err := simulator.Open(t.Context(), simulator.Config{Listen: listen, Token: strings.Repeat("x", 15)})
		require.ErrorIs(t, err, localpage.ErrShortToken)
	}
	start(t, simulator.Config{Token: strings.Repeat("x", 16)})
}

// patient is a response writer that records the deadlines that are set.
type patient struct {
	*httptest.ResponseRecorder
	reading, writing []bool // whether a deadline was set
}

func (p *patient) SetReadDeadline(t time.Time) error {
	p.reading = append(p.reading, !t.IsZero())
	return nil
}

func (p *patient) SetWriteDeadline(t time.Time) error {
	p.writing = append(p.writing, !t.IsZero())
	return nil
}

// Reading a body and writing one of the simulator's own pages have deadlines. A reply of the
// gateway has none, because a fault may delay it.
func TestTimeIsBounded(t *testing.T) {
	t.Parallel()
	s, err := simulator.Open(t.Context(), simulator.Config{Listen: "127.0.0.1:0"})
	require.NoError(t, err)
	t.Cleanup(func() { s.Close() })
	for path, page := range map[string]bool{"/gateway/gateway.aspx": false, "/control/v1/payments": true, "/panel/": true} {
		p := &patient{ResponseRecorder: httptest.NewRecorder()}
		r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "http://127.0.0.1"+path, strings.NewReader("{}"))
		r.RemoteAddr = "127.0.0.1:1"
		r.Header.Set("Content-Type", "application/json")
		s.ServeHTTP(p, r)
		require.Equal(t, true, p.reading[0], path)
		if path != "/panel/" { // reads no form
			require.Equal(t, []bool{true, false}, p.reading, "it is over with the body")
		}
		require.Equal(t, page, len(p.writing) > 0, path)
	}
	p := &patient{ResponseRecorder: httptest.NewRecorder()}
	s.ServeHTTP(p, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "http://127.0.0.1/panel/", http.NoBody))
	require.Empty(t, p.reading)
	require.Equal(t, http.StatusOK, p.Code)
}

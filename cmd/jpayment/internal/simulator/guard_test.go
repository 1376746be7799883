package simulator_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/jpayment-go/jpayment/cmd/jpayment/internal/simulator"
)

var headersOfAPage = map[string]string{
	"Content-Security-Policy": "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; " +
		"form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
	"X-Content-Type-Options": "nosniff",
	"Referrer-Policy":        "same-origin",
}

func TestHeadersOfEveryPage(t *testing.T) {
	t.Parallel()
	r := start(t, simulator.Config{})
	id := r.authorize(t)
	for _, path := range []string{"/", "/panel/", "/panel/x", "/panel/payments/" + id, "/panel/assets/panel.js", "/control/v1/payments", "/control/x"} {
		_, _, header := call(t, "GET", r.URL+path, "")
		for name, want := range headersOfAPage {
			require.Equal(t, want, header.Get(name), path)
		}
	}
}

func TestOtherWebSitesAreKeptOut(t *testing.T) {
	t.Parallel()
	r := start(t, simulator.Config{})
	own := strings.TrimPrefix(r.URL, "http://")
	form := []string{"Content-Type", "application/x-www-form-urlencoded"}
	tests := map[string]struct {
		method, path, body string
		header             []string
		status             int
	}{
		"a form from elsewhere":        {"POST", "/panel/payments", "amount=1", append(form, "Origin", "https://evil.example"), 403},
		"as the browser tells it":      {"POST", "/panel/payments", "amount=1", append(form, "Sec-Fetch-Site", "cross-site"), 403},
		"from another port":            {"POST", "/panel/payments", "amount=1", append(form, "Sec-Fetch-Site", "same-site"), 403},
		"from nowhere":                 {"POST", "/panel/payments", "amount=1", append(form, "Origin", "null"), 403},
		"a script":                     {"POST", "/control/v1/payments", `{"amount":1}`, []string{"Content-Type", jsonType, "Origin", "https://evil.example"}, 403},
		"a deletion":                   {"DELETE", "/control/v1/faults", "", []string{"Origin", "https://evil.example"}, 403},
		"a name that points here":      {"GET", "/control/v1/payments", "", []string{"Host", "evil.example"}, 403},
		"with the port":                {"GET", "/panel/", "", []string{"Host", "evil.example:8080"}, 403},
		"like a loopback":              {"GET", "/panel/", "", []string{"Host", "127.0.0.1.evil.example"}, 403},
		"an address of another net":    {"GET", "/panel/", "", []string{"Host", "192.0.2.1"}, 403},
		"its own form":                 {"POST", "/panel/payments", "amount=1", append(form, "Origin", r.URL, "Sec-Fetch-Site", "same-origin"), 303},
		"no browser":                   {"POST", "/panel/payments", "amount=1", form, 303},
		"localhost":                    {"GET", "/panel/", "", []string{"Host", "localhost:1"}, 200},
		"IPv6":                         {"GET", "/panel/", "", []string{"Host", "[::1]:1"}, 200},
		"its own name":                 {"GET", "/panel/", "", []string{"Host", own}, 200},
		"the gateway is not as strict": {"POST", "/gateway/gateway.aspx", "aid=1", append(form, "Host", "credit.j-payment.co.jp"), 200},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			status, body, _ := call(t, test.method, r.URL+test.path, test.body, test.header...)
			require.Equal(t, test.status, status, body)
			if test.status == http.StatusForbidden && strings.HasPrefix(test.path, "/control/") {
				require.Contains(t, body, `{"error":`)
			}
		})
	}
	require.Len(t, r.control(t, "GET", "/payments", "", http.StatusOK)["payments"], 2)
}

func TestTokenBeyondTheLoopback(t *testing.T) {
	t.Parallel()
	_, err := simulator.Open(t.Context(), simulator.Config{Listen: "0.0.0.0:0"})
	require.ErrorContains(t, err, "needs a control token")

	r := start(t, simulator.Config{Listen: "0.0.0.0:0", Token: "秘密 token of the test"})
	require.Contains(t, r.URL, "http://127.0.0.1:")
	for _, path := range []string{"/panel/", "/control/v1/payments", "/panel/assets/panel.css"} {
		status, _, header := call(t, "GET", r.URL+path, "")
		require.Equal(t, http.StatusUnauthorized, status)
		require.Contains(t, header.Get("WWW-Authenticate"), "Basic")
		status, _, _ = call(t, "GET", r.URL+path, "", "Authorization", "Bearer wrong")
		require.Equal(t, http.StatusUnauthorized, status)
		status, _, _ = call(t, "GET", r.URL+path, "", "Authorization", "Bearer 秘密 token of the test", "Host", "simulator.example")
		require.Equal(t, http.StatusOK, status)
	}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, r.URL+"/panel/", nil)
	require.NoError(t, err)
	req.SetBasicAuth("anyone", "秘密 token of the test")
	resp, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	_ = resp.Body.Close()
	require.Equal(t, http.StatusOK, resp.StatusCode)

	status, _, _ := call(t, "POST", r.URL+"/gateway/gateway.aspx", "aid=1", "Content-Type", "application/x-www-form-urlencoded")
	require.Equal(t, http.StatusOK, status, "the gateway's own pages know no token")
}

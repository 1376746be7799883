package jpayment_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/jpayment-go/jpayment"
	"github.com/jpayment-go/jpayment/internal/privacytest"
)

// canary is planted in every place that can hold private data.
const canary = "canary"

// requireNoCanary asserts that no way of printing, logging or marshalling a value shows a
// canary.
func requireNoCanary(t *testing.T, v any) {
	t.Helper()
	require.Empty(t, privacytest.Leaks(v, []string{canary, "0312345678"}))
}

func privateRequest() jpayment.ReAuthRequest {
	return jpayment.ReAuthRequest{
		PaymentID: "10000001", Amount: 900, Tax: 72, Shipping: 500,
		Email: jpayment.NewSecret(canary + "@example.jp"), Phone: jpayment.NewSecret("0312345678"), Extra: jpayment.NewExtra(map[string]string{"note": canary}),
	}
}

// privateRow is a reply with a canary in each private column. That includes ap, the card
// company's authorisation code.
const privateRow = "10000002,1,canary,,20000002,o-1,900,72,500,1472,canary,canary,note=canary"

func TestPrivateDataIsNotShown(t *testing.T) {
	t.Parallel()
	res, err := jpayment.ParseReply([]byte(privateRow))
	require.NoError(t, err)
	require.Equal(t, canary, res.IssuedPassword.Reveal())
	require.Equal(t, canary, res.IssuedID.Reveal())
	require.Equal(t, canary, res.Extra.Get("note"))
	client := newClient(t, jpayment.WithConnectionAuth(canary))
	req := privateRequest()
	for _, v := range []any{
		res, *res, res.Extra, res.IssuedPassword,
		struct{ secret jpayment.Secret }{res.IssuedPassword},
		client,
		req, &req, req.Extra,
		jpayment.SalesRequest{PaymentID: "1", Extra: req.Extra},
		jpayment.CancelRequest{PaymentID: "1", Extra: req.Extra},
	} {
		requireNoCanary(t, v)
	}
	require.NotContains(t, fmt.Sprintf("%v %+v %#v", req, req, req), req.Phone.Reveal())
	require.Equal(t, "SalesRequest{payment_id:1 extra:1 keys}", fmt.Sprint(jpayment.SalesRequest{PaymentID: "1", Extra: req.Extra}))
	require.Equal(t, "ReAuthRequest{payment_id:10000001 amount:900 tax:72 shipping:500 extra:1 keys}", fmt.Sprintf("%+v", req))
	require.Equal(t, "Client{store_id:123456 url:https://credit.j-payment.co.jp/gateway/gateway.aspx}", fmt.Sprint(client))

	b, err := json.Marshal(res.IssuedPassword)
	require.NoError(t, err)
	require.Equal(t, `"[redacted]"`, string(b))
	require.Equal(t, "[redacted]", fmt.Sprint(res.IssuedPassword))
	require.Empty(t, jpayment.Secret{}.Reveal()+fmt.Sprint(jpayment.Secret{}))
}

// This test lets a call fail in every way, with canaries in every request and reply.
func TestPrivateDataIsNotInErrors(t *testing.T) {
	t.Parallel()
	leaky := errors.New("request was: note=" + canary)
	served := func(h http.HandlerFunc) func(*testing.T) []jpayment.Option {
		return func(t *testing.T) []jpayment.Option {
			t.Helper()
			srv := httptest.NewServer(h)
			t.Cleanup(srv.Close)
			return []jpayment.Option{jpayment.WithBaseURL(srv.URL)}
		}
	}
	transport := func(rt http.RoundTripper) func(*testing.T) []jpayment.Option {
		return func(*testing.T) []jpayment.Option {
			return []jpayment.Option{jpayment.WithHTTPClient(&http.Client{Transport: rt})}
		}
	}
	for name, opts := range map[string]func(*testing.T) []jpayment.Option{
		"refusal":       served(reply("0,2,,G1242G120000,,,0,0,0,0,,,note=canary")),
		"wrong amounts": served(reply(strings.Replace(privateRow, "900", "901", 1))),
		"bad row":       served(reply("canary" + privateRow)),
		"bad column":    served(reply(strings.Replace(privateRow, "500", "canary", 1))),
		"bad code":      served(reply("ER:canary?")),
		"page":          served(reply("<html>canary</html>")),
		"status":        served(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(500); io.WriteString(w, canary) }),
		"redirect": served(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Location", "http://canary/")
			w.WriteHeader(302)
		}),
		"cut short": served(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "999")
			io.WriteString(w, canary)
		}),
		"hang up": served(hangUp),
		"malformed": served(func(w http.ResponseWriter, _ *http.Request) {
			conn, _, err := http.NewResponseController(w).Hijack()
			if err == nil {
				io.WriteString(conn, "canary\r\n\r\n")
				conn.Close()
			}
		}),
		"transport of the merchant's": transport(roundTrip(func(r *http.Request) (*http.Response, error) { return nil, leaky })),
		"error that is a text":        transport(roundTrip(func(r *http.Request) (*http.Response, error) { return nil, textError(canary) })),
		"transport that shows the body": transport(roundTrip(func(r *http.Request) (*http.Response, error) {
			b, _ := io.ReadAll(r.Body)
			return nil, fmt.Errorf("%s: %w", b, &net.OpError{Op: "read", Net: "tcp", Err: fmt.Errorf("%s", b)})
		})),
		"proxy with a password": transport(&http.Transport{Proxy: func(*http.Request) (*url.URL, error) {
			return nil, fmt.Errorf("invalid proxy address %q", "http://u:canary@proxy")
		}}),
		"proxy refuses": func(t *testing.T) []jpayment.Option {
			t.Helper()
			proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { http.Error(w, canary, http.StatusForbidden) }))
			t.Cleanup(proxy.Close)
			u, err := url.Parse(proxy.URL)
			require.NoError(t, err)
			u.User = url.UserPassword("u", canary)
			return transport(&http.Transport{Proxy: http.ProxyURL(u)})(t)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var logs bytes.Buffer
			c := newClient(t, append(opts(t),
				jpayment.WithConnectionAuth(canary),
				jpayment.WithLogger(slog.New(slog.NewJSONHandler(&logs, &slog.HandlerOptions{Level: slog.LevelDebug}))),
				jpayment.WithRetry(jpayment.RetryPolicy{MaxAttempts: 1}))...)
			req := privateRequest()
			_, err := c.ReAuth(t.Context(), req)
			require.Error(t, err)
			requireNoCanary(t, err)
			requireNoCanary(t, fmt.Errorf("ship: %w", err))
			require.NotContains(t, err.Error(), req.Phone.Reveal())
			require.NotContains(t, err.Error(), "\n")
			require.Contains(t, logs.String(), "ReAuth")
			require.NotContains(t, logs.String(), canary)
		})
	}
	t.Run("validation", func(t *testing.T) {
		t.Parallel()
		c := newClient(t, jpayment.WithCharset(jpayment.ShiftJIS))
		_, err := c.ReAuth(context.Background(), jpayment.ReAuthRequest{
			PaymentID: canary, Amount: -1, Email: jpayment.NewSecret(canary), Phone: jpayment.NewSecret(canary), Extra: jpayment.NewExtra(map[string]string{"k": canary + "\xff", "l": canary + "😀", "m": strings.Repeat(canary, 200)}),
		})
		require.Error(t, err)
		requireNoCanary(t, err)
	})
}

type textError string

func (e textError) Error() string { return string(e) }

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

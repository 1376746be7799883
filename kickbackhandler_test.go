package jpayment_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/jpayment-go/jpayment"
	"github.com/jpayment-go/jpayment/internal/token"
)

// received collects the kickbacks that a handler passes to its callback.
type received struct {
	mu  sync.Mutex
	got []*jpayment.UnverifiedKickback
	err error
}

func (r *received) callback(_ context.Context, k *jpayment.UnverifiedKickback) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.got = append(r.got, k)
	return r.err
}

func newHandler(t *testing.T, callback func(context.Context, *jpayment.UnverifiedKickback) error, opts ...jpayment.KickbackOption) *jpayment.KickbackHandler {
	t.Helper()
	h, err := jpayment.NewUnverifiedKickbackHandler(callback, opts...)
	require.NoError(t, err)
	return h
}

func newProvingHandler(t *testing.T, v *jpayment.KickbackVerifier, callback func(context.Context, *jpayment.Kickback) error, opts ...jpayment.KickbackOption) *jpayment.KickbackHandler {
	t.Helper()
	h, err := jpayment.NewKickbackHandler(v, callback, opts...)
	require.NoError(t, err)
	return h
}

// fresh returns a signed kickback for a request that was just sent.
func fresh() string {
	c := claims
	c.At = time.Now()
	return signed(c, key)
}

func get(query string) *http.Request {
	return request(http.MethodGet, "/kickback?"+query, "")
}

func request(method, target, body string) *http.Request {
	return httptest.NewRequestWithContext(context.Background(), method, target, strings.NewReader(body))
}

func TestKickbackHandlerAnswers(t *testing.T) {
	t.Parallel()
	const good = "gid=7&rst=1"
	calls := func() int { return 0 }
	fine := func() error { return nil }
	form := request(http.MethodPost, "/kickback", good)
	both := request(http.MethodPost, "/kickback?gid=7", "rst=1")
	stale := claims
	stale.At = time.Now().Add(-24*time.Hour - 6*time.Minute)
	verify := newVerifier(t, 0, key, oldKey)
	for name, tt := range map[string]struct {
		request  *http.Request
		callback func() error
		verifier *jpayment.KickbackVerifier // nil: a handler that proves nothing
		status   int
		allow    string
	}{
		"taken":                {get(good), fine, nil, 200, ""},
		"taken from a form":    {form, fine, nil, 200, ""},
		"from both":            {both, fine, nil, 200, ""},
		"signed":               {get(fresh()), fine, verify, 200, ""},
		"not signed":           {get(good), fine, verify, 403, ""},
		"forged":               {get(signed(token.Claims{At: time.Now()}, []byte("not the key"))), fine, verify, 403, ""},
		"stale":                {get(signed(stale, key)), fine, verify, 403, ""},
		"stale, but allowed":   {get(signed(stale, key)), fine, newVerifier(t, 48*time.Hour, key), 200, ""},
		"not a kickback":       {get("x=1"), fine, nil, 400, ""},
		"nothing":              {request(http.MethodGet, "/kickback", ""), fine, nil, 400, ""},
		"a JSON body":          {request(http.MethodPost, "/", `{"gid":7}`), fine, nil, 400, ""},
		"HEAD":                 {request(http.MethodHead, "/kickback?"+good, ""), fine, nil, 405, "GET, POST"},
		"PUT":                  {request(http.MethodPut, "/kickback?"+good, ""), fine, nil, 405, "GET, POST"},
		"a query of 16 KiB":    {get(good + "&x=" + strings.Repeat("a", 16<<10-len(good)-3)), fine, nil, 200, ""},
		"a form of 16 KiB":     {request(http.MethodPost, "/", good+"&x="+strings.Repeat("a", 16<<10-len(good)-3)), fine, nil, 200, ""},
		"query too long":       {get(good + "&x=" + strings.Repeat("a", 16<<10)), fine, nil, 414, ""},
		"form too long":        {request(http.MethodPost, "/", good+"&x="+strings.Repeat("a", 16<<10)), fine, nil, 413, ""},
		"together too long":    {request(http.MethodPost, "/?x="+strings.Repeat("a", 9<<10), good+"&y="+strings.Repeat("a", 9<<10)), fine, nil, 400, ""},
		"error":                {get(good), func() error { return errors.New("no") }, nil, 500, ""},
		"panic":                {get(good), func() error { panic("no") }, nil, 500, ""},
		"panic of the runtime": {get(good), func() error { return []error{}[calls()] }, nil, 500, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			calls := 0
			called := func() error {
				calls++
				return tt.callback()
			}
			h := newHandler(t, func(context.Context, *jpayment.UnverifiedKickback) error { return called() })
			if tt.verifier != nil {
				h = newProvingHandler(t, tt.verifier, func(context.Context, *jpayment.Kickback) error { return called() })
			}
			rec := httptest.NewRecorder()
			h.ServeHTTP(rec, tt.request)
			require.Equal(t, tt.status, rec.Code)
			require.Equal(t, tt.allow, rec.Header().Get("Allow"))
			if tt.status == 200 {
				require.Equal(t, "OK", rec.Body.String())
				require.Equal(t, "text/plain; charset=utf-8", rec.Header().Get("Content-Type"))
				require.Equal(t, "2", rec.Header().Get("Content-Length"))
			} else {
				require.Empty(t, rec.Body.String(), "a body would count as delivered")
				require.Equal(t, "0", rec.Header().Get("Content-Length"))
			}
			require.Equal(t, tt.status == 200 || tt.status == 500, calls == 1)
		})
	}
}

func TestKickbackHandlerHandsOverTheRequest(t *testing.T) {
	t.Parallel()
	var got []*jpayment.Kickback
	h := newProvingHandler(t, newVerifier(t, 0, key), func(_ context.Context, k *jpayment.Kickback) error {
		got = append(got, k)
		return nil
	})
	h.ServeHTTP(httptest.NewRecorder(), get(fresh()))
	require.Len(t, got, 1)
	require.Equal(t, "10000002", got[0].PaymentID)
	require.Equal(t, "10000001", got[0].Request.PaymentID)
}

func TestKickbackHandlerLetsAbortsThrough(t *testing.T) {
	t.Parallel()
	h := newHandler(t, func(context.Context, *jpayment.UnverifiedKickback) error { panic(http.ErrAbortHandler) })
	require.PanicsWithValue(t, http.ErrAbortHandler, func() { h.ServeHTTP(httptest.NewRecorder(), get("gid=7&rst=1")) })
}

func TestKickbackHandlerValidates(t *testing.T) {
	t.Parallel()
	_, err := jpayment.NewKickbackHandler(nil, nil,
		jpayment.KickbackAllowFrom(), jpayment.KickbackTrustProxy(netip.MustParsePrefix("10.0.0.0/8"), netip.Prefix{}), jpayment.KickbackLogger(nil))
	requireFaults(t, err, "verifier is nil", "callback is nil",
		"KickbackAllowFrom has no prefixes", "KickbackTrustProxy has an invalid prefix at position 2", "KickbackLogger is nil")
	_, err = jpayment.NewUnverifiedKickbackHandler(nil)
	requireFaults(t, err, "callback is nil")
}

func TestKickbackSource(t *testing.T) {
	t.Parallel()
	const gateway, other, proxy, inner = "54.95.223.30", "198.51.100.9", "10.0.0.1", "10.0.0.2"
	for name, tt := range map[string]struct {
		remote  string
		headers []string // name, value, …
		allowed bool
	}{
		"the gateway":                      {gateway + ":1", nil, true},
		"the gateway, mapped":              {"[::ffff:" + gateway + "]:1", nil, true},
		"somebody":                         {other + ":1", nil, false},
		"IPv6 gateway":                     {"[2001:db8::1]:1", nil, true},
		"no address":                       {"@", nil, false},
		"spoofed from outside":             {other + ":1", []string{"X-Forwarded-For", gateway, "Forwarded", "for=" + gateway}, false},
		"the gateway with a header":        {gateway + ":1", []string{"X-Forwarded-For", other}, true},
		"through the proxy":                {proxy + ":1", []string{"X-Forwarded-For", gateway}, true},
		"through the proxy, mapped":        {"[::ffff:" + proxy + "]:1", []string{"X-Forwarded-For", "::ffff:" + gateway}, true},
		"through the proxy, with port":     {proxy + ":1", []string{"X-Forwarded-For", gateway + ":4711"}, true},
		"through both proxies":             {proxy + ":1", []string{"X-Forwarded-For", gateway + ", " + inner}, true},
		"two lines":                        {proxy + ":1", []string{"X-Forwarded-For", gateway, "X-Forwarded-For", inner}, true},
		"somebody through the proxy":       {proxy + ":1", []string{"X-Forwarded-For", other}, false},
		"spoofed through the proxy":        {proxy + ":1", []string{"X-Forwarded-For", gateway + ", " + other}, false},
		"spoofed in a line of its own":     {proxy + ":1", []string{"X-Forwarded-For", gateway, "X-Forwarded-For", other}, false},
		"the proxy reports nobody":         {proxy + ":1", nil, false},
		"the proxy reports nonsense":       {proxy + ":1", []string{"X-Forwarded-For", gateway + ", unknown"}, false},
		"nonsense before the gateway":      {proxy + ":1", []string{"X-Forwarded-For", "unknown, " + gateway}, true},
		"only proxies":                     {proxy + ":1", []string{"X-Forwarded-For", inner}, false},
		"a proxy that is not trusted":      {"10.9.0.1:1", []string{"X-Forwarded-For", gateway}, false},
		"Forwarded":                        {proxy + ":1", []string{"Forwarded", "for=" + gateway + ";proto=https"}, true},
		"Forwarded, case and spaces":       {proxy + ":1", []string{"Forwarded", "proto=https; For=\"" + gateway + ":99\" , for=" + inner}, true},
		"Forwarded, IPv6":                  {proxy + ":1", []string{"Forwarded", `for="[2001:db8::1]:99"`}, true},
		"Forwarded, IPv6 without a port":   {proxy + ":1", []string{"Forwarded", `for="[2001:db8::1]"`}, true},
		"Forwarded, hidden":                {proxy + ":1", []string{"Forwarded", "for=_hidden"}, false},
		"Forwarded without for":            {proxy + ":1", []string{"Forwarded", "for=" + gateway + ", proto=https"}, false},
		"spoofed Forwarded":                {proxy + ":1", []string{"Forwarded", "for=" + gateway + ", for=" + other}, false},
		"both agree":                       {proxy + ":1", []string{"X-Forwarded-For", gateway, "Forwarded", "for=" + gateway}, true},
		"the client wrote Forwarded":       {proxy + ":1", []string{"X-Forwarded-For", other, "Forwarded", "for=" + gateway}, false},
		"the client wrote X-Forwarded-For": {proxy + ":1", []string{"X-Forwarded-For", gateway, "Forwarded", "for=" + other}, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var r received
			h := newHandler(t, r.callback,
				jpayment.KickbackAllowFrom(netip.MustParsePrefix(gateway+"/32"), netip.MustParsePrefix("::ffff:54.168.57.171/128"), netip.MustParsePrefix("2001:db8::/64")),
				jpayment.KickbackTrustProxy(netip.MustParsePrefix("10.0.0.0/24")))
			req := get("gid=7&rst=1")
			req.RemoteAddr = tt.remote
			for i := 0; i < len(tt.headers); i += 2 {
				req.Header.Add(tt.headers[i], tt.headers[i+1])
			}
			rec := httptest.NewRecorder()
			h.ServeHTTP(rec, req)
			if tt.allowed {
				require.Equal(t, 200, rec.Code)
				require.Len(t, r.got, 1)
			} else {
				require.Equal(t, 403, rec.Code)
				require.Empty(t, rec.Body.String())
				require.Empty(t, r.got)
			}
		})
	}
	// A prefix in IPv4-mapped form means the IPv4 addresses.
	h := newHandler(t, (&received{}).callback, jpayment.KickbackAllowFrom(netip.MustParsePrefix("::ffff:54.168.57.0/120")))
	req, rec := get("gid=7&rst=1"), httptest.NewRecorder()
	req.RemoteAddr = "54.168.57.171:1"
	h.ServeHTTP(rec, req)
	require.Equal(t, 200, rec.Code)
}

func TestKickbackContextEndsWithTheRequest(t *testing.T) {
	t.Parallel()
	entered, ended := make(chan struct{}), make(chan error)
	h := newHandler(t, func(ctx context.Context, _ *jpayment.UnverifiedKickback) error {
		close(entered)
		<-ctx.Done()
		ended <- ctx.Err()
		return ctx.Err()
	})
	srv := httptest.NewServer(h)
	t.Cleanup(srv.Close)
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		<-entered
		cancel()
	}()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, srv.URL+"?gid=7&rst=1", nil)
	require.NoError(t, err)
	_, err = srv.Client().Do(req) //nolint:bodyclose // There is no response.
	require.ErrorIs(t, err, context.Canceled)
	require.ErrorIs(t, <-ended, context.Canceled)
}

func TestKickbackLogger(t *testing.T) {
	t.Parallel()
	var buf bytes.Buffer
	fail := false
	h := newHandler(t, func(context.Context, *jpayment.UnverifiedKickback) error {
		if fail {
			return errors.New("insert into kickbacks: canary")
		}
		return nil
	}, jpayment.KickbackLogger(slog.New(slog.NewTextHandler(&buf, &slog.HandlerOptions{ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
		if a.Key == slog.TimeKey {
			return slog.Attr{}
		}
		return a
	}}))))
	const query = "gid=7&rst=1&ap=canary&x=canary&id=canary"
	h.ServeHTTP(httptest.NewRecorder(), get(query))
	fail = true
	h.ServeHTTP(httptest.NewRecorder(), get(query))
	h.ServeHTTP(httptest.NewRecorder(), get("gid=canary"))
	const kickback = `kickback.payment_id=7 kickback.status=succeeded kickback.code="" kickback.order_code="" kickback.order_number="" ` +
		`kickback.amount=- kickback.tax=- kickback.shipping=- kickback.total=- kickback.test_mode=false`
	require.Equal(t, strings.Join([]string{
		`level=INFO msg="jpayment: kickback taken" status=200 ` + kickback,
		`level=WARN msg="jpayment: kickback refused" status=500 ` + kickback + ` error="the callback failed with a *errors.errorString"`,
		`level=WARN msg="jpayment: kickback refused" status=400 error="jpayment: kickback: gid is not a number of half-width digits"`,
		"",
	}, "\n"), buf.String())

	buf.Reset()
	h = newProvingHandler(t, newVerifier(t, 0, key), func(context.Context, *jpayment.Kickback) error { panic("canary") },
		jpayment.KickbackLogger(slog.New(slog.NewTextHandler(&buf, nil))))
	h.ServeHTTP(httptest.NewRecorder(), get(fresh()))
	require.Contains(t, buf.String(), "the callback panicked with a string")
	require.Contains(t, buf.String(), "TestKickbackLogger", "where it panicked")
	require.NotContains(t, buf.String(), "canary")
	requireNoCanary(t, h)
	require.NotContains(t, fmt.Sprintf("%+v %#v", h, *h), string(key))
}

// Of ten thousand concurrent kickbacks a third are repetitions and a third forgeries. The
// callback keeps the first of each, as a unique key in a database would.
func TestKickbacksUnderLoad(t *testing.T) {
	t.Parallel()
	const genuine = 3334
	var (
		kept            sync.Map
		first, repeated atomic.Int32
	)
	h := newProvingHandler(t, newVerifier(t, 0, key), func(_ context.Context, k *jpayment.Kickback) error {
		if k.Request.PaymentID != "1"+k.PaymentID {
			return errors.New("a kickback that nobody asked for")
		}
		if _, loaded := kept.LoadOrStore(k.PaymentID+" "+k.Status.String(), true); loaded {
			repeated.Add(1)
		} else {
			first.Add(1)
		}
		return nil
	})
	srv := httptest.NewServer(h)
	t.Cleanup(srv.Close)
	client := srv.Client()
	client.Transport = &http.Transport{MaxIdleConnsPerHost: 64}
	t.Cleanup(client.CloseIdleConnections)

	queries := make([]string, 0, 3*genuine)
	for i := range genuine {
		id := fmt.Sprint(20000000 + i)
		c := claims
		c.PaymentID, c.At = "1"+id, time.Now()
		amounts := "&am=900&tx=72&sf=500&ta=1472"
		kickback := "gid=" + id + "&rst=1" + amounts + "&jpk=" + token.Sign(key, c)
		forged := []string{
			"gid=" + id + "9&rst=1" + amounts,
			"gid=" + id + "&rst=1" + amounts + "&jpk=" + token.Sign(oldKey, c),
			strings.Replace(kickback, "am=900&tx=72&sf=500&ta=1472", "am=90000&tx=72&sf=500&ta=90572", 1),
		}[i%3]
		queries = append(queries, kickback, kickback, forged)
	}
	var taken, refused atomic.Int32
	work := make(chan string)
	var wg sync.WaitGroup
	for range 64 {
		wg.Go(func() {
			for q := range work {
				req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, srv.URL+"/?"+q, nil)
				if err != nil {
					t.Error(err)
					continue
				}
				resp, err := client.Do(req)
				if err != nil {
					t.Error(err)
					continue
				}
				body, err := io.ReadAll(resp.Body)
				resp.Body.Close()
				switch {
				case err == nil && resp.StatusCode == 200 && string(body) == "OK":
					taken.Add(1)
				case err == nil && resp.StatusCode == 403 && len(body) == 0:
					refused.Add(1)
				default:
					t.Error(resp.Status, string(body), err)
				}
			}
		})
	}
	for _, q := range queries {
		work <- q
	}
	close(work)
	wg.Wait()
	require.Equal(t, []int32{genuine, genuine, 2 * genuine, genuine}, []int32{first.Load(), repeated.Load(), taken.Load(), refused.Load()})
}

func FuzzKickbackHandler(f *testing.F) {
	f.Add(vendorKickback, "", "", true)
	f.Add("", vendorKickback, "198.51.100.9", false)
	f.Add(signed(claims, key), "", `for="[2001:db8::1]:1"`, true)
	f.Fuzz(func(t *testing.T, query, body, via string, get bool) {
		calls := 0
		h := newHandler(t, func(context.Context, *jpayment.UnverifiedKickback) error { calls++; return nil },
			jpayment.KickbackTrustProxy(netip.MustParsePrefix("192.0.2.0/24")), jpayment.KickbackAllowFrom(netip.MustParsePrefix("198.51.100.0/24")))
		req := request(http.MethodPost, "/", body)
		if get {
			req.Method = http.MethodGet
		}
		req.URL.RawQuery = query
		req.Header.Set("X-Forwarded-For", via)
		rec := httptest.NewRecorder()
		h.ServeHTTP(rec, req)
		require.Equal(t, rec.Code == 200, rec.Body.Len() > 0, "a body if and only if it was taken")
		require.Equal(t, rec.Code == 200, calls == 1)
	})
}

func ExampleKickbackHandler() {
	verifier, err := jpayment.NewKickbackVerifier("123456", 0, key)
	if err != nil {
		fmt.Println(err)
		return
	}
	handler, err := jpayment.NewKickbackHandler(verifier, func(_ context.Context, k *jpayment.Kickback) error {
		fmt.Println("payment", k.Request.PaymentID, "is replaced by", k.PaymentID, k.Status, k.Total, "yen")
		return nil // after it is stored
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	mux := http.NewServeMux()
	mux.Handle("/kickback", handler)

	for _, query := range []string{fresh(), "gid=10000002&rst=1&am=900&tx=72&sf=500&ta=1472"} {
		rec := httptest.NewRecorder()
		mux.ServeHTTP(rec, get(query))
		fmt.Printf("%d %q\n", rec.Code, rec.Body)
	}
	// Output:
	// payment 10000001 is replaced by 10000002 succeeded 1472 yen
	// 200 "OK"
	// 403 ""
}

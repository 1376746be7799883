package simulator_test

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/jpayment-go/jpayment"
	"github.com/jpayment-go/jpayment/cmd/jpayment/internal/simulator"
)

// running is a running simulator.
type running struct {
	URL  string
	stop context.CancelFunc
	end  chan error
}

// start runs a simulator until the end of the test, or until stopped.
func start(t *testing.T, config simulator.Config) *running {
	t.Helper()
	if config.Listen == "" {
		config.Listen = "127.0.0.1:0"
	}
	config.Log = slog.New(slog.NewTextHandler(t.Output(), nil))
	s, err := simulator.Open(t.Context(), config)
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(context.Background())
	r := &running{URL: s.URL(), stop: cancel, end: make(chan error, 1)}
	go func() { r.end <- s.Run(ctx); close(r.end) }()
	t.Cleanup(func() {
		cancel()
		for err := range r.end {
			require.NoError(t, err)
		}
	})
	return r
}

// stopped stops the simulator and waits for it to end.
func (r *running) stopped(t *testing.T) {
	t.Helper()
	r.stop()
	require.NoError(t, <-r.end)
}

// call sends a request and returns the status and the body.
func call(t *testing.T, method, url, body string, header ...string) (int, string, http.Header) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	require.NoError(t, err)
	for i := 0; i < len(header); i += 2 {
		if header[i] == "Host" {
			r.Host = header[i+1]
			continue
		}
		r.Header.Set(header[i], header[i+1])
	}
	client := http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	resp, err := client.Do(r)
	require.NoError(t, err)
	defer func() { _ = resp.Body.Close() }()
	answer, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	return resp.StatusCode, string(answer), resp.Header
}

const jsonType = "application/json"

// control calls the API and decodes the answer.
func (r *running) control(t *testing.T, method, path, body string, status int) map[string]any {
	t.Helper()
	got, answer, header := call(t, method, r.URL+"/control/v1"+path, body, "Content-Type", jsonType)
	require.Equal(t, status, got, answer)
	require.Equal(t, "application/json; charset=utf-8", header.Get("Content-Type"))
	var decoded map[string]any
	require.NoError(t, json.Unmarshal([]byte(answer), &decoded), answer)
	return decoded
}

func (r *running) authorize(t *testing.T) (paymentID string) {
	t.Helper()
	return r.control(t, "POST", "/payments", `{"amount":1000,"tax":80,"shipping":500,"order_number":"A-17"}`, http.StatusCreated)["payment_id"].(string)
}

func (r *running) client(t *testing.T) *jpayment.Client {
	t.Helper()
	c, err := jpayment.NewClient("123456", jpayment.WithBaseURL(r.URL))
	require.NoError(t, err)
	return c
}

// postForm posts from a goroutine that may outlive the server.
func postForm(target string, form url.Values) (*http.Response, error) {
	r, err := http.NewRequestWithContext(context.Background(), http.MethodPost, target, strings.NewReader(form.Encode()))
	if err != nil {
		return nil, err
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return http.DefaultClient.Do(r)
}

// receiver is a store's page for kickbacks. It keeps the queries and answers with a body.
func receiver(t *testing.T, body string) (pageURL string, queries <-chan string) {
	t.Helper()
	received := make(chan string, 100)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		received <- r.URL.RawQuery
		_, _ = io.WriteString(w, body)
	}))
	t.Cleanup(s.Close)
	return s.URL + "/kickback", received
}

// next returns the next query that a receiver got. It waits up to a minute, so that a failing
// test ends.
func next(t *testing.T, queries <-chan string) string {
	t.Helper()
	select {
	case query := <-queries:
		return query
	case <-time.After(time.Minute):
		t.Fatal("no kickback came")
		return ""
	}
}

func TestGatewayAndItsPages(t *testing.T) {
	t.Parallel()
	r := start(t, simulator.Config{})
	id := r.authorize(t)
	result, err := r.client(t).Sales(t.Context(), jpayment.SalesRequest{PaymentID: id})
	require.NoError(t, err)
	require.Equal(t, id, result.PaymentID)
	require.Equal(t, "captured", r.control(t, "GET", "/payments/"+id, "", http.StatusOK)["state"])

	status, _, header := call(t, "GET", r.URL+"/", "")
	require.Equal(t, http.StatusSeeOther, status)
	require.Equal(t, "/panel/", header.Get("Location"))

	// A request with a wrong path appears in the list.
	status, _, _ = call(t, "POST", r.URL+"//Gateway/gateway.aspx", "aid=1", "Content-Type", "application/x-www-form-urlencoded")
	require.Equal(t, http.StatusNotFound, status)
	require.Equal(t, "//Gateway/gateway.aspx", r.control(t, "GET", "/requests/2", "", http.StatusOK)["path"])
	call(t, "GET", r.URL+"/favicon.ico", "")
	require.Len(t, r.control(t, "GET", "/requests", "", http.StatusOK)["requests"], 2)
}

func TestAnotherStore(t *testing.T) {
	t.Parallel()
	r := start(t, simulator.Config{StoreID: "000001"})
	require.Equal(t, "000001", r.control(t, "GET", "/settings", "", http.StatusOK)["store_id"])
	_, err := simulator.Open(t.Context(), simulator.Config{Listen: "127.0.0.1:0", StoreID: "１２３４５６"})
	require.ErrorContains(t, err, "six digits")
}

// Run ends even if a browser listens for changes and a request hangs.
func TestStopWhileOthersWait(t *testing.T) {
	t.Parallel()
	r := start(t, simulator.Config{})
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, r.URL+"/panel/events", nil)
	require.NoError(t, err)
	stream, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	defer func() { _ = stream.Body.Close() }()
	first := make([]byte, len("data: changed\n\n"))
	_, err = io.ReadFull(stream.Body, first)
	require.NoError(t, err)
	require.Equal(t, "data: changed\n\n", string(first))

	r.control(t, "POST", "/faults", `{"kind":"hang-before-booking"}`, http.StatusCreated)
	hung := make(chan error, 1)
	go func() {
		resp, err := postForm(r.URL+"/gateway/gateway.aspx", url.Values{})
		if err == nil {
			_ = resp.Body.Close()
		}
		hung <- err
	}()
	_, err = io.ReadFull(stream.Body, first) // the fault, or the request after it
	require.NoError(t, err)
	r.stopped(t)
	require.Error(t, <-hung)
	_, err = io.Copy(io.Discard, stream.Body)
	_ = err // in any case, Copy has returned
}

func TestPortInUse(t *testing.T) {
	t.Parallel()
	r := start(t, simulator.Config{})
	u, err := url.Parse(r.URL)
	require.NoError(t, err)
	_, err = simulator.Open(t.Context(), simulator.Config{Listen: u.Host})
	require.ErrorContains(t, err, "address already in use")
}

func statePath(t *testing.T) string {
	t.Helper()
	// A path with every character that has a meaning in a URL.
	return filepath.Join(t.TempDir(), "状態 100%?a=b#c&d.db")
}

func TestAnnounce(t *testing.T) {
	t.Parallel()
	path := statePath(t)
	s, err := simulator.Open(t.Context(), simulator.Config{Listen: "127.0.0.1:0", State: path})
	require.NoError(t, err)
	for language, want := range map[string]string{"en": "Press Ctrl-C to stop.", "ja": "Ctrl-C で終了します。"} {
		var said strings.Builder
		require.NoError(t, s.Announce(&said, language))
		for _, want := range []string{
			want, `jpayment.NewClient("123456", jpayment.WithBaseURL("` + s.URL() + `"))`,
			s.URL() + "/gateway/gateway.aspx", s.URL() + "/gateway/re_auth.aspx", s.URL() + "/panel/\n", s.URL() + "/control/v1/\n", path,
		} {
			require.Contains(t, said.String(), want)
		}
		require.NotContains(t, said.String(), "%!")
	}
	require.NoError(t, s.Close())
	start(t, simulator.Config{State: path}).stopped(t) // file and port are free again

	s, err = simulator.Open(t.Context(), simulator.Config{
		Listen: "127.0.0.1:0", ConnectionAuth: "secret", Set: []simulator.Setting{{"columns", "14"}},
	})
	require.NoError(t, err)
	var said strings.Builder
	require.NoError(t, s.Announce(&said, "en"))
	require.Contains(t, said.String(), "JPAYMENT_CONNECTION_AUTH")
	require.Contains(t, said.String(), "1 differ from the assumptions")
	require.NotContains(t, said.String(), "secret")
	require.NoError(t, s.Close())
}

package jpayment_test

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/jpayment-go/jpayment"
)

// serveKickbacks serves a handler and returns its address.
func serveKickbacks(t *testing.T, h http.Handler) string {
	t.Helper()
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(context.Background())
	served := make(chan error, 1)
	go func() { served <- jpayment.ServeKickbacks(ctx, l, h) }()
	t.Cleanup(func() {
		cancel()
		require.NoError(t, <-served)
	})
	return l.Addr().String()
}

// exchange sends bytes and returns the status and the body of the answer.
func exchange(t *testing.T, address, request string) (status int, body string) {
	t.Helper()
	conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", address)
	require.NoError(t, err)
	defer conn.Close()
	_, err = io.WriteString(conn, request)
	require.NoError(t, err)
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
	require.NoError(t, err)
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	return resp.StatusCode, string(b)
}

func TestServeKickbacks(t *testing.T) {
	t.Parallel()
	var got received
	taking := newHandler(t, got.callback)
	failing := newHandler(t, func(context.Context, *jpayment.UnverifiedKickback) error { return errors.New("no") })
	mux := http.NewServeMux()
	mux.Handle("/kickback", taking)
	mux.Handle("/failing", failing)
	mux.Handle("/slow", http.TimeoutHandler(newHandler(t, func(ctx context.Context, _ *jpayment.UnverifiedKickback) error {
		<-ctx.Done()
		return nil
	}), time.Millisecond, "too late"))
	mux.Handle("/wrapped", http.TimeoutHandler(taking, time.Minute, "too late"))
	mux.Handle("/tree/", taking)
	mux.HandleFunc("/page", func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "<html>welcome</html>") })
	mux.HandleFunc("/nothing", func(http.ResponseWriter, *http.Request) {})
	mux.HandleFunc("/panic", func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "sorry", 500) })
	address := serveKickbacks(t, mux)
	const query = "?gid=10000001&rst=1&am=1000&tx=80&sf=500&ta=1580"
	for name, tt := range map[string]struct {
		request string
		status  int
		body    string
	}{
		"the vendor's sample, with its raw space": {"GET /kickback?" + vendorKickback + " HTTP/1.1\r\nHost: x\r\n\r\n", 200, "OK"},
		"several spaces":             {"GET /kickback" + query + "&cod=a  b &x= HTTP/1.1\r\nHost: x\r\n\r\n", 200, "OK"},
		"HTTP/1.0":                   {"GET /kickback?" + vendorKickback + " HTTP/1.0\r\n\r\n", 200, "OK"},
		"posted":                     {"POST /kickback HTTP/1.1\r\nHost: x\r\nContent-Length: 11\r\n\r\ngid=7&rst=1", 200, "OK"},
		"through a TimeoutHandler":   {"GET /wrapped" + query + " HTTP/1.1\r\nHost: x\r\n\r\n", 200, "OK"},
		"refused":                    {"GET /kickback?x=1 HTTP/1.1\r\nHost: x\r\n\r\n", 400, ""},
		"a callback that fails":      {"GET /failing" + query + " HTTP/1.1\r\nHost: x\r\n\r\n", 500, ""},
		"a handler that is too slow": {"GET /slow" + query + " HTTP/1.1\r\nHost: x\r\n\r\n", 503, ""},
		"an unknown path":            {"GET /other" + query + " HTTP/1.1\r\nHost: x\r\n\r\n", 404, ""},
		"a redirect of the mux":      {"GET /tree" + query + " HTTP/1.1\r\nHost: x\r\n\r\n", 0, ""},
		"a page":                     {"GET /page" + query + " HTTP/1.1\r\nHost: x\r\n\r\n", 200, ""},
		"nothing":                    {"GET /nothing" + query + " HTTP/1.1\r\nHost: x\r\n\r\n", 200, ""},
		"an error of a handler":      {"GET /panic" + query + " HTTP/1.1\r\nHost: x\r\n\r\n", 500, ""},
		"no HTTP":                    {"hello\r\n\r\n", 400, ""},
		"no version":                 {"GET /kickback\r\n\r\n", 400, ""},
		"no host":                    {"GET /kickback" + query + " HTTP/1.1\r\n\r\n", 400, ""},
		"a header that is too long":  {"GET /kickback" + query + " HTTP/1.1\r\nHost: x\r\nX: " + strings.Repeat("x", 64<<10) + "\r\n\r\n", 400, ""},
		"a line that is too long":    {"GET /kickback?x=" + strings.Repeat("x", 64<<10) + " HTTP/1.1\r\nHost: x\r\n\r\n", 400, ""},
		"an unknown transfer coding": {"POST /kickback HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: rot13\r\n\r\n", 400, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			status, body := exchange(t, address, tt.request)
			require.Equal(t, tt.body, body, "a body would count as delivered")
			if tt.status != 0 { // The mux's redirect is another in each Go release.
				require.Equal(t, tt.status, status)
			}
		})
	}
	// With net/http alone, the same requests show why ServeKickbacks is needed.
	t.Run("net/http alone", func(t *testing.T) {
		t.Parallel()
		l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
		require.NoError(t, err)
		server := &http.Server{Handler: mux, ReadHeaderTimeout: time.Minute}
		go func() { _ = server.Serve(l) }()
		t.Cleanup(func() { server.Close() })
		status, body := exchange(t, l.Addr().String(), "GET /kickback?"+vendorKickback+" HTTP/1.1\r\nHost: x\r\n\r\n")
		require.Equal(t, 400, status)
		require.NotEmpty(t, body)
	})
}

func TestServeKickbacksKeepsTheSpace(t *testing.T) {
	t.Parallel()
	var got received
	address := serveKickbacks(t, newHandler(t, got.callback))
	// In pieces, as a network may deliver it.
	conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", address)
	require.NoError(t, err)
	defer conn.Close()
	for _, b := range []byte("GET /?" + vendorKickback + " HTTP/1.1\r\nHost: x\r\n\r\n") {
		_, err = conn.Write([]byte{b})
		require.NoError(t, err)
	}
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
	require.NoError(t, err)
	resp.Body.Close()
	require.Equal(t, 200, resp.StatusCode)
	require.Equal(t, "test ", got.got[0].OrderNumber)
}

// ServeKickbacks waits for a running callback when the context ends.
func TestServeKickbacksEndsGracefully(t *testing.T) {
	t.Parallel()
	entered, finish := make(chan struct{}), make(chan struct{})
	h := newHandler(t, func(context.Context, *jpayment.UnverifiedKickback) error {
		close(entered)
		<-finish
		return nil
	})
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	served := make(chan error, 1)
	go func() { served <- jpayment.ServeKickbacks(ctx, l, h) }()
	go func() {
		<-entered
		cancel()
		close(finish)
	}()
	status, body := exchange(t, l.Addr().String(), "GET /?gid=7&rst=1 HTTP/1.1\r\nHost: x\r\n\r\n")
	require.Equal(t, 200, status)
	require.Equal(t, "OK", body)
	require.NoError(t, <-served)

	require.ErrorIs(t, jpayment.ServeKickbacks(t.Context(), l, h), net.ErrClosed)
}

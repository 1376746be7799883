package jpayment_test

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/jpayment-go/jpayment"
)

// once disables retries.
var once = jpayment.WithRetry(jpayment.RetryPolicy{MaxAttempts: 1})

// newTLSStub returns a stub behind TLS, and an HTTP client that trusts it.
func newTLSStub(t *testing.T, config *tls.Config, answer http.HandlerFunc) (srv *httptest.Server, trusting *http.Transport) {
	t.Helper()
	srv = httptest.NewUnstartedServer(answer)
	srv.Config.ErrorLog = log.New(io.Discard, "", 0)
	srv.TLS = config
	srv.StartTLS()
	t.Cleanup(srv.Close)
	transport, ok := srv.Client().Transport.(*http.Transport)
	require.True(t, ok)
	return srv, transport.Clone()
}

func TestNotSent(t *testing.T) {
	t.Parallel()
	mustNotServe := func(w http.ResponseWriter, r *http.Request) { t.Error("the request arrived") }
	untrusted, _ := newTLSStub(t, nil, mustNotServe)
	trusted, trusting := newTLSStub(t, nil, mustNotServe)
	_, port, err := net.SplitHostPort(trusted.Listener.Addr().String())
	require.NoError(t, err)
	old, trustingOld := newTLSStub(t, &tls.Config{MaxVersion: tls.VersionTLS11}, mustNotServe)

	// Another test may reuse a port that was just closed. So use the port of tcpmux, which
	// has been out of use for decades.
	const closed = "127.0.0.1:1"

	plain := httptest.NewServer(http.HandlerFunc(mustNotServe))
	t.Cleanup(plain.Close)

	silent, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { silent.Close() })
	garbage, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { garbage.Close() })
	go func() {
		for conn, err := garbage.Accept(); err == nil; conn, err = garbage.Accept() {
			io.WriteString(conn, "220 welcome\r\n")
		}
	}()

	refusing := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodConnect {
			t.Error("the proxy got", r.Method)
		}
		w.WriteHeader(http.StatusForbidden)
	}))
	t.Cleanup(refusing.Close)
	proxy, err := url.Parse(refusing.URL)
	require.NoError(t, err)

	unresolved := &net.Dialer{Resolver: &net.Resolver{PreferGo: true, Dial: func(context.Context, string, string) (net.Conn, error) {
		return nil, errors.New("no name server")
	}}}
	via := func(tr *http.Transport) jpayment.Option { return jpayment.WithHTTPClient(&http.Client{Transport: tr}) }
	for name, tt := range map[string]struct {
		url  string
		opts []jpayment.Option
		want string
	}{
		"refused": {"http://" + closed, nil, "dial tcp: connection refused"},
		"name not resolved": {
			"https://gateway.test",
			[]jpayment.Option{via(&http.Transport{DialContext: unresolved.DialContext})},
			"lookup gateway.test",
		},
		"certificate not trusted": {untrusted.URL, nil, "tls: failed to verify certificate: x509: certificate signed by unknown authority"},
		"certificate of another host": {
			"https://localhost:" + port,
			[]jpayment.Option{via(trusting)},
			"tls: failed to verify certificate: x509: certificate is valid for example.com, *.example.com, not localhost",
		},
		"old TLS":        {old.URL, []jpayment.Option{via(trustingOld)}, "remote error: tls: protocol version not supported"},
		"TLS to no TLS":  {"https://" + plain.Listener.Addr().String(), nil, "http: server gave HTTP response to HTTPS client"},
		"TLS to garbage": {"https://" + garbage.Addr().String(), nil, "tls: first record does not look like a TLS handshake"},
		"no handshake": {
			"https://" + silent.Addr().String(),
			[]jpayment.Option{via(&http.Transport{TLSHandshakeTimeout: time.Nanosecond})},
			"timed out",
		},
		"proxy refuses": {"https://gateway.test", []jpayment.Option{via(&http.Transport{Proxy: http.ProxyURL(proxy)})}, "error of type *errors.errorString"},
		"proxy not there": {
			"https://gateway.test",
			[]jpayment.Option{via(&http.Transport{Proxy: http.ProxyURL(&url.URL{Scheme: "http", Host: closed})})},
			"proxyconnect tcp: connection refused",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newClient(t, append(tt.opts, jpayment.WithBaseURL(tt.url), once)...)
			_, err := c.ReAuth(t.Context(), jpayment.ReAuthRequest{PaymentID: "1", Amount: 1})
			var te *jpayment.TransportError
			require.ErrorAs(t, err, &te)
			require.True(t, te.NotSent)
			require.Equal(t, jpayment.OutcomeNotSent, jpayment.OutcomeOf(err))
			require.ErrorContains(t, err, "outcome not sent: could not connect: "+tt.want)
		})
	}
}

// The default transport uses HTTPS_PROXY, and reports a proxy's refusal in more detail than
// net/http. net/http reads the environment once per process and exempts loopback addresses,
// so only one test can use the variable.
func TestDefaultTransportUsesTheProxy(t *testing.T) {
	behind, _ := newTLSStub(t, nil, func(http.ResponseWriter, *http.Request) { t.Error("the request arrived") })
	asked := make(chan string, 2)
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked <- r.Method + " " + r.RequestURI
		if r.RequestURI != "gateway.test:443" {
			w.WriteHeader(http.StatusForbidden)
			return
		}
		server, err := (&net.Dialer{}).DialContext(r.Context(), "tcp", behind.Listener.Addr().String())
		if err != nil {
			t.Error(err)
			return
		}
		defer server.Close()
		client, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		defer client.Close()
		io.WriteString(client, "HTTP/1.1 200 OK\r\n\r\n")
		go io.Copy(server, client)
		io.Copy(client, server)
	}))
	t.Cleanup(proxy.Close)
	t.Setenv("HTTPS_PROXY", proxy.URL)

	_, err := newClient(t, once).Sales(t.Context(), jpayment.SalesRequest{PaymentID: "10000001"})
	require.ErrorContains(t, err, "outcome not sent: could not connect: the proxy refused CONNECT with HTTP status 403")
	require.Equal(t, "CONNECT credit.j-payment.co.jp:443", <-asked)

	_, err = newClient(t, once, jpayment.WithBaseURL("https://gateway.test")).Sales(t.Context(), jpayment.SalesRequest{PaymentID: "10000001"})
	require.ErrorContains(t, err, "outcome not sent: could not connect: tls: failed to verify certificate")
	require.Equal(t, "CONNECT gateway.test:443", <-asked)
}

func TestContextEndsBeforeConnecting(t *testing.T) {
	t.Parallel()
	gw := newStub(t, reply(salesOK))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := gw.client(t).Sales(ctx, jpayment.SalesRequest{PaymentID: "10000001"})
	require.ErrorIs(t, err, context.Canceled)
	require.Equal(t, jpayment.OutcomeNotSent, jpayment.OutcomeOf(err))
	require.Empty(t, gw.got())
}

func TestTimeEndsWhileConnecting(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		callers time.Duration
		want    error
		text    string
	}{
		"the client's":   {2 * time.Hour, context.DeadlineExceeded, "timed out"},
		"the caller's":   {time.Second, context.DeadlineExceeded, "timed out"},
		"it was stopped": {0, context.Canceled, "the context was cancelled"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				release := make(chan struct{}) // net/http dials on after the request has gone.
				defer close(release)
				stuck := &http.Client{Transport: &http.Transport{DialContext: func(context.Context, string, string) (net.Conn, error) {
					<-release
					return nil, errors.New("released")
				}}}
				c := newClient(t, jpayment.WithHTTPClient(stuck), jpayment.WithTimeout(time.Hour), once)
				ctx, cancel := context.WithCancel(t.Context())
				if tt.callers > 0 {
					ctx, cancel = context.WithTimeout(t.Context(), tt.callers)
				} else {
					time.AfterFunc(time.Second, cancel)
				}
				defer cancel()
				_, err := c.Sales(ctx, jpayment.SalesRequest{PaymentID: "10000001"})
				require.ErrorIs(t, err, tt.want)
				require.ErrorContains(t, err, "outcome not sent: could not connect: "+tt.text)
				require.Equal(t, jpayment.OutcomeNotSent, jpayment.OutcomeOf(err))
			})
		})
	}
}

// Any failure after the first byte leaves the outcome unknown.
func TestSentButNotAnswered(t *testing.T) {
	t.Parallel()
	waiting := make(chan struct{}, 1)
	for name, tt := range map[string]struct {
		answer http.HandlerFunc
		cancel bool
		want   string
	}{
		"hang up": {hangUp, false, "the connection was closed early"},
		"reset": {func(w http.ResponseWriter, _ *http.Request) {
			conn, _, err := http.NewResponseController(w).Hijack()
			if err != nil {
				t.Error(err)
				return
			}
			if tcp, ok := conn.(*net.TCPConn); ok {
				tcp.SetLinger(0)
			}
			conn.Close()
		}, false, "read tcp: connection reset by peer"},
		"not HTTP": {func(w http.ResponseWriter, _ *http.Request) {
			conn, _, err := http.NewResponseController(w).Hijack()
			if err != nil {
				t.Error(err)
				return
			}
			io.WriteString(conn, "10000001,1,A00001\r\n\r\n")
			conn.Close()
		}, false, "error of type"},
		"stopped while waiting": {func(_ http.ResponseWriter, r *http.Request) {
			waiting <- struct{}{}
			<-r.Context().Done()
		}, true, "the context was cancelled"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			gw := newStub(t, tt.answer)
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			if tt.cancel {
				go func() { <-waiting; cancel() }()
			}
			_, err := gw.client(t).Sales(ctx, jpayment.SalesRequest{PaymentID: "10000001"})
			var te *jpayment.TransportError
			require.ErrorAs(t, err, &te)
			require.False(t, te.NotSent)
			require.Equal(t, jpayment.OutcomeUnknown, jpayment.OutcomeOf(err))
			require.ErrorContains(t, err, "outcome unknown: no reply: "+tt.want)
			require.Len(t, gw.got(), 1)
		})
	}
}

// A transport that ignores httptrace proves nothing.
func TestTransportThatDoesNotReport(t *testing.T) {
	t.Parallel()
	rt := roundTrip(func(*http.Request) (*http.Response, error) {
		return nil, &net.OpError{Op: "dial", Net: "tcp", Err: errors.New("refused")}
	})
	c := newClient(t, jpayment.WithHTTPClient(&http.Client{Transport: rt}), once)
	_, err := c.Sales(t.Context(), jpayment.SalesRequest{PaymentID: "10000001"})
	require.Equal(t, jpayment.OutcomeUnknown, jpayment.OutcomeOf(err))
}

// The context's error takes precedence, even if the transport hides it.
func TestContextErrorWins(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	rt := roundTrip(func(*http.Request) (*http.Response, error) {
		cancel()
		return nil, errors.New("something else")
	})
	c := newClient(t, jpayment.WithHTTPClient(&http.Client{Transport: rt}))
	_, err := c.Sales(ctx, jpayment.SalesRequest{PaymentID: "10000001"})
	require.ErrorIs(t, err, context.Canceled)
	require.Equal(t, jpayment.OutcomeUnknown, jpayment.OutcomeOf(err))
}

// writes counts how often a connection is written to.
type writes struct {
	net.Conn
	n *atomic.Int32
}

func (w writes) Write(b []byte) (int, error) {
	w.n.Add(1)
	return w.Conn.Write(b)
}

// Header and body are sent in one write; net/http does this only for types of body it knows.
func TestARequestIsOneWrite(t *testing.T) {
	t.Parallel()
	var n atomic.Int32
	gw := newStub(t, reply(salesOK))
	c := gw.client(t, jpayment.WithTransportWrapper(func(rt http.RoundTripper) http.RoundTripper {
		rt.(*http.Transport).DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
			conn, err := (&net.Dialer{}).DialContext(ctx, network, address)
			return writes{conn, &n}, err
		}
		return rt
	}))
	for call := range int32(3) {
		_, err := c.Sales(t.Context(), jpayment.SalesRequest{PaymentID: "10000001"})
		require.NoError(t, err)
		require.Equal(t, call+1, n.Load())
	}
}

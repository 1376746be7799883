package jpayment

import (
	"context"
	"crypto/tls"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"time"
	"unicode"
)

// Option is a setting of [NewClient]. An argument that cannot be right is a fault
// in NewClient's error.
type Option func(*settings)

// settings is a client in the making.
type settings struct {
	client   Client
	baseURL  *url.URL
	wrappers []func(http.RoundTripper) http.RoundTripper
	faults   faults
}

const (
	defaultTimeout   = 60 * time.Second
	defaultUserAgent = "jpayment-go"
	maxConnections   = 64
)

func newSettings() *settings {
	s := &settings{client: Client{
		http:      &http.Client{Transport: newTransport()},
		timeout:   defaultTimeout,
		retry:     RetryPolicy{}.withDefaults(),
		userAgent: defaultUserAgent,
	}}
	WithBaseURL(defaultBaseURL)(s)
	return s
}

func (s *settings) fault(option, reason string) { s.faults.add(option, "", reason) }

// wrapTransport does what WithTransportWrapper was asked for.
func (s *settings) wrapTransport() {
	for _, wrap := range s.wrappers {
		rt := s.client.http.Transport
		if rt == nil { // as net/http has it
			rt = http.DefaultTransport
		}
		if rt = wrap(rt); rt == nil {
			s.fault("WithTransportWrapper", "returned no transport")
			return
		}
		s.client.http.Transport = rt
	}
}

// newTransport returns the default transport.
func newTransport() *http.Transport {
	// HTTP/2 servers may hand a request back unprocessed after it was written, for
	// the client to repeat. The gateway has no need of HTTP/2, and a request for
	// money none of that.
	var protocols http.Protocols
	protocols.SetHTTP1(true)
	return &http.Transport{
		Proxy:               http.ProxyFromEnvironment,
		DialContext:         (&net.Dialer{Timeout: 10 * time.Second, KeepAlive: 30 * time.Second}).DialContext,
		TLSClientConfig:     &tls.Config{MinVersion: tls.VersionTLS12},
		TLSHandshakeTimeout: 10 * time.Second,
		Protocols:           &protocols,
		DisableCompression:  true,
		// net/http keeps 2 and opens any number, which makes of busy callers a new
		// connection for nearly every call.
		MaxIdleConnsPerHost: maxConnections,
		MaxConnsPerHost:     maxConnections,
		// Well below the two minutes after which common servers hang up: to write on
		// a connection that the server is closing makes an outcome unknown.
		IdleConnTimeout:        30 * time.Second,
		MaxResponseHeaderBytes: maxReply,
		OnProxyConnectResponse: func(_ context.Context, _ *url.URL, _ *http.Request, resp *http.Response) error {
			if resp.StatusCode != http.StatusOK {
				return plainError("the proxy refused CONNECT with HTTP status " + strconv.Itoa(resp.StatusCode))
			}
			return nil
		},
	}
}

// WithHTTPClient uses a copy of hc, its Transport, Jar and Timeout included, except
// that redirects are never followed. A proxy is then the transport's business, and
// so are TLS and the number of idle connections; [WithTransportWrapper] keeps the
// default ones. A Timeout shorter than the gateway's answer makes outcomes unknown.
//
// That a request was not sent is proved by net/http/httptrace. A transport that does
// not report to it, as one that is not built on net/http may, turns those outcomes
// into unknown ones.
//
// The default is a client of this package's own: HTTP/1.1 over TLS 1.2 or later,
// through the proxy that HTTPS_PROXY names, 10 seconds to connect, at most 64
// connections, each kept for 30 idle seconds. Callers beyond 64 wait for a connection;
// one whose time runs out meanwhile has not sent anything.
func WithHTTPClient(hc *http.Client) Option {
	return func(s *settings) {
		if hc == nil {
			s.fault("WithHTTPClient", "is nil")
			return
		}
		client := *hc
		s.client.http = &client
	}
}

// WithTransportWrapper uses what wrap makes of the client's transport: of the default
// one, which is an [*http.Transport], or of that of [WithHTTPClient], wherever among the
// options that stands. So tracing or a proxy keeps all else that WithHTTPClient would
// replace: wrap may return a RoundTripper around the transport, or the default one with
// a field set, such as Proxy. Of several wrappers each gets what the one before made.
//
// A RoundTripper that sends a request twice defeats what this package does against it.
func WithTransportWrapper(wrap func(http.RoundTripper) http.RoundTripper) Option {
	return func(s *settings) {
		if wrap == nil {
			s.fault("WithTransportWrapper", "is nil")
			return
		}
		s.wrappers = append(s.wrappers, wrap)
	}
}

// WithBaseURL sends requests to gateway/gateway.aspx and gateway/re_auth.aspx below
// the URL, which must be https, or http to this machine itself. The default is
// https://credit.j-payment.co.jp/.
func WithBaseURL(base string) Option {
	return func(s *settings) {
		u, err := url.Parse(base)
		switch {
		case err != nil || u.Host == "" || u.Opaque != "":
			s.fault("WithBaseURL", "is not an absolute URL")
		case u.User != nil || u.RawQuery != "" || u.Fragment != "":
			s.fault("WithBaseURL", "has a user, a query or a fragment, which it may not")
		case u.Scheme == "http" && !isLoopback(u.Hostname()):
			s.fault("WithBaseURL", "is http to another machine; only https is allowed there")
		case u.Scheme != "https" && u.Scheme != "http":
			s.fault("WithBaseURL", "is neither https nor http")
		default:
			if u.Path == "" {
				u.Path = "/" // JoinPath would make a relative path of it.
			}
			s.baseURL = u
		}
	}
}

func isLoopback(host string) bool {
	ip, err := netip.ParseAddr(host)
	return strings.EqualFold(host, "localhost") || err == nil && ip.Unmap().IsLoopback()
}

// WithTimeout bounds each attempt, from the start of connecting to the end of the
// reply. The default is 60 seconds: whoever stops waiting early makes an outcome
// unknown that was about to be known.
func WithTimeout(d time.Duration) Option {
	return func(s *settings) {
		if d <= 0 {
			s.fault("WithTimeout", "is not positive")
			return
		}
		s.client.timeout = d
	}
}

// WithRetry sets when a request is sent again. The default is the zero
// [RetryPolicy].
func WithRetry(p RetryPolicy) Option {
	return func(s *settings) {
		if err := p.check(); err != nil {
			s.fault("WithRetry", err.Error())
			return
		}
		s.client.retry = p.withDefaults()
	}
}

// WithLogger writes one record for each attempt, at level Info for a success and
// Warn for anything else, without private data. The default is to log nothing.
func WithLogger(l *slog.Logger) Option {
	return func(s *settings) {
		if l == nil {
			s.fault("WithLogger", "is nil")
			return
		}
		s.client.log = logger{l}
	}
}

// WithCharset sends text in the character set. The default is UTF8 (field notes, M).
func WithCharset(c Charset) Option {
	return func(s *settings) {
		if c != UTF8 && c != ShiftJIS {
			s.fault("WithCharset", "is neither UTF8 nor ShiftJIS")
			return
		}
		s.client.charset = c
	}
}

// WithConnectionAuth adds the parameters ut (Unix seconds) and hak (SHA-256 of ut
// followed by the code, in lower-case hex) to each request, for stores that
// authenticate so with their connection authentication code (接続認証コード; field
// notes, M: seen in one production client). The default is to send neither.
func WithConnectionAuth(code string) Option {
	return func(s *settings) {
		if code == "" {
			s.fault("WithConnectionAuth", "is empty")
			return
		}
		s.client.connectionAuth = NewSecret(code)
	}
}

// WithKickbackKey makes each [Client.ReAuthByKickback] carry one more parameter, jpk:
// the store, the payment, the amounts and the time, signed by HMAC-SHA-256 with the
// key, which must have at least 32 bytes. The gateway returns it in the notice, where
// [VerifyKickbacks] looks for it. It takes 151 bytes and as many as the payment
// number has digits off the 1,024 of [Extra]. The default is to send none.
func WithKickbackKey(key []byte) Option {
	return func(s *settings) {
		if reason := checkKickbackKey(key); reason != "" {
			s.fault("WithKickbackKey", reason)
			return
		}
		s.client.kickbackKey = NewSecret(string(key))
	}
}

// WithUserAgent sends the text as User-Agent. The default is jpayment-go.
func WithUserAgent(ua string) Option {
	return func(s *settings) {
		if ua == "" || strings.ContainsFunc(ua, func(r rune) bool { return r > unicode.MaxASCII || unicode.IsControl(r) }) {
			s.fault("WithUserAgent", "is empty or has other characters than printable ASCII")
			return
		}
		s.client.userAgent = ua
	}
}

// WithProductionOnly makes an approval in test mode, by which no money moves, a
// [*ReplyError] that wraps [ErrTestMode]. Without it such an approval is a success
// whose [Result.TestMode] is true.
func WithProductionOnly() Option {
	return func(s *settings) { s.client.productionOnly = true }
}

// WithUnmatchedPaymentID accepts a reply to a Sales or Cancel that names another
// payment than the one asked for. By default it is a [*ReplyError], since nobody knows
// whose success it tells of. That the gateway repeats the number is an assumption, and
// this option is for a store that finds it to be wrong.
func WithUnmatchedPaymentID() Option {
	return func(s *settings) { s.client.unmatchedID = true }
}

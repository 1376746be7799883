package jpayment

import (
	"context"
	"log/slog"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"time"
	"unicode"

	"github.com/jpayment-go/jpayment/internal/wire"
)

// Option configures a [Client]. [NewClient] reports an invalid argument in its error.
type Option func(*settings)

// settings collects the options.
type settings struct {
	client   Client
	baseURL  *url.URL
	wrappers []func(http.RoundTripper) http.RoundTripper
	faults   faults
}

const (
	defaultTimeout   = 60 * time.Second
	defaultUserAgent = "jpayment-go"
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

func (s *settings) fault(option, en, ja string) { s.faults.add(option, "", Text{en, ja}) }

// wrapTransport applies the wrappers of WithTransportWrapper.
func (s *settings) wrapTransport() {
	for _, wrap := range s.wrappers {
		rt := s.client.http.Transport
		if rt == nil { // as in net/http
			rt = http.DefaultTransport
		}
		if rt = wrap(rt); rt == nil {
			s.fault("WithTransportWrapper", "returned no transport", "がトランスポートを返しませんでした")
			return
		}
		s.client.http.Transport = rt
	}
}

// WithHTTPClient uses a copy of hc, including its Transport, Jar and Timeout, but never
// follows redirects. The transport of hc then determines the proxy, TLS and idle
// connections; to keep the defaults use [WithTransportWrapper]. A Timeout shorter than the
// gateway takes to answer makes outcomes unknown.
//
// The client uses net/http/httptrace to prove that nothing was sent; with a transport
// that ignores it, such outcomes are unknown.
//
// The default client uses HTTP/1.1 over TLS 1.2 or later and the proxy in HTTPS_PROXY. It
// connects within 10 seconds, opens at most 64 connections and keeps an idle one for 30
// seconds. Further callers wait for a connection; if the context ends while a caller waits,
// the outcome is OutcomeNotSent.
func WithHTTPClient(hc *http.Client) Option {
	return func(s *settings) {
		if hc == nil {
			s.fault("WithHTTPClient", "is nil", "がnilです")
			return
		}
		client := *hc
		s.client.http = &client
	}
}

// WithTransportWrapper replaces the transport with wrap(transport), whatever the order of
// the options. The transport is the default one, an [*http.Transport], or that of
// [WithHTTPClient]. Use it to add tracing or to set a field, such as Proxy, of the default
// transport. Several wrappers nest in the order of the options.
//
// A RoundTripper that retries defeats the protection against sending twice.
func WithTransportWrapper(wrap func(http.RoundTripper) http.RoundTripper) Option {
	return func(s *settings) {
		if wrap == nil {
			s.fault("WithTransportWrapper", "is nil", "がnilです")
			return
		}
		s.wrappers = append(s.wrappers, wrap)
	}
}

// Charset is the character set of the text in a request.
type Charset int

// The character sets that the gateway is known to read. ShiftJIS is Windows-31J,
// the superset of Shift_JIS that Japanese systems mean by that name.
const (
	UTF8 Charset = iota
	ShiftJIS
)

// String returns the name that HTTP gives the character set.
func (c Charset) String() string { return wire.Charset(c).String() }

// WithBaseURL sends requests to gateway/gateway.aspx and gateway/re_auth.aspx below the
// URL. It must be an https URL, or an http URL of the loopback interface. The default is
// https://credit.j-payment.co.jp/.
func WithBaseURL(base string) Option {
	return func(s *settings) {
		u, err := url.Parse(base)
		switch {
		case err != nil || u.Host == "" || u.Opaque != "":
			s.fault("WithBaseURL", "is not an absolute URL", "が絶対URLではありません")
		case u.User != nil || u.RawQuery != "" || u.Fragment != "":
			s.fault("WithBaseURL", "must not have a user, a query or a fragment", "にユーザー名、クエリ、フラグメントは指定できません")
		case u.Scheme == "http" && !isLoopback(u.Hostname()):
			s.fault("WithBaseURL", "is http to another machine; use https", "が他のマシンへのhttpです。httpsにしてください")
		case u.Scheme != "https" && u.Scheme != "http":
			s.fault("WithBaseURL", "is neither https nor http", "がhttpsでもhttpでもありません")
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

// WithTimeout bounds each attempt, from the start of connecting to the end of the reply.
// The default is 60 seconds. Less than a millisecond is an error, since the unit is
// probably missing. A short timeout turns slow successes into unknown outcomes.
func WithTimeout(d time.Duration) Option {
	return func(s *settings) {
		switch {
		case d <= 0:
			s.fault("WithTimeout", "is not positive", "が正の時間ではありません")
			return
		case d < time.Millisecond:
			s.fault("WithTimeout", "is less than a millisecond; is the unit missing?", "が1ミリ秒未満です。単位を確認してください")
			return
		}
		s.client.timeout = d
	}
}

// WithRetry sets the retry policy. The default is the zero [RetryPolicy].
func WithRetry(p RetryPolicy) Option {
	return func(s *settings) {
		if reason := p.reason(); reason != (Text{}) {
			s.faults.add("WithRetry", "", reason)
			return
		}
		s.client.retry = p.withDefaults()
	}
}

// WithLogger logs one record per attempt, without private data: at level Info for a
// success, and at level Warn for anything else. The default is to log nothing.
func WithLogger(l *slog.Logger) Option {
	return func(s *settings) {
		if l == nil {
			s.fault("WithLogger", "is nil", "がnilです")
			return
		}
		s.client.log = func(ctx context.Context, a attempt) { a.log(ctx, l) }
	}
}

// WithCharset sets the character set of requests. The default is UTF8 (docs/protocol.md,
// assumption 14).
func WithCharset(c Charset) Option {
	return func(s *settings) {
		if c != UTF8 && c != ShiftJIS {
			s.fault("WithCharset", "is neither UTF8 nor ShiftJIS", "がUTF8でもShiftJISでもありません")
			return
		}
		s.client.charset = c
	}
}

// WithConnectionAuth adds the parameters ut (Unix seconds) and hak (SHA-256 of ut followed
// by the code, in lower-case hex) to each request. Some stores authenticate requests in
// this way, with a connection authentication code (接続認証コード; docs/protocol.md,
// "Connection authentication"; M). The default is to send neither parameter.
func WithConnectionAuth(code string) Option {
	return func(s *settings) {
		if code == "" {
			s.fault("WithConnectionAuth", "is empty", "が空です")
			return
		}
		s.client.connectionAuth = NewSecret(code)
	}
}

// WithKickbackKey adds the parameter jpk to each [Client.ReAuthByKickback]: the store, the
// payment, the amounts and the time, signed with the key by HMAC-SHA-256. The key must have
// at least 32 bytes. The gateway returns the parameter in the kickback, where a
// [KickbackVerifier] checks it. It uses 151 bytes, plus one per digit of the payment
// number, of the 1,024 bytes of [Extra]. The default is to send no signature.
func WithKickbackKey(key []byte) Option {
	return func(s *settings) {
		if reason := checkKickbackKey(key); reason != (Text{}) {
			s.faults.add("WithKickbackKey", "", reason)
			return
		}
		s.client.kickbackKey = NewSecret(string(key))
	}
}

// WithUserAgent sets the User-Agent header. The default is jpayment-go.
func WithUserAgent(ua string) Option {
	return func(s *settings) {
		if ua == "" || strings.ContainsFunc(ua, func(r rune) bool { return r > unicode.MaxASCII || unicode.IsControl(r) }) {
			s.fault("WithUserAgent", "is empty or has characters other than printable ASCII", "が空か、ASCIIの印字可能文字以外を含みます")
			return
		}
		s.client.userAgent = ua
	}
}

// WithProductionOnly turns an approval in test mode, in which no money moves, into a
// [*ReplyError] that wraps [ErrTestMode]. By default such an approval is a success for
// which [Result.TestMode] reports true.
func WithProductionOnly() Option {
	return func(s *settings) { s.client.productionOnly = true }
}

// WithUnmatchedPaymentID accepts a reply to a Sales or Cancel that names a payment other
// than the requested one. By default such a reply is a [*ReplyError], since it may report
// another payment's success. That the gateway repeats the number is an assumption; use this
// option if your store's gateway does not (docs/protocol.md, assumption 1).
func WithUnmatchedPaymentID() Option {
	return func(s *settings) { s.client.unmatchedID = true }
}

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

// wrapTransport does what WithTransportWrapper was asked for.
func (s *settings) wrapTransport() {
	for _, wrap := range s.wrappers {
		rt := s.client.http.Transport
		if rt == nil { // as net/http has it
			rt = http.DefaultTransport
		}
		if rt = wrap(rt); rt == nil {
			s.fault("WithTransportWrapper", "returned no transport", "がトランスポートを返しませんでした")
			return
		}
		s.client.http.Transport = rt
	}
}

// WithHTTPClient uses a copy of hc, its Transport, Jar and Timeout included, except
// that redirects are never followed. A proxy is then the transport's business, and
// so are TLS and the number of idle connections; [WithTransportWrapper] keeps the
// default ones. A Timeout shorter than the gateway's answer makes outcomes unknown.
//
// The client uses net/http/httptrace to prove that nothing was sent; with a transport
// that ignores it, such outcomes are unknown.
//
// The default is a client of this package's own: HTTP/1.1 over TLS 1.2 or later,
// through the proxy that HTTPS_PROXY names, 10 seconds to connect, at most 64
// connections, each kept for 30 idle seconds. Callers beyond 64 wait for a connection;
// a caller whose context ends while waiting gets OutcomeNotSent.
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
// the options: the default one, which is an [*http.Transport], or that of
// [WithHTTPClient]. So tracing or a proxy keeps all else that WithHTTPClient would
// replace: wrap may return a RoundTripper around the transport, or the default one with
// a field set, such as Proxy. Several wrappers nest in the order of the options.
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

// Charset is the character set in which text is sent.
type Charset int

// The character sets that the gateway is known to read. ShiftJIS is Windows-31J,
// the superset of Shift_JIS that Japanese systems mean by that name.
const (
	UTF8 Charset = iota
	ShiftJIS
)

// String returns the name that HTTP gives the character set.
func (c Charset) String() string { return wire.Charset(c).String() }

// WithBaseURL sends requests to gateway/gateway.aspx and gateway/re_auth.aspx below
// the URL, which must be https, or http to this machine itself. The default is
// https://credit.j-payment.co.jp/.
func WithBaseURL(base string) Option {
	return func(s *settings) {
		u, err := url.Parse(base)
		switch {
		case err != nil || u.Host == "" || u.Opaque != "":
			s.fault("WithBaseURL", "is not an absolute URL", "が絶対URLではありません")
		case u.User != nil || u.RawQuery != "" || u.Fragment != "":
			s.fault("WithBaseURL", "has a user, a query or a fragment, which it may not", "にユーザー名、クエリ、フラグメントは指定できません")
		case u.Scheme == "http" && !isLoopback(u.Hostname()):
			s.fault("WithBaseURL", "is http to another machine; only https is allowed there", "が他のマシンへのhttpです。httpsにしてください")
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

// WithTimeout bounds each attempt, from the start of connecting to the end of the
// reply. The default is 60 seconds, and the least a millisecond, so that a number without
// its unit is noticed. A shorter timeout turns slow successes into unknown outcomes.
func WithTimeout(d time.Duration) Option {
	return func(s *settings) {
		switch {
		case d <= 0:
			s.fault("WithTimeout", "is not positive", "が正の時間ではありません")
			return
		case d < time.Millisecond:
			s.fault("WithTimeout", "is less than a millisecond; is its unit missing?", "が1ミリ秒未満です。単位を確認してください")
			return
		}
		s.client.timeout = d
	}
}

// WithRetry sets when a request is sent again. The default is the zero
// [RetryPolicy].
func WithRetry(p RetryPolicy) Option {
	return func(s *settings) {
		if reason := p.reason(); reason != (Text{}) {
			s.faults.add("WithRetry", "", reason)
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
			s.fault("WithLogger", "is nil", "がnilです")
			return
		}
		s.client.log = func(ctx context.Context, a attempt) { a.log(ctx, l) }
	}
}

// WithCharset sends text in the character set. The default is UTF8 (field notes, M).
func WithCharset(c Charset) Option {
	return func(s *settings) {
		if c != UTF8 && c != ShiftJIS {
			s.fault("WithCharset", "is neither UTF8 nor ShiftJIS", "がUTF8でもShiftJISでもありません")
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
			s.fault("WithConnectionAuth", "is empty", "が空です")
			return
		}
		s.client.connectionAuth = NewSecret(code)
	}
}

// WithKickbackKey makes each [Client.ReAuthByKickback] carry one more parameter, jpk:
// the store, the payment, the amounts and the time, signed by HMAC-SHA-256 with the
// key, which must have at least 32 bytes. The gateway returns it in the kickback, where
// a [KickbackVerifier] looks for it. It takes 151 bytes and as many as the payment
// number has digits off the 1,024 of [Extra]. The default is to send none.
func WithKickbackKey(key []byte) Option {
	return func(s *settings) {
		if reason := checkKickbackKey(key); reason != (Text{}) {
			s.faults.add("WithKickbackKey", "", reason)
			return
		}
		s.client.kickbackKey = NewSecret(string(key))
	}
}

// WithUserAgent sends the text as User-Agent. The default is jpayment-go.
func WithUserAgent(ua string) Option {
	return func(s *settings) {
		if ua == "" || strings.ContainsFunc(ua, func(r rune) bool { return r > unicode.MaxASCII || unicode.IsControl(r) }) {
			s.fault("WithUserAgent", "is empty or has other characters than printable ASCII", "が空か、ASCIIの印字可能文字以外を含みます")
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

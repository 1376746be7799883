package jpayment

import (
	"context"
	"crypto/sha256"
	"crypto/tls"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/google/go-querystring/query"

	"github.com/jpayment-go/jpayment/internal/wire"
)

// The gateway's address and paths (specification, "接続先").
const (
	defaultBaseURL = "https://credit.j-payment.co.jp/"
	gatewayPath    = "gateway/gateway.aspx"
	reAuthPath     = "gateway/re_auth.aspx"
)

// maxReply bounds a reply in bytes. A row has at most a few thousand.
const maxReply = 64 << 10

// Gateway is what order code needs of a [Client], so that a test can put a fake in
// its place; the package jpaymenttest has one.
type Gateway interface {
	Sales(ctx context.Context, req SalesRequest) (*Result, error)
	Cancel(ctx context.Context, req CancelRequest) (*Result, error)
	ReAuth(ctx context.Context, req ReAuthRequest) (*Result, error)
	ReAuthByKickback(ctx context.Context, req ReAuthRequest) error
}

var _ Gateway = (*Client)(nil)

// Client sends requests to the gateway for one store. It is safe for concurrent
// use and does not change after NewClient. Make one and keep it: it holds the
// connections.
type Client struct {
	storeID        string
	http           *http.Client
	gatewayPage    *http.Request // the pages, as requests without a body
	reAuthPage     *http.Request
	timeout        time.Duration
	retry          RetryPolicy
	log            attemptLog // or nil
	charset        Charset
	connectionAuth Secret
	kickbackKey    Secret
	userAgent      string
	productionOnly bool
	unmatchedID    bool
}

// NewClient returns a client for the store (店舗ID, aid), six half-width digits. Its
// error is a [*ValidationError] with every fault of the store ID and the options.
func NewClient(storeID string, opts ...Option) (*Client, error) {
	s := newSettings()
	s.faults.checkStoreID(storeID)
	for _, opt := range opts {
		opt(s)
	}
	s.wrapTransport()
	if err := s.faults.err("NewClient", ""); err != nil {
		return nil, err
	}
	c := s.client
	c.storeID = storeID
	c.gatewayPage = newPost(s.baseURL.JoinPath(gatewayPath))
	c.reAuthPage = newPost(s.baseURL.JoinPath(reAuthPath))
	// A redirect is not an answer. To follow one could repeat the request, or send
	// it to somebody else.
	c.http.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &c, nil
}

// newPost makes a request without a body. The specification allows a GET too, but
// net/http repeats a GET by itself when a connection breaks, and its parameters would
// stand in every log on the way.
func newPost(u *url.URL) *http.Request { return &http.Request{Method: http.MethodPost, URL: u} }

// Format writes the client without its secrets, for every verb.
func (c *Client) Format(f fmt.State, _ rune) {
	printPublic(f, "Client", slog.GroupValue(slog.String("store_id", c.storeID), slog.String("url", c.gatewayPage.URL.String())))
}

// How the gateway is to give the result (決済結果返信方法, rt).
const (
	replyByKickback = "0"
	replyAtOnce     = "1"
)

// exchange is one operation on its way through the client, validated.
type exchange struct {
	op        Operation
	paymentID string
	page      *http.Request
	form      form

	amount, tax, shipping int64 // that a ReAuth asks for
}

// form is the parameters of a request, their names and values by turns.
type form []string

// with adds the merchant's own data.
func (f form) with(extra Extra) form {
	for key, value := range extra {
		f = append(f, key, value)
	}
	return f
}

// EncodeValues makes the form an Encoder of go-querystring.
func (f form) EncodeValues(_ string, v *url.Values) error {
	for i := 0; i < len(f); i += 2 {
		(*v)[f[i]] = f[i+1 : i+2 : i+2]
	}
	return nil
}

// encode returns the form as it goes out.
func (f form) encode(charset Charset) (string, error) {
	v, err := query.Values(struct{ Form form }{f}) // It takes structs only.
	if err != nil {
		return "", err
	}
	return wire.EncodeForm(v, wire.Charset(charset))
}

// do sends an operation, again where the policy allows it, and tells what came of
// it. Every operation goes through here.
func (c *Client) do(ctx context.Context, ex exchange) (*Result, error) {
	call := Call{Operation: ex.op, PaymentID: ex.paymentID}
	// Once, and before anything can take time: the caller's map may change later, and
	// an attempt must not send what nobody has validated.
	text, err := ex.form.encode(c.charset)
	if err != nil { // Validation leaves nothing that cannot be encoded.
		return nil, &TransportError{Call: call, NotSent: true, Err: err}
	}
	for {
		call.Attempts++
		start := time.Now()
		res, err := c.attempt(ctx, ex, text, call)
		if c.log != nil {
			c.log.attempt(ctx, call, res, err, time.Since(start))
		}
		if err == nil {
			return res, nil
		}
		if ctx.Err() != nil || !c.retry.again(call, err) {
			return nil, err
		}
		if call.Earlier == nil && OutcomeOf(err) == OutcomeUnknown {
			call.Earlier = err
		}
		if ended := c.retry.wait(ctx, call.Attempts); ended != nil {
			return nil, fmt.Errorf("%w (not sent again: %w)", err, ended)
		}
	}
}

// attempt sends the request once.
func (c *Client) attempt(ctx context.Context, ex exchange, text string, call Call) (*Result, error) {
	if err := ctx.Err(); err != nil {
		return nil, &TransportError{Call: call, NotSent: true, Err: err}
	}
	ctx, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	if code := c.connectionAuth.Reveal(); code != "" {
		ut := strconv.FormatInt(time.Now().Unix(), 10)
		hak := sha256.Sum256([]byte(ut + code))
		text += "&ut=" + ut + "&hak=" + hex.EncodeToString(hak[:])
	}
	s := sending{text: text, header: [...]string{"application/x-www-form-urlencoded", c.userAgent}}
	resp, err := c.http.Do(s.request(ctx, ex.page))
	if err != nil {
		if ended := ctx.Err(); ended != nil && !errors.Is(err, ended) {
			err = fmt.Errorf("%w: %w", ended, err)
		}
		return nil, &TransportError{Call: call, NotSent: s.notSent(), Err: err}
	}
	res, err := readReply(resp)
	if err == nil {
		err = c.judge(ex, res)
	}
	if err != nil {
		return nil, withCall(err, call, resp.StatusCode)
	}
	return res, nil
}

// readReply reads the answer and parses it. The body is read to a bound, and
// to its end where that is near, so that the connection can be used again.
func readReply(resp *http.Response) (*Result, error) {
	defer resp.Body.Close() //nolint:errcheck // Nothing hangs on closing what was read.
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxReply+1))
	fail := func(reason string, cause error) (*Result, error) {
		return nil, &ReplyError{Reason: reason, Err: cause, raw: body[:min(len(body), maxReply)]}
	}
	switch {
	case resp.StatusCode != http.StatusOK:
		return fail("the HTTP status is not 200", nil)
	case err != nil:
		return fail("it is cut short", err)
	case len(body) > maxReply:
		return fail("it is longer than 64 KiB", nil)
	}
	return parseReply(body, resp.Header.Get("Content-Type"))
}

// judge tells whether a reply answers the request with a success.
func (c *Client) judge(ex exchange, res *Result) error {
	switch {
	case res.Status == StatusFailed:
		return &GatewayError{Code: res.Code, Result: res}
	case ex.op == OpReAuthByKickback:
		if res.Status != StatusAccepted {
			return &ReplyError{Reason: "it is a result, which was to come by kickback", Result: res}
		}
		return nil
	case res.Status == StatusAccepted:
		return &ReplyError{Reason: "it promises a kickback, which was not asked for", Result: res}
	}
	if ex.op == OpReAuth { // whose reply names the new payment
		// A blank amount is another one too: the reply does not show that the new payment
		// has the right amount.
		if column := res.otherAmount(ex.amount, ex.tax, ex.shipping); column != "" {
			return &ReplyError{Column: column, Reason: "is not the amount asked for", Result: res}
		}
	} else if res.PaymentID != ex.paymentID && !c.unmatchedID {
		// That the reply repeats the payment's number is an assumption: the specification
		// says only that the number is issued once per payment.
		return &ReplyError{Column: "gid", Reason: "is not the payment asked for", Result: res}
	}
	if c.productionOnly && res.TestMode() {
		return &ReplyError{Reason: "it approves a test", Err: ErrTestMode, Result: res}
	}
	return nil
}

// withCall fills in what the makers of an error did not know.
func withCall(err error, call Call, status int) error {
	switch e := err.(type) { //nolint:errorlint // These come unwrapped from the functions above.
	case *GatewayError:
		e.Call = call
	case *ReplyError:
		e.Call, e.StatusCode = call, status
	}
	return err
}

// attemptLog is a logger behind an interface, so that the handlers of log/slog are no
// part of programs that do not log.
type attemptLog interface {
	attempt(context.Context, Call, *Result, error, time.Duration)
}

type logger struct{ *slog.Logger }

// attempt writes one record for each attempt. Errors of this package hold nothing
// private.
func (l logger) attempt(ctx context.Context, call Call, res *Result, err error, elapsed time.Duration) {
	level := slog.LevelInfo
	if err != nil {
		level = slog.LevelWarn
	}
	if !l.Enabled(ctx, level) {
		return
	}
	attrs := []slog.Attr{
		slog.String("operation", string(call.Operation)),
		slog.String("payment_id", call.PaymentID),
		slog.Int("attempt", call.Attempts),
		slog.String("outcome", OutcomeOf(err).String()),
		slog.Duration("elapsed", elapsed),
	}
	if err != nil {
		attrs = append(attrs, slog.String("error", err.Error()))
	} else {
		attrs = append(attrs, slog.Any("result", *res))
	}
	l.LogAttrs(ctx, level, "jpayment: "+string(call.Operation), attrs...)
}

// sending is a request on its way, and what net/http tells of it. All that belongs to
// one request lies in one piece of memory.
type sending struct {
	text               string
	body               strings.Reader
	header             [2]string // the values of Content-Type and User-Agent
	hooks              httptrace.ClientTrace
	wanted, got, http2 atomic.Bool
}

func (s *sending) request(ctx context.Context, page *http.Request) *http.Request {
	s.hooks.GetConn = func(string) { s.wanted.Store(true) }
	s.hooks.GotConn = func(info httptrace.GotConnInfo) {
		s.got.Store(true)
		c, ok := info.Conn.(interface{ ConnectionState() tls.ConnectionState })
		s.http2.Store(ok && c.ConnectionState().NegotiatedProtocol == "h2")
	}
	req := page.WithContext(httptrace.WithClientTrace(ctx, &s.hooks))
	req.Header = http.Header{"Content-Type": s.header[:1:1], "User-Agent": s.header[1:]}
	req.ContentLength = int64(len(s.text))
	s.body.Reset(s.text)
	req.Body = io.NopCloser(&s.body) // Of a type of our own net/http writes the head apart.
	// net/http asks for the body again in two cases: over HTTP/1 when it had written
	// nothing on a connection that turned out to be closed, which is harmless, and over
	// HTTP/2 when the server claims not to have processed what was written, which nobody
	// proves.
	req.GetBody = func() (io.ReadCloser, error) {
		if s.http2.Load() {
			return nil, plainError("the server handed the request back over HTTP/2")
		}
		return io.NopCloser(strings.NewReader(s.text)), nil
	}
	return req
}

// notSent tells whether it is proved that no byte of the request was written: a
// connection was wanted, so this transport reports what it does, and none came.
// Connecting includes the proxy's CONNECT and the TLS handshake.
func (s *sending) notSent() bool { return s.wanted.Load() && !s.got.Load() }

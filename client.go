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
	gatewayURL     *url.URL
	reAuthURL      *url.URL
	timeout        time.Duration
	retry          RetryPolicy
	log            *slog.Logger
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
	if err := s.faults.err("NewClient", ""); err != nil {
		return nil, err
	}
	c := s.client
	c.storeID = storeID
	c.gatewayURL = s.baseURL.JoinPath(gatewayPath)
	c.reAuthURL = s.baseURL.JoinPath(reAuthPath)
	// A redirect is not an answer. To follow one could repeat the request, or send
	// it to somebody else.
	c.http.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &c, nil
}

// Format writes the client without its secrets, for every verb.
func (c *Client) Format(f fmt.State, _ rune) {
	printPublic(f, "Client", slog.GroupValue(slog.String("store_id", c.storeID), slog.String("url", c.gatewayURL.String())))
}

// replyMethod is how the gateway is to give the result (決済結果返信方法, rt).
type replyMethod string

const (
	replyByKickback replyMethod = "0"
	replyAtOnce     replyMethod = "1"
)

// access is what every request holds.
type access struct {
	StoreID string      `url:"aid"`
	Reply   replyMethod `url:"rt"`
}

func (c *Client) access(rt replyMethod) access { return access{c.storeID, rt} }

// exchange is one operation on its way through the client, validated.
type exchange struct {
	op        Operation
	paymentID string
	url       *url.URL
	form      any // a struct with url tags
	// check names a column of a success that shows that it answers something else.
	check func(*Result) (column, reason string)
}

// do sends an operation, again where the policy allows it, and tells what came of
// it. Every operation goes through here.
func (c *Client) do(ctx context.Context, ex exchange) (*Result, error) {
	call := Call{Operation: ex.op, PaymentID: ex.paymentID}
	// Once, and before anything can take time: the caller's map may change later, and
	// an attempt must not send what nobody has validated.
	form, err := query.Values(ex.form)
	if err != nil {
		return nil, &TransportError{Call: call, NotSent: true, Err: err}
	}
	for {
		call.Attempts++
		start := time.Now()
		res, err := c.attempt(ctx, ex, form, call)
		c.logAttempt(ctx, call, res, err, start)
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
func (c *Client) attempt(ctx context.Context, ex exchange, form url.Values, call Call) (*Result, error) {
	if err := ctx.Err(); err != nil {
		return nil, &TransportError{Call: call, NotSent: true, Err: err}
	}
	ctx, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	var conn connTrace
	req, err := c.newRequest(&conn, ex.url, form)
	if err != nil { // Validation leaves nothing that cannot be encoded.
		return nil, &TransportError{Call: call, NotSent: true, Err: err}
	}
	resp, err := c.http.Do(req.WithContext(conn.watch(ctx)))
	if err != nil {
		if ended := ctx.Err(); ended != nil && !errors.Is(err, ended) {
			err = fmt.Errorf("%w: %w", ended, err)
		}
		return nil, &TransportError{Call: call, NotSent: conn.notSent(), Err: err}
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

// newRequest makes the POST. The specification allows a GET too, but net/http
// repeats a GET by itself when a connection breaks, and its parameters would stand
// in every log on the way.
func (c *Client) newRequest(conn *connTrace, u *url.URL, form url.Values) (*http.Request, error) {
	if code := c.connectionAuth.Reveal(); code != "" {
		ut := strconv.FormatInt(time.Now().Unix(), 10)
		hak := sha256.Sum256([]byte(ut + code))
		form.Set("ut", ut)
		form.Set("hak", hex.EncodeToString(hak[:]))
	}
	text, err := wire.EncodeForm(form, wire.Charset(c.charset))
	if err != nil {
		return nil, err
	}
	body := func() (io.ReadCloser, error) { return io.NopCloser(strings.NewReader(text)), nil }
	first, _ := body()
	return &http.Request{
		Method:        http.MethodPost,
		URL:           u,
		Header:        http.Header{"Content-Type": {"application/x-www-form-urlencoded"}, "User-Agent": {c.userAgent}},
		Body:          first,
		ContentLength: int64(len(text)),
		// net/http asks for the body again in two cases: over HTTP/1 when it had
		// written nothing on a connection that turned out to be closed, which is
		// harmless, and over HTTP/2 when the server claims not to have processed
		// what was written, which nobody proves.
		GetBody: func() (io.ReadCloser, error) {
			if conn.http2.Load() {
				return nil, plainError("the server handed the request back over HTTP/2")
			}
			return body()
		},
	}, nil
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
	if ex.check != nil {
		if column, reason := ex.check(res); column != "" {
			return &ReplyError{Column: column, Reason: reason, Result: res}
		}
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

// logAttempt writes one record for each attempt. Errors of this package hold
// nothing private.
func (c *Client) logAttempt(ctx context.Context, call Call, res *Result, err error, start time.Time) {
	level := slog.LevelInfo
	if err != nil {
		level = slog.LevelWarn
	}
	if c.log == nil || !c.log.Enabled(ctx, level) {
		return
	}
	attrs := []slog.Attr{
		slog.String("operation", string(call.Operation)),
		slog.String("payment_id", call.PaymentID),
		slog.Int("attempt", call.Attempts),
		slog.String("outcome", OutcomeOf(err).String()),
		slog.Duration("elapsed", time.Since(start)),
	}
	if err != nil {
		attrs = append(attrs, slog.String("error", err.Error()))
	} else {
		attrs = append(attrs, slog.Any("result", *res))
	}
	c.log.LogAttrs(ctx, level, "jpayment: "+string(call.Operation), attrs...)
}

// connTrace learns from net/http whether a request can have left the machine.
type connTrace struct {
	hooks              httptrace.ClientTrace
	wanted, got, http2 atomic.Bool
}

func (t *connTrace) watch(ctx context.Context) context.Context {
	t.hooks.GetConn = func(string) { t.wanted.Store(true) }
	t.hooks.GotConn = func(info httptrace.GotConnInfo) {
		t.got.Store(true)
		c, ok := info.Conn.(interface{ ConnectionState() tls.ConnectionState })
		t.http2.Store(ok && c.ConnectionState().NegotiatedProtocol == "h2")
	}
	return httptrace.WithClientTrace(ctx, &t.hooks)
}

// notSent tells whether it is proved that no byte of the request was written: a
// connection was wanted, so this transport reports what it does, and none came.
// Connecting includes the proxy's CONNECT and the TLS handshake.
func (t *connTrace) notSent() bool { return t.wanted.Load() && !t.got.Load() }

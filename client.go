package jpayment

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/google/go-querystring/query"

	"github.com/jpayment-go/jpayment/internal/wallclock"
	"github.com/jpayment-go/jpayment/internal/wire"
)

// The gateway's address and paths (specification, "接続先").
const (
	defaultBaseURL = "https://credit.j-payment.co.jp/"
	gatewayPath    = "gateway/gateway.aspx"
	reAuthPath     = "gateway/re_auth.aspx"
)

// Gateway is the interface that order code should depend on. A [Client] implements it,
// and so does the fake in package jpaymenttest.
type Gateway interface {
	Sales(ctx context.Context, req SalesRequest) (*Result, error)
	Cancel(ctx context.Context, req CancelRequest) (*Result, error)
	ReAuth(ctx context.Context, req ReAuthRequest) (*Result, error)
	ReAuthByKickback(ctx context.Context, req ReAuthRequest) error
}

var _ Gateway = (*Client)(nil)

// Request is a [SalesRequest], a [CancelRequest] or a [ReAuthRequest].
type Request interface {
	// outgoing validates and prepares the request for an operation of the client.
	outgoing(c *Client, op Operation) (outgoing, faults)
}

// outgoing is a request on its way through the client.
type outgoing struct {
	op        Operation
	paymentID string
	page      *http.Request
	form      any    // a struct whose url tags name the parameters
	text      string // the form, encoded

	amount, tax, shipping int64 // of a ReAuth, in yen
}

// Client sends requests to the gateway for one store. It is immutable and safe for
// concurrent use. Create one and reuse it, since it keeps connections open.
type Client struct {
	storeID        string
	http           *http.Client
	gatewayPage    *http.Request // the pages, as requests without a body
	reAuthPage     *http.Request
	timeout        time.Duration
	retry          RetryPolicy
	log            func(context.Context, attempt) // or nil
	charset        Charset
	connectionAuth Secret
	kickbackKey    Secret
	userAgent      string
	productionOnly bool
	unmatchedID    bool
}

// NewClient returns a client for the store (店舗ID, aid), whose ID has six half-width
// digits. The error is a [*ValidationError] that lists every fault of the store ID and the
// options.
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
	// A redirect is not an answer. Following it could repeat the request, or send it to
	// another host.
	c.http.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &c, nil
}

// newPost returns a POST request without a body. The specification also allows GET, but
// net/http repeats a GET when a connection breaks, and every log along the way would contain
// its parameters.
func newPost(u *url.URL) *http.Request { return &http.Request{Method: http.MethodPost, URL: u} }

// Format writes the client without its secrets, whatever the verb.
func (c *Client) Format(f fmt.State, _ rune) {
	printPublic(f, "Client", slog.GroupValue(slog.String("store_id", c.storeID), slog.String("url", c.gatewayPage.URL.String())))
}

// fixed is a parameter that is sent unchanged. It is an Encoder so that go-querystring does
// not format it with fmt.
type fixed string

// EncodeValues sets the parameter.
func (f fixed) EncodeValues(key string, v *url.Values) error {
	(*v)[key] = []string{string(f)}
	return nil
}

// The ways in which the gateway returns a result (決済結果返信方法, rt).
const (
	replyByKickback fixed = "0"
	replyAtOnce     fixed = "1"
)

// Preview validates a request and returns it exactly as the operation would send it now,
// without sending it. The body holds private data. The error is a [*ValidationError].
func (c *Client) Preview(ctx context.Context, op Operation, r Request) (*http.Request, error) {
	out, err := c.prepare(op, r)
	if err != nil {
		return nil, err
	}
	return c.newSending(out).request(ctx, out.page), nil
}

// prepare validates and encodes a request once. The caller may change its data later, and
// no attempt may send data that was not validated.
func (c *Client) prepare(op Operation, r Request) (outgoing, error) {
	if r == nil {
		return outgoing{}, faults{{Field: "Request", Reason: Text{"is nil", "がnilです"}}}.err(op, "")
	}
	out, fs := r.outgoing(c, op)
	out.op = op
	if err := fs.err(op, out.paymentID); err != nil {
		return outgoing{}, err
	}
	values, err := query.Values(out.form)
	if err == nil {
		out.text, err = wire.EncodeForm(values, wire.Charset(c.charset))
	}
	if err != nil { // Validation leaves nothing that cannot be encoded.
		return outgoing{}, &TransportError{Call: Call{Operation: op, PaymentID: out.paymentID}, NotSent: true, Err: hide(err)}
	}
	return out, nil
}

// newSending returns the request as it would be sent now.
func (c *Client) newSending(out outgoing) *sending {
	text := out.text
	if code := c.connectionAuth.Reveal(); code != "" {
		ut := strconv.FormatInt(wallclock.Now().Unix(), 10)
		hak := sha256.Sum256([]byte(ut + code))
		text += "&ut=" + ut + "&hak=" + hex.EncodeToString(hak[:])
	}
	return &sending{text: text, header: [...]string{"application/x-www-form-urlencoded", c.userAgent}}
}

// do sends a request, repeats it if the policy allows that, and returns the result. Every
// operation goes through here.
func (c *Client) do(ctx context.Context, op Operation, r Request) (*Result, error) {
	out, err := c.prepare(op, r)
	if err != nil {
		return nil, err
	}
	call := Call{Operation: op, PaymentID: out.paymentID}
	for {
		call.Attempts++
		start := time.Now()
		res, err := c.attempt(ctx, out, call)
		if c.log != nil {
			c.log(ctx, attempt{call, res, err, time.Since(start)})
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

// attempt sends the request once, reads the reply and judges it.
func (c *Client) attempt(ctx context.Context, out outgoing, call Call) (*Result, error) {
	if err := ctx.Err(); err != nil {
		return nil, &TransportError{Call: call, NotSent: true, Err: hide(err)}
	}
	ctx, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	s := c.newSending(out)
	resp, err := c.http.Do(s.request(ctx, out.page))
	if err != nil {
		if ended := ctx.Err(); ended != nil && !errors.Is(err, ended) {
			err = fmt.Errorf("%w: %w", ended, err)
		}
		return nil, &TransportError{Call: call, NotSent: s.notSent(), Err: hide(err)}
	}
	res, raw, bad := readReply(resp)
	if bad != nil {
		return nil, bad.err(call, resp.StatusCode, raw)
	}
	res.Attempts = call.Attempts
	if err := c.judge(out, call, res); err != nil {
		return nil, err
	}
	return res, nil
}

// readReply reads the reply, up to a bound, and parses it. It reads a body within the bound
// to its end, so that the connection can be reused.
func readReply(resp *http.Response) (res *Result, raw []byte, bad *replyFault) {
	defer resp.Body.Close() //nolint:errcheck // The body has been read.
	body, err := readAtMost(resp.Body, maxReply+1)
	raw = body[:min(len(body), maxReply)]
	switch {
	case resp.StatusCode != http.StatusOK:
		return nil, raw, &replyFault{reason: textf(
			"the HTTP status is not 200 but %d", "HTTPステータスが200ではなく%dです", resp.StatusCode)}
	case err != nil:
		return nil, raw, &replyFault{reason: Text{"it is cut short", "途中で切れています"}, cause: hide(err)}
	case len(body) > maxReply:
		return nil, raw, &replyFault{reason: Text{"it is longer than 64 KiB", "64 KiBを超えています"}}
	}
	res, bad = parseReply(body, resp.Header.Get("Content-Type"))
	return res, raw, bad
}

// judge returns an error unless the reply answers the request with a success.
func (c *Client) judge(out outgoing, call Call, res *Result) error {
	not := func(column string, reason Text, cause error) error {
		return &ReplyError{Call: call, StatusCode: http.StatusOK, Column: column, Reason: reason, Err: cause, Result: res}
	}
	switch {
	case res.Status == StatusFailed:
		return &GatewayError{Call: call, Code: res.Code, Result: res}
	case out.op == OpReAuthByKickback:
		if res.Status != StatusAccepted {
			return not("", Text{
				"it is a result that should have come by kickback",
				"決済結果通知で届くはずの結果が応答として返されました",
			}, nil)
		}
		return nil
	case res.Status == StatusAccepted:
		return not("", Text{
			"it announces a kickback that was not requested",
			"決済結果通知を要求していないのに、受付（OK）の応答です",
		}, nil)
	}
	if out.op == OpReAuth { // The reply names the new payment.
		// A blank amount is a mismatch too: it does not show that the new payment has the
		// right amount.
		if column := res.otherAmount(out.amount, out.tax, out.shipping); column != "" {
			return not(column, notTheAmount, nil)
		}
	} else if res.PaymentID != out.paymentID && !c.unmatchedID {
		// The specification says only that the number is issued once per payment. That the
		// reply repeats it is an assumption (docs/protocol.md, assumption 1).
		return not("gid", Text{
			"is not the requested payment; if this is so in every reply, use WithUnmatchedPaymentID",
			"が要求した決済の番号と異なります。すべての応答で異なる場合は WithUnmatchedPaymentID を使用してください",
		}, nil)
	}
	if c.productionOnly && res.TestMode() {
		return not("", Text{"it is a test approval", "テストモードの承認です"}, ErrTestMode)
	}
	return nil
}

var notTheAmount = Text{"is not the requested amount", "が要求した金額と異なります"}

// attempt is a finished attempt.
type attempt struct {
	call    Call
	result  *Result
	err     error
	elapsed time.Duration
}

// log writes one record for the attempt. The errors of this package hold no private data.
func (a attempt) log(ctx context.Context, l *slog.Logger) {
	level := slog.LevelInfo
	if a.err != nil {
		level = slog.LevelWarn
	}
	if !l.Enabled(ctx, level) {
		return
	}
	attrs := []slog.Attr{
		slog.String("operation", string(a.call.Operation)),
		slog.String("payment_id", a.call.PaymentID),
		slog.Int("attempt", a.call.Attempts),
		slog.String("outcome", OutcomeOf(a.err).String()),
		slog.Duration("elapsed", a.elapsed),
	}
	if a.err != nil {
		attrs = append(attrs, slog.String("error", a.err.Error()))
	} else {
		attrs = append(attrs, slog.Any("result", *a.result))
	}
	l.LogAttrs(ctx, level, "jpayment: "+string(a.call.Operation), attrs...)
}

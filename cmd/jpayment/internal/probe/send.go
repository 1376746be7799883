package probe

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"io"
	"mime/multipart"
	"net"
	"net/http"
	"net/http/httptrace"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/jpayment-go/jpayment"
	"github.com/jpayment-go/jpayment/cmd/jpayment/internal/console"
)

// request is a request byte for byte as it is sent, either the client's own or one that the
// client would not send.
type request struct {
	URL         string `json:"url"`
	Query       string `json:"query,omitempty"`
	ContentType string `json:"content_type,omitempty"`
	Body        string `json:"body"`
}

const formType = "application/x-www-form-urlencoded"

// exchange is the request of a step and its reply.
type exchange struct {
	Request request       `json:"request"`
	Sent    time.Time     `json:"sent"`
	Took    time.Duration `json:"took"`
	// Failed is why there is no reply. If it is set, the fields below are empty, except
	// TimedOut.
	Failed      *jpayment.Text `json:"failed,omitempty"`
	TimedOut    bool           `json:"timed_out,omitempty"`
	Status      int            `json:"status,omitempty"`
	Proto       string         `json:"proto,omitempty"`
	TLS         string         `json:"tls,omitempty"`
	ContentType string         `json:"reply_type,omitempty"`
	Body        []byte         `json:"reply,omitempty"`
	// Idle is set only for the step that leaves a connection idle.
	Idle *idleness `json:"idle,omitempty"`
}

// idleness records how long the gateway kept an idle connection open.
type idleness struct {
	Waited time.Duration `json:"waited"`
	Closed bool          `json:"closed"` // by the gateway, after that time
	Reused bool          `json:"reused"` // the second request had a reply on the same connection
}

// sender builds requests with the client but sends them itself: it repeats nothing, follows
// no redirects and keeps each reply as received. The client has checked that the URL is https,
// or http on this machine.
type sender struct {
	utf8, shiftJIS *jpayment.Client
	auth           jpayment.Secret
	timeout        time.Duration
	dial           func(ctx context.Context, network, address string) (net.Conn, error)
	roots          *x509.CertPool
}

// make creates the clients for both character sets.
func (s *sender) make(store string, opts []jpayment.Option) (err error) {
	if s.utf8, err = jpayment.NewClient(store, slices.Concat(opts, []jpayment.Option{jpayment.WithCharset(jpayment.UTF8)})...); err != nil {
		return err
	}
	s.shiftJIS, err = jpayment.NewClient(store, slices.Concat(opts, []jpayment.Option{jpayment.WithCharset(jpayment.ShiftJIS)})...)
	return err
}

// preview returns a request as the client would send it.
func preview(ctx context.Context, client *jpayment.Client, op jpayment.Operation, r jpayment.Request) (request, error) {
	req, err := client.Preview(ctx, op, r)
	if err != nil {
		return request{}, err
	}
	body, err := io.ReadAll(req.Body)
	return request{URL: req.URL.String(), ContentType: formType, Body: string(body)}, err
}

// operation returns the name of the requested operation.
func (r request) operation() jpayment.Text {
	switch parameters := r.Query + r.Body; {
	case strings.Contains(parameters, "SALES"):
		return text("Sales", "実売上")
	case strings.Contains(parameters, "CANCEL"):
		return text("Cancel", "取消")
	default:
		return text("ReAuth", "再オーソリ")
	}
}

// with returns the request with old replaced by next in the body.
func (r request) with(old, next string) request {
	r.Body = strings.Replace(r.Body, old, next, 1)
	return r
}

// and returns the request with more appended to the body.
func (r request) and(more string) request {
	r.Body += more
	return r
}

// inQuery returns the request with its parameters in the query and an empty body.
func (r request) inQuery() request {
	r.Query, r.Body, r.ContentType = r.Body, "", ""
	return r
}

// asMultipart returns the request as a multipart form. Its values need no escapes.
func (r request) asMultipart() request {
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	_ = w.SetBoundary("jpayment-probe") // The boundary is valid.
	for pair := range strings.SplitSeq(r.Body, "&") {
		name, value, _ := strings.Cut(pair, "=")
		_ = w.WriteField(name, value) // Writing to a buffer does not fail.
	}
	_ = w.Close()
	r.ContentType, r.Body = w.FormDataContentType(), b.String()
	return r
}

// authenticated returns the request with different connection authentication: a time that is
// off, or a wrong hash.
func (r request) authenticated(code string, off time.Duration, wrong bool) request {
	body, _, _ := strings.Cut(r.Body, "&ut=")
	ut := strconv.FormatInt(time.Now().Add(off).Unix(), 10)
	sum := sha256.Sum256([]byte(ut + code))
	if wrong {
		sum[0] ^= 1
	}
	r.Body = body + "&ut=" + ut + "&hak=" + hex.EncodeToString(sum[:])
	return r
}

// do sends a request on its own connection and returns the exchange. It waits for the reply
// even if ctx is cancelled.
func (s *sender) do(ctx context.Context, name string, r request) *exchange {
	transport := s.transport()
	transport.DisableKeepAlives = true
	return s.send(context.WithoutCancel(ctx), transport, name, r)
}

// doIdle sends a request, leaves its connection idle, and sends the request again. It returns
// the first exchange.
func (s *sender) doIdle(ctx context.Context, name string, r request, wait time.Duration) *exchange {
	transport := s.transport()
	defer transport.CloseIdleConnections()
	closed := make(chan struct{})
	var once sync.Once
	dial := transport.DialContext
	transport.DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
		c, err := dial(ctx, network, address)
		return &watchedConn{Conn: c, ended: func() { once.Do(func() { close(closed) }) }}, err
	}
	sending := context.WithoutCancel(ctx)
	first := s.send(sending, transport, name, r)
	if first.Failed != nil {
		return first
	}
	begin := time.Now()
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-closed:
		first.Idle = &idleness{Waited: time.Since(begin), Closed: true}
		return first
	case <-ctx.Done():
		return first
	case <-timer.C:
	}
	first.Idle = &idleness{Waited: wait}
	reused := false
	sending = httptrace.WithClientTrace(sending, &httptrace.ClientTrace{GotConn: func(info httptrace.GotConnInfo) { reused = info.Reused }})
	second := s.send(sending, transport, name, r)
	first.Idle.Reused = reused && second.Failed == nil
	return first
}

// watchedConn calls ended when the connection ends.
type watchedConn struct {
	net.Conn
	ended func()
}

func (c *watchedConn) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	if err != nil {
		c.ended()
	}
	return n, err
}

// transport returns a transport that connects as the client's default one does.
func (s *sender) transport() *http.Transport {
	var protocols http.Protocols
	protocols.SetHTTP1(true)
	dial := s.dial
	if dial == nil {
		dial = (&net.Dialer{Timeout: 10 * time.Second}).DialContext
	}
	return &http.Transport{
		Proxy:                  http.ProxyFromEnvironment,
		DialContext:            dial,
		TLSClientConfig:        &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: s.roots},
		TLSHandshakeTimeout:    10 * time.Second,
		Protocols:              &protocols,
		DisableCompression:     true,
		MaxResponseHeaderBytes: maxReply,
	}
}

// maxReply is the maximum number of bytes kept of a reply.
const maxReply = 64 << 10

var hash = regexp.MustCompile(`[0-9a-f]{64}`)

func (s *sender) send(ctx context.Context, transport *http.Transport, name string, r request) *exchange {
	// Do not keep the hash of the connection authentication.
	kept := request{URL: r.URL, Query: hash.ReplaceAllString(r.Query, "[hak]"), ContentType: r.ContentType, Body: hash.ReplaceAllString(r.Body, "[hak]")}
	x := &exchange{Request: kept, Sent: time.Now()}
	ctx, cancel := context.WithTimeout(ctx, s.timeout)
	defer cancel()
	err := func() error {
		target := r.URL
		if r.Query != "" {
			target += "?" + r.Query
		}
		req, err := http.NewRequestWithContext(ctx, http.MethodPost, target, strings.NewReader(r.Body))
		if err != nil {
			return err
		}
		req.GetBody = nil // Never send anything a second time.
		if r.ContentType != "" {
			req.Header.Set("Content-Type", r.ContentType)
		}
		req.Header.Set("User-Agent", "jpayment-go (probe "+name+")")
		resp, err := transport.RoundTrip(req)
		if err != nil {
			return err
		}
		defer resp.Body.Close() //nolint:errcheck // The body was read; the error does not matter.
		x.Status, x.Proto, x.ContentType = resp.StatusCode, resp.Proto, resp.Header.Get("Content-Type")
		if resp.TLS != nil {
			x.TLS = tls.VersionName(resp.TLS.Version)
		}
		x.Body, err = io.ReadAll(io.LimitReader(resp.Body, maxReply))
		return err
	}()
	x.Took = time.Since(x.Sent)
	if err != nil {
		what := console.What(err)
		x.Failed, x.TimedOut = &what, errors.Is(err, context.DeadlineExceeded)
		x.Status, x.Proto, x.TLS, x.ContentType, x.Body = 0, "", "", "", nil
	}
	return x
}

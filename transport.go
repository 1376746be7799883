package jpayment

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"time"
)

// maxConnections bounds the default transport's connections.
const maxConnections = 64

// maxReply bounds a reply, in bytes. A row has at most a few thousand.
const maxReply = 64 << 10

// newTransport returns the default transport.
func newTransport() *http.Transport {
	// An HTTP/2 server may return a request as unprocessed after it was written, for the
	// client to repeat. Nothing proves that claim, so the client does not use HTTP/2
	// (docs/protocol.md, assumption 73).
	var protocols http.Protocols
	protocols.SetHTTP1(true)
	return &http.Transport{
		Proxy:               http.ProxyFromEnvironment,
		DialContext:         (&net.Dialer{Timeout: 10 * time.Second, KeepAlive: 30 * time.Second}).DialContext,
		TLSClientConfig:     &tls.Config{MinVersion: tls.VersionTLS12},
		TLSHandshakeTimeout: 10 * time.Second,
		Protocols:           &protocols,
		DisableCompression:  true,
		// By default net/http keeps 2 idle connections, so that concurrent callers open a
		// new one for nearly every call.
		MaxIdleConnsPerHost: maxConnections,
		MaxConnsPerHost:     maxConnections,
		// Common servers close an idle connection after two minutes. Writing to a
		// connection that the server is closing makes the outcome unknown
		// (docs/protocol.md, assumption 13).
		IdleConnTimeout:        30 * time.Second,
		MaxResponseHeaderBytes: maxReply,
		OnProxyConnectResponse: func(_ context.Context, _ *url.URL, _ *http.Request, resp *http.Response) error {
			if resp.StatusCode != http.StatusOK {
				return textError{textf(
					"the proxy refused CONNECT with HTTP status %d",
					"プロキシがCONNECTを拒否しました（HTTPステータス %d）", resp.StatusCode)}
			}
			return nil
		},
	}
}

// sending is a request on its way, with what net/http reports about it. It is a single
// allocation.
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
	req.Body = io.NopCloser(&s.body) // For any other type net/http writes head and body separately.
	// net/http asks for the body again in two cases. Over HTTP/1 it does so if it has
	// written nothing to a connection that turns out to be closed, which is harmless. Over
	// HTTP/2 it does so if the server claims not to have processed the request, which
	// nothing proves.
	req.GetBody = func() (io.ReadCloser, error) {
		if s.http2.Load() {
			return nil, textError{Text{
				"the server claims over HTTP/2 that it did not process the request",
				"リクエストは未処理だとサーバーがHTTP/2で通知しました（確認できません）",
			}}
		}
		return io.NopCloser(strings.NewReader(s.text)), nil
	}
	return req
}

// notSent reports whether it is proved that no byte of the request was written: the
// transport asked for a connection, so it supports httptrace, and got none. Connecting
// includes the proxy's CONNECT and the TLS handshake.
func (s *sending) notSent() bool { return s.wanted.Load() && !s.got.Load() }

// readAtMost reads up to n bytes.
func readAtMost(r io.Reader, n int) ([]byte, error) {
	b := make([]byte, 0, 512)
	for {
		m, err := r.Read(b[len(b):min(cap(b), n)])
		b = b[:len(b)+m]
		switch {
		case err == io.EOF, err == nil && len(b) == n:
			return b, nil
		case err != nil:
			return b, err
		case len(b) == cap(b):
			b = slices.Grow(b, len(b))
		}
	}
}

// cause is an error from outside this package. It prints its text only if that cannot
// contain private data; errors.Is and errors.As see the error itself.
type cause struct {
	err *error // A pointer, since fmt prints unexported fields without calling their methods.
}

func hide(err error) cause { return cause{&err} }

func (c cause) Error() string { return c.what().En }

func (c cause) what() Text { return describe(*c.err) }

// Unwrap returns the error.
func (c cause) Unwrap() error { return *c.err }

// describe returns the text of an error if its kind cannot contain private data, only
// addresses, host names, certificates and timeouts. For any other error it returns only the
// type: a custom transport's error may quote the request, or a proxy's URL with its password.
func describe(err error) Text {
	var (
		ours     textError
		dns      *net.DNSError
		cert     *tls.CertificateVerificationError
		hostname x509.HostnameError
		issuer   x509.UnknownAuthorityError
		record   tls.RecordHeaderError
		op       *net.OpError
		errno    syscall.Errno

		timeout interface{ Timeout() bool }
	)
	switch {
	case err == nil:
		return Text{"the cause is unknown", "原因は不明です"}
	case errors.Is(err, context.Canceled):
		return Text{"the context was cancelled", "処理が中断されました"}
	case errors.Is(err, context.DeadlineExceeded):
		return Text{"timed out", "タイムアウトしました"}
	case errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF):
		return Text{"the connection was closed early", "接続が途中で切断されました"}
	case errors.As(err, &ours):
		return ours.Text
	case errors.As(err, &dns):
		return Text{dns.Error(), "ホスト名 " + dns.Name + " を解決できません"}
	case errors.As(err, &cert):
		ja := "サーバー証明書を検証できません"
		switch {
		case errors.As(err, &hostname):
			ja = "サーバー証明書が " + hostname.Host + " のものではありません"
		case errors.As(err, &issuer):
			ja = "サーバー証明書の発行元を信頼できません"
		}
		return Text{cert.Error(), ja}
	case errors.As(err, &record):
		return Text{record.Error(), "サーバーがTLSに対応していません"}
	case errors.Is(err, http.ErrSchemeMismatch):
		return Text{http.ErrSchemeMismatch.Error(), "サーバーがTLSに対応していません"}
	case errors.As(err, &op) && errors.As(err, &errno):
		return Text{op.Op + " " + op.Net + ": " + errno.Error(), errnoJa(errno) + "（" + op.Op + " " + op.Net + "）"}
	case op != nil && (op.Op == "remote error" || op.Op == "local error"): // TLS alerts
		return Text{op.Op + ": " + op.Err.Error(), "TLSの接続を確立できません（" + op.Err.Error() + "）"}
	case errors.As(err, &timeout) && timeout.Timeout():
		return Text{"timed out", "タイムアウトしました"}
	}
	for errors.Unwrap(err) != nil {
		err = errors.Unwrap(err)
	}
	// net/http does not export this error.
	if err.Error() == "http: server closed idle connection" {
		return Text{"the server closed an idle connection", "保持していた接続がサーバー側で切断されました"}
	}
	return Text{fmt.Sprintf("error of type %T", err), fmt.Sprintf("%T 型のエラー", err)}
}

// errnoJa returns an operating system's error in Japanese. It uses the names that Unix and
// Windows share.
func errnoJa(errno syscall.Errno) string {
	for _, e := range []struct {
		errno syscall.Errno
		ja    string
	}{
		{syscall.ECONNREFUSED, "接続が拒否されました"},
		{syscall.ECONNRESET, "接続がリセットされました"},
		{syscall.ECONNABORTED, "接続が中止されました"},
		{syscall.ETIMEDOUT, "接続がタイムアウトしました"},
		{syscall.EHOSTUNREACH, "サーバーに到達できません"},
		{syscall.ENETUNREACH, "ネットワークに到達できません"},
		{syscall.EPIPE, "接続が切断されました"},
		{syscall.EMFILE, "開けるファイルの数が上限に達しました"},
	} {
		if errno == e.errno {
			return e.ja
		}
	}
	return "通信できません（エラー番号 " + strconv.Itoa(int(errno)) + "）"
}

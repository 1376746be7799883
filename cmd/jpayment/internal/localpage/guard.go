// Package localpage has the common parts of the pages that the command serves on this machine:
// listening, access, language and style.
package localpage

import (
	"context"
	"crypto/subtle"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"

	"github.com/jpayment-go/jpayment"
)

// MinToken is the minimum length of a token in bytes. A shorter one could be guessed.
const MinToken = 16

// tokenError reports a missing or short token.
type tokenError struct{ what jpayment.Text }

func (e *tokenError) Error() string       { return e.what.En }
func (e *tokenError) What() jpayment.Text { return e.what }

// The errors of Listen about the token.
var (
	ErrNoToken error = &tokenError{jpayment.Text{
		En: "can be reached from other machines and needs a control token",
		Ja: "ほかのマシンから接続できるアドレスのため、トークンが必要です",
	}}
	ErrShortToken error = &tokenError{jpayment.Text{
		En: fmt.Sprintf("the control token is shorter than %d bytes", MinToken),
		Ja: fmt.Sprintf("トークンが%dバイト未満です", MinToken),
	}}
)

// Listener is the listener of a page server.
type Listener struct {
	net.Listener
	loopback bool
	token    string
}

// Listen listens on an address. An address that other machines can reach needs a token, which
// the pages then require.
func Listen(ctx context.Context, address, token string) (*Listener, error) {
	if token != "" && len(token) < MinToken {
		return nil, ErrShortToken
	}
	var config net.ListenConfig
	listener, err := config.Listen(ctx, "tcp", address)
	if err != nil {
		return nil, err
	}
	addr, ok := listener.Addr().(*net.TCPAddr)
	loopback := ok && addr.IP.IsLoopback()
	if !loopback && token == "" {
		_ = listener.Close() // The first error is returned.
		return nil, fmt.Errorf("%s: %w", listener.Addr(), ErrNoToken)
	}
	return &Listener{listener, loopback, token}, nil
}

// URL returns the base URL of all pages for this machine, without a trailing slash.
func (l *Listener) URL() string {
	if addr, ok := l.Addr().(*net.TCPAddr); ok && addr.IP.IsUnspecified() {
		return fmt.Sprintf("http://127.0.0.1:%d", addr.Port)
	}
	return "http://" + l.Addr().String()
}

// contentPolicy lets a page load only its own style and script.
const contentPolicy = "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; " +
	"form-action 'self'; frame-ancestors 'none'; base-uri 'none'"

// Guard returns a handler that passes only permitted requests on to next. Other web pages in
// the browser can neither post here (cross-origin protection) nor read pages by resolving their
// own name to this machine (host check). The browser shows the realm when it asks for the
// token. Refuse answers a request that is not permitted.
func (l *Listener) Guard(realm string, refuse func(http.ResponseWriter, *http.Request, int, jpayment.Text), next http.Handler) http.Handler {
	crossOrigin := http.NewCrossOriginProtection()
	crossOrigin.SetDenyHandler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		refuse(w, r, http.StatusForbidden, OtherSite)
	}))
	next = crossOrigin.Handler(next)

	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		header := w.Header()
		header.Set("Content-Security-Policy", contentPolicy)
		header.Set("X-Content-Type-Options", "nosniff")
		// With no-referrer, browsers would send the forms of this page with the Origin null.
		header.Set("Referrer-Policy", "same-origin")
		header.Set("Cache-Control", "no-store")
		switch {
		case l.loopback && !isLoopbackHost(r.Host):
			refuse(w, r, http.StatusForbidden, jpayment.Text{
				En: "the Host header does not name the loopback interface", Ja: "Host ヘッダーがこのマシン（127.0.0.1・localhost）ではありません",
			})
		case !l.authorized(r):
			header.Set("WWW-Authenticate", fmt.Sprintf(`Basic realm=%q, charset="UTF-8"`, realm))
			refuse(w, r, http.StatusUnauthorized, jpayment.Text{
				En: "the control token is missing or wrong: send it as the password or as a bearer token",
				Ja: "トークンがないか、正しくありません。パスワードまたは Bearer トークンとして指定してください",
			})
		default:
			next.ServeHTTP(w, r)
		}
	})
}

// OtherSite is the reason for refusing a request that another web page made the browser send.
var OtherSite = jpayment.Text{En: "the request comes from another web site", Ja: "別のウェブサイトからのリクエストです"}

// IsOfAnotherSite reports whether, according to the browser's headers, another web page made
// it send the request. A merchant's server does not send these headers. Unlike Guard, it covers
// every method, for handlers that also accept GET, as the gateway does.
func (l *Listener) IsOfAnotherSite(r *http.Request) bool {
	site, origin := r.Header.Get("Sec-Fetch-Site"), r.Header.Get("Origin")
	if site == "" && origin == "" { // not a browser
		return false
	}
	if l.loopback && !isLoopbackHost(r.Host) { // another name that resolves to this machine
		return true
	}
	if site != "" {
		return site != "same-origin" && site != "none"
	}
	u, err := url.Parse(origin)
	return err != nil || u.Host != r.Host
}

func (l *Listener) authorized(r *http.Request) bool {
	if l.token == "" {
		return true
	}
	given, bearer := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if !bearer {
		_, given, _ = r.BasicAuth()
	}
	return subtle.ConstantTimeCompare([]byte(given), []byte(l.token)) == 1
}

func isLoopbackHost(hostport string) bool {
	host := hostport
	if h, _, err := net.SplitHostPort(hostport); err == nil {
		host = h
	}
	host = strings.TrimSuffix(strings.TrimPrefix(host, "["), "]")
	addr, err := netip.ParseAddr(host)
	return err == nil && addr.Unmap().IsLoopback() || strings.EqualFold(host, "localhost")
}

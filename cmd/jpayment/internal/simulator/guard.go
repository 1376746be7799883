package simulator

import (
	"crypto/subtle"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"

	"github.com/jpayment-go/jpayment"
)

// contentPolicy lets a page load its style and its script from here, and nothing else
// from anywhere.
const contentPolicy = "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; " +
	"form-action 'self'; frame-ancestors 'none'; base-uri 'none'"

// guard keeps the panel and the API to those who are meant to use them: other web pages
// that the browser has open can neither post here (cross-origin protection) nor read by
// having their own name point here (the host check). The gateway's pages ask for no token,
// as the real ones do not: see isOfAnotherSite.
func (s *Simulator) guard(next http.Handler) http.Handler {
	crossOrigin := http.NewCrossOriginProtection()
	crossOrigin.SetDenyHandler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		refuse(w, r, http.StatusForbidden, otherSite)
	}))
	next = crossOrigin.Handler(next)

	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		header := w.Header()
		header.Set("Content-Security-Policy", contentPolicy)
		header.Set("X-Content-Type-Options", "nosniff")
		// same-origin and not no-referrer: with the latter, browsers send the forms of
		// this page with the Origin null.
		header.Set("Referrer-Policy", "same-origin")
		header.Set("Cache-Control", "no-store")
		switch {
		case s.loopback && !isLoopbackHost(r.Host):
			refuse(w, r, http.StatusForbidden, jpayment.Text{
				En: "the Host header does not name this machine's loopback", Ja: "Host ヘッダーがこのマシン（127.0.0.1・localhost）ではありません",
			})
		case !s.authorized(r):
			header.Set("WWW-Authenticate", `Basic realm="jpayment simulate", charset="UTF-8"`)
			refuse(w, r, http.StatusUnauthorized, jpayment.Text{
				En: "the control token is missing or wrong: give it as password or as bearer token",
				Ja: "トークンがないか、正しくありません。パスワードまたは Bearer トークンとして指定してください",
			})
		default:
			next.ServeHTTP(w, r)
		}
	})
}

var otherSite = jpayment.Text{En: "the request comes from another web site", Ja: "別のウェブサイトからのリクエストです"}

// isOfAnotherSite reports whether a browser says that another web page made it send the
// request: it would come from a registered address, that of the browser's machine. A
// merchant's server says nothing of the kind. As the gateway takes GET too, every method
// counts.
func (s *Simulator) isOfAnotherSite(r *http.Request) bool {
	site, origin := r.Header.Get("Sec-Fetch-Site"), r.Header.Get("Origin")
	if site == "" && origin == "" { // no browser
		return false
	}
	if s.loopback && !isLoopbackHost(r.Host) { // a name that was made to point here
		return true
	}
	if site != "" {
		return site != "same-origin" && site != "none"
	}
	u, err := url.Parse(origin)
	return err != nil || u.Host != r.Host
}

func (s *Simulator) authorized(r *http.Request) bool {
	if s.token == "" {
		return true
	}
	given, bearer := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if !bearer {
		_, given, _ = r.BasicAuth()
	}
	return subtle.ConstantTimeCompare([]byte(given), []byte(s.token)) == 1
}

// refuse answers in the shape that the caller reads.
func refuse(w http.ResponseWriter, r *http.Request, status int, reason jpayment.Text) {
	if strings.HasPrefix(r.URL.Path, "/control/") {
		refuseJSON(w, r, &refusal{status, reason})
		return
	}
	http.Error(w, in(languageOf(r), reason), status)
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

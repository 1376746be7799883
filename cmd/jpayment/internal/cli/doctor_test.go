package cli

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/jpayment-go/jpayment"
	"github.com/jpayment-go/jpayment/cmd/jpayment/internal/console"
	"github.com/jpayment-go/jpayment/jpaymenttest"
)

// patient is a machine and its gateway.
type patient struct {
	session
	gateway *jpaymenttest.Server
}

func TestDoctor(t *testing.T) {
	t.Parallel()
	answering := func(h http.HandlerFunc) func(*testing.T, *patient) {
		return func(t *testing.T, p *patient) {
			t.Helper()
			server := httptest.NewServer(h)
			t.Cleanup(server.Close)
			p.vars["JPAYMENT_URL"] = server.URL
		}
	}
	refusing := func(code jpayment.Code) func(*testing.T, *patient) {
		return func(_ *testing.T, p *patient) {
			p.gateway.Fail(jpaymenttest.Fault{Kind: jpaymenttest.AnswerCode, Operation: jpayment.OpCancel, Code: code})
		}
	}
	// overTLS puts the gateway behind TLS.
	overTLS := func(t *testing.T, p *patient) *httptest.Server {
		t.Helper()
		server := httptest.NewUnstartedServer(p.gateway)
		server.Config.ErrorLog = log.New(io.Discard, "", 0) // Some tests need a failing handshake.
		server.StartTLS()
		t.Cleanup(server.Close)
		p.vars["JPAYMENT_URL"] = server.URL
		p.roots = x509.NewCertPool()
		p.roots.AddCert(server.Certificate())
		return server
	}
	for name, c := range map[string]struct {
		set    func(*testing.T, *patient)
		status int
	}{
		"fine":     {func(*testing.T, *patient) {}, console.Done},
		"no-store": {func(_ *testing.T, p *patient) { delete(p.vars, "JPAYMENT_STORE") }, console.Done},
		"tls":      {func(t *testing.T, p *patient) { t.Helper(); overTLS(t, p) }, console.Done},
		"localhost": {func(_ *testing.T, p *patient) {
			_, port, _ := net.SplitHostPort(p.gateway.URL[len("http://"):])
			p.vars["JPAYMENT_URL"] = "http://localhost:" + port
		}, console.Done},
		"bad-certificate": {func(t *testing.T, p *patient) {
			t.Helper()
			overTLS(t, p)
			p.roots = x509.NewCertPool()
		}, console.Failed},
		"source-address": {func(_ *testing.T, p *patient) { p.gateway.RegisterIPs() }, console.Failed},
		"maintenance":    {func(_ *testing.T, p *patient) { p.gateway.SetMaintenance(true) }, console.Failed},
		"refused-port":   {func(t *testing.T, p *patient) { t.Helper(); p.vars["JPAYMENT_URL"] = nobody(t) }, console.Failed},
		"no-such-name":   {func(_ *testing.T, p *patient) { p.vars["JPAYMENT_URL"] = "https://gateway.invalid" }, console.Failed},
		"wrong-store":    {refusing("ER050"), console.Failed},
		"not-contracted": {refusing("ER564"), console.Failed},
		"cancel-failed":  {refusing("ER033"), console.Done},
		"busy":           {refusing("ER010"), console.Failed},
		"lost":           {refusing("ER000"), console.Failed},
		"no-answer": {func(_ *testing.T, p *patient) {
			p.gateway.Fail(jpaymenttest.Fault{Kind: jpaymenttest.DropBeforeBooking, Operation: jpayment.OpCancel})
		}, console.Failed},
		"cancelled": {answering(func(w http.ResponseWriter, r *http.Request) {
			if r.FormValue("jb") == "" {
				io.WriteString(w, "ER:ER050\r\n")
				return
			}
			io.WriteString(w, "0,1,0001111,,20000001,,0,0,0,0,,,\r\n")
		}), console.Failed},
		"portal": {answering(func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "<html>log in</html>") }), console.Failed},
		"redirect": {answering(func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "http://portal.example/", http.StatusFound)
		}), console.Failed},
		"hang-up": {answering(func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }), console.Failed},
		"silence": {func(_ *testing.T, p *patient) {
			p.vars["JPAYMENT_URL"] = silent(t)
			p.vars["JPAYMENT_TIMEOUT"] = "200ms"
		}, console.Failed},
		"connection-auth": {func(t *testing.T, p *patient) {
			t.Helper()
			p.gateway = jpaymenttest.NewServer(t, jpaymenttest.WithConnectionAuth("code"))
			p.vars["JPAYMENT_URL"], p.vars["JPAYMENT_CONNECTION_AUTH"] = p.gateway.URL, "code"
		}, console.Done},
		"proxy": {func(t *testing.T, p *patient) {
			t.Helper()
			overTLS(t, p)
			p.proxy = http.ProxyURL(startProxy(t, http.StatusOK))
		}, console.Done},
		"proxy-refuses": {func(t *testing.T, p *patient) {
			t.Helper()
			overTLS(t, p)
			p.proxy = http.ProxyURL(startProxy(t, http.StatusForbidden))
		}, console.Failed},
		"bad-proxy": {func(_ *testing.T, p *patient) {
			p.proxy = func(*http.Request) (*url.URL, error) { return nil, errors.New("canary") }
		}, console.Usage},
		"bad-url":      {func(_ *testing.T, p *patient) { p.vars["JPAYMENT_URL"] = "http://example.com" }, console.Usage},
		"bad-settings": {func(_ *testing.T, p *patient) { p.vars["JPAYMENT_TIMEOUT"] = "soon" }, console.Usage},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := jpaymenttest.NewServer(t)
			p := &patient{session: at(g), gateway: g}
			c.set(t, p)
			en, ja := p.run(t, "doctor"), p.run(t, "doctor", "--lang", "ja")
			require.Equal(t, c.status, en.status, en.stdout+en.stderr)
			require.Equal(t, c.status, ja.status)
			require.NotContains(t, en.stdout+en.stderr, canary)
			require.Empty(t, englishIn(ja.stdout+ja.stderr, "O=Acme Co", "gateway.invalid", "localhost"), ja.stdout)
			if name != "no-such-name" && name != "localhost" { // The message is that of the machine's resolver.
				golden(t, "doctor-"+name, en, ja)
			}
			for _, r := range p.gateway.Requests() {
				require.False(t, r.Booked)
			}
		})
	}
}

// With the profile of a store, the doctor prints the client options that the store needs.
func TestDoctorTellsAProfile(t *testing.T) {
	t.Parallel()
	g := jpaymenttest.NewServer(t)
	path := storeProfile(t)
	en, ja := at(g).run(t, "doctor", "--profile", path), at(g).run(t, "doctor", "--profile", path, "--lang", "ja")
	en.args, ja.args = []string{"doctor", "--profile", "store.json"}, []string{"doctor", "--profile", "store.json", "--lang", "ja"}
	golden(t, "doctor-profile", en, ja)
	require.Empty(t, englishIn(regexp.MustCompile("`[^`]*`|jpayment.*").ReplaceAllString(ja.stdout, "")))

	assumed := filepath.Join("..", "..", "..", "..", "testdata", "profiles", "assumed.json")
	require.Contains(t, at(g).run(t, "doctor", "--profile", assumed).stdout, "\nThe profile refutes no assumption")
}

// The doctor never changes a payment, whatever the books contain.
func TestDoctorTouchesNoPayment(t *testing.T) {
	t.Parallel()
	g := jpaymenttest.NewServer(t)
	id := g.Authorize(purchase)
	require.Equal(t, console.Done, at(g).run(t, "doctor").status)
	requests := g.Requests()
	require.Len(t, requests, 2)
	require.Empty(t, requests[0].Form)
	require.Equal(t, "0", requests[1].Form.Get("tid"))
	require.Equal(t, "CANCEL", requests[1].Form.Get("jb"))
	p, _ := g.Payment(id)
	require.Equal(t, jpaymenttest.Authorized, p.State)
}

func TestExpiredCertificate(t *testing.T) {
	t.Parallel()
	d := doctor{world: world{env: func(string) string { return "" }, stdout: io.Discard}, lang: console.English}
	expired := &tls.CertificateVerificationError{Err: x509.CertificateInvalidError{Reason: x509.Expired}, UnverifiedCertificates: []*x509.Certificate{{}}}
	d.tlsFailed(expired)
	require.True(t, d.failed)
	require.Contains(t, d.advice[0], "clock")
}

// silent returns the address of a gateway that accepts connections and never answers.
func silent(t *testing.T) string {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }))
	t.Cleanup(server.Close)
	return server.URL
}

// startProxy starts a proxy that answers CONNECT with the status, and connects if that is
// 200. It requires a password, which must never be shown.
func startProxy(t *testing.T, status int) *url.URL {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if status != http.StatusOK || r.Method != http.MethodConnect {
			w.WriteHeader(status)
			return
		}
		up, err := (&net.Dialer{}).DialContext(r.Context(), "tcp", r.Host)
		if err != nil {
			w.WriteHeader(http.StatusBadGateway)
			return
		}
		defer up.Close()
		down, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			return
		}
		defer down.Close()
		io.WriteString(down, "HTTP/1.1 200 Connection established\r\n\r\n")
		done := make(chan struct{})
		go func() { io.Copy(up, down); up.Close(); close(done) }()
		io.Copy(down, up)
		down.Close()
		<-done
	}))
	t.Cleanup(server.Close)
	u, err := url.Parse(server.URL)
	require.NoError(t, err)
	u.User = url.UserPassword("user", canary)
	return u
}

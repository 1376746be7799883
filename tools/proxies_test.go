package tools

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/jpayment-go/jpayment"
)

// The addresses of this test, all on this machine. Proxies use the first.
const (
	proxyAddress   = "127.0.0.1"
	gatewayAddress = "127.0.0.2"
	otherAddress   = "127.0.0.3"
)

// forwardedSpoofs are values of the header Host that attack a proxy which quotes it.
var forwardedSpoofs = []http.Header{
	{"Host": {"x,for=" + gatewayAddress}},
	{"Host": {"x;for=" + gatewayAddress}},
	{"Host": {`x",for=` + gatewayAddress + `;a="`}},
	{"Host": {`x";for=` + gatewayAddress + `;a="`}},
	{"Host": {`x\`}, "Forwarded": {"for=" + gatewayAddress + `;host="`}},
	{"Host": {`;a="`}, "Forwarded": {"for=" + gatewayAddress + `;host="`}},
	{"Forwarded": {"for=" + gatewayAddress}},
	{"X-Forwarded-For": {gatewayAddress}},
	{"X-Forwarded-For": {gatewayAddress}, "Forwarded": {"for=" + gatewayAddress}},
}

// The configurations in docs/kickbacks.md work in nginx and HAProxy. Behind both, only the
// gateway's address is admitted, whatever headers a client sends, and only the OK for an
// accepted kickback has a body.
func TestProxies(t *testing.T) {
	t.Parallel()
	var guide page
	for _, p := range documents(t) {
		if p.path == "docs/kickbacks.md" {
			guide = p
		}
	}
	one := func(lang string) string {
		blocks := guide.blocks(lang)
		require.Len(t, blocks, 1, lang)
		return blocks[0].text
	}
	for name, tt := range map[string]struct {
		program string
		start   func(dir, config, port, upstream string) *exec.Cmd
		config  string
		spoofs  []http.Header
	}{
		"nginx": {
			program: "nginx", start: startNginx, config: one("nginx"),
			spoofs: []http.Header{{"X-Forwarded-For": {gatewayAddress}}},
		},
		// A configuration that quotes the header Host, which the client controls.
		"nginx with Forwarded": {
			program: "nginx", start: startNginx,
			config: strings.ReplaceAll(one("nginx"), `X-Forwarded-For $proxy_add_x_forwarded_for`, `Forwarded "for=$remote_addr;host=\"$http_host\""`),
			spoofs: forwardedSpoofs,
		},
		// One that also passes on the client's Forwarded header.
		"nginx that adds to Forwarded": {
			program: "nginx", start: startNginx,
			config: strings.ReplaceAll(one("nginx"), `X-Forwarded-For $proxy_add_x_forwarded_for`, `Forwarded "$http_forwarded, for=$remote_addr;host=\"$http_host\""`),
			spoofs: forwardedSpoofs,
		},
		"HAProxy": {
			program: "haproxy", start: startHAProxy, config: one("haproxy"),
			spoofs: []http.Header{{"X-Forwarded-For": {gatewayAddress}}, {"Forwarded": {"for=" + gatewayAddress}}},
		},
		"HAProxy with Forwarded": {
			program: "haproxy", start: startHAProxy,
			config: strings.ReplaceAll(one("haproxy"), `option forwardfor`, `http-request add-header Forwarded "for=%[src];host=\"%[req.hdr(host)]\""`),
			spoofs: forwardedSpoofs,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if _, err := exec.LookPath(tt.program); err != nil && os.Getenv("CI") == "" {
				t.Skip(tt.program + " is not installed")
			}
			upstream := serveKickbacks(t)
			port := freePort(t)
			cmd := tt.start(t.TempDir(), tt.config, port, upstream)
			said := new(strings.Builder)
			cmd.Stdout, cmd.Stderr = said, said
			require.NoError(t, cmd.Start())
			t.Cleanup(func() {
				_ = cmd.Process.Kill()
				_ = cmd.Wait()
			})
			require.Eventually(t, func() bool {
				conn, err := (&net.Dialer{}).DialContext(context.Background(), "tcp", proxyAddress+":"+port)
				if err == nil {
					conn.Close()
				}
				return err == nil
			}, 20*time.Second, 20*time.Millisecond, "%s does not listen: %s", tt.program, said)

			const query = "gid=10000001&rst=1&am=1000&tx=80&sf=500&ta=1580"
			get := func(from, target string, headers http.Header) string { return ask(t, from, port, target, headers) }
			require.Equal(t, "OK", get(gatewayAddress, "/kickback?"+query, nil))
			require.Empty(t, get(otherAddress, "/kickback?"+query, nil))
			for _, headers := range tt.spoofs {
				require.Empty(t, get(otherAddress, "/kickback?"+query, headers), headers)
			}
			require.Empty(t, get(gatewayAddress, "/kickback?x=1", nil), "not a kickback")
			require.Empty(t, get(gatewayAddress, "/other?"+query, nil), "an unknown path")
			require.Empty(t, get(gatewayAddress, "/kickback?x="+strings.Repeat("x", 40<<10), nil), "too long")
			require.Empty(t, get(gatewayAddress, "/kickback?"+strings.Replace(query, "&am", "&cod=a b&am", 1), nil), "a raw space")
		})
	}
}

// serveKickbacks serves a handler that admits only the gateway's address, and returns its
// own address.
func serveKickbacks(t *testing.T) string {
	t.Helper()
	handler, err := jpayment.NewUnverifiedKickbackHandler(
		func(context.Context, *jpayment.UnverifiedKickback) error { return nil },
		jpayment.KickbackAllowFrom(netip.MustParsePrefix(gatewayAddress+"/32")),
		jpayment.KickbackTrustProxy(netip.MustParsePrefix(proxyAddress+"/32")),
	)
	require.NoError(t, err)
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", proxyAddress+":0")
	require.NoError(t, err)
	mux := http.NewServeMux()
	mux.Handle("/kickback", handler)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- jpayment.ServeKickbacks(ctx, listener, mux) }()
	t.Cleanup(func() {
		cancel()
		require.NoError(t, <-done)
	})
	return listener.Addr().String()
}

// ask sends a request line unchanged and returns the body of the answer, or "" if there is no
// answer.
func ask(t *testing.T, from, port, target string, headers http.Header) string {
	t.Helper()
	conn, err := (&net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(from)}}).DialContext(t.Context(), "tcp", proxyAddress+":"+port)
	require.NoError(t, err)
	defer conn.Close()
	request := "GET " + target + " HTTP/1.1\r\nConnection: close\r\n"
	if headers.Get("Host") == "" {
		request += "Host: merchant.example\r\n"
	}
	for name, values := range headers {
		request += name + ": " + values[0] + "\r\n"
	}
	_, _ = io.WriteString(conn, request+"\r\n") // A server that refuses need not read it all.
	require.NoError(t, conn.SetReadDeadline(time.Now().Add(20*time.Second)))
	answer, _ := io.ReadAll(conn) // The connection may be reset instead of answered.
	_, body, _ := strings.Cut(string(answer), "\r\n\r\n")
	return body
}

func freePort(t *testing.T) string {
	t.Helper()
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", proxyAddress+":0")
	require.NoError(t, err)
	defer l.Close()
	return fmt.Sprint(l.Addr().(*net.TCPAddr).Port)
}

func startNginx(dir, config, port, upstream string) *exec.Cmd {
	text := "daemon off; master_process off; pid " + dir + "/pid; error_log stderr;\nevents {}\nhttp {\naccess_log off;\n"
	for _, temp := range []string{"client_body", "proxy", "fastcgi", "uwsgi", "scgi"} {
		text += temp + "_temp_path " + dir + "/" + temp + ";\n"
	}
	text += "server {\nlisten " + proxyAddress + ":" + port + ";\n" + strings.ReplaceAll(config, "127.0.0.1:8443", upstream) + "}\n}\n"
	return program(dir, text, "nginx", "-p", dir, "-e", "stderr", "-c")
}

func startHAProxy(dir, config, port, upstream string) *exec.Cmd {
	text := "global\nmaxconn 100\ndefaults\ntimeout connect 10s\ntimeout client 30s\ntimeout server 30s\n" +
		strings.NewReplacer("127.0.0.1:8443", upstream, "bind :8080", "bind "+proxyAddress+":"+port).Replace(config)
	return program(dir, text, "haproxy", "-db", "-f")
}

func program(dir, config, name string, args ...string) *exec.Cmd {
	file := filepath.Join(dir, "config")
	if err := os.WriteFile(file, []byte(config), 0o600); err != nil {
		panic(err)
	}
	return exec.CommandContext(context.Background(), name, append(args, file)...) // The test ends it.
}

package clientip_test

import (
	"net/http"
	"net/netip"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/jpayment-go/jpayment/internal/clientip"
)

var proxies = []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("fd00::/8")}

func TestOf(t *testing.T) {
	t.Parallel()
	const unknown = ""
	for name, tt := range map[string]struct {
		peer           string
		xff, forwarded []string
		want           string
	}{
		"no proxy":                     {"192.0.2.1:1000", []string{"198.51.100.7"}, nil, "192.0.2.1"},
		"mapped":                       {"[::ffff:192.0.2.1]:1000", nil, nil, "192.0.2.1"},
		"a proxy that reports nobody":  {"10.0.0.1:1000", nil, nil, unknown},
		"one proxy":                    {"10.0.0.1:1000", []string{"192.0.2.1"}, nil, "192.0.2.1"},
		"two proxies":                  {"10.0.0.1:1000", []string{"192.0.2.1, 10.0.0.2"}, nil, "192.0.2.1"},
		"several lines":                {"10.0.0.1:1000", []string{"203.0.113.9", "192.0.2.1"}, nil, "192.0.2.1"},
		"what the client wrote":        {"10.0.0.1:1000", []string{"54.95.223.30, 192.0.2.1"}, nil, "192.0.2.1"},
		"only proxies":                 {"10.0.0.1:1000", []string{"10.0.0.3, 10.0.0.2"}, nil, "10.0.0.3"},
		"no address":                   {"10.0.0.1:1000", []string{"192.0.2.1, unknown"}, nil, unknown},
		"forwarded":                    {"10.0.0.1:1000", nil, []string{`for=192.0.2.1;proto=https;by=10.0.0.1`}, "192.0.2.1"},
		"forwarded, quoted":            {"10.0.0.1:1000", nil, []string{`for="[2001:db8::1]:4711"`}, "2001:db8::1"},
		"forwarded, escaped":           {"10.0.0.1:1000", nil, []string{`for="192.0.2\.1"`}, "192.0.2.1"},
		"forwarded, letters":           {"10.0.0.1:1000", nil, []string{`For=192.0.2.1 ; Proto=http`}, "192.0.2.1"},
		"forwarded, several":           {"10.0.0.1:1000", nil, []string{`for=192.0.2.1, for=10.0.0.3`, `for=10.0.0.2`}, "192.0.2.1"},
		"forwarded, after nothing":     {"10.0.0.1:1000", nil, []string{`, for=192.0.2.1`}, "192.0.2.1"},
		"forwarded, nothing after":     {"10.0.0.1:1000", nil, []string{`for=192.0.2.1, `}, unknown},
		"forwarded by the client":      {"10.0.0.1:1000", nil, []string{`for=54.95.223.30, for=192.0.2.1`, `for=10.0.0.2`}, unknown},
		"forwarded, obfuscated":        {"10.0.0.1:1000", nil, []string{`for=192.0.2.1, for=_hidden`}, unknown},
		"forwarded, without for":       {"10.0.0.1:1000", nil, []string{`for=192.0.2.1, proto=https`}, unknown},
		"a quoted host":                {"10.0.0.1:1000", nil, []string{`for=192.0.2.1;host="merchant.example:443"`}, "192.0.2.1"},
		"a comma in a quoted host":     {"10.0.0.1:1000", nil, []string{`for=192.0.2.1;host="x,for=54.95.223.30"`}, unknown},
		"a semicolon in a quoted host": {"10.0.0.1:1000", nil, []string{`for=192.0.2.1;host="x;for=54.95.223.30"`}, unknown},
		// As $http_host, between quotes in nginx's configuration.
		"quotes that the client closed":    {"10.0.0.1:1000", nil, []string{`for=192.0.2.1;host="x",for=54.95.223.30;a=""`}, unknown},
		"the same, with a proxy's address": {"10.0.0.1:1000", nil, []string{`for=192.0.2.1;host="x",for=10.0.0.9;a=""`}, "192.0.2.1"},
		// As $http_forwarded before it, too.
		"quotes around the proxy's word": {"10.0.0.1:1000", nil, []string{`for=54.95.223.30;host=", for=192.0.2.1;host=";a=""`}, unknown},
		"a quote that the client opened": {"10.0.0.1:1000", nil, []string{`for=192.0.2.1;host="x",for=54.95.223.30"`}, unknown},
		"an escape in a quoted host":     {"10.0.0.1:1000", nil, []string{`for=192.0.2.1;host="x\",for=54.95.223.30"`}, unknown},
		"for twice in an element":        {"10.0.0.1:1000", nil, []string{`for=192.0.2.1;for=54.95.223.30`}, unknown},
		"no value":                       {"10.0.0.1:1000", nil, []string{`for=;host=x`}, unknown},
		"no equals sign":                 {"10.0.0.1:1000", nil, []string{`for;host=x`}, unknown},
		"an unquoted address with port":  {"10.0.0.1:1000", nil, []string{`for=192.0.2.1:4711`}, unknown},
		"an address in one bracket":      {"10.0.0.1:1000", nil, []string{`for="192.0.2.1]"`}, unknown},
		"IPv4 in brackets":               {"10.0.0.1:1000", nil, []string{`for="[192.0.2.1]"`}, unknown},
		"IPv6 without brackets":          {"10.0.0.1:1000", nil, []string{`for="2001:db8::1"`}, unknown},
		"a zone":                         {"10.0.0.1:1000", nil, []string{`for="[fe80::1%25eth0]"`}, unknown},
		"a control character":            {"10.0.0.1:1000", nil, []string{"for=192.0.2.1;host=\"x\x01\""}, unknown},
		"listed in one bracket":          {"10.0.0.1:1000", []string{"192.0.2.1]"}, nil, unknown},
		"listed IPv6":                    {"10.0.0.1:1000", []string{"2001:db8::1"}, nil, "2001:db8::1"},
		"both agree":                     {"10.0.0.1:1000", []string{"192.0.2.1"}, []string{`for=192.0.2.1`}, "192.0.2.1"},
		"both disagree":                  {"10.0.0.1:1000", []string{"192.0.2.1"}, []string{`for=54.95.223.30`}, unknown},
		"one makes no sense":             {"10.0.0.1:1000", []string{"192.0.2.1"}, []string{`for="192.0.2.1`}, unknown},
		"no peer":                        {"@", nil, nil, unknown},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := &http.Request{RemoteAddr: tt.peer, Header: http.Header{}}
			for _, line := range tt.xff {
				r.Header.Add("X-Forwarded-For", line)
			}
			for _, line := range tt.forwarded {
				r.Header.Add("Forwarded", line)
			}
			addr, known := clientip.Of(r, proxies)
			require.Equal(t, tt.want != unknown, known, addr)
			if known {
				require.Equal(t, tt.want, addr.String())
			}
		})
	}
}

func TestUnmap(t *testing.T) {
	t.Parallel()
	p := clientip.Unmap(netip.MustParsePrefix("::ffff:192.0.2.0/120"))
	require.Equal(t, "192.0.2.0/24", p.String())
	require.True(t, clientip.In([]netip.Prefix{p}, netip.MustParseAddr("192.0.2.9")))
	require.Equal(t, "::/0", clientip.Unmap(netip.MustParsePrefix("::/0")).String())
}

// Package clientip finds out which address a request came from, behind proxies too.
package clientip

import (
	"net/http"
	"net/netip"
	"slices"
	"strings"
)

// Of returns the address that a request comes from: the peer's, or, where the peer is
// one of the proxies, the one that the proxies report. In X-Forwarded-For that is the
// right-most address that is not a proxy's; what stands left of it anybody may have
// written. In Forwarded it is the first: there a proxy may quote what the client wrote,
// such as the header Host, and a client that closes the quotation adds elements to it.
// Where both headers are there they must agree, since a proxy that writes one may let the
// other pass as the client sent it. Where they do not, or make no sense, the address is
// unknown.
func Of(r *http.Request, proxies []netip.Prefix) (addr netip.Addr, known bool) {
	peer, ok := parse(r.RemoteAddr)
	if !ok || !In(proxies, peer) {
		return peer, ok
	}
	xff := r.Header.Values("X-Forwarded-For")
	forwarded := r.Header.Values("Forwarded")
	listed, okListed := client(strings.Split(strings.Join(xff, ","), ","), proxies)
	told, okTold := first(strings.Join(forwarded, ","), proxies)
	switch {
	case len(forwarded) == 0: // A proxy that reports nobody leaves one empty entry.
		return listed, okListed
	case len(xff) == 0:
		return told, okTold
	default:
		return listed, okListed && okTold && listed == told
	}
}

// In reports whether the address is in one of the prefixes.
func In(prefixes []netip.Prefix, addr netip.Addr) bool {
	return slices.ContainsFunc(prefixes, func(p netip.Prefix) bool { return p.Contains(addr) })
}

// Unmap returns a prefix in the form that In matches: of an IPv4 prefix that is written as
// IPv6 the IPv4 one.
func Unmap(p netip.Prefix) netip.Prefix {
	if p.Addr().Is4In6() && p.Bits() >= 96 {
		return netip.PrefixFrom(p.Addr().Unmap(), p.Bits()-96)
	}
	return p
}

// client returns the right-most address that is not a proxy's, or, if all are, the
// left-most.
func client(hops []string, proxies []netip.Prefix) (addr netip.Addr, ok bool) {
	for _, hop := range slices.Backward(hops) {
		if addr, ok = parse(strings.TrimSpace(hop)); !ok || !In(proxies, addr) {
			return addr, ok
		}
	}
	return addr, ok
}

// parse reads an address with or without a port.
func parse(s string) (netip.Addr, bool) {
	if ap, err := netip.ParseAddrPort(s); err == nil {
		return ap.Addr().Unmap().WithZone(""), true
	}
	if inner, ok := strings.CutPrefix(s, "["); ok {
		if s, ok = strings.CutSuffix(inner, "]"); !ok {
			return netip.Addr{}, false
		}
	}
	addr, err := netip.ParseAddr(s)
	return addr.Unmap().WithZone(""), err == nil
}

// first returns the address in the first element of Forwarded, if all others are proxies'.
func first(forwarded string, proxies []netip.Prefix) (addr netip.Addr, ok bool) {
	hops, ok := forwardedFor(forwarded)
	if !ok {
		return addr, false
	}
	for _, hop := range hops[1:] {
		if addr, ok := node(hop); !ok || !In(proxies, addr) {
			return addr, false
		}
	}
	return node(hops[0])
}

// node reads an address as Forwarded has it (RFC 7239, section 6): IPv6 stands in brackets,
// IPv4 does not, and neither has a zone.
func node(s string) (addr netip.Addr, ok bool) {
	v6 := strings.HasPrefix(s, "[")
	if strings.Contains(s, "%") || !v6 && strings.Count(s, ":") > 1 || v6 && !strings.Contains(s, ":") {
		return addr, false
	}
	return parse(s)
}

// forwardedFor returns the for parameters of Forwarded, one for each element, empty where
// it has none; empty elements before the first are left out, since a proxy that adds to a
// header which is not there makes one. It reads the grammar of RFC 7239, section 4, with
// white space around semicolons as well. A quoted string that could be mistaken for a part
// of the header was written by a client, and which elements are a proxy's word then nobody
// knows: that is malformed here, though not there.
func forwardedFor(s string) (hops []string, ok bool) {
	p := parser(s)
	for {
		hop, given, empty := "", false, true
		for {
			p.space()
			if name := p.token(); name != "" {
				empty = false
				value, ok := p.value()
				if !ok {
					return nil, false
				}
				if strings.EqualFold(name, "for") {
					if given {
						return nil, false
					}
					hop, given = value, true
				}
			}
			p.space()
			if !p.skip(';') {
				break
			}
		}
		if last := p == ""; last || !empty || len(hops) > 0 {
			hops = append(hops, hop)
			if last {
				return hops, true
			}
		}
		if !p.skip(',') {
			return nil, false
		}
	}
}

// parser is what is left of a header.
type parser string

func (p *parser) skip(c byte) bool {
	if *p == "" || (*p)[0] != c {
		return false
	}
	*p = (*p)[1:]
	return true
}

func (p *parser) space() { *p = parser(strings.TrimLeft(string(*p), " \t")) }

// token reads a token (RFC 9110, section 5.6.2), or nothing.
func (p *parser) token() string {
	n := strings.IndexFunc(string(*p), func(r rune) bool {
		return r <= ' ' || r >= 0x7f || strings.ContainsRune(`"(),/:;<=>?@[\]{}`, r)
	})
	if n < 0 {
		n = len(*p)
	}
	t := string((*p)[:n])
	*p = (*p)[n:]
	return t
}

// value reads what follows a name: an equals sign, and a token or a quoted string.
func (p *parser) value() (value string, ok bool) {
	if !p.skip('=') {
		return "", false
	}
	if !p.skip('"') {
		value = p.token()
		return value, value != ""
	}
	var b strings.Builder
	for i := 0; i < len(*p); i++ {
		c, escaped := (*p)[i], false
		if c == '\\' && i+1 < len(*p) {
			i++
			c, escaped = (*p)[i], true
		}
		switch {
		case c == '"' && !escaped:
			*p = (*p)[i+1:]
			return b.String(), true
		case c < ' ' || c == 0x7f || strings.IndexByte(`",;=\`, c) >= 0:
			return "", false
		default:
			b.WriteByte(c)
		}
	}
	return "", false
}

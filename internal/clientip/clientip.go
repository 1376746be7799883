// Package clientip finds the source address of a request, even behind proxies.
package clientip

import (
	"net/http"
	"net/netip"
	"slices"
	"strings"
)

// Of returns the source address of a request: the peer's or, if the peer is one of the
// proxies, the address that the proxies report. In X-Forwarded-For that is the right-most
// address that is not a proxy's, since a client may have written anything to the left of it.
// In Forwarded it is the first address: a proxy may quote text of the client there, such as
// the Host header, and a client that closes the quotation can add elements. If both headers
// are present they must agree, since a proxy that writes one may pass on the other as the
// client sent it. If they disagree or are malformed, the address is unknown.
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
	case len(forwarded) == 0: // A proxy that reports no address leaves one empty entry.
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

// Unmap returns a prefix in the form that In matches: it turns an IPv4-mapped IPv6 prefix
// into an IPv4 prefix.
func Unmap(p netip.Prefix) netip.Prefix {
	if p.Addr().Is4In6() && p.Bits() >= 96 {
		return netip.PrefixFrom(p.Addr().Unmap(), p.Bits()-96)
	}
	return p
}

// client returns the right-most address that is not a proxy's, or the left-most if all are.
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

// node parses an address in Forwarded (RFC 7239, section 6): IPv6 is in brackets, IPv4 is
// not, and neither has a zone.
func node(s string) (addr netip.Addr, ok bool) {
	v6 := strings.HasPrefix(s, "[")
	if strings.Contains(s, "%") || !v6 && strings.Count(s, ":") > 1 || v6 && !strings.Contains(s, ":") {
		return addr, false
	}
	return parse(s)
}

// forwardedFor returns the for parameter of each element of Forwarded, or "" if it has none.
// It skips empty elements before the first, since a proxy that appends to a missing header
// creates one. It follows the grammar of RFC 7239, section 4, and also allows white space
// around semicolons. Unlike the grammar, it treats a quoted string that could be mistaken for
// a part of the header as malformed: a client wrote it, and it is then unknown which elements
// are a proxy's.
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

// parser holds the rest of a header.
type parser string

func (p *parser) skip(c byte) bool {
	if *p == "" || (*p)[0] != c {
		return false
	}
	*p = (*p)[1:]
	return true
}

func (p *parser) space() { *p = parser(strings.TrimLeft(string(*p), " \t")) }

// token reads a token (RFC 9110, section 5.6.2), which may be empty.
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

// value reads an equals sign followed by a token or a quoted string.
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

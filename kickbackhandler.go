package jpayment

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/netip"
	"runtime/debug"
	"slices"
	"strings"
	"time"
)

// KickbackHandler receives kickbacks at the merchant's 決済結果通知URL, by GET as the
// gateway sends them or by POST, and hands each to a callback.
//
// The gateway judges by the answer's body: it counts a notice as delivered if there
// is one (specification, "キックバック(rt=0)仕様"; field notes, H). So the body is OK
// after the callback has returned nil, and otherwise there is none:
//
//	200 OK    the callback returned nil
//	400       not a notice, see KickbackError
//	403       from an address that is not allowed, or not signed
//	405       neither GET nor POST
//	413, 414  longer than 16 KiB
//	500       the callback failed or panicked
//
// Repetition, time-outs and duplicates are not documented. Expect all three: the same
// notice may come again, at the same time, or after the request has been given up. A
// callback should be one database transaction that inserts the notice under a unique
// key and does the rest only if it was the first; see examples/kickbacksql.
type KickbackHandler struct {
	callback func(context.Context, *Kickback) error
	allowed  []netip.Prefix // nil: any
	proxies  []netip.Prefix
	keys     []Secret
	maxAge   time.Duration
	log      *slog.Logger
}

// NewKickbackHandler returns a handler that calls the callback with each notice that
// the options admit. The callback's context ends with the request. Its error is a
// [*ValidationError] with every fault of the options.
func NewKickbackHandler(callback func(context.Context, *Kickback) error, opts ...KickbackOption) (*KickbackHandler, error) {
	s := &kickbackSettings{handler: KickbackHandler{
		callback: callback,
		maxAge:   defaultKickbackAge,
		log:      slog.New(slog.DiscardHandler),
	}}
	if callback == nil {
		s.faults.add("callback", "", "is nil")
	}
	for _, opt := range opts {
		opt(s)
	}
	if err := s.faults.err("NewKickbackHandler", ""); err != nil {
		return nil, err
	}
	return &s.handler, nil
}

const defaultKickbackAge = 24 * time.Hour

// KickbackOption is a setting of [NewKickbackHandler].
type KickbackOption func(*kickbackSettings)

type kickbackSettings struct {
	handler KickbackHandler
	faults  faults
}

// VerifyKickbacks admits only notices that [Kickback.Verify] proves with one of the
// keys, each of at least 32 bytes. To change keys, let handlers accept the new one
// beside the old before a client signs with it. The default is to admit all.
//
// A URL that also gets the notices of recurring charges, which nobody signs, wants
// them sorted out before the handler, for instance by their acid.
func VerifyKickbacks(keys ...[]byte) KickbackOption {
	return func(s *kickbackSettings) {
		if len(keys) == 0 {
			s.faults.add("VerifyKickbacks", "", "has no keys")
		}
		for _, key := range keys {
			s.faults.add("VerifyKickbacks", "", checkKickbackKey(key))
			s.handler.keys = append(s.handler.keys, NewSecret(string(key)))
		}
	}
}

// KickbackMaxAge sets how long after its request [VerifyKickbacks] admits a notice.
// The default is 24 hours: the gateway sends it within 30 seconds (field notes, H), but
// nobody knows how long it tries.
func KickbackMaxAge(d time.Duration) KickbackOption {
	return func(s *kickbackSettings) {
		if d <= 0 {
			s.faults.add("KickbackMaxAge", "", "is not positive")
		}
		s.handler.maxAge = d
	}
}

// AllowFrom admits only notices from addresses in the prefixes. The default is any
// address. The gateway's are not documented; third parties have seen 54.95.223.30 and
// 54.168.57.171 (field notes, as of August 2026), which may change.
func AllowFrom(prefixes ...netip.Prefix) KickbackOption {
	return func(s *kickbackSettings) { s.handler.allowed = s.prefixes("AllowFrom", prefixes) }
}

// TrustProxy names the addresses of the merchant's own proxies. A notice that comes
// from one of them has the address that the proxies report: the right-most one in
// X-Forwarded-For or Forwarded that is not a proxy's. Where both headers are there they
// must agree, since a proxy that writes one may let the other pass as the client sent
// it. Where they do not, or make no sense, the address is unknown, and AllowFrom admits
// nothing. The default is to trust nobody and to look at no header.
func TrustProxy(prefixes ...netip.Prefix) KickbackOption {
	return func(s *kickbackSettings) { s.handler.proxies = s.prefixes("TrustProxy", prefixes) }
}

// KickbackLogger writes one record for each notice, at level Info if it was taken and
// Warn if not, without private data. Of a callback's error it shows only the type. The
// default is to log nothing.
func KickbackLogger(l *slog.Logger) KickbackOption {
	return func(s *kickbackSettings) {
		if l == nil {
			s.faults.add("KickbackLogger", "", "is nil")
		}
		s.handler.log = l
	}
}

// prefixes returns prefixes in the form that unmapped addresses match.
func (s *kickbackSettings) prefixes(option string, prefixes []netip.Prefix) []netip.Prefix {
	if len(prefixes) == 0 {
		s.faults.add(option, "", "has no prefixes")
	}
	out := make([]netip.Prefix, len(prefixes))
	for i, p := range prefixes {
		if p.Addr().Is4In6() && p.Bits() >= 96 {
			p = netip.PrefixFrom(p.Addr().Unmap(), p.Bits()-96)
		}
		if !p.IsValid() {
			s.faults.add(option, "", fmt.Sprintf("has no valid prefix at place %d", i+1))
		}
		out[i] = p
	}
	return out
}

// Format writes nothing of the handler's keys, for every verb.
func (h *KickbackHandler) Format(f fmt.State, _ rune) {
	printPublic(f, "KickbackHandler", slog.GroupValue(slog.Int("keys", len(h.keys)), slog.Any("allowed", h.allowed)))
}

// ServeHTTP takes one notice.
func (h *KickbackHandler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	status, k, err := h.take(w, r)
	attrs := []slog.Attr{slog.Int("status", status)}
	if k != nil {
		attrs = append(attrs, slog.Any("kickback", k))
	}
	if err != nil {
		h.log.LogAttrs(r.Context(), slog.LevelWarn, "jpayment: kickback refused", append(attrs, slog.Any("error", err))...)
		w.Header().Set("Content-Length", "0")
		w.WriteHeader(status)
		return
	}
	h.log.LogAttrs(r.Context(), slog.LevelInfo, "jpayment: kickback taken", attrs...)
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Content-Length", "2")
	w.WriteHeader(http.StatusOK)
	io.WriteString(w, "OK") //nolint:errcheck,gosec // Whether it arrives is the sender's concern.
}

// take goes through the checks in order, the cheapest and most general first, and
// calls the callback.
func (h *KickbackHandler) take(w http.ResponseWriter, r *http.Request) (status int, k *Kickback, err error) {
	if r.Method != http.MethodGet && r.Method != http.MethodPost {
		w.Header().Set("Allow", "GET, POST")
		return http.StatusMethodNotAllowed, nil, plainError("the method is neither GET nor POST")
	}
	if h.allowed != nil {
		if addr, ok := h.source(r); !ok || !contains(h.allowed, addr) {
			return http.StatusForbidden, nil, plainError("the source address is not allowed")
		}
	}
	query, status, err := readKickback(w, r)
	if err != nil {
		return status, nil, err
	}
	if k, err = ParseKickbackQuery(query); err != nil {
		return http.StatusBadRequest, nil, err
	}
	if h.keys != nil {
		keys := make([][]byte, len(h.keys))
		for i, key := range h.keys {
			keys[i] = []byte(key.Reveal())
		}
		if err := k.Verify(time.Now(), h.maxAge, keys...); err != nil {
			return http.StatusForbidden, k, err
		}
	}
	if err := h.call(r.Context(), k); err != nil {
		return http.StatusInternalServerError, k, err
	}
	return http.StatusOK, k, nil
}

// readKickback returns the parameters of a request as a query: those of the URL and
// those of a form.
func readKickback(w http.ResponseWriter, r *http.Request) (query string, status int, err error) {
	query = r.URL.RawQuery
	if len(query) > maxKickback {
		return "", http.StatusRequestURITooLong, plainError("the query is longer than 16 KiB")
	}
	if r.Method == http.MethodGet {
		return query, 0, nil
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxKickback))
	if err != nil {
		return "", http.StatusRequestEntityTooLarge, plainError("the body is longer than 16 KiB or cut short")
	}
	return strings.Trim(query+"&"+string(body), "&"), 0, nil
}

// call calls the callback. A panic is an error, so that the answer stays empty and the
// notice comes again; its value may hold anything and is not shown.
func (h *KickbackHandler) call(ctx context.Context, k *Kickback) (err error) {
	defer func() {
		switch v := recover(); v {
		case nil:
		case http.ErrAbortHandler:
			panic(v)
		default:
			h.log.LogAttrs(ctx, slog.LevelError, "jpayment: kickback callback panicked", slog.String("stack", string(debug.Stack())))
			err = plainError(fmt.Sprintf("the callback panicked with a %T", v))
		}
	}()
	if err := h.callback(ctx, k); err != nil {
		return plainError(fmt.Sprintf("the callback failed with a %T", err))
	}
	return nil
}

// source returns the address that a notice comes from.
func (h *KickbackHandler) source(r *http.Request) (netip.Addr, bool) {
	remote, ok := parseAddr(r.RemoteAddr)
	if !ok || !contains(h.proxies, remote) {
		return remote, ok
	}
	xff := r.Header.Values("X-Forwarded-For")
	forwarded := r.Header.Values("Forwarded")
	switch {
	case len(xff) == 0 && len(forwarded) == 0:
		return netip.Addr{}, false // a proxy that reports nobody
	case len(forwarded) == 0:
		return h.client(listed(xff))
	case len(xff) == 0:
		return h.client(forwardedFor(forwarded))
	}
	a, okA := h.client(listed(xff))
	b, okB := h.client(forwardedFor(forwarded))
	return a, okA && okB && a == b
}

// client returns the right-most address that is not a proxy's, or, if all are, the
// left-most. What stands left of it anybody may have written.
func (h *KickbackHandler) client(hops []string) (addr netip.Addr, ok bool) {
	for _, hop := range slices.Backward(hops) {
		if addr, ok = parseAddr(hop); !ok || !contains(h.proxies, addr) {
			return addr, ok
		}
	}
	return addr, ok
}

// listed returns the entries of a header whose lines make one comma-separated list.
func listed(lines []string) []string {
	entries := strings.Split(strings.Join(lines, ","), ",")
	for i, e := range entries {
		entries[i] = strings.TrimSpace(e)
	}
	return entries
}

// forwardedFor returns the for parameters of Forwarded (RFC 7239), one for each entry.
func forwardedFor(lines []string) []string {
	hops := listed(lines)
	for i, entry := range hops {
		hops[i] = ""
		for pair := range strings.SplitSeq(entry, ";") {
			if name, value, _ := strings.Cut(strings.TrimSpace(pair), "="); strings.EqualFold(name, "for") {
				hops[i] = strings.Trim(value, `"`)
			}
		}
	}
	return hops
}

// parseAddr reads an address with or without a port, in brackets or not.
func parseAddr(s string) (netip.Addr, bool) {
	if ap, err := netip.ParseAddrPort(s); err == nil {
		return ap.Addr().Unmap().WithZone(""), true
	}
	addr, err := netip.ParseAddr(strings.TrimSuffix(strings.TrimPrefix(s, "["), "]"))
	return addr.Unmap().WithZone(""), err == nil
}

func contains(prefixes []netip.Prefix, addr netip.Addr) bool {
	return slices.ContainsFunc(prefixes, func(p netip.Prefix) bool { return p.Contains(addr) })
}

package jpayment

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/netip"
	"runtime/debug"
	"strings"
	"sync/atomic"

	"github.com/jpayment-go/jpayment/internal/clientip"
	"github.com/jpayment-go/jpayment/internal/wallclock"
)

// KickbackHandler receives kickbacks at the merchant's 決済結果通知URL, by GET as the
// gateway sends them or by POST, and hands each to a callback.
//
// The gateway judges by the answer's body: it counts a kickback as delivered if there
// is one (specification, "キックバック(rt=0)仕様"; field notes, H). So the body is OK
// after the callback has returned nil, and otherwise there is none. What stands around the
// handler must keep to that: serve it by [ServeKickbacks], for net/http and most routers
// answer a fault with a body.
//
//	200 OK    the callback returned nil
//	400       not a kickback, see KickbackError
//	403       from an address that is not allowed, or not signed
//	405       neither GET nor POST
//	413, 414  longer than 16 KiB
//	500       the callback failed or panicked
//
// Repetition, time-outs and duplicates are not documented. Expect all three: the same
// kickback may come again, at the same time, or after the request has been given up. A
// callback should be one database transaction that inserts the kickback under a unique
// key and does the rest only if it was the first; see examples/kickbacksql.
type KickbackHandler struct {
	// admit parses what came, proves it where that is asked for, and returns what to log
	// of it and the callback with it.
	admit   func(rawQuery string) (k slog.LogValuer, call func(context.Context) error, status int, err error)
	allowed []netip.Prefix // nil: any
	proxies []netip.Prefix
	log     *slog.Logger
	faults  faults // of the options, while it is made
}

// NewKickbackHandler returns a handler that calls the callback with each kickback that
// the verifier proves, and refuses all others. If the URL also receives unsigned
// kickbacks of recurring charges, filter them out first, for example by acid, and give
// them to a handler of [NewUnverifiedKickbackHandler].
//
// The callback's context ends with the request. The error is a [*ValidationError] with
// every fault of the arguments and options.
func NewKickbackHandler(v *KickbackVerifier, callback func(context.Context, *Kickback) error, opts ...KickbackOption) (*KickbackHandler, error) {
	h := &KickbackHandler{}
	if v == nil {
		h.faults.add("verifier", "", Text{"is nil", "がnilです"})
	}
	if callback == nil {
		h.faults.add("callback", "", Text{"is nil", "がnilです"})
	}
	h.admit = func(rawQuery string) (slog.LogValuer, func(context.Context) error, int, error) {
		unverified, err := ParseKickback(rawQuery)
		if err != nil {
			return nil, nil, http.StatusBadRequest, err
		}
		k, err := v.prove(unverified, wallclock.Now())
		if err != nil {
			return unverified, nil, http.StatusForbidden, err
		}
		return k, func(ctx context.Context) error { return callback(ctx, k) }, 0, nil
	}
	return h.with("NewKickbackHandler", opts)
}

// NewUnverifiedKickbackHandler returns a handler that calls the callback with each
// kickback that the options admit, of which nothing is proved. Nothing should be sent,
// shipped or released because of one. For the rest see [NewKickbackHandler].
func NewUnverifiedKickbackHandler(callback func(context.Context, *UnverifiedKickback) error, opts ...KickbackOption) (*KickbackHandler, error) {
	h := &KickbackHandler{}
	if callback == nil {
		h.faults.add("callback", "", Text{"is nil", "がnilです"})
	}
	h.admit = func(rawQuery string) (slog.LogValuer, func(context.Context) error, int, error) {
		k, err := ParseKickback(rawQuery)
		if err != nil {
			return nil, nil, http.StatusBadRequest, err
		}
		return k, func(ctx context.Context) error { return callback(ctx, k) }, 0, nil
	}
	return h.with("NewUnverifiedKickbackHandler", opts)
}

func (h *KickbackHandler) with(constructor Operation, opts []KickbackOption) (*KickbackHandler, error) {
	h.log = slog.New(slog.DiscardHandler)
	for _, opt := range opts {
		opt(h)
	}
	if err := h.faults.err(constructor, ""); err != nil {
		return nil, err
	}
	return h, nil
}

// KickbackOption is a setting of [NewKickbackHandler] and [NewUnverifiedKickbackHandler].
type KickbackOption func(*KickbackHandler)

// KickbackAllowFrom admits only kickbacks from addresses in the prefixes. The default is
// any address. The gateway's are not documented; third parties have seen 54.95.223.30 and
// 54.168.57.171 (field notes, as of August 2026), which may change.
func KickbackAllowFrom(prefixes ...netip.Prefix) KickbackOption {
	return func(h *KickbackHandler) { h.allowed = h.prefixes("KickbackAllowFrom", prefixes) }
}

// KickbackTrustProxy names the addresses of the merchant's own proxies. A kickback that
// comes from one of them has the address that the proxies report: in X-Forwarded-For the
// right-most one that is not a proxy's, in Forwarded (RFC 7239) the first, which is all that
// the proxies may leave of it beside themselves. Where both headers are there they must
// agree, since a proxy that writes one may let the other pass as the client sent it. Where
// they do not, or are malformed, or hold what a client may have added, the address is
// unknown, and [KickbackAllowFrom] admits nothing. The default is to trust nobody and to look
// at no header.
func KickbackTrustProxy(prefixes ...netip.Prefix) KickbackOption {
	return func(h *KickbackHandler) { h.proxies = h.prefixes("KickbackTrustProxy", prefixes) }
}

// KickbackLogger writes one record for each kickback, at level Info if it was taken and
// Warn if not, without private data. Of a callback's error it shows only the type. The
// default is to log nothing.
func KickbackLogger(l *slog.Logger) KickbackOption {
	return func(h *KickbackHandler) {
		if l == nil {
			h.faults.add("KickbackLogger", "", Text{"is nil", "がnilです"})
		}
		h.log = l
	}
}

// prefixes returns prefixes in the form that unmapped addresses match.
func (h *KickbackHandler) prefixes(option string, prefixes []netip.Prefix) []netip.Prefix {
	if len(prefixes) == 0 {
		h.faults.add(option, "", Text{"has no prefixes", "にアドレス範囲がありません"})
	}
	out := make([]netip.Prefix, len(prefixes))
	for i, p := range prefixes {
		if !p.IsValid() {
			h.faults.add(option, "", textf("has no valid prefix at place %d", "の%d番目のアドレス範囲が正しくありません", i+1))
		}
		out[i] = clientip.Unmap(p)
	}
	return out
}

// Format writes nothing of the handler's keys, for every verb.
func (h *KickbackHandler) Format(f fmt.State, _ rune) {
	printPublic(f, "KickbackHandler", slog.GroupValue(slog.Any("allowed", h.allowed)))
}

// ServeHTTP takes one kickback.
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
	if taken, ok := r.Context().Value(kickbackTakenKey{}).(*atomic.Bool); ok {
		taken.Store(true) // See ServeKickbacks.
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Content-Length", "2")
	w.WriteHeader(http.StatusOK)
	io.WriteString(w, "OK") //nolint:errcheck,gosec // Whether it arrives is the sender's concern.
}

// take goes through the checks in order, the cheapest and most general first, and
// calls the callback.
func (h *KickbackHandler) take(w http.ResponseWriter, r *http.Request) (status int, k slog.LogValuer, err error) {
	if r.Method != http.MethodGet && r.Method != http.MethodPost {
		w.Header().Set("Allow", "GET, POST")
		return http.StatusMethodNotAllowed, nil, textError{Text{"the method is neither GET nor POST", "メソッドがGETでもPOSTでもありません"}}
	}
	if h.allowed != nil {
		if addr, ok := clientip.Of(r, h.proxies); !ok || !clientip.In(h.allowed, addr) {
			return http.StatusForbidden, nil, textError{Text{"the source address is not allowed", "許可されていない送信元です"}}
		}
	}
	query, status, err := readKickback(w, r)
	if err != nil {
		return status, nil, err
	}
	k, call, status, err := h.admit(query)
	if err != nil {
		return status, k, err
	}
	if err := h.call(r.Context(), call); err != nil {
		return http.StatusInternalServerError, k, err
	}
	return http.StatusOK, k, nil
}

// readKickback returns the parameters of a request as a query: those of the URL and
// those of a form.
func readKickback(w http.ResponseWriter, r *http.Request) (query string, status int, err error) {
	query = r.URL.RawQuery
	if len(query) > maxKickback {
		return "", http.StatusRequestURITooLong, textError{Text{"the query is longer than 16 KiB", "クエリが16 KiBを超えています"}}
	}
	if r.Method == http.MethodGet {
		return query, 0, nil
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxKickback))
	if err != nil {
		return "", http.StatusRequestEntityTooLarge, textError{Text{"the body is longer than 16 KiB or cut short", "本文が16 KiBを超えているか、途中で切れています"}}
	}
	return strings.Trim(query+"&"+string(body), "&"), 0, nil
}

// call calls the callback. A panic is an error, so that the answer stays empty and the
// kickback comes again; its value may hold anything and is not shown.
func (h *KickbackHandler) call(ctx context.Context, callback func(context.Context) error) (err error) {
	defer func() {
		switch v := recover(); v {
		case nil:
		case http.ErrAbortHandler:
			panic(v)
		default:
			h.log.LogAttrs(ctx, slog.LevelError, "jpayment: kickback callback panicked", slog.String("stack", string(debug.Stack())))
			err = textError{textf("the callback panicked with a %T", "コールバックでパニックが発生しました（%T）", v)}
		}
	}()
	if err := callback(ctx); err != nil {
		return textError{textf("the callback failed with a %T", "コールバックが失敗しました（%T）", err)}
	}
	return nil
}

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

// KickbackHandler is the [http.Handler] of the merchant's 決済結果通知URL. It accepts
// kickbacks by GET, as the gateway sends them, and by POST, and passes each to a callback.
//
// The gateway counts a kickback as delivered if the answer has a body (specification,
// "キックバック(rt=0)仕様"; docs/protocol.md, assumption 25). The handler therefore writes
// the body OK only after the callback has returned nil. Serve it with [ServeKickbacks]:
// net/http and most routers answer errors with a body, which would count as delivery.
//
//	200 OK    the callback returned nil
//	400       not a kickback, see KickbackError
//	403       from an address that is not allowed, or not signed
//	405       neither GET nor POST
//	413, 414  longer than 16 KiB
//	500       the callback failed or panicked
//
// Repetitions and timeouts are not documented. Expect the same kickback to arrive again,
// concurrently, or after the gateway has given up waiting. The callback should run one
// database transaction that inserts the kickback under a unique key and does the rest only if
// the kickback is new; see examples/kickbacksql.
type KickbackHandler struct {
	// admit parses a kickback and, if there is a verifier, verifies it. It returns what to
	// log and a call of the callback.
	admit   func(rawQuery string) (k slog.LogValuer, call func(context.Context) error, status int, err error)
	allowed []netip.Prefix // nil: any
	proxies []netip.Prefix
	log     *slog.Logger
	faults  faults // of the options, during construction
}

// NewKickbackHandler returns a handler that calls the callback with each kickback that the
// verifier accepts, and refuses all others. If the URL also receives unsigned kickbacks of
// recurring charges, filter them out first, for example by acid, and pass them to a handler
// from [NewUnverifiedKickbackHandler].
//
// The callback's context ends with the request. The error is a [*ValidationError] that
// lists every fault of the arguments and options.
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

// NewUnverifiedKickbackHandler returns a handler that calls the callback with each kickback
// that the options admit, without verifying it. Do not ship, release or send anything
// because of an unverified kickback. See also [NewKickbackHandler].
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

// KickbackOption configures a [KickbackHandler].
type KickbackOption func(*KickbackHandler)

// KickbackAllowFrom admits only kickbacks from addresses in the prefixes. The default is to
// admit any address. The gateway's addresses are not documented and may change; third
// parties have seen 54.95.223.30 and 54.168.57.171 (docs/protocol.md, "Kickbacks", as of
// August 2026).
func KickbackAllowFrom(prefixes ...netip.Prefix) KickbackOption {
	return func(h *KickbackHandler) { h.allowed = h.prefixes("KickbackAllowFrom", prefixes) }
}

// KickbackTrustProxy sets the addresses of the merchant's own proxies. For a kickback from
// one of them the handler takes the source address from the proxies' headers: the right-most
// address in X-Forwarded-For that is not a proxy's, or the first in Forwarded (RFC 7239),
// which may contain only that address and the proxies'.
//
// If both headers are present they must agree, since a proxy that writes one may pass on the
// other as the client sent it. If they disagree, are malformed or may contain additions of a
// client, the source address is unknown and [KickbackAllowFrom] admits nothing. The default
// is to trust no proxy and to read no header.
func KickbackTrustProxy(prefixes ...netip.Prefix) KickbackOption {
	return func(h *KickbackHandler) { h.proxies = h.prefixes("KickbackTrustProxy", prefixes) }
}

// KickbackLogger logs one record per kickback, without private data: at level Info if it
// was accepted, and at level Warn if not. It logs only the type of a callback's error. The
// default is to log nothing.
func KickbackLogger(l *slog.Logger) KickbackOption {
	return func(h *KickbackHandler) {
		if l == nil {
			h.faults.add("KickbackLogger", "", Text{"is nil", "がnilです"})
		}
		h.log = l
	}
}

// prefixes returns the prefixes in the form that matches unmapped addresses.
func (h *KickbackHandler) prefixes(option string, prefixes []netip.Prefix) []netip.Prefix {
	if len(prefixes) == 0 {
		h.faults.add(option, "", Text{"has no prefixes", "にアドレス範囲がありません"})
	}
	out := make([]netip.Prefix, len(prefixes))
	for i, p := range prefixes {
		if !p.IsValid() {
			h.faults.add(option, "", textf("has an invalid prefix at position %d", "の%d番目のアドレス範囲が正しくありません", i+1))
		}
		out[i] = clientip.Unmap(p)
	}
	return out
}

// Format writes the handler without its keys, for every verb.
func (h *KickbackHandler) Format(f fmt.State, _ rune) {
	printPublic(f, "KickbackHandler", slog.GroupValue(slog.Any("allowed", h.allowed)))
}

// ServeHTTP handles one kickback.
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

// take runs the checks, the cheapest and most general first, and calls the callback.
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

// readKickback returns the parameters of the URL and of a form as one query.
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

// call calls the callback. A panic becomes an error, so that the answer has no body and does
// not count as delivery. The value of the panic may contain anything and is not shown.
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

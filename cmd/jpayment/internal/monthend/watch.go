package monthend

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/jpayment-go/jpayment"
)

// watch is a client that tracks its calls, so that a run that makes no progress does not
// look hung.
type watch struct {
	*jpayment.Client
	now func() time.Time

	mu      sync.Mutex
	calls   map[int]time.Time // those in progress, by when they began
	next    int
	ended   time.Time // when the last call ended
	trouble error     // of the last call, unless it is about the payment only; or nil
	since   time.Time // when the first of the latest troubled calls ended
}

func (w *watch) begin() (id int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.calls == nil {
		w.calls = map[int]time.Time{}
	}
	w.next++
	w.calls[w.next] = w.now()
	return w.next
}

func (w *watch) end(id int, err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.calls, id)
	w.ended = w.now()
	switch {
	case !troubled(err):
		err = nil
	case w.trouble == nil:
		w.since = w.ended
	}
	w.trouble = err
}

// troubled reports whether an error is about the connection to the gateway or the gateway
// itself, and so not about one payment only.
func troubled(err error) bool {
	var (
		transport *jpayment.TransportError
		reply     *jpayment.ReplyError
	)
	switch {
	case errors.Is(err, context.Canceled):
		return false // The person stopped the run.
	case errors.As(err, &reply):
		return !errors.Is(err, jpayment.ErrTestMode)
	default:
		return errors.As(err, &transport) || errors.Is(err, jpayment.ErrBusy) || errors.Is(err, jpayment.ErrMaintenance)
	}
}

// lasting returns since when every call has failed with trouble, and the trouble of the
// last one, or nil.
func (w *watch) lasting() (since time.Time, trouble error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.since, w.trouble
}

// silent returns how many calls are in progress, and since when no reply has arrived.
func (w *watch) silent() (calls int, since time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, began := range w.calls {
		if since.IsZero() || began.Before(since) {
			since = began
		}
	}
	if since.Before(w.ended) {
		since = w.ended
	}
	return len(w.calls), since
}

// Sales calls Sales of the client and tracks the call.
func (w *watch) Sales(ctx context.Context, r jpayment.SalesRequest) (res *jpayment.Result, err error) {
	defer func(id int) { w.end(id, err) }(w.begin())
	return w.Client.Sales(ctx, r)
}

// Cancel calls Cancel of the client and tracks the call.
func (w *watch) Cancel(ctx context.Context, r jpayment.CancelRequest) (res *jpayment.Result, err error) {
	defer func(id int) { w.end(id, err) }(w.begin())
	return w.Client.Cancel(ctx, r)
}

// ReAuth calls ReAuth of the client and tracks the call.
func (w *watch) ReAuth(ctx context.Context, r jpayment.ReAuthRequest) (res *jpayment.Result, err error) {
	defer func(id int) { w.end(id, err) }(w.begin())
	return w.Client.ReAuth(ctx, r)
}

// ReAuthByKickback calls ReAuthByKickback of the client and tracks the call.
func (w *watch) ReAuthByKickback(ctx context.Context, r jpayment.ReAuthRequest) (err error) {
	defer func(id int) { w.end(id, err) }(w.begin())
	return w.Client.ReAuthByKickback(ctx, r)
}

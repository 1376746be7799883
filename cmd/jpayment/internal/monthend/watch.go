package monthend

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/jpayment-go/jpayment"
)

// watch is a client that remembers how its calls go, for the person who waits: a run
// that gets nowhere must not look as if it hung.
type watch struct {
	*jpayment.Client
	now func() time.Time

	mu      sync.Mutex
	calls   map[int]time.Time // those on their way, by when they began
	next    int
	ended   time.Time // when the last call ended
	trouble error     // of the last call, if it is not the payment's; or nil
	since   time.Time // when the first of the calls since ended that all had trouble
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

// troubled reports whether an error is about the way to the gateway or about the gateway,
// and so not only about one payment.
func troubled(err error) bool {
	var (
		transport *jpayment.TransportError
		reply     *jpayment.ReplyError
	)
	switch {
	case errors.Is(err, context.Canceled):
		return false // The person has ended the run.
	case errors.As(err, &reply):
		return !errors.Is(err, jpayment.ErrTestMode)
	default:
		return errors.As(err, &transport) || errors.Is(err, jpayment.ErrBusy) || errors.Is(err, jpayment.ErrMaintenance)
	}
}

// lasting returns since when every call has had trouble, and that of the last, or nil.
func (w *watch) lasting() (since time.Time, trouble error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.since, w.trouble
}

// silent returns how many calls are on their way, and since when nothing has come back.
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

// Sales does what the client does.
func (w *watch) Sales(ctx context.Context, r jpayment.SalesRequest) (res *jpayment.Result, err error) {
	defer func(id int) { w.end(id, err) }(w.begin())
	return w.Client.Sales(ctx, r)
}

// Cancel does what the client does.
func (w *watch) Cancel(ctx context.Context, r jpayment.CancelRequest) (res *jpayment.Result, err error) {
	defer func(id int) { w.end(id, err) }(w.begin())
	return w.Client.Cancel(ctx, r)
}

// ReAuth does what the client does.
func (w *watch) ReAuth(ctx context.Context, r jpayment.ReAuthRequest) (res *jpayment.Result, err error) {
	defer func(id int) { w.end(id, err) }(w.begin())
	return w.Client.ReAuth(ctx, r)
}

// ReAuthByKickback does what the client does.
func (w *watch) ReAuthByKickback(ctx context.Context, r jpayment.ReAuthRequest) (err error) {
	defer func(id int) { w.end(id, err) }(w.begin())
	return w.Client.ReAuthByKickback(ctx, r)
}

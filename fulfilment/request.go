package fulfilment

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/jpayment-go/jpayment"
)

// Request is a wish to capture, cancel or re-authorise a payment. [Sales], [Cancel] and
// [ReAuth] make one.
type Request struct {
	operation jpayment.Operation
	reference string
	batch     string
	body      body
}

// body is what a request says to the gateway.
type body struct {
	PaymentID             string
	Amount, Tax, Shipping int64
	// A pointer, since fmt prints the unexported fields of a program's struct without
	// asking them.
	*private
}

// private is the part of a request that [Queue.Forget] erases.
type private struct {
	Email string            `json:",omitempty"`
	Phone string            `json:",omitempty"`
	Extra map[string]string `json:",omitempty"`
}

// Sales is the wish to capture (実売上) a payment. The reference is the merchant's own
// name for it, such as an order number: 1 to 200 bytes. It is logged, so it must not be
// personal.
func Sales(reference string, r jpayment.SalesRequest) Request {
	return Request{operation: jpayment.OpSales, reference: reference, body: body{PaymentID: r.PaymentID, private: &private{Extra: r.Extra}}}
}

// Cancel is the wish to cancel (取消) a payment. For the reference see [Sales].
func Cancel(reference string, r jpayment.CancelRequest) Request {
	return Request{operation: jpayment.OpCancel, reference: reference, body: body{PaymentID: r.PaymentID, private: &private{Extra: r.Extra}}}
}

// ReAuth is the wish to re-authorise (再オーソリ) a payment at other amounts. For the
// reference see [Sales].
func ReAuth(reference string, r jpayment.ReAuthRequest) Request {
	return Request{operation: jpayment.OpReAuth, reference: reference, body: body{
		PaymentID: r.PaymentID, Amount: r.Amount, Tax: r.Tax, Shipping: r.Shipping,
		private: &private{Email: r.Email, Phone: r.Phone, Extra: r.Extra},
	}}
}

// InBatch returns the request with the name of a batch, at most 200 bytes, by which
// [Queue.Status] and [Queue.Jobs] find its job. A job that is known already keeps its
// batch.
func (r Request) InBatch(name string) Request {
	r.batch = name
	return r
}

// LogValue returns the request without its private data.
func (r Request) LogValue() slog.Value {
	return slog.GroupValue(
		slog.String("operation", string(r.operation)),
		slog.String("payment_id", r.body.PaymentID),
		slog.String("reference", r.reference),
		slog.Int64("amount", r.body.Amount), slog.Int64("tax", r.body.Tax), slog.Int64("shipping", r.body.Shipping),
	)
}

// Format writes the request without its private data, for every verb.
func (r Request) Format(f fmt.State, _ rune) {
	fmt.Fprintf(f, "Request{%s}", strings.Trim(r.LogValue().String(), "[]"))
}

// MarshalJSON returns an error: the request holds private data, and JSON is how many
// loggers print.
func (r Request) MarshalJSON() ([]byte, error) {
	return nil, errors.New("fulfilment: a Request holds private data and is not marshalled")
}

const maxName = 200

// nameReason says why s is no reference or batch, or nothing.
func nameReason(s string) string {
	switch {
	case len(s) > maxName:
		return fmt.Sprintf("is %d bytes long; at most %d are allowed", len(s), maxName)
	case !utf8.ValidString(s):
		return "is not UTF-8"
	case strings.ContainsFunc(s, unicode.IsControl):
		return "has a control character"
	default:
		return ""
	}
}

// check returns a [*jpayment.ValidationError] with every fault of the request.
func (q *Queue[TTx]) check(r Request) error {
	var faults []jpayment.Fault
	add := func(field, reason string) {
		if reason != "" {
			faults = append(faults, jpayment.Fault{Field: field, Reason: reason})
		}
	}
	add("Reference", nameReason(r.reference))
	add("Batch", nameReason(r.batch))
	if r.reference == "" {
		add("Reference", "is empty")
	}
	_, err := r.body.send(context.Background(), q.rehearsal, r.operation, q.kickbackWait > 0)
	var invalid *jpayment.ValidationError
	switch {
	case errors.As(err, &invalid):
		invalid.Faults = append(invalid.Faults, faults...)
		return invalid
	case len(faults) > 0:
		return &jpayment.ValidationError{Call: jpayment.Call{Operation: r.operation, PaymentID: r.body.PaymentID}, Faults: faults}
	case !errors.Is(err, errRehearsal):
		return err
	default:
		return nil
	}
}

var errRehearsal = errors.New("fulfilment: rehearsal")

// newRehearsal returns a client that never sends. What is checked before sending is
// checked by the code that sends.
func newRehearsal(cfg Config) (*jpayment.Client, error) {
	opts := []jpayment.Option{
		jpayment.WithHTTPClient(&http.Client{Transport: stage{}}),
		jpayment.WithRetry(jpayment.RetryPolicy{MaxAttempts: 1}),
		jpayment.WithCharset(cfg.Charset),
	}
	if cfg.KickbackWait > 0 { // The signature takes room that the other data cannot have.
		opts = append(opts, jpayment.WithKickbackKey(make([]byte, 32)))
	}
	return jpayment.NewClient(cfg.StoreID, opts...)
}

type stage struct{}

func (stage) RoundTrip(*http.Request) (*http.Response, error) { return nil, errRehearsal }

// send calls the gateway. A nil result without an error says that the result is to come by
// a kickback.
func (b body) send(ctx context.Context, g jpayment.Gateway, op jpayment.Operation, byKickback bool) (*jpayment.Result, error) {
	switch op {
	case jpayment.OpSales:
		return g.Sales(ctx, jpayment.SalesRequest{PaymentID: b.PaymentID, Extra: b.Extra})
	case jpayment.OpCancel:
		return g.Cancel(ctx, jpayment.CancelRequest{PaymentID: b.PaymentID, Extra: b.Extra})
	case jpayment.OpReAuth:
		r := jpayment.ReAuthRequest{
			PaymentID: b.PaymentID, Amount: b.Amount, Tax: b.Tax, Shipping: b.Shipping,
			Email: b.Email, Phone: b.Phone, Extra: b.Extra,
		}
		if byKickback {
			return nil, g.ReAuthByKickback(ctx, r)
		}
		return g.ReAuth(ctx, r)
	default:
		return nil, &jpayment.ValidationError{Faults: []jpayment.Fault{{Field: "Request", Reason: "was not made by Sales, Cancel or ReAuth"}}}
	}
}

// marshal returns the private data for the database, empty if there are none.
func (p private) marshal() (string, error) {
	if p.Email == "" && p.Phone == "" && len(p.Extra) == 0 {
		return "", nil
	}
	text, err := json.Marshal(p)
	return string(text), err
}

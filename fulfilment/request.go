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

// Request asks for the capture, the cancellation or the re-authorisation of a payment.
// [Sales], [Cancel] and [ReAuth] make one.
type Request struct {
	reference string
	batch     string
	// A pointer, since fmt prints the unexported fields of a program's struct without
	// asking them.
	request *any
}

// Sales asks for the capture (実売上) of a payment. The reference is the merchant's own
// name for it, such as an order number: 1 to 200 bytes. It is logged, so it must not be
// personal.
func Sales(reference string, r jpayment.SalesRequest) Request { return newRequest(reference, r) }

// Cancel asks for the cancellation (取消) of a payment. For the reference see [Sales].
func Cancel(reference string, r jpayment.CancelRequest) Request { return newRequest(reference, r) }

// ReAuth asks for the re-authorisation (再オーソリ) of a payment at other amounts. For the
// reference see [Sales].
func ReAuth(reference string, r jpayment.ReAuthRequest) Request { return newRequest(reference, r) }

func newRequest(reference string, r any) Request { return Request{reference: reference, request: &r} }

func (r Request) unwrap() any {
	if r.request == nil {
		return nil
	}
	return *r.request
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
	t := termsOf(r.unwrap())
	return slog.GroupValue(
		slog.String("operation", string(t.operation)),
		slog.String("payment_id", t.paymentID),
		slog.String("reference", r.reference),
		slog.Int64("amount", t.amount), slog.Int64("tax", t.tax), slog.Int64("shipping", t.shipping),
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
	_, err := send(context.Background(), q.rehearsal, r.unwrap(), q.kickbackWait > 0)
	var invalid *jpayment.ValidationError
	switch {
	case errors.As(err, &invalid):
		invalid.Faults = append(invalid.Faults, faults...)
		return invalid
	case len(faults) > 0:
		return &jpayment.ValidationError{Call: jpayment.Call{Operation: termsOf(r.unwrap()).operation, PaymentID: termsOf(r.unwrap()).paymentID}, Faults: faults}
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

// terms is what a request says, as the columns of the database have it.
type terms struct {
	operation             jpayment.Operation
	paymentID             string
	amount, tax, shipping int64
	private               private
}

// private is the part of a request that [Queue.Forget] erases.
type private struct {
	Email string            `json:",omitempty"`
	Phone string            `json:",omitempty"`
	Extra map[string]string `json:",omitempty"`
}

// termsOf takes a request apart, and requestOf puts it together again. A test holds that
// they leave no field out.
func termsOf(r any) terms {
	switch r := r.(type) {
	case jpayment.SalesRequest:
		return terms{operation: jpayment.OpSales, paymentID: r.PaymentID, private: private{Extra: r.Extra}}
	case jpayment.CancelRequest:
		return terms{operation: jpayment.OpCancel, paymentID: r.PaymentID, private: private{Extra: r.Extra}}
	case jpayment.ReAuthRequest:
		return terms{
			operation: jpayment.OpReAuth, paymentID: r.PaymentID, amount: r.Amount, tax: r.Tax, shipping: r.Shipping,
			private: private{Email: r.Email, Phone: r.Phone, Extra: r.Extra},
		}
	default:
		return terms{}
	}
}

func requestOf(r record) (any, error) {
	var p private
	if r.private != "" {
		if err := json.Unmarshal([]byte(r.private), &p); err != nil {
			return nil, errors.New("fulfilment: the private data of a job are unreadable") // The cause may quote them.
		}
	}
	switch r.Operation {
	case jpayment.OpSales:
		return jpayment.SalesRequest{PaymentID: r.PaymentID, Extra: p.Extra}, nil
	case jpayment.OpCancel:
		return jpayment.CancelRequest{PaymentID: r.PaymentID, Extra: p.Extra}, nil
	case jpayment.OpReAuth:
		return jpayment.ReAuthRequest{
			PaymentID: r.PaymentID, Amount: r.Amount, Tax: r.Tax, Shipping: r.Shipping,
			Email: p.Email, Phone: p.Phone, Extra: p.Extra,
		}, nil
	default:
		return nil, fmt.Errorf("fulfilment: job %d has an operation that this version does not know", r.ID)
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

// send calls the gateway. A nil result without an error says that the result is to come by
// a kickback.
func send(ctx context.Context, g jpayment.Gateway, r any, byKickback bool) (*jpayment.Result, error) {
	switch r := r.(type) {
	case jpayment.SalesRequest:
		return g.Sales(ctx, r)
	case jpayment.CancelRequest:
		return g.Cancel(ctx, r)
	case jpayment.ReAuthRequest:
		if byKickback {
			return nil, g.ReAuthByKickback(ctx, r)
		}
		return g.ReAuth(ctx, r)
	default:
		return nil, &jpayment.ValidationError{Faults: []jpayment.Fault{{Field: "Request", Reason: "was not made by Sales, Cancel or ReAuth"}}}
	}
}

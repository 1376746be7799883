package fulfilment

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/jpayment-go/jpayment"
)

// Request is a request to capture, cancel or re-authorise a payment, made by [Sales],
// [Cancel] or [ReAuth].
type Request struct {
	reference string
	batch     string
	after     int64
	inTurn    bool
	asked     jpayment.Request
}

// Sales returns a request to capture (実売上) a payment. The reference is the merchant's own
// name for the request, such as an order number: 1 to 200 bytes. It appears in logs, so it
// must not contain personal data.
func Sales(reference string, r jpayment.SalesRequest) Request {
	return Request{reference: reference, asked: r}
}

// Cancel returns a request to cancel (取消) a payment. For the reference see [Sales].
func Cancel(reference string, r jpayment.CancelRequest) Request {
	return Request{reference: reference, asked: r}
}

// ReAuth returns a request to re-authorise (再オーソリ) a payment for other amounts. For the
// reference see [Sales].
func ReAuth(reference string, r jpayment.ReAuthRequest) Request {
	return Request{reference: reference, asked: r}
}

// InBatch returns a copy of the request that belongs to a batch. The name has at most 200
// bytes; [Queue.Status] and [Queue.Jobs] can select by it. A job that is already recorded
// keeps its batch.
func (r Request) InBatch(name string) Request {
	r.batch = name
	return r
}

// After returns a copy of the request that comes after another job for its payment, such as
// a cancellation after the capture that is on its way. The request is sent once that job is
// done, and refused with ReasonPredecessor if that job is refused.
//
// Nothing can come after a re-authorisation, since it replaces the payment. To continue with
// the new payment, use [Queue.OnSettled].
func (r Request) After(j Job) Request {
	r.after, r.inTurn = j.ID, false
	return r
}

// InTurn returns a copy of the request that comes after whatever job is open for its payment
// when it is recorded, including earlier requests of the same [Queue.EnqueueAll]: see
// [Request.After]. If no job is open, it is sent at once, unless the job above it in the list
// was refused.
//
// r.After(j).InTurn() also comes after j, whether j is open or not. Use it to continue a list
// that is recorded in several transactions.
func (r Request) InTurn() Request {
	r.inTurn = true
	return r
}

// LogValue returns the request without its private data.
func (r Request) LogValue() slog.Value {
	t := termsOf(r.asked)
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

// MarshalText returns an error, because the request holds private data and many loggers
// print JSON.
func (r Request) MarshalText() ([]byte, error) {
	return nil, &problem{
		what: jpayment.Text{En: "a Request holds private data and cannot be marshalled", Ja: "Request は個人情報を含むため、変換できません"},
		next: jpayment.Text{En: "marshal the fields that you need", Ja: "必要な項目だけを取り出す"},
	}
}

// invalidFields collects the faults of a request or a configuration.
type invalidFields []jpayment.InvalidField

// add adds a fault. It ignores an empty reason.
func (fs *invalidFields) add(field string, reason jpayment.Text) {
	if reason != (jpayment.Text{}) {
		*fs = append(*fs, jpayment.InvalidField{Field: field, Reason: reason})
	}
}

// err returns a [*jpayment.ValidationError], or nil if there are no faults.
func (fs invalidFields) err(op jpayment.Operation, paymentID string) error {
	if len(fs) == 0 {
		return nil
	}
	return &jpayment.ValidationError{Call: jpayment.Call{Operation: op, PaymentID: paymentID}, Fields: fs}
}

var (
	isEmpty    = jpayment.Text{En: "is empty", Ja: "が空です"}
	isNegative = jpayment.Text{En: "is negative", Ja: "が負の値です"}
)

func notBetween(low, high int) jpayment.Text {
	return textf("is not between %d and %d", "が%dから%dの範囲にありません", low, high)
}

const maxName = 200

// nameReason returns why s is not a valid reference or batch, or the zero Text if it is.
func nameReason(s string) jpayment.Text {
	switch {
	case len(s) > maxName:
		return textf("is %d bytes long; at most %d are allowed", "が%dバイトです（%dバイト以内にしてください）", len(s), maxName)
	case !utf8.ValidString(s):
		return jpayment.Text{En: "is not UTF-8", Ja: "がUTF-8ではありません"}
	case strings.ContainsFunc(s, unicode.IsControl):
		return jpayment.Text{En: "has a control character", Ja: "に制御文字があります"}
	default:
		return jpayment.Text{}
	}
}

// check returns a [*jpayment.ValidationError] that lists every fault of the request.
func (q *Queue[TTx]) check(ctx context.Context, r Request) error {
	var bad invalidFields
	t := termsOf(r.asked)
	if r.asked == nil {
		bad.add("Request", jpayment.Text{En: "was not made by Sales, Cancel or ReAuth", Ja: "がSales、Cancel、ReAuthで作成したものではありません"})
	} else if _, err := q.client.Preview(ctx, q.operation(t.operation), r.asked); err != nil {
		var invalid *jpayment.ValidationError
		if !errors.As(err, &invalid) {
			return err
		}
		bad, t.paymentID = invalid.Fields, invalid.PaymentID // empty if it is not a number
	}
	if r.reference == "" {
		bad.add("Reference", isEmpty)
	}
	bad.add("Reference", nameReason(r.reference))
	bad.add("Batch", nameReason(r.batch))
	return bad.err(t.operation, t.paymentID)
}

// operation returns the call by which an operation is carried out.
func (q *Queue[TTx]) operation(op jpayment.Operation) jpayment.Operation {
	if op == jpayment.OpReAuth && q.kickbackWait > 0 {
		return jpayment.OpReAuthByKickback
	}
	return op
}

// newPreviewer returns a client that validates requests, so that the code that sends also
// does the checks before enqueueing.
func newPreviewer(cfg Config) (*jpayment.Client, error) {
	opts := []jpayment.Option{jpayment.WithCharset(cfg.Charset)}
	if cfg.KickbackWait > 0 { // The signature takes room from the other data.
		opts = append(opts, jpayment.WithKickbackKey(make([]byte, 32)))
	}
	return jpayment.NewClient(cfg.StoreID, opts...)
}

// terms are the contents of a request, as the columns of the database store them.
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

// termsOf takes a request apart, and requestOf reassembles it. A test checks that they omit
// no field.
func termsOf(r jpayment.Request) terms {
	switch r := r.(type) {
	case jpayment.SalesRequest:
		return terms{operation: jpayment.OpSales, paymentID: r.PaymentID, private: private{Extra: r.Extra.Reveal()}}
	case jpayment.CancelRequest:
		return terms{operation: jpayment.OpCancel, paymentID: r.PaymentID, private: private{Extra: r.Extra.Reveal()}}
	case jpayment.ReAuthRequest:
		return terms{
			operation: jpayment.OpReAuth, paymentID: r.PaymentID, amount: r.Amount, tax: r.Tax, shipping: r.Shipping,
			private: private{Email: r.Email.Reveal(), Phone: r.Phone.Reveal(), Extra: r.Extra.Reveal()},
		}
	default:
		return terms{}
	}
}

func requestOf(r record) (jpayment.Request, error) {
	var p private
	if text := r.private.Reveal(); text != "" {
		if err := json.Unmarshal([]byte(text), &p); err != nil {
			return nil, &problem{ // The cause may quote private data.
				what: textf("the private data of job %d cannot be read", "ジョブ %d の個人情報などを読み取れません", r.ID),
				next: nextDatabase, database: true, row: r.ID,
			}
		}
	}
	extra := jpayment.NewExtra(p.Extra)
	switch r.Operation {
	case jpayment.OpSales:
		return jpayment.SalesRequest{PaymentID: r.PaymentID, Extra: extra}, nil
	case jpayment.OpCancel:
		return jpayment.CancelRequest{PaymentID: r.PaymentID, Extra: extra}, nil
	case jpayment.OpReAuth:
		return jpayment.ReAuthRequest{
			PaymentID: r.PaymentID, Amount: r.Amount, Tax: r.Tax, Shipping: r.Shipping,
			Email: jpayment.NewSecret(p.Email), Phone: jpayment.NewSecret(p.Phone), Extra: extra,
		}, nil
	default:
		return nil, &problem{
			what: textf("job %d has an operation that this version does not know", "ジョブ %d の処理は、このバージョンでは対応していません", r.ID),
			next: nextDatabase, database: true, row: r.ID,
		}
	}
}

// marshal returns the private data as the database stores them, empty if there are none.
func (p private) marshal() (string, error) {
	if p.Email == "" && p.Phone == "" && len(p.Extra) == 0 {
		return "", nil
	}
	text, err := json.Marshal(p)
	return string(text), err
}

// send calls the gateway. A nil result without an error means that the result will come by
// kickback.
func send(ctx context.Context, g jpayment.Gateway, r jpayment.Request, byKickback bool) (*jpayment.Result, error) {
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
	default: // requestOf returns no other type.
		panic(fmt.Sprintf("a request of type %T", r))
	}
}

package cli

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/jpayment-go/jpayment"
)

// report tells what came of an operation.
type report struct {
	world     world
	lang      string
	op        *operation
	paymentID string
	attempts  counter
}

// record is a report for a machine.
type record struct {
	Operation jpayment.Operation `json:"operation"`
	PaymentID string             `json:"payment_id"` // empty where it is not a number
	Outcome   string             `json:"outcome"`
	Code      jpayment.Code      `json:"code"`
	Message   string             `json:"message"`
	MessageJa string             `json:"message_ja"`
	Next      string             `json:"next"`
	NextJa    string             `json:"next_ja"`
	Attempts  int                `json:"attempts"`
	Result    *resultRecord      `json:"result"`
}

// resultRecord is a result without its secrets.
type resultRecord struct {
	PaymentID      string          `json:"payment_id"`
	Status         string          `json:"status"`
	Code           jpayment.Code   `json:"code"`
	OrderCode      string          `json:"order_code"`
	OrderNumber    string          `json:"order_number"`
	Amount         jpayment.Amount `json:"amount"`
	Tax            jpayment.Amount `json:"tax"`
	Shipping       jpayment.Amount `json:"shipping"`
	Total          jpayment.Amount `json:"total"`
	SubscriptionID string          `json:"subscription_id"`
	TestMode       bool            `json:"test_mode"`
}

func newResultRecord(res *jpayment.Result) *resultRecord {
	if res == nil {
		return nil
	}
	return &resultRecord{
		PaymentID: res.PaymentID, Status: res.Status.String(), Code: res.Code,
		OrderCode: res.OrderCode, OrderNumber: res.OrderNumber,
		Amount: res.Amount, Tax: res.Tax, Shipping: res.Shipping, Total: res.Total,
		SubscriptionID: res.SubscriptionID, TestMode: res.TestMode(),
	}
}

// write writes the report of an operation that ended with a result or an error, and
// returns the exit status.
func (r *report) write(res *jpayment.Result, err error) error {
	var usage usageError
	switch {
	case errors.As(err, &usage):
		if !r.op.json {
			return err
		}
		fmt.Fprintf(r.world.stderr, "jpayment: %v\n", err)
		return r.end(record{
			Outcome: jpayment.OutcomeNotSent.String(),
			Message: string(usage), MessageJa: string(usage),
			Next: "correct the command line or the settings; nothing was sent", NextJa: "コマンドラインまたは設定を修正してください。何も送信されていません。",
		}, exitUsage)
	case errors.Is(err, errNotConfirmed):
		fmt.Fprintln(r.world.stderr, in(r.lang, "Not confirmed: nothing was sent.", "確認されなかったため、何も送信していません。"))
		return r.end(record{
			Outcome: jpayment.OutcomeNotSent.String(),
			Message: "not confirmed", MessageJa: "確認されませんでした",
			Next: "nothing was sent", NextJa: "何も送信されていません。",
		}, exitFailed)
	case err != nil:
		return r.writeFailure(err)
	default:
		return r.writeSuccess(res)
	}
}

func (r *report) writeFailure(err error) error {
	o, t := jpayment.OutcomeOf(err), tell(err)
	m, status := unsure, exitUnknown
	switch {
	case len(t.faults) > 0:
		m, status = bad, exitUsage
	case o == jpayment.OutcomeRefused, o == jpayment.OutcomeNotSent:
		m, status = bad, exitFailed
	}
	w := r.world.stderr
	fmt.Fprintf(w, "%s %s: %s\n", m.paint(r.world, r.world.terminal.err), r.subject(), outcomeName(r.lang, o))
	switch {
	case len(t.faults) > 0:
		for _, f := range t.faults {
			fmt.Fprintf(w, "  %s %s\n", flagOf(f), printable(f.Reason))
		}
	case t.code != "" && r.lang != japanese:
		fmt.Fprintf(w, "  %s  %s\n  %s  %s\n", string(t.code), t.what, strings.Repeat(" ", len(t.code)), t.whatJa)
	case t.code != "":
		fmt.Fprintf(w, "  %s  %s\n", string(t.code), t.whatJa)
	default:
		fmt.Fprintf(w, "  %s\n", printable(in(r.lang, t.what, t.whatJa)))
	}
	if t.call.Earlier != nil {
		fmt.Fprintln(w, in(r.lang, "  an earlier attempt may have been carried out", "  先行する試行が処理された可能性があります"))
	}
	if t.call.Attempts > 1 {
		fmt.Fprintf(w, in(r.lang, "  %d attempts\n", "  試行回数 %d\n"), t.call.Attempts)
	}
	fmt.Fprintf(w, in(r.lang, "  next: %s\n", "  次の手順: %s\n"), in(r.lang, t.next, t.nextJa))
	return r.end(record{
		Outcome: o.String(), Code: t.code, Message: t.what, MessageJa: t.whatJa, Next: t.next, NextJa: t.nextJa,
		Attempts: t.call.Attempts, Result: newResultRecord(t.result),
	}, status)
}

func (r *report) writeSuccess(res *jpayment.Result) error {
	next, nextJa := "", ""
	if r.op.op == jpayment.OpReAuth {
		next = fmt.Sprintf("capture the new payment %s", res.PaymentID)
		nextJa = fmt.Sprintf("以後は新しい決済 %s を実売上してください。", res.PaymentID)
	}
	if res.TestMode() {
		next = "do not ship: the store is in test mode and no money moved"
		nextJa = "店舗がテストモードで、お金は動いていません。出荷しないでください。"
	}
	if !r.op.json {
		w := r.world.stdout
		fmt.Fprintf(w, "%s %s: %s\n", good.paint(r.world, r.world.terminal.out), r.subject(), outcomeName(r.lang, jpayment.OutcomeDone))
		writeTable(w, columnRows(columns(r.lang, res, false)))
		if next != "" {
			fmt.Fprintf(w, in(r.lang, "  next: %s\n", "  次の手順: %s\n"), in(r.lang, next, nextJa))
		}
	}
	return r.end(record{
		Outcome: jpayment.OutcomeDone.String(), Message: "done", MessageJa: "完了しました", Next: next, NextJa: nextJa,
		Attempts: r.attempts.n, Result: newResultRecord(res),
	}, exitDone)
}

// subject names the operation and its payment.
func (r *report) subject() string {
	id := r.number()
	switch {
	case id == "":
		return in(r.lang, string(r.op.op), r.op.name)
	case r.lang == japanese:
		return "決済 " + id + " の" + r.op.name
	default:
		return string(r.op.op) + " of payment " + id
	}
}

// number returns the payment number if it is one: what else was given may be a
// customer's name.
func (r *report) number() string {
	if strings.Trim(r.paymentID, "0123456789") != "" {
		return ""
	}
	return r.paymentID
}

// end writes the record where JSON is wanted and returns the exit status.
func (r *report) end(rec record, status int) error {
	if r.op.json {
		rec.Operation, rec.PaymentID = r.op.op, r.number()
		if err := writeJSON(r.world.stdout, rec); err != nil {
			fmt.Fprintf(r.world.stderr, "jpayment: %v\n", err)
			if status == exitDone { // Who waits for the result has not got it.
				status = exitUnknown
			}
		}
	}
	if status == exitDone {
		return nil
	}
	return exitStatus(status)
}

// writeJSON writes one object on one line.
func writeJSON(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return fmt.Errorf("write JSON: %w", err)
	}
	return nil
}

// flagNames are the fields that can be at fault, as the command line has them.
var flagNames = map[string]string{
	"StoreID":     "--store",
	"PaymentID":   "PAYMENT",
	"Amount":      "--amount",
	"Tax":         "--tax",
	"Shipping":    "--shipping",
	"Email":       "--email",
	"Phone":       "--phone",
	"Extra":       "--extra",
	"WithBaseURL": "--url",
}

// flagOf names what a fault is about as the command line has it.
func flagOf(f jpayment.Fault) string {
	field, key, _ := strings.Cut(f.Field, "[")
	name, ok := flagNames[field]
	if !ok {
		name = field
	}
	if key != "" {
		name += " " + strings.TrimSuffix(key, "]")
	}
	if f.Param != "" {
		name += " (" + f.Param + ")"
	}
	return name
}

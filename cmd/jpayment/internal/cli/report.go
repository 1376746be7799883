package cli

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/jpayment-go/jpayment"
	"github.com/jpayment-go/jpayment/cmd/jpayment/internal/console"
	"github.com/jpayment-go/jpayment/cmd/jpayment/internal/jobtext"
)

// report reports the outcome of an operation.
type report struct {
	console.Console
	op        *operation
	paymentID string
	flags     string // of this command
}

// record is the JSON form of a report.
type record struct {
	Operation jpayment.Operation `json:"operation"`
	PaymentID string             `json:"payment_id"` // empty if it is not a number
	Outcome   string             `json:"outcome"`
	Code      jpayment.Code      `json:"code"`
	Message   string             `json:"message"`
	MessageJa string             `json:"message_ja"`
	Next      string             `json:"next"`
	NextJa    string             `json:"next_ja"`
	Attempts  int                `json:"attempts"`
	Result    *resultRecord      `json:"result"`
}

func newRecord(outcome jpayment.Outcome, what, next jpayment.Text) record {
	return record{Outcome: outcome.String(), Message: what.En, MessageJa: what.Ja, Next: next.En, NextJa: next.Ja}
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
	Unreadable     []string        `json:"unreadable"` // names of the fields that are given as received
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
		Unreadable: append([]string{}, res.Unreadable...), // [] rather than null
	}
}

// write prints the report of an operation that ended with a result or an error, and returns
// the exit status.
func (r *report) write(res *jpayment.Result, err error) error {
	var ours *console.Error
	switch {
	case errors.As(err, &ours):
		if !r.op.json {
			return err
		}
		fmt.Fprintf(r.Stderr, "jpayment: %s\n", r.Lang.Of(ours.Text))
		return r.end(newRecord(jpayment.OutcomeNotSent, ours.Text, jpayment.Text{
			En: "correct the command line or the settings; nothing was sent",
			Ja: "コマンドラインまたは設定を修正する（何も送信されていない）",
		}), ours.Status)
	case errors.Is(err, console.ErrNotConfirmed):
		fmt.Fprintln(r.Stderr, r.Lang.In("Not confirmed: nothing was sent.", "確認されなかったため、何も送信していません。"))
		return r.end(newRecord(jpayment.OutcomeNotSent,
			jpayment.Text{En: "not confirmed", Ja: "確認されませんでした"},
			jpayment.Text{En: "nothing was sent", Ja: "何も送信されていません"}), console.Failed)
	case err != nil:
		return r.writeFailure(err)
	default:
		return r.writeSuccess(res)
	}
}

func (r *report) writeFailure(err error) error {
	var (
		invalid   *jpayment.ValidationError
		transport *jpayment.TransportError
		reply     *jpayment.ReplyError
		gateway   *jpayment.GatewayError

		outcome = jpayment.OutcomeOf(err)
		rec     = newRecord(outcome, jpayment.WhatOf(err), r.next(err))
		m       = console.Unsure
		status  = console.Unknown
	)
	switch {
	case errors.As(err, &invalid):
		m, status = console.Bad, console.Usage
	case outcome == jpayment.OutcomeRefused, outcome == jpayment.OutcomeNotSent:
		m, status = console.Bad, console.Failed
	}
	switch {
	case errors.As(err, &transport):
		rec.Attempts = transport.Attempts
	case errors.As(err, &reply):
		rec.Attempts, rec.Result = reply.Attempts, newResultRecord(reply.Result)
	case errors.As(err, &gateway):
		rec.Attempts, rec.Result, rec.Code = gateway.Attempts, newResultRecord(gateway.Result), gateway.Code
	}
	w := r.Stderr
	fmt.Fprintf(w, "%s %s: %s\n", r.ErrMark(m), r.Lang.Of(r.subject()), r.Lang.Of(outcome.Text()))
	if invalid != nil {
		for _, f := range invalid.Fields {
			fmt.Fprintf(w, "  %s\n", console.Printable(r.Lang.Of(fieldText(f))))
		}
	} else {
		fmt.Fprintf(w, "  %s\n", console.Printable(r.Lang.In(rec.Message, rec.MessageJa)))
		if rec.Code != "" && r.Lang != console.Japanese {
			fmt.Fprintf(w, "  %s\n", console.Printable(rec.MessageJa))
		}
	}
	fmt.Fprintf(w, r.Lang.In("  next: %s\n", "  次の手順: %s\n"), r.Lang.In(rec.Next, rec.NextJa))
	return r.end(rec, status)
}

// next returns what to do after a failure, as commands where possible.
func (r *report) next(err error) jpayment.Text {
	if jpayment.OutcomeOf(err) == jpayment.OutcomeUnknown && !errors.Is(err, jpayment.ErrTestMode) {
		return jobtext.AfterUnknown(r.op.op, "jpayment "+r.op.command+" "+r.number()+r.flags)
	}
	return jpayment.NextOf(err)
}

func (r *report) writeSuccess(res *jpayment.Result) error {
	var next jpayment.Text
	if r.op.op == jpayment.OpReAuth {
		next = jobtext.Capture(res.PaymentID)
	}
	if res.TestMode() {
		next = jobtext.TestMode
	}
	if !r.op.json {
		fmt.Fprintf(r.Stdout, "%s %s: %s\n", r.OutMark(console.Good), r.Lang.Of(r.subject()), r.Lang.Of(jpayment.OutcomeDone.Text()))
		console.WriteTable(r.Stdout, columnRows(columns(r.Lang, res, false)))
		if next != (jpayment.Text{}) {
			fmt.Fprintf(r.Stdout, r.Lang.In("  next: %s\n", "  次の手順: %s\n"), r.Lang.Of(next))
		}
	}
	rec := newRecord(jpayment.OutcomeDone, jpayment.Text{En: "done", Ja: "完了しました"}, next)
	rec.Attempts, rec.Result = res.Attempts, newResultRecord(res)
	return r.end(rec, console.Done)
}

// subject names the operation and its payment.
func (r *report) subject() jpayment.Text {
	id, name := r.number(), jpayment.Text{En: string(r.op.op), Ja: r.op.name}
	if id == "" {
		return name
	}
	return console.Textf("%[1]s of payment %[2]s", "決済 %[2]s の%[1]s", name, id)
}

// number returns the payment number if it is one. Other input may be a customer's name.
func (r *report) number() string {
	if strings.Trim(r.paymentID, "0123456789") != "" {
		return ""
	}
	return r.paymentID
}

// end writes the record if JSON is wanted, and returns the exit status.
func (r *report) end(rec record, status int) error {
	if r.op.json {
		rec.Operation, rec.PaymentID = r.op.op, r.number()
		if err := writeJSON(r.Stdout, rec); err != nil {
			fmt.Fprintf(r.Stderr, "jpayment: %s\n", r.Lang.Of(console.What(err)))
			if status == console.Done { // The caller has not received the result.
				status = console.Unknown
			}
		}
	}
	if status == console.Done {
		return nil
	}
	return console.ExitStatus(status)
}

// writeJSON writes one object on one line.
func writeJSON(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return console.Failedf("the JSON cannot be written: %s", "JSON を出力できません。%s", console.What(err))
	}
	return nil
}

// flagNames maps fields that can be invalid to their names on the command line.
var flagNames = map[string]string{
	"StoreID":     "--store",
	"PaymentID":   "PAYMENT",
	"Amount":      "--amount",
	"Tax":         "--tax",
	"Shipping":    "--shipping",
	"Email":       "--email",
	"Extra":       "--extra",
	"Phone":       "--phone",
	"Schema":      "--schema",
	"WithBaseURL": "--url",
	"WithCharset": "--charset",
	"WithTimeout": "--timeout",
	"Database":    "--dialect",
	"From":        "--from",

	"Job":          "JOB",
	"NewPaymentID": "--new-payment",
	"By":           "--by",
	"Note":         "--note",
}

// fieldText describes an invalid field by its name on the command line.
func fieldText(f jpayment.InvalidField) jpayment.Text {
	name := f.Field
	if flag, ok := flagNames[name]; ok {
		name = flag
	}
	if f.Key != "" {
		name += " " + f.Key
	}
	if f.Param != "" {
		return console.Textf("%s (%s) %s", "%s（%s）%s", name, f.Param, f.Reason)
	}
	return console.Textf("%s %s", "%s %s", name, f.Reason)
}

// wrongFields returns the error of invalid settings or an invalid request.
func wrongFields(err error) error {
	var invalid *jpayment.ValidationError
	if !errors.As(err, &invalid) {
		return err
	}
	en, ja := make([]string, len(invalid.Fields)), make([]string, len(invalid.Fields))
	for i, f := range invalid.Fields {
		text := fieldText(f)
		en[i], ja[i] = text.En, text.Ja
	}
	return console.Usagef("%[1]s", "%[2]s", strings.Join(en, "; "), strings.Join(ja, "。"))
}

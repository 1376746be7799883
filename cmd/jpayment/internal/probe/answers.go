package probe

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/jpayment-go/jpayment"
	"github.com/jpayment-go/jpayment/cmd/jpayment/internal/console"
)

// memory is the basis of all judgements: the journal and the plan.
type memory struct {
	*journal
	plan    plan
	stopped jpayment.Text // why the probe ended early; empty if it did not
}

// reply is a reply that says what happened to a request.
type reply struct {
	*exchange
	text     string // without its line end
	row      bool
	res      *jpayment.Result
	zeroGID  bool          // a success with gid 0
	done     bool          // a success, except of rt=0
	accepted bool          // of rt=0: OK, whatever follows it
	code     jpayment.Code // of a refusal; otherwise empty
}

// read parses the reply of an exchange. If there is none, it returns the reason.
func (x *exchange) read() (*reply, jpayment.Text) {
	if x.Failed != nil {
		return nil, jpayment.Text{En: "No reply came: " + x.Failed.En + ".", Ja: "応答がありませんでした: " + x.Failed.Ja + "。"}
	}
	a := &reply{exchange: x, text: strings.TrimRight(string(x.Body), "\r\n")}
	body := x.Body
	if strings.HasPrefix(a.text, "0,1,") { // a success that the client would not accept
		a.zeroGID = true
		body = append([]byte("1"), body[1:]...)
	}
	res, err := jpayment.ParseReply(body)
	switch {
	case err != nil && strings.HasPrefix(a.text, "OK,") && x.Status == http200:
		a.accepted = true
		return a, none
	case err != nil:
		what := jpayment.WhatOf(err)
		return nil, jpayment.Text{En: "The reply is unreadable: " + what.En + ".", Ja: "応答を読み取れません: " + what.Ja + "。"}
	}
	a.res, a.row = res, strings.Count(a.text, ",") >= 9
	if a.zeroGID {
		res.PaymentID = "0"
	}
	switch res.Status {
	case jpayment.StatusSucceeded:
		a.done = true
	case jpayment.StatusAccepted:
		a.accepted = true
	default:
		a.code = res.Code
	}
	return a, none
}

// refusesAll reports whether the gateway would refuse the next request for the same reason.
func (x *exchange) refusesAll() bool {
	a, why := x.read()
	return why == none && (a.code.Class() == jpayment.ErrMaintenance || a.code.Class() == jpayment.ErrNotPermitted) && a.code != ""
}

// answer returns the reply to a step, or the reason why there is no conclusive one.
func (m *memory) answer(name string) (*reply, jpayment.Text) {
	s := stepOf(name)
	at := m.attempts[name]
	switch {
	case at == nil && !m.plan.has(s):
		return nil, m.plan.lacks(s)
	case at == nil && s.when != nil && s.when(m) != none:
		return nil, s.when(m)
	case at == nil && m.stopped != none:
		return nil, m.stopped
	case at == nil:
		return nil, text("It was not sent.", "送信していません。")
	case at.exchange == nil:
		return nil, text("The probe was interrupted while it waited for the reply.", "応答を待つ間に中断されました。")
	}
	a, why := at.exchange.read()
	if why != none {
		return nil, why
	}
	if a.code != "" {
		switch a.code.Class() {
		case jpayment.ErrNotPermitted:
			if s.permitted {
				return a, none
			}
			fallthrough
		case jpayment.ErrBusy, jpayment.ErrMaintenance, jpayment.ErrLostTrack:
			return nil, console.Textf("The reply was %[1]s, which says nothing about the assumption.", "応答は %[1]s で、前提については何も分かりません。", string(a.code))
		case jpayment.ErrRejected, jpayment.ErrCardDeclined, jpayment.ErrInvalidParameter:
		}
	}
	return a, none
}

// known returns the reply to a step that has one.
func (m *memory) known(name string) *reply {
	a, why := m.answer(name)
	if why != none {
		panic("probe: the step " + name + " has no reply")
	}
	return a
}

// same reports whether two requests had the same result.
func (a *reply) same(b *reply) bool {
	return a.done == b.done && a.accepted == b.accepted && a.code == b.code
}

// columns returns the number of columns of a row. The order number may contain commas.
func (a *reply) columns() int {
	return strings.Count(a.text, ",") + 1 - strings.Count(a.res.OrderNumber, ",")
}

// said returns a one-word summary of the reply.
func (a *reply) said() string {
	switch {
	case a.code != "" && a.Status != http200:
		return fmt.Sprintf("%s (HTTP %d)", string(a.code), a.Status)
	case a.code != "":
		return string(a.code)
	default:
		return "OK"
	}
}

// shown returns bytes as text. It escapes invalid UTF-8 and unprintable characters.
func shown(raw string) string {
	var b strings.Builder
	for len(raw) > 0 {
		r, size := utf8.DecodeRuneInString(raw)
		switch {
		case r == '\r':
			b.WriteString(`\r`)
		case r == '\n':
			b.WriteString(`\n`)
		case r == utf8.RuneError && size == 1, !unicode.IsPrint(r):
			for _, c := range []byte(raw[:size]) {
				fmt.Fprintf(&b, `\x%02x`, c)
			}
		default:
			b.WriteRune(r)
		}
		raw = raw[size:]
	}
	return b.String()
}

package probe

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/jpayment-go/jpayment"
)

// role is the use of one payment: a sequence of steps.
type role struct {
	name     string
	kind     Kind
	kickback bool // only if kickbacks are received
	captures bool // it may be captured
	replaces int  // how many times it may be re-authorised
	text     jpayment.Text
}

// roles lists the roles in the order in which the payments of a kind are assigned to them.
var roles = []role{
	{
		name: "spent", kind: Plain, captures: true, replaces: 1,
		text: text("cancelled; then further cancellations, captures and re-authorisations in several forms, which should all be refused",
			"取り消します。その後、取消・実売上・再オーソリを形式を変えて繰り返し要求します（いずれも拒否される想定です）"),
	},
	{
		name: "captured", kind: Plain, captures: true,
		text: text("captured; captured again, which should be refused; then cancelled", "実売上にし、もう一度実売上を要求し（拒否される想定）、取り消します"),
	},
	{
		name: "written", kind: Plain, captures: true, replaces: 1,
		text: text("captured with Japanese in its other data, then re-authorised", "その他データに日本語を付けて実売上にし、その後再オーソリします"),
	},
	{
		name: "refused", kind: Plain, replaces: 1,
		text: text("re-authorised with an invalid amount, which should be refused; then cancelled", "不正な金額で再オーソリし（拒否される想定）、その後取り消します"),
	},
	{name: "replaced", kind: Plain, replaces: 1, text: text("re-authorised", "再オーソリします")},
	{
		name: "zero", kind: Plain, replaces: 1,
		text: text("re-authorised with a total of 0 yen, which should be refused", "合計0円で再オーソリします（拒否される想定）"),
	},
	{name: "comma", kind: Comma, captures: true, text: captured},
	{name: "japanese", kind: Japanese, captures: true, text: captured},
	{
		name: "late", kind: Late, captures: true,
		text: text("captured, which should be refused", "実売上を要求します（拒否される想定）"),
	},
	{
		name: "barred", kind: Barred, replaces: 1,
		text: text("re-authorised, which should be refused", "再オーソリします（拒否される想定）"),
	},
	{
		name: "declined", kind: Declined, replaces: 1,
		text: text("re-authorised, which the card issuer should decline; then cancelled", "再オーソリし（カード会社に拒否される想定）、その後取り消します"),
	},
	{name: "kickback", kind: Plain, kickback: true, replaces: 1, text: byKickback},
	{name: "kickback-emptied", kind: Plain, kickback: true, replaces: 1, text: byKickback},
	{name: "kickback-failed", kind: Plain, kickback: true, replaces: 1, text: byKickback},
	{name: "kickback-kept-back", kind: Plain, kickback: true, replaces: 1, text: byKickback},
	{name: "kickback-first", kind: Plain, kickback: true, replaces: 1, text: byKickback},
	{name: "kickback-second", kind: Plain, kickback: true, replaces: 1, text: byKickback},
	{
		name: "kickback-declined", kind: Declined, kickback: true, replaces: 1,
		text: text("re-authorised with the result by kickback; the card issuer should decline", "結果を決済結果通知で受け取る指定で再オーソリします（カード会社に拒否される想定）"),
	},
}

var (
	captured   = text("captured", "実売上にします")
	byKickback = text("re-authorised with the result by kickback", "結果を決済結果通知で受け取る指定で再オーソリします")
)

// nobody is the role of steps for payment 0, which does not exist.
const nobody = ""

// step is one request. It is recorded before it is sent, and never sent again.
type step struct {
	name string
	role string
	// yen is the amount of a re-authorisation, which identifies its kickback.
	yen int64
	// when returns why the step is useless after the earlier ones, or none.
	when  func(*memory) jpayment.Text
	build func(*builder) (request, error)
	// kickback is how to answer the step's kickback, if one is expected.
	kickback answer
	// idle leaves the connection idle and sends the request again.
	idle bool
	// permitted means that ErrNotPermitted is an expected reply. After other steps it ends the
	// probe.
	permitted bool
	auth      bool // only for stores with connection authentication
}

// The other data of the steps: spaces, signs and Japanese show how the gateway encodes them.
const (
	signs = "a b+c&d"
	words = "日本 語"
)

func extra(key, value string) jpayment.Extra {
	return jpayment.NewExtra(map[string]string{key: value})
}

// steps lists the steps in the order in which they are sent. A step is skipped if its payment
// is missing.
var steps []step

func init() { steps = allSteps } // The steps refer to each other, so they cannot be initialised directly.

var allSteps = []step{
	{name: "no-payment", role: nobody, build: (*builder).cancel},
	// The first operation on a payment is a cancellation: if the store is not in test mode
	// after all, nobody is charged.
	{name: "cancel", role: "spent", build: (*builder).cancel},
	{name: "sales", role: "captured", build: func(b *builder) (request, error) { return b.sales(extra("probe_signs", signs)) }},
	{name: "second-sales", role: "captured", when: done("sales"), build: func(b *builder) (request, error) { return b.sales(jpayment.Extra{}) }},
	{name: "cancel-captured", role: "captured", when: done("sales"), build: (*builder).cancel},
	{name: "second-cancel", role: "spent", when: done("cancel"), build: func(b *builder) (request, error) {
		return preview(b.ctx, b.utf8, jpayment.OpCancel, jpayment.CancelRequest{PaymentID: b.paymentID, Extra: extra("probe", "1")})
	}},
	// The same request as second-cancel in other forms, to compare the replies.
	form("short", func(r request) request { return r.with("rt=1", "rt=0") }),
	form("rt-twice", func(r request) request { return r.with("rt=1", "rt=0").and("&rt=1") }),
	form("multipart", request.asMultipart),
	form("query", request.inQuery),
	form("raw-space", func(r request) request { return r.and("&probe=a b") }),
	form("stray", func(r request) request { return r.and("&&probe&") }),
	form("too-long", func(r request) request { return r.and("&probe=" + strings.Repeat("a", 1100)) }),
	form("long-escaped", func(r request) request { return r.and("&probe=" + strings.Repeat("%61", 600)) }),
	{name: "wrong-hash", role: "spent", auth: true, permitted: true, when: done("cancel"), build: func(b *builder) (request, error) { return b.off(0, true) }},
	{name: "clock-4m", role: "spent", auth: true, permitted: true, when: done("cancel"), build: func(b *builder) (request, error) { return b.off(-4*time.Minute, false) }},
	{name: "clock-6m", role: "spent", auth: true, permitted: true, when: done("cancel"), build: func(b *builder) (request, error) { return b.off(-6*time.Minute, false) }},
	{name: "wrong-store", role: nobody, permitted: true, build: func(b *builder) (request, error) {
		r, err := b.cancel()
		return r.with("aid="+b.store, "aid=000000"), err
	}},
	{name: "wrong-email", role: "spent", yen: 101, when: done("cancel"), build: func(b *builder) (request, error) {
		r, err := b.reauth(jpayment.Extra{})
		return r.and("&em=a%40b%40c"), err
	}},
	{name: "reauth-cancelled", role: "spent", yen: 101, when: done("cancel"), build: func(b *builder) (request, error) { return b.reauth(jpayment.Extra{}) }},
	{name: "kickback-refused", role: "spent", yen: 101, when: func(m *memory) jpayment.Text {
		if !m.plan.listening {
			return noListener
		}
		return refused("reauth-cancelled")(m)
	}, build: func(b *builder) (request, error) { return b.byKickback(extra("probe", "kickback-refused")) }, kickback: taken},
	{name: "sales-cancelled", role: "spent", when: done("cancel"), build: func(b *builder) (request, error) { return b.sales(jpayment.Extra{}) }},

	{name: "sales-utf8", role: "written", build: func(b *builder) (request, error) { return b.sales(extra("probe_japanese", words)) }},
	{name: "sales-shift-jis", role: "written", when: func(m *memory) jpayment.Text {
		if a, why := m.answer("sales-utf8"); why != none {
			return why
		} else if a.code != "ER001" {
			return text("text in UTF-8 was not refused", "UTF-8 のリクエストが拒否されなかったため不要です")
		}
		return none
	}, build: func(b *builder) (request, error) {
		return preview(b.ctx, b.shiftJIS, jpayment.OpSales, jpayment.SalesRequest{PaymentID: b.paymentID, Extra: extra("probe_japanese", words)})
	}},
	{name: "reauth-captured", role: "written", yen: 101, when: func(m *memory) jpayment.Text {
		if why := done("sales-utf8")(m); why == none {
			return none
		}
		return done("sales-shift-jis")(m)
	}, build: func(b *builder) (request, error) { return b.reauth(jpayment.Extra{}) }},

	{name: "refused-reauth", role: "refused", yen: 101, build: func(b *builder) (request, error) {
		r, err := b.reauth(jpayment.Extra{})
		return r.with("am=101", "am=x"), err
	}},
	{name: "cancel-refused", role: "refused", when: refused("refused-reauth"), build: func(b *builder) (request, error) {
		r, err := b.cancel()
		return r.and("&am=7&AM=8"), err
	}},
	{name: "reauth", role: "replaced", yen: 101, build: func(b *builder) (request, error) {
		r, err := b.reauth(jpayment.Extra{})
		return r.and("&em=&pn="), err
	}},
	{name: "reauth-zero", role: "zero", yen: 101, build: func(b *builder) (request, error) {
		r, err := b.reauth(jpayment.Extra{})
		return r.with("am=101", "am=0").with("tx=12", "tx=0").with("sf=3", "sf=0"), err
	}},
	{name: "sales-comma", role: "comma", build: func(b *builder) (request, error) { return b.sales(jpayment.Extra{}) }},
	{name: "sales-japanese", role: "japanese", build: func(b *builder) (request, error) { return b.sales(jpayment.Extra{}) }},
	{name: "sales-late", role: "late", build: func(b *builder) (request, error) { return b.sales(jpayment.Extra{}) }},
	{name: "reauth-barred", role: "barred", yen: 101, build: func(b *builder) (request, error) { return b.reauth(jpayment.Extra{}) }},
	{name: "reauth-declined", role: "declined", yen: 101, build: func(b *builder) (request, error) { return b.reauth(jpayment.Extra{}) }},
	{name: "cancel-declined", role: "declined", when: refused("reauth-declined"), build: (*builder).cancel},
	{name: "idle", role: nobody, idle: true, build: (*builder).cancel},

	byKickbackStep("kickback", 201, taken, func(b *builder) (request, error) {
		return b.byKickback(jpayment.NewExtra(map[string]string{"probe": "kickback", "probe_japanese": words}))
	}),
	byKickbackStep("kickback-kept-back", 204, keptBack, nil),
	byKickbackStep("kickback-first", 205, taken, nil),
	byKickbackStep("kickback-second", 206, taken, nil),
	byKickbackStep("kickback-declined", 207, taken, nil),
	byKickbackStep("kickback-failed", 203, failed, func(b *builder) (request, error) {
		r, err := b.byKickback(extra("probe", "kickback-failed"))
		return r.and("&probe_z=1&cod=probe&probe_a=2"), err
	}),
	byKickbackStep("kickback-emptied", 202, emptied, nil), // comes last, because nothing may delay its repetitions
}

// form returns a step that sends a second cancellation in another form.
func form(name string, change func(request) request) step {
	return step{name: name, role: "spent", when: done("cancel"), build: func(b *builder) (request, error) {
		r, err := b.cancel()
		return change(r), err
	}}
}

// byKickbackStep returns a step whose result comes by kickback.
func byKickbackStep(name string, yen int64, how answer, build func(*builder) (request, error)) step {
	if build == nil {
		build = func(b *builder) (request, error) { return b.byKickback(extra("probe", name)) }
	}
	return step{name: name, role: name, yen: yen, build: build, kickback: how}
}

func stepOf(name string) step {
	return steps[slices.IndexFunc(steps, func(s step) bool { return s.name == name })]
}

// builder builds the request of one step.
type builder struct {
	*sender
	ctx       context.Context //nolint:containedctx // It lives as long as one call.
	store     string
	paymentID string
	yen       int64
}

func (b *builder) cancel() (request, error) {
	return preview(b.ctx, b.utf8, jpayment.OpCancel, jpayment.CancelRequest{PaymentID: b.paymentID})
}

func (b *builder) sales(e jpayment.Extra) (request, error) {
	return preview(b.ctx, b.utf8, jpayment.OpSales, jpayment.SalesRequest{PaymentID: b.paymentID, Extra: e})
}

func (b *builder) reauth(e jpayment.Extra) (request, error) {
	return preview(b.ctx, b.utf8, jpayment.OpReAuth, b.amounts(e))
}

func (b *builder) byKickback(e jpayment.Extra) (request, error) {
	return preview(b.ctx, b.utf8, jpayment.OpReAuthByKickback, b.amounts(e))
}

// The tax and the shipping cost of every re-authorisation, in yen.
const (
	taxYen      = 12
	shippingYen = 3
)

func (b *builder) amounts(e jpayment.Extra) jpayment.ReAuthRequest {
	return jpayment.ReAuthRequest{PaymentID: b.paymentID, Amount: b.yen, Tax: taxYen, Shipping: shippingYen, Extra: e}
}

func (b *builder) off(clock time.Duration, wrong bool) (request, error) {
	r, err := b.cancel()
	return r.authenticated(b.auth.Reveal(), clock, wrong), err
}

// done returns a function for step.when: the named step must have succeeded.
func done(name string) func(*memory) jpayment.Text {
	return func(m *memory) jpayment.Text {
		a, why := m.answer(name)
		if why == none && !a.done {
			why = after(a)
		}
		return why
	}
}

// refused returns a function for step.when: the named step must have been refused.
func refused(name string) func(*memory) jpayment.Text {
	return func(m *memory) jpayment.Text {
		a, why := m.answer(name)
		if why == none && a.code == "" {
			why = after(a)
		}
		return why
	}
}

func after(a *reply) jpayment.Text {
	return textf("The reply to an earlier request for the payment was %[1]s.", "この決済への前のリクエストの応答が %[1]s でした。", a.said())
}

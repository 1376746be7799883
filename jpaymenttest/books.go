package jpaymenttest

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"math"
	"slices"
	"strconv"
	"time"
)

// State is what the books say of a payment.
type State string

// The states of a payment. An authorisation reserves the amount on the card, a
// capture takes it, a cancellation gives it back, in whole.
const (
	Authorized State = "authorized" // 仮売上
	Captured   State = "captured"   // 実売上
	Cancelled  State = "cancelled"  // 取消
)

// What is done to payments. The gateway's name for the job is its value, as far
// as it has one.
const (
	OpAuth   = "AUTH"   // the shop's checkout, which is not part of the simulation: see Gateway.Authorize
	OpSales  = "SALES"  // 実売上, capture
	OpCancel = "CANCEL" // 取消
	OpReAuth = "REAUTH" // 再オーソリ, re-authorisation
)

// Payment is a payment in the books. Amounts are yen.
type Payment struct {
	ID    string // 決済番号: gid in replies, tid in requests
	State State

	Amount   int64 // am, 決済金額
	Tax      int64 // tx, 税額
	Shipping int64 // sf, 送料

	OrderNumber  string // cod, 店舗オーダー番号, the merchant's
	OrderCode    string // god, オーダーコード, the gateway's
	ApprovalCode string // ap, カード会社承認番号; TestMod in test mode

	RegisteredProduct bool   // 商品登録あり: cannot be re-authorised
	Decline           string // the G code with which the card's issuer declines; see Authorization
	// TestMode tells that one booking or more was a test: the card's issuer knows
	// nothing of it, and State is not the state of any money.
	TestMode bool

	AuthorizedAt time.Time
	Replaces     string // the payment that a re-authorisation cancelled to open this one
	ReplacedBy   string // the payment that a re-authorisation opened in this one's place

	// History has one entry for each booking, the oldest first. The state after
	// the last is State.
	History []Event
}

// Event is one booking of a payment.
type Event struct {
	At        time.Time
	Operation string // OpAuth, OpSales, OpCancel or OpReAuth
	State     State  // after the booking
	TestMode  bool   // no money moved: the shop was in test mode, or was when the payment was opened
	Request   int    // the Number of the Request that asked for it; 0 where it was not a request: Gateway.Authorize, Capture and so on
}

// Authorization is a card payment as the shop's checkout would have made it.
// Amounts are yen.
type Authorization struct {
	Amount   int64
	Tax      int64
	Shipping int64

	OrderNumber       string    // the merchant's cod, at most 50 bytes
	RegisteredProduct bool      // 商品登録あり
	At                time.Time // zero for now, by the gateway's clock

	// Decline is a G code such as G1242G120000, with which the card's issuer
	// declines every later capture and re-authorisation of the payment.
	Decline string
}

// japan needs no time zone database: Japan has no daylight saving time.
var japan = time.FixedZone("JST", 9*60*60)

type books struct {
	payments map[string]*entry
	order    []*entry
	touched  []touched
}

type entry struct{ Payment }

func newBooks() books { return books{payments: map[string]*entry{}} }

// testApproval is the approval code in test mode (field notes, "Replies": H).
const testApproval = "TestMod"

// Authorize opens a payment as the shop's checkout does, without a request, and
// returns its number. It panics where the checkout would not have: on a negative
// amount or a total that is not positive or beyond int64, on an order number of
// more than 50 bytes and on a Decline that is not a G code; also if [WithJournal] fails.
func (g *Gateway) Authorize(a Authorization) (paymentID string) {
	if _, ok := total(a.Amount, a.Tax, a.Shipping); !ok {
		panic(fmt.Sprintf("jpaymenttest: Authorize: amounts %d, %d, %d", a.Amount, a.Tax, a.Shipping))
	}
	if len(encode(a.OrderNumber, g.requestCharset)) > 50 {
		panic("jpaymenttest: Authorize: order number of more than 50 bytes")
	}
	if a.Decline != "" && (a.Decline[0] != 'G' || !isCode(a.Decline)) {
		panic(fmt.Sprintf("jpaymenttest: Authorize: %q is not a G code", a.Decline))
	}

	g.mu.Lock()
	defer g.mu.Unlock()
	now := g.clock()
	p := &entry{
		Payment: Payment{
			Amount:            a.Amount,
			Tax:               a.Tax,
			Shipping:          a.Shipping,
			OrderNumber:       a.OrderNumber,
			RegisteredProduct: a.RegisteredProduct,
			Decline:           a.Decline,
			AuthorizedAt:      now,
		},
	}
	if !a.At.IsZero() {
		p.AuthorizedAt = a.At
	}
	g.open(p, Event{At: p.AuthorizedAt, Operation: OpAuth})
	if err := g.keep(); err != nil {
		panic(fmt.Sprintf("jpaymenttest: Authorize: %v", err))
	}
	g.changed()
	return p.ID
}

// Payment returns the payment of that number.
func (g *Gateway) Payment(id string) (p Payment, found bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	e, found := g.books.payments[id]
	if !found {
		return Payment{}, false
	}
	return e.copy(), true
}

// Payments returns every payment, in the order in which they were opened.
func (g *Gateway) Payments() []Payment {
	g.mu.Lock()
	defer g.mu.Unlock()
	all := make([]Payment, len(g.books.order))
	for i, e := range g.books.order {
		all[i] = e.copy()
	}
	return all
}

func (e *entry) copy() Payment {
	p := e.Payment
	p.History = slices.Clone(p.History)
	return p
}

// open gives a new payment its numbers and books its authorisation.
func (g *Gateway) open(p *entry, event Event) {
	g.books.touch(p)
	n := len(g.books.order)
	p.ID = paymentID(n)
	p.OrderCode = strconv.Itoa(20000001 + n)
	p.ApprovalCode = fmt.Sprintf("%07d", 1112+n)
	if g.testMode {
		p.ApprovalCode = testApproval
	}
	g.books.order = append(g.books.order, p)
	g.books.payments[p.ID] = p
	event.State = Authorized
	g.book(p, event)
}

// book is the only place that changes a payment's state.
func (g *Gateway) book(p *entry, event Event) {
	g.books.touch(p)
	event.TestMode = g.testMode || p.ApprovalCode == testApproval
	p.State = event.State
	p.TestMode = p.TestMode || event.TestMode
	p.History = append(p.History, event)
}

// bookFor books what a request asked for.
func (g *Gateway) bookFor(req *Request, p *entry, state State) {
	g.book(p, Event{At: req.At, Operation: req.Operation, State: state, Request: req.Number})
	req.Booked = true
}

// decide does what a request asks for, or refuses. The order of the checks is
// in the package comment.
func (g *Gateway) decide(req *Request, in input) result {
	if code := g.admit(req, in); code != "" {
		return refusal(code)
	}
	if req.Path == reAuthPath {
		return g.reAuth(req, in)
	}
	return g.salesOrCancel(req, in)
}

// admit returns the code with which a request is refused that is not fit to be
// looked at, or nothing.
func (g *Gateway) admit(req *Request, in input) string {
	aid := in.form.Get("aid")
	switch {
	case g.maintenance:
		return "ER999"
	case g.connectionCode == "" && !g.knows(req.RemoteAddr):
		return "ER003"
	case req.Method != "GET" && req.Method != "POST":
		return "ER107"
	case !isStoreID(aid):
		return "ER050"
	case aid != g.storeID:
		return "ER004"
	case in.faulty || in.otherSize > maxOtherData:
		return "ER001"
	case g.connectionCode != "" && !g.authentic(req.At, in.form.Get("ut"), in.form.Get("hak")):
		return "ER003"
	default:
		return ""
	}
}

// maxSkew is how far the time of a request may be off the gateway's clock.
const maxSkew = 5 * time.Minute

func (g *Gateway) authentic(now time.Time, ut, hak string) bool {
	seconds, ok := parseDigits(ut)
	if !ok {
		return false
	}
	skew := now.Sub(time.Unix(seconds, 0))
	sum := sha256.Sum256([]byte(ut + g.connectionCode))
	return -maxSkew <= skew && skew <= maxSkew && hak == hex.EncodeToString(sum[:])
}

// target returns the payment that a request is about, by rt and tid.
func (g *Gateway) target(in input) (p *entry, code string) {
	if rt := in.form.Get("rt"); rt != "0" && rt != "1" {
		return nil, "ER052"
	}
	p, found := g.books.payments[in.form.Get("tid")]
	if !found {
		return nil, "ER053"
	}
	return p, ""
}

// salesOrCancel is the page gateway.aspx (specification, 決済処理(実売上、取消)仕様). No
// kickback follows, whatever rt says.
func (g *Gateway) salesOrCancel(req *Request, in input) result {
	if req.Operation == "" {
		return refusal("ER051")
	}
	p, code := g.target(in)
	if code != "" {
		return refusal(code)
	}
	if req.Operation == OpSales {
		code = g.capture(req, p)
	} else {
		code = g.cancel(req, p)
	}
	if code != "" {
		return refusal(code)
	}
	return g.done(p, in)
}

func (g *Gateway) capture(req *Request, p *entry) (code string) {
	switch {
	case p.State != Authorized, g.tooOldToCapture(p, req.At):
		return "ER032"
	case p.Decline != "":
		return p.Decline
	}
	g.bookFor(req, p, Captured)
	return ""
}

func (g *Gateway) cancel(req *Request, p *entry) (code string) {
	if p.State == Cancelled {
		return "ER033"
	}
	g.bookFor(req, p, Cancelled)
	return ""
}

// captureDays is how long an authorisation can be captured (field notes,
// "Operations": H).
const captureDays = 90

func (g *Gateway) tooOldToCapture(p *entry, now time.Time) bool {
	year, month, day := p.AuthorizedAt.In(japan).Date()
	end := time.Date(year, month, day+captureDays+1, 0, 0, 0, 0, japan)
	return !g.capturesAnyTime && !now.Before(end)
}

// reAuth is the page re_auth.aspx (specification, 決済処理(再オーソリ)仕様): it cancels a
// payment and opens another with other amounts.
func (g *Gateway) reAuth(req *Request, in input) result {
	old, code := g.target(in)
	if code != "" {
		return refusal(code)
	}
	next, code := readAmounts(in.form)
	if code != "" {
		return refusal(code)
	}
	p, code := g.replace(req, old, next)
	switch code {
	case "":
		return g.notify(req, in, g.done(p, in))
	case old.Decline:
		return g.notify(req, in, refusal(code))
	default:
		return refusal(code)
	}
}

// replace cancels a payment and opens the next one in its place, or says why not.
func (g *Gateway) replace(req *Request, old *entry, next Payment) (p *entry, code string) {
	switch {
	case old.State == Cancelled:
		return nil, "ER033"
	case old.RegisteredProduct, !sameOrLastMonth(old.AuthorizedAt, req.At):
		return nil, "ER053"
	case old.Decline != "":
		if g.declineCancels {
			g.bookFor(req, old, Cancelled)
		}
		return nil, old.Decline
	}

	next.OrderNumber = old.OrderNumber
	next.AuthorizedAt = req.At
	next.Replaces = old.ID
	p = &entry{Payment: next}
	g.bookFor(req, old, Cancelled)
	g.open(p, Event{At: req.At, Operation: OpReAuth, Request: req.Number})
	old.ReplacedBy = p.ID
	return p, ""
}

// readAmounts returns a payment with the amounts of a re-authorisation, having
// looked at its other parameters, too.
func readAmounts(form Form) (p Payment, code string) {
	var ok bool
	if p.Amount, ok = parseDigits(form.Get("am")); !ok {
		return p, "ER061"
	}
	if p.Tax, ok = parseDigits(form.Get("tx")); !ok {
		return p, "ER062"
	}
	if p.Shipping, ok = parseDigits(form.Get("sf")); !ok {
		return p, "ER063"
	}
	if _, ok = total(p.Amount, p.Tax, p.Shipping); !ok {
		return p, "ER061"
	}
	if em := form.Get("em"); em != "" && !isEmail(em) {
		return p, "ER059"
	}
	if pn := form.Get("pn"); pn != "" && (!isDigits(pn) || len(pn) > 15) {
		return p, "ER060"
	}
	return p, ""
}

// total adds amounts; ok tells that none is negative and that the sum is positive
// and fits.
func total(amount, tax, shipping int64) (sum int64, ok bool) {
	for _, n := range []int64{amount, tax, shipping} {
		if n < 0 || n > math.MaxInt64-sum {
			return 0, false
		}
		sum += n
	}
	return sum, sum > 0
}

// sameOrLastMonth tells whether a payment is of this calendar month in Japan or the
// one before (specification, 再オーソリ処理の注意点).
func sameOrLastMonth(paid, now time.Time) bool {
	months := func(t time.Time) int {
		year, month, _ := t.In(japan).Date()
		return year*12 + int(month)
	}
	age := months(now) - months(paid)
	return age == 0 || age == 1
}

// done is the result of a request that was done: the payment as it is now.
func (g *Gateway) done(p *entry, in input) result {
	res := result{payment: p.copy(), other: in.form.otherData()}
	if g.testMode {
		res.payment.ApprovalCode = testApproval
	}
	return res
}

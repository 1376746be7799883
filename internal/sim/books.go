package sim

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/jpayment-go/jpayment"
	"github.com/jpayment-go/jpayment/internal/assumed"
)

// State is the state of a payment in the books.
type State string

// The states of a payment. An authorisation reserves the amount on the card, a capture
// charges it, and a cancellation returns all of it.
const (
	Authorized State = "authorized" // 仮売上
	Captured   State = "captured"   // 実売上
	Cancelled  State = "cancelled"  // 取消
)

// OpAuthorize is the store's checkout, which is not part of the simulation. See
// [Simulator.Authorize]. The other operations are those of package jpayment.
const OpAuthorize jpayment.Operation = "Authorize"

var operations = []jpayment.Operation{jpayment.OpSales, jpayment.OpCancel, jpayment.OpReAuth, jpayment.OpReAuthByKickback}

// Operations returns the operations that a request can ask for.
func Operations() []jpayment.Operation { return slices.Clone(operations) }

var operationNames = func() string {
	names := make([]string, len(operations))
	for i, op := range operations {
		names[i] = string(op)
	}
	return strings.Join(names, ", ")
}()

// Payment is a payment in the books. Amounts are in yen.
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
	// TestMode reports whether any booking was a test. The card's issuer does not know of
	// such a booking, and no money moved, whatever State says.
	TestMode bool

	AuthorizedAt time.Time
	Replaces     string // the payment that a re-authorisation cancelled to create this one
	ReplacedBy   string // the payment that a re-authorisation created to replace this one

	// History has one entry per booking, the oldest first. State is the state after the
	// last one.
	History []Event
}

// Event is one booking of a payment.
type Event struct {
	At        time.Time
	Operation jpayment.Operation
	State     State // after the booking
	TestMode  bool  // no money moved: the store was in test mode, or was when the payment was created
	Request   int   // the Number of the Request that caused it; 0 for Simulator.Authorize, Capture and so on
}

// Authorization describes a card payment made at the store's checkout. Amounts are in yen.
type Authorization struct {
	Amount   int64
	Tax      int64
	Shipping int64

	OrderNumber       string    // the merchant's cod, at most 50 bytes
	RegisteredProduct bool      // 商品登録あり
	At                time.Time // zero for now, by the gateway's clock

	// Decline is a G code such as G1242G120000. If it is set, the card's issuer declines
	// every later capture and re-authorisation of the payment with it.
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

// testApproval is the approval code in test mode (docs/protocol.md, assumption 58).
const testApproval = "TestMod"

// Check returns why the payment is not valid, as a [FieldError], or nil.
func (s *Simulator) Check(a Authorization) error {
	if err := CheckAmounts(a.Amount, a.Tax, a.Shipping); err != nil {
		return err
	}
	if len(encode(a.OrderNumber, charsetOf(s.Config().RequestCharset))) > 50 {
		return wrong("OrderNumber", "is longer than 50 bytes", "が 50 バイトを超えています")
	}
	// A G code has 12 characters (docs/protocol.md, "A row"; H).
	if a.Decline != "" && (a.Decline[0] != 'G' || !isCode(a.Decline) || len(a.Decline) != 12) {
		return wrong("Decline", "is not a G code of 12 characters such as G1242G120000", "が G で始まる12桁のエラーコード（例 G1242G120000）ではありません")
	}
	if a.At.After(s.now()) {
		return wrong("At", "is in the future", "が未来の日時です")
	}
	return nil
}

func (s *Simulator) now() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.clock()
}

// CheckAmounts returns why the amounts are not valid, as a [FieldError], or nil.
func CheckAmounts(amount, tax, shipping int64) error {
	sum := int64(0)
	for _, part := range []struct {
		field string
		yen   int64
	}{{"Amount", amount}, {"Tax", tax}, {"Shipping", shipping}} {
		if part.yen < 0 {
			return wrong(part.field, "is negative", "が負の値です")
		}
		if part.yen > math.MaxInt64-sum {
			return wrong(part.field, "makes the total too large", "を加えた合計が大きすぎます")
		}
		sum += part.yen
	}
	if sum == 0 {
		return wrong("Amount", "and tax and shipping add up to 0", "・税額・送料の合計が 0 円です")
	}
	return nil
}

// Authorize creates a payment as the store's checkout does, without a request, and returns
// its number. It panics if the payment is not valid or the journal fails.
func (s *Simulator) Authorize(a Authorization) (paymentID string) {
	must("Authorize", s.Check(a))

	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.clock()
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
	s.open(p, Event{At: p.AuthorizedAt, Operation: OpAuthorize})
	must("Authorize", s.keep())
	s.changed()
	return p.ID
}

// Payment returns the payment with the number, and reports whether there is one.
func (s *Simulator) Payment(id string) (p Payment, found bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	e, found := s.books.payments[id]
	if !found {
		return Payment{}, false
	}
	return e.copy(), true
}

// Payments returns all payments in the order in which they were created.
func (s *Simulator) Payments() []Payment {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := make([]Payment, len(s.books.order))
	for i, e := range s.books.order {
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
func (s *Simulator) open(p *entry, event Event) {
	s.books.touch(p)
	n := len(s.books.order)
	p.ID = paymentID(n)
	p.OrderCode = strconv.Itoa(20000001 + n)
	p.ApprovalCode = fmt.Sprintf("%07d", 1112+n)
	if s.testMode {
		p.ApprovalCode = testApproval
	}
	s.books.order = append(s.books.order, p)
	s.books.payments[p.ID] = p
	event.State = Authorized
	s.book(p, event)
}

// book is the only place that changes a payment's state.
func (s *Simulator) book(p *entry, event Event) {
	s.books.touch(p)
	event.TestMode = s.testMode || p.ApprovalCode == testApproval
	p.State = event.State
	p.TestMode = p.TestMode || event.TestMode
	p.History = append(p.History, event)
}

// bookFor books what a request asked for.
func (s *Simulator) bookFor(req *Request, p *entry, state State) {
	s.book(p, Event{At: req.At, Operation: req.Operation, State: state, Request: req.Number})
	req.Booked = true
}

// decide carries out a request or refuses it. The order of the checks is an assumption
// (docs/protocol.md, assumption 46).
func (s *Simulator) decide(req *Request, in input) result {
	if code := s.admit(req, in); code != "" {
		return s.refuse(in, code)
	}
	if req.Path == reAuthPath {
		return s.reAuth(req, in)
	}
	return s.salesOrCancel(req, in)
}

// refuse returns the result of a refused request. The payment is the requested one, if there
// is one.
func (s *Simulator) refuse(in input, code string) result {
	res := result{code: code, other: in.form.otherData()}
	if p, found := s.books.payments[in.form.Get("tid")]; found {
		res.payment = p.copy()
	}
	return res
}

// admit returns the code with which the gateway refuses a request before it looks at the
// payment, or "".
func (s *Simulator) admit(req *Request, in input) string {
	aid := in.form.Get("aid")
	switch {
	case s.maintenance:
		return "ER999"
	case s.config.FirstCheck == "payment" && s.books.payments[in.form.Get("tid")] == nil:
		return "ER053"
	case s.config.ConnectionCode == "" && !s.knows(req.RemoteAddr):
		return "ER003"
	case req.Method != "GET" && req.Method != "POST":
		return "ER107"
	case !IsStoreID(aid):
		return "ER050"
	case aid != s.config.StoreID:
		return "ER004"
	case in.faulty || in.otherSize > maxOtherData:
		return "ER001"
	case s.config.ConnectionCode != "" && !s.authentic(req.At, in.form.Get("ut"), in.form.Get("hak")):
		return "ER003"
	default:
		return ""
	}
}

// maxSkew is how far the time of a request may be off the gateway's clock.
const maxSkew = 5 * time.Minute

func (s *Simulator) authentic(now time.Time, ut, hak string) bool {
	seconds, ok := parseDigits(ut)
	if !ok {
		return false
	}
	skew := now.Sub(time.Unix(seconds, 0))
	sum := sha256.Sum256([]byte(ut + s.config.ConnectionCode))
	return -maxSkew <= skew && skew <= maxSkew && hak == hex.EncodeToString(sum[:])
}

// target returns the payment that a request is about, by rt and tid.
func (s *Simulator) target(in input) (p *entry, code string) {
	if rt := in.form.Get("rt"); rt != "0" && rt != "1" {
		return nil, "ER052"
	}
	p, found := s.books.payments[in.form.Get("tid")]
	if !found {
		return nil, "ER053"
	}
	return p, ""
}

// salesOrCancel is the page gateway.aspx (specification, "決済処理(実売上、取消)仕様"). No
// kickback follows, whatever rt says.
func (s *Simulator) salesOrCancel(req *Request, in input) result {
	if req.Operation == "" {
		return s.refuse(in, "ER051")
	}
	p, code := s.target(in)
	if code != "" {
		return s.refuse(in, code)
	}
	if req.Operation == jpayment.OpSales {
		code = s.capture(req, p)
	} else {
		code = s.cancel(req, p)
	}
	if code != "" {
		return s.refuse(in, code)
	}
	res := s.done(p, in)
	switch s.config.SuccessGID {
	case "own":
		res.payment.ID = strconv.Itoa(30000000 + req.Number)
	case "zero":
		res.payment.ID = "0"
	}
	return res
}

// permit returns the code of an Answer setting, or "" if its value is done.
func permit(answer string) (code string) {
	if answer == assumed.Done {
		return ""
	}
	return answer
}

func (s *Simulator) capture(req *Request, p *entry) (code string) {
	switch {
	case p.State == Captured:
		return permit(s.config.SecondSales) // if it is done, there is nothing to book
	case p.State == Cancelled:
		code = permit(s.config.SalesAfterCancel)
	case tooOldToCapture(p, req.At):
		code = permit(s.config.LateCapture)
	}
	if code == "" {
		code = p.Decline
	}
	if code != "" {
		return code
	}
	s.bookFor(req, p, Captured)
	return ""
}

func (s *Simulator) cancel(req *Request, p *entry) (code string) {
	switch p.State {
	case Cancelled:
		return permit(s.config.SecondCancel) // as above
	case Captured:
		code = permit(s.config.CancelCaptured)
	case Authorized:
	}
	if code == "" {
		s.bookFor(req, p, Cancelled)
	}
	return code
}

// captureDays is how long an authorisation can be captured (docs/protocol.md,
// assumption 37).
const captureDays = 90

func tooOldToCapture(p *entry, now time.Time) bool {
	year, month, day := p.AuthorizedAt.In(japan).Date()
	end := time.Date(year, month, day+captureDays+1, 0, 0, 0, 0, japan)
	return !now.Before(end)
}

// reAuth is the page re_auth.aspx (specification, "決済処理(再オーソリ)仕様"): it cancels a
// payment and creates another with other amounts.
func (s *Simulator) reAuth(req *Request, in input) result {
	old, code := s.target(in)
	if code != "" {
		return s.announceRefusal(req, in, code)
	}
	next, code := s.readAmounts(in.form)
	if code != "" {
		if s.config.RefusedReAuth == "cancelled" && old.State != Cancelled {
			s.bookFor(req, old, Cancelled)
		}
		return s.announceRefusal(req, in, code)
	}
	before := old.Payment // a copy, because a payment that keeps its number is overwritten
	p, code := s.replace(req, old, next)
	switch {
	case code == "":
		res := s.done(p, in)
		if s.config.ReAuthAmounts == "old" {
			res.payment.Amount, res.payment.Tax, res.payment.Shipping = before.Amount, before.Tax, before.Shipping
		}
		return s.announce(req, in, res)
	case code != before.Decline:
		return s.announceRefusal(req, in, code)
	case s.config.DeclinedRT0 == "answer":
		return s.refuse(in, code)
	default:
		return s.announce(req, in, s.refuse(in, code))
	}
}

// announceRefusal returns the result of a re-authorisation that is refused before the issuer is
// asked.
func (s *Simulator) announceRefusal(req *Request, in input, code string) result {
	res := s.refuse(in, code)
	if s.config.RefusedRT0 == "answer" {
		return res
	}
	return s.announce(req, in, res)
}

// replace cancels a payment and creates the one that replaces it, or returns the code of a
// refusal.
func (s *Simulator) replace(req *Request, old *entry, next Payment) (p *entry, code string) {
	switch old.State {
	case Cancelled:
		code = permit(s.config.ReAuthCancelled)
	case Captured:
		code = permit(s.config.ReAuthCaptured)
	case Authorized:
	}
	if code == "" && (old.RegisteredProduct || !sameOrLastMonth(old.AuthorizedAt, req.At)) {
		code = permit(s.config.ReAuthBarred)
	}
	declined := code == "" && old.Decline != ""
	if declined {
		code = old.Decline
	}
	if old.State != Cancelled && (code == "" || declined && s.config.DeclinedReAuth == "cancels") {
		s.bookFor(req, old, Cancelled)
	}
	if code != "" {
		return nil, code
	}

	if s.config.ReAuthGID == "same" {
		old.Amount, old.Tax, old.Shipping, old.AuthorizedAt = next.Amount, next.Tax, next.Shipping, req.At
		s.bookFor(req, old, Authorized)
		return old, ""
	}
	next.OrderNumber = old.OrderNumber
	next.AuthorizedAt = req.At
	next.Replaces = old.ID
	p = &entry{Payment: next}
	s.open(p, Event{At: req.At, Operation: req.Operation, Request: req.Number})
	old.ReplacedBy = p.ID
	return p, ""
}

// readAmounts returns a payment with the amounts of a re-authorisation, having
// looked at its other parameters, too.
func (s *Simulator) readAmounts(form Form) (p Payment, code string) {
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
	if p.Amount|p.Tax|p.Shipping == 0 {
		code = permit(s.config.ZeroTotal)
	} else if CheckAmounts(p.Amount, p.Tax, p.Shipping) != nil {
		code = "ER061"
	}
	if code != "" {
		return p, code
	}
	if em := form.Get("em"); em != "" && !isEmail(em) {
		return p, "ER059"
	}
	if pn := form.Get("pn"); pn != "" && (!isDigits(pn) || len(pn) > 15) {
		return p, "ER060"
	}
	return p, ""
}

// sameOrLastMonth reports whether a payment is of this calendar month in Japan or the
// one before (specification, "再オーソリ処理の注意点").
func sameOrLastMonth(paid, now time.Time) bool {
	months := func(t time.Time) int {
		year, month, _ := t.In(japan).Date()
		return year*12 + int(month)
	}
	age := months(now) - months(paid)
	return age == 0 || age == 1
}

// done returns the result of a successful request: the current payment.
func (s *Simulator) done(p *entry, in input) result {
	res := result{payment: p.copy(), other: in.form.otherData()}
	if s.testMode {
		res.payment.ApprovalCode = testApproval
	}
	return res
}

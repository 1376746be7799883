package jpaymenttest

import (
	"time"

	"github.com/jpayment-go/jpayment"
	"github.com/jpayment-go/jpayment/internal/sim"
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

// OpAuthorize is the operation of the first event in a payment's history: the store's
// checkout, which is not part of the simulation. See [Server.Authorize]. The other operations
// are those of package jpayment.
const OpAuthorize jpayment.Operation = "Authorize"

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

	RegisteredProduct bool          // 商品登録あり: cannot be re-authorised
	Decline           jpayment.Code // the G code with which the card's issuer declines; see Authorization
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
	Operation jpayment.Operation // OpAuthorize, or that of the request
	State     State              // after the booking
	TestMode  bool               // no money moved: the store was in test mode, or was when the payment was created
	Request   int                // the Number of the Request that caused it; 0 for Server.Authorize
}

// Authorization describes a card payment made at the store's checkout. Amounts are in yen.
type Authorization struct {
	Amount   int64
	Tax      int64
	Shipping int64

	OrderNumber       string    // the merchant's cod, at most 50 bytes
	RegisteredProduct bool      // 商品登録あり
	At                time.Time // zero for now, by the server's clock

	// Decline is a G code such as G1242G120000. If it is set, the card's issuer declines
	// every later capture and re-authorisation of the payment with it.
	Decline jpayment.Code
}

// Authorize creates a payment as the store's checkout does, without a request, and returns its
// number. It panics if an amount is negative, if the total is not positive or overflows an
// int64, if the order number has more than 50 bytes, or if Decline is not a G code.
func (s *Server) Authorize(a Authorization) (paymentID string) {
	return s.sim.Authorize(a.simulated())
}

func (a Authorization) simulated() sim.Authorization {
	return sim.Authorization{
		Amount: a.Amount, Tax: a.Tax, Shipping: a.Shipping, OrderNumber: a.OrderNumber,
		RegisteredProduct: a.RegisteredProduct, At: a.At, Decline: string(a.Decline),
	}
}

// Payment returns the payment with the number, and reports whether there is one.
func (s *Server) Payment(id string) (p Payment, found bool) {
	booked, found := s.sim.Payment(id)
	if !found {
		return Payment{}, false
	}
	return newPayment(booked), true
}

// Payments returns all payments in the order in which they were created.
func (s *Server) Payments() []Payment {
	return each(s.sim.Payments(), newPayment)
}

func newPayment(p sim.Payment) Payment {
	return Payment{
		ID: p.ID, State: State(p.State), Amount: p.Amount, Tax: p.Tax, Shipping: p.Shipping,
		OrderNumber: p.OrderNumber, OrderCode: p.OrderCode, ApprovalCode: p.ApprovalCode,
		RegisteredProduct: p.RegisteredProduct, Decline: jpayment.Code(p.Decline), TestMode: p.TestMode,
		AuthorizedAt: p.AuthorizedAt, Replaces: p.Replaces, ReplacedBy: p.ReplacedBy, History: each(p.History, newEvent),
	}
}

func newEvent(e sim.Event) Event {
	return Event{At: e.At, Operation: e.Operation, State: State(e.State), TestMode: e.TestMode, Request: e.Request}
}

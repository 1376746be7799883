package jpaymenttest

import (
	"time"

	"github.com/jpayment-go/jpayment"
	"github.com/jpayment-go/jpayment/internal/sim"
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

// OpAuthorize is the authorisation of a payment in its history. It is the store's
// checkout and not part of the simulation: see [Server.Authorize]. The other operations
// are those of package jpayment.
const OpAuthorize jpayment.Operation = "Authorize"

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

	RegisteredProduct bool          // 商品登録あり: cannot be re-authorised
	Decline           jpayment.Code // the G code with which the card's issuer declines; see Authorization
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
	Operation jpayment.Operation // OpAuthorize, or that of the request
	State     State              // after the booking
	TestMode  bool               // no money moved: the store was in test mode, or was when the payment was opened
	Request   int                // the Number of the Request that asked for it; 0 for Server.Authorize
}

// Authorization is a card payment as the store's checkout would have made it.
// Amounts are yen.
type Authorization struct {
	Amount   int64
	Tax      int64
	Shipping int64

	OrderNumber       string    // the merchant's cod, at most 50 bytes
	RegisteredProduct bool      // 商品登録あり
	At                time.Time // zero for now, by the server's clock

	// Decline is a G code such as G1242G120000, with which the card's issuer
	// declines every later capture and re-authorisation of the payment.
	Decline jpayment.Code
}

// Authorize opens a payment as the store's checkout does, without a request, and
// returns its number. It panics where the checkout would not have: on a negative
// amount or a total that is not positive or beyond int64, on an order number of
// more than 50 bytes and on a Decline that is not a G code.
func (s *Server) Authorize(a Authorization) (paymentID string) {
	return s.sim.Authorize(a.simulated())
}

func (a Authorization) simulated() sim.Authorization {
	return sim.Authorization{
		Amount: a.Amount, Tax: a.Tax, Shipping: a.Shipping, OrderNumber: a.OrderNumber,
		RegisteredProduct: a.RegisteredProduct, At: a.At, Decline: string(a.Decline),
	}
}

// Payment returns the payment of that number.
func (s *Server) Payment(id string) (p Payment, found bool) {
	booked, found := s.sim.Payment(id)
	if !found {
		return Payment{}, false
	}
	return newPayment(booked), true
}

// Payments returns every payment, in the order in which they were opened.
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

package sim

import (
	"context"
	"net/netip"
	"slices"

	"github.com/jpayment-go/jpayment"
	"github.com/jpayment-go/jpayment/internal/assumed"
)

// Settings are those of the store that can be changed while the simulator runs.
type Settings struct {
	TestMode      bool           // SetTestMode
	Maintenance   bool           // SetMaintenance: the gateway's, rather than the store's
	RegisteredIPs []netip.Prefix // RegisterIPs
	KickbackURL   string         // SetKickbackURL; empty for none
	// Behaviour is what the gateway does otherwise than assumed, by the keys of package
	// assumed.
	Behaviour assumed.Values `json:",omitempty"`
}

// Settings returns the settings of now.
func (s *Simulator) Settings() Settings {
	s.mu.Lock()
	defer s.mu.Unlock()
	settings := Settings{TestMode: s.testMode, Maintenance: s.maintenance, RegisteredIPs: slices.Clone(s.allowed), Behaviour: s.config.otherwise()}
	if s.kickbacks.target != nil {
		settings.KickbackURL = s.kickbacks.target.String()
	}
	return settings
}

// Capture captures a payment (実売上) as the store's people do in its control panel: the
// books decide as they do for a request, and neither faults nor maintenance come in
// between. The error is the gateway's [jpayment.Code] where it refuses, else that of the
// journal.
func (s *Simulator) Capture(paymentID string) error {
	return s.operate(jpayment.OpSales, paymentID, s.capture)
}

// Cancel cancels a payment (取消) as [Simulator.Capture] captures one.
func (s *Simulator) Cancel(paymentID string) error {
	return s.operate(jpayment.OpCancel, paymentID, s.cancel)
}

// ReAuthorize re-authorises a payment (再オーソリ) at other amounts as [Simulator.Capture]
// captures one, and returns the number of the new payment. No kickback follows.
func (s *Simulator) ReAuthorize(paymentID string, amount, tax, shipping int64) (newID string, err error) {
	if CheckAmounts(amount, tax, shipping) != nil {
		return "", jpayment.Code("ER061")
	}
	err = s.operate(jpayment.OpReAuth, paymentID, func(req *Request, old *entry) (code string) {
		next := Payment{Amount: amount, Tax: tax, Shipping: shipping}
		p, code := s.replace(req, old, next)
		if code == "" {
			newID = p.ID
		}
		return code
	})
	if err != nil {
		return "", err
	}
	return newID, nil
}

func (s *Simulator) operate(operation jpayment.Operation, paymentID string, do func(*Request, *entry) (code string)) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed() {
		return errClosed
	}
	p, found := s.books.payments[paymentID]
	if !found {
		return jpayment.Code("ER053")
	}
	code := do(&Request{At: s.clock(), Operation: operation}, p)
	if err := s.keep(); err != nil {
		return err
	}
	s.changed()
	if code != "" {
		return jpayment.Code(code)
	}
	return nil
}

// Changes returns a channel that is closed when something changes of what a Simulator
// tells: its requests, payments, kickbacks, faults or settings. To miss nothing, ask
// for the channel first and for what has changed afterwards.
func (s *Simulator) Changes() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.changes
}

// changed tells those who wait on Changes. The gateway is locked.
func (s *Simulator) changed() {
	close(s.changes)
	s.changes = make(chan struct{})
}

// Run does for a Simulator behind another listener what [Server] does by itself: it
// sends kickbacks as they fall due. When the context ends, it closes the gateway, as
// [Server.Close] does, and returns.
func (s *Simulator) Run(ctx context.Context) {
	defer context.AfterFunc(ctx, s.close)()
	s.sendKickbacks()
}

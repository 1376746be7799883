package sim

import (
	"context"
	"net/netip"
	"slices"

	"github.com/jpayment-go/jpayment"
	"github.com/jpayment-go/jpayment/internal/assumed"
)

// Settings are the store's settings that can be changed while the simulator runs.
type Settings struct {
	TestMode      bool           // SetTestMode
	Maintenance   bool           // SetMaintenance; of the gateway rather than the store
	RegisteredIPs []netip.Prefix // RegisterIPs
	KickbackURL   string         // SetKickbackURL; empty for none
	// Behaviour has the settings that differ from the assumptions, by the keys of package
	// assumed.
	Behaviour assumed.Values `json:",omitempty"`
}

// Settings returns the current settings.
func (s *Simulator) Settings() Settings {
	s.mu.Lock()
	defer s.mu.Unlock()
	settings := Settings{TestMode: s.testMode, Maintenance: s.maintenance, RegisteredIPs: slices.Clone(s.allowed), Behaviour: s.config.otherwise()}
	if s.kickbacks.target != nil {
		settings.KickbackURL = s.kickbacks.target.String()
	}
	return settings
}

// Capture captures a payment (実売上) as the store's staff does in the control panel. The
// books decide as for a request, but faults and maintenance do not apply. The error is the
// gateway's [jpayment.Code] if it refuses, or that of the journal.
func (s *Simulator) Capture(paymentID string) error {
	return s.operate(jpayment.OpSales, paymentID, s.capture)
}

// Cancel cancels a payment (取消) as [Simulator.Capture] captures one.
func (s *Simulator) Cancel(paymentID string) error {
	return s.operate(jpayment.OpCancel, paymentID, s.cancel)
}

// ReAuthorize re-authorises a payment (再オーソリ) for other amounts, as [Simulator.Capture]
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

// Changes returns a channel that is closed at the next change of requests, payments,
// kickbacks, faults or settings. To miss no change, get the channel first and read the state
// afterwards.
func (s *Simulator) Changes() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.changes
}

// changed wakes those who wait on Changes. The gateway must be locked.
func (s *Simulator) changed() {
	close(s.changes)
	s.changes = make(chan struct{})
}

// Run sends kickbacks as they fall due, for a Simulator without a [Server]. When the context
// ends, it closes the gateway as [Server.Close] does, and returns.
func (s *Simulator) Run(ctx context.Context) {
	defer context.AfterFunc(ctx, s.close)()
	s.sendKickbacks()
}

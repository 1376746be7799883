package jpaymenttest

import (
	"context"
	"net/netip"
	"slices"

	"github.com/jpayment-go/jpayment"
)

// Settings are those of the shop that can be changed while the gateway runs.
type Settings struct {
	TestMode      bool           // SetTestMode
	Maintenance   bool           // SetMaintenance: the gateway's, rather than the shop's
	RegisteredIPs []netip.Prefix // RegisterIPs
	KickbackURL   string         // SetKickbackURL; empty for none
}

// Settings returns the settings of now.
func (g *Gateway) Settings() Settings {
	g.mu.Lock()
	defer g.mu.Unlock()
	s := Settings{TestMode: g.testMode, Maintenance: g.maintenance, RegisteredIPs: slices.Clone(g.allowed)}
	if g.kickbacks.target != nil {
		s.KickbackURL = g.kickbacks.target.String()
	}
	return s
}

// Faults returns the faults that are set, in order.
func (g *Gateway) Faults() []Fault {
	g.mu.Lock()
	defer g.mu.Unlock()
	all := make([]Fault, len(g.faults))
	for i, f := range g.faults {
		all[i] = f.Fault
		all[i].Body = slices.Clone(f.Body)
	}
	return all
}

// Capture captures a payment (実売上) as the shop's people do in its control panel: the
// books decide as they do for a request, and neither faults nor maintenance come in
// between. The error is the gateway's [jpayment.Code] where it refuses, else that of
// [WithJournal].
func (g *Gateway) Capture(paymentID string) error {
	return g.operate(OpSales, paymentID, g.capture)
}

// Cancel cancels a payment (取消) as [Gateway.Capture] captures one.
func (g *Gateway) Cancel(paymentID string) error {
	return g.operate(OpCancel, paymentID, g.cancel)
}

// ReAuthorize re-authorises a payment (再オーソリ) at other amounts as [Gateway.Capture]
// captures one, and returns the number of the new payment. No kickback follows.
func (g *Gateway) ReAuthorize(paymentID string, amount, tax, shipping int64) (newID string, err error) {
	if _, ok := total(amount, tax, shipping); !ok {
		return "", jpayment.Code("ER061")
	}
	err = g.operate(OpReAuth, paymentID, func(req *Request, old *entry) (code string) {
		next := Payment{Amount: amount, Tax: tax, Shipping: shipping}
		p, code := g.replace(req, old, next)
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

func (g *Gateway) operate(operation, paymentID string, do func(*Request, *entry) (code string)) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.closed() {
		return errClosed
	}
	p, found := g.books.payments[paymentID]
	if !found {
		return jpayment.Code("ER053")
	}
	code := do(&Request{At: g.clock(), Operation: operation}, p)
	if err := g.keep(); err != nil {
		return err
	}
	g.changed()
	if code != "" {
		return jpayment.Code(code)
	}
	return nil
}

// Changes returns a channel that is closed when something changes of what a Gateway
// tells: its requests, payments, kickbacks, faults or settings. To miss nothing, ask
// for the channel first and for what has changed afterwards.
func (g *Gateway) Changes() <-chan struct{} {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.changes
}

// changed tells those who wait on Changes. The gateway is locked.
func (g *Gateway) changed() {
	close(g.changes)
	g.changes = make(chan struct{})
}

// Run does for a Gateway behind another listener what [Server] does by itself: it
// sends kickbacks as they fall due. When the context ends, it closes the gateway, as
// [Server.Close] does, and returns.
func (g *Gateway) Run(ctx context.Context) {
	defer context.AfterFunc(ctx, g.close)()
	g.sendKickbacks()
}

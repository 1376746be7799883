package jpaymenttest

import (
	"fmt"
	"slices"
	"strconv"
	"time"
)

// Change is what a booking, or an attempt to deliver a kickback, changed of what must
// not be forgotten: everything in it as it is now.
type Change struct {
	Payments  []Payment
	Kickbacks []WaitingKickback
}

// WaitingKickback is a kickback that is not delivered yet. It is known by Request and
// Duplicate.
type WaitingKickback struct {
	Request   int       // the Number of the Request whose outcome it tells
	Duplicate int       // 0 for the notice itself, then counted from 1; see WithKickbackDuplicates
	RawQuery  string    // without a query of the notification URL's own
	Due       time.Time // when the gateway tries next
	Tries     int       // of the gateway so far
	Attempts  int       // so far, those by hand as well
	Over      bool      // delivered or given up: it waits no more
}

// WithJournal makes the gateway hand over every change before anyone can learn of it,
// so that the books outlive the program: save is called with the books locked, before
// the request is answered, and must not call the gateway. If it fails, nothing is
// booked and the request is dropped unanswered; [Gateway.Authorize] panics. After an
// attempt to deliver a kickback its error changes nothing, as the notice is out.
//
// What is saved, a later gateway begins with by [WithPayments] and
// [WithWaitingKickbacks]. Requests, attempts to deliver, faults and the shop's
// settings are not part of it.
func WithJournal(save func(Change) error) Option {
	return func(s *settings) { s.journal = save }
}

// WithPayments makes the gateway begin with these payments, in the order in which they
// were opened, as [Gateway.Payments] returned them or [WithJournal] handed them over.
// Requests are numbered from the greatest number that the payments, or the kickbacks
// waiting, name.
func WithPayments(payments []Payment) Option {
	return func(s *settings) {
		for i, p := range payments {
			if p.ID != paymentID(i) {
				panic(fmt.Sprintf("jpaymenttest: WithPayments: payment %q in the place of %s", p.ID, paymentID(i)))
			}
		}
		s.payments = slices.Clone(payments)
	}
}

// WithWaitingKickbacks makes the gateway begin with kickbacks that an earlier one had
// yet to deliver, in the order of their requests.
func WithWaitingKickbacks(waiting []WaitingKickback) Option {
	return func(s *settings) { s.waiting = slices.Clone(waiting) }
}

// WithMemory makes the gateway forget all but the last n requests and the last n
// attempts to deliver a kickback, for a program that runs for long. The default is to
// remember all. Payments are never forgotten.
func WithMemory(n int) Option {
	return func(s *settings) {
		if n <= 0 {
			panic(fmt.Sprintf("jpaymenttest: WithMemory: %d", n))
		}
		s.memory = n
	}
}

// remember appends to a log and forgets what is too old.
func remember[T any](log []T, entry T, memory int) []T {
	log = append(log, entry)
	if memory > 0 && len(log) > memory {
		log = slices.Delete(log, 0, len(log)-memory)
	}
	return log
}

// restore fills the books of a new gateway.
func (g *Gateway) restore() {
	for _, p := range g.payments {
		e := &entry{Payment: p}
		e.History = slices.Clone(p.History)
		g.books.order = append(g.books.order, e)
		g.books.payments[p.ID] = e
		for _, event := range p.History {
			g.numbered = max(g.numbered, event.Request)
		}
	}
	for _, w := range g.waiting {
		g.numbered = max(g.numbered, w.Request)
		g.kickbacks.notices = append(g.kickbacks.notices, &notice{
			request:   w.Request,
			duplicate: w.Duplicate,
			query:     w.RawQuery,
			due:       w.Due,
			tries:     w.Tries,
			attempts:  w.Attempts,
			ended:     w.Over,
		})
	}
	g.kickbacks.kept = len(g.kickbacks.notices)
}

// WaitingKickbacks returns the kickbacks that the gateway has still to deliver, in the
// order of their requests.
func (g *Gateway) WaitingKickbacks() []WaitingKickback {
	g.mu.Lock()
	defer g.mu.Unlock()
	waiting := []WaitingKickback{}
	for _, n := range g.kickbacks.notices {
		if !n.ended {
			waiting = append(waiting, n.waiting())
		}
	}
	return waiting
}

func (n *notice) waiting() WaitingKickback {
	return WaitingKickback{
		Request:   n.request,
		Duplicate: n.duplicate,
		RawQuery:  n.query,
		Due:       n.due,
		Tries:     n.tries,
		Attempts:  n.attempts,
		Over:      n.ended,
	}
}

// touched is a payment that has changed and is not in the journal yet.
type touched struct {
	entry *entry
	was   Payment // without a number where it is new
}

func (b *books) touch(e *entry) {
	if !slices.ContainsFunc(b.touched, func(t touched) bool { return t.entry == e }) {
		b.touched = append(b.touched, touched{entry: e, was: e.Payment})
	}
}

// keep puts what was booked into the journal, or takes it back.
func (g *Gateway) keep() error {
	var change Change
	for _, t := range g.books.touched {
		change.Payments = append(change.Payments, t.entry.copy())
	}
	for _, n := range g.kickbacks.notices[g.kickbacks.kept:] {
		change.Kickbacks = append(change.Kickbacks, n.waiting())
	}
	err := g.save(change)
	if err != nil {
		g.undo()
	}
	g.books.touched = nil
	g.kickbacks.kept = len(g.kickbacks.notices)
	return err
}

func (g *Gateway) save(change Change) error {
	if g.journal == nil || len(change.Payments)+len(change.Kickbacks) == 0 {
		return nil
	}
	return g.journal(change)
}

func (g *Gateway) undo() {
	for _, t := range g.books.touched {
		if t.was.ID != "" {
			t.entry.Payment = t.was
			continue
		}
		delete(g.books.payments, t.entry.ID)
		g.books.order = slices.DeleteFunc(g.books.order, func(e *entry) bool { return e == t.entry })
	}
	g.kickbacks.notices = g.kickbacks.notices[:g.kickbacks.kept]
}

// paymentID is the number of the payment that is opened after n others.
func paymentID(n int) string { return strconv.Itoa(10000001 + n) }

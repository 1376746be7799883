package sim

import (
	"slices"
	"strconv"
	"time"
)

// Change is the durable change by a booking or by an attempt to deliver a kickback. It has the
// new state of everything that changed.
type Change struct {
	Payments  []Payment
	Kickbacks []WaitingKickback
}

// WaitingKickback is a kickback that is not delivered yet. It is known by Request and
// Duplicate.
type WaitingKickback struct {
	Request   int       // the Number of the Request whose result it reports
	Duplicate int       // 0 for the kickback itself, then counted from 1; see Config.KickbackDuplicates
	RawQuery  string    // without the query of the kickback URL itself
	Due       time.Time // when the gateway tries next
	Tries     int       // of the gateway itself so far
	Attempts  int       // so far, including those by hand
	Over      bool      // delivered or given up
}

// remembered is an entry of a log.
type remembered interface{ bytes() int }

// remember drops the oldest entries of a log, by number or by size, but never the newest.
func remember[T remembered](log []T, c Config) []T {
	size := 0
	for n, entry := range slices.Backward(log) {
		size += entry.bytes()
		tooMany := c.Memory > 0 && len(log)-n > c.Memory
		tooLarge := c.MemoryBytes > 0 && size > c.MemoryBytes && n < len(log)-1
		if tooMany || tooLarge {
			return slices.Delete(log, 0, n+1)
		}
	}
	return log
}

// restore fills the books of a new gateway.
func (s *Simulator) restore() {
	for _, p := range s.config.Payments {
		e := &entry{Payment: p}
		e.History = slices.Clone(p.History)
		s.books.order = append(s.books.order, e)
		s.books.payments[p.ID] = e
		for _, event := range p.History {
			s.numbered = max(s.numbered, event.Request)
		}
	}
	for _, w := range s.config.Waiting {
		s.numbered = max(s.numbered, w.Request)
		s.kickbacks.all = append(s.kickbacks.all, &kickback{
			request:   w.Request,
			duplicate: w.Duplicate,
			query:     w.RawQuery,
			due:       w.Due,
			tries:     w.Tries,
			attempts:  w.Attempts,
			ended:     w.Over,
		})
	}
	s.kickbacks.kept = len(s.kickbacks.all)
}

// WaitingKickbacks returns the kickbacks that the gateway still has to deliver, in the order of
// their requests.
func (s *Simulator) WaitingKickbacks() []WaitingKickback {
	s.mu.Lock()
	defer s.mu.Unlock()
	waiting := []WaitingKickback{}
	for _, k := range s.kickbacks.all {
		if !k.ended {
			waiting = append(waiting, k.waiting())
		}
	}
	return waiting
}

func (k *kickback) waiting() WaitingKickback {
	return WaitingKickback{
		Request:   k.request,
		Duplicate: k.duplicate,
		RawQuery:  k.query,
		Due:       k.due,
		Tries:     k.tries,
		Attempts:  k.attempts,
		Over:      k.ended,
	}
}

// touched is a payment that has changed and is not in the journal yet.
type touched struct {
	entry *entry
	was   Payment // without a number if it is new
}

func (b *books) touch(e *entry) {
	if !slices.ContainsFunc(b.touched, func(t touched) bool { return t.entry == e }) {
		b.touched = append(b.touched, touched{entry: e, was: e.Payment})
	}
}

// keep writes the bookings to the journal, or undoes them if that fails.
func (s *Simulator) keep() error {
	var change Change
	for _, t := range s.books.touched {
		change.Payments = append(change.Payments, t.entry.copy())
	}
	for _, k := range s.kickbacks.all[s.kickbacks.kept:] {
		change.Kickbacks = append(change.Kickbacks, k.waiting())
	}
	err := s.save(change)
	if err != nil {
		s.undo()
	}
	s.books.touched = nil
	s.kickbacks.kept = len(s.kickbacks.all)
	return err
}

func (s *Simulator) save(change Change) error {
	if s.config.Journal == nil || len(change.Payments)+len(change.Kickbacks) == 0 {
		return nil
	}
	return s.config.Journal(change)
}

func (s *Simulator) undo() {
	for _, t := range s.books.touched {
		if t.was.ID != "" {
			t.entry.Payment = t.was
			continue
		}
		delete(s.books.payments, t.entry.ID)
		s.books.order = slices.DeleteFunc(s.books.order, func(e *entry) bool { return e == t.entry })
	}
	s.kickbacks.all = s.kickbacks.all[:s.kickbacks.kept]
}

// paymentID returns the number of the payment that is created after k others.
func paymentID(k int) string { return strconv.Itoa(10000001 + k) }

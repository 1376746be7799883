package sim

import (
	"cmp"
	"crypto/tls"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/jpayment-go/jpayment"
	"github.com/jpayment-go/jpayment/internal/wire"
)

// Fault says which requests fail, and how. Package jpaymenttest documents its fields.
type Fault struct {
	Kind FaultKind

	Operation   jpayment.Operation
	PaymentID   string
	Nth         int
	Probability float64

	Code     string
	Status   int
	Location string
	Body     []byte
	Delay    time.Duration

	Notify func()
}

// maxDelay bounds Fault.Delay. For longer delays there are the faults that hang.
const maxDelay = time.Hour

// Check returns why the fault is not valid, as a [FieldError], or nil.
func (f Fault) Check() error {
	kind, known := KindOf(f.Kind)
	switch {
	case !known:
		names := make([]string, len(kinds))
		for i, k := range kinds {
			names[i] = string(k.Kind)
		}
		all := strings.Join(names, ", ")
		return wrong("Kind", fmt.Sprintf("%q is not one of %s", f.Kind, all), fmt.Sprintf("の %q は障害の種類（%s）ではありません", f.Kind, all))
	case f.Operation != "" && !slices.Contains(operations, f.Operation):
		return wrong("Operation", fmt.Sprintf("%q is none of %s", f.Operation, operationNames), fmt.Sprintf("の %q は %s のいずれでもありません", f.Operation, operationNames))
	case f.Nth < 0:
		return wrong("Nth", "counts from 1", "は 1 から数えます")
	case !(f.Probability >= 0 && f.Probability <= 1): // also excludes NaN
		return wrong("Probability", "is not between 0 and 1", "は 0 から 1 までの数ではありません")
	case f.Nth > 0 && f.Probability > 0:
		return wrong("Probability", "cannot be combined with the number of one request", "は何回目かの指定と同時には使えません")
	}
	for _, field := range []struct {
		name string
		set  bool
	}{
		{"Code", f.Code != ""}, {"Status", f.Status != 0}, {"Location", f.Location != ""}, {"Body", f.Body != nil}, {"Delay", f.Delay != 0},
	} {
		if field.set && !kind.Has(field.name) {
			return wrong(field.name, fmt.Sprintf("is not for %s", f.Kind), fmt.Sprintf("は障害 %s では指定できません", f.Kind))
		}
	}
	switch {
	case kind.Has("Code") && !isCode(f.Code):
		return wrong("Code", "is not a code such as ER010", "がエラーコード（例 ER010）ではありません")
	case kind.Has("Delay") && (f.Delay <= 0 || f.Delay > maxDelay):
		return wrong("Delay", fmt.Sprintf("%v is not more than 0 and at most %v", f.Delay, maxDelay), fmt.Sprintf("の %v は 0 より長く %v 以下ではありません", f.Delay, maxDelay))
	case f.Status != 0 && (f.Status < kind.LeastStatus || f.Status > kind.MostStatus):
		return wrong("Status", fmt.Sprintf("%d is not between %d and %d", f.Status, kind.LeastStatus, kind.MostStatus),
			fmt.Sprintf("の %d は %d から %d までではありません", f.Status, kind.LeastStatus, kind.MostStatus))
	}
	return nil
}

// ActiveFault is a fault that is set, with its counts so far.
type ActiveFault struct {
	Fault
	Number  int // counted from 1 for each simulator; a number is not used again
	Matched int // the number of matching requests, whether or not the fault struck
	Struck  int // the number of requests that it struck
}

// Spent reports whether the fault cannot strike any more, because its one request has come.
func (f ActiveFault) Spent() bool { return f.Nth > 0 && f.Matched >= f.Nth }

// Fail sets a fault, which lasts until [Simulator.RemoveFault] or [Simulator.ClearFaults],
// and returns it. If several faults match a request, the one that was set first strikes; for
// the others the request still counts as matching. Fail panics if f is not valid.
func (s *Simulator) Fail(f Fault) ActiveFault {
	must("Fail", f.Check())
	switch f.Kind { //nolint:exhaustive // The other kinds have no defaults.
	case AnswerStatus, AnswerStatusAfterBooking:
		f.Status = cmp.Or(f.Status, http.StatusServiceUnavailable)
	case Redirect:
		f.Status = cmp.Or(f.Status, http.StatusFound)
		f.Location = cmp.Or(f.Location, "/elsewhere")
	case Garbage:
		if f.Body == nil {
			f.Body = []byte("\x81\x00\xff\xfe\x80\xa0\xfd\x00\x81")
		}
	}

	s.mu.Lock()
	defer s.mu.Unlock()
	s.faultsSet++
	active := ActiveFault{Fault: f, Number: s.faultsSet}
	s.faults = append(s.faults, &active)
	s.changed()
	return active
}

// Faults returns the faults that are set, in order.
func (s *Simulator) Faults() []ActiveFault {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := make([]ActiveFault, len(s.faults))
	for i, f := range s.faults {
		all[i] = *f
		all[i].Body = slices.Clone(f.Body)
	}
	return all
}

// RemoveFault removes one fault and reports whether it was set.
func (s *Simulator) RemoveFault(number int) (removed bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	i := slices.IndexFunc(s.faults, func(f *ActiveFault) bool { return f.Number == number })
	if i < 0 {
		return false
	}
	s.faults = slices.Delete(s.faults, i, i+1)
	s.changed()
	return true
}

// ClearFaults removes all faults. Requests that hang keep hanging.
func (s *Simulator) ClearFaults() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults = nil
	s.changed()
}

// isCode reports whether s has the form of the gateway's codes, 半角英数 of at most 12.
func isCode(s string) bool {
	for i := range len(s) {
		if (s[i] < '0' || s[i] > '9') && (s[i] < 'A' || s[i] > 'Z') {
			return false
		}
	}
	return s != "" && len(s) <= 12
}

func newRandom(seed int64) *rand.Rand {
	return rand.New(rand.NewPCG(uint64(seed), 0)) //nolint:gosec // Faults must be repeatable, not unpredictable.
}

// books reports whether the gateway sees a request that the fault strikes.
func (f *ActiveFault) books() bool {
	kind, _ := KindOf(f.Kind) // Fail has checked it.
	return kind.Books
}

// strike returns the fault that strikes a request, if one does.
func (s *Simulator) strike(req *Request) *ActiveFault {
	var first *ActiveFault
	for _, f := range s.faults {
		if f.Operation != "" && f.Operation != req.Operation || f.PaymentID != "" && f.PaymentID != req.PaymentID {
			continue
		}
		f.Matched++
		strikes := f.Nth == 0 || f.Nth == f.Matched
		if f.Probability > 0 {
			strikes = s.random.Float64() < f.Probability
		}
		if strikes && first == nil {
			first = f
			f.Struck++
		}
	}
	return first
}

// answer returns the answer to send for a result, given the fault that struck.
func (s *Simulator) answer(f *ActiveFault, res result, in input) answer {
	charset := charsetOf(s.config.ReplyCharset)
	reply := s.reply(res, in, charset)
	if f == nil {
		return reply
	}
	switch f.Kind {
	case DropBeforeBooking, DropAfterBooking, ResetAfterBooking, CutHeader, HangBeforeBooking, HangAfterBooking:
		return answer{}
	case CutReply, StallReply:
		reply.body = reply.body[:len(reply.body)/2]
	case AnswerStatus, AnswerStatusAfterBooking:
		return page(f.Status)
	case Redirect:
		elsewhere := page(f.Status)
		elsewhere.location = f.Location
		return elsewhere
	case AnswerCode, AnswerCodeAfterBooking:
		return s.reply(refusal(f.Code), in, charset)
	case Garbage:
		reply.body, reply.length = f.Body, len(f.Body)
	case WrongCharset:
		if charset == wire.ShiftJIS {
			return s.reply(res, in, wire.UTF8)
		}
		return s.reply(res, in, wire.ShiftJIS)
	case DelayReply, CloseAfterReply:
	}
	return reply
}

// deliver sends the answer, or does what the fault says to the connection.
func (s *Simulator) deliver(w http.ResponseWriter, r *http.Request, f *ActiveFault, a answer) {
	var kind FaultKind
	if f != nil {
		kind = f.Kind
	}
	switch kind { //nolint:exhaustive // The other kinds are a matter of what is sent.
	case DropBeforeBooking, DropAfterBooking:
		panic(http.ErrAbortHandler)
	case ResetAfterBooking:
		reset(w)
		return
	case CutHeader:
		raw(w, "HTTP/1.1 200 OK\r\nContent-Ty")
		return
	case CloseAfterReply:
		raw(w, fmt.Sprintf("HTTP/1.1 200 OK\r\nContent-Type: %s\r\nContent-Length: %d\r\n\r\n%s", a.contentType, a.length, a.body))
		return
	case HangBeforeBooking, HangAfterBooking:
		s.wait(r, nil)
		panic(http.ErrAbortHandler)
	case DelayReply:
		timer := time.NewTimer(f.Delay)
		defer timer.Stop()
		if !s.wait(r, timer.C) {
			panic(http.ErrAbortHandler)
		}
	}

	header := w.Header()
	header.Set("Content-Type", a.contentType)
	if a.length > 0 {
		header.Set("Content-Length", strconv.Itoa(a.length))
	}
	if a.location != "" {
		header.Set("Location", a.location)
	}
	w.WriteHeader(a.status)
	_, _ = w.Write(a.body) // The client may have gone.

	if kind == CutReply || kind == StallReply {
		// Without the flush net/http would discard the half with the connection.
		if err := http.NewResponseController(w).Flush(); err == nil && kind == StallReply {
			s.wait(r, nil)
		}
		panic(http.ErrAbortHandler)
	}
}

// wait returns true when until fires. It returns false if the client leaves or the gateway is
// closed first.
func (s *Simulator) wait(r *http.Request, until <-chan time.Time) bool {
	select {
	case <-until:
		return true
	case <-r.Context().Done():
		return false
	case <-s.closing:
		return false
	}
}

// raw writes bytes that net/http's server would not write, and closes the connection.
func raw(w http.ResponseWriter, text string) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	_, _ = io.WriteString(conn, text) // The client may have gone.
	_ = conn.Close()
}

func reset(w http.ResponseWriter) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	raw := conn
	if secure, ok := conn.(*tls.Conn); ok {
		raw = secure.NetConn()
	}
	if tcp, ok := raw.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0) // If it fails, the client sees an end instead of a reset, which loses the reply too.
	}
	_ = raw.Close()
}

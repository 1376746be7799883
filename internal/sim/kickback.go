package sim

import (
	"context"
	"io"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/jpayment-go/jpayment"
	"github.com/jpayment-go/jpayment/internal/wire"
)

// CheckKickbackURL returns why a URL cannot be the kickback URL, as a [FieldError],
// or nil: it must be absolute, of http or https, without a user name, and its host
// localhost or an address of the loopback interface. What the simulator sends are
// made-up payments, and the URL of a configuration file that was meant for the real
// gateway must not lead to a store's real receiver. Empty is allowed.
func CheckKickbackURL(notificationURL string) error {
	_, err := parseKickbackURL(notificationURL)
	return err
}

func parseKickbackURL(text string) (*url.URL, error) {
	if text == "" {
		return nil, nil //nolint:nilnil // No URL is one of the settings.
	}
	u, err := url.Parse(text)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.User != nil || !isLoopback(u.Hostname()) {
		// The URL is not quoted: it may hold a password.
		return nil, wrong("KickbackURL", "is not a URL of http or https on this machine, such as http://127.0.0.1:9000/kickback",
			"がこのマシン上の http または https の URL（例 http://127.0.0.1:9000/kickback）ではありません")
	}
	return u, nil
}

// SetKickbackURL sets the store's kickback URL (決済結果通知URL), to which the
// outcome of a re-authorisation with rt=0 is sent. It panics if [CheckKickbackURL] has an
// error. The certificate of an https receiver is checked.
//
// ASSUMPTION (L): while there is no URL, kickbacks are kept, and those that are due
// when there is one are sent then. An attempt goes to the URL of its time.
func (s *Simulator) SetKickbackURL(notificationURL string) {
	target, err := parseKickbackURL(notificationURL)
	must("SetKickbackURL", err)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.kickbacks.target = target
	s.changed()
	s.lookAgain()
}

func isLoopback(host string) bool {
	addr, err := netip.ParseAddr(host)
	return err == nil && addr.Unmap().IsLoopback() || strings.EqualFold(host, "localhost")
}

// KickbackDelivery is one attempt to deliver a kickback, and what became of it. It
// is kept from before the receiver can know of it; until the attempt has ended,
// Status, Answer, Err and Delivered are zero.
type KickbackDelivery struct {
	Request   int       // the Number of the Request whose outcome it tells; 0 if forged
	Duplicate int       // 0 for the kickback itself, then counted from 1; see Config.KickbackDuplicates
	Attempt   int       // to deliver this kickback, or this duplicate of it, counted from 1
	Manual    bool      // asked for by RetryKickback
	At        time.Time // by the simulator's clock
	RawQuery  string    // the bytes after the question mark

	Status    int    // of the receiver's answer; 0 where there was none
	Answer    []byte // its body, up to 64 KiB
	Err       error  // why there was no answer, or not the whole of it
	Delivered bool   // the gateway is content
}

// Kickbacks returns every attempt so far to deliver a kickback, in order. Forged
// ones are not the gateway's: see [Simulator.ForgedKickbacks].
func (s *Simulator) Kickbacks() []KickbackDelivery {
	s.mu.Lock()
	defer s.mu.Unlock()
	return copyDeliveries(s.kickbacks.deliveries)
}

// ForgedKickbacks returns what [Simulator.ForgeKickback] sent so far, in order.
func (s *Simulator) ForgedKickbacks() []KickbackDelivery {
	s.mu.Lock()
	defer s.mu.Unlock()
	return copyDeliveries(s.kickbacks.forged)
}

func copyDeliveries(deliveries []*KickbackDelivery) []KickbackDelivery {
	all := make([]KickbackDelivery, len(deliveries))
	for i, d := range deliveries {
		all[i] = d.copy()
	}
	return all
}

func (d *KickbackDelivery) bytes() int { return 256 + len(d.RawQuery) + len(d.Answer) }

func (d *KickbackDelivery) copy() KickbackDelivery {
	c := *d
	c.Answer = slices.Clone(d.Answer)
	return c
}

// DeliverKickbacks sends every kickback that is due by the simulator's clock, one
// after the other, and returns how many it sent, delivered or not. It first waits
// for those that are under way, other than by hand or forged, so that afterwards none
// that was due is left: but a receiver that calls it waits for itself, until the
// gateway's patience ends.
//
// A [Server] sends by itself what is due, as long as its clock is the machine's.
// With a clock of a test, it sends by itself only a kickback that is due as soon as its
// request is answered, and that once; whether such a one is counted here is chance.
// A test that counts sets a delay. A [Simulator] without a Server sends
// nothing by itself.
func (s *Simulator) DeliverKickbacks(ctx context.Context) (sent int) {
	now := s.now()
	return s.sendAll(ctx, func(k *kickback) bool { return !k.due.After(now) })
}

// RetryKickback sends the kickback of a request once more and at once, whether or
// not it was delivered, as the operators of the gateway's control panel would. The
// error is that of the delivery; it is also one that the request has no kickback or
// the store no kickback URL.
//
// ASSUMPTION (L): an attempt by hand that succeeds ends the gateway's own, one that
// fails changes nothing about them.
func (s *Simulator) RetryKickback(ctx context.Context, request int) (KickbackDelivery, error) {
	s.mu.Lock()
	i := slices.IndexFunc(s.kickbacks.all, func(k *kickback) bool { return k.request == request })
	if i < 0 {
		s.mu.Unlock()
		return KickbackDelivery{}, ErrNoKickback
	}
	k := s.kickbacks.all[i]
	s.mu.Unlock()
	return s.send(ctx, k, k.query, true)
}

// ForgeKickback sends a query to the store's kickback URL as anyone can who knows
// it: kickbacks are not signed (field notes, "Kickbacks": H). The query is sent as it
// is, escaped or not, and once. The error is that of the delivery; it is also one
// that the store has no kickback URL.
func (s *Simulator) ForgeKickback(ctx context.Context, query string) (KickbackDelivery, error) {
	return s.send(ctx, nil, query, true)
}

// kickbacks is what the gateway keeps of them.
type kickbacks struct {
	target     *url.URL // nil for none
	all        []*kickback
	kept       int // how many of them the journal has
	deliveries []*KickbackDelivery
	forged     []*KickbackDelivery
}

// kickback is the outcome of a re-authorisation that is to be told by kickback
// (決済結果通知, rt=0).
type kickback struct {
	request   int
	duplicate int
	query     string

	held     bool      // its request is not answered yet
	prompt   bool      // it could be sent as soon as its request was answered
	due      time.Time // of the next attempt
	attempts int
	tries    int  // the attempts that nobody asked for by hand
	ended    bool // delivered or given up
}

// announce keeps the outcome of a re-authorisation with rt=0 for its kickback.
func (s *Simulator) announce(req *Request, in input, res result) result {
	if req.Operation != jpayment.OpReAuthByKickback || in.row {
		return res
	}
	res.byKickback = true
	query := s.kickbackQuery(res, in.form.otherData())
	for duplicate := range 1 + s.config.KickbackDuplicates {
		s.kickbacks.all = append(s.kickbacks.all, &kickback{
			request:   req.Number,
			duplicate: duplicate,
			query:     query,
			held:      true,
			due:       req.At.Add(s.config.KickbackDelay),
		})
	}
	return res
}

// kickbackQuery writes the parameters of a kickback (specification, キックバック(rt=0)仕様;
// field notes, "Kickbacks": empty values are kept, the merchant's other data comes
// back as parameters of its own: H). In the vendor's list acid stands before them.
func (s *Simulator) kickbackQuery(res result, other []Param) string {
	columns := res.columns(false)
	if res.code != "" && res.payment.ID != "" && s.config.DeclineKickback == "payment" {
		columns[paymentColumn], columns[orderNumberColumn] = res.payment.ID, res.payment.OrderNumber
	}
	pairs := make([]Param, 0, len(columns)+len(other)+1)
	for i, name := range []string{"gid", "rst", "ap", "ec", "god", "cod", "am", "tx", "sf", "ta"} {
		pairs = append(pairs, Param{name, columns[i]})
	}
	if s.config.KickbackACID != "" {
		pairs = append(pairs, Param{"acid", s.config.KickbackACID})
	}
	if s.config.KickbackOtherData == "kept" {
		pairs = append(pairs, other...)
	}
	return Query(pairs, charsetOf(s.config.KickbackCharset))
}

// Query writes pairs as key=value&key=value. Keys and values are
// percent-encoded in the character set, all but ASCII letters, digits, "-", ".", "_"
// and "~".
func Query(pairs []Param, charset wire.Charset) string {
	var b strings.Builder
	for i, p := range pairs {
		if i > 0 {
			b.WriteByte('&')
		}
		b.WriteString(escape(encode(p.Key, charset)))
		b.WriteByte('=')
		b.WriteString(escape(encode(p.Value, charset)))
	}
	return b.String()
}

// answered lets the kickbacks of a request go. Its answer was written to w, or w is nil
// and a fault has the answer. net/http keeps a short answer until the flush here: a
// client that has its answer finds the kickback due, and a Server sends it
// after the answer. Which of the two is read first is not in the gateway's hands.
func (s *Simulator) answered(w http.ResponseWriter, request int) {
	if !s.release(request) {
		return
	}
	if w != nil {
		_ = http.NewResponseController(w).Flush() // where it cannot, the answer is sent all the same
	}
	s.lookAgain()
}

func (s *Simulator) release(request int) (any bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, k := range slices.Backward(s.kickbacks.all) {
		if k.request < request {
			break
		}
		if k.request == request {
			k.held = false
			k.prompt = s.kickbacks.target != nil && !k.due.After(s.clock())
			any = true
		}
	}
	return any
}

// lookAgain tells sendKickbacks that there may be something to do.
func (s *Simulator) lookAgain() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// sendKickbacks sends kickbacks as they fall due until the gateway is closed.
func (s *Simulator) sendKickbacks() {
	ctx := context.Background()
	for !s.closed() {
		var next <-chan time.Time
		if s.machineClock {
			s.DeliverKickbacks(ctx)
			if due, any := s.nextDue(); any {
				next = time.After(time.Until(due))
			}
		} else {
			s.sendAll(ctx, func(k *kickback) bool { return k.prompt && k.tries == 0 })
		}
		select {
		case <-next:
		case <-s.wake:
		case <-s.closing:
		}
	}
}

func (s *Simulator) nextDue() (due time.Time, any bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, k := range s.kickbacks.all {
		if s.sendable(k) && (!any || k.due.Before(due)) {
			due, any = k.due, true
		}
	}
	return due, any
}

func (s *Simulator) sendable(k *kickback) bool {
	return s.kickbacks.target != nil && !k.held && !k.ended
}

// sendAll sends what is due until nothing is. One call at a time does.
func (s *Simulator) sendAll(ctx context.Context, isDue func(*kickback) bool) (sent int) {
	select {
	case s.turn <- struct{}{}:
		defer func() { <-s.turn }()
	case <-ctx.Done():
		return 0
	case <-s.closing:
		return 0
	}
	for {
		batch := s.batch(isDue)
		if len(batch) == 0 {
			return sent
		}
		for _, k := range batch {
			if ctx.Err() != nil || s.closed() {
				return sent
			}
			if d, _ := s.send(ctx, k, k.query, false); d.Attempt > 0 { // the record has the error
				sent++
			}
		}
	}
}

// batch returns the kickbacks that are due together, in the order in which to send
// them.
func (s *Simulator) batch(isDue func(*kickback) bool) []*kickback {
	s.mu.Lock()
	defer s.mu.Unlock()
	var batch []*kickback
	for _, k := range s.kickbacks.all {
		if s.sendable(k) && isDue(k) {
			batch = append(batch, k)
		}
	}
	slices.SortStableFunc(batch, func(a, b *kickback) int { return a.due.Compare(b.due) })
	if s.config.KickbackOrder == "reversed" {
		slices.Reverse(batch)
	}
	return batch
}

// maxAnswer bounds what is read of a receiver's answer.
const maxAnswer = 64 << 10

var (
	errClosed = &Error{jpayment.Text{En: "the simulator is closed", Ja: "シミュレーターは終了しています"}}
	// ErrNoKickback is the error of a request without a kickback.
	ErrNoKickback = &Error{jpayment.Text{En: "the request has no kickback, or not any more", Ja: "このリクエストの決済結果通知はないか、すでに保存されていません"}}

	errNoURL = &Error{jpayment.Text{En: "the store has no kickback URL (決済結果通知URL)", Ja: "決済結果通知URL が設定されていません"}}
	errEnded = &Error{jpayment.Text{En: "the kickback was delivered meanwhile", Ja: "この決済結果通知は、すでに送信に成功しています"}}
)

// send makes one attempt to deliver a kickback, or a forged query where there is no
// kickback. A delivery without an Attempt was none.
func (s *Simulator) send(ctx context.Context, k *kickback, query string, byHand bool) (KickbackDelivery, error) {
	d := &KickbackDelivery{Attempt: 1}
	target, err := s.begin(d, k, query, byHand)
	if err != nil {
		return KickbackDelivery{}, err
	}
	status, answer, err := s.get(ctx, target, d.RawQuery, s.Config().KickbackTimeout)

	s.mu.Lock()
	defer s.mu.Unlock()
	d.Status, d.Answer, d.Err = status, answer, err
	// The success of a kickback is judged by its receiver's output not being empty
	// (specification, キックバック(rt=0)仕様; field notes, "Kickbacks": H).
	d.Delivered = err == nil && len(answer) > 0
	if s.config.KickbackJudged == "status" {
		d.Delivered = err == nil && status >= 200 && status <= 299
	}
	if k != nil {
		k.ended = k.ended || d.Delivered
		_ = s.save(Change{Kickbacks: []WaitingKickback{k.waiting()}}) // see Config.Journal
		s.forgetEnded()
	}
	s.kickbacks.deliveries = remember(s.kickbacks.deliveries, s.config) // the answer counts
	s.kickbacks.forged = remember(s.kickbacks.forged, s.config)
	s.changed()
	return d.copy(), err
}

// forgetEnded forgets the oldest kickbacks that have ended, all but as many as are to be
// remembered.
func (s *Simulator) forgetEnded() {
	ended := 0
	for _, k := range s.kickbacks.all {
		if k.ended {
			ended++
		}
	}
	if s.config.Memory == 0 || ended <= s.config.Memory {
		return
	}
	tooMany := ended - s.config.Memory
	s.kickbacks.all = slices.DeleteFunc(s.kickbacks.all, func(k *kickback) bool {
		forget := k.ended && tooMany > 0
		if forget {
			tooMany--
		}
		return forget
	})
	s.kickbacks.kept = len(s.kickbacks.all) // between two bookings the journal has them all
}

// begin keeps the record of an attempt and says where it goes.
func (s *Simulator) begin(d *KickbackDelivery, k *kickback, query string, byHand bool) (*url.URL, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	target := s.kickbacks.target
	switch {
	case s.closed():
		return nil, errClosed
	case target == nil:
		return nil, errNoURL
	case !byHand && k.ended:
		return nil, errEnded
	}

	defer s.changed()
	d.At = s.clock()
	d.RawQuery = query
	if target.RawQuery != "" {
		d.RawQuery = target.RawQuery + "&" + query
	}
	if k == nil {
		s.kickbacks.forged = remember(append(s.kickbacks.forged, d), s.config)
		return target, nil
	}
	k.attempts++
	d.Request, d.Duplicate, d.Attempt, d.Manual = k.request, k.duplicate, k.attempts, byHand
	s.kickbacks.deliveries = remember(append(s.kickbacks.deliveries, d), s.config)
	if byHand {
		return target, nil
	}
	if k.ended = k.tries >= len(s.config.KickbackRetries); !k.ended {
		k.due = d.At.Add(s.config.KickbackRetries[k.tries])
	}
	k.tries++
	return target, nil
}

// get sends a query to a receiver and returns its answer. Each has a connection of
// its own: on one that was used before, net/http might send the query twice without a
// word. What the real gateway's headers are is not known, so that there are none but
// those that HTTP demands.
func (s *Simulator) get(ctx context.Context, target *url.URL, query string, patience time.Duration) (status int, answer []byte, err error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	go func() {
		select {
		case <-s.closing:
			cancel()
		case <-ctx.Done():
		}
	}()

	req, err := http.NewRequestWithContext(ctx, http.MethodGet, target.String(), http.NoBody)
	if err != nil {
		return 0, nil, err
	}
	req.URL.RawQuery = query
	req.Header.Set("User-Agent", "") // not net/http's
	// A transport alone follows no redirect and, being a new one, uses no proxy.
	transport := &http.Transport{DialContext: s.config.Dial, DisableKeepAlives: true, DisableCompression: true}
	resp, err := transport.RoundTrip(req)
	if err != nil {
		return 0, nil, err
	}
	defer func() { _ = resp.Body.Close() }()
	answer, err = io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	return resp.StatusCode, answer, err
}

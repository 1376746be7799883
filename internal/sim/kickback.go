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

// CheckKickbackURL returns why a URL is not valid as the kickback URL, as a [FieldError], or
// nil. The URL must be absolute, http or https, and without a user name, and its host must be
// localhost or a loopback address: the simulator sends made-up payments, which must not reach
// a store's real receiver because a configuration file names it. An empty URL is valid.
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
		// The message does not quote the URL, which may contain a password.
		return nil, wrong("KickbackURL", "is not a URL of http or https on this machine, such as http://127.0.0.1:9000/kickback",
			"がこのマシン上の http または https の URL（例 http://127.0.0.1:9000/kickback）ではありません")
	}
	return u, nil
}

// SetKickbackURL sets the store's kickback URL (決済結果通知URL), to which the gateway sends
// the result of a re-authorisation with rt=0. It panics if [CheckKickbackURL] returns an
// error. The certificate of an https receiver is checked.
//
// ASSUMPTION (L): kickbacks wait while there is no URL. Each attempt goes to the current
// URL.
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

// KickbackDelivery is one attempt to deliver a kickback. It is recorded before the receiver
// is called; until the attempt has ended, Status, Answer, Err and Delivered are zero.
type KickbackDelivery struct {
	Request   int       // the Number of the Request whose result it reports; 0 if forged
	Duplicate int       // 0 for the kickback itself, then counted from 1; see Config.KickbackDuplicates
	Attempt   int       // to deliver this kickback, or this duplicate of it, counted from 1
	Manual    bool      // by RetryKickback
	At        time.Time // by the simulator's clock
	RawQuery  string    // the bytes after the question mark

	Status    int    // of the receiver's answer; 0 if there was none
	Answer    []byte // its body, up to 64 KiB
	Err       error  // why the answer is missing or incomplete
	Delivered bool   // the gateway counts the kickback as delivered
}

// Kickbacks returns all attempts so far to deliver a kickback, in order. For forged ones see
// [Simulator.ForgedKickbacks].
func (s *Simulator) Kickbacks() []KickbackDelivery {
	s.mu.Lock()
	defer s.mu.Unlock()
	return copyDeliveries(s.kickbacks.deliveries)
}

// ForgedKickbacks returns the kickbacks that [Simulator.ForgeKickback] has sent, in order.
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

// DeliverKickbacks sends all kickbacks that are due by the simulator's clock, one after the
// other, and returns the number of attempts, successful or not. It first waits for kickbacks
// on their way, except those sent by hand or forged, so that none that was due remains. A
// receiver must not call it, since the call would wait for the receiver.
//
// A [Server] with the machine's clock sends kickbacks automatically as they fall due. With
// another clock it automatically sends only a kickback that is due as soon as its request is
// answered, and only once; DeliverKickbacks may or may not count that one. A test that counts
// should set a delay. A [Simulator] without a Server sends nothing automatically.
func (s *Simulator) DeliverKickbacks(ctx context.Context) (sent int) {
	now := s.now()
	return s.sendAll(ctx, func(k *kickback) bool { return !k.due.After(now) })
}

// RetryKickback sends the kickback of a request once more, whether or not it was delivered,
// like a person at the gateway's control panel. It returns an error if the delivery fails,
// the request has no kickback, or the store has no kickback URL.
//
// ASSUMPTION (L): a successful attempt by hand ends the gateway's own attempts; a failed one
// does not change them.
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

// ForgeKickback sends a query to the store's kickback URL once, unchanged. Anyone who knows
// the URL can do so, since kickbacks are not signed (docs/protocol.md, "Kickbacks"; H). It
// returns an error if the delivery fails or the store has no kickback URL.
func (s *Simulator) ForgeKickback(ctx context.Context, query string) (KickbackDelivery, error) {
	return s.send(ctx, nil, query, true)
}

// kickbacks holds the kickbacks of the gateway.
type kickbacks struct {
	target     *url.URL // nil for none
	all        []*kickback
	kept       int // number of them in the journal
	deliveries []*KickbackDelivery
	forged     []*KickbackDelivery
}

// kickback is the result of a re-authorisation with rt=0, to be sent by kickback
// (決済結果通知).
type kickback struct {
	request   int
	duplicate int
	query     string

	held     bool      // its request is not answered yet
	prompt   bool      // it could be sent as soon as its request was answered
	due      time.Time // of the next attempt
	attempts int
	tries    int  // attempts, except those by hand
	ended    bool // delivered or given up
}

// announce queues the kickback with the result of a re-authorisation with rt=0.
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

// kickbackQuery returns the parameters of a kickback (specification, "キックバック(rt=0)仕様").
// Empty values are kept, and each pair of the merchant's other data is a parameter of its own
// (docs/protocol.md, "Kickbacks"; H). In the vendor's list acid precedes them.
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

// Query returns pairs as key=value&key=value. It percent-encodes keys and values in the
// character set, except ASCII letters, digits, "-", ".", "_" and "~".
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

// answered releases the kickbacks of a request. Its answer was written to w, or w is nil and
// a fault has the answer. net/http buffers a short answer until it is flushed here, so that a
// kickback is due before the client has its answer, and a Server sends it after the answer.
// Either may be read first.
func (s *Simulator) answered(w http.ResponseWriter, request int) {
	if !s.release(request) {
		return
	}
	if w != nil {
		_ = http.NewResponseController(w).Flush() // on failure the answer is sent anyway
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

// lookAgain wakes sendKickbacks.
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

// sendAll sends kickbacks until none is due. Only one call does so at a time.
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
			if d, _ := s.send(ctx, k, k.query, false); d.Attempt > 0 { // the delivery has the error
				sent++
			}
		}
	}
}

// batch returns the kickbacks that are due together, in the order of sending.
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

// maxAnswer bounds a receiver's answer, in bytes.
const maxAnswer = 64 << 10

var (
	errClosed = &Error{jpayment.Text{En: "the simulator is closed", Ja: "シミュレーターは終了しています"}}
	// ErrNoKickback means that the request has no kickback.
	ErrNoKickback = &Error{jpayment.Text{En: "the request has no kickback, or it is no longer kept", Ja: "このリクエストの決済結果通知はないか、すでに保存されていません"}}

	errNoURL = &Error{jpayment.Text{En: "the store has no kickback URL (決済結果通知URL)", Ja: "決済結果通知URL が設定されていません"}}
	errEnded = &Error{jpayment.Text{En: "the kickback has been delivered in the meantime", Ja: "この決済結果通知は、すでに送信に成功しています"}}
)

// send makes one attempt to deliver a kickback, or a forged query if there is no kickback. If
// it made no attempt, the Attempt of the delivery is 0.
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
	// A kickback is delivered if the receiver's answer is not empty (specification,
	// "キックバック(rt=0)仕様"; docs/protocol.md, assumption 63).
	d.Delivered = err == nil && len(answer) > 0
	if s.config.KickbackJudged == "status" {
		d.Delivered = err == nil && status >= 200 && status <= 299
	}
	if k != nil {
		k.ended = k.ended || d.Delivered
		_ = s.save(Change{Kickbacks: []WaitingKickback{k.waiting()}}) // see Config.Journal
		s.forgetEnded()
	}
	s.kickbacks.deliveries = remember(s.kickbacks.deliveries, s.config) // the size of the answer counts
	s.kickbacks.forged = remember(s.kickbacks.forged, s.config)
	s.changed()
	return d.copy(), err
}

// forgetEnded forgets the oldest finished kickbacks beyond the number to be remembered.
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
	s.kickbacks.kept = len(s.kickbacks.all) // between two bookings, all are in the journal
}

// begin records an attempt and returns its URL.
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

// get sends a query to a receiver and returns its answer. It uses a new connection, since
// net/http might silently send the query twice on a reused one. The real gateway's headers
// are not known, so it sends only those that HTTP requires.
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
	// A bare transport follows no redirects, and a new one uses no proxy.
	transport := &http.Transport{DialContext: s.config.Dial, DisableKeepAlives: true, DisableCompression: true}
	resp, err := transport.RoundTrip(req)
	if err != nil {
		return 0, nil, err
	}
	defer func() { _ = resp.Body.Close() }()
	answer, err = io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	return resp.StatusCode, answer, err
}

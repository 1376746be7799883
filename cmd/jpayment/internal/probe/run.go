// Package probe tests the assumptions of package assumed at a store in test mode. It sends
// requests for payments that were authorised for this purpose, and reports which assumptions
// the replies confirm or refute.
package probe

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/jpayment-go/jpayment"
	"github.com/jpayment-go/jpayment/cmd/jpayment/internal/console"
)

// Run is one probe.
type Run struct {
	Console  console.Console
	Store    string
	Gateway  string // its URL
	Payments []Payment
	Options  []jpayment.Option // of the client
	Auth     jpayment.Secret   // the connection authentication code, if the store has one
	Out      string            // the beginning of the names of the journal and the reports
	Yes      bool              // do not ask for confirmation
	Pause    time.Duration     // between two requests
	Timeout  time.Duration     // of one request
	Again    string            // the command that resumes the probe, as a person types it

	// Kickbacks receives kickbacks; nil if none are received.
	Kickbacks net.Listener
	// Watch is how long to wait for repeated kickbacks.
	Watch time.Duration

	dial  func(ctx context.Context, network, address string) (net.Conn, error)
	roots *x509.CertPool           // nil for the system's
	crash func(written bool) error // see journal

	memory
	sender  *sender
	trouble int // unusable replies in a row

	sent, toSend int // steps in this session
}

// plan says which payment is used for which role, as announced.
type plan struct {
	payment   map[string]Payment // by role
	listening bool
	auth      bool
}

func newPlan(payments []Payment, listening, auth bool) plan {
	p := plan{payment: map[string]Payment{}, listening: listening, auth: auth}
	left := slices.Clone(payments)
	for _, r := range roles {
		i := slices.IndexFunc(left, func(p Payment) bool { return p.Kind == r.kind })
		if i < 0 || r.kickback && !listening {
			continue
		}
		p.payment[r.name] = left[i]
		left = slices.Delete(left, i, i+1)
	}
	return p
}

// has reports whether a step is planned, that is, whether its payment and everything else it
// needs is available.
func (p plan) has(s step) bool {
	_, there := p.payment[s.role]
	return (there || s.role == nobody) && (!s.auth || p.auth) && (s.kickback == unanswered || p.listening)
}

// Do runs the probe. Its error is a [console.ExitStatus] if everything has been printed
// already.
func (r *Run) Do(ctx context.Context) (err error) {
	if !slices.ContainsFunc(r.Payments, func(p Payment) bool { return p.Kind == Plain }) {
		return console.Usagef("no plain payment was given; the first request needs one", "種類が「通常」の決済がありません。最初のリクエストに必要です")
	}
	r.sender = &sender{auth: r.Auth, timeout: r.Timeout, dial: r.dial, roots: r.roots}
	if err := r.sender.make(r.Store, r.Options); err != nil {
		return err
	}
	j, err := openJournal(r.Out + ".journal")
	if err != nil {
		return err
	}
	defer func() {
		if cerr := j.close(); err == nil {
			err = cerr
		}
	}()
	j.crash = r.crash
	r.memory = memory{journal: j, plan: newPlan(r.Payments, r.Kickbacks != nil, !r.Auth.IsZero())}

	about := begin{Version: journalVersion, Store: r.Store, Gateway: r.Gateway, Payments: r.Payments}
	if j.begun != nil && !j.begun.equal(about) {
		return console.Usagef("%s is the journal of a probe of another store, gateway or list of payments: choose another name with --out",
			"%s は、店舗・接続先・決済の一覧のいずれかが異なる測定の記録です。--out で別の名前を指定してください", r.Out+".journal")
	}
	if !r.finished() {
		r.announce()
		if !r.Yes {
			if err := r.confirm(ctx); err != nil {
				return err
			}
		}
		if j.begun == nil {
			if err := j.write(line{Begin: &about}); err != nil {
				return err
			}
		}
		r.toSend = r.left()
		if err := r.measure(ctx); err != nil {
			return err
		}
	}
	return r.report(ctx)
}

func (r *Run) confirm(ctx context.Context) error {
	err := r.Console.Confirm(ctx)
	if errors.Is(err, console.ErrNotConfirmed) {
		r.say("Not confirmed: nothing was sent.", "確認されなかったため、何も送信していません。")
		return console.ExitStatus(console.Failed)
	}
	return err
}

// say prints a message to the user.
func (r *Run) say(en, ja string, args ...any) {
	fmt.Fprintln(r.Console.Stderr, r.Console.Lang.Of(console.Textf(en, ja, args...)))
}

// left returns the number of planned steps that were not sent.
func (r *Run) left() (n int) {
	for _, s := range steps {
		if r.plan.has(s) && !r.recorded(s.name) {
			n++
		}
	}
	return n
}

// finished reports whether a probe with this plan was completed.
func (r *Run) finished() bool { return r.ended != nil && *r.ended == r.plan.String() }

// String returns what the journal records of the plan besides the payments.
func (p plan) String() string {
	return fmt.Sprintf("listening: %t, authentication: %t", p.listening, p.auth)
}

// measure sends the remaining steps. It returns an error only if nothing can be reported.
func (r *Run) measure(ctx context.Context) error {
	now := time.Now()
	if err := r.write(line{Start: &now}); err != nil {
		return err
	}
	receiving, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	if r.Kickbacks != nil {
		ended := make(chan struct{})
		receiver := receiver{took: r.took, held: func(h held) error { return r.write(line{Held: &h}) }}
		go func() {
			defer close(ended)
			receiver.serve(receiving, r.Kickbacks)
		}()
		defer func() {
			stop()
			<-ended
		}()
	}
	for _, s := range steps {
		if !r.plan.has(s) || r.recorded(s.name) || s.when != nil && s.when(&r.memory) != none {
			continue
		}
		if stop := r.mustStop(s); stop != none || ctx.Err() != nil {
			r.stopped = stop
			if stop == none {
				r.stopped = interrupted
			}
			return nil
		}
		if err := r.take(ctx, s); err != nil {
			return err
		}
	}
	return r.watch(ctx)
}

// mustStop returns the reason why neither the next step nor any later one may be sent, if
// there is one.
func (r *Run) mustStop(next step) jpayment.Text {
	test := false
	for _, s := range steps {
		a, why := r.answer(s.name)
		if why != none || !a.done || a.res.ApprovalCode.IsZero() {
			continue
		}
		if !a.res.TestMode() {
			return text("The store is not in test mode: an approval was real. Nothing else is sent. Look the payment up in the control panel.",
				"店舗がテストモードではありません（本番の承認が返されました）。これ以上は送信しません。管理画面で決済を確認してください。")
		}
		test = true
	}
	switch {
	case r.trouble >= maxTrouble:
		return text("The gateway does not reply, or refuses every request. Run the probe again later: it continues with the requests that were not sent.",
			"決済ゲートウェイが応答しないか、すべてのリクエストを拒否しています。後で再度実行すると、未送信のものから続けます。")
	case !test && !slices.Contains([]string{"no-payment", "cancel", "sales"}, next.name):
		return text("No approval has shown that the store is in test mode. Nothing else is sent.", "店舗がテストモードであることを確認できる承認がありません。これ以上は送信しません。")
	default:
		return none
	}
}

// maxTrouble is the number of unusable replies in a row that end the probe.
const maxTrouble = 2

// take sends one step and waits for its kickback, if one is due. It returns an error if the
// request cannot be built or the journal cannot be written.
func (r *Run) take(ctx context.Context, s step) error {
	b := &builder{sender: r.sender, ctx: ctx, store: r.Store, paymentID: "0", yen: s.yen}
	if s.role != nobody {
		b.paymentID = r.plan.payment[s.role].ID
	}
	req, err := s.build(b)
	if err != nil {
		return err
	}
	if err := r.write(line{Intent: s.name}); err != nil {
		return err
	}
	var x *exchange
	if s.idle {
		r.say("Leaving a connection idle for %d s …", "接続を使わずに%d秒間待っています…", int(idleWait.Seconds()))
		x = r.sender.doIdle(ctx, s.name, req, idleWait)
	} else {
		x = r.sender.do(ctx, s.name, req)
	}
	if err := r.write(line{Outcome: s.name, Exchange: x}); err != nil {
		return err
	}
	a, why := r.answer(s.name)
	said := why
	if why == none {
		said = console.Textf("%s", "%s", a.said())
		r.trouble = 0
	} else {
		r.trouble++
		if x.refusesAll() {
			r.trouble = maxTrouble
		}
	}
	r.sent++
	lang := r.Console.Lang
	fmt.Fprintf(r.Console.Stderr, "%3d/%d  %s  %s  %s\n", r.sent, r.toSend, console.Pad(lang.Of(req.operation()), 12), console.Pad(b.paymentID, 8), lang.Of(said))
	r.follow(ctx, s)
	return r.pause(ctx, r.Pause)
}

// follow waits for the kickback of a step that was accepted.
func (r *Run) follow(ctx context.Context, s step) {
	if a, why := r.answer(s.name); why != none || !a.accepted || s.kickback == unanswered {
		return
	}
	wait, awaited := time.Minute, []string{s.name}
	switch s.name {
	case "kickback-refused", "kickback-first": // The next step must not wait.
		return
	case "kickback-second":
		wait += holdFor
		if r.sentNow("kickback-first") { // Otherwise it may have come while nobody listened.
			awaited = append(awaited, "kickback-first")
		}
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	for {
		news := r.news()
		if !slices.ContainsFunc(awaited, func(name string) bool { return len(r.received(name)) == 0 }) {
			return
		}
		select {
		case <-news:
		case <-timer.C:
			return
		case <-ctx.Done():
			return
		}
	}
}

// pause waits for d or until ctx is done, and returns the journal's error.
func (r *Run) pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
	return r.failed()
}

// watch waits for repeated kickbacks and ends the probe.
func (r *Run) watch(ctx context.Context) error {
	if r.plan.listening && r.watched == nil {
		r.say("Waiting for kickbacks until %s …", "%s まで決済結果通知を待っています…", r.Console.Clock(time.Now().Add(r.Watch)))
		err := r.pause(ctx, r.Watch)
		switch {
		case err != nil:
			return err
		case ctx.Err() != nil:
			r.stopped = interrupted
			return nil //nolint:nilerr // The report says so.
		}
		if err := r.write(line{Watched: &watched{At: time.Now()}}); err != nil {
			return err
		}
	}
	plan := r.plan.String()
	return r.write(line{Ended: &plan})
}

// took records a kickback and decides how to answer it. It does not record kickbacks that
// are not the probe's. These are answered as undelivered, so that their receiver gets them
// later.
func (r *Run) took(query string) (answer, error) {
	at := time.Now()
	params := map[string]string{}
	for _, p := range pairsOf(query) {
		if _, again := params[p.key]; !again {
			params[p.key] = unescaped(p.raw)
		}
	}
	i := slices.IndexFunc(steps, func(s step) bool {
		byAmounts := params["am"] == strconv.FormatInt(s.yen, 10) && params["tx"] == strconv.Itoa(taxYen) && params["sf"] == strconv.Itoa(shippingYen)
		return s.kickback != unanswered && (params["probe"] == s.name || params["probe"] == "" && byAmounts)
	})
	if i < 0 || !r.recorded(steps[i].name) {
		return unanswered, nil
	}
	s := steps[i]
	how := s.kickback
	if how == keptBack && (len(r.received(s.name)) > 0 || !r.sentNow(s.name)) {
		how = taken // Keeping it back would delay the kickbacks of later steps.
	}
	return how, r.write(line{Kickback: &kickback{Step: s.name, At: at, Query: query}})
}

// announce prints what the probe is about to do.
func (r *Run) announce() {
	lang, w := r.Console.Lang, r.Console.Stderr
	rows := [][]string{
		{lang.In("store", "店舗ID"), r.Store},
		{lang.In("gateway", "送信先"), r.Gateway},
		{lang.In("journal", "記録"), r.Out + ".journal"},
		{lang.In("report", "レポート"), r.Out + ".md, " + r.Out + ".json"},
	}
	if r.Kickbacks != nil {
		rows = append(rows, []string{lang.In("kickbacks", "決済結果通知の受信"), r.Kickbacks.Addr().String()})
	}
	console.WriteTable(w, rows)
	r.say("\nOperations on the payments:", "\n各決済に対して行う操作:")
	rows = nil
	var mayCapture []string
	for _, role := range roles {
		if p, there := r.plan.payment[role.name]; there {
			rows = append(rows, []string{p.ID, lang.Of(p.Kind.name()), lang.Of(role.text)})
			if role.captures {
				mayCapture = append(mayCapture, p.ID)
			}
		}
	}
	console.WriteTable(w, rows)
	if missing := r.missing(); len(missing) > 0 {
		r.say("\nAssumptions that are not tried because a payment or an address is missing (jpayment probe without payments lists everything that can be given):",
			"\n決済または受信アドレスがないため確認しない前提（必要な決済の一覧は、決済を指定しない jpayment probe で表示されます）:")
		console.WriteTable(w, missing)
	}
	requests := 0
	var opened []int64
	for _, s := range steps {
		if !r.plan.has(s) || r.recorded(s.name) {
			continue
		}
		requests++
		if s.idle {
			requests++
		}
		if s.yen > 0 {
			opened = append(opened, s.yen+taxYen+shippingYen)
		}
	}
	r.say("\nRequests to send: up to %d, one at a time. Only these payments may be captured: %s.",
		"\n最大%d件のリクエストを1件ずつ送信します。実売上にする可能性がある決済は次のものだけです: %s。", requests, strings.Join(mayCapture, lang.In(", ", "、")))
	if len(opened) > 0 {
		r.say("Re-authorisations create up to %d new payments, of at most %d yen each.", "再オーソリにより、最大%d件の新しい決済（%d円以下）が作成されます。", len(opened), slices.Max(opened))
	}
	r.say("Unless the first approval is in test mode, nothing else is sent.", "最初の承認がテストモードのものでなければ、それ以上は送信しません。")
}

// missing returns the assumptions that are not tried, grouped by what they would need.
func (r *Run) missing() (rows [][]string) {
	lang := r.Console.Lang
	numbers := map[string][]string{}
	var order []string
	for _, e := range experiments {
		for _, name := range e.needs {
			s := stepOf(name)
			if r.plan.has(s) {
				continue
			}
			why := lang.Of(r.plan.lacks(s))
			if numbers[why] == nil {
				order = append(order, why)
			}
			if number := strconv.Itoa(e.number); !slices.Contains(numbers[why], number) {
				numbers[why] = append(numbers[why], number)
			}
		}
	}
	for _, why := range order {
		rows = append(rows, []string{strings.TrimRight(why, ".。"), strings.Join(numbers[why], ", ")})
	}
	return rows
}

// lacks says what is missing for a step that is not planned.
func (p plan) lacks(s step) jpayment.Text {
	switch _, there := p.payment[s.role]; {
	case s.auth && !p.auth:
		return text("It needs a store with a connection authentication code.", "接続認証コードを使う店舗でのみ確認できます。")
	case s.kickback != unanswered && !p.listening:
		return noListener
	case !there && s.role != nobody:
		i := slices.IndexFunc(roles, func(r role) bool { return r.name == s.role })
		return console.Textf("It needs another payment of the kind %s.", "種類が「%s」の決済がもう1件必要です。", roles[i].kind.name())
	default:
		return none
	}
}

var (
	none        jpayment.Text
	interrupted = text("The probe was interrupted.", "中断されました。")
	noListener  = text("It needs an address at which to receive kickbacks (--listen).", "決済結果通知を受信するアドレス（--listen）が必要です。")
	noKickback  = text("No kickback came.", "決済結果通知が届きませんでした。")
)

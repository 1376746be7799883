// Package probe measures what is assumed of the gateway at a store in test mode: it sends
// requests about payments that were authorised for it, and reports which assumptions of
// package assumed they confirm or refute.
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
	Out      string            // the beginning of the names of journal and report
	Yes      bool              // do not ask
	Pause    time.Duration     // between two requests
	Timeout  time.Duration     // of one request
	Again    string            // the command that goes on, as a person types it

	// Kickbacks is where kickbacks come in; nil for nowhere.
	Kickbacks net.Listener
	// Watch is how long to wait for kickbacks that come again.
	Watch time.Duration

	dial  func(ctx context.Context, network, address string) (net.Conn, error)
	roots *x509.CertPool           // nil for the system's
	crash func(written bool) error // see journal

	memory
	sender  *sender
	trouble int // unusable answers in a row

	sent, toSend int // steps of this start
}

// plan is which payment is for what, as it was announced.
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

// has reports whether a step is planned: whether its payment and all else is there.
func (p plan) has(s step) bool {
	_, there := p.payment[s.role]
	return (there || s.role == nobody) && (!s.auth || p.auth) && (s.kickback == unanswered || p.listening)
}

// Do carries the probe out. Its error is a [console.ExitStatus] where all has been said.
func (r *Run) Do(ctx context.Context) (err error) {
	if !slices.ContainsFunc(r.Payments, func(p Payment) bool { return p.Kind == Plain }) {
		return console.Usagef("there is no plain payment, and the first request needs one", "種類が「通常」の決済がありません。最初のリクエストに必要です")
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
		return console.Usagef("%s is the journal of a probe of another store, gateway or list of payments: choose another name by --out",
			"%s は、店舗・接続先・決済の一覧が異なる probe の記録です。--out で別の名前を指定してください", r.Out+".journal")
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

// say tells the person who waits.
func (r *Run) say(en, ja string, args ...any) {
	fmt.Fprintln(r.Console.Stderr, r.Console.Lang.Of(console.Textf(en, ja, args...)))
}

// left returns how many steps are planned that were not sent.
func (r *Run) left() (n int) {
	for _, s := range steps {
		if r.plan.has(s) && !r.recorded(s.name) {
			n++
		}
	}
	return n
}

// finished reports whether a start with this plan was carried out to its end.
func (r *Run) finished() bool { return r.ended != nil && *r.ended == r.plan.String() }

// String is for the journal: what the plan has beside the payments.
func (p plan) String() string {
	return fmt.Sprintf("listening: %t, authentication: %t", p.listening, p.auth)
}

// measure sends what is still to be sent. It returns an error only where nothing can be
// reported.
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

// mustStop says why a step must not be sent, nor any after it.
func (r *Run) mustStop(next step) jpayment.Text {
	test := false
	for _, s := range steps {
		a, why := r.answer(s.name)
		if why != none || !a.done || a.res.ApprovalCode.IsZero() {
			continue
		}
		if !a.res.TestMode() {
			return text("The store is not in test mode: an approval is a real one. Nothing else is sent. Look at the payment in the control panel.",
				"店舗がテストモードではありません（本番の承認が返されました）。これ以上は送信しません。管理画面で決済を確認してください。")
		}
		test = true
	}
	switch {
	case r.trouble >= maxTrouble:
		return text("The gateway does not answer, or refuses every request. Start the probe again later: it goes on with what was not sent.",
			"ゲートウェイが応答しないか、すべてのリクエストを拒否しています。後で再度実行すると、送信していないものから続けます。")
	case !test && !slices.Contains([]string{"no-payment", "cancel", "sales"}, next.name):
		return text("No approval shows that the store is in test mode. Nothing else is sent.", "店舗がテストモードであることを確認できる承認がありません。これ以上は送信しません。")
	default:
		return none
	}
}

// maxTrouble is how many unusable answers in a row end the probe.
const maxTrouble = 2

// take sends one step and waits for what follows it. Only what makes the journal unusable
// is an error.
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
		r.say("Leaving a connection idle for %d s …", "接続を%d秒間待機させています…", int(idleWait.Seconds()))
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
	case "kickback-refused", "kickback-first": // The next step is not to wait.
		return
	case "kickback-second":
		wait += holdFor
		if r.sentNow("kickback-first") { // Else it may have come while nobody listened.
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

// pause waits, and not for long where somebody is in a hurry.
func (r *Run) pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
	return r.failed()
}

// watch waits for kickbacks that come again. It ends the probe.
func (r *Run) watch(ctx context.Context) error {
	if r.plan.listening && r.watched == nil {
		r.say("Watching for kickbacks until %s …", "%s まで決済結果通知を待っています…", r.Console.Clock(time.Now().Add(r.Watch)))
		err := r.pause(ctx, r.Watch)
		switch {
		case err != nil:
			return err
		case ctx.Err() != nil:
			r.stopped = interrupted
			return nil //nolint:nilerr // It is reported.
		}
		if err := r.write(line{Watched: &watched{At: time.Now()}}); err != nil {
			return err
		}
	}
	plan := r.plan.String()
	return r.write(line{Ended: &plan})
}

// took decides about a kickback. One that is not the probe's is not kept, and counts as
// not delivered, so that its receiver gets it later.
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
		how = taken // It would keep others back that are looked at by now.
	}
	return how, r.write(line{Kickback: &kickback{Step: s.name, At: at, Query: query}})
}

// announce says what will be done, before anything is.
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
	r.say("\nWhat is done to the payments:", "\n各決済に対して行う操作:")
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
		r.say("\nWhat is not tried for want of a payment or an address (jpayment probe without payments lists all that can be given):",
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
		r.say("Up to %d new payments are opened by re-authorisation, of %d yen or less.", "再オーソリにより、最大%d件の新しい決済（%d円以下）が作成されます。", len(opened), slices.Max(opened))
	}
	r.say("The first approval must be one of test mode, or nothing else is sent.", "最初の承認がテストモードのものでなければ、それ以上は送信しません。")
}

// missing returns the assumptions that are not tried, by the kind of the payment that
// would be needed.
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

// lacks says what a step that is not planned would need.
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
	interrupted = text("It was interrupted.", "中断されました。")
	noListener  = text("It needs an address where kickbacks come in (--listen).", "決済結果通知を受信するアドレス（--listen）が必要です。")
	noKickback  = text("No kickback came.", "決済結果通知が届きませんでした。")
)

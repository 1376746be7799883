package monthend

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jpayment-go/jpayment"
	"github.com/jpayment-go/jpayment/cmd/jpayment/internal/console"
	"github.com/jpayment-go/jpayment/fulfilment"
)

// teller prints the progress of the work, and the reason if there is none.
type teller struct {
	*Run
	gateway *watch
	line    progress
	pace    pace

	wrote    time.Time            // when the last line was written without a terminal
	due      time.Time            // end of the wait that was last reported
	causes   map[string]time.Time // of trouble, by when each was last reported
	troubled time.Time            // when any trouble was last reported
	trouble  time.Time            // the same, zero once the trouble is over
	silent   time.Time            // start of the silence that was last reported
	failing  time.Time            // since when the database has failed, once reported
}

const (
	lineEvery    = 10 * time.Second
	farOff       = 20 * time.Second // a longer wait for the next row is reported
	troubleLasts = time.Second      // A single failed call is reported by its row.
	causeEvery   = time.Minute
	troubleEvery = 10 * time.Second
	calmAfter    = 5 * time.Second

	// defaultPatience is how long the gateway may be silent before that is reported.
	defaultPatience = 5 * time.Second
)

func (r *Run) newTeller(t tally) *teller {
	teller := &teller{
		Run: r, gateway: &watch{Client: r.Client, now: r.now}, line: progress{console: r.Console}, causes: map[string]time.Time{}, wrote: r.now(),
	}
	teller.pace.add(r.now(), r.rows-t.open)
	return teller
}

// since returns the time elapsed since at.
func (t *teller) since(at time.Time) time.Duration { return t.now().Sub(at) }

// tell prints the progress of the work.
func (t *teller) tell(ctx context.Context, now tally, st fulfilment.Status) {
	t.pace.add(t.now(), t.rows-now.open)
	t.tellDatabase()
	t.tellTrouble()
	t.tellSilence()
	t.tellWait(ctx, st)
	parts := t.parts(now)
	t.line.show(parts...)
	if !t.Console.Terminal.Err && t.since(t.wrote) >= lineEvery {
		t.wrote = t.now()
		text := parts[0]
		for _, part := range parts[1:] {
			if part != "" {
				text += t.Console.Lang.In(", ", "、") + part
			}
		}
		fmt.Fprintln(t.Console.Stderr, text)
	}
}

// parts returns the parts of a progress line, the most important first. The counts are of
// the whole file; the pace and the time left are of this start.
func (t *teller) parts(now tally) []string {
	lang := t.Console.Lang
	parts := []string{fmt.Sprintf(lang.In("%s of %s done", "%[2]s件中%[1]s件が完了"), console.Grouped(now.done), console.Grouped(t.rows))}
	if now.refused > 0 {
		parts = append(parts, lang.In("refused ", "拒否 ")+console.Grouped(now.refused))
	}
	if now.review > 0 {
		parts = append(parts, lang.In("review ", "要確認 ")+console.Grouped(now.review))
	}
	perSecond := t.pace.perSecond()
	return append(parts, paceText(lang, perSecond), leftText(lang, now.open, perSecond))
}

// tellDatabase reports that the database cannot record attempts, and when it can again.
func (t *teller) tellDatabase() {
	switch h := t.queue.Health(); {
	case h.OK() && !t.failing.IsZero():
		t.failing = time.Time{}
		t.line.say(t.Console.ErrMark(console.Good) + t.Console.Lang.In(" The database works again.", " データベースが使用できるようになりました。"))
	case !h.OK() && t.failing.IsZero() && h.Failures > 1: // A single failure is only retried.
		t.failing = h.Since
		t.line.say(fmt.Sprintf("%s %s\n  %s", t.Console.ErrMark(console.Bad), console.Printable(t.Console.Lang.Of(h.What)), t.Console.Lang.In(
			"Attempts that cannot be recorded are not sent. The run retries automatically. Ctrl-C stops it; the same command continues later.",
			"記録できないものは送信しません。自動で再試行します。中断するには Ctrl-C を押してください。同じコマンドで続行できます。")))
	}
}

// tellTrouble reports why the gateway is unreachable or failing, and what the run does
// about it.
func (t *teller) tellTrouble() {
	since, trouble := t.gateway.lasting()
	if trouble == nil {
		if !t.trouble.IsZero() && t.since(t.trouble) > calmAfter {
			t.trouble = time.Time{}
			t.line.say(t.Console.ErrMark(console.Good) + t.Console.Lang.In(" The gateway answers again.", " 決済ゲートウェイが応答するようになりました。"))
		}
		return
	}
	if t.since(since) < troubleLasts {
		return
	}
	cause := t.Console.Lang.Of(jpayment.WhatOf(trouble))
	if told, known := t.causes[cause]; known && t.since(told) < causeEvery || t.since(t.troubled) < troubleEvery {
		return
	}
	t.troubled = t.now()
	t.trouble, t.causes[cause] = t.troubled, t.troubled
	t.line.say(fmt.Sprintf("%s %s\n  %s", t.Console.ErrMark(console.Bad), console.Printable(cause), t.Console.Lang.Of(afterTrouble(trouble))))
}

// afterTrouble says what the run does about trouble.
func afterTrouble(err error) jpayment.Text {
	var gateway *jpayment.GatewayError
	switch {
	case errors.As(err, &gateway):
		return jpayment.Text{
			En: "The request is sent again automatically. Ctrl-C stops the run; the same command continues later.",
			Ja: "自動で再送します。中断するには Ctrl-C を押してください。同じコマンドで続行できます。",
		}
	case jpayment.OutcomeOf(err) == jpayment.OutcomeNotSent:
		return jpayment.Text{
			En: "Nothing was sent. The run retries automatically. Ctrl-C stops it; the same command continues later.",
			Ja: "送信されていません。自動で再送します。中断するには Ctrl-C を押してください。同じコマンドで続行できます。",
		}
	default:
		return jpayment.Text{
			En: "Captures and cancellations are sent again automatically; re-authorisations are not. Ctrl-C stops the run; the same command continues later.",
			Ja: "実売上と取消は自動で再送し、再オーソリは再送しません。中断するには Ctrl-C を押してください。同じコマンドで続行できます。",
		}
	}
}

// tellSilence reports that requests are in progress and no reply arrives.
func (t *teller) tellSilence() {
	calls, since := t.gateway.silent()
	patience := t.patience
	if patience == 0 {
		patience = defaultPatience
	}
	if calls == 0 || t.since(since) < patience || since.Equal(t.silent) {
		return
	}
	t.silent = since
	t.line.say(fmt.Sprintf(t.Console.Lang.In("Waiting for the gateway to answer (requests: %d), up to %.0f s for each.",
		"決済ゲートウェイの応答を待っています（%d件）。1件につき最大%.0f秒待ちます。"), calls, t.Timeout.Seconds()))
}

// tellWait reports that nothing will be sent for a while, and why.
func (t *teller) tellWait(ctx context.Context, st fulfilment.Status) {
	due := st.NextDue
	if st.Paused != nil {
		due = st.Paused.Until
	}
	// These times come from the database.
	if st.Running > 0 || time.Until(due) <= farOff || due.Sub(t.due) <= time.Minute {
		return
	}
	t.due = due
	var why jpayment.Text
	if st.Paused != nil {
		why = st.Paused.Why
	} else if waiting, err := t.queue.Jobs(ctx, fulfilment.Filter{State: fulfilment.StateWaiting, Batch: t.batch, Limit: 1}); err == nil && len(waiting) == 1 {
		why, _ = t.why(ctx, waiting[0]) // A database error is reported elsewhere.
	}
	t.line.say(fmt.Sprintf(t.Console.Lang.In("Waiting until %s: %s", "%s まで待機します: %s"), t.Console.Clock(due), console.Printable(t.Console.Lang.Of(why))))
}

// lost reports calls that began before this start and have not ended, for which the run
// waits. Another process is making them, or was killed while it did.
func (t *teller) lost(ctx context.Context, st fulfilment.Status) {
	if st.Running == 0 {
		return
	}
	running, err := t.queue.Jobs(ctx, fulfilment.Filter{State: fulfilment.StateRunning, Batch: t.batch})
	if err != nil || len(running) == 0 {
		return // They have ended in the meantime, or the error is reported elsewhere.
	}
	last := running[0].Due
	for _, j := range running {
		if j.Due.After(last) {
			last = j.Due
		}
	}
	t.line.say(fmt.Sprintf(t.Console.Lang.In(
		"Requests that an earlier run or another process began and that have not ended: %s. The run waits for them until %s. After that their outcome is unknown; captures and cancellations are sent again, re-authorisations are not.",
		"以前の実行、または別のプロセスによる送信 %s 件の結果が、まだ記録されていません。%s まで待ち、記録されなければ結果不明として扱います（実売上と取消は再送し、再オーソリは再送しません）。"),
		console.Grouped(st.Running), t.Console.Clock(last)))
}

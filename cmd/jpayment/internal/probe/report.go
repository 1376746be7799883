package probe

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/jpayment-go/jpayment"
	"github.com/jpayment-go/jpayment/cmd/jpayment/internal/console"
	"github.com/jpayment-go/jpayment/internal/assumed"
)

// kickbackOf is the prefix of an evidence name that refers to the kickbacks of a step.
const kickbackOf = "kickback of "

// findings judges every assumption by the contents of the journal.
func (m *memory) findings() []assumed.Finding {
	all := map[int]assumed.Finding{}
	for _, a := range assumed.All() {
		i := slices.IndexFunc(experiments, func(e experiment) bool { return e.number == a.Number })
		if i >= 0 {
			all[a.Number] = m.finding(a, experiments[i])
		}
	}
	var list []assumed.Finding
	for _, a := range assumed.All() {
		f, tried := all[a.Number]
		switch {
		case !a.Observable():
			f = assumed.Finding{Number: a.Number, Verdict: assumed.NotTried, Reason: reasonOf(a.Unobservable)}
		case !tried:
			f = hanging(a, all)
		}
		list = append(list, f)
	}
	return list
}

// finding returns the result of one experiment.
func (m *memory) finding(a assumed.Assumption, e experiment) assumed.Finding {
	f := assumed.Finding{Number: a.Number, Verdict: assumed.NotTried}
	evidence := slices.Clone(e.needs)
	for _, name := range e.needs {
		if _, why := m.answer(name); why != none {
			f.Reason = reasonOf(why)
			return f
		}
	}
	for _, name := range e.kickbacks {
		if len(m.received(name)) == 0 {
			f.Reason, f.Evidence = reasonOf(noKickback), m.evidence(evidence)
			return f
		}
		evidence = append(evidence, kickbackOf+name)
	}
	j := e.judge(m)
	f.Verdict, f.Reason = j.verdict, reasonOf(j.reason)
	if j.value != "" && a.Setting != nil && a.Setting.Check(j.value) == nil {
		value := assumed.Text(j.value)
		f.Setting, f.Value = a.Setting.Key, &value
	}
	if f.Verdict == "" {
		f.Verdict = assumed.Refuted
		if a.Setting != nil && j.value == a.Setting.Default {
			f.Verdict = assumed.Confirmed
		}
		if f.Value == nil {
			f.Reason = reasonOf(console.Textf("The measured value is %s.", "測定値は %s でした。", j.value))
		}
	}
	f.Evidence = m.evidence(append(evidence, j.evidence...))
	return f
}

// hanging returns the finding about an assumption that has no experiment of its own, but
// depends on others.
func hanging(a assumed.Assumption, all map[int]assumed.Finding) assumed.Finding {
	f := assumed.Finding{Number: a.Number, Verdict: assumed.Confirmed}
	for _, n := range a.HangsOn {
		on := all[n]
		switch {
		case on.Verdict == assumed.Refuted:
			return assumed.Finding{
				Number: a.Number, Verdict: assumed.Refuted, Evidence: on.Evidence,
				Reason: reasonOf(console.Textf("It depends on assumption %d.", "前提%dに依存しています。", n)),
			}
		case on.Verdict == assumed.NotTried:
			f.Verdict, f.Evidence, f.Reason = assumed.NotTried, on.Evidence, on.Reason
		case f.Verdict == assumed.Confirmed:
			f.Evidence = append(f.Evidence, on.Evidence...)
		}
	}
	return f
}

func reasonOf(t jpayment.Text) *assumed.Reason {
	if t == none {
		return nil
	}
	en := []rune(t.En)
	en[0] = unicode.ToUpper(en[0])
	return &assumed.Reason{En: strings.TrimSuffix(string(en), ".") + ".", Ja: strings.TrimSuffix(t.Ja, "。") + "。"}
}

// evidence returns the exchanges of steps, without private data.
func (m *memory) evidence(names []string) (all []assumed.Evidence) {
	seen := map[string]bool{}
	for _, name := range names {
		if seen[name] {
			continue
		}
		seen[name] = true
		if step, cut := strings.CutPrefix(name, kickbackOf); cut {
			for _, k := range m.received(step) {
				all = append(all, assumed.Evidence{Request: k.At.UTC().Format(time.RFC3339) + " GET ?" + hiddenQuery(k.Query), Reply: stepOf(step).kickback.shown()})
			}
			continue
		}
		if at := m.attempts[name]; at != nil && at.exchange != nil {
			all = append(all, at.exchange.evidence(m.begun.Store))
		}
	}
	return all
}

func (a answer) shown() string {
	head, body, _ := strings.Cut(a.text(), "\r\n\r\n")
	status, _, _ := strings.Cut(head, "\r\n")
	if a == keptBack {
		status += " (kept back)"
	}
	return strings.TrimSpace(status + "\n\n" + body)
}

// evidence returns an exchange, without private data and without the store's number.
func (x *exchange) evidence(store string) assumed.Evidence {
	target := "POST"
	if u, err := url.Parse(x.Request.URL); err == nil {
		target += " " + u.Path
	}
	if x.Request.Query != "" {
		target += "?" + x.Request.Query
	}
	if x.Request.ContentType != "" {
		target += "\nContent-Type: " + x.Request.ContentType
	}
	sent := target + "\n\n" + strings.ReplaceAll(x.Request.Body, "\r\n", "\n") // for multipart forms
	if len(sent) > maxShown {                                                  // The rest only repeats itself.
		sent = fmt.Sprintf("%s… (%d bytes)", sent[:maxShown], len(sent))
	}
	e := assumed.Evidence{Request: strings.TrimSpace(strings.ReplaceAll(sent, store, "[aid]"))}
	a, why := x.read()
	if why != none {
		e.Reply = why.En
		return e
	}
	e.Reply = fmt.Sprintf("%s %d\nContent-Type: %s\n\n%s", x.Proto, x.Status, x.ContentType, shown(a.hidden()))
	if x.Idle != nil {
		e.Reply += fmt.Sprintf("\n\n(idle %.1f s; closed: %t; used again: %t)", x.Idle.Waited.Seconds(), x.Idle.Closed, x.Idle.Reused)
	}
	return e
}

// maxShown is the maximum number of bytes shown of a request.
const maxShown = 600

// hidden returns the body of a reply with private data masked: the approval code, unless it
// is that of test mode, the order number, and the issued ID and password.
func (a *reply) hidden() string {
	body := string(a.Body)
	if !a.row {
		return body
	}
	fields := strings.Split(body, ",")
	if fields[2] != "" && !a.res.TestMode() {
		fields[2] = "[ap]"
	}
	end := 5 + max(strings.Count(a.res.OrderNumber, ","), 0)
	for i := 5; i <= end; i++ {
		fields[i] = mask(fields[i])
	}
	for i := end + 5; i <= end+6 && i < len(fields)-1; i++ {
		if fields[i] != "" {
			fields[i] = "[hidden]"
		}
	}
	return strings.Join(fields, ",")
}

// mask replaces ASCII letters and digits. It keeps what shows how the text is encoded: commas,
// escapes and other bytes.
func mask(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '%' && i+2 < len(s) && strings.Trim(s[i+1:i+3], "0123456789abcdefABCDEF") == "":
			b.WriteString(s[i : i+3])
			i += 2
		case c >= '0' && c <= '9', c >= 'A' && c <= 'Z', c >= 'a' && c <= 'z':
			b.WriteByte('x')
		default:
			b.WriteByte(c)
		}
	}
	return b.String()
}

// hiddenQuery returns the query of a kickback with private data masked. Of other data it shows
// only the probe's own.
func hiddenQuery(query string) string {
	var pairs []string
	for _, p := range pairsOf(query) {
		value := p.raw
		switch {
		case slices.Contains([]string{"gid", "rst", "ec", "god", "am", "tx", "sf", "ta", "acid", "AM"}, p.key), strings.HasPrefix(p.key, "probe"):
		case p.key == "ap" && value != "TestMod" && value != "":
			value = "[ap]"
		case p.key == "cod" && value != "probe":
			value = mask(value)
		case p.key != "ap" && p.key != "cod" && value != "":
			value = "[hidden]"
		}
		pairs = append(pairs, p.key+"="+shown(value))
	}
	return strings.Join(pairs, "&")
}

// report writes the reports for people and for programs.
func (r *Run) report(ctx context.Context) error {
	now := time.Now().UTC().Truncate(time.Second)
	profile := assumed.Profile{Version: assumed.ProfileVersion, Measured: &now, Assumptions: r.findings()}
	files := map[string][]byte{".json": profile.Encode(), ".md": markdown(r.Console.Lang, profile)}
	for _, ext := range []string{".md", ".json"} {
		if err := replace(r.Out+ext, files[ext]); err != nil {
			return console.Failedf("%s", "%s", console.What(err))
		}
	}
	counts := count(profile)
	r.say("Assumptions: %d confirmed, %d refuted, %d not tried. Report: %s", "前提どおり %d件、前提と異なる %d件、未確認 %d件。レポート: %s",
		counts[assumed.Confirmed], counts[assumed.Refuted], counts[assumed.NotTried], r.Out+".md")
	if r.stopped != none {
		r.say("%s", "%s", r.stopped)
		if ctx.Err() != nil {
			r.say("To continue: %s", "続けるには: %s", r.Again)
		}
		return console.ExitStatus(console.Failed)
	}
	return nil
}

// replace writes a file atomically.
func replace(path string, data []byte) error {
	f, err := os.CreateTemp(filepath.Dir(path), ".probe-*")
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		_ = os.Remove(f.Name()) // The first error is returned.
	}
	return err
}

func count(p assumed.Profile) map[assumed.Verdict]int {
	counts := map[assumed.Verdict]int{}
	for _, f := range p.Assumptions {
		counts[f.Verdict]++
	}
	return counts
}

// verdicts are the sections of the report. Refuted assumptions come first.
var verdicts = []struct {
	verdict assumed.Verdict
	name    jpayment.Text
}{
	{assumed.Refuted, text("Refuted", "前提と異なるもの")},
	{assumed.Confirmed, text("Confirmed", "前提どおりのもの")},
	{assumed.NotTried, text("Not tried", "未確認のもの")},
}

// markdown returns the report for people.
func markdown(lang console.Lang, p assumed.Profile) []byte {
	var b strings.Builder
	counts := count(p)
	fmt.Fprintf(&b, "# %s\n\n", lang.In("Measurements at a store in test mode", "テストモードの店舗での測定結果"))
	fmt.Fprintf(&b, lang.In("Measured %s with `jpayment probe`. Confirmed: %d, refuted: %d, not tried: %d. The store ID and private data are left out. The numbers are those in docs/protocol.md.\n",
		"測定日時 %s（`jpayment probe`）。前提どおり %d件、前提と異なる %d件、未確認 %d件。店舗IDと個人情報は含みません。番号は docs/protocol.ja.md の前提の番号です。\n"),
		p.Measured.Format(time.RFC3339), counts[assumed.Confirmed], counts[assumed.Refuted], counts[assumed.NotTried])
	for _, v := range verdicts {
		if counts[v.verdict] == 0 {
			continue
		}
		fmt.Fprintf(&b, "\n## %s\n", lang.Of(v.name))
		for _, f := range p.Assumptions {
			if f.Verdict == v.verdict {
				writeFinding(&b, lang, f)
			}
		}
	}
	return []byte(b.String())
}

func writeFinding(b *strings.Builder, lang console.Lang, f assumed.Finding) {
	a, _ := assumed.Of(f.Number)
	fmt.Fprintf(b, "\n### %d. %s\n", a.Number, strings.TrimRight(lang.Of(a.Text), ".。"))
	say := func(format string, args ...any) { fmt.Fprintf(b, "\n"+format+"\n", args...) }
	if f.Reason != nil {
		say("%s", lang.In(f.Reason.En, f.Reason.Ja))
	}
	if f.Value != nil {
		say("`%s` = `%s`", f.Setting, *f.Value)
	}
	if f.Verdict == assumed.Refuted {
		say("%s %s", lang.In("Effect:", "影響:"), lang.Of(a.IfWrong))
		for _, o := range a.Options {
			set := "`" + o.Call + "`"
			if o.Flag != "" {
				set += lang.In(", ", "、") + "`jpayment " + o.Flag + "`"
			}
			say("%s %s", lang.In("Set:", "設定:"), set)
		}
	}
	if f.Verdict == assumed.NotTried {
		return
	}
	for _, e := range f.Evidence {
		say("```text\n%s\n\n%s\n```", e.Request, e.Reply)
	}
}

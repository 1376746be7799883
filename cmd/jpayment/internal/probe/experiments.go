package probe

import (
	"fmt"
	"math"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/jpayment-go/jpayment"
	"github.com/jpayment-go/jpayment/internal/assumed"
	"github.com/jpayment-go/jpayment/internal/wire"
)

// experiment tests one assumption.
type experiment struct {
	number int
	// needs lists the steps that must have a reply. They are the evidence.
	needs []string
	// kickbacks lists the steps whose kickback must have come. They are evidence too.
	kickbacks []string
	judge     func(*memory) judgement
}

// judgement is the result of an experiment.
type judgement struct {
	verdict assumed.Verdict // if empty, value decides
	value   string          // measured value of the setting; empty if there is none
	reason  jpayment.Text
	// evidence adds to the evidence of the steps in needs and kickbacks.
	evidence []string
}

// experiments lists the experiments, by number of the assumption. An assumption that is
// missing here either cannot be observed, as package assumed says, or follows from those on
// which it depends.
var experiments = []experiment{
	{number: 1, needs: []string{"sales"}, judge: successGID},
	{number: 2, judge: reauthAmounts},
	{number: 3, judge: reauthGID},
	{number: 5, needs: []string{"refused-reauth", "cancel-refused", "second-cancel"}, judge: refusedReAuth},
	{number: 9, judge: onceOnly},
	{number: 11, judge: refusalStatus},
	{number: 12, judge: inTime},
	{number: 13, needs: []string{"idle"}, judge: idle},
	{number: 15, needs: []string{"sales"}, judge: rowSpace},
	{number: 17, needs: []string{"reauth-zero"}, judge: zeroTotal},
	{number: 18, needs: []string{"kickback-failed"}, kickbacks: []string{"kickback-failed"}, judge: names},
	{number: 21, needs: []string{"sales-japanese"}, judge: detection},
	{number: 22, needs: []string{"kickback"}, judge: acceptance},
	{number: 24, needs: []string{"kickback"}, kickbacks: []string{"kickback"}, judge: kickbackOtherData},
	{number: 28, needs: []string{"cancel", "wrong-hash"}, judge: connectionAuth},
	{number: 29, needs: []string{"no-payment", "wrong-store"}, judge: noPayment},
	{number: 30, needs: []string{"wrong-hash", "clock-4m", "clock-6m", "second-cancel"}, judge: clocks},
	{number: 31, judge: lineEnd},
	{number: 32, needs: []string{"cancel"}, judge: columnCount},
	{number: 33, judge: replyCharset},
	{number: 34, needs: []string{"sales-utf8"}, judge: requestCharset},
	{number: 35, needs: []string{"sales"}, judge: otherData},
	{number: 36, needs: []string{"reauth-declined", "cancel-declined", "second-cancel"}, judge: declinedReAuth},
	{number: 37, needs: []string{"sales-late"}, judge: answers("sales-late")},
	{number: 38, needs: []string{"kickback-declined"}, judge: declinedRT0},
	{number: 39, needs: []string{"kickback"}, kickbacks: []string{"kickback"}, judge: kickbackDelay},
	{number: 40, needs: []string{"kickback-emptied"}, kickbacks: []string{"kickback-emptied"}, judge: kickbackRetries},
	{number: 41, needs: []string{"kickback-kept-back"}, kickbacks: []string{"kickback-kept-back"}, judge: kickbackTimeout},
	{number: 42, needs: []string{"kickback"}, kickbacks: []string{"kickback"}, judge: duplicates},
	{number: 43, needs: []string{"kickback-first", "kickback-second"}, kickbacks: []string{"kickback-first", "kickback-second"}, judge: order},
	{number: 44, needs: []string{"kickback"}, kickbacks: []string{"kickback"}, judge: kickbackCharset},
	{number: 45, needs: []string{"kickback"}, kickbacks: []string{"kickback"}, judge: kickbackACID},
	{number: 46, needs: []string{"wrong-store"}, judge: firstCheck},
	{number: 47, needs: []string{"rt-twice"}, judge: rowFor},
	{number: 48, needs: []string{"second-cancel", "multipart", "query"}, judge: postForms},
	{number: 49, needs: []string{"second-cancel", "raw-space"}, judge: rawSpace},
	{number: 50, needs: []string{"second-cancel", "too-long", "long-escaped"}, judge: otherDataCounted},
	{number: 51, needs: []string{"cancel-refused"}, judge: lowerCase},
	{number: 52, needs: []string{"reauth-zero"}, judge: answers("reauth-zero")},
	{number: 53, needs: []string{"reauth", "wrong-email"}, judge: email},
	{number: 54, needs: []string{"sales", "second-sales"}, judge: answers("second-sales")},
	{number: 55, needs: []string{"cancel", "reauth-cancelled"}, judge: answers("reauth-cancelled")},
	{number: 56, needs: []string{"reauth-captured"}, judge: answers("reauth-captured")},
	{number: 58, needs: []string{"sales", "second-sales"}, judge: testMode},
	{number: 59, needs: []string{"second-cancel"}, judge: refusalRow},
	{number: 60, needs: []string{"kickback-refused"}, judge: refusedRT0},
	{number: 61, needs: []string{"kickback-declined"}, kickbacks: []string{"kickback-declined"}, judge: declineKickback},
	{number: 62, needs: []string{"kickback-failed"}, kickbacks: []string{"kickback-failed"}, judge: otherDataOrder},
	{number: 63, needs: []string{"kickback-emptied", "kickback-failed"}, kickbacks: []string{"kickback-emptied", "kickback-failed"}, judge: kickbackJudged},
	{number: 65, needs: []string{"sales-comma"}, judge: orderComma},
	{number: 67, needs: []string{"cancel", "sales-cancelled"}, judge: answers("sales-cancelled")},
	{number: 68, needs: []string{"sales", "cancel-captured"}, judge: answers("cancel-captured")},
	{number: 69, needs: []string{"cancel", "second-cancel"}, judge: answers("second-cancel")},
	{number: 70, needs: []string{"short"}, judge: shortRefusal},
	{number: 71, needs: []string{"reauth-barred"}, judge: answers("reauth-barred")},
	{number: 72, needs: []string{"second-cancel", "stray"}, judge: loosePairs},
	{number: 73, judge: http11},
	{number: 74, judge: tls12},
}

// Constructors of judgements.

func measured(value string) judgement { return judgement{value: value} }

func yes(evidence ...string) judgement {
	return judgement{verdict: assumed.Confirmed, evidence: evidence}
}

func no(en, ja string, args ...any) judgement {
	return judgement{verdict: assumed.Refuted, reason: textf(en, ja, args...)}
}

func open(why jpayment.Text) judgement { return judgement{verdict: assumed.NotTried, reason: why} }

func openf(en, ja string, args ...any) judgement { return open(textf(en, ja, args...)) }

func textf(en, ja string, args ...any) jpayment.Text {
	return jpayment.Text{En: fmt.Sprintf(en, args...), Ja: fmt.Sprintf(ja, args...)}
}

// otherwise returns the judgement for a reply that matches no value of the setting.
func otherwise(a *reply) judgement {
	return no("The reply was %[1]s.", "応答は %[1]s でした。", a.said())
}

// saysNothing returns the judgement for a reply that may have other reasons.
func saysNothing(a *reply) judgement {
	return openf("The reply %s is inconclusive.", "応答 %s からは判断できません。", a.said())
}

// answers returns a judge whose value is done, or the code with which the step was refused.
func answers(name string) func(*memory) judgement {
	return func(m *memory) judgement {
		a := m.known(name)
		switch {
		case a.done:
			return measured(assumed.Done)
		case a.code == "":
			return saysNothing(a)
		case a.code[0] == 'G':
			return openf("The card issuer declined (%s).", "カード会社に拒否されました（%s）。", a.code)
		default:
			return measured(string(a.code))
		}
	}
}

// onceOnly judges whether a repetition is refused, with whatever code.
func onceOnly(m *memory) judgement {
	j := yes()
	for _, pair := range [][2]string{{"sales", "second-sales"}, {"cancel", "second-cancel"}} {
		_, why := m.answer(pair[0])
		a, w := m.answer(pair[1])
		switch {
		case why == none && w == none && a.done:
			j = no("The gateway reported success for a repetition.", "2回目のリクエストにも成功の応答が返されました。")
			j.evidence = pair[:]
			return j
		case why != none:
			j = open(why)
		case w != none:
			j = open(w)
		}
		j.evidence = append(j.evidence, pair[:]...)
	}
	return j
}

func zeroTotal(m *memory) judgement {
	if a := m.known("reauth-zero"); a.done {
		return no("It was carried out.", "処理されました。")
	} else if a.code == "" {
		return saysNothing(a)
	}
	return yes()
}

func successGID(m *memory) judgement {
	a := m.known("sales")
	switch {
	case !a.done:
		return saysNothing(a)
	case a.res.PaymentID == m.plan.payment["captured"].ID:
		return measured("same")
	case a.zeroGID:
		return measured("zero")
	default:
		return measured("own")
	}
}

// reauthorised returns the first successful re-authorisation.
func (m *memory) reauthorised() (a *reply, name string, why jpayment.Text) {
	for _, name := range []string{"reauth", "reauth-captured"} {
		a, w := m.answer(name)
		if w == none && !a.done {
			w = after(a)
		}
		if w == none {
			return a, name, none
		}
		if why == none {
			why = w
		}
	}
	return nil, "", why
}

func reauthAmounts(m *memory) judgement {
	a, name, why := m.reauthorised()
	if why != none {
		return open(why)
	}
	total, _ := a.res.Total.Int64()
	j := no("The amounts are neither the requested ones nor those in the list of payments.", "金額が、リクエストの金額とも一覧の金額とも異なります。")
	switch s := stepOf(name); {
	case a.res.Amount == jpayment.Yen(s.yen) && a.res.Tax == jpayment.Yen(taxYen) && a.res.Shipping == jpayment.Yen(shippingYen) && a.res.Total == jpayment.Yen(s.yen+taxYen+shippingYen):
		j = measured("new")
	case total == m.plan.payment[s.role].Amount:
		j = measured("old")
	}
	j.evidence = []string{name}
	return j
}

func reauthGID(m *memory) judgement {
	a, name, why := m.reauthorised()
	if why != none {
		return open(why)
	}
	j := measured("new")
	if a.res.PaymentID == m.plan.payment[stepOf(name).role].ID {
		j = measured("same")
	}
	j.evidence = []string{name}
	return j
}

// alive judges by the result of a cancellation whether a payment still existed.
func (m *memory) alive(cancel, yes, no string) judgement {
	second, a := m.known("second-cancel"), m.known(cancel)
	switch {
	case second.done:
		return openf("A second cancellation succeeds as well, so the cancellation proves nothing.", "2回目の取消にも成功の応答が返されるため、取消の結果からは判断できません。")
	case a.done:
		return measured(yes)
	case a.code == second.code:
		return measured(no)
	default:
		return saysNothing(a)
	}
}

func refusedReAuth(m *memory) judgement {
	if a := m.known("refused-reauth"); a.code.Class() != jpayment.ErrInvalidParameter {
		return saysNothing(a)
	}
	return m.alive("cancel-refused", "untouched", "cancelled")
}

func declinedReAuth(m *memory) judgement {
	if a := m.known("reauth-declined"); a.code == "" || a.code[0] != 'G' {
		return openf("It was not declined: the reply was %s.", "カード会社に拒否されませんでした（応答は %s）。", a.said())
	}
	return m.alive("cancel-declined", "keeps", "cancels")
}

func refusalStatus(m *memory) judgement {
	status, evidence := 0, ""
	for _, s := range steps {
		a, why := m.answer(s.name)
		if why != none || a.code == "" {
			continue
		}
		if evidence == "" || a.Status != http200 && status == http200 {
			status, evidence = a.Status, s.name
		}
	}
	if evidence == "" {
		return openf("Nothing was refused.", "拒否された応答がありません。")
	}
	j := measured(strconv.Itoa(status))
	j.evidence = []string{evidence}
	return j
}

const http200 = 200

// each calls f for every exchange, in the order of the steps.
func (m *memory) each(f func(name string, x *exchange)) {
	for _, s := range steps {
		if a := m.attempts[s.name]; a != nil && a.exchange != nil {
			f(s.name, a.exchange)
		}
	}
}

func inTime(m *memory) judgement {
	const promised = 60 * time.Second
	var slowest time.Duration
	name, silent := "", ""
	m.each(func(s string, x *exchange) {
		switch {
		case x.TimedOut && x.Took >= promised:
			silent = s
		case x.Failed == nil && x.Took >= slowest:
			slowest, name = x.Took, s
		}
	})
	switch {
	case slowest <= promised && silent != "":
		j := openf("One request had no reply in time: the reply may have been late or lost.", "時間内に応答のないリクエストが1件ありました。応答が遅れたのか、失われたのかは分かりません。")
		j.evidence = []string{silent}
		return j
	case name == "":
		return openf("No reply came.", "応答がありませんでした。")
	case slowest > promised:
		j := no("A reply took %.0f seconds.", "応答に%.0f秒かかりました。", slowest.Seconds())
		j.evidence = []string{name}
		return j
	}
	j := yes(name)
	j.reason = textf("The slowest reply took %.1f seconds.", "最も遅い応答は%.1f秒でした。", slowest.Seconds())
	return j
}

func idle(m *memory) judgement {
	x := m.known("idle").exchange
	switch {
	case x.Idle == nil || !x.Idle.Closed && !x.Idle.Reused:
		return openf("The second request on the connection had no reply.", "同じ接続の2回目のリクエストに応答がありませんでした。")
	case x.Idle.Closed && x.Idle.Waited < idleWait:
		j := no("The gateway closed the connection after %.1f seconds.", "ゲートウェイは%.1f秒後に接続を切断しました。", x.Idle.Waited.Seconds())
		j.value = assumed.Time(x.Idle.Waited.Round(100 * time.Millisecond))
		return j
	case x.Idle.Waited < idleWait:
		return openf("The connection was idle for only %.1f seconds.", "接続を使わずに待ったのは%.1f秒だけです。", x.Idle.Waited.Seconds())
	default:
		return yes()
	}
}

// idleWait is how long a connection is left idle.
const idleWait = 30 * time.Second

// other returns the other data in the row, as received.
func (m *memory) other(name string) string {
	a := m.known(name)
	if a.res == nil {
		return ""
	}
	return a.res.Other.Reveal()
}

func rowSpace(m *memory) judgement {
	switch other := m.other("sales"); {
	case strings.Contains(other, "a%20b"):
		return measured("percent")
	case strings.Contains(strings.ToUpper(other), "A+B%2B"):
		return measured("plus")
	default:
		return openf("The row has no escaped other data.", "応答の行に、エンコードされたその他データがありません。")
	}
}

func otherData(m *memory) judgement {
	switch other := m.other("sales"); {
	case strings.Contains(strings.ToUpper(other), "B%2BC%26D"):
		return measured("escaped")
	case strings.Contains(other, signs):
		return measured("plain")
	case other == "":
		return openf("The row has no other data.", "応答の行にその他データがありません。")
	default:
		return no("The other data is neither percent-encoded nor unchanged.", "その他データはパーセントエンコードでも、元のままでもありません。")
	}
}

func detection(m *memory) judgement {
	a := m.known("sales-japanese")
	written, ok := charsetIn(string(a.Body), m.plan.payment["japanese"].OrderNumber)
	switch {
	case strings.Contains(strings.ToLower(a.ContentType), "charset="):
		return openf("The reply names its character set.", "応答に文字コードの指定があります。")
	case !ok:
		return no("The order number is in neither character set.", "店舗オーダー番号がどちらの文字コードでもありません。")
	case written == assumed.UTF8:
		return openf("The reply is in UTF-8.", "応答は UTF-8 です。")
	case utf8.Valid(a.Body):
		return no("The order number is in Shift_JIS, but by chance also valid UTF-8.", "店舗オーダー番号は Shift_JIS ですが、UTF-8 としても正しい内容です。")
	default:
		return yes()
	}
}

// charsetIn returns the character set in which raw contains the text, escaped or not.
func charsetIn(raw, want string) (charset string, ok bool) {
	plain := unescaped(raw)
	if want != "" && strings.Contains(plain, want) {
		return assumed.UTF8, true
	}
	if sjis, bad := wire.ShiftJIS.Encode(want); want != "" && bad == nil && strings.Contains(plain, sjis) {
		return assumed.ShiftJIS, true
	}
	return "", false
}

// unescaped decodes valid escapes and keeps everything else.
func unescaped(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '%' && i+2 < len(s) {
			if n, err := strconv.ParseUint(s[i+1:i+3], 16, 8); err == nil {
				b.WriteByte(byte(n))
				i += 2
				continue
			}
		}
		if s[i] == '+' {
			b.WriteByte(' ')
			continue
		}
		b.WriteByte(s[i])
	}
	return b.String()
}

func replyCharset(m *memory) judgement {
	for _, name := range []string{"sales-japanese", "sales-utf8", "sales-shift-jis"} {
		a, why := m.answer(name)
		if why != none || !a.done {
			continue
		}
		want := words
		if name == "sales-japanese" {
			want = m.plan.payment["japanese"].OrderNumber
		}
		if charset, ok := charsetIn(string(a.Body), want); ok {
			j := measured(charset)
			j.evidence = []string{name}
			return j
		}
	}
	return openf("No reply contains the expected Japanese.", "想定した日本語を含む応答がありませんでした。")
}

func requestCharset(m *memory) judgement {
	a := m.known("sales-utf8")
	switch _, ok := charsetIn(string(a.Body), words); {
	case a.done && ok:
		return measured(assumed.UTF8)
	case a.done && a.res.Other.IsZero():
		return openf("The row has no other data.", "応答の行にその他データがありません。")
	case a.done:
		return no("Text sent in UTF-8 came back as something else.", "UTF-8 で送信した内容が、別の内容で返されました。")
	case a.code != "ER001":
		return saysNothing(a)
	}
	if sales, why := m.answer("sales"); why != none || !sales.done {
		return saysNothing(a) // Other data without Japanese was not accepted either.
	}
	j := no("Text sent in UTF-8 was refused with ER001.", "UTF-8 で送信した内容が ER001 で拒否されました。")
	if second, why := m.answer("sales-shift-jis"); why == none && second.done {
		j.value, j.evidence = assumed.ShiftJIS, []string{"sales-shift-jis"}
	}
	return j
}

func connectionAuth(m *memory) judgement {
	cancel, wrong := m.known("cancel"), m.known("wrong-hash")
	if !cancel.done || wrong.code.Class() != jpayment.ErrNotPermitted {
		return openf("The reply to a wrong hash was %s, so the right one proves nothing.", "誤った hak への応答が %s だったため、正しい hak の結果からは判断できません。", wrong.said())
	}
	return yes()
}

func clocks(m *memory) judgement {
	wrong, near, far := m.known("wrong-hash"), m.known("clock-4m"), m.known("clock-6m")
	switch control := m.known("second-cancel"); {
	case wrong.code != jpayment.CodeSourceIP:
		return no("The reply to a wrong hash was %s.", "誤った hak への応答は %s でした。", wrong.said())
	case !near.same(control):
		return no("With a clock 4 minutes off, the reply was %s.", "時計が4分ずれたリクエストへの応答は %s でした。", near.said())
	case far.code != jpayment.CodeSourceIP:
		return no("With a clock 6 minutes off, the reply was %s.", "時計が6分ずれたリクエストへの応答は %s でした。", far.said())
	default:
		return yes()
	}
}

func lineEnd(m *memory) judgement {
	found := map[string]string{}
	for _, s := range steps {
		if a, why := m.answer(s.name); why == none {
			end := string(a.Body[len(strings.TrimRight(string(a.Body), "\r\n")):])
			if _, seen := found[end]; !seen {
				found[end] = s.name
			}
		}
	}
	var evidence []string
	value := ""
	for end, name := range found {
		value = map[string]string{"\r\n": "crlf", "\r": "cr", "": "none"}[end]
		evidence = append(evidence, name)
	}
	slices.Sort(evidence)
	switch {
	case len(found) == 0:
		return openf("No reply came.", "応答がありませんでした。")
	case len(found) > 1:
		j := no("Replies end in different ways.", "応答の末尾が一定ではありません。")
		j.evidence = evidence
		return j
	case value == "":
		j := no("Replies end in another way.", "応答の末尾が想定と異なります。")
		j.evidence = evidence
		return j
	}
	j := measured(value)
	j.evidence = evidence
	return j
}

func columnCount(m *memory) judgement {
	a := m.known("cancel")
	if !a.done {
		return saysNothing(a)
	}
	n := a.columns()
	if b, why := m.answer("sales-cancelled"); why == none && b.row && b.columns() != n {
		j := no("Rows have %d or %d columns.", "応答の行は%d列または%d列です。", n, b.columns())
		j.evidence = []string{"sales-cancelled"}
		return j
	}
	return measured(strconv.Itoa(n))
}

func acceptance(m *memory) judgement {
	a := m.known("kickback")
	switch {
	case !a.accepted:
		return saysNothing(a)
	case a.text == "OK":
		return measured("bare")
	case a.text == "OK,"+m.plan.payment["kickback"].ID:
		return measured("number")
	default:
		return no("The reply has more than OK.", "OK のほかにも内容がありました。")
	}
}

// pair is one parameter of a kickback, as received.
type pair struct{ key, raw string }

func pairsOf(query string) (all []pair) {
	for p := range strings.SplitSeq(query, "&") {
		key, raw, _ := strings.Cut(p, "=")
		all = append(all, pair{unescaped(key), raw})
	}
	return all
}

// param returns the unescaped values of a parameter in the first kickback of a step.
func (m *memory) param(step, key string) (values []string) {
	for _, p := range pairsOf(m.received(step)[0].Query) {
		if p.key == key {
			values = append(values, unescaped(p.raw))
		}
	}
	return values
}

func kickbackOtherData(m *memory) judgement {
	switch probe, text := m.param("kickback", "probe"), m.param("kickback", "probe_japanese"); {
	case len(probe) == 0 && len(text) == 0:
		return measured("dropped")
	case slices.Equal(probe, []string{"kickback"}) && len(text) == 1:
		return measured("kept")
	default:
		return no("Other data came back changed.", "その他データが変更されて返されました。")
	}
}

func kickbackCharset(m *memory) judgement {
	values := m.param("kickback", "probe_japanese")
	if len(values) == 0 {
		return open(noOtherData)
	}
	if charset, ok := charsetIn(url.QueryEscape(values[0]), words); ok {
		return measured(charset)
	}
	return no("The text came back in neither character set.", "送信した内容がどちらの文字コードでも返されませんでした。")
}

var noOtherData = text("The kickback has no other data.", "決済結果通知にその他データがありません。")

func kickbackACID(m *memory) judgement {
	values := m.param("kickback", "acid")
	if len(values) == 0 {
		return yes()
	}
	j := no("It has an acid.", "acid が付いていました。")
	j.value = values[0]
	return j
}

func names(m *memory) judgement {
	switch own := m.param("kickback-failed", "cod"); {
	case len(m.param("kickback-failed", "probe_z")) == 0:
		return open(noOtherData)
	case len(own) < 2:
		return no("The other data sent as cod did not come back beside the gateway's own cod.", "cod として送信したデータが、ゲートウェイ自身の cod と並んで返されませんでした。")
	default:
		return yes()
	}
}

func otherDataOrder(m *memory) judgement {
	if j := names(m); j.verdict != assumed.Confirmed {
		return j
	}
	z, a := -1, -1
	for i, p := range pairsOf(m.received("kickback-failed")[0].Query) {
		switch p.key {
		case "probe_z":
			z = i
		case "probe_a":
			a = i
		}
	}
	if a < z {
		return no("The order differs.", "順序が異なります。")
	}
	return yes()
}

// together reports whether one process observed a step, its kickback and the watch after it.
// Otherwise nothing can be said about durations and about kickbacks that did not come.
func (m *memory) together(step string) (at time.Time, why jpayment.Text) {
	attempt := m.attempts[step]
	if m.watched == nil || m.watched.session != attempt.session {
		return at, text("The probe was interrupted while it waited for kickbacks.", "決済結果通知を待つ間に中断されました。")
	}
	return attempt.exchange.Sent.Add(attempt.exchange.Took), none
}

func kickbackDelay(m *memory) judgement {
	at, why := m.together("kickback")
	if why != none {
		return open(why)
	}
	delay := max(m.received("kickback")[0].At.Sub(at), 0)
	if delay < 5*time.Second {
		return measured("0s")
	}
	j := no("It came after %.0f seconds.", "%.0f秒後に届きました。", delay.Seconds())
	j.value = assumed.Time(delay.Round(time.Second))
	return j
}

// repetitions returns the intervals between repetitions of a kickback. A kickback that came
// immediately after another is a duplicate and does not count.
func (m *memory) repetitions(step string) (gaps []time.Duration) {
	var last time.Time
	for _, k := range m.received(step) {
		if gap := k.At.Sub(last); !last.IsZero() && gap >= 2*time.Second {
			gaps = append(gaps, gap.Round(time.Second))
		} else if !last.IsZero() {
			continue
		}
		last = k.At
	}
	return gaps
}

func kickbackRetries(m *memory) judgement {
	if _, why := m.together("kickback-emptied"); why != none {
		return open(why)
	}
	gaps := m.repetitions("kickback-emptied")
	promised := []time.Duration{time.Minute, 5 * time.Minute, 30 * time.Minute}
	texts := make([]string, len(gaps))
	as := true
	for i, gap := range gaps {
		texts[i] = assumed.Time(gap)
		as = as && i < len(promised) && math.Abs((gap-promised[i]).Seconds()) <= max(5, promised[i].Seconds()/10)
	}
	var next time.Duration // until the next repetition
	if as && len(gaps) < len(promised) {
		next = promised[len(gaps)]
	}
	list := strings.Join(texts, ",")
	if list == "" {
		list = assumed.None
	}
	quiet := m.watched.until(m, "kickback-emptied")
	switch {
	case as && next == 0 && quiet >= time.Minute:
		return yes()
	case as && next == 0, as && quiet <= next+next/10+5*time.Second:
		return openf("So far it came again after %s; the wait ended before the next repetition was due.", "これまでの再送間隔は %s です。次の再送の前に、待つ時間が終わりました。", list)
	default:
		j := no("It came again after %s.", "再送間隔は %s でした。", list)
		j.value = list
		return j
	}
}

// until returns the time from the last kickback of a step to the end of the watch.
func (w *watched) until(m *memory, step string) time.Duration {
	all := m.received(step)
	return w.At.Sub(all[len(all)-1].At)
}

func kickbackTimeout(m *memory) judgement {
	const promised = 30 * time.Second
	switch {
	case m.held == nil:
		return openf("The probe was interrupted while it delayed its answer.", "応答を遅らせている間に中断されました。")
	case !m.held.Closed:
		return no("The gateway waits longer than %.0f seconds.", "ゲートウェイは%.0f秒を超えて待ちます。", m.held.Waited.Seconds())
	case math.Abs((m.held.Waited - promised).Seconds()) <= 2:
		return measured("30s")
	default:
		j := no("The gateway waited %.1f seconds.", "ゲートウェイは%.1f秒待ちました。", m.held.Waited.Seconds())
		j.value = assumed.Time(m.held.Waited.Round(time.Second))
		return j
	}
}

func duplicates(m *memory) judgement {
	if _, why := m.together("kickback"); why != none {
		return open(why)
	}
	return measured(strconv.Itoa(len(m.received("kickback")) - 1))
}

func order(m *memory) judgement {
	for _, step := range []string{"kickback-first", "kickback-second"} {
		if _, why := m.together(step); why != none {
			return open(why)
		}
	}
	if asked := m.attempts["kickback-second"].exchange; m.received("kickback-first")[0].At.Before(asked.Sent) {
		return openf("The first kickback came before the second request was sent.", "2件目のリクエストを送信する前に、1件目の決済結果通知が届きました。")
	}
	came := func(step string) int {
		return slices.IndexFunc(m.kickbacks, func(k kickback) bool { return k.Step == step })
	}
	if came("kickback-second") < came("kickback-first") {
		return measured("reversed")
	}
	return measured("asked")
}

func noPayment(m *memory) judgement {
	a := m.known("no-payment")
	if a.code != jpayment.CodePaymentID && a.code != jpayment.CodeCancelFailed {
		return no("The reply to a Cancel of payment 0 was %s.", "決済番号0の取消への応答は %s でした。", a.said())
	}
	if j := firstCheck(m); j.value != "store" {
		return otherwise(m.known("wrong-store"))
	}
	return yes()
}

func firstCheck(m *memory) judgement {
	a := m.known("wrong-store")
	switch {
	case a.code == "ER050" || a.code.Class() == jpayment.ErrNotPermitted:
		return measured("store")
	case a.code == jpayment.CodePaymentID:
		return measured("payment")
	default:
		return otherwise(a)
	}
}

func rowFor(m *memory) judgement {
	if m.known("rt-twice").row {
		return measured("any")
	}
	return measured("only")
}

// form compares a request in another form with the ordinary one.
func (m *memory) form(name, taken, refused string, codes ...jpayment.Code) judgement {
	a := m.known(name)
	switch {
	case a.same(m.known("second-cancel")):
		return measured(taken)
	case slices.Contains(codes, a.code):
		return measured(refused)
	default:
		return otherwise(a)
	}
}

func postForms(m *memory) judgement {
	multipart, query, control := m.known("multipart"), m.known("query"), m.known("second-cancel")
	switch {
	case multipart.same(control) && query.same(control):
		return measured("any")
	case !multipart.same(control) && !query.same(control):
		return measured("urlencoded")
	case query.same(control):
		return no("The reply to a multipart form was %s.", "multipart のフォームへの応答は %s でした。", multipart.said())
	default:
		return no("The reply to parameters in the query of a POST was %s.", "POST のクエリのパラメータへの応答は %s でした。", query.said())
	}
}

func rawSpace(m *memory) judgement {
	if a := m.known("raw-space"); a.code != "ER001" {
		return otherwise(a)
	}
	return yes()
}

func otherDataCounted(m *memory) judgement {
	if a := m.known("too-long"); a.same(m.known("second-cancel")) {
		return openf("More than 1,024 bytes were not refused.", "1,024バイトを超えても拒否されませんでした。")
	} else if a.code != "ER001" {
		return saysNothing(a)
	}
	return m.form("long-escaped", "before", "after", "ER001")
}

func loosePairs(m *memory) judgement { return m.form("stray", "taken", "refused", "ER001") }

func lowerCase(m *memory) judgement {
	a := m.known("cancel-refused")
	if !a.done {
		return saysNothing(a)
	}
	upper, lower := false, false
	for _, p := range pairsOf(m.other("cancel-refused")) {
		upper, lower = upper || p.key == "AM", lower || p.key == "am"
	}
	switch {
	case lower:
		return no("A parameter name of the protocol came back as other data.", "プロトコルの名前がその他データとして返されました。")
	case !upper:
		return no("Other data with an upper-case name did not come back.", "大文字の名前のその他データが返されませんでした。")
	default:
		return yes()
	}
}

func email(m *memory) judgement {
	a, wrong := m.known("reauth"), m.known("wrong-email")
	switch {
	case !a.done:
		return saysNothing(a)
	case wrong.code == "ER059":
		return yes()
	case wrong.code == "ER033", wrong.code == "ER053":
		return openf("The payment was checked before the address (%s).", "メールアドレスより先に決済が確認されました（%s）。", wrong.said())
	default:
		return no("The reply to an address with two @ was %s.", "@ が2つあるアドレスへの応答は %s でした。", wrong.said())
	}
}

func testMode(m *memory) judgement {
	a := m.known("sales")
	if !a.done || !a.res.TestMode() || m.known("second-sales").code == "" {
		return openf("Nothing shows that the capture was recorded.", "実売上が記録されたことを確認できませんでした。")
	}
	return yes()
}

func refusalRow(m *memory) judgement {
	a := m.known("second-cancel")
	switch {
	case a.code == "" || !a.row:
		return saysNothing(a)
	case a.res.PaymentID == m.plan.payment["spent"].ID:
		return measured("payment")
	case strings.Trim(a.res.PaymentID, "0") == "" && !given(a.res.Amount) && !given(a.res.Total) && a.res.Other.IsZero():
		return measured("nothing")
	default:
		return no("The row says something else about the payment.", "行に、決済についての別の内容があります。")
	}
}

// given reports whether an amount is neither blank nor 0.
func given(a jpayment.Amount) bool {
	yen, _ := a.Int64()
	return yen != 0
}

func refusedRT0(m *memory) judgement {
	a := m.known("kickback-refused")
	came := len(m.received("kickback-refused")) > 0
	switch {
	case a.accepted && came:
		return measured("kickback")
	case a.accepted:
		return no("It was accepted, and no kickback came.", "受け付けられましたが、決済結果通知は届きませんでした。")
	case came:
		return no("The reply was %s, and a kickback came.", "応答は %s で、決済結果通知も届きました。", a.said())
	}
	if _, why := m.together("kickback-refused"); why != none {
		return open(why)
	}
	return measured("answer")
}

func declinedRT0(m *memory) judgement {
	a := m.known("kickback-declined")
	switch {
	case a.code != "" && a.code[0] == 'G':
		return measured("answer")
	case !a.accepted:
		return saysNothing(a)
	case len(m.received("kickback-declined")) == 0:
		return open(noKickback)
	case m.param("kickback-declined", "rst")[0] == "1":
		return openf("It was not declined.", "カード会社に拒否されませんでした。")
	}
	j := measured("kickback")
	j.evidence = []string{kickbackOf + "kickback-declined"}
	return j
}

func declineKickback(m *memory) judgement {
	p := m.plan.payment["kickback-declined"]
	first := func(key string) string {
		return strings.Join(m.param("kickback-declined", key)[:min(1, len(m.param("kickback-declined", key)))], "")
	}
	gid, cod := first("gid"), first("cod")
	switch {
	case first("rst") == "1":
		return openf("It was not declined.", "カード会社に拒否されませんでした。")
	case p.OrderNumber == "":
		return openf("The list has no order number for the payment.", "決済の一覧に店舗オーダー番号がありません。")
	case gid == p.ID && cod == p.OrderNumber:
		return measured("payment")
	case strings.Trim(gid, "0") == "" && cod == "":
		return measured("nothing")
	default:
		return no("Its gid or cod differs.", "gid または cod が異なります。")
	}
}

func kickbackJudged(m *memory) judgement {
	for _, step := range []string{"kickback-failed", "kickback-emptied"} {
		if _, why := m.together(step); why != none {
			return open(why)
		}
	}
	gaps := m.repetitions("kickback-emptied")
	if len(m.repetitions("kickback-failed")) > 0 {
		return measured("status")
	}
	if len(gaps) == 0 || m.watched.until(m, "kickback-failed") < gaps[0] {
		return openf("The wait ended before a kickback could have come again.", "決済結果通知が再送される前に、待つ時間が終わりました。")
	}
	return measured("body")
}

func orderComma(m *memory) judgement {
	a, want := m.known("sales-comma"), m.plan.payment["comma"].OrderNumber
	body := string(a.Body)
	switch {
	case !a.done:
		return saysNothing(a)
	case strings.Contains(body, ","+want+","):
		return measured("plain")
	case strings.Contains(strings.ToUpper(body), ","+strings.ToUpper(strings.ReplaceAll(want, ",", "%2C"))+","):
		return measured("escaped")
	case strings.Contains(body, ","+strings.ReplaceAll(want, ",", "")+","):
		return measured("dropped")
	default:
		return no("The order number in the list is not in the row.", "一覧の店舗オーダー番号が応答の行にありません。")
	}
}

func shortRefusal(m *memory) judgement {
	a := m.known("short")
	switch {
	case a.code == "" || a.row:
		return saysNothing(a)
	case strings.HasPrefix(a.text, "ER:"):
		return measured("prefixed")
	default:
		return measured("bare")
	}
}

func http11(m *memory) judgement {
	j := openf("No reply came.", "応答がありませんでした。")
	m.each(func(name string, x *exchange) {
		if x.Failed == nil && (j.verdict == assumed.NotTried || x.Proto != "HTTP/1.1") {
			if j = yes(name); x.Proto != "HTTP/1.1" {
				j = no("A reply came over %s.", "%s で応答がありました。", x.Proto)
				j.evidence = []string{name}
			}
		}
	})
	return j
}

func tls12(m *memory) judgement {
	j := openf("The connection to the gateway is plain HTTP.", "ゲートウェイへの接続が暗号化されていません（HTTP）。")
	m.each(func(name string, x *exchange) {
		if x.TLS != "" {
			j = yes(name)
			j.reason = textf("%s.", "%s。", x.TLS)
		}
	})
	return j
}

package simulator_test

import (
	"fmt"
	"html"
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/jpayment-go/jpayment/cmd/jpayment/internal/simulator"
	"github.com/jpayment-go/jpayment/internal/sim"
)

// submitForm posts a form of the panel as a browser without scripts does, and returns the page
// that follows.
func (r *running) submitForm(t *testing.T, path string, form url.Values) (status int, page string) {
	t.Helper()
	status, page, header := call(t, "POST", r.URL+path, form.Encode(),
		"Content-Type", "application/x-www-form-urlencoded", "Origin", r.URL, "Accept-Language", "en")
	if status != http.StatusSeeOther {
		return status, page
	}
	next, _, _ := strings.Cut(header.Get("Location"), "#")
	status, page, _ = call(t, "GET", r.URL+next, "", "Accept-Language", "en")
	return status, page
}

func (r *running) show(t *testing.T, path, language string) string {
	t.Helper()
	status, page, header := call(t, "GET", r.URL+path, "", "Accept-Language", language)
	require.Equal(t, http.StatusOK, status, page)
	require.Equal(t, "text/html; charset=utf-8", header.Get("Content-Type"))
	return page
}

func TestPanelForms(t *testing.T) {
	t.Parallel()
	r := start(t, simulator.Config{})
	status, page := r.submitForm(t, "/panel/payments",
		url.Values{"amount": {"12,800"}, "tax": {"1280"}, "order_number": {"A-17"}, "registered_product": {"1"}})
	require.Equal(t, http.StatusOK, status)
	require.Contains(t, page, "¥14,080")
	payment := r.control(t, "GET", "/payments/10000001", "", http.StatusOK)
	require.Equal(t, true, payment["registered_product"])
	require.EqualValues(t, 12800, payment["amount"])

	id := r.authorize(t)
	_, page = r.submitForm(t, "/panel/payments/"+id+"/capture", url.Values{"from": {"/panel/"}})
	require.Contains(t, page, "<table", "the overview")
	require.Equal(t, "captured", r.control(t, "GET", "/payments/"+id, "", http.StatusOK)["state"])
	_, page = r.submitForm(t, "/panel/payments/"+id+"/reauthorize", url.Values{"amount": {"700"}, "tax": {"70"}, "shipping": {""}})
	require.Contains(t, page, "Payment 10000003")
	require.Contains(t, page, "¥770")
	_, page = r.submitForm(t, "/panel/payments/10000003/cancel", nil)
	require.Contains(t, page, `class="badge cancelled"`)
	require.NotContains(t, page, "/capture", "nothing is left to be done")

	r.submitForm(t, "/panel/settings/test-mode", url.Values{"on": {"1"}})
	r.submitForm(t, "/panel/settings/maintenance", url.Values{"on": {"1"}})
	r.submitForm(t, "/panel/settings/ips", url.Values{"ips": {"127.0.0.1\r\n 203.0.113.0/24, ::1 "}})
	_, page = r.submitForm(t, "/panel/settings/kickback-url", url.Values{"kickback_url": {" http://127.0.0.1:1/kb "}})
	require.Equal(t, settings(map[string]any{
		"test_mode": true, "maintenance": true, "kickback_url": "http://127.0.0.1:1/kb",
		"registered_ips": []any{"127.0.0.1/32", "203.0.113.0/24", "::1/128"},
	}), r.control(t, "GET", "/settings", "", http.StatusOK))
	require.Contains(t, page, `value="http://127.0.0.1:1/kb"`)
	r.submitForm(t, "/panel/settings/test-mode", url.Values{"on": {"0"}})
	r.submitForm(t, "/panel/settings/maintenance", url.Values{"on": {"0"}})

	_, page = r.submitForm(t, "/panel/faults", url.Values{"kind": {"delay-reply"}, "operation": {"Sales"}, "when": {"nth"}, "nth": {"3"}, "delay_ms": {"1"}})
	require.Contains(t, page, "Reply late (booked)")
	require.Len(t, r.control(t, "GET", "/faults", "", http.StatusOK)["faults"], 1)
	_, page = r.submitForm(t, "/panel/faults/clear", nil)
	require.Contains(t, page, "all requests are answered normally")

	again := r.authorize(t)
	call(t, "POST", r.URL+"/gateway/re_auth.aspx", "aid=123456&rt=0&am=1&tx=0&sf=0&tid="+again, "Content-Type", "application/x-www-form-urlencoded")
	r.control(t, "POST", "/kickbacks/deliver", "", http.StatusOK)
	pageURL, queries := receiver(t, "thanks")
	r.submitForm(t, "/panel/settings/kickback-url", url.Values{"kickback_url": {pageURL}})
	_, page = r.submitForm(t, "/panel/kickbacks/1/retry", nil)
	require.Contains(t, page, "thanks")
	require.Contains(t, page, "by hand")
	require.Contains(t, next(t, queries), "gid=1000000")
}

// refusals are invalid forms, for a store with one payment, and the English messages.
var refusals = map[string]struct {
	path string
	form url.Values
	want []string
}{
	"not a number":     {"/panel/payments", url.Values{"amount": {"１０００"}, "order_number": {"kept"}}, []string{"Amount is not a whole number", `value="kept"`, `id="new-payment" open`}},
	"nothing":          {"/panel/payments", url.Values{"amount": {"0"}}, []string{"Amount and tax and shipping add up to 0"}},
	"decline":          {"/panel/payments", url.Values{"amount": {"1"}, "decline": {"no"}}, []string{"Issuer declines with is not a G code"}},
	"twice":            {"/panel/payments/10000001/reauthorize", url.Values{"amount": {"-1"}}, []string{"Amount is negative", "Payment 10000001"}},
	"a word":           {"/panel/payments/10000001/reauthorize", url.Values{"shipping": {"free"}}, []string{"Shipping is not a whole number"}},
	"address":          {"/panel/settings/ips", url.Values{"ips": {"127.0.0.1 everyone"}}, []string{"&#34;everyone&#34; is not an address", "127.0.0.1 everyone</textarea>"}},
	"URL":              {"/panel/settings/kickback-url", url.Values{"kickback_url": {"http://store.example/kb"}}, []string{"on this machine", `value="http://store.example/kb"`}},
	"fault":            {"/panel/faults", url.Values{"kind": {"answer-code"}, "operation": {"Sales"}}, []string{"is not a code such as ER010", `id="new-fault" open`, `selected>Sales</option>`}},
	"no such kind":     {"/panel/faults", url.Values{}, []string{"Kind of fault"}},
	"probability":      {"/panel/faults", url.Values{"kind": {"garbage"}, "when": {"probability"}, "probability": {"often"}}, []string{"Probability (0–1) is not between"}},
	"nth":              {"/panel/faults", url.Values{"kind": {"garbage"}, "when": {"nth"}, "nth": {"first"}}, []string{"At request number is not a whole number"}},
	"delay":            {"/panel/faults", url.Values{"kind": {"delay-reply"}, "delay_ms": {"1s"}}, []string{"Delay in ms is not a whole number"}},
	"no kickback":      {"/panel/kickbacks/9/retry", nil, []string{"the request has no kickback"}},
	"no number":        {"/panel/kickbacks/x/retry", nil, []string{"has no kickback"}},
	"setting":          {"/panel/settings/behaviour", url.Values{"kickback_delay": {"1h"}, "was.kickback_delay": {"0s"}}, []string{"Time from a request until its kickback is due &#34;1h&#34; is not a duration from 0s to 30s", `value="1h"`}},
	"an unknown thing": {"/panel/payments/10000001/double", nil, []string{"There is no such action"}},
}

// If an action fails, the page with the form shows the reason and keeps the input.
func TestPanelRefuses(t *testing.T) {
	t.Parallel()
	r := start(t, simulator.Config{})
	r.authorize(t)
	for name, test := range refusals {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			status, page := r.submitForm(t, test.path, test.form)
			require.Equal(t, http.StatusUnprocessableEntity, status)
			require.Contains(t, page, `role="alert"`)
			for _, want := range test.want {
				require.Contains(t, page, want)
			}
		})
	}
	r.control(t, "POST", "/payments/"+r.authorize(t)+"/cancel", "", http.StatusOK)
	_, page := r.submitForm(t, "/panel/payments/10000002/capture", nil)
	require.Contains(t, page, "ER032")
	for _, path := range []string{"/panel/payments/7", "/panel/requests/7", "/panel/nowhere"} {
		status, _, _ := call(t, "GET", r.URL+path, "")
		require.Equal(t, http.StatusNotFound, status)
	}
	status, _ := r.submitForm(t, "/panel/payments/7/capture", nil)
	require.Equal(t, http.StatusNotFound, status)
	status, _ = r.submitForm(t, "/panel/payments", url.Values{"amount": {strings.Repeat("1", 2<<20)}})
	require.Equal(t, http.StatusBadRequest, status)
}

func TestPanelLanguage(t *testing.T) {
	t.Parallel()
	r := start(t, simulator.Config{})
	require.Contains(t, r.show(t, "/panel/", "ja-JP,ja;q=0.9"), `<html lang="ja">`)
	require.Contains(t, r.show(t, "/panel/", "fr"), `<html lang="en">`)

	status, _, header := call(t, "POST", r.URL+"/panel/language", "language=ja&next=/panel/payments/1",
		"Content-Type", "application/x-www-form-urlencoded")
	require.Equal(t, http.StatusSeeOther, status)
	require.Equal(t, "/panel/payments/1", header.Get("Location"))
	_, page, _ := call(t, "GET", r.URL+"/panel/", "", "Accept-Language", "en", "Cookie", header.Get("Set-Cookie"))
	require.Contains(t, page, `<html lang="ja">`)

	// The initial language can be set at startup.
	ja := start(t, simulator.Config{Language: "ja"})
	require.Contains(t, ja.show(t, "/panel/", "en"), `<html lang="ja">`)
	_, page, _ = call(t, "GET", ja.URL+"/panel/", "", "Accept-Language", "fr", "Cookie", "language=en")
	require.Contains(t, page, `<html lang="en">`)

	for _, next := range []string{"https://evil.example/", "//evil.example/", "/elsewhere"} {
		_, _, header = call(t, "POST", r.URL+"/panel/language", url.Values{"language": {"en"}, "next": {next}}.Encode(),
			"Content-Type", "application/x-www-form-urlencoded")
		require.Equal(t, "/panel/", header.Get("Location"))
	}
	status, _, _ = call(t, "POST", r.URL+"/panel/language", "language=xx", "Content-Type", "application/x-www-form-urlencoded")
	require.Equal(t, http.StatusBadRequest, status)
}

// Everything that a page can show, in both languages.
func TestPanelShowsEverything(t *testing.T) {
	t.Parallel()
	r := scene(t)
	r.control(t, "PATCH", "/settings", `{"test_mode":true,"maintenance":true}`, http.StatusOK)
	r.authorize(t)
	call(t, "GET", r.URL+"/gateway/gateway.aspx?aid=%FF&tid=%E2%80%AE", "", "X-Odd", "\x81\x40")
	for language, wants := range map[string][]string{
		"en": {"TestMod", "Maintenance", "captured", "delivered", "G1242G120000", "ER999"},
		"ja": {"仮売上", "実売上", "取消", "テストモード", "送信成功", "応答せずに切断（処理済み）"},
	} {
		page := r.show(t, "/panel/", language)
		for _, want := range wants {
			require.Contains(t, page, want)
		}
	}
	page := r.show(t, "/panel/requests/5", "en")
	require.Contains(t, page, `&#34;\u202e&#34;`)
	require.Contains(t, page, `&#34;\x81@&#34;`)
	require.Contains(t, page, "aid=%FF&amp;tid=%E2%80%AE")
	require.Contains(t, r.show(t, "/panel/payments/10000005", "ja"), "G1242G120000")
	require.Contains(t, r.show(t, "/panel/payments/10000006", "ja"), "再オーソリ元")
}

// A pager shows the current range and its targets, and keeps the pages of the other lists.
func TestPanelPages(t *testing.T) {
	t.Parallel()
	r := start(t, simulator.Config{})
	for range 45 {
		r.authorize(t)
		call(t, "GET", r.URL+"/gateway/gateway.aspx", "")
	}
	const none = "-"
	for path, want := range map[string]struct{ first, last, older, newer, shown string }{
		"/panel/":             {"10000045", "10000026", "/panel/?payments=20#payments", none, "1–20 of 45"},
		"/panel/?payments=20": {"10000025", "10000006", "/panel/?payments=40#payments", "/panel/#payments", "21–40 of 45"},
		"/panel/?payments=40": {"10000005", "10000001", none, "/panel/?payments=20#payments", "41–45 of 45"},
		"/panel/?payments=5":  {"10000040", "10000021", "/panel/?payments=25#payments", "/panel/#payments", "6–25 of 45"},
		"/panel/?payments=99": {"10000045", "10000026", "/panel/?payments=20#payments", none, "1–20 of 45"},
		"/panel/?payments=x":  {"10000045", "10000026", "/panel/?payments=20#payments", none, "1–20 of 45"},
		"/panel/?payments=20&requests=20": {
			"10000025", "10000006", "/panel/?payments=40&amp;requests=20#payments", "/panel/?requests=20#payments", "21–40 of 45",
		},
	} {
		page := r.show(t, path, "en")
		ids := regexp.MustCompile(`id="payment-(1\d+)"`).FindAllStringSubmatch(page, -1)
		require.Equal(t, want.first+" "+want.last, ids[0][1]+" "+ids[len(ids)-1][1], path)
		link := func(id string) string {
			found := regexp.MustCompile(`id="` + id + `" href="([^"]*)"`).FindStringSubmatch(page)
			if found == nil {
				return none
			}
			return found[1]
		}
		require.Equal(t, want.older+" "+want.newer, link("older-payments")+" "+link("newer-payments"), path)
		require.Contains(t, page, want.shown, path)
	}
	page := r.show(t, "/panel/?requests=40", "ja")
	require.Contains(t, page, `id="request-5"`)
	require.NotContains(t, page, `id="request-6"`)
	require.Contains(t, page, `data-source="/panel/?requests=40"`)
	require.Contains(t, page, `href="/panel/?requests=20#requests">← 新しいリクエスト</a>`)
	require.Contains(t, page, "41–45件目（全45件）")
	require.Contains(t, page, `href="/panel/?payments=20&amp;requests=40#payments">古い決済 →</a>`)
}

// Waiting kickbacks are paged too.
func TestPanelPagesKickbacks(t *testing.T) {
	t.Parallel()
	r := start(t, simulator.Config{})
	for range 23 {
		call(t, "POST", r.URL+"/gateway/re_auth.aspx", "aid=123456&rt=0&am=1&tx=0&sf=0&tid="+r.authorize(t),
			"Content-Type", "application/x-www-form-urlencoded")
	}
	page := r.show(t, "/panel/", "ja")
	require.Equal(t, 20, strings.Count(page, `id="waiting-`))
	require.Contains(t, page, `href="/panel/?kickbacks=20#kickbacks">`)
	require.Contains(t, page, "1–20件目（全23件）")
	require.Equal(t, 3, strings.Count(r.show(t, "/panel/?kickbacks=20", "ja"), `id="waiting-`))
}

func TestPanelSearch(t *testing.T) {
	t.Parallel()
	r := start(t, simulator.Config{})
	for i := range 30 {
		r.control(t, "POST", "/payments", fmt.Sprintf(`{"amount":1,"order_number":"Order-%d"}`, 100+i), http.StatusCreated)
	}
	r.control(t, "POST", "/payments", `{"amount":1,"order_number":"注文-7"}`, http.StatusCreated)
	found := func(path string) []string {
		var ids []string
		for _, m := range regexp.MustCompile(`id="payment-(1\d+)"`).FindAllStringSubmatch(r.show(t, path, "en"), -1) {
			ids = append(ids, m[1])
		}
		return ids
	}
	search := func(q string) []string { return found("/panel/?" + url.Values{"q": {q}}.Encode()) }
	require.Equal(t, []string{"10000003"}, search("10000003"))
	require.Equal(t, []string{"10000003"}, search(" １００００００３　"), "as an input method types it")
	require.Equal(t, []string{"10000031"}, search("注文"))
	require.Equal(t, []string{"10000005"}, search("order-104"), "in small letters")
	require.Len(t, search("Order"), 20)
	require.Len(t, search(" "), 20, "everything")
	require.Empty(t, search("nothing like it"))
	require.Contains(t, r.show(t, "/panel/?q=none", "ja"), "「none」に一致する決済はありません。")

	// The pagers, the refresh and the forms keep the search.
	page := r.show(t, "/panel/?q=Order", "ja")
	require.Contains(t, page, `href="/panel/?payments=20&amp;q=Order#payments">古い決済 →</a>`)
	require.Contains(t, page, "1–20件目（全30件）")
	require.Contains(t, page, `data-source="/panel/?q=Order"`)
	require.Contains(t, page, `name="q" value="Order"`)
	require.Len(t, found("/panel/?payments=20&q=Order"), 10)
	from := url.Values{"from": {"/panel/?payments=20&q=Order"}}
	for path, back := range map[string]string{
		"/panel/payments/10000001/capture": "#payments",
		"/panel/faults/clear":              "#faults",
		"/panel/settings/maintenance":      "#settings",
	} {
		_, _, header := call(t, "POST", r.URL+path, from.Encode(), "Content-Type", "application/x-www-form-urlencoded")
		require.Equal(t, "/panel/?payments=20&q=Order"+back, header.Get("Location"), path)
	}
	_, page = r.submitForm(t, "/panel/settings/ips", url.Values{"from": from["from"], "ips": {"x"}})
	require.Contains(t, page, `data-source="/panel/?payments=20&amp;q=Order"`, "also where the form failed")

	// It is still there after a visit to a payment and any action there.
	require.Contains(t, r.show(t, "/panel/?q=Order", "en"), `href="/panel/payments/10000030?q=Order"`)
	require.Contains(t, r.show(t, "/panel/payments/10000030?q=Order", "en"), `<a href="/panel/?q=Order#payments">← Overview</a>`)
	call(t, "POST", r.URL+"/gateway/gateway.aspx", "aid=123456&jb=SALES&rt=1&tid=10000030", "Content-Type", "application/x-www-form-urlencoded")
	require.Contains(t, r.show(t, "/panel/?q=Order", "en"), `href="/panel/requests/1?q=Order"`)
	require.Contains(t, r.show(t, "/panel/requests/1?q=Order", "en"), `<a href="/panel/?q=Order#requests">← Overview</a>`)
	for _, done := range [][2]string{{"10000029/cancel", "10000029?q=Order"}, {"10000030/reauthorize", "10000032?q=Order"}} {
		_, _, header := call(t, "POST", r.URL+"/panel/payments/"+done[0], "amount=1&from="+url.QueryEscape("/panel/payments/1?q=Order"),
			"Content-Type", "application/x-www-form-urlencoded")
		require.Equal(t, "/panel/payments/"+done[1], header.Get("Location"))
	}
	for _, from := range []string{"https://evil.example/panel/?q=Order", "//evil.example/?q=Order", "/panel/payments/1", "%"} {
		_, _, header := call(t, "POST", r.URL+"/panel/faults/clear", url.Values{"from": {from}}.Encode(), "Content-Type", "application/x-www-form-urlencoded")
		require.True(t, strings.HasPrefix(header.Get("Location"), "/panel/"), header.Get("Location"))
	}
}

// The panel shows how often a fault struck and whether it can strike again. It can be removed
// individually.
func TestPanelFaults(t *testing.T) {
	t.Parallel()
	r := start(t, simulator.Config{})
	for _, f := range []string{
		`{"kind":"answer-code","code":"ER010","nth":1}`, `{"kind":"answer-code","code":"ER999"}`, `{"kind":"garbage","operation":"Cancel"}`,
	} {
		r.control(t, "POST", "/faults", f, http.StatusCreated)
	}
	for range 1234 {
		call(t, "POST", r.URL+"/gateway/gateway.aspx", "aid=123456&jb=SALES&rt=1&tid=1", "Content-Type", "application/x-www-form-urlencoded")
	}
	row := func(page string, number int) string {
		_, row, found := strings.Cut(page, fmt.Sprintf(`<li id="fault-%d"`, number))
		require.True(t, found, number)
		row, _, _ = strings.Cut(row, "</li>")
		return row
	}
	page := r.show(t, "/panel/", "ja")
	require.Contains(t, row(page, 1), `class="spent"`)
	require.Contains(t, row(page, 1), "発生 1回 · 使用済み")
	require.NotContains(t, row(page, 2), "使用済み")
	require.Contains(t, row(page, 2), "発生 1,233回")
	require.Contains(t, row(page, 3), "未発生")
	_, page = r.submitForm(t, "/panel/faults/2/remove", nil)
	require.Contains(t, row(page, 1), "times struck: 1 · used up")
	require.NotContains(t, page, `id="fault-2"`)
	require.Contains(t, row(page, 3), "has not struck yet")
	for _, gone := range []string{"2", "0", "x"} {
		status, _ := r.submitForm(t, "/panel/faults/"+gone+"/remove", nil)
		require.Equal(t, http.StatusOK, status, "it is gone, as was asked for")
	}
	require.Len(t, r.control(t, "GET", "/faults", "", http.StatusOK)["faults"], 2)
}

// Browsers also send fields that the form hides for the chosen kind. They are ignored.
func TestPanelIgnoresFieldsThatAreNotShown(t *testing.T) {
	t.Parallel()
	r := start(t, simulator.Config{})
	left := url.Values{
		"nth": {"2"}, "probability": {"0.5"}, "code": {"ER010"}, "status": {"500"}, "location": {"/"}, "body": {"x"}, "delay_ms": {"9"},
	}
	for _, kind := range sim.Kinds() {
		form := maps.Clone(left)
		form.Set("kind", string(kind.Kind))
		status, page := r.submitForm(t, "/panel/faults", form)
		if kind.Kind == sim.Redirect {
			require.Equal(t, http.StatusUnprocessableEntity, status, "500 is a status, and not of a redirect")
			continue
		}
		require.Equal(t, http.StatusOK, status, "%s: %s", kind.Kind, page)
	}
}

// aloud returns the text of a page and the labels of its elements, without code.
func aloud(page string) string {
	page = regexp.MustCompile(`(?s)<(code|pre|textarea)\b.*?</(code|pre|textarea)>`).ReplaceAllString(page, " ")
	said := []string{regexp.MustCompile(`(?s)<[^>]*>`).ReplaceAllString(page, " ")}
	for _, label := range regexp.MustCompile(`(?:aria-label|title|placeholder)="([^"]*)"`).FindAllStringSubmatch(page, -1) {
		said = append(said, label[1])
	}
	return html.UnescapeString(strings.Join(said, "\n"))
}

// In Japanese, the panel has no English words except names and codes.
func TestPanelIsJapanese(t *testing.T) {
	t.Parallel()
	r := scene(t)
	r.control(t, "POST", "/faults", `{"kind":"delay-reply","delay_ms":1,"probability":0.5,"operation":"ReAuthByKickback"}`, http.StatusCreated)
	r.control(t, "POST", "/faults", `{"kind":"answer-status","status":500,"payment_id":"9"}`, http.StatusCreated)
	r.submitForm(t, "/panel/settings/kickback-url", url.Values{"kickback_url": {"http://127.0.0.1:1/kickback"}})
	r.control(t, "POST", "/kickbacks/3/retry", "", http.StatusOK)
	r.control(t, "POST", "/kickbacks/forge", `{"query":"a=b"}`, http.StatusOK)
	call(t, "POST", r.URL+"/gateway/re_auth.aspx", "aid=123456&rt=0&tid=10000004&am=1&tx=0&sf=0", "Content-Type", "application/x-www-form-urlencoded")
	call(t, "POST", r.URL+"/gateway/gateway.aspx", "aid=123456&jb=CANCEL&rt=0&tid=9", "Content-Type", "application/x-www-form-urlencoded")
	call(t, "GET", r.URL+"/elsewhere", "")
	r.control(t, "PATCH", "/settings", `{"test_mode":true,"maintenance":true,"kickback_url":""}`, http.StatusOK)
	r.authorize(t)

	pages := map[string]string{}
	for _, path := range []string{"/panel/", "/panel/?q=nothing+like+it", "/panel/behaviour"} {
		pages[path] = r.show(t, path, "ja")
	}
	_, pages["not found"], _ = call(t, "GET", r.URL+"/panel/requests/99", "", "Accept-Language", "ja")
	for n := range 7 {
		pages[fmt.Sprint("payment ", n+1)] = r.show(t, fmt.Sprint("/panel/payments/1000000", n+1), "ja")
		pages[fmt.Sprint("request ", n+1)] = r.show(t, fmt.Sprint("/panel/requests/", n+1), "ja")
	}
	for name, refused := range refusals {
		_, pages[name], _ = call(t, "POST", r.URL+refused.path, refused.form.Encode(),
			"Content-Type", "application/x-www-form-urlencoded", "Accept-Language", "ja")
		require.Contains(t, pages[name], `role="alert"`, name)
	}
	_, pages["a form that is none"], _ = call(t, "POST", r.URL+"/panel/payments", "%", "Content-Type", "application/x-www-form-urlencoded", "Accept-Language", "ja")

	require.Contains(t, pages["/panel/"], "接続できません")
	names := regexp.MustCompile(`(?i)https?:[!-~]+|\b(ROBOT PAYMENT|English|HTTP|URL|ID|IP|API|JST|RST|ON|OFF|TestMod|[EG][R0-9][0-9G]{3,}|rt|GET|POST|[a-z]+(-[a-z]+)+|redirect|garbage)\b|"[^"]*"|「[^」]*」|127\.0\.0\.1|localhost|https?|` +
		`\b(gid|cod|acid|OK|CRLF|CR|UTF-8|Shift_JIS|Windows-31J|POST|multipart|application/x-www-form-urlencoded|done|none|ER|Bad Request|Forbidden|Internal Server Error|\d+([mn]?s|h))\b`)
	for name, page := range pages {
		for _, line := range strings.Split(aloud(page), "\n") {
			require.NotRegexp(t, `[A-Za-z]{2}`, names.ReplaceAllString(line, ""), name)
		}
		require.NotContains(t, aloud(page), "キックバック", name)
		require.NotRegexp(t, `(^|[^果])通知`, aloud(page), "%s: 決済結果通知 is its one name", name)
	}
}

// Every time names its time zone.
func TestPanelTimes(t *testing.T) {
	t.Parallel()
	r := scene(t)
	for path, least := range map[string]int{"/panel/": 11, "/panel/payments/10000003": 2, "/panel/requests/3": 1} {
		times := regexp.MustCompile(`(?s)<time datetime="[^"]*&#43;09:00">(.*?)</time>`).FindAllStringSubmatch(r.show(t, path, "ja"), -1)
		require.GreaterOrEqual(t, len(times), least, path)
		for _, at := range times {
			require.Regexp(t, `^<span>\d{4}-\d\d-\d\d</span> <span>\d\d:\d\d:\d\d JST</span>$`, at[1], path)
		}
	}
}

// A request is described in words; its bytes are shown as code.
func TestPanelNamesOperations(t *testing.T) {
	t.Parallel()
	r := scene(t)
	for language, wants := range map[string][]string{
		"ja": {"<b>実売上</b> 10000001", "<b>取消</b> 10000002", "<b>再オーソリ（rt=0）</b> 10000003"},
		"en": {"<b>Sales</b> 10000001", "<b>Cancel</b> 10000002", "<b>ReAuth (rt=0)</b> 10000003"},
	} {
		pages := r.show(t, "/panel/", language)
		for _, want := range wants {
			require.Contains(t, pages, want)
		}
		for n := range 5 {
			pages += r.show(t, fmt.Sprint("/panel/payments/1000000", n+1), language)
		}
		for n := range 4 {
			pages += r.show(t, fmt.Sprint("/panel/requests/", n+1), language)
		}
		foreign := map[string]string{"ja": `(?i)\b(sales|cancel|reauth\w*|auth\w*)\b`, "en": `\b(SALES|CANCEL|REAUTH|AUTH|Authorize|ReAuthByKickback)\b`}
		require.NotRegexp(t, foreign[language], aloud(pages))
	}
}

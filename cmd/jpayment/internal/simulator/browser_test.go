package simulator_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
	"github.com/stretchr/testify/require"

	"github.com/jpayment-go/jpayment"
	"github.com/jpayment-go/jpayment/cmd/jpayment/internal/browsertest"
	"github.com/jpayment-go/jpayment/cmd/jpayment/internal/simulator"
	"github.com/jpayment-go/jpayment/internal/sim"
)

// scene fills a simulator with the data of a store in the middle of a day.
func scene(t *testing.T) *running {
	t.Helper()
	r := start(t, simulator.Config{})
	kickbackURL, queries := receiver(t, "OK")
	r.control(t, "PATCH", "/settings", `{"kickback_url":"`+kickbackURL+`"}`, http.StatusOK)
	payments := []string{
		`{"amount":12800,"tax":1280,"shipping":600,"order_number":"注文-1041"}`,
		`{"amount":4500,"tax":450,"shipping":0,"order_number":"注文-1042"}`,
		`{"amount":980,"tax":98,"shipping":500,"order_number":"注文-1043"}`,
		`{"amount":25000,"tax":2500,"shipping":800,"order_number":"注文-1044"}`,
		`{"amount":3200,"tax":320,"shipping":500,"order_number":"注文-1045","decline":"G1242G120000"}`,
	}
	for _, p := range payments {
		r.control(t, "POST", "/payments", p, http.StatusCreated)
	}
	post := func(page, form string) {
		call(t, "POST", r.URL+"/gateway/"+page, "aid=123456&"+form, "Content-Type", "application/x-www-form-urlencoded")
	}
	r.control(t, "POST", "/faults", `{"kind":"delay-reply","operation":"Cancel","nth":1,"delay_ms":1}`, http.StatusCreated)
	post("gateway.aspx", "jb=SALES&rt=1&tid=10000001")
	post("gateway.aspx", "jb=CANCEL&rt=1&tid=10000002")
	post("re_auth.aspx", "rt=0&tid=10000003&am=1960&tx=196&sf=500&%E6%8B%85%E5%BD%93=%E7%94%B0%E4%B8%AD")
	next(t, queries)
	post("gateway.aspx", "jb=SALES&rt=1&tid=10000005")
	r.control(t, "POST", "/faults", `{"kind":"drop-after-booking","operation":"Sales","nth":1}`, http.StatusCreated)
	r.control(t, "POST", "/kickbacks/deliver", `{}`, http.StatusOK)
	return r
}

func TestScreenshots(t *testing.T) {
	ctx := browsertest.Start(t)
	r := scene(t)
	browsertest.Do(t, ctx, chromedp.Navigate(r.URL+"/panel/"))
	browsertest.Submit(t, ctx, `button[value=ja]`)
	browsertest.Sees(t, ctx, `document.documentElement.lang === "ja" && document.querySelector(".pulse.on") !== null`)
	for _, scheme := range []string{"light", "dark"} {
		_, err := chromedp.Call(ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
			Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}},
		})
		require.NoError(t, err)
		for width, size := range map[int64]string{wide: "desktop", narrow: "phone"} {
			browsertest.Do(t, ctx, chromedp.EmulateViewport(width, 900))
			for page, path := range map[string]string{
				"overview": "/panel/", "payment": "/panel/payments/10000003", "request": "/panel/requests/3",
				"behaviour": "/panel/behaviour",
			} {
				browsertest.Do(t, ctx, chromedp.Navigate(r.URL+path))
				browsertest.Sees(t, ctx, `document.querySelector(".pulse.on") !== null`)
				require.LessOrEqual(t, browsertest.Value(t, ctx, chromedp.Evaluate[int64](`document.documentElement.scrollWidth`)), width,
					"nothing is wider than the screen")
				if page == "overview" && size == "desktop" && scheme == "light" {
					browsertest.Do(t, ctx, chromedp.EmulateViewport(width, 1120))
					browsertest.Artifact(t, "panel.png", browsertest.Value(t, ctx, chromedp.CaptureScreenshot())) // for docs/panel.png
				}
				browsertest.Artifact(t, "panel-"+page+"-"+size+"-"+scheme+".png", browsertest.Value(t, ctx, chromedp.FullScreenshot(100)))
			}
		}
	}
}

func TestPanelInABrowser(t *testing.T) {
	ctx := browsertest.Start(t)
	r := start(t, simulator.Config{})
	browsertest.Do(t, ctx, chromedp.Navigate(r.URL+"/"))
	require.Equal(t, r.URL+"/panel/", browsertest.Value(t, ctx, chromedp.Location()))

	// With the keyboard: the first stop is the link that skips the header.
	browsertest.Do(t, ctx, chromedp.KeyEvent(kb.Tab))
	browsertest.Sees(t, ctx, `document.activeElement.className === "skip"`)
	require.NotEqual(t, "none", browsertest.Value(t, ctx, chromedp.Evaluate[string](`getComputedStyle(document.activeElement).outlineStyle`)))
	browsertest.Do(t, ctx, chromedp.Focus(chromedp.CSS(`#new-payment summary`)), chromedp.KeyEvent(kb.Enter))
	browsertest.Do(t, ctx, chromedp.SendKeys(chromedp.CSS(`input[name=order_number]`), "注文-1"))
	_, err := chromedp.RunResponse(ctx, chromedp.KeyEvent(kb.Enter))
	require.NoError(t, err)
	browsertest.Sees(t, ctx, `document.querySelector("#payment-10000001 .badge.authorized") !== null`)
	require.Contains(t, browsertest.Value(t, ctx, chromedp.Text(chromedp.CSS(`#payment-10000001`))), "¥1,580")

	// With the mouse.
	require.EqualValues(t, http.StatusOK, browsertest.Submit(t, ctx, `#capture-10000001`))
	browsertest.Sees(t, ctx, `document.querySelector("#payment-10000001 .badge.captured") !== null`)
	require.EqualValues(t, http.StatusOK, browsertest.Submit(t, ctx, `#reauth-10000001`))
	browsertest.Do(t, ctx, chromedp.SetValue(chromedp.CSS(`input[name=amount]`), "500"))
	require.EqualValues(t, http.StatusOK, browsertest.Submit(t, ctx, `#reauthorise`))
	require.Equal(t, r.URL+"/panel/payments/10000002", browsertest.Value(t, ctx, chromedp.Location()))
	require.EqualValues(t, http.StatusOK, browsertest.Submit(t, ctx, `#cancel-10000002`))
	browsertest.Sees(t, ctx, `document.querySelector("#payment-now .badge.cancelled") !== null`)
	require.EqualValues(t, http.StatusOK, browsertest.Submit(t, ctx, `.brand`))
	require.EqualValues(t, http.StatusOK, browsertest.Submit(t, ctx, `#test-mode`))
	require.EqualValues(t, http.StatusOK, browsertest.Submit(t, ctx, `#maintenance`))
	browsertest.Sees(t, ctx, `document.querySelectorAll("#flags .flag").length === 2`)
	require.Equal(t, true, r.control(t, "GET", "/settings", "", http.StatusOK)["maintenance"])

	browsertest.Do(t, ctx, chromedp.Focus(chromedp.CSS(`#new-fault summary`)), chromedp.KeyEvent(kb.Enter))
	require.EqualValues(t, http.StatusOK, browsertest.Submit(t, ctx, `#add-fault`))
	require.Len(t, r.control(t, "GET", "/faults", "", http.StatusOK)["faults"], 1)
	require.EqualValues(t, http.StatusOK, browsertest.Submit(t, ctx, `#clear-faults`))

	browsertest.Do(t, ctx, chromedp.SetValue(chromedp.CSS(`#ips`), "nobody"))
	require.EqualValues(t, http.StatusUnprocessableEntity, browsertest.Submit(t, ctx, `form[action="/panel/settings/ips"] button`))
	browsertest.Sees(t, ctx, `document.querySelector("[role=alert]") !== null && document.getElementById("ips").value === "nobody"`)
	r.authorize(t) // the page of a form that failed is updated too
	browsertest.Sees(t, ctx, `document.getElementById("payment-10000003") !== null`)
}

// Changes made elsewhere appear without a reload and do not disturb the person who is using the
// page.
func TestPanelIsLive(t *testing.T) {
	ctx := browsertest.Start(t)
	r := scene(t)
	browsertest.Do(t, ctx, chromedp.Navigate(r.URL+"/panel/"))
	browsertest.Sees(t, ctx, `document.querySelector(".pulse.on") !== null`)
	browsertest.Value(t, ctx, chromedp.Evaluate[bool](`window.sameDocument = true`))
	browsertest.Do(t, ctx,
		chromedp.Click(chromedp.CSS(`#new-payment summary`)),
		chromedp.SendKeys(chromedp.CSS(`input[name=order_number]`), "half-typ"),
		chromedp.Click(chromedp.CSS(`#kickback-list summary`)))
	r.authorize(t)
	browsertest.Sees(t, ctx, `document.getElementById("payment-10000007") !== null`)
	require.Equal(t, "half-typ", browsertest.Value(t, ctx, chromedp.Value(chromedp.CSS(`input[name=order_number]`))))

	browsertest.Do(t, ctx, chromedp.Focus(chromedp.CSS(`#cancel-10000007`)))
	r.control(t, "POST", "/payments/10000007/capture", "", http.StatusOK)
	browsertest.Sees(t, ctx, `document.querySelector("#payment-10000007 .badge.captured") !== null`)
	require.Equal(t, "cancel-10000007", browsertest.Value(t, ctx, chromedp.Evaluate[string](`document.activeElement.id`)))
	r.control(t, "POST", "/payments/10000007/cancel", "", http.StatusOK)
	browsertest.Sees(t, ctx, `document.getElementById("cancel-10000007") === null`)
	require.Equal(t, "payment-list", browsertest.Value(t, ctx, chromedp.Evaluate[string](`document.activeElement.id`)))

	// Each kind of change appears.
	r.control(t, "POST", "/kickbacks/3/retry", "", http.StatusOK)
	browsertest.Sees(t, ctx, `document.querySelectorAll("#kickback-list tbody tr").length === 2`)
	browsertest.Sees(t, ctx, `document.querySelectorAll("#kickback-list details[open]").length === 1`)
	call(t, "GET", r.URL+"/gateway/gateway.aspx?aid=1", "")
	browsertest.Sees(t, ctx, `document.getElementById("request-5") !== null`)
	r.control(t, "DELETE", "/faults", "", http.StatusOK)
	browsertest.Sees(t, ctx, `document.querySelector("#fault-list li") === null`)
	r.control(t, "PATCH", "/settings", `{"test_mode":true}`, http.StatusOK)
	browsertest.Sees(t, ctx, `document.querySelector("#flags .test") !== null`)
	require.True(t, browsertest.Value(t, ctx, chromedp.Evaluate[bool](`window.sameDocument === true`)))
}

// wide and narrow are the screen widths that the panel supports.
const wide, narrow = 1280, 390

// onEveryScreen shows a page at both widths and in both languages.
func onEveryScreen(t *testing.T, ctx context.Context, url string, look func(t *testing.T)) { //nolint:revive // As above.
	t.Helper()
	for _, language := range []string{"ja", "en"} {
		browsertest.Do(t, ctx, chromedp.Navigate(url))
		browsertest.Submit(t, ctx, `button[value=`+language+`]`)
		for _, width := range []int64{wide, narrow} {
			t.Run(fmt.Sprint(language, " ", width), func(t *testing.T) {
				browsertest.Do(t, ctx, chromedp.EmulateViewport(width, 844), chromedp.Navigate(url))
				browsertest.Sees(t, ctx, `document.querySelector(".pulse.on") !== null`)
				browsertest.Value(t, ctx, chromedp.Evaluate[bool](`document.querySelectorAll("details.new").forEach(d => { d.open = true; }), true`))
				look(t)
			})
		}
	}
}

// cutOff returns the placeholders and options that are longer than their fields.
const cutOff = `(() => {
  for (const field of document.querySelectorAll("[data-field]")) field.style.display = "block";
  const pen = document.createElement("canvas").getContext("2d");
  const found = [];
  for (const field of document.querySelectorAll("input[placeholder], select")) {
    const style = getComputedStyle(field);
    pen.font = style.font;
    const arrow = field.matches("select") ? 20 : 0;
    const room = field.clientWidth - parseFloat(style.paddingLeft) - parseFloat(style.paddingRight) - arrow;
    for (const text of field.matches("select") ? [...field.options].map(o => o.text) : [field.placeholder]) {
      if (pen.measureText(text).width > room) found.push(text);
    }
  }
  return found.join("; ");
})()`

func TestNothingInAFormIsCutOff(t *testing.T) {
	ctx := browsertest.Start(t)
	r := start(t, simulator.Config{})
	onEveryScreen(t, ctx, r.URL+"/panel/", func(t *testing.T) {
		require.Positive(t, browsertest.Value(t, ctx, chromedp.Evaluate[int](`document.querySelectorAll("input[placeholder]").length`)))
		require.Empty(t, browsertest.Value(t, ctx, chromedp.Evaluate[string](cutOff)))
	})
}

// Amounts and times are readable at a glance: none is broken across lines or overflows.
func TestNumbersAreNotBroken(t *testing.T) {
	ctx := browsertest.Start(t)
	r := start(t, simulator.Config{})
	for range 3 {
		r.control(t, "POST", "/payments", `{"amount":300000000000,"order_number":"`+strings.Repeat("注文", 8)+`"}`, http.StatusCreated)
	}
	r.control(t, "POST", "/payments/10000001/capture", "", http.StatusOK)
	look := func(t *testing.T) {
		require.GreaterOrEqual(t, browsertest.Value(t, ctx, chromedp.Evaluate[int](`document.querySelectorAll(".yen").length`)), 4)
		require.Empty(t, browsertest.Value(t, ctx, chromedp.Evaluate[string](`[...document.querySelectorAll(".yen, time span")].filter(e => {
			const box = e.closest(".sum, td, dd, li").getBoundingClientRect(), own = e.getBoundingClientRect();
			return e.getClientRects().length !== 1 || own.left < box.left || own.right > box.right + 1;
		}).map(e => e.textContent).join("; ")`)))
		require.LessOrEqual(t, browsertest.Value(t, ctx, chromedp.Evaluate[int](`document.documentElement.scrollWidth - innerWidth`)), 0)
		require.Empty(t, browsertest.Value(t, ctx, chromedp.Evaluate[string](`[...document.querySelectorAll("table")].filter(e =>
			e.getBoundingClientRect().right > e.parentElement.getBoundingClientRect().right + 1).map(e => e.className).join("; ")`)))
	}
	onEveryScreen(t, ctx, r.URL+"/panel/", look)
	onEveryScreen(t, ctx, r.URL+"/panel/payments/10000001", look)
}

// The form for a fault shows the fields of the chosen kind. Text in a field that is no longer
// shown is ignored.
func TestFaultFormShowsWhatItsKindHas(t *testing.T) {
	ctx := browsertest.Start(t)
	r := start(t, simulator.Config{})
	browsertest.Do(t, ctx, chromedp.Navigate(r.URL+"/panel/"), chromedp.Click(chromedp.CSS(`#new-fault summary`)))
	choose := func(name, option string) []string {
		t.Helper()
		browsertest.Do(t, ctx, chromedp.SetValue(chromedp.CSS(`select[name=`+name+`]`), option))
		shown := browsertest.Value(t, ctx, chromedp.Evaluate[string](
			`[...document.querySelectorAll("[data-field]")].filter(e => e.offsetParent !== null).map(e => e.dataset.field).join(" ")`))
		return strings.Fields(shown)
	}
	for _, kind := range sim.Kinds() {
		require.ElementsMatch(t, kind.Fields, choose("kind", string(kind.Kind)), "%s: see panel.css and overview.html", kind.Kind)
	}
	choose("kind", string(sim.AnswerCode))
	browsertest.Do(t, ctx, chromedp.SendKeys(chromedp.CSS(`input[name=code]`), "ER010"))
	require.Equal(t, []string{"nth"}, choose("when", "nth")[1:])
	require.Equal(t, []string{"probability"}, choose("when", "probability")[1:])
	choose("kind", string(sim.CutReply))
	require.Empty(t, choose("when", ""))
	require.EqualValues(t, http.StatusOK, browsertest.Submit(t, ctx, `#add-fault`))
	faults := r.control(t, "GET", "/faults", "", http.StatusOK)["faults"].([]any)
	require.Len(t, faults, 1)
	require.Empty(t, faults[0].(map[string]any)["code"])

	// The page shows at once that it struck. Its button removes it.
	browsertest.Sees(t, ctx, `document.querySelector("#fault-1 .struck").textContent === "has not struck yet"`)
	_, err := r.client(t).Sales(t.Context(), jpayment.SalesRequest{PaymentID: r.authorize(t)})
	require.Error(t, err)
	browsertest.Sees(t, ctx, `document.querySelector("#fault-1 .struck").textContent === "times struck: 1"`)
	require.EqualValues(t, http.StatusOK, browsertest.Submit(t, ctx, `#remove-fault-1`))
	require.Empty(t, r.control(t, "GET", "/faults", "", http.StatusOK)["faults"])
}

// On a phone, the settings are one tap away, however long the lists are.
func TestSettingsAreNearOnAPhone(t *testing.T) {
	ctx := browsertest.Start(t)
	r := start(t, simulator.Config{Payments: 45})
	browsertest.Do(t, ctx, chromedp.EmulateViewport(narrow, 844), chromedp.Navigate(r.URL+"/panel/"))
	visible := func(selector string) string {
		return `(() => { const b = document.querySelector('` + selector + `').getBoundingClientRect();
			return b.height > 0 && b.top >= 0 && b.bottom <= innerHeight && b.left >= 0 && b.right <= innerWidth; })()`
	}
	require.Greater(t, browsertest.Value(t, ctx, chromedp.Evaluate[float64](`document.getElementById("settings").getBoundingClientRect().top`)), 2*844.0)
	for _, list := range []string{"settings", "faults", "payments"} {
		link := `.jump a[href="#` + list + `"]`
		browsertest.Sees(t, ctx, visible(link))
		browsertest.Do(t, ctx, chromedp.Click(chromedp.CSS(link)))
		browsertest.Sees(t, ctx, visible(`#`+list+` h2`))
	}
}

// A search survives the refresh, paging and actions on its results.
func TestSearchInABrowser(t *testing.T) {
	ctx := browsertest.Start(t)
	r := start(t, simulator.Config{Payments: 30})
	open := func(order string) {
		r.control(t, "POST", "/payments", `{"amount":1,"order_number":"`+order+`"}`, http.StatusCreated)
	}
	rows := func(n int) string {
		return fmt.Sprintf(`document.querySelectorAll("#payment-list tbody tr").length === %d`, n)
	}
	open("注文-1")
	browsertest.Do(t, ctx, chromedp.Navigate(r.URL+"/panel/"), chromedp.SendKeys(chromedp.CSS(`#search`), "注文"))
	resp, err := chromedp.RunResponse(ctx, chromedp.KeyEvent(kb.Enter))
	require.NoError(t, err)
	require.EqualValues(t, http.StatusOK, resp.Status)
	browsertest.Sees(t, ctx, rows(1))
	browsertest.Sees(t, ctx, `document.querySelector(".pulse.on") !== null`)

	browsertest.Do(t, ctx, chromedp.Focus(chromedp.CSS(`#search`)), chromedp.KeyEvent(kb.End), chromedp.KeyEvent("-1"))
	open("別件")
	open("注文-2")
	browsertest.Sees(t, ctx, rows(2))
	require.Equal(t, "注文-1", browsertest.Value(t, ctx, chromedp.Value(chromedp.CSS(`#search`))), "what is being typed stays")
	require.EqualValues(t, http.StatusOK, browsertest.Submit(t, ctx, `#capture-10000033`))
	browsertest.Sees(t, ctx, `document.querySelector("#payment-10000033 .badge.captured") !== null`)
	browsertest.Sees(t, ctx, rows(2))

	browsertest.Submit(t, ctx, `#find-all`)
	browsertest.Sees(t, ctx, rows(20))
	browsertest.Submit(t, ctx, `#older-payments`)
	browsertest.Sees(t, ctx, rows(13))
	browsertest.Submit(t, ctx, `#newer-payments`)
	browsertest.Sees(t, ctx, rows(20))
}

// canary is markup that must appear as text wherever it is entered.
const canary = `"'><img src=x onerror=window.struck=1><script>window.struck=1</script>`

func TestNothingFromTheWireIsMarkup(t *testing.T) {
	ctx := browsertest.Start(t)
	r := start(t, simulator.Config{})
	pageURL, queries := receiver(t, canary)
	set := func(path string, body map[string]any, status int) {
		t.Helper()
		encoded, err := json.Marshal(body)
		require.NoError(t, err)
		method := "POST"
		if path == "/settings" {
			method = "PATCH"
		}
		r.control(t, method, path, string(encoded), status)
	}
	browsertest.Do(t, ctx, chromedp.Navigate(r.URL+"/panel/")) // so that the script inserts all of it too
	browsertest.Sees(t, ctx, `document.querySelector(".pulse.on") !== null`)

	set("/settings", map[string]any{"kickback_url": pageURL + `?x="'><script>window.struck=1</script>`}, http.StatusOK)
	set("/payments", map[string]any{"amount": 1, "order_number": `<img src=x onerror=window.struck=1>`}, http.StatusCreated)
	set("/faults", map[string]any{"kind": "redirect", "payment_id": canary, "location": canary}, http.StatusCreated)
	set("/faults", map[string]any{"kind": "garbage", "operation": "Sales", "body": canary}, http.StatusCreated)
	escaped := url.QueryEscape(canary)
	form := []string{"Content-Type", "application/x-www-form-urlencoded"}
	call(t, "POST", r.URL+"/gateway/gateway.aspx?"+escaped, "aid=123456&jb=SALES&rt=1&tid=10000001&"+escaped+"="+escaped,
		append(form, "User-Agent", canary, "X-'!#$%&*+.^_|~", canary)...)
	call(t, "POST", r.URL+"/gateway/gateway.aspx", "aid="+escaped+"&jb="+escaped+"&rt="+escaped+"&tid="+escaped, form...)
	call(t, "GET", r.URL+"/gateway/"+url.PathEscape(canary)+"?"+escaped+"="+escaped, "")
	call(t, "X'", r.URL+"/gateway/gateway.aspx", canary, form...)
	call(t, "POST", r.URL+"/gateway/re_auth.aspx", "aid=123456&rt=0&tid=10000001&am=1&tx=0&sf=0&"+escaped+"="+escaped, form...)
	next(t, queries)
	set("/kickbacks/forge", map[string]any{"query": escaped}, http.StatusOK)
	r.control(t, "POST", "/kickbacks/deliver", "", http.StatusOK)

	clean := func(where string) {
		t.Helper()
		require.Zero(t, browsertest.Value(t, ctx, chromedp.Evaluate[int](
			`document.querySelectorAll("main img, main script, main [onerror], main iframe, main style").length`)), where)
		require.Equal(t, 1, browsertest.Value(t, ctx, chromedp.Evaluate[int](`document.scripts.length`)), where)
		require.True(t, browsertest.Value(t, ctx, chromedp.Evaluate[bool](`window.struck === undefined`)), where)
	}
	browsertest.Sees(t, ctx, `document.querySelectorAll("#kickback-list tbody tr").length === 2`)
	clean("live")
	require.Contains(t, browsertest.Value(t, ctx, chromedp.Text(chromedp.CSS("main"))), `<img src=x onerror=window.struck=1>`, "it is there, as text")
	for _, path := range []string{
		"/panel/", "/panel/?payments=" + escaped, "/panel/?q=" + escaped, "/panel/payments/10000001?q=" + escaped, "/panel/payments/10000001", "/panel/payments/" + url.PathEscape(canary),
		"/panel/requests/1", "/panel/requests/2", "/panel/requests/3", "/panel/requests/4", "/panel/requests/5",
	} {
		browsertest.Do(t, ctx, chromedp.Navigate(r.URL+path))
		clean(path)
		if path == "/panel/requests/2" {
			require.Contains(t, browsertest.Value(t, ctx, chromedp.Text(chromedp.CSS("main"))), canary, "it is there, as text")
		}
	}
	// Also in the forms that failed with it.
	for field, path := range map[string]string{
		"order_number": "/panel/payments", "kickback_url": "/panel/settings/kickback-url", "ips": "/panel/settings/ips", "kind": "/panel/faults",
		"location": "/panel/faults",
	} {
		_, page := r.submitForm(t, path, url.Values{field: {canary}})
		require.NotContains(t, page, "<img", path)
		require.NotContains(t, page, "<script>", path)
	}
}

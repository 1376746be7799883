package desk_test

import (
	"context"
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
	"github.com/stretchr/testify/require"

	"github.com/jpayment-go/jpayment"
	"github.com/jpayment-go/jpayment/cmd/jpayment/internal/browsertest"
	"github.com/jpayment-go/jpayment/cmd/jpayment/internal/desk"
	"github.com/jpayment-go/jpayment/fulfilment"
)

// wide and narrow are the screen widths that the desk supports.
const wide, narrow = 1280, 390

// A person in accounts works through the jobs in review, in Japanese, with mouse and keyboard.
func TestReviewInABrowser(t *testing.T) {
	databases(t, func(t *testing.T, q queue) {
		ctx := browsertest.Start(t)
		m := newMonth(t, q)
		s := serve(t, desk.Config{Queue: q})
		browsertest.Do(t, ctx, chromedp.Navigate(s.URL+"/"))
		require.Equal(t, s.URL+"/desk/", browsertest.Value(t, ctx, chromedp.Location()))
		browsertest.Submit(t, ctx, `button[value=ja]`)
		browsertest.Sees(t, ctx, `document.documentElement.lang === "ja" && document.querySelectorAll(".case").length === 2`)

		// The re-authorisation whose reply was lost was carried out: the new payment is 10000005.
		require.EqualValues(t, http.StatusOK, browsertest.Submit(t, ctx, `#open-3`))
		browsertest.Sees(t, ctx, `getComputedStyle(document.querySelector(".new-payment")).display === "none"`)
		browsertest.Do(t, ctx, chromedp.Click(chromedp.CSS(`#decide-done`)),
			chromedp.SendKeys(chromedp.CSS(`#new-payment`), "10000003"),
			chromedp.SendKeys(chromedp.CSS(`#by`), "佐藤"), chromedp.SendKeys(chromedp.CSS(`#note`), "21時に管理画面で確認"))
		require.EqualValues(t, http.StatusUnprocessableEntity, browsertest.Submit(t, ctx, `#to-confirm`))
		browsertest.Sees(t, ctx, `document.querySelector("[role=alert]").textContent.includes("元の決済番号とは異なります")`)
		browsertest.Do(t, ctx, chromedp.SetValue(chromedp.CSS(`#new-payment`), "10000005"), chromedp.Focus(chromedp.CSS(`#note`)))
		resp, err := chromedp.RunResponse(ctx, chromedp.KeyEvent(kb.Enter))
		require.NoError(t, err)
		require.EqualValues(t, http.StatusOK, resp.Status)
		browsertest.Sees(t, ctx, `document.querySelector(".meaning").textContent.includes("新しい決済は 10000005 です")`)
		require.EqualValues(t, http.StatusOK, browsertest.Submit(t, ctx, `#record`))
		browsertest.Sees(t, ctx, `document.querySelector(".recorded") !== null && document.querySelector("#job .badge.done") !== null`)

		// The next one was not carried out and is not sent again. The name is remembered.
		require.EqualValues(t, http.StatusOK, browsertest.Submit(t, ctx, `#next-review`))
		require.Equal(t, "佐藤", browsertest.Value(t, ctx, chromedp.Value(chromedp.CSS(`#by`))))
		browsertest.Do(t, ctx, chromedp.Click(chromedp.CSS(`#decide-refused`)))
		require.EqualValues(t, http.StatusOK, browsertest.Submit(t, ctx, `#to-confirm`))
		require.EqualValues(t, http.StatusOK, browsertest.Submit(t, ctx, `#record`))
		browsertest.Sees(t, ctx, `document.querySelector(".recorded").textContent.includes("ほかに確認が必要なジョブはありません")`)
		require.EqualValues(t, http.StatusOK, browsertest.Submit(t, ctx, `.brand`))
		browsertest.Sees(t, ctx, `document.querySelectorAll(".case").length === 0`)

		jobs, err := q.Jobs(t.Context(), fulfilment.Filter{AfterID: 2, Limit: 2})
		require.NoError(t, err)
		require.Equal(t, fulfilment.StateDone, jobs[0].State)
		require.Equal(t, "10000005", jobs[0].NewPaymentID)
		require.Equal(t, fulfilment.StateRefused, jobs[1].State)
		for _, j := range jobs {
			require.Equal(t, "佐藤", j.DecidedBy)
		}
		require.Len(t, m.gateway.Requests(), 5, "the desk sends nothing")

		// Pausing needs a reason, and resuming a confirmation that the cause has been removed.
		require.EqualValues(t, http.StatusOK, browsertest.Submit(t, ctx, `#tab-progress`))
		browsertest.Do(t, ctx, chromedp.SendKeys(chromedp.CSS(`#why`), "金額の確認"))
		require.EqualValues(t, http.StatusOK, browsertest.Submit(t, ctx, `#do-pause`))
		browsertest.Sees(t, ctx, `document.getElementById("pause-why").textContent === "佐藤: 金額の確認"`)
		browsertest.Do(t, ctx, chromedp.Click(chromedp.CSS(`#mended`)))
		require.EqualValues(t, http.StatusOK, browsertest.Submit(t, ctx, `#resume`))
		browsertest.Sees(t, ctx, `document.getElementById("do-pause") !== null`)
	})
}

// A wrong decision is corrected with the mouse, and the preceding job is one click away.
func TestCorrectionInABrowser(t *testing.T) {
	databases(t, func(t *testing.T, q queue) {
		ctx := browsertest.Start(t)
		newMonth(t, q)
		_, err := q.Review(t.Context(), 4, fulfilment.Decision{State: fulfilment.StateRefused, By: "佐藤"})
		require.NoError(t, err)
		_, err = q.EnqueueAll(t.Context(), []fulfilment.Request{fulfilment.Cancel("注文-1046", jpayment.CancelRequest{PaymentID: "10000998"}).InTurn()})
		require.NoError(t, err)
		s := serve(t, desk.Config{Queue: q, Language: "ja"})
		for _, width := range []int64{wide, narrow} {
			browsertest.Do(t, ctx, chromedp.EmulateViewport(width, 900), chromedp.Navigate(s.URL+"/desk/jobs/4"))
			look(t, ctx, width, "a decided job")
			browsertest.Do(t, ctx, chromedp.Click(chromedp.CSS(`#decide-done`)),
				chromedp.SetValue(chromedp.CSS(`#new-payment`), "10000077"), chromedp.SetValue(chromedp.CSS(`#by`), "田中"))
			require.EqualValues(t, http.StatusOK, browsertest.Submit(t, ctx, `#to-confirm`))
			browsertest.Sees(t, ctx, `document.querySelector(".meaning").textContent.includes("以前の判断も記録に残ります")`)
			look(t, ctx, width, "a correction")
		}
		require.EqualValues(t, http.StatusOK, browsertest.Submit(t, ctx, `#record`))
		browsertest.Sees(t, ctx, `document.querySelectorAll("#history tbody tr").length === 2 && document.querySelector("#job .badge.done") !== null`)

		browsertest.Do(t, ctx, chromedp.Navigate(s.URL+"/desk/jobs/7"))
		require.EqualValues(t, http.StatusOK, browsertest.Submit(t, ctx, `#after`))
		browsertest.Sees(t, ctx, `location.pathname === "/desk/jobs/6"`)
	})
}

// Nothing is wider than the screen or cut off, in either language and colour scheme.
func TestScreenshots(t *testing.T) {
	ctx := browsertest.Start(t)
	q := busyStore(t)
	s := serve(t, desk.Config{Queue: q, Now: func() time.Time { return busyNow }})
	for _, language := range []string{"ja", "en"} {
		browsertest.Do(t, ctx, chromedp.Navigate(s.URL+"/desk/"))
		browsertest.Submit(t, ctx, `button[value=`+language+`]`)
		for _, scheme := range []string{"light", "dark"} {
			_, err := chromedp.Call(ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
				Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}},
			})
			require.NoError(t, err)
			for _, width := range []int64{wide, narrow} {
				browsertest.Do(t, ctx, chromedp.EmulateViewport(width, 900))
				for name, path := range map[string]string{
					"review": "/desk/", "jobs": "/desk/jobs", "job": "/desk/jobs/9993", "disputed": "/desk/jobs/9990", "progress": "/desk/progress",
				} {
					browsertest.Do(t, ctx, chromedp.Navigate(s.URL+path))
					look(t, ctx, width, path)
					browsertest.Artifact(t, fmt.Sprintf("desk-%s-%s-%d-%s.png", name, language, width, scheme), browsertest.Value(t, ctx, chromedp.FullScreenshot(100)))
				}
				browsertest.Do(t, ctx, chromedp.Navigate(s.URL+"/desk/jobs/9993"), chromedp.Click(chromedp.CSS(`#decide-waiting`)),
					chromedp.SetValue(chromedp.CSS(`#by`), "佐藤"), chromedp.SetValue(chromedp.CSS(`#note`), "21時に管理画面で仮売上のままと確認"))
				browsertest.Submit(t, ctx, `#to-confirm`)
				look(t, ctx, width, "confirm")
				browsertest.Artifact(t, fmt.Sprintf("desk-confirm-%s-%d-%s.png", language, width, scheme), browsertest.Value(t, ctx, chromedp.FullScreenshot(100)))
			}
		}
	}
}

// look checks that nothing is wider than the screen and that no amount, time or heading is
// broken across lines.
func look(t *testing.T, ctx context.Context, width int64, page string) { //nolint:revive // t stands first, as always in tests.
	t.Helper()
	require.LessOrEqual(t, browsertest.Value(t, ctx, chromedp.Evaluate[int64](`document.documentElement.scrollWidth`)), width, page)
	require.Empty(t, browsertest.Value(t, ctx, chromedp.Evaluate[string](`[...document.querySelectorAll(".yen, time span, .badge, .tabs a, button")]
		.filter(e => e.offsetParent !== null && e.getClientRects().length !== 1).map(e => e.textContent).join("; ")`)), page)
	require.Empty(t, browsertest.Value(t, ctx, chromedp.Evaluate[string](`[...document.querySelectorAll("main td, main dd, main p, main a, main li")]
		.filter(e => e.offsetParent !== null && e.getBoundingClientRect().right > innerWidth + 1).map(e => e.textContent).join("; ")`)), page)
	require.Empty(t, browsertest.Value(t, ctx, chromedp.Evaluate[string](`[...document.querySelectorAll("input[placeholder]")].filter(e => {
		const pen = document.createElement("canvas").getContext("2d"), style = getComputedStyle(e);
		pen.font = style.font;
		return pen.measureText(e.placeholder).width > e.clientWidth - parseFloat(style.paddingLeft) - parseFloat(style.paddingRight);
	}).map(e => e.placeholder).join("; ")`)), page)
}

package main

import (
	"context"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"
)

// A person ships, ships a part and cancels in a browser, with the gateway in the process.
func TestInABrowser(t *testing.T) {
	databases(t, func(t *testing.T, database string) {
		ctx := browser(t)
		p := start(t, nil, database)
		require.NoError(t, chromedp.Do(ctx, chromedp.Navigate(p.page)))
		sees(t, ctx, `document.documentElement.lang === "ja" && document.querySelectorAll("tr[data-state=open]").length === 5`)

		submit(t, ctx, `#A-1001 .ship`, http.StatusOK)
		sees(t, ctx, `document.querySelector("#A-1001").dataset.state === "shipped"`)

		submit(t, ctx, `#A-1002 .part`, http.StatusConflict)
		sees(t, ctx, `document.querySelector("[role=alert]").textContent.includes("金額")`)
		require.NoError(t, chromedp.Do(ctx, chromedp.SendKeys(chromedp.CSS(`#A-1002 input[name=total]`), "8000")))
		submit(t, ctx, `#A-1002 .part`, http.StatusOK)
		sees(t, ctx, `document.querySelector("#A-1002").dataset.state === "shipped"`)
		sees(t, ctx, `["8000", "再オーソリ: 完了", "実売上: 完了"].every(s => document.querySelector("#A-1002").textContent.includes(s))`)

		submit(t, ctx, `#A-1003 .cancel`, http.StatusOK) // before its capture
		submit(t, ctx, `#A-1001 .cancel`, http.StatusOK) // after it
		sees(t, ctx, `document.querySelectorAll("tr[data-state=cancelled]").length === 2`)

		submit(t, ctx, `#A-1005 .ship`, http.StatusOK) // the issuer declines
		sees(t, ctx, `document.querySelector("#A-1005").dataset.state === "problem" && document.querySelector("#A-1005 .next").textContent !== ""`)
		artifact(t, ctx, "store-ja.png")
		submit(t, ctx, `#other`, http.StatusOK)
		sees(t, ctx, `document.documentElement.lang === "en" && document.querySelector("#A-1004 .ship").textContent === "Ship"`)
		artifact(t, ctx, "store-en.png")
	})
}

// browser starts Chromium. If it is not installed, the test is skipped; in CI it fails.
func browser(t *testing.T) context.Context {
	t.Helper()
	var path string
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome", "headless-shell"} {
		if found, err := exec.LookPath(name); err == nil {
			path = found
			break
		}
	}
	if path == "" {
		const how = "no Chromium found: apt-get install chromium fonts-ipafont-gothic"
		if os.Getenv("CI") == "true" {
			t.Fatal(how)
		}
		t.Skip(how)
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewExecAllocator(ctx, append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(path), chromedp.NoSandbox /* it does not work for root */, chromedp.DisableGPU, chromedp.UserDataDir(t.TempDir()))...)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewContext(ctx)
	t.Cleanup(cancel)
	require.NoError(t, chromedp.Do(ctx))
	return ctx
}

// submit clicks an element that loads a page.
func submit(t *testing.T, ctx context.Context, selector string, status int64) { //nolint:revive // t stands first, as always in tests.
	t.Helper()
	answer, err := chromedp.RunResponse(ctx, chromedp.Click(chromedp.CSS(selector)))
	require.NoError(t, err, selector)
	require.Equal(t, status, answer.Status, selector)
}

// sees waits until an expression is true while the page reloads.
func sees(t *testing.T, ctx context.Context, expression string) { //nolint:revive // t stands first, as always in tests.
	t.Helper()
	require.Eventually(t, func() bool {
		seen, err := chromedp.Run(ctx, chromedp.Evaluate[bool](expression))
		return err == nil && seen
	}, patience, 50*time.Millisecond, expression)
}

// artifact saves a screenshot for inspection.
func artifact(t *testing.T, ctx context.Context, name string) { //nolint:revive // t stands first, as always in tests.
	t.Helper()
	png, err := chromedp.Run(ctx, chromedp.FullScreenshot(100))
	require.NoError(t, err)
	dir := os.Getenv("ARTIFACTS")
	if dir == "" {
		dir = filepath.Join("..", "..", ".artifacts")
	}
	require.NoError(t, os.MkdirAll(dir, 0o750))
	require.NoError(t, os.WriteFile(filepath.Join(dir, name), png, 0o600))
}

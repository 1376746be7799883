// Package browsertest drives a real browser in tests of pages.
package browsertest

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"
)

// Start starts a separate Chromium with a fresh profile. If Chromium is not installed, it skips
// the test; in CI the test fails.
func Start(t *testing.T) context.Context {
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
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(path),
		chromedp.NoSandbox, // the sandbox does not work for root
		chromedp.DisableGPU,
		chromedp.Flag("disable-component-update", true),
		chromedp.UserDataDir(t.TempDir()),
	)
	// A test takes a few seconds; two minutes are the limit.
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	t.Cleanup(cancel)
	ctx, cancelAllocator := chromedp.NewExecAllocator(ctx, options...)
	t.Cleanup(cancelAllocator)
	ctx, cancelBrowser := chromedp.NewContext(ctx)
	t.Cleanup(cancelBrowser)
	require.NoError(t, chromedp.Do(ctx))
	return ctx
}

// Do runs steps in the page.
func Do(t *testing.T, ctx context.Context, steps ...chromedp.Action[chromedp.Void]) { //nolint:revive // t stands first, as always in tests.
	t.Helper()
	require.NoError(t, chromedp.Do(ctx, steps...))
}

// Value runs a step in the page and returns its result.
func Value[T any](t *testing.T, ctx context.Context, action chromedp.Action[T]) T { //nolint:revive // t stands first, as always in tests.
	t.Helper()
	v, err := chromedp.Run(ctx, action)
	require.NoError(t, err)
	return v
}

// Sees waits until an expression is true in the page.
func Sees(t *testing.T, ctx context.Context, expression string) { //nolint:revive // t stands first, as always in tests.
	t.Helper()
	_, err := chromedp.Run(ctx, chromedp.Poll[bool](expression, chromedp.WithPollingMutation()))
	require.NoError(t, err, expression)
}

// Submit clicks a button that submits a form and returns the status of the next page.
func Submit(t *testing.T, ctx context.Context, button string) int64 { //nolint:revive // t stands first, as always in tests.
	t.Helper()
	resp, err := chromedp.RunResponse(ctx, chromedp.Click(chromedp.CSS(button)))
	require.NoError(t, err, button)
	return resp.Status
}

// Artifact saves a screenshot for inspection.
func Artifact(t *testing.T, name string, png []byte) {
	t.Helper()
	dir := os.Getenv("ARTIFACTS")
	if dir == "" {
		dir = filepath.Join("..", "..", "..", "..", ".artifacts")
	}
	require.NoError(t, os.MkdirAll(dir, 0o750))                            //nolint:gosec // Whoever runs the tests chooses the directory.
	require.NoError(t, os.WriteFile(filepath.Join(dir, name), png, 0o600)) //nolint:gosec // As above.
}

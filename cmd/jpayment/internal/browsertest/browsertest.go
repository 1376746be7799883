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

// Start starts a Chromium of its own with a fresh profile. Where there is none, the
// test is skipped; in CI it fails.
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
		chromedp.NoSandbox, // Chromium's does not work for root
		chromedp.DisableGPU,
		chromedp.Flag("disable-component-update", true),
		chromedp.UserDataDir(t.TempDir()),
	)
	// The whole test has two minutes in the browser; none takes seconds.
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	t.Cleanup(cancel)
	ctx, cancelAllocator := chromedp.NewExecAllocator(ctx, options...)
	t.Cleanup(cancelAllocator)
	ctx, cancelBrowser := chromedp.NewContext(ctx)
	t.Cleanup(cancelBrowser)
	require.NoError(t, chromedp.Do(ctx))
	return ctx
}

// Do does steps in the page.
func Do(t *testing.T, ctx context.Context, steps ...chromedp.Action[chromedp.Void]) { //nolint:revive // t stands first, as always in tests.
	t.Helper()
	require.NoError(t, chromedp.Do(ctx, steps...))
}

// Value does a step in the page and returns what it found.
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

// Submit clicks a button whose form loads a page, and returns the page's status.
func Submit(t *testing.T, ctx context.Context, button string) int64 { //nolint:revive // t stands first, as always in tests.
	t.Helper()
	resp, err := chromedp.RunResponse(ctx, chromedp.Click(chromedp.CSS(button)))
	require.NoError(t, err, button)
	return resp.Status
}

// Artifact keeps a screenshot for people to look at.
func Artifact(t *testing.T, name string, png []byte) {
	t.Helper()
	dir := os.Getenv("ARTIFACTS")
	if dir == "" {
		dir = filepath.Join("..", "..", "..", "..", ".artifacts")
	}
	require.NoError(t, os.MkdirAll(dir, 0o750))                            //nolint:gosec // The directory is that of who runs the tests.
	require.NoError(t, os.WriteFile(filepath.Join(dir, name), png, 0o600)) //nolint:gosec // As above.
}

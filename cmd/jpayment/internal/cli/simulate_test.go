package cli

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// A simulator is started, used through its API and the command, stopped, and found
// again with its books.
func TestSimulate(t *testing.T) {
	t.Parallel()
	state := filepath.Join(t.TempDir(), "books.db")
	noEnv := func(string) string { return "" }
	for _, start := range []struct{ lang, want string }{{"en", "http://127.0.0.1:"}, {"ja", "管理画面"}} {
		ctx, stop := context.WithCancel(t.Context())
		defer stop()
		out, w := io.Pipe()
		ended := make(chan int, 1)
		go func() {
			ended <- run(ctx, []string{"--lang", start.lang, "simulate", "--listen", "127.0.0.1:0", "--state", state}, world{
				env: noEnv, stdin: strings.NewReader(""), stdout: w, stderr: io.Discard, configDir: t.TempDir(),
			})
			w.Close()
		}()
		var said bytes.Buffer
		address := regexp.MustCompile(`http://127\.0\.0\.1:\d+`)
		buf := make([]byte, 4096)
		for !address.Match(said.Bytes()) || !strings.Contains(said.String(), start.want) {
			n, err := out.Read(buf)
			said.Write(buf[:n])
			require.NoError(t, err, "it ended before it said where it is: %s", &said)
		}
		go io.Copy(io.Discard, out)
		base := address.FindString(said.String())

		panel, err := http.NewRequestWithContext(t.Context(), http.MethodGet, base+"/panel/", http.NoBody)
		require.NoError(t, err)
		page, err := http.DefaultClient.Do(panel)
		require.NoError(t, err)
		text, err := io.ReadAll(page.Body)
		require.NoError(t, err)
		page.Body.Close()
		require.Contains(t, string(text), `<html lang="`+start.lang+`">`)

		if start.lang == "en" {
			req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, base+"/control/v1/payments", strings.NewReader(`{"amount":1000}`))
			require.NoError(t, err)
			req.Header.Set("Content-Type", "application/json")
			resp, err := http.DefaultClient.Do(req)
			require.NoError(t, err)
			resp.Body.Close()
			require.Equal(t, http.StatusCreated, resp.StatusCode)
		}
		var stdout, stderr bytes.Buffer
		status := run(t.Context(), []string{"--lang", "en", "sales", "10000001", "--store", "123456", "--url", base, "--yes"}, world{
			env: noEnv, stdin: strings.NewReader(""), stdout: &stdout, stderr: &stderr, configDir: t.TempDir(),
			proxy: http.ProxyFromEnvironment,
		})
		if start.lang == "en" {
			require.Equal(t, 0, status, "%s%s", &stdout, &stderr)
		} else {
			require.Equal(t, 1, status, "the books are as they were left: it is captured already")
			require.Contains(t, stdout.String()+stderr.String(), "ER032")
		}
		stop()
		require.Equal(t, 0, <-ended)
	}
}

func TestSimulateAsksForAToken(t *testing.T) {
	t.Parallel()
	var stderr bytes.Buffer
	status := run(t.Context(), []string{"--lang", "en", "simulate", "--listen", "0.0.0.0:0"}, world{
		env: func(string) string { return "" }, stdin: strings.NewReader(""), stdout: io.Discard, stderr: &stderr, configDir: t.TempDir(),
	})
	require.Equal(t, 2, status)
	require.Contains(t, stderr.String(), "set JPAYMENT_CONTROL_TOKEN")
}

package cli

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/jpayment-go/jpayment/cmd/jpayment/internal/console"
)

// A simulator is started, used through its API and the command, stopped, and started again
// with its books.
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

// simulated starts a simulator with some arguments and returns its URL.
func simulated(t *testing.T, args ...string) (base string) {
	t.Helper()
	ctx, stop := context.WithCancel(context.Background())
	out, w := io.Pipe()
	ended := make(chan int, 1)
	go func() {
		ended <- run(ctx, append([]string{"--lang", "en", "simulate", "--listen", "127.0.0.1:0"}, args...), world{
			env: func(string) string { return "" }, stdin: strings.NewReader(""), stdout: w, stderr: io.Discard, configDir: t.TempDir(),
		})
		w.Close()
	}()
	t.Cleanup(func() {
		stop()
		require.Equal(t, 0, <-ended)
	})
	lines := bufio.NewScanner(out)
	for lines.Scan() && base == "" {
		base = regexp.MustCompile(`http://127\.0\.0\.1:\d+`).FindString(lines.Text())
	}
	require.NotEmpty(t, base)
	go io.Copy(io.Discard, out)
	return base
}

// Requests in Shift_JIS can be tried against a simulator that decodes it. One that does not
// garbles them.
func TestSimulateInShiftJIS(t *testing.T) {
	t.Parallel()
	sjis := simulated(t, "--payments", "1", "--set", "request_charset=shift_jis", "--set", "reply_charset=shift_jis", "--set", "columns=14")
	s := session{vars: map[string]string{"JPAYMENT_STORE": "123456", "JPAYMENT_URL": sjis}}
	r := s.run(t, "sales", "10000001", "--charset", "shift_jis", "--extra", "memo=領収書", "--yes")
	require.Equal(t, console.Done, r.status, r.stderr)
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, sjis+"/control/v1/requests/1", http.NoBody)
	require.NoError(t, err)
	resp, err := http.DefaultClient.Do(request)
	require.NoError(t, err)
	defer resp.Body.Close()
	told, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	require.Contains(t, string(told), `{"key":"memo","value":"領収書"}`)

	utf8 := simulated(t, "--payments", "1")
	s.vars["JPAYMENT_URL"] = utf8
	r = s.run(t, "sales", "10000001", "--charset", "shift_jis", "--extra", "memo=領収書", "--yes")
	require.Equal(t, console.Failed, r.status)
	require.Contains(t, r.stdout+r.stderr, "ER001")
}

// A simulator with a profile behaves like the store.
func TestSimulateAProfile(t *testing.T) {
	t.Parallel()
	base := simulated(t, "--payments", "1", "--profile", storeProfile(t))
	s := session{vars: map[string]string{"JPAYMENT_STORE": "123456", "JPAYMENT_URL": base}}
	r := s.run(t, "sales", "10000001", "--yes")
	require.Equal(t, console.Unknown, r.status, r.stdout+r.stderr)
	require.Contains(t, r.stdout+r.stderr, "WithUnmatchedPaymentID")
}

// storeProfile is the profile of a store for which two assumptions are wrong.
func storeProfile(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "store.json")
	require.NoError(t, os.WriteFile(path, []byte(`{"version":1,"assumptions":[
		{"number":1,"setting":"success_gid","value":"own","verdict":"refuted"},
		{"number":12,"verdict":"confirmed"},
		{"number":34,"setting":"request_charset","value":"shift_jis","verdict":"refuted"}]}`), 0o600))
	return path
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

package cli

import (
	"bufio"
	"context"
	"io"
	"net/http"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/jpayment-go/jpayment/cmd/jpayment/internal/console"
)

// The desk prints its address, shows the jobs in review in the given language, and stops at
// a signal.
func TestDesk(t *testing.T) {
	t.Parallel()
	databases(t, func(t *testing.T, flags []string) {
		d := newUnclearDesk(t, flags...)
		for lang, want := range map[string]string{"en": "In review", "ja": "要確認"} {
			ctx, stop := context.WithCancel(t.Context())
			out, w := io.Pipe()
			ended := make(chan int, 1)
			go func() {
				ended <- run(ctx, append([]string{"desk", "--lang", lang, "--listen", "127.0.0.1:0"}, flags...), world{
					env: func(name string) string { return d.vars[name] }, stdin: strings.NewReader(""), stdout: w, stderr: io.Discard, configDir: t.TempDir(),
				})
				w.Close()
			}()
			line, err := bufio.NewReader(out).ReadString('\n')
			require.NoError(t, err)
			go io.Copy(io.Discard, out)
			page, err := http.NewRequestWithContext(t.Context(), http.MethodGet, regexp.MustCompile(`http://127\.0\.0\.1:\d+/desk/`).FindString(line), http.NoBody)
			require.NoError(t, err)
			resp, err := http.DefaultClient.Do(page)
			require.NoError(t, err)
			text, err := io.ReadAll(resp.Body)
			require.NoError(t, err)
			resp.Body.Close()
			require.Contains(t, string(text), `<html lang="`+lang+`">`)
			require.Contains(t, string(text), want)
			require.Contains(t, string(text), "10000002", "its reply was lost")
			stop()
			require.Equal(t, console.Done, <-ended)
		}
	})
}

// Missing settings are reported before it listens.
func TestDeskIsRefused(t *testing.T) {
	t.Parallel()
	d := newUnclearDesk(t)
	for want, c := range map[string]struct {
		token string
		args  []string
	}{
		"set JPAYMENT_CONTROL_TOKEN":  {"", []string{"--listen", "0.0.0.0:0"}},
		"JPAYMENT_CONTROL_TOKEN: the": {"fifteen letters", []string{"--listen", "0.0.0.0:0"}},
		"the database":                {"", []string{"--database", filepath.Join(t.TempDir(), "none.db")}},
		"--listen":                    {"", []string{"--listen", "nowhere"}},
	} {
		s := d.session
		s.vars = map[string]string{"JPAYMENT_CONTROL_TOKEN": c.token}
		for name, value := range d.vars {
			s.vars[name] = value
		}
		r := s.run(t, append([]string{"desk"}, c.args...)...)
		require.Equal(t, console.Usage, r.status, want)
		require.Contains(t, r.stderr, want)
	}
}

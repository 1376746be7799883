package cli

import (
	"bytes"
	"context"
	"database/sql"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode"

	"github.com/stretchr/testify/require"

	"github.com/jpayment-go/jpayment/cmd/jpayment/internal/console"
	"github.com/jpayment-go/jpayment/fulfilment"
)

// hostile is text that must not reach a terminal unescaped: it would change colours,
// overwrite the line, clear the screen or reverse the direction of the text.
const hostile = "x\x1b[31m\ry\u009b2J\u202ez"

// requireHarmless requires that a run has sent no control sequences to the terminal.
func requireHarmless(t *testing.T, r ran) {
	t.Helper()
	steers := func(c rune) bool { return c != '\n' && !unicode.IsPrint(c) && c != '\u3000' }
	for _, text := range []string{r.stdout, r.stderr} {
		i := strings.IndexFunc(text, steers)
		if i >= 0 {
			require.Fail(t, "what a terminal would obey", "%q\n%q", r.args, text[max(0, i-80):min(len(text), i+40)])
		}
	}
}

// Everything from outside is escaped when it is shown: arguments, variables, settings, file
// names, the content of files and of the database, and replies of a gateway.
func TestNothingSteersTheTerminal(t *testing.T) {
	t.Parallel()
	for _, lang := range []string{"en", "ja"} {
		t.Run(lang, func(t *testing.T) {
			t.Parallel()
			check := func(s session, args ...string) ran {
				t.Helper()
				r := s.run(t, append(args, "--lang", lang)...)
				requireHarmless(t, r)
				return r
			}
			d := newDesk(t, 2)
			d.dir = filepath.Join(d.dir, hostile)
			require.NoError(t, os.Mkdir(d.dir, 0o700))
			d.vars["JPAYMENT_DATABASE"] = filepath.Join(d.dir, hostile+".db")

			// Arguments, variables and settings.
			for _, args := range [][]string{
				{"sales", hostile, "--yes"},
				{"cancel", hostile, "--yes"},
				{"sales", "1", "--yes", "--extra", hostile},
				{"sales", "1", "--yes", "--extra", hostile + "=1"},
				{"sales", "1", "--yes", "--extra", "@" + hostile},
				{"reauth", "1", "--yes", "--amount", "1", "--tax", "0", "--shipping", "0", "--email", hostile, "--phone", hostile},
				{"reauth", "1", "--amount", hostile, "--tax", "0", "--shipping", "0"},
				{"explain", hostile},
				{"explain", "ER" + hostile},
				{"explain", hostile + ","},
				{"explain", hostile + "=1"},
				{"explain", "?gid=1&rst=1&am=1&tx=0&sf=0&ta=1&cod=" + strings.ReplaceAll(hostile, "\x1b", "%1b")},
				{"explain", "?" + hostile + "=1"},
				{"explain", "1,1,a,,1," + hostile + ",1,0,0,1,,,"},
				{"explain", "<" + hostile},
				{"explain", "1,1,a,,1," + hostile + ",1,0,0,1,,,", "--show-private"},
				{"explain", "1,1," + hostile + ",,1,a,1,0,0,1,,,", "--show-private"},
				{"review", hostile},
				{"review", "7", "--done", "--note", hostile, "--by", hostile, "--yes"},
				{"man", "/dev/null/" + hostile},
				{"run", hostile},
				{"run", "-", "--columns", hostile},
				{"run", "-", "--columns", hostile + "=payment"},
				{"status", "--batch", hostile},
				{"review", "--import", hostile, "--by", "x"},
				{"review", "--export", filepath.Join(hostile, hostile)},
				{"review", "--import", hostile, "--by", "x", "--done-if", hostile + "=1"},
				{"review", "--import", hostile, "--by", "x", "--done-if", hostile, "--again-if", hostile},
				{"migrate", "--sql", "--dialect", hostile},
				{"migrate", "--sql", "--dialect", "postgres", "--schema", hostile},
				{"restore-check", "--database", hostile},
			} {
				check(d.session, args...)
			}
			for _, flag := range []string{"store", "url", "timeout", "charset", "config", "lang", "production-only", "no-such", hostile} {
				check(d.session, "sales", "1", "--yes", "--"+flag+"="+hostile)
			}
			for _, flag := range []string{"rate", "concurrency", "kickback-wait", "kickback-listen", "health"} {
				check(d.session, "work", "--"+flag+"="+hostile)
			}
			check(d.session, "work", "--witness", filepath.Join(hostile, hostile))
			check(d.session, "status", "--database", hostile)
			check(d.session, "status", "--schema", hostile)
			for _, name := range []string{"STORE", "URL", "TIMEOUT", "CHARSET", "CONFIG", "CONNECTION_AUTH", "KICKBACK_KEY", "KICKBACK_WAIT", "RATE", "SCHEMA"} {
				check(at(d.Server, "JPAYMENT_"+name, hostile), "status")
			}
			for i, text := range []string{"%q = 1", "[store]\n%q = 1", "store = %q", "url = %q", "timeout = %q", "charset = %q", "database = %q", "store = %s", "%s"} {
				path := filepath.Join(d.dir, fmt.Sprint(i, ".toml"))
				require.NoError(t, os.WriteFile(path, fmt.Appendf(nil, text, hostile), 0o600))
				check(d.session, "status", "--config", path)
			}

			// A file for run, with its name and content.
			const header = "operation,payment,reference\n"
			for name, text := range map[string]string{
				"header":    "operation,payment,reference," + hostile + "\nsales,1,a,b\n",
				"operation": header + hostile + ",1,a\n",
				"payment":   header + "sales," + hostile + ",a\n",
				"reference": header + "sales,10000001,\"" + hostile + "\"\n",
				"quote":     header + "sales,1,\"" + hostile + "\n",
				"escape":    header + "sales,10000001,\x1b[31m\n",
				"direction": header + "sales,10000001,a\u202eb\n",
				"c1":        header + "sales,10000001,a\u009bb\n",
			} {
				path := d.write(t, name+hostile+".csv", text)
				check(d.session, "run", path, "--dry-run")
				check(d.session, "run", path, "--yes", "--report", filepath.Join(d.dir, name+hostile+"-report.csv"))
			}
			check(d.session, "run", d.write(t, hostile+".csv", header+"sales,10000001,a\n"), "--yes")
			check(d.session, "status")
			check(d.session, "review")
			check(d.session, "review", "1")

			// A review file is exported and imported, with its name and content.
			d.with(func(ctx context.Context, q *fulfilment.Queue[*sql.Tx]) error {
				_, err := q.AfterRestore(ctx)
				return err
			})
			check(d.session, "review", "--export", filepath.Join(d.dir, hostile+"-review.csv"))
			for name, text := range map[string]string{
				"header":   "job,decision,new payment,note," + hostile + "\n1,done,,,\n",
				"decision": "job,decision,new payment,note\n1," + hostile + ",,\n",
				"job":      "job,decision\n" + hostile + ",done\n",
				"payment":  "job,payment,decision\n1," + hostile + ",done\n",
				"note":     "job,decision,note\n1,done," + hostile + "\n",
				"panel":    hostile + ",status\n1," + hostile + "\n",
			} {
				path := d.write(t, name+hostile+"-filled.csv", text)
				check(d.session, "review", "--import", path, "--by", hostile, "--yes", "--payment-column", hostile, "--status-column", "status", "--done-if", hostile)
			}
			check(d.session, "review")

			// Replies, with their status lines and headers.
			for _, reply := range []string{
				hostile, "1,1," + hostile + ",,1,a,1,0,0,1,,,", ",2,," + hostile + ",,,,,,,,,", "ER:" + hostile, "10000001,1,a,,1," + hostile + ",1,0,0,1,,,",
			} {
				gateway := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					_, _ = io.WriteString(w, reply)
				}))
				t.Cleanup(gateway.Close)
				s := session{vars: map[string]string{"JPAYMENT_STORE": "123456", "JPAYMENT_URL": gateway.URL}}
				check(s, "sales", "10000001", "--yes")
				check(s, "doctor")
			}
		})
	}
}

// A shell reads the next command to type as intended, and a terminal displays it.
func TestShellWord(t *testing.T) {
	t.Parallel()
	for word, want := range map[string]string{
		"a/b.db":       "a/b.db",
		"注文":           "注文",
		"a b":          "'a b'",
		"it's":         `'it'\''s'`,
		"":             "''",
		"a\x1b[31m'\\": `$'a\033[31m\'\\'`,
		"a\r\u202e":    `$'a\015\342\200\256'`,
		"\xff":         `$'\377'`,
	} {
		require.Equal(t, want, shellWord(word))
	}
}

// lastWords is a destination for the output of a program that ends once it has written.
type lastWords struct {
	bytes.Buffer
	end func()
}

func (w *lastWords) Write(p []byte) (int, error) {
	defer w.end()
	return w.Buffer.Write(p)
}

// The simulator names its file at startup, and in errors.
func TestSimulateWithAnOddFile(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), hostile+".db")
	for _, mode := range []os.FileMode{0, 0o644} {
		if mode != 0 {
			require.NoError(t, os.Chmod(path, mode))
		}
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		stdout, stderr := &lastWords{end: cancel}, &bytes.Buffer{}
		status := run(ctx, []string{"simulate", "--listen", "127.0.0.1:0", "--state", path, "--lang", "ja"}, world{
			env: func(string) string { return "" }, stdin: strings.NewReader(""), stdout: stdout, stderr: stderr, configDir: t.TempDir(),
		})
		require.Equal(t, mode == 0, status == console.Done, stderr)
		requireHarmless(t, ran{stdout: stdout.String(), stderr: stderr.String()})
		require.Contains(t, stdout.String()+stderr.String(), `x\x1b[31m`)
	}
}

// Flags are repeated as they were typed.
func TestTypedFlags(t *testing.T) {
	t.Parallel()
	cmd := newRunCommand(console.English)
	require.NoError(t, cmd.ParseFlags([]string{"--rate=5", "--yes", "--production-only=false", "--database", "a b"}))
	require.Equal(t, " --yes --production-only=false --rate 5 --database 'a b'", typedFlags(cmd, "yes", "production-only", "rate", "url", "database"))
}

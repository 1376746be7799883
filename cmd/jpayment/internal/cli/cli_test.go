package cli

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/jedib0t/go-pretty/v6/text"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"github.com/stretchr/testify/require"

	"github.com/jpayment-go/jpayment/cmd/jpayment/internal/console"
	"github.com/jpayment-go/jpayment/jpaymenttest"
)

var update = flag.Bool("update", false, "write the golden files")

func TestMain(m *testing.M) {
	// The width of characters such as … would depend on the locale of the machine.
	text.OverrideRuneWidthEastAsianWidth(false)
	os.Exit(m.Run())
}

// session is one run of the command in its own world.
type session struct {
	world
	vars  map[string]string
	input string
}

// ran is what a run left behind.
type ran struct {
	args           []string
	status         int
	stdout, stderr string
}

func (s session) run(t *testing.T, args ...string) ran {
	t.Helper()
	var stdout, stderr bytes.Buffer
	w := s.world
	w.env = func(name string) string { return s.vars[name] }
	w.stdout, w.stderr = &stdout, &stderr
	if w.stdin == nil {
		w.stdin = strings.NewReader(s.input)
	}
	if w.proxy == nil {
		w.proxy = func(*http.Request) (*url.URL, error) { return nil, nil }
	}
	status := run(t.Context(), args, w)
	return ran{args, status, stdout.String(), stderr.String()}
}

// at returns a session for the store of the gateway.
func at(g *jpaymenttest.Server, more ...string) session {
	vars := map[string]string{"JPAYMENT_STORE": "123456", "JPAYMENT_URL": g.URL}
	for i := 0; i+1 < len(more); i += 2 {
		vars[more[i]] = more[i+1]
	}
	return session{vars: vars}
}

// golden compares runs with a file.
func golden(t *testing.T, name string, runs ...ran) {
	t.Helper()
	var b strings.Builder
	for _, r := range runs {
		fmt.Fprintf(&b, "$ jpayment %s\n-- stdout --\n%s-- stderr --\n%s-- exit status %d --\n\n", strings.Join(r.args, " "), r.stdout, r.stderr, r.status)
	}
	got := regexp.MustCompile(`127\.0\.0\.1:\d+`).ReplaceAllString(b.String(), "127.0.0.1:PORT")
	path := filepath.Join("testdata", name+".golden")
	if *update {
		require.NoError(t, os.MkdirAll("testdata", 0o755))
		require.NoError(t, os.WriteFile(path, []byte(got), 0o644))
	}
	want, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, string(want), got)
}

func TestUsage(t *testing.T) {
	t.Parallel()
	for _, args := range []string{
		"frob", "sales", "sales 1 2", "sales 1 --frob", "cancel 1 --timeout",
		"reauth 1", "reauth 1 --amount 1 --tax 0", "reauth 1 --amount 1 --shipping 0", "reauth 1 --tax 1 --shipping 0", "reauth 1 --amount x --tax 0 --shipping 0",
		"explain", "doctor 1", "man", "sales 1 --lang fr", "sales 1 --connection-auth x", "reauth 1 --retry-unknown",
		"run", "run a b", "run a --json", "work 1", "work --kickback-key x", "status 1", "review 1 2", "review --done --again", "simulate --payments x", "probe 1 --pause x", "probe 1 --payments x",
	} {
		for _, lang := range []console.Lang{console.English, console.Japanese} {
			r := session{vars: map[string]string{"LANG": string(lang)}}.run(t, strings.Fields(args)...)
			require.Equal(t, console.Usage, r.status, "%s", args)
			require.Empty(t, r.stdout)
			require.Contains(t, r.stderr, "--help")
			require.NotContains(t, r.stderr, "JPAYMENT_STORE", "%s: refused for something else", args)
		}
	}
	require.Equal(t, console.Done, session{}.run(t).status)
	r := session{}.run(t, "--version")
	require.Equal(t, console.Done, r.status)
	require.Contains(t, r.stdout, "jpayment version")
}

// Every command has help in both languages, with an example that it accepts.
func TestHelp(t *testing.T) {
	t.Parallel()
	for _, lang := range []console.Lang{console.English, console.Japanese} {
		var all func(cmd *cobra.Command)
		all = func(cmd *cobra.Command) {
			require.NotEmpty(t, cmd.Short, cmd.CommandPath())
			require.NotEmpty(t, cmd.Example, cmd.CommandPath())
			for _, line := range commandLines(cmd.Example) {
				parses(t, line)
			}
			args := append(strings.Fields(cmd.CommandPath())[1:], "--help", "--lang", string(lang))
			r := session{}.run(t, args...)
			require.Equal(t, console.Done, r.status)
			require.Contains(t, r.stdout, cmd.Long)
			cmd.Flags().VisitAll(func(f *pflag.Flag) {
				require.Equal(t, !f.Hidden, strings.Contains(r.stdout, " --"+f.Name+" "), "%s --%s", cmd.CommandPath(), f.Name)
			})
			for _, sub := range cmd.Commands() {
				all(sub)
			}
		}
		all(newRootCommand(lang))
	}
}

func TestCompletion(t *testing.T) {
	t.Parallel()
	for _, shell := range []string{"bash", "zsh", "fish", "powershell"} {
		r := session{}.run(t, "completion", shell)
		require.Equal(t, console.Done, r.status)
		require.Contains(t, r.stdout, "jpayment")
	}
	r := session{}.run(t, "__complete", "sales", "1", "--charset", "")
	require.Contains(t, r.stdout, "shift_jis\n")
}

func TestMan(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "man1")
	require.Equal(t, console.Done, session{}.run(t, "man", dir).status)
	for _, page := range []string{"jpayment.1", "jpayment-sales.1", "jpayment-doctor.1", "jpayment-explain.1", "jpayment-run.1", "jpayment-review.1"} {
		b, err := os.ReadFile(filepath.Join(dir, page))
		require.NoError(t, err)
		require.Contains(t, string(b), ".TH ")
	}
	file := filepath.Join(t.TempDir(), "file")
	require.NoError(t, os.WriteFile(file, nil, 0o600))
	r := session{}.run(t, "man", file)
	require.Equal(t, console.Failed, r.status)
	require.Contains(t, r.stderr, "man: ")
}

func TestLanguage(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		lcAll, lcMessages, lang, flag string
		want                          console.Lang
	}{
		{"", "", "", "", console.English},
		{"", "", "ja_JP.UTF-8", "", console.Japanese},
		{"", "", "ja", "", console.Japanese},
		{"", "", "ja.UTF-8", "", console.Japanese},
		{"", "", "jam_JM", "", console.English},
		{"", "ja_JP.UTF-8", "en_US.UTF-8", "", console.Japanese},
		{"C", "ja_JP.UTF-8", "ja_JP.UTF-8", "", console.English},
		{"ja_JP.UTF-8", "", "", "en", console.English},
		{"en_US.UTF-8", "", "", "ja", console.Japanese},
	} {
		args := []string{"explain", "nonsense"}
		if c.flag != "" {
			args = append(args, "--lang", c.flag)
		}
		s := session{vars: map[string]string{"LC_ALL": c.lcAll, "LC_MESSAGES": c.lcMessages, "LANG": c.lang}}
		r := s.run(t, args...)
		require.Equal(t, c.want == console.Japanese, strings.Contains(r.stderr, "いずれでもありません"), "%+v", c)

		short := session{vars: s.vars}.run(t, append([]string{"--help"}, args[2:]...)...)
		require.Equal(t, c.want == console.Japanese, strings.Contains(short.stdout, "終了ステータス"), "%+v", c)
	}
}

func TestColour(t *testing.T) {
	t.Parallel()
	row := "1095729,1,TestMod,,205685,,1000,2,4,1006,,,"
	screen := world{terminal: console.Terminals{Out: true}}
	for _, c := range []struct {
		session
		coloured bool
	}{
		{session{}, false},
		{session{world: screen}, true},
		{session{world: screen, vars: map[string]string{"NO_COLOR": "1"}}, false},
		{session{world: screen, vars: map[string]string{"TERM": "dumb"}}, false},
		{session{world: world{terminal: console.Terminals{Err: true, In: true}}}, false},
	} {
		r := c.run(t, "explain", row)
		require.Equal(t, c.coloured, strings.Contains(r.stdout, "\x1b["))
	}
}

// Input from outside cannot control the terminal.
func TestPrintable(t *testing.T) {
	t.Parallel()
	require.Equal(t, "注文　１ (a)", console.Printable("注文　１ (a)"))
	for _, s := range []string{"\x1b[2J", "a\rb", "\u202e1", "a\nb", "\u009b1m"} {
		require.NotContains(t, console.Printable(s), s)
	}
	r := session{}.run(t, "explain", "?gid=1&rst=1&cod=%1b%5b2J&am=1&tx=0&sf=0&ta=1")
	require.Equal(t, console.Done, r.status)
	require.NotContains(t, r.stdout, "\x1b")
	require.Contains(t, r.stdout, `"\x1b[2J"`)
}

// Neither can a name that somebody chose: that of a file, a setting or a command.
func TestNamesArePrintable(t *testing.T) {
	t.Parallel()
	const red, shown = "\x1b[31mred", `\x1b[31mred`
	dir := t.TempDir()
	file := filepath.Join(dir, red)
	require.NoError(t, os.WriteFile(file, nil, 0o600))
	key := filepath.Join(dir, "key.toml")
	require.NoError(t, os.WriteFile(key, []byte(`"\u001b[31mred" = "1"`), 0o600))
	typed := filepath.Join(dir, "type.toml")
	require.NoError(t, os.WriteFile(typed, []byte("[store]\n\"\\u001b[31mred\" = 1"), 0o600))
	none := filepath.Join(dir, "none", red)
	for _, args := range [][]string{
		{red},
		{"help", red},
		{"sales", "1", "--" + red},
		{"sales", "1", "--store", "123456", "--config", none},
		{"sales", "1", "--store", "123456", "--config", key},
		{"sales", "1", "--store", "123456", "--extra", red + "=\x00", "--yes"},
		{"status", "--store", "123456", "--database", none},
		{"status", "--store", "123456", "--batch", red, "--database", filepath.Join(dir, "jobs.db")},
		{"review", "--store", "123456", "--database", none},
		{"work", "--store", "123456", "--database", filepath.Join(file, "db")},
		{"run", file + "no", "--store", "123456", "--database", filepath.Join(dir, "jobs.db")},
		{"simulate", "--listen", red},
		{"simulate", "--listen", "127.0.0.1:0", "--state", none},
		{"man", file},
	} {
		if args[0] == "status" { // Looking does not create a database.
			require.Equal(t, console.Done, session{}.run(t, "run", writeRows(t), "--dry-run", "--store", "123456", "--database", filepath.Join(dir, "jobs.db")).status)
		}
		for _, lang := range []string{"en", "ja"} {
			r := session{}.run(t, append(args, "--lang", lang)...)
			require.NotContains(t, r.stdout+r.stderr, "\x1b", "%q", args)
			require.Contains(t, r.stdout+r.stderr, shown, "%q", args)
		}
	}
	r := session{}.run(t, "sales", "1", "--store", "123456", "--config", typed)
	require.NotContains(t, r.stderr, "\x1b")
}

// writeRows writes a file of one row and returns its path.
func writeRows(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "rows.csv")
	require.NoError(t, os.WriteFile(path, []byte("operation,payment,reference\nsales,1,a\n"), 0o600))
	return path
}

// Without recovery, a panic would exit with status 2, which means that nothing was sent.
func TestPanicIsUnknown(t *testing.T) {
	t.Parallel()
	g := jpaymenttest.NewServer(t)
	s := at(g)
	s.stdin = io.Reader(nil)
	s.proxy = func(*http.Request) (*url.URL, error) { panic("boom") }
	r := s.run(t, "doctor")
	require.Equal(t, console.Unknown, r.status)
	require.Contains(t, r.stderr, "panic")
}

func TestRunWiresTheProcess(t *testing.T) {
	t.Parallel()
	var stdout, stderr bytes.Buffer
	env := func(string) string { return "" }
	require.Equal(t, console.Done, Run(t.Context(), []string{"explain", "ER003", "--json"}, env, strings.NewReader(""), &stdout, &stderr))
	require.True(t, json.Valid(stdout.Bytes()))
	f, err := os.Open(os.DevNull)
	require.NoError(t, err)
	defer f.Close()
	require.False(t, isTerminal(f))
	require.False(t, isTerminal(&stdout))
}

// commandLines returns the commands of an example, split as a shell splits them.
func commandLines(text string) [][]string {
	var lines [][]string
	for line := range strings.SplitSeq(text, "\n") {
		if i := strings.LastIndex(line, "| jpayment"); i >= 0 {
			line = line[i+2:]
		}
		words := shellWords(strings.TrimSpace(line))
		for len(words) > 0 && regexp.MustCompile(`^[A-Z_]+=`).MatchString(words[0]) {
			words = words[1:]
		}
		if len(words) > 0 && words[0] == "jpayment" {
			lines = append(lines, words[1:])
		}
	}
	return lines
}

// shellWords splits at spaces outside single quotes, up to a comment or a redirection.
func shellWords(line string) []string {
	var words []string
	var word strings.Builder
	quoted, some := false, false
	end := func() {
		if some {
			words = append(words, word.String())
		}
		word.Reset()
		some = false
	}
	for _, r := range line {
		switch {
		case r == '\'':
			quoted, some = !quoted, true
		case quoted:
			word.WriteRune(r)
		case r == ' ':
			end()
		case (r == '#' || r == '>' || r == '<') && !some:
			return words
		default:
			word.WriteRune(r)
			some = true
		}
	}
	end()
	return words
}

// parses requires that the command accepts the arguments.
func parses(t *testing.T, args []string) {
	t.Helper()
	root := newRootCommand(console.English)
	root.InitDefaultCompletionCmd(args...)
	cmd, rest, err := root.Find(args)
	require.NoError(t, err, "%q", args)
	cmd.InitDefaultHelpFlag()
	cmd.InitDefaultVersionFlag()
	require.NoError(t, cmd.ParseFlags(rest), "%q", args)
	require.NoError(t, cmd.ValidateRequiredFlags(), "%q", args)
	require.NoError(t, cmd.ValidateArgs(cmd.Flags().Args()), "%q", args)
}

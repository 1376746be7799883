package tools

import (
	"bufio"
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// notRun matches the commands that are not run.
var notRun = regexp.MustCompile(`(?m)^(go test work|go get |bash \.ci/run|git clone ).*\n`)

// Every command in a shell block runs, in the page's order, against a simulator of the
// page's own. A text block right after a shell block must occur in its output.
func TestCommands(t *testing.T) {
	t.Parallel()
	ran := 0
	for _, p := range documents(t) {
		if len(p.blocks("sh")) > 0 {
			ran++
			t.Run(p.path, func(t *testing.T) {
				t.Parallel()
				require.Empty(t, follow(t, p))
			})
		}
	}
	require.Positive(t, ran)
}

// follow runs the commands of a page in a home directory of its own, and returns what
// differs.
// testdata/reader.sh plays the reader.
func follow(t *testing.T, p page) string {
	t.Helper()
	if testing.Short() {
		t.Skip("it calls the go command")
	}
	for _, tool := range []string{"bash", "curl"} {
		if _, err := exec.LookPath(tool); err != nil {
			require.NotEqual(t, "true", os.Getenv("CI"), "%s is not installed", tool)
			t.Skipf("%s is not installed", tool)
		}
	}
	home := t.TempDir()
	write := func(name, text string) string {
		file := filepath.Join(home, name)
		require.NoError(t, os.MkdirAll(filepath.Dir(file), 0o700))
		require.NoError(t, os.WriteFile(file, []byte(text), 0o600))
		return file
	}
	for i, e := range p.elements {
		if e.lang == "sh" {
			write(fmt.Sprintf("blocks/%03d", i), notRun.ReplaceAllString(e.text, "")+"echo 0 the end >>\"$block.ended\"\n")
		}
	}
	root, err := filepath.Abs(repository)
	require.NoError(t, err)
	require.NoError(t, os.CopyFS(filepath.Join(home, "examples"), os.DirFS(filepath.Join(root, "examples"))))
	monthEnd, err := os.ReadFile(filepath.Join(root, "examples/month-end.csv"))
	require.NoError(t, err)
	write("month-end.csv", string(monthEnd))
	write("export.csv", strings.NewReplacer("operation", "Type", "reference", "伝票番号").Replace(string(monthEnd)))
	write("payments.csv", "payment,kind,order,amount\n10000001,plain,,\n10000002,plain,A-2,1580\n10000003,plain,,\n")
	write("panel.csv", "決済番号,状態\n10000001,実売上\n")
	write("reply.txt", "ER:ER003\r\n")
	write("kickback.txt", "gid=10000001&rst=1&am=1000&tx=80&sf=500&ta=1580\n")
	write("email.txt", "taro@example.jp\n")
	write("phone.txt", "0312345678\n")
	write("extra.txt", "order=A-17\n")
	profile, err := os.ReadFile(filepath.Join(root, "testdata/profiles/assumed.json"))
	require.NoError(t, err)
	write("store.json", string(profile))
	write(".local/share/bash-completion/completions/.keep", "")
	write("blocks/-", "jpayment simulate\n")
	reviews(t, filepath.Join(home, "jobs.db"))
	merchant := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "OK") }))
	t.Cleanup(merchant.Close)

	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, "bash", filepath.Join(root, "tools/testdata/reader.sh"))
	cmd.Dir = home
	cmd.Env = append(os.Environ(),
		"HOME="+home, "XDG_CONFIG_HOME=", "XDG_DATA_HOME=", "USER_HOME="+os.Getenv("HOME"), "REPOSITORY="+root, "RECEIVER="+merchant.URL,
		"PATH="+filepath.Dir(command(t))+string(filepath.ListSeparator)+os.Getenv("PATH"), "GOBIN="+filepath.Join(home, "bin"), "LC_ALL=C", "NO_COLOR=1",
		"JPAYMENT_STORE=123456", "JPAYMENT_URL=", "JPAYMENT_DATABASE="+filepath.Join(home, "jobs.db"), "JPAYMENT_KICKBACK_KEY="+strings.Repeat("k", 32))
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s", out)

	read := func(name string) string {
		b, _ := os.ReadFile(filepath.Join(home, name))
		return string(b)
	}
	var faults strings.Builder
	for i, e := range p.elements {
		block := fmt.Sprintf("blocks/%03d", i)
		switch {
		case e.lang == "sh":
			said, ended := read(block+".out"), read(block+".ended")
			if !strings.HasSuffix(ended, "0 the end\n") {
				fmt.Fprintf(&faults, "%s: %s\n", e, said)
			}
			for line := range strings.Lines(ended) {
				status, command, _ := strings.Cut(strings.TrimSpace(line), " ")
				// The command may fail because the gateway refuses, but status 2 means wrong usage.
				if status != "0" && (status == "2" || !strings.HasPrefix(command, "jpayment ")) {
					fmt.Fprintf(&faults, "%s: %s: exit status %s:\n%s\n", e, command, status, said)
				}
			}
		case e.lang == "text" && i > 0 && p.elements[i-1].lang == "sh":
			said := read(fmt.Sprintf("blocks/%03d.out", i-1))
			for line := range strings.Lines(e.text) {
				line = strings.TrimSpace(line)
				if strings.HasSuffix(line, ": yes") || strings.Contains(line, "//127.0.0.1:") { // an answer; an address
					continue
				}
				if !strings.Contains(said, line) {
					fmt.Fprintf(&faults, "%s: the output has no %q:\n%s\n", e, line, said)
					break
				}
			}
		}
	}
	return faults.String()
}

var built string // the directory of the command, once it is built

var build = sync.OnceValue(func() (err error) {
	if built, err = os.MkdirTemp("", "jpayment"); err != nil {
		return err
	}
	cmd := exec.Command("go", "build", "-o", built, "./cmd/jpayment")
	cmd.Dir = repository
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%w: %s", err, out)
	}
	return nil
})

// command returns the file of the command jpayment, which is built once.
func command(t *testing.T) string {
	t.Helper()
	require.NoError(t, build())
	return filepath.Join(built, "jpayment")
}

func TestMain(m *testing.M) {
	status := m.Run()
	if built != "" {
		os.RemoveAll(built)
	}
	os.Exit(status)
}

// startSimulator starts the command's simulator until the test ends, and returns its URL.
func startSimulator(t *testing.T) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), command(t), "simulate", "--listen", "127.0.0.1:0")
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	t.Cleanup(func() { _ = cmd.Wait() }) // The end of the context kills it.
	for lines := bufio.NewScanner(out); lines.Scan(); {
		if url := regexp.MustCompile(`http://127\.0\.0\.1:\d+`).FindString(lines.Text()); url != "" {
			return url
		}
	}
	require.Fail(t, "the simulator does not print its address")
	return ""
}

// The check finds a mistyped command and a changed output.
func TestFollow(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct{ commands, output, want string }{
		"right":           {"jpayment explain ER003 # a code", "ER003", ""},
		"unknown command": {"jpayment explai ER003", "", "a.md:2 (top): jpayment explai ER003: exit status 2"},
		"unknown flag":    {"jpayment simulate --payment 5", "", "a.md:2 (top): jpayment simulate --payment 5: exit status 2"},
		"endless":         {"jpayment work --concurency 2", "", "jpayment work --concurency 2: exit status 2"},
		"unknown program": {"jpaymnet explain ER003", "", "jpaymnet explain ER003: exit status 127"},
		"in a pipe":       {"echo ER003 | jpayment explai -", "", "jpayment explai -: exit status 2"},
		"not there":       {"curl http://127.0.0.1:8080/control/v1/nothing", "", "exit status 22"},
		"not shell":       {"jpayment explain 'ER003", "", "unexpected EOF"},
		"not a package":   {"go vet ./nothing", "", "go vet ./nothing: exit status 1"},
		"output":          {"jpayment explain ER003", "ER004", `a.md:6 (top): the output has no "ER004"`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			faults := follow(t, parsePage("a.md", []byte("```sh\n"+tt.commands+"\n```\n\n```text\n"+tt.output+"\n```\n")))
			if tt.want == "" {
				require.Empty(t, faults)
			} else {
				require.Contains(t, faults, tt.want)
			}
		})
	}
}

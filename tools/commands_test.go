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

// notRun are the commands that are not run, by how they begin.
var notRun = regexp.MustCompile(`^(go test work|go get |bash \.ci/run|git clone )`)

// endless are the commands that run until they are interrupted.
var endless = regexp.MustCompile(`^(?:\w+=\S+ )*jpayment (simulate|work)\b`)

// shell is what a page's reader has at hand. Every command writes down how it ended.
const shell = `
ended() { status=$?; echo "$status $*" >>"$HOME/ended"; return $status; }
go() { (cd "$REPOSITORY" && command go "$@"); ended go "$@"; }
curl() { command curl --silent --show-error --fail-with-body --max-time 60 "$@"; ended curl "$@"; }
jpayment() {
  case "$1" in
  sales | cancel | reauth | run | review) command jpayment "$@" --yes; ended jpayment "$@" ;;
  *) command jpayment "$@"; ended jpayment "$@" ;;
  esac
}
command_not_found_handle() { echo "127 $*" >>"$HOME/ended"; return 127; }
sqlite3() { :; } # The statements run in a test of their own.
ship() { :; }
hold() { :; }
ask_a_person() { :; }
`

// Every command in a block of shell runs, page by page, in the page's order, against a
// simulator of its own. What stands after a block as text is in its output.
func TestCommands(t *testing.T) {
	if testing.Short() {
		t.Skip("it calls the go command")
	}
	t.Parallel()
	for _, tool := range []string{"bash", "curl"} {
		if _, err := exec.LookPath(tool); err != nil {
			require.NotEqual(t, "true", os.Getenv("CI"), "%s is not installed", tool)
			t.Skipf("%s is not installed", tool)
		}
	}
	ran := 0
	for _, p := range documents(t) {
		if len(p.blocks("sh")) == 0 {
			continue
		}
		ran++
		t.Run(p.path, func(t *testing.T) {
			t.Parallel()
			require.Empty(t, newReader(t).follow(t, p))
		})
	}
	require.Positive(t, ran)
}

// reader does what a page says, in a home and a directory of its own.
type reader struct {
	home, receiver, simulator string
}

func newReader(t *testing.T) *reader {
	t.Helper()
	r := &reader{home: t.TempDir(), simulator: startSimulator(t)}
	require.NoError(t, os.CopyFS(filepath.Join(r.home, "examples"), os.DirFS(filepath.Join(repository, "examples"))))
	file, err := os.ReadFile(filepath.Join(repository, "examples/month-end.csv"))
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(r.home, "month-end.csv"), file, 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(r.home, "reply.txt"), []byte("ER:ER003\r\n"), 0o600))
	require.NoError(t, os.MkdirAll(filepath.Join(r.home, ".local/share/bash-completion/completions"), 0o700))
	reviews(t, filepath.Join(r.home, "jobs.db"))
	shop := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "OK") }))
	t.Cleanup(shop.Close)
	r.receiver = shop.URL + "/kickback"
	return r
}

// follow returns what a page says that is not so.
func (r *reader) follow(t *testing.T, p page) (faults []string) {
	t.Helper()
	var output string
	for i, e := range p.elements {
		switch {
		case e.kind != "code":
		case e.lang == "sh":
			output = ""
			var script strings.Builder
			flush := func() {
				said, wrong := r.run(t, e, script.String())
				output, faults = output+said, append(faults, wrong...)
				script.Reset()
			}
			for line := range strings.Lines(e.text) {
				switch {
				case notRun.MatchString(line):
				case endless.MatchString(line):
					flush()
					faults = append(faults, r.interrupt(t, e, line)...)
				default:
					script.WriteString(line)
				}
			}
			flush()
		case e.lang == "text" && i > 0 && p.elements[i-1].lang == "sh":
			for line := range strings.Lines(r.here(e.text)) {
				// The answer to a question is not in the output.
				if line = strings.TrimSpace(line); !strings.HasSuffix(line, ": yes") && !strings.Contains(output, line) {
					faults = append(faults, fmt.Sprintf("%s: the output has no %q:\n%s", e, line, output))
					break
				}
			}
		}
	}
	return faults
}

// here puts this test's addresses in the place of the page's.
func (r *reader) here(text string) string {
	return strings.NewReplacer("http://127.0.0.1:8080", r.simulator, "http://127.0.0.1:9000/kickback", r.receiver, "127.0.0.1:8081", "127.0.0.1:0").Replace(text)
}

// run runs commands, and returns what they said and which of them were no good: any that
// failed, but for jpayment those that it did not understand, since it fails where the
// gateway refuses.
func (r *reader) run(t *testing.T, e element, script string) (output string, faults []string) {
	t.Helper()
	if strings.TrimSpace(script) == "" {
		return "", nil
	}
	log := filepath.Join(r.home, "ended")
	require.NoError(t, os.RemoveAll(log))
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, "bash", "-u", "-c", shell+r.here(script)+"\necho 0 the end >>\"$HOME/ended\"\n")
	r.prepare(t, cmd)
	said, err := cmd.CombinedOutput()
	ended, _ := os.ReadFile(log)
	if !strings.HasSuffix(string(ended), "0 the end\n") {
		faults = append(faults, fmt.Sprintf("%s: %v: %s", e, err, said))
	}
	for line := range strings.Lines(string(ended)) {
		status, command, _ := strings.Cut(strings.TrimSpace(line), " ")
		if failed := status != "0"; failed && (status == "2" || !strings.HasPrefix(command, "jpayment ")) {
			faults = append(faults, fmt.Sprintf("%s: %s: exit status %s:\n%s", e, command, status, said))
		}
	}
	return string(said), faults
}

// interrupt starts a command that has no end, waits until it works, and interrupts it. A
// simulator at the address that the pages use serves what follows.
func (r *reader) interrupt(t *testing.T, e element, line string) []string {
	t.Helper()
	if strings.Contains(line, "jpayment simulate") && !strings.Contains(line, "--listen") {
		line, _, _ = strings.Cut(line, "#")
		next, said := startProgram(t, exec.CommandContext(t.Context(), command(t), append(strings.Fields(line)[1:], "--listen", "127.0.0.1:0")...), simulatorURL)
		if next == "" {
			return []string{fmt.Sprintf("%s: %s: %s", e, line, said())}
		}
		r.simulator = next
		return nil
	}
	cmd := exec.CommandContext(t.Context(), "bash", "-u", "-c", "exec env "+regexp.MustCompile(`127\.0\.0\.1:\d+|0\.0\.0\.0:\d+`).ReplaceAllString(line, "127.0.0.1:0"))
	r.prepare(t, cmd)
	_, said := startProgram(t, cmd, regexp.MustCompile(`.+`))
	require.NoError(t, cmd.Process.Signal(os.Interrupt))
	if err := cmd.Wait(); err != nil {
		return []string{fmt.Sprintf("%s: %s: %v: %s", e, line, err, said())}
	}
	return nil
}

// prepare gives a command the reader's home, and the simulator for the real gateway.
func (r *reader) prepare(t *testing.T, cmd *exec.Cmd) {
	t.Helper()
	root, err := filepath.Abs(repository)
	require.NoError(t, err)
	cmd.Dir = r.home
	cmd.Env = append(os.Environ(),
		"HOME="+r.home, "XDG_CONFIG_HOME=", "XDG_DATA_HOME=", "REPOSITORY="+root, "LC_ALL=C", "NO_COLOR=1",
		"PATH="+filepath.Dir(command(t))+string(filepath.ListSeparator)+os.Getenv("PATH"), "GOBIN="+filepath.Join(r.home, "bin"),
		"JPAYMENT_STORE=123456", "JPAYMENT_URL="+r.simulator, "JPAYMENT_DATABASE="+filepath.Join(r.home, "jobs.db"),
		"JPAYMENT_KICKBACK_KEY="+strings.Repeat("k", 32))
	for _, name := range []string{"GOCACHE", "GOMODCACHE", "GOPATH"} { // which are under HOME by default
		cmd.Env = append(cmd.Env, name+"="+goEnv(t, name))
	}
}

func goEnv(t *testing.T, name string) string {
	t.Helper()
	value, err := exec.CommandContext(t.Context(), "go", "env", name).Output()
	require.NoError(t, err)
	return strings.TrimSpace(string(value))
}

var built = struct {
	sync.Once
	dir string
	err error
}{}

// command returns the file of the command jpayment, which is built once.
func command(t *testing.T) string {
	t.Helper()
	built.Do(func() {
		if built.dir, built.err = os.MkdirTemp("", "jpayment"); built.err != nil {
			return
		}
		cmd := exec.Command("go", "build", "-o", built.dir, "./cmd/jpayment")
		cmd.Dir = repository
		if out, err := cmd.CombinedOutput(); err != nil {
			built.err = fmt.Errorf("%w: %s", err, out)
		}
	})
	require.NoError(t, built.err)
	return filepath.Join(built.dir, "jpayment")
}

func TestMain(m *testing.M) {
	status := m.Run()
	if built.dir != "" {
		os.RemoveAll(built.dir)
	}
	os.Exit(status)
}

var simulatorURL = regexp.MustCompile(`http://127\.0\.0\.1:\d+`)

// startSimulator starts a simulator on a free port, until the test ends, and returns its URL.
func startSimulator(t *testing.T) string {
	t.Helper()
	url, said := startProgram(t, exec.CommandContext(t.Context(), command(t), "simulate", "--listen", "127.0.0.1:0"), simulatorURL)
	if url == "" {
		require.Fail(t, said())
	}
	return url
}

// startProgram starts a program, waits until it says something that is looked for, and
// returns that; or nothing if it ends before. It is killed when the test ends.
func startProgram(t *testing.T, cmd *exec.Cmd, something *regexp.Regexp) (found string, said func() string) {
	t.Helper()
	out, in, err := os.Pipe()
	require.NoError(t, err)
	cmd.Stdout, cmd.Stderr = in, in
	require.NoError(t, cmd.Start())
	require.NoError(t, in.Close())
	var b strings.Builder
	lines := bufio.NewScanner(out)
	for found == "" && lines.Scan() {
		b.WriteString(lines.Text() + "\n")
		found = something.FindString(lines.Text())
	}
	all := make(chan string, 1)
	go func() {
		for lines.Scan() {
			b.WriteString(lines.Text() + "\n")
		}
		out.Close()
		all <- b.String()
	}()
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	return found, func() string { return <-all }
}

// A command with a slip of the pen is found, and so is an output that has changed.
func TestCommandsFaults(t *testing.T) {
	if testing.Short() {
		t.Skip("it calls the go command")
	}
	t.Parallel()
	for name, tt := range map[string]struct{ page, want string }{
		"right":              {"```sh\njpayment explain ER003 # a code\n```\n", ""},
		"unknown command":    {"```sh\njpayment explai ER003\n```\n", "a.md:2 (top): jpayment explai ER003: exit status 2"},
		"unknown flag":       {"```sh\njpayment simulate --payment 5\n```\n", "unknown flag: --payment"},
		"unknown program":    {"```sh\njpaymnet explain ER003\n```\n", "jpaymnet explain ER003: exit status 127"},
		"in a pipe":          {"```sh\necho ER003 | jpayment explai -\n```\n", "jpayment explai -: exit status 2"},
		"not there":          {"```sh\ncurl http://127.0.0.1:8080/control/v1/nothing\n```\n", "exit status 22"},
		"not shell":          {"```sh\njpayment explain 'ER003\n```\n", "unexpected EOF"},
		"not a package":      {"```sh\ngo vet ./nothing\n```\n", "go vet ./nothing: exit status 1"},
		"output":             {"```sh\njpayment explain ER003\n```\n\n```text\nER004\n```\n", `a.md:6 (top): the output has no "ER004"`},
		"with a here server": {"```sh\ncurl http://127.0.0.1:8080/control/v1/payments\n```\n\n```text\n[\n```\n", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			faults := strings.Join(newReader(t).follow(t, parsePage("a.md", []byte(tt.page))), "\n")
			if tt.want == "" {
				require.Empty(t, faults)
			} else {
				require.Contains(t, faults, tt.want)
			}
		})
	}
}

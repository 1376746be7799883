package cli

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/jpayment-go/jpayment"
)

// commandLines returns the commands of an example, split as a shell would.
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

// parses requires that the command would take the arguments.
func parses(t *testing.T, args []string) {
	t.Helper()
	root := newRootCommand(english)
	root.InitDefaultCompletionCmd(args...)
	cmd, rest, err := root.Find(args)
	require.NoError(t, err, "%q", args)
	cmd.InitDefaultHelpFlag()
	cmd.InitDefaultVersionFlag()
	require.NoError(t, cmd.ParseFlags(rest), "%q", args)
	require.NoError(t, cmd.ValidateRequiredFlags(), "%q", args)
	require.NoError(t, cmd.ValidateArgs(cmd.Flags().Args()), "%q", args)
}

// Every command line in the document is one that the command takes, and those that
// need no gateway do what they are there for.
func TestDocument(t *testing.T) {
	t.Parallel()
	b, err := os.ReadFile("../../../../docs/command.md")
	require.NoError(t, err)
	blocks := regexp.MustCompile("(?s)```sh\n(.*?)```").FindAllStringSubmatch(string(b), -1)
	require.NotEmpty(t, blocks)
	parsed, ranHere := 0, 0
	for _, block := range blocks {
		for _, args := range commandLines(block[1]) {
			parses(t, args)
			parsed++
			switch args[0] {
			case "man":
				args[1] = filepath.Join(t.TempDir(), "man1")
			case "explain", "completion", "--version", "--help":
			default:
				continue
			}
			s := session{input: "ER003\r\n"}
			require.Equal(t, exitDone, s.run(t, args...).status, "%q", args)
			ranHere++
		}
	}
	require.Greater(t, parsed, 10)
	require.Greater(t, ranHere, 4)
}

// What the document says of the commands, settings and exit statuses is complete.
func TestDocumentNamesAll(t *testing.T) {
	t.Parallel()
	b, err := os.ReadFile("../../../../docs/command.md")
	require.NoError(t, err)
	doc := string(b)
	for _, cmd := range newRootCommand(english).Commands() {
		require.Contains(t, doc, "jpayment "+cmd.Name())
	}
	for _, setting := range regexp.MustCompile(`JPAYMENT_[A-Z_]+|toml:"[a-z_]+`).FindAllString(source(t, "settings.go"), -1) {
		require.Contains(t, doc, "`"+strings.TrimPrefix(setting, `toml:"`)+"`")
	}
}

func source(t *testing.T, name string) string {
	t.Helper()
	b, err := os.ReadFile(name)
	require.NoError(t, err)
	return string(b)
}

// The next steps in Japanese are those of the document on outcomes, and there is one
// for whatever a code can say.
func TestNextStepsInJapanese(t *testing.T) {
	t.Parallel()
	b, err := os.ReadFile("../../../../docs/outcomes.ja.md")
	require.NoError(t, err)
	_, table, ok := strings.Cut(string(b), "<!-- generated: next -->")
	require.True(t, ok)
	table, _, _ = strings.Cut(table, "<!-- end -->")
	documented := map[string]string{}
	for _, row := range regexp.MustCompile("(?m)^\\| `(.+)` \\| (.+) \\|$").FindAllStringSubmatch(table, -1) {
		if row[1] != "next:" {
			documented[row[1]] = row[2]
		}
	}
	require.Equal(t, documented, nextJa)

	for _, code := range []jpayment.Code{"ER000", "ER001", "ER003", "ER010", "ER030", "ER032", "ER033", "ER050", "ER053", "ER564", "ER777", "ER999", "G1242G120000"} {
		for _, op := range []jpayment.Operation{jpayment.OpSales, jpayment.OpCancel, jpayment.OpReAuth} {
			next := tell(&jpayment.GatewayError{Call: jpayment.Call{Operation: op}, Code: code}).next
			require.Contains(t, nextJa, next, "%s after %s", string(code), op)
			require.NotEqual(t, next, nextIn(japanese, next))
			require.Equal(t, next, nextIn(english, next))
		}
	}
	require.Equal(t, "something new", nextIn(japanese, "something new"))
}

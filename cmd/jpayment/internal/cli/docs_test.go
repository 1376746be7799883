package cli

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
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

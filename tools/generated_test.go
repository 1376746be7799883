package tools

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

var update = flag.Bool("update", false, "regenerate the tables of the pages and the list of the exported API")

const regenerate = "If the change is intended: go generate ./tools\n"

// The text between "generated" and "end" in a page is up to date. In a page whose name ends
// in .ja.md it is in Japanese.
func TestGenerated(t *testing.T) {
	t.Parallel()
	used := map[string]bool{}
	for _, p := range documents(t) {
		file := filepath.Join(repository, p.path)
		src, err := os.ReadFile(file)
		require.NoError(t, err)
		l := english
		if strings.HasSuffix(p.path, ".ja.md") {
			l = japanese
		}
		want := generated.ReplaceAllStringFunc(string(src), func(old string) string {
			name := generated.FindStringSubmatch(old)[1]
			generate, ok := generators[name]
			if !ok {
				t.Errorf("%s: nothing generates %q", p.path, name)
				return old
			}
			used[name] = true
			return "<!-- generated: " + name + " -->\n\n" + generate(t, l) + "\n<!-- end -->"
		})
		if *update && want != string(src) {
			require.NoError(t, os.WriteFile(file, []byte(want), 0o644))
		} else if stale := difference(p.path, string(src), want); stale != "" {
			t.Error(stale + regenerate)
		}
	}
	for name := range generators {
		require.True(t, used[name], "no page has %s", name)
	}
}

var generated = regexp.MustCompile(`(?s)<!-- generated: ([\w-]+) -->\n.*?<!-- end -->`)

// difference returns a few of the outdated lines of a page and of the lines that should
// replace them, or "".
func difference(page, got, want string) string {
	if got == want {
		return ""
	}
	var b strings.Builder
	list := func(what string, lines, others []string) {
		n := 0
		for i, line := range lines {
			if n < 3 && !slices.Contains(others, line) {
				n++
				fmt.Fprintf(&b, "%s:%d: %s: %s\n", page, i+1, what, line)
			}
		}
	}
	before, after := strings.Split(got, "\n"), strings.Split(want, "\n")
	list("out of date", before, after)
	list("should be there", after, before)
	if b.Len() == 0 {
		b.WriteString(page + ": generated lines are not in order\n")
	}
	return b.String()
}

func TestDifference(t *testing.T) {
	t.Parallel()
	require.Empty(t, difference("a.md", "1\n2\n", "1\n2\n"))
	require.Equal(t, "a.md:2: out of date: 2\na.md:2: should be there: 3\n", difference("a.md", "1\n2\n4\n", "1\n3\n4\n"))
	require.Equal(t, "a.md:2: should be there: 3\n", difference("a.md", "1\n2", "1\n3\n2"))
	require.Equal(t, "a.md: generated lines are not in order\n", difference("a.md", "1\n2", "2\n1"))
}

// language is a language of the pages.
type language int

const (
	english language = iota
	japanese
)

// table formats a table; the first row is its header.
func table(rows ...[]string) string {
	var b strings.Builder
	for i, row := range rows {
		b.WriteString("| " + strings.Join(row, " | ") + " |\n")
		if i == 0 {
			b.WriteString(strings.Repeat("|---", len(row)) + "|\n")
		}
	}
	return b.String()
}

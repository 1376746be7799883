package tools

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

var update = flag.Bool("update", false, "write anew what is generated: the tables of the pages, the list of the exported API")

const regenerate = "If it is meant: go generate ./tools\n"

// What stands in a page between "generated" and "end" is what the packages say. A page
// whose name ends in .ja.md has it in Japanese.
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
		} else if difference := firstDifference(p.path, string(src), want); difference != "" {
			t.Error(difference + regenerate)
		}
	}
	for name := range generators {
		require.True(t, used[name], "no page has %s", name)
	}
}

var generated = regexp.MustCompile(`(?s)<!-- generated: ([\w-]+) -->\n.*?<!-- end -->`)

// firstDifference names the first line that is out of date, or is empty.
func firstDifference(page, got, want string) string {
	if got == want {
		return ""
	}
	before, after := strings.Split(got, "\n"), strings.Split(want, "\n")
	n := 0
	for n < len(before) && n < len(after) && before[n] == after[n] {
		n++
	}
	line := func(lines []string) string { return strings.Join(lines[min(n, len(lines)):min(n+1, len(lines))], "") }
	return fmt.Sprintf("%s:%d is out of date.\n\tnow:  %s\n\twant: %s\n", page, n+1, line(before), line(after))
}

func TestFirstDifference(t *testing.T) {
	t.Parallel()
	require.Empty(t, firstDifference("a.md", "1\n2\n", "1\n2\n"))
	require.Equal(t, "a.md:2 is out of date.\n\tnow:  2\n\twant: 3\n", firstDifference("a.md", "1\n2\n4\n", "1\n3\n2\n4\n"))
	require.Equal(t, "a.md:2 is out of date.\n\tnow:  2\n\twant: \n", firstDifference("a.md", "1\n2", "1"))
}

// language is one that pages are written in.
type language int

const (
	english language = iota
	japanese
)

// table writes a table, whose first row is its head.
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

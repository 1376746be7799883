package tools

import (
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// A page and its Japanese twin match: the same headings, the same code except for comments,
// and tables of the same shape, in the same order.
func TestTwins(t *testing.T) {
	t.Parallel()
	all := map[string]page{}
	for _, p := range pages(t) {
		all[p.path] = p
	}
	pairs := 0
	for name, english := range all {
		if japanese, ok := all[strings.TrimSuffix(name, ".md")+".ja.md"]; ok {
			pairs++
			require.Empty(t, twinDifference(english, japanese))
		}
	}
	require.GreaterOrEqual(t, pairs, 3)
}

// twinDifference returns where two pages begin to differ, or "".
func twinDifference(a, b page) string {
	for i := range max(len(a.elements), len(b.elements)) {
		here, there := elementAt(a, i), elementAt(b, i)
		if here.shape() != there.shape() {
			return fmt.Sprintf("the twins differ from here on:\n%v: %s\n%v: %s", here, here.shape(), there, there.shape())
		}
	}
	return ""
}

func elementAt(p page, i int) element {
	if i < len(p.elements) {
		return p.elements[i]
	}
	return element{page: p.path, kind: "the end"}
}

// comment matches comments of Go, SQL and shell.
var comment = regexp.MustCompile(`(?m)[ \t]*(//|#|--) .*$`)

// shape returns the part of an element that its twin must share.
func (e element) shape() string {
	switch e.kind {
	case "heading":
		return fmt.Sprintf("a heading of level %d", e.level)
	case "row":
		return fmt.Sprintf("a table row of %d cells, the first with %q", e.cells, e.spans)
	case "code":
		return fmt.Sprintf("code in %q:\n%s", e.lang, comment.ReplaceAllString(e.text, ""))
	default:
		return e.kind
	}
}

func TestTwinDifference(t *testing.T) {
	t.Parallel()
	const english = "# A\n\n```go\nx := 1 // one\n```\n\n| `a` | b |\n|---|---|\n| `c` | d |\n\n## B\n"
	p := parsePage("a.md", []byte(english))
	for name, tt := range map[string]struct{ old, new, want string }{
		"translated": {"one", "いち", ""},
		"code":       {"x := 1", "x := 2", "a.ja.md:4 (# A): code"},
		"heading":    {"## B", "### B", "a.ja.md:11 (### B): a heading of level 3"},
		"row":        {"| `c` |", "| `e` |", "a.ja.md:9 (# A): a table row"},
		"language":   {"```go", "```sh", "a.ja.md:4 (# A): code in \"sh\""},
		"shorter":    {"## B", "B", "the end"},
	} {
		got := twinDifference(p, parsePage("a.ja.md", []byte(strings.Replace(english, tt.old, tt.new, 1))))
		if tt.want == "" {
			require.Empty(t, got, name)
		} else {
			require.Contains(t, got, tt.want, name)
		}
	}
}

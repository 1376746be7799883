package tools

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/jpayment-go/jpayment/internal/assumed"
)

// Comments cite only sources that readers have: files of the repository, headings of its
// pages, numbers of assumptions, and headings of the specification named in docs/protocol.md.
func TestCitations(t *testing.T) {
	t.Parallel()
	c := citations{headings: map[string][]string{}}
	for _, p := range pages(t) {
		for _, e := range p.elements {
			if e.kind == "heading" {
				c.headings[p.path] = append(c.headings[p.path], strings.ReplaceAll(e.text, "`", ""))
			}
		}
	}
	protocol, err := os.ReadFile(filepath.Join(repository, "docs/protocol.md"))
	require.NoError(t, err)
	c.protocol = string(protocol)
	c.exists = func(file string) bool {
		_, err := os.Stat(filepath.Join(repository, filepath.FromSlash(file)))
		return err == nil
	}

	found := 0
	err = filepath.WalkDir(repository, func(file string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			if name := filepath.Base(file); err == nil && strings.HasPrefix(name, ".") && name != ".." {
				return fs.SkipDir
			}
			return err
		}
		name, err := filepath.Rel(repository, file)
		require.NoError(t, err)
		name = filepath.ToSlash(name)
		src, err := os.ReadFile(file)
		require.NoError(t, err)
		switch {
		case filepath.Base(file) == "citations_test.go":
		case filepath.Ext(file) == ".go":
			set := token.NewFileSet()
			parsed, err := parser.ParseFile(set, name, src, parser.ParseComments)
			require.NoError(t, err)
			for _, group := range parsed.Comments {
				found += len(citation.FindAllString(commentText(group), -1))
				for _, wrong := range c.wrong(path.Dir(name), commentText(group)) {
					t.Errorf("%s: %s", set.Position(group.Pos()), wrong)
				}
			}
		case filepath.Ext(file) == ".md":
			if i := fieldNotes.FindIndex(src); i != nil {
				t.Errorf("%s:%d: %s", name, 1+bytes.Count(src[:i[0]], []byte("\n")), noFieldNotes)
			}
		}
		return nil
	})
	require.NoError(t, err)
	require.Greater(t, found, 30)
}

// citations holds everything that can be cited.
type citations struct {
	headings map[string][]string // of pages
	protocol string              // docs/protocol.md
	exists   func(file string) bool
}

var (
	fieldNotes = regexp.MustCompile(`(?i)\bfield notes?\b`)
	// A page, and the cited part of it.
	citation      = regexp.MustCompile(`(docs/[\w.-]+\.md)(?:, (?:assumption (\d+)|"([^"]*)"))?`)
	specification = regexp.MustCompile(`specification, ([^;:.]*)`)
	// A path that begins like one of the repository, and is not part of an import path.
	citedPath = regexp.MustCompile(`(?:^|[\s("])((?:docs|examples|testdata|internal|tools|cmd|fulfilment|modeltest|benchmarks|jpaymenttest)/[\w./-]*\w)`)
)

const noFieldNotes = "the repository has no field notes: cite docs/protocol.md"

// commentText returns a comment without its markers, its lines joined.
func commentText(group *ast.CommentGroup) string {
	return strings.Join(strings.Fields(group.Text()), " ")
}

// wrong returns the citations of a comment that lead nowhere. dir is the file's directory.
func (c citations) wrong(dir, text string) (wrong []string) {
	say := func(format string, args ...any) { wrong = append(wrong, fmt.Sprintf(format, args...)) }
	if fieldNotes.MatchString(text) {
		say(noFieldNotes)
	}
	for _, m := range citation.FindAllStringSubmatch(text, -1) {
		page, number, heading := m[1], m[2], m[3]
		if number != "" {
			n, err := strconv.Atoi(number)
			if _, ok := assumed.Of(n); err != nil || !ok || page != "docs/protocol.md" {
				say("%s has no assumption %s", page, number)
			}
		}
		if heading != "" && !slices.Contains(c.headings[page], heading) {
			say("%s has no heading %q", page, heading)
		}
	}
	for _, m := range specification.FindAllStringSubmatch(text, -1) {
		heading, quoted := strings.CutPrefix(m[1], `"`)
		heading, _, closed := strings.Cut(heading, `"`)
		switch {
		case !quoted && !inJapanese.MatchString(m[1]): // a clause of a sentence
		case !quoted || !closed:
			say("the heading of the specification is not in quotes: %s", m[1])
		case !strings.Contains(c.protocol, heading):
			say("docs/protocol.md names no heading %q of the specification", heading)
		}
	}
	for _, m := range citedPath.FindAllStringSubmatch(text, -1) {
		if file := m[1]; !c.exists(file) && !c.exists(path.Join(dir, file)) {
			say("there is no %s", file)
		}
	}
	return wrong
}

var inJapanese = regexp.MustCompile(`[\p{Han}\p{Katakana}]`)

func TestWrongCitations(t *testing.T) {
	t.Parallel()
	c := citations{
		headings: map[string][]string{"docs/protocol.md": {"A row"}},
		protocol: "接続先",
		exists: func(file string) bool {
			return slices.Contains([]string{"docs/protocol.md", "internal/sim/testdata/a.txt"}, file)
		},
	}
	for text, want := range map[string][]string{
		`It is so (docs/protocol.md, "A row"; H), see testdata/a.txt.`:     nil,
		"It is so (docs/protocol.md, assumption 1).":                       nil,
		`It is so (specification, "接続先"; docs/protocol.md, assumption 2).`: nil,
		"It is from the specification, not from the client.":               nil,
		"Import github.com/jpayment-go/jpayment/internal/none.":            nil,
		"It is so (field notes, H).":                                       {noFieldNotes},
		`It is so (docs/protocol.md, "No row").`:                           {`docs/protocol.md has no heading "No row"`},
		"It is so (docs/protocol.md, assumption 999).":                     {"docs/protocol.md has no assumption 999"},
		"It is so (docs/outcomes.md, assumption 1).":                       {"docs/outcomes.md has no assumption 1", "there is no docs/outcomes.md"},
		"It is so (specification, 接続先).":                                   {"the heading of the specification is not in quotes: 接続先)"},
		`It is so (specification, "接続後").`:                                 {`docs/protocol.md names no heading "接続後" of the specification`},
		"See internal/sim/b.go for more.":                                  {"there is no internal/sim/b.go"},
	} {
		require.Equal(t, want, c.wrong("internal/sim", text), text)
	}
}

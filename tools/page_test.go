package tools

import (
	"bytes"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/extension"
	east "github.com/yuin/goldmark/extension/ast"
	"github.com/yuin/goldmark/text"
)

// repository is the root of the repository, relative to this package.
const repository = ".."

// page is a Markdown page, parsed once for all checks.
type page struct {
	path     string    // from the root of the repository
	elements []element // headings, blocks of code, rows of tables
	links    []element
	spans    []element // code spans in the prose
}

// element is a part of a page.
type element struct {
	page    string
	line    int    // counted from 1; for a block, its first line of text
	section string // the heading above, or itself
	kind    string // "heading", "code" or "row", of elements
	level   int    // of a heading
	lang    string // of a block
	text    string // for a link, its target
	cells   int    // of a row
	spans   []string
}

func (e element) String() string { return fmt.Sprintf("%s:%d (%s)", e.page, e.line, e.section) }

// pages returns all pages of the repository.
func pages(t *testing.T) []page {
	t.Helper()
	var found []page
	err := filepath.WalkDir(repository, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if name := d.Name(); d.IsDir() && strings.HasPrefix(name, ".") && name != ".." && name != ".github" {
			return fs.SkipDir
		}
		if filepath.Ext(path) != ".md" {
			return nil
		}
		src, err := os.ReadFile(path)
		rel, _ := filepath.Rel(repository, path)
		found = append(found, parsePage(filepath.ToSlash(rel), src))
		return err
	})
	require.NoError(t, err)
	require.NotEmpty(t, found)
	return found
}

// documents returns the pages for users: the READMEs and docs.
func documents(t *testing.T) []page {
	t.Helper()
	var kept []page
	for _, p := range pages(t) {
		if dir := filepath.Dir(p.path); dir == "docs" || dir == "." && strings.HasPrefix(p.path, "README") {
			kept = append(kept, p)
		}
	}
	require.Greater(t, len(kept), 2)
	return kept
}

func parsePage(path string, src []byte) page {
	p := page{path: path}
	section := "top"
	at := func(n ast.Node, e element) element {
		start := n.Pos()
		if n.Kind() == ast.KindFencedCodeBlock && n.Lines().Len() > 0 {
			start = n.Lines().At(0).Start
		}
		e.page, e.line, e.section = path, 1+bytes.Count(src[:max(start, 0)], []byte("\n")), section
		return e
	}
	add := func(n ast.Node, e element) { p.elements = append(p.elements, at(n, e)) }
	root := goldmark.New(goldmark.WithExtensions(extension.Table)).Parser().Parse(text.NewReader(src))
	_ = ast.Walk(root, func(n ast.Node, entering bool) (ast.WalkStatus, error) {
		if !entering {
			return ast.WalkContinue, nil
		}
		switch n := n.(type) {
		case *ast.Heading:
			title := string(n.Lines().Value(src))
			section = strings.Repeat("#", n.Level) + " " + title
			add(n, element{kind: "heading", level: n.Level, text: title})
		case *ast.FencedCodeBlock:
			add(n, element{kind: "code", lang: string(n.Language(src)), text: string(n.Lines().Value(src))})
		case *east.TableRow, *east.TableHeader:
			add(n, element{kind: "row", cells: n.ChildCount(), spans: codeSpans(n.FirstChild(), src)})
		case *ast.CodeSpan:
			p.spans = append(p.spans, at(n, element{text: codeSpans(n, src)[0]}))
		case *ast.Link:
			p.links = append(p.links, at(n, element{text: string(n.Destination)}))
		case *ast.Image:
			p.links = append(p.links, at(n, element{text: string(n.Destination)}))
		}
		return ast.WalkContinue, nil
	})
	return p
}

// codeSpans returns the code spans in a node.
func codeSpans(n ast.Node, src []byte) (spans []string) {
	_ = ast.Walk(n, func(n ast.Node, entering bool) (ast.WalkStatus, error) {
		if span, ok := n.(*ast.CodeSpan); ok && entering {
			var b strings.Builder
			for c := span.FirstChild(); c != nil; c = c.NextSibling() {
				b.Write(c.(*ast.Text).Segment.Value(src))
			}
			spans = append(spans, b.String())
		}
		return ast.WalkContinue, nil
	})
	return spans
}

// blocks returns a page's code blocks in a language.
func (p page) blocks(lang string) (blocks []element) {
	for _, e := range p.elements {
		if e.kind == "code" && e.lang == lang {
			blocks = append(blocks, e)
		}
	}
	return blocks
}

// anchors returns the anchors of a page's headings, as GitHub generates them.
func (p page) anchors() (anchors []string) {
	met := map[string]int{}
	for _, e := range p.elements {
		if e.kind != "heading" {
			continue
		}
		name := regexp.MustCompile(`[^\p{L}\p{N} _-]`).ReplaceAllString(strings.ToLower(e.text), "")
		name = strings.ReplaceAll(name, " ", "-")
		met[name]++
		if n := met[name]; n > 1 {
			name = fmt.Sprintf("%s-%d", name, n-1)
		}
		anchors = append(anchors, name)
	}
	return anchors
}

func TestParsePage(t *testing.T) {
	t.Parallel()
	p := parsePage("a.md", []byte("# Ein `x`\n\ntext [b](b.md#c) and\n![p](p.png)\n\n- item\n\n  ```go\n  x := 1\n  ```\n\n| `a` | b |\n|---|---|\n| `c`, `d` | [e](#f) |\n\n## 結果\n\n# Ein x\n"))
	require.Equal(t, []element{
		{page: "a.md", line: 1, section: "# Ein `x`", kind: "heading", level: 1, text: "Ein `x`"},
		{page: "a.md", line: 9, section: "# Ein `x`", kind: "code", lang: "go", text: "x := 1\n"},
		{page: "a.md", line: 12, section: "# Ein `x`", kind: "row", cells: 2, spans: []string{"a"}},
		{page: "a.md", line: 14, section: "# Ein `x`", kind: "row", cells: 2, spans: []string{"c", "d"}},
		{page: "a.md", line: 16, section: "## 結果", kind: "heading", level: 2, text: "結果"},
		{page: "a.md", line: 18, section: "# Ein x", kind: "heading", level: 1, text: "Ein x"},
	}, p.elements)
	var links []string
	for _, l := range p.links {
		links = append(links, fmt.Sprint(l.line, " ", l.text))
	}
	require.Equal(t, []string{"3 b.md#c", "4 p.png", "14 #f"}, links)
	require.Equal(t, []string{"ein-x", "結果", "ein-x-1"}, p.anchors())
	require.Equal(t, "a.md:9 (# Ein `x`)", p.blocks("go")[0].String())
}

package tools

import (
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// Every link within the repository leads to an existing file and heading.
func TestLinks(t *testing.T) {
	t.Parallel()
	require.Empty(t, strings.Join(brokenLinks(pages(t), func(file string) bool {
		_, err := os.Stat(filepath.Join(repository, file))
		return err == nil
	}), "\n"))
}

func brokenLinks(all []page, exists func(file string) bool) (broken []string) {
	for _, p := range all {
		for _, l := range p.links {
			at := l.String() + ": " + l.text
			target, anchor, _ := strings.Cut(l.text, "#")
			file := path.Join(path.Dir(p.path), target)
			switch {
			case strings.Contains(target, ":"): // another site
				continue
			case target == "":
				file = p.path
			case !exists(file):
				broken = append(broken, at+": there is no such file")
				continue
			}
			if anchor == "" {
				continue
			}
			i := slices.IndexFunc(all, func(other page) bool { return other.path == file })
			if i < 0 || !slices.Contains(all[i].anchors(), anchor) {
				broken = append(broken, at+": the page has no such heading")
			}
		}
	}
	return broken
}

func TestBrokenLinks(t *testing.T) {
	t.Parallel()
	all := []page{
		parsePage("docs/a.md", []byte("# A b\n\n[1](#a-b) [2](b.md#結果) [3](../x.go) [4](https://example.com/#x)\n\n[5](c.md)\n[6](#a) [7](b.md#no)\n")),
		parsePage("docs/b.md", []byte("# 結果\n")),
	}
	require.Equal(t, []string{
		"docs/a.md:5 (# A b): c.md: there is no such file",
		"docs/a.md:6 (# A b): #a: the page has no such heading",
		"docs/a.md:6 (# A b): b.md#no: the page has no such heading",
	}, brokenLinks(all, func(file string) bool { return file != "docs/c.md" }))
}

// Each question of new readers links to an answer under a heading.
func TestQuestions(t *testing.T) {
	t.Parallel()
	i := slices.IndexFunc(pages(t), func(p page) bool { return p.path == "CONTRIBUTING.md" })
	unanswered, questions := unansweredQuestions(pages(t)[i])
	require.Empty(t, strings.Join(unanswered, "\n"))
	require.GreaterOrEqual(t, questions, 20)
}

// unansweredQuestions returns the rows of the table of questions without a link to a heading,
// and the number of rows. TestLinks follows the links.
func unansweredQuestions(p page) (unanswered []string, questions int) {
	const section = "## Questions of new readers"
	for i, e := range p.elements {
		if e.kind != "row" || e.section != section || p.elements[i-1].kind == "heading" {
			continue
		}
		questions++
		if !slices.ContainsFunc(p.links, func(l element) bool { return l.line == e.line && strings.Contains(l.text, "#") }) {
			unanswered = append(unanswered, e.String()+": the question has no link to a heading")
		}
	}
	return unanswered, questions
}

func TestUnansweredQuestions(t *testing.T) {
	t.Parallel()
	p := parsePage("a.md", []byte("## Questions of new readers\n\n| Question | Answer |\n|---|---|\n| a | [b](b.md#c) |\n| d | [b](b.md) |\n| e | f |\n\n## More\n\n| a | b |\n|---|---|\n| c | d |\n"))
	unanswered, questions := unansweredQuestions(p)
	require.Equal(t, 3, questions)
	require.Equal(t, []string{
		"a.md:6 (## Questions of new readers): the question has no link to a heading",
		"a.md:7 (## Questions of new readers): the question has no link to a heading",
	}, unanswered)
}

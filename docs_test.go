package jpayment_test

import (
	"context"
	"fmt"
	"go/ast"
	"go/format"
	"go/parser"
	"go/scanner"
	"go/token"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/jpayment-go/jpayment"
)

// docBlock is a fenced block of a Markdown page.
type docBlock struct {
	page string
	line int // of its first line of text, counted from 1
	lang string
	text string
}

func (b docBlock) String() string { return fmt.Sprintf("%s:%d", b.page, b.line) }

// docBlocksOf returns the blocks of pages.
func docBlocksOf(t *testing.T, pages ...string) []docBlock {
	t.Helper()
	var blocks []docBlock
	for _, page := range pages {
		text, err := os.ReadFile(page)
		require.NoError(t, err)
		var open *docBlock
		for i, line := range strings.Split(string(text), "\n") {
			lang, fence := strings.CutPrefix(line, "```")
			switch {
			case fence && open == nil:
				open = &docBlock{page: page, line: i + 2, lang: lang}
			case fence:
				blocks = append(blocks, *open)
				open = nil
			case open != nil:
				open.text += line + "\n"
			}
		}
		require.Nil(t, open, "%s has a block without an end", page)
	}
	return blocks
}

// wantRepository skips a test where the modules in this one are not there, since the go
// command downloads a module without them.
func wantRepository(t *testing.T) {
	t.Helper()
	if _, err := os.Stat("cmd/jpayment/go.mod"); err != nil {
		t.Skip("this is not the whole repository")
	}
}

func docPagesWithCode(t *testing.T) []string {
	t.Helper()
	pages, err := filepath.Glob("docs/*.md")
	require.NoError(t, err)
	return append([]string{"README.md", "README.ja.md"}, pages...)
}

// docPrelude declares what the fragments of the pages leave to their readers.
const docPrelude = `package fragments

import (
	"context"
	"net/http"
	"testing"

	"github.com/jpayment-go/jpayment"
)

var (
	ctx   context.Context
	key   []byte
	mux   *http.ServeMux
	order struct{}
	t     *testing.T
)

func ship(any, jpayment.Amount) error { return nil }
func hold(any, error) error           { return nil }
func askAPerson(any, error) error     { return nil }

func store(_ context.Context, original, replacement string, _ jpayment.Status) error { return nil }
`

// docImports are the packages that a fragment may name.
var docImports = map[string]string{
	"context": "context", "errors": "errors", "fmt": "fmt", "http": "net/http", "httptest": "net/http/httptest",
	"netip": "net/netip", "os": "os", "slog": "log/slog", "time": "time", "url": "net/url",
	"jpayment":     "github.com/jpayment-go/jpayment",
	"jpaymenttest": "github.com/jpayment-go/jpayment/jpaymenttest",
}

// Every block of Go compiles, and every complete one is run.
func TestDocsGo(t *testing.T) {
	if testing.Short() {
		t.Skip("it calls the go command")
	}
	wantRepository(t)
	t.Parallel()
	dir := t.TempDir()
	write := func(name, text string) {
		t.Helper()
		require.NoError(t, os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o755))
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644))
	}
	docModule(t, write)
	write("fragments/prelude_test.go", docPrelude)
	var tests []string
	for i, b := range docBlocksOf(t, docPagesWithCode(t)...) {
		if b.lang != "go" || strings.HasPrefix(b.page, "docs/fulfilment") { // That module has tests of its own.
			continue
		}
		formatted, err := format.Source([]byte(b.text))
		require.NoError(t, err, b)
		require.Equal(t, string(formatted), b.text, "%s is not as gofmt has it", b)
		at := fmt.Sprintf("//line %s:%d\n", b.page, b.line)
		name := fmt.Sprintf("block%d", i)
		if file, err := parser.ParseFile(token.NewFileSet(), "", b.text, parser.SkipObjectResolution); err == nil {
			write(name+"/"+name+"_test.go", at+b.text)
			tests = append(tests, docTests(file)...)
			continue
		}
		write("fragments/"+name+"_test.go", docFragment(t, b, name, at))
	}
	require.NotEmpty(t, tests, "docs/testing.md has tests")

	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, "go", "test", "-v", "./...")
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GOWORK=off", "GOPROXY=off", "GOFLAGS=-mod=mod", "JPAYMENT_SIMULATOR=")
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s", out)
	for _, name := range tests {
		require.Regexp(t, `(?m)^--- (PASS|SKIP): `+name+` `, string(out))
	}
	require.LessOrEqual(t, strings.Count(string(out), "--- SKIP"), 1, "only the one that wants the simulator")
}

// docModule writes a module that demands what this one does, and this one.
func docModule(t *testing.T, write func(name, text string)) {
	t.Helper()
	root, err := os.Getwd()
	require.NoError(t, err)
	mod, err := os.ReadFile("go.mod")
	require.NoError(t, err)
	sum, err := os.ReadFile("go.sum")
	require.NoError(t, err)
	const path = "github.com/jpayment-go/jpayment"
	write("go.mod", strings.Replace(string(mod), "module "+path, "module docs", 1)+
		"\nrequire "+path+" v0.0.0\n\nreplace "+path+" => "+root+"\n")
	write("go.sum", string(sum))
}

// docTests returns the names of a file's tests.
func docTests(file *ast.File) []string {
	var names []string
	for _, decl := range file.Decls {
		if f, ok := decl.(*ast.FuncDecl); ok && f.Recv == nil && strings.HasPrefix(f.Name.Name, "Test") {
			names = append(names, f.Name.Name)
		}
	}
	return names
}

// docFragment makes a file of a few statements. What they declare counts as used.
func docFragment(t *testing.T, b docBlock, name, at string) string {
	t.Helper()
	head := "package fragments\n"
	file, err := parser.ParseFile(token.NewFileSet(), "", head+"func _() {\n"+b.text+"\n}", 0)
	require.NoError(t, err, b)
	var imports, uses strings.Builder
	for _, ident := range file.Unresolved {
		if path, ok := docImports[ident.Name]; ok && !strings.Contains(imports.String(), path+"\"") {
			fmt.Fprintf(&imports, "import %q\n", path)
		}
	}
	for _, stmt := range file.Decls[0].(*ast.FuncDecl).Body.List {
		if assign, ok := stmt.(*ast.AssignStmt); ok && assign.Tok == token.DEFINE {
			for _, left := range assign.Lhs {
				if left := left.(*ast.Ident); left.Name != "_" {
					fmt.Fprintf(&uses, "_ = %s\n", left.Name)
				}
			}
		}
	}
	return head + imports.String() + "func " + name + "() error {\n" + at + b.text + uses.String() + "return nil\n}\n"
}

// docNotRun are the commands that are not run, by how they begin.
var docNotRun = []string{
	"go test work",              // takes long; continuous integration runs it
	"go install ./cmd/jpayment", // writes outside the repository; the module's tests build it
	"go run ./cmd/jpayment",     // another module, which has tests of its own; as a simulator it never ends
}

// Every go command of the pages works.
func TestDocsShell(t *testing.T) {
	if testing.Short() {
		t.Skip("it calls the go command")
	}
	wantRepository(t)
	t.Parallel()
	met, ran := map[string]bool{}, 0
	for _, b := range docBlocksOf(t, docPagesWithCode(t)...) {
		if b.lang != "sh" {
			continue
		}
		for line := range strings.Lines(b.text) {
			command := docCommand(line)
			if !strings.HasPrefix(command, "go ") || met[command] {
				continue
			}
			met[command] = true
			if slices.ContainsFunc(docNotRun, func(begin string) bool { return strings.HasPrefix(command, begin) }) {
				continue
			}
			ran++
			ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
			out, err := exec.CommandContext(ctx, "go", strings.Fields(command)[1:]...).CombinedOutput()
			cancel()
			require.NoError(t, err, "%s: %s: %s\nIf it takes long, or never ends, name it in docNotRun.", b, command, out)
		}
	}
	require.Positive(t, ran)
}

// docCommand returns a line of shell without its comment.
func docCommand(line string) string {
	command, _, _ := strings.Cut(line, " #")
	return strings.TrimSpace(command)
}

// README.ja.md says what README.md says: the same headings, the same code but for its
// comments, tables of the same shape.
func TestReadmeTwins(t *testing.T) {
	t.Parallel()
	heading := regexp.MustCompile(`(?m)^#+ `)
	span := regexp.MustCompile("`[^`]*`")
	pages := []string{"README.md", "README.ja.md"}
	headings, tables, code := make([][]string, 2), make([][]string, 2), make([][]string, 2)
	for i, page := range pages {
		text, err := os.ReadFile(page)
		require.NoError(t, err)
		prose := string(text)
		for _, b := range docBlocksOf(t, page) {
			prose = strings.Replace(prose, b.text, "", 1) // A comment of shell looks like a heading.
			code[i] = append(code[i], b.lang+"\n"+withoutComments(b))
		}
		headings[i] = heading.FindAllString(prose, -1)
		for line := range strings.Lines(prose) {
			if strings.HasPrefix(line, "|") {
				cells := strings.Split(line, "|")
				tables[i] = append(tables[i], fmt.Sprint(len(cells), span.FindAllString(cells[1], -1)))
			}
		}
	}
	require.NotEmpty(t, headings[0])
	require.NotEmpty(t, tables[0])
	require.NotEmpty(t, code[0])
	require.Equal(t, headings[0], headings[1])
	require.Equal(t, tables[0], tables[1])
	require.Equal(t, code[0], code[1])
}

// withoutComments returns the tokens of Go, or the commands of shell, of a block.
func withoutComments(b docBlock) string {
	var kept []string
	if b.lang != "go" {
		for line := range strings.Lines(b.text) {
			kept = append(kept, docCommand(line))
		}
		return strings.Join(kept, "\n")
	}
	var s scanner.Scanner
	files := token.NewFileSet()
	s.Init(files.AddFile("", files.Base(), len(b.text)), []byte(b.text), nil, 0)
	for {
		_, tok, text := s.Scan()
		if tok == token.EOF {
			return strings.Join(kept, " ")
		}
		if !strings.HasPrefix(text, "\n") { // an inserted semicolon
			kept = append(kept, tok.String()+" "+text)
		}
	}
}

// The pages quote errors as this package writes them.
func TestDocsErrors(t *testing.T) {
	t.Parallel()
	real := []string{
		(&jpayment.GatewayError{Call: jpayment.Call{Operation: jpayment.OpSales, PaymentID: "10000001", Attempts: 1}, Code: jpayment.CodeSourceIP}).Error(),
	}
	quoted := 0
	for _, b := range docBlocksOf(t, "README.md", "README.ja.md") {
		for line := range strings.Lines(b.text) {
			if line = strings.TrimSpace(line); b.lang == "" && strings.HasPrefix(line, "jpayment: ") {
				require.Contains(t, real, line, "%s", b)
				quoted++
			}
		}
	}
	require.Positive(t, quoted)
}

// Every link to a file of the repository has its file, and every link to a heading its
// heading.
func TestDocsLinks(t *testing.T) {
	wantRepository(t)
	t.Parallel()
	link := regexp.MustCompile(`\]\(([^)\s]+)\)`)
	pages := docPagesWithCode(t)
	for _, page := range []string{"CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md"} {
		if _, err := os.Stat(page); err == nil {
			pages = append(pages, page)
		}
	}
	for _, page := range pages {
		text, err := os.ReadFile(page)
		require.NoError(t, err)
		for _, match := range link.FindAllStringSubmatch(string(text), -1) {
			target, anchor, _ := strings.Cut(match[1], "#")
			if strings.Contains(target, "://") {
				continue
			}
			file := page
			if target != "" {
				file = filepath.Join(filepath.Dir(page), target)
			}
			linked, err := os.ReadFile(file)
			if info, statErr := os.Stat(file); statErr == nil && info.IsDir() {
				continue
			}
			require.NoError(t, err, "%s links to it", page)
			if anchor != "" {
				require.True(t, slices.Contains(docAnchors(string(linked)), anchor), "%s links to %s, which %s has not", page, anchor, file)
			}
		}
	}
}

// docAnchors returns the names that a page's headings have in links.
func docAnchors(page string) []string {
	var anchors []string
	for line := range strings.Lines(page) {
		if title, ok := strings.CutPrefix(strings.TrimLeft(line, "#"), " "); ok && strings.HasPrefix(line, "#") {
			title = regexp.MustCompile(`[^\p{L}\p{N} _-]`).ReplaceAllString(strings.ToLower(strings.TrimSpace(title)), "")
			anchors = append(anchors, strings.ReplaceAll(title, " ", "-"))
		}
	}
	return anchors
}

// docs/protocol.md says where each assumption lives, and leaves out no option of the
// simulated gateway that is one.
func TestDocsAssumptions(t *testing.T) {
	wantRepository(t)
	t.Parallel()
	text, err := os.ReadFile("docs/protocol.md")
	require.NoError(t, err)
	_, list, found := strings.Cut(string(text), "\n## Assumptions\n")
	require.True(t, found)
	place := regexp.MustCompile("`([a-z/]+\\.go): (\\w+)`")
	last := 0
	for line := range strings.Lines(list) {
		number, item, numbered := strings.Cut(line, ". **")
		if !numbered {
			continue
		}
		last++
		require.Equal(t, fmt.Sprint(last), number, "the numbers run on")
		require.Contains(t, item, " Where: ", line)
		require.Contains(t, item, " If ", line)
		places := place.FindAllStringSubmatch(item, -1)
		require.NotEmpty(t, places, line)
		for _, p := range places {
			code, err := os.ReadFile(p[1])
			require.NoError(t, err, line)
			require.True(t, regexp.MustCompile(`\b`+p[2]+`\b`).Match(code), "%s has no %s, but docs/protocol.md says so:\n%s", p[1], p[2], line)
		}
	}

	options, err := parser.ParseFile(token.NewFileSet(), "jpaymenttest/options.go", nil, parser.ParseComments)
	require.NoError(t, err)
	assumed := 0
	for _, decl := range options.Decls {
		if f, ok := decl.(*ast.FuncDecl); ok && strings.Contains(f.Doc.Text(), "ASSUMPTION") {
			require.True(t, strings.Contains(list, "`jpaymenttest/options.go: "+f.Name.Name+"`"), "docs/protocol.md leaves out %s", f.Name.Name)
			assumed++
		}
	}
	require.Positive(t, assumed)
}

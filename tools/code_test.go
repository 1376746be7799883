package tools

import (
	"context"
	"fmt"
	"go/ast"
	"go/format"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// imports are the packages that a fragment may use without importing them.
var imports = []string{
	"context", "database/sql", "errors", "fmt", "io", "io/fs", "log/slog", "net", "net/http", "net/http/httptest", "net/netip", "net/url", "os", "os/signal", "syscall", "time",
	"github.com/jackc/pgx/v5", "github.com/jackc/pgx/v5/pgxpool", "golang.org/x/sync/errgroup",
	"github.com/jpayment-go/jpayment", "github.com/jpayment-go/jpayment/fulfilment", "github.com/jpayment-go/jpayment/jpaymenttest",
}

// Every Go block compiles, and the tests in complete files pass. testdata/prelude.go
// declares the names that fragments leave undefined.
func TestCode(t *testing.T) {
	if testing.Short() {
		t.Skip("it calls the go command")
	}
	t.Parallel()
	dir := t.TempDir()
	write := func(name, text string) {
		t.Helper()
		file := filepath.Join(dir, name)
		require.NoError(t, os.MkdirAll(filepath.Dir(file), 0o755))
		require.NoError(t, os.WriteFile(file, []byte(text), 0o644))
	}
	prelude, err := os.ReadFile("testdata/prelude.go")
	require.NoError(t, err)
	write("fragments/prelude_test.go", string(prelude))
	write("go.mod", "module pages\n\ngo 1.26.0\n")
	// A workspace with the modules of this repository makes the build use their
	// dependencies, and download nothing else.
	modules, err := exec.CommandContext(t.Context(), "go", "list", "-m", "-f", "use {{.Dir}}").Output()
	require.NoError(t, err)
	write("go.work", "go 1.26.0\n\nuse .\n"+string(modules))
	sums, err := os.ReadFile(filepath.Join(repository, "go.work.sum"))
	require.NoError(t, err)
	write("go.work.sum", string(sums))

	var tests []string
	blocks := 0
	for _, p := range documents(t) {
		for _, b := range p.blocks("go") {
			blocks++
			formatted, err := format.Source([]byte(b.text))
			require.NoError(t, err, b)
			require.Equal(t, string(formatted), b.text, "%s is not as gofmt has it", b)
			at, err := filepath.Abs(filepath.Join(repository, b.page))
			require.NoError(t, err)
			at = fmt.Sprintf("//line %s:%d\n", at, b.line)
			name := fmt.Sprintf("block%d", blocks)
			if _, err := parser.ParseFile(token.NewFileSet(), "", b.text, parser.SkipObjectResolution); err == nil {
				write(name+"/"+name+"_test.go", at+b.text)
				for _, test := range regexp.MustCompile(`(?m)^func (Test\w+)`).FindAllStringSubmatch(b.text, -1) {
					tests = append(tests, test[1])
				}
				continue
			}
			write("fragments/"+name+"_test.go", fragment(t, b, name, at))
		}
	}
	require.NotEmpty(t, tests, "docs/testing.md has tests")

	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, "go", "test", "-v", "./...")
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GOWORK="+filepath.Join(dir, "go.work"), "GOPROXY=off", "GOFLAGS=", "JPAYMENT_SIMULATOR="+startSimulator(t))
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s", out)
	for _, name := range tests {
		require.Regexp(t, `(?m)^--- PASS: `+name+` `, string(out))
	}
}

// fragment turns a few statements into a file. Names that they declare count as used.
func fragment(t *testing.T, b element, name, at string) string {
	t.Helper()
	const head = "package fragments\n"
	file, err := parser.ParseFile(token.NewFileSet(), "", head+"func _() {\n"+b.text+"\n}", 0)
	require.NoError(t, err, b)
	named := map[string]bool{}
	for _, ident := range file.Unresolved {
		i := slices.IndexFunc(imports, func(p string) bool { return path.Base(strings.TrimSuffix(p, "/v5")) == ident.Name })
		if i >= 0 {
			named[fmt.Sprintf("import %q\n", imports[i])] = true
		}
	}
	var uses strings.Builder
	for _, stmt := range file.Decls[0].(*ast.FuncDecl).Body.List {
		if assign, ok := stmt.(*ast.AssignStmt); ok && assign.Tok == token.DEFINE {
			for _, left := range assign.Lhs {
				if name := left.(*ast.Ident).Name; name != "_" {
					fmt.Fprintf(&uses, "_ = %s\n", name)
				}
			}
		}
	}
	return head + strings.Join(slices.Sorted(maps.Keys(named)), "") + "func " + name + "() error {\n" + at + b.text + uses.String() + "return nil\n}\n"
}

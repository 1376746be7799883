package tools

import (
	"go/ast"
	"go/doc"
	"go/parser"
	"go/token"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// listed fails for each name that no first cell of a page's tables has as code.
func listed(t *testing.T, path string, names []string, add string) {
	t.Helper()
	require.NotEmpty(t, names)
	for _, p := range pages(t) {
		for _, name := range names {
			if p.path == path && !slices.ContainsFunc(p.elements, func(e element) bool {
				return slices.ContainsFunc(e.spans, func(span string) bool { return span == name || strings.HasPrefix(span, name+" ") })
			}) {
				t.Errorf("%s: no table has a row for `%s`: %s", path, name, add)
			}
		}
	}
}

// docs/simulator.md has every kind of fault.
func TestFaultsListed(t *testing.T) {
	t.Parallel()
	listed(t, "docs/simulator.md", constants[string](t, module+"/jpaymenttest", "FaultKind"), "say what the caller sees, and whether it is booked")
}

// docs/command.md has every command.
func TestCommandsListed(t *testing.T) {
	if testing.Short() {
		t.Skip("it calls the go command")
	}
	t.Parallel()
	out, err := exec.CommandContext(t.Context(), command(t), "__complete", "").Output()
	require.NoError(t, err)
	var names []string
	for line := range strings.Lines(string(out)) {
		if name, _, ok := strings.Cut(line, "\t"); ok && name != "help" {
			names = append(names, "jpayment "+name)
		}
	}
	listed(t, "docs/command.md", names, "say what it does")
}

// docs/protocol.md has every option of the simulated gateway that is an assumption.
func TestAssumptionsListed(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob(filepath.Join(repository, "jpaymenttest", "*.go"))
	require.NoError(t, err)
	set := token.NewFileSet()
	var parsed []*ast.File
	for _, file := range files {
		f, err := parser.ParseFile(set, file, nil, parser.ParseComments)
		require.NoError(t, err)
		parsed = append(parsed, f)
	}
	pkg, err := doc.NewFromFiles(set, parsed, module+"/jpaymenttest")
	require.NoError(t, err)
	page, err := os.ReadFile(filepath.Join(repository, "docs/protocol.md"))
	require.NoError(t, err)
	funcs := pkg.Funcs
	for _, t := range pkg.Types {
		funcs = append(funcs, t.Funcs...)
	}
	assumed := 0
	for _, f := range funcs {
		if strings.Contains(f.Doc, "ASSUMPTION") {
			assumed++
			require.True(t, strings.Contains(string(page), f.Name), "docs/protocol.md: no assumption names jpaymenttest.%s: give it a number there", f.Name)
		}
	}
	require.Positive(t, assumed)
}

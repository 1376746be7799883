package tools

import (
	"go/constant"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// named reports each name that is not code in the first cell of a table row of the page.
func named(t *testing.T, path string, names []string, add string) {
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

// docs/simulator.md lists every kind of fault.
func TestFaultsListed(t *testing.T) {
	t.Parallel()
	var names []string
	for _, c := range constants(t, module+"/jpaymenttest", "FaultKind") {
		names = append(names, constant.StringVal(c.Val()))
	}
	named(t, "docs/simulator.md", names, "say what the caller sees, and whether it is booked")
}

// docs/command.md lists every command.
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
	named(t, "docs/command.md", names, "say what it does")
}

// docs/protocol.md names every option of the simulated gateway that is an assumption.
func TestAssumptionsListed(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile(filepath.Join(repository, "docs/protocol.md"))
	require.NoError(t, err)
	files, err := filepath.Glob(filepath.Join(repository, "jpaymenttest", "*.go"))
	require.NoError(t, err)
	assumed := 0
	for _, file := range files {
		src, err := os.ReadFile(file)
		require.NoError(t, err)
		for _, m := range regexp.MustCompile(`// ASSUMPTION.*\n(?://.*\n)*func ([A-Z]\w+)`).FindAllStringSubmatch(string(src), -1) {
			assumed++
			require.True(t, strings.Contains(string(page), m[1]), "docs/protocol.md: no assumption names jpaymenttest.%s: give it a number there", m[1])
		}
	}
	require.Positive(t, assumed)
}

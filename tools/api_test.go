package tools

import (
	"cmp"
	"go/importer"
	"go/token"
	"go/types"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const module = "github.com/jpayment-go/jpayment"

// packages are the packages that programs import.
var packages = []string{module, module + "/jpaymenttest", module + "/fulfilment"}

// testdata/api.txt lists the exported API, one symbol per line, so that no change of the API
// goes unseen.
func TestAPI(t *testing.T) {
	t.Parallel()
	const file = "testdata/api.txt"
	var after []string
	for _, pkg := range exported(t, packages...) {
		after = append(after, apiOf(pkg)...)
	}
	if *update {
		require.NoError(t, os.WriteFile(file, []byte(strings.Join(after, "\n")+"\n"), 0o644))
		return
	}
	golden, err := os.ReadFile(file)
	require.NoError(t, err)
	if verdict := apiVerdict(strings.Split(strings.TrimSpace(string(golden)), "\n"), after); verdict != "" {
		t.Error("tools/" + file + " is out of date.\n" + verdict + regenerate)
	}
}

// demand is the prefix of the lines for methods that implementations of an interface need.
const demand = "demand "

// apiVerdict returns what a change means for programs, or "" if there is none.
func apiVerdict(before, after []string) string {
	without := func(lines, others []string) (kept []string) {
		for _, line := range lines {
			if !slices.Contains(others, line) {
				kept = append(kept, "\t"+line+"\n")
			}
		}
		return kept
	}
	gone, added := without(before, after), without(after, before)
	list := "Removed, or changed as below:\n" + strings.Join(gone, "") + "New:\n" + strings.Join(added, "")
	switch {
	case len(gone) > 0 || strings.Contains(strings.Join(added, ""), demand):
		return list + "This BREAKS PROGRAMS: it needs a new major version, or before 1.0 a new minor one and a line under Changed or Removed in CHANGELOG.md.\n"
	case len(added) > 0:
		return list + "This breaks nobody: it needs a new minor version and a line under Added in CHANGELOG.md.\n"
	default:
		return ""
	}
}

func TestAPIVerdict(t *testing.T) {
	t.Parallel()
	before := []string{"func A()", "type G interface"}
	require.Empty(t, apiVerdict(before, before))
	require.Contains(t, apiVerdict(before, append(before, "func B()")), "breaks nobody")
	require.Contains(t, apiVerdict(before, before[1:]), "BREAKS PROGRAMS")
	require.Contains(t, apiVerdict(before, []string{"func A(int)", before[1]}), "BREAKS PROGRAMS")
	require.Contains(t, apiVerdict(before, append(before, demand+"G.M()")), "BREAKS PROGRAMS")
}

var positions = token.NewFileSet()

// exported returns the packages from the compiler's export data, which is built for this
// test.
func exported(t *testing.T, paths ...string) (pkgs []*types.Package) {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "go", append([]string{"list", "-deps", "-export", "-f", "{{.ImportPath}}={{.Export}}"}, paths...)...).Output()
	require.NoError(t, err)
	files := map[string]string{}
	for line := range strings.Lines(string(out)) {
		path, file, _ := strings.Cut(strings.TrimSpace(line), "=")
		files[path] = file
	}
	imports := importer.ForCompiler(positions, "gc", func(path string) (io.ReadCloser, error) { return os.Open(files[path]) })
	for _, path := range paths {
		pkg, err := imports.Import(path)
		require.NoError(t, err)
		pkgs = append(pkgs, pkg)
	}
	return pkgs
}

// constants returns the exported constants of a type, in the order of the source.
func constants(t *testing.T, path, name string) (found []*types.Const) {
	t.Helper()
	scope := exported(t, path)[0].Scope()
	for _, symbol := range scope.Names() {
		if c, ok := scope.Lookup(symbol).(*types.Const); ok && c.Exported() && types.Identical(c.Type(), scope.Lookup(name).Type()) {
			found = append(found, c)
		}
	}
	require.NotEmpty(t, found)
	slices.SortFunc(found, func(a, b *types.Const) int {
		return cmp.Compare(positions.Position(a.Pos()).Line, positions.Position(b.Pos()).Line)
	})
	return found
}

// apiOf returns a line for each exported symbol, method and field of a package.
func apiOf(pkg *types.Package) (lines []string) {
	qualify := func(other *types.Package) string {
		if other == pkg {
			return ""
		}
		return other.Name()
	}
	add := func(prefix string, obj types.Object, suffix string) {
		if obj.Exported() {
			lines = append(lines, pkg.Name()+": "+prefix+types.ObjectString(obj, qualify)+suffix)
		}
	}
	for _, name := range pkg.Scope().Names() {
		switch obj := pkg.Scope().Lookup(name).(type) {
		case *types.Const:
			add("", obj, " = "+obj.Val().ExactString())
		case *types.TypeName:
			under := types.TypeString(obj.Type().Underlying(), qualify)
			if kind, _, long := strings.Cut(under, "{"); long {
				under = kind // Its fields or methods have their own lines.
			}
			if obj.Exported() {
				lines = append(lines, pkg.Name()+": type "+name+" "+under)
				eachMember(obj.Type(), func(member types.Object, tag string) {
					prefix := name + ": "
					if types.IsInterface(obj.Type()) {
						prefix = demand + prefix
					}
					add(prefix, member, tag)
				})
			}
		default:
			add("", obj, "")
		}
	}
	slices.Sort(lines)
	return lines
}

// eachMember calls f with the fields of a type and their tags, and with its methods except
// those of embedded types.
func eachMember(t types.Type, f func(member types.Object, tag string)) {
	if fields, ok := t.Underlying().(*types.Struct); ok {
		for i := range fields.NumFields() {
			f(fields.Field(i), strings.TrimRight(" "+fields.Tag(i), " "))
		}
	}
	methods := types.NewMethodSet(t)
	if !types.IsInterface(t) {
		methods = types.NewMethodSet(types.NewPointer(t))
	}
	for i := range methods.Len() {
		if len(methods.At(i).Index()) == 1 {
			f(methods.At(i).Obj(), "")
		}
	}
}

package tools

import (
	"bytes"
	"cmp"
	"fmt"
	"go/constant"
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

// The exported API of the packages that programs import is written down in
// testdata/api.txt, one symbol to a line, so that no change of it goes unseen. Names of
// parameters are left out: to change one breaks nobody.
func TestAPI(t *testing.T) {
	t.Parallel()
	const file = "testdata/api.txt"
	var after []string
	for _, pkg := range exported(t, module, module+"/jpaymenttest", module+"/fulfilment") {
		after = append(after, apiOf(pkg)...)
	}
	if *update {
		require.NoError(t, os.WriteFile(file, []byte(strings.Join(after, "\n")+"\n"), 0o644))
		return
	}
	golden, err := os.ReadFile(file)
	require.NoError(t, err)
	if verdict := apiVerdict(strings.Split(strings.TrimSpace(string(golden)), "\n"), after); verdict != "" {
		t.Errorf("tools/%s is out of date.\n%s%s", file, verdict, regenerate)
	}
}

// apiVerdict says what a change means for those who use the packages, or nothing if there
// is none.
func apiVerdict(before, after []string) string {
	without := func(lines, others []string) []string {
		return slices.DeleteFunc(slices.Clone(lines), func(line string) bool { return slices.Contains(others, line) })
	}
	gone, added := without(before, after), without(after, before)
	demands := slices.DeleteFunc(slices.Clone(added), func(line string) bool { return !strings.Contains(line, ": demand ") })
	var b strings.Builder
	for _, list := range []struct {
		title string
		lines []string
	}{
		{"BREAKS PROGRAMS: these are gone, or are now what stands below.", gone},
		{"BREAKS PROGRAMS that implement the interface: these are demanded of them now.", demands},
		{"Added, which breaks nobody where nothing above says so.", without(added, demands)},
	} {
		if len(list.lines) > 0 {
			b.WriteString("\n" + list.title + "\n\t" + strings.Join(list.lines, "\n\t") + "\n")
		}
	}
	switch {
	case len(gone)+len(demands) > 0:
		b.WriteString("\nA break needs a new major version; before 1.0 a new minor version and a line under Changed or Removed in CHANGELOG.md. ")
	case len(added) > 0:
		b.WriteString("\nAn addition needs a new minor version and a line under Added in CHANGELOG.md. ")
	case !slices.Equal(before, after):
		b.WriteString("\nThe lines are not in order. ")
	}
	return b.String()
}

// A check that cannot tell the kinds of change apart would be of no use.
func TestAPIVerdict(t *testing.T) {
	t.Parallel()
	before := []string{"p: func A()", "p: type G interface"}
	for name, tt := range map[string]struct {
		after []string
		want  []string
		never string
	}{
		"none":      {before, nil, "CHANGELOG"},
		"addition":  {append(before, "p: func B()"), []string{"breaks nobody", "p: func B()", "under Added"}, "BREAKS"},
		"removal":   {before[1:], []string{"BREAKS PROGRAMS", "p: func A()", "major version"}, "Added"},
		"signature": {[]string{"p: func A(int)", before[1]}, []string{"are gone", "p: func A()", "p: func A(int)", "major version"}, "that implement"},
		"demand":    {append(before, "p: demand G.M()"), []string{"that implement", "p: demand G.M()", "major version"}, "are gone"},
		"order":     {[]string{before[1], before[0]}, []string{"not in order"}, "BREAKS"},
	} {
		verdict := apiVerdict(before, tt.after)
		require.Equal(t, len(tt.want) == 0, verdict == "", name)
		for _, part := range tt.want {
			require.Contains(t, verdict, part, name)
		}
		require.NotContains(t, verdict, tt.never, name)
	}
}

// exported returns what the compiler exports of packages, which it has just built for this
// test.
func exported(t *testing.T, paths ...string) (pkgs []*types.Package) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", append([]string{"list", "-deps", "-export", "-f", "{{.ImportPath}}={{.Export}}"}, paths...)...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	require.NoError(t, err, stderr.String())
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

var positions = token.NewFileSet()

// constants returns the values of the exported string constants of a type, in the order of
// the source.
func constants[T ~string](t *testing.T, path, name string) (values []T) {
	t.Helper()
	scope := exported(t, path)[0].Scope()
	var found []*types.Const
	for _, symbol := range scope.Names() {
		c, ok := scope.Lookup(symbol).(*types.Const)
		if ok && c.Exported() && types.Identical(c.Type(), scope.Lookup(name).Type()) {
			found = append(found, c)
		}
	}
	slices.SortFunc(found, func(a, b *types.Const) int {
		return cmp.Compare(positions.Position(a.Pos()).Line, positions.Position(b.Pos()).Line)
	})
	for _, c := range found {
		values = append(values, T(constant.StringVal(c.Val())))
	}
	require.NotEmpty(t, values)
	return values
}

// apiOf returns a line for each exported symbol, method and field of a package.
func apiOf(pkg *types.Package) (lines []string) {
	add := func(format string, args ...any) {
		lines = append(lines, pkg.Name()+": "+fmt.Sprintf(format, args...))
	}
	text := func(t types.Type) string {
		return types.TypeString(t, func(other *types.Package) string {
			if other == pkg {
				return ""
			}
			return other.Name()
		})
	}
	for _, name := range pkg.Scope().Names() {
		obj := pkg.Scope().Lookup(name)
		if !obj.Exported() {
			continue
		}
		switch obj := obj.(type) {
		case *types.Const:
			add("const %s %s = %s", name, text(obj.Type()), obj.Val().ExactString())
		case *types.Var:
			add("var %s %s", name, text(obj.Type()))
		case *types.Func:
			add("func %s%s", name, signature(obj, text))
		case *types.TypeName:
			apiOfType(obj, text, add)
		}
	}
	slices.Sort(lines)
	return lines
}

func apiOfType(obj *types.TypeName, text func(types.Type) string, add func(string, ...any)) {
	name := obj.Name()
	switch under := obj.Type().Underlying().(type) {
	case *types.Struct:
		add("type %s struct", name)
		for i := range under.NumFields() {
			field := under.Field(i)
			tag := ""
			if under.Tag(i) != "" {
				tag = " `" + under.Tag(i) + "`"
			}
			switch {
			case !field.Exported():
			case field.Embedded():
				add("field %s embeds %s", name, text(field.Type()))
			default:
				add("field %s.%s %s%s", name, field.Name(), text(field.Type()), tag)
			}
		}
		if types.Comparable(obj.Type()) {
			add("type %s with ==", name)
		}
	case *types.Interface:
		add("type %s interface", name)
		for i := range under.NumMethods() {
			method := under.Method(i)
			add("demand %s.%s%s", name, method.Name(), signature(method, text))
		}
		return
	default:
		add("type %s %s", name, text(under))
	}
	// The methods of a pointer include those of the value. What is embedded brings its
	// own, which stand there.
	value := types.NewMethodSet(obj.Type())
	methods := types.NewMethodSet(types.NewPointer(obj.Type()))
	for i := range methods.Len() {
		method := methods.At(i).Obj().(*types.Func)
		if !method.Exported() || len(methods.At(i).Index()) > 1 {
			continue
		}
		receiver := "*" + name
		if value.Lookup(method.Pkg(), method.Name()) != nil {
			receiver = name
		}
		add("method (%s) %s%s", receiver, method.Name(), signature(method, text))
	}
}

// signature writes a function's type without the names of its parameters.
func signature(f *types.Func, text func(types.Type) string) string {
	sig := f.Signature()
	unnamed := func(tuple *types.Tuple) *types.Tuple {
		vars := make([]*types.Var, tuple.Len())
		for i := range vars {
			vars[i] = types.NewParam(token.NoPos, nil, "", tuple.At(i).Type())
		}
		return types.NewTuple(vars...)
	}
	return strings.TrimPrefix(text(types.NewSignatureType(nil, nil, nil, unnamed(sig.Params()), unnamed(sig.Results()), sig.Variadic())), "func")
}

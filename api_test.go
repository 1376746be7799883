package jpayment

import (
	"bytes"
	"fmt"
	"go/importer"
	gotoken "go/token"
	"go/types"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// The exported API of the packages that programs import is written down in
// testdata/api.txt, one symbol to a line, so that no change of it goes unseen:
//
//	go test -run API -update .
//
// Names of parameters are left out: to change one breaks nobody.
const apiFile = "testdata/api.txt"

var apiPackages = []string{"github.com/jpayment-go/jpayment", "github.com/jpayment-go/jpayment/jpaymenttest"}

func TestAPI(t *testing.T) {
	t.Parallel()
	var lines []string
	imports := apiImporter(t)
	for _, path := range apiPackages {
		pkg, err := imports.Import(path)
		require.NoError(t, err)
		lines = append(lines, apiOf(pkg)...)
	}
	if *updateFiles {
		require.NoError(t, os.WriteFile(apiFile, []byte(strings.Join(lines, "\n")+"\n"), 0o644))
		return
	}
	golden, err := os.ReadFile(apiFile)
	require.NoError(t, err)
	require.Empty(t, apiVerdict(strings.Split(strings.TrimSpace(string(golden)), "\n"), lines))
}

// apiVerdict says what a change means for those who use the packages, or nothing if
// there is none.
func apiVerdict(before, after []string) string {
	var b strings.Builder
	list := func(title string, lines []string) {
		if len(lines) > 0 {
			b.WriteString("\n" + title + "\n\t" + strings.Join(lines, "\n\t") + "\n")
		}
	}
	without := func(lines, others []string) []string {
		return slices.DeleteFunc(slices.Clone(lines), func(line string) bool { return slices.Contains(others, line) })
	}
	gone, added := without(before, after), without(after, before)
	list("BREAKS PROGRAMS: these are gone, or are now what stands below.", gone)
	demands := slices.DeleteFunc(slices.Clone(added), func(line string) bool { return !strings.Contains(line, ": demand ") })
	list("BREAKS PROGRAMS that implement the interface: these are demanded of them now.", demands)
	list("Added, which breaks nobody where nothing above says so.", without(added, demands))
	switch {
	case len(gone)+len(demands) > 0:
		b.WriteString("\nA break needs a new major version; before 1.0 a new minor version and a line under Changed or Removed in CHANGELOG.md.")
	case len(added) > 0:
		b.WriteString("\nAn addition needs a new minor version and a line under Added in CHANGELOG.md.")
	case !slices.Equal(before, after):
		b.WriteString("\n" + apiFile + " is not in order.")
	default:
		return ""
	}
	b.WriteString(" If it is meant: go test -run API -update .\n")
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

// apiImporter reads what the compiler exports, which it has just done for this test.
func apiImporter(t *testing.T) types.Importer {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", append([]string{"list", "-deps", "-export", "-f", "{{.ImportPath}}={{.Export}}"}, apiPackages...)...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	require.NoError(t, err, stderr.String())
	files := map[string]string{}
	for line := range strings.Lines(string(out)) {
		path, file, _ := strings.Cut(strings.TrimSpace(line), "=")
		files[path] = file
	}
	return importer.ForCompiler(gotoken.NewFileSet(), "gc", func(path string) (io.ReadCloser, error) {
		return os.Open(files[path])
	})
}

// apiOf returns a line for each exported symbol, method and field of a package.
func apiOf(pkg *types.Package) []string {
	var lines []string
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
			switch {
			case !field.Exported():
			case field.Embedded():
				add("field %s embeds %s", name, text(field.Type()))
			case under.Tag(i) != "":
				add("field %s.%s %s `%s`", name, field.Name(), text(field.Type()), under.Tag(i))
			default:
				add("field %s.%s %s", name, field.Name(), text(field.Type()))
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
			vars[i] = types.NewParam(gotoken.NoPos, nil, "", tuple.At(i).Type())
		}
		return types.NewTuple(vars...)
	}
	return strings.TrimPrefix(text(types.NewSignatureType(nil, nil, nil, unnamed(sig.Params()), unnamed(sig.Results()), sig.Variadic())), "func")
}

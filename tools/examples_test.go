package tools

import (
	"go/ast"
	"go/doc"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"io"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// Every exported name is used in an Example; a name without a use should be removed. The
// reasons of jobs are in a generated table of the pages instead.
func TestEveryNameIsInAnExample(t *testing.T) {
	t.Parallel()
	for _, dir := range []string{"", "jpaymenttest", "fulfilment"} {
		pkg, used := namesInExamples(t, path.Join(module, dir), filepath.Join("..", dir))
		for _, name := range exportedNames(pkg) {
			if !used[name] && !strings.HasPrefix(name, "Reason") {
				t.Errorf("%s.%s is in no Example: write one, or remove the name", pkg.Name(), name)
			}
		}
	}
}

// Every exported function has an Example of its own, with output. Options are functions too.
func TestEveryFunctionHasAnExample(t *testing.T) {
	t.Parallel()
	for _, dir := range []string{"", "jpaymenttest"} {
		pkg := exported(t, path.Join(module, dir))[0]
		shown := map[string]bool{}
		paths, err := filepath.Glob(filepath.Join(repository, dir, "*_test.go"))
		require.NoError(t, err)
		for _, file := range paths {
			parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ParseComments)
			require.NoError(t, err)
			for _, example := range doc.Examples(parsed) {
				name, _, _ := strings.Cut(example.Name, "_")
				shown[name] = shown[name] || example.Output != "" || example.EmptyOutput
			}
		}
		for _, name := range pkg.Scope().Names() {
			if function, ok := pkg.Scope().Lookup(name).(*types.Func); ok && function.Exported() && !shown[name] {
				t.Errorf("%s.%s has no Example with output: write one", pkg.Name(), name)
			}
		}
	}
}

// The root package stays small: a new name must replace another.
func TestTheRootStaysSmall(t *testing.T) {
	t.Parallel()
	names := exportedNames(exported(t, module)[0])
	require.LessOrEqual(t, len(names), 108, "%s", names)
}

// calledByOthers are the methods that fmt, errors, log/slog, encoding, net/http and
// go-querystring call.
var calledByOthers = map[string]bool{
	"Error": true, "Unwrap": true, "Is": true, "String": true, "GoString": true, "Format": true, "IsZero": true,
	"LogValue": true, "MarshalText": true, "MarshalJSON": true, "UnmarshalJSON": true, "EncodeValues": true,
	"ServeHTTP": true,
}

// exportedNames returns the exported names of a package, including its types' methods, but
// without calledByOthers and the methods of embedded types.
func exportedNames(pkg *types.Package) (names []string) {
	for _, name := range pkg.Scope().Names() {
		object := pkg.Scope().Lookup(name)
		if !object.Exported() {
			continue
		}
		names = append(names, name)
		if _, isType := object.(*types.TypeName); !isType || types.IsInterface(object.Type()) {
			continue
		}
		methods := types.NewMethodSet(types.NewPointer(object.Type()))
		for m := range methods.Methods() {
			if m.Obj().Exported() && len(m.Index()) == 1 && !calledByOthers[m.Obj().Name()] {
				names = append(names, name+"."+m.Obj().Name())
			}
		}
	}
	return names
}

// namesInExamples returns a package and those of its names that occur in the Examples of its
// directory, including the names of the Examples.
func namesInExamples(t *testing.T, pkgPath, dir string) (*types.Package, map[string]bool) {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "go", "list", "-deps", "-test", "-export", "-f", "{{.ImportPath}}={{.Export}}", pkgPath).Output()
	require.NoError(t, err)
	exports := map[string]string{}
	for line := range strings.Lines(string(out)) {
		name, file, _ := strings.Cut(strings.TrimSpace(line), "=")
		exports[name] = file
	}
	imports := importer.ForCompiler(positions, "gc", func(path string) (io.ReadCloser, error) { return os.Open(exports[path]) })
	pkg, err := imports.Import(pkgPath)
	require.NoError(t, err)

	paths, err := filepath.Glob(filepath.Join(dir, "*_test.go"))
	require.NoError(t, err)
	var files []*ast.File
	for _, file := range paths {
		parsed, err := parser.ParseFile(positions, file, nil, 0)
		require.NoError(t, err)
		if strings.HasSuffix(parsed.Name.Name, "_test") {
			files = append(files, parsed)
		}
	}
	info := types.Info{Uses: map[*ast.Ident]types.Object{}}
	_, err = (&types.Config{Importer: imports}).Check("examples", positions, files, &info)
	require.NoError(t, err)
	used := map[string]bool{}
	for _, file := range files {
		for _, decl := range file.Decls {
			example, ok := decl.(*ast.FuncDecl)
			if !ok || !strings.HasPrefix(example.Name.Name, "Example") {
				continue
			}
			use := func(name string) { // Qualify a method by its type.
				used[name] = true
				of, _, _ := strings.Cut(name, ".")
				used[of] = true
			}
			use(strings.ReplaceAll(strings.TrimPrefix(example.Name.Name, "Example"), "_", "."))
			ast.Inspect(example.Body, func(n ast.Node) bool {
				if name, ok := n.(*ast.Ident); ok && info.Uses[name] != nil && info.Uses[name].Pkg() == pkg {
					use(qualified(info.Uses[name]))
				}
				return true
			})
		}
	}
	return pkg, used
}

// qualified returns the name of an object; the name of a method follows that of its type.
func qualified(object types.Object) string {
	f, ok := object.(*types.Func)
	if !ok || f.Signature().Recv() == nil {
		return object.Name()
	}
	recv := f.Signature().Recv().Type()
	if p, ok := recv.(*types.Pointer); ok {
		recv = p.Elem()
	}
	return recv.(*types.Named).Obj().Name() + "." + object.Name()
}

package tools

import (
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// Every exported name is in an Example: what nobody can show a use of goes.
func TestEveryNameIsInAnExample(t *testing.T) {
	t.Parallel()
	for _, dir := range []string{"jpaymenttest"} {
		used := namesInExamples(t, filepath.Join("..", dir))
		for _, name := range exportedNames(exported(t, module+"/"+dir)[0]) {
			last := name[strings.LastIndexByte(name, '.')+1:]
			if !used[last] {
				t.Errorf("%s.%s is in no Example: write one in %s/example_test.go, or take the name away", dir, name, dir)
			}
		}
	}
}

// calledByOthers are the methods that fmt, errors, log/slog, encoding and go-querystring
// call.
var calledByOthers = map[string]bool{
	"Error": true, "Unwrap": true, "Is": true, "String": true, "GoString": true, "Format": true,
	"LogValue": true, "MarshalText": true, "EncodeValues": true,
}

// exportedNames returns the names that a package exports and those of its types' methods,
// but for calledByOthers.
func exportedNames(pkg *types.Package) (names []string) {
	for _, name := range pkg.Scope().Names() {
		object := pkg.Scope().Lookup(name)
		if !object.Exported() {
			continue
		}
		names = append(names, name)
		if _, isType := object.(*types.TypeName); !isType {
			continue
		}
		methods := types.NewMethodSet(types.NewPointer(object.Type()))
		for m := range methods.Methods() {
			if m.Obj().Exported() && !calledByOthers[m.Obj().Name()] {
				names = append(names, name+"."+m.Obj().Name())
			}
		}
	}
	return names
}

// namesInExamples returns the names that stand in the Examples of a directory, the names
// of the Examples themselves included.
func namesInExamples(t *testing.T, dir string) map[string]bool {
	t.Helper()
	used := map[string]bool{}
	files, err := os.ReadDir(dir)
	require.NoError(t, err)
	for _, file := range files {
		if !strings.HasSuffix(file.Name(), "_test.go") {
			continue
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), filepath.Join(dir, file.Name()), nil, 0)
		require.NoError(t, err)
		for _, decl := range parsed.Decls {
			function, ok := decl.(*ast.FuncDecl)
			if !ok || !strings.HasPrefix(function.Name.Name, "Example") {
				continue
			}
			for part := range strings.SplitSeq(strings.TrimPrefix(function.Name.Name, "Example"), "_") {
				used[part] = true
			}
			ast.Inspect(function.Body, func(n ast.Node) bool {
				if name, ok := n.(*ast.Ident); ok {
					used[name.Name] = true
				}
				return true
			})
		}
	}
	return used
}

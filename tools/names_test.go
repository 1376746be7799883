package tools

import (
	"fmt"
	"go/types"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// What a page names of the API is there.
func TestNames(t *testing.T) {
	t.Parallel()
	known := map[string]bool{}
	for _, pkg := range exported(t, module, module+"/jpaymenttest", module+"/fulfilment") {
		for _, name := range pkg.Scope().Names() {
			obj := pkg.Scope().Lookup(name)
			known[name], known[pkg.Name()+"."+name] = true, true
			if _, ok := obj.(*types.TypeName); !ok {
				continue
			}
			for member := range members(obj.Type()) {
				known[member], known[name+"."+member], known[pkg.Name()+"."+name+"."+member] = true, true, true
			}
		}
	}
	var unknown []string
	for _, p := range pages(t) {
		for _, s := range p.spans {
			name := apiName.FindString(s.text)
			if name != "" && !known[name] {
				unknown = append(unknown, fmt.Sprintf("%s: nothing exported is called %s", element{page: p.path, line: s.line, section: s.text}, name))
			}
		}
	}
	require.Empty(t, strings.Join(unknown, "\n"))
}

// apiName finds a name that is qualified by a package or a type, or that
// begins as options, errors and functions do.
var apiName = regexp.MustCompile(`^((jpayment|jpaymenttest|fulfilment)\.[A-Z]\w*(\.[A-Z]\w*)?|[A-Z]\w+\.[A-Z]\w*|(With|Kickback|Err|Code|Outcome|Op|New|Parse|Verify|Allow|Trust)[A-Z]\w*)`)

// members returns the methods and fields of a type.
func members(t types.Type) map[string]bool {
	found := map[string]bool{}
	methods := types.NewMethodSet(types.NewPointer(t))
	for i := range methods.Len() {
		found[methods.At(i).Obj().Name()] = true
	}
	if fields, ok := t.Underlying().(*types.Struct); ok {
		for i := range fields.NumFields() {
			found[fields.Field(i).Name()] = true
			if fields.Field(i).Embedded() {
				for name := range members(fields.Field(i).Type()) {
					found[name] = true
				}
			}
		}
	}
	return found
}

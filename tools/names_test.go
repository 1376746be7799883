package tools

import (
	"fmt"
	"go/types"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// Every API name in a page exists.
func TestNames(t *testing.T) {
	t.Parallel()
	known := map[string]bool{}
	know := func(pkg *types.Package, name, member string) {
		known[member], known[name+"."+member], known[pkg.Name()+"."+name+"."+member] = true, true, true
	}
	for _, pkg := range exported(t, packages...) {
		for _, name := range pkg.Scope().Names() {
			obj := pkg.Scope().Lookup(name)
			known[name], known[pkg.Name()+"."+name] = true, true
			if _, ok := obj.(*types.TypeName); !ok {
				continue
			}
			methods := types.NewMethodSet(types.NewPointer(obj.Type()))
			for i := range methods.Len() {
				know(pkg, name, methods.At(i).Obj().Name())
			}
			eachMember(obj.Type(), func(member types.Object, _ string) { know(pkg, name, member.Name()) })
		}
	}
	var unknown []string
	for _, p := range pages(t) {
		for _, s := range p.spans {
			name := apiName.FindString(s.text)
			if name != "" && !known[name] {
				unknown = append(unknown, fmt.Sprintf("%s: there is no exported name %s", s, name))
			}
		}
	}
	require.Empty(t, strings.Join(unknown, "\n"))
}

// One thing has one word: the gateway sends kickbacks, a merchant has stores, and a caller
// makes requests, which fulfilment turns into jobs. Japanese uses the vendor's words.
func TestOneWordForOneThing(t *testing.T) {
	t.Parallel()
	err := filepath.WalkDir(repository, func(file string, d fs.DirEntry, err error) error {
		name := filepath.Base(file)
		switch {
		case err != nil:
			return err
		case d.IsDir() && strings.HasPrefix(name, ".") && name != "..":
			return fs.SkipDir
		case d.IsDir(), name == "names_test.go", !slices.Contains([]string{".go", ".md", ".html"}, filepath.Ext(name)):
			return nil
		}
		src, err := os.ReadFile(file)
		for i, line := range strings.Split(string(src), "\n") {
			line = strings.ReplaceAll(line, "examples/shop", "") // A path, not prose.
			if word := otherWord.FindString(line); word != "" {
				t.Errorf("%s:%d: %q: the project uses another word for this", file, i+1, word)
			}
		}
		return err
	})
	require.NoError(t, err)
}

var otherWord = regexp.MustCompile(`(?i)\b(notice|shops?|wish(es)?)\b|ショップ|キックバック($|[^」）("])|実売上[すしせさ]|再送信|コンマ|配信済み|送達|時間切れ|参照名|テスト環境|模擬`)

// apiName matches a name that is qualified by a package or a type, or that has the prefix of
// an option, an error or a function.
var apiName = regexp.MustCompile(`^((jpayment|jpaymenttest|fulfilment)\.[A-Z]\w*(\.[A-Z]\w*)?|[A-Z]\w+\.[A-Z]\w*|(With|Kickback|Err|Code|Outcome|Op|New|Parse|Verify|Allow|Trust)[A-Z]\w*)`)

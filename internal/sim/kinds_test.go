package sim_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"net/http"
	"path/filepath"
	"reflect"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/jpayment-go/jpayment"
	"github.com/jpayment-go/jpayment/internal/sim"
)

// The kinds of faults are listed in three places, which must agree: the constants here, the
// descriptions, and the constants of package jpaymenttest.
func TestEveryKindOfFaultIsListed(t *testing.T) {
	t.Parallel()
	ours, theirs := faultKinds(t, "kinds.go"), faultKinds(t, filepath.Join("..", "..", "jpaymenttest", "faults.go"))
	for name, value := range ours {
		_, listed := sim.KindOf(sim.FaultKind(value))
		require.True(t, listed, "internal/sim/kinds.go: the list kinds has no entry for %s, which says what it does and which fields it has", name)
		require.Equal(t, value, theirs[name], "jpaymenttest/faults.go: the constant %s is missing, or has another value", name)
	}
	for name := range theirs {
		require.NotEmpty(t, ours[name], "internal/sim/kinds.go: the constant %s of jpaymenttest/faults.go is missing", name)
	}
	require.Len(t, sim.Kinds(), len(ours), "internal/sim/kinds.go: the list kinds has an entry twice, or one without a constant")
	for _, kind := range sim.Kinds() {
		require.NotEmpty(t, kind.Text.En, kind.Kind)
		require.NotEmpty(t, kind.Text.Ja, kind.Kind)
		for _, field := range kind.Fields {
			_, found := reflect.TypeFor[sim.Fault]().FieldByName(field)
			require.True(t, found, "internal/sim/kinds.go: %s has the field %s, which a Fault has not", kind.Kind, field)
		}
		require.Equal(t, kind.Has("Status"), kind.MostStatus > 0, kind.Kind)
	}
}

// faultKinds returns the constants of type FaultKind that a file declares.
func faultKinds(t *testing.T, file string) map[string]string {
	t.Helper()
	parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
	require.NoError(t, err)
	values := map[string]string{}
	ast.Inspect(parsed, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok {
			return true
		}
		if of, ok := spec.Type.(*ast.Ident); ok && of.Name == "FaultKind" {
			value, err := strconv.Unquote(spec.Values[0].(*ast.BasicLit).Value)
			require.NoError(t, err)
			values[spec.Names[0].Name] = value
		}
		return true
	})
	require.NotEmpty(t, values, file)
	return values
}

// A fault counts what it has done, and can be removed individually.
func TestFaultsTellWhatTheyDid(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	first := s.Fail(sim.Fault{Kind: sim.AnswerCode, Code: "ER010", Operation: jpayment.OpSales, Nth: 2})
	second := s.Fail(sim.Fault{Kind: sim.AnswerStatus, Operation: jpayment.OpSales})
	require.Equal(t, 503, second.Status, "the default is told")
	ask := func() {
		_, _, _, err := send(t, http.MethodPost, s.URL+gatewayPage, formType, saleForm)
		require.NoError(t, err)
	}
	told := func() (all [][3]any) {
		for _, f := range s.Faults() {
			all = append(all, [3]any{f.Number, f.Struck, f.Spent()})
		}
		return all
	}
	require.Equal(t, [][3]any{{1, 0, false}, {2, 0, false}}, told())
	ask()
	require.Equal(t, [][3]any{{1, 0, false}, {2, 1, false}}, told())
	ask()
	require.Equal(t, [][3]any{{1, 1, true}, {2, 1, false}}, told(), "the one that was set first strikes")
	require.Equal(t, 2, s.Faults()[1].Matched)

	require.True(t, s.RemoveFault(first.Number))
	require.False(t, s.RemoveFault(first.Number))
	require.Equal(t, [][3]any{{2, 1, false}}, told())
	require.Equal(t, 3, s.Fail(sim.Fault{Kind: sim.CutReply}).Number, "a number is not used again")
	s.ClearFaults()
	require.Empty(t, s.Faults())
	require.Equal(t, refused("ER053"), post(t, s, gatewayPage, saleForm))

	body := []byte("x")
	s.Fail(sim.Fault{Kind: sim.Garbage, Body: body})
	s.Faults()[0].Body[0] = 'y'
	require.Equal(t, "x", string(s.Faults()[0].Body))
}

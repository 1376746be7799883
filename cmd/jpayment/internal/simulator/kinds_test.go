package simulator_test

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/jpayment-go/jpayment/cmd/jpayment/internal/simulator"
	"github.com/jpayment-go/jpayment/internal/sim"
)

// Everything shown about a kind of fault derives from sim.Kinds. If a kind or one of its fields
// is missing somewhere, the test names the place.
func TestEveryKindOfFaultIsEverywhere(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile(filepath.Join("..", "..", "..", "..", "docs", "simulator.md"))
	require.NoError(t, err)
	r := start(t, simulator.Config{})
	status, panel, _ := call(t, "GET", r.URL+"/panel/", "")
	require.Equal(t, http.StatusOK, status)

	// The fields of a kind: their names in the API, and an example.
	fields := map[string]struct{ name, example string }{
		"Code": {"code", `"ER010"`}, "Status": {"status", `399`}, "Location": {"location", `"/"`}, "Body": {"body", `"x"`}, "Delay": {"delay_ms", `1`},
	}
	for _, kind := range sim.Kinds() {
		var names []string
		body := fmt.Sprintf(`{"kind":%q`, kind.Kind)
		for _, field := range kind.Fields {
			f, known := fields[field]
			require.True(t, known, "%s: an example of the field %s is missing in this test", kind.Kind, field)
			names = append(names, "`"+f.name+"`")
			body += fmt.Sprintf(",%q:%s", f.name, f.example)
			require.True(t, strings.Contains(panel, `name="`+f.name+`"`),
				"the panel's form for faults (panel/overview.html) has no field %s, which the fault %s has", f.name, kind.Kind)
		}
		reply := r.control(t, "POST", "/faults", body+"}", http.StatusCreated)
		require.Equal(t, string(kind.Kind), reply["kind"], "the HTTP interface (control.go, createFault) does not take the fault %s", kind.Kind)
		require.True(t, strings.Contains(panel, `<option value="`+string(kind.Kind)+`"`), "the panel (panel/overview.html) does not offer the fault %s", kind.Kind)
		require.True(t, strings.Contains(panel, kind.Text.En), "the panel (panel/overview.html) does not say what the fault %s does", kind.Kind)

		row := strings.Join([]string{"| `" + string(kind.Kind) + "`", strings.Join(names, ", "), kind.Text.En + " |"}, " | ")
		require.True(t, strings.Contains(string(page), row+"\n"), "docs/simulator.md, the table under Faults, has no such row for the fault %s:\n%s", kind.Kind, row)
	}
}

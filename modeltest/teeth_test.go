package modeltest

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// edit replaces text in a file of the root module.
type edit struct{ file, old, new string }

// mutations are ways to break the client, and the invariants of which one must catch
// each. A mutation whose text is no longer in the source is an error, so that the list
// keeps up with the code.
var mutations = []struct {
	name   string
	edits  []edit
	caught []string
}{
	{
		"a time-out is taken for a refusal",
		[]edit{{"errors.go", "	if e.NotSent && e.Earlier == nil {\n		return OutcomeNotSent\n	}\n	return OutcomeUnknown", "	if e.NotSent && e.Earlier == nil {\n		return OutcomeNotSent\n	}\n	return OutcomeRefused"}},
		[]string{invRefused},
	},
	{
		"every failure to get a reply is taken for not sent",
		[]edit{{"client.go", "return s.wanted.Load() && !s.got.Load()", "return true"}},
		[]string{invNotSent, invRepeat, invOnce},
	},
	{
		"a row that is cut short is accepted",
		[]edit{
			{"client.go", "	case err != nil:\n		return fail(\"it is cut short\", err)\n", "	case err != nil && len(body) == 0:\n		return fail(\"it is cut short\", err)\n"},
			{"internal/wire/row.go", "			return Row{}, &ColumnError{name, errCutShort.Error()}", "			_ = name\n			break"},
			{"internal/wire/row.go", "		return Row{}, &ColumnError{\"cod\", errCutShort.Error()}", "		return row, nil"},
			{"internal/wire/row.go", "	case 0:\n		return Row{}, &ColumnError{column, err.Error()}\n", "	case 0:\n		_ = column\n		return row, nil\n"},
		},
		[]string{invDone},
	},
	{
		"a request is sent again after it was written",
		[]edit{{"retry.go", "	case errors.As(err, &transport) && transport.NotSent:", "	case errors.As(err, &transport):"}},
		[]string{invRepeat},
	},
	{
		"ER032 is read as already captured",
		[]edit{{"client.go", "	case res.Status == StatusFailed:", "	case res.Code == CodeCaptureFailed:\n		return nil\n	case res.Status == StatusFailed:"}},
		[]string{invDone},
	},
	{
		"the amounts of a reply are ignored",
		[]edit{{"client.go", "ex.shipping); column != \"\" {", "ex.shipping); column != \"\" && false {"}},
		[]string{invDone},
	},
	{
		"a redirect is followed",
		[]edit{{"client.go", "return http.ErrUseLastResponse", "return nil"}},
		[]string{invRepeat},
	},
	{
		"a refusal after an unknown attempt counts as a refusal",
		[]edit{{"errors.go", "	case e.Earlier != nil, cl == classLost:", "	case cl == classLost:"}},
		[]string{invRefused},
	},
	{
		"a declined re-authorisation counts as a refusal",
		[]edit{{"errors.go", "	case e.Operation.reauthorises() && !cl.atTheDoor():", "	case false:"}},
		[]string{invRefused},
	},
	{
		"a code nobody has listed counts as a refusal",
		[]edit{{"errors.go", "	case e.Earlier != nil, cl == classLost:", "	case e.Earlier != nil:"}},
		[]string{invRefused},
	},
	{
		"every refusal is called unknown",
		[]edit{{"errors.go", "	default:\n		return OutcomeRefused\n	}\n}\n\n// plainError", "	default:\n		return OutcomeUnknown\n	}\n}\n\n// plainError"}},
		[]string{invUnknown},
	},
}

// TestTeeth breaks the client, once in each way, and sees the model catch it. The
// source is not touched: the compiler is handed the broken files in its place.
func TestTeeth(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("compiles the client a dozen times; run without -short")
	}
	root, err := filepath.Abs("..")
	require.NoError(t, err)
	for _, m := range mutations {
		t.Run(m.name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			overlay := map[string]string{}
			for _, e := range m.edits {
				path := filepath.Join(root, filepath.FromSlash(e.file))
				broken, again := overlay[path]
				if !again {
					broken = filepath.Join(dir, strings.ReplaceAll(e.file, "/", "_"))
					overlay[path] = broken
				}
				from := path
				if again {
					from = broken
				}
				src, err := os.ReadFile(from)
				require.NoError(t, err)
				require.Equal(t, 1, strings.Count(string(src), e.old), "%s no longer holds exactly once:\n%s", e.file, e.old)
				require.NoError(t, os.WriteFile(broken, []byte(strings.Replace(string(src), e.old, e.new, 1)), 0o600))
			}
			b, err := json.Marshal(map[string]any{"Replace": overlay})
			require.NoError(t, err)
			file := filepath.Join(dir, "overlay.json")
			require.NoError(t, os.WriteFile(file, b, 0o600))
			out, err := exec.CommandContext(t.Context(), "go", "test", "-vet=off", "-overlay", file, "-run", "^TestModel$", "-seed", "1", "-ops", "6000", "-rapid.shrinktime", "3s", ".").CombinedOutput()
			require.Error(t, err, "nothing caught it:\n%s", out)
			var by []string
			for _, inv := range m.caught {
				if strings.Contains(string(out), inv) {
					by = append(by, inv)
				}
			}
			require.NotEmpty(t, by, "something else went wrong:\n%s", out)
			t.Logf("caught by %s", by)
		})
	}
}

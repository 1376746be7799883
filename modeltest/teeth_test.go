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

// mutations are ways to break the client, each with the invariants of which one must catch
// it. If the text of a mutation is no longer in the source, the test fails, so that the list
// keeps up with the code.
var mutations = []struct {
	name   string
	edits  []edit
	caught []string
}{
	{
		"a timeout counts as a refusal",
		[]edit{{"errors.go", "	if e.NotSent && e.Earlier == nil {\n		return OutcomeNotSent\n	}\n	return OutcomeUnknown", "	if e.NotSent && e.Earlier == nil {\n		return OutcomeNotSent\n	}\n	return OutcomeRefused"}},
		[]string{invRefused},
	},
	{
		"every failure to get a reply counts as not sent",
		[]edit{{"transport.go", "return s.wanted.Load() && !s.got.Load()", "return true"}},
		[]string{invNotSent, invRepeat, invOnce},
	},
	{
		"a row that is cut short is accepted",
		[]edit{
			{"client.go", "	case err != nil:\n		return nil, raw,", "	case err != nil && len(body) == 0:\n		return nil, raw,"},
			{"internal/wire/row.go", "= cut(rest); !ok {", "= cut(rest); !ok && false {"},
			{"internal/wire/row.go", "cod, after, ok := cut(rest)\n	if !ok {", "cod, after, ok := cut(rest)\n	if !ok && false {"},
			{"internal/wire/row.go", "if !more && i < len(a)-1 {", "if !more && false {"},
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
		[]edit{{"client.go", "out.shipping); column != \"\" {", "out.shipping); column != \"\" && false {"}},
		[]string{invDone},
	},
	{
		"a redirect is followed",
		[]edit{{"client.go", "return http.ErrUseLastResponse", "return nil"}},
		[]string{invRepeat},
	},
	{
		"a refusal after an unknown attempt counts as a refusal",
		[]edit{{"errors.go", "	if e.Earlier != nil {\n		return OutcomeUnknown\n	}\n	return e.Code.Outcome(", "	return e.Code.Outcome("}},
		[]string{invRefused},
	},
	{
		"a declined re-authorisation counts as a refusal",
		[]edit{{"codes.go", "class == ErrLostTrack || op.replacesPayment() && !class.atTheDoor()", "class == ErrLostTrack"}},
		[]string{invRefused},
	},
	{
		"an unlisted code counts as a refusal",
		[]edit{{"codes.go", "class == ErrLostTrack || op.replacesPayment()", "op.replacesPayment()"}},
		[]string{invRefused},
	},
	{
		"every refusal counts as unknown",
		[]edit{{"codes.go", "	}\n	return OutcomeRefused\n", "	}\n	return OutcomeUnknown\n"}},
		[]string{invUnknown},
	},
}

// TestTeeth breaks the client in each way, and checks that the model catches it. The source
// is not modified: the compiler gets the broken files as an overlay.
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
				require.Equal(t, 1, strings.Count(string(src), e.old), "%s no longer contains exactly once:\n%s", e.file, e.old)
				require.NoError(t, os.WriteFile(broken, []byte(strings.Replace(string(src), e.old, e.new, 1)), 0o600))
			}
			b, err := json.Marshal(map[string]any{"Replace": overlay})
			require.NoError(t, err)
			file := filepath.Join(dir, "overlay.json")
			require.NoError(t, os.WriteFile(file, b, 0o600))
			out, err := exec.CommandContext(t.Context(), "go", "test", "-vet=off", "-overlay", file, "-run", "^TestModel$", "-seed", "1", "-ops", "6000", "-rapid.shrinktime", "3s", ".").CombinedOutput()
			require.Error(t, err, "no invariant caught it:\n%s", out)
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

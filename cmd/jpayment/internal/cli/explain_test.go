package cli

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/jpayment-go/jpayment/cmd/jpayment/internal/console"
	"github.com/jpayment-go/jpayment/jpaymenttest"
)

// inputs are what people paste, by the name of the golden file.
var inputs = map[string]struct {
	input  string
	status int
}{
	"code":             {"ER003", console.Done},
	"code-lower-case":  {"er010", console.Done},
	"code-issuer":      {"G1242G120000", console.Done},
	"code-lost":        {"ER042", console.Done},
	"code-unknown":     {"ER777", console.Done},
	"code-unknown-g":   {"G1342G130000", console.Done},
	"reply-success":    {"1095729,1,0001112,,205685,a-1,1000,2,4,1006,id7,secret,note=1", console.Done},
	"reply-test":       {"1095729,1,TestMod,,205685,,1000,2,4,1006,,,", console.Done},
	"reply-failure":    {"0,2,,ER900,,,0,0,0,0,,,0,", console.Done},
	"reply-lost":       {"0,2,,ER000,,,0,0,0,0,,,", console.Done},
	"reply-blank":      {"1095729,1,TestMod,,205685,,,,,,,,", console.Done},
	"reply-ok":         {"OK", console.Done},
	"reply-er":         {"ER:ER003", console.Done},
	"reply-cut":        {"1095729,1,TestMod,,205685,,10", console.Failed},
	"reply-sum":        {"1095729,1,TestMod,,205685,,1000,2,4,1007,,,", console.Failed},
	"reply-printed":    {"1095729,1,TestMod,,205685,,1000,2,4,1006,..", console.Done},
	"reply-page":       {"<html><body>Service Unavailable</body></html>", console.Failed},
	"kickback":         {"?gid=10000001&rst=1&ap=0001112&ec=&god=10000002&cod=test &am=1000&tx=80&sf=500&ta=1580", console.Done},
	"kickback-bare":    {"gid=10000001&rst=1&ap=TestMod&ec=&god=10000002&cod=%8d%c3&am=1000&tx=80&sf=500&ta=1580&acid=1000000001&note=1&jpk=x", console.Done},
	"kickback-url":     {"https://store.example/kickback?gid=0&rst=2&ap=&ec=G1242G120000&god=&cod=&am=0&tx=0&sf=0&ta=0#top", console.Done},
	"kickback-rst":     {"/kickback?gid=10000001&rst=3&am=1&tx=0&sf=0&ta=1", console.Done},
	"kickback-sum":     {"?gid=10000001&rst=1&am=1000&tx=80&sf=500&ta=1581", console.Failed},
	"kickback-twice":   {"?gid=10000001&rst=1&rst=2", console.Failed},
	"kickback-nothing": {"https://store.example/kickback", console.Failed},
}

func TestExplain(t *testing.T) {
	t.Parallel()
	for name, c := range inputs {
		for _, lang := range []console.Lang{console.English, console.Japanese} {
			t.Run(name+"-"+string(lang), func(t *testing.T) {
				t.Parallel()
				r := session{}.run(t, "explain", c.input, "--lang", string(lang))
				require.Equal(t, c.status, r.status, r.stderr)
				golden(t, "explain-"+name+"-"+string(lang), r)

				// Standard input gives the same output, with any line ending.
				piped := session{input: c.input + "\r\n"}.run(t, "explain", "-", "--lang", string(lang))
				require.Equal(t, r.stdout, piped.stdout)
				require.Equal(t, r.status, piped.status)
			})
		}
	}
}

func TestExplainJSON(t *testing.T) {
	t.Parallel()
	for name, c := range inputs {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := session{}.run(t, "explain", c.input, "--json")
			require.Equal(t, c.status, r.status)
			var got map[string]any
			require.NoError(t, json.Unmarshal([]byte(r.stdout), &got))
			kind, _, _ := strings.Cut(name, "-")
			require.Equal(t, kind, got["kind"])
			require.NotEmpty(t, got["verdict"])
			require.NotEmpty(t, got["verdict_ja"])
			require.Equal(t, c.status == console.Failed, got["error"] != nil)
		})
	}
	r := session{}.run(t, "explain", "0,2,,G1242G120000,,,0,0,0,0,,,", "--json")
	golden(t, "explain-json", r)
}

func TestExplainWantsSomethingToExplain(t *testing.T) {
	t.Parallel()
	for _, input := range []string{"", " ", "nonsense", "ER0", "10000001", "G12"} {
		r := session{}.run(t, "explain", input)
		require.Equal(t, console.Usage, r.status, "%q", input)
		require.Empty(t, r.stdout)
	}
	require.Equal(t, console.Usage, session{input: strings.Repeat("1", maxInput+1)}.run(t, "explain", "-").status)
	broken := session{}
	broken.stdin = failing{}
	require.Equal(t, console.Failed, broken.run(t, "explain", "-").status)
}

type failing struct{}

func (failing) Read([]byte) (int, error) { return 0, http.ErrBodyReadAfterClose }

func TestExplainShowsPrivateOnRequest(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		input string
		want  []string
	}{
		{"1095729,1,0001112,,205685,a-1,1000,2,4,1006,id7,secret,note=mine", []string{"0001112", "id7", "secret", "note=mine"}},
		{"?gid=1&rst=1&ap=0001112&am=1&tx=0&sf=0&ta=1&id=id7&ps=secret&note=mine&jpk=token77", []string{"0001112", "id7", "secret", "note=mine"}},
	} {
		for _, more := range [][]string{{}, {"--json"}} {
			masked := session{}.run(t, append([]string{"explain", c.input}, more...)...)
			shown := session{}.run(t, append([]string{"explain", c.input, "--show-private"}, more...)...)
			for _, secret := range c.want {
				require.NotContains(t, masked.stdout, secret)
				require.Contains(t, shown.stdout, secret)
			}
			require.NotContains(t, shown.stdout, "token77", "a signature can be sent again by who sees it")
		}
	}
}

// An unreadable column that does not affect money is shown as received, with its name.
func TestExplainNamesWhatCannotBeRead(t *testing.T) {
	t.Parallel()
	row := "1095729,1,TestMod,,205685,\xff\x1b,1000,2,4,1006,,,"
	for lang, want := range map[string]string{"en": "could not be parsed", "ja": "読み取れない"} {
		r := session{input: row}.run(t, "explain", "-", "--lang", lang)
		require.Equal(t, console.Done, r.status)
		require.NotContains(t, r.stdout, "\x1b")
		require.Contains(t, r.stdout, want)
	}
	require.Contains(t, session{input: row}.run(t, "explain", "-", "--json").stdout, `"unreadable":["cod"]`)
}

// The replies of the simulated gateway are understood.
func TestExplainWhatTheGatewaySays(t *testing.T) {
	t.Parallel()
	g := jpaymenttest.NewServer(t)
	id := g.Authorize(purchase)
	for range 2 {
		at(g).run(t, "sales", id, "--yes")
	}
	for i, request := range g.Requests() {
		r := session{input: string(request.Answer)}.run(t, "explain", "-")
		require.Equal(t, console.Done, r.status)
		require.Contains(t, r.stdout, []string{"✓ Done", "✗ Refused"}[i])
	}
	kickback := jpaymenttest.NewKickback("/kickback", jpaymenttest.KickbackParams{PaymentID: "10000009", Amount: 1, OrderNumber: "注文", ShiftJIS: true})
	r := session{}.run(t, "explain", kickback.URL.RawQuery)
	require.Equal(t, console.Done, r.status)
	require.Contains(t, r.stdout, "注文")
}

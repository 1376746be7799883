package monthend

import (
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	xjapanese "golang.org/x/text/encoding/japanese"

	"github.com/jpayment-go/jpayment/cmd/jpayment/internal/console"
	"github.com/jpayment-go/jpayment/cmd/jpayment/internal/sheet"
)

// Excel can read the report: in UTF-8 it has a byte order mark if any of its text is not
// ASCII.
func TestReportIsMarked(t *testing.T) {
	t.Parallel()
	const header = "operation,payment,reference\n"
	sjis, err := xjapanese.ShiftJIS.NewEncoder().String(header + "sales,10000001,髙島屋\n")
	require.NoError(t, err)
	for name, c := range map[string]struct {
		lang   console.Lang
		file   string
		marked bool
	}{
		"all ASCII":             {console.English, header + "sales,10000001,a\n", false},
		"a marked file":         {console.English, sheet.Mark + header + "sales,10000001,a\n", true},
		"a Japanese run":        {console.Japanese, header + "sales,10000001,a\n", true},
		"a Japanese reference":  {console.English, header + "cancel,10000002,a\nsales,10000001,髙島屋\n", true},
		"a Japanese header":     {console.English, "処理,決済番号,注文番号\n実売上,10000001,a\n", false},
		"Shift_JIS":             {console.Japanese, sjis, false},
		"Shift_JIS, in English": {console.English, sjis, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := newDesk(t, c.lang, gateway(t, 2).URL, c.file)
			for range 2 { // It recognises its own report.
				require.NoError(t, d.Do(t.Context()), "%s", &d.stderr)
				b, err := os.ReadFile(d.Report)
				require.NoError(t, err)
				require.Equal(t, c.marked, strings.HasPrefix(string(b), sheet.Mark))
				require.Equal(t, strings.Contains(c.file, sheet.Mark) || c.marked, strings.Contains(string(b), sheet.Mark))
			}
			left, err := os.ReadDir(d.dir)
			require.NoError(t, err)
			for _, entry := range left {
				require.False(t, strings.HasPrefix(entry.Name(), ".jpayment"), "%s is left behind", entry.Name())
			}
		})
	}
}

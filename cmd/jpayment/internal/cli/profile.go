package cli

import (
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/jpayment-go/jpayment/cmd/jpayment/internal/console"
	"github.com/jpayment-go/jpayment/internal/assumed"
)

// maxProfile bounds a profile in bytes.
const maxProfile = 4 << 20

// readProfile reads the profile in the file that --profile names, or returns nil if it
// names none.
func readProfile(path string) (*assumed.Profile, error) {
	if path == "" {
		return nil, nil //nolint:nilnil // Most commands have no profile.
	}
	f, err := os.Open(path) //nolint:gosec // The user's own file, by the user's own choice.
	if err != nil {
		return nil, console.Usagef("--profile: %s", "--profile: %s", console.What(err))
	}
	defer f.Close() //nolint:errcheck // Nothing was written.
	data, err := io.ReadAll(io.LimitReader(f, maxProfile+1))
	if err != nil {
		return nil, console.Usagef("--profile: %s", "--profile: %s", console.What(err))
	}
	if len(data) > maxProfile {
		return nil, console.Usagef("--profile: %s is longer than 4 MiB", "--profile: %sが4 MiBを超えています", path)
	}
	profile, err := assumed.ParseProfile(data)
	if err != nil {
		return nil, console.Usagef("--profile: %s: %s", "--profile: %s: %s", path, console.What(err))
	}
	return &profile, nil
}

// tellProfile prints which assumptions are wrong for the store, and what to set.
func tellProfile(w io.Writer, lang console.Lang, p assumed.Profile) {
	wrong := p.Wrong()
	if len(wrong) == 0 {
		fmt.Fprintln(w, lang.In("The profile refutes no assumption: the store needs no client options.",
			"プロファイルと異なる前提はありません。クライアントのオプションを変更する必要はありません。"))
		return
	}
	fmt.Fprintln(w, lang.In("Assumptions that are wrong for this store:", "この店舗に当てはまらない前提:"))
	for _, a := range wrong {
		fmt.Fprintf(w, "\n%3d  %s\n", a.Number, lang.Of(a.Text))
		fmt.Fprintf(w, "     %s\n", lang.Of(a.IfWrong))
		for _, option := range a.Options {
			set := []string{option.Call}
			if option.Flag != "" {
				set = append(set, "jpayment "+option.Flag)
			}
			fmt.Fprintf(w, "     %s %s\n", lang.In("set:", "設定:"), strings.Join(set, ", "))
		}
	}
}

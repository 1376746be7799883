package cli

import (
	"os"

	"github.com/spf13/cobra"
	"github.com/spf13/cobra/doc"

	"github.com/jpayment-go/jpayment/cmd/jpayment/internal/console"
)

func newManCommand(lang console.Lang) *cobra.Command {
	return &cobra.Command{
		Use:   "man DIR",
		Short: lang.In("Write the manual pages into a directory", "マニュアルページを書き出す"),
		Long: lang.In("Write a manual page for each command into the directory, which is created if necessary.",
			"コマンドごとのマニュアルページをディレクトリに書き出します。ディレクトリがなければ作成します。"),
		Example: `  jpayment man ~/.local/share/man/man1`,
		Args:    oneArgument("DIR"),
		RunE: func(cmd *cobra.Command, args []string) error {
			//nolint:gosec // Manual pages are for everybody to read.
			if err := os.MkdirAll(args[0], 0o755); err != nil {
				return console.Failedf("man: %s", "マニュアルページを作成できません。%s", console.What(err))
			}
			header := &doc.GenManHeader{Section: "1", Source: "jpayment " + version()}
			if err := doc.GenManTree(cmd.Root(), header, args[0]); err != nil {
				return console.Failedf("man: %s", "マニュアルページを作成できません。%s", console.What(err))
			}
			return nil
		},
	}
}

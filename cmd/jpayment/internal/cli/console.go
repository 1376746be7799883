package cli

import (
	"github.com/spf13/cobra"

	"github.com/jpayment-go/jpayment/cmd/jpayment/internal/console"
)

// console returns the console of the command.
func (w world) console() console.Console {
	return console.Console{
		Lang: w.lang, Stdin: w.stdin, Stdout: w.stdout, Stderr: w.stderr, Terminal: w.terminal,
		Colour: w.env("NO_COLOR") == "" && w.env("TERM") != "dumb", // no-color.org
		Zone:   console.Zone(w.env),
	}
}

// language returns the language of the messages of a command.
func language(cmd *cobra.Command) console.Lang { return worldOf(cmd).lang }

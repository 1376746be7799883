package cli

import (
	"github.com/jpayment-go/jpayment"
	"github.com/jpayment-go/jpayment/cmd/jpayment/internal/console"
	"github.com/jpayment-go/jpayment/cmd/jpayment/internal/jobtext"
	"github.com/jpayment-go/jpayment/cmd/jpayment/internal/monthend"
	"github.com/jpayment-go/jpayment/fulfilment"
)

// console returns where the command talks to a person.
func (w world) console(lang string) console.Console {
	return console.Console{
		Lang: console.Lang(lang), Stdin: w.stdin, Stdout: w.stdout, Stderr: w.stderr,
		Terminal: console.Terminals{In: w.terminal.in, Out: w.terminal.out, Err: w.terminal.err},
		Colour:   w.env("NO_COLOR") == "" && w.env("TERM") != "dumb", // no-color.org
	}
}

const (
	english  = string(console.English)
	japanese = string(console.Japanese)

	exitDone    = console.Done
	exitFailed  = console.Failed
	exitUsage   = console.Usage
	exitUnknown = console.Unknown

	hidden = console.Hidden
)

type (
	exitStatus = console.ExitStatus
	usageError = console.UsageError
)

var (
	errNotConfirmed = console.ErrNotConfirmed

	hide       = console.Hide
	printable  = console.Printable
	writeTable = console.WriteTable
	pad        = console.Pad
	grouped    = console.Grouped
	localTime  = console.LocalTime

	reasonJa = monthend.ReasonJa
)

func localeLanguage(env func(string) string) string { return string(console.LocaleLang(env)) }

// in returns the text in the language.
func in(lang, en, ja string) string { return console.Lang(lang).In(en, ja) }

// mark is what stands before a line that tells how something ended.
type mark console.Mark

const (
	good    = mark(console.Good)
	bad     = mark(console.Bad)
	unsure  = mark(console.Unsure)
	skipped = mark(console.Skipped)
)

func (m mark) paint(w world, terminal bool) string {
	return console.Mark(m).Paint(terminal && w.console("").Colour)
}

func stateName(lang string, s fulfilment.State) string {
	return jobtext.State(console.Lang(lang), s)
}

func operationName(lang string, op jpayment.Operation) string {
	return jobtext.Operation(console.Lang(lang), op)
}
func whyOf(lang string, j fulfilment.Job) string  { return jobtext.Why(console.Lang(lang), j) }
func nextOf(lang string, j fulfilment.Job) string { return jobtext.Next(console.Lang(lang), j) }

func pauseWhy(lang string, p *fulfilment.Pause) string {
	return jobtext.PauseWhy(console.Lang(lang), p)
}

func pauseNext(lang string, p *fulfilment.Pause) string {
	return jobtext.PauseNext(console.Lang(lang), p)
}

package cli

import (
	"strings"

	"github.com/jpayment-go/jpayment/cmd/jpayment/internal/console"
)

// languageOf returns the language of a command line, which is not parsed yet: what
// --lang says, else the user's locale, else English.
func languageOf(args []string, env func(string) string) console.Lang {
	lang := langFlag(console.LocaleLang(env))
	for i, arg := range args {
		if arg == "--" {
			break
		}
		value, _ := strings.CutPrefix(arg, "--lang=")
		if arg == "--lang" && i+1 < len(args) {
			value = args[i+1]
		}
		_ = lang.Set(value) // What is wrong with it is said when it is parsed.
	}
	return console.Lang(lang)
}

// langFlag is the value of --lang.
type langFlag console.Lang

func (f *langFlag) String() string { return string(*f) }
func (f *langFlag) Type() string   { return "ja|en" }

func (f *langFlag) Set(s string) error {
	lang := console.Lang(s)
	if lang != console.Japanese && lang != console.English {
		return console.Usagef("is neither ja nor en", "には ja または en を指定してください")
	}
	*f = langFlag(lang)
	return nil
}

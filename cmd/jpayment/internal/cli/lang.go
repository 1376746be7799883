package cli

import (
	"strings"

	"github.com/jpayment-go/jpayment/cmd/jpayment/internal/console"
)

// languageOf returns the language of a command line before it is parsed: from --lang,
// otherwise from the locale of the user, otherwise English.
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
		_ = lang.Set(value) // An error is reported when it is parsed.
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
		return console.Usagef("must be ja or en", "には ja または en を指定してください")
	}
	*f = langFlag(lang)
	return nil
}

package console

import "strings"

// Lang is a language of the command's output.
type Lang string

// The languages.
const (
	English  Lang = "en"
	Japanese Lang = "ja"
)

// LocaleLang returns the language of the locale, which is in the first of the variables
// that is set, in POSIX order.
func LocaleLang(env func(string) string) Lang {
	for _, variable := range []string{"LC_ALL", "LC_MESSAGES", "LANG"} {
		if locale := env(variable); locale != "" {
			if locale == "ja" || strings.HasPrefix(locale, "ja_") || strings.HasPrefix(locale, "ja.") {
				return Japanese
			}
			return English
		}
	}
	return English
}

// In returns the text in the language.
func (l Lang) In(en, ja string) string {
	if l == Japanese {
		return ja
	}
	return en
}

// Of returns the text in the language.
func (l Lang) Of(t Text) string { return l.In(t.En, t.Ja) }

package cli

import (
	"strings"

	"github.com/spf13/cobra"
)

// language returns the language of a command's messages, "ja" or "en": what --lang
// says, else the user's locale, else English.
func language(cmd *cobra.Command) string {
	if f := cmd.Flag("lang"); f != nil && f.Changed {
		return f.Value.String()
	}
	return localeLanguage(worldOf(cmd).env)
}

// helpLanguage returns the language in which to describe the commands, for which the
// arguments are not parsed yet.
func helpLanguage(args []string, env func(string) string) string {
	lang := langFlag(localeLanguage(env))
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
	return string(lang)
}

// langFlag is the value of --lang.
type langFlag string

func (f *langFlag) String() string { return string(*f) }
func (f *langFlag) Type() string   { return "ja|en" }

func (f *langFlag) Set(s string) error {
	if s != japanese && s != english {
		return usageError("is neither ja nor en")
	}
	*f = langFlag(s)
	return nil
}

package cli

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/jpayment-go/jpayment/cmd/jpayment/internal/console"
)

// speak replaces cobra's English flags, headings and errors with those in the language.
func speak(root *cobra.Command, lang console.Lang) {
	f := root.PersistentFlags()
	f.BoolP("help", "h", false, lang.In("show this help", "ヘルプを表示する"))
	root.Flags().BoolP("version", "v", false, lang.In("show the version", "バージョンを表示する"))
	root.CompletionOptions.DisableDefaultCmd = true // newCompletionCommand replaces it.
	root.SetHelpCommand(newHelpCommand(lang))
	root.SetUsageFunc(func(cmd *cobra.Command) error { return writeUsage(cmd, lang) })
	root.SetFlagErrorFunc(flagError)
	root.PersistentPreRunE = func(cmd *cobra.Command, _ []string) error { return missingFlags(cmd) }
}

// writeUsage writes the usage of a command.
func writeUsage(cmd *cobra.Command, lang console.Lang) error {
	var b strings.Builder
	cmd.DisableFlagsInUseLine = true // The line has a translated placeholder.
	fmt.Fprintf(&b, "%s\n  %s %s\n", lang.In("Usage:", "使い方:"), cmd.UseLine(), lang.In("[flags]", "[フラグ]"))
	if cmd.HasAvailableSubCommands() {
		fmt.Fprintf(&b, "  %s %s\n", cmd.CommandPath(), lang.In("COMMAND", "コマンド"))
	}
	if cmd.HasExample() {
		fmt.Fprintf(&b, "\n%s\n%s\n", lang.In("Examples:", "例:"), cmd.Example)
	}
	if cmd.HasAvailableSubCommands() {
		fmt.Fprintf(&b, "\n%s\n", lang.In("Commands:", "コマンド:"))
		for _, sub := range cmd.Commands() {
			if sub.IsAvailableCommand() {
				fmt.Fprintf(&b, "  %-*s %s\n", sub.NamePadding(), sub.Name(), sub.Short)
			}
		}
	}
	if flags := cmd.LocalFlags(); flags.HasAvailableFlags() {
		fmt.Fprintf(&b, "\n%s\n%s", lang.In("Flags:", "フラグ:"), flagUsages(flags, lang))
	}
	if flags := cmd.InheritedFlags(); flags.HasAvailableFlags() {
		fmt.Fprintf(&b, "\n%s\n%s", lang.In("Global flags:", "共通のフラグ:"), flagUsages(flags, lang))
	}
	if cmd.HasAvailableSubCommands() {
		fmt.Fprintf(&b, "\n"+lang.In("Use %s COMMAND --help for help on a command.", "各コマンドの説明は %s コマンド --help で表示できます。")+"\n", cmd.CommandPath())
	}
	_, err := io.WriteString(cmd.OutOrStderr(), b.String())
	return err
}

// flagUsages returns the usage lines of flags.
func flagUsages(flags *pflag.FlagSet, lang console.Lang) string {
	var names, usages []string
	width := 0
	flags.VisitAll(func(f *pflag.Flag) {
		if f.Hidden {
			return
		}
		name := "      --" + f.Name
		if f.Shorthand != "" {
			name = "  -" + f.Shorthand + ", --" + f.Name
		}
		switch f.Value.Type() {
		case "bool":
		case "int", "int64":
			name += " N"
		case "string", "stringArray":
			name += lang.In(" VALUE", " 値")
		default:
			name += " " + f.Value.Type()
		}
		names, usages = append(names, name), append(usages, f.Usage)
		width = max(width, console.Width(name))
	})
	var b strings.Builder
	for i, name := range names {
		fmt.Fprintf(&b, "%s  %s\n", console.Pad(name, width), usages[i])
	}
	return b.String()
}

// flagError returns the error of a flag that cannot be parsed. It does not quote the value,
// which may be a misplaced secret.
func flagError(cmd *cobra.Command, err error) error {
	var (
		unknown  *pflag.NotExistError
		bare     *pflag.ValueRequiredError
		invalid  *pflag.InvalidValueError
		syntax   *pflag.InvalidSyntaxError
		ownWords *console.Error
	)
	switch {
	case !cmd.HasParent() && len(cmd.Flags().Args()) > 0:
		return unknownCommand(cmd, cmd.Flags().Args()) // It is the first error.
	case errors.As(err, &unknown) && unknown.GetSpecifiedShortnames() != "":
		return console.Usagef("unknown flag -%s", "-%s というフラグはありません", unknown.GetSpecifiedName())
	case errors.As(err, &unknown):
		var known []string
		cmd.Flags().VisitAll(func(f *pflag.Flag) { known = append(known, f.Name) })
		e := console.Usagef("unknown flag --%s", "--%s というフラグはありません", unknown.GetSpecifiedName())
		return orPerhaps(e, "--", similar(unknown.GetSpecifiedName(), known))
	case errors.As(err, &bare):
		return console.Usagef("--%s needs a value", "--%s には値が必要です", bare.GetFlag().Name)
	case errors.As(err, &syntax):
		return console.Usagef("%s is not a valid flag", "%s はフラグの形式ではありません", syntax.GetSpecifiedFlag())
	case errors.As(err, &invalid) && errors.As(err, &ownWords):
		return console.Usagef("--%s %s", "--%s %s", invalid.GetFlag().Name, ownWords.Text)
	case errors.As(err, &invalid) && errors.Is(err, strconv.ErrRange):
		return console.Usagef("--%s is too large", "--%s の数値が大きすぎます", invalid.GetFlag().Name)
	case errors.As(err, &invalid) && invalid.GetFlag().Value.Type() == "bool":
		return console.Usagef("--%s must be true or false", "--%s には true または false を指定してください", invalid.GetFlag().Name)
	case errors.As(err, &invalid):
		return console.Usagef("--%s must be a whole number", "--%s には整数を指定してください", invalid.GetFlag().Name)
	default: // There is no other.
		return console.Usagef("%s", "%s", err.Error())
	}
}

// missingFlags returns the error of missing required flags, before cobra's own.
func missingFlags(cmd *cobra.Command) error {
	var missing []string
	cmd.Flags().VisitAll(func(f *pflag.Flag) {
		if slices.Contains(f.Annotations[cobra.BashCompOneRequiredFlag], "true") && !f.Changed {
			missing = append(missing, "--"+f.Name)
		}
	})
	if len(missing) == 0 {
		return nil
	}
	return console.Usagef("missing: %[1]s", "%[2]s を指定してください", strings.Join(missing, ", "), strings.Join(missing, "、"))
}

// exclusive returns an error if more than one of the flags is given.
func exclusive(cmd *cobra.Command, flags ...string) error {
	var given []string
	for _, name := range flags {
		if cmd.Flags().Changed(name) {
			given = append(given, "--"+name)
		}
	}
	if len(given) < 2 {
		return nil
	}
	return console.Usagef("%[1]s are mutually exclusive: give only one", "%[2]s は同時に指定できません。1つだけ指定してください", strings.Join(given, ", "), strings.Join(given, "、"))
}

// oneArgument requires exactly one argument, called name.
func oneArgument(name string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) == 0 {
			return console.Usagef("%s is missing", "%s が指定されていません", name)
		}
		return atMostOne(name)(cmd, args)
	}
}

// atMostOne allows at most one argument, called name.
func atMostOne(name string) cobra.PositionalArgs {
	return func(_ *cobra.Command, args []string) error {
		if len(args) > 1 {
			return console.Usagef("expected one %s, but got %d arguments", "%s は1つだけ指定してください（引数が%d個あります）", name, len(args))
		}
		return nil
	}
}

// noArguments allows no arguments.
func noArguments(cmd *cobra.Command, args []string) error {
	if len(args) > 0 {
		return console.Usagef("%s takes no arguments, but got %d", "%s に引数は指定できません（引数が%d個あります）", cmd.CommandPath(), len(args))
	}
	return nil
}

// unknownCommand returns the error of a root command that has arguments.
func unknownCommand(root *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	var known []string
	for _, cmd := range root.Commands() {
		if cmd.IsAvailableCommand() {
			known = append(known, cmd.Name())
		}
	}
	e := console.Usagef("unknown command %s", "%s というコマンドはありません", args[0])
	return orPerhaps(e, root.Name()+" ", similar(args[0], known))
}

// similar returns the known names that a mistyped name may stand for, as cobra suggests
// commands.
func similar(name string, known []string) []string {
	names := &cobra.Command{SuggestionsMinimumDistance: 2}
	for _, k := range known {
		names.AddCommand(&cobra.Command{Use: k, Run: func(*cobra.Command, []string) {}})
	}
	return names.SuggestionsFor(name)
}

// orPerhaps adds suggestions to an error.
func orPerhaps(e *console.Error, prefix string, names []string) error {
	if len(names) == 0 {
		return e
	}
	for i := range names {
		names[i] = prefix + names[i]
	}
	e.Text = console.Textf("%[1]s; did you mean %[2]s?", "%[1]s。もしかして: %[3]s", e.Text, strings.Join(names, " or "), strings.Join(names, "、"))
	return e
}

func newHelpCommand(lang console.Lang) *cobra.Command {
	return &cobra.Command{
		Use:     "help [COMMAND]",
		Short:   lang.In("Show help on a command", "コマンドのヘルプを表示する"),
		Long:    lang.In("Show help on a command, as --help does.", "--help と同じく、コマンドのヘルプを表示します。"),
		Example: `  jpayment help sales`,
		Args:    atMostOne("COMMAND"),
		RunE: func(cmd *cobra.Command, args []string) error {
			about, rest, err := cmd.Root().Find(args)
			if err != nil || len(rest) > 0 {
				return unknownCommand(cmd.Root(), args)
			}
			about.InitDefaultHelpFlag()
			return about.Help()
		},
		ValidArgsFunction: func(cmd *cobra.Command, args []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
			var names []cobra.Completion
			for _, sub := range cmd.Root().Commands() {
				if len(args) == 0 && sub.IsAvailableCommand() {
					names = append(names, cobra.CompletionWithDesc(sub.Name(), sub.Short))
				}
			}
			return names, cobra.ShellCompDirectiveNoFileComp
		},
	}
}

// shells are those for which there is a completion script.
var shells = []string{"bash", "zsh", "fish", "powershell"}

func newCompletionCommand(lang console.Lang) *cobra.Command {
	return &cobra.Command{
		Use:   "completion SHELL",
		Short: lang.In("Write a completion script for bash, zsh, fish or powershell", "bash・zsh・fish・powershell の補完スクリプトを出力する"),
		Long: lang.In(`Write a completion script for commands and flags to standard output. SHELL is bash (which
needs the package bash-completion), zsh, fish or powershell.`,
			`コマンドとフラグの補完に使うスクリプトを標準出力に書き出します。SHELL は bash（bash-completion
パッケージが必要）、zsh、fish、powershell のいずれかです。`),
		Example: `  jpayment completion bash > ~/.local/share/bash-completion/completions/jpayment
  jpayment completion zsh > "${fpath[1]}/_jpayment"`,
		Args:      oneArgument("SHELL"),
		ValidArgs: shells,
		RunE: func(cmd *cobra.Command, args []string) error {
			root, out := cmd.Root(), cmd.OutOrStdout()
			switch args[0] {
			case "bash":
				return root.GenBashCompletionV2(out, true)
			case "zsh":
				return root.GenZshCompletion(out)
			case "fish":
				return root.GenFishCompletion(out, true)
			case "powershell":
				return root.GenPowerShellCompletionWithDesc(out)
			default:
				return console.Usagef("SHELL must be one of %[1]s", "SHELL には %[2]s のいずれかを指定してください", strings.Join(shells, ", "), strings.Join(shells, "、"))
			}
		},
	}
}

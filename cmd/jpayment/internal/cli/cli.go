// Package cli implements the jpayment command: all of its commands, independent of the
// process they run in.
package cli

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/user"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"slices"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/jpayment-go/jpayment/cmd/jpayment/internal/console"
)

// Run runs the command line and returns its exit status. A stream is a terminal if it is a
// file that is a terminal.
func Run(ctx context.Context, args []string, env func(string) string, stdin io.Reader, stdout, stderr io.Writer) int {
	configDir, _ := os.UserConfigDir() // Without one there is no default file.
	return run(ctx, args, world{
		env: env, stdin: stdin, stdout: stdout, stderr: stderr,
		terminal:  console.Terminals{In: isTerminal(stdin), Out: isTerminal(stdout), Err: isTerminal(stderr)},
		configDir: configDir,
		dataDir:   homeDir(env, "XDG_DATA_HOME", filepath.Join(".local", "share"), configDir),
		stateDir:  homeDir(env, "XDG_STATE_HOME", filepath.Join(".local", "state"), configDir),
		user:      userName(),
		proxy:     http.ProxyFromEnvironment,
	})
}

func userName() string {
	u, err := user.Current()
	if err != nil {
		return "" // Then --by is required.
	}
	return u.Username
}

// homeDir returns one of the user's directories. It is the configuration directory, except
// where the XDG Base Directory Specification distinguishes them: there a variable names it,
// or it is below the home directory.
func homeDir(env func(string) string, variable, below, configDir string) string {
	switch home := env("HOME"); {
	case slices.Contains([]string{"windows", "darwin", "ios", "plan9"}, runtime.GOOS):
		return configDir
	case filepath.IsAbs(env(variable)):
		return env(variable)
	case home != "":
		return filepath.Join(home, below)
	default:
		return configDir
	}
}

func isTerminal(stream any) bool {
	f, ok := stream.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// world is what a command sees of the machine it runs on.
type world struct {
	env            func(string) string
	stdin          io.Reader
	stdout, stderr io.Writer
	terminal       console.Terminals
	configDir      string
	user           string // the name of the user
	dataDir        string // for a database that is not named
	stateDir       string // for the witness of a Postgres database
	lang           console.Lang
	proxy          func(*http.Request) (*url.URL, error)
	roots          *x509.CertPool   // nil for the system's
	now            func() time.Time // the clock of a run; nil for time.Now
}

type worldKey struct{}

func withWorld(ctx context.Context, w world) context.Context {
	return context.WithValue(ctx, worldKey{}, w)
}

// worldOf returns the world of a command. Outside Run it has an empty environment.
func worldOf(cmd *cobra.Command) world {
	if ctx := cmd.Context(); ctx != nil {
		if w, ok := ctx.Value(worldKey{}).(world); ok {
			return w
		}
	}
	return world{env: func(string) string { return "" }}
}

// run is Run in any world.
func run(ctx context.Context, args []string, w world) (status int) {
	defer func() {
		// A panic would exit with status 2, which means that nothing was sent.
		if r := recover(); r != nil {
			fmt.Fprintf(w.stderr, "jpayment: panic: %T\n%s", r, debug.Stack())
			status = console.Unknown
		}
	}()
	w.lang = languageOf(args, w.env)
	root := newRootCommand(w.lang)
	root.SetArgs(append([]string{}, args...)) // If args were nil, cobra would use os.Args.
	root.SetIn(w.stdin)
	root.SetOut(w.stdout)
	root.SetErr(w.stderr)

	cmd, err := root.ExecuteContextC(withWorld(ctx, w))
	if err == nil {
		return console.Done
	}
	var said console.ExitStatus
	if errors.As(err, &said) {
		return int(said)
	}
	status = console.Failed
	var ours *console.Error
	if errors.As(err, &ours) {
		status = ours.Status
	}
	fmt.Fprintf(w.stderr, "jpayment: %s\n", w.lang.Of(console.What(err)))
	if status == console.Usage {
		fmt.Fprintln(w.stderr, w.lang.In("Help: ", "使い方: ")+cmd.CommandPath()+" --help")
	}
	return status
}

// newRootCommand returns jpayment with all its commands, with help in the language.
func newRootCommand(lang console.Lang) *cobra.Command {
	root := &cobra.Command{
		Use:   "jpayment",
		Short: lang.In("Operate, explain, check and simulate ROBOT PAYMENT's credit-card gateway", "ROBOT PAYMENT クレジットカード決済の手動操作・応答の説明・接続確認・シミュレーション"),
		Long: lang.In(`Capture, cancel and re-authorise payments at ROBOT PAYMENT's credit-card gateway, explain
its codes and replies, check the connection to it, and simulate it.

Exit status:
  0  done: the gateway confirmed the operation; or all checks passed
  1  refused or not sent; or a check failed
  2  usage error: nothing was sent
  3  unknown: look the payment up in the control panel before you do anything else`,
			`ROBOT PAYMENT クレジットカード決済の手動操作、応答の説明、接続確認、シミュレーションを行います。

終了ステータス:
  0  完了（処理したという応答があった）、または問題なし
  1  拒否または未送信、あるいは確認項目の失敗
  2  使い方の誤り（何も送信していない）
  3  不明（何よりも先に管理画面で決済を確認する）`),
		Example: `  jpayment doctor --store 123456
  jpayment sales 10000001 --store 123456
  jpayment explain ER003`,
		Version:           version(),
		Args:              unknownCommand,
		SilenceErrors:     true,
		SilenceUsage:      true,
		DisableAutoGenTag: true,
		RunE:              func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	var flag langFlag
	root.PersistentFlags().Var(&flag, "lang", lang.In("language of messages; defaults to the locale (LC_ALL, LC_MESSAGES, LANG)", "メッセージの言語。既定はロケール（LC_ALL, LC_MESSAGES, LANG）による"))
	complete(root, "lang", string(console.Japanese), string(console.English))
	speak(root, lang)
	root.AddCommand(commands(lang)...)
	return root
}

// commands returns the subcommands of jpayment.
func commands(lang console.Lang) []*cobra.Command {
	return []*cobra.Command{
		newSalesCommand(lang),
		newCancelCommand(lang),
		newReAuthCommand(lang),
		newRunCommand(lang),
		newWorkCommand(lang),
		newStatusCommand(lang),
		newReviewCommand(lang),
		newDeskCommand(lang),
		newMigrateCommand(lang),
		newRestoreCheckCommand(lang),
		newExplainCommand(lang),
		newDoctorCommand(lang),
		newProbeCommand(lang),
		newSimulateCommand(lang),
		newManCommand(lang),
		newCompletionCommand(lang),
	}
}

// complete lets the shell complete the value of a flag.
func complete(cmd *cobra.Command, flag string, values ...string) {
	// It fails only for a flag that does not exist, which every test would detect.
	if err := cmd.RegisterFlagCompletionFunc(flag, cobra.FixedCompletions(values, cobra.ShellCompDirectiveNoFileComp)); err != nil {
		panic(err)
	}
}

// version returns the version of the module that the binary was built from.
func version() string {
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" {
		return info.Main.Version
	}
	return "(devel)"
}

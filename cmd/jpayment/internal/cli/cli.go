// Package cli is the command line of jpayment: every command, apart from the process
// that it runs in.
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

// Run runs the command line and returns its exit status. A stream is a terminal if it
// is a file that is one.
func Run(ctx context.Context, args []string, env func(string) string, stdin io.Reader, stdout, stderr io.Writer) int {
	configDir, _ := os.UserConfigDir() // Without one there is no file by default.
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
		return "" // Then a person has to say.
	}
	return u.Username
}

// homeDir returns a directory of the user's, which is that for the configuration but where the
// XDG Base Directory Specification tells them apart: by a variable, or below the home.
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

// world is what the command sees of the machine it runs on.
type world struct {
	env            func(string) string
	stdin          io.Reader
	stdout, stderr io.Writer
	terminal       console.Terminals
	configDir      string
	user           string // who runs it
	dataDir        string // where a database goes that nobody has named
	stateDir       string // where the witness of a database elsewhere goes
	lang           console.Lang
	proxy          func(*http.Request) (*url.URL, error)
	roots          *x509.CertPool   // nil for the system's
	now            func() time.Time // by which a run tells what lasts; nil for the clock
}

type worldKey struct{}

func withWorld(ctx context.Context, w world) context.Context {
	return context.WithValue(ctx, worldKey{}, w)
}

// worldOf returns the world of a command. One that runs by itself, outside Run, has
// an empty environment.
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
		// A panic would end the process with status 2, which says that nothing was sent.
		if r := recover(); r != nil {
			fmt.Fprintf(w.stderr, "jpayment: panic: %T\n%s", r, debug.Stack())
			status = console.Unknown
		}
	}()
	w.lang = languageOf(args, w.env)
	root := newRootCommand(w.lang)
	root.SetArgs(append([]string{}, args...)) // Of nil cobra makes the process's own.
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

// newRootCommand returns jpayment with all its commands, described in the language.
func newRootCommand(lang console.Lang) *cobra.Command {
	root := &cobra.Command{
		Use:   "jpayment",
		Short: lang.In("Operations by hand, explanations, checks and a simulation of ROBOT PAYMENT's credit-card gateway", "ROBOT PAYMENT クレジットカード決済の手動操作・応答の説明・接続確認・シミュレーター"),
		Long: lang.In(`Operations by hand, explanations, checks and a simulation of ROBOT PAYMENT's credit-card
gateway.

Exit status:
  0  done: the gateway said that it did it; or all is well
  1  refused, or not sent; or a check failed
  2  wrong usage: nothing was sent
  3  unknown: look the payment up in the control panel before anything else`,
			`ROBOT PAYMENT クレジットカード決済の手動操作、応答の説明、接続確認、シミュレーションを行います。

終了ステータス:
  0  完了（ゲートウェイが処理したと答えた）、または問題なし
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
	root.PersistentFlags().Var(&flag, "lang", lang.In("language of messages; by default that of the locale (LC_ALL, LC_MESSAGES, LANG)", "メッセージの言語。既定はロケール（LC_ALL, LC_MESSAGES, LANG）による"))
	complete(root, "lang", string(console.Japanese), string(console.English))
	speak(root, lang)
	root.AddCommand(commands(lang)...)
	return root
}

// commands returns what stands below jpayment.
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

// complete lets the shell complete a flag's value.
func complete(cmd *cobra.Command, flag string, values ...string) {
	// It fails for a flag that is not there, which every test would meet.
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

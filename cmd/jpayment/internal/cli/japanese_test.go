package cli

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"github.com/stretchr/testify/require"

	"github.com/jpayment-go/jpayment/cmd/jpayment/internal/console"
	"github.com/jpayment-go/jpayment/internal/assumed"
	"github.com/jpayment-go/jpayment/jpaymenttest"
)

// names are the words in Latin letters that Japanese text may contain, besides those of the
// command line itself: what a person types or finds under this name elsewhere.
var names = []string{
	"jpayment", "yes", "true", "false", "ja", "en", "utf", "shift_jis", "key", "value", "chmod", "http", "https", "tcp",
	"gateway", "re_auth", "aspx", "credit", "co", "jp", "connection_auth", "kickback_key", "bash", "zsh", "fish", "powershell",
	"panel", "SQLite", "Postgres", "Excel", "KiB", "MiB", "journal", "md", "WithKickbackKey", "TestMod",
	"dial", "read", "textproto", "ProtocolError", // in errors of net/http
}

// englishIn returns the words of a Japanese text that are not names, codes or among the
// given words. Words in capitals are names.
func englishIn(text string, given ...string) []string {
	known := map[string]bool{}
	add := func(s string) {
		for _, word := range words(s) {
			known[strings.ToLower(word)] = true
		}
	}
	for _, s := range slices.Concat(names, given) {
		add(s)
	}
	var all func(cmd *cobra.Command)
	all = func(cmd *cobra.Command) {
		cmd.InitDefaultHelpFlag()
		add(cmd.Name())
		cmd.Flags().VisitAll(func(f *pflag.Flag) { add(f.Name) })
		for _, sub := range cmd.Commands() {
			all(sub)
		}
	}
	all(newRootCommand(console.Japanese))
	for name := range terms {
		add(name)
	}
	return slices.DeleteFunc(words(text), func(word string) bool {
		return known[strings.ToLower(word)] || word == strings.ToUpper(word)
	})
}

// words returns the words in Latin letters.
func words(text string) []string {
	return regexp.MustCompile(`[A-Za-z][A-Za-z_]+`).FindAllString(text, -1)
}

func TestEnglishIn(t *testing.T) {
	t.Parallel()
	require.Empty(t, englishIn("--amount を指定してください: jpayment sales FILE、ER003、127.0.0.1:8080、a/b.csv", "a/b.csv"))
	require.Equal(t, []string{"No", "such"}, englishIn("a.csv: No such", "a.csv"))
}

// In Japanese, every error is reported in Japanese. There is a case for every error of this
// package.
func TestErrorsInJapanese(t *testing.T) {
	t.Parallel()
	d := newUnclearDesk(t)
	require.Equal(t, console.Done, d.run(t, "review", "3", "--not-done", "--yes", "--by", "keiri").status)
	unclear := d.vars["JPAYMENT_DATABASE"] // job 1 is done, 2 is in review, 3 is decided, 4 is refused
	dir := t.TempDir()
	in := func(name string) string { return filepath.Join(dir, name) }
	write := func(name, text string) string {
		require.NoError(t, os.WriteFile(in(name), []byte(text), 0o600))
		return in(name)
	}
	taken, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { taken.Close() })
	file := write("file", "text")
	rows := write("rows.csv", "operation,payment,reference\nsales,1,a\n")
	key := "JPAYMENT_KICKBACK_KEY=" + strings.Repeat("k", 32)
	deskOf := "desk --store 123456 --database " + unclear
	long := write("longer", strings.Repeat("x", maxInput+1))
	var (
		mu   sync.Mutex
		told strings.Builder
	)
	cases := []struct {
		args   string // NAME=VALUE first sets a variable
		status int
		want   string
	}{
		{"frob", console.Usage, "frob"},
		{"frob --yes", console.Usage, "frob"},
		{"sale", console.Usage, "もしかして: jpayment sales"},
		{"help frob", console.Usage, "frob"},
		{"help sale", console.Usage, "もしかして: jpayment sales"},
		{"--frob", console.Usage, "--frob"},
		{"-x", console.Usage, "-x"},
		{"--=x", console.Usage, "--=x"},
		{"sales", console.Usage, "PAYMENT が指定されていません"},
		{"sales 1 2", console.Usage, "PAYMENT"},
		{"sales 1 --frob", console.Usage, "--frob"},
		{"sales 1 --frob --lang ja", console.Usage, "--frob"},
		{"sales 1 --stroe 123456", console.Usage, "もしかして: --store"},
		{"sales 1 -y", console.Usage, "-y"},
		{"sales 1 --store", console.Usage, "--store"},
		{"sales 1 --yes=x", console.Usage, "--yes"},
		{"sales 1 --lang fr", console.Usage, "--lang"},
		{"sales 1", console.Usage, "--store"},
		{"sales 1 --store 123456", console.Usage, "--yes"},
		{"sales x --store 1 --url http://example.com --yes", console.Usage, "--url"},
		{"sales 1 --store 123456 --url : --yes", console.Usage, "--url"},
		{"sales 1 --store 123456 --extra x --yes", console.Usage, "--extra"},
		{"sales 1 --store 123456 --extra x=1 --extra x=2 --yes", console.Usage, "--extra"},
		{"sales 1 --store 123456 --extra tid=1 --yes", console.Usage, "--extra"},
		{"sales 1 --store 123456 --timeout 5 --yes", console.Usage, "--timeout"},
		{"sales 1 --store 123456 --charset x --yes", console.Usage, "--charset"},
		{"sales 1 --store 123456 --config " + in("none"), console.Usage, "none"},
		{"sales 1 --store 123456 --config " + dir, console.Usage, "ディレクトリ"},
		{"sales 1 --store 123456 --config " + file, console.Usage, "1行"},
		{"sales 1 --store 123456 --config " + write("unknown", "stroe = 1"), console.Usage, "stroe"},
		{"sales 1 --store 123456 --config " + write("type", "store = 1"), console.Usage, "store"},
		{"sales 1 --store 123456 --config " + write("long", strings.Repeat("#", maxConfigFile+1)), console.Usage, "64 KiB"},
		{"JPAYMENT_PRODUCTION_ONLY=x sales 1 --store 123456", console.Usage, "JPAYMENT_PRODUCTION_ONLY"},
		{"cancel", console.Usage, "PAYMENT"},
		{"cancel 1 --timeout", console.Usage, "--timeout"},
		{"reauth", console.Usage, "PAYMENT"},
		{"reauth 1", console.Usage, "--amount、--shipping、--tax"},
		{"reauth 1 --amount 1 --tax 0", console.Usage, "--shipping"},
		{"reauth 1 --amount x --tax 0 --shipping 0", console.Usage, "--amount"},
		{"reauth 1 --amount 99999999999999999999 --tax 0 --shipping 0", console.Usage, "--amount"},
		{"reauth 1 --amount -1 --tax 0 --shipping 0 --email x --phone x --store 123456", console.Usage, "--email"},
		{"reauth 1 --retry-unknown", console.Usage, "--retry-unknown"},
		{"run", console.Usage, "FILE"},
		{"run a b", console.Usage, "FILE"},
		{"run a --json", console.Usage, "--json"},
		{"run " + rows, console.Usage, "--store"},
		{"run " + rows + " --store 123456", console.Usage, "--database"},
		{"run " + in("none") + " --store 123456 --database " + in("db"), console.Usage, "none"},
		{"run " + dir + " --store 123456 --database " + in("db"), console.Usage, "ディレクトリ"},
		{"run " + rows + " --yes --rate 10000 --store 123456 --database " + in("db"), console.Usage, "--rate"},
		{"work 1", console.Usage, "work"},
		{"work", console.Usage, "--store"},
		{"work --store 123456", console.Usage, "--database"},
		{"work --store 123456 --url http://127.0.0.1:1", console.Usage, "--database"},
		{"work --store 1 --database " + in("db"), console.Usage, "--store"},
		{"work --store 123456 --kickback-key x", console.Usage, "--kickback-key"},
		{"work --store 123456 --database " + in("db") + " --rate x", console.Usage, "--rate"},
		{"work --store 123456 --database " + in("db") + " --concurrency 65", console.Usage, "--concurrency"},
		{"work --store 123456 --database " + in("db") + " --kickback-wait x", console.Usage, "--kickback-wait"},
		{"work --store 123456 --database " + in("db") + " --kickback-wait 1m", console.Usage, "JPAYMENT_KICKBACK_KEY"},
		{"work --store 123456 --database " + in("db") + " --kickback-listen 127.0.0.1:0", console.Usage, "JPAYMENT_KICKBACK_KEY"},
		{"JPAYMENT_KICKBACK_KEY=x work --store 123456 --database " + in("db"), console.Usage, "JPAYMENT_KICKBACK_KEY"},
		{key + " work --store 123456 --database " + in("db") + " --kickback-listen " + taken.Addr().String(), console.Failed, "使用中"},
		{key + " work --store 123456 --database " + in("db") + " --kickback-listen x", console.Usage, "--kickback-listen"},
		{"work --store 123456 --database " + dir, console.Usage, "ディレクトリ"},
		{"work --store 123456 --database " + write("nodb", strings.Repeat("no database ", 200)), console.Failed, "SQLite"},
		{"work --store 123456 --database " + file + "/x/db", console.Usage, "file"},
		{"work --store 123456 --database postgres://a:b@127.0.0.1:1/x", console.Usage, "JPAYMENT_DATABASE"},
		{"JPAYMENT_DATABASE=postgres://127.0.0.1:1/x%zz work --store 123456", console.Usage, "postgres://"},
		{"work --store 123456 --database postgres://127.0.0.1:1/x", console.Failed, "127.0.0.1"},
		{"work --store 123456 --schema x-y --database postgres://127.0.0.1:1/x", console.Usage, "--schema"},
		{"status 1", console.Usage, "status"},
		{"status", console.Usage, "--store"},
		{"status --store 123456 --database " + in("none"), console.Usage, "none"},
		{"review 1 2", console.Usage, "JOB"},
		{"review x", console.Usage, "JOB"},
		{"review --done", console.Usage, "JOB"},
		{"review 1 --done --again", console.Usage, "--done、--again"},
		{"review --store 123456 --database " + in("none"), console.Usage, "none"},
		{"explain", console.Usage, "CODE|ROW|QUERY"},
		{"explain a b", console.Usage, "CODE|ROW|QUERY"},
		{"explain nonsense", console.Usage, "いずれでもありません"},
		{"explain 1,2,3", console.Failed, "不明"},
		{"explain <html>", console.Failed, "不明"},
		{"explain ?gid=1", console.Failed, "決済結果通知として扱えません"},
		{"explain ?gid=x&rst=1&am=1&tx=0&sf=0&ta=1", console.Failed, "gid"},
		{"explain ?gid=1&gid=2", console.Failed, "gid"},
		{"doctor 1", console.Usage, "doctor"},
		{"doctor --url http://example.com", console.Usage, "--url"},
		{"doctor --store 1", console.Usage, "--store"},
		{"doctor --timeout x", console.Usage, "--timeout"},
		{"doctor --profile " + in("none"), console.Usage, "--profile"},
		{"doctor --profile " + dir, console.Usage, "ディレクトリ"},
		{"doctor --profile " + write("large", strings.Repeat("x", maxProfile+1)), console.Usage, "4 MiB"},
		{"doctor --profile " + write("profile", `{"version":1,"assumptions":[{"number":32}]}`), console.Usage, "assumptions[0].verdict がありません"},
		{"simulate --profile " + write("version", `{"version":2}`), console.Usage, "version が 2 です"},
		{"simulate --set columns", console.Usage, "NAME=VALUE"},
		{"simulate --set columns=12", console.Usage, "--set columns"},
		{"simulate --set colums=13", console.Usage, `--set "colums" という設定はありません`},
		{"simulate --set test_mode=on", console.Usage, "--set test_mode"},
		{"simulate --seed x", console.Usage, "--seed"},
		{"simulate x", console.Usage, "simulate"},
		{"simulate --payments x", console.Usage, "--payments"},
		{"simulate --payments 10001", console.Usage, "--payments"},
		{"simulate --store 1", console.Usage, "--store"},
		{"simulate --listen " + taken.Addr().String(), console.Failed, "--listen"},
		{"simulate --listen x", console.Usage, "--listen"},
		{"simulate --listen 192.0.2.1:1", console.Failed, "--listen"},
		{"simulate --listen 0.0.0.0:0", console.Usage, "JPAYMENT_CONTROL_TOKEN"},
		{"JPAYMENT_CONTROL_TOKEN=short simulate --listen 127.0.0.1:0", console.Usage, "JPAYMENT_CONTROL_TOKEN: トークンが16バイト未満です"},
		{"simulate --listen 127.0.0.1:0 --state " + dir, console.Failed, "--state"},
		{"simulate --listen 127.0.0.1:0 --state " + in("nodb"), console.Failed, "SQLite"},
		{"simulate --listen 127.0.0.1:0 --state " + in("no/such"), console.Failed, "no/such"},
		{"probe", console.Done, "--payments"},
		{"probe 1", console.Usage, "--store"},
		{"probe x --store 123456", console.Usage, "決済番号"},
		{"probe 1 1 --store 123456", console.Usage, "重複"},
		{"probe 1 --payments " + rows, console.Usage, "--payments"},
		{"probe --payments " + in("none"), console.Usage, "none"},
		{"probe --payments " + rows + " --store 123456", console.Usage, "種類"},
		{"probe 1 --pause x", console.Usage, "--pause"},
		{"probe 1 --watch -1s", console.Usage, "--watch"},
		{"probe 1 --store 1", console.Usage, "--store"},
		{"probe 1 --store 123456 --url http://example.com", console.Usage, "--url"},
		{"probe 1 --store 123456 --listen " + taken.Addr().String(), console.Failed, "使用中"},
		{"probe 1 --store 123456 --listen x", console.Usage, "--listen"},
		{"probe 1 --store 123456 --out " + in("no/such"), console.Usage, "no/such"},
		{"probe 1 --store 123456 --out " + in("probe"), console.Usage, "--yes"},
		{"probe 1 --store 123456 --yes --out " + write("x", "") + " --url http://127.0.0.1:1", console.Failed, "決済ゲートウェイが応答しないか"},
		{"man", console.Usage, "DIR"},
		{"man " + file, console.Failed, "file"},
		{"completion", console.Usage, "SHELL"},
		{"completion tcsh", console.Usage, "bash"},
		{"completion bash zsh", console.Usage, "SHELL"},
		{"sales 1 --store 123456 --extra @" + in("none"), console.Usage, "--extra"},
		{"sales 1 --store 123456 --extra @" + dir, console.Failed, "ディレクトリ"},
		{"sales 1 --store 123456 --extra @" + long, console.Usage, "64 KiB"},
		{"sales 1 --store 123456 --extra - --extra -", console.Usage, "標準入力"},
		{"sales 1 --store 123456 --extra -", console.Usage, "--yes"},
		{"run " + rows + " --columns x", console.Usage, "--columns"},
		{"run " + rows + " --columns x=y", console.Usage, "--columns"},
		{"run " + rows + " --columns x=payment,y=payment", console.Usage, "重複"},
		{"run " + rows + " --store 123456 --database " + in("db") + " --columns 伝票番号=reference", console.Usage, "--columns"},
		{"run " + rows + " --store 123456 --database " + in("db") + " --report " + rows, console.Usage, "--report"},
		{"run " + rows + " --store 123456 --database " + in("db") + " --report " + in("no/such"), console.Usage, "--report"},
		{"JPAYMENT_DATABASE=mysql://127.0.0.1:1/x work --store 123456", console.Usage, "postgres://"},
		{"work --store 123456 --database " + in("db") + " --health " + taken.Addr().String(), console.Failed, "使用中"},
		{"work --store 123456 --database " + in("db") + " --health x", console.Usage, "--health"},
		{"review 99 --store 123456 --database " + unclear, console.Usage, "ジョブ 99"},
		{"review 2 --done --yes --store 123456 --database " + unclear, console.Usage, "--new-payment"},
		{"review 2 --done --yes --new-payment x --store 123456 --database " + unclear, console.Usage, "--new-payment"},
		{"review 2 --not-done --store 123456 --database " + unclear, console.Usage, "--yes"},
		{"review 1 --again --yes --store 123456 --database " + unclear, console.Usage, "JOB"},
		{"review 3 --not-done --yes --store 123456 --database " + unclear, console.Usage, "--correct"},
		{"review 3 --import x", console.Usage, "--import"},
		{"review --export x --import y", console.Usage, "--export、--import"},
		{"review --export " + file + " --store 123456 --database " + unclear, console.Usage, "すでにあります"},
		{"review --export " + in("no/such") + " --store 123456 --database " + unclear, console.Failed, "--export"},
		{"review --import " + in("none") + " --store 123456 --database " + unclear, console.Usage, "none"},
		{"review --import " + rows + " --store 123456 --database " + unclear, console.Usage, "--payment-column"},
		{"review --import " + rows + " --payment-column payment --status-column reference --store 123456 --database " + unclear, console.Usage, "--done-if"},
		{"review --import " + rows + " --done-if x=y --store 123456 --database " + unclear, console.Usage, "--done-if"},
		{"review --import " + rows + " --again-if sales= --store 123456 --database " + unclear, console.Usage, "--again-if"},
		{"review --import " + rows + " --done-if 1 --not-done-if 1 --store 123456 --database " + unclear, console.Usage, "--not-done-if"},
		{"review --import " + write("filled", "ジョブ,判断\n2,処理済み\n") + " --store 123456 --database " + unclear, console.Usage, "新決済番号"},
		{"review --import " + write("blank", "ジョブ,判断\n2,\n") + " --store 123456 --database " + unclear, console.Failed, "判断がない"},
		{"work --store 123456 --database " + in("db") + " --witness " + in("no/such"), console.Usage, "--witness"},
		{"migrate x", console.Usage, "migrate"},
		{"migrate", console.Usage, "--store"},
		{"migrate --from 1 --store 123456", console.Usage, "--sql"},
		{"migrate --sql", console.Usage, "--dialect"},
		{"migrate --sql --dialect x", console.Usage, "--dialect"},
		{"migrate --sql --dialect sqlite --from 9", console.Usage, "--from"},
		{"migrate --sql --dialect postgres --schema x-y", console.Usage, "--schema"},
		{"restore-check x", console.Usage, "restore-check"},
		{"restore-check --store 123456 --database " + in("none"), console.Usage, "none"},
		{"restore-check --store 123456 --database " + unclear, console.Usage, "--yes"},
		{"desk x", console.Usage, "desk"},
		{"desk --stroe 1", console.Usage, "もしかして: --store"},
		{"desk", console.Usage, "--store"},
		{"desk --store 123456", console.Usage, "--database"},
		{"desk --store 123456 --database " + in("none"), console.Usage, "none"},
		{deskOf + " --listen " + taken.Addr().String(), console.Failed, "使用中"},
		{deskOf + " --listen x", console.Usage, "--listen"},
		{deskOf + " --listen 0.0.0.0:0", console.Usage, "JPAYMENT_CONTROL_TOKEN"},
		{"JPAYMENT_CONTROL_TOKEN=short " + deskOf + " --listen 127.0.0.1:0", console.Usage, "16バイト未満"},
	}
	t.Run("each", func(t *testing.T) {
		for _, c := range cases {
			t.Run(strings.ReplaceAll(c.args, dir, ""), func(t *testing.T) {
				t.Parallel()
				s := session{vars: map[string]string{"LANG": "ja"}, input: "a=1", world: world{user: "keiri"}}
				args := strings.Fields(c.args)
				for name, value, ok := strings.Cut(args[0], "="); ok && strings.HasPrefix(name, "JPAYMENT_"); name, value, ok = strings.Cut(args[0], "=") {
					s.vars[name] = value
					args = args[1:]
				}
				r := s.run(t, args...)
				require.Equal(t, c.status, r.status, r.stderr)
				require.Contains(t, r.stdout+r.stderr, c.want)
				said := regexp.MustCompile(`(?m)^time=.*\n`).ReplaceAllString(r.stdout+r.stderr, "") // the log
				require.Empty(t, englishIn(said, append(append(args, dir, "stroe", "keiri", "order-1", "assumptions verdict"), slices.Collect(maps.Keys(assumed.Defaults()))...)...), said)
				require.NotContains(t, r.stdout+r.stderr, "jpayment: \"", "a sentence is not quoted as a whole")
				mu.Lock()
				told.WriteString(said + "\n")
				mu.Unlock()

				en := s.run(t, append(slices.Clone(args), "--lang", "en")...)
				require.Equal(t, c.status, en.status)
				require.NotRegexp(t, `\p{Hiragana}`, en.stdout+en.stderr)
			})
		}
	})
	doctors, err := filepath.Glob("testdata/doctor-*.golden") // TestDoctor checks them for English words.
	require.NoError(t, err)
	for _, path := range doctors {
		b, err := os.ReadFile(path)
		require.NoError(t, err)
		told.Write(b)
	}
	for _, elsewhere := range []string{
		"JSON を出力できません。",                // TestResultNotWritten
		"--by に判断者を指定してください",            // TestReviewByNoFile
		"送信を続けられません。",                   // Only a failing database ends the work.
		"決済番号 0 を取り消したと決済ゲートウェイが応答しました", // The client rejects such a reply.
	} {
		told.WriteString(elsewhere + "\n")
	}
	require.Empty(t, untold(t, told.String()), "errors without a case above")
}

// untold returns the errors of this package that do not occur in a text.
func untold(t *testing.T, told string) (missing []string) {
	t.Helper()
	paths, err := filepath.Glob("*.go")
	require.NoError(t, err)
	verbs := regexp.MustCompile(`%(\\\[\d\\\])?[a-z]`)
	for _, path := range paths {
		if strings.HasSuffix(path, "_test.go") {
			continue
		}
		files := token.NewFileSet()
		file, err := parser.ParseFile(files, path, nil, parser.SkipObjectResolution)
		require.NoError(t, err)
		ast.Inspect(file, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok || len(call.Args) < 2 {
				return true
			}
			if f, ok := call.Fun.(*ast.SelectorExpr); !ok || f.Sel.Name != "Usagef" && f.Sel.Name != "Failedf" {
				return true
			}
			var parts []string // of the Japanese; a constant between them may be anything
			ast.Inspect(call.Args[1], func(n ast.Node) bool {
				if literal, ok := n.(*ast.BasicLit); ok {
					part, err := strconv.Unquote(literal.Value)
					require.NoError(t, err)
					parts = append(parts, verbs.ReplaceAllString(regexp.QuoteMeta(part), ".*"))
				}
				return true
			})
			if !regexp.MustCompile(strings.Join(parts, ".*")).MatchString(told) {
				missing = append(missing, fmt.Sprint(files.Position(call.Pos())))
			}
			return true
		})
	}
	return missing
}

// The outcome of an operation is reported in Japanese, too.
func TestOutcomesInJapanese(t *testing.T) {
	t.Parallel()
	for _, kind := range []jpaymenttest.FaultKind{
		jpaymenttest.DropBeforeBooking, jpaymenttest.DropAfterBooking, jpaymenttest.ResetAfterBooking, jpaymenttest.HangAfterBooking,
		jpaymenttest.CutReply, jpaymenttest.StallReply, jpaymenttest.CutHeader, jpaymenttest.AnswerStatus, jpaymenttest.Redirect,
		jpaymenttest.AnswerCode, jpaymenttest.Garbage, jpaymenttest.WrongCharset,
	} {
		t.Run(string(kind), func(t *testing.T) {
			t.Parallel()
			g := jpaymenttest.NewServer(t)
			id := g.Authorize(purchase)
			fault := jpaymenttest.Fault{Kind: kind}
			if kind == jpaymenttest.AnswerCode {
				fault.Code = "ER900"
			}
			g.Fail(fault)
			s := at(g, "LANG", "ja", "JPAYMENT_TIMEOUT", "300ms")
			for _, args := range []string{"sales " + id, "cancel " + id, "reauth " + id + " --amount 1 --tax 0 --shipping 0"} {
				r := s.run(t, append(strings.Fields(args), "--yes")...)
				require.Empty(t, englishIn(r.stdout+r.stderr), r.stdout+r.stderr)
			}
		})
	}
}

// No golden file of Japanese text contains any English.
func TestGoldensInJapanese(t *testing.T) {
	t.Parallel()
	paths, err := filepath.Glob("testdata/*-ja.golden")
	require.NoError(t, err)
	require.NotEmpty(t, paths)
	for _, path := range paths {
		b, err := os.ReadFile(path)
		require.NoError(t, err)
		given := []string{"jobs.db", "order-1", "keiri"} // names from the tests
		for line := range strings.Lines(string(b)) {
			if args, ok := strings.CutPrefix(line, "$ jpayment "); ok {
				given = append(given, args)
				continue
			}
			if strings.HasPrefix(line, "-- ") {
				continue
			}
			require.Empty(t, englishIn(line, given...), "%s: %s", path, line)
		}
	}
}

// The help of each command has no English sentence.
func TestHelpInJapanese(t *testing.T) {
	t.Parallel()
	var all func(cmd *cobra.Command)
	all = func(cmd *cobra.Command) {
		r := session{}.run(t, append(strings.Fields(cmd.CommandPath())[1:], "--help", "--lang", "ja")...)
		require.Equal(t, console.Done, r.status)
		require.Contains(t, r.stdout, "使い方:")
		require.Contains(t, r.stdout, "ヘルプを表示する")
		text := strings.ReplaceAll(r.stdout, cmd.Example, "")
		require.NotRegexp(t, `[a-z]+ [a-z]+ [a-z]+`, fmt.Sprint(text))
		for _, sub := range cmd.Commands() {
			all(sub)
		}
	}
	all(newRootCommand(console.Japanese))
}

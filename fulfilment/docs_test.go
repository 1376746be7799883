package fulfilment

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"flag"
	"fmt"
	"go/ast"
	"go/format"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/jpayment-go/jpayment"
	"github.com/jpayment-go/jpayment/jpaymenttest"
)

// The tables between "generated" and "end" in the pages are written from what the policy
// really does:
//
//	go test -run DocsTables -update .
var updateDocs = flag.Bool("update", false, "rewrite the tables of docs/fulfilment.md and its Japanese twin")

var docPages = []string{"../docs/fulfilment.md", "../docs/fulfilment.ja.md"} // English, Japanese

// docText is a text in English and in Japanese.
type docText [2]string

var docTables = map[string]func(t *testing.T, lang int) string{"policy": docPolicy, "reasons": docReasons}

func TestDocsTables(t *testing.T) {
	block := regexp.MustCompile(`(?s)<!-- generated: (\w+) -->\n.*?<!-- end -->`)
	for lang, file := range docPages {
		page := docRead(t, file)
		var seen []string
		want := block.ReplaceAllStringFunc(page, func(old string) string {
			name := block.FindStringSubmatch(old)[1]
			seen = append(seen, name)
			require.Contains(t, docTables, name)
			return "<!-- generated: " + name + " -->\n\n" + docTables[name](t, lang) + "\n<!-- end -->"
		})
		require.ElementsMatch(t, slices.Collect(maps.Keys(docTables)), seen, "the tables of %s", file)
		if *updateDocs {
			require.NoError(t, os.WriteFile(file, []byte(want), 0o644))
			continue
		}
		require.Equal(t, want, page, "%s is out of date: go test -run DocsTables -update .", file)
	}
}

// docPolicy asks the policy what follows from each way in which an attempt can end.
func docPolicy(t *testing.T, lang int) string {
	gateway := func(code jpayment.Code, class error) func(jpayment.Operation) error {
		if class != nil {
			require.ErrorIs(t, code, class)
		}
		return func(op jpayment.Operation) error {
			return &jpayment.GatewayError{Call: jpayment.Call{Operation: op}, Code: code}
		}
	}
	always := func(err error) func(jpayment.Operation) error {
		return func(jpayment.Operation) error { return err }
	}
	rows := []struct {
		name docText
		err  func(jpayment.Operation) error
	}{
		{docText{"success", "成功"}, always(nil)},
		{docText{"the request is not valid (`ValidationError`)", "リクエストの誤り（`ValidationError`）"}, always(&jpayment.ValidationError{})},
		{docText{"not sent", "未送信"}, always(&jpayment.TransportError{NotSent: true})},
		{docText{"congestion (`ErrBusy`: ER010)", "処理混雑（`ErrBusy`：ER010）"}, gateway(jpayment.CodeBusy, jpayment.ErrBusy)},
		{docText{"maintenance (`ErrMaintenance`: ER999)", "メンテナンス中（`ErrMaintenance`：ER999）"}, gateway(jpayment.CodeMaintenance, jpayment.ErrMaintenance)},
		{docText{"the store's settings (`ErrNotPermitted`: ER003 and its class)", "店舗の設定（`ErrNotPermitted`：ER003 など）"}, gateway(jpayment.CodeSourceIP, jpayment.ErrNotPermitted)},
		{docText{"a wrong parameter (`ErrInvalidParameter`: ER053 and its class)", "パラメータの誤り（`ErrInvalidParameter`：ER053 など）"}, gateway(jpayment.CodePaymentID, jpayment.ErrInvalidParameter)},
		{docText{"the issuer declined (`ErrCardDeclined`: G codes)", "カード会社の拒否（`ErrCardDeclined`：G コード）"}, gateway("G1242G120000", jpayment.ErrCardDeclined)},
		{docText{"any other refusal, such as ER032 or ER033", "その他の拒否（ER032、ER033 など）"}, gateway(jpayment.CodeCaptureFailed, nil)},
		{docText{"the gateway lost track (ER000, ER042), or a code that nobody has listed", "ゲートウェイ側で不明（ER000、ER042）、または一覧にないコード"}, gateway(jpayment.CodeInternal, nil)},
		{docText{"no reply, or one that cannot count", "応答なし、または信頼できない応答"}, always(&jpayment.TransportError{})},
		{docText{"the process ended in the middle", "送信中のプロセス終了"}, always(errInterrupted)},
		{docText{"a test approval, where only production counts", "テスト環境の承認（本番専用の設定の場合）"}, always(&jpayment.ReplyError{Err: jpayment.ErrTestMode})},
	}
	defaults, err := WorkerConfig{}.withDefaults()
	require.NoError(t, err)
	capture := func(op jpayment.Operation, unknown int) history {
		return history{operation: op, attempts: 1 + unknown, unknown: unknown, maxReplays: defaults.MaxReplays}
	}
	columns := []struct {
		name      docText
		operation jpayment.Operation // as the error has it
		history   history
	}{
		{docText{"Sales, Cancel", "Sales・Cancel"}, jpayment.OpSales, capture(jpayment.OpSales, 0)},
		{docText{"… after an unknown attempt", "… 不明の後の再送"}, jpayment.OpSales, capture(jpayment.OpSales, 1)},
		{docText{"… after the last replay", "… 最後の再送"}, jpayment.OpSales, capture(jpayment.OpSales, defaults.MaxReplays)},
		{docText{"ReAuth", "ReAuth"}, jpayment.OpReAuth, history{operation: jpayment.OpReAuth, attempts: 1}},
		{docText{"ReAuth with `KickbackWait`", "ReAuth（`KickbackWait` あり）"}, jpayment.OpReAuthByKickback, history{operation: jpayment.OpReAuth, attempts: 1, byKickback: true}},
	}

	var b strings.Builder
	b.WriteString("| " + docText{"The attempt ended in", "送信の結果"}[lang] + " |")
	for _, c := range columns {
		b.WriteString(" " + c.name[lang] + " |")
	}
	b.WriteString("\n|---|" + strings.Repeat("---|", len(columns)) + "\n")
	judge := func(h history, err error) verdict {
		if errors.Is(err, errInterrupted) {
			return h.lost()
		}
		return h.judge(err, time.Now())
	}
	for _, row := range rows {
		b.WriteString("| " + row.name[lang] + " |")
		for _, c := range columns {
			v := judge(c.history, row.err(c.operation))
			b.WriteString(" " + docVerdict(t, v)[lang] + " |")
			if c.operation == jpayment.OpSales {
				cancel := judge(capture(jpayment.OpCancel, c.history.unknown), row.err(jpayment.OpCancel))
				require.Equal(t, docVerdict(t, v), docVerdict(t, cancel), "a Cancel is treated as a Sales")
			}
		}
		b.WriteString("\n")
	}
	return b.String()
}

// docVerdict says in words what follows, and requires that the words are true.
func docVerdict(t *testing.T, v verdict) (text docText) {
	backingOff := v.wait >= minBackOff/2 && v.wait <= maxBackOff
	switch {
	case v.state == StateDone:
		text = docText{"done", "完了"}
	case v.state == StateAwaiting:
		text = docText{"awaits its kickback", "キックバックを待つ"}
	case v.state == StateRefused:
		text = docText{"refused", "拒否"}
	case v.state == StateReview:
		text = docText{"**review**", "**要確認**"}
	case v.reason == ReasonMaintenance:
		text = docText{"again after the maintenance", "メンテナンス後に再送"}
	case v.reason == ReasonNotPermitted:
		require.True(t, v.pause)
		text = docText{"again after `Resume`", "`Resume` の後に再送"}
	case v.state == StateWaiting && v.wait == 0:
		text = docText{"again at once", "すぐに再送"}
	case v.state == StateWaiting && backingOff:
		text = docText{"again later", "後で再送"}
	default:
		require.Fail(t, "the page has no words for this", "%+v", v)
	}
	if v.pause {
		text[0] += "; the store pauses"
		text[1] += "。店舗は一時停止"
	}
	return text
}

// docReasons are the reasons as a job gives them.
func docReasons(t *testing.T, lang int) string {
	states := map[Reason]docText{
		ReasonUnknown: {"waiting, awaiting-kickback", "待機・キックバック待ち"}, ReasonInterrupted: {"waiting, awaiting-kickback", "待機・キックバック待ち"},
		ReasonKickback: {"done", "完了"}, ReasonDecided: {"done, refused", "完了・拒否"},
		ReasonCode: {"refused", "拒否"}, ReasonInvalid: {"refused", "拒否"},
	}
	review := []Reason{ReasonUnanswered, ReasonReplayRefused, ReasonDeclined, ReasonNoKickback, ReasonTestMode}
	order := slices.Concat([]Reason{
		ReasonNotSent, ReasonBusy, ReasonMaintenance, ReasonNotPermitted, ReasonUnknown, ReasonInterrupted, ReasonAgain,
		ReasonKickback, ReasonDecided, ReasonCode, ReasonInvalid,
	}, review)
	require.Len(t, order, len(reasons), "every reason has its row")
	var b strings.Builder
	b.WriteString("| `Job.Reason` | " + docText{"State", "状態"}[lang] + " | " + docText{"What it says", "意味"}[lang] + " |\n|---|---|---|\n")
	for _, r := range order {
		require.Contains(t, reasons, r)
		state, settled := states[r]
		if slices.Contains(review, r) {
			state = docText{"**review**", "**要確認**"}
		} else if !settled {
			state = docText{"waiting", "待機"}
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s |\n", string(r), state[lang], docText{r.String(), r.Ja()}[lang])
	}
	return b.String()
}

// The numbers that the pages name are those of the code.
func TestDocsNumbers(t *testing.T) {
	c, err := WorkerConfig{}.withDefaults()
	require.NoError(t, err)
	for lang, file := range docPages {
		page := docRead(t, file)
		for _, number := range []docText{
			{fmt.Sprintf("`Concurrency`, by default %d", c.Concurrency), fmt.Sprintf("`Concurrency`（既定は %d）", c.Concurrency)},
			{fmt.Sprintf("`Rate`, by default %g calls a second", float64(c.Rate)), fmt.Sprintf("`Rate`（既定は毎秒 %g 件）", float64(c.Rate))},
			{fmt.Sprintf("`MaxReplays`, by default %d", c.MaxReplays), fmt.Sprintf("`MaxReplays`（既定は %d 回）", c.MaxReplays)},
			{fmt.Sprintf("`CallTimeout`, by default %.0f seconds", c.CallTimeout.Seconds()), fmt.Sprintf("`CallTimeout`（既定は %.0f 秒）", c.CallTimeout.Seconds())},
			{fmt.Sprintf("after %.0f seconds", c.lease().Seconds()), fmt.Sprintf("%.0f 秒後", c.lease().Seconds())},
			{fmt.Sprintf("from %.0f seconds to %.0f minutes", minBackOff.Seconds(), maxBackOff.Minutes()), fmt.Sprintf("%.0f 秒から %.0f 分", minBackOff.Seconds(), maxBackOff.Minutes())},
			{fmt.Sprintf("`%s`", defaultSchema), fmt.Sprintf("`%s`", defaultSchema)},
		} {
			require.Contains(t, page, number[lang], file)
		}
	}
}

// The pages name every metric and every record of the log, and no other.
func TestDocsLogAndMetrics(t *testing.T) {
	sources, err := filepath.Glob("*.go")
	require.NoError(t, err)
	said := regexp.MustCompile(`slog\.Level\w+, "(fulfilment: [^"]+)"|level, "(fulfilment: [^"]+)"|"(jpayment\.fulfilment\.[a-z.]+)"`)
	var want []string
	for _, source := range sources {
		if strings.HasSuffix(source, "_test.go") {
			continue
		}
		for _, m := range said.FindAllStringSubmatch(docRead(t, source), -1) {
			want = append(want, cmp.Or(m[1], m[2], m[3]))
		}
	}
	require.Greater(t, len(want), 8)
	for _, file := range docPages {
		var got []string
		for _, m := range regexp.MustCompile("`(fulfilment: [^`]+|jpayment\\.fulfilment\\.[^`]+)`").FindAllStringSubmatch(docRead(t, file), -1) {
			got = append(got, m[1])
		}
		require.ElementsMatch(t, want, got, file)
	}
}

// docFence finds the blocks of code.
var docFence = regexp.MustCompile("(?ms)^```(\\w*)\n(.*?)^```$")

// docPrelude declares what the fragments of the pages leave to their readers.
const docPrelude = `package fragments

import (
	"context"
	"database/sql"
	"net/http"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/jpayment-go/jpayment"
	"github.com/jpayment-go/jpayment/fulfilment"
)

var (
	ctx     context.Context
	db      *sql.DB
	pool    *pgxpool.Pool
	q       *fulfilment.Queue[*sql.Tx]
	client  *jpayment.Client
	key     []byte
	mux     *http.ServeMux
	config  fulfilment.Config
)
`

var docImports = map[string]string{
	"context": "context", "fmt": "fmt", "slog": "log/slog", "time": "time", "errors": "errors", "os": "os", "signal": "os/signal",
	"pgx": "github.com/jackc/pgx/v5", "pgxpool": "github.com/jackc/pgx/v5/pgxpool",
	"jpayment":   "github.com/jpayment-go/jpayment",
	"fulfilment": "github.com/jpayment-go/jpayment/fulfilment",
}

// Every block of Go compiles.
func TestDocsGo(t *testing.T) {
	if testing.Short() {
		t.Skip("it calls the go command")
	}
	dir := t.TempDir()
	write := func(name, text string) {
		t.Helper()
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600))
	}
	here, err := os.Getwd()
	require.NoError(t, err)
	const path = "github.com/jpayment-go/jpayment"
	mod := strings.NewReplacer("module "+path+"/fulfilment", "module docs", path+" => ..", path+" => "+filepath.Dir(here)).Replace(docRead(t, "go.mod"))
	write("go.mod", mod+"\nrequire "+path+"/fulfilment v0.0.0\n\nreplace "+path+"/fulfilment => "+here+"\n")
	write("go.sum", docRead(t, "go.sum"))
	write("prelude.go", docPrelude)
	blocks := 0
	for _, page := range docPages {
		for _, m := range docFence.FindAllStringSubmatch(docRead(t, page), -1) {
			if m[1] != "go" {
				continue
			}
			blocks++
			formatted, err := format.Source([]byte(m[2]))
			require.NoError(t, err, m[2])
			require.Equal(t, string(formatted), m[2], "not as gofmt has it")
			write(fmt.Sprintf("block%d.go", blocks), docFragment(t, fmt.Sprintf("%s, block %d", page, blocks), blocks, m[2]))
		}
	}
	require.Greater(t, blocks, 6)
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, "go", "build", "./...")
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GOWORK=off", "GOPROXY=off", "GOFLAGS=-mod=mod")
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s", out)
}

// docFragment makes a file of a few statements. What they declare counts as used.
func docFragment(t *testing.T, at string, n int, text string) string {
	t.Helper()
	const head = "package fragments\n"
	file, err := parser.ParseFile(token.NewFileSet(), "", head+"func _() {\n"+text+"\n}", 0)
	require.NoError(t, err, at)
	imports := map[string]bool{}
	for _, ident := range file.Unresolved {
		if path, known := docImports[ident.Name]; known {
			imports[fmt.Sprintf("import %q\n", path)] = true
		}
	}
	var uses strings.Builder
	for _, stmt := range file.Decls[0].(*ast.FuncDecl).Body.List {
		if assign, ok := stmt.(*ast.AssignStmt); ok && assign.Tok == token.DEFINE {
			for _, left := range assign.Lhs {
				if name := left.(*ast.Ident).Name; name != "_" {
					fmt.Fprintf(&uses, "_ = %s\n", name)
				}
			}
		}
	}
	return head + strings.Join(slices.Sorted(maps.Keys(imports)), "") +
		fmt.Sprintf("\n// %s\nfunc block%d() error {\n%s%sreturn nil\n}\n", at, n, text, uses.String())
}

// The statements of SQL do on SQLite what the pages say, down to a restored backup whose
// open jobs, and even River's record of them, cannot be relied on.
func TestDocsSQL(t *testing.T) {
	ctx := t.Context()
	statements := docBlocks(docRead(t, docPages[0]), "sql")
	require.Len(t, statements, 3, "a look at the jobs, one at the attempts, and what follows a restoration")
	db, err := OpenSQLite(filepath.Join(t.TempDir(), "shop.db"))
	require.NoError(t, err)
	t.Cleanup(func() { db.Close() })
	q, err := NewSQLite(db, Config{StoreID: "123456"})
	require.NoError(t, err)
	require.NoError(t, q.Migrate(ctx))
	gateway := jpaymenttest.NewServer(t)
	id := gateway.Authorize(jpaymenttest.Authorization{Amount: 1000})
	_, err = q.Enqueue(ctx, Sales("order-1", jpayment.SalesRequest{PaymentID: id}))
	require.NoError(t, err)
	for _, look := range statements[:2] {
		rows, err := db.QueryContext(ctx, look)
		require.NoError(t, err, look)
		require.NoError(t, rows.Err())
		require.NoError(t, rows.Close())
	}
	backup := filepath.Join(t.TempDir(), "backup.db")
	require.Contains(t, docRead(t, docPages[0]), "VACUUM INTO ")
	_, err = db.ExecContext(ctx, "VACUUM INTO ?", backup)
	require.NoError(t, err)

	restored, err := OpenSQLite(backup)
	require.NoError(t, err)
	t.Cleanup(func() { restored.Close() })
	_, err = restored.ExecContext(ctx, statements[2])
	require.NoError(t, err)
	_, err = restored.ExecContext(ctx, "DELETE FROM river_job")
	require.NoError(t, err)
	q, err = NewSQLite(restored, Config{StoreID: "123456"})
	require.NoError(t, err)
	job, err := q.Job(ctx, jpayment.OpSales, id)
	require.NoError(t, err)
	require.Equal(t, StateReview, job.State)
	_, err = q.Review(ctx, job.ID, Decision{State: StateWaiting, By: "accounts", Note: "仮売上"})
	require.NoError(t, err)
	require.Equal(t, StateDone, docWorked(t, q, gateway.Client(), id).State)
}

// docWorked runs a worker until a Sales is settled.
func docWorked(t *testing.T, q *Queue[*sql.Tx], gateway jpayment.Gateway, id string) (job Job) {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- q.Run(ctx, gateway, WorkerConfig{}) }()
	require.Eventually(t, func() bool {
		var err error
		job, err = q.Job(ctx, jpayment.OpSales, id)
		return err == nil && job.State.Settled()
	}, 30*time.Second, 10*time.Millisecond)
	stop()
	require.NoError(t, <-ended)
	return job
}

func docBlocks(page, lang string) (blocks []string) {
	for _, m := range docFence.FindAllStringSubmatch(page, -1) {
		if m[1] == lang {
			blocks = append(blocks, m[2])
		}
	}
	return blocks
}

// The two pages have the same headings, tables of the same shape, and the same code but
// for its comments.
func TestDocsTwins(t *testing.T) {
	comment := regexp.MustCompile(`(?m)[ \t]*(//|#|--) .*$`)
	span := regexp.MustCompile("`[^`]*`")
	var headings, rows, code [2][]string
	for lang, file := range docPages {
		page := docRead(t, file)
		for _, m := range docFence.FindAllStringSubmatch(page, -1) {
			code[lang] = append(code[lang], m[1]+"\n"+comment.ReplaceAllString(m[2], ""))
		}
		prose := docFence.ReplaceAllString(page, "")
		headings[lang] = regexp.MustCompile(`(?m)^#+ `).FindAllString(prose, -1)
		for line := range strings.Lines(prose) {
			if strings.HasPrefix(line, "|") {
				cells := strings.Split(line, "|")
				rows[lang] = append(rows[lang], fmt.Sprint(len(cells), span.FindAllString(cells[1], -1)))
			}
		}
	}
	require.NotEmpty(t, code[0])
	require.Equal(t, headings[0], headings[1])
	require.Equal(t, rows[0], rows[1])
	require.Equal(t, code[0], code[1])
}

// Every link to a file has its file, and every link to a heading its heading.
func TestDocsLinks(t *testing.T) {
	for _, page := range append(slices.Clone(docPages), "../docs/fulfilment-benchmarks.md") {
		for _, m := range regexp.MustCompile(`\]\(([^)\s]+)\)`).FindAllStringSubmatch(docRead(t, page), -1) {
			target, anchor, _ := strings.Cut(m[1], "#")
			if strings.Contains(target, "://") {
				continue
			}
			file := page
			if target != "" {
				file = filepath.Join(filepath.Dir(page), target)
			}
			linked := docRead(t, file)
			if anchor != "" {
				require.Contains(t, docAnchors(linked), anchor, "%s links to %s", page, m[1])
			}
		}
	}
}

func docAnchors(page string) (anchors []string) {
	for _, m := range regexp.MustCompile(`(?m)^#+ (.+)$`).FindAllStringSubmatch(page, -1) {
		title := regexp.MustCompile(`[^\p{L}\p{N} _-]`).ReplaceAllString(strings.ToLower(m[1]), "")
		anchors = append(anchors, strings.ReplaceAll(title, " ", "-"))
	}
	return anchors
}

func docRead(t *testing.T, file string) string {
	t.Helper()
	text, err := os.ReadFile(file)
	require.NoError(t, err)
	return string(text)
}

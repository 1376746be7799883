package jpayment

import (
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"flag"
	"fmt"
	"go/ast"
	"go/parser"
	gotoken "go/token"
	"io"
	"maps"
	"math"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"testing/iotest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/jpayment-go/jpayment/internal/token"
)

// The tables of docs/outcomes.md and docs/outcomes.ja.md are written from what this
// package really says and does:
//
//	go test -run OutcomesDoc -update .
var updateFiles = flag.Bool("update", false, "rewrite what tests generate: the tables of docs/outcomes.md and its Japanese twin, testdata/api.txt")

type docLang int

const (
	docEn docLang = iota
	docJa
)

var docPages = [...]string{docEn: "docs/outcomes.md", docJa: "docs/outcomes.ja.md"}

// docText is a text in English and in Japanese.
type docText [2]string

// docBlocks are the generated parts of the pages by the name in their markers.
var docBlocks = map[string]func(docLang) string{
	"line":       docLine,
	"outcomes":   docOutcomeTable,
	"validation": func(l docLang) string { return docFaultTable(l, docFaults) },
	"settings":   func(l docLang) string { return docFaultTable(l, docSettings) },
	"transport":  func(l docLang) string { return docSayingTable(l, docTransport) },
	"causes":     func(l docLang) string { return docSayingTable(l, docCauses) },
	"replies":    func(l docLang) string { return docSayingTable(l, docReplies) },
	"gateway":    func(l docLang) string { return docSayingTable(l, docGateway) },
	"kickbacks":  docKickbackTable,
	"next":       docNextTable,
	"codes":      docCodeTables,
}

func TestOutcomesDoc(t *testing.T) {
	block := regexp.MustCompile(`(?s)<!-- generated: (\w+) -->\n.*?<!-- end -->`)
	for lang, file := range docPages {
		page := docRead(t, file)
		var seen []string
		want := block.ReplaceAllStringFunc(page, func(old string) string {
			name := block.FindStringSubmatch(old)[1]
			seen = append(seen, name)
			require.Contains(t, docBlocks, name)
			return "<!-- generated: " + name + " -->\n\n" + docBlocks[name](docLang(lang)) + "\n<!-- end -->"
		})
		require.ElementsMatch(t, slices.Collect(maps.Keys(docBlocks)), seen, "the blocks of %s", file)
		if *updateFiles {
			require.NoError(t, os.WriteFile(file, []byte(want), 0o644))
			continue
		}
		got := strings.Split(page, "\n")
		for i, line := range strings.Split(want, "\n") {
			require.Equal(t, line, got[min(i, len(got)-1)], "%s:%d is out of date: go test -run OutcomesDoc -update .", file, i+1)
		}
		require.Equal(t, len(want), len(page), "%s is out of date: go test -run OutcomesDoc -update .", file)
	}
}

// The two pages have the same headings, and the same tables row by row.
func TestOutcomesDocTwins(t *testing.T) {
	heading := regexp.MustCompile(`(?m)^#+ `)
	span := regexp.MustCompile("`[^`]*`")
	var headings, rows [len(docPages)][]string
	for lang, file := range docPages {
		page := docRead(t, file)
		headings[lang] = heading.FindAllString(page, -1)
		for line := range strings.Lines(page) {
			if strings.HasPrefix(line, "|") {
				cells := strings.Split(line, "|")
				rows[lang] = append(rows[lang], fmt.Sprint(len(cells), span.FindAllString(cells[1], -1)))
			}
		}
	}
	require.Equal(t, headings[docEn], headings[docJa])
	require.Equal(t, rows[docEn], rows[docJa])
	require.Greater(t, len(rows[docEn]), len(catalogue))
}

// Every text of the tables is what this package really says when it is made to, and
// no sample says what the tables do not have.
func TestOutcomesDocTexts(t *testing.T) {
	t.Parallel()
	match := func(table string, patterns []*regexp.Regexp, samples []string) {
		t.Helper()
		used := map[*regexp.Regexp]bool{}
		for _, sample := range samples {
			found := false
			for _, p := range patterns {
				if p.MatchString(sample) {
					used[p], found = true, true
				}
			}
			require.True(t, found, "%s: the table has nothing for: %s", table, sample)
		}
		for _, p := range patterns {
			require.True(t, used[p], "%s: nothing says: %s", table, p)
		}
	}
	faults := func(table string, rows []docFaultRow, errs []error) {
		t.Helper()
		var patterns []*regexp.Regexp
		for _, row := range rows {
			for _, text := range row.texts {
				patterns = append(patterns, docPattern(row.fields, text))
			}
		}
		var samples []string
		for _, err := range errs {
			var ve *ValidationError
			require.ErrorAs(t, err, &ve)
			require.Equal(t, OutcomeNotSent, OutcomeOf(err))
			for _, f := range ve.Faults {
				samples = append(samples, f.String())
			}
		}
		match(table, patterns, samples)
	}
	faults("validation", docFaults, docFaultSamples(t))
	faults("settings", docSettings, docSettingSamples())

	var replies []string
	for _, err := range docReplySamples(t) {
		var re *ReplyError
		require.ErrorAs(t, err, &re)
		require.Equal(t, OutcomeUnknown, OutcomeOf(err))
		_, text, ok := strings.Cut(err.Error(), "the reply cannot count: ")
		require.True(t, ok)
		text, _, ok = strings.Cut(text, "; next: ")
		require.True(t, ok)
		replies = append(replies, text)
	}
	match("replies", docPatterns(docReplies), replies)
	match("causes", docPatterns(docCauses), docCauseSamples(t))

	var patterns []*regexp.Regexp
	for _, row := range docKickbacks {
		for _, text := range row.texts {
			patterns = append(patterns, docPattern([]string{strconv.Itoa(row.status)}, text))
		}
	}
	match("kickbacks", patterns, docKickbackSamples(t))

	var lines []string
	for _, err := range docLineSamples(t) {
		lines = append(lines, err.Error())
	}
	for _, row := range slices.Concat(docTransport, docGateway) { // parts of a line
		for _, text := range row.texts {
			part := regexp.MustCompile(docWild(text))
			require.True(t, slices.ContainsFunc(lines, part.MatchString), "no line has: %s", text)
		}
	}
}

// Every row by outcome holds for errors of its outcome, and the columns that stand
// for two operations are right for both.
func TestOutcomesDocOutcomes(t *testing.T) {
	t.Parallel()
	for _, row := range docOutcomes {
		for _, op := range row.ops {
			for _, err := range docErrors(op)[row.outcome] {
				require.Equal(t, row.outcome, OutcomeOf(err), "%v", err)
			}
			require.NotEmpty(t, docErrors(op)[row.outcome])
		}
	}
	for _, code := range docAllCodes() {
		sales, cancel, reAuth, later := docRefusal(OpSales, code), docRefusal(OpCancel, code), docRefusal(OpReAuth, code), docRefusal(OpReAuthByKickback, code)
		require.Equal(t, sales.Outcome(), cancel.Outcome(), code)
		require.Equal(t, reAuth.Outcome(), later.Outcome(), code)
		require.Equal(t, docNext(reAuth), docNext(later), code)
	}
}

// An error ends with its next step, each step has a Japanese twin, and there is none
// that no error has.
func TestOutcomesDocNext(t *testing.T) {
	t.Parallel()
	said := map[string]string{}
	for _, err := range docNextSamples() {
		var step interface {
			Next() string
			NextJa() string
		}
		require.ErrorAs(t, err, &step)
		require.Equal(t, docNext(err), step.Next())
		said[step.Next()] = step.NextJa()
	}
	steps := map[string]string{}
	for _, n := range nextSteps {
		require.NotEmpty(t, n.ja, n.en)
		steps[n.en] = n.ja
	}
	require.Equal(t, said, steps)
}

// Every text of the sources that is made of words stands on both pages, except those
// that nobody on call can meet.
func TestOutcomesDocComplete(t *testing.T) {
	except := map[string]bool{
		"has other data that is neither UTF-8 nor Shift_JIS":                                    false, // cannot happen: decodeKickback has decoded it
		"jpayment: holds private data and is not marshalled whole; marshal what you need of it": false,
		"jpayment: an amount is not a whole number of yen":                                      false,
		"no cause is known":                   false, // of an error that nobody but a test makes
		"http: server closed idle connection": false, // net/http's own
		"jpayment: kickback taken":            false,
		"jpayment kickback":                   false, // what a signature is for
		"text/plain; charset=utf-8":           false,
		"GET, POST":                           false,
	}
	words := regexp.MustCompile(`\pL\S* .*\pL`)
	verb := regexp.MustCompile(`%[.\d]*[a-zA-Z]`)
	for _, text := range docSourceTexts(t, ".", "internal/wire", "internal/token") {
		text = strings.TrimSuffix(strings.TrimSpace(verb.ReplaceAllString(text, "…")), ":")
		text = strings.TrimSuffix(strings.TrimPrefix(text, "… "), ": …")
		if _, ok := except[text]; ok {
			except[text] = true
			continue
		}
		if words.MatchString(text) {
			for _, file := range docPages {
				require.True(t, strings.Contains(docRead(t, file), text), "%s does not have: %s", file, text)
			}
		}
	}
	for text, used := range except {
		require.True(t, used, "not in the sources: %s", text)
	}
}

// docSourceTexts returns the string literals of the packages, without those of the
// catalogue and the next steps, whose texts the pages have by way of the API.
func docSourceTexts(t *testing.T, dirs ...string) (texts []string) {
	t.Helper()
	for _, dir := range dirs {
		files, err := filepath.Glob(filepath.Join(dir, "*.go"))
		require.NoError(t, err)
		for _, file := range files {
			if strings.HasSuffix(file, "_test.go") || slices.Contains([]string{"catalogue.go", "codes.go", "next.go"}, file) {
				continue
			}
			parsed, err := parser.ParseFile(gotoken.NewFileSet(), file, nil, parser.SkipObjectResolution)
			require.NoError(t, err)
			ast.Inspect(parsed, func(n ast.Node) bool {
				switch n := n.(type) {
				case *ast.StructType, *ast.ImportSpec:
					return false
				case *ast.BasicLit:
					if n.Kind == gotoken.STRING {
						text, err := strconv.Unquote(n.Value)
						require.NoError(t, err)
						texts = append(texts, text)
					}
				}
				return true
			})
		}
	}
	require.NotEmpty(t, texts)
	return texts
}

func docRead(t *testing.T, file string) string {
	t.Helper()
	b, err := os.ReadFile(file)
	require.NoError(t, err)
	return string(b)
}

// docWild returns a regular expression for a text in which … stands for anything.
func docWild(text string) string {
	return strings.ReplaceAll(regexp.QuoteMeta(text), "…", ".+")
}

// docPattern matches the text behind one of the subjects.
func docPattern(subjects []string, text string) *regexp.Regexp {
	alternatives := make([]string, len(subjects))
	for i, s := range subjects {
		alternatives[i] = docWild(s)
	}
	return regexp.MustCompile("^(" + strings.Join(alternatives, "|") + ") " + docWild(text) + "$")
}

func docPatterns(rows []docSaying) (patterns []*regexp.Regexp) {
	for _, row := range rows {
		for _, text := range row.texts {
			patterns = append(patterns, regexp.MustCompile("^"+docWild(text)+"$"))
		}
	}
	return patterns
}

// docTable writes a table. Narrow columns are aligned, so that it can be read raw.
func docTable(l docLang, head []docText, rows [][]string) string {
	const narrow = 26
	all := [][]string{make([]string, len(head))}
	for i, h := range head {
		all[0][i] = h[l]
	}
	all = append(all, rows...)
	pad := make([]int, len(head))
	for i := range len(head) - 1 {
		for _, row := range all {
			pad[i] = max(pad[i], docWidth(row[i]))
		}
		if pad[i] > narrow {
			pad[i] = 0
		}
	}
	var b strings.Builder
	for n, row := range all {
		for i, cell := range row {
			b.WriteString("| " + cell + strings.Repeat(" ", max(0, pad[i]-docWidth(cell))) + " ")
		}
		b.WriteString("|\n")
		if n == 0 {
			for i := range row {
				b.WriteString("|" + strings.Repeat("-", max(1, pad[i])+2))
			}
			b.WriteString("|\n")
		}
	}
	return b.String()
}

// docWidth counts a full-width character as two.
func docWidth(s string) (n int) {
	for _, r := range s {
		n++
		if r >= 0x2E80 {
			n++
		}
	}
	return n
}

// docSpans returns the texts as code.
func docSpans(texts []string) string {
	return "`" + strings.Join(texts, "`, `") + "`"
}

func docOps(l docLang, ops []Operation) string {
	names := make([]string, len(ops))
	for i, op := range ops {
		names[i] = string(op)
	}
	return strings.Join(names, docText{", ", "、"}[l])
}

var docOutcomeNames = map[Outcome]docText{
	OutcomeUnknown: {"unknown", "不明"},
	OutcomeDone:    {"done", "完了"},
	OutcomeNotSent: {"not sent", "未送信"},
	OutcomeRefused: {"refused", "拒否"},
}

// docLine shows a line that has all its parts.
func docLine(docLang) string {
	return "```\n" + (&GatewayError{Call{OpSales, "10000001", 2, &TransportError{}}, CodeCaptureFailed, nil}).Error() + "\n```\n"
}

func docRefusal(op Operation, code Code) *GatewayError {
	return &GatewayError{Call: Call{Operation: op}, Code: code}
}

// docErrors returns errors of an operation by their outcome.
func docErrors(op Operation) map[Outcome][]error {
	call := Call{Operation: op, PaymentID: "10000001", Attempts: 1}
	again := call
	again.Attempts, again.Earlier = 2, &TransportError{Call: call}
	errs := map[Outcome][]error{
		OutcomeDone: {nil},
		OutcomeNotSent: {
			&ValidationError{Call: call},
			&TransportError{Call: call, NotSent: true, Err: io.EOF},
			&TransportError{Call: call, NotSent: true, Err: context.Canceled},
		},
		OutcomeUnknown: {
			&TransportError{Call: call, Err: io.EOF},
			&TransportError{Call: again, NotSent: true, Err: io.EOF},
			&ReplyError{Call: call, Reason: "it is empty"},
			&ReplyError{Call: call, Reason: "it approves a test", Err: ErrTestMode},
		},
	}
	for _, code := range docAllCodes() {
		err := docRefusal(op, code)
		errs[err.Outcome()] = append(errs[err.Outcome()], err)
		errs[OutcomeUnknown] = append(errs[OutcomeUnknown], &GatewayError{Call: again, Code: code})
	}
	return errs
}

// docNext returns what an error says after next.
func docNext(err error) string {
	_, next, _ := strings.Cut(err.Error(), "; next: ")
	return next
}

func docNextSamples() (errs []error) {
	for _, op := range docAllOps {
		for o, es := range docErrors(op) {
			if o != OutcomeDone {
				errs = append(errs, es...)
			}
		}
	}
	return append(errs, &ReplyError{Reason: "it is empty"})
}

var (
	docAllOps  = []Operation{OpSales, OpCancel, OpReAuth, OpReAuthByKickback}
	docReAuths = docAllOps[2:]
)

// docNextTable says in English after what a next step comes, and in Japanese what it
// says.
func docNextTable(l docLang) string {
	if l == docJa {
		var rows [][]string
		for _, n := range nextSteps {
			rows = append(rows, []string{"`" + n.en + "`", n.ja})
		}
		return docTable(l, []docText{{"", "`next:`"}, {"", "日本語"}}, rows)
	}
	type after struct {
		next    string
		outcome Outcome
	}
	ops := map[after][]Operation{}
	for _, op := range docAllOps {
		for o, errs := range docErrors(op) {
			for _, err := range errs {
				if o == OutcomeDone {
					continue
				}
				if a := (after{docNext(err), o}); !slices.Contains(ops[a], op) {
					ops[a] = append(ops[a], op)
				}
			}
		}
	}
	var rows [][]string
	for _, n := range nextSteps {
		var afters []string
		for _, o := range []Outcome{OutcomeUnknown, OutcomeRefused, OutcomeNotSent} {
			if of := ops[after{n.en, o}]; of != nil {
				afters = append(afters, docOutcomeNames[o][l]+": "+docOps(l, of))
			}
		}
		rows = append(rows, []string{"`" + n.en + "`", strings.Join(afters, "; ")})
	}
	return docTable(l, []docText{{"`next:`"}, {"After"}}, rows)
}

// docOutcomeRow says what a person finds in the control panel, and what then.
type docOutcomeRow struct {
	outcome          Outcome
	ops              []Operation
	may, panel, then docText
}

var docOutcomes = []docOutcomeRow{
	{
		OutcomeUnknown,
		[]Operation{OpSales},
		docText{"it was captured", "実売上になった"},
		docText{"実売上", "実売上"},
		docText{"go on as after done: ship", "完了として扱い、出荷する"},
	},
	{
		OutcomeUnknown,
		[]Operation{OpSales},
		docText{"it was not captured", "実売上になっていない"},
		docText{"仮売上", "仮売上"},
		docText{"send Sales again", "Sales を再送する"},
	},
	{
		OutcomeUnknown,
		[]Operation{OpSales},
		docText{"there was nothing to capture", "実売上の対象がなかった"},
		docText{"取消, or no such payment", "取消、または該当する決済なし"},
		docText{"do not ship; find out who cancelled it, or check the number and the store", "出荷しない。取消の経緯、または決済番号と店舗を確認する"},
	},
	{
		OutcomeUnknown,
		[]Operation{OpCancel},
		docText{"it was cancelled", "取り消された"},
		docText{"取消", "取消"},
		docText{"go on as after done", "完了として扱う"},
	},
	{
		OutcomeUnknown,
		[]Operation{OpCancel},
		docText{"it was not cancelled", "取り消されていない"},
		docText{"仮売上 or 実売上", "仮売上または実売上"},
		docText{"send Cancel again", "Cancel を再送する"},
	},
	{
		OutcomeUnknown, docReAuths,
		docText{"it was carried out", "再オーソリされた"},
		docText{"the original 取消, a new payment (新しい決済) at the new amounts", "元の決済は取消、新しい金額の新しい決済あり"},
		docText{"write the new payment number down with the order; capture that one", "新しい決済番号を注文に記録し、以後はその決済を実売上する"},
	},
	{
		OutcomeUnknown, docReAuths,
		docText{"the original was cancelled, and the new authorisation failed", "元の決済が取り消され、新しいオーソリは失敗した"},
		docText{"the original 取消, no new payment", "元の決済は取消、新しい決済なし"},
		docText{"do not ship: nothing is authorised; ask the cardholder for a new payment", "出荷しない。有効な決済がないため、カード会員に改めて決済を依頼する"},
	},
	{
		OutcomeUnknown, docReAuths,
		docText{"nothing has changed so far", "まだ何も変わっていない"},
		docText{"the original as it was, no new payment", "元の決済はそのまま、新しい決済なし"},
		docText{
			"look again a few minutes later; if it stays so, a person decides: keep the original and its amounts, or re-authorise in the control panel, where the result shows",
			"数分後にもう一度確認する。変わらなければ、元の決済と金額のままにするか、結果をその場で確認できる管理画面から再オーソリするかを担当者が決める",
		},
	},
	{
		OutcomeUnknown, docReAuths,
		docText{"two payments stand for one order", "一つの注文に二つの決済がある"},
		docText{"the original as it was, and a new payment", "元の決済はそのまま、新しい決済あり"},
		docText{"capture neither; ask the gateway's support which one is to stand", "どちらも実売上せず、どちらを有効とするかをゲートウェイのサポートに確認する"},
	},
	{
		OutcomeRefused,
		[]Operation{OpSales, OpCancel},
		docText{"this call changed nothing", "今回の呼び出しでは何も変わっていない"},
		docText{"the payment as it was; after ER032 or ER033 it may be 実売上 or 取消 already", "決済は元のまま。ER032・ER033 では、すでに実売上や取消の可能性あり"},
		docText{"what stands after `next:`; see the code", "`next:` に従う。エラーコードを参照"},
	},
	{
		OutcomeRefused, docReAuths,
		docText{"turned away before the payment was touched (assumed)", "決済に触れる前に拒否された（仮定）"},
		docText{"the original as it was, no new payment", "元の決済はそのまま、新しい決済なし"},
		docText{"what stands after `next:`; see the code", "`next:` に従う。エラーコードを参照"},
	},
	{
		OutcomeNotSent, docAllOps,
		docText{"nothing: the gateway never saw the request", "何も起きていない（リクエストは届いていない）"},
		docText{"nothing to look for", "確認は不要"},
		docText{"put the input or the network right and send it again, a ReAuth too", "入力を修正するかネットワークを復旧し、再送する（ReAuth も再送してよい）"},
	},
	{
		OutcomeDone, docReAuths[1:],
		docText{"the request was taken, and no notice has come: normally it does within 30 seconds", "受け付けられたが、決済結果通知が来ない（通常は30秒以内に届く）"},
		docText{"as after unknown", "不明の場合と同じ"},
		docText{"as after unknown; never send it again", "不明の場合と同じ。決して再送しない"},
	},
	{
		OutcomeDone, docReAuths[1:],
		docText{"the notice says failed (`rst` 2): the new authorisation failed, the original may be cancelled", "決済結果通知が失敗（`rst` 2）。新しいオーソリは失敗し、元の決済は取り消された可能性がある"},
		docText{"the original: 取消 or as it was", "元の決済が取消か、そのままか"},
		docText{"do not ship on 取消: ask the cardholder for a new payment; else the original still stands", "取消なら出荷せず、カード会員に改めて決済を依頼する。そのままなら元の決済は有効"},
	},
}

func docOutcomeTable(l docLang) string {
	var rows [][]string
	for _, r := range docOutcomes {
		rows = append(rows, []string{docOutcomeNames[r.outcome][l], docOps(l, r.ops), r.may[l], r.panel[l], r.then[l]})
	}
	return docTable(l, []docText{
		{"Outcome", "結果"},
		{"Operation", "操作"},
		{"What may have happened", "起きた可能性のあること"},
		{"In the control panel", "管理画面の状態"},
		{"Do now", "対処"},
	}, rows)
}

// docFaultRow is what a ValidationError says of some fields.
type docFaultRow struct {
	fields, texts []string
	right         docText
}

func docFaultTable(l docLang, faults []docFaultRow) string {
	var rows [][]string
	for _, f := range faults {
		rows = append(rows, []string{docSpans(f.fields), docSpans(f.texts), f.right[l]})
	}
	return docTable(l, []docText{{"Field", "項目"}, {"Text", "エラー文"}, {"Put right", "修正方法"}}, rows)
}

var docNotDigits = []string{
	"has full-width digits (全角); use half-width (半角) 0-9",
	"has white space; digits only",
	"has other characters than the digits 0-9",
}

var docFaults = []docFaultRow{
	{
		[]string{"PaymentID (tid)"},
		[]string{"is empty"},
		docText{"the payment number is missing: see where it comes from", "決済番号がない。取得元を確認する"},
	},
	{
		[]string{"PaymentID (tid)", "Phone (pn)"},
		docNotDigits,
		docText{"half-width digits and nothing else", "半角数字だけにする"},
	},
	{
		[]string{"Phone (pn)"},
		[]string{"has hyphens; drop them: digits only", "has … digits; at most … are allowed"},
		docText{"digits without hyphens, no longer than allowed", "ハイフンなしの数字にし、桁数の上限に収める"},
	},
	{
		[]string{"Amount (am)", "Tax (tx)", "Shipping (sf)"},
		[]string{"is negative"},
		docText{"0 yen or more", "0円以上にする"},
	},
	{
		[]string{"Amount (am)"},
		[]string{
			"plus Tax (tx) plus Shipping (sf) is 0 yen; use Cancel to take a payment back",
			"plus Tax (tx) plus Shipping (sf) is too large to be a number of yen",
		},
		docText{"a total of 1 yen or more that is meant; to take the payment back, Cancel", "合計を1円以上の正しい金額にする。取消が目的なら Cancel を使う"},
	},
	{
		[]string{"Email (em)"},
		[]string{
			"is … bytes long; at most … are allowed",
			"has characters other than half-width (半角) letters, digits and signs",
			"is not an e-mail address",
		},
		docText{"one address in half-width characters, or none", "半角のメールアドレス1件にするか、省略する"},
	},
	{
		[]string{"Extra[…]"},
		[]string{
			"has an empty key",
			"is the name of a parameter of the protocol; choose another",
			"has a control character in its key",
		},
		docText{"another key", "別のキーにする"},
	},
	{
		[]string{"Extra[…]"},
		[]string{
			"key: is not valid UTF-8", "value: is not valid UTF-8",
			"key: character … cannot be written in …", "value: character … cannot be written in …",
		},
		docText{"UTF-8 with characters that the gateway's character set has", "UTF-8にし、送信する文字コードで表せる文字だけにする"},
	},
	{
		[]string{"Extra"},
		[]string{"is … bytes long as key=value in …; at most … are allowed"},
		docText{"less data", "データを減らす"},
	},
}

func docFaultSamples(t *testing.T) (errs []error) {
	t.Helper()
	for _, req := range []ReAuthRequest{
		{Amount: -1, Tax: -1, Shipping: -1, Email: strings.Repeat("a", 255), Phone: "03-1", Extra: Extra{
			"": "", "TID": "", "a\n": "", "\xff": "", "k": "\xff", "😀": "", "e": "😀",
		}},
		{PaymentID: "１", Amount: math.MaxInt64, Tax: 1, Email: "あ@b", Phone: "0312345678901234", Extra: Extra{"k": strings.Repeat("v", 1024)}},
		{PaymentID: "1 2", Email: "ab", Phone: "1x"},
		{PaymentID: "x", Amount: 1, Phone: "１"},
	} {
		_, err := docClient(t, nil, WithCharset(ShiftJIS)).ReAuth(t.Context(), req)
		errs = append(errs, err)
	}
	return errs
}

var docSettings = []docFaultRow{
	{
		[]string{"StoreID (aid)"},
		append([]string{"is empty", "has … digits; a store ID (店舗ID) has …"}, docNotDigits...),
		docText{"the store ID of the contract, in half-width digits", "契約時に発行された店舗IDを半角数字で指定する"},
	},
	{
		[]string{"WithHTTPClient", "WithTransportWrapper", "WithLogger", "KickbackLogger", "callback"},
		[]string{"is nil"},
		docText{"a value, or leave the option out", "値を渡すか、オプションを外す"},
	},
	{
		[]string{"WithTransportWrapper"},
		[]string{"returned no transport"},
		docText{"a function that returns the transport to use", "使用するトランスポートを返す関数にする"},
	},
	{
		[]string{"WithBaseURL"},
		[]string{
			"is not an absolute URL", "is neither https nor http",
			"is http to another machine; only https is allowed there",
			"has a user, a query or a fragment, which it may not",
		},
		docText{"an https URL; http only to this machine itself", "https のURLにする。http は同じマシン宛てのみ"},
	},
	{
		[]string{"WithTimeout", "KickbackMaxAge"},
		[]string{"is not positive"},
		docText{"a time longer than none", "正の時間にする"},
	},
	{
		[]string{"WithRetry"},
		[]string{"MaxAttempts is not between 1 and …", "BaseDelay or MaxDelay is negative", "MaxDelay is shorter than BaseDelay"},
		docText{"values within these bounds", "範囲内の値にする"},
	},
	{
		[]string{"WithCharset"},
		[]string{"is neither UTF8 nor ShiftJIS"},
		docText{"one of the two", "どちらかを指定する"},
	},
	{
		[]string{"WithConnectionAuth"},
		[]string{"is empty"},
		docText{"the connection authentication code (接続認証コード)", "接続認証コードを指定する"},
	},
	{
		[]string{"WithUserAgent"},
		[]string{"is empty or has other characters than printable ASCII"},
		docText{"printable ASCII", "ASCIIの印字可能文字にする"},
	},
	{
		[]string{"WithKickbackKey", "VerifyKickbacks"},
		[]string{"has a key of … bytes; at least … are needed"},
		docText{"a longer key, random", "より長い乱数の鍵にする"},
	},
	{
		[]string{"VerifyKickbacks"},
		[]string{"has no keys"},
		docText{"a key at least, or leave the option out", "鍵を1つ以上渡すか、オプションを外す"},
	},
	{
		[]string{"AllowFrom", "TrustProxy"},
		[]string{"has no prefixes", "has no valid prefix at place …"},
		docText{"address ranges such as 192.0.2.0/24", "192.0.2.0/24 のようなアドレス範囲にする"},
	},
}

func docSettingSamples() (errs []error) {
	_, err := NewKickbackHandler(nil, VerifyKickbacks(), VerifyKickbacks(nil), KickbackMaxAge(0), AllowFrom(), TrustProxy(netip.Prefix{}), KickbackLogger(nil))
	errs = append(errs, err)
	for storeID, opts := range map[string][]Option{
		"": {
			WithHTTPClient(nil), WithTransportWrapper(nil), WithTransportWrapper(func(http.RoundTripper) http.RoundTripper { return nil }), WithTimeout(0), WithLogger(nil), WithCharset(-1), WithConnectionAuth(""), WithUserAgent(""), WithKickbackKey(nil),
			WithBaseURL("x"), WithBaseURL("ftp://h"), WithBaseURL("http://h"), WithBaseURL("https://u@h"),
			WithRetry(RetryPolicy{MaxAttempts: -1}), WithRetry(RetryPolicy{BaseDelay: -1}), WithRetry(RetryPolicy{MaxDelay: 1}),
		},
		"12345":  nil,
		"１23456": nil,
		"12 456": nil,
		"12x456": nil,
	} {
		_, err := NewClient(storeID, opts...)
		errs = append(errs, err)
	}
	return errs
}

// docSaying is what some texts tell of the payment.
type docSaying struct {
	texts    []string
	says, do docText
}

func docSayingTable(l docLang, sayings []docSaying) string {
	var rows [][]string
	for _, s := range sayings {
		rows = append(rows, []string{docSpans(s.texts), s.says[l], s.do[l]})
	}
	return docTable(l, []docText{{"Text", "エラー文"}, {"What it says", "意味"}, {"Do now", "対処"}}, rows)
}

var docTransport = []docSaying{
	{
		[]string{"outcome not sent: could not connect: …"},
		docText{"no connection came about: the gateway never saw the request", "接続できていない。リクエストは届いていない"},
		docText{"put the cause right, then send it again, a ReAuth too", "原因を取り除いてから再送する（ReAuth も再送してよい）"},
	},
	{
		[]string{"outcome unknown: no reply: …"},
		docText{"a part of the request, or all of it, may have arrived; it may be carried out still", "リクエストが届いた可能性がある。まだ処理中かもしれない"},
		docText{"see the table by outcome", "「結果から調べる」の表に従う"},
	},
	{
		[]string{"outcome unknown: could not connect: …"},
		docText{"the last attempt was not sent, but an earlier one may have arrived", "最後の試行は未送信だが、先行する試行が届いた可能性がある"},
		docText{"see the table by outcome", "「結果から調べる」の表に従う"},
	},
}

var docCauses = []docSaying{
	{
		[]string{"the time ran out"},
		docText{"the time-out of an attempt (`WithTimeout`) or the caller's own", "試行のタイムアウト（`WithTimeout`）または呼び出し元の期限切れ"},
		docText{"after `no reply`: look again a few minutes later", "`no reply` なら数分後にもう一度確認する"},
	},
	{
		[]string{"the context was cancelled"},
		docText{"the program itself gave up, as at a shutdown", "プログラム自身が中断した（停止処理など）"},
		docText{"look up the payments that it was at work on", "そのとき処理中だった決済を確認する"},
	},
	{
		[]string{"the connection was closed early", "the server closed a kept connection", "read tcp: …", "write tcp: …"},
		docText{"the gateway, or something in between, dropped the connection", "ゲートウェイまたは途中の機器が接続を切断した"},
		docText{"if it goes on: firewall, proxy, the gateway's announcements", "続く場合はファイアウォール、プロキシ、ゲートウェイの障害情報を確認する"},
	},
	{
		[]string{"dial tcp: …", "lookup …: …"},
		docText{"no connection, or no address for the name", "接続できない、または名前解決ができない"},
		docText{"network, DNS, firewall", "ネットワーク、DNS、ファイアウォールを確認する"},
	},
	{
		[]string{"tls: …", "remote error: tls: …", "local error: tls: …", "http: server gave HTTP response to HTTPS client"},
		docText{"no secure connection: the certificate or the protocol does not fit", "安全な接続を確立できない（証明書またはプロトコルの不一致）"},
		docText{"CA certificates, clock, a proxy that reads TLS; never switch the check off", "CA証明書、時刻、TLSを復号するプロキシを確認する。証明書の検証は決して無効にしない"},
	},
	{
		[]string{"the proxy refused CONNECT with HTTP status …"},
		docText{"the merchant's own proxy said no", "自社のプロキシが拒否した"},
		docText{"the proxy's rules and credentials", "プロキシの設定と認証情報を確認する"},
	},
	{
		[]string{"the server handed the request back over HTTP/2"},
		docText{"the other side claims not to have processed it, which nobody proves", "相手側は未処理と主張しているが、証明はない"},
		docText{"use the default transport, which speaks HTTP/1.1", "HTTP/1.1 を使う既定のトランスポートにする"},
	},
	{
		[]string{"error of type …"},
		docText{"a cause whose text may hold private data; `TransportError.Err` has it", "文に個人情報が含まれうる原因。内容は `TransportError.Err` にある"},
		docText{"ask those who wrote the transport", "トランスポートの開発者に確認する"},
	},
}

func docCauseSamples(t *testing.T) (texts []string) {
	t.Helper()
	proxy := newTransport().OnProxyConnectResponse(t.Context(), nil, nil, &http.Response{StatusCode: http.StatusProxyAuthRequired})
	var s sending
	s.http2.Store(true)
	_, http2 := s.request(t.Context(), newPost(nil)).GetBody()
	for _, err := range []error{
		context.DeadlineExceeded, context.Canceled, io.EOF, proxy, http2, errors.New("it may hold anything"), http.ErrSchemeMismatch,
		errors.New("http: server closed idle connection"),
		&net.DNSError{Err: "no such host", Name: "credit.j-payment.co.jp"},
		&net.OpError{Op: "dial", Net: "tcp", Err: os.NewSyscallError("connect", syscall.ECONNREFUSED)},
		&net.OpError{Op: "read", Net: "tcp", Err: os.NewSyscallError("read", syscall.ECONNRESET)},
		&net.OpError{Op: "write", Net: "tcp", Err: os.NewSyscallError("write", syscall.EPIPE)},
		&net.OpError{Op: "remote error", Err: tls.AlertError(40)},
		&net.OpError{Op: "local error", Err: tls.AlertError(70)},
		&tls.CertificateVerificationError{Err: x509.UnknownAuthorityError{}},
	} {
		texts = append(texts, describe(err))
	}
	return texts
}

var docReplies = []docSaying{
	{
		[]string{
			"the HTTP status is not 200 but …", "it is an HTML page", "it is empty", "it is longer than 64 KiB",
			"it is neither a row nor OK nor a code", "ec after ER: is not a code",
		},
		docText{"no answer about a payment: a proxy's page, a fault's, a redirect; the request may have been carried out before", "決済についての回答ではない（プロキシ、障害ページ、リダイレクトなど）。その前に処理された可能性がある"},
		docText{"if it goes on, stop sending; check the proxy and the gateway's announcements", "続く場合は送信を止め、プロキシとゲートウェイの障害情報を確認する"},
	},
	{
		[]string{"it is cut short: …", "… is not there whole: the row is cut short"},
		docText{"the gateway was answering; a part of an answer tells neither success nor refusal", "ゲートウェイは回答していたが、途中までの応答では成否が分からない"},
		docText{"nothing more", "追加の対処なし"},
	},
	{
		[]string{
			"… is not a number of half-width digits", "rst is not a number", "… is too large",
			"… has other characters than half-width letters and digits",
			"ec is not a code of 1 to 12 half-width letters and digits",
			"cod is neither UTF-8 nor Shift_JIS",
			"cod or a column after it holds commas, and the row does not prove which numbers are the amounts",
		},
		docText{"a column cannot be read for certain, and none is guessed", "確実に読めない列がある。推測はしない"},
		docText{"keep `ReplyError.Raw()` for the developers; it may hold personal data", "`ReplyError.Raw()` を開発者のために保管する（個人情報を含みうる）"},
	},
	{
		[]string{
			"rst is neither 1 nor 2", "ec is blank although rst says that the payment failed",
			"ec has a code although rst says that the payment succeeded", "gid is 0 although rst says that the payment succeeded",
			"ta is not the sum of am, tx and sf", "ta is not given although am, tx or sf is",
		},
		docText{"the answer contradicts itself", "応答の内容が矛盾している"},
		docText{"keep `ReplyError.Raw()` as above, and show the gateway's support", "`ReplyError.Raw()` を同様に保管し、ゲートウェイのサポートに照会する"},
	},
	{
		[]string{"gid is not the payment asked for"},
		docText{"after Sales or Cancel: a success, but of another payment", "Sales・Cancel への応答が、別の決済の成功を示している"},
		docText{"look up both: the one asked for, and the one in `Result.PaymentID`", "要求した決済と `Result.PaymentID` の決済の両方を確認する"},
	},
	{
		[]string{"… is not the amount asked for"},
		docText{"after ReAuth: a success, but the amounts are others or blank", "ReAuth は成功とされるが、金額が要求と違うか空欄"},
		docText{"look up the new payment, `Result.PaymentID`; capture it only if its amounts are right", "新しい決済（`Result.PaymentID`）を確認し、金額が正しい場合だけ実売上する"},
	},
	{
		[]string{"it is a result, which was to come by kickback"},
		docText{"after ReAuthByKickback: a success at once; a notice may come as well", "ReAuthByKickback に対して成功の結果が直接返った。通知も届く可能性がある"},
		docText{"look up the new payment, `Result.PaymentID`", "新しい決済（`Result.PaymentID`）を確認する"},
	},
	{
		[]string{"it promises a kickback, which was not asked for"},
		docText{"only `OK`: taken perhaps, the result is open", "`OK` だけの応答。受け付けられた可能性があるが、結果は分からない"},
		docText{"nothing more", "追加の対処なし"},
	},
	{
		[]string{"it approves a test: the store is in test mode and no money moved"},
		docText{"a test approval, under `WithProductionOnly`", "`WithProductionOnly` の指定中にテストモードの承認が返った"},
		docText{"do not ship: no money moved; switch the store to production", "実際の決済は行われていないため出荷しない。店舗を本番に切り替える"},
	},
}

func docReplySamples(t *testing.T) (errs []error) {
	t.Helper()
	row := func(columns string) string { return "77," + columns + ",,," }
	for _, body := range []string{
		"", "<html>", strings.Repeat("x", maxReply+1), "NG", "ER:", "77,1", "77,1,A1,,88", "77,1,A1,,88,o,1",
		"7x,1,A1,,88,o,1,0,0,1", row("x,A1,,88,o,1,0,0,1"), row("1,A1,,88,o,9223372036854775808,0,0,1"),
		row("1,A-,,88,o,1,0,0,1"), row("1,A1,,8-,o,1,0,0,1"), row("2,,E-,88,o,1,0,0,1"), row("1,A1,,88,\xff,1,0,0,1"),
		row("1,A1,,88,o,0,0,0,0,0"), row("3,A1,,88,o,1,0,0,1"), row("2,,,88,o,1,0,0,1"), row("1,A1,ER032,88,o,1,0,0,1"),
		"0,1,A1,,88,o,1,0,0,1,,,", row("1,A1,,88,o,1,0,0,2"), row("1,A1,,88,o,1,0,0,"),
		"78,1,A1,,88,o,1,0,0,1,,,", "OK",
	} {
		_, err := docClient(t, docReply(body)).Sales(t.Context(), SalesRequest{PaymentID: "77"})
		errs = append(errs, err)
	}
	success := docReply("77,1,TestMod,,88,o,1,0,0,1,,,")
	_, err := docClient(t, docRoundTripper(func(*http.Request) (*http.Response, error) {
		return &http.Response{StatusCode: http.StatusServiceUnavailable, Body: http.NoBody}, nil
	})).Sales(t.Context(), SalesRequest{PaymentID: "77"})
	errs = append(errs, err)
	_, err = docClient(t, docRoundTripper(func(*http.Request) (*http.Response, error) {
		return &http.Response{StatusCode: http.StatusOK, Body: io.NopCloser(iotest.ErrReader(io.ErrUnexpectedEOF))}, nil
	})).Sales(t.Context(), SalesRequest{PaymentID: "77"})
	errs = append(errs, err)
	_, err = docClient(t, success, WithProductionOnly()).Sales(t.Context(), SalesRequest{PaymentID: "77"})
	errs = append(errs, err)
	_, err = docClient(t, success).ReAuth(t.Context(), ReAuthRequest{PaymentID: "1", Amount: 2})
	return append(errs, err, docClient(t, success).ReAuthByKickback(t.Context(), ReAuthRequest{PaymentID: "1", Amount: 1}))
}

var docGateway = []docSaying{
	{
		[]string{"outcome refused: … (…)"},
		docText{"the gateway said no; the payment is as it was", "ゲートウェイが拒否した。決済は元のまま"},
		docText{"look the code up, follow `next:`", "コードを調べ、`next:` に従う"},
	},
	{
		[]string{"outcome unknown: … (…)"},
		docText{"a code by which the gateway lost track, or a ReAuth that may have cancelled the original", "ゲートウェイが結果を見失ったことを示すコード、または元の決済を取り消したかもしれない再オーソリ"},
		docText{"look the payment up first; see the table by outcome", "まず決済を確認し、「結果から調べる」の表に従う"},
	},
	{
		[]string{"(after … attempts)"},
		docText{"how often it was tried; the line tells of the last attempt", "試行回数。行の内容は最後の試行のもの"},
		docText{"nothing", "対処不要"},
	},
	{
		[]string{"; an earlier attempt may have been carried out"},
		docText{"a Sales or Cancel was repeated after an unknown attempt (`ReplayUnknown`), and what the repetition was told says nothing of the first: ER032 and ER033 suggest that it was carried out, and do not prove it", "結果不明の試行の後に Sales または Cancel を再送した（`ReplayUnknown`）。再送への回答からは最初の試行の結果は分からない。ER032・ER033 は処理済みを示唆するが、証明にはならない"},
		docText{"treat it as unknown, whatever the code", "コードにかかわらず不明として扱う"},
	},
	{
		[]string{"(not sent again: …)"},
		docText{"it was to be tried again, but the caller's time ran out (`context deadline exceeded`) or the caller gave up (`context canceled`); the outcome before it stands", "再送する予定だったが、呼び出し元の期限が切れた（`context deadline exceeded`）か、中断された（`context canceled`）。その前に示された結果は変わらない"},
		docText{"by the outcome, as if the end were not there", "この表記がない場合と同じく、結果に従う"},
	},
}

// docLineSamples returns whole errors of really made calls.
func docLineSamples(t *testing.T) (errs []error) {
	t.Helper()
	sales := func(ctx context.Context, policy RetryPolicy, answers ...http.RoundTripper) {
		n := 0
		c := docClient(t, docRoundTripper(func(r *http.Request) (*http.Response, error) {
			n++
			return answers[min(n, len(answers))-1].RoundTrip(r)
		}), WithRetry(policy))
		_, err := c.Sales(ctx, SalesRequest{PaymentID: "77"})
		errs = append(errs, err)
	}
	lost := docRoundTripper(func(*http.Request) (*http.Response, error) { return nil, io.EOF })
	ended, end := context.WithCancel(t.Context())
	end()
	soon, cancel := context.WithTimeout(t.Context(), time.Hour)
	defer cancel()
	once := RetryPolicy{MaxAttempts: 1}
	sales(ended, once, lost)
	sales(t.Context(), once, lost)
	sales(t.Context(), once, docReply("ER:ER003"))
	sales(t.Context(), once, docReply("ER:ER000"))
	sales(t.Context(), RetryPolicy{ReplayUnknown: true, BaseDelay: 1, MaxDelay: 1}, lost, docReply("ER:ER032"))
	sales(soon, RetryPolicy{BaseDelay: math.MaxInt64 - 1, MaxDelay: math.MaxInt64 - 1}, docReply("ER:ER010"))
	return append(errs, &TransportError{Call: Call{Operation: OpSales, PaymentID: "77", Attempts: 2, Earlier: errs[1]}, NotSent: true, Err: io.EOF})
}

// docClient returns a client whose requests are answered so, without a network.
func docClient(t *testing.T, answer http.RoundTripper, opts ...Option) *Client {
	t.Helper()
	c, err := NewClient("123456", append([]Option{WithHTTPClient(&http.Client{Transport: answer})}, opts...)...)
	require.NoError(t, err)
	return c
}

type docRoundTripper func(*http.Request) (*http.Response, error)

func (rt docRoundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return rt(r) }

// docReply is a text to answer.
type docReply string

func (body docReply) RoundTrip(*http.Request) (*http.Response, error) {
	return &http.Response{StatusCode: http.StatusOK, Body: io.NopCloser(strings.NewReader(string(body)))}, nil
}

// docKickbackRow is what the handler answers and logs.
type docKickbackRow struct {
	status   int
	texts    []string
	says, do docText
}

var docKickbacks = []docKickbackRow{
	{
		http.StatusBadRequest,
		[]string{
			"is longer than 16 KiB", "has a key with a broken escape", "has a value with a broken escape",
			"has a key that is neither UTF-8 nor Shift_JIS", "… is neither UTF-8 nor Shift_JIS",
			"… is there twice, with different values", "other data is there twice, with different values",
			"… is not a number of half-width digits", "rst is not a number", "… is too large",
			"… has other characters than half-width letters and digits",
			"ec is not a code of 1 to 12 half-width letters and digits",
			"ec has a code although rst says that the payment succeeded", "gid is 0 although rst says that the payment succeeded",
			"ta is not the sum of am, tx and sf",
		},
		docText{"not a notice, or one that cannot be read or contradicts itself", "決済結果通知ではない、読めない、または内容が矛盾している"},
		docText{"from the gateway: look in the control panel; if it goes on, the developers", "ゲートウェイからのものなら管理画面で確認する。続く場合は開発者に連絡する"},
	},
	{
		http.StatusForbidden,
		[]string{"the source address is not allowed"},
		docText{"not from an address of `AllowFrom`, or through a proxy that `TrustProxy` does not name", "送信元が `AllowFrom` にない、または `TrustProxy` にないプロキシを経由している"},
		docText{"see whose address it is: the gateway's may have changed; else nothing", "誰のアドレスか確認する。ゲートウェイの変更でなければ対処不要"},
	},
	{
		http.StatusForbidden,
		[]string{"jpk is not there: the notice is not signed"},
		docText{"forged, or of a request that nobody signed: a recurring charge, another system's, a client without `WithKickbackKey`", "偽の通知、または署名のないリクエスト（自動課金、別のシステム、`WithKickbackKey` のないクライアント）の通知"},
		docText{"look in the control panel for what it tells of; never take it on its word", "通知の内容を管理画面で確認する。通知だけで判断しない"},
	},
	{
		http.StatusForbidden,
		[]string{"jpk was not signed by any of the keys"},
		docText{"forged, or signed with a key that the handler does not have", "偽の通知、またはハンドラーにない鍵で署名されている"},
		docText{"after a change of keys: let `VerifyKickbacks` accept the old one too, and look in the control panel", "鍵の変更後なら `VerifyKickbacks` に古い鍵も渡し、管理画面で確認する"},
	},
	{
		http.StatusForbidden,
		[]string{"jpk is too old", "jpk is from the future: check the clocks"},
		docText{"later than `KickbackMaxAge` after its request, or the clocks differ", "リクエストから `KickbackMaxAge` を過ぎている、または時計がずれている"},
		docText{"set the clocks right; look in the control panel", "時計を合わせ、管理画面で確認する"},
	},
	{
		http.StatusForbidden,
		[]string{"… is not the amount asked for"},
		docText{"signed, but the notice has other amounts than the request", "署名は正しいが、金額がリクエストと違う"},
		docText{"look up the new payment; capture it only if its amounts are right", "新しい決済を確認し、金額が正しい場合だけ実売上する"},
	},
	{
		http.StatusMethodNotAllowed,
		[]string{"the method is neither GET nor POST"},
		docText{"not the gateway", "ゲートウェイからのものではない"},
		docText{"nothing", "対処不要"},
	},
	{
		http.StatusRequestEntityTooLarge,
		[]string{"the body is longer than 16 KiB or cut short"},
		docText{"not a notice, or the connection broke", "決済結果通知ではない、または接続が切れた"},
		docText{"from the gateway: look in the control panel", "ゲートウェイからのものなら管理画面で確認する"},
	},
	{
		http.StatusRequestURITooLong,
		[]string{"the query is longer than 16 KiB"},
		docText{"not a notice", "決済結果通知ではない"},
		docText{"nothing", "対処不要"},
	},
	{
		http.StatusInternalServerError,
		[]string{"the callback failed with a …", "the callback panicked with a …"},
		docText{"a notice that the merchant's own code could not store; after `jpayment: kickback callback panicked` the log has the stack", "自社のコードが通知を処理できなかった。スタックは `jpayment: kickback callback panicked` のログにある"},
		docText{"mend it; if the notice does not come again, look in the control panel and enter the result by hand", "原因を修正する。再び通知が来なければ、管理画面で確認して結果を手で登録する"},
	},
}

func docKickbackTable(l docLang) string {
	var rows [][]string
	for _, k := range docKickbacks {
		rows = append(rows, []string{"`" + strconv.Itoa(k.status) + "`", docSpans(k.texts), k.says[l], k.do[l]})
	}
	return docTable(l, []docText{{"HTTP", "HTTP"}, {"Text", "エラー文"}, {"What it says", "意味"}, {"Do now", "対処"}}, rows)
}

// docKickbackSamples returns what a handler answers and says of what it refuses.
func docKickbackSamples(t *testing.T) (samples []string) {
	t.Helper()
	take := func(r *http.Request, callback func(context.Context, *Kickback) error, opts ...KickbackOption) {
		h, err := NewKickbackHandler(callback, opts...)
		require.NoError(t, err)
		status, _, err := h.take(httptest.NewRecorder(), r)
		require.Error(t, err)
		samples = append(samples, strconv.Itoa(status)+" "+strings.TrimPrefix(err.Error(), "jpayment: kickback: "))
	}
	request := func(method, query, body string) *http.Request {
		return httptest.NewRequestWithContext(t.Context(), method, "/?"+query, strings.NewReader(body))
	}
	taken := func(context.Context, *Kickback) error { return nil }
	get := func(query string, opts ...KickbackOption) { take(request(http.MethodGet, query, ""), taken, opts...) }
	long := strings.Repeat("x", maxKickback)
	for _, query := range []string{
		"%zz=1", "k=%zz", "%ff=1", "cod=%ff", "gid=1&gid=2", "k=1&k=2",
		"gid=x&rst=1", "gid=1&rst=x", "gid=1&rst=1&am=9223372036854775808", "gid=1&rst=1&ap=-", "gid=1&rst=2&ec=-",
		"gid=1&rst=1&ec=ER032", "gid=0&rst=1", "gid=1&rst=1&am=1&tx=0&sf=0&ta=2",
	} {
		get(query)
	}
	take(request(http.MethodPost, long[1:], "xx"), taken)
	take(request(http.MethodPut, "", ""), taken)
	take(request(http.MethodPost, "", long+"x"), taken)
	get(long + "x")
	get("gid=1&rst=1", AllowFrom(netip.MustParsePrefix("203.0.113.0/24")))

	key := []byte(strings.Repeat("k", token.MinKey))
	signed := func(at time.Time) string {
		return "gid=2&rst=1&am=1&tx=0&sf=0&ta=1&" + token.Param + "=" + token.Sign(key, token.Claims{StoreID: "123456", PaymentID: "1", Amount: 2, At: at})
	}
	get("gid=1&rst=1", VerifyKickbacks(key))
	get("gid=1&rst=1&"+token.Param+"=x", VerifyKickbacks(key))
	get(signed(time.Now().Add(-48*time.Hour)), VerifyKickbacks(key))
	get(signed(time.Now().Add(time.Hour)), VerifyKickbacks(key))
	get(signed(time.Now()), VerifyKickbacks(key))

	take(request(http.MethodGet, "gid=1&rst=1", ""), func(context.Context, *Kickback) error { return errors.New("it may hold anything") })
	take(request(http.MethodGet, "gid=1&rst=1", ""), func(context.Context, *Kickback) error { panic("it may hold anything") })
	return samples
}

// docAllCodes returns the catalogue in the order of the public lists, and at the end
// the two kinds of codes that are not in it.
func docAllCodes() []Code {
	rank := func(c Code) int { return strings.IndexByte("EG4", c[0]) }
	codes := slices.SortedFunc(maps.Keys(catalogue), func(a, b Code) int {
		return cmp.Or(cmp.Compare(rank(a), rank(b)), cmp.Compare(a, b))
	})
	return append(codes, docUnlisted...)
}

var docUnlisted = []Code{"G…", "…"}

var docClasses = []struct {
	class        class
	title, about docText
}{
	{
		classLost,
		docText{"The gateway may have lost track", "ゲートウェイが結果を見失った可能性"},
		docText{
			"Internal errors, errors of communication and of the card network, and every code that nobody has listed. Whether the request was carried out is open.",
			"内部エラー、通信エラー、カードネットワークの障害と、どの一覧にもないコードです。処理されたかどうかは分かりません。",
		},
	},
	{
		classRefused,
		docText{"Refused", "拒否"},
		docText{"The gateway turned the request down for a reason that is none of the classes below.", "以下のどの分類にも当たらない理由で、ゲートウェイが拒否しました。"},
	},
	{
		classDeclined,
		docText{"Declined by the card issuer: `ErrCardDeclined`", "カード会社による拒否: `ErrCardDeclined`"},
		docText{"The issuer said no, or its network in its name.", "カード会社、またはそれを代行するネットワークが拒否しました。"},
	},
	{
		classBusy,
		docText{"Congested: `ErrBusy`", "混雑: `ErrBusy`"},
		docText{"The gateway did not take the request up. By default Sales and Cancel were tried again already; a ReAuth never is.", "ゲートウェイはリクエストを受け付けませんでした。既定では Sales と Cancel は自動で再送済みですが、ReAuth は自動では再送しません。"},
	},
	{
		classMaintenance,
		docText{"Maintenance: `ErrMaintenance`", "メンテナンス: `ErrMaintenance`"},
		docText{"The gateway takes nothing up for the time being.", "ゲートウェイは一時的に何も受け付けていません。"},
	},
	{
		classNotPermitted,
		docText{"Not permitted: `ErrNotPermitted`", "許可なし: `ErrNotPermitted`"},
		docText{"The store, its contract or this machine's address is not set up for the request: very likely no order gets through.", "店舗、契約、またはサーバーの送信元IPアドレスが、このリクエストに対して設定されていません。ほかの注文も通らない可能性があります。"},
	},
	{
		classInvalidParameter,
		docText{"Invalid parameter: `ErrInvalidParameter`", "パラメータの誤り: `ErrInvalidParameter`"},
		docText{"The request or one of its parameters is wrong. The same request will be refused again.", "リクエストまたはパラメータに誤りがあります。同じリクエストは再び拒否されます。"},
	},
}

// docCodeTables writes a section for each class: the next steps of its codes, and then
// the codes.
func docCodeTables(l docLang) string {
	again := map[Retry]docText{RetryNo: {"no", "見込みなし"}, RetryYes: {"yes", "見込みあり"}, RetryUnknown: {"unknown", "不明"}}
	var b strings.Builder
	for i, c := range docClasses {
		if i > 0 {
			b.WriteByte('\n')
		}
		fmt.Fprintf(&b, "### %s\n\n%s\n\n", c.title[l], c.about[l])
		var codes []Code
		var rows [][]string
		for _, code := range docAllCodes() {
			if code.info().class != c.class {
				continue
			}
			name, meaning := "`"+string(code)+"`", docText{code.Message(), code.MessageJa()}
			if slices.Contains(docUnlisted, code) {
				name += docText{" (others)", "（その他）"}[l]
			}
			codes = append(codes, code)
			rows = append(rows, []string{
				name,
				docOutcomeNames[docRefusal(OpSales, code).Outcome()][l], docOutcomeNames[docRefusal(OpReAuth, code).Outcome()][l],
				again[code.Retry()][l], meaning[l],
			})
		}
		b.WriteString(docCodeNext(l, codes) + "\n")
		b.WriteString(docTable(l, []docText{
			{"Code", "コード"},
			{"Sales, Cancel", "Sales・Cancel"},
			{"ReAuth", "ReAuth"},
			{"Again", "再送"},
			{"Meaning", "意味"},
		}, rows))
	}
	return b.String()
}

// docCodeNext lists the next steps of a class: first of the codes that have one of
// their own.
func docCodeNext(l docLang, codes []Code) string {
	line := docText{"- %s: %s\n", "- %s：%s\n"}[l]
	others := docText{"others", "その他"}[l]
	of := func(subject string, ops []Operation) string {
		if subject == "" {
			return docOps(l, ops)
		}
		return subject + fmt.Sprintf(docText{" (%s)", "（%s）"}[l], docOps(l, ops))
	}
	next := func(op Operation, code Code) string {
		err := docRefusal(op, code)
		return docText{err.Next(), err.NextJa()}[l]
	}
	// What most codes of the class have is the next step of the class.
	usual, counts := map[Operation]string{}, map[Operation]map[string]int{}
	for _, op := range docAllOps[:3] {
		counts[op] = map[string]int{}
		for _, code := range codes {
			counts[op][next(op, code)]++
		}
		usual[op] = slices.MaxFunc(slices.Sorted(maps.Keys(counts[op])), func(a, b string) int {
			return cmp.Compare(counts[op][a], counts[op][b])
		})
	}
	var b strings.Builder
	list := func(subject string, ops []Operation, step func(Operation) string) {
		for len(ops) > 0 {
			text := step(ops[0])
			var same, rest []Operation
			for _, op := range ops {
				if step(op) == text {
					same = append(same, op)
				} else {
					rest = append(rest, op)
				}
			}
			fmt.Fprintf(&b, line, of(subject, same), text)
			ops = rest
		}
	}
	for _, code := range codes {
		var own []Operation
		for _, op := range docAllOps[:3] {
			if next(op, code) != usual[op] {
				own = append(own, op)
			}
		}
		list("`"+string(code)+"`", own, func(op Operation) string { return next(op, code) })
	}
	var all, most []Operation
	for _, op := range docAllOps[:3] {
		if len(counts[op]) == 1 {
			all = append(all, op)
		} else {
			most = append(most, op)
		}
	}
	list(others, most, func(op Operation) string { return usual[op] })
	list("", all, func(op Operation) string { return usual[op] })
	return b.String()
}

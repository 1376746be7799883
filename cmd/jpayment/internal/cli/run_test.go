package cli

import (
	"bytes"
	"context"
	"database/sql"
	"fmt"
	"io"
	"maps"
	"net/netip"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/stretchr/testify/require"
	xjapanese "golang.org/x/text/encoding/japanese"

	"github.com/jpayment-go/jpayment"
	"github.com/jpayment-go/jpayment/cmd/jpayment/internal/console"
	"github.com/jpayment-go/jpayment/fulfilment"
	"github.com/jpayment-go/jpayment/jpaymenttest"
)

// desk is where a person runs files: a gateway with payments, a directory, a database.
type desk struct {
	session
	*jpaymenttest.Server
	dir string
}

func newDesk(t *testing.T, payments int) desk {
	t.Helper()
	g, dir := jpaymenttest.NewServer(t), t.TempDir()
	for range payments {
		g.Authorize(purchase)
	}
	return desk{at(g, "JPAYMENT_DATABASE", filepath.Join(dir, "jobs.db")), g, dir}
}

func (d desk) write(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(d.dir, name)
	require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
	return path
}

func (d desk) read(t *testing.T, name string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(d.dir, name))
	require.NoError(t, err)
	return string(b)
}

// masked returns a run without what varies between runs.
func (d desk) masked(r ran) ran {
	mask := func(s string) string {
		s = strings.ReplaceAll(s, d.dir+string(filepath.Separator), "")
		return regexp.MustCompile(`\d{4}-\d\d-\d\d \d\d:\d\d:\d\d`).ReplaceAllString(s, "2026-11-30 21:00:00")
	}
	r.stdout, r.stderr = mask(r.stdout), mask(r.stderr)
	r.args = slices.Clone(r.args)
	for i := range r.args {
		r.args[i] = mask(r.args[i])
	}
	return r
}

const monthEnd = `operation,payment,amount,tax,shipping,reference,email,phone
sales,10000001,,,,order-1,,
Cancel,10000002,,,,order-2,,
reauth,10000003,900,72,500,order-3,a@example.jp,0312345678
sales,10000999,,,,order-4,,
`

const monthEndJa = `処理	決済番号	金額	税額	送料	注文番号
実売上	10000001				注文-1

取消	10000002				注文-2
再オーソリ	10000003	900	72	500	注文-3
実売上	10000999				"注文 ""4"""
`

// Each run shows everything that a person sees, in both languages.
func TestRun(t *testing.T) {
	t.Parallel()
	for _, lang := range []console.Lang{console.English, console.Japanese} {
		for name, c := range map[string]struct {
			file   string
			args   string
			set    func(d desk)
			status int
			report bool
			sent   int
		}{
			"run":         {file: monthEnd, args: "--yes", status: console.Failed, report: true, sent: 4},
			"run-tsv":     {file: monthEndJa, args: "--yes", status: console.Failed, report: true, sent: 4},
			"run-done":    {file: "operation,payment,reference\nsales,10000001,a\n", args: "--yes", status: console.Done, report: true, sent: 1},
			"run-dry-run": {file: monthEnd, args: "--dry-run", status: console.Done},
			"run-nobody":  {file: monthEnd, status: console.Usage},
			"run-faults": {args: "--yes", status: console.Usage, file: `reference,operation,payment,amount,tax,shipping,email,phone
order-1,sales,10000001,,,,,
order-2,sales,10000001,,,,,
order-3,cancel,10000001,,,,,
order-4,refund,10000004,,,,,
,sales,,,,,,
order-6,sales,１０００００６,,,,,
order-7,sales,1E+07,,,,,
order-8,sales,"10,000,008",,,,,
order-9,sales,10000009,100,,,x@example.jp,
order-10,reauth,10000010,,,,,
order-11,reauth,10000011,１００,1.5,"1,000",,
order-12,reauth,10000012,0,0,0,canary,03-1234-5678
order-13,reauth,10000013,9223372036854775807,1,0,,
order-14,reauth,10000014,9223372036854775808,1,0,,
order-15,sales
,,,,,,,
"order-17,sales,10000017,,,,,
order-"18,sales,10000018,,,,,
 =1+1 ,sales, 10000019 ,,,,,
`},
			"run-order": {args: "--yes --concurrency 1", status: console.Failed, report: true, sent: 4, file: `operation,payment,amount,tax,shipping,reference
sales,10000001,,,,order-1
cancel,10000001,,,,order-1
sales,10000999,,,,order-2
cancel,10000999,,,,order-2
reauth,10000002,900,72,500,order-3
`},
			"run-order-faults": {args: "--yes", status: console.Usage, file: `operation,payment,amount,tax,shipping,reference
sales,10000001,,,,order-1
cancel,10000001,,,,order-1
sales,10000001,,,,order-1
reauth,10000002,900,72,500,order-2
sales,10000002,,,,order-2
reauth,10000002,900,72,500,order-2
`},
			"run-order-held": {args: "--yes --concurrency 1", status: console.Unknown, report: true, sent: 1, file: `operation,payment,amount,tax,shipping,reference
reauth,10000001,1,0,0,order-1
sales,10000002,,,,order-2
cancel,10000002,,,,order-2
reauth,10000002,1,0,0,order-2
`, set: func(d desk) { d.inReview("10000002") }},
			"run-reauth-open": {args: "--yes", status: console.Usage, sent: 0, file: "operation,payment,reference\nsales,10000001,order-1\n", set: func(d desk) {
				d.enqueue(fulfilment.ReAuth("order-1", jpayment.ReAuthRequest{PaymentID: "10000001", Amount: 1}))
			}},
			"run-header":  {file: "operation,payment,payment,customer\nsales,1,1,canary\n", args: "--yes", status: console.Usage},
			"run-no-rows": {file: "operation,payment,reference\n\n", args: "--yes", status: console.Usage},
			"run-empty":   {file: "", args: "--yes", status: console.Usage},
			"run-utf-16":  {file: "\xff\xfeo\x00p\x00", args: "--yes", status: console.Usage},
			"run-pause": {
				file: monthEnd, args: "--yes --concurrency 1", status: console.Failed, report: true, sent: 1,
				set: func(d desk) { d.RegisterIPs() },
			},
			"run-test-mode": {
				file: "operation,payment,reference\nsales,10000001,a\nsales,10000002,b\n", args: "--yes --production-only --concurrency 1", status: console.Unknown, report: true, sent: 1,
				set: func(d desk) { d.SetTestMode(true) },
			},
			"run-unknown": {
				file: "operation,payment,amount,tax,shipping,reference\nreauth,10000001,1,0,0,a\nsales,10000002,,,,b\n", args: "--yes", status: console.Unknown, report: true, sent: 2,
				set: func(d desk) {
					d.Fail(jpaymenttest.Fault{Kind: jpaymenttest.DropAfterBooking, Operation: jpayment.OpReAuth})
				},
			},
			"run-conflict": {
				file: "operation,payment,amount,tax,shipping,reference\nreauth,10000003,900,72,501,order-3\nsales,10000001,,,,another\n", args: "--yes", status: console.Usage, sent: 4,
				set: func(d desk) { d.again(monthEnd) },
			},
			"run-known": {
				file: monthEnd, args: "--yes", status: console.Failed, report: true, sent: 4,
				set: func(d desk) { d.again(monthEnd) },
			},
			"run-not-our-report": {file: monthEnd, args: "--yes --report FILE", status: console.Usage},
		} {
			t.Run(name+"-"+string(lang), func(t *testing.T) {
				t.Parallel()
				d := newDesk(t, 4)
				if c.set != nil {
					c.set(d)
				}
				now := time.Now()
				d.now = func() time.Time { return now } // Nothing lasts long enough to be reported, however slow the machine.
				path := d.write(t, "month-end.csv", c.file)
				args := append([]string{"run", path, "--lang", string(lang)}, strings.Fields(strings.ReplaceAll(c.args, "FILE", path))...)
				r := d.masked(d.run(t, args...))
				require.Equal(t, c.status, r.status, r.stderr)
				require.NotContains(t, r.stderr+r.stdout, canary)
				require.Len(t, d.Requests(), c.sent)
				if c.report {
					r.stdout += "-- report --\n" + d.read(t, "month-end.report.csv")
				} else if name != "run-conflict" {
					require.NoFileExists(t, filepath.Join(d.dir, "month-end.report.csv"))
				}
				golden(t, name+"-"+string(lang), r)
			})
		}
	}
}

// with changes the queue of the store before the test.
func (d desk) with(f func(ctx context.Context, q *fulfilment.Queue[*sql.Tx]) error) {
	db, err := fulfilment.OpenSQLite(d.vars["JPAYMENT_DATABASE"])
	if err != nil {
		panic(err)
	}
	defer db.Close()
	q, err := fulfilment.NewSQLite(db, fulfilment.Config{StoreID: "123456"})
	if err == nil {
		err = q.Migrate(context.Background())
	}
	if err == nil {
		err = f(context.Background(), q)
	}
	if err != nil {
		panic(err)
	}
}

// enqueue enqueues a request as another program does.
func (d desk) enqueue(r fulfilment.Request) {
	d.with(func(ctx context.Context, q *fulfilment.Queue[*sql.Tx]) error {
		_, err := q.Enqueue(ctx, r)
		return err
	})
}

// inReview enqueues a capture that ends in review.
func (d desk) inReview(id string) {
	d.with(func(ctx context.Context, q *fulfilment.Queue[*sql.Tx]) error {
		_, err := q.Enqueue(ctx, fulfilment.Sales("order-2", jpayment.SalesRequest{PaymentID: id}))
		if err == nil {
			_, err = q.AfterRestore(ctx)
		}
		return err
	})
}

// again runs a file as it was run before the test.
func (d desk) again(file string) {
	path := filepath.Join(d.dir, "before.csv")
	if err := os.WriteFile(path, []byte(file), 0o600); err != nil {
		panic(err)
	}
	w := world{env: func(name string) string { return d.vars[name] }, stdin: strings.NewReader(""), stdout: io.Discard, stderr: io.Discard}
	run(context.Background(), []string{"run", path, "--yes"}, w)
}

// A person sees what will be sent and has to confirm it; after no, the run says that
// nothing was sent.
func TestRunAsks(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		answer string
		status int
		sent   int
	}{{"no\n", console.Failed, 0}, {"", console.Failed, 0}, {"yes\n", console.Done, 1}} {
		d := newDesk(t, 1)
		d.terminal, d.input, d.vars["NO_COLOR"] = console.Terminals{In: true, Err: true}, c.answer, "1"
		path := d.write(t, "a.csv", "operation,payment,reference\nsales,10000001,a\n")
		r := d.run(t, "run", path)
		require.Equal(t, c.status, r.status)
		require.Contains(t, r.stderr, "Type yes to send it")
		require.Len(t, d.Requests(), c.sent)
		if c.sent == 0 {
			require.Contains(t, r.stderr, "nothing was sent")
			continue
		}
		r = d.run(t, "run", path)
		require.Equal(t, console.Done, r.status)
		require.NotContains(t, r.stderr, "Type yes", "there is nothing left to send")
		require.Len(t, d.Requests(), 1)
	}
}

// A file that Excel has written gets a report that Excel can read, and a reference that
// Excel would read as a formula does not become one.
func TestReportIsForTheProgramThatWroteTheFile(t *testing.T) {
	t.Parallel()
	const text = "処理,決済番号,注文番号\r\n実売上,10000001,=髙島屋\r\n実売上,10000002,\"@a,b\"\r\n"
	sjis, err := xjapanese.ShiftJIS.NewEncoder().String(text)
	require.NoError(t, err)
	for name, c := range map[string]struct {
		file   string
		decode func(string) string
		prefix string
	}{
		"UTF-8":       {file: text, prefix: "\ufeff"},
		"UTF-8 (BOM)": {file: "\ufeff" + text, prefix: "\ufeff"},
		"Shift_JIS": {file: sjis, decode: func(s string) string {
			decoded, err := xjapanese.ShiftJIS.NewDecoder().String(s)
			require.NoError(t, err)
			return decoded
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := newDesk(t, 2)
			r := d.run(t, "run", d.write(t, "a.csv", c.file), "--yes", "--lang", "ja")
			require.Equal(t, console.Done, r.status, r.stderr)
			require.Contains(t, r.stderr, name)
			got := d.read(t, "a.report.csv")
			if c.decode != nil {
				got = c.decode(got)
			}
			require.Equal(t, c.prefix+"行,処理,決済番号,注文番号,状態,理由,コード,新決済番号,送信回数,次の手順\n2,実売上,10000001,'=髙島屋,完了,,,,1,\n3,実売上,10000002,\"'@a,b\",完了,,,,1,\n", got)
			r = d.run(t, "run", d.dir+"/a.csv", "--yes", "--lang", "en")
			require.Equal(t, console.Done, r.status, "a report of ours is replaced: %s", r.stderr)
		})
	}
}

// No customer data in a file is shown, valid or invalid.
func TestRunShowsNothingPrivate(t *testing.T) {
	t.Parallel()
	for _, lang := range []console.Lang{console.English, console.Japanese} {
		d := newDesk(t, 3)
		for i, file := range []string{
			"operation,payment,amount,tax,shipping,reference,email,phone\nreauth,10000001,1,0,0,a,canary@example.jp,09012345678\n",
			"operation,payment,amount,tax,shipping,reference,email,phone\nreauth,10000002,1,0,0,b,canary,canary\nsales,10000003,,,,c,canary@example.jp,09012345678\n",
			"reauth,10000002,1,0,0,b,canary@example.jp,09012345678\n",
			"operation,payment,reference\nsales,canary,c\ncanary,1,c\nsales,1,c,canary@example.jp\n\"canary\n",
		} {
			r := d.run(t, "run", d.write(t, fmt.Sprintf("%d.csv", i), file), "--yes", "--lang", string(lang))
			require.NotContains(t, r.stdout+r.stderr, canary)
			require.NotContains(t, r.stdout+r.stderr, "09012345678")
		}
		require.NotContains(t, d.read(t, "0.report.csv"), canary)
		for _, args := range [][]string{{"status"}, {"review"}, {"review", "1"}, {"status", "--json"}, {"review", "--json"}, {"review", "1", "--json"}} {
			r := d.run(t, args...)
			require.Equal(t, console.Done, r.status)
			require.NotContains(t, r.stdout+r.stderr, canary)
			require.NotContains(t, r.stdout+r.stderr, "09012345678")
		}
	}
}

// In Japanese, every reason is in Japanese.
func TestReasonsAreTranslated(t *testing.T) {
	t.Parallel()
	d := newDesk(t, 0)
	long := strings.Repeat("1", 300)
	var file strings.Builder
	file.WriteString("operation,payment,amount,tax,shipping,reference,email,phone\n")
	for _, row := range []string{
		"reauth,1,9223372036854775807,9,0,a,,", "reauth,２,1,0,0,b,,", "reauth,3 ,0,0,0,c,é@x,x", "reauth,x,1,0,0,d,x@y@z,03-1",
		"reauth,5,1,0,0," + long + "," + long + "," + long, "reauth,6,1,0,0,\x01,,１", "sales,,,,,,,",
	} {
		file.WriteString(row + "\n")
	}
	r := d.run(t, "run", d.write(t, "a.csv", file.String()), "--yes", "--lang", "ja")
	require.Equal(t, console.Usage, r.status)
	require.NotContains(t, r.stderr, "誤りがあります: ", "a reason has no translation")
	shown := strings.Split(strings.TrimSpace(r.stderr), "\n")
	require.Greater(t, len(shown), 12)
	for _, line := range shown {
		_, reason, found := strings.Cut(line, "a.csv")
		if !found {
			continue // It counts them.
		}
		require.True(t, strings.ContainsFunc(reason, func(r rune) bool { return unicode.Is(unicode.Hiragana, r) }), line)
	}
}

// If there are many faults, the first hundred are printed, and the rest are counted.
func TestManyFaults(t *testing.T) {
	t.Parallel()
	d := newDesk(t, 0)
	r := d.run(t, "run", d.write(t, "a.csv", "operation,payment,reference\n"+strings.Repeat("sales,x,\n", 1234)), "--yes")
	require.Equal(t, console.Usage, r.status)
	require.Equal(t, 100, strings.Count(r.stderr, "a.csv:"))
	require.Contains(t, r.stderr, "… and 2,368 more\n")
	require.Contains(t, r.stderr, "errors: 2,468")
}

// A file that changes during a run is not mistaken for the one that was checked.
func TestChangedFileIsNotSent(t *testing.T) {
	t.Parallel()
	for _, rows := range []int{1, 500, 501} {
		d := newDesk(t, 0)
		var file strings.Builder
		file.WriteString("operation,payment,reference\n")
		for i := range rows {
			fmt.Fprintf(&file, "sales,%d,a\n", 10000001+i)
		}
		path := d.write(t, "a.csv", file.String())
		d.terminal = console.Terminals{In: true, Err: true}
		d.stdin = answerAfter(func() string { // The answer is read after the check.
			d.write(t, "a.csv", strings.Replace(file.String(), "sales,10000001,", "cancel,10000001,", 1))
			return "yes\n"
		})
		r := d.run(t, "run", path)
		require.Equal(t, console.Failed, r.status, r.stderr)
		require.Contains(t, r.stderr, "the file was changed")
		require.Empty(t, d.Requests())
		require.Contains(t, d.run(t, "status", "--json").stdout, `"waiting":0,`)
	}
}

// answerAfter is a person who does something before answering.
type answerAfter func() string

func (f answerAfter) Read(b []byte) (int, error) { return copy(b, f()), nil }

// Ctrl-C lets the requests in progress finish, and the same command continues.
func TestInterruptedRunGoesOn(t *testing.T) {
	t.Parallel()
	d := newDesk(t, 40)
	ctx, interrupt := context.WithCancel(t.Context())
	d.Fail(jpaymenttest.Fault{Kind: jpaymenttest.DelayReply, Nth: 5, Delay: 300 * time.Millisecond, Notify: interrupt})
	var file strings.Builder
	file.WriteString("operation,payment,reference\n")
	for i := range 40 {
		fmt.Fprintf(&file, "sales,%d,order-%d\n", 10000001+i, i)
	}
	path := d.write(t, "a.csv", file.String())
	var stdout, stderr bytes.Buffer
	w := world{env: func(name string) string { return d.vars[name] }, stdin: strings.NewReader(""), stdout: &stdout, stderr: &stderr}
	require.Equal(t, console.Failed, run(ctx, []string{"run", path, "--yes"}, w), "%s", &stderr)
	require.Contains(t, stderr.String(), "Stopping")
	require.Contains(t, stderr.String(), "continue from here; nothing is carried out twice: jpayment run "+path+" --yes\n")
	states := map[string]int{}
	for _, v := range verdictsIn(t, filepath.Join(d.dir, "a.report.csv")) {
		states[v[4]]++
		p, _ := d.Payment(v[2])
		require.Equal(t, v[4] == "done", p.State == jpaymenttest.Captured, "%v", v)
	}
	require.ElementsMatch(t, []string{"done", "waiting"}, slices.Collect(maps.Keys(states)))

	r := d.run(t, "run", path, "--yes", "--rate", "1000")
	require.Equal(t, console.Done, r.status, r.stderr)
	require.Len(t, d.Requests(), 40, "each was sent once")
}

var anywhere = netip.MustParsePrefix("127.0.0.0/8")

// Rows that another file has enqueued count as rows of this one.
func TestRowsKnownFromAnotherFile(t *testing.T) {
	t.Parallel()
	databases(t, func(t *testing.T, flags []string) {
		d := newDesk(t, 4)
		d.RegisterIPs() // so that they stay open
		run := func(name, file string) ran {
			return d.run(t, append([]string{"run", d.write(t, name, file), "--yes"}, flags...)...)
		}
		const header = "operation,payment,reference\n"
		require.Equal(t, console.Failed, run("a.csv", header+"sales,10000001,a\nsales,10000002,b\n").status)
		require.NotEmpty(t, d.Requests())
		d.RegisterIPs(anywhere)
		r := run("b.csv", header+"sales,10000002,b\nsales,10000003,c\n")
		require.Equal(t, console.Done, r.status, r.stderr)
		require.Contains(t, r.stderr, "1 (waiting 1)")
		require.Contains(t, r.stderr, "other jobs        1 (from other files")
		require.Contains(t, r.stdout, "rows done: 2 of 2")
		r = run("c.csv", header+"sales,10000002,b\nsales,10000003,c\nsales,10000004,d\n")
		require.Equal(t, console.Done, r.status, r.stderr)
		require.Contains(t, r.stderr, "2 (done 2)")
		require.Contains(t, r.stdout, "rows done: 3 of 3")
	})
}

// The worker gives the client time to give up first.
func TestCallTimeoutFollowsTheClients(t *testing.T) {
	t.Parallel()
	require.Equal(t, 70*time.Second, settings{}.workerConfig().CallTimeout)
	require.Equal(t, 3500*time.Millisecond, settings{timeout: 3 * time.Second}.workerConfig().CallTimeout)
}

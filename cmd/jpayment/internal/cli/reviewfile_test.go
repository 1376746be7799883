package cli

import (
	"context"
	"database/sql"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	xjapanese "golang.org/x/text/encoding/japanese"

	"github.com/jpayment-go/jpayment"
	"github.com/jpayment-go/jpayment/cmd/jpayment/internal/console"
	"github.com/jpayment-go/jpayment/cmd/jpayment/internal/sheet"
	"github.com/jpayment-go/jpayment/fulfilment"
)

// dispute makes a kickback contradict the verdict on a job.
func dispute(t *testing.T, flags []string, job int) {
	t.Helper()
	execute(t, flags, fmt.Sprintf(`UPDATE jpayment.jpayment_job SET dispute_en = 'a kickback tells of the new payment 10000077',
		dispute_ja = '決済結果通知に、新しい決済 10000077 とあります', disputed_at = updated_at + 1000000 WHERE id = %d`, job))
}

// newReviews is a store with jobs 2 and 3 in review, both re-authorisations, 4 disputed, and 5
// to 7 in review: two captures and a cancellation.
func newReviews(t *testing.T, flags ...string) (d desk, at []string) {
	t.Helper()
	d = newUnclearDesk(t, flags...)
	d.user = "keiri"
	at = flags
	if len(at) == 0 {
		at = []string{"--database", d.vars["JPAYMENT_DATABASE"]}
	}
	q, closeQueue, err := openQueue(t.Context(), settings{store: "123456", database: jpayment.NewSecret(at[1]), schema: schemaOf(at)}, fulfilment.Config{}, toWork)
	require.NoError(t, err)
	defer closeQueue()
	_, err = q.EnqueueAll(t.Context(), []fulfilment.Request{
		fulfilment.Sales("=order-5", jpayment.SalesRequest{PaymentID: "20000005"}),
		fulfilment.Sales("order-6", jpayment.SalesRequest{PaymentID: "20000006"}),
		fulfilment.Cancel("order-7", jpayment.CancelRequest{PaymentID: "20000007"}),
	})
	require.NoError(t, err)
	require.Equal(t, console.Done, d.run(t, append([]string{"restore-check", "--yes"}, flags...)...).status)
	dispute(t, at, 4)
	return d, at
}

// rowsOf reads a review file.
func rowsOf(t *testing.T, path string) [][]string {
	t.Helper()
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	rows, err := csv.NewReader(strings.NewReader(strings.TrimPrefix(string(text), sheet.Mark))).ReadAll()
	require.NoError(t, err)
	return rows
}

// fill writes what a person found into the rows of a file.
func fill(t *testing.T, path string, found map[string][3]string) {
	t.Helper()
	rows := rowsOf(t, path)
	for _, row := range rows[1:] {
		for i, text := range found[row[0]] {
			if text != "" {
				row[9+i] = text
			}
		}
	}
	var b strings.Builder
	require.NoError(t, csv.NewWriter(&b).WriteAll(rows))
	require.NoError(t, os.WriteFile(path, []byte(sheet.Mark+b.String()), 0o600))
}

// A review file is exported, filled in and imported, in both languages.
func TestReviewByFile(t *testing.T) {
	t.Parallel()
	for lang, words := range map[console.Lang][3]string{console.English: {"done", "Not-Done", "again"}, console.Japanese: {"処理済み", "処理しない", "再送"}} {
		t.Run(string(lang), func(t *testing.T) {
			t.Parallel()
			d, _ := newReviews(t)
			path := filepath.Join(d.dir, "review.csv")
			var runs []ran
			do := func(status int, args ...string) ran {
				r := d.masked(d.run(t, append(args, "--lang", string(lang))...))
				require.Equal(t, status, r.status, "%v\n%s", args, r.stderr)
				runs = append(runs, r)
				return r
			}
			do(console.Done, "status")
			do(console.Done, "review")
			do(console.Done, "review", "4")
			do(console.Done, "review", "--export", path)
			exported := d.masked(ran{stdout: d.read(t, "review.csv")}).stdout
			runs[len(runs)-1].stdout += "-- review.csv --\n" + exported
			do(console.Usage, "review", "--export", path)
			do(console.Failed, "review", "--import", path, "--yes")

			fill(t, path, map[string][3]string{
				"2": {words[0]}, "3": {words[1], "1", strings.Repeat("あ", 67)}, "4": {"?"}, "5": {words[2], "7"}, "7": {words[0], "", "21時に確認"},
			})
			text := strings.ReplaceAll(d.read(t, "review.csv"), "20000005", "2.0E+07")
			d.write(t, "review.csv", text+"8,,,,,,,,,"+words[0]+",,\n7,,,,,,,,,"+words[0]+",,\nx,,,,,,,,,"+words[0]+",,\n1,,,,,,,,,"+words[0]+",,\n,,,,,,,,,,,\n")
			do(console.Usage, "review", "--import", path, "--yes")
			require.NoError(t, os.Remove(path))
			do(console.Done, "review", "--export", path)
			fill(t, path, map[string][3]string{
				"2": {words[0], "10000004"}, "3": {words[1]}, "4": {words[1]}, "5": {words[2]}, "7": {words[0], "", "21時に確認"},
			})
			do(console.Usage, "review", "--import", path)
			require.Contains(t, d.run(t, "status", "--json").stdout, `"review":5,"disputed":1`, "nothing is recorded yet")
			do(console.Done, "review", "--import", path, "--yes")
			do(console.Done, "review")
			do(console.Usage, "review", "--import", path, "--yes")
			d.write(t, "review.csv", "job;Decision;new payment\n7;not-done;\n3;done;10000042\n")
			do(console.Done, "review", "--import", path, "--yes", "--correct")
			do(console.Done, "review", "7")
			golden(t, "review-file-"+string(lang), runs...)
			require.Len(t, d.Requests(), 4, "nothing was sent by any of it")
		})
	}
}

// A file is recorded completely or not at all, whatever happens while the person decides.
func TestReviewByFileIsAllOrNothing(t *testing.T) {
	t.Parallel()
	databases(t, func(t *testing.T, flags []string) {
		d, _ := newReviews(t, flags...)
		path := filepath.Join(d.dir, "review.csv")
		require.Equal(t, console.Done, d.run(t, append([]string{"review", "--export", path}, flags...)...).status)
		fill(t, path, map[string][3]string{"2": {"done", "10000004"}, "5": {"done"}, "6": {"not-done"}})
		s := d.session
		s.terminal = console.Terminals{In: true, Err: true}
		s.stdin = answerAfter(func() string {
			require.Equal(t, console.Done, d.run(t, append([]string{"review", "6", "--done", "--yes"}, flags...)...).status)
			return "yes\n"
		})
		r := s.run(t, append([]string{"review", "--import", path}, flags...)...)
		require.Equal(t, console.Failed, r.status)
		require.Contains(t, r.stderr, "payment 20000006: JOB is done;")
		require.Contains(t, r.stderr, "nothing was recorded")
		require.Contains(t, d.run(t, append([]string{"status", "--json"}, flags...)...).stdout, `"review":4,`)

		s.stdin = strings.NewReader("no\n")
		fill(t, path, map[string][3]string{"6": {"done"}})
		require.Equal(t, console.Usage, s.run(t, append([]string{"review", "--import", path}, flags...)...).status, "6 was decided")
		require.NoError(t, os.Remove(path))
		require.Equal(t, console.Done, d.run(t, append([]string{"review", "--export", path}, flags...)...).status)
		fill(t, path, map[string][3]string{"2": {"done", "10000004"}, "5": {"again"}})
		r = s.run(t, append([]string{"review", "--import", path}, flags...)...)
		require.Equal(t, console.Failed, r.status, r.stderr)
		require.Contains(t, r.stderr, "Not confirmed")
		s.stdin = strings.NewReader("yes\n")
		r = s.run(t, append([]string{"review", "--import", path, "--json"}, flags...)...)
		require.Equal(t, console.Done, r.status, r.stderr)
		require.Contains(t, r.stdout, `"new_payment_id":"10000004"`)
		require.Equal(t, 2, strings.Count(r.stdout, "\n"))
		require.Contains(t, d.run(t, append([]string{"status", "--json"}, flags...)...).stdout, `"waiting":1,"running":0,"awaiting_kickback":0,"done":3,"refused":1,"review":2,`)
	})
}

// panelExport is a possible export of the control panel, in Shift_JIS.
const panelExport = `取引日,決済番号,金額,ステータス,備考
2026/11/30,20000005,1000,実売上,"二行の
備考"
2026/11/30,20000006,1000,仮売上,
2026/11/30,20000007,1000,実売上,
2026/11/30,10000002,1000,取消,
2026/11/30,99999999,1000,実売上,
`

// An export of the control panel decides what it can, and leaves the rest.
func TestReviewByPanelExport(t *testing.T) {
	t.Parallel()
	databases(t, func(t *testing.T, flags []string) {
		d, _ := newReviews(t, flags...)
		text, err := xjapanese.ShiftJIS.NewEncoder().String(panelExport)
		require.NoError(t, err)
		file := d.write(t, "panel.csv", text)
		review := func(more ...string) ran {
			return d.run(t, append(append([]string{"review", "--import", file, "--yes"}, flags...), more...)...)
		}
		columns := []string{"--payment-column", "決済番号", "--status-column", "ステータス"}
		for want, args := range map[string][]string{
			"has no columns job and decision": {"--done-if", "実売上"},
			"the meaning of the statuses":     columns,
			"has no column 状態":                {"--payment-column", "決済番号", "--status-column", "状態", "--done-if", "実売上"},
			"must be sales or cancel":         append([]string{"--done-if", "reauth=取消"}, columns...),
			"the status is missing":           append([]string{"--done-if", "cancel="}, columns...),
			"also given another meaning":      append([]string{"--done-if", "実売上", "--again-if", "sales=実売上"}, columns...),
		} {
			r := review(args...)
			require.Equal(t, console.Usage, r.status, want)
			require.Contains(t, r.stderr, want)
		}
		r := review(append([]string{"--done-if", "実売上", "--again-if", "仮売上"}, columns...)...)
		require.Equal(t, console.Done, r.status, r.stderr)
		require.Regexp(t, `rows: 5, Shift_JIS`, r.stderr)
		require.Regexp(t, `done +1\n +send again +1\n +undecided +4\n`, r.stderr)
		for job, want := range map[string]string{"5": "done", "6": "waiting", "7": "review", "2": "review", "4": "refused"} {
			require.Contains(t, d.run(t, append([]string{"review", job, "--json"}, flags...)...).stdout, `"state":"`+want+`"`, "job %s", job)
		}
		require.Contains(t, d.run(t, append([]string{"review", "5"}, flags...)...).stdout, "ステータス: 実売上")

		// The configuration has the words for cancellations.
		d.vars["JPAYMENT_CONFIG"] = writeConfig(t, `
[panel]
payment_column = "決済番号"
status_column = "ステータス"
done_if = ["実売上", "cancel=取消"]
not_done_if = ["cancel=実売上"]
`, 0o600)
		r = review()
		require.Equal(t, console.Done, r.status, r.stderr)
		require.Contains(t, d.run(t, append([]string{"review", "7", "--json"}, flags...)...).stdout, `"state":"refused"`)
		require.Equal(t, console.Failed, review().status, "there is nothing more to decide")
		d.write(t, "panel.csv", "決済番号;ステータス\n10000002;取消\n10000002;実売上\n")
		r = review()
		require.Equal(t, console.Usage, r.status)
		require.Contains(t, r.stderr, "differs from an earlier line")
	})
}

// A file of another form is an error.
func TestReviewByNoFile(t *testing.T) {
	t.Parallel()
	d, _ := newReviews(t)
	for text, want := range map[string]string{
		"":                         "has no header",
		"PK\x03\x04":               "is an Excel workbook",
		"job,decision\n\"1,done\n": "quotation mark",
		"job,decision,Job\n":       "appears twice",
		"ジョブ,判断\n\xff,x\n":         "neither UTF-8 nor Shift_JIS",
	} {
		r := d.run(t, "review", "--import", d.write(t, "a.csv", text), "--yes")
		require.Equal(t, console.Usage, r.status, "%q: %s", text, r.stderr)
		require.Contains(t, r.stderr, want)
	}
	require.Equal(t, console.Usage, d.run(t, "review", "--import", filepath.Join(d.dir, "none.csv")).status)
	for _, args := range []string{"review 1 --import x", "review --export x --import y", "review --import x --done", "review --export /none/x"} {
		require.NotEqual(t, console.Done, d.run(t, strings.Fields(args)...).status, args)
	}
	d.user = ""
	require.Contains(t, d.run(t, "review", "--import", "x").stderr, "--by is missing")
}

// A later decision corrects an earlier one; both stay on record.
func TestReviewCorrects(t *testing.T) {
	t.Parallel()
	databases(t, func(t *testing.T, flags []string) {
		d := newUnclearDesk(t, flags...)
		review := func(status int, args ...string) ran {
			r := d.run(t, append(append([]string{"review"}, args...), flags...)...)
			require.Equal(t, status, r.status, r.stderr)
			return r
		}
		review(console.Done, "3", "--not-done", "--yes", "--by", "佐藤", "--note", "not there")
		require.Contains(t, review(console.Usage, "3", "--done", "--new-payment", "10000042", "--yes", "--by", "田中").stderr, "already decided by 佐藤")
		r := review(console.Done, "3", "--done", "--new-payment", "10000042", "--yes", "--by", "田中", "--correct")
		require.Contains(t, r.stdout, "job 3: done")
		r = review(console.Done, "3")
		require.Regexp(t, `decisions \(the last one counts\)\n +1 .*not-done +佐藤 +not there\n +2 .*done +10000042 +田中\n`, r.stdout)
		require.Regexp(t, `判断の記録（最後のものが有効）`, review(console.Done, "3", "--lang", "ja").stdout)
		var job struct {
			Decisions []decisionRecord
		}
		require.NoError(t, json.Unmarshal([]byte(review(console.Done, "3", "--json").stdout), &job))
		require.Len(t, job.Decisions, 2)
		require.Equal(t, [2]string{"refused", "done"}, [2]string{job.Decisions[0].State, job.Decisions[1].State})
	})
}

// A job that waits for another says so, and can be withdrawn.
func TestReviewOfAnOrder(t *testing.T) {
	t.Parallel()
	d := newDesk(t, 0)
	d.with(func(ctx context.Context, q *fulfilment.Queue[*sql.Tx]) error {
		_, err := q.EnqueueAll(ctx, []fulfilment.Request{
			fulfilment.Sales("order-1", jpayment.SalesRequest{PaymentID: "10000001"}),
			fulfilment.Cancel("order-1", jpayment.CancelRequest{PaymentID: "10000001"}).InTurn(),
		})
		return err
	})
	for lang, want := range map[string]string{"en": `comes after +job 1`, "ja": `先行するジョブ +ジョブ 1`} {
		require.Regexp(t, want, d.run(t, "review", "2", "--lang", lang).stdout)
	}
	require.Contains(t, d.run(t, "review", "2", "--json").stdout, `"after":1`)
	for lang, want := range map[string]string{"en": "withdraws the cancel", "ja": "取消を取り下げます"} {
		d.terminal, d.input = console.Terminals{In: true, Err: true}, "no\n"
		require.Contains(t, d.run(t, "review", "2", "--not-done", "--by", "x", "--lang", lang).stderr, want)
	}
	require.Equal(t, console.Done, d.run(t, "review", "2", "--not-done", "--by", "x", "--yes").status)
}

// A pause that ends automatically shows when.
func TestStatusOfMaintenance(t *testing.T) {
	t.Parallel()
	databases(t, func(t *testing.T, flags []string) {
		d := newUnclearDesk(t, flags...)
		execute(t, flags, `INSERT INTO jpayment.jpayment_pause (store_id, paused_at, reason, code, why_en, why_ja, until)
			VALUES ('123456', 1795000000000000, 'maintenance', 'ER999', 'under maintenance', 'メンテナンス中', 4102444800000000)`)
		r := d.run(t, append([]string{"status"}, flags...)...)
		require.Equal(t, console.Done, r.status, r.stderr)
		require.Regexp(t, regexp.QuoteMeta("until 2100-01-01 09:00:00 JST: under maintenance\n  next: nothing; workers resume automatically then"), r.stdout)
		require.Contains(t, d.run(t, append([]string{"status", "--lang", "ja"}, flags...)...).stdout, "2100-01-01 09:00:00 JST まで送信を一時停止中: メンテナンス中")
		require.Contains(t, d.run(t, append([]string{"status", "--json"}, flags...)...).stdout, `"until":"2100-01-01T00:00:00Z"`)
		file := d.write(t, "b.csv", "operation,payment,reference\nsales,10000009,b\n")
		r = d.run(t, append([]string{"run", file, "--dry-run"}, flags...)...)
		require.Contains(t, r.stderr, "Sending is paused until 2100-01-01 09:00:00 JST")
	})
}

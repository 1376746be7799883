package monthend

import (
	"context"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/jpayment-go/jpayment"
	"github.com/jpayment-go/jpayment/cmd/jpayment/internal/console"
	"github.com/jpayment-go/jpayment/cmd/jpayment/internal/runfile"
	"github.com/jpayment-go/jpayment/fulfilment"
)

// In Japanese, every error that ends a run is reported in Japanese, with its place.
func TestErrorsInJapanese(t *testing.T) {
	t.Parallel()
	broken := &os.PathError{Op: "write", Path: "jobs.db", Err: syscall.EACCES}
	for name, c := range map[string]struct {
		set  func(t *testing.T, d *desk)
		want string
	}{
		"no file":               {func(_ *testing.T, d *desk) { d.Path += "x" }, "a.csvx: ファイルまたはディレクトリがありません"},
		"a directory":           {func(_ *testing.T, d *desk) { d.Path = d.dir }, "ディレクトリです"},
		"a workbook":            {func(t *testing.T, d *desk) { d.rewrite(t, "PK\x03\x04") }, "a.csv: ファイルはExcelブックです"},
		"UTF-16":                {func(t *testing.T, d *desk) { d.rewrite(t, "\xff\xfeo\x00") }, "UTF-16か、テキストではありません"},
		"an empty file":         {func(t *testing.T, d *desk) { d.rewrite(t, "") }, "見出し行がありません"},
		"only a header":         {func(t *testing.T, d *desk) { d.rewrite(t, sales(0)) }, "見出し行しかありません"},
		"no header":             {func(t *testing.T, d *desk) { d.rewrite(t, "sales,1,a\n") }, "の列が見出し行にありません"},
		"a name that is not":    {func(_ *testing.T, d *desk) { d.Columns = runfile.Columns{"伝票番号": runfile.Reference} }, `注文番号の列が、--columns で指定された名前 "伝票番号" では見出し行にありません`},
		"a report of others":    {func(_ *testing.T, d *desk) { d.Report = d.Path }, "jpayment run のレポートではありません"},
		"a report nowhere":      {func(_ *testing.T, d *desk) { d.Report = filepath.Join(d.dir, "none", "report.csv") }, "がありません"},
		"a report on a path":    {func(_ *testing.T, d *desk) { d.Report = filepath.Join(d.Path, "report.csv") }, "--report: "},
		"a report, a directory": {func(_ *testing.T, d *desk) { d.Report = d.dir }, "ディレクトリです"},
		"no database": {func(_ *testing.T, d *desk) {
			d.OpenQueue = func(context.Context) (Queue, func(), error) { return nil, nil, broken }
		}, "権限がありません"},
		"nobody there":           {func(_ *testing.T, d *desk) { d.Yes = false }, "確認を求められません"},
		"the check fails":        {func(_ *testing.T, d *desk) { d.breakQueue(func(q *brokenQueue) { q.check = broken }) }, "権限がありません"},
		"the summary fails":      {func(_ *testing.T, d *desk) { d.breakQueue(func(q *brokenQueue) { q.status = broken }) }, "権限がありません"},
		"the recording fails":    {func(_ *testing.T, d *desk) { d.breakQueue(func(q *brokenQueue) { q.enqueue = broken }) }, "権限がありません"},
		"the report fails":       {func(_ *testing.T, d *desk) { d.breakQueue(func(q *brokenQueue) { q.job = broken }) }, "レポートを書き出せません: jobs.db: 権限がありません"},
		"an interrupted check":   {func(_ *testing.T, d *desk) { d.breakQueue(func(q *brokenQueue) { q.check = context.Canceled }) }, "中断"},
		"a file that is changed": {func(_ *testing.T, d *desk) { d.open = d.changed() }, "検査後にファイルが変更されました"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := newDesk(t, console.Japanese, gateway(t, 1).URL, sales(1))
			c.set(t, d)
			err := d.Do(t.Context())
			require.Error(t, err)
			said := d.stderr.String()
			if _, all := err.(console.ExitStatus); !all { //nolint:errorlint // It is never wrapped.
				said += console.What(err).Ja
			}
			require.Contains(t, said, c.want)
			said = strings.ReplaceAll(said, d.dir, "")
			for _, known := range []string{"jpayment run", "a.csv", "jobs.db", "http"} {
				said = strings.ReplaceAll(said, known, "")
			}
			require.NotRegexp(t, regexp.MustCompile(`[A-Za-z]+ [a-z]+`), said)
		})
	}
}

func (d *desk) rewrite(t *testing.T, file string) {
	t.Helper()
	require.NoError(t, os.WriteFile(d.Path, []byte(file), 0o600))
}

// changed opens a file that changes after it was checked.
func (d *desk) changed() func(string) (io.ReadCloser, error) {
	times := 0
	return func(string) (io.ReadCloser, error) {
		file := sales(1)
		if times++; times > 2 { // once to detect its character set, once to check it
			file = strings.Replace(file, "order", "other", 1)
		}
		return io.NopCloser(strings.NewReader(file)), nil
	}
}

// breakQueue makes the queue fail.
func (d *desk) breakQueue(set func(*brokenQueue)) {
	open := d.OpenQueue
	d.OpenQueue = func(ctx context.Context) (Queue, func(), error) {
		q, closeIt, err := open(ctx)
		broken := &brokenQueue{Queue: q}
		set(broken)
		return broken, closeIt, err
	}
}

type brokenQueue struct {
	Queue
	check, status, enqueue, job error
}

func (q *brokenQueue) Check(ctx context.Context, r fulfilment.Request) (fulfilment.Job, error) {
	if q.check != nil {
		return fulfilment.Job{}, q.check
	}
	return q.Queue.Check(ctx, r)
}

func (q *brokenQueue) Status(ctx context.Context, batch string) (fulfilment.Status, error) {
	if q.status != nil {
		return fulfilment.Status{}, q.status
	}
	return q.Queue.Status(ctx, batch)
}

func (q *brokenQueue) EnqueueAll(ctx context.Context, rs []fulfilment.Request) ([]fulfilment.Job, error) {
	if q.enqueue != nil {
		return nil, q.enqueue
	}
	return q.Queue.EnqueueAll(ctx, rs)
}

func (q *brokenQueue) Job(ctx context.Context, op jpayment.Operation, paymentID string) (fulfilment.Job, error) {
	if q.job != nil {
		return fulfilment.Job{}, q.job
	}
	return q.Queue.Job(ctx, op, paymentID)
}

package monthend

import (
	"context"
	"errors"
	"fmt"

	"github.com/jpayment-go/jpayment/cmd/jpayment/internal/console"
	"github.com/jpayment-go/jpayment/cmd/jpayment/internal/runfile"
	"github.com/jpayment-go/jpayment/fulfilment"
)

// errChanged means that the file is not the one that was checked.
var errChanged = errors.New("the file was changed")

const atOnce = 500 // rows in one transaction

// record enqueues every row.
func (r *Run) record(ctx context.Context) error {
	if r.pausedForGood { // The person confirmed it. A maintenance pause ends automatically.
		if err := r.queue.Resume(ctx); err != nil {
			return err
		}
	}
	line := progress{console: r.Console}
	several, err := r.scratch.several(ctx)
	if err != nil {
		return err
	}
	var (
		requests []fulfilment.Request
		n        int64
		first    int // line of the first request
	)
	enqueue := func(same bool) error {
		if !same {
			return errChanged
		}
		jobs, err := r.queue.EnqueueAll(ctx, requests)
		if err != nil {
			return err
		}
		requests = requests[:0]
		for _, j := range jobs {
			switch {
			case j.Batch == r.batch:
			case j.State.Settled():
				r.settled.add(j.State)
			default:
				if err := r.scratch.known(ctx, j); err != nil {
					return err
				}
			}
		}
		line.show(fmt.Sprintf(r.Console.Lang.In("recording %s of %s", "記録中 %s/%s件"), console.Grouped(n), console.Grouped(r.rows)))
		return nil
	}
	err = r.read(func(reader *runfile.Reader, row runfile.Row, faults []runfile.Fault) error {
		switch {
		case row.Line == 0:
			return enqueue(reader.Sum() == r.sum)
		case len(faults) > 0:
			return errChanged
		}
		if len(requests) == 0 {
			first = row.Line
		}
		request := r.request(row)
		if several {
			var err error
			if request, err = r.inOrder(ctx, row, first); err != nil {
				return err
			}
		}
		requests = append(requests, request.InBatch(r.batch))
		if n++; n%atOnce != 0 {
			return nil
		}
		same, err := r.scratch.marked(ctx, n, reader.Sum())
		if err != nil {
			return err
		}
		return enqueue(same)
	})
	line.clear()
	switch {
	case errors.Is(err, errChanged):
		return console.Failedf("%s: the file was changed after it was checked; nothing was sent, run it again", "%s: 検査後にファイルが変更されました。何も送信していません。もう一度実行してください", r.Path)
	case err != nil && ctx.Err() != nil:
		return console.Failedf("interrupted before anything was sent; the same command continues", "送信前に中断しました。同じコマンドで続行できます")
	default:
		return err
	}
}

// inOrder returns the request of a row. It comes after the row above it on the same
// payment, even if that row was recorded in an earlier transaction and has been refused
// since.
func (r *Run) inOrder(ctx context.Context, row runfile.Row, first int) (fulfilment.Request, error) {
	op, line, err := r.scratch.above(ctx, row.Payment, row.Line)
	if err != nil || line == 0 || line >= first { // EnqueueAll keeps the order of its list.
		return r.request(row), err
	}
	j, err := r.queue.Job(ctx, op, row.Payment)
	return r.asked(row).After(j).InTurn(), err
}

package monthend

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"runtime"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/jpayment-go/jpayment/cmd/jpayment/internal/console"
	"github.com/jpayment-go/jpayment/fulfilment"
)

// The check keeps no row in memory: a million rows take no more than ten thousand.
func TestMemoryDoesNotGrowWithTheFile(t *testing.T) {
	rows := 1_000_000
	if raceDetector {
		rows /= 10 // It makes the check ten times slower.
	}
	small, large := heapOfCheck(t, rows/100), heapOfCheck(t, rows)
	t.Logf("high-water of the live heap: %d KiB for %d rows, %d KiB for %d", small>>10, rows/100, large>>10, rows)
	require.Less(t, large, small+2<<20)
}

// heapOfCheck returns the maximum of the live heap.
func heapOfCheck(t *testing.T, rows int) (most uint64) {
	t.Helper()
	r := &Run{Console: console.Console{Stderr: io.Discard}, queue: unknownQueue{}, open: func(string) (io.ReadCloser, error) {
		return io.NopCloser(&generated{rows: rows, every: rows / 20, sample: func() {
			runtime.GC()
			var m runtime.MemStats
			runtime.ReadMemStats(&m)
			most = max(most, m.HeapAlloc)
		}}), nil
	}}
	var err error
	r.scratch, err = newScratch(t.Context())
	require.NoError(t, err)
	defer r.scratch.close()
	require.NoError(t, r.check(t.Context()))
	require.EqualValues(t, rows, r.rows)
	return most
}

// unknownQueue has no jobs.
type unknownQueue struct{ Queue }

func (unknownQueue) Check(context.Context, fulfilment.Request) (fulfilment.Job, error) {
	return fulfilment.Job{}, nil
}

// generated is a file that exists only while it is read.
type generated struct {
	rows, row, every int
	sample           func()
	rest             bytes.Buffer
}

func (g *generated) Read(b []byte) (int, error) {
	for g.rest.Len() < len(b) && g.row < g.rows {
		if g.row == 0 {
			g.rest.WriteString("operation,payment,reference\n")
		}
		fmt.Fprintf(&g.rest, "sales,%d,order-%d\n", 10_000_000+g.row*7919%g.rows, g.row)
		g.row++
		if g.row%g.every == 0 {
			g.sample()
		}
	}
	return g.rest.Read(b)
}

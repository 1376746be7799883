package cli

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/jpayment-go/jpayment"
	"github.com/jpayment-go/jpayment/fulfilment"
	"github.com/jpayment-go/jpayment/jpaymenttest"
)

// A machine's clock that is set ahead or back, while a worker runs or before it starts,
// delays nothing, and nothing is carried out twice.
func TestClockThatIsSet(t *testing.T) {
	t.Parallel()
	command := binary(t)
	databases(t, func(t *testing.T, flags []string) {
		const some = 6
		g, dir := jpaymenttest.NewServer(t), t.TempDir()
		clock := filepath.Join(dir, "clock")
		set := func(by string) { require.NoError(t, os.WriteFile(clock, []byte(by+"\n"), 0o600)) }
		s := settings{store: "123456", database: jpayment.NewSecret(flags[1])}
		if len(flags) > 2 {
			s.schema = flags[3]
		}
		q, closeQueue, err := openQueue(t.Context(), s, fulfilment.Config{}, toWork)
		require.NoError(t, err)
		t.Cleanup(closeQueue)
		enqueue := func() {
			var all []fulfilment.Request
			for range some {
				id := g.Authorize(purchase)
				all = append(all, fulfilment.Sales("order-"+id, jpayment.SalesRequest{PaymentID: id}))
			}
			_, err := q.EnqueueAll(t.Context(), all)
			require.NoError(t, err)
		}
		start := func() (kill func()) {
			ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
			cmd := exec.CommandContext(ctx, command, append([]string{
				"work", "--store", "123456", "--url", g.URL, "--timeout", "3s", "--rate", "100", "--test-clock", clock,
			}, flags...)...)
			cmd.Env = append(os.Environ(), "HOME="+dir, "XDG_CONFIG_HOME="+dir, "XDG_STATE_HOME="+dir)
			var log strings.Builder
			cmd.Stderr = &log
			require.NoError(t, cmd.Start())
			kill = func() { cancel(); _ = cmd.Wait() }
			t.Cleanup(func() {
				kill()
				if t.Failed() {
					t.Log(log.String())
				}
			})
			return kill
		}
		done := func(n int64) {
			t.Helper()
			require.Eventually(t, func() bool {
				st, err := q.Status(t.Context(), "")
				return err == nil && st.Done == n
			}, time.Minute, 20*time.Millisecond)
		}

		// A job that a worker with a clock an hour ahead postpones because of congestion
		// does not wait an hour once that worker is gone.
		g.Fail(jpaymenttest.Fault{Kind: jpaymenttest.AnswerCode, Code: "ER010"})
		enqueue()
		set("1h")
		kill := start()
		require.Eventually(t, func() bool {
			st, err := q.Status(t.Context(), "")
			return err == nil && len(g.Requests()) >= some && st.Waiting == some
		}, time.Minute, 20*time.Millisecond)
		kill()
		g.ClearFaults()
		set("0s")
		kill = start()
		done(some)

		// The clock is set back and ahead while it runs.
		for i, by := range []string{"-26h", "26h"} {
			set(by)
			enqueue()
			done(some * int64(i+2))
		}
		kill()

		// It starts with a clock that is behind.
		set("-1h")
		enqueue()
		kill = start()
		done(4 * some)
		kill()

		for _, p := range g.Payments() {
			require.Len(t, p.History, 2, "%v", p.ID) // the authorisation and the capture
			require.Equal(t, jpaymenttest.Captured, p.State)
		}
	})
}

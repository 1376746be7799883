package cli

import (
	"context"
	"encoding/csv"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/jpayment-go/jpayment/cmd/jpayment/internal/console"
	"github.com/jpayment-go/jpayment/jpaymenttest"
)

// binary builds the command as it is shipped.
func binary(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "jpayment.exe")
	out, err := exec.CommandContext(t.Context(), "go", "build", "-o", path, "../..").CombinedOutput()
	require.NoError(t, err, "%s", out)
	return path
}

var schemas atomic.Int64

// databases runs a test on each database. For Postgres, the flags name a schema of the
// test's own.
func databases(t *testing.T, f func(t *testing.T, flags []string)) {
	t.Run("SQLite", func(t *testing.T) {
		t.Parallel()
		f(t, []string{"--database", filepath.Join(t.TempDir(), "jobs.db")})
	})
	t.Run("Postgres", func(t *testing.T) {
		t.Parallel()
		server := os.Getenv("JPAYMENT_TEST_POSTGRES")
		if server == "" {
			t.Skip(`no Postgres: set JPAYMENT_TEST_POSTGRES to a URL, for instance by eval "$(.ci/postgres start)"`)
		}
		schema := fmt.Sprintf("cli_%d_%d", os.Getpid(), schemas.Add(1))
		t.Cleanup(func() {
			ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
			defer cancel()
			conn, err := pgx.Connect(ctx, server)
			require.NoError(t, err)
			defer conn.Close(ctx)
			_, err = conn.Exec(ctx, "DROP SCHEMA IF EXISTS "+schema+" CASCADE")
			require.NoError(t, err)
		})
		f(t, []string{"--database", server, "--schema", schema})
	})
}

// verdictsIn reads the report of a run, without its header.
func verdictsIn(t *testing.T, path string) [][]string {
	t.Helper()
	b, err := os.ReadFile(path)
	require.NoError(t, err)
	all, err := csv.NewReader(strings.NewReader(strings.TrimPrefix(string(b), "\ufeff"))).ReadAll()
	require.NoError(t, err)
	require.Equal(t, []string{"line", "operation", "payment", "reference", "state", "reason", "code", "new payment", "attempts", "next"}, all[0])
	return all[1:]
}

// A run that is killed again and again continues where it stopped. In the end, its report
// agrees with the books of the gateway, and nothing is carried out twice.
func TestKilledRunGoesOn(t *testing.T) {
	t.Parallel()
	command := binary(t)
	databases(t, func(t *testing.T, flags []string) {
		const rows, kills, concurrency = 240, 4, 6
		g := jpaymenttest.NewServer(t)
		g.Fail(jpaymenttest.Fault{Kind: jpaymenttest.DelayReply, Delay: 20 * time.Millisecond}) // so that a kill hits calls in progress
		var file strings.Builder
		file.WriteString("operation,payment,amount,tax,shipping,reference\n")
		for i := range rows {
			id := g.Authorize(purchase)
			row := "sales,%s,,,,order-%d\n"
			switch i % 4 {
			case 1:
				row = "cancel,%s,,,,order-%d\n"
			case 2:
				row = "reauth,%s,900,72,500,order-%d\n"
			}
			fmt.Fprintf(&file, row, id, i)
		}
		dir := t.TempDir()
		path := filepath.Join(dir, "month-end.csv")
		require.NoError(t, os.WriteFile(path, []byte(file.String()), 0o600))
		run := func(ctx context.Context) *exec.Cmd {
			cmd := exec.CommandContext(ctx, command, append([]string{
				"run", path, "--yes", "--lang", "en", "--store", "123456", "--url", g.URL,
				"--timeout", "3s", "--rate", "100", "--concurrency", fmt.Sprint(concurrency),
			}, flags...)...)
			cmd.Env = append(os.Environ(), "HOME="+dir, "XDG_CONFIG_HOME="+dir, "TMPDIR="+dir)
			return cmd
		}
		for kill := range kills {
			cmd := run(t.Context())
			require.NoError(t, cmd.Start())
			ended := make(chan error, 1)
			go func() { ended <- cmd.Wait() }()
			enough := rows * (kill + 1) / (kills + 2)
			require.Eventually(t, func() bool { return len(g.Requests()) >= enough || len(ended) > 0 }, time.Minute, 5*time.Millisecond)
			require.Empty(t, ended, "it ended before it was killed")
			require.NoError(t, cmd.Process.Kill())
			require.ErrorContains(t, <-ended, "killed")
			require.NoFileExists(t, strings.TrimSuffix(path, ".csv")+".report.csv")
		}
		sent := len(g.Requests())
		require.Less(t, sent, rows)
		out, err := run(t.Context()).CombinedOutput()
		t.Logf("%d requests before the last run, %d after it\n%s", sent, len(g.Requests()), out)
		status := 0
		if err != nil {
			var exit *exec.ExitError
			require.ErrorAs(t, err, &exit)
			status = exit.ExitCode()
		}

		requests := map[string]int{}
		for _, r := range g.Requests() {
			requests[r.PaymentID]++
		}
		verdicts := verdictsIn(t, strings.TrimSuffix(path, ".csv")+".report.csv")
		require.Len(t, verdicts, rows)
		review := 0
		for _, v := range verdicts {
			operation, id, state, made := v[1], v[2], v[4], v[7]
			p, found := g.Payment(id)
			require.True(t, found)
			booked := len(p.History) - 1 // besides the authorisation
			require.LessOrEqual(t, booked, 1, "carried out twice: %v", p)
			switch state {
			case "done":
				want := map[string]jpaymenttest.State{"sales": jpaymenttest.Captured, "cancel": jpaymenttest.Cancelled, "reauth": jpaymenttest.Cancelled}[operation]
				require.Equal(t, want, p.State, "the report says done: %v", v)
			case "in review":
				review++
			default:
				require.Fail(t, "neither done nor to be reviewed", "%v", v)
			}
			if operation == "reauth" {
				require.LessOrEqual(t, requests[id], 1, "a re-authorisation is sent twice")
				if state == "done" {
					require.Equal(t, 1, requests[id])
					q, found := g.Payment(made)
					require.True(t, found)
					require.Equal(t, jpaymenttest.Authorized, q.State)
				}
			}
		}
		require.LessOrEqual(t, review, kills*concurrency, "no more than were on their way")
		require.Positive(t, review, "no kill met a call on its way: the test shows nothing")
		require.Equal(t, console.Unknown, status)

		// Another run sends nothing.
		sent = len(g.Requests())
		require.ErrorContains(t, run(t.Context()).Run(), "exit status 3")
		require.Len(t, g.Requests(), sent)
	})
}

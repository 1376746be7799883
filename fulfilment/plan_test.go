package fulfilment

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/jpayment-go/jpayment"
)

// explainer makes SQLite explain each statement before it is run.
type explainer struct {
	session
	t     *testing.T
	plans map[string]string
}

func (e explainer) explain(ctx context.Context, statement string, args []any) {
	plan, err := collect(ctx, e.session, func(rs rows) (line string, err error) {
		var id, parent, unused int64
		err = rs.Scan(&id, &parent, &unused, &line)
		return line, err
	}, "EXPLAIN QUERY PLAN "+statement, args...)
	require.NoError(e.t, err, statement)
	e.plans[statement] = strings.Join(plan, "\n")
}

func (e explainer) exec(ctx context.Context, statement string, args ...any) (int64, error) {
	e.explain(ctx, statement, args)
	return e.session.exec(ctx, statement, args...)
}

func (e explainer) query(ctx context.Context, statement string, args ...any) (rows, error) {
	e.explain(ctx, statement, args)
	return e.session.query(ctx, statement, args...)
}

// No statement of a worker scans all jobs, so the cost of one job does not grow with their
// number.
func TestStatementsUseIndexes(t *testing.T) {
	s := newSite(t, onSQLite(t), Config{})
	j := s.enqueue(jpayment.OpSales)
	e := explainer{s.db.session(), t, map[string]string{}}
	st, ctx, now := store{e, testStore}, t.Context(), time.Now()
	r, err := st.lockJob(ctx, j.ID)
	require.NoError(t, err)
	r.Attempts = 3
	for _, err := range []error{
		second(st.lockJobs(ctx, []int64{j.ID, 4711})),
		second(st.lockJobsOf(ctx, j.Operation, j.PaymentID)),
		second(st.lockFollowers(ctx, []int64{j.ID})),
		second(st.jobsOf(ctx, j.PaymentID, "1")),
		second(st.reauthorisedAs(ctx, "1", "2")),
		second(st.job(ctx, j.Operation, j.PaymentID)),
		second(st.unknownAttempts(ctx, []record{r}, 0)),
		second(st.overdueJobs(ctx, now, 0)),
		second(st.dueJobs(ctx, now, 10)),
		second(st.postdatedJobs(ctx, now)),
		second(st.nextDue(ctx, "")),
		second(st.nextDue(ctx, "x")),
		second(st.countJobs(ctx, "")),
		second(st.countJobs(ctx, "x")),
		second(st.countDisputed(ctx, "")),
		st.insertAttempts(ctx, []jobAttempt{{jobID: j.ID, Attempt: Attempt{Number: 1}}}),
		st.endAttempts(ctx, []jobAttempt{{jobID: j.ID, Attempt: Attempt{Number: 1}}}),
		st.updateJobs(ctx, []record{r}),
		st.insertChanges(ctx, []record{r}, false),
		second(st.changes(ctx, 0)),
		st.number(ctx),
	} {
		require.NoError(t, err)
	}
	for statement, plan := range e.plans {
		for line := range strings.SplitSeq(plan, "\n") {
			_, table, scan := strings.Cut(line, "SCAN ")
			if scan && !strings.HasPrefix(table, "json_each") && table != "of_payment" && table != "jpayment_version" && !strings.HasPrefix(table, "(subquery") {
				require.Fail(t, "it looks through all of them", "%s\n%s", statement, plan)
			}
			if strings.Contains(statement, "rows_of") && strings.Contains(line, "jpayment_job_") && strings.Contains(line, "(store_id=?)") {
				require.Fail(t, "it looks through all of the store's", "%s\n%s", statement, plan)
			}
		}
	}
}

func second[T any](_ T, err error) error { return err }

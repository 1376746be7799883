package desk_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/jpayment-go/jpayment"
	"github.com/jpayment-go/jpayment/cmd/jpayment/internal/desk"
	"github.com/jpayment-go/jpayment/fulfilment"
)

// busyNow is the current time of the store in screenshots.
var busyNow = time.Date(2026, 11, 30, 12, 34, 56, 0, time.UTC)

// pictured is a queue with given jobs, for screenshots of a busy day.
type pictured struct {
	desk.Queue
	jobs     []fulfilment.Job
	attempts map[int64][]fulfilment.Attempt
	decided  map[int64][]fulfilment.Decision
	pause    *fulfilment.Pause
}

func (p *pictured) Decisions(_ context.Context, id int64) ([]fulfilment.Decision, error) {
	return p.decided[id], nil
}

func (p *pictured) Jobs(_ context.Context, f fulfilment.Filter) (found []fulfilment.Job, _ error) {
	from := min(max(int(f.AfterID), 0), len(p.jobs)) // Numbers begin at 1.
	for _, j := range p.jobs[from:] {
		person := j.State == fulfilment.StateReview || !j.DisputedAt.IsZero()
		if (f.State == "" || j.State == f.State) && (!f.ForPerson || person) && (f.Batch == "" || j.Batch == f.Batch) && len(found) < f.Limit {
			found = append(found, j)
		}
	}
	return found, nil
}

func (p *pictured) Attempts(_ context.Context, id int64) ([]fulfilment.Attempt, error) {
	return p.attempts[id], nil
}

func (p *pictured) Status(_ context.Context, batch string) (st fulfilment.Status, _ error) {
	counts := map[fulfilment.State]*int64{
		fulfilment.StateWaiting: &st.Waiting, fulfilment.StateRunning: &st.Running, fulfilment.StateAwaiting: &st.Awaiting,
		fulfilment.StateDone: &st.Done, fulfilment.StateRefused: &st.Refused, fulfilment.StateReview: &st.Review,
	}
	for _, j := range p.jobs {
		if batch == "" || j.Batch == batch {
			*counts[j.State]++
			if !j.DisputedAt.IsZero() {
				st.Disputed++
			}
		}
	}
	st.Paused = p.pause
	return st, nil
}

// busyStore is a store with ten thousand jobs in three runs, some of them in review.
func busyStore(t *testing.T) *pictured {
	t.Helper()
	p := &pictured{attempts: map[int64][]fulfilment.Attempt{}, pause: &fulfilment.Pause{
		At: busyNow.Add(-20 * time.Minute), Until: busyNow.Add(2 * time.Hour), Why: jpayment.Text{En: "佐藤: 金額の確認", Ja: "佐藤: 金額の確認"},
	}}
	runs := []struct {
		name string
		at   time.Duration
		n    int
	}{{"run-0d4e7a61c2f9", -21 * time.Hour, 2600}, {"run-5f1c2a9b03d7", -9 * time.Hour, 4400}, {"run-a3b0c95518fe", -3 * time.Hour, 3000}}
	for _, r := range runs {
		for i := range r.n {
			id := int64(len(p.jobs) + 1)
			at := busyNow.Add(r.at + time.Duration(i)*3*time.Second)
			j := fulfilment.Job{
				ID: id, StoreID: "123456", Operation: jpayment.OpSales, PaymentID: fmt.Sprint(10_000_000 + id), Reference: fmt.Sprint("注文-", 88_000+id),
				Batch: r.name, State: fulfilment.StateDone, Attempts: 1, CreatedAt: busyNow.Add(r.at), UpdatedAt: at,
			}
			switch {
			case i%97 == 13:
				j.State, j.Reason, j.Code = fulfilment.StateRefused, fulfilment.ReasonCode, "ER032"
			case i%7 == 3:
				j.Operation, j.Amount, j.Tax, j.Shipping = jpayment.OpReAuth, 12_345_600, 1_234_560, 800
				j.NewPaymentID = fmt.Sprint(20_000_000 + id)
			case i%11 == 5:
				j.Operation = jpayment.OpCancel
			}
			if i%800 == 13 {
				j.State, j.Reason, j.DecidedBy = fulfilment.StateRefused, fulfilment.ReasonDecided, "佐藤"
			}
			if r.at == -3*time.Hour && i > 2600 && i < 2985 {
				j.State, j.Reason, j.Code, j.Attempts, j.UpdatedAt, j.NewPaymentID = fulfilment.StateWaiting, "", "", 0, busyNow.Add(r.at), ""
			}
			if i >= r.n-15 && i%3 == 0 || i%1200 == 700 {
				j.State, j.Reason, j.Code, j.NewPaymentID, j.Attempts = fulfilment.StateReview, fulfilment.ReasonUnanswered, "", "", 3
				if i%2 == 0 {
					j.Reason, j.Code = fulfilment.ReasonReplayRefused, "ER032"
				}
				what := jpayment.Text{En: "the gateway did not answer in time", Ja: "時間内に応答がありませんでした"}
				for n := range 3 {
					p.attempts[id] = append(p.attempts[id], fulfilment.Attempt{
						Number: n + 1, Worker: "worker-1", StartedAt: at.Add(time.Duration(n-3) * time.Minute), EndedAt: at.Add(time.Duration(n-2) * time.Minute), What: what,
					})
				}
			}
			p.jobs = append(p.jobs, j)
		}
	}
	// A re-authorisation that was decided twice and is disputed, and a job that follows another.
	d := &p.jobs[9989]
	d.Operation, d.State, d.Reason, d.Code, d.DecidedBy = jpayment.OpReAuth, fulfilment.StateDone, fulfilment.ReasonDecided, "", "田中"
	d.Amount, d.Tax, d.Shipping, d.NewPaymentID, d.After = 12_345_600, 1_234_560, 800, "20009990", 9988
	d.Dispute = jpayment.Text{En: "a kickback tells of the new payment 20009991", Ja: "決済結果通知に、新しい決済 20009991 とあります"}
	d.DisputedAt = d.UpdatedAt.Add(time.Hour)
	p.decided = map[int64][]fulfilment.Decision{d.ID: {
		{State: fulfilment.StateRefused, By: "佐藤", Note: jpayment.NewSecret("21時の時点では、管理画面に新しい決済がないことを確認"), At: d.UpdatedAt.Add(-time.Hour)},
		{State: fulfilment.StateDone, NewPaymentID: "20009990", By: "田中", Note: jpayment.NewSecret("翌朝に新しい決済を確認"), At: d.UpdatedAt},
	}}
	j := &p.jobs[9992]
	j.Operation, j.State, j.Reason, j.Code, j.Attempts = jpayment.OpReAuth, fulfilment.StateReview, fulfilment.ReasonUnanswered, "", 1
	j.Amount, j.Tax, j.Shipping, j.NewPaymentID = 12_345_600, 1_234_560, 800, ""
	p.attempts[j.ID] = []fulfilment.Attempt{{
		Number: 1, Worker: "worker-1", StartedAt: j.UpdatedAt.Add(-time.Minute), EndedAt: j.UpdatedAt,
		What: jpayment.Text{En: "the gateway did not answer in time", Ja: "時間内に応答がありませんでした"},
	}}
	return p
}

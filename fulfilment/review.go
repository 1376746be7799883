package fulfilment

import (
	"context"
	"fmt"
	"log/slog"
	"strings"

	"github.com/jpayment-go/jpayment"
)

// Decision is what a person found out about a job.
type Decision struct {
	// State is StateDone if the control panel shows that it was carried out, StateRefused
	// if it was not and is not to be, StateWaiting if it was not and is to be sent again.
	State State
	// NewPaymentID is the payment that a re-authorisation made, if it is done.
	NewPaymentID string
	By           string // who decided: 1 to 200 bytes
	Note         string // at most 200 bytes
}

// Review records a person's decision on a job that needs review, or that awaits its
// kickback, and returns the job. A waiting job that nobody has ever sent can be
// withdrawn by a decision for StateRefused, and a refused one be sent again, when its
// reason has passed, by one for StateWaiting.
func (q *Queue[TTx]) Review(ctx context.Context, jobID int64, d Decision) (Job, error) {
	var r record
	err := q.db.transact(ctx, func(tx TTx) (err error) {
		if r, err = q.in(tx).lockJob(ctx, jobID); err != nil {
			return err
		}
		if err := d.check(r); err != nil {
			return err
		}
		if d.State == StateWaiting && r.forgotten {
			return fmt.Errorf("fulfilment: the private data of job %d are erased, so it cannot be sent again", r.ID)
		}
		r = r.decided(d, q.moment())
		return q.write(ctx, tx, r)
	})
	if err != nil {
		return Job{}, err
	}
	q.log.LogAttrs(ctx, slog.LevelInfo, "fulfilment: reviewed", slog.Any("job", r.Job), slog.String("by", d.By))
	return r.Job, nil
}

func (d Decision) check(r record) error {
	var faults []jpayment.Fault
	add := func(field, reason string) {
		if reason != "" {
			faults = append(faults, jpayment.Fault{Field: field, Reason: reason})
		}
	}
	if !r.mayDecide(d.State) {
		add("Job", fmt.Sprintf("is %s; a decision is for one that needs review or awaits its kickback, and a refused one can be sent again", r.State))
	}
	if d.State != StateDone && d.State != StateRefused && d.State != StateWaiting {
		add("State", "is neither done nor refused nor waiting")
	}
	switch wanted := r.Operation == jpayment.OpReAuth && d.State == StateDone; {
	case wanted && (d.NewPaymentID == "" || strings.Trim(d.NewPaymentID, "0123456789") != "" || d.NewPaymentID == r.PaymentID):
		add("NewPaymentID", "is not the number of the payment that the re-authorisation made")
	case !wanted && d.NewPaymentID != "":
		add("NewPaymentID", "is given although no payment was made")
	}
	if d.By == "" {
		add("By", "is empty")
	}
	add("By", nameReason(d.By))
	add("Note", nameReason(d.Note))
	if len(faults) == 0 {
		return nil
	}
	return &jpayment.ValidationError{Call: jpayment.Call{Operation: "Review of " + r.Operation, PaymentID: r.PaymentID}, Faults: faults}
}

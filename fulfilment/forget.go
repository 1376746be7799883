package fulfilment

import (
	"context"
	"time"

	"github.com/jpayment-go/jpayment"
)

// Forget erases the private data of the jobs that were settled before a time, in review
// not included: e-mail addresses, telephone numbers, other data, approval codes, issued
// IDs and passwords, and what persons noted. The verdicts stay. It returns how many jobs
// it changed. A copy of the database made before still has them.
func (q *Queue[TTx]) Forget(ctx context.Context, before time.Time) (forgotten int64, err error) {
	const batch = 500 // Between batches workers get their turn.
	for {
		var n int64
		err := q.db.transact(ctx, func(tx TTx) error {
			s := q.in(tx)
			all, err := s.lockForgettable(ctx, before, batch)
			if err != nil {
				return err
			}
			for _, k := range all {
				if k.result, err = forget(k.result); err != nil {
					return err
				}
				if err := s.forgetJob(ctx, k); err != nil {
					return err
				}
			}
			n = int64(len(all))
			return nil
		})
		if err != nil {
			return forgotten, err
		}
		if forgotten += n; n < batch {
			return forgotten, nil
		}
	}
}

// forget returns a stored result without what is private in it.
func forget(result string) (string, error) {
	r, err := unmarshalResult(result)
	if r == nil || err != nil {
		return "", err
	}
	r.ApprovalCode, r.IssuedID, r.IssuedPassword, r.Other = jpayment.Secret{}, jpayment.Secret{}, jpayment.Secret{}, jpayment.Secret{}
	r.Extra = jpayment.Extra{}
	return marshalResult(r)
}

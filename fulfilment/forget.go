package fulfilment

import (
	"context"
	"errors"
	"time"

	"github.com/jpayment-go/jpayment"
)

// Forget erases the private data of the jobs that were settled before a time, in review
// not included: e-mail addresses, telephone numbers, other data, approval codes, issued
// IDs and passwords, and what persons noted. The verdicts stay. It returns how many jobs
// it changed. A result that cannot be read is left, and the error names its job. On SQLite
// the write-ahead log is emptied, in which they stand as well; the error says so where another
// process keeps it. A copy of the database made before still has them, and so have Postgres's
// own log and dead rows until it is vacuumed.
func (q *Queue[TTx]) Forget(ctx context.Context, before time.Time) (forgotten int64, err error) {
	const batch = 500 // Between batches workers get their turn.
	var (
		after      int64
		unreadable []error
	)
	for {
		var all []kept
		var faults []error
		err := q.transact(ctx, recording, 0, func(tx TTx) (err error) {
			s := q.in(tx)
			faults = nil
			if all, err = s.lockForgettable(ctx, before, after, batch); err != nil {
				return err
			}
			for _, k := range all {
				if k.result, err = forget(k); err != nil {
					faults = append(faults, err)
					continue
				}
				if err := s.forgetJob(ctx, k); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return forgotten, errors.Join(append(unreadable, err)...)
		}
		for _, err := range faults {
			q.fails(ctx, recording, 0, err)
		}
		unreadable = append(unreadable, faults...)
		forgotten += int64(len(all) - len(faults))
		if len(all) < batch {
			err := q.did(ctx, recording, 0, q.db.overwrite(ctx))
			return forgotten, errors.Join(append(unreadable, err)...)
		}
		after = all[len(all)-1].id
	}
}

// forget returns a stored result without what is private in it.
func forget(k kept) (string, error) {
	r, err := unmarshalResult(k.id, k.result)
	if r == nil || err != nil {
		return "", err
	}
	r.ApprovalCode, r.IssuedID, r.IssuedPassword, r.Other = jpayment.Secret{}, jpayment.Secret{}, jpayment.Secret{}, jpayment.Secret{}
	r.Extra = jpayment.Extra{}
	return marshalResult(r)
}

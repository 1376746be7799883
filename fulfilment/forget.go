package fulfilment

import (
	"context"
	"errors"
	"time"

	"github.com/jpayment-go/jpayment"
)

// Forget erases the private data of the jobs that were done or refused before a time, and
// returns the number of jobs that it changed. It erases e-mail addresses, telephone numbers,
// other data, approval codes, issued IDs and passwords, and notes of decisions. The verdicts
// stay.
//
// If a result cannot be read, Forget leaves it, and the error names its job. In SQLite it also
// empties the write-ahead log, which holds the erased data as well; if another process is
// using the log, the error says so.
//
// Backups keep the data. So do Postgres's own log, and its dead rows until a vacuum.
func (q *Queue[TTx]) Forget(ctx context.Context, before time.Time) (forgotten int64, err error) {
	const batch = 500 // Workers proceed between batches.
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

// forget returns a stored result without its private data.
func forget(k kept) (string, error) {
	r, err := unmarshalResult(k.id, k.result)
	if r == nil || err != nil {
		return "", err
	}
	r.ApprovalCode, r.IssuedID, r.IssuedPassword, r.Other = jpayment.Secret{}, jpayment.Secret{}, jpayment.Secret{}, jpayment.Secret{}
	r.Extra = jpayment.Extra{}
	return marshalResult(r)
}

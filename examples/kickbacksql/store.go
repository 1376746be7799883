// Package kickbacksql shows how to receive kickbacks so that a repetition does no harm: the
// callback is one SQL transaction that first inserts the kickback under a unique key. A
// repetition, even a concurrent one, inserts nothing, changes nothing, and is answered OK,
// so that the gateway counts it as delivered.
//
// It works with any database/sql driver whose database supports ON CONFLICT, such as SQLite
// and PostgreSQL. The test uses an embedded SQLite.
package kickbacksql

import (
	"context"
	"database/sql"

	"github.com/jpayment-go/jpayment"
)

// Schema creates the two tables of the example. The kickback of a decline may not name a new
// payment (docs/protocol.md, assumption 61), so the key includes the payment to be replaced.
const Schema = `
CREATE TABLE IF NOT EXISTS kickbacks (
	original_payment_id TEXT    NOT NULL,
	payment_id          TEXT    NOT NULL, -- gid
	status              INTEGER NOT NULL, -- rst
	code                TEXT    NOT NULL, -- ec
	UNIQUE (original_payment_id, payment_id, status)
);
CREATE TABLE IF NOT EXISTS orders (
	payment_id TEXT NOT NULL PRIMARY KEY,
	total      INTEGER NOT NULL, -- yen
	state      TEXT NOT NULL
);`

// Store records kickbacks in a database.
type Store struct{ DB *sql.DB }

// Take is a callback for jpayment.NewKickbackHandler. If it returns an error, the database is
// unchanged, and the gateway does not count the kickback as delivered.
func (s Store) Take(ctx context.Context, k *jpayment.Kickback) error {
	tx, err := s.DB.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback() //nolint:errcheck // After a commit there is nothing to roll back.
	inserted, err := tx.ExecContext(ctx,
		`INSERT INTO kickbacks (original_payment_id, payment_id, status, code) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING`,
		k.Request.PaymentID, k.PaymentID, int(k.Status), string(k.Code))
	if err != nil {
		return err
	}
	if n, err := inserted.RowsAffected(); err != nil || n == 0 {
		return err // nil for a repetition
	}
	// Do the work once per kickback, in the same transaction.
	if k.Status == jpayment.StatusSucceeded {
		_, err = tx.ExecContext(ctx, `UPDATE orders SET payment_id = $1, total = $2, state = 'authorised' WHERE payment_id = $3`,
			k.PaymentID, k.Request.Amount+k.Request.Tax+k.Request.Shipping, k.Request.PaymentID)
	} else {
		// Whether the original survives a decline is not documented, so a person must look.
		_, err = tx.ExecContext(ctx, `UPDATE orders SET state = 'look it up' WHERE payment_id = $1`, k.Request.PaymentID)
	}
	if err != nil {
		return err
	}
	return tx.Commit()
}

// Package kickbacksql shows how a merchant takes kickbacks so that a repetition does no
// harm: the callback is one SQL transaction that first inserts the kickback under a
// unique key. Whoever comes second, be it at the same moment, inserts nothing and does
// nothing, and is told OK so that the gateway stops sending.
//
// It is written for any database/sql driver whose database knows ON CONFLICT, such as
// SQLite and PostgreSQL; the test runs it on an embedded SQLite.
package kickbacksql

import (
	"context"
	"database/sql"

	"github.com/jpayment-go/jpayment"
)

// Schema has the two tables of the example. The kickback of a decline may not name a new
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

// Store takes kickbacks into a database.
type Store struct{ DB *sql.DB }

// Take is a callback for jpayment.NewKickbackHandler. An error leaves the database as it
// was, and makes the gateway send the kickback again.
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
		return err // nil for one that was here before
	}
	// What is to happen once per kickback, in the same transaction.
	if k.Status == jpayment.StatusSucceeded {
		_, err = tx.ExecContext(ctx, `UPDATE orders SET payment_id = $1, total = $2, state = 'authorised' WHERE payment_id = $3`,
			k.PaymentID, k.Request.Amount+k.Request.Tax+k.Request.Shipping, k.Request.PaymentID)
	} else {
		// Whether the original survives a decline is not documented: a person looks.
		_, err = tx.ExecContext(ctx, `UPDATE orders SET state = 'look it up' WHERE payment_id = $1`, k.Request.PaymentID)
	}
	if err != nil {
		return err
	}
	return tx.Commit()
}

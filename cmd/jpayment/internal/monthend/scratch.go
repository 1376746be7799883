package monthend

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"errors"
	"os"
	"path/filepath"

	"github.com/jpayment-go/jpayment"
	"github.com/jpayment-go/jpayment/fulfilment"
)

// scratch keeps data about each row on disk during a run, so that memory does not grow with
// the file. It holds nothing private, and is removed when the run ends.
type scratch struct {
	dir string
	db  *sql.DB
	tx  *sql.Tx // the only one: nothing is read after a crash

	open    int64 // number of known jobs that are open
	reauths bool  // whether the file has a re-authorisation

	lineOf, lineAbove, addPayment, addMark, getMark, addKnown *sql.Stmt
}

func newScratch(ctx context.Context) (s *scratch, err error) {
	s = &scratch{}
	if s.dir, err = os.MkdirTemp("", "jpayment-"); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			s.close()
		}
	}()
	if s.db, err = fulfilment.OpenSQLite(filepath.Join(s.dir, "rows.db")); err != nil {
		return nil, err
	}
	for _, statement := range []string{"PRAGMA journal_mode = OFF", "PRAGMA synchronous = OFF", "PRAGMA cache_size = -8192"} {
		if _, err = s.db.ExecContext(ctx, statement); err != nil {
			return nil, err
		}
	}
	if s.tx, err = s.db.BeginTx(context.WithoutCancel(ctx), nil); err != nil {
		return nil, err
	}
	if _, err = s.tx.ExecContext(ctx, `
		CREATE TABLE payment (number TEXT, operation TEXT, line INTEGER NOT NULL, PRIMARY KEY (number, operation)) WITHOUT ROWID;
		CREATE TABLE mark (row INTEGER PRIMARY KEY, sum BLOB NOT NULL);
		CREATE TABLE known (id INTEGER PRIMARY KEY, operation TEXT NOT NULL, payment TEXT NOT NULL)`); err != nil {
		return nil, err
	}
	for _, p := range []struct {
		stmt *(*sql.Stmt)
		text string
	}{
		{&s.lineOf, `SELECT line FROM payment WHERE number = ? AND operation = ?`},
		{&s.lineAbove, `SELECT operation, line FROM payment WHERE number = ? AND line < ? ORDER BY line DESC LIMIT 1`},
		{&s.addPayment, `INSERT INTO payment VALUES (?, ?, ?) ON CONFLICT DO NOTHING`},
		{&s.addMark, `INSERT INTO mark VALUES (?, ?)`},
		{&s.getMark, `SELECT sum FROM mark WHERE row = ?`},
		{&s.addKnown, `INSERT INTO known (operation, payment) VALUES (?, ?)`},
	} {
		if *p.stmt, err = s.tx.PrepareContext(ctx, p.text); err != nil {
			return nil, err
		}
	}
	return s, nil
}

// close removes the files. Its errors do not matter.
func (s *scratch) close() {
	if s.tx != nil {
		_ = s.tx.Commit() // Without a journal it cannot be rolled back.
	}
	if s.db != nil {
		_ = s.db.Close()
	}
	_ = os.RemoveAll(s.dir)
}

// seen records a row, and returns the earlier row on the payment that rules it out: one
// with the same operation, or a re-authorisation.
func (s *scratch) seen(ctx context.Context, payment string, op jpayment.Operation, line int) (earlier jpayment.Operation, at int, err error) {
	res, err := s.addPayment.ExecContext(ctx, payment, string(op), line)
	if err != nil {
		return "", 0, err
	}
	n, err := res.RowsAffected()
	if err != nil {
		return "", 0, err
	}
	switch {
	case n == 0:
		earlier = op
	case !s.reauths: // Most files have none.
		s.reauths = op == jpayment.OpReAuth
		return "", 0, nil
	default:
		earlier = jpayment.OpReAuth
	}
	err = s.lineOf.QueryRowContext(ctx, payment, string(earlier)).Scan(&at)
	if errors.Is(err, sql.ErrNoRows) || at == line {
		return "", 0, nil
	}
	return earlier, at, err
}

// several reports whether a payment has more than one row.
func (s *scratch) several(ctx context.Context) (yes bool, err error) {
	err = s.tx.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM payment GROUP BY number HAVING COUNT(*) > 1)`).Scan(&yes)
	return yes, err
}

// above returns the nearest row above a line on the same payment, or line 0 if there is none.
func (s *scratch) above(ctx context.Context, payment string, line int) (op jpayment.Operation, at int, err error) {
	err = s.lineAbove.QueryRowContext(ctx, payment, line).Scan(&op, &at)
	if errors.Is(err, sql.ErrNoRows) {
		return "", 0, nil
	}
	return op, at, err
}

// mark records the checksum of the file up to a row.
func (s *scratch) mark(ctx context.Context, row int64, sum [sha256.Size]byte) error {
	_, err := s.addMark.ExecContext(ctx, row, sum[:])
	return err
}

// marked reports whether the checksum is the one that was recorded.
func (s *scratch) marked(ctx context.Context, row int64, sum [sha256.Size]byte) (bool, error) {
	var noted []byte
	err := s.getMark.QueryRowContext(ctx, row).Scan(&noted)
	if errors.Is(err, sql.ErrNoRows) {
		return false, nil
	}
	return string(noted) == string(sum[:]), err
}

// known records an open job that another file or program enqueued.
func (s *scratch) known(ctx context.Context, j fulfilment.Job) error {
	_, err := s.addKnown.ExecContext(ctx, string(j.Operation), j.PaymentID)
	s.open++
	return err
}

// settleKnown looks these jobs up in order, counts those that are held, and removes those that
// are settled. It stops after a number of open ones, since jobs are sent in order.
func (s *scratch) settleKnown(ctx context.Context, fateOf func(op jpayment.Operation, payment string) (fate, error), nHeld *int64) (nOpen int64, err error) {
	const enough = 100
	for id, waiting := int64(0), 0; waiting < enough; {
		var op, payment string
		err := s.tx.QueryRowContext(ctx, `SELECT id, operation, payment FROM known WHERE id > ? ORDER BY id LIMIT 1`, id).Scan(&id, &op, &payment)
		if errors.Is(err, sql.ErrNoRows) {
			break
		}
		if err != nil {
			return 0, err
		}
		f, err := fateOf(jpayment.Operation(op), payment)
		if err != nil {
			return 0, err
		}
		switch f {
		case open:
			waiting++
			continue
		case held:
			*nHeld++
			continue
		case settled: // It is no longer needed.
		}
		if _, err := s.tx.ExecContext(ctx, `DELETE FROM known WHERE id = ?`, id); err != nil {
			return 0, err
		}
		s.open--
	}
	return s.open, nil
}

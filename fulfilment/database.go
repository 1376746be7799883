package fulfilment

import (
	"context"
	_ "embed" // the tables
	"strings"

	"github.com/riverqueue/river/riverdriver"

	"github.com/jpayment-go/jpayment"
)

// database is what differs between SQLite and Postgres.
type database[TTx any] interface {
	driver() riverdriver.Driver[TTx]
	session() session // outside of a transaction
	in(tx TTx) session
	// transact runs f in a transaction and commits it if f returns nil.
	transact(ctx context.Context, f func(tx TTx) error) error
	// migrating runs f while no other process migrates.
	migrating(ctx context.Context, f func(ctx context.Context) error) error
	// overwrite sees to it that nothing is left of what was erased.
	overwrite(ctx context.Context) error
	schema() string // River's; empty for the default
	tables() string // the statements that make this package's tables
}

// tables are this package's, in the dialect of SQLite.
//
//go:embed tables.sql
var tables string

// session runs the statements of this package, which both databases understand: their
// parameters are $1, $2, … in the order in which they first stand in the text.
type session interface {
	exec(ctx context.Context, statement string, args ...any) (affected int64, err error)
	query(ctx context.Context, statement string, args ...any) (rows, error)
	// forUpdate ends a SELECT whose rows nobody else is to change before the
	// transaction ends.
	forUpdate() string
}

type rows interface {
	Next() bool
	Scan(into ...any) error
	Err() error
	Close()
}

// collect reads all rows.
func collect[T any](ctx context.Context, s session, scan func(rows) (T, error), statement string, args ...any) ([]T, error) {
	rs, err := s.query(ctx, statement, args...)
	if err != nil {
		return nil, withHint(err)
	}
	defer rs.Close()
	var all []T
	for rs.Next() {
		one, err := scan(rs)
		if err != nil {
			return nil, failed(err)
		}
		all = append(all, one)
	}
	return all, withHint(rs.Err())
}

// first reads the first row, if there is one.
func first[T any](ctx context.Context, s session, scan func(rows) (T, error), statement string, args ...any) (one T, found bool, err error) {
	all, err := collect(ctx, s, scan, statement, args...)
	if err != nil || len(all) == 0 {
		return one, false, err
	}
	return all[0], true, nil
}

// change runs a statement and reports whether it changed anything.
func change(ctx context.Context, s session, statement string, args ...any) (changed bool, err error) {
	n, err := s.exec(ctx, statement, args...)
	return n > 0, withHint(err)
}

// mustChange runs a statement that has something to change.
func mustChange(ctx context.Context, s session, statement string, args ...any) error {
	changed, err := change(ctx, s, statement, args...)
	if err == nil && !changed {
		err = &problem{
			what: jpayment.Text{En: "a row that was there a moment ago is gone from the database", Ja: "データベースから行が失われました"},
			next: nextDatabase, database: true,
		}
	}
	return err
}

// withHint returns a failure of the database, and says what to do where the tables are not
// there.
func withHint(err error) error {
	if err != nil && (strings.Contains(err.Error(), "no such table") || strings.Contains(err.Error(), "SQLSTATE 42P01")) {
		return &problem{
			what:  jpayment.Text{En: "the tables are not there", Ja: "テーブルがありません"},
			next:  jpayment.Text{En: "call Migrate first", Ja: "先に Migrate を呼び出す"},
			cause: failed(err), database: true,
		}
	}
	return failed(err)
}

package fulfilment

import (
	"context"
	"encoding/json"
	"regexp"
	"sync"

	"github.com/riverqueue/river/riverdriver"

	"github.com/jpayment-go/jpayment"
)

// database abstracts the differences between SQLite and Postgres.
type database[TTx any] interface {
	driver() riverdriver.Driver[TTx]
	session() session // outside of a transaction
	in(tx TTx) session
	// transact runs f in a transaction and commits it if f returns nil.
	transact(ctx context.Context, f func(tx TTx) error) error
	// migrating runs f and excludes other processes that migrate.
	migrating(ctx context.Context, f func(ctx context.Context) error) error
	// overwrite removes the remains of erased data.
	overwrite(ctx context.Context) error
	// step migrates the tables to the next version, if there is one, in one transaction. It
	// returns the version that they then have.
	step(ctx context.Context) (version int, err error)
	schema() string // River's; empty for the default
	// clock is an SQL expression for the database's time in microseconds since 1970, or 0 if
	// it has no clock of its own.
	clock() string
}

// session runs the statements of this package, which are the same for both databases:
//
//   - The parameters are $1, $2, … in the order in which they first occur.
//   - rows_of($1, a BIGINT, b TEXT) AS r is a table of rows given as one JSON text.
//   - IN ids_of($1) compares with numbers given as one JSON array.
//   - FOR UPDATE locks rows until the transaction ends.
type session interface {
	exec(ctx context.Context, statement string, args ...any) (affected int64, err error)
	query(ctx context.Context, statement string, args ...any) (rows, error)
}

type rows interface {
	Next() bool
	Scan(into ...any) error
	Err() error
	Close()
}

// dialect caches the statements as translated for a database.
type dialect struct {
	known     sync.Map
	translate func(statement string) string
}

func (d *dialect) of(statement string) string {
	if text, known := d.known.Load(statement); known {
		return text.(string)
	}
	text := d.translate(statement)
	d.known.Store(statement, text)
	return text
}

// rowsOf matches a table given as JSON.
var rowsOf = regexp.MustCompile(`rows_of\((\$\d+), ([^)]*)\)`)

// idsOf matches numbers given as JSON.
var idsOf = regexp.MustCompile(`IN ids_of\((\$\d+)\)`)

// asRows returns the parameter for rows_of and ids_of.
func asRows[T any](all []T) (string, error) {
	text, err := json.Marshal(all)
	return string(text), err
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

// mustChange runs a statement that must change a row.
func mustChange(ctx context.Context, s session, statement string, args ...any) error {
	return mustChangeAll(ctx, s, 1, statement, args...)
}

// mustChangeAll runs a statement that must change n rows.
func mustChangeAll(ctx context.Context, s session, n int, statement string, args ...any) error {
	changed, err := s.exec(ctx, statement, args...)
	if err != nil {
		return withHint(err)
	}
	if changed < int64(n) {
		return &problem{
			what: jpayment.Text{En: "a row has disappeared from the database", Ja: "データベースから行が失われました"},
			next: nextDatabase, database: true,
		}
	}
	return nil
}

// withHint returns a failure of the database. If the tables do not exist, or another
// transaction was faster, it says what to do.
func withHint(err error) error {
	switch {
	case err == nil:
		return nil
	case isMissing(err):
		return notThere(failed(err))
	case postgresCode(err) == "23505":
		return &problem{
			what:  jpayment.Text{En: "another transaction has just recorded something for the same payment", Ja: "同じ決済について、別のトランザクションが直前に登録しました"},
			next:  nextAgain,
			cause: failed(err),
		}
	default:
		return failed(err)
	}
}

func notThere(cause error) error {
	return &problem{what: jpayment.Text{En: "the tables do not exist", Ja: "テーブルがありません"}, next: nextMigrate, cause: cause, database: true, is: ErrTables}
}

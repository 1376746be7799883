package fulfilment

import (
	"context"
	"database/sql"
	"errors"
	"io/fs"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"github.com/riverqueue/river/riverdriver"
	"github.com/riverqueue/river/riverdriver/riversqlite"
	_ "modernc.org/sqlite" // the driver "sqlite", without cgo

	"github.com/jpayment-go/jpayment"
)

// OpenSQLite opens or creates a database file, with settings that make each commit durable
// before it returns, and overwrite deleted data. Only the owner can read a file that OpenSQLite
// creates. Several processes on one machine may open the same file; do not put it on a network
// file system.
func OpenSQLite(path string) (*sql.DB, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, err
	}
	// SQLite would leave the mode to the umask. The files beside it get the same mode.
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600) //nolint:gosec // The caller's own file.
	if err != nil {
		return nil, err
	}
	if err := f.Close(); err != nil {
		return nil, err
	}
	// In WAL mode, NORMAL does not sync each commit. With an immediate lock, two transactions
	// that both read and then write cannot block each other.
	settings := url.Values{
		"_pragma": {"busy_timeout(10000)", "secure_delete(ON)", "journal_mode(WAL)", "synchronous(FULL)", "foreign_keys(ON)"},
		"_txlock": {"immediate"},
	}
	source := url.URL{Scheme: "file", OmitHost: true, Path: filepath.ToSlash(path), RawQuery: settings.Encode()}
	db, err := sql.Open("sqlite", source.String())
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(1) // as River advises, since SQLite has one writer at a time
	return db, nil
}

// NewSQLite returns the queue of a store in a SQLite database, which should be opened with
// [OpenSQLite] or the same settings. If the configuration is invalid, the error is a
// [*jpayment.ValidationError] that lists every fault.
//
// The file holds private data. If users other than its owner can read it, NewSQLite tightens
// the permissions and logs that; if it cannot, it returns an error.
//
// The database has a single connection. A program that holds a transaction open must pass it
// to the methods of this package; a method without it would wait for the transaction to end.
func NewSQLite(db *sql.DB, cfg Config) (*Queue[*sql.Tx], error) {
	q, err := newQueue[*sql.Tx](newSQLite(db), cfg)
	if err != nil {
		return nil, err
	}
	// If the database does not open, its first use returns the error.
	ctx, cancel := context.WithTimeout(context.Background(), stalled)
	defer cancel()
	path, _, err := first(ctx, q.db.session(), func(rs rows) (path string, err error) { err = rs.Scan(&path); return path, err },
		`SELECT file FROM pragma_database_list WHERE name = 'main'`)
	if err != nil && ctx.Err() != nil {
		return nil, err
	}
	loose, err := tighten(path, os.Chmod)
	for _, file := range loose {
		q.log.LogAttrs(ctx, slog.LevelWarn, "fulfilment: removed other users' access to the database file", slog.String("file", file))
	}
	if err != nil {
		return nil, err
	}
	return q, nil
}

// tighten removes the permissions of other users from a database file and the files beside it.
// It returns the files that it changed. The path is empty for a database in memory.
func tighten(path string, chmod func(string, fs.FileMode) error) (loose []string, err error) {
	if path == "" || runtime.GOOS == "windows" { // File modes mean nothing on Windows.
		return nil, nil
	}
	for _, file := range []string{path, path + "-wal", path + "-shm"} {
		info, err := os.Stat(file)
		if errors.Is(err, fs.ErrNotExist) || err == nil && info.Mode()&0o077 == 0 {
			continue
		}
		if err == nil {
			err = chmod(file, info.Mode().Perm()&^0o077)
		}
		if err != nil {
			return loose, &problem{
				what:  jpayment.Text{En: "other users can read the database file, and its permissions cannot be changed", Ja: "データベースをほかのユーザーが読み取れる状態で、アクセス権を変更できません"},
				next:  jpayment.Text{En: "make it readable only by its owner (chmod 600)", Ja: "所有者だけが読み取れるようにする（chmod 600）"},
				cause: err,
			}
		}
		loose = append(loose, file)
	}
	return loose, nil
}

type sqlite struct {
	db      *sql.DB
	dialect *dialect
}

func newSQLite(db *sql.DB) sqlite {
	return sqlite{db: db, dialect: &dialect{translate: func(statement string) string {
		statement = strings.ReplaceAll(statement, " FOR UPDATE", "")
		statement = idsOf.ReplaceAllString(statement, "IN (SELECT value FROM json_each($1))")
		return rowsOf.ReplaceAllStringFunc(statement, func(s string) string {
			m := rowsOf.FindStringSubmatch(s)
			columns := strings.Split(m[2], ", ")
			for i, c := range columns {
				name, _, _ := strings.Cut(c, " ")
				columns[i] = "value ->> '" + name + "' AS " + name
			}
			return "(SELECT " + strings.Join(columns, ", ") + " FROM json_each(" + m[1] + "))"
		})
	}}}
}

func (d sqlite) driver() riverdriver.Driver[*sql.Tx] { return riversqlite.New(d.db) }
func (d sqlite) session() session                    { return sqlSession{db: d.db, in: d} }
func (d sqlite) in(tx *sql.Tx) session               { return sqlSession{db: tx, in: d} }
func (d sqlite) schema() string                      { return "" }
func (d sqlite) clock() string                       { return "0" }

func (d sqlite) transact(ctx context.Context, f func(*sql.Tx) error) error {
	tx, err := d.db.BeginTx(ctx, nil)
	if err != nil {
		return failed(err)
	}
	defer tx.Rollback() //nolint:errcheck // for panics of f
	if err := f(tx); err != nil {
		return errors.Join(err, failed(tx.Rollback()))
	}
	return failed(tx.Commit())
}

// migrating retries, since SQLite has no lock that outlives a transaction: a process can fail
// on a table that another has just created.
func (d sqlite) migrating(ctx context.Context, f func(context.Context) error) (err error) {
	for range 10 {
		if err = f(ctx); err == nil {
			return nil
		}
		select {
		case <-time.After(200 * time.Millisecond):
		case <-ctx.Done():
			return errors.Join(err, ctx.Err())
		}
	}
	return err
}

// overwrite empties the write-ahead log, which still holds the erased data. It waits for
// readers of the log as long as for a lock.
func (d sqlite) overwrite(ctx context.Context) error {
	kept, _, err := first(ctx, d.session(), func(rs rows) (kept bool, err error) {
		var busy, frames, written int64
		err = rs.Scan(&busy, &frames, &written)
		return busy != 0, err
	}, "PRAGMA wal_checkpoint(TRUNCATE)")
	if err == nil && kept {
		err = &problem{
			what: jpayment.Text{
				En: "the erased data is still in the write-ahead log, which another process is using",
				Ja: "消去した内容が、ほかのプロセスが使用中の先行書き込みログ（WAL）に残っています",
			},
			next: nextAgain,
		}
	}
	return err
}

// step needs no lock but the transaction's, which is immediate.
func (d sqlite) step(ctx context.Context) (version int, err error) {
	err = d.transact(ctx, func(tx *sql.Tx) error {
		if version, err = versionOf(ctx, d.in(tx)); err != nil || version >= SchemaVersion {
			return err
		}
		version++
		text, err := migrationTo(version, "sqlite")
		if err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, text)
		return err
	})
	return version, err
}

type sqlSession struct {
	db interface {
		ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
		QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	}
	in sqlite
}

func (s sqlSession) exec(ctx context.Context, statement string, args ...any) (int64, error) {
	res, err := s.db.ExecContext(ctx, s.in.dialect.of(statement), args...)
	if err != nil {
		return 0, err
	}
	return res.RowsAffected()
}

func (s sqlSession) query(ctx context.Context, statement string, args ...any) (rows, error) {
	rs, err := s.db.QueryContext(ctx, s.in.dialect.of(statement), args...)
	if err != nil {
		return nil, err
	}
	return sqlRows{rs}, nil
}

type sqlRows struct{ *sql.Rows }

func (r sqlRows) Close() { r.Rows.Close() } //nolint:errcheck,gosec // Err reports whether all rows were read.

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

// OpenSQLite opens a database file, or creates it, with settings under which a commit is on
// the disk when it returns. Several processes on one machine may open the same file; do not
// put it on a network file system. Only the owner can read a file that OpenSQLite creates,
// and deleted data is overwritten.
func OpenSQLite(path string) (*sql.DB, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, err
	}
	// SQLite would let the umask decide who reads it. What it keeps beside it gets its mode.
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600) //nolint:gosec // The caller's own file.
	if err != nil {
		return nil, err
	}
	if err := f.Close(); err != nil {
		return nil, err
	}
	// Of a WAL database NORMAL does not sync each commit. An immediate lock keeps two
	// transactions that read first from both wanting to write then.
	settings := url.Values{
		"_pragma": {"busy_timeout(10000)", "secure_delete(ON)", "journal_mode(WAL)", "synchronous(FULL)", "foreign_keys(ON)"},
		"_txlock": {"immediate"},
	}
	source := url.URL{Scheme: "file", OmitHost: true, Path: filepath.ToSlash(path), RawQuery: settings.Encode()}
	db, err := sql.Open("sqlite", source.String())
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(1) // River's advice: there is one writer at a time anyway.
	return db, nil
}

// NewSQLite returns the queue of a store on a SQLite database, which should be opened with
// [OpenSQLite] or the same settings. The error is a [*jpayment.ValidationError] that lists
// every fault of the configuration.
//
// The file holds private data. If others than its owner can read it, NewSQLite tightens the
// permissions and logs that; if it cannot, it returns an error.
//
// With a single connection, a program that holds a transaction open must pass it to the
// calls of this package, which otherwise wait for it.
func NewSQLite(db *sql.DB, cfg Config) (*Queue[*sql.Tx], error) {
	q, err := newQueue[*sql.Tx](newSQLite(db), cfg)
	if err != nil {
		return nil, err
	}
	// A database that does not open says so when it is used.
	ctx, cancel := context.WithTimeout(context.Background(), stalled)
	defer cancel()
	path, _, err := first(ctx, q.db.session(), func(rs rows) (path string, err error) { err = rs.Scan(&path); return path, err },
		`SELECT file FROM pragma_database_list WHERE name = 'main'`)
	if err != nil && ctx.Err() != nil {
		return nil, err
	}
	loose, err := tighten(path, os.Chmod)
	for _, file := range loose {
		q.log.LogAttrs(ctx, slog.LevelWarn, "fulfilment: others could read the database; only its owner can now", slog.String("file", file))
	}
	if err != nil {
		return nil, err
	}
	return q, nil
}

// tighten takes others' permissions from a database file and what SQLite keeps beside it,
// and returns those that had any. The path is empty for a database in memory.
func tighten(path string, chmod func(string, fs.FileMode) error) (loose []string, err error) {
	if path == "" || runtime.GOOS == "windows" { // There a file's mode says nothing.
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
				what:  jpayment.Text{En: "others can read the database, and its permissions cannot be changed", Ja: "データベースをほかのユーザーが読み取れる状態で、アクセス権を変更できません"},
				next:  jpayment.Text{En: "let only its owner read it (chmod 600)", Ja: "所有者だけが読み取れるようにする（chmod 600）"},
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
	defer tx.Rollback() //nolint:errcheck // After a panic of f.
	if err := f(tx); err != nil {
		return errors.Join(err, failed(tx.Rollback()))
	}
	return failed(tx.Commit())
}

// migrating tries again, since SQLite has no lock that outlives a transaction: who comes
// second finds a table that the first one made a moment before.
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

// overwrite empties the write-ahead log, which has what was erased as it was before. Readers
// keep it, so that their transactions are waited for as long as for a lock.
func (d sqlite) overwrite(ctx context.Context) error {
	kept, _, err := first(ctx, d.session(), func(rs rows) (kept bool, err error) {
		var busy, frames, written int64
		err = rs.Scan(&busy, &frames, &written)
		return busy != 0, err
	}, "PRAGMA wal_checkpoint(TRUNCATE)")
	if err == nil && kept {
		err = &problem{
			what: jpayment.Text{
				En: "what was erased still stands in the write-ahead log, which another process is using",
				Ja: "消去した内容が、ほかのプロセスが使用中の先行書き込みログ（WAL）に残っています",
			},
			next: nextAgain,
		}
	}
	return err
}

// step needs no more than a transaction, which is immediate.
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

func (r sqlRows) Close() { r.Rows.Close() } //nolint:errcheck,gosec // Err tells whether all was read.

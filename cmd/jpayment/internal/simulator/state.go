package simulator

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"strconv"

	"modernc.org/sqlite" // also registers the driver "sqlite", without cgo
	sqlite3 "modernc.org/sqlite/lib"

	"github.com/jpayment-go/jpayment"
	"github.com/jpayment-go/jpayment/internal/sim"
)

// state keeps the durable data in an SQLite file. Every commit is on disk when it returns.
type state struct{ db *sql.DB }

const (
	applicationID = 0x6a706179 // "jpay"; distinguishes the file from those of other programs
	schemaVersion = 1

	firstPayment = 10000001 // the gateway numbers payments from here without gaps
)

// schema stores payments and kickbacks as JSON, since they are only read at startup, all at
// once.
const schema = `
CREATE TABLE store (one INTEGER PRIMARY KEY CHECK (one = 1), store_id TEXT NOT NULL, settings TEXT) STRICT;
CREATE TABLE payment (id INTEGER PRIMARY KEY, body TEXT NOT NULL) STRICT;
CREATE TABLE kickback (request INTEGER, duplicate INTEGER, body TEXT NOT NULL, PRIMARY KEY (request, duplicate)) STRICT;
`

func openState(ctx context.Context, path, storeID string) (*state, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, err
	}
	if path, err = realPath(path); err != nil {
		return nil, err
	}
	readable, err := makePrivate(path)
	if err != nil {
		return nil, err
	}
	// The exclusive lock lasts as long as the process: two gateways with one file would each
	// miss the other's bookings. With synchronous=NORMAL, a power cut could undo commits in
	// WAL mode.
	pragmas := url.Values{
		"_pragma": {"busy_timeout(1000)", "locking_mode(EXCLUSIVE)", "synchronous(FULL)", "secure_delete(ON)"},
		"_txlock": {"immediate"},
	}
	source := url.URL{Scheme: "file", OmitHost: true, Path: filepath.ToSlash(path), RawQuery: pragmas.Encode()}
	db, err := sql.Open("sqlite", source.String())
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(1) // the lock belongs to the connection
	s := &state{db: db}
	err = s.transact(ctx, func(tx *sql.Tx) error { return prepare(ctx, tx, storeID) })
	if err == nil && readable != "" { // only now do we know that it is our file
		err = &toldError{textf("other users can read or write it; run chmod 600 %s", "ほかのユーザーが読み書きできます。chmod 600 %s を実行してください", readable), nil}
	}
	if err == nil {
		_, err = db.ExecContext(ctx, "PRAGMA journal_mode = WAL")
	}
	if err != nil {
		return nil, errors.Join(told(err), db.Close())
	}
	return s, nil
}

// realPath resolves symbolic links. SQLite keeps its journals beside the real file, and would
// create the target of a link so that others can read it.
func realPath(path string) (string, error) {
	if _, err := os.Lstat(path); errors.Is(err, fs.ErrNotExist) {
		return path, nil // It does not exist yet.
	}
	return filepath.EvalSymlinks(path)
}

// makePrivate creates the file, if there is none, so that nobody else can read it. SQLite gives
// its journals the mode of the file. If an existing file can be read or written by others, it
// returns its name.
func makePrivate(path string) (readable string, err error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600) //nolint:gosec // The user's own file, by the user's own choice.
	if err == nil {
		return "", f.Close()
	}
	if runtime.GOOS == "windows" { // The mode means nothing there.
		return "", nil
	}
	for _, name := range []string{path, path + "-wal", path + "-journal"} {
		if info, err := os.Stat(name); err == nil && info.Mode().Perm()&0o077 != 0 {
			return name, nil
		}
	}
	return "", nil // SQLite reports other problems.
}

// prepare creates the tables of a new file and refuses a file that is not ours.
func prepare(ctx context.Context, tx *sql.Tx, storeID string) error {
	var application, version, tables int
	for query, into := range map[string]*int{
		"PRAGMA application_id":              &application,
		"PRAGMA user_version":                &version,
		"SELECT count(*) FROM sqlite_schema": &tables,
	} {
		if err := tx.QueryRowContext(ctx, query).Scan(into); err != nil {
			return err
		}
	}
	if tables == 0 && application == 0 {
		_, err := tx.ExecContext(ctx, fmt.Sprintf("PRAGMA application_id = %d; PRAGMA user_version = %d; %s",
			applicationID, schemaVersion, schema))
		if err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, "INSERT INTO store (one, store_id) VALUES (1, ?)", storeID)
		return err
	}
	if application != applicationID {
		return &toldError{jpayment.Text{En: "is a database of another program", Ja: "別のプログラムのデータベースです"}, nil}
	}
	if version != schemaVersion {
		return &toldError{textf("has format %d; this program supports format %d", "ファイルの形式は %d ですが、このプログラムで扱えるのは %d です", version, schemaVersion), nil}
	}
	var owner string
	if err := tx.QueryRowContext(ctx, "SELECT store_id FROM store").Scan(&owner); err != nil {
		return err
	}
	if owner != storeID {
		return &toldError{textf("belongs to store %s, not %s", "店舗ID %s のファイルです（指定された店舗ID は %s）", owner, storeID), nil}
	}
	return nil
}

func (s *state) transact(ctx context.Context, do func(*sql.Tx) error) error {
	tx, err := s.db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	if err := do(tx); err != nil {
		return errors.Join(err, tx.Rollback())
	}
	return tx.Commit()
}

// kept is the content of a file.
type kept struct {
	payments []sim.Payment
	waiting  []sim.WaitingKickback
	settings *sim.Settings // nil if they were never changed
}

func (s *state) load(ctx context.Context) (k kept, err error) {
	if k.payments, err = readAll[sim.Payment](ctx, s.db, "SELECT body FROM payment ORDER BY id"); err != nil {
		return kept{}, err
	}
	for i, p := range k.payments {
		if p.ID != strconv.Itoa(firstPayment+i) {
			return kept{}, &toldError{textf("is damaged: payment %q is stored in the place of %d", "ファイルが壊れています（決済 %q が %d の位置にあります）", p.ID, firstPayment+i), nil}
		}
	}
	if k.waiting, err = readAll[sim.WaitingKickback](ctx, s.db, "SELECT body FROM kickback ORDER BY request, duplicate"); err != nil {
		return kept{}, err
	}
	settings, err := readAll[sim.Settings](ctx, s.db, "SELECT settings FROM store WHERE settings IS NOT NULL")
	if err != nil {
		return kept{}, err
	}
	if len(settings) > 0 {
		k.settings = &settings[0]
		if err := k.settings.Behaviour.Check(); err != nil {
			return kept{}, &toldError{jpayment.Text{
				En: "has settings that this program does not know", Ja: "このプログラムにない設定が含まれています",
			}, err}
		}
	}
	return k, nil
}

func readAll[T any](ctx context.Context, db *sql.DB, query string) (all []T, err error) {
	rows, err := db.QueryContext(ctx, query)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		var body []byte
		if err := rows.Scan(&body); err != nil {
			return nil, err
		}
		var one T
		if err := json.Unmarshal(body, &one); err != nil {
			return nil, &toldError{damaged, err}
		}
		all = append(all, one)
	}
	return all, rows.Err()
}

// save is called by the gateway with its books locked, so changes arrive one at a time and in
// order. It takes no context, because no caller may interrupt it.
func (s *state) save(c sim.Change) error {
	ctx := context.Background()
	return s.transact(ctx, func(tx *sql.Tx) error {
		for _, p := range c.Payments {
			if err := put(ctx, tx, p, "INSERT OR REPLACE INTO payment (id, body) VALUES (?, ?)", p.ID); err != nil {
				return err
			}
		}
		for _, k := range c.Kickbacks {
			if k.Over {
				_, err := tx.ExecContext(ctx, "DELETE FROM kickback WHERE request = ? AND duplicate = ?", k.Request, k.Duplicate)
				if err != nil {
					return err
				}
				continue
			}
			err := put(ctx, tx, k, "INSERT OR REPLACE INTO kickback (request, duplicate, body) VALUES (?, ?, ?)", k.Request, k.Duplicate)
			if err != nil {
				return err
			}
		}
		return nil
	})
}

func (s *state) saveSettings(settings sim.Settings) error {
	ctx := context.Background() // as in save
	return s.transact(ctx, func(tx *sql.Tx) error {
		return put(ctx, tx, settings, "UPDATE store SET settings = ?")
	})
}

// put executes a statement with a value, as JSON, as its last argument.
func put(ctx context.Context, tx *sql.Tx, value any, statement string, arguments ...any) error {
	body, err := json.Marshal(value)
	if err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, statement, append(arguments, string(body))...)
	return err
}

func (s *state) close() error { return s.db.Close() }

var damaged = jpayment.Text{En: "is damaged", Ja: "ファイルが壊れています"}

// told returns an SQLite error in plain words.
func told(err error) error {
	var why *sqlite.Error
	if !errors.As(err, &why) {
		return err
	}
	switch why.Code() & 0xff { // ignore the extended part of the code
	case sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED:
		return &toldError{jpayment.Text{En: "is in use by another program", Ja: "別のプログラムが使用中です"}, nil} // the details add nothing
	case sqlite3.SQLITE_CORRUPT:
		return &toldError{damaged, err}
	case sqlite3.SQLITE_NOTADB:
		return &toldError{jpayment.Text{En: "is not a database", Ja: "データベースのファイルではありません"}, err}
	case sqlite3.SQLITE_READONLY:
		return &toldError{jpayment.Text{En: "cannot be written", Ja: "書き込めません"}, err}
	case sqlite3.SQLITE_FULL:
		return &toldError{jpayment.Text{En: "cannot be written: the disk is full", Ja: "ディスクの空きがありません"}, err}
	default:
		return &toldError{jpayment.Text{En: "cannot be opened", Ja: "開けません"}, err}
	}
}

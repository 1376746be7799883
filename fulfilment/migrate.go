package fulfilment

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/riverqueue/river/rivermigrate"
	driver "modernc.org/sqlite"

	"github.com/jpayment-go/jpayment"
)

// migrations contains a file for each version of this package's tables and each database. It
// migrates from the version before, and records its own version.
//
//go:embed migrations
var migrations embed.FS

// Migrations returns the statements that create and change this package's tables, for use with
// a migration tool other than [Queue.Migrate]. The directories sqlite and postgres have a file
// for each version, 001.sql and so on. Run them in order, each in a transaction.
//
// The Postgres files use the schema jpayment; [MigrationSQL] returns them for another. River's
// tables are not included: the command river migrate-up creates them.
func Migrations() fs.FS {
	sub, err := fs.Sub(migrations, "migrations")
	if err != nil { // It is embedded.
		panic(err)
	}
	return sub
}

// ErrTables means that tables are missing or out of date: see [Queue.Migrate].
var ErrTables error = &problem{
	what: jpayment.Text{En: "the tables do not exist, or are not up to date", Ja: "テーブルがないか、最新ではありません"}, next: nextMigrate,
}

// SchemaVersion is the version of the tables that this version of the package uses.
const SchemaVersion = 2

// migrationTo returns the statements that migrate to a version from the one before.
func migrationTo(version int, dialect string) (string, error) {
	text, err := migrations.ReadFile(fmt.Sprintf("migrations/%s/%03d.sql", dialect, version))
	return string(text), err
}

// MigrationSQL returns the statements of [Migrations] that bring this package's tables from
// a version to [SchemaVersion]. The version is 0 if there are no tables yet. The database is
// sqlite or postgres. The schema is as in [Config.Schema]; empty means the default. The error
// is a [*jpayment.ValidationError].
func MigrationSQL(database, schema string, from int) (string, error) {
	var bad invalidFields
	if database != "sqlite" && database != "postgres" {
		bad.add("Database", jpayment.Text{En: "is neither sqlite nor postgres", Ja: "がsqliteでもpostgresでもありません"})
	}
	if schema == "" {
		schema = defaultSchema
	}
	bad.add("Schema", schemaReason(schema))
	if from < 0 || from > SchemaVersion {
		bad.add("From", notBetween(0, SchemaVersion))
	}
	if err := bad.err("fulfilment.MigrationSQL", ""); err != nil {
		return "", err
	}
	var all strings.Builder
	for version := from + 1; version <= SchemaVersion; version++ {
		text, err := migrationTo(version, database)
		if err != nil { // It is embedded.
			return "", err
		}
		all.WriteString(text)
	}
	if database == "postgres" {
		return inSchema(all.String(), schema), nil
	}
	return all.String(), nil
}

// CheckTables returns an error if the tables are missing or not of [SchemaVersion]. It changes
// nothing.
func (q *Queue[TTx]) CheckTables(ctx context.Context) error {
	version, err := versionOf(ctx, q.db.session())
	if err == nil && version == 0 {
		err = notThere(nil)
	} else if err == nil {
		err = checkVersion(version)
	}
	return q.did(ctx, reading, 0, err)
}

// versionOf reads the version of the tables. It returns 0 if there are none.
func versionOf(ctx context.Context, s session) (int, error) {
	version, _, err := first(ctx, s, scanInt, `SELECT version FROM jpayment_version`)
	if !isMissing(err) {
		return int(version), err
	}
	// Version 1 did not record its number.
	if _, _, err = first(ctx, s, scanInt, `SELECT id FROM jpayment_job LIMIT 1`); isMissing(err) {
		return 0, nil
	}
	return 1, err
}

// isMissing reports whether a table does not exist. SQLite has no specific error code for that,
// only a message.
func isMissing(err error) bool {
	var lite *driver.Error
	return postgresCode(err) == "42P01" || errors.As(err, &lite) && strings.Contains(lite.Error(), "no such table")
}

// postgresCode returns the SQLSTATE of a Postgres error, or the empty string.
func postgresCode(err error) string {
	if pg := new(pgconn.PgError); errors.As(err, &pg) {
		return pg.Code
	}
	return ""
}

// Migrate creates the tables or brings them up to date, including River's. It may be called at
// every start, and by several processes at once.
//
// If the tables are current, Migrate changes nothing, and needs only the privilege to read and
// write rows. If not, it waits at most 30 seconds for open transactions that use them. Tables
// of a newer version are an error.
func (q *Queue[TTx]) Migrate(ctx context.Context) error {
	err := q.migrate(ctx)
	if err == nil {
		err = q.ready(ctx, q.db.session())
	}
	return q.did(ctx, migrating, 0, err)
}

func (q *Queue[TTx]) migrate(ctx context.Context) error {
	m, err := rivermigrate.New(q.db.driver(), &rivermigrate.Config{Schema: q.db.schema(), Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		return notMigrated(err)
	}
	if current, err := q.isCurrent(ctx, m); err != nil || current {
		return err
	}
	return q.db.migrating(ctx, func(ctx context.Context) error {
		for {
			version, err := q.db.step(ctx)
			if err != nil {
				return notMigrated(err)
			}
			if version >= SchemaVersion {
				break
			}
		}
		if _, err := m.Migrate(ctx, rivermigrate.DirectionUp, nil); err != nil {
			return notMigrated(err)
		}
		return nil
	})
}

// isCurrent reports whether there is nothing to migrate. It only reads.
func (q *Queue[TTx]) isCurrent(ctx context.Context, m *rivermigrate.Migrator[TTx]) (bool, error) {
	version, err := versionOf(ctx, q.db.session())
	if err != nil || version < SchemaVersion {
		return false, err
	}
	if version > SchemaVersion {
		return false, newer(version)
	}
	valid, err := m.Validate(ctx, nil)
	if err != nil {
		return false, notMigrated(err)
	}
	return valid.OK, nil
}

// checkVersion returns an error if the tables are not of the package's version.
func checkVersion(version int) error {
	switch {
	case version > SchemaVersion:
		return newer(version)
	case version < SchemaVersion:
		return &problem{
			what: textf("the tables have version %d and not version %d", "テーブルのバージョンが %d で、必要なバージョン %d ではありません", version, SchemaVersion),
			next: nextMigrate, database: true, is: ErrTables,
		}
	default:
		return nil
	}
}

func newer(version int) error {
	return &problem{
		what: textf("the tables have version %d, which is newer than this program's (%d); nothing was written",
			"テーブルのバージョン %d が、このプログラムの対応するバージョン %d より新しいため、書き込みを行いません", version, SchemaVersion),
		next:     jpayment.Text{En: "use the newer version of the program", Ja: "新しいバージョンのプログラムを使用する"},
		database: true,
	}
}

func notMigrated(err error) error {
	if errors.As(err, new(*problem)) {
		return err
	}
	p := &problem{
		what: jpayment.Text{En: "the tables could not be created or brought up to date", Ja: "テーブルを作成または更新できません"},
		next: nextDatabase, cause: failed(err), database: true,
	}
	switch postgresCode(err) {
	case "55P03":
		p.what = jpayment.Text{
			En: "the tables could not be brought up to date, since they are in use by a transaction that does not end",
			Ja: "終了しないトランザクションがテーブルを使用しているため、テーブルを更新できません",
		}
		p.next = jpayment.Text{En: "end the transaction (pg_stat_activity shows it), then try again", Ja: "そのトランザクションを終了してから（pg_stat_activity で確認できます）再実行する"}
	case "42501":
		p.what = jpayment.Text{
			En: "the tables are not up to date, and this role may not change them",
			Ja: "テーブルが最新ではなく、このロールには変更する権限がありません",
		}
		p.next = jpayment.Text{En: "migrate as a role that owns the schema", Ja: "スキーマを所有するロールで移行する"}
	}
	return p
}

package fulfilment

import (
	"context"
	"math/rand/v2"
	"regexp"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/riverqueue/river/riverdriver"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"

	"github.com/jpayment-go/jpayment"
)

const defaultSchema = "jpayment"

// NewPostgres returns the queue of a store in a Postgres database. All tables, including
// River's, are in [Config.Schema], separate from any other River in the same database. The
// error is a [*jpayment.ValidationError] that lists every fault of the configuration.
func NewPostgres(pool *pgxpool.Pool, cfg Config) (*Queue[pgx.Tx], error) {
	if cfg.Schema == "" {
		cfg.Schema = defaultSchema
	}
	d := postgres{pool: pool, name: cfg.Schema, dialect: new(dialect)}
	d.dialect.translate = d.translate
	return newQueue[pgx.Tx](d, cfg)
}

// schemaName matches names that need no quoting.
var schemaName = regexp.MustCompile(`^[a-z_][a-z0-9_]{0,45}$`)

// schemaReason returns why a name is not valid for the schema, or the zero Text if it is.
func schemaReason(name string) jpayment.Text {
	if schemaName.MatchString(name) {
		return jpayment.Text{}
	}
	return jpayment.Text{
		En: "has characters other than a-z, 0-9 and _, begins with a digit, or has more than 46 characters",
		Ja: "にa-z、0-9、_以外の文字があるか、数字で始まるか、46文字を超えています",
	}
}

type postgres struct {
	pool    *pgxpool.Pool
	name    string
	dialect *dialect
}

func (d postgres) driver() riverdriver.Driver[pgx.Tx] { return riverpgxv5.New(d.pool) }
func (d postgres) session() session                   { return pgxSession{d.pool, d} }
func (d postgres) in(tx pgx.Tx) session               { return pgxSession{tx, d} }
func (d postgres) schema() string                     { return d.name }

func (d postgres) clock() string {
	return `CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000000 AS BIGINT)`
}

// translate adds the schema to table names, and translates rows_of and ids_of.
func (d postgres) translate(statement string) string {
	statement = tableName.ReplaceAllStringFunc(statement, func(s string) string {
		return strings.TrimSuffix(s, "jpayment_") + d.name + ".jpayment_"
	})
	// As an array it is known when the query is planned.
	statement = idsOf.ReplaceAllString(statement, "= ANY (ARRAY(SELECT CAST(json_array_elements_text($1::json) AS BIGINT)))")
	// In Postgres the columns follow the name.
	return rowsOfAs.ReplaceAllString(statement, "json_to_recordset($1::json) AS $3 ($2)")
}

// transact retries after a deadlock, which happens when two processes record the same requests
// in different orders. The loser first gives the winner time to finish.
func (d postgres) transact(ctx context.Context, f func(pgx.Tx) error) (err error) {
	for range 5 {
		ours := false
		err = pgx.BeginFunc(ctx, d.pool, func(tx pgx.Tx) error {
			err := f(tx)
			ours = err != nil
			return err
		})
		if !ours {
			err = failed(err)
		}
		if postgresCode(err) != "40P01" {
			return err
		}
		select {
		case <-time.After(rand.N(300 * time.Millisecond)): //nolint:gosec // It needs no secrecy.
		case <-ctx.Done():
			return err
		}
	}
	return err
}

// overwrite does nothing: that is up to VACUUM.
func (postgres) overwrite(context.Context) error { return nil }

// migrating holds a session lock, since River migrates in transactions of its own. It does not
// use the pool, which sessions waiting for the lock could exhaust.
func (d postgres) migrating(ctx context.Context, f func(context.Context) error) error {
	cfg := d.pool.Config()
	if cfg.BeforeConnect != nil {
		if err := cfg.BeforeConnect(ctx, cfg.ConnConfig); err != nil {
			return failed(err)
		}
	}
	c, err := pgx.ConnectConfig(ctx, cfg.ConnConfig)
	if err != nil {
		return failed(err)
	}
	defer c.Close(context.WithoutCancel(ctx)) //nolint:errcheck // It always unlocks.
	const lock = 0x6a706179                   // "jpay"
	if _, err := c.Exec(ctx, "SELECT pg_advisory_lock($1)", lock); err != nil {
		return failed(err)
	}
	return f(ctx)
}

// lockTimeout is how long Migrate waits for open transactions that use the tables.
var lockTimeout = defaultLockTimeout

const defaultLockTimeout = "30s"

// step waits for other transactions that use the tables, but not indefinitely, since later
// users of the tables queue behind it.
func (d postgres) step(ctx context.Context) (version int, err error) {
	if version, err = versionOf(ctx, d.session()); err != nil || version >= SchemaVersion {
		return version, err
	}
	version++
	err = d.transact(ctx, func(tx pgx.Tx) error {
		text, err := migrationTo(version, "postgres")
		if err != nil {
			return err
		}
		_, err = tx.Exec(ctx, "SET LOCAL lock_timeout = '"+lockTimeout+"';\n"+inSchema(text, d.name))
		return err
	})
	return version, err
}

// inSchema returns the statements of a migration with the given schema.
func inSchema(text, schema string) string {
	return strings.NewReplacer(
		defaultSchema+".", schema+".",
		"CREATE SCHEMA "+defaultSchema+";", "CREATE SCHEMA "+schema+";",
		"to_regnamespace('"+defaultSchema+"')", "to_regnamespace('"+schema+"')",
	).Replace(text)
}

type pgxSession struct {
	db interface {
		Exec(ctx context.Context, query string, args ...any) (pgconn.CommandTag, error)
		Query(ctx context.Context, query string, args ...any) (pgx.Rows, error)
	}
	in postgres
}

// rowsOfAs matches a table given as JSON, with its name.
var rowsOfAs = regexp.MustCompile(`rows_of\((\$\d+), ([^)]*)\) AS (\w+)`)

// tableName matches this package's tables.
var tableName = regexp.MustCompile(`\b(?:FROM|INTO|UPDATE|JOIN) jpayment_`)

func (s pgxSession) exec(ctx context.Context, statement string, args ...any) (int64, error) {
	tag, err := s.db.Exec(ctx, s.in.dialect.of(statement), args...)
	return tag.RowsAffected(), err
}

func (s pgxSession) query(ctx context.Context, statement string, args ...any) (rows, error) {
	return s.db.Query(ctx, s.in.dialect.of(statement), args...)
}

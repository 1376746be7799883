package fulfilment

import (
	"context"
	"errors"
	"math/rand/v2"
	"regexp"
	"strings"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/riverqueue/river/riverdriver"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"
)

const defaultSchema = "jpayment"

// NewPostgres returns the queue of a store on a Postgres database. Its error is a
// [*jpayment.ValidationError] with every fault of the configuration. All tables, River's
// included, live in [Config.Schema], so that a River of the merchant's own in the same
// database has nothing to do with them.
func NewPostgres(pool *pgxpool.Pool, cfg Config) (*Queue[pgx.Tx], error) {
	if cfg.Schema == "" {
		cfg.Schema = defaultSchema
	}
	return newQueue[pgx.Tx](postgres{pool: pool, name: cfg.Schema, qualified: new(sync.Map)}, cfg)
}

// schemaName is what needs no quoting.
var schemaName = regexp.MustCompile(`^[a-z_][a-z0-9_]{0,45}$`)

type postgres struct {
	pool      *pgxpool.Pool
	name      string
	qualified *sync.Map // the statements that have been run, by their texts without the schema
}

func (d postgres) driver() riverdriver.Driver[pgx.Tx] { return riverpgxv5.New(d.pool) }
func (d postgres) session() session                   { return pgxSession{d.pool, d} }
func (d postgres) in(tx pgx.Tx) session               { return pgxSession{tx, d} }
func (d postgres) schema() string                     { return d.name }

func (d postgres) tables() string {
	return "CREATE SCHEMA IF NOT EXISTS " + d.name + ";\n" + strings.NewReplacer(
		"INTEGER PRIMARY KEY AUTOINCREMENT", "BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY",
		"INTEGER", "BIGINT",
		") STRICT;", ");",
	).Replace(tables)
}

// transact tries again after a deadlock: two processes that record the same requests in
// another order wait for each other. The loser waits until the winner may have passed.
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
		if pg := new(pgconn.PgError); !errors.As(err, &pg) || pg.Code != "40P01" {
			return err
		}
		select {
		case <-time.After(rand.N(300 * time.Millisecond)): //nolint:gosec // Chance needs no secrecy.
		case <-ctx.Done():
			return err
		}
	}
	return err
}

// overwrite leaves it to VACUUM, as Postgres does.
func (postgres) overwrite(context.Context) error { return nil }

// migrating holds a lock of the session's, since River migrates in transactions of its own.
// The session is none of the pool's: those that wait for the lock could hold all of it.
func (d postgres) migrating(ctx context.Context, f func(context.Context) error) error {
	cfg := d.pool.Config()
	if cfg.BeforeConnect != nil {
		if err := cfg.BeforeConnect(ctx, cfg.ConnConfig); err != nil {
			return err
		}
	}
	c, err := pgx.ConnectConfig(ctx, cfg.ConnConfig)
	if err != nil {
		return err
	}
	defer c.Close(context.WithoutCancel(ctx)) //nolint:errcheck // It unlocks in any case.
	const lock = 0x6a706179                   // "jpay"
	if _, err := c.Exec(ctx, "SELECT pg_advisory_lock($1)", lock); err != nil {
		return err
	}
	return f(ctx)
}

type pgxSession struct {
	db interface {
		Exec(ctx context.Context, query string, args ...any) (pgconn.CommandTag, error)
		Query(ctx context.Context, query string, args ...any) (pgx.Rows, error)
	}
	in postgres
}

// qualify puts the schema before the names of the tables, once for each statement.
func (d postgres) qualify(statement string) string {
	if text, done := d.qualified.Load(statement); done {
		return text.(string)
	}
	text := tableName.ReplaceAllString(statement, "${1}"+d.name+".${2}")
	d.qualified.Store(statement, text)
	return text
}

// tableName finds the tables, and not the indexes, which take their table's schema.
var tableName = regexp.MustCompile(`(FROM |INTO |UPDATE |TABLE IF NOT EXISTS | ON |REFERENCES )(jpayment_)`)

func (pgxSession) forUpdate() string { return " FOR UPDATE" }

func (s pgxSession) exec(ctx context.Context, statement string, args ...any) (int64, error) {
	tag, err := s.db.Exec(ctx, s.in.qualify(statement), args...)
	return tag.RowsAffected(), err
}

func (s pgxSession) query(ctx context.Context, statement string, args ...any) (rows, error) {
	return s.db.Query(ctx, s.in.qualify(statement), args...)
}

package cli

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/spf13/cobra"

	"github.com/jpayment-go/jpayment"
	"github.com/jpayment-go/jpayment/cmd/jpayment/internal/console"
	"github.com/jpayment-go/jpayment/cmd/jpayment/internal/jobtext"
	"github.com/jpayment-go/jpayment/fulfilment"
)

// queue is a [fulfilment.Queue] on either database.
type queue interface {
	Migrate(ctx context.Context) error
	CheckTables(ctx context.Context) error
	Check(ctx context.Context, r fulfilment.Request) (fulfilment.Job, error)
	EnqueueAll(ctx context.Context, rs []fulfilment.Request) ([]fulfilment.Job, error)
	Job(ctx context.Context, op jpayment.Operation, paymentID string) (fulfilment.Job, error)
	Jobs(ctx context.Context, f fulfilment.Filter) ([]fulfilment.Job, error)
	Attempts(ctx context.Context, jobID int64) ([]fulfilment.Attempt, error)
	Status(ctx context.Context, batch string) (fulfilment.Status, error)
	Decisions(ctx context.Context, jobID int64) ([]fulfilment.Decision, error)
	Review(ctx context.Context, jobID int64, d fulfilment.Decision) (fulfilment.Job, error)
	ReviewAll(ctx context.Context, ds map[int64]fulfilment.Decision) ([]fulfilment.Job, error)
	AfterRestore(ctx context.Context) (reviews int64, err error)
	Pause(ctx context.Context, why string) error
	Resume(ctx context.Context) error
	Run(ctx context.Context, g jpayment.Gateway, cfg fulfilment.WorkerConfig) error
	Settle(ctx context.Context, k *jpayment.Kickback) error
	Health() fulfilment.Health
}

// addDatabaseFlags adds the flags of the commands that keep jobs.
func addDatabaseFlags(cmd *cobra.Command, lang console.Lang) {
	addSettingsFlags(cmd, lang)
	f := cmd.Flags()
	f.String("database", "", lang.In("SQLite file, or Postgres database without a password as postgres://… or 'host=… dbname=…'; defaults to jpayment/jpayment.db in the user's data directory [JPAYMENT_DATABASE]",
		"SQLite ファイル、または Postgres データベース（postgres://… または 'host=… dbname=…'、パスワードなし）。既定はユーザーデータディレクトリの jpayment/jpayment.db [JPAYMENT_DATABASE]"))
	f.String("schema", "", lang.In("Postgres schema for the tables; defaults to jpayment [JPAYMENT_SCHEMA]", "テーブルを置く Postgres のスキーマ。既定は jpayment [JPAYMENT_SCHEMA]"))
}

// The two ways to name a Postgres database: a URL, or key=value pairs as in libpq.
var (
	postgresURL   = regexp.MustCompile(`(?i)^\s*postgres(ql)?:`)
	postgresPairs = regexp.MustCompile(`(?i)(?:^|\s)(host|hostaddr|port|dbname|user|password|passfile|service|servicefile|sslmode)\s*=`)
)

// isPostgres reports whether a database is a Postgres one, however it is spelt. A file of
// such a name is never meant; its name would contain the password.
func isPostgres(database string) bool {
	return postgresURL.MatchString(database) || postgresPairs.MatchString(database)
}

// hasPassword reports whether the name of a database may contain a password.
func hasPassword(database string) bool {
	switch {
	case postgresURL.MatchString(database):
	case postgresPairs.MatchString(database):
		return strings.Contains(strings.ToLower(database), "password")
	default:
		return false
	}
	u, understood := parsePostgresURL(database)
	if !understood {
		return true
	}
	_, given := u.User.Password()
	return given || strings.Contains(strings.ToLower(u.RawQuery), "password")
}

// databaseName returns the name of the database, without what must not be shown.
func (s settings) databaseName() string {
	database := s.database.Reveal()
	if !isPostgres(database) {
		return database
	}
	if !postgresURL.MatchString(database) {
		return pairsName(database)
	}
	u, understood := parsePostgresURL(database)
	if !understood {
		return "postgres"
	}
	shown := url.URL{Scheme: u.Scheme, Host: u.Host, Path: u.Path}
	if name := u.User.Username(); name != "" {
		shown.User = url.User(name)
	}
	return shown.String()
}

// parsePostgresURL parses the URL of a database, and reports whether it is valid. With
// fewer than two slashes the parts of a URL are not what they seem.
func parsePostgresURL(database string) (u *url.URL, understood bool) {
	database = strings.TrimSpace(database)
	u, err := url.Parse(database)
	return u, err == nil && strings.Contains(database, "://")
}

// pairsName returns the database that key=value pairs name, as a URL without its secrets
// and options.
func pairsName(database string) string {
	config, err := parsePostgres(database)
	if err != nil {
		return "postgres"
	}
	c := config.ConnConfig
	shown := url.URL{Scheme: "postgres", Host: net.JoinHostPort(c.Host, strconv.Itoa(int(c.Port))), Path: "/" + c.Database}
	if strings.HasPrefix(c.Host, "/") { // a directory with a socket
		shown.Host, shown.RawQuery = "", url.Values{"host": {c.Host}}.Encode()
	}
	if c.User != "" {
		shown.User = url.User(c.User)
	}
	return shown.String()
}

// parsePostgres parses the name of a Postgres database. Its errors may quote it.
func parsePostgres(database string) (*pgxpool.Config, error) {
	database = strings.TrimSpace(database)
	if postgresURL.MatchString(database) {
		scheme, rest, isURL := strings.Cut(database, "://")
		if !isURL {
			return nil, errors.New("no slashes")
		}
		return pgxpool.ParseConfig(strings.ToLower(scheme) + "://" + rest)
	}
	for _, key := range postgresPairs.FindAllStringSubmatch(database, -1) {
		if key[1] != strings.ToLower(key[1]) { // To Postgres this is a different key.
			return nil, fmt.Errorf("%s is not in small letters", key[1])
		}
	}
	return pgxpool.ParseConfig(database)
}

// keys returns the kickback keys. The first one signs.
func (s settings) keys() (keys [][]byte) {
	for key := range strings.SplitSeq(s.kickbackKeys.Reveal(), ",") {
		keys = append(keys, []byte(key))
	}
	return keys
}

// databaseSettings returns the settings of a command that uses the database. The store is
// given and the database is named.
func databaseSettings(cmd *cobra.Command) (settings, error) {
	w := worldOf(cmd)
	s, err := readSettings(cmd)
	s.flags = sameFlags(cmd)
	switch {
	case err != nil:
		return s, err
	case s.store == "":
		return s, noStore()
	case s.database.Reveal() != "":
		return s, nil
	case s.url != "":
		// An operation at another gateway must not count as done at the real one.
		return s, console.Usagef("no database: a gateway other than the real one needs a database of its own; give --database or JPAYMENT_DATABASE",
			"データベースがありません。本番以外の決済ゲートウェイを使うときは、--database または JPAYMENT_DATABASE で専用のデータベースを指定してください")
	case w.dataDir == "":
		return s, console.Usagef("no database: give --database, JPAYMENT_DATABASE, or database in the configuration file",
			"データベースがありません。--database、JPAYMENT_DATABASE、または設定ファイルの database で指定してください")
	}
	s.database = jpayment.NewSecret(filepath.Join(w.dataDir, "jpayment", "jpayment.db"))
	return s, nil
}

// use is the purpose for which a command opens a database.
type use int

const (
	toLook    use = iota // or record decisions: the tables must exist and are not changed
	toWork               // a missing file is created, and the tables are updated
	toMigrate            // the same, by the caller
)

// openQueue opens the database. Only commands that send change its tables or create it: a
// mistyped path must not look like a store without jobs, and looking at a store must not
// hold up its workers.
func openQueue(ctx context.Context, s settings, cfg fulfilment.Config, use use) (q queue, closeIt func(), err error) {
	cfg.StoreID, cfg.KickbackWait, cfg.ProductionOnly, cfg.Charset, cfg.Schema = s.store, s.kickbackWait, s.productionOnly, s.charset, s.schema
	if isPostgres(s.database.Reveal()) {
		q, closeIt, err = openPostgres(ctx, s, cfg)
	} else {
		q, closeIt, err = openFile(s, cfg, use != toLook)
	}
	if err != nil {
		return nil, nil, err
	}
	switch use {
	case toLook:
		err = q.CheckTables(ctx)
	case toWork:
		err = q.Migrate(ctx)
	case toMigrate: // The caller does it.
	}
	if err != nil {
		closeIt()
		return nil, nil, console.Failedf("database %s: %s", "データベース %s: %s", s.databaseName(), jobtext.Failure(err, s.flags))
	}
	return q, closeIt, nil
}

func openPostgres(ctx context.Context, s settings, cfg fulfilment.Config) (queue, func(), error) {
	config, err := parsePostgres(s.database.Reveal())
	if err != nil { // It may quote the password.
		return nil, nil, console.Usagef("database: the name of the Postgres database cannot be parsed; its form is postgres://USER@HOST:PORT/NAME", "Postgres データベースの指定が読めません。形式は postgres://ユーザー@ホスト:ポート/名前 です")
	}
	config.MaxConns = max(config.MaxConns, int32(s.concurrency)+4) //nolint:gosec // It is at most 64.
	pool, err := pgxpool.NewWithConfig(ctx, config)
	if err != nil {
		return nil, nil, err
	}
	q, err := fulfilment.NewPostgres(pool, cfg)
	if err != nil {
		pool.Close()
		return nil, nil, wrongFields(err)
	}
	return q, pool.Close, nil
}

func openFile(s settings, cfg fulfilment.Config, create bool) (queue, func(), error) {
	path := s.database.Reveal()
	if strings.Contains(path, "://") { // It may contain a password.
		return nil, nil, console.Usagef("database: the only URL allowed is postgres://USER@HOST:PORT/NAME; give a SQLite database as a file name",
			"データベースの URL は postgres://ユーザー@ホスト:ポート/名前 だけが使えます。SQLite はファイル名で指定してください")
	}
	if _, err := os.Stat(path); errors.Is(err, os.ErrNotExist) && !create {
		return nil, nil, console.Usagef("the database %s does not exist", "データベース %s がありません", path)
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, nil, wrongDatabase(err)
	}
	db, err := fulfilment.OpenSQLite(path)
	if err != nil {
		return nil, nil, wrongDatabase(err)
	}
	q, err := fulfilment.NewSQLite(db, cfg)
	if err != nil {
		return nil, nil, errors.Join(wrongFields(err), db.Close())
	}
	return q, func() { _ = db.Close() }, nil // Every commit is on disk.
}

// wrongDatabase returns the error of a path where there can be no database.
func wrongDatabase(err error) error {
	return console.Usagef("database: %s", "データベース: %s", console.What(err))
}

// databaseFailed returns the error of an open database that has failed.
func databaseFailed(err error) error {
	return console.Failedf("database: %s", "データベース: %s", console.WithNext(err))
}

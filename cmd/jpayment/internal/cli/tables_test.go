package cli

import (
	"context"
	"database/sql"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/jpayment-go/jpayment"
	"github.com/jpayment-go/jpayment/cmd/jpayment/internal/console"
	"github.com/jpayment-go/jpayment/fulfilment"
)

// schemaOf returns the schema in the flags of a test, and nothing on SQLite.
func schemaOf(flags []string) string {
	if len(flags) < 4 {
		return ""
	}
	return flags[3]
}

// execute runs statements in the database of the flags, as another program does. Table
// names are written with the prefix jpayment.
func execute(t *testing.T, flags []string, statements string) {
	t.Helper()
	schema := schemaOf(flags)
	if schema == "" {
		db, err := fulfilment.OpenSQLite(flags[1])
		require.NoError(t, err)
		defer db.Close()
		_, err = db.ExecContext(t.Context(), strings.ReplaceAll(statements, "jpayment.", ""))
		require.NoError(t, err)
		return
	}
	ctx := context.WithoutCancel(t.Context())
	conn, err := pgx.Connect(ctx, flags[1])
	require.NoError(t, err)
	defer conn.Close(ctx)
	_, err = conn.Exec(ctx, strings.ReplaceAll(statements, "jpayment.", schema+"."))
	require.NoError(t, err)
}

// firstVersion returns the statements for the tables of the first version.
func firstVersion(t *testing.T, flags []string) string {
	t.Helper()
	dialect := "sqlite"
	if schemaOf(flags) != "" {
		dialect = "postgres"
	}
	all, err := fulfilment.MigrationSQL(dialect, schemaOf(flags), 0)
	require.NoError(t, err)
	rest, err := fulfilment.MigrationSQL(dialect, schemaOf(flags), 1)
	require.NoError(t, err)
	return strings.TrimSuffix(all, rest)
}

// Read-only commands report what is wrong with the tables and how to correct it, and change
// nothing.
func TestLookingDoesNotMigrate(t *testing.T) {
	t.Parallel()
	databases(t, func(t *testing.T, flags []string) {
		s := session{vars: map[string]string{"JPAYMENT_STORE": "123456"}}
		if schemaOf(flags) == "" { // Otherwise there is not even a file.
			execute(t, flags, "")
		}
		looks := func(want string) {
			for _, command := range []string{"status", "review", "desk --listen 127.0.0.1:0", "restore-check --yes", "review --export " + filepath.Join(t.TempDir(), "r.csv")} {
				for lang, next := range map[string]string{"en": "next: jpayment migrate --database ", "ja": "次の手順: jpayment migrate --database "} {
					r := s.run(t, append(append(strings.Fields(command), "--lang", lang), flags...)...)
					require.Equal(t, console.Failed, r.status, "%s: %s", command, r.stderr)
					require.Contains(t, r.stderr, next, command)
					if lang == "en" {
						require.Contains(t, r.stderr, want, command)
					}
				}
			}
		}
		looks("the tables do not exist")
		looks("the tables do not exist")
		execute(t, flags, firstVersion(t, flags))
		looks("the tables have version 1 and not version")

		migrate := func(lang string) ran { return s.run(t, append([]string{"migrate", "--lang", lang}, flags...)...) }
		r := migrate("en")
		require.Equal(t, console.Done, r.status, r.stderr)
		require.Contains(t, r.stderr, "the tables have version 1 and not version")
		require.Contains(t, r.stdout, "the tables are current")
		r = migrate("ja")
		require.Equal(t, console.Done, r.status)
		require.Empty(t, r.stderr)
		require.Contains(t, r.stdout, "最新のバージョン")
		require.Equal(t, console.Done, s.run(t, append([]string{"status"}, flags...)...).status)

		execute(t, flags, "UPDATE jpayment.jpayment_version SET version = 99")
		for _, command := range []string{"status", "migrate"} {
			r := s.run(t, append([]string{command}, flags...)...)
			require.Equal(t, console.Failed, r.status)
			require.Contains(t, r.stderr, "use the newer version of the program")
		}
	})
}

// A database is created with one command.
func TestMigrateFromNothing(t *testing.T) {
	t.Parallel()
	databases(t, func(t *testing.T, flags []string) {
		s := session{vars: map[string]string{"JPAYMENT_STORE": "123456"}}
		r := s.run(t, append([]string{"migrate"}, flags...)...)
		require.Equal(t, console.Done, r.status, r.stderr)
		require.Contains(t, r.stderr, "the tables do not exist")
		require.Equal(t, console.Done, s.run(t, append([]string{"review"}, flags...)...).status)
	})
}

// The statements are those of the package, in the schema, with a note on River's tables.
func TestMigrateSQL(t *testing.T) {
	t.Parallel()
	databases(t, func(t *testing.T, flags []string) {
		s := session{vars: map[string]string{"JPAYMENT_STORE": "123456"}}
		sql := func(more ...string) ran {
			return session{}.run(t, append(append([]string{"migrate", "--sql"}, flags...), more...)...)
		}
		if schemaOf(flags) == "" {
			execute(t, flags, "")
		}
		for lang, word := range map[string]string{"en": "River's own tool", "ja": "River のツール"} {
			r := sql("--lang", lang)
			require.Equal(t, console.Done, r.status, r.stderr)
			require.Contains(t, r.stdout, word)
			require.Contains(t, r.stdout, "river migrate-up --database-url ")
		}
		r := sql()
		require.NotContains(t, r.stdout, " jpayment.")
		execute(t, flags, r.stdout)
		require.Equal(t, console.Done, s.run(t, append([]string{"status"}, flags...)...).status)
		require.Equal(t, console.Done, s.run(t, append([]string{"migrate"}, flags...)...).status, "River's are left")
	})
	s := session{}
	first := s.run(t, "migrate", "--sql", "--dialect", "sqlite").stdout
	second := s.run(t, "migrate", "--sql", "--dialect", "sqlite", "--from", "1").stdout
	require.Less(t, len(second), len(first))
	require.NotContains(t, second, "version 0")
	require.Contains(t, s.run(t, "migrate", "--sql", "--dialect", "postgres", "--schema", "orders").stdout, "orders.jpayment_job")
	for args, want := range map[string]string{
		"--sql":                                           "--dialect is missing",
		"--sql --dialect mysql":                           "--dialect is neither sqlite nor postgres",
		"--sql --dialect sqlite --from 99":                "--from is not between 0 and",
		"--sql --dialect postgres --schema x-y":           "--schema has characters other",
		"--from 1 --store 123456 --database x.db":         "--from can be used only with --sql",
		"--dialect sqlite --store 123456 --database x.db": "--dialect can be used only with --sql",
	} {
		r := s.run(t, append([]string{"migrate"}, strings.Fields(args)...)...)
		require.Equal(t, console.Usage, r.status, args)
		require.Contains(t, r.stderr, want)
	}
}

// restored is a store whose database was restored from a backup in which a job is open that
// has been sent since.
func restored(t *testing.T) (d desk, flags []string, file string) {
	t.Helper()
	d = newDesk(t, 2)
	d.user = "keiri"
	database := d.vars["JPAYMENT_DATABASE"]
	d.RegisterIPs()
	file = d.write(t, "a.csv", "operation,payment,reference\nsales,10000001,order-1\nsales,10000002,order-2\n")
	require.Equal(t, console.Failed, d.run(t, "run", file, "--yes").status)
	d.with(func(ctx context.Context, q *fulfilment.Queue[*sql.Tx]) error { return q.Resume(ctx) })
	backup := filepath.Join(d.dir, "backup.db")
	execute(t, []string{"--database", database}, "VACUUM INTO '"+backup+"'")
	d.RegisterIPs(anywhere)
	require.Equal(t, console.Done, d.run(t, "run", file, "--yes").status)
	require.FileExists(t, database+".seen")
	for _, beside := range []string{"-wal", "-shm"} {
		require.NoError(t, os.RemoveAll(database+beside))
	}
	require.NoError(t, os.Rename(backup, database))
	return d, nil, file
}

// After a restore nothing is sent until a person has confirmed.
func TestRestoreCheck(t *testing.T) {
	t.Parallel()
	for _, lang := range []console.Lang{console.English, console.Japanese} {
		t.Run(string(lang), func(t *testing.T) {
			t.Parallel()
			d, _, file := restored(t)
			sent := len(d.Requests())
			var runs []ran
			for _, c := range []struct {
				args   string
				status int
			}{
				{"work", console.Failed},
				{"run " + file + " --yes", console.Failed},
				{"restore-check", console.Usage},
				{"restore-check --yes", console.Done},
				{"restore-check --yes", console.Done},
				{"status", console.Done},
				{"run " + file + " --yes", console.Unknown},
			} {
				r := d.run(t, append(strings.Fields(c.args), "--lang", string(lang))...)
				require.Equal(t, c.status, r.status, "%s: %s", c.args, r.stderr)
				if strings.HasPrefix(c.args, "work") {
					last := r.stderr[strings.LastIndex(strings.TrimSpace(r.stderr), "\n")+1:]
					require.Contains(t, last, "jpayment restore-check")
					continue // Its lines have times.
				}
				runs = append(runs, d.masked(r))
			}
			golden(t, "restore-check-"+string(lang), runs...)
			require.Len(t, d.Requests(), sent, "nothing was sent twice")
		})
	}
}

// The confirmation is required.
func TestRestoreCheckAsks(t *testing.T) {
	t.Parallel()
	d, _, _ := restored(t)
	d.terminal, d.input = console.Terminals{In: true, Err: true}, "no\n"
	r := d.run(t, "restore-check")
	require.Equal(t, console.Failed, r.status)
	require.Contains(t, r.stderr, "nothing was changed")
	require.Contains(t, d.run(t, "status", "--json").stdout, `"waiting":2,`)
	d.input = "yes\n"
	require.Contains(t, d.run(t, "restore-check").stdout, "jobs moved into review: 2")
}

// The witness has its default place, and can be disabled.
func TestWitness(t *testing.T) {
	t.Parallel()
	databases(t, func(t *testing.T, flags []string) {
		d := newDesk(t, 1)
		d.stateDir = filepath.Join(d.dir, "state")
		file := d.write(t, "a.csv", "operation,payment,reference\nsales,10000001,order-1\n")
		run := func(more ...string) ran {
			return d.run(t, append(append([]string{"run", file, "--yes"}, flags...), more...)...)
		}
		require.Equal(t, console.Usage, run("--witness", filepath.Join(d.dir, "none", "w")).status)
		own := filepath.Join(d.dir, "own.seen")
		require.Equal(t, console.Done, run("--witness", own).status)
		require.FileExists(t, own)
		require.NoError(t, os.Remove(own))
		d.vars["JPAYMENT_WITNESS"] = own
		execute(t, flags, "UPDATE jpayment.jpayment_job SET state = 'waiting', holds = 1") // There is a job to send.
		run("--witness", "")
		require.NoFileExists(t, own)
		delete(d.vars, "JPAYMENT_WITNESS")

		execute(t, flags, "UPDATE jpayment.jpayment_job SET state = 'waiting', holds = 1")
		run()
		seen := flags[1] + ".seen"
		if schemaOf(flags) != "" {
			found, err := filepath.Glob(filepath.Join(d.stateDir, "jpayment", "postgres-*.seen"))
			require.NoError(t, err)
			require.Len(t, found, 1)
			seen = found[0]

		}
		text, err := os.ReadFile(seen)
		require.NoError(t, err)
		var ages map[string]map[string]int64
		require.NoError(t, json.Unmarshal(text, &ages))
		ages["123456"]["mark"] += 1000
		text, err = json.Marshal(ages)
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(seen, text, 0o600))
		execute(t, flags, "UPDATE jpayment.jpayment_job SET state = 'waiting', holds = 1")
		for lang, want := range map[string]string{"en": "next: jpayment restore-check --database", "ja": "次の手順: jpayment restore-check --database"} {
			r := run("--lang", lang)
			require.Equal(t, console.Failed, r.status, r.stderr)
			require.Contains(t, r.stderr, want)
		}
	})
	one := settings{database: jpayment.NewSecret("postgres://a@db.example:5433/orders"), schema: "x"}
	two := settings{database: jpayment.NewSecret("host=db.example port=5433 dbname=orders user=b"), schema: "x"}
	dir := t.TempDir()
	first, none, err := one.witnessFile(dir)
	require.NoError(t, err)
	require.Empty(t, none)
	second, _, err := two.witnessFile(dir)
	require.NoError(t, err)
	require.Equal(t, first, second, "it is the same database")
	two.schema = "y"
	second, _, err = two.witnessFile(dir)
	require.NoError(t, err)
	require.NotEqual(t, first, second)
	_, none, err = one.witnessFile("")
	require.NoError(t, err)
	require.NotEmpty(t, none)
	require.NoError(t, os.WriteFile(first, nil, 0o600))
	_, none, err = one.witnessFile(first) // It is not a directory.
	require.NoError(t, err)
	require.NotEmpty(t, none)
}

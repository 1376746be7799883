package cli

import (
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/jpayment-go/jpayment/cmd/jpayment/internal/console"
	"github.com/jpayment-go/jpayment/fulfilment"
)

func newMigrateCommand(lang console.Lang) *cobra.Command {
	var (
		sql     bool
		dialect string
		from    int
	)
	cmd := &cobra.Command{
		Use:   "migrate",
		Short: lang.In("Create or update the tables", "テーブルを作成または更新する"),
		Long: lang.In(`Create the tables of the database, including River's, or update those of an earlier version.
If they are current, nothing changes. The only other commands that change tables are run and
work. On Postgres, the migration waits up to 30 seconds for transactions that use the tables.

With --sql, no database is opened. The statements for the tables of jpayment are written to
standard output, for your own migration tool; run them in one transaction. --from leaves out
those that a version already has. River's tables are not included: the first lines of the
output show the command of River's own tool that creates them.

Exit status: 0 tables current, or statements written, 1 the database failed, 2 usage error.`,
			`データベースのテーブルを、River のものも含めて作成するか、以前のバージョンから更新します。最新であれば、何も変更
しません。このコマンドのほかにテーブルを変更するのは run と work だけです。Postgres では、テーブルを使用中の
トランザクションの終了を最大30秒待ちます。

--sql を指定すると、データベースを開かずに、jpayment のテーブルの SQL を標準出力に書き出します。お使いの移行ツール
で実行できます。--from は、すでに適用済みのバージョンの分を除きます。1つのトランザクションで実行してください。
River のテーブルは含みません。出力の先頭に記載のとおり、River のツールで作成してください。

終了ステータスは、0 最新である、または書き出した、1 データベースの異常、2 使い方の誤り です。`),
		Example: `  jpayment migrate --store 123456
  jpayment migrate --sql --dialect postgres --schema orders
  jpayment migrate --sql --dialect sqlite --from 1`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if sql {
				return migrationSQL(cmd, dialect, from)
			}
			for _, name := range []string{"dialect", "from"} {
				if cmd.Flags().Changed(name) {
					return console.Usagef("--%s can be used only with --sql", "--%s は --sql とともに指定してください", name)
				}
			}
			return migrate(cmd)
		},
	}
	addDatabaseFlags(cmd, lang)
	f := cmd.Flags()
	f.BoolVar(&sql, "sql", false, lang.In("write the statements and change nothing", "SQL を書き出し、何も変更しない"))
	f.StringVar(&dialect, "dialect", "", lang.In("with --sql: sqlite or postgres; defaults to the kind of the database", "--sql とともに指定。sqlite または postgres。既定は指定のデータベースの種類"))
	f.IntVar(&from, "from", 0, lang.In("with --sql: the version that the tables already have", "--sql とともに指定。適用済みのテーブルのバージョン"))
	complete(cmd, "dialect", "sqlite", "postgres")
	return cmd
}

func migrate(cmd *cobra.Command) error {
	c, ctx := worldOf(cmd).console(), cmd.Context()
	s, err := databaseSettings(cmd)
	if err != nil {
		return err
	}
	q, closeQueue, err := openQueue(ctx, s, fulfilment.Config{}, toMigrate)
	if err != nil {
		return err
	}
	defer closeQueue()
	if stale := q.CheckTables(ctx); stale != nil {
		fmt.Fprintln(c.Stderr, c.Lang.Of(console.Textf("database %s: %s", "データベース %s: %s", s.databaseName(), console.What(stale))))
	}
	if err := q.Migrate(ctx); err != nil {
		return console.Failedf("database %s: %s", "データベース %s: %s", s.databaseName(), console.WithNext(err))
	}
	fmt.Fprintf(c.Stdout, "%s %s\n", c.OutMark(console.Good), c.Lang.Of(console.Textf("database %s: the tables are current (version %d)",
		"データベース %s: テーブルは最新のバージョン %d です", s.databaseName(), fulfilment.SchemaVersion)))
	return nil
}

// migrationSQL writes the statements for a migration tool of your own.
func migrationSQL(cmd *cobra.Command, dialect string, from int) error {
	s, err := readSettings(cmd)
	if err != nil {
		return err
	}
	if dialect == "" {
		switch database := s.database.Reveal(); {
		case database == "":
			return console.Usagef("--dialect is missing: sqlite or postgres", "--dialect に sqlite または postgres を指定してください")
		case isPostgres(database):
			dialect = "postgres"
		default:
			dialect = "sqlite"
		}
	}
	text, err := fulfilment.MigrationSQL(dialect, s.schema, from)
	if err != nil {
		return wrongFields(err)
	}
	schema := s.schema
	if schema == "" {
		schema = "jpayment"
	}
	river := "river migrate-up --database-url postgres://USER@HOST:PORT/NAME --schema " + schema
	if dialect == "sqlite" {
		river = "river migrate-up --database-url sqlite://FILE"
	}
	_, err = fmt.Fprint(cmd.OutOrStdout(), worldOf(cmd).lang.Of(console.Textf(
		`-- Tables of jpayment (fulfilment), %[1]s, from version %[2]d to %[3]d. Run all of it in one
-- transaction. Create River's tables afterwards, with River's own tool:
--   %[4]s
-- or with jpayment migrate, which then changes nothing else.

`, `-- jpayment（fulfilment）のテーブル（%[1]s、バージョン %[2]d から %[3]d まで）。すべてを1つのトランザクションで実行する。
-- River のテーブルは、その後に River のツールで作成する:
--   %[4]s
-- または jpayment migrate で作成する（ほかには何も変更しない）。

`, dialect, from, fulfilment.SchemaVersion, river)))
	if err == nil {
		_, err = io.WriteString(cmd.OutOrStdout(), text)
	}
	return err
}

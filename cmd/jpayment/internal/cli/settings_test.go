package cli

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/spf13/cobra"
	"github.com/stretchr/testify/require"

	"github.com/jpayment-go/jpayment"
	"github.com/jpayment-go/jpayment/cmd/jpayment/internal/console"
)

// writeConfig writes a configuration file and returns its path.
func writeConfig(t *testing.T, text string, mode os.FileMode) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "config.toml")
	require.NoError(t, os.WriteFile(path, []byte(text), mode))
	require.NoError(t, os.Chmod(path, mode)) // whatever the umask
	return path
}

// settle returns the settings of a command.
func settle(t *testing.T, s session, args ...string) (settings, error) {
	t.Helper()
	var got settings
	var err error
	root := newRootCommand(console.English)
	sales, _, findErr := root.Find([]string{"sales"})
	require.NoError(t, findErr)
	sales.RunE = func(cmd *cobra.Command, _ []string) error {
		got, err = readSettings(cmd)
		return nil
	}
	s.env = func(name string) string { return s.vars[name] }
	root.SetArgs(append([]string{"sales", "1"}, args...))
	require.NoError(t, root.ExecuteContext(withWorld(t.Context(), s.world)))
	return got, err
}

// A flag overrides the environment, which overrides the file.
func TestPrecedence(t *testing.T) {
	t.Parallel()
	home := t.TempDir()
	require.NoError(t, os.Mkdir(filepath.Join(home, "jpayment"), 0o700))
	text := `
store = "000003"
url = "https://file.example"
timeout = "3s"
charset = "shift_jis"
connection_auth = "file"
production_only = true
`
	require.NoError(t, os.WriteFile(filepath.Join(home, "jpayment", "config.toml"), []byte(text), 0o600))
	vars := map[string]string{
		"JPAYMENT_STORE": "000002", "JPAYMENT_URL": "https://env.example", "JPAYMENT_TIMEOUT": "2s", "JPAYMENT_CHARSET": "utf-8",
		"JPAYMENT_CONNECTION_AUTH": "env", "JPAYMENT_PRODUCTION_ONLY": "false",
	}
	flags := []string{"--store", "000001", "--url", "https://flag.example", "--timeout", "1s", "--charset", "Shift_JIS", "--production-only"}
	inFile := world{configDir: home}

	s, err := settle(t, session{world: inFile})
	require.NoError(t, err)
	require.Equal(t, settings{store: "000003", url: "https://file.example", timeout: 3e9, charset: jpayment.ShiftJIS, connectionAuth: s.connectionAuth, productionOnly: true}, s)
	require.Equal(t, "file", s.connectionAuth.Reveal())

	s, err = settle(t, session{world: inFile, vars: vars})
	require.NoError(t, err)
	require.Equal(t, settings{store: "000002", url: "https://env.example", timeout: 2e9, charset: jpayment.UTF8, connectionAuth: s.connectionAuth, productionOnly: false}, s)
	require.Equal(t, "env", s.connectionAuth.Reveal())

	s, err = settle(t, session{world: inFile, vars: vars}, flags...)
	require.NoError(t, err)
	require.Equal(t, settings{store: "000001", url: "https://flag.example", timeout: 1e9, charset: jpayment.ShiftJIS, connectionAuth: s.connectionAuth, productionOnly: true}, s)

	s, err = settle(t, session{world: inFile}, "--production-only=false")
	require.NoError(t, err)
	require.False(t, s.productionOnly)

	s, err = settle(t, session{})
	require.NoError(t, err)
	require.Equal(t, settings{}, s)

	other := writeConfig(t, `store = "000004"`, 0o600)
	third := writeConfig(t, `store = "000005"`, 0o600)
	s, err = settle(t, session{world: inFile, vars: map[string]string{"JPAYMENT_CONFIG": other}})
	require.NoError(t, err)
	require.Equal(t, "000004", s.store)
	require.Empty(t, s.url, "one file is read, not two")
	s, err = settle(t, session{world: inFile, vars: map[string]string{"JPAYMENT_CONFIG": other}}, "--config", third)
	require.NoError(t, err)
	require.Equal(t, "000005", s.store)
}

// The settings of the commands that use the database come from the same places.
func TestDatabaseSettings(t *testing.T) {
	t.Parallel()
	read := func(s session, args ...string) settings {
		var got settings
		root := newRootCommand(console.English)
		cmd, _, err := root.Find([]string{"work"})
		require.NoError(t, err)
		cmd.RunE = func(cmd *cobra.Command, _ []string) (err error) {
			got, err = databaseSettings(cmd)
			return err
		}
		s.env = func(name string) string { return s.vars[name] }
		root.SetArgs(append([]string{"work"}, args...))
		require.NoError(t, root.ExecuteContext(withWorld(t.Context(), s.world)))
		return got
	}
	text := fmt.Sprintf(`
store = "123456"
database = "file.db"
schema = "file"
rate = "1.5"
concurrency = "1"
kickback_key = "%s"
kickback_wait = "1m"
witness = "file.seen"

[panel]
payment_column = "決済番号"
status_column = "状態"
done_if = ["実売上"]
again_if = ["仮売上"]
`, strings.Repeat("f", 32))
	vars := map[string]string{"JPAYMENT_CONFIG": writeConfig(t, text, 0o600)}
	panel := panelConfig{PaymentColumn: "決済番号", StatusColumn: "状態", DoneIf: []string{"実売上"}, AgainIf: []string{"仮売上"}}
	s := read(session{vars: vars})
	require.Equal(t, "file.db", s.database.Reveal())
	require.Equal(t, settings{
		store: "123456", database: s.database, schema: "file", rate: 1.5, concurrency: 1, kickbackKeys: s.kickbackKeys, kickbackWait: time.Minute,
		witness: "file.seen", panel: panel,
	}, s)
	require.Equal(t, [][]byte{[]byte(strings.Repeat("f", 32))}, s.keys())

	vars["JPAYMENT_DATABASE"], vars["JPAYMENT_SCHEMA"], vars["JPAYMENT_RATE"], vars["JPAYMENT_CONCURRENCY"] = "env.db", "env", "2", "2"
	vars["JPAYMENT_KICKBACK_KEY"], vars["JPAYMENT_KICKBACK_WAIT"] = strings.Repeat("e", 32)+","+strings.Repeat("o", 33), "2m"
	vars["JPAYMENT_WITNESS"] = "env.seen"
	s = read(session{vars: vars})
	require.Equal(t, "env.db", s.database.Reveal())
	require.Equal(t, settings{
		store: "123456", database: s.database, schema: "env", rate: 2, concurrency: 2, kickbackKeys: s.kickbackKeys, kickbackWait: 2 * time.Minute,
		witness: "env.seen", panel: panel,
	}, s)
	require.Len(t, s.keys(), 2)

	s = read(session{vars: vars}, "--database", "flag.db", "--schema", "flag", "--rate", "3", "--concurrency", "3", "--kickback-wait", "3m", "--kickback-listen", "127.0.0.1:0", "--witness", "")
	require.Equal(t, "flag.db", s.database.Reveal())
	require.Equal(t, settings{
		store: "123456", database: s.database, schema: "flag", rate: 3, concurrency: 3, kickbackKeys: s.kickbackKeys, kickbackWait: 3 * time.Minute, kickbackListen: "127.0.0.1:0",
		noWitness: true, panel: panel, flags: " --database flag.db --schema flag",
	}, s)
}

func TestWrongSettings(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		config string
		mode   os.FileMode
		args   string
		want   string
	}{
		{`stroe = "canary"`, 0o600, "", "unknown settings: stroe"},
		{"[store]\nid = \"canary\"", 0o600, "", "store has the wrong type"},
		{`store = 123456`, 0o600, "", "line 1, column 9: store has the wrong type; put text in quotes"},
		{`store = canary`, 0o600, "", "line 1, column 9: not valid TOML"},
		{"connection_auth = \"canary", 0o600, "", "not valid TOML"},
		{"[panel]\ncolumn = \"canary\"", 0o600, "", "unknown settings: panel.column"},
		{"[panel]\ndone_if = \"canary\"", 0o600, "", "panel.done_if has the wrong type"},
		{`timeout = "canary"`, 0o600, "", "timeout must be a positive time"},
		{`timeout = "-1s"`, 0o600, "", "timeout must be a positive time"},
		{`charset = "canary"`, 0o600, "", "charset must be utf-8 or shift_jis"},
		{`database = "postgres://a:canary@h/x"`, 0o640, "", "other users can read it, and it contains a password in database"},
		{`kickback_key = "canary"`, 0o640, "", "other users can read it, and it contains kickback_key"},
		{`kickback_key = "canary"`, 0o600, "", "a kickback key has fewer than 32 characters"},
		{`rate = "canary"`, 0o600, "", "rate must be a number of calls"},
		{`concurrency = "canary"`, 0o600, "", "concurrency must be a whole number"},
		{`kickback_wait = "canary"`, 0o600, "", "kickback-wait must be a positive time"},
		{`connection_auth = "canary"`, 0o640, "", "other users can read it, and it contains connection_auth"},
		{`store = "123456"`, 0o620, "", "other users can write to it"},
		{strings.Repeat("#", maxConfigFile+1), 0o600, "", "is longer than 64 KiB"},
		{"", 0o600, "--config /nowhere/config.toml", "no such file"},
		{"", 0o600, "--config /", "configuration: "},
		{"", 0o600, "--timeout 5", "--timeout: timeout must be a positive time"},
	} {
		if runtime.GOOS == "windows" && c.mode != 0o600 {
			continue
		}
		s := session{vars: map[string]string{"JPAYMENT_CONFIG": writeConfig(t, c.config, c.mode)}}
		_, err := settle(t, s, strings.Fields(c.args)...)
		require.ErrorContains(t, err, c.want)
		require.NotContains(t, err.Error(), canary)
	}
	_, err := settle(t, session{vars: map[string]string{"JPAYMENT_PRODUCTION_ONLY": "canary"}})
	require.EqualError(t, err, "JPAYMENT_PRODUCTION_ONLY: production-only must be true or false")

	// Without a secret in it, others can read it.
	_, err = settle(t, session{vars: map[string]string{"JPAYMENT_CONFIG": writeConfig(t, `store = "123456"`, 0o644)}})
	require.NoError(t, err)
}

// Like ssh, the command rejects a file that somebody else may have written.
func TestConfigOfSomebodyElse(t *testing.T) {
	t.Parallel()
	if runtime.GOOS == "windows" {
		t.Skip("modes say nothing there")
	}
	const text = `store = "123456"`
	from := func(path string) error {
		_, err := settle(t, session{vars: map[string]string{"JPAYMENT_CONFIG": path}})
		return err
	}
	inDir := func(mode os.FileMode, below string) string {
		dir := t.TempDir()
		require.NoError(t, os.MkdirAll(filepath.Join(dir, below), 0o700))
		path := filepath.Join(dir, below, "config.toml")
		require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
		require.NoError(t, os.Chmod(dir, mode))
		return path
	}
	require.NoError(t, from(inDir(0o700, "")))
	require.NoError(t, from(inDir(0o777|os.ModeSticky, "")), "nobody can replace it there")
	for _, below := range []string{"", "jpayment"} {
		path := inDir(0o777, below)
		err := from(path)
		require.ErrorContains(t, err, "everyone can write to the directory "+strings.TrimSuffix(filepath.Dir(path), "/jpayment"))
		require.Regexp(t, `\p{Hiragana}`, console.What(err).Ja)
	}
	link := filepath.Join(t.TempDir(), "link.toml")
	require.NoError(t, os.Symlink(inDir(0o777, ""), link))
	require.ErrorContains(t, from(link), "everyone can write to the directory", "what a link leads to counts")
	open := t.TempDir()
	link = filepath.Join(open, "link.toml")
	require.NoError(t, os.Symlink(writeConfig(t, text, 0o600), link))
	require.NoError(t, os.Chmod(open, 0o777))
	require.ErrorContains(t, from(link), "everyone can write to the directory "+open, "and so does where it stands")

	require.False(t, foreign(1000, 1000))
	require.False(t, foreign(0, 1000), "root may write anyway")
	require.True(t, foreign(1001, 1000))
	require.True(t, foreign(1000, 0))
	if os.Getuid() == 0 { // Only root can give a file to another user.
		path := writeConfig(t, text, 0o600)
		require.NoError(t, os.Chown(path, 1000, -1))
		err := from(path)
		require.ErrorContains(t, err, "it belongs to another user")
		require.Regexp(t, `\p{Hiragana}`, console.What(err).Ja)
	}
}

// A name that looks like a database server is one, and never becomes a file.
func TestDatabaseServers(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		database       string
		server, secret bool
		name           string // as shown
	}{
		{"jobs.db", false, false, "jobs.db"},
		{"./host=a", false, false, "./host=a"},
		{"/var/lib/host/jobs.db", false, false, "/var/lib/host/jobs.db"},
		{`C:\jobs\a=b.db`, false, false, `C:\jobs\a=b.db`},
		{"postgres://me@db.example:5433/pay", true, false, "postgres://me@db.example:5433/pay"},
		{"Postgres://me@db.example/pay", true, false, "postgres://me@db.example/pay"},
		{"POSTGRESQL://me:canary@db.example/pay", true, true, "postgresql://me@db.example/pay"},
		{"postgres://me@db.example/pay?password=canary", true, true, "postgres://me@db.example/pay"},
		{"host=db.example user=me dbname=pay", true, false, "postgres://me@db.example:5432/pay"},
		{" Host = db.example PASSWORD = canary", true, true, "postgres"},
		{"dbname=pay password=canary host=db.example user=me", true, true, "postgres://me@db.example:5432/pay"},
		{"password='canary' dbname=pay", true, true, ""},
		{"host=", true, false, ""},
		{"postgres:/me:canary@db.example/pay", true, true, "postgres"},
		{"postgres:me:canary@db.example/pay", true, true, "postgres"},
	} {
		require.Equal(t, c.server, isPostgres(c.database), c.database)
		require.Equal(t, c.secret, hasPassword(c.database), c.database)
		name := settings{database: jpayment.NewSecret(c.database)}.databaseName()
		require.NotContains(t, name, canary, c.database)
		if c.name != "" {
			require.Equal(t, c.name, name, c.database)
		}
	}

	for _, lang := range []string{"en", "ja"} {
		for _, c := range []struct{ database, want string }{
			{"mysql://me:canary@db.example/pay", "postgres://"},
			{"jdbc:postgresql://db.example/pay?password=canary", "postgres://"},
			{"sqlite://canary.db", "postgres://"},
			{"Host=db.example Password=canary x", "postgres://"},
			{"POSTGRES://me:canary@h:x/y", "postgres://"},
			{"postgresql:/me:canary@h/y", "postgres://"},
		} {
			dir := t.TempDir()
			s := session{vars: map[string]string{"JPAYMENT_DATABASE": c.database, "JPAYMENT_STORE": "123456"}, world: world{dataDir: dir}}
			r := s.run(t, "--lang", lang, "status")
			require.Equal(t, console.Usage, r.status, r.stderr)
			require.Contains(t, r.stderr, c.want, c.database)
			require.NotContains(t, r.stdout+r.stderr, canary)
			require.NoFileExists(t, c.database)
			if c.database != "sqlite://canary.db" {
				continue
			}
			r = s.run(t, "--lang", lang, "status", "--database", "host=h password=canary")
			require.Equal(t, console.Usage, r.status)
			require.Contains(t, r.stderr, "JPAYMENT_DATABASE")
			require.NotContains(t, r.stderr, canary)
		}
	}
}

package cli

import (
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/stretchr/testify/require"

	"github.com/jpayment-go/jpayment"
)

// writeConfig writes a configuration file and returns its path.
func writeConfig(t *testing.T, text string, mode os.FileMode) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "config.toml")
	require.NoError(t, os.WriteFile(path, []byte(text), mode))
	require.NoError(t, os.Chmod(path, mode)) // whatever the umask
	return path
}

// settle returns the settings that a command would have.
func settle(t *testing.T, s session, args ...string) (settings, error) {
	t.Helper()
	var got settings
	var err error
	root := newRootCommand(english)
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

// A flag wins over the environment, and that over the file.
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
	require.Equal(t, settings{"000003", "https://file.example", 3e9, jpayment.ShiftJIS, s.connectionAuth, true}, s)
	require.Equal(t, "file", s.connectionAuth.Reveal())

	s, err = settle(t, session{world: inFile, vars: vars})
	require.NoError(t, err)
	require.Equal(t, settings{"000002", "https://env.example", 2e9, jpayment.UTF8, s.connectionAuth, false}, s)
	require.Equal(t, "env", s.connectionAuth.Reveal())

	s, err = settle(t, session{world: inFile, vars: vars}, flags...)
	require.NoError(t, err)
	require.Equal(t, settings{"000001", "https://flag.example", 1e9, jpayment.ShiftJIS, s.connectionAuth, true}, s)

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

func TestWrongSettings(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		config string
		mode   os.FileMode
		args   string
		want   string
	}{
		{`stroe = "canary"`, 0o600, "", "unknown settings: stroe"},
		{"[store]\nid = \"canary\"", 0o600, "", "store is not of the right type"},
		{`store = 123456`, 0o600, "", "line 1, column 9: store is not of the right type; text stands in quotes"},
		{`store = canary`, 0o600, "", "line 1, column 9: is not TOML"},
		{"connection_auth = \"canary", 0o600, "", "is not TOML"},
		{`timeout = "canary"`, 0o600, "", "timeout is not a positive time"},
		{`timeout = "-1s"`, 0o600, "", "timeout is not a positive time"},
		{`charset = "canary"`, 0o600, "", "charset is neither utf-8 nor shift_jis"},
		{`connection_auth = "canary"`, 0o640, "", "others may read it, and it holds connection_auth"},
		{`store = "123456"`, 0o620, "", "others may write to it"},
		{strings.Repeat("#", maxConfigFile+1), 0o600, "", "is longer than 64 KiB"},
		{"", 0o600, "--config /nowhere/config.toml", "no such file"},
		{"", 0o600, "--config /", "configuration: "},
		{"", 0o600, "--timeout 5", "--timeout: timeout is not a positive time"},
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
	require.EqualError(t, err, "JPAYMENT_PRODUCTION_ONLY: production-only is neither true nor false")

	// Without a secret in it, others may read it.
	_, err = settle(t, session{vars: map[string]string{"JPAYMENT_CONFIG": writeConfig(t, `store = "123456"`, 0o644)}})
	require.NoError(t, err)
}

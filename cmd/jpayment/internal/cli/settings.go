package cli

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"time"

	"github.com/pelletier/go-toml/v2"
	"github.com/spf13/cobra"

	"github.com/jpayment-go/jpayment"
)

// settings say which store to speak for and how. Each is taken from its flag, else
// from its environment variable, else from the configuration file.
type settings struct {
	store          string
	url            string
	timeout        time.Duration // 0 for the default
	charset        jpayment.Charset
	connectionAuth jpayment.Secret
	productionOnly bool

	// These are for the commands that keep jobs.
	database     jpayment.Secret // a path, or a URL that may hold a password
	schema       string
	rate         float64 // 0 for the default, as concurrency
	concurrency  int
	kickbackKeys jpayment.Secret
	kickbackWait time.Duration
	// kickbackListen is a flag only.
	kickbackListen string
}

// configFile is the configuration file. A pointer is nil where nothing is said.
type configFile struct {
	Store          *string `toml:"store"`
	URL            *string `toml:"url"`
	Timeout        *string `toml:"timeout"`
	Charset        *string `toml:"charset"`
	ConnectionAuth *string `toml:"connection_auth"`
	ProductionOnly *bool   `toml:"production_only"`
	Database       *string `toml:"database"`
	Schema         *string `toml:"schema"`
	Rate           *string `toml:"rate"`
	Concurrency    *string `toml:"concurrency"`
	KickbackKey    *string `toml:"kickback_key"`
	KickbackWait   *string `toml:"kickback_wait"`
}

// secret tells whether the file holds what only its owner may read.
func (c configFile) secret() (name string) {
	switch {
	case c.ConnectionAuth != nil:
		return "connection_auth"
	case c.KickbackKey != nil:
		return "kickback_key"
	case c.Database != nil && hasPassword(*c.Database):
		return "a password in database"
	default:
		return ""
	}
}

// addSettingsFlags adds the flags of the settings. The connection authentication code
// has none: the arguments of a process are for everybody to see.
func addSettingsFlags(cmd *cobra.Command, lang string) {
	f := cmd.Flags()
	f.String("store", "", in(lang, "store ID (aid), six digits [JPAYMENT_STORE]", "店舗ID（aid）、半角数字6桁 [JPAYMENT_STORE]"))
	f.String("url", "", in(lang, "base URL of the gateway, by default the real one [JPAYMENT_URL]", "ゲートウェイのURL。既定は本番 [JPAYMENT_URL]"))
	f.String("timeout", "", in(lang, "time for one attempt, such as 30s [JPAYMENT_TIMEOUT]", "1回の試行の制限時間（30s など） [JPAYMENT_TIMEOUT]"))
	f.String("charset", "", in(lang, "character set of what is sent: utf-8 (default) or shift_jis [JPAYMENT_CHARSET]", "送信する文字コード。utf-8（既定）または shift_jis [JPAYMENT_CHARSET]"))
	f.String("config", "", in(lang, "configuration file; by default jpayment/config.toml in the user's configuration directory [JPAYMENT_CONFIG]", "設定ファイル。既定はユーザー設定ディレクトリの jpayment/config.toml [JPAYMENT_CONFIG]"))
	complete(cmd, "charset", "utf-8", "shift_jis")
}

// readSettings returns the settings of a command. Its errors name the place and never
// show what stands there, which may be a secret in the wrong line.
func readSettings(cmd *cobra.Command) (settings, error) {
	w := worldOf(cmd)
	path, named := config(cmd)
	file, err := readConfigFile(path, named)
	if err != nil {
		return settings{}, err
	}
	// take returns a setting and the name of its source.
	take := func(flag, variable string, fromFile *string) (value, source string) {
		if f := cmd.Flags().Lookup(flag); f != nil && f.Changed {
			return f.Value.String(), "--" + flag
		}
		if v := w.env(variable); v != "" {
			return v, variable
		}
		if fromFile != nil {
			return *fromFile, path
		}
		return "", ""
	}
	var s settings
	s.store, _ = take("store", "JPAYMENT_STORE", file.Store)
	s.url, _ = take("url", "JPAYMENT_URL", file.URL)
	code, _ := take("", "JPAYMENT_CONNECTION_AUTH", file.ConnectionAuth)
	s.connectionAuth = jpayment.NewSecret(code)

	if timeout, source := take("timeout", "JPAYMENT_TIMEOUT", file.Timeout); timeout != "" {
		if s.timeout, err = time.ParseDuration(timeout); err != nil || s.timeout <= 0 {
			return settings{}, usageError(source + ": timeout is not a positive time such as 30s")
		}
	}
	switch charset, source := take("charset", "JPAYMENT_CHARSET", file.Charset); strings.ToLower(charset) {
	case "", "utf-8":
	case "shift_jis":
		s.charset = jpayment.ShiftJIS
	default:
		return settings{}, usageError(source + ": charset is neither utf-8 nor shift_jis")
	}
	var inFile *string
	if file.ProductionOnly != nil {
		text := strconv.FormatBool(*file.ProductionOnly)
		inFile = &text
	}
	if only, source := take("production-only", "JPAYMENT_PRODUCTION_ONLY", inFile); only != "" {
		if s.productionOnly, err = strconv.ParseBool(only); err != nil {
			return settings{}, usageError(source + ": production-only is neither true nor false")
		}
	}
	return s, s.readQueue(take, file)
}

// readQueue reads what the commands that keep jobs need.
func (s *settings) readQueue(take func(flag, variable string, fromFile *string) (value, source string), file configFile) (err error) {
	database, source := take("database", "JPAYMENT_DATABASE", file.Database)
	if source == "--database" && hasPassword(database) {
		return usageError("--database: a password is not for the command line, which everybody on this machine can read; set JPAYMENT_DATABASE, or database in the configuration file")
	}
	s.database = jpayment.NewSecret(database)
	s.schema, _ = take("schema", "JPAYMENT_SCHEMA", file.Schema)
	if rate, source := take("rate", "JPAYMENT_RATE", file.Rate); rate != "" {
		if s.rate, err = strconv.ParseFloat(rate, 64); err != nil || !(s.rate > 0 && s.rate <= 1000) {
			return usageError(source + ": rate is not a number of calls per second above 0 and up to 1000")
		}
	}
	if concurrency, source := take("concurrency", "JPAYMENT_CONCURRENCY", file.Concurrency); concurrency != "" {
		if s.concurrency, err = strconv.Atoi(concurrency); err != nil || s.concurrency < 1 || s.concurrency > 64 {
			return usageError(source + ": concurrency is not a whole number between 1 and 64")
		}
	}
	keys, source := take("", "JPAYMENT_KICKBACK_KEY", file.KickbackKey)
	for key := range strings.SplitSeq(keys, ",") {
		if keys != "" && len(key) < 32 {
			return usageError(source + ": a kickback key has less than 32 characters")
		}
	}
	s.kickbackKeys = jpayment.NewSecret(keys)
	if s.kickbackListen, source = take("kickback-listen", "", nil); s.kickbackListen != "" && keys == "" {
		return usageError(source + ": notices are verified by a key: set JPAYMENT_KICKBACK_KEY, or kickback_key in the configuration file")
	}
	if wait, source := take("kickback-wait", "JPAYMENT_KICKBACK_WAIT", file.KickbackWait); wait != "" {
		if s.kickbackWait, err = time.ParseDuration(wait); err != nil || s.kickbackWait <= 0 {
			return usageError(source + ": kickback-wait is not a positive time such as 10m")
		}
		if keys == "" {
			return usageError(source + ": kickback-wait needs the key that signs the requests: set JPAYMENT_KICKBACK_KEY, or kickback_key in the configuration file")
		}
	}
	return nil
}

// config returns the path of the configuration file, and whether somebody named it.
func config(cmd *cobra.Command) (path string, named bool) {
	w := worldOf(cmd)
	if f := cmd.Flags().Lookup("config"); f.Changed {
		return f.Value.String(), true
	}
	if path := w.env("JPAYMENT_CONFIG"); path != "" {
		return path, true
	}
	if w.configDir == "" {
		return "", false
	}
	return filepath.Join(w.configDir, "jpayment", "config.toml"), false
}

// maxConfigFile bounds the configuration file in bytes.
const maxConfigFile = 64 << 10

// readConfigFile reads the file, which must be there if it was named.
func readConfigFile(path string, named bool) (configFile, error) {
	if path == "" && !named {
		return configFile{}, nil
	}
	f, err := os.Open(path) //nolint:gosec // The user's own file, by the user's own choice.
	if errors.Is(err, os.ErrNotExist) && !named {
		return configFile{}, nil
	}
	if err != nil {
		return configFile{}, usageError("configuration: " + err.Error())
	}
	defer f.Close() //nolint:errcheck // Nothing was written.
	info, err := f.Stat()
	if err != nil {
		return configFile{}, usageError("configuration: " + err.Error())
	}
	text, err := io.ReadAll(io.LimitReader(f, maxConfigFile+1))
	if err != nil {
		return configFile{}, usageError("configuration: " + err.Error())
	}
	if len(text) > maxConfigFile {
		return configFile{}, usageError(path + ": is longer than 64 KiB")
	}
	var c configFile
	if err := toml.NewDecoder(bytes.NewReader(text)).DisallowUnknownFields().Decode(&c); err != nil {
		return configFile{}, usageError(path + ": " + describeTOML(err))
	}
	if reason := tooOpen(info.Mode(), c); reason != "" {
		return configFile{}, usageError(path + ": " + reason)
	}
	return c, nil
}

// describeTOML says where a file is wrong. The decoder's own words may quote it.
func describeTOML(err error) string {
	var (
		unknown *toml.StrictMissingError
		decode  *toml.DecodeError
	)
	switch {
	case errors.As(err, &unknown):
		keys := make([]string, len(unknown.Errors))
		for i, e := range unknown.Errors {
			keys[i] = strings.Join(e.Key(), ".")
		}
		return "unknown settings: " + strings.Join(keys, ", ")
	case errors.As(err, &decode):
		line, column := decode.Position()
		where := fmt.Sprintf("line %d, column %d: ", line, column)
		if key := decode.Key(); len(key) > 0 {
			return where + strings.Join(key, ".") + " is not of the right type; text stands in quotes"
		}
		return where + "is not TOML; text stands in quotes"
	default:
		return "is not TOML"
	}
}

// tooOpen says why others than its owner have too much power over a file, or nothing.
// Who may write to it chooses where payments are sent.
func tooOpen(mode os.FileMode, c configFile) string {
	switch {
	case runtime.GOOS == "windows": // The mode says nothing there.
		return ""
	case mode.Perm()&0o022 != 0:
		return "others may write to it; chmod 600 it"
	case mode.Perm()&0o077 != 0 && c.secret() != "":
		return "others may read it, and it holds " + c.secret() + "; chmod 600 it"
	default:
		return ""
	}
}

// options returns the settings as options of a client.
func (s settings) options() []jpayment.Option {
	opts := []jpayment.Option{jpayment.WithCharset(s.charset), jpayment.WithUserAgent("jpayment-go (command line)")}
	if s.url != "" {
		opts = append(opts, jpayment.WithBaseURL(s.url))
	}
	if s.timeout != 0 {
		opts = append(opts, jpayment.WithTimeout(s.timeout))
	}
	if code := s.connectionAuth.Reveal(); code != "" {
		opts = append(opts, jpayment.WithConnectionAuth(code))
	}
	if s.productionOnly {
		opts = append(opts, jpayment.WithProductionOnly())
	}
	if keys := s.keys(); s.kickbackWait > 0 {
		opts = append(opts, jpayment.WithKickbackKey(keys[0]))
	}
	return opts
}

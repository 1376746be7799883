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
	"unicode"
	"unicode/utf8"

	"github.com/pelletier/go-toml/v2"
	"github.com/spf13/cobra"

	"github.com/jpayment-go/jpayment"
	"github.com/jpayment-go/jpayment/cmd/jpayment/internal/console"
)

// settings are the store and how to reach its gateway and database. Each comes from its
// flag, otherwise from its environment variable, otherwise from the configuration file.
type settings struct {
	store          string
	url            string
	timeout        time.Duration // 0 for the default
	charset        jpayment.Charset
	connectionAuth jpayment.Secret
	productionOnly bool

	// These are for the commands that use the database.
	database     jpayment.Secret // a path, or a URL that may contain a password
	schema       string
	rate         float64 // 0 for the default, as concurrency
	concurrency  int
	kickbackKeys jpayment.Secret
	kickbackWait time.Duration
	// kickbackListen is a flag only.
	kickbackListen string
	// witness is the file that was named, or empty. An explicitly empty name disables the
	// witness.
	witness   string
	noWitness bool
	panel     panelConfig

	flags string // of a command that uses the database, see [sameFlags]
}

// panelConfig describes an export of the gateway's control panel, whose columns are not
// published.
type panelConfig struct {
	PaymentColumn string   `toml:"payment_column"`
	StatusColumn  string   `toml:"status_column"`
	DoneIf        []string `toml:"done_if"`
	NotDoneIf     []string `toml:"not_done_if"`
	AgainIf       []string `toml:"again_if"`
}

// configFile is the configuration file. A pointer is nil if the setting is absent.
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
	Witness        *string `toml:"witness"`

	Panel panelConfig `toml:"panel"`
}

// secret names the secret in the file that only its owner may read, or nothing.
func (c configFile) secret() (name console.Text) {
	switch {
	case c.ConnectionAuth != nil:
		return console.Textf("connection_auth", "connection_auth")
	case c.KickbackKey != nil:
		return console.Textf("kickback_key", "kickback_key")
	case c.Database != nil && hasPassword(*c.Database):
		return console.Textf("a password in database", "database のパスワード")
	default:
		return name
	}
}

// addSettingsFlags adds the flags of the settings. The connection authentication code has
// no flag, since everyone on the machine can see the arguments of a process.
func addSettingsFlags(cmd *cobra.Command, lang console.Lang) {
	f := cmd.Flags()
	f.String("store", "", lang.In("store ID (aid), six digits [JPAYMENT_STORE]", "店舗ID（aid）、半角数字6桁 [JPAYMENT_STORE]"))
	f.String("url", "", lang.In("base URL of the gateway; defaults to the real one [JPAYMENT_URL]", "決済ゲートウェイのURL。既定は本番 [JPAYMENT_URL]"))
	f.String("timeout", "", lang.In("timeout of one attempt, such as 30s; defaults to 60s [JPAYMENT_TIMEOUT]", "1回の試行のタイムアウト（30s など）。既定は60s [JPAYMENT_TIMEOUT]"))
	f.String("charset", "", lang.In("character set of requests: utf-8 (default) or shift_jis [JPAYMENT_CHARSET]", "送信する文字コード。utf-8（既定）または shift_jis [JPAYMENT_CHARSET]"))
	f.String("config", "", lang.In("configuration file; defaults to jpayment/config.toml in the user's configuration directory [JPAYMENT_CONFIG]", "設定ファイル。既定はユーザー設定ディレクトリの jpayment/config.toml [JPAYMENT_CONFIG]"))
	complete(cmd, "charset", "utf-8", "shift_jis")
}

// readSettings returns the settings of a command. Its errors name the source and never
// quote the value, which may be a misplaced secret.
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
			return settings{}, console.Usagef("%s: timeout must be a positive time such as 30s", "%s: timeout には 30s のような正の時間を指定してください", source)
		}
	}
	switch charset, source := take("charset", "JPAYMENT_CHARSET", file.Charset); strings.ToLower(charset) {
	case "", "utf-8":
	case "shift_jis":
		s.charset = jpayment.ShiftJIS
	default:
		return settings{}, console.Usagef("%s: charset must be utf-8 or shift_jis", "%s: charset には utf-8 または shift_jis を指定してください", source)
	}
	var inFile *string
	if file.ProductionOnly != nil {
		text := strconv.FormatBool(*file.ProductionOnly)
		inFile = &text
	}
	if only, source := take("production-only", "JPAYMENT_PRODUCTION_ONLY", inFile); only != "" {
		if s.productionOnly, err = strconv.ParseBool(only); err != nil {
			return settings{}, console.Usagef("%s: production-only must be true or false", "%s: production-only には true または false を指定してください", source)
		}
	}
	return s, s.readQueue(take, file)
}

// readQueue reads the settings of the commands that use the database.
func (s *settings) readQueue(take func(flag, variable string, fromFile *string) (value, source string), file configFile) (err error) {
	database, source := take("database", "JPAYMENT_DATABASE", file.Database)
	if source == "--database" && hasPassword(database) {
		return console.Usagef("--database: a password on the command line can be read by everyone on this machine; set JPAYMENT_DATABASE, or database in the configuration file",
			"--database にパスワードは指定できません（コマンドラインは、このマシンのほかのユーザーにも見えます）。JPAYMENT_DATABASE、または設定ファイルの database で指定してください")
	}
	s.database = jpayment.NewSecret(database)
	s.schema, _ = take("schema", "JPAYMENT_SCHEMA", file.Schema)
	s.witness, source = take("witness", "JPAYMENT_WITNESS", file.Witness)
	s.noWitness = source != "" && s.witness == ""
	s.panel = file.Panel
	if rate, source := take("rate", "JPAYMENT_RATE", file.Rate); rate != "" {
		if s.rate, err = strconv.ParseFloat(rate, 64); err != nil || !(s.rate > 0 && s.rate <= 1000) {
			return console.Usagef("%s: rate must be a number of calls per second above 0 and up to 1000", "%s: rate には1秒あたりのリクエスト数を、0より大きく1000以下で指定してください", source)
		}
	}
	if concurrency, source := take("concurrency", "JPAYMENT_CONCURRENCY", file.Concurrency); concurrency != "" {
		if s.concurrency, err = strconv.Atoi(concurrency); err != nil || s.concurrency < 1 || s.concurrency > 64 {
			return console.Usagef("%s: concurrency must be a whole number between 1 and 64", "%s: concurrency には1から64までの整数を指定してください", source)
		}
	}
	keys, source := take("", "JPAYMENT_KICKBACK_KEY", file.KickbackKey)
	for key := range strings.SplitSeq(keys, ",") {
		if keys != "" && len(key) < 32 {
			return console.Usagef("%s: a kickback key has fewer than 32 characters", "%s: 決済結果通知の鍵が32文字未満です", source)
		}
	}
	s.kickbackKeys = jpayment.NewSecret(keys)
	if s.kickbackListen, source = take("kickback-listen", "", nil); s.kickbackListen != "" && keys == "" {
		return console.Usagef("%s: verifying kickbacks needs a key: set JPAYMENT_KICKBACK_KEY, or kickback_key in the configuration file",
			"%s: 決済結果通知の検証に使う鍵がありません。JPAYMENT_KICKBACK_KEY、または設定ファイルの kickback_key で指定してください", source)
	}
	if wait, source := take("kickback-wait", "JPAYMENT_KICKBACK_WAIT", file.KickbackWait); wait != "" {
		if s.kickbackWait, err = time.ParseDuration(wait); err != nil || s.kickbackWait <= 0 {
			return console.Usagef("%s: kickback-wait must be a positive time such as 10m", "%s: kickback-wait には 10m のような正の時間を指定してください", source)
		}
		if keys == "" {
			return console.Usagef("%s: kickback-wait needs the key that signs the requests: set JPAYMENT_KICKBACK_KEY, or kickback_key in the configuration file",
				"%s: kickback-wait にはリクエストに署名する鍵が必要です。JPAYMENT_KICKBACK_KEY、または設定ファイルの kickback_key で指定してください", source)
		}
	}
	return nil
}

// config returns the path of the configuration file, and whether it was named explicitly.
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

// readConfigFile reads the file, which must exist if it was named.
func readConfigFile(path string, named bool) (configFile, error) {
	if path == "" && !named {
		return configFile{}, nil
	}
	f, err := os.Open(path) //nolint:gosec // The user's own file, by the user's own choice.
	if errors.Is(err, os.ErrNotExist) && !named {
		return configFile{}, nil
	}
	if err != nil {
		return configFile{}, console.Usagef("configuration: %s", "設定ファイル: %s", console.What(err))
	}
	defer f.Close() //nolint:errcheck // Nothing was written.
	info, err := f.Stat()
	if err != nil {
		return configFile{}, console.Usagef("configuration: %s", "設定ファイル: %s", console.What(err))
	}
	text, err := io.ReadAll(io.LimitReader(f, maxConfigFile+1))
	if err != nil {
		return configFile{}, console.Usagef("configuration: %s", "設定ファイル: %s", console.What(err))
	}
	if len(text) > maxConfigFile {
		return configFile{}, console.Usagef("%s is longer than 64 KiB", "%s: 64 KiB を超えています", path)
	}
	var c configFile
	if err := toml.NewDecoder(bytes.NewReader(text)).DisallowUnknownFields().Decode(&c); err != nil {
		return configFile{}, console.Usagef("%s: %s", "%s: %s", path, describeTOML(err))
	}
	if reason := tooOpen(path, info, c); reason != (console.Text{}) {
		return configFile{}, console.Usagef("%s: %s", "%s: %s", path, reason)
	}
	return c, nil
}

// describeTOML describes an error in the file. The decoder's own message may quote the
// file.
func describeTOML(err error) console.Text {
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
		return console.Textf("unknown settings: %s", "不明な設定があります: %s", strings.Join(keys, ", "))
	case errors.As(err, &decode):
		line, column := decode.Position()
		if key := decode.Key(); len(key) > 0 {
			return console.Textf("line %d, column %d: %s has the wrong type; put text in quotes",
				"%d行%d文字目: %s の値の種類が違います。文字列は引用符で囲んでください", line, column, strings.Join(key, "."))
		}
		return console.Textf("line %d, column %d: not valid TOML; put text in quotes", "%d行%d文字目: TOML として読めません。文字列は引用符で囲んでください", line, column)
	default:
		return console.Textf("not valid TOML", "TOML として読めません")
	}
}

// tooOpen returns why other users have too much access to a file, or nothing. Anyone who can
// write to it, or replace it, decides where payments are sent.
func tooOpen(path string, info os.FileInfo, c configFile) (reason console.Text) {
	if runtime.GOOS == "windows" { // The mode means nothing there.
		return reason
	}
	mode := info.Mode()
	owner, known := ownerOf(info)
	switch {
	case known && foreign(owner, os.Geteuid()):
		return console.Textf("it belongs to another user", "ほかのユーザーが所有するファイルです")
	case mode.Perm()&0o022 != 0:
		return console.Textf("other users can write to it; run chmod 600 on it", "ほかのユーザーが書き込めます。chmod 600 を実行してください")
	case mode.Perm()&0o077 != 0 && c.secret() != console.Text{}:
		return console.Textf("other users can read it, and it contains %s; run chmod 600 on it", "ほかのユーザーが読めますが、%s が含まれています。chmod 600 を実行してください", c.secret())
	case mode.IsRegular(): // A pipe is in no directory.
		return replaceable(path)
	default:
		return reason
	}
}

// foreign reports whether a file's owner is neither the user nor root.
func foreign(owner, user int) bool { return owner != user && owner != 0 }

// replaceable returns the directory in which anyone can replace the path or its target, or
// nothing. In a sticky directory only the owner of a file can.
func replaceable(path string) (reason console.Text) {
	path, err := filepath.Abs(path)
	if err != nil {
		return console.What(err)
	}
	target, err := filepath.EvalSymlinks(path)
	if err != nil {
		return console.What(err)
	}
	for _, path := range []string{path, target} {
		for dir := filepath.Dir(path); ; dir = filepath.Dir(dir) {
			info, err := os.Stat(dir)
			if err != nil {
				return console.What(err)
			}
			if info.Mode().Perm()&0o002 != 0 && info.Mode()&os.ModeSticky == 0 {
				return console.Textf("everyone can write to the directory %s; run chmod o-w on it", "ディレクトリ %s に誰でも書き込めます。chmod o-w を実行してください", dir)
			}
			if dir == filepath.Dir(dir) {
				break
			}
		}
	}
	return reason
}

// options returns the settings as client options.
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

// sameFlags returns the given flags that name the store, the gateway and the database, to
// be typed after another command.
func sameFlags(cmd *cobra.Command) string {
	return typedFlags(cmd, "config", "store", "url", "database", "schema")
}

// sendingFlags also returns the flags that affect how requests are sent: without
// --production-only, for example, an approval in test mode would count.
func sendingFlags(cmd *cobra.Command) string {
	return sameFlags(cmd) + typedFlags(cmd, "production-only", "kickback-wait", "kickback-listen", "charset", "timeout", "rate", "concurrency", "witness")
}

// typedFlags returns those of the flags that were given, each after a space.
func typedFlags(cmd *cobra.Command, names ...string) string {
	var b strings.Builder
	for _, name := range names {
		f := cmd.Flags().Lookup(name)
		switch {
		case f == nil || !f.Changed:
		case f.Value.String() == "true" && f.Value.Type() == "bool":
			b.WriteString(" --" + name)
		case f.Value.Type() == "bool":
			b.WriteString(" --" + name + "=false")
		default:
			b.WriteString(" --" + name + " " + shellWord(f.Value.String()))
		}
	}
	return b.String()
}

// shellWord quotes a text as one word for a shell.
func shellWord(s string) string {
	plain := func(r rune) bool {
		return r >= '0' && r <= '9' || r >= 'A' && r <= 'Z' || r >= 'a' && r <= 'z' || strings.ContainsRune("-_./:@%+=,", r) || r > '~' && unicode.IsPrint(r)
	}
	switch {
	case !utf8.ValidString(s) || console.Printable(s) != s:
		return escapedWord(s)
	case s != "" && strings.IndexFunc(s, func(r rune) bool { return !plain(r) }) < 0:
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}

// escapedWord is shellWord for a text that a terminal would interpret. It uses the quotes
// of bash, zsh and POSIX: $'…'.
func escapedWord(s string) string {
	var b strings.Builder
	b.WriteString("$'")
	for len(s) > 0 {
		r, size := utf8.DecodeRuneInString(s)
		switch {
		case r == '\'' || r == '\\':
			b.WriteString(`\` + string(r))
		case r == utf8.RuneError && size == 1 || !unicode.IsPrint(r) && r != '\u3000':
			for _, c := range []byte(s[:size]) {
				// Three octal digits cannot absorb a digit that follows.
				fmt.Fprintf(&b, `\%03o`, c)
			}
		default:
			b.WriteRune(r)
		}
		s = s[size:]
	}
	return b.String() + "'"
}

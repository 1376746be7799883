package cli

import (
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/jpayment-go/jpayment"
	"github.com/jpayment-go/jpayment/cmd/jpayment/internal/console"
)

// witnessFile returns the file in which workers record how far the database has come, so
// that they detect a restored backup: the file that was named, one beside a SQLite file, or
// for Postgres one in a directory of the user's. It is empty if none is wanted, or if the
// directory cannot be created; the text then gives the reason.
func (s settings) witnessFile(stateDir string) (path string, none jpayment.Text, err error) {
	switch {
	case s.noWitness:
		return "", none, nil
	case s.witness != "":
		if info, err := os.Stat(filepath.Dir(s.witness)); err != nil || !info.IsDir() {
			return "", none, console.Usagef("--witness: the directory %s does not exist", "--witness: ディレクトリ %s がありません", filepath.Dir(s.witness))
		}
		return s.witness, none, nil
	case !isPostgres(s.database.Reveal()):
		return s.database.Reveal() + ".seen", none, nil
	case stateDir == "":
		return "", console.Textf("there is no user directory to put it in; name a file with --witness", "保存先のディレクトリがありません。--witness でファイルを指定してください"), nil
	}
	config, err := parsePostgres(s.database.Reveal())
	if err != nil {
		return "", none, nil //nolint:nilerr // Opening the database reports it.
	}
	dir := filepath.Join(stateDir, "jpayment")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", console.Textf("%s; name a file with --witness", "%s。--witness でファイルを指定してください", console.What(err)), nil
	}
	c := config.ConnConfig
	// The user and the options of the connection do not make it another database.
	sum := sha256.Sum256(fmt.Appendf(nil, "%s\n%d\n%s\n%s", c.Host, c.Port, c.Database, s.schema))
	return filepath.Join(dir, fmt.Sprintf("%s-%x.seen", plainName(c.Database), sum[:6])), none, nil
}

// plainName replaces the characters of a name that a file system might not accept.
func plainName(name string) string {
	return strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '-' || r == '_' {
			return r
		}
		return '_'
	}, name)
}

package cli

import (
	"io"
	"os"
	"strings"

	"github.com/jpayment-go/jpayment/cmd/jpayment/internal/console"
)

// privateFlag is a flag whose value can be read from elsewhere, since everyone on the
// machine can see the arguments of a process.
type privateFlag struct {
	flag  string
	value *string
}

// sources reads values that are given as @FILE, or as - for standard input.
type sources struct {
	stdin io.Reader
	taken bool // whether standard input was read
}

// maxInput bounds a value in bytes. A reply has at most 64 KiB.
const maxInput = 64 << 10

// value returns the value that an argument stands for, without the line break at its end.
// Errors contain the name of the argument and nothing of the value.
func (in *sources) value(name, argument string) (string, error) {
	var text string
	switch path, isFile := strings.CutPrefix(argument, "@"); {
	case isFile && strings.HasPrefix(path, "@"):
		return path, nil
	case isFile:
		f, err := os.Open(path) //nolint:gosec // The user's own file, by the user's own choice.
		if err != nil {
			return "", console.Usagef("%s: %s", "%s: %s", name, console.What(err))
		}
		defer f.Close() //nolint:errcheck // Nothing was written.
		if text, err = readInput(name, path, f); err != nil {
			return "", err
		}
	case argument == "-" && in.taken:
		return "", console.Usagef("%s: standard input is already used for another value", "%s: 標準入力は別の値に使われています", name)
	case argument == "-":
		in.taken = true
		var err error
		if text, err = readInput(name, console.Textf("standard input", "標準入力"), in.stdin); err != nil {
			return "", err
		}
	default:
		return argument, nil
	}
	text = strings.TrimSuffix(text, "\n")
	return strings.TrimSuffix(text, "\r"), nil
}

// pairs returns the arguments of --extra, with each file replaced by its lines.
func (in *sources) pairs(arguments []string) (pairs []string, err error) {
	for _, argument := range arguments {
		value, err := in.value("--extra", argument)
		if err != nil {
			return nil, err
		}
		if argument != "-" && (!strings.HasPrefix(argument, "@") || strings.HasPrefix(argument, "@@")) {
			pairs = append(pairs, value)
			continue
		}
		for line := range strings.Lines(value) {
			if line = strings.TrimRight(line, "\r\n"); line != "" {
				pairs = append(pairs, line)
			}
		}
	}
	return pairs, nil
}

// readInput reads a value from a named place.
func readInput(name string, place any, r io.Reader) (string, error) {
	b, err := io.ReadAll(io.LimitReader(r, maxInput+1))
	if err != nil {
		return "", console.Failedf("%s: %s cannot be read: %s", "%s: %sを読めません。%s", name, place, console.What(err))
	}
	if len(b) > maxInput {
		return "", console.Usagef("%s: %s is longer than 64 KiB", "%s: %sが64 KiBを超えています", name, place)
	}
	return string(b), nil
}

// notConfirmable is the error of a command that cannot ask for confirmation, because a
// value was read from standard input.
func notConfirmable() error {
	return console.Usagef("a value is read from standard input, so nobody can confirm there: give --yes",
		"標準入力から値を読むため、確認ができません。--yes を指定してください")
}

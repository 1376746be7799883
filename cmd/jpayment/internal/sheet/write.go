// Package sheet writes CSV files for spreadsheet programs, and reads files that people have
// filled in or other programs have exported.
package sheet

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"unicode"

	"golang.org/x/text/encoding/japanese"

	"github.com/jpayment-go/jpayment/cmd/jpayment/internal/runfile"
)

// WriteFile writes a file. An existing file is replaced only when the new one is complete.
func WriteFile(path string, charset runfile.Charset, write func(w *Writer) error) (err error) {
	f, err := os.CreateTemp(filepath.Dir(path), ".jpayment-report-*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = f.Close() // The error above is the one that counts.
			_ = os.Remove(f.Name())
		}
	}()
	w := NewWriter(f, charset)
	if err := write(w); err != nil {
		return err
	}
	if err := w.Flush(); err != nil {
		return err
	}
	if w.unmarked {
		if f, err = marked(f); err != nil {
			return err
		}
	}
	if err := errors.Join(f.Sync(), f.Close()); err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}

// marked copies a report into a new file that begins with [Mark].
func marked(from *os.File) (*os.File, error) {
	to, err := os.CreateTemp(filepath.Dir(from.Name()), ".jpayment-report-*")
	if err != nil {
		return from, err
	}
	_, err = from.Seek(0, io.SeekStart)
	if err == nil {
		_, err = io.WriteString(to, Mark)
	}
	if err == nil {
		_, err = io.Copy(to, from)
	}
	_ = from.Close() // It was only read.
	return to, errors.Join(err, os.Remove(from.Name()))
}

// Harmless puts an apostrophe before text that a spreadsheet program would read as a
// formula.
func Harmless(s string) string {
	if s != "" && strings.ContainsRune("=+-@＝＋－＠", []rune(s)[0]) {
		return "'" + s
	}
	return s
}

// Mark is the byte order mark by which Excel recognises UTF-8. Without it Excel reads the
// text as Shift_JIS.
const Mark = "\ufeff"

// Writer writes lines of CSV in a character set. In UTF-8, if the first line has text other
// than ASCII, it writes [Mark] before that line. If only a later line has, it sets
// unmarked.
type Writer struct {
	to      *bufio.Writer
	charset runfile.Charset
	line    bytes.Buffer
	csv     *csv.Writer
	begun   bool

	unmarked bool
}

// NewWriter returns a writer to a stream. Call Flush at the end.
func NewWriter(to io.Writer, charset runfile.Charset) *Writer {
	w := &Writer{to: bufio.NewWriter(to), charset: charset}
	w.csv = csv.NewWriter(&w.line)
	return w
}

// Write writes a line.
func (w *Writer) Write(fields []string) error {
	w.line.Reset()
	if err := w.csv.Write(fields); err != nil {
		return err
	}
	w.csv.Flush()
	line := w.line.Bytes()
	switch ascii := !bytes.ContainsFunc(line, func(r rune) bool { return r > unicode.MaxASCII }); {
	case w.charset == runfile.ShiftJIS:
		line = toShiftJIS(w.line.String())
	case w.charset == runfile.UTF8 && ascii:
	case !w.begun:
		w.charset = runfile.UTF8BOM
		if _, err := w.to.WriteString(Mark); err != nil {
			return err
		}
	case w.charset == runfile.UTF8:
		w.unmarked = true
	}
	w.begun = true
	_, err := w.to.Write(line)
	return err
}

// Flush writes any buffered data.
func (w *Writer) Flush() error { return w.to.Flush() }

// toShiftJIS encodes a text. Characters outside the character set become question marks; a
// reference read from a Shift_JIS file has none.
func toShiftJIS(s string) []byte {
	encoder := japanese.ShiftJIS.NewEncoder()
	if b, err := encoder.Bytes([]byte(s)); err == nil {
		return b
	}
	var all []byte
	for _, c := range s {
		b, err := encoder.Bytes([]byte(string(c)))
		if err != nil {
			b = []byte("?")
		}
		all = slices.Concat(all, b)
	}
	return all
}

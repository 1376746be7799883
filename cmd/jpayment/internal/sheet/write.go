// Package sheet writes the CSV files that people open in a spreadsheet program, and reads
// what they have filled in, or what another program has exported.
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

// WriteFile writes a file. What was at its path stays until the new one is whole.
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

// marked copies a report behind the mark by which Excel knows UTF-8.
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

// Harmless puts an apostrophe before what a spreadsheet program would take for a formula.
func Harmless(s string) string {
	if s != "" && strings.ContainsRune("=+-@＝＋－＠", []rune(s)[0]) {
		return "'" + s
	}
	return s
}

// Mark is what Excel knows UTF-8 by. It takes text without it for Shift_JIS.
const Mark = "\ufeff"

// Writer writes lines of CSV in a character set. In UTF-8 it writes the mark before
// what is not ASCII from its first line on, and else says that it is to be put there.
type Writer struct {
	to      *bufio.Writer
	charset runfile.Charset
	line    bytes.Buffer
	csv     *csv.Writer
	begun   bool

	unmarked bool
}

// NewWriter returns a writer to a stream, whose Flush is to be called at the end.
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

// Flush writes what is kept back.
func (w *Writer) Flush() error { return w.to.Flush() }

// toShiftJIS encodes a text. What is not in the character set becomes a question mark; a
// reference that came in it cannot be.
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

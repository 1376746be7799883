package sheet

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"errors"
	"io"
	"os"
	"slices"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding/japanese"
	"golang.org/x/text/transform"
	"golang.org/x/text/unicode/norm"

	"github.com/jpayment-go/jpayment"
	"github.com/jpayment-go/jpayment/cmd/jpayment/internal/runfile"
)

// Row is a line below the header.
type Row struct {
	Line   int
	fields []string
}

// At returns the field in a column, counted from 0, without the white space around it and
// without the apostrophe of [Harmless]. A row may be shorter than its header.
func (r Row) At(column int) string {
	if column < 0 || column >= len(r.fields) {
		return ""
	}
	field := strings.TrimSpace(r.fields[column])
	if bare, found := strings.CutPrefix(field, "'"); found && Harmless(bare) == field {
		return bare
	}
	return field
}

func (r Row) blank() bool {
	return !slices.ContainsFunc(r.fields, func(f string) bool { return strings.TrimSpace(f) != "" })
}

// Reader reads a file with a header, separated by commas, tabs or semicolons, in UTF-8 or
// Shift_JIS. A quoted field may contain line breaks.
type Reader struct {
	Charset runfile.Charset
	Header  []string // without the white space around the names

	file *os.File
	csv  *csv.Reader
}

// Open opens a file and reads its header. It picks the separator that yields the most
// columns with known names, or otherwise the most columns. The error is a [runfile.Fault]
// if the file is not of this form. The caller must close the reader.
func Open(path string, known func(name string) bool) (r *Reader, err error) {
	f, err := os.Open(path) //nolint:gosec // The user's own file, by the user's own choice.
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			_ = f.Close() // Nothing was written.
		}
	}()
	r = &Reader{file: f}
	if r.Charset, err = runfile.Detect(f); err != nil {
		return nil, err
	}
	most, comma := -1, ','
	for _, c := range []rune{',', '\t', ';'} {
		header, err := r.begin(c)
		if err != nil {
			continue // Another may work.
		}
		n := len(header)
		for _, name := range header {
			if known(name) {
				n += 1 << 20
			}
		}
		if n > most {
			most, comma = n, c
		}
	}
	if r.Header, err = r.begin(comma); err != nil {
		return nil, err
	}
	return r, nil
}

// begin reads the header from the beginning of the file.
func (r *Reader) begin(comma rune) ([]string, error) {
	if _, err := r.file.Seek(0, io.SeekStart); err != nil {
		return nil, err
	}
	var decoder transform.Transformer = transform.Nop
	if r.Charset == runfile.ShiftJIS {
		decoder = japanese.ShiftJIS.NewDecoder()
	}
	text := bufio.NewReader(transform.NewReader(r.file, decoder))
	if head, err := text.Peek(len(Mark)); err == nil && bytes.Equal(head, []byte(Mark)) {
		if _, err := text.Discard(len(Mark)); err != nil {
			return nil, err
		}
	}
	r.csv = csv.NewReader(text)
	r.csv.Comma, r.csv.FieldsPerRecord = comma, -1
	row, err := r.next()
	if errors.Is(err, io.EOF) {
		return nil, runfile.Fault{Reason: jpayment.Text{En: "has no header", Ja: "に見出し行がありません"}}
	}
	header := make([]string, len(row.fields))
	for i := range row.fields {
		header[i] = norm.NFKC.String(row.At(i))
	}
	return header, err
}

// Each calls f with each row that is not blank, until f returns an error. An error of its
// own is a [runfile.Fault] if the text is invalid.
func (r *Reader) Each(f func(Row) error) error {
	for {
		row, err := r.next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err == nil && !row.blank() {
			err = f(row)
		}
		if err != nil {
			return err
		}
	}
}

func (r *Reader) next() (Row, error) {
	fields, err := r.csv.Read()
	var parse *csv.ParseError
	switch {
	case errors.As(err, &parse):
		return Row{}, runfile.Fault{Line: parse.StartLine, Reason: jpayment.Text{
			En: `has a quotation mark (") that is not closed, or is inside a field that does not begin with one`,
			Ja: `の引用符（"）が閉じられていないか、引用符で始まらない項目の途中にあります`,
		}}
	case err != nil:
		return Row{}, err
	}
	line, _ := r.csv.FieldPos(0)
	if slices.ContainsFunc(fields, func(f string) bool { return strings.ContainsRune(f, utf8.RuneError) }) {
		return Row{}, runfile.Fault{Line: line, Reason: jpayment.Text{
			En: "has bytes that are neither UTF-8 nor Shift_JIS", Ja: "にUTF-8でもShift_JISでもないバイトがあります",
		}}
	}
	return Row{Line: line, fields: fields}, nil
}

// Close closes the file.
func (r *Reader) Close() error { return r.file.Close() }

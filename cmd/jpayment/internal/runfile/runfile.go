// Package runfile reads the files of jpayment run, which have one operation on one payment
// per line. It holds only one line in memory, however long the file is.
package runfile

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/csv"
	"errors"
	"fmt"
	"hash"
	"io"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/japanese"
	"golang.org/x/text/transform"

	"github.com/jpayment-go/jpayment"
)

func text(en, ja string) jpayment.Text { return jpayment.Text{En: en, Ja: ja} }

func textf(en, ja string, args ...any) jpayment.Text {
	return text(fmt.Sprintf(en, args...), fmt.Sprintf(ja, args...))
}

// Fault is an error in a file. It never contains a value.
type Fault struct {
	Line   int    // 0 for the whole file
	Column int    // from 1; 0 for the whole line
	Name   string // the column's, such as Payment; or empty
	Reason jpayment.Text
}

// Error returns the reason in English.
func (f Fault) Error() string { return fmt.Sprintf("line %d: %s %s", f.Line, f.Name, f.Reason.En) }

// Row is a line with an operation.
type Row struct {
	Line                  int
	Operation             jpayment.Operation // empty if it is invalid
	Payment, Reference    string
	Amount, Tax, Shipping int64
	Email, Phone          string
	columns, faulty       []string
}

// Fault returns a fault of the row in the column with the name.
func (r Row) Fault(name string, reason jpayment.Text) Fault {
	return Fault{Line: r.Line, Column: slices.Index(r.columns, name) + 1, Name: name, Reason: reason}
}

// The columns.
const (
	Operation = "operation"
	Payment   = "payment"
	Amount    = "amount"
	Tax       = "tax"
	Shipping  = "shipping"
	Reference = "reference"
	Email     = "email"
	Phone     = "phone"
)

// names maps what columns are called in files, in lower case, to our names.
var names = map[string]string{
	Operation: Operation, "処理": Operation, "処理区分": Operation,
	Payment: Payment, "決済番号": Payment,
	Amount: Amount, "金額": Amount, "決済金額": Amount,
	Tax: Tax, "税額": Tax,
	Shipping: Shipping, "送料": Shipping,
	Reference: Reference, "注文番号": Reference, "参照": Reference,
	Email: Email, "メールアドレス": Email,
	Phone: Phone, "電話番号": Phone,
}

var (
	required = []string{Operation, Payment, Reference}
	amounts  = []string{Amount, Tax, Shipping}
)

// normal normalises the name of a column for names.
func normal(name string) string { return strings.ToLower(strings.TrimSpace(name)) }

// Columns maps the names that a file has for columns to our names.
type Columns map[string]string

// ParseColumns parses NAME=COLUMN,NAME=COLUMN. Its error is a [Fault].
func ParseColumns(s string) (Columns, error) {
	columns := Columns{}
	if s == "" {
		return nil, nil //nolint:nilnil // There are none.
	}
	for pair := range strings.SplitSeq(s, ",") {
		theirs, ours, found := strings.Cut(pair, "=")
		theirs = normal(theirs)
		name, known := names[normal(ours)]
		switch {
		case !found, theirs == "":
			return nil, Fault{Reason: text("must be NAME=COLUMN,NAME=COLUMN, such as 伝票番号=reference", "は 名前=列,名前=列 の形で指定してください（例: 伝票番号=注文番号）")}
		case !known:
			return nil, Fault{Reason: textf("maps %q to none of operation, payment, amount, tax, shipping, reference, email, phone",
				"の %q に対応する列は 処理、決済番号、金額、税額、送料、注文番号、メールアドレス、電話番号 のいずれかにしてください", theirs)}
		}
		for other, taken := range columns {
			if other == theirs || taken == name {
				return nil, Fault{Reason: textf("names %q twice", "に %q が重複しています", theirs)}
			}
		}
		columns[theirs] = name
	}
	return columns, nil
}

// of returns the column that a name stands for, or nothing. If a column has been given
// another name, its own name no longer counts.
func (c Columns) of(name string) string {
	if ours, ok := c[normal(name)]; ok {
		return ours
	}
	ours := names[normal(name)]
	for _, taken := range c {
		if taken == ours {
			return ""
		}
	}
	return ours
}

var operations = map[string]jpayment.Operation{
	"sales": jpayment.OpSales, "実売上": jpayment.OpSales,
	"cancel": jpayment.OpCancel, "取消": jpayment.OpCancel,
	"reauth": jpayment.OpReAuth, "再オーソリ": jpayment.OpReAuth,
}

// Charset is the character set of a file.
type Charset int

// The character sets. ShiftJIS is Windows-31J, which is what Excel means by it.
const (
	UTF8    Charset = iota
	UTF8BOM         // with the byte order mark by which Excel recognises it
	ShiftJIS
)

// String returns the name.
func (c Charset) String() string { return [...]string{"UTF-8", "UTF-8 (BOM)", "Shift_JIS"}[c] }

const (
	bom     = "\ufeff"
	maxLine = 64 << 10
)

// Detect reads a file to the end and returns its character set, or a [Fault] if it is not
// text. A file is in UTF-8 if it has a byte order mark, if its header has Japanese in
// UTF-8, or if all of it is valid UTF-8. Otherwise it is in Shift_JIS.
func Detect(r io.Reader) (Charset, error) {
	br := bufio.NewReaderSize(r, maxLine)
	head, err := br.Peek(maxLine)
	if err != nil && !errors.Is(err, io.EOF) {
		return 0, err
	}
	header, _, _ := bytes.Cut(head, []byte("\n"))
	ascii := !bytes.ContainsFunc(header, func(r rune) bool { return r > unicode.MaxASCII })
	switch {
	case bytes.HasPrefix(head, []byte(bom)):
		return UTF8BOM, nil
	case bytes.HasPrefix(head, []byte("PK\x03\x04")), bytes.HasPrefix(head, []byte("\xd0\xcf\x11\xe0")):
		return 0, Fault{Reason: text("is an Excel workbook; save it as CSV", "はExcelブックです。CSV形式で保存してください")}
	case bytes.HasPrefix(head, []byte("\xff\xfe")), bytes.HasPrefix(head, []byte("\xfe\xff")), bytes.IndexByte(head, 0) >= 0:
		return 0, Fault{Reason: text("is in UTF-16 or is not text; save it as CSV in UTF-8 or Shift_JIS", "はUTF-16か、テキストではありません。UTF-8またはShift_JISのCSV形式で保存してください")}
	case !ascii && utf8.Valid(header):
		return UTF8, nil
	}
	_, err = io.Copy(io.Discard, transform.NewReader(br, encoding.UTF8Validator))
	if errors.Is(err, encoding.ErrInvalidUTF8) {
		return ShiftJIS, nil
	}
	return UTF8, err
}

// Reader reads the rows of a file.
type Reader struct {
	lines   *bufio.Reader
	charset Charset
	sum     hash.Hash
	line    int
	named   Columns
	comma   rune     // 0 until it is known
	columns []string // by position, empty for ignored ones; nil before the header
	unread  []string
	cut     bool // the last line has no line break at its end
	ended   bool

	fields *bufio.Reader // reused; encoding/csv would allocate one for each line
}

// NewReader returns a reader of a file in the character set. Named gives other names to
// some columns.
func NewReader(r io.Reader, c Charset, named Columns) *Reader {
	return &Reader{lines: bufio.NewReaderSize(r, maxLine), charset: c, sum: sha256.New(), named: named, fields: bufio.NewReader(nil)}
}

// Sum returns the SHA-256 of everything read so far.
func (r *Reader) Sum() [sha256.Size]byte { return [sha256.Size]byte(r.sum.Sum(nil)) }

// Unread returns the names of the ignored columns, as in the header. It is nil until a
// header with all required columns has been read.
func (r *Reader) Unread() []string { return r.unread }

// Next returns the next row and its faults, skipping blank lines. A line that is not a row,
// such as an invalid header, has only its number and faults. The error is io.EOF at the end
// of the file, and right after an invalid header.
func (r *Reader) Next() (Row, []Fault, error) {
	for {
		line, fault, err := r.next()
		if err != nil {
			return Row{}, nil, err
		}
		switch {
		case fault != nil:
			r.ended = r.columns == nil
			return Row{Line: max(r.line, 1)}, []Fault{*fault}, nil //nolint:nilerr // The fault is in the line, not in reading it.
		case strings.TrimSpace(line) == "":
			continue
		case r.columns != nil:
			row, faults := r.row(line)
			return row, faults, nil
		case r.comma == 0 && r.separator(line):
			continue
		}
		if faults := r.header(line); len(faults) > 0 {
			r.ended = true
			return Row{Line: r.line}, faults, nil
		}
	}
}

// next reads a line and decodes it.
func (r *Reader) next() (decoded string, fault *Fault, err error) {
	if r.ended {
		return "", nil, io.EOF
	}
	line, err := r.lines.ReadSlice('\n')
	r.sum.Write(line)
	if len(line) == 0 && errors.Is(err, io.EOF) && r.columns == nil {
		return "", &Fault{Reason: text("has no header", "に見出し行がありません")}, nil
	}
	if len(line) == 0 && err != nil {
		return "", nil, err
	}
	r.line++
	if errors.Is(err, bufio.ErrBufferFull) {
		for errors.Is(err, bufio.ErrBufferFull) {
			line, err = r.lines.ReadSlice('\n')
			r.sum.Write(line)
		}
		if err != nil && !errors.Is(err, io.EOF) {
			return "", nil, err
		}
		return "", &Fault{Line: r.line, Reason: text("is longer than 64 KiB", "が64 KiBを超えています")}, nil
	}
	if err != nil && !errors.Is(err, io.EOF) {
		return "", nil, err
	}
	r.cut = errors.Is(err, io.EOF)
	line = bytes.TrimSuffix(bytes.TrimSuffix(line, []byte("\n")), []byte("\r"))
	if r.line == 1 && r.charset == UTF8BOM {
		line = bytes.TrimPrefix(line, []byte(bom))
	}
	decoded, ok := r.charset.decode(line)
	if !ok {
		return "", &Fault{Line: r.line, Reason: text("has bytes that are neither UTF-8 nor Shift_JIS", "にUTF-8でもShift_JISでもないバイトがあります")}, nil
	}
	return decoded, nil, nil
}

func (c Charset) decode(b []byte) (text string, ok bool) {
	if c != ShiftJIS {
		return string(b), utf8.Valid(b)
	}
	decoded, err := japanese.ShiftJIS.NewDecoder().Bytes(b)
	return string(decoded), err == nil && !bytes.ContainsRune(decoded, utf8.RuneError)
}

// split splits a line into its fields. Fields have no line breaks, so each line is parsed
// on its own, and an unclosed quotation mark is a fault of its line only.
func (r *Reader) split(line string, comma rune) ([]string, *Fault) {
	if strings.ContainsRune(line, '\r') { // encoding/csv would treat it as white space.
		return nil, &Fault{Line: r.line, Reason: text("contains a line break", "の途中に改行文字があります")}
	}
	r.fields.Reset(strings.NewReader(line))
	c := csv.NewReader(r.fields)
	c.Comma = comma
	fields, err := c.Read()
	if err != nil {
		return nil, &Fault{Line: r.line, Reason: text(
			`has a quotation mark (") that is not closed, or is inside a field that does not begin with one`,
			`の引用符（"）が閉じられていないか、引用符で始まらない項目の途中にあります`,
		)}
	}
	return fields, nil
}

// separator parses a line such as sep=; which only names the separator, for Excel.
func (r *Reader) separator(line string) bool {
	found := separatorLine.FindStringSubmatch(line)
	if found == nil {
		return false
	}
	r.comma, _ = utf8.DecodeRuneInString(found[1])
	return true
}

var separatorLine = regexp.MustCompile(`^\s*"?(?i:sep)=([,;|\t])"?\s*$`)

// header parses the header. If the separator is not known, it picks the one that yields the
// most known columns, or otherwise the most columns.
func (r *Reader) header(line string) (faults []Fault) {
	if r.comma != 0 {
		return r.headerBy(line, r.comma)
	}
	most := -1
	for _, comma := range []rune{',', '\t', ';'} {
		other := *r
		found := other.headerBy(line, comma)
		if n := other.known()*maxLine + len(other.columns); n > most {
			most, faults = n, found
			r.comma, r.columns, r.unread = comma, other.columns, other.unread
		}
	}
	return faults
}

// known counts the columns that are read.
func (r *Reader) known() (n int) {
	for _, name := range r.columns {
		if name != "" {
			n++
		}
	}
	return n
}

func (r *Reader) headerBy(line string, comma rune) (faults []Fault) {
	fields, fault := r.split(line, comma)
	if fault != nil {
		r.columns = []string{}
		return []Fault{*fault}
	}
	for len(fields) > 0 && strings.TrimSpace(fields[len(fields)-1]) == "" {
		fields = fields[:len(fields)-1]
	}
	r.columns, r.unread = make([]string, len(fields)), nil
	var unknown []int
	for i, field := range fields {
		name := r.named.of(field)
		switch {
		case name == "":
			unknown = append(unknown, i)
			continue
		case slices.Contains(r.columns, name):
			faults = append(faults, Fault{r.line, i + 1, name, text("appears twice", "の列が重複しています")})
		}
		r.columns[i] = name
	}
	for _, theirs := range slices.Sorted(maps.Keys(r.named)) {
		ours := r.named[theirs]
		if !slices.ContainsFunc(fields, func(f string) bool { return normal(f) == theirs }) {
			faults = append(faults, Fault{r.line, 0, ours, textf("is not in the header under the name %q that --columns gives it",
				"の列が、--columns で指定された名前 %q では見出し行にありません", theirs)})
		}
	}
	var missing []Fault
	for _, name := range required {
		told := slices.ContainsFunc(faults, func(f Fault) bool { return f.Name == name })
		if !told && !slices.Contains(r.columns, name) {
			missing = append(missing, Fault{r.line, 0, name, text("is missing from the header", "の列が見出し行にありません")})
		}
	}
	for _, i := range unknown {
		if len(missing) == 0 {
			r.unread = append(r.unread, strings.TrimSpace(fields[i]))
			continue
		}
		// In a file without a header, these may be a customer's data.
		faults = append(faults, Fault{r.line, i + 1, "", text(
			"is unknown; the columns are operation, payment, amount, tax, shipping, reference, email, phone; map other names with --columns",
			"は対応していない列です。対応している列は 処理、決済番号、金額、税額、送料、注文番号、メールアドレス、電話番号 です。別の列名は --columns で対応付けられます",
		)})
	}
	return append(faults, missing...)
}

// row parses a line below the header.
func (r *Reader) row(line string) (row Row, faults []Fault) {
	row = Row{Line: r.line, columns: r.columns}
	fields, fault := r.split(line, r.comma)
	if fault != nil {
		return row, []Fault{*fault}
	}
	if !slices.ContainsFunc(fields, func(f string) bool { return strings.TrimSpace(f) != "" }) {
		return row, []Fault{{Line: r.line, Reason: text("has only separators; delete it", "が空です。行ごと削除してください")}}
	}
	value := func(name string) string {
		if i := slices.Index(r.columns, name); i >= 0 && i < len(fields) {
			return fields[i]
		}
		return ""
	}
	add := func(name string, reason jpayment.Text) {
		row.faulty = append(row.faulty, name)
		faults = append(faults, row.Fault(name, reason))
	}
	told := func(name string) bool { return slices.Contains(row.faulty, name) }

	row.Operation = operations[strings.ToLower(value(Operation))]
	if !r.fits(fields, operations[normal(value(Operation))]) {
		row.Operation = ""
		return row, []Fault{{Line: r.line, Reason: textf("has %d fields, but the header has %d", "の項目数は%dで、見出し行の%dと異なります", len(fields), len(r.columns))}}
	}
	for _, name := range []string{Operation, Payment, Reference, Amount, Tax, Shipping, Email, Phone} {
		if v := value(name); v != strings.TrimSpace(v) {
			add(name, text("has white space before or after it; remove it", "の前後に空白があります。削除してください"))
		}
	}
	if row.Operation == "" && !told(Operation) {
		add(Operation, text("is not sales, cancel or reauth", "は 実売上、取消、再オーソリ のいずれでもありません"))
	}
	row.Payment, row.Reference = value(Payment), value(Reference)
	if spoilt.MatchString(row.Payment) {
		add(Payment, text(
			"was rewritten as a number by a spreadsheet program, which loses digits and leading zeros; format the column as text and enter it again",
			"が表計算ソフトにより数値として書き換えられ、桁や先頭の0が失われています。列の書式を文字列にして入力し直してください",
		))
	}
	if row.Operation == "" {
		return row, faults
	}
	if row.Operation != jpayment.OpReAuth {
		for _, name := range []string{Amount, Tax, Shipping, Email, Phone} {
			if value(name) != "" && !told(name) {
				add(name, text("is only for reauth; leave it blank", "は再オーソリ専用です。空欄にしてください"))
			}
		}
		return row, faults
	}
	row.Email, row.Phone = value(Email), value(Phone)
	for _, a := range []struct {
		name string
		yen  *int64
	}{{Amount, &row.Amount}, {Tax, &row.Tax}, {Shipping, &row.Shipping}} {
		yen, reason := parseYen(value(a.name))
		if reason != (jpayment.Text{}) && !told(a.name) {
			add(a.name, reason)
		}
		*a.yen = yen
	}
	return row, faults
}

// fits reports whether a row has the right number of fields. Extra fields must be blank.
// Missing fields must be optional, since spreadsheet programs omit the empty cells at the
// end of some rows. In a last line without a line break no field may be missing, since the
// line may have been cut off.
func (r *Reader) fits(fields []string, op jpayment.Operation) bool {
	for i := len(r.columns); i < len(fields); i++ {
		if strings.TrimSpace(fields[i]) != "" {
			return false
		}
	}
	if len(fields) >= len(r.columns) {
		return true
	}
	return !r.cut && !slices.ContainsFunc(r.columns[len(fields):], func(name string) bool {
		return slices.Contains(required, name) || op != jpayment.OpSales && op != jpayment.OpCancel && slices.Contains(amounts, name)
	})
}

// Known reports whether a fault in the named column has already been reported, so that
// another would only repeat it. One wrong amount makes the sum of all amounts wrong.
func (r Row) Known(name string) bool {
	if slices.Contains(amounts, name) {
		return slices.ContainsFunc(r.faulty, func(f string) bool { return slices.Contains(amounts, f) })
	}
	return slices.Contains(r.faulty, name)
}

// spoilt matches what spreadsheet programs make of long numbers.
var spoilt = regexp.MustCompile(`^([0-9]+(\.[0-9]+)?[eE]\+?[0-9]+|[0-9]+\.[0-9]*|[0-9]{1,3}(,[0-9]{3})+|[0-9]{1,3}(，[0-9]{3})+)$`)

// parseYen parses an amount, or returns the reason why it is invalid.
func parseYen(s string) (yen int64, reason jpayment.Text) {
	switch {
	case s == "":
		return 0, text("is blank; a reauth needs all three amounts, even if 0", "が空欄です。再オーソリには金額・税額・送料がすべて必要です（0も記入してください）")
	case strings.ContainsFunc(s, func(r rune) bool { return r >= '０' && r <= '９' }):
		return 0, text("has full-width digits (全角); use half-width (半角) 0-9", "に全角数字があります。半角数字で記入してください")
	case strings.Trim(s, "0123456789") != "":
		return 0, text("is not a whole number of yen: use digits only, without signs, commas or units", "が円単位の整数ではありません。符号・桁区切り・単位のない半角数字で記入してください")
	}
	yen, err := strconv.ParseInt(s, 10, 64)
	if err != nil {
		return 0, text("is too large", "が大きすぎます")
	}
	return yen, jpayment.Text{}
}

// Package runfile reads the files of jpayment run, which have one operation on one payment
// a line. It keeps one line at a time in memory, however long the file is.
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

// Fault is a reason why a line is not valid. It shows no value.
type Fault struct {
	Line   int    // 0 where it is about the whole file
	Column int    // from 1; 0 where it is about the whole line
	Name   string // of the column, as Names has it; or empty
	Reason jpayment.Text
}

// Error returns the reason in English.
func (f Fault) Error() string { return fmt.Sprintf("line %d: %s %s", f.Line, f.Name, f.Reason.En) }

// Row is a line with an operation.
type Row struct {
	Line                  int
	Operation             jpayment.Operation // empty if it is at fault
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

// names are what the columns are called in files, in lower case.
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

// normal returns the name of a column as names has it.
func normal(name string) string { return strings.ToLower(strings.TrimSpace(name)) }

// Columns maps our columns to the names that a file has for them.
type Columns map[string]string

// ParseColumns reads NAME=COLUMN,NAME=COLUMN. Its error is a [Fault].
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
			return nil, Fault{Reason: text("is NAME=COLUMN,NAME=COLUMN, such as 伝票番号=reference", "は 名前=列,名前=列 の形で指定してください（例: 伝票番号=注文番号）")}
		case !known:
			return nil, Fault{Reason: textf("maps %q to something else than operation, payment, amount, tax, shipping, reference, email, phone",
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

// of returns which of our columns a name is, or nothing. Our own name is none where
// another has been given to the column.
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
	UTF8BOM         // with the mark at its beginning that Excel knows it by
	ShiftJIS
)

// String returns the name.
func (c Charset) String() string { return [...]string{"UTF-8", "UTF-8 (BOM)", "Shift_JIS"}[c] }

const (
	bom     = "\ufeff"
	maxLine = 64 << 10
)

// Detect reads a file to its end and returns its character set, or a [Fault] if it is not
// text. A file is in UTF-8 if it has a byte order mark, if its header has Japanese in
// UTF-8, or if all of it is valid UTF-8; else in Shift_JIS.
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
		return 0, Fault{Reason: text("is a workbook; save it as CSV", "はExcelブックです。CSV形式で保存してください")}
	case bytes.HasPrefix(head, []byte("\xff\xfe")), bytes.HasPrefix(head, []byte("\xfe\xff")), bytes.IndexByte(head, 0) >= 0:
		return 0, Fault{Reason: text("is in UTF-16 or no text; save it as CSV in UTF-8 or Shift_JIS", "はUTF-16か、テキストではありません。UTF-8またはShift_JISのCSV形式で保存してください")}
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
	comma   rune     // 0 before anything has said which it is
	columns []string // by their position, empty where it is not read; nil before the header
	unread  []string
	cut     bool // the last line has no line break at its end
	ended   bool

	fields *bufio.Reader // kept, as encoding/csv would make one for each line
}

// NewReader returns a reader of a file in the character set. Columns gives other names for
// some of our columns.
func NewReader(r io.Reader, c Charset, named Columns) *Reader {
	return &Reader{lines: bufio.NewReaderSize(r, maxLine), charset: c, sum: sha256.New(), named: named, fields: bufio.NewReader(nil)}
}

// Sum returns the SHA-256 of everything read so far.
func (r *Reader) Sum() [sha256.Size]byte { return [sha256.Size]byte(r.sum.Sum(nil)) }

// Unread returns the names of the columns that are not read, as the header has them. It is
// nil before a header that has all that is needed.
func (r *Reader) Unread() []string { return r.unread }

// Next returns the next row and its faults, blank lines left out. A line that is no row at
// all, such as a wrong header, has only its number and faults. The error is io.EOF at the
// end, which follows a wrong header at once.
func (r *Reader) Next() (Row, []Fault, error) {
	for {
		line, fault, err := r.next()
		if err != nil {
			return Row{}, nil, err
		}
		switch {
		case fault != nil:
			r.ended = r.columns == nil
			return Row{Line: max(r.line, 1)}, []Fault{*fault}, nil //nolint:nilerr // It is the line that is at fault, not the reading.
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

// split splits a line into its fields. Fields have no line breaks, so each line is read by
// itself, and an open quotation mark is a fault of its own line.
func (r *Reader) split(line string, comma rune) ([]string, *Fault) {
	if strings.ContainsRune(line, '\r') { // encoding/csv would take it for white space.
		return nil, &Fault{Line: r.line, Reason: text("has a line break of its own", "の途中に改行文字があります")}
	}
	r.fields.Reset(strings.NewReader(line))
	c := csv.NewReader(r.fields)
	c.Comma = comma
	fields, err := c.Read()
	if err != nil {
		return nil, &Fault{Line: r.line, Reason: text(
			`has a quotation mark (") that is not closed, or stands inside a field that does not begin with one`,
			`の引用符（"）が閉じられていないか、引用符で始まらない項目の途中にあります`,
		)}
	}
	return fields, nil
}

// separator reads a line such as sep=; that only says what stands between the fields, as
// Excel takes it.
func (r *Reader) separator(line string) bool {
	found := separatorLine.FindStringSubmatch(line)
	if found == nil {
		return false
	}
	r.comma, _ = utf8.DecodeRuneInString(found[1])
	return true
}

var separatorLine = regexp.MustCompile(`^\s*"?(?i:sep)=([,;|\t])"?\s*$`)

// header reads the first line. Without a word about it, what stands between the fields is
// what makes the most columns of ours, or else the most columns.
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
			faults = append(faults, Fault{r.line, i + 1, name, text("is there twice", "の列が重複しています")})
		}
		r.columns[i] = name
	}
	for _, theirs := range slices.Sorted(maps.Keys(r.named)) {
		ours := r.named[theirs]
		if !slices.ContainsFunc(fields, func(f string) bool { return normal(f) == theirs }) {
			faults = append(faults, Fault{r.line, 0, ours, textf("is not in the header under the name %q, which --columns gives it",
				"の列が、--columns で指定された名前 %q では見出し行にありません", theirs)})
		}
	}
	var missing []Fault
	for _, name := range required {
		told := slices.ContainsFunc(faults, func(f Fault) bool { return f.Name == name })
		if !told && !slices.Contains(r.columns, name) {
			missing = append(missing, Fault{r.line, 0, name, text("is missing in the header", "の列が見出し行にありません")})
		}
	}
	for _, i := range unknown {
		if len(missing) == 0 {
			r.unread = append(r.unread, strings.TrimSpace(fields[i]))
			continue
		}
		// What stands there may be a customer's, in a file without a header.
		faults = append(faults, Fault{r.line, i + 1, "", text(
			"is unknown; the columns are operation, payment, amount, tax, shipping, reference, email, phone, and --columns gives them other names",
			"は対応していない列です。対応している列は 処理、決済番号、金額、税額、送料、注文番号、メールアドレス、電話番号 です。別の列名は --columns で対応付けられます",
		)})
	}
	return append(faults, missing...)
}

// row reads a line below the header.
func (r *Reader) row(line string) (row Row, faults []Fault) {
	row = Row{Line: r.line, columns: r.columns}
	fields, fault := r.split(line, r.comma)
	if fault != nil {
		return row, []Fault{*fault}
	}
	if !slices.ContainsFunc(fields, func(f string) bool { return strings.TrimSpace(f) != "" }) {
		return row, []Fault{{Line: r.line, Reason: text("has nothing but separators; delete it", "が空です。行ごと削除してください")}}
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
		return row, []Fault{{Line: r.line, Reason: textf("has %d fields, and the header has %d", "の項目数は%dで、見出し行の%dと異なります", len(fields), len(r.columns))}}
	}
	for _, name := range []string{Operation, Payment, Amount, Tax, Shipping, Email, Phone} {
		if v := value(name); v != strings.TrimSpace(v) {
			add(name, text("has white space before or after it; delete it", "の前後に空白があります。削除してください"))
		}
	}
	if row.Operation == "" && !told(Operation) {
		add(Operation, text("is none of sales, cancel, reauth", "は 実売上、取消、再オーソリ のいずれでもありません"))
	}
	row.Payment, row.Reference = value(Payment), value(Reference)
	if spoilt.MatchString(row.Payment) {
		add(Payment, text(
			"was rewritten as a number by a spreadsheet program, which loses digits and leading zeros; format the column as text and enter it anew",
			"が表計算ソフトにより数値として書き換えられ、桁や先頭の0が失われています。列の書式を文字列にして入力し直してください",
		))
	}
	if row.Operation == "" {
		return row, faults
	}
	if row.Operation != jpayment.OpReAuth {
		for _, name := range []string{Amount, Tax, Shipping, Email, Phone} {
			if value(name) != "" && !told(name) {
				add(name, text("is for reauth only; leave it blank", "は再オーソリ専用です。空欄にしてください"))
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

// fits reports whether a row has as many fields as it should: what is more is blank, and
// what is less may be blank, as spreadsheet programs leave out the empty cells at the end
// of some rows. In a last line without a line break the end may be missing instead.
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

// Known reports whether a fault in the column of that name has been reported, so that what
// else is said of it would only repeat it. One amount that is wrong makes their sum wrong.
func (r Row) Known(name string) bool {
	if slices.Contains(amounts, name) {
		return slices.ContainsFunc(r.faulty, func(f string) bool { return slices.Contains(amounts, f) })
	}
	return slices.Contains(r.faulty, name)
}

// spoilt finds what spreadsheet programs make of long numbers.
var spoilt = regexp.MustCompile(`^([0-9]+(\.[0-9]+)?[eE]\+?[0-9]+|[0-9]+\.[0-9]*|[0-9]{1,3}(,[0-9]{3})+|[0-9]{1,3}(，[0-9]{3})+)$`)

// parseYen parses an amount, or returns why it is not valid.
func parseYen(s string) (yen int64, reason jpayment.Text) {
	switch {
	case s == "":
		return 0, text("is blank; a reauth needs all three amounts, 0 included", "が空欄です。再オーソリには金額・税額・送料がすべて必要です（0も記入してください）")
	case strings.ContainsFunc(s, func(r rune) bool { return r >= '０' && r <= '９' }):
		return 0, text("has full-width digits (全角); use half-width (半角) 0-9", "に全角数字があります。半角数字で記入してください")
	case strings.Trim(s, "0123456789") != "":
		return 0, text("is not a whole number of yen: digits only, without signs, commas and units", "が円単位の整数ではありません。符号・桁区切り・単位のない半角数字で記入してください")
	}
	yen, err := strconv.ParseInt(s, 10, 64)
	if err != nil {
		return 0, text("is too large to be a number of yen", "が大きすぎます")
	}
	return yen, jpayment.Text{}
}

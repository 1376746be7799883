package wire

import (
	"errors"
	"math"
	"strings"
)

// Row is a reply row split into its columns, in the order of the specification
// ("レスポンス(rt=1)仕様"). Texts are as they came.
type Row struct {
	GID, RST, AP, EC, GOD, COD string
	Amounts                    Amounts
	ID, PS                     string
	ACID                       string // column 13 of a row that has 14
	Other                      string // the last column, commas and all
}

// Amounts are am, tx, sf and their total ta.
type Amounts [4]Yen

// Yen is an amount as the gateway states it. A blank one is not given.
type Yen struct {
	Value int64
	Given bool
}

// ColumnError says which column is wrong, by the gateway's name. It never holds
// the value.
type ColumnError struct {
	Column string
	Reason string
}

func (e *ColumnError) Error() string { return e.Column + " " + e.Reason }

// The gateway's names of the columns before cod, which cannot hold a comma, and of
// Amounts.
var (
	headNames   = [...]string{"gid", "rst", "ap", "ec", "god"}
	amountNames = [...]string{"am", "tx", "sf", "ta"}
)

// maxCod bounds cod in the search for its end: 50 bytes (specification), each of
// which may be a half-width kana of one byte that takes three in UTF-8.
const maxCod = 150

// SplitRow splits a row, in UTF-8 and without its line end, into its columns.
//
// Nothing in the protocol says how a comma inside cod or inside the other data is
// treated. The columns up to god cannot hold one. Where cod ends is decided by
// the amounts behind it: a reading of the row is a place for that end from which
// am, tx, sf and ta are numbers and ta is their sum. For the plain reading, which
// ends cod at its first comma, blank amounts will do. A row with exactly one
// reading is read so. A row with several proves nothing, and is an error like one
// with none.
func SplitRow(line string) (Row, *ColumnError) {
	var head [len(headNames)]string
	rest := line
	for i, name := range headNames {
		var ok bool
		if head[i], rest, ok = cut(rest); !ok {
			return Row{}, &ColumnError{name, errCutShort.Error()}
		}
	}
	row := Row{GID: head[0], RST: head[1], AP: head[2], EC: head[3], GOD: head[4]}
	cod, after, ok := cut(rest)
	if !ok {
		return Row{}, &ColumnError{"cod", errCutShort.Error()}
	}
	plain, tail, column, err := readAmounts(after)
	row.COD, row.Amounts = cod, plain
	readings := 0
	if err == nil {
		readings = 1
	}
	// Every field is read once: last are the last four, and the given ones among them
	// that are in a row with the very last may be the amounts of another reading.
	s, last, given := tail, plain, len(plain)
	if err != nil || !plain.Complete() {
		s, given = after, 0
	}
	for s != "" {
		at := len(rest) - len(s)
		if given == 0 && at > maxCod+1 {
			break
		}
		var field string
		field, s, _ = cut(s)
		y, err := ParseYen(field)
		if err != nil || !y.Given {
			given = 0
			continue
		}
		last = Amounts{last[1], last[2], last[3], y}
		if given++; given < len(last) || last.Check() != nil {
			continue
		}
		end := at - 1
		for range len(last) - 1 {
			end = strings.LastIndexByte(rest[:end], ',')
		}
		if end > len(cod) && end <= maxCod {
			row.COD, row.Amounts, tail = rest[:end], last, s
			readings++
		}
	}
	switch readings {
	case 0:
		return Row{}, &ColumnError{column, err.Error()}
	case 1:
	default:
		return Row{}, &ColumnError{"cod", "or a column after it holds commas, and the row does not prove which numbers are the amounts"}
	}
	row.ID, tail, _ = cut(tail)
	row.PS, tail, _ = cut(tail)
	// A store setting puts the recurring-charge number in column 13 and the other
	// data in column 14 (field notes, H). The other data is key=value, so digits
	// alone, or nothing at all, before a comma are that number's column.
	if first, other, ok := cut(tail); ok && IsDigits(first) || ok && first == "" {
		row.ACID, tail = first, other
	}
	row.Other = tail
	return row, nil
}

// cut is strings.Cut at the first comma, which for fields of a few bytes is quicker in
// a loop.
func cut(s string) (before, after string, found bool) {
	for i := range len(s) {
		if s[i] == ',' {
			return s[:i], s[i+1:], true
		}
	}
	return s, "", false
}

// readAmounts reads the four amounts at the start of s and returns what comes
// after them, or the column at fault.
func readAmounts(s string) (a Amounts, tail, column string, err error) {
	for i, name := range amountNames {
		field, after, more := cut(s)
		if !more && i < len(a)-1 {
			return a, "", amountNames[i+1], errCutShort
		}
		if a[i], err = ParseYen(field); err != nil {
			return a, "", name, err
		}
		s = after
	}
	return a, s, "ta", a.Check()
}

var (
	errCutShort  = errors.New("is not there whole: the row is cut short")
	errNotDigits = errors.New("is not a number of half-width digits")
	errTooLarge  = errors.New("is too large")
	errSum       = errors.New("is not the sum of am, tx and sf")
	errNoSum     = errors.New("is not given although am, tx or sf is")
)

// ParseYen reads an amount: half-width digits that fit int64, or nothing.
func ParseYen(s string) (Yen, error) {
	if s == "" {
		return Yen{}, nil
	}
	if !IsDigits(s) {
		return Yen{}, errNotDigits
	}
	var n int64
	for i := range len(s) {
		d := int64(s[i] - '0')
		if n > (math.MaxInt64-d)/10 {
			return Yen{}, errTooLarge
		}
		n = n*10 + d
	}
	return Yen{Value: n, Given: true}, nil
}

// Check tells whether the amounts can stand together. A blank one counts nothing;
// where any is given the total must be, and it must be the sum.
func (a Amounts) Check() error {
	var sum int64
	for _, y := range a[:3] {
		if y.Value > math.MaxInt64-sum {
			return errSum
		}
		sum += y.Value
	}
	total := a[3]
	switch {
	case !total.Given && (a[0].Given || a[1].Given || a[2].Given):
		return errNoSum
	case total.Value != sum:
		return errSum
	default:
		return nil
	}
}

// Complete tells whether all four amounts are given.
func (a Amounts) Complete() bool {
	return a[0].Given && a[1].Given && a[2].Given && a[3].Given
}

// IsDigits tells whether s is one or more half-width digits.
func IsDigits(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return s != ""
}

// IsAlnum tells whether s is half-width letters and digits, or empty.
func IsAlnum(s string) bool {
	for i := range len(s) {
		if c := s[i] | 0x20; (c < 'a' || c > 'z') && (s[i] < '0' || s[i] > '9') {
			return false
		}
	}
	return true
}

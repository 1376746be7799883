package wire

import "math"

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
	Reason Text
}

func (e *ColumnError) Error() string { return e.Column + " " + e.Reason.En }

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
// the amounts behind it: a reading of the row is a comma behind which am, tx, sf and ta
// are numbers and ta is their sum. For the plain reading, which ends cod at its first
// comma, blank amounts will do. A row with exactly one reading is read so. A row with
// several proves nothing, and is an error like one with none.
func SplitRow(line string) (Row, *ColumnError) {
	var head [len(headNames)]string
	rest := line
	for i, name := range headNames {
		var ok bool
		if head[i], rest, ok = cut(rest); !ok {
			return Row{}, &ColumnError{name, *cutShort}
		}
	}
	row := Row{GID: head[0], RST: head[1], AP: head[2], EC: head[3], GOD: head[4]}
	cod, after, ok := cut(rest)
	if !ok {
		return Row{}, &ColumnError{"cod", *cutShort}
	}
	plain, tail, column, bad := readAmounts(after)
	row.COD, row.Amounts = cod, plain
	found := bad == nil
	for end := len(cod) + 1; end < len(rest) && end <= maxCod; end++ {
		if rest[end] != ',' {
			continue
		}
		amounts, behind, _, wrong := readAmounts(rest[end+1:])
		if wrong != nil || !amounts.Complete() {
			continue
		}
		if found {
			return Row{}, &ColumnError{"cod", Text{
				"or a column after it holds commas, and the row does not prove which numbers are the amounts",
				"以降の列にカンマがあり、どの数字が金額か確定できません",
			}}
		}
		row.COD, row.Amounts, tail, found = rest[:end], amounts, behind, true
	}
	if !found {
		return Row{}, &ColumnError{column, *bad}
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
// after them, or the column at fault and what is wrong with it.
func readAmounts(s string) (a Amounts, tail, column string, bad *Text) {
	for i, name := range amountNames {
		field, after, more := cut(s)
		if !more && i < len(a)-1 {
			return a, "", amountNames[i+1], cutShort
		}
		if a[i], bad = ParseYen(field); bad != nil {
			return a, "", name, bad
		}
		s = after
	}
	return a, s, "ta", a.Check()
}

var (
	cutShort  = &Text{"is missing: the row is truncated", "がありません。行が途中で切れています"}
	notDigits = &Text{"is not a number of half-width digits", "が半角数字ではありません"}
	tooLarge  = &Text{"is too large", "が大きすぎます"}
	notSum    = &Text{"is not the sum of am, tx and sf", "がam、tx、sfの合計と一致しません"}
	noSum     = &Text{"is not given although am, tx or sf is", "がありませんが、am、tx、sfのいずれかはあります"}
)

// ParseYen reads an amount: half-width digits that fit int64, or nothing. Or it says what
// is wrong.
func ParseYen(s string) (Yen, *Text) {
	if s == "" {
		return Yen{}, nil
	}
	if !IsDigits(s) {
		return Yen{}, notDigits
	}
	var n int64
	for i := range len(s) {
		d := int64(s[i] - '0')
		if n > (math.MaxInt64-d)/10 {
			return Yen{}, tooLarge
		}
		n = n*10 + d
	}
	return Yen{Value: n, Given: true}, nil
}

// Check says why the amounts cannot stand together, or nothing. A blank one counts
// nothing; where any is given the total must be, and it must be the sum.
func (a Amounts) Check() *Text {
	var sum int64
	for _, y := range a[:3] {
		if y.Value > math.MaxInt64-sum {
			return notSum
		}
		sum += y.Value
	}
	total := a[3]
	switch {
	case !total.Given && (a[0].Given || a[1].Given || a[2].Given):
		return noSum
	case total.Value != sum:
		return notSum
	default:
		return nil
	}
}

// Complete reports whether all four amounts are given.
func (a Amounts) Complete() bool {
	return a[0].Given && a[1].Given && a[2].Given && a[3].Given
}

// IsDigits reports whether s is one or more half-width digits.
func IsDigits(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return s != ""
}

// IsAlnum reports whether s is half-width letters and digits, or empty.
func IsAlnum(s string) bool {
	for i := range len(s) {
		if c := s[i] | 0x20; (c < 'a' || c > 'z') && (s[i] < '0' || s[i] > '9') {
			return false
		}
	}
	return true
}

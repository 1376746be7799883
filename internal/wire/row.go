package wire

import "math"

// Row is a reply row split into its columns, in the order of the specification
// ("レスポンス(rt=1)仕様"). Texts are as received.
type Row struct {
	GID, RST, AP, EC, GOD, COD string
	Amounts                    Amounts
	ID, PS                     string
	ACID                       string // column 13 of a row that has 14
	Other                      string // the last column, commas and all
}

// Amounts are am, tx, sf and their total ta.
type Amounts [4]Yen

// Yen is an amount as the gateway states it. If it is blank, Given is false.
type Yen struct {
	Value int64
	Given bool
}

// ColumnError names the column at fault, by the gateway's name. It never contains the value.
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

// maxCod bounds cod in the search for its end: 50 bytes (docs/protocol.md, assumption 19),
// each of which may be a half-width kana of one byte that takes three in UTF-8.
const maxCod = 150

// SplitRow splits a row, in UTF-8 and without its line end, into its columns.
//
// The protocol does not say how a comma in cod or in the other data is written. The columns
// up to god cannot contain one. The amounts after cod decide where it ends: a comma can end
// cod if am, tx, sf and ta after it are numbers and ta is their sum. The first comma can also
// end cod if the amounts are blank. If exactly one comma can end cod, SplitRow splits there;
// otherwise the row is ambiguous or invalid, which is an error.
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
	// A setting of the store puts the recurring-charge number in column 13 and the other data
	// in column 14. The other data is key=value, so if column 13 is digits or blank, and a
	// column follows, it is that number (docs/protocol.md, assumption 20).
	if first, other, ok := cut(tail); ok && IsDigits(first) || ok && first == "" {
		row.ACID, tail = first, other
	}
	row.Other = tail
	return row, nil
}

// cut is strings.Cut at the first comma; a loop is faster for fields of a few bytes.
func cut(s string) (before, after string, found bool) {
	for i := range len(s) {
		if s[i] == ',' {
			return s[:i], s[i+1:], true
		}
	}
	return s, "", false
}

// readAmounts reads the four amounts at the start of s and returns the rest, or the column at
// fault and the reason.
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

// ParseYen parses an amount: half-width digits that fit an int64, or a blank. Otherwise it
// returns the fault.
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

// Check returns why the amounts are inconsistent, or nil. If any amount is given, the total
// must be given and equal the sum. A blank amount counts as 0 in the sum.
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

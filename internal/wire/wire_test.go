package wire_test

import (
	"math/big"
	"net/url"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/jpayment-go/jpayment/internal/wire"
)

func yen(n int64) wire.Yen { return wire.Yen{Value: n, Given: true} }

func TestSplitRow(t *testing.T) {
	t.Parallel()
	amounts := wire.Amounts{yen(1000), yen(80), yen(500), yen(1580)}
	base := wire.Row{GID: "1", RST: "1", AP: "A00001", GOD: "2", COD: "c", Amounts: amounts}
	with := func(change func(*wire.Row)) wire.Row {
		r := base
		change(&r)
		return r
	}
	for name, tt := range map[string]struct {
		line string
		want wire.Row
	}{
		"13 columns":              {"1,1,A00001,,2,c,1000,80,500,1580,,,", base},
		"10 columns":              {"1,1,A00001,,2,c,1000,80,500,1580", base},
		"11 columns":              {"1,1,A00001,,2,c,1000,80,500,1580,", base},
		"14 columns, none filled": {"1,1,A00001,,2,c,1000,80,500,1580,,,,", base},
		"14 columns": {"1,1,A00001,,2,c,1000,80,500,1580,i,p,77,k=v", with(func(r *wire.Row) {
			r.ID, r.PS, r.ACID, r.Other = "i", "p", "77", "k=v"
		})},
		"14 columns, no number": {"1,1,A00001,,2,c,1000,80,500,1580,,,,k=v", with(func(r *wire.Row) { r.Other = "k=v" })},
		"commas in the other data": {"1,1,A00001,,2,c,1000,80,500,1580,,,k=v,w,,1", with(func(r *wire.Row) {
			r.Other = "k=v,w,,1"
		})},
		"digits alone are other data": {"1,1,A00001,,2,c,1000,80,500,1580,,,77", with(func(r *wire.Row) { r.Other = "77" })},
		"a comma in cod":              {"1,1,A00001,,2,c,d,1000,80,500,1580,,,", with(func(r *wire.Row) { r.COD = "c,d" })},
		"commas and numbers in cod":   {"1,1,A00001,,2,1,2,4,1000,80,500,1580,,,k=v", with(func(r *wire.Row) { r.COD, r.Other = "1,2,4", "k=v" })},
		"cod ends in a comma":         {"1,1,A00001,,2,c,,1000,80,500,1580,,,", with(func(r *wire.Row) { r.COD = "c," })},
		"numbers far behind": {"1,1,A00001,,2,c,1000,80,500,1580,,,k=" + strings.Repeat("v", 150) + ",1,2,3,6", with(func(r *wire.Row) {
			r.Other = "k=" + strings.Repeat("v", 150) + ",1,2,3,6"
		})},
		"blank amounts": {"1,1,A00001,,2,c,,,,,,,", with(func(r *wire.Row) { r.Amounts = wire.Amounts{} })},
		"blank tax and shipping": {"1,1,A00001,,2,c,1000,,,1000,,,", with(func(r *wire.Row) {
			r.Amounts = wire.Amounts{yen(1000), {}, {}, yen(1000)}
		})},
		"the largest amount": {"1,1,A00001,,2,c,9223372036854775807,0,0,9223372036854775807,,,", with(func(r *wire.Row) {
			r.Amounts = wire.Amounts{yen(9223372036854775807), yen(0), yen(0), yen(9223372036854775807)}
		})},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, fault := wire.SplitRow(tt.line)
			require.Nil(t, fault)
			require.Equal(t, tt.want, got)
		})
	}
}

func TestSplitRowRefuses(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct{ line, want string }{
		"nothing":          {"", "gid is missing: the row is truncated"},
		"cut in gid":       {"109", "gid is missing: the row is truncated"},
		"cut in ec":        {"0,2,,ER0", "ec is missing: the row is truncated"},
		"cut in cod":       {"1,1,A,,2,c", "cod is missing: the row is truncated"},
		"cut after am":     {"1,1,A,,2,c,1000", "tx is missing: the row is truncated"},
		"cut before ta":    {"1,1,A,,2,c,1000,80,500,", "ta is not given although am, tx or sf is"},
		"cut in ta":        {"1,1,A,,2,c,1000,80,500,158", "ta is not the sum of am, tx and sf"},
		"wrong total":      {"1,1,A,,2,c,1000,80,500,1581,,,", "ta is not the sum of am, tx and sf"},
		"total alone":      {"1,1,A,,2,c,,,,1580,,,", "ta is not the sum of am, tx and sf"},
		"sign":             {"1,1,A,,2,c,+1000,80,500,1580,,,", "am is not a number of half-width digits"},
		"negative":         {"1,1,A,,2,c,1000,-80,500,1420,,,", "tx is not a number of half-width digits"},
		"full width":       {"1,1,A,,2,c,1000,80,５００,1580,,,", "sf is not a number of half-width digits"},
		"too large":        {"1,1,A,,2,c,9223372036854775808,0,0,9223372036854775808,,,", "am is too large"},
		"sum too large":    {"1,1,A,,2,c,9223372036854775807,1,0,9223372036854775807,,,", "ta is not the sum of am, tx and sf"},
		"two readings":     {"1,1,A,,2,c,0,0,0,0,0,,,", ambiguous},
		"blank or a comma": {"1,1,A,,2,c,,,,,1,2,3,6,,,", ambiguous},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, fault := wire.SplitRow(tt.line)
			require.NotNil(t, fault)
			require.EqualError(t, fault, tt.want)
		})
	}
}

const ambiguous = "cod or a column after it holds commas, and the row does not prove which numbers are the amounts"

func TestEncodeForm(t *testing.T) {
	t.Parallel()
	v := url.Values{"tid": {"1"}, "aid": {"123456"}, "メモ": {"a b+c&d=e%\r\n", "山"}}
	for _, tt := range []struct {
		charset wire.Charset
		want    string
	}{
		{wire.UTF8, "aid=123456&tid=1&%E3%83%A1%E3%83%A2=a%20b%2Bc%26d%3De%25%0D%0A&%E3%83%A1%E3%83%A2=%E5%B1%B1"},
		{wire.ShiftJIS, "aid=123456&tid=1&%83%81%83%82=a%20b%2Bc%26d%3De%25%0D%0A&%83%81%83%82=%8ER"},
	} {
		got, err := wire.EncodeForm(v, tt.charset)
		require.NoError(t, err)
		require.Equal(t, tt.want, got)
	}
}

func TestEncodeFormRefuses(t *testing.T) {
	t.Parallel()
	for _, v := range []url.Values{{"k": {"😀"}}, {"😀": {"v"}}} {
		_, err := wire.EncodeForm(v, wire.ShiftJIS)
		require.EqualError(t, err, "has a character (the 1st) that cannot be written in Shift_JIS")
	}
}

func TestCharset(t *testing.T) {
	t.Parallel()
	// Windows-31J has 髙 twice, and every decoder reads both. These are beyond Shift_JIS proper.
	for text, bytes := range map[string]string{"①": "\x87\x40", "髙": "\xee\xe0", "～": "\x81\x60", "ｱ": "\xb1", "ソ": "\x83\x5c"} {
		enc, bad := wire.ShiftJIS.Encode(text)
		require.Nil(t, bad)
		require.Equal(t, bytes, enc)
		dec, ok := wire.ShiftJIS.Decode(bytes)
		require.True(t, ok)
		require.Equal(t, text, dec)
	}
	// None of these may arrive as something else; the yen sign, for example, may become a
	// backslash.
	for _, text := range []string{"¥", "‾", "😀", "ab한"} {
		_, bad := wire.ShiftJIS.Encode(text)
		require.NotNil(t, bad, "%q", text)
		require.Contains(t, bad.En, "cannot be written in Shift_JIS")
		require.Contains(t, bad.Ja, "Shift_JISで表せません")
	}
	_, bad := wire.UTF8.Encode("a\xff")
	require.Equal(t, &wire.Text{En: "is not valid UTF-8", Ja: "がUTF-8ではありません"}, bad)
	_, bad = wire.ShiftJIS.Encode("eleven char😀")
	require.Contains(t, bad.En, "the 12th")

	for _, tt := range []struct {
		charset wire.Charset
		bytes   string
		text    string
		ok      bool
	}{
		{wire.UTF8, "山", "山", true},
		{wire.UTF8, "a\xff", "a\uFFFD", false},
		{wire.ShiftJIS, "a\x83", "a\uFFFD", false},
		{wire.ShiftJIS, "\xff", "\uFFFD", false},
	} {
		text, ok := tt.charset.Decode(tt.bytes)
		require.Equal(t, tt.text, text)
		require.Equal(t, tt.ok, ok)
	}
	require.Equal(t, wire.UTF8, wire.Detect("山"))
	require.Equal(t, wire.ShiftJIS, wire.Detect("\x8eR"))
	require.Equal(t, "UTF-8 Shift_JIS Charset(9)", strings.Join([]string{wire.UTF8.String(), wire.ShiftJIS.String(), wire.Charset(9).String()}, " "))
}

// FuzzSplitRow compares SplitRow with a reader that tries every column at which cod could end.
func FuzzSplitRow(f *testing.F) {
	f.Add("1,1,A00001,,2,c,1000,80,500,1580,i,p,77,k=v")
	f.Add("1,1,A00001,,2,c,d,1000,80,500,1580,,,")
	f.Add("1,1,A,,2,c,0,0,0,0,0,,,")
	f.Add("1,1,A,,2,c,,,,,1,2,3,6,,,")
	f.Add("0,2,,ER900,,,0,0,0,0,,,0,")
	f.Fuzz(func(t *testing.T, line string) {
		got, fault := wire.SplitRow(line)
		want, readings := readings(line)
		require.Equal(t, readings == 1, fault == nil, "%d readings", readings)
		if fault == nil {
			require.Equal(t, want, got)
		}
	})
}

// readings counts the ways to read a row and returns the last.
func readings(line string) (row wire.Row, n int) {
	fields := strings.Split(line, ",")
	for end := 6; end+4 <= len(fields); end++ { // cod is fields 5 to end
		cod := strings.Join(fields[5:end], ",")
		if end > 6 && len(cod) > 150 {
			break
		}
		var (
			amounts wire.Amounts
			sum     = new(big.Int)
			given   = 0
			numbers = true
		)
		for i, s := range fields[end : end+4] {
			v, err := strconv.ParseInt(s, 10, 64)
			numbers = numbers && (s == "" || err == nil && s[0] != '-' && s[0] != '+')
			if s != "" {
				given++
				amounts[i] = wire.Yen{Value: v, Given: true}
			}
			if i < 3 {
				sum.Add(sum, big.NewInt(v))
			}
		}
		adds := sum.IsInt64() && sum.Int64() == amounts[3].Value && (amounts[3].Given || given == 0)
		if !numbers || !adds || given < 4 && end > 6 {
			continue
		}
		n++
		rest := fields[end+4:]
		take := func() (s string) {
			if len(rest) > 0 {
				s, rest = rest[0], rest[1:]
			}
			return s
		}
		row = wire.Row{GID: fields[0], RST: fields[1], AP: fields[2], EC: fields[3], GOD: fields[4], COD: cod, Amounts: amounts}
		row.ID, row.PS = take(), take()
		if len(rest) > 1 && strings.Trim(rest[0], "0123456789") == "" {
			row.ACID = take()
		}
		row.Other = strings.Join(rest, ",")
	}
	return row, n
}

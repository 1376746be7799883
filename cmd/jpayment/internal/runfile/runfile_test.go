package runfile_test

import (
	"crypto/sha256"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/text/encoding/japanese"

	"github.com/jpayment-go/jpayment"
	"github.com/jpayment-go/jpayment/cmd/jpayment/internal/runfile"
)

// asked is the operation of a row.
type asked struct {
	line                  int
	operation             jpayment.Operation
	payment, reference    string
	amount, tax, shipping int64
	email, phone          string
}

// readAll reads a file as the command does.
func readAll(t *testing.T, text string, columns ...string) (rows []asked, faults []runfile.Fault) {
	t.Helper()
	charset, err := runfile.Detect(strings.NewReader(text))
	var fault runfile.Fault
	if errors.As(err, &fault) {
		return nil, []runfile.Fault{fault}
	}
	require.NoError(t, err)
	mapped, err := runfile.ParseColumns(strings.Join(columns, ","))
	require.NoError(t, err)
	reader := runfile.NewReader(strings.NewReader(text), charset, mapped)
	for {
		row, fs, err := reader.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		require.NoError(t, err)
		require.Positive(t, row.Line)
		faults = append(faults, fs...)
		if len(fs) == 0 {
			rows = append(rows, asked{row.Line, row.Operation, row.Payment, row.Reference, row.Amount, row.Tax, row.Shipping, row.Email, row.Phone})
		}
	}
	return rows, faults
}

func shiftJIS(t *testing.T, text string) string {
	t.Helper()
	b, err := japanese.ShiftJIS.NewEncoder().String(text)
	require.NoError(t, err)
	return b
}

func TestRows(t *testing.T) {
	t.Parallel()
	sale := []asked{{line: 2, operation: jpayment.OpSales, payment: "10000001", reference: "a"}}
	saleIn := func(line int) []asked {
		return []asked{{line: line, operation: jpayment.OpSales, payment: "10000001", reference: "a"}}
	}
	const japaneseRows = "処理,決済番号,注文番号\n実売上,10000001,髙島屋ﾃｽﾄ①\n"
	sold := []asked{{line: 2, operation: jpayment.OpSales, payment: "10000001", reference: "髙島屋ﾃｽﾄ①"}}
	for name, c := range map[string]struct {
		file string
		want []asked
	}{
		"CSV":                   {"operation,payment,reference\nsales,10000001,a\n", sale},
		"TSV":                   {"operation\tpayment\treference\nsales\t10000001\ta\n", sale},
		"no line break at end":  {"operation,payment,reference\nsales,10000001,a", sale},
		"CRLF":                  {"operation,payment,reference\r\nsales,10000001,a\r\n", sale},
		"other order, any case": {"Reference, PAYMENT ,Operation\na,10000001,SALES\n", sale},
		"quoted header":         {"\"operation\",\"payment\",\"reference\"\n\"sales\",\"10000001\",\"a\"\n", sale},
		"blank lines":           {"\n \r\noperation,payment,reference\n\nsales,10000001,a\n\n", []asked{{line: 5, operation: jpayment.OpSales, payment: "10000001", reference: "a"}}},
		"blank amounts":         {"operation,payment,reference,amount,tax,shipping,email,phone\nsales,10000001,a,,,,,\n", sale},
		"UTF-8":                 {japaneseRows, sold},
		"UTF-8 with mark":       {"\ufeff" + japaneseRows, sold},
		"UTF-8, ASCII header":   {"operation,payment,reference\nsales,10000001,髙島屋ﾃｽﾄ①\n", sold},
		"Shift_JIS":             {shiftJIS(t, japaneseRows), sold},
		"Shift_JIS, ASCII head": {shiftJIS(t, "operation,payment,reference\nsales,10000001,髙島屋ﾃｽﾄ①\n"), sold},
		"Shift_JIS trail bytes": { // 表 has a backslash, ポ a vertical bar as its second byte
			shiftJIS(t, "処理,決済番号,参照\n取消,1,\"表,ポ\"\n"), []asked{{line: 2, operation: jpayment.OpCancel, payment: "1", reference: "表,ポ"}},
		},
		"reauth": {
			"処理,決済番号,金額,税額,送料,注文番号,メールアドレス,電話番号\n再オーソリ,1,900,072,0,a,a@example.jp,0312345678\n",
			[]asked{{2, jpayment.OpReAuth, "1", "a", 900, 72, 0, "a@example.jp", "0312345678"}},
		},
		"semicolons":                            {"operation;payment;reference\nsales;10000001;a\n", sale},
		"semicolons and a comma":                {"operation;payment;reference;name, address\nsales;10000001;a;\n", sale},
		"sep=,":                                 {"sep=,\r\noperation,payment,reference\r\nsales,10000001,a\r\n", saleIn(3)},
		"sep=;":                                 {"\n\"SEP=;\"\noperation;payment;reference\nsales;10000001;a\n", saleIn(4)},
		"sep= and a tab":                        {"sep=\t\noperation\tpayment\treference\nsales\t10000001\ta\n", saleIn(3)},
		"sep= in marked UTF-8":                  {"\ufeffsep=|\noperation|payment|reference\nsales|10000001|a\n", saleIn(3)},
		"columns empty at the end":              {"operation,payment,reference,,\nsales,10000001,a,,\n", sale},
		"more columns empty than in the header": {"operation,payment,reference\nsales,10000001,a,, ,\n", sale},
		"fewer fields, as Excel leaves them":    {"operation,payment,reference,amount,tax,shipping,備考\nsales,10000001,a\n", sale},
		"fewer fields in a reauth": {
			"operation,payment,reference,amount,tax,shipping,email\nreauth,1,a,1,2,3\n", []asked{{line: 2, operation: jpayment.OpReAuth, payment: "1", reference: "a", amount: 1, tax: 2, shipping: 3}},
		},
		"other columns": {"備考,operation,顧客名,payment,reference,\n至急,sales,髙島屋,10000001,a,\n", sale},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			rows, faults := readAll(t, c.file)
			require.Empty(t, faults)
			require.Equal(t, c.want, rows)
		})
	}
}

func TestFaults(t *testing.T) {
	t.Parallel()
	const header = "operation,payment,amount,tax,shipping,reference\n"
	for name, c := range map[string]struct {
		file         string
		line, column int
		reason       string
	}{
		"empty":                     {"", 0, 0, "has no header"},
		"blank":                     {"\n\n", 0, 0, "has no header"},
		"workbook":                  {"PK\x03\x04\x14\x00", 0, 0, "is an Excel workbook"},
		"UTF-16":                    {"\xff\xfeo\x00", 0, 0, "UTF-16"},
		"NUL":                       {"operation\x00", 0, 0, "not text"},
		"no header but rows":        {"sales,1,a\n", 1, 1, "is unknown"},
		"a column twice":            {"operation,payment,決済番号,reference\n", 1, 3, "twice"},
		"a column missing":          {"operation,payment\n", 1, 0, "missing"},
		"neither character set":     {header + "sales,1,,,,\xff\xfe\n", 2, 0, "neither UTF-8 nor Shift_JIS"},
		"UTF-8 with a bad byte":     {"処理,決済番号,参照\n実売上,1,\xe5\x87\n", 2, 0, "neither"},
		"marked UTF-8, a bad byte":  {"\ufeff" + header + "sales,1,,,,\x83\x5c\n", 2, 0, "neither"},
		"operation":                 {header + "sale,1,,,,a\n", 2, 1, "is not sales, cancel or reauth"},
		"full-width operation":      {header + "ｓａｌｅｓ,1,,,,a\n", 2, 1, "is not sales, cancel or reauth"},
		"a stray amount":            {header + "sales,1,100,,,a\n", 2, 3, "only for reauth"},
		"a stray shipping":          {header + "cancel,1,,,0,a\n", 2, 5, "only for reauth"},
		"a missing amount":          {header + "reauth,1,100,,0,a\n", 2, 4, "is blank"},
		"amounts without columns":   {"operation,payment,reference\nreauth,1,a\n", 2, 0, "is blank"},
		"a full-width amount":       {header + "reauth,1,１００,0,0,a\n", 2, 3, "full-width"},
		"a sign":                    {header + "reauth,1,-100,0,0,a\n", 2, 3, "whole number"},
		"a decimal":                 {header + "reauth,1,100.0,0,0,a\n", 2, 3, "whole number"},
		"a separator":               {header + "reauth,1,\"1,000\",0,0,a\n", 2, 3, "whole number"},
		"a space":                   {header + "reauth,1,100 ,0,0,a\n", 2, 3, "white space"},
		"a space before a word":     {header + " sales,1,,,,a\n", 2, 1, "white space"},
		"a space in a short row":    {"operation,payment,reference,amount\n sales,1,a\n", 2, 1, "white space"},
		"a full-width space":        {"処理,決済番号,注文番号\n実売上　,1,a\n", 2, 1, "white space"},
		"a space about a payment":   {header + "sales,1\u00a0,,,,a\n", 2, 2, "white space"},
		"a space about a reference": {header + "sales,1,,,, a\n", 2, 6, "white space"},
		"a space about an address":  {"operation,payment,amount,tax,shipping,reference,email\nreauth,1,1,2,3,a,a@b.example \n", 2, 7, "white space"},
		"an amount beyond int64":    {header + "reauth,1,9223372036854775808,0,0,a\n", 2, 3, "too large"},
		"1E+07":                     {header + "sales,1E+07,,,,a\n", 2, 2, "spreadsheet"},
		"1.00000001E+12":            {header + "sales,1.00000001e+12,,,,a\n", 2, 2, "spreadsheet"},
		"10000001.0":                {header + "sales,10000001.0,,,,a\n", 2, 2, "spreadsheet"},
		"10,000,001":                {header + "sales,\"10,000,001\",,,,a\n", 2, 2, "spreadsheet"},
		"fields missing":            {header + "sales,1\n", 2, 0, "2 fields, but the header has 6"},
		"amounts missing":           {"operation,payment,reference,amount,tax,shipping\nreauth,1,a,900,72\n", 2, 0, "5 fields, but the header has 6"},
		"the file is cut short":     {"operation,payment,reference,amount,tax,shipping,email\nreauth,1,a,900,72,50", 2, 0, "6 fields, but the header has 7"},
		"fields too many":           {header + "sales,1,,,,a,b\n", 2, 0, "7 fields"},
		"fields beyond empty ones":  {"operation,payment,reference,,\nsales,1,a,,b\n", 2, 0, "5 fields, but the header has 3"},
		"an empty row":              {header + ",,,,,\n", 2, 0, "only separators"},
		"an open quotation mark":    {header + "sales,1,,,,\"a\nsales,2,,,,b\n", 2, 0, "quotation mark"},
		"a quotation mark inside":   {header + "sales,1,,,,a\"b\n", 2, 0, "quotation mark"},
		"a line break inside":       {header + "sales,1,,,,\"a\rb\"\n", 2, 0, "line break"},
		"Macintosh line breaks":     {"operation,payment,reference\rsales,1,a\r", 1, 0, "line break"},
		"a line longer than 64 KiB": {header + "sales,1,,,," + strings.Repeat("a", 64<<10) + "\nsales,2,,,,b\n", 2, 0, "longer than 64 KiB"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, faults := readAll(t, c.file)
			require.NotEmpty(t, faults)
			f := faults[0]
			require.Equal(t, c.line, f.Line)
			require.Equal(t, c.column, f.Column)
			require.Contains(t, f.Reason.En, c.reason)
			require.NotEmpty(t, f.Reason.Ja)
			for _, other := range faults[1:] { // A header or a row may have several.
				require.Equal(t, c.line, other.Line)
			}
		})
	}
}

// Ignored columns are listed, so that nobody assumes they were read.
func TestColumns(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		header, columns string
		unread          []string
	}{
		"all known":               {"operation,payment,reference,amount", "", nil},
		"empty at the end":        {"operation,payment,reference, ,", "", nil},
		"others":                  {"備考,operation,payment,reference,担当 ,", "", []string{"備考", "担当"}},
		"empty in the middle":     {"operation,,payment,reference", "", []string{""}},
		"mapped":                  {"Type,伝票番号,Order No,備考", "Type=operation, 伝票番号=決済番号,order no=reference", []string{"備考"}},
		"mapped, and one of ours": {"処理,決済番号,注文番号,伝票番号", "伝票番号=注文番号", []string{"注文番号"}},
		"both names of one":       {"処理,処理区分,決済番号,注文番号", "処理区分=処理", []string{"処理"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			columns, err := runfile.ParseColumns(c.columns)
			require.NoError(t, err)
			reader := runfile.NewReader(strings.NewReader(c.header+"\n"), runfile.UTF8, columns)
			_, faults, err := reader.Next()
			require.ErrorIs(t, err, io.EOF, "%v", faults)
			require.Equal(t, c.unread, reader.Unread())
		})
	}
	// Without a header each column is identified by its number only.
	for _, file := range []string{"sale,1,a\n", "sale\t1\ta\n", "sale;1;a\n"} {
		_, faults := readAll(t, file)
		require.Len(t, faults, 6, file)
		require.Equal(t, 3, faults[2].Column)
	}
	// A column that does not exist cannot be mapped, and a name can only be mapped to a
	// column of ours.
	_, faults := readAll(t, "operation,payment,reference\nsales,1,a\n", "伝票番号=reference")
	require.Len(t, faults, 1)
	require.Contains(t, faults[0].Reason.En, "--columns")
	for _, wrong := range []string{"reference", "=reference", "伝票番号=", "伝票番号=refrence", "a=payment,a=reference", "a=payment,b=payment"} {
		_, err := runfile.ParseColumns(wrong)
		require.ErrorAs(t, err, new(runfile.Fault), wrong)
	}
}

// An invalid line does not affect the next one.
func TestLinesAreReadApart(t *testing.T) {
	t.Parallel()
	rows, faults := readAll(t, "operation,payment,reference\nsales,1,\"a\nsales,2,b\n"+strings.Repeat("x", 200<<10)+"\nsales,3,c\n")
	require.Len(t, faults, 2)
	require.Equal(t, []asked{{line: 3, operation: jpayment.OpSales, payment: "2", reference: "b"}, {line: 5, operation: jpayment.OpSales, payment: "3", reference: "c"}}, rows)
}

// The checksum covers every byte, however it was parsed.
func TestSum(t *testing.T) {
	t.Parallel()
	text := "\ufeffoperation,payment,reference\r\n\r\nsales,1,a\n" + strings.Repeat("x", 200<<10) + "\nsales,2,b"
	reader := runfile.NewReader(strings.NewReader(text), runfile.UTF8BOM, nil)
	for {
		if _, _, err := reader.Next(); err != nil {
			require.ErrorIs(t, err, io.EOF)
			break
		}
	}
	require.Equal(t, sha256.Sum256([]byte(text)), reader.Sum())
}

// A read error is an error, not the end of the file.
func TestReadError(t *testing.T) {
	t.Parallel()
	broken := func() io.Reader {
		return io.MultiReader(strings.NewReader("operation,payment,reference\nsales,1,a\nsal"), broken{})
	}
	_, err := runfile.Detect(broken())
	require.ErrorIs(t, err, io.ErrUnexpectedEOF)
	reader := runfile.NewReader(broken(), runfile.UTF8, nil)
	_, _, err = reader.Next()
	require.NoError(t, err)
	_, _, err = reader.Next()
	require.ErrorIs(t, err, io.ErrUnexpectedEOF)
}

type broken struct{}

func (broken) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

// In any file, every line that is not blank is reported in order, as the header, a row or a
// fault.
func FuzzReader(f *testing.F) {
	for _, seed := range []string{
		"", "operation,payment,reference\nsales,1,a\n", "処理\t決済番号\t参照\n取消\t1\tx", "\ufeffoperation,payment,reference\r\n,,\r\n\"\n",
		"operation,payment,reference,amount,tax,shipping\nreauth,1,a,1,2,3\nreauth,1E+07,a,,,\n", "\x8f\x88\x97\x9d,x\n", "PK\x03\x04", "a\rb\n", "operation,payment,reference\n\"a\"b,c\n\xff\n",
		"sep=;\noperation;payment;reference;備考\nsales;1;a\n", "operation,payment,reference,,\nsales,1,a\ncancel, 1,a,,,\n",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		charset, err := runfile.Detect(strings.NewReader(string(b)))
		if err != nil {
			require.ErrorAs(t, err, new(runfile.Fault))
			return
		}
		reader := runfile.NewReader(strings.NewReader(string(b)), charset, nil)
		told, last, wrongHeader := 0, 0, false
		for {
			row, faults, err := reader.Next()
			if errors.Is(err, io.EOF) {
				break
			}
			require.NoError(t, err)
			if len(faults) == 0 {
				require.NotEmpty(t, row.Operation)
			}
			for _, fault := range faults {
				require.NotEmpty(t, fault.Reason.En)
				require.NotEmpty(t, fault.Reason.Ja)
				if fault.Line == 0 {
					return // It has no header.
				}
				require.Equal(t, row.Line, fault.Line)
			}
			require.Greater(t, row.Line, last)
			last = row.Line
			wrongHeader = told == 0 && len(faults) > 0
			told++
		}
		text := strings.TrimPrefix(string(b), "\ufeff")
		wanted := -1 // without the header
		for line := range strings.Lines(text) {
			if decoded := line; strings.TrimSpace(decoded) != "" {
				wanted++
			}
		}
		if strings.Contains(strings.ToLower(text), "sep=") {
			return // That line is not reported.
		}
		if charset != runfile.ShiftJIS && (!wrongHeader || told != 1) { // In Shift_JIS other bytes are white space.
			require.Equal(t, wanted, told)
		}
	})
}

package probe

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding/japanese"

	"github.com/jpayment-go/jpayment"
	"github.com/jpayment-go/jpayment/cmd/jpayment/internal/console"
	"github.com/jpayment-go/jpayment/cmd/jpayment/internal/runfile"
)

// Payment is a test payment that was authorised beforehand.
type Payment struct {
	ID          string `json:"payment"`
	Kind        Kind   `json:"kind"`
	OrderNumber string `json:"order,omitempty"`  // empty if the list does not have it
	Amount      int64  `json:"amount,omitempty"` // the total in yen; 0 if the list does not have it
}

// Kind is the kind of payment that an experiment needs.
type Kind string

// The kinds.
const (
	Plain    Kind = "plain"
	Comma    Kind = "comma"
	Japanese Kind = "japanese"
	Declined Kind = "declined"
	Barred   Kind = "barred"
	Late     Kind = "late"
)

// kindRow describes the payments of one kind.
type kindRow struct {
	kind       Kind
	name, must jpayment.Text
}

// kinds lists the kinds in the order in which they are printed.
var kinds = []kindRow{
	{Plain, text("plain", "通常"), text("an authorised payment (仮売上) of this month", "当月の仮売上")},
	{Comma, text("comma", "カンマ"), text("the same, with a comma in its order number (cod)", "同じく、店舗オーダー番号（cod）にカンマがあるもの")},
	{Japanese, text("japanese", "日本語"), text("the same, with Japanese in its order number (cod)", "同じく、店舗オーダー番号（cod）に日本語があるもの")},
	{Declined, text("declined", "拒否"), text("the same, with a test card that declines the next authorisation", "同じく、次の与信が拒否されるテストカードによるもの")},
	{Barred, text("barred", "対象外"), text("one that cannot be re-authorised: older than last month, or with a registered product", "再オーソリの対象外のもの（前月より古い、または商品登録あり）")},
	{Late, text("late", "期限切れ"), text("one that was authorised more than 90 days ago", "仮売上から90日を過ぎたもの")},
}

func text(en, ja string) jpayment.Text { return jpayment.Text{En: en, Ja: ja} }

func kindOf(name string) (Kind, bool) {
	for _, k := range kinds {
		if strings.EqualFold(name, k.name.En) || name == k.name.Ja {
			return k.kind, true
		}
	}
	return "", false
}

func (k Kind) name() jpayment.Text {
	return kinds[slices.IndexFunc(kinds, func(row kindRow) bool { return row.kind == k })].name
}

// columns maps the column names of a list of payments, in lower case, to the columns.
var columns = map[string]string{
	"payment": "payment", "決済番号": "payment",
	"kind": "kind", "種類": "kind",
	"order": "order", "店舗オーダー番号": "order", "注文番号": "order",
	"amount": "amount", "金額": "amount", "合計金額": "amount",
}

// maxFile is the maximum size of a list in bytes.
const maxFile = 1 << 20

// ReadPayments reads a list of payments: CSV, in UTF-8 or Shift_JIS, whose first line names
// the columns.
func ReadPayments(path string) ([]Payment, error) {
	f, err := os.Open(path) //nolint:gosec // The user's own file, by the user's own choice.
	if err != nil {
		return nil, console.Usagef("%s", "%s", console.What(err))
	}
	defer f.Close() //nolint:errcheck // Nothing was written.
	data, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err != nil {
		return nil, console.Usagef("%s", "%s", console.What(err))
	}
	wrong := func(en, ja string, args ...any) error {
		return console.Usagef("%s: %s", "%s: %s", path, console.Textf(en, ja, args...))
	}
	if len(data) > maxFile {
		return nil, wrong("the file is longer than 1 MiB", "ファイルが1 MiBを超えています")
	}
	charset, err := runfile.Detect(bytes.NewReader(data))
	var fault runfile.Fault
	switch {
	case errors.As(err, &fault):
		return nil, wrong("the file %s", "ファイル%s", fault.Reason)
	case err != nil:
		return nil, wrong("%s", "%s", console.What(err))
	case charset == runfile.ShiftJIS:
		if data, err = japanese.ShiftJIS.NewDecoder().Bytes(data); err != nil || bytes.ContainsRune(data, utf8.RuneError) {
			return nil, wrong("the file is neither UTF-8 nor Shift_JIS", "ファイルがUTF-8でもShift_JISでもありません")
		}
	}
	return parsePayments(bytes.TrimPrefix(data, []byte("\ufeff")), wrong)
}

func parsePayments(data []byte, wrong func(en, ja string, args ...any) error) ([]Payment, error) {
	r := csv.NewReader(bytes.NewReader(data))
	rows, err := r.ReadAll()
	var bad *csv.ParseError
	switch {
	case errors.As(err, &bad):
		return nil, wrong("line %d is not CSV, or its number of columns differs from the first line", "%d行目がCSVとして読めないか、列数が先頭行と異なります", bad.Line)
	case len(rows) == 0:
		return nil, wrong("the file is empty", "ファイルが空です")
	}
	at := map[string]int{}
	for i, name := range rows[0] {
		if column, known := columns[strings.ToLower(strings.TrimSpace(name))]; known {
			at[column] = i
		}
	}
	for _, must := range []string{"payment", "kind"} {
		if _, there := at[must]; !there {
			return nil, wrong("the first line has no column %[1]s", "先頭行に列 %[2]s がありません", must, map[string]string{"payment": "決済番号", "kind": "種類"}[must])
		}
	}
	var all []Payment
	for i, row := range rows[1:] {
		take := func(column string) string {
			if i, there := at[column]; there {
				return strings.TrimSpace(row[i])
			}
			return ""
		}
		p := Payment{ID: take("payment"), OrderNumber: take("order")}
		var known bool
		if p.Kind, known = kindOf(take("kind")); !known {
			return nil, wrong("line %[1]d: kind must be one of %[2]s", "%[1]d行目: 種類には %[3]s のいずれかを指定してください", i+2, kindNames(console.English), kindNames(console.Japanese))
		}
		if amount := strings.ReplaceAll(take("amount"), ",", ""); amount != "" {
			if p.Amount, err = strconv.ParseInt(amount, 10, 64); err != nil || p.Amount < 1 {
				return nil, wrong("line %d: amount is not an amount in yen", "%d行目: 金額が正しい数値（円）ではありません", i+2)
			}
		}
		if fault := p.check(); fault != (jpayment.Text{}) {
			return nil, wrong("line %d: %s", "%d行目: %s", i+2, fault)
		}
		all = append(all, p)
	}
	if id := repeated(all); id != "" {
		return nil, wrong("payment %s appears twice", "決済番号 %s が重複しています", id)
	}
	return all, nil
}

// check returns what is wrong with a payment, if anything.
func (p Payment) check() (fault jpayment.Text) {
	ascii := strings.IndexFunc(p.OrderNumber, func(r rune) bool { return r > '~' }) < 0
	switch {
	case p.ID == "" || strings.Trim(p.ID, "0123456789") != "" || len(p.ID) > 20 || strings.Trim(p.ID, "0") == "":
		return text("payment is not a payment number of up to 20 half-width digits", "決済番号が20桁以内の半角数字ではありません")
	case p.Kind == Comma && !strings.Contains(p.OrderNumber, ","):
		return text("order must contain a comma for this kind", "店舗オーダー番号にカンマがありません（この種類には必要です）")
	case p.Kind == Japanese && ascii:
		return text("order must contain Japanese for this kind", "店舗オーダー番号に日本語がありません（この種類には必要です）")
	}
	return fault
}

// repeated returns the first payment number that appears twice, or an empty string.
func repeated(all []Payment) string {
	seen := map[string]bool{}
	for _, p := range all {
		if seen[p.ID] {
			return p.ID
		}
		seen[p.ID] = true
	}
	return ""
}

// TypedPayments returns plain payments with the given numbers.
func TypedPayments(numbers []string) ([]Payment, error) {
	var all []Payment
	for _, number := range numbers {
		p := Payment{ID: number, Kind: Plain}
		if fault := p.check(); fault != (jpayment.Text{}) {
			return nil, console.Usagef("%s: %s", "%s: %s", number, fault)
		}
		all = append(all, p)
	}
	if id := repeated(all); id != "" {
		return nil, console.Usagef("payment %s appears twice", "決済番号 %s が重複しています", id)
	}
	return all, nil
}

func kindNames(lang console.Lang) string {
	var names []string
	for _, k := range kinds {
		names = append(names, lang.Of(k.name))
	}
	return strings.Join(names, lang.In(", ", "、"))
}

// Needs returns a table of the payments that all experiments together need.
func Needs(lang console.Lang) [][]string {
	rows := [][]string{{lang.In("kind", "種類"), lang.In("payments", "件数"), lang.In("requirement", "条件")}}
	for _, k := range kinds {
		always, listening := 0, 0
		for _, r := range roles {
			switch {
			case r.kind != k.kind:
			case r.kickback:
				listening++
			default:
				always++
			}
		}
		count := strconv.Itoa(always)
		if listening > 0 {
			count = fmt.Sprintf(lang.In("%d, and %d more with --listen", "%d（--listen を使う場合はさらに %d）"), always, listening)
		}
		rows = append(rows, []string{lang.Of(k.name), count, lang.Of(k.must)})
	}
	return rows
}

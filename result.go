package jpayment

import (
	"errors"
	"fmt"
	"log/slog"
	"math"
	"mime"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/jpayment-go/jpayment/internal/wire"
)

// Result is what the gateway says of a payment: the columns of a reply, or the
// parameters of a kickback (specification, "決済結果通知のパラメータ仕様").
//
// What is private in it is a [Secret], which prints, logs and marshals redacted.
type Result struct {
	// PaymentID is the payment's number (決済番号, gid). After a ReAuth it is the
	// new payment's. It is "0" in a refusal.
	PaymentID string
	// Status tells success from failure (決済結果, rst).
	Status Status
	// ApprovalCode is the card company's (カード会社承認番号, ap), six or seven
	// letters and digits. See TestMode.
	ApprovalCode Secret
	// Code is the reason of a failure (エラーコード, ec), empty after a success.
	Code Code
	// OrderCode is the gateway's code for the order (オーダーコード, god).
	OrderCode string
	// OrderNumber is the merchant's own, given with the original payment
	// (店舗オーダー番号, cod), at most 50 bytes.
	OrderNumber string
	// Amount, Tax and Shipping (決済金額 am, 税金額 tx, 送料 sf) and their sum
	// Total (合計金額, ta), in yen.
	Amount, Tax, Shipping, Total Amount
	// IssuedID and IssuedPassword (発行ID id, 発行パスワード ps) are filled for
	// content sales only (field notes, H).
	IssuedID, IssuedPassword Secret
	// SubscriptionID is the number of a recurring charge (自動課金番号, acid),
	// where the store is set up to report it (field notes, H).
	SubscriptionID string
	// Extra is the merchant's own data (その他), decoded. Where the gateway returned it
	// unescaped, a value that holds & or % may not be told from the escaping; Other is
	// what came. A + is a plus: this package sends spaces as %20.
	Extra Extra
	// Other is the merchant's own data as it came.
	Other Secret

	// Attempts is how often the request was tried until this reply came. It is 0 for a
	// result that is not the reply to a call.
	Attempts int

	// Unreadable names what could not be read and stands as it came, by the gateway's
	// names ("cod", "god", "other data"), sorted; nil if all was read. Nothing that bears
	// on the payment's number, status or amounts is among it: that is an error.
	Unreadable []string
}

// Status is the result of a payment (決済結果, rst). Values that the specification
// does not define keep their number; recurring charges are known to use 3 to 5.
type Status int

// The statuses. The zero value is none of the gateway's.
const (
	StatusSucceeded Status = 1
	StatusFailed    Status = 2
	// StatusAccepted is the gateway's OK to a request whose result will come by
	// kickback. It has no number on the wire.
	StatusAccepted Status = -1
)

// String returns "succeeded", "failed", "accepted", or the number.
func (s Status) String() string {
	switch s {
	case StatusSucceeded:
		return "succeeded"
	case StatusFailed:
		return "failed"
	case StatusAccepted:
		return "accepted"
	default:
		return "status " + strconv.Itoa(int(s))
	}
}

// Amount is an amount in yen that the gateway may have left blank. The zero value
// is a blank one, which is not 0 yen. Amounts compare with ==:
//
//	if res.Total == jpayment.Yen(1580) { … }
type Amount struct {
	yen   int64
	given bool
}

// Yen returns the amount of n yen.
func Yen(n int64) Amount { return Amount{yen: n, given: true} }

// Int64 returns the yen, and whether the gateway gave any.
func (a Amount) Int64() (yen int64, ok bool) { return a.yen, a.given }

// String returns the yen as digits, or "-" for a blank amount.
func (a Amount) String() string {
	if !a.given {
		return "-"
	}
	return strconv.FormatInt(a.yen, 10)
}

// MarshalJSON returns the yen as a number, or null for a blank amount.
func (a Amount) MarshalJSON() ([]byte, error) {
	if !a.given {
		return []byte("null"), nil
	}
	return strconv.AppendInt(nil, a.yen, 10), nil
}

// UnmarshalJSON reads what MarshalJSON writes.
func (a *Amount) UnmarshalJSON(b []byte) error {
	if string(b) == "null" {
		*a = Amount{}
		return nil
	}
	y, bad := wire.ParseYen(string(b))
	if bad != nil || !y.Given {
		return errors.New("jpayment: an amount is not a whole number of yen")
	}
	*a = Amount{y.Value, y.Given}
	return nil
}

// TestMode reports whether the approval is a test's (TestMod): the store is in test
// mode and no money moved (field notes, H).
func (r Result) TestMode() bool { return r.ApprovalCode.Reveal() == "TestMod" }

// LogValue returns the result without its secrets.
func (r Result) LogValue() slog.Value {
	attrs := []slog.Attr{
		slog.String("payment_id", r.PaymentID),
		slog.String("status", r.Status.String()),
		slog.String("code", string(r.Code)),
		slog.String("order_code", r.OrderCode),
		slog.String("order_number", r.OrderNumber),
		slog.String("amount", r.Amount.String()),
		slog.String("tax", r.Tax.String()),
		slog.String("shipping", r.Shipping.String()),
		slog.String("total", r.Total.String()),
		slog.Bool("test_mode", r.TestMode()),
	}
	if r.Unreadable != nil {
		attrs = append(attrs, slog.Any("unreadable", r.Unreadable))
	}
	return slog.GroupValue(attrs...)
}

// Format writes what LogValue returns, for every verb.
func (r Result) Format(f fmt.State, _ rune) { printPublic(f, "Result", r.LogValue()) }

// ParseReply reads a reply of the gateway in any of its forms: a row, OK, ER:code
// or a bare code, in UTF-8 or Shift_JIS (the specification and field notes,
// "Replies over HTTP"). A success has StatusSucceeded, a refusal StatusFailed and
// its code, OK StatusAccepted; there is no fourth. Everything else is a
// [*ReplyError] that names the column and the reason, never the value, and keeps
// the reply for [ReplyError.Raw].
//
// Columns from the 11th on may be missing, and a row of 14 has the number of a
// recurring charge in the 13th. A comma in the merchant's order number is
// understood where the amounts prove it; where a row can be read in two ways it is
// an error.
func ParseReply(body []byte) (*Result, error) {
	res, bad := parseReply(body, "")
	if bad != nil {
		return nil, bad.err(Call{}, 0, body)
	}
	return res, nil
}

// replyFault is why something is no answer. It becomes an error where the call is known.
type replyFault struct {
	column string
	reason Text
	cause  error
}

func (f *replyFault) err(call Call, status int, raw []byte) error {
	return &ReplyError{Call: call, StatusCode: status, Column: f.column, Reason: f.reason, Err: f.cause, raw: NewSecret(string(raw))}
}

// parseReply takes the Content-Type of the reply too, whose charset wins over what
// the bytes look like.
func parseReply(body []byte, contentType string) (*Result, *replyFault) {
	fail := func(column, en, ja string) (*Result, *replyFault) {
		return nil, &replyFault{column: column, reason: Text{en, ja}}
	}
	var text string
	if wire.IsASCII(body) {
		text = string(body)
	} else {
		text, _ = charsetOf(body, contentType).DecodeBytes(body)
	}
	// A byte order mark is what .NET likes to begin a page with.
	text = strings.TrimSpace(strings.TrimPrefix(text, "\uFEFF"))
	switch {
	case text == "":
		return fail("", "it is empty", "空です")
	case text == "OK":
		return &Result{Status: StatusAccepted}, nil
	case text[0] == '<':
		return fail("", "it is an HTML page", "HTMLページが返されました")
	case strings.HasPrefix(text, "ER:"):
		if code := text[len("ER:"):]; isCode(code) {
			return &Result{Status: StatusFailed, Code: Code(code)}, nil
		}
		return fail("ec", "after ER: is not a code", "（ER: の後）がエラーコードではありません")
	case strings.Contains(text, ","):
	case isBareCode(text):
		return &Result{Status: StatusFailed, Code: Code(text)}, nil
	default:
		return fail("", "it is neither a row nor OK nor a code", "カンマ区切りの行でも、OKでも、エラーコードでもありません")
	}
	row, bad := wire.SplitRow(text)
	if bad != nil {
		return nil, &replyFault{column: bad.Column, reason: Text(bad.Reason)}
	}
	res, fault := newResult(row)
	switch {
	case fault != nil:
		return nil, fault
	case res.Status != StatusSucceeded && res.Status != StatusFailed:
		return fail("rst", "is neither 1 nor 2", "が1でも2でもありません")
	case res.Status == StatusFailed && res.Code == "":
		return fail("ec", "is blank although rst says that the payment failed", "が空欄ですが、rstは決済失敗を示しています")
	}
	res.Extra = parseExtra(row.Other)
	return res, nil
}

// newResult types the columns of a row. Of rst it asks only that it is a number, and that
// the rest of the row does not contradict a success.
func newResult(row wire.Row) (*Result, *replyFault) {
	fail := func(column, en, ja string) (*Result, *replyFault) {
		return nil, &replyFault{column: column, reason: Text{en, ja}}
	}
	status, bad := wire.ParseYen(row.RST)
	success := status.Value == int64(StatusSucceeded)
	switch {
	case !wire.IsDigits(row.GID):
		return fail("gid", "is not a number of half-width digits", "が半角数字ではありません")
	case bad != nil || !status.Given || status.Value > math.MaxInt32 || len(row.RST) > 1 && row.RST[0] == '0':
		return fail("rst", "is not a number", "が数字ではありません")
	case !wire.IsAlnum(row.AP):
		return fail("ap", "has other characters than half-width letters and digits", "に半角英数字以外の文字があります")
	case row.EC != "" && !isCode(row.EC):
		return fail("ec", "is not a code of 1 to 12 half-width letters and digits", "が1～12桁の半角英数字ではありません")
	case success && row.EC != "":
		return fail("ec", "has a code although rst says that the payment succeeded", "にエラーコードがありますが、rstは決済成功を示しています")
	case success && strings.Trim(row.GID, "0") == "":
		return fail("gid", "is 0 although rst says that the payment succeeded", "が0ですが、rstは決済成功を示しています")
	}
	// The texts that the secrets point at lie beside the result, in one piece.
	r := &struct {
		Result
		ap, id, ps, other string
	}{ap: row.AP, id: row.ID, ps: row.PS, other: row.Other}
	secret := func(text *string) Secret {
		if *text == "" {
			return Secret{}
		}
		return Secret{text}
	}
	amount := func(y wire.Yen) Amount { return Amount{yen: y.Value, given: y.Given} }
	r.Result = Result{
		PaymentID:      row.GID,
		Status:         Status(status.Value),
		ApprovalCode:   secret(&r.ap),
		Code:           Code(row.EC),
		OrderCode:      row.GOD,
		OrderNumber:    row.COD,
		Amount:         amount(row.Amounts[0]),
		Tax:            amount(row.Amounts[1]),
		Shipping:       amount(row.Amounts[2]),
		Total:          amount(row.Amounts[3]),
		IssuedID:       secret(&r.id),
		IssuedPassword: secret(&r.ps),
		SubscriptionID: row.ACID,
		Other:          secret(&r.other),
	}
	r.markUnreadable("cod", strings.ContainsRune(row.COD, utf8.RuneError))
	r.markUnreadable("god", !wire.IsAlnum(row.GOD))
	r.markUnreadable(otherData, strings.ContainsRune(row.Other, utf8.RuneError))
	return &r.Result, nil
}

// otherData is the merchant's own data where the gateway's names are given.
const otherData = "other data"

func (r *Result) markUnreadable(name string, unreadable bool) {
	if unreadable && !slices.Contains(r.Unreadable, name) {
		r.Unreadable = append(r.Unreadable, name)
		slices.Sort(r.Unreadable)
	}
}

// otherAmount names an amount that is not the given one, in yen, or nothing.
func (r *Result) otherAmount(amount, tax, shipping int64) (column string) {
	switch {
	case r.Amount != Yen(amount):
		return "am"
	case r.Tax != Yen(tax):
		return "tx"
	case r.Shipping != Yen(shipping):
		return "sf"
	case r.Total != Yen(amount+tax+shipping):
		return "ta"
	default:
		return ""
	}
}

// charsetOf returns the character set that a Content-Type names, or else the one
// that the bytes look like (field notes, "Charset").
func charsetOf(body []byte, contentType string) wire.Charset {
	if _, params, err := mime.ParseMediaType(contentType); err == nil {
		switch strings.ToLower(params["charset"]) {
		case "utf-8", "utf8":
			return wire.UTF8
		case "shift_jis", "shift-jis", "sjis", "x-sjis", "windows-31j", "cp932", "ms932":
			return wire.ShiftJIS
		}
	}
	return wire.Detect(body)
}

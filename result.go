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

// Result is a result as the gateway reports it, in the columns of a reply or the parameters
// of a kickback (specification, "決済結果通知のパラメータ仕様"). Private fields are
// [Secret]s, which are redacted when printed, logged or marshalled.
type Result struct {
	// PaymentID is the payment's number (決済番号, gid). After a ReAuth it is the
	// new payment's. It is "0" in a refusal.
	PaymentID string
	// Status tells success from failure (決済結果, rst).
	Status Status
	// ApprovalCode is the card company's approval code (カード会社承認番号, ap), six or
	// seven letters and digits. See TestMode.
	ApprovalCode Secret
	// Code is the reason for a failure (エラーコード, ec), empty after a success.
	Code Code
	// OrderCode is the gateway's code for the order (オーダーコード, god).
	OrderCode string
	// OrderNumber is the merchant's order number, given with the original payment
	// (店舗オーダー番号, cod), at most 50 bytes.
	OrderNumber string
	// Amount, Tax and Shipping (決済金額 am, 税金額 tx, 送料 sf), in yen, and their sum,
	// Total (合計金額, ta).
	Amount, Tax, Shipping, Total Amount
	// IssuedID and IssuedPassword (発行ID id, 発行パスワード ps) are set for content
	// sales only (docs/protocol.md, "A row"; H).
	IssuedID, IssuedPassword Secret
	// SubscriptionID is the number of a recurring charge (自動課金番号, acid), if the
	// store is set up to report it (docs/protocol.md, "A row"; H).
	SubscriptionID string
	// Extra is the merchant's own data (その他), decoded. If the gateway returned it
	// unescaped, a & or % in a value is ambiguous; Other holds the original text. A + is a
	// plus sign, since this package sends spaces as %20.
	Extra Extra
	// Other is the merchant's own data as it was received.
	Other Secret

	// Attempts is the number of attempts that the call made. It is 0 for a result that does not
	// answer a call.
	Attempts int

	// Unreadable lists the fields that could not be decoded and hold the received text, by
	// the gateway's names ("cod", "god", "other data"), sorted. It is nil if all fields were
	// decoded. The payment's number, status and amounts are never among them: if one of
	// those cannot be read, there is an error instead of a result.
	Unreadable []string
}

// Status is the result of a payment (決済結果, rst). A value that the specification does
// not define keeps its number; recurring charges use 3 to 5.
type Status int

// The statuses. The gateway never sends the zero value.
const (
	StatusSucceeded Status = 1
	StatusFailed    Status = 2
	// StatusAccepted is the gateway's OK to a request whose result follows by kickback. It
	// has no number on the wire.
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

// Amount is an amount in yen that the gateway may have left blank. The zero value is a
// blank amount, which is not 0 yen. Amounts can be compared with ==:
//
//	if res.Total == jpayment.Yen(1580) { … }
type Amount struct {
	yen   int64
	given bool
}

// Yen returns the amount of n yen.
func Yen(n int64) Amount { return Amount{yen: n, given: true} }

// Int64 returns the amount in yen and reports whether it was given.
func (a Amount) Int64() (yen int64, ok bool) { return a.yen, a.given }

// String returns the amount in digits, or "-" if it is blank.
func (a Amount) String() string {
	if !a.given {
		return "-"
	}
	return strconv.FormatInt(a.yen, 10)
}

// MarshalJSON returns the amount as a number, or null if it is blank.
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

// TestMode reports whether the approval code is TestMod: the store is in test mode and no
// money moved (docs/protocol.md, "A row"; H).
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

// Format writes what LogValue returns, whatever the verb.
func (r Result) Format(f fmt.State, _ rune) { printPublic(f, "Result", r.LogValue()) }

// ParseReply parses a reply of the gateway in any of its forms: a row, OK, ER:code or a
// bare code, in UTF-8 or Shift_JIS (docs/protocol.md, "Replies"). The status of the result
// is StatusSucceeded for a success, StatusFailed for a refusal, which also has a code, and
// StatusAccepted for OK. Anything else is a [*ReplyError] that names the column and the
// reason, never the value; [ReplyError.Raw] returns the reply.
//
// Columns from the 11th on may be missing. A row of 14 columns has the number of a
// recurring charge in the 13th. The order number may contain a comma if the amounts prove
// where it ends; an ambiguous row is an error.
func ParseReply(body []byte) (*Result, error) {
	res, bad := parseReply(body, "")
	if bad != nil {
		return nil, bad.err(Call{}, 0, body)
	}
	return res, nil
}

// replyFault is the reason why a reply does not count. The caller, who knows the call, turns
// it into an error.
type replyFault struct {
	column string
	reason Text
	cause  error
}

func (f *replyFault) err(call Call, status int, raw []byte) error {
	return &ReplyError{Call: call, StatusCode: status, Column: f.column, Reason: f.reason, Err: f.cause, raw: NewSecret(string(raw))}
}

// parseReply parses a reply with a Content-Type, whose charset takes precedence over the
// look of the bytes.
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
	// Pages written by .NET may begin with a byte order mark.
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

// newResult converts the columns of a row. It accepts any number as rst, and checks that the
// rest of the row does not contradict a success.
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
		return fail("ap", "has characters other than half-width letters and digits", "に半角英数字以外の文字があります")
	case row.EC != "" && !isCode(row.EC):
		return fail("ec", "is not a code of 1 to 12 half-width letters and digits", "が1～12桁の半角英数字ではありません")
	case success && row.EC != "":
		return fail("ec", "has a code although rst says that the payment succeeded", "にエラーコードがありますが、rstは決済成功を示しています")
	case success && strings.Trim(row.GID, "0") == "":
		return fail("gid", "is 0 although rst says that the payment succeeded", "が0ですが、rstは決済成功を示しています")
	}
	// One allocation holds the result and the texts of its secrets.
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

// otherData stands for the merchant's own data among the gateway's names.
const otherData = "other data"

func (r *Result) markUnreadable(name string, unreadable bool) {
	if unreadable && !slices.Contains(r.Unreadable, name) {
		r.Unreadable = append(r.Unreadable, name)
		slices.Sort(r.Unreadable)
	}
}

// otherAmount returns the name of the first amount that differs from the given ones, in yen,
// or "".
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

// charsetOf returns the character set that the Content-Type names. If it names none, the bytes
// decide (docs/protocol.md, assumption 21).
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

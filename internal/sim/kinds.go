package sim

import (
	"slices"

	"github.com/jpayment-go/jpayment"
)

// FaultKind is what goes wrong. Package jpaymenttest explains each.
type FaultKind string

const (
	DropBeforeBooking        FaultKind = "drop-before-booking"
	DropAfterBooking         FaultKind = "drop-after-booking"
	ResetAfterBooking        FaultKind = "reset-after-booking"
	HangBeforeBooking        FaultKind = "hang-before-booking"
	HangAfterBooking         FaultKind = "hang-after-booking"
	CutReply                 FaultKind = "cut-reply"
	StallReply               FaultKind = "stall-reply"
	CutHeader                FaultKind = "cut-header"
	CloseAfterReply          FaultKind = "close-after-reply"
	DelayReply               FaultKind = "delay-reply"
	AnswerStatus             FaultKind = "answer-status"
	AnswerStatusAfterBooking FaultKind = "answer-status-after-booking"
	Redirect                 FaultKind = "redirect"
	AnswerCode               FaultKind = "answer-code"
	AnswerCodeAfterBooking   FaultKind = "answer-code-after-booking"
	Garbage                  FaultKind = "garbage"
	WrongCharset             FaultKind = "wrong-charset"
)

// Kind describes a kind of fault. The control panel, the HTTP interface and the pages
// follow from it.
type Kind struct {
	Kind   FaultKind
	Text   jpayment.Text // what it does
	Books  bool          // the gateway decides the request as always, so that it may have booked
	Fields []string      // of a Fault that are for this kind, beside those that narrow it; Code and Delay must be set then

	LeastStatus, MostStatus int // what Status may be, where that is one of the fields
}

// Has reports whether a field of a [Fault] is for this kind.
func (k Kind) Has(field string) bool { return slices.Contains(k.Fields, field) }

var kinds = []Kind{
	{
		Kind: DropBeforeBooking,
		Text: jpayment.Text{En: "Drop the connection, nothing booked", Ja: "処理せずに切断"},
	},
	{
		Kind: DropAfterBooking, Books: true,
		Text: jpayment.Text{En: "Book, then drop the connection", Ja: "処理したあと、応答せずに切断"},
	},
	{
		Kind: ResetAfterBooking, Books: true,
		Text: jpayment.Text{En: "Book, then reset the connection (RST)", Ja: "処理したあと、リセット（RST）"},
	},
	{
		Kind: HangBeforeBooking,
		Text: jpayment.Text{En: "Never answer, nothing booked", Ja: "処理せず、応答しない"},
	},
	{
		Kind: HangAfterBooking, Books: true,
		Text: jpayment.Text{En: "Book, then never answer", Ja: "処理したあと、応答しない"},
	},
	{
		Kind: CutReply, Books: true,
		Text: jpayment.Text{En: "Book, then cut the reply in half", Ja: "処理したあと、応答が途中で切れる"},
	},
	{
		Kind: StallReply, Books: true,
		Text: jpayment.Text{En: "Book, then stall in the middle of the reply", Ja: "処理したあと、応答が途中で止まる"},
	},
	{
		Kind: CutHeader, Books: true,
		Text: jpayment.Text{En: "Book, then cut the HTTP header", Ja: "処理したあと、HTTP ヘッダーが途中で切れる"},
	},
	{
		Kind: CloseAfterReply, Books: true,
		Text: jpayment.Text{En: "Reply, then close a kept connection", Ja: "応答したあと、維持すべき接続を閉じる"},
	},
	{
		Kind: DelayReply, Books: true, Fields: []string{"Delay"},
		Text: jpayment.Text{En: "Book, then reply late", Ja: "処理したあと、遅れて応答"},
	},
	{
		Kind: AnswerStatus, Fields: []string{"Status"}, LeastStatus: 200, MostStatus: 599,
		Text: jpayment.Text{En: "Answer an HTTP status, nothing booked", Ja: "処理せず、HTTP ステータスで応答"},
	},
	{
		Kind: AnswerStatusAfterBooking, Books: true, Fields: []string{"Status"}, LeastStatus: 200, MostStatus: 599,
		Text: jpayment.Text{En: "Book, then answer an HTTP status", Ja: "処理したあと、HTTP ステータスで応答"},
	},
	{
		Kind: Redirect, Fields: []string{"Status", "Location"}, LeastStatus: 300, MostStatus: 399,
		Text: jpayment.Text{En: "Redirect, nothing booked", Ja: "処理せず、リダイレクト"},
	},
	{
		Kind: AnswerCode, Fields: []string{"Code"},
		Text: jpayment.Text{En: "Refuse with a code, nothing booked", Ja: "処理せず、エラーコードで応答"},
	},
	{
		Kind: AnswerCodeAfterBooking, Books: true, Fields: []string{"Code"},
		Text: jpayment.Text{En: "Book, then refuse with a code", Ja: "処理したのに、エラーコードで応答"},
	},
	{
		Kind: Garbage, Books: true, Fields: []string{"Body"},
		Text: jpayment.Text{En: "Book, then reply garbage", Ja: "処理したあと、壊れた応答"},
	},
	{
		Kind: WrongCharset, Books: true,
		Text: jpayment.Text{En: "Book, then reply in another charset than named", Ja: "処理したあと、違う文字コードで応答"},
	},
}

// Kinds returns every kind of fault, in the order in which to offer them.
func Kinds() []Kind { return slices.Clone(kinds) }

// KindOf returns the description of a kind.
func KindOf(kind FaultKind) (k Kind, known bool) {
	i := slices.IndexFunc(kinds, func(k Kind) bool { return k.Kind == kind })
	if i < 0 {
		return Kind{}, false
	}
	return kinds[i], true
}

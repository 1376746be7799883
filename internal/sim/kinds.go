package sim

import (
	"slices"

	"github.com/jpayment-go/jpayment"
)

// FaultKind is a kind of fault.
type FaultKind string

// The kinds of faults.
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

// Kind describes a kind of fault for the control panel, the HTTP interface and the pages.
type Kind struct {
	Kind   FaultKind
	Text   jpayment.Text // what it does, short enough for the list of a narrow form
	Books  bool          // the gateway first processes the request as usual, and may book it
	Fields []string      // the fields of a Fault that this kind uses, besides those that limit it; Code and Delay are then required

	LeastStatus, MostStatus int // the range of Status, if it is one of the fields
}

// Has reports whether the kind uses a field of [Fault].
func (k Kind) Has(field string) bool { return slices.Contains(k.Fields, field) }

var kinds = []Kind{
	{
		Kind: DropBeforeBooking,
		Text: jpayment.Text{En: "Drop the connection (not booked)", Ja: "応答せずに切断（処理なし）"},
	},
	{
		Kind: DropAfterBooking, Books: true,
		Text: jpayment.Text{En: "Drop the connection (booked)", Ja: "応答せずに切断（処理済み）"},
	},
	{
		Kind: ResetAfterBooking, Books: true,
		Text: jpayment.Text{En: "Reset the connection (booked)", Ja: "接続をリセット（処理済み）"},
	},
	{
		Kind: HangBeforeBooking,
		Text: jpayment.Text{En: "Never answer (not booked)", Ja: "応答しない（処理なし）"},
	},
	{
		Kind: HangAfterBooking, Books: true,
		Text: jpayment.Text{En: "Never answer (booked)", Ja: "応答しない（処理済み）"},
	},
	{
		Kind: CutReply, Books: true,
		Text: jpayment.Text{En: "Cut the reply in half (booked)", Ja: "応答が途中で切れる（処理済み）"},
	},
	{
		Kind: StallReply, Books: true,
		Text: jpayment.Text{En: "Stall in mid-reply (booked)", Ja: "応答が途中で止まる（処理済み）"},
	},
	{
		Kind: CutHeader, Books: true,
		Text: jpayment.Text{En: "Cut the HTTP header (booked)", Ja: "ヘッダーが途中で切れる（処理済み）"},
	},
	{
		Kind: CloseAfterReply, Books: true,
		Text: jpayment.Text{En: "Close after the reply (booked)", Ja: "応答後に切断（処理済み）"},
	},
	{
		Kind: DelayReply, Books: true, Fields: []string{"Delay"},
		Text: jpayment.Text{En: "Reply late (booked)", Ja: "遅れて応答（処理済み）"},
	},
	{
		Kind: AnswerStatus, Fields: []string{"Status"}, LeastStatus: 200, MostStatus: 599,
		Text: jpayment.Text{En: "Reply with a status (not booked)", Ja: "HTTPステータスで応答（処理なし）"},
	},
	{
		Kind: AnswerStatusAfterBooking, Books: true, Fields: []string{"Status"}, LeastStatus: 200, MostStatus: 599,
		Text: jpayment.Text{En: "Reply with a status (booked)", Ja: "HTTPステータスで応答（処理済み）"},
	},
	{
		Kind: Redirect, Fields: []string{"Status", "Location"}, LeastStatus: 300, MostStatus: 399,
		Text: jpayment.Text{En: "Redirect (not booked)", Ja: "リダイレクト（処理なし）"},
	},
	{
		Kind: AnswerCode, Fields: []string{"Code"},
		Text: jpayment.Text{En: "Refuse with a code (not booked)", Ja: "エラーコードで拒否（処理なし）"},
	},
	{
		Kind: AnswerCodeAfterBooking, Books: true, Fields: []string{"Code"},
		Text: jpayment.Text{En: "Refuse with a code (booked)", Ja: "エラーコードで拒否（処理済み）"},
	},
	{
		Kind: Garbage, Books: true, Fields: []string{"Body"},
		Text: jpayment.Text{En: "Reply with garbage (booked)", Ja: "壊れた応答（処理済み）"},
	},
	{
		Kind: WrongCharset, Books: true,
		Text: jpayment.Text{En: "Reply in the wrong charset (booked)", Ja: "誤った文字コードで応答（処理済み）"},
	},
}

// Kinds returns all kinds of faults, in the order of display.
func Kinds() []Kind { return slices.Clone(kinds) }

// KindOf returns the description of a kind.
func KindOf(kind FaultKind) (k Kind, known bool) {
	i := slices.IndexFunc(kinds, func(k Kind) bool { return k.Kind == kind })
	if i < 0 {
		return Kind{}, false
	}
	return kinds[i], true
}

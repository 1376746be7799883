package simulator

import "github.com/jpayment-go/jpayment/jpaymenttest"

// faultKinds are the kinds of faults in the order in which they are offered.
var faultKinds = []jpaymenttest.FaultKind{
	jpaymenttest.DropBeforeBooking,
	jpaymenttest.DropAfterBooking,
	jpaymenttest.ResetAfterBooking,
	jpaymenttest.HangBeforeBooking,
	jpaymenttest.HangAfterBooking,
	jpaymenttest.CutReply,
	jpaymenttest.StallReply,
	jpaymenttest.CutHeader,
	jpaymenttest.CloseAfterReply,
	jpaymenttest.DelayReply,
	jpaymenttest.AnswerStatus,
	jpaymenttest.AnswerStatusAfterBooking,
	jpaymenttest.Redirect,
	jpaymenttest.AnswerCode,
	jpaymenttest.AnswerCodeAfterBooking,
	jpaymenttest.Garbage,
	jpaymenttest.WrongCharset,
}

var faultTexts = map[jpaymenttest.FaultKind]reason{
	jpaymenttest.DropBeforeBooking:        {"Drop the connection, nothing booked", "処理せずに切断"},
	jpaymenttest.DropAfterBooking:         {"Book, then drop the connection", "処理したあと、応答せずに切断"},
	jpaymenttest.ResetAfterBooking:        {"Book, then reset the connection (RST)", "処理したあと、リセット（RST）"},
	jpaymenttest.HangBeforeBooking:        {"Never answer, nothing booked", "処理せず、応答しない"},
	jpaymenttest.HangAfterBooking:         {"Book, then never answer", "処理したあと、応答しない"},
	jpaymenttest.CutReply:                 {"Book, then cut the reply in half", "処理したあと、応答が途中で切れる"},
	jpaymenttest.StallReply:               {"Book, then stall in the middle of the reply", "処理したあと、応答が途中で止まる"},
	jpaymenttest.CutHeader:                {"Book, then cut the HTTP header", "処理したあと、HTTP ヘッダーが途中で切れる"},
	jpaymenttest.CloseAfterReply:          {"Reply, then close a kept connection", "応答したあと、維持すべき接続を閉じる"},
	jpaymenttest.DelayReply:               {"Book, then reply late", "処理したあと、遅れて応答"},
	jpaymenttest.AnswerStatus:             {"Answer an HTTP status, nothing booked", "処理せず、HTTP ステータスで応答"},
	jpaymenttest.AnswerStatusAfterBooking: {"Book, then answer an HTTP status", "処理したあと、HTTP ステータスで応答"},
	jpaymenttest.Redirect:                 {"Redirect, nothing booked", "処理せず、リダイレクト"},
	jpaymenttest.AnswerCode:               {"Refuse with a code, nothing booked", "処理せず、エラーコードで応答"},
	jpaymenttest.AnswerCodeAfterBooking:   {"Book, then refuse with a code", "処理したのに、エラーコードで応答"},
	jpaymenttest.Garbage:                  {"Book, then reply garbage", "処理したあと、壊れた応答"},
	jpaymenttest.WrongCharset:             {"Book, then reply in another charset than named", "処理したあと、違う文字コードで応答"},
}

func faultNames() []string {
	names := make([]string, len(faultKinds))
	for i, kind := range faultKinds {
		names[i] = string(kind)
	}
	return names
}

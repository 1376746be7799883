package cli

import (
	"context"
	"fmt"
	"io"
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding/japanese"

	"github.com/jpayment-go/jpayment"
	"github.com/jpayment-go/jpayment/cmd/jpayment/internal/console"
)

// preview returns the request of an operation exactly as it will be sent: its URL, and its
// parameters as table rows, without private values. Nothing is sent.
func preview(ctx context.Context, lang console.Lang, client *jpayment.Client, op jpayment.Operation, r jpayment.Request) (*url.URL, [][]string, error) {
	req, err := client.Preview(ctx, op, r)
	if err != nil {
		return nil, nil, err
	}
	body, err := io.ReadAll(req.Body)
	if err != nil {
		return nil, nil, fmt.Errorf("preview: %w", err) // It is in memory.
	}
	var rows [][]string
	for pair := range strings.SplitSeq(string(body), "&") {
		name, value, _ := strings.Cut(pair, "=")
		rows = append(rows, parameter(lang, unescape(name), unescape(value)))
	}
	return req.URL, rows, nil
}

// parameter returns a table row for a parameter.
func parameter(lang console.Lang, name, value string) []string {
	term, known := terms[name]
	if !known {
		term = otherData
	}
	switch {
	case name == "ut":
		value = lang.In("(set when sent)", "（送信時に決まる）")
	case !slices.Contains([]string{"aid", "jb", "rt", "tid", "am", "tx", "sf"}, name):
		value = lang.Hide(value)
	}
	return []string{name, lang.Of(term), value}
}

// unescape decodes text in UTF-8 or Shift_JIS.
func unescape(s string) string {
	text, err := url.QueryUnescape(s)
	if err == nil && !utf8.ValidString(text) {
		text, err = japanese.ShiftJIS.NewDecoder().String(text)
	}
	if err != nil {
		return s
	}
	return text
}

// otherData is the term for the store's own data.
var otherData = jpayment.Text{En: "other data", Ja: "その他データ"}

// terms maps the gateway's parameters and columns to their names in English and in the
// specification.
var terms = map[string]jpayment.Text{
	"aid":  {En: "store", Ja: "店舗ID"},
	"jb":   {En: "job", Ja: "ジョブタイプ"},
	"rt":   {En: "reply method", Ja: "決済結果返信方法"},
	"tid":  {En: "payment", Ja: "対象決済番号"},
	"em":   {En: "e-mail address", Ja: "メールアドレス"},
	"pn":   {En: "telephone number", Ja: "電話番号"},
	"ut":   {En: "time of sending", Ja: "送信時刻"},
	"hak":  {En: "connection authentication", Ja: "接続認証"},
	"gid":  {En: "payment", Ja: "決済番号"},
	"rst":  {En: "result", Ja: "決済結果"},
	"ap":   {En: "approval code", Ja: "カード会社承認番号"},
	"ec":   {En: "error code", Ja: "エラーコード"},
	"god":  {En: "order code", Ja: "オーダーコード"},
	"cod":  {En: "order number", Ja: "店舗オーダー番号"},
	"am":   {En: "price", Ja: "決済金額"},
	"tx":   {En: "tax", Ja: "税額"},
	"sf":   {En: "shipping", Ja: "送料"},
	"ta":   {En: "total", Ja: "合計金額"},
	"id":   {En: "issued ID", Ja: "発行ID"},
	"ps":   {En: "issued password", Ja: "発行パスワード"},
	"acid": {En: "recurring charge", Ja: "自動課金番号"},
	"jpk":  {En: "signature", Ja: "署名"},
}

package cli

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/jpayment-go/jpayment"
)

// call is one operation with its arguments.
type call func(context.Context, jpayment.Gateway) (*jpayment.Result, error)

// sending is a request as it would leave the machine.
type sending struct {
	url    *url.URL
	params []param
}

// param is a parameter by the gateway's name, still percent-encoded where it is not
// UTF-8.
type param struct{ name, value string }

// rehearse carries an operation out up to the point where the request would leave the
// machine, and returns that request. Nothing is sent. So the request is shown by the
// code that makes it, and everything that is checked before sending is checked.
func rehearse(ctx context.Context, s settings, do call) (sending, error) {
	var stage stage
	opts := append(s.options(),
		jpayment.WithHTTPClient(&http.Client{Transport: &stage}),
		jpayment.WithRetry(jpayment.RetryPolicy{MaxAttempts: 1}))
	client, err := jpayment.NewClient(s.store, opts...)
	if err != nil {
		return sending{}, err
	}
	_, err = do(ctx, client)
	if stage.sent.url == nil {
		return sending{}, err
	}
	return stage.sent, nil
}

// stage is a transport that keeps the request.
type stage struct{ sent sending }

var errRehearsal = errors.New("rehearsal")

func (s *stage) RoundTrip(r *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	s.sent.url = r.URL
	for pair := range strings.SplitSeq(string(body), "&") {
		name, value, _ := strings.Cut(pair, "=")
		s.sent.params = append(s.sent.params, param{unescape(name), unescape(value)})
	}
	return nil, errRehearsal
}

// unescape decodes what is readable.
func unescape(s string) string {
	if text, err := url.QueryUnescape(s); err == nil && strings.ToValidUTF8(text, "") == text {
		return text
	}
	return s
}

// terms are the gateway's parameters and columns: their names in the specification
// and in English.
var terms = map[string]struct{ ja, en string }{
	"aid":  {"店舗ID", "store"},
	"jb":   {"ジョブタイプ", "job"},
	"rt":   {"決済結果返信方法", "how to reply"},
	"tid":  {"対象決済番号", "payment"},
	"em":   {"メールアドレス", "e-mail address"},
	"pn":   {"電話番号", "telephone number"},
	"ut":   {"送信時刻", "time of sending"},
	"hak":  {"接続認証", "connection authentication"},
	"gid":  {"決済番号", "payment"},
	"rst":  {"決済結果", "result"},
	"ap":   {"カード会社承認番号", "approval code"},
	"ec":   {"エラーコード", "error code"},
	"god":  {"オーダーコード", "order code"},
	"cod":  {"店舗オーダー番号", "order number"},
	"am":   {"決済金額", "price"},
	"tx":   {"税額", "tax"},
	"sf":   {"送料", "shipping"},
	"ta":   {"合計金額", "total"},
	"id":   {"発行ID", "issued ID"},
	"ps":   {"発行パスワード", "issued password"},
	"acid": {"自動課金番号", "recurring charge"},
}

// rows returns the parameters for a person, without what is private.
func (s sending) rows(lang string) [][]string {
	public := []string{"aid", "jb", "rt", "tid", "am", "tx", "sf"}
	rows := make([][]string, 0, len(s.params))
	for _, p := range s.params {
		term, known := terms[p.name]
		if !known {
			term.ja, term.en = "その他データ", "other data"
		}
		value := p.value
		switch {
		case p.name == "ut":
			value = in(lang, "(when it is sent)", "（送信時に決まる）")
		case !slices.Contains(public, p.name):
			value = hide(value)
		}
		rows = append(rows, []string{p.name, in(lang, term.en, term.ja), value})
	}
	return rows
}

package simulator

import (
	"fmt"
	"net/http"
	"strings"
)

// texts are the panel's, in the terms of the real one.
var texts = map[string]reason{
	"title":     {"Simulated gateway", "決済ゲートウェイ・シミュレーター"},
	"not real":  {"A simulation: no card, no money, not ROBOT PAYMENT.", "シミュレーションです。カードもお金も動きません。ROBOT PAYMENT 社のものではありません。"},
	"skip":      {"Skip to the content", "本文へ移動"},
	"store":     {"Store ID", "店舗ID"},
	"live":      {"live", "自動更新中"},
	"offline":   {"reconnecting", "再接続中"},
	"language":  {"Language", "言語"},
	"overview":  {"Overview", "一覧に戻る"},
	"on":        {"on", "ON"},
	"off":       {"off", "OFF"},
	"turn on":   {"Turn on", "ON にする"},
	"turn off":  {"Turn off", "OFF にする"},
	"save":      {"Save", "保存"},
	"yes":       {"yes", "はい"},
	"no":        {"no", "いいえ"},
	"older":     {"Older", "前のページ"},
	"newer":     {"Newest", "最新に戻る"},
	"time":      {"Time", "日時"},
	"jst":       {"Times are those of Japan.", "日時はすべて日本時間です。"},
	"error":     {"This cannot be done", "実行できません"},
	"not found": {"There is nothing here", "ページがありません"},

	"payments":        {"Payments", "決済"},
	"payment":         {"Payment", "決済"},
	"no payments":     {"No payments yet. Authorise one, as the shop's checkout would.", "決済はまだありません。店舗の購入画面の代わりに、ここで仮売上を作成できます。"},
	"new payment":     {"Authorise a demo payment", "テスト用の仮売上を作成"},
	"authorise":       {"Authorise", "仮売上を作成"},
	"payment ID":      {"Payment number", "決済番号"},
	"state":           {"State", "状態"},
	"total":           {"Total", "合計"},
	"amount":          {"Amount", "決済金額"},
	"tax":             {"Tax", "税額"},
	"shipping":        {"Shipping", "送料"},
	"order number":    {"Order number", "店舗オーダー番号"},
	"order code":      {"Order code", "オーダーコード"},
	"approval":        {"Approval code", "承認番号"},
	"product":         {"Registered product", "商品登録あり"},
	"decline":         {"Issuer declines with", "カード会社の拒否コード"},
	"decline hint":    {"Empty: the issuer approves", "空欄なら承認されます"},
	"authorised at":   {"Authorised", "仮売上日時"},
	"replaces":        {"Replaces", "再オーソリ元"},
	"replaced by":     {"Replaced by", "再オーソリ先"},
	"actions":         {"Actions", "操作"},
	"capture":         {"Capture", "実売上"},
	"cancel":          {"Cancel", "取消"},
	"reauthorize":     {"Re-authorise", "再オーソリ"},
	"reauthorize why": {"Cancels this payment and opens a new one at these amounts.", "この決済を取り消し、次の金額で新しい仮売上を作成します。"},
	"history":         {"History", "履歴"},
	"operation":       {"Operation", "処理"},
	"by panel":        {"Panel or API", "管理画面・API"},
	"test booking":    {"test mode, no money", "テストモード"},
	"authorized":      {"Authorised", "仮売上"},
	"captured":        {"Captured", "実売上"},
	"cancelled":       {"Cancelled", "取消"},

	"requests":     {"Requests", "リクエスト"},
	"request":      {"Request", "リクエスト"},
	"no requests":  {"No requests yet. Point your client here:", "リクエストはまだありません。クライアントの接続先を次に設定してください。"},
	"sent":         {"What was sent", "内容"},
	"result":       {"Result", "結果"},
	"booked":       {"booked", "処理済み"},
	"not booked":   {"nothing booked", "処理なし"},
	"refused":      {"refused", "拒否"},
	"no answer":    {"no answer", "応答なし"},
	"from":         {"From", "送信元"},
	"fault":        {"Fault", "障害"},
	"parameters":   {"Decoded parameters", "パラメータ（デコード後）"},
	"no params":    {"None could be decoded.", "デコードできるパラメータはありません。"},
	"raw query":    {"Query, as it came", "クエリ（受信したまま）"},
	"raw body":     {"Body, as it came", "本文（受信したまま）"},
	"answer":       {"Answer", "応答"},
	"headers":      {"Headers", "ヘッダー"},
	"empty":        {"empty", "なし"},
	"bytes":        {"bytes", "バイト"},
	"quoted":       {"Bytes that cannot be shown are written as escapes.", "表示できないバイトはエスケープして表示しています。"},
	"forgotten":    {"Only the last requests are remembered.", "古いリクエストは保存されていません。"},
	"request memo": {"The last 1,000 are kept.", "直近 1,000 件を保持します。"},

	"kickbacks":       {"Kickbacks", "決済結果通知（キックバック）"},
	"no kickbacks":    {"None yet. A re-authorisation with rt=0 has one.", "通知はまだありません。rt=0 の再オーソリで送信されます。"},
	"waiting notices": {"Kickbacks waiting", "送信待ちの通知"},
	"waiting":         {"Waiting", "送信待ち"},
	"next attempt":    {"Next attempt", "次回の送信"},
	"no url":          {"No notification URL is set: notices wait.", "決済結果通知URL が未設定のため、通知は送信待ちです。"},
	"by hand":         {"by hand", "手動"},
	"forged":          {"forged", "偽造"},
	"delivered":       {"delivered", "受信確認"},
	"not delivered":   {"not delivered", "未達"},
	"under way":       {"under way", "送信中"},
	"retry":           {"Send again", "再送"},
	"notice":          {"Notice", "通知内容"},
	"receiver said":   {"Receiver's answer", "受信側の応答"},

	"settings":         {"Shop settings", "店舗設定"},
	"test mode":        {"Test mode", "テストモード"},
	"test mode why":    {"Approval codes are TestMod", "承認番号が TestMod になります"},
	"maintenance":      {"Maintenance", "メンテナンス"},
	"maintenance why":  {"Everything is refused with ER999", "すべて ER999 で拒否します"},
	"ips":              {"Registered source addresses", "決済データ送信元IP"},
	"ips why":          {"One to a line, or ranges such as 10.0.0.0/8. Others are refused with ER003.", "1 行に 1 件。10.0.0.0/8 のような範囲も可。ほかは ER003 で拒否します。"},
	"kickback url":     {"Notification URL", "決済結果通知URL"},
	"kickback url why": {"On this machine only, such as http://127.0.0.1:9000/kickback", "このマシン上の URL のみ（例 http://127.0.0.1:9000/kickback）"},

	"faults":      {"Faults", "障害"},
	"no faults":   {"None: everything is answered as it should be.", "設定なし。すべて正常に応答します。"},
	"new fault":   {"Add a fault", "障害を追加"},
	"add":         {"Add", "追加"},
	"clear":       {"Clear all faults", "すべて解除"},
	"kind":        {"What goes wrong", "障害の種類"},
	"any":         {"any", "すべて"},
	"nth":         {"Only the n-th request", "n 回目のみ"},
	"probability": {"Probability (0–1)", "確率（0〜1）"},
	"code":        {"Code", "エラーコード"},
	"status":      {"HTTP status", "HTTP ステータス"},
	"location":    {"Redirect to", "リダイレクト先"},
	"body":        {"Garbage to send", "壊れた応答の内容"},
	"delay":       {"Delay in ms", "遅延（ミリ秒）"},
	"more":        {"Details for some kinds", "種類ごとの詳細"},
	"every time":  {"every time", "毎回"},
	"number":      {"is not a whole number", "が整数ではありません"},
}

// fieldTexts name the fields of an error in the panel by the keys of texts.
var fieldTexts = map[string]string{
	"amount": "amount", "tax": "tax", "shipping": "shipping", "order_number": "order number", "decline": "decline",
	"kind": "kind", "operation": "operation", "nth": "nth", "probability": "probability", "code": "code",
	"status": "status", "location": "location", "body": "body", "delay_ms": "delay",
	"registered_ips": "ips", "kickback_url": "kickback url",
}

const (
	english  = "en"
	japanese = "ja"
)

func (r reason) in(language string) string {
	if language == japanese {
		return r.ja
	}
	return r.en
}

// text is the template function t. A key without a text is a mistake of the template's.
func text(language, key string) (string, error) {
	r, found := texts[key]
	if !found {
		return "", fmt.Errorf("no text for %q", key)
	}
	return r.in(language), nil
}

const languageCookie = "language"

// languageOf is the language that was chosen in the panel, else the first of the
// browser's that the panel speaks.
func languageOf(r *http.Request) string {
	if c, err := r.Cookie(languageCookie); err == nil && (c.Value == japanese || c.Value == english) {
		return c.Value
	}
	for accepted := range strings.SplitSeq(r.Header.Get("Accept-Language"), ",") {
		tag, _, _ := strings.Cut(accepted, ";") // browsers send them in order of preference
		primary, _, _ := strings.Cut(strings.ToLower(strings.TrimSpace(tag)), "-")
		if primary == japanese || primary == english {
			return primary
		}
	}
	return english
}

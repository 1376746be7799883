package simulator

import (
	"fmt"
	"net/http"

	"github.com/jpayment-go/jpayment"
	"github.com/jpayment-go/jpayment/cmd/jpayment/internal/console"
	"github.com/jpayment-go/jpayment/cmd/jpayment/internal/localpage"
	"github.com/jpayment-go/jpayment/internal/sim"
)

// texts are the texts of the panel, in the terms of the real one.
var texts = map[string]jpayment.Text{
	"title":     {En: "Simulated gateway", Ja: "決済ゲートウェイ・シミュレーター"},
	"not real":  {En: "This is a simulation, not ROBOT PAYMENT's control panel. No card is charged.", Ja: "シミュレーションです。実際のカード決済や請求は行われません。ROBOT PAYMENT 社の管理画面ではありません。"},
	"skip":      {En: "Skip to the content", Ja: "本文へ移動"},
	"jump":      {En: "On this page", Ja: "このページの項目"},
	"store":     {En: "Store ID", Ja: "店舗ID"},
	"live":      {En: "live", Ja: "自動更新中"},
	"offline":   {En: "reconnecting", Ja: "再接続中"},
	"language":  {En: "Language", Ja: "言語"},
	"overview":  {En: "Overview", Ja: "一覧に戻る"},
	"on":        {En: "on", Ja: "ON"},
	"off":       {En: "off", Ja: "OFF"},
	"turn on":   {En: "Turn on", Ja: "ONにする"},
	"turn off":  {En: "Turn off", Ja: "OFFにする"},
	"save":      {En: "Save", Ja: "保存"},
	"yes":       {En: "yes", Ja: "はい"},
	"no":        {En: "no", Ja: "いいえ"},
	"range":     {En: "%s–%s of %s", Ja: "%s–%s件目（全%s件）"},
	"time":      {En: "Time", Ja: "日時"},
	"jst":       {En: "Times are in Japan time (JST).", Ja: "日時はすべて日本時間（JST）です。"},
	"error":     {En: "This cannot be done", Ja: "実行できません"},
	"not found": {En: "Page not found", Ja: "ページがありません"},
	"bad form":  {En: "the form cannot be read", Ja: "送信された内容を読み取れません。"},
	"bad page":  {En: "the page cannot be shown", Ja: "ページを表示できません。"},
	"not kept":  {En: "The state cannot be saved, so the simulator ends.", Ja: "状態を保存できないため、シミュレーターを終了します。"},
	"no action": {En: "There is no such action.", Ja: "この操作はありません。"},

	"payments":        {En: "Payments", Ja: "決済"},
	"payments pages":  {En: "Pages of payments", Ja: "決済のページ"},
	"newer payments":  {En: "Newer payments", Ja: "新しい決済"},
	"older payments":  {En: "Older payments", Ja: "古い決済"},
	"payment":         {En: "Payment", Ja: "決済"},
	"no payments":     {En: "No payments yet. Authorise one, as the store's checkout would.", Ja: "決済はまだありません。店舗の購入画面の代わりに、ここで仮売上を作成できます。"},
	"search":          {En: "Search", Ja: "検索"},
	"search for":      {En: "Payment or order number", Ja: "決済番号・店舗オーダー番号"},
	"search off":      {En: "Show all", Ja: "検索を解除"},
	"found":           {En: "Payments that match “%s”: %s", Ja: "「%s」に一致する決済：%s件"},
	"none found":      {En: "No payment matches “%s”.", Ja: "「%s」に一致する決済はありません。"},
	"new payment":     {En: "Authorise a test payment", Ja: "テスト用の仮売上を作成"},
	"authorise":       {En: "Authorise", Ja: "仮売上を作成"},
	"payment ID":      {En: "Payment number", Ja: "決済番号"},
	"state":           {En: "State", Ja: "状態"},
	"total":           {En: "Total", Ja: "合計"},
	"amount":          {En: "Amount", Ja: "決済金額"},
	"tax":             {En: "Tax", Ja: "税額"},
	"shipping":        {En: "Shipping", Ja: "送料"},
	"order number":    {En: "Order number", Ja: "店舗オーダー番号"},
	"order code":      {En: "Order code", Ja: "オーダーコード"},
	"approval":        {En: "Approval code", Ja: "承認番号"},
	"product":         {En: "Registered product", Ja: "商品登録あり"},
	"decline":         {En: "Issuer declines with", Ja: "カード会社の拒否コード"},
	"decline hint":    {En: "If empty, the issuer approves", Ja: "空欄なら承認されます"},
	"authorised at":   {En: "Authorised", Ja: "仮売上日時"},
	"replaces":        {En: "Replaces", Ja: "再オーソリ元"},
	"replaced by":     {En: "Replaced by", Ja: "再オーソリ先"},
	"actions":         {En: "Actions", Ja: "操作"},
	"capture":         {En: "Capture", Ja: "実売上"},
	"cancel":          {En: "Cancel", Ja: "取消"},
	"reauthorize":     {En: "Re-authorise", Ja: "再オーソリ"},
	"reauthorize why": {En: "Cancels this payment and creates a new one for these amounts.", Ja: "この決済を取り消し、次の金額で新しい決済（仮売上）を作成します。"},
	"history":         {En: "History", Ja: "履歴"},
	"operation":       {En: "Operation", Ja: "処理"},
	"by panel":        {En: "Panel or API", Ja: "管理画面・API"},
	"test":            {En: "test", Ja: "テスト"},
	"test booking":    {En: "booked in test mode", Ja: "テストモード"},
	"authorized":      {En: "Authorised", Ja: "仮売上"},
	"captured":        {En: "Captured", Ja: "実売上"},
	"cancelled":       {En: "Cancelled", Ja: "取消"},

	"requests":       {En: "Requests", Ja: "リクエスト"},
	"requests pages": {En: "Pages of requests", Ja: "リクエストのページ"},
	"newer requests": {En: "Newer requests", Ja: "新しいリクエスト"},
	"older requests": {En: "Older requests", Ja: "古いリクエスト"},
	"request":        {En: "Request", Ja: "リクエスト"},
	"no requests":    {En: "No requests yet. Point your client here:", Ja: "リクエストはまだありません。クライアントの接続先を次に設定してください。"},
	"sent":           {En: "What was sent", Ja: "内容"},
	"result":         {En: "Result", Ja: "結果"},
	"booked":         {En: "booked", Ja: "処理済み"},
	"not booked":     {En: "not booked", Ja: "処理なし"},
	"refused":        {En: "Refused", Ja: "拒否"},
	"no answer":      {En: "no answer", Ja: "応答なし"},
	"from":           {En: "From", Ja: "送信元"},
	"fault":          {En: "Fault", Ja: "障害"},
	"parameters":     {En: "Decoded parameters", Ja: "パラメータ（デコード後）"},
	"no params":      {En: "None could be decoded.", Ja: "デコードできるパラメータはありません。"},
	"name":           {En: "Name", Ja: "名前"},
	"value":          {En: "Value", Ja: "値"},
	"raw query":      {En: "Query, as received", Ja: "クエリ（受信したまま）"},
	"raw body":       {En: "Body, as received", Ja: "本文（受信したまま）"},
	"answer":         {En: "Answer", Ja: "応答"},
	"headers":        {En: "Headers", Ja: "ヘッダー"},
	"empty":          {En: "empty", Ja: "なし"},
	"bytes":          {En: "%s bytes", Ja: "%sバイト"},
	"quoted":         {En: "Bytes that cannot be displayed are escaped.", Ja: "表示できないバイトはエスケープして表示しています。"},
	"forgotten":      {En: "Older requests are not kept.", Ja: "古いリクエストは保存されていません。"},
	"request memo":   {En: "The last 1,000 are kept.", Ja: "直近1,000件を保持します。"},

	"kickbacks":         {En: "Kickbacks", Ja: "決済結果通知"},
	"kickbacks pages":   {En: "Pages of kickbacks", Ja: "決済結果通知のページ"},
	"newer kickbacks":   {En: "Newer kickbacks", Ja: "新しい決済結果通知"},
	"older kickbacks":   {En: "Older kickbacks", Ja: "古い決済結果通知"},
	"no kickbacks":      {En: "None yet. A re-authorisation with rt=0 sends one.", Ja: "決済結果通知はまだありません。rt=0 の再オーソリで送信されます。"},
	"waiting kickbacks": {En: "Kickbacks waiting", Ja: "送信待ちの決済結果通知"},
	"waiting":           {En: "waiting", Ja: "送信待ち"},
	"next attempt":      {En: "next attempt", Ja: "次回"},
	"attempt":           {En: "attempt %d", Ja: "%d回目"},
	"no url":            {En: "No kickback URL is set: kickbacks wait.", Ja: "決済結果通知URLが未設定のため、決済結果通知は送信待ちです。"},
	"by hand":           {En: "by hand", Ja: "手動"},
	"forged":            {En: "forged", Ja: "偽造"},
	"delivered":         {En: "delivered", Ja: "送信成功"},
	"not delivered":     {En: "not delivered", Ja: "送信失敗"},
	"under way":         {En: "being sent", Ja: "送信中"},
	"retry":             {En: "Send again", Ja: "再送"},
	"receiver said":     {En: "Receiver's answer", Ja: "受信側の応答"},
	"too late":          {En: "no answer in time", Ja: "時間内に応答がありません"},
	"no receiver":       {En: "no connection: is the receiver running?", Ja: "接続できません。受信側が起動しているか確認してください"},
	"certificate":       {En: "the certificate is not trusted", Ja: "証明書を検証できません"},
	"broken off":        {En: "the connection was interrupted", Ja: "通信が途中で切れました"},

	"settings jump":    {En: "Settings", Ja: "店舗設定"},
	"settings":         {En: "Store settings", Ja: "店舗設定"},
	"test mode":        {En: "Test mode", Ja: "テストモード"},
	"test mode why":    {En: "Approval codes are TestMod", Ja: "承認番号が TestMod になります"},
	"maintenance":      {En: "Maintenance", Ja: "メンテナンス"},
	"maintenance why":  {En: "Everything is refused with ER999", Ja: "すべて ER999 で拒否します"},
	"ips":              {En: "Registered source addresses", Ja: "決済データ送信元IP"},
	"ips why":          {En: "One per line; ranges such as 10.0.0.0/8 are allowed. All others are refused with ER003.", Ja: "1行に1件。10.0.0.0/8 のような範囲も指定できます。ほかの送信元は ER003 で拒否します。"},
	"kickback url":     {En: "Kickback URL", Ja: "決済結果通知URL"},
	"kickback url why": {En: "On this machine only, such as", Ja: "このマシン上のURLのみ。例："},

	"behaviour":         {En: "How the gateway behaves", Ja: "ゲートウェイの動作"},
	"behaviour why":     {En: "Behaviour that the vendor's specification leaves open. The first option in each list is the assumed one.", Ja: "接続仕様書で決まっていない動作です。一覧の先頭が前提としている動作です。"},
	"behaviour changed": {En: "Settings that differ from the assumptions: %s.", Ja: "前提と異なる設定：%s件"},
	"behaviour assumed": {En: "As assumed", Ja: "すべて前提どおり"},
	"behaviour reset":   {En: "Reset all to the assumptions", Ja: "すべて前提に戻す"},
	"assumption":        {En: "assumption %d", Ja: "前提%d"},

	"faults":           {En: "Faults", Ja: "障害"},
	"no faults":        {En: "None: all requests are answered normally.", Ja: "設定なし。すべて正常に応答します。"},
	"new fault":        {En: "Add a fault", Ja: "障害を追加"},
	"add":              {En: "Add", Ja: "追加"},
	"clear":            {En: "Remove all faults", Ja: "すべて解除"},
	"remove":           {En: "Remove", Ja: "解除"},
	"struck":           {En: "times struck: %s", Ja: "発生 %s回"},
	"not struck":       {En: "has not struck yet", Ja: "未発生"},
	"spent":            {En: "used up", Ja: "使用済み"},
	"kind":             {En: "Kind of fault", Ja: "障害の種類"},
	"any operation":    {En: "Any", Ja: "すべての処理"},
	"any payment":      {En: "any", Ja: "すべて"},
	"when":             {En: "When", Ja: "発生する回"},
	"every time":       {En: "every time", Ja: "毎回"},
	"when nth":         {En: "once", Ja: "1回だけ"},
	"when probability": {En: "at random", Ja: "確率で"},
	"only nth":         {En: "request %d only", Ja: "%d回目のみ"},
	"with probability": {En: "probability %v", Ja: "確率 %v"},
	"nth":              {En: "At request number", Ja: "何回目"},
	"probability":      {En: "Probability (0–1)", Ja: "確率（0〜1）"},
	"code":             {En: "Code", Ja: "エラーコード"},
	"status":           {En: "HTTP status", Ja: "HTTPステータス"},
	"status hint":      {En: "If empty: 503, or 302 for a redirect", Ja: "空欄なら503、リダイレクトでは302"},
	"location":         {En: "Redirect to", Ja: "リダイレクト先"},
	"location hint":    {En: "If empty: a page that does not exist", Ja: "空欄なら存在しないページ"},
	"body":             {En: "Garbage to send", Ja: "壊れた応答の内容"},
	"body hint":        {En: "If empty: bytes that are not text", Ja: "空欄なら文字として読めないバイト列"},
	"delay":            {En: "Delay in ms", Ja: "遅延（ミリ秒）"},
	"ms":               {En: "%s ms", Ja: "%sミリ秒"},
	"number":           {En: "is not a whole number", Ja: "が整数ではありません"},
}

// operationTexts name the operations of requests and bookings.
var operationTexts = map[jpayment.Operation]jpayment.Text{
	sim.OpAuthorize:             {En: "Authorisation", Ja: "仮売上"},
	jpayment.OpSales:            {En: "Sales", Ja: "実売上"},
	jpayment.OpCancel:           {En: "Cancel", Ja: "取消"},
	jpayment.OpReAuth:           {En: "ReAuth", Ja: "再オーソリ"},
	jpayment.OpReAuthByKickback: {En: "ReAuth (rt=0)", Ja: "再オーソリ（rt=0）"},
}

// fieldTexts maps the fields of errors to keys of texts.
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

func in(language string, t jpayment.Text) string {
	if language == japanese {
		return t.Ja
	}
	return t.En
}

// text is the template function t. A key without a text is an error in the template.
func text(language, key string) (string, error) {
	t, found := texts[key]
	if !found {
		return "", fmt.Errorf("no text for %q", key)
	}
	return in(language, t), nil
}

// panelLanguage returns the language chosen in the panel, or that of the Config, or the
// browser's.
func (s *Simulator) panelLanguage(r *http.Request) string {
	return string(localpage.LanguageOr(r, console.Lang(s.language)))
}

// languageOf returns the language chosen in the panel, or the browser's.
func languageOf(r *http.Request) string { return string(localpage.Language(r)) }

package assumed

import (
	"time"
)

// The reasons why several assumptions are not observable.
var (
	ownChoice = t("It is about the merchant's own machines.", "加盟店側の環境についての前提です。")
	ownNumber = t("A store has only the payments that it has.", "店舗が持つ決済でしか試せません。")
)

var ofClient = []Assumption{
	{
		Number: 1, Grade: "L", Where: "client.go",
		Text:    t("A success of a Sales or Cancel repeats the payment number in `gid`.", "実売上・取消の成功の応答では、`gid` に対象の決済番号が返されます。"),
		IfWrong: t("Every success is unknown, until `WithUnmatchedPaymentID` accepts it.", "`WithUnmatchedPaymentID` を指定しないかぎり、成功がすべて結果不明になります。"),
		Options: []Option{{Call: "jpayment.WithUnmatchedPaymentID()"}},
		Setting: &Setting{
			Key: "success_gid", Text: t("gid in the answer to Sales and Cancel", "実売上・取消の応答の gid"),
			Values: []Value{
				{"same", t("the payment's", "対象の決済番号")},
				{"own", t("a number of the request's own", "リクエストごとの別の番号")},
				{"zero", t("0", "0")},
			},
			Default: "same", Flip: "own",
		},
	},
	{
		Number: 2, Grade: "L", Where: "client.go",
		Text:     t("A success of a ReAuth states the new amounts, all four.", "再オーソリの成功の応答には、新しい金額が4項目とも返されます。"),
		Evidence: t(`The table says "as given in the payment request", which is taken for this request.`, "仕様書の表の「決済リクエスト時に指定した」を、再オーソリのリクエストのことと解釈しています。"),
		IfWrong:  t("Every ReAuth ends unknown, with the reply in `ReplyError.Result`.", "再オーソリがすべて結果不明になります。応答は `ReplyError.Result` に残ります。"),
		Setting: &Setting{
			Key: "reauth_amounts", Text: t("Amounts in the answer to a ReAuth", "再オーソリの応答の金額"),
			Values: []Value{
				{"new", t("the new payment's", "新しい決済の金額")},
				{"old", t("those of the payment that it replaces", "元の決済の金額")},
			},
			Default: "new", Flip: "old",
		},
	},
	{
		Number: 3, Grade: "L", Where: "reauth.go",
		Text:     t("The payment that a ReAuth opens has a number of its own.", "再オーソリで作成される決済には、新しい決済番号が付きます。"),
		Evidence: t("It is issued per payment.", "決済番号は決済ごとに発行されるためです。"),
		IfWrong:  t("The number in the result is the old one; nothing else changes, for the client does not compare them.", "結果の決済番号が元の番号と同じになります。両者を比べる処理はないため、ほかは変わりません。"),
		Setting: &Setting{
			Key: "reauth_gid", Text: t("Number of the payment that a ReAuth opens", "再オーソリで作成される決済の番号"),
			Values: []Value{
				{"new", t("a number of its own", "新しい番号")},
				{"same", t("the old one's", "元の番号のまま")},
			},
			Default: "new", Flip: "same",
		},
	},
	{
		Number: 4, Grade: "H", Where: "kickback.go",
		Text:     t("A refusal says nothing of the payment.", "失敗の応答からは、決済について何も分かりません。"),
		Evidence: t("The vendor's sample has `gid` 0 and amounts of 0; the client concludes nothing from either, and a verifier looks at no amounts of a failure.", "ベンダーのサンプルでは `gid` も金額も 0 です。クライアントはどちらからも判断せず、決済結果通知の検証でも失敗の金額は見ません。"),
		IfWrong:  t("Nothing changes.", "何も変わりません。"),
		HangsOn:  []int{59},
	},
	{
		Number: 5, Grade: "L", Where: "codes.go",
		Text:    t("The checks at the door come first: a code for congestion, maintenance, permission or a wrong parameter means that the payment was not touched, even by a ReAuth.", "受付時の検査が先に行われます。混雑・メンテナンス・権限・パラメータ不正のコードであれば、再オーソリでも決済は変更されていません。"),
		IfWrong: t("A ReAuth counts as refused although the original is cancelled; outcomes of ReAuth with such a code move to unknown.", "元の決済が取り消されていても、再オーソリが拒否として扱われます。該当するコードの再オーソリの結果を、不明に変える必要があります。"),
		Setting: &Setting{
			Key: "refused_reauth", Text: t("What a ReAuth with a wrong amount, e-mail or telephone does to the payment", "金額・メール・電話番号が不正な再オーソリの、元の決済への影響"),
			Values: []Value{
				{"untouched", t("nothing", "変更なし")},
				{"cancelled", t("it is cancelled", "取り消される")},
			},
			Default: "untouched", Flip: "cancelled",
		},
	},
	{
		Number: 6, Grade: "L", Where: "catalogue.go",
		Text:         t("Any other listed code is a refusal that leaves the payment as it was, for Sales and Cancel.", "一覧にあるその他のコードは拒否を表し、実売上・取消の対象の決済は変更されていません。"),
		Evidence:     t("The classes are judged from the meanings in public lists.", "分類は公開されているコード一覧の意味から判断しています。"),
		IfWrong:      t("The class of the code becomes `ErrLostTrack`, and outcomes with it move to unknown.", "該当するコードの分類が `ErrLostTrack` になり、その結果は不明になります。"),
		Unobservable: t("Nobody can bring about most of the codes.", "ほとんどのコードは意図して発生させられません。"),
	},
	{
		Number: 7, Grade: "L", Where: "codes.go",
		Text:         t("An unlisted `G` code is the issuer's decline; any other unlisted code may mean anything.", "一覧にない `G` コードはカード会社による拒否です。それ以外の一覧にないコードの意味は分かりません。"),
		IfWrong:      t("A refusal becomes unknown.", "拒否が結果不明になります。"),
		Unobservable: t("Nobody can bring about a code that is not listed.", "一覧にないコードは意図して発生させられません。"),
	},
	{
		Number: 8, Grade: "L", Where: "codes.go",
		Text:         t("Whether the original survives a declined ReAuth is not known, so that a decline is unknown.", "再オーソリが拒否されたとき、元の決済が残るかどうかは不明です。そのため、拒否を結果不明として扱います。"),
		IfWrong:      t("Where it is known to survive, a decline could count as refused.", "残ることが確実であれば、拒否として扱えます。"),
		Unobservable: t("It says what is not known. What becomes of the original is assumption 36.", "「不明である」という前提のため、確認する対象がありません。元の決済がどうなるかは前提36で確認します。"),
	},
	{
		Number: 9, Grade: "M", Where: "retry.go",
		Text:     t("A Sales or Cancel that is sent twice is not carried out twice: the second is refused.", "実売上・取消は2回送信しても2回処理されず、2回目は拒否されます。"),
		Evidence: t("`ER032` and `ER033`: H for the codes, M for the reading.", "`ER032` と `ER033`（コードは H、解釈は M）。"),
		IfWrong:  t("Neither `ER010` nor an unknown outcome may be tried again.", "`ER010` の場合も結果不明の場合も、再送できなくなります。"),
		HangsOn:  []int{54, 69},
	},
	{
		Number: 10, Grade: "L", Where: "errors.go",
		Text:         t("The refusal of a repetition proves nothing of the first attempt.", "再送が拒否されても、最初の送信が処理されたかどうかは分かりません。"),
		IfWrong:      t("`ER032` could count as done, where it proves a capture.", "`ER032` が実売上済みの証明になるなら、完了として扱えます。"),
		Unobservable: t("A client sees what a code was given for, and never for what else it is given.", "クライアントに分かるのは、実際に返されたコードだけです。同じコードがほかにどのような場合に返されるかは分かりません。"),
	},
	{
		Number: 11, Grade: "M", Where: "client.go",
		Text:    t("An answer has the HTTP status 200, a refusal too.", "応答の HTTP ステータスは、拒否の場合も 200 です。"),
		IfWrong: t("Outcomes of refusals with another status move to unknown.", "ほかのステータスの拒否は結果不明になります。"),
		Setting: &Setting{
			Key: "refusal_status", Text: t("HTTP status of a refusal", "拒否の HTTP ステータス"),
			Values: []Value{
				{"200", t("200 OK", "200 OK")},
				{"400", t("400 Bad Request", "400 Bad Request")},
				{"403", t("403 Forbidden", "403 Forbidden")},
				{"500", t("500 Internal Server Error", "500 Internal Server Error")},
			},
			Default: "200", Flip: "400",
		},
	},
	{
		Number: 12, Grade: "L", Where: "options.go",
		Text:    t("The gateway answers within 60 seconds.", "ゲートウェイは60秒以内に応答します。"),
		IfWrong: t("Outcomes move to unknown that were about to be known; `WithTimeout` waits longer.", "もう少しで判明した結果が不明になります。`WithTimeout` で待ち時間を延ばせます。"),
		Options: []Option{{Call: "jpayment.WithTimeout(2*time.Minute)", Flag: "--timeout 2m"}},
	},
	{
		Number: 13, Grade: "L", Where: "transport.go",
		Text:    t("The gateway keeps an idle connection for 30 seconds.", "ゲートウェイは使われていない接続を30秒間維持します。"),
		IfWrong: t("Now and then a request meets a closed connection, and its outcome moves to unknown.", "切断された接続にリクエストを送信することがあり、その結果が不明になります。"),
		Setting: &Setting{
			Key: "idle_timeout", Text: t("How long the gateway keeps an idle connection", "使われていない接続を維持する時間"),
			Kind: Duration, Shortest: 100 * time.Millisecond, Longest: time.Hour, Default: "2m", Flip: "5s",
		},
	},
	{
		Number: 14, Grade: "M", Where: "internal/wire/form.go",
		Text:    t("The gateway decodes UTF-8 and `%20`.", "ゲートウェイは UTF-8 と `%20` をデコードします。"),
		IfWrong: t("Other data comes back garbled; `WithCharset` changes the set.", "その他データが文字化けして返されます。文字コードは `WithCharset` で変更できます。"),
		HangsOn: []int{34},
	},
	{
		Number: 15, Grade: "L", Where: "extra.go",
		Text:     t("In a reply row `+` is a plus, in a kickback it is a space.", "応答の行の `+` はプラス記号、決済結果通知の `+` はスペースです。"),
		Evidence: t("Rows give back what was sent, which never has one for a space; a query is written by the gateway.", "応答の行は送信した内容をそのまま返すもので、スペースとして `+` を送信することはありません。決済結果通知のクエリはゲートウェイが作成します。"),
		IfWrong:  t("A `+` in other data or in `cod` reads as the other.", "その他データや `cod` の `+` とスペースを取り違えます。"),
		Setting: &Setting{
			Key: "row_space", Text: t("A space in the escaped other data of a row", "応答の行で、エンコードされたその他データのスペース"),
			Values: []Value{
				{"percent", t("%20", "%20")},
				{"plus", t("+", "+")},
			},
			Default: "percent", Flip: "plus",
		},
	},
	{
		Number: 16, Grade: "L", Where: "validate.go",
		Text:    t("Other data is counted before escaping.", "その他データの長さはエンコード前で数えます。"),
		IfWrong: t("The gateway refuses what is too long.", "長すぎるものはゲートウェイに拒否されます。"),
		HangsOn: []int{50},
	},
	{
		Number: 17, Grade: "L", Where: "validate.go",
		Text:    t("A total of 0 yen is no re-authorisation.", "合計0円の再オーソリはできません。"),
		IfWrong: t("A request is refused here that the gateway would take.", "ゲートウェイが受け付けるリクエストを送信前に拒否しています。"),
		HangsOn: []int{52},
	},
	{
		Number: 18, Grade: "L", Where: "extra.go",
		Text:     t("The names of results are not free for other data.", "結果の項目名はその他データに使えません。"),
		Evidence: t("In a kickback they would stand beside the gateway's own.", "決済結果通知でゲートウェイ自身の項目と重なるためです。"),
		IfWrong:  t("A few keys are refused for nothing.", "いくつかのキーを不必要に拒否しています。"),
	},
	{
		Number: 19, Grade: "L", Where: "internal/wire/row.go",
		Text:     t("A comma in `cod` is written as it is, if at all.", "`cod` のカンマは、返される場合はそのまま返されます。"),
		Evidence: t("The row must prove by its amounts where `cod` ends; `cod` is searched for 150 bytes.", "`cod` の終わりは行の金額から確かめます。`cod` として調べるのは150バイトまでです。"),
		IfWrong:  t("Nothing changes, be commas escaped or left out.", "カンマがエンコードされていても省かれていても、何も変わりません。"),
		HangsOn:  []int{65},
	},
	{
		Number: 20, Grade: "L", Where: "internal/wire/row.go",
		Text:         t("Column 13 is `acid` where it is digits or blank and a column follows.", "13列目は、数字または空で次の列があれば `acid` です。"),
		IfWrong:      t("`SubscriptionID` and `Other` are split in the wrong place; amounts are not concerned.", "`SubscriptionID` と `Other` の区切りを誤ります。金額には影響しません。"),
		Unobservable: t("It takes a payment of a recurring charge, and such a payment is not for trying things.", "自動課金の決済が必要で、試験には使えません。"),
	},
	{
		Number: 21, Grade: "H", Where: "internal/wire/charset.go",
		Text:     t("Text that is not valid UTF-8 is Shift_JIS, where no charset is named.", "文字コードの指定がなく、UTF-8 として正しくないテキストは Shift_JIS です。"),
		Evidence: t("H for the gateway's bank-transfer rows, L for echoed data in card rows.", "銀行振込の行は H、カードの行に返されるデータは L。"),
		IfWrong:  t("Texts are garbled; number, status and amounts are ASCII in both.", "テキストが文字化けします。番号・結果・金額はどちらでも ASCII です。"),
	},
	{
		Number: 22, Grade: "H", Where: "result.go",
		Text:    t("`OK`, as the whole body, is the acceptance of `rt=0`.", "`rt=0` のリクエストが受け付けられると、本文は `OK` だけです。"),
		IfWrong: t("Outcomes of ReAuthByKickback move to unknown: an `OK` with more behind it is no answer.", "ほかの内容が続く場合、ReAuthByKickback の結果が不明になります。"),
		Setting: &Setting{
			Key: "acceptance", Text: t("What follows the OK of an accepted rt=0", "rt=0 の受付の OK に続くもの"),
			Values: []Value{
				{"bare", t("nothing", "なし")},
				{"number", t("a comma and the payment number", "カンマと決済番号")},
			},
			Default: "bare", Flip: "number",
		},
	},
	{
		Number: 23, Grade: "L", Where: "codes.go",
		Text:         t("A bare code is a refusal.", "コードだけの応答は拒否です。"),
		Evidence:     t("It has not been seen here.", "この接続方式では確認されていません。"),
		IfWrong:      t("Nothing changes where it never comes.", "返されることがなければ、何も変わりません。"),
		Unobservable: t("It says how to read what may never come. Whether it does is assumption 70.", "返されるとは限らない応答の読み方です。返されるかどうかは前提70で確認します。"),
	},
	{
		Number: 24, Grade: "H", Where: "internal/token/token.go",
		Text:     t("Other data comes back in a kickback unchanged.", "その他データは、決済結果通知でそのまま返されます。"),
		Evidence: t("Vendor and clients agree for payments; of the kickback which tells that a recurring charge was stopped the vendor says that it has none.", "通常の決済結果通知についてはベンダーと複数のクライアントが一致しています。自動課金の停止のときの決済結果通知には返されないと、ベンダーが明記しています。"),
		IfWrong:  t("Every kickback is refused, and the control panel has to tell; outcomes of ReAuthByKickback stay unknown.", "決済結果通知がすべて拒否され、結果は管理画面で確認するしかありません。ReAuthByKickback の結果は不明のままです。"),
		Setting: &Setting{
			Key: "kickback_other_data", Text: t("The merchant's other data in a kickback", "決済結果通知のその他データ"),
			Values: []Value{
				{"kept", t("comes back", "返される")},
				{"dropped", t("is left out", "返されない")},
			},
			Default: "kept", Flip: "dropped",
		},
	},
	{
		Number: 25, Grade: "H", Where: "kickbackhandler.go",
		Text:     t("A body makes a kickback delivered, and none makes the gateway send it again.", "応答に本文があれば通知成功と判定され、なければ再送されます。"),
		Evidence: t("The specification asks for a content length of 0 or more, which is read as more than 0.", "仕様書の「ContentLengthが0以上」を、0 より大きいことと解釈しています。"),
		IfWrong:  t("Nothing changes where the status counts instead: it agrees with the body.", "代わりにステータスで判定されるとしても、本文の有無と一致させています。"),
		HangsOn:  []int{63},
	},
	{
		Number: 26, Grade: "M", Where: "kickback.go",
		Text:         t("A kickback comes within 24 hours.", "決済結果通知は24時間以内に届きます。"),
		Evidence:     t("30 seconds are known (H), how long the gateway tries is not.", "30秒以内であることは分かっていますが（H）、再送が続く時間は分かっていません。"),
		IfWrong:      t("Late kickbacks are refused; a greater maximum age of the `KickbackVerifier` admits them.", "遅れて届いた決済結果通知が拒否されます。`KickbackVerifier` の有効期間を延ばせば受け付けられます。"),
		Options:      []Option{{Call: "jpayment.NewKickbackVerifier(storeID, 72*time.Hour, key)"}},
		Unobservable: t("Not to have come for a day proves nothing for the day after.", "1日届かなくても、翌日に届かないことの証明にはなりません。"),
	},
	{
		Number: 27, Where: "kickback.go",
		Text:         t("The merchant's clocks differ by 5 minutes at most.", "加盟店側の時計のずれは5分以内です。"),
		IfWrong:      t("Kickbacks are refused as from the future.", "決済結果通知が、未来の日時のものとして拒否されます。"),
		Unobservable: ownChoice,
	},
	{
		Number: 28, Grade: "M", Where: "client.go",
		Text:    t("`ut` and `hak` are enough for stores that use them.", "接続認証を使う店舗では、`ut` と `hak` だけで認証されます。"),
		IfWrong: t("`ER003`, and nothing is done.", "`ER003` となり、何も処理されません。"),
	},
	{
		Number: 29, Grade: "L", Where: "cmd/jpayment/internal/cli/doctor.go",
		Text:     t("Payment number 0 is no payment, and the source address is looked at before it.", "決済番号0の決済は存在せず、送信元IPアドレスは決済番号より先に確認されます。"),
		Evidence: t("`jpayment doctor` with a store sends a Cancel of payment 0.", "`jpayment doctor` は店舗IDを指定すると決済番号0の取消を送信します。"),
		IfWrong:  t("`jpayment doctor` cannot tell whether the address is registered.", "`jpayment doctor` では、送信元IPアドレスが登録済みかどうかを判断できません。"),
		HangsOn:  []int{46},
	},
	{
		Number: 66, Grade: "L", Where: "validate.go",
		Text:         t("A payment's number has at most 20 digits.", "決済番号は20桁以内です。"),
		Evidence:     t("The vendor's samples have 7 and 8.", "ベンダーのサンプルは7桁と8桁です。"),
		IfWrong:      t("A longer one is refused before it is sent.", "それより長い番号は送信前に拒否されます。"),
		Unobservable: ownNumber,
	},
	{
		Number: 73, Where: "transport.go",
		Text:    t("The gateway speaks HTTP/1.1.", "ゲートウェイは HTTP/1.1 に対応しています。"),
		IfWrong: t("No request could be sent without `WithHTTPClient`.", "`WithHTTPClient` を使わないかぎり送信できません。"),
		Options: []Option{{Call: "jpayment.WithHTTPClient(...)"}},
	},
	{
		Number: 74, Grade: "H", Where: "transport.go",
		Text:    t("The gateway speaks TLS 1.2 or later, and its certificate is one that this machine trusts.", "ゲートウェイは TLS 1.2 以降に対応し、証明書はこのマシンで検証できます。"),
		IfWrong: t("No request can be sent: not sent, and nothing is done.", "送信できません。未送信となり、何も処理されません。"),
	},
}

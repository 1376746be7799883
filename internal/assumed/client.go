package assumed

import (
	"time"
)

// Why a client cannot observe several assumptions.
var (
	ownChoice = t("It concerns the merchant's own machines.", "加盟店側の環境についての前提です。")
	ownNumber = t("Only the payments that the store has can be tried.", "店舗に実在する決済番号でしか試せません。")
)

var ofClient = []Assumption{
	{
		Number: 1, Grade: "L", Where: "client.go",
		Text:    t("A successful Sales or Cancel returns the payment number in `gid`.", "実売上・取消が成功すると、応答の `gid` に対象の決済番号が返されます。"),
		IfWrong: t("Every success counts as unknown unless `WithUnmatchedPaymentID` is set.", "`WithUnmatchedPaymentID` を指定しないかぎり、成功がすべて結果不明になります。"),
		Options: []Option{{Call: "jpayment.WithUnmatchedPaymentID()"}},
		Setting: &Setting{
			Key: "success_gid", Text: t("gid in the reply to Sales and Cancel", "実売上・取消の応答の gid"),
			Values: []Value{
				{"same", t("the payment number", "対象の決済番号")},
				{"own", t("a different number for each request", "リクエストごとの別の番号")},
				{"zero", t("0", "0")},
			},
			Default: "same", Flip: "own",
		},
	},
	{
		Number: 2, Grade: "L", Where: "client.go",
		Text:     t("A successful ReAuth returns all four new amounts.", "再オーソリが成功すると、応答には新しい金額が4項目とも返されます。"),
		Evidence: t(`The specification says "as given in the payment request", which is read as the re-authorisation request.`, "仕様書の表の「決済リクエスト時に指定した」を、再オーソリのリクエストのことと解釈しています。"),
		IfWrong:  t("Every ReAuth is unknown; the reply is in `ReplyError.Result`.", "再オーソリがすべて結果不明になります。応答は `ReplyError.Result` に残ります。"),
		Setting: &Setting{
			Key: "reauth_amounts", Text: t("Amounts in the reply to a ReAuth", "再オーソリの応答の金額"),
			Values: []Value{
				{"new", t("the new payment's", "新しい決済の金額")},
				{"old", t("the original's", "元の決済の金額")},
			},
			Default: "new", Flip: "old",
		},
	},
	{
		Number: 3, Grade: "L", Where: "reauth.go",
		Text:     t("The payment that a ReAuth creates has a new number.", "再オーソリで作成される決済には、新しい決済番号が付きます。"),
		Evidence: t("Numbers are issued per payment.", "決済番号は決済ごとに発行されるためです。"),
		IfWrong:  t("The result has the old number. Nothing else changes: the client does not compare the two.", "結果の決済番号が元の番号と同じになります。クライアントは両者を比較しないため、ほかに影響はありません。"),
		Setting: &Setting{
			Key: "reauth_gid", Text: t("Number of the payment that a ReAuth creates", "再オーソリで作成される決済の番号"),
			Values: []Value{
				{"new", t("a new number", "新しい番号")},
				{"same", t("the original's", "元の番号のまま")},
			},
			Default: "new", Flip: "same",
		},
	},
	{
		Number: 4, Grade: "H", Where: "kickback.go",
		Text:     t("A refusal says nothing about the payment.", "失敗の応答からは、決済について何も分かりません。"),
		Evidence: t("In the vendor's sample `gid` and all amounts are 0. The client draws no conclusion from them, and a verifier ignores the amounts of a failure.", "ベンダーのサンプルでは `gid` も金額も 0 です。クライアントはどちらからも判断せず、決済結果通知の検証でも、失敗の場合は金額を確認しません。"),
		IfWrong:  t("Nothing changes.", "影響はありません。"),
		HangsOn:  []int{59},
	},
	{
		Number: 5, Grade: "L", Where: "codes.go",
		Text:    t("The gateway checks a request before it changes the payment: a code for congestion, maintenance, permission or a wrong parameter means that the payment is unchanged, even after a ReAuth.", "リクエストは、決済が変更される前に確認されます。混雑・メンテナンス・権限・パラメータ不正のコードであれば、再オーソリでも決済は変更されていません。"),
		IfWrong: t("A ReAuth counts as refused although the original is cancelled; with these codes, the outcome of a ReAuth would have to become unknown.", "元の決済が取り消されていても、再オーソリが拒否として扱われます。該当するコードの再オーソリの結果を、不明に変える必要があります。"),
		Setting: &Setting{
			Key: "refused_reauth", Text: t("Effect of a ReAuth with an invalid amount, e-mail address or telephone number on the original", "金額・メール・電話番号が不正な再オーソリの、元の決済への影響"),
			Values: []Value{
				{"untouched", t("none", "変更なし")},
				{"cancelled", t("it is cancelled", "取り消される")},
			},
			Default: "untouched", Flip: "cancelled",
		},
	},
	{
		Number: 6, Grade: "L", Where: "catalogue.go",
		Text:         t("For Sales and Cancel, any other listed code is a refusal that leaves the payment unchanged.", "一覧にあるその他のコードは拒否を表し、実売上・取消の対象の決済は変更されていません。"),
		Evidence:     t("Codes are classified by their meanings in public lists.", "分類は公開されているコード一覧の意味から判断しています。"),
		IfWrong:      t("The class of the code becomes `ErrLostTrack`, and outcomes with it become unknown.", "該当するコードの分類が `ErrLostTrack` になり、その結果は不明になります。"),
		Unobservable: t("Most codes cannot be provoked.", "ほとんどのコードは意図して発生させられません。"),
	},
	{
		Number: 7, Grade: "L", Where: "codes.go",
		Text:         t("An unlisted `G` code is a decline by the issuer; any other unlisted code may mean anything.", "一覧にない `G` コードはカード会社による拒否です。それ以外の一覧にないコードの意味は分かりません。"),
		IfWrong:      t("A refusal becomes unknown.", "拒否が結果不明になります。"),
		Unobservable: t("Unlisted codes cannot be provoked.", "一覧にないコードは意図して発生させられません。"),
	},
	{
		Number: 8, Grade: "L", Where: "codes.go",
		Text:         t("It is not known whether the original survives a declined ReAuth, so a decline is unknown.", "再オーソリが拒否されたとき、元の決済が残るかどうかは不明です。そのため、拒否を結果不明として扱います。"),
		IfWrong:      t("If the original is known to survive, a decline could count as refused.", "残ることが確実であれば、拒否として扱えます。"),
		Unobservable: t("It only states what is not known. For what happens to the original, see assumption 36.", "「不明である」という前提のため、確認する対象がありません。元の決済がどうなるかは前提36で確認します。"),
	},
	{
		Number: 9, Grade: "M", Where: "retry.go",
		Text:     t("A Sales or Cancel that is sent twice is not carried out twice: the gateway refuses the second.", "実売上・取消は2回送信しても2回処理されず、2回目は拒否されます。"),
		Evidence: t("`ER032` and `ER033`: H for the codes, M for their meaning.", "`ER032` と `ER033`（コードは H、解釈は M）。"),
		IfWrong:  t("Neither `ER010` nor an unknown outcome may be retried.", "`ER010` の場合も結果不明の場合も、再送できなくなります。"),
		HangsOn:  []int{54, 69},
	},
	{
		Number: 10, Grade: "L", Where: "errors.go",
		Text:         t("A refused repetition proves nothing about the first attempt.", "再送が拒否されても、最初の送信が処理されたかどうかは分かりません。"),
		IfWrong:      t("`ER032` could count as done if it proves a capture.", "`ER032` が実売上済みの証明になるなら、完了として扱えます。"),
		Unobservable: t("A client sees only the codes it receives, never the other causes of the same code.", "クライアントに分かるのは、実際に返されたコードだけです。同じコードがほかにどのような場合に返されるかは分かりません。"),
	},
	{
		Number: 11, Grade: "M", Where: "client.go",
		Text:    t("Every reply has HTTP status 200, even a refusal.", "応答の HTTP ステータスは、拒否の場合も 200 です。"),
		IfWrong: t("A refusal with another status becomes unknown.", "ほかのステータスの拒否は結果不明になります。"),
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
		Text:    t("The gateway replies within 60 seconds.", "ゲートウェイは60秒以内に応答します。"),
		IfWrong: t("The client stops waiting too early, and the outcome is unknown; `WithTimeout` extends the wait.", "応答を待ちきれず、結果が不明になります。待ち時間は `WithTimeout` で延ばせます。"),
		Options: []Option{{Call: "jpayment.WithTimeout(2*time.Minute)", Flag: "--timeout 2m"}},
	},
	{
		Number: 13, Grade: "L", Where: "transport.go",
		Text:    t("The gateway keeps an idle connection open for 30 seconds.", "ゲートウェイは使われていない接続を30秒間維持します。"),
		IfWrong: t("Now and then a request is sent on a closed connection, and its outcome is unknown.", "切断済みの接続でリクエストを送信してしまい、結果が不明になることがあります。"),
		Setting: &Setting{
			Key: "idle_timeout", Text: t("How long the gateway keeps an idle connection open", "使われていない接続を維持する時間"),
			Kind: Duration, Shortest: 100 * time.Millisecond, Longest: time.Hour, Default: "2m", Flip: "5s",
		},
	},
	{
		Number: 14, Grade: "M", Where: "internal/wire/form.go",
		Text:    t("The gateway decodes UTF-8 and `%20`.", "ゲートウェイは UTF-8 と `%20` をデコードします。"),
		IfWrong: t("Other data comes back garbled; `WithCharset` changes the character set.", "その他データが文字化けして返されます。文字コードは `WithCharset` で変更できます。"),
		HangsOn: []int{34},
	},
	{
		Number: 15, Grade: "L", Where: "extra.go",
		Text:     t("A `+` is a plus sign in a reply row and a space in a kickback.", "応答の行の `+` はプラス記号、決済結果通知の `+` はスペースです。"),
		Evidence: t("A row returns what was sent, in which `+` never stands for a space; the query of a kickback is written by the gateway.", "応答の行は送信した内容をそのまま返すもので、スペースとして `+` を送信することはありません。決済結果通知のクエリはゲートウェイが作成します。"),
		IfWrong:  t("A `+` in other data or in `cod` is misread as a space, or a space as a plus sign.", "その他データや `cod` の `+` とスペースを取り違えます。"),
		Setting: &Setting{
			Key: "row_space", Text: t("How a row encodes a space in other data", "応答の行で、その他データのスペースをエンコードする形式"),
			Values: []Value{
				{"percent", t("%20", "%20")},
				{"plus", t("+", "+")},
			},
			Default: "percent", Flip: "plus",
		},
	},
	{
		Number: 16, Grade: "L", Where: "validate.go",
		Text:    t("The length of other data is counted before escaping.", "その他データの長さはエンコード前で数えます。"),
		IfWrong: t("The gateway refuses a request whose other data is too long.", "その他データが長すぎるリクエストは、ゲートウェイに拒否されます。"),
		HangsOn: []int{50},
	},
	{
		Number: 17, Grade: "L", Where: "validate.go",
		Text:    t("A re-authorisation cannot have a total of 0 yen.", "合計0円の再オーソリはできません。"),
		IfWrong: t("The client refuses a request that the gateway would accept.", "ゲートウェイが受け付けるはずのリクエストを、クライアントが送信前に拒否しています。"),
		HangsOn: []int{52},
	},
	{
		Number: 18, Grade: "L", Where: "extra.go",
		Text:     t("The names of result parameters cannot be used for other data.", "結果の項目名はその他データに使えません。"),
		Evidence: t("In a kickback they would clash with the gateway's own parameters.", "決済結果通知でゲートウェイ自身の項目と重なるためです。"),
		IfWrong:  t("The client refuses a few keys needlessly.", "いくつかのキーを不必要に拒否しています。"),
	},
	{
		Number: 19, Grade: "L", Where: "internal/wire/row.go",
		Text:     t("A comma in `cod` is returned unescaped, if at all.", "`cod` のカンマは、返される場合はそのまま返されます。"),
		Evidence: t("The amounts in the row must prove where `cod` ends; the search covers 150 bytes.", "`cod` の終わりは行の金額から確かめます。`cod` として調べるのは150バイトまでです。"),
		IfWrong:  t("Nothing changes, whether commas are escaped or left out.", "カンマがエンコードされていても、省略されていても、影響はありません。"),
		HangsOn:  []int{65},
	},
	{
		Number: 20, Grade: "L", Where: "internal/wire/row.go",
		Text:         t("Column 13 is `acid` if it is digits or blank and another column follows.", "13列目は、値が数字または空で、次の列があれば `acid` です。"),
		IfWrong:      t("`SubscriptionID` and `Other` are split in the wrong place; amounts are not affected.", "`SubscriptionID` と `Other` の区切りを誤ります。金額には影響しません。"),
		Unobservable: t("It would take a payment of a recurring charge, which is not available for tests.", "自動課金の決済が必要で、試験には使えません。"),
	},
	{
		Number: 21, Grade: "H", Where: "internal/wire/charset.go",
		Text:     t("Text that is not valid UTF-8 is Shift_JIS if no character set is named.", "文字コードの指定がなく、UTF-8 として正しくないテキストは Shift_JIS です。"),
		Evidence: t("H for the gateway's bank-transfer rows, L for data returned in card rows.", "銀行振込の行は H、カードの行に返されるデータは L。"),
		IfWrong:  t("Text is garbled; numbers, status and amounts are ASCII in both.", "テキストが文字化けします。番号・結果・金額はどちらでも ASCII です。"),
	},
	{
		Number: 22, Grade: "H", Where: "result.go",
		Text:    t("A body of just `OK` means that a request with `rt=0` was accepted.", "`rt=0` のリクエストが受け付けられると、本文は `OK` だけです。"),
		IfWrong: t("If more follows `OK`, the outcome of ReAuthByKickback becomes unknown.", "`OK` の後にほかの内容が続くと、ReAuthByKickback の結果が不明になります。"),
		Setting: &Setting{
			Key: "acceptance", Text: t("What follows OK when a request with rt=0 is accepted", "rt=0 の受付の OK に続くもの"),
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
		Evidence:     t("None has been seen with this interface.", "この接続方式では確認されていません。"),
		IfWrong:      t("Nothing changes if it never comes.", "返されることがなければ、影響はありません。"),
		Unobservable: t("It only says how to read a reply that may never come. For whether it comes, see assumption 70.", "返されるとは限らない応答の読み方です。返されるかどうかは前提70で確認します。"),
	},
	{
		Number: 24, Grade: "H", Where: "internal/token/token.go",
		Text:     t("A kickback returns other data unchanged.", "その他データは、決済結果通知でそのまま返されます。"),
		Evidence: t("For payments, the vendor and several clients agree. For the kickback that reports a stopped recurring charge, the vendor says that it has none.", "通常の決済結果通知についてはベンダーと複数のクライアントが一致しています。自動課金の停止のときの決済結果通知には返されないと、ベンダーが明記しています。"),
		IfWrong:  t("Every kickback is refused, outcomes of ReAuthByKickback stay unknown, and results have to be looked up in the control panel.", "決済結果通知がすべて拒否され、結果は管理画面で確認するしかありません。ReAuthByKickback の結果は不明のままです。"),
		Setting: &Setting{
			Key: "kickback_other_data", Text: t("The merchant's other data in a kickback", "決済結果通知のその他データ"),
			Values: []Value{
				{"kept", t("returned", "返される")},
				{"dropped", t("left out", "返されない")},
			},
			Default: "kept", Flip: "dropped",
		},
	},
	{
		Number: 25, Grade: "H", Where: "kickbackhandler.go",
		Text:     t("A kickback counts as delivered if the answer has a body; otherwise the gateway sends it again.", "応答に本文があれば通知成功と判定され、なければ再送されます。"),
		Evidence: t("The specification requires a content length of 0 or more, which is read as more than 0.", "仕様書の「ContentLengthが0以上」を、0 より大きいことと解釈しています。"),
		IfWrong:  t("Nothing changes if the status counts instead: the handler's status agrees with the body.", "ステータスで判定される場合も、影響はありません。ハンドラーのステータスは本文の有無と一致しています。"),
		HangsOn:  []int{63},
	},
	{
		Number: 26, Grade: "M", Where: "kickback.go",
		Text:         t("A kickback comes within 24 hours.", "決済結果通知は24時間以内に届きます。"),
		Evidence:     t("Delivery within 30 seconds is known (H); how long the gateway retries is not.", "30秒以内に送信されることは分かっていますが（H）、再送が続く時間は分かっていません。"),
		IfWrong:      t("Late kickbacks are refused; a longer maximum age of the `KickbackVerifier` accepts them.", "遅れて届いた決済結果通知が拒否されます。`KickbackVerifier` の有効期間を延ばせば受け付けられます。"),
		Options:      []Option{{Call: "jpayment.NewKickbackVerifier(storeID, 72*time.Hour, key)"}},
		Unobservable: t("If none comes for a day, one may still come the next day.", "1日届かなくても、翌日に届く可能性があります。"),
	},
	{
		Number: 27, Where: "kickback.go",
		Text:         t("The clocks of the merchant's machines differ by at most 5 minutes.", "加盟店側の時計のずれは5分以内です。"),
		IfWrong:      t("Kickbacks are refused because their time lies in the future.", "決済結果通知が、未来の日時のものとして拒否されます。"),
		Unobservable: ownChoice,
	},
	{
		Number: 28, Grade: "M", Where: "client.go",
		Text:    t("`ut` and `hak` suffice for stores that use connection authentication.", "接続認証を使う店舗では、`ut` と `hak` だけで認証されます。"),
		IfWrong: t("Requests are refused with `ER003`, and nothing is done.", "`ER003` となり、何も処理されません。"),
	},
	{
		Number: 29, Grade: "L", Where: "cmd/jpayment/internal/cli/doctor.go",
		Text:     t("No payment has the number 0, and the gateway checks the source address before the payment number.", "決済番号0の決済は存在せず、送信元IPアドレスは決済番号より先に確認されます。"),
		Evidence: t("With a store, `jpayment doctor` sends a Cancel of payment 0.", "店舗IDを指定すると、`jpayment doctor` は決済番号0の取消を送信します。"),
		IfWrong:  t("`jpayment doctor` cannot tell whether the address is registered.", "`jpayment doctor` では、送信元IPアドレスが登録済みかどうかを判断できません。"),
		HangsOn:  []int{46},
	},
	{
		Number: 66, Grade: "L", Where: "validate.go",
		Text:         t("A payment number has at most 20 digits.", "決済番号は20桁以内です。"),
		Evidence:     t("The vendor's samples have 7 and 8 digits.", "ベンダーのサンプルは7桁と8桁です。"),
		IfWrong:      t("The client refuses a longer number before it sends anything.", "それより長い番号は送信前に拒否されます。"),
		Unobservable: ownNumber,
	},
	{
		Number: 73, Where: "transport.go",
		Text:    t("The gateway supports HTTP/1.1.", "ゲートウェイは HTTP/1.1 に対応しています。"),
		IfWrong: t("No request can be sent without `WithHTTPClient`.", "`WithHTTPClient` を使わないかぎり送信できません。"),
		Options: []Option{{Call: "jpayment.WithHTTPClient(...)"}},
	},
	{
		Number: 74, Grade: "H", Where: "transport.go",
		Text:    t("The gateway supports TLS 1.2 or later, and this machine trusts its certificate.", "ゲートウェイは TLS 1.2 以降に対応し、証明書はこのマシンで検証できます。"),
		IfWrong: t("No request can be sent: the outcome is not sent, and nothing is done.", "送信できません。結果は未送信となり、何も処理されません。"),
	},
}

package assumed

import "time"

var oneClient = t("Seen by one client in production.", "本番で稼働しているクライアント1件で確認されています。")

var ofGateway = []Assumption{
	{
		Number: 30, Grade: "L", Where: "internal/sim/books.go",
		Text:    t("`ut` may be 5 minutes off, and any error in `hak` is `ER003`.", "`ut` は5分までのずれが許容され、`hak` の誤りは `ER003` になります。"),
		IfWrong: t("The code differs, or the tolerance for clocks.", "別のコードになるか、時計のずれの許容範囲が異なります。"),
	},
	{
		Number: 31, Grade: "M", Where: "internal/sim/reply.go",
		Text:    t("A reply ends with CRLF.", "応答の末尾は CRLF です。"),
		IfWrong: t("Nothing changes: the client trims line ends.", "クライアントが取り除くため、影響はありません。"),
		Setting: &Setting{
			Key: "line_end", Text: t("End of a reply", "応答の末尾"), Option: "WithLineEnding",
			Values: []Value{
				{"crlf", t("CRLF", "CRLF")},
				{"cr", t("CR", "CR")},
				{"none", t("nothing", "なし")},
			},
			Default: "crlf", Flip: "none",
		},
	},
	{
		Number: 32, Grade: "H", Where: "internal/sim/reply.go",
		Text:     t("A row has 13 columns.", "応答の行は13列です。"),
		Evidence: t("H for the possible counts, L for what a given store gets. The vendor's sample of 14 columns is the failure of an ordinary payment.", "あり得る列数は H、個々の店舗の列数は L。ベンダーの14列のサンプルは、通常の決済の失敗です。"),
		IfWrong:  t("The client may receive a number of columns that it was not tested with.", "クライアントが、テストしていない列数の応答を受け取る可能性があります。"),
		Setting: &Setting{
			Key: "columns", Text: t("Columns of a row", "応答の列数"), Option: "WithColumns",
			Values: []Value{
				{"13", t("13 columns", "13列")},
				{"14", t("14 columns, with the recurring-charge number (acid), 0, in column 13", "14列（13列目は自動課金番号 acid で、0）")},
				{"11", t("11 columns, since columns 12 and 13 are left out if empty", "11列（12・13列目は空なら省略）")},
			},
			Default: "13", Flip: "14",
		},
	},
	{
		Number: 33, Grade: "L", Where: "internal/sim/reply.go",
		Text:     t("Replies are in UTF-8.", "応答の文字コードは UTF-8 です。"),
		Evidence: t("Shift_JIS is known (H) only for the gateway's bank-transfer rows.", "Shift_JIS が確認されている（H）のは銀行振込の行だけです。"),
		IfWrong:  t("See assumption 21.", "前提21を参照してください。"),
		Setting:  charset("reply_charset", t("Character set of replies", "応答の文字コード"), "WithShiftJISReplies"),
	},
	{
		Number: 34, Grade: "M", Where: "internal/sim/form.go",
		Text:    t("Requests are read as UTF-8; one that cannot be decoded is `ER001`.", "リクエストは UTF-8 として読まれ、デコードできないものは `ER001` になります。"),
		IfWrong: t("See assumption 14.", "前提14を参照してください。"),
		Options: []Option{{Call: "jpayment.WithCharset(jpayment.ShiftJIS)", Flag: "--charset shift_jis"}},
		Setting: charset("request_charset", t("Character set of requests", "リクエストの文字コード"), "WithShiftJISRequests"),
	},
	{
		Number: 35, Grade: "H", Where: "internal/sim/reply.go",
		Text:     t("Other data in a row is percent-encoded.", "応答の行のその他データはパーセントエンコードされています。"),
		Evidence: t("Both forms have been seen.", "どちらの形式も確認されています。"),
		IfWrong:  t("`Extra` may mistake a `&` in a value for one between pairs.", "`Extra` では、値の中の `&` と区切りの `&` を区別できないことがあります。"),
		Setting: &Setting{
			Key: "other_data", Text: t("Other data in a row", "応答の行のその他データ"), Option: "WithPlainOtherData",
			Values: []Value{
				{"escaped", t("percent-encoded", "パーセントエンコード")},
				{"plain", t("unescaped, commas included", "カンマも含めてそのまま")},
			},
			Default: "escaped", Flip: "plain",
		},
	},
	{
		Number: 36, Grade: "L", Where: "internal/sim/books.go",
		Text:    t("A declined re-authorisation leaves the original unchanged.", "再オーソリが拒否されても、元の決済はそのまま残ります。"),
		IfWrong: t("The store is left with neither payment; see assumption 8. Code whose tests pass with both values is right in either case.", "店舗にはどちらの決済も残りません。前提8を参照してください。両方の設定でテストに通るコードなら、実際がどちらであっても正しく動作します。"),
		Setting: &Setting{
			Key: "declined_reauth", Text: t("Effect of a declined ReAuth on the original", "拒否された再オーソリの、元の決済への影響"), Option: "WithDeclineCancelling",
			Values: []Value{
				{"keeps", t("none", "変更なし")},
				{"cancels", t("it is cancelled", "取り消される")},
			},
			Default: "keeps", Flip: "cancels",
		},
	},
	{
		Number: 37, Grade: "H", Where: "internal/sim/books.go",
		Text:     t("A capture after the 90th day is refused with `ER032`.", "90日を過ぎた実売上は `ER032` で拒否されます。"),
		Evidence: t("H for the limit, L for how it is refused.", "期限は H、拒否の仕方は L。"),
		IfWrong:  t("The code differs, or the gateway accepts the capture and the issuer may decline it.", "別のコードになるか、実売上がカード会社に拒否される可能性があります。"),
		Setting:  answer("late_capture", t("Result of a Sales after the 90th day", "90日を過ぎた実売上の結果"), "ER032", Done, "WithLateCaptures"),
	},
	{
		Number: 38, Grade: "L", Where: "internal/sim/kickback.go",
		Text:     t("If the issuer declines a re-authorisation with `rt=0`, the decline comes by kickback.", "`rt=0` の再オーソリの拒否は、決済結果通知で伝えられます。"),
		Evidence: t("According to the specification, kickbacks carry `G` codes, which come from the issuer, after the reply.", "仕様書では、決済結果通知に `G` コードが含まれます。このコードはカード会社からのもので、応答の後に判明します。"),
		IfWrong:  t("`ReAuthByKickback` returns the decline, and no kickback follows.", "`ReAuthByKickback` が拒否を返し、決済結果通知は送信されません。"),
		Setting: &Setting{
			Key: "declined_rt0", Text: t("How a decline of a ReAuth with rt=0 is reported", "rt=0 の再オーソリの拒否の伝え方"), Option: "WithDeclinesAnswered",
			Values: []Value{
				{"kickback", t("OK, then a kickback", "OK と応答し、決済結果通知で伝える")},
				{"answer", t("in the reply, without a kickback", "その場で応答し、決済結果通知は送信しない")},
			},
			Default: "kickback", Flip: "answer",
		},
	},
	{
		Number: 39, Grade: "M", Where: "internal/sim/kickback.go",
		Text:     t("A kickback is due immediately after its request.", "決済結果通知は直ちに送信されます。"),
		Evidence: t("The vendor promises delivery within 30 seconds (H); the rest is inferred.", "ベンダーの説明では30秒以内です（H）。それ以外は推測です。"),
		IfWrong:  t("A kickback may come before the reply or long after it.", "決済結果通知が応答より先に届くことも、かなり後に届くこともあります。"),
		Setting: &Setting{
			Key: "kickback_delay", Text: t("Time from a request until its kickback is due", "リクエストから決済結果通知までの時間"), Option: "WithKickbackDelay",
			Kind: Duration, Longest: 30 * time.Second, Default: "0s", Flip: "10s",
		},
	},
	{
		Number: 40, Grade: "L", Where: "internal/sim/kickback.go",
		Text:     t("An undelivered kickback is sent again after 1, 5 and 30 minutes, then given up.", "通知成功と判定されなかった決済結果通知は、1分後、5分後、30分後に再送され、その後は打ち切られます。"),
		Evidence: t("The specification says that success is judged, but not what happens after a failure.", "成功判定があることは仕様書にありますが、失敗と判定された後の動作は書かれていません。"),
		IfWrong:  t("See assumption 26.", "前提26を参照してください。"),
		Setting: &Setting{
			Key: "kickback_retries", Text: t("Times after which a kickback is sent again", "決済結果通知を再送するまでの時間"), Option: "WithKickbackRetries",
			Kind: Durations, Shortest: time.Nanosecond, Longest: 24 * time.Hour, Default: "1m,5m,30m", Flip: "5s",
		},
	},
	{
		Number: 41, Grade: "L", Where: "internal/sim/kickback.go",
		Text:    t("The gateway waits 30 seconds for the receiver's answer.", "ゲートウェイは受信側の応答を30秒待ちます。"),
		IfWrong: t("If it waits less and a callback is slow, the kickback comes again while the first is still being processed.", "待ち時間がそれより短いと、受信側の処理が長引いたときに、処理中の決済結果通知が再送されます。"),
		Setting: &Setting{
			Key: "kickback_timeout", Text: t("How long the gateway waits for the receiver's answer", "受信側の応答を待つ時間"), Option: "WithKickbackTimeout",
			Kind: Duration, Shortest: time.Nanosecond, Longest: time.Hour, Default: "30s", Flip: "5s",
		},
	},
	{
		Number: 42, Grade: "L", Where: "internal/sim/kickback.go",
		Text:     t("A kickback is sent once.", "決済結果通知は1回だけ送信されます。"),
		Evidence: t("Nothing rules out duplicates.", "重複しないという根拠はありません。"),
		IfWrong:  t("Nothing changes for a receiver with a unique key.", "受信側に一意キーがあれば、影響はありません。"),
		Setting: &Setting{
			Key: "kickback_duplicates", Text: t("Number of duplicates of each kickback", "決済結果通知を余分に送信する回数"), Option: "WithKickbackDuplicates",
			Kind: Count, Most: 100, Default: "0", Flip: "1",
		},
	},
	{
		Number: 43, Grade: "L", Where: "internal/sim/kickback.go",
		Text:     t("Kickbacks come in the order of their requests.", "決済結果通知はリクエストの順に送信されます。"),
		Evidence: t("Nothing promises an order.", "順序の保証はありません。"),
		IfWrong:  t("The same as for assumption 42.", "前提42と同じです。"),
		Setting: &Setting{
			Key: "kickback_order", Text: t("Order of kickbacks that are due at the same time", "同時に送信する決済結果通知の順序"), Option: "WithKickbacksReversed",
			Values: []Value{
				{"asked", t("the order of their requests", "リクエストの順")},
				{"reversed", t("the latest first", "新しいものから")},
			},
			Default: "asked", Flip: "reversed",
		},
	},
	{
		Number: 44, Grade: "M–H", Where: "internal/sim/kickback.go",
		Text:    t("Kickbacks are in UTF-8.", "決済結果通知の文字コードは UTF-8 です。"),
		IfWrong: t("See assumption 21.", "前提21を参照してください。"),
		Setting: charset("kickback_charset", t("Character set of kickbacks", "決済結果通知の文字コード"), "WithShiftJISKickbacks"),
	},
	{
		Number: 45, Grade: "H", Where: "internal/sim/kickback.go",
		Text:     t("A kickback has no `acid`.", "決済結果通知に `acid` はありません。"),
		Evidence: t("H that it may have one. In the vendor's list it comes before the other data; in the vendor's second sample, which has no other data, it comes last.", "付く場合があることは H。ベンダーの一覧ではその他データの前にあり、その他データのない2つ目のサンプルでは末尾にあります。"),
		IfWrong:  t("Nothing changes: the handler accepts parameters in any order.", "ハンドラーは項目の順序を問わないため、影響はありません。"),
		Setting: &Setting{
			Key: "kickback_acid", Text: t("Recurring-charge number (acid) in a kickback", "決済結果通知の自動課金番号（acid）"), Option: "WithKickbackACID",
			Kind: Digits, Default: "", Flip: "1000000001",
		},
	},
	{
		Number: 46, Grade: "L", Where: "internal/sim/books.go",
		Text: t("The gateway checks a request in this order and refuses it at the first failure: maintenance, source address, method, `aid`, a form that is unreadable or has too much other data, connection authentication; then `jb`, `rt`, `tid`, `am`, `tx`, `sf`, `em`, `pn`; then the state of the payment.",
			"リクエストは次の順に確認され、最初の不備で拒否されます。メンテナンス、送信元IPアドレス、メソッド、`aid`、読み取れないフォームまたは長すぎるその他データ、接続認証。続いて `jb`、`rt`、`tid`、`am`、`tx`、`sf`、`em`、`pn`。最後に決済の状態。"),
		IfWrong: t("The code differs if two things are wrong; see assumption 5.", "2つ以上の不備があるときのコードが変わります。前提5を参照してください。"),
		Setting: &Setting{
			Key: "first_check", Text: t("What is checked first if the store and the payment number are both wrong", "店舗IDと決済番号の両方が誤っているときに先に確認するもの"),
			Values: []Value{
				{"store", t("source address and store", "送信元IPアドレスと店舗ID")},
				{"payment", t("the payment number", "決済番号")},
			},
			Default: "store", Flip: "payment",
		},
	},
	{
		Number: 47, Grade: "L", Where: "internal/sim/form.go",
		Text:    t("If `rt=1` appears anywhere in a request, the reply is a row; otherwise it is in the short form.", "リクエストのどこかに `rt=1` があれば応答は行の形式、なければ短い形式です。"),
		IfWrong: t("A refusal comes in the other form, which the client reads as well.", "拒否がもう一方の形式で返されます。クライアントはどちらも読み取れます。"),
		Setting: &Setting{
			Key: "row_for", Text: t("Requests whose reply is a row", "応答が行の形式になるリクエスト"),
			Values: []Value{
				{"any", t("any with rt=1", "どこかに rt=1 があるもの")},
				{"only", t("only those whose single rt is 1", "rt が1つだけで、値が 1 のもの")},
			},
			Default: "any", Flip: "only",
		},
	},
	{
		Number: 48, Grade: "H", Where: "internal/sim/form.go",
		Text:     t("Parameters are read from the query and, in a POST, also from a form, `application/x-www-form-urlencoded` or `multipart/form-data`.", "パラメータはクエリから、POST ではフォーム（`application/x-www-form-urlencoded` または `multipart/form-data`）からも読み取られます。"),
		Evidence: t("Clients of sibling pages on the same host send multipart forms, and POST requests with parameters in the query and an empty body; for these two pages it is inferred.", "同じホストの別ページのクライアントは、multipart のフォームや、パラメータをクエリに置いた本文が空の POST を送信しています。この2ページについては推測です。"),
		IfWrong:  t("The real gateway is stricter; the client sends only `application/x-www-form-urlencoded`.", "実際のゲートウェイのほうが厳格です。クライアントが送信するのは `application/x-www-form-urlencoded` だけです。"),
		Setting: &Setting{
			Key: "post_forms", Text: t("Where the parameters of a POST are read from", "POST のパラメータの読み取り元"),
			Values: []Value{
				{"any", t("query and form, multipart included", "クエリとフォーム（multipart を含む）")},
				{"urlencoded", t("only an application/x-www-form-urlencoded form", "application/x-www-form-urlencoded のフォームのみ")},
			},
			Default: "any", Flip: "urlencoded",
		},
	},
	{
		Number: 49, Grade: "H", Where: "internal/sim/form.go",
		Text:     t("An unescaped space or line break makes the form unreadable: `ER001`.", "エンコードされていない空白や改行があるとフォームを読み取れず、`ER001` になります。"),
		Evidence: t("H that they must be escaped, L for what happens if they are not.", "エンコードが必要なことは H、しなかった場合の結果は L。"),
		IfWrong:  t("The real gateway is more lenient; the client always escapes.", "実際のゲートウェイのほうが寛容です。クライアントは必ずエンコードします。"),
	},
	{
		Number: 50, Grade: "L", Where: "internal/sim/form.go",
		Text:    t("The limit of 1,024 bytes of other data is counted before escaping, in the character set of the request.", "その他データの上限の1,024バイトは、エンコード前に、リクエストの文字コードで数えます。"),
		IfWrong: t("See assumption 16.", "前提16を参照してください。"),
		Setting: &Setting{
			Key: "other_data_counted", Text: t("How the length of other data is counted", "その他データの長さの数え方"),
			Values: []Value{
				{"before", t("before escaping", "エンコード前")},
				{"after", t("after escaping", "エンコード後")},
			},
			Default: "before", Flip: "after",
		},
	},
	{
		Number: 51, Grade: "L", Where: "internal/sim/form.go",
		Text:    t("Parameter names are lower-case, and those of the protocol are reserved on both pages.", "パラメータ名は小文字で、プロトコルの名前は両方のページで予約されています。"),
		IfWrong: t("Other data with such a name might come back.", "その名前のその他データが返される可能性があります。"),
	},
	{
		Number: 52, Grade: "L", Where: "internal/sim/books.go",
		Text:    t("A total that is 0 or overflows an int64 is `ER061`.", "合計が0円または int64 を超える場合は `ER061` です。"),
		IfWrong: t("See assumption 17.", "前提17を参照してください。"),
		Setting: answer("zero_total", t("Result of a ReAuth with a total of 0 yen", "合計0円の再オーソリの結果"), "ER061", Done, ""),
	},
	{
		Number: 53, Grade: "L", Where: "internal/sim/form.go",
		Text:    t("`em` and `pn` may be empty; otherwise `em` is printable ASCII with one `@` inside.", "`em` と `pn` は空でもかまいません。`em` は `@` を1つ含む印字可能な ASCII です。"),
		IfWrong: t("An address that both the client and the simulator accept is refused with `ER059`.", "クライアントもシミュレーターも受け付けるメールアドレスが、`ER059` で拒否されます。"),
	},
	{
		Number: 54, Grade: "H", Where: "internal/sim/books.go",
		Text:     t("A Sales of a captured payment is refused with `ER032`.", "実売上済みの決済への実売上は `ER032` で拒否されます。"),
		Evidence: t("H for the code, M for its meaning.", "コードは H、解釈は M。"),
		IfWrong:  t("See assumption 9.", "前提9を参照してください。"),
		Setting:  answer("second_sales", t("Result of a Sales of a captured payment", "実売上済みの決済への実売上の結果"), "ER032", Done, ""),
	},
	{
		Number: 55, Grade: "L", Where: "internal/sim/books.go",
		Text:    t("A ReAuth of a cancelled payment is refused with `ER033`, because it cannot be cancelled again.", "取消済みの決済への再オーソリは、取消ができないため `ER033` で拒否されます。"),
		IfWrong: t("The code differs, and the outcome may be unknown.", "別のコードになり、結果が不明になることがあります。"),
		Setting: answer("reauth_cancelled", t("Result of a ReAuth of a cancelled payment", "取消済みの決済への再オーソリの結果"), "ER033", "ER053", ""),
	},
	{
		Number: 56, Grade: "L", Where: "internal/sim/books.go",
		Text:    t("A captured payment can be re-authorised. The new payment is authorised and keeps the order number.", "実売上済みの決済も再オーソリできます。新しい決済は仮売上で、店舗オーダー番号は引き継がれます。"),
		IfWrong: t("A merchant that captures first has to cancel instead; see assumption 3.", "先に実売上にする運用では、再オーソリの代わりに取消が必要です。前提3を参照してください。"),
		Setting: answer("reauth_captured", t("Result of a ReAuth of a captured payment", "実売上済みの決済への再オーソリの結果"), Done, "ER053", ""),
	},
	{
		Number: 57, Grade: "L", Where: "internal/sim/books.go",
		Text:         t("Issuers do not refuse cancellations.", "カード会社が取消を拒否することはありません。"),
		IfWrong:      t("A Cancel may be declined; the client reports it.", "取消が拒否されることがあります。クライアントは拒否として返します。"),
		Unobservable: t("If some are not refused, the next may still be.", "拒否されなかった例があっても、次は拒否される可能性があります。"),
	},
	{
		Number: 58, Grade: "H", Where: "internal/sim/books.go",
		Text:    t("In test mode the gateway records payments as usual, with the approval code `TestMod`.", "テストモードでも決済は通常どおり記録され、承認番号は `TestMod` になります。"),
		IfWrong: t("`TestMode` and `WithProductionOnly` do not detect test mode.", "`TestMode` と `WithProductionOnly` でテストモードを検出できません。"),
	},
	{
		Number: 59, Grade: "H", Where: "internal/sim/reply.go",
		Text:     t("The row of a refusal has `gid` 0, amounts of 0 and no other data.", "拒否の行は `gid` が 0、金額が 0 で、その他データはありません。"),
		Evidence: t("As in the vendor's sample.", "ベンダーのサンプルによります。"),
		IfWrong:  t("See assumption 4.", "前提4を参照してください。"),
		Setting: &Setting{
			Key: "refusal_row", Text: t("What the row of a refusal says about the payment", "拒否の行に書かれる決済の内容"),
			Values: []Value{
				{"nothing", t("only 0 and blank columns", "なし（0 と空）")},
				{"payment", t("its numbers and amounts, if it exists, and the other data", "決済があればその番号と金額、およびその他データ")},
			},
			Default: "nothing", Flip: "payment",
		},
	},
	{
		Number: 60, Grade: "M", Where: "internal/sim/kickback.go",
		Text:    t("If the gateway refuses a re-authorisation with `rt=0` before it asks the issuer, it replies with the code and sends no kickback.", "`rt=0` の再オーソリがカード会社への照会前に拒否された場合は、コードで応答し、決済結果通知は送信されません。"),
		IfWrong: t("A kickback comes for a request that counts as refused.", "拒否として扱われたリクエストの決済結果通知が届きます。"),
		Setting: &Setting{
			Key: "refused_rt0", Text: t("How the gateway's own refusal of a ReAuth with rt=0 is reported", "rt=0 の再オーソリをゲートウェイが拒否したときの伝え方"),
			Values: []Value{
				{"answer", t("in the reply, without a kickback", "その場で応答し、決済結果通知は送信しない")},
				{"kickback", t("OK, then a kickback", "OK と応答し、決済結果通知で伝える")},
			},
			Default: "answer", Flip: "kickback",
		},
	},
	{
		Number: 61, Grade: "L", Where: "internal/sim/kickback.go",
		Text:     t("The kickback of a decline has the `gid` and `cod` of the payment to be re-authorised, and amounts of 0.", "拒否の決済結果通知では、`gid` と `cod` は対象の決済のもので、金額は 0 です。"),
		Evidence: t("The vendor's help lists `gid` and `cod` for kickbacks of unsuccessful recurring charges. Which payment's `gid` comes here is inferred, and so are the amounts of 0.", "ベンダーのヘルプでは、自動課金の成功以外の決済結果通知にも `gid` と `cod` があります。ここでどの決済の `gid` になるか、金額が 0 になるかは推測です。"),
		IfWrong:  t("Without them, a receiver that looks orders up by `gid` or `cod` drops the kickback; a kickback key still identifies the payment.", "どちらもなければ、`gid` や `cod` で注文を検索する受信側では、対応する注文が見つかりません。リクエストに署名していれば、対象の決済を特定できます。"),
		Setting: &Setting{
			Key: "decline_kickback", Text: t("What the kickback of a decline says about the payment", "拒否の決済結果通知に書かれる決済の内容"),
			Values: []Value{
				{"payment", t("its gid and cod", "gid と cod")},
				{"nothing", t("neither: gid 0 and no cod", "なし（gid は 0、cod は空）")},
			},
			Default: "payment", Flip: "nothing",
		},
	},
	{
		Number: 62, Grade: "L", Where: "internal/sim/kickback.go",
		Text:    t("Other data keeps its order in a kickback; a key that is also one of the kickback's own names appears twice.", "その他データは決済結果通知でも順序が保たれ、決済結果通知自身の項目と同じ名前のものは2回現れます。"),
		IfWrong: t("Nothing changes; see assumption 18.", "影響はありません。前提18を参照してください。"),
	},
	{
		Number: 63, Grade: "H", Where: "internal/sim/kickback.go",
		Text:     t("Kickbacks are sent one at a time. A complete body that is not empty counts as delivery, whatever the status; redirects are not followed.", "決済結果通知は1件ずつ送信されます。ステータスにかかわらず、空でない本文を最後まで受け取れば通知成功と判定します。リダイレクトには従いません。"),
		Evidence: t("H for the body.", "本文については H。"),
		IfWrong:  t("See assumption 25.", "前提25を参照してください。"),
		Setting: &Setting{
			Key: "kickback_judged", Text: t("What counts as delivery of a kickback", "決済結果通知を成功と判定する条件"),
			Values: []Value{
				{"body", t("a body that is not empty", "空でない本文")},
				{"status", t("a status from 200 to 299", "200 から 299 のステータス")},
			},
			Default: "body", Flip: "status",
		},
	},
	{
		Number: 64, Grade: "L", Where: "internal/sim/kickback.go",
		Text:         t("A kickback waits while the store has no kickback URL; once a kickback that is sent by hand is delivered, the gateway stops its own attempts.", "決済結果通知URLが未設定の間、決済結果通知は保留されます。手動で送信した決済結果通知が通知成功と判定されると、ゲートウェイによる再送は終わります。"),
		IfWrong:      t("The store receives fewer kickbacks, or more.", "決済結果通知の数が変わります。"),
		Unobservable: t("It concerns what people do in the control panel.", "管理画面での操作についての前提です。"),
	},
	{
		Number: 65, Grade: "L", Where: "internal/sim/reply.go",
		Text:    t("A comma in the order number is not escaped, and characters that the reply's character set lacks become question marks.", "店舗オーダー番号のカンマはそのまま書かれます。応答の文字コードにない文字は疑問符になります。"),
		IfWrong: t("See assumption 19.", "前提19を参照してください。"),
		Setting: &Setting{
			Key: "order_comma", Text: t("A comma in the order number of a row", "応答の行の店舗オーダー番号のカンマ"),
			Values: []Value{
				{"plain", t("unescaped", "そのまま")},
				{"escaped", t("percent-encoded", "パーセントエンコード")},
				{"dropped", t("left out", "省略")},
			},
			Default: "plain", Flip: "escaped",
		},
	},
	{
		Number: 67, Grade: "H", Where: "internal/sim/books.go",
		Text:     t("A Sales of a cancelled payment is refused with `ER032`.", "取消済みの決済への実売上は `ER032` で拒否されます。"),
		Evidence: t("H for the code, L for its meaning.", "コードは H、解釈は L。"),
		IfWrong:  t("The code differs; if the payment were captured all the same, a cancelled payment could be billed.", "別のコードになります。仮に実売上が成功すると、取り消した決済が請求されるおそれがあります。"),
		Setting:  answer("sales_after_cancel", t("Result of a Sales of a cancelled payment", "取消済みの決済への実売上の結果"), "ER032", "ER053", ""),
	},
	{
		Number: 68, Grade: "H", Where: "internal/sim/books.go",
		Text:     t("A captured payment can be cancelled.", "実売上済みの決済は取り消せます。"),
		Evidence: t("The specification warns about the effect on the cardholder.", "仕様書には、カード会員への影響についての注意があります。"),
		IfWrong:  t("The Cancel is refused, with `ER033` or another code, and only the control panel can refund.", "`ER033` などで拒否され、返金は管理画面からしかできません。"),
		Setting:  answer("cancel_captured", t("Result of a Cancel of a captured payment", "実売上済みの決済への取消の結果"), Done, "ER033", ""),
	},
	{
		Number: 69, Grade: "H", Where: "internal/sim/books.go",
		Text:     t("A Cancel of a cancelled payment is refused with `ER033`.", "取消済みの決済への取消は `ER033` で拒否されます。"),
		Evidence: t("H for the code, M for its meaning.", "コードは H、解釈は M。"),
		IfWrong:  t("See assumption 9.", "前提9を参照してください。"),
		Setting:  answer("second_cancel", t("Result of a Cancel of a cancelled payment", "取消済みの決済への取消の結果"), "ER033", Done, ""),
	},
	{
		Number: 70, Grade: "M", Where: "internal/sim/reply.go", Evidence: oneClient,
		Text:    t("The short form of a refusal is `ER:` followed by the code.", "短い形式の拒否は、`ER:` とコードだけの本文です。"),
		IfWrong: t("See assumption 23.", "前提23を参照してください。"),
		Setting: &Setting{
			Key: "short_refusal", Text: t("Short form of a refusal", "短い形式の拒否"),
			Values: []Value{
				{"prefixed", t("ER: followed by the code", "ER: とコード")},
				{"bare", t("the code alone", "コードのみ")},
			},
			Default: "prefixed", Flip: "bare",
		},
	},
	{
		Number: 71, Grade: "H", Where: "internal/sim/books.go",
		Text:     t("A ReAuth of a payment that is older than last month or has a registered product is refused with `ER053`. The month of the authorisation counts, in Japan time.", "前月より古い決済と「商品登録あり」の決済への再オーソリは、`ER053` で拒否されます。月は日本時間の仮売上の月です。"),
		Evidence: t("H for the rule, L for the code and for which month counts.", "条件は H、コードと月の数え方は L。"),
		IfWrong:  t("The code differs, and the outcome may be unknown.", "別のコードになり、結果が不明になることがあります。"),
		Setting:  answer("reauth_barred", t("Result of a ReAuth of a payment that is too old or has a registered product", "古すぎる決済または「商品登録あり」の決済への再オーソリの結果"), "ER053", "ER033", ""),
	},
	{
		Number: 72, Grade: "L", Where: "internal/sim/form.go",
		Text:     t("A stray `&` is ignored, and a name without `=` has an empty value.", "余分な `&` は無視され、`=` のない名前は、値が空として扱われます。"),
		Evidence: t("Pages of this kind commonly behave like this; clients of sibling pages send both.", "この種のページで一般的な動作です。別ページのクライアントはどちらも送信しています。"),
		IfWrong:  t("Such a request is `ER001`; the client sends neither.", "`ER001` になります。クライアントはどちらも送信しません。"),
		Setting: &Setting{
			Key: "loose_pairs", Text: t("A stray & and a name without =", "余分な & と、= のない名前"),
			Values: []Value{
				{"taken", t("accepted", "受け付ける")},
				{"refused", t("the form is unreadable: ER001", "読み取り不能とする（ER001）")},
			},
			Default: "taken", Flip: "refused",
		},
	},
}

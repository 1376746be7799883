package jpayment

// cardNetwork is the text of every code in the card-network group. The public lists do not
// describe the codes separately.
var cardNetwork = Text{
	"failure in the card network or centre on GMO's side; not documented by ROBOT PAYMENT, prefix form unknown",
	"GMO側の通信障害またはセンター障害です（ROBOT PAYMENTの資料に記載がなく、コードの接頭部の形式は不明です）",
}

// catalogue contains every reply code in public lists of the gateway, in order. The messages
// are in our own words, not the vendor's. The classes are judged from the meanings
// (docs/protocol.md, assumption 6).
var catalogue = map[Code]codeInfo{
	// Whole request, access, store and congestion.
	"ER000": {ErrLostTrack, Text{"internal error at the gateway, which may have lost track of the payment; look it up before trying again", "決済ゲートウェイの内部エラーです（処理されたかどうか不明なため、再実行の前に決済状況を確認してください）"}},
	"ER001": {ErrInvalidParameter, Text{"the request was rejected as a whole: parameters are malformed or missing", "リクエストに不備があるため受け付けられません（パラメータの形式不正または不足）"}},
	"ER002": {ErrNotPermitted, Text{"the origin URL (referer) is not registered for the store", "送信元URLが登録されていません"}},
	"ER003": {ErrNotPermitted, Text{"the source IP address is not registered for the store", "送信元IPアドレスが登録されていません"}},
	"ER004": {ErrNotPermitted, Text{"the store is not registered or not set up; contact the gateway's support", "店舗が登録されていないか、設定に不備があります（サポートへお問い合わせください）"}},
	"ER005": {ErrInvalidParameter, Text{"the product is not registered", "商品が登録されていません"}},
	"ER006": {ErrRejected, Text{"no IDs or passwords are left to issue for this product", "この商品で発行できるID・パスワードが残っていません"}},
	"ER010": {ErrBusy, Text{"payment processing is congested", "決済処理が混み合っています"}},

	// Block lists, card and amount.
	"ER011": {ErrRejected, Text{"refused: the IP address is on a block list", "IPアドレスが拒否リストに登録されているため、決済できません"}},
	"ER012": {ErrRejected, Text{"refused: the e-mail address is on a block list", "メールアドレスが拒否リストに登録されているため、決済できません"}},
	"ER013": {ErrRejected, Text{"refused: the card number is on a block list", "カード番号が拒否リストに登録されているため、決済できません"}},
	"ER014": {ErrRejected, Text{"the card number fails the check digit", "カード番号のチェックデジットが一致しません"}},
	"ER015": {ErrRejected, Text{"the store does not accept this card brand", "この店舗では取り扱いのないカードブランドです"}},
	"ER016": {ErrRejected, Text{"the usable-amount limit is exceeded", "利用可能額の上限を超えています"}},
	"ER017": {ErrRejected, Text{"the amount is below the store's minimum", "金額が店舗の下限金額を下回っています"}},
	"ER018": {ErrRejected, Text{"the amount is above the store's maximum", "金額が店舗の上限金額を超えています"}},
	"ER019": {ErrInvalidParameter, Text{"the amount cannot be split into instalments, or there is an instalment error", "この金額では分割払いができないか、分割払いの指定に誤りがあります"}},
	"ER020": {ErrInvalidParameter, Text{"the bonus amount is half the price or more", "ボーナス金額が決済金額の半額以上になっています"}},

	// Conditions of stored cards and subscriptions.
	"ER021": {ErrRejected, Text{"one-touch charge: the stored-card conditions are not met", "ワンタッチ課金の条件（登録済みカード）を満たしていません"}},
	"ER022": {ErrRejected, Text{"quick charge: the conditions are not met", "クイックチャージの条件を満たしていません"}},
	"ER023": {ErrRejected, Text{"card change: the subscription has already stopped and cannot be changed", "自動課金がすでに停止しているため、カードを変更できません"}},
	"ER024": {ErrRejected, Text{"the subscription has already stopped", "自動課金はすでに停止しています"}},

	// Failed jobs.
	"ER030": {ErrRejected, Text{"the payment failed (general failure)", "決済に失敗しました（決済失敗全般）"}},
	"ER031": {ErrRejected, Text{"the card validity check (CHECK) failed", "カードの有効性確認（CHECK）に失敗しました"}},
	"ER032": {ErrRejected, Text{"the capture failed; also the answer for a payment already captured, so the code alone does not tell which", "実売上に失敗しました（すでに実売上済みの場合にも返されるため、このコードだけでは判断できません）"}},
	"ER033": {ErrRejected, Text{"the cancellation failed; also the answer for a payment already cancelled", "取消に失敗しました（すでに取消済みの場合にも返されます）"}},

	// Behind the gateway.
	"ER042": {ErrLostTrack, Text{"communication error behind the gateway; outcome unknown", "決済ゲートウェイの先で通信エラーが発生しました（処理されたかどうか不明）"}},

	// Parameters.
	"ER050": {ErrInvalidParameter, Text{"aid (store ID) is invalid", "店舗ID（aid）が正しくありません"}},
	"ER051": {ErrInvalidParameter, Text{"jb (job type) is invalid", "ジョブタイプ（jb）が正しくありません"}},
	"ER052": {ErrInvalidParameter, Text{"rt (reply method) is invalid", "決済結果返信方法（rt）が正しくありません"}},
	"ER053": {ErrInvalidParameter, Text{"tid (payment number) is malformed or unknown", "決済番号（tid）が正しくないか、存在しません"}},
	"ER054": {ErrInvalidParameter, Text{"cod (store order number) is invalid", "店舗オーダー番号（cod）が正しくありません"}},
	"ER055": {ErrInvalidParameter, Text{"the card number is invalid", "カード番号が正しくありません"}},
	"ER056": {ErrInvalidParameter, Text{"the card's expiry is invalid", "カードの有効期限が正しくありません"}},
	"ER057": {ErrInvalidParameter, Text{"the first name is invalid", "名前（名）が正しくありません"}},
	"ER058": {ErrInvalidParameter, Text{"the last name is invalid", "名前（姓）が正しくありません"}},
	"ER059": {ErrInvalidParameter, Text{"em (e-mail address) is invalid", "メールアドレス（em）が正しくありません"}},
	"ER060": {ErrInvalidParameter, Text{"pn (phone number) is invalid", "電話番号（pn）が正しくありません"}},
	"ER061": {ErrInvalidParameter, Text{"am (amount) is invalid", "決済金額（am）が正しくありません"}},
	"ER062": {ErrInvalidParameter, Text{"tx (tax) is invalid", "税額（tx）が正しくありません"}},
	"ER063": {ErrInvalidParameter, Text{"sf (shipping) is invalid", "送料（sf）が正しくありません"}},
	"ER064": {ErrInvalidParameter, Text{"md (payment method) is invalid", "支払方法（md）が正しくありません"}},
	"ER065": {ErrInvalidParameter, Text{"pt (instalment count) is invalid", "分割回数（pt）が正しくありません"}},
	"ER066": {ErrInvalidParameter, Text{"the bonus count is invalid", "ボーナス回数が正しくありません"}},
	"ER067": {ErrInvalidParameter, Text{"the bonus amount is invalid", "ボーナス金額が正しくありません"}},
	"ER068": {ErrInvalidParameter, Text{"iid (product code) is invalid", "商品コード（iid）が正しくありません"}},
	"ER069": {ErrInvalidParameter, Text{"cmd (command) is invalid", "処理コード（cmd）が正しくありません"}},
	"ER071": {ErrInvalidParameter, Text{"the issued password is invalid", "発行パスワードが正しくありません"}},
	"ER072": {ErrInvalidParameter, Text{"acid (subscription number) is invalid", "自動課金番号（acid）が正しくありません"}},
	"ER073": {ErrInvalidParameter, Text{"the postal code is invalid", "郵便番号が正しくありません"}},
	"ER074": {ErrInvalidParameter, Text{"the address is invalid", "住所が正しくありません"}},
	"ER075": {ErrInvalidParameter, Text{"the address in kana is invalid", "住所（カナ）が正しくありません"}},
	"ER076": {ErrInvalidParameter, Text{"the fax number is invalid", "FAX番号が正しくありません"}},
	"ER077": {ErrInvalidParameter, Text{"the payment deadline is invalid", "支払期限が正しくありません"}},
	"ER079": {ErrInvalidParameter, Text{"cvv (security code) is missing or invalid", "セキュリティコード（cvv）が入力されていないか、正しくありません"}},

	// Steps of the gateway and of its payment form.
	"ER100": {ErrLostTrack, Text{"gateway or form step: cmd could not be read", "決済ゲートウェイまたは決済画面の処理で、cmdを取得できませんでした"}},
	"ER101": {ErrLostTrack, Text{"gateway or form step: order lookup failed while issuing an ID and password", "決済ゲートウェイまたは決済画面の処理で、ID・パスワード発行時にオーダーを取得できませんでした"}},
	"ER102": {ErrLostTrack, Text{"gateway or form step: order lookup failed while issuing an ID and password, with cmd=0", "決済ゲートウェイまたは決済画面の処理で、ID・パスワード発行時にオーダーを取得できませんでした（cmd=0）"}},
	"ER103": {ErrLostTrack, Text{"gateway or form step: control data could not be loaded", "決済ゲートウェイまたは決済画面の処理で、コントロール情報を読み込めませんでした"}},
	"ER104": {ErrNotPermitted, Text{"gateway or form step: the job is not configured", "決済ゲートウェイまたは決済画面の処理で、ジョブが設定されていません"}},
	"ER105": {ErrInvalidParameter, Text{"gateway or form step: the form steps were called out of order", "決済ゲートウェイまたは決済画面の処理で、画面遷移の順序が正しくありません"}},
	"ER106": {ErrRejected, Text{"gateway or form step: the form's session values were lost", "決済ゲートウェイまたは決済画面の処理で、セッションの値が失われました"}},
	"ER107": {ErrInvalidParameter, Text{"gateway or form step: the HTTP method is not allowed", "決済ゲートウェイまたは決済画面の処理で、許可されていないHTTPメソッドが使用されました"}},
	"ER108": {ErrLostTrack, Text{"gateway or form step: order lookup failed at confirmation", "決済ゲートウェイまたは決済画面の処理で、確定時にオーダーを取得できませんでした"}},
	"ER109": {ErrLostTrack, Text{"gateway or form step: control data could not be loaded at confirmation", "決済ゲートウェイまたは決済画面の処理で、確定時にコントロール情報を読み込めませんでした"}},
	"ER110": {ErrInvalidParameter, Text{"gateway or form step: parameter error at confirmation", "決済ゲートウェイまたは決済画面の処理で、確定時のパラメータが正しくありません"}},
	"ER111": {ErrLostTrack, Text{"gateway or form step: the store could not be loaded at confirmation", "決済ゲートウェイまたは決済画面の処理で、確定時に店舗を読み込めませんでした"}},
	"ER112": {ErrLostTrack, Text{"gateway or form step: the store's settings could not be loaded at confirmation", "決済ゲートウェイまたは決済画面の処理で、確定時に店舗設定を読み込めませんでした"}},
	"ER113": {ErrLostTrack, Text{"gateway or form step: subscription lookup failed", "決済ゲートウェイまたは決済画面の処理で、自動課金情報を取得できませんでした"}},
	"ER114": {ErrInvalidParameter, Text{"gateway or form step: the store ID is wrong", "決済ゲートウェイまたは決済画面の処理で、店舗IDの指定に誤りがあります"}},
	"ER115": {ErrLostTrack, Text{"gateway or form step: the store's data could not be loaded", "決済ゲートウェイまたは決済画面の処理で、店舗データを読み込めませんでした"}},
	"ER116": {ErrLostTrack, Text{"gateway or form step: the store's form settings could not be loaded", "決済ゲートウェイまたは決済画面の処理で、店舗のフォーム設定を読み込めませんでした"}},
	"ER117": {ErrLostTrack, Text{"gateway or form step: store information lookup failed", "決済ゲートウェイまたは決済画面の処理で、店舗情報を取得できませんでした"}},
	"ER118": {ErrLostTrack, Text{"gateway or form step: store information could not be loaded", "決済ゲートウェイまたは決済画面の処理で、店舗情報を読み込めませんでした"}},
	"ER119": {ErrLostTrack, Text{"gateway or form step: the store's settings could not be loaded", "決済ゲートウェイまたは決済画面の処理で、店舗設定を読み込めませんでした"}},

	// Parameters of subscriptions, first range.
	"ER125": {ErrInvalidParameter, Text{"subscription: the next charge date is invalid", "自動課金の次回課金日が正しくありません"}},
	"ER126": {ErrInvalidParameter, Text{"subscription: the charge cycle is invalid", "自動課金の課金周期が正しくありません"}},
	"ER127": {ErrInvalidParameter, Text{"subscription: the charge day is invalid", "自動課金の課金指定日が正しくありません"}},
	"ER128": {ErrInvalidParameter, Text{"subscription: the stop-after count is invalid", "自動課金の停止回数が正しくありません"}},
	"ER129": {ErrInvalidParameter, Text{"subscription: the end date is invalid", "自動課金の課金終了日が正しくありません"}},

	// Parameters of bank-account transfers.
	"ER130": {ErrInvalidParameter, Text{"account transfer: tday (debit day) is invalid", "口座振替の振替日（tday）が正しくありません"}},
	"ER131": {ErrInvalidParameter, Text{"account transfer: nm (name) is invalid", "口座振替の氏名（nm）が正しくありません"}},
	"ER132": {ErrInvalidParameter, Text{"account transfer: bac (bank code) is invalid", "口座振替の銀行コード（bac）が正しくありません"}},
	"ER133": {ErrInvalidParameter, Text{"account transfer: brc (branch code) is invalid", "口座振替の支店コード（brc）が正しくありません"}},
	"ER134": {ErrInvalidParameter, Text{"account transfer: anum (account number) is invalid", "口座振替の口座番号（anum）が正しくありません"}},
	"ER135": {ErrInvalidParameter, Text{"account transfer: atype (account type) is invalid", "口座振替の口座種目（atype）が正しくありません"}},
	"ER136": {ErrInvalidParameter, Text{"account transfer: anm (account holder) is invalid", "口座振替の口座名義（anm）が正しくありません"}},
	"ER137": {ErrInvalidParameter, Text{"account transfer: pre (prefecture) is invalid", "口座振替の都道府県（pre）が正しくありません"}},
	"ER138": {ErrInvalidParameter, Text{"account transfer: ad1 (city) is invalid", "口座振替の市区町村（ad1）が正しくありません"}},
	"ER139": {ErrInvalidParameter, Text{"account transfer: ad2 (building) is invalid", "口座振替の建物名（ad2）が正しくありません"}},
	"ER140": {ErrInvalidParameter, Text{"account transfer: co (company) is invalid", "口座振替の会社名（co）が正しくありません"}},
	"ER141": {ErrInvalidParameter, Text{"account transfer: type (action) is invalid", "口座振替の動作タイプ（type）が正しくありません"}},
	"ER142": {ErrInvalidParameter, Text{"account transfer: amo (debit amount) is invalid", "口座振替の引落金額（amo）が正しくありません"}},
	"ER143": {ErrInvalidParameter, Text{"account transfer: date (next debit date) is invalid", "口座振替の次回振替日（date）が正しくありません"}},
	"ER144": {ErrInvalidParameter, Text{"account transfer: stat (state) is invalid", "口座振替の課金状態（stat）が正しくありません"}},
	"ER145": {ErrInvalidParameter, Text{"account transfer: cid (customer number) is invalid", "口座振替の顧客番号（cid）が正しくありません"}},
	"ER146": {ErrInvalidParameter, Text{"account transfer: reqid (billing ID) is invalid", "口座振替の請求ID（reqid）が正しくありません"}},
	"ER188": {ErrInvalidParameter, Text{"account transfer: next debit date error", "口座振替の次回振替日に誤りがあります"}},

	// Services that the store has not contracted or set up.
	"ER554": {ErrNotPermitted, Text{"the new recurring service is not enabled for the store", "新しい自動課金サービスの利用設定がされていません"}},
	"ER564": {ErrNotPermitted, Text{"the card service is not contracted", "クレジットカード決済の契約がありません"}},
	"ER565": {ErrNotPermitted, Text{"the AES key for tokens has not been issued", "トークン用のAES鍵が発行されていません"}},
	"ER567": {ErrNotPermitted, Text{"the RSA key has not been issued", "RSA鍵が発行されていません"}},

	// Parameters of subscriptions, second range.
	"ER570": {ErrInvalidParameter, Text{"subscription: cycle parameter error", "自動課金の課金周期の指定に誤りがあります"}},
	"ER571": {ErrInvalidParameter, Text{"subscription: job type error", "自動課金のジョブタイプに誤りがあります"}},
	"ER572": {ErrInvalidParameter, Text{"subscription: trial deadline error", "自動課金のお試し期限に誤りがあります"}},
	"ER573": {ErrInvalidParameter, Text{"subscription: the subscription amount is wrong", "自動課金金額に誤りがあります"}},
	"ER574": {ErrInvalidParameter, Text{"subscription: the subscription amount is below the minimum", "自動課金金額が下限金額を下回っています"}},
	"ER575": {ErrInvalidParameter, Text{"subscription: the subscription amount is above the maximum", "自動課金金額が上限金額を超えています"}},
	"ER576": {ErrInvalidParameter, Text{"subscription: charge day error", "自動課金の課金日に誤りがあります"}},
	"ER577": {ErrInvalidParameter, Text{"subscription: trial days error", "自動課金のお試し日数に誤りがあります"}},
	"ER578": {ErrInvalidParameter, Text{"subscription: trial months error", "自動課金のお試し月数に誤りがあります"}},
	"ER579": {ErrInvalidParameter, Text{"subscription: trial deadline error", "自動課金のお試し期限に誤りがあります"}},
	"ER580": {ErrInvalidParameter, Text{"subscription: trial amount error", "自動課金のお試し金額に誤りがあります"}},
	"ER581": {ErrInvalidParameter, Text{"subscription: the amount is below the minimum", "自動課金の金額が下限を下回っています"}},
	"ER582": {ErrInvalidParameter, Text{"subscription: the amount is above the maximum", "自動課金の金額が上限を超えています"}},

	// Card tokens.
	"ER583": {ErrRejected, Text{"the token is missing", "トークンが指定されていません"}},
	"ER584": {ErrRejected, Text{"the token is not valid for this store: unknown, already used, or issued for another aid", "この店舗では無効なトークンです（存在しない、使用済み、または別の店舗IDのトークン）"}},
	"ER585": {ErrRejected, Text{"the token has expired", "トークンの有効期限が切れています"}},
	"ER586": {ErrRejected, Text{"a card number was sent together with a token", "トークンとカード番号が同時に送信されました"}},

	// Virtual accounts for bank transfers.
	"ER701": {ErrRejected, Text{"bank transfer: the virtual account could not be issued", "銀行振込のバーチャル口座を発行できませんでした"}},
	"ER702": {ErrRejected, Text{"bank transfer: the virtual account was issued twice", "銀行振込のバーチャル口座が重複して発行されました"}},
	"ER703": {ErrRejected, Text{"bank transfer: no virtual account is free", "銀行振込のバーチャル口座に空きがありません"}},
	"ER799": {ErrRejected, Text{"bank transfer: internal error while issuing the virtual account", "銀行振込のバーチャル口座の発行中に内部エラーが発生しました"}},

	// 3-D Secure.
	"ER900": {ErrRejected, Text{"3-D Secure failed, or the card is not enrolled in it", "3Dセキュアの認証に失敗したか、カードが3Dセキュアに登録されていません"}},
	"ER901": {ErrRejected, Text{"3-D Secure failed, or the card is not enrolled in it", "3Dセキュアの認証に失敗したか、カードが3Dセキュアに登録されていません"}},

	// Convenience-store payments.
	"ER902": {ErrRejected, Text{"convenience store: postal code error", "コンビニ決済の郵便番号に誤りがあります"}},
	"ER903": {ErrRejected, Text{"convenience store: name error", "コンビニ決済の名前に誤りがあります"}},
	"ER904": {ErrRejected, Text{"convenience store: address error", "コンビニ決済の住所に誤りがあります"}},
	"ER905": {ErrRejected, Text{"convenience store: the payment deadline is out of range", "コンビニ決済の支払期限が指定できる範囲を超えています"}},
	"ER910": {ErrRejected, Text{"convenience store: paperless payment error", "コンビニ決済のペーパーレス処理でエラーが発生しました"}},
	"ER911": {ErrRejected, Text{"convenience store: chain code error", "コンビニ決済のコンビニコード（CVSコード）に誤りがあります"}},

	// Payment page, suspended store and maintenance.
	"ER997": {ErrRejected, Text{"the payment page was open too long (about 20 minutes), or Back was used", "決済画面が長時間（約20分）放置されたか、戻る操作が行われました"}},
	"ER998": {ErrNotPermitted, Text{"the store's account is suspended", "店舗のアカウントが停止されています"}},
	"ER999": {ErrMaintenance, Text{"the gateway is under maintenance: monthly, 02:55-04:30 Japan time", "決済ゲートウェイはメンテナンス中です（毎月実施、日本時間2:55～4:30）"}},

	// Issuer: balance and limits.
	"G0242G020000": {ErrCardDeclined, Text{"the issuer declined: the debit or prepaid balance is too low", "デビットカードまたはプリペイドカードの残高が不足しています"}},
	"G0342G030000": {ErrCardDeclined, Text{"the issuer declined: over the card limit", "カードの利用限度額を超えています"}},
	"G0442G040000": {ErrCardDeclined, Text{"the issuer declined: the balance is too low", "カードの残高が不足しています"}},
	"G0542G050000": {ErrCardDeclined, Text{"the issuer declined: over the card limit", "カードの利用限度額を超えています"}},
	"G0642G060000": {ErrCardDeclined, Text{"the issuer declined: the debit account's balance is too low", "デビットカードの口座残高が不足しています"}},
	"G0742G070000": {ErrCardDeclined, Text{"the issuer declined: over a card limit, or an issuer error; public lists disagree", "カードの利用限度額の超過、またはカード会社側のエラーです（公開資料により説明が異なります）"}},

	// Issuer: the card, its codes and daily limits.
	"G1242G120000": {ErrCardDeclined, Text{"the issuer declined: the card cannot be used", "このカードは使用できません"}},
	"G2242G220000": {ErrCardDeclined, Text{"the issuer declined: it forbids payment permanently", "カード会社によりこのカードでの支払いが永久に禁止されています"}},
	"G3042G300000": {ErrCardDeclined, Text{"the issuer declined: held for review, and the cardholder must call the issuer", "カード会社で判定が保留されています（カード会員からカード会社への電話が必要です）"}},
	"G4242G420000": {ErrCardDeclined, Text{"the issuer declined: wrong PIN", "暗証番号が正しくありません"}},
	"G4442G440000": {ErrCardDeclined, Text{"the issuer declined: wrong security code", "セキュリティコードが正しくありません"}},
	"G4542G450000": {ErrCardDeclined, Text{"the issuer declined: the security code is missing", "セキュリティコードが入力されていません"}},
	"G4642G460000": {ErrCardDeclined, Text{"the issuer declined: magnetic-stripe (JIS II) data error", "カードの磁気ストライプ（JIS2面）の情報にエラーがあります"}},
	"G5442G540000": {ErrCardDeclined, Text{"the issuer declined: over the daily count or amount", "カードの1日の利用回数または利用金額を超えています"}},
	"G5542G550000": {ErrCardDeclined, Text{"the issuer declined: over the daily limit", "カードの1日の利用限度額を超えています"}},
	"G5642G560000": {ErrCardDeclined, Text{"the issuer declined: the card is to be retained, or is unreadable", "取り込み対象のカードか、読み取れないカードです"}},
	"G6042G600000": {ErrCardDeclined, Text{"the issuer declined: the card is reported lost or stolen", "紛失または盗難の届け出があるカード（事故カード）です"}},
	"G6142G610000": {ErrCardDeclined, Text{"the issuer declined: the card is void", "無効なカードです"}},

	// Issuer: data of the request.
	"G6542G650000": {ErrCardDeclined, Text{"the issuer declined: the card number is wrong", "カード番号（会員番号）に誤りがあります"}},
	"G6742G670000": {ErrCardDeclined, Text{"the issuer declined: the product code is wrong", "商品コードに誤りがあります"}},
	"G6842G680000": {ErrCardDeclined, Text{"the issuer declined: the amount is wrong", "金額に誤りがあります"}},
	"G6942G690000": {ErrCardDeclined, Text{"the issuer declined: the tax or shipping is wrong", "税額または送料に誤りがあります"}},
	"G7042G700000": {ErrCardDeclined, Text{"the issuer declined: the bonus count is wrong", "ボーナス回数に誤りがあります"}},
	"G7142G710000": {ErrCardDeclined, Text{"the issuer declined: the bonus month is wrong", "ボーナス月に誤りがあります"}},
	"G7242G720000": {ErrCardDeclined, Text{"the issuer declined: the bonus amount is wrong", "ボーナス金額に誤りがあります"}},
	"G7342G730000": {ErrCardDeclined, Text{"the issuer declined: the first payment month is wrong", "支払開始月に誤りがあります"}},
	"G7442G740000": {ErrCardDeclined, Text{"the issuer declined: the instalment count is wrong", "分割回数に誤りがあります"}},
	"G7542G750000": {ErrCardDeclined, Text{"the issuer declined: the instalment amount is wrong", "分割金額に誤りがあります"}},
	"G7642G760000": {ErrCardDeclined, Text{"the issuer declined: the first instalment's amount is wrong", "分割払いの初回金額に誤りがあります"}},
	"G7742G770000": {ErrCardDeclined, Text{"the issuer declined: the business class is wrong", "業務区分に誤りがあります"}},
	"G7842G780000": {ErrCardDeclined, Text{"the issuer declined: the payment class is wrong", "支払区分に誤りがあります"}},
	"G7942G790000": {ErrCardDeclined, Text{"the issuer declined: the inquiry class is wrong", "照会区分に誤りがあります"}},
	"G8042G800000": {ErrCardDeclined, Text{"the issuer declined: the cancel class is wrong", "取消区分に誤りがあります"}},
	"G8142G810000": {ErrCardDeclined, Text{"the issuer declined: the cancel handling class is wrong", "取消取扱区分に誤りがあります"}},
	"G8342G830000": {ErrCardDeclined, Text{"the issuer declined: the expiry is wrong, or the card has expired", "カードの有効期限に誤りがあるか、有効期限が切れています"}},
	"G8442G840000": {ErrCardDeclined, Text{"the issuer declined: the approval number is wrong", "承認番号に誤りがあります"}},

	// Issuer: its systems and its business.
	"G8542G850000": {ErrCardDeclined, Text{"declined: error while CAFIS stood in for the issuer", "CAFISがカード会社を代行する処理でエラーが発生しました"}},
	"G9242G920000": {ErrCardDeclined, Text{"the issuer declined: an issuer-specific error", "カード会社独自のエラーです"}},
	"G9442G940000": {ErrCardDeclined, Text{"the issuer declined: sequence number error", "サイクル通番にエラーがあります"}},
	"G9542G950000": {ErrCardDeclined, Text{"the issuer declined: it is offline for now", "カード会社のオンライン処理が現在終了しています"}},
	"G9642G960000": {ErrCardDeclined, Text{"the issuer declined: lost-or-stolen card data error", "事故カードデータのエラーです"}},
	"G9742G970000": {ErrCardDeclined, Text{"the issuer declined: it refuses this kind of request", "カード会社がこの種類の要求を拒否しました"}},
	"G9842G980000": {ErrCardDeclined, Text{"the issuer declined: it does not handle this business", "カード会社の取り扱い対象外の業務です"}},
	"G9942G990000": {ErrCardDeclined, Text{"declined: the issuer's side refused the connection", "カード会社側に接続要求を拒否されました"}},

	// Card network and centre.
	"42C010000": {ErrLostTrack, cardNetwork},
	"42C030000": {ErrLostTrack, cardNetwork},
	"42C120000": {ErrLostTrack, cardNetwork},
	"42C130000": {ErrLostTrack, cardNetwork},
	"42C140000": {ErrLostTrack, cardNetwork},
	"42C150000": {ErrLostTrack, cardNetwork},
	"42C500000": {ErrLostTrack, cardNetwork},
	"42C510000": {ErrLostTrack, cardNetwork},
	"42C530000": {ErrLostTrack, cardNetwork},
	"42C540000": {ErrLostTrack, cardNetwork},
	"42C550000": {ErrLostTrack, cardNetwork},
	"42C560000": {ErrLostTrack, cardNetwork},
	"42C570000": {ErrLostTrack, cardNetwork},
	"42C580000": {ErrLostTrack, cardNetwork},
	"42C600000": {ErrLostTrack, cardNetwork},
	"42C700000": {ErrLostTrack, cardNetwork},
	"42C710000": {ErrLostTrack, cardNetwork},
	"42C720000": {ErrLostTrack, cardNetwork},
	"42C730000": {ErrLostTrack, cardNetwork},
	"42C740000": {ErrLostTrack, cardNetwork},
	"42C750000": {ErrLostTrack, cardNetwork},
	"42C760000": {ErrLostTrack, cardNetwork},
	"42C770000": {ErrLostTrack, cardNetwork},
	"42C780000": {ErrLostTrack, cardNetwork},
}

package cli

import (
	"slices"
	"strconv"

	"github.com/jpayment-go/jpayment"
	"github.com/jpayment-go/jpayment/cmd/jpayment/internal/console"
)

// column explains one column of a reply, or one parameter of a kickback.
type column struct {
	Name    string `json:"name"`    // in the protocol
	Term    string `json:"term"`    // in the specification
	Value   string `json:"value"`   // hidden if private
	Meaning string `json:"meaning"` // in the language
}

// columns explains a result. Private values are hidden unless showPrivate is set.
func columns(lang console.Lang, res *jpayment.Result, showPrivate bool) []column {
	private := func(s jpayment.Secret) string {
		if showPrivate {
			return s.Reveal()
		}
		return lang.Hide(s.Reveal())
	}
	var cs []column
	add := func(name, value, en, ja string) {
		if slices.Contains(res.Unreadable, name) {
			en, ja = en+"; could not be parsed, shown as received", ja+"（読み取れないため、届いたまま）"
		}
		cs = append(cs, column{name, terms[name].Ja, value, lang.In(en, ja)})
	}
	yen := func(name string, a jpayment.Amount, en, ja string) {
		value := ""
		if n, given := a.Int64(); given {
			value = strconv.FormatInt(n, 10)
		} else {
			en, ja = en+"; blank, which is not 0", ja+"（空欄。0円ではない）"
		}
		add(name, value, en, ja)
	}
	if res.Status == jpayment.StatusFailed {
		add("gid", res.PaymentID, "0 in a refusal: no payment", "拒否のときは0（決済を示さない）")
	} else {
		add("gid", res.PaymentID, "payment number; after a ReAuth, that of the new payment", "決済番号。再オーソリの後は新しい決済の番号")
	}
	add("rst", strconv.Itoa(int(res.Status)), statusMeaning(console.English, res.Status), statusMeaning(console.Japanese, res.Status))
	switch {
	case res.TestMode():
		add("ap", res.ApprovalCode.Reveal(), "the store is in test mode: no money moved", "店舗がテストモード。実際の請求は発生していない")
	default:
		add("ap", private(res.ApprovalCode), "the card company's approval code", "カード会社の承認番号")
	}
	if res.Code == "" {
		add("ec", "", "no error", "エラーなし")
	} else {
		message := res.Code.Message()
		add("ec", string(res.Code), message.En, message.Ja)
	}
	add("god", res.OrderCode, "the gateway's code for the order", "決済ゲートウェイが決済ごとに発行するコード")
	add("cod", res.OrderNumber, "the store's own order number", "加盟店が付けたオーダー番号")
	yen("am", res.Amount, "price in yen", "決済金額（円）")
	yen("tx", res.Tax, "tax in yen", "税額（円）")
	yen("sf", res.Shipping, "shipping in yen", "送料（円）")
	yen("ta", res.Total, "total in yen, the sum of the three", "合計金額（円）。上の3つの和")
	add("id", private(res.IssuedID), "for content sales only", "コンテンツ販売のみ")
	add("ps", private(res.IssuedPassword), "for content sales only", "コンテンツ販売のみ")
	if res.SubscriptionID != "" {
		add("acid", res.SubscriptionID, "number of a recurring charge; 0 for none", "自動課金の番号。0はなし")
	}
	what := console.Textf("the store's own data (number of keys: %d)", "加盟店が指定したその他データ（キーの数: %d）", len(res.Extra.Reveal()))
	if slices.Contains(res.Unreadable, "other data") {
		what = console.Textf("%s; could not be parsed, shown as received", "%s（読み取れないため、届いたまま）", what)
	}
	cs = append(cs, column{"", otherData.Ja, private(res.Other), lang.Of(what)})
	return cs
}

func statusMeaning(lang console.Lang, s jpayment.Status) string {
	switch s {
	case jpayment.StatusSucceeded:
		return lang.In("succeeded", "決済成功")
	case jpayment.StatusFailed:
		return lang.In("failed", "決済失敗")
	default:
		return lang.In("not in the specification; recurring charges use 3 to 5. Not a success", "仕様書にない値（自動課金では3～5が使われる）。成功ではない")
	}
}

// columnRows returns columns as the rows of a table.
func columnRows(cs []column) [][]string {
	rows := make([][]string, len(cs))
	for i, c := range cs {
		rows[i] = []string{c.Name, c.Term, c.Value, c.Meaning}
	}
	return rows
}

package simulator

import (
	"fmt"
	"math"
	"net/netip"
	"net/url"
	"strings"
	"time"

	"github.com/jpayment-go/jpayment/jpaymenttest"
)

// What panel and API are told is checked here, against the rules of jpaymenttest, which
// panics on what cannot be meant.

// fieldError says which field cannot be meant, by its name in the API, and why.
type fieldError struct {
	field  string
	reason reason
}

// reason is a sentence in both languages.
type reason struct{ en, ja string }

func (e *fieldError) Error() string { return e.field + ": " + e.reason.en }

func wrong(field, en, ja string) error { return &fieldError{field, reason{en, ja}} }

// authorization is a payment to be opened. Amounts are yen.
type authorization struct {
	Amount            int64     `json:"amount"`
	Tax               int64     `json:"tax"`
	Shipping          int64     `json:"shipping"`
	OrderNumber       string    `json:"order_number"`
	RegisteredProduct bool      `json:"registered_product"`
	At                time.Time `json:"at"`
	Decline           string    `json:"decline"`
}

func (a authorization) read() (jpaymenttest.Authorization, error) {
	if err := checkAmounts(a.Amount, a.Tax, a.Shipping); err != nil {
		return jpaymenttest.Authorization{}, err
	}
	if len(a.OrderNumber) > 50 {
		return jpaymenttest.Authorization{}, wrong("order_number", "is longer than 50 bytes", "50 バイトを超えています")
	}
	if a.Decline != "" && (a.Decline[0] != 'G' || !isCode(a.Decline)) {
		return jpaymenttest.Authorization{}, wrong("decline", "is not a G code such as G1242G120000", "G で始まるエラーコード（例 G1242G120000）ではありません")
	}
	return jpaymenttest.Authorization(a), nil
}

func checkAmounts(amount, tax, shipping int64) error {
	sum := int64(0)
	for _, part := range []struct {
		field string
		yen   int64
	}{{"amount", amount}, {"tax", tax}, {"shipping", shipping}} {
		if part.yen < 0 {
			return wrong(part.field, "is negative", "負の金額です")
		}
		if part.yen > math.MaxInt64-sum {
			return wrong(part.field, "makes the total too large", "合計が大きすぎます")
		}
		sum += part.yen
	}
	if sum == 0 {
		return wrong("amount", "and tax and shipping add up to 0", "金額・税額・送料の合計が 0 円です")
	}
	return nil
}

// isCode tells whether s has the form of the gateway's codes, 半角英数 of at most 12.
func isCode(s string) bool {
	return s != "" && len(s) <= 12 && strings.Trim(s, "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ") == ""
}

// fault is a fault to be set.
type fault struct {
	Kind        string  `json:"kind"`
	Operation   string  `json:"operation"`
	PaymentID   string  `json:"payment_id"`
	Nth         int     `json:"nth"`
	Probability float64 `json:"probability"`
	Code        string  `json:"code"`
	Status      int     `json:"status"`
	Location    string  `json:"location"`
	Body        string  `json:"body"`
	DelayMS     int64   `json:"delay_ms"`
}

func (f fault) read() (jpaymenttest.Fault, error) {
	kind := jpaymenttest.FaultKind(f.Kind)
	if _, known := faultTexts[kind]; !known {
		return jpaymenttest.Fault{}, wrong("kind", fmt.Sprintf("%q is not one of %s", f.Kind, strings.Join(faultNames(), ", ")), "障害の種類が不明です")
	}
	switch f.Operation {
	case "", jpaymenttest.OpSales, jpaymenttest.OpCancel, jpaymenttest.OpReAuth:
	default:
		return jpaymenttest.Fault{}, wrong("operation", "is not SALES, CANCEL, REAUTH or empty", "SALES・CANCEL・REAUTH・空欄のいずれでもありません")
	}
	if f.Nth < 0 {
		return jpaymenttest.Fault{}, wrong("nth", "counts from 1", "1 から数えます")
	}
	if !(f.Probability >= 0 && f.Probability <= 1) {
		return jpaymenttest.Fault{}, wrong("probability", "is not between 0 and 1", "0 から 1 までの数ではありません")
	}
	if f.Nth > 0 && f.Probability > 0 {
		return jpaymenttest.Fault{}, wrong("probability", "and nth exclude each other", "回数と確率は同時に指定できません")
	}
	if err := f.checkAnswer(kind); err != nil {
		return jpaymenttest.Fault{}, err
	}
	read := jpaymenttest.Fault{
		Kind: kind, Operation: f.Operation, PaymentID: f.PaymentID, Nth: f.Nth, Probability: f.Probability,
		Code: f.Code, Status: f.Status, Location: f.Location, Delay: time.Duration(f.DelayMS) * time.Millisecond,
	}
	if f.Body != "" {
		read.Body = []byte(f.Body)
	}
	return read, nil
}

// checkAnswer looks at the fields that only some kinds have.
func (f fault) checkAnswer(kind jpaymenttest.FaultKind) error {
	var code, body, location, delay bool
	least, most := 0, 0
	switch kind { //nolint:exhaustive // The other kinds have none of these fields.
	case jpaymenttest.AnswerCode, jpaymenttest.AnswerCodeAfterBooking:
		code = true
	case jpaymenttest.Garbage:
		body = true
	case jpaymenttest.DelayReply:
		delay = true
	case jpaymenttest.AnswerStatus, jpaymenttest.AnswerStatusAfterBooking:
		least, most = 200, 599
	case jpaymenttest.Redirect:
		location = true
		least, most = 300, 399
	}
	unfit := func(field string) error {
		return wrong(field, fmt.Sprintf("is not for %s", kind), "この種類の障害では指定できません")
	}
	switch {
	case !code && f.Code != "":
		return unfit("code")
	case code && !isCode(f.Code):
		return wrong("code", "is not a code such as ER010", "エラーコード（例 ER010）ではありません")
	case !body && f.Body != "":
		return unfit("body")
	case !location && f.Location != "":
		return unfit("location")
	case !delay && f.DelayMS != 0:
		return unfit("delay_ms")
	case delay && (f.DelayMS <= 0 || f.DelayMS > maxDelayMS):
		return wrong("delay_ms", fmt.Sprintf("is not between 1 and %d", maxDelayMS), "1 から 3600000 までの数ではありません")
	case f.Status != 0 && most == 0:
		return unfit("status")
	case f.Status != 0 && (f.Status < least || f.Status > most):
		return wrong("status", fmt.Sprintf("is not between %d and %d", least, most), "この種類の障害のステータスではありません")
	default:
		return nil
	}
}

// maxDelayMS is an hour: longer ones are the hanging faults' business.
const maxDelayMS = 60 * 60 * 1000

// readIPs reads addresses and address ranges.
func readIPs(texts []string) ([]netip.Prefix, error) {
	prefixes := make([]netip.Prefix, 0, len(texts))
	for _, text := range texts {
		prefix, err := netip.ParsePrefix(text)
		if addr, addrErr := netip.ParseAddr(text); addrErr == nil && addr.Zone() == "" {
			prefix, err = netip.PrefixFrom(addr, addr.BitLen()), nil
		}
		if err != nil {
			return nil, wrong("registered_ips", fmt.Sprintf("%q is not an address such as 203.0.113.5 or 10.0.0.0/8", text),
				fmt.Sprintf("%q は IP アドレス（例 203.0.113.5、10.0.0.0/8）ではありません", text))
		}
		prefixes = append(prefixes, prefix)
	}
	return prefixes, nil
}

// checkKickbackURL admits what [jpaymenttest.Gateway.SetKickbackURL] does.
func checkKickbackURL(text string) error {
	if text == "" {
		return nil
	}
	u, err := url.Parse(text)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.User != nil || !isLoopbackHost(u.Hostname()) {
		return wrong("kickback_url", "is not a URL of http or https on this machine's loopback",
			"このマシン（127.0.0.1・localhost）の http または https の URL ではありません")
	}
	return nil
}

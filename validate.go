package jpayment

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"unicode"

	"github.com/jpayment-go/jpayment/internal/wire"
)

// The limits of the request parameters, in bytes, or in digits if the value is a number
// (docs/protocol.md, "Requests").
const (
	storeIDDigits = 6
	maxPaymentID  = 20 // docs/protocol.md, assumption 66
	maxEmail      = 254
	maxPhone      = 15
	maxExtra      = 1024
)

// faults collects the faults of a request or of options.
type faults []InvalidField

func (fs *faults) add(field, param string, reason Text) {
	if reason != (Text{}) {
		*fs = append(*fs, InvalidField{Field: field, Param: param, Reason: reason})
	}
}

// err returns the faults as an error, or nil if there is none.
func (fs faults) err(op Operation, paymentID string) error {
	if len(fs) == 0 {
		return nil
	}
	if digitsReason(paymentID) != (Text{}) || len(paymentID) > maxPaymentID {
		paymentID = "" // It may contain anything, such as the customer's name or card number.
	}
	return &ValidationError{Call: Call{Operation: op, PaymentID: paymentID}, Fields: fs}
}

func (fs *faults) checkStoreID(s string) {
	reason := digitsReason(s)
	if reason == (Text{}) && len(s) != storeIDDigits {
		reason = textf("has %d digits; a store ID (店舗ID) has %d", "が%d桁です（店舗IDは%d桁）", len(s), storeIDDigits)
	}
	fs.add("StoreID", "aid", reason)
}

func (fs *faults) checkPaymentID(s string) {
	reason := digitsReason(s)
	if reason == (Text{}) && len(s) > maxPaymentID {
		reason = textf("has %d digits; at most %d are allowed", "が%d桁です（最大%d桁）", len(s), maxPaymentID)
	}
	fs.add("PaymentID", "tid", reason)
}

func (fs *faults) checkAmounts(am, tx, sf int64) {
	ok := true
	for _, y := range []struct {
		field, param string
		n            int64
	}{{"Amount", "am", am}, {"Tax", "tx", tx}, {"Shipping", "sf", sf}} {
		if y.n < 0 {
			fs.add(y.field, y.param, Text{"is negative", "が負の値です"})
			ok = false
		}
	}
	if !ok {
		return
	}
	switch {
	case am > math.MaxInt64-tx || am+tx > math.MaxInt64-sf:
		fs.add("Amount", "am", Text{
			"plus tax plus shipping is too large",
			"・税額・送料の合計が大きすぎます",
		})
	case am+tx+sf == 0:
		fs.add("Amount", "am", Text{
			"plus tax plus shipping is 0 yen; cancel the payment instead",
			"・税額・送料の合計が0円です。決済を取り消す場合は、再オーソリではなく取消を指定してください",
		})
	}
}

// checkEmail is deliberately lenient: Japanese carriers issued addresses with dots where
// RFC 5322 forbids them.
func (fs *faults) checkEmail(email Secret) {
	s := email.Reveal()
	if s == "" {
		return
	}
	local, domain, _ := strings.Cut(s, "@")
	switch {
	case len(s) > maxEmail:
		fs.add("Email", "em", tooLong(len(s), maxEmail))
	case strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r > '~' }):
		fs.add("Email", "em", Text{
			"has characters other than half-width (半角) letters, digits and signs",
			"に半角の英数字・記号以外の文字があります",
		})
	case local == "" || domain == "" || strings.Contains(domain, "@"):
		fs.add("Email", "em", Text{"is not an e-mail address", "がメールアドレスの形式ではありません"})
	}
}

func tooLong(n, most int) Text {
	return textf("is %d bytes long; at most %d are allowed", "が%dバイトです（最大%dバイト）", n, most)
}

func (fs *faults) checkPhone(phone Secret) {
	s := phone.Reveal()
	if s == "" {
		return
	}
	reason := digitsReason(s)
	switch {
	case strings.Contains(s, "-") && wire.IsDigits(strings.ReplaceAll(s, "-", "")):
		reason = Text{"has hyphens; use digits only", "にハイフンがあります。半角数字だけにしてください"}
	case reason == (Text{}) && len(s) > maxPhone:
		reason = textf("has %d digits; at most %d are allowed", "が%d桁です（最大%d桁）", len(s), maxPhone)
	}
	fs.add("Phone", "pn", reason)
}

// checkExtra reports keys, which are the program's, and never values, which are the
// customer's. limit is in bytes.
func (fs *faults) checkExtra(e Extra, charset Charset, limit int) {
	if len(e.all()) == 0 {
		return
	}
	size := -1 // There is one ampersand less than there are pairs.
	readable := true
	for _, key := range slices.Sorted(maps.Keys(e.all())) {
		add := func(reason Text) {
			*fs = append(*fs, InvalidField{Field: "Extra", Key: fmt.Sprintf("%.40q", key), Reason: reason})
		}
		switch {
		case key == "":
			add(Text{"has an empty key", "のキーが空です"})
		case slices.Contains(reserved, strings.ToLower(key)):
			add(Text{
				"is a parameter name of the protocol; choose another key",
				"は決済ゲートウェイのパラメータ名です。別のキーにしてください",
			})
		case strings.ContainsFunc(key, unicode.IsControl):
			add(Text{"has a control character in its key", "のキーに制御文字があります"})
		}
		for _, part := range []struct {
			name Text
			text string
		}{{Text{"key", "のキー"}, key}, {Text{"value", "の値"}, e.Get(key)}} {
			enc, bad := wire.Charset(charset).Encode(part.text)
			if bad != nil {
				add(Text{part.name.En + " " + bad.En, part.name.Ja + bad.Ja})
				readable = false
			}
			size += len(enc)
		}
		size += len("=&")
	}
	if readable && size > limit {
		fs.add("Extra", "", textf(
			"is %d bytes long as key=value in %s; at most %d are allowed",
			"が%dバイトです（%sの key=value で最大%dバイト）", size, charset, limit))
	}
}

// digitsReason returns why s is not a number of half-width digits, or the zero Text.
func digitsReason(s string) Text {
	switch {
	case s == "":
		return Text{"is empty", "が空欄です"}
	case wire.IsDigits(s):
		return Text{}
	case strings.ContainsFunc(s, func(r rune) bool { return r >= '０' && r <= '９' }):
		return Text{"has full-width digits (全角); use half-width (半角) 0-9", "に全角数字があります。半角数字にしてください"}
	case strings.ContainsFunc(s, unicode.IsSpace):
		return Text{"has white space; use digits only", "に空白があります。半角数字だけにしてください"}
	default:
		return Text{"has characters other than the digits 0-9", "に半角数字以外の文字があります"}
	}
}

// checkOperation reports a request that does not belong to the operation.
func (fs *faults) checkOperation(op, its Operation) {
	if op != its {
		fs.add("Operation", "", textf("does not match the request, which is for %s", "がリクエスト（%s）と一致しません", its))
	}
}

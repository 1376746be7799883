package jpayment

import (
	"fmt"
	"log/slog"
	"maps"
	"math"
	"net/url"
	"slices"
	"strings"
	"unicode"

	"github.com/jpayment-go/jpayment/internal/token"
	"github.com/jpayment-go/jpayment/internal/wire"
)

// The limits of the request parameters (specification, the tables of both
// requests). All are bytes but maxPhone, which is digits.
const (
	storeIDDigits = 6
	maxEmail      = 254
	maxPhone      = 15
	maxExtra      = 1024
)

// reserved are the parameter names that the protocol owns, in lower case. Other
// data under one of them would change the request, or come back in a kickback
// looking like a part of the result.
var reserved = []string{
	"aid", "jb", "rt", "tid", "am", "tx", "sf", "em", "pn", // request
	"ut", "hak", // connection authentication
	"gid", "rst", "ap", "ec", "god", "cod", "ta", "id", "ps", "acid", // result
	token.Param, // this package's own
}

// Charset is the character set in which text is sent.
type Charset int

// The character sets that the gateway is known to read. ShiftJIS is Windows-31J,
// the superset of Shift_JIS that Japanese systems mean by that name.
const (
	UTF8 Charset = iota
	ShiftJIS
)

// String returns the name that HTTP gives the character set.
func (c Charset) String() string { return wire.Charset(c).String() }

// Extra is free-form data of the merchant's (その他データ): up to 1,024 bytes,
// counted as key=value&key=value in the character set of the wire before it is
// escaped. The gateway keeps it with the payment and returns it with the result.
// A key must not be empty, hold control characters or be a parameter of the
// protocol in any case of letters; a value may be any text, line breaks included.
//
// Extra prints and logs as the number of its keys. It does not marshal to JSON,
// which is how many loggers print; convert it to map[string]string for that.
type Extra map[string]string

// LogValue returns the number of keys.
func (e Extra) LogValue() slog.Value { return slog.IntValue(len(e)) }

// Format writes the number of keys, for every verb.
func (e Extra) Format(f fmt.State, _ rune) { fmt.Fprintf(f, "%d keys", len(e)) }

// MarshalJSON returns an error.
func (e Extra) MarshalJSON() ([]byte, error) { return nil, errNotMarshalled }

// errNotMarshalled is for input that holds private data. To leave the data out in
// silence would lose it for those who store the JSON.
var errNotMarshalled = plainError("jpayment: holds private data and is not marshalled whole; marshal what you need of it")

// parseExtra reads key=value&key=value as a result returns it. Values may be
// percent-encoded or not (field notes, H), so what does not decode stays as it is.
// A + is a plus, since spaces are sent as %20.
func parseExtra(s string) Extra {
	extra := Extra{}
	for pair := range strings.SplitSeq(s, "&") {
		key, value, _ := strings.Cut(pair, "=")
		if key != "" || value != "" {
			extra[unescape(key)] = unescape(value)
		}
	}
	return extra
}

func unescape(s string) string {
	raw, err := url.PathUnescape(s)
	if err != nil || raw == s {
		return s
	}
	text, ok := wire.Detect(raw).Decode(raw)
	if !ok {
		return s
	}
	return text
}

// faults collects what is wrong with a request.
type faults []Fault

func (fs *faults) add(field, param, reason string) {
	if reason != "" {
		*fs = append(*fs, Fault{Field: field, Param: param, Reason: reason})
	}
}

// err returns the faults as an error, or nil if there is none.
func (fs faults) err(op Operation, paymentID string) error {
	if len(fs) == 0 {
		return nil
	}
	if digitsReason(paymentID) != "" {
		paymentID = "" // It may be anything, such as the customer's name.
	}
	return &ValidationError{Call: Call{Operation: op, PaymentID: paymentID}, Faults: fs}
}

func (fs *faults) checkStoreID(s string) {
	reason := digitsReason(s)
	if reason == "" && len(s) != storeIDDigits {
		reason = fmt.Sprintf("has %d digits; a store ID (店舗ID) has %d", len(s), storeIDDigits)
	}
	fs.add("StoreID", "aid", reason)
}

func (fs *faults) checkPaymentID(s string) { fs.add("PaymentID", "tid", digitsReason(s)) }

func (fs *faults) checkAmounts(am, tx, sf int64) {
	ok := true
	for _, y := range []struct {
		field, param string
		n            int64
	}{{"Amount", "am", am}, {"Tax", "tx", tx}, {"Shipping", "sf", sf}} {
		if y.n < 0 {
			fs.add(y.field, y.param, "is negative")
			ok = false
		}
	}
	if !ok {
		return
	}
	switch {
	case am > math.MaxInt64-tx || am+tx > math.MaxInt64-sf:
		fs.add("Amount", "am", "plus Tax (tx) plus Shipping (sf) is too large to be a number of yen")
	case am+tx+sf == 0:
		fs.add("Amount", "am", "plus Tax (tx) plus Shipping (sf) is 0 yen; use Cancel to take a payment back")
	}
}

// checkEmail is lenient on purpose: Japanese carriers gave out addresses with dots
// where RFC 5322 forbids them, so only what makes an address at all is asked for.
func (fs *faults) checkEmail(s string) {
	if s == "" {
		return
	}
	local, domain, _ := strings.Cut(s, "@")
	switch {
	case len(s) > maxEmail:
		fs.add("Email", "em", fmt.Sprintf("is %d bytes long; at most %d are allowed", len(s), maxEmail))
	case strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r > '~' }):
		fs.add("Email", "em", "has characters other than half-width (半角) letters, digits and signs")
	case local == "" || domain == "" || strings.Contains(domain, "@"):
		fs.add("Email", "em", "is not an e-mail address")
	}
}

func (fs *faults) checkPhone(s string) {
	if s == "" {
		return
	}
	reason := digitsReason(s)
	switch {
	case strings.Contains(s, "-") && wire.IsDigits(strings.ReplaceAll(s, "-", "")):
		reason = "has hyphens; drop them: digits only"
	case reason == "" && len(s) > maxPhone:
		reason = fmt.Sprintf("has %d digits; at most %d are allowed", len(s), maxPhone)
	}
	fs.add("Phone", "pn", reason)
}

// checkExtra names keys, which are the program's, and never values, which are the
// customer's. limit is the room for it in bytes.
func (fs *faults) checkExtra(e Extra, charset Charset, limit int) {
	if len(e) == 0 {
		return
	}
	size := -1 // one ampersand less than there are pairs
	readable := true
	for _, key := range slices.Sorted(maps.Keys(e)) {
		field := fmt.Sprintf("Extra[%.40q]", key)
		switch {
		case key == "":
			fs.add(field, "", "has an empty key")
		case slices.Contains(reserved, strings.ToLower(key)):
			fs.add(field, "", "is the name of a parameter of the protocol; choose another")
		case strings.ContainsFunc(key, unicode.IsControl):
			fs.add(field, "", "has a control character in its key")
		}
		for _, part := range []struct{ name, text string }{{"key: ", key}, {"value: ", e[key]}} {
			enc, err := wire.Charset(charset).Encode(part.text)
			if err != nil {
				fs.add(field, "", part.name+err.Error())
				readable = false
			}
			size += len(enc)
		}
		size += len("=&")
	}
	if readable && size > limit {
		fs.add("Extra", "", fmt.Sprintf("is %d bytes long as key=value in %s; at most %d are allowed", size, charset, limit))
	}
}

// digitsReason says why s is not a number of half-width digits, or nothing.
func digitsReason(s string) string {
	switch {
	case s == "":
		return "is empty"
	case wire.IsDigits(s):
		return ""
	case strings.ContainsFunc(s, func(r rune) bool { return r >= '０' && r <= '９' }):
		return "has full-width digits (全角); use half-width (半角) 0-9"
	case strings.ContainsFunc(s, unicode.IsSpace):
		return "has white space; digits only"
	default:
		return "has other characters than the digits 0-9"
	}
}

// printPublic writes what a value logs, in place of all that it holds.
func printPublic(f fmt.State, name string, v slog.Value) {
	attrs := make([]string, 0, len(v.Group()))
	for _, a := range v.Group() {
		attrs = append(attrs, fmt.Sprintf("%s:%v", a.Key, a.Value))
	}
	fmt.Fprintf(f, "%s{%s}", name, strings.Join(attrs, " "))
}

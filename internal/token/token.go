// Package token makes and checks the parameter that authenticates a kickback. The gateway
// does not sign kickbacks, but returns the other data of a request in its kickback
// (docs/protocol.md, assumption 24), so a request can carry a signature for its kickback.
package token

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Param is the name of the parameter.
const Param = "jpk"

// MinKey is the minimum length of a key, in bytes: that of the hash.
const MinKey = sha256.Size

// MaxLen returns the maximum length, in bytes, of a token for a payment number of n digits.
func MaxLen(n int) int { return len("1.") + 6 + 1 + n + 1 + 11 + 3*(1+19) + 1 + 2*sha256.Size }

// Claims are the contents of a token: which store requested which re-authorisation, and when.
type Claims struct {
	StoreID               string // aid
	PaymentID             string // tid, of the payment to replace
	Amount, Tax, Shipping int64  // yen
	At                    time.Time
}

// Sign returns the token for the claims. It consists of digits, dots and lower-case hex, so
// that no encoding changes it.
func Sign(key []byte, c Claims) string {
	text := fmt.Sprintf("1.%s.%s.%d.%d.%d.%d", c.StoreID, c.PaymentID, c.At.Unix(), c.Amount, c.Tax, c.Shipping)
	return text + "." + hex.EncodeToString(mac(key, text))
}

// Open returns the claims of a token that was signed with one of the keys. It ignores keys
// shorter than MinKey: anyone could sign with an unset key.
func Open(token string, keys ...[]byte) (c Claims, ok bool) {
	dot := strings.LastIndexByte(token, '.')
	if dot < 0 {
		return Claims{}, false
	}
	text := token[:dot]
	sum, err := hex.DecodeString(token[dot+1:])
	if err != nil {
		return Claims{}, false
	}
	signed := false
	for _, key := range keys {
		signed = len(key) >= MinKey && hmac.Equal(sum, mac(key, text)) || signed
	}
	if !signed {
		return Claims{}, false
	}
	// From here on the text is known to come from Sign.
	part := strings.Split(text, ".")
	if len(part) != 7 || part[0] != "1" {
		return Claims{}, false
	}
	var n [4]int64
	for i := range n {
		if n[i], err = strconv.ParseInt(part[3+i], 10, 64); err != nil {
			return Claims{}, false
		}
	}
	return Claims{StoreID: part[1], PaymentID: part[2], At: time.Unix(n[0], 0), Amount: n[1], Tax: n[2], Shipping: n[3]}, true
}

// mac includes its purpose in the hash, so that a signature made with the same key for another
// purpose is not valid for a kickback.
func mac(key []byte, text string) []byte {
	h := hmac.New(sha256.New, key)
	h.Write([]byte("jpayment kickback\n" + text))
	return h.Sum(nil)
}

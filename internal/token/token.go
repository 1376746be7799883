// Package token makes and checks the parameter that authenticates a kickback. The
// gateway does not sign what it sends; it returns what it was sent, so a request can
// carry a proof for its own kickback.
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

// MinKey is the least length of a key in bytes: that of the hash.
const MinKey = sha256.Size

// MaxLen is the greatest length in bytes of a token for a payment number of n
// digits.
func MaxLen(n int) int { return len("1.") + 6 + 1 + n + 1 + 11 + 3*(1+19) + 1 + 2*sha256.Size }

// Claims are what a token says: who asked for which re-authorisation, and when.
type Claims struct {
	StoreID               string // aid
	PaymentID             string // tid, of the payment to replace
	Amount, Tax, Shipping int64  // yen
	At                    time.Time
}

// Sign returns the token for the claims. It is digits, dots and lower-case hex only,
// so that nothing on its way has a reason to change it.
func Sign(key []byte, c Claims) string {
	text := fmt.Sprintf("1.%s.%s.%d.%d.%d.%d", c.StoreID, c.PaymentID, c.At.Unix(), c.Amount, c.Tax, c.Shipping)
	return text + "." + hex.EncodeToString(mac(key, text))
}

// Open returns the claims of a token that one of the keys has signed. A key that is
// shorter than MinKey signs nothing: an unset one would open what anybody can sign.
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
	// From here on the text is one that Sign wrote.
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

// mac names what it is for, so that a key that is used for other things too cannot
// be made to sign a kickback.
func mac(key []byte, text string) []byte {
	h := hmac.New(sha256.New, key)
	h.Write([]byte("jpayment kickback\n" + text))
	return h.Sum(nil)
}

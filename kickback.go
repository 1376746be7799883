package jpayment

import (
	"fmt"
	"log/slog"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/jpayment-go/jpayment/internal/token"
	"github.com/jpayment-go/jpayment/internal/wire"
)

// Kickback is a notice of the gateway's (決済結果通知): the result of a request whose
// answer was to come by a call of the merchant's 決済結果通知URL (specification,
// "キックバック(rt=0)仕様").
//
// Anybody who knows the URL can send one. See [Kickback.Verify].
type Kickback struct {
	// Result is what the notice says. Its Status may have other values than success
	// and failure, since one URL serves the recurring charges of a store as well.
	// Its Extra are the merchant's own parameters.
	Result

	// Request is what the notice answers. It is nil until Verify has proved it.
	Request *KickbackRequest

	token Secret
}

// KickbackRequest is the re-authorisation that a notice answers, as it was signed
// when [Client.ReAuthByKickback] sent it.
type KickbackRequest struct {
	StoreID               string    // 店舗ID (aid)
	PaymentID             string    // the payment that was to be replaced (対象決済番号, tid)
	Amount, Tax, Shipping int64     // yen
	At                    time.Time // when it was sent, in whole seconds
}

// KickbackError says why a notice is not taken for one. It holds no value of the
// notice.
type KickbackError struct {
	Param  string // the parameter at fault by the gateway's name, such as "am"; or empty
	Reason string
}

// Error returns the fault on one line.
func (e *KickbackError) Error() string {
	if e.Param == "" {
		return "jpayment: kickback: " + e.Reason
	}
	return "jpayment: kickback: " + e.Param + " " + e.Reason
}

// maxKickback bounds a notice in bytes, escaped. Other data of 1,024 bytes take three
// times that at the most.
const maxKickback = 16 << 10

// ParseKickbackQuery reads a notice from a raw query, as r.URL.RawQuery has it, whose
// escapes may hold UTF-8 or Shift_JIS. It is stricter than url.ParseQuery, which
// drops what it cannot read.
func ParseKickbackQuery(rawQuery string) (*Kickback, error) {
	if len(rawQuery) > maxKickback {
		return nil, &KickbackError{Reason: "is longer than 16 KiB"}
	}
	values := url.Values{}
	for pair := range strings.SplitSeq(rawQuery, "&") {
		if pair == "" {
			continue
		}
		rawKey, rawValue, _ := strings.Cut(pair, "=")
		key, err := url.QueryUnescape(rawKey)
		if err != nil {
			return nil, &KickbackError{Reason: "has a key with a broken escape"}
		}
		value, err := url.QueryUnescape(rawValue)
		if err != nil {
			return nil, &KickbackError{Reason: "has a value with a broken escape"}
		}
		values.Add(key, value)
	}
	return ParseKickback(values)
}

// ParseKickback reads a notice from its parameters. It does not look at who sent it.
//
// Text in Shift_JIS is understood: it is what is not valid UTF-8 (field notes,
// "Charset"). A parameter that is missing is blank, but gid and rst must be there. A
// parameter that is repeated must say the same each time. What does not add up, or
// contradicts a success, is a [*KickbackError]. A status that the specification does
// not define is kept.
func ParseKickback(values url.Values) (*Kickback, error) {
	decoded, err := decodeKickback(values)
	if err != nil {
		return nil, err
	}
	take := func(param string) string {
		v := decoded.Get(param)
		decoded.Del(param)
		return v
	}
	k := &Kickback{token: NewSecret(take(token.Param))}
	row := wire.Row{
		GID: take("gid"), RST: take("rst"), AP: take("ap"), EC: take("ec"), GOD: take("god"), COD: take("cod"),
		ID: take("id"), PS: take("ps"), ACID: take("acid"),
	}
	for i, param := range []string{"am", "tx", "sf", "ta"} {
		if row.Amounts[i], err = wire.ParseYen(take(param)); err != nil {
			return nil, &KickbackError{param, err.Error()}
		}
	}
	if row.Amounts.Complete() {
		if err := row.Amounts.Check(); err != nil {
			return nil, &KickbackError{"ta", err.Error()}
		}
	}
	if row.Other, err = wire.EncodeForm(decoded, wire.UTF8); err != nil {
		return nil, &KickbackError{Reason: "has other data that is neither UTF-8 nor Shift_JIS"}
	}
	res, fault := newResult(row)
	if fault != nil {
		return nil, &KickbackError{fault.Column, fault.Reason}
	}
	k.Result = *res
	return k, nil
}

// decodeKickback returns the parameters as UTF-8 with one value each.
func decodeKickback(values url.Values) (url.Values, error) {
	var all strings.Builder
	for key, vs := range values {
		for _, v := range vs {
			all.WriteString(key + "=" + v + "&") // What stands between keeps bytes from joining.
		}
	}
	charset := wire.Detect(all.String())
	if all.Len() > maxKickback+len("&") {
		return nil, &KickbackError{Reason: "is longer than 16 KiB"}
	}
	decoded := make(url.Values, len(values))
	for key, vs := range values {
		name, ok := charset.Decode(key)
		if !ok {
			return nil, &KickbackError{Reason: "has a key that is neither UTF-8 nor Shift_JIS"}
		}
		for _, v := range vs {
			text, ok := charset.Decode(v)
			if !ok {
				return nil, &KickbackError{kickbackParam(name), "is neither UTF-8 nor Shift_JIS"}
			}
			if old, repeated := decoded[name]; repeated && old[0] != text {
				return nil, &KickbackError{kickbackParam(name), "is there twice, with different values"}
			}
			decoded[name] = []string{text}
		}
	}
	return decoded, nil
}

// kickbackParam returns the name of a parameter for an error: the protocol's own as
// it is, any other, which may be anything, as other data.
func kickbackParam(name string) string {
	if slices.Contains(reserved, name) {
		return name
	}
	return "other data"
}

// Verify proves that the notice answers a request that the holder of one of the keys
// has signed ([WithKickbackKey]) no longer than maxAge ago, and that the amounts of
// the notice are the ones asked for, unless it tells of a failure. It then sets
// Request. The clocks of the two machines may differ by five minutes.
//
// It proves that the notice carries a parameter which only the gateway and the
// merchant have seen, and which was made for the store, payment and amounts that
// Request names. It does not prove what nobody has signed: the status (rst) and the
// new payment's number (gid) are the word of whoever sent the notice. Nor does it tell
// a notice from its repetition. Keep the parameter as secret as the key: leave it out
// of logs of URLs, and let the URL be https.
func (k *Kickback) Verify(now time.Time, maxAge time.Duration, keys ...[]byte) error {
	if k.token.Reveal() == "" {
		return &KickbackError{token.Param, "is not there: the notice is not signed"}
	}
	c, ok := token.Open(k.token.Reveal(), keys...)
	if !ok {
		return &KickbackError{token.Param, "was not signed by any of the keys"}
	}
	switch age := now.Sub(c.At); {
	case age > maxAge+maxSkew:
		return &KickbackError{token.Param, "is too old"}
	case age < -maxSkew:
		return &KickbackError{token.Param, "is from the future: check the clocks"}
	}
	// What amounts the notice of a decline names is not documented, and nothing hangs
	// on them.
	if param := k.otherAmount(c.Amount, c.Tax, c.Shipping); param != "" && k.Status != StatusFailed {
		return &KickbackError{param, "is not the amount asked for"}
	}
	r := KickbackRequest(c)
	k.Request = &r
	return nil
}

// maxSkew is how far the clocks of two of the merchant's machines may differ.
const maxSkew = 5 * time.Minute

// LogValue returns the notice without its secrets.
func (k *Kickback) LogValue() slog.Value {
	attrs := k.Result.LogValue().Group()
	if k.Request != nil {
		attrs = append(attrs, slog.String("original_payment_id", k.Request.PaymentID))
	}
	return slog.GroupValue(attrs...)
}

// Format writes what LogValue returns, for every verb.
func (k *Kickback) Format(f fmt.State, _ rune) { printPublic(f, "Kickback", k.LogValue()) }

// checkKickbackKey says what is wrong with a key, or nothing.
func checkKickbackKey(key []byte) (reason string) {
	if len(key) < token.MinKey {
		return fmt.Sprintf("has a key of %d bytes; at least %d are needed", len(key), token.MinKey)
	}
	return ""
}

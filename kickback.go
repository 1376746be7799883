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

// Kickback is a verified kickback (決済結果通知): the result of a [Client.ReAuthByKickback],
// which the gateway sends to the merchant's 決済結果通知URL (specification,
// "キックバック(rt=0)仕様"). See [KickbackVerifier] for what is verified and what is not.
type Kickback struct {
	// Result is the result in the kickback. Its Extra has the merchant's own parameters.
	Result
	// Request is the request that the kickback answers.
	Request KickbackRequest
}

// KickbackRequest is the re-authorisation that a kickback answers, as it was signed
// when [Client.ReAuthByKickback] sent it.
type KickbackRequest struct {
	StoreID               string    // 店舗ID (aid)
	PaymentID             string    // the payment to be replaced (対象決済番号, tid)
	Amount, Tax, Shipping int64     // yen
	At                    time.Time // when it was sent, in whole seconds
}

// LogValue returns the kickback without its secrets.
func (k *Kickback) LogValue() slog.Value {
	return slog.GroupValue(append(k.Result.LogValue().Group(), slog.String("original_payment_id", k.Request.PaymentID))...)
}

// Format writes what LogValue returns, for every verb.
func (k *Kickback) Format(f fmt.State, _ rune) { printPublic(f, "Kickback", k.LogValue()) }

// UnverifiedKickback is a kickback of unknown origin. The gateway does not sign kickbacks,
// and anyone who knows the URL can send one. Treat it as a hint to look in the control
// panel.
type UnverifiedKickback struct {
	// Result is the result in the kickback. Its Status may have values other than success
	// and failure, since the URL also receives the kickbacks of recurring charges. Its Extra
	// has the merchant's own parameters.
	Result

	token Secret
}

// Signed reports whether the kickback has a signature, valid or not.
func (k *UnverifiedKickback) Signed() bool { return !k.token.IsZero() }

// LogValue returns the kickback without its secrets.
func (k *UnverifiedKickback) LogValue() slog.Value { return k.Result.LogValue() }

// Format writes what LogValue returns, for every verb.
func (k *UnverifiedKickback) Format(f fmt.State, _ rune) {
	printPublic(f, "UnverifiedKickback", k.LogValue())
}

// KickbackError reports why a kickback was refused. It contains none of the values.
type KickbackError struct {
	Param  string // the parameter at fault, by the gateway's name such as "am"; or empty
	Reason Text   // what is wrong; it follows Param, if there is one
}

// Error returns the fault on one line.
func (e *KickbackError) Error() string { return "jpayment: kickback: " + e.what().En }

func (e *KickbackError) what() Text {
	if e.Param == "" {
		return e.Reason
	}
	return Text{e.Param + " " + e.Reason.En, e.Param + e.Reason.Ja}
}

// maxKickback bounds an escaped kickback, in bytes. The 1,024 bytes of other data take at
// most three times as many.
const maxKickback = 16 << 10

// ParseKickback parses a kickback from a raw query such as r.URL.RawQuery. It does not
// verify who sent it: see [KickbackVerifier].
//
// Text that is not valid UTF-8 is read as Shift_JIS (docs/protocol.md, assumption 21). The
// parameters gid and rst are required; any other missing parameter is blank. Parameters that
// concern the payment's number, status or amounts must be readable, consistent if repeated,
// correct in their sum, and must not contradict a success; otherwise the error is a
// [*KickbackError]. Any other parameter that cannot be read is kept as it was received: see
// [Result.Unreadable]. A status that the specification does not define keeps its number.
func ParseKickback(rawQuery string) (*UnverifiedKickback, error) {
	fail := func(param, en, ja string) (*UnverifiedKickback, error) {
		return nil, &KickbackError{param, Text{en, ja}}
	}
	if len(rawQuery) > maxKickback {
		return fail("", "is longer than 16 KiB", "16 KiBを超えています")
	}
	q, err := decodeQuery(rawQuery)
	if err != nil {
		return nil, err
	}
	take := func(param string) string {
		v := q.values[param]
		delete(q.values, param)
		return v
	}
	signature := NewSecret(take(token.Param))
	row := wire.Row{
		GID: take("gid"), RST: take("rst"), AP: take("ap"), EC: take("ec"), GOD: take("god"), COD: take("cod"),
		ID: take("id"), PS: take("ps"), ACID: take("acid"), Other: q.other,
	}
	if row.GID == "" {
		return fail("gid", "is missing: pass the part of the URL after the question mark", "がありません。URLの?より後ろを渡してください")
	}
	for i, param := range []string{"am", "tx", "sf", "ta"} {
		var bad *wire.Text
		if row.Amounts[i], bad = wire.ParseYen(take(param)); bad != nil {
			return nil, &KickbackError{param, Text(*bad)}
		}
	}
	if row.Amounts.Complete() {
		if bad := row.Amounts.Check(); bad != nil {
			return nil, &KickbackError{"ta", Text(*bad)}
		}
	}
	res, fault := newResult(row)
	if fault != nil {
		return nil, &KickbackError{fault.column, fault.reason}
	}
	res.Extra = NewExtra(q.values)
	for _, name := range q.unreadable {
		res.markUnreadable(name, true)
	}
	return &UnverifiedKickback{Result: *res, token: signature}, nil
}

// decisive are the parameters that must be readable: they concern the payment's number,
// status and amounts, and the signature.
var decisive = []string{"gid", "rst", "ap", "ec", "am", "tx", "sf", "ta", token.Param}

// kickbackQuery holds the parameters of a kickback.
type kickbackQuery struct {
	values     map[string]string // in UTF-8
	other      string            // the merchant's own, as received
	unreadable []string          // names of parameters that cannot be read
}

// decodeQuery decodes a raw query. A decisive parameter must be readable and consistent. Any
// other is kept as received if it cannot be read; url.ParseQuery would drop it.
func decodeQuery(rawQuery string) (q kickbackQuery, err error) {
	type pair struct {
		key, value, rawValue string
		broken               bool // the escapes of the value
	}
	var (
		pairs []pair
		own   []string
		all   strings.Builder
	)
	for raw := range strings.SplitSeq(rawQuery, "&") {
		if raw == "" {
			continue
		}
		rawKey, rawValue, _ := strings.Cut(raw, "=")
		key, keyErr := url.QueryUnescape(rawKey)
		value, valueErr := url.QueryUnescape(rawValue)
		if !slices.Contains(reserved, key) {
			own = append(own, raw)
		}
		if keyErr != nil {
			q.unreadable = append(q.unreadable, otherData)
			continue
		}
		pairs = append(pairs, pair{key, value, rawValue, valueErr != nil})
		if valueErr == nil {
			all.WriteString(key + "=" + value + "&") // The separators keep bytes from joining.
		}
	}
	charset := wire.Detect(all.String())
	_, whole := charset.Decode(all.String())
	decode := func(s string) (string, bool) {
		if !whole { // A text in neither character set says nothing about the others.
			charset = wire.Detect(s)
		}
		return charset.Decode(s)
	}
	q.values = make(map[string]string, len(pairs))
	for _, p := range pairs {
		key, keyOK := decode(p.key)
		text, ok := decode(p.value)
		old, repeated := q.values[key]
		name := key
		if !slices.Contains(reserved, key) {
			name = otherData // The name may be anything, and goes into errors and logs.
		}
		switch {
		case slices.Contains(decisive, key):
			switch {
			case p.broken:
				return q, &KickbackError{key, Text{"has an invalid escape", "のパーセントエンコードが正しくありません"}}
			case !ok:
				return q, &KickbackError{key, Text{"is neither UTF-8 nor Shift_JIS", "がUTF-8でもShift_JISでもありません"}}
			case repeated && old != text:
				return q, &KickbackError{key, Text{"occurs twice, with different values", "が異なる値で2つあります"}}
			}
		case repeated && old == text && !p.broken:
			continue
		case repeated, !keyOK, p.broken, !ok:
			q.unreadable = append(q.unreadable, name)
			if repeated || name == otherData {
				continue // The first value counts, and q.other has all of them.
			}
			text = p.rawValue
		}
		q.values[key] = text
	}
	q.other = strings.Join(own, "&")
	return q, nil
}

// KickbackVerifier verifies kickbacks. It is safe for concurrent use.
//
// It verifies that the kickback carries a parameter that was signed with one of the
// verifier's keys, for the store, payment and amounts in [Kickback.Request], and not longer
// ago than the maximum age. Only the merchant and the gateway know that parameter. Unless
// the kickback reports a failure, the verifier also checks that its amounts are the
// requested ones.
//
// It cannot verify the status (rst) and the new payment's number (gid), since nobody signs
// them, and it does not recognise repetitions. Keep the parameter as secret as the key: use
// an https URL, and do not log the query.
type KickbackVerifier struct {
	storeID string
	maxAge  time.Duration
	keys    []Secret
}

const (
	defaultKickbackAge = 24 * time.Hour
	// maxSkew is the tolerated difference between two clocks of the merchant
	// (docs/protocol.md, assumption 27).
	maxSkew = 5 * time.Minute
)

// NewKickbackVerifier returns a verifier for kickbacks that answer requests of the store. A
// client must have signed the request with one of the keys ([WithKickbackKey]), each of at
// least 32 bytes, not longer than maxAge ago. A maxAge of 0 means 24 hours: the gateway
// sends a kickback within 30 seconds, but it is not known for how long it retries
// (docs/protocol.md, assumption 26).
//
// To rotate keys, pass the new key beside the old one before any client signs with it. Each
// store needs its own verifier, and so its own 決済結果通知URL. The error is a
// [*ValidationError] that lists every fault.
func NewKickbackVerifier(storeID string, maxAge time.Duration, keys ...[]byte) (*KickbackVerifier, error) {
	var fs faults
	fs.checkStoreID(storeID)
	v := &KickbackVerifier{storeID: storeID, maxAge: maxAge}
	switch {
	case maxAge < 0:
		fs.add("maxAge", "", Text{"is negative", "が負の値です"})
	case maxAge > 0 && maxAge < time.Millisecond:
		fs.add("maxAge", "", Text{"is less than a millisecond; is the unit missing?", "が1ミリ秒未満です。単位を確認してください"})
	case maxAge == 0:
		v.maxAge = defaultKickbackAge
	}
	if len(keys) == 0 {
		fs.add("keys", "", Text{"is empty", "が空です"})
	}
	for _, key := range keys {
		fs.add("keys", "", checkKickbackKey(key))
		v.keys = append(v.keys, NewSecret(string(key)))
	}
	if err := fs.err("NewKickbackVerifier", ""); err != nil {
		return nil, err
	}
	return v, nil
}

// Verify parses a kickback from a raw query such as r.URL.RawQuery, and verifies it at the
// given time. The clocks of the signing and the verifying machine may differ by five
// minutes. The error is a [*KickbackError].
func (v *KickbackVerifier) Verify(rawQuery string, now time.Time) (*Kickback, error) {
	k, err := ParseKickback(rawQuery)
	if err != nil {
		return nil, err
	}
	return v.prove(k, now)
}

func (v *KickbackVerifier) prove(k *UnverifiedKickback, now time.Time) (*Kickback, error) {
	fail := func(param string, reason Text) (*Kickback, error) { return nil, &KickbackError{param, reason} }
	if !k.Signed() {
		return fail(token.Param, Text{"is missing: the kickback is not signed", "がありません。署名のない決済結果通知です"})
	}
	keys := make([][]byte, len(v.keys))
	for i, key := range v.keys {
		keys[i] = []byte(key.Reveal())
	}
	claims, ok := token.Open(k.token.Reveal(), keys...)
	if !ok {
		return fail(token.Param, Text{"was not signed by any of the keys", "の署名がどの鍵とも一致しません"})
	}
	if claims.StoreID != v.storeID {
		return fail(token.Param, Text{"was signed for another store", "が別の店舗のものです"})
	}
	switch age := now.Sub(claims.At); {
	case age < -maxSkew:
		return fail(token.Param, Text{"is from the future: check the clocks", "の時刻が未来です。時計を確認してください"})
	case age-maxSkew > v.maxAge:
		return fail(token.Param, Text{"is too old", "が古すぎます"})
	}
	// The amounts in the kickback of a decline are not documented, and do not matter
	// (docs/protocol.md, assumption 4).
	if param := k.otherAmount(claims.Amount, claims.Tax, claims.Shipping); param != "" && k.Status != StatusFailed {
		return fail(param, notTheAmount)
	}
	return &Kickback{Result: k.Result, Request: KickbackRequest(claims)}, nil
}

// Format writes the verifier without its keys, whatever the verb.
func (v *KickbackVerifier) Format(f fmt.State, _ rune) {
	printPublic(f, "KickbackVerifier", slog.GroupValue(slog.String("store_id", v.storeID), slog.Int("keys", len(v.keys))))
}

// checkKickbackKey returns what is wrong with a key, or the zero Text.
func checkKickbackKey(key []byte) Text {
	if len(key) < token.MinKey {
		return textf("has a key of %d bytes; at least %d are needed", "の鍵が%dバイトです（%dバイト以上必要）", len(key), token.MinKey)
	}
	return Text{}
}

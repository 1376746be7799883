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

// Kickback is a kickback (決済結果通知) that is proved to answer a request of ours: the
// result of a re-authorisation whose answer came by a call of the merchant's
// 決済結果通知URL (specification, "キックバック(rt=0)仕様"). [KickbackVerifier] says what is
// proved and what is not.
type Kickback struct {
	// Result is what the kickback says. Its Extra are the merchant's own parameters.
	Result
	// Request is what it answers.
	Request KickbackRequest
}

// KickbackRequest is the re-authorisation that a kickback answers, as it was signed
// when [Client.ReAuthByKickback] sent it.
type KickbackRequest struct {
	StoreID               string    // 店舗ID (aid)
	PaymentID             string    // the payment that was to be replaced (対象決済番号, tid)
	Amount, Tax, Shipping int64     // yen
	At                    time.Time // when it was sent, in whole seconds
}

// LogValue returns the kickback without its secrets.
func (k *Kickback) LogValue() slog.Value {
	return slog.GroupValue(append(k.Result.LogValue().Group(), slog.String("original_payment_id", k.Request.PaymentID))...)
}

// Format writes what LogValue returns, for every verb.
func (k *Kickback) Format(f fmt.State, _ rune) { printPublic(f, "Kickback", k.LogValue()) }

// UnverifiedKickback is a kickback as somebody sent it. The gateway does not sign
// kickbacks, and anybody who knows the URL can send one: what it says is a hint to look
// in the control panel.
type UnverifiedKickback struct {
	// Result is what the kickback says. Its Status may have other values than success
	// and failure, since one URL serves the recurring charges of a store as well.
	// Its Extra are the merchant's own parameters.
	Result

	token Secret
}

// Signed reports whether the kickback has a signature, of which nothing is proved.
func (k *UnverifiedKickback) Signed() bool { return !k.token.IsZero() }

// LogValue returns the kickback without its secrets.
func (k *UnverifiedKickback) LogValue() slog.Value { return k.Result.LogValue() }

// Format writes what LogValue returns, for every verb.
func (k *UnverifiedKickback) Format(f fmt.State, _ rune) {
	printPublic(f, "UnverifiedKickback", k.LogValue())
}

// KickbackError says why something is not taken for a kickback. It holds no value of it.
type KickbackError struct {
	Param  string // the parameter at fault by the gateway's name, such as "am"; or empty
	Reason Text   // it follows Param, where there is one
}

// Error returns the fault on one line.
func (e *KickbackError) Error() string { return "jpayment: kickback: " + e.What().En }

// What returns the fault.
func (e *KickbackError) What() Text {
	if e.Param == "" {
		return e.Reason
	}
	return Text{e.Param + " " + e.Reason.En, e.Param + e.Reason.Ja}
}

// maxKickback bounds a kickback in bytes, escaped. Other data of 1,024 bytes take three
// times that at the most.
const maxKickback = 16 << 10

// ParseKickback reads a kickback from a raw query, as r.URL.RawQuery has it. It does not
// look at who sent it, and nothing of it is proved: see [KickbackVerifier].
//
// Text in Shift_JIS is understood: it is what is not valid UTF-8 (field notes,
// "Charset"). A parameter that is missing is blank, but gid and rst must be there. A
// parameter that is repeated must say the same each time. What does not add up, or
// contradicts a success, is a [*KickbackError]. A status that the specification does
// not define is kept.
func ParseKickback(rawQuery string) (*UnverifiedKickback, error) {
	fail := func(param, en, ja string) (*UnverifiedKickback, error) {
		return nil, &KickbackError{param, Text{en, ja}}
	}
	if len(rawQuery) > maxKickback {
		return fail("", "is longer than 16 KiB", "16 KiBを超えています")
	}
	values, other, err := decodeQuery(rawQuery)
	if err != nil {
		return nil, err
	}
	take := func(param string) string {
		v := values[param]
		delete(values, param)
		return v
	}
	signature := NewSecret(take(token.Param))
	row := wire.Row{
		GID: take("gid"), RST: take("rst"), AP: take("ap"), EC: take("ec"), GOD: take("god"), COD: take("cod"),
		ID: take("id"), PS: take("ps"), ACID: take("acid"), Other: other,
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
	res.Extra = NewExtra(values)
	return &UnverifiedKickback{Result: *res, token: signature}, nil
}

// decodeQuery returns the parameters as UTF-8 with one value each, and those that are
// the merchant's own as they came. It is stricter than url.ParseQuery, which drops what
// it cannot read.
func decodeQuery(rawQuery string) (values map[string]string, other string, err error) {
	fail := func(param, en, ja string) (map[string]string, string, error) {
		return nil, "", &KickbackError{param, Text{en, ja}}
	}
	var (
		pairs [][2]string
		raw   []string
		all   strings.Builder
	)
	for pair := range strings.SplitSeq(rawQuery, "&") {
		if pair == "" {
			continue
		}
		rawKey, rawValue, _ := strings.Cut(pair, "=")
		key, err := url.QueryUnescape(rawKey)
		if err != nil {
			return fail("", "has a key with a broken escape", "キーのエスケープが壊れています")
		}
		value, err := url.QueryUnescape(rawValue)
		if err != nil {
			return fail("", "has a value with a broken escape", "値のエスケープが壊れています")
		}
		pairs = append(pairs, [2]string{key, value})
		all.WriteString(key + "=" + value + "&") // What stands between keeps bytes from joining.
		if !slices.Contains(reserved, key) {
			raw = append(raw, pair)
		}
	}
	charset := wire.Detect(all.String())
	values = make(map[string]string, len(pairs))
	for _, pair := range pairs {
		key, ok := charset.Decode(pair[0])
		if !ok {
			return fail("", "has a key that is neither UTF-8 nor Shift_JIS", "キーがUTF-8でもShift_JISでもありません")
		}
		param := key // in an error: any but the protocol's own may be anything
		if !slices.Contains(reserved, key) {
			param = "other data"
		}
		value, ok := charset.Decode(pair[1])
		if !ok {
			return fail(param, "is neither UTF-8 nor Shift_JIS", "がUTF-8でもShift_JISでもありません")
		}
		if old, repeated := values[key]; repeated && old != value {
			return fail(param, "is there twice, with different values", "が異なる値で2つあります")
		}
		values[key] = value
	}
	return values, strings.Join(raw, "&"), nil
}

// KickbackVerifier proves kickbacks. It is safe for concurrent use.
//
// It proves that the kickback carries a parameter which only the gateway and the merchant
// have seen, and which was made for the store, payment and amounts that
// [Kickback.Request] names, no longer ago than its maximum age. It proves that the
// amounts of the kickback are the ones asked for, unless it tells of a failure. It does
// not prove what nobody has signed: the status (rst) and the new payment's number (gid)
// are the word of whoever sent the kickback. Nor does it tell a kickback from its
// repetition. Keep the parameter as secret as the key: leave it out of logs of URLs, and
// let the URL be https.
type KickbackVerifier struct {
	storeID string
	maxAge  time.Duration
	keys    []Secret
}

const (
	defaultKickbackAge = 24 * time.Hour
	// maxSkew is how far the clocks of two of the merchant's machines may differ.
	maxSkew = 5 * time.Minute
)

// NewKickbackVerifier returns a verifier of kickbacks that answer requests of a store
// which a client has signed with one of the keys ([WithKickbackKey]), each of at least 32
// bytes, no longer than maxAge ago. With 0 that is 24 hours: the gateway sends a kickback
// within 30 seconds (field notes, H), but nobody knows how long it tries. To change keys,
// let verifiers accept the new one beside the old before a client signs with it. A store
// that shares its 決済結果通知URL with another needs a verifier of its own, and so a URL of
// its own. The error is a [*ValidationError] with every fault.
func NewKickbackVerifier(storeID string, maxAge time.Duration, keys ...[]byte) (*KickbackVerifier, error) {
	var fs faults
	fs.checkStoreID(storeID)
	v := &KickbackVerifier{storeID: storeID, maxAge: maxAge}
	switch {
	case maxAge < 0:
		fs.add("maxAge", "", Text{"is negative", "が負の値です"})
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

// Verify reads a kickback from a raw query, as r.URL.RawQuery has it, and returns it if it
// is proved at the given time. The clocks of the machines that send and verify may differ
// by five minutes. Its error is a [*KickbackError].
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
		return fail(token.Param, Text{"is not there: the kickback is not signed", "がありません。署名のない決済結果通知です"})
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
	// What amounts the kickback of a decline names is not documented, and nothing hangs
	// on them.
	if param := k.otherAmount(claims.Amount, claims.Tax, claims.Shipping); param != "" && k.Status != StatusFailed {
		return fail(param, notTheAmount)
	}
	return &Kickback{Result: k.Result, Request: KickbackRequest(claims)}, nil
}

// Format writes nothing of the keys, for every verb.
func (v *KickbackVerifier) Format(f fmt.State, _ rune) {
	printPublic(f, "KickbackVerifier", slog.GroupValue(slog.String("store_id", v.storeID), slog.Int("keys", len(v.keys))))
}

// checkKickbackKey says what is wrong with a key, or nothing.
func checkKickbackKey(key []byte) Text {
	if len(key) < token.MinKey {
		return textf("has a key of %d bytes; at least %d are needed", "の鍵が%dバイトです（%dバイト以上必要）", len(key), token.MinKey)
	}
	return Text{}
}

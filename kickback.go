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
func (e *KickbackError) Error() string { return "jpayment: kickback: " + e.what().En }

func (e *KickbackError) what() Text {
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
// "Charset"). A parameter that is missing is blank, but gid and rst must be there. What
// bears on the payment's number, status or money must be readable, say the same each time
// it is there, add up, and not contradict a success, or it is a [*KickbackError]. What
// does not is kept as it came: see [Result.Unreadable]. A status that the specification
// does not define is kept.
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
		return fail("gid", "is missing: pass what stands behind the question mark of the URL", "がありません。URLの?より後ろを渡してください")
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

// decisive are the parameters of a kickback that must be read whole: they bear on the
// payment's number, its status and money, and on the proof.
var decisive = []string{"gid", "rst", "ap", "ec", "am", "tx", "sf", "ta", token.Param}

// kickbackQuery is the parameters of a kickback.
type kickbackQuery struct {
	values     map[string]string // in UTF-8
	other      string            // the merchant's own, as they came
	unreadable []string          // names of what is not read
}

// decodeQuery decodes a raw query. What is decisive must be readable and say one thing.
// The rest is kept as it came where it is not: url.ParseQuery would drop it.
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
			all.WriteString(key + "=" + value + "&") // What stands between keeps bytes from joining.
		}
	}
	charset := wire.Detect(all.String())
	_, whole := charset.Decode(all.String())
	decode := func(s string) (string, bool) {
		if !whole { // One text that is in no character set says nothing of the others'.
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
			name = otherData // in an error or a log: the name may be anything
		}
		switch {
		case slices.Contains(decisive, key):
			switch {
			case p.broken:
				return q, &KickbackError{key, Text{"has a broken escape", "のパーセントエンコードが正しくありません"}}
			case !ok:
				return q, &KickbackError{key, Text{"is neither UTF-8 nor Shift_JIS", "がUTF-8でもShift_JISでもありません"}}
			case repeated && old != text:
				return q, &KickbackError{key, Text{"is there twice, with different values", "が異なる値で2つあります"}}
			}
		case repeated && old == text && !p.broken:
			continue
		case repeated, !keyOK, p.broken, !ok:
			q.unreadable = append(q.unreadable, name)
			if repeated || name == otherData {
				continue // The first stands, and all stand in other.
			}
			text = p.rawValue
		}
		q.values[key] = text
	}
	q.other = strings.Join(own, "&")
	return q, nil
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
	case maxAge > 0 && maxAge < time.Millisecond:
		fs.add("maxAge", "", Text{"is less than a millisecond; is its unit missing?", "が1ミリ秒未満です。単位を確認してください"})
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

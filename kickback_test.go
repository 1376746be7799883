package jpayment_test

import (
	"fmt"
	"math"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/jpayment-go/jpayment"
	"github.com/jpayment-go/jpayment/internal/token"
)

const vendorKickback = "gid=10000001&rst=1&ap=0001112&ec=&god=10000002&cod=test &am=1000&tx=80&sf=500&ta=1580"

func TestParseKickback(t *testing.T) {
	t.Parallel()
	base := jpayment.Result{
		PaymentID: "10000001", Status: jpayment.StatusSucceeded, ApprovalCode: jpayment.NewSecret("0001112"),
		OrderCode: "10000002", OrderNumber: "test ",
		Amount: jpayment.Yen(1000), Tax: jpayment.Yen(80), Shipping: jpayment.Yen(500), Total: jpayment.Yen(1580),
	}
	with := func(change func(*jpayment.Result)) jpayment.Result {
		r := base
		change(&r)
		return r
	}
	for name, tt := range map[string]struct {
		query string
		want  jpayment.Result
		extra map[string]string
	}{
		"the vendor's sample":            {vendorKickback, base, nil},
		"the vendor's sample, with acid": {vendorKickback + "&acid=1000000001", with(func(r *jpayment.Result) { r.SubscriptionID = "1000000001" }), nil},
		"empty pairs":                    {"&" + vendorKickback + "&&", base, nil},
		"repeated alike":                 {vendorKickback + "&gid=10000001&ap=0001112", base, nil},
		"issued ID and password": {vendorKickback + "&id=a&ps=b", with(func(r *jpayment.Result) {
			r.IssuedID, r.IssuedPassword = jpayment.NewSecret("a"), jpayment.NewSecret("b")
		}), nil},
		"the merchant's own": {
			vendorKickback + "&note=a+b%2Bc%26d&%E5%82%99%E8%80%83=%E8%A1%A8%E7%A4%BA&x=", base,
			map[string]string{"note": "a b+c&d", "備考": "表示", "x": ""},
		},
		"Shift_JIS escapes": {
			strings.Replace(vendorKickback, "test ", "%92%8D%95%B6", 1) + "&%94%F5%8Dl=%95%5C%8E%A6",
			with(func(r *jpayment.Result) { r.OrderNumber = "注文" }),
			map[string]string{"備考": "表示"},
		},
		"failure": {"gid=0&rst=2&ec=G1242G120000&am=0&tx=0&sf=0&ta=0", jpayment.Result{
			PaymentID: "0", Status: jpayment.StatusFailed, Code: "G1242G120000",
			Amount: jpayment.Yen(0), Tax: jpayment.Yen(0), Shipping: jpayment.Yen(0), Total: jpayment.Yen(0),
		}, nil},
		"blank amounts":    {"gid=7&rst=1&am=&tx=", jpayment.Result{PaymentID: "7", Status: jpayment.StatusSucceeded}, nil},
		"an unknown rst":   {"gid=7&rst=4&acid=8&ta=1000", jpayment.Result{PaymentID: "7", Status: 4, SubscriptionID: "8", Total: jpayment.Yen(1000)}, nil},
		"failure, no code": {"gid=7&rst=2", jpayment.Result{PaymentID: "7", Status: jpayment.StatusFailed}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			k, err := jpayment.ParseKickback(tt.query)
			require.NoError(t, err)
			require.Equal(t, tt.extra, k.Extra.Reveal())
			require.False(t, k.Signed())
			tt.want.Extra, tt.want.Other = k.Extra, k.Other
			require.Equal(t, tt.want, k.Result)
		})
	}
}

// Other holds the merchant's own data as it was received.
func TestKickbackOther(t *testing.T) {
	t.Parallel()
	k, err := jpayment.ParseKickback("x=%92%8D+1&" + vendorKickback + "&acid=1&jpk=1.2&y=a%26b&")
	require.NoError(t, err)
	require.Equal(t, "x=%92%8D+1&y=a%26b", k.Other.Reveal())
	require.Equal(t, map[string]string{"x": "注 1", "y": "a&b"}, k.Extra.Reveal())
	require.True(t, k.Signed())
}

// A kickback is refused if a parameter that concerns the payment's number, status or money
// cannot be read. Any other parameter is kept as received, so that no genuine success is lost.
func TestKickbackKeepsWhatIsUnreadable(t *testing.T) {
	t.Parallel()
	const success = "gid=7&rst=1&am=900&tx=72&sf=500&ta=1472"
	for name, tt := range map[string]struct {
		query       string
		orderNumber string
		extra       map[string]string
		unreadable  []string
	}{
		"cod in no charset":            {success + "&cod=a%ff", "a%ff", nil, []string{"cod"}},
		"cod with an invalid escape":   {success + "&cod=100%&x=1", "100%", map[string]string{"x": "1"}, []string{"cod"}},
		"cod twice":                    {success + "&cod=a&cod=b", "a", nil, []string{"cod"}},
		"a stray percent sign":         {success + "&x=100%&y=1", "", map[string]string{"y": "1"}, []string{"other data"}},
		"other data in no charset":     {success + "&x=%ff&y=1", "", map[string]string{"y": "1"}, []string{"other data"}},
		"a key in no charset":          {success + "&%ff=1&y=1", "", map[string]string{"y": "1"}, []string{"other data"}},
		"a key with an invalid escape": {success + "&%=1", "", nil, []string{"other data"}},
		"other data twice":             {success + "&x=1&x=2", "", map[string]string{"x": "1"}, []string{"other data"}},
		"both":                         {success + "&x=%ff&cod=%ff&god=a-b", "%ff", nil, []string{"cod", "god", "other data"}},
		"UTF-8 beside no charset":      {success + "&cod=%E6%B3%A8%E6%96%87&x=%ff", "注文", nil, []string{"other data"}},
		"Shift_JIS":                    {success + "&cod=%92%8D%95%B6&x=%92%8D", "注文", map[string]string{"x": "注"}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			k, err := jpayment.ParseKickback(tt.query)
			require.NoError(t, err)
			require.Equal(t, jpayment.Yen(1472), k.Total)
			require.Equal(t, tt.orderNumber, k.OrderNumber)
			require.Equal(t, tt.extra, k.Extra.Reveal())
			require.Equal(t, tt.unreadable, k.Unreadable)
		})
	}
}

func TestParseKickbackRefuses(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct{ query, want string }{
		"nothing":             {"", "gid is missing: pass the part of the URL after the question mark"},
		"no gid":              {"rst=1", "gid is missing: pass the part of the URL after the question mark"},
		"no rst":              {"gid=7", "rst is not a number"},
		"rst a word":          {"gid=7&rst=OK", "rst is not a number"},
		"gid 0 in a success":  {"gid=0&rst=1", "gid is 0 although rst says that the payment succeeded"},
		"code in a success":   {"gid=7&rst=1&ec=ER030", "ec has a code although rst says that the payment succeeded"},
		"amount not a number": {"gid=7&rst=1&am=1,000", "am is not a number of half-width digits"},
		"amount negative":     {"gid=7&rst=1&sf=-1", "sf is not a number of half-width digits"},
		"amount too large":    {"gid=7&rst=1&tx=9223372036854775808", "tx is too large"},
		"another total":       {"gid=7&rst=1&am=1000&tx=80&sf=500&ta=1581", "ta is not the sum of am, tx and sf"},
		"am in no charset":    {"gid=7&rst=1&am=%ff", "am is neither UTF-8 nor Shift_JIS"},
		"rst, broken escape":  {"gid=7&rst=1%", "rst has an invalid escape"},
		"repeated, otherwise": {"gid=7&rst=2&rst=1", "rst occurs twice, with different values"},
		"too long":            {"gid=7&rst=1&x=" + strings.Repeat("a", 16<<10), "is longer than 16 KiB"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			k, err := jpayment.ParseKickback(tt.query)
			require.Nil(t, k)
			var ke *jpayment.KickbackError
			require.ErrorAs(t, err, &ke)
			require.EqualError(t, err, "jpayment: kickback: "+tt.want)
		})
	}
	const head = "gid=7&rst=1&x="
	_, err := jpayment.ParseKickback(head + strings.Repeat("a", 16<<10-len(head)))
	require.NoError(t, err, "16 KiB are allowed")
}

var (
	key    = []byte("0123456789abcdef0123456789abcdef")
	oldKey = []byte("fedcba9876543210fedcba9876543210")
	now    = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	claims = token.Claims{StoreID: "123456", PaymentID: "10000001", Amount: 900, Tax: 72, Shipping: 500, At: now}
)

// signed returns a kickback of a success that answers the claims.
func signed(c token.Claims, k []byte) string {
	return "gid=10000002&rst=1&am=900&tx=72&sf=500&ta=1472&jpk=" + token.Sign(k, c)
}

func TestVerify(t *testing.T) {
	t.Parallel()
	good := signed(claims, key)
	at := func(d time.Duration) token.Claims {
		c := claims
		c.At = now.Add(d)
		return c
	}
	const maxAge = time.Hour
	for name, tt := range map[string]struct{ query, want string }{
		"signed":                      {good, ""},
		"signed with the old key":     {signed(claims, oldKey), ""},
		"as old as may be":            {signed(at(-maxAge-5*time.Minute), key), ""},
		"too old":                     {signed(at(-maxAge-5*time.Minute-time.Second), key), "jpk is too old"},
		"as early as may be":          {signed(at(5*time.Minute), key), ""},
		"too early":                   {signed(at(5*time.Minute+time.Second), key), "jpk is from the future: check the clocks"},
		"not signed":                  {good[:strings.Index(good, "&jpk")], "jpk is missing: the kickback is not signed"},
		"another's key":               {signed(claims, []byte("another key of as many as 32 bytes")), "jpk was not signed by any of the keys"},
		"another payment":             {strings.Replace(good, ".10000001.", ".10000009.", 1), "jpk was not signed by any of the keys"},
		"another store":               {strings.Replace(good, ".123456.", ".123457.", 1), "jpk was not signed by any of the keys"},
		"no signature":                {good[:strings.LastIndexByte(good, '.')+1], "jpk was not signed by any of the keys"},
		"signature cut":               {good[:len(good)-2], "jpk was not signed by any of the keys"},
		"not a signature":             {"gid=7&rst=1&jpk=x", "jpk was not signed by any of the keys"},
		"not hex":                     {good[:len(good)-2] + "zz", "jpk was not signed by any of the keys"},
		"another amount":              {strings.NewReplacer("am=900", "am=1900", "ta=1472", "ta=2472").Replace(good), "am is not the requested amount"},
		"another tax":                 {strings.NewReplacer("tx=72", "tx=73", "ta=1472", "ta=1473").Replace(good), "tx is not the requested amount"},
		"another shipping":            {strings.NewReplacer("sf=500", "sf=0", "ta=1472", "ta=972").Replace(good), "sf is not the requested amount"},
		"no total":                    {strings.Replace(good, "&ta=1472", "", 1), "ta is not the requested amount"},
		"success without amounts":     {strings.Replace(good, "&am=900&tx=72&sf=500&ta=1472", "", 1), "am is not the requested amount"},
		"success of nothing":          {"gid=7&rst=1&am=0&tx=0&sf=0&ta=0" + good[strings.Index(good, "&jpk"):], "am is not the requested amount"},
		"failure with its amounts":    {strings.Replace(good, "rst=1", "rst=2&ec=G1242G120000", 1), ""},
		"failure with zeros":          {"gid=0&rst=2&ec=G1242G120000&am=0&tx=0&sf=0&ta=0" + good[strings.Index(good, "&jpk"):], ""},
		"failure without amounts":     {"gid=0&rst=2&ec=G1242G120000" + good[strings.Index(good, "&jpk"):], ""},
		"failure with other amounts":  {"gid=0&rst=2&ec=G1242G120000&am=1&tx=0&sf=0&ta=1" + good[strings.Index(good, "&jpk"):], ""},
		"unknown status, others":      {"gid=7&rst=3&am=1&tx=0&sf=0&ta=1" + good[strings.Index(good, "&jpk"):], "am is not the requested amount"},
		"unknown status, its amounts": {strings.Replace(good, "rst=1", "rst=3", 1), ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			k, err := newVerifier(t, maxAge, key, oldKey).Verify(tt.query, now)
			if tt.want != "" {
				require.EqualError(t, err, "jpayment: kickback: "+tt.want)
				require.Nil(t, k)
				return
			}
			require.NoError(t, err)
			require.Equal(t, "123456", k.Request.StoreID)
			require.Equal(t, "10000001", k.Request.PaymentID)
			require.Equal(t, int64(1472), k.Request.Amount+k.Request.Tax+k.Request.Shipping)
			require.False(t, k.Request.At.IsZero())
			require.Zero(t, k.Extra.Reveal(), "the signature is not the merchant's data")
		})
	}
}

func newVerifier(t *testing.T, maxAge time.Duration, keys ...[]byte) *jpayment.KickbackVerifier {
	t.Helper()
	v, err := jpayment.NewKickbackVerifier("123456", maxAge, keys...)
	require.NoError(t, err)
	return v
}

func TestVerifierRefusesOtherStores(t *testing.T) {
	t.Parallel()
	v, err := jpayment.NewKickbackVerifier("123457", 0, key)
	require.NoError(t, err)
	_, err = v.Verify(signed(claims, key), now)
	require.EqualError(t, err, "jpayment: kickback: jpk was signed for another store")
}

// However large the maximum age is, a parameter that was just signed is not too old.
func TestVerifierAges(t *testing.T) {
	t.Parallel()
	for _, maxAge := range []time.Duration{0, time.Millisecond, math.MaxInt64 - 1, math.MaxInt64} {
		_, err := newVerifier(t, maxAge, key).Verify(signed(claims, key), now)
		require.NoError(t, err, maxAge)
	}
	old := claims
	old.At = time.Time{}
	_, err := newVerifier(t, 0, key).Verify(signed(old, key), now)
	require.EqualError(t, err, "jpayment: kickback: jpk is too old")
	old.At = time.Unix(99999999999, 0)
	_, err = newVerifier(t, math.MaxInt64, key).Verify(signed(old, key), now)
	require.EqualError(t, err, "jpayment: kickback: jpk is from the future: check the clocks")
}

// A verifier needs keys that are long enough to prove something.
func TestNewKickbackVerifierValidates(t *testing.T) {
	t.Parallel()
	_, err := jpayment.NewKickbackVerifier("1", 24, nil, []byte{}, key[:31])
	requireFaults(t, err, "StoreID (aid) has 1 digits; a store ID (店舗ID) has 6", "maxAge is less than a millisecond; is the unit missing?",
		"keys has a key of 0 bytes; at least 32 are needed", "keys has a key of 0 bytes; at least 32 are needed",
		"keys has a key of 31 bytes; at least 32 are needed")
	_, err = jpayment.NewKickbackVerifier("123456", 0)
	requireFaults(t, err, "keys is empty")
}

func TestKickbackIsPrivate(t *testing.T) {
	t.Parallel()
	k, err := jpayment.ParseKickback("gid=7&rst=1&ap=canary&id=canary&ps=canary&x=canary&jpk=canary")
	require.NoError(t, err)
	requireNoCanary(t, k)
	requireNoCanary(t, *k)
	requireNoCanary(t, struct{ k jpayment.UnverifiedKickback }{*k})
	for _, bad := range []string{"gid=7&rst=1&am=canary", "gid=canary&rst=1"} {
		_, err := jpayment.ParseKickback(bad)
		require.Error(t, err)
		requireNoCanary(t, err)
	}
	for _, odd := range []string{"canary=1&canary=canary", "canary=%ff", "canary=%z", "cod=1&god=2&id=%zcanary"} {
		k, err := jpayment.ParseKickback("gid=7&rst=1&" + odd)
		require.NoError(t, err)
		require.NotEmpty(t, k.Unreadable)
		requireNoCanary(t, k)
	}
	proved, err := newVerifier(t, time.Hour, key).Verify(signed(claims, key)+"&x=canary", now)
	require.NoError(t, err)
	requireNoCanary(t, proved)
	requireNoCanary(t, struct{ k jpayment.Kickback }{*proved})
	require.Equal(t, "Kickback{payment_id:10000002 status:succeeded code: order_code: order_number: amount:900 tax:72 shipping:500 total:1472 test_mode:false original_payment_id:10000001}", fmt.Sprint(proved))
}

func TestReAuthByKickbackSigns(t *testing.T) {
	t.Parallel()
	gw := newStub(t, reply("OK"))
	c := gw.client(t, jpayment.WithKickbackKey(key))
	req := jpayment.ReAuthRequest{PaymentID: "10000001", Amount: 900, Tax: 72, Shipping: 500, Extra: jpayment.NewExtra(map[string]string{"note": "a"})}
	before := time.Now().Truncate(time.Second)
	require.NoError(t, c.ReAuthByKickback(t.Context(), req))
	form, err := url.ParseQuery(gw.got()[0].Body)
	require.NoError(t, err)
	require.LessOrEqual(t, len(form.Get("jpk")), token.MaxLen(len(req.PaymentID)))
	got, ok := token.Open(form.Get("jpk"), oldKey, key)
	require.True(t, ok)
	require.False(t, got.At.Before(before))
	got.At = claims.At
	require.Equal(t, claims, got)
	require.Equal(t, url.Values{
		"aid": {"123456"}, "rt": {"0"}, "tid": {"10000001"}, "am": {"900"}, "tx": {"72"}, "sf": {"500"}, "note": {"a"}, "jpk": form["jpk"],
	}, form)

	// The signature takes 151 bytes, plus one per digit of the number, of the 1,024.
	req.Extra = jpayment.NewExtra(map[string]string{"k": strings.Repeat("v", 1024-151-8-2)})
	require.NoError(t, c.ReAuthByKickback(t.Context(), req))
	req.Extra = jpayment.NewExtra(map[string]string{"k": req.Extra.Get("k") + "v"})
	requireFaults(t, c.ReAuthByKickback(t.Context(), req), "Extra is 866 bytes long as key=value in UTF-8; at most 865 are allowed")
	requireFaults(t, c.ReAuthByKickback(t.Context(), jpayment.ReAuthRequest{PaymentID: "1", Amount: 1, Extra: jpayment.NewExtra(map[string]string{"JPK": ""})}),
		`Extra["JPK"] is a parameter name of the protocol; choose another key`)

	// A ReAuth with an immediate reply carries no signature.
	gw2 := newStub(t, reply(reAuthOK))
	_, err = gw2.client(t, jpayment.WithKickbackKey(key)).ReAuth(t.Context(), jpayment.ReAuthRequest{PaymentID: "10000001", Amount: 900, Tax: 72, Shipping: 500})
	require.NoError(t, err)
	require.NotContains(t, gw2.got()[0].Body, "jpk")

	_, err = jpayment.NewClient("123456", jpayment.WithKickbackKey(key[:31]))
	requireFaults(t, err, "WithKickbackKey has a key of 31 bytes; at least 32 are needed")
}

func FuzzParseKickback(f *testing.F) {
	f.Add(vendorKickback)
	f.Add(vendorKickback + "&acid=1&x=%95%5C&jpk=1.2.3")
	f.Add(signed(claims, key))
	f.Fuzz(func(t *testing.T, query string) {
		k, err := jpayment.ParseKickback(query)
		if err != nil {
			require.Nil(t, k)
			return
		}
		require.NotEmpty(t, k.PaymentID)
		if k.Status == jpayment.StatusSucceeded {
			require.Empty(t, k.Code)
		}
		if k, err := newVerifier(t, time.Hour, key).Verify(query, now); err == nil {
			require.Equal(t, "10000001", k.Request.PaymentID, "only the seed is signed")
		}
	})
}

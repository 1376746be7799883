package token

import (
	"encoding/hex"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestToken(t *testing.T) {
	t.Parallel()
	key := []byte("0123456789abcdef0123456789abcdef")
	c := Claims{StoreID: "123456", PaymentID: "10000001", Amount: 900, Tax: 72, Shipping: 500, At: time.Unix(1800000000, 0)}
	// Made with: printf 'jpayment kickback\n1.123456.10000001.1800000000.900.72.500' |
	//   openssl dgst -sha256 -hmac 0123456789abcdef0123456789abcdef
	const want = "1.123456.10000001.1800000000.900.72.500.e11a06a269ce787be8afdb7a71ab682e3754ab360f99e9a1aec86097aa7cea8b"
	require.Equal(t, want, Sign(key, c))
	got, ok := Open(want, []byte("another"), key)
	require.True(t, ok)
	require.Equal(t, c, got)

	largest := Claims{StoreID: "123456", PaymentID: "10000001", Amount: math.MaxInt64, Tax: math.MaxInt64, Shipping: math.MaxInt64, At: time.Unix(99999999999, 0)}
	require.Len(t, Sign(key, largest), MaxLen(8))
}

// A signature over something else, or in another form, is not accepted.
func TestOpenRefuses(t *testing.T) {
	t.Parallel()
	key := []byte("0123456789abcdef0123456789abcdef")
	good := Sign(key, Claims{StoreID: "1", PaymentID: "2", At: time.Unix(3, 0)})
	for name, s := range map[string]string{
		"nothing":    "",
		"no dot":     "x",
		"not hex":    "1.1.2.3.0.0.0.zz",
		"other text": "2" + good[1:],
		"cut":        good[:len(good)-1],
	} {
		_, ok := Open(s, key)
		require.False(t, ok, name)
	}
	for _, text := range []string{"2.1.2.3.0.0.0", "1.1.2.3.0.0", "1.1.2.x.0.0.0"} {
		_, ok := Open(text+"."+hex.EncodeToString(mac(key, text)), key)
		require.False(t, ok, "signed, but of another form: %s", text)
	}
	_, ok := Open(good)
	require.False(t, ok, "without a key")
	for _, short := range [][]byte{nil, {}, key[:MinKey-1]} {
		_, ok := Open(Sign(short, Claims{StoreID: "1", PaymentID: "2", At: time.Unix(3, 0)}), short, key)
		require.False(t, ok, "signed with %d bytes", len(short))
	}
}

// FuzzOpen lets the fuzzer have any text signed except the one that it presents.
func FuzzOpen(f *testing.F) {
	key := []byte("0123456789abcdef0123456789abcdef")
	const text = "1.123456.10000001.1800000000.900.72.500"
	f.Add(text, text)
	f.Add(text, "1.123456.10000009.1800000000.900.72.500")
	f.Add("1..", text+".00")
	f.Fuzz(func(t *testing.T, signed, presented string) {
		sum := hex.EncodeToString(mac(key, signed))
		for _, token := range []string{presented, presented + "." + sum, presented + sum} {
			dot := strings.LastIndexByte(token, '.')
			if _, ok := Open(token, key); ok && token[:dot] != signed {
				t.Fatalf("%q was never signed", token)
			}
		}
	})
}

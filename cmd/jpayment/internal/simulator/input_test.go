package simulator

import (
	"fmt"
	"math"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/jpayment-go/jpayment/jpaymenttest"
)

// accepts tells whether the gateway takes something, which it panics on otherwise.
func accepts(try func()) (ok bool) {
	defer func() { ok = recover() == nil }()
	try()
	return true
}

// What is let through is what the gateway takes, neither more nor less.
func TestInputIsJudgedAsTheGatewayDoes(t *testing.T) {
	t.Parallel()
	g := jpaymenttest.New()
	amounts := []int64{math.MinInt64, -1, 0, 1, 1000, math.MaxInt64 - 1, math.MaxInt64}
	for _, amount := range amounts {
		for _, tax := range amounts {
			for _, decline := range []string{"", "G1", "g1", "G1242G120000", "G1242G1200000", "ER003", "G 1", "Gあ"} {
				a := authorization{Amount: amount, Tax: tax, Decline: decline, OrderNumber: "注文番号"}
				_, err := a.read()
				require.Equal(t, accepts(func() { g.Authorize(jpaymenttest.Authorization(a)) }), err == nil, "%+v: %v", a, err)
			}
		}
	}
	for _, text := range []string{
		"", "http://127.0.0.1", "http://localhost:9000/a?b#c", "https://[::1]:1/", "http://LOCALHOST", "http://127.9.9.9/",
		"http://[::ffff:127.0.0.1]/", "http://0.0.0.0/", "http://example.com/", "http://localhost.example.com/", "ftp://localhost/",
		"http://user@localhost/", "localhost:1", "//localhost/", "http://[::1", "http://", "http://127.0.0.1.example/", " http://localhost/",
		"http://localhost/\n",
	} {
		require.Equal(t, accepts(func() { g.SetKickbackURL(text) }), checkKickbackURL(text) == nil, text)
	}
}

func TestFaultsAreJudgedAsTheGatewayDoes(t *testing.T) {
	t.Parallel()
	require.Len(t, faultTexts, len(faultKinds))
	for _, kind := range append(faultNames(), "", "flood") {
		for _, f := range []fault{
			{},
			{Operation: "SALES"},
			{Operation: "AUTH"},
			{Operation: "sales"},
			{PaymentID: "x"},
			{Nth: 1},
			{Nth: -1},
			{Probability: 1},
			{Probability: .5},
			{Probability: 1.1},
			{Probability: -1},
			{Probability: math.NaN()},
			{Nth: 1, Probability: .5},
			{Code: "ER010"},
			{Code: "er010"},
			{Code: "ER0100000000"},
			{Code: "ER01000000000"},
			{Code: "ER010", Body: "x"},
			{Status: 99},
			{Status: 199},
			{Status: 200},
			{Status: 299},
			{Status: 300},
			{Status: 399},
			{Status: 404},
			{Status: 599},
			{Status: 600},
			{Status: -1},
			{Location: "/"},
			{Location: "/", Status: 307},
			{Location: "/", Status: 200},
			{Body: "x"},
			{DelayMS: 1},
			{DelayMS: -1},
			{DelayMS: 10, Body: "x"},
		} {
			f.Kind = kind
			read, err := f.read()
			fail := jpaymenttest.Fault{
				Kind: jpaymenttest.FaultKind(kind), Operation: f.Operation, PaymentID: f.PaymentID, Nth: f.Nth, Probability: f.Probability,
				Code: f.Code, Status: f.Status, Location: f.Location, Delay: time.Duration(f.DelayMS) * time.Millisecond,
			}
			if f.Body != "" {
				fail.Body = []byte(f.Body)
			}
			taken := accepts(func() { jpaymenttest.New().Fail(fail) })
			if kind == string(jpaymenttest.DelayReply) && f.DelayMS == 0 {
				taken = false // a delay of nothing is refused here only
			}
			require.Equal(t, taken, err == nil, "%+v: %v", f, err)
			if err == nil {
				require.Equal(t, fail, read)
			}
		}
	}
	_, err := fault{Kind: "delay-reply", DelayMS: maxDelayMS + 1}.read()
	require.ErrorContains(t, err, "delay_ms")
}

// An error of a field is told in the panel by the name that its label has.
func TestFieldsHaveTexts(t *testing.T) {
	t.Parallel()
	for field, key := range fieldTexts {
		require.Contains(t, texts, key, field)
	}
	for key, text := range texts {
		require.NotEmpty(t, text.en, key)
		require.NotEmpty(t, text.ja, key)
	}
}

func TestVisible(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"":                   "",
		"注文 <b>":             "注文 <b>",
		`"`:                  `"`,
		"a\r\nb":             `"a\r\nb"`,
		"\x81\x40":           `"\x81@"`,
		"\u202Efdp.exe":      `"\u202efdp.exe"`,
		"\u200b":             `"\u200b"`,
		"\u3000":             `"\u3000"`,
		"\x00":               `"\x00"`,
		"\U000E0041":         `"\U000e0041"`,
		"\ufeff<script>\x1b": `"\ufeff<script>\x1b"`,
	} {
		require.Equal(t, want, visible(in))
	}
	require.Equal(t, "OK", brief("OK\r\n"))
	require.Len(t, []rune(brief(fmt.Sprintf("%0100d", 0))), 61)
}

func TestYen(t *testing.T) {
	t.Parallel()
	for n, want := range map[int64]string{0: "0", 999: "999", 1580: "1,580", 123456: "123,456", math.MaxInt64: "9,223,372,036,854,775,807"} {
		require.Equal(t, want, yen(n))
	}
}

func TestLanguage(t *testing.T) {
	t.Parallel()
	for accepted, want := range map[string]string{
		"": english, "ja": japanese, "ja-JP,ja;q=0.9,en-US;q=0.8": japanese, "en-GB,ja": english, "fr-FR, JA;q=0.5": japanese, "fr,de": english, "jam": english,
	} {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil)
		require.NoError(t, err)
		r.Header.Set("Accept-Language", accepted)
		require.Equal(t, want, languageOf(r), accepted)
		r.AddCookie(&http.Cookie{Name: languageCookie, Value: "xx"})
		require.Equal(t, want, languageOf(r), "an unknown choice is none")
	}
}

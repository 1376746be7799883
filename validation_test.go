package jpayment_test

import (
	"math"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/jpayment-go/jpayment"
)

func TestNewClientValidates(t *testing.T) {
	t.Parallel()
	for storeID, want := range map[string]string{
		"":        "StoreID (aid) is empty",
		"1234567": "StoreID (aid) has 7 digits; a store ID (店舗ID) has 6",
		"12345":   "StoreID (aid) has 5 digits; a store ID (店舗ID) has 6",
		"１２３４５６":  "StoreID (aid) has full-width digits (全角); use half-width (半角) 0-9",
		"12345 ":  "StoreID (aid) has white space; use digits only",
		"12345a":  "StoreID (aid) has characters other than the digits 0-9",
	} {
		_, err := jpayment.NewClient(storeID)
		requireFaults(t, err, want)
	}
	for want, opt := range map[string]jpayment.Option{
		"WithHTTPClient is nil":                                               jpayment.WithHTTPClient(nil),
		"WithTransportWrapper is nil":                                         jpayment.WithTransportWrapper(nil),
		"WithTransportWrapper returned no transport":                          jpayment.WithTransportWrapper(func(http.RoundTripper) http.RoundTripper { return nil }),
		"WithLogger is nil":                                                   jpayment.WithLogger(nil),
		"WithTimeout is not positive":                                         jpayment.WithTimeout(0),
		"WithTimeout is less than a millisecond; is the unit missing?":        jpayment.WithTimeout(30),
		"WithConnectionAuth is empty":                                         jpayment.WithConnectionAuth(""),
		"WithCharset is neither UTF8 nor ShiftJIS":                            jpayment.WithCharset(7),
		"WithUserAgent is empty or has characters other than printable ASCII": jpayment.WithUserAgent("a\r\nb"),
		"WithBaseURL is not an absolute URL":                                  jpayment.WithBaseURL("credit.j-payment.co.jp"),
		"WithBaseURL is neither https nor http":                               jpayment.WithBaseURL("ftp://credit.j-payment.co.jp"),
		"WithBaseURL is http to another machine; use https":                   jpayment.WithBaseURL("http://credit.j-payment.co.jp/"),
		"WithBaseURL must not have a user, a query or a fragment":             jpayment.WithBaseURL("https://u:p@example.jp/"),
		"WithRetry has a MaxAttempts that is not between 1 and 10":            jpayment.WithRetry(jpayment.RetryPolicy{MaxAttempts: 11}),
		"WithRetry has a negative BaseDelay or MaxDelay":                      jpayment.WithRetry(jpayment.RetryPolicy{BaseDelay: -1}),
		"WithRetry has a MaxDelay that is shorter than BaseDelay":             jpayment.WithRetry(jpayment.RetryPolicy{MaxDelay: time.Millisecond}),
	} {
		_, err := jpayment.NewClient("123456", opt)
		requireFaults(t, err, want)
	}
	_, err := jpayment.NewClient("", jpayment.WithTimeout(-1), jpayment.WithLogger(nil))
	requireFaults(t, err, "StoreID (aid) is empty", "WithTimeout is not positive", "WithLogger is nil")
	require.EqualError(t, err, "jpayment: NewClient: outcome not sent: StoreID (aid) is empty; WithTimeout is not positive; WithLogger is nil; next: correct the input; nothing was sent")

	for _, ok := range []string{"https://example.jp", "https://example.jp/pay/", "http://localhost:1", "http://127.9.9.9:1", "http://[::1]:1"} {
		_, err := jpayment.NewClient("123456", jpayment.WithBaseURL(ok))
		require.NoError(t, err, ok)
	}
}

func requireFaults(t *testing.T, err error, want ...string) {
	t.Helper()
	var ve *jpayment.ValidationError
	require.ErrorAs(t, err, &ve)
	got := make([]string, len(ve.Fields))
	for i, f := range ve.Fields {
		got[i] = f.String()
	}
	require.Equal(t, want, got)
	require.Equal(t, jpayment.OutcomeNotSent, jpayment.OutcomeOf(err))
}

func TestPaymentIDIsValidated(t *testing.T) {
	t.Parallel()
	gw := newStub(t, reply(salesOK))
	c := gw.client(t)
	for id, want := range map[string]string{
		"":        "PaymentID (tid) is empty",
		"1a":      "PaymentID (tid) has characters other than the digits 0-9",
		"-1":      "PaymentID (tid) has characters other than the digits 0-9",
		" 1":      "PaymentID (tid) has white space; use digits only",
		"1\u3000": "PaymentID (tid) has white space; use digits only",
		"１":       "PaymentID (tid) has full-width digits (全角); use half-width (半角) 0-9",

		strings.Repeat("1", 21): "PaymentID (tid) has 21 digits; at most 20 are allowed",
	} {
		_, err := c.Sales(t.Context(), jpayment.SalesRequest{PaymentID: id})
		requireFaults(t, err, want)
		_, err = c.Cancel(t.Context(), jpayment.CancelRequest{PaymentID: id})
		requireFaults(t, err, want)
		_, err = c.ReAuth(t.Context(), jpayment.ReAuthRequest{PaymentID: id, Amount: 1})
		requireFaults(t, err, want)
		requireFaults(t, c.ReAuthByKickback(t.Context(), jpayment.ReAuthRequest{PaymentID: id, Amount: 1}), want)
	}
	require.Empty(t, gw.got(), "nothing was sent")
}

func TestReAuthIsValidated(t *testing.T) {
	t.Parallel()
	gw := newStub(t, reply(reAuthOK))
	c := gw.client(t)
	const max = math.MaxInt64
	for name, tt := range map[string]struct {
		change func(*jpayment.ReAuthRequest)
		want   []string
	}{
		"negative amounts": {
			func(r *jpayment.ReAuthRequest) { r.Amount, r.Tax, r.Shipping = -1, -2, -3 },
			[]string{"Amount (am) is negative", "Tax (tx) is negative", "Shipping (sf) is negative"},
		},
		"nothing to pay": {
			func(r *jpayment.ReAuthRequest) { r.Amount, r.Tax, r.Shipping = 0, 0, 0 },
			[]string{"Amount (am) plus tax plus shipping is 0 yen; cancel the payment instead"},
		},
		"overflow by tax": {
			func(r *jpayment.ReAuthRequest) { r.Amount, r.Tax = max, 1 },
			[]string{"Amount (am) plus tax plus shipping is too large"},
		},
		"overflow by shipping": {
			func(r *jpayment.ReAuthRequest) { r.Amount, r.Tax, r.Shipping = max-1, 1, 1 },
			[]string{"Amount (am) plus tax plus shipping is too large"},
		},
		"em of 255 bytes": {
			func(r *jpayment.ReAuthRequest) { r.Email = jpayment.NewSecret(strings.Repeat("a", 245) + "@aaaa.test") },
			[]string{"Email (em) is 255 bytes long; at most 254 are allowed"},
		},
		"em in full width": {
			func(r *jpayment.ReAuthRequest) { r.Email = jpayment.NewSecret("ａ@example.jp") },
			[]string{"Email (em) has characters other than half-width (半角) letters, digits and signs"},
		},
		"em with a line break": {
			func(r *jpayment.ReAuthRequest) { r.Email = jpayment.NewSecret("a@example.jp\r\nBcc: b") },
			[]string{"Email (em) has characters other than half-width (半角) letters, digits and signs"},
		},
		"em without a domain": {func(r *jpayment.ReAuthRequest) { r.Email = jpayment.NewSecret("a@") }, []string{"Email (em) is not an e-mail address"}},
		"em twice":            {func(r *jpayment.ReAuthRequest) { r.Email = jpayment.NewSecret("a@b@c") }, []string{"Email (em) is not an e-mail address"}},
		"pn with hyphens": {
			func(r *jpayment.ReAuthRequest) { r.Phone = jpayment.NewSecret("03-1234-5678") },
			[]string{"Phone (pn) has hyphens; use digits only"},
		},
		"pn of 16 digits": {
			func(r *jpayment.ReAuthRequest) { r.Phone = jpayment.NewSecret("0123456789012345") },
			[]string{"Phone (pn) has 16 digits; at most 15 are allowed"},
		},
		"pn with a plus": {
			func(r *jpayment.ReAuthRequest) { r.Phone = jpayment.NewSecret("+81312345678") },
			[]string{"Phone (pn) has characters other than the digits 0-9"},
		},
		"everything at once": {
			func(r *jpayment.ReAuthRequest) {
				*r = jpayment.ReAuthRequest{Amount: -1, Email: jpayment.NewSecret("x"), Phone: jpayment.NewSecret("x"), Extra: jpayment.NewExtra(map[string]string{"aid": "1"})}
			},
			[]string{
				"PaymentID (tid) is empty", "Amount (am) is negative", "Email (em) is not an e-mail address",
				"Phone (pn) has characters other than the digits 0-9",
				`Extra["aid"] is a parameter name of the protocol; choose another key`,
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			req := jpayment.ReAuthRequest{PaymentID: "1", Amount: 1000, Tax: 80, Shipping: 500}
			tt.change(&req)
			_, err := c.ReAuth(t.Context(), req)
			requireFaults(t, err, tt.want...)
			requireFaults(t, c.ReAuthByKickback(t.Context(), req), tt.want...)
			require.Empty(t, gw.got(), "nothing was sent")
		})
	}
}

func TestWhatIsJustAllowed(t *testing.T) {
	t.Parallel()
	gw := newStub(t, reply("OK"))
	c := gw.client(t)
	for name, req := range map[string]jpayment.ReAuthRequest{
		"em of 254 bytes":          {PaymentID: "1", Amount: 1, Email: jpayment.NewSecret(strings.Repeat("a", 244) + "@aaaa.test")},
		"em with a carrier's dots": {PaymentID: "1", Amount: 1, Email: jpayment.NewSecret("a..b.@docomo.test")},
		"pn of 15 digits":          {PaymentID: "1", Amount: 1, Phone: jpayment.NewSecret("012345678901234")},
		"the largest total":        {PaymentID: "1", Amount: math.MaxInt64 - 3, Tax: 2, Shipping: 1},
		"shipping alone":           {PaymentID: "1", Shipping: 1},
		"1,024 bytes of data":      {PaymentID: "1", Amount: 1, Extra: jpayment.NewExtra(map[string]string{"k": strings.Repeat("v", 1022)})},
		"two pairs, 1,024 bytes":   {PaymentID: "1", Amount: 1, Extra: jpayment.NewExtra(map[string]string{"k": strings.Repeat("v", 1017), "l": "vv"})},
	} {
		require.NoError(t, c.ReAuthByKickback(t.Context(), req), name)
	}
}

func TestExtraIsValidated(t *testing.T) {
	t.Parallel()
	gw := newStub(t, reply(salesOK))
	for name, tt := range map[string]struct {
		extra   jpayment.Extra
		charset jpayment.Charset
		want    []string
	}{
		"1,025 bytes": {
			jpayment.NewExtra(map[string]string{"k": strings.Repeat("v", 1023)}),
			jpayment.UTF8,
			[]string{"Extra is 1025 bytes long as key=value in UTF-8; at most 1024 are allowed"},
		},
		"1,025 bytes in two pairs": {
			jpayment.NewExtra(map[string]string{"k": strings.Repeat("v", 1017), "l": "vvv"}),
			jpayment.UTF8,
			[]string{"Extra is 1025 bytes long as key=value in UTF-8; at most 1024 are allowed"},
		},
		"counted in the wire's charset": {
			jpayment.NewExtra(map[string]string{"k": strings.Repeat("山", 512)}),
			jpayment.ShiftJIS,
			[]string{"Extra is 1026 bytes long as key=value in Shift_JIS; at most 1024 are allowed"},
		},
		"empty key": {jpayment.NewExtra(map[string]string{"": "v"}), jpayment.UTF8, []string{`Extra[""] has an empty key`}},
		"the protocol's keys, in any case": {
			jpayment.NewExtra(map[string]string{"TID": "1", "Rst": "1", "acid": "1", "HAK": "1"}),
			jpayment.UTF8,
			[]string{
				`Extra["HAK"] is a parameter name of the protocol; choose another key`,
				`Extra["Rst"] is a parameter name of the protocol; choose another key`,
				`Extra["TID"] is a parameter name of the protocol; choose another key`,
				`Extra["acid"] is a parameter name of the protocol; choose another key`,
			},
		},
		"control character in a key": {jpayment.NewExtra(map[string]string{"a\nb": "v"}), jpayment.UTF8, []string{`Extra["a\nb"] has a control character in its key`}},
		"not UTF-8": {
			jpayment.NewExtra(map[string]string{"k": "a\xff", "l\xff": ""}),
			jpayment.UTF8,
			[]string{`Extra["k"] value is not valid UTF-8`, `Extra["l\xff"] key is not valid UTF-8`},
		},
		"not in Shift_JIS": {
			jpayment.NewExtra(map[string]string{"k": "山😀", "l": "1¥"}),
			jpayment.ShiftJIS,
			[]string{`Extra["k"] value has a character (the 2nd) that cannot be written in Shift_JIS`, `Extra["l"] value has a character (the 2nd) that cannot be written in Shift_JIS`},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := gw.client(t, jpayment.WithCharset(tt.charset))
			_, err := c.Sales(t.Context(), jpayment.SalesRequest{PaymentID: "1", Extra: tt.extra})
			requireFaults(t, err, tt.want...)
			_, err = c.Cancel(t.Context(), jpayment.CancelRequest{PaymentID: "1", Extra: tt.extra})
			requireFaults(t, err, tt.want...)
			require.Empty(t, gw.got(), "nothing was sent")
		})
	}
}

func TestOptionsReachTheWire(t *testing.T) {
	t.Parallel()
	gw := newStub(t, func(w http.ResponseWriter, r *http.Request) {
		http.SetCookie(w, &http.Cookie{Name: "a", Value: "b"})
		reply(salesOK)(w, r)
	})
	own := &http.Client{Timeout: time.Minute}
	c := gw.client(t, jpayment.WithUserAgent("orders/1.0"), jpayment.WithHTTPClient(own), jpayment.WithBaseURL(gw.URL+"/proxied/"))
	_, err := c.Sales(t.Context(), jpayment.SalesRequest{PaymentID: "10000001"})
	require.NoError(t, err)
	require.Equal(t, "orders/1.0", gw.got()[0].UserAgent)
	require.Equal(t, "/proxied/gateway/gateway.aspx", gw.got()[0].URI)
	require.Nil(t, own.CheckRedirect, "the caller's client is not touched")
}

// The wrapper receives the client's final transport, whatever the order of the options. By
// default that is the hardened one.
func TestTransportWrapper(t *testing.T) {
	t.Parallel()
	var passed []string
	wrap := func(name string, wrapped *http.RoundTripper) jpayment.Option {
		return jpayment.WithTransportWrapper(func(rt http.RoundTripper) http.RoundTripper {
			if wrapped != nil {
				*wrapped = rt
			}
			return roundTrip(func(r *http.Request) (*http.Response, error) {
				passed = append(passed, name)
				return rt.RoundTrip(r)
			})
		})
	}
	gw := newStub(t, reply(salesOK))
	own := &http.Client{Transport: &http.Transport{}}
	bare := &http.Client{}
	for name, tt := range map[string]struct {
		opts func(*http.RoundTripper) []jpayment.Option
		want http.RoundTripper
	}{
		"before WithHTTPClient": {func(rt *http.RoundTripper) []jpayment.Option {
			return []jpayment.Option{wrap("inner", rt), wrap("outer", nil), jpayment.WithHTTPClient(own)}
		}, own.Transport},
		"after WithHTTPClient": {func(rt *http.RoundTripper) []jpayment.Option {
			return []jpayment.Option{jpayment.WithHTTPClient(own), wrap("inner", rt), wrap("outer", nil)}
		}, own.Transport},
		"a client without a transport": {func(rt *http.RoundTripper) []jpayment.Option {
			return []jpayment.Option{wrap("inner", rt), jpayment.WithHTTPClient(bare), wrap("outer", nil)}
		}, http.DefaultTransport},
		"the default": {func(rt *http.RoundTripper) []jpayment.Option {
			return []jpayment.Option{wrap("inner", rt), wrap("outer", nil)}
		}, nil},
	} {
		passed = nil
		var wrapped http.RoundTripper
		_, err := gw.client(t, tt.opts(&wrapped)...).Sales(t.Context(), jpayment.SalesRequest{PaymentID: "10000001"})
		require.NoError(t, err, name)
		require.Equal(t, []string{"outer", "inner"}, passed, name)
		if tt.want != nil {
			require.Same(t, tt.want, wrapped, name)
			continue
		}
		transport, ok := wrapped.(*http.Transport)
		require.True(t, ok)
		require.False(t, transport.Protocols.HTTP2())
	}
	require.Nil(t, bare.Transport, "the caller's client is not touched")
}

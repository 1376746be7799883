package jpayment_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/jpayment-go/jpayment"
)

const formType = "application/x-www-form-urlencoded"

func TestRequestsByteForByte(t *testing.T) {
	t.Parallel()
	reAuth := jpayment.ReAuthRequest{PaymentID: "10000001", Amount: 900, Tax: 72, Shipping: 500}
	full := reAuth
	full.Email, full.Phone, full.Extra = "a.b+c@example.jp", "0312345678", jpayment.Extra{"note": "a b\r\nc&d=e+f%"}
	zero := jpayment.ReAuthRequest{PaymentID: "10000001", Amount: 1}
	japanese := jpayment.SalesRequest{PaymentID: "10000001", Extra: jpayment.Extra{"備考": "表示"}}
	for name, tt := range map[string]struct {
		call  func(context.Context, *jpayment.Client) error
		opts  []jpayment.Option
		reply string
		path  string
		body  string
	}{
		"Sales": {
			call:  sales(jpayment.SalesRequest{PaymentID: "10000001"}),
			reply: salesOK, path: "/gateway/gateway.aspx",
			body: "aid=123456&jb=SALES&rt=1&tid=10000001",
		},
		"Sales with data": {
			call:  sales(jpayment.SalesRequest{PaymentID: "10000001", Extra: jpayment.Extra{"b": "", "a": "1 2"}}),
			reply: salesOK, path: "/gateway/gateway.aspx",
			body: "a=1%202&aid=123456&b=&jb=SALES&rt=1&tid=10000001",
		},
		"Sales in UTF-8": {
			call: sales(japanese), reply: salesOK, path: "/gateway/gateway.aspx",
			body: "aid=123456&jb=SALES&rt=1&tid=10000001&%E5%82%99%E8%80%83=%E8%A1%A8%E7%A4%BA",
		},
		"Sales in Shift_JIS": {
			call: sales(japanese), opts: []jpayment.Option{jpayment.WithCharset(jpayment.ShiftJIS)},
			reply: salesOK, path: "/gateway/gateway.aspx",
			body: "aid=123456&jb=SALES&rt=1&tid=10000001&%94%F5%8Dl=%95%5C%8E%A6",
		},
		"Cancel": {
			call:  cancelling(jpayment.CancelRequest{PaymentID: "10000001", Extra: jpayment.Extra{"why": "returned"}}),
			reply: salesOK, path: "/gateway/gateway.aspx",
			body: "aid=123456&jb=CANCEL&rt=1&tid=10000001&why=returned",
		},
		"ReAuth": {
			call: reAuthorise(reAuth), reply: reAuthOK, path: "/gateway/re_auth.aspx",
			body: "aid=123456&am=900&rt=1&sf=500&tid=10000001&tx=72",
		},
		"ReAuth, zero tax and shipping": {
			call: reAuthorise(zero), reply: "10000002,1,A00002,,,,1,0,0,1,,,", path: "/gateway/re_auth.aspx",
			body: "aid=123456&am=1&rt=1&sf=0&tid=10000001&tx=0",
		},
		"ReAuth with everything": {
			call: reAuthorise(full), reply: reAuthOK, path: "/gateway/re_auth.aspx",
			body: "aid=123456&am=900&em=a.b%2Bc%40example.jp&note=a%20b%0D%0Ac%26d%3De%2Bf%25&pn=0312345678&rt=1&sf=500&tid=10000001&tx=72",
		},
		"ReAuthByKickback": {
			call:  func(ctx context.Context, c *jpayment.Client) error { return c.ReAuthByKickback(ctx, reAuth) },
			reply: "OK", path: "/gateway/re_auth.aspx",
			body: "aid=123456&am=900&rt=0&sf=500&tid=10000001&tx=72",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			gw := newStub(t, reply(tt.reply))
			require.NoError(t, tt.call(t.Context(), gw.client(t, tt.opts...)))
			require.Equal(t, []stubRequest{{http.MethodPost, tt.path, formType, "jpayment-go", tt.body}}, gw.got())
		})
	}
}

func sales(req jpayment.SalesRequest) func(context.Context, *jpayment.Client) error {
	return func(ctx context.Context, c *jpayment.Client) error {
		_, err := c.Sales(ctx, req)
		return err
	}
}

func cancelling(req jpayment.CancelRequest) func(context.Context, *jpayment.Client) error {
	return func(ctx context.Context, c *jpayment.Client) error {
		_, err := c.Cancel(ctx, req)
		return err
	}
}

func reAuthorise(req jpayment.ReAuthRequest) func(context.Context, *jpayment.Client) error {
	return func(ctx context.Context, c *jpayment.Client) error {
		_, err := c.ReAuth(ctx, req)
		return err
	}
}

func TestResultReachesTheCaller(t *testing.T) {
	t.Parallel()
	gw := newStub(t, reply(salesOK), reply(salesOK), reply(reAuthOK))
	c := gw.client(t)
	captured, err := c.Sales(t.Context(), jpayment.SalesRequest{PaymentID: "10000001"})
	require.NoError(t, err)
	require.Equal(t, &jpayment.Result{
		PaymentID: "10000001", Status: jpayment.StatusSucceeded, ApprovalCode: jpayment.NewSecret("A00001"), OrderCode: "20000001", OrderNumber: "o-1",
		Amount: jpayment.Yen(1000), Tax: jpayment.Yen(80), Shipping: jpayment.Yen(500), Total: jpayment.Yen(1580),
	}, captured)
	cancelled, err := c.Cancel(t.Context(), jpayment.CancelRequest{PaymentID: "10000001"})
	require.NoError(t, err)
	require.Equal(t, captured, cancelled)
	renewed, err := c.ReAuth(t.Context(), jpayment.ReAuthRequest{PaymentID: "10000001", Amount: 900, Tax: 72, Shipping: 500})
	require.NoError(t, err)
	require.Equal(t, "10000002", renewed.PaymentID)
	require.Equal(t, jpayment.Yen(1472), renewed.Total)
}

func TestConnectionAuth(t *testing.T) {
	t.Parallel()
	gw := newStub(t, reply(salesOK))
	_, err := gw.client(t, jpayment.WithConnectionAuth("s3cret")).Sales(t.Context(), jpayment.SalesRequest{PaymentID: "10000001"})
	require.NoError(t, err)
	form, err := url.ParseQuery(gw.got()[0].Body)
	require.NoError(t, err)
	require.Regexp(t, `^\d{10}$`, form.Get("ut"))
	sum := sha256.Sum256([]byte(form.Get("ut") + "s3cret"))
	require.Equal(t, hex.EncodeToString(sum[:]), form.Get("hak"))
}

func TestUnusableReplies(t *testing.T) {
	t.Parallel()
	status := func(code int, text string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Location", "/elsewhere")
			w.WriteHeader(code)
			fmt.Fprint(w, text)
		}
	}
	for name, tt := range map[string]struct {
		answer http.HandlerFunc
		reason string
		status int
	}{
		"status 500 with a success": {status(500, salesOK), "the HTTP status is not 200", 500},
		"status 204":                {status(204, ""), "the HTTP status is not 200", 204},
		"redirect":                  {status(302, ""), "the HTTP status is not 200", 302},
		"redirect that repeats":     {status(307, ""), "the HTTP status is not 200", 307},
		"a page":                    {reply("<html>busy</html>"), "it is an HTML page", 200},
		"nothing":                   {reply(""), "it is empty", 200},
		"OK":                        {reply("OK"), "it promises a kickback, which was not asked for", 200},
		"too long":                  {reply(strings.TrimSpace(salesOK) + strings.Repeat("x", 64<<10)), "it is longer than 64 KiB", 200},
		"shorter than announced": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "100")
			fmt.Fprint(w, salesOK)
		}, "it is cut short", 200},
		"wrong charset named": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/html; charset=UTF-8")
			fmt.Fprint(w, shiftJIS(t, "10000001,1,A00001,,1,注文,1000,80,500,1580,,,"))
		}, "is neither UTF-8 nor Shift_JIS", 200},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			gw := newStub(t, tt.answer)
			res, err := gw.client(t).Sales(t.Context(), jpayment.SalesRequest{PaymentID: "10000001"})
			require.Nil(t, res)
			var re *jpayment.ReplyError
			require.ErrorAs(t, err, &re)
			require.Equal(t, tt.reason, re.Reason)
			require.Equal(t, tt.status, re.StatusCode)
			require.Equal(t, jpayment.Call{Operation: jpayment.OpSales, PaymentID: "10000001", Attempts: 1}, re.Call)
			require.Equal(t, jpayment.OutcomeUnknown, jpayment.OutcomeOf(err))
			require.LessOrEqual(t, len(re.Raw()), 64<<10)
			require.Len(t, gw.got(), 1, "an unknown outcome is not repeated unasked")
		})
	}
}

func TestCharsetOfTheReply(t *testing.T) {
	t.Parallel()
	const text = "10000001,1,A00001,,1,注文,1000,80,500,1580,,,"
	for contentType, body := range map[string]string{
		"text/html; charset=Shift_JIS":   shiftJIS(t, text),
		"text/html; charset=windows-31j": shiftJIS(t, text),
		"text/html; charset=utf-8":       text,
		"text/html":                      shiftJIS(t, text),
		"text/html; charset=unheard-of":  text,
		";":                              text,
	} {
		gw := newStub(t, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", contentType)
			fmt.Fprint(w, body)
		})
		res, err := gw.client(t).Sales(t.Context(), jpayment.SalesRequest{PaymentID: "10000001"})
		require.NoError(t, err, contentType)
		require.Equal(t, "注文", res.OrderNumber, contentType)
	}
}

func TestReAuthComparesAmounts(t *testing.T) {
	t.Parallel()
	req := jpayment.ReAuthRequest{PaymentID: "10000001", Amount: 900, Tax: 72, Shipping: 500}
	for column, amounts := range map[string]string{"am": "901,72,499,1472", "tx": "900,73,499,1472", "sf": "900,72,,972"} {
		gw := newStub(t, reply("10000002,1,A00002,,2,o-1,"+amounts+",,,"))
		_, err := gw.client(t).ReAuth(t.Context(), req)
		var re *jpayment.ReplyError
		require.ErrorAs(t, err, &re)
		require.Equal(t, column, re.Column)
		require.Equal(t, "is not the amount asked for", re.Reason)
		require.Equal(t, "10000002", re.Result.PaymentID, "the new payment's number is not lost")
	}
}

func TestReplyAboutAnotherPayment(t *testing.T) {
	t.Parallel()
	gw := newStub(t, reply(salesOK))
	for name, call := range map[string]func(context.Context, *jpayment.Client) error{
		"Sales":  sales(jpayment.SalesRequest{PaymentID: "10000009"}),
		"Cancel": cancelling(jpayment.CancelRequest{PaymentID: "10000009"}),
	} {
		err := call(t.Context(), gw.client(t))
		require.ErrorContains(t, err, "outcome unknown: the reply cannot count: gid is not the payment asked for", name)
		var re *jpayment.ReplyError
		require.ErrorAs(t, err, &re)
		require.Equal(t, "10000001", re.Result.PaymentID)
		require.NoError(t, call(t.Context(), gw.client(t, jpayment.WithUnmatchedPaymentID())), name)
	}
}

func TestReAuthByKickbackTakesOnlyOK(t *testing.T) {
	t.Parallel()
	req := jpayment.ReAuthRequest{PaymentID: "10000001", Amount: 900}
	gw := newStub(t, reply(reAuthOK), reply("ER:ER061"))
	c := gw.client(t)
	err := c.ReAuthByKickback(t.Context(), req)
	var re *jpayment.ReplyError
	require.ErrorAs(t, err, &re)
	require.Equal(t, "10000002", re.Result.PaymentID)
	err = c.ReAuthByKickback(t.Context(), req)
	require.ErrorIs(t, err, jpayment.Code("ER061"))
	require.Equal(t, jpayment.OutcomeRefused, jpayment.OutcomeOf(err))
}

func TestProductionOnly(t *testing.T) {
	t.Parallel()
	gw := newStub(t, reply("10000001,1,TestMod,,2,,1000,80,500,1580,,,"))
	req := jpayment.SalesRequest{PaymentID: "10000001"}
	res, err := gw.client(t).Sales(t.Context(), req)
	require.NoError(t, err)
	require.True(t, res.TestMode())

	retry := jpayment.WithRetry(jpayment.RetryPolicy{ReplayUnknown: true})
	_, err = gw.client(t, jpayment.WithProductionOnly(), retry).Sales(t.Context(), req)
	require.ErrorIs(t, err, jpayment.ErrTestMode)
	require.Equal(t, jpayment.OutcomeUnknown, jpayment.OutcomeOf(err))
	require.Len(t, gw.got(), 2, "a test's approval is not repeated")
}

func TestConnectionsAreReused(t *testing.T) {
	t.Parallel()
	answers := []http.HandlerFunc{
		reply(salesOK), reply(refusal("ER032")), reply("<html></html>"), reply(salesOK + strings.Repeat(" ", 60<<10)),
		func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(500); fmt.Fprint(w, "down") },
		reply(salesOK),
	}
	gw := newStub(t, answers...)
	c := gw.client(t)
	for range answers {
		c.Sales(t.Context(), jpayment.SalesRequest{PaymentID: "10000001"})
	}
	require.Len(t, gw.got(), len(answers))
	require.Equal(t, int32(1), gw.opened.Load())
}

func TestClientIsSafeForConcurrentUse(t *testing.T) {
	t.Parallel()
	gw := newStub(t, reply(salesOK))
	c := gw.client(t, jpayment.WithConnectionAuth("x"))
	var wg sync.WaitGroup
	for range 16 {
		wg.Go(func() {
			for range 20 {
				_, err := c.Sales(t.Context(), jpayment.SalesRequest{PaymentID: "10000001"})
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	require.Len(t, gw.got(), 320)
}

func TestLogger(t *testing.T) {
	t.Parallel()
	var buf bytes.Buffer
	log := slog.New(slog.NewTextHandler(&buf, &slog.HandlerOptions{ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
		if a.Key == slog.TimeKey || a.Key == "elapsed" {
			return slog.Attr{}
		}
		return a
	}}))
	gw := newStub(t, reply(refusal("ER010")), reply(salesOK))
	_, err := gw.client(t, jpayment.WithLogger(log)).Sales(t.Context(), jpayment.SalesRequest{PaymentID: "10000001"})
	require.NoError(t, err)
	require.Equal(t, strings.Join([]string{
		`level=WARN msg="jpayment: Sales" operation=Sales payment_id=10000001 attempt=1 outcome=refused ` +
			`error="jpayment: Sales of payment 10000001: outcome refused: ER010 (payment processing is congested); next: send it again a little later"`,
		`level=INFO msg="jpayment: Sales" operation=Sales payment_id=10000001 attempt=2 outcome=done ` +
			`result.payment_id=10000001 result.status=succeeded result.code="" result.order_code=20000001 result.order_number=o-1 ` +
			`result.amount=1000 result.tax=80 result.shipping=500 result.total=1580 result.test_mode=false`,
		"",
	}, "\n"), buf.String())

	buf.Reset()
	quiet := slog.New(slog.NewTextHandler(&buf, &slog.HandlerOptions{Level: slog.LevelError}))
	_, err = gw.client(t, jpayment.WithLogger(quiet)).Sales(t.Context(), jpayment.SalesRequest{PaymentID: "10000001"})
	require.NoError(t, err)
	require.Empty(t, buf.String())
}

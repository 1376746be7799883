package jpayment_test

import (
	"bytes"
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
		"status 500 with a success": {status(500, salesOK), "the HTTP status is not 200 but 500", 500},
		"status 204":                {status(204, ""), "the HTTP status is not 200 but 204", 204},
		"redirect":                  {status(302, ""), "the HTTP status is not 200 but 302", 302},
		"redirect that repeats":     {status(307, ""), "the HTTP status is not 200 but 307", 307},
		"a page":                    {reply("<html>busy</html>"), "it is an HTML page", 200},
		"nothing":                   {reply(""), "it is empty", 200},
		"OK":                        {reply("OK"), "it announces a kickback that was not requested", 200},
		"too long":                  {reply(strings.TrimSpace(salesOK) + strings.Repeat("x", 64<<10)), "it is longer than 64 KiB", 200},
		"shorter than announced": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "100")
			fmt.Fprint(w, salesOK)
		}, "it is cut short", 200},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			gw := newStub(t, tt.answer)
			res, err := gw.client(t).Sales(t.Context(), jpayment.SalesRequest{PaymentID: "10000001"})
			require.Nil(t, res)
			var re *jpayment.ReplyError
			require.ErrorAs(t, err, &re)
			require.Equal(t, tt.reason, re.Reason.En)
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

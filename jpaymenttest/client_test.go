package jpaymenttest_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/jpayment-go/jpayment"
	"github.com/jpayment-go/jpayment/jpaymenttest"
)

// The whole life cycle of payments, through the client.
func TestClientAndGateway(t *testing.T) {
	t.Parallel()
	for name, opts := range map[string][]jpaymenttest.Option{
		"as by default":       nil,
		"14 columns":          {jpaymenttest.WithColumns(14)},
		"11 columns":          {jpaymenttest.WithColumns(11), jpaymenttest.WithLineEnding("")},
		"Shift_JIS replies":   {jpaymenttest.WithShiftJISReplies()},
		"plain other data":    {jpaymenttest.WithPlainOtherData(), jpaymenttest.WithLineEnding("\r")},
		"connection auth":     {jpaymenttest.WithConnectionAuth("0123456789abcdef")},
		"another store":       {jpaymenttest.WithStoreID("654321")},
		"Shift_JIS both ways": {jpaymenttest.WithShiftJISReplies(), jpaymenttest.WithShiftJISRequests()},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			gw := jpaymenttest.NewServer(t, opts...)
			var clientOpts []jpayment.Option
			if strings.Contains(name, "both ways") {
				clientOpts = append(clientOpts, jpayment.WithCharset(jpayment.ShiftJIS))
			}
			c := gw.Client(clientOpts...)
			first := gw.Authorize(jpaymenttest.Authorization{Amount: 1000, Tax: 80, Shipping: 500, OrderNumber: "注文,7"})
			extra := jpayment.NewExtra(map[string]string{"担当": "山 田", "memo": "a+b"})

			res, err := c.ReAuth(t.Context(), jpayment.ReAuthRequest{PaymentID: first, Amount: 900, Tax: 72, Shipping: 500, Email: jpayment.NewSecret("a@example.jp"), Phone: jpayment.NewSecret("0312345678"), Extra: extra})
			require.NoError(t, err)
			require.NotEqual(t, first, res.PaymentID)
			require.Equal(t, jpayment.Yen(1472), res.Total)
			require.Equal(t, "注文,7", res.OrderNumber, "the comma did not shift the amounts")
			require.Equal(t, extra, res.Extra)

			captured, err := c.Sales(t.Context(), jpayment.SalesRequest{PaymentID: res.PaymentID})
			require.NoError(t, err)
			require.Equal(t, jpayment.StatusSucceeded, captured.Status)
			_, err = c.Sales(t.Context(), jpayment.SalesRequest{PaymentID: res.PaymentID})
			require.ErrorIs(t, err, jpayment.CodeCaptureFailed)
			require.Equal(t, jpayment.OutcomeRefused, jpayment.OutcomeOf(err))

			_, err = c.Cancel(t.Context(), jpayment.CancelRequest{PaymentID: res.PaymentID})
			require.NoError(t, err)
			_, err = c.Cancel(t.Context(), jpayment.CancelRequest{PaymentID: first})
			require.ErrorIs(t, err, jpayment.CodeCancelFailed)

			p, _ := gw.Payment(res.PaymentID)
			require.Equal(t, jpaymenttest.Cancelled, p.State)
			require.Equal(t, first, p.Replaces)
			require.Len(t, p.History, 3)
		})
	}
}

func TestRefusalsReachTheCaller(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 3, 1, 0, 0, 0, 0, time.FixedZone("JST", 9*60*60))
	gw := jpaymenttest.NewServer(t, jpaymenttest.WithClock(func() time.Time { return now }))
	c := gw.Client()
	authorize := func(a jpaymenttest.Authorization) string {
		a.Amount = 1000
		return gw.Authorize(a)
	}
	for name, tt := range map[string]struct {
		call    error
		is      error
		outcome jpayment.Outcome
	}{
		"another's payment":  {sales(c, "99"), jpayment.ErrInvalidParameter, jpayment.OutcomeRefused},
		"declined capture":   {sales(c, authorize(jpaymenttest.Authorization{Decline: "G0542G050000"})), jpayment.ErrCardDeclined, jpayment.OutcomeRefused},
		"declined ReAuth":    {reAuth(c, authorize(jpaymenttest.Authorization{Decline: "G0542G050000"})), jpayment.ErrCardDeclined, jpayment.OutcomeUnknown},
		"too old to capture": {sales(c, authorize(jpaymenttest.Authorization{At: now.AddDate(0, 0, -91)})), jpayment.CodeCaptureFailed, jpayment.OutcomeRefused},
		"January is too old": {reAuth(c, authorize(jpaymenttest.Authorization{At: time.Date(2026, 1, 31, 14, 59, 0, 0, time.UTC)})), jpayment.CodePaymentID, jpayment.OutcomeRefused},
		"February is not":    {reAuth(c, authorize(jpaymenttest.Authorization{At: time.Date(2026, 1, 31, 15, 0, 0, 0, time.UTC)})), nil, jpayment.OutcomeDone},
		"registered product": {reAuth(c, authorize(jpaymenttest.Authorization{RegisteredProduct: true})), jpayment.CodePaymentID, jpayment.OutcomeRefused},
	} {
		require.Equal(t, tt.outcome, jpayment.OutcomeOf(tt.call), "%s: %v", name, tt.call)
		if tt.is != nil {
			require.ErrorIs(t, tt.call, tt.is, name)
		}
	}
	id := authorize(jpaymenttest.Authorization{})
	gw.RegisterIPs()
	require.ErrorIs(t, sales(c, id), jpayment.CodeSourceIP)
	err := c.ReAuthByKickback(t.Context(), jpayment.ReAuthRequest{PaymentID: id, Amount: 1})
	require.ErrorIs(t, err, jpayment.CodeSourceIP)
	gw.SetMaintenance(true)
	require.ErrorIs(t, sales(c, id), jpayment.ErrMaintenance)
	p, _ := gw.Payment(id)
	require.Equal(t, jpaymenttest.Authorized, p.State)
}

// With rt=0 the client learns only that the request was accepted. A decline comes by kickback,
// unless the gateway is set to reply with it.
func TestDeclinesByKickback(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		opts    []jpaymenttest.Option
		outcome jpayment.Outcome
		sent    int
	}{
		"told by kickback": {nil, jpayment.OutcomeDone, 1},
		"answered":         {[]jpaymenttest.Option{jpaymenttest.WithDeclinesAnswered()}, jpayment.OutcomeUnknown, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			queries := make(chan string, 1)
			store := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				queries <- r.URL.RawQuery
				fmt.Fprint(w, "OK")
			}))
			t.Cleanup(store.Close)
			var now atomic.Int64
			clock := func() time.Time { return time.Unix(now.Load(), 0) }
			gw := jpaymenttest.NewServer(t, append(tt.opts, jpaymenttest.WithKickbackDelay(time.Second), jpaymenttest.WithClock(clock))...)
			gw.SetKickbackURL(store.URL)
			id := gw.Authorize(jpaymenttest.Authorization{Amount: 1000, Decline: "G0542G050000"})
			extra := jpayment.NewExtra(map[string]string{"order": "7"})
			err := gw.Client().ReAuthByKickback(t.Context(), jpayment.ReAuthRequest{PaymentID: id, Amount: 900, Extra: extra})
			require.Equal(t, tt.outcome, jpayment.OutcomeOf(err))
			now.Add(1)
			require.Equal(t, tt.sent, gw.DeliverKickbacks(t.Context()))
			if tt.sent > 0 {
				require.Equal(t, "gid=10000001&rst=2&ap=&ec=G0542G050000&god=&cod=&am=0&tx=0&sf=0&ta=0&order=7", <-queries)
			}
		})
	}
}

func sales(gw jpayment.Gateway, id string) error {
	_, err := gw.Sales(context.Background(), jpayment.SalesRequest{PaymentID: id})
	return err
}

func reAuth(gw jpayment.Gateway, id string) error {
	_, err := gw.ReAuth(context.Background(), jpayment.ReAuthRequest{PaymentID: id, Amount: 1000})
	return err
}

func TestClientPanicsOnABadOption(t *testing.T) {
	t.Parallel()
	gw := jpaymenttest.NewServer(t)
	_, err := jpayment.NewClient("123456", jpayment.WithTimeout(0))
	require.PanicsWithValue(t, "jpaymenttest: Client: "+err.Error(),
		func() { gw.Client(jpayment.WithTimeout(0)) })
}

// Any text that the client encodes arrives unchanged in the gateway's independent decoder,
// unless the client refuses it before sending.
func FuzzFormEncoding(f *testing.F) {
	f.Add("note", "a b+c&d=e%41\r\n", false)
	f.Add("備考", "表示ソ①～", true)
	f.Add("k", "¥😀", true)
	f.Add("TID", "1", false)
	f.Add("", "\xff", false)
	f.Fuzz(func(t *testing.T, key, value string, shiftJIS bool) {
		var opts []jpaymenttest.Option
		charset := jpayment.UTF8
		if shiftJIS {
			opts, charset = []jpaymenttest.Option{jpaymenttest.WithShiftJISRequests()}, jpayment.ShiftJIS
		}
		gw := jpaymenttest.NewServer(t, opts...)
		id := gw.Authorize(jpaymenttest.Authorization{Amount: 1})
		res, err := gw.Client(jpayment.WithCharset(charset)).Sales(t.Context(), jpayment.SalesRequest{PaymentID: id, Extra: jpayment.NewExtra(map[string]string{key: value})})
		requests := gw.Requests()
		var ve *jpayment.ValidationError
		if errors.As(err, &ve) {
			require.Empty(t, requests)
			return
		}
		require.NoError(t, err)
		require.Len(t, requests, 1)
		require.Len(t, requests[0].Form, 5)
		require.Equal(t, value, requests[0].Form.Get(key))
		require.Equal(t, jpayment.NewExtra(map[string]string{key: value}), res.Extra, "and it comes back with the result")
	})
}

package jpaymenttest_test

import (
	"cmp"
	"context"
	"fmt"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/jpayment-go/jpayment"
	"github.com/jpayment-go/jpayment/jpaymenttest"
)

var key = []byte("0123456789abcdef0123456789abcdef")

func TestNewKickback(t *testing.T) {
	t.Parallel()
	for want, n := range map[string]jpaymenttest.KickbackParams{
		"gid=7&rst=1&ap=&ec=&god=&cod=&am=900&tx=72&sf=500&ta=1472": {PaymentID: "7", Amount: 900, Tax: 72, Shipping: 500},
		"gid=0&rst=2&ap=&ec=G1242G120000&god=&cod=&am=0&tx=0&sf=0&ta=0": {
			PaymentID: "0", Code: "G1242G120000",
		},
		"gid=7&rst=3&ap=A00001&ec=&god=8&cod=%E6%B3%A8%E6%96%87%207&am=1&tx=0&sf=0&ta=1&a=%2B&b=&acid=9": {
			PaymentID: "7", Status: 3, ApprovalCode: "A00001", OrderCode: "8", OrderNumber: "注文 7", Amount: 1,
			Extra: jpayment.NewExtra(map[string]string{"b": "", "a": "+"}), ACID: "9",
		},
		"gid=7&rst=1&ap=&ec=&god=&cod=%92%8D%95%B6&am=0&tx=0&sf=0&ta=0": {PaymentID: "7", OrderNumber: "注文", ShiftJIS: true},
	} {
		require.Equal(t, want, jpaymenttest.NewKickback("/kickback?x=1", n).URL.RawQuery)
	}
	require.Panics(t, func() {
		jpaymenttest.NewKickback("/", jpaymenttest.KickbackParams{OrderNumber: "😀", ShiftJIS: true})
	})
}

func TestNewKickbackSigns(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 11, 23, 0, 0, 0, 0, time.UTC)
	other := jpayment.KickbackRequest{StoreID: "654321", PaymentID: "1", Amount: 1, At: at}
	for name, tt := range map[string]struct {
		params jpaymenttest.KickbackParams
		now    time.Time
		want   jpayment.KickbackRequest
		err    string
	}{
		"as by default": {
			params: jpaymenttest.KickbackParams{PaymentID: "2", Amount: 900, Tax: 72, Key: key, Request: jpayment.KickbackRequest{PaymentID: "1"}},
			now:    time.Now(), want: jpayment.KickbackRequest{StoreID: "123456", PaymentID: "1", Amount: 900, Tax: 72},
		},
		"told":           {params: jpaymenttest.KickbackParams{PaymentID: "2", Amount: 1, Key: key, Request: other}, now: at, want: other},
		"other amounts":  {params: jpaymenttest.KickbackParams{PaymentID: "2", Amount: 2, Key: key, Request: other}, now: at, err: "am is not the requested amount"},
		"stale":          {params: jpaymenttest.KickbackParams{PaymentID: "2", Amount: 1, Key: key, Request: other}, now: time.Now().AddDate(1, 0, 0), err: "jpk is too old"},
		"not signed":     {params: jpaymenttest.KickbackParams{PaymentID: "2", Amount: 1}, now: at, err: "jpk is missing: the kickback is not signed"},
		"by another key": {params: jpaymenttest.KickbackParams{PaymentID: "2", Amount: 1, Key: []byte("x"), Request: other}, now: at, err: "jpk was not signed by any of the keys"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			storeID := cmp.Or(tt.want.StoreID, tt.params.Request.StoreID, "123456")
			verifier, err := jpayment.NewKickbackVerifier(storeID, time.Hour, key)
			require.NoError(t, err)
			k, err := verifier.Verify(jpaymenttest.NewKickback("/", tt.params).URL.RawQuery, tt.now)
			if tt.err != "" {
				require.EqualError(t, err, "jpayment: kickback: "+tt.err)
				return
			}
			require.NoError(t, err)
			if tt.want.At.IsZero() {
				tt.want.At = k.Request.At
			}
			require.True(t, tt.want.At.Equal(k.Request.At))
			k.Request.At = tt.want.At
			require.Equal(t, tt.want, k.Request)
		})
	}
}

// A re-authorisation, its kickback and the handler, end to end.
func TestKickbackReachesTheHandler(t *testing.T) {
	t.Parallel()
	for name, opts := range map[string][]jpaymenttest.Option{
		"as by default": nil,
		"Shift_JIS":     {jpaymenttest.WithShiftJISKickbacks()},
		"with acid":     {jpaymenttest.WithKickbackACID("77")},
		"twice":         {jpaymenttest.WithKickbackDuplicates(1)},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			gateway := jpaymenttest.NewServer(t, opts...)
			verifier, err := jpayment.NewKickbackVerifier("123456", 0, key)
			require.NoError(t, err)
			got := make(chan *jpayment.Kickback, 8)
			handler, err := jpayment.NewKickbackHandler(verifier, func(_ context.Context, k *jpayment.Kickback) error {
				got <- k
				return nil
			})
			require.NoError(t, err)
			receiver := httptest.NewServer(handler)
			t.Cleanup(receiver.Close)
			gateway.SetKickbackURL(receiver.URL + "/kickback")

			good := gateway.Authorize(jpaymenttest.Authorization{Amount: 1000, OrderNumber: "注文7"})
			bad := gateway.Authorize(jpaymenttest.Authorization{Amount: 1000, Decline: "G1242G120000"})
			extra := jpayment.NewExtra(map[string]string{"担当": "山"})
			client := gateway.Client(jpayment.WithKickbackKey(key))
			for _, id := range []string{good, bad} {
				require.NoError(t, client.ReAuthByKickback(t.Context(), jpayment.ReAuthRequest{PaymentID: id, Amount: 900, Tax: 72, Extra: extra}))
			}
			copies := 1
			if name == "twice" {
				copies = 2
			}
			for range copies {
				k := <-got
				require.Equal(t, jpayment.StatusSucceeded, k.Status)
				require.Equal(t, good, k.Request.PaymentID)
				require.Equal(t, "注文7", k.OrderNumber)
				require.Equal(t, extra, k.Extra)
				p, _ := gateway.Payment(k.PaymentID)
				require.Equal(t, good, p.Replaces)
			}
			for range copies {
				k := <-got
				require.Equal(t, jpayment.StatusFailed, k.Status)
				require.Equal(t, bad, k.Request.PaymentID)
				require.ErrorIs(t, k.Code, jpayment.ErrCardDeclined)
			}
			forged := httptest.NewRecorder()
			handler.ServeHTTP(forged, jpaymenttest.NewKickback("/", jpaymenttest.KickbackParams{PaymentID: "9", Amount: 900}))
			require.Equal(t, 403, forged.Code)
			require.Empty(t, forged.Body.Bytes())
			require.Empty(t, got)
		})
	}
}

func ExampleNewKickback() {
	verifier, err := jpayment.NewKickbackVerifier("123456", 0, key)
	if err != nil {
		fmt.Println(err)
		return
	}
	handler, err := jpayment.NewKickbackHandler(verifier, func(_ context.Context, k *jpayment.Kickback) error {
		fmt.Println(k.Request.PaymentID, "is replaced by", k.PaymentID)
		return nil
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	rec := httptest.NewRecorder()
	handler.ServeHTTP(rec, jpaymenttest.NewKickback("/kickback", jpaymenttest.KickbackParams{
		PaymentID: "10000002", Amount: 900, Tax: 72, Shipping: 500,
		Key: key, Request: jpayment.KickbackRequest{PaymentID: "10000001"},
	}))
	fmt.Println(rec.Code, rec.Body)
	// Output:
	// 10000001 is replaced by 10000002
	// 200 OK
}

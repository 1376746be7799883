package jpayment_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"strings"
	"time"

	"github.com/jpayment-go/jpayment"
	"github.com/jpayment-go/jpayment/jpaymenttest"
)

// An http URL is allowed for this machine only.
func ExampleWithBaseURL() {
	client, err := jpayment.NewClient("123456", jpayment.WithBaseURL("http://127.0.0.1:8080"))
	fmt.Println(client, err)
	_, err = jpayment.NewClient("123456", jpayment.WithBaseURL("http://gateway.example"))
	fmt.Println(jpayment.WhatOf(err))
	// Output:
	// Client{store_id:123456 url:http://127.0.0.1:8080/gateway/gateway.aspx} <nil>
	// WithBaseURL is http to another machine; use https
}

// This client trusts the certificate of a test server.
func ExampleWithHTTPClient() {
	gateway := jpaymenttest.Start()
	defer gateway.Close()
	secure := httptest.NewTLSServer(gateway)
	defer secure.Close()
	id := gateway.Authorize(jpaymenttest.Authorization{Amount: 1000})

	client, err := jpayment.NewClient("123456", jpayment.WithBaseURL(secure.URL), jpayment.WithHTTPClient(secure.Client()))
	if err != nil {
		fmt.Println(err)
		return
	}
	res, err := client.Sales(context.Background(), jpayment.SalesRequest{PaymentID: id})
	fmt.Println(res.Total, err)
	// Output: 1000 <nil>
}

// A number without a unit means nanoseconds, which is an error.
func ExampleWithTimeout() {
	_, err := jpayment.NewClient("123456", jpayment.WithTimeout(90*time.Second))
	fmt.Println(err)
	_, err = jpayment.NewClient("123456", jpayment.WithTimeout(90))
	fmt.Println(jpayment.WhatOf(err))
	// Output:
	// <nil>
	// WithTimeout is less than a millisecond; is the unit missing?
}

// A store that authenticates requests refuses requests without the code.
func ExampleWithConnectionAuth() {
	gateway := jpaymenttest.Start(jpaymenttest.WithConnectionAuth("the store's code"))
	defer gateway.Close()
	id := gateway.Authorize(jpaymenttest.Authorization{Amount: 1000})
	for _, opts := range [][]jpayment.Option{nil, {jpayment.WithConnectionAuth("the store's code")}} {
		client, err := jpayment.NewClient("123456", append(opts, jpayment.WithBaseURL(gateway.URL))...)
		if err != nil {
			fmt.Println(err)
			return
		}
		_, err = client.Sales(context.Background(), jpayment.SalesRequest{PaymentID: id})
		fmt.Println(jpayment.OutcomeOf(err))
	}
	// Output:
	// refused
	// done
}

// The signature is the parameter jpk. It names the store and the payment.
func ExampleWithKickbackKey() {
	client, err := jpayment.NewClient("123456", jpayment.WithKickbackKey([]byte("from the secret store: 32 bytes or more")))
	if err != nil {
		fmt.Println(err)
		return
	}
	r, err := client.Preview(context.Background(), jpayment.OpReAuthByKickback, jpayment.ReAuthRequest{PaymentID: "10000001", Amount: 900})
	if err != nil {
		fmt.Println(err)
		return
	}
	body, err := io.ReadAll(r.Body)
	fmt.Println(strings.Contains(string(body), "&jpk=1.123456.10000001."), err)
	// Output: true <nil>
}

func ExampleWithUserAgent() {
	client, err := jpayment.NewClient("123456", jpayment.WithUserAgent("orders/1.0"))
	if err != nil {
		fmt.Println(err)
		return
	}
	r, err := client.Preview(context.Background(), jpayment.OpCancel, jpayment.CancelRequest{PaymentID: "10000001"})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(r.Header.Get("User-Agent"))
	// Output: orders/1.0
}

// The simulated gateway here does not repeat the payment number in its replies.
func ExampleWithUnmatchedPaymentID() {
	for _, opts := range [][]jpayment.Option{nil, {jpayment.WithUnmatchedPaymentID()}} {
		gateway := jpaymenttest.Start(jpaymenttest.WithSetting("success_gid", "own"))
		id := gateway.Authorize(jpaymenttest.Authorization{Amount: 1000})
		_, err := gateway.Client(opts...).Sales(context.Background(), jpayment.SalesRequest{PaymentID: id})
		fmt.Println(jpayment.OutcomeOf(err))
		gateway.Close()
	}
	// Output:
	// unknown
	// done
}

// During key rotation a verifier accepts both keys.
func ExampleNewKickbackVerifier() {
	oldKey, newKey := []byte("the old key, of 32 bytes or more"), []byte("the new key, of 32 bytes or more")
	verifier, err := jpayment.NewKickbackVerifier("123456", time.Hour, newKey, oldKey)
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, key := range [][]byte{oldKey, newKey} {
		kickback := jpaymenttest.NewKickback("/kickback", jpaymenttest.KickbackParams{PaymentID: "10000002", Amount: 900, Key: key})
		_, err = verifier.Verify(kickback.URL.RawQuery, time.Now())
		fmt.Println(err)
	}
	_, err = jpayment.NewKickbackVerifier("123456", time.Hour, nil)
	fmt.Println(jpayment.WhatOf(err))
	// Output:
	// <nil>
	// <nil>
	// keys has a key of 0 bytes; at least 32 are needed
}

// The answer has a body only after the callback has returned nil.
func ExampleNewKickbackHandler() {
	key := []byte("from the secret store: 32 bytes or more")
	verifier, err := jpayment.NewKickbackVerifier("123456", 0, key)
	if err != nil {
		fmt.Println(err)
		return
	}
	handler, err := jpayment.NewKickbackHandler(verifier, func(_ context.Context, k *jpayment.Kickback) error {
		fmt.Println(k.Request.PaymentID, "is replaced by", k.PaymentID)
		return nil // after it is stored
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	request := jpayment.KickbackRequest{StoreID: "123456", PaymentID: "10000001", Amount: 900, At: time.Now()}
	for _, key := range [][]byte{key, nil} { // signed, and not
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, jpaymenttest.NewKickback("/kickback", jpaymenttest.KickbackParams{
			PaymentID: "10000002", Amount: 900, Key: key, Request: request,
		}))
		fmt.Printf("%d %q\n", w.Code, w.Body)
	}
	// Output:
	// 10000001 is replaced by 10000002
	// 200 "OK"
	// 403 ""
}

// take is a callback that accepts every kickback.
func take(context.Context, *jpayment.UnverifiedKickback) error { return nil }

func ExampleKickbackAllowFrom() {
	handler, err := jpayment.NewUnverifiedKickbackHandler(take, jpayment.KickbackAllowFrom(netip.MustParsePrefix("192.0.2.0/24")))
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, from := range []string{"192.0.2.1:4711", "198.51.100.1:4711"} {
		r := jpaymenttest.NewKickback("/kickback", jpaymenttest.KickbackParams{PaymentID: "10000002", Amount: 900})
		r.RemoteAddr = from
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, r)
		fmt.Println(from, w.Code)
	}
	// Output:
	// 192.0.2.1:4711 200
	// 198.51.100.1:4711 403
}

// The header counts only if the request comes from the proxy.
func ExampleKickbackTrustProxy() {
	handler, err := jpayment.NewUnverifiedKickbackHandler(take,
		jpayment.KickbackAllowFrom(netip.MustParsePrefix("192.0.2.0/24")),
		jpayment.KickbackTrustProxy(netip.MustParsePrefix("10.0.0.0/8")),
	)
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, from := range []string{"10.0.0.1:4711", "198.51.100.1:4711"} {
		r := jpaymenttest.NewKickback("/kickback", jpaymenttest.KickbackParams{PaymentID: "10000002", Amount: 900})
		r.RemoteAddr = from
		r.Header.Set("X-Forwarded-For", "192.0.2.1")
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, r)
		fmt.Println(from, w.Code)
	}
	// Output:
	// 10.0.0.1:4711 200
	// 198.51.100.1:4711 403
}

// A record names the parameter at fault, and never its value.
func ExampleKickbackLogger() {
	logger := slog.New(slog.NewTextHandler(os.Stdout, &slog.HandlerOptions{
		ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
			if a.Key == slog.TimeKey {
				return slog.Attr{}
			}
			return a
		},
	}))
	handler, err := jpayment.NewUnverifiedKickbackHandler(take, jpayment.KickbackLogger(logger))
	if err != nil {
		fmt.Println(err)
		return
	}
	r := httptest.NewRequestWithContext(context.Background(), http.MethodGet, "/kickback?gid=10000002&rst=1&am=1,000", nil)
	handler.ServeHTTP(httptest.NewRecorder(), r)
	// Output:
	// level=WARN msg="jpayment: kickback refused" status=400 error="jpayment: kickback: am is not a number of half-width digits"
}

func ExampleYen() {
	res, err := jpayment.ParseReply([]byte("1095729,1,A00001,,205685,,1000,80,500,1580,,,"))
	fmt.Println(res.Total == jpayment.Yen(1580), err)
	// Output: true <nil>
}

func ExampleNewSecret() {
	email := jpayment.NewSecret("taro@example.jp")
	fmt.Println(email, email.IsZero())
	fmt.Printf("%+v %q\n", email, email.Reveal())
	// Output:
	// [redacted] false
	// [redacted] "taro@example.jp"
}

// WhatOf does not show the text of another package's error, which may contain anything.
func ExampleWhatOf() {
	fmt.Println(jpayment.WhatOf(jpayment.CodeSourceIP))
	fmt.Println(jpayment.WhatOf(jpayment.ErrBusy).Ja)
	fmt.Println(jpayment.WhatOf(errors.New("the password is 1234")))
	// Output:
	// ER003 (the source IP address is not registered for the store)
	// 決済ゲートウェイが混雑しています
	// error of type *errors.errorString
}

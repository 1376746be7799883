package jpayment_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/jpayment-go/jpayment"
	"github.com/jpayment-go/jpayment/jpaymenttest"
)

// The real gateway answers only registered addresses; the simulated one runs anywhere and
// keeps books. A client for it differs from one in production only by its base URL.
func Example_simulatedGateway() {
	gateway := jpaymenttest.Start() // in a test: jpaymenttest.NewServer(t)
	defer gateway.Close()
	id := gateway.Authorize(jpaymenttest.Authorization{Amount: 1000, Tax: 80, Shipping: 500})

	client, err := jpayment.NewClient("123456", jpayment.WithBaseURL(gateway.URL))
	if err != nil {
		fmt.Println(err)
		return
	}
	res, err := client.Sales(context.Background(), jpayment.SalesRequest{PaymentID: id})
	switch jpayment.OutcomeOf(err) {
	case jpayment.OutcomeDone:
		fmt.Println("captured:", res.Total, "yen")
	case jpayment.OutcomeNotSent, jpayment.OutcomeRefused:
		fmt.Println(err) // says why, and what to do next
	default:
		fmt.Println("look it up:", err)
	}
	payment, _ := gateway.Payment(id)
	fmt.Println("the books:", payment.State)
	// Output:
	// captured: 1580 yen
	// the books: captured
}

func ExampleClient_Sales() {
	gateway := jpaymenttest.Start()
	defer gateway.Close()
	id := gateway.Authorize(jpaymenttest.Authorization{Amount: 1000, Tax: 80, Shipping: 500, OrderNumber: "A-17"})

	res, err := gateway.Client().Sales(context.Background(), jpayment.SalesRequest{
		PaymentID: id,
		Extra:     jpayment.NewExtra(map[string]string{"parcel": "3"}),
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(res.PaymentID, res.Status, res.OrderNumber, res.Total, res.Extra.Get("parcel"))
	fmt.Println(res) // without the approval code and the other data
	// Output:
	// 10000001 succeeded A-17 1580 3
	// Result{payment_id:10000001 status:succeeded code: order_code:20000001 order_number:A-17 amount:1000 tax:80 shipping:500 total:1580 test_mode:false}
}

func ExampleClient_Cancel() {
	gateway := jpaymenttest.Start()
	defer gateway.Close()
	client := gateway.Client()
	id := gateway.Authorize(jpaymenttest.Authorization{Amount: 1000})

	for range 2 {
		res, err := client.Cancel(context.Background(), jpayment.CancelRequest{PaymentID: id})
		switch {
		case err == nil:
			fmt.Println("cancelled, whole:", res.Total, "yen")
		case errors.Is(err, jpayment.CodeCancelFailed):
			fmt.Println("not by this call, perhaps by an earlier one: look it up")
		default:
			fmt.Println(err)
		}
	}
	// Output:
	// cancelled, whole: 1000 yen
	// not by this call, perhaps by an earlier one: look it up
}

// The new payment has a number of its own.
func ExampleClient_ReAuth() {
	gateway := jpaymenttest.Start()
	defer gateway.Close()
	id := gateway.Authorize(jpaymenttest.Authorization{Amount: 3000, Tax: 240, Shipping: 500})

	res, err := gateway.Client().ReAuth(context.Background(), jpayment.ReAuthRequest{
		PaymentID: id, Amount: 1500, Tax: 120, Shipping: 500,
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println("capture", res.PaymentID, "of", res.Total, "yen")
	for _, p := range gateway.Payments() {
		fmt.Println(p.ID, p.State)
	}
	// Output:
	// capture 10000002 of 2120 yen
	// 10000001 cancelled
	// 10000002 authorized
}

// A merchant's form can show each fault beside its field.
func ExampleInvalidField() {
	_, err := jpayment.NewClient("１２３４５６")
	var invalid *jpayment.ValidationError
	if errors.As(err, &invalid) {
		beside := map[string]jpayment.InvalidField{}
		for _, field := range invalid.Fields {
			beside[field.Field] = field
		}
		fmt.Println(beside["StoreID"].Reason.Ja)
	}
	// Output:
	// に全角数字があります。半角数字にしてください
}

// A nil error means that the gateway accepted the request. The handler receives the result.
func ExampleClient_ReAuthByKickback() {
	key := []byte("from the secret store: 32 bytes or more")
	verifier, err := jpayment.NewKickbackVerifier("123456", 0, key)
	if err != nil {
		fmt.Println(err)
		return
	}
	told := make(chan string, 1)
	handler, err := jpayment.NewKickbackHandler(verifier, func(_ context.Context, k *jpayment.Kickback) error {
		told <- fmt.Sprintln(k.Request.PaymentID, "is replaced by", k.PaymentID, "of", k.Total, "yen")
		return nil // after it is stored
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	merchant := httptest.NewServer(handler)
	defer merchant.Close()

	gateway := jpaymenttest.Start()
	defer gateway.Close()
	gateway.SetKickbackURL(merchant.URL) // the 決済結果通知URL of the control panel
	id := gateway.Authorize(jpaymenttest.Authorization{Amount: 3000, Tax: 240, Shipping: 500})

	client := gateway.Client(jpayment.WithKickbackKey(key))
	err = client.ReAuthByKickback(context.Background(), jpayment.ReAuthRequest{
		PaymentID: id, Amount: 1500, Tax: 120, Shipping: 500,
	})
	fmt.Println("taken:", err == nil)
	fmt.Print(<-told)
	// Output:
	// taken: true
	// 10000001 is replaced by 10000002 of 2120 yen
}

func ExampleOutcomeOf() {
	gateway := jpaymenttest.Start()
	defer gateway.Close()
	client := gateway.Client()
	book := gateway.Authorize(jpaymenttest.Authorization{Amount: 1000})
	lamp := gateway.Authorize(jpaymenttest.Authorization{Amount: 8000})
	gateway.Fail(jpaymenttest.Fault{Kind: jpaymenttest.DropAfterBooking, PaymentID: lamp})

	for _, id := range []string{book, lamp, "99999999", "１２３"} {
		_, err := client.Sales(context.Background(), jpayment.SalesRequest{PaymentID: id})
		err = wrap(err)
		fmt.Println(jpayment.OutcomeOf(err))
	}
	fmt.Println(jpayment.OutcomeOf(errors.New("of somebody else")) == jpayment.OutcomeUnknown)
	// Output:
	// done
	// unknown
	// refused
	// not sent
	// true
}

// wrap wraps an error as the layers of a caller do.
func wrap(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("ship the order: %w", err)
}

// The error lists all faults at once, without the values.
func ExampleValidationError() {
	client, err := jpayment.NewClient("123456")
	if err != nil {
		fmt.Println(err)
		return
	}
	_, err = client.ReAuth(context.Background(), jpayment.ReAuthRequest{
		PaymentID: "10000001", Amount: -1, Phone: jpayment.NewSecret("03-1234-5678"), Extra: jpayment.NewExtra(map[string]string{"tid": "7"}),
	})
	var invalid *jpayment.ValidationError
	if errors.As(err, &invalid) {
		for _, field := range invalid.Fields {
			fmt.Println(field)
		}
		fmt.Println(invalid.Fields[0].Text().Ja)
		fmt.Println(jpayment.WhatOf(err).Ja)
	}
	// Output:
	// Amount (am) is negative
	// Phone (pn) has hyphens; use digits only
	// Extra["tid"] is a parameter name of the protocol; choose another key
	// Amount（am）が負の値です
	// Amount（am）が負の値です。Phone（pn）にハイフンがあります。半角数字だけにしてください。Extra["tid"]は決済ゲートウェイのパラメータ名です。別のキーにしてください
}

// No reply arrived. What to do next depends on whether the request may have left the machine.
func ExampleTransportError() {
	gateway := jpaymenttest.Start()
	defer gateway.Close()
	client := gateway.Client()
	id := gateway.Authorize(jpaymenttest.Authorization{Amount: 1000})
	gateway.Fail(jpaymenttest.Fault{Kind: jpaymenttest.DropAfterBooking})

	_, err := client.Sales(context.Background(), jpayment.SalesRequest{PaymentID: id})
	var transport *jpayment.TransportError
	if errors.As(err, &transport) {
		fmt.Println("not sent:", transport.NotSent, "- outcome:", jpayment.OutcomeOf(err), "- attempts:", transport.Attempts)
	}
	payment, _ := gateway.Payment(id)
	fmt.Println("the books:", payment.State)

	gateway.Close()
	_, err = client.Sales(context.Background(), jpayment.SalesRequest{PaymentID: id})
	if errors.As(err, &transport) {
		fmt.Println("not sent:", transport.NotSent, "- outcome:", jpayment.OutcomeOf(err), "- attempts:", transport.Attempts)
	}
	// Output:
	// not sent: false - outcome: unknown - attempts: 1
	// the books: captured
	// not sent: true - outcome: not sent - attempts: 3
}

// A reply that does not count as an answer is kept in the error, for a person to inspect.
func ExampleReplyError() {
	gateway := jpaymenttest.Start()
	defer gateway.Close()
	id := gateway.Authorize(jpaymenttest.Authorization{Amount: 1000})
	gateway.Fail(jpaymenttest.Fault{Kind: jpaymenttest.Garbage, Body: []byte(id + ",1,A00001,,20000001,,1000,80,500,1600,,,")})

	_, err := gateway.Client().Sales(context.Background(), jpayment.SalesRequest{PaymentID: id})
	fmt.Println(err)
	var reply *jpayment.ReplyError
	if errors.As(err, &reply) {
		fmt.Println(reply.Column, "-", len(reply.Raw()), "bytes")
	}
	// Output:
	// jpayment: Sales of payment 10000001: outcome unknown: the reply does not count as an answer: ta is not the sum of am, tx and sf; next: look the payment up in the control panel: ship only if it is captured (実売上); if it is still authorised (仮売上), send the capture again
	// ta - 48 bytes
}

func ExampleGatewayError() {
	gateway := jpaymenttest.Start()
	defer gateway.Close()
	id := gateway.Authorize(jpaymenttest.Authorization{Amount: 1000, Decline: "G1242G120000"})

	_, err := gateway.Client().Sales(context.Background(), jpayment.SalesRequest{PaymentID: id})
	var refusal *jpayment.GatewayError
	if errors.As(err, &refusal) {
		fmt.Println(refusal.Operation, refusal.PaymentID, jpayment.OutcomeOf(err), refusal.Code.Message())
	}

	// The issuer declines a ReAuth too, but the original may already be cancelled.
	_, err = gateway.Client().ReAuth(context.Background(), jpayment.ReAuthRequest{PaymentID: id, Amount: 900})
	if errors.As(err, &refusal) {
		fmt.Println(refusal.Operation, refusal.PaymentID, jpayment.OutcomeOf(err), refusal.Code.Message())
	}
	// Output:
	// Sales 10000001 refused the issuer declined: the card cannot be used
	// ReAuth 10000001 unknown the issuer declined: the card cannot be used
}

// A code is an error, and so is its class.
func ExampleCode() {
	gateway := jpaymenttest.Start()
	defer gateway.Close()
	client := gateway.Client(jpayment.WithRetry(jpayment.RetryPolicy{MaxAttempts: 1}))
	id := gateway.Authorize(jpaymenttest.Authorization{Amount: 1000})

	for _, code := range []jpayment.Code{"ER003", "ER010", "ER571", "G1242G120000", "ER777"} {
		gateway.ClearFaults()
		gateway.Fail(jpaymenttest.Fault{Kind: jpaymenttest.AnswerCode, Code: code})
		_, err := client.Sales(context.Background(), jpayment.SalesRequest{PaymentID: id})
		switch {
		case errors.Is(err, jpayment.CodeSourceIP):
			fmt.Println(string(code), "register this machine's address")
		case errors.Is(err, jpayment.Code("ER571")):
			fmt.Println(string(code), "is one that has no name here")
		case errors.Is(err, jpayment.ErrCardDeclined):
			fmt.Println(string(code), "ask for another card")
		case errors.Is(err, jpayment.ErrBusy):
			fmt.Println(string(code), "try later")
		default:
			fmt.Println(string(code), jpayment.OutcomeOf(err), "known:", code.Known())
		}
	}
	// Output:
	// ER003 register this machine's address
	// ER010 try later
	// ER571 is one that has no name here
	// G1242G120000 ask for another card
	// ER777 unknown known: false
}

// Options can be kept in a slice. The gateway also reads text in Shift_JIS.
func ExampleWithCharset() {
	for _, charset := range []jpayment.Charset{jpayment.UTF8, jpayment.ShiftJIS} {
		opts := []jpayment.Option{jpayment.WithCharset(charset)}
		client, err := jpayment.NewClient("123456", opts...)
		if err != nil {
			fmt.Println(err)
			return
		}
		r, err := client.Preview(context.Background(), jpayment.OpSales, jpayment.SalesRequest{
			PaymentID: "10000001", Extra: jpayment.NewExtra(map[string]string{"memo": "山"}),
		})
		if err != nil {
			fmt.Println(err)
			return
		}
		body, err := io.ReadAll(r.Body)
		fmt.Println(charset, string(body), err)
	}
	// Output:
	// UTF-8 aid=123456&jb=SALES&memo=%E5%B1%B1&rt=1&tid=10000001 <nil>
	// Shift_JIS aid=123456&jb=SALES&memo=%8ER&rt=1&tid=10000001 <nil>
}

// The refusal of a repetition proves nothing about the first attempt.
func ExampleWithRetry() {
	gateway := jpaymenttest.Start()
	defer gateway.Close()
	book := gateway.Authorize(jpaymenttest.Authorization{Amount: 1000})
	lamp := gateway.Authorize(jpaymenttest.Authorization{Amount: 8000})
	gateway.Fail(jpaymenttest.Fault{Kind: jpaymenttest.DropBeforeBooking, PaymentID: book, Nth: 1})
	gateway.Fail(jpaymenttest.Fault{Kind: jpaymenttest.DropAfterBooking, PaymentID: lamp, Nth: 1})

	client, err := jpayment.NewClient("123456", jpayment.WithBaseURL(gateway.URL), jpayment.WithRetry(jpayment.RetryPolicy{
		MaxAttempts:   2,
		BaseDelay:     time.Millisecond, // the default is 500 milliseconds
		ReplayUnknown: true,             // Sales and Cancel only
	}))
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, id := range []string{book, lamp} {
		_, err := client.Sales(context.Background(), jpayment.SalesRequest{PaymentID: id})
		var refusal *jpayment.GatewayError
		if errors.As(err, &refusal) {
			fmt.Println("the repetition got", string(refusal.Code), "after:", jpayment.OutcomeOf(refusal.Earlier))
		}
		fmt.Println(id, jpayment.OutcomeOf(err))
	}
	fmt.Println("requests:", len(gateway.Requests()))
	// Output:
	// 10000001 done
	// the repetition got ER032 after: unknown
	// 10000002 unknown
	// requests: 4
}

// The record of an attempt contains no private data, so any log may keep it.
func ExampleWithLogger() {
	gateway := jpaymenttest.Start()
	defer gateway.Close()
	id := gateway.Authorize(jpaymenttest.Authorization{Amount: 1000})
	logger := slog.New(slog.NewTextHandler(os.Stdout, &slog.HandlerOptions{
		ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
			if a.Key == slog.TimeKey || a.Key == "elapsed" { // other each time
				return slog.Attr{}
			}
			return a
		},
	}))

	client := gateway.Client(jpayment.WithLogger(logger))
	for range 2 {
		_, _ = client.Cancel(context.Background(), jpayment.CancelRequest{PaymentID: id, Extra: jpayment.NewExtra(map[string]string{"name": "山田"})})
	}
	// Output:
	// level=INFO msg="jpayment: Cancel" operation=Cancel payment_id=10000001 attempt=1 outcome=done result.payment_id=10000001 result.status=succeeded result.code="" result.order_code=20000001 result.order_number="" result.amount=1000 result.tax=0 result.shipping=0 result.total=1000 result.test_mode=false
	// level=WARN msg="jpayment: Cancel" operation=Cancel payment_id=10000001 attempt=1 outcome=refused error="jpayment: Cancel of payment 10000001: outcome refused: ER033 (the cancellation failed; also the answer for a payment already cancelled); next: look the payment up in the control panel: it may be cancelled (取消) already"
}

// If machines come and go, send their requests through a proxy whose address is registered
// in the control panel (決済データ送信元IP). HTTPS_PROXY needs no code; this sets the proxy of
// one client only.
func ExampleWithTransportWrapper() {
	gateway := jpaymenttest.Start()
	defer gateway.Close()
	proxy := httptest.NewServer(http.HandlerFunc(forward))
	defer proxy.Close()
	proxyURL, err := url.Parse(proxy.URL)
	if err != nil {
		fmt.Println(err)
		return
	}

	client, err := jpayment.NewClient("123456",
		jpayment.WithBaseURL(gateway.URL),
		jpayment.WithTransportWrapper(func(rt http.RoundTripper) http.RoundTripper {
			rt.(*http.Transport).Proxy = http.ProxyURL(proxyURL) // The default one is always an *http.Transport.
			return rt
		}),
	)
	if err != nil {
		fmt.Println(err)
		return
	}
	id := gateway.Authorize(jpaymenttest.Authorization{Amount: 1000})
	res, err := client.Sales(context.Background(), jpayment.SalesRequest{PaymentID: id})
	fmt.Println(res.Total, err)
	// Output:
	// the proxy forwards POST /gateway/gateway.aspx
	// 1000 <nil>
}

// forward is a proxy. For the real gateway, which uses https, it would see only CONNECT and
// the host.
func forward(w http.ResponseWriter, r *http.Request) {
	fmt.Println("the proxy forwards", r.Method, r.URL.Path)
	resp, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		http.Error(w, "no connection", http.StatusBadGateway)
		return
	}
	defer resp.Body.Close()
	w.Header().Set("Content-Type", resp.Header.Get("Content-Type"))
	w.WriteHeader(resp.StatusCode)
	_, _ = io.Copy(w, resp.Body)
}

func ExampleWithProductionOnly() {
	gateway := jpaymenttest.Start()
	defer gateway.Close()
	gateway.SetTestMode(true)
	id := gateway.Authorize(jpaymenttest.Authorization{Amount: 1000})

	res, err := gateway.Client().Cancel(context.Background(), jpayment.CancelRequest{PaymentID: id})
	fmt.Println(jpayment.OutcomeOf(err), "- a test:", res.TestMode())

	id = gateway.Authorize(jpaymenttest.Authorization{Amount: 1000})
	_, err = gateway.Client(jpayment.WithProductionOnly()).Sales(context.Background(), jpayment.SalesRequest{PaymentID: id})
	fmt.Println(jpayment.OutcomeOf(err), "- a test:", errors.Is(err, jpayment.ErrTestMode))
	// Output:
	// done - a test: true
	// unknown - a test: true
}

// The gateway has four forms of reply.
func ExampleParseReply() {
	for _, body := range []string{
		"1095729,1,TestMod,,205685,,1000,2,4,1006,,,\r\n",
		"0,2,,ER900,,,0,0,0,0,,,0,",
		"OK",
		"ER:ER003",
		"1095729,1,TestMod,,2056",
	} {
		res, err := jpayment.ParseReply([]byte(body))
		if err != nil {
			fmt.Println(err)
			continue
		}
		fmt.Println(res.Status, string(res.Code), res.Total, res.TestMode())
	}
	// Output:
	// succeeded  1006 true
	// failed ER900 0 false
	// accepted  - false
	// failed ER003 - false
	// jpayment: outcome unknown: the reply does not count as an answer: god is missing: the row is truncated; next: look the payment up in the control panel
}

// A blank amount is not 0 yen.
func ExampleAmount() {
	res, err := jpayment.ParseReply([]byte("1095729,1,A00001,,205685,,,,,,,,"))
	if err != nil {
		fmt.Println(err)
		return
	}
	yen, given := res.Total.Int64()
	fmt.Println(res.Total, yen, given, res.Total == jpayment.Yen(0))
	// Output:
	// - 0 false false
}

// A secret shows its text only through Reveal.
func ExampleSecret() {
	res, err := jpayment.ParseReply([]byte("1095729,1,A00001,,205685,,1000,0,0,1000,,,"))
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(res.ApprovalCode, res.ApprovalCode.Reveal())
	// Output:
	// [redacted] A00001
}

// The client's own signature proves which request a kickback answers.
func ExampleKickbackRequest() {
	key := []byte("from the secret store: 32 bytes or more")
	verifier, err := jpayment.NewKickbackVerifier("123456", 0, key)
	if err != nil {
		fmt.Println(err)
		return
	}
	request := jpayment.KickbackRequest{StoreID: "123456", PaymentID: "10000001", Amount: 900, At: time.Now()}
	kickback := jpaymenttest.NewKickback("/kickback", jpaymenttest.KickbackParams{
		PaymentID: "10000002", Amount: 900, Key: key, Request: request,
	})
	k, err := verifier.Verify(kickback.URL.RawQuery, time.Now())
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(k.PaymentID, "replaces", k.Request.PaymentID, "at", k.Request.Amount, "yen")
	// Output:
	// 10000002 replaces 10000001 at 900 yen
}

// Verify is for receivers that are not an http.Handler.
func ExampleKickbackVerifier() {
	verifier, err := jpayment.NewKickbackVerifier("123456", 0, []byte("from the secret store: 32 bytes or more"))
	if err != nil {
		fmt.Println(err)
		return
	}
	// The vendor's sample is not signed.
	_, err = verifier.Verify("gid=10000001&rst=1&ap=0001112&ec=&god=10000002&cod=test &am=1000&tx=80&sf=500&ta=1580", time.Now())
	fmt.Println(err)
	// Output:
	// jpayment: kickback: jpk is missing: the kickback is not signed
}

// Anyone can send an unsigned kickback.
func ExampleParseKickback() {
	k, err := jpayment.ParseKickback("gid=10000001&rst=1&ap=0001112&ec=&god=10000002&cod=test &am=1000&tx=80&sf=500&ta=1580&user=7")
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("%s %s %q %s %s signed: %t\n", k.PaymentID, k.Status, k.OrderNumber, k.Total, k.Extra.Get("user"), k.Signed())
	// Output:
	// 10000001 succeeded "test " 1580 7 signed: false
}

// Kickbacks of recurring charges are not signed. They are a reason to look in the control
// panel, but not to ship.
func ExampleNewUnverifiedKickbackHandler() {
	opts := []jpayment.KickbackOption{
		jpayment.KickbackAllowFrom(netip.MustParsePrefix("54.95.223.30/32")), // as third parties have seen it
		jpayment.KickbackTrustProxy(netip.MustParsePrefix("10.0.0.0/8")),
		jpayment.KickbackLogger(slog.New(slog.DiscardHandler)),
	}
	handler, err := jpayment.NewUnverifiedKickbackHandler(func(_ context.Context, k *jpayment.UnverifiedKickback) error {
		fmt.Println("recurring charge", k.SubscriptionID, "has", k.Status)
		return nil
	}, opts...)
	if err != nil {
		fmt.Println(err)
		return
	}
	r := httptest.NewRequestWithContext(context.Background(), http.MethodGet, "/kickback?gid=10000007&rst=3&ta=500&acid=1000000001", nil)
	r.RemoteAddr = "10.0.0.1:4711"
	r.Header.Set("X-Forwarded-For", "54.95.223.30")
	w := httptest.NewRecorder()
	handler.ServeHTTP(w, r)
	fmt.Println(w.Code, w.Body)
	// Output:
	// recurring charge 1000000001 has status 3
	// 200 OK
}

// The error names the parameter at fault, without its value.
func ExampleKickbackError() {
	_, err := jpayment.ParseKickback("gid=10000001&rst=1&am=1,000")
	var bad *jpayment.KickbackError
	if errors.As(err, &bad) {
		fmt.Println(bad.Param)
		fmt.Println(jpayment.WhatOf(err).Ja)
	}
	// Output:
	// am
	// amが半角数字ではありません
}

// Other data is free-form. It shows its values only through Reveal and Get.
func ExampleNewExtra() {
	extra := jpayment.NewExtra(map[string]string{"order": "A-17", "parcel": "3"})
	fmt.Println(extra, extra.Get("order"), extra.Reveal())
	// Output:
	// 2 keys A-17 map[order:A-17 parcel:3]
}

// Preview returns the request as the operation would send it now.
func ExampleClient_Preview() {
	client, err := jpayment.NewClient("123456")
	if err != nil {
		fmt.Println(err)
		return
	}
	r, err := client.Preview(context.Background(), jpayment.OpReAuth, jpayment.ReAuthRequest{
		PaymentID: "10000001", Amount: 1500, Tax: 120, Shipping: 500,
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	body, err := io.ReadAll(r.Body)
	fmt.Println(r.Method, r.URL)
	fmt.Println(string(body), err)
	// Output:
	// POST https://credit.j-payment.co.jp/gateway/re_auth.aspx
	// aid=123456&am=1500&rt=1&sf=500&tid=10000001&tx=120 <nil>
}

// These are the texts to show to a person, for the error of any call.
func ExampleNextOf() {
	gateway := jpaymenttest.Start()
	defer gateway.Close()
	id := gateway.Authorize(jpaymenttest.Authorization{Amount: 1000})
	gateway.RegisterIPs() // no address at all

	_, err := gateway.Client().Cancel(context.Background(), jpayment.CancelRequest{PaymentID: id})
	err = wrap(err)
	fmt.Println(jpayment.OutcomeOf(err).Text().Ja)
	fmt.Println(jpayment.WhatOf(err).Ja)
	fmt.Println(jpayment.NextOf(err).Ja)
	fmt.Println(jpayment.NextOf(errors.New("of somebody else")))
	// Output:
	// 拒否
	// ER003: 送信元IPアドレスが登録されていません
	// このマシンの送信元IPアドレスを管理画面（設定 → 決済システム → 決済ゲートウェイ＆CTI決済設定 → 決済データ送信元IP）に登録してから再送する
	// look the payment up in the control panel
}

// The meaning of a code is available without a call.
func ExampleCode_Outcome() {
	declined := jpayment.Code("G1242G120000")
	for _, op := range []jpayment.Operation{jpayment.OpSales, jpayment.OpReAuth} {
		fmt.Println(op, declined.Outcome(op))
		fmt.Println(declined.Next(op))
	}
	fmt.Println(declined.Class() == jpayment.ErrCardDeclined, declined.Message().Ja)
	// Output:
	// Sales refused
	// do not ship; if the reason may be temporary, send it again, otherwise ask the cardholder for another way to pay
	// ReAuth unknown
	// do not send it again; look in the control panel: continue with the new payment if there is one, or with the original if it is not cancelled; otherwise do not ship
	// true このカードは使用できません
}

// The class of a code is the kind of refusal.
func ExampleClass() {
	for _, code := range []jpayment.Code{
		"ER010", "ER999", jpayment.CodeSourceIP, jpayment.CodePaymentID, jpayment.CodeCaptureFailed, "ER000", "ER042",
	} {
		switch code.Class() {
		case jpayment.ErrBusy, jpayment.ErrMaintenance:
			fmt.Println(string(code), "later")
		case jpayment.ErrNotPermitted, jpayment.ErrInvalidParameter:
			fmt.Println(string(code), "correct the settings or the request:", code.Class())
		case jpayment.ErrRejected, jpayment.ErrCardDeclined:
			fmt.Println(string(code), "look the payment up")
		case jpayment.ErrLostTrack:
			fmt.Println(string(code), "outcome unknown:", jpayment.WhatOf(code.Class()).Ja)
		}
	}
	fmt.Println(errors.Is(jpayment.Code("ER010"), jpayment.ErrBusy))
	// Output:
	// ER010 later
	// ER999 later
	// ER003 correct the settings or the request: the gateway does not permit this request
	// ER053 correct the settings or the request: the gateway found the request invalid
	// ER032 look the payment up
	// ER000 outcome unknown: 決済ゲートウェイで処理されたかどうか不明です
	// ER042 outcome unknown: 決済ゲートウェイで処理されたかどうか不明です
	// true
}

// This tells the person on call how to find out.
func ExampleOperation_NextIfUnknown() {
	fmt.Println(jpayment.OpCancel.NextIfUnknown())
	fmt.Println(jpayment.OpReAuthByKickback.NextIfUnknown() == jpayment.OpReAuth.NextIfUnknown())
	// Output:
	// look the payment up in the control panel: if it is not cancelled (取消), send the cancellation again
	// true
}

// The defaults of the options suit most merchants.
func ExampleNewClient() {
	client, err := jpayment.NewClient("123456",
		jpayment.WithTimeout(90*time.Second),
		jpayment.WithHTTPClient(&http.Client{Transport: http.DefaultTransport}),
		jpayment.WithCharset(jpayment.ShiftJIS),
		jpayment.WithConnectionAuth("the store's 接続認証コード"),
		jpayment.WithUserAgent("orders/1.0"),
		jpayment.WithUnmatchedPaymentID(),
	)
	fmt.Println(client, err)
	_, err = jpayment.NewClient("12345", jpayment.WithTimeout(-1))
	fmt.Println(err)
	// Output:
	// Client{store_id:123456 url:https://credit.j-payment.co.jp/gateway/gateway.aspx} <nil>
	// jpayment: NewClient: outcome not sent: StoreID (aid) has 5 digits; a store ID (店舗ID) has 6; WithTimeout is not positive; next: correct the input; nothing was sent
}

// orders is a merchant's order code. It depends on the interface, so that its tests can use
// a fake gateway.
type orders struct{ gateway jpayment.Gateway }

// ship captures the payment of an order, and returns a message for the person on call.
func (o orders) ship(ctx context.Context, paymentID string) string {
	res, err := o.gateway.Sales(ctx, jpayment.SalesRequest{PaymentID: paymentID})
	switch jpayment.OutcomeOf(err) {
	case jpayment.OutcomeDone:
		return fmt.Sprint("shipped, ", res.Total, " yen")
	case jpayment.OutcomeUnknown:
		return "held: " + jpayment.NextOf(err).En
	default: // OutcomeRefused, OutcomeNotSent
		return "not shipped: " + jpayment.WhatOf(err).En
	}
}

func ExampleGateway() {
	fake := &jpaymenttest.Fake{
		SalesFunc: func(_ context.Context, r jpayment.SalesRequest) (*jpayment.Result, error) {
			if r.PaymentID == "10000001" {
				return &jpayment.Result{PaymentID: r.PaymentID, Status: jpayment.StatusSucceeded, Total: jpayment.Yen(1580)}, nil
			}
			call := jpayment.Call{Operation: jpayment.OpSales, PaymentID: r.PaymentID, Attempts: 1}
			return nil, &jpayment.TransportError{Call: call, Err: context.DeadlineExceeded}
		},
	}
	o := orders{fake}
	fmt.Println(o.ship(context.Background(), "10000001"))
	fmt.Println(o.ship(context.Background(), "10000002"))
	// Output:
	// shipped, 1580 yen
	// held: look the payment up in the control panel: ship only if it is captured (実売上); if it is still authorised (仮売上), send the capture again
}

// A program chooses a language and shows the sentence unchanged.
func ExampleText() {
	t := jpayment.OutcomeNotSent.Text()
	fmt.Println(t, t.Ja)
	own := jpayment.Text{En: "the order is held", Ja: "注文を保留しました"}
	fmt.Println(own)
	// Output:
	// not sent 未送信
	// the order is held
}

func ExampleStatus() {
	for _, body := range []string{"OK", "ER:ER010", "1095729,1,A00001,,205685,,1000,0,0,1000,,,"} {
		res, err := jpayment.ParseReply([]byte(body))
		if err != nil {
			fmt.Println(err)
			continue
		}
		switch res.Status {
		case jpayment.StatusAccepted:
			fmt.Println("the result comes by kickback")
		case jpayment.StatusFailed:
			fmt.Println("failed:", res.Code)
		case jpayment.StatusSucceeded:
			fmt.Println("succeeded:", res.PaymentID)
		}
	}
	// Output:
	// the result comes by kickback
	// failed: ER010 (payment processing is congested)
	// succeeded: 1095729
}

// The vendor's own sample has a raw space in its query, which net/http refuses.
func ExampleServeKickbacks() {
	handler, err := jpayment.NewUnverifiedKickbackHandler(func(_ context.Context, k *jpayment.UnverifiedKickback) error {
		fmt.Printf("payment %s, order %q\n", k.PaymentID, k.OrderNumber)
		return nil
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		fmt.Println(err)
		return
	}
	served := make(chan error, 1)
	go func() { served <- jpayment.ServeKickbacks(ctx, listener, handler) }()

	conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", listener.Addr().String())
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Fprint(conn, "GET /?gid=10000001&rst=1&cod=test &am=1000&tx=80&sf=500&ta=1580 HTTP/1.1\r\nHost: merchant.example\r\n\r\n")
	answer, err := io.ReadAll(conn)
	fmt.Println(strings.HasSuffix(string(answer), "\r\n\r\nOK"), err)
	stop()
	fmt.Println(<-served)
	// Output:
	// payment 10000001, order "test "
	// true <nil>
	// <nil>
}

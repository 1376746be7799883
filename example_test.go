package jpayment_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"time"

	"github.com/jpayment-go/jpayment"
	"github.com/jpayment-go/jpayment/jpaymenttest"
)

// The gateway answers registered addresses only. The simulated one answers here: it
// keeps books, and a client of it differs from one in production by its base URL.
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
		Extra:     jpayment.Extra{"parcel": "3"},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(res.PaymentID, res.Status, res.OrderNumber, res.Total, res.Extra()["parcel"])
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

// The payment has a new number afterwards.
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

// A nil error says that the gateway took the request. What became of the payment comes
// to the handler.
func ExampleClient_ReAuthByKickback() {
	key := []byte("from the secret store: 32 bytes or more")
	notices := make(chan string, 1)
	handler, err := jpayment.NewKickbackHandler(func(_ context.Context, k *jpayment.Kickback) error {
		notices <- fmt.Sprintln(k.Request.PaymentID, "is replaced by", k.PaymentID, "of", k.Total, "yen")
		return nil // after it is stored
	}, jpayment.VerifyKickbacks(key))
	if err != nil {
		fmt.Println(err)
		return
	}
	shop := httptest.NewServer(handler)
	defer shop.Close()

	gateway := jpaymenttest.Start()
	defer gateway.Close()
	gateway.SetKickbackURL(shop.URL) // the 決済結果通知URL of the control panel
	id := gateway.Authorize(jpaymenttest.Authorization{Amount: 3000, Tax: 240, Shipping: 500})

	client := gateway.Client(jpayment.WithKickbackKey(key))
	err = client.ReAuthByKickback(context.Background(), jpayment.ReAuthRequest{
		PaymentID: id, Amount: 1500, Tax: 120, Shipping: 500,
	})
	fmt.Println("taken:", err == nil)
	fmt.Print(<-notices)
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
	fmt.Println(jpayment.OutcomeOf(errors.New("of somebody else")))
	// Output:
	// done
	// unknown
	// refused
	// not sent
	// unknown
}

// wrap is what a caller's layers do to errors.
func wrap(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("ship the order: %w", err)
}

// All faults are told at once, without the values.
func ExampleValidationError() {
	client, err := jpayment.NewClient("123456")
	if err != nil {
		fmt.Println(err)
		return
	}
	_, err = client.ReAuth(context.Background(), jpayment.ReAuthRequest{
		PaymentID: "10000001", Amount: -1, Phone: "03-1234-5678", Extra: jpayment.Extra{"tid": "7"},
	})
	var invalid *jpayment.ValidationError
	if errors.As(err, &invalid) {
		for _, fault := range invalid.Faults {
			fmt.Println(fault)
		}
	}
	// Output:
	// Amount (am) is negative
	// Phone (pn) has hyphens; drop them: digits only
	// Extra["tid"] is the name of a parameter of the protocol; choose another
}

// There was no reply. Whether the request can have left the machine decides what to do.
func ExampleTransportError() {
	gateway := jpaymenttest.Start()
	defer gateway.Close()
	client := gateway.Client()
	id := gateway.Authorize(jpaymenttest.Authorization{Amount: 1000})
	gateway.Fail(jpaymenttest.Fault{Kind: jpaymenttest.DropAfterBooking})

	_, err := client.Sales(context.Background(), jpayment.SalesRequest{PaymentID: id})
	var transport *jpayment.TransportError
	if errors.As(err, &transport) {
		fmt.Println("not sent:", transport.NotSent, "- outcome:", transport.Outcome(), "- attempts:", transport.Attempts)
	}
	payment, _ := gateway.Payment(id)
	fmt.Println("the books:", payment.State)

	gateway.Close()
	_, err = client.Sales(context.Background(), jpayment.SalesRequest{PaymentID: id})
	if errors.As(err, &transport) {
		fmt.Println("not sent:", transport.NotSent, "- outcome:", transport.Outcome(), "- attempts:", transport.Attempts)
	}
	// Output:
	// not sent: false - outcome: unknown - attempts: 1
	// the books: captured
	// not sent: true - outcome: not sent - attempts: 3
}

// What came back is not an answer. The reply itself is kept for a deliberate look.
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
	// jpayment: Sales of payment 10000001: outcome unknown: the reply cannot count: ta is not the sum of am, tx and sf; next: look the payment up in the control panel: ship only if it is captured (実売上), send Sales again if it is still authorised (仮売上)
	// ta - 48 bytes
}

func ExampleGatewayError() {
	gateway := jpaymenttest.Start()
	defer gateway.Close()
	id := gateway.Authorize(jpaymenttest.Authorization{Amount: 1000, Decline: "G1242G120000"})

	_, err := gateway.Client().Sales(context.Background(), jpayment.SalesRequest{PaymentID: id})
	var refusal *jpayment.GatewayError
	if errors.As(err, &refusal) {
		fmt.Println(refusal.Operation, refusal.PaymentID, refusal.Outcome(), refusal.Code.Message())
	}

	// The issuer declines a ReAuth likewise, but the original may be cancelled by then.
	_, err = gateway.Client().ReAuth(context.Background(), jpayment.ReAuthRequest{PaymentID: id, Amount: 900})
	if errors.As(err, &refusal) {
		fmt.Println(refusal.Operation, refusal.PaymentID, refusal.Outcome(), refusal.Code.Message())
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

	for _, code := range []string{"ER003", "ER010", "ER571", "G1242G120000", "ER777"} {
		gateway.ClearFaults()
		gateway.Fail(jpaymenttest.Fault{Kind: jpaymenttest.AnswerCode, Code: code})
		_, err := client.Sales(context.Background(), jpayment.SalesRequest{PaymentID: id})
		switch {
		case errors.Is(err, jpayment.CodeSourceIP):
			fmt.Println(code, "register this machine's address")
		case errors.Is(err, jpayment.Code("ER571")):
			fmt.Println(code, "is one that has no name here")
		case errors.Is(err, jpayment.ErrCardDeclined):
			fmt.Println(code, "ask for another card")
		case errors.Is(err, jpayment.ErrBusy):
			fmt.Println(code, "try later")
		default:
			fmt.Println(code, jpayment.OutcomeOf(err), "known:", jpayment.Code(code).Known())
		}
	}
	// Output:
	// ER003 register this machine's address
	// ER010 try later
	// ER571 is one that has no name here
	// G1242G120000 ask for another card
	// ER777 unknown known: false
}

// A repetition that is refused proves nothing of the first attempt.
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

// The record of an attempt is fit for any log.
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
		_, _ = client.Cancel(context.Background(), jpayment.CancelRequest{PaymentID: id, Extra: jpayment.Extra{"name": "山田"}})
	}
	// Output:
	// level=INFO msg="jpayment: Cancel" operation=Cancel payment_id=10000001 attempt=1 outcome=done result.payment_id=10000001 result.status=succeeded result.code="" result.order_code=20000001 result.order_number="" result.amount=1000 result.tax=0 result.shipping=0 result.total=1000 result.test_mode=false
	// level=WARN msg="jpayment: Cancel" operation=Cancel payment_id=10000001 attempt=1 outcome=refused error="jpayment: Cancel of payment 10000001: outcome refused: ER033 (cancel failed: CANCEL, or one of the older jobs RETURN and RETURNX); next: look the payment up in the control panel: it may be cancelled (取消) already"
}

// Where machines come and go, their requests leave through a proxy whose address is
// registered in the control panel (決済データ送信元IP). HTTPS_PROXY does it without any
// code; this does it for one client alone.
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

// forward is a proxy. Of a request to the real gateway, which is https, it would see
// CONNECT and the host.
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

// The gateway has four shapes of reply.
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
	// jpayment: outcome unknown: the reply cannot count: god is not there whole: the row is cut short; next: look the payment up in the control panel
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

// What is private shows itself only to those who ask.
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

// For receivers that are no http.Handler. What the vendor prints as a sample is not
// signed, which Verify tells.
func ExampleParseKickbackQuery() {
	k, err := jpayment.ParseKickbackQuery("gid=10000001&rst=1&ap=0001112&ec=&god=10000002&cod=test &am=1000&tx=80&sf=500&ta=1580&user=7")
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("%s %s %q %s %s\n", k.PaymentID, k.Status, k.OrderNumber, k.Total, k.Extra()["user"])
	fmt.Println(k.Verify(time.Now(), 24*time.Hour, []byte("from the secret store: 32 bytes or more")))
	// Output:
	// 10000001 succeeded "test " 1580 7
	// jpayment: kickback: jpk is not there: the notice is not signed
}

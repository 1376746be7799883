package jpaymenttest_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"sync/atomic"
	"time"

	"github.com/jpayment-go/jpayment/jpaymenttest"
)

// capture is the code under test.
func capture(gatewayURL, paymentID string) (string, error) {
	resp, err := http.PostForm(gatewayURL+"/gateway/gateway.aspx", url.Values{ //nolint:noctx // The example's server.
		"aid": {"123456"}, "jb": {"SALES"}, "rt": {"1"}, "tid": {paymentID},
	})
	if err != nil {
		return "", err
	}
	defer func() { _ = resp.Body.Close() }()
	reply, err := io.ReadAll(resp.Body)
	return string(reply), err
}

func ExampleStart() {
	gateway := jpaymenttest.Start(jpaymenttest.WithLineEnding(""))
	defer gateway.Close()

	id := gateway.Authorize(jpaymenttest.Authorization{Amount: 1000, Tax: 80, Shipping: 500, OrderNumber: "A-17"})
	reply, err := capture(gateway.URL, id)
	fmt.Println(reply, err)

	payment, _ := gateway.Payment(id)
	for _, event := range payment.History {
		fmt.Println(event.Operation, event.State)
	}
	// Output:
	// 10000001,1,0001112,,20000001,A-17,1000,80,500,1580,,, <nil>
	// AUTH authorized
	// SALES captured
}

// A reply that is lost after the booking is what a client must never take for a
// refusal.
func ExampleGateway_Fail() {
	gateway := jpaymenttest.Start()
	defer gateway.Close()

	id := gateway.Authorize(jpaymenttest.Authorization{Amount: 1000})
	gateway.Fail(jpaymenttest.Fault{Kind: jpaymenttest.DropAfterBooking, Operation: jpaymenttest.OpSales, Nth: 1})
	_, err := capture(gateway.URL, id)
	fmt.Println("an error:", err != nil)

	for _, request := range gateway.Requests() {
		fmt.Println("the books:", request.Operation, request.PaymentID, "booked:", request.Booked)
	}
	// Output:
	// an error: true
	// the books: SALES 10000001 booked: true
}

func ExampleGateway_RegisterIPs() {
	gateway := jpaymenttest.Start(jpaymenttest.WithLineEnding(""))
	defer gateway.Close()

	gateway.RegisterIPs() // no address at all
	reply, err := capture(gateway.URL, "10000001")
	fmt.Println(reply, err)
	// Output:
	// 0,2,,ER003,,,0,0,0,0,,, <nil>
}

// With rt=0 the reply says only that the request was taken. What became of it comes
// by kickback, which the gateway repeats until its receiver writes something.
func ExampleGateway_SetKickbackURL() {
	now := time.Date(2026, 3, 5, 10, 0, 0, 0, time.UTC)
	gateway := jpaymenttest.New(jpaymenttest.WithLineEnding(""), jpaymenttest.WithClock(func() time.Time { return now }))
	var notices atomic.Int64
	shop := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Println(r.URL.RawQuery)
		if notices.Add(1) > 1 {
			fmt.Fprint(w, "OK")
		}
	}))
	defer shop.Close()
	gateway.SetKickbackURL(shop.URL)

	id := gateway.Authorize(jpaymenttest.Authorization{Amount: 1000, OrderNumber: "A-17"})
	r := httptest.NewRequest(http.MethodGet, //nolint:noctx // Nothing is waited for.
		"/gateway/re_auth.aspx?aid=123456&rt=0&am=900&tx=90&sf=0&user=7&tid="+id, http.NoBody)
	r.RemoteAddr = "127.0.0.1:1" // a registered address
	w := httptest.NewRecorder()
	gateway.ServeHTTP(w, r)
	fmt.Println(w.Body)

	fmt.Println("sent:", gateway.DeliverKickbacks(context.Background()))
	now = now.Add(time.Minute)
	fmt.Println("sent:", gateway.DeliverKickbacks(context.Background()))
	for _, delivery := range gateway.Kickbacks() {
		fmt.Println("attempt", delivery.Attempt, "delivered:", delivery.Delivered)
	}
	// Output:
	// OK
	// gid=10000002&rst=1&ap=0001113&ec=&god=20000002&cod=A-17&am=900&tx=90&sf=0&ta=990&user=7
	// sent: 1
	// gid=10000002&rst=1&ap=0001113&ec=&god=20000002&cod=A-17&am=900&tx=90&sf=0&ta=990&user=7
	// sent: 1
	// attempt 1 delivered: false
	// attempt 2 delivered: true
}

// Anyone who knows the notification URL can send to it.
func ExampleGateway_ForgeKickback() {
	gateway := jpaymenttest.Start()
	defer gateway.Close()
	shop := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if payment, found := gateway.Payment(r.FormValue("gid")); !found || payment.Replaces == "" {
			http.Error(w, "not ours", http.StatusForbidden)
		}
	}))
	defer shop.Close()
	gateway.SetKickbackURL(shop.URL)

	delivery, err := gateway.ForgeKickback(context.Background(), "gid=10000001&rst=1&ap=0001112&ta=1580")
	fmt.Printf("%d %q %v\n", delivery.Status, delivery.Answer, err)
	// Output:
	// 403 "not ours\n" <nil>
}

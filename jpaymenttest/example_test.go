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

	"github.com/jpayment-go/jpayment"
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
	// Authorize authorized
	// Sales captured
}

// A reply that is lost after the booking is what a client must never take for a
// refusal.
func ExampleServer_Fail() {
	gateway := jpaymenttest.Start()
	defer gateway.Close()

	id := gateway.Authorize(jpaymenttest.Authorization{Amount: 1000})
	gateway.Fail(jpaymenttest.Fault{Kind: jpaymenttest.DropAfterBooking, Operation: jpayment.OpSales, Nth: 1})
	_, err := capture(gateway.URL, id)
	fmt.Println("an error:", err != nil)

	for _, request := range gateway.Requests() {
		fmt.Println("the books:", request.Operation, request.PaymentID, "booked:", request.Booked)
	}
	// Output:
	// an error: true
	// the books: Sales 10000001 booked: true
}

func ExampleServer_RegisterIPs() {
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
func ExampleServer_SetKickbackURL() {
	var minutes, kickbacks atomic.Int64
	clock := func() time.Time { return time.Date(2026, 3, 5, 10, int(minutes.Load()), 0, 0, time.UTC) }
	gateway := jpaymenttest.Start(jpaymenttest.WithClock(clock), jpaymenttest.WithKickbackDelay(time.Second))
	defer gateway.Close()
	store := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Println(r.URL.RawQuery)
		if kickbacks.Add(1) > 1 {
			fmt.Fprint(w, "OK")
		}
	}))
	defer store.Close()
	gateway.SetKickbackURL(store.URL)

	id := gateway.Authorize(jpaymenttest.Authorization{Amount: 1000, OrderNumber: "A-17"})
	err := gateway.Client().ReAuthByKickback(context.Background(), jpayment.ReAuthRequest{
		PaymentID: id, Amount: 900, Tax: 90, Extra: jpayment.NewExtra(map[string]string{"user": "7"}),
	})
	fmt.Println(err)
	for range 2 {
		minutes.Add(1)
		fmt.Println("sent:", gateway.DeliverKickbacks(context.Background()))
	}
	for _, delivery := range gateway.Kickbacks() {
		fmt.Println("attempt", delivery.Attempt, "delivered:", delivery.Delivered)
	}
	// Output:
	// <nil>
	// gid=10000002&rst=1&ap=0001113&ec=&god=20000002&cod=A-17&am=900&tx=90&sf=0&ta=990&user=7
	// sent: 1
	// gid=10000002&rst=1&ap=0001113&ec=&god=20000002&cod=A-17&am=900&tx=90&sf=0&ta=990&user=7
	// sent: 1
	// attempt 1 delivered: false
	// attempt 2 delivered: true
}

package jpaymenttest_test

import (
	"fmt"
	"io"
	"net/http"
	"net/url"

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

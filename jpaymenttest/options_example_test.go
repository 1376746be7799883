package jpaymenttest_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"time"

	"github.com/jpayment-go/jpayment"
	"github.com/jpayment-go/jpayment/jpaymenttest"
)

func ExampleWithStoreID() {
	gateway := jpaymenttest.Start(jpaymenttest.WithStoreID("654321"))
	defer gateway.Close()
	fmt.Println(gateway.Payments(), len(gateway.Requests()))
	_, err := gateway.Client().Cancel(context.Background(), jpayment.CancelRequest{PaymentID: "10000001"})
	fmt.Println(jpayment.OutcomeOf(err), gateway.Requests()[0].Form.Get("aid"))
	// Output:
	// [] 0
	// refused 654321
}

// The 90 days within which a payment can be captured pass in an instant.
func ExampleWithClock() {
	var days atomic.Int64
	gateway := jpaymenttest.Start(jpaymenttest.WithClock(func() time.Time {
		return time.Date(2026, 3, 5, 10, 0, 0, 0, time.UTC).AddDate(0, 0, int(days.Load()))
	}))
	defer gateway.Close()
	id := gateway.Authorize(jpaymenttest.Authorization{Amount: 1000})
	days.Add(91)
	_, err := gateway.Client().Sales(context.Background(), jpayment.SalesRequest{PaymentID: id})
	fmt.Println(jpayment.OutcomeOf(err))
	// Output: refused
}

// The server's own client knows the code.
func ExampleWithConnectionAuth() {
	gateway := jpaymenttest.Start(jpaymenttest.WithConnectionAuth("the store's code"))
	defer gateway.Close()
	id := gateway.Authorize(jpaymenttest.Authorization{Amount: 1000})
	_, err := gateway.Client().Sales(context.Background(), jpayment.SalesRequest{PaymentID: id})
	fmt.Println(err, len(gateway.Requests()[0].Form.Get("hak")))
	// Output: <nil> 64
}

func ExampleWithLineEnding() {
	gateway := jpaymenttest.Start(jpaymenttest.WithLineEnding("\r"))
	defer gateway.Close()
	id := gateway.Authorize(jpaymenttest.Authorization{Amount: 1000})
	_, err := gateway.Client().Sales(context.Background(), jpayment.SalesRequest{PaymentID: id})
	fmt.Printf("%q %v\n", gateway.Requests()[0].Answer, err)
	// Output: "10000001,1,0001112,,20000001,,1000,0,0,1000,,,\r" <nil>
}

// Column 13 is the number of a recurring charge, and column 14 the other data.
func ExampleWithColumns() {
	gateway := jpaymenttest.Start(jpaymenttest.WithColumns(14))
	defer gateway.Close()
	id := gateway.Authorize(jpaymenttest.Authorization{Amount: 1000})
	res, err := gateway.Client().Sales(context.Background(), jpayment.SalesRequest{
		PaymentID: id, Extra: jpayment.NewExtra(map[string]string{"parcel": "3"}),
	})
	fmt.Printf("%q\n", gateway.Requests()[0].Answer)
	fmt.Println(res.SubscriptionID, res.Extra.Get("parcel"), err)
	// Output:
	// "10000001,1,0001112,,20000001,,1000,0,0,1000,,,0,parcel=3\r\n"
	// 0 3 <nil>
}

func ExampleWithShiftJISReplies() {
	gateway := jpaymenttest.Start(jpaymenttest.WithShiftJISReplies())
	defer gateway.Close()
	id := gateway.Authorize(jpaymenttest.Authorization{Amount: 1000, OrderNumber: "山"})
	res, err := gateway.Client().Sales(context.Background(), jpayment.SalesRequest{PaymentID: id})
	fmt.Printf("%q\n", gateway.Requests()[0].Answer)
	fmt.Println(res.OrderNumber, err)
	// Output:
	// "10000001,1,0001112,,20000001,\x8eR,1000,0,0,1000,,,\r\n"
	// 山 <nil>
}

// Such a gateway cannot decode text in UTF-8.
func ExampleWithShiftJISRequests() {
	gateway := jpaymenttest.Start(jpaymenttest.WithShiftJISRequests())
	defer gateway.Close()
	for _, charset := range []jpayment.Charset{jpayment.UTF8, jpayment.ShiftJIS} {
		id := gateway.Authorize(jpaymenttest.Authorization{Amount: 1000})
		_, err := gateway.Client(jpayment.WithCharset(charset)).Sales(context.Background(), jpayment.SalesRequest{
			PaymentID: id, Extra: jpayment.NewExtra(map[string]string{"note": "テスト"}),
		})
		fmt.Println(charset, jpayment.OutcomeOf(err))
	}
	// Output:
	// UTF-8 refused
	// Shift_JIS done
}

func ExampleWithPlainOtherData() {
	for _, opts := range [][]jpaymenttest.Option{nil, {jpaymenttest.WithPlainOtherData()}} {
		gateway := jpaymenttest.Start(opts...)
		id := gateway.Authorize(jpaymenttest.Authorization{Amount: 1000})
		_, err := gateway.Client().Sales(context.Background(), jpayment.SalesRequest{
			PaymentID: id, Extra: jpayment.NewExtra(map[string]string{"note": "a b"}),
		})
		fmt.Printf("%q %v\n", gateway.Requests()[0].Answer, err)
		gateway.Close()
	}
	// Output:
	// "10000001,1,0001112,,20000001,,1000,0,0,1000,,,note=a%20b\r\n" <nil>
	// "10000001,1,0001112,,20000001,,1000,0,0,1000,,,note=a b\r\n" <nil>
}

// The store is left with neither payment.
func ExampleWithDeclineCancelling() {
	for _, opts := range [][]jpaymenttest.Option{nil, {jpaymenttest.WithDeclineCancelling()}} {
		gateway := jpaymenttest.Start(opts...)
		id := gateway.Authorize(jpaymenttest.Authorization{Amount: 1000, Decline: "G1242G120000"})
		_, err := gateway.Client().ReAuth(context.Background(), jpayment.ReAuthRequest{PaymentID: id, Amount: 900})
		original, _ := gateway.Payment(id)
		fmt.Println(jpayment.OutcomeOf(err), original.State)
		gateway.Close()
	}
	// Output:
	// unknown authorized
	// unknown cancelled
}

// By default the answer is OK, and the kickback reports the decline.
func ExampleWithDeclinesAnswered() {
	for _, opts := range [][]jpaymenttest.Option{nil, {jpaymenttest.WithDeclinesAnswered()}} {
		gateway := jpaymenttest.Start(opts...)
		id := gateway.Authorize(jpaymenttest.Authorization{Amount: 1000, Decline: "G1242G120000"})
		err := gateway.Client().ReAuthByKickback(context.Background(), jpayment.ReAuthRequest{PaymentID: id, Amount: 900})
		fmt.Printf("%q %s\n", gateway.Requests()[0].Answer, jpayment.OutcomeOf(err))
		gateway.Close()
	}
	// Output:
	// "OK\r\n" done
	// "ER:G1242G120000\r\n" unknown
}

// kickbacks requests two re-authorisations, whose kickbacks are due 30 seconds later, and prints
// what the receiver then gets. The receiver answers with the body.
func kickbacks(body string, opts ...jpaymenttest.Option) {
	var seconds atomic.Int64
	clock := func() time.Time { return time.Date(2026, 3, 5, 10, 0, int(seconds.Load()), 0, time.UTC) }
	gateway := jpaymenttest.Start(append(opts, jpaymenttest.WithClock(clock), jpaymenttest.WithKickbackDelay(30*time.Second))...)
	defer gateway.Close()
	receiver := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Println(r.URL.RawQuery)
		fmt.Fprint(w, body)
	}))
	defer receiver.Close()
	gateway.SetKickbackURL(receiver.URL)
	for _, order := range []string{"山1", "山2"} {
		id := gateway.Authorize(jpaymenttest.Authorization{Amount: 1000, OrderNumber: order})
		if err := gateway.Client().ReAuthByKickback(context.Background(), jpayment.ReAuthRequest{PaymentID: id, Amount: 900}); err != nil {
			fmt.Println(err)
		}
	}
	seconds.Add(29)
	fmt.Println("after 29 seconds:", gateway.DeliverKickbacks(context.Background()))
	seconds.Add(1)
	fmt.Println("after 30 seconds:", gateway.DeliverKickbacks(context.Background()))
	seconds.Add(60)
	fmt.Println("a minute later:", gateway.DeliverKickbacks(context.Background()))
}

// Two re-authorisations, and what the receiver of their kickbacks gets.
func ExampleWithKickbackDelay() {
	kickbacks("OK", jpaymenttest.WithKickbackDelay(30*time.Second))
	// Output:
	// after 29 seconds: 0
	// gid=10000002&rst=1&ap=0001113&ec=&god=20000002&cod=%E5%B1%B11&am=900&tx=0&sf=0&ta=900
	// gid=10000004&rst=1&ap=0001115&ec=&god=20000004&cod=%E5%B1%B12&am=900&tx=0&sf=0&ta=900
	// after 30 seconds: 2
	// a minute later: 0
}

// The receiver answers without a body, so the gateway sends both kickbacks again, once.
func ExampleWithKickbackRetries() {
	kickbacks("", jpaymenttest.WithKickbackRetries(time.Minute))
	// Output:
	// after 29 seconds: 0
	// gid=10000002&rst=1&ap=0001113&ec=&god=20000002&cod=%E5%B1%B11&am=900&tx=0&sf=0&ta=900
	// gid=10000004&rst=1&ap=0001115&ec=&god=20000004&cod=%E5%B1%B12&am=900&tx=0&sf=0&ta=900
	// after 30 seconds: 2
	// gid=10000002&rst=1&ap=0001113&ec=&god=20000002&cod=%E5%B1%B11&am=900&tx=0&sf=0&ta=900
	// gid=10000004&rst=1&ap=0001115&ec=&god=20000004&cod=%E5%B1%B12&am=900&tx=0&sf=0&ta=900
	// a minute later: 2
}

// Two re-authorisations, and what the receiver of their kickbacks gets.
func ExampleWithKickbackDuplicates() {
	kickbacks("OK", jpaymenttest.WithKickbackDuplicates(1))
	// Output:
	// after 29 seconds: 0
	// gid=10000002&rst=1&ap=0001113&ec=&god=20000002&cod=%E5%B1%B11&am=900&tx=0&sf=0&ta=900
	// gid=10000002&rst=1&ap=0001113&ec=&god=20000002&cod=%E5%B1%B11&am=900&tx=0&sf=0&ta=900
	// gid=10000004&rst=1&ap=0001115&ec=&god=20000004&cod=%E5%B1%B12&am=900&tx=0&sf=0&ta=900
	// gid=10000004&rst=1&ap=0001115&ec=&god=20000004&cod=%E5%B1%B12&am=900&tx=0&sf=0&ta=900
	// after 30 seconds: 4
	// a minute later: 0
}

// Two re-authorisations, and what the receiver of their kickbacks gets.
func ExampleWithKickbacksReversed() {
	kickbacks("OK", jpaymenttest.WithKickbacksReversed())
	// Output:
	// after 29 seconds: 0
	// gid=10000004&rst=1&ap=0001115&ec=&god=20000004&cod=%E5%B1%B12&am=900&tx=0&sf=0&ta=900
	// gid=10000002&rst=1&ap=0001113&ec=&god=20000002&cod=%E5%B1%B11&am=900&tx=0&sf=0&ta=900
	// after 30 seconds: 2
	// a minute later: 0
}

// Two re-authorisations, and what the receiver of their kickbacks gets.
func ExampleWithShiftJISKickbacks() {
	kickbacks("OK", jpaymenttest.WithShiftJISKickbacks())
	// Output:
	// after 29 seconds: 0
	// gid=10000002&rst=1&ap=0001113&ec=&god=20000002&cod=%8ER1&am=900&tx=0&sf=0&ta=900
	// gid=10000004&rst=1&ap=0001115&ec=&god=20000004&cod=%8ER2&am=900&tx=0&sf=0&ta=900
	// after 30 seconds: 2
	// a minute later: 0
}

// Two re-authorisations, and what the receiver of their kickbacks gets.
func ExampleWithKickbackACID() {
	kickbacks("OK", jpaymenttest.WithKickbackACID("1000000001"))
	// Output:
	// after 29 seconds: 0
	// gid=10000002&rst=1&ap=0001113&ec=&god=20000002&cod=%E5%B1%B11&am=900&tx=0&sf=0&ta=900&acid=1000000001
	// gid=10000004&rst=1&ap=0001115&ec=&god=20000004&cod=%E5%B1%B12&am=900&tx=0&sf=0&ta=900&acid=1000000001
	// after 30 seconds: 2
	// a minute later: 0
}

// If the receiver takes longer, the kickback does not count as delivered.
func ExampleWithKickbackTimeout() {
	var seconds atomic.Int64
	clock := func() time.Time { return time.Date(2026, 3, 5, 10, 0, int(seconds.Load()), 0, time.UTC) }
	gateway := jpaymenttest.Start(
		jpaymenttest.WithClock(clock), jpaymenttest.WithKickbackDelay(time.Second),
		jpaymenttest.WithKickbackTimeout(10*time.Millisecond),
	)
	defer gateway.Close()
	receiver := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		<-r.Context().Done() // until the gateway gives up
	}))
	defer receiver.Close()
	gateway.SetKickbackURL(receiver.URL)
	id := gateway.Authorize(jpaymenttest.Authorization{Amount: 1000})
	if err := gateway.Client().ReAuthByKickback(context.Background(), jpayment.ReAuthRequest{PaymentID: id, Amount: 900}); err != nil {
		fmt.Println(err)
	}
	seconds.Add(1)
	fmt.Println("sent:", gateway.DeliverKickbacks(context.Background()))
	fmt.Println("delivered:", gateway.Kickbacks()[0].Delivered)
	// Output:
	// sent: 1
	// delivered: false
}

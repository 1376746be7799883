package jpaymenttest_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"sync/atomic"
	"time"

	"github.com/jpayment-go/jpayment"
	"github.com/jpayment-go/jpayment/jpaymenttest"
)

func ExampleNewServer() {
	gateway := jpaymenttest.Start() // in a test: jpaymenttest.NewServer(t)
	defer gateway.Close()
	id := gateway.Authorize(jpaymenttest.Authorization{Amount: 1000, Tax: 80, Shipping: 500})

	res, err := gateway.Client().Sales(context.Background(), jpayment.SalesRequest{PaymentID: id})
	fmt.Println(res.Total, err)
	payment, _ := gateway.Payment(id)
	fmt.Println(payment.State)
	fmt.Println(string(gateway.Requests()[0].Body))
	// Output:
	// 1580 <nil>
	// captured
	// aid=123456&jb=SALES&rt=1&tid=10000001
}

// The program under test can be in any language. Here it is a few lines of HTTP.
func ExampleStart() {
	gateway := jpaymenttest.Start(jpaymenttest.WithLineEnding(""))
	defer gateway.Close()
	id := gateway.Authorize(jpaymenttest.Authorization{Amount: 1000, Tax: 80, Shipping: 500, OrderNumber: "A-17"})

	resp, err := http.PostForm(gateway.URL+"/gateway/gateway.aspx", url.Values{ //nolint:noctx // The example's server.
		"aid": {"123456"}, "jb": {"SALES"}, "rt": {"1"}, "tid": {id},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = resp.Body.Close() }()
	reply, err := io.ReadAll(resp.Body)
	fmt.Println(string(reply), err)
	// Output:
	// 10000001,1,0001112,,20000001,A-17,1000,80,500,1580,,, <nil>
}

// A caller must never take a reply that is lost after the booking for a refusal. The books show
// what happened.
func ExampleServer_Fail() {
	gateway := jpaymenttest.Start()
	defer gateway.Close()
	id := gateway.Authorize(jpaymenttest.Authorization{Amount: 1000})
	gateway.Fail(jpaymenttest.Fault{Kind: jpaymenttest.DropAfterBooking, Operation: jpayment.OpSales, Nth: 1})

	_, err := gateway.Client().Sales(context.Background(), jpayment.SalesRequest{PaymentID: id})
	fmt.Println("the caller was told:", jpayment.OutcomeOf(err))
	booked := func(r jpaymenttest.Request) bool { return r.PaymentID == id && r.Booked }
	fmt.Println("booked:", slices.ContainsFunc(gateway.Requests(), booked))
	// Output:
	// the caller was told: unknown
	// booked: true
}

// Each kind of fault, the outcome for the caller, and the state in the books.
func ExampleFaultKind() {
	gateway := jpaymenttest.Start()
	defer gateway.Close()
	for _, fault := range []jpaymenttest.Fault{
		{Kind: jpaymenttest.DropBeforeBooking},
		{Kind: jpaymenttest.DropAfterBooking},
		{Kind: jpaymenttest.ResetAfterBooking},
		{Kind: jpaymenttest.HangBeforeBooking},
		{Kind: jpaymenttest.HangAfterBooking},
		{Kind: jpaymenttest.CutReply},
		{Kind: jpaymenttest.StallReply},
		{Kind: jpaymenttest.CutHeader},
		{Kind: jpaymenttest.CloseAfterReply},
		{Kind: jpaymenttest.DelayReply, Delay: time.Millisecond},
		{Kind: jpaymenttest.AnswerStatus, Status: http.StatusBadGateway},
		{Kind: jpaymenttest.AnswerStatusAfterBooking},
		{Kind: jpaymenttest.Redirect},
		{Kind: jpaymenttest.AnswerCode, Code: "ER999"},
		{Kind: jpaymenttest.AnswerCodeAfterBooking, Code: "ER000"},
		{Kind: jpaymenttest.Garbage, Body: []byte("<html>")},
		{Kind: jpaymenttest.WrongCharset},
	} {
		ctx, leave := context.WithCancel(context.Background())
		switch fault.Kind { //nolint:exhaustive // Silence lasts until the caller leaves.
		case jpaymenttest.HangBeforeBooking, jpaymenttest.HangAfterBooking, jpaymenttest.StallReply:
			fault.Notify = leave
		}
		gateway.Fail(fault)
		id := gateway.Authorize(jpaymenttest.Authorization{Amount: 1000, OrderNumber: "注文7"})
		_, err := gateway.Client().Sales(ctx, jpayment.SalesRequest{PaymentID: id})
		payment, _ := gateway.Payment(id)
		fmt.Printf("%-28s%-9s%s\n", fault.Kind, jpayment.OutcomeOf(err), payment.State)
		gateway.ClearFaults()
		leave()
	}
	// Output:
	// drop-before-booking         unknown  authorized
	// drop-after-booking          unknown  captured
	// reset-after-booking         unknown  captured
	// hang-before-booking         unknown  authorized
	// hang-after-booking          unknown  captured
	// cut-reply                   unknown  captured
	// stall-reply                 unknown  captured
	// cut-header                  unknown  captured
	// close-after-reply           done     captured
	// delay-reply                 done     captured
	// answer-status               unknown  authorized
	// answer-status-after-booking unknown  captured
	// redirect                    unknown  authorized
	// answer-code                 refused  authorized
	// answer-code-after-booking   unknown  captured
	// garbage                     unknown  captured
	// wrong-charset               done     captured
}

// With a probability, the seed determines which requests are struck, the same each time.
func ExampleWithSeed() {
	gateway := jpaymenttest.Start(jpaymenttest.WithSeed(7))
	defer gateway.Close()
	gateway.Fail(jpaymenttest.Fault{Kind: jpaymenttest.AnswerCode, Code: "ER999", Probability: 0.5})
	for range 8 {
		id := gateway.Authorize(jpaymenttest.Authorization{Amount: 1000})
		_, err := gateway.Client().Cancel(context.Background(), jpayment.CancelRequest{PaymentID: id})
		fmt.Print(jpayment.OutcomeOf(err), " ")
	}
	// Output:
	// done done refused refused refused refused refused refused
}

// The books after a payment was replaced by one with a different amount.
func ExampleServer_Payments() {
	gateway := jpaymenttest.Start()
	defer gateway.Close()
	id := gateway.Authorize(jpaymenttest.Authorization{Amount: 3000})
	client := gateway.Client()
	res, err := client.ReAuth(context.Background(), jpayment.ReAuthRequest{PaymentID: id, Amount: 1500})
	if err != nil {
		fmt.Println(err)
		return
	}
	_, err = client.Sales(context.Background(), jpayment.SalesRequest{PaymentID: res.PaymentID})
	fmt.Println(err)

	yen := map[jpaymenttest.State]int64{}
	for _, payment := range gateway.Payments() {
		yen[payment.State] += payment.Amount + payment.Tax + payment.Shipping
	}
	fmt.Println("authorised", yen[jpaymenttest.Authorized], "captured", yen[jpaymenttest.Captured], "cancelled", yen[jpaymenttest.Cancelled])
	first := func(p jpaymenttest.Payment) jpaymenttest.Event { return p.History[0] }
	for _, payment := range gateway.Payments() {
		fmt.Println(payment.ID, "replaces:", payment.Replaces, "created by the checkout:", first(payment).Operation == jpaymenttest.OpAuthorize)
	}
	// Output:
	// <nil>
	// authorised 0 captured 1500 cancelled 3000
	// 10000001 replaces:  created by the checkout: true
	// 10000002 replaces: 10000001 created by the checkout: false
}

func ExampleServer_RegisterIPs() {
	gateway := jpaymenttest.Start()
	defer gateway.Close()
	gateway.RegisterIPs() // no address at all
	_, err := gateway.Client().Sales(context.Background(), jpayment.SalesRequest{PaymentID: "10000001"})
	fmt.Println(errors.Is(err, jpayment.CodeSourceIP))
	// Output:
	// true
}

func ExampleServer_SetMaintenance() {
	gateway := jpaymenttest.Start()
	defer gateway.Close()
	id := gateway.Authorize(jpaymenttest.Authorization{Amount: 1000})
	for _, on := range []bool{true, false} {
		gateway.SetMaintenance(on)
		_, err := gateway.Client().Sales(context.Background(), jpayment.SalesRequest{PaymentID: id})
		fmt.Println(jpayment.OutcomeOf(err))
	}
	// Output:
	// refused
	// done
}

// A store in test mode captures payments, but no money moves.
func ExampleServer_SetTestMode() {
	gateway := jpaymenttest.Start()
	defer gateway.Close()
	gateway.SetTestMode(true)
	id := gateway.Authorize(jpaymenttest.Authorization{Amount: 1000})
	_, err := gateway.Client(jpayment.WithProductionOnly()).Sales(context.Background(), jpayment.SalesRequest{PaymentID: id})
	payment, _ := gateway.Payment(id)
	fmt.Println(jpayment.OutcomeOf(err), payment.State, payment.TestMode)
	// Output:
	// unknown captured true
}

// The simulated gateway behind the test's own listener, with TLS.
func ExampleServer_ServeHTTP() {
	gateway := jpaymenttest.Start()
	defer gateway.Close()
	secure := httptest.NewTLSServer(gateway)
	defer secure.Close()

	id := gateway.Authorize(jpaymenttest.Authorization{Amount: 1000})
	client := gateway.Client(jpayment.WithBaseURL(secure.URL), jpayment.WithHTTPClient(secure.Client()))
	res, err := client.Sales(context.Background(), jpayment.SalesRequest{PaymentID: id})
	fmt.Println(res.Total, err)
	// Output:
	// 1000 <nil>
}

// Behaviour that the specification leaves open has options. Code that works with each of them
// does not depend on a guess.
func ExampleOption() {
	for _, assumption := range []struct {
		name string
		opts []jpaymenttest.Option
	}{
		{"as by default", nil},
		{"another store", []jpaymenttest.Option{jpaymenttest.WithStoreID("654321")}},
		{"connection authentication", []jpaymenttest.Option{jpaymenttest.WithConnectionAuth("0123456789abcdef")}},
		{"14 columns, no line ending", []jpaymenttest.Option{jpaymenttest.WithColumns(14), jpaymenttest.WithLineEnding("")}},
		{"replies in Shift_JIS", []jpaymenttest.Option{jpaymenttest.WithShiftJISReplies()}},
		{"requests in Shift_JIS", []jpaymenttest.Option{jpaymenttest.WithShiftJISRequests()}},
		{"other data as it is", []jpaymenttest.Option{jpaymenttest.WithPlainOtherData()}},
	} {
		gateway := jpaymenttest.Start(assumption.opts...)
		id := gateway.Authorize(jpaymenttest.Authorization{Amount: 1000, OrderNumber: "注文7"})
		res, err := gateway.Client().Sales(context.Background(), jpayment.SalesRequest{
			PaymentID: id, Extra: jpayment.NewExtra(map[string]string{"note": "a+b"}),
		})
		gateway.Close()
		if err != nil {
			fmt.Println(assumption.name, err)
			continue
		}
		fmt.Printf("%s: %s yen, %s, %s\n", assumption.name, res.Total, res.OrderNumber, res.Extra.Get("note"))
	}
	// Output:
	// as by default: 1000 yen, 注文7, a+b
	// another store: 1000 yen, 注文7, a+b
	// connection authentication: 1000 yen, 注文7, a+b
	// 14 columns, no line ending: 1000 yen, 注文7, a+b
	// replies in Shift_JIS: 1000 yen, 注文7, a+b
	// requests in Shift_JIS: 1000 yen, 注文7, a+b
	// other data as it is: 1000 yen, 注文7, a+b
}

// An authorisation can be captured for 90 days. It is known that a later capture is refused,
// but not with which code.
func ExampleWithLateCaptures() {
	for _, opts := range [][]jpaymenttest.Option{nil, {jpaymenttest.WithLateCaptures()}} {
		gateway := jpaymenttest.Start(opts...)
		id := gateway.Authorize(jpaymenttest.Authorization{Amount: 1000, At: time.Now().AddDate(0, 0, -100)})
		_, err := gateway.Client().Sales(context.Background(), jpayment.SalesRequest{PaymentID: id})
		fmt.Println(jpayment.OutcomeOf(err))
		gateway.Close()
	}
	// Output:
	// refused
	// done
}

// The reply to a second capture is an assumption. Code that passes either way is right whatever
// the gateway does.
func ExampleWithSetting() {
	for _, answer := range []string{"ER032", "done"} {
		gateway := jpaymenttest.Start(jpaymenttest.WithSetting("second_sales", answer))
		id := gateway.Authorize(jpaymenttest.Authorization{Amount: 1000})
		for range 2 {
			_, err := gateway.Client().Sales(context.Background(), jpayment.SalesRequest{PaymentID: id})
			fmt.Println(jpayment.OutcomeOf(err))
		}
		gateway.Close()
	}
	// Output:
	// done
	// refused
	// done
	// done
}

// A profile records the measurements at a store. This one has none.
func ExampleWithProfile() {
	gateway := jpaymenttest.Start(jpaymenttest.WithProfile("../testdata/profiles/assumed.json"))
	defer gateway.Close()
	id := gateway.Authorize(jpaymenttest.Authorization{Amount: 1000})
	res, err := gateway.Client().Sales(context.Background(), jpayment.SalesRequest{PaymentID: id})
	fmt.Println(res.Total, err)
	// Output: 1000 <nil>
}

// With rt=0 the reply says only that the request was accepted. The result comes by kickback,
// which the gateway repeats until the receiver's answer has a body.
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
	delivered := func(d jpaymenttest.KickbackDelivery) bool { return d.Delivered }
	fmt.Println("delivered at attempt", 1+slices.IndexFunc(gateway.Kickbacks(), delivered))
	// Output:
	// <nil>
	// gid=10000002&rst=1&ap=0001113&ec=&god=20000002&cod=A-17&am=900&tx=90&sf=0&ta=990&user=7
	// sent: 1
	// gid=10000002&rst=1&ap=0001113&ec=&god=20000002&cod=A-17&am=900&tx=90&sf=0&ta=990&user=7
	// sent: 1
	// delivered at attempt 2
}

package simulator_test

import (
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/jpayment-go/jpayment"
	"github.com/jpayment-go/jpayment/cmd/jpayment/internal/simulator"
	"github.com/jpayment-go/jpayment/internal/assumed"
)

func TestPaymentsByAPI(t *testing.T) {
	t.Parallel()
	r := start(t, simulator.Config{})
	require.Empty(t, r.control(t, "GET", "/payments", "", http.StatusOK)["payments"])

	status, body, header := call(t, "POST", r.URL+"/control/v1/payments",
		`{"amount":1000,"order_number":"注文<1>","registered_product":true,"at":"2026-01-02T03:04:05+09:00","decline":"G1242G120000"}`,
		"Content-Type", "application/json; charset=utf-8")
	require.Equal(t, http.StatusCreated, status)
	require.Equal(t, "/control/v1/payments/10000001", header.Get("Location"))
	require.JSONEq(t, `{
		"payment_id":"10000001","state":"authorized","amount":1000,"tax":0,"shipping":0,"total":1000,
		"order_number":"注文<1>","order_code":"20000001","approval_code":"0001112","registered_product":true,
		"decline":"G1242G120000","test_mode":false,"authorized_at":"2026-01-02T03:04:05+09:00","replaces":"","replaced_by":"",
		"history":[{"at":"2026-01-02T03:04:05+09:00","operation":"Authorize","state":"authorized","test_mode":false,"request":0}]}`, body)

	id := r.authorize(t)
	require.Equal(t, "captured", r.control(t, "POST", "/payments/"+id+"/capture", "", http.StatusOK)["state"])
	refusal := r.control(t, "POST", "/payments/"+id+"/capture", "{}", http.StatusConflict)
	require.Equal(t, "ER032", refusal["code"])
	next := r.control(t, "POST", "/payments/"+id+"/reauthorize", `{"amount":900,"tax":72}`, http.StatusCreated)
	require.Equal(t, id, next["replaces"])
	require.EqualValues(t, 972, next["total"])
	require.Equal(t, "cancelled", r.control(t, "POST", "/payments/10000003/cancel", "", http.StatusOK)["state"])
	require.Len(t, r.control(t, "GET", "/payments", "", http.StatusOK)["payments"], 3)
}

// settings returns the settings of a store, as assumed except for those given.
func settings(given map[string]any) map[string]any {
	all := map[string]any{"store_id": "123456"}
	for key, value := range assumed.Defaults() {
		all[key] = value
	}
	maps.Copy(all, given)
	return all
}

func TestSettingsByAPI(t *testing.T) {
	t.Parallel()
	r := start(t, simulator.Config{})
	before := r.control(t, "GET", "/settings", "", http.StatusOK)
	require.Equal(t, settings(map[string]any{
		"test_mode": false, "maintenance": false, "kickback_url": "", "registered_ips": []any{"127.0.0.0/8", "::1/128"},
	}), before)
	after := r.control(t, "PATCH", "/settings",
		`{"test_mode":true,"registered_ips":["203.0.113.5","2001:db8::/32","::ffff:10.0.0.1"],"kickback_url":"http://localhost:1/k?a=b"}`, http.StatusOK)
	require.Equal(t, settings(map[string]any{
		"test_mode": true, "maintenance": false, "kickback_url": "http://localhost:1/k?a=b",
		"registered_ips": []any{"203.0.113.5/32", "2001:db8::/32", "10.0.0.1/32"},
	}), after)
	require.Equal(t, after, r.control(t, "PATCH", "/settings", `{}`, http.StatusOK), "what is left out stays")

	_, err := r.client(t).Sales(t.Context(), jpayment.SalesRequest{PaymentID: r.authorize(t)})
	require.ErrorIs(t, err, jpayment.CodeSourceIP)
	r.control(t, "PATCH", "/settings", `{"maintenance":true,"registered_ips":[]}`, http.StatusOK)
	_, err = r.client(t).Sales(t.Context(), jpayment.SalesRequest{PaymentID: "1"})
	require.ErrorIs(t, err, jpayment.ErrMaintenance)
}

func TestFaultsAndRequestsByAPI(t *testing.T) {
	t.Parallel()
	r := start(t, simulator.Config{})
	id := r.authorize(t)
	fault := r.control(t, "POST", "/faults", `{"kind":"garbage","operation":"Sales","nth":1,"body":"<b>"}`, http.StatusCreated)
	require.Equal(t, []any{fault}, r.control(t, "GET", "/faults", "", http.StatusOK)["faults"])
	_, err := r.client(t).Sales(t.Context(), jpayment.SalesRequest{PaymentID: id, Extra: jpayment.NewExtra(map[string]string{"k": "<x>"})})
	require.Equal(t, jpayment.OutcomeUnknown, jpayment.OutcomeOf(err))

	request := r.control(t, "GET", "/requests/1", "", http.StatusOK)
	require.Equal(t, "garbage", request["fault"])
	require.Equal(t, true, request["booked"])
	require.Equal(t, "<b>", request["answer"])
	require.Equal(t, "PGI+", request["answer_base64"])
	require.Contains(t, request["params"], map[string]any{"key": "k", "value": "<x>"})
	require.Contains(t, request["body"], "jb=SALES")

	require.Empty(t, r.control(t, "GET", "/requests?after=1", "", http.StatusOK)["requests"])
	require.Len(t, r.control(t, "GET", "/requests?after=0", "", http.StatusOK)["requests"], 1)
	other := r.control(t, "POST", "/faults", `{"kind":"cut-reply"}`, http.StatusCreated)
	fault["struck"], fault["matched"], fault["spent"] = 1., 1., true
	require.Equal(t, []any{fault, other}, r.control(t, "GET", "/faults", "", http.StatusOK)["faults"])
	require.Equal(t, []any{other}, r.control(t, "DELETE", "/faults/1", "", http.StatusOK)["faults"])
	require.Contains(t, r.control(t, "DELETE", "/faults/1", "", http.StatusNotFound)["error"], `number: fault "1" does not exist`)
	require.Empty(t, r.control(t, "DELETE", "/faults", "", http.StatusOK)["faults"])
	require.Empty(t, r.control(t, "GET", "/faults", "", http.StatusOK)["faults"])
}

func TestKickbacksByAPI(t *testing.T) {
	t.Parallel()
	r := start(t, simulator.Config{})
	id := r.authorize(t)
	require.NoError(t, r.client(t).ReAuthByKickback(t.Context(), jpayment.ReAuthRequest{PaymentID: id, Amount: 900}))
	waiting := r.control(t, "GET", "/kickbacks", "", http.StatusOK)["waiting"].([]any)
	require.Len(t, waiting, 1)
	require.EqualValues(t, 1, waiting[0].(map[string]any)["request"])
	require.Contains(t, r.control(t, "POST", "/kickbacks/1/retry", "", http.StatusConflict)["error"], "no kickback URL")

	pageURL, queries := receiver(t, "0")
	r.control(t, "PATCH", "/settings", `{"kickback_url":"`+pageURL+`"}`, http.StatusOK)
	all := r.control(t, "POST", "/kickbacks/deliver", "", http.StatusOK)
	require.Empty(t, all["waiting"])
	require.Equal(t, waiting[0].(map[string]any)["query"], next(t, queries))
	require.Len(t, all["deliveries"], 1)

	again := r.control(t, "POST", "/kickbacks/1/retry", `{}`, http.StatusOK)
	require.Equal(t, true, again["delivered"])
	require.Equal(t, true, again["manual"])
	next(t, queries)
	forged := r.control(t, "POST", "/kickbacks/forge", `{"query":"gid=1&rst=1"}`, http.StatusOK)
	require.Equal(t, "gid=1&rst=1", next(t, queries))
	require.Equal(t, "0", forged["answer"])
	require.Len(t, r.control(t, "GET", "/kickbacks", "", http.StatusOK)["forged"], 1)

	// An attempt without an answer is recorded too.
	r.control(t, "PATCH", "/settings", `{"kickback_url":"http://127.0.0.1:1/"}`, http.StatusOK)
	failed := r.control(t, "POST", "/kickbacks/1/retry", `{}`, http.StatusOK)
	require.Equal(t, false, failed["delivered"])
	require.NotEmpty(t, failed["error"])
	require.Contains(t, r.control(t, "POST", "/kickbacks/7/retry", `{}`, http.StatusNotFound)["error"], "request: the request has no kickback")
}

// The API shows that a receiver has not answered yet.
func TestKickbackUnderWay(t *testing.T) {
	t.Parallel()
	came, answer := make(chan bool), make(chan bool)
	receiver := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		came <- true
		<-answer
		_, _ = io.WriteString(w, "OK")
	}))
	t.Cleanup(receiver.Close)
	r := start(t, simulator.Config{Set: []simulator.Setting{{Name: "kickback_url", Value: receiver.URL}}})
	require.NoError(t, r.client(t).ReAuthByKickback(t.Context(), jpayment.ReAuthRequest{PaymentID: r.authorize(t), Amount: 900}))
	<-came
	delivery := func() map[string]any {
		return r.control(t, "GET", "/kickbacks", "", http.StatusOK)["deliveries"].([]any)[0].(map[string]any)
	}
	require.Equal(t, true, delivery()["under_way"])
	require.Equal(t, false, delivery()["delivered"])
	close(answer)
	r.control(t, "POST", "/kickbacks/deliver", "", http.StatusOK) // waits for it
	require.Equal(t, false, delivery()["under_way"])
	require.Equal(t, true, delivery()["delivered"])
}

func TestWhatTheAPIRefuses(t *testing.T) {
	t.Parallel()
	r := start(t, simulator.Config{})
	id := r.authorize(t)
	tests := map[string]struct {
		method, path, body string
		status             int
		want               string // in the error
	}{
		"not JSON":            {"POST", "/payments", `amount=1`, 400, "body: is not a JSON object"},
		"a list":              {"POST", "/payments", `[]`, 400, "body: is not a JSON object"},
		"cut":                 {"POST", "/payments", `{"amount":1`, 400, "body: is not a JSON object"},
		"cut in a field":      {"POST", "/payments", `{"amount":`, 400, "body: is not a JSON object"},
		"more than one":       {"POST", "/payments", `{"amount":1} {}`, 400, "body: has other data"},
		"too long":            {"POST", "/payments", `{"order_number":"` + strings.Repeat("x", 1<<20) + `"}`, 400, "body: "},
		"unknown":             {"POST", "/payments", `{"amount":1,"amonut":1}`, 400, "amonut: is not a known field (known: amount, tax"},
		"other letters":       {"POST", "/payments", `{"Amount":1}`, 400, "Amount: is not a known field"},
		"twice":               {"POST", "/payments", `{"amount":1,"amount":2}`, 400, "amount: appears twice"},
		"null":                {"POST", "/payments", `{"amount":null}`, 400, "amount: is null"},
		"a string":            {"POST", "/payments", `{"amount":"1"}`, 400, "amount: must be a whole number, not string"},
		"a fraction":          {"POST", "/payments", `{"amount":1.5}`, 400, "amount: must be a whole number, not number 1.5"},
		"too great":           {"POST", "/payments", `{"amount":9223372036854775808}`, 400, "amount: "},
		"negative":            {"POST", "/payments", `{"amount":1,"tax":-1}`, 400, "tax: is negative"},
		"overflow":            {"POST", "/payments", `{"amount":9223372036854775807,"shipping":1}`, 400, "shipping: makes the total"},
		"nothing":             {"POST", "/payments", `{}`, 400, "amount: and tax and shipping add up to 0"},
		"order number":        {"POST", "/payments", `{"amount":1,"order_number":"` + strings.Repeat("あ", 17) + `"}`, 400, "order_number: "},
		"decline":             {"POST", "/payments", `{"amount":1,"decline":"ER003"}`, 400, "decline: "},
		"a short decline":     {"POST", "/payments", `{"amount":1,"decline":"G12"}`, 400, "decline: is not a G code of 12 characters"},
		"the future":          {"POST", "/payments", `{"amount":1,"at":"2999-01-01T00:00:00Z"}`, 400, "at: is in the future"},
		"a day":               {"POST", "/payments", `{"amount":1,"at":"yesterday"}`, 400, "at: "},
		"a flag":              {"POST", "/payments", `{"amount":1,"registered_product":1}`, 400, "registered_product: must be true or false, not number"},
		"an argument":         {"POST", "/payments/" + id + "/capture", `{"amount":1}`, 400, "amount: is not a known field (known: none)"},
		"no such payment":     {"POST", "/payments/7/cancel", ``, 404, `payment_id: there is no payment "7"`},
		"none to read":        {"GET", "/payments/7", ``, 404, "payment_id: "},
		"none to replace":     {"POST", "/payments/7/reauthorize", `{"amount":1}`, 404, "payment_id: "},
		"amounts":             {"POST", "/payments/" + id + "/reauthorize", `{}`, 400, "amount: "},
		"store":               {"PATCH", "/settings", `{"store_id":"1"}`, 400, "store_id: is not a known field"},
		"addresses":           {"PATCH", "/settings", `{"registered_ips":["10.0.0.0/33"]}`, 400, `registered_ips: "10.0.0.0/33"`},
		"a zone":              {"PATCH", "/settings", `{"registered_ips":["fe80::1%eth0"]}`, 400, "registered_ips: "},
		"no list":             {"PATCH", "/settings", `{"registered_ips":"10.0.0.1"}`, 400, "registered_ips: must be a list, not string"},
		"a URL elsewhere":     {"PATCH", "/settings", `{"kickback_url":"https://example.com/"}`, 400, "kickback_url: "},
		"a URL with a user":   {"PATCH", "/settings", `{"kickback_url":"http://a@localhost/"}`, 400, "kickback_url: "},
		"a fault":             {"POST", "/faults", `{"kind":"flood"}`, 400, `kind: "flood" is not one of drop-before-booking,`},
		"a request's number":  {"GET", "/requests/x", ``, 404, "number: "},
		"after":               {"GET", "/requests?after=x", ``, 400, "after: "},
		"no kickback":         {"POST", "/kickbacks/7/retry", ``, 404, "request: the request has no kickback"},
		"a kickback's number": {"POST", "/kickbacks/x/retry", ``, 404, "request: "},
		"no such call":        {"PUT", "/nothing", ``, 404, "PUT /control/v1/nothing: the API has no such call"},
		"another method":      {"PUT", "/payments", ``, 405, "PUT is not allowed for /control/v1/payments; use GET or POST"},
		"control bytes":       {"POST", "/kickbacks/forge", `{"query":1}`, 400, "query: must be a string, not number"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			require.Contains(t, r.control(t, test.method, test.path, test.body, test.status)["error"], test.want)
		})
	}
	status, body, header := call(t, "PUT", r.URL+"/control/v1/settings", `{}`, "Content-Type", "application/json")
	require.Equal(t, http.StatusMethodNotAllowed, status)
	require.Equal(t, "GET, PATCH", header.Get("Allow"))
	require.Contains(t, body, "PUT is not allowed for /control/v1/settings; use GET or PATCH")
	for _, contentType := range []string{"", "text/plain", "application/x-www-form-urlencoded", "application/json-patch+json"} {
		status, body, _ := call(t, "POST", r.URL+"/control/v1/payments", `{"amount":1}`, "Content-Type", contentType)
		require.Equal(t, http.StatusUnsupportedMediaType, status)
		require.Contains(t, body, "Content-Type")
	}
}

// The API uses the language that a request accepts. In Japanese there are no two English words
// side by side, only names.
func TestAPISpeaksJapanese(t *testing.T) {
	t.Parallel()
	r := start(t, simulator.Config{Token: "secret of the test"})
	id := func() string {
		var payment struct {
			ID string `json:"payment_id"`
		}
		_, body, _ := call(t, "POST", r.URL+"/control/v1/payments", `{"amount":1}`, "Content-Type", "application/json", "Authorization", "Bearer secret of the test")
		require.NoError(t, json.Unmarshal([]byte(body), &payment))
		return payment.ID
	}()
	for _, c := range []struct{ method, path, body string }{
		{"PUT", "/settings", "{}"},
		{"GET", "/nothing", ""},
		{"POST", "/payments", "["},
		{"POST", "/payments", "{} {}"},
		{"POST", "/payments", `{"x":1}`},
		{"POST", "/payments", `{"amount":1,"amount":1}`},
		{"POST", "/payments", `{"amount":null}`},
		{"POST", "/payments", `{"amount":"1"}`},
		{"POST", "/payments", `{}`},
		{"POST", "/payments", `{"amount":-1}`},
		{"POST", "/payments", `{"amount":1,"decline":"x"}`},
		{"GET", "/payments/7", ""},
		{"GET", "/requests/7", ""},
		{"GET", "/requests?after=x", ""},
		{"GET", "/kickbacks?skip=x", ""},
		{"DELETE", "/faults/7", ""},
		{"POST", "/kickbacks/x/retry", "{}"},
		{"POST", "/kickbacks/7/retry", "{}"},
		{"POST", "/kickbacks/forge", "{}"},
		{"POST", "/payments/" + id + "/capture", ""},
		{"POST", "/payments/" + id + "/capture", ""},
		{"POST", "/faults", `{"kind":"flood"}`},
		{"POST", "/faults", `{"kind":"cut-reply","operation":"SALES"}`},
		{"POST", "/faults", `{"kind":"cut-reply","nth":-1}`},
		{"POST", "/faults", `{"kind":"cut-reply","probability":2}`},
		{"POST", "/faults", `{"kind":"cut-reply","code":"x"}`},
		{"POST", "/faults", `{"kind":"answer-code"}`},
		{"POST", "/faults", `{"kind":"delay-reply"}`},
		{"POST", "/faults", `{"kind":"answer-status","status":1}`},
		{"PATCH", "/settings", `{"registered_ips":["x"]}`},
		{"PATCH", "/settings", `{"kickback_url":"x"}`},
		{"PATCH", "/settings", `{"test_mode":"x"}`},
	} {
		status, body, _ := call(t, c.method, r.URL+"/control/v1"+c.path, c.body,
			"Content-Type", "application/json", "Accept-Language", "ja", "Authorization", "Bearer secret of the test")
		if status < 300 {
			continue
		}
		var reply struct{ Error string }
		require.NoError(t, json.Unmarshal([]byte(body), &reply), body)
		require.Regexp(t, `\p{Hiragana}|\p{Katakana}`, reply.Error, c)
		require.NotRegexp(t, `[A-Za-z]+ [a-z]{2,}`, reply.Error, c)
	}
	for _, header := range [][]string{{"Authorization", "Bearer wrong"}, {"Authorization", "Bearer secret of the test", "Host", "example.com"}, {"Authorization", "Bearer secret of the test", "Sec-Fetch-Site", "cross-site"}} {
		status, body, _ := call(t, "POST", r.URL+"/control/v1/payments", `{}`, append(header, "Accept-Language", "ja")...)
		require.GreaterOrEqual(t, status, 400)
		require.Regexp(t, `\p{Hiragana}`, body)
	}
}

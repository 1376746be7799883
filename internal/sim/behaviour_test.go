package sim_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/jpayment-go/jpayment/internal/assumed"
	"github.com/jpayment-go/jpayment/internal/sim"
)

// The table and the simulator have the same settings, and the defaults are the assumed values.
func TestBehaviourIsTheTable(t *testing.T) {
	t.Parallel()
	b := reflect.TypeFor[sim.Behaviour]()
	var fields, keys []string
	for i := range b.NumField() {
		fields = append(fields, b.Field(i).Tag.Get("setting"))
	}
	for _, s := range assumed.Settings() {
		keys = append(keys, s.Key)
	}
	require.ElementsMatch(t, keys, fields)
	require.Equal(t, assumed.Defaults(), sim.Defaults().Values())

	for _, s := range assumed.Settings() {
		values := []string{s.Flip}
		for _, v := range s.Values {
			values = append(values, v.Name)
		}
		for _, value := range values {
			want := assumed.Defaults()
			want[s.Key] = value
			changed, err := sim.Defaults().With(assumed.Values{s.Key: value})
			require.NoError(t, err)
			require.Equal(t, want, changed.Values())
		}
	}
	_, err := sim.Defaults().With(assumed.Values{"columns": "12"})
	require.EqualError(t, err, `columns "12" is not 13, 14 or 11`)
	retries, err := sim.Defaults().With(assumed.Values{"kickback_retries": "none"})
	require.NoError(t, err)
	require.Empty(t, retries.KickbackRetries)
	require.Equal(t, "none", retries.Values()["kickback_retries"])
}

// trial is an experiment with a gateway and its results.
type trial struct {
	*sim.Simulator

	t       *testing.T
	clock   *clock
	rec     *receiver
	heard   strings.Builder
	respond func(http.ResponseWriter, *http.Request, int)
	exact   bool // including line ends
}

// ask sends a form by POST and records the answer.
func (g *trial) ask(page, form string) { g.request("POST", page, formType, form) }

func (g *trial) request(method, target, contentType, body string) {
	r := httptest.NewRequestWithContext(g.t.Context(), method, target, strings.NewReader(body))
	if contentType != "" {
		r.Header.Set("Content-Type", contentType)
	}
	r.RemoteAddr = "127.0.0.1:1"
	w := httptest.NewRecorder()
	g.ServeHTTP(w, r)
	if w.Code != http.StatusOK {
		fmt.Fprintf(&g.heard, "%d ", w.Code)
	}
	answer := w.Body.String()
	if !g.exact {
		answer = strings.TrimSuffix(answer, "\r\n") + "\n"
	}
	g.heard.WriteString(answer)
}

func (g *trial) sales(id string)  { g.ask(gatewayPage, "aid=123456&jb=SALES&rt=1&tid="+id) }
func (g *trial) cancel(id string) { g.ask(gatewayPage, "aid=123456&jb=CANCEL&rt=1&tid="+id) }
func (g *trial) reAuth(id string) {
	g.ask(reAuthPage, "aid=123456&rt=1&am=900&tx=72&sf=0&tid="+id)
}

func (g *trial) reAuthByKickback(more string) {
	g.ask(reAuthPage, "aid=123456&rt=0&am=900&tx=72&sf=0&"+more)
}

// state records the payments in the books.
func (g *trial) state(id string) {
	p, found := g.Payment(id)
	require.True(g.t, found)
	g.heard.WriteString(string(p.State) + "\n")
}

// kickbacks sends the kickbacks that are due after a time and records what the receiver got.
func (g *trial) kickbacks(after time.Duration) {
	if g.rec == nil {
		if g.respond == nil {
			g.respond = content
		}
		g.rec = newReceiver(g.t, g.respond)
		g.SetKickbackURL(g.rec.URL)
	}
	g.clock.advance(after)
	g.DeliverKickbacks(g.t.Context())
	received := g.rec.received()
	fmt.Fprintf(&g.heard, "%d:%s\n", len(received), strings.Join(received, " "))
}

const declineCode = "G1242G120000"

// trials has for each setting an experiment and the expected result for each value.
var trials = map[string]struct {
	do   func(*trial)
	want map[string]string
}{
	"success_gid": {func(g *trial) { g.sales(g.Authorize(order)) }, map[string]string{
		"same": "10000001,1,0001112,,20000001,test,1000,80,500,1580,,,\n",
		"own":  "30000001,1,0001112,,20000001,test,1000,80,500,1580,,,\n",
		"zero": "0,1,0001112,,20000001,test,1000,80,500,1580,,,\n",
	}},
	"reauth_amounts": {func(g *trial) { g.reAuth(g.Authorize(order)) }, map[string]string{
		"new": "10000002,1,0001113,,20000002,test,900,72,0,972,,,\n",
		"old": "10000002,1,0001113,,20000002,test,1000,80,500,1580,,,\n",
	}},
	"reauth_gid": {func(g *trial) {
		g.reAuth(g.Authorize(order))
		g.sales("10000001")
	}, map[string]string{
		"new":  "10000002,1,0001113,,20000002,test,900,72,0,972,,,\n0,2,,ER032,,,0,0,0,0,,,\n",
		"same": "10000001,1,0001112,,20000001,test,900,72,0,972,,,\n10000001,1,0001112,,20000001,test,900,72,0,972,,,\n",
	}},
	"refused_reauth": {func(g *trial) {
		g.ask(reAuthPage, "aid=123456&rt=1&am=900&tx=72&sf=0&pn=x&tid="+g.Authorize(order))
		g.state("10000001")
	}, map[string]string{
		"untouched": "0,2,,ER060,,,0,0,0,0,,,\nauthorized\n",
		"cancelled": "0,2,,ER060,,,0,0,0,0,,,\ncancelled\n",
	}},
	"refusal_status": {func(g *trial) {
		g.sales("1")
		g.ask(gatewayPage, "aid=123456&jb=SALES&rt=0&tid=1")
		g.sales(g.Authorize(order))
	}, map[string]string{
		"200": "0,2,,ER053,,,0,0,0,0,,,\nER:ER053\n10000001,1,0001112,,20000001,test,1000,80,500,1580,,,\n",
		"400": "400 0,2,,ER053,,,0,0,0,0,,,\n400 ER:ER053\n10000001,1,0001112,,20000001,test,1000,80,500,1580,,,\n",
		"403": "403 0,2,,ER053,,,0,0,0,0,,,\n403 ER:ER053\n10000001,1,0001112,,20000001,test,1000,80,500,1580,,,\n",
		"500": "500 0,2,,ER053,,,0,0,0,0,,,\n500 ER:ER053\n10000001,1,0001112,,20000001,test,1000,80,500,1580,,,\n",
	}},
	"row_space": {func(g *trial) {
		g.ask(gatewayPage, "aid=123456&jb=SALES&rt=1&a=b%20c%2Bd&tid="+g.Authorize(order))
	}, map[string]string{
		"percent": "10000001,1,0001112,,20000001,test,1000,80,500,1580,,,a=b%20c%2Bd\n",
		"plus":    "10000001,1,0001112,,20000001,test,1000,80,500,1580,,,a=b+c%2Bd\n",
	}},
	"acceptance": {func(g *trial) { g.reAuthByKickback("tid=" + g.Authorize(order)) }, map[string]string{
		"bare":   "OK\n",
		"number": "OK,10000001\n",
	}},
	"kickback_other_data": {func(g *trial) {
		g.reAuthByKickback("a=b&tid=" + g.Authorize(order))
		g.kickbacks(0)
	}, map[string]string{
		"kept":    "OK\n1:" + toldByKickback + "&a=b\n",
		"dropped": "OK\n1:" + toldByKickback + "\n",
	}},
	"line_end": {func(g *trial) {
		g.exact = true
		g.sales("1")
	}, map[string]string{
		"crlf": "0,2,,ER053,,,0,0,0,0,,,\r\n",
		"cr":   "0,2,,ER053,,,0,0,0,0,,,\r",
		"none": "0,2,,ER053,,,0,0,0,0,,,",
	}},
	"columns": {func(g *trial) { g.sales(g.Authorize(order)) }, map[string]string{
		"13": "10000001,1,0001112,,20000001,test,1000,80,500,1580,,,\n",
		"14": "10000001,1,0001112,,20000001,test,1000,80,500,1580,,,0,\n",
		"11": "10000001,1,0001112,,20000001,test,1000,80,500,1580,\n",
	}},
	"reply_charset": {func(g *trial) {
		a := order
		a.OrderNumber = "注文"
		g.sales(g.Authorize(a))
	}, map[string]string{
		"utf-8":     "10000001,1,0001112,,20000001,注文,1000,80,500,1580,,,\n",
		"shift_jis": "10000001,1,0001112,,20000001,\x92\x8d\x95\xb6,1000,80,500,1580,,,\n",
	}},
	"request_charset": {func(g *trial) {
		g.ask(gatewayPage, "aid=123456&jb=SALES&rt=1&a=%82%A0&tid="+g.Authorize(order))
	}, map[string]string{
		"utf-8":     "0,2,,ER001,,,0,0,0,0,,,\n",
		"shift_jis": "10000001,1,0001112,,20000001,test,1000,80,500,1580,,,a=%E3%81%82\n",
	}},
	"other_data": {func(g *trial) {
		g.ask(gatewayPage, "aid=123456&jb=SALES&rt=1&a=b%2Cc&tid="+g.Authorize(order))
	}, map[string]string{
		"escaped": "10000001,1,0001112,,20000001,test,1000,80,500,1580,,,a=b%2Cc\n",
		"plain":   "10000001,1,0001112,,20000001,test,1000,80,500,1580,,,a=b,c\n",
	}},
	"declined_reauth": {func(g *trial) {
		a := order
		a.Decline = declineCode
		g.reAuth(g.Authorize(a))
		g.state("10000001")
	}, map[string]string{
		"keeps":   declinedRow[:len(declinedRow)-2] + "\nauthorized\n",
		"cancels": declinedRow[:len(declinedRow)-2] + "\ncancelled\n",
	}},
	"late_capture": {func(g *trial) {
		a := order
		a.At = g.clock.now().AddDate(0, 0, -91)
		g.sales(g.Authorize(a))
	}, map[string]string{
		"ER032": "0,2,,ER032,,,0,0,0,0,,,\n",
		"ER053": "0,2,,ER053,,,0,0,0,0,,,\n",
		"done":  "10000001,1,0001112,,20000001,test,1000,80,500,1580,,,\n",
	}},
	"declined_rt0": {func(g *trial) {
		a := order
		a.Decline = declineCode
		g.reAuthByKickback("tid=" + g.Authorize(a))
		g.kickbacks(0)
	}, map[string]string{
		"kickback": "OK\n1:" + toldDeclined + "\n",
		"answer":   "ER:G1242G120000\n0:\n",
	}},
	"kickback_delay": {func(g *trial) {
		g.reAuthByKickback("tid=" + g.Authorize(order))
		g.kickbacks(9 * time.Second)
		g.kickbacks(time.Second)
	}, map[string]string{
		"0s":  "OK\n1:" + toldByKickback + "\n0:\n",
		"10s": "OK\n0:\n1:" + toldByKickback + "\n",
	}},
	"kickback_retries": {func(g *trial) {
		g.respond = empty
		g.reAuthByKickback("tid=" + g.Authorize(order))
		g.kickbacks(0)
		g.kickbacks(5 * time.Second)
		g.kickbacks(55 * time.Second)
	}, map[string]string{
		"1m,5m,30m": "OK\n1:" + toldByKickback + "\n0:\n1:" + toldByKickback + "\n",
		"5s":        "OK\n1:" + toldByKickback + "\n1:" + toldByKickback + "\n0:\n",
		"none":      "OK\n1:" + toldByKickback + "\n0:\n0:\n",
	}},
	"kickback_duplicates": {func(g *trial) {
		g.reAuthByKickback("tid=" + g.Authorize(order))
		g.kickbacks(0)
	}, map[string]string{
		"0": "OK\n1:" + toldByKickback + "\n",
		"1": "OK\n2:" + toldByKickback + " " + toldByKickback + "\n",
	}},
	"kickback_order": {func(g *trial) {
		a := order
		a.Decline = declineCode
		g.reAuthByKickback("tid=" + g.Authorize(a))
		g.reAuthByKickback("tid=" + g.Authorize(order))
		g.kickbacks(0)
	}, map[string]string{
		"asked":    "OK\nOK\n2:" + toldDeclined + " gid=10000003&rst=1&ap=0001114&ec=&god=20000003&cod=test&am=900&tx=72&sf=0&ta=972\n",
		"reversed": "OK\nOK\n2:gid=10000003&rst=1&ap=0001114&ec=&god=20000003&cod=test&am=900&tx=72&sf=0&ta=972 " + toldDeclined + "\n",
	}},
	"kickback_charset": {func(g *trial) {
		g.reAuthByKickback("a=%E3%81%82&tid=" + g.Authorize(order))
		g.kickbacks(0)
	}, map[string]string{
		"utf-8":     "OK\n1:" + toldByKickback + "&a=%E3%81%82\n",
		"shift_jis": "OK\n1:" + toldByKickback + "&a=%82%A0\n",
	}},
	"kickback_acid": {func(g *trial) {
		g.reAuthByKickback("a=b&tid=" + g.Authorize(order))
		g.kickbacks(0)
	}, map[string]string{
		"":           "OK\n1:" + toldByKickback + "&a=b\n",
		"1000000001": "OK\n1:" + toldByKickback + "&acid=1000000001&a=b\n",
	}},
	"first_check": {func(g *trial) {
		g.ask(gatewayPage, "aid=654321&jb=SALES&rt=1&tid=1")
		g.ask(gatewayPage, "aid=654321&jb=SALES&rt=1&tid="+g.Authorize(order))
		g.RegisterIPs()
		g.sales("1")
	}, map[string]string{
		"store":   "0,2,,ER004,,,0,0,0,0,,,\n0,2,,ER004,,,0,0,0,0,,,\n0,2,,ER003,,,0,0,0,0,,,\n",
		"payment": "0,2,,ER053,,,0,0,0,0,,,\n0,2,,ER004,,,0,0,0,0,,,\n0,2,,ER053,,,0,0,0,0,,,\n",
	}},
	"row_for": {func(g *trial) {
		g.ask(gatewayPage, "aid=123456&jb=SALES&rt=0&rt=1&tid=1")
		g.request("POST", gatewayPage+"?rt=1", "application/json", "{}")
		g.sales("1")
	}, map[string]string{
		"any":  "0,2,,ER001,,,0,0,0,0,,,\n0,2,,ER050,,,0,0,0,0,,,\n0,2,,ER053,,,0,0,0,0,,,\n",
		"only": "ER:ER001\n0,2,,ER050,,,0,0,0,0,,,\n0,2,,ER053,,,0,0,0,0,,,\n",
	}},
	"post_forms": {func(g *trial) {
		for range 2 {
			g.Authorize(order)
		}
		g.request("POST", gatewayPage+"?aid=123456&jb=SALES&rt=1&tid=10000001", formType, "")
		g.request("POST", gatewayPage, "multipart/form-data; boundary=b", multipartForm)
		g.request("POST", gatewayPage, "multipart/form-data; boundary=b", multipartForm[:len(multipartForm)-4])
	}, map[string]string{
		"any":        "10000001,1,0001112,,20000001,test,1000,80,500,1580,,,\n10000002,1,0001113,,20000002,test,1000,80,500,1580,,,n=%E3%81%82%20%2B\n0,2,,ER001,,,0,0,0,0,,,\n",
		"urlencoded": "0,2,,ER050,,,0,0,0,0,,,\n0,2,,ER050,,,0,0,0,0,,,\n0,2,,ER050,,,0,0,0,0,,,\n",
	}},
	"other_data_counted": {func(g *trial) {
		g.ask(gatewayPage, "aid=123456&jb=SALES&rt=0&a="+strings.Repeat("%61", 342)+"&tid="+g.Authorize(order))
	}, map[string]string{
		"before": "OK\n",
		"after":  "ER:ER001\n",
	}},
	"zero_total": {func(g *trial) {
		g.ask(reAuthPage, "aid=123456&rt=1&am=0&tx=0&sf=0&tid="+g.Authorize(order))
	}, map[string]string{
		"ER061": "0,2,,ER061,,,0,0,0,0,,,\n",
		"done":  "10000002,1,0001113,,20000002,test,0,0,0,0,,,\n",
	}},
	"second_sales": {func(g *trial) {
		g.sales(g.Authorize(order))
		g.sales("10000001")
	}, map[string]string{
		"ER032": "10000001,1,0001112,,20000001,test,1000,80,500,1580,,,\n0,2,,ER032,,,0,0,0,0,,,\n",
		"ER053": "10000001,1,0001112,,20000001,test,1000,80,500,1580,,,\n0,2,,ER053,,,0,0,0,0,,,\n",
		"done":  "10000001,1,0001112,,20000001,test,1000,80,500,1580,,,\n10000001,1,0001112,,20000001,test,1000,80,500,1580,,,\n",
	}},
	"sales_after_cancel": {func(g *trial) {
		g.cancel(g.Authorize(order))
		g.sales("10000001")
		g.state("10000001")
	}, map[string]string{
		"ER032": "10000001,1,0001112,,20000001,test,1000,80,500,1580,,,\n0,2,,ER032,,,0,0,0,0,,,\ncancelled\n",
		"ER053": "10000001,1,0001112,,20000001,test,1000,80,500,1580,,,\n0,2,,ER053,,,0,0,0,0,,,\ncancelled\n",
		"done":  "10000001,1,0001112,,20000001,test,1000,80,500,1580,,,\n10000001,1,0001112,,20000001,test,1000,80,500,1580,,,\ncaptured\n",
	}},
	"cancel_captured": {func(g *trial) {
		g.sales(g.Authorize(order))
		g.cancel("10000001")
		g.state("10000001")
	}, map[string]string{
		"done":  "10000001,1,0001112,,20000001,test,1000,80,500,1580,,,\n10000001,1,0001112,,20000001,test,1000,80,500,1580,,,\ncancelled\n",
		"ER033": "10000001,1,0001112,,20000001,test,1000,80,500,1580,,,\n0,2,,ER033,,,0,0,0,0,,,\ncaptured\n",
	}},
	"second_cancel": {func(g *trial) {
		g.cancel(g.Authorize(order))
		g.cancel("10000001")
	}, map[string]string{
		"ER033": "10000001,1,0001112,,20000001,test,1000,80,500,1580,,,\n0,2,,ER033,,,0,0,0,0,,,\n",
		"done":  "10000001,1,0001112,,20000001,test,1000,80,500,1580,,,\n10000001,1,0001112,,20000001,test,1000,80,500,1580,,,\n",
	}},
	"reauth_cancelled": {func(g *trial) {
		g.cancel(g.Authorize(order))
		g.reAuth("10000001")
	}, map[string]string{
		"ER033": "10000001,1,0001112,,20000001,test,1000,80,500,1580,,,\n0,2,,ER033,,,0,0,0,0,,,\n",
		"ER053": "10000001,1,0001112,,20000001,test,1000,80,500,1580,,,\n0,2,,ER053,,,0,0,0,0,,,\n",
		"done":  "10000001,1,0001112,,20000001,test,1000,80,500,1580,,,\n10000002,1,0001113,,20000002,test,900,72,0,972,,,\n",
	}},
	"reauth_captured": {func(g *trial) {
		g.sales(g.Authorize(order))
		g.reAuth("10000001")
		g.state("10000001")
	}, map[string]string{
		"done":  "10000001,1,0001112,,20000001,test,1000,80,500,1580,,,\n10000002,1,0001113,,20000002,test,900,72,0,972,,,\ncancelled\n",
		"ER053": "10000001,1,0001112,,20000001,test,1000,80,500,1580,,,\n0,2,,ER053,,,0,0,0,0,,,\ncaptured\n",
	}},
	"reauth_barred": {func(g *trial) {
		a := order
		a.At = g.clock.now().AddDate(0, -2, 0)
		g.reAuth(g.Authorize(a))
		a = order
		a.RegisteredProduct = true
		g.reAuth(g.Authorize(a))
	}, map[string]string{
		"ER053": "0,2,,ER053,,,0,0,0,0,,,\n0,2,,ER053,,,0,0,0,0,,,\n",
		"ER033": "0,2,,ER033,,,0,0,0,0,,,\n0,2,,ER033,,,0,0,0,0,,,\n",
		"done":  "10000002,1,0001113,,20000002,test,900,72,0,972,,,\n10000004,1,0001115,,20000004,test,900,72,0,972,,,\n",
	}},
	"refusal_row": {func(g *trial) {
		g.cancel(g.Authorize(order))
		g.ask(gatewayPage, "aid=123456&jb=CANCEL&rt=1&a=b&tid=10000001")
		g.cancel("1")
	}, map[string]string{
		"nothing": "10000001,1,0001112,,20000001,test,1000,80,500,1580,,,\n0,2,,ER033,,,0,0,0,0,,,\n0,2,,ER053,,,0,0,0,0,,,\n",
		"payment": "10000001,1,0001112,,20000001,test,1000,80,500,1580,,,\n10000001,2,,ER033,20000001,test,1000,80,500,1580,,,a=b\n0,2,,ER053,,,0,0,0,0,,,\n",
	}},
	"refused_rt0": {func(g *trial) {
		g.cancel(g.Authorize(order))
		g.reAuthByKickback("a=b&tid=10000001")
		g.reAuthByKickback("tid=1")
		g.reAuth("1")
		g.ask(reAuthPage, "aid=654321&rt=0&tid=1")
		g.kickbacks(0)
	}, map[string]string{
		"answer": "10000001,1,0001112,,20000001,test,1000,80,500,1580,,,\nER:ER033\nER:ER053\n0,2,,ER053,,,0,0,0,0,,,\nER:ER004\n0:\n",
		"kickback": "10000001,1,0001112,,20000001,test,1000,80,500,1580,,,\nOK\nOK\n0,2,,ER053,,,0,0,0,0,,,\nER:ER004\n" +
			"2:gid=10000001&rst=2&ap=&ec=ER033&god=&cod=test&am=0&tx=0&sf=0&ta=0&a=b gid=0&rst=2&ap=&ec=ER053&god=&cod=&am=0&tx=0&sf=0&ta=0\n",
	}},
	"decline_kickback": {func(g *trial) {
		a := order
		a.Decline = declineCode
		g.reAuthByKickback("a=b&tid=" + g.Authorize(a))
		g.kickbacks(0)
	}, map[string]string{
		"payment": "OK\n1:" + toldDeclined + "&a=b\n",
		"nothing": "OK\n1:gid=0&rst=2&ap=&ec=G1242G120000&god=&cod=&am=0&tx=0&sf=0&ta=0&a=b\n",
	}},
	"kickback_judged": {func(g *trial) {
		g.respond = func(w http.ResponseWriter, _ *http.Request, before int) {
			if before == 0 {
				w.WriteHeader(http.StatusInternalServerError)
				_, _ = io.WriteString(w, "0")
			}
		}
		g.reAuthByKickback("tid=" + g.Authorize(order))
		g.kickbacks(0)
		g.kickbacks(time.Minute)
		g.kickbacks(5 * time.Minute)
		g.reAuthByKickback("tid=10000002")
		g.kickbacks(0)
		g.kickbacks(time.Minute)
	}, map[string]string{
		"body":   "OK\n1:" + toldByKickback + "\n0:\n0:\nOK\n1:" + again + "\n1:" + again + "\n",
		"status": "OK\n1:" + toldByKickback + "\n1:" + toldByKickback + "\n0:\nOK\n1:" + again + "\n0:\n",
	}},
	"order_comma": {func(g *trial) {
		a := order
		a.OrderNumber = "a,b"
		g.sales(g.Authorize(a))
	}, map[string]string{
		"plain":   "10000001,1,0001112,,20000001,a,b,1000,80,500,1580,,,\n",
		"escaped": "10000001,1,0001112,,20000001,a%2Cb,1000,80,500,1580,,,\n",
		"dropped": "10000001,1,0001112,,20000001,ab,1000,80,500,1580,,,\n",
	}},
	"short_refusal": {func(g *trial) { g.ask(gatewayPage, "aid=123456&jb=SALES&rt=0&tid=1") }, map[string]string{
		"prefixed": "ER:ER053\n",
		"bare":     "ER053\n",
	}},
	"loose_pairs": {func(g *trial) {
		g.ask(gatewayPage, "&aid=123456&jb=SALES&&rt=1&x&tid="+g.Authorize(order)+"&")
	}, map[string]string{
		"taken":   "10000001,1,0001112,,20000001,test,1000,80,500,1580,,,x=\n",
		"refused": "0,2,,ER001,,,0,0,0,0,,,\n",
	}},
}

const again = "gid=10000003&rst=1&ap=0001114&ec=&god=20000003&cod=test&am=900&tx=72&sf=0&ta=972"

const multipartForm = "--b\r\nContent-Disposition: form-data; name=\"aid\"\r\n\r\n123456\r\n" +
	"--b\r\nContent-Disposition: form-data; name=\"jb\"\r\n\r\nSALES\r\n" +
	"--b\r\nContent-Disposition: form-data; name=\"rt\"\r\n\r\n1\r\n" +
	"--b\r\nContent-Disposition: form-data; name=\"n\"\r\n\r\nあ +\r\n" +
	"--b\r\nContent-Disposition: form-data; name=\"f\"; filename=\"f\"\r\n\r\nfile\r\n" +
	"--b\r\nContent-Disposition: form-data; name=\"tid\"\r\n\r\n10000002\r\n--b--\r\n"

// Each setting takes effect on the wire, also if it is flipped while the gateway runs.
func TestSettingsOnTheWire(t *testing.T) {
	t.Parallel()
	elsewhere := []string{"idle_timeout", "kickback_timeout"} // in TestIdleTimeout and TestReceivers, since they use the machine's clock
	for _, s := range assumed.Settings() {
		if slices.Contains(elsewhere, s.Key) {
			continue
		}
		try, known := trials[s.Key]
		require.True(t, known, "no trial of %s", s.Key)
		require.Contains(t, try.want, s.Default, s.Key)
		require.Contains(t, try.want, s.Flip, s.Key)
		for _, v := range s.Values {
			require.Contains(t, try.want, v.Name, s.Key)
		}
		for value, want := range try.want {
			t.Run(s.Key+"="+value, func(t *testing.T) {
				t.Parallel()
				c := newClock(t)
				g := &trial{Simulator: newSimulator(withClock(c.now)), t: t, clock: c}
				b, err := g.Config().With(assumed.Values{s.Key: value})
				require.NoError(t, err)
				g.Behave(b)
				try.do(g)
				require.Equal(t, want, g.heard.String())
			})
		}
	}
}

// The gateway closes only idle connections.
func TestIdleTimeout(t *testing.T) {
	t.Parallel()
	s := newServer(t, func(c *sim.Config) { c.IdleTimeout = 100 * time.Millisecond })
	conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", strings.TrimPrefix(s.URL, "http://"))
	require.NoError(t, err)
	defer func() { _ = conn.Close() }()
	require.NoError(t, conn.SetDeadline(time.Now().Add(time.Minute)))
	_, err = io.WriteString(conn, "GET "+gatewayPage+" HTTP/1.1\r\nHost: x\r\n\r\n")
	require.NoError(t, err)
	reader := bufio.NewReader(conn)
	resp, err := http.ReadResponse(reader, nil)
	require.NoError(t, err)
	body, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	require.Equal(t, "ER:ER050\r\n", string(body))
	require.False(t, resp.Close)
	_, err = reader.ReadByte()
	require.ErrorIs(t, err, io.EOF)
}

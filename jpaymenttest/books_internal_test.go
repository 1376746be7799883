package jpaymenttest

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// What a kickback will tell is kept for re-authorisations with rt=0 that the
// issuer was asked about, and for nothing else.
func TestNotices(t *testing.T) {
	t.Parallel()
	g := New()
	id := g.Authorize(Authorization{Amount: 1000})
	declined := g.Authorize(Authorization{Amount: 1000, Decline: "G1242G120000"})
	for _, request := range []string{
		reAuthPath + "?aid=123456&rt=1&am=1&tx=0&sf=0&tid=" + id,
		reAuthPath + "?aid=123456&rt=0&am=2&tx=3&sf=4&tid=10000003&x=y",
		reAuthPath + "?aid=123456&rt=0&am=2&tx=3&sf=4&tid=10000003",
		reAuthPath + "?aid=123456&rt=0&am=1&tx=0&sf=0&tid=" + declined,
		reAuthPath + "?aid=123456&rt=1&am=1&tx=0&sf=0&tid=" + declined,
		reAuthPath + "?aid=123456&rt=0&am=&tx=0&sf=0&tid=10000004",
		gatewayPath + "?aid=123456&rt=0&jb=SALES&tid=10000004",
		gatewayPath + "?aid=123456&rt=0&jb=CANCEL&tid=10000004",
	} {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, request, http.NoBody)
		r.RemoteAddr = "127.0.0.1:1"
		g.ServeHTTP(httptest.NewRecorder(), r)
	}
	var codes []string
	for _, r := range g.Requests() {
		codes = append(codes, r.Code)
	}
	require.Equal(t, "  ER033 G1242G120000 G1242G120000 ER061  ", strings.Join(codes, " "))

	require.Len(t, g.books.notices, 2)
	done := g.books.notices[0]
	require.Equal(t, 2, done.request)
	require.Equal(t, "10000004", done.result.payment.ID)
	require.Equal(t, Authorized, done.result.payment.State)
	require.Equal(t, []int64{2, 3, 4}, []int64{done.result.payment.Amount, done.result.payment.Tax, done.result.payment.Shipping})
	require.Equal(t, []Param{{"x", "y"}}, done.result.other)
	require.Equal(t, notice{request: 4, result: refusal("G1242G120000")}, g.books.notices[1])
}

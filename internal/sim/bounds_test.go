package sim_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/jpayment-go/jpayment/internal/sim"
)

// A request of many small parameters takes no more memory than its bytes do.
func TestParametersAreBounded(t *testing.T) {
	t.Parallel()
	g := newSimulator()
	body := "aid=123456&rt=1" + strings.Repeat("&a=b", 1<<18)
	require.Contains(t, ask(t, g, body), "ER001")
	r := g.Requests()[0]
	require.Equal(t, body[:64<<10], string(r.Body))
	require.Equal(t, 400, len(r.Form)) //nolint:testifylint // It would print them all.
	require.Equal(t, "123456", r.Form.Get("aid"))
}

// The memory of remembered requests is bounded in bytes too, whichever part of them is long.
func TestMemoryInBytes(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", 20_000)
	for name, change := range map[string]func(*http.Request){
		"query":   func(r *http.Request) { r.URL.RawQuery = long },
		"path":    func(r *http.Request) { r.URL.Path = "/" + long },
		"header":  func(r *http.Request) { r.Header.Set("X-Long", long) },
		"headers": func(r *http.Request) { r.Header["X-Long"] = strings.Split(strings.Repeat("x,", 400), ",") },
		"method":  func(r *http.Request) { r.Method = long },
		"answer":  func(*http.Request) {},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := newSimulator(withMemory(1000), func(c *sim.Config) { c.MemoryBytes = 100_000 })
			if name == "answer" {
				g.Fail(sim.Fault{Kind: sim.Garbage, Body: []byte(long)})
			}
			for range 20 {
				r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/gateway/gateway.aspx", http.NoBody)
				r.RemoteAddr = "127.0.0.1:1"
				change(r)
				g.ServeHTTP(httptest.NewRecorder(), r)
			}
			all := g.Requests()
			require.NotEmpty(t, all)
			require.Less(t, len(all), 6)
			require.Equal(t, 20, all[len(all)-1].Number, "the newest are kept")
		})
	}

	g := newSimulator(withMemory(1000), func(c *sim.Config) { c.MemoryBytes = 1 })
	ask(t, g, "aid=123456")
	ask(t, g, "aid=123456")
	require.Len(t, g.Requests(), 1, "the newest is always there")
}

// So is the memory of receivers' answers and of forged kickbacks.
func TestMemoryOfDeliveriesInBytes(t *testing.T) {
	t.Parallel()
	g := newSimulator(withMemory(1000), func(c *sim.Config) { c.MemoryBytes = 100_000 })
	rec := newReceiver(t, func(w http.ResponseWriter, _ *http.Request, _ int) { _, _ = w.Write(make([]byte, 40_000)) })
	g.SetKickbackURL(rec.URL)
	ask(t, g, "aid=123456&rt=0&am=1&tx=0&sf=0&tid="+g.Authorize(order))
	for range 5 {
		_, err := g.RetryKickback(t.Context(), 1)
		require.NoError(t, err)
		_, err = g.ForgeKickback(t.Context(), "gid=1")
		require.NoError(t, err)
	}
	require.Len(t, g.Kickbacks(), 2)
	require.Len(t, g.ForgedKickbacks(), 2)
}

// Requests are returned in pages, which are bounded in bytes and in number.
func TestRequestsInPages(t *testing.T) {
	t.Parallel()
	g := newSimulator()
	for range 5 {
		ask(t, g, "aid=123456&x="+strings.Repeat("x", 1000))
	}
	numbers := func(after, count, bytes int) (numbers []int, more bool) {
		page, more := g.RequestsAfter(after, count, bytes)
		for _, r := range page {
			numbers = append(numbers, r.Number)
		}
		return numbers, more
	}
	for _, c := range []struct {
		after, count, bytes int
		want                []int
		more                bool
	}{
		{0, 2, 1 << 20, []int{1, 2}, true},
		{2, 2, 1 << 20, []int{3, 4}, true},
		{4, 2, 1 << 20, []int{5}, false},
		{5, 2, 1 << 20, nil, false},
		{3, 2, 1 << 20, []int{4, 5}, false},
		{0, 5, 1, []int{1}, true},
		{-1, 5, 1 << 20, []int{1, 2, 3, 4, 5}, false},
	} {
		got, more := numbers(c.after, c.count, c.bytes)
		require.Equal(t, c.want, got)
		require.Equal(t, c.more, more, c)
	}
	r, found := g.Request(4)
	require.True(t, found)
	require.Equal(t, 4, r.Number)
	_, found = g.Request(6)
	require.False(t, found)
}

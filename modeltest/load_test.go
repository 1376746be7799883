package modeltest

import (
	"flag"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/jpayment-go/jpayment"
)

var loadCalls = flag.Int("calls", 20_000, "the number of calls that the load test makes")

// TestLoad calls one client from 64 callers. The client opens at most one connection per
// caller, memory does not grow with the number of calls, and nothing is leaked.
func TestLoad(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	const callers = 64
	var opened, served atomic.Int64
	srv := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		served.Add(1)
		io.Copy(io.Discard, r.Body)
		io.WriteString(w, "10000001,1,A00001,,20000001,o-1,1000,80,500,1580,,,\r\n")
	}))
	srv.Config.ConnState = func(_ net.Conn, s http.ConnState) {
		if s == http.StateNew {
			opened.Add(1)
		}
	}
	srv.Start()
	defer srv.Close()
	client, err := jpayment.NewClient("123456", jpayment.WithBaseURL(srv.URL)) // with the default transport
	require.NoError(t, err)

	run := func(calls int) {
		var wg sync.WaitGroup
		for range callers {
			wg.Go(func() {
				for range calls / callers {
					if _, err := client.Sales(t.Context(), jpayment.SalesRequest{PaymentID: "10000001", Extra: jpayment.NewExtra(map[string]string{"k": "v"})}); err != nil {
						t.Error(err)
						return
					}
				}
			})
		}
		wg.Wait()
	}
	run(*loadCalls / 10)
	early := heap()
	run(*loadCalls)
	late := heap()

	require.Equal(t, int64((*loadCalls/10/callers+*loadCalls/callers)*callers), served.Load(), "each call is one request")
	require.LessOrEqual(t, opened.Load(), int64(callers))
	require.Less(t, late, early+early/4+1<<20, "memory does not grow with calls")
	t.Logf("%d calls by %d callers: %d connections, heap %d KiB early, %d KiB late", served.Load(), callers, opened.Load(), early>>10, late>>10)
}

// heap returns the number of live bytes on the heap.
func heap() uint64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.GC()
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

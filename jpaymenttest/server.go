package jpaymenttest

import (
	"fmt"
	"net"
	"net/http"
	"sync"
	"testing"
	"time"
)

// Server is a [Gateway] that listens on a port of the loopback interface.
type Server struct {
	*Gateway

	// URL is the base of the gateway's pages, without a slash at the end:
	// http://127.0.0.1:port.
	URL string

	http   *http.Server
	tasks  sync.WaitGroup
	closes sync.Once
}

// NewServer starts a server that is closed at the end of the test.
func NewServer(tb testing.TB, opts ...Option) *Server {
	tb.Helper()
	s := Start(opts...)
	tb.Cleanup(s.Close)
	return s
}

// Start starts a server for a program. The caller closes it. It panics if there is
// no port to listen on.
func Start(opts ...Option) *Server {
	g := New(opts...)
	listener, err := net.Listen("tcp", "127.0.0.1:0") //nolint:noctx // Nothing is to be waited for.
	if err != nil {
		if listener, err = net.Listen("tcp6", "[::1]:0"); err != nil { //nolint:noctx // As above.
			panic(fmt.Sprintf("jpaymenttest: no port to listen on: %v", err))
		}
	}
	s := &Server{
		Gateway: g,
		URL:     "http://" + listener.Addr().String(),
		http:    &http.Server{Handler: g, ReadHeaderTimeout: time.Minute},
	}
	s.tasks.Go(func() { _ = s.http.Serve(listener) }) // returns when Close is called
	s.tasks.Go(g.sendKickbacks)                       // as above
	return s
}

// Close ends the server. It closes every connection, those of hanging requests and
// of kickbacks under way too, and waits for no client and no receiver. Once it
// returns, no request changes the books and no kickback is sent any more. Closing
// again does nothing.
func (s *Server) Close() {
	s.closes.Do(func() {
		s.close()
		_ = s.http.Close()
		s.tasks.Wait()
	})
}

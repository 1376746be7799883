package sim

import (
	"fmt"
	"net"
	"net/http"
	"sync"
	"time"
)

// Server is a [Simulator] that listens on a port of the loopback interface.
type Server struct {
	*Simulator

	URL string // http://127.0.0.1:port

	http   *http.Server
	tasks  sync.WaitGroup
	closes sync.Once
}

// Start starts a server. It panics if the configuration is not valid or it cannot listen.
func Start(c Config) *Server {
	simulator := New(c)
	listener, err := net.Listen("tcp", "127.0.0.1:0") //nolint:noctx // It does not block.
	if err != nil {
		if listener, err = net.Listen("tcp6", "[::1]:0"); err != nil { //nolint:noctx // As above.
			panic(fmt.Sprintf("jpaymenttest: no port to listen on: %v", err))
		}
	}
	s := &Server{
		Simulator: simulator,
		URL:       "http://" + listener.Addr().String(),
		http:      &http.Server{Handler: simulator, ReadHeaderTimeout: time.Minute, ConnState: simulator.ConnState},
	}
	s.tasks.Go(func() { _ = s.http.Serve(listener) }) // returns when Close is called
	s.tasks.Go(simulator.sendKickbacks)               // as above
	return s
}

// Close shuts the server down without waiting for clients or receivers. Further calls do
// nothing.
func (s *Server) Close() {
	s.closes.Do(func() {
		s.close()
		_ = s.http.Close()
		s.tasks.Wait()
	})
}

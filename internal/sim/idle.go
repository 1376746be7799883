package sim

import (
	"net"
	"net/http"
	"sync"
	"time"
)

// idle closes connections that have been idle for as long as the gateway keeps them.
type idle struct {
	mu     sync.Mutex
	timers map[net.Conn]*time.Timer
}

// ConnState is the ConnState hook of the [http.Server] in front of a Simulator.
func (s *Simulator) ConnState(conn net.Conn, state http.ConnState) {
	patience := s.Config().IdleTimeout
	s.idle.mu.Lock()
	defer s.idle.mu.Unlock()
	if timer, waits := s.idle.timers[conn]; waits {
		timer.Stop()
		delete(s.idle.timers, conn)
	}
	if state == http.StateIdle {
		s.idle.timers[conn] = time.AfterFunc(patience, func() { _ = conn.Close() })
	}
}

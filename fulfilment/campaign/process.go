//go:build linux

package main

import (
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
)

// process is a process that the campaign has started. Its standard error goes to a log file.
type process struct {
	name  string
	log   string
	cmd   *exec.Cmd
	stdin io.WriteCloser
	ended chan struct{} // closed when it has ended
	err   error         // how, after that

	mu     sync.Mutex
	killed bool
	told   bool // told to stop
}

// starter starts processes, and ends the remaining ones.
type starter struct {
	dir  string // for their logs
	env  []string
	mu   sync.Mutex
	all  []*process
	last map[string]int
}

func (s *starter) start(name string, env []string, command string, args ...string) (*process, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.last[name]++
	p := &process{name: name, ended: make(chan struct{}), log: filepath.Join(s.dir, fmt.Sprintf("%s.%d.log", name, s.last[name]))}
	log, err := os.OpenFile(p.log, os.O_CREATE|os.O_WRONLY|os.O_EXCL, 0o600)
	if err != nil {
		return nil, err
	}
	p.cmd = exec.Command(command, args...) //nolint:gosec,noctx // It is killed in many ways, and finally by stop.
	// A pipe, so that a limit on file sizes does not affect the log.
	p.cmd.Stderr = struct{ io.Writer }{log}
	p.cmd.Env = append(append(os.Environ(), s.env...), env...)
	if p.stdin, err = p.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	if err := p.cmd.Start(); err != nil {
		return nil, err
	}
	s.all = append(s.all, p)
	go func() {
		p.err = p.cmd.Wait()
		_ = log.Close()
		close(p.ended)
	}()
	return p, nil
}

// stop kills the remaining processes.
func (s *starter) stop() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, p := range s.all {
		p.kill()
	}
}

// kill kills a process, like a lack of memory or a power failure, and waits for its end.
func (p *process) kill() {
	p.mu.Lock()
	p.killed = p.killed || p.alive()
	p.mu.Unlock()
	_ = p.cmd.Process.Kill() // It may have ended.
	<-p.ended
}

// finish tells a process to end, and waits for it.
func (p *process) finish() {
	p.mu.Lock()
	p.told = true
	p.mu.Unlock()
	p.signal(syscall.SIGCONT)
	p.signal(syscall.SIGTERM)
	<-p.ended
}

func (p *process) signal(s syscall.Signal) { _ = p.cmd.Process.Signal(s) } // It may have ended.

func (p *process) alive() bool {
	select {
	case <-p.ended:
		return false
	default:
		return true
	}
}

// ownEnd reports whether the process has ended on its own.
func (p *process) ownEnd() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return !p.alive() && !p.killed && !p.told
}

// wasKilled reports whether the process was killed while it ran.
func (p *process) wasKilled() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.killed
}

// freeAddress returns an address that is currently free.
func freeAddress() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0") //nolint:noctx // It takes no time.
	if err != nil {
		return "", err
	}
	return l.Addr().String(), l.Close()
}

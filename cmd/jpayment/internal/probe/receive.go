package probe

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"sync"
	"time"
)

// answer is a way to answer a kickback.
type answer int

const (
	unanswered answer = iota // not the probe's: 500 without a body
	taken                    // 200 with a body
	emptied                  // 500 without a body
	failed                   // 500 with a body
	keptBack                 // 200 with a body, after holdFor; never if the gateway closes the connection first
)

// holdFor is how long the answer to a kickback is kept back. It is longer than the gateway is
// assumed to wait.
const holdFor = 35 * time.Second

// receiver receives kickbacks without an http.Server, which would refuse a raw space, as in
// the vendor's sample, and could not tell when the gateway closes the connection.
type receiver struct {
	// took records a kickback and decides how to answer it.
	took func(query string) (answer, error)
	held func(held) error
}

// serve receives kickbacks until ctx is done.
func (r *receiver) serve(ctx context.Context, l net.Listener) {
	var tasks sync.WaitGroup
	defer tasks.Wait()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	context.AfterFunc(ctx, func() { _ = l.Close() })
	for {
		c, err := l.Accept()
		if err != nil {
			if errors.Is(err, net.ErrClosed) || ctx.Err() != nil {
				return
			}
			continue
		}
		tasks.Go(func() {
			defer c.Close() //nolint:errcheck // Only what was written before matters to the gateway.
			defer context.AfterFunc(ctx, func() { _ = c.Close() })()
			r.one(ctx, c)
		})
	}
}

// maxHead is the maximum size of a kickback's header in bytes.
const maxHead = 32 << 10

func (r *receiver) one(ctx context.Context, c net.Conn) {
	_ = c.SetReadDeadline(time.Now().Add(time.Minute))
	head := bufio.NewReader(io.LimitReader(c, maxHead))
	first, err := head.ReadString('\n')
	for line := first; err == nil && strings.TrimRight(line, "\r\n") != ""; {
		line, err = head.ReadString('\n')
	}
	if err != nil {
		return
	}
	_, target, _ := strings.Cut(strings.TrimRight(first, "\r\n"), " ")
	if i := strings.LastIndex(target, " "); i >= 0 { // before the version
		target = target[:i]
	}
	_, query, _ := strings.Cut(target, "?")
	how, err := r.took(query)
	if err != nil {
		return
	}
	if how == keptBack {
		if !r.hold(ctx, c) {
			return
		}
		how = taken
	}
	_, _ = io.WriteString(c, how.text()) // If the gateway is gone, it sends the kickback again.
}

// hold waits for the gateway to close the connection, for at most holdFor, and reports
// whether it is still open.
func (r *receiver) hold(ctx context.Context, c net.Conn) (there bool) {
	begin := time.Now()
	_ = c.SetReadDeadline(begin.Add(holdFor))
	_, err := c.Read(make([]byte, 1))
	there = errors.Is(err, os.ErrDeadlineExceeded)
	if ctx.Err() != nil { // This side closed the connection.
		return false
	}
	return r.held(held{Waited: time.Since(begin), Closed: !there}) == nil && there
}

func (a answer) text() string {
	status, body := "500 Internal Server Error", ""
	switch a {
	case taken, keptBack:
		status, body = "200 OK", "OK"
	case failed:
		body = "OK"
	case emptied, unanswered:
	}
	return fmt.Sprintf("HTTP/1.1 %s\r\nContent-Type: text/plain\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%s", status, len(body), body)
}

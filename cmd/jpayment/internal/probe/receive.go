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

// answer is how a kickback is answered.
type answer int

const (
	unanswered answer = iota // not ours: 500 without a body
	taken                    // 200 with a body
	emptied                  // 500 without a body
	failed                   // 500 with a body
	keptBack                 // 200 with a body, but only after holdFor, or never if the gateway goes first
)

// holdFor is how long the answer to a kickback is kept back: longer than the gateway is
// assumed to wait.
const holdFor = 35 * time.Second

// receiver takes kickbacks by hand. An http.Server would refuse a raw space, which the
// vendor's sample has, and could not tell when the gateway has gone.
type receiver struct {
	// took decides about a kickback, and makes it durable.
	took func(query string) (answer, error)
	held func(held) error
}

// serve takes kickbacks until the context ends.
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
			defer c.Close() //nolint:errcheck // The gateway judges by what was written before.
			defer context.AfterFunc(ctx, func() { _ = c.Close() })()
			r.one(ctx, c)
		})
	}
}

// maxHead bounds the head of a kickback in bytes.
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
	_, _ = io.WriteString(c, how.text()) // A gateway that has gone sends it again.
}

// hold waits for the gateway to go, and reports whether it is still there.
func (r *receiver) hold(ctx context.Context, c net.Conn) (there bool) {
	begin := time.Now()
	_ = c.SetReadDeadline(begin.Add(holdFor))
	_, err := c.Read(make([]byte, 1))
	there = errors.Is(err, os.ErrDeadlineExceeded)
	if ctx.Err() != nil { // It was this side that went.
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

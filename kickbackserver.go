package jpayment

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"sync/atomic"
	"time"
)

// ServeKickbacks serves a handler of kickbacks on a listener until the context ends, waits at
// most a minute for running callbacks, and returns nil. If serving fails earlier, it returns
// the error of [http.Server.Serve]. The handler is a [KickbackHandler], or a mux or middleware
// around one or several.
//
// The gateway counts any answer with a body as delivery (specification,
// "キックバック(rt=0)仕様"). A server that answers on its own, with a page for an unknown path,
// a redirect or an error page, therefore loses results. ServeKickbacks removes the body of
// every answer except the OK of a KickbackHandler. It also accepts a raw space in the query,
// as in the vendor's own sample; net/http refuses it.
//
// Each connection carries one request. For https pass a listener of crypto/tls. A proxy in
// front must follow the same rules: docs/kickbacks.md has the settings for nginx and
// HAProxy.
func ServeKickbacks(ctx context.Context, l net.Listener, h http.Handler) error {
	server := &http.Server{
		Handler:           emptied(h),
		ReadHeaderTimeout: 10 * time.Second,
		ReadTimeout:       30 * time.Second,
		MaxHeaderBytes:    maxKickback + 16<<10,
		// The messages of net/http about connections may quote the request.
		ErrorLog: slog.NewLogLogger(slog.DiscardHandler, slog.LevelError),
		ConnContext: func(ctx context.Context, c net.Conn) context.Context {
			return context.WithValue(ctx, kickbackConnKey{}, c)
		},
	}
	server.SetKeepAlivesEnabled(false)
	served := make(chan error, 1)
	go func() { served <- server.Serve(kickbackListener{l}) }()
	select {
	case err := <-served:
		return err
	case <-ctx.Done():
	}
	ending, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Minute)
	defer cancel()
	err := server.Shutdown(ending)
	if serr := <-served; !errors.Is(serr, http.ErrServerClosed) {
		err = errors.Join(err, serr)
	}
	return err
}

// kickbackTakenKey is the context key of the *atomic.Bool that a KickbackHandler sets when
// it accepts a kickback.
type kickbackTakenKey struct{}

// emptied removes the body of every answer except that to an accepted kickback.
func emptied(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if c, ok := r.Context().Value(kickbackConnKey{}).(*kickbackConn); ok {
			c.reached.Store(true)
		}
		taken := new(atomic.Bool)
		e := &emptyWriter{ResponseWriter: w, taken: taken}
		h.ServeHTTP(e, r.WithContext(context.WithValue(r.Context(), kickbackTakenKey{}, taken)))
		e.WriteHeader(http.StatusOK) // if the handler wrote nothing
	})
}

// emptyWriter drops the body of every answer except the 200 to an accepted kickback.
type emptyWriter struct {
	http.ResponseWriter
	taken    *atomic.Bool
	answered bool
	full     bool // the body is kept
}

func (e *emptyWriter) WriteHeader(status int) {
	if e.answered || status < http.StatusOK {
		return
	}
	e.answered = true
	e.full = status == http.StatusOK && e.taken.Load()
	if !e.full {
		h := e.Header()
		for _, name := range []string{"Content-Type", "Content-Encoding", "Transfer-Encoding", "Trailer"} {
			h.Del(name)
		}
		h.Set("Content-Length", "0")
	}
	e.ResponseWriter.WriteHeader(status)
}

func (e *emptyWriter) Write(b []byte) (int, error) {
	e.WriteHeader(http.StatusOK)
	if !e.full {
		return len(b), nil
	}
	return e.ResponseWriter.Write(b)
}

// kickbackListener repairs request lines that net/http would refuse, and empties the answers
// that net/http writes on its own.
type kickbackListener struct{ net.Listener }

func (l kickbackListener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return &kickbackConn{Conn: c}, nil
}

// kickbackConnKey is the context key of a request's *kickbackConn.
type kickbackConnKey struct{}

// kickbackConn carries one request.
type kickbackConn struct {
	net.Conn
	line    []byte      // the request line read so far, then the part still to be returned by Read
	whole   bool        // the request line is complete
	reached atomic.Bool // the request has reached the handler
	refused atomic.Bool // net/http has refused it
}

// Read returns the request with the spaces in its target escaped.
func (c *kickbackConn) Read(b []byte) (int, error) {
	for !c.whole {
		n, err := c.Conn.Read(b)
		c.line = append(c.line, b[:n]...)
		end := bytes.IndexByte(c.line, '\n')
		switch {
		case end >= 0:
			c.line, c.whole = append(escapeSpaces(c.line[:end]), c.line[end:]...), true
		case err != nil || len(c.line) > maxKickback+1<<10:
			c.whole = true // Leave it to net/http.
		}
		if err != nil && len(c.line) == 0 {
			return 0, err
		}
	}
	if len(c.line) > 0 {
		n := copy(b, c.line)
		c.line = c.line[n:]
		return n, nil
	}
	return c.Conn.Read(b)
}

// CloseWrite lets net/http finish an answer before it closes the connection, so that a
// sender that is still writing can read it.
func (c *kickbackConn) CloseWrite() error {
	if half, ok := c.Conn.(interface{ CloseWrite() error }); ok {
		return half.CloseWrite()
	}
	return nil
}

// escapeSpaces escapes the spaces in the target of a request line, which lie between its
// first and its last space.
func escapeSpaces(line []byte) []byte {
	first, last := bytes.IndexByte(line, ' '), bytes.LastIndexByte(line, ' ')
	if first == last {
		return bytes.Clone(line)
	}
	target := bytes.ReplaceAll(line[first+1:last], []byte(" "), []byte("%20"))
	return bytes.Join([][]byte{line[:first+1], target, line[last:]}, nil)
}

// Write replaces an answer that net/http writes on its own, before the handler has seen the
// request, with a 400 without a body.
func (c *kickbackConn) Write(b []byte) (int, error) {
	if c.reached.Load() {
		return c.Conn.Write(b)
	}
	if c.refused.CompareAndSwap(false, true) {
		const empty = "HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
		if _, err := c.Conn.Write([]byte(empty)); err != nil {
			return 0, err
		}
	}
	return len(b), nil
}

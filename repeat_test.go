package jpayment_test

import (
	"bufio"
	"context"
	"crypto/tls"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/jpayment-go/jpayment"
)

// These tests count, at the server, how often a request arrives if its connection breaks.
// net/http repeats some requests on its own.

// serve passes each connection to the server, over TLS if protocols are given, and returns a
// client that does not retry.
func serve(t *testing.T, handle func(net.Conn), protocols ...string) *jpayment.Client {
	t.Helper()
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	scheme, transport := "http://", &http.Transport{}
	if len(protocols) > 0 {
		identity := httptest.NewTLSServer(nil)
		t.Cleanup(identity.Close)
		listener = tls.NewListener(listener, &tls.Config{Certificates: identity.TLS.Certificates, NextProtos: protocols, MinVersion: tls.VersionTLS12})
		trusting, ok := identity.Client().Transport.(*http.Transport)
		require.True(t, ok)
		scheme, transport = "https://", trusting.Clone()
		transport.ForceAttemptHTTP2 = true
	}
	t.Cleanup(func() { listener.Close() })
	t.Cleanup(transport.CloseIdleConnections)
	go func() {
		for conn, err := listener.Accept(); err == nil; conn, err = listener.Accept() {
			go func() {
				defer conn.Close()
				handle(conn)
			}()
		}
	}()
	opts := []jpayment.Option{once, jpayment.WithBaseURL(scheme + listener.Addr().String())}
	if len(protocols) > 0 { // else the default transport
		opts = append(opts, jpayment.WithHTTPClient(&http.Client{Transport: transport}))
	}
	return newClient(t, opts...)
}

// answerFirst answers the first request on a connection, keeps the connection, and
// closes it once the second has arrived. It counts requests by their tid.
func answerFirst(seen *[3]atomic.Int32) func(net.Conn) {
	return func(conn net.Conn) {
		r := bufio.NewReader(conn)
		for n := 0; ; n++ {
			req, err := http.ReadRequest(r)
			if err != nil {
				return
			}
			body, err := io.ReadAll(req.Body)
			if err != nil {
				return
			}
			call := body[len(body)-1] - '0'
			seen[call].Add(1)
			if n > 0 {
				return
			}
			row := fmt.Sprintf("1000000%d,1,A00001,,2,,1000,80,500,1580,,,", call)
			fmt.Fprintf(conn, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s", len(row), row)
		}
	}
}

func TestAConnectionClosedUnderUsIsNotRepeated(t *testing.T) {
	t.Parallel()
	for name, protocols := range map[string][]string{"plain": nil, "TLS": {"http/1.1"}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var seen [3]atomic.Int32
			c := serve(t, answerFirst(&seen), protocols...)
			_, err := c.Sales(t.Context(), jpayment.SalesRequest{PaymentID: "10000001"})
			require.NoError(t, err)
			_, err = c.Sales(t.Context(), jpayment.SalesRequest{PaymentID: "10000002"})
			require.Equal(t, jpayment.OutcomeUnknown, jpayment.OutcomeOf(err), "%v", err)
			require.Equal(t, int32(1), seen[1].Load())
			require.Equal(t, int32(1), seen[2].Load(), "the request arrived, once")
		})
	}
}

// The server silently closes the connection as soon as it has answered. Whether the client
// notices before it writes is a race. In both cases no request arrives twice, and a request
// that arrived is not reported as not sent.
func TestAConnectionClosedWhileIdle(t *testing.T) {
	t.Parallel()
	for name, protocols := range map[string][]string{"plain": nil, "TLS": {"http/1.1"}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var arrived atomic.Int32
			c := serve(t, func(conn net.Conn) {
				req, err := http.ReadRequest(bufio.NewReader(conn))
				if err != nil {
					return
				}
				arrived.Add(1)
				io.Copy(io.Discard, req.Body)
				fmt.Fprintf(conn, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s", len(salesOK), salesOK)
			}, protocols...)
			for range 300 {
				before := arrived.Load()
				_, err := c.Sales(t.Context(), jpayment.SalesRequest{PaymentID: "10000001"})
				came := arrived.Load() - before
				switch jpayment.OutcomeOf(err) {
				case jpayment.OutcomeDone:
					require.Equal(t, int32(1), came)
				case jpayment.OutcomeUnknown:
					require.LessOrEqual(t, came, int32(1))
				default:
					require.Zero(t, came, "%v", err)
				}
			}
		})
	}
}

// http2Refuser speaks just enough HTTP/2 to receive a whole request and to report it as
// unprocessed, which invites the client to repeat it.
func http2Refuser(requests *atomic.Int32, refusal func(stream uint32) []byte) func(net.Conn) {
	const (
		frameData, frameHeaders, frameSettings = 0, 1, 4
		flagEndStream, flagAck                 = 1, 1
	)
	frame := func(kind, flags byte, stream uint32, payload []byte) []byte {
		b := []byte{0, 0, byte(len(payload)), kind, flags}
		return append(binary.BigEndian.AppendUint32(b, stream), payload...)
	}
	return func(conn net.Conn) {
		io.CopyN(io.Discard, conn, int64(len("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")))
		conn.Write(frame(frameSettings, 0, 0, nil))
		for {
			var head [9]byte
			if _, err := io.ReadFull(conn, head[:]); err != nil {
				return
			}
			io.CopyN(io.Discard, conn, int64(head[0])<<16|int64(head[1])<<8|int64(head[2]))
			kind, flags, stream := head[3], head[4], binary.BigEndian.Uint32(head[5:])
			switch {
			case kind == frameSettings && flags&flagAck == 0:
				conn.Write(frame(frameSettings, flagAck, 0, nil))
			case (kind == frameData || kind == frameHeaders) && flags&flagEndStream != 0:
				requests.Add(1)
				conn.Write(refusal(stream))
			}
		}
	}
}

func TestHTTP2RequestsAreNotRepeated(t *testing.T) {
	t.Parallel()
	for name, refusal := range map[string]func(stream uint32) []byte{
		"REFUSED_STREAM": func(stream uint32) []byte {
			return append(binary.BigEndian.AppendUint32([]byte{0, 0, 4, 3, 0}, stream), 0, 0, 0, 7)
		},
		"GOAWAY": func(uint32) []byte { return []byte{0, 0, 8, 7, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0} },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var requests atomic.Int32
			c := serve(t, http2Refuser(&requests, refusal), "h2")
			for op, call := range map[string]func(context.Context, *jpayment.Client) error{
				"Sales":  sales(jpayment.SalesRequest{PaymentID: "10000001"}),
				"ReAuth": reAuthorise(jpayment.ReAuthRequest{PaymentID: "10000001", Amount: 1}),
			} {
				before := requests.Load()
				err := call(t.Context(), c)
				require.Equal(t, jpayment.OutcomeUnknown, jpayment.OutcomeOf(err), "%s %v", op, err)
				require.Equal(t, before+1, requests.Load(), op)
			}
		})
	}
}

func TestHTTP2IsSpoken(t *testing.T) {
	t.Parallel()
	srv := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.ProtoMajor != 2 {
			t.Error(r.Proto)
		}
		reply(salesOK)(w, r)
	}))
	srv.EnableHTTP2 = true
	srv.StartTLS()
	t.Cleanup(srv.Close)
	c := newClient(t, jpayment.WithBaseURL(srv.URL), jpayment.WithHTTPClient(srv.Client()))
	_, err := c.Sales(t.Context(), jpayment.SalesRequest{PaymentID: "10000001"})
	require.NoError(t, err)
}

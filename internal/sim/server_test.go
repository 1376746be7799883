package sim_test

import (
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/jpayment-go/jpayment/internal/sim"
)

func TestStartAndClose(t *testing.T) {
	t.Parallel()
	s := start(withStoreID("654321"))
	require.Regexp(t, `^http://127\.0\.0\.1:\d+$`, s.URL)
	require.Equal(t, refused("ER053"), post(t, s, gatewayPage, "aid=654321&jb=SALES&rt=1&tid=1"))
	s.Close()
	s.Close()
	_, _, _, err := send(t, http.MethodPost, s.URL+gatewayPage, formType, saleForm)
	require.Error(t, err)
	require.Len(t, s.Requests(), 1)
}

func TestServerOfATestIsClosedAtItsEnd(t *testing.T) {
	t.Parallel()
	var s *sim.Server
	t.Run("test", func(t *testing.T) { s = newServer(t) })
	_, _, _, err := send(t, http.MethodPost, s.URL+gatewayPage, formType, saleForm)
	require.Error(t, err)
}

// A request that reached the gateway before Close but was not decided is not decided later.
func TestNothingIsBookedAfterClose(t *testing.T) {
	t.Parallel()
	s := start()
	id := s.Authorize(order)
	s.Close()
	r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, gatewayPage, strings.NewReader(saleForm))
	r.Header.Set("Content-Type", formType)
	r.RemoteAddr = "127.0.0.1:1"
	require.PanicsWithValue(t, http.ErrAbortHandler, func() { s.ServeHTTP(httptest.NewRecorder(), r) })
	require.Equal(t, sim.Authorized, state(t, s, id))
	require.Empty(t, s.Requests())
}

// Close ends a hanging request even if there is no connection to close.
func TestCloseOfARequestWithoutAConnection(t *testing.T) {
	t.Parallel()
	s := start()
	id := s.Authorize(order)
	s.Fail(sim.Fault{Kind: sim.HangAfterBooking, Notify: s.Close})
	r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, gatewayPage, strings.NewReader(saleForm))
	r.Header.Set("Content-Type", formType)
	r.RemoteAddr = "127.0.0.1:1"
	require.PanicsWithValue(t, http.ErrAbortHandler, func() { s.ServeHTTP(httptest.NewRecorder(), r) })
	require.Equal(t, sim.Captured, state(t, s, id))
}

// A request that the client did not finish is recorded as far as it was received. It is not
// decided, even if that part would be a valid request.
func TestRequestCutShort(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	id := s.Authorize(order)
	var dialer net.Dialer
	conn, err := dialer.DialContext(t.Context(), "tcp", strings.TrimPrefix(s.URL, "http://"))
	require.NoError(t, err)
	defer func() { _ = conn.Close() }()
	_, err = io.WriteString(conn, "POST /gateway/gateway.aspx HTTP/1.1\r\nHost: gateway\r\n"+
		"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 99\r\n\r\n"+saleForm)
	require.NoError(t, err)
	require.NoError(t, conn.(*net.TCPConn).CloseWrite())
	reply, err := io.ReadAll(conn)
	require.NoError(t, err)
	require.Empty(t, reply)

	require.Equal(t, sim.Authorized, state(t, s, id))
	r := s.Requests()[0]
	require.Equal(t, saleForm, string(r.Body))
	require.False(t, r.Booked)
	require.Empty(t, r.Code)
	require.Zero(t, r.Status)
}

package jpayment_test

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/jpayment-go/jpayment"
)

// stub is a gateway without any logic: it records each request byte for byte and returns
// scripted answers.
type stub struct {
	*httptest.Server
	opened   atomic.Int32 // connections
	mu       sync.Mutex
	requests []stubRequest
}

type stubRequest struct {
	Method, URI, ContentType, UserAgent, Body string
}

// newStub returns a stub that answers each request with the next handler, and further
// requests with the last one.
func newStub(t *testing.T, answers ...http.HandlerFunc) *stub {
	t.Helper()
	s := &stub{}
	s.Server = httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			panic(http.ErrAbortHandler)
		}
		s.mu.Lock()
		s.requests = append(s.requests, stubRequest{r.Method, r.RequestURI, r.Header.Get("Content-Type"), r.UserAgent(), string(body)})
		answer := answers[min(len(s.requests), len(answers))-1]
		s.mu.Unlock()
		answer(w, r)
	}))
	s.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			s.opened.Add(1)
		}
	}
	s.Start()
	t.Cleanup(s.Close)
	return s
}

func (s *stub) got() []stubRequest {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]stubRequest(nil), s.requests...)
}

// client returns a client of the stub with short waits between attempts.
func (s *stub) client(t *testing.T, opts ...jpayment.Option) *jpayment.Client {
	t.Helper()
	return newClient(t, append([]jpayment.Option{
		jpayment.WithBaseURL(s.URL),
		jpayment.WithRetry(jpayment.RetryPolicy{BaseDelay: time.Nanosecond, MaxDelay: time.Nanosecond}),
	}, opts...)...)
}

func newClient(t *testing.T, opts ...jpayment.Option) *jpayment.Client {
	t.Helper()
	c, err := jpayment.NewClient("123456", opts...)
	require.NoError(t, err)
	return c
}

// reply answers with the text.
func reply(text string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		io.WriteString(w, text)
	}
}

// hangUp closes the connection without an answer.
func hangUp(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }

const (
	salesOK  = "10000001,1,A00001,,20000001,o-1,1000,80,500,1580,,,\r\n"
	reAuthOK = "10000002,1,A00002,,20000002,o-1,900,72,500,1472,,,\r\n"
)

func refusal(code string) string { return "0,2,," + code + ",,,0,0,0,0,,,\r\n" }

// sending is a call and the request that it must send.
type sending struct {
	call  func(context.Context, *jpayment.Client) error
	opts  []jpayment.Option
	reply string
	body  string
}

// requireSent compares the request of each call, byte for byte, with the expected one, and
// with the result of Preview.
func requireSent(t *testing.T, path string, cases map[string]sending, preview func(context.Context, *jpayment.Client, string) (*http.Request, error)) {
	t.Helper()
	for name, tt := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			gw := newStub(t, reply(tt.reply))
			c := gw.client(t, tt.opts...)
			require.NoError(t, tt.call(t.Context(), c))
			require.Equal(t, []stubRequest{{http.MethodPost, path, formType, "jpayment-go", tt.body}}, gw.got())

			r, err := preview(t.Context(), c, name)
			require.NoError(t, err)
			body, err := io.ReadAll(r.Body)
			require.NoError(t, err)
			require.Equal(t, stubRequest{r.Method, r.URL.RequestURI(), r.Header.Get("Content-Type"), r.UserAgent(), string(body)}, gw.got()[0])
			require.Equal(t, int64(len(body)), r.ContentLength)
			require.Len(t, gw.got(), 1, "a preview sends nothing")
		})
	}
}

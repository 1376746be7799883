package jpayment_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptrace"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/jpayment-go/jpayment"
)

// script is a transport that plays one step per attempt. It uses no network, so that tests
// can run in synctest. A step is an answer of the gateway, or one of the constants below.
type script struct {
	success string // what the gateway says for succeeded
	steps   []string
	at      []time.Time // of each attempt
}

const (
	notConnected = "(not connected)"
	lost         = "(lost)"
	succeeded    = "(succeeded)"
)

func (s *script) RoundTrip(r *http.Request) (*http.Response, error) {
	s.at = append(s.at, time.Now())
	step := s.steps[min(len(s.at), len(s.steps))-1]
	trace := httptrace.ContextClientTrace(r.Context())
	trace.GetConn(r.URL.Host)
	if step == notConnected {
		return nil, errors.New("refused")
	}
	trace.GotConn(httptrace.GotConnInfo{})
	if step == lost {
		return nil, io.EOF
	}
	if step == succeeded {
		step = s.success
	}
	return &http.Response{StatusCode: 200, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(step)), Request: r}, nil
}

func (s *script) client(t *testing.T, p jpayment.RetryPolicy) *jpayment.Client {
	t.Helper()
	return newClient(t, jpayment.WithHTTPClient(&http.Client{Transport: s}), jpayment.WithRetry(p))
}

func TestRetry(t *testing.T) {
	t.Parallel()
	const (
		done, notSent, refused, unknown = jpayment.OutcomeDone, jpayment.OutcomeNotSent, jpayment.OutcomeRefused, jpayment.OutcomeUnknown
	)
	replay := jpayment.RetryPolicy{ReplayUnknown: true}
	reAuth := jpayment.ReAuthRequest{PaymentID: "1", Amount: 1000, Tax: 80, Shipping: 500}
	type told struct {
		attempts int
		outcome  jpayment.Outcome
	}
	for name, tt := range map[string]struct {
		policy jpayment.RetryPolicy
		steps  []string
		simple told // Sales and Cancel
		reAuth told
	}{
		"success":                      {jpayment.RetryPolicy{}, []string{succeeded}, told{1, done}, told{1, done}},
		"not connected, then success":  {jpayment.RetryPolicy{}, []string{notConnected, notConnected, succeeded}, told{3, done}, told{3, done}},
		"never connected":              {jpayment.RetryPolicy{}, []string{notConnected}, told{3, notSent}, told{3, notSent}},
		"busy, then success":           {jpayment.RetryPolicy{}, []string{refusal("ER010"), succeeded}, told{2, done}, told{1, refused}},
		"always busy":                  {jpayment.RetryPolicy{}, []string{refusal("ER010")}, told{3, refused}, told{1, refused}},
		"refused":                      {jpayment.RetryPolicy{}, []string{refusal("ER032"), succeeded}, told{1, refused}, told{1, unknown}},
		"declined":                     {jpayment.RetryPolicy{}, []string{refusal("G1242G120000"), succeeded}, told{1, refused}, told{1, unknown}},
		"maintenance":                  {jpayment.RetryPolicy{}, []string{refusal("ER999"), succeeded}, told{1, refused}, told{1, refused}},
		"lost":                         {jpayment.RetryPolicy{}, []string{lost, succeeded}, told{1, unknown}, told{1, unknown}},
		"unreadable":                   {jpayment.RetryPolicy{}, []string{"<html>", succeeded}, told{1, unknown}, told{1, unknown}},
		"lost track":                   {jpayment.RetryPolicy{}, []string{refusal("ER000"), succeeded}, told{1, unknown}, told{1, unknown}},
		"not connected, then lost":     {jpayment.RetryPolicy{}, []string{notConnected, lost, succeeded}, told{2, unknown}, told{2, unknown}},
		"switched off":                 {jpayment.RetryPolicy{MaxAttempts: 1}, []string{notConnected, succeeded}, told{1, notSent}, told{1, notSent}},
		"five times":                   {jpayment.RetryPolicy{MaxAttempts: 5}, []string{notConnected}, told{5, notSent}, told{5, notSent}},
		"replay, lost then success":    {replay, []string{lost, succeeded}, told{2, done}, told{1, unknown}},
		"replay, page then success":    {replay, []string{"<html>", succeeded}, told{2, done}, told{1, unknown}},
		"replay, ER000 then success":   {replay, []string{refusal("ER000"), succeeded}, told{2, done}, told{1, unknown}},
		"replay, lost then ER032":      {replay, []string{lost, refusal("ER032"), succeeded}, told{2, unknown}, told{1, unknown}},
		"replay, lost then ER999":      {replay, []string{lost, refusal("ER999"), succeeded}, told{2, unknown}, told{1, unknown}},
		"replay, lost, then not sent":  {replay, []string{lost, notConnected}, told{3, unknown}, told{1, unknown}},
		"replay, lost, busy, success":  {replay, []string{lost, refusal("ER010"), succeeded}, told{3, done}, told{1, unknown}},
		"replay, lost, lost, lost":     {replay, []string{lost}, told{3, unknown}, told{1, unknown}},
		"replay, refused at the first": {replay, []string{refusal("ER032"), succeeded}, told{1, refused}, told{1, unknown}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for op, call := range map[jpayment.Operation]func(context.Context, *jpayment.Client) error{
				jpayment.OpSales:  sales(jpayment.SalesRequest{PaymentID: "10000001"}),
				jpayment.OpCancel: cancelling(jpayment.CancelRequest{PaymentID: "10000001"}),
				jpayment.OpReAuth: reAuthorise(reAuth),
				jpayment.OpReAuthByKickback: func(ctx context.Context, c *jpayment.Client) error {
					return c.ReAuthByKickback(ctx, reAuth)
				},
			} {
				want, ok := tt.simple, salesOK
				if strings.HasPrefix(string(op), "ReAuth") {
					want = tt.reAuth
				}
				if op == jpayment.OpReAuthByKickback {
					ok = "OK"
				}
				synctest.Test(t, func(t *testing.T) {
					s := &script{success: ok, steps: tt.steps}
					err := call(t.Context(), s.client(t, tt.policy))
					require.Equal(t, want, told{len(s.at), jpayment.OutcomeOf(err)}, op)
				})
			}
		})
	}
}

// The error of a replay reports all attempts.
func TestReplayedError(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := &script{steps: []string{lost, refusal("ER032")}}
		_, err := s.client(t, jpayment.RetryPolicy{ReplayUnknown: true}).Sales(t.Context(), jpayment.SalesRequest{PaymentID: "10000001"})
		var ge *jpayment.GatewayError
		require.ErrorAs(t, err, &ge)
		require.Equal(t, 2, ge.Attempts)
		require.ErrorIs(t, err, jpayment.CodeCaptureFailed)
		require.NotErrorIs(t, err, io.EOF, "the earlier attempt is not the cause")
		var first *jpayment.TransportError
		require.ErrorAs(t, ge.Earlier, &first)
		require.ErrorIs(t, first, io.EOF)
		require.Equal(t, 1, first.Attempts)
		require.ErrorContains(t, err, "outcome unknown: ER032")
		require.ErrorContains(t, err, "(after 2 attempts); an earlier attempt may have been carried out; next: look the payment up")
	})
}

func TestRetryWaits(t *testing.T) {
	t.Parallel()
	policy := jpayment.RetryPolicy{MaxAttempts: 6, BaseDelay: time.Second, MaxDelay: 5 * time.Second}
	bounds := []time.Duration{1, 2, 4, 5, 5}
	longest := make([]time.Duration, len(bounds))
	synctest.Test(t, func(t *testing.T) {
		for range 200 {
			s := &script{steps: []string{notConnected}}
			_, err := s.client(t, policy).Sales(t.Context(), jpayment.SalesRequest{PaymentID: "10000001"})
			require.Error(t, err)
			require.Len(t, s.at, 6)
			for i, bound := range bounds {
				wait := s.at[i+1].Sub(s.at[i])
				require.LessOrEqual(t, wait, bound*time.Second)
				longest[i] = max(longest[i], wait)
			}
		}
	})
	for i, bound := range bounds {
		require.Greater(t, longest[i], bound*time.Second*3/4, "the wait is drawn from all of its range")
	}
}

func TestRetryAndTheContext(t *testing.T) {
	t.Parallel()
	policy := jpayment.RetryPolicy{MaxAttempts: 10, BaseDelay: time.Hour, MaxDelay: time.Hour}
	t.Run("no time left", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			s := &script{steps: []string{refusal("ER010")}}
			start := time.Now()
			ctx, cancel := context.WithTimeout(t.Context(), time.Nanosecond)
			defer cancel()
			_, err := s.client(t, policy).Sales(ctx, jpayment.SalesRequest{PaymentID: "10000001"})
			require.Zero(t, time.Since(start), "it does not wait for nothing")
			require.Equal(t, jpayment.OutcomeRefused, jpayment.OutcomeOf(err))
			require.ErrorIs(t, err, jpayment.ErrBusy)
			require.ErrorIs(t, err, context.DeadlineExceeded)
			require.ErrorContains(t, err, "(not sent again: context deadline exceeded)")
			require.Len(t, s.at, 1)
		})
	})
	t.Run("stopped while waiting", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			s := &script{steps: []string{notConnected}}
			ctx, cancel := context.WithCancel(t.Context())
			time.AfterFunc(time.Nanosecond, cancel)
			_, err := s.client(t, policy).Sales(ctx, jpayment.SalesRequest{PaymentID: "10000001"})
			require.Equal(t, jpayment.OutcomeNotSent, jpayment.OutcomeOf(err))
			require.ErrorIs(t, err, context.Canceled)
			require.Len(t, s.at, 1)
		})
	})
}

// A retry sends the validated data, even if the caller has changed the map since.
func TestRetrySendsWhatWasValidated(t *testing.T) {
	t.Parallel()
	extra := map[string]string{"note": "a"}
	var bodies []string
	rt := roundTrip(func(r *http.Request) (*http.Response, error) {
		body, err := io.ReadAll(r.Body)
		require.NoError(t, err)
		bodies = append(bodies, string(body))
		extra["tid"] = "99999999"
		extra["note"] = "b"
		httptrace.ContextClientTrace(r.Context()).GetConn(r.URL.Host)
		return nil, errors.New("refused")
	})
	c := newClient(t, jpayment.WithHTTPClient(&http.Client{Transport: rt}),
		jpayment.WithRetry(jpayment.RetryPolicy{MaxAttempts: 2, BaseDelay: time.Nanosecond, MaxDelay: time.Nanosecond}))
	_, err := c.Sales(t.Context(), jpayment.SalesRequest{PaymentID: "10000001", Extra: jpayment.NewExtra(extra)})
	require.Equal(t, jpayment.OutcomeNotSent, jpayment.OutcomeOf(err))
	const want = "aid=123456&jb=SALES&note=a&rt=1&tid=10000001"
	require.Equal(t, []string{want, want}, bodies)
}

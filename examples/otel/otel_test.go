package otel_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/codes"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"

	"github.com/jpayment-go/jpayment"
	"github.com/jpayment-go/jpayment/examples/otel"
	"github.com/jpayment-go/jpayment/jpaymenttest"
)

func newSpans() (*tracetest.InMemoryExporter, *sdktrace.TracerProvider) {
	exporter := tracetest.NewInMemoryExporter()
	return exporter, sdktrace.NewTracerProvider(sdktrace.WithSyncer(exporter))
}

func TestSpan(t *testing.T) {
	t.Parallel()
	exporter, provider := newSpans()
	gateway := jpaymenttest.NewServer(t, jpaymenttest.WithConnectionAuth("connection-authentication-code"))
	client, err := otel.NewClient("123456", provider,
		jpayment.WithBaseURL(gateway.URL), jpayment.WithConnectionAuth("connection-authentication-code"))
	require.NoError(t, err)

	id := gateway.Authorize(jpaymenttest.Authorization{Amount: 7654321, OrderNumber: "order-of-yamada"})
	res, err := client.ReAuth(t.Context(), jpayment.ReAuthRequest{
		PaymentID: id, Amount: 6543217, Tax: 543210, Shipping: 432109,
		Email: jpayment.NewSecret("yamada@example.jp"), Phone: jpayment.NewSecret("0312345678"),
		Extra: jpayment.NewExtra(map[string]string{"customer": "山田 太郎"}),
	})
	require.NoError(t, err)

	spans := exporter.GetSpans()
	require.Len(t, spans, 1)
	require.Equal(t, trace.SpanKindClient, spans[0].SpanKind)
	attributes := map[string]string{}
	for _, a := range spans[0].Attributes {
		attributes[string(a.Key)] = a.Value.String()
	}
	require.Equal(t, "POST", attributes["http.request.method"])
	require.Equal(t, "200", attributes["http.response.status_code"])
	require.Equal(t, gateway.URL+"/gateway/re_auth.aspx", attributes["url.full"])

	span := spans[0]
	span.SpanContext, span.Parent = trace.SpanContext{}, trace.SpanContext{} // random, and may contain any digits
	span.StartTime, span.EndTime = time.Time{}, time.Time{}                  // likewise
	text, err := json.Marshal(span)
	require.NoError(t, err)
	require.Contains(t, string(text), "re_auth.aspx")
	parameters, reply := gateway.Requests()[0].Form, string(gateway.Requests()[0].Answer)
	checked := 0
	for key := range parameters {
		value := parameters.Get(key)
		if len(value) < 6 { // rt=1 occurs in any text
			continue
		}
		require.NotContains(t, string(text), value, "the value of %s", key)
		checked++
	}
	require.Equal(t, len(parameters)-1, checked, "all but rt")
	for _, column := range []string{res.PaymentID, res.ApprovalCode.Reveal(), res.OrderNumber, res.Total.String()} {
		require.Contains(t, reply, column)
		require.NotContains(t, string(text), column)
	}
}

// If no connection can be made, the client still proves that nothing was sent.
func TestNotSent(t *testing.T) {
	t.Parallel()
	exporter, provider := newSpans()
	client, err := otel.NewClient("123456", provider,
		jpayment.WithBaseURL("http://127.0.0.1:1"), // tcpmux, out of use for decades
		jpayment.WithRetry(jpayment.RetryPolicy{MaxAttempts: 2, BaseDelay: time.Nanosecond, MaxDelay: time.Nanosecond}))
	require.NoError(t, err)

	_, err = client.Sales(t.Context(), jpayment.SalesRequest{PaymentID: "10000001"})
	require.Equal(t, jpayment.OutcomeNotSent, jpayment.OutcomeOf(err))
	spans := exporter.GetSpans()
	require.Len(t, spans, 2, "one for each attempt")
	require.Equal(t, codes.Error, spans[0].Status.Code)
}

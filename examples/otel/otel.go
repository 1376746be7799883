// Package otel shows how to trace the requests of a client with OpenTelemetry: wrap the
// transport. The package jpayment does not depend on OpenTelemetry.
//
// There is one span for each attempt that reaches the transport, with the method, the URL,
// the HTTP status and the sizes. A span contains no parameters: they travel in the body of a
// POST, which the instrumentation does not read. Nor does a span show whether a payment was
// captured, since the gateway also refuses with HTTP status 200; use jpayment.OutcomeOf.
package otel

import (
	"net/http"

	"go.opentelemetry.io/contrib/instrumentation/net/http/otelhttp"
	"go.opentelemetry.io/otel/trace"

	"github.com/jpayment-go/jpayment"
)

// NewClient returns a client of the store whose requests are traced.
//
// The instrumentation preserves the request's net/http/httptrace, by which the client proves
// that a request was not sent. So outcomes are the same as without it.
func NewClient(storeID string, spans trace.TracerProvider, opts ...jpayment.Option) (*jpayment.Client, error) {
	traced := jpayment.WithTransportWrapper(func(rt http.RoundTripper) http.RoundTripper {
		return otelhttp.NewTransport(rt, otelhttp.WithTracerProvider(spans))
	})
	return jpayment.NewClient(storeID, append([]jpayment.Option{traced}, opts...)...)
}

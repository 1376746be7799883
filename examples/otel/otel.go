// Package otel shows how to trace the requests of a client with OpenTelemetry: wrap
// the transport. The package jpayment needs to know nothing of it.
//
// There is one span for each attempt that reaches the transport, with the method, the
// address, the HTTP status and the sizes. Parameters are no part of it: they travel in
// the body of a POST, and the instrumentation reads none. Nor does a span tell whether
// a payment was captured, since the gateway refuses with HTTP status 200 too; that is
// what jpayment.OutcomeOf tells.
package otel

import (
	"net/http"

	"go.opentelemetry.io/contrib/instrumentation/net/http/otelhttp"
	"go.opentelemetry.io/otel/trace"

	"github.com/jpayment-go/jpayment"
)

// NewClient returns a client of the store whose requests are traced.
//
// The instrumentation hands a request on together with its net/http/httptrace, by
// which the client proves that a request was not sent, so outcomes are the same as
// without it.
func NewClient(storeID string, spans trace.TracerProvider, opts ...jpayment.Option) (*jpayment.Client, error) {
	traced := jpayment.WithTransportWrapper(func(rt http.RoundTripper) http.RoundTripper {
		return otelhttp.NewTransport(rt, otelhttp.WithTracerProvider(spans))
	})
	return jpayment.NewClient(storeID, append([]jpayment.Option{traced}, opts...)...)
}

package cli

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	exporter "go.opentelemetry.io/otel/exporters/prometheus"
	"go.opentelemetry.io/otel/metric"
	sdk "go.opentelemetry.io/otel/sdk/metric"
)

// metrics holds the metrics of a worker and the handler that serves them.
type metrics struct {
	meter   metric.MeterProvider // nil for none
	handler http.Handler
}

func newMetrics() (metrics, error) {
	registry := prometheus.NewRegistry()
	reader, err := exporter.New(exporter.WithRegisterer(registry))
	if err != nil {
		return metrics{}, err
	}
	return metrics{sdk.NewMeterProvider(sdk.WithReader(reader)), promhttp.HandlerFor(registry, promhttp.HandlerOpts{})}, nil
}

// serveHealth answers health checks and serves the metrics until the context ends.
func serveHealth(ctx context.Context, address string, q queue, m metrics, log *slog.Logger) error {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /live", func(http.ResponseWriter, *http.Request) {})
	mux.HandleFunc("GET /ready", func(w http.ResponseWriter, _ *http.Request) {
		if h := q.Health(); !h.OK() {
			http.Error(w, h.What.En+", since "+h.Since.UTC().Format(time.RFC3339), http.StatusServiceUnavailable)
		}
	})
	mux.Handle("GET /metrics", m.handler)
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", address)
	if err != nil {
		return notListening("--health", address, err)
	}
	log.Info("answering health checks", "health", l.Addr().String())
	server := &http.Server{Handler: mux, ReadHeaderTimeout: 10 * time.Second, IdleTimeout: time.Minute}
	context.AfterFunc(ctx, func() { _ = server.Close() })
	go func() {
		if err := server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			log.Error("health checks are no longer answered", "error", err.Error())
		}
	}()
	return nil
}

package fulfilment

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/metric/noop"

	"github.com/jpayment-go/jpayment"
)

// meters are the metrics, none of which contains private data.
type meters struct {
	store                  attribute.KeyValue
	attempts, jobs, pauses metric.Int64Counter
	failures               metric.Int64Counter
	duration               metric.Float64Histogram
}

func newMeters(provider metric.MeterProvider, storeID string) (m meters, err error) {
	m.store = attribute.String("store_id", storeID)
	if provider == nil {
		provider = noop.NewMeterProvider()
	}
	meter := provider.Meter("github.com/jpayment-go/jpayment/fulfilment")
	var errs [5]error
	m.attempts, errs[0] = meter.Int64Counter("jpayment.fulfilment.attempts", metric.WithUnit("{attempt}"), metric.WithDescription("Attempts by operation and outcome."))
	m.jobs, errs[1] = meter.Int64Counter("jpayment.fulfilment.jobs", metric.WithUnit("{job}"), metric.WithDescription("Jobs that became done, refused or in review, by operation and state."))
	m.pauses, errs[2] = meter.Int64Counter("jpayment.fulfilment.pauses", metric.WithUnit("{pause}"), metric.WithDescription("Pauses of the store, for faults of its settings and for maintenance."))
	m.duration, errs[3] = meter.Float64Histogram("jpayment.fulfilment.call.duration", metric.WithUnit("s"), metric.WithDescription("Duration of calls of the gateway."))
	m.failures, errs[4] = meter.Int64Counter("jpayment.fulfilment.database.errors", metric.WithUnit("{error}"), metric.WithDescription("Failures of the database by step."))
	return m, errors.Join(errs[:]...)
}

// concluded counts a job that has become done, refused or in review.
func (m meters) concluded(ctx context.Context, j Job) {
	m.jobs.Add(ctx, 1, metric.WithAttributes(m.store, attribute.String("operation", string(j.Operation)), attribute.String("state", string(j.State))))
}

// report logs and counts an attempt that has ended.
func (w *worker[TTx]) report(ctx context.Context, a *attempt, job Job, v verdict, ans answer, ended time.Time) {
	operation := attribute.String("operation", string(job.Operation))
	attrs := metric.WithAttributes(w.meters.store, operation, attribute.String("outcome", ans.outcome.String()))
	w.meters.attempts.Add(ctx, 1, attrs)
	w.meters.duration.Record(ctx, ended.Sub(a.began).Seconds(), attrs)
	level := slog.LevelInfo
	if ans.outcome != jpayment.OutcomeDone {
		level = slog.LevelWarn
	}
	record := []slog.Attr{slog.Any("job", job), slog.String("outcome", ans.outcome.String()), slog.Duration("elapsed", ended.Sub(a.began))}
	if ans.what.En != "" {
		record = append(record, slog.String("error", ans.what.En))
	}
	w.log.LogAttrs(ctx, level, "fulfilment: attempt", record...)
	if v.pause {
		w.meters.pauses.Add(ctx, 1, metric.WithAttributes(w.meters.store, operation))
		if v.reason == ReasonMaintenance {
			w.log.LogAttrs(ctx, slog.LevelWarn, "fulfilment: paused", slog.Time("until", job.Due), slog.String("why", v.what.En))
			return
		}
		w.log.LogAttrs(ctx, slog.LevelError, "fulfilment: paused until Resume is called", slog.String("why", v.what.En))
	}
}

// quiet drops River's records below Warn, which concern its housekeeping.
type quiet struct{ slog.Handler }

// Enabled reports whether a record of the level is kept.
func (q quiet) Enabled(ctx context.Context, l slog.Level) bool {
	return l >= slog.LevelWarn && q.Handler.Enabled(ctx, l)
}

// WithAttrs and WithGroup keep the level.
func (q quiet) WithAttrs(attrs []slog.Attr) slog.Handler { return quiet{q.Handler.WithAttrs(attrs)} }
func (q quiet) WithGroup(name string) slog.Handler       { return quiet{q.Handler.WithGroup(name)} }

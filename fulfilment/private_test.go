package fulfilment

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"go.yaml.in/yaml/v3"
	"golang.org/x/time/rate"

	"github.com/jpayment-go/jpayment"
	"github.com/jpayment-go/jpayment/internal/privacytest"
	"github.com/jpayment-go/jpayment/jpaymenttest"
)

const (
	canary       = "kanariya"
	canaryDigits = "09099998888"
	canaryCode   = "C4N4RY"
)

// hasCanary reports whether a text contains private data.
func hasCanary(text string) bool {
	return strings.Contains(text, canary) || strings.Contains(text, canaryDigits) || strings.Contains(text, canaryCode)
}

// said is everything that a test's queue outputs, except to the gateway.
type said struct {
	mu  sync.Mutex
	all bytes.Buffer
}

func (s *said) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.all.Write(p)
}

// hear prints values in every usual way.
func (s *said) hear(values ...any) {
	log := slog.New(slog.NewTextHandler(s, nil))
	jsonLog := slog.New(slog.NewJSONHandler(s, nil))
	for _, v := range values {
		fmt.Fprintf(s, "%v %+v %#v %s %q\n", v, v, v, v, v)
		log.Info("", "value", v)
		jsonLog.Info("", "value", v)
	}
}

func (s *said) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.all.String()
}

func TestNothingPrivateIsShown(t *testing.T) {
	t.Run("SQLite", func(t *testing.T) { showsNothingPrivate(t, onSQLite(t)) })
	t.Run("Postgres", func(t *testing.T) { showsNothingPrivate(t, onPostgres(t)) })
}

func showsNothingPrivate[TTx any](t *testing.T, p place[TTx]) {
	var out said
	reader := metric.NewManualReader()
	s := newSite(t, p, Config{
		KickbackWait: time.Hour,
		Logger:       slog.New(slog.NewTextHandler(&out, &slog.HandlerOptions{Level: slog.LevelDebug, AddSource: true})),
		Meter:        metric.NewMeterProvider(metric.WithReader(reader)),
	}, jpaymenttest.WithConnectionAuth(canary+" connection key"))
	private := func(op jpayment.Operation, id string) Request {
		extra := jpayment.NewExtra(map[string]string{"k": canary + " extra"})
		switch op {
		case jpayment.OpSales:
			return Sales("order-"+id, jpayment.SalesRequest{PaymentID: id, Extra: extra})
		case jpayment.OpCancel:
			return Cancel("order-"+id, jpayment.CancelRequest{PaymentID: id, Extra: extra})
		default:
			return ReAuth("order-"+id, jpayment.ReAuthRequest{PaymentID: id, Amount: 900, Tax: 72, Shipping: 500, Email: jpayment.NewSecret(canary + "@example.com"), Phone: jpayment.NewSecret(canaryDigits), Extra: extra})
		}
	}
	client := s.client(nil)
	secret := func(context.Context, jpayment.SalesRequest) (*jpayment.Result, error) {
		return &jpayment.Result{
			PaymentID: "1", Status: jpayment.StatusSucceeded, ApprovalCode: jpayment.NewSecret(canaryCode),
			IssuedID: jpayment.NewSecret(canary), IssuedPassword: jpayment.NewSecret(canary + " password"), Other: jpayment.NewSecret(canary),
		}, nil
	}
	gateways := map[string]jpayment.Gateway{
		"the gateway":    client,
		"an unreachable": s.client(nil, jpayment.WithHTTPClient(&http.Client{Transport: &http.Transport{DialContext: func(context.Context, string, string) (net.Conn, error) { return nil, errors.New(canary) }}})),
		"a panic": &jpaymenttest.Fake{
			SalesFunc: func(context.Context, jpayment.SalesRequest) (*jpayment.Result, error) { panic(canary) },
		},
		"an error": &jpaymenttest.Fake{
			SalesFunc:            func(context.Context, jpayment.SalesRequest) (*jpayment.Result, error) { return nil, errors.New(canary) },
			ReAuthByKickbackFunc: func(context.Context, jpayment.ReAuthRequest) error { return fmt.Errorf("%w", errors.New(canary)) },
		},
		"a secret result": &jpaymenttest.Fake{SalesFunc: secret},
	}
	faults := []jpaymenttest.Fault{
		{Kind: jpaymenttest.DropAfterBooking},
		{Kind: jpaymenttest.CutReply},
		{Kind: jpaymenttest.Garbage, Body: []byte(canary + "," + canaryCode)},
		{Kind: jpaymenttest.AnswerStatus},
		{Kind: jpaymenttest.Redirect, Location: "/" + canary},
		{Kind: jpaymenttest.AnswerCode, Code: "ER010"},
		{Kind: jpaymenttest.AnswerCode, Code: "ER999"},
		{Kind: jpaymenttest.AnswerCode, Code: "ER003"},
		{Kind: jpaymenttest.AnswerCode, Code: "ER000"},
	}
	hear := func(j Job) {
		as, err := s.Attempts(t.Context(), j.ID)
		out.hear(j, &j, err, j.Next(), j.Reason)
		for _, a := range as {
			out.hear(a, &a)
		}
		if j.Result != nil {
			out.hear(*j.Result, j.Result)
		}
	}
	for _, op := range []jpayment.Operation{jpayment.OpSales, jpayment.OpCancel, jpayment.OpReAuth} {
		for _, name := range slices.Sorted(maps.Keys(gateways)) {
			for i := range len(faults) + 1 {
				s.gateway.ClearFaults()
				if i > 0 {
					s.gateway.Fail(faults[i-1])
				}
				if i > 0 && gateways[name] != client {
					continue
				}
				r := private(op, s.gateway.Authorize(jpaymenttest.Authorization{Amount: 1000, OrderNumber: "order"}))
				out.hear(r, &r)
				j, err := s.Enqueue(t.Context(), r)
				require.NoError(t, err)
				w := s.worker(gateways[name])
				out.hear(w.work(t, j))
				require.NoError(t, s.Resume(t.Context()))
				hear(s.look(j))
				s.pass(2 * time.Hour)
				out.hear(w.sweep(t.Context()), s.Resume(t.Context()), w.work(t, j))
				hear(s.look(j))
				st, err := s.Status(t.Context(), "")
				out.hear(st, err, s.Resume(t.Context()))
				if op == jpayment.OpReAuth {
					n := success(j)
					n.ApprovalCode, n.Extra = canaryCode, jpayment.NewExtra(map[string]string{"k": canary})
					s.deliver(n)
					hear(s.look(j))
				}
			}
		}
	}
	s.gateway.ClearFaults()

	// The errors of requests.
	for _, r := range []Request{
		ReAuth("", jpayment.ReAuthRequest{PaymentID: "x", Email: jpayment.NewSecret(canary), Phone: jpayment.NewSecret(canary), Extra: jpayment.NewExtra(map[string]string{"aid": canary, canary + strings.Repeat("x", 2000): "v"})}),
		Sales("x", jpayment.SalesRequest{PaymentID: "１", Extra: jpayment.NewExtra(map[string]string{"\x00": canary})}),
	} {
		_, err := s.Enqueue(t.Context(), r)
		require.Error(t, err)
		out.hear(err)
	}
	id := s.authorize()
	_, err := s.Enqueue(t.Context(), private(jpayment.OpReAuth, id))
	require.NoError(t, err)
	_, err = s.Enqueue(t.Context(), ReAuth("another", jpayment.ReAuthRequest{PaymentID: id, Amount: 1, Email: jpayment.NewSecret(canary + "@example.com")}))
	require.Error(t, err)
	out.hear(err)
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = s.Enqueue(cancelled, private(jpayment.OpSales, s.authorize()))
	require.Error(t, err)
	out.hear(err)

	// Work by River, with a database that fails in between.
	broken, err := s.Enqueue(t.Context(), private(jpayment.OpReAuth, s.authorize()))
	require.NoError(t, err)
	s.exec("UPDATE jpayment_job SET private = $1 WHERE id = $2", canary, broken.ID)
	stop := s.run(client, WorkerConfig{Rate: rate.Inf})
	eventually(t, "River has recorded no error", func() bool {
		return s.count("SELECT COUNT(*) FROM "+s.riverTable()+" WHERE CAST(errors AS TEXT) LIKE '%cannot be read%'") > 0
	})
	stop()
	out.hear(s.Queue, client)

	var metrics metricdata.ResourceMetrics
	require.NoError(t, reader.Collect(t.Context(), &metrics))
	fmt.Fprintf(&out, "%+v", metrics)
	for _, scope := range metrics.ScopeMetrics {
		for _, m := range scope.Metrics {
			fmt.Fprintf(&out, "%+v", m)
		}
	}
	for _, line := range strings.Split(out.String(), "\n") {
		require.False(t, hasCanary(line), line)
		if strings.Contains(line, `msg="fulfilment:`) {
			require.Contains(t, line, "store_id="+testStore)
		}
	}
	require.Contains(t, out.String(), "fulfilment: attempt")

	// The canaries were stored; River's tables contain none.
	leaks := s.leaks()
	require.NotEmpty(t, leaks)
	for _, leak := range leaks {
		require.True(t, strings.HasPrefix(leak, "jpayment_job: "), leak)
	}
}

// work runs a job as River does.
func (w *worker[TTx]) work(t *testing.T, j Job) error {
	return w.Work(t.Context(), riverJob(j))
}

func TestMetersCount(t *testing.T) {
	t.Run("SQLite", func(t *testing.T) { metersCount[*sql.Tx](t, onSQLite(t)) })
	t.Run("Postgres", func(t *testing.T) { metersCount[pgx.Tx](t, onPostgres(t)) })
}

func metersCount[TTx any](t *testing.T, p place[TTx]) {
	reader := metric.NewManualReader()
	s := newSite(t, p, Config{KickbackWait: time.Hour, Meter: metric.NewMeterProvider(metric.WithReader(reader))})
	w := s.worker(s.client(nil))
	// Two captures, one after congestion; a decline; a re-authorisation by kickback; a pause.
	captured, congested := s.enqueue(jpayment.OpSales), s.enqueue(jpayment.OpSales)
	s.gateway.Fail(jpaymenttest.Fault{Kind: jpaymenttest.AnswerCode, Code: "ER010", PaymentID: congested.PaymentID, Nth: 1})
	declined := s.enqueueFor(jpayment.OpSales, s.gateway.Authorize(jpaymenttest.Authorization{Amount: 1000, Decline: "G1242G120000"}))
	reauth, paused := s.enqueue(jpayment.OpReAuth), s.enqueue(jpayment.OpCancel)
	for _, j := range []Job{captured, congested, declined, reauth} {
		require.False(t, s.work(w, j))
	}
	s.pass(minBackOff)
	require.False(t, s.work(w, congested))
	for range 5 { // Repetitions of the kickback settle nothing more.
		require.True(t, s.deliver(success(reauth)))
	}
	s.gateway.RegisterIPs()
	require.False(t, s.work(w, paused))
	// A failure whose attempt was given up long ago.
	lost := s.enqueue(jpayment.OpSales)
	require.NoError(t, s.Resume(t.Context()))
	a := s.begins(w, lost)
	s.pass(w.cfg.lease() + time.Second)
	require.NoError(t, w.sweep(t.Context()))
	require.NoError(t, w.end(t.Context(), a, answerOf(nil, answered(jpayment.OpSales, "ER010"))))

	require.Equal(t, map[string]int64{
		"jpayment.fulfilment.attempts operation=Cancel,outcome=refused,store_id=123456": 1,
		"jpayment.fulfilment.attempts operation=ReAuth,outcome=done,store_id=123456":    1,
		"jpayment.fulfilment.attempts operation=Sales,outcome=done,store_id=123456":     2,
		"jpayment.fulfilment.attempts operation=Sales,outcome=refused,store_id=123456":  3,

		"jpayment.fulfilment.call.duration operation=Cancel,outcome=refused,store_id=123456": 1,
		"jpayment.fulfilment.call.duration operation=ReAuth,outcome=done,store_id=123456":    1,
		"jpayment.fulfilment.call.duration operation=Sales,outcome=done,store_id=123456":     2,
		"jpayment.fulfilment.call.duration operation=Sales,outcome=refused,store_id=123456":  3,

		"jpayment.fulfilment.jobs operation=ReAuth,state=done,store_id=123456":   1,
		"jpayment.fulfilment.jobs operation=Sales,state=done,store_id=123456":    2,
		"jpayment.fulfilment.jobs operation=Sales,state=refused,store_id=123456": 1,

		"jpayment.fulfilment.pauses operation=Cancel,store_id=123456": 1,
	}, counts(t, reader))
}

// counts returns the counters, and the number of records of each histogram.
func counts(t *testing.T, reader metric.Reader) map[string]int64 {
	var all metricdata.ResourceMetrics
	require.NoError(t, reader.Collect(t.Context(), &all))
	got := map[string]int64{}
	for _, scope := range all.ScopeMetrics {
		for _, m := range scope.Metrics {
			name := func(set attribute.Set) string { return m.Name + " " + set.Encoded(attribute.DefaultEncoder()) }
			switch data := m.Data.(type) {
			case metricdata.Sum[int64]:
				for _, p := range data.DataPoints {
					got[name(p.Attributes)] = p.Value
				}
			case metricdata.Histogram[float64]:
				for _, p := range data.DataPoints {
					got[name(p.Attributes)] = int64(p.Count)
				}
			default:
				require.Failf(t, "unexpected", "%T", data)
			}
		}
	}
	return got
}

// inYAML is another way in which programs log. It panics on values that it cannot encode.
func inYAML(v any) (b []byte, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("%v", p)
		}
	}()
	return yaml.Marshal(v)
}

// No exported value shows private data, however a program prints it.
func TestNoRenderingShowsPrivateData(t *testing.T) {
	t.Parallel()
	note := jpayment.NewSecret(canary + " called")
	extra := jpayment.NewExtra(map[string]string{"k": canary, canary: "v"})
	result := &jpayment.Result{
		PaymentID: "10000002", Status: jpayment.StatusSucceeded, ApprovalCode: jpayment.NewSecret(canaryCode), IssuedID: jpayment.NewSecret(canary),
		IssuedPassword: jpayment.NewSecret(canary), Other: jpayment.NewSecret("k=" + canary), Extra: extra,
	}
	job := Job{ID: 1, StoreID: testStore, Operation: jpayment.OpReAuth, PaymentID: "10000001", Reference: "order-1", State: StateRefused, Result: result, DecidedBy: "the till", Note: note}
	what := jpayment.Text{En: "could not connect", Ja: "接続できませんでした"}
	var log said
	cfg := Config{StoreID: testStore, KickbackWait: time.Hour, Logger: slog.New(slog.NewTextHandler(&log, nil))}
	s := newSite(t, onSQLite(t), cfg)
	private := ReAuth("order-1", jpayment.ReAuthRequest{PaymentID: "10000001", Amount: 900, Email: jpayment.NewSecret(canary + "@example.com"), Phone: jpayment.NewSecret(canaryDigits), Extra: extra})
	s.exec("CREATE TABLE checked (v TEXT CHECK (v = 'x')) STRICT")
	_, driver := s.db.session().exec(t.Context(), "INSERT INTO checked VALUES ('"+canary+"'), (x'00')")
	require.Error(t, driver)
	_, invalid := s.Enqueue(t.Context(), Cancel("", jpayment.CancelRequest{PaymentID: canary, Extra: jpayment.NewExtra(map[string]string{"aid": canary})}))
	require.Error(t, invalid)
	for _, v := range []any{
		private, private.InBatch("b"),
		Sales("order-1", jpayment.SalesRequest{PaymentID: "10000001", Extra: extra}),
		Cancel("order-1", jpayment.CancelRequest{PaymentID: "10000001", Extra: extra}),
		job,
		[]Job{job},
		map[string]*Job{"k": &job},
		result,
		Decision{State: StateRefused, By: "the till", Note: note},
		Attempt{Number: 1, What: what},
		Pause{Why: what},
		Status{Paused: &Pause{Why: what}},
		Filter{Reference: "order-1"},
		cfg,
		WorkerConfig{},
		Health{What: what},
		s.Queue,
		&ConflictError{Job: job, Fields: []string{"Amount"}}, &RefusedError{Job: job},
		invalid, withHint(driver), notMigrated(driver), failed(errors.New(canary)), errors.Join(failed(errors.New(canary)), ErrNoJob),
		notMigrated(&pgconn.PgError{Message: canary, Detail: canary}),
	} {
		require.Empty(t, privacytest.Leaks(v, []string{canary, canaryDigits, canaryCode}, inYAML), "%T", v)
	}
}

package fulfilment

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/riverqueue/river"
	"go.opentelemetry.io/otel/metric"

	"github.com/jpayment-go/jpayment"
)

// Config is the configuration that all processes of a store share, those that enqueue and
// those that work.
type Config struct {
	// StoreID is the store (店舗ID), six half-width digits.
	StoreID string
	// KickbackWait makes re-authorisations request their result by kickback, and bounds how
	// long a job waits for it. It requires a handler that calls [Queue.Settle] and a client
	// with [jpayment.WithKickbackKey]; Run refuses a client without it. Kickbacks can
	// settle a re-authorisation whose reply is lost. With zero, the default, results come
	// with the reply, and a re-authorisation whose outcome is unknown goes to review.
	KickbackWait time.Duration
	// ProductionOnly puts jobs that were approved in test mode, in which no money moves,
	// into review and pauses the store. Also give the clients
	// [jpayment.WithProductionOnly]; it does not apply to kickbacks. By default such an
	// approval is done, and [jpayment.Result.TestMode] reports it.
	ProductionOnly bool
	// Charset is the character set of the clients: see [jpayment.WithCharset].
	Charset jpayment.Charset
	// Schema is the Postgres schema of the tables: lower-case letters, digits and
	// underscores. The default is jpayment. SQLite has no schema.
	Schema string
	// Logger gets one record for each attempt and each verdict, with the store and without
	// private data. The default is to log nothing.
	Logger *slog.Logger
	// Meter provides the counters of the workers: see [Queue.Run]. The default is none.
	Meter metric.MeterProvider
}

// Queue is the durable record of a store's requests. It is safe for concurrent use. TTx is
// the type of transactions: *sql.Tx on SQLite, pgx.Tx on Postgres.
type Queue[TTx any] struct {
	db           database[TTx]
	storeID      string
	kickbackWait time.Duration
	production   bool
	log          *slog.Logger
	meters       meters
	health       health
	client       *jpayment.Client   // looks at requests, and sends none
	inserter     *river.Client[TTx] // works nothing
	clock        *clock
	now          func() time.Time // the clock's, but in tests
	known        known
	onSettled    func(ctx context.Context, tx TTx, job Job) error
	pace         func(time.Duration) time.Duration // of waits: as they are, but in tests
}

func newQueue[TTx any](db database[TTx], cfg Config) (*Queue[TTx], error) {
	var bad invalidFields
	client, err := newPreviewer(cfg)
	var invalid *jpayment.ValidationError
	if errors.As(err, &invalid) {
		bad = invalid.Fields
	} else if err != nil {
		return nil, err
	}
	if cfg.KickbackWait < 0 {
		bad.add("KickbackWait", isNegative)
	}
	if cfg.Schema != "" {
		bad.add("Schema", schemaReason(cfg.Schema))
	}
	if err := bad.err("fulfilment.Config", ""); err != nil {
		return nil, err
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	m, err := newMeters(cfg.Meter, cfg.StoreID)
	if err != nil {
		return nil, err
	}
	q := &Queue[TTx]{
		db: db, storeID: cfg.StoreID, kickbackWait: cfg.KickbackWait, production: cfg.ProductionOnly,
		log:    cfg.Logger.With(slog.String("store_id", cfg.StoreID)),
		meters: m, client: client, clock: newClock(),
		pace: func(d time.Duration) time.Duration { return d },
	}
	q.now = q.clock.now
	q.inserter, err = river.NewClient(db.driver(), &river.Config{
		Schema: db.schema(),
		Test:   q.riverTime(),
		Logger: slog.New(slog.DiscardHandler),
		// It bounds how often workers are told of new jobs, too. At River's default a job
		// soon after another would wait for the workers' next look.
		FetchCooldown: time.Millisecond,
	})
	if err != nil {
		return nil, err
	}
	return q, nil
}

// riverTime makes River go by the queue's clock. River calls that a setting for tests.
func (q *Queue[TTx]) riverTime() river.TestConfig {
	return river.TestConfig{Time: riverTime{func() time.Time { return q.now() }}}
}

// store runs the statements outside of a transaction.
func (q *Queue[TTx]) store() store { return store{q.db.session(), q.storeID} }

// in runs them in one.
func (q *Queue[TTx]) in(tx TTx) store { return store{q.db.in(tx), q.storeID} }

// due returns when a job comes up again after a verdict at the given time, if it does.
func (q *Queue[TTx]) due(v verdict, now time.Time) time.Time {
	switch v.state {
	case StateWaiting:
		return now.Add(q.pace(v.wait))
	case StateAwaiting:
		return now.Add(q.kickbackWait)
	default:
		return time.Time{}
	}
}

// args is River's job: it names one of ours and holds nothing else.
type args struct {
	JobID int64 `json:"job_id"`
}

// Kind is River's name for the jobs of this package.
func (args) Kind() string { return "jpayment" }

// riverQueue is the River queue of a store, so that stores pause apart.
func (q *Queue[TTx]) riverQueue() string { return "jpayment-" + q.storeID }

// maxRiverAttempts is as many as River's column holds: it is the policy that ends a job.
const maxRiverAttempts = 32767

// ask has River run jobs that wait, each when it is due.
func (q *Queue[TTx]) ask(ctx context.Context, tx TTx, rs []record) error {
	params := make([]river.InsertManyParams, 0, len(rs))
	for _, r := range rs {
		if r.State != StateWaiting || r.waitsFor != 0 {
			continue
		}
		opts := &river.InsertOpts{Queue: q.riverQueue(), MaxAttempts: maxRiverAttempts}
		if r.Due.After(r.UpdatedAt) { // River takes its time over a time, even over one that has passed.
			opts.ScheduledAt = r.Due
		}
		params = append(params, river.InsertManyParams{Args: args{r.ID}, InsertOpts: opts})
	}
	if len(params) == 0 {
		return nil
	}
	if _, err := q.inserter.InsertManyFastTx(ctx, tx, params); err != nil {
		return &problem{what: jpayment.Text{En: "River did not take a job", Ja: "River にジョブを登録できません"}, next: nextAgain, cause: failed(err), database: true}
	}
	return nil
}

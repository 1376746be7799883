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
	// with [jpayment.WithKickbackKey]; Run rejects a client without it. Kickbacks can
	// settle a re-authorisation whose reply is lost. If it is zero, the default, results
	// come with the reply, and a re-authorisation whose outcome is unknown goes to review.
	KickbackWait time.Duration
	// ProductionOnly puts jobs that were approved in test mode, in which no money moves,
	// into review and pauses the store. Also create the clients with
	// [jpayment.WithProductionOnly], which does not cover kickbacks. By default such an
	// approval counts as done, and [jpayment.Result.TestMode] reports it.
	ProductionOnly bool
	// Charset is the character set that the clients use: see [jpayment.WithCharset].
	Charset jpayment.Charset
	// Schema is the Postgres schema of the tables: lower-case letters, digits and
	// underscores. The default is jpayment. SQLite has no schema.
	Schema string
	// Logger receives one record for each attempt and each verdict, with the store and
	// without private data. The default is to log nothing.
	Logger *slog.Logger
	// Meter provides the workers' metrics: see [Queue.Run]. The default is none.
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
	client       *jpayment.Client   // only validates requests
	inserter     *river.Client[TTx] // only inserts
	clock        *clock
	now          func() time.Time // the clock's, except in tests
	known        known
	onSettled    func(ctx context.Context, tx TTx, job Job) error
	pace         func(time.Duration) time.Duration // changes waits in tests
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
		// It also bounds how often workers are notified of new jobs. With River's default, a
		// job that soon follows another would wait for the workers' next poll.
		FetchCooldown: time.Millisecond,
	})
	if err != nil {
		return nil, err
	}
	return q, nil
}

// riverTime makes River use the queue's clock. River provides that setting for tests.
func (q *Queue[TTx]) riverTime() river.TestConfig {
	return river.TestConfig{Time: riverTime{func() time.Time { return q.now() }}}
}

// store runs statements outside of a transaction.
func (q *Queue[TTx]) store() store { return store{q.db.session(), q.storeID} }

// in runs statements in a transaction.
func (q *Queue[TTx]) in(tx TTx) store { return store{q.db.in(tx), q.storeID} }

// due returns when a job is due again after a verdict, or the zero time if it is settled.
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

// args are the arguments of a River job: the ID of our job and nothing else.
type args struct {
	JobID int64 `json:"job_id"`
}

// Kind is River's name for the jobs of this package.
func (args) Kind() string { return "jpayment" }

// riverQueue is the name of the store's River queue, so that stores are paused separately.
func (q *Queue[TTx]) riverQueue() string { return "jpayment-" + q.storeID }

// maxRiverAttempts is the most that River's column can hold, since the policy ends jobs and
// not River.
const maxRiverAttempts = 32767

// ask inserts a River job for each waiting job, to run when it is due.
func (q *Queue[TTx]) ask(ctx context.Context, tx TTx, rs []record) error {
	params := make([]river.InsertManyParams, 0, len(rs))
	for _, r := range rs {
		if r.State != StateWaiting || r.waitsFor != 0 {
			continue
		}
		opts := &river.InsertOpts{Queue: q.riverQueue(), MaxAttempts: maxRiverAttempts}
		if r.Due.After(r.UpdatedAt) { // River runs scheduled jobs late, even if their time has passed.
			opts.ScheduledAt = r.Due
		}
		params = append(params, river.InsertManyParams{Args: args{r.ID}, InsertOpts: opts})
	}
	if len(params) == 0 {
		return nil
	}
	if _, err := q.inserter.InsertManyFastTx(ctx, tx, params); err != nil {
		return &problem{what: jpayment.Text{En: "River did not accept a job", Ja: "River にジョブを登録できません"}, next: nextAgain, cause: failed(err), database: true}
	}
	return nil
}

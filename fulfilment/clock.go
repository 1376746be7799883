package fulfilment

import (
	"context"
	"sync"
	"time"

	"github.com/jpayment-go/jpayment/internal/wallclock"
)

// clock tells the database's time where it has one, and else what the machine's was when the
// process began and has been measured since. A machine's clock that is set ahead or back
// while a process runs changes nothing.
type clock struct {
	mu   sync.Mutex
	base time.Time // the database's
	at   time.Time // ours when it was that, for measuring
}

func newClock() *clock {
	return &clock{base: wallclock.Now(), at: time.Now()}
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.base.Add(time.Since(c.at))
}

// set says what the time is.
func (c *clock) set(now time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.base, c.at = now, time.Now()
}

// freshness is how long it is good to know the version of the tables and the database's time.
const freshness = 10 * time.Second

// known is when a process has last looked at the version of the tables.
type known struct {
	mu    sync.Mutex
	until time.Time
}

func (k *known) fresh() bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	return time.Now().Before(k.until)
}

func (k *known) renew() {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.until = time.Now().Add(freshness)
}

// ready returns an error if the tables are not of this version of the package: what it would
// write might mean something else there. It sets the clock.
func (q *Queue[TTx]) ready(ctx context.Context, s session) error {
	if q.known.fresh() {
		return nil
	}
	version, now, err := store{s, q.storeID}.presence(ctx, q.db.clock())
	if err != nil {
		return err
	}
	if err := checkVersion(version); err != nil {
		return err
	}
	if !now.IsZero() {
		q.clock.set(now)
	}
	q.known.renew()
	return nil
}

// moment is the present, as precisely as the database keeps it.
func (q *Queue[TTx]) moment() time.Time { return fromMicros(micros(q.now())) }

// riverTime makes River take the same time.
type riverTime struct{ now func() time.Time }

// Now returns the present.
func (t riverTime) Now() time.Time { return t.now() }

// NowOrNil is for statements that would otherwise take another clock.
func (t riverTime) NowOrNil() *time.Time {
	now := t.now()
	return &now
}

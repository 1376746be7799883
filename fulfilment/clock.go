package fulfilment

import (
	"context"
	"sync"
	"time"

	"github.com/jpayment-go/jpayment/internal/wallclock"
)

// clock returns the database's time, if it has a clock. If not, it returns the machine's time
// when the process began plus the time measured since. Setting the machine's clock while a
// process runs changes nothing.
type clock struct {
	mu   sync.Mutex
	base time.Time // the database's
	at   time.Time // the process's time at base, for measuring
}

func newClock() *clock {
	return &clock{base: wallclock.Now(), at: time.Now()}
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.base.Add(time.Since(c.at))
}

// set sets the time.
func (c *clock) set(now time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.base, c.at = now, time.Now()
}

// freshness is how long a reading of the tables' version and the database's time is valid.
const freshness = 10 * time.Second

// known records how long the last reading of the tables' version is valid.
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

// ready returns an error if the tables have another version than the package, since its writes
// could mean something else there. It also sets the clock.
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

// moment returns the present time, as precisely as the database stores it.
func (q *Queue[TTx]) moment() time.Time { return fromMicros(micros(q.now())) }

// riverTime gives River the same time.
type riverTime struct{ now func() time.Time }

// Now returns the present time.
func (t riverTime) Now() time.Time { return t.now() }

// NowOrNil is for statements that would otherwise use another clock.
func (t riverTime) NowOrNil() *time.Time {
	now := t.now()
	return &now
}

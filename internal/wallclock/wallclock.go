// Package wallclock returns the time of day for records and signatures. Having it in one place
// lets a test set the clock of a process ahead or back, as people and time servers do.
package wallclock

import (
	"sync/atomic"
	"time"
)

var shift atomic.Pointer[func() time.Duration]

// Now returns the time of day without a monotonic reading, since a clock that is set has none.
// Use package time to measure durations.
func Now() time.Time {
	now := time.Now().Round(0)
	if by := shift.Load(); by != nil {
		now = now.Add((*by)())
	}
	return now
}

// Shift shifts Now by the current result of by. It is for tests.
func Shift(by func() time.Duration) { shift.Store(&by) }

// Package wallclock tells the time of day to what writes it down or signs it. It is one place,
// so that a test can set the clock of a process ahead or back, as people and time servers do.
package wallclock

import (
	"sync/atomic"
	"time"
)

var shift atomic.Pointer[func() time.Duration]

// Now returns the time of day. It has no monotonic reading, as a clock that is set has none:
// how long something takes is measured by package time.
func Now() time.Time {
	now := time.Now().Round(0)
	if by := shift.Load(); by != nil {
		now = now.Add((*by)())
	}
	return now
}

// Shift has Now be off by what by returns each time. It is for tests.
func Shift(by func() time.Duration) { shift.Store(&by) }

package wallclock

import (
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestClockThatIsSet(t *testing.T) {
	require.WithinRange(t, Now(), time.Now().Add(-time.Minute), time.Now())
	var by atomic.Int64
	Shift(func() time.Duration { return time.Duration(by.Load()) })
	t.Cleanup(func() { shift.Store(nil) })

	before := Now()
	by.Store(int64(time.Hour))
	ahead := Now()
	require.GreaterOrEqual(t, ahead.Sub(before), time.Hour)
	by.Store(0)
	require.Less(t, Now().Sub(ahead), -59*time.Minute)
}

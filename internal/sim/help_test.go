package sim_test

import (
	"slices"
	"testing"
	"time"

	"github.com/jpayment-go/jpayment/internal/assumed"
	"github.com/jpayment-go/jpayment/internal/sim"
)

// option changes the default configuration.
type option func(*sim.Config)

func config(opts ...option) sim.Config {
	c := sim.Defaults()
	for _, opt := range opts {
		opt(&c)
	}
	return c
}

func newSimulator(opts ...option) *sim.Simulator { return sim.New(config(opts...)) }

func start(opts ...option) *sim.Server { return sim.Start(config(opts...)) }

func newServer(t *testing.T, opts ...option) *sim.Server {
	t.Helper()
	s := start(opts...)
	t.Cleanup(s.Close)
	return s
}

func withClock(now func() time.Time) option { return func(c *sim.Config) { c.Clock = now } }
func withColumns(n int) option              { return func(c *sim.Config) { c.Columns = n } }
func withConnectionAuth(code string) option { return func(c *sim.Config) { c.ConnectionCode = code } }

func withDeclineCancelling() option { return func(c *sim.Config) { c.DeclinedReAuth = "cancels" } }

func withDeclinesAnswered() option        { return func(c *sim.Config) { c.DeclinedRT0 = "answer" } }
func withKickbackACID(acid string) option { return func(c *sim.Config) { c.KickbackACID = acid } }
func withKickbackDelay(d time.Duration) option {
	return func(c *sim.Config) { c.KickbackDelay = d }
}

func withKickbackDuplicates(n int) option { return func(c *sim.Config) { c.KickbackDuplicates = n } }

func withKickbackRetries(after ...time.Duration) option {
	return func(c *sim.Config) { c.KickbackRetries = slices.Clone(after) }
}

func withKickbackTimeout(d time.Duration) option {
	return func(c *sim.Config) { c.KickbackTimeout = d }
}

func withKickbacksReversed() option { return func(c *sim.Config) { c.KickbackOrder = "reversed" } }

func withLateCaptures() option { return func(c *sim.Config) { c.LateCapture = "done" } }
func withLineEnding(ending string) option {
	return func(c *sim.Config) { c.LineEnd, _ = sim.LineEnd(ending) }
}
func withMemory(n int) option    { return func(c *sim.Config) { c.Memory = n } }
func withPlainOtherData() option { return func(c *sim.Config) { c.OtherData = "plain" } }
func withSeed(seed int64) option { return func(c *sim.Config) { c.Seed = seed } }
func withShiftJISKickbacks() option {
	return func(c *sim.Config) { c.KickbackCharset = assumed.ShiftJIS }
}

func withShiftJISReplies() option { return func(c *sim.Config) { c.ReplyCharset = assumed.ShiftJIS } }

func withShiftJISRequests() option {
	return func(c *sim.Config) { c.RequestCharset = assumed.ShiftJIS }
}
func withStoreID(id string) option { return func(c *sim.Config) { c.StoreID = id } }
func withWaitingKickbacks(all []sim.WaitingKickback) option {
	return func(c *sim.Config) { c.Waiting = all }
}

package jpaymenttest

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/jpayment-go/jpayment/internal/sim"
	"github.com/jpayment-go/jpayment/internal/wire"
)

// Each option changes its one setting of the simulator.
func TestOptions(t *testing.T) {
	t.Parallel()
	retries := []time.Duration{time.Second}
	for name, tt := range map[string]struct {
		opt    Option
		change func(*sim.Config)
	}{
		"WithStoreID":            {WithStoreID("654321"), func(c *sim.Config) { c.StoreID = "654321" }},
		"WithSeed":               {WithSeed(7), func(c *sim.Config) { c.Seed = 7 }},
		"WithConnectionAuth":     {WithConnectionAuth("x"), func(c *sim.Config) { c.ConnectionCode = "x" }},
		"WithLineEnding":         {WithLineEnding("\r"), func(c *sim.Config) { c.LineEnding = "\r" }},
		"WithColumns":            {WithColumns(14), func(c *sim.Config) { c.Columns = 14 }},
		"WithShiftJISReplies":    {WithShiftJISReplies(), func(c *sim.Config) { c.ReplyCharset = wire.ShiftJIS }},
		"WithShiftJISRequests":   {WithShiftJISRequests(), func(c *sim.Config) { c.RequestCharset = wire.ShiftJIS }},
		"WithPlainOtherData":     {WithPlainOtherData(), func(c *sim.Config) { c.PlainOtherData = true }},
		"WithDeclineCancelling":  {WithDeclineCancelling(), func(c *sim.Config) { c.DeclineCancels = true }},
		"WithLateCaptures":       {WithLateCaptures(), func(c *sim.Config) { c.CapturesAnyTime = true }},
		"WithDeclinesAnswered":   {WithDeclinesAnswered(), func(c *sim.Config) { c.DeclinesAnswered = true }},
		"WithKickbackDelay":      {WithKickbackDelay(1), func(c *sim.Config) { c.KickbackDelay = 1 }},
		"WithKickbackRetries":    {WithKickbackRetries(retries...), func(c *sim.Config) { c.KickbackRetries = []time.Duration{time.Second} }},
		"WithKickbackTimeout":    {WithKickbackTimeout(1), func(c *sim.Config) { c.KickbackTimeout = 1 }},
		"WithKickbackDuplicates": {WithKickbackDuplicates(2), func(c *sim.Config) { c.KickbackDuplicates = 2 }},
		"WithKickbacksReversed":  {WithKickbacksReversed(), func(c *sim.Config) { c.KickbacksReversed = true }},
		"WithShiftJISKickbacks":  {WithShiftJISKickbacks(), func(c *sim.Config) { c.KickbackCharset = wire.ShiftJIS }},
		"WithKickbackACID":       {WithKickbackACID("1"), func(c *sim.Config) { c.KickbackACID = "1" }},
	} {
		retries[0] = time.Hour // is the caller's own
		got, want := config(sim.Defaults()), sim.Defaults()
		tt.opt(&got)
		tt.change(&want)
		require.Equal(t, want, sim.Config(got), name)
		require.NotEqual(t, sim.Defaults(), sim.Config(got), name)
	}
}

func TestOptionsThatCannotBeMeant(t *testing.T) {
	t.Parallel()
	for name, option := range map[string]func() Option{
		"no clock":         func() Option { return WithClock(nil) },
		"no code":          func() Option { return WithConnectionAuth("") },
		"no number":        func() Option { return WithKickbackACID("") },
		"another store":    func() Option { return WithStoreID("12345") },
		"another ending":   func() Option { return WithLineEnding("\n") },
		"too long a delay": func() Option { return WithKickbackDelay(time.Minute) },
	} {
		require.Panics(t, func() { NewServer(t, option()) }, name)
	}
}

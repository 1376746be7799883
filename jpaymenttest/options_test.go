package jpaymenttest

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/jpayment-go/jpayment/internal/sim"
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
		"WithLineEnding":         {WithLineEnding("\r"), func(c *sim.Config) { c.LineEnd = "cr" }},
		"WithColumns":            {WithColumns(14), func(c *sim.Config) { c.Columns = 14 }},
		"WithShiftJISReplies":    {WithShiftJISReplies(), func(c *sim.Config) { c.ReplyCharset = "shift_jis" }},
		"WithShiftJISRequests":   {WithShiftJISRequests(), func(c *sim.Config) { c.RequestCharset = "shift_jis" }},
		"WithPlainOtherData":     {WithPlainOtherData(), func(c *sim.Config) { c.OtherData = "plain" }},
		"WithDeclineCancelling":  {WithDeclineCancelling(), func(c *sim.Config) { c.DeclinedReAuth = "cancels" }},
		"WithLateCaptures":       {WithLateCaptures(), func(c *sim.Config) { c.LateCapture = "done" }},
		"WithDeclinesAnswered":   {WithDeclinesAnswered(), func(c *sim.Config) { c.DeclinedRT0 = "answer" }},
		"WithKickbackDelay":      {WithKickbackDelay(1), func(c *sim.Config) { c.KickbackDelay = 1 }},
		"WithKickbackRetries":    {WithKickbackRetries(retries...), func(c *sim.Config) { c.KickbackRetries = []time.Duration{time.Second} }},
		"WithKickbackTimeout":    {WithKickbackTimeout(1), func(c *sim.Config) { c.KickbackTimeout = 1 }},
		"WithKickbackDuplicates": {WithKickbackDuplicates(2), func(c *sim.Config) { c.KickbackDuplicates = 2 }},
		"WithKickbacksReversed":  {WithKickbacksReversed(), func(c *sim.Config) { c.KickbackOrder = "reversed" }},
		"WithShiftJISKickbacks":  {WithShiftJISKickbacks(), func(c *sim.Config) { c.KickbackCharset = "shift_jis" }},
		"WithSetting":            {WithSetting("second_sales", "done"), func(c *sim.Config) { c.SecondSales = "done" }},
		"WithProfile":            {WithProfile(profile(t, measured)), func(c *sim.Config) { c.SecondSales, c.Columns = "ER053", 14 }},
		"WithKickbackACID":       {WithKickbackACID("1"), func(c *sim.Config) { c.KickbackACID = "1" }},
	} {
		retries[0] = time.Hour // does not affect the option
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
	for want, option := range map[string]func() Option{
		`jpaymenttest: WithSetting: columns "12" is not 13, 14 or 11`:            func() Option { return WithSetting("columns", "12") },
		`jpaymenttest: WithLineEnding: "\n" is not a line ending of the gateway`: func() Option { return WithLineEnding("\n") },
	} {
		require.PanicsWithValue(t, want, func() { option() })
	}
	for want, option := range map[string]func() Option{
		`WithSetting: "second_sale" is not a setting of the simulated gateway; the settings are `: func() Option { return WithSetting("second_sale", "done") },
		`no-such.json: no such file`:                              func() Option { return WithProfile("no-such.json") },
		`assumptions[0].verdict "?" is not confirmed, refuted or`: func() Option { return WithProfile(profile(t, strings.Replace(measured, "refuted", "?", 1))) },
	} {
		require.Contains(t, panicOf(func() { option() }), want)
	}
}

func panicOf(f func()) (text string) {
	defer func() { text = fmt.Sprint(recover()) }()
	f()
	return ""
}

const measured = `{"version":1,"assumptions":[
  {"number":54,"setting":"second_sales","value":"ER053","verdict":"refuted"},
  {"number":32,"setting":"columns","value":"14","verdict":"refuted"}]}`

// profile returns a file with the text.
func profile(t *testing.T, text string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "store.json")
	require.NoError(t, os.WriteFile(file, []byte(text), 0o600))
	return file
}

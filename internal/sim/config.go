package sim

import (
	"fmt"
	"time"

	"github.com/jpayment-go/jpayment/internal/wire"
)

// Config is what a simulator is made of. The options of package jpaymenttest, which set
// its fields, explain the assumptions behind them.
type Config struct {
	StoreID        string           // 店舗ID (aid), six digits
	ConnectionCode string           // of the connection authentication; empty for none
	Clock          func() time.Time // nil for the machine's, whose timers tell when a kickback is due
	Seed           int64            // of the draws for Fault.Probability

	LineEnding      string // of a reply
	Columns         int    // of a row: 11, 13 or 14
	ReplyCharset    wire.Charset
	RequestCharset  wire.Charset
	PlainOtherData  bool
	DeclineCancels  bool
	CapturesAnyTime bool

	DeclinesAnswered   bool
	KickbackDelay      time.Duration
	KickbackRetries    []time.Duration
	KickbackTimeout    time.Duration
	KickbackDuplicates int // beside the kickback itself
	KickbacksReversed  bool
	KickbackCharset    wire.Charset
	KickbackACID       string

	// Journal is handed every change before anyone can learn of it, so that the books
	// outlive the program. It is called with the books locked, before the request is
	// answered, and must not call the simulator. If it fails, nothing is booked and the
	// request is dropped unanswered; Authorize panics. After an attempt to deliver a
	// kickback its error changes nothing, as the kickback is out.
	//
	// Requests, attempts to deliver, faults and the store's settings are not part of it.
	Journal func(Change) error
	// Payments and Waiting are what a journal kept, to begin with: the payments in the
	// order in which they were opened, the kickbacks in that of their requests. Requests
	// are numbered from the greatest number that these name.
	Payments []Payment
	Waiting  []WaitingKickback
	// Memory is how many requests, attempts to deliver a kickback and kickbacks that have
	// ended are remembered, for a program that runs for long; 0 for all. Payments and
	// kickbacks that wait are never forgotten.
	Memory int
	// MemoryBytes is about how much memory the requests that are remembered take, likewise
	// the attempts, and those that were forged; 0 for as much as they do. The newest of each
	// is never forgotten.
	MemoryBytes int
}

// Defaults returns the configuration of a simulator of which nothing special is asked.
func Defaults() Config {
	return Config{
		StoreID:        "123456",
		Seed:           1,
		LineEnding:     "\r\n",
		Columns:        13,
		ReplyCharset:   wire.UTF8,
		RequestCharset: wire.UTF8,

		KickbackRetries: []time.Duration{time.Minute, 5 * time.Minute, 30 * time.Minute},
		KickbackTimeout: 30 * time.Second,
		KickbackCharset: wire.UTF8,
	}
}

// maxKickbackDelay is within which time a kickback follows (field notes, "Replies":
// H / M).
const maxKickbackDelay = 30 * time.Second

// check returns why the configuration cannot be meant.
func (c Config) check() error {
	switch {
	case !IsStoreID(c.StoreID):
		return wrong("StoreID", fmt.Sprintf("%q is not six digits", c.StoreID), fmt.Sprintf("の %q は半角数字6桁ではありません", c.StoreID))
	case c.LineEnding != "" && c.LineEnding != "\r" && c.LineEnding != "\r\n":
		return wrong("LineEnding", fmt.Sprintf("%q is not a line ending of the gateway", c.LineEnding),
			fmt.Sprintf("の %q はゲートウェイの改行ではありません", c.LineEnding))
	case c.Columns != 11 && c.Columns != 13 && c.Columns != 14:
		return wrong("Columns", fmt.Sprintf("%d is not a known number of columns", c.Columns), fmt.Sprintf("の %d 列は知られていません", c.Columns))
	case c.KickbackDelay < 0 || c.KickbackDelay > maxKickbackDelay:
		return wrong("KickbackDelay", fmt.Sprintf("%v is not between 0 and %v", c.KickbackDelay, maxKickbackDelay),
			fmt.Sprintf("の %v は 0 から %v までではありません", c.KickbackDelay, maxKickbackDelay))
	case c.KickbackTimeout <= 0:
		return wrong("KickbackTimeout", fmt.Sprintf("%v is no time to wait", c.KickbackTimeout), fmt.Sprintf("の %v は待ち時間になりません", c.KickbackTimeout))
	case c.KickbackDuplicates < 0:
		return wrong("KickbackDuplicates", fmt.Sprintf("%d is negative", c.KickbackDuplicates), fmt.Sprintf("の %d は負の数です", c.KickbackDuplicates))
	case c.KickbackACID != "" && !isDigits(c.KickbackACID):
		return wrong("KickbackACID", fmt.Sprintf("%q is not a number", c.KickbackACID), fmt.Sprintf("の %q は数字ではありません", c.KickbackACID))
	case c.Memory < 0:
		return wrong("Memory", fmt.Sprintf("%d is negative", c.Memory), fmt.Sprintf("の %d は負の数です", c.Memory))
	case c.MemoryBytes < 0:
		return wrong("MemoryBytes", fmt.Sprintf("%d is negative", c.MemoryBytes), fmt.Sprintf("の %d は負の数です", c.MemoryBytes))
	}
	for _, d := range c.KickbackRetries {
		if d <= 0 {
			return wrong("KickbackRetries", fmt.Sprintf("%v is no time to wait", d), fmt.Sprintf("の %v は待ち時間になりません", d))
		}
	}
	for i, p := range c.Payments {
		if p.ID != paymentID(i) {
			return wrong("Payments", fmt.Sprintf("have payment %q in the place of %s", p.ID, paymentID(i)),
				fmt.Sprintf("の %s の位置に決済 %q があります", paymentID(i), p.ID))
		}
	}
	return nil
}

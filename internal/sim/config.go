package sim

import (
	"context"
	"fmt"
	"net"
	"time"
)

// Config is what a simulator is made of. The options of package jpaymenttest, which set
// its fields, explain the assumptions behind them.
type Config struct {
	StoreID        string           // 店舗ID (aid), six digits
	ConnectionCode string           // of the connection authentication; empty for none
	Clock          func() time.Time // nil for the machine's, whose timers tell when a kickback is due
	Seed           int64            // of the draws for Fault.Probability
	// Dial connects to receivers of kickbacks; nil for net's.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)

	Behaviour // where nobody knows for certain

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
		StoreID:   "123456",
		Seed:      1,
		Behaviour: assumedBehaviour(),
	}
}

// check returns why the configuration cannot be meant.
func (c Config) check() error {
	switch {
	case !IsStoreID(c.StoreID):
		return wrong("StoreID", fmt.Sprintf("%q is not six digits", c.StoreID), fmt.Sprintf("の %q は半角数字6桁ではありません", c.StoreID))
	case c.Memory < 0:
		return wrong("Memory", fmt.Sprintf("%d is negative", c.Memory), fmt.Sprintf("の %d は負の数です", c.Memory))
	case c.MemoryBytes < 0:
		return wrong("MemoryBytes", fmt.Sprintf("%d is negative", c.MemoryBytes), fmt.Sprintf("の %d は負の数です", c.MemoryBytes))
	}
	for i, p := range c.Payments {
		if p.ID != paymentID(i) {
			return wrong("Payments", fmt.Sprintf("have payment %q in the place of %s", p.ID, paymentID(i)),
				fmt.Sprintf("の %s の位置に決済 %q があります", paymentID(i), p.ID))
		}
	}
	return c.Values().Check()
}

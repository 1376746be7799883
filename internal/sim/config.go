package sim

import (
	"context"
	"fmt"
	"net"
	"time"
)

// Config configures a simulator. The options of package jpaymenttest set its fields and
// explain the assumptions behind them.
type Config struct {
	StoreID        string           // 店舗ID (aid), six digits
	ConnectionCode string           // of the connection authentication; empty for none
	Clock          func() time.Time // nil for the machine's clock, whose timers then send kickbacks
	Seed           int64            // of the draws for Fault.Probability
	// Dial connects to receivers of kickbacks; nil for net's.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)

	Behaviour // the assumptions

	// Journal receives every change before anyone can learn of it, so that the books survive
	// the program. It is called with the books locked, before the request is answered, and
	// must not call the simulator. If it fails, nothing is booked and the request gets no
	// answer; Authorize panics. After an attempt to deliver a kickback its error is ignored,
	// since the kickback has been sent.
	//
	// Requests, attempts to deliver, faults and the store's settings are not part of it.
	Journal func(Change) error
	// Payments and Waiting are the initial state, from a journal: the payments in the order
	// in which they were created, and the kickbacks in the order of their requests. New
	// requests are numbered after the greatest number in them.
	Payments []Payment
	Waiting  []WaitingKickback
	// Memory is the number of requests, of attempts to deliver a kickback and of finished
	// kickbacks that are remembered; 0 means all. Payments and waiting kickbacks are never
	// forgotten.
	Memory int
	// MemoryBytes bounds, approximately, the memory of the remembered requests, and likewise
	// that of the attempts and of the forged kickbacks; 0 means no bound. The newest of each
	// is never forgotten.
	MemoryBytes int
}

// Defaults returns the default configuration.
func Defaults() Config {
	return Config{
		StoreID:   "123456",
		Seed:      1,
		Behaviour: assumedBehaviour(),
	}
}

// check returns why the configuration is not valid, or nil.
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

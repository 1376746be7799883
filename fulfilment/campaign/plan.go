//go:build linux

package main

import (
	"math/rand/v2"
	"slices"
	"time"
)

// trouble is a kind of fault.
type trouble string

const (
	kill        trouble = "kill"        // a worker, which is restarted
	suspend     trouble = "suspend"     // a worker
	crash       trouble = "crash"       // the gateway
	maintenance trouble = "maintenance" // of the gateway
	disconnect  trouble = "disconnect"  // connections to Postgres
	restart     trouble = "restart"     // Postgres, without warning
	full        trouble = "full"        // the disk
	lock        trouble = "lock"        // the SQLite file
	jump        trouble = "jump"        // the clock, when a worker is started
)

// event is a fault at a time since the beginning.
type event struct {
	trouble
	at     time.Duration
	lasts  time.Duration // how long it lasts
	worker int
	n      int // connections
	by     time.Duration
}

// rhythm is the average interval of faults, and their maximum duration.
type rhythm map[trouble]struct{ every, longest time.Duration }

var common = rhythm{
	kill:        {6 * time.Second, 0},
	suspend:     {7 * time.Second, 4 * time.Second}, // longer than the timeout of an attempt
	crash:       {14 * time.Second, 1500 * time.Millisecond},
	maintenance: {50 * time.Second, 3 * time.Second},
}

var onPostgres = rhythm{
	disconnect: {2500 * time.Millisecond, 0},
	restart:    {15 * time.Second, 0},
}

var onSQLite = rhythm{
	full: {13 * time.Second, 5 * time.Second},
	lock: {16 * time.Second, 13 * time.Second}, // longer than SQLite waits for a lock
	jump: {9 * time.Second, 0},
}

var jumps = []time.Duration{time.Hour, -time.Hour, 26 * time.Hour, -26 * time.Hour, 20 * time.Second, 0, 0}

// plan returns random events for a seed. Each kind of fault occurs at least once.
func plan(seed uint64, length time.Duration, workers int, rhythms ...rhythm) (all []event) {
	random := rand.New(rand.NewPCG(seed, 1)) //nolint:gosec // It needs no secrecy.
	for _, r := range rhythms {
		for _, t := range []trouble{kill, suspend, crash, maintenance, disconnect, restart, full, lock, jump} {
			beat, ours := r[t]
			if !ours {
				continue
			}
			gap := func(every time.Duration) time.Duration {
				return time.Duration((0.3 + 1.4*random.Float64()) * float64(every))
			}
			for at := gap(min(beat.every, length) / 2); at < length; at += gap(beat.every) {
				e := event{trouble: t, at: at, worker: random.IntN(workers), n: 1 + random.IntN(6), by: jumps[random.IntN(len(jumps))]}
				if beat.longest > 0 {
					e.lasts = beat.longest/10 + time.Duration(random.Int64N(int64(beat.longest-beat.longest/10)))
				}
				all = append(all, e)
			}
		}
	}
	slices.SortStableFunc(all, func(a, b event) int { return int(a.at - b.at) })
	return all
}

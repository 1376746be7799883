package fulfilment

import "sync"

// group batches simultaneous calls into one transaction: while one runs, others gather for the
// next.
type group[In, Out any] struct {
	// run processes a batch. If it fails for several, each is tried alone.
	run func([]In) ([]Out, error)

	mu      sync.Mutex
	waiting []*member[In, Out]
	running bool
}

type member[In, Out any] struct {
	in   In
	out  Out
	err  error
	done chan struct{}
}

// most is the maximum size of a batch.
const most = 64

// do processes in as part of a batch and returns its result.
func (g *group[In, Out]) do(in In) (Out, error) {
	m := &member[In, Out]{in: in, done: make(chan struct{})}
	g.mu.Lock()
	g.waiting = append(g.waiting, m)
	leads := !g.running
	g.running = true
	g.mu.Unlock()
	if leads {
		g.lead(m)
	}
	<-m.done
	return m.out, m.err
}

// lead runs batches until its own member is done, and then hands over to another goroutine.
func (g *group[In, Out]) lead(mine *member[In, Out]) {
	for {
		g.mu.Lock()
		n := min(len(g.waiting), most)
		if n == 0 {
			g.running = false
			g.mu.Unlock()
			return
		}
		all := g.waiting[:n:n]
		g.waiting = g.waiting[n:]
		g.mu.Unlock()
		g.together(all)
		select {
		case <-mine.done:
			go g.lead(&member[In, Out]{done: make(chan struct{})})
			return
		default:
		}
	}
}

func (g *group[In, Out]) together(all []*member[In, Out]) {
	in := make([]In, len(all))
	for i, m := range all {
		in[i] = m.in
	}
	out, err := g.run(in)
	for i, m := range all {
		switch {
		case err == nil:
			m.out = out[i]
		case len(all) == 1:
			m.err = err
		default:
			var one []Out
			if one, m.err = g.run(in[i : i+1]); m.err == nil {
				m.out = one[0]
			}
		}
		close(m.done)
	}
}

//go:build linux

package main

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/jpayment-go/jpayment/fulfilment"
)

// print writes a summary of the campaign.
func (c *campaign) print(w io.Writer) {
	line := func(name, format string, args ...any) {
		fmt.Fprintf(w, "  %-10s %s\n", name, fmt.Sprintf(format, args...))
	}
	n := func(t trouble) string { return times(c.counts[t]) }
	fmt.Fprintf(w, "\n%s: faults for %v, then everything settled within %v\n", map[string]string{"postgres": "Postgres", "sqlite": "SQLite"}[c.database], c.length, c.calm.Round(100*time.Millisecond))
	line("workers", "three; killed %s, suspended %s", times(c.counts[kill]+c.counts[jump]), n(suspend))
	if c.server != nil {
		line("Postgres", "restarted without warning %s, %d connections ended", n(restart), c.ended)
	} else {
		how := "disk full"
		if !c.disk.mounted {
			how = "file size of one worker limited (mounting a disk in memory is not permitted here)"
		}
		line("SQLite", "%s %s, file locked %s, clock set %s", how, n(full), n(lock), n(jump))
	}
	seen := c.gateway.seen
	line("gateway", "killed %s, in maintenance %s; %d requests, %d of them with a fault", n(crash), n(maintenance), seen.requests, seen.struck)
	line("people", "%d commands, of which %d reported that the database was unavailable; the slowest took %v; resumed the store %s", c.looks, c.failed, c.slowest.Round(10*time.Millisecond), times(c.resumed))

	states, reasons, followers := map[fulfilment.State]int{}, map[string]int{}, 0
	for _, j := range c.evidence.jobs {
		states[j.State]++
		if strings.HasSuffix(j.Reference, followUp("")) {
			followers++
		}
	}
	for _, j := range c.first.jobs {
		if j.State == fulfilment.StateReview {
			reasons[fmt.Sprintf("%s: %s", j.Operation, j.Reason.Text().En)]++
		}
	}
	review := 0
	for _, k := range reasons {
		review += k
	}
	line("orders", "%d; %d jobs, %d of them enqueued by order code", len(c.orders), len(c.evidence.jobs), followers)
	line("in review", "%d (%.0f %%), which a person decided by the gateway's books", review, 100*float64(review)/float64(max(len(c.first.jobs), 1)))
	why := make([]string, 0, len(reasons))
	for reason := range reasons {
		why = append(why, reason)
	}
	slices.SortFunc(why, func(a, b string) int { return reasons[b] - reasons[a] })
	for _, reason := range why {
		line("", "%4d %s", reasons[reason], reason)
	}
	if lost := c.evidence.lost(); lost > 0 {
		line("", "%d answers were logged by a worker that was killed before it could record them", lost)
	}
	line("verdicts", "%d done, %d refused%s; order code was called %d times", states[fulfilment.StateDone], states[fulfilment.StateRefused], open(states), len(c.evidence.heard))
	if len(c.findings) == 0 {
		line("findings", "none: all agree with the gateway's books")
		return
	}
	line("findings", "%d", len(c.findings))
	slices.Sort(c.findings)
	const shown = 50
	for i, f := range c.findings {
		if i == shown {
			fmt.Fprintf(w, "    and %d more\n", len(c.findings)-shown)
			break
		}
		fmt.Fprintf(w, "    - %s\n", f)
	}
}

func times(n int) string {
	if n == 1 {
		return "once"
	}
	return fmt.Sprintf("%d times", n)
}

// open returns how many jobs wait for maintenance to end.
func open(states map[fulfilment.State]int) string {
	if n := states[fulfilment.StateWaiting]; n > 0 {
		return fmt.Sprintf(", %d waiting for maintenance to end", n)
	}
	return ""
}

package monthend

import (
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/jpayment-go/jpayment/cmd/jpayment/internal/console"
)

// progress is a line on the screen that tells how far something is. It is written over
// and over, and never wider than the screen, or it would scroll. Where there is no
// terminal it is not shown.
type progress struct {
	console console.Console
	line    string
}

// show shows the parts, the first of which matter most, as far as there is room.
func (p *progress) show(parts ...string) {
	if !p.console.Terminal.Err {
		return
	}
	room := p.console.Columns() - 1 // A terminal may go to the next line after its last column.
	line := ""
	for _, part := range parts {
		longer := line + "  " + part
		if line == "" {
			longer = part
		}
		if part != "" && (line == "" || console.Width(longer) <= room) {
			line = longer
		}
	}
	p.write(console.Cut(line, room))
}

func (p *progress) write(line string) {
	if line == p.line {
		return
	}
	rest := min(console.Width(p.line), p.console.Columns()-1) - console.Width(line)
	fmt.Fprint(p.console.Stderr, "\r"+line+strings.Repeat(" ", max(rest, 0)))
	if p.line = line; line == "" {
		fmt.Fprint(p.console.Stderr, "\r")
	}
}

// clear takes the line away, to make room for another.
func (p *progress) clear() { p.write("") }

// say writes a line that stays.
func (p *progress) say(line string) {
	p.clear()
	fmt.Fprintln(p.console.Stderr, line)
}

// pace measures how fast a count grows, by what it did of late.
type pace struct{ samples []sample }

type sample struct {
	at time.Time
	n  int64
}

const paceOver = 10 * time.Second

func (p *pace) add(at time.Time, n int64) {
	p.samples = append(p.samples, sample{at, n})
	for len(p.samples) > 2 && at.Sub(p.samples[1].at) >= paceOver {
		p.samples = p.samples[1:]
	}
}

// perSecond returns the pace, or 0 before it is known.
func (p *pace) perSecond() float64 {
	if len(p.samples) < 2 {
		return 0
	}
	first, last := p.samples[0], p.samples[len(p.samples)-1]
	if last.at.Sub(first.at) < time.Second {
		return 0
	}
	return float64(last.n-first.n) / last.at.Sub(first.at).Seconds()
}

// paceText says how fast it goes, or nothing where it does not.
func paceText(lang console.Lang, perSecond float64) string {
	switch perMinute := perSecond * 60; {
	case perSecond >= 1:
		return fmt.Sprintf(lang.In("%s/s", "%s件/秒"), console.Grouped(int64(math.Round(perSecond))))
	case perMinute >= 1:
		return fmt.Sprintf(lang.In("%.0f/min", "%.0f件/分"), perMinute)
	default:
		return ""
	}
}

// leftText says how long as many rows take at a pace, or nothing where nobody knows.
func leftText(lang console.Lang, rows int64, perSecond float64) string {
	if perSecond*60 < 1 {
		return ""
	}
	switch seconds := float64(rows) / perSecond; {
	case seconds < 90:
		return fmt.Sprintf(lang.In("%.0fs left", "残り約%.0f秒"), math.Ceil(seconds))
	case seconds < 90*60:
		return fmt.Sprintf(lang.In("%.0fm left", "残り約%.0f分"), math.Ceil(seconds/60))
	default:
		return fmt.Sprintf(lang.In("%.0fh left", "残り約%.0f時間"), math.Ceil(seconds/3600))
	}
}

package monthend

import (
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/jpayment-go/jpayment/cmd/jpayment/internal/console"
)

// progress is a line on the screen that shows progress. It is overwritten in place, and
// never wider than the screen, or it would scroll. Without a terminal it is not shown.
type progress struct {
	console console.Console
	line    string
}

// show shows as many of the parts as fit, the most important first.
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

// clear erases the line.
func (p *progress) clear() { p.write("") }

// say erases the line and writes one that stays.
func (p *progress) say(line string) {
	p.clear()
	fmt.Fprintln(p.console.Stderr, line)
}

// pace measures how fast a count has grown recently.
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

// paceText returns the pace as text, or nothing if there is none.
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

// leftText returns how long the rows take at a pace, or nothing if the pace is unknown.
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

package console

import (
	"io"
	"os"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"
	"golang.org/x/term"
)

// Hidden is shown in place of a private value.
var Hidden = Text{En: "[hidden]", Ja: "［非表示］"}

// Hide returns what to show for a private value: Hidden, unless it is empty.
func (l Lang) Hide(value string) string {
	if value == "" {
		return ""
	}
	return l.Of(Hidden)
}

// Printable escapes everything that a terminal would interpret or not display. Text from
// the gateway or a kickback is untrusted.
func Printable(s string) string {
	unsafe := func(r rune) bool { return !unicode.IsPrint(r) && r != '\u3000' }
	if strings.ContainsFunc(s, unsafe) {
		return strconv.Quote(s)
	}
	return s
}

// WriteTable writes rows as aligned columns without rules, indented by two spaces.
func WriteTable(w io.Writer, rows [][]string) {
	t := table.NewWriter()
	style := table.StyleDefault
	style.Options = table.OptionsNoBordersAndSeparators
	style.Box.PaddingLeft, style.Box.PaddingRight = "  ", ""
	style.Format = table.FormatOptions{Header: text.FormatDefault, Row: text.FormatDefault}
	t.SetStyle(style)
	for _, row := range rows {
		cells := make(table.Row, len(row))
		for i, cell := range row {
			cells[i] = Printable(cell)
		}
		t.AppendRow(cells)
	}
	for line := range strings.SplitSeq(t.Render(), "\n") {
		_, _ = io.WriteString(w, strings.TrimRight(line, " ")+"\n")
	}
}

// Pad pads a text to a width in screen columns.
func Pad(s string, width int) string { return text.Pad(s, width, ' ') }

// Mark begins a line that reports a result.
type Mark string

// The marks.
const (
	Good    Mark = "✓"
	Bad     Mark = "✗"
	Unsure  Mark = "?"
	Skipped Mark = "–"
)

// Paint returns the mark, in colour if colour is set.
func (m Mark) Paint(colour bool) string {
	if !colour {
		return string(m)
	}
	code := map[Mark]string{Good: "32", Bad: "31", Unsure: "33", Skipped: "2"}[m]
	return "\x1b[" + code + "m" + string(m) + "\x1b[0m"
}

// OutMark returns the mark for standard output.
func (c Console) OutMark(m Mark) string { return m.Paint(c.Colour && c.Terminal.Out) }

// ErrMark returns the mark for standard error.
func (c Console) ErrMark(m Mark) string { return m.Paint(c.Colour && c.Terminal.Err) }

// Grouped formats a number with commas between groups of three digits.
func Grouped(n int64) string {
	s := strconv.FormatInt(n, 10)
	for i := len(s) - 3; i > 0 && s[i-1] != '-'; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// The stores and the gateway use Japan time.
var japan = time.FixedZone("JST", 9*60*60)

// Zone returns the time zone that the variable TZ names, or Japan's.
func Zone(env func(string) string) *time.Location {
	if name := env("TZ"); name != "" {
		if zone, err := time.LoadLocation(name); err == nil {
			return zone
		}
	}
	return japan
}

// Time formats a date and time, with its zone.
func (c Console) Time(t time.Time) string {
	return c.in(t).Format("2006-01-02 15:04:05 MST")
}

// Clock formats a time of day, with its zone.
func (c Console) Clock(t time.Time) string { return c.in(t).Format("15:04:05 MST") }

func (c Console) in(t time.Time) time.Time {
	if c.Zone == nil {
		return t.In(japan)
	}
	return t.In(c.Zone)
}

// Columns returns the width of the screen that shows standard error.
func (c Console) Columns() int {
	if c.Width != nil {
		return c.Width()
	}
	if f, ok := c.Stderr.(*os.File); ok {
		if width, _, err := term.GetSize(int(f.Fd())); err == nil && width > 0 {
			return width
		}
	}
	return 80
}

// Width returns the number of screen columns that a text takes.
func Width(s string) int { return text.StringWidthWithoutEscSequences(s) }

// Cut returns the longest beginning of a text that fits into the columns.
func Cut(s string, columns int) string {
	for i, r := range s {
		if columns -= text.RuneWidth(r); columns < 0 {
			return s[:i]
		}
	}
	return s
}

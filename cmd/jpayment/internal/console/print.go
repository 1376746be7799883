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

// Hidden stands for a value that is private.
var Hidden = Text{En: "[hidden]", Ja: "［非表示］"}

// Hide returns what is shown of a private value: that there is one.
func (l Lang) Hide(value string) string {
	if value == "" {
		return ""
	}
	return l.Of(Hidden)
}

// Printable escapes everything that a terminal would obey or not show. The text of a
// gateway or a kickback may be anyone's.
func Printable(s string) string {
	unsafe := func(r rune) bool { return !unicode.IsPrint(r) && r != '\u3000' }
	if strings.ContainsFunc(s, unsafe) {
		return strconv.Quote(s)
	}
	return s
}

// WriteTable writes rows as aligned columns without rules, indented by two.
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

// Pad pads a text to a width in columns of the screen.
func Pad(s string, width int) string { return text.Pad(s, width, ' ') }

// Mark is what stands before a line that tells how something ended.
type Mark string

// The marks.
const (
	Good    Mark = "✓"
	Bad     Mark = "✗"
	Unsure  Mark = "?"
	Skipped Mark = "–"
)

// Paint returns the mark, in colour if it is to be.
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

// Grouped writes a number with commas between its thousands.
func Grouped(n int64) string {
	s := strconv.FormatInt(n, 10)
	for i := len(s) - 3; i > 0 && s[i-1] != '-'; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// Japan's time zone is the stores' and the gateway's.
var japan = time.FixedZone("JST", 9*60*60)

// Zone returns the time zone in the variable TZ, or Japan's.
func Zone(env func(string) string) *time.Location {
	if name := env("TZ"); name != "" {
		if zone, err := time.LoadLocation(name); err == nil {
			return zone
		}
	}
	return japan
}

// Time returns a time for a person, with its zone.
func (c Console) Time(t time.Time) string {
	return c.in(t).Format("2006-01-02 15:04:05 MST")
}

// Clock returns a time of today for a person, with its zone.
func (c Console) Clock(t time.Time) string { return c.in(t).Format("15:04:05 MST") }

func (c Console) in(t time.Time) time.Time {
	if c.Zone == nil {
		return t.In(japan)
	}
	return t.In(c.Zone)
}

// Columns returns how wide the screen behind standard error is.
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

// Width returns how many columns of the screen a text takes.
func Width(s string) int { return text.StringWidthWithoutEscSequences(s) }

// Cut returns as much of a text as fits into so many columns.
func Cut(s string, columns int) string {
	for i, r := range s {
		if columns -= text.RuneWidth(r); columns < 0 {
			return s[:i]
		}
	}
	return s
}

package cli

import (
	"io"
	"strconv"
	"strings"
	"unicode"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"
)

// hidden stands for a value that is private.
const hidden = "[hidden]"

// hide returns what is shown of a private value: that there is one.
func hide(value string) string {
	if value == "" {
		return ""
	}
	return hidden
}

// printable returns the text with everything escaped that a terminal would obey or not
// show: what the gateway or a notice says may be anybody's.
func printable(s string) string {
	unsafe := func(r rune) bool { return !unicode.IsPrint(r) && r != '\u3000' }
	if strings.ContainsFunc(s, unsafe) {
		return strconv.Quote(s)
	}
	return s
}

// writeTable writes rows as aligned columns without lines, each row indented by two.
func writeTable(w io.Writer, rows [][]string) {
	t := table.NewWriter()
	style := table.StyleDefault
	style.Options = table.OptionsNoBordersAndSeparators
	style.Box.PaddingLeft, style.Box.PaddingRight = "  ", ""
	style.Format = table.FormatOptions{Header: text.FormatDefault, Row: text.FormatDefault}
	t.SetStyle(style)
	for _, row := range rows {
		cells := make(table.Row, len(row))
		for i, cell := range row {
			cells[i] = printable(cell)
		}
		t.AppendRow(cells)
	}
	for line := range strings.SplitSeq(t.Render(), "\n") {
		_, _ = io.WriteString(w, strings.TrimRight(line, " ")+"\n")
	}
}

// pad fills a text up to a width in columns of the screen.
func pad(s string, width int) string { return text.Pad(s, width, ' ') }

// mark is what stands before a line that tells how something ended.
type mark string

const (
	good    mark = "✓"
	bad     mark = "✗"
	unsure  mark = "?"
	skipped mark = "–"
)

// paint returns the mark, in colour if there is a terminal to show it and nobody
// wants none (no-color.org).
func (m mark) paint(w world, terminal bool) string {
	if !terminal || w.env("NO_COLOR") != "" || w.env("TERM") == "dumb" {
		return string(m)
	}
	colour := map[mark]string{good: "32", bad: "31", unsure: "33", skipped: "2"}[m]
	return "\x1b[" + colour + "m" + string(m) + "\x1b[0m"
}

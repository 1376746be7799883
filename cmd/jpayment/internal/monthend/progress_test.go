package monthend

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/jpayment-go/jpayment/cmd/jpayment/internal/console"
	"github.com/jpayment-go/jpayment/fulfilment"
)

// screen is a terminal that shows its last line and records whether it scrolled.
type screen struct {
	width, at int
	line      []rune
	scrolled  bool
}

func (s *screen) Write(b []byte) (int, error) {
	for _, r := range string(b) {
		width := console.Width(string(r))
		switch {
		case r == '\r':
			s.at = 0
			continue
		case r == '\n':
			s.at, s.line = 0, nil
			continue
		case s.at+width > s.width:
			s.scrolled = true
			s.at, s.line = 0, nil
		}
		for len(s.line) < s.at+width {
			s.line = append(s.line, ' ')
		}
		s.line[s.at] = r
		for i := range width - 1 {
			s.line[s.at+1+i] = -1 // the right half
		}
		s.at += width
	}
	return len(b), nil
}

func (s *screen) String() string {
	return strings.TrimRight(strings.ReplaceAll(string(s.line), string(rune(-1)), ""), " ")
}

// The progress line fits any screen of 30 columns or more, whatever was shown before.
func TestProgressFits(t *testing.T) {
	t.Parallel()
	for _, lang := range []console.Lang{console.English, console.Japanese} {
		for width := 30; width <= 100; width++ {
			s := &screen{width: width}
			r := &Run{Console: console.Console{Lang: lang, Stderr: s, Terminal: console.Terminals{Err: true}, Width: func() int { return s.width }}}
			for _, rows := range []int64{7, 600, 1_000_000} {
				r.rows = rows
				teller := r.newTeller(tally{open: rows})
				at := time.Now()
				for _, done := range []int64{0, rows / 7, rows / 2, rows} {
					at = at.Add(time.Minute)
					teller.pace.add(at, done)
					now := tally{done: done - done/100, refused: done / 200, review: done/100 - done/200, open: rows - done}
					parts := teller.parts(now)
					teller.line.show(parts...)
					require.False(t, s.scrolled, "%d columns: %q", width, s)
					require.True(t, strings.HasPrefix(s.String(), parts[0]), "%d columns: %q is not whole in %q", width, parts[0], s)
					if width == 100 {
						require.Equal(t, strings.Join(strings.Fields(strings.Join(parts, " ")), " "), strings.Join(strings.Fields(s.String()), " "))
					}
				}
				teller.line.clear()
				require.Empty(t, s.String())
			}
		}
	}
}

// A shorter line leaves nothing of a longer one behind.
func TestProgressIsOverwritten(t *testing.T) {
	t.Parallel()
	s := &screen{width: 40}
	line := progress{console: console.Console{Stderr: s, Terminal: console.Terminals{Err: true}, Width: func() int { return s.width }}}
	line.show("600件中84件が完了", "拒否 12")
	require.Equal(t, "600件中84件が完了  拒否 12", s.String())
	line.show("done")
	require.Equal(t, "done", s.String())
	line.say("a line that stays")
	require.Empty(t, s.String())
	line.console.Terminal.Err = false
	line.show("nobody sees it")
	require.Empty(t, s.String())
}

// The pace is that of this start: rows done before do not count.
func TestPaceIsThisStarts(t *testing.T) {
	t.Parallel()
	r := &Run{rows: 600, Console: console.Console{Lang: console.Japanese}}
	teller := r.newTeller(tally{open: 100}) // 500 were done in an earlier start.
	teller.pace = pace{}
	at := time.Now()
	teller.pace.add(at, 500)
	require.Equal(t, []string{"600件中500件が完了", "", ""}, teller.parts(tally{done: 500, open: 100}))
	for i := range 40 {
		at = at.Add(500 * time.Millisecond)
		teller.pace.add(at, 500+int64(i+1))
	}
	require.Equal(t, []string{"600件中540件が完了", "2件/秒", "残り約30秒"}, teller.parts(tally{done: 540, open: 60}))
	for range 40 { // There is no progress.
		at = at.Add(500 * time.Millisecond)
		teller.pace.add(at, 540)
	}
	require.Equal(t, []string{"600件中539件が完了", "拒否 1", "", ""}, teller.parts(tally{done: 539, refused: 1, open: 60}))
}

// The pace of this start begins where the earlier one ended, and counts every settled row,
// refused or not.
func TestPaceBeginsWithThisStart(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := &screen{width: 80}
		r := &Run{queue: waitingQueue{}, rows: 600, Console: console.Console{Lang: console.Japanese, Stderr: s, Terminal: console.Terminals{Err: true}, Width: func() int { return s.width }}}
		teller := r.newTeller(tally{done: 400, refused: 100, open: 100})
		time.Sleep(10 * time.Second)
		teller.tell(t.Context(), tally{done: 410, refused: 110, open: 80}, fulfilment.Status{})
		require.Equal(t, "600件中410件が完了  拒否 110  2件/秒  残り約40秒", s.String())
	})
}

func TestPaceText(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		perSecond      float64
		en, ja         string
		leftEn, leftJa string // of 600 rows
	}{
		{0, "", "", "", ""},
		{0.01, "", "", "", ""},
		{0.1, "6/min", "6件/分", "2h left", "残り約2時間"},
		{0.6, "36/min", "36件/分", "17m left", "残り約17分"},
		{18, "18/s", "18件/秒", "34s left", "残り約34秒"},
		{1234, "1,234/s", "1,234件/秒", "1s left", "残り約1秒"},
	} {
		require.Equal(t, c.en, paceText(console.English, c.perSecond))
		require.Equal(t, c.ja, paceText(console.Japanese, c.perSecond))
		require.Equal(t, c.leftEn, leftText(console.English, 600, c.perSecond))
		require.Equal(t, c.leftJa, leftText(console.Japanese, 600, c.perSecond))
	}
}

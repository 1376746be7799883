package probe

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/jpayment-go/jpayment/internal/assumed"
	"github.com/jpayment-go/jpayment/internal/sim"
)

var errKilled = errors.New("killed")

// The probe is killed before and after every line of its journal, that is, before and after
// everything it does, and then restarted. No recorded step is sent twice, and no operation is
// done that was not announced.
func TestKilledAnywhere(t *testing.T) {
	t.Parallel()
	lines := 0
	synctest.Test(t, func(t *testing.T) {
		r := openStore(t, nil).probe(time.Minute)
		r.crash = func(written bool) error {
			if written {
				lines++
			}
			return nil
		}
		require.NoError(t, r.Do(t.Context()))
	})
	require.Greater(t, lines, 50)
	for kill := range 2 * lines {
		t.Run(fmt.Sprint(kill), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) { killedAt(t, kill/2, kill%2 == 1) })
		})
	}
}

// killedAt kills a probe before or after a line is written, and then resumes it.
func killedAt(t *testing.T, kill int, written bool) {
	s := openStore(t, nil)
	first, said := s.probe(time.Minute), &bytes.Buffer{}
	first.Console.Stderr = said
	lines := 0
	first.crash = func(now bool) error {
		if now == written {
			lines++
		}
		if lines > kill {
			return errKilled
		}
		return nil
	}
	require.ErrorIs(t, first.Do(t.Context()), errKilled)
	if !written { // A kill can leave half a line.
		f, err := os.OpenFile(first.Out+".journal", os.O_APPEND|os.O_WRONLY, 0)
		require.NoError(t, err)
		_, err = f.WriteString(`{"outcome":"` + strings.Repeat("x", 3000))
		require.NoError(t, err)
		require.NoError(t, f.Close())
	}
	second := s.probe(10 * time.Minute)
	second.Console.Stderr = said
	require.NoError(t, second.Do(t.Context()))
	s.holds(t, said.String())
	sent := len(s.Requests())
	require.NoError(t, s.probe(0).Do(t.Context()))
	require.Len(t, s.Requests(), sent, "a third start has nothing to send")
	for _, f := range profileOf(t, second).Assumptions {
		require.NotEqual(t, assumed.Refuted, f.Verdict, "%d: %v %v", f.Number, f.Reason, f.Evidence)
	}
}

// Half a line that a kill has left is removed for good, however long it is.
func TestTornLine(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "journal")
	write := func(l line) {
		j, err := openJournal(path)
		require.NoError(t, err)
		require.NoError(t, j.write(l))
		require.NoError(t, j.close())
	}
	write(line{Begin: &begin{Version: journalVersion}})
	f, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0)
	require.NoError(t, err)
	_, err = f.WriteString(`{"outcome":"` + strings.Repeat("x", 3000))
	require.NoError(t, err)
	require.NoError(t, f.Close())
	write(line{Intent: "cancel"})
	j, err := openJournal(path)
	require.NoError(t, err)
	require.True(t, j.recorded("cancel"))
	require.NoError(t, j.close())
}

// holds requires that the gateway's books contain nothing that was not announced, and that no
// step was received twice.
func (s *store) holds(t *testing.T, said string) {
	t.Helper()
	came := map[string]int{}
	for _, r := range s.Requests() {
		came[r.Header.Get("User-Agent")]++
	}
	for name, n := range came {
		most := 1
		if strings.Contains(name, "(probe idle)") {
			most = 2
		}
		require.LessOrEqual(t, n, most, name)
	}
	permitted := regexp.MustCompile(`Only these payments may be captured: (.*)\.`).FindStringSubmatch(said)[1]
	for _, p := range s.Payments() {
		captured := slices.ContainsFunc(p.History, func(e sim.Event) bool { return e.State == sim.Captured })
		if captured {
			require.Contains(t, strings.Split(permitted, ", "), p.ID)
		}
		if len(p.History) > 1 {
			require.Contains(t, said, "\n  "+p.ID+"  ")
		}
	}
}

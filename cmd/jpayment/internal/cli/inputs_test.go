package cli

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/jpayment-go/jpayment/cmd/jpayment/internal/console"
	"github.com/jpayment-go/jpayment/jpaymenttest"
)

// Personal data can come from a file or standard input instead of the arguments, which
// everyone on the machine can read.
func TestPrivateValues(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file := func(name, text string) string {
		path := filepath.Join(dir, name)
		require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
		return "@" + path
	}
	email, phone := file("email", "a@example.jp\n"), file("phone", "0312345678\r\n")
	extra := file("extra", "note=a&b = c\n\n@at=2\r\n注文=田中")
	for name, c := range map[string]struct {
		args  []string
		stdin string
		want  map[string]string
	}{
		"files":          {[]string{"--email", email, "--phone", phone, "--extra", extra, "--extra", "x=@y"}, "", map[string]string{"em": "a@example.jp", "pn": "0312345678", "note": "a&b = c", "@at": "2", "注文": "田中", "x": "@y"}},
		"standard input": {[]string{"--email", "-", "--phone", "0312345678"}, "a@example.jp\n", map[string]string{"em": "a@example.jp", "pn": "0312345678"}},
		"other data":     {[]string{"--extra", "-"}, "a=1\nb=2\n", map[string]string{"a": "1", "b": "2"}},
		"two of them":    {[]string{"--extra", "@@key=value"}, "", map[string]string{"@key": "value"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := jpaymenttest.NewServer(t)
			id := g.Authorize(purchase)
			s := at(g)
			s.input = c.stdin
			r := s.run(t, append([]string{"reauth", id, "--yes", "--amount", "900", "--tax", "72", "--shipping", "0"}, c.args...)...)
			require.Equal(t, console.Done, r.status, r.stderr)
			form := g.Requests()[0].Form
			for key, want := range c.want {
				require.Equal(t, want, form.Get(key), key)
			}
		})
	}
}

// An error in such a value does not quote it, and nothing is sent.
func TestWrongPrivateValues(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	long := filepath.Join(dir, "long")
	require.NoError(t, os.WriteFile(long, []byte(canary+strings.Repeat("x", maxInput)), 0o600))
	pairs := filepath.Join(dir, "pairs")
	require.NoError(t, os.WriteFile(pairs, []byte("a=1\n"+canary+"\n"), 0o600))
	for name, c := range map[string]struct {
		args   []string
		en, ja string
	}{
		"no file":       {[]string{"--email", "@" + dir + "/none"}, "--email: ", "--email: "},
		"a directory":   {[]string{"--phone", "@" + dir}, "--phone: ", "--phone: "},
		"too long":      {[]string{"--email", "@" + long}, "--email: " + long + " is longer than 64 KiB", "64 KiBを超えています"},
		"twice":         {[]string{"--email", "-", "--extra", "-"}, "--extra: standard input is already used for another value", "--extra: 標準入力は別の値に使われています"},
		"not key=value": {[]string{"--extra", "@" + pairs}, "--extra number 2 is not key=value", "2番目の --extra"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := jpaymenttest.NewServer(t)
			id := g.Authorize(purchase)
			for lang, want := range map[string]string{"en": c.en, "ja": c.ja} {
				s := at(g)
				s.input = canary
				r := s.run(t, append([]string{"reauth", id, "--lang", lang, "--yes", "--amount", "900", "--tax", "72", "--shipping", "0"}, c.args...)...)
				require.NotEqual(t, console.Done, r.status)
				require.Contains(t, r.stderr, want)
				require.NotContains(t, r.stdout+r.stderr, canary)
			}
			require.Empty(t, g.Requests())
		})
	}
	g := jpaymenttest.NewServer(t)
	s := at(g)
	s.input, s.terminal = "a@example.jp\nyes\n", console.Terminals{In: true, Out: true, Err: true}
	r := s.run(t, "reauth", g.Authorize(purchase), "--amount", "900", "--tax", "72", "--shipping", "0", "--email", "-")
	require.Equal(t, console.Usage, r.status)
	require.Contains(t, r.stderr, "give --yes")
	require.Empty(t, g.Requests())
}

// The input of explain can come from there, too.
func TestExplainAFile(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "reply")
	require.NoError(t, os.WriteFile(path, []byte("ER:ER003\r\n"), 0o600))
	r := session{}.run(t, "explain", "@"+path)
	require.Equal(t, console.Done, r.status, r.stderr)
	require.Contains(t, r.stdout, "ER003")
	r = session{}.run(t, "explain", "@"+path+"x")
	require.Equal(t, console.Usage, r.status)
}

// A note can be personal, too.
func TestPrivateNote(t *testing.T) {
	t.Parallel()
	d := newUnclearDesk(t)
	d.user = "keiri"
	path := filepath.Join(t.TempDir(), "note")
	require.NoError(t, os.WriteFile(path, []byte("田中様に確認\n"), 0o600))
	noted := func(job string) string { return d.run(t, "review", job).stdout }
	require.Equal(t, console.Done, d.run(t, "review", "2", "--not-done", "--yes", "--note", "@"+path).status)
	require.Contains(t, noted("2"), "田中様に確認")
	d.input = "佐藤様に確認\n"
	r := d.run(t, "review", "3", "--not-done", "--note", "-")
	require.Equal(t, console.Usage, r.status)
	require.Contains(t, r.stderr, "give --yes")
	require.Equal(t, console.Done, d.run(t, "review", "3", "--not-done", "--yes", "--note", "-").status)
	require.Contains(t, noted("3"), "佐藤様に確認")
	require.Equal(t, console.Usage, d.run(t, "review", "3", "--again", "--yes", "--note", "@"+path+"x").status)
}

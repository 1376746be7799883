package cli

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/jpayment-go/jpayment/cmd/jpayment/internal/console"
	"github.com/jpayment-go/jpayment/internal/assumed"
	"github.com/jpayment-go/jpayment/jpaymenttest"
)

// probed is a gateway in test mode, without the delays that would slow down a test.
func probed(t *testing.T, opts ...jpaymenttest.Option) *jpaymenttest.Server {
	t.Helper()
	g := jpaymenttest.NewServer(t, append(opts, jpaymenttest.WithSetting("idle_timeout", "100ms"), jpaymenttest.WithSetting("kickback_timeout", "100ms"))...)
	g.SetTestMode(true)
	return g
}

// in replaces the test's own directory, whose name varies.
func (r ran) in(dir string) ran {
	hide := func(s string) string { return strings.ReplaceAll(s, dir+string(filepath.Separator), "") }
	r.stdout, r.stderr = hide(r.stdout), hide(r.stderr)
	for i := range r.args {
		r.args[i] = hide(r.args[i])
	}
	return r
}

func TestProbe(t *testing.T) {
	t.Parallel()
	for _, lang := range []string{"en", "ja"} {
		dir := t.TempDir()
		g := probed(t, jpaymenttest.WithSetting("second_sales", "ER053"))
		s := at(g, "LANG", lang)
		list := filepath.Join(dir, "payments.csv")
		require.NoError(t, os.WriteFile(list, fmt.Appendf(nil, "決済番号,種類,注文番号,金額\n%s,通常,,\n%s,通常,,\"1,580\"\n%s,カンマ,\"A,1\",1580\n",
			g.Authorize(purchase), g.Authorize(purchase), g.Authorize(jpaymenttest.Authorization{Amount: 1580, OrderNumber: "A,1"})), 0o600))
		out := filepath.Join(dir, "probe")
		args := []string{"probe", "--payments", list, "--pause", "0s", "--out", out}
		unconfirmed := s.run(t, slices.Clone(args)...)
		require.Empty(t, g.Requests())
		require.NoFileExists(t, out+".md")
		golden(t, "probe-"+lang, s.run(t, "probe").in(dir), unconfirmed.in(dir), s.run(t, append(slices.Clone(args), "--yes")...).in(dir), s.run(t, append(slices.Clone(args), "--yes")...).in(dir))
		data, err := os.ReadFile(out + ".json")
		require.NoError(t, err)
		p, err := assumed.ParseProfile(data)
		require.NoError(t, err)
		var wrong []int
		for _, a := range p.Wrong() {
			wrong = append(wrong, a.Number)
		}
		require.Equal(t, []int{9, 13, 54}, wrong)

		// The measurements are those of another simulated gateway.
		require.Equal(t, console.Done, s.run(t, "doctor", "--profile", out+".json").status)
	}
}

// Impossible lists of payments are refused before anything is sent.
func TestProbeLists(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for i, c := range []struct{ list, en, ja string }{
		{"", "the file is empty", "ファイルが空です"},
		{"number\n1\n", "has no column payment", "列 決済番号 がありません"},
		{"payment\n1\n", "has no column kind", "列 種類 がありません"},
		{"payment,kind\n1,odd\n", "line 2: kind must be one of plain, comma", "2行目: 種類には 通常、カンマ"},
		{"payment,kind\n1,plain\n１,plain\n", "line 3: payment is not a payment number", "3行目: 決済番号が"},
		{"payment,kind\n0,plain\n", "line 2: payment is not a payment number", "2行目: 決済番号が"},
		{"payment,kind,order\n1,comma,a\n", "line 2: order must contain a comma", "カンマがありません"},
		{"payment,kind,order\n1,japanese,a\n", "line 2: order must contain Japanese", "日本語がありません"},
		{"payment,kind,amount\n1,plain,x\n", "line 2: amount is not an amount in yen", "2行目: 金額が"},
		{"payment,kind\n1,plain\n1,plain\n", "payment 1 appears twice", "決済番号 1 が重複しています"},
		{"payment,kind\n1,plain,x\n", "line 2 is not CSV", "2行目がCSVとして読めない"},
		{"payment,kind\n1,late\n", "no plain payment was given", "「通常」の決済がありません"},
		{"payment,kind\n\xfd\xfd,plain\n", "is neither UTF-8 nor Shift_JIS", "UTF-8でもShift_JISでもありません"},
	} {
		list := filepath.Join(dir, fmt.Sprint(i, ".csv"))
		require.NoError(t, os.WriteFile(list, []byte(c.list), 0o600))
		for lang, want := range map[string]string{"en": c.en, "ja": c.ja} {
			r := session{}.run(t, "probe", "--payments", list, "--store", "123456", "--url", "http://127.0.0.1:1", "--yes", "--lang", lang, "--out", filepath.Join(dir, "out"))
			require.Equal(t, console.Usage, r.status, r.stderr)
			require.Contains(t, r.stderr, want)
		}
	}
}

// The process is killed again and again, also while it receives kickbacks. No recorded
// request is sent twice, and no payment is captured that was not announced.
func TestKilledProbeGoesOn(t *testing.T) {
	t.Parallel()
	const kills = 12
	command := binary(t)
	g := probed(t)
	g.Fail(jpaymenttest.Fault{Kind: jpaymenttest.DelayReply, Delay: 20 * time.Millisecond}) // so that a kill hits requests in progress
	free, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	address := free.Addr().String()
	require.NoError(t, free.Close())
	g.SetKickbackURL("http://" + address + "/")
	dir := t.TempDir()
	list := filepath.Join(dir, "payments.csv")
	text := "payment,kind\n"
	for range 12 {
		text += g.Authorize(purchase) + ",plain\n"
	}
	require.NoError(t, os.WriteFile(list, []byte(text), 0o600))
	journal := filepath.Join(dir, "probe.journal")
	run := func(ctx context.Context) *exec.Cmd {
		cmd := exec.CommandContext(ctx, command, "probe", "--payments", list, "--yes", "--lang", "en", "--store", "123456", "--url", g.URL,
			"--timeout", "3s", "--pause", "0s", "--watch", "0s", "--listen", address, "--out", filepath.Join(dir, "probe"))
		cmd.Env = append(os.Environ(), "HOME="+dir, "XDG_CONFIG_HOME="+dir)
		return cmd
	}
	for kill := range kills {
		cmd := run(t.Context())
		require.NoError(t, cmd.Start())
		ended := make(chan error, 1)
		go func() { ended <- cmd.Wait() }()
		require.Eventually(t, func() bool {
			data, _ := os.ReadFile(journal)
			return strings.Count(string(data), "\n") > 5*(kill+1) || len(ended) > 0
		}, time.Minute, time.Millisecond)
		require.Empty(t, ended, "it ended before it was killed")
		require.NoError(t, cmd.Process.Kill())
		require.ErrorContains(t, <-ended, "killed")
	}
	out, err := run(t.Context()).CombinedOutput()
	require.NoError(t, err, "%s", out)

	t.Logf("%s", out)
	came := map[string]int{}
	for _, r := range g.Requests() {
		came[r.Header.Get("User-Agent")]++
	}
	require.Greater(t, len(came), kills, "how many are under way when a kill comes differs")
	for name, n := range came {
		if !strings.Contains(name, "(probe idle)") {
			require.Equal(t, 1, n, name)
		}
	}
	permitted := regexp.MustCompile(`Only these payments may be captured: (.*)\.`).FindSubmatch(out)
	require.NotNil(t, permitted, "%s", out)
	for _, p := range g.Payments() {
		if slices.ContainsFunc(p.History, func(e jpaymenttest.Event) bool { return e.State == jpaymenttest.Captured }) {
			require.Contains(t, strings.Split(string(permitted[1]), ", "), p.ID)
		}
	}
	sent := len(g.Requests())
	require.NoError(t, run(t.Context()).Run())
	require.Len(t, g.Requests(), sent, "once more sends nothing")
}

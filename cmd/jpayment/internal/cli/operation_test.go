package cli

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/jpayment-go/jpayment"
	"github.com/jpayment-go/jpayment/cmd/jpayment/internal/console"
	"github.com/jpayment-go/jpayment/jpaymenttest"
)

var purchase = jpaymenttest.Authorization{Amount: 1000, Tax: 80, Shipping: 500, OrderNumber: "注文-1"}

// nobody returns the address of a port where nothing listens.
func nobody(t *testing.T) string {
	t.Helper()
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer l.Close()
	return "http://" + l.Addr().String()
}

// Each run shows everything that a person sees: what will be sent, and the outcome, in both
// languages.
func TestOperations(t *testing.T) {
	t.Parallel()
	for _, lang := range []console.Lang{console.English, console.Japanese} {
		for name, c := range map[string]struct {
			args   string
			set    func(*jpaymenttest.Server)
			opts   []jpaymenttest.Option
			vars   []string
			status int
			state  jpaymenttest.State
		}{
			"sales":       {args: "sales 10000001 --yes", status: console.Done, state: jpaymenttest.Captured},
			"sales-extra": {args: "sales 10000001 --yes --extra note=a&b --extra 顧客=田中 --charset shift_jis", opts: []jpaymenttest.Option{jpaymenttest.WithShiftJISRequests()}, status: console.Done, state: jpaymenttest.Captured},
			"sales-test-mode": {
				args: "sales 10000001 --yes", status: console.Done, state: jpaymenttest.Captured,
				set: func(g *jpaymenttest.Server) { g.SetTestMode(true) },
			},
			"sales-production-only": {
				args: "sales 10000001 --yes --production-only", status: console.Unknown, state: jpaymenttest.Captured,
				set: func(g *jpaymenttest.Server) { g.SetTestMode(true) },
			},
			"sales-refused": {
				args: "sales 10000001 --yes", status: console.Failed, state: jpaymenttest.Authorized,
				set: func(g *jpaymenttest.Server) { g.RegisterIPs() },
			},
			"sales-unknown": {
				args: "sales 10000001 --yes", status: console.Unknown, state: jpaymenttest.Captured,
				set: func(g *jpaymenttest.Server) { g.Fail(jpaymenttest.Fault{Kind: jpaymenttest.DropAfterBooking}) },
			},
			"sales-garbage": {
				args: "sales 10000001 --yes", status: console.Unknown, state: jpaymenttest.Captured,
				set: func(g *jpaymenttest.Server) {
					g.Fail(jpaymenttest.Fault{Kind: jpaymenttest.Garbage, Body: []byte("<html>")})
				},
			},
			"sales-retry-unknown": {
				args: "sales 10000001 --yes --retry-unknown", status: console.Unknown, state: jpaymenttest.Captured,
				set: func(g *jpaymenttest.Server) { g.Fail(jpaymenttest.Fault{Kind: jpaymenttest.DropAfterBooking, Nth: 1}) },
			},
			"sales-not-sent": {
				args: "sales 10000001 --yes", vars: []string{"JPAYMENT_URL", "nobody"}, status: console.Failed, state: jpaymenttest.Authorized,
			},
			"sales-connection-auth": {
				args: "sales 10000001 --yes", opts: []jpaymenttest.Option{jpaymenttest.WithConnectionAuth("connection code")},
				vars: []string{"JPAYMENT_CONNECTION_AUTH", "connection code"}, status: console.Done, state: jpaymenttest.Captured,
			},
			"sales-invalid":   {args: "sales 1000000x --yes --store 12345 --url http://example.com", status: console.Usage, state: jpaymenttest.Authorized},
			"sales-invalid-2": {args: "sales １ --yes --extra tid=1", status: console.Usage, state: jpaymenttest.Authorized},
			"cancel":          {args: "cancel 10000001 --yes", status: console.Done, state: jpaymenttest.Cancelled},
			"reauth": {
				args: "reauth 10000001 --yes --amount 900 --tax 72 --shipping 500 --email a@example.jp --phone 0312345678", status: console.Done, state: jpaymenttest.Cancelled,
			},
			"reauth-declined": {
				args: "reauth 10000001 --yes --amount 900 --tax 72 --shipping 500", status: console.Unknown, state: jpaymenttest.Authorized,
				set: func(g *jpaymenttest.Server) {
					g.Fail(jpaymenttest.Fault{Kind: jpaymenttest.AnswerCode, Code: "G1242G120000"})
				},
			},
			"reauth-invalid":    {args: "reauth 10000001 --yes --amount -1 --tax 0 --shipping 0 --email x --phone 03-1", status: console.Usage, state: jpaymenttest.Authorized},
			"reauth-no-amount":  {args: "reauth 10000001 --yes --amount 0 --tax 0 --shipping 0", status: console.Usage, state: jpaymenttest.Authorized},
			"sales-no-terminal": {args: "sales 10000001", status: console.Usage, state: jpaymenttest.Authorized},
		} {
			t.Run(name+"-"+string(lang), func(t *testing.T) {
				t.Parallel()
				g := jpaymenttest.NewServer(t, c.opts...)
				id := g.Authorize(purchase)
				require.Equal(t, "10000001", id)
				if c.set != nil {
					c.set(g)
				}
				s := at(g, c.vars...)
				if s.vars["JPAYMENT_URL"] == "nobody" {
					s.vars["JPAYMENT_URL"] = nobody(t)
				}
				r := s.run(t, append(strings.Fields(c.args), "--lang", string(lang))...)
				require.Equal(t, c.status, r.status, r.stderr)
				p, _ := g.Payment(id)
				require.Equal(t, c.state, p.State)
				golden(t, name+"-"+string(lang), r)

				if c.status != console.Done {
					require.Empty(t, r.stdout)
				}
			})
		}
	}
}

// With --json, standard output has one object and nothing else, however the command ends.
func TestJSON(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		args     string
		fault    jpaymenttest.FaultKind
		code     string
		status   int
		outcome  string
		attempts int
	}{
		"done":         {args: "sales 10000001 --yes", status: console.Done, outcome: "done", attempts: 1},
		"refused":      {args: "cancel 999 --yes", status: console.Failed, outcome: "refused", code: "ER053", attempts: 1},
		"unknown":      {args: "sales 10000001 --yes", fault: jpaymenttest.HangAfterBooking, status: console.Unknown, outcome: "unknown", attempts: 1},
		"replayed":     {args: "cancel 10000001 --yes --retry-unknown", fault: jpaymenttest.DropBeforeBooking, status: console.Done, outcome: "done", attempts: 2},
		"reauth":       {args: "reauth 10000001 --yes --amount 1 --tax 0 --shipping 0", status: console.Done, outcome: "done", attempts: 1},
		"invalid":      {args: "sales x --yes", status: console.Usage, outcome: "not sent"},
		"no terminal":  {args: "sales 10000001", status: console.Usage, outcome: "not sent"},
		"wrong config": {args: "sales 10000001 --yes --config /nowhere", status: console.Usage, outcome: "not sent"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := jpaymenttest.NewServer(t)
			g.Authorize(purchase)
			if c.fault != "" {
				g.Fail(jpaymenttest.Fault{Kind: c.fault, Nth: 1})
			}
			r := at(g, "JPAYMENT_TIMEOUT", "1s").run(t, append(strings.Fields(c.args), "--json")...)
			require.Equal(t, c.status, r.status, r.stderr)
			require.Equal(t, 1, strings.Count(r.stdout, "\n"))
			var got map[string]any
			require.NoError(t, json.Unmarshal([]byte(r.stdout), &got))
			for _, key := range []string{"operation", "payment_id", "outcome", "code", "message", "message_ja", "next", "next_ja", "attempts", "result"} {
				require.Contains(t, got, key)
			}
			require.Equal(t, c.outcome, got["outcome"])
			require.Equal(t, c.code, got["code"])
			require.InDelta(t, c.attempts, got["attempts"], 0)
			require.NotEmpty(t, got["message"])
			require.NotEmpty(t, got["message_ja"])
			if c.status != console.Done {
				require.NotEmpty(t, got["next"])
				require.NotEmpty(t, got["next_ja"])
				require.NotEqual(t, got["next"], got["next_ja"])
			}
			if name == "reauth" {
				require.Equal(t, map[string]any{
					"payment_id": "10000002", "status": "succeeded", "code": "", "order_code": got["result"].(map[string]any)["order_code"],
					"order_number": "注文-1", "amount": 1.0, "tax": 0.0, "shipping": 0.0, "total": 1.0, "subscription_id": "", "test_mode": false, "unreadable": []any{},
				}, got["result"])
				require.Contains(t, got["next"], "10000002")
			}
		})
	}
}

// The person at the terminal has to type yes in full.
func TestConfirmation(t *testing.T) {
	t.Parallel()
	person := console.Terminals{In: true, Err: true}
	for name, c := range map[string]struct {
		input    string
		terminal console.Terminals
		status   int
	}{
		"yes":                   {"yes\n", person, console.Done},
		"yes with white space":  {" yes \r\n", person, console.Done},
		"no":                    {"no\n", person, console.Failed},
		"y":                     {"y\n", person, console.Failed},
		"Yes":                   {"Yes\n", person, console.Failed},
		"a line break":          {"\n", person, console.Failed},
		"nothing":               {"", person, console.Failed},
		"yes and no line break": {"yes", person, console.Failed},
		"piped":                 {"yes\n", console.Terminals{Out: true, Err: true}, console.Usage},
		"cannot see":            {"yes\n", console.Terminals{In: true, Out: true}, console.Usage},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, lang := range []console.Lang{console.English, console.Japanese} {
				g := jpaymenttest.NewServer(t)
				id := g.Authorize(purchase)
				s := at(g, "LANG", string(lang), "NO_COLOR", "1")
				s.input, s.terminal = c.input, c.terminal
				r := s.run(t, "sales", id)
				require.Equal(t, c.status, r.status, r.stderr)
				require.Equal(t, c.status != console.Usage, strings.Contains(r.stderr, lang.In("Type yes", "yes と入力")))
				sent := 0
				if c.status == console.Done {
					sent = 1
				}
				require.Len(t, g.Requests(), sent)

				r = s.run(t, "cancel", id, "--json")
				require.True(t, json.Valid([]byte(r.stdout)), r.stdout)
			}
		})
	}
}

// An interrupt during the confirmation sends nothing.
func TestConfirmationInterrupted(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	silence, end := io.Pipe()
	defer end.Close()
	w := world{env: func(string) string { return "" }, stdin: silence, stderr: io.Discard, terminal: console.Terminals{In: true, Err: true}}
	require.ErrorIs(t, w.console().Confirm(ctx), console.ErrNotConfirmed)
}

// The preview is exactly what arrives, parameter by parameter.
func TestShownIsSent(t *testing.T) {
	t.Parallel()
	g := jpaymenttest.NewServer(t)
	id := g.Authorize(purchase)
	s := at(g)
	r := s.run(t, "reauth", id, "--yes", "--amount", "900", "--tax", "72", "--shipping", "500", "--email", "a@example.jp", "--extra", "note=x")
	require.Equal(t, console.Done, r.status)
	requests := g.Requests()
	require.Len(t, requests, 1)
	require.Contains(t, r.stderr, "POST "+g.URL+requests[0].Path+"\n")
	for key, values := range requests[0].Form {
		value := values[0]
		if key == "em" || key == "note" {
			value = console.Hidden.En
		}
		require.Regexp(t, `(?m)^  `+key+` .* `+regexp.QuoteMeta(value)+`$`, r.stderr)
	}
	require.Equal(t, len(requests[0].Form), strings.Count(r.stderr[:strings.Index(r.stderr, "This ")], "\n")-1)
}

// canary stands for any private value.
const canary = "canary"

// No command shows anything private, in either language, to a person or a machine.
func TestNothingPrivateIsShown(t *testing.T) {
	t.Parallel()
	const row = "10000002,1,canary7,,20000002,o-1,900,72,500,1472,canary,canary,note=canary"
	for name, reply := range map[string]string{
		"success":          row,
		"other payment":    strings.Replace(row, "10000002", "10000003", 1),
		"other amounts":    "10000002,1,canary7,,20000002,o-1,901,72,500,1473,canary,canary,note=canary",
		"refusal":          "0,2,canary7,G1242G120000,,,0,0,0,0,canary,canary,note=canary",
		"bad column":       strings.Replace(row, "500", "canary", 1),
		"shifted":          "10000002,1,,20000002,o-1,900,72,500,1472,canary,canary,note=canary",
		"page":             "<html>canary</html>",
		"no code":          "ER:canary?",
		"nothing like one": "canary canary",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, reply) }))
			t.Cleanup(server.Close)
			config := writeConfig(t, `connection_auth = "canary"`, 0o600)
			s := session{vars: map[string]string{"JPAYMENT_STORE": "123456", "JPAYMENT_URL": server.URL, "JPAYMENT_CONFIG": config}}
			for _, args := range [][]string{
				{"sales", "10000002", "--yes", "--extra", "note=canary"},
				{"cancel", "10000002", "--yes", "--retry-unknown", "--extra", "note=canary"},
				{"reauth", "10000002", "--yes", "--amount", "900", "--tax", "72", "--shipping", "500", "--email", "canary@example.jp", "--phone", "09012345678", "--extra", "note=canary"},
				{"reauth", "canary", "--yes", "--amount", "900", "--tax", "72", "--shipping", "500", "--email", "canary", "--phone", "canary", "--extra", "note=canary\xff"},
				{"sales", "canary", "--yes", "--store", "canary", "--url", "canary", "--extra", "canary"},
				{"sales", "1", "--yes", "--timeout", "canary"},
				{"sales", "1", "--yes", "--charset", "canary"},
				{"explain", reply},
				{"explain", strings.ReplaceAll("?gid=1&rst=1&ap=canary7&ec=&god=2&cod=o&am=1&tx=0&sf=0&ta=1&id=canary&ps=canary&jpk=canary&note=canary", "&cod", "&x="+reply+"&cod")},
				{"explain", "?gid=canary&rst=canary&note=canary"},
				{"doctor"},
			} {
				for _, more := range [][]string{{}, {"--json"}, {"--lang", "ja"}} {
					if args[0] == "doctor" && len(more) == 1 {
						continue
					}
					r := s.run(t, append(args, more...)...)
					all := strings.ToLower(r.stdout + r.stderr)
					require.NotContains(t, all, canary, "%q", r.args)
					require.NotContains(t, all, "09012345678", "%q", r.args)
				}
			}
		})
	}
	r := session{}.run(t, "explain", "--show-private", row)
	require.Equal(t, 4, strings.Count(r.stdout, canary), "they are shown to who asks")
}

// If the result cannot be written, the caller does not know it; exit status 1 would say
// that nothing was done.
func TestResultNotWritten(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		id     string
		status int
	}{{"10000001", console.Unknown}, {"999", console.Failed}} {
		g := jpaymenttest.NewServer(t)
		g.Authorize(purchase)
		s := at(g)
		var stderr strings.Builder
		w := world{env: func(k string) string { return s.vars[k] }, stdin: strings.NewReader(""), stdout: full{}, stderr: &stderr}
		require.Equal(t, c.status, run(t.Context(), []string{"sales", c.id, "--yes", "--json"}, w))
		require.Contains(t, stderr.String(), "no space")
	}
	var stderr strings.Builder
	w := world{env: func(string) string { return "" }, stdout: full{}, stderr: &stderr}
	require.Equal(t, console.Failed, run(t.Context(), []string{"explain", "ER003", "--json", "--lang", "ja"}, w))
	require.Contains(t, stderr.String(), "JSON を出力できません。")
}

type full struct{}

func (full) Write([]byte) (int, error) { return 0, errors.New("no space") }

// An interrupt while the gateway works makes the outcome unknown, at once.
func TestInterrupted(t *testing.T) {
	t.Parallel()
	g := jpaymenttest.NewServer(t)
	id := g.Authorize(purchase)
	ctx, cancel := context.WithCancel(t.Context())
	g.Fail(jpaymenttest.Fault{Kind: jpaymenttest.HangAfterBooking, Notify: cancel})
	s := at(g)
	start := time.Now()
	w := world{env: func(k string) string { return s.vars[k] }, stdout: io.Discard, stderr: io.Discard}
	require.Equal(t, console.Unknown, run(ctx, []string{"sales", id, "--yes"}, w))
	require.Less(t, time.Since(start), 30*time.Second)
}

// An error from elsewhere counts as unknown. Its text may be private, so it is not shown.
func TestForeignError(t *testing.T) {
	t.Parallel()
	var stderr strings.Builder
	r := report{Console: console.Console{Stderr: &stderr}, op: &operation{op: jpayment.OpSales, command: "sales"}, paymentID: "1", flags: " --store 123456"}
	require.Equal(t, console.ExitStatus(console.Unknown), r.write(nil, errors.New(canary)))
	require.NotContains(t, stderr.String(), canary)
	require.Contains(t, stderr.String(), "jpayment sales 1 --store 123456")
}

func TestSourceAddress(t *testing.T) {
	t.Parallel()
	g := jpaymenttest.NewServer(t)
	g.RegisterIPs(netip.MustParsePrefix("192.0.2.0/24"))
	id := g.Authorize(purchase)
	r := at(g, "LANG", "ja_JP.UTF-8").run(t, "cancel", id, "--yes")
	require.Equal(t, console.Failed, r.status)
	require.Contains(t, r.stderr, jpayment.CodeSourceIP.Message().Ja)
	require.Contains(t, r.stderr, jpayment.CodeSourceIP.Next(jpayment.OpCancel).Ja)
}

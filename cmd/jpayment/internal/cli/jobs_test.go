package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/jpayment-go/jpayment"
	"github.com/jpayment-go/jpayment/cmd/jpayment/internal/console"
	"github.com/jpayment-go/jpayment/fulfilment"
	"github.com/jpayment-go/jpayment/internal/token"
	"github.com/jpayment-go/jpayment/jpaymenttest"
)

// unclear is a file with two rows that end in review: a re-authorisation whose reply is
// lost, and one that is declined.
const unclear = `operation,payment,amount,tax,shipping,reference
sales,10000001,,,,order-1
reauth,10000002,900,72,500,order-2
reauth,10000003,1000,80,500,注文-3
cancel,10000999,,,,order-4
`

func newUnclearDesk(t *testing.T, flags ...string) desk {
	t.Helper()
	d := newDesk(t, 2)
	d.Authorize(jpaymenttest.Authorization{Amount: 1000, Decline: "G1242G120000"})
	d.Fail(jpaymenttest.Fault{Kind: jpaymenttest.DropAfterBooking, PaymentID: "10000002"})
	r := d.run(t, append([]string{"run", d.write(t, "unclear.csv", unclear), "--yes"}, flags...)...)
	require.Equal(t, console.Unknown, r.status, r.stderr)
	return d
}

// A person sees jobs and decides about them, in both languages.
func TestStatusAndReview(t *testing.T) {
	t.Parallel()
	for _, lang := range []console.Lang{console.English, console.Japanese} {
		t.Run(string(lang), func(t *testing.T) {
			t.Parallel()
			d := newUnclearDesk(t)
			d.user = "keiri"
			var runs []ran
			for _, c := range []struct {
				args   string
				status int
			}{
				{"status", console.Done},
				{"status --batch none", console.Done},
				{"review", console.Done},
				{"review 2", console.Done},
				{"review 4", console.Done},
				{"review 2 --done --yes", console.Usage},
				{"review 2 --done --new-payment 10000002 --yes", console.Usage},
				{"review 2 --done --new-payment 10000004 --by 佐藤 --note seen --yes", console.Done},
				{"review 2", console.Done},
				{"review 2 --not-done --yes", console.Usage},
				{"review 3 --not-done", console.Usage},
				{"review 3 --not-done --yes", console.Done},
				{"review 1 --again --yes", console.Usage},
				{"review", console.Done},
				{"review 99", console.Usage},
				{"review x", console.Usage},
				{"review --done", console.Usage},
				{"review 3 --done --again", console.Usage},
			} {
				r := d.run(t, append(strings.Fields(c.args), "--lang", string(lang))...)
				require.Equal(t, c.status, r.status, "%s\n%s", c.args, r.stderr)
				runs = append(runs, d.masked(r))
			}
			golden(t, "review-"+string(lang), runs...)
			require.Len(t, d.Requests(), 4, "nothing was sent by any of it")

			r := d.run(t, "run", filepath.Join(d.dir, "unclear.csv"), "--yes")
			require.Equal(t, console.Failed, r.status, "two are refused and none is unclear any more")
		})
	}
}

// A job is sent again when a person decides so, after confirmation.
func TestReviewAgain(t *testing.T) {
	t.Parallel()
	databases(t, func(t *testing.T, flags []string) {
		d := newUnclearDesk(t, flags...)
		d.user = "keiri"
		review := func(answer string, args ...string) ran {
			s := d.session
			s.terminal, s.input, s.vars["NO_COLOR"] = console.Terminals{In: true, Err: true}, answer, "1"
			return s.run(t, append(append([]string{"review"}, args...), flags...)...)
		}
		r := review("no\n", "3", "--again")
		require.Equal(t, console.Failed, r.status)
		require.Contains(t, r.stderr, "it may be carried out twice")
		require.Contains(t, r.stderr, "nothing was recorded")
		require.Contains(t, review("", "3", "--json").stdout, `"state":"review"`)
		require.Equal(t, console.Done, review("yes\n", "3", "--again").status)
		require.Contains(t, review("", "3", "--json").stdout, `"state":"waiting"`)

		sent := len(d.Requests())
		d.run(t, append([]string{"run", filepath.Join(d.dir, "unclear.csv"), "--yes"}, flags...)...)
		require.Len(t, d.Requests(), sent+1)
	})
}

// A job whose data is erased cannot be sent again. The error says so, and what to do
// instead.
func TestReviewOfAForgottenJob(t *testing.T) {
	t.Parallel()
	d := newUnclearDesk(t)
	db, err := fulfilment.OpenSQLite(d.vars["JPAYMENT_DATABASE"])
	require.NoError(t, err)
	q, err := fulfilment.NewSQLite(db, fulfilment.Config{StoreID: "123456"})
	require.NoError(t, err)
	require.Equal(t, console.Done, d.run(t, "review", "3", "--not-done", "--yes", "--by", "x").status)
	_, err = q.Forget(t.Context(), time.Now().Add(time.Hour))
	require.NoError(t, err)
	require.NoError(t, db.Close())
	for _, lang := range []console.Lang{console.English, console.Japanese} {
		r := d.run(t, "review", "3", "--again", "--yes", "--by", "x", "--lang", string(lang))
		require.Equal(t, console.Failed, r.status)
		last := r.stderr[strings.Index(r.stderr, "jpayment: "):]
		require.Contains(t, last, lang.In("; next: ", "。次の手順: "))
		require.Equal(t, lang == console.Japanese, len(englishIn(last)) == 0, last)
	}
}

// The JSON output has one object per job, and one per status.
func TestStatusAndReviewJSON(t *testing.T) {
	t.Parallel()
	d := newUnclearDesk(t)
	var st map[string]any
	require.NoError(t, json.Unmarshal([]byte(d.run(t, "status", "--json").stdout), &st))
	require.Equal(t, map[string]any{
		"store_id": "123456", "batch": "", "waiting": 0.0, "running": 0.0, "awaiting_kickback": 0.0,
		"done": 1.0, "refused": 1.0, "review": 2.0, "disputed": 0.0, "next_due": nil, "not_sent_since": nil, "paused": nil,
	}, st)
	lines := strings.Split(strings.TrimSpace(d.run(t, "review", "--json").stdout), "\n")
	require.Len(t, lines, 2)
	for i, line := range lines {
		var job map[string]any
		require.NoError(t, json.Unmarshal([]byte(line), &job))
		require.InDelta(t, i+2, job["job"], 0)
		require.Equal(t, "ReAuth", job["operation"])
		require.NotEmpty(t, job["why"])
		require.NotEmpty(t, job["next_ja"])
	}
	var job struct{ Tried []attemptRecord }
	require.NoError(t, json.Unmarshal([]byte(d.run(t, "review", "3", "--json").stdout), &job))
	require.Len(t, job.Tried, 1)
	require.Equal(t, jpayment.Code("G1242G120000"), job.Tried[0].Code)
	r := d.run(t, "review", "3", "--not-done", "--yes", "--by", "x", "--json")
	require.Contains(t, r.stdout, `"decided_by":"x"`)
}

// Jobs that have been due for long without being sent are reported: a worker that cannot
// write to its database cannot record that.
func TestStatusOfJobsThatAreNotSent(t *testing.T) {
	t.Parallel()
	due := time.Unix(1_800_000_000, 0)
	late := fulfilment.Status{Waiting: 1, NextDue: due}
	running, paused := late, late
	running.Running, paused.Paused = 1, &fulfilment.Pause{At: due}
	for _, c := range []struct {
		st   fulfilment.Status
		now  time.Time
		told bool
	}{
		{late, due.Add(2 * time.Minute), true},
		{late, due.Add(30 * time.Second), false}, // It is about to be sent.
		{late, due.Add(-time.Hour), false},
		{running, due.Add(2 * time.Minute), false}, // A worker is busy.
		{paused, due.Add(2 * time.Minute), false},  // The pause is the reason.
		{fulfilment.Status{Done: 1}, due, false},
	} {
		for lang, want := range map[console.Lang]string{
			console.English:  "? due since 2027-01-15 17:00:00 JST, but nothing is being sent: ",
			console.Japanese: "? 予定時刻（2027-01-15 17:00:00 JST）を過ぎても送信されていません",
		} {
			var out strings.Builder
			showStatus(console.Console{Lang: lang, Stdout: &out}, c.st, " --store 123456", c.now)
			require.Equal(t, c.told, strings.Contains(out.String(), want), out.String())
		}
		since := newStatusRecord("123456", "", c.st, c.now).NotSentSince
		require.Equal(t, c.told, since != nil)
		if c.told {
			require.Equal(t, due.UTC(), *since)
		}
	}
}

// A mistyped path is not a store without jobs, and leaves no file behind.
func TestDatabaseIsNotMadeByLooking(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "none.db")
	for _, command := range []string{"status", "review"} {
		r := session{vars: map[string]string{"JPAYMENT_STORE": "123456"}}.run(t, command, "--database", path)
		require.Equal(t, console.Usage, r.status)
		require.Contains(t, r.stderr, "does not exist")
		require.NoFileExists(t, path)
	}
}

// A store without jobs does not look like one whose jobs are all done.
func TestStatusOfAnUnknownStore(t *testing.T) {
	t.Parallel()
	d := newUnclearDesk(t)
	for lang, want := range map[string]string{
		"en": "– database jobs.db has no jobs of store 654321: check --store and --database\n",
		"ja": "– データベース jobs.db に店舗 654321 のジョブはありません。--store と --database を確認してください\n",
	} {
		for _, command := range []string{"status", "review"} {
			r := d.masked(d.run(t, command, "--store", "654321", "--lang", lang))
			require.Equal(t, console.Done, r.status)
			require.Equal(t, want, r.stdout)
		}
	}
	require.Contains(t, d.run(t, "status", "--store", "654321", "--json").stdout, `"done":0`)
}

// The next command to type has the store and the database of this one.
func TestNextIsComplete(t *testing.T) {
	t.Parallel()
	d := newUnclearDesk(t)
	g, file := d.vars["JPAYMENT_URL"], filepath.Join(d.dir, "the jobs' own.db")
	require.NoError(t, os.Rename(d.vars["JPAYMENT_DATABASE"], file))
	d.vars = map[string]string{}
	flags := []string{"--store", "123456", "--database", file}
	typed := " --store 123456 --database '" + strings.ReplaceAll(file, "'", `'\''`) + "'"
	require.Contains(t, d.run(t, append([]string{"status"}, flags...)...).stdout, "next: jpayment review"+typed+" lists")
	require.Contains(t, d.run(t, append([]string{"review"}, flags...)...).stderr, "jpayment review JOB"+typed+", with")
	require.Contains(t, d.run(t, append([]string{"review", "3", "--again", "--yes", "--by", "x"}, flags...)...).stdout, "jpayment work"+typed)

	d.RegisterIPs()
	d.run(t, append([]string{"run", d.write(t, "b.csv", "operation,payment,reference\nsales,10000009,b\n"), "--yes", "--url", g, "--production-only", "--rate", "20"}, flags...)...)
	require.Contains(t, d.read(t, "b.report.csv"), "jpayment work --store 123456 --url "+g+strings.TrimPrefix(typed, " --store 123456")+" --production-only --rate 20\"",
		"what is sent, and how, is as it was")
	require.Contains(t, d.run(t, append([]string{"status"}, flags...)...).stdout, "jpayment work --resume"+typed)

	ctx, stop := context.WithCancel(t.Context())
	var said transcript
	w := world{env: func(string) string { return "" }, stdin: strings.NewReader(""), stdout: io.Discard, stderr: &said}
	ended := make(chan int, 1)
	go func() { ended <- run(ctx, append([]string{"work", "--json"}, flags...), w) }()
	resume := "then jpayment work --resume" + strings.ReplaceAll(typed, `\`, `\\`) // as JSON has it
	require.Eventually(t, func() bool { return strings.Contains(said.String(), resume) }, time.Minute, 10*time.Millisecond, "%v", &said)
	stop()
	require.Equal(t, console.Done, <-ended)

	d.RegisterIPs(anywhere)
	id := d.Authorize(purchase)
	d.Fail(jpaymenttest.Fault{Kind: jpaymenttest.DropAfterBooking, PaymentID: id})
	require.Contains(t, d.run(t, "sales", id, "--yes", "--store", "123456", "--url", g, "--production-only").stderr,
		"jpayment sales "+id+" --store 123456 --url "+g+" --production-only\n")
}

// Times have a zone, which is Japan's unless the user sets another.
func TestTimesHaveTheirZone(t *testing.T) {
	t.Parallel()
	d := newUnclearDesk(t)
	require.Regexp(t, `\d\d:\d\d:\d\d JST\n`, d.run(t, "review").stdout)
	d.vars["TZ"] = "UTC"
	require.Regexp(t, `\d\d:\d\d:\d\d UTC\n`, d.run(t, "review").stdout)
	d.vars["TZ"] = "Nowhere/Atall"
	require.Regexp(t, `\d\d:\d\d:\d\d JST\n`, d.run(t, "review").stdout)
}

// The default database is the user's own, and only for the real gateway.
func TestDefaultDatabase(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	s := session{world: world{dataDir: data}, vars: map[string]string{"JPAYMENT_STORE": "123456"}}
	file := filepath.Join(t.TempDir(), "a.csv")
	require.NoError(t, os.WriteFile(file, []byte("operation,payment,reference\nsales,1,a\n"), 0o600))
	r := s.run(t, "run", file, "--dry-run")
	require.Equal(t, console.Done, r.status, r.stderr)
	path := filepath.Join(data, "jpayment", "jpayment.db")
	require.Contains(t, r.stderr, path)
	info, err := os.Stat(path)
	require.NoError(t, err)
	require.Zero(t, info.Mode().Perm()&0o077, "it holds e-mail addresses")

	r = s.run(t, "run", file, "--dry-run", "--url", "http://127.0.0.1:1")
	require.Equal(t, console.Usage, r.status)
	require.Contains(t, r.stderr, "a database of its own")
	s.dataDir = ""
	require.Contains(t, s.run(t, "run", file, "--dry-run").stderr, "give --database")

	home := func(name string) string { return map[string]string{"HOME": "/home/a", "XDG_DATA_HOME": "/data"}[name] }
	require.Contains(t, []string{"/data", "/config"}, homeDir(home, "XDG_DATA_HOME", "data", "/config"))
}

// A password in the URL of a database is never shown, and is not accepted on the command
// line.
func TestDatabasePassword(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "a.csv")
	require.NoError(t, os.WriteFile(file, []byte("operation,payment,reference\nsales,1,a\n"), 0o600))
	for _, database := range []string{
		"postgres://a:canary@127.0.0.1:1/x", "postgresql://a@127.0.0.1:1/x?password=canary", "postgres://a:canary@127.0.0.1:1/x?sslmode=canary",
		"postgres://a:canary%zz@127.0.0.1:1/x", "postgres://127.0.0.1:1/x?sslpassword=canary",
	} {
		s := session{vars: map[string]string{"JPAYMENT_STORE": "123456"}}
		r := s.run(t, "status", "--database", database)
		require.Equal(t, console.Usage, r.status)
		require.Contains(t, r.stderr, "a password on the command line")
		require.NotContains(t, r.stderr, canary)
		s.vars["JPAYMENT_DATABASE"] = database
		for _, args := range [][]string{{"status"}, {"run", file, "--dry-run"}, {"work"}} {
			r := s.run(t, args...)
			require.NotEqual(t, console.Done, r.status)
			require.NotContains(t, r.stdout+r.stderr, canary)
		}
		delete(s.vars, "JPAYMENT_DATABASE")
		s.vars["JPAYMENT_CONFIG"] = writeConfig(t, fmt.Sprintf("database = %q", database), 0o644)
		require.Contains(t, s.run(t, "status").stderr, "other users can read it")
	}
	require.Equal(t, "postgres://a@db.example/x", settings{database: jpayment.NewSecret("postgres://a:b@db.example/x?sslmode=require")}.databaseName())
}

// transcript is what a worker has written so far.
type transcript struct {
	sync.Mutex
	text strings.Builder
}

func (l *transcript) Write(b []byte) (int, error) {
	l.Lock()
	defer l.Unlock()
	return l.text.Write(b)
}

func (l *transcript) String() string {
	l.Lock()
	defer l.Unlock()
	return l.text.String()
}

// A worker resumes after a pause, sends jobs that others enqueue, and settles jobs by
// kickbacks, until it is stopped.
func TestWork(t *testing.T) {
	t.Parallel()
	databases(t, func(t *testing.T, flags []string) {
		d := newDesk(t, 2)
		d.vars["JPAYMENT_KICKBACK_KEY"], d.vars["JPAYMENT_KICKBACK_WAIT"] = strings.Repeat("n", 32)+","+strings.Repeat("k", 32), "10m"
		d.RegisterIPs()
		r := d.run(t, append([]string{"run", d.write(t, "a.csv", "operation,payment,amount,tax,shipping,reference\nsales,10000001,,,,a\nreauth,10000002,900,72,500,b\n"), "--yes"}, flags...)...)
		require.Equal(t, console.Failed, r.status, r.stderr)
		require.Contains(t, d.run(t, append([]string{"status"}, flags...)...).stdout, "paused since")

		d.RegisterIPs(anywhere)
		ctx, stop := context.WithCancel(t.Context())
		defer stop()
		var said transcript
		w := world{env: func(name string) string { return d.vars[name] }, stdin: strings.NewReader(""), stdout: io.Discard, stderr: &said}
		ended := make(chan int, 1)
		go func() {
			ended <- run(ctx, append([]string{"work", "--resume", "--json", "--kickback-listen", "127.0.0.1:0"}, flags...), w)
		}()
		address := regexp.MustCompile(`"address":"(127\.0\.0\.1:\d+)"`)
		require.Eventually(t, func() bool { return address.MatchString(said.String()) }, time.Minute, 10*time.Millisecond)
		d.SetKickbackURL("http://" + address.FindStringSubmatch(said.String())[1] + "/any/path")
		var st map[string]any
		require.Eventually(t, func() bool {
			return json.Unmarshal([]byte(d.run(t, append([]string{"status", "--json"}, flags...)...).stdout), &st) == nil && st["done"] == 2.0
		}, time.Minute, 50*time.Millisecond, "%v", &said)
		require.Nil(t, st["paused"])
		stop()
		require.Equal(t, console.Done, <-ended)
		for line := range strings.Lines(said.String()) {
			require.True(t, json.Valid([]byte(line)), line)
		}
		require.Contains(t, said.String(), `"msg":"stopped"`)
		require.Equal(t, strings.Count(said.String(), "\n"), strings.Count(said.String(), `"store_id":"123456"`), "every line has the store")
		require.Contains(t, d.run(t, append([]string{"review", "2", "--json"}, flags...)...).stdout, `"new_payment_id":"10000003"`)
	})
}

func TestWorkSettings(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ args, want string }{
		{"work --rate 0", "rate must be a number of calls"},
		{"work --rate NaN", "rate must be a number of calls"},
		{"work --concurrency 65", "concurrency must be a whole number"},
		{"work --kickback-wait 1m", "needs the key that signs"},
		{"work --kickback-listen 127.0.0.1:0", "verifying kickbacks needs a key"},
		{"work --schema x-y --database postgres://127.0.0.1:1/x", "--schema has characters other"},
		{"work --store 12345", "--store (aid) has 5 digits"},
	} {
		s := session{vars: map[string]string{"JPAYMENT_STORE": "123456", "JPAYMENT_DATABASE": filepath.Join(t.TempDir(), "jobs.db")}}
		r := s.run(t, strings.Fields(c.args)...)
		require.Equal(t, console.Usage, r.status, "%s: %s", c.args, r.stderr)
		require.Contains(t, r.stderr, c.want)
	}
	s := session{vars: map[string]string{"JPAYMENT_STORE": "123456", "JPAYMENT_KICKBACK_KEY": "short,canary"}}
	r := s.run(t, "work")
	require.Equal(t, console.Usage, r.status)
	require.Contains(t, r.stderr, "fewer than 32 characters")
	require.NotContains(t, r.stderr, canary)
}

// A kickback is accepted as long as its job waits for it, and no job waits for one that
// would be refused for its age.
func TestKickbackAge(t *testing.T) {
	t.Parallel()
	key := strings.Repeat("k", 32)
	for _, c := range []struct {
		wait, age time.Duration
		status    int
	}{
		{time.Minute, 23 * time.Hour, http.StatusOK},
		{time.Minute, 25 * time.Hour, http.StatusForbidden},
		{48 * time.Hour, 47 * time.Hour, http.StatusOK},
		{48 * time.Hour, 49 * time.Hour, http.StatusForbidden},
	} {
		ctx, stop := context.WithCancel(t.Context())
		var said transcript
		s := settings{store: "123456", kickbackKeys: jpayment.NewSecret(key), kickbackWait: c.wait, kickbackListen: "127.0.0.1:0"}
		_, err := s.receiveKickbacks(ctx, settled{}, slog.New(slog.NewTextHandler(&said, nil)))
		require.NoError(t, err)
		address := regexp.MustCompile(`address=(\S+)`).FindStringSubmatch(said.String())[1]
		signature := token.Sign([]byte(key), token.Claims{StoreID: "123456", PaymentID: "10000001", Amount: 1, At: time.Now().Add(-c.age)})
		url := "http://" + address + "/?gid=10000002&rst=1&ap=1&ec=&god=1&cod=&am=1&tx=0&sf=0&ta=1&jpk=" + signature
		status, _ := fetch(t, url)
		require.Equal(t, c.status, status, "%v: %v", c, &said)
		stop()
	}
}

// The vendor's own sample has a raw space in its query; a refusal has no body.
func TestKickbackListenTakesTheVendorsSample(t *testing.T) {
	t.Parallel()
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	key := strings.Repeat("k", 32)
	var said transcript
	s := settings{store: "123456", kickbackKeys: jpayment.NewSecret(key), kickbackListen: "127.0.0.1:0"}
	served, err := s.receiveKickbacks(ctx, settled{}, slog.New(slog.NewTextHandler(&said, nil)))
	require.NoError(t, err)
	address := regexp.MustCompile(`address=(\S+)`).FindStringSubmatch(said.String())[1]
	signature := token.Sign([]byte(key), token.Claims{StoreID: "123456", PaymentID: "10000001", Amount: 1000, Tax: 80, Shipping: 500, At: time.Now()})
	const sample = "gid=10000001&rst=1&ap=0001112&ec=&god=10000002&cod=test &am=1000&tx=80&sf=500&ta=1580"
	for query, body := range map[string]string{sample + "&jpk=" + signature: "OK", sample: ""} {
		conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", address)
		require.NoError(t, err)
		_, err = io.WriteString(conn, "GET /?"+query+" HTTP/1.1\r\nHost: merchant.example\r\n\r\n")
		require.NoError(t, err)
		answer, err := io.ReadAll(conn)
		require.NoError(t, err)
		require.NoError(t, conn.Close())
		require.True(t, strings.HasSuffix(string(answer), "\r\n\r\n"+body), "%s", answer)
	}
	stop()
	require.NoError(t, <-served)
}

// The health check of a worker fails while its database fails.
func TestHealth(t *testing.T) {
	t.Parallel()
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	var said transcript
	q := &ailing{}
	m, err := newMetrics()
	require.NoError(t, err)
	require.NoError(t, serveHealth(ctx, "127.0.0.1:0", q, m, slog.New(slog.NewTextHandler(&said, nil))))
	address := regexp.MustCompile(`health=(\S+)`).FindStringSubmatch(said.String())[1]
	get := func(path string) (int, string) { return fetch(t, "http://"+address+path) }
	for _, path := range []string{"/live", "/ready"} {
		status, _ := get(path)
		require.Equal(t, http.StatusOK, status)
	}
	since := time.Date(2026, 11, 24, 3, 0, 0, 0, time.UTC)
	q.health.Store(&fulfilment.Health{Since: since, Last: since, Failures: 1, What: jpayment.Text{En: "an attempt could not be written down: SQLite failed"}})
	status, _ := get("/live")
	require.Equal(t, http.StatusOK, status)
	status, body := get("/ready")
	require.Equal(t, http.StatusServiceUnavailable, status)
	require.Equal(t, "an attempt could not be written down: SQLite failed, since 2026-11-24T03:00:00Z\n", body)

	require.Error(t, serveHealth(ctx, address, q, m, slog.New(slog.DiscardHandler)), "the port is taken")
}

// If an attempt cannot be recorded, that is reported within seconds, and so is the
// recovery. The metrics count it, in the Prometheus format.
func TestWorkTellsWhatFails(t *testing.T) {
	t.Parallel()
	databases(t, func(t *testing.T, flags []string) {
		d := newDesk(t, 1)
		d.RegisterIPs()
		r := d.run(t, append([]string{"run", d.write(t, "a.csv", "operation,payment,reference\nsales,10000001,a\n"), "--yes"}, flags...)...)
		require.Equal(t, console.Failed, r.status, r.stderr)
		d.RegisterIPs(anywhere)
		execute(t, flags, "ALTER TABLE jpayment.jpayment_attempt RENAME COLUMN worker TO another")
		ctx, stop := context.WithCancel(t.Context())
		defer stop()
		var said transcript
		w := world{env: func(name string) string { return d.vars[name] }, stdin: strings.NewReader(""), stdout: io.Discard, stderr: &said}
		ended := make(chan int, 1)
		go func() {
			ended <- run(ctx, append([]string{"work", "--resume", "--health", "127.0.0.1:0"}, flags...), w)
		}()
		says := func(text string) {
			require.Eventually(t, func() bool { return strings.Contains(said.String(), text) }, time.Minute, 10*time.Millisecond, "%v", &said)
		}
		says(`msg="fulfilment: the database failed"`)
		require.Regexp(t, `during="beginning an attempt" error="[^"]*(SQLite failed|SQLSTATE 42703)`, said.String())
		get := func(path string) (int, string) {
			return fetch(t, "http://"+regexp.MustCompile(`health=(\S+)`).FindStringSubmatch(said.String())[1]+path)
		}
		status, body := get("/ready")
		require.Equal(t, http.StatusServiceUnavailable, status)
		require.Contains(t, body, "since")
		status, _ = get("/live")
		require.Equal(t, http.StatusOK, status)
		sent := len(d.Requests())

		execute(t, flags, "ALTER TABLE jpayment.jpayment_attempt RENAME COLUMN another TO worker")
		says(`msg="fulfilment: the database answers again"`)
		require.Eventually(t, func() bool { return len(d.Requests()) > sent }, time.Minute, 10*time.Millisecond)
		says(`msg="fulfilment: attempt"`)
		status, _ = get("/ready")
		require.Equal(t, http.StatusOK, status)
		status, body = get("/metrics")
		require.Equal(t, http.StatusOK, status)
		require.Contains(t, body, "# TYPE jpayment_fulfilment_attempts_total counter\n")
		require.Regexp(t, `jpayment_fulfilment_attempts_total\{operation="Sales",[^}]*outcome="done",[^}]*store_id="123456"\} 1\n`, body)
		require.Regexp(t, `jpayment_fulfilment_database_errors_total\{during="beginning an attempt",[^}]*\} [1-9]`, body)
		require.Contains(t, body, "jpayment_fulfilment_call_duration_seconds_bucket")
		stop()
		require.Equal(t, console.Done, <-ended)
	})
}

// fetch sends a request to a server on this machine.
func fetch(t *testing.T, url string) (status int, body string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, http.NoBody)
	require.NoError(t, err)
	resp, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	return resp.StatusCode, string(text)
}

// ailing is a queue with a failing database.
type ailing struct {
	queue
	health atomic.Pointer[fulfilment.Health]
}

func (a *ailing) Health() fulfilment.Health {
	if h := a.health.Load(); h != nil {
		return *h
	}
	return fulfilment.Health{}
}

// settled is a queue that settles every kickback.
type settled struct{ queue }

func (settled) Settle(context.Context, *jpayment.Kickback) error { return nil }

// The process stops at SIGTERM and lets the requests in progress finish.
func TestWorkProcessStops(t *testing.T) {
	t.Parallel()
	d := newDesk(t, 1)
	began := make(chan struct{})
	d.Fail(jpaymenttest.Fault{Kind: jpaymenttest.DelayReply, Delay: 500 * time.Millisecond, Notify: func() { close(began) }})
	database := filepath.Join(d.dir, "jobs.db")
	db, err := fulfilment.OpenSQLite(database)
	require.NoError(t, err)
	q, err := fulfilment.NewSQLite(db, fulfilment.Config{StoreID: "123456"})
	require.NoError(t, err)
	require.NoError(t, q.Migrate(t.Context()))
	_, err = q.Enqueue(t.Context(), fulfilment.Sales("order-1", jpayment.SalesRequest{PaymentID: "10000001"}))
	require.NoError(t, err)
	require.NoError(t, db.Close())

	cmd := exec.CommandContext(t.Context(), binary(t), "work", "--store", "123456", "--url", d.URL, "--database", database)
	cmd.Env = append(os.Environ(), "HOME="+d.dir, "XDG_CONFIG_HOME="+d.dir)
	var said transcript
	cmd.Stderr = &said
	require.NoError(t, cmd.Start())
	<-began
	require.NoError(t, cmd.Process.Signal(os.Interrupt))
	require.NoError(t, cmd.Wait(), "%v", &said)
	require.Contains(t, said.String(), "msg=stopped")
	require.Contains(t, d.run(t, "status", "--json").stdout, `"done":1,`)
}

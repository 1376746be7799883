package simulator_test

import (
	"bufio"
	"context"
	"database/sql"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/jpayment-go/jpayment"
	"github.com/jpayment-go/jpayment/cmd/jpayment/internal/simulator"
)

func TestStateOutlivesTheProgram(t *testing.T) {
	t.Parallel()
	path := statePath(t)
	r := start(t, simulator.Config{State: path})
	id := r.authorize(t)
	_, err := r.client(t).Sales(t.Context(), jpayment.SalesRequest{PaymentID: id})
	require.NoError(t, err)
	require.NoError(t, r.client(t).ReAuthByKickback(t.Context(), jpayment.ReAuthRequest{PaymentID: id, Amount: 900}))
	pageURL, queries := receiver(t, "OK")
	r.control(t, "PATCH", "/settings", `{"test_mode":true,"registered_ips":["127.0.0.1","203.0.113.5"]}`, http.StatusOK)
	before := map[string]map[string]any{}
	for _, path := range []string{"/payments", "/settings", "/kickbacks"} {
		before[path] = r.control(t, "GET", path, "", http.StatusOK)
	}
	r.stopped(t)

	r = start(t, simulator.Config{State: path})
	for path, want := range before {
		require.Equal(t, want, r.control(t, "GET", path, "", http.StatusOK))
	}
	require.Empty(t, r.control(t, "GET", "/requests", "", http.StatusOK)["requests"], "requests are not kept")
	r.control(t, "PATCH", "/settings", `{"kickback_url":"`+pageURL+`"}`, http.StatusOK)
	require.Contains(t, next(t, queries), "gid=10000002")
	r.control(t, "POST", "/kickbacks/deliver", "", http.StatusOK) // waits for the one in progress
	require.Equal(t, "10000003", r.authorize(t))
	r.stopped(t)

	r = start(t, simulator.Config{State: path})
	require.Empty(t, r.control(t, "GET", "/kickbacks", "", http.StatusOK)["waiting"])
	require.Equal(t, pageURL, r.control(t, "GET", "/settings", "", http.StatusOK)["kickback_url"])
}

func TestStateThatIsNotOurs(t *testing.T) {
	t.Parallel()
	open := func(path, storeID string) error {
		_, err := simulator.Open(t.Context(), simulator.Config{Listen: "127.0.0.1:0", State: path, StoreID: storeID})
		require.Error(t, err)
		why := jpayment.WhatOf(err)
		require.NotContains(t, why.En, "error of type", err)
		require.NotContains(t, why.Ja, "型のエラー", err)
		require.Regexp(t, `\p{Hiragana}`, why.Ja, err)
		return err
	}
	path := statePath(t)
	r := start(t, simulator.Config{State: path})
	require.ErrorContains(t, open(path, "123456"), "is in use by another program", "one program at a time")
	r.authorize(t)
	r.stopped(t)
	require.ErrorContains(t, open(path, "654321"), "belongs to store 123456")

	edit := func(path, statement string) {
		t.Helper()
		db, err := sql.Open("sqlite", (&url.URL{Scheme: "file", OmitHost: true, Path: path}).String())
		require.NoError(t, err)
		_, err = db.ExecContext(t.Context(), statement)
		require.NoError(t, err)
		require.NoError(t, db.Close())
	}
	edit(path, "UPDATE payment SET body = '{}'")
	require.ErrorContains(t, open(path, "123456"), "in the place of 10000001")
	edit(path, "UPDATE payment SET body = 'x'")
	require.ErrorContains(t, open(path, "123456"), "invalid character")
	edit(path, "PRAGMA user_version = 9")
	require.ErrorContains(t, open(path, "123456"), "has format 9")

	other := statePath(t)
	edit(other, "CREATE TABLE theirs (x)")
	require.ErrorContains(t, open(other, "123456"), "another program")
	require.NoError(t, os.WriteFile(other, []byte("not a database, but long enough to be taken for the header of one"), 0o600))
	require.ErrorContains(t, open(other, "123456"), "not a database")
	require.ErrorContains(t, open(t.TempDir()+"/none/state.db", "123456"), "state file")
}

// If a booking cannot be saved, the request is not answered. The simulator ends rather than
// continue with books that the file may not have.
func TestStateThatCannotBeKept(t *testing.T) {
	t.Parallel()
	path := statePath(t)
	s, err := simulator.Open(t.Context(), simulator.Config{Listen: "127.0.0.1:0", State: path})
	require.NoError(t, err)
	end := make(chan error, 1)
	go func() { end <- s.Run(context.WithoutCancel(t.Context())) }()
	r := &running{URL: s.URL()}
	id := r.authorize(t)
	simulator.BreakState(t, s)
	_, err = r.client(t).Sales(t.Context(), jpayment.SalesRequest{PaymentID: id})
	require.Equal(t, jpayment.OutcomeUnknown, jpayment.OutcomeOf(err))
	require.ErrorContains(t, <-end, "the state cannot be saved")

	r = start(t, simulator.Config{State: path})
	require.Equal(t, "authorized", r.control(t, "GET", "/payments/"+id, "", http.StatusOK)["state"])
}

// childState is the environment variable that makes the test binary run a simulator.
const childState = "JPAYMENT_TEST_STATE"

func TestMain(m *testing.M) {
	path := os.Getenv(childState)
	if path == "" {
		os.Exit(m.Run())
	}
	s, err := simulator.Open(context.Background(), simulator.Config{Listen: "127.0.0.1:0", State: path})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Println(s.URL())
	_ = s.Run(context.Background()) // until it is killed
	os.Exit(1)
}

// A simulator that is killed in the middle of its work loses no booking that it has
// acknowledged.
func TestKill(t *testing.T) {
	t.Parallel()
	const payments, workers, enough = 400, 8, 150
	path := statePath(t)
	exe, err := os.Executable()
	require.NoError(t, err)
	child := exec.CommandContext(context.WithoutCancel(t.Context()), exe)
	child.Env = append(os.Environ(), childState+"="+path)
	child.Stderr = t.Output()
	stdout, err := child.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, child.Start())
	t.Cleanup(func() { _ = child.Process.Kill(); _ = child.Wait() }) // if the test ended early
	line, err := bufio.NewReader(stdout).ReadString('\n')
	require.NoError(t, err)
	r := &running{URL: strings.TrimSpace(line)}

	ids := make(chan string, payments)
	for range payments {
		ids <- r.authorize(t)
	}
	close(ids)
	acknowledged := make(chan [2]string, payments) // number and state
	var tasks sync.WaitGroup
	for worker := range workers {
		tasks.Go(func() {
			for id := range ids {
				form := url.Values{"aid": {"123456"}, "tid": {id}, "rt": {"0"}, "jb": {"SALES"}}
				page, state := "gateway.aspx", "captured"
				if worker%2 == 0 {
					form, page, state = url.Values{"aid": {"123456"}, "tid": {id}, "rt": {"0"}, "am": {"1"}, "tx": {"0"}, "sf": {"0"}}, "re_auth.aspx", "cancelled"
				}
				resp, err := postForm(r.URL+"/gateway/"+page, form)
				if err != nil {
					return // the simulator is dead
				}
				body, err := io.ReadAll(resp.Body)
				_ = resp.Body.Close()
				if err == nil && strings.HasPrefix(string(body), "OK") {
					acknowledged <- [2]string{id, state}
				}
			}
		})
	}
	booked := make([][2]string, 0, payments)
	for range enough {
		booked = append(booked, <-acknowledged)
	}
	require.NoError(t, child.Process.Kill()) // SIGKILL, while the workers are busy
	tasks.Wait()
	close(acknowledged)
	for b := range acknowledged {
		booked = append(booked, b)
	}
	require.Error(t, child.Wait())
	require.Less(t, len(booked), payments, "the simulator was killed in the middle")

	r = start(t, simulator.Config{State: path})
	states := map[string]string{}
	replacements := 0
	for _, p := range r.control(t, "GET", "/payments?limit=1000", "", http.StatusOK)["payments"].([]any) {
		payment := p.(map[string]any)
		states[payment["payment_id"].(string)] = payment["state"].(string)
		if payment["replaces"] != "" {
			replacements++
			require.Equal(t, "cancelled", states[payment["replaces"].(string)], "both halves of a re-authorisation are there")
		}
	}
	require.Len(t, states, payments+replacements)
	reauthorised := 0
	for _, b := range booked {
		require.Equal(t, b[1], states[b[0]], b[0])
		if b[1] == "cancelled" {
			reauthorised++
		}
	}
	require.GreaterOrEqual(t, replacements, reauthorised)
	waiting := r.control(t, "GET", "/kickbacks?limit=1000", "", http.StatusOK)["waiting"]
	require.Len(t, waiting, replacements, "and each has its kickback waiting")
	t.Logf("killed after %d acknowledged bookings of %d", len(booked), payments)
}

// Nobody else can read the file or its write-ahead log, whatever the umask.
func TestStateIsPrivate(t *testing.T) { //nolint:paralleltest // The umask applies to the process.
	if runtime.GOOS == "windows" {
		t.Skip("modes say nothing there")
	}
	withoutUmask(t)
	path := statePath(t)
	r := start(t, simulator.Config{State: path})
	r.authorize(t)
	files, err := filepath.Glob(path + "*")
	require.NoError(t, err)
	require.Contains(t, files, path+"-wal")
	for _, name := range files {
		info, err := os.Stat(name)
		require.NoError(t, err)
		require.Equal(t, os.FileMode(0o600), info.Mode().Perm(), name)
	}
	r.stopped(t)

	for _, suffix := range []string{"", "-wal", "-journal"} {
		for _, mode := range []os.FileMode{0o640, 0o604, 0o620} {
			f, err := os.OpenFile(path+suffix, os.O_CREATE, mode) // SQLite removes an empty file
			require.NoError(t, err)
			require.NoError(t, f.Chmod(mode))
			require.NoError(t, f.Close())
			_, err = simulator.Open(t.Context(), simulator.Config{Listen: "127.0.0.1:0", State: path})
			require.ErrorContains(t, err, "chmod 600 "+path+suffix)
			require.Regexp(t, `\p{Hiragana}`, jpayment.WhatOf(err).Ja)
		}
		if suffix == "" {
			require.NoError(t, os.Chmod(path, 0o600))
		} else {
			_ = os.Remove(path + suffix)
		}
	}
	start(t, simulator.Config{State: path}).stopped(t)

	// A link stands for its target.
	link := filepath.Join(t.TempDir(), "link.db")
	require.NoError(t, os.Symlink(path, link))
	f, err := os.OpenFile(path+"-wal", os.O_CREATE, 0o644)
	require.NoError(t, err)
	require.NoError(t, f.Close())
	_, err = simulator.Open(t.Context(), simulator.Config{Listen: "127.0.0.1:0", State: link})
	require.ErrorContains(t, err, "chmod 600 "+path+"-wal")
	_ = os.Remove(path + "-wal")
	start(t, simulator.Config{State: link}).stopped(t)
	require.NoError(t, os.Remove(path))
	_, err = simulator.Open(t.Context(), simulator.Config{Listen: "127.0.0.1:0", State: link})
	require.ErrorIs(t, err, os.ErrNotExist, "SQLite would make it, for everybody to read")
	require.NoFileExists(t, path)
}

// Deleted data is removed from the file.
func TestStateForgets(t *testing.T) {
	t.Parallel()
	path := statePath(t)
	r := start(t, simulator.Config{State: path})
	id := r.authorize(t)
	const marker = "SomethingPrivate"
	_, body, _ := call(t, "POST", r.URL+"/gateway/re_auth.aspx", "aid=123456&rt=0&am=1&tx=0&sf=0&tid="+id+"&note="+marker, "Content-Type", "application/x-www-form-urlencoded")
	require.Contains(t, body, "OK")
	r.stopped(t)
	holds := func() bool {
		file, err := os.ReadFile(path)
		require.NoError(t, err)
		return strings.Contains(string(file), marker)
	}
	require.True(t, holds(), "the kickback waits")
	r = start(t, simulator.Config{State: path})
	pageURL, queries := receiver(t, "OK")
	r.control(t, "PATCH", "/settings", `{"kickback_url":"`+pageURL+`"}`, http.StatusOK)
	require.Contains(t, next(t, queries), marker)
	r.control(t, "POST", "/kickbacks/deliver", "", http.StatusOK)
	r.stopped(t)
	require.False(t, holds(), "it was delivered")
}

//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"github.com/jackc/pgx/v5"
)

// errNoPostgres means that Postgres is not installed on this machine.
var errNoPostgres = errors.New("no Postgres server here: initdb was not found")

// server is the campaign's own Postgres, since it is restarted without warning.
type server struct {
	bin, dir string
	as       *syscall.Credential // Postgres refuses to run as root.
	url      string
}

func startServer(ctx context.Context) (s *server, err error) {
	s = &server{}
	found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/initdb") // where Debian has it
	slices.SortFunc(found, func(a, b string) int { return len(a) - len(b) })
	if initdb, err := exec.LookPath("initdb"); err == nil {
		found = append(found, initdb)
	}
	if len(found) == 0 {
		return nil, errNoPostgres
	}
	s.bin = filepath.Dir(found[len(found)-1])
	if s.dir, err = os.MkdirTemp("", ""); err != nil {
		return nil, err
	}
	if os.Getuid() == 0 {
		u, err := user.Lookup("postgres")
		if err != nil {
			return nil, err
		}
		uid, _ := strconv.Atoi(u.Uid) // A number, on Linux.
		gid, _ := strconv.Atoi(u.Gid)
		s.as = &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)} //nolint:gosec // They are no larger.
		if err := os.Chown(s.dir, uid, gid); err != nil {
			return nil, err
		}
	}
	address, err := freeAddress()
	if err != nil {
		return nil, err
	}
	s.url = "postgres://postgres@" + address + "/postgres"
	if err := s.do(ctx, "initdb", "-D", s.data(), "-U", "postgres", "-A", "trust", "--no-sync"); err != nil {
		return nil, err
	}
	_, port, _ := strings.Cut(address, ":")
	settings := fmt.Sprintf("listen_addresses = '127.0.0.1'\nport = %s\nunix_socket_directories = ''\n", port)
	if err := os.WriteFile(filepath.Join(s.data(), "postgresql.auto.conf"), []byte(settings), 0o600); err != nil {
		return nil, err
	}
	return s, s.ctl(ctx, "start")
}

func (s *server) data() string { return filepath.Join(s.dir, "data") }

func (s *server) ctl(ctx context.Context, args ...string) error {
	return s.do(ctx, "pg_ctl", append([]string{"-D", s.data(), "-w", "-l", filepath.Join(s.dir, "log")}, args...)...)
}

func (s *server) do(ctx context.Context, name string, args ...string) error {
	cmd := exec.CommandContext(ctx, filepath.Join(s.bin, name), args...) //nolint:gosec // Postgres's own programs
	cmd.Dir, cmd.SysProcAttr = s.dir, &syscall.SysProcAttr{Credential: s.as}
	// A file, and not a pipe, because the server keeps its inherited files open.
	log, err := os.OpenFile(filepath.Join(s.dir, "out"), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	defer log.Close() //nolint:errcheck // It is only informative.
	cmd.Stdout, cmd.Stderr = log, log
	if err := cmd.Run(); err != nil {
		text, _ := os.ReadFile(log.Name())
		return fmt.Errorf("%s: %w\n%s", name, err, text)
	}
	return nil
}

// restart ends the server like a power failure, and restarts it.
func (s *server) restart(ctx context.Context) error { return s.ctl(ctx, "-m", "immediate", "restart") }

// endConnections ends some connections of any process.
func (s *server) endConnections(ctx context.Context, n int) (ended int, err error) {
	c, err := pgx.Connect(ctx, s.url)
	if err != nil {
		return 0, err
	}
	defer c.Close(ctx) //nolint:errcheck // It is only read.
	err = c.QueryRow(ctx, `SELECT COUNT(pg_terminate_backend(pid)) FROM (
		SELECT pid FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid() ORDER BY random() LIMIT $1) AS victims`, n).Scan(&ended)
	return ended, err
}

func (s *server) stop(ctx context.Context) error {
	return errors.Join(s.ctl(ctx, "-m", "immediate", "stop"), os.RemoveAll(s.dir))
}

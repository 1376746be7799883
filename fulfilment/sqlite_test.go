package fulfilment

import (
	"bytes"
	"database/sql"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/jpayment-go/jpayment"
)

// files returns a database file and the files that SQLite keeps beside it.
func files(t *testing.T, path string) map[string]fs.FileMode {
	modes := map[string]fs.FileMode{}
	for _, f := range []string{path, path + "-wal", path + "-shm"} {
		info, err := os.Stat(f)
		require.NoError(t, err)
		modes[f[len(path):]] = info.Mode().Perm()
	}
	return modes
}

// Other users can never read the database, not even for a moment.
func TestFilesAreTheOwners(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("files have no modes there")
	}
	t.Parallel()
	path := filepath.Join(t.TempDir(), "orders.db")
	db, err := OpenSQLite(path)
	require.NoError(t, err)
	info, err := os.Stat(path)
	require.NoError(t, err)
	require.Equal(t, fs.FileMode(0o600), info.Mode().Perm(), "from the first byte")
	require.Zero(t, info.Size())
	require.NoError(t, db.Close())

	var out said
	q := sqliteAt(t, path)(logged(&out))
	require.NoError(t, q.Migrate(t.Context()))
	own := map[string]fs.FileMode{"": 0o600, "-wal": 0o600, "-shm": 0o600}
	require.Equal(t, own, files(t, path))
	require.Empty(t, out.String())

	// Permissions of others are removed, and that is logged.
	for f := range own {
		require.NoError(t, os.Chmod(path+f, 0o664))
	}
	sqliteAt(t, path)(logged(&out))
	require.Equal(t, own, files(t, path))
	require.Len(t, out.records("level=WARN", "removed other users", "orders.db", "store_id="+testStore), 3)

	// If they cannot be removed, there is an error.
	require.NoError(t, os.Chmod(path, 0o640))
	loose, err := tighten(path, func(string, fs.FileMode) error {
		return &fs.PathError{Op: "chmod", Path: path, Err: errors.ErrUnsupported}
	})
	require.Empty(t, loose)
	require.ErrorIs(t, err, errors.ErrUnsupported)
	require.NotEmpty(t, jpayment.WhatOf(err).Ja)
	require.NotEmpty(t, jpayment.NextOf(err).Ja)

	_, err = OpenSQLite(filepath.Join(t.TempDir(), "nowhere", "orders.db"))
	require.ErrorIs(t, err, fs.ErrNotExist)
}

// Erased data is overwritten.
func TestErasedIsOverwritten(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "orders.db")
	s := newSite(t, sqliteAt(t, path), Config{})
	w := s.worker(s.client(nil))
	for range 50 {
		j, err := s.Enqueue(t.Context(), Sales("order", jpayment.SalesRequest{PaymentID: s.authorize(), Extra: jpayment.NewExtra(map[string]string{"k": canary})}))
		require.NoError(t, err)
		require.False(t, s.work(w, j))
	}
	inFile := func() int {
		s.exec("PRAGMA wal_checkpoint(TRUNCATE)")
		b, err := os.ReadFile(path)
		require.NoError(t, err)
		return bytes.Count(b, []byte(canary))
	}
	require.GreaterOrEqual(t, inFile(), 50)
	s.pass(time.Second)
	n, err := s.Forget(t.Context(), s.clock())
	require.NoError(t, err)
	require.EqualValues(t, 50, n)
	for _, suffix := range []string{"", "-wal"} { // without a checkpoint by the test
		b, err := os.ReadFile(path + suffix)
		require.NoError(t, err)
		require.Zero(t, bytes.Count(b, []byte(canary)), suffix)
	}

	// If that is not possible, there is an error.
	j, err := s.Enqueue(t.Context(), request(jpayment.OpSales, s.authorize()))
	require.NoError(t, err)
	require.False(t, s.work(w, j))
	other, err := OpenSQLite(path)
	require.NoError(t, err)
	t.Cleanup(func() { other.Close() })
	reads, err := other.BeginTx(t.Context(), &sql.TxOptions{ReadOnly: true})
	require.NoError(t, err)
	var jobs int
	require.NoError(t, reads.QueryRowContext(t.Context(), "SELECT COUNT(*) FROM river_job").Scan(&jobs))
	s.exec("PRAGMA busy_timeout = 1")
	s.pass(time.Second)
	n, err = s.Forget(t.Context(), s.clock())
	require.EqualValues(t, 1, n)
	require.ErrorContains(t, err, "write-ahead log")
	require.NotEmpty(t, jpayment.WhatOf(err).Ja)
	require.NotEmpty(t, jpayment.NextOf(err).Ja)
	require.NoError(t, reads.Rollback())
	n, err = s.Forget(t.Context(), s.clock())
	require.NoError(t, err)
	require.Zero(t, n)
}

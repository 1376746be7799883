package main

import (
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// The program starts itself as its workers and its gateway; in a test that is the test binary.
func TestMain(m *testing.M) {
	if os.Getenv(roleVariable) != "" {
		main()
		return
	}
	os.Exit(m.Run())
}

func TestProcessesWorkEveryJob(t *testing.T) {
	t.Parallel()
	gateway, stop, err := start("gateway", "1ms")
	require.NoError(t, err)
	t.Cleanup(stop)
	m := measurement{jobs: 32, dir: t.TempDir()}
	perSecond, err := m.worked(t.Context(), "SQLite", gateway, 2)
	require.NoError(t, err)
	require.Positive(t, perSecond)
}

func TestTables(t *testing.T) {
	t.Parallel()
	m := measurement{rounds: 1, jobs: 16, dir: t.TempDir(), databases: []string{"SQLite"}}
	cost, err := m.cost(t.Context())
	require.NoError(t, err)
	require.Equal(t, 4, strings.Count(cost, "\n|"), cost)
	enqueueing, err := m.enqueueing(t.Context())
	require.NoError(t, err)
	require.Equal(t, 3, strings.Count(enqueueing, "\n|"), enqueueing)
	require.NotContains(t, cost+enqueueing, "NaN")
}

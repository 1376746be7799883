package main

import (
	"fmt"
	"os"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestDepth(t *testing.T) {
	m := measurement{rounds: 1, jobs: 16, deepest: 400, dir: t.TempDir(), databases: []string{"SQLite"}, postgres: os.Getenv("JPAYMENT_TEST_POSTGRES")}
	if m.postgres != "" {
		m.databases = append(m.databases, "Postgres")
	}
	fmt.Sscan(os.Getenv("DEEPEST"), &m.deepest)
	depth, err := m.depth(t.Context())
	require.NoError(t, err)
	require.NotContains(t, depth, "NaN")
	t.Log(depth)
}

func TestFloor(t *testing.T) {
	m := measurement{rounds: 1, jobs: 16, dir: t.TempDir(), databases: []string{"SQLite"}, postgres: os.Getenv("JPAYMENT_TEST_POSTGRES")}
	if m.postgres != "" {
		m.databases = append(m.databases, "Postgres")
	}
	if os.Getenv("FLOOR_JOBS") != "" {
		fmt.Sscan(os.Getenv("FLOOR_JOBS"), &m.jobs)
		m.rounds = 3
		if os.Getenv("FLOOR_ONLY") != "" {
			m.databases = []string{os.Getenv("FLOOR_ONLY")}
		}
	}
	floor, err := m.floor(t.Context())
	require.NoError(t, err)
	require.NotContains(t, floor, "NaN")
	t.Log(floor)
}

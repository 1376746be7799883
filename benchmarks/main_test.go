package main

import (
	"os"
	"strings"
	"testing"
)

// The server is this program started again, which under test is the test.
func TestMain(m *testing.M) {
	if os.Getenv(serverVariable) != "" {
		exitOn(serve())
		return
	}
	os.Exit(m.Run())
}

// Every contender captures, and what is written names each.
func TestMeasure(t *testing.T) {
	base, stop, err := startServer(0, false)
	if err != nil {
		t.Fatal(err)
	}
	defer stop()
	all, err := contenders(base)
	if err != nil {
		t.Fatal(err)
	}
	results, err := measure(all, 1)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range all {
		if !strings.Contains(markdown(results), "| "+c.name+" |") || !strings.Contains(svg(results), c.name) {
			t.Error(c.name, "is not in the results")
		}
	}
	if n, err := connections(base); err != nil || n != "7" {
		t.Errorf("%s connections for %d contenders: %v", n, len(all), err)
	}
}

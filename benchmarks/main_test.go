package main

import (
	"os"
	"slices"
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
	results, err := measure(all, 5, 50)
	if err != nil {
		t.Fatal(err)
	}
	// What a capture may allocate, all of net/http included, 86 times and a little room.
	own, byHand := resultOf(t, results, "jpayment"), resultOf(t, results, "by hand")
	if !raceDetector && (own.allocs > 87 || own.bytes > 7200) || own.allocs >= byHand.allocs || own.bytes >= byHand.bytes {
		t.Errorf("%.1f allocations and %.0f bytes, by hand %.1f and %.0f", own.allocs, own.bytes, byHand.allocs, byHand.bytes)
	}
	for _, c := range all {
		if !strings.Contains(markdown(results, "net/http"), "| "+c.name+" |") || !strings.Contains(svg(results), c.name) {
			t.Error(c.name, "is not in the results")
		}
	}
	if n, err := connections(base); err != nil || n != "7" {
		t.Errorf("%s connections for %d contenders: %v", n, len(all), err)
	}
}

func resultOf(t *testing.T, results []result, name string) result {
	t.Helper()
	i := slices.IndexFunc(results, func(r result) bool { return r.name == name })
	if i < 0 {
		t.Fatal(name, "is not in the results")
	}
	return results[i]
}

// Reading a reply is compared with what reads the same.
func TestReading(t *testing.T) {
	results, err := reading(1)
	if err != nil {
		t.Fatal(err)
	}
	if len(results) != 2*len(replies) {
		t.Error(results)
	}
}

// The package does not bring into a program what that does not use: the handlers of
// log/slog, for one, would take 250 KB.
func TestSize(t *testing.T) {
	bare, client, err := sizes("-s -w")
	if err != nil {
		t.Fatal(err)
	}
	if more := client - bare; more <= 0 || more > 450e3 {
		t.Errorf("a program is larger by %d bytes", more)
	}
}

// BenchmarkCapture is there for profiles, with -memprofile and -memprofilerate 1.
func BenchmarkCapture(b *testing.B) {
	base, stop, err := startServer(0, false)
	if err != nil {
		b.Fatal(err)
	}
	defer stop()
	all, err := contenders(base)
	if err != nil {
		b.Fatal(err)
	}
	for _, c := range all {
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if err := c.call(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

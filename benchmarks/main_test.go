package main

import (
	"os"
	"slices"
	"strings"
	"testing"
)

// The server is a second process of this program; in a test, that is the test binary.
func TestMain(m *testing.M) {
	if os.Getenv(serverVariable) != "" {
		exitOn(serve())
		return
	}
	os.Exit(m.Run())
}

// Every contender captures a payment, and the results name each.
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
	// A capture allocates 86 times, net/http included; leave a little room.
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

// Reading is measured for each reply with both parsers.
func TestReading(t *testing.T) {
	results, err := reading(1)
	if err != nil {
		t.Fatal(err)
	}
	if len(results) != 2*len(replies) {
		t.Error(results)
	}
}

// The package adds to a program only the code that it uses. The handlers of log/slog, for
// example, would add 250 KB.
func TestSize(t *testing.T) {
	bare, client, err := sizes("-s -w")
	if err != nil {
		t.Fatal(err)
	}
	if more := client - bare; more <= 0 || more > 450e3 {
		t.Errorf("a program is larger by %d bytes", more)
	}
}

// BenchmarkCapture is for profiles, with -memprofile and -memprofilerate 1.
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

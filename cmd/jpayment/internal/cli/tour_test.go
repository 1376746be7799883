package cli

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// What the document has a reader try against the simulator does what it says there.
func TestTour(t *testing.T) {
	t.Parallel()
	b, err := os.ReadFile("../../../../docs/command.md")
	require.NoError(t, err)
	_, tour, found := strings.Cut(string(b), "\n#### Try it\n")
	require.True(t, found)
	tour, _, _ = strings.Cut(tour, "\n### ")
	var commands [][]string
	for _, block := range regexp.MustCompile("(?s)```sh\n(.*?)```").FindAllStringSubmatch(tour, -1) {
		commands = append(commands, commandLines(block[1])...)
	}
	require.Len(t, commands, 4)
	require.Equal(t, "simulate", commands[0][0])

	dir := t.TempDir()
	ctx, stop := context.WithCancel(t.Context())
	out, said := io.Pipe()
	ended := make(chan int, 1)
	go func() {
		ended <- run(ctx, append(commands[0], "--listen", "127.0.0.1:0"), world{
			env: func(string) string { return "" }, stdin: strings.NewReader(""), stdout: said, stderr: io.Discard, configDir: dir,
		})
		said.Close()
	}()
	t.Cleanup(func() { stop(); require.Equal(t, exitDone, <-ended) })
	address := ""
	for text := ""; address == ""; address = regexp.MustCompile(`http://127\.0\.0\.1:\d+`).FindString(text) {
		buf := make([]byte, 4096)
		n, err := out.Read(buf)
		require.NoError(t, err, text)
		text += string(buf[:n])
	}
	go io.Copy(io.Discard, out)

	reader := session{world: world{terminal: terminals{in: true, err: true}}, input: "yes\n", vars: map[string]string{"NO_COLOR": "1"}}
	there := strings.NewReplacer("http://127.0.0.1:8080", address, "tour.", filepath.Join(dir, "tour."), "examples/", "../../../../examples/")
	var shown string
	for i, args := range commands[1:] {
		for j := range args {
			args[j] = there.Replace(args[j])
		}
		r := reader.run(t, args...)
		if i > 0 {
			require.Equal(t, exitDone, r.status, r.stderr)
			continue
		}
		require.Equal(t, exitFailed, r.status, r.stderr)
		shown = r.stderr + r.stdout
	}
	want := regexp.MustCompile("(?s)```text\n(.*?)```").FindStringSubmatch(tour)[1]
	for line := range strings.Lines(there.Replace(want)) {
		require.Contains(t, shown, strings.TrimSuffix(strings.TrimSpace(line), " yes"), fmt.Sprint(shown))
	}
	verdicts := verdictsIn(t, filepath.Join(dir, "tour.csv"))
	require.Len(t, verdicts, 6)
	require.Equal(t, "refused", verdicts[5][4])
}

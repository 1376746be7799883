package simulator_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/jpayment-go/jpayment/cmd/jpayment/internal/simulator"
)

// Every curl of the document does what it is there for, in the document's order.
func TestDocument(t *testing.T) {
	t.Parallel()
	for _, tool := range []string{"sh", "curl"} {
		if _, err := exec.LookPath(tool); err != nil {
			const how = "no curl found: apt-get install curl"
			if os.Getenv("CI") == "true" {
				t.Fatal(how)
			}
			t.Skip(how)
		}
	}
	doc, err := os.ReadFile(filepath.Join("..", "..", "..", "..", "docs", "simulator.md"))
	require.NoError(t, err)
	r := start(t, simulator.Config{})
	receiverURL, queries := receiver(t, "OK")
	here := strings.NewReplacer("http://127.0.0.1:8080", r.URL, "http://127.0.0.1:9000/kickback", receiverURL)

	blocks := fenced(string(doc))
	curls := 0
	for i, block := range blocks {
		if block.language != "sh" || !strings.Contains(block.text, "curl ") {
			continue
		}
		curls += strings.Count(block.text, "curl ")
		// A status of 400 and above is a failure.
		script := "curl() { command curl --silent --show-error --fail-with-body --max-time 60 \"$@\"; }\n" + here.Replace(block.text)
		output, err := exec.CommandContext(t.Context(), "sh", "-eu", "-c", script).CombinedOutput()
		require.NoError(t, err, "%s\n%s", block.text, output)
		require.NotEmpty(t, output)
		if i+1 < len(blocks) && blocks[i+1].language == "text" {
			require.Equal(t, strings.TrimSpace(blocks[i+1].text), strings.TrimSpace(string(output)), block.text)
		}
	}
	require.Equal(t, strings.Count(string(doc), "\ncurl "), curls, "each is in a block and was run")
	require.Positive(t, curls)
	require.Len(t, queries, 3, "the kickback, again, and the forged one")

	for _, kind := range simulator.FaultNames() {
		require.Contains(t, string(doc), "`"+kind+"`")
	}
}

type block struct{ language, text string }

// fenced returns the fenced blocks of a document.
func fenced(doc string) []block {
	var blocks []block
	open := false
	for line := range strings.Lines(doc) {
		language, fence := strings.CutPrefix(strings.TrimSpace(line), "```")
		switch {
		case fence && !open:
			blocks = append(blocks, block{language: language})
			open = true
		case fence:
			open = false
		case open:
			blocks[len(blocks)-1].text += line
		}
	}
	return blocks
}

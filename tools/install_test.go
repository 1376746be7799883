package tools

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// Until the first version is tagged, a program uses the modules of a clone, by the command in
// the README.
func TestProgramWithAClone(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("it builds a program")
	}
	command := regexp.MustCompile("`(go mod edit -replace [^`]*)`")
	var commands []string
	for _, page := range []string{"README.md", "README.ja.md"} {
		text, err := os.ReadFile(filepath.Join("..", page))
		require.NoError(t, err)
		found := command.FindSubmatch(text)
		require.NotNil(t, found, page)
		commands = append(commands, string(found[1]))
	}
	require.Equal(t, commands[0], commands[1])

	root, err := filepath.Abs("..")
	require.NoError(t, err)
	dir := t.TempDir()
	program := filepath.Join(dir, "merchant")
	require.NoError(t, os.Mkdir(program, 0o700))
	require.NoError(t, os.Symlink(root, filepath.Join(dir, "jpayment")))
	source, err := os.ReadFile(filepath.Join("testdata", "merchant", "main.go"))
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(program, "main.go"), source, 0o600))
	for _, line := range []string{"go mod init example.com/merchant", commands[0], "go run -mod=mod ."} {
		args := strings.Fields(line)
		cmd := exec.CommandContext(t.Context(), args[0], args[1:]...)
		cmd.Dir = program
		// The tests of all modules have downloaded and verified what it needs. Only go mod tidy
		// could need more, so that is left out.
		cmd.Env = append(os.Environ(), "GOWORK=off", "GOSUMDB=off", "GOFLAGS=")
		out, err := cmd.CombinedOutput()
		require.NoError(t, err, "%s: %s", line, out)
	}
}

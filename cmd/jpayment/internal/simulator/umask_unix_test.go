//go:build unix

package simulator_test

import (
	"syscall"
	"testing"
)

// withoutUmask clears the umask, so files get exactly the mode they are created with.
func withoutUmask(t *testing.T) {
	t.Helper()
	old := syscall.Umask(0)
	t.Cleanup(func() { syscall.Umask(old) })
}

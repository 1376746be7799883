//go:build unix

package probe

import (
	"os"
	"syscall"
)

// lock locks the file as long as it is open.
func lock(f *os.File) error {
	return syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
}

//go:build unix

package cli

import (
	"os"
	"syscall"
)

// ownerOf returns the number of the user that a file belongs to.
func ownerOf(info os.FileInfo) (uid int, known bool) {
	stat, known := info.Sys().(*syscall.Stat_t)
	if !known {
		return 0, false
	}
	return int(stat.Uid), true
}

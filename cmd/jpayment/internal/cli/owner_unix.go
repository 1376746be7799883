//go:build unix

package cli

import (
	"os"
	"syscall"
)

// ownerOf returns the user ID of the owner of a file.
func ownerOf(info os.FileInfo) (uid int, known bool) {
	stat, known := info.Sys().(*syscall.Stat_t)
	if !known {
		return 0, false
	}
	return int(stat.Uid), true
}

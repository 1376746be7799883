//go:build linux

package main

import (
	"fmt"
	"io"
	"math"
	"os"
	"os/signal"
	"syscall"
)

// disk is the disk of a SQLite database, which can be filled.
type disk struct {
	dir     string
	mounted bool // it is a separate file system
}

const diskSize = 1 << 30 // memory is allocated only as needed

// newDisk mounts a disk in memory. If that is not permitted, it uses a folder, and only the file
// size of one worker can be limited.
func newDisk(dir string) (*disk, error) {
	if err := os.Mkdir(dir, 0o700); err != nil {
		return nil, err
	}
	err := syscall.Mount("tmpfs", dir, "tmpfs", 0, fmt.Sprintf("mode=0700,size=%d", diskSize))
	return &disk{dir: dir, mounted: err == nil}, nil
}

// fill leaves no room on the disk, and free restores it.
func (d *disk) fill(worker io.Writer) error {
	if !d.mounted {
		_, err := io.WriteString(worker, "f")
		return err
	}
	var st syscall.Statfs_t
	if err := syscall.Statfs(d.dir, &st); err != nil {
		return err
	}
	return d.resize((st.Blocks - st.Bfree) * uint64(st.Bsize)) //nolint:gosec // A size is not negative.
}

func (d *disk) free(worker io.Writer) error {
	if !d.mounted {
		_, err := io.WriteString(worker, "e")
		return err
	}
	return d.resize(diskSize)
}

func (d *disk) resize(bytes uint64) error {
	return syscall.Mount("tmpfs", d.dir, "tmpfs", syscall.MS_REMOUNT, fmt.Sprintf("size=%d", bytes))
}

func (d *disk) remove() error {
	if !d.mounted {
		return nil
	}
	return syscall.Unmount(d.dir, syscall.MNT_DETACH)
}

// obeyLimits makes this process, a worker, limit the size of its files on command.
func obeyLimits(orders io.Reader) error {
	signal.Ignore(syscall.SIGXFSZ)
	for one := make([]byte, 1); ; {
		if _, err := io.ReadFull(orders, one); err != nil {
			return nil //nolint:nilerr // The parent process has ended.
		}
		size := uint64(math.MaxUint64)
		if one[0] == 'f' {
			size = 4096
		}
		if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &syscall.Rlimit{Cur: size, Max: math.MaxUint64}); err != nil {
			return err
		}
	}
}

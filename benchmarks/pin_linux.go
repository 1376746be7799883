package main

import "golang.org/x/sys/unix"

// pin keeps this process, and those it starts, on one core, where the system allows it.
func pin() {
	var set unix.CPUSet
	set.Set(0)
	_ = unix.SchedSetaffinity(0, &set) // the ratios hold without it, more noisily
}

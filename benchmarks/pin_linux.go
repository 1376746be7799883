package main

import "golang.org/x/sys/unix"

// pin keeps this process, and processes that it starts, on one core if the system allows it.
func pin() {
	var set unix.CPUSet
	set.Set(0)
	_ = unix.SchedSetaffinity(0, &set) // Without it the ratios are only noisier.
}

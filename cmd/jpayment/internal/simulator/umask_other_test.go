//go:build !unix

package simulator_test

import "testing"

func withoutUmask(*testing.T) {}

package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// flags are the linker flags, by the kind of program they produce.
var flags = []struct{ name, flags string }{
	{"stripped", "-s -w"},
	{"with symbols", ""},
}

// sizes builds a program that captures with net/http alone, and one that uses the package,
// and returns their sizes in bytes.
func sizes(linker string) (bare, client int64, err error) {
	dir, err := os.MkdirTemp("", "size-*")
	if err != nil {
		return 0, 0, err
	}
	defer os.RemoveAll(dir)
	var size [2]int64
	for i, program := range []string{"bare", "client"} {
		file := filepath.Join(dir, program)
		if out, err := exec.Command("go", "build", "-trimpath", "-ldflags="+linker, "-o", file, "./size/"+program).CombinedOutput(); err != nil {
			return 0, 0, fmt.Errorf("%w: %s", err, out)
		}
		info, err := os.Stat(file)
		if err != nil {
			return 0, 0, err
		}
		size[i] = info.Size()
	}
	return size[0], size[1], nil
}

func sizeTable() (string, error) {
	var b strings.Builder
	b.WriteString("| program | net/http alone, KB | jpayment, KB | more, KB |\n|---|---:|---:|---:|\n")
	for _, f := range flags {
		bare, client, err := sizes(f.flags)
		if err != nil {
			return "", err
		}
		fmt.Fprintf(&b, "| %s | %.0f | %.0f | %.0f |\n", f.name, float64(bare)/1e3, float64(client)/1e3, float64(client-bare)/1e3)
	}
	return b.String(), nil
}

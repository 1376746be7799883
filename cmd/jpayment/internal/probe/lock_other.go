//go:build !unix

package probe

import "os"

// lock does nothing: this system has no advisory lock that ends with its process.
func lock(*os.File) error { return nil }

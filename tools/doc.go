// Package tools checks the pages: code compiles, complete code runs, commands and SQL run,
// links lead somewhere, twin pages agree, and generated tables are up to date. It also holds
// the list of the exported API. Apart from the table of assumptions, it uses only the
// exported API, so no page depends on a package's internals.
//
// The checks are tests. Go caches the result of a test even if files outside its module
// change, so run them with -count=1:
//
//	go test -count=1 ./tools
//
// One command regenerates the tables of the pages, the list of the exported API, and the
// golden files of all modules:
//
//	go generate ./tools
//
//go:generate sh ./generate.sh
package tools

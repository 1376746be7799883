// Package tools checks what stands in pages: code compiles, complete code runs, commands run,
// SQL runs, links lead somewhere, the pages of a pair agree, and generated tables are what
// the packages say. It also holds the list of the exported API. It uses the exported API,
// and the table of assumptions, which is there to be shown: no page is tied to anything else
// that a package keeps to itself.
//
// The checks are tests. Go keeps the result of a test that reads files outside of its
// module, whatever becomes of the files, so they are run anew:
//
//	go test -count=1 ./tools
//
// One command writes anew what is generated: the tables of the pages, the list of the
// exported API, and the golden files of all modules.
//
//	go generate ./tools
//
//go:generate sh ./generate.sh
package tools

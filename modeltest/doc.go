// Package modeltest proves the promise of the package jpayment: whatever the network
// and the gateway do, a caller is never told done or refused wrongly. It holds tests
// only, and is a module of its own because they need more than the root module does.
//
//	go test                         the fixed seeds and a few new ones
//	go test -run Model -seed 7      that seed alone
//	go test -run Model -ops 1000000 for as long as one likes
//	go test -run Teeth              break the client in known ways, and see it caught
//	go test -run Load -race         many callers on one client
package modeltest

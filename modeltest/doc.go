// Package modeltest tests the promise of the package jpayment: whatever the network and the
// gateway do, the client never reports done or refused wrongly. It contains only tests, and is
// a separate module because they have more dependencies than the root module.
//
//	go test                         run the fixed seeds and a few new ones
//	go test -run Model -seed 7      run only this seed
//	go test -run Model -ops 1000000 run for longer
//	go test -run Teeth              break the client in known ways; the model must catch each
//	go test -run Load -race         let many callers use one client
package modeltest

module github.com/jpayment-go/jpayment/benchmarks

go 1.25.0

require (
	github.com/go-resty/resty/v2 v2.17.2
	github.com/google/go-querystring v1.2.0
	github.com/jpayment-go/jpayment v0.0.0
	github.com/stripe/stripe-go/v85 v85.0.0
	golang.org/x/sys v0.43.0
	golang.org/x/text v0.41.0
)

require golang.org/x/net v0.43.0 // indirect

replace github.com/jpayment-go/jpayment => ../

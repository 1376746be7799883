module github.com/jpayment-go/jpayment/modeltest

go 1.25.0

require (
	github.com/jpayment-go/jpayment v0.0.0
	github.com/stretchr/testify v1.12.1
	go.uber.org/goleak v1.3.0
	pgregory.net/rapid v1.3.0
)

require (
	github.com/google/go-querystring v1.2.0 // indirect
	go.yaml.in/yaml/v3 v3.0.5 // indirect
	golang.org/x/text v0.41.0 // indirect
)

replace github.com/jpayment-go/jpayment => ../

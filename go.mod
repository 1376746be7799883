module github.com/jpayment-go/jpayment

go 1.25.0

require (
	github.com/google/go-querystring v1.2.0
	golang.org/x/text v0.41.0
)

require (
	github.com/stretchr/testify v1.12.1
	go.yaml.in/yaml/v3 v3.0.5 // indirect
)

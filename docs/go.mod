// This file keeps the pages and their pictures out of the module that programs download.
module github.com/jpayment-go/jpayment/docs

go 1.25.0

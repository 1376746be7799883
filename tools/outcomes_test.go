package tools

import (
	"testing"

	"github.com/jpayment-go/jpayment"
)

// generators write the generated parts of the pages by their names.
var generators = map[string]func(*testing.T, language) string{
	"refused-line": func(*testing.T, language) string {
		return "```\n" + (&jpayment.GatewayError{Call: jpayment.Call{Operation: jpayment.OpSales, PaymentID: "10000001", Attempts: 1}, Code: jpayment.CodeSourceIP}).Error() + "\n```\n"
	},
}

// Client captures a payment with the package jpayment.
package main

import (
	"context"
	"fmt"
	"os"

	"github.com/jpayment-go/jpayment"
)

func main() {
	client, err := jpayment.NewClient("123456", jpayment.WithBaseURL(os.Args[1]))
	if err != nil {
		fmt.Println(err)
		return
	}
	res, err := client.Sales(context.Background(), jpayment.SalesRequest{PaymentID: os.Args[2]})
	fmt.Println(res, err)
}

package jpaymenttest

import (
	"fmt"
	"time"

	"github.com/jpayment-go/jpayment"
)

// Client returns a client of the server's shop, with the options after those that
// point it here. It tries again at once, where it tries again at all. Client panics
// if an option is not valid.
func (s *Server) Client(opts ...jpayment.Option) *jpayment.Client {
	here := []jpayment.Option{
		jpayment.WithBaseURL(s.URL),
		jpayment.WithRetry(jpayment.RetryPolicy{BaseDelay: time.Nanosecond, MaxDelay: time.Nanosecond}),
	}
	if s.connectionCode != "" {
		here = append(here, jpayment.WithConnectionAuth(s.connectionCode))
	}
	c, err := jpayment.NewClient(s.storeID, append(here, opts...)...)
	if err != nil {
		panic(fmt.Sprintf("jpaymenttest: Client: %v", err))
	}
	return c
}

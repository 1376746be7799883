package jpayment_test

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/jpayment-go/jpayment"
)

// The allocations of a call are bounded, with a little room for other Go releases and the
// race detector. They exclude net/http's transport, whose share varies.
func TestSalesAllocations(t *testing.T) {
	answer := roundTrip(func(*http.Request) (*http.Response, error) {
		return &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(salesOK))}, nil
	})
	c := newClient(t, jpayment.WithHTTPClient(&http.Client{Transport: answer}))
	ctx := t.Context()
	require.LessOrEqual(t, testing.AllocsPerRun(100, func() {
		if _, err := c.Sales(ctx, jpayment.SalesRequest{PaymentID: "10000001"}); err != nil {
			t.Error(err)
		}
	}), 48.0)
}

func TestParseReplyAllocations(t *testing.T) {
	of := func(reply string) float64 {
		row := []byte(reply)
		return testing.AllocsPerRun(100, func() {
			if _, err := jpayment.ParseReply(row); err != nil {
				t.Error(err)
			}
		})
	}
	require.LessOrEqual(t, of(salesOK), 2.0, "the text and the result")
	require.LessOrEqual(t, of(shiftJIS(t, "10000001,1,A00001,,20000001,注文7,1000,80,500,1580,,,")), 5.0)
}

func BenchmarkParseReply(b *testing.B) {
	row := []byte(salesOK)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := jpayment.ParseReply(row); err != nil {
			b.Fatal(err)
		}
	}
}

package jpayment_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/jpayment-go/jpayment"
)

// What a reply costs to read is exact, so that it can be asserted: the text and the
// result.
func TestParseReplyAllocations(t *testing.T) {
	row := []byte(salesOK)
	require.LessOrEqual(t, testing.AllocsPerRun(100, func() {
		if _, err := jpayment.ParseReply(row); err != nil {
			t.Error(err)
		}
	}), 2.0)
	sjis := []byte(shiftJIS(t, "10000001,1,A00001,,20000001,注文7,1000,80,500,1580,,,備考=表示"))
	require.LessOrEqual(t, testing.AllocsPerRun(100, func() {
		if _, err := jpayment.ParseReply(sjis); err != nil {
			t.Error(err)
		}
	}), 5.0)
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

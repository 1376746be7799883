package jpayment_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/jpayment-go/jpayment"
)

// The catalogue has exactly the codes of the public lists, each in both languages.
func TestKnownCodes(t *testing.T) {
	t.Parallel()
	known := 0
	check := func(code jpayment.Code) {
		if !code.Known() {
			return
		}
		known++
		m := code.Message()
		require.Regexp(t, `^[^\n]*[^.\n]$`, m.En, string(code))
		require.Regexp(t, `\p{Han}|\p{Hiragana}|\p{Katakana}`, m.Ja, string(code))
		require.Equal(t, code[0] == 'G', code.Class() == jpayment.ErrCardDeclined, string(code))
	}
	for n := range 1000 {
		check(jpayment.Code(fmt.Sprintf("ER%03d", n)))
		check(jpayment.Code(fmt.Sprintf("42C%03d000", n)))
	}
	for n := range 100 {
		check(jpayment.Code(fmt.Sprintf("G%02d42G%02d0000", n, n)))
	}
	require.Equal(t, 202, known, "the codes of the public lists, in catalogue.go")
}

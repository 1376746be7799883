package simulator

import (
	"fmt"
	"math"
	"reflect"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/jpayment-go/jpayment/internal/sim"
)

// An error of the gateway about a field uses the field's name in the API.
func TestFieldsAreNamedAsInTheAPI(t *testing.T) {
	t.Parallel()
	for want, f := range map[string]fault{
		`kind: "flood" is not one of`:   {Kind: "flood"},
		"operation: ":                   {Kind: "cut-reply", Operation: "SALES"},
		"nth: counts from 1":            {Kind: "cut-reply", Nth: -1},
		"probability: is not":           {Kind: "cut-reply", Probability: math.NaN()},
		"probability: cannot be":        {Kind: "cut-reply", Probability: .5, Nth: 1},
		"code: ":                        {Kind: "answer-code", Code: "er010"},
		"code: is not for cut-reply":    {Kind: "cut-reply", Code: "ER010"},
		"status: 600 is not between":    {Kind: "answer-status", Status: 600},
		"location: is not for":          {Kind: "cut-reply", Location: "/"},
		"body: is not for":              {Kind: "cut-reply", Body: "x"},
		"delay_ms: 0s is not":           {Kind: "delay-reply"},
		"delay_ms: 1h0m0.001s is not":   {Kind: "delay-reply", Delay: 3_600_001},
		"delay_ms: 2562047h47m16.854s ": {Kind: "delay-reply", Delay: math.MaxInt64},
		"delay_ms: -2562047h47m16.854s": {Kind: "delay-reply", Delay: math.MinInt64},
	} {
		_, err := f.read()
		require.ErrorContains(t, err, want)
		require.True(t, strings.HasPrefix(err.Error(), want), err)
	}
	for _, in := range []struct{ of, api any }{{sim.Authorization{}, authorization{}}, {sim.Fault{}, fault{}}, {sim.Settings{}, settingsReply{}}} {
		for _, field := range reflect.VisibleFields(reflect.TypeOf(in.of)) {
			if field.Name == "Notify" {
				continue // only for programs
			}
			named, found := reflect.TypeOf(in.api).FieldByName(field.Name)
			require.True(t, found && named.Tag.Get("json") != "",
				"%T has no field %s with a JSON name: the HTTP interface cannot be told it, and its errors have no name there", in.api, field.Name)
		}
	}
}

// In the panel, an error about a field uses the text of its label.
func TestFieldsHaveTexts(t *testing.T) {
	t.Parallel()
	for field, key := range fieldTexts {
		require.Contains(t, texts, key, field)
	}
	for key, text := range texts {
		require.NotEmpty(t, text.En, key)
		require.NotEmpty(t, text.Ja, key)
	}
}

func TestVisible(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"":                   "",
		"注文 <b>":             "注文 <b>",
		`"`:                  `"`,
		"a\r\nb":             `"a\r\nb"`,
		"\x81\x40":           `"\x81@"`,
		"\u202Efdp.exe":      `"\u202efdp.exe"`,
		"\u200b":             `"\u200b"`,
		"\u3000":             `"\u3000"`,
		"\x00":               `"\x00"`,
		"\U000E0041":         `"\U000e0041"`,
		"\ufeff<script>\x1b": `"\ufeff<script>\x1b"`,
	} {
		require.Equal(t, want, visible(in))
	}
	require.Equal(t, "OK", brief("OK\r\n"))
	require.Len(t, []rune(brief(fmt.Sprintf("%0100d", 0))), 61)
}

func TestGrouped(t *testing.T) {
	t.Parallel()
	for n, want := range map[int64]string{0: "0", 999: "999", 1580: "1,580", 123456: "123,456", math.MaxInt64: "9,223,372,036,854,775,807"} {
		require.Equal(t, want, grouped(n))
	}
}

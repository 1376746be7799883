package privacytest_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/jpayment-go/jpayment/internal/privacytest"
)

type (
	open    struct{ text string }
	guarded struct{ text string }
)

// verbatim is formatted by a verb of fmt.
type verbatim struct {
	format string
	v      any
}

func (v verbatim) Format(f fmt.State, _ rune) { fmt.Fprintf(f, v.format, v.v) }

// Format protects the value except in unexported fields.
func (guarded) Format(f fmt.State, _ rune) { fmt.Fprint(f, "guarded") }

func TestLeaksAreFound(t *testing.T) {
	t.Parallel()
	for _, v := range []any{"canary", open{"canary"}, &open{"canary"}, guarded{"canary"}, errors.New("canary"), []byte("canary"), map[string]string{"canary": ""}} {
		require.NotEmpty(t, privacytest.Leaks(v, []string{"canary"}), "%T", v)
	}
	require.Empty(t, privacytest.Leaks(open{"nothing"}, []string{"canary"}))
	require.NotEmpty(t, privacytest.Leaks(1, []string{"canary"}, func(any) ([]byte, error) { return nil, errors.New("canary") }))
	for _, verb := range "vtbcdoOqxXUeEfFgGsw" {
		for _, flags := range []string{"", "+", "#", "0", " "} {
			for _, v := range []any{"canary", []byte("canary")} {
				require.NotEmpty(t, privacytest.Leaks(verbatim{"%" + flags + string(verb), v}, []string{"canary"}), "%T by %%%s%c", v, flags, verb)
			}
		}
	}
}

package jpayment

import (
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
)

func TestCatalogue(t *testing.T) {
	t.Parallel()
	form := regexp.MustCompile(`^(ER\d{3}|G(\d\d)42G(\d\d)0000|42C\d{6})$`)
	require.Len(t, catalogue, 202, "the codes of the public lists")
	for code, info := range catalogue {
		m := form.FindStringSubmatch(string(code))
		require.NotNil(t, m, code)
		require.Equal(t, m[2], m[3], code)
		require.Equal(t, code[0] == 'G', info.class == classDeclined, code)
		require.NotEmpty(t, info.en, code)
		require.NotContains(t, info.en, "\n", code)
		require.False(t, strings.HasSuffix(info.en, "."), code)
		require.True(t, utf8.ValidString(info.ja), code)
		require.Regexp(t, `\p{Han}|\p{Hiragana}|\p{Katakana}`, info.ja, code)
		if info.class == classLost {
			require.Equal(t, RetryUnknown, info.retry, "%s: look before trying again", code)
		}
	}
}

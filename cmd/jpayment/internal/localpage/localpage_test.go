package localpage_test

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/jpayment-go/jpayment/cmd/jpayment/internal/console"
	"github.com/jpayment-go/jpayment/cmd/jpayment/internal/localpage"
)

func TestLanguage(t *testing.T) {
	t.Parallel()
	for accepted, want := range map[string]console.Lang{
		"": console.English, "ja": console.Japanese, "ja-JP,ja;q=0.9,en-US;q=0.8": console.Japanese, "en-GB,ja": console.English, "fr-FR, JA;q=0.5": console.Japanese, "fr,de": console.English, "jam": console.English,
	} {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil)
		require.NoError(t, err)
		r.Header.Set("Accept-Language", accepted)
		require.Equal(t, want, localpage.Language(r), accepted)
		r.AddCookie(&http.Cookie{Name: localpage.LanguageCookie, Value: "xx"})
		require.Equal(t, want, localpage.Language(r), "an unknown choice counts as none")
	}
}

package localpage

import (
	_ "embed" // the style
	"net/http"
	"net/url"
	"regexp"
	"strings"

	"golang.org/x/text/unicode/norm"

	"github.com/jpayment-go/jpayment/cmd/jpayment/internal/console"
)

// Style is the style sheet of all pages.
//
//go:embed base.css
var Style []byte

// ServeStyle serves the style sheet.
func ServeStyle(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/css; charset=utf-8")
	_, _ = w.Write(Style) // the client may be gone
}

// LanguageCookie is the cookie with the language that was chosen on a page.
const LanguageCookie = "language"

// Language returns the language chosen on a page. If none was chosen, it returns the browser's
// preferred one among those supported, or English.
func Language(r *http.Request) console.Lang {
	if c, err := r.Cookie(LanguageCookie); err == nil && speaks(console.Lang(c.Value)) {
		return console.Lang(c.Value)
	}
	for accepted := range strings.SplitSeq(r.Header.Get("Accept-Language"), ",") {
		tag, _, _ := strings.Cut(accepted, ";") // browsers send tags in order of preference
		primary, _, _ := strings.Cut(strings.ToLower(strings.TrimSpace(tag)), "-")
		if speaks(console.Lang(primary)) {
			return console.Lang(primary)
		}
	}
	return console.English
}

// LanguageOr returns the language chosen on a page. If none was chosen, it returns given, unless
// that is empty; otherwise it behaves like [Language].
func LanguageOr(r *http.Request, given console.Lang) console.Lang {
	if _, err := r.Cookie(LanguageCookie); err != nil && given != "" {
		return given
	}
	return Language(r)
}

func speaks(l console.Lang) bool { return l == console.Japanese || l == console.English }

// ChooseLanguage returns a handler that remembers the language in a form for the pages below
// home. It redirects the browser to the page it came from, or to home if that is not one of the
// pages.
func ChooseLanguage(home string, pages *regexp.Regexp) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		r.Body = http.MaxBytesReader(w, r.Body, 64<<10)
		language := r.PostFormValue("language")
		if !speaks(console.Lang(language)) {
			http.Error(w, "no such language", http.StatusBadRequest)
			return
		}
		Remember(w, home, LanguageCookie, language)
		http.Redirect(w, r, pageOf(home, pages, r.PostFormValue("next")), http.StatusSeeOther) //nolint:gosec // The URL is one of the pages.
	}
}

// pageOf returns the page in a URL, with its query, or home if it is not one of the pages. A
// browser might take anything else for another host.
func pageOf(home string, pages *regexp.Regexp, text string) string {
	path, query, _ := strings.Cut(text, "?")
	if !pages.MatchString(path) {
		return home
	}
	values, err := url.ParseQuery(query)
	if err != nil || len(values) == 0 {
		return path
	}
	return path + "?" + values.Encode()
}

// Remember stores a value that is not secret in the browser for a year.
func Remember(w http.ResponseWriter, path, name, value string) {
	http.SetCookie(w, &http.Cookie{ //nolint:gosec // Not a secret, and the pages have no TLS.
		Name: name, Value: value, Path: path, MaxAge: 365 * 24 * 60 * 60,
		HttpOnly: true, SameSite: http.SameSiteStrictMode,
	})
}

// Folded normalises a text for comparison: upper and lower case are equal, and so are
// full-width and half-width characters.
func Folded(s string) string { return strings.ToLower(norm.NFKC.String(s)) }

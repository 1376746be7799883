package jpayment

import (
	"fmt"
	"log/slog"
	"net/url"
	"strconv"
	"strings"
)

// Secret holds text that is redacted when printed, logged or marshalled: it shows as
// [redacted], or as nothing if it is empty. The text lies behind a pointer, since fmt
// prints the unexported fields of a struct without calling their methods.
type Secret struct{ text *string }

// NewSecret returns a secret with the text.
func NewSecret(text string) Secret {
	if text == "" {
		return Secret{}
	}
	return Secret{&text}
}

// Reveal returns the text.
func (s Secret) Reveal() string {
	if s.text == nil {
		return ""
	}
	return *s.text
}

// IsZero reports whether the secret is empty.
func (s Secret) IsZero() bool { return s.text == nil }

// String returns [redacted], or nothing if the secret is empty.
func (s Secret) String() string {
	if s.text == nil {
		return ""
	}
	return "[redacted]"
}

// GoString returns what String does.
func (s Secret) GoString() string { return strconv.Quote(s.String()) }

// MarshalText returns what String does, which keeps secrets out of JSON.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// EncodeValues adds the text under the key, for go-querystring.
func (s Secret) EncodeValues(key string, v *url.Values) error {
	(*v)[key] = []string{s.Reveal()}
	return nil
}

// errNotMarshalled is for requests, which hold private data. To redact the data would
// lose it in silence for those who store the text.
var errNotMarshalled = textError{Text{
	"jpayment: a request holds private data and is not marshalled whole; marshal what you need of it",
	"jpayment: リクエストは個人情報を含むため、そのままでは変換できません。必要な項目だけを取り出してください",
}}

// printPublic writes what a value logs, in place of all that it holds.
func printPublic(f fmt.State, name string, v slog.Value) {
	attrs := make([]string, 0, len(v.Group()))
	for _, a := range v.Group() {
		attrs = append(attrs, fmt.Sprintf("%s:%v", a.Key, a.Value))
	}
	fmt.Fprintf(f, "%s{%s}", name, strings.Join(attrs, " "))
}

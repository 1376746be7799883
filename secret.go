package jpayment

import (
	"fmt"
	"log/slog"
	"net/url"
	"strconv"
	"strings"
)

// Secret holds text that is redacted when printed, logged or marshalled: the output is
// [redacted], or empty if the secret is empty.
type Secret struct {
	text *string // A pointer, since fmt prints unexported fields without calling their methods.
}

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

// String returns "[redacted]", or "" if the secret is empty.
func (s Secret) String() string {
	if s.text == nil {
		return ""
	}
	return "[redacted]"
}

// GoString returns what String returns, quoted.
func (s Secret) GoString() string { return strconv.Quote(s.String()) }

// MarshalText returns what String returns, which keeps secrets out of JSON.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// EncodeValues adds the text to v under the key. It implements the Encoder of go-querystring.
func (s Secret) EncodeValues(key string, v *url.Values) error {
	(*v)[key] = []string{s.Reveal()}
	return nil
}

// errNotMarshalled is the error of marshalling a request. Redacting the private data would
// silently lose it for callers who store the text.
var errNotMarshalled = textError{Text{
	"jpayment: a request holds private data and cannot be marshalled; marshal only the fields that you need",
	"jpayment: リクエストは個人情報を含むため、そのままでは変換できません。必要な項目だけを取り出してください",
}}

// printPublic writes the attributes that the value logs, instead of all its fields.
func printPublic(f fmt.State, name string, v slog.Value) {
	attrs := make([]string, 0, len(v.Group()))
	for _, a := range v.Group() {
		attrs = append(attrs, fmt.Sprintf("%s:%v", a.Key, a.Value))
	}
	fmt.Fprintf(f, "%s{%s}", name, strings.Join(attrs, " "))
}

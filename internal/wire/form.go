package wire

import (
	"net/url"
	"slices"
	"strings"
)

// EncodeForm returns the values, which are UTF-8, as the body of a form in the
// character set, in the order of their keys. A space goes out as %20: a form's
// decoder and a plain URL decoder both read it as one, which + is not, and a + in
// data that the gateway echoes is then always a plus.
func EncodeForm(v url.Values, c Charset) (string, error) {
	keys := make([]string, 0, len(v))
	for key := range v {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	var b strings.Builder
	b.Grow(128)
	for _, key := range keys {
		k, err := c.Encode(key)
		if err != nil {
			return "", err
		}
		for _, value := range v[key] {
			s, err := c.Encode(value)
			if err != nil {
				return "", err
			}
			if b.Len() > 0 {
				b.WriteByte('&')
			}
			b.WriteString(escape(k))
			b.WriteByte('=')
			b.WriteString(escape(s))
		}
	}
	return b.String(), nil
}

func escape(s string) string {
	return strings.ReplaceAll(url.QueryEscape(s), "+", "%20")
}

package wire

import (
	"errors"
	"net/url"
	"slices"
	"strings"
)

// EncodeForm returns the values, which are UTF-8, as the body of a form in the character set,
// in the order of their keys. It encodes a space as %20, which form decoders and URL decoders
// both read as a space (docs/protocol.md, assumption 14). A + in data that the gateway returns
// is then always a plus sign.
func EncodeForm(v url.Values, c Charset) (string, error) {
	var room [16]string // on the stack
	keys := room[:0]
	for key := range v {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	var b strings.Builder
	b.Grow(128)
	for _, key := range keys {
		k, err := c.escape(key)
		if err != nil {
			return "", err
		}
		for _, value := range v[key] {
			s, err := c.escape(value)
			if err != nil {
				return "", err
			}
			if b.Len() > 0 {
				b.WriteByte('&')
			}
			b.WriteString(k)
			b.WriteByte('=')
			b.WriteString(s)
		}
	}
	return b.String(), nil
}

func (c Charset) escape(s string) (string, error) {
	if IsAlnum(s) { // as most is
		return s, nil
	}
	enc, bad := c.Encode(s)
	if bad != nil {
		return "", errors.New(bad.En)
	}
	return strings.ReplaceAll(url.QueryEscape(enc), "+", "%20"), nil
}

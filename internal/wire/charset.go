// Package wire encodes and decodes the bytes of the gateway's protocol: character sets, the
// form of a request and the row of a reply. It knows nothing about payments.
package wire

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding/japanese"
)

// Text is a fault in English and Japanese; it follows a name in a sentence.
type Text struct{ En, Ja string }

// Charset is a character set of the wire.
type Charset int

// The character sets that the gateway is known to use. ShiftJIS is Windows-31J,
// the superset of Shift_JIS that Japanese systems mean by that name.
const (
	UTF8 Charset = iota
	ShiftJIS
)

// String returns the name that HTTP gives the character set.
func (c Charset) String() string {
	switch c {
	case UTF8:
		return "UTF-8"
	case ShiftJIS:
		return "Shift_JIS"
	default:
		return fmt.Sprintf("Charset(%d)", int(c))
	}
}

// Encode returns s, which must be UTF-8, in the character set. It replaces nothing: a text
// that would not decode to the same text is a fault. The fault gives the position, counted in
// characters from 1, and never the text.
func (c Charset) Encode(s string) (string, *Text) {
	if !utf8.ValidString(s) {
		return "", &Text{"is not valid UTF-8", "がUTF-8ではありません"}
	}
	if c == UTF8 || IsASCII(s) {
		return s, nil
	}
	if enc, ok := encodeShiftJIS(s); ok {
		return enc, nil
	}
	n := 0
	for _, r := range s {
		n++
		if _, ok := encodeShiftJIS(string(r)); !ok {
			break
		}
	}
	return "", &Text{
		fmt.Sprintf("has a character (the %s) that cannot be written in %s", ordinal(n), c),
		fmt.Sprintf("の%d文字目は%sで表せません", n, c),
	}
}

// ordinal returns 1st, 2nd, 3rd and so on.
func ordinal(n int) string {
	suffix := "th"
	if n%100 < 11 || n%100 > 13 {
		switch n % 10 {
		case 1:
			suffix = "st"
		case 2:
			suffix = "nd"
		case 3:
			suffix = "rd"
		}
	}
	return fmt.Sprint(n, suffix)
}

// encodeShiftJIS also reports whether the result decodes to the same text. The encoder maps a
// few characters to others, such as the yen sign to the backslash.
func encodeShiftJIS(s string) (enc string, ok bool) {
	enc, err := japanese.ShiftJIS.NewEncoder().String(s)
	if err != nil {
		return "", false
	}
	back, err := japanese.ShiftJIS.NewDecoder().String(enc)
	return enc, err == nil && back == s
}

// Decode returns s, which is in the character set, as UTF-8. It replaces unreadable bytes
// with U+FFFD; ok reports whether there were none.
func (c Charset) Decode(s string) (text string, ok bool) {
	switch {
	case IsASCII(s):
		return s, true
	case c == UTF8:
		return strings.ToValidUTF8(s, "\uFFFD"), utf8.ValidString(s)
	default:
		return decodeShiftJIS([]byte(s))
	}
}

// DecodeBytes is Decode for bytes.
func (c Charset) DecodeBytes(b []byte) (text string, ok bool) {
	if c == ShiftJIS {
		return decodeShiftJIS(b)
	}
	return c.Decode(string(b))
}

func decodeShiftJIS(b []byte) (text string, ok bool) {
	dst := make([]byte, 3*len(b)) // A half-width kana of one byte takes three.
	n, _, err := japanese.ShiftJIS.NewDecoder().Transform(dst, b, true)
	text = string(dst[:n])
	return text, err == nil && !strings.ContainsRune(text, utf8.RuneError)
}

// Detect guesses the character set of s: UTF-8 if the bytes are valid UTF-8, else Shift_JIS
// (docs/protocol.md, assumption 21).
func Detect[T string | []byte](s T) Charset {
	if utf8.Valid([]byte(s)) {
		return UTF8
	}
	return ShiftJIS
}

// IsASCII reports whether s is ASCII, which is the same in every character set.
func IsASCII[T string | []byte](s T) bool {
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

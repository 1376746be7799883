package sim

import (
	"mime"
	"net/http"
	"strconv"
	"strings"

	"github.com/jpayment-go/jpayment/internal/wire"
)

// maxOtherData bounds the merchant's other data, in bytes (specification, その他データ).
const maxOtherData = 1024

// maxParams bounds the parameters of a request. One more could not be part of a request
// that is allowed: beside those of the protocol, which are not repeated, this many take
// more than maxOtherData.
const maxParams = 400

// Param is one parameter of a request, decoded.
type Param struct{ Key, Value string }

// Form holds the parameters of a request in the order received.
type Form []Param

// Get returns the value of the first parameter of that name, or nothing.
func (f Form) Get(key string) string {
	for _, p := range f {
		if p.Key == key {
			return p.Value
		}
	}
	return ""
}

func (f Form) count(key string) int {
	n := 0
	for _, p := range f {
		if p.Key == key {
			n++
		}
	}
	return n
}

// otherData returns the parameters that are the merchant's own (その他データ).
func (f Form) otherData() []Param {
	var other []Param
	for _, p := range f {
		if !ownedByProtocol(p.Key) {
			other = append(other, p)
		}
	}
	return other
}

func ownedByProtocol(key string) bool {
	switch key {
	case "aid", "jb", "rt", "tid", "am", "tx", "sf", "em", "pn", "ut", "hak":
		return true
	default:
		return false
	}
}

// input is what the gateway reads of a request.
type input struct {
	form      Form
	faulty    bool // not key=value pairs, not decodable, or a protocol parameter repeated
	otherSize int  // bytes of other data as k=v&k=v, decoded, in the character set of the request
}

// wantsRow reports whether the answer is a row (決済結果返信方法, rt).
func (in input) wantsRow() bool {
	return in.form.count("rt") == 1 && in.form.Get("rt") == "1"
}

func (s *Simulator) read(r *http.Request, body []byte) input {
	switch r.Method {
	case http.MethodGet:
		return readForm(r.URL.RawQuery, s.config.RequestCharset)
	case http.MethodPost:
		mediaType, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
		if err != nil || mediaType != "application/x-www-form-urlencoded" {
			return input{}
		}
		return readForm(string(body), s.config.RequestCharset)
	default:
		return input{}
	}
}

// readForm decodes raw as far as it goes: a form that is faulty in one place may
// still tell whose it is and which answer it asks for.
func readForm(raw string, charset wire.Charset) input {
	var in input
	if raw == "" {
		return in
	}
	if len(raw) > maxBody {
		in.faulty = true
	}
	for pair := range strings.SplitSeq(raw, "&") {
		if len(in.form) == maxParams {
			in.faulty = true
			break
		}
		rawKey, rawValue, found := strings.Cut(pair, "=")
		keyBytes, keyOK := unescape(rawKey)
		valueBytes, valueOK := unescape(rawValue)
		key, keyReadable := charset.Decode(keyBytes)
		value, valueReadable := charset.Decode(valueBytes)
		if !found || key == "" || !keyOK || !valueOK || !keyReadable || !valueReadable {
			in.faulty = true
			continue
		}
		switch {
		case !ownedByProtocol(key):
			if in.otherSize > 0 {
				in.otherSize++ // the & between
			}
			in.otherSize += len(keyBytes) + 1 + len(valueBytes)
		case in.form.count(key) > 0:
			in.faulty = true
		}
		in.form = append(in.form, Param{key, value})
	}
	return in
}

// unescape undoes form encoding. It reports whether s was encoded as it must be:
// each % begins an escape, and spaces and control characters are escaped.
func unescape(s string) (string, bool) {
	var b strings.Builder
	b.Grow(len(s))
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '+':
			b.WriteByte(' ')
		case c == '%':
			if i+2 >= len(s) {
				return "", false
			}
			high, highOK := fromHex(s[i+1])
			low, lowOK := fromHex(s[i+2])
			if !highOK || !lowOK {
				return "", false
			}
			b.WriteByte(high<<4 | low)
			i += 2
		case c <= ' ' || c == 0x7f:
			return "", false
		default:
			b.WriteByte(c)
		}
	}
	return b.String(), true
}

func fromHex(c byte) (value byte, ok bool) {
	switch {
	case '0' <= c && c <= '9':
		return c - '0', true
	case 'A' <= c && c <= 'F':
		return c - 'A' + 10, true
	case 'a' <= c && c <= 'f':
		return c - 'a' + 10, true
	default:
		return 0, false
	}
}

// isDigits reports whether s is one or more half-width digits (半角数字) and nothing
// else.
func isDigits(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return s != ""
}

// IsStoreID reports whether s is six half-width digits.
func IsStoreID(s string) bool { return len(s) == 6 && isDigits(s) }

// isEmail reports whether s is printable ASCII of at most 254 bytes with one @
// inside.
func isEmail(s string) bool {
	for i := range len(s) {
		if s[i] <= ' ' || s[i] >= 0x7f {
			return false
		}
	}
	local, domain, found := strings.Cut(s, "@")
	return found && local != "" && domain != "" && !strings.Contains(domain, "@") && len(s) <= 254
}

// parseDigits reads a number of half-width digits that fits an int64.
func parseDigits(s string) (int64, bool) {
	if !isDigits(s) {
		return 0, false
	}
	n, err := strconv.ParseInt(s, 10, 64)
	return n, err == nil
}

package sim

import (
	"bytes"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/jpayment-go/jpayment/internal/wire"
)

// maxOtherData bounds the merchant's other data, in bytes (specification, "その他データ").
const maxOtherData = 1024

// maxParams bounds the number of parameters in a request. A valid request has fewer: beside
// those of the protocol, this many would exceed maxOtherData.
const maxParams = 400

// Param is one parameter of a request, decoded.
type Param struct{ Key, Value string }

// Form holds the parameters of a request in the order received.
type Form []Param

// Get returns the value of the first parameter with the name, or "".
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

// input is a request as the gateway reads it.
type input struct {
	form      Form
	faulty    bool // not key=value pairs, not decodable, or a protocol parameter repeated
	otherSize int  // bytes of other data as k=v&k=v, in the character set of the request
	row       bool // the answer is a row (決済結果返信方法, rt)
}

// read reads the parameters of a request from its query and its form. The part that the
// gateway ignores may still say which form of answer is wanted.
func (s *Simulator) read(r *http.Request, body []byte) input {
	reader := formReader{Behaviour: s.config.Behaviour, charset: charsetOf(s.config.RequestCharset)}
	urlencoded := formReader{Behaviour: reader.Behaviour, charset: reader.charset}
	switch r.Method {
	case http.MethodGet:
		reader.query(r.URL.RawQuery)
		urlencoded = reader
	case http.MethodPost:
		reader.query(r.URL.RawQuery)
		switch mediaType, params, err := mime.ParseMediaType(r.Header.Get("Content-Type")); {
		case err != nil:
		case mediaType == "application/x-www-form-urlencoded":
			reader.query(string(body))
			urlencoded.query(string(body))
		case mediaType == "multipart/form-data":
			reader.multipart(body, params["boundary"])
		}
	}
	in := reader.input
	if s.config.PostForms == "urlencoded" {
		in = urlencoded.input
	}
	in.row = in.form.count("rt") == 1 && in.form.Get("rt") == "1"
	if s.config.RowFor == "any" {
		in.row = slices.Contains(reader.form, Param{"rt", "1"})
	}
	return in
}

// formReader decodes as many parameters as it can: a form with a fault may still name its
// store and the form of the answer.
type formReader struct {
	Behaviour

	charset wire.Charset
	input
}

// query reads pairs of key=value.
func (f *formReader) query(raw string) {
	if raw == "" {
		return
	}
	if len(raw) > maxBody {
		f.faulty = true
	}
	for pair := range strings.SplitSeq(raw, "&") {
		rawKey, rawValue, found := strings.Cut(pair, "=")
		if f.LoosePairs == "taken" && pair == "" {
			continue
		}
		if !found && f.LoosePairs == "refused" {
			f.faulty = true
			continue
		}
		key, keyOK := unescape(rawKey)
		value, valueOK := unescape(rawValue)
		if !keyOK || !valueOK {
			f.faulty = true
			continue
		}
		size := len(key) + 1 + len(value)
		if f.OtherCounted == "after" {
			size = len(rawKey) + 1 + len(rawValue)
		}
		if !f.add(key, value, size) {
			return
		}
	}
}

// multipart reads the parts of a form except files. They are not escaped.
func (f *formReader) multipart(body []byte, boundary string) {
	if len(body) > maxBody {
		f.faulty = true
	}
	parts := multipart.NewReader(bytes.NewReader(body), boundary)
	for {
		part, err := parts.NextRawPart()
		if err == io.EOF { //nolint:errorlint // An end that was cut off wraps it.
			return
		}
		var value []byte
		if err == nil {
			value, err = io.ReadAll(part)
		}
		if err != nil {
			f.faulty = true
			return
		}
		key := part.FormName()
		if part.FileName() == "" && !f.add(key, string(value), len(key)+1+len(value)) {
			return
		}
	}
}

// add adds one parameter, whose bytes are in the character set of the request. It reports
// whether more parameters are allowed.
func (f *formReader) add(keyBytes, valueBytes string, size int) bool {
	if len(f.form) == maxParams {
		f.faulty = true
		return false
	}
	key, keyReadable := f.charset.Decode(keyBytes)
	value, valueReadable := f.charset.Decode(valueBytes)
	if key == "" || !keyReadable || !valueReadable {
		f.faulty = true
		return true
	}
	switch {
	case !ownedByProtocol(key):
		if f.otherSize > 0 {
			f.otherSize++ // the & between
		}
		f.otherSize += size
	case f.form.count(key) > 0:
		f.faulty = true
	}
	f.form = append(f.form, Param{key, value})
	return true
}

// unescape decodes a form-encoded string. It reports whether s was encoded correctly: each %
// begins an escape, and spaces and control characters are escaped.
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

package jpayment

import (
	"fmt"
	"log/slog"
	"maps"
	"net/url"
	"strconv"
	"strings"

	"github.com/jpayment-go/jpayment/internal/token"
	"github.com/jpayment-go/jpayment/internal/wire"
)

// reserved are the parameter names of the protocol, in lower case. Other data under such a
// name would change the request, or look like part of the result in a kickback.
var reserved = []string{
	"aid", "jb", "rt", "tid", "am", "tx", "sf", "em", "pn", // request
	"ut", "hak", // connection authentication
	"gid", "rst", "ap", "ec", "god", "cod", "ta", "id", "ps", "acid", // result
	token.Param, // this package's own
}

// Extra is free-form data of the merchant (その他データ). The gateway keeps it with the
// payment and returns it with the result. Each pair is sent as a parameter of its own.
//
// The limit is 1,024 bytes, counted as key=value&key=value in the character set of the wire
// before escaping. A key must not be empty, contain control characters or equal a parameter
// name of the protocol, ignoring case. A value may be any text, including line breaks.
//
// Like a [Secret], an Extra does not show its values: it prints, logs and marshals as the
// number of its keys. The zero value is empty.
type Extra struct {
	pairs **map[string]string // Two pointers, since fmt follows one.
}

// NewExtra returns an Extra with a copy of the pairs.
func NewExtra(pairs map[string]string) Extra {
	if len(pairs) == 0 {
		return Extra{}
	}
	pairs = maps.Clone(pairs)
	p := &pairs
	return Extra{&p}
}

// Reveal returns a copy of the pairs, or nil if there are none.
func (e Extra) Reveal() map[string]string { return maps.Clone(e.all()) }

// Get returns the value of the key, or "" if there is none.
func (e Extra) Get(key string) string { return e.all()[key] }

func (e Extra) all() map[string]string {
	if e.pairs == nil {
		return nil
	}
	return **e.pairs
}

// LogValue returns the number of keys.
func (e Extra) LogValue() slog.Value { return slog.IntValue(len(e.all())) }

// Format writes the number of keys, whatever the verb.
func (e Extra) Format(f fmt.State, _ rune) { fmt.Fprintf(f, "%d keys", len(e.all())) }

// MarshalText returns the number of keys.
func (e Extra) MarshalText() ([]byte, error) {
	return []byte(strconv.Itoa(len(e.all())) + " keys"), nil
}

// EncodeValues adds each pair to v under its own key. It implements the Encoder of
// go-querystring.
func (e Extra) EncodeValues(_ string, v *url.Values) error {
	for key, value := range e.all() {
		(*v)[key] = []string{value}
	}
	return nil
}

// parseExtra parses the key=value&key=value of a reply. Values may be percent-encoded or not
// (docs/protocol.md, assumption 35), so a value that cannot be decoded is kept unchanged. A +
// is a plus sign, since spaces are sent as %20.
func parseExtra(s string) Extra {
	if s == "" {
		return Extra{}
	}
	pairs := map[string]string{}
	for pair := range strings.SplitSeq(s, "&") {
		key, value, _ := strings.Cut(pair, "=")
		if key != "" || value != "" {
			pairs[unescape(key)] = unescape(value)
		}
	}
	return NewExtra(pairs)
}

func unescape(s string) string {
	raw, err := url.PathUnescape(s)
	if err != nil || raw == s {
		return s
	}
	text, ok := wire.Detect(raw).Decode(raw)
	if !ok {
		return s
	}
	return text
}

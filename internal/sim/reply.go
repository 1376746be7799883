package sim

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"github.com/jpayment-go/jpayment/internal/wire"
)

// result is a decision of the gateway: done, or a refusal with its code.
type result struct {
	code    string
	payment Payment // of a refusal, the requested one, if there is one
	other   []Param // the merchant's other data, to be returned

	byKickback bool // reported by kickback, not by the reply
}

func refusal(code string) result { return result{code: code} }

// answer is an HTTP answer. The zero value means no answer.
type answer struct {
	status      int
	contentType string
	location    string
	length      int    // what Content-Length promises
	body        []byte // what is sent
}

// reply returns the result in the requested form: a row for rt=1
// (specification, "レスポンス(rt=1)仕様"), or the short form for rt=0 (docs/protocol.md,
// "Other shapes"). The status is 200 even for a refusal (docs/protocol.md, assumption 11).
func (s *Simulator) reply(res result, in input, charset wire.Charset) answer {
	var text string
	status := http.StatusOK
	if res.code != "" && !res.byKickback {
		status = s.config.RefusalStatus
	}
	switch {
	case in.row:
		text = s.row(res)
	case res.code != "" && !res.byKickback:
		text = res.code
		if s.config.ShortRefusal == "prefixed" {
			text = "ER:" + text
		}
	default:
		text = "OK"
		if s.config.Acceptance == "number" {
			text += "," + in.form.Get("tid")
		}
	}
	body := []byte(encode(text+lineEnds[s.config.LineEnd], charset))
	return answer{
		status:      status,
		contentType: "text/html; charset=" + charsetOf(s.config.ReplyCharset).String(),
		length:      len(body),
		body:        body,
	}
}

// row returns the columns gid, rst, ap, ec, god, cod, am, tx, sf, ta, id, ps and the other
// data. id and ps are for content sales only and stay empty.
func (s *Simulator) row(res result) string {
	columns := res.columns(s.config.RefusalRow == "payment")
	switch s.config.OrderComma {
	case "escaped":
		columns[orderNumberColumn] = strings.ReplaceAll(columns[orderNumberColumn], ",", "%2C")
	case "dropped":
		columns[orderNumberColumn] = strings.ReplaceAll(columns[orderNumberColumn], ",", "")
	}
	columns = append(columns, "", "")
	other := ""
	if res.code == "" || s.config.RefusalRow == "payment" {
		other = s.otherData(res.other)
	}
	switch {
	case s.config.Columns == 14:
		columns = append(columns, "0", other)
	case s.config.Columns == 11 && other == "":
		columns = columns[:11]
	default:
		columns = append(columns, other)
	}
	return strings.Join(columns, ",")
}

// columns returns gid, rst, ap, ec, god, cod, am, tx, sf and ta, which rows and kickbacks
// have in common.
func (res result) columns(tell bool) []string {
	p := res.payment
	columns := []string{
		p.ID, "1", p.ApprovalCode, "", p.OrderCode, p.OrderNumber,
		yen(p.Amount), yen(p.Tax), yen(p.Shipping), yen(p.Amount + p.Tax + p.Shipping),
	}
	if res.code == "" {
		return columns
	}
	if !tell || p.ID == "" {
		return []string{"0", "2", "", res.code, "", "", "0", "0", "0", "0"}
	}
	columns[1], columns[2], columns[3] = "2", "", res.code
	return columns
}

// The places of gid and cod among the columns.
const (
	paymentColumn     = 0
	orderNumberColumn = 5
)

func yen(n int64) string { return strconv.FormatInt(n, 10) }

func (s *Simulator) otherData(params []Param) string {
	if s.config.OtherData == "escaped" {
		text := Query(params, charsetOf(s.config.ReplyCharset))
		if s.config.RowSpace == "plus" {
			text = strings.ReplaceAll(text, "%20", "+")
		}
		return text
	}
	pairs := make([]string, len(params))
	for i, p := range params {
		pairs[i] = p.Key + "=" + p.Value
	}
	return strings.Join(pairs, "&")
}

func escape(s string) string {
	var b strings.Builder
	for i := range len(s) {
		switch c := s[i]; {
		case '0' <= c && c <= '9', 'A' <= c && c <= 'Z', 'a' <= c && c <= 'z',
			c == '-', c == '.', c == '_', c == '~':
			b.WriteByte(c)
		default:
			fmt.Fprintf(&b, "%%%02X", c)
		}
	}
	return b.String()
}

// encode returns the text in the character set, with question marks for characters that it
// lacks.
func encode(text string, charset wire.Charset) string {
	if s, err := charset.Encode(text); err == nil {
		return s
	}
	var b strings.Builder
	for _, r := range text {
		s, err := charset.Encode(string(r))
		if err != nil {
			s = "?"
		}
		b.WriteString(s)
	}
	return b.String()
}

// page returns the page that a web server in front of the gateway shows for a status.
func page(status int) answer {
	if status == http.StatusNoContent || status == http.StatusNotModified {
		return answer{status: status, contentType: "text/html"} // HTTP forbids a body
	}
	body := fmt.Appendf(nil, "<html><head><title>%[1]d</title></head><body><h1>%[1]d %[2]s</h1></body></html>\n",
		status, http.StatusText(status))
	return answer{status: status, contentType: "text/html", length: len(body), body: body}
}

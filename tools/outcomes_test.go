package tools

import (
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"go/constant"
	"io"
	"maps"
	"math"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"testing/iotest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/jpayment-go/jpayment"
	"github.com/jpayment-go/jpayment/jpaymenttest"
)

// generators are the functions that write the generated parts of the pages, by name.
var generators = map[string]func(*testing.T, language) string{
	"refused-line": func(*testing.T, language) string { return lines(refused) },
	"lines": func(*testing.T, language) string {
		lost := &jpayment.TransportError{Call: sales, Err: io.EOF}
		again := jpayment.Call{Operation: sales.Operation, PaymentID: sales.PaymentID, Attempts: 2, Earlier: lost}
		return lines(refused, lost, &jpayment.GatewayError{Call: again, Code: jpayment.CodeCaptureFailed})
	},
	"validation": listed(invalid),
	"causes":     listed(causes),
	"replies":    listed(replies),
	"kickbacks":  listed(kickbacks),
	"next":       listed(nextSteps),
	"codes":      codeTables,
	"policy":     policyTable,
	"reasons":    reasonTable,

	"assumptions": assumptionList,
	"settings":    settingTable,
	"faults":      faultTable,
}

// in returns the text in the language.
func (l language) in(t jpayment.Text) string {
	if l == japanese {
		return t.Ja
	}
	return t.En
}

var (
	operations = []jpayment.Operation{jpayment.OpSales, jpayment.OpCancel, jpayment.OpReAuth, jpayment.OpReAuthByKickback}
	sales      = jpayment.Call{Operation: jpayment.OpSales, PaymentID: "10000001", Attempts: 1}
	refused    = &jpayment.GatewayError{Call: sales, Code: jpayment.CodeSourceIP}
)

// lines formats errors as they are printed.
func lines(errs ...error) string { return "```\n" + errors.Join(errs...).Error() + "\n```\n" }

// listed writes each text once. A Japanese page has the English too, since error lines are
// in English.
func listed(texts func(*testing.T) []jpayment.Text) func(*testing.T, language) string {
	return func(t *testing.T, l language) string {
		var b strings.Builder
		met := map[jpayment.Text]bool{}
		for _, text := range texts(t) {
			if !met[text] {
				met[text] = true
				b.WriteString("- `" + text.En + "`" + l.in(jpayment.Text{Ja: "：" + text.Ja}) + "\n")
			}
		}
		return b.String()
	}
}

// invalid returns the messages for invalid requests.
func invalid(t *testing.T) (all []jpayment.Text) {
	t.Helper()
	client := newClient(t, answer{}, jpayment.WithCharset(jpayment.ShiftJIS))
	extra := func(key, value string) jpayment.Extra { return jpayment.NewExtra(map[string]string{key: value}) }
	for _, r := range []jpayment.ReAuthRequest{
		{Amount: -1, Tax: -1, Shipping: -1, Email: jpayment.NewSecret(strings.Repeat("a", 255)), Phone: jpayment.NewSecret("03-1"), Extra: extra("", "")},
		{PaymentID: "１", Amount: math.MaxInt64, Tax: 1, Email: jpayment.NewSecret("あ@b"), Phone: jpayment.NewSecret("0312345678901234"), Extra: extra("tid", "")},
		{PaymentID: "1 2", Email: jpayment.NewSecret("ab"), Phone: jpayment.NewSecret("1x"), Extra: extra("a\n", "")},
		{PaymentID: "x", Amount: 1, Phone: jpayment.NewSecret("１"), Extra: extra("\xff", "")},
		{Phone: jpayment.NewSecret("1 2"), Extra: extra("key", "\xff")},
		{PaymentID: strings.Repeat("1", 21), Extra: extra("😀", "")},
		{Extra: extra("key", "😀")},
		{Extra: extra("key", strings.Repeat("v", 1024))},
	} {
		_, err := client.Preview(t.Context(), jpayment.OpReAuth, r)
		var invalid *jpayment.ValidationError
		require.ErrorAs(t, err, &invalid)
		for _, f := range invalid.Fields {
			all = append(all, f.Text())
		}
	}
	slices.SortStableFunc(all, func(a, b jpayment.Text) int { // by the field
		return cmp.Compare(strings.Fields(a.En)[0], strings.Fields(b.En)[0])
	})
	return all
}

// causes returns the messages for failures of the transport.
func causes(*testing.T) (all []jpayment.Text) {
	for _, err := range []error{
		context.DeadlineExceeded, context.Canceled, io.EOF,
		&net.DNSError{Err: "no such host", Name: "credit.j-payment.co.jp"},
		&net.OpError{Op: "dial", Net: "tcp", Err: os.NewSyscallError("connect", syscall.ECONNREFUSED)},
		&net.OpError{Op: "dial", Net: "tcp", Err: os.NewSyscallError("connect", syscall.EHOSTUNREACH)},
		&net.OpError{Op: "read", Net: "tcp", Err: os.NewSyscallError("read", syscall.ECONNRESET)},
		&net.OpError{Op: "write", Net: "tcp", Err: os.NewSyscallError("write", syscall.EPIPE)},
		&net.OpError{Op: "remote error", Err: tls.AlertError(40)},
		http.ErrSchemeMismatch,
		&tls.CertificateVerificationError{Err: x509.UnknownAuthorityError{}},
		&tls.CertificateVerificationError{Err: x509.HostnameError{Certificate: &x509.Certificate{DNSNames: []string{"example.com"}}, Host: "credit.j-payment.co.jp"}},
		errors.New("it may contain anything"),
	} {
		all = append(all, jpayment.WhatOf(err))
	}
	return all
}

// answer is a transport that returns a fixed answer.
type answer struct {
	status int
	body   io.Reader
}

func (a answer) RoundTrip(*http.Request) (*http.Response, error) {
	return &http.Response{StatusCode: a.status, Body: io.NopCloser(a.body)}, nil
}

func body(text string) answer { return answer{http.StatusOK, strings.NewReader(text)} }

// newClient returns a client whose requests are answered without a network.
func newClient(t *testing.T, a answer, opts ...jpayment.Option) *jpayment.Client {
	t.Helper()
	c, err := jpayment.NewClient("123456", append(opts, jpayment.WithHTTPClient(&http.Client{Transport: a}))...)
	require.NoError(t, err)
	return c
}

// replies returns the messages for replies that do not count as an answer.
func replies(t *testing.T) (all []jpayment.Text) {
	t.Helper()
	add := func(_ any, err error) {
		var reply *jpayment.ReplyError
		if errors.As(err, &reply) {
			all = append(all, jpayment.Text{En: strings.TrimSpace(reply.Column + " " + reply.Reason.En), Ja: reply.Column + reply.Reason.Ja})
		}
	}
	one := jpayment.SalesRequest{PaymentID: "77"}
	add(newClient(t, answer{http.StatusServiceUnavailable, http.NoBody}).Sales(t.Context(), one))
	add(newClient(t, answer{http.StatusOK, iotest.ErrReader(io.ErrUnexpectedEOF)}).Sales(t.Context(), one))
	for _, text := range []string{
		"<html>", "", strings.Repeat("x", 1<<17), "NG", "ER:", "77,1", "77,1,A1,,88", "77,1,A1,,88,o,1",
		"7x,1,A1,,88,o,1,0,0,1,,,", "77,x,A1,,88,o,1,0,0,1,,,", "77,1,A1,,88,o,9223372036854775808,0,0,1,,,",
		"77,1,A-,,88,o,1,0,0,1,,,", "77,1,A1,,8-,o,1,0,0,1,,,", "77,2,,E-,88,o,1,0,0,1,,,", "77,1,A1,,88,\xff,1,0,0,1,,,", "77,1,A1,,88,o,0,0,0,0,0,,,",
		"77,3,A1,,88,o,1,0,0,1,,,", "77,2,,,88,o,1,0,0,1,,,", "77,1,A1,ER032,88,o,1,0,0,1,,,", "0,1,A1,,88,o,1,0,0,1,,,",
		"77,1,A1,,88,o,1,0,0,2,,,", "77,1,A1,,88,o,1,0,0,,,,", "78,1,A1,,88,o,1,0,0,1,,,", "OK",
	} {
		add(newClient(t, body(text)).Sales(t.Context(), one))
	}
	const success = "77,1,TestMod,,88,o,1,0,0,1,,,"
	add(newClient(t, body(success)).ReAuth(t.Context(), jpayment.ReAuthRequest{PaymentID: "1", Amount: 2}))
	add(nil, newClient(t, body(success)).ReAuthByKickback(t.Context(), jpayment.ReAuthRequest{PaymentID: "1", Amount: 1}))
	add(newClient(t, body(success), jpayment.WithProductionOnly()).Sales(t.Context(), one))
	return all
}

// kickbacks returns the messages for refused kickbacks.
func kickbacks(t *testing.T) (all []jpayment.Text) {
	t.Helper()
	key := []byte(strings.Repeat("k", 32))
	verifier, err := jpayment.NewKickbackVerifier("123456", 0, key)
	require.NoError(t, err)
	add := func(query string) {
		_, err := verifier.Verify(query, time.Now())
		all = append(all, jpayment.WhatOf(err))
	}
	for _, query := range []string{
		"", "gid=%zz&rst=1", "gid=%ff&rst=1", "gid=1&gid=2", "gid=x&rst=1", "gid=1&rst=x", "gid=1&rst=1&am=9223372036854775808",
		"gid=1&rst=2&ec=-", "gid=1&rst=1&ec=ER032", "gid=0&rst=1", "gid=1&rst=1&am=1&tx=0&sf=0&ta=2", "gid=1&rst=1", "gid=1&rst=1&jpk=x",
	} {
		add(query)
	}
	signed := func(storeID string, amount int64, at time.Time) {
		request := jpayment.KickbackRequest{StoreID: storeID, PaymentID: "1", Amount: amount, At: at}
		add(jpaymenttest.NewKickback("/", jpaymenttest.KickbackParams{PaymentID: "2", Amount: 1, Key: key, Request: request}).URL.RawQuery)
	}
	signed("123456", 1, time.Now().Add(-48*time.Hour))
	signed("123456", 1, time.Now().Add(time.Hour))
	signed("654321", 1, time.Now())
	signed("123456", 2, time.Now())
	return all
}

// codes returns all codes of the catalogue, in the order of the source, followed by the two
// kinds of unlisted codes.
func codes(t *testing.T) (all []jpayment.Code) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(repository, "*.go"))
	require.NoError(t, err)
	for _, file := range files {
		src, err := os.ReadFile(file)
		require.NoError(t, err)
		for _, m := range regexp.MustCompile(`"(\w+)"`).FindAllSubmatch(src, -1) {
			if code := jpayment.Code(m[1]); code.Known() && !slices.Contains(all, code) && !strings.HasSuffix(file, "_test.go") {
				all = append(all, code)
			}
		}
	}
	require.NotEmpty(t, all)
	return append(all, unlisted...)
}

var unlisted = []jpayment.Code{"G…", "…"}

// nextSteps returns every next step.
func nextSteps(t *testing.T) (all []jpayment.Text) {
	t.Helper()
	for _, op := range operations {
		call := jpayment.Call{Operation: op}
		errs := []error{
			&jpayment.TransportError{Call: call},
			&jpayment.ReplyError{Call: call, Err: jpayment.ErrTestMode},
			&jpayment.ReplyError{Call: call, Result: &jpayment.Result{Status: jpayment.StatusSucceeded, PaymentID: "10000002"}},
			&jpayment.ValidationError{Call: call},
			&jpayment.TransportError{Call: call, NotSent: true},
			&jpayment.TransportError{Call: call, NotSent: true, Err: context.Canceled},
		}
		for _, code := range codes(t) {
			errs = append(errs, &jpayment.GatewayError{Call: call, Code: code})
		}
		for _, err := range errs {
			all = append(all, jpayment.NextOf(err))
		}
	}
	return all
}

// codeTables writes a section for each class: the next steps of its codes, and then the
// codes.
func codeTables(t *testing.T, l language) string {
	byClass := map[jpayment.Class][]jpayment.Code{}
	for _, code := range codes(t) {
		byClass[code.Class()] = append(byClass[code.Class()], code)
	}
	var sections []string
	for _, name := range constants(t, module, "Class") {
		n, _ := constant.Int64Val(name.Val())
		class := jpayment.Class(n)
		rows := [][]string{{
			l.in(jpayment.Text{En: "Code", Ja: "コード"}), l.in(jpayment.Text{En: "Sales, Cancel", Ja: "Sales・Cancel"}), "ReAuth",
			l.in(jpayment.Text{En: "Meaning", Ja: "意味"}),
		}}
		for _, code := range byClass[class] {
			name := "`" + string(code) + "`"
			if slices.Contains(unlisted, code) {
				name += l.in(jpayment.Text{En: " (others)", Ja: "（その他）"})
			}
			require.Equal(t, code.Outcome(jpayment.OpSales), code.Outcome(jpayment.OpCancel), "they share a column: %s", string(code))
			rows = append(rows, []string{name, l.in(code.Outcome(jpayment.OpSales).Text()), l.in(code.Outcome(jpayment.OpReAuth).Text()), l.in(code.Message())})
		}
		sections = append(sections, fmt.Sprintf("### `%s`: %s\n\n%s\n%s", name.Name(), l.in(jpayment.WhatOf(class)), classNext(l, byClass[class]), table(rows...)))
	}
	return strings.Join(sections, "\n")
}

// classNext lists the next steps for codes: the usual ones, and those of codes with next
// steps of their own.
func classNext(l language, codes []jpayment.Code) string {
	var order []string
	ops := map[string][]string{} // operations, by the text that follows them
	add := func(op jpayment.Operation, subject string, next jpayment.Text) {
		text := subject + l.in(jpayment.Text{En: ": ", Ja: "："}) + l.in(next)
		if ops[text] == nil {
			order = append(order, text)
		}
		ops[text] = append(ops[text], string(op))
	}
	for _, op := range operations[:3] {
		count := map[jpayment.Text]int{}
		for _, code := range codes {
			count[code.Next(op)]++
		}
		usual := slices.MaxFunc(slices.Collect(maps.Keys(count)), func(a, b jpayment.Text) int { return cmp.Compare(count[a], count[b]) })
		add(op, "", usual)
		for _, code := range codes {
			if next := code.Next(op); next != usual {
				add(op, " (`"+string(code)+"`)", next)
			}
		}
	}
	var b strings.Builder
	for _, text := range order {
		b.WriteString("- " + strings.Join(ops[text], l.in(jpayment.Text{En: ", ", Ja: "・"})) + text + "\n")
	}
	return b.String()
}

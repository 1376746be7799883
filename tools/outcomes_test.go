package tools

import (
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"go/constant"
	"go/scanner"
	"go/token"
	"go/types"
	"io"
	"log/slog"
	"maps"
	"math"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"testing/iotest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/jpayment-go/jpayment"
	"github.com/jpayment-go/jpayment/jpaymenttest"
)

// generators write the generated parts of the pages by their names.
var generators = map[string]func(*testing.T, language) string{
	"refused-line": func(*testing.T, language) string {
		return lines(jpayment.GatewayError{Call: sales, Code: jpayment.CodeSourceIP})
	},
	"lines": func(*testing.T, language) string {
		lost := &jpayment.TransportError{Call: sales, Err: io.EOF}
		again := jpayment.Call{Operation: sales.Operation, PaymentID: sales.PaymentID, Attempts: 2, Earlier: lost}
		return lines(
			jpayment.GatewayError{Call: sales, Code: jpayment.CodeSourceIP},
			jpayment.TransportError{Call: sales, Err: io.EOF},
			jpayment.GatewayError{Call: again, Code: jpayment.CodeCaptureFailed})
	},
	"validation": func(t *testing.T, l language) string {
		return saidTable(l, jpayment.Text{En: "Field", Ja: "項目"}, fields(t, wrongRequests(t)))
	},
	"settings": func(t *testing.T, l language) string {
		return saidTable(l, jpayment.Text{En: "Argument", Ja: "引数"}, fields(t, wrongSettings()))
	},
	"causes": func(_ *testing.T, l language) string { return saidTable(l, jpayment.Text{}, causes()) },
	"replies": func(t *testing.T, l language) string {
		return saidTable(l, jpayment.Text{En: "Column", Ja: "項目"}, replies(t))
	},
	"kickbacks": func(t *testing.T, l language) string {
		return saidTable(l, jpayment.Text{En: "HTTP", Ja: "HTTP"}, kickbacks(t))
	},
	"next":    nextSteps,
	"codes":   codeTables,
	"policy":  policyTable,
	"reasons": reasonTable,
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
)

// lines shows errors as they are printed.
func lines(errs ...any) string {
	var b strings.Builder
	for _, err := range errs {
		switch err := err.(type) {
		case jpayment.GatewayError:
			b.WriteString(err.Error() + "\n")
		case jpayment.TransportError:
			b.WriteString(err.Error() + "\n")
		}
	}
	return "```\n" + b.String() + "```\n"
}

// said is a text, and what it is about.
type said struct {
	subject string
	text    jpayment.Text
}

// saidTable lists texts, once each. A page in Japanese has the English too, since that is
// what a line holds.
func saidTable(l language, subject jpayment.Text, all []said) string {
	about := func(first, second string) []string {
		if subject == (jpayment.Text{}) {
			return []string{second}
		}
		return []string{first, second}
	}
	rows := [][]string{about(l.in(subject), l.in(jpayment.Text{En: "Text", Ja: "エラー文"}))}
	met := map[said]bool{}
	for _, s := range all {
		if met[s] {
			continue
		}
		met[s] = true
		text := "`" + s.text.En + "`"
		if l == japanese {
			text += "<br>" + s.text.Ja
		}
		subject := ""
		if s.subject != "" {
			subject = "`" + s.subject + "`"
		}
		rows = append(rows, about(subject, text))
	}
	return table(rows...)
}

// fields lists what errors say of fields.
func fields(t *testing.T, errs []error) (all []said) {
	t.Helper()
	for _, err := range errs {
		var invalid *jpayment.ValidationError
		require.ErrorAs(t, err, &invalid)
		for _, f := range invalid.Fields {
			subject := f.Field
			if f.Param != "" {
				subject += " (" + f.Param + ")"
			}
			all = append(all, said{subject, f.Reason})
		}
	}
	slices.SortStableFunc(all, func(a, b said) int { return cmp.Compare(a.subject, b.subject) })
	return all
}

func wrongRequests(t *testing.T) (errs []error) {
	t.Helper()
	client := newClient(t, nil, jpayment.WithCharset(jpayment.ShiftJIS))
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
		errs = append(errs, err)
	}
	return errs
}

func wrongSettings() (errs []error) {
	add := func(_ any, err error) { errs = append(errs, err) }
	add(jpayment.NewClient("",
		jpayment.WithHTTPClient(nil), jpayment.WithTransportWrapper(nil), jpayment.WithTransportWrapper(func(http.RoundTripper) http.RoundTripper { return nil }),
		jpayment.WithTimeout(0), jpayment.WithLogger(nil), jpayment.WithCharset(-1), jpayment.WithConnectionAuth(""), jpayment.WithUserAgent(""), jpayment.WithKickbackKey(nil),
		jpayment.WithBaseURL("x"), jpayment.WithBaseURL("ftp://h"), jpayment.WithBaseURL("http://h"), jpayment.WithBaseURL("https://u@h"),
		jpayment.WithRetry(jpayment.RetryPolicy{MaxAttempts: -1}), jpayment.WithRetry(jpayment.RetryPolicy{BaseDelay: -1}), jpayment.WithRetry(jpayment.RetryPolicy{MaxDelay: 1})))
	for _, id := range []string{"12345", "１23456", "12 456", "12x456"} {
		add(jpayment.NewClient(id))
	}
	add(jpayment.NewKickbackVerifier("", 0))
	add(jpayment.NewKickbackVerifier("123456", -1, nil))
	add(jpayment.NewKickbackHandler(nil, nil, jpayment.KickbackAllowFrom(), jpayment.KickbackTrustProxy(netip.Prefix{}), jpayment.KickbackLogger(nil)))
	return errs
}

// causes lists what a line can say of a failure on the way.
func causes() (all []said) {
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
		errors.New("it may hold anything"),
	} {
		all = append(all, said{text: jpayment.WhatOf(err)})
	}
	return all
}

// answer is what the gateway is made to answer.
type answer func() (*http.Response, error)

func (a answer) RoundTrip(*http.Request) (*http.Response, error) { return a() }

func body(text string) answer {
	return func() (*http.Response, error) {
		return &http.Response{StatusCode: http.StatusOK, Body: io.NopCloser(strings.NewReader(text))}, nil
	}
}

// newClient returns a client whose requests are answered without a network.
func newClient(t *testing.T, a answer, opts ...jpayment.Option) *jpayment.Client {
	t.Helper()
	c, err := jpayment.NewClient("123456", append(opts, jpayment.WithHTTPClient(&http.Client{Transport: a}))...)
	require.NoError(t, err)
	return c
}

// replies lists what a line can say of an answer that cannot count.
func replies(t *testing.T) (all []said) {
	t.Helper()
	add := func(_ any, err error) {
		var reply *jpayment.ReplyError
		if errors.As(err, &reply) {
			all = append(all, said{reply.Column, reply.Reason})
		}
	}
	one := jpayment.SalesRequest{PaymentID: "77"}
	page := func() (*http.Response, error) {
		return &http.Response{StatusCode: http.StatusServiceUnavailable, Body: http.NoBody}, nil
	}
	cut := func() (*http.Response, error) {
		return &http.Response{StatusCode: http.StatusOK, Body: io.NopCloser(iotest.ErrReader(io.ErrUnexpectedEOF))}, nil
	}
	add(newClient(t, page).Sales(t.Context(), one))
	add(newClient(t, cut).Sales(t.Context(), one))
	for _, text := range []string{
		"<html>", "", strings.Repeat("x", 1<<17), "NG", "ER:", "77,1", "77,1,A1,,88", "77,1,A1,,88,o,1",
		"7x,1,A1,,88,o,1,0,0,1,,,", "77,x,A1,,88,o,1,0,0,1,,,", "77,1,A1,,88,o,9223372036854775808,0,0,1,,,",
		"77,1,A-,,88,o,1,0,0,1,,,", "77,1,A1,,8-,o,1,0,0,1,,,", "77,2,,E-,88,o,1,0,0,1,,,", "77,1,A1,,88,\xff,1,0,0,1,,,", "77,1,A1,,88,o,0,0,0,0,0,,,",
		"77,3,A1,,88,o,1,0,0,1,,,", "77,2,,,88,o,1,0,0,1,,,", "77,1,A1,ER032,88,o,1,0,0,1,,,", "0,1,A1,,88,o,1,0,0,1,,,",
		"77,1,A1,,88,o,1,0,0,2,,,", "77,1,A1,,88,o,1,0,0,,,,", "78,1,A1,,88,o,1,0,0,1,,,", "OK",
	} {
		add(newClient(t, body(text)).Sales(t.Context(), one))
	}
	success := body("77,1,TestMod,,88,o,1,0,0,1,,,")
	add(newClient(t, success).ReAuth(t.Context(), jpayment.ReAuthRequest{PaymentID: "1", Amount: 2}))
	add(nil, newClient(t, success).ReAuthByKickback(t.Context(), jpayment.ReAuthRequest{PaymentID: "1", Amount: 1}))
	add(newClient(t, success, jpayment.WithProductionOnly()).Sales(t.Context(), one))
	return all
}

// kickbacks lists what a handler answers and logs of what it refuses.
func kickbacks(t *testing.T) (all []said) {
	t.Helper()
	key := []byte(strings.Repeat("k", 32))
	send := func(r *http.Request, callback func(context.Context, *jpayment.Kickback) error, opts ...jpayment.KickbackOption) {
		verifier, err := jpayment.NewKickbackVerifier("123456", 0, key)
		require.NoError(t, err)
		var log refusal
		h, err := jpayment.NewKickbackHandler(verifier, callback, append(opts, jpayment.KickbackLogger(slog.New(&log)))...)
		require.NoError(t, err)
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if log.err != nil {
			all = append(all, said{strconv.Itoa(w.Code), jpayment.WhatOf(log.err)})
		}
	}
	request := func(method, query, body string) *http.Request {
		return httptest.NewRequestWithContext(t.Context(), method, "/?"+query, strings.NewReader(body))
	}
	taken := func(context.Context, *jpayment.Kickback) error { return nil }
	long := strings.Repeat("x", 1<<17)
	for _, query := range []string{
		"", "gid=%zz&rst=1", "gid=%ff&rst=1", "gid=1&gid=2", "gid=1&rst=1&jpk=1&jpk=2", "gid=x&rst=1", "gid=1&rst=x", "gid=1&rst=1&am=9223372036854775808", "gid=1&rst=1&ap=-",
		"gid=1&rst=2&ec=-", "gid=1&rst=1&ec=ER032", "gid=0&rst=1", "gid=1&rst=1&am=1&tx=0&sf=0&ta=2",
		"gid=1&rst=1", "gid=1&rst=1&jpk=x",
	} {
		send(request(http.MethodGet, query, ""), taken)
	}
	signed := func(at time.Time, amount int64) *http.Request {
		return jpaymenttest.NewKickback("/", jpaymenttest.KickbackParams{PaymentID: "2", Amount: 1, Key: key, Request: jpayment.KickbackRequest{StoreID: "123456", PaymentID: "1", Amount: amount, At: at}})
	}
	send(signed(time.Now().Add(-48*time.Hour), 1), taken)
	send(signed(time.Now().Add(time.Hour), 1), taken)
	send(signed(time.Now(), 2), taken)
	send(request(http.MethodGet, "gid=1&rst=1", ""), taken, jpayment.KickbackAllowFrom(netip.MustParsePrefix("203.0.113.0/24")))
	send(request(http.MethodPut, "", ""), taken)
	send(request(http.MethodPost, "", long), taken)
	send(request(http.MethodGet, long, ""), taken)
	send(signed(time.Now(), 1), func(context.Context, *jpayment.Kickback) error { return errors.New("it may hold anything") })
	send(signed(time.Now(), 1), func(context.Context, *jpayment.Kickback) error { panic("it may hold anything") })
	return all
}

// refusal keeps the error of a record.
type refusal struct {
	slog.Handler
	err error
}

func (*refusal) Enabled(context.Context, slog.Level) bool { return true }

func (l *refusal) Handle(_ context.Context, r slog.Record) error {
	r.Attrs(func(a slog.Attr) bool {
		if err, ok := a.Value.Any().(error); ok {
			l.err = err
		}
		return true
	})
	return nil
}

// codes returns all codes that the package knows, in the order in which its source has
// them, and at the end the two kinds of codes that it does not know.
func codes(t *testing.T) (all []jpayment.Code) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(repository, "*.go"))
	require.NoError(t, err)
	for _, file := range files {
		src, err := os.ReadFile(file)
		require.NoError(t, err)
		var s scanner.Scanner
		set := token.NewFileSet()
		s.Init(set.AddFile(file, -1, len(src)), src, nil, 0)
		for tok := token.ILLEGAL; tok != token.EOF && !strings.HasSuffix(file, "_test.go"); {
			var text string
			_, tok, text = s.Scan()
			text, _ = strconv.Unquote(text)
			if code := jpayment.Code(text); code.Known() && !slices.Contains(all, code) {
				all = append(all, code)
			}
		}
	}
	require.NotEmpty(t, all)
	return append(all, unlisted...)
}

var unlisted = []jpayment.Code{"G…", "…"}

// nextSteps lists every next step, and after what it comes.
func nextSteps(t *testing.T, l language) string {
	after := newGroups[jpayment.Text, jpayment.Outcome]()
	for _, op := range operations {
		call := jpayment.Call{Operation: op}
		errs := []error{
			&jpayment.TransportError{Call: call, Err: io.EOF},
			&jpayment.ReplyError{Call: call, Err: jpayment.ErrTestMode},
			&jpayment.ValidationError{Call: call},
			&jpayment.TransportError{Call: call, NotSent: true, Err: io.EOF},
			&jpayment.TransportError{Call: call, NotSent: true, Err: context.Canceled},
		}
		for _, code := range codes(t) {
			errs = append(errs, &jpayment.GatewayError{Call: call, Code: code})
		}
		for _, err := range errs {
			after.add(jpayment.NextOf(err), jpayment.OutcomeOf(err), op)
		}
	}
	rows := [][]string{{"`next:`", l.in(jpayment.Text{En: "After", Ja: "結果と操作"})}}
	for _, next := range after.order {
		text := "`" + next.En + "`"
		if l == japanese {
			text += "<br>" + next.Ja
		}
		var outcomes []string
		for outcome := range jpayment.OutcomeRefused + 1 {
			if ops := after.ops[next][outcome]; ops != nil {
				outcomes = append(outcomes, l.in(outcome.Text())+l.colon()+l.list(ops))
			}
		}
		rows = append(rows, []string{text, strings.Join(outcomes, "; ")})
	}
	return table(rows...)
}

// groups gathers the operations of which something holds, by what it is and of what else.
type groups[K, L comparable] struct {
	order []K
	ops   map[K]map[L][]jpayment.Operation
}

func newGroups[K, L comparable]() *groups[K, L] {
	return &groups[K, L]{ops: map[K]map[L][]jpayment.Operation{}}
}

func (g *groups[K, L]) add(k K, l L, op jpayment.Operation) {
	if g.ops[k] == nil {
		g.order = append(g.order, k)
		g.ops[k] = map[L][]jpayment.Operation{}
	}
	if !slices.Contains(g.ops[k][l], op) {
		g.ops[k][l] = append(g.ops[k][l], op)
	}
}

func (l language) colon() string { return l.in(jpayment.Text{En: ": ", Ja: "："}) }

func (l language) list(ops []jpayment.Operation) string {
	names := make([]string, len(ops))
	for i, op := range ops {
		names[i] = string(op)
	}
	return strings.Join(names, l.in(jpayment.Text{En: ", ", Ja: "・"}))
}

// codeTables writes a section for each class: the next steps of its codes, and then the
// codes.
func codeTables(t *testing.T, l language) string {
	byClass := map[jpayment.Class][]jpayment.Code{}
	for _, code := range codes(t) {
		byClass[code.Class()] = append(byClass[code.Class()], code)
	}
	names := map[jpayment.Class]string{}
	scope := exported(t, module)[0].Scope()
	for _, name := range scope.Names() {
		if c, ok := scope.Lookup(name).(*types.Const); ok && types.Identical(c.Type(), scope.Lookup("Class").Type()) {
			n, _ := constant.Int64Val(c.Val())
			names[jpayment.Class(n)] = name
		}
	}
	var sections []string
	for _, class := range slices.Sorted(maps.Keys(byClass)) {
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
		sections = append(sections, fmt.Sprintf("### `%s`: %s\n\n%s\n%s", names[class], l.in(class.Message()), classNext(l, byClass[class]), table(rows...)))
	}
	return strings.Join(sections, "\n")
}

// classNext lists the next steps of codes: of those that have one of their own, and of the
// others.
func classNext(l language, codes []jpayment.Code) string {
	type own struct {
		code jpayment.Code // empty for the others
		next jpayment.Text
	}
	steps := newGroups[own, string]()
	for _, op := range operations[:3] {
		count := map[jpayment.Text]int{}
		for _, code := range codes {
			count[code.Next(op)]++
		}
		usual := slices.MaxFunc(slices.Collect(maps.Keys(count)), func(a, b jpayment.Text) int { return cmp.Compare(count[a], count[b]) })
		for _, code := range codes {
			if next := code.Next(op); next != usual {
				steps.add(own{code, next}, "", op)
			}
		}
		steps.add(own{next: usual}, "", op)
	}
	var b strings.Builder
	for _, step := range steps.order {
		subject := l.list(steps.ops[step][""])
		if step.code != "" {
			subject = "`" + string(step.code) + "`, " + subject
		}
		b.WriteString("- " + subject + l.colon() + l.in(step.next) + "\n")
	}
	return b.String()
}

package console

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"io/fs"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/stretchr/testify/require"

	"github.com/jpayment-go/jpayment"
)

func TestWhat(t *testing.T) {
	t.Parallel()
	dial := func(err error) error {
		return &url.Error{Op: "Get", URL: "http://canary@h/", Err: &net.OpError{Op: "dial", Net: "tcp", Addr: &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 8080}, Err: err}}
	}
	for _, c := range []struct {
		err  error
		want Text
	}{
		{Usagef("a %s", "あ %s", "\x1b"), Text{En: `a "\x1b"`, Ja: `あ "\x1b"`}},
		{fmt.Errorf("wrapped: %w", jpayment.ErrTestMode), jpayment.WhatOf(jpayment.ErrTestMode)},
		{&fs.PathError{Op: "open", Path: "a\x1b", Err: syscall.ENOENT}, Text{En: `"a\x1b": no such file or directory`, Ja: `"a\x1b": ファイルまたはディレクトリがありません`}},
		{&fs.PathError{Op: "read", Path: "a", Err: syscall.EISDIR}, Text{En: "a: is a directory", Ja: "a: ディレクトリです"}},
		{&fs.PathError{Op: "read", Path: "a", Err: io.ErrUnexpectedEOF}, Text{En: "a: the connection was closed early", Ja: "a: 接続が途中で切断されました"}},
		{&os.SyscallError{Syscall: "write", Err: syscall.ENOSPC}, Text{En: "no space left on device", Ja: "空き容量がありません"}},
		{dial(os.NewSyscallError("connect", syscall.ECONNREFUSED)), Text{En: "127.0.0.1:8080: connection refused", Ja: "127.0.0.1:8080: 接続が拒否されました"}},
		{dial(context.DeadlineExceeded), timeUp},
		{context.Canceled, Text{En: "it was interrupted", Ja: "中断されました"}},
		{dial(&net.DNSError{Name: "h", IsNotFound: true}), Text{En: "host h was not found", Ja: "ホスト h が見つかりません"}},
		{dial(&net.DNSError{Name: "h"}), Text{En: "the name h cannot be resolved at the moment", Ja: "ホスト名 h を現在解決できません"}},
		{dial(&net.AddrError{Addr: "x"}), Text{En: "x is not an address with a port, such as 127.0.0.1:8080", Ja: "x はアドレスとポート（127.0.0.1:8080 など）ではありません"}},
		{dial(io.EOF), Text{En: "the connection was closed early", Ja: "接続が途中で切断されました"}},
		{dial(&tls.CertificateVerificationError{Err: x509.UnknownAuthorityError{}}), Text{En: "the certificate is signed by an unknown authority", Ja: "証明書の発行元を信頼できません"}},
		{x509.CertificateInvalidError{Reason: x509.Expired}, Text{En: "the certificate is not valid at this time", Ja: "証明書の有効期間外です"}},
		{x509.HostnameError{Host: "h", Certificate: &x509.Certificate{}}, Text{En: "the certificate is not for h", Ja: "証明書が h のものではありません"}},
		{dial(tls.RecordHeaderError{}), Text{En: "the server does not speak TLS", Ja: "接続先がTLSに対応していません"}},
		{&pgconn.PgError{Code: "3D000", Message: `database "x" does not exist`}, Text{En: `Postgres: database "x" does not exist (SQLSTATE 3D000)`, Ja: "Postgres: データベースが存在しません（SQLSTATE 3D000）"}},
		{&pgconn.PgError{Code: "42601", Message: "syntax error"}, Text{En: "Postgres: syntax error (SQLSTATE 42601)", Ja: "Postgres: エラーが発生しました（SQLSTATE 42601）"}},
		{told{&pgconn.PgError{Code: "28P01", Message: "no"}}, Text{En: "could not look: Postgres: no (SQLSTATE 28P01)", Ja: "確認できません: Postgres: ログインが拒否されました（SQLSTATE 28P01）"}},
		{errors.New("boom"), Text{En: "boom", Ja: "予期しないエラーが発生しました（boom）"}},
	} {
		require.Equal(t, c.want, What(c.err), "%T", c.err)
	}
	refused := dial(os.NewSyscallError("connect", syscall.ECONNREFUSED))
	for _, err := range []error{
		&jpayment.ValidationError{Fields: []jpayment.InvalidField{{Field: "PaymentID", Param: "tid", Reason: Text{En: "is empty", Ja: "が空欄です"}}}},
		&jpayment.TransportError{NotSent: true, Err: refused}, &jpayment.ReplyError{Err: refused}, &jpayment.GatewayError{Code: "ER003"},
		&jpayment.KickbackError{Param: "am", Reason: Text{En: "is missing", Ja: "がありません"}},
	} {
		require.Equal(t, jpayment.WhatOf(err), What(fmt.Errorf("wrapped: %w", err)), "%T", err)
	}
	require.Equal(t, Text{En: "is a directory", Ja: "ディレクトリです"}, Reason(&fs.PathError{Op: "read", Path: "a", Err: syscall.EISDIR}))
}

// told is an error with its own texts that do not mention its cause.
type told struct{ cause error }

func (told) Error() string   { return "could not look" }
func (told) What() Text      { return Text{En: "could not look", Ja: "確認できません"} }
func (t told) Unwrap() error { return t.cause }

func TestTextf(t *testing.T) {
	t.Parallel()
	require.Equal(t, Text{En: "1 of two a", Ja: "二の1 a"}, Textf("%d of %s %s", "%[2]sの%[1]d %[3]s", 1, Text{En: "two", Ja: "二"}, "a"))
	require.Equal(t, `"\a"`, Textf("%s", "%s", "\a").Ja, "names cannot steer the terminal")
	require.Equal(t, "non-ASCII 店舗", Textf("non-ASCII %s", "%s", "店舗").En)
}

// The formats in both languages match their arguments, which go vet does not check.
func TestFormats(t *testing.T) {
	t.Parallel()
	seen := 0
	for _, dir := range []string{".", "../cli", "../jobtext", "../monthend"} {
		paths, err := filepath.Glob(filepath.Join(dir, "*.go"))
		require.NoError(t, err)
		for _, path := range paths {
			files := token.NewFileSet()
			file, err := parser.ParseFile(files, path, nil, parser.SkipObjectResolution)
			require.NoError(t, err)
			ast.Inspect(file, func(n ast.Node) bool {
				call, ok := n.(*ast.CallExpr)
				if !ok || len(call.Args) < 2 || !isFormat(call.Fun) {
					return true
				}
				args := make([]any, len(call.Args)-2)
				for i := range args {
					args[i] = anything{}
				}
				for _, arg := range call.Args[:2] {
					if literal, ok := arg.(*ast.BasicLit); ok {
						format, err := strconv.Unquote(literal.Value)
						require.NoError(t, err)
						require.NotContains(t, fmt.Sprintf(format, args...), "%!", "%s", files.Position(literal.Pos()))
						seen++
					}
				}
				return true
			})
		}
	}
	require.Greater(t, seen, 100)
}

func isFormat(fun ast.Expr) bool {
	name := ""
	switch fun := fun.(type) {
	case *ast.Ident:
		name = fun.Name
	case *ast.SelectorExpr:
		name = fun.Sel.Name
	}
	return name == "Textf" || name == "Usagef" || name == "Failedf"
}

// anything can be formatted with any verb.
type anything struct{}

func (anything) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, "x") }

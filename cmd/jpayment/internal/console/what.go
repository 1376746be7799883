package console

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"net/url"
	"syscall"

	"github.com/jackc/pgx/v5/pgconn"
	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"github.com/jpayment-go/jpayment"
)

// Text is a sentence in both languages.
type Text = jpayment.Text

// Textf formats both languages with the same arguments. String arguments are made
// printable; Text arguments are used in each language.
func Textf(en, ja string, args ...any) Text {
	english, japanese := make([]any, len(args)), make([]any, len(args))
	for i, arg := range args {
		switch arg := arg.(type) {
		case Text:
			english[i], japanese[i] = arg.En, arg.Ja
		case string:
			english[i] = Printable(arg)
			japanese[i] = english[i]
		default:
			english[i], japanese[i] = arg, arg
		}
	}
	return Text{En: fmt.Sprintf(en, english...), Ja: fmt.Sprintf(ja, japanese...)}
}

// Error says why a command failed, and holds its exit status.
type Error struct {
	Text   Text
	Status int
}

// Usagef returns an error in the usage of a command.
func Usagef(en, ja string, args ...any) *Error { return &Error{Textf(en, ja, args...), Usage} }

// Failedf returns the error of a command that failed.
func Failedf(en, ja string, args ...any) *Error { return &Error{Textf(en, ja, args...), Failed} }

// Error returns the English text.
func (e *Error) Error() string { return e.Text.En }

// What returns the text.
func (e *Error) What() Text { return e.Text }

// What describes an error in both languages. It uses the texts of the error if it has both.
// Errors of files, networks and databases it describes itself. For any other error the
// Japanese text quotes the English one.
func What(err error) Text {
	var ours interface {
		error
		What() Text
	}
	if errors.As(err, &ours) {
		what := ours.What()
		if cause, known := database(errors.Unwrap(ours)); known {
			what = Textf("%s: %s", "%s: %s", what, cause)
		}
		return what
	}
	if ofJpayment(err) {
		return jpayment.WhatOf(err)
	}
	for _, what := range []func(error) (Text, bool){database, file, secureConnection, network} {
		if text, known := what(err); known {
			return text
		}
	}
	return Textf("%s", "予期しないエラーが発生しました（%s）", err.Error())
}

// ofJpayment reports whether jpayment.WhatOf says more about an error than its type.
func ofJpayment(err error) bool {
	return errors.As(err, new(*jpayment.ValidationError)) || errors.As(err, new(*jpayment.TransportError)) ||
		errors.As(err, new(*jpayment.ReplyError)) || errors.As(err, new(*jpayment.GatewayError)) ||
		errors.As(err, new(*jpayment.KickbackError)) || errors.Is(err, jpayment.ErrTestMode)
}

// WithNext describes an error and, if the error knows it, the next step.
func WithNext(err error) Text {
	var told interface {
		error
		Next() Text
	}
	what := What(err)
	if !errors.As(err, &told) || told.Next() == (Text{}) {
		return what
	}
	return Textf("%s; next: %s", "%s。次の手順: %s", what, told.Next())
}

// Reason is [What] without the path of a file error.
func Reason(err error) Text {
	var path *fs.PathError
	if errors.As(err, &path) {
		err = path.Err
	}
	return What(err)
}

func database(err error) (Text, bool) {
	var (
		lite    *sqlite.Error
		server  *pgconn.PgError
		connect *pgconn.ConnectError
	)
	switch {
	case errors.As(err, &lite):
		return liteReason(lite), true
	case errors.As(err, &server):
		return serverReason(server), true
	case errors.As(err, &connect):
		cause := Text{En: "the cause is unknown", Ja: "原因は不明です"}
		if text, known := network(errors.Unwrap(connect)); known {
			cause = text
		} else if text, known := secureConnection(errors.Unwrap(connect)); known {
			cause = text
		}
		return Textf("cannot connect to Postgres at %s: %s", "Postgres（%s）に接続できません。%s",
			net.JoinHostPort(connect.Config.Host, fmt.Sprint(connect.Config.Port)), cause), true
	default:
		return Text{}, false
	}
}

func liteReason(err *sqlite.Error) Text {
	switch err.Code() & 0xff { // The other bits distinguish variants of an error.
	case sqlite3.SQLITE_NOTADB:
		return Text{En: "it is not a SQLite database", Ja: "SQLite のデータベースではありません"}
	case sqlite3.SQLITE_CORRUPT:
		return Text{En: "the database is damaged", Ja: "データベースが破損しています"}
	case sqlite3.SQLITE_CANTOPEN:
		return Text{En: "the file cannot be opened", Ja: "ファイルを開けません"}
	case sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM:
		return Text{En: "the file cannot be written to", Ja: "ファイルに書き込めません"}
	case sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED:
		return Text{En: "another program is using the database", Ja: "別のプログラムがデータベースを使用中です"}
	case sqlite3.SQLITE_FULL:
		return errnoReason(syscall.ENOSPC)
	default:
		return Textf("SQLite: %[1]s", "SQLite のエラーが発生しました（コード %[2]d）", err.Error(), err.Code())
	}
}

func serverReason(err *pgconn.PgError) Text {
	ja := "エラーが発生しました"
	switch err.Code {
	case "28P01", "28000":
		ja = "ログインが拒否されました"
	case "3D000":
		ja = "データベースが存在しません"
	case "42501":
		ja = "権限がありません"
	case "53300":
		ja = "接続数が上限に達しています"
	case "57P03":
		ja = "起動中または停止中です"
	}
	return Textf("Postgres: %[1]s (SQLSTATE %[3]s)", "Postgres: %[2]s（SQLSTATE %[3]s）", err.Message, ja, err.Code)
}

func file(err error) (Text, bool) {
	var path *fs.PathError
	if !errors.As(err, &path) {
		return Text{}, false
	}
	var errno syscall.Errno
	if !errors.As(path.Err, &errno) {
		return Textf("%s: %s", "%s: %s", path.Path, What(path.Err)), true
	}
	return Textf("%s: %s", "%s: %s", path.Path, errnoReason(errno)), true
}

func secureConnection(err error) (Text, bool) {
	var (
		hostname  x509.HostnameError
		authority x509.UnknownAuthorityError
		invalid   x509.CertificateInvalidError
		cert      *tls.CertificateVerificationError
		record    tls.RecordHeaderError
		alert     tls.AlertError
	)
	switch {
	case errors.As(err, &hostname):
		return Textf("the certificate is not for %s", "証明書が %s のものではありません", hostname.Host), true
	case errors.As(err, &authority):
		return Text{En: "the certificate is signed by an unknown authority", Ja: "証明書の発行元を信頼できません"}, true
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		return Text{En: "the certificate is not valid at this time", Ja: "証明書の有効期間外です"}, true
	case errors.As(err, &invalid):
		return Textf("%[1]s", "証明書が無効です（理由コード %[2]d）", invalid.Error(), int(invalid.Reason)), true
	case errors.As(err, &cert):
		return Textf("%[1]s", "証明書を検証できません（%[2]s）", cert.Err.Error(), fmt.Sprintf("%T", cert.Err)), true
	case errors.As(err, &record), errors.Is(err, http.ErrSchemeMismatch):
		return Text{En: "the server does not speak TLS", Ja: "接続先がTLSに対応していません"}, true
	case errors.As(err, &alert):
		return Textf("TLS: %[1]s", "TLS の接続が拒否されました（アラート %[2]d）", alert.Error(), uint8(alert)), true
	default:
		return Text{}, false
	}
}

func network(err error) (Text, bool) {
	var (
		dns     *net.DNSError
		address *net.AddrError
		op      *net.OpError
		errno   syscall.Errno
		timeout interface{ Timeout() bool }
		failed  *url.Error
	)
	switch {
	case errors.Is(err, context.Canceled):
		return Text{En: "it was interrupted", Ja: "中断されました"}, true
	case errors.Is(err, context.DeadlineExceeded):
		return timeUp, true
	case errors.As(err, &dns) && dns.IsNotFound:
		return Textf("host %s was not found", "ホスト %s が見つかりません", dns.Name), true
	case errors.As(err, &dns):
		return Textf("the name %s cannot be resolved at the moment", "ホスト名 %s を現在解決できません", dns.Name), true
	case errors.As(err, &address):
		return Textf("%s is not an address with a port, such as 127.0.0.1:8080", "%s はアドレスとポート（127.0.0.1:8080 など）ではありません", address.Addr), true
	case errors.As(err, &errno):
		reason := errnoReason(errno)
		if errors.As(err, &op) && op.Addr != nil {
			return Textf("%s: %s", "%s: %s", op.Addr.String(), reason), true
		}
		return reason, true
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return Text{En: "the connection was closed early", Ja: "接続が途中で切断されました"}, true
	case errors.As(err, &timeout) && timeout.Timeout():
		return timeUp, true
	case errors.As(err, &failed):
		return What(failed.Err), true
	default:
		return Text{}, false
	}
}

var timeUp = Text{En: "timed out", Ja: "タイムアウトしました"}

// errnoReason describes an error of the operating system.
func errnoReason(errno syscall.Errno) Text {
	ja := fmt.Sprintf("システムのエラーが発生しました（番号 %d）", int(errno))
	switch {
	case errors.Is(errno, fs.ErrNotExist):
		ja = "ファイルまたはディレクトリがありません"
	case errors.Is(errno, fs.ErrPermission):
		ja = "権限がありません"
	case errors.Is(errno, fs.ErrExist):
		ja = "すでに存在します"
	case errno == syscall.EISDIR:
		ja = "ディレクトリです"
	case errno == syscall.ENOTDIR:
		ja = "パスの途中がディレクトリではありません"
	case errno == syscall.ENOSPC:
		ja = "空き容量がありません"
	case errno == syscall.EROFS:
		ja = "書き込めない場所です"
	case errno == syscall.ENAMETOOLONG:
		ja = "名前が長すぎます"
	case errno == syscall.EMFILE:
		ja = "開けるファイルの数が上限に達しました"
	case errno == syscall.EPIPE, errno == syscall.ECONNRESET:
		ja = "接続が切断されました"
	case errno == syscall.ECONNREFUSED:
		ja = "接続が拒否されました"
	case errno == syscall.ETIMEDOUT:
		ja = "タイムアウトしました"
	case errno == syscall.EHOSTUNREACH, errno == syscall.ENETUNREACH:
		ja = "ネットワークに到達できません"
	case errno == syscall.EADDRINUSE:
		ja = "別のプログラムが使用中です"
	case errno == syscall.EADDRNOTAVAIL:
		ja = "このマシンのアドレスではありません"
	}
	return Text{En: errno.Error(), Ja: ja}
}

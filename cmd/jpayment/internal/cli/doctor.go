package cli

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"github.com/jpayment-go/jpayment"
	"github.com/jpayment-go/jpayment/cmd/jpayment/internal/console"
	"github.com/jpayment-go/jpayment/cmd/jpayment/internal/jobtext"
	"github.com/jpayment-go/jpayment/internal/assumed"
)

func newDoctorCommand(lang console.Lang) *cobra.Command {
	var profilePath string
	cmd := &cobra.Command{
		Use:   "doctor",
		Short: lang.In("Check the connection to the gateway, and whether it accepts this machine", "決済ゲートウェイまでの接続と、このマシンからの接続が許可されているかを確認する"),
		Long: lang.In(`Check the connection to the gateway (DNS, TCP, TLS and HTTP) in the same way as the package
jpayment, through the proxy in HTTPS_PROXY if there is one.

With a store ID, also check whether the gateway accepts requests from this machine's address.
For this, the command sends a CANCEL of payment number 0. This cannot affect a payment: 0 is
the number that the gateway itself writes where there is no payment.

With a profile, show which assumptions about the gateway are wrong for the store, and which
client options the store needs.

Exit status: 0 all checks passed, 1 a check failed or could not be made, 2 usage error.`,
			`決済ゲートウェイまでの接続（名前解決、TCP、TLS、HTTP）を確認します。パッケージ jpayment と同じく、
HTTPS_PROXY のプロキシがあれば経由します。

店舗IDを指定すると、このマシンの送信元IPアドレスが許可されているかも確認します。そのために決済番号
0 の CANCEL を送信します。0 は決済が存在しないときに決済ゲートウェイ自身が返す番号のため、実在する決済に
影響しません。

プロファイルを指定すると、決済ゲートウェイについての前提と異なる点と、その店舗に必要なクライアントの
オプションを表示します。

終了ステータスは、0 問題なし、1 失敗または確認できない項目あり、2 使い方の誤り です。`),
		Example: `  jpayment doctor
  jpayment doctor --store 123456
  jpayment doctor --store 123456 --profile store.json
  HTTPS_PROXY=http://proxy.example:3128 jpayment doctor --store 123456`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			s, err := readSettings(cmd)
			if err != nil {
				return err
			}
			profile, err := readProfile(profilePath)
			if err != nil {
				return err
			}
			return (&doctor{world: worldOf(cmd), lang: language(cmd), settings: s, profile: profile}).run(cmd.Context())
		},
	}
	addSettingsFlags(cmd, lang)
	cmd.Flags().StringVar(&profilePath, "profile", "", lang.In("JSON file of measurements from the store; show which client options it needs", "店舗の測定結果（JSON）。この店舗に必要なクライアントのオプションを表示する"))
	return cmd
}

// doctor runs the checks and prints each on a line.
type doctor struct {
	world    world
	lang     console.Lang
	settings settings
	profile  *assumed.Profile // nil for none
	failed   bool
	advice   []string
}

// cancelNothing cannot affect a payment: 0 is the number that the gateway itself writes
// where there is no payment.
var cancelNothing = jpayment.CancelRequest{PaymentID: "0"}

// doctorTimeout is the default timeout of each request.
const doctorTimeout = 15 * time.Second

func (d *doctor) run(ctx context.Context) error {
	if d.settings.timeout == 0 {
		d.settings.timeout = doctorTimeout
	}
	// The package supplies the address and validates the settings.
	previewed := d.settings
	if previewed.store == "" {
		previewed.store = "000000"
	}
	client, err := jpayment.NewClient(previewed.store, previewed.options()...)
	if err != nil {
		return wrongFields(err)
	}
	req, err := client.Preview(ctx, jpayment.OpCancel, cancelNothing)
	if err != nil {
		return wrongFields(err)
	}
	target := req.URL
	proxy, err := d.world.proxy(&http.Request{URL: target})
	if err != nil { // It quotes the URL, which may contain a password.
		return console.Usagef("HTTPS_PROXY is not a URL", "HTTPS_PROXY: URL として読めません")
	}
	transport := d.transport(proxy)
	defer transport.CloseIdleConnections()

	d.checkWay(ctx, target, proxy, transport)
	d.checkStore(ctx, transport)
	for _, a := range d.advice {
		fmt.Fprintf(d.world.stdout, "\n%s\n", a)
	}
	if d.profile != nil {
		fmt.Fprintln(d.world.stdout)
		tellProfile(d.world.stdout, d.lang, *d.profile)
	}
	if d.failed {
		return console.ExitStatus(console.Failed)
	}
	return nil
}

// transport connects as the default transport of the package jpayment does.
func (d *doctor) transport(proxy *url.URL) *http.Transport {
	var protocols http.Protocols
	protocols.SetHTTP1(true)
	return &http.Transport{
		Proxy:               http.ProxyURL(proxy),
		DialContext:         (&net.Dialer{Timeout: 10 * time.Second}).DialContext,
		TLSClientConfig:     &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: d.world.roots},
		TLSHandshakeTimeout: 10 * time.Second,
		Protocols:           &protocols,
		DisableKeepAlives:   true,
		OnProxyConnectResponse: func(_ context.Context, _ *url.URL, _ *http.Request, resp *http.Response) error {
			if resp.StatusCode != http.StatusOK {
				return console.Failedf("the proxy refused CONNECT with HTTP status %d", "プロキシが CONNECT を拒否しました（HTTP ステータス %d）", resp.StatusCode)
			}
			return nil
		},
	}
}

// line prints one check.
func (d *doctor) line(m console.Mark, name string, text console.Text) {
	if m == console.Bad || m == console.Unsure {
		d.failed = true
	}
	fmt.Fprintf(d.world.stdout, "%s %s  %s\n", d.world.console().OutMark(m), console.Pad(name, 5), console.Printable(d.lang.Of(text)))
}

// advise adds advice to print after the checks.
func (d *doctor) advise(en, ja string) {
	d.advice = append(d.advice, d.lang.In(en, ja))
}

// checkWay sends a request without parameters, which cannot concern a payment, and prints the
// result of each layer.
func (d *doctor) checkWay(ctx context.Context, target, proxy *url.URL, transport *http.Transport) {
	ctx, cancel := context.WithTimeout(ctx, d.settings.timeout)
	defer cancel()
	way, page, status, err := follow(ctx, target, transport)

	hop := target
	if proxy != nil {
		hop = proxy
		d.line(console.Good, d.lang.In("proxy", "プロキシ"), console.Textf("through %s://%s (HTTPS_PROXY)", "%s://%s を経由（HTTPS_PROXY）", proxy.Scheme, proxy.Host))
	}
	switch {
	case way.dnsErr != nil:
		d.line(console.Bad, "DNS", console.What(way.dnsErr))
		d.advise("The name cannot be resolved: check the network and its DNS.", "名前を解決できません。ネットワークとDNSを確認してください。")
	case len(way.addresses) > 0:
		d.line(console.Good, "DNS", console.Textf("%s: %s", "%s: %s", hop.Hostname(), strings.Join(way.addresses, ", ")))
	default:
		d.line(console.Skipped, "DNS", console.Textf("%s is an address", "%s はアドレスのため不要", hop.Hostname()))
	}
	switch {
	case way.connected != "":
		d.line(console.Good, "TCP", console.Textf("%s", "%s", way.connected))
	case way.connectErr != nil:
		d.line(console.Bad, "TCP", console.What(way.connectErr))
		d.advise("Cannot connect: check the firewall, the proxy and the address.", "接続できません。ファイアウォール、プロキシ、接続先を確認してください。")
	default:
		d.skip("TCP")
	}
	switch {
	case target.Scheme == "http":
		d.line(console.Skipped, "TLS", console.Textf("plain HTTP to this machine", "同じマシンへのHTTPのため不要"))
	case way.tlsErr != nil:
		d.tlsFailed(way.tlsErr)
	case way.tls != nil:
		d.line(console.Good, "TLS", console.Textf("%s, %s", "%s、%s", tls.VersionName(way.tls.Version), d.chain(way.tls.VerifiedChains[0])))
	case way.connected != "":
		d.line(console.Bad, "TLS", console.What(err))
		d.advise("Cannot connect through the proxy: check its rules.", "プロキシを経由して接続できません。プロキシの設定を確認してください。")
	default:
		d.skip("TLS")
	}
	d.page(page, status, err)
}

// skip prints a check that could not be made because an earlier one failed.
func (d *doctor) skip(name string) {
	d.line(console.Skipped, name, console.Textf("not reached", "未確認"))
}

// page checks the answer of the gateway.
func (d *doctor) page(page []byte, status int, err error) {
	switch {
	case d.failed:
		d.skip("HTTP")
	case err != nil:
		d.line(console.Bad, "HTTP", console.What(err))
		d.advise("The connection works, but there was no answer: try again, and check the gateway's announcements.",
			"接続できましたが、応答がありません。時間をおいて再度実行し、決済ゲートウェイの障害情報を確認してください。")
	case status != http.StatusOK:
		d.line(console.Bad, "HTTP", console.Textf("status %d, which the gateway never returns", "ステータス %d（決済ゲートウェイの応答ではない）", status))
		d.advise("Something other than the gateway answered: check the URL and the proxy.", "決済ゲートウェイ以外が応答しています。URLとプロキシを確認してください。")
	default:
		res, err := jpayment.ParseReply(page)
		if err != nil {
			d.line(console.Bad, "HTTP", console.Textf("status 200, but not an answer of the gateway: %s", "ステータス 200 だが、決済ゲートウェイの応答ではない: %s", jpayment.WhatOf(err)))
			d.advise("Something other than the gateway answered: check the URL and the proxy.", "決済ゲートウェイ以外が応答しています。URLとプロキシを確認してください。")
			return
		}
		if errors.Is(res.Code, jpayment.ErrMaintenance) {
			d.line(console.Unsure, "HTTP", jobtext.Code(res.Code))
			d.advise("Try again when the maintenance is over.", "メンテナンスが終わってから再度実行してください。")
			return
		}
		d.line(console.Good, "HTTP", console.Textf("status 200, and the gateway answers (%s to a request without parameters)", "ステータス 200。決済ゲートウェイが応答（パラメータのないリクエストに %s）", string(res.Code)))
	}
}

// tlsFailed reports why there is no secure connection, with the certificate that was
// rejected.
func (d *doctor) tlsFailed(err error) {
	text := console.What(err)
	var (
		cert    *tls.CertificateVerificationError
		expired x509.CertificateInvalidError
	)
	if errors.As(err, &cert) && len(cert.UnverifiedCertificates) > 0 {
		text = console.Textf("%s; %s", "%s（%s）", text, d.chain(cert.UnverifiedCertificates))
	}
	d.line(console.Bad, "TLS", text)
	if errors.As(err, &expired) && expired.Reason == x509.Expired {
		d.advise("The certificate is not valid at this time: check this machine's clock first. Never disable certificate verification.",
			"証明書が現在有効ではありません。まずこのマシンの時計を確認してください。証明書の検証は決して無効にしないでください。")
		return
	}
	d.advise("No secure connection: check the CA certificates and the clock, and whether a proxy decrypts TLS. Never disable certificate verification.",
		"安全な接続を確立できません。CA証明書、時計、TLSを復号するプロキシの有無を確認してください。証明書の検証は決して無効にしないでください。")
}

// chain describes a certificate, its issuers, and when it expires.
func (d *doctor) chain(certs []*x509.Certificate) console.Text {
	names := make([]string, len(certs))
	for i, c := range certs {
		names[i] = c.Subject.CommonName
		if names[i] == "" {
			names[i] = c.Subject.String()
		}
	}
	expiry := d.world.console().Time(certs[0].NotAfter)
	return console.Textf("certificate %s, valid until %s", "証明書 %s、有効期限 %s", strings.Join(names, " < "), expiry)
}

// checkStore checks whether the gateway accepts this store from this machine, with a
// request that cannot affect a payment.
func (d *doctor) checkStore(ctx context.Context, transport *http.Transport) {
	name := d.lang.In("store", "店舗")
	if d.settings.store == "" {
		d.line(console.Skipped, name, console.Textf("no store ID: give --store to check the address", "店舗IDなし。送信元IPアドレスを確認するには --store を指定"))
		return
	}
	if d.failed {
		d.skip(name)
		return
	}
	client, err := jpayment.NewClient(d.settings.store, append(d.settings.options(),
		jpayment.WithHTTPClient(&http.Client{Transport: transport}),
		jpayment.WithRetry(jpayment.RetryPolicy{MaxAttempts: 1}))...)
	if err == nil {
		_, err = client.Cancel(ctx, cancelNothing)
	}
	if err == nil {
		err = console.Failedf("the gateway says that it cancelled payment 0", "決済番号 0 を取り消したと決済ゲートウェイが応答しました")
	}
	var refused *jpayment.GatewayError
	var code jpayment.Code
	if errors.As(err, &refused) {
		code = refused.Code
	}
	switch {
	case code == jpayment.CodePaymentID, code == jpayment.CodeCancelFailed:
		d.line(console.Good, name, console.Textf("%s is accepted from this address (%s to a CANCEL of payment 0)", "このアドレスからのリクエストは許可されている（店舗 %s、決済番号 0 の CANCEL に %s）", d.settings.store, string(code)))
	case code == "":
		d.line(console.Unsure, name, console.Textf("no answer about the store: %s", "店舗については確認できません: %s", console.What(err)))
		d.advise("Whether the address is accepted is unknown: try again.", "送信元IPアドレスが許可されているかどうか不明です。再度実行してください。")
	case code == jpayment.CodeSourceIP:
		d.line(console.Bad, name, jobtext.Code(code))
		d.advise("Register this machine's egress IP address in the control panel: 設定 → 決済システム → 決済ゲートウェイ＆CTI決済設定 → 決済データ送信元IP. Behind NAT or a proxy, this is the address of the NAT or proxy. For a store with a connection authentication code (接続認証コード), set JPAYMENT_CONNECTION_AUTH instead.",
			"このマシンの送信元IPアドレスを管理画面（設定 → 決済システム → 決済ゲートウェイ＆CTI決済設定 → 決済データ送信元IP）に登録してください。NATやプロキシを経由する場合は、その出口のアドレスです。接続認証コードを使う店舗では、代わりに JPAYMENT_CONNECTION_AUTH を設定してください。")
	case code == "ER050", errors.Is(code, jpayment.ErrNotPermitted):
		d.line(console.Bad, name, jobtext.Code(code))
		d.advise("Check the store ID, and the store's contract and settings in the control panel.", "店舗IDと、管理画面の店舗の契約・設定を確認してください。")
	default:
		d.line(console.Unsure, name, jobtext.Code(code))
		d.advise("The gateway answered, but this code does not show whether the address is accepted.", "決済ゲートウェイは応答しましたが、このコードからは送信元IPアドレスが許可されているか分かりません。")
	}
}

// way records what a request encountered, layer by layer.
type way struct {
	addresses  []string
	dnsErr     error
	connected  string // the address
	connectErr error
	tls        *tls.ConnectionState
	tlsErr     error
}

// follow requests the target and returns what the request encountered.
func follow(ctx context.Context, target *url.URL, transport *http.Transport) (met way, page []byte, status int, err error) {
	var (
		mu   sync.Mutex // net/http may still dial after it has returned
		seen way
	)
	note := func(f func()) {
		mu.Lock()
		defer mu.Unlock()
		f()
	}
	ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		DNSDone: func(info httptrace.DNSDoneInfo) {
			note(func() {
				seen.dnsErr = info.Err
				for _, a := range info.Addrs {
					seen.addresses = append(seen.addresses, a.String())
				}
			})
		},
		ConnectDone: func(_, address string, err error) {
			note(func() {
				if err == nil {
					seen.connected = address
				} else {
					seen.connectErr = err
				}
			})
		},
		TLSHandshakeDone: func(state tls.ConnectionState, err error) {
			note(func() {
				seen.tlsErr = err
				if err == nil {
					seen.tls = &state
				}
			})
		},
	})
	page, status, err = get(ctx, target, transport)
	note(func() { met = seen })
	return met, page, status, err
}

// get returns the answer of the target.
func get(ctx context.Context, target *url.URL, transport *http.Transport) (page []byte, status int, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, target.String(), http.NoBody)
	if err != nil {
		return nil, 0, err
	}
	client := &http.Client{
		Transport:     transport,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	resp, err := client.Do(req)
	if err != nil {
		return nil, 0, err
	}
	defer resp.Body.Close() //nolint:errcheck // The body has been read.
	page, err = io.ReadAll(io.LimitReader(resp.Body, maxInput))
	return page, resp.StatusCode, err
}

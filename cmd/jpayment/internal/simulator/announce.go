package simulator

import (
	"fmt"
	"io"

	"github.com/jpayment-go/jpayment"
)

// Announce prints, in English or Japanese (en, ja), how to use the simulator.
func (s *Simulator) Announce(w io.Writer, language string) error {
	books := jpayment.Text{En: "in memory, lost when the program ends", Ja: "メモリ上（終了すると消えます）"}
	if s.state != nil {
		books = jpayment.Text{En: visible(s.path), Ja: visible(s.path)}
	}
	auth := jpayment.Text{En: "registered source addresses", Ja: "決済データ送信元IP（登録済みの送信元IPアドレス）"}
	if s.gateway.Config().ConnectionCode != "" {
		auth = jpayment.Text{En: "the code in JPAYMENT_CONNECTION_AUTH", Ja: "接続認証コード（JPAYMENT_CONNECTION_AUTH）"}
	}
	behaviour := jpayment.Text{En: "as assumed", Ja: "すべて前提どおり"}
	if n := len(s.gateway.Settings().Behaviour); n > 0 {
		behaviour = textf("%d differ from the assumptions; see the panel", "前提と異なるもの %d 件（管理画面で確認できます）", n)
	}
	const en = `Simulated gateway, store %[1]s. No card is charged.

  Go client   jpayment.NewClient(%[1]q, jpayment.WithBaseURL(%[2]q))
  others      %[2]s in place of https://credit.j-payment.co.jp
              %[2]s/gateway/gateway.aspx  Sales, Cancel
              %[2]s/gateway/re_auth.aspx  ReAuth
  panel       %[2]s/panel/
  API         %[2]s/control/v1/
  kickbacks   set the kickback URL in the panel; it must be on this machine
  admits      %[4]s
  settings    %[5]s
  books       %[3]s

Press Ctrl-C to stop.
`
	const ja = `決済ゲートウェイのシミュレーターです（店舗ID %[1]s）。実際のカード決済や請求は行われません。

  Go            jpayment.NewClient(%[1]q, jpayment.WithBaseURL(%[2]q))
  その他        https://credit.j-payment.co.jp の代わりに %[2]s
                %[2]s/gateway/gateway.aspx  実売上・取消
                %[2]s/gateway/re_auth.aspx  再オーソリ
  管理画面      %[2]s/panel/
  API           %[2]s/control/v1/
  決済結果通知  決済結果通知URL を管理画面で設定してください（このマシン上の URL のみ）
  認証方法      %[4]s
  設定          %[5]s
  保存先        %[3]s

Ctrl-C で終了します。
`
	_, err := fmt.Fprintf(w, in(language, jpayment.Text{En: en, Ja: ja}), s.storeID, s.URL(), in(language, books), in(language, auth), in(language, behaviour))
	return err
}

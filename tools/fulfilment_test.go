package tools

import (
	"context"
	"database/sql"
	"go/constant"
	"path/filepath"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/jpayment-go/jpayment"
	"github.com/jpayment-go/jpayment/fulfilment"
	"github.com/jpayment-go/jpayment/jpaymenttest"
)

// endings are the ways in which an attempt can end.
var endings = []struct {
	name jpayment.Text
	err  func(jpayment.Call) error
}{
	{jpayment.Text{En: "success", Ja: "成功"}, func(jpayment.Call) error { return nil }},
	{jpayment.Text{En: "the request is not valid (`ValidationError`)", Ja: "リクエストの誤り（`ValidationError`）"}, func(c jpayment.Call) error { return &jpayment.ValidationError{Call: c} }},
	{jpayment.Text{En: "not sent", Ja: "未送信"}, func(c jpayment.Call) error { return &jpayment.TransportError{Call: c, NotSent: true} }},
	{jpayment.Text{En: "congestion (`ErrBusy`)", Ja: "処理混雑（`ErrBusy`）"}, refusal("ER010")},
	{jpayment.Text{En: "maintenance (`ErrMaintenance`)", Ja: "メンテナンス中（`ErrMaintenance`）"}, refusal("ER999")},
	{jpayment.Text{En: "the store's settings (`ErrNotPermitted`)", Ja: "店舗の設定（`ErrNotPermitted`）"}, refusal(jpayment.CodeSourceIP)},
	{jpayment.Text{En: "a wrong parameter (`ErrInvalidParameter`)", Ja: "パラメータの誤り（`ErrInvalidParameter`）"}, refusal(jpayment.CodePaymentID)},
	{jpayment.Text{En: "the issuer declined (`ErrCardDeclined`)", Ja: "カード会社の拒否（`ErrCardDeclined`）"}, refusal("G1242G120000")},
	{jpayment.Text{En: "any other refusal (`ErrRejected`)", Ja: "その他の拒否（`ErrRejected`）"}, refusal(jpayment.CodeCaptureFailed)},
	{jpayment.Text{En: "the gateway lost track (`ErrLostTrack`)", Ja: "決済ゲートウェイ側で不明（`ErrLostTrack`）"}, refusal("ER000")},
	{jpayment.Text{En: "no reply, or one that does not count", Ja: "応答なし、または結果として扱えない応答"}, noReply},
	{jpayment.Text{En: "a test approval, if only production counts", Ja: "テストモードの承認（本番のみ有効とする設定の場合）"}, func(c jpayment.Call) error { return &jpayment.ReplyError{Call: c, Err: jpayment.ErrTestMode} }},
}

func refusal(code jpayment.Code) func(jpayment.Call) error {
	return func(c jpayment.Call) error { return &jpayment.GatewayError{Call: c, Code: code} }
}

func noReply(c jpayment.Call) error { return &jpayment.ReplyError{Call: c} }

// situations are the situations in which an attempt can be made.
var situations = []struct {
	name    jpayment.Text
	op      jpayment.Operation // as in the error
	unknown int                // the number of earlier attempts whose outcome is unknown
}{
	{jpayment.Text{En: "Sales, Cancel", Ja: "Sales・Cancel"}, jpayment.OpSales, 0},
	{jpayment.Text{En: "… after an unknown attempt", Ja: "… 不明の後の再送"}, jpayment.OpSales, 1},
	{jpayment.Text{En: "… after the last replay", Ja: "… 最後の再送"}, jpayment.OpSales, 3},
	{jpayment.Text{En: "ReAuth", Ja: "ReAuth"}, jpayment.OpReAuth, 0},
	{jpayment.Text{En: "ReAuth with `KickbackWait`", Ja: "ReAuth（`KickbackWait` あり）"}, jpayment.OpReAuthByKickback, 0},
}

// policyTable is the table of what workers do after each ending in each situation.
func policyTable(t *testing.T, l language) string {
	rows := [][]string{{l.in(jpayment.Text{En: "The attempt ended in", Ja: "送信の結果"})}}
	for _, s := range situations {
		rows[0] = append(rows[0], l.in(s.name))
	}
	for i, verdicts := range policy(t) {
		row := []string{l.in(endings[i].name)}
		for _, v := range verdicts {
			row = append(row, l.in(v))
		}
		rows = append(rows, row)
	}
	return table(rows...)
}

var policyOf [][]jpayment.Text

// policy lets a worker carry out a job for each ending in each situation. The waits between
// attempts take no time.
func policy(t *testing.T) [][]jpayment.Text {
	t.Helper()
	for len(policyOf) < len(endings) {
		var verdicts []jpayment.Text
		for _, s := range situations {
			synctest.Test(t, func(t *testing.T) {
				call := jpayment.Call{Operation: s.op}
				errs := slices.Repeat([]error{noReply(call)}, s.unknown)
				verdicts = append(verdicts, judge(t, s.op, append(errs, endings[len(policyOf)].err(call))))
			})
		}
		policyOf = append(policyOf, verdicts)
	}
	return policyOf
}

// judge returns the state and reason of a job whose attempts end this way.
func judge(t *testing.T, op jpayment.Operation, errs []error) jpayment.Text {
	t.Helper()
	config := fulfilment.Config{StoreID: "123456"}
	request := fulfilment.Sales("order", jpayment.SalesRequest{PaymentID: "1"})
	if op != jpayment.OpSales {
		request = fulfilment.ReAuth("order", jpayment.ReAuthRequest{PaymentID: "1", Amount: 1})
	}
	if op == jpayment.OpReAuthByKickback {
		config.KickbackWait = time.Hour
	}
	db, q := openQueue(t, filepath.Join(t.TempDir(), "orders.db"), config)
	defer db.Close()
	job, err := q.Enqueue(t.Context(), request)
	require.NoError(t, err)

	work(t, q, errs...)
	job, err = q.Job(t.Context(), job.Operation, job.PaymentID)
	require.NoError(t, err)
	status, err := q.Status(t.Context(), "")
	require.NoError(t, err)
	verdict := "`" + string(job.State) + "`"
	if job.Reason != fulfilment.ReasonNone {
		verdict += ", `" + string(job.Reason) + "`"
	}
	if status.Paused != nil && !status.Paused.Until.IsZero() {
		return jpayment.Text{En: verdict + "; the store pauses until it is over", Ja: verdict + "。終了まで送信を一時停止"}
	}
	if status.Paused != nil {
		return jpayment.Text{En: verdict + "; the store pauses", Ja: verdict + "。送信を一時停止"}
	}
	return jpayment.Text{En: verdict, Ja: verdict}
}

// work runs a worker whose attempts end this way, until the last one has ended.
func work(t *testing.T, q *fulfilment.Queue[*sql.Tx], errs ...error) {
	t.Helper()
	answered := make(chan struct{}, 1)
	next := func() error {
		err := errs[0]
		errs = errs[1:]
		if len(errs) == 0 {
			answered <- struct{}{}
		}
		return err
	}
	gateway := &jpaymenttest.Fake{
		SalesFunc: func(context.Context, jpayment.SalesRequest) (*jpayment.Result, error) {
			return &jpayment.Result{}, next()
		},
		ReAuthFunc: func(context.Context, jpayment.ReAuthRequest) (*jpayment.Result, error) {
			return &jpayment.Result{}, next()
		},
		ReAuthByKickbackFunc: func(context.Context, jpayment.ReAuthRequest) error { return next() },
	}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- q.Run(ctx, gateway, fulfilment.WorkerConfig{}) }()
	<-answered
	stop()
	require.NoError(t, <-ended) // The end of the attempt is recorded before Run returns.
}

// reasonTable lists the reasons of jobs, in the order of the package.
func reasonTable(t *testing.T, l language) string {
	rows := [][]string{{"`Job.Reason`", l.in(jpayment.Text{En: "What it says", Ja: "意味"})}}
	for _, c := range constants(t, module+"/fulfilment", "Reason") {
		if reason := fulfilment.Reason(constant.StringVal(c.Val())); reason != fulfilment.ReasonNone {
			rows = append(rows, []string{"`" + string(reason) + "`", l.in(reason.Text())})
		}
	}
	return table(rows...)
}

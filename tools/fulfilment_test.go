package tools

import (
	"context"
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
	err  error // without its operation
}{
	{jpayment.Text{En: "success", Ja: "成功"}, nil},
	{jpayment.Text{En: "the request is not valid (`ValidationError`)", Ja: "リクエストの誤り（`ValidationError`）"}, &jpayment.ValidationError{}},
	{jpayment.Text{En: "not sent", Ja: "未送信"}, &jpayment.TransportError{NotSent: true}},
	{jpayment.Text{En: "congestion (`ErrBusy`)", Ja: "処理混雑（`ErrBusy`）"}, &jpayment.GatewayError{Code: jpayment.CodeBusy}},
	{jpayment.Text{En: "maintenance (`ErrMaintenance`)", Ja: "メンテナンス中（`ErrMaintenance`）"}, &jpayment.GatewayError{Code: jpayment.CodeMaintenance}},
	{jpayment.Text{En: "the store's settings (`ErrNotPermitted`)", Ja: "店舗の設定（`ErrNotPermitted`）"}, &jpayment.GatewayError{Code: jpayment.CodeSourceIP}},
	{jpayment.Text{En: "a wrong parameter (`ErrInvalidParameter`)", Ja: "パラメータの誤り（`ErrInvalidParameter`）"}, &jpayment.GatewayError{Code: jpayment.CodePaymentID}},
	{jpayment.Text{En: "the issuer declined (`ErrCardDeclined`)", Ja: "カード会社の拒否（`ErrCardDeclined`）"}, &jpayment.GatewayError{Code: "G1242G120000"}},
	{jpayment.Text{En: "any other refusal (`ErrRejected`)", Ja: "その他の拒否（`ErrRejected`）"}, &jpayment.GatewayError{Code: jpayment.CodeCaptureFailed}},
	{jpayment.Text{En: "the gateway lost track (`ErrLostTrack`)", Ja: "ゲートウェイ側で不明（`ErrLostTrack`）"}, &jpayment.GatewayError{Code: jpayment.CodeInternal}},
	{jpayment.Text{En: "no reply, or one that cannot count", Ja: "応答なし、または信頼できない応答"}, &jpayment.ReplyError{}},
	{jpayment.Text{En: "a test approval, where only production counts", Ja: "テスト環境の承認（本番専用の設定の場合）"}, &jpayment.ReplyError{Err: jpayment.ErrTestMode}},
}

// situations are those in which an attempt can be made.
var situations = []struct {
	name    jpayment.Text
	op      jpayment.Operation // as the error has it
	unknown int                // how many earlier attempts' outcomes are unknown
}{
	{jpayment.Text{En: "Sales, Cancel", Ja: "Sales・Cancel"}, jpayment.OpSales, 0},
	{jpayment.Text{En: "… after an unknown attempt", Ja: "… 不明の後の再送"}, jpayment.OpSales, 1},
	{jpayment.Text{En: "… after the last replay", Ja: "… 最後の再送"}, jpayment.OpSales, 3},
	{jpayment.Text{En: "ReAuth", Ja: "ReAuth"}, jpayment.OpReAuth, 0},
	{jpayment.Text{En: "ReAuth with `KickbackWait`", Ja: "ReAuth（`KickbackWait` あり）"}, jpayment.OpReAuthByKickback, 0},
}

// policyTable says what workers made of each ending in each situation.
func policyTable(t *testing.T, l language) string {
	found := policy(t)
	rows := [][]string{{l.in(jpayment.Text{En: "The attempt ended in", Ja: "送信の結果"})}}
	for _, s := range situations {
		rows[0] = append(rows[0], l.in(s.name))
	}
	for i, e := range endings {
		row := []string{l.in(e.name)}
		for j := range situations {
			v := found[i][j]
			cell := "`" + string(v.state) + "`"
			if v.reason != fulfilment.ReasonNone {
				cell += l.in(jpayment.Text{En: ": ", Ja: "："}) + "`" + string(v.reason) + "`"
			}
			if v.paused {
				cell += l.in(jpayment.Text{En: "; the store pauses", Ja: "。店舗は一時停止"})
			}
			row = append(row, cell)
		}
		rows = append(rows, row)
	}
	return table(rows...)
}

// judged is what became of a job.
type judged struct {
	state  fulfilment.State
	reason fulfilment.Reason
	paused bool
}

var verdicts [][]judged

// policy lets a worker carry out a job for each ending in each situation. The time between
// attempts passes at once.
func policy(t *testing.T) [][]judged {
	t.Helper()
	if verdicts != nil {
		return verdicts
	}
	all := make([][]judged, len(endings))
	for i, e := range endings {
		for _, s := range situations {
			synctest.Test(t, func(t *testing.T) {
				errs := slices.Repeat([]error{ending(&jpayment.ReplyError{}, s.op)}, s.unknown)
				all[i] = append(all[i], judge(t, s.op, append(errs, ending(e.err, s.op))))
			})
		}
	}
	verdicts = all
	return all
}

// ending returns an error of an operation.
func ending(err error, op jpayment.Operation) error {
	call := jpayment.Call{Operation: op}
	switch err := err.(type) {
	case *jpayment.ValidationError:
		return &jpayment.ValidationError{Call: call}
	case *jpayment.TransportError:
		return &jpayment.TransportError{Call: call, NotSent: err.NotSent}
	case *jpayment.GatewayError:
		return &jpayment.GatewayError{Call: call, Code: err.Code}
	case *jpayment.ReplyError:
		return &jpayment.ReplyError{Call: call, Err: err.Err}
	default:
		return err
	}
}

// judge returns what a worker makes of a job whose attempts end so.
func judge(t *testing.T, op jpayment.Operation, errs []error) judged {
	t.Helper()
	config := fulfilment.Config{StoreID: "123456"}
	request := fulfilment.Sales("order", jpayment.SalesRequest{PaymentID: "1"})
	if op != jpayment.OpSales {
		request = fulfilment.ReAuth("order", jpayment.ReAuthRequest{PaymentID: "1", Amount: 1})
	}
	if op == jpayment.OpReAuthByKickback {
		config.KickbackWait = time.Hour
	}
	db, err := fulfilment.OpenSQLite(filepath.Join(t.TempDir(), "shop.db"))
	require.NoError(t, err)
	defer db.Close()
	q, err := fulfilment.NewSQLite(db, config)
	require.NoError(t, err)
	require.NoError(t, q.Migrate(t.Context()))
	job, err := q.Enqueue(t.Context(), request)
	require.NoError(t, err)

	answered := make(chan struct{}, len(errs))
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
	require.NoError(t, <-ended) // The end of the attempt is written down before Run returns.
	job, err = q.Job(t.Context(), job.Operation, job.PaymentID)
	require.NoError(t, err)
	status, err := q.Status(t.Context(), "")
	require.NoError(t, err)
	return judged{job.State, job.Reason, status.Paused != nil}
}

// reasonTable lists the reasons of jobs, in the order in which the package has them.
func reasonTable(t *testing.T, l language) string {
	rows := [][]string{{"`Job.Reason`", l.in(jpayment.Text{En: "What it says", Ja: "意味"})}}
	for _, reason := range constants[fulfilment.Reason](t, module+"/fulfilment", "Reason") {
		if reason != fulfilment.ReasonNone {
			rows = append(rows, []string{"`" + string(reason) + "`", l.in(reason.Text())})
		}
	}
	return table(rows...)
}

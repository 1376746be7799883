package jpayment_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/jpayment-go/jpayment"
)

func TestCodeClasses(t *testing.T) {
	t.Parallel()
	classes := []jpayment.Class{
		jpayment.ErrLostTrack, jpayment.ErrRejected, jpayment.ErrCardDeclined, jpayment.ErrBusy, jpayment.ErrMaintenance,
		jpayment.ErrNotPermitted, jpayment.ErrInvalidParameter,
	}
	for code, want := range map[jpayment.Code]jpayment.Class{
		"G1242G120000": jpayment.ErrCardDeclined,
		"G0042G000000": jpayment.ErrCardDeclined, // not listed
		"ER010":        jpayment.ErrBusy,
		"ER999":        jpayment.ErrMaintenance,
		"ER003":        jpayment.ErrNotPermitted,
		"ER998":        jpayment.ErrNotPermitted,
		"ER001":        jpayment.ErrInvalidParameter,
		"ER053":        jpayment.ErrInvalidParameter,
		"ER571":        jpayment.ErrInvalidParameter,
		"ER032":        jpayment.ErrRejected,
		"ER000":        jpayment.ErrLostTrack,
		"ER444":        jpayment.ErrLostTrack, // not listed
		"42C010000":    jpayment.ErrLostTrack,
	} {
		err := fmt.Errorf("ship order 7: %w", &jpayment.GatewayError{Code: code})
		require.Equal(t, want, code.Class())
		for _, class := range classes {
			require.NotEmpty(t, jpayment.WhatOf(class).Ja)
			if class == want {
				require.ErrorIs(t, err, class, code)
			} else {
				require.NotErrorIs(t, err, class, code)
			}
		}
		require.ErrorIs(t, err, code)
		require.NotErrorIs(t, err, jpayment.Code("ER002"))
	}
}

func TestCodeMessages(t *testing.T) {
	t.Parallel()
	require.Equal(t, "ER003 ("+jpayment.CodeSourceIP.Message().En+")", jpayment.CodeSourceIP.Error())
	for _, known := range []jpayment.Code{"ER003", "G1242G120000", "42C010000"} {
		require.True(t, known.Known(), known)
	}
	for _, unknown := range []jpayment.Code{"ER444", "G0042G000000", "X", ""} {
		require.False(t, unknown.Known(), unknown)
		require.Equal(t, unknown == "", unknown.Message() == jpayment.Text{}, unknown)
	}
	require.Empty(t, fmt.Sprint(jpayment.Code("")), "no code says nothing")
}

func TestOutcomeOfGatewayError(t *testing.T) {
	t.Parallel()
	const refused, unknown = jpayment.OutcomeRefused, jpayment.OutcomeUnknown
	for code, want := range map[jpayment.Code]struct{ sales, reAuth jpayment.Outcome }{
		"ER003":        {refused, refused},
		"ER010":        {refused, refused},
		"ER053":        {refused, refused},
		"ER999":        {refused, refused},
		"ER032":        {refused, unknown},
		"ER033":        {refused, unknown},
		"ER018":        {refused, unknown},
		"G1242G120000": {refused, unknown},
		"G0042G000000": {refused, unknown},
		"ER000":        {unknown, unknown},
		"ER042":        {unknown, unknown},
		"ER444":        {unknown, unknown},
		"42C010000":    {unknown, unknown},
		"X":            {unknown, unknown},
		"":             {unknown, unknown},
	} {
		outcome := func(op jpayment.Operation) jpayment.Outcome {
			return jpayment.OutcomeOf(&jpayment.GatewayError{Call: jpayment.Call{Operation: op}, Code: code})
		}
		require.Equal(t, want.sales, outcome(jpayment.OpSales), code)
		require.Equal(t, want.sales, outcome(jpayment.OpCancel), code)
		require.Equal(t, want.reAuth, outcome(jpayment.OpReAuth), code)
		require.Equal(t, want.reAuth, outcome(jpayment.OpReAuthByKickback), code)
		require.Equal(t, want.sales, code.Outcome(jpayment.OpSales), code)
		require.Equal(t, want.reAuth, code.Outcome(jpayment.OpReAuth), code)
	}
}

func TestOutcomeOf(t *testing.T) {
	t.Parallel()
	refused := &jpayment.GatewayError{Call: jpayment.Call{Operation: jpayment.OpSales}, Code: "ER053"}
	notSent := &jpayment.TransportError{NotSent: true, Err: context.Canceled}
	lost := &jpayment.TransportError{Err: context.Canceled}
	foreign := errors.New("order 7")
	var zero jpayment.Outcome
	require.Equal(t, jpayment.OutcomeUnknown, zero)
	for name, tt := range map[string]struct {
		err  error
		want jpayment.Outcome
	}{
		"nil":                       {nil, jpayment.OutcomeDone},
		"foreign":                   {foreign, jpayment.OutcomeUnknown},
		"a code alone":              {jpayment.CodeSourceIP, jpayment.OutcomeUnknown},
		"validation":                {&jpayment.ValidationError{}, jpayment.OutcomeNotSent},
		"not sent":                  {notSent, jpayment.OutcomeNotSent},
		"lost":                      {lost, jpayment.OutcomeUnknown},
		"reply":                     {&jpayment.ReplyError{}, jpayment.OutcomeUnknown},
		"refused":                   {refused, jpayment.OutcomeRefused},
		"wrapped":                   {fmt.Errorf("ship: %w", refused), jpayment.OutcomeRefused},
		"wrapped beside a foreign":  {fmt.Errorf("%w: %w", foreign, refused), jpayment.OutcomeRefused},
		"joined, agreeing":          {errors.Join(refused, refused), jpayment.OutcomeRefused},
		"joined, disagreeing":       {errors.Join(refused, notSent), jpayment.OutcomeUnknown},
		"joined, one unknown":       {errors.Join(notSent, lost), jpayment.OutcomeUnknown},
		"joined, none ours":         {errors.Join(foreign, context.Canceled), jpayment.OutcomeUnknown},
		"not sent, earlier unknown": {&jpayment.TransportError{Call: jpayment.Call{Earlier: lost}, NotSent: true, Err: foreign}, jpayment.OutcomeUnknown},
		"refused, earlier unknown":  {&jpayment.GatewayError{Call: jpayment.Call{Operation: jpayment.OpSales, Earlier: lost}, Code: "ER032"}, jpayment.OutcomeUnknown},
	} {
		require.Equal(t, tt.want, jpayment.OutcomeOf(tt.err), name)
	}
	require.Equal(t, "unknown done not sent refused", fmt.Sprint(
		jpayment.OutcomeUnknown, " ", jpayment.OutcomeDone, " ", jpayment.OutcomeNotSent, " ", jpayment.OutcomeRefused))
}

// Every error is one line that says what to do next.
func TestErrorTexts(t *testing.T) {
	t.Parallel()
	call := func(op jpayment.Operation) jpayment.Call {
		return jpayment.Call{Operation: op, PaymentID: "10000001", Attempts: 1}
	}
	replayed := call(jpayment.OpSales)
	replayed.Attempts, replayed.Earlier = 2, &jpayment.TransportError{}
	const (
		panelSales  = "look the payment up in the control panel: ship only if it is captured (実売上); if it is still authorised (仮売上), send the capture again"
		panelReAuth = "do not send it again; look in the control panel: continue with the new payment if there is one, or with the original if it is not cancelled; otherwise do not ship"
	)
	for want, err := range map[string]error{
		"jpayment: Sales of payment 10000001: outcome refused: ER003 (" + jpayment.CodeSourceIP.Message().En + "); " +
			"next: register this machine's egress IP address in the control panel (設定 → 決済システム → 決済ゲートウェイ＆CTI決済設定 → 決済データ送信元IP), then send it again": &jpayment.GatewayError{Call: call(jpayment.OpSales), Code: "ER003"},
		"jpayment: Sales of payment 10000001: outcome unknown: ER032 (" + jpayment.CodeCaptureFailed.Message().En + ") (after 2 attempts); " +
			"an earlier attempt may have been carried out; next: " + panelSales: &jpayment.GatewayError{Call: replayed, Code: "ER032"},
		"jpayment: Sales of payment 10000001: outcome refused: ER032 (" + jpayment.CodeCaptureFailed.Message().En + "); " +
			"next: look the payment up in the control panel: it may be captured already, cancelled or expired; ship only if it is captured (実売上)": &jpayment.GatewayError{Call: call(jpayment.OpSales), Code: "ER032"},
		"jpayment: Cancel of payment 10000001: outcome refused: ER033 (" + jpayment.CodeCancelFailed.Message().En + "); " +
			"next: look the payment up in the control panel: it may be cancelled (取消) already": &jpayment.GatewayError{Call: call(jpayment.OpCancel), Code: "ER033"},
		"jpayment: ReAuth of payment 10000001: outcome refused: ER053 (" + jpayment.CodePaymentID.Message().En + "); " +
			"next: check the payment number and that it belongs to this store": &jpayment.GatewayError{Call: call(jpayment.OpReAuth), Code: "ER053"},
		"jpayment: ReAuth of payment 10000001: outcome unknown: G1242G120000 (" + jpayment.Code("G1242G120000").Message().En + "); the original payment may be cancelled; next: " + panelReAuth: &jpayment.GatewayError{Call: call(jpayment.OpReAuth), Code: "G1242G120000"},
		"jpayment: Sales of payment 10000001: outcome refused: G1242G120000 (" + jpayment.Code("G1242G120000").Message().En + "); " +
			"next: do not ship; if the reason may be temporary, send it again, otherwise ask the cardholder for another way to pay": &jpayment.GatewayError{Call: call(jpayment.OpSales), Code: "G1242G120000"},
		"jpayment: Cancel of payment 10000001: outcome refused: G8042G800000 (" + jpayment.Code("G8042G800000").Message().En + "); " +
			"next: look the payment up in the control panel and ask the gateway's support why the issuer declined": &jpayment.GatewayError{Call: call(jpayment.OpCancel), Code: "G8042G800000"},
		"jpayment: Cancel of payment 10000001: outcome refused: ER010 (" + jpayment.Code("ER010").Message().En + "); next: send it again a little later": &jpayment.GatewayError{Call: call(jpayment.OpCancel), Code: "ER010"},
		"jpayment: Sales of payment 10000001: outcome refused: ER999 (" + jpayment.Code("ER999").Message().En + "); " +
			"next: send it again when the maintenance is over": &jpayment.GatewayError{Call: call(jpayment.OpSales), Code: "ER999"},
		"jpayment: Sales of payment 10000001: outcome refused: ER998 (" + jpayment.Code("ER998").Message().En + "); " +
			"next: check the store's contract and settings in the control panel": &jpayment.GatewayError{Call: call(jpayment.OpSales), Code: "ER998"},
		"jpayment: Sales of payment 10000001: outcome refused: ER001 (" + jpayment.Code("ER001").Message().En + "); next: correct the request": &jpayment.GatewayError{Call: call(jpayment.OpSales), Code: "ER001"},
		"jpayment: Cancel of payment 10000001: outcome refused: ER030 (" + jpayment.Code("ER030").Message().En + "); " +
			"next: look the payment up in the control panel: it may be cancelled (取消) already": &jpayment.GatewayError{Call: call(jpayment.OpCancel), Code: "ER030"},
		"jpayment: ReAuth of payment 10000001: outcome unknown: no reply: timed out; next: " + panelReAuth: &jpayment.TransportError{Call: call(jpayment.OpReAuth), Err: context.DeadlineExceeded},
		"jpayment: Cancel of payment 10000001: outcome not sent: could not connect: the context was cancelled; " +
			"next: send it again with more time; nothing was sent": &jpayment.TransportError{Call: call(jpayment.OpCancel), NotSent: true, Err: context.Canceled},
		"jpayment: Cancel of payment 10000001: outcome not sent: could not connect: the connection was closed early; " +
			"next: check the network, the proxy and the address of the gateway, then send it again; nothing was sent": &jpayment.TransportError{Call: call(jpayment.OpCancel), NotSent: true, Err: io.EOF},
		"jpayment: outcome refused: ER030 (" + jpayment.Code("ER030").Message().En + "); next: look the payment up in the control panel": &jpayment.GatewayError{Code: "ER030"},
		"jpayment: Cancel of payment 10000001: outcome unknown: the reply does not count as an answer: ta is not the sum of am, tx and sf; " +
			"next: look the payment up in the control panel: if it is not cancelled (取消), send the cancellation again": &jpayment.ReplyError{Call: call(jpayment.OpCancel), Column: "ta", Reason: jpayment.Text{En: "is not the sum of am, tx and sf"}},
		"jpayment: Sales of payment 10000001: outcome unknown: the reply does not count as an answer: it is a test approval: the store is in test mode and no money moved; " +
			"next: do not ship, no money moved; switch the store to production in the control panel": &jpayment.ReplyError{Call: call(jpayment.OpSales), Reason: jpayment.Text{En: "it is a test approval"}, Err: jpayment.ErrTestMode},
		"jpayment: outcome unknown: no reply: the cause is unknown; next: look the payment up in the control panel":                     &jpayment.TransportError{},
		"jpayment: outcome unknown: the reply does not count as an answer: it is empty; next: look the payment up in the control panel": &jpayment.ReplyError{Reason: jpayment.Text{En: "it is empty"}},
	} {
		require.EqualError(t, err, want)
	}
}

// theirs is an error of another package that says what happened and what to do next.
type theirs struct{ error }

func (theirs) What() jpayment.Text {
	return jpayment.Text{En: "the warehouse is closed", Ja: "倉庫は休業中です"}
}

func (theirs) Next() jpayment.Text {
	return jpayment.Text{En: "ask the warehouse", Ja: "倉庫に問い合わせる"}
}
func (e theirs) Unwrap() error { return e.error }

func TestNextOfAndWhatOf(t *testing.T) {
	t.Parallel()
	const lookUp = "look the payment up in the control panel"
	refused := &jpayment.GatewayError{Call: jpayment.Call{Operation: jpayment.OpSales}, Code: "ER010"}
	notSent := &jpayment.TransportError{NotSent: true, Err: io.EOF}
	otherAmounts := func(newPaymentID string) error {
		return &jpayment.ReplyError{
			Call: jpayment.Call{Operation: jpayment.OpReAuth, PaymentID: "10000001"}, Column: "am", Reason: jpayment.Text{En: "is not the requested amount", Ja: "が要求した金額と異なります"},
			Result: &jpayment.Result{Status: jpayment.StatusSucceeded, PaymentID: newPaymentID},
		}
	}
	test := &jpayment.ReplyError{Call: jpayment.Call{Operation: jpayment.OpSales}, Reason: jpayment.Text{En: "it is a test approval"}, Err: jpayment.ErrTestMode}
	for name, tt := range map[string]struct {
		err        error
		next, what string
	}{
		"nil":                 {nil, "", ""},
		"ours":                {refused, "send it again a little later", "ER010 (payment processing is congested)"},
		"wrapped":             {fmt.Errorf("ship: %w", refused), "send it again a little later", "ER010 (payment processing is congested)"},
		"foreign":             {errors.New("canary"), lookUp, "error of type *errors.errorString"},
		"a code":              {fmt.Errorf("x: %w", jpayment.Code("ER010")), lookUp, "ER010 (payment processing is congested)"},
		"a class":             {jpayment.ErrBusy, lookUp, "the gateway is congested"},
		"a context":           {context.Canceled, lookUp, "the context was cancelled"},
		"another package's":   {fmt.Errorf("x: %w", theirs{refused}), "ask the warehouse", "the warehouse is closed"},
		"one of theirs below": {errors.Join(errors.New("x"), theirs{}), "ask the warehouse", "the warehouse is closed"},
		"joined, disagreeing": {errors.Join(refused, notSent), lookUp, "ER010 (payment processing is congested)"},
		"other amounts":       {otherAmounts("10000042"), "do not send it again; look in the control panel for payment 10000042, which the reply names: capture it only if it replaces this payment and its amounts are right", "the reply does not count as an answer: am is not the requested amount"},
		"no new payment":      {otherAmounts("0"), jpayment.OpReAuth.NextIfUnknown().En, "the reply does not count as an answer: am is not the requested amount"},
		"the same payment":    {otherAmounts("10000001"), jpayment.OpReAuth.NextIfUnknown().En, "the reply does not count as an answer: am is not the requested amount"},
		"no payment number":   {otherAmounts("taro@example.com"), jpayment.OpReAuth.NextIfUnknown().En, "the reply does not count as an answer: am is not the requested amount"},
		"test mode":           {test, "do not ship, no money moved; switch the store to production in the control panel", "the reply does not count as an answer: it is a test approval: the store is in test mode and no money moved"},
		"test mode alone":     {jpayment.ErrTestMode, "do not ship, no money moved; switch the store to production in the control panel", "the store is in test mode and no money moved"},
	} {
		next, what := jpayment.NextOf(tt.err), jpayment.WhatOf(tt.err)
		require.Equal(t, tt.next, next.En, name)
		require.Equal(t, tt.what, what.En, name)
		require.Equal(t, tt.next == "", next.Ja == "", name)
		require.Equal(t, tt.what == "", what.Ja == "", name)
	}
}

// An error says the same in Japanese as in English.
func TestErrorTextsInJapanese(t *testing.T) {
	t.Parallel()
	replayed := jpayment.Call{Operation: jpayment.OpSales, Attempts: 2, Earlier: &jpayment.TransportError{}}
	for want, err := range map[string]error{
		"ER032: " + jpayment.CodeCaptureFailed.Message().Ja + "（試行2回）。以前の送信が処理された可能性があります": &jpayment.GatewayError{Call: replayed, Code: "ER032"},
		"応答がありませんでした: タイムアウトしました":                                                          &jpayment.TransportError{Err: context.DeadlineExceeded},
		"接続できませんでした: 接続が途中で切断されました":                                                        &jpayment.TransportError{NotSent: true, Err: io.EOF},
		"接続できませんでした: 接続が拒否されました（dial tcp）":                                                 &jpayment.TransportError{NotSent: true, Err: &net.OpError{Op: "dial", Net: "tcp", Err: syscall.ECONNREFUSED}},
		"応答を結果として扱えません: taがam、tx、sfの合計と一致しません":                                             &jpayment.ReplyError{Column: "ta", Reason: jpayment.Text{En: "x", Ja: "がam、tx、sfの合計と一致しません"}},
	} {
		require.Equal(t, want, jpayment.WhatOf(err).Ja)
	}
}

func TestPreviewValidates(t *testing.T) {
	t.Parallel()
	c := newClient(t)
	for want, tt := range map[string]struct {
		op jpayment.Operation
		r  jpayment.Request
	}{
		"Request is nil": {jpayment.OpSales, nil},
		"Operation does not match the request, which is for Sales":  {jpayment.OpCancel, jpayment.SalesRequest{PaymentID: "1"}},
		"Operation does not match the request, which is for Cancel": {jpayment.OpSales, jpayment.CancelRequest{PaymentID: "1"}},
		"Operation does not match the request, which is for ReAuth": {"Refund", jpayment.ReAuthRequest{PaymentID: "1", Amount: 1}},
		"PaymentID (tid) is empty":                                  {jpayment.OpReAuthByKickback, jpayment.ReAuthRequest{Amount: 1}},
	} {
		r, err := c.Preview(t.Context(), tt.op, tt.r)
		require.Nil(t, r)
		requireFaults(t, err, want)
	}
}

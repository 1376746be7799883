package jobtext_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/jpayment-go/jpayment"
	"github.com/jpayment-go/jpayment/cmd/jpayment/internal/jobtext"
	"github.com/jpayment-go/jpayment/fulfilment"
)

// The state of a job comes with the next step, down to the command to type.
func TestNext(t *testing.T) {
	t.Parallel()
	const flags = " --store 123456 --database tour.db"
	for name, c := range map[string]struct {
		job    fulfilment.Job
		en, ja string
	}{
		"waiting":  {fulfilment.Job{State: fulfilment.StateWaiting}, "to send it, run", "jpayment work" + flags + " を実行して送信する"},
		"running":  {fulfilment.Job{State: fulfilment.StateRunning}, "to find out its outcome", "jpayment work" + flags + " を実行して結果を確定する"},
		"awaiting": {fulfilment.Job{State: fulfilment.StateAwaiting, Operation: jpayment.OpReAuth}, "to find out its outcome", "結果を確定する"},
		"sales in review": {
			fulfilment.Job{ID: 7, State: fulfilment.StateReview, Operation: jpayment.OpSales}, "jpayment review 7 --again" + flags, "仮売上のままなら jpayment review 7 --again" + flags + " で再送する",
		},
		"reauth in review": {
			fulfilment.Job{ID: 7, State: fulfilment.StateReview, Operation: jpayment.OpReAuth}, "do not send it again", "jpayment review 7 --done --new-payment 新決済番号" + flags,
		},
		"test mode": {
			fulfilment.Job{State: fulfilment.StateReview, Reason: fulfilment.ReasonTestMode}, "switch the store to production", "店舗を本番に切り替える",
		},
		"reauth done": {fulfilment.Job{State: fulfilment.StateDone, Operation: jpayment.OpReAuth, NewPaymentID: "10000042"}, "capture the new payment 10000042, unless your order system does so", "新しい決済 10000042"},
		"refused": {
			fulfilment.Job{State: fulfilment.StateRefused, Reason: fulfilment.ReasonCode, Code: jpayment.CodePaymentID, Operation: jpayment.OpSales}, "check the payment number", "決済番号",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			next := jobtext.Next(c.job, flags)
			require.Contains(t, next.En, c.en)
			require.Contains(t, next.Ja, c.ja)
		})
	}
	require.Zero(t, jobtext.Next(fulfilment.Job{State: fulfilment.StateDone, Operation: jpayment.OpSales}, flags))
}

func TestWhy(t *testing.T) {
	t.Parallel()
	require.Zero(t, jobtext.Why(fulfilment.Job{State: fulfilment.StateWaiting}))
	require.Zero(t, jobtext.Why(fulfilment.Job{State: fulfilment.StateDone}))
	require.Equal(t, "送信の結果がまだ記録されていません", jobtext.Why(fulfilment.Job{State: fulfilment.StateRunning}).Ja)
	require.Equal(t, jpayment.CodeSourceIP.Message(), jobtext.Why(fulfilment.Job{State: fulfilment.StateWaiting, Code: jpayment.CodeSourceIP}))
	refused := jobtext.Why(fulfilment.Job{State: fulfilment.StateRefused, Reason: fulfilment.ReasonCode, Code: jpayment.CodePaymentID})
	require.Equal(t, fulfilment.ReasonCode.Text().Ja+": "+jpayment.CodePaymentID.Message().Ja, refused.Ja)
}

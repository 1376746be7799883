package fulfilment

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/jpayment-go/jpayment"
)

// State is the state of a job.
type State string

// The states. The last three are settled: nothing will be sent. They can still change. A
// person or a late answer can decide a review, a person can correct a decision, and a job
// that a kickback settled goes to review if something contradicts it.
const (
	StateWaiting  State = "waiting"           // to be sent, now or at Job.Due
	StateRunning  State = "running"           // an attempt is on its way
	StateAwaiting State = "awaiting-kickback" // sent; the kickback with the result is due by Job.Due
	StateDone     State = "done"              // the gateway carried it out
	StateRefused  State = "refused"           // the payment is as it was
	StateReview   State = "review"            // a person has to look the payment up
)

// Settled reports whether the state is done, refused or review, in which nothing is sent.
func (s State) Settled() bool { return s == StateDone || s == StateRefused || s == StateReview }

// Text returns the state in a word or two.
func (s State) Text() jpayment.Text {
	switch s {
	case StateWaiting:
		return jpayment.Text{En: "waiting", Ja: "待機中"}
	case StateRunning:
		return jpayment.Text{En: "running", Ja: "送信中"}
	case StateAwaiting:
		return jpayment.Text{En: "awaiting its kickback", Ja: "通知待ち"}
	case StateDone:
		return jpayment.Text{En: "done", Ja: "完了"}
	case StateRefused:
		return jpayment.Text{En: "refused", Ja: "拒否"}
	case StateReview:
		return jpayment.Text{En: "in review", Ja: "要確認"}
	default:
		return jpayment.Text{En: string(s), Ja: string(s)}
	}
}

// Reason explains a job's state.
type Reason string

// The reasons, grouped by the states that they explain.
const (
	ReasonNone Reason = "" // nothing has happened yet, or all went well

	ReasonNotSent      Reason = "not-sent"      // waiting
	ReasonBusy         Reason = "busy"          // waiting
	ReasonMaintenance  Reason = "maintenance"   // waiting
	ReasonNotPermitted Reason = "not-permitted" // waiting; the store is paused
	ReasonUnknown      Reason = "unknown"       // waiting to be sent again, or awaiting a kickback
	ReasonInterrupted  Reason = "interrupted"   // the same, or review, after a process ended
	ReasonAgain        Reason = "again"         // waiting, by a person's decision
	ReasonAfter        Reason = "after"         // waiting for the job that it comes after

	ReasonKickback Reason = "kickback" // done: a kickback said so
	ReasonDecided  Reason = "decided"  // done or refused: a person said so
	ReasonCode     Reason = "code"     // refused: Job.Code says why
	ReasonInvalid  Reason = "invalid"  // refused: the client found the request invalid
	// ReasonPredecessor explains a refused job: the job that it comes after was refused.
	ReasonPredecessor Reason = "predecessor"

	ReasonUnanswered    Reason = "unanswered"     // review: unknown, and not to be sent again
	ReasonReplayRefused Reason = "replay-refused" // review: refused after an unknown attempt
	ReasonDeclined      Reason = "declined"       // review: a re-authorisation was declined
	ReasonNoKickback    Reason = "no-kickback"    // review: the kickback did not come
	ReasonContradicted  Reason = "contradicted"   // review: a kickback contradicts what else is known
	ReasonTestMode      Reason = "test-mode"      // review: the store is in test mode
	ReasonRestored      Reason = "restored"       // review: it was open in a database that was restored
)

var reasons = map[Reason]jpayment.Text{
	ReasonNotSent:      {En: "it could not be sent; it will be sent again", Ja: "送信できなかったため、再送します"},
	ReasonBusy:         {En: "the gateway was congested; it will be sent again", Ja: "決済ゲートウェイが混雑していたため、再送します"},
	ReasonMaintenance:  {En: "the gateway is under maintenance", Ja: "決済ゲートウェイがメンテナンス中です"},
	ReasonNotPermitted: {En: "the store's settings do not permit it; sending is paused until the store is resumed", Ja: "店舗の設定により許可されていません。再開するまで、この店舗の送信を一時停止しています"},
	ReasonUnknown:      {En: "the outcome of the last attempt is unknown", Ja: "直前の送信の結果が不明です"},
	ReasonInterrupted:  {En: "the process ended during an attempt, so its outcome is unknown", Ja: "送信中にプロセスが終了したため、その結果は不明です"},
	ReasonAgain:        {En: "a person decided to send it again", Ja: "担当者の判断により再送します"},

	ReasonAfter: {En: "it will be sent once the job before it is done", Ja: "先行するジョブの完了を待っています"},

	ReasonKickback: {En: "the kickback reported the result", Ja: "決済結果通知で結果を受け取りました"},
	ReasonDecided:  {En: "a person decided", Ja: "担当者が判断しました"},
	ReasonCode:     {En: "the gateway refused it", Ja: "決済ゲートウェイに拒否されました"},
	ReasonInvalid:  {En: "the request is not valid; nothing was sent", Ja: "リクエストに誤りがあり、送信していません"},

	ReasonPredecessor: {En: "the job before it was refused; nothing was sent", Ja: "先行するジョブが拒否されたため、送信していません"},

	ReasonUnanswered:    {En: "nobody knows whether it was carried out; it is not sent again automatically", Ja: "処理されたかどうか不明です。自動では再送しません"},
	ReasonReplayRefused: {En: "the outcome of an attempt is unknown, and the next was refused: the first may have been carried out", Ja: "結果不明の送信の後の再送が拒否されました。最初の送信が処理された可能性があります"},
	ReasonDeclined:      {En: "the re-authorisation was declined, and whether the original payment survived is not documented", Ja: "再オーソリが拒否されました。元の決済が残っているかどうかは仕様にありません"},
	ReasonNoKickback:    {En: "the kickback did not arrive in time", Ja: "期限までに決済結果通知が届きませんでした"},
	ReasonContradicted:  {En: "a kickback contradicts what else is known", Ja: "決済結果通知の内容と、ほかに分かっている結果が食い違っています"},
	ReasonTestMode:      {En: "the gateway approved it in test mode; no money moved", Ja: "テストモードの承認です。実際の請求は発生していません"},
	ReasonRestored:      {En: "it was open in the backup from which the database was restored, and may have been carried out since", Ja: "データベースの復元時に未完了でした。バックアップの作成後に処理された可能性があります"},
}

// Text returns the reason in a sentence, or nothing for ReasonNone.
func (r Reason) Text() jpayment.Text { return reasons[r] }

// Job is a request and its state.
type Job struct {
	ID                    int64
	StoreID               string
	Operation             jpayment.Operation // OpSales, OpCancel or OpReAuth
	PaymentID             string
	Reference             string
	Batch                 string
	Amount, Tax, Shipping int64 // yen; of a re-authorisation
	// After is the ID of the job that this one comes after, or zero: see [Request.After].
	After int64

	State  State
	Reason Reason
	// Code is the gateway's last code, or empty.
	Code jpayment.Code
	// Result is the gateway's result of a job that is done, or nil if only a person said
	// that it is done.
	Result *jpayment.Result
	// NewPaymentID is the payment that a re-authorisation created.
	NewPaymentID string
	// Attempts is the number of attempts to send it.
	Attempts int
	// DecidedBy and Note belong to the last decision: see [Queue.Review] and
	// [Queue.Decisions]. The note may contain personal data.
	DecidedBy string
	Note      jpayment.Secret
	// Dispute says how a kickback contradicted the verdict, at DisputedAt. It is zero if none
	// did. A kickback overrules neither a reply nor a person, so the verdict stands until a
	// person has checked and decides again.
	Dispute    jpayment.Text
	DisputedAt time.Time

	// Due is when a waiting job is to be sent, when a running one is given up, or when an
	// awaited kickback is overdue. It is zero for a settled job.
	Due                  time.Time
	CreatedAt, UpdatedAt time.Time

	// Existed reports whether the request had been enqueued before. In that case the method
	// that returned the job recorded nothing, and the job is unchanged.
	Existed bool
}

// Next returns what to do about a job that is in review, refused or disputed. It returns the
// zero Text for any other job.
func (j Job) Next() jpayment.Text {
	switch {
	case j.State == StateReview && j.Reason == ReasonTestMode:
		return jpayment.NextOf(jpayment.ErrTestMode)
	case j.State == StateReview:
		return j.Operation.NextIfUnknown()
	case j.Dispute != jpayment.Text{}:
		return nextDispute
	case j.State == StateRefused && j.Reason == ReasonCode:
		return j.Code.Next(j.Operation)
	case j.State == StateRefused && j.Reason == ReasonPredecessor:
		return textf("look at job %d first", "先にジョブ %d を確認する", j.After)
	case j.State == StateRefused && j.Reason == ReasonInvalid:
		return jpayment.Text{En: "correct the request", Ja: "リクエストを修正する"}
	default:
		return jpayment.Text{}
	}
}

// LogValue returns the job without private data.
func (j Job) LogValue() slog.Value {
	attrs := []slog.Attr{
		slog.Int64("id", j.ID),
		slog.String("operation", string(j.Operation)),
		slog.String("payment_id", j.PaymentID),
		slog.String("reference", j.Reference),
		slog.String("state", string(j.State)),
		slog.Int("attempts", j.Attempts),
	}
	if j.Reason != "" {
		attrs = append(attrs, slog.String("reason", string(j.Reason)))
	}
	if j.Code != "" {
		attrs = append(attrs, slog.String("code", string(j.Code)))
	}
	if j.After != 0 {
		attrs = append(attrs, slog.Int64("after", j.After))
	}
	if j.Dispute.En != "" {
		attrs = append(attrs, slog.String("dispute", j.Dispute.En))
	}
	if j.NewPaymentID != "" {
		attrs = append(attrs, slog.String("new_payment_id", j.NewPaymentID))
	}
	return slog.GroupValue(attrs...)
}

// Format writes what LogValue returns, for every verb.
func (j Job) Format(f fmt.State, _ rune) {
	fmt.Fprintf(f, "Job{%s}", strings.Trim(j.LogValue().String(), "[]"))
}

// Attempt is one attempt to send a job.
type Attempt struct {
	Number    int    // from 1
	Worker    string // host and process
	StartedAt time.Time
	EndedAt   time.Time        // zero while it is on its way
	Outcome   jpayment.Outcome // OutcomeUnknown while it is on its way
	Code      jpayment.Code
	What      jpayment.Text // what happened, on one line, without private data
}

// storedResult is a result as the database stores it, including private data.
type storedResult struct {
	PaymentID                                     string
	Status                                        jpayment.Status
	Code                                          jpayment.Code
	OrderCode, OrderNumber                        string
	Amount, Tax, Shipping, Total                  jpayment.Amount
	SubscriptionID                                string
	ApprovalCode, IssuedID, IssuedPassword, Other string            `json:",omitempty"`
	Extra                                         map[string]string `json:",omitempty"`
	Unreadable                                    []string          `json:",omitempty"`
	Attempts                                      int               `json:",omitempty"`
}

func marshalResult(r *jpayment.Result) (string, error) {
	if r == nil {
		return "", nil
	}
	text, err := json.Marshal(storedResult{
		PaymentID: r.PaymentID, Status: r.Status, Code: r.Code, OrderCode: r.OrderCode, OrderNumber: r.OrderNumber,
		Amount: r.Amount, Tax: r.Tax, Shipping: r.Shipping, Total: r.Total, SubscriptionID: r.SubscriptionID,
		ApprovalCode: r.ApprovalCode.Reveal(), IssuedID: r.IssuedID.Reveal(), IssuedPassword: r.IssuedPassword.Reveal(), Other: r.Other.Reveal(),
		Extra: r.Extra.Reveal(), Unreadable: r.Unreadable, Attempts: r.Attempts,
	})
	return string(text), err
}

func unmarshalResult(jobID int64, text string) (*jpayment.Result, error) {
	if text == "" {
		return nil, nil //nolint:nilnil // Having no result is not an error.
	}
	var s storedResult
	if err := json.Unmarshal([]byte(text), &s); err != nil { // The cause may quote private data.
		return nil, &problem{
			what: textf("the result of job %d cannot be read from the database", "ジョブ %d の結果をデータベースから読み取れません", jobID),
			next: nextDatabase, database: true, row: jobID,
		}
	}
	return &jpayment.Result{
		PaymentID: s.PaymentID, Status: s.Status, Code: s.Code, OrderCode: s.OrderCode, OrderNumber: s.OrderNumber,
		Amount: s.Amount, Tax: s.Tax, Shipping: s.Shipping, Total: s.Total, SubscriptionID: s.SubscriptionID,
		ApprovalCode: jpayment.NewSecret(s.ApprovalCode), IssuedID: jpayment.NewSecret(s.IssuedID),
		IssuedPassword: jpayment.NewSecret(s.IssuedPassword), Other: jpayment.NewSecret(s.Other),
		Extra: jpayment.NewExtra(s.Extra), Unreadable: s.Unreadable, Attempts: s.Attempts,
	}, nil
}

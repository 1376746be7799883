package simulator

import (
	"encoding/json"
	"maps"
	"strings"
	"time"

	"github.com/jpayment-go/jpayment/internal/assumed"
	"github.com/jpayment-go/jpayment/internal/sim"
)

// The replies of the API. Names are the same as in its input; amounts are in yen.

type settingsReply struct {
	StoreID       string   `json:"store_id"`
	TestMode      bool     `json:"test_mode"`
	Maintenance   bool     `json:"maintenance"`
	RegisteredIPs []string `json:"registered_ips"`
	KickbackURL   string   `json:"kickback_url"`
	// Behaviour has every setting of package assumed, each as a separate field.
	Behaviour assumed.Values `json:"-"`
}

// MarshalJSON writes one flat object.
func (r settingsReply) MarshalJSON() ([]byte, error) {
	type store settingsReply
	head, err := json.Marshal(store(r))
	if err != nil {
		return nil, err
	}
	tail, err := json.Marshal(r.Behaviour)
	if err != nil {
		return nil, err
	}
	return append(append(head[:len(head)-1], ','), tail[1:]...), nil
}

func (s *Simulator) settingsReply() settingsReply {
	settings := s.gateway.Settings()
	reply := settingsReply{
		StoreID:       s.storeID,
		TestMode:      settings.TestMode,
		Maintenance:   settings.Maintenance,
		RegisteredIPs: []string{},
		KickbackURL:   settings.KickbackURL,
		Behaviour:     assumed.Defaults(),
	}
	maps.Copy(reply.Behaviour, settings.Behaviour)
	for _, prefix := range settings.RegisteredIPs {
		reply.RegisteredIPs = append(reply.RegisteredIPs, prefix.String())
	}
	return reply
}

type paymentReply struct {
	PaymentID         string       `json:"payment_id"`
	State             string       `json:"state"`
	Amount            int64        `json:"amount"`
	Tax               int64        `json:"tax"`
	Shipping          int64        `json:"shipping"`
	Total             int64        `json:"total"`
	OrderNumber       string       `json:"order_number"`
	OrderCode         string       `json:"order_code"`
	ApprovalCode      string       `json:"approval_code"`
	RegisteredProduct bool         `json:"registered_product"`
	Decline           string       `json:"decline"`
	TestMode          bool         `json:"test_mode"`
	AuthorizedAt      time.Time    `json:"authorized_at"`
	Replaces          string       `json:"replaces"`
	ReplacedBy        string       `json:"replaced_by"`
	History           []eventReply `json:"history"`
}

type eventReply struct {
	At        time.Time `json:"at"`
	Operation string    `json:"operation"`
	State     string    `json:"state"`
	TestMode  bool      `json:"test_mode"`
	Request   int       `json:"request"`
}

func newPaymentReply(p sim.Payment) paymentReply {
	return paymentReply{
		PaymentID: p.ID, State: string(p.State),
		Amount: p.Amount, Tax: p.Tax, Shipping: p.Shipping, Total: p.Amount + p.Tax + p.Shipping,
		OrderNumber: p.OrderNumber, OrderCode: p.OrderCode, ApprovalCode: p.ApprovalCode,
		RegisteredProduct: p.RegisteredProduct, Decline: p.Decline, TestMode: p.TestMode,
		AuthorizedAt: p.AuthorizedAt, Replaces: p.Replaces, ReplacedBy: p.ReplacedBy,
		History: each(p.History, func(e sim.Event) eventReply {
			return eventReply{At: e.At, Operation: string(e.Operation), State: string(e.State), TestMode: e.TestMode, Request: e.Request}
		}),
	}
}

type faultReply struct {
	Number int `json:"number"`
	fault
	Matched int  `json:"matched"`
	Struck  int  `json:"struck"`
	Spent   bool `json:"spent"`
}

func newFaultReply(f sim.ActiveFault) faultReply {
	return faultReply{
		Number: f.Number,
		fault: fault{
			Kind: string(f.Kind), Operation: string(f.Operation), PaymentID: f.PaymentID, Nth: f.Nth, Probability: f.Probability,
			Code: f.Code, Status: f.Status, Location: f.Location, Body: readable(f.Body), Delay: f.Delay.Milliseconds(),
		},
		Matched: f.Matched, Struck: f.Struck, Spent: f.Spent(),
	}
}

type requestReply struct {
	Number       int                 `json:"number"`
	At           time.Time           `json:"at"`
	RemoteAddr   string              `json:"remote_addr"`
	Method       string              `json:"method"`
	Path         string              `json:"path"`
	Query        string              `json:"query"`
	Header       map[string][]string `json:"header"`
	Params       []paramReply        `json:"params"`
	Body         string              `json:"body"`
	BodyBase64   []byte              `json:"body_base64"`
	Operation    string              `json:"operation"`
	PaymentID    string              `json:"payment_id"`
	Code         string              `json:"code"`
	Booked       bool                `json:"booked"`
	Fault        string              `json:"fault"`
	Status       int                 `json:"status"`
	Answer       string              `json:"answer"`
	AnswerBase64 []byte              `json:"answer_base64"`
}

type paramReply struct {
	Key   string `json:"key"`
	Value string `json:"value"`
}

func newRequestReply(r sim.Request) requestReply {
	return requestReply{
		Number: r.Number, At: r.At, RemoteAddr: r.RemoteAddr, Method: r.Method, Path: r.Path, Query: r.RawQuery, Header: r.Header,
		Params: each(r.Form, func(p sim.Param) paramReply { return paramReply(p) }),
		Body:   readable(r.Body), BodyBase64: r.Body,
		Operation: string(r.Operation), PaymentID: r.PaymentID, Code: r.Code, Booked: r.Booked, Fault: string(r.Fault),
		Status: r.Status, Answer: readable(r.Answer), AnswerBase64: r.Answer,
	}
}

type waitingReply struct {
	Request   int       `json:"request"`
	Duplicate int       `json:"duplicate"`
	Query     string    `json:"query"`
	Due       time.Time `json:"due"`
	Attempts  int       `json:"attempts"`
}

func newWaitingReply(w sim.WaitingKickback) waitingReply {
	return waitingReply{Request: w.Request, Duplicate: w.Duplicate, Query: w.RawQuery, Due: w.Due, Attempts: w.Attempts}
}

type deliveryReply struct {
	Request      int       `json:"request"`
	Duplicate    int       `json:"duplicate"`
	Attempt      int       `json:"attempt"`
	Manual       bool      `json:"manual"`
	At           time.Time `json:"at"`
	Query        string    `json:"query"`
	Status       int       `json:"status"`
	Answer       string    `json:"answer"`
	AnswerBase64 []byte    `json:"answer_base64"`
	Error        string    `json:"error"`
	Delivered    bool      `json:"delivered"`
	UnderWay     bool      `json:"under_way"` // the receiver has not answered yet
}

func newDeliveryReply(d sim.KickbackDelivery) deliveryReply {
	reply := deliveryReply{
		Request: d.Request, Duplicate: d.Duplicate, Attempt: d.Attempt, Manual: d.Manual, At: d.At, Query: d.RawQuery,
		Status: d.Status, Answer: readable(d.Answer), AnswerBase64: d.Answer, Delivered: d.Delivered,
		UnderWay: d.Status == 0 && d.Err == nil,
	}
	if d.Err != nil {
		reply.Error = d.Err.Error()
	}
	return reply
}

// readable returns text for a JSON string. Invalid UTF-8 is lost; the base64 field next to it
// has the bytes.
func readable(b []byte) string { return strings.ToValidUTF8(string(b), "\uFFFD") }

// each returns the results of f for all elements, as an empty list rather than null.
func each[T, R any](all []T, f func(T) R) []R {
	made := make([]R, len(all))
	for i, one := range all {
		made[i] = f(one)
	}
	return made
}

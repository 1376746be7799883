package simulator

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"net/http"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/jpayment-go/jpayment"
	"github.com/jpayment-go/jpayment/internal/assumed"
	"github.com/jpayment-go/jpayment/internal/sim"
)

// controlRoutes adds the routes of the JSON API for test setups; docs/simulator.md describes
// it.
func (s *Simulator) controlRoutes(mux *http.ServeMux) {
	for pattern, handle := range map[string]controlHandler{
		"GET /control/v1/settings":                   s.getSettings,
		"PATCH /control/v1/settings":                 s.patchSettings,
		"GET /control/v1/payments":                   s.listPayments,
		"POST /control/v1/payments":                  s.createPayment,
		"GET /control/v1/payments/{id}":              s.getPayment,
		"POST /control/v1/payments/{id}/capture":     s.capturePayment,
		"POST /control/v1/payments/{id}/cancel":      s.cancelPayment,
		"POST /control/v1/payments/{id}/reauthorize": s.reauthorizePayment,
		"GET /control/v1/faults":                     s.listFaults,
		"POST /control/v1/faults":                    s.createFault,
		"DELETE /control/v1/faults":                  s.clearFaults,
		"DELETE /control/v1/faults/{number}":         s.removeFault,
		"GET /control/v1/requests":                   s.listRequests,
		"GET /control/v1/requests/{number}":          s.getRequest,
		"GET /control/v1/kickbacks":                  s.listKickbacks,
		"POST /control/v1/kickbacks/deliver":         s.deliverKickbacks,
		"POST /control/v1/kickbacks/forge":           s.forgeKickback,
		"POST /control/v1/kickbacks/{request}/retry": s.retryKickback,
	} {
		mux.Handle(pattern, handle)
	}
	mux.HandleFunc("/control/", func(w http.ResponseWriter, r *http.Request) { noSuchCall(w, r, mux) })
}

// controlHandler returns a value to be written as JSON. A created value is sent with status
// 201.
type controlHandler func(http.ResponseWriter, *http.Request) (any, error)

type created struct {
	location string
	reply    any
}

func (h controlHandler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	reply, err := h(w, r)
	if err != nil {
		refuseJSON(w, r, err)
		return
	}
	if c, ok := reply.(created); ok {
		if c.location != "" {
			w.Header().Set("Location", c.location)
		}
		writeJSON(w, http.StatusCreated, c.reply)
		return
	}
	writeJSON(w, http.StatusOK, reply)
}

type errorReply struct {
	Error string `json:"error"`
	Code  string `json:"code,omitempty"` // the gateway's code
}

// refusal is the status and the reason with which a call is refused.
type refusal struct {
	status int
	reason jpayment.Text
}

func (e *refusal) Error() string       { return e.reason.En }
func (e *refusal) What() jpayment.Text { return e.reason }

func notFound(field, en, ja string, args ...any) error {
	return &refusal{http.StatusNotFound, (&fieldError{field, textf(en, ja, args...)}).What()}
}

// textf formats both languages with the same arguments. In strings among the arguments, every
// character is visible.
func textf(en, ja string, args ...any) jpayment.Text {
	args = slices.Clone(args)
	for i, arg := range args {
		if s, ok := arg.(string); ok {
			args[i] = visible(s)
		}
	}
	return jpayment.Text{En: fmt.Sprintf(en, args...), Ja: fmt.Sprintf(ja, args...)}
}

var errNotKept = &refusal{http.StatusInternalServerError, jpayment.Text{
	En: "the state cannot be saved, so the simulator ends", Ja: "状態を保存できないため、シミュレーターを終了します",
}}

// refuseJSON reports why a call is refused, in the language that the request accepts.
func refuseJSON(w http.ResponseWriter, r *http.Request, err error) {
	status, code := http.StatusBadRequest, jpayment.Code("")
	told := jpayment.WhatOf(err)
	var refused *refusal
	switch {
	case errors.As(err, &code):
		status = http.StatusConflict
		message := code.Message()
		told = jpayment.Text{En: string(code) + " (" + message.En + ")", Ja: string(code) + "（" + message.Ja + "）"}
	case errors.As(err, &refused):
		status = refused.status
	}
	writeJSON(w, status, errorReply{Error: in(languageOf(r), told), Code: string(code)})
}

func writeJSON(w http.ResponseWriter, status int, value any) {
	limitAnswer(w)
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(status)
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	_ = encoder.Encode(value) // the client may be gone
}

// noSuchCall refuses a request that is not a call of the API. If the path has other methods, it
// names them.
func noSuchCall(w http.ResponseWriter, r *http.Request, mux *http.ServeMux) {
	var allowed []string
	for _, method := range []string{http.MethodGet, http.MethodPost, http.MethodPatch, http.MethodDelete} {
		other := r.Clone(r.Context())
		other.Method = method
		if _, pattern := mux.Handler(other); pattern != "/control/" {
			allowed = append(allowed, method)
		}
	}
	if len(allowed) == 0 {
		refuseJSON(w, r, &refusal{http.StatusNotFound, textf("%s: the API has no such call", "%s という呼び出しは API にありません", r.Method+" "+r.URL.Path)})
		return
	}
	w.Header().Set("Allow", strings.Join(allowed, ", "))
	refuseJSON(w, r, &refusal{http.StatusMethodNotAllowed, jpayment.Text{
		En: fmt.Sprintf("%s is not allowed for %s; use %s", r.Method, r.URL.Path, strings.Join(allowed, " or ")),
		Ja: fmt.Sprintf("%s に %s は使えません。%s を使ってください", r.URL.Path, r.Method, strings.Join(allowed, " または ")),
	}})
}

// limitAnswer limits the time in which the client must read what is written from now on.
func limitAnswer(w http.ResponseWriter) {
	_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(pagePatience)) // a test's writer has no deadline
}

// The number of elements on a page of a list.
const (
	defaultPage = 100
	maxPage     = 1000
	// pageBytes is the approximate limit for a page of requests.
	pageBytes = 1 << 20
)

// number reads a number from the query. Absent is the value if it is not there.
func number(r *http.Request, name string, absent, least, most int) (int, error) {
	text := r.URL.Query().Get(name)
	if text == "" {
		return absent, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < least || n > most {
		return 0, &fieldError{name, textf("is not a whole number between %s and %s", "が%sから%sまでの整数ではありません", grouped(least), grouped(most))}
	}
	return n, nil
}

// pageOf reads the requested page of a numbered list.
func pageOf(r *http.Request) (after, limit int, err error) {
	if after, err = number(r, "after", 0, 0, math.MaxInt32); err != nil {
		return 0, 0, err
	}
	limit, err = number(r, "limit", defaultPage, 1, maxPage)
	return after, limit, err
}

// cut returns the page of a list after the first skip elements, and reports whether there are
// more after it.
func cut[T any](all []T, skip, limit int) (page []T, more bool) {
	all = all[min(skip, len(all)):]
	return all[:min(limit, len(all))], len(all) > limit
}

func (s *Simulator) getSettings(http.ResponseWriter, *http.Request) (any, error) {
	return s.settingsReply(), nil
}

func (s *Simulator) patchSettings(w http.ResponseWriter, r *http.Request) (any, error) {
	var in struct {
		TestMode      *bool     `json:"test_mode"`
		Maintenance   *bool     `json:"maintenance"`
		RegisteredIPs *[]string `json:"registered_ips"`
		KickbackURL   *string   `json:"kickback_url"`
	}
	behaviour := assumed.Values{}
	if err := decodeSettings(w, r, &in, behaviour); err != nil {
		return nil, err
	}
	var ips []netip.Prefix
	if in.RegisteredIPs != nil {
		var err error
		if ips, err = readIPs(*in.RegisteredIPs); err != nil {
			return nil, err
		}
	}
	if in.KickbackURL != nil {
		if err := named(sim.CheckKickbackURL(*in.KickbackURL), in); err != nil {
			return nil, err
		}
	}
	err := s.change(func(settings *sim.Settings) {
		if in.TestMode != nil {
			settings.TestMode = *in.TestMode
		}
		if in.Maintenance != nil {
			settings.Maintenance = *in.Maintenance
		}
		if in.RegisteredIPs != nil {
			settings.RegisteredIPs = ips
		}
		if in.KickbackURL != nil {
			settings.KickbackURL = *in.KickbackURL
		}
		behave(settings, behaviour)
	})
	if err != nil {
		return nil, errNotKept
	}
	return s.settingsReply(), nil
}

func (s *Simulator) listPayments(_ http.ResponseWriter, r *http.Request) (any, error) {
	after, limit, err := pageOf(r)
	if err != nil {
		return nil, err
	}
	payments, more := cut(s.gateway.Payments(), max(after-firstPayment+1, 0), limit)
	return map[string]any{"payments": each(payments, newPaymentReply), "more": more}, nil
}

func (s *Simulator) createPayment(w http.ResponseWriter, r *http.Request) (any, error) {
	var in authorization
	if err := decode(w, r, &in); err != nil {
		return nil, err
	}
	authorization, err := s.readAuthorization(in)
	if err != nil {
		return nil, err
	}
	return s.created(s.gateway.Authorize(authorization))
}

func (s *Simulator) created(paymentID string) (any, error) {
	reply, err := s.paymentReply(paymentID)
	return created{location: "/control/v1/payments/" + paymentID, reply: reply}, err
}

func (s *Simulator) getPayment(_ http.ResponseWriter, r *http.Request) (any, error) {
	return s.paymentReply(r.PathValue("id"))
}

func (s *Simulator) paymentReply(id string) (any, error) {
	payment, found := s.gateway.Payment(id)
	if !found {
		return nil, notFound("payment_id", "there is no payment %q", "の決済 %q はありません", id)
	}
	return newPaymentReply(payment), nil
}

func (s *Simulator) capturePayment(w http.ResponseWriter, r *http.Request) (any, error) {
	return s.operate(w, r, s.gateway.Capture)
}

func (s *Simulator) cancelPayment(w http.ResponseWriter, r *http.Request) (any, error) {
	return s.operate(w, r, s.gateway.Cancel)
}

func (s *Simulator) operate(w http.ResponseWriter, r *http.Request, do func(paymentID string) error) (any, error) {
	var in struct{}
	if err := decode(w, r, &in); err != nil {
		return nil, err
	}
	id := r.PathValue("id")
	if _, err := s.paymentReply(id); err != nil {
		return nil, err
	}
	if err := do(id); err != nil {
		return nil, s.refused(err)
	}
	return s.paymentReply(id)
}

func (s *Simulator) reauthorizePayment(w http.ResponseWriter, r *http.Request) (any, error) {
	var in amounts
	if err := decode(w, r, &in); err != nil {
		return nil, err
	}
	if err := in.check(); err != nil {
		return nil, err
	}
	id := r.PathValue("id")
	if _, err := s.paymentReply(id); err != nil {
		return nil, err
	}
	newID, err := s.gateway.ReAuthorize(id, in.Amount, in.Tax, in.Shipping)
	if err != nil {
		return nil, s.refused(err)
	}
	return s.created(newID)
}

// refused returns the code with which the books refused, or errNotKept if the booking could not
// be saved.
func (s *Simulator) refused(err error) error {
	var code jpayment.Code
	if errors.As(err, &code) {
		return code
	}
	return errNotKept
}

func (s *Simulator) listFaults(http.ResponseWriter, *http.Request) (any, error) {
	return map[string]any{"faults": each(s.gateway.Faults(), newFaultReply)}, nil
}

func (s *Simulator) createFault(w http.ResponseWriter, r *http.Request) (any, error) {
	var in fault
	if err := decode(w, r, &in); err != nil {
		return nil, err
	}
	fault, err := in.read()
	if err != nil {
		return nil, err
	}
	return created{reply: newFaultReply(s.gateway.Fail(fault))}, nil
}

func (s *Simulator) clearFaults(w http.ResponseWriter, r *http.Request) (any, error) {
	s.gateway.ClearFaults()
	return s.listFaults(w, r)
}

func (s *Simulator) removeFault(w http.ResponseWriter, r *http.Request) (any, error) {
	number, err := strconv.Atoi(r.PathValue("number"))
	if err != nil || !s.gateway.RemoveFault(number) {
		return nil, notFound("number", "fault %q does not exist or has been removed", "の障害 %q はないか、すでに解除されています", r.PathValue("number"))
	}
	return s.listFaults(w, r)
}

func (s *Simulator) listRequests(_ http.ResponseWriter, r *http.Request) (any, error) {
	after, limit, err := pageOf(r)
	if err != nil {
		return nil, err
	}
	requests, more := s.gateway.RequestsAfter(after, limit, pageBytes)
	return map[string]any{"requests": each(requests, newRequestReply), "more": more}, nil
}

func (s *Simulator) getRequest(_ http.ResponseWriter, r *http.Request) (any, error) {
	request, found := s.request(r.PathValue("number"))
	if !found {
		return nil, notFound("number", "request %q does not exist or is no longer kept", "のリクエスト %q はないか、すでに保存されていません", r.PathValue("number"))
	}
	return newRequestReply(request), nil
}

func (s *Simulator) request(number string) (sim.Request, bool) {
	n, err := strconv.Atoi(number)
	if err != nil {
		return sim.Request{}, false
	}
	return s.gateway.Request(n)
}

// listKickbacks returns a page of each of its lists, all from the same position, because
// deliveries have no numbers.
func (s *Simulator) listKickbacks(_ http.ResponseWriter, r *http.Request) (any, error) {
	skip, err := number(r, "skip", 0, 0, math.MaxInt32)
	if err != nil {
		return nil, err
	}
	limit, err := number(r, "limit", defaultPage, 1, maxPage)
	if err != nil {
		return nil, err
	}
	waiting, moreWaiting := cut(s.gateway.WaitingKickbacks(), skip, limit)
	deliveries, moreDeliveries := cut(s.gateway.Kickbacks(), skip, limit)
	forged, moreForged := cut(s.gateway.ForgedKickbacks(), skip, limit)
	return map[string]any{
		"waiting":    each(waiting, newWaitingReply),
		"deliveries": each(deliveries, newDeliveryReply),
		"forged":     each(forged, newDeliveryReply),
		"more":       moreWaiting || moreDeliveries || moreForged,
	}, nil
}

func (s *Simulator) deliverKickbacks(w http.ResponseWriter, r *http.Request) (any, error) {
	var in struct{}
	if err := decode(w, r, &in); err != nil {
		return nil, err
	}
	s.gateway.DeliverKickbacks(r.Context())
	return s.listKickbacks(w, r)
}

func (s *Simulator) retryKickback(w http.ResponseWriter, r *http.Request) (any, error) {
	var in struct{}
	if err := decode(w, r, &in); err != nil {
		return nil, err
	}
	number, _ := strconv.Atoi(r.PathValue("request")) // there is no request 0
	delivery, err := s.gateway.RetryKickback(r.Context(), number)
	if errors.Is(err, sim.ErrNoKickback) {
		return nil, &refusal{http.StatusNotFound, (&fieldError{"request", jpayment.WhatOf(err)}).What()}
	}
	return delivered(delivery, err)
}

func (s *Simulator) forgeKickback(w http.ResponseWriter, r *http.Request) (any, error) {
	var in struct {
		Query string `json:"query"`
	}
	if err := decode(w, r, &in); err != nil {
		return nil, err
	}
	return delivered(s.gateway.ForgeKickback(r.Context(), in.Query))
}

// delivered returns the delivery, even if it failed, or a refusal if none was attempted.
func delivered(d sim.KickbackDelivery, err error) (any, error) {
	if d.Attempt == 0 && err != nil {
		return nil, &refusal{http.StatusConflict, jpayment.WhatOf(err)}
	}
	return newDeliveryReply(d), nil
}

package simulator

import (
	"bytes"
	"crypto/tls"
	"embed"
	"errors"
	"fmt"
	"html/template"
	"maps"
	"math"
	"net"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/jpayment-go/jpayment"
	"github.com/jpayment-go/jpayment/cmd/jpayment/internal/localpage"
	"github.com/jpayment-go/jpayment/internal/assumed"
	"github.com/jpayment-go/jpayment/internal/sim"
)

//go:embed panel
var panelFiles embed.FS

// panelRoutes adds the routes of the control panel (管理画面): pages that work without scripts,
// and a script that refreshes them when something has changed.
func (s *Simulator) panelRoutes(mux *http.ServeMux) {
	for _, name := range []string{"panel.css", "panel.js"} {
		mux.HandleFunc("GET /panel/assets/"+name, func(w http.ResponseWriter, r *http.Request) {
			http.ServeFileFS(w, r, panelFiles, "panel/"+name)
		})
	}
	mux.HandleFunc("GET /panel/assets/base.css", localpage.ServeStyle)
	mux.HandleFunc("GET /panel/{$}", func(w http.ResponseWriter, r *http.Request) {
		s.showOverview(w, r, nil)
	})
	mux.HandleFunc("GET /panel/events", s.streamChanges)
	mux.HandleFunc("GET /panel/payments/{id}", func(w http.ResponseWriter, r *http.Request) {
		s.showPayment(w, r, nil)
	})
	mux.HandleFunc("GET /panel/requests/{number}", s.showRequest)
	mux.HandleFunc("GET /panel/behaviour", func(w http.ResponseWriter, r *http.Request) {
		s.showBehaviour(w, r, nil)
	})
	mux.HandleFunc("/panel/", func(w http.ResponseWriter, r *http.Request) {
		s.show(w, http.StatusNotFound, "nothing", s.newPage(r, "/panel/", nil))
	})
	for pattern, handle := range map[string]func(*http.Request) (next string, err error){
		"POST /panel/payments":                  s.postPayment,
		"POST /panel/settings/test-mode":        s.postTestMode,
		"POST /panel/settings/maintenance":      s.postMaintenance,
		"POST /panel/settings/ips":              s.postIPs,
		"POST /panel/settings/kickback-url":     s.postKickbackURL,
		"POST /panel/faults":                    s.postFault,
		"POST /panel/faults/clear":              s.postClearFaults,
		"POST /panel/faults/{number}/remove":    s.postRemoveFault,
		"POST /panel/kickbacks/{request}/retry": s.postRetry,
	} {
		mux.Handle(pattern, s.posted(handle, s.showOverview))
	}
	mux.Handle("POST /panel/payments/{id}/{action}", s.posted(s.postAction, s.showPayment))
	mux.Handle("POST /panel/settings/behaviour", s.posted(s.postBehaviour, s.showBehaviour))
	mux.Handle("POST /panel/settings/behaviour/reset", s.posted(s.postResetBehaviour, s.showBehaviour))
	mux.HandleFunc("POST /panel/language", localpage.ChooseLanguage("/panel/", panelPaths))
}

// posted returns a handler for a form. It calls handle and redirects to next; if next is an
// anchor, that is a part of the overview in its previous view. If handle fails, it shows the
// page with the form and the reason.
func (s *Simulator) posted(
	handle func(*http.Request) (next string, err error),
	failed func(http.ResponseWriter, *http.Request, error),
) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.Body = http.MaxBytesReader(w, r.Body, maxInput)
		if err := r.ParseForm(); err != nil {
			http.Error(w, in(s.panelLanguage(r), texts["bad form"]), http.StatusBadRequest)
			return
		}
		next, err := handle(r)
		if err != nil {
			failed(w, r, err)
			return
		}
		if strings.HasPrefix(next, "#") {
			next = viewOf(r).URL() + next
		}
		http.Redirect(w, r, next, http.StatusSeeOther) //nolint:gosec // The handlers name pages of the panel.
	})
}

func (s *Simulator) postPayment(r *http.Request) (next string, err error) {
	in := authorization{
		OrderNumber:       r.PostForm.Get("order_number"),
		RegisteredProduct: r.PostForm.Get("registered_product") != "",
		Decline:           strings.TrimSpace(r.PostForm.Get("decline")),
	}
	if in.Amount, in.Tax, in.Shipping, err = amountsOf(r.PostForm); err != nil {
		return "", err
	}
	a, err := s.readAuthorization(in)
	if err != nil {
		return "", err
	}
	s.gateway.Authorize(a)
	return "/panel/#payments", nil // the new payment comes first
}

func amountsOf(form url.Values) (amount, tax, shipping int64, err error) {
	if amount, err = whole(form, "amount"); err != nil {
		return 0, 0, 0, err
	}
	if tax, err = whole(form, "tax"); err != nil {
		return 0, 0, 0, err
	}
	shipping, err = whole(form, "shipping")
	return amount, tax, shipping, err
}

// whole reads a whole number, which may contain commas. An empty field is 0.
func whole(form url.Values, field string) (int64, error) {
	text := strings.ReplaceAll(strings.TrimSpace(form.Get(field)), ",", "")
	if text == "" {
		return 0, nil
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return 0, wrong(field, texts["number"].En, texts["number"].Ja)
	}
	return n, nil
}

func (s *Simulator) postAction(r *http.Request) (next string, err error) {
	id := r.PathValue("id")
	next = "/panel/payments/" + url.PathEscape(id) + viewOf(r).query()
	if from, _, _ := strings.Cut(r.PostForm.Get("from"), "?"); from == "/panel/" {
		next = "#payments"
	}
	switch r.PathValue("action") {
	case "capture":
		return next, s.gateway.Capture(id)
	case "cancel":
		return next, s.gateway.Cancel(id)
	case "reauthorize":
		amount, tax, shipping, err := amountsOf(r.PostForm)
		if err != nil {
			return "", err
		}
		if err := (amounts{amount, tax, shipping}).check(); err != nil {
			return "", err
		}
		newID, err := s.gateway.ReAuthorize(id, amount, tax, shipping)
		return "/panel/payments/" + newID + viewOf(r).query(), err
	default:
		return "", &sim.Error{Reason: texts["no action"]}
	}
}

func (s *Simulator) postTestMode(r *http.Request) (next string, err error) {
	return "#settings", s.change(func(settings *sim.Settings) {
		settings.TestMode = r.PostForm.Get("on") == "1"
	})
}

func (s *Simulator) postMaintenance(r *http.Request) (next string, err error) {
	return "#settings", s.change(func(settings *sim.Settings) {
		settings.Maintenance = r.PostForm.Get("on") == "1"
	})
}

func (s *Simulator) postIPs(r *http.Request) (next string, err error) {
	separator := func(c rune) bool { return unicode.IsSpace(c) || c == ',' }
	ips, err := readIPs(strings.FieldsFunc(r.PostForm.Get("ips"), separator))
	if err != nil {
		return "", err
	}
	return "#settings", s.change(func(settings *sim.Settings) { settings.RegisteredIPs = ips })
}

func (s *Simulator) postKickbackURL(r *http.Request) (next string, err error) {
	text := strings.TrimSpace(r.PostForm.Get("kickback_url"))
	if err := named(sim.CheckKickbackURL(text), settingsReply{}); err != nil {
		return "", err
	}
	return "#settings", s.change(func(settings *sim.Settings) { settings.KickbackURL = text })
}

func (s *Simulator) postFault(r *http.Request) (next string, err error) {
	form := shownFields(r.PostForm)
	in := fault{
		Kind: form.Get("kind"), Operation: form.Get("operation"), PaymentID: strings.TrimSpace(form.Get("payment_id")),
		Code: strings.TrimSpace(form.Get("code")), Location: strings.TrimSpace(form.Get("location")), Body: form.Get("body"),
	}
	for field, into := range map[string]*int{"nth": &in.Nth, "status": &in.Status} {
		n, err := whole(form, field)
		if err != nil {
			return "", err
		}
		*into = int(n)
	}
	if in.Delay, err = whole(form, "delay_ms"); err != nil {
		return "", err
	}
	if text := strings.TrimSpace(form.Get("probability")); text != "" {
		if in.Probability, err = strconv.ParseFloat(text, 64); err != nil {
			in.Probability = -1 // refused with the name of the field
		}
	}
	f, err := in.read()
	if err != nil {
		return "", err
	}
	s.gateway.Fail(f)
	return "#faults", nil
}

// shownFields returns a fault's form without the fields that the form hides for the chosen
// kind. Browsers send hidden fields too.
func shownFields(form url.Values) url.Values {
	fields := maps.Clone(form)
	for _, field := range []string{"nth", "probability"} {
		if form.Get("when") != field {
			delete(fields, field)
		}
	}
	kind, _ := sim.KindOf(sim.FaultKind(form.Get("kind")))
	for field, name := range map[string]string{
		"Code": "code", "Status": "status", "Location": "location", "Body": "body", "Delay": "delay_ms",
	} {
		if !kind.Has(field) {
			delete(fields, name)
		}
	}
	return fields
}

// postRemoveFault removes a fault. It is not an error if the fault is already gone.
func (s *Simulator) postRemoveFault(r *http.Request) (next string, err error) {
	number, _ := strconv.Atoi(r.PathValue("number")) // there is no fault 0
	s.gateway.RemoveFault(number)
	return "#faults", nil
}

func (s *Simulator) postClearFaults(*http.Request) (next string, err error) {
	s.gateway.ClearFaults()
	return "#faults", nil
}

// postRetry sends a kickback again. The list of kickbacks shows whether it was delivered.
func (s *Simulator) postRetry(r *http.Request) (next string, err error) {
	number, _ := strconv.Atoi(r.PathValue("request")) // there is no request 0
	delivery, err := s.gateway.RetryKickback(r.Context(), number)
	if delivery.Attempt > 0 {
		err = nil
	}
	return "#kickbacks", err
}

// panelPaths matches the pages to which a browser can be redirected.
var panelPaths = regexp.MustCompile(`^/panel/((payments|requests)/[0-9]+|behaviour)?$`)

// streamPause is the minimum time between two events, so that a busy client does not keep the
// panel busy as well.
const streamPause = 100 * time.Millisecond

// streamChanges sends the panel's script an event whenever something has changed.
func (s *Simulator) streamChanges(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "text/event-stream")
	control := http.NewResponseController(w)
	for {
		limitAnswer(w)
		changes := s.gateway.Changes()
		if _, err := fmt.Fprint(w, "data: changed\n\n"); err != nil {
			return
		}
		if control.Flush() != nil {
			return
		}
		select {
		case <-changes:
		case <-r.Context().Done():
			return
		}
		pause := time.NewTimer(streamPause)
		select {
		case <-pause.C:
		case <-r.Context().Done():
			pause.Stop()
			return
		}
	}
}

// page is the data of the templates.
type page struct {
	Language string
	Source   string // URL of this page
	View     string // view of the overview, as the query of a URL
	Gateway  string // the URL of the gateway's pages
	Settings settingsReply
	Alert    string
	Form     url.Values // of a form that failed

	Sums       []sum
	Search     string // for payments
	Payments   []sim.Payment
	Requests   []sim.Request
	Kickbacks  []kickbackRow
	Waiting    int // kickbacks on all pages
	Faults     []sim.ActiveFault
	Kinds      []sim.Kind
	Operations []jpayment.Operation // to which a fault can be limited

	PaymentPager, RequestPager, KickbackPager pager

	Behaviour []settingField
	Changed   int // number of settings that differ from the assumptions

	Payment      sim.Payment
	Request      sim.Request
	KnownPayment bool // whether the request names an existing payment
}

// sum is the number and total of the payments in one state.
type sum struct {
	State sim.State
	Count int
	Yen   int64
}

func (s *Simulator) newPage(r *http.Request, path string, failure error) page {
	v := viewOf(r).query()
	p := page{
		Language:   s.panelLanguage(r),
		Source:     path + v,
		View:       v,
		Gateway:    s.URL(),
		Settings:   s.settingsReply(),
		Form:       url.Values{},
		Kinds:      sim.Kinds(),
		Operations: sim.Operations(),
	}
	if failure != nil {
		p.Alert = explain(failure, p.Language)
		p.Form = r.PostForm
	}
	return p
}

func explain(err error, language string) string {
	var field *fieldError
	var code jpayment.Code
	var why *sim.Error
	switch {
	case errors.As(err, &field):
		name := texts[fieldTexts[field.field]]
		if a, known := assumed.BySetting(field.field); known {
			name = a.Setting.Text
		}
		return in(language, jpayment.Text{En: name.En + " " + field.reason.En, Ja: name.Ja + field.reason.Ja})
	case errors.As(err, &code):
		return string(code) + " " + codeText(language, string(code))
	case errors.As(err, &why):
		return in(language, why.Reason)
	default: // the gateway refuses with codes only
		return in(language, texts["not kept"])
	}
}

func (s *Simulator) showOverview(w http.ResponseWriter, r *http.Request, failure error) {
	v := viewOf(r)
	p := s.newPage(r, "/panel/", failure)
	payments, waiting := s.gateway.Payments(), s.gateway.WaitingKickbacks()
	p.Sums, p.Search, p.Waiting = sums(payments), v.Search, len(waiting)
	p.Payments, p.PaymentPager = newest(v, paymentList, v.found(payments))
	p.Requests, p.RequestPager = newest(v, requestList, s.gateway.Requests())
	p.Kickbacks, p.KickbackPager = newest(v, kickbackList, kickbackRows(s.gateway.Kickbacks(), s.gateway.ForgedKickbacks(), waiting))
	p.Faults = s.gateway.Faults()
	p.Changed = len(s.gateway.Settings().Behaviour)
	s.show(w, statusOf(failure), "overview", p)
}

func sums(payments []sim.Payment) []sum {
	all := []sum{{State: sim.Authorized}, {State: sim.Captured}, {State: sim.Cancelled}}
	for _, p := range payments {
		i := slices.IndexFunc(all, func(s sum) bool { return s.State == p.State })
		all[i].Count++
		all[i].Yen += min(p.Amount+p.Tax+p.Shipping, math.MaxInt64-all[i].Yen) // do not overflow
	}
	return all
}

func (s *Simulator) showPayment(w http.ResponseWriter, r *http.Request, failure error) {
	payment, found := s.gateway.Payment(r.PathValue("id"))
	if !found {
		s.show(w, http.StatusNotFound, "nothing", s.newPage(r, "/panel/", nil))
		return
	}
	p := s.newPage(r, "/panel/payments/"+payment.ID, failure)
	p.Payment = payment
	s.show(w, statusOf(failure), "payment", p)
}

func (s *Simulator) showRequest(w http.ResponseWriter, r *http.Request) {
	request, found := s.request(r.PathValue("number"))
	if !found {
		s.show(w, http.StatusNotFound, "nothing", s.newPage(r, "/panel/", nil))
		return
	}
	p := s.newPage(r, "/panel/requests/"+strconv.Itoa(request.Number), nil)
	p.Request = request
	_, p.KnownPayment = s.gateway.Payment(request.PaymentID)
	s.show(w, http.StatusOK, "request", p)
}

func statusOf(failure error) int {
	if failure != nil {
		return http.StatusUnprocessableEntity
	}
	return http.StatusOK
}

func (s *Simulator) show(w http.ResponseWriter, status int, name string, p page) {
	var page bytes.Buffer
	if err := templates[p.Language][name].ExecuteTemplate(&page, "layout.html", p); err != nil {
		s.log.Error("panel", "page", name, "error", err)
		http.Error(w, in(p.Language, texts["bad page"]), http.StatusInternalServerError)
		return
	}
	limitAnswer(w)
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	_, _ = w.Write(page.Bytes()) // the client may be gone
}

// templates holds the templates by language and name.
var templates = map[string]map[string]*template.Template{
	english:  parseTemplates(english),
	japanese: parseTemplates(japanese),
}

func parseTemplates(language string) map[string]*template.Template {
	functions := template.FuncMap{
		"t": func(key string) (string, error) { return text(language, key) },
		"tf": func(key string, args ...any) (string, error) {
			format, err := text(language, key)
			return fmt.Sprintf(format, args...), err
		},
		"operation": func(o jpayment.Operation) string { return in(language, operationTexts[o]) },
		"problem":   func(err error) string { return in(language, problem(err)) },
		"fields":    func(kind sim.Kind) string { return strings.Join(kind.Fields, " ") },
		"fault": func(kind sim.FaultKind) string {
			k, _ := sim.KindOf(kind)
			return in(language, jpayment.Text(k.Text))
		},
		"code":    func(code string) string { return codeText(language, code) },
		"grouped": grouped[int64],
		"count":   grouped[int],
		"date":    func(at time.Time) string { return at.In(japan).Format("2006-01-02") },
		"clock":   func(at time.Time) string { return at.In(japan).Format("15:04:05 MST") },
		"iso":     func(at time.Time) string { return at.In(japan).Format(time.RFC3339) },
		"visible": visible,
		"brief":   brief,
		"bytes":   func(b []byte) string { return string(b) },
		"total":   func(p sim.Payment) int64 { return p.Amount + p.Tax + p.Shipping },
		"lines":   func(all []string) string { return strings.Join(all, "\n") },
	}
	pages := map[string]*template.Template{}
	for _, name := range []string{"overview", "payment", "request", "behaviour", "nothing"} {
		pages[name] = template.Must(template.New(name).Funcs(functions).
			ParseFS(panelFiles, "panel/layout.html", "panel/"+name+".html"))
	}
	return pages
}

// japan needs no time zone database: Japan has no daylight saving time.
var japan = time.FixedZone("JST", 9*60*60)

func codeText(language, code string) string { return in(language, jpayment.Code(code).Message()) }

// grouped formats a number with commas, such as 1,580.
func grouped[N int | int64](n N) string {
	digits := strconv.FormatInt(int64(n), 10)
	var b strings.Builder
	for i, c := range digits {
		if i > 0 && (len(digits)-i)%3 == 0 {
			b.WriteByte(',')
		}
		b.WriteRune(c)
	}
	return b.String()
}

// problem describes why a kickback was not delivered, in terms that help the receiver's
// developers.
func problem(err error) jpayment.Text {
	var op *net.OpError
	var certificate *tls.CertificateVerificationError
	var timeout interface{ Timeout() bool }
	switch {
	case errors.As(err, &timeout) && timeout.Timeout():
		return texts["too late"]
	case errors.As(err, &op) && op.Op == "dial":
		return texts["no receiver"]
	case errors.As(err, &certificate):
		return texts["certificate"]
	default:
		return texts["broken off"]
	}
}

// visible returns s unchanged if all of its characters are visible. Otherwise it returns s
// quoted, with escapes for invalid UTF-8, line ends and characters that change the text
// direction.
func visible(s string) string {
	if !utf8.ValidString(s) || strings.ContainsFunc(s, func(c rune) bool { return !unicode.IsPrint(c) }) {
		return strconv.Quote(s)
	}
	return s
}

// brief is like visible, but shortened for a narrow column.
func brief(s string) string {
	s = visible(strings.TrimRight(s, "\r\n"))
	if runes := []rune(s); len(runes) > 60 {
		return string(runes[:60]) + "…"
	}
	return s
}

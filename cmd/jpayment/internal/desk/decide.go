package desk

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/text/unicode/norm"

	"github.com/jpayment-go/jpayment"
	"github.com/jpayment-go/jpayment/cmd/jpayment/internal/console"
	"github.com/jpayment-go/jpayment/cmd/jpayment/internal/jobtext"
	"github.com/jpayment-go/jpayment/cmd/jpayment/internal/localpage"
	"github.com/jpayment-go/jpayment/fulfilment"
)

// form is what a person typed.
type form struct {
	Decision   fulfilment.State
	NewPayment string
	By, Note   string
}

// byCookie is the cookie with the name of the person who last decided in this browser.
const byCookie = "by"

func rememberedBy(r *http.Request) string {
	c, err := r.Cookie(byCookie)
	if err != nil {
		return ""
	}
	by, _ := url.QueryUnescape(c.Value)
	return by
}

func rememberBy(w http.ResponseWriter, by string) {
	localpage.Remember(w, home, byCookie, url.QueryEscape(by))
}

// disputed reports whether a kickback contradicts the verdict on a job.
func disputed(j fulfilment.Job) bool { return !j.DisputedAt.IsZero() }

// since returns the time since which a job needs a person.
func since(j fulfilment.Job) time.Time {
	if disputed(j) {
		return j.DisputedAt
	}
	return j.UpdatedAt
}

// corrects reports whether a decision about a job replaces an earlier one.
func corrects(j fulfilment.Job) bool {
	return j.Reason == fulfilment.ReasonDecided && j.State.Settled() && !disputed(j)
}

// decisions returns the decisions about a job that [fulfilment.Queue.Review] accepts.
func decisions(j fulfilment.Job, tried []fulfilment.Attempt) []fulfilment.State {
	unknown := func(a fulfilment.Attempt) bool { return a.Outcome == jpayment.OutcomeUnknown }
	switch {
	case j.State == fulfilment.StateReview, j.State == fulfilment.StateAwaiting, disputed(j), corrects(j):
		return []fulfilment.State{fulfilment.StateDone, fulfilment.StateRefused, fulfilment.StateWaiting}
	case j.State == fulfilment.StateWaiting && !slices.ContainsFunc(tried, unknown):
		return []fulfilment.State{fulfilment.StateRefused}
	case j.State == fulfilment.StateRefused:
		return []fulfilment.State{fulfilment.StateWaiting}
	default:
		return nil
	}
}

// stamp identifies the current state of a job. The form includes it, so nobody decides about
// a state that they have not seen.
func stamp(j fulfilment.Job) string {
	return fmt.Sprintf("%d-%s-%d-%d", j.UpdatedAt.UnixMicro(), j.State, j.Attempts, since(j).UnixMicro())
}

// readJob reads the job in the URL and its attempts into the page.
func (d *Desk) readJob(r *http.Request, p *page) (found bool, err error) {
	p.Tab = "jobs"
	id, err := strconv.ParseInt(r.PathValue("id"), 10, 64)
	if err != nil || id < 1 {
		return false, nil //nolint:nilerr // The URL does not name a job.
	}
	jobs, err := d.Queue.Jobs(r.Context(), fulfilment.Filter{AfterID: id - 1, Limit: 1})
	if err != nil || len(jobs) == 0 || jobs[0].ID != id {
		return false, err
	}
	p.Job = jobs[0]
	if p.Job.State == fulfilment.StateReview || disputed(p.Job) {
		p.Tab = "review"
	}
	if p.Tried, err = d.Queue.Attempts(r.Context(), id); err != nil {
		return false, err
	}
	if p.History, err = d.Queue.Decisions(r.Context(), id); err != nil {
		return false, err
	}
	p.Decisions, p.Corrects, p.Stamp, p.Source = decisions(p.Job, p.Tried), corrects(p.Job), stamp(p.Job), jobURL(id)
	return true, nil
}

func (d *Desk) showJob(_ http.ResponseWriter, r *http.Request, p *page) (answer, error) {
	found, err := d.readJob(r, p)
	if err != nil || !found {
		return nothing, err
	}
	p.Form.By = rememberedBy(r)
	p.Recorded = r.URL.Query().Has("recorded") && p.Job.DecidedBy != ""
	if p.Recorded {
		next, err := d.Queue.Jobs(r.Context(), fulfilment.Filter{ForPerson: true, Limit: 1})
		if err != nil {
			return answer{}, err
		}
		if len(next) > 0 {
			p.NextReview = next[0].ID
		}
	}
	return answer{name: "job"}, nil
}

// postDecision handles a decision in two steps: the first shows what it means, the second
// records it.
func (d *Desk) postDecision(w http.ResponseWriter, r *http.Request, p *page) (answer, error) {
	found, err := d.readJob(r, p)
	if err != nil || !found {
		return nothing, err
	}
	trimmed := func(field string) string { return strings.TrimSpace(r.PostForm.Get(field)) }
	p.Form = form{
		Decision: fulfilment.State(trimmed("decision")), By: trimmed("by"), Note: trimmed("note"),
		NewPayment: norm.NFKC.String(trimmed("new_payment")),
	}
	if p.Form.Decision != fulfilment.StateDone {
		p.Form.NewPayment = "" // left over from another choice
	}
	refused := func(status int, why jpayment.Text) (answer, error) {
		p.Alert = why
		return answer{status: status, name: "job"}, nil
	}
	if r.PostForm.Get("stamp") != p.Stamp {
		return refused(http.StatusConflict, texts["changed"])
	}
	if why := p.Form.check(p.Job, p.Decisions); why != (jpayment.Text{}) {
		return refused(http.StatusUnprocessableEntity, why)
	}
	switch r.PostForm.Get("step") {
	case "record":
	case "edit":
		return answer{name: "job"}, nil
	default:
		p.Meaning = meaning(p.Job, p.Form)
		return answer{name: "confirm"}, nil
	}
	_, err = d.Queue.Review(r.Context(), p.Job.ID, fulfilment.Decision{
		State: p.Form.Decision, NewPaymentID: p.Form.NewPayment, By: p.Form.By, Note: jpayment.NewSecret(p.Form.Note), Corrects: p.Corrects,
	})
	if err == nil {
		rememberBy(w, p.Form.By)
		return answer{next: jobURL(p.Job.ID) + "?recorded"}, nil
	}
	// If the queue refuses, show the job in its current state.
	typed := p.Form
	if found, again := d.readJob(r, p); again != nil || !found {
		return nothing, again
	}
	p.Form = typed
	var invalid *jpayment.ValidationError
	switch {
	case errors.As(err, &invalid) && slices.ContainsFunc(invalid.Fields, func(f jpayment.InvalidField) bool { return f.Field == "Job" }):
		return refused(http.StatusConflict, texts["changed"])
	case errors.As(err, &invalid):
		return refused(http.StatusUnprocessableEntity, fieldText(invalid.Fields[0]))
	default:
		next := jpayment.NextOf(err)
		return refused(http.StatusUnprocessableEntity, console.Textf("%s: %s", "%s（%s）", console.What(err), next))
	}
}

// fieldText describes what is wrong with a field of the form.
func fieldText(f jpayment.InvalidField) jpayment.Text {
	name := map[string]string{"By": "by", "Note": "note", "NewPaymentID": "new payment", "State": "decision"}[f.Field]
	return console.Textf("%s %s", "%s%s", texts[name], f.Reason)
}

// check returns what is wrong with a decision, if anything.
func (f form) check(j fulfilment.Job, allowed []fulfilment.State) jpayment.Text {
	const most = 200 // bytes, as in the queue
	newPayment := f.Decision == fulfilment.StateDone && j.Operation == jpayment.OpReAuth
	switch {
	case !slices.Contains(allowed, f.Decision):
		return texts["no decision"]
	case newPayment && (f.NewPayment == "" || strings.Trim(f.NewPayment, "0123456789") != "" || f.NewPayment == j.PaymentID):
		return texts["no new payment"]
	case !newPayment && f.NewPayment != "":
		return texts["needless new payment"]
	case f.By == "":
		return texts["no name"]
	case len(f.By) > most:
		return texts["long name"]
	case len(f.Note) > most:
		return texts["long note"]
	default:
		return jpayment.Text{}
	}
}

// meaning describes the effect of a decision.
func meaning(j fulfilment.Job, f form) jpayment.Text {
	op := operation(j.Operation)
	switch {
	case f.Decision == fulfilment.StateDone && j.Operation == jpayment.OpReAuth:
		return console.Textf("Payment %[2]s was re-authorised; the new payment is %[3]s. The job will be recorded as done and not sent again.",
			"決済 %[2]s の%[1]sは処理されており、新しい決済は %[3]s です。完了として記録し、再送しません。", op, j.PaymentID, f.NewPayment)
	case f.Decision == fulfilment.StateDone:
		return console.Textf("The %[1]s of payment %[2]s was carried out. It will be recorded as done and not sent again.",
			"決済 %[2]s の%[1]sは処理されています。完了として記録し、再送しません。", op, j.PaymentID)
	case f.Decision == fulfilment.StateRefused && j.State == fulfilment.StateWaiting:
		return console.Textf("The %[1]s of payment %[2]s will be withdrawn and never sent.",
			"決済 %[2]s の%[1]sを取り下げます。送信しません。", op, j.PaymentID)
	case f.Decision == fulfilment.StateRefused:
		return console.Textf("The %[1]s of payment %[2]s was not carried out. It will not be sent again.",
			"決済 %[2]s の%[1]sは処理されておらず、今後も処理しません。再送しません。", op, j.PaymentID)
	default:
		return console.Textf("The %[1]s of payment %[2]s was not carried out. It will be sent again.",
			"決済 %[2]s の%[1]sは処理されていません。再送します。", op, j.PaymentID)
	}
}

// operation returns the name of an operation, as the control panel has it.
func operation(op jpayment.Operation) jpayment.Text {
	ja := jobtext.Operation(op).Ja
	switch op {
	case jpayment.OpSales:
		return jpayment.Text{En: "capture", Ja: ja}
	case jpayment.OpCancel:
		return jpayment.Text{En: "cancellation", Ja: ja}
	default:
		return jpayment.Text{En: "re-authorisation", Ja: ja}
	}
}

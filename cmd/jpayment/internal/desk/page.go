package desk

import (
	"embed"
	"fmt"
	"html/template"
	"time"

	"github.com/jpayment-go/jpayment"
	"github.com/jpayment-go/jpayment/cmd/jpayment/internal/console"
	"github.com/jpayment-go/jpayment/cmd/jpayment/internal/jobtext"
	"github.com/jpayment-go/jpayment/fulfilment"
)

//go:embed pages
var pageFiles embed.FS

// page is the data of the templates.
type page struct {
	Language          console.Lang
	Now               time.Time
	StoreID, Database string
	Source            string // URL of this page
	Tab               string
	Status            fulfilment.Status
	Alert             jpayment.Text
	Form              form

	Search  string
	More    bool // whether a search found more than are shown
	State   fulfilment.State
	Batch   string
	Jobs    []fulfilment.Job
	Reviews []reviewed
	Pager   pager

	Job        fulfilment.Job
	Tried      []fulfilment.Attempt
	History    []fulfilment.Decision // each corrects the ones before it
	Decisions  []fulfilment.State
	Corrects   bool // whether a decision replaces an earlier one by a person
	Stamp      string
	Meaning    jpayment.Text
	Recorded   bool
	NextReview int64 // number of the next job in review, or 0

	Runs              []run
	Settled, Reviewed plot
}

// tile shows the number of jobs in a state and links to them.
type tile struct {
	State fulfilment.State
	Count int64
	URL   string
	Here  bool
}

// ForPerson returns the number of jobs that need a person: those in review or disputed.
func (p *page) ForPerson() int64 { return p.Status.Review + p.Status.Disputed }

// PausedForGood reports whether sending is paused until a person resumes it.
func (p *page) PausedForGood() bool {
	return p.Status.Paused != nil && p.Status.Paused.Until.IsZero()
}

// Tiles returns the counts by state.
func (p *page) Tiles() []tile {
	var tiles []tile
	for _, state := range states {
		t := tile{state, count(p.Status, state), home + "jobs?state=" + string(state), p.Tab == "jobs" && p.State == state}
		if state == fulfilment.StateReview {
			t.URL, t.Here = home, p.Tab == "review"
		}
		tiles = append(tiles, t)
	}
	return tiles
}

// choice is a decision offered by the form.
type choice struct {
	State        fulfilment.State
	Name, Why    string // keys of texts
	Checked      bool
	NeedsPayment bool
}

// Choices returns the decisions offered by the form.
func (p *page) Choices() []choice {
	var all []choice
	for _, state := range p.Decisions {
		c := choice{State: state, Checked: p.Form.Decision == state || len(p.Decisions) == 1}
		switch {
		case state == fulfilment.StateDone:
			c.Name, c.Why, c.NeedsPayment = "carried out", "carried out why", p.Job.Operation == jpayment.OpReAuth
		case state == fulfilment.StateRefused && p.Job.State == fulfilment.StateWaiting:
			c.Name, c.Why = "withdraw", "withdraw why"
		case state == fulfilment.StateRefused:
			c.Name, c.Why = "not carried out", "not carried out why"
		case p.Job.State == fulfilment.StateRefused && !p.Corrects && !disputed(p.Job):
			c.Name, c.Why = "again after refusal", "again after refusal why"
		default:
			c.Name, c.Why = "again", "again why"
		}
		all = append(all, c)
	}
	return all
}

// Chosen returns the decision to be confirmed.
func (p *page) Chosen() choice {
	for _, c := range p.Choices() {
		if c.State == p.Form.Decision {
			return c
		}
	}
	return choice{}
}

// Careful reports whether the decision may cause an operation to be carried out twice.
func (p *page) Careful() bool {
	return p.Form.Decision == fulfilment.StateWaiting && (p.Job.State != fulfilment.StateRefused || disputed(p.Job))
}

// templates holds the templates by language and name.
var templates = map[console.Lang]map[string]*template.Template{
	console.English:  parseTemplates(console.English),
	console.Japanese: parseTemplates(console.Japanese),
}

// japan needs no time zone database: Japan has no daylight saving time.
var japan = time.FixedZone("JST", 9*60*60)

func parseTemplates(l console.Lang) map[string]*template.Template {
	// A key without a text is an error in the template.
	text := func(key string) (string, error) {
		t, found := texts[key]
		if !found {
			return "", fmt.Errorf("no text for %q", key)
		}
		return l.Of(t), nil
	}
	functions := template.FuncMap{
		"t": text,
		"tf": func(key string, args ...any) (string, error) {
			format, err := text(key)
			return fmt.Sprintf(format, args...), err
		},
		"in":        l.Of,
		"operation": func(op jpayment.Operation) string { return l.Of(operation(op)) },
		"why":       func(j fulfilment.Job) string { return l.Of(jobtext.Why(j)) },
		"next":      func(j fulfilment.Job) string { return l.Of(jobtext.Look(j)) },
		"code":      func(c jpayment.Code) string { return console.Printable(string(c)) }, // print would print its message
		"meaning":   func(c jpayment.Code) string { return l.Of(c.Message()) },
		"grouped":   console.Grouped,
		"visible":   console.Printable,
		"date":      func(at time.Time) string { return at.In(japan).Format("2006-01-02") },
		"clock":     func(at time.Time) string { return at.In(japan).Format("15:04:05 MST") },
		"hour":      func(at time.Time) string { return at.In(japan).Format("15:04") },
		"iso":       func(at time.Time) string { return at.In(japan).Format(time.RFC3339) },
		"micros":    func(at time.Time) int64 { return at.UnixMicro() },
		"total":     func(j fulfilment.Job) int64 { return j.Amount + j.Tax + j.Shipping },
		"reauth":    func(j fulfilment.Job) bool { return j.Operation == jpayment.OpReAuth },
		"jobURL":    jobURL,
		"since":     since,
		"disputed":  disputed,
		"decided": func(s fulfilment.State) (string, error) {
			return text(map[fulfilment.State]string{fulfilment.StateDone: "carried out", fulfilment.StateRefused: "not carried out", fulfilment.StateWaiting: "again"}[s])
		},
		"rows":    func(j fulfilment.Job, tried []fulfilment.Attempt) reviewed { return reviewed{j, tried} },
		"scanned": func() int64 { return scanned },
	}
	pages := map[string]*template.Template{}
	for _, name := range []string{"review", "jobs", "job", "confirm", "progress", "failed", "nothing"} {
		pages[name] = template.Must(template.New(name).Funcs(functions).
			ParseFS(pageFiles, "pages/layout.html", "pages/"+name+".html"))
	}
	return pages
}

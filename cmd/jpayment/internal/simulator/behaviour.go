package simulator

import (
	"net/http"
	"strings"

	"github.com/jpayment-go/jpayment/internal/assumed"
	"github.com/jpayment-go/jpayment/internal/sim"
)

// settingField is a field of the panel's form for the gateway's behaviour.
type settingField struct {
	Key       string
	Label     string
	Number    int    // of the assumption
	Grade     string // of the assumption
	Value     string // to show
	Was       string // the gateway's value; the form sets only what differs from it
	Changed   bool   // whether it differs from the assumption
	Choices   []choice
	Permitted string
}

type choice struct{ Name, Label string }

// behaviourFields returns the fields with the current values, or with those typed into a form.
func (p page) behaviourFields(typed func(key string) (value string, is bool)) (fields []settingField, changed int) {
	for _, a := range assumed.All() {
		if a.Setting == nil {
			continue
		}
		s := a.Setting
		f := settingField{
			Key: s.Key, Label: in(p.Language, s.Text), Number: a.Number, Grade: a.Grade,
			Was: p.Settings.Behaviour[s.Key], Permitted: in(p.Language, s.Permitted()),
		}
		f.Value, f.Changed = f.Was, f.Was != s.Default
		if value, is := typed(s.Key); is {
			f.Value = value
		}
		for _, v := range s.Values {
			f.Choices = append(f.Choices, choice{v.Name, in(p.Language, v.Text)})
		}
		if f.Changed {
			changed++
		}
		fields = append(fields, f)
	}
	return fields, changed
}

func (s *Simulator) showBehaviour(w http.ResponseWriter, r *http.Request, failure error) {
	p := s.newPage(r, "/panel/behaviour", failure)
	p.Behaviour, p.Changed = p.behaviourFields(func(key string) (string, bool) { return p.Form.Get(key), p.Form.Has(key) })
	s.show(w, statusOf(failure), "behaviour", p)
}

// postBehaviour sets the fields that were changed in the form. The form's values of the other
// fields may be out of date.
func (s *Simulator) postBehaviour(r *http.Request) (next string, err error) {
	values := assumed.Values{}
	for _, setting := range assumed.Settings() {
		value := strings.TrimSpace(r.PostForm.Get(setting.Key))
		if r.PostForm.Has(setting.Key) && value != r.PostForm.Get("was."+setting.Key) {
			values[setting.Key] = value
		}
	}
	if err := values.Check(); err != nil {
		return "", settingError(err)
	}
	return "/panel/behaviour" + viewOf(r).query(), s.change(func(settings *sim.Settings) { behave(settings, values) })
}

func (s *Simulator) postResetBehaviour(r *http.Request) (next string, err error) {
	return "/panel/behaviour" + viewOf(r).query(), s.change(func(settings *sim.Settings) { settings.Behaviour = nil })
}

package assumed

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/jpayment-go/jpayment"
)

// Kind is the type of a setting's value.
type Kind int

// The kinds of settings. Every value is text, written the same way in a flag, a form, JSON
// and a profile.
const (
	Choice    Kind = iota // the name of one of Setting.Values
	Answer                // the result of a request: done, or the code of a refusal, ER and three digits
	Count                 // a whole number from 0 to Setting.Most
	Duration              // such as 1m30s, from Setting.Shortest to Setting.Longest
	Durations             // such as 1m,5m,30m, each within the same bounds; or the word none
	Digits                // up to 20 half-width digits, or empty
)

// Done is the [Answer] of a request that is carried out.
const Done = "done"

// None is the empty list of [Durations].
const None = "none"

// Setting is a setting of the simulated gateway. Its default is the assumed value.
type Setting struct {
	Key  string        // its name in a flag, in JSON and in a form
	Text jpayment.Text // its meaning, as the label of a field
	Kind Kind

	Values            []Value       // of a Choice; the assumed value comes first
	Most              int           // of a Count
	Shortest, Longest time.Duration // of a Duration and of each of Durations

	Default string // the assumed value
	Flip    string // a value that contradicts the assumption

	// Option names the option of package jpaymenttest for this setting, if there is one
	// besides WithSetting.
	Option string
}

// Value is one value of a [Choice].
type Value struct {
	Name string
	Text jpayment.Text
}

// Error names an invalid field and the reason. The name and the reason form a sentence.
type Error struct {
	Field  string
	Reason jpayment.Text
}

func (e *Error) Error() string { return e.What().En }

// What returns the name and the reason in both languages.
func (e *Error) What() jpayment.Text {
	return jpayment.Text{En: e.Field + " " + e.Reason.En, Ja: e.Field + " " + e.Reason.Ja}
}

func wrong(field, en, ja string) *Error { return &Error{field, t(en, ja)} }

// SettingOf returns the setting with the key, or an [Error] that lists the settings.
func SettingOf(key string) (*Setting, error) {
	if a, known := BySetting(key); known {
		return a.Setting, nil
	}
	keys := make([]string, 0, len(table))
	for _, s := range Settings() {
		keys = append(keys, s.Key)
	}
	list := strings.Join(keys, ", ")
	return nil, wrong(strconv.Quote(key), "is not a setting of the simulated gateway; the settings are "+list, "という設定はありません（指定できるもの: "+list+"）")
}

// Permitted describes the permitted values, as a part of a sentence.
func (s *Setting) Permitted() jpayment.Text {
	switch s.Kind {
	case Answer:
		return t("done, or ER and three digits", "done、または ER と3桁の数字")
	case Count:
		return t(fmt.Sprintf("a whole number from 0 to %d", s.Most), fmt.Sprintf("0 から %d までの整数", s.Most))
	case Duration:
		return t(fmt.Sprintf("a duration from %s to %s", Time(s.Shortest), Time(s.Longest)),
			fmt.Sprintf("%s から %s までの時間", Time(s.Shortest), Time(s.Longest)))
	case Durations:
		return t(fmt.Sprintf("up to %d durations from %s to %s separated by commas, or none", maxDurations, Time(s.Shortest), Time(s.Longest)),
			fmt.Sprintf("%s から %s までの時間をカンマ区切りで %d 個まで、または none", Time(s.Shortest), Time(s.Longest), maxDurations))
	case Digits:
		return t("up to 20 digits, or empty", "20桁までの数字、または空")
	default:
		names := make([]string, len(s.Values))
		for i, v := range s.Values {
			names[i] = v.Name
		}
		return t(strings.Join(names[:len(names)-1], ", ")+" or "+names[len(names)-1],
			strings.Join(names, "、"))
	}
}

// Check returns nil if the value is valid for the setting, or else an [Error] with the key
// and the reason.
func (s *Setting) Check(value string) error {
	ok := false
	switch s.Kind {
	case Choice:
		ok = slices.ContainsFunc(s.Values, func(v Value) bool { return v.Name == value })
	case Answer:
		ok = value == Done || len(value) == 5 && value[:2] == "ER" && isDigits(value[2:])
	case Count:
		n, err := strconv.Atoi(value)
		ok = err == nil && isDigits(value) && n <= s.Most
	case Duration:
		ok = s.times([]string{value})
	case Durations:
		list := strings.Split(value, ",")
		ok = value == None || len(list) <= maxDurations && s.times(list)
	case Digits:
		ok = value == "" || len(value) <= 20 && isDigits(value)
	}
	if ok {
		return nil
	}
	permitted := s.Permitted()
	return wrong(s.Key, fmt.Sprintf("%q is not %s", value, permitted.En), fmt.Sprintf("の %q は使えません（指定できるもの: %s）", value, permitted.Ja))
}

const maxDurations = 100

func (s *Setting) times(texts []string) bool {
	return !slices.ContainsFunc(texts, func(text string) bool {
		d, err := time.ParseDuration(text)
		return err != nil || d < s.Shortest || d > s.Longest
	})
}

// Time formats a duration without zero units: 30m instead of 30m0s.
func Time(d time.Duration) string {
	text := d.String()
	if strings.HasSuffix(text, "m0s") {
		text = strings.TrimSuffix(text, "0s")
	}
	if strings.HasSuffix(text, "h0m") {
		text = strings.TrimSuffix(text, "0m")
	}
	return text
}

func isDigits(s string) bool {
	return s != "" && strings.Trim(s, "0123456789") == ""
}

// Text is the value of a setting in JSON: a string or a number.
type Text string

// UnmarshalJSON accepts a string or a number.
func (v *Text) UnmarshalJSON(data []byte) error {
	var text string
	if err := json.Unmarshal(data, &text); err == nil {
		*v = Text(text)
		return nil
	}
	var number json.Number
	if err := json.Unmarshal(data, &number); err != nil {
		return err
	}
	*v = Text(number.String())
	return nil
}

// Values are values of settings, by key.
type Values map[string]string

// Check returns an error for the first invalid value, in the order of keys, or nil.
func (v Values) Check() error {
	keys := make([]string, 0, len(v))
	for key := range v {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	for _, key := range keys {
		s, err := SettingOf(key)
		if err == nil {
			err = s.Check(v[key])
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// Defaults returns the defaults of all settings.
func Defaults() Values {
	v := Values{}
	for _, s := range Settings() {
		v[s.Key] = s.Default
	}
	return v
}

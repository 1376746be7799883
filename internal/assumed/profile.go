package assumed

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/jpayment-go/jpayment"
)

// ProfileVersion is the version of the profiles that this package reads and writes.
const ProfileVersion = 1

// Profile records what is known about one store, assumption by assumption: the measurements,
// and the settings that make the simulated gateway behave like the store. An assumption that
// the profile leaves out is taken to hold.
type Profile struct {
	Version     int        `json:"version"`
	Measured    *time.Time `json:"measured,omitempty"` // nil if nothing was measured
	Assumptions []Finding  `json:"assumptions"`
}

// Finding is what is known about one assumption.
type Finding struct {
	Number int `json:"number"`
	// Setting and Value make the simulated gateway behave like the store. Both are empty if
	// the assumption has no setting, or the setting has no value that matches the finding.
	Setting string `json:"setting,omitempty"`
	Value   *Text  `json:"value,omitempty"`

	Verdict  Verdict    `json:"verdict"`
	Reason   *Reason    `json:"reason,omitempty"` // for the verdict, such as why it was not tried
	Evidence []Evidence `json:"evidence,omitempty"`
}

// Verdict is the result of measuring an assumption.
type Verdict string

// The verdicts.
const (
	Confirmed Verdict = "confirmed"
	Refuted   Verdict = "refuted"
	NotTried  Verdict = "not tried"
)

// Reason is a sentence in both languages.
type Reason struct {
	En string `json:"en"`
	Ja string `json:"ja"`
}

// Evidence is one exchange, without private data and without the store's number.
type Evidence struct {
	Request string `json:"request"`
	Reply   string `json:"reply"`
}

// Assumed returns the profile of a store of which nothing was measured.
func Assumed() Profile {
	p := Profile{Version: ProfileVersion}
	for _, a := range table {
		f := Finding{Number: a.Number, Verdict: NotTried}
		if a.Setting != nil {
			value := Text(a.Setting.Default)
			f.Setting, f.Value = a.Setting.Key, &value
		}
		p.Assumptions = append(p.Assumptions, f)
	}
	return p
}

// Values returns the values of all settings of the simulated gateway.
func (p Profile) Values() Values {
	v := Defaults()
	for _, f := range p.Assumptions {
		if f.Value != nil {
			v[f.Setting] = string(*f.Value)
		}
	}
	return v
}

// Wrong returns, in order, the assumptions that are wrong for the store: those that a
// measurement refuted, those with a setting other than the assumed one, and those that depend
// on them.
func (p Profile) Wrong() []Assumption {
	var numbers []int
	for _, f := range p.Assumptions {
		a, _ := Of(f.Number)
		otherwise := a.Setting != nil && f.Value != nil && string(*f.Value) != a.Setting.Default
		if f.Verdict == Refuted || otherwise {
			numbers = append(append(numbers, a.Number), Hanging(a.Number)...)
		}
	}
	slices.Sort(numbers)
	var all []Assumption
	for _, n := range slices.Compact(numbers) {
		a, _ := Of(n)
		all = append(all, a)
	}
	return all
}

// Encode returns the contents of a profile file.
func (p Profile) Encode() []byte {
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	if err := encoder.Encode(p); err != nil {
		panic("assumed: " + err.Error()) // Texts and numbers can be encoded.
	}
	return b.Bytes()
}

// ParseProfile parses a profile. It is stricter than encoding/json: for a field that is
// unknown, repeated or of the wrong type it returns an [Error] that names the field, such as
// assumptions[3].value.
func ParseProfile(data []byte) (Profile, error) {
	var p Profile
	var findings []json.RawMessage
	data = bytes.TrimPrefix(data, []byte("\ufeff"))
	// Check the version first: a file of another version may have other fields.
	var header struct{ Version json.RawMessage }
	if err := json.Unmarshal(data, &header); err == nil && header.Version != nil && string(header.Version) != strconv.Itoa(ProfileVersion) {
		return Profile{}, wrong("version", fmt.Sprintf("is %s; this program reads version %d", visible(header.Version), ProfileVersion),
			fmt.Sprintf("が %s です。このプログラムで読めるのはバージョン %d です", visible(header.Version), ProfileVersion))
	}
	err := object(data, "", map[string]any{"version": &p.Version, "measured": &p.Measured, "assumptions": &findings}, "version", "assumptions")
	if err != nil {
		return Profile{}, err
	}
	for i, raw := range findings {
		at := fmt.Sprintf("assumptions[%d]", i)
		f, err := parseFinding(raw, at)
		if err != nil {
			return Profile{}, err
		}
		if slices.ContainsFunc(p.Assumptions, func(other Finding) bool { return other.Number == f.Number }) {
			return Profile{}, wrong(at+".number", fmt.Sprintf("%d appears twice", f.Number), fmt.Sprintf("の %d が2回あります", f.Number))
		}
		p.Assumptions = append(p.Assumptions, f)
	}
	return p, nil
}

func parseFinding(raw json.RawMessage, at string) (f Finding, err error) {
	var reason json.RawMessage
	var evidence []json.RawMessage
	err = object(raw, at, map[string]any{
		"number": &f.Number, "setting": &f.Setting, "value": &f.Value, "verdict": &f.Verdict, "reason": &reason, "evidence": &evidence,
	}, "number", "verdict")
	if err != nil {
		return f, err
	}
	a, known := Of(f.Number)
	if !known {
		return f, wrong(at+".number", fmt.Sprintf("%d is not an assumption that this program knows", f.Number), fmt.Sprintf("の %d という前提はありません", f.Number))
	}
	if !slices.Contains([]Verdict{Confirmed, Refuted, NotTried}, f.Verdict) {
		return f, wrong(at+".verdict", fmt.Sprintf("%q is not confirmed, refuted or not tried", f.Verdict),
			fmt.Sprintf("の %q は使えません（指定できるもの: confirmed、refuted、not tried）", f.Verdict))
	}
	if err := f.checkSetting(a, at); err != nil {
		return f, err
	}
	if reason != nil {
		f.Reason = &Reason{}
		if err := object(reason, at+".reason", map[string]any{"en": &f.Reason.En, "ja": &f.Reason.Ja}, "en", "ja"); err != nil {
			return f, err
		}
	}
	for i, raw := range evidence {
		var e Evidence
		where := fmt.Sprintf("%s.evidence[%d]", at, i)
		if err := object(raw, where, map[string]any{"request": &e.Request, "reply": &e.Reply}, "request", "reply"); err != nil {
			return f, err
		}
		f.Evidence = append(f.Evidence, e)
	}
	return f, nil
}

// checkSetting returns an error if the setting does not belong to the assumption or the value
// is not valid for the setting.
func (f Finding) checkSetting(a Assumption, at string) error {
	switch {
	case f.Setting == "" && f.Value == nil:
		return nil
	case a.Setting == nil && f.Setting != "":
		return wrong(at+".setting", fmt.Sprintf("%q does not belong to assumption %d, which has no setting", f.Setting, a.Number),
			fmt.Sprintf("の %q は前提 %d のものではありません（この前提に設定はありません）", f.Setting, a.Number))
	case a.Setting == nil || f.Setting == "":
		return wrong(at+".setting", "is missing, but there is a value", "がありません（value があります）")
	case f.Setting != a.Setting.Key:
		return wrong(at+".setting", fmt.Sprintf("%q does not belong to assumption %d, whose setting is %s", f.Setting, a.Number, a.Setting.Key),
			fmt.Sprintf("の %q は前提 %d のものではありません（この前提の設定は %s です）", f.Setting, a.Number, a.Setting.Key))
	case f.Value == nil:
		return wrong(at+".value", "is missing, but there is a setting", "がありません（setting があります）")
	}
	var bad *Error
	if errors.As(a.Setting.Check(string(*f.Value)), &bad) {
		return &Error{at + ".value", jpayment.Text{En: "of " + bad.Field + " " + bad.Reason.En, Ja: "（" + bad.Field + "）" + bad.Reason.Ja}}
	}
	return nil
}

// object reads the fields of a JSON object. The fields named by must are required.
func object(data []byte, at string, fields map[string]any, must ...string) error {
	name := func(field string) string {
		if at == "" || field == "" {
			return at + field
		}
		return at + "." + field
	}
	decoder := json.NewDecoder(bytes.NewReader(data))
	bad := func(err error) error {
		where := name("")
		if where == "" {
			where = "the profile"
		}
		if err == nil {
			return wrong(where, "is not a JSON object", "が JSON のオブジェクトではありません")
		}
		return wrong(where, "is not JSON: "+err.Error(), "が JSON として読めません: "+err.Error())
	}
	start, err := decoder.Token()
	if err != nil || start != json.Delim('{') {
		return bad(err)
	}
	seen := map[string]bool{}
	for decoder.More() {
		key, err := decoder.Token()
		if err != nil {
			return bad(err)
		}
		field, _ := key.(string) // JSON has no other keys
		into, known := fields[field]
		var value json.RawMessage
		if err := decoder.Decode(&value); err != nil {
			return bad(err)
		}
		switch {
		case !known:
			list := strings.Join(slices.Sorted(maps.Keys(fields)), ", ")
			return wrong(name(field), "is not a known field (known: "+list+")", "は不明なフィールドです（指定できるもの: "+list+"）")
		case seen[field]:
			return wrong(name(field), "appears twice", "が2回あります")
		case string(value) == "null":
			return wrong(name(field), "is null; omit it instead", "が null です。指定しない場合は省略してください")
		}
		seen[field] = true
		if err := json.Unmarshal(value, into); err != nil {
			return wrong(name(field), fmt.Sprintf("cannot be %s", visible(value)), fmt.Sprintf("に %s は使えません", visible(value)))
		}
	}
	if _, err := decoder.Token(); err != nil {
		return bad(err)
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return wrong(name("")+"}", "is followed by other data", "の後に余分な内容があります")
	}
	for _, field := range must {
		if !seen[field] {
			return wrong(name(field), "is missing", "がありません")
		}
	}
	return nil
}

// visible returns the beginning of the raw text on one line.
func visible(raw []byte) string {
	const most = 60
	text := strings.Join(strings.Fields(string(raw)), " ")
	if runes := []rune(text); len(runes) > most {
		text = string(runes[:most]) + "…"
	}
	return text
}

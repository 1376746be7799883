package sim

import (
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/jpayment-go/jpayment/internal/assumed"
	"github.com/jpayment-go/jpayment/internal/wire"
)

// Behaviour holds the assumptions about the gateway that can be changed. Each field is a
// setting of package assumed, which has its values, its meaning and its default.
type Behaviour struct {
	SuccessGID     string        `setting:"success_gid"`
	ReAuthAmounts  string        `setting:"reauth_amounts"`
	ReAuthGID      string        `setting:"reauth_gid"`
	RefusedReAuth  string        `setting:"refused_reauth"`
	RefusalStatus  int           `setting:"refusal_status"`
	IdleTimeout    time.Duration `setting:"idle_timeout"`
	RowSpace       string        `setting:"row_space"`
	Acceptance     string        `setting:"acceptance"`
	LineEnd        string        `setting:"line_end"`
	Columns        int           `setting:"columns"`
	ReplyCharset   string        `setting:"reply_charset"`
	RequestCharset string        `setting:"request_charset"`
	OtherData      string        `setting:"other_data"`
	DeclinedReAuth string        `setting:"declined_reauth"`
	FirstCheck     string        `setting:"first_check"`
	RowFor         string        `setting:"row_for"`
	PostForms      string        `setting:"post_forms"`
	OtherCounted   string        `setting:"other_data_counted"`
	LoosePairs     string        `setting:"loose_pairs"`
	RefusalRow     string        `setting:"refusal_row"`
	OrderComma     string        `setting:"order_comma"`
	ShortRefusal   string        `setting:"short_refusal"`

	// Each of these is done or the code of a refusal.
	LateCapture      string `setting:"late_capture"`
	ZeroTotal        string `setting:"zero_total"`
	SecondSales      string `setting:"second_sales"`
	SalesAfterCancel string `setting:"sales_after_cancel"`
	CancelCaptured   string `setting:"cancel_captured"`
	SecondCancel     string `setting:"second_cancel"`
	ReAuthCancelled  string `setting:"reauth_cancelled"`
	ReAuthCaptured   string `setting:"reauth_captured"`
	ReAuthBarred     string `setting:"reauth_barred"`

	KickbackOtherData  string          `setting:"kickback_other_data"`
	DeclinedRT0        string          `setting:"declined_rt0"`
	RefusedRT0         string          `setting:"refused_rt0"`
	KickbackDelay      time.Duration   `setting:"kickback_delay"`
	KickbackRetries    []time.Duration `setting:"kickback_retries"`
	KickbackTimeout    time.Duration   `setting:"kickback_timeout"`
	KickbackDuplicates int             `setting:"kickback_duplicates"` // besides the kickback itself
	KickbackOrder      string          `setting:"kickback_order"`
	KickbackCharset    string          `setting:"kickback_charset"`
	KickbackACID       string          `setting:"kickback_acid"`
	DeclineKickback    string          `setting:"decline_kickback"`
	KickbackJudged     string          `setting:"kickback_judged"`
}

// Values returns the settings by their keys.
func (b Behaviour) Values() assumed.Values {
	values := assumed.Values{}
	v := reflect.ValueOf(b)
	for i := range v.NumField() {
		values[v.Type().Field(i).Tag.Get("setting")] = textOf(v.Field(i).Interface())
	}
	return values
}

// With returns the behaviour with the given values. The error is an [assumed.Error] that
// names the setting at fault.
func (b Behaviour) With(values assumed.Values) (Behaviour, error) {
	if err := values.Check(); err != nil {
		return b, err
	}
	v := reflect.ValueOf(&b).Elem()
	for i := range v.NumField() {
		if text, given := values[v.Type().Field(i).Tag.Get("setting")]; given {
			v.Field(i).Set(reflect.ValueOf(valueOf(text, v.Field(i).Interface())))
		}
	}
	return b, nil
}

// otherwise returns the values that differ from the assumptions.
func (b Behaviour) otherwise() assumed.Values {
	values := b.Values()
	for key, value := range assumed.Defaults() {
		if values[key] == value {
			delete(values, key)
		}
	}
	if len(values) == 0 {
		return nil
	}
	return values
}

// assumedBehaviour is the default behaviour.
func assumedBehaviour() Behaviour {
	b, err := Behaviour{}.With(assumed.Defaults())
	must("Defaults", err)
	return b
}

// textOf returns a value in the form of package assumed.
func textOf(value any) string {
	switch value := value.(type) {
	case int:
		return strconv.Itoa(value)
	case time.Duration:
		return assumed.Time(value)
	case []time.Duration:
		texts := make([]string, len(value))
		for i, d := range value {
			texts[i] = assumed.Time(d)
		}
		if len(texts) == 0 {
			return assumed.None
		}
		return strings.Join(texts, ",")
	default:
		return value.(string)
	}
}

// valueOf parses a text that package assumed has checked as a value of like's type.
func valueOf(text string, like any) any {
	switch like.(type) {
	case int:
		n, _ := strconv.Atoi(text)
		return n
	case time.Duration:
		d, _ := time.ParseDuration(text)
		return d
	case []time.Duration:
		times := []time.Duration{}
		if text == assumed.None {
			return times
		}
		for part := range strings.SplitSeq(text, ",") {
			d, _ := time.ParseDuration(part)
			times = append(times, d)
		}
		return times
	default:
		return text
	}
}

func (b Behaviour) clone() Behaviour {
	b.KickbackRetries = slices.Clone(b.KickbackRetries)
	return b
}

func charsetOf(name string) wire.Charset {
	if name == assumed.ShiftJIS {
		return wire.ShiftJIS
	}
	return wire.UTF8
}

// lineEnds maps the values of line_end to line ends.
var lineEnds = map[string]string{"crlf": "\r\n", "cr": "\r", "none": ""}

// LineEnd returns the value of line_end for a line end.
func LineEnd(ending string) (name string, known bool) {
	for name, text := range lineEnds {
		if text == ending {
			return name, true
		}
	}
	return "", false
}

package simulator

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"mime"
	"net/http"
	"reflect"
	"slices"
	"strings"

	"github.com/jpayment-go/jpayment"
	"github.com/jpayment-go/jpayment/internal/assumed"
)

// maxInput is the maximum size of the body of a request to the panel or the API.
const maxInput = 1 << 20

// decode reads a request's body, one flat JSON object, into the fields of a struct with the
// same names. It is stricter than encoding/json: for a field that is unknown, differs in case,
// is repeated or null it returns an error that names the field. An empty body is an empty
// object.
func decode(w http.ResponseWriter, r *http.Request, into any) error {
	return decodeSettings(w, r, into, nil)
}

// decodeSettings is like decode, but also reads the settings of package assumed, whose values
// are strings or numbers, into behaviour. If behaviour is nil, they are unknown fields.
func decodeSettings(w http.ResponseWriter, r *http.Request, into any, behaviour assumed.Values) error {
	mediaType, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || mediaType != "application/json" {
		// The form of another web site cannot send this type without the browser's consent.
		return &refusal{http.StatusUnsupportedMediaType, (&fieldError{"Content-Type", jpayment.Text{
			En: "is not application/json", Ja: "が application/json ではありません",
		}}).What()}
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxInput))
	if err != nil {
		return &fieldError{"body", textf("cannot be read (%v)", "を読み取れません（%v）", err)}
	}
	if len(bytes.TrimSpace(body)) == 0 {
		return nil
	}
	fields, err := readObject(body)
	if err != nil {
		return err
	}
	return fields.into(reflect.ValueOf(into).Elem(), behaviour)
}

type object []member

type member struct {
	name  string
	value json.RawMessage
}

func readObject(body []byte) (object, error) {
	notJSON := func(err error) error {
		return &fieldError{"body", textf("is not a JSON object (%v)", "が JSON オブジェクトではありません（%v）", err)}
	}
	decoder := json.NewDecoder(bytes.NewReader(body))
	if start, err := decoder.Token(); err != nil {
		return nil, notJSON(err)
	} else if start != json.Delim('{') {
		return nil, wrong("body", "is not a JSON object", "が JSON オブジェクトではありません")
	}
	var all object
	for decoder.More() {
		name, err := decoder.Token()
		if err != nil {
			return nil, notJSON(err)
		}
		m := member{name: name.(string)} // keys of an object are always strings
		if err := decoder.Decode(&m.value); err != nil {
			return nil, notJSON(err)
		}
		all = append(all, m)
	}
	if _, err := decoder.Token(); err != nil {
		return nil, notJSON(err)
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return nil, wrong("body", "has other data after the JSON object", "の JSON オブジェクトの後に続きがあります")
	}
	return all, nil
}

func (o object) into(target reflect.Value, behaviour assumed.Values) error {
	seen := map[string]bool{}
	for _, m := range o {
		field, found := fieldNamed(target, m.name)
		assumption, isSetting := assumed.BySetting(m.name)
		isSetting = isSetting && behaviour != nil
		if isSetting {
			field = reflect.New(reflect.TypeFor[assumed.Text]()).Elem()
		}
		if !found && !isSetting {
			names := fieldNames(target.Type())
			if behaviour != nil {
				names = append(names, slices.Sorted(maps.Keys(assumed.Defaults()))...)
			}
			known := strings.Join(names, ", ")
			return &fieldError{m.name, textf("is not a known field (known: %s)", "は不明なフィールドです（指定できるもの: %s）", cmp.Or(known, "none"))}
		}
		if seen[m.name] {
			return wrong(m.name, "appears twice", "が 2 回あります")
		}
		seen[m.name] = true
		if string(m.value) == "null" {
			return wrong(m.name, "is null; omit it instead", "が null です。指定しない場合は省略してください")
		}
		if err := json.Unmarshal(m.value, field.Addr().Interface()); err != nil {
			var mismatch *json.UnmarshalTypeError
			if errors.As(err, &mismatch) {
				kind := jsonName(mismatch.Type)
				return &fieldError{m.name, jpayment.Text{
					En: fmt.Sprintf("must be %s, not %s", kind.En, mismatch.Value),
					Ja: fmt.Sprintf("に %s は使えません。%sを指定してください", mismatch.Value, kind.Ja),
				}}
			}
			return &fieldError{m.name, textf("cannot be read (%v)", "を読み取れません（%v）", err)}
		}
		if isSetting {
			behaviour[m.name] = field.String()
			if err := assumption.Setting.Check(field.String()); err != nil {
				return settingError(err)
			}
		}
	}
	return nil
}

func fieldNamed(target reflect.Value, name string) (field reflect.Value, found bool) {
	for i := range target.NumField() {
		if target.Type().Field(i).Tag.Get("json") == name {
			return target.Field(i), true
		}
	}
	return reflect.Value{}, false
}

func fieldNames(t reflect.Type) []string {
	names := make([]string, t.NumField())
	for i := range names {
		names[i] = t.Field(i).Tag.Get("json")
	}
	return names
}

// jsonName returns the name of a Go type in terms of JSON.
func jsonName(t reflect.Type) jpayment.Text {
	switch t.Kind() {
	case reflect.Int, reflect.Int64:
		return jpayment.Text{En: "a whole number", Ja: "整数"}
	case reflect.Float64:
		return jpayment.Text{En: "a number", Ja: "数値"}
	case reflect.Bool:
		return jpayment.Text{En: "true or false", Ja: " true または false "}
	case reflect.Slice:
		return jpayment.Text{En: "a list", Ja: "配列"}
	default:
		return jpayment.Text{En: "a string", Ja: "文字列"}
	}
}

package simulator

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"reflect"
	"strings"
)

// maxInput bounds the body of a request to panel or API.
const maxInput = 1 << 20

// decode reads a request's body, one flat JSON object, into the fields of a struct that
// carry the same names. It takes nothing for granted that encoding/json does: a field
// that is unknown, in other letters, there twice or null is refused by its name. No
// body is an empty object.
func decode(w http.ResponseWriter, r *http.Request, into any) error {
	mediaType, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || mediaType != "application/json" {
		// A form of another web site cannot have this type without asking.
		return &mediaTypeError{}
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxInput))
	if err != nil {
		return fmt.Errorf("body: %w", err)
	}
	if len(bytes.TrimSpace(body)) == 0 {
		return nil
	}
	fields, err := readObject(body)
	if err != nil {
		return err
	}
	return fields.into(reflect.ValueOf(into).Elem())
}

type mediaTypeError struct{}

func (*mediaTypeError) Error() string { return "Content-Type: is not application/json" }

type object []member

type member struct {
	name  string
	value json.RawMessage
}

func readObject(body []byte) (object, error) {
	notJSON := func(err error) error { return fmt.Errorf("body: is not a JSON object: %w", err) }
	decoder := json.NewDecoder(bytes.NewReader(body))
	if start, err := decoder.Token(); err != nil {
		return nil, notJSON(err)
	} else if start != json.Delim('{') {
		return nil, errors.New("body: is not a JSON object")
	}
	var all object
	for decoder.More() {
		name, err := decoder.Token()
		if err != nil {
			return nil, notJSON(err)
		}
		m := member{name: name.(string)} // in an object, the decoder admits no other
		if err := decoder.Decode(&m.value); err != nil {
			return nil, notJSON(err)
		}
		all = append(all, m)
	}
	if _, err := decoder.Token(); err != nil {
		return nil, notJSON(err)
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("body: goes on after the JSON object")
	}
	return all, nil
}

func (o object) into(target reflect.Value) error {
	seen := map[string]bool{}
	for _, m := range o {
		field, found := fieldNamed(target, m.name)
		if !found {
			return fmt.Errorf("%s: is not known here; known are %s", m.name, strings.Join(fieldNames(target.Type()), ", "))
		}
		if seen[m.name] {
			return fmt.Errorf("%s: is there twice", m.name)
		}
		seen[m.name] = true
		if string(m.value) == "null" {
			return fmt.Errorf("%s: is null; leave it out", m.name)
		}
		if err := json.Unmarshal(m.value, field.Addr().Interface()); err != nil {
			var mismatch *json.UnmarshalTypeError
			if errors.As(err, &mismatch) {
				return fmt.Errorf("%s: a %s does not fit; wanted: %s", m.name, mismatch.Value, jsonName(mismatch.Type))
			}
			return fmt.Errorf("%s: %w", m.name, err)
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
	if len(names) == 0 {
		return []string{"none"}
	}
	return names
}

// jsonName is what a Go type is called by someone who writes JSON.
func jsonName(t reflect.Type) string {
	switch t.Kind() {
	case reflect.Int, reflect.Int64:
		return "a whole number"
	case reflect.Float64:
		return "a number"
	case reflect.Bool:
		return "true or false"
	case reflect.Slice:
		return "a list"
	default:
		return "a string"
	}
}

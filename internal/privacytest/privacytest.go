// Package privacytest finds what a value shows when a program writes it down.
package privacytest

import (
	"bytes"
	"encoding/base64"
	"encoding/gob"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"reflect"
	"strings"
	"unsafe"
)

// Encode is a further way to write a value down, such as YAML.
type Encode func(v any) ([]byte, error)

// Leaks writes a value down in every way that a program may, and returns those that show
// one of the private texts: by itself and in what holds it, in fields that fmt can ask and
// in those that it cannot, by every verb, in both logs, in JSON and gob.
func Leaks(v any, private []string, more ...Encode) (leaks []string) {
	spelled := spellings(private)
	look := func(shape any, how string, rendered []byte) {
		text := strings.ToLower(string(rendered))
		for _, s := range spelled {
			if strings.Contains(text, s) {
				leaks = append(leaks, fmt.Sprintf("%T, %s: %.300s", shape, how, text))
				return
			}
		}
	}
	encodings := append([]Encode{json.Marshal, inGob}, more...)
	for _, shape := range shapes(v) {
		for i, encode := range encodings {
			b, err := encode(shape)
			if err != nil {
				b = fmt.Append(b, " ", err)
			}
			look(shape, fmt.Sprintf("encoding %d", i), b)
		}
		var log bytes.Buffer
		slog.New(slog.NewTextHandler(&log, nil)).Info("x", "v", shape)
		slog.New(slog.NewJSONHandler(&log, nil)).Info("x", "v", shape)
		look(shape, "logged", log.Bytes())
		for _, flags := range []string{"", "+", "#", "0", " ", "-40"} {
			for _, verb := range "vTtbcdoOqxXUeEfFgGspw" {
				format := "%" + flags + string(verb)
				look(shape, format, fmt.Appendf(nil, format, shape))
			}
		}
	}
	return leaks
}

// spellings returns the ways in which a text may stand in a rendering, in lower case.
func spellings(private []string) (all []string) {
	for _, p := range private {
		all = append(all, p, fmt.Sprintf("%x", p), fmt.Sprintf("% x", p), strings.Trim(fmt.Sprintf("%d", []byte(p)), "[]"), base64.StdEncoding.EncodeToString([]byte(p)))
	}
	for i, s := range all {
		all[i] = strings.ToLower(s)
	}
	return all
}

func inGob(v any) ([]byte, error) {
	var out bytes.Buffer
	err := gob.NewEncoder(&out).Encode(v)
	return out.Bytes(), err
}

// shapes returns the value by itself and as it stands in a program's own values.
func shapes(v any) []any {
	type holder struct {
		V any
		v any
	}
	all := []any{v, &v, holder{v, v}, &holder{v, v}, []any{v}, &[]any{v}, map[string]any{"k": v}, unexported(v)}
	rv := reflect.ValueOf(v)
	if !rv.IsValid() {
		return all
	}
	if rv.Kind() == reflect.Pointer && !rv.IsNil() {
		all = append(all, rv.Elem().Interface(), unexported(rv.Elem().Interface()))
	} else {
		p := reflect.New(rv.Type())
		p.Elem().Set(rv)
		all = append(all, p.Interface(), unexported(p.Interface()))
	}
	one := reflect.MakeSlice(reflect.SliceOf(rv.Type()), 1, 1)
	one.Index(0).Set(rv)
	err, ok := v.(error)
	if !ok {
		err = io.EOF
	}
	return append(all, one.Interface(), fmt.Errorf("x: %w", err))
}

// unexported returns a struct with the value in an unexported field of its own type, where
// fmt asks no methods.
func unexported(v any) any {
	rv := reflect.ValueOf(v)
	if !rv.IsValid() {
		return nil
	}
	s := reflect.New(reflect.StructOf([]reflect.StructField{{Name: "v", PkgPath: "main", Type: rv.Type()}})).Elem()
	field := s.Field(0)
	reflect.NewAt(rv.Type(), unsafe.Pointer(field.UnsafeAddr())).Elem().Set(rv) //nolint:gosec // The only way to set the field.
	return s.Interface()
}

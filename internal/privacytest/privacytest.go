// Package privacytest finds private data in the output of a value.
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
	"slices"
	"strings"
	"unsafe"
)

// Encode is an additional encoding, such as YAML.
type Encode func(v any) ([]byte, error)

// Leaks writes a value in every way that a program may, and returns the ways that show one of
// the private texts. It writes the value alone and inside other values, in exported and
// unexported fields, with every verb, in both logs, in JSON and in gob.
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
			for _, verb := range verbs {
				format := "%" + flags + string(verb)
				look(shape, format, fmt.Appendf(nil, format, shape))
			}
		}
	}
	return leaks
}

// verbs are the verbs of fmt and some that it does not know.
const verbs = "vTtbcdoOqxXUeEfFgGspwz"

// spellings returns, in lower case, the forms in which a text may occur in the output: as a
// verb writes it or its bytes, and as encodings do.
func spellings(private []string) (all []string) {
	for _, p := range private {
		all = append(all, p, base64.StdEncoding.EncodeToString([]byte(p)))
		for _, flags := range []string{"", "+", "#", "0", " ", "# "} {
			for _, verb := range strings.NewReplacer("T", "", "p", "").Replace(verbs) {
				bytes := fmt.Sprintf("%"+flags+string(verb), []byte(p))
				bytes = bytes[strings.LastIndexAny(bytes, "[{")+1:]
				all = append(all, strings.TrimRight(bytes, "]})"))
			}
		}
	}
	for i, s := range all {
		all[i] = strings.ToLower(s)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

func inGob(v any) ([]byte, error) {
	var out bytes.Buffer
	err := gob.NewEncoder(&out).Encode(v)
	return out.Bytes(), err
}

// shapes returns the value, and the value that it points to or a pointer to it, inside other
// values.
func shapes(v any) (all []any) {
	rv := reflect.ValueOf(v)
	if !rv.IsValid() {
		return []any{v}
	}
	other := reflect.New(rv.Type())
	other.Elem().Set(rv)
	if rv.Kind() == reflect.Pointer && !rv.IsNil() {
		other = rv.Elem()
	}
	for _, v := range []any{v, other.Interface()} {
		type holder struct {
			V any
			v any
		}
		err, ok := v.(error)
		if !ok {
			err = io.EOF
		}
		all = append(all, v, &v, holder{v, v}, &holder{v, v}, []any{v}, &[]any{v}, map[string]any{"k": v}, fmt.Errorf("x: %w", err))
		for _, typed := range typed(v) {
			all = append(all, typed, unexported(typed), &typed)
		}
	}
	return all
}

// typed returns the value in containers of its type.
func typed(v any) (all []any) {
	rv := reflect.ValueOf(v)
	slice := reflect.MakeSlice(reflect.SliceOf(rv.Type()), 1, 1)
	slice.Index(0).Set(rv)
	array := reflect.New(reflect.ArrayOf(1, rv.Type())).Elem()
	array.Index(0).Set(rv)
	field := reflect.New(reflect.StructOf([]reflect.StructField{{Name: "V", Type: rv.Type()}})).Elem()
	field.Field(0).Set(rv)
	values := reflect.MakeMap(reflect.MapOf(reflect.TypeFor[string](), rv.Type()))
	values.SetMapIndex(reflect.ValueOf("k"), rv)
	for _, holder := range []reflect.Value{rv, slice, array, field, values} {
		all = append(all, holder.Interface())
	}
	if rv.Comparable() {
		keys := reflect.MakeMap(reflect.MapOf(rv.Type(), reflect.TypeFor[string]()))
		keys.SetMapIndex(rv, reflect.ValueOf("v"))
		all = append(all, keys.Interface())
	}
	return all
}

// unexported returns a struct with the value in an unexported field of its own type, whose
// methods fmt does not call.
func unexported(v any) any {
	rv := reflect.ValueOf(v)
	s := reflect.New(reflect.StructOf([]reflect.StructField{{Name: "v", PkgPath: "main", Type: rv.Type()}})).Elem()
	field := s.Field(0)
	reflect.NewAt(rv.Type(), unsafe.Pointer(field.UnsafeAddr())).Elem().Set(rv) //nolint:gosec // The only way to set the field.
	return s.Interface()
}

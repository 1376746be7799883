package jpaymenttest

import (
	"errors"
	"reflect"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// The types here mirror those of the simulator, spelled out for readers. The test fails for a
// field that is missing in one of them or not copied.
func TestNoFieldIsLost(t *testing.T) {
	t.Parallel()
	carried(t, newPayment)
	carried(t, newEvent)
	carried(t, newRequest)
	carried(t, newDelivery, "Manual") // true only for the command's control panel
	carried(t, Fault.simulated)
	carried(t, Authorization.simulated)
}

// carried fills every field of a From and requires a To with the same fields, all set.
func carried[From, To any](t *testing.T, convert func(From) To, without ...string) {
	t.Helper()
	var from From
	fill(t, reflect.ValueOf(&from).Elem())
	to := reflect.ValueOf(convert(from))
	names := map[string]bool{}
	for _, field := range reflect.VisibleFields(to.Type()) {
		names[field.Name] = true
		require.False(t, to.FieldByIndex(field.Index).IsZero(), "%s.%s is not carried over", to.Type(), field.Name)
	}
	for _, name := range without {
		names[name] = true
	}
	for _, field := range reflect.VisibleFields(reflect.TypeFor[From]()) {
		require.True(t, names[field.Name], "%s has no field %s", to.Type(), field.Name)
	}
}

func fill(t *testing.T, v reflect.Value) {
	t.Helper()
	switch v.Kind() {
	case reflect.String:
		v.SetString("x")
	case reflect.Int, reflect.Int64:
		v.SetInt(1)
	case reflect.Uint8:
		v.SetUint(1)
	case reflect.Float64:
		v.SetFloat(1)
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 1, 1))
		fill(t, v.Index(0))
	case reflect.Map:
		v.Set(reflect.MakeMap(v.Type()))
	case reflect.Func:
		v.Set(reflect.MakeFunc(v.Type(), nil))
	case reflect.Interface:
		v.Set(reflect.ValueOf(errors.New("x")))
	case reflect.Struct:
		if v.Type() == reflect.TypeFor[time.Time]() {
			v.Set(reflect.ValueOf(time.Unix(1, 0)))
			return
		}
		for i := range v.NumField() {
			fill(t, v.Field(i))
		}
	default:
		t.Fatalf("no example of a %s", v.Type())
	}
}

package fulfilment

import (
	"context"
	"fmt"
	"reflect"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/jpayment-go/jpayment"
	"github.com/jpayment-go/jpayment/jpaymenttest"
)

// filled returns a value with no zero field, filled by the path to each field. It fails for an
// unknown kind of field, so that its author decides how it is stored.
func filled(t *testing.T, path string, v reflect.Value) {
	t.Helper()
	switch field := v.Addr().Interface().(type) {
	case *jpayment.Secret:
		text := map[string]string{"Email": "nobody@example.com", "Phone": "0312345678"}[path]
		*field = jpayment.NewSecret(text + map[bool]string{true: "a secret"}[text == ""])
	case *jpayment.Extra:
		*field = jpayment.NewExtra(map[string]string{"key": "value", "鍵": "値"})
	case *jpayment.Amount:
		*field = jpayment.Yen(int64(len(path)))
	case *[]string:
		*field = []string{path}
	case *string, *jpayment.Code:
		v.SetString(fmt.Sprint(10000000 + len(path))) // also a valid payment number
	case *int64, *int, *jpayment.Status:
		v.SetInt(int64(100 + len(path)))
	default:
		require.Equal(t, reflect.Struct, v.Kind(), "%s is a %s: handle it here, and where requests and results are stored", path, v.Type())
		for i := range v.NumField() {
			filled(t, v.Type().Field(i).Name, v.Field(i))
		}
	}
}

// Every field of a request reaches the gateway through the database.
func everyFieldArrives[TTx any](t *testing.T, p place[TTx]) {
	var sales jpayment.SalesRequest
	var cancel jpayment.CancelRequest
	var reauth jpayment.ReAuthRequest
	for _, r := range []any{&sales, &cancel, &reauth} {
		filled(t, "", reflect.ValueOf(r).Elem())
	}
	var arrived []jpayment.Request
	done := &jpayment.Result{Status: jpayment.StatusSucceeded}
	gateway := &jpaymenttest.Fake{
		SalesFunc: func(_ context.Context, r jpayment.SalesRequest) (*jpayment.Result, error) {
			arrived = append(arrived, r)
			return done, nil
		},
		CancelFunc: func(_ context.Context, r jpayment.CancelRequest) (*jpayment.Result, error) {
			arrived = append(arrived, r)
			return done, nil
		},
		ReAuthFunc: func(_ context.Context, r jpayment.ReAuthRequest) (*jpayment.Result, error) {
			arrived = append(arrived, r)
			return done, nil
		},
		ReAuthByKickbackFunc: func(_ context.Context, r jpayment.ReAuthRequest) error {
			arrived = append(arrived, r)
			return nil
		},
	}
	for wait, storeID := range storeOf {
		s := newSite(t, p, Config{StoreID: storeID, KickbackWait: wait})
		arrived = nil
		for _, r := range []Request{Sales("order-1", sales), Cancel("order-1", cancel), ReAuth("order-1", reauth)} {
			j, err := s.Enqueue(t.Context(), r)
			require.NoError(t, err)
			require.False(t, s.work(s.worker(gateway), j))
		}
		require.Equal(t, []jpayment.Request{sales, cancel, reauth}, arrived)
	}
}

// Every field of a result is stored, and its private data can be erased.
func TestResultsAreStoredWhole(t *testing.T) {
	t.Parallel()
	var want jpayment.Result
	filled(t, "", reflect.ValueOf(&want).Elem())
	text, err := marshalResult(&want)
	require.NoError(t, err)
	got, err := unmarshalResult(1, text)
	require.NoError(t, err)
	require.Equal(t, &want, got)

	text, err = forget(kept{1, text})
	require.NoError(t, err)
	got, err = unmarshalResult(1, text)
	require.NoError(t, err)
	v := reflect.ValueOf(*got)
	for i := range v.NumField() {
		switch v.Field(i).Interface().(type) {
		case jpayment.Secret, jpayment.Extra:
			require.True(t, v.Field(i).IsZero(), v.Type().Field(i).Name)
		default:
			require.False(t, v.Field(i).IsZero(), v.Type().Field(i).Name)
		}
	}
}

// Without a signature no kickback can be verified, so a job would wait in vain.
func TestRunWantsASigningClient(t *testing.T) {
	t.Parallel()
	ended, end := context.WithCancel(t.Context())
	end()
	gateway := jpaymenttest.NewServer(t)
	unsigned, signed := gateway.Client(), gateway.Client(jpayment.WithKickbackKey(kickbackKey))
	for name, c := range map[string]struct {
		wait    time.Duration
		gateway jpayment.Gateway
		refused bool
	}{
		"unsigned":                  {time.Hour, unsigned, true},
		"unsigned and wrapped":      {time.Hour, struct{ *jpayment.Client }{unsigned}, true},
		"unsigned and at once":      {0, unsigned, false},
		"signed":                    {time.Hour, signed, false},
		"one that cannot be asked":  {time.Hour, &jpaymenttest.Fake{}, false},
		"one that hides its client": {time.Hour, struct{ jpayment.Gateway }{unsigned}, false},
	} {
		s := newSite(t, onSQLite(t), Config{KickbackWait: c.wait})
		err := s.Run(ended, c.gateway, WorkerConfig{})
		if !c.refused {
			require.NoError(t, err, name)
			continue
		}
		var invalid *jpayment.ValidationError
		require.ErrorAs(t, err, &invalid, name)
		require.Equal(t, "gateway", invalid.Fields[0].Field)
		require.Contains(t, err.Error(), "WithKickbackKey")
		require.Contains(t, jpayment.WhatOf(err).Ja, "WithKickbackKey")
	}
	require.Empty(t, gateway.Requests())
}

// A client of another store would carry the jobs out there.
func TestRunRefusesAnotherStoresGateway(t *testing.T) {
	t.Parallel()
	gateway := jpaymenttest.NewServer(t)
	q := sqliteAt(t, t.TempDir()+"/orders.db")(Config{StoreID: "654321"})
	require.NoError(t, q.Migrate(t.Context()))
	ended, end := context.WithCancel(t.Context())
	end()
	err := q.Run(ended, gateway.Client(), WorkerConfig{})
	var invalid *jpayment.ValidationError
	require.ErrorAs(t, err, &invalid)
	require.ErrorContains(t, err, "gateway sends for another store")
}

// Not even a record, which never leaves the package, prints private data.
func TestRecordsPrintNothingPrivate(t *testing.T) {
	s := newSite(t, onSQLite(t), Config{})
	r, err := s.recordOf(ReAuth("order-1", jpayment.ReAuthRequest{PaymentID: "1", Amount: 1, Email: jpayment.NewSecret("taro@example.com")}))
	require.NoError(t, err)
	require.Contains(t, r.private.Reveal(), "taro")
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x"} {
		require.NotContains(t, fmt.Sprintf(verb, r)+fmt.Sprintf(verb, &r), "taro")
	}
}

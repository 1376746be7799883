package tools

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"go/types"
	"io"
	"log/slog"
	"net/http"
	"reflect"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"

	"github.com/jpayment-go/jpayment"
	"github.com/jpayment-go/jpayment/fulfilment"
	"github.com/jpayment-go/jpayment/internal/privacytest"
	"github.com/jpayment-go/jpayment/jpaymenttest"
)

// Private data, planted in every place that can hold it.
const (
	privateText = "kanariya"
	privateCode = "C4N4RY"
	privateTel  = "09099998888"
)

// shown are the types that show their contents, so that tests can inspect them. SECURITY.md
// says so.
var shown = []string{
	"jpaymenttest.Authorization", "jpaymenttest.Event", "jpaymenttest.Fake", "jpaymenttest.Fault", "jpaymenttest.KickbackDelivery",
	"jpaymenttest.KickbackParams", "jpaymenttest.Payment", "jpaymenttest.Request", "jpaymenttest.Server",
}

// No value of an exported type shows private data, however a program prints or marshals it.
// The test fails for a new type until privateValues has a value with all fields set.
func TestNoTypeShowsPrivateData(t *testing.T) {
	t.Parallel()
	values := privateValues(t)
	seen := map[string]bool{}
	for _, v := range values {
		for typ := reflect.TypeOf(v); ; typ = typ.Elem() {
			if typ.Kind() != reflect.Pointer {
				name, _, _ := strings.Cut(typ.String(), "[")
				seen[name] = true
				break
			}
		}
	}
	for _, name := range shown {
		require.False(t, seen[name], name)
		seen[name] = true
	}
	for _, pkg := range exported(t, packages...) {
		for _, name := range pkg.Scope().Names() {
			obj, isType := pkg.Scope().Lookup(name).(*types.TypeName)
			if !isType || !obj.Exported() {
				continue
			}
			if _, isStruct := obj.Type().Underlying().(*types.Struct); isStruct {
				require.True(t, seen[pkg.Name()+"."+name], "%s.%s has no value here with private data in it", pkg.Name(), name)
			}
		}
	}
	for i, v := range values {
		t.Run(fmt.Sprintf("%T %d", v, i), func(t *testing.T) {
			t.Parallel()
			require.Empty(t, privacytest.Leaks(v, []string{privateText, privateCode, privateTel}, inYAML))
		})
	}
}

// privateValues returns values of all exported types, with private data in every field that
// can hold it.
func privateValues(t *testing.T) []any {
	t.Helper()
	secret, key := jpayment.NewSecret(privateText), bytes.Repeat([]byte(privateText), 4)
	extra := jpayment.NewExtra(map[string]string{"k": privateText, privateText: "v"})
	reauth := jpayment.ReAuthRequest{
		PaymentID: "10000001", Amount: 900, Tax: 72, Shipping: 500,
		Email: jpayment.NewSecret(privateText + "@example.jp"), Phone: jpayment.NewSecret(privateTel), Extra: extra,
	}
	sales, cancel := jpayment.SalesRequest{PaymentID: "10000001", Extra: extra}, jpayment.CancelRequest{PaymentID: "10000001", Extra: extra}

	const row = "10000002,1," + privateCode + ",,20000002,o-1,900,72,500,1472," + privateText + "," + privateText + ",k=" + privateText
	result, err := jpayment.ParseReply([]byte(row))
	require.NoError(t, err)
	_, notAReply := jpayment.ParseReply([]byte("<html>" + privateText))
	_, badColumn := jpayment.ParseReply([]byte(strings.Replace(row, "500", privateText, 1)))

	client, err := jpayment.NewClient("123456", jpayment.WithConnectionAuth(privateText), jpayment.WithKickbackKey(key))
	require.NoError(t, err)
	_, invalid := client.ReAuth(t.Context(), jpayment.ReAuthRequest{
		PaymentID: privateText, Email: secret, Phone: secret, Extra: jpayment.NewExtra(map[string]string{"aid": privateText, "\x01": privateText, "k": privateText + "\xff"}),
	})
	var faults *jpayment.ValidationError
	require.ErrorAs(t, invalid, &faults)
	// A transport's error may quote the request.
	fails := func(answer *http.Response, failure error) error {
		client, err := jpayment.NewClient("123456", jpayment.WithHTTPClient(&http.Client{Transport: roundTrip(func(*http.Request) (*http.Response, error) { return answer, failure })}))
		require.NoError(t, err)
		_, err = client.Sales(t.Context(), sales)
		return err
	}
	noReply := fails(nil, errors.New(privateText))
	cutShort := fails(&http.Response{StatusCode: http.StatusOK, Body: io.NopCloser(iotest.ErrReader(errors.New(privateText)))}, nil)
	refused := &jpayment.GatewayError{Call: jpayment.Call{Earlier: noReply}, Code: "ER001", Result: result}
	reply := &jpayment.ReplyError{Result: result, Err: jpayment.ErrTestMode}

	verifier, err := jpayment.NewKickbackVerifier("123456", 0, key)
	require.NoError(t, err)
	handler, err := jpayment.NewKickbackHandler(verifier, func(context.Context, *jpayment.Kickback) error { return nil })
	require.NoError(t, err)
	sent := time.Unix(1_800_000_000, 0)
	query := jpaymenttest.NewKickback("/", jpaymenttest.KickbackParams{
		PaymentID: "10000002", ApprovalCode: privateCode, Amount: 900, Tax: 72, Shipping: 500, Extra: extra, Key: key,
		Request: jpayment.KickbackRequest{PaymentID: "10000001", At: sent},
	}).URL.RawQuery
	unverified, err := jpayment.ParseKickback(query)
	require.NoError(t, err)
	kickback, err := verifier.Verify(query, sent)
	require.NoError(t, err)
	_, badParam := jpayment.ParseKickback("gid=1&rst=1&am=" + privateText)
	_, forged := verifier.Verify("gid=1&rst=2&jpk="+privateText, sent)

	fake := &jpaymenttest.Fake{}
	_, err = fake.ReAuth(t.Context(), reauth)
	require.Error(t, err, "it has no function, and keeps the call")

	db, err := fulfilment.OpenSQLite(t.TempDir() + "/jobs.db")
	require.NoError(t, err)
	t.Cleanup(func() { db.Close() })
	cfg := fulfilment.Config{StoreID: "123456", KickbackWait: time.Hour, Logger: slog.New(slog.DiscardHandler)}
	queue, err := fulfilment.NewSQLite(db, cfg)
	require.NoError(t, err)
	job := fulfilment.Job{ID: 1, Operation: jpayment.OpReAuth, PaymentID: "10000001", Reference: "order-1", State: fulfilment.StateRefused, Result: result, Note: secret}
	what := jpayment.WhatOf(noReply)

	return []any{
		secret, extra, sales, cancel, reauth, fulfilment.Sales("order-1", sales), fulfilment.Cancel("order-1", cancel), fulfilment.ReAuth("order-1", reauth),
		result, result.Amount, what,
		jpayment.RetryPolicy{},
		client,
		notAReply, badColumn, reply, invalid, faults.Fields[0], noReply, cutShort, refused, refused.Call,
		unverified, kickback, kickback.Request, badParam, forged, verifier, handler,
		fake.Calls()[0], fake.Calls(),
		queue, cfg,
		fulfilment.WorkerConfig{},
		job,
		[]fulfilment.Job{job},
		fulfilment.Decision{State: fulfilment.StateDone, Note: secret},
		fulfilment.Change{Position: 1, Job: job, State: job.State},
		fulfilment.Attempt{Number: 1, What: what},
		fulfilment.Pause{Why: what},
		fulfilment.Status{Paused: &fulfilment.Pause{Why: what}},
		fulfilment.Filter{Reference: "order-1"},
		fulfilment.Health{What: what},
		&fulfilment.ConflictError{Job: job, Fields: []string{"Amount"}}, &fulfilment.RefusedError{Job: job},
	}
}

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// inYAML marshals to YAML. The package panics if it cannot.
func inYAML(v any) (b []byte, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("%v", p)
		}
	}()
	return yaml.Marshal(v)
}

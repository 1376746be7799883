package main

import (
	"bytes"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/jpayment-go/jpayment/jpaymenttest"
)

func TestTour(t *testing.T) {
	t.Parallel()
	want, err := os.ReadFile("testdata/tour.txt")
	require.NoError(t, err)
	var out bytes.Buffer
	require.NoError(t, run(t.Context(), nil, nil, &out))
	require.Equal(t, string(want), out.String())
}

func TestCaptureAsksFirst(t *testing.T) {
	t.Parallel()
	gateway := jpaymenttest.NewServer(t)
	id := gateway.Authorize(jpaymenttest.Authorization{Amount: 1000})
	args := []string{"-store", "123456", "-payment", id, "-url", gateway.URL}

	for _, answer := range []string{"", "no\n", "y\n", "YES\n"} {
		var out bytes.Buffer
		require.EqualError(t, run(t.Context(), args, strings.NewReader(answer), &out), "nothing was sent")
		require.Contains(t, out.String(), "The cardholder will be charged.")
	}
	require.Empty(t, gateway.Requests())

	var out bytes.Buffer
	require.NoError(t, run(t.Context(), args, strings.NewReader("yes\n"), &out))
	require.Contains(t, out.String(), "done: payment "+id+", 1000 yen\n")
	require.ErrorContains(t, run(t.Context(), args, strings.NewReader("yes\n"), &out), "ER032")
}

func TestArguments(t *testing.T) {
	t.Parallel()
	for want, args := range map[string][]string{
		"-store and -payment go together":                     {"-store", "123456"},
		"StoreID (aid) has 3 digits; a store ID (店舗ID) has 6": {"-store", "123", "-payment", "1"},
		"flag provided but not defined: -x":                   {"-x"},
	} {
		require.ErrorContains(t, run(t.Context(), args, strings.NewReader(""), &bytes.Buffer{}), want)
	}
}

package assumed_test

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/jpayment-go/jpayment"
	"github.com/jpayment-go/jpayment/internal/assumed"
)

func TestTable(t *testing.T) {
	t.Parallel()
	grades := []string{"H", "M–H", "M", "L", ""}
	for i, a := range assumed.All() {
		require.Equal(t, i+1, a.Number, "numbers never change: a new assumption takes the next one")
		sentence(t, a.Number, a.Text)
		sentence(t, a.Number, a.IfWrong)
		if a.Evidence != (jpayment.Text{}) {
			sentence(t, a.Number, a.Evidence)
		}
		if !a.Observable() {
			sentence(t, a.Number, a.Unobservable)
			require.Nil(t, a.Setting, "assumption %d: whatever the simulated gateway can do differently, a client can observe", a.Number)
		}
		require.Contains(t, grades, a.Grade, a.Number)
		_, err := os.Stat(filepath.Join("..", "..", filepath.FromSlash(a.Where)))
		require.NoError(t, err, "assumption %d: where", a.Number)
		for _, n := range a.HangsOn {
			other, known := assumed.Of(n)
			require.True(t, known && n != a.Number && other.Setting != nil, "assumption %d hangs on %d, which has no setting", a.Number, n)
		}
		for _, o := range a.Options {
			require.NotEmpty(t, o.Call, a.Number)
		}
	}
	_, known := assumed.Of(0)
	require.False(t, known)
}

func sentence(t *testing.T, number int, text jpayment.Text) {
	t.Helper()
	require.Regexp(t, `^[^\s].*[.]$`, text.En, "assumption %d", number)
	require.Regexp(t, `^[^\s].*。$`, text.Ja, "assumption %d", number)
}

func TestSettings(t *testing.T) {
	t.Parallel()
	var keys []string
	for _, s := range assumed.Settings() {
		require.Regexp(t, `^[a-z][a-z0-9_]*$`, s.Key)
		require.NotContains(t, keys, s.Key)
		keys = append(keys, s.Key)
		require.NotEmpty(t, s.Text.En)
		require.NotEmpty(t, s.Text.Ja)
		require.NoError(t, s.Check(s.Default), s.Key)
		require.NoError(t, s.Check(s.Flip), s.Key)
		require.NotEqual(t, s.Default, s.Flip, s.Key)
		if s.Kind == assumed.Choice {
			require.Equal(t, s.Default, s.Values[0].Name, "%s: the assumed value comes first", s.Key)
			for _, v := range s.Values {
				require.NotEmpty(t, v.Text.En, s.Key)
				require.NotEmpty(t, v.Text.Ja, s.Key)
			}
		}
		a, known := assumed.BySetting(s.Key)
		require.True(t, known && a.Setting == s)
	}
	require.Equal(t, keys, func() (all []string) {
		for _, f := range assumed.Assumed().Assumptions {
			if f.Setting != "" {
				all = append(all, f.Setting)
			}
		}
		return all
	}())
}

// If an assumption is wrong, so are those that depend on it, but not those on which it
// depends.
func TestHanging(t *testing.T) {
	t.Parallel()
	require.Equal(t, []int{9}, assumed.Hanging(54))
	require.Equal(t, []int{14}, assumed.Hanging(34))
	require.Empty(t, assumed.Hanging(9))
	require.Empty(t, assumed.Hanging(1))
}

func TestCheckValue(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ key, good, bad, en, ja string }{
		{"columns", "14", "12", `columns "12" is not 13, 14 or 11`, `columns の "12" は使えません（指定できるもの: 13、14、11）`},
		{"second_sales", "ER053", "ER5", `second_sales "ER5" is not done, or ER and three digits`, `ER と3桁の数字`},
		{"second_sales", "done", "G12", `second_sales "G12" is not`, `"G12" は使えません`},
		{"kickback_duplicates", "100", "101", `kickback_duplicates "101" is not a whole number from 0 to 100`, `0 から 100 までの整数`},
		{"kickback_duplicates", "0", "+1", `kickback_duplicates "+1" is not`, `"+1"`},
		{"kickback_delay", "30s", "31s", `kickback_delay "31s" is not a duration from 0s to 30s`, `0s から 30s までの時間`},
		{"kickback_retries", "none", "", `kickback_retries "" is not up to 100 durations from 1ns to 24h separated by commas, or none`, `カンマ区切り`},
		{"kickback_retries", "1m,5m", "1m,,5m", `kickback_retries "1m,,5m" is not`, `"1m,,5m"`},
		{"kickback_acid", "", "１", `kickback_acid "１" is not up to 20 digits, or empty`, `20桁までの数字`},
	} {
		s, err := assumed.SettingOf(tt.key)
		require.NoError(t, err)
		require.NoError(t, s.Check(tt.good))
		what := jpayment.WhatOf(s.Check(tt.bad))
		require.Contains(t, what.En, tt.en)
		require.Contains(t, what.Ja, tt.ja)
		require.Equal(t, s.Check(tt.bad), assumed.Values{tt.key: tt.bad}.Check())
	}
	require.NoError(t, assumed.Defaults().Check())
	_, err := assumed.SettingOf("colums")
	require.ErrorContains(t, err, `"colums" is not a setting of the simulated gateway; the settings are success_gid, `)
	require.Equal(t, err, assumed.Values{"colums": "13"}.Check())
}

// Exactly these assumptions are not observable by a client.
func TestObservable(t *testing.T) {
	t.Parallel()
	var not []int
	for _, a := range assumed.All() {
		if !a.Observable() {
			not = append(not, a.Number)
		}
	}
	require.Equal(t, []int{6, 7, 8, 10, 20, 23, 26, 27, 57, 64, 66}, not)
}

// Both languages of a text refer to the same assumptions, and never to their own.
func TestReferences(t *testing.T) {
	t.Parallel()
	reference := regexp.MustCompile(`(?:[Ss]ee|As|前提|assumption) ?(\d+)`)
	for _, a := range assumed.All() {
		for _, text := range []jpayment.Text{a.IfWrong, a.Unobservable} {
			en, ja := reference.FindAllStringSubmatch(text.En, -1), reference.FindAllStringSubmatch(text.Ja, -1)
			require.Equal(t, numbers(en), numbers(ja), "assumption %d: both languages refer to the same", a.Number)
			for _, n := range numbers(en) {
				require.NotEqual(t, a.Number, n)
			}
		}
	}
}

func numbers(matches [][]string) (all []string) {
	for _, m := range matches {
		all = append(all, strings.TrimLeft(m[1], "0"))
	}
	slices.Sort(all)
	return all
}

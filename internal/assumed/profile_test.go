package assumed_test

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/jpayment-go/jpayment"
	"github.com/jpayment-go/jpayment/internal/assumed"
)

var update = flag.Bool("update", false, "rewrite testdata/profiles")

// testdata/profiles/assumed.json is the profile in which nothing was measured.
func TestAssumedProfile(t *testing.T) {
	t.Parallel()
	file := filepath.Join("..", "..", "testdata", "profiles", "assumed.json")
	want := assumed.Assumed().Encode()
	if *update {
		require.NoError(t, os.MkdirAll(filepath.Dir(file), 0o755))
		require.NoError(t, os.WriteFile(file, want, 0o644))
	}
	got, err := os.ReadFile(file)
	require.NoError(t, err)
	require.Equal(t, string(want), string(got), "if the change is intended, run go generate ./tools")
	profile, err := assumed.ParseProfile(got)
	require.NoError(t, err)
	require.Equal(t, assumed.Assumed(), profile)
	require.Equal(t, assumed.Defaults(), profile.Values())
	require.Empty(t, profile.Wrong())
}

const measured = `{"version":1,"measured":"2026-11-26T10:00:00Z","assumptions":[
  {"number":54,"setting":"second_sales","value":"ER053","verdict":"refuted","evidence":[{"request":"jb=SALES","reply":"0,2,,ER053"}]},
  {"number":12,"verdict":"not tried","reason":{"en":"No time.","ja":"時間がありません。"}},
  {"number":32,"setting":"columns","value":14,"verdict":"refuted"},
  {"number":1,"setting":"success_gid","value":"same","verdict":"confirmed"}]}`

func TestParseProfile(t *testing.T) {
	t.Parallel()
	p, err := assumed.ParseProfile([]byte("\ufeff" + measured))
	require.NoError(t, err)
	want := assumed.Defaults()
	want["second_sales"], want["columns"] = "ER053", "14"
	require.Equal(t, want, p.Values(), "what the profile leaves out is as assumed")
	require.Equal(t, []assumed.Evidence{{Request: "jb=SALES", Reply: "0,2,,ER053"}}, p.Assumptions[0].Evidence)
	require.Equal(t, "No time.", p.Assumptions[1].Reason.En)
	again, err := assumed.ParseProfile(p.Encode())
	require.NoError(t, err)
	require.Equal(t, p, again)

	var wrong []int
	for _, a := range p.Wrong() {
		wrong = append(wrong, a.Number)
	}
	require.Equal(t, []int{9, 32, 54}, wrong, "and those that depend on them")
}

// An error in a profile names the field.
func TestParseProfileErrors(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ old, new, en, ja string }{
		{`"version":1`, `"version":2,"x":1`, "version is 2; this program reads version 1", "version が 2 です"},
		{`"version":1`, `"version":"1"`, `version is "1"; this program`, `version が "1" です`},
		{`"version":1,`, ``, "version is missing", "version がありません"},
		{`"measured"`, `"measure"`, "measure is not a known field (known: assumptions, measured, version)", "measure は不明なフィールドです"},
		{`"measured":"2026-11-26T10:00:00Z"`, `"measured":"now"`, `measured cannot be "now"`, `measured に "now" は使えません`},
		{`"version":1`, `"version":1,"version":1`, "version appears twice", "version が2回あります"},
		{`"number":54`, `"number":540`, "assumptions[0].number 540 is not an assumption that this program knows", "assumptions[0].number の 540 という前提はありません"},
		{`"number":54`, `"number":"54"`, `assumptions[0].number cannot be "54"`, `使えません`},
		{`"number":54,"setting":"second_sales","value":"ER053"`, `"number":12`, "assumptions[1].number 12 appears twice", "の 12 が2回あります"},
		{`"number":12`, `"number":12,"setting":"columns","value":"13"`, `assumptions[1].setting "columns" does not belong to assumption 12, which has no setting`, "この前提に設定はありません"},
		{`"number":12`, `"number":12,"value":"13"`, `assumptions[1].setting is missing, but there is a value`, "value があります"},
		{`"setting":"columns"`, `"setting":"colums"`, `assumptions[2].setting "colums" does not belong to assumption 32, whose setting is columns`, "この前提の設定は columns です"},
		{`"value":14,`, ``, "assumptions[2].value is missing, but there is a setting", "setting があります"},
		{`"value":14`, `"value":15`, `assumptions[2].value of columns "15" is not 13, 14 or 11`, `assumptions[2].value （columns）の "15" は使えません`},
		{`"value":14`, `"value":[14]`, `assumptions[2].value cannot be [14]`, "使えません"},
		{`"value":14`, `"value":null`, `assumptions[2].value is null; omit it instead`, "null です"},
		{`"confirmed"`, `"sure"`, `assumptions[3].verdict "sure" is not confirmed, refuted or not tried`, `"sure" は使えません`},
		{`,"verdict":"confirmed"`, ``, `assumptions[3].verdict is missing`, "がありません"},
		{`"ja":"時間がありません。"`, `"jp":"x"`, "assumptions[1].reason.jp is not a known field", "不明なフィールド"},
		{`"reply":"0,2,,ER053"`, `"answer":"x"`, "assumptions[0].evidence[0].answer is not a known field", "不明なフィールド"},
		{`"confirmed"}]}`, `"confirmed"}]} {}`, "} is followed by other data", "余分な内容"},
		{`"confirmed"}]}`, `"confirmed"}`, "is not JSON: ", "JSON として読めません"},
		{measured, ``, "the profile is not JSON: EOF", "JSON として"},
		{measured, `[]`, "the profile is not a JSON object", "オブジェクトではありません"},
	} {
		require.Contains(t, measured, tt.old)
		_, err := assumed.ParseProfile([]byte(strings.Replace(measured, tt.old, tt.new, 1)))
		require.Error(t, err, tt.new)
		what := jpayment.WhatOf(err)
		require.Contains(t, what.En, tt.en)
		require.Contains(t, what.Ja, tt.ja)
		require.NotContains(t, what.En, "\n")
	}
}

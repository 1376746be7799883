package tools

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/jpayment-go/jpayment"
	"github.com/jpayment-go/jpayment/internal/assumed"
	"github.com/jpayment-go/jpayment/internal/sim"
)

// assumptionList lists the assumptions of internal/assumed.
func assumptionList(_ *testing.T, l language) string {
	var b strings.Builder
	for _, a := range assumed.All() {
		fmt.Fprintf(&b, "%d. **%s**", a.Number, l.in(a.Text))
		parts := []string{l.in(a.Evidence), l.in(graded(a)), l.in(jpayment.Text{En: "Where: `" + a.Where + "`.", Ja: "場所：`" + a.Where + "`。"})}
		parts = append(parts, l.in(jpayment.Text{En: "If wrong: ", Ja: "誤りの場合："})+l.in(a.IfWrong))
		if a.Setting != nil {
			parts = append(parts, l.in(settingOf(a.Setting)))
		}
		if !a.Observable() {
			parts = append(parts, l.in(jpayment.Text{En: "Not observable by a client: ", Ja: "クライアントからは確認できない理由："})+l.in(a.Unobservable))
		}
		parts = slices.DeleteFunc(parts, func(part string) bool { return part == "" })
		b.WriteString(" " + strings.Join(parts, l.in(jpayment.Text{En: " "})) + "\n")
	}
	return b.String()
}

func graded(a assumed.Assumption) (text jpayment.Text) {
	if a.Grade == "" {
		return text
	}
	return jpayment.Text{En: "(" + a.Grade + ")", Ja: "（" + a.Grade + "）"}
}

// settingOf returns a setting's key, its permitted values and the assumed value.
func settingOf(s *assumed.Setting) jpayment.Text {
	permitted := s.Permitted()
	text := jpayment.Text{
		En: fmt.Sprintf("Setting: `%s` (%s; default %s)", s.Key, permitted.En, code(s.Default)),
		Ja: fmt.Sprintf("設定：`%s`（%s、既定値 %s）", s.Key, permitted.Ja, code(s.Default)),
	}
	if s.Option != "" {
		text.En += ", option `jpaymenttest." + s.Option + "`"
		text.Ja += "、オプション `jpaymenttest." + s.Option + "`"
	}
	return jpayment.Text{En: text.En + ".", Ja: text.Ja + "。"}
}

// settingTable is the table of the settings of the simulated gateway.
func settingTable(_ *testing.T, l language) string {
	rows := [][]string{{
		l.in(jpayment.Text{En: "setting", Ja: "設定"}), l.in(jpayment.Text{En: "meaning", Ja: "内容"}),
		l.in(jpayment.Text{En: "values", Ja: "値"}), l.in(jpayment.Text{En: "assumption", Ja: "前提"}),
	}}
	for _, a := range assumed.All() {
		if a.Setting == nil {
			continue
		}
		var values []string
		for _, v := range a.Setting.Values {
			values = append(values, code(v.Name)+l.in(jpayment.Text{En: ": ", Ja: "："})+l.in(v.Text))
		}
		if values == nil {
			values = []string{code(a.Setting.Default), l.in(a.Setting.Permitted())}
		}
		rows = append(rows, []string{code(a.Setting.Key), l.in(a.Setting.Text), strings.Join(values, l.in(jpayment.Text{En: "; ", Ja: "／"})), strconv.Itoa(a.Number)})
	}
	return table(rows...)
}

// code formats the value of a setting for a page.
func code(value string) string {
	if value == "" {
		return "—"
	}
	return "`" + value + "`"
}

// faultTable is the table of the kinds of faults of the simulated gateway.
func faultTable(_ *testing.T, l language) string {
	rows := [][]string{{
		l.in(jpayment.Text{En: "kind", Ja: "障害"}), l.in(jpayment.Text{En: "fields", Ja: "フィールド"}), l.in(jpayment.Text{En: "effect", Ja: "内容"}),
	}}
	for _, k := range sim.Kinds() {
		var fields []string
		for _, field := range k.Fields {
			if field == "Delay" {
				field = "delay_ms"
			}
			fields = append(fields, code(strings.ToLower(field)))
		}
		rows = append(rows, []string{code(string(k.Kind)), strings.Join(fields, l.in(jpayment.Text{En: ", ", Ja: "、"})), l.in(k.Text)})
	}
	return table(rows...)
}

package tools

import (
	"fmt"
	"strconv"
	"strings"
	"testing"

	"github.com/jpayment-go/jpayment"
	"github.com/jpayment-go/jpayment/internal/assumed"
)

// assumptionList lists what internal/assumed has.
func assumptionList(_ *testing.T, l language) string {
	var b strings.Builder
	for _, a := range assumed.All() {
		fmt.Fprintf(&b, "%d. **%s**", a.Number, l.in(a.Text))
		for _, text := range []jpayment.Text{a.Evidence, graded(a), {En: "Where: `" + a.Where + "`.", Ja: "場所: `" + a.Where + "`。"}} {
			if part := l.in(text); part != "" {
				b.WriteString(" " + part)
			}
		}
		b.WriteString(l.in(jpayment.Text{En: " If wrong: ", Ja: " 誤りの場合: "}) + l.in(a.IfWrong))
		if a.Setting != nil {
			b.WriteString(" " + l.in(settingOf(a.Setting)))
		}
		if !a.Observable() {
			b.WriteString(l.in(jpayment.Text{En: " A client cannot find out: ", Ja: " クライアントからは確認できません: "}) + l.in(a.Unobservable))
		}
		b.WriteString("\n")
	}
	return b.String()
}

func graded(a assumed.Assumption) (text jpayment.Text) {
	if a.Grade == "" {
		return text
	}
	return jpayment.Text{En: "(" + a.Grade + ")", Ja: "（" + a.Grade + "）"}
}

// settingOf names a setting, what is assumed and what else there is.
func settingOf(s *assumed.Setting) jpayment.Text {
	permitted := s.Permitted()
	text := jpayment.Text{
		En: fmt.Sprintf("Setting: `%s`, %s; %s is assumed", s.Key, permitted.En, code(s.Default)),
		Ja: fmt.Sprintf("設定: `%s`（%s）。前提は %s", s.Key, permitted.Ja, code(s.Default)),
	}
	if s.Option != "" {
		text.En += " (`jpaymenttest." + s.Option + "`)"
		text.Ja += "（`jpaymenttest." + s.Option + "`）"
	}
	return jpayment.Text{En: text.En + ".", Ja: text.Ja + "。"}
}

// settingTable is the table of the settings of the simulated gateway.
func settingTable(_ *testing.T, l language) string {
	rows := [][]string{{
		l.in(jpayment.Text{En: "setting", Ja: "設定"}), l.in(jpayment.Text{En: "decides", Ja: "内容"}),
		l.in(jpayment.Text{En: "values", Ja: "値"}), l.in(jpayment.Text{En: "assumption", Ja: "前提"}),
	}}
	for _, a := range assumed.All() {
		if a.Setting == nil {
			continue
		}
		var values []string
		for _, v := range a.Setting.Values {
			values = append(values, code(v.Name)+": "+l.in(v.Text))
		}
		if values == nil {
			values = []string{code(a.Setting.Default), l.in(a.Setting.Permitted())}
		}
		rows = append(rows, []string{code(a.Setting.Key), l.in(a.Setting.Text), strings.Join(values, "; "), strconv.Itoa(a.Number)})
	}
	return table(rows...)
}

// code writes the value of a setting in a page.
func code(value string) string {
	if value == "" {
		return "—"
	}
	return "`" + value + "`"
}

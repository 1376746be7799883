package main

import (
	"bytes"
	"context"
	_ "embed"
	"errors"
	"html/template"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/jpayment-go/jpayment"
	"github.com/jpayment-go/jpayment/fulfilment"
)

//go:embed page.html
var pageHTML string

var pageTemplate = template.Must(template.New("page").Parse(pageHTML))

// words are the page's own texts. Texts about jobs come from the jobs.
var words = map[string]jpayment.Text{
	"title":   {En: "Orders", Ja: "注文一覧"},
	"number":  {En: "Order", Ja: "注文番号"},
	"total":   {En: "Total (yen)", Ja: "金額（円）"},
	"payment": {En: "Payment", Ja: "決済番号"},
	"state":   {En: "State", Ja: "状態"},
	"jobs":    {En: "Payment jobs", Ja: "決済処理"},
	"ship":    {En: "Ship", Ja: "出荷"},
	"part":    {En: "Ship a part", Ja: "一部出荷"},
	"cancel":  {En: "Cancel", Ja: "キャンセル"},
	"other":   {En: "日本語", Ja: "English"},

	"open":       {En: "open", Ja: "受付済み"},
	"shipping":   {En: "shipping", Ja: "出荷処理中"},
	"shipped":    {En: "shipped", Ja: "出荷済み"},
	"cancelling": {En: "being cancelled", Ja: "キャンセル処理中"},
	"cancelled":  {En: "cancelled", Ja: "キャンセル済み"},
	"problem":    {En: "needs attention", Ja: "要確認"},

	"Sales":  {En: "capture", Ja: "実売上"},
	"Cancel": {En: "cancellation", Ja: "取消"},
	"ReAuth": {En: "re-authorisation", Ja: "再オーソリ"},

	"not now":  {En: "The order's state no longer allows this.", Ja: "注文の状態が変わったため、実行できません。"},
	"a number": {En: "Enter the amount in yen.", Ja: "金額を円単位の数字で入力してください。"},
}

// view is the page in one language.
type view struct {
	Lang, Other, Error string
	Orders             []orderView
	Moving             bool // an order is being processed, so the page reloads
}

type orderView struct {
	Order
	Jobs                      []fulfilment.Job
	MayShip, MayCancel, Moves bool
}

// Say returns one of the page's texts.
func (v view) Say(word any) string {
	switch word := word.(type) {
	case State:
		return v.In(words[string(word)])
	case jpayment.Operation:
		return v.In(words[string(word)])
	default:
		return v.In(words[word.(string)])
	}
}

// In returns a text in the page's language.
func (v view) In(t jpayment.Text) string {
	if v.Lang == "en" {
		return t.En
	}
	return t.Ja
}

// page shows the store's orders. This example has no access control, so it listens on this
// machine only.
type page struct{ store }

func (p page) handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, r *http.Request) { p.show(w, r, nil) })
	act := func(path string, do func(ctx context.Context, number string, form url.Values) error) {
		mux.HandleFunc("POST "+path, func(w http.ResponseWriter, r *http.Request) {
			r.Body = http.MaxBytesReader(w, r.Body, 1<<16)
			if err := do(r.Context(), r.PostFormValue("number"), r.PostForm); err != nil {
				p.show(w, r, err)
				return
			}
			http.Redirect(w, r, "/?lang="+language(r), http.StatusSeeOther)
		})
	}
	act("/ship", func(ctx context.Context, number string, _ url.Values) error { return p.ship(ctx, number) })
	act("/cancel", func(ctx context.Context, number string, _ url.Values) error { return p.cancel(ctx, number) })
	act("/part", func(ctx context.Context, number string, form url.Values) error {
		total, err := strconv.ParseInt(strings.TrimSpace(form.Get("total")), 10, 64)
		if err != nil {
			return errNoAmount
		}
		return p.shipPart(ctx, number, total)
	})
	return http.NewCrossOriginProtection().Handler(mux)
}

var errNoAmount = errors.New("the amount is not a number")

// language returns ja or en.
func language(r *http.Request) string {
	if r.FormValue("lang") == "en" {
		return "en"
	}
	return "ja"
}

// show writes the page, with the failure of the last action, if any.
func (p page) show(w http.ResponseWriter, r *http.Request, failure error) {
	v := view{Lang: language(r), Other: "en"}
	if v.Lang == "en" {
		v.Other = "ja"
	}
	status := http.StatusConflict
	switch {
	case failure == nil:
		status = http.StatusOK
	case errors.Is(failure, errNotNow):
		v.Error = v.Say("not now")
	case errors.Is(failure, errNoAmount):
		v.Error = v.Say("a number")
	default:
		v.Error = v.In(jpayment.WhatOf(failure))
	}
	orders, err := p.orders(r.Context())
	for _, o := range orders {
		var jobs []fulfilment.Job
		if jobs, err = p.Jobs(r.Context(), fulfilment.Filter{Reference: o.Number}); err != nil {
			break
		}
		ov := orderView{
			Order: o, Jobs: jobs, MayShip: o.State == Open, MayCancel: o.State != Cancelling && o.State != Cancelled,
			Moves: o.State == Shipping || o.State == Cancelling,
		}
		v.Moving = v.Moving || ov.Moves
		v.Orders = append(v.Orders, ov)
	}
	var text bytes.Buffer
	if err == nil {
		err = pageTemplate.Execute(&text, v)
	}
	if err != nil {
		http.Error(w, v.In(jpayment.WhatOf(err)), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	_, _ = text.WriteTo(w) // The client may be gone.
}

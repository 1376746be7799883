package simulator

import (
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/jpayment-go/jpayment/cmd/jpayment/internal/localpage"
	"github.com/jpayment-go/jpayment/internal/sim"
)

// The lists of the overview. Each shows a page of at most shown rows.
const (
	paymentList  = "payments"
	requestList  = "requests"
	kickbackList = "kickbacks"

	shown = 20
)

// view says which part of its lists the overview shows. Every link, form and refresh of the
// panel carries it, so that the row stays visible after an action on it.
type view struct {
	Search string         // for payments; if empty, all are shown
	skip   map[string]int // by list: number of newer entries before its first row
}

// viewOf returns the view in the URL of a page, or of the page that contained a form.
func viewOf(r *http.Request) view {
	query := r.URL.Query()
	if r.Method == http.MethodPost {
		_, from, _ := strings.Cut(r.PostForm.Get("from"), "?")
		query, _ = url.ParseQuery(from) // as far as it can be read
	}
	v := view{Search: strings.TrimSpace(query.Get("q")), skip: map[string]int{}}
	for _, list := range []string{paymentList, requestList, kickbackList} {
		if n, err := strconv.Atoi(query.Get(list)); err == nil && n > 0 {
			v.skip[list] = n
		}
	}
	return v
}

// query returns the view as the query of a URL.
func (v view) query() string {
	query := url.Values{}
	if v.Search != "" {
		query.Set("q", v.Search)
	}
	for list, n := range v.skip {
		if n > 0 {
			query.Set(list, strconv.Itoa(n))
		}
	}
	if len(query) == 0 {
		return ""
	}
	return "?" + query.Encode()
}

// URL returns the URL of the view.
func (v view) URL() string { return "/panel/" + v.query() }

// at returns the URL of the view with a different page of one list.
func (v view) at(list string, skip int) string {
	v.skip = maps.Clone(v.skip)
	v.skip[list] = skip
	return v.URL() + "#" + list
}

// found returns the payments whose number or order number contains the search text.
func (v view) found(payments []sim.Payment) []sim.Payment {
	if v.Search == "" {
		return payments
	}
	wanted := localpage.Folded(v.Search)
	return slices.DeleteFunc(payments, func(p sim.Payment) bool {
		return !strings.Contains(p.ID, wanted) && !strings.Contains(localpage.Folded(p.OrderNumber), wanted)
	})
}

// pager says which rows of a list are shown and links to the others.
type pager struct {
	List             string
	First, Last, All int
	Newer, Older     string // URLs; empty if there are none
}

// newest returns the page of a list that the view shows, latest entry first.
func newest[T any](v view, list string, all []T) ([]T, pager) {
	skip := v.skip[list]
	if skip >= len(all) {
		skip = 0
	}
	end := len(all) - skip
	page := slices.Clone(all[max(end-shown, 0):end])
	slices.Reverse(page)
	p := pager{List: list, First: skip + 1, Last: skip + len(page), All: len(all)}
	if skip > 0 {
		p.Newer = v.at(list, max(skip-shown, 0))
	}
	if p.Last < p.All {
		p.Older = v.at(list, skip+shown)
	}
	return page, p
}

// kickbackRow is a waiting kickback or an attempt to deliver one.
type kickbackRow struct {
	sim.KickbackDelivery
	Waiting bool // if so, At is the time of the next attempt
}

// kickbackRows returns the attempts, including forged ones, in order of time, followed by the
// waiting kickbacks, with the next one last.
func kickbackRows(sent, forged []sim.KickbackDelivery, waiting []sim.WaitingKickback) []kickbackRow {
	rows := make([]kickbackRow, 0, len(sent)+len(forged)+len(waiting))
	byTime := func(a, b kickbackRow) int { return a.At.Compare(b.At) }
	for _, d := range slices.Concat(sent, forged) {
		rows = append(rows, kickbackRow{KickbackDelivery: d})
	}
	slices.SortStableFunc(rows, byTime)
	attempts := len(rows)
	for _, w := range waiting {
		rows = append(rows, kickbackRow{Waiting: true, KickbackDelivery: sim.KickbackDelivery{
			Request: w.Request, Duplicate: w.Duplicate, At: w.Due, RawQuery: w.RawQuery,
		}})
	}
	slices.SortStableFunc(rows[attempts:], func(a, b kickbackRow) int { return byTime(b, a) })
	return rows
}

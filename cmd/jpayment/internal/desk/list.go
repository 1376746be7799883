package desk

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"sort"
	"strconv"
	"strings"

	"github.com/jpayment-go/jpayment/cmd/jpayment/internal/localpage"
	"github.com/jpayment-go/jpayment/fulfilment"
)

// list is a paged list of jobs. A queue returns jobs in the order of their numbers, starting
// after any number; a binary search finds those before a number.
type list struct {
	queue       Queue
	filter      fulfilment.Filter
	newestFirst bool
	path        string     // of its pages
	query       url.Values // of the request
	total       int64
	size        int
}

// pager says which rows of a list are shown and links to the others. A URL is empty if there
// are no such rows.
type pager struct {
	First, Last, All            int64
	Previous, Next, Start, End  string
	PreviousFirst, PreviousLast int64
	NextFirst, NextLast         int64
	NewestFirst                 bool
}

// page returns the requested page of the list. The request names the job after or before which
// it starts, and the number of rows before it.
func (l list) page(ctx context.Context, r *http.Request) ([]fulfilment.Job, pager, error) {
	number := func(name string) (int64, bool) {
		n, err := strconv.ParseInt(r.URL.Query().Get(name), 10, 64)
		return n, err == nil && n >= 0
	}
	after, forward := number("after")
	before, backward := number("before")
	skip, _ := number("skip")
	var (
		jobs []fulfilment.Job
		err  error
	)
	switch {
	case forward, !backward && !l.newestFirst:
		jobs, err = l.after(ctx, after, l.size)
	case backward:
		jobs, err = l.before(ctx, before)
	default:
		if before, err = l.end(ctx); err == nil {
			jobs, err = l.before(ctx, before)
		}
	}
	if err != nil || len(jobs) == 0 {
		return nil, pager{}, err
	}
	if l.newestFirst {
		slices.Reverse(jobs)
	}
	return jobs, l.pager(jobs[0].ID, jobs[len(jobs)-1].ID, skip, int64(len(jobs))), nil
}

func (l list) pager(first, last, skip, n int64) pager {
	if skip > l.total-n {
		skip = max(l.total-n, 0) // The list has become shorter.
	}
	size := int64(l.size)
	p := pager{First: skip + 1, Last: skip + n, All: max(l.total, skip+n), NewestFirst: l.newestFirst}
	backward, forward := "before", "after"
	if l.newestFirst {
		backward, forward = forward, backward
	}
	if skip > 0 {
		p.PreviousFirst, p.PreviousLast = max(skip-size, 0)+1, skip
		p.Start = l.url("", 0, 0)
		p.Previous = l.url(backward, first, p.PreviousFirst-1)
		if p.PreviousFirst == 1 {
			p.Previous = p.Start
		}
	}
	if p.Last < p.All {
		p.NextFirst, p.NextLast = p.Last+1, min(p.Last+size, p.All)
		p.Next = l.url(forward, last, p.Last)
		if l.newestFirst {
			p.End = l.url("after", 0, max(p.All-size, 0))
		}
	}
	return p
}

func (l list) url(direction string, id, skip int64) string {
	query := url.Values{}
	for name, values := range l.query {
		if len(values) > 0 && values[0] != "" && slices.Contains([]string{"state", "batch"}, name) {
			query.Set(name, values[0])
		}
	}
	if direction != "" {
		query.Set(direction, strconv.FormatInt(id, 10))
		query.Set("skip", strconv.FormatInt(skip, 10))
	}
	if len(query) == 0 {
		return l.path
	}
	return l.path + "?" + query.Encode()
}

func (l list) after(ctx context.Context, id int64, limit int) ([]fulfilment.Job, error) {
	f := l.filter
	f.AfterID, f.Limit = id, limit
	return l.queue.Jobs(ctx, f)
}

// before returns the last jobs whose numbers are less than id.
func (l list) before(ctx context.Context, id int64) (jobs []fulfilment.Job, err error) {
	if end, err := l.end(ctx); err != nil || end < id {
		if err != nil {
			return nil, err
		}
		id = end
	}
	from := sort.Search(int(id), func(from int) bool {
		if err != nil {
			return true
		}
		var some []fulfilment.Job
		some, err = l.after(ctx, int64(from), l.size+1)
		return len(some) <= l.size || some[l.size].ID >= id
	})
	if err != nil {
		return nil, err
	}
	jobs, err = l.after(ctx, int64(from), l.size)
	return slices.DeleteFunc(jobs, func(j fulfilment.Job) bool { return j.ID >= id }), err
}

// end returns a number that is higher than those of all jobs, but close to the last one.
func (l list) end(ctx context.Context) (int64, error) { return end(ctx, l.queue) }

func end(ctx context.Context, q Queue) (id int64, err error) {
	none := func(after int64) bool {
		if err != nil {
			return true
		}
		var some []fulfilment.Job
		some, err = q.Jobs(ctx, fulfilment.Filter{AfterID: after, Limit: 1})
		return len(some) == 0
	}
	high := int64(1)
	for !none(high) {
		high *= 2
	}
	low := sort.Search(int(high), func(n int) bool { return none(int64(n)) })
	return int64(low) + 1, err
}

// states are the states of the tiles, in order.
var states = []fulfilment.State{
	fulfilment.StateReview, fulfilment.StateWaiting, fulfilment.StateRunning,
	fulfilment.StateAwaiting, fulfilment.StateDone, fulfilment.StateRefused,
}

func count(st fulfilment.Status, state fulfilment.State) int64 {
	switch state {
	case fulfilment.StateReview:
		return st.Review
	case fulfilment.StateWaiting:
		return st.Waiting
	case fulfilment.StateRunning:
		return st.Running
	case fulfilment.StateAwaiting:
		return st.Awaiting
	case fulfilment.StateDone:
		return st.Done
	case fulfilment.StateRefused:
		return st.Refused
	default:
		return st.Total()
	}
}

// reviewed is a job that needs a person, with its attempts.
type reviewed struct {
	fulfilment.Job
	Tried []fulfilment.Attempt
}

const reviewsShown, jobsShown = 20, 50

// showReview shows the jobs that need a person, oldest first.
func (d *Desk) showReview(_ http.ResponseWriter, r *http.Request, p *page) (answer, error) {
	p.Tab = "review"
	l := list{
		queue: d.Queue, filter: fulfilment.Filter{ForPerson: true}, path: home,
		total: p.ForPerson(), size: reviewsShown,
	}
	jobs, pager, err := l.page(r.Context(), r)
	if err != nil {
		return answer{}, err
	}
	p.Pager = pager
	for _, j := range jobs {
		tried, err := d.Queue.Attempts(r.Context(), j.ID)
		if err != nil {
			return answer{}, err
		}
		p.Reviews = append(p.Reviews, reviewed{j, tried})
	}
	return answer{name: "review"}, nil
}

// showJobs shows the jobs, newest first, or the results of a search.
func (d *Desk) showJobs(_ http.ResponseWriter, r *http.Request, p *page) (_ answer, err error) {
	p.Tab = "jobs"
	query := r.URL.Query()
	if p.Search = strings.TrimSpace(query.Get("q")); p.Search != "" {
		p.Jobs, p.More, err = d.search(r.Context(), p.Search)
		return answer{name: "jobs"}, err
	}
	p.State, p.Batch = fulfilment.State(query.Get("state")), query.Get("batch")
	if !slices.Contains(states, p.State) {
		p.State = ""
	}
	st := p.Status
	if p.Batch != "" {
		if st, err = d.Queue.Status(r.Context(), p.Batch); err != nil {
			return answer{}, err
		}
	}
	l := list{
		queue: d.Queue, filter: fulfilment.Filter{State: p.State, Batch: p.Batch}, newestFirst: true,
		path: home + "jobs", query: query, total: count(st, p.State), size: jobsShown,
	}
	p.Jobs, p.Pager, err = l.page(r.Context(), r)
	return answer{name: "jobs"}, err
}

// most is the maximum number of search results.
const most = 100

// search returns the jobs whose payment number or reference is text.
func (d *Desk) search(ctx context.Context, text string) (found []fulfilment.Job, more bool, err error) {
	filters := []fulfilment.Filter{{Reference: text, Limit: most + 1}}
	if number := localpage.Folded(text); strings.Trim(number, "0123456789") == "" {
		filters = append([]fulfilment.Filter{{PaymentID: number, Limit: most + 1}}, filters...)
	}
	for _, filter := range filters {
		named, err := d.Queue.Jobs(ctx, filter)
		if err != nil {
			return nil, false, err
		}
		for _, j := range named {
			if !slices.ContainsFunc(found, func(f fulfilment.Job) bool { return f.ID == j.ID }) {
				found = append(found, j)
			}
		}
	}
	if len(found) > most {
		found, more = found[:most], true
	}
	return found, more, nil
}

// jobURL returns the URL of a job's page.
func jobURL(id int64) string { return fmt.Sprintf("%sjobs/%d", home, id) }

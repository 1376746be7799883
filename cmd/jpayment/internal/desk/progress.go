package desk

import (
	"context"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/jpayment-go/jpayment"
	"github.com/jpayment-go/jpayment/fulfilment"
)

// scanned is the number of latest jobs that the progress page covers.
const scanned = 10_000

// runsShown is the number of runs that the progress page shows.
const runsShown = 8

// run is the jobs of a file, or others with a common batch name.
type run struct {
	Name  string
	Begun time.Time
	fulfilment.Status
}

// Settled returns the number of settled jobs, including those in review.
func (r run) Settled() int64 { return r.Total() - r.Open() }

// Parts returns the parts of the bar, in thousandths.
func (r run) Parts() (parts []part) {
	at := int64(0)
	for _, p := range []struct {
		state fulfilment.State
		n     int64
	}{{fulfilment.StateDone, r.Done}, {fulfilment.StateRefused, r.Refused}, {fulfilment.StateReview, r.Review}} {
		if p.n > 0 {
			width := max(p.n*1000/r.Total(), 6) // Even one of ten thousand is visible.
			parts = append(parts, part{p.state, at, width})
			at += width
		}
	}
	return parts
}

type part struct {
	State fulfilment.State
	X, W  int64
}

// showProgress shows the runs, the charts of the last hours, and the pause.
func (d *Desk) showProgress(_ http.ResponseWriter, r *http.Request, p *page) (answer, error) {
	p.Form.By = rememberedBy(r)
	return d.progress(r, p)
}

func (d *Desk) progress(r *http.Request, p *page) (answer, error) {
	p.Tab, p.Source = "progress", home+"progress"
	hours := newHours(p.Now)
	names, begun := []string{}, map[string]time.Time{}
	err := d.scan(r.Context(), func(j fulfilment.Job) {
		hours.add(j)
		if j.Batch == "" {
			return
		}
		if _, known := begun[j.Batch]; !known {
			names, begun[j.Batch] = append(names, j.Batch), j.CreatedAt
		}
	})
	if err != nil {
		return answer{}, err
	}
	for i := len(names) - 1; i >= 0 && len(p.Runs) < runsShown; i-- {
		st, err := d.Queue.Status(r.Context(), names[i])
		if err != nil {
			return answer{}, err
		}
		p.Runs = append(p.Runs, run{names[i], begun[names[i]], st})
	}
	p.Settled = hours.plot("settled", []series{{"done", hours.done}, {"refused", hours.refused}})
	p.Reviewed = hours.plot("reviews", []series{{"review", hours.review}, {"decided", hours.decided}})
	return answer{name: "progress"}, nil
}

// scan calls f for the latest jobs, in order.
func (d *Desk) scan(ctx context.Context, f func(fulfilment.Job)) error {
	last, err := end(ctx, d.Queue)
	if err != nil {
		return err
	}
	const together = 1000
	filter := fulfilment.Filter{AfterID: max(last-scanned-1, 0), Limit: together}
	for n := 0; n < scanned; n += together {
		jobs, err := d.Queue.Jobs(ctx, filter)
		if err != nil {
			return err
		}
		for _, j := range jobs {
			f(j)
		}
		if len(jobs) < together {
			return nil
		}
		filter.AfterID = jobs[len(jobs)-1].ID
	}
	return nil
}

// hoursShown is the number of hours that the plots cover.
const hoursShown = 24

// hours counts jobs by the hour in which they reached their current state.
type hours struct {
	begin                          time.Time
	done, refused, review, decided [hoursShown]int64
}

func newHours(now time.Time) *hours {
	// Japan's offset from UTC is a whole number of hours.
	return &hours{begin: now.Truncate(time.Hour).Add(-(hoursShown - 1) * time.Hour)}
}

func (h *hours) add(j fulfilment.Job) {
	i := int(j.UpdatedAt.Sub(h.begin) / time.Hour)
	if j.UpdatedAt.Before(h.begin) || i >= hoursShown {
		return
	}
	switch j.State { //nolint:exhaustive // Other states have no verdict.
	case fulfilment.StateDone:
		h.done[i]++
	case fulfilment.StateRefused:
		h.refused[i]++
	case fulfilment.StateReview:
		h.review[i]++
	}
	if j.Reason == fulfilment.ReasonDecided || j.Reason == fulfilment.ReasonAgain {
		h.decided[i]++
	}
}

type series struct {
	Name string
	of   [hoursShown]int64
}

// plot is a chart of stacked bars, one for each hour.
type plot struct {
	Name   string
	Series []string
	Sums   []int64
	Bars   []bar
	Lines  []line
	Ticks  []tick
	Hours  []hour
	Sum    int64
}

type bar struct {
	Series string
	X, Y   float64
	W, H   float64
	At     time.Time
	N      int64
}

type line struct {
	Y float64
	N int64
}

type tick struct {
	X  float64
	At time.Time
}

type hour struct {
	At time.Time
	N  []int64
}

// The dimensions of a plot, in its own units; pages/desk.css scales it.
const (
	plotLeft, plotTop, plotWidth, plotHeight = 40.0, 10.0, 312.0, 104.0
	slot                                     = plotWidth / hoursShown
)

func (h *hours) plot(name string, all []series) plot {
	p := plot{Name: name}
	var highest int64
	for i := range hoursShown {
		var sum int64
		hr := hour{At: h.begin.Add(time.Duration(i) * time.Hour)}
		for _, s := range all {
			sum += s.of[i]
			hr.N = append(hr.N, s.of[i])
		}
		highest, p.Sum = max(highest, sum), p.Sum+sum
		p.Hours = append(p.Hours, hr)
	}
	for k, s := range all {
		p.Series, p.Sums = append(p.Series, s.Name), append(p.Sums, 0)
		for _, n := range s.of {
			p.Sums[k] += n
		}
	}
	top := nice(highest)
	for _, n := range []int64{0, top / 2, top} {
		p.Lines = append(p.Lines, line{plotTop + plotHeight - plotHeight*float64(n)/float64(top), n})
	}
	for i, hr := range p.Hours {
		x := plotLeft + slot*float64(i)
		if hr.At.In(japan).Hour()%6 == 0 {
			p.Ticks = append(p.Ticks, tick{x, hr.At})
		}
		y := plotTop + plotHeight
		for k, n := range hr.N {
			if n == 0 {
				continue
			}
			height := max(plotHeight*float64(n)/float64(top), 1.2)
			y -= height
			p.Bars = append(p.Bars, bar{all[k].Name, x + 1.5, y, slot - 3, height, hr.At, n})
		}
	}
	return p
}

// nice returns the smallest of 2, 4, 6, 8, 20, 40, … that is at least n.
func nice(n int64) int64 {
	for unit := int64(2); ; unit *= 10 {
		for _, of := range []int64{1, 2, 3, 4} {
			if unit*of >= n {
				return unit * of
			}
		}
	}
}

// postPause pauses the store. It puts the name before the reason, because the queue keeps a
// single text.
func (d *Desk) postPause(w http.ResponseWriter, r *http.Request, p *page) (answer, error) {
	by, why := strings.TrimSpace(r.PostForm.Get("by")), strings.TrimSpace(r.PostForm.Get("why"))
	p.Form = form{By: by, Note: why}
	refused := func(status int, why jpayment.Text) (answer, error) {
		p.Alert = why
		a, err := d.progress(r, p)
		a.status = status
		return a, err
	}
	const most = 500 // bytes
	switch {
	case p.PausedForGood():
		return refused(http.StatusConflict, texts["paused already"])
	case by == "":
		return refused(http.StatusUnprocessableEntity, texts["no name"])
	case why == "":
		return refused(http.StatusUnprocessableEntity, texts["no reason"])
	case len(by)+len(why) > most:
		return refused(http.StatusUnprocessableEntity, texts["long reason"])
	}
	if err := d.Queue.Pause(r.Context(), by+": "+why); err != nil {
		return answer{}, err
	}
	rememberBy(w, by)
	d.Log.Info("paused at the desk", "by", by)
	return answer{next: home + "progress"}, nil
}

// postResume resumes the store if the pause is the one that the person saw and the person
// confirms that the cause has been removed.
func (d *Desk) postResume(_ http.ResponseWriter, r *http.Request, p *page) (answer, error) {
	if p.Status.Paused == nil {
		return answer{next: home + "progress"}, nil
	}
	status, why := 0, jpayment.Text{}
	switch {
	case r.PostForm.Get("since") != strconv.FormatInt(p.Status.Paused.At.UnixMicro(), 10):
		status, why = http.StatusConflict, texts["pause changed"]
	case r.PostForm.Get("mended") == "":
		status, why = http.StatusUnprocessableEntity, texts["not mended"]
	}
	if status != 0 {
		p.Alert = why
		a, err := d.progress(r, p)
		a.status = status
		return a, err
	}
	if err := d.Queue.Resume(r.Context()); err != nil {
		return answer{}, err
	}
	d.Log.Info("resumed at the desk")
	return answer{next: home + "progress"}, nil
}

// Package desk is a page on this machine for people who do not use a terminal: the jobs of a
// store, what needs a person, and what the person decides. It sends nothing to the gateway.
package desk

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"regexp"
	"time"

	"github.com/jpayment-go/jpayment"
	"github.com/jpayment-go/jpayment/cmd/jpayment/internal/console"
	"github.com/jpayment-go/jpayment/cmd/jpayment/internal/localpage"
	"github.com/jpayment-go/jpayment/fulfilment"
)

// Queue is what the desk uses of a [fulfilment.Queue], on either database.
type Queue interface {
	Jobs(ctx context.Context, f fulfilment.Filter) ([]fulfilment.Job, error)
	Attempts(ctx context.Context, jobID int64) ([]fulfilment.Attempt, error)
	Decisions(ctx context.Context, jobID int64) ([]fulfilment.Decision, error)
	Status(ctx context.Context, batch string) (fulfilment.Status, error)
	Review(ctx context.Context, jobID int64, d fulfilment.Decision) (fulfilment.Job, error)
	Pause(ctx context.Context, why string) error
	Resume(ctx context.Context) error
}

// Config says what to open.
type Config struct {
	Listen   string       // host:port
	Token    string       // what the pages ask for; nothing, which is for the loopback only
	StoreID  string       // 店舗ID, as it is shown
	Database string       // as it is shown
	Queue    Queue        // of the store
	Language console.Lang // until another is chosen on a page; empty: the browser's
	Log      *slog.Logger
	Now      func() time.Time // nil: the clock
}

// Desk is the desk of one store, listening.
type Desk struct {
	Config
	listener *localpage.Listener
	pages    http.Handler
}

// Open opens the port. Requests wait until Run.
func Open(ctx context.Context, c Config) (*Desk, error) {
	listener, err := localpage.Listen(ctx, c.Listen, c.Token)
	if err != nil {
		return nil, err
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	d := &Desk{Config: c, listener: listener}
	d.pages = listener.Guard("jpayment desk", func(w http.ResponseWriter, r *http.Request, status int, why jpayment.Text) {
		http.Error(w, localpage.Language(r).Of(why), status)
	}, d.routes())
	return d, nil
}

// URL returns where the desk is.
func (d *Desk) URL() string { return d.listener.URL() + home }

// Close gives back the port of a desk that was not run.
func (d *Desk) Close() error { return d.listener.Close() }

// patience is how long Run waits at its end for answers under way to be sent.
const patience = 5 * time.Second

// Run serves until the context ends, and then returns nil.
func (d *Desk) Run(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	server := &http.Server{
		Handler:           d.pages,
		ReadHeaderTimeout: 10 * time.Second,
		ReadTimeout:       30 * time.Second,
		WriteTimeout:      time.Minute,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    64 << 10,
		// What is being recorded is recorded, even while the desk ends.
		BaseContext: func(net.Listener) context.Context { return context.WithoutCancel(ctx) },
		ErrorLog:    slog.NewLogLogger(d.Log.Handler(), slog.LevelError),
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		<-ctx.Done()
		limit, release := context.WithTimeout(context.WithoutCancel(ctx), patience)
		defer release()
		if server.Shutdown(limit) != nil {
			_ = server.Close() // who has not read an answer by now, does not want it
		}
	}()
	err := server.Serve(d.listener)
	cancel()
	<-ended
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return err
}

const home = "/desk/"

// paths are those of the pages that a browser can be sent back to.
var paths = regexp.MustCompile(`^/desk/(progress|jobs(/[0-9]+)?)?$`)

func (d *Desk) routes() *http.ServeMux {
	mux := http.NewServeMux()
	mux.Handle("GET /{$}", http.RedirectHandler(home, http.StatusSeeOther))
	mux.HandleFunc("GET /favicon.ico", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) })
	mux.HandleFunc("GET /desk/assets/base.css", localpage.ServeStyle)
	mux.HandleFunc("GET /desk/assets/desk.css", func(w http.ResponseWriter, r *http.Request) {
		http.ServeFileFS(w, r, pageFiles, "pages/desk.css")
	})
	mux.HandleFunc("POST /desk/language", localpage.ChooseLanguage(home, paths))
	for pattern, handle := range map[string]handler{
		"GET /desk/{$}":        d.showReview,
		"GET /desk/jobs":       d.showJobs,
		"GET /desk/jobs/{id}":  d.showJob,
		"POST /desk/jobs/{id}": d.postDecision,
		"GET /desk/progress":   d.showProgress,
		"POST /desk/pause":     d.postPause,
		"POST /desk/resume":    d.postResume,
		"/desk/":               func(http.ResponseWriter, *http.Request, *page) (answer, error) { return nothing, nil },
	} {
		mux.Handle(pattern, d.handle(handle))
	}
	return mux
}

// answer is the page that answers a request, or where the browser is sent on to.
type answer struct {
	status int    // 0: OK
	name   string // of the page
	next   string // instead of a page: the URL to go on to
}

var nothing = answer{status: http.StatusNotFound, name: "nothing"}

// handler fills in a page.
type handler func(http.ResponseWriter, *http.Request, *page) (answer, error)

// maxForm bounds a form in bytes.
const maxForm = 64 << 10

// handle answers a request by a page. Every page has the counts, which are read first.
func (d *Desk) handle(h handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p := &page{
			Language: localpage.LanguageOr(r, d.Language), Now: d.Now(), StoreID: d.StoreID, Database: d.Database,
			Source: home, Form: form{},
		}
		r.Body = http.MaxBytesReader(w, r.Body, maxForm)
		if err := r.ParseForm(); err != nil {
			http.Error(w, p.Language.Of(texts["bad form"]), http.StatusBadRequest)
			return
		}
		if r.Method == http.MethodGet {
			p.Source = r.URL.RequestURI()
		}
		var a answer
		var err error
		if p.Status, err = d.Queue.Status(r.Context(), ""); err == nil {
			a, err = h(w, r, p)
		}
		switch {
		case err != nil:
			d.Log.Error("desk", "path", r.URL.Path, "error", console.What(err).En)
			p.Alert = console.What(err)
			d.show(w, answer{status: http.StatusInternalServerError, name: "failed"}, p)
		case a.next != "":
			http.Redirect(w, r, a.next, http.StatusSeeOther)
		default:
			d.show(w, a, p)
		}
	})
}

func (d *Desk) show(w http.ResponseWriter, a answer, p *page) {
	var out bytes.Buffer
	if err := templates[p.Language][a.name].ExecuteTemplate(&out, "layout.html", p); err != nil {
		d.Log.Error("desk", "page", a.name, "error", err)
		http.Error(w, p.Language.Of(texts["bad page"]), http.StatusInternalServerError)
		return
	}
	if a.status == 0 {
		a.status = http.StatusOK
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(a.status)
	_, _ = w.Write(out.Bytes()) // who has gone needs no answer
}

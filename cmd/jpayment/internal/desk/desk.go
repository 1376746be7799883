// Package desk serves pages on this machine for people who do not use a terminal. They show the
// jobs of a store and those that need a person, and record the person's decisions. Package desk
// sends nothing to the gateway.
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

// Queue has the methods of a [fulfilment.Queue], on either database, that the desk uses.
type Queue interface {
	Jobs(ctx context.Context, f fulfilment.Filter) ([]fulfilment.Job, error)
	Attempts(ctx context.Context, jobID int64) ([]fulfilment.Attempt, error)
	Decisions(ctx context.Context, jobID int64) ([]fulfilment.Decision, error)
	Status(ctx context.Context, batch string) (fulfilment.Status, error)
	Review(ctx context.Context, jobID int64, d fulfilment.Decision) (fulfilment.Job, error)
	Pause(ctx context.Context, why string) error
	Resume(ctx context.Context) error
}

// Config configures a desk.
type Config struct {
	Listen   string       // host:port
	Token    string       // password of the pages; may be empty only on the loopback interface
	StoreID  string       // 店舗ID, for display
	Database string       // for display
	Queue    Queue        // of the store
	Language console.Lang // until another is chosen on a page; if empty, the browser's
	Log      *slog.Logger
	Now      func() time.Time // defaults to time.Now
}

// Desk is the desk of one store.
type Desk struct {
	Config
	listener *localpage.Listener
	pages    http.Handler
}

// Open opens the port. Requests wait until Run is called.
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

// URL returns the URL of the desk.
func (d *Desk) URL() string { return d.listener.URL() + home }

// Close closes the port of a desk that was not run.
func (d *Desk) Close() error { return d.listener.Close() }

// patience is how long Run waits for responses in progress when it ends.
const patience = 5 * time.Second

// Run serves until ctx is done and then returns nil.
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
		// Finish recording a decision even while the desk shuts down.
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
			_ = server.Close() // drop clients that have not read their response
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

// paths matches the pages to which a browser can be redirected.
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

// answer is the page to show, or the URL to redirect to.
type answer struct {
	status int    // 0 means OK
	name   string // of the page
	next   string // URL to redirect to instead of a page
}

var nothing = answer{status: http.StatusNotFound, name: "nothing"}

// handler fills in a page.
type handler func(http.ResponseWriter, *http.Request, *page) (answer, error)

// maxForm is the maximum size of a form in bytes.
const maxForm = 64 << 10

// handle returns a handler that shows a page. It reads the counts first, which every page has.
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
	_, _ = w.Write(out.Bytes()) // the client may be gone
}

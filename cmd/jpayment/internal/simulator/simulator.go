// Package simulator runs the simulated gateway as a program: on a port, with a control panel
// for people, a JSON API for test setups, and, if it has a file, with durable books.
package simulator

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/jpayment-go/jpayment"
	"github.com/jpayment-go/jpayment/cmd/jpayment/internal/localpage"
	"github.com/jpayment-go/jpayment/internal/assumed"
	"github.com/jpayment-go/jpayment/internal/sim"
)

// Config configures a simulator. Zero fields take their defaults.
type Config struct {
	Listen  string       // host:port; defaults to 127.0.0.1:8080
	State   string       // the file with the books; if empty, they are in memory
	StoreID string       // 店舗ID (aid); defaults to 123456
	Token   string       // password of panel and API; may be empty only on the loopback interface
	Log     *slog.Logger // defaults to slog.Default()
	// Language is the panel's language, en or ja, until another is chosen in the panel. It
	// defaults to the browser's.
	Language string
	// Payments is the number of payments to create, at most 10,000, unless there are some
	// already.
	Payments int
	// ConnectionAuth is the store's connection authentication code. If it is set, it
	// authenticates requests instead of their source address.
	ConnectionAuth string
	// Seed is the seed for faults with a probability; it defaults to 1.
	Seed int64
	// Profile sets the gateway's behaviour at startup; then Set sets single settings, by their
	// names in the API. Both are as durable as changes in the panel.
	Profile *assumed.Profile
	Set     []Setting
}

// Setting is the value of one setting, as text.
type Setting struct{ Name, Value string }

// toldError is an error with a description in both languages. It may wrap another error with
// details.
type toldError struct {
	what jpayment.Text
	err  error // or nil
}

func (e *toldError) Error() string {
	if e.err == nil {
		return e.what.En
	}
	return e.what.En + ": " + e.err.Error()
}

func (e *toldError) What() jpayment.Text { return e.what }
func (e *toldError) Unwrap() error       { return e.err }

// memory is the number of requests, and of deliveries of kickbacks, that are kept for display.
// memoryBytes is the approximate memory limit of each of these lists.
const (
	memory      = 1000
	memoryBytes = 8 << 20
)

const maxPayments = 10_000

// patience is how long Run waits for responses in progress when it ends.
const patience = 5 * time.Second

// The time limits for a client to send the header of a request, to send its body, and to read
// one of the simulator's pages. The time until its next request is a setting.
const (
	headerPatience = 10 * time.Second
	bodyPatience   = 30 * time.Second
	pagePatience   = time.Minute
)

// maxHeader is the maximum size of the header of a request in bytes.
const maxHeader = 64 << 10

// Simulator is a simulated gateway with one store.
type Simulator struct {
	gateway  *sim.Simulator
	state    *state // nil: in memory
	path     string // of the state
	storeID  string
	language string
	log      *slog.Logger

	listener *localpage.Listener
	pages    http.Handler // panel and API
	failed   chan error   // receives the error after which nothing can be relied on

	settings sync.Mutex // held while settings change, first in the file, then in the gateway
}

// Open opens the state and the port. Requests wait until Run is called.
func Open(ctx context.Context, c Config) (*Simulator, error) {
	if c.Listen == "" {
		c.Listen = "127.0.0.1:8080"
	}
	if c.StoreID == "" {
		c.StoreID = "123456"
	}
	if !sim.IsStoreID(c.StoreID) {
		return nil, &toldError{textf("the store ID %q is not six digits", "店舗ID %q は半角数字6桁ではありません", c.StoreID), nil}
	}
	if c.Payments < 0 || c.Payments > maxPayments {
		return nil, &toldError{textf("the number of payments, %d, is not between 0 and %d", "決済の件数 %d は 0 から %d までではありません", c.Payments, maxPayments), nil}
	}
	for _, one := range c.Set {
		if err := CheckSetting(one); err != nil {
			return nil, err
		}
	}
	if c.Log == nil {
		c.Log = slog.Default()
	}
	s := &Simulator{storeID: c.StoreID, language: c.Language, log: c.Log, failed: make(chan error, 1)}
	// Anyone who can set the kickback URL can make this machine fetch pages of its loopback
	// interface and show them, so other machines need the token.
	var err error
	if s.listener, err = localpage.Listen(ctx, c.Listen, c.Token); err != nil {
		return nil, err
	}
	if err := s.restore(ctx, c); err != nil {
		_ = s.listener.Close() // the first error is returned
		return nil, err
	}
	if err := s.begin(c); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	if len(s.gateway.Payments()) == 0 {
		for range c.Payments {
			s.gateway.Authorize(sim.Authorization{Amount: 1000, Tax: 80, Shipping: 500})
		}
	}
	// Like the real gateway, the gateway's pages need no token.
	s.pages = s.listener.Guard("jpayment simulate", refuse, s.routes())
	return s, nil
}

// begin applies the profile and the settings in the Config.
func (s *Simulator) begin(c Config) error {
	settings := s.gateway.Settings()
	if c.Profile != nil {
		behave(&settings, c.Profile.Values())
	}
	for _, one := range c.Set {
		_ = set(&settings, one.Name, one.Value) // already checked
	}
	if c.Profile == nil && len(c.Set) == 0 {
		return nil
	}
	return s.change(func(now *sim.Settings) { *now = settings })
}

// restore creates the gateway, from the file if there is one.
func (s *Simulator) restore(ctx context.Context, c Config) error {
	path, config := c.State, sim.Defaults()
	config.StoreID, config.Memory, config.MemoryBytes = s.storeID, memory, memoryBytes
	config.ConnectionCode = c.ConnectionAuth
	if c.Seed != 0 {
		config.Seed = c.Seed
	}
	if path == "" {
		s.gateway = sim.New(config)
		return nil
	}
	state, err := openState(ctx, path, s.storeID)
	if err != nil {
		return fmt.Errorf("state file %s: %w", path, err)
	}
	kept, err := state.load(ctx)
	if err != nil {
		_ = state.close() // as above
		return fmt.Errorf("state file %s: %w", path, told(err))
	}
	s.state, s.path = state, path
	config.Journal, config.Payments, config.Waiting = s.journal, kept.payments, kept.waiting
	s.gateway = sim.New(config)
	if kept.settings != nil {
		s.apply(*kept.settings)
	}
	return nil
}

// journal saves a change. If that fails, the contents of the file are unknown: the simulator
// leaves it as it is and ends.
func (s *Simulator) journal(c sim.Change) error {
	err := s.state.save(c)
	if err != nil {
		s.fail(err)
	}
	return err
}

func (s *Simulator) fail(err error) {
	select {
	case s.failed <- &toldError{jpayment.Text{
		En: "the state cannot be saved, so the simulator ends", Ja: "状態を保存できないため、シミュレーターを終了します",
	}, err}:
	default:
	}
}

// change changes settings durably.
func (s *Simulator) change(edit func(*sim.Settings)) error {
	s.settings.Lock()
	defer s.settings.Unlock()
	settings := s.gateway.Settings()
	edit(&settings)
	if s.state != nil {
		if err := s.state.saveSettings(settings); err != nil {
			s.fail(err)
			return err
		}
	}
	s.apply(settings)
	return nil
}

func (s *Simulator) apply(settings sim.Settings) {
	s.gateway.SetTestMode(settings.TestMode)
	s.gateway.SetMaintenance(settings.Maintenance)
	s.gateway.RegisterIPs(settings.RegisteredIPs...)
	s.gateway.SetKickbackURL(settings.KickbackURL)
	behaviour, _ := sim.Defaults().With(settings.Behaviour) // checked when it was set
	s.gateway.Behave(behaviour)
}

// URL returns the base URL of the simulator for this machine, without a trailing slash.
func (s *Simulator) URL() string { return s.listener.URL() }

// Run serves until ctx is done, finishes the responses in progress, and returns nil. If it has
// to end earlier, it returns an error.
func (s *Simulator) Run(ctx context.Context) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	server := &http.Server{
		Handler:           s,
		ReadHeaderTimeout: headerPatience,
		ConnState:         s.gateway.ConnState, // closes idle connections
		MaxHeaderBytes:    maxHeader,
		BaseContext:       func(net.Listener) context.Context { return ctx }, // ends event streams and requests that hang
		ErrorLog:          slog.NewLogLogger(s.log.Handler(), slog.LevelError),
	}
	failure := make(chan error, 1)
	var tasks sync.WaitGroup
	tasks.Go(func() { s.gateway.Run(ctx) })
	tasks.Go(func() {
		select {
		case err := <-s.failed:
			failure <- err
			cancel(err)
		case <-ctx.Done():
		}
		limit, release := context.WithTimeout(context.WithoutCancel(ctx), patience)
		defer release()
		if server.Shutdown(limit) != nil {
			_ = server.Close() // drop clients that have not read their response
		}
	})
	err := server.Serve(s.listener)
	cancel(err)
	tasks.Wait()
	if errors.Is(err, http.ErrServerClosed) {
		err = nil
	}
	if s.state != nil {
		err = errors.Join(err, s.state.close())
	}
	select {
	case cause := <-failure:
		return errors.Join(cause, err)
	default:
		return err
	}
}

// Close releases the port and the file of a simulator that was not run.
func (s *Simulator) Close() error {
	err := s.listener.Close()
	if s.state != nil {
		err = errors.Join(err, s.state.close())
	}
	return err
}

// ServeHTTP serves the simulator's own pages and passes every other request to the gateway
// unchanged, so that the list of requests shows if a client has the path wrong.
func (s *Simulator) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	limitBody(w, r)
	switch path := r.URL.Path; {
	case path == "/", path == "/favicon.ico", path == "/panel", strings.HasPrefix(path, "/panel/"), strings.HasPrefix(path, "/control/"):
		s.pages.ServeHTTP(w, r)
	case s.listener.IsOfAnotherSite(r):
		refuse(w, r, http.StatusForbidden, localpage.OtherSite)
	default:
		s.gateway.ServeHTTP(w, r)
	}
}

// limitBody limits the time for the body of a request. A limit of the server would also apply
// to replies, which a fault may delay, and to the panel's events.
func limitBody(w http.ResponseWriter, r *http.Request) {
	if r.Body == http.NoBody {
		return
	}
	control := http.NewResponseController(w)
	if control.SetReadDeadline(time.Now().Add(bodyPatience)) == nil {
		r.Body = &timedBody{r.Body, control}
	}
}

// timedBody removes the read deadline at the end of a body.
type timedBody struct {
	io.ReadCloser
	control *http.ResponseController
}

func (b *timedBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if err != nil { // The body has ended.
		_ = b.control.SetReadDeadline(time.Time{}) // Setting it worked before.
	}
	return n, err
}

func (s *Simulator) routes() *http.ServeMux {
	mux := http.NewServeMux()
	mux.Handle("GET /{$}", http.RedirectHandler("/panel/", http.StatusSeeOther))
	mux.HandleFunc("GET /favicon.ico", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) })
	s.controlRoutes(mux)
	s.panelRoutes(mux)
	return mux
}

// Package simulator runs the simulated gateway as a program: on a port, with a control panel
// for people, a JSON API for test set-ups, and books that survive it if it has a file.
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

// Config configures a simulator. Zero fields take the defaults in their comments.
type Config struct {
	Listen  string       // host:port; 127.0.0.1:8080
	State   string       // the file with the books; none: they end with the program
	StoreID string       // 店舗ID (aid); 123456
	Token   string       // what panel and API ask for; nothing, which is for the loopback only
	Log     *slog.Logger // slog's default
	// Language is the panel's, until another is chosen in it: en, ja; the browser's.
	Language string
	// Payments is how many payments to open, at most 10,000, unless there are some.
	Payments int
	// ConnectionAuth is the store's connection authentication code, by which it then
	// authenticates requests in place of their source address.
	ConnectionAuth string
	// Seed is that of the draws for faults with a probability; 1.
	Seed int64
	// Profile is how the gateway is to behave, and Set which settings it is to begin with,
	// by their names in the API, in this order. Both outlive the program as what is set in
	// the panel does.
	Profile *assumed.Profile
	Set     []Setting
}

// Setting is the value of one setting, as text.
type Setting struct{ Name, Value string }

// toldError is an error that says in both languages what is wrong, and of which more may
// be known.
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

// memory is how many requests, and how many attempts to deliver a kickback, are kept to
// be shown, and memoryBytes about how much of the machine's memory each of these lists takes.
const (
	memory      = 1000
	memoryBytes = 8 << 20
)

const maxPayments = 10_000

// patience is how long Run waits at its end for answers under way to be sent.
const patience = 5 * time.Second

// How long a client may take for the header of a request, for its body, and to read a page
// of the simulator's own. How long until its next request is a setting.
const (
	headerPatience = 10 * time.Second
	bodyPatience   = 30 * time.Second
	pagePatience   = time.Minute
)

// maxHeader bounds the header of a request in bytes.
const maxHeader = 64 << 10

// Simulator is one store at a simulated gateway, listening.
type Simulator struct {
	gateway  *sim.Simulator
	state    *state // nil: in memory
	path     string // of the state
	storeID  string
	language string
	log      *slog.Logger

	listener *localpage.Listener
	pages    http.Handler // panel and API
	failed   chan error   // one error, after which nothing can be relied on

	settings sync.Mutex // held while settings are changed: file first, then gateway
}

// Open opens the state and the port. Requests wait until Run.
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
		return nil, &toldError{textf("%d payments are not between 0 and %d", "決済の件数 %d は 0 から %d までではありません", c.Payments, maxPayments), nil}
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
	// Who can set the kickback URL makes this machine fetch pages of its loopback and show
	// them: other machines need the token.
	var err error
	if s.listener, err = localpage.Listen(ctx, c.Listen, c.Token); err != nil {
		return nil, err
	}
	if err := s.restore(ctx, c); err != nil {
		_ = s.listener.Close() // there is an error to report already
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
	// The gateway's pages ask for no token, as the real ones do not.
	s.pages = s.listener.Guard("jpayment simulate", refuse, s.routes())
	return s, nil
}

// begin sets what the simulator is to begin with.
func (s *Simulator) begin(c Config) error {
	settings := s.gateway.Settings()
	if c.Profile != nil {
		behave(&settings, c.Profile.Values())
	}
	for _, one := range c.Set {
		_ = set(&settings, one.Name, one.Value) // which was checked
	}
	if c.Profile == nil && len(c.Set) == 0 {
		return nil
	}
	return s.change(func(now *sim.Settings) { *now = settings })
}

// restore makes the gateway, from the file if there is one.
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

// journal saves a change. If that fails, the contents of the file are not known: it is left as
// it is, and the simulator ends.
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
		En: "the state cannot be kept, so the simulator ends", Ja: "状態を保存できないため、シミュレーターを終了します",
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
	behaviour, _ := sim.Defaults().With(settings.Behaviour) // which was checked when it was set
	s.gateway.Behave(behaviour)
}

// URL returns the base of everything that the simulator serves, as this machine reaches it,
// without a slash at the end.
func (s *Simulator) URL() string { return s.listener.URL() }

// Run serves until the context ends, sends the answers under way, and returns nil. It returns
// an error if it had to end before.
func (s *Simulator) Run(ctx context.Context) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	server := &http.Server{
		Handler:           s,
		ReadHeaderTimeout: headerPatience,
		ConnState:         s.gateway.ConnState, // which closes idle ones
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
			_ = server.Close() // who has not read an answer by now, does not want it
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

// limitBody bounds how long the body of a request may take. A bound of the server's would
// be one for the answer as well, which a fault may put off, and for the panel's events.
func limitBody(w http.ResponseWriter, r *http.Request) {
	if r.Body == http.NoBody {
		return
	}
	control := http.NewResponseController(w)
	if control.SetReadDeadline(time.Now().Add(bodyPatience)) == nil {
		r.Body = &timedBody{r.Body, control}
	}
}

// timedBody is a body that is to be read in time.
type timedBody struct {
	io.ReadCloser
	control *http.ResponseController
}

func (b *timedBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if err != nil { // It is over.
		_ = b.control.SetReadDeadline(time.Time{}) // It could be set.
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

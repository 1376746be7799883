package probe

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/jpayment-go/jpayment/cmd/jpayment/internal/console"
)

// line is one line of the journal. What is about to be sent is durable before it is sent,
// and what came of it before anything else is.
type line struct {
	Begin    *begin     `json:"begin,omitempty"`  // the first one
	Start    *time.Time `json:"start,omitempty"`  // a process has taken it up
	Intent   string     `json:"intent,omitempty"` // the step that is about to be sent
	Outcome  string     `json:"outcome,omitempty"`
	Exchange *exchange  `json:"exchange,omitempty"` // of the outcome
	Kickback *kickback  `json:"kickback,omitempty"`
	Held     *held      `json:"held,omitempty"`
	Watched  *watched   `json:"watched,omitempty"`
	Ended    *string    `json:"ended,omitempty"` // a plan, carried out to its end
}

// begin is what a journal is about.
type begin struct {
	Version  int       `json:"version"`
	Store    string    `json:"store"`
	Gateway  string    `json:"gateway"`
	Payments []Payment `json:"payments"`
}

const journalVersion = 1

func (b begin) equal(other begin) bool {
	return b.Version == other.Version && b.Store == other.Store && b.Gateway == other.Gateway && slices.Equal(b.Payments, other.Payments)
}

// attempt is one step that was or may have been sent.
type attempt struct {
	session  int
	exchange *exchange // nil: the process ended before it knew
}

// kickback is one that came.
type kickback struct {
	Step    string    `json:"step"`
	At      time.Time `json:"at"`
	Query   string    `json:"query"`
	session int
}

// held is how long the gateway waited for the answer to a kickback.
type held struct {
	Waited time.Duration `json:"waited"`
	Closed bool          `json:"closed"` // by the gateway, after that time
}

// watched is that kickbacks were waited for, to the end, after the last one was asked for.
type watched struct {
	At      time.Time `json:"at"` // the end
	session int
}

// journal is the durable record of a probe, and what it says.
type journal struct {
	file *os.File
	// crash is for tests: it ends the process, so to speak, before or after a line is
	// written.
	crash func(written bool) error

	mu        sync.Mutex
	err       error // that of the first line that could not be written: none follows it
	changed   chan struct{}
	begun     *begin
	sessions  int
	attempts  map[string]*attempt
	kickbacks []kickback
	held      *held
	watched   *watched
	ended     *string
}

// openJournal opens a journal, or makes one. Nobody else has it open until it is closed.
func openJournal(path string) (j *journal, err error) {
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600) //nolint:gosec // The user's own file, by the user's own choice.
	if err != nil {
		return nil, console.Usagef("%s", "%s", console.What(err))
	}
	defer func() {
		if err != nil {
			_ = file.Close() // The error that counts is there already.
		}
	}()
	if err := lock(file); err != nil {
		return nil, console.Failedf("%s: another probe is using it", "%s: 別の probe が使用中です", path)
	}
	if err := syncDirectory(filepath.Dir(path)); err != nil {
		return nil, console.Failedf("%s", "%s", console.What(err))
	}
	data, err := io.ReadAll(file)
	if err != nil {
		return nil, console.Failedf("%s", "%s", console.What(err))
	}
	j = &journal{file: file, attempts: map[string]*attempt{}, changed: make(chan struct{})}
	// A line that was being written when the process was killed is not whole: what it was to
	// say has not happened.
	whole := bytes.LastIndexByte(data, '\n') + 1
	for raw := range bytes.Lines(data[:whole]) {
		var l line
		if err := json.Unmarshal(raw, &l); err != nil || l.Begin == nil && j.begun == nil {
			return nil, console.Usagef("%s is no journal of jpayment probe", "%s は jpayment probe の記録ファイルではありません", path)
		}
		j.take(l)
	}
	if err = file.Truncate(int64(whole)); err == nil {
		_, err = file.Seek(int64(whole), io.SeekStart)
	}
	if err != nil {
		return nil, console.Failedf("%s", "%s", console.What(err))
	}
	return j, nil
}

func syncDirectory(path string) error {
	dir, err := os.Open(path) //nolint:gosec // As the file in it.
	if err != nil {
		return err
	}
	err = dir.Sync()
	if errors.Is(err, os.ErrInvalid) || errors.Is(err, os.ErrPermission) { // where directories cannot be
		err = nil
	}
	return errors.Join(err, dir.Close())
}

func (j *journal) close() error { return j.file.Close() }

// write makes a line durable, and only then takes it for true.
func (j *journal) write(l line) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.err == nil {
		j.err = j.append(l)
	}
	if j.err != nil {
		return j.err
	}
	j.take(l)
	close(j.changed)
	j.changed = make(chan struct{})
	return nil
}

func (j *journal) append(l line) error {
	if j.crash != nil {
		if err := j.crash(false); err != nil {
			return err
		}
	}
	data, err := json.Marshal(l)
	if err == nil {
		_, err = j.file.Write(append(data, '\n'))
	}
	if err == nil {
		err = j.file.Sync()
	}
	if err != nil {
		return console.Failedf("the journal cannot be written: %s", "記録ファイルに書き込めません。%s", console.What(err))
	}
	if j.crash != nil {
		return j.crash(true)
	}
	return nil
}

// take is what a line says.
func (j *journal) take(l line) {
	switch {
	case l.Begin != nil:
		j.begun = l.Begin
	case l.Start != nil:
		j.sessions++
	case l.Intent != "":
		j.attempts[l.Intent] = &attempt{session: j.sessions}
	case l.Outcome != "":
		j.attempts[l.Outcome] = &attempt{session: j.sessions, exchange: l.Exchange}
	case l.Kickback != nil:
		k := *l.Kickback
		k.session = j.sessions
		j.kickbacks = append(j.kickbacks, k)
	case l.Held != nil:
		j.held = l.Held
	case l.Ended != nil:
		j.ended = l.Ended
	case l.Watched != nil:
		w := *l.Watched
		w.session = j.sessions
		j.watched = &w
	}
}

// failed returns why the journal cannot be written any more.
func (j *journal) failed() error {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.err
}

// recorded reports whether a step was, or may have been, sent.
func (j *journal) recorded(step string) bool {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.attempts[step] != nil
}

// sentNow reports whether this process has sent a step.
func (j *journal) sentNow(step string) bool {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.attempts[step] != nil && j.attempts[step].session == j.sessions
}

// received returns the kickbacks of a step, in the order in which they came.
func (j *journal) received(step string) (all []kickback) {
	j.mu.Lock()
	defer j.mu.Unlock()
	for _, k := range j.kickbacks {
		if k.Step == step {
			all = append(all, k)
		}
	}
	return all
}

// news returns a channel that is closed at the next line.
func (j *journal) news() <-chan struct{} {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.changed
}

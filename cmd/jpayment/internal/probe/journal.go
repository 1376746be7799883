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

// line is one line of the journal. Before a request is sent, its intent is durable; before
// the next one is sent, so is its outcome.
type line struct {
	Begin    *begin     `json:"begin,omitempty"`  // the first line
	Start    *time.Time `json:"start,omitempty"`  // a process starts or resumes the probe
	Intent   string     `json:"intent,omitempty"` // the step that is about to be sent
	Outcome  string     `json:"outcome,omitempty"`
	Exchange *exchange  `json:"exchange,omitempty"` // of the outcome
	Kickback *kickback  `json:"kickback,omitempty"`
	Held     *held      `json:"held,omitempty"`
	Watched  *watched   `json:"watched,omitempty"`
	Ended    *string    `json:"ended,omitempty"` // the plan that was completed
}

// begin identifies the probe that a journal records.
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

// attempt is a step that was, or may have been, sent.
type attempt struct {
	session  int
	exchange *exchange // nil if the process ended before the outcome was recorded
}

// kickback is a kickback that was received.
type kickback struct {
	Step    string    `json:"step"`
	At      time.Time `json:"at"`
	Query   string    `json:"query"`
	session int
}

// held records how long the gateway waited for the answer to a kickback.
type held struct {
	Waited time.Duration `json:"waited"`
	Closed bool          `json:"closed"` // by the gateway, after that time
}

// watched records that the wait for kickbacks after the last request was completed.
type watched struct {
	At      time.Time `json:"at"` // the end
	session int
}

// journal is the durable record of a probe and its contents in memory.
type journal struct {
	file *os.File
	// crash is for tests. Its error simulates the end of the process, before or after a line
	// is written.
	crash func(written bool) error

	mu        sync.Mutex
	err       error // from the first line that could not be written; no line follows it
	changed   chan struct{}
	begun     *begin
	sessions  int
	attempts  map[string]*attempt
	kickbacks []kickback
	held      *held
	watched   *watched
	ended     *string
}

// openJournal opens or creates a journal and locks it until it is closed.
func openJournal(path string) (j *journal, err error) {
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600) //nolint:gosec // The user's own file, by the user's own choice.
	if err != nil {
		return nil, console.Usagef("%s", "%s", console.What(err))
	}
	defer func() {
		if err != nil {
			_ = file.Close() // The first error is returned.
		}
	}()
	if err := lock(file); err != nil {
		return nil, console.Failedf("%s: another probe is using it", "%s: 別の jpayment probe が使用中です", path)
	}
	if err := syncDirectory(filepath.Dir(path)); err != nil {
		return nil, console.Failedf("%s", "%s", console.What(err))
	}
	data, err := io.ReadAll(file)
	if err != nil {
		return nil, console.Failedf("%s", "%s", console.What(err))
	}
	j = &journal{file: file, attempts: map[string]*attempt{}, changed: make(chan struct{})}
	// A line that was being written when the process was killed is incomplete. What it would
	// have recorded did not happen.
	whole := bytes.LastIndexByte(data, '\n') + 1
	for raw := range bytes.Lines(data[:whole]) {
		var l line
		if err := json.Unmarshal(raw, &l); err != nil || l.Begin == nil && j.begun == nil {
			return nil, console.Usagef("%s is not a journal of jpayment probe", "%s は jpayment probe の記録ファイルではありません", path)
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
	dir, err := os.Open(path) //nolint:gosec // Like the file in it.
	if err != nil {
		return err
	}
	err = dir.Sync()
	if errors.Is(err, os.ErrInvalid) || errors.Is(err, os.ErrPermission) { // on systems that cannot sync directories
		err = nil
	}
	return errors.Join(err, dir.Close())
}

func (j *journal) close() error { return j.file.Close() }

// write makes a line durable and then applies it.
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

// take applies a line to the contents in memory.
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

// failed returns the error because of which the journal cannot be written any more, if any.
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

// received returns the kickbacks of a step, in the order of arrival.
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

// news returns a channel that is closed when the next line is written.
func (j *journal) news() <-chan struct{} {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.changed
}

// Package console is how the commands talk to a person: streams and terminals, languages,
// tables, marks, questions and exit statuses.
package console

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"
)

// Console holds the streams of a command, the language and the settings of its output.
type Console struct {
	Lang           Lang
	Stdin          io.Reader
	Stdout, Stderr io.Writer
	Terminal       Terminals
	Colour         bool           // where there is a terminal to show it
	Zone           *time.Location // of the times that are shown; nil for Japan's
	Width          func() int     // of the screen; nil for that behind Stderr
}

// Terminals reports which streams are terminals.
type Terminals struct{ In, Out, Err bool }

// The exit statuses.
const (
	Done    = 0
	Failed  = 1 // refused, not sent, or a check that failed
	Usage   = 2
	Unknown = 3
)

// ExitStatus is the error of a command that has already printed everything.
type ExitStatus int

// Error returns the status.
func (s ExitStatus) Error() string { return fmt.Sprintf("exit status %d", int(s)) }

// ErrNotConfirmed means that the person did not type yes.
var ErrNotConfirmed = errors.New("not confirmed")

// Confirm asks whether to send. Only the whole line yes confirms.
func (c Console) Confirm(ctx context.Context) error {
	return c.Ask(ctx, c.Lang.In("Type yes to send it: ", "送信するには yes と入力してください: "))
}

// Ask asks the person at the terminal a question, as Confirm does.
func (c Console) Ask(ctx context.Context, question string) error {
	if !c.Terminal.In || !c.Terminal.Err {
		return Usagef("there is no terminal to ask for confirmation: give --yes to go on without", "端末がないため、確認を求められません。確認なしで実行するには --yes を指定してください")
	}
	fmt.Fprint(c.Stderr, question)
	answer := make(chan string, 1)
	go func() {
		defer close(answer)
		if line, err := bufio.NewReader(c.Stdin).ReadString('\n'); err == nil {
			answer <- strings.TrimSpace(line)
		}
	}()
	whole := false
	select {
	case line, ok := <-answer:
		if line == "yes" {
			return nil
		}
		whole = ok
	case <-ctx.Done():
	}
	if !whole { // The question still stands at the end of its line.
		fmt.Fprintln(c.Stderr)
	}
	return ErrNotConfirmed
}

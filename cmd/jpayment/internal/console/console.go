// Package console handles the interaction of the commands with a person: streams and
// terminals, languages, tables, marks, questions and exit statuses.
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

// Console holds the streams of a command, and the language and settings of its output.
type Console struct {
	Lang           Lang
	Stdin          io.Reader
	Stdout, Stderr io.Writer
	Terminal       Terminals
	Colour         bool           // on terminals only
	Zone           *time.Location // of printed times; nil for Japan time
	Width          func() int     // of the screen; nil to ask the terminal of Stderr
}

// Terminals reports which streams are terminals.
type Terminals struct{ In, Out, Err bool }

// The exit statuses.
const (
	Done    = 0
	Failed  = 1 // refused, not sent, or a failed check
	Usage   = 2
	Unknown = 3
)

// ExitStatus is the error of a command that has already printed everything.
type ExitStatus int

// Error returns the status.
func (s ExitStatus) Error() string { return fmt.Sprintf("exit status %d", int(s)) }

// ErrNotConfirmed means that the person did not type yes.
var ErrNotConfirmed = errors.New("not confirmed")

// Confirm asks for confirmation before sending. Only the line yes confirms.
func (c Console) Confirm(ctx context.Context) error {
	return c.Ask(ctx, c.Lang.In("Type yes to send it: ", "送信するには yes と入力してください: "))
}

// Ask asks a question as Confirm does.
func (c Console) Ask(ctx context.Context, question string) error {
	if !c.Terminal.In || !c.Terminal.Err {
		return Usagef("there is no terminal on which to confirm: give --yes to skip the confirmation", "端末がないため、確認を求められません。確認なしで実行するには --yes を指定してください")
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
	if !whole { // The cursor is still on the line of the question.
		fmt.Fprintln(c.Stderr)
	}
	return ErrNotConfirmed
}

package jpayment

import "fmt"

// Text is a sentence in English and in Japanese. Whatever this package says to people
// is one, so that programs pick a language and never take a sentence apart.
type Text struct{ En, Ja string }

// String returns the English.
func (t Text) String() string { return t.En }

// textf formats both languages with the same arguments.
func textf(en, ja string, args ...any) Text {
	return Text{fmt.Sprintf(en, args...), fmt.Sprintf(ja, args...)}
}

// textError is an error that says no more than a Text of this package, which holds
// nothing private.
type textError struct{ Text }

func (e textError) Error() string { return e.En }

func (e textError) what() Text { return e.Text }

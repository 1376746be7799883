package jpayment

import "fmt"

// Text is a sentence in English and in Japanese. Every message of this package for people
// is a Text, so that programs choose a language and need not parse or translate sentences.
type Text struct{ En, Ja string }

// String returns the English.
func (t Text) String() string { return t.En }

// textf formats both languages with the same arguments.
func textf(en, ja string, args ...any) Text {
	return Text{fmt.Sprintf(en, args...), fmt.Sprintf(ja, args...)}
}

// textError is an error whose message is a Text of this package, without private data.
type textError struct{ Text }

func (e textError) Error() string { return e.En }

func (e textError) what() Text { return e.Text }

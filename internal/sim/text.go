package sim

import "github.com/jpayment-go/jpayment"

// Error is the reason why something cannot be done.
type Error struct{ Reason jpayment.Text }

func (e *Error) Error() string { return e.Reason.En }

// What returns the reason.
func (e *Error) What() jpayment.Text { return e.Reason }

// FieldError names a field that is not valid, by its Go name, and the reason. The reason
// follows the name in a sentence.
type FieldError struct {
	Field  string
	Reason jpayment.Text
}

func (e *FieldError) Error() string { return e.What().En }

// What returns the name and the reason.
func (e *FieldError) What() jpayment.Text {
	return jpayment.Text{En: e.Field + " " + e.Reason.En, Ja: e.Field + e.Reason.Ja}
}

func wrong(field, en, ja string) error { return &FieldError{field, jpayment.Text{En: en, Ja: ja}} }

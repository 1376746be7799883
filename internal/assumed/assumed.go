// Package assumed is the one table of what is assumed of the gateway: what neither the
// vendor's specification says nor the field knows for certain. The list in
// docs/protocol.md, the settings of the simulated gateway, a measured [Profile] and what
// measures it follow from it. The client takes nothing from here: it decides by itself.
package assumed

import (
	"slices"

	"github.com/jpayment-go/jpayment"
)

// Side is who assumes something.
type Side int

// The client's assumptions decide what it sends and concludes; the simulated gateway's
// decide how it behaves where nobody knows.
const (
	OfClient Side = iota
	OfGateway
)

// Assumption is one entry of the table.
type Assumption struct {
	// Number is for good: what is taken back leaves a gap, and what is new comes last.
	Number int
	Side   Side
	// Text is what is assumed, in one sentence or more.
	Text jpayment.Text
	// Grade is how well it is known: H the vendor's own text or several independent
	// clients, M one client in production, L inferred; empty for a choice of the client's
	// own, of which there is nothing to know.
	Grade string
	// Evidence is what is known, where there is more to say than the grade.
	Evidence jpayment.Text
	// Where names the file that assumes it.
	Where string
	// IfWrong is what would change.
	IfWrong jpayment.Text
	// Options are those of the client that a store wants for which it is wrong.
	Options []Option
	// Setting is what the simulated gateway can be told of it; nil for nothing.
	Setting *Setting
	// Unobservable is why a client cannot find out; empty where it can.
	Unobservable jpayment.Text
	// HangsOn are the assumptions with which this one falls.
	HangsOn []int
}

// Observable reports whether a client can find out whether it is true.
func (a Assumption) Observable() bool { return a.Unobservable == jpayment.Text{} }

// Option is one way to tell a client of a store for which an assumption is wrong.
type Option struct {
	Call string // in Go, such as jpayment.WithUnmatchedPaymentID()
	Flag string // of the command, such as --charset shift_jis; empty where it has none
}

// All returns the table, by number.
func All() []Assumption { return slices.Clone(table) }

var table = slices.SortedFunc(slices.Values(slices.Concat(ofClient, ofGateway)), func(a, b Assumption) int { return a.Number - b.Number })

// Of returns the assumption of that number.
func Of(number int) (a Assumption, known bool) {
	i := slices.IndexFunc(table, func(a Assumption) bool { return a.Number == number })
	if i < 0 {
		return Assumption{}, false
	}
	return table[i], true
}

// Hanging returns the numbers of the assumptions that fall with one, directly or by way
// of others, without its own, by number.
func Hanging(number int) []int {
	fallen := []int{number}
	for i := 0; i < len(fallen); i++ {
		for _, a := range table {
			if slices.Contains(a.HangsOn, fallen[i]) && !slices.Contains(fallen, a.Number) {
				fallen = append(fallen, a.Number)
			}
		}
	}
	return slices.Sorted(slices.Values(fallen[1:]))
}

// BySetting returns the assumption that a setting of the simulated gateway is about.
func BySetting(key string) (a Assumption, known bool) {
	i := slices.IndexFunc(table, func(a Assumption) bool { return a.Setting != nil && a.Setting.Key == key })
	if i < 0 {
		return Assumption{}, false
	}
	return table[i], true
}

// Settings returns every setting of the simulated gateway, by the number of its assumption.
func Settings() []*Setting {
	var all []*Setting
	for _, a := range table {
		if a.Setting != nil {
			all = append(all, a.Setting)
		}
	}
	return all
}

func t(en, ja string) jpayment.Text { return jpayment.Text{En: en, Ja: ja} }

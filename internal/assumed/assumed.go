// Package assumed is the only table of assumptions about the gateway: what is not in the
// vendor's specification and not known for certain from other sources. The list in
// docs/protocol.md, the settings of the simulated gateway and measured [Profile]s are derived
// from it. The client does not import it.
package assumed

import (
	"slices"

	"github.com/jpayment-go/jpayment"
)

// Side is the side that makes an assumption.
type Side int

// The client's assumptions decide what it sends and concludes. Those of the simulated gateway
// decide how it behaves where the real one is not known.
const (
	OfClient Side = iota
	OfGateway
)

// Assumption is one entry of the table.
type Assumption struct {
	// Number never changes: a withdrawn assumption leaves a gap, and a new one comes last.
	Number int
	Side   Side
	// Text is what is assumed, in one sentence or more.
	Text jpayment.Text
	// Grade is how well it is known: H for the vendor's own text or several independent
	// clients, M for one client in production, L for an inference. It is empty for a choice
	// of the client's.
	Grade string
	// Evidence is what is known, beyond the grade.
	Evidence jpayment.Text
	// Where names the file that assumes it.
	Where string
	// IfWrong is what would change.
	IfWrong jpayment.Text
	// Options are the options of the client for a store for which the assumption is wrong.
	Options []Option
	// Setting is the setting of the simulated gateway; nil if there is none.
	Setting *Setting
	// Unobservable is why a client cannot find out; empty if it can.
	Unobservable jpayment.Text
	// HangsOn are the assumptions on which this one depends.
	HangsOn []int
}

// Observable reports whether a client can find out whether the assumption is true.
func (a Assumption) Observable() bool { return a.Unobservable == jpayment.Text{} }

// Option is an option of the client for a store for which an assumption is wrong.
type Option struct {
	Call string // in Go, such as jpayment.WithUnmatchedPaymentID()
	Flag string // of the command, such as --charset shift_jis; empty where it has none
}

// All returns the table, by number.
func All() []Assumption { return slices.Clone(table) }

var table = slices.SortedFunc(slices.Values(slices.Concat(ofClient, ofGateway)), func(a, b Assumption) int { return a.Number - b.Number })

// Of returns the assumption with the number.
func Of(number int) (a Assumption, known bool) {
	i := slices.IndexFunc(table, func(a Assumption) bool { return a.Number == number })
	if i < 0 {
		return Assumption{}, false
	}
	return table[i], true
}

// Hanging returns the numbers of the assumptions that depend on one, directly or through
// others, in order.
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

// BySetting returns the assumption of a setting of the simulated gateway.
func BySetting(key string) (a Assumption, known bool) {
	i := slices.IndexFunc(table, func(a Assumption) bool { return a.Setting != nil && a.Setting.Key == key })
	if i < 0 {
		return Assumption{}, false
	}
	return table[i], true
}

// Settings returns all settings of the simulated gateway, in the order of their assumptions.
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

// Package assumed is the single table of assumptions about the gateway: facts that are
// neither in the vendor's specification nor known for certain from other sources. The list in
// docs/protocol.md, the settings of the simulated gateway and measured [Profile]s are derived
// from it. The client does not import it.
package assumed

import (
	"slices"

	"github.com/jpayment-go/jpayment"
)

// Side says who makes an assumption.
type Side int

// The client's assumptions decide what it sends and concludes. The simulated gateway's
// assumptions decide its behaviour where the real gateway's behaviour is not known.
const (
	OfClient Side = iota
	OfGateway
)

// Assumption is one entry of the table.
type Assumption struct {
	// Number never changes: a withdrawn assumption leaves a gap, and a new one takes the
	// next number.
	Number int
	Side   Side
	// Text states the assumption in one or more sentences.
	Text jpayment.Text
	// Grade says how reliable it is: H for the vendor's own text or several independent
	// clients, M for one client in production, L for an inference. It is empty for a
	// decision of the client.
	Grade string
	// Evidence adds to the grade what is known.
	Evidence jpayment.Text
	// Where names the file that makes the assumption.
	Where string
	// IfWrong says what happens if the assumption is wrong.
	IfWrong jpayment.Text
	// Options are the client's options for a store where the assumption is wrong.
	Options []Option
	// Setting is the setting of the simulated gateway; nil if there is none.
	Setting *Setting
	// Unobservable says why a client cannot find out; it is empty if a client can.
	Unobservable jpayment.Text
	// HangsOn lists the assumptions on which this one depends.
	HangsOn []int
}

// Observable reports whether a client can find out whether the assumption is true.
func (a Assumption) Observable() bool { return a.Unobservable == jpayment.Text{} }

// Option is an option of the client for a store where an assumption is wrong.
type Option struct {
	Call string // in Go, such as jpayment.WithUnmatchedPaymentID()
	Flag string // of the command, such as --charset shift_jis; empty if there is none
}

// All returns all assumptions, ordered by number.
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

// Hanging returns, in order, the numbers of the assumptions that depend on the given one,
// directly or through others.
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

// BySetting returns the assumption that has the setting with the key.
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

package cli

import (
	"context"
	"slices"
	"strings"

	"golang.org/x/text/unicode/norm"

	"github.com/jpayment-go/jpayment"
	"github.com/jpayment-go/jpayment/cmd/jpayment/internal/console"
	"github.com/jpayment-go/jpayment/cmd/jpayment/internal/sheet"
	"github.com/jpayment-go/jpayment/fulfilment"
)

// or returns the configuration, overridden by flags.
func (c panelConfig) or(flags panelConfig) panelConfig {
	if flags.PaymentColumn != "" {
		c.PaymentColumn = flags.PaymentColumn
	}
	if flags.StatusColumn != "" {
		c.StatusColumn = flags.StatusColumn
	}
	if len(flags.DoneIf)+len(flags.NotDoneIf)+len(flags.AgainIf) > 0 { // Replacing one list alone would mix two sets of words.
		c.DoneIf, c.NotDoneIf, c.AgainIf = flags.DoneIf, flags.NotDoneIf, flags.AgainIf
	}
	return c
}

// sameWord reports whether a word in a file equals one in the settings.
func sameWord(theirs, ours string) bool {
	return ours != "" && norm.NFKC.String(strings.TrimSpace(theirs)) == norm.NFKC.String(strings.TrimSpace(ours))
}

// meanings maps the statuses of payments to decisions, for each operation.
type meanings map[jpayment.Operation]map[string]fulfilment.State

// panelOperations are the operations whose success a status shows. A status does not show
// which payment a re-authorisation has created.
var panelOperations = map[string]jpayment.Operation{
	"sales": jpayment.OpSales, "実売上": jpayment.OpSales, "cancel": jpayment.OpCancel, "取消": jpayment.OpCancel,
}

// meanings parses the words of the settings: WORD for captures, OPERATION=WORD for others.
func (c panelConfig) meanings() (meanings, error) {
	all := meanings{jpayment.OpSales: {}, jpayment.OpCancel: {}}
	for _, list := range []struct {
		flag  string
		words []string
		state fulfilment.State
	}{{"--done-if", c.DoneIf, fulfilment.StateDone}, {"--not-done-if", c.NotDoneIf, fulfilment.StateRefused}, {"--again-if", c.AgainIf, fulfilment.StateWaiting}} {
		for _, word := range list.words {
			op := jpayment.OpSales
			if name, rest, found := strings.Cut(word, "="); found {
				known := false
				if op, known = panelOperations[strings.ToLower(strings.TrimSpace(name))]; !known {
					return nil, console.Usagef("%s: the operation before = must be sales or cancel", "%s: = の前には sales（実売上）または cancel（取消）を指定してください", list.flag)
				}
				word = rest
			}
			word = norm.NFKC.String(strings.TrimSpace(word))
			if word == "" {
				return nil, console.Usagef("%s: the status is missing", "%s: ステータスを指定してください", list.flag)
			}
			if other, told := all[op][word]; told && other != list.state {
				return nil, console.Usagef("%s: %s is also given another meaning", "%s: %s に別の意味も指定されています", list.flag, word)
			}
			all[op][word] = list.state
		}
	}
	return all, nil
}

// check returns an error if the words contradict each other.
func (c panelConfig) check() error {
	_, err := c.meanings()
	return err
}

// readPanel reads an export of the control panel. It decides the jobs in review whose
// payments are listed with a status that has a meaning for their operation.
func (r *review) readPanel(ctx context.Context, file *sheet.Reader, b *bulk, fault faulter) error {
	means, err := r.panel.meanings()
	if err != nil {
		return err
	}
	if len(means[jpayment.OpSales])+len(means[jpayment.OpCancel]) == 0 {
		return console.Usagef("the meaning of the statuses is missing: give --done-if, --not-done-if or --again-if", "ステータスの意味がありません。--done-if、--not-done-if、--again-if のいずれかを指定してください")
	}
	column := func(name string) int {
		found := -1
		for i, theirs := range file.Header {
			if !sameWord(theirs, name) {
				continue
			}
			if found >= 0 {
				fault(1, i, jpayment.Text{}, isTwice)
			}
			found = i
		}
		if found < 0 {
			fault(1, -1, jpayment.Text{}, console.Textf("of the header has no column %s", "（見出し行）に %s の列がありません", name))
		}
		return found
	}
	payment, status := column(r.panel.PaymentColumn), column(r.panel.StatusColumn)
	if b.faults > 0 {
		return nil
	}
	wanted := map[string][]fulfilment.Job{}
	err = r.forPerson(ctx, func(jobs []fulfilment.Job) error {
		for _, j := range jobs {
			wanted[j.PaymentID] = append(wanted[j.PaymentID], j)
			b.left++
		}
		return nil
	})
	if err != nil {
		return err
	}
	seen := map[string]string{} // the statuses of the wanted payments
	return file.Each(func(row sheet.Row) error {
		b.rows++
		id, word := norm.NFKC.String(row.At(payment)), norm.NFKC.String(row.At(status))
		jobs, ok := wanted[id]
		if !ok {
			return nil
		}
		if earlier, again := seen[id]; again {
			if earlier != word {
				fault(row.Line, status, jpayment.Text{}, jpayment.Text{En: "differs from an earlier line about the same payment", Ja: "が、同じ決済の前の行と異なります"})
			}
			return nil
		}
		seen[id] = word
		for _, j := range jobs {
			state, told := means[j.Operation][word]
			if !told || j.State != fulfilment.StateReview || slices.Contains([]fulfilment.Reason{fulfilment.ReasonTestMode, fulfilment.ReasonContradicted}, j.Reason) {
				continue
			}
			note := r.note
			if note == "" {
				note = r.panel.StatusColumn + ": " + word
			}
			b.decide(j, row.Line, fulfilment.Decision{State: state, By: r.by, Note: jpayment.NewSecret(note), Corrects: r.correct})
			b.left--
		}
		return nil
	})
}

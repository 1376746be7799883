package monthend

import (
	"github.com/schollz/progressbar/v3"
)

// progress shows how far something is: as a bar on a terminal, else not at all. Of -1
// rows nobody knows how many there are.
type progress struct{ bar *progressbar.ProgressBar }

func (r *Run) newProgress(what string, rows int64) progress {
	if !r.Console.Terminal.Err {
		return progress{}
	}
	return progress{progressbar.NewOptions64(rows,
		progressbar.OptionSetWriter(r.Console.Stderr),
		progressbar.OptionSetDescription(what),
		progressbar.OptionShowCount(),
		progressbar.OptionShowIts(),
		progressbar.OptionSetItsString(r.Console.Lang.In("rows", "行")),
		progressbar.OptionSetPredictTime(true),
		progressbar.OptionSetWidth(16),
		progressbar.OptionClearOnFinish(),
		progressbar.OptionSetSpinnerChangeInterval(0), // Else it turns by itself, after its end too.
	)}
}

func (p progress) set(n int64) {
	if p.bar != nil {
		_ = p.bar.Set64(n) // It is for the eye.
	}
}

func (p progress) describe(what string) {
	if p.bar != nil {
		p.bar.Describe(what)
	}
}

// clear makes room for a line.
func (p progress) clear() {
	if p.bar != nil {
		_ = p.bar.Clear()
	}
}

func (p progress) end() {
	if p.bar != nil {
		_ = p.bar.Exit()
		_ = p.bar.Clear()
	}
}

// Package monthend carries out a file of captures, cancellations and re-authorisations: it
// checks the file, prints a summary, records and sends the rows, and reports the result of
// each.
package monthend

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/jpayment-go/jpayment"
	"github.com/jpayment-go/jpayment/cmd/jpayment/internal/console"
	"github.com/jpayment-go/jpayment/cmd/jpayment/internal/runfile"
	"github.com/jpayment-go/jpayment/fulfilment"
)

// Queue is the part of [fulfilment.Queue] that a run uses, on either database.
type Queue interface {
	Check(ctx context.Context, r fulfilment.Request) (fulfilment.Job, error)
	EnqueueAll(ctx context.Context, rs []fulfilment.Request) ([]fulfilment.Job, error)
	Job(ctx context.Context, op jpayment.Operation, paymentID string) (fulfilment.Job, error)
	Jobs(ctx context.Context, f fulfilment.Filter) ([]fulfilment.Job, error)
	Attempts(ctx context.Context, jobID int64) ([]fulfilment.Attempt, error)
	Status(ctx context.Context, batch string) (fulfilment.Status, error)
	Resume(ctx context.Context) error
	Run(ctx context.Context, g jpayment.Gateway, cfg fulfilment.WorkerConfig) error
	Health() fulfilment.Health
}

// Run is one run of a file. It reads the file three times: to check it, to record its rows,
// and to report on them.
type Run struct {
	Path    string
	Columns runfile.Columns // the file's other names for columns
	Report  string          // path of the report
	Yes     bool            // skip the confirmation
	DryRun  bool            // send nothing
	Console console.Console

	// Store, Gateway and Database are shown in the summary.
	Store, Gateway, Database string
	// Again is the command that continues this run. Flags are those of its flags that other
	// commands need to find its jobs; SendingFlags are those that they need to send them in
	// the same way. All are as a person types them, each flag after a space.
	Again, Flags, SendingFlags string

	// OpenQueue opens the queue, once the file has turned out to be text, and returns a
	// function that closes it.
	OpenQueue func(ctx context.Context) (Queue, func(), error)
	Client    *jpayment.Client
	Timeout   time.Duration // of one call by the client
	Worker    fulfilment.WorkerConfig
	// Receive, if not nil, receives kickbacks until the context ends. The channel receives
	// the error that ends it earlier.
	Receive func(ctx context.Context) (<-chan error, error)
	// Now is the clock for deciding what has lasted long enough to report; nil for
	// time.Now.
	Now func() time.Time

	open     func(path string) (io.ReadCloser, error) // nil for os.Open
	patience time.Duration                            // 0 for defaultPatience

	queue   Queue
	scratch *scratch

	charset runfile.Charset
	unread  []string          // the ignored columns
	sum     [sha256.Size]byte // of the file when it was checked
	rows    int64
	batch   string
	counts  fileCounts
	settled tally // of the jobs that other files and programs had enqueued

	pausedForGood bool // when the summary was printed
}

// Do carries out the file. If everything has been printed, its error is a
// [console.ExitStatus].
func (r *Run) Do(ctx context.Context) (err error) {
	if err := r.checkReportPath(); err != nil {
		return err
	}
	if err := r.detect(); err != nil {
		return r.wrongFile(err)
	}
	var closeQueue func()
	if r.queue, closeQueue, err = r.OpenQueue(ctx); err != nil {
		return err
	}
	defer closeQueue()
	if r.scratch, err = newScratch(ctx); err != nil {
		return err
	}
	defer r.scratch.close()

	if err := r.check(ctx); err != nil {
		return err
	}
	if err := r.summarise(ctx); err != nil {
		return err
	}
	if r.DryRun {
		fmt.Fprintln(r.Console.Stderr, r.Console.Lang.In("Dry run: nothing was sent.", "確認のみ（--dry-run）：何も送信していません。"))
		return nil
	}
	if !r.Yes && r.unsettled() > 0 {
		err := r.Console.Confirm(ctx)
		if errors.Is(err, console.ErrNotConfirmed) {
			fmt.Fprintln(r.Console.Stderr, r.Console.Lang.In("Not confirmed: nothing was sent.", "確認されなかったため、何も送信していません。"))
			return console.ExitStatus(console.Failed)
		}
		if err != nil {
			return err
		}
	}
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	var receiver <-chan error
	if r.Receive != nil {
		if receiver, err = r.Receive(ctx); err != nil {
			return err
		}
	}
	if err := r.record(ctx); err != nil {
		return err
	}
	return r.conclude(context.WithoutCancel(ctx), r.work(ctx, receiver))
}

func (r *Run) now() time.Time {
	if r.Now != nil {
		return r.Now()
	}
	return time.Now()
}

// openFile opens the file at its beginning.
func (r *Run) openFile() (io.ReadCloser, error) {
	if r.open != nil {
		return r.open(r.Path)
	}
	return os.Open(r.Path)
}

// read calls f with each row of the file, and at the end with a row whose Line is 0. It
// stops at the first error.
func (r *Run) read(f func(reader *runfile.Reader, row runfile.Row, faults []runfile.Fault) error) error {
	file, err := r.openFile()
	if err != nil {
		return err
	}
	defer file.Close() //nolint:errcheck // Nothing was written.
	reader := runfile.NewReader(file, r.charset, r.Columns)
	for {
		row, faults, err := reader.Next()
		if errors.Is(err, io.EOF) {
			return f(reader, runfile.Row{}, nil)
		}
		if err == nil {
			err = f(reader, row, faults)
		}
		if err != nil {
			return err
		}
	}
}

// detect detects the character set of the file.
func (r *Run) detect() error {
	file, err := r.openFile()
	if err != nil {
		return err
	}
	defer file.Close() //nolint:errcheck // Nothing was written.
	r.charset, err = runfile.Detect(file)
	return err
}

// wrongFile returns the error of a file that is missing or is not text.
func (r *Run) wrongFile(err error) error {
	var fault runfile.Fault
	if errors.As(err, &fault) {
		return &console.Error{Text: r.faultText(fault), Status: console.Usage}
	}
	return &console.Error{Text: console.What(err), Status: console.Usage}
}

// request returns the request of a row. It comes after the open jobs of its payment,
// including those of the rows above it.
func (r *Run) request(row runfile.Row) fulfilment.Request { return r.asked(row).InTurn() }

func (r *Run) asked(row runfile.Row) fulfilment.Request {
	switch row.Operation {
	case jpayment.OpSales:
		return fulfilment.Sales(row.Reference, jpayment.SalesRequest{PaymentID: row.Payment})
	case jpayment.OpCancel:
		return fulfilment.Cancel(row.Reference, jpayment.CancelRequest{PaymentID: row.Payment})
	default:
		return fulfilment.ReAuth(row.Reference, jpayment.ReAuthRequest{
			PaymentID: row.Payment, Amount: row.Amount, Tax: row.Tax, Shipping: row.Shipping, Email: jpayment.NewSecret(row.Email), Phone: jpayment.NewSecret(row.Phone),
		})
	}
}

// Package monthend carries out a file of captures, cancellations and re-authorisations:
// it reads and checks the file, sums it up, records and sends its rows, and reports on
// each of them.
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

// Queue is what a run needs of a [fulfilment.Queue], on either database.
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

// Run is one run of a file. The file is read once to check it, once to record its rows,
// and once to report on them.
type Run struct {
	Path    string
	Columns runfile.Columns // by what the file calls them
	Report  string          // the report's path
	Yes     bool            // do not ask
	DryRun  bool            // send nothing
	Console console.Console

	// Store, Gateway and Database are what the summary shows of them.
	Store, Gateway, Database string
	// Again is the command that goes on with this run. Flags are those of its flags that
	// other commands need to find its jobs, and SendingFlags those to send them likewise,
	// each after a space: all as a person types them.
	Again, Flags, SendingFlags string

	// OpenQueue opens the queue once the file turned out to be one, and returns what
	// closes it.
	OpenQueue func(ctx context.Context) (Queue, func(), error)
	Client    *jpayment.Client
	Timeout   time.Duration // of one call, the client's
	Worker    fulfilment.WorkerConfig
	// Receive receives kickbacks until the context ends, if it is not nil. The channel gets
	// the error that ended it before.
	Receive func(ctx context.Context) (<-chan error, error)
	// Now is the clock by which it is decided what lasts so long that the person who waits is
	// told; nil for time.Now.
	Now func() time.Time

	open     func(path string) (io.ReadCloser, error) // nil for os.Open
	patience time.Duration                            // 0 for defaultPatience

	queue   Queue
	scratch *scratch

	charset runfile.Charset
	unread  []string          // the columns that are not read
	sum     [sha256.Size]byte // of the file as it was checked
	rows    int64
	batch   string
	counts  fileCounts
	settled tally // of the jobs that other files and programs had asked for

	pausedForGood bool // as the summary says
}

// Do carries the file out. Its error is a [console.ExitStatus] where all has been said.
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

// openFile opens the file to read it from its beginning.
func (r *Run) openFile() (io.ReadCloser, error) {
	if r.open != nil {
		return r.open(r.Path)
	}
	return os.Open(r.Path)
}

// read calls f with each row of the file, and at its end with a row of line 0, up to the
// first error.
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

// detect finds out the character set of the file.
func (r *Run) detect() error {
	file, err := r.openFile()
	if err != nil {
		return err
	}
	defer file.Close() //nolint:errcheck // Nothing was written.
	r.charset, err = runfile.Detect(file)
	return err
}

// wrongFile returns the error of a file that is not there or no text.
func (r *Run) wrongFile(err error) error {
	var fault runfile.Fault
	if errors.As(err, &fault) {
		return &console.Error{Text: r.faultText(fault), Status: console.Usage}
	}
	return &console.Error{Text: console.What(err), Status: console.Usage}
}

// request returns what a row asks for, after what stands above it and is open of its payment.
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

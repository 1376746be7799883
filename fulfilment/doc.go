// Package fulfilment carries out captures, cancellations and re-authorisations exactly
// once, as far as the gateway's protocol allows, through crashes, maintenance nights and
// lost replies. What the protocol does not let anybody know is left to a person.
//
// Order code enqueues a capture in the transaction that marks the order as shipped.
// Workers, in the same process or on other machines, then send it and write the verdict
// into the database. The jobs are those of River (github.com/riverqueue/river), on a
// SQLite file or on Postgres:
//
//	db, err := fulfilment.OpenSQLite("orders.db")
//	…
//	q, err := fulfilment.NewSQLite(db, fulfilment.Config{StoreID: "123456"})
//	…
//	tx, err := db.BeginTx(ctx, nil)
//	… // mark the order as shipped
//	_, err = q.EnqueueTx(ctx, tx, fulfilment.Sales("order-1", jpayment.SalesRequest{PaymentID: "10000001"}))
//	… // return the error: nothing is to be shipped
//	err = tx.Commit()
//
// # Asking again
//
// A request may be enqueued any number of times. If its job is open, done or in review,
// [Queue.Enqueue] and [Queue.EnqueueTx] return that job with Existed set and change
// nothing. If it was refused they return a [*RefusedError], since nothing will be sent; if
// it was asked for at other amounts or with another reference, and not refused or withdrawn,
// a [*ConflictError].
//
// # The order of a payment's jobs
//
// A payment has one thing done to it at a time. While a job of it is open, a request for
// another operation is a [*ConflictError], unless it comes after that: [Request.After] names
// the job, [Request.InTurn] means whatever is open. Then it is sent once that job is done,
// and refused if that is refused. After a re-authorisation comes nothing, since it replaces
// the payment.
//
// # Hearing of verdicts
//
// [Queue.OnSettled] has a function called in the transaction that records a verdict, whoever
// makes it. There the order is updated and the next request enqueued, such as the capture of
// the payment that a re-authorisation has made. [Queue.Wait] waits for one job,
// [Queue.Changes] follows all, for other services.
//
// # Exactly once
//
// River runs a job at least once: a worker that is killed leaves a job that runs again.
// The gateway has no idempotency key. So this package keeps its own record beside
// River's, in the same database, and goes by that alone:
//
//   - There is one job for each store, operation and payment that is not refused, however
//     often it is asked for and however long ago.
//   - An attempt is written down before its request leaves. A process that is killed in
//     the middle leaves an attempt without an end, whose outcome is unknown.
//   - A job that waits has its River job written in the same transaction. A River job too
//     many does nothing.
//
// # What follows from an outcome
//
// What was not sent, and what met congestion (ER010), is sent again later; maintenance
// (ER999) pauses the store until it is over. A fault of the store's configuration (ER003 and its class)
// pauses the store until [Queue.Resume]. A refused Sales or Cancel is final; a declined
// re-authorisation needs a person, since the original may be gone. An unknown Sales or
// Cancel is sent again: if that succeeds it is done, if it is refused a person has to
// look, since the first may have been carried out. An unknown re-authorisation is never
// sent again: it waits for its kickback, if the store uses kickbacks, and then for a
// person.
//
// What a kickback says is its sender's word. A success settles a re-authorisation, a failure
// goes to review; none makes anything be sent, paused or refused. One that contradicts a
// reply or a person changes no verdict: see [Job.Dispute].
//
// # Verdicts
//
// A [Job] is waiting, running, awaiting its kickback, done, refused, or needs review. It is
// done only if the gateway said so, or a person who looked; refused only if all its
// attempts left the payment as it was, or the one that it comes after was. [Queue.Review]
// records what a person found. It withdraws a job, too, that cannot have been carried out, and
// corrects an earlier decision.
//
// # Versions and restorations
//
// The tables are of a version, [SchemaVersion]. [Queue.Migrate] brings them up to date, and
// [Migrations] has its statements; with tables of another version nothing is recorded or
// sent. After a restoration from an older copy [Queue.AfterRestore] puts what was open into
// review, and [WorkerConfig.Witness] keeps workers from starting before.
//
// Times are the database's on Postgres, so machines' clocks need not agree. The rate of
// calls is the store's, over all processes.
//
// # Private data
//
// The tables hold what has to be sent and what was answered: e-mail addresses, telephone
// numbers, other data, approval codes. River's tables hold job numbers only. [Queue.Forget]
// erases the private data of settled jobs. Logs, metrics and errors show none.
package fulfilment

// Package fulfilment carries out captures, cancellations and re-authorisations exactly
// once, as far as the gateway's protocol allows, despite crashes, maintenance and lost
// replies. It leaves to a person only what the protocol cannot reveal.
//
// Order code enqueues a capture in the transaction that marks the order for shipping.
// Workers, in the same process or on other machines, send it and record the verdict in the
// database. The jobs are River jobs (github.com/riverqueue/river) in a SQLite file or in
// Postgres:
//
//	db, err := fulfilment.OpenSQLite("orders.db")
//	…
//	q, err := fulfilment.NewSQLite(db, fulfilment.Config{StoreID: "123456"})
//	…
//	tx, err := db.BeginTx(ctx, nil)
//	… // mark the order for shipping; ship it when the capture is done
//	_, err = q.EnqueueTx(ctx, tx, fulfilment.Sales("order-1", jpayment.SalesRequest{PaymentID: "10000001"}))
//	… // if err is not nil, return it and do not ship
//	err = tx.Commit()
//
// # Enqueueing a request again
//
// A request may be enqueued any number of times. [Queue.Enqueue] and [Queue.EnqueueTx]
// change nothing if there is already a job for the same operation on the payment:
//
//   - If the job is open, done or in review, they return it with Existed set.
//   - If it was refused, they return a [*RefusedError], since nothing will be sent.
//   - If it has other amounts or another reference, and was neither refused nor withdrawn,
//     they return a [*ConflictError].
//
// # The order of a payment's jobs
//
// Operations on one payment are carried out one at a time. While a job for a payment is
// open, a request for another operation returns a [*ConflictError], unless it comes after
// that job: [Request.After] names the job, and [Request.InTurn] means whatever is open. The
// later job is sent once the earlier one is done, and refused if the earlier one is refused.
// Nothing can come after a re-authorisation, since it replaces the payment.
//
// # Acting on verdicts
//
// The function passed to [Queue.OnSettled] is called in the transaction that records a
// verdict, whatever causes it. Update the order there and enqueue the next request, such as
// the capture of the payment that a re-authorisation has created. [Queue.Wait] waits for one
// job. [Queue.Changes] returns all changes, for other services.
//
// # Exactly once
//
// River runs a job at least once: if a worker is killed, its job runs again. The gateway has
// no idempotency key. So this package keeps its own record in the same database, and decides
// by that alone:
//
//   - For each store, operation and payment there is at most one job that is not refused,
//     however often and whenever the request is enqueued.
//   - An attempt is recorded before its request leaves. If the process is killed during the
//     attempt, its outcome is unknown.
//   - The River job of a waiting job is inserted in the same transaction. A redundant
//     River job does nothing.
//
// # How outcomes are handled
//
// A request that was not sent, or met congestion (ER010), is sent again later. Maintenance
// (ER999) pauses the store until it is over. A fault of the store's settings (ER003 and its
// class) pauses the store until [Queue.Resume].
//
// A refused Sales or Cancel is final. A declined re-authorisation needs a person, since the
// original payment may be gone.
//
// An unknown Sales or Cancel is sent again. If that succeeds, the job is done. If it is
// refused, a person has to look, since the first request may have been carried out. An
// unknown re-authorisation is never sent again: it waits for its kickback, if the store uses
// kickbacks, and then for a person.
//
// What a kickback says is only its sender's word. A success settles a re-authorisation, and
// a failure sends it to review. No kickback causes a request to be sent, a store to be
// paused or a job to be refused. A kickback that contradicts a reply or a person changes no
// verdict: see [Job.Dispute].
//
// # Verdicts
//
// A [Job] is waiting, running, awaiting its kickback, done, refused, or in review. It is
// done only if the gateway or a person who checked said so. It is refused only if all its
// attempts left the payment as it was, if the job that it comes after was refused, or if a
// person decided so. [Queue.Review] records what a person found. It also withdraws a job
// that cannot have been carried out, and corrects an earlier decision.
//
// # Versions and restored backups
//
// The tables have a version, [SchemaVersion]. [Queue.Migrate] brings them up to date, and
// [Migrations] returns its statements. With tables of another version nothing is recorded or
// sent. After a restore from a backup, [Queue.AfterRestore] puts the open jobs into review,
// and [WorkerConfig.Witness] keeps workers from starting before that.
//
// In Postgres all times are the database's, so the machines' clocks need not agree. The rate
// limit applies to the store, over all processes.
//
// # Private data
//
// The tables hold what has to be sent and what was answered: e-mail addresses, telephone
// numbers, other data, approval codes. River's tables hold job numbers only. [Queue.Forget]
// erases the private data of settled jobs. Logs, metrics and errors show none.
package fulfilment

package fulfilment

import (
	"database/sql"
	"testing"

	"github.com/jackc/pgx/v5"
)

// TestConformance tests everything that must hold with every database.
func TestConformance(t *testing.T) {
	t.Run("SQLite", func(t *testing.T) { runAll(t, conformance[*sql.Tx](), onSQLite) })
	t.Run("Postgres", func(t *testing.T) { runAll(t, conformance[pgx.Tx](), onPostgres) })
}

func conformance[TTx any]() []testCase[TTx] {
	return []testCase[TTx]{
		{"a request is carried out once", requestIsCarriedOut[TTx]},
		{"every field of a request arrives", everyFieldArrives[TTx]},
		{"a request is part of the merchant's transaction", requestInTransaction[TTx]},
		{"the same request again is the same job", sameRequestAgain[TTx]},
		{"the same request from everywhere at once is one job and one capture", sameRequestAtOnce[TTx]},
		{"another request for the same payment is a conflict", conflictingRequest[TTx]},
		{"requests are recorded all or none", allOrNone[TTx]},
		{"the same requests in another order are recorded", requestsCrossing[TTx]},
		{"the error of an invalid request lists all its faults", invalidRequest[TTx]},
		{"check changes nothing", checkChangesNothing[TTx]},
		{"missing tables are reported", tablesMissing[TTx]},

		{"a refusal is final", refusalIsFinal[TTx]},
		{"a request that the client finds invalid is refused", invalidAtTheClient[TTx]},
		{"an attempt is recorded before its request leaves", attemptBeforeRequest[TTx]},
		{"a request that was not sent is sent later", notSentIsSentLater[TTx]},
		{"congestion is waited out", congestion[TTx]},
		{"a job waits until maintenance is over", maintenance[TTx]},
		{"a fault of the store's configuration pauses it", configurationPauses[TTx]},
		{"a test approval goes to review and pauses the store", testApproval[TTx]},
		{"a test approval is no success if only production counts", testApprovalInProduction[TTx]},
		{"a test approval by kickback is done without ProductionOnly", testApprovalInTests[TTx]},
		{"an unknown capture or cancellation that succeeds on replay is done", replaySucceeds[TTx]},
		{"an unknown capture or cancellation that is refused on replay needs review", replayRefused[TTx]},
		{"an outcome that stays unknown needs review", replaysEnd[TTx]},
		{"an unknown re-authorisation is never sent again", unknownReAuth[TTx]},
		{"a declined re-authorisation needs review", declinedReAuth[TTx]},
		{"a panic of the gateway leaves the outcome unknown", panickingGateway[TTx]},
		{"an attempt left open is given up after its lease", leftOpen[TTx]},
		{"a late success counts, a late failure changes nothing", lateEnd[TTx]},
		{"an answer that cannot be recorded leaves the outcome unknown", unwrittenEnd[TTx]},
		{"two workers with the same job send once", twoWorkers[TTx]},
		{"River does not interrupt a call on its way", callOutlivesRiver[TTx]},
		{"a stopped worker sends nothing", stoppedWorker[TTx]},
		{"a suspended process sends nothing", suspended[TTx]},

		{"a kickback settles", kickbackSettles[TTx]},
		{"a kickback comes before the reply", kickbackBeforeReply[TTx]},
		{"a kickback comes in place of the reply", kickbackInPlaceOfReply[TTx]},
		{"a kickback comes after the deadline", kickbackAfterDeadline[TTx]},
		{"a kickback comes ten times at once", kickbackDuplicates[TTx]},
		{"a kickback reports a decline", kickbackDecline[TTx]},
		{"a failure that answers an earlier attempt changes nothing", kickbackOfEarlierAttempt[TTx]},
		{"a kickback sends and pauses nothing", kickbackSendsNothing[TTx]},
		{"a kickback for an unsent job settles nothing", kickbackOfUnsent[TTx]},
		{"a believed kickback is contradicted", kickbackContradicted[TTx]},
		{"a kickback for no job settles nothing", kickbackOfNoJob[TTx]},
		{"a kickback that changes nothing leaves UpdatedAt", kickbackChangesNothing[TTx]},

		{"a person decides on a review", personDecides[TTx]},
		{"a decision to send again sends again", sendAgain[TTx]},
		{"a decision to send an older job again", sendOlderAgain[TTx]},
		{"a new payment is that of one job", newPaymentTwice[TTx]},
		{"the error of a decision lists all its faults", decisionFaults[TTx]},
		{"a decision that comes too late is rejected", decisionTooLate[TTx]},
		{"an unsent job is withdrawn", withdrawal[TTx]},
		{"a person's decision sends a refused job again", refusedAgain[TTx]},
		{"Forget erases private data and nothing else", forgetting[TTx]},
		{"stores in one database do not see or pause each other", twoStores[TTx]},
		{"processes migrate at once", migrateAtOnce[TTx]},
		{"jobs are paged and counted", pagesAndCounts[TTx]},

		{"a worker drains the queue", drains[TTx]},
		{"a request outlives River's jobs", outlivesRiver[TTx]},
		{"a paused store sends no more and goes on when resumed", pauseWithHundreds[TTx]},
		{"a stop finishes the call on its way and starts none", gracefulStop[TTx]},
		{"concurrency is respected", concurrencyRespected[TTx]},
		{"the rate is respected", rateRespected[TTx]},
		{"a failure of the database is reported, and its end", databaseFails[TTx]},
		{"an unreadable row does not affect the others", unreadableRow[TTx]},
		{"a superfluous River job does nothing", riverJobTooMany[TTx]},
		{"a payment has one open job at a time", oneAtATime[TTx]},
		{"a request comes after another", afterAnother[TTx]},
		{"a request after one that is refused is refused", afterRefused[TTx]},
		{"a row of a list after one that is refused is refused", listAfterRefused[TTx]},
		{"several requests for a payment keep their order", fileInOrder[TTx]},
		{"a request proved unsent can be withdrawn", withdrawnUnsent[TTx]},
		{"a request is changed in one transaction", changedInOneTransaction[TTx]},
		{"a decision is corrected by a later one", correctedDecision[TTx]},
		{"order code is called once for every change", hookHears[TTx]},
		{"order code that fails is called again", hookFails[TTx]},
		{"order code that fails for too long makes no false verdict", hookFailsTooLong[TTx]},
		{"order code is called for decisions in other processes", hookElsewhere[TTx]},
		{"order code that fails for one job holds up no other", hookFailsForOne[TTx]},
		{"a verdict enqueues what comes next", partialShipment[TTx]},
		{"the rate is the store's, over all processes", rateOfTheStore[TTx]},
		{"a worker stopped while it starts returns no error", stoppedAtOnce[TTx]},
		{"maintenance pauses the store until it is over", maintenancePauses[TTx]},
		{"a restored backup is detected", restoredCopy[TTx]},
		{"tables of a newer version are left alone", newerTables[TTx]},

		{"a job that River has forgotten goes on", forgottenJob[TTx]},
		{"a job that River knows is not inserted twice", notForgotten[TTx]},
		{"a fast clock delays nothing for long", clockAhead[TTx]},
	}
}

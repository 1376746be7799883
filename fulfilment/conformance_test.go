package fulfilment

import (
	"database/sql"
	"testing"

	"github.com/jackc/pgx/v5"
)

// What every database must do.
func TestConformance(t *testing.T) {
	t.Run("SQLite", func(t *testing.T) { runAll(t, conformance[*sql.Tx](), onSQLite) })
	t.Run("Postgres", func(t *testing.T) { runAll(t, conformance[pgx.Tx](), onPostgres) })
}

func conformance[TTx any]() []testCase[TTx] {
	return []testCase[TTx]{
		{"a request is carried out once", requestIsCarriedOut[TTx]},
		{"every field of a request arrives", everyFieldArrives[TTx]},
		{"a request lives and dies with the merchant's transaction", requestInTransaction[TTx]},
		{"the same request again is the same job", sameRequestAgain[TTx]},
		{"the same request from everywhere at once is one job and one capture", sameRequestAtOnce[TTx]},
		{"another request for the same payment is a conflict", conflictingRequest[TTx]},
		{"requests are recorded all or none", allOrNone[TTx]},
		{"the same requests in another order are recorded", requestsCrossing[TTx]},
		{"an invalid request names all its faults", invalidRequest[TTx]},
		{"check changes nothing", checkChangesNothing[TTx]},
		{"missing tables are told", tablesMissing[TTx]},

		{"a refusal is final", refusalIsFinal[TTx]},
		{"a request that the client finds invalid is refused", invalidAtTheClient[TTx]},
		{"an attempt is written down before its request leaves", attemptBeforeRequest[TTx]},
		{"what was not sent is sent later", notSentIsSentLater[TTx]},
		{"congestion is waited out", congestion[TTx]},
		{"maintenance is slept through", maintenance[TTx]},
		{"a fault of the store's configuration pauses it", configurationPauses[TTx]},
		{"a test approval needs review and pauses the store", testApproval[TTx]},
		{"a test's approval is no success where only production counts", testApprovalInProduction[TTx]},
		{"a test's approval by kickback is done elsewhere", testApprovalInTests[TTx]},
		{"an unknown capture or cancellation that succeeds on replay is done", replaySucceeds[TTx]},
		{"an unknown capture or cancellation that is refused on replay needs review", replayRefused[TTx]},
		{"an outcome that stays unknown needs review", replaysEnd[TTx]},
		{"an unknown re-authorisation is never sent again", unknownReAuth[TTx]},
		{"a declined re-authorisation needs review", declinedReAuth[TTx]},
		{"a panic of the gateway leaves the outcome unknown", panickingGateway[TTx]},
		{"an attempt left open is given up after its lease", leftOpen[TTx]},
		{"a late success counts, a late failure changes nothing", lateEnd[TTx]},
		{"an end that cannot be written down leaves the outcome unknown", unwrittenEnd[TTx]},
		{"two workers with the same job send once", twoWorkers[TTx]},
		{"a call on its way is not cut short by River", callOutlivesRiver[TTx]},
		{"a worker that is stopped sends nothing", stoppedWorker[TTx]},
		{"a process that was suspended sends nothing", suspended[TTx]},

		{"a kickback settles", kickbackSettles[TTx]},
		{"a kickback comes before the reply", kickbackBeforeReply[TTx]},
		{"a kickback comes in place of the reply", kickbackInPlaceOfReply[TTx]},
		{"a kickback comes after the deadline", kickbackAfterDeadline[TTx]},
		{"a kickback comes ten times at once", kickbackDuplicates[TTx]},
		{"a kickback tells of a decline", kickbackDecline[TTx]},
		{"a failure that answers an earlier attempt changes nothing", kickbackOfEarlierAttempt[TTx]},
		{"a kickback sends and pauses nothing", kickbackSendsNothing[TTx]},
		{"a kickback of what waits to be sent settles nothing", kickbackOfUnsent[TTx]},
		{"a kickback that was believed is contradicted", kickbackContradicted[TTx]},
		{"a kickback that is no job's settles nothing", kickbackOfNoJob[TTx]},
		{"a kickback that changes nothing leaves the job's time", kickbackChangesNothing[TTx]},

		{"a person decides on a review", personDecides[TTx]},
		{"a decision to send again sends again", sendAgain[TTx]},
		{"a decision names all its faults", decisionFaults[TTx]},
		{"a decision on what has changed is turned down", decisionTooLate[TTx]},
		{"an unsent job is withdrawn", withdrawal[TTx]},
		{"a refused job is sent again by a person's decision", refusedAgain[TTx]},
		{"forgetting erases what is private and nothing else", forgetting[TTx]},
		{"stores in one database do not see or pause each other", twoStores[TTx]},
		{"processes migrate at once", migrateAtOnce[TTx]},
		{"jobs are paged and counted", pagesAndCounts[TTx]},

		{"a worker drains the queue", drains[TTx]},
		{"a request outlives River's jobs", outlivesRiver[TTx]},
		{"a paused store sends no more and goes on when resumed", pauseWithHundreds[TTx]},
		{"a stop finishes the call on its way and starts none", gracefulStop[TTx]},
		{"concurrency is respected", concurrencyRespected[TTx]},
		{"the rate is respected", rateRespected[TTx]},
		{"a failure of the database is told, and its end", databaseFails[TTx]},
		{"a row that cannot be read keeps no other from going on", unreadableRow[TTx]},
		{"a River job too many does nothing", riverJobTooMany[TTx]},
		{"a payment has one open job at a time", oneAtATime[TTx]},
		{"a request comes after another", afterAnother[TTx]},
		{"a request after one that is refused is refused", afterRefused[TTx]},
		{"a row of a list after one that is refused is refused", listAfterRefused[TTx]},
		{"several requests for a payment keep their order", fileInOrder[TTx]},
		{"what is proved unsent can be taken back", withdrawnUnsent[TTx]},
		{"a request is changed in one transaction", changedInOneTransaction[TTx]},
		{"a decision is corrected by a later one", correctedDecision[TTx]},
		{"order code hears of every change once", hookHears[TTx]},
		{"order code that fails is told again", hookFails[TTx]},
		{"order code that fails for too long makes no false verdict", hookFailsTooLong[TTx]},
		{"order code hears of what others decide", hookElsewhere[TTx]},
		{"a verdict enqueues what comes next", partialShipment[TTx]},
		{"the rate is the store's, over all processes", rateOfTheStore[TTx]},
		{"a worker that is stopped while it starts returns no error", stoppedAtOnce[TTx]},
		{"maintenance pauses the store until it is over", maintenancePauses[TTx]},
		{"a restoration from an older copy is noticed", restoredCopy[TTx]},
		{"tables of a newer version are left alone", newerTables[TTx]},

		{"a job that River has forgotten goes on", forgottenJob[TTx]},
		{"River is not asked twice for what it knows", notForgotten[TTx]},
		{"a clock that ran ahead holds nothing up", clockAhead[TTx]},
	}
}

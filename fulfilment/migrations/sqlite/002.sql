-- Version 2: an order of a payment's jobs, tables of decisions and changes, and numbers of
-- jobs maintained by triggers.

-- SQLite cannot drop a constraint. The attempts are moved first, since they refer to the jobs.
CREATE TABLE jpayment_attempt_old AS SELECT * FROM jpayment_attempt;
DROP TABLE jpayment_attempt;
ALTER TABLE jpayment_job RENAME TO jpayment_job_old;
DROP INDEX jpayment_job_state;
DROP INDEX jpayment_job_batch;
DROP INDEX jpayment_job_reference;

CREATE TABLE jpayment_job (
	id             INTEGER PRIMARY KEY AUTOINCREMENT,
	store_id       TEXT    NOT NULL,
	operation      TEXT    NOT NULL,
	payment_id     TEXT    NOT NULL,
	reference      TEXT    NOT NULL,
	batch          TEXT    NOT NULL,
	amount         INTEGER NOT NULL, -- yen, like tax and shipping
	tax            INTEGER NOT NULL,
	shipping       INTEGER NOT NULL,
	private        TEXT    NOT NULL, -- e-mail, telephone and other data as JSON
	after_id       INTEGER NOT NULL DEFAULT 0, -- the ID of the job that it comes after
	waits_for      INTEGER NOT NULL DEFAULT 0, -- the same ID, as long as that job is open
	holds          INTEGER NOT NULL DEFAULT 0, -- 1 if it holds its payment, as at most one open job does
	state          TEXT    NOT NULL,
	reason         TEXT    NOT NULL DEFAULT '',
	code           TEXT    NOT NULL DEFAULT '',
	result         TEXT    NOT NULL DEFAULT '', -- JSON
	new_payment_id TEXT    NOT NULL DEFAULT '',
	attempts       INTEGER NOT NULL DEFAULT 0,
	reviewed       INTEGER NOT NULL DEFAULT 0, -- the number of attempts covered by a person's decision
	decided_by     TEXT    NOT NULL DEFAULT '', -- of the last decision, like note
	note           TEXT    NOT NULL DEFAULT '',
	disputed_at    INTEGER NOT NULL DEFAULT 0, -- when a kickback contradicted the verdict, or 0
	dispute_en     TEXT    NOT NULL DEFAULT '',
	dispute_ja     TEXT    NOT NULL DEFAULT '',
	forgotten      INTEGER NOT NULL DEFAULT 0, -- 1 if the private data have been erased
	due            INTEGER NOT NULL, -- microseconds since 1970, like all times
	created_at     INTEGER NOT NULL,
	updated_at     INTEGER NOT NULL
) STRICT;
INSERT INTO jpayment_job (id, store_id, operation, payment_id, reference, batch, amount, tax, shipping, private, after_id, waits_for, holds,
	state, reason, code, result, new_payment_id, attempts, reviewed, decided_by, note, forgotten, due, created_at, updated_at)
SELECT id, store_id, operation, payment_id, reference, batch, amount, tax, shipping, private,
	before, before, state NOT IN ('done', 'refused') AND before = 0,
	state, reason, code, result, new_payment_id, attempts, reviewed, decided_by, note, forgotten, due, created_at, updated_at
FROM (
	SELECT *, CASE WHEN state IN ('done', 'refused') THEN 0
		ELSE COALESCE(LAG(id) OVER (PARTITION BY store_id, payment_id, state IN ('done', 'refused') ORDER BY id), 0) END AS before
	FROM jpayment_job_old
) AS old ORDER BY id;
DROP TABLE jpayment_job_old;

CREATE UNIQUE INDEX jpayment_job_asked ON jpayment_job (store_id, payment_id, operation) WHERE state <> 'refused';
CREATE INDEX jpayment_job_refused ON jpayment_job (store_id, payment_id, operation) WHERE state = 'refused';
CREATE UNIQUE INDEX jpayment_job_holds ON jpayment_job (store_id, payment_id) WHERE holds = 1;
CREATE UNIQUE INDEX jpayment_job_waits_for ON jpayment_job (waits_for) WHERE waits_for <> 0;
CREATE INDEX jpayment_job_disputed ON jpayment_job (store_id, id) WHERE disputed_at <> 0;
CREATE INDEX jpayment_job_new_payment ON jpayment_job (store_id, new_payment_id) WHERE new_payment_id <> '';
CREATE INDEX jpayment_job_state ON jpayment_job (store_id, state, due) WHERE state <> 'done';
CREATE INDEX jpayment_job_batch ON jpayment_job (store_id, batch, state, due) WHERE batch <> '';
CREATE INDEX jpayment_job_reference ON jpayment_job (store_id, reference);

CREATE TABLE jpayment_attempt (
	job_id     INTEGER NOT NULL REFERENCES jpayment_job (id),
	number     INTEGER NOT NULL,
	worker     TEXT    NOT NULL,
	started_at INTEGER NOT NULL,
	ended_at   INTEGER NOT NULL DEFAULT 0, -- 0 while it is on its way
	outcome    TEXT    NOT NULL DEFAULT 'unknown',
	code       TEXT    NOT NULL DEFAULT '',
	what_en    TEXT    NOT NULL DEFAULT '',
	what_ja    TEXT    NOT NULL DEFAULT '',
	answer     TEXT    NOT NULL DEFAULT '', -- JSON: the answer, until the job is concluded
	PRIMARY KEY (job_id, number)
) STRICT;
INSERT INTO jpayment_attempt (job_id, number, worker, started_at, ended_at, outcome, code, what_en, what_ja)
SELECT job_id, number, worker, started_at, ended_at, outcome, code, what_en, what_ja FROM jpayment_attempt_old;
DROP TABLE jpayment_attempt_old;

ALTER TABLE jpayment_pause ADD COLUMN until INTEGER NOT NULL DEFAULT 0; -- 0: until Resume

-- The decisions of persons. A corrected decision is kept.
CREATE TABLE jpayment_decision (
	job_id         INTEGER NOT NULL REFERENCES jpayment_job (id),
	number         INTEGER NOT NULL,
	state          TEXT    NOT NULL,
	new_payment_id TEXT    NOT NULL,
	decided_by     TEXT    NOT NULL,
	note           TEXT    NOT NULL,
	decided_at     INTEGER NOT NULL,
	PRIMARY KEY (job_id, number)
) STRICT;
INSERT INTO jpayment_decision (job_id, number, state, new_payment_id, decided_by, note, decided_at)
SELECT id, 1, CASE WHEN reason = 'decided' THEN state ELSE 'waiting' END,
	CASE WHEN reason = 'decided' THEN new_payment_id ELSE '' END, decided_by, note, updated_at
FROM jpayment_job WHERE decided_by <> '';

-- Every change of a job to done, refused or review.
CREATE TABLE jpayment_change (
	id         INTEGER PRIMARY KEY AUTOINCREMENT,
	store_id   TEXT    NOT NULL,
	job_id     INTEGER NOT NULL,
	state      TEXT    NOT NULL,
	reason     TEXT    NOT NULL,
	changed_at INTEGER NOT NULL,
	told       INTEGER NOT NULL, -- 0 until order code has been called
	position   INTEGER           -- in the order of commits; NULL until Changes assigns it
) STRICT;
CREATE UNIQUE INDEX jpayment_change_position ON jpayment_change (store_id, position) WHERE position IS NOT NULL;
CREATE INDEX jpayment_change_new ON jpayment_change (store_id, id) WHERE position IS NULL;
CREATE INDEX jpayment_change_untold ON jpayment_change (store_id, id) WHERE told = 0;

CREATE TABLE jpayment_store (
	store_id  TEXT    NOT NULL PRIMARY KEY,
	hooked    INTEGER NOT NULL DEFAULT 0, -- 1 once a process with order code has run
	epoch     INTEGER NOT NULL DEFAULT 0, -- the number of restores
	mark      INTEGER NOT NULL DEFAULT 0, -- rises while workers run, to detect an older copy
	positions INTEGER NOT NULL DEFAULT 0, -- the last position given to a change
	slot      INTEGER NOT NULL DEFAULT 0  -- until when the rate limit has been used up
) STRICT;

-- The numbers of jobs, maintained by triggers.
CREATE TABLE jpayment_count (
	store_id TEXT    NOT NULL,
	batch    TEXT    NOT NULL,
	state    TEXT    NOT NULL,
	shard    INTEGER NOT NULL,
	jobs     INTEGER NOT NULL,
	PRIMARY KEY (store_id, batch, state, shard)
) STRICT;
INSERT INTO jpayment_count (store_id, batch, state, shard, jobs)
SELECT store_id, batch, state, 0, COUNT(*) FROM jpayment_job GROUP BY store_id, batch, state;
CREATE TRIGGER jpayment_count_insert AFTER INSERT ON jpayment_job BEGIN
	INSERT INTO jpayment_count (store_id, batch, state, shard, jobs) VALUES (new.store_id, new.batch, new.state, 0, 1)
	ON CONFLICT (store_id, batch, state, shard) DO UPDATE SET jobs = jobs + 1;
END;
CREATE TRIGGER jpayment_count_update AFTER UPDATE OF state ON jpayment_job WHEN old.state <> new.state BEGIN
	UPDATE jpayment_count SET jobs = jobs - 1 WHERE store_id = old.store_id AND batch = old.batch AND state = old.state AND shard = 0;
	INSERT INTO jpayment_count (store_id, batch, state, shard, jobs) VALUES (new.store_id, new.batch, new.state, 0, 1)
	ON CONFLICT (store_id, batch, state, shard) DO UPDATE SET jobs = jobs + 1;
END;
CREATE TRIGGER jpayment_count_delete AFTER DELETE ON jpayment_job BEGIN
	UPDATE jpayment_count SET jobs = jobs - 1 WHERE store_id = old.store_id AND batch = old.batch AND state = old.state AND shard = 0;
END;

CREATE TABLE jpayment_version (version INTEGER NOT NULL) STRICT;
INSERT INTO jpayment_version (version) VALUES (2);

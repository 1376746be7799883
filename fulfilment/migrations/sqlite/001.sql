-- The tables of version 1.
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
	state          TEXT    NOT NULL,
	reason         TEXT    NOT NULL DEFAULT '',
	code           TEXT    NOT NULL DEFAULT '',
	result         TEXT    NOT NULL DEFAULT '', -- JSON
	new_payment_id TEXT    NOT NULL DEFAULT '',
	attempts       INTEGER NOT NULL DEFAULT 0,
	reviewed       INTEGER NOT NULL DEFAULT 0, -- the number of attempts covered by a person's decision
	decided_by     TEXT    NOT NULL DEFAULT '',
	note           TEXT    NOT NULL DEFAULT '',
	forgotten      INTEGER NOT NULL DEFAULT 0, -- 1 if the private data have been erased
	due            INTEGER NOT NULL, -- microseconds since 1970, like all times
	created_at     INTEGER NOT NULL,
	updated_at     INTEGER NOT NULL,
	UNIQUE (store_id, operation, payment_id)
) STRICT;
CREATE INDEX jpayment_job_state ON jpayment_job (store_id, state, due);
CREATE INDEX jpayment_job_batch ON jpayment_job (store_id, batch, state);
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
	PRIMARY KEY (job_id, number)
) STRICT;

CREATE TABLE jpayment_pause (
	store_id  TEXT    NOT NULL PRIMARY KEY,
	paused_at INTEGER NOT NULL,
	reason    TEXT    NOT NULL,
	code      TEXT    NOT NULL,
	why_en    TEXT    NOT NULL,
	why_ja    TEXT    NOT NULL
) STRICT;

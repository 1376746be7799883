-- The tables of version 1. The schema is Config.Schema, jpayment by default.
DO $$ BEGIN -- The owner of the schema needs no privilege to create schemas.
	IF to_regnamespace('jpayment') IS NULL THEN CREATE SCHEMA jpayment; END IF;
END $$;
CREATE TABLE jpayment.jpayment_job (
	id             BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	store_id       TEXT    NOT NULL,
	operation      TEXT    NOT NULL,
	payment_id     TEXT    NOT NULL,
	reference      TEXT    NOT NULL,
	batch          TEXT    NOT NULL,
	amount         BIGINT  NOT NULL, -- yen, like tax and shipping
	tax            BIGINT  NOT NULL,
	shipping       BIGINT  NOT NULL,
	private        TEXT    NOT NULL, -- e-mail, telephone and other data as JSON
	state          TEXT    NOT NULL,
	reason         TEXT    NOT NULL DEFAULT '',
	code           TEXT    NOT NULL DEFAULT '',
	result         TEXT    NOT NULL DEFAULT '', -- JSON
	new_payment_id TEXT    NOT NULL DEFAULT '',
	attempts       BIGINT  NOT NULL DEFAULT 0,
	reviewed       BIGINT  NOT NULL DEFAULT 0, -- the number of attempts covered by a person's decision
	decided_by     TEXT    NOT NULL DEFAULT '',
	note           TEXT    NOT NULL DEFAULT '',
	forgotten      BIGINT  NOT NULL DEFAULT 0, -- 1 if the private data have been erased
	due            BIGINT  NOT NULL, -- microseconds since 1970, like all times
	created_at     BIGINT  NOT NULL,
	updated_at     BIGINT  NOT NULL,
	UNIQUE (store_id, operation, payment_id)
);
CREATE INDEX jpayment_job_state ON jpayment.jpayment_job (store_id, state, due);
CREATE INDEX jpayment_job_batch ON jpayment.jpayment_job (store_id, batch, state);
CREATE INDEX jpayment_job_reference ON jpayment.jpayment_job (store_id, reference);

CREATE TABLE jpayment.jpayment_attempt (
	job_id     BIGINT  NOT NULL REFERENCES jpayment.jpayment_job (id),
	number     BIGINT  NOT NULL,
	worker     TEXT    NOT NULL,
	started_at BIGINT  NOT NULL,
	ended_at   BIGINT  NOT NULL DEFAULT 0, -- 0 while it is on its way
	outcome    TEXT    NOT NULL DEFAULT 'unknown',
	code       TEXT    NOT NULL DEFAULT '',
	what_en    TEXT    NOT NULL DEFAULT '',
	what_ja    TEXT    NOT NULL DEFAULT '',
	PRIMARY KEY (job_id, number)
);

CREATE TABLE jpayment.jpayment_pause (
	store_id  TEXT    NOT NULL PRIMARY KEY,
	paused_at BIGINT  NOT NULL,
	reason    TEXT    NOT NULL,
	code      TEXT    NOT NULL,
	why_en    TEXT    NOT NULL,
	why_ja    TEXT    NOT NULL
);

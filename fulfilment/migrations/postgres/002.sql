-- Version 2: an order of a payment's jobs, tables of decisions and changes, and numbers of
-- jobs maintained by triggers.

ALTER TABLE jpayment.jpayment_job
	DROP CONSTRAINT jpayment_job_store_id_operation_payment_id_key,
	ADD COLUMN after_id    BIGINT NOT NULL DEFAULT 0, -- the ID of the job that it comes after
	ADD COLUMN waits_for   BIGINT NOT NULL DEFAULT 0, -- the same ID, as long as that job is open
	ADD COLUMN holds       BIGINT NOT NULL DEFAULT 0, -- 1 if it holds its payment, as at most one open job does
	ADD COLUMN disputed_at BIGINT NOT NULL DEFAULT 0, -- when a kickback contradicted the verdict, or 0
	ADD COLUMN dispute_en  TEXT   NOT NULL DEFAULT '',
	ADD COLUMN dispute_ja  TEXT   NOT NULL DEFAULT '';
UPDATE jpayment.jpayment_job AS j SET after_id = before, waits_for = before, holds = CASE WHEN before = 0 THEN 1 ELSE 0 END
FROM (
	SELECT id, COALESCE(LAG(id) OVER (PARTITION BY store_id, payment_id ORDER BY id), 0) AS before
	FROM jpayment.jpayment_job WHERE state NOT IN ('done', 'refused')
) AS open WHERE open.id = j.id;

CREATE UNIQUE INDEX jpayment_job_asked ON jpayment.jpayment_job (store_id, payment_id, operation) WHERE state <> 'refused';
CREATE INDEX jpayment_job_refused ON jpayment.jpayment_job (store_id, payment_id, operation) WHERE state = 'refused';
CREATE UNIQUE INDEX jpayment_job_holds ON jpayment.jpayment_job (store_id, payment_id) WHERE holds = 1;
CREATE UNIQUE INDEX jpayment_job_waits_for ON jpayment.jpayment_job (waits_for) WHERE waits_for <> 0;
CREATE INDEX jpayment_job_disputed ON jpayment.jpayment_job (store_id, id) WHERE disputed_at <> 0;
CREATE INDEX jpayment_job_new_payment ON jpayment.jpayment_job (store_id, new_payment_id) WHERE new_payment_id <> '';
DROP INDEX jpayment.jpayment_job_state;
CREATE INDEX jpayment_job_state ON jpayment.jpayment_job (store_id, state, due) WHERE state <> 'done';
DROP INDEX jpayment.jpayment_job_batch;
CREATE INDEX jpayment_job_batch ON jpayment.jpayment_job (store_id, batch, state, due) WHERE batch <> '';

ALTER TABLE jpayment.jpayment_attempt
	ADD COLUMN answer TEXT NOT NULL DEFAULT ''; -- JSON: the answer, until the job is concluded
ALTER TABLE jpayment.jpayment_pause
	ADD COLUMN until BIGINT NOT NULL DEFAULT 0; -- 0: until Resume

-- The decisions of persons. A corrected decision is kept.
CREATE TABLE jpayment.jpayment_decision (
	job_id         BIGINT NOT NULL REFERENCES jpayment.jpayment_job (id),
	number         BIGINT NOT NULL,
	state          TEXT   NOT NULL,
	new_payment_id TEXT   NOT NULL,
	decided_by     TEXT   NOT NULL,
	note           TEXT   NOT NULL,
	decided_at     BIGINT NOT NULL,
	PRIMARY KEY (job_id, number)
);
INSERT INTO jpayment.jpayment_decision (job_id, number, state, new_payment_id, decided_by, note, decided_at)
SELECT id, 1, CASE WHEN reason = 'decided' THEN state ELSE 'waiting' END,
	CASE WHEN reason = 'decided' THEN new_payment_id ELSE '' END, decided_by, note, updated_at
FROM jpayment.jpayment_job WHERE decided_by <> '';

-- Every change of a job to done, refused or review.
CREATE TABLE jpayment.jpayment_change (
	id         BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	store_id   TEXT   NOT NULL,
	job_id     BIGINT NOT NULL,
	state      TEXT   NOT NULL,
	reason     TEXT   NOT NULL,
	changed_at BIGINT NOT NULL,
	told       BIGINT NOT NULL, -- 0 until order code has been called
	position   BIGINT           -- in the order of commits; NULL until Changes assigns it
);
CREATE UNIQUE INDEX jpayment_change_position ON jpayment.jpayment_change (store_id, position) WHERE position IS NOT NULL;
CREATE INDEX jpayment_change_new ON jpayment.jpayment_change (store_id, id) WHERE position IS NULL;
CREATE INDEX jpayment_change_untold ON jpayment.jpayment_change (store_id, id) WHERE told = 0;

CREATE TABLE jpayment.jpayment_store (
	store_id  TEXT   NOT NULL PRIMARY KEY,
	hooked    BIGINT NOT NULL DEFAULT 0, -- 1 once a process with order code has run
	epoch     BIGINT NOT NULL DEFAULT 0, -- the number of restores
	mark      BIGINT NOT NULL DEFAULT 0, -- rises while workers run, to detect an older copy
	positions BIGINT NOT NULL DEFAULT 0, -- the last position given to a change
	slot      BIGINT NOT NULL DEFAULT 0  -- until when the rate limit has been used up
);

-- The numbers of jobs, maintained by triggers. The shards keep workers from waiting for each
-- other.
CREATE TABLE jpayment.jpayment_count (
	store_id TEXT   NOT NULL,
	batch    TEXT   NOT NULL,
	state    TEXT   NOT NULL,
	shard    BIGINT NOT NULL,
	jobs     BIGINT NOT NULL,
	PRIMARY KEY (store_id, batch, state, shard)
);
INSERT INTO jpayment.jpayment_count (store_id, batch, state, shard, jobs)
SELECT store_id, batch, state, 0, COUNT(*) FROM jpayment.jpayment_job GROUP BY store_id, batch, state;
CREATE FUNCTION jpayment.jpayment_count_jobs() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	IF TG_OP = 'INSERT' THEN
		INSERT INTO jpayment.jpayment_count AS c (store_id, batch, state, shard, jobs)
		SELECT store_id, batch, state, pg_backend_pid() % 64, COUNT(*) FROM now_jobs GROUP BY store_id, batch, state ORDER BY store_id, batch, state
		ON CONFLICT (store_id, batch, state, shard) DO UPDATE SET jobs = c.jobs + excluded.jobs;
	ELSIF TG_OP = 'UPDATE' THEN
		INSERT INTO jpayment.jpayment_count AS c (store_id, batch, state, shard, jobs)
		SELECT store_id, batch, state, pg_backend_pid() % 64, SUM(n) FROM (
			SELECT store_id, batch, state, 1 AS n FROM now_jobs UNION ALL SELECT store_id, batch, state, -1 FROM then_jobs
		) AS moved GROUP BY store_id, batch, state HAVING SUM(n) <> 0 ORDER BY store_id, batch, state
		ON CONFLICT (store_id, batch, state, shard) DO UPDATE SET jobs = c.jobs + excluded.jobs;
	ELSE
		INSERT INTO jpayment.jpayment_count AS c (store_id, batch, state, shard, jobs)
		SELECT store_id, batch, state, pg_backend_pid() % 64, -COUNT(*) FROM then_jobs GROUP BY store_id, batch, state ORDER BY store_id, batch, state
		ON CONFLICT (store_id, batch, state, shard) DO UPDATE SET jobs = c.jobs + excluded.jobs;
	END IF;
	RETURN NULL;
END $$;
CREATE TRIGGER jpayment_count_insert AFTER INSERT ON jpayment.jpayment_job
	REFERENCING NEW TABLE AS now_jobs FOR EACH STATEMENT EXECUTE FUNCTION jpayment.jpayment_count_jobs();
CREATE TRIGGER jpayment_count_update AFTER UPDATE ON jpayment.jpayment_job
	REFERENCING OLD TABLE AS then_jobs NEW TABLE AS now_jobs FOR EACH STATEMENT EXECUTE FUNCTION jpayment.jpayment_count_jobs();
CREATE TRIGGER jpayment_count_delete AFTER DELETE ON jpayment.jpayment_job
	REFERENCING OLD TABLE AS then_jobs FOR EACH STATEMENT EXECUTE FUNCTION jpayment.jpayment_count_jobs();

CREATE TABLE jpayment.jpayment_version (version BIGINT NOT NULL);
INSERT INTO jpayment.jpayment_version (version) VALUES (2);

-- A database of version 1, as sqlite3 wrote it.
PRAGMA foreign_keys=OFF;
BEGIN TRANSACTION;
CREATE TABLE jpayment_job (
	id             INTEGER PRIMARY KEY AUTOINCREMENT,
	store_id       TEXT    NOT NULL,
	operation      TEXT    NOT NULL,
	payment_id     TEXT    NOT NULL,
	reference      TEXT    NOT NULL,
	batch          TEXT    NOT NULL,
	amount         INTEGER NOT NULL, -- yen, as tax and shipping
	tax            INTEGER NOT NULL,
	shipping       INTEGER NOT NULL,
	private        TEXT    NOT NULL, -- e-mail, telephone and other data as JSON
	state          TEXT    NOT NULL,
	reason         TEXT    NOT NULL DEFAULT '',
	code           TEXT    NOT NULL DEFAULT '',
	result         TEXT    NOT NULL DEFAULT '', -- JSON
	new_payment_id TEXT    NOT NULL DEFAULT '',
	attempts       INTEGER NOT NULL DEFAULT 0,
	reviewed       INTEGER NOT NULL DEFAULT 0, -- as many attempts has a person found out about
	decided_by     TEXT    NOT NULL DEFAULT '',
	note           TEXT    NOT NULL DEFAULT '',
	forgotten      INTEGER NOT NULL DEFAULT 0, -- 1 if the private data are erased
	due            INTEGER NOT NULL, -- microseconds since 1970, as all times
	created_at     INTEGER NOT NULL,
	updated_at     INTEGER NOT NULL,
	UNIQUE (store_id, operation, payment_id)
) STRICT;
INSERT INTO jpayment_job VALUES(1,'123456','Sales','10000001','order-1','november',0,0,0,'','done','','','{"PaymentID":"10000001","Status":1,"Code":"","OrderCode":"20000001","OrderNumber":"n","Amount":1000,"Tax":80,"Shipping":500,"Total":1580,"SubscriptionID":"","ApprovalCode":"0001112","Attempts":1}','',1,0,'','',0,0,1795691461887110,1795691461892656);
INSERT INTO jpayment_job VALUES(2,'123456','ReAuth','10000002','order-2','november',900,0,0,'{"Email":"taro@example.com","Extra":{"memo":"gift"}}','done','','','{"PaymentID":"10000003","Status":1,"Code":"","OrderCode":"20000003","OrderNumber":"n","Amount":900,"Tax":0,"Shipping":0,"Total":900,"SubscriptionID":"","ApprovalCode":"0001114","Other":"memo=gift","Extra":{"memo":"gift"},"Attempts":1}','10000003',1,0,'','',0,0,1795691461899022,1795691461907331);
INSERT INTO jpayment_job VALUES(3,'123456','Sales','10000004','order-3','november',0,0,0,'','refused','code','G1242G120000','','',1,0,'','',0,0,1795691461912636,1795691461929873);
INSERT INTO jpayment_job VALUES(4,'123456','Sales','10000005','order-4','november',0,0,0,'','running','','','','',1,0,'','',0,1795691566937141,1795691461930766,1795691461937141);
INSERT INTO jpayment_job VALUES(5,'123456','Cancel','10000005','order-4','november',0,0,0,'','waiting','','','','',0,0,'','',0,1795691461938968,1795691461938968,1795691461938968);
INSERT INTO jpayment_job VALUES(6,'123456','ReAuth','10000005','order-4','november',1,0,0,'','waiting','','','','',0,0,'','',0,1795691461940008,1795691461940008,1795691461940008);
INSERT INTO jpayment_job VALUES(7,'123456','ReAuth','10000006','order-5','november',700,0,0,'','review','unanswered','','','',1,0,'','',0,0,1795691461941084,1795691461943109);
INSERT INTO jpayment_job VALUES(8,'123456','ReAuth','10000007','order-6','november',700,0,0,'','refused','decided','','','',1,1,'accounts','not in the panel',0,0,1795691461943485,1795691461945826);
INSERT INTO jpayment_job VALUES(9,'123456','Sales','10000008','order-7','november',0,0,0,'','waiting','','','','',0,0,'','',0,1795691461946127,1795691461946127,1795691461946127);
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
INSERT INTO jpayment_attempt VALUES(1,1,'worker:1',1795691461891180,1795691461892620,'done','','','');
INSERT INTO jpayment_attempt VALUES(2,1,'worker:1',1795691461903993,1795691461907298,'done','','','');
INSERT INTO jpayment_attempt VALUES(3,1,'worker:1',1795691461919125,1795691461929819,'refused','G1242G120000','G1242G120000 (the issuer declined: the card cannot be used)','G1242G120000（このカードは使用できません）');
INSERT INTO jpayment_attempt VALUES(4,1,'worker:1',1795691461937141,0,'unknown','','','');
INSERT INTO jpayment_attempt VALUES(7,1,'worker:1',1795691461942336,1795691461943068,'unknown','','no reply: error of type *errors.errorString','応答がありませんでした: *errors.errorString 型のエラー');
INSERT INTO jpayment_attempt VALUES(8,1,'worker:1',1795691461944671,1795691461945259,'unknown','','no reply: error of type *errors.errorString','応答がありませんでした: *errors.errorString 型のエラー');
CREATE TABLE jpayment_pause (
	store_id  TEXT    NOT NULL PRIMARY KEY,
	paused_at INTEGER NOT NULL,
	reason    TEXT    NOT NULL,
	code      TEXT    NOT NULL,
	why_en    TEXT    NOT NULL,
	why_ja    TEXT    NOT NULL
) STRICT;
INSERT INTO jpayment_pause VALUES('123456',1795691461947160,'','','stocktaking','stocktaking');
CREATE TABLE river_leader (
    elected_at timestamp NOT NULL,
    expires_at timestamp NOT NULL,
    leader_id text NOT NULL,
    name text PRIMARY KEY NOT NULL DEFAULT 'default' CHECK (name = 'default'),
    CONSTRAINT name_length CHECK (length(name) > 0 AND length(name) < 128),
    CONSTRAINT leader_id_length CHECK (length(leader_id) > 0 AND length(leader_id) < 128)
);
CREATE TABLE river_migration (
    line text NOT NULL,
    version integer NOT NULL,
    created_at timestamp NOT NULL DEFAULT CURRENT_TIMESTAMP,
    CONSTRAINT line_length CHECK (length(line) > 0 AND length(line) < 128),
    CONSTRAINT version_gte_1 CHECK (version >= 1),
    PRIMARY KEY (line, version)
);
INSERT INTO river_migration VALUES('main',1,'2026-11-26 11:11:01');
INSERT INTO river_migration VALUES('main',2,'2026-11-26 11:11:01');
INSERT INTO river_migration VALUES('main',3,'2026-11-26 11:11:01');
INSERT INTO river_migration VALUES('main',4,'2026-11-26 11:11:01');
INSERT INTO river_migration VALUES('main',5,'2026-11-26 11:11:01');
INSERT INTO river_migration VALUES('main',6,'2026-11-26 11:11:01');
INSERT INTO river_migration VALUES('main',7,'2026-11-26 11:11:01');
INSERT INTO river_migration VALUES('main',8,'2026-11-26 11:11:01');
CREATE TABLE river_notification (
    id integer PRIMARY KEY AUTOINCREMENT,
    created_at timestamp NOT NULL DEFAULT (datetime('now', 'subsec')),
    payload text NOT NULL,
    topic text NOT NULL,
    CONSTRAINT topic_length CHECK (length(topic) > 0 AND length(topic) < 128)
);
INSERT INTO river_notification VALUES(1,'2026-11-26 11:11:01.888','{"queue": "jpayment-123456"}','river_insert');
INSERT INTO river_notification VALUES(2,'2026-11-26 11:11:01.899','{"queue": "jpayment-123456"}','river_insert');
INSERT INTO river_notification VALUES(3,'2026-11-26 11:11:01.913','{"queue": "jpayment-123456"}','river_insert');
INSERT INTO river_notification VALUES(4,'2026-11-26 11:11:01.935','{"queue": "jpayment-123456"}','river_insert');
INSERT INTO river_notification VALUES(5,'2026-11-26 11:11:01.939','{"queue": "jpayment-123456"}','river_insert');
INSERT INTO river_notification VALUES(6,'2026-11-26 11:11:01.940','{"queue": "jpayment-123456"}','river_insert');
INSERT INTO river_notification VALUES(7,'2026-11-26 11:11:01.941','{"queue": "jpayment-123456"}','river_insert');
INSERT INTO river_notification VALUES(8,'2026-11-26 11:11:01.944','{"queue": "jpayment-123456"}','river_insert');
INSERT INTO river_notification VALUES(9,'2026-11-26 11:11:01.946','{"queue": "jpayment-123456"}','river_insert');
CREATE TABLE river_queue (
    name text PRIMARY KEY NOT NULL,
    created_at timestamp NOT NULL DEFAULT CURRENT_TIMESTAMP,
    metadata blob NOT NULL DEFAULT (jsonb('{}')),
    paused_at timestamp,
    updated_at timestamp NOT NULL DEFAULT CURRENT_TIMESTAMP
);
CREATE TABLE river_job (
    id integer PRIMARY KEY AUTOINCREMENT,
    args blob NOT NULL DEFAULT (jsonb('{}')),
    attempt integer NOT NULL DEFAULT 0,
    attempted_at timestamp,
    attempted_by blob, -- json
    created_at timestamp NOT NULL DEFAULT CURRENT_TIMESTAMP,
    errors blob, -- json
    finalized_at timestamp,
    kind text NOT NULL,
    max_attempts integer NOT NULL DEFAULT 25,
    metadata blob NOT NULL DEFAULT (jsonb('{}')),
    priority integer NOT NULL DEFAULT 1,
    queue text NOT NULL DEFAULT 'default',
    state text NOT NULL DEFAULT 'available',
    scheduled_at timestamp NOT NULL DEFAULT CURRENT_TIMESTAMP,
    tags blob NOT NULL DEFAULT (jsonb('[]')),
    unique_key blob,
    unique_states integer,
    CONSTRAINT finalized_or_finalized_at_null CHECK (
        (finalized_at IS NULL AND state NOT IN ('cancelled', 'completed', 'discarded')) OR
        (finalized_at IS NOT NULL AND state IN ('cancelled', 'completed', 'discarded'))
    ),
    CONSTRAINT priority_in_range CHECK (priority >= 1 AND priority <= 4),
    CONSTRAINT queue_length CHECK (length(queue) > 0 AND length(queue) < 128),
    CONSTRAINT kind_length CHECK (length(kind) > 0 AND length(kind) < 128),
    CONSTRAINT state_valid CHECK (state IN ('available', 'cancelled', 'completed', 'discarded', 'pending', 'retryable', 'running', 'scheduled'))
);
INSERT INTO river_job VALUES(1,X'9c676a6f625f69641331',0,NULL,NULL,'2026-11-26 11:11:01.887',NULL,NULL,'jpayment',32767,X'0c',1,'jpayment-123456','available','2026-11-26 11:11:01.887',X'0b',NULL,NULL);
INSERT INTO river_job VALUES(2,X'9c676a6f625f69641332',0,NULL,NULL,'2026-11-26 11:11:01.899',NULL,NULL,'jpayment',32767,X'0c',1,'jpayment-123456','available','2026-11-26 11:11:01.899',X'0b',NULL,NULL);
INSERT INTO river_job VALUES(3,X'9c676a6f625f69641333',0,NULL,NULL,'2026-11-26 11:11:01.913',NULL,NULL,'jpayment',32767,X'0c',1,'jpayment-123456','available','2026-11-26 11:11:01.913',X'0b',NULL,NULL);
INSERT INTO river_job VALUES(4,X'9c676a6f625f69641334',0,NULL,NULL,'2026-11-26 11:11:01.935',NULL,NULL,'jpayment',32767,X'0c',1,'jpayment-123456','available','2026-11-26 11:11:01.935',X'0b',NULL,NULL);
INSERT INTO river_job VALUES(5,X'9c676a6f625f69641335',0,NULL,NULL,'2026-11-26 11:11:01.939',NULL,NULL,'jpayment',32767,X'0c',1,'jpayment-123456','available','2026-11-26 11:11:01.939',X'0b',NULL,NULL);
INSERT INTO river_job VALUES(6,X'9c676a6f625f69641336',0,NULL,NULL,'2026-11-26 11:11:01.940',NULL,NULL,'jpayment',32767,X'0c',1,'jpayment-123456','available','2026-11-26 11:11:01.940',X'0b',NULL,NULL);
INSERT INTO river_job VALUES(7,X'9c676a6f625f69641337',0,NULL,NULL,'2026-11-26 11:11:01.941',NULL,NULL,'jpayment',32767,X'0c',1,'jpayment-123456','available','2026-11-26 11:11:01.941',X'0b',NULL,NULL);
INSERT INTO river_job VALUES(8,X'9c676a6f625f69641338',0,NULL,NULL,'2026-11-26 11:11:01.943',NULL,NULL,'jpayment',32767,X'0c',1,'jpayment-123456','available','2026-11-26 11:11:01.943',X'0b',NULL,NULL);
INSERT INTO river_job VALUES(9,X'9c676a6f625f69641339',0,NULL,NULL,'2026-11-26 11:11:01.946',NULL,NULL,'jpayment',32767,X'0c',1,'jpayment-123456','available','2026-11-26 11:11:01.946',X'0b',NULL,NULL);
DELETE FROM sqlite_sequence;
INSERT INTO sqlite_sequence VALUES('river_job',9);
INSERT INTO sqlite_sequence VALUES('jpayment_job',9);
INSERT INTO sqlite_sequence VALUES('river_notification',9);
CREATE INDEX jpayment_job_state ON jpayment_job (store_id, state, due);
CREATE INDEX jpayment_job_batch ON jpayment_job (store_id, batch, state);
CREATE INDEX jpayment_job_reference ON jpayment_job (store_id, reference);
CREATE INDEX river_notification_created_at_idx ON river_notification (created_at);
CREATE INDEX river_notification_topic_id_idx ON river_notification (topic, id);
CREATE INDEX river_job_kind ON river_job (kind);
CREATE INDEX river_job_state_and_finalized_at_index ON river_job (state, finalized_at) WHERE finalized_at IS NOT NULL;
CREATE INDEX river_job_prioritized_fetching_index ON river_job (state, queue, priority, scheduled_at, id);
CREATE UNIQUE INDEX river_job_unique_idx ON river_job (unique_key)
    WHERE unique_key IS NOT NULL
        AND unique_states IS NOT NULL
        AND CASE state
            WHEN 'available' THEN unique_states & (1 << 0)
            WHEN 'cancelled' THEN unique_states & (1 << 1)
            WHEN 'completed' THEN unique_states & (1 << 2)
            WHEN 'discarded' THEN unique_states & (1 << 3)
            WHEN 'pending'   THEN unique_states & (1 << 4)
            WHEN 'retryable' THEN unique_states & (1 << 5)
            WHEN 'running'   THEN unique_states & (1 << 6)
            WHEN 'scheduled' THEN unique_states & (1 << 7)
            ELSE 0
        END >= 1;
COMMIT;

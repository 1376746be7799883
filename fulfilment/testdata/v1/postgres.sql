-- A database of version 1, as pg_dump wrote it.
SET statement_timeout = 0;
SET lock_timeout = 0;
SET idle_in_transaction_session_timeout = 0;
SET client_encoding = 'UTF8';
SET standard_conforming_strings = on;
SET check_function_bodies = false;
SET xmloption = content;
SET client_min_messages = warning;
SET row_security = off;
CREATE SCHEMA jpayment;
CREATE TYPE jpayment.river_job_state AS ENUM (
    'available',
    'cancelled',
    'completed',
    'discarded',
    'pending',
    'retryable',
    'running',
    'scheduled'
);
CREATE FUNCTION jpayment.river_job_state_in_bitmask(bitmask bit, state jpayment.river_job_state) RETURNS boolean
    LANGUAGE sql IMMUTABLE
    AS $$
    SELECT CASE state
        WHEN 'available' THEN get_bit(bitmask, 7)
        WHEN 'cancelled' THEN get_bit(bitmask, 6)
        WHEN 'completed' THEN get_bit(bitmask, 5)
        WHEN 'discarded' THEN get_bit(bitmask, 4)
        WHEN 'pending'   THEN get_bit(bitmask, 3)
        WHEN 'retryable' THEN get_bit(bitmask, 2)
        WHEN 'running'   THEN get_bit(bitmask, 1)
        WHEN 'scheduled' THEN get_bit(bitmask, 0)
        ELSE 0
    END = 1;
$$;
SET default_tablespace = '';
SET default_table_access_method = heap;
CREATE TABLE jpayment.jpayment_attempt (
    job_id bigint NOT NULL,
    number bigint NOT NULL,
    worker text NOT NULL,
    started_at bigint NOT NULL,
    ended_at bigint DEFAULT 0 NOT NULL,
    outcome text DEFAULT 'unknown'::text NOT NULL,
    code text DEFAULT ''::text NOT NULL,
    what_en text DEFAULT ''::text NOT NULL,
    what_ja text DEFAULT ''::text NOT NULL
);
CREATE TABLE jpayment.jpayment_job (
    id bigint NOT NULL,
    store_id text NOT NULL,
    operation text NOT NULL,
    payment_id text NOT NULL,
    reference text NOT NULL,
    batch text NOT NULL,
    amount bigint NOT NULL,
    tax bigint NOT NULL,
    shipping bigint NOT NULL,
    private text NOT NULL,
    state text NOT NULL,
    reason text DEFAULT ''::text NOT NULL,
    code text DEFAULT ''::text NOT NULL,
    result text DEFAULT ''::text NOT NULL,
    new_payment_id text DEFAULT ''::text NOT NULL,
    attempts bigint DEFAULT 0 NOT NULL,
    reviewed bigint DEFAULT 0 NOT NULL,
    decided_by text DEFAULT ''::text NOT NULL,
    note text DEFAULT ''::text NOT NULL,
    forgotten bigint DEFAULT 0 NOT NULL,
    due bigint NOT NULL,
    created_at bigint NOT NULL,
    updated_at bigint NOT NULL
);
ALTER TABLE jpayment.jpayment_job ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME jpayment.jpayment_job_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE jpayment.jpayment_pause (
    store_id text NOT NULL,
    paused_at bigint NOT NULL,
    reason text NOT NULL,
    code text NOT NULL,
    why_en text NOT NULL,
    why_ja text NOT NULL
);
CREATE TABLE jpayment.river_job (
    id bigint NOT NULL,
    state jpayment.river_job_state DEFAULT 'available'::jpayment.river_job_state NOT NULL,
    attempt smallint DEFAULT 0 NOT NULL,
    max_attempts smallint DEFAULT 25 NOT NULL,
    attempted_at timestamp with time zone,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    finalized_at timestamp with time zone,
    scheduled_at timestamp with time zone DEFAULT now() NOT NULL,
    priority smallint DEFAULT 1 NOT NULL,
    args jsonb NOT NULL,
    attempted_by text[],
    errors jsonb[],
    kind text NOT NULL,
    metadata jsonb DEFAULT '{}'::jsonb NOT NULL,
    queue text DEFAULT 'default'::text NOT NULL,
    tags character varying(255)[] DEFAULT '{}'::character varying[] NOT NULL,
    unique_key bytea,
    unique_states bit(8),
    CONSTRAINT finalized_or_finalized_at_null CHECK ((((finalized_at IS NULL) AND (state <> ALL (ARRAY['cancelled'::jpayment.river_job_state, 'completed'::jpayment.river_job_state, 'discarded'::jpayment.river_job_state]))) OR ((finalized_at IS NOT NULL) AND (state = ANY (ARRAY['cancelled'::jpayment.river_job_state, 'completed'::jpayment.river_job_state, 'discarded'::jpayment.river_job_state]))))),
    CONSTRAINT kind_length CHECK (((char_length(kind) > 0) AND (char_length(kind) < 128))),
    CONSTRAINT max_attempts_is_positive CHECK ((max_attempts > 0)),
    CONSTRAINT priority_in_range CHECK (((priority >= 1) AND (priority <= 4))),
    CONSTRAINT queue_length CHECK (((char_length(queue) > 0) AND (char_length(queue) < 128)))
);
CREATE SEQUENCE jpayment.river_job_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE jpayment.river_job_id_seq OWNED BY jpayment.river_job.id;
CREATE UNLOGGED TABLE jpayment.river_leader (
    elected_at timestamp with time zone NOT NULL,
    expires_at timestamp with time zone NOT NULL,
    leader_id text NOT NULL,
    name text DEFAULT 'default'::text NOT NULL,
    CONSTRAINT leader_id_length CHECK (((char_length(leader_id) > 0) AND (char_length(leader_id) < 128))),
    CONSTRAINT name_length CHECK ((name = 'default'::text))
);
CREATE TABLE jpayment.river_migration (
    line text NOT NULL,
    version bigint NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT line_length CHECK (((char_length(line) > 0) AND (char_length(line) < 128))),
    CONSTRAINT version_gte_1 CHECK ((version >= 1))
);
CREATE TABLE jpayment.river_notification (
    id bigint NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    payload text NOT NULL,
    topic text NOT NULL,
    CONSTRAINT topic_length CHECK (((length(topic) > 0) AND (length(topic) < 128)))
);
CREATE SEQUENCE jpayment.river_notification_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE jpayment.river_notification_id_seq OWNED BY jpayment.river_notification.id;
CREATE TABLE jpayment.river_queue (
    name text NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    metadata jsonb DEFAULT '{}'::jsonb NOT NULL,
    paused_at timestamp with time zone,
    updated_at timestamp with time zone DEFAULT CURRENT_TIMESTAMP NOT NULL
);
ALTER TABLE ONLY jpayment.river_job ALTER COLUMN id SET DEFAULT nextval('jpayment.river_job_id_seq'::regclass);
ALTER TABLE ONLY jpayment.river_notification ALTER COLUMN id SET DEFAULT nextval('jpayment.river_notification_id_seq'::regclass);
INSERT INTO jpayment.jpayment_attempt VALUES (1, 1, 'worker:1', 1795691462259811, 1795691462261969, 'done', '', '', '');
INSERT INTO jpayment.jpayment_attempt VALUES (2, 1, 'worker:1', 1795691462267778, 1795691462271063, 'done', '', '', '');
INSERT INTO jpayment.jpayment_attempt VALUES (3, 1, 'worker:1', 1795691462272732, 1795691462275459, 'refused', 'G1242G120000', 'G1242G120000 (the issuer declined: the card cannot be used)', 'G1242G120000（このカードは使用できません）');
INSERT INTO jpayment.jpayment_attempt VALUES (4, 1, 'worker:1', 1795691462277285, 0, 'unknown', '', '', '');
INSERT INTO jpayment.jpayment_attempt VALUES (7, 1, 'worker:1', 1795691462283025, 1795691462285162, 'unknown', '', 'no reply: error of type *errors.errorString', '応答がありませんでした: *errors.errorString 型のエラー');
INSERT INTO jpayment.jpayment_attempt VALUES (8, 1, 'worker:1', 1795691462287316, 1795691462288654, 'unknown', '', 'no reply: error of type *errors.errorString', '応答がありませんでした: *errors.errorString 型のエラー');
INSERT INTO jpayment.jpayment_job OVERRIDING SYSTEM VALUE VALUES (1, '123456', 'Sales', '10000001', 'order-1', 'november', 0, 0, 0, '', 'done', '', '', '{"PaymentID":"10000001","Status":1,"Code":"","OrderCode":"20000001","OrderNumber":"n","Amount":1000,"Tax":80,"Shipping":500,"Total":1580,"SubscriptionID":"","ApprovalCode":"0001112","Attempts":1}', '', 1, 0, '', '', 0, 0, 1795691462256668, 1795691462262943);
INSERT INTO jpayment.jpayment_job OVERRIDING SYSTEM VALUE VALUES (2, '123456', 'ReAuth', '10000002', 'order-2', 'november', 900, 0, 0, '{"Email":"taro@example.com","Extra":{"memo":"gift"}}', 'done', '', '', '{"PaymentID":"10000003","Status":1,"Code":"","OrderCode":"20000003","OrderNumber":"n","Amount":900,"Tax":0,"Shipping":0,"Total":900,"SubscriptionID":"","ApprovalCode":"0001114","Other":"memo=gift","Extra":{"memo":"gift"},"Attempts":1}', '10000003', 1, 0, '', '', 0, 0, 1795691462264089, 1795691462271170);
INSERT INTO jpayment.jpayment_job OVERRIDING SYSTEM VALUE VALUES (3, '123456', 'Sales', '10000004', 'order-3', 'november', 0, 0, 0, '', 'refused', 'code', 'G1242G120000', '', '', 1, 0, '', '', 0, 0, 1795691462271731, 1795691462275571);
INSERT INTO jpayment.jpayment_job OVERRIDING SYSTEM VALUE VALUES (4, '123456', 'Sales', '10000005', 'order-4', 'november', 0, 0, 0, '', 'running', '', '', '', '', 1, 0, '', '', 0, 1795691567277285, 1795691462275919, 1795691462277285);
INSERT INTO jpayment.jpayment_job OVERRIDING SYSTEM VALUE VALUES (5, '123456', 'Cancel', '10000005', 'order-4', 'november', 0, 0, 0, '', 'waiting', '', '', '', '', 0, 0, '', '', 0, 1795691462277772, 1795691462277772, 1795691462277772);
INSERT INTO jpayment.jpayment_job OVERRIDING SYSTEM VALUE VALUES (6, '123456', 'ReAuth', '10000005', 'order-4', 'november', 1, 0, 0, '', 'waiting', '', '', '', '', 0, 0, '', '', 0, 1795691462278942, 1795691462278942, 1795691462278942);
INSERT INTO jpayment.jpayment_job OVERRIDING SYSTEM VALUE VALUES (7, '123456', 'ReAuth', '10000006', 'order-5', 'november', 700, 0, 0, '', 'review', 'unanswered', '', '', '', 1, 0, '', '', 0, 0, 1795691462280658, 1795691462285290);
INSERT INTO jpayment.jpayment_job OVERRIDING SYSTEM VALUE VALUES (8, '123456', 'ReAuth', '10000007', 'order-6', 'november', 700, 0, 0, '', 'refused', 'decided', '', '', '', 1, 1, 'accounts', 'not in the panel', 0, 0, 1795691462285573, 1795691462289213);
INSERT INTO jpayment.jpayment_job OVERRIDING SYSTEM VALUE VALUES (9, '123456', 'Sales', '10000008', 'order-7', 'november', 0, 0, 0, '', 'waiting', '', '', '', '', 0, 0, '', '', 0, 1795691462291206, 1795691462291206, 1795691462291206);
INSERT INTO jpayment.jpayment_pause VALUES ('123456', 1795691462292573, '', '', 'stocktaking', 'stocktaking');
INSERT INTO jpayment.river_job VALUES (1, 'available', 0, 32767, NULL, '2026-11-26 11:11:02.257363+00', NULL, '2026-11-26 11:11:02.257363+00', 1, '{"job_id": 1}', NULL, NULL, 'jpayment', '{}', 'jpayment-123456', '{}', NULL, NULL);
INSERT INTO jpayment.river_job VALUES (2, 'available', 0, 32767, NULL, '2026-11-26 11:11:02.265488+00', NULL, '2026-11-26 11:11:02.265488+00', 1, '{"job_id": 2}', NULL, NULL, 'jpayment', '{}', 'jpayment-123456', '{}', NULL, NULL);
INSERT INTO jpayment.river_job VALUES (3, 'available', 0, 32767, NULL, '2026-11-26 11:11:02.271882+00', NULL, '2026-11-26 11:11:02.271882+00', 1, '{"job_id": 3}', NULL, NULL, 'jpayment', '{}', 'jpayment-123456', '{}', NULL, NULL);
INSERT INTO jpayment.river_job VALUES (4, 'available', 0, 32767, NULL, '2026-11-26 11:11:02.276067+00', NULL, '2026-11-26 11:11:02.276067+00', 1, '{"job_id": 4}', NULL, NULL, 'jpayment', '{}', 'jpayment-123456', '{}', NULL, NULL);
INSERT INTO jpayment.river_job VALUES (5, 'available', 0, 32767, NULL, '2026-11-26 11:11:02.277891+00', NULL, '2026-11-26 11:11:02.277891+00', 1, '{"job_id": 5}', NULL, NULL, 'jpayment', '{}', 'jpayment-123456', '{}', NULL, NULL);
INSERT INTO jpayment.river_job VALUES (6, 'available', 0, 32767, NULL, '2026-11-26 11:11:02.279094+00', NULL, '2026-11-26 11:11:02.279094+00', 1, '{"job_id": 6}', NULL, NULL, 'jpayment', '{}', 'jpayment-123456', '{}', NULL, NULL);
INSERT INTO jpayment.river_job VALUES (7, 'available', 0, 32767, NULL, '2026-11-26 11:11:02.280787+00', NULL, '2026-11-26 11:11:02.280787+00', 1, '{"job_id": 7}', NULL, NULL, 'jpayment', '{}', 'jpayment-123456', '{}', NULL, NULL);
INSERT INTO jpayment.river_job VALUES (8, 'available', 0, 32767, NULL, '2026-11-26 11:11:02.28566+00', NULL, '2026-11-26 11:11:02.28566+00', 1, '{"job_id": 8}', NULL, NULL, 'jpayment', '{}', 'jpayment-123456', '{}', NULL, NULL);
INSERT INTO jpayment.river_job VALUES (9, 'available', 0, 32767, NULL, '2026-11-26 11:11:02.291312+00', NULL, '2026-11-26 11:11:02.291312+00', 1, '{"job_id": 9}', NULL, NULL, 'jpayment', '{}', 'jpayment-123456', '{}', NULL, NULL);
INSERT INTO jpayment.river_migration VALUES ('main', 1, '2026-11-26 11:11:02.097125+00');
INSERT INTO jpayment.river_migration VALUES ('main', 2, '2026-11-26 11:11:02.116952+00');
INSERT INTO jpayment.river_migration VALUES ('main', 3, '2026-11-26 11:11:02.158023+00');
INSERT INTO jpayment.river_migration VALUES ('main', 4, '2026-11-26 11:11:02.168804+00');
INSERT INTO jpayment.river_migration VALUES ('main', 5, '2026-11-26 11:11:02.186978+00');
INSERT INTO jpayment.river_migration VALUES ('main', 6, '2026-11-26 11:11:02.235704+00');
INSERT INTO jpayment.river_migration VALUES ('main', 7, '2026-11-26 11:11:02.241624+00');
INSERT INTO jpayment.river_migration VALUES ('main', 8, '2026-11-26 11:11:02.255942+00');
SELECT pg_catalog.setval('jpayment.jpayment_job_id_seq', 9, true);
SELECT pg_catalog.setval('jpayment.river_job_id_seq', 9, true);
SELECT pg_catalog.setval('jpayment.river_notification_id_seq', 1, false);
ALTER TABLE ONLY jpayment.jpayment_attempt
    ADD CONSTRAINT jpayment_attempt_pkey PRIMARY KEY (job_id, number);
ALTER TABLE ONLY jpayment.jpayment_job
    ADD CONSTRAINT jpayment_job_pkey PRIMARY KEY (id);
ALTER TABLE ONLY jpayment.jpayment_job
    ADD CONSTRAINT jpayment_job_store_id_operation_payment_id_key UNIQUE (store_id, operation, payment_id);
ALTER TABLE ONLY jpayment.jpayment_pause
    ADD CONSTRAINT jpayment_pause_pkey PRIMARY KEY (store_id);
ALTER TABLE ONLY jpayment.river_job
    ADD CONSTRAINT river_job_pkey PRIMARY KEY (id);
ALTER TABLE ONLY jpayment.river_leader
    ADD CONSTRAINT river_leader_pkey PRIMARY KEY (name);
ALTER TABLE ONLY jpayment.river_migration
    ADD CONSTRAINT river_migration_pkey1 PRIMARY KEY (line, version);
ALTER TABLE ONLY jpayment.river_notification
    ADD CONSTRAINT river_notification_pkey PRIMARY KEY (id);
ALTER TABLE ONLY jpayment.river_queue
    ADD CONSTRAINT river_queue_pkey PRIMARY KEY (name);
CREATE INDEX jpayment_job_batch ON jpayment.jpayment_job USING btree (store_id, batch, state);
CREATE INDEX jpayment_job_reference ON jpayment.jpayment_job USING btree (store_id, reference);
CREATE INDEX jpayment_job_state ON jpayment.jpayment_job USING btree (store_id, state, due);
CREATE INDEX river_job_args_index ON jpayment.river_job USING gin (args);
CREATE INDEX river_job_kind ON jpayment.river_job USING btree (kind);
CREATE INDEX river_job_metadata_index ON jpayment.river_job USING gin (metadata);
CREATE INDEX river_job_prioritized_fetching_index ON jpayment.river_job USING btree (state, queue, priority, scheduled_at, id);
CREATE INDEX river_job_state_and_finalized_at_index ON jpayment.river_job USING btree (state, finalized_at) WHERE (finalized_at IS NOT NULL);
CREATE UNIQUE INDEX river_job_unique_idx ON jpayment.river_job USING btree (unique_key) WHERE ((unique_key IS NOT NULL) AND (unique_states IS NOT NULL) AND jpayment.river_job_state_in_bitmask(unique_states, state));
CREATE INDEX river_notification_created_at_idx ON jpayment.river_notification USING btree (created_at);
CREATE INDEX river_notification_topic_id_idx ON jpayment.river_notification USING btree (topic, id);
ALTER TABLE ONLY jpayment.jpayment_attempt
    ADD CONSTRAINT jpayment_attempt_job_id_fkey FOREIGN KEY (job_id) REFERENCES jpayment.jpayment_job(id);

SET statement_timeout = 0;
SET lock_timeout = 0;
SET idle_in_transaction_session_timeout = 0;
SET transaction_timeout = 0;
SET client_encoding = 'UTF8';
SET standard_conforming_strings = on;
SELECT pg_catalog.set_config('search_path', '', false);
SET check_function_bodies = false;
SET xmloption = content;
SET client_min_messages = warning;
SET row_security = off;
CREATE FUNCTION public.fk_attempt_case_id_added() RETURNS trigger
    LANGUAGE plpgsql
    SET enable_hashjoin TO 'off'
    SET enable_mergejoin TO 'off'
    AS $$
            BEGIN
                IF EXISTS (
                    SELECT FROM fresh WHERE case_id IS NOT NULL
                    AND NOT EXISTS (SELECT FROM "case" AS parent WHERE parent.id = fresh.case_id)
                ) THEN RAISE foreign_key_violation USING MESSAGE = 'attempt.case_id names no case', TABLE = 'attempt', COLUMN = 'case_id', CONSTRAINT = 'fk_attempt_case_id'; END IF;
                RETURN NULL;
            END
            $$;
CREATE FUNCTION public.fk_attempt_case_id_changed() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
            BEGIN
                IF NOT EXISTS (SELECT FROM "case" WHERE id = NEW.case_id) THEN RAISE foreign_key_violation USING MESSAGE = 'attempt.case_id names no case', TABLE = 'attempt', COLUMN = 'case_id', CONSTRAINT = 'fk_attempt_case_id'; END IF;
                RETURN NULL;
            END
            $$;
CREATE FUNCTION public.fk_attempt_case_id_orphaned() RETURNS trigger
    LANGUAGE plpgsql
    SET enable_hashjoin TO 'off'
    SET enable_mergejoin TO 'off'
    AS $$
            BEGIN
                IF EXISTS (SELECT FROM gone JOIN "attempt" AS child ON child.case_id = gone.id) THEN
                    RAISE foreign_key_violation USING MESSAGE = 'case is still named by attempt.case_id',
                    TABLE = 'attempt', COLUMN = 'case_id', CONSTRAINT = 'fk_attempt_case_id';
                END IF;
                RETURN NULL;
            END
            $$;
CREATE FUNCTION public.fk_case_load_id_added() RETURNS trigger
    LANGUAGE plpgsql
    SET enable_hashjoin TO 'off'
    SET enable_mergejoin TO 'off'
    AS $$
            BEGIN
                IF EXISTS (
                    SELECT FROM fresh WHERE load_id IS NOT NULL
                    AND NOT EXISTS (SELECT FROM "list_load" AS parent WHERE parent.id = fresh.load_id)
                ) THEN RAISE foreign_key_violation USING MESSAGE = 'case.load_id names no list_load', TABLE = 'case', COLUMN = 'load_id', CONSTRAINT = 'fk_case_load_id'; END IF;
                RETURN NULL;
            END
            $$;
CREATE FUNCTION public.fk_case_load_id_changed() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
            BEGIN
                IF NOT EXISTS (SELECT FROM "list_load" WHERE id = NEW.load_id) THEN RAISE foreign_key_violation USING MESSAGE = 'case.load_id names no list_load', TABLE = 'case', COLUMN = 'load_id', CONSTRAINT = 'fk_case_load_id'; END IF;
                RETURN NULL;
            END
            $$;
CREATE FUNCTION public.fk_case_load_id_orphaned() RETURNS trigger
    LANGUAGE plpgsql
    SET enable_hashjoin TO 'off'
    SET enable_mergejoin TO 'off'
    AS $$
            BEGIN
                IF EXISTS (SELECT FROM gone JOIN "case" AS child ON child.load_id = gone.id) THEN
                    RAISE foreign_key_violation USING MESSAGE = 'list_load is still named by case.load_id',
                    TABLE = 'case', COLUMN = 'load_id', CONSTRAINT = 'fk_case_load_id';
                END IF;
                RETURN NULL;
            END
            $$;
CREATE FUNCTION public.fk_case_person_id_added() RETURNS trigger
    LANGUAGE plpgsql
    SET enable_hashjoin TO 'off'
    SET enable_mergejoin TO 'off'
    AS $$
            BEGIN
                IF EXISTS (
                    SELECT FROM fresh WHERE person_id IS NOT NULL
                    AND NOT EXISTS (SELECT FROM "person" AS parent WHERE parent.id = fresh.person_id)
                ) THEN RAISE foreign_key_violation USING MESSAGE = 'case.person_id names no person', TABLE = 'case', COLUMN = 'person_id', CONSTRAINT = 'fk_case_person_id'; END IF;
                RETURN NULL;
            END
            $$;
CREATE FUNCTION public.fk_case_person_id_changed() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
            BEGIN
                IF NOT EXISTS (SELECT FROM "person" WHERE id = NEW.person_id) THEN RAISE foreign_key_violation USING MESSAGE = 'case.person_id names no person', TABLE = 'case', COLUMN = 'person_id', CONSTRAINT = 'fk_case_person_id'; END IF;
                RETURN NULL;
            END
            $$;
CREATE FUNCTION public.fk_case_person_id_orphaned() RETURNS trigger
    LANGUAGE plpgsql
    SET enable_hashjoin TO 'off'
    SET enable_mergejoin TO 'off'
    AS $$
            BEGIN
                IF EXISTS (SELECT FROM gone JOIN "case" AS child ON child.person_id = gone.id) THEN
                    RAISE foreign_key_violation USING MESSAGE = 'person is still named by case.person_id',
                    TABLE = 'case', COLUMN = 'person_id', CONSTRAINT = 'fk_case_person_id';
                END IF;
                RETURN NULL;
            END
            $$;
CREATE FUNCTION public.fk_case_policy_version_added() RETURNS trigger
    LANGUAGE plpgsql
    SET enable_hashjoin TO 'off'
    SET enable_mergejoin TO 'off'
    AS $$
            BEGIN
                IF EXISTS (
                    SELECT FROM fresh WHERE policy_version IS NOT NULL
                    AND NOT EXISTS (SELECT FROM "policy_version" AS parent WHERE parent.version = fresh.policy_version)
                ) THEN RAISE foreign_key_violation USING MESSAGE = 'case.policy_version names no policy_version', TABLE = 'case', COLUMN = 'policy_version', CONSTRAINT = 'fk_case_policy_version'; END IF;
                RETURN NULL;
            END
            $$;
CREATE FUNCTION public.fk_case_policy_version_changed() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
            BEGIN
                IF NOT EXISTS (SELECT FROM "policy_version" WHERE version = NEW.policy_version) THEN RAISE foreign_key_violation USING MESSAGE = 'case.policy_version names no policy_version', TABLE = 'case', COLUMN = 'policy_version', CONSTRAINT = 'fk_case_policy_version'; END IF;
                RETURN NULL;
            END
            $$;
CREATE FUNCTION public.fk_case_policy_version_orphaned() RETURNS trigger
    LANGUAGE plpgsql
    SET enable_hashjoin TO 'off'
    SET enable_mergejoin TO 'off'
    AS $$
            BEGIN
                IF EXISTS (SELECT FROM gone JOIN "case" AS child ON child.policy_version = gone.version) THEN
                    RAISE foreign_key_violation USING MESSAGE = 'policy_version is still named by case.policy_version',
                    TABLE = 'case', COLUMN = 'policy_version', CONSTRAINT = 'fk_case_policy_version';
                END IF;
                RETURN NULL;
            END
            $$;
CREATE FUNCTION public.fk_person_key_person_id_added() RETURNS trigger
    LANGUAGE plpgsql
    SET enable_hashjoin TO 'off'
    SET enable_mergejoin TO 'off'
    AS $$
            BEGIN
                IF EXISTS (
                    SELECT FROM fresh WHERE person_id IS NOT NULL
                    AND NOT EXISTS (SELECT FROM "person" AS parent WHERE parent.id = fresh.person_id)
                ) THEN RAISE foreign_key_violation USING MESSAGE = 'person_key.person_id names no person', TABLE = 'person_key', COLUMN = 'person_id', CONSTRAINT = 'fk_person_key_person_id'; END IF;
                RETURN NULL;
            END
            $$;
CREATE FUNCTION public.fk_person_key_person_id_changed() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
            BEGIN
                IF NOT EXISTS (SELECT FROM "person" WHERE id = NEW.person_id) THEN RAISE foreign_key_violation USING MESSAGE = 'person_key.person_id names no person', TABLE = 'person_key', COLUMN = 'person_id', CONSTRAINT = 'fk_person_key_person_id'; END IF;
                RETURN NULL;
            END
            $$;
CREATE FUNCTION public.fk_person_key_person_id_orphaned() RETURNS trigger
    LANGUAGE plpgsql
    SET enable_hashjoin TO 'off'
    SET enable_mergejoin TO 'off'
    AS $$
            BEGIN
                IF EXISTS (SELECT FROM gone JOIN "person_key" AS child ON child.person_id = gone.id) THEN
                    RAISE foreign_key_violation USING MESSAGE = 'person is still named by person_key.person_id',
                    TABLE = 'person_key', COLUMN = 'person_id', CONSTRAINT = 'fk_person_key_person_id';
                END IF;
                RETURN NULL;
            END
            $$;
CREATE FUNCTION public.fk_person_phone_person_id_added() RETURNS trigger
    LANGUAGE plpgsql
    SET enable_hashjoin TO 'off'
    SET enable_mergejoin TO 'off'
    AS $$
            BEGIN
                IF EXISTS (
                    SELECT FROM fresh WHERE person_id IS NOT NULL
                    AND NOT EXISTS (SELECT FROM "person" AS parent WHERE parent.id = fresh.person_id)
                ) THEN RAISE foreign_key_violation USING MESSAGE = 'person_phone.person_id names no person', TABLE = 'person_phone', COLUMN = 'person_id', CONSTRAINT = 'fk_person_phone_person_id'; END IF;
                RETURN NULL;
            END
            $$;
CREATE FUNCTION public.fk_person_phone_person_id_changed() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
            BEGIN
                IF NOT EXISTS (SELECT FROM "person" WHERE id = NEW.person_id) THEN RAISE foreign_key_violation USING MESSAGE = 'person_phone.person_id names no person', TABLE = 'person_phone', COLUMN = 'person_id', CONSTRAINT = 'fk_person_phone_person_id'; END IF;
                RETURN NULL;
            END
            $$;
CREATE FUNCTION public.fk_person_phone_person_id_orphaned() RETURNS trigger
    LANGUAGE plpgsql
    SET enable_hashjoin TO 'off'
    SET enable_mergejoin TO 'off'
    AS $$
            BEGIN
                IF EXISTS (SELECT FROM gone JOIN "person_phone" AS child ON child.person_id = gone.id) THEN
                    RAISE foreign_key_violation USING MESSAGE = 'person is still named by person_phone.person_id',
                    TABLE = 'person_phone', COLUMN = 'person_id', CONSTRAINT = 'fk_person_phone_person_id';
                END IF;
                RETURN NULL;
            END
            $$;
CREATE FUNCTION public.fk_warning_case_id_added() RETURNS trigger
    LANGUAGE plpgsql
    SET enable_hashjoin TO 'off'
    SET enable_mergejoin TO 'off'
    AS $$
            BEGIN
                IF EXISTS (
                    SELECT FROM fresh WHERE case_id IS NOT NULL
                    AND NOT EXISTS (SELECT FROM "case" AS parent WHERE parent.id = fresh.case_id)
                ) THEN RAISE foreign_key_violation USING MESSAGE = 'warning.case_id names no case', TABLE = 'warning', COLUMN = 'case_id', CONSTRAINT = 'fk_warning_case_id'; END IF;
                RETURN NULL;
            END
            $$;
CREATE FUNCTION public.fk_warning_case_id_changed() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
            BEGIN
                IF NOT EXISTS (SELECT FROM "case" WHERE id = NEW.case_id) THEN RAISE foreign_key_violation USING MESSAGE = 'warning.case_id names no case', TABLE = 'warning', COLUMN = 'case_id', CONSTRAINT = 'fk_warning_case_id'; END IF;
                RETURN NULL;
            END
            $$;
CREATE FUNCTION public.fk_warning_case_id_orphaned() RETURNS trigger
    LANGUAGE plpgsql
    SET enable_hashjoin TO 'off'
    SET enable_mergejoin TO 'off'
    AS $$
            BEGIN
                IF EXISTS (SELECT FROM gone JOIN "warning" AS child ON child.case_id = gone.id) THEN
                    RAISE foreign_key_violation USING MESSAGE = 'case is still named by warning.case_id',
                    TABLE = 'warning', COLUMN = 'case_id', CONSTRAINT = 'fk_warning_case_id';
                END IF;
                RETURN NULL;
            END
            $$;
CREATE FUNCTION public.fk_warning_load_id_added() RETURNS trigger
    LANGUAGE plpgsql
    SET enable_hashjoin TO 'off'
    SET enable_mergejoin TO 'off'
    AS $$
            BEGIN
                IF EXISTS (
                    SELECT FROM fresh WHERE load_id IS NOT NULL
                    AND NOT EXISTS (SELECT FROM "list_load" AS parent WHERE parent.id = fresh.load_id)
                ) THEN RAISE foreign_key_violation USING MESSAGE = 'warning.load_id names no list_load', TABLE = 'warning', COLUMN = 'load_id', CONSTRAINT = 'fk_warning_load_id'; END IF;
                RETURN NULL;
            END
            $$;
CREATE FUNCTION public.fk_warning_load_id_changed() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
            BEGIN
                IF NOT EXISTS (SELECT FROM "list_load" WHERE id = NEW.load_id) THEN RAISE foreign_key_violation USING MESSAGE = 'warning.load_id names no list_load', TABLE = 'warning', COLUMN = 'load_id', CONSTRAINT = 'fk_warning_load_id'; END IF;
                RETURN NULL;
            END
            $$;
CREATE FUNCTION public.fk_warning_load_id_orphaned() RETURNS trigger
    LANGUAGE plpgsql
    SET enable_hashjoin TO 'off'
    SET enable_mergejoin TO 'off'
    AS $$
            BEGIN
                IF EXISTS (SELECT FROM gone JOIN "warning" AS child ON child.load_id = gone.id) THEN
                    RAISE foreign_key_violation USING MESSAGE = 'list_load is still named by warning.load_id',
                    TABLE = 'warning', COLUMN = 'load_id', CONSTRAINT = 'fk_warning_load_id';
                END IF;
                RETURN NULL;
            END
            $$;
CREATE FUNCTION public.open_added() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
            BEGIN
                INSERT INTO open_change SELECT coalesce(one.unit_id, 0), CASE WHEN one.unit_id IS NULL THEN left(one.unit, 100) ELSE '' END, one.grade, count(*) FROM changed AS one
                WHERE one.status = 'open' GROUP BY 1, 2, 3;
                RETURN NULL;
            END
            $$;
CREATE FUNCTION public.open_changed() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
        BEGIN
            IF OLD.status = 'open' THEN
                INSERT INTO open_change VALUES (coalesce(OLD.unit_id, 0), CASE WHEN OLD.unit_id IS NULL THEN left(OLD.unit, 100) ELSE '' END, OLD.grade, -1);
            END IF;
            IF NEW.status = 'open' THEN
                INSERT INTO open_change VALUES (coalesce(NEW.unit_id, 0), CASE WHEN NEW.unit_id IS NULL THEN left(NEW.unit, 100) ELSE '' END, NEW.grade, 1);
            END IF;
            RETURN NULL;
        END
        $$;
CREATE FUNCTION public.open_deleted() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
            BEGIN
                INSERT INTO open_change SELECT coalesce(one.unit_id, 0), CASE WHEN one.unit_id IS NULL THEN left(one.unit, 100) ELSE '' END, one.grade, -count(*) FROM changed AS one
                WHERE one.status = 'open' GROUP BY 1, 2, 3;
                RETURN NULL;
            END
            $$;
CREATE FUNCTION public.refuse_change() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
        BEGIN
            RAISE EXCEPTION '% is append-only: a correction is a new line', TG_TABLE_NAME;
        END
        $$;
CREATE FUNCTION public.tally_mark_approved() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
        BEGIN
            INSERT INTO tally_mark SELECT case_id FROM outcome WHERE id = NEW.outcome_id;
            RETURN NULL;
        END
        $$;
CREATE FUNCTION public.tally_mark_case_id() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
            BEGIN
                INSERT INTO tally_mark VALUES (NEW.case_id);
                IF TG_OP = 'UPDATE' AND OLD.case_id <> NEW.case_id THEN
                    INSERT INTO tally_mark VALUES (OLD.case_id);
                END IF;
                RETURN NULL;
            END
            $$;
CREATE FUNCTION public.tally_mark_id() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
            BEGIN
                INSERT INTO tally_mark VALUES (NEW.id);
                IF TG_OP = 'UPDATE' AND OLD.id <> NEW.id THEN
                    INSERT INTO tally_mark VALUES (OLD.id);
                END IF;
                RETURN NULL;
            END
            $$;
CREATE FUNCTION public.tally_mark_money() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
        BEGIN
            INSERT INTO tally_mark VALUES (NEW.case_id);
            INSERT INTO tally_mark SELECT case_id FROM outcome WHERE id = NEW.reverses AND case_id <> NEW.case_id;
            RETURN NULL;
        END
        $$;
CREATE FUNCTION public.tally_marks_case_id() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
            BEGIN
                INSERT INTO tally_mark SELECT DISTINCT case_id FROM changed;
                RETURN NULL;
            END
            $$;
CREATE FUNCTION public.tally_marks_id() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
            BEGIN
                INSERT INTO tally_mark SELECT DISTINCT id FROM changed;
                RETURN NULL;
            END
            $$;
SET default_tablespace = '';
SET default_table_access_method = heap;
CREATE TABLE public.alarm (
    id bigint NOT NULL,
    code text NOT NULL,
    case_id bigint,
    load_id bigint,
    facts jsonb NOT NULL,
    raised_at timestamp with time zone NOT NULL,
    seen_at timestamp with time zone,
    seen_by text,
    times integer DEFAULT 1 NOT NULL,
    last_at timestamp with time zone
);
ALTER TABLE public.alarm ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.alarm_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE public.alembic_version (
    version_num character varying(32) NOT NULL
);
CREATE TABLE public.api_token (
    id bigint NOT NULL,
    name text NOT NULL,
    secret_hash bytea NOT NULL,
    scopes text[] NOT NULL,
    unit text DEFAULT ''::text NOT NULL,
    created_at timestamp with time zone NOT NULL,
    expires_at timestamp with time zone NOT NULL,
    revoked_at timestamp with time zone,
    last_used_on date,
    CONSTRAINT ck_api_token_scopes CHECK ((cardinality(scopes) > 0)),
    CONSTRAINT ck_api_token_secret_hash CHECK ((octet_length(secret_hash) = 32))
);
ALTER TABLE public.api_token ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.api_token_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE public.assignment (
    id bigint NOT NULL,
    case_id bigint NOT NULL,
    kind text NOT NULL,
    state text NOT NULL,
    reason text NOT NULL,
    unit text DEFAULT ''::text NOT NULL,
    urgency_at timestamp with time zone NOT NULL,
    opened_at timestamp with time zone NOT NULL,
    sign_by timestamp with time zone NOT NULL,
    due_at timestamp with time zone NOT NULL,
    feedback_by timestamp with time zone NOT NULL,
    signed_at timestamp with time zone,
    signed_by text,
    done_at timestamp with time zone,
    done_by text,
    outcome text,
    withdrawn_why text,
    drill boolean NOT NULL,
    escalated_at timestamp with time zone,
    unit_id bigint,
    token bigint DEFAULT '0'::bigint NOT NULL,
    raises smallint DEFAULT '0'::smallint NOT NULL,
    transfers smallint DEFAULT '0'::smallint NOT NULL,
    lease_until timestamp with time zone,
    idle_at timestamp with time zone,
    rise_at timestamp with time zone,
    call_at timestamp with time zone,
    kept_until timestamp with time zone,
    kept_for text,
    stage text DEFAULT 'none'::text NOT NULL,
    CONSTRAINT ck_assignment_done_by CHECK (((state <> 'done'::text) OR ((done_by IS NOT NULL) AND (outcome IS NOT NULL)))),
    CONSTRAINT ck_assignment_kind CHECK ((kind = ANY (ARRAY['robot'::text, 'human'::text, 'visit'::text]))),
    CONSTRAINT ck_assignment_outcome CHECK ((outcome = ANY (ARRAY['dissuaded_by_phone'::text, 'dissuaded_in_person'::text, 'saw_through_it'::text, 'half_believes'::text, 'refuses'::text, 'already_defrauded'::text, 'not_the_person'::text, 'mismatch'::text, 'cannot_find_yet'::text, 'cannot_find'::text, 'duplicate'::text, 'transferred'::text, 'language_or_hearing'::text, 'missed'::text]))),
    CONSTRAINT ck_assignment_people_only CHECK ((kind <> 'robot'::text)),
    CONSTRAINT ck_assignment_stage CHECK ((stage = ANY (ARRAY['none'::text, 'accepted'::text, 'on_the_way'::text, 'arrived'::text, 'seen'::text]))),
    CONSTRAINT ck_assignment_state CHECK ((state = ANY (ARRAY['open'::text, 'signed'::text, 'done'::text, 'withdrawn'::text])))
);
ALTER TABLE public.assignment ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.assignment_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE public.assignment_transfer (
    id bigint NOT NULL,
    assignment_id bigint NOT NULL,
    from_unit_id bigint,
    to_unit_id bigint NOT NULL,
    state text NOT NULL,
    by text NOT NULL,
    why text DEFAULT ''::text NOT NULL,
    at timestamp with time zone NOT NULL,
    answered_by text,
    answer text DEFAULT ''::text NOT NULL,
    answered_at timestamp with time zone,
    why_sealed bytea,
    CONSTRAINT ck_assignment_transfer_answered CHECK (((state = 'asked'::text) = (answered_at IS NULL))),
    CONSTRAINT ck_assignment_transfer_state CHECK ((state = ANY (ARRAY['asked'::text, 'accepted'::text, 'refused'::text])))
);
ALTER TABLE public.assignment_transfer ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.assignment_transfer_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE public.attempt (
    id uuid NOT NULL,
    case_id bigint NOT NULL,
    person_id bigint NOT NULL,
    n smallint NOT NULL,
    number smallint NOT NULL,
    state text NOT NULL,
    reason text NOT NULL,
    held boolean DEFAULT false NOT NULL,
    windowed boolean NOT NULL,
    urgency_at timestamp with time zone NOT NULL,
    not_before timestamp with time zone NOT NULL,
    planned_at timestamp with time zone NOT NULL,
    token bigint DEFAULT '0'::bigint NOT NULL,
    lease_until timestamp with time zone,
    send_at timestamp with time zone,
    posted_at timestamp with time zone,
    polls smallint DEFAULT '0'::smallint NOT NULL,
    poll_at timestamp with time zone,
    sid text,
    sent_at timestamp with time zone,
    accepted_at timestamp with time zone,
    ringing_at timestamp with time zone,
    answered_at timestamp with time zone,
    ended_at timestamp with time zone,
    sequence smallint DEFAULT '-1'::smallint NOT NULL,
    result text,
    contact text NOT NULL,
    answer text NOT NULL,
    last_step smallint DEFAULT '0'::smallint NOT NULL,
    last_node text DEFAULT ''::text NOT NULL,
    heard_seconds smallint,
    talk_seconds integer,
    answered_by text,
    sip_code smallint,
    error_code integer,
    cancel_asked boolean DEFAULT false NOT NULL,
    script_id text DEFAULT ''::text NOT NULL,
    script_hash text DEFAULT ''::text NOT NULL,
    language text DEFAULT ''::text NOT NULL,
    drill boolean NOT NULL,
    spoke boolean DEFAULT false NOT NULL,
    played_seconds double precision DEFAULT '0'::double precision NOT NULL,
    reach text,
    script_version_id bigint,
    audio_hash text DEFAULT ''::text NOT NULL,
    CONSTRAINT ck_attempt_answer CHECK ((answer = ANY (ARRAY['none'::text, 'acknowledged'::text, 'saw_through'::text, 'doubtful'::text, 'refuses'::text, 'already_paid'::text, 'wants_officer'::text, 'wrong_person'::text, 'language_or_hearing'::text, 'opt_out'::text]))),
    CONSTRAINT ck_attempt_contact CHECK ((contact = ANY (ARRAY['none'::text, 'unverified'::text, 'verified'::text]))),
    CONSTRAINT ck_attempt_ended_has_a_result CHECK (((state <> 'ended'::text) OR (result IS NOT NULL))),
    CONSTRAINT ck_attempt_reach CHECK ((reach = ANY (ARRAY['nobody'::text, 'machine'::text, 'forwarded'::text, 'hung_up_early'::text, 'silent'::text, 'wrong_person'::text, 'unverified'::text, 'verified'::text]))),
    CONSTRAINT ck_attempt_result CHECK ((result = ANY (ARRAY['answered'::text, 'busy'::text, 'no_answer'::text, 'forwarded'::text, 'machine'::text, 'rejected'::text, 'powered_off'::text, 'invalid_number'::text, 'blocked'::text, 'failed'::text, 'canceled'::text, 'unknown'::text]))),
    CONSTRAINT ck_attempt_state CHECK ((state = ANY (ARRAY['planned'::text, 'ready'::text, 'claimed'::text, 'sending'::text, 'accepted'::text, 'ringing'::text, 'answered'::text, 'unknown'::text, 'ended'::text])))
);
CREATE TABLE public.audit (
    id bigint NOT NULL,
    at timestamp with time zone NOT NULL,
    who text NOT NULL,
    act text NOT NULL,
    subject text NOT NULL,
    why text DEFAULT ''::text NOT NULL,
    facts jsonb NOT NULL,
    why_sealed bytea
);
ALTER TABLE public.audit ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.audit_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE public."case" (
    id bigint NOT NULL,
    person_id bigint NOT NULL,
    load_id bigint,
    revision integer DEFAULT 1 NOT NULL,
    grade text NOT NULL,
    fraud_type text NOT NULL,
    source text NOT NULL,
    unit text DEFAULT ''::text NOT NULL,
    status text NOT NULL,
    outcome text,
    contact text NOT NULL,
    policy_version integer NOT NULL,
    numbers smallint NOT NULL,
    warnings integer NOT NULL,
    amount_at_risk_fen bigint,
    missed boolean NOT NULL,
    opted_out boolean NOT NULL,
    drill boolean NOT NULL,
    tags text[] NOT NULL,
    opened_at timestamp with time zone NOT NULL,
    expires_at timestamp with time zone,
    first_attempt_at timestamp with time zone,
    settled_at timestamp with time zone,
    succeeded_at timestamp with time zone,
    due_at timestamp with time zone,
    watch_until timestamp with time zone,
    robot_state text NOT NULL,
    robot_attempts smallint NOT NULL,
    robot_tries smallint NOT NULL,
    robot_own_faults smallint NOT NULL,
    robot_number smallint NOT NULL,
    robot_dead_numbers smallint[] NOT NULL,
    robot_at timestamp with time zone,
    robot_patience_at timestamp with time zone,
    robot_reason text NOT NULL,
    human_state text NOT NULL,
    human_at timestamp with time zone,
    human_tries smallint NOT NULL,
    human_reason text NOT NULL,
    visit_state text NOT NULL,
    visit_at timestamp with time zone,
    visit_tries smallint NOT NULL,
    visit_reason text NOT NULL,
    unit_id bigint,
    CONSTRAINT ck_case_contact CHECK ((contact = ANY (ARRAY['none'::text, 'unverified'::text, 'verified'::text]))),
    CONSTRAINT ck_case_fraud_type CHECK ((fraud_type = ANY (ARRAY['fake_order_rebate'::text, 'investment'::text, 'shopping'::text, 'fake_customer_service'::text, 'loan'::text, 'credit'::text, 'boss_or_acquaintance'::text, 'police_impersonation'::text, 'romance'::text, 'game_trade'::text, 'unknown'::text]))),
    CONSTRAINT ck_case_grade CHECK ((grade = ANY (ARRAY['extra_high'::text, 'high'::text, 'medium'::text, 'low'::text]))),
    CONSTRAINT ck_case_human_state CHECK ((human_state = ANY (ARRAY['none'::text, 'scheduled'::text, 'open'::text, 'done'::text]))),
    CONSTRAINT ck_case_open_has_a_future CHECK (((status <> 'open'::text) OR (due_at IS NOT NULL) OR (robot_state = 'pending'::text) OR (human_state = ANY (ARRAY['scheduled'::text, 'open'::text])) OR (visit_state = ANY (ARRAY['scheduled'::text, 'open'::text])))),
    CONSTRAINT ck_case_outcome CHECK ((outcome = ANY (ARRAY['dissuaded_by_phone'::text, 'dissuaded_in_person'::text, 'saw_through_it'::text, 'half_believes'::text, 'refuses'::text, 'already_defrauded'::text, 'not_the_person'::text, 'mismatch'::text, 'cannot_find_yet'::text, 'cannot_find'::text, 'duplicate'::text, 'transferred'::text, 'language_or_hearing'::text, 'missed'::text]))),
    CONSTRAINT ck_case_robot_state CHECK ((robot_state = ANY (ARRAY['off'::text, 'pending'::text, 'done'::text]))),
    CONSTRAINT ck_case_settled_waits_for_nothing CHECK (((status <> ALL (ARRAY['proven'::text, 'reversed'::text, 'closed'::text])) OR (due_at IS NULL))),
    CONSTRAINT ck_case_status CHECK ((status = ANY (ARRAY['open'::text, 'watching'::text, 'proven'::text, 'reversed'::text, 'closed'::text]))),
    CONSTRAINT ck_case_visit_state CHECK ((visit_state = ANY (ARRAY['none'::text, 'scheduled'::text, 'open'::text, 'done'::text])))
);
ALTER TABLE public."case" ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.case_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE public.desk_call (
    id uuid NOT NULL,
    assignment_id bigint NOT NULL,
    case_id bigint NOT NULL,
    person_id bigint NOT NULL,
    number smallint NOT NULL,
    extension text NOT NULL,
    by text NOT NULL,
    state text NOT NULL,
    sid text,
    asked_at timestamp with time zone NOT NULL,
    asked_real_at timestamp with time zone NOT NULL,
    joined_at timestamp with time zone,
    ended_at timestamp with time zone,
    result text,
    talk_seconds integer,
    settled boolean DEFAULT false NOT NULL,
    drill boolean NOT NULL,
    CONSTRAINT ck_desk_call_ended_has_a_result CHECK (((state <> 'ended'::text) OR (result IS NOT NULL))),
    CONSTRAINT ck_desk_call_result CHECK ((result = ANY (ARRAY['answered'::text, 'busy'::text, 'no_answer'::text, 'forwarded'::text, 'machine'::text, 'rejected'::text, 'powered_off'::text, 'invalid_number'::text, 'blocked'::text, 'failed'::text, 'canceled'::text, 'unknown'::text]))),
    CONSTRAINT ck_desk_call_state CHECK ((state = ANY (ARRAY['asked'::text, 'ringing'::text, 'joined'::text, 'ended'::text])))
);
CREATE TABLE public.event (
    id bigint NOT NULL,
    attempt_id uuid,
    case_id bigint,
    step text NOT NULL,
    kind text NOT NULL,
    at timestamp with time zone NOT NULL,
    by text DEFAULT ''::text NOT NULL,
    facts jsonb NOT NULL,
    sealed bytea
);
ALTER TABLE public.event ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.event_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE public.filed_case (
    id bigint NOT NULL,
    case_number text NOT NULL,
    case_id bigint NOT NULL,
    by text NOT NULL,
    at timestamp with time zone NOT NULL
);
ALTER TABLE public.filed_case ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.filed_case_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE public.heartbeat (
    process text NOT NULL,
    kind text NOT NULL,
    at timestamp with time zone NOT NULL,
    facts jsonb NOT NULL
);
CREATE TABLE public.hold (
    id bigint NOT NULL,
    scope text NOT NULL,
    subject text NOT NULL,
    until timestamp with time zone NOT NULL,
    why text NOT NULL,
    by text NOT NULL,
    placed_at timestamp with time zone NOT NULL,
    ended_at timestamp with time zone,
    ended_by text,
    unit_id bigint,
    CONSTRAINT ck_hold_ck_hold_unit_id CHECK (((unit_id IS NULL) OR (scope = 'unit'::text))),
    CONSTRAINT ck_hold_ended CHECK (((ended_at IS NOT NULL) OR (ended_by IS NULL))),
    CONSTRAINT ck_hold_scope CHECK ((scope = ANY (ARRAY['all'::text, 'unit'::text, 'load'::text, 'grade'::text]))),
    CONSTRAINT ck_hold_subject CHECK (((scope = 'all'::text) = (subject = ''::text)))
);
ALTER TABLE public.hold ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.hold_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE public.line_group (
    name text NOT NULL,
    calls_per_second double precision NOT NULL,
    lines integer NOT NULL,
    next_slot_at timestamp with time zone NOT NULL,
    slow_until timestamp with time zone,
    troubles integer DEFAULT 0 NOT NULL,
    paused_until timestamp with time zone,
    paused_why text DEFAULT ''::text NOT NULL,
    opened_at timestamp with time zone,
    openings integer DEFAULT 0 NOT NULL,
    settings_calls_per_second double precision,
    asked_calls_per_second double precision,
    settings_lines integer,
    asked_lines integer,
    asked_by text,
    asked_why text,
    asked_at timestamp with time zone,
    CONSTRAINT ck_line_group_ck_line_group_asked CHECK ((((asked_by IS NULL) = (asked_at IS NULL)) AND ((asked_by IS NULL) = (asked_calls_per_second IS NULL)) AND ((asked_by IS NULL) = (asked_lines IS NULL)))),
    CONSTRAINT ck_line_group_positive CHECK (((calls_per_second > (0)::double precision) AND (lines > 0)))
);
CREATE TABLE public.list_file (
    load_id bigint NOT NULL,
    part integer NOT NULL,
    sealed bytea NOT NULL
);
CREATE TABLE public.list_load (
    id bigint NOT NULL,
    filename text NOT NULL,
    source text,
    state text NOT NULL,
    content_hash bytea NOT NULL,
    size_bytes bigint NOT NULL,
    next_line bigint DEFAULT '0'::bigint NOT NULL,
    rows bigint DEFAULT '0'::bigint NOT NULL,
    accepted bigint DEFAULT '0'::bigint NOT NULL,
    merged bigint DEFAULT '0'::bigint NOT NULL,
    duplicate bigint DEFAULT '0'::bigint NOT NULL,
    rejected bigint DEFAULT '0'::bigint NOT NULL,
    skipped bigint DEFAULT '0'::bigint NOT NULL,
    notices bigint DEFAULT '0'::bigint NOT NULL,
    error text,
    columns jsonb,
    by text DEFAULT ''::text NOT NULL,
    created_at timestamp with time zone NOT NULL,
    finished_at timestamp with time zone,
    token bigint DEFAULT '0'::bigint NOT NULL,
    lease_until timestamp with time zone,
    paused boolean DEFAULT false NOT NULL,
    needs_approval boolean DEFAULT false NOT NULL,
    early_line bigint DEFAULT '0'::bigint NOT NULL,
    early_accepted bigint DEFAULT '0'::bigint NOT NULL,
    decided_by text,
    decided_at timestamp with time zone,
    unit_id bigint,
    total bigint,
    CONSTRAINT ck_list_load_adds_up CHECK (((state <> 'done'::text) OR (rows = ((accepted + duplicate) + rejected)))),
    CONSTRAINT ck_list_load_state CHECK ((state = ANY (ARRAY['draft'::text, 'waiting'::text, 'running'::text, 'held'::text, 'done'::text, 'failed'::text, 'withdrawn'::text])))
);
ALTER TABLE public.list_load ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.list_load_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE public.list_mapping (
    source text NOT NULL,
    heading text NOT NULL,
    field text NOT NULL,
    by text NOT NULL,
    at timestamp with time zone NOT NULL
);
CREATE TABLE public.list_reject (
    id bigint NOT NULL,
    load_id bigint NOT NULL,
    sheet text DEFAULT ''::text NOT NULL,
    line bigint NOT NULL,
    "column" text NOT NULL,
    reason text NOT NULL,
    high_grade boolean NOT NULL,
    sealed bytea NOT NULL
);
ALTER TABLE public.list_reject ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.list_reject_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE public.live_number (
    phone_blind bytea NOT NULL,
    attempt_id uuid,
    free_at timestamp with time zone
);
CREATE TABLE public.message (
    id uuid NOT NULL,
    case_id bigint NOT NULL,
    person_id bigint NOT NULL,
    number smallint NOT NULL,
    purpose text NOT NULL,
    state text NOT NULL,
    planned_at timestamp with time zone NOT NULL,
    not_before timestamp with time zone NOT NULL,
    posted_at timestamp with time zone,
    poll_at timestamp with time zone,
    polls smallint DEFAULT '0'::smallint NOT NULL,
    sid text,
    sent_at timestamp with time zone,
    ended_at timestamp with time zone,
    error_code integer,
    drill boolean NOT NULL,
    CONSTRAINT ck_message_purpose CHECK ((purpose = ANY (ARRAY['unreachable'::text, 'after_warning'::text]))),
    CONSTRAINT ck_message_state CHECK ((state = ANY (ARRAY['planned'::text, 'sending'::text, 'unknown'::text, 'accepted'::text, 'sent'::text, 'delivered'::text, 'undelivered'::text, 'failed'::text])))
);
CREATE TABLE public.meta (
    key text NOT NULL,
    value jsonb NOT NULL
);
CREATE TABLE public.open_change (
    unit_id bigint NOT NULL,
    text text NOT NULL,
    grade text NOT NULL,
    n bigint NOT NULL
);
CREATE TABLE public.open_count (
    unit_id bigint NOT NULL,
    text text NOT NULL,
    grade text NOT NULL,
    n bigint NOT NULL
);
CREATE TABLE public.outcome (
    id bigint NOT NULL,
    case_id bigint NOT NULL,
    assignment_id bigint,
    attempt_id uuid,
    kind text NOT NULL,
    contact text NOT NULL,
    track text,
    reason text NOT NULL,
    intended_fen bigint DEFAULT '0'::bigint NOT NULL,
    stopped_fen bigint DEFAULT '0'::bigint NOT NULL,
    returned_fen bigint DEFAULT '0'::bigint NOT NULL,
    evidence_sealed bytea,
    recorded_by text NOT NULL,
    at timestamp with time zone NOT NULL,
    reverses bigint,
    drill boolean NOT NULL,
    CONSTRAINT ck_outcome_amounts CHECK (((intended_fen >= 0) AND (stopped_fen >= 0) AND (returned_fen >= 0))),
    CONSTRAINT ck_outcome_contact CHECK ((contact = ANY (ARRAY['none'::text, 'unverified'::text, 'verified'::text]))),
    CONSTRAINT ck_outcome_kind CHECK ((kind = ANY (ARRAY['dissuaded_by_phone'::text, 'dissuaded_in_person'::text, 'saw_through_it'::text, 'half_believes'::text, 'refuses'::text, 'already_defrauded'::text, 'not_the_person'::text, 'mismatch'::text, 'cannot_find_yet'::text, 'cannot_find'::text, 'duplicate'::text, 'transferred'::text, 'language_or_hearing'::text, 'missed'::text]))),
    CONSTRAINT ck_outcome_money_needs_evidence CHECK (((((intended_fen + stopped_fen) + returned_fen) = 0) OR (evidence_sealed IS NOT NULL))),
    CONSTRAINT ck_outcome_track CHECK ((track = ANY (ARRAY['robot'::text, 'human'::text, 'visit'::text])))
);
CREATE TABLE public.outcome_approval (
    outcome_id bigint NOT NULL,
    recorded_by text NOT NULL,
    approved_by text NOT NULL,
    at timestamp with time zone NOT NULL,
    CONSTRAINT ck_outcome_approval_second_person CHECK ((approved_by <> recorded_by))
);
ALTER TABLE public.outcome ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.outcome_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE public.person (
    id bigint NOT NULL,
    id_number_blind bytea,
    name_blind bytea NOT NULL,
    numbers smallint NOT NULL,
    sealed bytea NOT NULL,
    created_at timestamp with time zone NOT NULL
);
ALTER TABLE public.person ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.person_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE public.person_key (
    name_phone_blind bytea NOT NULL,
    person_id bigint NOT NULL
);
CREATE TABLE public.person_phone (
    person_id bigint NOT NULL,
    "position" smallint NOT NULL,
    phone_blind bytea NOT NULL,
    last4_blind bytea NOT NULL
);
CREATE TABLE public.policy_version (
    version integer NOT NULL,
    content jsonb NOT NULL,
    content_hash bytea NOT NULL,
    created_at timestamp with time zone NOT NULL
);
CREATE TABLE public.script_approval (
    id bigint NOT NULL,
    version_id bigint NOT NULL,
    drafted_by text NOT NULL,
    approved_by text NOT NULL,
    reason text NOT NULL,
    audio_hash text NOT NULL,
    goes_live boolean NOT NULL,
    at timestamp with time zone NOT NULL,
    CONSTRAINT ck_script_approval_reason CHECK ((reason <> ''::text)),
    CONSTRAINT ck_script_approval_second_person CHECK (((approved_by <> drafted_by) AND (approved_by <> ''::text)))
);
ALTER TABLE public.script_approval ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.script_approval_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE public.script_render (
    id bigint NOT NULL,
    version_id bigint NOT NULL,
    state text NOT NULL,
    done integer DEFAULT 0 NOT NULL,
    total integer NOT NULL,
    clips jsonb NOT NULL,
    error text DEFAULT ''::text NOT NULL,
    asked_by text NOT NULL,
    asked_at timestamp with time zone NOT NULL,
    ended_at timestamp with time zone,
    lease_until timestamp with time zone,
    CONSTRAINT ck_script_render_progress CHECK (((done >= 0) AND (done <= total))),
    CONSTRAINT ck_script_render_state CHECK ((state = ANY (ARRAY['waiting'::text, 'running'::text, 'done'::text, 'failed'::text])))
);
ALTER TABLE public.script_render ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.script_render_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE public.script_sound (
    audio_hash text NOT NULL,
    clips jsonb NOT NULL
);
CREATE TABLE public.script_trial (
    id bigint NOT NULL,
    approval_id bigint NOT NULL,
    script_id text NOT NULL,
    grade text DEFAULT ''::text NOT NULL,
    weights jsonb NOT NULL,
    set_by text NOT NULL,
    reason text NOT NULL,
    at timestamp with time zone NOT NULL,
    CONSTRAINT ck_script_trial_whole CHECK (((set_by <> ''::text) AND (reason <> ''::text)))
);
ALTER TABLE public.script_trial ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.script_trial_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE public.script_version (
    id bigint NOT NULL,
    script_id text NOT NULL,
    number integer NOT NULL,
    content_hash text NOT NULL,
    canonical text NOT NULL,
    file text NOT NULL,
    source text NOT NULL,
    bases jsonb NOT NULL,
    drafted_by text NOT NULL,
    drafted_at timestamp with time zone NOT NULL,
    CONSTRAINT ck_script_version_whole CHECK (((number > 0) AND (drafted_by <> ''::text) AND (length(content_hash) = 64)))
);
ALTER TABLE public.script_version ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.script_version_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE public.sent_act (
    client_id uuid NOT NULL,
    assignment_id bigint NOT NULL,
    digest bytea NOT NULL,
    by text NOT NULL,
    at timestamp with time zone NOT NULL,
    outcome_id bigint
);
CREATE TABLE public.service_clock (
    id smallint NOT NULL,
    anchor_unix double precision NOT NULL,
    epoch timestamp with time zone NOT NULL,
    speed double precision NOT NULL,
    CONSTRAINT ck_service_clock_one_row CHECK ((id = 1)),
    CONSTRAINT ck_service_clock_speed CHECK ((speed > (0)::double precision))
);
CREATE TABLE public.sign_in_failure (
    key bytea NOT NULL,
    failures integer NOT NULL,
    since timestamp with time zone NOT NULL,
    blocked_until timestamp with time zone
);
CREATE TABLE public.sound_file (
    file text NOT NULL,
    sha256 text NOT NULL,
    body bytea NOT NULL
);
CREATE TABLE public.staff (
    id bigint NOT NULL,
    login text NOT NULL,
    display_name text NOT NULL,
    password_hash text NOT NULL,
    role text NOT NULL,
    unit_id bigint,
    language text DEFAULT 'zh'::text NOT NULL,
    must_change boolean NOT NULL,
    revision integer DEFAULT 1 NOT NULL,
    created_at timestamp with time zone NOT NULL,
    created_by text NOT NULL,
    password_at timestamp with time zone NOT NULL,
    signed_in_at timestamp with time zone,
    disabled_at timestamp with time zone,
    locked_until timestamp with time zone,
    extension text DEFAULT ''::text NOT NULL,
    CONSTRAINT ck_staff_language CHECK ((language = ANY (ARRAY['zh'::text, 'en'::text]))),
    CONSTRAINT ck_staff_login CHECK ((login = lower(login))),
    CONSTRAINT ck_staff_role CHECK ((role = ANY (ARRAY['clerk'::text, 'caller'::text, 'officer'::text, 'supervisor'::text, 'administrator'::text, 'auditor'::text])))
);
ALTER TABLE public.staff ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.staff_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE public.staff_link (
    id bigint NOT NULL,
    token_hash bytea NOT NULL,
    created_at timestamp with time zone NOT NULL,
    expires_at timestamp with time zone NOT NULL,
    used_at timestamp with time zone,
    CONSTRAINT ck_staff_link_token_hash CHECK ((octet_length(token_hash) = 32))
);
ALTER TABLE public.staff_link ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.staff_link_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE public.staff_session (
    id bigint NOT NULL,
    staff_id bigint NOT NULL,
    token_hash bytea NOT NULL,
    address text NOT NULL,
    created_at timestamp with time zone NOT NULL,
    seen_at timestamp with time zone NOT NULL,
    expires_at timestamp with time zone NOT NULL,
    ended_at timestamp with time zone,
    CONSTRAINT ck_staff_session_token_hash CHECK ((octet_length(token_hash) = 32))
);
ALTER TABLE public.staff_session ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.staff_session_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE public.stop_payment (
    id bigint NOT NULL,
    case_id bigint NOT NULL,
    attempt_id uuid,
    opened_at timestamp with time zone NOT NULL,
    done_at timestamp with time zone,
    done_by text,
    result text,
    drill boolean NOT NULL,
    CONSTRAINT ck_stop_payment_done CHECK ((((done_at IS NULL) = (done_by IS NULL)) AND ((done_at IS NULL) = (result IS NULL)))),
    CONSTRAINT ck_stop_payment_result CHECK ((result = ANY (ARRAY['asked'::text, 'too_late'::text, 'not_needed'::text])))
);
ALTER TABLE public.stop_payment ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.stop_payment_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE public.tally (
    drill boolean NOT NULL,
    whole_month boolean NOT NULL,
    start date NOT NULL,
    slice smallint NOT NULL,
    measure smallint NOT NULL,
    n bigint NOT NULL
);
CREATE TABLE public.tally_case (
    case_id bigint NOT NULL,
    atoms bigint[] NOT NULL,
    first_us bigint,
    day date NOT NULL,
    grade smallint NOT NULL,
    fraud_type smallint NOT NULL,
    drill boolean NOT NULL,
    turns_at timestamp with time zone,
    money_atoms bigint[],
    money_fen bigint[]
)
WITH (fillfactor='80');
CREATE TABLE public.tally_mark (
    case_id bigint NOT NULL
)
WITH (autovacuum_vacuum_scale_factor='0', autovacuum_vacuum_threshold='5000');
CREATE TABLE public.unit (
    id bigint NOT NULL,
    name text NOT NULL,
    parent_id bigint,
    level text DEFAULT ''::text NOT NULL,
    path bigint[] NOT NULL,
    active boolean DEFAULT true NOT NULL,
    CONSTRAINT ck_unit_parent CHECK ((parent_id <> id)),
    CONSTRAINT ck_unit_path CHECK ((path[cardinality(path)] = id))
);
CREATE TABLE public.unit_alias (
    id bigint NOT NULL,
    unit_id bigint NOT NULL,
    text text NOT NULL,
    key text NOT NULL,
    by text NOT NULL,
    at timestamp with time zone NOT NULL,
    CONSTRAINT ck_unit_alias_key CHECK ((key <> ''::text))
);
ALTER TABLE public.unit_alias ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.unit_alias_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
ALTER TABLE public.unit ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.unit_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE public.visit_photo (
    client_id uuid NOT NULL,
    assignment_id bigint NOT NULL,
    case_id bigint NOT NULL,
    media_type text NOT NULL,
    size_bytes integer NOT NULL,
    stripped_bytes integer NOT NULL,
    by text NOT NULL,
    at timestamp with time zone NOT NULL,
    sealed bytea NOT NULL,
    CONSTRAINT ck_visit_photo_size_bytes CHECK ((size_bytes > 0))
);
CREATE TABLE public.warning (
    id bigint NOT NULL,
    person_id bigint NOT NULL,
    case_id bigint NOT NULL,
    load_id bigint,
    source text NOT NULL,
    instruction_no text NOT NULL,
    kind text NOT NULL,
    fraud_type text NOT NULL,
    grade text NOT NULL,
    unit text DEFAULT ''::text NOT NULL,
    amount_at_risk_fen bigint,
    amount_paid_fen bigint,
    talk_seconds integer,
    tags text[] NOT NULL,
    missed boolean NOT NULL,
    drill boolean NOT NULL,
    notices jsonb NOT NULL,
    event_at timestamp with time zone,
    produced_at timestamp with time zone,
    expires_at timestamp with time zone,
    loaded_at timestamp with time zone NOT NULL,
    sealed bytea NOT NULL,
    CONSTRAINT ck_warning_amounts CHECK (((amount_at_risk_fen >= 0) AND (amount_paid_fen >= 0))),
    CONSTRAINT ck_warning_fraud_type CHECK ((fraud_type = ANY (ARRAY['fake_order_rebate'::text, 'investment'::text, 'shopping'::text, 'fake_customer_service'::text, 'loan'::text, 'credit'::text, 'boss_or_acquaintance'::text, 'police_impersonation'::text, 'romance'::text, 'game_trade'::text, 'unknown'::text]))),
    CONSTRAINT ck_warning_grade CHECK ((grade = ANY (ARRAY['extra_high'::text, 'high'::text, 'medium'::text, 'low'::text]))),
    CONSTRAINT ck_warning_kind CHECK ((kind = ANY (ARRAY['fund'::text, 'telecom'::text, 'web_app'::text, 'unknown'::text])))
);
ALTER TABLE public.warning ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.warning_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
INSERT INTO public.alembic_version VALUES
	('0024');
INSERT INTO public.assignment VALUES
	(1, 1, 'human', 'done', 'no_usable_number', '新华派出所', '2026-11-26 17:00:38.870304+00', '2026-11-27 01:00:54.176582+00', '2026-11-27 01:30:54.176582+00', '2026-11-27 02:00:54.176582+00', '2026-11-28 01:00:54.176582+00', '2026-11-27 01:01:58.803743+00', '陈警官', '2026-11-27 01:05:08.373455+00', '陈警官', 'dissuaded_by_phone', NULL, true, NULL, 3, 1, 0, 0, NULL, '2026-11-27 02:00:54.176582+00', NULL, NULL, NULL, NULL, 'none'),
	(2, 2, 'human', 'done', 'robot_tries_used', '石河派出所', '2026-11-26 17:00:38.870304+00', '2026-11-27 01:22:34.068684+00', '2026-11-27 01:52:34.068684+00', '2026-11-27 02:22:34.068684+00', '2026-11-28 01:22:34.068684+00', '2026-11-27 01:23:26.611904+00', '陈警官', '2026-11-27 01:27:03.749546+00', '陈警官', 'dissuaded_by_phone', NULL, true, NULL, 23, 1, 0, 0, NULL, '2026-11-27 02:22:34.068684+00', NULL, NULL, NULL, NULL, 'none'),
	(3, 6, 'human', 'done', 'robot_tries_used', '城南派出所', '2026-11-26 17:00:38.870304+00', '2026-11-27 01:23:19.376625+00', '2026-11-27 01:53:19.376625+00', '2026-11-27 02:23:19.376625+00', '2026-11-28 01:23:19.376625+00', '2026-11-27 01:24:18.135513+00', '陈警官', '2026-11-27 01:27:50.221085+00', '陈警官', 'dissuaded_by_phone', NULL, true, NULL, 31, 1, 0, 0, NULL, '2026-11-27 02:23:19.376625+00', NULL, NULL, NULL, NULL, 'none'),
	(4, 7, 'human', 'done', 'robot_tries_used', '解放街派出所', '2026-11-26 14:38:56.870304+00', '2026-11-27 01:23:48.363842+00', '2026-11-27 01:53:48.363842+00', '2026-11-27 02:23:48.363842+00', '2026-11-28 01:23:48.363842+00', '2026-11-27 01:24:43.105177+00', '陈警官', '2026-11-27 01:28:42.255262+00', '陈警官', 'saw_through_it', NULL, true, NULL, 18, 1, 0, 0, NULL, '2026-11-27 02:23:48.363842+00', NULL, NULL, NULL, NULL, 'none');
INSERT INTO public.attempt VALUES
	('7b82a46a-dd6c-4b12-affd-c8998d0cf151', 9, 9, 1, 0, 'ended', 'new_warning', false, true, '2026-11-26 23:50:05.870304+00', '2026-11-27 01:00:38.870304+00', '2026-11-27 01:00:38.870304+00', 1, '2026-11-26 19:57:28.679196+00', '2026-11-26 19:56:58.519744+00', '2026-11-26 19:56:58.447491+00', 0, '2026-11-26 19:57:30.070367+00', 'CA81d3a7dab5b949288162d00c2962ada1', '2026-11-27 01:00:39.427699+00', '2026-11-27 01:00:39.609105+00', '2026-11-27 01:00:40.816076+00', '2026-11-27 01:06:39.560312+00', '2026-11-27 01:07:10.149197+00', -1, 'answered', 'verified', 'acknowledged', 3, 'goodbye', 31, 31, 'human', 200, NULL, false, 'fake_customer_service', '2fa7e0f314844e4b221888a76f133d2555e973a7d3c7f1fa9f1e1eb008e2ce5a', 'zh', true, true, 52.155, 'verified', 3, '8cd5a4809260cd91624d0e772459fb65390891da649a9707a300220364001311'),
	('562f373b-1511-43d2-acbd-841ba99c26af', 8, 8, 1, 0, 'ended', 'new_warning', false, false, '2026-11-25 01:00:38.870304+00', '2026-11-27 01:00:38.870304+00', '2026-11-27 01:00:38.870304+00', 1, '2026-11-26 19:57:28.679196+00', '2026-11-26 19:56:58.31356+00', '2026-11-26 19:56:58.382303+00', 0, '2026-11-26 19:57:34.534737+00', 'CA58c3bf2b2bf24a98a04b9d42655ce747', '2026-11-27 01:00:39.362479+00', '2026-11-27 01:00:39.609105+00', '2026-11-27 01:00:41.275954+00', '2026-11-27 01:09:19.73905+00', '2026-11-27 01:10:08.203463+00', -1, 'answered', 'verified', 'acknowledged', 5, 'goodbye', 48, 48, 'human', 200, NULL, false, 'boss_or_acquaintance', 'fd6f320fafc3eca4c8038dd3f521a26238a318adbf81cc546fb69347cf16fff4', 'zh', true, true, 67.33, 'verified', 1, 'bd132d7b3b3f14198f4bb2dba157444a492e00aa9ed079838c69389317aa4581'),
	('0302eba1-1b59-4c37-b11e-cb44d214d8e3', 2, 2, 3, 0, 'ended', 'hung_up_early', false, true, '2026-11-26 17:00:38.870304+00', '2026-11-27 01:21:31.217388+00', '2026-11-27 01:11:31.217388+00', 1, '2026-11-26 19:58:02.628136+00', '2026-11-26 19:57:32.228136+00', '2026-11-26 19:57:32.403472+00', 0, '2026-11-26 19:57:53.17961+00', 'CAf896fcf1883c42f797e294d884691586', '2026-11-27 01:22:04.720129+00', '2026-11-27 01:22:11.44504+00', '2026-11-27 01:22:14.653648+00', '2026-11-27 01:22:27.506899+00', '2026-11-27 01:22:34.068684+00', -1, 'answered', 'none', 'none', 0, 'identity', 3, 3, 'human', 200, NULL, false, 'fake_order_rebate', '541d4756d14aa888ec21d3e5e6a75d7556e1bfee3453ca1cbad1fa9a0b970157', 'zh', true, false, 13.934000000000001, 'hung_up_early', 4, '9e3920d641c6dac9eedcb8201555db261f6bc0f344454957da909c43974e4459'),
	('9e906fa2-f11d-4596-9f6d-b5142154725a', 6, 6, 3, 0, 'ended', 'hung_up_early', false, true, '2026-11-26 17:00:38.870304+00', '2026-11-27 01:22:44.613165+00', '2026-11-27 01:12:15.62282+00', 3, '2026-11-26 19:58:04.001162+00', '2026-11-26 19:57:33.635526+00', '2026-11-26 19:57:33.780333+00', 0, '2026-11-26 19:57:54.326897+00', 'CAf434e422de224931a1ef117387e31454', '2026-11-27 01:22:59.795031+00', '2026-11-27 01:23:09.802088+00', '2026-11-27 01:23:12.056192+00', '2026-11-27 01:23:16.868643+00', '2026-11-27 01:23:19.376625+00', -1, 'answered', 'none', 'none', 0, 'identity', 1, 1, NULL, 200, NULL, false, 'loan', '4b3c646cb271880a09188795ef5b09ac1000eb5814ea469714943392ea39ace5', 'zh', true, false, 13.934000000000001, 'hung_up_early', 10, '6bbed760c0947896384afb1dae9441604852a8e9d15ad36e8fb27be0c663148e'),
	('cf1f3f2d-de3e-4a23-b70d-c33111c1fda2', 1, 1, 1, 0, 'ended', 'new_warning', false, true, '2026-11-26 17:00:38.870304+00', '2026-11-27 01:00:38.870304+00', '2026-11-27 01:00:38.870304+00', 1, '2026-11-26 19:57:28.679196+00', '2026-11-26 19:56:58.48538+00', '2026-11-26 19:56:58.447491+00', 0, '2026-11-26 19:57:20.676756+00', 'CA28b547a4d6ae44a1a888f46a45cf3240', '2026-11-27 01:00:39.427699+00', '2026-11-27 01:00:39.609105+00', NULL, NULL, '2026-11-27 01:00:54.176582+00', -1, 'invalid_number', 'none', 'none', 0, '', 0, 0, NULL, 404, NULL, false, 'shopping', '9e393b8ec1641e45944b570fa20f13191ed90287e99326abb930cb18b5e96d7f', 'zh', true, false, 0, 'nobody', 13, '07c2606abcbb903f3ca6a1d46fb318016da7ffd6ff55ae0fe8b8065117d36d03'),
	('99403913-8161-4e53-aeb1-dc784f5f4a9e', 2, 2, 1, 0, 'ended', 'new_warning', false, true, '2026-11-26 17:00:38.870304+00', '2026-11-27 01:00:38.870304+00', '2026-11-27 01:00:38.870304+00', 1, '2026-11-26 19:57:28.679196+00', '2026-11-26 19:56:58.416652+00', '2026-11-26 19:56:58.386212+00', 0, '2026-11-26 19:57:20.9063+00', 'CA97cdaa4ef3714ff8a92f3f5279a0a7b3', '2026-11-27 01:00:39.366377+00', '2026-11-27 01:00:39.609105+00', '2026-11-27 01:00:45.088037+00', '2026-11-27 01:01:00.706543+00', '2026-11-27 01:01:03.90922+00', -1, 'answered', 'none', 'none', 0, 'identity', 4, 4, 'human', 200, NULL, false, 'fake_order_rebate', '541d4756d14aa888ec21d3e5e6a75d7556e1bfee3453ca1cbad1fa9a0b970157', 'zh', true, false, 13.934000000000001, 'hung_up_early', 4, '9e3920d641c6dac9eedcb8201555db261f6bc0f344454957da909c43974e4459'),
	('5a37c5b5-b59d-4a8b-99f6-f5aa78b737b6', 4, 4, 1, 0, 'ended', 'new_warning', false, true, '2026-11-27 01:00:38.870304+00', '2026-11-27 01:00:38.870304+00', '2026-11-27 01:00:38.870304+00', 1, '2026-11-26 19:57:28.679196+00', '2026-11-26 19:56:58.554108+00', '2026-11-26 19:56:58.447491+00', 0, '2026-11-26 19:57:22.66529+00', 'CA0be9776415904e6fb4fd40258e8bdc0a', '2026-11-27 01:00:39.427699+00', '2026-11-27 01:00:39.609105+00', '2026-11-27 01:01:13.836826+00', '2026-11-27 01:01:16.872095+00', '2026-11-27 01:02:12.542032+00', -1, 'answered', 'verified', 'acknowledged', 3, 'goodbye', 52, 55, 'human', 200, NULL, false, 'fake_customer_service', '2fa7e0f314844e4b221888a76f133d2555e973a7d3c7f1fa9f1e1eb008e2ce5a', 'zh', true, true, 52.155, 'verified', 3, '8cd5a4809260cd91624d0e772459fb65390891da649a9707a300220364001311'),
	('c016d557-c6c1-42e0-9dcc-f572926fb97c', 3, 3, 1, 0, 'ended', 'new_warning', false, false, '2026-11-24 22:38:56.870304+00', '2026-11-27 01:00:38.870304+00', '2026-11-27 01:00:38.870304+00', 1, '2026-11-26 19:57:28.679196+00', '2026-11-26 19:56:58.279196+00', '2026-11-26 19:56:58.382303+00', 0, '2026-11-26 19:57:22.912525+00', 'CA49b2f3915ef149bcbe7ee9d619a4b080', '2026-11-27 01:00:39.362479+00', '2026-11-27 01:00:39.49876+00', '2026-11-27 01:01:16.872095+00', '2026-11-27 01:01:30.287775+00', '2026-11-27 01:02:23.133224+00', -1, 'answered', 'verified', 'acknowledged', 3, 'goodbye', 46, 46, 'human', 200, NULL, false, 'fake_customer_service', '2fa7e0f314844e4b221888a76f133d2555e973a7d3c7f1fa9f1e1eb008e2ce5a', 'zh', true, true, 52.155, 'verified', 3, '8cd5a4809260cd91624d0e772459fb65390891da649a9707a300220364001311'),
	('9b5d54ed-fbf3-4bf1-81b7-8a365034a62d', 6, 6, 1, 0, 'ended', 'new_warning', false, true, '2026-11-26 17:00:38.870304+00', '2026-11-27 01:00:38.870304+00', '2026-11-27 01:00:38.870304+00', 1, '2026-11-26 19:57:28.679196+00', '2026-11-26 19:56:58.451016+00', '2026-11-26 19:56:58.386212+00', 0, '2026-11-26 19:57:21.962391+00', 'CA96e6389813124ba9abbc6b5b80b28985', '2026-11-27 01:00:39.366377+00', '2026-11-27 01:00:39.609105+00', '2026-11-27 01:01:31.416143+00', '2026-11-27 01:01:42.225899+00', '2026-11-27 01:01:45.632328+00', -1, 'answered', 'none', 'none', 0, 'identity', 3, 3, 'human', 200, NULL, false, 'loan', '4b3c646cb271880a09188795ef5b09ac1000eb5814ea469714943392ea39ace5', 'zh', true, false, 13.934000000000001, 'hung_up_early', 10, '6bbed760c0947896384afb1dae9441604852a8e9d15ad36e8fb27be0c663148e'),
	('13b6288c-3488-447b-8030-895279f860ea', 5, 5, 1, 0, 'ended', 'new_warning', false, true, '2026-11-26 15:32:01.870304+00', '2026-11-27 01:00:38.870304+00', '2026-11-27 01:00:38.870304+00', 1, '2026-11-26 19:57:28.679196+00', '2026-11-26 19:56:58.382288+00', '2026-11-26 19:56:58.386212+00', 0, '2026-11-26 19:57:21.962391+00', 'CA2539632eaf5e4e868efde67ac225e7ff', '2026-11-27 01:00:39.366377+00', '2026-11-27 01:00:39.609105+00', '2026-11-27 01:01:15.418428+00', NULL, '2026-11-27 01:01:45.632328+00', -1, 'no_answer', 'none', 'none', 0, '', 0, 0, NULL, 487, NULL, false, 'fake_customer_service', '2fa7e0f314844e4b221888a76f133d2555e973a7d3c7f1fa9f1e1eb008e2ce5a', 'mn', true, false, 0, 'nobody', 3, '8cd5a4809260cd91624d0e772459fb65390891da649a9707a300220364001311'),
	('ac323285-d97f-4b26-b00b-7d0005c9053f', 7, 7, 1, 0, 'ended', 'new_warning', false, true, '2026-11-26 14:38:56.870304+00', '2026-11-27 01:00:38.870304+00', '2026-11-27 01:00:38.870304+00', 1, '2026-11-26 19:57:28.679196+00', '2026-11-26 19:56:58.347924+00', '2026-11-26 19:56:58.382303+00', 0, '2026-11-26 19:57:23.700435+00', 'CAd68c251d69c34e0687b907ce188f442e', '2026-11-27 01:00:39.362479+00', '2026-11-27 01:00:39.609105+00', '2026-11-27 01:00:41.087232+00', NULL, '2026-11-27 01:02:53.837208+00', -1, 'rejected', 'none', 'none', 0, '', 0, 0, NULL, 603, NULL, false, 'fake_order_rebate', '541d4756d14aa888ec21d3e5e6a75d7556e1bfee3453ca1cbad1fa9a0b970157', 'zh', true, false, 0, 'nobody', 4, '9e3920d641c6dac9eedcb8201555db261f6bc0f344454957da909c43974e4459'),
	('8aca471f-ad5f-4993-a312-33f9e54d62b2', 10, 10, 2, 0, 'ended', 'hung_up_early', false, true, '2026-11-27 01:00:38.870304+00', '2026-11-27 01:31:45.71566+00', '2026-11-27 01:01:11.097177+00', 3, '2026-11-26 19:58:17.441651+00', '2026-11-26 19:57:47.041651+00', '2026-11-26 19:57:47.127021+00', 0, '2026-11-26 19:58:07.757953+00', 'CA45f01e6956e34366afe81aac890e4210', '2026-11-27 01:31:53.661865+00', '2026-11-27 01:31:55.861725+00', '2026-11-27 01:31:59.477896+00', '2026-11-27 01:32:08.389925+00', '2026-11-27 01:32:15.31917+00', -1, 'answered', 'none', 'none', 0, 'identity', 3, 3, 'human', 200, NULL, false, 'credit', 'ae6861b97771dfc9f2842e3f01be7674e5023245295a802dd7be475669e7e809', 'zh', true, false, 13.934000000000001, 'hung_up_early', 2, 'a172dd2422dc9153e3513b2d48946b63880d97c6c87e41f972a4f06422bbf94f'),
	('cd380509-4ce9-4680-bff9-8b2ff496daf7', 10, 10, 1, 0, 'ended', 'new_warning', false, true, '2026-11-27 01:00:38.870304+00', '2026-11-27 01:00:38.870304+00', '2026-11-27 01:00:38.870304+00', 1, '2026-11-26 19:57:28.679196+00', '2026-11-26 19:56:58.588472+00', '2026-11-26 19:56:58.501219+00', 0, '2026-11-26 19:57:21.090349+00', 'CAacd6bab295e54b858a68991f80e61238', '2026-11-27 01:00:39.481384+00', '2026-11-27 01:00:39.609105+00', '2026-11-27 01:01:03.90922+00', '2026-11-27 01:01:08.429579+00', '2026-11-27 01:01:11.097177+00', -1, 'answered', 'none', 'none', 0, 'identity', 2, 2, NULL, 200, NULL, false, 'credit', 'ae6861b97771dfc9f2842e3f01be7674e5023245295a802dd7be475669e7e809', 'zh', true, false, 13.934000000000001, 'hung_up_early', 2, 'a172dd2422dc9153e3513b2d48946b63880d97c6c87e41f972a4f06422bbf94f'),
	('fbbdcfd5-35be-48a4-9248-73cd77448df0', 2, 2, 2, 0, 'ended', 'hung_up_early', false, true, '2026-11-26 17:00:38.870304+00', '2026-11-27 01:11:03.90922+00', '2026-11-27 01:01:03.90922+00', 1, '2026-11-26 19:57:46.4698+00', '2026-11-26 19:57:16.0698+00', '2026-11-26 19:57:16.191766+00', 0, '2026-11-26 19:57:36.604303+00', 'CA26cc38e13c7e4523a2a14bc4efbf247b', '2026-11-27 01:11:16.252779+00', '2026-11-27 01:11:19.208826+00', '2026-11-27 01:11:21.037296+00', '2026-11-27 01:11:27.992433+00', '2026-11-27 01:11:31.217388+00', -1, 'answered', 'none', 'none', 0, 'identity', 3, 3, 'human', 200, NULL, false, 'fake_order_rebate', '541d4756d14aa888ec21d3e5e6a75d7556e1bfee3453ca1cbad1fa9a0b970157', 'zh', true, false, 13.934000000000001, 'hung_up_early', 4, '9e3920d641c6dac9eedcb8201555db261f6bc0f344454957da909c43974e4459'),
	('b5cac378-1918-4410-a768-d1b956f6b572', 6, 6, 2, 0, 'ended', 'hung_up_early', false, true, '2026-11-26 17:00:38.870304+00', '2026-11-27 01:11:45.632328+00', '2026-11-27 01:01:45.632328+00', 1, '2026-11-26 19:57:47.566919+00', '2026-11-26 19:57:17.201283+00', '2026-11-26 19:57:17.280031+00', 0, '2026-11-26 19:57:37.727621+00', 'CAe22b4b1fd7d445fdbdac7592b10b5eb6', '2026-11-27 01:11:59.783281+00', '2026-11-27 01:12:03.652452+00', '2026-11-27 01:12:08.054537+00', '2026-11-27 01:12:13.503822+00', '2026-11-27 01:12:15.62282+00', -1, 'answered', 'none', 'none', 0, 'identity', 2, 2, NULL, 200, NULL, false, 'loan', '4b3c646cb271880a09188795ef5b09ac1000eb5814ea469714943392ea39ace5', 'zh', true, false, 13.934000000000001, 'hung_up_early', 10, '6bbed760c0947896384afb1dae9441604852a8e9d15ad36e8fb27be0c663148e'),
	('86c17cfc-2fbf-4c0a-8df2-1f16f1042fe2', 5, 5, 2, 0, 'ended', 'retry', false, true, '2026-11-26 15:32:01.870304+00', '2026-11-27 01:11:45.632328+00', '2026-11-27 01:01:45.632328+00', 1, '2026-11-26 19:57:47.566919+00', '2026-11-26 19:57:17.166919+00', '2026-11-26 19:57:17.280031+00', 0, '2026-11-26 19:57:38.246266+00', 'CA1921528d06bb4918b8aac8bf11efccd8', '2026-11-27 01:11:59.783281+00', '2026-11-27 01:12:03.652452+00', '2026-11-27 01:12:08.054537+00', NULL, '2026-11-27 01:12:36.684688+00', -1, 'no_answer', 'none', 'none', 0, '', 0, 0, NULL, 487, NULL, false, 'fake_customer_service', '2fa7e0f314844e4b221888a76f133d2555e973a7d3c7f1fa9f1e1eb008e2ce5a', 'mn', true, false, 0, 'nobody', 3, '8cd5a4809260cd91624d0e772459fb65390891da649a9707a300220364001311'),
	('2122752c-d5fc-47aa-a2f5-f0829c0b097f', 7, 7, 2, 0, 'ended', 'retry', false, true, '2026-11-26 14:38:56.870304+00', '2026-11-27 01:12:53.837208+00', '2026-11-27 01:02:53.837208+00', 1, '2026-11-26 19:57:49.23774+00', '2026-11-26 19:57:18.83774+00', '2026-11-26 19:57:18.964646+00', 0, '2026-11-26 19:57:39.338065+00', 'CAca3274c3f6c140078deff1914970cf9a', '2026-11-27 01:13:07.166885+00', '2026-11-27 01:13:10.170368+00', '2026-11-27 01:13:11.893162+00', NULL, '2026-11-27 01:13:20.868715+00', -1, 'rejected', 'none', 'none', 0, '', 0, 0, NULL, 603, NULL, false, 'fake_order_rebate', '541d4756d14aa888ec21d3e5e6a75d7556e1bfee3453ca1cbad1fa9a0b970157', 'zh', true, false, 0, 'nobody', 4, '9e3920d641c6dac9eedcb8201555db261f6bc0f344454957da909c43974e4459'),
	('651b0aa4-6ca4-4f47-b905-83cd7d5576c6', 7, 7, 3, 0, 'ended', 'retry', false, true, '2026-11-26 14:38:56.870304+00', '2026-11-27 01:23:20.868715+00', '2026-11-27 01:13:20.868715+00', 1, '2026-11-26 19:58:04.803567+00', '2026-11-26 19:57:34.403567+00', '2026-11-26 19:57:34.519915+00', 0, '2026-11-26 19:57:55.034998+00', 'CAf80801f984f54cb5a7ffd466bc68c55b', '2026-11-27 01:23:29.37816+00', '2026-11-27 01:23:36.739334+00', '2026-11-27 01:23:39.569248+00', NULL, '2026-11-27 01:23:48.363842+00', -1, 'rejected', 'none', 'none', 0, '', 0, 0, NULL, 603, NULL, false, 'fake_order_rebate', '541d4756d14aa888ec21d3e5e6a75d7556e1bfee3453ca1cbad1fa9a0b970157', 'zh', true, false, 0, 'nobody', 4, '9e3920d641c6dac9eedcb8201555db261f6bc0f344454957da909c43974e4459'),
	('03790a1d-f5c8-4fa5-9468-d93522f7d427', 5, 5, 3, 0, 'ended', 'retry', false, true, '2026-11-26 15:32:01.870304+00', '2026-11-27 01:23:08.043312+00', '2026-11-27 01:12:36.684688+00', 3, '2026-11-26 19:58:04.803567+00', '2026-11-26 19:57:34.437931+00', '2026-11-26 19:57:34.519915+00', 0, '2026-11-26 19:57:55.751462+00', 'CA24471bbfe0aa4164beb093e0e39c4c3b', '2026-11-27 01:23:29.37816+00', '2026-11-27 01:23:39.569248+00', '2026-11-27 01:23:43.129019+00', '2026-11-27 01:23:45.820974+00', '2026-11-27 01:24:16.980747+00', -1, 'answered', 'verified', 'acknowledged', 3, 'goodbye', 33, 33, 'human', 200, NULL, false, 'fake_customer_service', '2fa7e0f314844e4b221888a76f133d2555e973a7d3c7f1fa9f1e1eb008e2ce5a', 'mn', true, true, 52.155, 'verified', 3, '8cd5a4809260cd91624d0e772459fb65390891da649a9707a300220364001311');
INSERT INTO public.audit VALUES
	(1, '2026-11-27 01:00:19.092201+00', 'demo', 'import_units', 'unit', '', '{"new": 31, "moved": 0, "closed": 0, "placed": 0, "aliases": 13, "changed": 0, "renamed": 0, "unchanged": 0}', '\x010001b242630ea2d440b3ccfdd5509eab5bc3784210e3a2f648d3f935a961'),
	(2, '2026-11-27 01:00:21.854793+00', 'demo', 'staff_add', 'staff/1', '', '{"role": "clerk", "login": "clerk", "unit_id": null}', '\x010001b4cf96af16311fed7842b7c43cb7f3767b93e9dae586145d0baaaf7b'),
	(3, '2026-11-27 01:00:25.569391+00', 'demo', 'staff_add', 'staff/2', '', '{"role": "caller", "login": "caller", "unit_id": null}', '\x010001ee3b7ce03090bab3ebab0eb7df3aaee65993ca363298ef6701c8149e'),
	(4, '2026-11-27 01:00:29.155847+00', 'demo', 'staff_add', 'staff/3', '', '{"role": "officer", "login": "officer", "unit_id": 2}', '\x0100015dd3edd6027245b478a2472bc757025243f597e8855aa26e31c3eea0'),
	(5, '2026-11-27 01:00:31.872328+00', 'demo', 'staff_add', 'staff/4', '', '{"role": "supervisor", "login": "supervisor", "unit_id": null}', '\x0100012571d5d88cb2048989b70ce03857e98a7c9c37ed6ac4c183953bf024'),
	(6, '2026-11-27 01:00:35.094846+00', 'demo', 'staff_add', 'staff/5', '', '{"role": "administrator", "login": "administrator", "unit_id": null}', '\x010001712e543852a4cc7ed51f33fb319af088f1a3d97da1b8cc86f61536f9'),
	(7, '2026-11-27 01:00:37.549484+00', 'demo', 'staff_add', 'staff/6', '', '{"role": "auditor", "login": "auditor", "unit_id": null}', '\x01000156642746972551b2c7d97c503b26faa35791f735a7a77b6e5f493590'),
	(8, '2026-11-27 01:00:37.604007+00', 'caller', 'extension', 'staff/caller', '', '{"extension": "8001"}', '\x01000145cfad32ae67ae6e0b058d558905c3c6e8bd6243adc39924f94402ae'),
	(9, '2026-11-27 01:00:37.632308+00', 'supervisor', 'extension', 'staff/supervisor', '', '{"extension": "8002"}', '\x0100015ecc26f98e3f326105bdb0e1b7f488104ba0f43b8d32de5f9ef6933a'),
	(10, '2026-11-27 01:05:33.169111+00', '值班长 刘岩', 'approve_outcome', 'case/1', '', '{"outcome_id": 3}', '\x0100013ad5e5d52470a8f92f6112ce03960f58bd0ff11501e0b9769a0a66dd'),
	(11, '2026-11-27 01:27:19.333576+00', '值班长 刘岩', 'approve_outcome', 'case/2', '', '{"outcome_id": 7}', '\x0100013a05872d5238bafb53bd09d98dfb0d542d463b030462af19234f2764'),
	(12, '2026-11-27 01:28:04.126305+00', '值班长 刘岩', 'approve_outcome', 'case/6', '', '{"outcome_id": 8}', '\x01000168edd85eff429e659f7b9d1d6bf3c278123dce22399080491438fbac'),
	(13, '2026-11-27 01:28:54.97024+00', '值班长 刘岩', 'approve_outcome', 'case/7', '', '{"outcome_id": 9}', '\x0100019435593227a1db476c1a93269eb910b517595580beb83e7ced06555f');
INSERT INTO public."case" VALUES
	(5, 5, 1, 4, 'medium', 'fake_customer_service', '运营商', '建设路派出所', 'watching', 'dissuaded_by_phone', 'verified', 1, 1, 1, 3000000, false, false, true, '{mongolian}', '2026-11-27 01:00:38.870304+00', NULL, '2026-11-27 01:00:39.609105+00', NULL, '2026-11-27 01:24:16.980747+00', '2026-12-04 01:24:16.980747+00', '2026-12-04 01:24:16.980747+00', 'done', 3, 3, 0, 0, '{}', NULL, NULL, 'verified_success', 'none', NULL, 0, 'none', 'none', NULL, 0, 'none', 11),
	(4, 4, 1, 2, 'low', 'fake_customer_service', '国家反诈中心', '杭锦后旗公安局', 'watching', 'dissuaded_by_phone', 'verified', 1, 1, 1, NULL, false, false, true, '{}', '2026-11-27 01:00:38.870304+00', NULL, '2026-11-27 01:00:39.609105+00', NULL, '2026-11-27 01:02:12.542032+00', '2026-12-04 01:02:12.542032+00', '2026-12-04 01:02:12.542032+00', 'done', 1, 1, 0, 0, '{}', NULL, NULL, 'verified_success', 'none', NULL, 0, 'none', 'none', NULL, 0, 'none', 27),
	(2, 2, 1, 5, 'medium', 'fake_order_rebate', '运营商', '石河派出所', 'watching', 'dissuaded_by_phone', 'verified', 1, 1, 1, NULL, false, false, true, '{elderly}', '2026-11-27 01:00:38.870304+00', '2026-12-01 16:00:00+00', '2026-11-27 01:00:39.609105+00', NULL, '2026-11-27 01:27:03.749546+00', '2026-12-04 01:27:03.749546+00', '2026-12-04 01:27:03.749546+00', 'done', 3, 3, 0, 0, '{}', NULL, NULL, 'verified_success', 'done', NULL, 1, 'none', 'none', NULL, 0, 'none', 23),
	(6, 6, 1, 5, 'medium', 'loan', '银行', '城南派出所', 'watching', 'dissuaded_by_phone', 'verified', 1, 1, 1, 50000, false, false, true, '{}', '2026-11-27 01:00:38.870304+00', '2026-11-27 16:00:00+00', '2026-11-27 01:00:39.609105+00', NULL, '2026-11-27 01:27:50.221085+00', '2026-12-04 01:27:50.221085+00', '2026-12-04 01:27:50.221085+00', 'done', 3, 3, 0, 0, '{}', NULL, NULL, 'verified_success', 'done', NULL, 1, 'none', 'none', NULL, 0, 'none', 31),
	(3, 3, 1, 2, 'high', 'fake_customer_service', '自治区反诈中心', '乌拉特前旗公安局', 'watching', 'dissuaded_by_phone', 'verified', 1, 1, 1, 23000000, false, false, true, '{}', '2026-11-27 01:00:38.870304+00', NULL, '2026-11-27 01:00:39.609105+00', NULL, '2026-11-27 01:02:23.133224+00', '2026-12-04 01:02:23.133224+00', '2026-12-04 01:02:23.133224+00', 'done', 1, 1, 0, 0, '{}', NULL, NULL, 'verified_success', 'done', NULL, 0, 'verified_success', 'done', NULL, 0, 'verified_success', 17),
	(7, 7, 1, 5, 'medium', 'fake_order_rebate', '运营商', '解放街派出所', 'watching', 'saw_through_it', 'verified', 1, 1, 1, 23000000, false, false, true, '{}', '2026-11-27 01:00:38.870304+00', NULL, '2026-11-27 01:00:39.609105+00', NULL, '2026-11-27 01:28:42.255262+00', '2026-12-04 01:28:42.255262+00', '2026-12-04 01:28:42.255262+00', 'done', 3, 3, 0, 0, '{}', NULL, NULL, 'verified_success', 'done', NULL, 1, 'none', 'none', NULL, 0, 'none', 18),
	(10, 10, 1, 3, 'low', 'credit', '运营商', '五原县公安局', 'closed', 'cannot_find_yet', 'none', 1, 1, 1, NULL, false, false, true, '{}', '2026-11-27 01:00:38.870304+00', NULL, '2026-11-27 01:00:39.609105+00', '2026-11-27 01:32:15.31917+00', NULL, NULL, NULL, 'done', 2, 2, 0, 0, '{}', NULL, NULL, 'not_in_sample', 'none', NULL, 0, 'none', 'none', NULL, 0, 'none', 10),
	(1, 1, 1, 3, 'medium', 'shopping', '银行', '新华派出所', 'watching', 'dissuaded_by_phone', 'verified', 1, 1, 1, NULL, false, false, true, '{}', '2026-11-27 01:00:38.870304+00', NULL, '2026-11-27 01:00:39.609105+00', NULL, '2026-11-27 01:05:08.373455+00', '2026-12-04 01:05:08.373455+00', '2026-12-04 01:05:08.373455+00', 'done', 1, 0, 0, 0, '{0}', NULL, NULL, 'verified_success', 'done', NULL, 1, 'none', 'none', NULL, 0, 'none', 3),
	(9, 9, 1, 2, 'low', 'fake_customer_service', '银行', '五原县公安局', 'watching', 'dissuaded_by_phone', 'verified', 1, 1, 1, 1500000, false, false, true, '{}', '2026-11-27 01:00:38.870304+00', NULL, '2026-11-27 01:00:39.609105+00', NULL, '2026-11-27 01:07:10.149197+00', '2026-12-04 01:07:10.149197+00', '2026-12-04 01:07:10.149197+00', 'done', 1, 1, 0, 0, '{}', NULL, NULL, 'verified_success', 'none', NULL, 0, 'none', 'none', NULL, 0, 'none', 10),
	(8, 8, 1, 2, 'high', 'boss_or_acquaintance', '国家反诈中心', '杭锦后旗公安局', 'watching', 'dissuaded_by_phone', 'verified', 1, 1, 1, NULL, false, false, true, '{}', '2026-11-27 01:00:38.870304+00', NULL, '2026-11-27 01:00:39.609105+00', NULL, '2026-11-27 01:10:08.203463+00', '2026-12-04 01:10:08.203463+00', '2026-12-04 01:10:08.203463+00', 'done', 1, 1, 0, 0, '{}', NULL, NULL, 'verified_success', 'done', NULL, 0, 'verified_success', 'done', NULL, 0, 'verified_success', 27);
INSERT INTO public.event VALUES
	(1, 'c016d557-c6c1-42e0-9dcc-f572926fb97c', 3, 'status.0', 'call.initiated', '2026-11-27 01:00:39.49876+00', '', '{"sid": "CA49b2f3915ef149bcbe7ee9d619a4b080", "result": null, "sequence": 0, "sip_code": null, "answered_by": "", "duration_seconds": null}', '\x010001e21a868549277c54a56b5316c80846adb6d4556364c013456f78a030da3504e3126c4ff6ed465ef00ecb6cdf25f902a911164e3a468b6e4e6207ed0510c327bdd44888087126d49142ef14fb61fbfbce7f6ad5875c0ff42ad0e3b196b6e0dc99cad79224bede9a23ac03a644dc02aafe7f882268a4f5826c5a'),
	(2, '13b6288c-3488-447b-8030-895279f860ea', 5, 'status.0', 'call.initiated', '2026-11-27 01:00:39.646925+00', '', '{"sid": "CA2539632eaf5e4e868efde67ac225e7ff", "result": null, "sequence": 0, "sip_code": null, "answered_by": "", "duration_seconds": null}', '\x01000165929eb0d02efe9ed80782ec43d17b838801c1df346efa9723edf652a9e446233de29a769243c2fb40f0d06f92c201dabeb1b579cb0f2dcba728299076a30de4752ad29577317afda757bfd3f202ee3043066b9c18458f59c7c4a5a62ff3a4d86cf385a91e867d96e8b31902255b251dae77e8fd27962d917b'),
	(3, '562f373b-1511-43d2-acbd-841ba99c26af', 8, 'status.0', 'call.initiated', '2026-11-27 01:00:39.646925+00', '', '{"sid": "CA58c3bf2b2bf24a98a04b9d42655ce747", "result": null, "sequence": 0, "sip_code": null, "answered_by": "", "duration_seconds": null}', '\x0100018071ad46136121e084062f7c3df52787c19d91018b11aaef9518a3721c0e71aa121b2de6a3ccc9ba7d4ddfb802cfad550b3032977ce2ce614b2b64756a6dd16e7690bad55e563ef83b65b830ebfea0153ef55d17d09842a1ba78d618d6e9249312f17e469d77a296413a6b79ded1ea98547ddfc4a95f8b1e71'),
	(4, '7b82a46a-dd6c-4b12-affd-c8998d0cf151', 9, 'status.0', 'call.initiated', '2026-11-27 01:00:39.646925+00', '', '{"sid": "CA81d3a7dab5b949288162d00c2962ada1", "result": null, "sequence": 0, "sip_code": null, "answered_by": "", "duration_seconds": null}', '\x01000132dafeff4f19014389476be358b1249cdf4b138aa80fd25fa641dc26c5f9e0f8c7405e73d0f68c369c6423add1b119f6dcb26581c168e555d3e48476635541f19b963574279a5b4a9f97779f4f95425a0c282fe25fea481e3755d5acb409c898ad54bfd7e70dfec9ee60dce8de49c8bf414db7ebaf4a8d8de5'),
	(5, '99403913-8161-4e53-aeb1-dc784f5f4a9e', 2, 'status.0', 'call.initiated', '2026-11-27 01:00:39.646925+00', '', '{"sid": "CA97cdaa4ef3714ff8a92f3f5279a0a7b3", "result": null, "sequence": 0, "sip_code": null, "answered_by": "", "duration_seconds": null}', '\x010001260c743720a83fff6ccd60e48416920adc3b6c11e33e557945d247d1579ea55b67da4fc72fcc46a1d99004e25b6cc44d00aaf67a01178dc9caf178b9d6df42c78ca9b3f918d05cee9f70a5718f8acaff3dd4caa878a341cd4368cc0cb4863b635a55fd4efad3b08994fb0bc8be8acd43d708bcef0fe0f37447'),
	(6, '9b5d54ed-fbf3-4bf1-81b7-8a365034a62d', 6, 'status.0', 'call.initiated', '2026-11-27 01:00:39.646925+00', '', '{"sid": "CA96e6389813124ba9abbc6b5b80b28985", "result": null, "sequence": 0, "sip_code": null, "answered_by": "", "duration_seconds": null}', '\x01000115072f8e5a2c73f42ef7b5a84fb3770fc5aee64077744718ed2d04787e58db5b0447a4b19f0cb802ef7ee0423d66abbba68f68f7b88100e32c4b96ab51274c9691bb7efe5d2dfdc6e3c33b1b2c9c8f7b6ff1162cabe1accded61f86ac48dfe99ca074af7642b3df31120a6bb7d89ab4ece3212a7603b2a46e9'),
	(7, 'ac323285-d97f-4b26-b00b-7d0005c9053f', 7, 'status.0', 'call.initiated', '2026-11-27 01:00:39.646925+00', '', '{"sid": "CAd68c251d69c34e0687b907ce188f442e", "result": null, "sequence": 0, "sip_code": null, "answered_by": "", "duration_seconds": null}', '\x010001a03c57766b51d9dcfe5630bf429b7109dbf9eb857f27857847aabfd02e226873ec36fcea4689b33f391ddfabd2f54de7b29b4093839608ed04cd5dba995c7f8ccc929d14529c00b1632b77a52a0a150617632ae24b3c32111fe4381fd6ea9656f715c515db1625d13f74443c177eb6a2f112252aa8290284b4'),
	(8, 'cf1f3f2d-de3e-4a23-b70d-c33111c1fda2', 1, 'status.0', 'call.initiated', '2026-11-27 01:00:39.646925+00', '', '{"sid": "CA28b547a4d6ae44a1a888f46a45cf3240", "result": null, "sequence": 0, "sip_code": null, "answered_by": "", "duration_seconds": null}', '\x01000152903f0b04f1b7f1001a98c2165b34467d070e2de0cbf57d3dfe1e1a37b63fe81d41bb07690a3415000e7b840a37df94af0bf195f4e31232ecec1de578a0401d65f2fc51e2d52be6d2a38f26a8d8df91b7464701b275643827829e37ceaccb48b525cdaf6823a4500a1a02a4fbacbeb86d83b4cbca47e3174f'),
	(9, '5a37c5b5-b59d-4a8b-99f6-f5aa78b737b6', 4, 'status.0', 'call.initiated', '2026-11-27 01:00:39.753912+00', '', '{"sid": "CA0be9776415904e6fb4fd40258e8bdc0a", "result": null, "sequence": 0, "sip_code": null, "answered_by": "", "duration_seconds": null}', '\x01000178c9b58fd19651941dbddca2cd4ef0900611427fa263a8932b53bb71bdd44838777d6fa080a75c092a36c65847953402ac5fbf03e04fd84f3305f6de6a23ad82dd3b3f17887c1bab8c0092453c7abc38296b03f909f5ad9cac84327a677f3f3c778668a8e2926263bcd5a6d5b052a2ca48209e626207e88bbf'),
	(10, 'cd380509-4ce9-4680-bff9-8b2ff496daf7', 10, 'status.0', 'call.initiated', '2026-11-27 01:00:39.753912+00', '', '{"sid": "CAacd6bab295e54b858a68991f80e61238", "result": null, "sequence": 0, "sip_code": null, "answered_by": "", "duration_seconds": null}', '\x0100018a13c3134b1780798e493ba2f205e3f6dbb50cf7936159bab1ae5f203aa0001f68785d50ecabc5dbed708d67cb2dd0853bb793153545f52c29ddd96416fc0ed41022182d369399e01ff6e54ba13f22ea563b0edc5961ad08abdf14b2dc43760932460e3991e604be3f04bac82d0bd2ffedeece7cd0064dc8ca'),
	(11, '7b82a46a-dd6c-4b12-affd-c8998d0cf151', 9, 'status.1', 'call.ringing', '2026-11-27 01:00:40.816076+00', '', '{"sid": "CA81d3a7dab5b949288162d00c2962ada1", "result": null, "sequence": 1, "sip_code": null, "answered_by": "", "duration_seconds": null}', '\x01000182debbcdd63ac62576d3965ad76afa6a20bd6526ce9a971cf02ee24c5034da2c2e5fd8d4c3f130bd16e5d203bf286e34dd24fefc127519ded9300fc7b45e1c53776b43cd0ef5d6fa1ad6f337218ec8b2b59d3beec148a498560ab3c697c3b36788d8abceea5e8b01966164bcb573b00b078b379dfa4dddcac4'),
	(12, 'ac323285-d97f-4b26-b00b-7d0005c9053f', 7, 'status.1', 'call.ringing', '2026-11-27 01:00:41.087232+00', '', '{"sid": "CAd68c251d69c34e0687b907ce188f442e", "result": null, "sequence": 1, "sip_code": null, "answered_by": "", "duration_seconds": null}', '\x01000168ee65222d9a2f8af45d146995e83e97f1d79615e038160e6c7be0ff8975297ec243576a0408dfc5c1e4c3789fd539c1aebd1437e1e9a2305a65fee537b78d279ad72be56a271783de3e04769ebdf09fb0dd3132498d60b719e041167e00cbf4dbd24754b88e0be0f3f0a934befc950eb88d7711387dac933e'),
	(13, '562f373b-1511-43d2-acbd-841ba99c26af', 8, 'status.1', 'call.ringing', '2026-11-27 01:00:41.275954+00', '', '{"sid": "CA58c3bf2b2bf24a98a04b9d42655ce747", "result": null, "sequence": 1, "sip_code": null, "answered_by": "", "duration_seconds": null}', '\x01000188564ebbe4f754ca14930e61caed2c3c7076f28751c398dad793c9c6970cc2504ca4d05ffc1a994015cc9eec67cdd4a1d4a663d6e24cadf107587da125cb13fe6a93885921798c35e1a6d21d5f100cf2f6a26356e46598f71136d29777b369b9e2a13a9491430f882169fbf492f576cd58efac4ea19d13e447'),
	(14, '99403913-8161-4e53-aeb1-dc784f5f4a9e', 2, 'status.1', 'call.ringing', '2026-11-27 01:00:45.088037+00', '', '{"sid": "CA97cdaa4ef3714ff8a92f3f5279a0a7b3", "result": null, "sequence": 1, "sip_code": null, "answered_by": "", "duration_seconds": null}', '\x010001cfd9b38b8ff84b2558c5c5b6735aee479e87a849e02c5230b33d9f5cc223d220cddebd62992ac455adba9a7c66a08999a0a4324ac82ac5d1feacc896a26986141e1d24925e6ec037f548b8f14387a32e08c4217665e5f72baf6953ec0b3be64343ad37e1f2884dfcc0b4ca5bd5ea53084e6f70407a568368da'),
	(15, 'cf1f3f2d-de3e-4a23-b70d-c33111c1fda2', 1, 'status.1', 'call.ended', '2026-11-27 01:00:54.176582+00', '', '{"sid": "CA28b547a4d6ae44a1a888f46a45cf3240", "result": "invalid_number", "sequence": 1, "sip_code": 404, "answered_by": "", "duration_seconds": 0}', '\x010001ce55fed1bbe8a6ec88ccfd679e1a938a5032d7dd49dff16bf4660e2ca2ba9878e2b09980361f5d70d9a17c6023fca32ee9580072cc39d9e7a188fc9b07576ca3448b1c26a6377493a080b54cc575f8f56ea29b8252eb5c424918f28572e2c03c56a80cb230bd691623b4079a5e0bcf6660e185e087f35f9d8a'),
	(16, '99403913-8161-4e53-aeb1-dc784f5f4a9e', 2, 'status.2', 'call.answered', '2026-11-27 01:01:00.706543+00', '', '{"sid": "CA97cdaa4ef3714ff8a92f3f5279a0a7b3", "result": null, "sequence": 2, "sip_code": null, "answered_by": "", "duration_seconds": null}', '\x0100011acb82817fae2c9793567f38b6771f26a8affdc5a0bbac94c8c2af307996ce55009ec2c6227c907254f2e41a85bed78648d3dfde41fe5133e701084ae8564e49748fa1b28113a8bc54140f1f63cc10630d4701381f5cfe234f8c2a6b5bee3d61d90069c02078389a9605627d0314e068d6eb14c4c293431e52'),
	(17, '99403913-8161-4e53-aeb1-dc784f5f4a9e', 2, 'talk.0', 'talk', '2026-11-27 01:01:00.706543+00', '', '{"at": "", "end": false, "key": "", "sid": "CA97cdaa4ef3714ff8a92f3f5279a0a7b3", "desk": "", "said": ["common.opening", "common.identity"], "then": "identity", "spoke": false, "collected": ""}', '\x010001d85caa7849effd898c7abc89b4423e56eabdd3de506517012820b1b73b3077390bb362c924c8785e4ec6eb2725f70a87b78841645a63f444b89c209be3188245e883849e542b32fd6cc2e598eb6b185a95dac7cf87991f59b3bc93a0f491e58683cd904deba203c0e195a3a63f1b7d8068124beac7fee71dd2'),
	(18, '99403913-8161-4e53-aeb1-dc784f5f4a9e', 2, 'amd', 'call.answered', '2026-11-27 01:01:03.90922+00', '', '{"sid": "CA97cdaa4ef3714ff8a92f3f5279a0a7b3", "result": null, "sequence": null, "sip_code": null, "answered_by": "human", "duration_seconds": null}', NULL),
	(19, '99403913-8161-4e53-aeb1-dc784f5f4a9e', 2, 'status.3', 'call.ended', '2026-11-27 01:01:03.90922+00', '', '{"sid": "CA97cdaa4ef3714ff8a92f3f5279a0a7b3", "result": "answered", "sequence": 3, "sip_code": 200, "answered_by": "human", "duration_seconds": 4}', '\x010001bdf052c690541749524233db0ff28f9e104cd6fbe814b4e17d8d8006b98b05ed0a9451251f8444bad7ebc702658c282f2dde959c70036edeb990c9f7e3d4401c42c4a45c77c7b01d2dfce1b7c8b91426acfe2f4491a530e2f7990cf17a31b182a811ebc9ff9a134ed54f1c54432933292ed8601cc837a5fc46'),
	(20, 'cd380509-4ce9-4680-bff9-8b2ff496daf7', 10, 'status.1', 'call.ringing', '2026-11-27 01:01:03.90922+00', '', '{"sid": "CAacd6bab295e54b858a68991f80e61238", "result": null, "sequence": 1, "sip_code": null, "answered_by": "", "duration_seconds": null}', '\x010001316e076f273bc09b81db9edcfa834c3c2955883aac7730f7ae5fa683b3aae4d1b9323aee12cf3329f45be1bb46a5a929e44501e3598f00e9650b9e1b1e1db05b130e0c1277beb8a69981c4711e6cf18e8d887ff182b993a285521f79d7d4e5f7105ea9ffd34f6907bd3ec6fb20385fc82cb249910ed367c212'),
	(21, 'cd380509-4ce9-4680-bff9-8b2ff496daf7', 10, 'status.2', 'call.answered', '2026-11-27 01:01:08.429579+00', '', '{"sid": "CAacd6bab295e54b858a68991f80e61238", "result": null, "sequence": 2, "sip_code": null, "answered_by": "", "duration_seconds": null}', '\x010001a33cbd659f319048d48879f8930850cb0daded206f5d9f26f160d5ece211989017db1e468a89b61e429be5730163ca8dc2c9596de61c0786d7cf044a1fe5eb7cb9720b805b64ea466f2c7dcfcd3c137845dbcdac6d9eaafb88e12429a2f0f9cef0ebc25a7745c8a08dfc348a6b370fe3c8df8c27aa41dbb5bd'),
	(23, 'cd380509-4ce9-4680-bff9-8b2ff496daf7', 10, 'amd', 'call.answered', '2026-11-27 01:01:11.097177+00', '', '{"sid": "CAacd6bab295e54b858a68991f80e61238", "result": null, "sequence": null, "sip_code": null, "answered_by": "human", "duration_seconds": null}', NULL),
	(22, 'cd380509-4ce9-4680-bff9-8b2ff496daf7', 10, 'talk.0', 'talk', '2026-11-27 01:01:08.429579+00', '', '{"at": "", "end": false, "key": "", "sid": "CAacd6bab295e54b858a68991f80e61238", "desk": "", "said": ["common.opening", "common.identity"], "then": "identity", "spoke": false, "collected": ""}', '\x010001137ffd490de16c6090a8a8b5c03ef5c730e177536784a75e9578c2ee3095e2a7e6d7255cb3db56fae1e93a7bf8cd3cd2fff626792054959fcd5302d3654ca35ab1e05550ebc95e2322bd56267a56c46e6b00d8b486ad744fa54f1471ffbc869a904270a01740570c49c467e5278299e8b411ab073cf01ce550'),
	(25, '5a37c5b5-b59d-4a8b-99f6-f5aa78b737b6', 4, 'status.1', 'call.ringing', '2026-11-27 01:01:13.836826+00', '', '{"sid": "CA0be9776415904e6fb4fd40258e8bdc0a", "result": null, "sequence": 1, "sip_code": null, "answered_by": "", "duration_seconds": null}', '\x0100012309a8deee4badbd2f2f6c9a074e3beac8b4a77c7e4b3269bcacb6aecd59c09dcc306a85bbcc2fce5ccc546ff2032dffea327f1528f53090ea6f9731c305640c2384ce2e54191c28107dbf64cc538521cc1ee700e72641049f1e1de79a7c15259684325d8abe8e02e6bcc09aab77359bc3622ecf9977343893'),
	(27, '5a37c5b5-b59d-4a8b-99f6-f5aa78b737b6', 4, 'status.2', 'call.answered', '2026-11-27 01:01:16.872095+00', '', '{"sid": "CA0be9776415904e6fb4fd40258e8bdc0a", "result": null, "sequence": 2, "sip_code": null, "answered_by": "", "duration_seconds": null}', '\x010001e5840f74a4b040b2a2519649fdeef43c5e550ce1213a445e67d7b8fb83827241e463446e6c2a0e52cc99c20aedd45a4a137c3c73a4da87ac04374c296daf79266551c1379b81d6326edf2bfa4d0b94427a2577d2d2fd608457fb20b98c5e918ac2cc37764548e93f630f15b3a0225d5b28ed6100d2f7b0e320'),
	(28, '5a37c5b5-b59d-4a8b-99f6-f5aa78b737b6', 4, 'talk.0', 'talk', '2026-11-27 01:01:16.872095+00', '', '{"at": "", "end": false, "key": "", "sid": "CA0be9776415904e6fb4fd40258e8bdc0a", "desk": "", "said": ["common.opening", "common.identity"], "then": "identity", "spoke": false, "collected": ""}', '\x010001b70402179142bacfdafecc9d8acfb32f2547ddb20386b4201fb708817f87508370eebe7e6e876e5fa8d2602da8ba1fffd882b9c4f45494260dbea7b6bc3b17fba664f54d8e6f4295daaeebc0ce63988131f0505db53358fc100539ab6f33f3270fcdb0dcdfdf7301dc7c85d7e8ca6c526bbbcc164058ccf57a'),
	(29, 'c016d557-c6c1-42e0-9dcc-f572926fb97c', 3, 'status.1', 'call.ringing', '2026-11-27 01:01:16.872095+00', '', '{"sid": "CA49b2f3915ef149bcbe7ee9d619a4b080", "result": null, "sequence": 1, "sip_code": null, "answered_by": "", "duration_seconds": null}', '\x0100010c6ae3e0b26c5df9c27da80b5e644dff07fb34b2f3f27c608cebecdf5c44bb38aa344a3413d7c4c58107f6b102b1c259aa9eafb2a83a729e5f966e437d28a8c5e691a77849ad8a83a721adfbebaa9b23777a556a3e907486c77bfa649602e6a8167ca3111ed638d1f2f8d5653eff6a046f961e6987994c6c50'),
	(31, '5a37c5b5-b59d-4a8b-99f6-f5aa78b737b6', 4, 'talk.1', 'talk', '2026-11-27 01:01:26.445555+00', '', '{"at": "identity", "end": false, "key": "1", "sid": "CA0be9776415904e6fb4fd40258e8bdc0a", "desk": "", "said": ["fake_customer_service.scene"], "then": "scene", "spoke": false, "collected": ""}', '\x010001fa82c6a04c3adc6dab3dc5bf34ce89e0ac08aefadad6d841e7746f8255ab25d05e83693529c6df3898ca39d455f945728cb43f6381888e7007e4f72b226f8781c879eea133db8708384d5fd9fc5a50230482a25498212601c07a2eb8c9462ca8c6a99fd5c69c3253a941e8120fa6620b3fd980a6f3006d6ed88ce2cdbda1d05194a434f50fcf'),
	(34, '9b5d54ed-fbf3-4bf1-81b7-8a365034a62d', 6, 'status.1', 'call.ringing', '2026-11-27 01:01:31.416143+00', '', '{"sid": "CA96e6389813124ba9abbc6b5b80b28985", "result": null, "sequence": 1, "sip_code": null, "answered_by": "", "duration_seconds": null}', '\x0100019a2669228ce4f5be0f162d3fa352aab5376154c6e37538f0528c472d5cec8f95ac02883b48b25607ec566f5a2007eba10ae846e0ce06d0e4107c41d3c8b1b87056dfef3641438828d6b05003adf40254b377f7294fc9b9f4c76aabc4a07c1438a804265b2c763c0193c8e3bd94ea15aaca6941b690490830e0'),
	(36, '5a37c5b5-b59d-4a8b-99f6-f5aa78b737b6', 4, 'talk.2', 'talk', '2026-11-27 01:01:34.435123+00', '', '{"at": "scene", "end": false, "key": "1", "sid": "CA0be9776415904e6fb4fd40258e8bdc0a", "desk": "", "said": ["fake_customer_service.warn", "common.caution", "common.acknowledge"], "then": "acknowledge", "spoke": false, "collected": ""}', '\x0100012a8c7722607976da849b58abe5e7a87047d241ed0724364272d883c574df052fbed9b28e4bb3258f9495247299706b2f9256066fd1b66ee0d6d433cc64300f98d528ffd1c04b1c45482ff29d856d0cfb16303058e97d3af5c65fb0513c5035896ec4c164b7bf7e050109da7e5426fc04b140b4f824fb31d25559a46bcf5d969888e2872029a8'),
	(37, 'c016d557-c6c1-42e0-9dcc-f572926fb97c', 3, 'talk.1', 'talk', '2026-11-27 01:01:34.435123+00', '', '{"at": "identity", "end": false, "key": "1", "sid": "CA49b2f3915ef149bcbe7ee9d619a4b080", "desk": "", "said": ["fake_customer_service.scene"], "then": "scene", "spoke": false, "collected": ""}', '\x010001e3a27bf923b4f25bf7c5e9cd883fd518ca68dde33273e660a699a2a9a0f4c9a2b9bef19a7dad599a6a6418fb7a0726e12bf15b6c60a26d85b5c4e7b0ebd858cdc689d970154f222ba1d69ba5b0ae56491986c5f3c7dc31ff9ebac701ddbafa4bf32004ff62f8934e1a104b018f631cdeb2cd7c9764bafba87c8167d41c27fecf5e6a2f34df6e'),
	(39, '9b5d54ed-fbf3-4bf1-81b7-8a365034a62d', 6, 'status.2', 'call.answered', '2026-11-27 01:01:42.225899+00', '', '{"sid": "CA96e6389813124ba9abbc6b5b80b28985", "result": null, "sequence": 2, "sip_code": null, "answered_by": "", "duration_seconds": null}', '\x010001a2d79bf59f57618c8c583642257213ba479f2a4ebe56c4f9ab48da1e03cd82bfed0eb04616d7ba41156ff5ee09aef4ce4e796c2c48992688a6337b6e9ec0b5eca139321c7136d2b3525a8cd6ebcb360c7dfb257b301be7bfe87e9a34803b731a41a2df7bd725d4ad5c9e1c78e8f5e3f14b990cf9acf4be53b2'),
	(40, '9b5d54ed-fbf3-4bf1-81b7-8a365034a62d', 6, 'talk.0', 'talk', '2026-11-27 01:01:42.225899+00', '', '{"at": "", "end": false, "key": "", "sid": "CA96e6389813124ba9abbc6b5b80b28985", "desk": "", "said": ["common.opening", "common.identity"], "then": "identity", "spoke": false, "collected": ""}', '\x01000121d859cf16f1c9699159b4b947f12614901a2ef4aab90f1ea05ac0eb33c68b7df654944f61554d10c1e12ff9f9aa536fe980287239d03441c10cef7d30b8b52ab0238a50e012bbb8207aa13fb3853b3eeb526a6067100dd1d2dc84d748a88e53fe1e8606c1a745957b97a64ebf919c3b58decf199b3328b7df'),
	(46, '5a37c5b5-b59d-4a8b-99f6-f5aa78b737b6', 4, 'status.3', 'call.ended', '2026-11-27 01:02:12.542032+00', '', '{"sid": "CA0be9776415904e6fb4fd40258e8bdc0a", "result": "answered", "sequence": 3, "sip_code": 200, "answered_by": "human", "duration_seconds": 55}', '\x010001ab2a5d8878b2f6c840fea3c41951dc8b742c44519b02f8c42267d9cf19603f7d45a0a844404643a2f6b24994d34fb3ca4a100a996a52e03e7892e3f0520c037d401db59130df78aa443104039bf9a901364d5e8aab3595d77dd3ae210a625a417472fde2e4de290fdf834ba70a400079bdc1e3872865e15b3f'),
	(47, '7770e466-e268-4627-b4ee-9a3a5a0d8c7d', 5, 'message.accepted', 'message.accepted', '2026-11-27 01:02:24.370417+00', '', '{"sid": "SM9d571e7ddcc84654838e581880a67712", "error_code": null}', NULL),
	(52, 'aef79443-352a-4ca1-942b-4c86cdbda0cd', 4, 'message.sent', 'message.sent', '2026-11-27 01:02:31.989178+00', '', '{"sid": "SMde769136b0eb4583a7d45d0cfde1e812", "error_code": null}', NULL),
	(55, '10c2bb04-cfa4-4d7b-9fbe-7662bc806e16', 3, 'message.accepted', 'message.accepted', '2026-11-27 01:02:52.366871+00', '', '{"sid": "SM4a447acb64174812a793fcdb7a2df382", "error_code": null}', NULL),
	(58, 'd879d1ea-d171-404f-9429-00caa5ca5b0e', 7, 'message.accepted', 'message.accepted', '2026-11-27 01:03:02.615656+00', '', '{"sid": "SM610f7ed77a274ff6a5fe6548257f1b28", "error_code": null}', NULL),
	(24, 'cd380509-4ce9-4680-bff9-8b2ff496daf7', 10, 'status.3', 'call.ended', '2026-11-27 01:01:11.097177+00', '', '{"sid": "CAacd6bab295e54b858a68991f80e61238", "result": "answered", "sequence": 3, "sip_code": 200, "answered_by": "", "duration_seconds": 2}', '\x01000134b1c9b97cd5f885c8a86c21b65c782caf34fb6bf8852f2373ffedbfcfdbeb7cb5f96351c7e4536bd5d3080937e0de47ed4130bb8204dcc46662e8f645392ae37f053c48d1b5650b635172ea0779ce7bec4e61d957852785b1a118c68b0b6497d73f19a37e9d74360864459e512f6f13096853cc00d3421c72'),
	(26, '13b6288c-3488-447b-8030-895279f860ea', 5, 'status.1', 'call.ringing', '2026-11-27 01:01:15.418428+00', '', '{"sid": "CA2539632eaf5e4e868efde67ac225e7ff", "result": null, "sequence": 1, "sip_code": null, "answered_by": "", "duration_seconds": null}', '\x010001521c06b1a00fa7b5130574e1bf4ac4a1a453855ae3d39c43af96b4d0c15313d89a411a48752ec4535effb8a0ac874f8c4a1d13309f5826203ec899d0f3e2170c4829c6b23c10d9173cec793bcdcade221c99bf0c6e1e5f3a19771d035b62315cd12fc46bdd5018e9e429a8292c88309056f5ebb404246834e2'),
	(30, '5a37c5b5-b59d-4a8b-99f6-f5aa78b737b6', 4, 'amd', 'call.answered', '2026-11-27 01:01:19.552444+00', '', '{"sid": "CA0be9776415904e6fb4fd40258e8bdc0a", "result": null, "sequence": null, "sip_code": null, "answered_by": "human", "duration_seconds": null}', NULL),
	(32, 'c016d557-c6c1-42e0-9dcc-f572926fb97c', 3, 'status.2', 'call.answered', '2026-11-27 01:01:30.287775+00', '', '{"sid": "CA49b2f3915ef149bcbe7ee9d619a4b080", "result": null, "sequence": 2, "sip_code": null, "answered_by": "", "duration_seconds": null}', '\x01000105d15dba5ab914978e97b59800cd95f10cc836531e681e8b1871fdaf7109a8837cabae4abf43ef88838c205cd9ef28d677d8bfc95d8fd677a5237edb13db68c883cd9397770db36458b703d793f8ecb9ed0b40e77e309a43a2e42c873ca39f85ded428e029283efe27ae41035e1c7be6cf4da504a17eb10626'),
	(33, 'c016d557-c6c1-42e0-9dcc-f572926fb97c', 3, 'talk.0', 'talk', '2026-11-27 01:01:30.287775+00', '', '{"at": "", "end": false, "key": "", "sid": "CA49b2f3915ef149bcbe7ee9d619a4b080", "desk": "", "said": ["common.opening", "common.identity"], "then": "identity", "spoke": false, "collected": ""}', '\x01000153f2c9dd8b43a1951de298be03fc1a2f26eea748aaab8717f4aa5526836519f4c0c57b968802a572cfb29f59be4d932f770d382a92b04a96d5efe7dc2cd07ca3a9170aae3f63f69be053e750847223dc5c3e0f6b777eea0abf8174361b386991e46d3928845bd48ccd40bf49776bafc117630df9c89156cf55'),
	(35, 'c016d557-c6c1-42e0-9dcc-f572926fb97c', 3, 'amd', 'call.answered', '2026-11-27 01:01:32.579054+00', '', '{"sid": "CA49b2f3915ef149bcbe7ee9d619a4b080", "result": null, "sequence": null, "sip_code": null, "answered_by": "human", "duration_seconds": null}', NULL),
	(38, 'c016d557-c6c1-42e0-9dcc-f572926fb97c', 3, 'talk.2', 'talk', '2026-11-27 01:01:39.435638+00', '', '{"at": "scene", "end": false, "key": "1", "sid": "CA49b2f3915ef149bcbe7ee9d619a4b080", "desk": "", "said": ["fake_customer_service.warn", "common.caution", "common.acknowledge"], "then": "acknowledge", "spoke": false, "collected": ""}', '\x0100014147e8dc7abdb4ff17b7b43cf859d036bef9fd1426b2f41923a04633f1f21edbe7b34a53b1a6a737fb99023ef3b6ce4aaae0478c84a1a5fe8ff9360ffed597784e5c4f2857ee9a54d3daf3b2d8402941b20dc6463ede31aa9528d809052308287e7b36d6672811e8bd7761b956dd09f10fb8eb1fd78911e304f2bf35e3147acf37e6aa751d82'),
	(41, '13b6288c-3488-447b-8030-895279f860ea', 5, 'status.2', 'call.ended', '2026-11-27 01:01:45.632328+00', '', '{"sid": "CA2539632eaf5e4e868efde67ac225e7ff", "result": "no_answer", "sequence": 2, "sip_code": 487, "answered_by": "", "duration_seconds": 0}', '\x010001f9ef40bf6748fea1decc8e4603c4b46764dbeab5acd6be6b327b712805fe919d8e728c333b574ea22b19d415837807a38fcac2364122be01ee9ad8c9dd7ab5190f94a5f15ce3617fa42afb343fff1e129826afcc9a67ef471c2cbbf5f434ef6f8f425f71b82e42ef3ce8b24a071151e5492ad2eb45ed4fa07e'),
	(42, '5a37c5b5-b59d-4a8b-99f6-f5aa78b737b6', 4, 'talk.3', 'talk', '2026-11-27 01:01:45.632328+00', '', '{"at": "acknowledge", "end": true, "key": "1", "sid": "CA0be9776415904e6fb4fd40258e8bdc0a", "desk": "", "said": ["common.goodbye"], "then": "goodbye", "spoke": false, "collected": ""}', '\x01000118490ede060cf2ea2624d17eca2a05fb770253567a856ca6ec0e669ee7df319c36fcfc3de9f96e9b4d85eb75ffbbe4fe928eca15128e814535630f726606780393e59e03089cde471e734bfa51bdf3bf794ebf65afa2630359579b59cd9c3767f696f54b8ead4c78a94bfef176ccc9803a19e87420725df071b06a0e75dcecfdb757fb21adc5'),
	(43, '9b5d54ed-fbf3-4bf1-81b7-8a365034a62d', 6, 'amd', 'call.answered', '2026-11-27 01:01:45.632328+00', '', '{"sid": "CA96e6389813124ba9abbc6b5b80b28985", "result": null, "sequence": null, "sip_code": null, "answered_by": "human", "duration_seconds": null}', NULL),
	(44, '9b5d54ed-fbf3-4bf1-81b7-8a365034a62d', 6, 'status.3', 'call.ended', '2026-11-27 01:01:45.632328+00', '', '{"sid": "CA96e6389813124ba9abbc6b5b80b28985", "result": "answered", "sequence": 3, "sip_code": 200, "answered_by": "human", "duration_seconds": 3}', '\x01000154283f45ead07fa5360cbfde8fcb59852dece5a2cb3d11d1e8bf0d9ac66b708c10834c856d8db362504c413e9c540c183328b1df0812ab80b36d5ba51b8605111365ee0aa766c28dd981966eed0c3f21a82f53bfd8888b0a211753791ec756c0dc5627f9110716d7a84b3adeed42320af16b2672879384c915'),
	(45, 'c016d557-c6c1-42e0-9dcc-f572926fb97c', 3, 'talk.3', 'talk', '2026-11-27 01:02:07.457355+00', '', '{"at": "acknowledge", "end": true, "key": "1", "sid": "CA49b2f3915ef149bcbe7ee9d619a4b080", "desk": "", "said": ["common.goodbye"], "then": "goodbye", "spoke": false, "collected": ""}', '\x0100015470a8453d9de1f41955a67111080b97a3c70490e75acbcb91e6f553e55d20b9b9084d3ef4e5731ae9cc96269fc08e6939f259175a1f391ce05b2a8ece8ac90c88886684a74ca353062a585d81c82dfb0b8016fde1e6e706adf765b42dca0501cf6700d4de3ea8839271325778bd20c5c08e3ace757c695406a767cddbd0c109001447261c80'),
	(48, 'c016d557-c6c1-42e0-9dcc-f572926fb97c', 3, 'status.3', 'call.ended', '2026-11-27 01:02:23.133224+00', '', '{"sid": "CA49b2f3915ef149bcbe7ee9d619a4b080", "result": "answered", "sequence": 3, "sip_code": 200, "answered_by": "human", "duration_seconds": 46}', '\x010001bf7c04999a4e7fd59727d4eb520ad523e9e636cb365e0d1213d74c375da1ede254898e7393c90229a78e96606c82cee1cfd32ac7840febaa72316b355a124d2e1c0ee1afa6a8054b95ca80207014e22be60d8a6ee2ac41085ee3d35aa30aa4c2dc842d9f27b92b03941fba2b5dcb4a468f2da5d818b5a32f8a'),
	(49, '7770e466-e268-4627-b4ee-9a3a5a0d8c7d', 5, 'message.sent', 'message.sent', '2026-11-27 01:02:26.058563+00', '', '{"sid": "SM9d571e7ddcc84654838e581880a67712", "error_code": null}', NULL),
	(50, 'aef79443-352a-4ca1-942b-4c86cdbda0cd', 4, 'message.accepted', 'message.accepted', '2026-11-27 01:02:29.826578+00', '', '{"sid": "SMde769136b0eb4583a7d45d0cfde1e812", "error_code": null}', NULL),
	(51, '7770e466-e268-4627-b4ee-9a3a5a0d8c7d', 5, 'message.delivered', 'message.delivered', '2026-11-27 01:02:31.11318+00', '', '{"sid": "SM9d571e7ddcc84654838e581880a67712", "error_code": null}', NULL),
	(53, 'aef79443-352a-4ca1-942b-4c86cdbda0cd', 4, 'message.delivered', 'message.delivered', '2026-11-27 01:02:34.469627+00', '', '{"sid": "SMde769136b0eb4583a7d45d0cfde1e812", "error_code": null}', NULL),
	(54, '10c2bb04-cfa4-4d7b-9fbe-7662bc806e16', 3, 'message.sent', 'message.sent', '2026-11-27 01:02:52.841438+00', '', '{"sid": "SM4a447acb64174812a793fcdb7a2df382", "error_code": null}', NULL),
	(56, '10c2bb04-cfa4-4d7b-9fbe-7662bc806e16', 3, 'message.delivered', 'message.delivered', '2026-11-27 01:02:55.20758+00', '', '{"sid": "SM4a447acb64174812a793fcdb7a2df382", "error_code": null}', NULL),
	(57, 'ac323285-d97f-4b26-b00b-7d0005c9053f', 7, 'status.2', 'call.ended', '2026-11-27 01:02:53.837208+00', '', '{"sid": "CAd68c251d69c34e0687b907ce188f442e", "result": "rejected", "sequence": 2, "sip_code": 603, "answered_by": "", "duration_seconds": 0}', '\x010001ea9ec059394a9b3fdaba6b869eb8a5e0bb1481190143d144776d3a28cfa62b6c8d8996ee1d71916cbb2a777cf200772414b36fabb99db072e2b23e560940deefb27e37f615be8897867b67a71f933bbeccd39cb7fc97f7493c4c0cdb1183d3693fe42d49481d29f8f92429700f96012cae548a37cc35750914'),
	(59, 'd879d1ea-d171-404f-9429-00caa5ca5b0e', 7, 'message.sent', 'message.sent', '2026-11-27 01:03:04.031128+00', '', '{"sid": "SM610f7ed77a274ff6a5fe6548257f1b28", "error_code": null}', NULL),
	(60, 'd879d1ea-d171-404f-9429-00caa5ca5b0e', 7, 'message.delivered', 'message.delivered', '2026-11-27 01:03:06.820635+00', '', '{"sid": "SM610f7ed77a274ff6a5fe6548257f1b28", "error_code": null}', NULL),
	(61, '7b82a46a-dd6c-4b12-affd-c8998d0cf151', 9, 'status.2', 'call.answered', '2026-11-27 01:06:39.560312+00', '', '{"sid": "CA81d3a7dab5b949288162d00c2962ada1", "result": null, "sequence": 2, "sip_code": null, "answered_by": "", "duration_seconds": null}', '\x010001a50384b4ef61de8bd392d66a7d11f0c498b6aa258d3dba4a0087ea802bca9fba18b9fa35166e7664662e8a79dc52d2737f965aeb6dd1228b276aa4f074a4b4af696cdb3724c2e0bfe3de0ec781b5f1700d93c2639a03c22bb3a30d9307a145390082eda751cf5362dd7596b51cfc4d330ae8b9cde6d5fd82c6'),
	(62, '7b82a46a-dd6c-4b12-affd-c8998d0cf151', 9, 'talk.0', 'talk', '2026-11-27 01:06:40.88962+00', '', '{"at": "", "end": false, "key": "", "sid": "CA81d3a7dab5b949288162d00c2962ada1", "desk": "", "said": ["common.opening", "common.identity"], "then": "identity", "spoke": false, "collected": ""}', '\x0100018137db936d0d78f5d5275979706e77d0d762e1cdf70d8dc5842f2ef826c5ddc058de999433895351d4de0a0ff0fe72e04c7ff4d7f357eeff253497337bc67e76e813191e249a544fb0a45f399bf7399186f229fecf2fd283d7865fe6bdccd8355dd5abcd26743dc46bd327fa7fecb0cbd404dd23217ac14383'),
	(63, '7b82a46a-dd6c-4b12-affd-c8998d0cf151', 9, 'amd', 'call.answered', '2026-11-27 01:06:43.326248+00', '', '{"sid": "CA81d3a7dab5b949288162d00c2962ada1", "result": null, "sequence": null, "sip_code": null, "answered_by": "human", "duration_seconds": null}', NULL),
	(64, '7b82a46a-dd6c-4b12-affd-c8998d0cf151', 9, 'talk.1', 'talk', '2026-11-27 01:06:49.192127+00', '', '{"at": "identity", "end": false, "key": "1", "sid": "CA81d3a7dab5b949288162d00c2962ada1", "desk": "", "said": ["fake_customer_service.scene"], "then": "scene", "spoke": false, "collected": ""}', '\x010001106cedeccedfb15af2330dd236ddb0110a79370b65c751982ab0739a2903df92f3371f5543fa4d7bc2b4075f8199fcfa9a39d41e5f3cffe9915d76264132db865e79959a32eebf59f9ed345c3d935dee957899a3bd51582d23cf4ef961c30e8d7d128300097ffb922743fe7ca81bebdc72c4623dfe3859e84c2d18979b27508839c23485ec9d'),
	(71, '562f373b-1511-43d2-acbd-841ba99c26af', 8, 'status.2', 'call.answered', '2026-11-27 01:09:19.73905+00', '', '{"sid": "CA58c3bf2b2bf24a98a04b9d42655ce747", "result": null, "sequence": 2, "sip_code": null, "answered_by": "", "duration_seconds": null}', '\x0100010c667fbab94a742758626143b0a5cea4383ee232e2a28a7c1c5f5b259a5ad42d448341d8b0858bc4f566561ea125dd5bff7b94940adc4964e4da35655a0fb5f65e5baf9f0af0dbcb7f0fb651446bfd26377bd5c1823c42cd8d16fc01c9ca953e612c37de96325eb9adab348e7873c21bd7261cf4498196e10f'),
	(73, '562f373b-1511-43d2-acbd-841ba99c26af', 8, 'amd', 'call.answered', '2026-11-27 01:09:24.569525+00', '', '{"sid": "CA58c3bf2b2bf24a98a04b9d42655ce747", "result": null, "sequence": null, "sip_code": null, "answered_by": "human", "duration_seconds": null}', NULL),
	(77, '562f373b-1511-43d2-acbd-841ba99c26af', 8, 'talk.4', 'talk', '2026-11-27 01:09:52.71665+00', '', '{"at": "acknowledge", "end": false, "key": "", "sid": "CA58c3bf2b2bf24a98a04b9d42655ce747", "desk": "", "said": ["common.confirm", "common.acknowledge"], "then": "acknowledge", "spoke": true, "collected": ""}', '\x01000104ffba52944cace5201ccb9e774425e514da704457ab8c65a18861773bf3800eab46f89e43d1c2a0055c6224fd7085dedd2d71b4270fe56a2168ec2a03a9d03c8c44577949a28328bb2b2f170b7c37c58fb4ab48cef1ac66c7423f5642eb15bacecbedfcc86a99553576971a92f46f0bc222644e3dae8e304adb0509a3e915c5959f25b7d819fa04936660d6bd3e7eaf7178bd92'),
	(79, '562f373b-1511-43d2-acbd-841ba99c26af', 8, 'status.3', 'call.ended', '2026-11-27 01:10:08.203463+00', '', '{"sid": "CA58c3bf2b2bf24a98a04b9d42655ce747", "result": "answered", "sequence": 3, "sip_code": 200, "answered_by": "human", "duration_seconds": 48}', '\x010001d39fc22447eb3720f9fdfb41d7b334ec5a1b1cf00d9a692d86b5cb0901af3a47614f1470637fd812a9ff43f12cb40f0ebed9996207da5e72138a73498c0846b2aa8ebbbc5a2e7d2e77c5f9c9a1cc816859334861da18fcc47654609f3fcc74164f426371ea5967f42980747bfe33a5c41d0130df7968759548'),
	(87, 'fbbdcfd5-35be-48a4-9248-73cd77448df0', 2, 'amd', 'call.answered', '2026-11-27 01:11:31.217388+00', '', '{"sid": "CA26cc38e13c7e4523a2a14bc4efbf247b", "result": null, "sequence": null, "sip_code": null, "answered_by": "human", "duration_seconds": null}', NULL),
	(88, 'fbbdcfd5-35be-48a4-9248-73cd77448df0', 2, 'status.3', 'call.ended', '2026-11-27 01:11:31.217388+00', '', '{"sid": "CA26cc38e13c7e4523a2a14bc4efbf247b", "result": "answered", "sequence": 3, "sip_code": 200, "answered_by": "human", "duration_seconds": 3}', '\x01000117ecdd5f5b733233275a3f6a12c990e56f72b7fcfa9a404a1088fb96fd04c0bef20ea26e52ea56ae708b5c4975254de7a125c8ad21efbe7af46ebd52e4b4266a0e9c879f24dfa86d59345cb6b78dd551388de36122fd759cdf051c7894e3a7a31c3fb9f5894f85a2eedd3ee78fc5572ba260c258bfd63d2072'),
	(90, 'b5cac378-1918-4410-a768-d1b956f6b572', 6, 'status.0', 'call.initiated', '2026-11-27 01:12:06.079601+00', '', '{"sid": "CAe22b4b1fd7d445fdbdac7592b10b5eb6", "result": null, "sequence": 0, "sip_code": null, "answered_by": "", "duration_seconds": null}', '\x010001b86a83298225b5798ec0a4aa204dae31715ef4b18b22f6ef61445d248bfa9426ee4de13598c76935cf291ba7e7ba79606908654d910aa0d9d534bc6ce82e384cc6fdf469ecab717798a0e7013db263e651a919769f1f42b777851448d39ca6f6b38943be3ec85391d5d42d9fa0a671d74079f8b77407a2a0fa'),
	(95, 'b5cac378-1918-4410-a768-d1b956f6b572', 6, 'status.3', 'call.ended', '2026-11-27 01:12:15.62282+00', '', '{"sid": "CAe22b4b1fd7d445fdbdac7592b10b5eb6", "result": "answered", "sequence": 3, "sip_code": 200, "answered_by": "", "duration_seconds": 2}', '\x010001b4aa751d6f4b49e850efb52cc3edf0c3cc79a07177c528d579cb11bd5c0b9275175e7b990cc8a5badadb9998abf4f3041346f486db6b425e89e0c15bbb934bc9ebc15c6e457ff0a5c2dad079f4afdc98df93b2f3e4d909f86a5afe41e506e510639166341b298df8ae89449b0b1714a6800d60803b2f13d4f9'),
	(98, '2122752c-d5fc-47aa-a2f5-f0829c0b097f', 7, 'status.0', 'call.initiated', '2026-11-27 01:13:10.170368+00', '', '{"sid": "CAca3274c3f6c140078deff1914970cf9a", "result": null, "sequence": 0, "sip_code": null, "answered_by": "", "duration_seconds": null}', '\x01000137c3f2e48c9bf8cf8b4d8d4b816ed63b6e6a2537e1fa37232ea947bf3faae9ac35c72b18539b1766d705dc35f6b821b954be70e721f9e15eec7eea52029a281b1d76e36ca746693e99a9f80c911ebd7a2b0c73b90a962f095e70521a4ff7e9d01a40227670c2f2d1b725d9e83fdedc7f98f909053357811365'),
	(101, '0302eba1-1b59-4c37-b11e-cb44d214d8e3', 2, 'status.0', 'call.initiated', '2026-11-27 01:22:11.44504+00', '', '{"sid": "CAf896fcf1883c42f797e294d884691586", "result": null, "sequence": 0, "sip_code": null, "answered_by": "", "duration_seconds": null}', '\x0100019cb08a47025fc87fe36e673e626a91ba19dfa613d4c68b7dc22bfc5b9cf5fd71a9064c07c2a43f79772cfa741d8a6e2c520246cfd0d0e30d2850a21df364275540bfc97b17552348858cbf13f3fe3d3eecaf86db3408cf77880153652bf472e91ce2f8aab5128d94892acd8e79ee719f7764fbda7b77a8a95c'),
	(103, '0302eba1-1b59-4c37-b11e-cb44d214d8e3', 2, 'status.2', 'call.answered', '2026-11-27 01:22:27.506899+00', '', '{"sid": "CAf896fcf1883c42f797e294d884691586", "result": null, "sequence": 2, "sip_code": null, "answered_by": "", "duration_seconds": null}', '\x01000183257bb6775908a59c961112622f3a247c37ccf64f7f59ce0033d17e5c30e6e2f7dcdcfe50383c0bccfbf93807a68b95468cdf786888135ef6dc37883e2e94a4ea0160d755ca7f3b853fe15635e583b82140233cdd49abbd5aa69cd35609bd3d6bea90f16726fbd0e99e34040ee9ac9ccfcd7c4cd73caf07de'),
	(104, '0302eba1-1b59-4c37-b11e-cb44d214d8e3', 2, 'talk.0', 'talk', '2026-11-27 01:22:27.506899+00', '', '{"at": "", "end": false, "key": "", "sid": "CAf896fcf1883c42f797e294d884691586", "desk": "", "said": ["common.opening", "common.identity"], "then": "identity", "spoke": false, "collected": ""}', '\x010001a94faaa080f1bc402322c899aeabf4266b49cd4241c9bbecd6a871056ab7f08150db4bde4c50291329ce2ddb4cc562a44ecac8396957bf6799dd5de577046ff622bcf16db7e1c06353a47cd7162b01fb8e908e1c0beb739c1ac3596ff1353aee9d9889b481b231d4d96ffa62667c7a62ab923f7edcff092216'),
	(109, '9e906fa2-f11d-4596-9f6d-b5142154725a', 6, 'status.2', 'call.answered', '2026-11-27 01:23:16.868643+00', '', '{"sid": "CAf434e422de224931a1ef117387e31454", "result": null, "sequence": 2, "sip_code": null, "answered_by": "", "duration_seconds": null}', '\x010001c01d6e5b21f4a55d0085ce93854c84d9856ce33ca0d728c329fb0840cb848e4706339a8b38a2750ca13bb9d889cf094455157af6ee7a0414bc35c4b4390b5b6e022cccc1bc835a883bb966648e2bd9bbd694bd480bfc79ce92141d1b31e44d93e3dbd0546a6104c32d21607f529d40d0d8ff2ca2613de49070'),
	(110, '9e906fa2-f11d-4596-9f6d-b5142154725a', 6, 'talk.0', 'talk', '2026-11-27 01:23:16.868643+00', '', '{"at": "", "end": false, "key": "", "sid": "CAf434e422de224931a1ef117387e31454", "desk": "", "said": ["common.opening", "common.identity"], "then": "identity", "spoke": false, "collected": ""}', '\x01000195605032ec6cbb418d342a11d3d612b1c511ebb6dd54a1feee7a6a2c90ca864fd3bc81cee0f013ca489d198e3ad850bbe2a7065dedbc98d20592c46aa23363a40f840d67e4cbeedac02e0923782f0cb2237aedb0760618dcd13dd1cec2d8a76c028b30d036f20e5d3a3ea8d28a5f244503cf630d57fed81334'),
	(113, '651b0aa4-6ca4-4f47-b905-83cd7d5576c6', 7, 'status.0', 'call.initiated', '2026-11-27 01:23:36.739334+00', '', '{"sid": "CAf80801f984f54cb5a7ffd466bc68c55b", "result": null, "sequence": 0, "sip_code": null, "answered_by": "", "duration_seconds": null}', '\x0100019b47982f84147e74ed30928cf2f0609106f6ca4693c080b18f2be61f377069b54493782bb37267fae15ef52fed718bcfebdeac84c79038b0e05b38c4269dc09015a6dbe4897c5def5e9e647759262eb9dd74aada745fb481b35f3a5d342b0ef81fe9dceb8be920cd5213ac0eab1b829bd04ce2045c552b56b4'),
	(116, '03790a1d-f5c8-4fa5-9468-d93522f7d427', 5, 'status.1', 'call.ringing', '2026-11-27 01:23:43.129019+00', '', '{"sid": "CA24471bbfe0aa4164beb093e0e39c4c3b", "result": null, "sequence": 1, "sip_code": null, "answered_by": "", "duration_seconds": null}', '\x010001626761a758e461c703f0f31269e1d0898ab45a2cb9f123879f9a5645af3b0b2f73f1347eb4f0817353797293a0405b53d0bb7e0db08e9535e8c162ffc598dcdfb43ed4b0a898f47206490a41299a9ccbd9640ece11ed7d628c2cde23acac85c4b6bd3d5d57506c4682927a44c533bdd7eeb4adbf4f778433b4'),
	(121, '03790a1d-f5c8-4fa5-9468-d93522f7d427', 5, 'talk.1', 'talk', '2026-11-27 01:23:53.738178+00', '', '{"at": "identity", "end": false, "key": "1", "sid": "CA24471bbfe0aa4164beb093e0e39c4c3b", "desk": "", "said": ["fake_customer_service.scene"], "then": "scene", "spoke": false, "collected": ""}', '\x0100017684f642d628f2506e46eefc0d4988c652bdde65bddc46bbd6700fa8c99741d08bbc84bd1bd14dd17decec815e614fce59f05f31ecfab28a2b13b34906dcf4485ca017c443b37528c49224c0bc4aafe60e66922cd328b4d0fbe35d67df313bf865f11a51fcedf0a57173df34f373368574a7dafd82bebcff0bcd3985f3dcf21f8273802a95a4'),
	(123, '03790a1d-f5c8-4fa5-9468-d93522f7d427', 5, 'talk.3', 'talk', '2026-11-27 01:24:08.382505+00', '', '{"at": "acknowledge", "end": true, "key": "1", "sid": "CA24471bbfe0aa4164beb093e0e39c4c3b", "desk": "", "said": ["common.goodbye"], "then": "goodbye", "spoke": false, "collected": ""}', '\x0100014aab85d527979e514fe1af05e7bc588727632e9c071dbcf347ae2877720ed7761da871932a715c35613732060955f48d5d1056604e1a80ad72df8dec4e384273981c5bd2cbee0a6c7df261bc8f0e6d364a108dc805444b4b324211b5c29ffed3d35b350bf37fcd6c063a7b807709f67c2e4eff47ba6641445ec68f5443c1146d993de0bdb256'),
	(125, '77b3f8c5-2d79-4c1a-91b5-ebd0dd15cbbd', 5, 'message.accepted', 'message.accepted', '2026-11-27 01:24:52.967132+00', '', '{"sid": "SM91cf5378abdc423bbf87b8dc84632ebe", "error_code": null}', NULL),
	(128, '8aca471f-ad5f-4993-a312-33f9e54d62b2', 10, 'status.0', 'call.initiated', '2026-11-27 01:31:56.551737+00', '', '{"sid": "CA45f01e6956e34366afe81aac890e4210", "result": null, "sequence": 0, "sip_code": null, "answered_by": "", "duration_seconds": null}', '\x010001f90e2e342dd1926ac280840b07854c192f3620db71d71298557c373e8afa57cbc9f547b3c6b59029900ffc37ec314dde1f156ea3b441855177b9a01810b080776c72e8f1d6022526260c13d8bb7d3703e720829988b557ea89a529cb5f7a4ba512e0712c54e3c52ea8ff9928c45331bee9808be64a2c14c038'),
	(65, '7b82a46a-dd6c-4b12-affd-c8998d0cf151', 9, 'talk.2', 'talk', '2026-11-27 01:06:56.416067+00', '', '{"at": "scene", "end": false, "key": "1", "sid": "CA81d3a7dab5b949288162d00c2962ada1", "desk": "", "said": ["fake_customer_service.warn", "common.caution", "common.acknowledge"], "then": "acknowledge", "spoke": false, "collected": ""}', '\x010001d0d4c99de1b2f27238d87e7b3a26efe630832b6b367cace29a16fb0b00467e529c54821c19b91eb783f7cb3072a63509c386695619132decbe534eaa4d966e3da297c2b172209fd9dcccc666ea4f7d78ff53e95476f0c150b96183539268810976ce05155bc5c3f82a139ff1d0a7f6ea63ff5ed7bf6cd85677e359b90ffd1bda48fbfd6c861c'),
	(67, '7b82a46a-dd6c-4b12-affd-c8998d0cf151', 9, 'status.3', 'call.ended', '2026-11-27 01:07:10.149197+00', '', '{"sid": "CA81d3a7dab5b949288162d00c2962ada1", "result": "answered", "sequence": 3, "sip_code": 200, "answered_by": "human", "duration_seconds": 31}', '\x010001b0988d38618222e4516b96dd02bf1daa4dd3b801ccb0db1d3899d71ade871ab00f72be2e1f7a5cd3973d55644fc3b74567237cc9502e9a271fec8921cc1523dbc9693385199349b20b35d91cc2acaff2744504b8924d0bc89d3e3f962a97332f4c3242cbec5ac9ac4971ef2d73911fe6684487fada26d909b3'),
	(69, '7b7440f8-463a-4176-b104-69c6917a3d00', 9, 'message.sent', 'message.sent', '2026-11-27 01:07:22.875952+00', '', '{"sid": "SMa9172d2daa344f68b0a3d58ae944efa1", "error_code": null}', NULL),
	(72, '562f373b-1511-43d2-acbd-841ba99c26af', 8, 'talk.0', 'talk', '2026-11-27 01:09:21.489271+00', '', '{"at": "", "end": false, "key": "", "sid": "CA58c3bf2b2bf24a98a04b9d42655ce747", "desk": "", "said": ["common.opening", "common.identity"], "then": "identity", "spoke": false, "collected": ""}', '\x0100011466678a9b7af2d59a71946a2c840434d0ccf1e664808b4d4e9bca62226331b506e79ba2b5736243a8e69bfed8341bcc8d587e0ef16e69ed7d5036054ec46e4eca9d27f6b7e79966b7e1126aa1da0803e2b64be2b896c000135b94981ee0abff8923efbde318a79961288a2047c9d43d4099c4fd5fd4a6ab97'),
	(75, '562f373b-1511-43d2-acbd-841ba99c26af', 8, 'talk.2', 'talk', '2026-11-27 01:09:42.307285+00', '', '{"at": "identity", "end": false, "key": "1", "sid": "CA58c3bf2b2bf24a98a04b9d42655ce747", "desk": "", "said": ["boss_or_acquaintance.scene"], "then": "scene", "spoke": false, "collected": ""}', '\x0100011538df22171e849803bbf88dd4bce29e2766d93ca3021363751671ee6b00669e997630f3f2d2612745350d4af8504e734fdb1b1707bdab39a9d48e3f4fcf5c2b19fcb23f79cab6a2d2a0ca396fab904eaac2bced2436ac6c685914e2f66df2e7f2b2a22331e4001080d8c79ac6a741e8710dd017b3252889f8f1b5d04a31146124d26757aa22'),
	(78, '562f373b-1511-43d2-acbd-841ba99c26af', 8, 'talk.5', 'talk', '2026-11-27 01:10:00.326322+00', '', '{"at": "acknowledge", "end": true, "key": "1", "sid": "CA58c3bf2b2bf24a98a04b9d42655ce747", "desk": "", "said": ["common.goodbye"], "then": "goodbye", "spoke": false, "collected": ""}', '\x0100011035dfe2be693c01b1841ff3f24c49b38e512c36173a31cfc8cf220507c53d1024455f1a2ae69e7f3e03f96d5f1ba92f8ea5ca5301cf81b66f16ef40f056a453da78a2fef3a2a7d008c71b39a4f5131c5166707da2d361fe94d495087c06b74c025ebcb223919d83bb71eb0750e217eb181b74e6d58d4eefae60de6f30501e60978571c2fe59'),
	(80, '3ea11aff-fd20-4c3e-9481-02ea5bcc3fb9', 8, 'message.accepted', 'message.accepted', '2026-11-27 01:10:25.564064+00', '', '{"sid": "SM5938bb41147345afb7fe66ec17000f72", "error_code": null}', NULL),
	(82, '3ea11aff-fd20-4c3e-9481-02ea5bcc3fb9', 8, 'message.delivered', 'message.delivered', '2026-11-27 01:10:30.444645+00', '', '{"sid": "SM5938bb41147345afb7fe66ec17000f72", "error_code": null}', NULL),
	(84, 'fbbdcfd5-35be-48a4-9248-73cd77448df0', 2, 'status.1', 'call.ringing', '2026-11-27 01:11:21.037296+00', '', '{"sid": "CA26cc38e13c7e4523a2a14bc4efbf247b", "result": null, "sequence": 1, "sip_code": null, "answered_by": "", "duration_seconds": null}', '\x010001ad3483de43502cfa68398a85881b46c95fac65e98a410d87a671e8418f3f1f704ca6ba2d7cf132f84adee087a937262277e3c60be67dab21caea66711817ba94780f0f74c130021740240ee0b8d5196e761f33f1d5c7128b8ef01c03827f2de1b309465ae39af06922f8a3f372edfe9e8ca0867ebd7666081e'),
	(89, '86c17cfc-2fbf-4c0a-8df2-1f16f1042fe2', 5, 'status.0', 'call.initiated', '2026-11-27 01:12:03.840155+00', '', '{"sid": "CA1921528d06bb4918b8aac8bf11efccd8", "result": null, "sequence": 0, "sip_code": null, "answered_by": "", "duration_seconds": null}', '\x010001efb23d9d846afa16436d2eb626ba3cb0814a90e3fc0d5a1e52654b8a05481507900a6fe48afe666161dade6c5ceb526fc8cbb3a9a8a5b7112d7d29e12c6764603705a42bb0ea4657351e7daa0bf45fb358a7a9310954bbdb6cf7f9b4c02d6796cf5b332ad6da2576b16f6ba57ede7ec5a0e2a7a2fdbc93b235'),
	(93, 'b5cac378-1918-4410-a768-d1b956f6b572', 6, 'status.2', 'call.answered', '2026-11-27 01:12:13.503822+00', '', '{"sid": "CAe22b4b1fd7d445fdbdac7592b10b5eb6", "result": null, "sequence": 2, "sip_code": null, "answered_by": "", "duration_seconds": null}', '\x0100018e194dabffcce13934a01629ff9250204e15e9a8acbb5a50bc0d47b6ddb2b2e4c8d1e3bc0daf8d53ca7feb588ed57d00684320285eecb2406092fe749e135430e3b7196e574b8108997a267210b466b5943090f1c2243b4d94b39a9add3329b44209aeea4137fbcee86a24eae36bf9cb207a392b7600d21d9e'),
	(94, 'b5cac378-1918-4410-a768-d1b956f6b572', 6, 'talk.0', 'talk', '2026-11-27 01:12:13.503822+00', '', '{"at": "", "end": false, "key": "", "sid": "CAe22b4b1fd7d445fdbdac7592b10b5eb6", "desk": "", "said": ["common.opening", "common.identity"], "then": "identity", "spoke": false, "collected": ""}', '\x01000182944fdde783d4729d03a2a60ca167a8e0bc5e0b33729ef5639a8ad472ac6c6000c1282b45d2e4605d7c4f139b7236f040f0d796c6e6c5918739d549e784fab114820b5e1ada456fe834bf35398d56ac2da7739271465ee3583a5782989bb39ebb368ca6dfff6fab0adc469bea949bad06c8a9005dbda082d7'),
	(97, '86c17cfc-2fbf-4c0a-8df2-1f16f1042fe2', 5, 'status.2', 'call.ended', '2026-11-27 01:12:36.684688+00', '', '{"sid": "CA1921528d06bb4918b8aac8bf11efccd8", "result": "no_answer", "sequence": 2, "sip_code": 487, "answered_by": "", "duration_seconds": 0}', '\x0100013556a35eb86f8b1f7f25bed9ec7651c1518851003379d50c9df2682ab29194a74d17e524d910c688fdff536ed42820eda095392e45995bbc7f063db435559bda8ff5f1b54e5d4e2865d9a21e597c263834c07b006344d13ac41e3874cf20203c6b331a5d15776cfb2c53c67918505d13d4330b0880ed34e513'),
	(100, '2122752c-d5fc-47aa-a2f5-f0829c0b097f', 7, 'status.2', 'call.ended', '2026-11-27 01:13:20.868715+00', '', '{"sid": "CAca3274c3f6c140078deff1914970cf9a", "result": "rejected", "sequence": 2, "sip_code": 603, "answered_by": "", "duration_seconds": 0}', '\x0100016e34b9f4268d8deda39fdb0c6315655becf71f7c362ef4ce3855b36b7a214169e81474118f5078e0a42dacad892967fa552b7799a220dc9b8cb034af0d08cbad5bc959745a26cc2d72d598740aecd6f6c156094b1efb531520a8fd050e8763ab481319daffa4e118c7a1a6112784be86ec1abfd2b667184cb5'),
	(102, '0302eba1-1b59-4c37-b11e-cb44d214d8e3', 2, 'status.1', 'call.ringing', '2026-11-27 01:22:14.653648+00', '', '{"sid": "CAf896fcf1883c42f797e294d884691586", "result": null, "sequence": 1, "sip_code": null, "answered_by": "", "duration_seconds": null}', '\x0100019c7243b04b4af4a3185ea594b8a957404fe36a5398d551b7aa72eecd4ca011bb8161c04888a6a6257212c6a2e2be386671c3826f3ecbd02795119793b1a60edd9552cb3fe01f494b491e0cbcbed255c26d2d4ec8c9f3619ecaee26f453dfbf628acdf7d81b4868cdb3be0501cb9788a91c0f51497dbd25ea36'),
	(106, '0302eba1-1b59-4c37-b11e-cb44d214d8e3', 2, 'status.3', 'call.ended', '2026-11-27 01:22:34.068684+00', '', '{"sid": "CAf896fcf1883c42f797e294d884691586", "result": "answered", "sequence": 3, "sip_code": 200, "answered_by": "human", "duration_seconds": 3}', '\x0100018f7a710226d665ddd35782391d6c95b947a8ad0556cfd678ecf556738d2a2d0c4ea1896062f621a1288ffdc4798a09a08cdbe779b8b5389bf53a590389af8cc8e98059424c652eac91eff8306736aa1497950c51f9c5300e45b22087715f06f73978ee4a4d16dde1d797b42ad6e554b8ea7a6ec53a1b816d8b');
INSERT INTO public.event VALUES
	(108, '9e906fa2-f11d-4596-9f6d-b5142154725a', 6, 'status.1', 'call.ringing', '2026-11-27 01:23:12.056192+00', '', '{"sid": "CAf434e422de224931a1ef117387e31454", "result": null, "sequence": 1, "sip_code": null, "answered_by": "", "duration_seconds": null}', '\x0100014a9a791f05990c38ce3783b5182c1a4cd6627094f5c97376969633e98d0705474b62c700933dfc983abbac079606080c5289b12d3de7beaf2b51f5d897434d657523d36e1e54ac7f614b672d2a98f91d31491881a0473030550d58fbcc3bde6b6431a51fcc97a04c891ea90e7d27a11cd6440922ac2ceb0eeb'),
	(112, '9e906fa2-f11d-4596-9f6d-b5142154725a', 6, 'amd', 'call.answered', '2026-11-27 01:23:24.491419+00', '', '{"sid": "CAf434e422de224931a1ef117387e31454", "result": null, "sequence": null, "sip_code": null, "answered_by": "human", "duration_seconds": null}', NULL),
	(117, '03790a1d-f5c8-4fa5-9468-d93522f7d427', 5, 'status.2', 'call.answered', '2026-11-27 01:23:45.820974+00', '', '{"sid": "CA24471bbfe0aa4164beb093e0e39c4c3b", "result": null, "sequence": 2, "sip_code": null, "answered_by": "", "duration_seconds": null}', '\x01000110ad587eac46ea528b37084eb161a48ff963e0b7a5067e08aaca169014f31b16548901201d09fff07e2d17ceb6d4a8a47c3f094aa4c804b7e9558accd6323610be302cdf77bb04a0b1c034b8590abd31cf0e3276c22ae1aba26104ead7f1a389995b66943cd0efc0ff41bbe432dbe51549f8e9ea1c6986b0d7'),
	(118, '03790a1d-f5c8-4fa5-9468-d93522f7d427', 5, 'talk.0', 'talk', '2026-11-27 01:23:45.820974+00', '', '{"at": "", "end": false, "key": "", "sid": "CA24471bbfe0aa4164beb093e0e39c4c3b", "desk": "", "said": ["common.opening", "common.identity"], "then": "identity", "spoke": false, "collected": ""}', '\x01000199b9c030e543ffddb0f06e88175dec270a376e3eb69e011e3ab00e10ae9b479f02469c9e4337301d64803ed5405c626bb52b0a22c5b8356bc821d64d082950d11b4b14f35d0fa2a6a7317a0bb8f006efe0420950dbe3cb880c356ec11c326067bb2eeb0d2ee2b0bd5004b3a457a43d3ada8963785261aa6948'),
	(122, '03790a1d-f5c8-4fa5-9468-d93522f7d427', 5, 'talk.2', 'talk', '2026-11-27 01:24:00.305485+00', '', '{"at": "scene", "end": false, "key": "1", "sid": "CA24471bbfe0aa4164beb093e0e39c4c3b", "desk": "", "said": ["fake_customer_service.warn", "common.caution", "common.acknowledge"], "then": "acknowledge", "spoke": false, "collected": ""}', '\x010001d732dd3b396edd92511b98f535c3d8914163d04a765de9918e007c4888a70b2c53e0c41f621456f15994cd780d87ee4d580e9c87c2210522e3b163c0bf88e0dedebe042e57a7e3bfe2d2eaffb1265b7d186c494a2b0b7a96f9d2821cac7f764d9655587c8052eeb6a8e286003de6d01d61bf14c5ab7528b4f2b380766132e6bfb3017856bd38'),
	(127, '77b3f8c5-2d79-4c1a-91b5-ebd0dd15cbbd', 5, 'message.delivered', 'message.delivered', '2026-11-27 01:24:56.530441+00', '', '{"sid": "SM91cf5378abdc423bbf87b8dc84632ebe", "error_code": null}', NULL),
	(66, '7b82a46a-dd6c-4b12-affd-c8998d0cf151', 9, 'talk.3', 'talk', '2026-11-27 01:07:03.604397+00', '', '{"at": "acknowledge", "end": true, "key": "1", "sid": "CA81d3a7dab5b949288162d00c2962ada1", "desk": "", "said": ["common.goodbye"], "then": "goodbye", "spoke": false, "collected": ""}', '\x010001889a407ce69081e1f8c2cd84661c868f2bb70b1b8f6016c5c8a9c4c9b6afaf2a823e6d736c8815b58f4f5addeb5a046dda558c63e52da49dde1ffecf979fe85f732e6d39c3498b1faaea81d956975609ff4bc0ee60c290ad1ed691f54b3f7111c460ef5e708488221eecb9d30b19f9a18264a75f111e15a513cf77ac668097fe107e3c64ced7'),
	(68, '7b7440f8-463a-4176-b104-69c6917a3d00', 9, 'message.accepted', 'message.accepted', '2026-11-27 01:07:21.801247+00', '', '{"sid": "SMa9172d2daa344f68b0a3d58ae944efa1", "error_code": null}', NULL),
	(70, '7b7440f8-463a-4176-b104-69c6917a3d00', 9, 'message.delivered', 'message.delivered', '2026-11-27 01:07:26.443905+00', '', '{"sid": "SMa9172d2daa344f68b0a3d58ae944efa1", "error_code": null}', NULL),
	(74, '562f373b-1511-43d2-acbd-841ba99c26af', 8, 'talk.1', 'talk', '2026-11-27 01:09:31.870884+00', '', '{"at": "identity", "end": false, "key": "", "sid": "CA58c3bf2b2bf24a98a04b9d42655ce747", "desk": "", "said": ["common.confirm", "common.identity"], "then": "identity", "spoke": true, "collected": ""}', '\x010001bf252150e0cfcb65ba60497cf448d327c6203b04616bbed677ee2c6c6c7a62a5010bc37a4b8d21f3bae67c997f807c782544e04519eef6b3c29c71316ae5745145980217c4ef2731456fd01ae2bfdf2108b3e06f200e6241a8fdeda0694398054c18133b92268581c186e8374ff0e9ad067b85c4d66d07be3c1e7f57bfb276f1aa0cd5d77ab032a25bd173bf790495ba1b'),
	(76, '562f373b-1511-43d2-acbd-841ba99c26af', 8, 'talk.3', 'talk', '2026-11-27 01:09:45.753244+00', '', '{"at": "scene", "end": false, "key": "", "sid": "CA58c3bf2b2bf24a98a04b9d42655ce747", "desk": "", "said": ["boss_or_acquaintance.warn", "common.caution", "common.acknowledge"], "then": "acknowledge", "spoke": true, "collected": ""}', '\x0100015f4a4ce403e49338e56d5b2ed21474795065f38f37b5b566cd26cd9d8f73c8abe97fd156b1ba88b4bc7ac62afc531e952244a614e3da2eae9351d6b325623a19b629515c8deb490c4522fa5731216eabfca834b34072a388bf5f2ef93bcae33e063e3dbfe249aa04575580c939ec90c84dff9cd55ace3b5123d04e49c5b4dce7389bf3439e119b60f6ec859fdd096e181a'),
	(81, '3ea11aff-fd20-4c3e-9481-02ea5bcc3fb9', 8, 'message.sent', 'message.sent', '2026-11-27 01:10:26.754898+00', '', '{"sid": "SM5938bb41147345afb7fe66ec17000f72", "error_code": null}', NULL),
	(83, 'fbbdcfd5-35be-48a4-9248-73cd77448df0', 2, 'status.0', 'call.initiated', '2026-11-27 01:11:19.208826+00', '', '{"sid": "CA26cc38e13c7e4523a2a14bc4efbf247b", "result": null, "sequence": 0, "sip_code": null, "answered_by": "", "duration_seconds": null}', '\x0100013eacb99ddb957be835ebcbe3a631f5a81810e8a158f9860d662efa7cd853101a16a3a800bae94379cf2a2e1f150779fff90343b6b53eb2c9aca12332b8b2e53c4bc038423dcb997c3c997540ff73a0b9bd631e71c3077630d0811f43b6b74e2ad15d7932407da80c9f6bed4c77bf454e4219d5641aa2a9cd24'),
	(85, 'fbbdcfd5-35be-48a4-9248-73cd77448df0', 2, 'status.2', 'call.answered', '2026-11-27 01:11:27.992433+00', '', '{"sid": "CA26cc38e13c7e4523a2a14bc4efbf247b", "result": null, "sequence": 2, "sip_code": null, "answered_by": "", "duration_seconds": null}', '\x0100018456811b9a6aa6a709811261fcff65257383c849d85abdda1780201ecdb62cffc133fb52260ce985325d3f895a3f3ebbee209cb4a9104ca96855e15e9c4b5653e99085402d8226f390ddb885a82fb005f2deec0cf00f92ab610d3770e7de84c35d7a7f485538478e9a761e6cc3e0b02228761e81a4be116f6d'),
	(86, 'fbbdcfd5-35be-48a4-9248-73cd77448df0', 2, 'talk.0', 'talk', '2026-11-27 01:11:27.992433+00', '', '{"at": "", "end": false, "key": "", "sid": "CA26cc38e13c7e4523a2a14bc4efbf247b", "desk": "", "said": ["common.opening", "common.identity"], "then": "identity", "spoke": false, "collected": ""}', '\x0100017b20086501cc4349d63f162ab4b58786fc74f3b7c53cb2e4b94358111b17053e03820c5f8e00b3a8ef0a925b3e02dccf70608d2c7f99859354ef7bad7c2282a67e6f3bb82d1076539a72205c15d09d6064b85f674403278ee26d279cb21dcba8fcdbac7fa380b19099eac76b53106b8b4a1a998dd10e2d23b3'),
	(91, '86c17cfc-2fbf-4c0a-8df2-1f16f1042fe2', 5, 'status.1', 'call.ringing', '2026-11-27 01:12:08.054537+00', '', '{"sid": "CA1921528d06bb4918b8aac8bf11efccd8", "result": null, "sequence": 1, "sip_code": null, "answered_by": "", "duration_seconds": null}', '\x0100010faf724b08bd4e93258a81316ac813924629023d24ae608fead494c5503af9836f744edddc891f7e06e4b416e2dd701b401c7c78d1c16424ed793945071bd6c71283d48982c487d8235b10ade9ab7153f98fdf43391b1d3f3cf3d54428333a77ae7b2836dc52522ee07c27b479787d6248630c22fb472cab5e'),
	(92, 'b5cac378-1918-4410-a768-d1b956f6b572', 6, 'status.1', 'call.ringing', '2026-11-27 01:12:08.054537+00', '', '{"sid": "CAe22b4b1fd7d445fdbdac7592b10b5eb6", "result": null, "sequence": 1, "sip_code": null, "answered_by": "", "duration_seconds": null}', '\x01000176cf5d2d5d40044e88f14b3672ff4d698b8ad7e096a23baedb98ec10c6c8078989b556cff5493f1b2147faae31a99d9ebd138867f6db7c379db0f669923bd8a5e22493694ffd903e4d88dc82cfc7f9d02457462e68a4c3796aad17f9b107c4288b302f4698050d431d9f46f6496f7cbadacc44146059692c6a'),
	(96, 'b5cac378-1918-4410-a768-d1b956f6b572', 6, 'amd', 'call.answered', '2026-11-27 01:12:19.455341+00', '', '{"sid": "CAe22b4b1fd7d445fdbdac7592b10b5eb6", "result": null, "sequence": null, "sip_code": null, "answered_by": "human", "duration_seconds": null}', NULL),
	(99, '2122752c-d5fc-47aa-a2f5-f0829c0b097f', 7, 'status.1', 'call.ringing', '2026-11-27 01:13:11.893162+00', '', '{"sid": "CAca3274c3f6c140078deff1914970cf9a", "result": null, "sequence": 1, "sip_code": null, "answered_by": "", "duration_seconds": null}', '\x01000138eee057792993cef350de003f8550d0bcaf30930370effa47edcecce2baa6287376b7292b0a01e918e44465489b528bd4d078482afdf99242b8c526175667b900213ad7706384fbd227a6efc9b1d058031b826d1d36c934a3482ce802262254d83fee033a2171101a1889f305c9f4c6e469dcfb299fc53e3d'),
	(105, '0302eba1-1b59-4c37-b11e-cb44d214d8e3', 2, 'amd', 'call.answered', '2026-11-27 01:22:30.435671+00', '', '{"sid": "CAf896fcf1883c42f797e294d884691586", "result": null, "sequence": null, "sip_code": null, "answered_by": "human", "duration_seconds": null}', NULL),
	(107, '9e906fa2-f11d-4596-9f6d-b5142154725a', 6, 'status.0', 'call.initiated', '2026-11-27 01:23:09.802088+00', '', '{"sid": "CAf434e422de224931a1ef117387e31454", "result": null, "sequence": 0, "sip_code": null, "answered_by": "", "duration_seconds": null}', '\x010001c0530fafcb9f4665642854dbbebdd6f066bc7314207054970c90335a9a68e23c9f3715a91ef8dc5433bb366c3f0524219edbc632f233d4dac6cf78dab2b602d57a5eaff30f8f92f86a5a8b9aa07ee1b42dd2fb1a41aee320c81fd6a2da74798b141c5fa392587f0be374338e5b9ed41a3a8e7b574f84df8eae'),
	(111, '9e906fa2-f11d-4596-9f6d-b5142154725a', 6, 'status.3', 'call.ended', '2026-11-27 01:23:19.376625+00', '', '{"sid": "CAf434e422de224931a1ef117387e31454", "result": "answered", "sequence": 3, "sip_code": 200, "answered_by": "", "duration_seconds": 1}', '\x010001135eccd3a86e30cb201729be837558485d3abd8c4ed8aefc825ee300e5e50c84f777e274c6a6761643a7d5500f6308c2a63b3b16cc0dc59cd3aab2849bfeec84e8445840179dc2401d6a3bba127d2d5c4d9179ced91631ec7076315bd2b246cecff3b02a467b1498c3c58ad1a2fb05bf119ed23395882f0fdb'),
	(114, '03790a1d-f5c8-4fa5-9468-d93522f7d427', 5, 'status.0', 'call.initiated', '2026-11-27 01:23:39.569248+00', '', '{"sid": "CA24471bbfe0aa4164beb093e0e39c4c3b", "result": null, "sequence": 0, "sip_code": null, "answered_by": "", "duration_seconds": null}', '\x010001f504b12b26f6c3b00e9098af735f16bcf90f3c0dd69278d6cdd307c977ea768c1b3f7c20ec74b4c89fbdc445832defbeadca36fb34181ed38e4df6ae2e96e022794bf597ac00aa9fb7ae40620255f8ba25656f7aa324a8b08ee25d8acf726f8fa190d284300a7d121b3a49e38b8af2d048c01635352637d373'),
	(115, '651b0aa4-6ca4-4f47-b905-83cd7d5576c6', 7, 'status.1', 'call.ringing', '2026-11-27 01:23:39.569248+00', '', '{"sid": "CAf80801f984f54cb5a7ffd466bc68c55b", "result": null, "sequence": 1, "sip_code": null, "answered_by": "", "duration_seconds": null}', '\x0100018daeb9c41d3bd2fc249c34505615a99a9aab75c40fbdec91ecea3c38f2221f79e7adb9c465db42c7891691c64b4dd06f57be260062991299b039c1e772f0e493def82d5ae5fd0252009cb0f8c32d1e4ecf18bd51da671c03ad1be5f0730b4f4969a5e917a35a1f4096b6159fc30518caafd5a421c050289ae7'),
	(119, '03790a1d-f5c8-4fa5-9468-d93522f7d427', 5, 'amd', 'call.answered', '2026-11-27 01:23:48.363842+00', '', '{"sid": "CA24471bbfe0aa4164beb093e0e39c4c3b", "result": null, "sequence": null, "sip_code": null, "answered_by": "human", "duration_seconds": null}', NULL),
	(120, '651b0aa4-6ca4-4f47-b905-83cd7d5576c6', 7, 'status.2', 'call.ended', '2026-11-27 01:23:48.363842+00', '', '{"sid": "CAf80801f984f54cb5a7ffd466bc68c55b", "result": "rejected", "sequence": 2, "sip_code": 603, "answered_by": "", "duration_seconds": 0}', '\x0100015613752f83228ec1e7ad56a16994a43a8d4d2fa3c934eabe06164f30cc162c9b0ba30094a5d7cfd944f7edaf7c918e5d8a9259f3c5a20d66e28364cc445b7cf4cc8ab83987f29deb43d86e6f649e983e577bc1b0e1173b07901abd934fd13ec29861f64abdb150706ff5a98d0f284537d0ef74fedecbe3368f'),
	(124, '03790a1d-f5c8-4fa5-9468-d93522f7d427', 5, 'status.3', 'call.ended', '2026-11-27 01:24:16.980747+00', '', '{"sid": "CA24471bbfe0aa4164beb093e0e39c4c3b", "result": "answered", "sequence": 3, "sip_code": 200, "answered_by": "human", "duration_seconds": 33}', '\x0100016e06bf58fe04d7a25891956fbeddde55a5c1aa8de7983b6ac97b7526a1f2f441f77caae1fe5c53dd2d40d4efa9f32637a17becd1d8cb0da9e203710bc7b62d8b2219fcb2f9f931e4fef83d2e960322ae1809ee0c6b55508b7a5b712a5a69a789a1e674439c83d2083bcca33928b50d94910c533dc9365f4274'),
	(126, '77b3f8c5-2d79-4c1a-91b5-ebd0dd15cbbd', 5, 'message.sent', 'message.sent', '2026-11-27 01:24:54.13813+00', '', '{"sid": "SM91cf5378abdc423bbf87b8dc84632ebe", "error_code": null}', NULL),
	(130, '8aca471f-ad5f-4993-a312-33f9e54d62b2', 10, 'status.2', 'call.answered', '2026-11-27 01:32:08.389925+00', '', '{"sid": "CA45f01e6956e34366afe81aac890e4210", "result": null, "sequence": 2, "sip_code": null, "answered_by": "", "duration_seconds": null}', '\x010001e260c8b13b0cc5cde1ae8389d22e38aa2e818e4ad614982da73efcc00ad2b302409b7803b9727b32e4511bb671208ca3e129b0442bdc0c12ddfec06733155f6b2f7a3c2d2793b2d0689800087b3b3bcf05d74a8abe2dcd5290a6418b2aeb74c522aca6549e48f73c5a81841e6c3e8646c61e2d6a63c87a5751'),
	(129, '8aca471f-ad5f-4993-a312-33f9e54d62b2', 10, 'status.1', 'call.ringing', '2026-11-27 01:31:59.477896+00', '', '{"sid": "CA45f01e6956e34366afe81aac890e4210", "result": null, "sequence": 1, "sip_code": null, "answered_by": "", "duration_seconds": null}', '\x010001350d61cb547b7c6e64d7637b3f713fa3d4b874a8054215fdd74492f4040f440edfe2dc9a632c67de92d56ccf556ff17774d6184e5a2c3b46004dd9db06a3871e9562e500b7785fa49ebaa4f017ffa91451ecfbe04e15edadc6c4ddffff7a7d256e24de64ec9772093585bd05603e970fd2728b71b5943794ad'),
	(131, '8aca471f-ad5f-4993-a312-33f9e54d62b2', 10, 'talk.0', 'talk', '2026-11-27 01:32:08.389925+00', '', '{"at": "", "end": false, "key": "", "sid": "CA45f01e6956e34366afe81aac890e4210", "desk": "", "said": ["common.opening", "common.identity"], "then": "identity", "spoke": false, "collected": ""}', '\x010001e7b11e307a0c71890a1f3d714982c689838afd04373c7ed5b769f3742bd7f2c338f6d7a3b1a97bec929b2709f976df50fa38cee786a30fe152ff6d9eb308d8ebf3201115cac2570cb2f698ff37304504d344b1fabced52d383a16b95413a086f082195aa51951af824b2653a370bd5fad5dd45ffb2af3ae914'),
	(132, '8aca471f-ad5f-4993-a312-33f9e54d62b2', 10, 'amd', 'call.answered', '2026-11-27 01:32:11.269773+00', '', '{"sid": "CA45f01e6956e34366afe81aac890e4210", "result": null, "sequence": null, "sip_code": null, "answered_by": "human", "duration_seconds": null}', NULL),
	(133, '8aca471f-ad5f-4993-a312-33f9e54d62b2', 10, 'status.3', 'call.ended', '2026-11-27 01:32:15.31917+00', '', '{"sid": "CA45f01e6956e34366afe81aac890e4210", "result": "answered", "sequence": 3, "sip_code": 200, "answered_by": "human", "duration_seconds": 3}', '\x01000139094b2951dcbac0fa701b81497a7cdcb408b04b1c3115fd2ddf33486730dec95f8f54ed7fedc86df262fd58582a77c79562521632a5198a9a317f95a848fdad7fac1d4090507d5a3e994d0e6245102128ebec41ccd666b6194bd6980ed92a24c5e20bd610cd1747fb73fb3eb738502fabdea7bca075e69f7a');
INSERT INTO public.line_group VALUES
	('main', 1, 24, '2026-11-26 19:57:47.076015+00', NULL, 0, NULL, '', NULL, 0, 1, NULL, 24, NULL, NULL, NULL, NULL);
INSERT INTO public.list_load VALUES
	(1, 'small.csv', '', 'done', '\x4d5e403cb829a73f883ff81937121b28fd56c8e7b4e4ee93e06d38285f8d2509', 2544, 11, 11, 10, 0, 0, 1, 2, 0, NULL, '[{"field": "row_number", "index": 0, "sheet": "", "table": 0, "heading": "序号"}, {"field": "instruction_no", "index": 1, "sheet": "", "table": 0, "heading": "指令编号"}, {"field": "source", "index": 2, "sheet": "", "table": 0, "heading": "来源"}, {"field": "kind", "index": 3, "sheet": "", "table": 0, "heading": "预警类型"}, {"field": "fraud_type", "index": 4, "sheet": "", "table": 0, "heading": "诈骗类型"}, {"field": "grade", "index": 5, "sheet": "", "table": 0, "heading": "预警等级"}, {"field": "name", "index": 6, "sheet": "", "table": 0, "heading": "姓名"}, {"field": "phone", "index": 7, "sheet": "", "table": 0, "heading": "手机号码"}, {"field": "id_number", "index": 8, "sheet": "", "table": 0, "heading": "身份证号码"}, {"field": "address", "index": 9, "sheet": "", "table": 0, "heading": "家庭住址"}, {"field": "unit", "index": 10, "sheet": "", "table": 0, "heading": "属地机构"}, {"field": "family_contact", "index": 11, "sheet": "", "table": 0, "heading": "家属联系人"}, {"field": "fraud_numbers", "index": 12, "sheet": "", "table": 0, "heading": "涉诈号码"}, {"field": "fraud_url", "index": 13, "sheet": "", "table": 0, "heading": "涉诈网址"}, {"field": "fraud_app", "index": 14, "sheet": "", "table": 0, "heading": "涉诈APP"}, {"field": "talk_seconds", "index": 15, "sheet": "", "table": 0, "heading": "通话时长"}, {"field": "amount_at_risk", "index": 16, "sheet": "", "table": 0, "heading": "拟转金额（元）"}, {"field": "produced_at", "index": 17, "sheet": "", "table": 0, "heading": "预警时间"}, {"field": "expires_at", "index": 18, "sheet": "", "table": 0, "heading": "失效时间"}, {"field": "tags", "index": 19, "sheet": "", "table": 0, "heading": "标签"}, {"field": "remarks", "index": 20, "sheet": "", "table": 0, "heading": "备注"}]', 'demo', '2026-11-27 01:00:37.905805+00', '2026-11-27 01:00:39.138901+00', 1, NULL, false, false, 0, 0, NULL, NULL, NULL, 11);
INSERT INTO public.list_reject VALUES
	(1, 1, '', 4, '拟转金额（元）', '金额“若干”无法识别，请改为数字，如 12000.50 或 3万元 (amount not readable: write it like 12000.50)', false, '\x010001d80a911f71a0c1f216f57d0877646ca03b0d9ff496b7d0c036afefca5650d78c4cfc9a3c44926cf9df6f0801c55565a23177d6fec679f447f5fd322c1a729c2d4b43aab8d954e1f5c5bab7667e1621bf51481e65f385129e6fb15b3ee9798981da4d92318dae44b8e7bf92de1f5d1c371948f94e20796b80166e1946a856aa009c1f2dc471515b5fe39f9b91356f1983fa1e7fa3833a33ef5320834a8c1d8163ceec397d39459d8d5c2fba53ea7befaf39f7d303603acf1491ee79aeb5e5ee8a8f22a1f223388c1b6d6121532579dc15f11849666aa16de2033d660012d92cd92b605a6feac39de5c41a58e1e1f5ddb2f7e13fd87aef218109b7b8166089707af97ea72b0bc9da3cc72f9da7f1f74b383d796cc21566da');
INSERT INTO public.live_number VALUES
	('\x1b2fcb93472a46cf1a8d843005c253f0', NULL, '2026-11-27 01:01:54.176582+00'),
	('\xdffcd98d977d0e4c3aadac57785026d1', NULL, '2026-11-27 01:03:12.542032+00'),
	('\xde5816981c46187e6767c158cadf8661', NULL, '2026-11-27 01:03:23.133224+00'),
	('\x8fd190456c340024ddbed445c9703248', NULL, '2026-11-27 01:08:10.149197+00'),
	('\x538f56d07839a133a7007400c2199ecc', NULL, '2026-11-27 01:11:08.203463+00'),
	('\x54fb033f8c1d0f95b01eb64342634c1e', NULL, '2026-11-27 01:23:34.068684+00'),
	('\xdfe976e60a081ffe9ae7e97141041b1b', NULL, '2026-11-27 01:24:19.376625+00'),
	('\x5eb170cb62d32a9cc0e6f0dda233cd28', NULL, '2026-11-27 01:24:48.363842+00'),
	('\xe7c75f0b93f93a1655c042a9a1a653e0', NULL, '2026-11-27 01:25:16.980747+00'),
	('\xcc7dbad3498c8f47fb081dcc855a81e0', NULL, '2026-11-27 01:33:15.31917+00');
INSERT INTO public.message VALUES
	('7770e466-e268-4627-b4ee-9a3a5a0d8c7d', 5, 5, 0, 'unreachable', 'delivered', '2026-11-27 01:01:45.632328+00', '2026-11-27 01:01:45.632328+00', '2026-11-26 19:57:02.517789+00', NULL, 0, 'SM9d571e7ddcc84654838e581880a67712', '2026-11-27 01:02:26.058563+00', '2026-11-27 01:02:31.11318+00', NULL, true),
	('aef79443-352a-4ca1-942b-4c86cdbda0cd', 4, 4, 0, 'after_warning', 'delivered', '2026-11-27 01:02:12.542032+00', '2026-11-27 01:02:12.542032+00', '2026-11-26 19:57:02.816106+00', NULL, 0, 'SMde769136b0eb4583a7d45d0cfde1e812', '2026-11-27 01:02:31.989178+00', '2026-11-27 01:02:34.469627+00', NULL, true),
	('10c2bb04-cfa4-4d7b-9fbe-7662bc806e16', 3, 3, 0, 'after_warning', 'delivered', '2026-11-27 01:02:23.133224+00', '2026-11-27 01:02:23.133224+00', '2026-11-26 19:57:03.403869+00', NULL, 0, 'SM4a447acb64174812a793fcdb7a2df382', '2026-11-27 01:02:52.841438+00', '2026-11-27 01:02:55.20758+00', NULL, true),
	('d879d1ea-d171-404f-9429-00caa5ca5b0e', 7, 7, 0, 'unreachable', 'delivered', '2026-11-27 01:02:53.837208+00', '2026-11-27 01:02:53.837208+00', '2026-11-26 19:57:03.75441+00', NULL, 0, 'SM610f7ed77a274ff6a5fe6548257f1b28', '2026-11-27 01:03:04.031128+00', '2026-11-27 01:03:06.820635+00', NULL, true),
	('7b7440f8-463a-4176-b104-69c6917a3d00', 9, 9, 0, 'after_warning', 'delivered', '2026-11-27 01:07:10.149197+00', '2026-11-27 01:07:10.149197+00', '2026-11-26 19:57:10.171701+00', NULL, 0, 'SMa9172d2daa344f68b0a3d58ae944efa1', '2026-11-27 01:07:22.875952+00', '2026-11-27 01:07:26.443905+00', NULL, true),
	('3ea11aff-fd20-4c3e-9481-02ea5bcc3fb9', 8, 8, 0, 'after_warning', 'delivered', '2026-11-27 01:10:08.203463+00', '2026-11-27 01:10:08.203463+00', '2026-11-26 19:57:14.740126+00', NULL, 0, 'SM5938bb41147345afb7fe66ec17000f72', '2026-11-27 01:10:26.754898+00', '2026-11-27 01:10:30.444645+00', NULL, true),
	('77b3f8c5-2d79-4c1a-91b5-ebd0dd15cbbd', 5, 5, 0, 'after_warning', 'delivered', '2026-11-27 01:24:16.980747+00', '2026-11-27 01:24:16.980747+00', '2026-11-26 19:57:36.368085+00', NULL, 0, 'SM91cf5378abdc423bbf87b8dc84632ebe', '2026-11-27 01:24:54.13813+00', '2026-11-27 01:24:56.530441+00', NULL, true);
INSERT INTO public.meta VALUES
	('keys_fingerprint', '"index=b830b0a226fce515 1=66168199b415b58d"'),
	('drill', 'true'),
	('tally', '{"form": "7542b2f2227e472b", "as_of": "2026-11-27T01:32:38.422903+00:00", "timezone": "Asia/Shanghai"}'),
	('units_revision', '"744e26f610634beda9489ae6f54750ff"');
INSERT INTO public.outcome VALUES
	(1, 4, NULL, '5a37c5b5-b59d-4a8b-99f6-f5aa78b737b6', 'dissuaded_by_phone', 'verified', 'robot', 'verified_success', 0, 0, 0, NULL, 'robot', '2026-11-27 01:02:12.542032+00', NULL, true),
	(2, 3, NULL, 'c016d557-c6c1-42e0-9dcc-f572926fb97c', 'dissuaded_by_phone', 'verified', 'robot', 'verified_success', 0, 0, 0, NULL, 'robot', '2026-11-27 01:02:23.133224+00', NULL, true),
	(3, 1, 1, NULL, 'dissuaded_by_phone', 'verified', 'human', 'reported', 0, 0, 0, NULL, '陈警官', '2026-11-27 01:05:08.373455+00', NULL, true),
	(4, 9, NULL, '7b82a46a-dd6c-4b12-affd-c8998d0cf151', 'dissuaded_by_phone', 'verified', 'robot', 'verified_success', 0, 0, 0, NULL, 'robot', '2026-11-27 01:07:10.149197+00', NULL, true),
	(5, 8, NULL, '562f373b-1511-43d2-acbd-841ba99c26af', 'dissuaded_by_phone', 'verified', 'robot', 'verified_success', 0, 0, 0, NULL, 'robot', '2026-11-27 01:10:08.203463+00', NULL, true),
	(6, 5, NULL, '03790a1d-f5c8-4fa5-9468-d93522f7d427', 'dissuaded_by_phone', 'verified', 'robot', 'verified_success', 0, 0, 0, NULL, 'robot', '2026-11-27 01:24:16.980747+00', NULL, true),
	(7, 2, 2, NULL, 'dissuaded_by_phone', 'verified', 'human', 'reported', 0, 0, 0, NULL, '陈警官', '2026-11-27 01:27:03.749546+00', NULL, true),
	(8, 6, 3, NULL, 'dissuaded_by_phone', 'verified', 'human', 'reported', 50000, 0, 0, '\x0100014a0f776121537fea43fe7b907963f8d57e7cf280645b7621434611b3023133a970efba75741731c31bfcc2e50dceffa02e26ebb16a4eb2edd4dc8634f94abecf8f3c4e8835348bad98dd110611b8842e7ac31a6cd4be1b1be2d6b53a2c27', '陈警官', '2026-11-27 01:27:50.221085+00', NULL, true),
	(9, 7, 4, NULL, 'saw_through_it', 'verified', 'human', 'reported', 0, 0, 0, NULL, '陈警官', '2026-11-27 01:28:42.255262+00', NULL, true),
	(10, 10, NULL, '8aca471f-ad5f-4993-a312-33f9e54d62b2', 'cannot_find_yet', 'none', 'robot', 'not_in_sample', 0, 0, 0, NULL, 'robot', '2026-11-27 01:32:15.31917+00', NULL, true);
INSERT INTO public.outcome_approval VALUES
	(3, '陈警官', '值班长 刘岩', '2026-11-27 01:05:33.169111+00'),
	(7, '陈警官', '值班长 刘岩', '2026-11-27 01:27:19.333576+00'),
	(8, '陈警官', '值班长 刘岩', '2026-11-27 01:28:04.126305+00'),
	(9, '陈警官', '值班长 刘岩', '2026-11-27 01:28:54.97024+00');
INSERT INTO public.person VALUES
	(1, '\xb662db4429053eb11ec0c7acd2d92571', '\x5820f95a506bd721bef91de4ac0b77f3', 1, '\x0100019b2a9648d3267a1535932fc89300a6ec59b3248857040e3fa4b34b37635cbf09ddf70e68a12ee75d5f61ba0c00bb7b75d40a8fe994d496f60615e23d297d49808ced72e60e9acfc32320ff76ecda2a4f13313787a2d41b177fde1c52d41130a8c23e06a886631244baf7eeb80aad493873c421f8eb1ab089687768e100b89556387f1722f90d896e4f28718da6f369a38dcb30bfba4ef1d4ed', '2026-11-27 01:00:38.870304+00'),
	(2, '\xb21a8c3575423d69fb3521484fdfeb20', '\x2f0a80d86c5b9c544f8104fc89324169', 1, '\x0100019f38695f431f7ad9b97b2989d2ac3af279b41d11c3070b453ecc9307cb06904575133c038d74965c696ce6d83a7bcc4fc74166027ee1c0edf7093a8ca3c40f6021ffb8f97fce7b3c9ab9d2b679d22e1c930810a869a33c33c9660ab15095a8fbe93674a8fb30a4c16623092e927bb79aefd85e73b42f703f47e6a8a6ddf9ff143a42a829e53086d4bc45de13e2236c6226dedc8a5b2d07b0dba83c6505', '2026-11-27 01:00:38.870304+00'),
	(3, '\x638d497c11d1cafb91f2dcdce3874fce', '\x2127ed280f56c0007fec22863ea602e7', 1, '\x0100013764528be9ecf58d1184d7f0b2818cdbc5024ab754b181583f68a6426a59d6125d0b8e928e9092af36efabdfe25e68ba4d167101abbb396a45cb15f6bbdd37aebeaf83e4ff8a807bc37b0877470dadae21575c5d6ce249f7d4deff270d449843a857da98ba7ce07ab1866740884cb6ab6e03ccbcef97d44a956ed595b0ef7490079bc45d042106b6fad1029076e140221c468b480196bd4c79dd76b2ed', '2026-11-27 01:00:38.870304+00'),
	(4, '\xb299b56dad986711a7c0b05cce680289', '\x7d0283584e33c3eef9c6596ff5cac403', 1, '\x0100010b998f4d8fd082e4bc0bd43d2f305a4903afc1e4e3695a15390c4be6d10cd016896b9314536969a743c87e0dad2980ae0ad5ccec6de36fcc1b7ad3cd189a07e9d687e844c06e7820249e653a8cbafe042724ed5018b134d68a77306c2db5ddfd9572bbe6eb68b9aa23e3e76dfc3e94603f7d7cda9cae98d77d63babe616ced7c020439107e79b1375a122629af38d3262b3aa8a8c6cd148e78d8', '2026-11-27 01:00:38.870304+00'),
	(5, '\x11e5e8d115bcc3fa556677d5a91946d3', '\xe93699b2222402dc64e73f33eaf24338', 1, '\x010001aac9263497ed79f3bf1f777f2d0c99bcb9cdf1817d0cff38becbd9c62325a94c36bd838e754006b5c6838f8df7cf5557bd014bf16a3187216869508a87e583aec28e3b95230017c1352073a989f567dad2741b52de20073fe3c68408f567a8e43a703ec0a2bc51a9a1c9094dec42d045ac83e0d87501982a33ec1a3058951f8bae770e5d67d24a4e19aadf96b4964ccfd99ab5c56a371b832c2e6e8a6f', '2026-11-27 01:00:38.870304+00'),
	(6, '\x0a960f00a0a3796e18749259ba415ff0', '\x4d7ed08cf7d122d73f4d744e8845591c', 1, '\x010001d0b1fa6ca2d0a5306a363520cfbf258171f283ab9ab83c5c888230abf6890f2ab41d2942d2bb4eb018818934b4e71e6479673f2ef9da9354e85e056c79e1788a48a7677021bc5431155de07b1ff220f074e48a58b1af5c035113266ef8a57ea8eec0f4500084cb17fbee27658cd4160e1e701319e1de6d93af3030f31d2620fee0ea240d5dfe7e30d0a1f713f469f5525273ec7c27ffba18822c668119', '2026-11-27 01:00:38.870304+00'),
	(7, '\x0916f5b5dff342fdbbcd8d02f53fa405', '\x22683d66b6e67791131e5c7e83562d8b', 1, '\x0100010b528021e5028f54df95664e9b4c82edabbd0fc8f2f76be429cf8af91bd70225fa25ebb24ce2a5262456c50e2e0f01eab058c353510a6f5c65f0f126ee8f830db5810d411e1e93a3e5cd1519f416776990e8e599b282f50f5bdaa45cc032558a55d6c83d0d87f8febd31fd9b3b99d3d298095a33cab0c7cc562d2882ccf8f53e48136d214dc38d76f5e4a4b5d267aa4b09793f4e46a9cf8c7d943f5603', '2026-11-27 01:00:38.870304+00'),
	(8, NULL, '\xe0643ba4e748add0ef7fa2239ec78939', 1, '\x0100013659414d5db908b7f462166bf5dc4706cf008690cbb7019f9d1ca598f948938583b59e5752eced4e8745ec2ff97ecb59e683b9acfebee82c35231f2c78f3210bdf0d6bbdfcd8a71cac6a3b375c77e1c4df7a8c822260696d155e2c0ef50c22639219a238b1d8d5e598c6aeeca82d27d1685a9dd8846eef1dc41f35b7c6cfce25fcbb3a29209b83c8acae54', '2026-11-27 01:00:38.870304+00'),
	(9, '\x67511acf25a475352188a24048666939', '\x50e3b69cfdffc9b17317ae61ec5c2db5', 1, '\x0100012e5106bfaac233b777427ce90cf2d8394279c72d7a3e58620b0bbb7369ce52aef963c0f29c9e6d6a0bf20c3a078a1bde2a26081791111f7e96f4838a25021213dceecd724ec76f00e87aa77a63e7cbdf79d25b398b9ee3f0361e17f77454712b3df5915ab9a329e281b54fa0c100191911427e58cd1dddaa1b8a40bffa1696441af8d597db2e4821f92cf9cd34ad38f2ef9b7b69f85d27bcced5dcde51', '2026-11-27 01:00:38.870304+00'),
	(10, '\xa937f16e429604d49f7e7ccee298a907', '\xea255a15fb385ebd07472e3c3844d5a0', 1, '\x010001c1f7374c8fc515a6203d5844bd722c878a63ca29888007b3e3c55a9f7e48371073f57756e1f2a4d17b604372d2f5b5c46e28ed9c59e49d9290206f887add1ccb76d506a447575090681681604ad4d05e0ca2c8f37d36bdfa20dd8a8d189d93c051f7075502985e5195731a95089f81204d3f63d3b0c355d932cbc8aaea56e0148cafb703a7099a4d8a93a12aecd9cee142ab5dcc6a51b9c2e8a2a134', '2026-11-27 01:00:38.870304+00');
INSERT INTO public.person_key VALUES
	('\x2bd1e55866a6988708d42ac50a86ca9a', 1),
	('\x364421f3ba5913b0eec56c6e08865e94', 2),
	('\x7abc4a0f1f65ea89e6140794dd86e9e4', 3),
	('\x98407205ac706503bf5e103e883bd5b0', 4),
	('\xa363bd0943d3751b1d35ebd67706cfee', 5),
	('\x24cef0bf3b876ffc0223eb04bd6681d5', 6),
	('\xa91a9e62802b9b5d3e22ffd92f2da896', 7),
	('\xc9c214e2f4238a2ca1145b0ad349a7ad', 8),
	('\x1a8dd33c89f8db93b16a56e738afdca2', 9),
	('\x974e250d17d0e1f222f7e9a4a2803674', 10);
INSERT INTO public.person_phone VALUES
	(1, 0, '\x1b2fcb93472a46cf1a8d843005c253f0', '\x1e5f50e3a16174e8652c685e447dc83f'),
	(2, 0, '\x54fb033f8c1d0f95b01eb64342634c1e', '\x476a9d3bc09837dbc1da678d3da5583b'),
	(3, 0, '\xde5816981c46187e6767c158cadf8661', '\x1d6955ba08c9033e78df1430b5e143d2'),
	(4, 0, '\xdffcd98d977d0e4c3aadac57785026d1', '\x57696c9aeeb661c047b3da3b78d3d91a'),
	(5, 0, '\xe7c75f0b93f93a1655c042a9a1a653e0', '\xa65ebf87c57dd1a8655cbf0437c679a7'),
	(6, 0, '\xdfe976e60a081ffe9ae7e97141041b1b', '\x3bea09c13d0b24015848823e09fe83c1'),
	(7, 0, '\x5eb170cb62d32a9cc0e6f0dda233cd28', '\xef7ea2f088748a07d3d5c006e0758908'),
	(8, 0, '\x538f56d07839a133a7007400c2199ecc', '\x8783fde6580bcd78d003239227347ec3'),
	(9, 0, '\x8fd190456c340024ddbed445c9703248', '\x55509e858cffa5c490485bc85c7d113f'),
	(10, 0, '\xcc7dbad3498c8f47fb081dcc855a81e0', '\x7fe8b8e7949d290455df7a8aeb6a0363');
INSERT INTO public.policy_version VALUES
	(1, '{"grades": {"low": {"windowed": true, "robot_tries": 2, "sign_seconds": 14400, "feedback_seconds": 172800, "human_due_seconds": 14400, "robot_gap_seconds": 1800, "visit_due_seconds": 86400, "human_after_seconds": null, "visit_after_seconds": null, "human_sample_percent": 10, "first_attempt_seconds": 43200, "message_after_warning": true, "robot_patience_seconds": 86400, "visit_when_human_fails": false, "message_when_unreachable": true}, "high": {"windowed": false, "robot_tries": 2, "sign_seconds": 300, "feedback_seconds": 14400, "human_due_seconds": 600, "robot_gap_seconds": 300, "visit_due_seconds": 3600, "human_after_seconds": 600, "visit_after_seconds": 1800, "human_sample_percent": 100, "first_attempt_seconds": 180, "message_after_warning": true, "robot_patience_seconds": 600, "visit_when_human_fails": true, "message_when_unreachable": true}, "medium": {"windowed": true, "robot_tries": 3, "sign_seconds": 1800, "feedback_seconds": 86400, "human_due_seconds": 3600, "robot_gap_seconds": 600, "visit_due_seconds": 14400, "human_after_seconds": null, "visit_after_seconds": null, "human_sample_percent": 100, "first_attempt_seconds": 900, "message_after_warning": true, "robot_patience_seconds": 7200, "visit_when_human_fails": true, "message_when_unreachable": true}, "extra_high": {"windowed": false, "robot_tries": 3, "sign_seconds": 180, "feedback_seconds": 7200, "human_due_seconds": 300, "robot_gap_seconds": 120, "visit_due_seconds": 1800, "human_after_seconds": 0, "visit_after_seconds": 0, "human_sample_percent": 100, "first_attempt_seconds": 60, "message_after_warning": true, "robot_patience_seconds": 300, "visit_when_human_fails": true, "message_when_unreachable": true}}, "window": {"zone": "Asia/Shanghai", "opens": "09:00", "closes": "21:00"}, "urgency": {"grade_seconds": {"low": 0, "high": 172800, "medium": 28800, "extra_high": 604800}, "amount_floor_fen": 100000, "expiry_horizon_seconds": 7200, "amount_seconds_per_tenfold": 3600}, "visit_tries": 3, "watch_seconds": 604800, "max_own_faults": 5, "requeue_seconds": 60, "busy_retry_seconds": 60, "visit_retry_seconds": 7200, "number_spacing_seconds": 60}', '\x93121bfb119c55c5db53fe905650dc30ea958baebae15403e47ba23954e5409d', '2026-11-26 19:56:14.111+00');
INSERT INTO public.script_version VALUES
	(1, 'boss_or_acquaintance', 1, 'fd6f320fafc3eca4c8038dd3f521a26238a318adbf81cc546fb69347cf16fff4', '{"again":{"en":"I did not get your answer.","zh":"没有收到您的回答。"},"anywhere":{"0":{"answer":"wants_officer","next":"officer","phrases":"officer"},"9":{"next":"repeat","phrases":"repeat"}},"confirm":{"en":"To be sure, please answer with a key.","zh":"为了确认，请您按键回答。"},"default_language":"zh","fallbacks":{"mn":"zh"},"fraud_types":["boss_or_acquaintance"],"id":"boss_or_acquaintance","languages":["zh","en","mn"],"message":{"en":"{bureau}: fraud warning. You may be in the middle of a fraud. Do not transfer any money, end all contact, tell your family, or ask at the nearest police station. No reply is needed.","zh":"【{bureau}】反诈预警：您可能正在遭遇诈骗：请马上停止转账，不要再和对方联系，尽快告诉家人，或到就近派出所核实。本短信无需回复。"},"nodes":{"acknowledge":{"choices":{"1":{"answer":"acknowledged","needs_key":true,"next":"goodbye","phrases":"understood"},"2":{"next":"officer_doubt","phrases":"disbelief"}},"en":"If you understand and will not pay, press 1. If you do not believe it, press 2. For an officer, press 0. To hear it again, press 9.","kind":"ask","must_say":true,"otherwise":"unsure","repeat_from":"warn","retries":2,"timeout_seconds":8,"zh":"听明白了，不再转账，请按1；不相信，请按2；找民警，请按0；重听，请按9。"},"audience":{"cases":{"minor":"guardian"},"kind":"branch","on":"tag","otherwise":"scene"},"caution":{"en":"Fraudsters say that we are fake police. If in doubt, hang up and dial your area code and {hotline}, or 110, or go to a police station.","kind":"say","must_say":true,"next":"acknowledge","zh":"有骗子会说，我们是假警察。不放心，就请挂断，打区号加{hotline}，或者110，也可以去派出所问清楚。"},"doubt_busy":{"answer":"refuses","contact":"verified","en":"All officers are busy. One will ring you back very soon. Do not transfer any money. Goodbye.","kind":"end","urgency":"now","zh":"现在民警都在忙，会尽快给您回电话。请先不要转账，再见。"},"goodbye":{"answer":"acknowledged","contact":"verified","en":"Thank you. Remember: do not transfer money, and tell nobody a code. Goodbye.","kind":"end","must_say":true,"urgency":"none","zh":"谢谢您。请记住，不要转账，不要告诉别人验证码。再见。"},"guardian":{"choices":{"1":{"next":"scene","phrases":"guardian"},"2":{"next":"guardian_away","phrases":"no"},"3":{"answer":"already_paid","next":"officer_paid","phrases":"paid"}},"en":"Please give the phone to a parent. Parent listening, press 1. No parent here, press 2. Already paid, press 3.","kind":"ask","otherwise":"guardian_away","retries":1,"timeout_seconds":15,"zh":"请把电话交给家长。家长在听，请按1；家长不在，请按2；已经转账，请按3。"},"guardian_away":{"answer":"doubtful","contact":"verified","en":"Please tell your parents at once, and pay nobody. An officer will contact your parents. Goodbye.","kind":"end","must_say":true,"urgency":"now","zh":"请马上告诉家长，先不要给任何人转账。我们的民警会联系你的家长。再见。"},"identity":{"choices":{"1":{"contact":"verified","next":"audience","phrases":"owner"},"2":{"answer":"wrong_person","needs_key":true,"next":"wrong_person","phrases":"not_owner"}},"en":"Are you the owner of this number? Yes, press 1. No, press 2. For an officer, press 0.","kind":"ask","otherwise":"nobody_said","repeat_from":"opening","retries":2,"timeout_seconds":7,"zh":"请问您是这个号码的机主本人吗？是本人，请按1；不是，请按2；找民警，请按0。"},"nobody_said":{"answer":"doubtful","contact":"unverified","en":"I heard no answer. An officer will contact you. Do not transfer any money. Goodbye.","kind":"end","urgency":"now","zh":"没有听到您的答复，我们的民警会再联系您。请先不要转账，再见。"},"officer":{"answer":"wants_officer","en":"Very well, I am calling an officer for you. Please stay on the line, and do not transfer any money.","kind":"hand_over","next":"officer_busy","urgency":"now","zh":"好的，马上请民警接电话，请不要挂断。这段时间不要转账。"},"officer_busy":{"answer":"wants_officer","contact":"verified","en":"All officers are busy. One will ring you back very soon. Do not transfer any money. Goodbye.","kind":"end","urgency":"now","zh":"现在民警都在忙，会尽快给您回电话。请先不要转账，再见。"},"officer_doubt":{"answer":"refuses","en":"We understand your doubts. An officer will talk to you now. Please stay on the line.","kind":"hand_over","next":"doubt_busy","urgency":"now","zh":"您有顾虑，我们理解。马上请民警跟您说，请不要挂断。"},"officer_paid":{"answer":"already_paid","en":"You have paid, so every minute counts. I am calling an officer. Please stay on the line.","kind":"hand_over","must_say":true,"next":"paid_amount","urgency":"now","zh":"已经转账，时间很要紧。马上请民警接电话，请不要挂断。"},"opening":{"en":"Hello, this is {bureau}: do not transfer any money, and hang up on the other caller now. I am an automatic warning voice.","kind":"say","must_say":true,"next":"identity","zh":"您好，这里是{bureau}，请您先不要转账，马上挂断对方的电话。我是反诈机器人。"},"paid_account":{"collect":"payee_account_last4","en":"If you know the account you paid into, type its last four digits, and then the hash key.","kind":"ask","max_digits":4,"next":"paid_when","otherwise":"paid_when","retries":0,"timeout_seconds":8,"zh":"如果知道对方的收款账号，请输入最后四位，然后按井号键。"},"paid_amount":{"collect":"paid_yuan","en":"An officer will ring you back at once. Please type the amount you paid, in yuan, and then the hash key.","kind":"ask","max_digits":8,"next":"paid_account","otherwise":"paid_account","retries":1,"timeout_seconds":10,"zh":"我们的民警会马上给您回电话。请输入转账的金额，然后按井号键。"},"paid_end":{"answer":"already_paid","contact":"verified","en":"That is noted. Please ring 110 now, and keep the record of your transfer. Do not pay any more. Goodbye.","kind":"end","must_say":true,"urgency":"now","zh":"已经记下。请您马上拨打110报警，保留好转账记录。不要再转账了，再见。"},"paid_when":{"choices":{"1":{"next":"paid_end"},"2":{"next":"paid_end"},"3":{"next":"paid_end"}},"collect":"paid_when","en":"If you have only just paid, press 1. Earlier today, press 2. Before today, press 3.","kind":"ask","otherwise":"paid_end","retries":1,"timeout_seconds":7,"zh":"刚刚转的，请按1；几个小时以前，请按2；昨天或者更早，请按3。"},"scene":{"choices":{"1":{"next":"warn","phrases":"yes"},"2":{"next":"warn","phrases":"no"},"3":{"answer":"already_paid","next":"officer_paid","phrases":"paid"}},"en":"Has a boss or a friend asked you online to transfer money? Yes, press 1. No, press 2. Already paid, press 3.","kind":"ask","otherwise":"unsure","retries":2,"timeout_seconds":8,"zh":"有没有领导或者熟人，在网上让您转账？有，请按1；没有，请按2；已经转账，请按3。"},"unsure":{"answer":"doubtful","contact":"verified","en":"I heard no answer. An officer will contact you. Do not transfer any money. Goodbye.","kind":"end","urgency":"now","zh":"没有听到您的答复，我们的民警会再联系您。请先不要转账，再见。"},"warn":{"en":"Please listen: a photo, a voice and even a video can be faked. Before any transfer, ring that person yourself and ask.","kind":"say","must_say":true,"next":"caution","zh":"请注意：头像、声音、视频，都可以造假。转账之前，一定先打电话给本人，问清楚。没问清楚就转，很可能被骗。"},"wrong_person":{"answer":"wrong_person","contact":"unverified","en":"Sorry to trouble you. If you know the owner of this number, please ask them to contact a police station soon. Goodbye.","kind":"end","urgency":"soon","zh":"对不起，打扰了。如果您认识机主，请让他尽快联系派出所。再见。"}},"phrases":{"child":{"en":["i am under eighteen","i am a child"],"zh":["没满十八岁","我还没成年","未成年"]},"disbelief":{"en":["i don''t believe you","i do not believe it","you are the fraud"],"zh":["不信","我不信","不相信","你是骗子","你才是骗子"]},"enough":{"en":["no more calls","stop calling"],"zh":["不用再打了","别再打了","不需要回访"]},"guardian":{"en":["i am the parent","i am his mother","i am his father"],"zh":["我是家长","我是他妈妈","我是他爸爸","家长在听"]},"no":{"en":["no","nobody did","not at all"],"zh":["没有","没","没有人","没有的事","不是","不在"]},"not_owner":{"en":["no","wrong number","not me","i am not"],"zh":["不是","不是我","你打错了","打错了","不是本人"]},"officer":{"en":["officer","a person","human","talk to someone","speak to an officer"],"zh":["人工","转人工","找民警","找警察","我要跟民警说","叫真人来","听不懂"]},"owner":{"en":["yes","yes i am","speaking","that''s me","it''s me"],"zh":["是","是的","是我","对","我是","我就是","本人","我是本人","是本人"]},"paid":{"en":["i have paid","i already paid","i have already paid","i paid"],"zh":["已经转了","我已经转了","钱转过去了","已经转账了","转了","已经付了"]},"repeat":{"en":["again","repeat","say that again","pardon"],"zh":["再说一遍","没听清","重复一遍","什么意思"]},"saw_through":{"en":["i saw through it","i blocked them"],"zh":["我没上当","我知道是骗子","识破了","已经拉黑了"]},"understood":{"en":["i understand","understood","okay","i will not pay"],"zh":["明白","明白了","知道了","听明白了","我不转了","好的"]},"yes":{"en":["yes","yes they did","yes i did","i can hear you"],"zh":["有","有的","是","是的","对","对的","有过","有人打过","听得清"]}},"said_in":{"acknowledge":"common","again":"common","audience":"common","caution":"common","confirm":"common","doubt_busy":"common","goodbye":"common","guardian":"common","guardian_away":"common","identity":"common","nobody_said":"common","officer":"common","officer_busy":"common","officer_doubt":"common","officer_paid":"common","opening":"common","paid_account":"common","paid_amount":"common","paid_end":"common","paid_when":"common","unsure":"common","wrong_person":"common"},"start":"opening","title":{"en":"Somebody posing as a boss or a friend","zh":"冒充领导熟人"},"variables":{"bureau":{"defaults":{"en":"the city anti-fraud centre","zh":"市反诈中心"},"kind":"text"},"greeting":{"kind":"time_of_day"},"hotline":{"defaults":{"en":"96110","zh":"96110"},"kind":"phone"}}}', 'boss_or_acquaintance.toml', 'extends = "common"
id = "boss_or_acquaintance"
fraud_types = ["boss_or_acquaintance"]
[title]
zh = "冒充领导熟人"
en = "Somebody posing as a boss or a friend"
[nodes.scene]
kind = "ask"
zh = "有没有领导或者熟人，在网上让您转账？有，请按1；没有，请按2；已经转账，请按3。"
en = "Has a boss or a friend asked you online to transfer money? Yes, press 1. No, press 2. Already paid, press 3."
timeout_seconds = 8
retries = 2
otherwise = "unsure"
[nodes.scene.choices]
1 = { next = "warn", phrases = "yes" }
2 = { next = "warn", phrases = "no" }
3 = { next = "officer_paid", answer = "already_paid", phrases = "paid" }
[nodes.warn]
kind = "say"
must_say = true
zh = "请注意：头像、声音、视频，都可以造假。转账之前，一定先打电话给本人，问清楚。没问清楚就转，很可能被骗。"
en = "Please listen: a photo, a voice and even a video can be faked. Before any transfer, ring that person yourself and ask."
next = "caution"
', '{"common": ["common.toml", "# What every script shares: who we are, whom we ask for, the caution, the farewell, and the ways to an officer.\n# A script takes this with `extends = \"common\"` and replaces whole nodes under the same name.\n# mn is declared without texts: a centre adds its recordings by prompt name; until then Mandarin is spoken.\n\nlanguages = [\"zh\", \"en\", \"mn\"]\ndefault_language = \"zh\"\nfallbacks = { mn = \"zh\" }\nstart = \"opening\"\n\n[again]\nzh = \"没有收到您的回答。\"\nen = \"I did not get your answer.\"\n\n[confirm]\nzh = \"为了确认，请您按键回答。\"\nen = \"To be sure, please answer with a key.\"\n\n[variables.bureau]\nkind = \"text\"\ndefaults = { zh = \"市反诈中心\", en = \"the city anti-fraud centre\" }\n\n[variables.hotline]\nkind = \"phone\"\ndefaults = { zh = \"96110\", en = \"96110\" }\n\n[variables.greeting]\nkind = \"time_of_day\"\n\n[phrases.yes]\nzh = [\"有\", \"有的\", \"是\", \"是的\", \"对\", \"对的\", \"有过\", \"有人打过\", \"听得清\"]\nen = [\"yes\", \"yes they did\", \"yes i did\", \"i can hear you\"]\n\n[phrases.no]\nzh = [\"没有\", \"没\", \"没有人\", \"没有的事\", \"不是\", \"不在\"]\nen = [\"no\", \"nobody did\", \"not at all\"]\n\n[phrases.paid]\nzh = [\"已经转了\", \"我已经转了\", \"钱转过去了\", \"已经转账了\", \"转了\", \"已经付了\"]\nen = [\"i have paid\", \"i already paid\", \"i have already paid\", \"i paid\"]\n\n[phrases.owner]\nzh = [\"是\", \"是的\", \"是我\", \"对\", \"我是\", \"我就是\", \"本人\", \"我是本人\", \"是本人\"]\nen = [\"yes\", \"yes i am\", \"speaking\", \"that''s me\", \"it''s me\"]\n\n[phrases.not_owner]\nzh = [\"不是\", \"不是我\", \"你打错了\", \"打错了\", \"不是本人\"]\nen = [\"no\", \"wrong number\", \"not me\", \"i am not\"]\n\n[phrases.understood]\nzh = [\"明白\", \"明白了\", \"知道了\", \"听明白了\", \"我不转了\", \"好的\"]\nen = [\"i understand\", \"understood\", \"okay\", \"i will not pay\"]\n\n[phrases.disbelief]\nzh = [\"不信\", \"我不信\", \"不相信\", \"你是骗子\", \"你才是骗子\"]\nen = [\"i don''t believe you\", \"i do not believe it\", \"you are the fraud\"]\n\n[phrases.saw_through]\nzh = [\"我没上当\", \"我知道是骗子\", \"识破了\", \"已经拉黑了\"]\nen = [\"i saw through it\", \"i blocked them\"]\n\n[phrases.enough]\nzh = [\"不用再打了\", \"别再打了\", \"不需要回访\"]\nen = [\"no more calls\", \"stop calling\"]\n\n[phrases.guardian]\nzh = [\"我是家长\", \"我是他妈妈\", \"我是他爸爸\", \"家长在听\"]\nen = [\"i am the parent\", \"i am his mother\", \"i am his father\"]\n\n[phrases.child]\nzh = [\"没满十八岁\", \"我还没成年\", \"未成年\"]\nen = [\"i am under eighteen\", \"i am a child\"]\n\n[phrases.officer]\nzh = [\"人工\", \"转人工\", \"找民警\", \"找警察\", \"我要跟民警说\", \"叫真人来\", \"听不懂\"]\nen = [\"officer\", \"a person\", \"human\", \"talk to someone\", \"speak to an officer\"]\n\n[phrases.repeat]\nzh = [\"再说一遍\", \"没听清\", \"重复一遍\", \"什么意思\"]\nen = [\"again\", \"repeat\", \"say that again\", \"pardon\"]\n\n[anywhere]\n0 = { next = \"officer\", answer = \"wants_officer\", phrases = \"officer\" }\n9 = { next = \"repeat\", phrases = \"repeat\" }\n\n# Sent when the phone cannot be reached, and after a verified warning: no link, no number, nothing to answer.\n[message]\nzh = \"【{bureau}】反诈预警：您可能正在遭遇诈骗：请马上停止转账，不要再和对方联系，尽快告诉家人，或到就近派出所核实。本短信无需回复。\"\nen = \"{bureau}: fraud warning. You may be in the middle of a fraud. Do not transfer any money, end all contact, tell your family, or ask at the nearest police station. No reply is needed.\"\n\n[nodes.opening]\nkind = \"say\"\nmust_say = true\nzh = \"您好，这里是{bureau}，请您先不要转账，马上挂断对方的电话。我是反诈机器人。\"\nen = \"Hello, this is {bureau}: do not transfer any money, and hang up on the other caller now. I am an automatic warning voice.\"\nnext = \"identity\"\n\n[nodes.identity]\nkind = \"ask\"\nzh = \"请问您是这个号码的机主本人吗？是本人，请按1；不是，请按2；找民警，请按0。\"\nen = \"Are you the owner of this number? Yes, press 1. No, press 2. For an officer, press 0.\"\ntimeout_seconds = 7\nretries = 2\nrepeat_from = \"opening\"\notherwise = \"nobody_said\"\n\n[nodes.identity.choices]\n1 = { next = \"audience\", contact = \"verified\", phrases = \"owner\" }\n2 = { next = \"wrong_person\", answer = \"wrong_person\", needs_key = true, phrases = \"not_owner\" }\n\n# A child''s phone: the guardian is who has to hear this.\n[nodes.audience]\nkind = \"branch\"\non = \"tag\"\ncases = { minor = \"guardian\" }\notherwise = \"scene\"\n\n[nodes.guardian]\nkind = \"ask\"\nzh = \"请把电话交给家长。家长在听，请按1；家长不在，请按2；已经转账，请按3。\"\nen = \"Please give the phone to a parent. Parent listening, press 1. No parent here, press 2. Already paid, press 3.\"\ntimeout_seconds = 15\nretries = 1\notherwise = \"guardian_away\"\n[nodes.guardian.choices]\n1 = { next = \"scene\", phrases = \"guardian\" }\n2 = { next = \"guardian_away\", phrases = \"no\" }\n3 = { next = \"officer_paid\", answer = \"already_paid\", phrases = \"paid\" }\n\n[nodes.guardian_away]\nkind = \"end\"\ncontact = \"verified\"\nanswer = \"doubtful\"\nurgency = \"now\"\nmust_say = true\nzh = \"请马上告诉家长，先不要给任何人转账。我们的民警会联系你的家长。再见。\"\nen = \"Please tell your parents at once, and pay nobody. An officer will contact your parents. Goodbye.\"\n\n[nodes.scene]\nkind = \"ask\"\nzh = \"有没有人打电话、在网上让您转账，或者要您的验证码？有，请按1；没有，请按2；已经转账，请按3。\"\nen = \"Has somebody asked you by telephone or online for a transfer, an advance or a code? Yes, press 1. No, press 2. Already paid, press 3.\"\ntimeout_seconds = 8\nretries = 2\notherwise = \"unsure\"\n[nodes.scene.choices]\n1 = { next = \"warn\", phrases = \"yes\" }\n2 = { next = \"warn\", phrases = \"no\" }\n3 = { next = \"officer_paid\", answer = \"already_paid\", phrases = \"paid\" }\n\n[nodes.warn]\nkind = \"say\"\nmust_say = true\nzh = \"请注意：不认识的人让您转账，不管说什么理由，都先停下来。要验证码、要共享屏幕的，都是诈骗。\"\nen = \"Please listen: if a stranger asks for a transfer, stop, whatever the reason. Anybody who wants your code or your screen is a fraud.\"\nnext = \"caution\"\n\n[nodes.caution]\nkind = \"say\"\nmust_say = true\nzh = \"有骗子会说，我们是假警察。不放心，就请挂断，打区号加{hotline}，或者110，也可以去派出所问清楚。\"\nen = \"Fraudsters say that we are fake police. If in doubt, hang up and dial your area code and {hotline}, or 110, or go to a police station.\"\nnext = \"acknowledge\"\n\n[nodes.acknowledge]\nkind = \"ask\"\nmust_say = true\nzh = \"听明白了，不再转账，请按1；不相信，请按2；找民警，请按0；重听，请按9。\"\nen = \"If you understand and will not pay, press 1. If you do not believe it, press 2. For an officer, press 0. To hear it again, press 9.\"\ntimeout_seconds = 8\nretries = 2\nrepeat_from = \"warn\"\notherwise = \"unsure\"\n\n[nodes.acknowledge.choices]\n1 = { next = \"goodbye\", answer = \"acknowledged\", needs_key = true, phrases = \"understood\" }\n2 = { next = \"officer_doubt\", phrases = \"disbelief\" }\n\n[nodes.goodbye]\nkind = \"end\"\ncontact = \"verified\"\nanswer = \"acknowledged\"\nurgency = \"none\"\nmust_say = true\nzh = \"谢谢您。请记住，不要转账，不要告诉别人验证码。再见。\"\nen = \"Thank you. Remember: do not transfer money, and tell nobody a code. Goodbye.\"\n\n[nodes.nobody_said]\nkind = \"end\"\ncontact = \"unverified\"\nanswer = \"doubtful\"\nurgency = \"now\"\nzh = \"没有听到您的答复，我们的民警会再联系您。请先不要转账，再见。\"\nen = \"I heard no answer. An officer will contact you. Do not transfer any money. Goodbye.\"\n\n[nodes.unsure]\nkind = \"end\"\ncontact = \"verified\"\nanswer = \"doubtful\"\nurgency = \"now\"\nzh = \"没有听到您的答复，我们的民警会再联系您。请先不要转账，再见。\"\nen = \"I heard no answer. An officer will contact you. Do not transfer any money. Goodbye.\"\n\n[nodes.wrong_person]\nkind = \"end\"\ncontact = \"unverified\"\nanswer = \"wrong_person\"\nurgency = \"soon\"\nzh = \"对不起，打扰了。如果您认识机主，请让他尽快联系派出所。再见。\"\nen = \"Sorry to trouble you. If you know the owner of this number, please ask them to contact a police station soon. Goodbye.\"\n\n[nodes.officer]\nkind = \"hand_over\"\nanswer = \"wants_officer\"\nurgency = \"now\"\nzh = \"好的，马上请民警接电话，请不要挂断。这段时间不要转账。\"\nen = \"Very well, I am calling an officer for you. Please stay on the line, and do not transfer any money.\"\nnext = \"officer_busy\"\n\n[nodes.officer_busy]\nkind = \"end\"\ncontact = \"verified\"\nanswer = \"wants_officer\"\nurgency = \"now\"\nzh = \"现在民警都在忙，会尽快给您回电话。请先不要转账，再见。\"\nen = \"All officers are busy. One will ring you back very soon. Do not transfer any money. Goodbye.\"\n\n[nodes.officer_doubt]\nkind = \"hand_over\"\nanswer = \"refuses\"\nurgency = \"now\"\nzh = \"您有顾虑，我们理解。马上请民警跟您说，请不要挂断。\"\nen = \"We understand your doubts. An officer will talk to you now. Please stay on the line.\"\nnext = \"doubt_busy\"\n\n[nodes.doubt_busy]\nkind = \"end\"\ncontact = \"verified\"\nanswer = \"refuses\"\nurgency = \"now\"\nzh = \"现在民警都在忙，会尽快给您回电话。请先不要转账，再见。\"\nen = \"All officers are busy. One will ring you back very soon. Do not transfer any money. Goodbye.\"\n\n[nodes.officer_paid]\nkind = \"hand_over\"\nanswer = \"already_paid\"\nurgency = \"now\"\nmust_say = true\nzh = \"已经转账，时间很要紧。马上请民警接电话，请不要挂断。\"\nen = \"You have paid, so every minute counts. I am calling an officer. Please stay on the line.\"\nnext = \"paid_amount\"\n\n[nodes.paid_amount]\nkind = \"ask\"\nzh = \"我们的民警会马上给您回电话。请输入转账的金额，然后按井号键。\"\nen = \"An officer will ring you back at once. Please type the amount you paid, in yuan, and then the hash key.\"\ntimeout_seconds = 10\nretries = 1\notherwise = \"paid_account\"\ncollect = \"paid_yuan\"\nmax_digits = 8\nnext = \"paid_account\"\n\n[nodes.paid_account]\nkind = \"ask\"\nzh = \"如果知道对方的收款账号，请输入最后四位，然后按井号键。\"\nen = \"If you know the account you paid into, type its last four digits, and then the hash key.\"\ntimeout_seconds = 8\nretries = 0\notherwise = \"paid_when\"\ncollect = \"payee_account_last4\"\nmax_digits = 4\nnext = \"paid_when\"\n\n[nodes.paid_when]\nkind = \"ask\"\nzh = \"刚刚转的，请按1；几个小时以前，请按2；昨天或者更早，请按3。\"\nen = \"If you have only just paid, press 1. Earlier today, press 2. Before today, press 3.\"\ntimeout_seconds = 7\nretries = 1\notherwise = \"paid_end\"\ncollect = \"paid_when\"\n\n[nodes.paid_when.choices]\n1 = { next = \"paid_end\" }\n2 = { next = \"paid_end\" }\n3 = { next = \"paid_end\" }\n\n[nodes.paid_end]\nkind = \"end\"\ncontact = \"verified\"\nanswer = \"already_paid\"\nurgency = \"now\"\nmust_say = true\nzh = \"已经记下。请您马上拨打110报警，保留好转账记录。不要再转账了，再见。\"\nen = \"That is noted. Please ring 110 now, and keep the record of your transfer. Do not pay any more. Goodbye.\"\n"]}', 'shipped', '2026-11-26 19:56:14.203986+00'),
	(2, 'credit', 1, 'ae6861b97771dfc9f2842e3f01be7674e5023245295a802dd7be475669e7e809', '{"again":{"en":"I did not get your answer.","zh":"没有收到您的回答。"},"anywhere":{"0":{"answer":"wants_officer","next":"officer","phrases":"officer"},"9":{"next":"repeat","phrases":"repeat"}},"confirm":{"en":"To be sure, please answer with a key.","zh":"为了确认，请您按键回答。"},"default_language":"zh","fallbacks":{"mn":"zh"},"fraud_types":["credit"],"id":"credit","languages":["zh","en","mn"],"message":{"en":"{bureau}: fraud warning. You may be in the middle of a fraud. Do not transfer any money, end all contact, tell your family, or ask at the nearest police station. No reply is needed.","zh":"【{bureau}】反诈预警：您可能正在遭遇诈骗：请马上停止转账，不要再和对方联系，尽快告诉家人，或到就近派出所核实。本短信无需回复。"},"nodes":{"acknowledge":{"choices":{"1":{"answer":"acknowledged","needs_key":true,"next":"goodbye","phrases":"understood"},"2":{"next":"officer_doubt","phrases":"disbelief"}},"en":"If you understand and will not pay, press 1. If you do not believe it, press 2. For an officer, press 0. To hear it again, press 9.","kind":"ask","must_say":true,"otherwise":"unsure","repeat_from":"warn","retries":2,"timeout_seconds":8,"zh":"听明白了，不再转账，请按1；不相信，请按2；找民警，请按0；重听，请按9。"},"audience":{"cases":{"minor":"guardian"},"kind":"branch","on":"tag","otherwise":"scene"},"caution":{"en":"Fraudsters say that we are fake police. If in doubt, hang up and dial your area code and {hotline}, or 110, or go to a police station.","kind":"say","must_say":true,"next":"acknowledge","zh":"有骗子会说，我们是假警察。不放心，就请挂断，打区号加{hotline}，或者110，也可以去派出所问清楚。"},"doubt_busy":{"answer":"refuses","contact":"verified","en":"All officers are busy. One will ring you back very soon. Do not transfer any money. Goodbye.","kind":"end","urgency":"now","zh":"现在民警都在忙，会尽快给您回电话。请先不要转账，再见。"},"goodbye":{"answer":"acknowledged","contact":"verified","en":"Thank you. Remember: do not transfer money, and tell nobody a code. Goodbye.","kind":"end","must_say":true,"urgency":"none","zh":"谢谢您。请记住，不要转账，不要告诉别人验证码。再见。"},"guardian":{"choices":{"1":{"next":"scene","phrases":"guardian"},"2":{"next":"guardian_away","phrases":"no"},"3":{"answer":"already_paid","next":"officer_paid","phrases":"paid"}},"en":"Please give the phone to a parent. Parent listening, press 1. No parent here, press 2. Already paid, press 3.","kind":"ask","otherwise":"guardian_away","retries":1,"timeout_seconds":15,"zh":"请把电话交给家长。家长在听，请按1；家长不在，请按2；已经转账，请按3。"},"guardian_away":{"answer":"doubtful","contact":"verified","en":"Please tell your parents at once, and pay nobody. An officer will contact your parents. Goodbye.","kind":"end","must_say":true,"urgency":"now","zh":"请马上告诉家长，先不要给任何人转账。我们的民警会联系你的家长。再见。"},"identity":{"choices":{"1":{"contact":"verified","next":"audience","phrases":"owner"},"2":{"answer":"wrong_person","needs_key":true,"next":"wrong_person","phrases":"not_owner"}},"en":"Are you the owner of this number? Yes, press 1. No, press 2. For an officer, press 0.","kind":"ask","otherwise":"nobody_said","repeat_from":"opening","retries":2,"timeout_seconds":7,"zh":"请问您是这个号码的机主本人吗？是本人，请按1；不是，请按2；找民警，请按0。"},"nobody_said":{"answer":"doubtful","contact":"unverified","en":"I heard no answer. An officer will contact you. Do not transfer any money. Goodbye.","kind":"end","urgency":"now","zh":"没有听到您的答复，我们的民警会再联系您。请先不要转账，再见。"},"officer":{"answer":"wants_officer","en":"Very well, I am calling an officer for you. Please stay on the line, and do not transfer any money.","kind":"hand_over","next":"officer_busy","urgency":"now","zh":"好的，马上请民警接电话，请不要挂断。这段时间不要转账。"},"officer_busy":{"answer":"wants_officer","contact":"verified","en":"All officers are busy. One will ring you back very soon. Do not transfer any money. Goodbye.","kind":"end","urgency":"now","zh":"现在民警都在忙，会尽快给您回电话。请先不要转账，再见。"},"officer_doubt":{"answer":"refuses","en":"We understand your doubts. An officer will talk to you now. Please stay on the line.","kind":"hand_over","next":"doubt_busy","urgency":"now","zh":"您有顾虑，我们理解。马上请民警跟您说，请不要挂断。"},"officer_paid":{"answer":"already_paid","en":"You have paid, so every minute counts. I am calling an officer. Please stay on the line.","kind":"hand_over","must_say":true,"next":"paid_amount","urgency":"now","zh":"已经转账，时间很要紧。马上请民警接电话，请不要挂断。"},"opening":{"en":"Hello, this is {bureau}: do not transfer any money, and hang up on the other caller now. I am an automatic warning voice.","kind":"say","must_say":true,"next":"identity","zh":"您好，这里是{bureau}，请您先不要转账，马上挂断对方的电话。我是反诈机器人。"},"paid_account":{"collect":"payee_account_last4","en":"If you know the account you paid into, type its last four digits, and then the hash key.","kind":"ask","max_digits":4,"next":"paid_when","otherwise":"paid_when","retries":0,"timeout_seconds":8,"zh":"如果知道对方的收款账号，请输入最后四位，然后按井号键。"},"paid_amount":{"collect":"paid_yuan","en":"An officer will ring you back at once. Please type the amount you paid, in yuan, and then the hash key.","kind":"ask","max_digits":8,"next":"paid_account","otherwise":"paid_account","retries":1,"timeout_seconds":10,"zh":"我们的民警会马上给您回电话。请输入转账的金额，然后按井号键。"},"paid_end":{"answer":"already_paid","contact":"verified","en":"That is noted. Please ring 110 now, and keep the record of your transfer. Do not pay any more. Goodbye.","kind":"end","must_say":true,"urgency":"now","zh":"已经记下。请您马上拨打110报警，保留好转账记录。不要再转账了，再见。"},"paid_when":{"choices":{"1":{"next":"paid_end"},"2":{"next":"paid_end"},"3":{"next":"paid_end"}},"collect":"paid_when","en":"If you have only just paid, press 1. Earlier today, press 2. Before today, press 3.","kind":"ask","otherwise":"paid_end","retries":1,"timeout_seconds":7,"zh":"刚刚转的，请按1；几个小时以前，请按2；昨天或者更早，请按3。"},"scene":{"choices":{"1":{"next":"warn","phrases":"yes"},"2":{"next":"warn","phrases":"no"},"3":{"answer":"already_paid","next":"officer_paid","phrases":"paid"}},"en":"Has somebody said that your credit record is at risk and that you must transfer money? Yes, press 1. No, press 2. Already paid, press 3.","kind":"ask","otherwise":"unsure","retries":2,"timeout_seconds":8,"zh":"有没有人说您的征信有问题，让您转账处理？有，请按1；没有，请按2；已经转账，请按3。"},"unsure":{"answer":"doubtful","contact":"verified","en":"I heard no answer. An officer will contact you. Do not transfer any money. Goodbye.","kind":"end","urgency":"now","zh":"没有听到您的答复，我们的民警会再联系您。请先不要转账，再见。"},"warn":{"en":"Please listen: nobody can mend a credit record by a transfer. Anybody who has you move money or borrow to move it is a fraud.","kind":"say","must_say":true,"next":"caution","zh":"请注意：征信记录，谁也不能靠转账来修改。让您把钱转走、把贷款取出来转走的，都是诈骗。"},"wrong_person":{"answer":"wrong_person","contact":"unverified","en":"Sorry to trouble you. If you know the owner of this number, please ask them to contact a police station soon. Goodbye.","kind":"end","urgency":"soon","zh":"对不起，打扰了。如果您认识机主，请让他尽快联系派出所。再见。"}},"phrases":{"child":{"en":["i am under eighteen","i am a child"],"zh":["没满十八岁","我还没成年","未成年"]},"disbelief":{"en":["i don''t believe you","i do not believe it","you are the fraud"],"zh":["不信","我不信","不相信","你是骗子","你才是骗子"]},"enough":{"en":["no more calls","stop calling"],"zh":["不用再打了","别再打了","不需要回访"]},"guardian":{"en":["i am the parent","i am his mother","i am his father"],"zh":["我是家长","我是他妈妈","我是他爸爸","家长在听"]},"no":{"en":["no","nobody did","not at all"],"zh":["没有","没","没有人","没有的事","不是","不在"]},"not_owner":{"en":["no","wrong number","not me","i am not"],"zh":["不是","不是我","你打错了","打错了","不是本人"]},"officer":{"en":["officer","a person","human","talk to someone","speak to an officer"],"zh":["人工","转人工","找民警","找警察","我要跟民警说","叫真人来","听不懂"]},"owner":{"en":["yes","yes i am","speaking","that''s me","it''s me"],"zh":["是","是的","是我","对","我是","我就是","本人","我是本人","是本人"]},"paid":{"en":["i have paid","i already paid","i have already paid","i paid"],"zh":["已经转了","我已经转了","钱转过去了","已经转账了","转了","已经付了"]},"repeat":{"en":["again","repeat","say that again","pardon"],"zh":["再说一遍","没听清","重复一遍","什么意思"]},"saw_through":{"en":["i saw through it","i blocked them"],"zh":["我没上当","我知道是骗子","识破了","已经拉黑了"]},"understood":{"en":["i understand","understood","okay","i will not pay"],"zh":["明白","明白了","知道了","听明白了","我不转了","好的"]},"yes":{"en":["yes","yes they did","yes i did","i can hear you"],"zh":["有","有的","是","是的","对","对的","有过","有人打过","听得清"]}},"said_in":{"acknowledge":"common","again":"common","audience":"common","caution":"common","confirm":"common","doubt_busy":"common","goodbye":"common","guardian":"common","guardian_away":"common","identity":"common","nobody_said":"common","officer":"common","officer_busy":"common","officer_doubt":"common","officer_paid":"common","opening":"common","paid_account":"common","paid_amount":"common","paid_end":"common","paid_when":"common","unsure":"common","wrong_person":"common"},"start":"opening","title":{"en":"False credit records","zh":"虚假征信"},"variables":{"bureau":{"defaults":{"en":"the city anti-fraud centre","zh":"市反诈中心"},"kind":"text"},"greeting":{"kind":"time_of_day"},"hotline":{"defaults":{"en":"96110","zh":"96110"},"kind":"phone"}}}', 'credit.toml', 'extends = "common"
id = "credit"
fraud_types = ["credit"]
[title]
zh = "虚假征信"
en = "False credit records"
[nodes.scene]
kind = "ask"
zh = "有没有人说您的征信有问题，让您转账处理？有，请按1；没有，请按2；已经转账，请按3。"
en = "Has somebody said that your credit record is at risk and that you must transfer money? Yes, press 1. No, press 2. Already paid, press 3."
timeout_seconds = 8
retries = 2
otherwise = "unsure"
[nodes.scene.choices]
1 = { next = "warn", phrases = "yes" }
2 = { next = "warn", phrases = "no" }
3 = { next = "officer_paid", answer = "already_paid", phrases = "paid" }
[nodes.warn]
kind = "say"
must_say = true
zh = "请注意：征信记录，谁也不能靠转账来修改。让您把钱转走、把贷款取出来转走的，都是诈骗。"
en = "Please listen: nobody can mend a credit record by a transfer. Anybody who has you move money or borrow to move it is a fraud."
next = "caution"
', '{"common": ["common.toml", "# What every script shares: who we are, whom we ask for, the caution, the farewell, and the ways to an officer.\n# A script takes this with `extends = \"common\"` and replaces whole nodes under the same name.\n# mn is declared without texts: a centre adds its recordings by prompt name; until then Mandarin is spoken.\n\nlanguages = [\"zh\", \"en\", \"mn\"]\ndefault_language = \"zh\"\nfallbacks = { mn = \"zh\" }\nstart = \"opening\"\n\n[again]\nzh = \"没有收到您的回答。\"\nen = \"I did not get your answer.\"\n\n[confirm]\nzh = \"为了确认，请您按键回答。\"\nen = \"To be sure, please answer with a key.\"\n\n[variables.bureau]\nkind = \"text\"\ndefaults = { zh = \"市反诈中心\", en = \"the city anti-fraud centre\" }\n\n[variables.hotline]\nkind = \"phone\"\ndefaults = { zh = \"96110\", en = \"96110\" }\n\n[variables.greeting]\nkind = \"time_of_day\"\n\n[phrases.yes]\nzh = [\"有\", \"有的\", \"是\", \"是的\", \"对\", \"对的\", \"有过\", \"有人打过\", \"听得清\"]\nen = [\"yes\", \"yes they did\", \"yes i did\", \"i can hear you\"]\n\n[phrases.no]\nzh = [\"没有\", \"没\", \"没有人\", \"没有的事\", \"不是\", \"不在\"]\nen = [\"no\", \"nobody did\", \"not at all\"]\n\n[phrases.paid]\nzh = [\"已经转了\", \"我已经转了\", \"钱转过去了\", \"已经转账了\", \"转了\", \"已经付了\"]\nen = [\"i have paid\", \"i already paid\", \"i have already paid\", \"i paid\"]\n\n[phrases.owner]\nzh = [\"是\", \"是的\", \"是我\", \"对\", \"我是\", \"我就是\", \"本人\", \"我是本人\", \"是本人\"]\nen = [\"yes\", \"yes i am\", \"speaking\", \"that''s me\", \"it''s me\"]\n\n[phrases.not_owner]\nzh = [\"不是\", \"不是我\", \"你打错了\", \"打错了\", \"不是本人\"]\nen = [\"no\", \"wrong number\", \"not me\", \"i am not\"]\n\n[phrases.understood]\nzh = [\"明白\", \"明白了\", \"知道了\", \"听明白了\", \"我不转了\", \"好的\"]\nen = [\"i understand\", \"understood\", \"okay\", \"i will not pay\"]\n\n[phrases.disbelief]\nzh = [\"不信\", \"我不信\", \"不相信\", \"你是骗子\", \"你才是骗子\"]\nen = [\"i don''t believe you\", \"i do not believe it\", \"you are the fraud\"]\n\n[phrases.saw_through]\nzh = [\"我没上当\", \"我知道是骗子\", \"识破了\", \"已经拉黑了\"]\nen = [\"i saw through it\", \"i blocked them\"]\n\n[phrases.enough]\nzh = [\"不用再打了\", \"别再打了\", \"不需要回访\"]\nen = [\"no more calls\", \"stop calling\"]\n\n[phrases.guardian]\nzh = [\"我是家长\", \"我是他妈妈\", \"我是他爸爸\", \"家长在听\"]\nen = [\"i am the parent\", \"i am his mother\", \"i am his father\"]\n\n[phrases.child]\nzh = [\"没满十八岁\", \"我还没成年\", \"未成年\"]\nen = [\"i am under eighteen\", \"i am a child\"]\n\n[phrases.officer]\nzh = [\"人工\", \"转人工\", \"找民警\", \"找警察\", \"我要跟民警说\", \"叫真人来\", \"听不懂\"]\nen = [\"officer\", \"a person\", \"human\", \"talk to someone\", \"speak to an officer\"]\n\n[phrases.repeat]\nzh = [\"再说一遍\", \"没听清\", \"重复一遍\", \"什么意思\"]\nen = [\"again\", \"repeat\", \"say that again\", \"pardon\"]\n\n[anywhere]\n0 = { next = \"officer\", answer = \"wants_officer\", phrases = \"officer\" }\n9 = { next = \"repeat\", phrases = \"repeat\" }\n\n# Sent when the phone cannot be reached, and after a verified warning: no link, no number, nothing to answer.\n[message]\nzh = \"【{bureau}】反诈预警：您可能正在遭遇诈骗：请马上停止转账，不要再和对方联系，尽快告诉家人，或到就近派出所核实。本短信无需回复。\"\nen = \"{bureau}: fraud warning. You may be in the middle of a fraud. Do not transfer any money, end all contact, tell your family, or ask at the nearest police station. No reply is needed.\"\n\n[nodes.opening]\nkind = \"say\"\nmust_say = true\nzh = \"您好，这里是{bureau}，请您先不要转账，马上挂断对方的电话。我是反诈机器人。\"\nen = \"Hello, this is {bureau}: do not transfer any money, and hang up on the other caller now. I am an automatic warning voice.\"\nnext = \"identity\"\n\n[nodes.identity]\nkind = \"ask\"\nzh = \"请问您是这个号码的机主本人吗？是本人，请按1；不是，请按2；找民警，请按0。\"\nen = \"Are you the owner of this number? Yes, press 1. No, press 2. For an officer, press 0.\"\ntimeout_seconds = 7\nretries = 2\nrepeat_from = \"opening\"\notherwise = \"nobody_said\"\n\n[nodes.identity.choices]\n1 = { next = \"audience\", contact = \"verified\", phrases = \"owner\" }\n2 = { next = \"wrong_person\", answer = \"wrong_person\", needs_key = true, phrases = \"not_owner\" }\n\n# A child''s phone: the guardian is who has to hear this.\n[nodes.audience]\nkind = \"branch\"\non = \"tag\"\ncases = { minor = \"guardian\" }\notherwise = \"scene\"\n\n[nodes.guardian]\nkind = \"ask\"\nzh = \"请把电话交给家长。家长在听，请按1；家长不在，请按2；已经转账，请按3。\"\nen = \"Please give the phone to a parent. Parent listening, press 1. No parent here, press 2. Already paid, press 3.\"\ntimeout_seconds = 15\nretries = 1\notherwise = \"guardian_away\"\n[nodes.guardian.choices]\n1 = { next = \"scene\", phrases = \"guardian\" }\n2 = { next = \"guardian_away\", phrases = \"no\" }\n3 = { next = \"officer_paid\", answer = \"already_paid\", phrases = \"paid\" }\n\n[nodes.guardian_away]\nkind = \"end\"\ncontact = \"verified\"\nanswer = \"doubtful\"\nurgency = \"now\"\nmust_say = true\nzh = \"请马上告诉家长，先不要给任何人转账。我们的民警会联系你的家长。再见。\"\nen = \"Please tell your parents at once, and pay nobody. An officer will contact your parents. Goodbye.\"\n\n[nodes.scene]\nkind = \"ask\"\nzh = \"有没有人打电话、在网上让您转账，或者要您的验证码？有，请按1；没有，请按2；已经转账，请按3。\"\nen = \"Has somebody asked you by telephone or online for a transfer, an advance or a code? Yes, press 1. No, press 2. Already paid, press 3.\"\ntimeout_seconds = 8\nretries = 2\notherwise = \"unsure\"\n[nodes.scene.choices]\n1 = { next = \"warn\", phrases = \"yes\" }\n2 = { next = \"warn\", phrases = \"no\" }\n3 = { next = \"officer_paid\", answer = \"already_paid\", phrases = \"paid\" }\n\n[nodes.warn]\nkind = \"say\"\nmust_say = true\nzh = \"请注意：不认识的人让您转账，不管说什么理由，都先停下来。要验证码、要共享屏幕的，都是诈骗。\"\nen = \"Please listen: if a stranger asks for a transfer, stop, whatever the reason. Anybody who wants your code or your screen is a fraud.\"\nnext = \"caution\"\n\n[nodes.caution]\nkind = \"say\"\nmust_say = true\nzh = \"有骗子会说，我们是假警察。不放心，就请挂断，打区号加{hotline}，或者110，也可以去派出所问清楚。\"\nen = \"Fraudsters say that we are fake police. If in doubt, hang up and dial your area code and {hotline}, or 110, or go to a police station.\"\nnext = \"acknowledge\"\n\n[nodes.acknowledge]\nkind = \"ask\"\nmust_say = true\nzh = \"听明白了，不再转账，请按1；不相信，请按2；找民警，请按0；重听，请按9。\"\nen = \"If you understand and will not pay, press 1. If you do not believe it, press 2. For an officer, press 0. To hear it again, press 9.\"\ntimeout_seconds = 8\nretries = 2\nrepeat_from = \"warn\"\notherwise = \"unsure\"\n\n[nodes.acknowledge.choices]\n1 = { next = \"goodbye\", answer = \"acknowledged\", needs_key = true, phrases = \"understood\" }\n2 = { next = \"officer_doubt\", phrases = \"disbelief\" }\n\n[nodes.goodbye]\nkind = \"end\"\ncontact = \"verified\"\nanswer = \"acknowledged\"\nurgency = \"none\"\nmust_say = true\nzh = \"谢谢您。请记住，不要转账，不要告诉别人验证码。再见。\"\nen = \"Thank you. Remember: do not transfer money, and tell nobody a code. Goodbye.\"\n\n[nodes.nobody_said]\nkind = \"end\"\ncontact = \"unverified\"\nanswer = \"doubtful\"\nurgency = \"now\"\nzh = \"没有听到您的答复，我们的民警会再联系您。请先不要转账，再见。\"\nen = \"I heard no answer. An officer will contact you. Do not transfer any money. Goodbye.\"\n\n[nodes.unsure]\nkind = \"end\"\ncontact = \"verified\"\nanswer = \"doubtful\"\nurgency = \"now\"\nzh = \"没有听到您的答复，我们的民警会再联系您。请先不要转账，再见。\"\nen = \"I heard no answer. An officer will contact you. Do not transfer any money. Goodbye.\"\n\n[nodes.wrong_person]\nkind = \"end\"\ncontact = \"unverified\"\nanswer = \"wrong_person\"\nurgency = \"soon\"\nzh = \"对不起，打扰了。如果您认识机主，请让他尽快联系派出所。再见。\"\nen = \"Sorry to trouble you. If you know the owner of this number, please ask them to contact a police station soon. Goodbye.\"\n\n[nodes.officer]\nkind = \"hand_over\"\nanswer = \"wants_officer\"\nurgency = \"now\"\nzh = \"好的，马上请民警接电话，请不要挂断。这段时间不要转账。\"\nen = \"Very well, I am calling an officer for you. Please stay on the line, and do not transfer any money.\"\nnext = \"officer_busy\"\n\n[nodes.officer_busy]\nkind = \"end\"\ncontact = \"verified\"\nanswer = \"wants_officer\"\nurgency = \"now\"\nzh = \"现在民警都在忙，会尽快给您回电话。请先不要转账，再见。\"\nen = \"All officers are busy. One will ring you back very soon. Do not transfer any money. Goodbye.\"\n\n[nodes.officer_doubt]\nkind = \"hand_over\"\nanswer = \"refuses\"\nurgency = \"now\"\nzh = \"您有顾虑，我们理解。马上请民警跟您说，请不要挂断。\"\nen = \"We understand your doubts. An officer will talk to you now. Please stay on the line.\"\nnext = \"doubt_busy\"\n\n[nodes.doubt_busy]\nkind = \"end\"\ncontact = \"verified\"\nanswer = \"refuses\"\nurgency = \"now\"\nzh = \"现在民警都在忙，会尽快给您回电话。请先不要转账，再见。\"\nen = \"All officers are busy. One will ring you back very soon. Do not transfer any money. Goodbye.\"\n\n[nodes.officer_paid]\nkind = \"hand_over\"\nanswer = \"already_paid\"\nurgency = \"now\"\nmust_say = true\nzh = \"已经转账，时间很要紧。马上请民警接电话，请不要挂断。\"\nen = \"You have paid, so every minute counts. I am calling an officer. Please stay on the line.\"\nnext = \"paid_amount\"\n\n[nodes.paid_amount]\nkind = \"ask\"\nzh = \"我们的民警会马上给您回电话。请输入转账的金额，然后按井号键。\"\nen = \"An officer will ring you back at once. Please type the amount you paid, in yuan, and then the hash key.\"\ntimeout_seconds = 10\nretries = 1\notherwise = \"paid_account\"\ncollect = \"paid_yuan\"\nmax_digits = 8\nnext = \"paid_account\"\n\n[nodes.paid_account]\nkind = \"ask\"\nzh = \"如果知道对方的收款账号，请输入最后四位，然后按井号键。\"\nen = \"If you know the account you paid into, type its last four digits, and then the hash key.\"\ntimeout_seconds = 8\nretries = 0\notherwise = \"paid_when\"\ncollect = \"payee_account_last4\"\nmax_digits = 4\nnext = \"paid_when\"\n\n[nodes.paid_when]\nkind = \"ask\"\nzh = \"刚刚转的，请按1；几个小时以前，请按2；昨天或者更早，请按3。\"\nen = \"If you have only just paid, press 1. Earlier today, press 2. Before today, press 3.\"\ntimeout_seconds = 7\nretries = 1\notherwise = \"paid_end\"\ncollect = \"paid_when\"\n\n[nodes.paid_when.choices]\n1 = { next = \"paid_end\" }\n2 = { next = \"paid_end\" }\n3 = { next = \"paid_end\" }\n\n[nodes.paid_end]\nkind = \"end\"\ncontact = \"verified\"\nanswer = \"already_paid\"\nurgency = \"now\"\nmust_say = true\nzh = \"已经记下。请您马上拨打110报警，保留好转账记录。不要再转账了，再见。\"\nen = \"That is noted. Please ring 110 now, and keep the record of your transfer. Do not pay any more. Goodbye.\"\n"]}', 'shipped', '2026-11-26 19:56:14.203986+00'),
	(3, 'fake_customer_service', 1, '2fa7e0f314844e4b221888a76f133d2555e973a7d3c7f1fa9f1e1eb008e2ce5a', '{"again":{"en":"I did not get your answer.","zh":"没有收到您的回答。"},"anywhere":{"0":{"answer":"wants_officer","next":"officer","phrases":"officer"},"9":{"next":"repeat","phrases":"repeat"}},"confirm":{"en":"To be sure, please answer with a key.","zh":"为了确认，请您按键回答。"},"default_language":"zh","fallbacks":{"mn":"zh"},"fraud_types":["fake_customer_service"],"id":"fake_customer_service","languages":["zh","en","mn"],"message":{"en":"{bureau}: fraud warning. You may be in the middle of a fraud. Do not transfer any money, end all contact, tell your family, or ask at the nearest police station. No reply is needed.","zh":"【{bureau}】反诈预警：您可能正在遭遇诈骗：请马上停止转账，不要再和对方联系，尽快告诉家人，或到就近派出所核实。本短信无需回复。"},"nodes":{"acknowledge":{"choices":{"1":{"answer":"acknowledged","needs_key":true,"next":"goodbye","phrases":"understood"},"2":{"next":"officer_doubt","phrases":"disbelief"}},"en":"If you understand and will not pay, press 1. If you do not believe it, press 2. For an officer, press 0. To hear it again, press 9.","kind":"ask","must_say":true,"otherwise":"unsure","repeat_from":"warn","retries":2,"timeout_seconds":8,"zh":"听明白了，不再转账，请按1；不相信，请按2；找民警，请按0；重听，请按9。"},"audience":{"cases":{"minor":"guardian"},"kind":"branch","on":"tag","otherwise":"scene"},"caution":{"en":"Fraudsters say that we are fake police. If in doubt, hang up and dial your area code and {hotline}, or 110, or go to a police station.","kind":"say","must_say":true,"next":"acknowledge","zh":"有骗子会说，我们是假警察。不放心，就请挂断，打区号加{hotline}，或者110，也可以去派出所问清楚。"},"doubt_busy":{"answer":"refuses","contact":"verified","en":"All officers are busy. One will ring you back very soon. Do not transfer any money. Goodbye.","kind":"end","urgency":"now","zh":"现在民警都在忙，会尽快给您回电话。请先不要转账，再见。"},"goodbye":{"answer":"acknowledged","contact":"verified","en":"Thank you. Remember: do not transfer money, and tell nobody a code. Goodbye.","kind":"end","must_say":true,"urgency":"none","zh":"谢谢您。请记住，不要转账，不要告诉别人验证码。再见。"},"guardian":{"choices":{"1":{"next":"scene","phrases":"guardian"},"2":{"next":"guardian_away","phrases":"no"},"3":{"answer":"already_paid","next":"officer_paid","phrases":"paid"}},"en":"Please give the phone to a parent. Parent listening, press 1. No parent here, press 2. Already paid, press 3.","kind":"ask","otherwise":"guardian_away","retries":1,"timeout_seconds":15,"zh":"请把电话交给家长。家长在听，请按1；家长不在，请按2；已经转账，请按3。"},"guardian_away":{"answer":"doubtful","contact":"verified","en":"Please tell your parents at once, and pay nobody. An officer will contact your parents. Goodbye.","kind":"end","must_say":true,"urgency":"now","zh":"请马上告诉家长，先不要给任何人转账。我们的民警会联系你的家长。再见。"},"identity":{"choices":{"1":{"contact":"verified","next":"audience","phrases":"owner"},"2":{"answer":"wrong_person","needs_key":true,"next":"wrong_person","phrases":"not_owner"}},"en":"Are you the owner of this number? Yes, press 1. No, press 2. For an officer, press 0.","kind":"ask","otherwise":"nobody_said","repeat_from":"opening","retries":2,"timeout_seconds":7,"zh":"请问您是这个号码的机主本人吗？是本人，请按1；不是，请按2；找民警，请按0。"},"nobody_said":{"answer":"doubtful","contact":"unverified","en":"I heard no answer. An officer will contact you. Do not transfer any money. Goodbye.","kind":"end","urgency":"now","zh":"没有听到您的答复，我们的民警会再联系您。请先不要转账，再见。"},"officer":{"answer":"wants_officer","en":"Very well, I am calling an officer for you. Please stay on the line, and do not transfer any money.","kind":"hand_over","next":"officer_busy","urgency":"now","zh":"好的，马上请民警接电话，请不要挂断。这段时间不要转账。"},"officer_busy":{"answer":"wants_officer","contact":"verified","en":"All officers are busy. One will ring you back very soon. Do not transfer any money. Goodbye.","kind":"end","urgency":"now","zh":"现在民警都在忙，会尽快给您回电话。请先不要转账，再见。"},"officer_doubt":{"answer":"refuses","en":"We understand your doubts. An officer will talk to you now. Please stay on the line.","kind":"hand_over","next":"doubt_busy","urgency":"now","zh":"您有顾虑，我们理解。马上请民警跟您说，请不要挂断。"},"officer_paid":{"answer":"already_paid","en":"You have paid, so every minute counts. I am calling an officer. Please stay on the line.","kind":"hand_over","must_say":true,"next":"paid_amount","urgency":"now","zh":"已经转账，时间很要紧。马上请民警接电话，请不要挂断。"},"opening":{"en":"Hello, this is {bureau}: do not transfer any money, and hang up on the other caller now. I am an automatic warning voice.","kind":"say","must_say":true,"next":"identity","zh":"您好，这里是{bureau}，请您先不要转账，马上挂断对方的电话。我是反诈机器人。"},"paid_account":{"collect":"payee_account_last4","en":"If you know the account you paid into, type its last four digits, and then the hash key.","kind":"ask","max_digits":4,"next":"paid_when","otherwise":"paid_when","retries":0,"timeout_seconds":8,"zh":"如果知道对方的收款账号，请输入最后四位，然后按井号键。"},"paid_amount":{"collect":"paid_yuan","en":"An officer will ring you back at once. Please type the amount you paid, in yuan, and then the hash key.","kind":"ask","max_digits":8,"next":"paid_account","otherwise":"paid_account","retries":1,"timeout_seconds":10,"zh":"我们的民警会马上给您回电话。请输入转账的金额，然后按井号键。"},"paid_end":{"answer":"already_paid","contact":"verified","en":"That is noted. Please ring 110 now, and keep the record of your transfer. Do not pay any more. Goodbye.","kind":"end","must_say":true,"urgency":"now","zh":"已经记下。请您马上拨打110报警，保留好转账记录。不要再转账了，再见。"},"paid_when":{"choices":{"1":{"next":"paid_end"},"2":{"next":"paid_end"},"3":{"next":"paid_end"}},"collect":"paid_when","en":"If you have only just paid, press 1. Earlier today, press 2. Before today, press 3.","kind":"ask","otherwise":"paid_end","retries":1,"timeout_seconds":7,"zh":"刚刚转的，请按1；几个小时以前，请按2；昨天或者更早，请按3。"},"scene":{"choices":{"1":{"next":"warn","phrases":"yes"},"2":{"next":"warn","phrases":"no"},"3":{"answer":"already_paid","next":"officer_paid","phrases":"paid"}},"en":"Has customer service offered a refund, or to cancel a service, and asked to see your screen? Yes, press 1. No, press 2. Already paid, press 3.","kind":"ask","otherwise":"unsure","retries":2,"timeout_seconds":8,"zh":"有没有自称客服的人，说要给您退款，或者取消会员，让您共享屏幕？有，请按1；没有，请按2；已经转账，请按3。"},"unsure":{"answer":"doubtful","contact":"verified","en":"I heard no answer. An officer will contact you. Do not transfer any money. Goodbye.","kind":"end","urgency":"now","zh":"没有听到您的答复，我们的民警会再联系您。请先不要转账，再见。"},"warn":{"en":"Please listen: a refund never needs your bank card or a code. Stop sharing your screen now. If you cannot, take out the SIM card. This is a fraud.","kind":"say","must_say":true,"next":"caution","zh":"请注意：真退款，不用银行卡号，也不用验证码。马上关掉屏幕共享，关不掉就拔出手机卡。这是诈骗。"},"wrong_person":{"answer":"wrong_person","contact":"unverified","en":"Sorry to trouble you. If you know the owner of this number, please ask them to contact a police station soon. Goodbye.","kind":"end","urgency":"soon","zh":"对不起，打扰了。如果您认识机主，请让他尽快联系派出所。再见。"}},"phrases":{"child":{"en":["i am under eighteen","i am a child"],"zh":["没满十八岁","我还没成年","未成年"]},"disbelief":{"en":["i don''t believe you","i do not believe it","you are the fraud"],"zh":["不信","我不信","不相信","你是骗子","你才是骗子"]},"enough":{"en":["no more calls","stop calling"],"zh":["不用再打了","别再打了","不需要回访"]},"guardian":{"en":["i am the parent","i am his mother","i am his father"],"zh":["我是家长","我是他妈妈","我是他爸爸","家长在听"]},"no":{"en":["no","nobody did","not at all"],"zh":["没有","没","没有人","没有的事","不是","不在"]},"not_owner":{"en":["no","wrong number","not me","i am not"],"zh":["不是","不是我","你打错了","打错了","不是本人"]},"officer":{"en":["officer","a person","human","talk to someone","speak to an officer"],"zh":["人工","转人工","找民警","找警察","我要跟民警说","叫真人来","听不懂"]},"owner":{"en":["yes","yes i am","speaking","that''s me","it''s me"],"zh":["是","是的","是我","对","我是","我就是","本人","我是本人","是本人"]},"paid":{"en":["i have paid","i already paid","i have already paid","i paid"],"zh":["已经转了","我已经转了","钱转过去了","已经转账了","转了","已经付了"]},"repeat":{"en":["again","repeat","say that again","pardon"],"zh":["再说一遍","没听清","重复一遍","什么意思"]},"saw_through":{"en":["i saw through it","i blocked them"],"zh":["我没上当","我知道是骗子","识破了","已经拉黑了"]},"understood":{"en":["i understand","understood","okay","i will not pay"],"zh":["明白","明白了","知道了","听明白了","我不转了","好的"]},"yes":{"en":["yes","yes they did","yes i did","i can hear you"],"zh":["有","有的","是","是的","对","对的","有过","有人打过","听得清"]}},"said_in":{"acknowledge":"common","again":"common","audience":"common","caution":"common","confirm":"common","doubt_busy":"common","goodbye":"common","guardian":"common","guardian_away":"common","identity":"common","nobody_said":"common","officer":"common","officer_busy":"common","officer_doubt":"common","officer_paid":"common","opening":"common","paid_account":"common","paid_amount":"common","paid_end":"common","paid_when":"common","unsure":"common","wrong_person":"common"},"start":"opening","title":{"en":"False customer service","zh":"冒充电商物流客服"},"variables":{"bureau":{"defaults":{"en":"the city anti-fraud centre","zh":"市反诈中心"},"kind":"text"},"greeting":{"kind":"time_of_day"},"hotline":{"defaults":{"en":"96110","zh":"96110"},"kind":"phone"}}}', 'fake_customer_service.toml', 'extends = "common"
id = "fake_customer_service"
fraud_types = ["fake_customer_service"]
[title]
zh = "冒充电商物流客服"
en = "False customer service"
[nodes.scene]
kind = "ask"
zh = "有没有自称客服的人，说要给您退款，或者取消会员，让您共享屏幕？有，请按1；没有，请按2；已经转账，请按3。"
en = "Has customer service offered a refund, or to cancel a service, and asked to see your screen? Yes, press 1. No, press 2. Already paid, press 3."
timeout_seconds = 8
retries = 2
otherwise = "unsure"
[nodes.scene.choices]
1 = { next = "warn", phrases = "yes" }
2 = { next = "warn", phrases = "no" }
3 = { next = "officer_paid", answer = "already_paid", phrases = "paid" }
[nodes.warn]
kind = "say"
must_say = true
zh = "请注意：真退款，不用银行卡号，也不用验证码。马上关掉屏幕共享，关不掉就拔出手机卡。这是诈骗。"
en = "Please listen: a refund never needs your bank card or a code. Stop sharing your screen now. If you cannot, take out the SIM card. This is a fraud."
next = "caution"
', '{"common": ["common.toml", "# What every script shares: who we are, whom we ask for, the caution, the farewell, and the ways to an officer.\n# A script takes this with `extends = \"common\"` and replaces whole nodes under the same name.\n# mn is declared without texts: a centre adds its recordings by prompt name; until then Mandarin is spoken.\n\nlanguages = [\"zh\", \"en\", \"mn\"]\ndefault_language = \"zh\"\nfallbacks = { mn = \"zh\" }\nstart = \"opening\"\n\n[again]\nzh = \"没有收到您的回答。\"\nen = \"I did not get your answer.\"\n\n[confirm]\nzh = \"为了确认，请您按键回答。\"\nen = \"To be sure, please answer with a key.\"\n\n[variables.bureau]\nkind = \"text\"\ndefaults = { zh = \"市反诈中心\", en = \"the city anti-fraud centre\" }\n\n[variables.hotline]\nkind = \"phone\"\ndefaults = { zh = \"96110\", en = \"96110\" }\n\n[variables.greeting]\nkind = \"time_of_day\"\n\n[phrases.yes]\nzh = [\"有\", \"有的\", \"是\", \"是的\", \"对\", \"对的\", \"有过\", \"有人打过\", \"听得清\"]\nen = [\"yes\", \"yes they did\", \"yes i did\", \"i can hear you\"]\n\n[phrases.no]\nzh = [\"没有\", \"没\", \"没有人\", \"没有的事\", \"不是\", \"不在\"]\nen = [\"no\", \"nobody did\", \"not at all\"]\n\n[phrases.paid]\nzh = [\"已经转了\", \"我已经转了\", \"钱转过去了\", \"已经转账了\", \"转了\", \"已经付了\"]\nen = [\"i have paid\", \"i already paid\", \"i have already paid\", \"i paid\"]\n\n[phrases.owner]\nzh = [\"是\", \"是的\", \"是我\", \"对\", \"我是\", \"我就是\", \"本人\", \"我是本人\", \"是本人\"]\nen = [\"yes\", \"yes i am\", \"speaking\", \"that''s me\", \"it''s me\"]\n\n[phrases.not_owner]\nzh = [\"不是\", \"不是我\", \"你打错了\", \"打错了\", \"不是本人\"]\nen = [\"no\", \"wrong number\", \"not me\", \"i am not\"]\n\n[phrases.understood]\nzh = [\"明白\", \"明白了\", \"知道了\", \"听明白了\", \"我不转了\", \"好的\"]\nen = [\"i understand\", \"understood\", \"okay\", \"i will not pay\"]\n\n[phrases.disbelief]\nzh = [\"不信\", \"我不信\", \"不相信\", \"你是骗子\", \"你才是骗子\"]\nen = [\"i don''t believe you\", \"i do not believe it\", \"you are the fraud\"]\n\n[phrases.saw_through]\nzh = [\"我没上当\", \"我知道是骗子\", \"识破了\", \"已经拉黑了\"]\nen = [\"i saw through it\", \"i blocked them\"]\n\n[phrases.enough]\nzh = [\"不用再打了\", \"别再打了\", \"不需要回访\"]\nen = [\"no more calls\", \"stop calling\"]\n\n[phrases.guardian]\nzh = [\"我是家长\", \"我是他妈妈\", \"我是他爸爸\", \"家长在听\"]\nen = [\"i am the parent\", \"i am his mother\", \"i am his father\"]\n\n[phrases.child]\nzh = [\"没满十八岁\", \"我还没成年\", \"未成年\"]\nen = [\"i am under eighteen\", \"i am a child\"]\n\n[phrases.officer]\nzh = [\"人工\", \"转人工\", \"找民警\", \"找警察\", \"我要跟民警说\", \"叫真人来\", \"听不懂\"]\nen = [\"officer\", \"a person\", \"human\", \"talk to someone\", \"speak to an officer\"]\n\n[phrases.repeat]\nzh = [\"再说一遍\", \"没听清\", \"重复一遍\", \"什么意思\"]\nen = [\"again\", \"repeat\", \"say that again\", \"pardon\"]\n\n[anywhere]\n0 = { next = \"officer\", answer = \"wants_officer\", phrases = \"officer\" }\n9 = { next = \"repeat\", phrases = \"repeat\" }\n\n# Sent when the phone cannot be reached, and after a verified warning: no link, no number, nothing to answer.\n[message]\nzh = \"【{bureau}】反诈预警：您可能正在遭遇诈骗：请马上停止转账，不要再和对方联系，尽快告诉家人，或到就近派出所核实。本短信无需回复。\"\nen = \"{bureau}: fraud warning. You may be in the middle of a fraud. Do not transfer any money, end all contact, tell your family, or ask at the nearest police station. No reply is needed.\"\n\n[nodes.opening]\nkind = \"say\"\nmust_say = true\nzh = \"您好，这里是{bureau}，请您先不要转账，马上挂断对方的电话。我是反诈机器人。\"\nen = \"Hello, this is {bureau}: do not transfer any money, and hang up on the other caller now. I am an automatic warning voice.\"\nnext = \"identity\"\n\n[nodes.identity]\nkind = \"ask\"\nzh = \"请问您是这个号码的机主本人吗？是本人，请按1；不是，请按2；找民警，请按0。\"\nen = \"Are you the owner of this number? Yes, press 1. No, press 2. For an officer, press 0.\"\ntimeout_seconds = 7\nretries = 2\nrepeat_from = \"opening\"\notherwise = \"nobody_said\"\n\n[nodes.identity.choices]\n1 = { next = \"audience\", contact = \"verified\", phrases = \"owner\" }\n2 = { next = \"wrong_person\", answer = \"wrong_person\", needs_key = true, phrases = \"not_owner\" }\n\n# A child''s phone: the guardian is who has to hear this.\n[nodes.audience]\nkind = \"branch\"\non = \"tag\"\ncases = { minor = \"guardian\" }\notherwise = \"scene\"\n\n[nodes.guardian]\nkind = \"ask\"\nzh = \"请把电话交给家长。家长在听，请按1；家长不在，请按2；已经转账，请按3。\"\nen = \"Please give the phone to a parent. Parent listening, press 1. No parent here, press 2. Already paid, press 3.\"\ntimeout_seconds = 15\nretries = 1\notherwise = \"guardian_away\"\n[nodes.guardian.choices]\n1 = { next = \"scene\", phrases = \"guardian\" }\n2 = { next = \"guardian_away\", phrases = \"no\" }\n3 = { next = \"officer_paid\", answer = \"already_paid\", phrases = \"paid\" }\n\n[nodes.guardian_away]\nkind = \"end\"\ncontact = \"verified\"\nanswer = \"doubtful\"\nurgency = \"now\"\nmust_say = true\nzh = \"请马上告诉家长，先不要给任何人转账。我们的民警会联系你的家长。再见。\"\nen = \"Please tell your parents at once, and pay nobody. An officer will contact your parents. Goodbye.\"\n\n[nodes.scene]\nkind = \"ask\"\nzh = \"有没有人打电话、在网上让您转账，或者要您的验证码？有，请按1；没有，请按2；已经转账，请按3。\"\nen = \"Has somebody asked you by telephone or online for a transfer, an advance or a code? Yes, press 1. No, press 2. Already paid, press 3.\"\ntimeout_seconds = 8\nretries = 2\notherwise = \"unsure\"\n[nodes.scene.choices]\n1 = { next = \"warn\", phrases = \"yes\" }\n2 = { next = \"warn\", phrases = \"no\" }\n3 = { next = \"officer_paid\", answer = \"already_paid\", phrases = \"paid\" }\n\n[nodes.warn]\nkind = \"say\"\nmust_say = true\nzh = \"请注意：不认识的人让您转账，不管说什么理由，都先停下来。要验证码、要共享屏幕的，都是诈骗。\"\nen = \"Please listen: if a stranger asks for a transfer, stop, whatever the reason. Anybody who wants your code or your screen is a fraud.\"\nnext = \"caution\"\n\n[nodes.caution]\nkind = \"say\"\nmust_say = true\nzh = \"有骗子会说，我们是假警察。不放心，就请挂断，打区号加{hotline}，或者110，也可以去派出所问清楚。\"\nen = \"Fraudsters say that we are fake police. If in doubt, hang up and dial your area code and {hotline}, or 110, or go to a police station.\"\nnext = \"acknowledge\"\n\n[nodes.acknowledge]\nkind = \"ask\"\nmust_say = true\nzh = \"听明白了，不再转账，请按1；不相信，请按2；找民警，请按0；重听，请按9。\"\nen = \"If you understand and will not pay, press 1. If you do not believe it, press 2. For an officer, press 0. To hear it again, press 9.\"\ntimeout_seconds = 8\nretries = 2\nrepeat_from = \"warn\"\notherwise = \"unsure\"\n\n[nodes.acknowledge.choices]\n1 = { next = \"goodbye\", answer = \"acknowledged\", needs_key = true, phrases = \"understood\" }\n2 = { next = \"officer_doubt\", phrases = \"disbelief\" }\n\n[nodes.goodbye]\nkind = \"end\"\ncontact = \"verified\"\nanswer = \"acknowledged\"\nurgency = \"none\"\nmust_say = true\nzh = \"谢谢您。请记住，不要转账，不要告诉别人验证码。再见。\"\nen = \"Thank you. Remember: do not transfer money, and tell nobody a code. Goodbye.\"\n\n[nodes.nobody_said]\nkind = \"end\"\ncontact = \"unverified\"\nanswer = \"doubtful\"\nurgency = \"now\"\nzh = \"没有听到您的答复，我们的民警会再联系您。请先不要转账，再见。\"\nen = \"I heard no answer. An officer will contact you. Do not transfer any money. Goodbye.\"\n\n[nodes.unsure]\nkind = \"end\"\ncontact = \"verified\"\nanswer = \"doubtful\"\nurgency = \"now\"\nzh = \"没有听到您的答复，我们的民警会再联系您。请先不要转账，再见。\"\nen = \"I heard no answer. An officer will contact you. Do not transfer any money. Goodbye.\"\n\n[nodes.wrong_person]\nkind = \"end\"\ncontact = \"unverified\"\nanswer = \"wrong_person\"\nurgency = \"soon\"\nzh = \"对不起，打扰了。如果您认识机主，请让他尽快联系派出所。再见。\"\nen = \"Sorry to trouble you. If you know the owner of this number, please ask them to contact a police station soon. Goodbye.\"\n\n[nodes.officer]\nkind = \"hand_over\"\nanswer = \"wants_officer\"\nurgency = \"now\"\nzh = \"好的，马上请民警接电话，请不要挂断。这段时间不要转账。\"\nen = \"Very well, I am calling an officer for you. Please stay on the line, and do not transfer any money.\"\nnext = \"officer_busy\"\n\n[nodes.officer_busy]\nkind = \"end\"\ncontact = \"verified\"\nanswer = \"wants_officer\"\nurgency = \"now\"\nzh = \"现在民警都在忙，会尽快给您回电话。请先不要转账，再见。\"\nen = \"All officers are busy. One will ring you back very soon. Do not transfer any money. Goodbye.\"\n\n[nodes.officer_doubt]\nkind = \"hand_over\"\nanswer = \"refuses\"\nurgency = \"now\"\nzh = \"您有顾虑，我们理解。马上请民警跟您说，请不要挂断。\"\nen = \"We understand your doubts. An officer will talk to you now. Please stay on the line.\"\nnext = \"doubt_busy\"\n\n[nodes.doubt_busy]\nkind = \"end\"\ncontact = \"verified\"\nanswer = \"refuses\"\nurgency = \"now\"\nzh = \"现在民警都在忙，会尽快给您回电话。请先不要转账，再见。\"\nen = \"All officers are busy. One will ring you back very soon. Do not transfer any money. Goodbye.\"\n\n[nodes.officer_paid]\nkind = \"hand_over\"\nanswer = \"already_paid\"\nurgency = \"now\"\nmust_say = true\nzh = \"已经转账，时间很要紧。马上请民警接电话，请不要挂断。\"\nen = \"You have paid, so every minute counts. I am calling an officer. Please stay on the line.\"\nnext = \"paid_amount\"\n\n[nodes.paid_amount]\nkind = \"ask\"\nzh = \"我们的民警会马上给您回电话。请输入转账的金额，然后按井号键。\"\nen = \"An officer will ring you back at once. Please type the amount you paid, in yuan, and then the hash key.\"\ntimeout_seconds = 10\nretries = 1\notherwise = \"paid_account\"\ncollect = \"paid_yuan\"\nmax_digits = 8\nnext = \"paid_account\"\n\n[nodes.paid_account]\nkind = \"ask\"\nzh = \"如果知道对方的收款账号，请输入最后四位，然后按井号键。\"\nen = \"If you know the account you paid into, type its last four digits, and then the hash key.\"\ntimeout_seconds = 8\nretries = 0\notherwise = \"paid_when\"\ncollect = \"payee_account_last4\"\nmax_digits = 4\nnext = \"paid_when\"\n\n[nodes.paid_when]\nkind = \"ask\"\nzh = \"刚刚转的，请按1；几个小时以前，请按2；昨天或者更早，请按3。\"\nen = \"If you have only just paid, press 1. Earlier today, press 2. Before today, press 3.\"\ntimeout_seconds = 7\nretries = 1\notherwise = \"paid_end\"\ncollect = \"paid_when\"\n\n[nodes.paid_when.choices]\n1 = { next = \"paid_end\" }\n2 = { next = \"paid_end\" }\n3 = { next = \"paid_end\" }\n\n[nodes.paid_end]\nkind = \"end\"\ncontact = \"verified\"\nanswer = \"already_paid\"\nurgency = \"now\"\nmust_say = true\nzh = \"已经记下。请您马上拨打110报警，保留好转账记录。不要再转账了，再见。\"\nen = \"That is noted. Please ring 110 now, and keep the record of your transfer. Do not pay any more. Goodbye.\"\n"]}', 'shipped', '2026-11-26 19:56:14.203986+00'),
	(4, 'fake_order_rebate', 1, '541d4756d14aa888ec21d3e5e6a75d7556e1bfee3453ca1cbad1fa9a0b970157', '{"again":{"en":"I did not get your answer.","zh":"没有收到您的回答。"},"anywhere":{"0":{"answer":"wants_officer","next":"officer","phrases":"officer"},"9":{"next":"repeat","phrases":"repeat"}},"confirm":{"en":"To be sure, please answer with a key.","zh":"为了确认，请您按键回答。"},"default_language":"zh","fallbacks":{"mn":"zh"},"fraud_types":["fake_order_rebate"],"id":"fake_order_rebate","languages":["zh","en","mn"],"message":{"en":"{bureau}: fraud warning. You may be in the middle of a fraud. Do not transfer any money, end all contact, tell your family, or ask at the nearest police station. No reply is needed.","zh":"【{bureau}】反诈预警：您可能正在遭遇诈骗：请马上停止转账，不要再和对方联系，尽快告诉家人，或到就近派出所核实。本短信无需回复。"},"nodes":{"acknowledge":{"choices":{"1":{"answer":"acknowledged","needs_key":true,"next":"goodbye","phrases":"understood"},"2":{"next":"officer_doubt","phrases":"disbelief"}},"en":"If you understand and will not pay, press 1. If you do not believe it, press 2. For an officer, press 0. To hear it again, press 9.","kind":"ask","must_say":true,"otherwise":"unsure","repeat_from":"warn","retries":2,"timeout_seconds":8,"zh":"听明白了，不再转账，请按1；不相信，请按2；找民警，请按0；重听，请按9。"},"audience":{"cases":{"minor":"guardian"},"kind":"branch","on":"tag","otherwise":"scene"},"caution":{"en":"Fraudsters say that we are fake police. If in doubt, hang up and dial your area code and {hotline}, or 110, or go to a police station.","kind":"say","must_say":true,"next":"acknowledge","zh":"有骗子会说，我们是假警察。不放心，就请挂断，打区号加{hotline}，或者110，也可以去派出所问清楚。"},"doubt_busy":{"answer":"refuses","contact":"verified","en":"All officers are busy. One will ring you back very soon. Do not transfer any money. Goodbye.","kind":"end","urgency":"now","zh":"现在民警都在忙，会尽快给您回电话。请先不要转账，再见。"},"goodbye":{"answer":"acknowledged","contact":"verified","en":"Thank you. Remember: do not transfer money, and tell nobody a code. Goodbye.","kind":"end","must_say":true,"urgency":"none","zh":"谢谢您。请记住，不要转账，不要告诉别人验证码。再见。"},"guardian":{"choices":{"1":{"next":"scene","phrases":"guardian"},"2":{"next":"guardian_away","phrases":"no"},"3":{"answer":"already_paid","next":"officer_paid","phrases":"paid"}},"en":"Please give the phone to a parent. Parent listening, press 1. No parent here, press 2. Already paid, press 3.","kind":"ask","otherwise":"guardian_away","retries":1,"timeout_seconds":15,"zh":"请把电话交给家长。家长在听，请按1；家长不在，请按2；已经转账，请按3。"},"guardian_away":{"answer":"doubtful","contact":"verified","en":"Please tell your parents at once, and pay nobody. An officer will contact your parents. Goodbye.","kind":"end","must_say":true,"urgency":"now","zh":"请马上告诉家长，先不要给任何人转账。我们的民警会联系你的家长。再见。"},"identity":{"choices":{"1":{"contact":"verified","next":"audience","phrases":"owner"},"2":{"answer":"wrong_person","needs_key":true,"next":"wrong_person","phrases":"not_owner"}},"en":"Are you the owner of this number? Yes, press 1. No, press 2. For an officer, press 0.","kind":"ask","otherwise":"nobody_said","repeat_from":"opening","retries":2,"timeout_seconds":7,"zh":"请问您是这个号码的机主本人吗？是本人，请按1；不是，请按2；找民警，请按0。"},"nobody_said":{"answer":"doubtful","contact":"unverified","en":"I heard no answer. An officer will contact you. Do not transfer any money. Goodbye.","kind":"end","urgency":"now","zh":"没有听到您的答复，我们的民警会再联系您。请先不要转账，再见。"},"officer":{"answer":"wants_officer","en":"Very well, I am calling an officer for you. Please stay on the line, and do not transfer any money.","kind":"hand_over","next":"officer_busy","urgency":"now","zh":"好的，马上请民警接电话，请不要挂断。这段时间不要转账。"},"officer_busy":{"answer":"wants_officer","contact":"verified","en":"All officers are busy. One will ring you back very soon. Do not transfer any money. Goodbye.","kind":"end","urgency":"now","zh":"现在民警都在忙，会尽快给您回电话。请先不要转账，再见。"},"officer_doubt":{"answer":"refuses","en":"We understand your doubts. An officer will talk to you now. Please stay on the line.","kind":"hand_over","next":"doubt_busy","urgency":"now","zh":"您有顾虑，我们理解。马上请民警跟您说，请不要挂断。"},"officer_paid":{"answer":"already_paid","en":"You have paid, so every minute counts. I am calling an officer. Please stay on the line.","kind":"hand_over","must_say":true,"next":"paid_amount","urgency":"now","zh":"已经转账，时间很要紧。马上请民警接电话，请不要挂断。"},"opening":{"en":"Hello, this is {bureau}: do not transfer any money, and hang up on the other caller now. I am an automatic warning voice.","kind":"say","must_say":true,"next":"identity","zh":"您好，这里是{bureau}，请您先不要转账，马上挂断对方的电话。我是反诈机器人。"},"paid_account":{"collect":"payee_account_last4","en":"If you know the account you paid into, type its last four digits, and then the hash key.","kind":"ask","max_digits":4,"next":"paid_when","otherwise":"paid_when","retries":0,"timeout_seconds":8,"zh":"如果知道对方的收款账号，请输入最后四位，然后按井号键。"},"paid_amount":{"collect":"paid_yuan","en":"An officer will ring you back at once. Please type the amount you paid, in yuan, and then the hash key.","kind":"ask","max_digits":8,"next":"paid_account","otherwise":"paid_account","retries":1,"timeout_seconds":10,"zh":"我们的民警会马上给您回电话。请输入转账的金额，然后按井号键。"},"paid_end":{"answer":"already_paid","contact":"verified","en":"That is noted. Please ring 110 now, and keep the record of your transfer. Do not pay any more. Goodbye.","kind":"end","must_say":true,"urgency":"now","zh":"已经记下。请您马上拨打110报警，保留好转账记录。不要再转账了，再见。"},"paid_when":{"choices":{"1":{"next":"paid_end"},"2":{"next":"paid_end"},"3":{"next":"paid_end"}},"collect":"paid_when","en":"If you have only just paid, press 1. Earlier today, press 2. Before today, press 3.","kind":"ask","otherwise":"paid_end","retries":1,"timeout_seconds":7,"zh":"刚刚转的，请按1；几个小时以前，请按2；昨天或者更早，请按3。"},"scene":{"choices":{"1":{"next":"warn","phrases":"yes"},"2":{"next":"warn","phrases":"no"},"3":{"answer":"already_paid","next":"officer_paid","phrases":"paid"}},"en":"Has somebody given you online tasks and asked you to advance money? Yes, press 1. No, press 2. Already paid, press 3.","kind":"ask","otherwise":"unsure","retries":2,"timeout_seconds":8,"zh":"有没有人让您刷单、做任务，要您先付钱？有，请按1；没有，请按2；已经转账，请按3。"},"unsure":{"answer":"doubtful","contact":"verified","en":"I heard no answer. An officer will contact you. Do not transfer any money. Goodbye.","kind":"end","urgency":"now","zh":"没有听到您的答复，我们的民警会再联系您。请先不要转账，再见。"},"warn":{"en":"Please listen: any task that asks you to pay in advance is fraud. The small rebates are bait. What you pay in later never comes back.","kind":"say","must_say":true,"next":"caution","zh":"请注意：要您先付钱的刷单，都是诈骗。先返给您一点小钱，是为了骗您的大钱，大钱拿不回来。"},"wrong_person":{"answer":"wrong_person","contact":"unverified","en":"Sorry to trouble you. If you know the owner of this number, please ask them to contact a police station soon. Goodbye.","kind":"end","urgency":"soon","zh":"对不起，打扰了。如果您认识机主，请让他尽快联系派出所。再见。"}},"phrases":{"child":{"en":["i am under eighteen","i am a child"],"zh":["没满十八岁","我还没成年","未成年"]},"disbelief":{"en":["i don''t believe you","i do not believe it","you are the fraud"],"zh":["不信","我不信","不相信","你是骗子","你才是骗子"]},"enough":{"en":["no more calls","stop calling"],"zh":["不用再打了","别再打了","不需要回访"]},"guardian":{"en":["i am the parent","i am his mother","i am his father"],"zh":["我是家长","我是他妈妈","我是他爸爸","家长在听"]},"no":{"en":["no","nobody did","not at all"],"zh":["没有","没","没有人","没有的事","不是","不在"]},"not_owner":{"en":["no","wrong number","not me","i am not"],"zh":["不是","不是我","你打错了","打错了","不是本人"]},"officer":{"en":["officer","a person","human","talk to someone","speak to an officer"],"zh":["人工","转人工","找民警","找警察","我要跟民警说","叫真人来","听不懂"]},"owner":{"en":["yes","yes i am","speaking","that''s me","it''s me"],"zh":["是","是的","是我","对","我是","我就是","本人","我是本人","是本人"]},"paid":{"en":["i have paid","i already paid","i have already paid","i paid"],"zh":["已经转了","我已经转了","钱转过去了","已经转账了","转了","已经付了"]},"repeat":{"en":["again","repeat","say that again","pardon"],"zh":["再说一遍","没听清","重复一遍","什么意思"]},"saw_through":{"en":["i saw through it","i blocked them"],"zh":["我没上当","我知道是骗子","识破了","已经拉黑了"]},"understood":{"en":["i understand","understood","okay","i will not pay"],"zh":["明白","明白了","知道了","听明白了","我不转了","好的"]},"yes":{"en":["yes","yes they did","yes i did","i can hear you"],"zh":["有","有的","是","是的","对","对的","有过","有人打过","听得清"]}},"said_in":{"acknowledge":"common","again":"common","audience":"common","caution":"common","confirm":"common","doubt_busy":"common","goodbye":"common","guardian":"common","guardian_away":"common","identity":"common","nobody_said":"common","officer":"common","officer_busy":"common","officer_doubt":"common","officer_paid":"common","opening":"common","paid_account":"common","paid_amount":"common","paid_end":"common","paid_when":"common","unsure":"common","wrong_person":"common"},"start":"opening","title":{"en":"Paid tasks and rebates","zh":"刷单返利"},"variables":{"bureau":{"defaults":{"en":"the city anti-fraud centre","zh":"市反诈中心"},"kind":"text"},"greeting":{"kind":"time_of_day"},"hotline":{"defaults":{"en":"96110","zh":"96110"},"kind":"phone"}}}', 'fake_order_rebate.toml', 'extends = "common"
id = "fake_order_rebate"
fraud_types = ["fake_order_rebate"]
[title]
zh = "刷单返利"
en = "Paid tasks and rebates"
[nodes.scene]
kind = "ask"
zh = "有没有人让您刷单、做任务，要您先付钱？有，请按1；没有，请按2；已经转账，请按3。"
en = "Has somebody given you online tasks and asked you to advance money? Yes, press 1. No, press 2. Already paid, press 3."
timeout_seconds = 8
retries = 2
otherwise = "unsure"
[nodes.scene.choices]
1 = { next = "warn", phrases = "yes" }
2 = { next = "warn", phrases = "no" }
3 = { next = "officer_paid", answer = "already_paid", phrases = "paid" }
[nodes.warn]
kind = "say"
must_say = true
zh = "请注意：要您先付钱的刷单，都是诈骗。先返给您一点小钱，是为了骗您的大钱，大钱拿不回来。"
en = "Please listen: any task that asks you to pay in advance is fraud. The small rebates are bait. What you pay in later never comes back."
next = "caution"
', '{"common": ["common.toml", "# What every script shares: who we are, whom we ask for, the caution, the farewell, and the ways to an officer.\n# A script takes this with `extends = \"common\"` and replaces whole nodes under the same name.\n# mn is declared without texts: a centre adds its recordings by prompt name; until then Mandarin is spoken.\n\nlanguages = [\"zh\", \"en\", \"mn\"]\ndefault_language = \"zh\"\nfallbacks = { mn = \"zh\" }\nstart = \"opening\"\n\n[again]\nzh = \"没有收到您的回答。\"\nen = \"I did not get your answer.\"\n\n[confirm]\nzh = \"为了确认，请您按键回答。\"\nen = \"To be sure, please answer with a key.\"\n\n[variables.bureau]\nkind = \"text\"\ndefaults = { zh = \"市反诈中心\", en = \"the city anti-fraud centre\" }\n\n[variables.hotline]\nkind = \"phone\"\ndefaults = { zh = \"96110\", en = \"96110\" }\n\n[variables.greeting]\nkind = \"time_of_day\"\n\n[phrases.yes]\nzh = [\"有\", \"有的\", \"是\", \"是的\", \"对\", \"对的\", \"有过\", \"有人打过\", \"听得清\"]\nen = [\"yes\", \"yes they did\", \"yes i did\", \"i can hear you\"]\n\n[phrases.no]\nzh = [\"没有\", \"没\", \"没有人\", \"没有的事\", \"不是\", \"不在\"]\nen = [\"no\", \"nobody did\", \"not at all\"]\n\n[phrases.paid]\nzh = [\"已经转了\", \"我已经转了\", \"钱转过去了\", \"已经转账了\", \"转了\", \"已经付了\"]\nen = [\"i have paid\", \"i already paid\", \"i have already paid\", \"i paid\"]\n\n[phrases.owner]\nzh = [\"是\", \"是的\", \"是我\", \"对\", \"我是\", \"我就是\", \"本人\", \"我是本人\", \"是本人\"]\nen = [\"yes\", \"yes i am\", \"speaking\", \"that''s me\", \"it''s me\"]\n\n[phrases.not_owner]\nzh = [\"不是\", \"不是我\", \"你打错了\", \"打错了\", \"不是本人\"]\nen = [\"no\", \"wrong number\", \"not me\", \"i am not\"]\n\n[phrases.understood]\nzh = [\"明白\", \"明白了\", \"知道了\", \"听明白了\", \"我不转了\", \"好的\"]\nen = [\"i understand\", \"understood\", \"okay\", \"i will not pay\"]\n\n[phrases.disbelief]\nzh = [\"不信\", \"我不信\", \"不相信\", \"你是骗子\", \"你才是骗子\"]\nen = [\"i don''t believe you\", \"i do not believe it\", \"you are the fraud\"]\n\n[phrases.saw_through]\nzh = [\"我没上当\", \"我知道是骗子\", \"识破了\", \"已经拉黑了\"]\nen = [\"i saw through it\", \"i blocked them\"]\n\n[phrases.enough]\nzh = [\"不用再打了\", \"别再打了\", \"不需要回访\"]\nen = [\"no more calls\", \"stop calling\"]\n\n[phrases.guardian]\nzh = [\"我是家长\", \"我是他妈妈\", \"我是他爸爸\", \"家长在听\"]\nen = [\"i am the parent\", \"i am his mother\", \"i am his father\"]\n\n[phrases.child]\nzh = [\"没满十八岁\", \"我还没成年\", \"未成年\"]\nen = [\"i am under eighteen\", \"i am a child\"]\n\n[phrases.officer]\nzh = [\"人工\", \"转人工\", \"找民警\", \"找警察\", \"我要跟民警说\", \"叫真人来\", \"听不懂\"]\nen = [\"officer\", \"a person\", \"human\", \"talk to someone\", \"speak to an officer\"]\n\n[phrases.repeat]\nzh = [\"再说一遍\", \"没听清\", \"重复一遍\", \"什么意思\"]\nen = [\"again\", \"repeat\", \"say that again\", \"pardon\"]\n\n[anywhere]\n0 = { next = \"officer\", answer = \"wants_officer\", phrases = \"officer\" }\n9 = { next = \"repeat\", phrases = \"repeat\" }\n\n# Sent when the phone cannot be reached, and after a verified warning: no link, no number, nothing to answer.\n[message]\nzh = \"【{bureau}】反诈预警：您可能正在遭遇诈骗：请马上停止转账，不要再和对方联系，尽快告诉家人，或到就近派出所核实。本短信无需回复。\"\nen = \"{bureau}: fraud warning. You may be in the middle of a fraud. Do not transfer any money, end all contact, tell your family, or ask at the nearest police station. No reply is needed.\"\n\n[nodes.opening]\nkind = \"say\"\nmust_say = true\nzh = \"您好，这里是{bureau}，请您先不要转账，马上挂断对方的电话。我是反诈机器人。\"\nen = \"Hello, this is {bureau}: do not transfer any money, and hang up on the other caller now. I am an automatic warning voice.\"\nnext = \"identity\"\n\n[nodes.identity]\nkind = \"ask\"\nzh = \"请问您是这个号码的机主本人吗？是本人，请按1；不是，请按2；找民警，请按0。\"\nen = \"Are you the owner of this number? Yes, press 1. No, press 2. For an officer, press 0.\"\ntimeout_seconds = 7\nretries = 2\nrepeat_from = \"opening\"\notherwise = \"nobody_said\"\n\n[nodes.identity.choices]\n1 = { next = \"audience\", contact = \"verified\", phrases = \"owner\" }\n2 = { next = \"wrong_person\", answer = \"wrong_person\", needs_key = true, phrases = \"not_owner\" }\n\n# A child''s phone: the guardian is who has to hear this.\n[nodes.audience]\nkind = \"branch\"\non = \"tag\"\ncases = { minor = \"guardian\" }\notherwise = \"scene\"\n\n[nodes.guardian]\nkind = \"ask\"\nzh = \"请把电话交给家长。家长在听，请按1；家长不在，请按2；已经转账，请按3。\"\nen = \"Please give the phone to a parent. Parent listening, press 1. No parent here, press 2. Already paid, press 3.\"\ntimeout_seconds = 15\nretries = 1\notherwise = \"guardian_away\"\n[nodes.guardian.choices]\n1 = { next = \"scene\", phrases = \"guardian\" }\n2 = { next = \"guardian_away\", phrases = \"no\" }\n3 = { next = \"officer_paid\", answer = \"already_paid\", phrases = \"paid\" }\n\n[nodes.guardian_away]\nkind = \"end\"\ncontact = \"verified\"\nanswer = \"doubtful\"\nurgency = \"now\"\nmust_say = true\nzh = \"请马上告诉家长，先不要给任何人转账。我们的民警会联系你的家长。再见。\"\nen = \"Please tell your parents at once, and pay nobody. An officer will contact your parents. Goodbye.\"\n\n[nodes.scene]\nkind = \"ask\"\nzh = \"有没有人打电话、在网上让您转账，或者要您的验证码？有，请按1；没有，请按2；已经转账，请按3。\"\nen = \"Has somebody asked you by telephone or online for a transfer, an advance or a code? Yes, press 1. No, press 2. Already paid, press 3.\"\ntimeout_seconds = 8\nretries = 2\notherwise = \"unsure\"\n[nodes.scene.choices]\n1 = { next = \"warn\", phrases = \"yes\" }\n2 = { next = \"warn\", phrases = \"no\" }\n3 = { next = \"officer_paid\", answer = \"already_paid\", phrases = \"paid\" }\n\n[nodes.warn]\nkind = \"say\"\nmust_say = true\nzh = \"请注意：不认识的人让您转账，不管说什么理由，都先停下来。要验证码、要共享屏幕的，都是诈骗。\"\nen = \"Please listen: if a stranger asks for a transfer, stop, whatever the reason. Anybody who wants your code or your screen is a fraud.\"\nnext = \"caution\"\n\n[nodes.caution]\nkind = \"say\"\nmust_say = true\nzh = \"有骗子会说，我们是假警察。不放心，就请挂断，打区号加{hotline}，或者110，也可以去派出所问清楚。\"\nen = \"Fraudsters say that we are fake police. If in doubt, hang up and dial your area code and {hotline}, or 110, or go to a police station.\"\nnext = \"acknowledge\"\n\n[nodes.acknowledge]\nkind = \"ask\"\nmust_say = true\nzh = \"听明白了，不再转账，请按1；不相信，请按2；找民警，请按0；重听，请按9。\"\nen = \"If you understand and will not pay, press 1. If you do not believe it, press 2. For an officer, press 0. To hear it again, press 9.\"\ntimeout_seconds = 8\nretries = 2\nrepeat_from = \"warn\"\notherwise = \"unsure\"\n\n[nodes.acknowledge.choices]\n1 = { next = \"goodbye\", answer = \"acknowledged\", needs_key = true, phrases = \"understood\" }\n2 = { next = \"officer_doubt\", phrases = \"disbelief\" }\n\n[nodes.goodbye]\nkind = \"end\"\ncontact = \"verified\"\nanswer = \"acknowledged\"\nurgency = \"none\"\nmust_say = true\nzh = \"谢谢您。请记住，不要转账，不要告诉别人验证码。再见。\"\nen = \"Thank you. Remember: do not transfer money, and tell nobody a code. Goodbye.\"\n\n[nodes.nobody_said]\nkind = \"end\"\ncontact = \"unverified\"\nanswer = \"doubtful\"\nurgency = \"now\"\nzh = \"没有听到您的答复，我们的民警会再联系您。请先不要转账，再见。\"\nen = \"I heard no answer. An officer will contact you. Do not transfer any money. Goodbye.\"\n\n[nodes.unsure]\nkind = \"end\"\ncontact = \"verified\"\nanswer = \"doubtful\"\nurgency = \"now\"\nzh = \"没有听到您的答复，我们的民警会再联系您。请先不要转账，再见。\"\nen = \"I heard no answer. An officer will contact you. Do not transfer any money. Goodbye.\"\n\n[nodes.wrong_person]\nkind = \"end\"\ncontact = \"unverified\"\nanswer = \"wrong_person\"\nurgency = \"soon\"\nzh = \"对不起，打扰了。如果您认识机主，请让他尽快联系派出所。再见。\"\nen = \"Sorry to trouble you. If you know the owner of this number, please ask them to contact a police station soon. Goodbye.\"\n\n[nodes.officer]\nkind = \"hand_over\"\nanswer = \"wants_officer\"\nurgency = \"now\"\nzh = \"好的，马上请民警接电话，请不要挂断。这段时间不要转账。\"\nen = \"Very well, I am calling an officer for you. Please stay on the line, and do not transfer any money.\"\nnext = \"officer_busy\"\n\n[nodes.officer_busy]\nkind = \"end\"\ncontact = \"verified\"\nanswer = \"wants_officer\"\nurgency = \"now\"\nzh = \"现在民警都在忙，会尽快给您回电话。请先不要转账，再见。\"\nen = \"All officers are busy. One will ring you back very soon. Do not transfer any money. Goodbye.\"\n\n[nodes.officer_doubt]\nkind = \"hand_over\"\nanswer = \"refuses\"\nurgency = \"now\"\nzh = \"您有顾虑，我们理解。马上请民警跟您说，请不要挂断。\"\nen = \"We understand your doubts. An officer will talk to you now. Please stay on the line.\"\nnext = \"doubt_busy\"\n\n[nodes.doubt_busy]\nkind = \"end\"\ncontact = \"verified\"\nanswer = \"refuses\"\nurgency = \"now\"\nzh = \"现在民警都在忙，会尽快给您回电话。请先不要转账，再见。\"\nen = \"All officers are busy. One will ring you back very soon. Do not transfer any money. Goodbye.\"\n\n[nodes.officer_paid]\nkind = \"hand_over\"\nanswer = \"already_paid\"\nurgency = \"now\"\nmust_say = true\nzh = \"已经转账，时间很要紧。马上请民警接电话，请不要挂断。\"\nen = \"You have paid, so every minute counts. I am calling an officer. Please stay on the line.\"\nnext = \"paid_amount\"\n\n[nodes.paid_amount]\nkind = \"ask\"\nzh = \"我们的民警会马上给您回电话。请输入转账的金额，然后按井号键。\"\nen = \"An officer will ring you back at once. Please type the amount you paid, in yuan, and then the hash key.\"\ntimeout_seconds = 10\nretries = 1\notherwise = \"paid_account\"\ncollect = \"paid_yuan\"\nmax_digits = 8\nnext = \"paid_account\"\n\n[nodes.paid_account]\nkind = \"ask\"\nzh = \"如果知道对方的收款账号，请输入最后四位，然后按井号键。\"\nen = \"If you know the account you paid into, type its last four digits, and then the hash key.\"\ntimeout_seconds = 8\nretries = 0\notherwise = \"paid_when\"\ncollect = \"payee_account_last4\"\nmax_digits = 4\nnext = \"paid_when\"\n\n[nodes.paid_when]\nkind = \"ask\"\nzh = \"刚刚转的，请按1；几个小时以前，请按2；昨天或者更早，请按3。\"\nen = \"If you have only just paid, press 1. Earlier today, press 2. Before today, press 3.\"\ntimeout_seconds = 7\nretries = 1\notherwise = \"paid_end\"\ncollect = \"paid_when\"\n\n[nodes.paid_when.choices]\n1 = { next = \"paid_end\" }\n2 = { next = \"paid_end\" }\n3 = { next = \"paid_end\" }\n\n[nodes.paid_end]\nkind = \"end\"\ncontact = \"verified\"\nanswer = \"already_paid\"\nurgency = \"now\"\nmust_say = true\nzh = \"已经记下。请您马上拨打110报警，保留好转账记录。不要再转账了，再见。\"\nen = \"That is noted. Please ring 110 now, and keep the record of your transfer. Do not pay any more. Goodbye.\"\n"]}', 'shipped', '2026-11-26 19:56:14.203986+00'),
	(5, 'follow_up', 1, '18e3add0ced89d63e3911767223070966f523208bb57d7624a0da0cc190a19f5', '{"again":{"en":"I did not get your answer.","zh":"没有收到您的回答。"},"anywhere":{"0":{"answer":"wants_officer","next":"officer","phrases":"officer"},"9":{"next":"repeat","phrases":"repeat"}},"confirm":{"en":"To be sure, please answer with a key.","zh":"为了确认，请您按键回答。"},"default_language":"zh","fallbacks":{"mn":"zh"},"id":"follow_up","languages":["zh","en","mn"],"message":{"en":"{bureau}: fraud warning. You may be in the middle of a fraud. Do not transfer any money, end all contact, tell your family, or ask at the nearest police station. No reply is needed.","zh":"【{bureau}】反诈预警：您可能正在遭遇诈骗：请马上停止转账，不要再和对方联系，尽快告诉家人，或到就近派出所核实。本短信无需回复。"},"nodes":{"acknowledge":{"choices":{"1":{"answer":"acknowledged","needs_key":true,"next":"goodbye","phrases":"understood"},"2":{"next":"officer_doubt","phrases":"disbelief"},"3":{"answer":"opt_out","needs_key":true,"next":"no_more_calls","phrases":"enough"}},"en":"If you understand, press 1. If you still do not believe it, press 2. If you want no more follow-up calls, press 3. For an officer, press 0.","kind":"ask","must_say":true,"otherwise":"unsure","repeat_from":"warn","retries":2,"timeout_seconds":8,"zh":"听明白了，请按1；还是不相信，请按2；不需要再回访，请按3；找民警，请按0。"},"audience":{"cases":{"minor":"guardian"},"kind":"branch","on":"tag","otherwise":"scene"},"caution":{"en":"Fraudsters say that we are fake police. If in doubt, hang up and dial your area code and {hotline}, or 110, or go to a police station.","kind":"say","must_say":true,"next":"acknowledge","zh":"有骗子会说，我们是假警察。不放心，就请挂断，打区号加{hotline}，或者110，也可以去派出所问清楚。"},"doubt_busy":{"answer":"refuses","contact":"verified","en":"All officers are busy. One will ring you back very soon. Do not transfer any money. Goodbye.","kind":"end","urgency":"now","zh":"现在民警都在忙，会尽快给您回电话。请先不要转账，再见。"},"goodbye":{"answer":"acknowledged","contact":"verified","en":"Thank you. Remember: do not transfer money, and tell nobody a code. Goodbye.","kind":"end","must_say":true,"urgency":"none","zh":"谢谢您。请记住，不要转账，不要告诉别人验证码。再见。"},"guardian":{"choices":{"1":{"next":"scene","phrases":"guardian"},"2":{"next":"guardian_away","phrases":"no"},"3":{"answer":"already_paid","next":"officer_paid","phrases":"paid"}},"en":"Please give the phone to a parent. Parent listening, press 1. No parent here, press 2. Already paid, press 3.","kind":"ask","otherwise":"guardian_away","retries":1,"timeout_seconds":15,"zh":"请把电话交给家长。家长在听，请按1；家长不在，请按2；已经转账，请按3。"},"guardian_away":{"answer":"doubtful","contact":"verified","en":"Please tell your parents at once, and pay nobody. An officer will contact your parents. Goodbye.","kind":"end","must_say":true,"urgency":"now","zh":"请马上告诉家长，先不要给任何人转账。我们的民警会联系你的家长。再见。"},"identity":{"choices":{"1":{"contact":"verified","next":"audience","phrases":"owner"},"2":{"answer":"wrong_person","needs_key":true,"next":"wrong_person","phrases":"not_owner"}},"en":"Are you the owner of this number? Yes, press 1. No, press 2. For an officer, press 0.","kind":"ask","otherwise":"nobody_said","repeat_from":"opening","retries":2,"timeout_seconds":7,"zh":"请问您是这个号码的机主本人吗？是本人，请按1；不是，请按2；找民警，请按0。"},"no_more_calls":{"answer":"opt_out","contact":"verified","en":"Very well, no more follow-up calls. If there is a new high-risk warning, we will still ring you. Goodbye.","kind":"end","urgency":"soon","zh":"好的，不再回访。如果再有高风险预警，我们还会提醒您。再见。"},"nobody_said":{"answer":"doubtful","contact":"unverified","en":"I heard no answer. An officer will contact you. Do not transfer any money. Goodbye.","kind":"end","urgency":"now","zh":"没有听到您的答复，我们的民警会再联系您。请先不要转账，再见。"},"officer":{"answer":"wants_officer","en":"Very well, I am calling an officer for you. Please stay on the line, and do not transfer any money.","kind":"hand_over","next":"officer_busy","urgency":"now","zh":"好的，马上请民警接电话，请不要挂断。这段时间不要转账。"},"officer_busy":{"answer":"wants_officer","contact":"verified","en":"All officers are busy. One will ring you back very soon. Do not transfer any money. Goodbye.","kind":"end","urgency":"now","zh":"现在民警都在忙，会尽快给您回电话。请先不要转账，再见。"},"officer_doubt":{"answer":"refuses","en":"We understand your doubts. An officer will talk to you now. Please stay on the line.","kind":"hand_over","next":"doubt_busy","urgency":"now","zh":"您有顾虑，我们理解。马上请民警跟您说，请不要挂断。"},"officer_paid":{"answer":"already_paid","en":"You have paid, so every minute counts. I am calling an officer. Please stay on the line.","kind":"hand_over","must_say":true,"next":"paid_amount","urgency":"now","zh":"已经转账，时间很要紧。马上请民警接电话，请不要挂断。"},"opening":{"en":"Hello, this is a follow-up call from {bureau}: do not transfer any money, and hang up if the fraudster calls. I am an automatic voice.","kind":"say","must_say":true,"next":"identity","zh":"您好，这里是{bureau}回访，请您还是不要转账，对方再来电话就挂断。我是反诈机器人。"},"paid_account":{"collect":"payee_account_last4","en":"If you know the account you paid into, type its last four digits, and then the hash key.","kind":"ask","max_digits":4,"next":"paid_when","otherwise":"paid_when","retries":0,"timeout_seconds":8,"zh":"如果知道对方的收款账号，请输入最后四位，然后按井号键。"},"paid_amount":{"collect":"paid_yuan","en":"An officer will ring you back at once. Please type the amount you paid, in yuan, and then the hash key.","kind":"ask","max_digits":8,"next":"paid_account","otherwise":"paid_account","retries":1,"timeout_seconds":10,"zh":"我们的民警会马上给您回电话。请输入转账的金额，然后按井号键。"},"paid_end":{"answer":"already_paid","contact":"verified","en":"That is noted. Please ring 110 now, and keep the record of your transfer. Do not pay any more. Goodbye.","kind":"end","must_say":true,"urgency":"now","zh":"已经记下。请您马上拨打110报警，保留好转账记录。不要再转账了，再见。"},"paid_when":{"choices":{"1":{"next":"paid_end"},"2":{"next":"paid_end"},"3":{"next":"paid_end"}},"collect":"paid_when","en":"If you have only just paid, press 1. Earlier today, press 2. Before today, press 3.","kind":"ask","otherwise":"paid_end","retries":1,"timeout_seconds":7,"zh":"刚刚转的，请按1；几个小时以前，请按2；昨天或者更早，请按3。"},"saw_through":{"answer":"saw_through","contact":"verified","en":"Well done, that was right. If anything happens, dial {hotline}. Goodbye.","kind":"end","urgency":"none","zh":"太好了，您做得对。以后有事，随时拨打{hotline}。再见。"},"scene":{"choices":{"1":{"next":"warn","phrases":"yes"},"2":{"next":"warn","phrases":"no"},"3":{"answer":"already_paid","next":"officer_paid","phrases":"paid"},"4":{"answer":"saw_through","needs_key":true,"next":"saw_through","phrases":"saw_through"}},"en":"Has the fraudster contacted you since? Yes, press 1. No, press 2. Already paid, press 3. You saw through it, press 4.","kind":"ask","otherwise":"unsure","retries":2,"timeout_seconds":8,"zh":"这几天，骗子还有没有联系您？有，请按1；没有，请按2；已经转账，请按3；没有上当，请按4。"},"unsure":{"answer":"doubtful","contact":"verified","en":"I heard no answer. An officer will contact you. Do not transfer any money. Goodbye.","kind":"end","urgency":"now","zh":"没有听到您的答复，我们的民警会再联系您。请先不要转账，再见。"},"warn":{"en":"Please remember: fraudsters come back as somebody else and promise to get your money back. Anybody who wants a payment first is a fraud.","kind":"say","must_say":true,"next":"caution","zh":"请注意：诈骗分子会换个身份再来，说能帮您把钱追回来。让您先交钱的，都是诈骗。"},"wrong_person":{"answer":"wrong_person","contact":"unverified","en":"Sorry to trouble you. If you know the owner of this number, please ask them to contact a police station soon. Goodbye.","kind":"end","urgency":"soon","zh":"对不起，打扰了。如果您认识机主，请让他尽快联系派出所。再见。"}},"phrases":{"child":{"en":["i am under eighteen","i am a child"],"zh":["没满十八岁","我还没成年","未成年"]},"disbelief":{"en":["i don''t believe you","i do not believe it","you are the fraud"],"zh":["不信","我不信","不相信","你是骗子","你才是骗子"]},"enough":{"en":["no more calls","stop calling"],"zh":["不用再打了","别再打了","不需要回访"]},"guardian":{"en":["i am the parent","i am his mother","i am his father"],"zh":["我是家长","我是他妈妈","我是他爸爸","家长在听"]},"no":{"en":["no","nobody did","not at all"],"zh":["没有","没","没有人","没有的事","不是","不在"]},"not_owner":{"en":["no","wrong number","not me","i am not"],"zh":["不是","不是我","你打错了","打错了","不是本人"]},"officer":{"en":["officer","a person","human","talk to someone","speak to an officer"],"zh":["人工","转人工","找民警","找警察","我要跟民警说","叫真人来","听不懂"]},"owner":{"en":["yes","yes i am","speaking","that''s me","it''s me"],"zh":["是","是的","是我","对","我是","我就是","本人","我是本人","是本人"]},"paid":{"en":["i have paid","i already paid","i have already paid","i paid"],"zh":["已经转了","我已经转了","钱转过去了","已经转账了","转了","已经付了"]},"repeat":{"en":["again","repeat","say that again","pardon"],"zh":["再说一遍","没听清","重复一遍","什么意思"]},"saw_through":{"en":["i saw through it","i blocked them"],"zh":["我没上当","我知道是骗子","识破了","已经拉黑了"]},"understood":{"en":["i understand","understood","okay","i will not pay"],"zh":["明白","明白了","知道了","听明白了","我不转了","好的"]},"yes":{"en":["yes","yes they did","yes i did","i can hear you"],"zh":["有","有的","是","是的","对","对的","有过","有人打过","听得清"]}},"purpose":"follow_up","said_in":{"again":"common","audience":"common","caution":"common","confirm":"common","doubt_busy":"common","goodbye":"common","guardian":"common","guardian_away":"common","identity":"common","nobody_said":"common","officer":"common","officer_busy":"common","officer_doubt":"common","officer_paid":"common","paid_account":"common","paid_amount":"common","paid_end":"common","paid_when":"common","unsure":"common","wrong_person":"common"},"start":"opening","title":{"en":"Follow-up","zh":"回访"},"variables":{"bureau":{"defaults":{"en":"the city anti-fraud centre","zh":"市反诈中心"},"kind":"text"},"greeting":{"kind":"time_of_day"},"hotline":{"defaults":{"en":"96110","zh":"96110"},"kind":"phone"}}}', 'follow_up.toml', 'extends = "common"
id = "follow_up"
purpose = "follow_up"
[title]
zh = "回访"
en = "Follow-up"
[nodes.opening]
kind = "say"
must_say = true
zh = "您好，这里是{bureau}回访，请您还是不要转账，对方再来电话就挂断。我是反诈机器人。"
en = "Hello, this is a follow-up call from {bureau}: do not transfer any money, and hang up if the fraudster calls. I am an automatic voice."
next = "identity"
[nodes.scene]
kind = "ask"
zh = "这几天，骗子还有没有联系您？有，请按1；没有，请按2；已经转账，请按3；没有上当，请按4。"
en = "Has the fraudster contacted you since? Yes, press 1. No, press 2. Already paid, press 3. You saw through it, press 4."
timeout_seconds = 8
retries = 2
otherwise = "unsure"
[nodes.scene.choices]
1 = { next = "warn", phrases = "yes" }
2 = { next = "warn", phrases = "no" }
3 = { next = "officer_paid", answer = "already_paid", phrases = "paid" }
4 = { next = "saw_through", answer = "saw_through", needs_key = true, phrases = "saw_through" }
[nodes.warn]
kind = "say"
must_say = true
zh = "请注意：诈骗分子会换个身份再来，说能帮您把钱追回来。让您先交钱的，都是诈骗。"
en = "Please remember: fraudsters come back as somebody else and promise to get your money back. Anybody who wants a payment first is a fraud."
next = "caution"
[nodes.acknowledge]
kind = "ask"
must_say = true
zh = "听明白了，请按1；还是不相信，请按2；不需要再回访，请按3；找民警，请按0。"
en = "If you understand, press 1. If you still do not believe it, press 2. If you want no more follow-up calls, press 3. For an officer, press 0."
timeout_seconds = 8
retries = 2
repeat_from = "warn"
otherwise = "unsure"
[nodes.acknowledge.choices]
1 = { next = "goodbye", answer = "acknowledged", needs_key = true, phrases = "understood" }
2 = { next = "officer_doubt", phrases = "disbelief" }
3 = { next = "no_more_calls", answer = "opt_out", needs_key = true, phrases = "enough" }
[nodes.saw_through]
kind = "end"
contact = "verified"
answer = "saw_through"
urgency = "none"
zh = "太好了，您做得对。以后有事，随时拨打{hotline}。再见。"
en = "Well done, that was right. If anything happens, dial {hotline}. Goodbye."
[nodes.no_more_calls]
kind = "end"
contact = "verified"
answer = "opt_out"
urgency = "soon"
zh = "好的，不再回访。如果再有高风险预警，我们还会提醒您。再见。"
en = "Very well, no more follow-up calls. If there is a new high-risk warning, we will still ring you. Goodbye."
', '{"common": ["common.toml", "# What every script shares: who we are, whom we ask for, the caution, the farewell, and the ways to an officer.\n# A script takes this with `extends = \"common\"` and replaces whole nodes under the same name.\n# mn is declared without texts: a centre adds its recordings by prompt name; until then Mandarin is spoken.\n\nlanguages = [\"zh\", \"en\", \"mn\"]\ndefault_language = \"zh\"\nfallbacks = { mn = \"zh\" }\nstart = \"opening\"\n\n[again]\nzh = \"没有收到您的回答。\"\nen = \"I did not get your answer.\"\n\n[confirm]\nzh = \"为了确认，请您按键回答。\"\nen = \"To be sure, please answer with a key.\"\n\n[variables.bureau]\nkind = \"text\"\ndefaults = { zh = \"市反诈中心\", en = \"the city anti-fraud centre\" }\n\n[variables.hotline]\nkind = \"phone\"\ndefaults = { zh = \"96110\", en = \"96110\" }\n\n[variables.greeting]\nkind = \"time_of_day\"\n\n[phrases.yes]\nzh = [\"有\", \"有的\", \"是\", \"是的\", \"对\", \"对的\", \"有过\", \"有人打过\", \"听得清\"]\nen = [\"yes\", \"yes they did\", \"yes i did\", \"i can hear you\"]\n\n[phrases.no]\nzh = [\"没有\", \"没\", \"没有人\", \"没有的事\", \"不是\", \"不在\"]\nen = [\"no\", \"nobody did\", \"not at all\"]\n\n[phrases.paid]\nzh = [\"已经转了\", \"我已经转了\", \"钱转过去了\", \"已经转账了\", \"转了\", \"已经付了\"]\nen = [\"i have paid\", \"i already paid\", \"i have already paid\", \"i paid\"]\n\n[phrases.owner]\nzh = [\"是\", \"是的\", \"是我\", \"对\", \"我是\", \"我就是\", \"本人\", \"我是本人\", \"是本人\"]\nen = [\"yes\", \"yes i am\", \"speaking\", \"that''s me\", \"it''s me\"]\n\n[phrases.not_owner]\nzh = [\"不是\", \"不是我\", \"你打错了\", \"打错了\", \"不是本人\"]\nen = [\"no\", \"wrong number\", \"not me\", \"i am not\"]\n\n[phrases.understood]\nzh = [\"明白\", \"明白了\", \"知道了\", \"听明白了\", \"我不转了\", \"好的\"]\nen = [\"i understand\", \"understood\", \"okay\", \"i will not pay\"]\n\n[phrases.disbelief]\nzh = [\"不信\", \"我不信\", \"不相信\", \"你是骗子\", \"你才是骗子\"]\nen = [\"i don''t believe you\", \"i do not believe it\", \"you are the fraud\"]\n\n[phrases.saw_through]\nzh = [\"我没上当\", \"我知道是骗子\", \"识破了\", \"已经拉黑了\"]\nen = [\"i saw through it\", \"i blocked them\"]\n\n[phrases.enough]\nzh = [\"不用再打了\", \"别再打了\", \"不需要回访\"]\nen = [\"no more calls\", \"stop calling\"]\n\n[phrases.guardian]\nzh = [\"我是家长\", \"我是他妈妈\", \"我是他爸爸\", \"家长在听\"]\nen = [\"i am the parent\", \"i am his mother\", \"i am his father\"]\n\n[phrases.child]\nzh = [\"没满十八岁\", \"我还没成年\", \"未成年\"]\nen = [\"i am under eighteen\", \"i am a child\"]\n\n[phrases.officer]\nzh = [\"人工\", \"转人工\", \"找民警\", \"找警察\", \"我要跟民警说\", \"叫真人来\", \"听不懂\"]\nen = [\"officer\", \"a person\", \"human\", \"talk to someone\", \"speak to an officer\"]\n\n[phrases.repeat]\nzh = [\"再说一遍\", \"没听清\", \"重复一遍\", \"什么意思\"]\nen = [\"again\", \"repeat\", \"say that again\", \"pardon\"]\n\n[anywhere]\n0 = { next = \"officer\", answer = \"wants_officer\", phrases = \"officer\" }\n9 = { next = \"repeat\", phrases = \"repeat\" }\n\n# Sent when the phone cannot be reached, and after a verified warning: no link, no number, nothing to answer.\n[message]\nzh = \"【{bureau}】反诈预警：您可能正在遭遇诈骗：请马上停止转账，不要再和对方联系，尽快告诉家人，或到就近派出所核实。本短信无需回复。\"\nen = \"{bureau}: fraud warning. You may be in the middle of a fraud. Do not transfer any money, end all contact, tell your family, or ask at the nearest police station. No reply is needed.\"\n\n[nodes.opening]\nkind = \"say\"\nmust_say = true\nzh = \"您好，这里是{bureau}，请您先不要转账，马上挂断对方的电话。我是反诈机器人。\"\nen = \"Hello, this is {bureau}: do not transfer any money, and hang up on the other caller now. I am an automatic warning voice.\"\nnext = \"identity\"\n\n[nodes.identity]\nkind = \"ask\"\nzh = \"请问您是这个号码的机主本人吗？是本人，请按1；不是，请按2；找民警，请按0。\"\nen = \"Are you the owner of this number? Yes, press 1. No, press 2. For an officer, press 0.\"\ntimeout_seconds = 7\nretries = 2\nrepeat_from = \"opening\"\notherwise = \"nobody_said\"\n\n[nodes.identity.choices]\n1 = { next = \"audience\", contact = \"verified\", phrases = \"owner\" }\n2 = { next = \"wrong_person\", answer = \"wrong_person\", needs_key = true, phrases = \"not_owner\" }\n\n# A child''s phone: the guardian is who has to hear this.\n[nodes.audience]\nkind = \"branch\"\non = \"tag\"\ncases = { minor = \"guardian\" }\notherwise = \"scene\"\n\n[nodes.guardian]\nkind = \"ask\"\nzh = \"请把电话交给家长。家长在听，请按1；家长不在，请按2；已经转账，请按3。\"\nen = \"Please give the phone to a parent. Parent listening, press 1. No parent here, press 2. Already paid, press 3.\"\ntimeout_seconds = 15\nretries = 1\notherwise = \"guardian_away\"\n[nodes.guardian.choices]\n1 = { next = \"scene\", phrases = \"guardian\" }\n2 = { next = \"guardian_away\", phrases = \"no\" }\n3 = { next = \"officer_paid\", answer = \"already_paid\", phrases = \"paid\" }\n\n[nodes.guardian_away]\nkind = \"end\"\ncontact = \"verified\"\nanswer = \"doubtful\"\nurgency = \"now\"\nmust_say = true\nzh = \"请马上告诉家长，先不要给任何人转账。我们的民警会联系你的家长。再见。\"\nen = \"Please tell your parents at once, and pay nobody. An officer will contact your parents. Goodbye.\"\n\n[nodes.scene]\nkind = \"ask\"\nzh = \"有没有人打电话、在网上让您转账，或者要您的验证码？有，请按1；没有，请按2；已经转账，请按3。\"\nen = \"Has somebody asked you by telephone or online for a transfer, an advance or a code? Yes, press 1. No, press 2. Already paid, press 3.\"\ntimeout_seconds = 8\nretries = 2\notherwise = \"unsure\"\n[nodes.scene.choices]\n1 = { next = \"warn\", phrases = \"yes\" }\n2 = { next = \"warn\", phrases = \"no\" }\n3 = { next = \"officer_paid\", answer = \"already_paid\", phrases = \"paid\" }\n\n[nodes.warn]\nkind = \"say\"\nmust_say = true\nzh = \"请注意：不认识的人让您转账，不管说什么理由，都先停下来。要验证码、要共享屏幕的，都是诈骗。\"\nen = \"Please listen: if a stranger asks for a transfer, stop, whatever the reason. Anybody who wants your code or your screen is a fraud.\"\nnext = \"caution\"\n\n[nodes.caution]\nkind = \"say\"\nmust_say = true\nzh = \"有骗子会说，我们是假警察。不放心，就请挂断，打区号加{hotline}，或者110，也可以去派出所问清楚。\"\nen = \"Fraudsters say that we are fake police. If in doubt, hang up and dial your area code and {hotline}, or 110, or go to a police station.\"\nnext = \"acknowledge\"\n\n[nodes.acknowledge]\nkind = \"ask\"\nmust_say = true\nzh = \"听明白了，不再转账，请按1；不相信，请按2；找民警，请按0；重听，请按9。\"\nen = \"If you understand and will not pay, press 1. If you do not believe it, press 2. For an officer, press 0. To hear it again, press 9.\"\ntimeout_seconds = 8\nretries = 2\nrepeat_from = \"warn\"\notherwise = \"unsure\"\n\n[nodes.acknowledge.choices]\n1 = { next = \"goodbye\", answer = \"acknowledged\", needs_key = true, phrases = \"understood\" }\n2 = { next = \"officer_doubt\", phrases = \"disbelief\" }\n\n[nodes.goodbye]\nkind = \"end\"\ncontact = \"verified\"\nanswer = \"acknowledged\"\nurgency = \"none\"\nmust_say = true\nzh = \"谢谢您。请记住，不要转账，不要告诉别人验证码。再见。\"\nen = \"Thank you. Remember: do not transfer money, and tell nobody a code. Goodbye.\"\n\n[nodes.nobody_said]\nkind = \"end\"\ncontact = \"unverified\"\nanswer = \"doubtful\"\nurgency = \"now\"\nzh = \"没有听到您的答复，我们的民警会再联系您。请先不要转账，再见。\"\nen = \"I heard no answer. An officer will contact you. Do not transfer any money. Goodbye.\"\n\n[nodes.unsure]\nkind = \"end\"\ncontact = \"verified\"\nanswer = \"doubtful\"\nurgency = \"now\"\nzh = \"没有听到您的答复，我们的民警会再联系您。请先不要转账，再见。\"\nen = \"I heard no answer. An officer will contact you. Do not transfer any money. Goodbye.\"\n\n[nodes.wrong_person]\nkind = \"end\"\ncontact = \"unverified\"\nanswer = \"wrong_person\"\nurgency = \"soon\"\nzh = \"对不起，打扰了。如果您认识机主，请让他尽快联系派出所。再见。\"\nen = \"Sorry to trouble you. If you know the owner of this number, please ask them to contact a police station soon. Goodbye.\"\n\n[nodes.officer]\nkind = \"hand_over\"\nanswer = \"wants_officer\"\nurgency = \"now\"\nzh = \"好的，马上请民警接电话，请不要挂断。这段时间不要转账。\"\nen = \"Very well, I am calling an officer for you. Please stay on the line, and do not transfer any money.\"\nnext = \"officer_busy\"\n\n[nodes.officer_busy]\nkind = \"end\"\ncontact = \"verified\"\nanswer = \"wants_officer\"\nurgency = \"now\"\nzh = \"现在民警都在忙，会尽快给您回电话。请先不要转账，再见。\"\nen = \"All officers are busy. One will ring you back very soon. Do not transfer any money. Goodbye.\"\n\n[nodes.officer_doubt]\nkind = \"hand_over\"\nanswer = \"refuses\"\nurgency = \"now\"\nzh = \"您有顾虑，我们理解。马上请民警跟您说，请不要挂断。\"\nen = \"We understand your doubts. An officer will talk to you now. Please stay on the line.\"\nnext = \"doubt_busy\"\n\n[nodes.doubt_busy]\nkind = \"end\"\ncontact = \"verified\"\nanswer = \"refuses\"\nurgency = \"now\"\nzh = \"现在民警都在忙，会尽快给您回电话。请先不要转账，再见。\"\nen = \"All officers are busy. One will ring you back very soon. Do not transfer any money. Goodbye.\"\n\n[nodes.officer_paid]\nkind = \"hand_over\"\nanswer = \"already_paid\"\nurgency = \"now\"\nmust_say = true\nzh = \"已经转账，时间很要紧。马上请民警接电话，请不要挂断。\"\nen = \"You have paid, so every minute counts. I am calling an officer. Please stay on the line.\"\nnext = \"paid_amount\"\n\n[nodes.paid_amount]\nkind = \"ask\"\nzh = \"我们的民警会马上给您回电话。请输入转账的金额，然后按井号键。\"\nen = \"An officer will ring you back at once. Please type the amount you paid, in yuan, and then the hash key.\"\ntimeout_seconds = 10\nretries = 1\notherwise = \"paid_account\"\ncollect = \"paid_yuan\"\nmax_digits = 8\nnext = \"paid_account\"\n\n[nodes.paid_account]\nkind = \"ask\"\nzh = \"如果知道对方的收款账号，请输入最后四位，然后按井号键。\"\nen = \"If you know the account you paid into, type its last four digits, and then the hash key.\"\ntimeout_seconds = 8\nretries = 0\notherwise = \"paid_when\"\ncollect = \"payee_account_last4\"\nmax_digits = 4\nnext = \"paid_when\"\n\n[nodes.paid_when]\nkind = \"ask\"\nzh = \"刚刚转的，请按1；几个小时以前，请按2；昨天或者更早，请按3。\"\nen = \"If you have only just paid, press 1. Earlier today, press 2. Before today, press 3.\"\ntimeout_seconds = 7\nretries = 1\notherwise = \"paid_end\"\ncollect = \"paid_when\"\n\n[nodes.paid_when.choices]\n1 = { next = \"paid_end\" }\n2 = { next = \"paid_end\" }\n3 = { next = \"paid_end\" }\n\n[nodes.paid_end]\nkind = \"end\"\ncontact = \"verified\"\nanswer = \"already_paid\"\nurgency = \"now\"\nmust_say = true\nzh = \"已经记下。请您马上拨打110报警，保留好转账记录。不要再转账了，再见。\"\nen = \"That is noted. Please ring 110 now, and keep the record of your transfer. Do not pay any more. Goodbye.\"\n"]}', 'shipped', '2026-11-26 19:56:14.203986+00'),
	(6, 'game_trade', 1, '5500d7ecaf1024f897d8796f47113a554fbd07405f226cb0709119bd99743e88', '{"again":{"en":"I did not get your answer.","zh":"没有收到您的回答。"},"anywhere":{"0":{"answer":"wants_officer","next":"officer","phrases":"officer"},"9":{"next":"repeat","phrases":"repeat"}},"confirm":{"en":"To be sure, please answer with a key.","zh":"为了确认，请您按键回答。"},"default_language":"zh","fallbacks":{"mn":"zh"},"fraud_types":["game_trade"],"id":"game_trade","languages":["zh","en","mn"],"message":{"en":"{bureau}: fraud warning. You may be in the middle of a fraud. Do not transfer any money, end all contact, tell your family, or ask at the nearest police station. No reply is needed.","zh":"【{bureau}】反诈预警：您可能正在遭遇诈骗：请马上停止转账，不要再和对方联系，尽快告诉家人，或到就近派出所核实。本短信无需回复。"},"nodes":{"acknowledge":{"choices":{"1":{"answer":"acknowledged","needs_key":true,"next":"goodbye","phrases":"understood"},"2":{"next":"officer_doubt","phrases":"disbelief"}},"en":"If you understand and will not pay, press 1. If you do not believe it, press 2. For an officer, press 0. To hear it again, press 9.","kind":"ask","must_say":true,"otherwise":"unsure","repeat_from":"warn","retries":2,"timeout_seconds":8,"zh":"听明白了，不再转账，请按1；不相信，请按2；找民警，请按0；重听，请按9。"},"audience":{"cases":{"minor":"guardian"},"kind":"branch","on":"tag","otherwise":"scene"},"caution":{"en":"Fraudsters say that we are fake police. If in doubt, hang up and dial your area code and {hotline}, or 110, or go to a police station.","kind":"say","must_say":true,"next":"acknowledge","zh":"有骗子会说，我们是假警察。不放心，就请挂断，打区号加{hotline}，或者110，也可以去派出所问清楚。"},"doubt_busy":{"answer":"refuses","contact":"verified","en":"All officers are busy. One will ring you back very soon. Do not transfer any money. Goodbye.","kind":"end","urgency":"now","zh":"现在民警都在忙，会尽快给您回电话。请先不要转账，再见。"},"goodbye":{"answer":"acknowledged","contact":"verified","en":"Thank you. Remember: do not transfer money, and tell nobody a code. Goodbye.","kind":"end","must_say":true,"urgency":"none","zh":"谢谢您。请记住，不要转账，不要告诉别人验证码。再见。"},"guardian":{"choices":{"1":{"next":"warn","phrases":"guardian"},"2":{"next":"guardian_away","phrases":"no"},"3":{"answer":"already_paid","next":"officer_paid","phrases":"paid"}},"en":"Please give the phone to a parent. Parent listening, press 1. No parent here, press 2. Already paid, press 3.","kind":"ask","otherwise":"guardian_away","retries":1,"timeout_seconds":15,"zh":"请把电话交给家长。家长在听，请按1；家长不在，请按2；已经转账，请按3。"},"guardian_away":{"answer":"doubtful","contact":"verified","en":"Please tell your parents at once, and pay nobody. An officer will contact your parents. Goodbye.","kind":"end","must_say":true,"urgency":"now","zh":"请马上告诉家长，先不要给任何人转账。我们的民警会联系你的家长。再见。"},"identity":{"choices":{"1":{"contact":"verified","next":"audience","phrases":"owner"},"2":{"answer":"wrong_person","needs_key":true,"next":"wrong_person","phrases":"not_owner"}},"en":"Are you the owner of this number? Yes, press 1. No, press 2. For an officer, press 0.","kind":"ask","otherwise":"nobody_said","repeat_from":"opening","retries":2,"timeout_seconds":7,"zh":"请问您是这个号码的机主本人吗？是本人，请按1；不是，请按2；找民警，请按0。"},"nobody_said":{"answer":"doubtful","contact":"unverified","en":"I heard no answer. An officer will contact you. Do not transfer any money. Goodbye.","kind":"end","urgency":"now","zh":"没有听到您的答复，我们的民警会再联系您。请先不要转账，再见。"},"officer":{"answer":"wants_officer","en":"Very well, I am calling an officer for you. Please stay on the line, and do not transfer any money.","kind":"hand_over","next":"officer_busy","urgency":"now","zh":"好的，马上请民警接电话，请不要挂断。这段时间不要转账。"},"officer_busy":{"answer":"wants_officer","contact":"verified","en":"All officers are busy. One will ring you back very soon. Do not transfer any money. Goodbye.","kind":"end","urgency":"now","zh":"现在民警都在忙，会尽快给您回电话。请先不要转账，再见。"},"officer_doubt":{"answer":"refuses","en":"We understand your doubts. An officer will talk to you now. Please stay on the line.","kind":"hand_over","next":"doubt_busy","urgency":"now","zh":"您有顾虑，我们理解。马上请民警跟您说，请不要挂断。"},"officer_paid":{"answer":"already_paid","en":"You have paid, so every minute counts. I am calling an officer. Please stay on the line.","kind":"hand_over","must_say":true,"next":"paid_amount","urgency":"now","zh":"已经转账，时间很要紧。马上请民警接电话，请不要挂断。"},"opening":{"en":"Hello, this is {bureau}: do not transfer any money, and hang up on the other caller now. I am an automatic warning voice.","kind":"say","must_say":true,"next":"identity","zh":"您好，这里是{bureau}，请您先不要转账，马上挂断对方的电话。我是反诈机器人。"},"paid_account":{"collect":"payee_account_last4","en":"If you know the account you paid into, type its last four digits, and then the hash key.","kind":"ask","max_digits":4,"next":"paid_when","otherwise":"paid_when","retries":0,"timeout_seconds":8,"zh":"如果知道对方的收款账号，请输入最后四位，然后按井号键。"},"paid_amount":{"collect":"paid_yuan","en":"An officer will ring you back at once. Please type the amount you paid, in yuan, and then the hash key.","kind":"ask","max_digits":8,"next":"paid_account","otherwise":"paid_account","retries":1,"timeout_seconds":10,"zh":"我们的民警会马上给您回电话。请输入转账的金额，然后按井号键。"},"paid_end":{"answer":"already_paid","contact":"verified","en":"That is noted. Please ring 110 now, and keep the record of your transfer. Do not pay any more. Goodbye.","kind":"end","must_say":true,"urgency":"now","zh":"已经记下。请您马上拨打110报警，保留好转账记录。不要再转账了，再见。"},"paid_when":{"choices":{"1":{"next":"paid_end"},"2":{"next":"paid_end"},"3":{"next":"paid_end"}},"collect":"paid_when","en":"If you have only just paid, press 1. Earlier today, press 2. Before today, press 3.","kind":"ask","otherwise":"paid_end","retries":1,"timeout_seconds":7,"zh":"刚刚转的，请按1；几个小时以前，请按2；昨天或者更早，请按3。"},"scene":{"choices":{"1":{"next":"warn","phrases":"yes"},"2":{"next":"warn","phrases":"no"},"3":{"answer":"already_paid","next":"officer_paid","phrases":"paid"},"4":{"next":"guardian","phrases":"child"}},"en":"Are you buying or selling a game account privately? Yes, press 1. No, press 2. Already paid, press 3. Under eighteen, press 4.","kind":"ask","otherwise":"unsure","retries":2,"timeout_seconds":8,"zh":"您是不是在私下买卖游戏账号？是，请按1；不是，请按2；已经转账，请按3；没满十八岁，请按4。"},"unsure":{"answer":"doubtful","contact":"verified","en":"I heard no answer. An officer will contact you. Do not transfer any money. Goodbye.","kind":"end","urgency":"now","zh":"没有听到您的答复，我们的民警会再联系您。请先不要转账，再见。"},"warn":{"en":"Please listen: private trade in game accounts that wants money or a deposit first is fraud. If you are a child, tell your parents now.","kind":"say","must_say":true,"next":"caution","zh":"请注意：离开官方平台买卖游戏账号，让您先付钱、交保证金的，都是诈骗。孩子遇到，请马上告诉家长。"},"wrong_person":{"answer":"wrong_person","contact":"unverified","en":"Sorry to trouble you. If you know the owner of this number, please ask them to contact a police station soon. Goodbye.","kind":"end","urgency":"soon","zh":"对不起，打扰了。如果您认识机主，请让他尽快联系派出所。再见。"}},"phrases":{"child":{"en":["i am under eighteen","i am a child"],"zh":["没满十八岁","我还没成年","未成年"]},"disbelief":{"en":["i don''t believe you","i do not believe it","you are the fraud"],"zh":["不信","我不信","不相信","你是骗子","你才是骗子"]},"enough":{"en":["no more calls","stop calling"],"zh":["不用再打了","别再打了","不需要回访"]},"guardian":{"en":["i am the parent","i am his mother","i am his father"],"zh":["我是家长","我是他妈妈","我是他爸爸","家长在听"]},"no":{"en":["no","nobody did","not at all"],"zh":["没有","没","没有人","没有的事","不是","不在"]},"not_owner":{"en":["no","wrong number","not me","i am not"],"zh":["不是","不是我","你打错了","打错了","不是本人"]},"officer":{"en":["officer","a person","human","talk to someone","speak to an officer"],"zh":["人工","转人工","找民警","找警察","我要跟民警说","叫真人来","听不懂"]},"owner":{"en":["yes","yes i am","speaking","that''s me","it''s me"],"zh":["是","是的","是我","对","我是","我就是","本人","我是本人","是本人"]},"paid":{"en":["i have paid","i already paid","i have already paid","i paid"],"zh":["已经转了","我已经转了","钱转过去了","已经转账了","转了","已经付了"]},"repeat":{"en":["again","repeat","say that again","pardon"],"zh":["再说一遍","没听清","重复一遍","什么意思"]},"saw_through":{"en":["i saw through it","i blocked them"],"zh":["我没上当","我知道是骗子","识破了","已经拉黑了"]},"understood":{"en":["i understand","understood","okay","i will not pay"],"zh":["明白","明白了","知道了","听明白了","我不转了","好的"]},"yes":{"en":["yes","yes they did","yes i did","i can hear you"],"zh":["有","有的","是","是的","对","对的","有过","有人打过","听得清"]}},"said_in":{"acknowledge":"common","again":"common","audience":"common","caution":"common","confirm":"common","doubt_busy":"common","goodbye":"common","guardian_away":"common","identity":"common","nobody_said":"common","officer":"common","officer_busy":"common","officer_doubt":"common","officer_paid":"common","opening":"common","paid_account":"common","paid_amount":"common","paid_end":"common","paid_when":"common","unsure":"common","wrong_person":"common"},"start":"opening","title":{"en":"False trade in game accounts","zh":"网络游戏产品虚假交易"},"variables":{"bureau":{"defaults":{"en":"the city anti-fraud centre","zh":"市反诈中心"},"kind":"text"},"greeting":{"kind":"time_of_day"},"hotline":{"defaults":{"en":"96110","zh":"96110"},"kind":"phone"}}}', 'game_trade.toml', 'extends = "common"
id = "game_trade"
fraud_types = ["game_trade"]
[title]
zh = "网络游戏产品虚假交易"
en = "False trade in game accounts"
# Players are often children: a key leads to the guardian even when the list does not say so.
[nodes.scene]
kind = "ask"
zh = "您是不是在私下买卖游戏账号？是，请按1；不是，请按2；已经转账，请按3；没满十八岁，请按4。"
en = "Are you buying or selling a game account privately? Yes, press 1. No, press 2. Already paid, press 3. Under eighteen, press 4."
timeout_seconds = 8
retries = 2
otherwise = "unsure"
[nodes.scene.choices]
1 = { next = "warn", phrases = "yes" }
2 = { next = "warn", phrases = "no" }
3 = { next = "officer_paid", answer = "already_paid", phrases = "paid" }
4 = { next = "guardian", phrases = "child" }
# The parent need not be asked what the child is buying.
[nodes.guardian]
kind = "ask"
zh = "请把电话交给家长。家长在听，请按1；家长不在，请按2；已经转账，请按3。"
en = "Please give the phone to a parent. Parent listening, press 1. No parent here, press 2. Already paid, press 3."
timeout_seconds = 15
retries = 1
otherwise = "guardian_away"
[nodes.guardian.choices]
1 = { next = "warn", phrases = "guardian" }
2 = { next = "guardian_away", phrases = "no" }
3 = { next = "officer_paid", answer = "already_paid", phrases = "paid" }
[nodes.warn]
kind = "say"
must_say = true
zh = "请注意：离开官方平台买卖游戏账号，让您先付钱、交保证金的，都是诈骗。孩子遇到，请马上告诉家长。"
en = "Please listen: private trade in game accounts that wants money or a deposit first is fraud. If you are a child, tell your parents now."
next = "caution"
', '{"common": ["common.toml", "# What every script shares: who we are, whom we ask for, the caution, the farewell, and the ways to an officer.\n# A script takes this with `extends = \"common\"` and replaces whole nodes under the same name.\n# mn is declared without texts: a centre adds its recordings by prompt name; until then Mandarin is spoken.\n\nlanguages = [\"zh\", \"en\", \"mn\"]\ndefault_language = \"zh\"\nfallbacks = { mn = \"zh\" }\nstart = \"opening\"\n\n[again]\nzh = \"没有收到您的回答。\"\nen = \"I did not get your answer.\"\n\n[confirm]\nzh = \"为了确认，请您按键回答。\"\nen = \"To be sure, please answer with a key.\"\n\n[variables.bureau]\nkind = \"text\"\ndefaults = { zh = \"市反诈中心\", en = \"the city anti-fraud centre\" }\n\n[variables.hotline]\nkind = \"phone\"\ndefaults = { zh = \"96110\", en = \"96110\" }\n\n[variables.greeting]\nkind = \"time_of_day\"\n\n[phrases.yes]\nzh = [\"有\", \"有的\", \"是\", \"是的\", \"对\", \"对的\", \"有过\", \"有人打过\", \"听得清\"]\nen = [\"yes\", \"yes they did\", \"yes i did\", \"i can hear you\"]\n\n[phrases.no]\nzh = [\"没有\", \"没\", \"没有人\", \"没有的事\", \"不是\", \"不在\"]\nen = [\"no\", \"nobody did\", \"not at all\"]\n\n[phrases.paid]\nzh = [\"已经转了\", \"我已经转了\", \"钱转过去了\", \"已经转账了\", \"转了\", \"已经付了\"]\nen = [\"i have paid\", \"i already paid\", \"i have already paid\", \"i paid\"]\n\n[phrases.owner]\nzh = [\"是\", \"是的\", \"是我\", \"对\", \"我是\", \"我就是\", \"本人\", \"我是本人\", \"是本人\"]\nen = [\"yes\", \"yes i am\", \"speaking\", \"that''s me\", \"it''s me\"]\n\n[phrases.not_owner]\nzh = [\"不是\", \"不是我\", \"你打错了\", \"打错了\", \"不是本人\"]\nen = [\"no\", \"wrong number\", \"not me\", \"i am not\"]\n\n[phrases.understood]\nzh = [\"明白\", \"明白了\", \"知道了\", \"听明白了\", \"我不转了\", \"好的\"]\nen = [\"i understand\", \"understood\", \"okay\", \"i will not pay\"]\n\n[phrases.disbelief]\nzh = [\"不信\", \"我不信\", \"不相信\", \"你是骗子\", \"你才是骗子\"]\nen = [\"i don''t believe you\", \"i do not believe it\", \"you are the fraud\"]\n\n[phrases.saw_through]\nzh = [\"我没上当\", \"我知道是骗子\", \"识破了\", \"已经拉黑了\"]\nen = [\"i saw through it\", \"i blocked them\"]\n\n[phrases.enough]\nzh = [\"不用再打了\", \"别再打了\", \"不需要回访\"]\nen = [\"no more calls\", \"stop calling\"]\n\n[phrases.guardian]\nzh = [\"我是家长\", \"我是他妈妈\", \"我是他爸爸\", \"家长在听\"]\nen = [\"i am the parent\", \"i am his mother\", \"i am his father\"]\n\n[phrases.child]\nzh = [\"没满十八岁\", \"我还没成年\", \"未成年\"]\nen = [\"i am under eighteen\", \"i am a child\"]\n\n[phrases.officer]\nzh = [\"人工\", \"转人工\", \"找民警\", \"找警察\", \"我要跟民警说\", \"叫真人来\", \"听不懂\"]\nen = [\"officer\", \"a person\", \"human\", \"talk to someone\", \"speak to an officer\"]\n\n[phrases.repeat]\nzh = [\"再说一遍\", \"没听清\", \"重复一遍\", \"什么意思\"]\nen = [\"again\", \"repeat\", \"say that again\", \"pardon\"]\n\n[anywhere]\n0 = { next = \"officer\", answer = \"wants_officer\", phrases = \"officer\" }\n9 = { next = \"repeat\", phrases = \"repeat\" }\n\n# Sent when the phone cannot be reached, and after a verified warning: no link, no number, nothing to answer.\n[message]\nzh = \"【{bureau}】反诈预警：您可能正在遭遇诈骗：请马上停止转账，不要再和对方联系，尽快告诉家人，或到就近派出所核实。本短信无需回复。\"\nen = \"{bureau}: fraud warning. You may be in the middle of a fraud. Do not transfer any money, end all contact, tell your family, or ask at the nearest police station. No reply is needed.\"\n\n[nodes.opening]\nkind = \"say\"\nmust_say = true\nzh = \"您好，这里是{bureau}，请您先不要转账，马上挂断对方的电话。我是反诈机器人。\"\nen = \"Hello, this is {bureau}: do not transfer any money, and hang up on the other caller now. I am an automatic warning voice.\"\nnext = \"identity\"\n\n[nodes.identity]\nkind = \"ask\"\nzh = \"请问您是这个号码的机主本人吗？是本人，请按1；不是，请按2；找民警，请按0。\"\nen = \"Are you the owner of this number? Yes, press 1. No, press 2. For an officer, press 0.\"\ntimeout_seconds = 7\nretries = 2\nrepeat_from = \"opening\"\notherwise = \"nobody_said\"\n\n[nodes.identity.choices]\n1 = { next = \"audience\", contact = \"verified\", phrases = \"owner\" }\n2 = { next = \"wrong_person\", answer = \"wrong_person\", needs_key = true, phrases = \"not_owner\" }\n\n# A child''s phone: the guardian is who has to hear this.\n[nodes.audience]\nkind = \"branch\"\non = \"tag\"\ncases = { minor = \"guardian\" }\notherwise = \"scene\"\n\n[nodes.guardian]\nkind = \"ask\"\nzh = \"请把电话交给家长。家长在听，请按1；家长不在，请按2；已经转账，请按3。\"\nen = \"Please give the phone to a parent. Parent listening, press 1. No parent here, press 2. Already paid, press 3.\"\ntimeout_seconds = 15\nretries = 1\notherwise = \"guardian_away\"\n[nodes.guardian.choices]\n1 = { next = \"scene\", phrases = \"guardian\" }\n2 = { next = \"guardian_away\", phrases = \"no\" }\n3 = { next = \"officer_paid\", answer = \"already_paid\", phrases = \"paid\" }\n\n[nodes.guardian_away]\nkind = \"end\"\ncontact = \"verified\"\nanswer = \"doubtful\"\nurgency = \"now\"\nmust_say = true\nzh = \"请马上告诉家长，先不要给任何人转账。我们的民警会联系你的家长。再见。\"\nen = \"Please tell your parents at once, and pay nobody. An officer will contact your parents. Goodbye.\"\n\n[nodes.scene]\nkind = \"ask\"\nzh = \"有没有人打电话、在网上让您转账，或者要您的验证码？有，请按1；没有，请按2；已经转账，请按3。\"\nen = \"Has somebody asked you by telephone or online for a transfer, an advance or a code? Yes, press 1. No, press 2. Already paid, press 3.\"\ntimeout_seconds = 8\nretries = 2\notherwise = \"unsure\"\n[nodes.scene.choices]\n1 = { next = \"warn\", phrases = \"yes\" }\n2 = { next = \"warn\", phrases = \"no\" }\n3 = { next = \"officer_paid\", answer = \"already_paid\", phrases = \"paid\" }\n\n[nodes.warn]\nkind = \"say\"\nmust_say = true\nzh = \"请注意：不认识的人让您转账，不管说什么理由，都先停下来。要验证码、要共享屏幕的，都是诈骗。\"\nen = \"Please listen: if a stranger asks for a transfer, stop, whatever the reason. Anybody who wants your code or your screen is a fraud.\"\nnext = \"caution\"\n\n[nodes.caution]\nkind = \"say\"\nmust_say = true\nzh = \"有骗子会说，我们是假警察。不放心，就请挂断，打区号加{hotline}，或者110，也可以去派出所问清楚。\"\nen = \"Fraudsters say that we are fake police. If in doubt, hang up and dial your area code and {hotline}, or 110, or go to a police station.\"\nnext = \"acknowledge\"\n\n[nodes.acknowledge]\nkind = \"ask\"\nmust_say = true\nzh = \"听明白了，不再转账，请按1；不相信，请按2；找民警，请按0；重听，请按9。\"\nen = \"If you understand and will not pay, press 1. If you do not believe it, press 2. For an officer, press 0. To hear it again, press 9.\"\ntimeout_seconds = 8\nretries = 2\nrepeat_from = \"warn\"\notherwise = \"unsure\"\n\n[nodes.acknowledge.choices]\n1 = { next = \"goodbye\", answer = \"acknowledged\", needs_key = true, phrases = \"understood\" }\n2 = { next = \"officer_doubt\", phrases = \"disbelief\" }\n\n[nodes.goodbye]\nkind = \"end\"\ncontact = \"verified\"\nanswer = \"acknowledged\"\nurgency = \"none\"\nmust_say = true\nzh = \"谢谢您。请记住，不要转账，不要告诉别人验证码。再见。\"\nen = \"Thank you. Remember: do not transfer money, and tell nobody a code. Goodbye.\"\n\n[nodes.nobody_said]\nkind = \"end\"\ncontact = \"unverified\"\nanswer = \"doubtful\"\nurgency = \"now\"\nzh = \"没有听到您的答复，我们的民警会再联系您。请先不要转账，再见。\"\nen = \"I heard no answer. An officer will contact you. Do not transfer any money. Goodbye.\"\n\n[nodes.unsure]\nkind = \"end\"\ncontact = \"verified\"\nanswer = \"doubtful\"\nurgency = \"now\"\nzh = \"没有听到您的答复，我们的民警会再联系您。请先不要转账，再见。\"\nen = \"I heard no answer. An officer will contact you. Do not transfer any money. Goodbye.\"\n\n[nodes.wrong_person]\nkind = \"end\"\ncontact = \"unverified\"\nanswer = \"wrong_person\"\nurgency = \"soon\"\nzh = \"对不起，打扰了。如果您认识机主，请让他尽快联系派出所。再见。\"\nen = \"Sorry to trouble you. If you know the owner of this number, please ask them to contact a police station soon. Goodbye.\"\n\n[nodes.officer]\nkind = \"hand_over\"\nanswer = \"wants_officer\"\nurgency = \"now\"\nzh = \"好的，马上请民警接电话，请不要挂断。这段时间不要转账。\"\nen = \"Very well, I am calling an officer for you. Please stay on the line, and do not transfer any money.\"\nnext = \"officer_busy\"\n\n[nodes.officer_busy]\nkind = \"end\"\ncontact = \"verified\"\nanswer = \"wants_officer\"\nurgency = \"now\"\nzh = \"现在民警都在忙，会尽快给您回电话。请先不要转账，再见。\"\nen = \"All officers are busy. One will ring you back very soon. Do not transfer any money. Goodbye.\"\n\n[nodes.officer_doubt]\nkind = \"hand_over\"\nanswer = \"refuses\"\nurgency = \"now\"\nzh = \"您有顾虑，我们理解。马上请民警跟您说，请不要挂断。\"\nen = \"We understand your doubts. An officer will talk to you now. Please stay on the line.\"\nnext = \"doubt_busy\"\n\n[nodes.doubt_busy]\nkind = \"end\"\ncontact = \"verified\"\nanswer = \"refuses\"\nurgency = \"now\"\nzh = \"现在民警都在忙，会尽快给您回电话。请先不要转账，再见。\"\nen = \"All officers are busy. One will ring you back very soon. Do not transfer any money. Goodbye.\"\n\n[nodes.officer_paid]\nkind = \"hand_over\"\nanswer = \"already_paid\"\nurgency = \"now\"\nmust_say = true\nzh = \"已经转账，时间很要紧。马上请民警接电话，请不要挂断。\"\nen = \"You have paid, so every minute counts. I am calling an officer. Please stay on the line.\"\nnext = \"paid_amount\"\n\n[nodes.paid_amount]\nkind = \"ask\"\nzh = \"我们的民警会马上给您回电话。请输入转账的金额，然后按井号键。\"\nen = \"An officer will ring you back at once. Please type the amount you paid, in yuan, and then the hash key.\"\ntimeout_seconds = 10\nretries = 1\notherwise = \"paid_account\"\ncollect = \"paid_yuan\"\nmax_digits = 8\nnext = \"paid_account\"\n\n[nodes.paid_account]\nkind = \"ask\"\nzh = \"如果知道对方的收款账号，请输入最后四位，然后按井号键。\"\nen = \"If you know the account you paid into, type its last four digits, and then the hash key.\"\ntimeout_seconds = 8\nretries = 0\notherwise = \"paid_when\"\ncollect = \"payee_account_last4\"\nmax_digits = 4\nnext = \"paid_when\"\n\n[nodes.paid_when]\nkind = \"ask\"\nzh = \"刚刚转的，请按1；几个小时以前，请按2；昨天或者更早，请按3。\"\nen = \"If you have only just paid, press 1. Earlier today, press 2. Before today, press 3.\"\ntimeout_seconds = 7\nretries = 1\notherwise = \"paid_end\"\ncollect = \"paid_when\"\n\n[nodes.paid_when.choices]\n1 = { next = \"paid_end\" }\n2 = { next = \"paid_end\" }\n3 = { next = \"paid_end\" }\n\n[nodes.paid_end]\nkind = \"end\"\ncontact = \"verified\"\nanswer = \"already_paid\"\nurgency = \"now\"\nmust_say = true\nzh = \"已经记下。请您马上拨打110报警，保留好转账记录。不要再转账了，再见。\"\nen = \"That is noted. Please ring 110 now, and keep the record of your transfer. Do not pay any more. Goodbye.\"\n"]}', 'shipped', '2026-11-26 19:56:14.203986+00'),
	(7, 'general', 1, '215a2cb7ff6c083b9b9f33250f3f62ae61057de809ea85590ef290629523db5f', '{"again":{"en":"I did not get your answer.","zh":"没有收到您的回答。"},"anywhere":{"0":{"answer":"wants_officer","next":"officer","phrases":"officer"},"9":{"next":"repeat","phrases":"repeat"}},"confirm":{"en":"To be sure, please answer with a key.","zh":"为了确认，请您按键回答。"},"default_language":"zh","fallbacks":{"mn":"zh"},"id":"general","languages":["zh","en","mn"],"message":{"en":"{bureau}: fraud warning. You may be in the middle of a fraud. Do not transfer any money, end all contact, tell your family, or ask at the nearest police station. No reply is needed.","zh":"【{bureau}】反诈预警：您可能正在遭遇诈骗：请马上停止转账，不要再和对方联系，尽快告诉家人，或到就近派出所核实。本短信无需回复。"},"nodes":{"acknowledge":{"choices":{"1":{"answer":"acknowledged","needs_key":true,"next":"goodbye","phrases":"understood"},"2":{"next":"officer_doubt","phrases":"disbelief"}},"en":"If you understand and will not pay, press 1. If you do not believe it, press 2. For an officer, press 0. To hear it again, press 9.","kind":"ask","must_say":true,"otherwise":"unsure","repeat_from":"warn","retries":2,"timeout_seconds":8,"zh":"听明白了，不再转账，请按1；不相信，请按2；找民警，请按0；重听，请按9。"},"audience":{"cases":{"minor":"guardian"},"kind":"branch","on":"tag","otherwise":"scene"},"caution":{"en":"Fraudsters say that we are fake police. If in doubt, hang up and dial your area code and {hotline}, or 110, or go to a police station.","kind":"say","must_say":true,"next":"acknowledge","zh":"有骗子会说，我们是假警察。不放心，就请挂断，打区号加{hotline}，或者110，也可以去派出所问清楚。"},"doubt_busy":{"answer":"refuses","contact":"verified","en":"All officers are busy. One will ring you back very soon. Do not transfer any money. Goodbye.","kind":"end","urgency":"now","zh":"现在民警都在忙，会尽快给您回电话。请先不要转账，再见。"},"goodbye":{"answer":"acknowledged","contact":"verified","en":"Thank you. Remember: do not transfer money, and tell nobody a code. Goodbye.","kind":"end","must_say":true,"urgency":"none","zh":"谢谢您。请记住，不要转账，不要告诉别人验证码。再见。"},"guardian":{"choices":{"1":{"next":"scene","phrases":"guardian"},"2":{"next":"guardian_away","phrases":"no"},"3":{"answer":"already_paid","next":"officer_paid","phrases":"paid"}},"en":"Please give the phone to a parent. Parent listening, press 1. No parent here, press 2. Already paid, press 3.","kind":"ask","otherwise":"guardian_away","retries":1,"timeout_seconds":15,"zh":"请把电话交给家长。家长在听，请按1；家长不在，请按2；已经转账，请按3。"},"guardian_away":{"answer":"doubtful","contact":"verified","en":"Please tell your parents at once, and pay nobody. An officer will contact your parents. Goodbye.","kind":"end","must_say":true,"urgency":"now","zh":"请马上告诉家长，先不要给任何人转账。我们的民警会联系你的家长。再见。"},"identity":{"choices":{"1":{"contact":"verified","next":"audience","phrases":"owner"},"2":{"answer":"wrong_person","needs_key":true,"next":"wrong_person","phrases":"not_owner"}},"en":"Are you the owner of this number? Yes, press 1. No, press 2. For an officer, press 0.","kind":"ask","otherwise":"nobody_said","repeat_from":"opening","retries":2,"timeout_seconds":7,"zh":"请问您是这个号码的机主本人吗？是本人，请按1；不是，请按2；找民警，请按0。"},"nobody_said":{"answer":"doubtful","contact":"unverified","en":"I heard no answer. An officer will contact you. Do not transfer any money. Goodbye.","kind":"end","urgency":"now","zh":"没有听到您的答复，我们的民警会再联系您。请先不要转账，再见。"},"officer":{"answer":"wants_officer","en":"Very well, I am calling an officer for you. Please stay on the line, and do not transfer any money.","kind":"hand_over","next":"officer_busy","urgency":"now","zh":"好的，马上请民警接电话，请不要挂断。这段时间不要转账。"},"officer_busy":{"answer":"wants_officer","contact":"verified","en":"All officers are busy. One will ring you back very soon. Do not transfer any money. Goodbye.","kind":"end","urgency":"now","zh":"现在民警都在忙，会尽快给您回电话。请先不要转账，再见。"},"officer_doubt":{"answer":"refuses","en":"We understand your doubts. An officer will talk to you now. Please stay on the line.","kind":"hand_over","next":"doubt_busy","urgency":"now","zh":"您有顾虑，我们理解。马上请民警跟您说，请不要挂断。"},"officer_paid":{"answer":"already_paid","en":"You have paid, so every minute counts. I am calling an officer. Please stay on the line.","kind":"hand_over","must_say":true,"next":"paid_amount","urgency":"now","zh":"已经转账，时间很要紧。马上请民警接电话，请不要挂断。"},"opening":{"en":"Hello, this is {bureau}: do not transfer any money, and hang up on the other caller now. I am an automatic warning voice.","kind":"say","must_say":true,"next":"identity","zh":"您好，这里是{bureau}，请您先不要转账，马上挂断对方的电话。我是反诈机器人。"},"paid_account":{"collect":"payee_account_last4","en":"If you know the account you paid into, type its last four digits, and then the hash key.","kind":"ask","max_digits":4,"next":"paid_when","otherwise":"paid_when","retries":0,"timeout_seconds":8,"zh":"如果知道对方的收款账号，请输入最后四位，然后按井号键。"},"paid_amount":{"collect":"paid_yuan","en":"An officer will ring you back at once. Please type the amount you paid, in yuan, and then the hash key.","kind":"ask","max_digits":8,"next":"paid_account","otherwise":"paid_account","retries":1,"timeout_seconds":10,"zh":"我们的民警会马上给您回电话。请输入转账的金额，然后按井号键。"},"paid_end":{"answer":"already_paid","contact":"verified","en":"That is noted. Please ring 110 now, and keep the record of your transfer. Do not pay any more. Goodbye.","kind":"end","must_say":true,"urgency":"now","zh":"已经记下。请您马上拨打110报警，保留好转账记录。不要再转账了，再见。"},"paid_when":{"choices":{"1":{"next":"paid_end"},"2":{"next":"paid_end"},"3":{"next":"paid_end"}},"collect":"paid_when","en":"If you have only just paid, press 1. Earlier today, press 2. Before today, press 3.","kind":"ask","otherwise":"paid_end","retries":1,"timeout_seconds":7,"zh":"刚刚转的，请按1；几个小时以前，请按2；昨天或者更早，请按3。"},"scene":{"choices":{"1":{"next":"warn","phrases":"yes"},"2":{"next":"warn","phrases":"no"},"3":{"answer":"already_paid","next":"officer_paid","phrases":"paid"}},"en":"Has somebody asked you by telephone or online for a transfer, an advance or a code? Yes, press 1. No, press 2. Already paid, press 3.","kind":"ask","otherwise":"unsure","retries":2,"timeout_seconds":8,"zh":"有没有人打电话、在网上让您转账，或者要您的验证码？有，请按1；没有，请按2；已经转账，请按3。"},"unsure":{"answer":"doubtful","contact":"verified","en":"I heard no answer. An officer will contact you. Do not transfer any money. Goodbye.","kind":"end","urgency":"now","zh":"没有听到您的答复，我们的民警会再联系您。请先不要转账，再见。"},"warn":{"en":"Please listen: if a stranger asks for a transfer, stop, whatever the reason. Anybody who wants your code or your screen is a fraud.","kind":"say","must_say":true,"next":"caution","zh":"请注意：不认识的人让您转账，不管说什么理由，都先停下来。要验证码、要共享屏幕的，都是诈骗。"},"wrong_person":{"answer":"wrong_person","contact":"unverified","en":"Sorry to trouble you. If you know the owner of this number, please ask them to contact a police station soon. Goodbye.","kind":"end","urgency":"soon","zh":"对不起，打扰了。如果您认识机主，请让他尽快联系派出所。再见。"}},"phrases":{"child":{"en":["i am under eighteen","i am a child"],"zh":["没满十八岁","我还没成年","未成年"]},"disbelief":{"en":["i don''t believe you","i do not believe it","you are the fraud"],"zh":["不信","我不信","不相信","你是骗子","你才是骗子"]},"enough":{"en":["no more calls","stop calling"],"zh":["不用再打了","别再打了","不需要回访"]},"guardian":{"en":["i am the parent","i am his mother","i am his father"],"zh":["我是家长","我是他妈妈","我是他爸爸","家长在听"]},"no":{"en":["no","nobody did","not at all"],"zh":["没有","没","没有人","没有的事","不是","不在"]},"not_owner":{"en":["no","wrong number","not me","i am not"],"zh":["不是","不是我","你打错了","打错了","不是本人"]},"officer":{"en":["officer","a person","human","talk to someone","speak to an officer"],"zh":["人工","转人工","找民警","找警察","我要跟民警说","叫真人来","听不懂"]},"owner":{"en":["yes","yes i am","speaking","that''s me","it''s me"],"zh":["是","是的","是我","对","我是","我就是","本人","我是本人","是本人"]},"paid":{"en":["i have paid","i already paid","i have already paid","i paid"],"zh":["已经转了","我已经转了","钱转过去了","已经转账了","转了","已经付了"]},"repeat":{"en":["again","repeat","say that again","pardon"],"zh":["再说一遍","没听清","重复一遍","什么意思"]},"saw_through":{"en":["i saw through it","i blocked them"],"zh":["我没上当","我知道是骗子","识破了","已经拉黑了"]},"understood":{"en":["i understand","understood","okay","i will not pay"],"zh":["明白","明白了","知道了","听明白了","我不转了","好的"]},"yes":{"en":["yes","yes they did","yes i did","i can hear you"],"zh":["有","有的","是","是的","对","对的","有过","有人打过","听得清"]}},"said_in":{"acknowledge":"common","again":"common","audience":"common","caution":"common","confirm":"common","doubt_busy":"common","goodbye":"common","guardian":"common","guardian_away":"common","identity":"common","nobody_said":"common","officer":"common","officer_busy":"common","officer_doubt":"common","officer_paid":"common","opening":"common","paid_account":"common","paid_amount":"common","paid_end":"common","paid_when":"common","scene":"common","unsure":"common","warn":"common","wrong_person":"common"},"start":"opening","title":{"en":"General warning","zh":"通用预警劝阻"},"variables":{"bureau":{"defaults":{"en":"the city anti-fraud centre","zh":"市反诈中心"},"kind":"text"},"greeting":{"kind":"time_of_day"},"hotline":{"defaults":{"en":"96110","zh":"96110"},"kind":"phone"}}}', 'general.toml', 'extends = "common"
id = "general"
[title]
zh = "通用预警劝阻"
en = "General warning"
', '{"common": ["common.toml", "# What every script shares: who we are, whom we ask for, the caution, the farewell, and the ways to an officer.\n# A script takes this with `extends = \"common\"` and replaces whole nodes under the same name.\n# mn is declared without texts: a centre adds its recordings by prompt name; until then Mandarin is spoken.\n\nlanguages = [\"zh\", \"en\", \"mn\"]\ndefault_language = \"zh\"\nfallbacks = { mn = \"zh\" }\nstart = \"opening\"\n\n[again]\nzh = \"没有收到您的回答。\"\nen = \"I did not get your answer.\"\n\n[confirm]\nzh = \"为了确认，请您按键回答。\"\nen = \"To be sure, please answer with a key.\"\n\n[variables.bureau]\nkind = \"text\"\ndefaults = { zh = \"市反诈中心\", en = \"the city anti-fraud centre\" }\n\n[variables.hotline]\nkind = \"phone\"\ndefaults = { zh = \"96110\", en = \"96110\" }\n\n[variables.greeting]\nkind = \"time_of_day\"\n\n[phrases.yes]\nzh = [\"有\", \"有的\", \"是\", \"是的\", \"对\", \"对的\", \"有过\", \"有人打过\", \"听得清\"]\nen = [\"yes\", \"yes they did\", \"yes i did\", \"i can hear you\"]\n\n[phrases.no]\nzh = [\"没有\", \"没\", \"没有人\", \"没有的事\", \"不是\", \"不在\"]\nen = [\"no\", \"nobody did\", \"not at all\"]\n\n[phrases.paid]\nzh = [\"已经转了\", \"我已经转了\", \"钱转过去了\", \"已经转账了\", \"转了\", \"已经付了\"]\nen = [\"i have paid\", \"i already paid\", \"i have already paid\", \"i paid\"]\n\n[phrases.owner]\nzh = [\"是\", \"是的\", \"是我\", \"对\", \"我是\", \"我就是\", \"本人\", \"我是本人\", \"是本人\"]\nen = [\"yes\", \"yes i am\", \"speaking\", \"that''s me\", \"it''s me\"]\n\n[phrases.not_owner]\nzh = [\"不是\", \"不是我\", \"你打错了\", \"打错了\", \"不是本人\"]\nen = [\"no\", \"wrong number\", \"not me\", \"i am not\"]\n\n[phrases.understood]\nzh = [\"明白\", \"明白了\", \"知道了\", \"听明白了\", \"我不转了\", \"好的\"]\nen = [\"i understand\", \"understood\", \"okay\", \"i will not pay\"]\n\n[phrases.disbelief]\nzh = [\"不信\", \"我不信\", \"不相信\", \"你是骗子\", \"你才是骗子\"]\nen = [\"i don''t believe you\", \"i do not believe it\", \"you are the fraud\"]\n\n[phrases.saw_through]\nzh = [\"我没上当\", \"我知道是骗子\", \"识破了\", \"已经拉黑了\"]\nen = [\"i saw through it\", \"i blocked them\"]\n\n[phrases.enough]\nzh = [\"不用再打了\", \"别再打了\", \"不需要回访\"]\nen = [\"no more calls\", \"stop calling\"]\n\n[phrases.guardian]\nzh = [\"我是家长\", \"我是他妈妈\", \"我是他爸爸\", \"家长在听\"]\nen = [\"i am the parent\", \"i am his mother\", \"i am his father\"]\n\n[phrases.child]\nzh = [\"没满十八岁\", \"我还没成年\", \"未成年\"]\nen = [\"i am under eighteen\", \"i am a child\"]\n\n[phrases.officer]\nzh = [\"人工\", \"转人工\", \"找民警\", \"找警察\", \"我要跟民警说\", \"叫真人来\", \"听不懂\"]\nen = [\"officer\", \"a person\", \"human\", \"talk to someone\", \"speak to an officer\"]\n\n[phrases.repeat]\nzh = [\"再说一遍\", \"没听清\", \"重复一遍\", \"什么意思\"]\nen = [\"again\", \"repeat\", \"say that again\", \"pardon\"]\n\n[anywhere]\n0 = { next = \"officer\", answer = \"wants_officer\", phrases = \"officer\" }\n9 = { next = \"repeat\", phrases = \"repeat\" }\n\n# Sent when the phone cannot be reached, and after a verified warning: no link, no number, nothing to answer.\n[message]\nzh = \"【{bureau}】反诈预警：您可能正在遭遇诈骗：请马上停止转账，不要再和对方联系，尽快告诉家人，或到就近派出所核实。本短信无需回复。\"\nen = \"{bureau}: fraud warning. You may be in the middle of a fraud. Do not transfer any money, end all contact, tell your family, or ask at the nearest police station. No reply is needed.\"\n\n[nodes.opening]\nkind = \"say\"\nmust_say = true\nzh = \"您好，这里是{bureau}，请您先不要转账，马上挂断对方的电话。我是反诈机器人。\"\nen = \"Hello, this is {bureau}: do not transfer any money, and hang up on the other caller now. I am an automatic warning voice.\"\nnext = \"identity\"\n\n[nodes.identity]\nkind = \"ask\"\nzh = \"请问您是这个号码的机主本人吗？是本人，请按1；不是，请按2；找民警，请按0。\"\nen = \"Are you the owner of this number? Yes, press 1. No, press 2. For an officer, press 0.\"\ntimeout_seconds = 7\nretries = 2\nrepeat_from = \"opening\"\notherwise = \"nobody_said\"\n\n[nodes.identity.choices]\n1 = { next = \"audience\", contact = \"verified\", phrases = \"owner\" }\n2 = { next = \"wrong_person\", answer = \"wrong_person\", needs_key = true, phrases = \"not_owner\" }\n\n# A child''s phone: the guardian is who has to hear this.\n[nodes.audience]\nkind = \"branch\"\non = \"tag\"\ncases = { minor = \"guardian\" }\notherwise = \"scene\"\n\n[nodes.guardian]\nkind = \"ask\"\nzh = \"请把电话交给家长。家长在听，请按1；家长不在，请按2；已经转账，请按3。\"\nen = \"Please give the phone to a parent. Parent listening, press 1. No parent here, press 2. Already paid, press 3.\"\ntimeout_seconds = 15\nretries = 1\notherwise = \"guardian_away\"\n[nodes.guardian.choices]\n1 = { next = \"scene\", phrases = \"guardian\" }\n2 = { next = \"guardian_away\", phrases = \"no\" }\n3 = { next = \"officer_paid\", answer = \"already_paid\", phrases = \"paid\" }\n\n[nodes.guardian_away]\nkind = \"end\"\ncontact = \"verified\"\nanswer = \"doubtful\"\nurgency = \"now\"\nmust_say = true\nzh = \"请马上告诉家长，先不要给任何人转账。我们的民警会联系你的家长。再见。\"\nen = \"Please tell your parents at once, and pay nobody. An officer will contact your parents. Goodbye.\"\n\n[nodes.scene]\nkind = \"ask\"\nzh = \"有没有人打电话、在网上让您转账，或者要您的验证码？有，请按1；没有，请按2；已经转账，请按3。\"\nen = \"Has somebody asked you by telephone or online for a transfer, an advance or a code? Yes, press 1. No, press 2. Already paid, press 3.\"\ntimeout_seconds = 8\nretries = 2\notherwise = \"unsure\"\n[nodes.scene.choices]\n1 = { next = \"warn\", phrases = \"yes\" }\n2 = { next = \"warn\", phrases = \"no\" }\n3 = { next = \"officer_paid\", answer = \"already_paid\", phrases = \"paid\" }\n\n[nodes.warn]\nkind = \"say\"\nmust_say = true\nzh = \"请注意：不认识的人让您转账，不管说什么理由，都先停下来。要验证码、要共享屏幕的，都是诈骗。\"\nen = \"Please listen: if a stranger asks for a transfer, stop, whatever the reason. Anybody who wants your code or your screen is a fraud.\"\nnext = \"caution\"\n\n[nodes.caution]\nkind = \"say\"\nmust_say = true\nzh = \"有骗子会说，我们是假警察。不放心，就请挂断，打区号加{hotline}，或者110，也可以去派出所问清楚。\"\nen = \"Fraudsters say that we are fake police. If in doubt, hang up and dial your area code and {hotline}, or 110, or go to a police station.\"\nnext = \"acknowledge\"\n\n[nodes.acknowledge]\nkind = \"ask\"\nmust_say = true\nzh = \"听明白了，不再转账，请按1；不相信，请按2；找民警，请按0；重听，请按9。\"\nen = \"If you understand and will not pay, press 1. If you do not believe it, press 2. For an officer, press 0. To hear it again, press 9.\"\ntimeout_seconds = 8\nretries = 2\nrepeat_from = \"warn\"\notherwise = \"unsure\"\n\n[nodes.acknowledge.choices]\n1 = { next = \"goodbye\", answer = \"acknowledged\", needs_key = true, phrases = \"understood\" }\n2 = { next = \"officer_doubt\", phrases = \"disbelief\" }\n\n[nodes.goodbye]\nkind = \"end\"\ncontact = \"verified\"\nanswer = \"acknowledged\"\nurgency = \"none\"\nmust_say = true\nzh = \"谢谢您。请记住，不要转账，不要告诉别人验证码。再见。\"\nen = \"Thank you. Remember: do not transfer money, and tell nobody a code. Goodbye.\"\n\n[nodes.nobody_said]\nkind = \"end\"\ncontact = \"unverified\"\nanswer = \"doubtful\"\nurgency = \"now\"\nzh = \"没有听到您的答复，我们的民警会再联系您。请先不要转账，再见。\"\nen = \"I heard no answer. An officer will contact you. Do not transfer any money. Goodbye.\"\n\n[nodes.unsure]\nkind = \"end\"\ncontact = \"verified\"\nanswer = \"doubtful\"\nurgency = \"now\"\nzh = \"没有听到您的答复，我们的民警会再联系您。请先不要转账，再见。\"\nen = \"I heard no answer. An officer will contact you. Do not transfer any money. Goodbye.\"\n\n[nodes.wrong_person]\nkind = \"end\"\ncontact = \"unverified\"\nanswer = \"wrong_person\"\nurgency = \"soon\"\nzh = \"对不起，打扰了。如果您认识机主，请让他尽快联系派出所。再见。\"\nen = \"Sorry to trouble you. If you know the owner of this number, please ask them to contact a police station soon. Goodbye.\"\n\n[nodes.officer]\nkind = \"hand_over\"\nanswer = \"wants_officer\"\nurgency = \"now\"\nzh = \"好的，马上请民警接电话，请不要挂断。这段时间不要转账。\"\nen = \"Very well, I am calling an officer for you. Please stay on the line, and do not transfer any money.\"\nnext = \"officer_busy\"\n\n[nodes.officer_busy]\nkind = \"end\"\ncontact = \"verified\"\nanswer = \"wants_officer\"\nurgency = \"now\"\nzh = \"现在民警都在忙，会尽快给您回电话。请先不要转账，再见。\"\nen = \"All officers are busy. One will ring you back very soon. Do not transfer any money. Goodbye.\"\n\n[nodes.officer_doubt]\nkind = \"hand_over\"\nanswer = \"refuses\"\nurgency = \"now\"\nzh = \"您有顾虑，我们理解。马上请民警跟您说，请不要挂断。\"\nen = \"We understand your doubts. An officer will talk to you now. Please stay on the line.\"\nnext = \"doubt_busy\"\n\n[nodes.doubt_busy]\nkind = \"end\"\ncontact = \"verified\"\nanswer = \"refuses\"\nurgency = \"now\"\nzh = \"现在民警都在忙，会尽快给您回电话。请先不要转账，再见。\"\nen = \"All officers are busy. One will ring you back very soon. Do not transfer any money. Goodbye.\"\n\n[nodes.officer_paid]\nkind = \"hand_over\"\nanswer = \"already_paid\"\nurgency = \"now\"\nmust_say = true\nzh = \"已经转账，时间很要紧。马上请民警接电话，请不要挂断。\"\nen = \"You have paid, so every minute counts. I am calling an officer. Please stay on the line.\"\nnext = \"paid_amount\"\n\n[nodes.paid_amount]\nkind = \"ask\"\nzh = \"我们的民警会马上给您回电话。请输入转账的金额，然后按井号键。\"\nen = \"An officer will ring you back at once. Please type the amount you paid, in yuan, and then the hash key.\"\ntimeout_seconds = 10\nretries = 1\notherwise = \"paid_account\"\ncollect = \"paid_yuan\"\nmax_digits = 8\nnext = \"paid_account\"\n\n[nodes.paid_account]\nkind = \"ask\"\nzh = \"如果知道对方的收款账号，请输入最后四位，然后按井号键。\"\nen = \"If you know the account you paid into, type its last four digits, and then the hash key.\"\ntimeout_seconds = 8\nretries = 0\notherwise = \"paid_when\"\ncollect = \"payee_account_last4\"\nmax_digits = 4\nnext = \"paid_when\"\n\n[nodes.paid_when]\nkind = \"ask\"\nzh = \"刚刚转的，请按1；几个小时以前，请按2；昨天或者更早，请按3。\"\nen = \"If you have only just paid, press 1. Earlier today, press 2. Before today, press 3.\"\ntimeout_seconds = 7\nretries = 1\notherwise = \"paid_end\"\ncollect = \"paid_when\"\n\n[nodes.paid_when.choices]\n1 = { next = \"paid_end\" }\n2 = { next = \"paid_end\" }\n3 = { next = \"paid_end\" }\n\n[nodes.paid_end]\nkind = \"end\"\ncontact = \"verified\"\nanswer = \"already_paid\"\nurgency = \"now\"\nmust_say = true\nzh = \"已经记下。请您马上拨打110报警，保留好转账记录。不要再转账了，再见。\"\nen = \"That is noted. Please ring 110 now, and keep the record of your transfer. Do not pay any more. Goodbye.\"\n"]}', 'shipped', '2026-11-26 19:56:14.203986+00'),
	(8, 'hearing', 1, '7f8addb08f557a3bffe700b56dae81c5d2dcad7d6d3f9ead09dd37562563453d', '{"again":{"en":"I did not get your answer.","zh":"没有收到您的回答。"},"anywhere":{"0":{"answer":"wants_officer","next":"officer","phrases":"officer"},"9":{"next":"repeat","phrases":"repeat"}},"confirm":{"en":"To be sure, please answer with a key.","zh":"为了确认，请您按键回答。"},"default_language":"zh","fallbacks":{"mn":"zh"},"id":"hearing","languages":["zh","en","mn"],"message":{"en":"{bureau}: fraud warning. You may be in the middle of a fraud. Do not transfer any money, end all contact, tell your family, or ask at the nearest police station. No reply is needed.","zh":"【{bureau}】反诈预警：您可能正在遭遇诈骗：请马上停止转账，不要再和对方联系，尽快告诉家人，或到就近派出所核实。本短信无需回复。"},"nodes":{"acknowledge":{"choices":{"1":{"answer":"acknowledged","needs_key":true,"next":"goodbye","phrases":"understood"},"2":{"next":"officer_doubt","phrases":"disbelief"}},"en":"If you understand and will not pay, press 1. If you do not believe it, press 2. For an officer, press 0. To hear it again, press 9.","kind":"ask","must_say":true,"otherwise":"unsure","repeat_from":"warn","retries":2,"timeout_seconds":8,"zh":"听明白了，不再转账，请按1；不相信，请按2；找民警，请按0；重听，请按9。"},"audience":{"cases":{"minor":"guardian"},"kind":"branch","on":"tag","otherwise":"scene"},"by_text":{"answer":"language_or_hearing","contact":"unverified","en":"Very well. Please read our message, and do not transfer any money. Goodbye.","kind":"end","urgency":"now","zh":"好的，请看短信，先不要转账。再见。"},"caution":{"en":"Fraudsters say that we are fake police. If in doubt, hang up and dial your area code and {hotline}, or 110, or go to a police station.","kind":"say","must_say":true,"next":"acknowledge","zh":"有骗子会说，我们是假警察。不放心，就请挂断，打区号加{hotline}，或者110，也可以去派出所问清楚。"},"doubt_busy":{"answer":"refuses","contact":"verified","en":"All officers are busy. One will ring you back very soon. Do not transfer any money. Goodbye.","kind":"end","urgency":"now","zh":"现在民警都在忙，会尽快给您回电话。请先不要转账，再见。"},"goodbye":{"answer":"acknowledged","contact":"verified","en":"Thank you. Remember: do not transfer money, and tell nobody a code. Goodbye.","kind":"end","must_say":true,"urgency":"none","zh":"谢谢您。请记住，不要转账，不要告诉别人验证码。再见。"},"guardian":{"choices":{"1":{"next":"scene","phrases":"guardian"},"2":{"next":"guardian_away","phrases":"no"},"3":{"answer":"already_paid","next":"officer_paid","phrases":"paid"}},"en":"Please give the phone to a parent. Parent listening, press 1. No parent here, press 2. Already paid, press 3.","kind":"ask","otherwise":"guardian_away","retries":1,"timeout_seconds":15,"zh":"请把电话交给家长。家长在听，请按1；家长不在，请按2；已经转账，请按3。"},"guardian_away":{"answer":"doubtful","contact":"verified","en":"Please tell your parents at once, and pay nobody. An officer will contact your parents. Goodbye.","kind":"end","must_say":true,"urgency":"now","zh":"请马上告诉家长，先不要给任何人转账。我们的民警会联系你的家长。再见。"},"identity":{"choices":{"1":{"contact":"verified","next":"audience","phrases":"owner"},"2":{"answer":"wrong_person","needs_key":true,"next":"wrong_person","phrases":"not_owner"}},"en":"If you can hear me and own this number, press 1. If it is not yours, press 2. If you cannot hear me, do nothing: we will send a message.","kind":"ask","otherwise":"by_text","repeat_from":"opening","retries":1,"timeout_seconds":8,"zh":"如果听得清，是机主本人，请按1；不是机主，请按2；听不清，不用回答，我们会发短信。"},"nobody_said":{"answer":"doubtful","contact":"unverified","en":"I heard no answer. An officer will contact you. Do not transfer any money. Goodbye.","kind":"end","urgency":"now","zh":"没有听到您的答复，我们的民警会再联系您。请先不要转账，再见。"},"officer":{"answer":"wants_officer","en":"Very well, I am calling an officer for you. Please stay on the line, and do not transfer any money.","kind":"hand_over","next":"officer_busy","urgency":"now","zh":"好的，马上请民警接电话，请不要挂断。这段时间不要转账。"},"officer_busy":{"answer":"wants_officer","contact":"verified","en":"All officers are busy. One will ring you back very soon. Do not transfer any money. Goodbye.","kind":"end","urgency":"now","zh":"现在民警都在忙，会尽快给您回电话。请先不要转账，再见。"},"officer_doubt":{"answer":"refuses","en":"We understand your doubts. An officer will talk to you now. Please stay on the line.","kind":"hand_over","next":"doubt_busy","urgency":"now","zh":"您有顾虑，我们理解。马上请民警跟您说，请不要挂断。"},"officer_paid":{"answer":"already_paid","en":"You have paid, so every minute counts. I am calling an officer. Please stay on the line.","kind":"hand_over","must_say":true,"next":"paid_amount","urgency":"now","zh":"已经转账，时间很要紧。马上请民警接电话，请不要挂断。"},"opening":{"en":"Hello, this is {bureau}: do not transfer any money, and hang up on the other caller now. I am an automatic warning voice.","kind":"say","must_say":true,"next":"identity","zh":"您好，这里是{bureau}，请您先不要转账，马上挂断对方的电话。我是反诈机器人。"},"paid_account":{"collect":"payee_account_last4","en":"If you know the account you paid into, type its last four digits, and then the hash key.","kind":"ask","max_digits":4,"next":"paid_when","otherwise":"paid_when","retries":0,"timeout_seconds":8,"zh":"如果知道对方的收款账号，请输入最后四位，然后按井号键。"},"paid_amount":{"collect":"paid_yuan","en":"An officer will ring you back at once. Please type the amount you paid, in yuan, and then the hash key.","kind":"ask","max_digits":8,"next":"paid_account","otherwise":"paid_account","retries":1,"timeout_seconds":10,"zh":"我们的民警会马上给您回电话。请输入转账的金额，然后按井号键。"},"paid_end":{"answer":"already_paid","contact":"verified","en":"That is noted. Please ring 110 now, and keep the record of your transfer. Do not pay any more. Goodbye.","kind":"end","must_say":true,"urgency":"now","zh":"已经记下。请您马上拨打110报警，保留好转账记录。不要再转账了，再见。"},"paid_when":{"choices":{"1":{"next":"paid_end"},"2":{"next":"paid_end"},"3":{"next":"paid_end"}},"collect":"paid_when","en":"If you have only just paid, press 1. Earlier today, press 2. Before today, press 3.","kind":"ask","otherwise":"paid_end","retries":1,"timeout_seconds":7,"zh":"刚刚转的，请按1；几个小时以前，请按2；昨天或者更早，请按3。"},"scene":{"choices":{"1":{"next":"warn","phrases":"yes"},"2":{"next":"warn","phrases":"no"},"3":{"answer":"already_paid","next":"officer_paid","phrases":"paid"}},"en":"Has somebody asked you by telephone or online for a transfer, an advance or a code? Yes, press 1. No, press 2. Already paid, press 3.","kind":"ask","otherwise":"unsure","retries":2,"timeout_seconds":8,"zh":"有没有人打电话、在网上让您转账，或者要您的验证码？有，请按1；没有，请按2；已经转账，请按3。"},"unsure":{"answer":"doubtful","contact":"verified","en":"I heard no answer. An officer will contact you. Do not transfer any money. Goodbye.","kind":"end","urgency":"now","zh":"没有听到您的答复，我们的民警会再联系您。请先不要转账，再见。"},"warn":{"en":"Please listen: if a stranger asks for a transfer, stop, whatever the reason. Anybody who wants your code or your screen is a fraud.","kind":"say","must_say":true,"next":"caution","zh":"请注意：不认识的人让您转账，不管说什么理由，都先停下来。要验证码、要共享屏幕的，都是诈骗。"},"wrong_person":{"answer":"wrong_person","contact":"unverified","en":"Sorry to trouble you. If you know the owner of this number, please ask them to contact a police station soon. Goodbye.","kind":"end","urgency":"soon","zh":"对不起，打扰了。如果您认识机主，请让他尽快联系派出所。再见。"}},"phrases":{"child":{"en":["i am under eighteen","i am a child"],"zh":["没满十八岁","我还没成年","未成年"]},"disbelief":{"en":["i don''t believe you","i do not believe it","you are the fraud"],"zh":["不信","我不信","不相信","你是骗子","你才是骗子"]},"enough":{"en":["no more calls","stop calling"],"zh":["不用再打了","别再打了","不需要回访"]},"guardian":{"en":["i am the parent","i am his mother","i am his father"],"zh":["我是家长","我是他妈妈","我是他爸爸","家长在听"]},"no":{"en":["no","nobody did","not at all"],"zh":["没有","没","没有人","没有的事","不是","不在"]},"not_owner":{"en":["no","wrong number","not me","i am not"],"zh":["不是","不是我","你打错了","打错了","不是本人"]},"officer":{"en":["officer","a person","human","talk to someone","speak to an officer"],"zh":["人工","转人工","找民警","找警察","我要跟民警说","叫真人来","听不懂"]},"owner":{"en":["yes","yes i am","speaking","that''s me","it''s me"],"zh":["是","是的","是我","对","我是","我就是","本人","我是本人","是本人"]},"paid":{"en":["i have paid","i already paid","i have already paid","i paid"],"zh":["已经转了","我已经转了","钱转过去了","已经转账了","转了","已经付了"]},"repeat":{"en":["again","repeat","say that again","pardon"],"zh":["再说一遍","没听清","重复一遍","什么意思"]},"saw_through":{"en":["i saw through it","i blocked them"],"zh":["我没上当","我知道是骗子","识破了","已经拉黑了"]},"understood":{"en":["i understand","understood","okay","i will not pay"],"zh":["明白","明白了","知道了","听明白了","我不转了","好的"]},"yes":{"en":["yes","yes they did","yes i did","i can hear you"],"zh":["有","有的","是","是的","对","对的","有过","有人打过","听得清"]}},"said_in":{"acknowledge":"common","again":"common","audience":"common","caution":"common","confirm":"common","doubt_busy":"common","goodbye":"common","guardian":"common","guardian_away":"common","nobody_said":"common","officer":"common","officer_busy":"common","officer_doubt":"common","officer_paid":"common","opening":"common","paid_account":"common","paid_amount":"common","paid_end":"common","paid_when":"common","scene":"common","unsure":"common","warn":"common","wrong_person":"common"},"start":"opening","tags":["hearing"],"title":{"en":"Warning for the hard of hearing","zh":"听障人士预警"},"variables":{"bureau":{"defaults":{"en":"the city anti-fraud centre","zh":"市反诈中心"},"kind":"text"},"greeting":{"kind":"time_of_day"},"hotline":{"defaults":{"en":"96110","zh":"96110"},"kind":"phone"}}}', 'hearing.toml', '# For people on record as hard of hearing. What is on record is not said: whoever can hear goes on as usual,
# and silence means that a message and an officer take over.
extends = "common"
id = "hearing"
tags = ["hearing"]
[title]
zh = "听障人士预警"
en = "Warning for the hard of hearing"
[nodes.identity]
kind = "ask"
zh = "如果听得清，是机主本人，请按1；不是机主，请按2；听不清，不用回答，我们会发短信。"
en = "If you can hear me and own this number, press 1. If it is not yours, press 2. If you cannot hear me, do nothing: we will send a message."
timeout_seconds = 8
retries = 1
repeat_from = "opening"
otherwise = "by_text"
[nodes.identity.choices]
1 = { next = "audience", contact = "verified", phrases = "owner" }
2 = { next = "wrong_person", answer = "wrong_person", needs_key = true, phrases = "not_owner" }
[nodes.by_text]
kind = "end"
contact = "unverified"
answer = "language_or_hearing"
urgency = "now"
zh = "好的，请看短信，先不要转账。再见。"
en = "Very well. Please read our message, and do not transfer any money. Goodbye."
', '{"common": ["common.toml", "# What every script shares: who we are, whom we ask for, the caution, the farewell, and the ways to an officer.\n# A script takes this with `extends = \"common\"` and replaces whole nodes under the same name.\n# mn is declared without texts: a centre adds its recordings by prompt name; until then Mandarin is spoken.\n\nlanguages = [\"zh\", \"en\", \"mn\"]\ndefault_language = \"zh\"\nfallbacks = { mn = \"zh\" }\nstart = \"opening\"\n\n[again]\nzh = \"没有收到您的回答。\"\nen = \"I did not get your answer.\"\n\n[confirm]\nzh = \"为了确认，请您按键回答。\"\nen = \"To be sure, please answer with a key.\"\n\n[variables.bureau]\nkind = \"text\"\ndefaults = { zh = \"市反诈中心\", en = \"the city anti-fraud centre\" }\n\n[variables.hotline]\nkind = \"phone\"\ndefaults = { zh = \"96110\", en = \"96110\" }\n\n[variables.greeting]\nkind = \"time_of_day\"\n\n[phrases.yes]\nzh = [\"有\", \"有的\", \"是\", \"是的\", \"对\", \"对的\", \"有过\", \"有人打过\", \"听得清\"]\nen = [\"yes\", \"yes they did\", \"yes i did\", \"i can hear you\"]\n\n[phrases.no]\nzh = [\"没有\", \"没\", \"没有人\", \"没有的事\", \"不是\", \"不在\"]\nen = [\"no\", \"nobody did\", \"not at all\"]\n\n[phrases.paid]\nzh = [\"已经转了\", \"我已经转了\", \"钱转过去了\", \"已经转账了\", \"转了\", \"已经付了\"]\nen = [\"i have paid\", \"i already paid\", \"i have already paid\", \"i paid\"]\n\n[phrases.owner]\nzh = [\"是\", \"是的\", \"是我\", \"对\", \"我是\", \"我就是\", \"本人\", \"我是本人\", \"是本人\"]\nen = [\"yes\", \"yes i am\", \"speaking\", \"that''s me\", \"it''s me\"]\n\n[phrases.not_owner]\nzh = [\"不是\", \"不是我\", \"你打错了\", \"打错了\", \"不是本人\"]\nen = [\"no\", \"wrong number\", \"not me\", \"i am not\"]\n\n[phrases.understood]\nzh = [\"明白\", \"明白了\", \"知道了\", \"听明白了\", \"我不转了\", \"好的\"]\nen = [\"i understand\", \"understood\", \"okay\", \"i will not pay\"]\n\n[phrases.disbelief]\nzh = [\"不信\", \"我不信\", \"不相信\", \"你是骗子\", \"你才是骗子\"]\nen = [\"i don''t believe you\", \"i do not believe it\", \"you are the fraud\"]\n\n[phrases.saw_through]\nzh = [\"我没上当\", \"我知道是骗子\", \"识破了\", \"已经拉黑了\"]\nen = [\"i saw through it\", \"i blocked them\"]\n\n[phrases.enough]\nzh = [\"不用再打了\", \"别再打了\", \"不需要回访\"]\nen = [\"no more calls\", \"stop calling\"]\n\n[phrases.guardian]\nzh = [\"我是家长\", \"我是他妈妈\", \"我是他爸爸\", \"家长在听\"]\nen = [\"i am the parent\", \"i am his mother\", \"i am his father\"]\n\n[phrases.child]\nzh = [\"没满十八岁\", \"我还没成年\", \"未成年\"]\nen = [\"i am under eighteen\", \"i am a child\"]\n\n[phrases.officer]\nzh = [\"人工\", \"转人工\", \"找民警\", \"找警察\", \"我要跟民警说\", \"叫真人来\", \"听不懂\"]\nen = [\"officer\", \"a person\", \"human\", \"talk to someone\", \"speak to an officer\"]\n\n[phrases.repeat]\nzh = [\"再说一遍\", \"没听清\", \"重复一遍\", \"什么意思\"]\nen = [\"again\", \"repeat\", \"say that again\", \"pardon\"]\n\n[anywhere]\n0 = { next = \"officer\", answer = \"wants_officer\", phrases = \"officer\" }\n9 = { next = \"repeat\", phrases = \"repeat\" }\n\n# Sent when the phone cannot be reached, and after a verified warning: no link, no number, nothing to answer.\n[message]\nzh = \"【{bureau}】反诈预警：您可能正在遭遇诈骗：请马上停止转账，不要再和对方联系，尽快告诉家人，或到就近派出所核实。本短信无需回复。\"\nen = \"{bureau}: fraud warning. You may be in the middle of a fraud. Do not transfer any money, end all contact, tell your family, or ask at the nearest police station. No reply is needed.\"\n\n[nodes.opening]\nkind = \"say\"\nmust_say = true\nzh = \"您好，这里是{bureau}，请您先不要转账，马上挂断对方的电话。我是反诈机器人。\"\nen = \"Hello, this is {bureau}: do not transfer any money, and hang up on the other caller now. I am an automatic warning voice.\"\nnext = \"identity\"\n\n[nodes.identity]\nkind = \"ask\"\nzh = \"请问您是这个号码的机主本人吗？是本人，请按1；不是，请按2；找民警，请按0。\"\nen = \"Are you the owner of this number? Yes, press 1. No, press 2. For an officer, press 0.\"\ntimeout_seconds = 7\nretries = 2\nrepeat_from = \"opening\"\notherwise = \"nobody_said\"\n\n[nodes.identity.choices]\n1 = { next = \"audience\", contact = \"verified\", phrases = \"owner\" }\n2 = { next = \"wrong_person\", answer = \"wrong_person\", needs_key = true, phrases = \"not_owner\" }\n\n# A child''s phone: the guardian is who has to hear this.\n[nodes.audience]\nkind = \"branch\"\non = \"tag\"\ncases = { minor = \"guardian\" }\notherwise = \"scene\"\n\n[nodes.guardian]\nkind = \"ask\"\nzh = \"请把电话交给家长。家长在听，请按1；家长不在，请按2；已经转账，请按3。\"\nen = \"Please give the phone to a parent. Parent listening, press 1. No parent here, press 2. Already paid, press 3.\"\ntimeout_seconds = 15\nretries = 1\notherwise = \"guardian_away\"\n[nodes.guardian.choices]\n1 = { next = \"scene\", phrases = \"guardian\" }\n2 = { next = \"guardian_away\", phrases = \"no\" }\n3 = { next = \"officer_paid\", answer = \"already_paid\", phrases = \"paid\" }\n\n[nodes.guardian_away]\nkind = \"end\"\ncontact = \"verified\"\nanswer = \"doubtful\"\nurgency = \"now\"\nmust_say = true\nzh = \"请马上告诉家长，先不要给任何人转账。我们的民警会联系你的家长。再见。\"\nen = \"Please tell your parents at once, and pay nobody. An officer will contact your parents. Goodbye.\"\n\n[nodes.scene]\nkind = \"ask\"\nzh = \"有没有人打电话、在网上让您转账，或者要您的验证码？有，请按1；没有，请按2；已经转账，请按3。\"\nen = \"Has somebody asked you by telephone or online for a transfer, an advance or a code? Yes, press 1. No, press 2. Already paid, press 3.\"\ntimeout_seconds = 8\nretries = 2\notherwise = \"unsure\"\n[nodes.scene.choices]\n1 = { next = \"warn\", phrases = \"yes\" }\n2 = { next = \"warn\", phrases = \"no\" }\n3 = { next = \"officer_paid\", answer = \"already_paid\", phrases = \"paid\" }\n\n[nodes.warn]\nkind = \"say\"\nmust_say = true\nzh = \"请注意：不认识的人让您转账，不管说什么理由，都先停下来。要验证码、要共享屏幕的，都是诈骗。\"\nen = \"Please listen: if a stranger asks for a transfer, stop, whatever the reason. Anybody who wants your code or your screen is a fraud.\"\nnext = \"caution\"\n\n[nodes.caution]\nkind = \"say\"\nmust_say = true\nzh = \"有骗子会说，我们是假警察。不放心，就请挂断，打区号加{hotline}，或者110，也可以去派出所问清楚。\"\nen = \"Fraudsters say that we are fake police. If in doubt, hang up and dial your area code and {hotline}, or 110, or go to a police station.\"\nnext = \"acknowledge\"\n\n[nodes.acknowledge]\nkind = \"ask\"\nmust_say = true\nzh = \"听明白了，不再转账，请按1；不相信，请按2；找民警，请按0；重听，请按9。\"\nen = \"If you understand and will not pay, press 1. If you do not believe it, press 2. For an officer, press 0. To hear it again, press 9.\"\ntimeout_seconds = 8\nretries = 2\nrepeat_from = \"warn\"\notherwise = \"unsure\"\n\n[nodes.acknowledge.choices]\n1 = { next = \"goodbye\", answer = \"acknowledged\", needs_key = true, phrases = \"understood\" }\n2 = { next = \"officer_doubt\", phrases = \"disbelief\" }\n\n[nodes.goodbye]\nkind = \"end\"\ncontact = \"verified\"\nanswer = \"acknowledged\"\nurgency = \"none\"\nmust_say = true\nzh = \"谢谢您。请记住，不要转账，不要告诉别人验证码。再见。\"\nen = \"Thank you. Remember: do not transfer money, and tell nobody a code. Goodbye.\"\n\n[nodes.nobody_said]\nkind = \"end\"\ncontact = \"unverified\"\nanswer = \"doubtful\"\nurgency = \"now\"\nzh = \"没有听到您的答复，我们的民警会再联系您。请先不要转账，再见。\"\nen = \"I heard no answer. An officer will contact you. Do not transfer any money. Goodbye.\"\n\n[nodes.unsure]\nkind = \"end\"\ncontact = \"verified\"\nanswer = \"doubtful\"\nurgency = \"now\"\nzh = \"没有听到您的答复，我们的民警会再联系您。请先不要转账，再见。\"\nen = \"I heard no answer. An officer will contact you. Do not transfer any money. Goodbye.\"\n\n[nodes.wrong_person]\nkind = \"end\"\ncontact = \"unverified\"\nanswer = \"wrong_person\"\nurgency = \"soon\"\nzh = \"对不起，打扰了。如果您认识机主，请让他尽快联系派出所。再见。\"\nen = \"Sorry to trouble you. If you know the owner of this number, please ask them to contact a police station soon. Goodbye.\"\n\n[nodes.officer]\nkind = \"hand_over\"\nanswer = \"wants_officer\"\nurgency = \"now\"\nzh = \"好的，马上请民警接电话，请不要挂断。这段时间不要转账。\"\nen = \"Very well, I am calling an officer for you. Please stay on the line, and do not transfer any money.\"\nnext = \"officer_busy\"\n\n[nodes.officer_busy]\nkind = \"end\"\ncontact = \"verified\"\nanswer = \"wants_officer\"\nurgency = \"now\"\nzh = \"现在民警都在忙，会尽快给您回电话。请先不要转账，再见。\"\nen = \"All officers are busy. One will ring you back very soon. Do not transfer any money. Goodbye.\"\n\n[nodes.officer_doubt]\nkind = \"hand_over\"\nanswer = \"refuses\"\nurgency = \"now\"\nzh = \"您有顾虑，我们理解。马上请民警跟您说，请不要挂断。\"\nen = \"We understand your doubts. An officer will talk to you now. Please stay on the line.\"\nnext = \"doubt_busy\"\n\n[nodes.doubt_busy]\nkind = \"end\"\ncontact = \"verified\"\nanswer = \"refuses\"\nurgency = \"now\"\nzh = \"现在民警都在忙，会尽快给您回电话。请先不要转账，再见。\"\nen = \"All officers are busy. One will ring you back very soon. Do not transfer any money. Goodbye.\"\n\n[nodes.officer_paid]\nkind = \"hand_over\"\nanswer = \"already_paid\"\nurgency = \"now\"\nmust_say = true\nzh = \"已经转账，时间很要紧。马上请民警接电话，请不要挂断。\"\nen = \"You have paid, so every minute counts. I am calling an officer. Please stay on the line.\"\nnext = \"paid_amount\"\n\n[nodes.paid_amount]\nkind = \"ask\"\nzh = \"我们的民警会马上给您回电话。请输入转账的金额，然后按井号键。\"\nen = \"An officer will ring you back at once. Please type the amount you paid, in yuan, and then the hash key.\"\ntimeout_seconds = 10\nretries = 1\notherwise = \"paid_account\"\ncollect = \"paid_yuan\"\nmax_digits = 8\nnext = \"paid_account\"\n\n[nodes.paid_account]\nkind = \"ask\"\nzh = \"如果知道对方的收款账号，请输入最后四位，然后按井号键。\"\nen = \"If you know the account you paid into, type its last four digits, and then the hash key.\"\ntimeout_seconds = 8\nretries = 0\notherwise = \"paid_when\"\ncollect = \"payee_account_last4\"\nmax_digits = 4\nnext = \"paid_when\"\n\n[nodes.paid_when]\nkind = \"ask\"\nzh = \"刚刚转的，请按1；几个小时以前，请按2；昨天或者更早，请按3。\"\nen = \"If you have only just paid, press 1. Earlier today, press 2. Before today, press 3.\"\ntimeout_seconds = 7\nretries = 1\notherwise = \"paid_end\"\ncollect = \"paid_when\"\n\n[nodes.paid_when.choices]\n1 = { next = \"paid_end\" }\n2 = { next = \"paid_end\" }\n3 = { next = \"paid_end\" }\n\n[nodes.paid_end]\nkind = \"end\"\ncontact = \"verified\"\nanswer = \"already_paid\"\nurgency = \"now\"\nmust_say = true\nzh = \"已经记下。请您马上拨打110报警，保留好转账记录。不要再转账了，再见。\"\nen = \"That is noted. Please ring 110 now, and keep the record of your transfer. Do not pay any more. Goodbye.\"\n"]}', 'shipped', '2026-11-26 19:56:14.203986+00'),
	(9, 'investment', 1, '637f8d3b40f8417932f764f0265c5f9e421fbc292ea39f5683617eb3c0bb68a0', '{"again":{"en":"I did not get your answer.","zh":"没有收到您的回答。"},"anywhere":{"0":{"answer":"wants_officer","next":"officer","phrases":"officer"},"9":{"next":"repeat","phrases":"repeat"}},"confirm":{"en":"To be sure, please answer with a key.","zh":"为了确认，请您按键回答。"},"default_language":"zh","fallbacks":{"mn":"zh"},"fraud_types":["investment"],"id":"investment","languages":["zh","en","mn"],"message":{"en":"{bureau}: fraud warning. You may be in the middle of a fraud. Do not transfer any money, end all contact, tell your family, or ask at the nearest police station. No reply is needed.","zh":"【{bureau}】反诈预警：您可能正在遭遇诈骗：请马上停止转账，不要再和对方联系，尽快告诉家人，或到就近派出所核实。本短信无需回复。"},"nodes":{"acknowledge":{"choices":{"1":{"answer":"acknowledged","needs_key":true,"next":"goodbye","phrases":"understood"},"2":{"next":"officer_doubt","phrases":"disbelief"}},"en":"If you understand and will not pay, press 1. If you do not believe it, press 2. For an officer, press 0. To hear it again, press 9.","kind":"ask","must_say":true,"otherwise":"unsure","repeat_from":"warn","retries":2,"timeout_seconds":8,"zh":"听明白了，不再转账，请按1；不相信，请按2；找民警，请按0；重听，请按9。"},"audience":{"cases":{"minor":"guardian"},"kind":"branch","on":"tag","otherwise":"scene"},"caution":{"en":"Fraudsters say that we are fake police. If in doubt, hang up and dial your area code and {hotline}, or 110, or go to a police station.","kind":"say","must_say":true,"next":"acknowledge","zh":"有骗子会说，我们是假警察。不放心，就请挂断，打区号加{hotline}，或者110，也可以去派出所问清楚。"},"doubt_busy":{"answer":"refuses","contact":"verified","en":"All officers are busy. One will ring you back very soon. Do not transfer any money. Goodbye.","kind":"end","urgency":"now","zh":"现在民警都在忙，会尽快给您回电话。请先不要转账，再见。"},"goodbye":{"answer":"acknowledged","contact":"verified","en":"Thank you. Remember: do not transfer money, and tell nobody a code. Goodbye.","kind":"end","must_say":true,"urgency":"none","zh":"谢谢您。请记住，不要转账，不要告诉别人验证码。再见。"},"guardian":{"choices":{"1":{"next":"scene","phrases":"guardian"},"2":{"next":"guardian_away","phrases":"no"},"3":{"answer":"already_paid","next":"officer_paid","phrases":"paid"}},"en":"Please give the phone to a parent. Parent listening, press 1. No parent here, press 2. Already paid, press 3.","kind":"ask","otherwise":"guardian_away","retries":1,"timeout_seconds":15,"zh":"请把电话交给家长。家长在听，请按1；家长不在，请按2；已经转账，请按3。"},"guardian_away":{"answer":"doubtful","contact":"verified","en":"Please tell your parents at once, and pay nobody. An officer will contact your parents. Goodbye.","kind":"end","must_say":true,"urgency":"now","zh":"请马上告诉家长，先不要给任何人转账。我们的民警会联系你的家长。再见。"},"identity":{"choices":{"1":{"contact":"verified","next":"audience","phrases":"owner"},"2":{"answer":"wrong_person","needs_key":true,"next":"wrong_person","phrases":"not_owner"}},"en":"Are you the owner of this number? Yes, press 1. No, press 2. For an officer, press 0.","kind":"ask","otherwise":"nobody_said","repeat_from":"opening","retries":2,"timeout_seconds":7,"zh":"请问您是这个号码的机主本人吗？是本人，请按1；不是，请按2；找民警，请按0。"},"nobody_said":{"answer":"doubtful","contact":"unverified","en":"I heard no answer. An officer will contact you. Do not transfer any money. Goodbye.","kind":"end","urgency":"now","zh":"没有听到您的答复，我们的民警会再联系您。请先不要转账，再见。"},"officer":{"answer":"wants_officer","en":"Very well, I am calling an officer for you. Please stay on the line, and do not transfer any money.","kind":"hand_over","next":"officer_busy","urgency":"now","zh":"好的，马上请民警接电话，请不要挂断。这段时间不要转账。"},"officer_busy":{"answer":"wants_officer","contact":"verified","en":"All officers are busy. One will ring you back very soon. Do not transfer any money. Goodbye.","kind":"end","urgency":"now","zh":"现在民警都在忙，会尽快给您回电话。请先不要转账，再见。"},"officer_doubt":{"answer":"refuses","en":"We understand your doubts. An officer will talk to you now. Please stay on the line.","kind":"hand_over","next":"doubt_busy","urgency":"now","zh":"您有顾虑，我们理解。马上请民警跟您说，请不要挂断。"},"officer_paid":{"answer":"already_paid","en":"You have paid, so every minute counts. I am calling an officer. Please stay on the line.","kind":"hand_over","must_say":true,"next":"paid_amount","urgency":"now","zh":"已经转账，时间很要紧。马上请民警接电话，请不要挂断。"},"officer_soon":{"answer":"doubtful","en":"An officer would like to talk to you. Please stay on the line.","kind":"hand_over","next":"caution","urgency":"now","zh":"我们的民警想跟您说几句，请不要挂断。"},"opening":{"en":"Hello, this is {bureau}: do not transfer any money, and hang up on the other caller now. I am an automatic warning voice.","kind":"say","must_say":true,"next":"identity","zh":"您好，这里是{bureau}，请您先不要转账，马上挂断对方的电话。我是反诈机器人。"},"paid_account":{"collect":"payee_account_last4","en":"If you know the account you paid into, type its last four digits, and then the hash key.","kind":"ask","max_digits":4,"next":"paid_when","otherwise":"paid_when","retries":0,"timeout_seconds":8,"zh":"如果知道对方的收款账号，请输入最后四位，然后按井号键。"},"paid_amount":{"collect":"paid_yuan","en":"An officer will ring you back at once. Please type the amount you paid, in yuan, and then the hash key.","kind":"ask","max_digits":8,"next":"paid_account","otherwise":"paid_account","retries":1,"timeout_seconds":10,"zh":"我们的民警会马上给您回电话。请输入转账的金额，然后按井号键。"},"paid_end":{"answer":"already_paid","contact":"verified","en":"That is noted. Please ring 110 now, and keep the record of your transfer. Do not pay any more. Goodbye.","kind":"end","must_say":true,"urgency":"now","zh":"已经记下。请您马上拨打110报警，保留好转账记录。不要再转账了，再见。"},"paid_when":{"choices":{"1":{"next":"paid_end"},"2":{"next":"paid_end"},"3":{"next":"paid_end"}},"collect":"paid_when","en":"If you have only just paid, press 1. Earlier today, press 2. Before today, press 3.","kind":"ask","otherwise":"paid_end","retries":1,"timeout_seconds":7,"zh":"刚刚转的，请按1；几个小时以前，请按2；昨天或者更早，请按3。"},"scene":{"choices":{"1":{"answer":"doubtful","next":"warn_then_officer","phrases":"yes"},"2":{"next":"warn","phrases":"no"},"3":{"answer":"already_paid","next":"officer_paid","phrases":"paid"}},"en":"Has a teacher or a chat group led you into an investment? Yes, press 1. No, press 2. Already paid, press 3.","kind":"ask","otherwise":"unsure","retries":1,"timeout_seconds":8,"zh":"有没有老师或者群友，带您在网上投资理财？有，请按1；没有，请按2；已经转账，请按3。"},"unsure":{"answer":"doubtful","contact":"verified","en":"I heard no answer. An officer will contact you. Do not transfer any money. Goodbye.","kind":"end","urgency":"now","zh":"没有听到您的答复，我们的民警会再联系您。请先不要转账，再见。"},"warn":{"en":"Please listen: inside news, sure profit and high returns are all fraud. You can see the figures, but you will never get the money out.","kind":"say","must_say":true,"next":"caution","zh":"请注意：说有内幕消息，保证赚钱，回报很高的，都是诈骗。平台上的钱看得见，拿不出来。"},"warn_then_officer":{"en":"Please listen: inside news, sure profit and high returns are all fraud. You can see the figures, but you will never get the money out.","kind":"say","must_say":true,"next":"officer_soon","zh":"请注意：说有内幕消息，保证赚钱，回报很高的，都是诈骗。平台上的钱看得见，拿不出来。"},"wrong_person":{"answer":"wrong_person","contact":"unverified","en":"Sorry to trouble you. If you know the owner of this number, please ask them to contact a police station soon. Goodbye.","kind":"end","urgency":"soon","zh":"对不起，打扰了。如果您认识机主，请让他尽快联系派出所。再见。"}},"phrases":{"child":{"en":["i am under eighteen","i am a child"],"zh":["没满十八岁","我还没成年","未成年"]},"disbelief":{"en":["i don''t believe you","i do not believe it","you are the fraud"],"zh":["不信","我不信","不相信","你是骗子","你才是骗子"]},"enough":{"en":["no more calls","stop calling"],"zh":["不用再打了","别再打了","不需要回访"]},"guardian":{"en":["i am the parent","i am his mother","i am his father"],"zh":["我是家长","我是他妈妈","我是他爸爸","家长在听"]},"no":{"en":["no","nobody did","not at all"],"zh":["没有","没","没有人","没有的事","不是","不在"]},"not_owner":{"en":["no","wrong number","not me","i am not"],"zh":["不是","不是我","你打错了","打错了","不是本人"]},"officer":{"en":["officer","a person","human","talk to someone","speak to an officer"],"zh":["人工","转人工","找民警","找警察","我要跟民警说","叫真人来","听不懂"]},"owner":{"en":["yes","yes i am","speaking","that''s me","it''s me"],"zh":["是","是的","是我","对","我是","我就是","本人","我是本人","是本人"]},"paid":{"en":["i have paid","i already paid","i have already paid","i paid"],"zh":["已经转了","我已经转了","钱转过去了","已经转账了","转了","已经付了"]},"repeat":{"en":["again","repeat","say that again","pardon"],"zh":["再说一遍","没听清","重复一遍","什么意思"]},"saw_through":{"en":["i saw through it","i blocked them"],"zh":["我没上当","我知道是骗子","识破了","已经拉黑了"]},"understood":{"en":["i understand","understood","okay","i will not pay"],"zh":["明白","明白了","知道了","听明白了","我不转了","好的"]},"yes":{"en":["yes","yes they did","yes i did","i can hear you"],"zh":["有","有的","是","是的","对","对的","有过","有人打过","听得清"]}},"said_in":{"acknowledge":"common","again":"common","audience":"common","caution":"common","confirm":"common","doubt_busy":"common","goodbye":"common","guardian":"common","guardian_away":"common","identity":"common","nobody_said":"common","officer":"common","officer_busy":"common","officer_doubt":"common","officer_paid":"common","opening":"common","paid_account":"common","paid_amount":"common","paid_end":"common","paid_when":"common","unsure":"common","wrong_person":"common"},"start":"opening","title":{"en":"False investments","zh":"虚假网络投资理财"},"variables":{"bureau":{"defaults":{"en":"the city anti-fraud centre","zh":"市反诈中心"},"kind":"text"},"greeting":{"kind":"time_of_day"},"hotline":{"defaults":{"en":"96110","zh":"96110"},"kind":"phone"}}}', 'investment.toml', 'extends = "common"
id = "investment"
fraud_types = ["investment"]
[title]
zh = "虚假网络投资理财"
en = "False investments"
# A robot does not win this one: one question, one sentence, and an officer.
[nodes.scene]
kind = "ask"
zh = "有没有老师或者群友，带您在网上投资理财？有，请按1；没有，请按2；已经转账，请按3。"
en = "Has a teacher or a chat group led you into an investment? Yes, press 1. No, press 2. Already paid, press 3."
timeout_seconds = 8
retries = 1
otherwise = "unsure"
[nodes.scene.choices]
1 = { next = "warn_then_officer", answer = "doubtful", phrases = "yes" }
2 = { next = "warn", phrases = "no" }
3 = { next = "officer_paid", answer = "already_paid", phrases = "paid" }
[nodes.warn_then_officer]
kind = "say"
must_say = true
zh = "请注意：说有内幕消息，保证赚钱，回报很高的，都是诈骗。平台上的钱看得见，拿不出来。"
en = "Please listen: inside news, sure profit and high returns are all fraud. You can see the figures, but you will never get the money out."
next = "officer_soon"
[nodes.officer_soon]
kind = "hand_over"
answer = "doubtful"
urgency = "now"
zh = "我们的民警想跟您说几句，请不要挂断。"
en = "An officer would like to talk to you. Please stay on the line."
next = "caution"
[nodes.warn]
kind = "say"
must_say = true
zh = "请注意：说有内幕消息，保证赚钱，回报很高的，都是诈骗。平台上的钱看得见，拿不出来。"
en = "Please listen: inside news, sure profit and high returns are all fraud. You can see the figures, but you will never get the money out."
next = "caution"
', '{"common": ["common.toml", "# What every script shares: who we are, whom we ask for, the caution, the farewell, and the ways to an officer.\n# A script takes this with `extends = \"common\"` and replaces whole nodes under the same name.\n# mn is declared without texts: a centre adds its recordings by prompt name; until then Mandarin is spoken.\n\nlanguages = [\"zh\", \"en\", \"mn\"]\ndefault_language = \"zh\"\nfallbacks = { mn = \"zh\" }\nstart = \"opening\"\n\n[again]\nzh = \"没有收到您的回答。\"\nen = \"I did not get your answer.\"\n\n[confirm]\nzh = \"为了确认，请您按键回答。\"\nen = \"To be sure, please answer with a key.\"\n\n[variables.bureau]\nkind = \"text\"\ndefaults = { zh = \"市反诈中心\", en = \"the city anti-fraud centre\" }\n\n[variables.hotline]\nkind = \"phone\"\ndefaults = { zh = \"96110\", en = \"96110\" }\n\n[variables.greeting]\nkind = \"time_of_day\"\n\n[phrases.yes]\nzh = [\"有\", \"有的\", \"是\", \"是的\", \"对\", \"对的\", \"有过\", \"有人打过\", \"听得清\"]\nen = [\"yes\", \"yes they did\", \"yes i did\", \"i can hear you\"]\n\n[phrases.no]\nzh = [\"没有\", \"没\", \"没有人\", \"没有的事\", \"不是\", \"不在\"]\nen = [\"no\", \"nobody did\", \"not at all\"]\n\n[phrases.paid]\nzh = [\"已经转了\", \"我已经转了\", \"钱转过去了\", \"已经转账了\", \"转了\", \"已经付了\"]\nen = [\"i have paid\", \"i already paid\", \"i have already paid\", \"i paid\"]\n\n[phrases.owner]\nzh = [\"是\", \"是的\", \"是我\", \"对\", \"我是\", \"我就是\", \"本人\", \"我是本人\", \"是本人\"]\nen = [\"yes\", \"yes i am\", \"speaking\", \"that''s me\", \"it''s me\"]\n\n[phrases.not_owner]\nzh = [\"不是\", \"不是我\", \"你打错了\", \"打错了\", \"不是本人\"]\nen = [\"no\", \"wrong number\", \"not me\", \"i am not\"]\n\n[phrases.understood]\nzh = [\"明白\", \"明白了\", \"知道了\", \"听明白了\", \"我不转了\", \"好的\"]\nen = [\"i understand\", \"understood\", \"okay\", \"i will not pay\"]\n\n[phrases.disbelief]\nzh = [\"不信\", \"我不信\", \"不相信\", \"你是骗子\", \"你才是骗子\"]\nen = [\"i don''t believe you\", \"i do not believe it\", \"you are the fraud\"]\n\n[phrases.saw_through]\nzh = [\"我没上当\", \"我知道是骗子\", \"识破了\", \"已经拉黑了\"]\nen = [\"i saw through it\", \"i blocked them\"]\n\n[phrases.enough]\nzh = [\"不用再打了\", \"别再打了\", \"不需要回访\"]\nen = [\"no more calls\", \"stop calling\"]\n\n[phrases.guardian]\nzh = [\"我是家长\", \"我是他妈妈\", \"我是他爸爸\", \"家长在听\"]\nen = [\"i am the parent\", \"i am his mother\", \"i am his father\"]\n\n[phrases.child]\nzh = [\"没满十八岁\", \"我还没成年\", \"未成年\"]\nen = [\"i am under eighteen\", \"i am a child\"]\n\n[phrases.officer]\nzh = [\"人工\", \"转人工\", \"找民警\", \"找警察\", \"我要跟民警说\", \"叫真人来\", \"听不懂\"]\nen = [\"officer\", \"a person\", \"human\", \"talk to someone\", \"speak to an officer\"]\n\n[phrases.repeat]\nzh = [\"再说一遍\", \"没听清\", \"重复一遍\", \"什么意思\"]\nen = [\"again\", \"repeat\", \"say that again\", \"pardon\"]\n\n[anywhere]\n0 = { next = \"officer\", answer = \"wants_officer\", phrases = \"officer\" }\n9 = { next = \"repeat\", phrases = \"repeat\" }\n\n# Sent when the phone cannot be reached, and after a verified warning: no link, no number, nothing to answer.\n[message]\nzh = \"【{bureau}】反诈预警：您可能正在遭遇诈骗：请马上停止转账，不要再和对方联系，尽快告诉家人，或到就近派出所核实。本短信无需回复。\"\nen = \"{bureau}: fraud warning. You may be in the middle of a fraud. Do not transfer any money, end all contact, tell your family, or ask at the nearest police station. No reply is needed.\"\n\n[nodes.opening]\nkind = \"say\"\nmust_say = true\nzh = \"您好，这里是{bureau}，请您先不要转账，马上挂断对方的电话。我是反诈机器人。\"\nen = \"Hello, this is {bureau}: do not transfer any money, and hang up on the other caller now. I am an automatic warning voice.\"\nnext = \"identity\"\n\n[nodes.identity]\nkind = \"ask\"\nzh = \"请问您是这个号码的机主本人吗？是本人，请按1；不是，请按2；找民警，请按0。\"\nen = \"Are you the owner of this number? Yes, press 1. No, press 2. For an officer, press 0.\"\ntimeout_seconds = 7\nretries = 2\nrepeat_from = \"opening\"\notherwise = \"nobody_said\"\n\n[nodes.identity.choices]\n1 = { next = \"audience\", contact = \"verified\", phrases = \"owner\" }\n2 = { next = \"wrong_person\", answer = \"wrong_person\", needs_key = true, phrases = \"not_owner\" }\n\n# A child''s phone: the guardian is who has to hear this.\n[nodes.audience]\nkind = \"branch\"\non = \"tag\"\ncases = { minor = \"guardian\" }\notherwise = \"scene\"\n\n[nodes.guardian]\nkind = \"ask\"\nzh = \"请把电话交给家长。家长在听，请按1；家长不在，请按2；已经转账，请按3。\"\nen = \"Please give the phone to a parent. Parent listening, press 1. No parent here, press 2. Already paid, press 3.\"\ntimeout_seconds = 15\nretries = 1\notherwise = \"guardian_away\"\n[nodes.guardian.choices]\n1 = { next = \"scene\", phrases = \"guardian\" }\n2 = { next = \"guardian_away\", phrases = \"no\" }\n3 = { next = \"officer_paid\", answer = \"already_paid\", phrases = \"paid\" }\n\n[nodes.guardian_away]\nkind = \"end\"\ncontact = \"verified\"\nanswer = \"doubtful\"\nurgency = \"now\"\nmust_say = true\nzh = \"请马上告诉家长，先不要给任何人转账。我们的民警会联系你的家长。再见。\"\nen = \"Please tell your parents at once, and pay nobody. An officer will contact your parents. Goodbye.\"\n\n[nodes.scene]\nkind = \"ask\"\nzh = \"有没有人打电话、在网上让您转账，或者要您的验证码？有，请按1；没有，请按2；已经转账，请按3。\"\nen = \"Has somebody asked you by telephone or online for a transfer, an advance or a code? Yes, press 1. No, press 2. Already paid, press 3.\"\ntimeout_seconds = 8\nretries = 2\notherwise = \"unsure\"\n[nodes.scene.choices]\n1 = { next = \"warn\", phrases = \"yes\" }\n2 = { next = \"warn\", phrases = \"no\" }\n3 = { next = \"officer_paid\", answer = \"already_paid\", phrases = \"paid\" }\n\n[nodes.warn]\nkind = \"say\"\nmust_say = true\nzh = \"请注意：不认识的人让您转账，不管说什么理由，都先停下来。要验证码、要共享屏幕的，都是诈骗。\"\nen = \"Please listen: if a stranger asks for a transfer, stop, whatever the reason. Anybody who wants your code or your screen is a fraud.\"\nnext = \"caution\"\n\n[nodes.caution]\nkind = \"say\"\nmust_say = true\nzh = \"有骗子会说，我们是假警察。不放心，就请挂断，打区号加{hotline}，或者110，也可以去派出所问清楚。\"\nen = \"Fraudsters say that we are fake police. If in doubt, hang up and dial your area code and {hotline}, or 110, or go to a police station.\"\nnext = \"acknowledge\"\n\n[nodes.acknowledge]\nkind = \"ask\"\nmust_say = true\nzh = \"听明白了，不再转账，请按1；不相信，请按2；找民警，请按0；重听，请按9。\"\nen = \"If you understand and will not pay, press 1. If you do not believe it, press 2. For an officer, press 0. To hear it again, press 9.\"\ntimeout_seconds = 8\nretries = 2\nrepeat_from = \"warn\"\notherwise = \"unsure\"\n\n[nodes.acknowledge.choices]\n1 = { next = \"goodbye\", answer = \"acknowledged\", needs_key = true, phrases = \"understood\" }\n2 = { next = \"officer_doubt\", phrases = \"disbelief\" }\n\n[nodes.goodbye]\nkind = \"end\"\ncontact = \"verified\"\nanswer = \"acknowledged\"\nurgency = \"none\"\nmust_say = true\nzh = \"谢谢您。请记住，不要转账，不要告诉别人验证码。再见。\"\nen = \"Thank you. Remember: do not transfer money, and tell nobody a code. Goodbye.\"\n\n[nodes.nobody_said]\nkind = \"end\"\ncontact = \"unverified\"\nanswer = \"doubtful\"\nurgency = \"now\"\nzh = \"没有听到您的答复，我们的民警会再联系您。请先不要转账，再见。\"\nen = \"I heard no answer. An officer will contact you. Do not transfer any money. Goodbye.\"\n\n[nodes.unsure]\nkind = \"end\"\ncontact = \"verified\"\nanswer = \"doubtful\"\nurgency = \"now\"\nzh = \"没有听到您的答复，我们的民警会再联系您。请先不要转账，再见。\"\nen = \"I heard no answer. An officer will contact you. Do not transfer any money. Goodbye.\"\n\n[nodes.wrong_person]\nkind = \"end\"\ncontact = \"unverified\"\nanswer = \"wrong_person\"\nurgency = \"soon\"\nzh = \"对不起，打扰了。如果您认识机主，请让他尽快联系派出所。再见。\"\nen = \"Sorry to trouble you. If you know the owner of this number, please ask them to contact a police station soon. Goodbye.\"\n\n[nodes.officer]\nkind = \"hand_over\"\nanswer = \"wants_officer\"\nurgency = \"now\"\nzh = \"好的，马上请民警接电话，请不要挂断。这段时间不要转账。\"\nen = \"Very well, I am calling an officer for you. Please stay on the line, and do not transfer any money.\"\nnext = \"officer_busy\"\n\n[nodes.officer_busy]\nkind = \"end\"\ncontact = \"verified\"\nanswer = \"wants_officer\"\nurgency = \"now\"\nzh = \"现在民警都在忙，会尽快给您回电话。请先不要转账，再见。\"\nen = \"All officers are busy. One will ring you back very soon. Do not transfer any money. Goodbye.\"\n\n[nodes.officer_doubt]\nkind = \"hand_over\"\nanswer = \"refuses\"\nurgency = \"now\"\nzh = \"您有顾虑，我们理解。马上请民警跟您说，请不要挂断。\"\nen = \"We understand your doubts. An officer will talk to you now. Please stay on the line.\"\nnext = \"doubt_busy\"\n\n[nodes.doubt_busy]\nkind = \"end\"\ncontact = \"verified\"\nanswer = \"refuses\"\nurgency = \"now\"\nzh = \"现在民警都在忙，会尽快给您回电话。请先不要转账，再见。\"\nen = \"All officers are busy. One will ring you back very soon. Do not transfer any money. Goodbye.\"\n\n[nodes.officer_paid]\nkind = \"hand_over\"\nanswer = \"already_paid\"\nurgency = \"now\"\nmust_say = true\nzh = \"已经转账，时间很要紧。马上请民警接电话，请不要挂断。\"\nen = \"You have paid, so every minute counts. I am calling an officer. Please stay on the line.\"\nnext = \"paid_amount\"\n\n[nodes.paid_amount]\nkind = \"ask\"\nzh = \"我们的民警会马上给您回电话。请输入转账的金额，然后按井号键。\"\nen = \"An officer will ring you back at once. Please type the amount you paid, in yuan, and then the hash key.\"\ntimeout_seconds = 10\nretries = 1\notherwise = \"paid_account\"\ncollect = \"paid_yuan\"\nmax_digits = 8\nnext = \"paid_account\"\n\n[nodes.paid_account]\nkind = \"ask\"\nzh = \"如果知道对方的收款账号，请输入最后四位，然后按井号键。\"\nen = \"If you know the account you paid into, type its last four digits, and then the hash key.\"\ntimeout_seconds = 8\nretries = 0\notherwise = \"paid_when\"\ncollect = \"payee_account_last4\"\nmax_digits = 4\nnext = \"paid_when\"\n\n[nodes.paid_when]\nkind = \"ask\"\nzh = \"刚刚转的，请按1；几个小时以前，请按2；昨天或者更早，请按3。\"\nen = \"If you have only just paid, press 1. Earlier today, press 2. Before today, press 3.\"\ntimeout_seconds = 7\nretries = 1\notherwise = \"paid_end\"\ncollect = \"paid_when\"\n\n[nodes.paid_when.choices]\n1 = { next = \"paid_end\" }\n2 = { next = \"paid_end\" }\n3 = { next = \"paid_end\" }\n\n[nodes.paid_end]\nkind = \"end\"\ncontact = \"verified\"\nanswer = \"already_paid\"\nurgency = \"now\"\nmust_say = true\nzh = \"已经记下。请您马上拨打110报警，保留好转账记录。不要再转账了，再见。\"\nen = \"That is noted. Please ring 110 now, and keep the record of your transfer. Do not pay any more. Goodbye.\"\n"]}', 'shipped', '2026-11-26 19:56:14.203986+00'),
	(10, 'loan', 1, '4b3c646cb271880a09188795ef5b09ac1000eb5814ea469714943392ea39ace5', '{"again":{"en":"I did not get your answer.","zh":"没有收到您的回答。"},"anywhere":{"0":{"answer":"wants_officer","next":"officer","phrases":"officer"},"9":{"next":"repeat","phrases":"repeat"}},"confirm":{"en":"To be sure, please answer with a key.","zh":"为了确认，请您按键回答。"},"default_language":"zh","fallbacks":{"mn":"zh"},"fraud_types":["loan"],"id":"loan","languages":["zh","en","mn"],"message":{"en":"{bureau}: fraud warning. You may be in the middle of a fraud. Do not transfer any money, end all contact, tell your family, or ask at the nearest police station. No reply is needed.","zh":"【{bureau}】反诈预警：您可能正在遭遇诈骗：请马上停止转账，不要再和对方联系，尽快告诉家人，或到就近派出所核实。本短信无需回复。"},"nodes":{"acknowledge":{"choices":{"1":{"answer":"acknowledged","needs_key":true,"next":"goodbye","phrases":"understood"},"2":{"next":"officer_doubt","phrases":"disbelief"}},"en":"If you understand and will not pay, press 1. If you do not believe it, press 2. For an officer, press 0. To hear it again, press 9.","kind":"ask","must_say":true,"otherwise":"unsure","repeat_from":"warn","retries":2,"timeout_seconds":8,"zh":"听明白了，不再转账，请按1；不相信，请按2；找民警，请按0；重听，请按9。"},"audience":{"cases":{"minor":"guardian"},"kind":"branch","on":"tag","otherwise":"scene"},"caution":{"en":"Fraudsters say that we are fake police. If in doubt, hang up and dial your area code and {hotline}, or 110, or go to a police station.","kind":"say","must_say":true,"next":"acknowledge","zh":"有骗子会说，我们是假警察。不放心，就请挂断，打区号加{hotline}，或者110，也可以去派出所问清楚。"},"doubt_busy":{"answer":"refuses","contact":"verified","en":"All officers are busy. One will ring you back very soon. Do not transfer any money. Goodbye.","kind":"end","urgency":"now","zh":"现在民警都在忙，会尽快给您回电话。请先不要转账，再见。"},"goodbye":{"answer":"acknowledged","contact":"verified","en":"Thank you. Remember: do not transfer money, and tell nobody a code. Goodbye.","kind":"end","must_say":true,"urgency":"none","zh":"谢谢您。请记住，不要转账，不要告诉别人验证码。再见。"},"guardian":{"choices":{"1":{"next":"scene","phrases":"guardian"},"2":{"next":"guardian_away","phrases":"no"},"3":{"answer":"already_paid","next":"officer_paid","phrases":"paid"}},"en":"Please give the phone to a parent. Parent listening, press 1. No parent here, press 2. Already paid, press 3.","kind":"ask","otherwise":"guardian_away","retries":1,"timeout_seconds":15,"zh":"请把电话交给家长。家长在听，请按1；家长不在，请按2；已经转账，请按3。"},"guardian_away":{"answer":"doubtful","contact":"verified","en":"Please tell your parents at once, and pay nobody. An officer will contact your parents. Goodbye.","kind":"end","must_say":true,"urgency":"now","zh":"请马上告诉家长，先不要给任何人转账。我们的民警会联系你的家长。再见。"},"identity":{"choices":{"1":{"contact":"verified","next":"audience","phrases":"owner"},"2":{"answer":"wrong_person","needs_key":true,"next":"wrong_person","phrases":"not_owner"}},"en":"Are you the owner of this number? Yes, press 1. No, press 2. For an officer, press 0.","kind":"ask","otherwise":"nobody_said","repeat_from":"opening","retries":2,"timeout_seconds":7,"zh":"请问您是这个号码的机主本人吗？是本人，请按1；不是，请按2；找民警，请按0。"},"nobody_said":{"answer":"doubtful","contact":"unverified","en":"I heard no answer. An officer will contact you. Do not transfer any money. Goodbye.","kind":"end","urgency":"now","zh":"没有听到您的答复，我们的民警会再联系您。请先不要转账，再见。"},"officer":{"answer":"wants_officer","en":"Very well, I am calling an officer for you. Please stay on the line, and do not transfer any money.","kind":"hand_over","next":"officer_busy","urgency":"now","zh":"好的，马上请民警接电话，请不要挂断。这段时间不要转账。"},"officer_busy":{"answer":"wants_officer","contact":"verified","en":"All officers are busy. One will ring you back very soon. Do not transfer any money. Goodbye.","kind":"end","urgency":"now","zh":"现在民警都在忙，会尽快给您回电话。请先不要转账，再见。"},"officer_doubt":{"answer":"refuses","en":"We understand your doubts. An officer will talk to you now. Please stay on the line.","kind":"hand_over","next":"doubt_busy","urgency":"now","zh":"您有顾虑，我们理解。马上请民警跟您说，请不要挂断。"},"officer_paid":{"answer":"already_paid","en":"You have paid, so every minute counts. I am calling an officer. Please stay on the line.","kind":"hand_over","must_say":true,"next":"paid_amount","urgency":"now","zh":"已经转账，时间很要紧。马上请民警接电话，请不要挂断。"},"opening":{"en":"Hello, this is {bureau}: do not transfer any money, and hang up on the other caller now. I am an automatic warning voice.","kind":"say","must_say":true,"next":"identity","zh":"您好，这里是{bureau}，请您先不要转账，马上挂断对方的电话。我是反诈机器人。"},"paid_account":{"collect":"payee_account_last4","en":"If you know the account you paid into, type its last four digits, and then the hash key.","kind":"ask","max_digits":4,"next":"paid_when","otherwise":"paid_when","retries":0,"timeout_seconds":8,"zh":"如果知道对方的收款账号，请输入最后四位，然后按井号键。"},"paid_amount":{"collect":"paid_yuan","en":"An officer will ring you back at once. Please type the amount you paid, in yuan, and then the hash key.","kind":"ask","max_digits":8,"next":"paid_account","otherwise":"paid_account","retries":1,"timeout_seconds":10,"zh":"我们的民警会马上给您回电话。请输入转账的金额，然后按井号键。"},"paid_end":{"answer":"already_paid","contact":"verified","en":"That is noted. Please ring 110 now, and keep the record of your transfer. Do not pay any more. Goodbye.","kind":"end","must_say":true,"urgency":"now","zh":"已经记下。请您马上拨打110报警，保留好转账记录。不要再转账了，再见。"},"paid_when":{"choices":{"1":{"next":"paid_end"},"2":{"next":"paid_end"},"3":{"next":"paid_end"}},"collect":"paid_when","en":"If you have only just paid, press 1. Earlier today, press 2. Before today, press 3.","kind":"ask","otherwise":"paid_end","retries":1,"timeout_seconds":7,"zh":"刚刚转的，请按1；几个小时以前，请按2；昨天或者更早，请按3。"},"scene":{"choices":{"1":{"next":"warn","phrases":"yes"},"2":{"next":"warn","phrases":"no"},"3":{"answer":"already_paid","next":"officer_paid","phrases":"paid"}},"en":"Has somebody offered you a loan and asked for money first? Yes, press 1. No, press 2. Already paid, press 3.","kind":"ask","otherwise":"unsure","retries":2,"timeout_seconds":8,"zh":"有没有人给您办贷款，放款之前先让您交钱？有，请按1；没有，请按2；已经转账，请按3。"},"unsure":{"answer":"doubtful","contact":"verified","en":"I heard no answer. An officer will contact you. Do not transfer any money. Goodbye.","kind":"end","urgency":"now","zh":"没有听到您的答复，我们的民警会再联系您。请先不要转账，再见。"},"warn":{"en":"Please listen: a fee before the loan is always fraud. A real lender takes nothing before you have the money.","kind":"say","must_say":true,"next":"caution","zh":"请注意：放款之前，先要手续费、保证金、解冻费的，都是诈骗。正规贷款，放款前一分钱也不收。"},"wrong_person":{"answer":"wrong_person","contact":"unverified","en":"Sorry to trouble you. If you know the owner of this number, please ask them to contact a police station soon. Goodbye.","kind":"end","urgency":"soon","zh":"对不起，打扰了。如果您认识机主，请让他尽快联系派出所。再见。"}},"phrases":{"child":{"en":["i am under eighteen","i am a child"],"zh":["没满十八岁","我还没成年","未成年"]},"disbelief":{"en":["i don''t believe you","i do not believe it","you are the fraud"],"zh":["不信","我不信","不相信","你是骗子","你才是骗子"]},"enough":{"en":["no more calls","stop calling"],"zh":["不用再打了","别再打了","不需要回访"]},"guardian":{"en":["i am the parent","i am his mother","i am his father"],"zh":["我是家长","我是他妈妈","我是他爸爸","家长在听"]},"no":{"en":["no","nobody did","not at all"],"zh":["没有","没","没有人","没有的事","不是","不在"]},"not_owner":{"en":["no","wrong number","not me","i am not"],"zh":["不是","不是我","你打错了","打错了","不是本人"]},"officer":{"en":["officer","a person","human","talk to someone","speak to an officer"],"zh":["人工","转人工","找民警","找警察","我要跟民警说","叫真人来","听不懂"]},"owner":{"en":["yes","yes i am","speaking","that''s me","it''s me"],"zh":["是","是的","是我","对","我是","我就是","本人","我是本人","是本人"]},"paid":{"en":["i have paid","i already paid","i have already paid","i paid"],"zh":["已经转了","我已经转了","钱转过去了","已经转账了","转了","已经付了"]},"repeat":{"en":["again","repeat","say that again","pardon"],"zh":["再说一遍","没听清","重复一遍","什么意思"]},"saw_through":{"en":["i saw through it","i blocked them"],"zh":["我没上当","我知道是骗子","识破了","已经拉黑了"]},"understood":{"en":["i understand","understood","okay","i will not pay"],"zh":["明白","明白了","知道了","听明白了","我不转了","好的"]},"yes":{"en":["yes","yes they did","yes i did","i can hear you"],"zh":["有","有的","是","是的","对","对的","有过","有人打过","听得清"]}},"said_in":{"acknowledge":"common","again":"common","audience":"common","caution":"common","confirm":"common","doubt_busy":"common","goodbye":"common","guardian":"common","guardian_away":"common","identity":"common","nobody_said":"common","officer":"common","officer_busy":"common","officer_doubt":"common","officer_paid":"common","opening":"common","paid_account":"common","paid_amount":"common","paid_end":"common","paid_when":"common","unsure":"common","wrong_person":"common"},"start":"opening","title":{"en":"False loans","zh":"虚假贷款"},"variables":{"bureau":{"defaults":{"en":"the city anti-fraud centre","zh":"市反诈中心"},"kind":"text"},"greeting":{"kind":"time_of_day"},"hotline":{"defaults":{"en":"96110","zh":"96110"},"kind":"phone"}}}', 'loan.toml', 'extends = "common"
id = "loan"
fraud_types = ["loan"]
[title]
zh = "虚假贷款"
en = "False loans"
[nodes.scene]
kind = "ask"
zh = "有没有人给您办贷款，放款之前先让您交钱？有，请按1；没有，请按2；已经转账，请按3。"
en = "Has somebody offered you a loan and asked for money first? Yes, press 1. No, press 2. Already paid, press 3."
timeout_seconds = 8
retries = 2
otherwise = "unsure"
[nodes.scene.choices]
1 = { next = "warn", phrases = "yes" }
2 = { next = "warn", phrases = "no" }
3 = { next = "officer_paid", answer = "already_paid", phrases = "paid" }
[nodes.warn]
kind = "say"
must_say = true
zh = "请注意：放款之前，先要手续费、保证金、解冻费的，都是诈骗。正规贷款，放款前一分钱也不收。"
en = "Please listen: a fee before the loan is always fraud. A real lender takes nothing before you have the money."
next = "caution"
', '{"common": ["common.toml", "# What every script shares: who we are, whom we ask for, the caution, the farewell, and the ways to an officer.\n# A script takes this with `extends = \"common\"` and replaces whole nodes under the same name.\n# mn is declared without texts: a centre adds its recordings by prompt name; until then Mandarin is spoken.\n\nlanguages = [\"zh\", \"en\", \"mn\"]\ndefault_language = \"zh\"\nfallbacks = { mn = \"zh\" }\nstart = \"opening\"\n\n[again]\nzh = \"没有收到您的回答。\"\nen = \"I did not get your answer.\"\n\n[confirm]\nzh = \"为了确认，请您按键回答。\"\nen = \"To be sure, please answer with a key.\"\n\n[variables.bureau]\nkind = \"text\"\ndefaults = { zh = \"市反诈中心\", en = \"the city anti-fraud centre\" }\n\n[variables.hotline]\nkind = \"phone\"\ndefaults = { zh = \"96110\", en = \"96110\" }\n\n[variables.greeting]\nkind = \"time_of_day\"\n\n[phrases.yes]\nzh = [\"有\", \"有的\", \"是\", \"是的\", \"对\", \"对的\", \"有过\", \"有人打过\", \"听得清\"]\nen = [\"yes\", \"yes they did\", \"yes i did\", \"i can hear you\"]\n\n[phrases.no]\nzh = [\"没有\", \"没\", \"没有人\", \"没有的事\", \"不是\", \"不在\"]\nen = [\"no\", \"nobody did\", \"not at all\"]\n\n[phrases.paid]\nzh = [\"已经转了\", \"我已经转了\", \"钱转过去了\", \"已经转账了\", \"转了\", \"已经付了\"]\nen = [\"i have paid\", \"i already paid\", \"i have already paid\", \"i paid\"]\n\n[phrases.owner]\nzh = [\"是\", \"是的\", \"是我\", \"对\", \"我是\", \"我就是\", \"本人\", \"我是本人\", \"是本人\"]\nen = [\"yes\", \"yes i am\", \"speaking\", \"that''s me\", \"it''s me\"]\n\n[phrases.not_owner]\nzh = [\"不是\", \"不是我\", \"你打错了\", \"打错了\", \"不是本人\"]\nen = [\"no\", \"wrong number\", \"not me\", \"i am not\"]\n\n[phrases.understood]\nzh = [\"明白\", \"明白了\", \"知道了\", \"听明白了\", \"我不转了\", \"好的\"]\nen = [\"i understand\", \"understood\", \"okay\", \"i will not pay\"]\n\n[phrases.disbelief]\nzh = [\"不信\", \"我不信\", \"不相信\", \"你是骗子\", \"你才是骗子\"]\nen = [\"i don''t believe you\", \"i do not believe it\", \"you are the fraud\"]\n\n[phrases.saw_through]\nzh = [\"我没上当\", \"我知道是骗子\", \"识破了\", \"已经拉黑了\"]\nen = [\"i saw through it\", \"i blocked them\"]\n\n[phrases.enough]\nzh = [\"不用再打了\", \"别再打了\", \"不需要回访\"]\nen = [\"no more calls\", \"stop calling\"]\n\n[phrases.guardian]\nzh = [\"我是家长\", \"我是他妈妈\", \"我是他爸爸\", \"家长在听\"]\nen = [\"i am the parent\", \"i am his mother\", \"i am his father\"]\n\n[phrases.child]\nzh = [\"没满十八岁\", \"我还没成年\", \"未成年\"]\nen = [\"i am under eighteen\", \"i am a child\"]\n\n[phrases.officer]\nzh = [\"人工\", \"转人工\", \"找民警\", \"找警察\", \"我要跟民警说\", \"叫真人来\", \"听不懂\"]\nen = [\"officer\", \"a person\", \"human\", \"talk to someone\", \"speak to an officer\"]\n\n[phrases.repeat]\nzh = [\"再说一遍\", \"没听清\", \"重复一遍\", \"什么意思\"]\nen = [\"again\", \"repeat\", \"say that again\", \"pardon\"]\n\n[anywhere]\n0 = { next = \"officer\", answer = \"wants_officer\", phrases = \"officer\" }\n9 = { next = \"repeat\", phrases = \"repeat\" }\n\n# Sent when the phone cannot be reached, and after a verified warning: no link, no number, nothing to answer.\n[message]\nzh = \"【{bureau}】反诈预警：您可能正在遭遇诈骗：请马上停止转账，不要再和对方联系，尽快告诉家人，或到就近派出所核实。本短信无需回复。\"\nen = \"{bureau}: fraud warning. You may be in the middle of a fraud. Do not transfer any money, end all contact, tell your family, or ask at the nearest police station. No reply is needed.\"\n\n[nodes.opening]\nkind = \"say\"\nmust_say = true\nzh = \"您好，这里是{bureau}，请您先不要转账，马上挂断对方的电话。我是反诈机器人。\"\nen = \"Hello, this is {bureau}: do not transfer any money, and hang up on the other caller now. I am an automatic warning voice.\"\nnext = \"identity\"\n\n[nodes.identity]\nkind = \"ask\"\nzh = \"请问您是这个号码的机主本人吗？是本人，请按1；不是，请按2；找民警，请按0。\"\nen = \"Are you the owner of this number? Yes, press 1. No, press 2. For an officer, press 0.\"\ntimeout_seconds = 7\nretries = 2\nrepeat_from = \"opening\"\notherwise = \"nobody_said\"\n\n[nodes.identity.choices]\n1 = { next = \"audience\", contact = \"verified\", phrases = \"owner\" }\n2 = { next = \"wrong_person\", answer = \"wrong_person\", needs_key = true, phrases = \"not_owner\" }\n\n# A child''s phone: the guardian is who has to hear this.\n[nodes.audience]\nkind = \"branch\"\non = \"tag\"\ncases = { minor = \"guardian\" }\notherwise = \"scene\"\n\n[nodes.guardian]\nkind = \"ask\"\nzh = \"请把电话交给家长。家长在听，请按1；家长不在，请按2；已经转账，请按3。\"\nen = \"Please give the phone to a parent. Parent listening, press 1. No parent here, press 2. Already paid, press 3.\"\ntimeout_seconds = 15\nretries = 1\notherwise = \"guardian_away\"\n[nodes.guardian.choices]\n1 = { next = \"scene\", phrases = \"guardian\" }\n2 = { next = \"guardian_away\", phrases = \"no\" }\n3 = { next = \"officer_paid\", answer = \"already_paid\", phrases = \"paid\" }\n\n[nodes.guardian_away]\nkind = \"end\"\ncontact = \"verified\"\nanswer = \"doubtful\"\nurgency = \"now\"\nmust_say = true\nzh = \"请马上告诉家长，先不要给任何人转账。我们的民警会联系你的家长。再见。\"\nen = \"Please tell your parents at once, and pay nobody. An officer will contact your parents. Goodbye.\"\n\n[nodes.scene]\nkind = \"ask\"\nzh = \"有没有人打电话、在网上让您转账，或者要您的验证码？有，请按1；没有，请按2；已经转账，请按3。\"\nen = \"Has somebody asked you by telephone or online for a transfer, an advance or a code? Yes, press 1. No, press 2. Already paid, press 3.\"\ntimeout_seconds = 8\nretries = 2\notherwise = \"unsure\"\n[nodes.scene.choices]\n1 = { next = \"warn\", phrases = \"yes\" }\n2 = { next = \"warn\", phrases = \"no\" }\n3 = { next = \"officer_paid\", answer = \"already_paid\", phrases = \"paid\" }\n\n[nodes.warn]\nkind = \"say\"\nmust_say = true\nzh = \"请注意：不认识的人让您转账，不管说什么理由，都先停下来。要验证码、要共享屏幕的，都是诈骗。\"\nen = \"Please listen: if a stranger asks for a transfer, stop, whatever the reason. Anybody who wants your code or your screen is a fraud.\"\nnext = \"caution\"\n\n[nodes.caution]\nkind = \"say\"\nmust_say = true\nzh = \"有骗子会说，我们是假警察。不放心，就请挂断，打区号加{hotline}，或者110，也可以去派出所问清楚。\"\nen = \"Fraudsters say that we are fake police. If in doubt, hang up and dial your area code and {hotline}, or 110, or go to a police station.\"\nnext = \"acknowledge\"\n\n[nodes.acknowledge]\nkind = \"ask\"\nmust_say = true\nzh = \"听明白了，不再转账，请按1；不相信，请按2；找民警，请按0；重听，请按9。\"\nen = \"If you understand and will not pay, press 1. If you do not believe it, press 2. For an officer, press 0. To hear it again, press 9.\"\ntimeout_seconds = 8\nretries = 2\nrepeat_from = \"warn\"\notherwise = \"unsure\"\n\n[nodes.acknowledge.choices]\n1 = { next = \"goodbye\", answer = \"acknowledged\", needs_key = true, phrases = \"understood\" }\n2 = { next = \"officer_doubt\", phrases = \"disbelief\" }\n\n[nodes.goodbye]\nkind = \"end\"\ncontact = \"verified\"\nanswer = \"acknowledged\"\nurgency = \"none\"\nmust_say = true\nzh = \"谢谢您。请记住，不要转账，不要告诉别人验证码。再见。\"\nen = \"Thank you. Remember: do not transfer money, and tell nobody a code. Goodbye.\"\n\n[nodes.nobody_said]\nkind = \"end\"\ncontact = \"unverified\"\nanswer = \"doubtful\"\nurgency = \"now\"\nzh = \"没有听到您的答复，我们的民警会再联系您。请先不要转账，再见。\"\nen = \"I heard no answer. An officer will contact you. Do not transfer any money. Goodbye.\"\n\n[nodes.unsure]\nkind = \"end\"\ncontact = \"verified\"\nanswer = \"doubtful\"\nurgency = \"now\"\nzh = \"没有听到您的答复，我们的民警会再联系您。请先不要转账，再见。\"\nen = \"I heard no answer. An officer will contact you. Do not transfer any money. Goodbye.\"\n\n[nodes.wrong_person]\nkind = \"end\"\ncontact = \"unverified\"\nanswer = \"wrong_person\"\nurgency = \"soon\"\nzh = \"对不起，打扰了。如果您认识机主，请让他尽快联系派出所。再见。\"\nen = \"Sorry to trouble you. If you know the owner of this number, please ask them to contact a police station soon. Goodbye.\"\n\n[nodes.officer]\nkind = \"hand_over\"\nanswer = \"wants_officer\"\nurgency = \"now\"\nzh = \"好的，马上请民警接电话，请不要挂断。这段时间不要转账。\"\nen = \"Very well, I am calling an officer for you. Please stay on the line, and do not transfer any money.\"\nnext = \"officer_busy\"\n\n[nodes.officer_busy]\nkind = \"end\"\ncontact = \"verified\"\nanswer = \"wants_officer\"\nurgency = \"now\"\nzh = \"现在民警都在忙，会尽快给您回电话。请先不要转账，再见。\"\nen = \"All officers are busy. One will ring you back very soon. Do not transfer any money. Goodbye.\"\n\n[nodes.officer_doubt]\nkind = \"hand_over\"\nanswer = \"refuses\"\nurgency = \"now\"\nzh = \"您有顾虑，我们理解。马上请民警跟您说，请不要挂断。\"\nen = \"We understand your doubts. An officer will talk to you now. Please stay on the line.\"\nnext = \"doubt_busy\"\n\n[nodes.doubt_busy]\nkind = \"end\"\ncontact = \"verified\"\nanswer = \"refuses\"\nurgency = \"now\"\nzh = \"现在民警都在忙，会尽快给您回电话。请先不要转账，再见。\"\nen = \"All officers are busy. One will ring you back very soon. Do not transfer any money. Goodbye.\"\n\n[nodes.officer_paid]\nkind = \"hand_over\"\nanswer = \"already_paid\"\nurgency = \"now\"\nmust_say = true\nzh = \"已经转账，时间很要紧。马上请民警接电话，请不要挂断。\"\nen = \"You have paid, so every minute counts. I am calling an officer. Please stay on the line.\"\nnext = \"paid_amount\"\n\n[nodes.paid_amount]\nkind = \"ask\"\nzh = \"我们的民警会马上给您回电话。请输入转账的金额，然后按井号键。\"\nen = \"An officer will ring you back at once. Please type the amount you paid, in yuan, and then the hash key.\"\ntimeout_seconds = 10\nretries = 1\notherwise = \"paid_account\"\ncollect = \"paid_yuan\"\nmax_digits = 8\nnext = \"paid_account\"\n\n[nodes.paid_account]\nkind = \"ask\"\nzh = \"如果知道对方的收款账号，请输入最后四位，然后按井号键。\"\nen = \"If you know the account you paid into, type its last four digits, and then the hash key.\"\ntimeout_seconds = 8\nretries = 0\notherwise = \"paid_when\"\ncollect = \"payee_account_last4\"\nmax_digits = 4\nnext = \"paid_when\"\n\n[nodes.paid_when]\nkind = \"ask\"\nzh = \"刚刚转的，请按1；几个小时以前，请按2；昨天或者更早，请按3。\"\nen = \"If you have only just paid, press 1. Earlier today, press 2. Before today, press 3.\"\ntimeout_seconds = 7\nretries = 1\notherwise = \"paid_end\"\ncollect = \"paid_when\"\n\n[nodes.paid_when.choices]\n1 = { next = \"paid_end\" }\n2 = { next = \"paid_end\" }\n3 = { next = \"paid_end\" }\n\n[nodes.paid_end]\nkind = \"end\"\ncontact = \"verified\"\nanswer = \"already_paid\"\nurgency = \"now\"\nmust_say = true\nzh = \"已经记下。请您马上拨打110报警，保留好转账记录。不要再转账了，再见。\"\nen = \"That is noted. Please ring 110 now, and keep the record of your transfer. Do not pay any more. Goodbye.\"\n"]}', 'shipped', '2026-11-26 19:56:14.203986+00'),
	(11, 'police_impersonation', 1, '952061bb48bff5e79b558a63a3524f33d7aac64e4bc18ad1ea2726339dc491cf', '{"again":{"en":"I did not get your answer.","zh":"没有收到您的回答。"},"anywhere":{"0":{"answer":"wants_officer","next":"officer","phrases":"officer"},"9":{"next":"repeat","phrases":"repeat"}},"confirm":{"en":"To be sure, please answer with a key.","zh":"为了确认，请您按键回答。"},"default_language":"zh","fallbacks":{"mn":"zh"},"fraud_types":["police_impersonation"],"id":"police_impersonation","languages":["zh","en","mn"],"message":{"en":"{bureau}: fraud warning. You may be in the middle of a fraud. Do not transfer any money, end all contact, tell your family, or ask at the nearest police station. No reply is needed.","zh":"【{bureau}】反诈预警：您可能正在遭遇诈骗：请马上停止转账，不要再和对方联系，尽快告诉家人，或到就近派出所核实。本短信无需回复。"},"nodes":{"acknowledge":{"choices":{"1":{"answer":"acknowledged","needs_key":true,"next":"goodbye","phrases":"understood"},"2":{"next":"officer_doubt","phrases":"disbelief"}},"en":"If you understand and will not pay, press 1. If you do not believe it, press 2. For an officer, press 0. To hear it again, press 9.","kind":"ask","must_say":true,"otherwise":"unsure","repeat_from":"warn","retries":2,"timeout_seconds":8,"zh":"听明白了，不再转账，请按1；不相信，请按2；找民警，请按0；重听，请按9。"},"audience":{"cases":{"minor":"guardian"},"kind":"branch","on":"tag","otherwise":"scene"},"caution":{"en":"Fraudsters say that we are fake police. If in doubt, hang up and dial your area code and {hotline}, or 110, or go to a police station.","kind":"say","must_say":true,"next":"acknowledge","zh":"有骗子会说，我们是假警察。不放心，就请挂断，打区号加{hotline}，或者110，也可以去派出所问清楚。"},"doubt_busy":{"answer":"refuses","contact":"verified","en":"All officers are busy. One will ring you back very soon. Do not transfer any money. Goodbye.","kind":"end","urgency":"now","zh":"现在民警都在忙，会尽快给您回电话。请先不要转账，再见。"},"goodbye":{"answer":"acknowledged","contact":"verified","en":"Thank you. Remember: do not transfer money, and tell nobody a code. Goodbye.","kind":"end","must_say":true,"urgency":"none","zh":"谢谢您。请记住，不要转账，不要告诉别人验证码。再见。"},"guardian":{"choices":{"1":{"next":"scene","phrases":"guardian"},"2":{"next":"guardian_away","phrases":"no"},"3":{"answer":"already_paid","next":"officer_paid","phrases":"paid"}},"en":"Please give the phone to a parent. Parent listening, press 1. No parent here, press 2. Already paid, press 3.","kind":"ask","otherwise":"guardian_away","retries":1,"timeout_seconds":15,"zh":"请把电话交给家长。家长在听，请按1；家长不在，请按2；已经转账，请按3。"},"guardian_away":{"answer":"doubtful","contact":"verified","en":"Please tell your parents at once, and pay nobody. An officer will contact your parents. Goodbye.","kind":"end","must_say":true,"urgency":"now","zh":"请马上告诉家长，先不要给任何人转账。我们的民警会联系你的家长。再见。"},"identity":{"choices":{"1":{"contact":"verified","next":"audience","phrases":"owner"},"2":{"answer":"wrong_person","needs_key":true,"next":"wrong_person","phrases":"not_owner"}},"en":"Are you the owner of this number? Yes, press 1. No, press 2. For an officer, press 0.","kind":"ask","otherwise":"nobody_said","repeat_from":"opening","retries":2,"timeout_seconds":7,"zh":"请问您是这个号码的机主本人吗？是本人，请按1；不是，请按2；找民警，请按0。"},"nobody_said":{"answer":"doubtful","contact":"unverified","en":"I heard no answer. An officer will contact you. Do not transfer any money. Goodbye.","kind":"end","urgency":"now","zh":"没有听到您的答复，我们的民警会再联系您。请先不要转账，再见。"},"officer":{"answer":"wants_officer","en":"Very well, I am calling an officer for you. Please stay on the line, and do not transfer any money.","kind":"hand_over","next":"officer_busy","urgency":"now","zh":"好的，马上请民警接电话，请不要挂断。这段时间不要转账。"},"officer_busy":{"answer":"wants_officer","contact":"verified","en":"All officers are busy. One will ring you back very soon. Do not transfer any money. Goodbye.","kind":"end","urgency":"now","zh":"现在民警都在忙，会尽快给您回电话。请先不要转账，再见。"},"officer_doubt":{"answer":"refuses","en":"We understand your doubts. An officer will talk to you now. Please stay on the line.","kind":"hand_over","next":"doubt_busy","urgency":"now","zh":"您有顾虑，我们理解。马上请民警跟您说，请不要挂断。"},"officer_paid":{"answer":"already_paid","en":"You have paid, so every minute counts. I am calling an officer. Please stay on the line.","kind":"hand_over","must_say":true,"next":"paid_amount","urgency":"now","zh":"已经转账，时间很要紧。马上请民警接电话，请不要挂断。"},"opening":{"en":"Hello, this is {bureau}: do not transfer any money, and hang up on the other caller now. I am an automatic warning voice.","kind":"say","must_say":true,"next":"identity","zh":"您好，这里是{bureau}，请您先不要转账，马上挂断对方的电话。我是反诈机器人。"},"paid_account":{"collect":"payee_account_last4","en":"If you know the account you paid into, type its last four digits, and then the hash key.","kind":"ask","max_digits":4,"next":"paid_when","otherwise":"paid_when","retries":0,"timeout_seconds":8,"zh":"如果知道对方的收款账号，请输入最后四位，然后按井号键。"},"paid_amount":{"collect":"paid_yuan","en":"An officer will ring you back at once. Please type the amount you paid, in yuan, and then the hash key.","kind":"ask","max_digits":8,"next":"paid_account","otherwise":"paid_account","retries":1,"timeout_seconds":10,"zh":"我们的民警会马上给您回电话。请输入转账的金额，然后按井号键。"},"paid_end":{"answer":"already_paid","contact":"verified","en":"That is noted. Please ring 110 now, and keep the record of your transfer. Do not pay any more. Goodbye.","kind":"end","must_say":true,"urgency":"now","zh":"已经记下。请您马上拨打110报警，保留好转账记录。不要再转账了，再见。"},"paid_when":{"choices":{"1":{"next":"paid_end"},"2":{"next":"paid_end"},"3":{"next":"paid_end"}},"collect":"paid_when","en":"If you have only just paid, press 1. Earlier today, press 2. Before today, press 3.","kind":"ask","otherwise":"paid_end","retries":1,"timeout_seconds":7,"zh":"刚刚转的，请按1；几个小时以前，请按2；昨天或者更早，请按3。"},"scene":{"choices":{"1":{"next":"warn","phrases":"yes"},"2":{"next":"warn","phrases":"no"},"3":{"answer":"already_paid","next":"officer_paid","phrases":"paid"}},"en":"Has somebody who says they are the police or a court told you that you are in a case? Yes, press 1. No, press 2. Already paid, press 3.","kind":"ask","otherwise":"unsure","retries":2,"timeout_seconds":8,"zh":"有没有人自称警察、法院，说您犯了法，要您配合调查？有，请按1；没有，请按2；已经转账，请按3。"},"unsure":{"answer":"doubtful","contact":"verified","en":"I heard no answer. An officer will contact you. Do not transfer any money. Goodbye.","kind":"end","urgency":"now","zh":"没有听到您的答复，我们的民警会再联系您。请先不要转账，再见。"},"warn":{"en":"Please listen: the police never handle a case by telephone, and there is no safe account. Anybody who has you move money to prove your innocence is a fraud.","kind":"say","must_say":true,"next":"caution","zh":"请注意：警察从来不会打电话、上网办案，也没有什么安全账户。让您转账证明清白的，都是诈骗。"},"wrong_person":{"answer":"wrong_person","contact":"unverified","en":"Sorry to trouble you. If you know the owner of this number, please ask them to contact a police station soon. Goodbye.","kind":"end","urgency":"soon","zh":"对不起，打扰了。如果您认识机主，请让他尽快联系派出所。再见。"}},"phrases":{"child":{"en":["i am under eighteen","i am a child"],"zh":["没满十八岁","我还没成年","未成年"]},"disbelief":{"en":["i don''t believe you","i do not believe it","you are the fraud"],"zh":["不信","我不信","不相信","你是骗子","你才是骗子"]},"enough":{"en":["no more calls","stop calling"],"zh":["不用再打了","别再打了","不需要回访"]},"guardian":{"en":["i am the parent","i am his mother","i am his father"],"zh":["我是家长","我是他妈妈","我是他爸爸","家长在听"]},"no":{"en":["no","nobody did","not at all"],"zh":["没有","没","没有人","没有的事","不是","不在"]},"not_owner":{"en":["no","wrong number","not me","i am not"],"zh":["不是","不是我","你打错了","打错了","不是本人"]},"officer":{"en":["officer","a person","human","talk to someone","speak to an officer"],"zh":["人工","转人工","找民警","找警察","我要跟民警说","叫真人来","听不懂"]},"owner":{"en":["yes","yes i am","speaking","that''s me","it''s me"],"zh":["是","是的","是我","对","我是","我就是","本人","我是本人","是本人"]},"paid":{"en":["i have paid","i already paid","i have already paid","i paid"],"zh":["已经转了","我已经转了","钱转过去了","已经转账了","转了","已经付了"]},"repeat":{"en":["again","repeat","say that again","pardon"],"zh":["再说一遍","没听清","重复一遍","什么意思"]},"saw_through":{"en":["i saw through it","i blocked them"],"zh":["我没上当","我知道是骗子","识破了","已经拉黑了"]},"understood":{"en":["i understand","understood","okay","i will not pay"],"zh":["明白","明白了","知道了","听明白了","我不转了","好的"]},"yes":{"en":["yes","yes they did","yes i did","i can hear you"],"zh":["有","有的","是","是的","对","对的","有过","有人打过","听得清"]}},"said_in":{"acknowledge":"common","again":"common","audience":"common","caution":"common","confirm":"common","doubt_busy":"common","goodbye":"common","guardian":"common","guardian_away":"common","identity":"common","nobody_said":"common","officer":"common","officer_busy":"common","officer_doubt":"common","officer_paid":"common","opening":"common","paid_account":"common","paid_amount":"common","paid_end":"common","paid_when":"common","unsure":"common","wrong_person":"common"},"start":"opening","title":{"en":"Somebody posing as the police or another authority","zh":"冒充公检法及政府机关"},"variables":{"bureau":{"defaults":{"en":"the city anti-fraud centre","zh":"市反诈中心"},"kind":"text"},"greeting":{"kind":"time_of_day"},"hotline":{"defaults":{"en":"96110","zh":"96110"},"kind":"phone"}}}', 'police_impersonation.toml', 'extends = "common"
id = "police_impersonation"
fraud_types = ["police_impersonation"]
[title]
zh = "冒充公检法及政府机关"
en = "Somebody posing as the police or another authority"
[nodes.scene]
kind = "ask"
zh = "有没有人自称警察、法院，说您犯了法，要您配合调查？有，请按1；没有，请按2；已经转账，请按3。"
en = "Has somebody who says they are the police or a court told you that you are in a case? Yes, press 1. No, press 2. Already paid, press 3."
timeout_seconds = 8
retries = 2
otherwise = "unsure"
[nodes.scene.choices]
1 = { next = "warn", phrases = "yes" }
2 = { next = "warn", phrases = "no" }
3 = { next = "officer_paid", answer = "already_paid", phrases = "paid" }
[nodes.warn]
kind = "say"
must_say = true
zh = "请注意：警察从来不会打电话、上网办案，也没有什么安全账户。让您转账证明清白的，都是诈骗。"
en = "Please listen: the police never handle a case by telephone, and there is no safe account. Anybody who has you move money to prove your innocence is a fraud."
next = "caution"
', '{"common": ["common.toml", "# What every script shares: who we are, whom we ask for, the caution, the farewell, and the ways to an officer.\n# A script takes this with `extends = \"common\"` and replaces whole nodes under the same name.\n# mn is declared without texts: a centre adds its recordings by prompt name; until then Mandarin is spoken.\n\nlanguages = [\"zh\", \"en\", \"mn\"]\ndefault_language = \"zh\"\nfallbacks = { mn = \"zh\" }\nstart = \"opening\"\n\n[again]\nzh = \"没有收到您的回答。\"\nen = \"I did not get your answer.\"\n\n[confirm]\nzh = \"为了确认，请您按键回答。\"\nen = \"To be sure, please answer with a key.\"\n\n[variables.bureau]\nkind = \"text\"\ndefaults = { zh = \"市反诈中心\", en = \"the city anti-fraud centre\" }\n\n[variables.hotline]\nkind = \"phone\"\ndefaults = { zh = \"96110\", en = \"96110\" }\n\n[variables.greeting]\nkind = \"time_of_day\"\n\n[phrases.yes]\nzh = [\"有\", \"有的\", \"是\", \"是的\", \"对\", \"对的\", \"有过\", \"有人打过\", \"听得清\"]\nen = [\"yes\", \"yes they did\", \"yes i did\", \"i can hear you\"]\n\n[phrases.no]\nzh = [\"没有\", \"没\", \"没有人\", \"没有的事\", \"不是\", \"不在\"]\nen = [\"no\", \"nobody did\", \"not at all\"]\n\n[phrases.paid]\nzh = [\"已经转了\", \"我已经转了\", \"钱转过去了\", \"已经转账了\", \"转了\", \"已经付了\"]\nen = [\"i have paid\", \"i already paid\", \"i have already paid\", \"i paid\"]\n\n[phrases.owner]\nzh = [\"是\", \"是的\", \"是我\", \"对\", \"我是\", \"我就是\", \"本人\", \"我是本人\", \"是本人\"]\nen = [\"yes\", \"yes i am\", \"speaking\", \"that''s me\", \"it''s me\"]\n\n[phrases.not_owner]\nzh = [\"不是\", \"不是我\", \"你打错了\", \"打错了\", \"不是本人\"]\nen = [\"no\", \"wrong number\", \"not me\", \"i am not\"]\n\n[phrases.understood]\nzh = [\"明白\", \"明白了\", \"知道了\", \"听明白了\", \"我不转了\", \"好的\"]\nen = [\"i understand\", \"understood\", \"okay\", \"i will not pay\"]\n\n[phrases.disbelief]\nzh = [\"不信\", \"我不信\", \"不相信\", \"你是骗子\", \"你才是骗子\"]\nen = [\"i don''t believe you\", \"i do not believe it\", \"you are the fraud\"]\n\n[phrases.saw_through]\nzh = [\"我没上当\", \"我知道是骗子\", \"识破了\", \"已经拉黑了\"]\nen = [\"i saw through it\", \"i blocked them\"]\n\n[phrases.enough]\nzh = [\"不用再打了\", \"别再打了\", \"不需要回访\"]\nen = [\"no more calls\", \"stop calling\"]\n\n[phrases.guardian]\nzh = [\"我是家长\", \"我是他妈妈\", \"我是他爸爸\", \"家长在听\"]\nen = [\"i am the parent\", \"i am his mother\", \"i am his father\"]\n\n[phrases.child]\nzh = [\"没满十八岁\", \"我还没成年\", \"未成年\"]\nen = [\"i am under eighteen\", \"i am a child\"]\n\n[phrases.officer]\nzh = [\"人工\", \"转人工\", \"找民警\", \"找警察\", \"我要跟民警说\", \"叫真人来\", \"听不懂\"]\nen = [\"officer\", \"a person\", \"human\", \"talk to someone\", \"speak to an officer\"]\n\n[phrases.repeat]\nzh = [\"再说一遍\", \"没听清\", \"重复一遍\", \"什么意思\"]\nen = [\"again\", \"repeat\", \"say that again\", \"pardon\"]\n\n[anywhere]\n0 = { next = \"officer\", answer = \"wants_officer\", phrases = \"officer\" }\n9 = { next = \"repeat\", phrases = \"repeat\" }\n\n# Sent when the phone cannot be reached, and after a verified warning: no link, no number, nothing to answer.\n[message]\nzh = \"【{bureau}】反诈预警：您可能正在遭遇诈骗：请马上停止转账，不要再和对方联系，尽快告诉家人，或到就近派出所核实。本短信无需回复。\"\nen = \"{bureau}: fraud warning. You may be in the middle of a fraud. Do not transfer any money, end all contact, tell your family, or ask at the nearest police station. No reply is needed.\"\n\n[nodes.opening]\nkind = \"say\"\nmust_say = true\nzh = \"您好，这里是{bureau}，请您先不要转账，马上挂断对方的电话。我是反诈机器人。\"\nen = \"Hello, this is {bureau}: do not transfer any money, and hang up on the other caller now. I am an automatic warning voice.\"\nnext = \"identity\"\n\n[nodes.identity]\nkind = \"ask\"\nzh = \"请问您是这个号码的机主本人吗？是本人，请按1；不是，请按2；找民警，请按0。\"\nen = \"Are you the owner of this number? Yes, press 1. No, press 2. For an officer, press 0.\"\ntimeout_seconds = 7\nretries = 2\nrepeat_from = \"opening\"\notherwise = \"nobody_said\"\n\n[nodes.identity.choices]\n1 = { next = \"audience\", contact = \"verified\", phrases = \"owner\" }\n2 = { next = \"wrong_person\", answer = \"wrong_person\", needs_key = true, phrases = \"not_owner\" }\n\n# A child''s phone: the guardian is who has to hear this.\n[nodes.audience]\nkind = \"branch\"\non = \"tag\"\ncases = { minor = \"guardian\" }\notherwise = \"scene\"\n\n[nodes.guardian]\nkind = \"ask\"\nzh = \"请把电话交给家长。家长在听，请按1；家长不在，请按2；已经转账，请按3。\"\nen = \"Please give the phone to a parent. Parent listening, press 1. No parent here, press 2. Already paid, press 3.\"\ntimeout_seconds = 15\nretries = 1\notherwise = \"guardian_away\"\n[nodes.guardian.choices]\n1 = { next = \"scene\", phrases = \"guardian\" }\n2 = { next = \"guardian_away\", phrases = \"no\" }\n3 = { next = \"officer_paid\", answer = \"already_paid\", phrases = \"paid\" }\n\n[nodes.guardian_away]\nkind = \"end\"\ncontact = \"verified\"\nanswer = \"doubtful\"\nurgency = \"now\"\nmust_say = true\nzh = \"请马上告诉家长，先不要给任何人转账。我们的民警会联系你的家长。再见。\"\nen = \"Please tell your parents at once, and pay nobody. An officer will contact your parents. Goodbye.\"\n\n[nodes.scene]\nkind = \"ask\"\nzh = \"有没有人打电话、在网上让您转账，或者要您的验证码？有，请按1；没有，请按2；已经转账，请按3。\"\nen = \"Has somebody asked you by telephone or online for a transfer, an advance or a code? Yes, press 1. No, press 2. Already paid, press 3.\"\ntimeout_seconds = 8\nretries = 2\notherwise = \"unsure\"\n[nodes.scene.choices]\n1 = { next = \"warn\", phrases = \"yes\" }\n2 = { next = \"warn\", phrases = \"no\" }\n3 = { next = \"officer_paid\", answer = \"already_paid\", phrases = \"paid\" }\n\n[nodes.warn]\nkind = \"say\"\nmust_say = true\nzh = \"请注意：不认识的人让您转账，不管说什么理由，都先停下来。要验证码、要共享屏幕的，都是诈骗。\"\nen = \"Please listen: if a stranger asks for a transfer, stop, whatever the reason. Anybody who wants your code or your screen is a fraud.\"\nnext = \"caution\"\n\n[nodes.caution]\nkind = \"say\"\nmust_say = true\nzh = \"有骗子会说，我们是假警察。不放心，就请挂断，打区号加{hotline}，或者110，也可以去派出所问清楚。\"\nen = \"Fraudsters say that we are fake police. If in doubt, hang up and dial your area code and {hotline}, or 110, or go to a police station.\"\nnext = \"acknowledge\"\n\n[nodes.acknowledge]\nkind = \"ask\"\nmust_say = true\nzh = \"听明白了，不再转账，请按1；不相信，请按2；找民警，请按0；重听，请按9。\"\nen = \"If you understand and will not pay, press 1. If you do not believe it, press 2. For an officer, press 0. To hear it again, press 9.\"\ntimeout_seconds = 8\nretries = 2\nrepeat_from = \"warn\"\notherwise = \"unsure\"\n\n[nodes.acknowledge.choices]\n1 = { next = \"goodbye\", answer = \"acknowledged\", needs_key = true, phrases = \"understood\" }\n2 = { next = \"officer_doubt\", phrases = \"disbelief\" }\n\n[nodes.goodbye]\nkind = \"end\"\ncontact = \"verified\"\nanswer = \"acknowledged\"\nurgency = \"none\"\nmust_say = true\nzh = \"谢谢您。请记住，不要转账，不要告诉别人验证码。再见。\"\nen = \"Thank you. Remember: do not transfer money, and tell nobody a code. Goodbye.\"\n\n[nodes.nobody_said]\nkind = \"end\"\ncontact = \"unverified\"\nanswer = \"doubtful\"\nurgency = \"now\"\nzh = \"没有听到您的答复，我们的民警会再联系您。请先不要转账，再见。\"\nen = \"I heard no answer. An officer will contact you. Do not transfer any money. Goodbye.\"\n\n[nodes.unsure]\nkind = \"end\"\ncontact = \"verified\"\nanswer = \"doubtful\"\nurgency = \"now\"\nzh = \"没有听到您的答复，我们的民警会再联系您。请先不要转账，再见。\"\nen = \"I heard no answer. An officer will contact you. Do not transfer any money. Goodbye.\"\n\n[nodes.wrong_person]\nkind = \"end\"\ncontact = \"unverified\"\nanswer = \"wrong_person\"\nurgency = \"soon\"\nzh = \"对不起，打扰了。如果您认识机主，请让他尽快联系派出所。再见。\"\nen = \"Sorry to trouble you. If you know the owner of this number, please ask them to contact a police station soon. Goodbye.\"\n\n[nodes.officer]\nkind = \"hand_over\"\nanswer = \"wants_officer\"\nurgency = \"now\"\nzh = \"好的，马上请民警接电话，请不要挂断。这段时间不要转账。\"\nen = \"Very well, I am calling an officer for you. Please stay on the line, and do not transfer any money.\"\nnext = \"officer_busy\"\n\n[nodes.officer_busy]\nkind = \"end\"\ncontact = \"verified\"\nanswer = \"wants_officer\"\nurgency = \"now\"\nzh = \"现在民警都在忙，会尽快给您回电话。请先不要转账，再见。\"\nen = \"All officers are busy. One will ring you back very soon. Do not transfer any money. Goodbye.\"\n\n[nodes.officer_doubt]\nkind = \"hand_over\"\nanswer = \"refuses\"\nurgency = \"now\"\nzh = \"您有顾虑，我们理解。马上请民警跟您说，请不要挂断。\"\nen = \"We understand your doubts. An officer will talk to you now. Please stay on the line.\"\nnext = \"doubt_busy\"\n\n[nodes.doubt_busy]\nkind = \"end\"\ncontact = \"verified\"\nanswer = \"refuses\"\nurgency = \"now\"\nzh = \"现在民警都在忙，会尽快给您回电话。请先不要转账，再见。\"\nen = \"All officers are busy. One will ring you back very soon. Do not transfer any money. Goodbye.\"\n\n[nodes.officer_paid]\nkind = \"hand_over\"\nanswer = \"already_paid\"\nurgency = \"now\"\nmust_say = true\nzh = \"已经转账，时间很要紧。马上请民警接电话，请不要挂断。\"\nen = \"You have paid, so every minute counts. I am calling an officer. Please stay on the line.\"\nnext = \"paid_amount\"\n\n[nodes.paid_amount]\nkind = \"ask\"\nzh = \"我们的民警会马上给您回电话。请输入转账的金额，然后按井号键。\"\nen = \"An officer will ring you back at once. Please type the amount you paid, in yuan, and then the hash key.\"\ntimeout_seconds = 10\nretries = 1\notherwise = \"paid_account\"\ncollect = \"paid_yuan\"\nmax_digits = 8\nnext = \"paid_account\"\n\n[nodes.paid_account]\nkind = \"ask\"\nzh = \"如果知道对方的收款账号，请输入最后四位，然后按井号键。\"\nen = \"If you know the account you paid into, type its last four digits, and then the hash key.\"\ntimeout_seconds = 8\nretries = 0\notherwise = \"paid_when\"\ncollect = \"payee_account_last4\"\nmax_digits = 4\nnext = \"paid_when\"\n\n[nodes.paid_when]\nkind = \"ask\"\nzh = \"刚刚转的，请按1；几个小时以前，请按2；昨天或者更早，请按3。\"\nen = \"If you have only just paid, press 1. Earlier today, press 2. Before today, press 3.\"\ntimeout_seconds = 7\nretries = 1\notherwise = \"paid_end\"\ncollect = \"paid_when\"\n\n[nodes.paid_when.choices]\n1 = { next = \"paid_end\" }\n2 = { next = \"paid_end\" }\n3 = { next = \"paid_end\" }\n\n[nodes.paid_end]\nkind = \"end\"\ncontact = \"verified\"\nanswer = \"already_paid\"\nurgency = \"now\"\nmust_say = true\nzh = \"已经记下。请您马上拨打110报警，保留好转账记录。不要再转账了，再见。\"\nen = \"That is noted. Please ring 110 now, and keep the record of your transfer. Do not pay any more. Goodbye.\"\n"]}', 'shipped', '2026-11-26 19:56:14.203986+00'),
	(12, 'romance', 1, '5ed1e4008f88fde589b71682f82ca646177ba23f0afa22359da32dd68e0cf881', '{"again":{"en":"I did not get your answer.","zh":"没有收到您的回答。"},"anywhere":{"0":{"answer":"wants_officer","next":"officer","phrases":"officer"},"9":{"next":"repeat","phrases":"repeat"}},"confirm":{"en":"To be sure, please answer with a key.","zh":"为了确认，请您按键回答。"},"default_language":"zh","fallbacks":{"mn":"zh"},"fraud_types":["romance"],"id":"romance","languages":["zh","en","mn"],"message":{"en":"{bureau}: fraud warning. You may be in the middle of a fraud. Do not transfer any money, end all contact, tell your family, or ask at the nearest police station. No reply is needed.","zh":"【{bureau}】反诈预警：您可能正在遭遇诈骗：请马上停止转账，不要再和对方联系，尽快告诉家人，或到就近派出所核实。本短信无需回复。"},"nodes":{"acknowledge":{"choices":{"1":{"answer":"acknowledged","needs_key":true,"next":"goodbye","phrases":"understood"},"2":{"next":"officer_doubt","phrases":"disbelief"}},"en":"If you understand and will not pay, press 1. If you do not believe it, press 2. For an officer, press 0. To hear it again, press 9.","kind":"ask","must_say":true,"otherwise":"unsure","repeat_from":"warn","retries":2,"timeout_seconds":8,"zh":"听明白了，不再转账，请按1；不相信，请按2；找民警，请按0；重听，请按9。"},"audience":{"cases":{"minor":"guardian"},"kind":"branch","on":"tag","otherwise":"scene"},"caution":{"en":"Fraudsters say that we are fake police. If in doubt, hang up and dial your area code and {hotline}, or 110, or go to a police station.","kind":"say","must_say":true,"next":"acknowledge","zh":"有骗子会说，我们是假警察。不放心，就请挂断，打区号加{hotline}，或者110，也可以去派出所问清楚。"},"doubt_busy":{"answer":"refuses","contact":"verified","en":"All officers are busy. One will ring you back very soon. Do not transfer any money. Goodbye.","kind":"end","urgency":"now","zh":"现在民警都在忙，会尽快给您回电话。请先不要转账，再见。"},"goodbye":{"answer":"acknowledged","contact":"verified","en":"Thank you. Remember: do not transfer money, and tell nobody a code. Goodbye.","kind":"end","must_say":true,"urgency":"none","zh":"谢谢您。请记住，不要转账，不要告诉别人验证码。再见。"},"guardian":{"choices":{"1":{"next":"scene","phrases":"guardian"},"2":{"next":"guardian_away","phrases":"no"},"3":{"answer":"already_paid","next":"officer_paid","phrases":"paid"}},"en":"Please give the phone to a parent. Parent listening, press 1. No parent here, press 2. Already paid, press 3.","kind":"ask","otherwise":"guardian_away","retries":1,"timeout_seconds":15,"zh":"请把电话交给家长。家长在听，请按1；家长不在，请按2；已经转账，请按3。"},"guardian_away":{"answer":"doubtful","contact":"verified","en":"Please tell your parents at once, and pay nobody. An officer will contact your parents. Goodbye.","kind":"end","must_say":true,"urgency":"now","zh":"请马上告诉家长，先不要给任何人转账。我们的民警会联系你的家长。再见。"},"identity":{"choices":{"1":{"contact":"verified","next":"audience","phrases":"owner"},"2":{"answer":"wrong_person","needs_key":true,"next":"wrong_person","phrases":"not_owner"}},"en":"Are you the owner of this number? Yes, press 1. No, press 2. For an officer, press 0.","kind":"ask","otherwise":"nobody_said","repeat_from":"opening","retries":2,"timeout_seconds":7,"zh":"请问您是这个号码的机主本人吗？是本人，请按1；不是，请按2；找民警，请按0。"},"nobody_said":{"answer":"doubtful","contact":"unverified","en":"I heard no answer. An officer will contact you. Do not transfer any money. Goodbye.","kind":"end","urgency":"now","zh":"没有听到您的答复，我们的民警会再联系您。请先不要转账，再见。"},"officer":{"answer":"wants_officer","en":"Very well, I am calling an officer for you. Please stay on the line, and do not transfer any money.","kind":"hand_over","next":"officer_busy","urgency":"now","zh":"好的，马上请民警接电话，请不要挂断。这段时间不要转账。"},"officer_busy":{"answer":"wants_officer","contact":"verified","en":"All officers are busy. One will ring you back very soon. Do not transfer any money. Goodbye.","kind":"end","urgency":"now","zh":"现在民警都在忙，会尽快给您回电话。请先不要转账，再见。"},"officer_doubt":{"answer":"refuses","en":"We understand your doubts. An officer will talk to you now. Please stay on the line.","kind":"hand_over","next":"doubt_busy","urgency":"now","zh":"您有顾虑，我们理解。马上请民警跟您说，请不要挂断。"},"officer_paid":{"answer":"already_paid","en":"You have paid, so every minute counts. I am calling an officer. Please stay on the line.","kind":"hand_over","must_say":true,"next":"paid_amount","urgency":"now","zh":"已经转账，时间很要紧。马上请民警接电话，请不要挂断。"},"officer_soon":{"answer":"doubtful","en":"An officer would like to talk to you. Please stay on the line.","kind":"hand_over","next":"caution","urgency":"now","zh":"我们的民警想跟您说几句，请不要挂断。"},"opening":{"en":"Hello, this is {bureau}: do not transfer any money, and hang up on the other caller now. I am an automatic warning voice.","kind":"say","must_say":true,"next":"identity","zh":"您好，这里是{bureau}，请您先不要转账，马上挂断对方的电话。我是反诈机器人。"},"paid_account":{"collect":"payee_account_last4","en":"If you know the account you paid into, type its last four digits, and then the hash key.","kind":"ask","max_digits":4,"next":"paid_when","otherwise":"paid_when","retries":0,"timeout_seconds":8,"zh":"如果知道对方的收款账号，请输入最后四位，然后按井号键。"},"paid_amount":{"collect":"paid_yuan","en":"An officer will ring you back at once. Please type the amount you paid, in yuan, and then the hash key.","kind":"ask","max_digits":8,"next":"paid_account","otherwise":"paid_account","retries":1,"timeout_seconds":10,"zh":"我们的民警会马上给您回电话。请输入转账的金额，然后按井号键。"},"paid_end":{"answer":"already_paid","contact":"verified","en":"That is noted. Please ring 110 now, and keep the record of your transfer. Do not pay any more. Goodbye.","kind":"end","must_say":true,"urgency":"now","zh":"已经记下。请您马上拨打110报警，保留好转账记录。不要再转账了，再见。"},"paid_when":{"choices":{"1":{"next":"paid_end"},"2":{"next":"paid_end"},"3":{"next":"paid_end"}},"collect":"paid_when","en":"If you have only just paid, press 1. Earlier today, press 2. Before today, press 3.","kind":"ask","otherwise":"paid_end","retries":1,"timeout_seconds":7,"zh":"刚刚转的，请按1；几个小时以前，请按2；昨天或者更早，请按3。"},"scene":{"choices":{"1":{"answer":"doubtful","next":"warn_then_officer","phrases":"yes"},"2":{"next":"warn","phrases":"no"},"3":{"answer":"already_paid","next":"officer_paid","phrases":"paid"}},"en":"Has somebody you only met online asked you to invest or to send money? Yes, press 1. No, press 2. Already paid, press 3.","kind":"ask","otherwise":"unsure","retries":1,"timeout_seconds":8,"zh":"是不是有个网上认识、没见过面的人，带您投资，或者向您要钱？是，请按1；不是，请按2；已经转账，请按3。"},"unsure":{"answer":"doubtful","contact":"verified","en":"I heard no answer. An officer will contact you. Do not transfer any money. Goodbye.","kind":"end","urgency":"now","zh":"没有听到您的答复，我们的民警会再联系您。请先不要转账，再见。"},"warn":{"en":"Please listen: somebody you never met who talks of investing or of money is a fraud. Tell your family before you decide anything.","kind":"say","must_say":true,"next":"caution","zh":"请注意：没见过面就谈投资、谈钱的，都是诈骗。先把这件事告诉家里人。"},"warn_then_officer":{"en":"Please listen: somebody you never met who talks of investing or of money is a fraud. Tell your family before you decide anything.","kind":"say","must_say":true,"next":"officer_soon","zh":"请注意：没见过面就谈投资、谈钱的，都是诈骗。先把这件事告诉家里人。"},"wrong_person":{"answer":"wrong_person","contact":"unverified","en":"Sorry to trouble you. If you know the owner of this number, please ask them to contact a police station soon. Goodbye.","kind":"end","urgency":"soon","zh":"对不起，打扰了。如果您认识机主，请让他尽快联系派出所。再见。"}},"phrases":{"child":{"en":["i am under eighteen","i am a child"],"zh":["没满十八岁","我还没成年","未成年"]},"disbelief":{"en":["i don''t believe you","i do not believe it","you are the fraud"],"zh":["不信","我不信","不相信","你是骗子","你才是骗子"]},"enough":{"en":["no more calls","stop calling"],"zh":["不用再打了","别再打了","不需要回访"]},"guardian":{"en":["i am the parent","i am his mother","i am his father"],"zh":["我是家长","我是他妈妈","我是他爸爸","家长在听"]},"no":{"en":["no","nobody did","not at all"],"zh":["没有","没","没有人","没有的事","不是","不在"]},"not_owner":{"en":["no","wrong number","not me","i am not"],"zh":["不是","不是我","你打错了","打错了","不是本人"]},"officer":{"en":["officer","a person","human","talk to someone","speak to an officer"],"zh":["人工","转人工","找民警","找警察","我要跟民警说","叫真人来","听不懂"]},"owner":{"en":["yes","yes i am","speaking","that''s me","it''s me"],"zh":["是","是的","是我","对","我是","我就是","本人","我是本人","是本人"]},"paid":{"en":["i have paid","i already paid","i have already paid","i paid"],"zh":["已经转了","我已经转了","钱转过去了","已经转账了","转了","已经付了"]},"repeat":{"en":["again","repeat","say that again","pardon"],"zh":["再说一遍","没听清","重复一遍","什么意思"]},"saw_through":{"en":["i saw through it","i blocked them"],"zh":["我没上当","我知道是骗子","识破了","已经拉黑了"]},"understood":{"en":["i understand","understood","okay","i will not pay"],"zh":["明白","明白了","知道了","听明白了","我不转了","好的"]},"yes":{"en":["yes","yes they did","yes i did","i can hear you"],"zh":["有","有的","是","是的","对","对的","有过","有人打过","听得清"]}},"said_in":{"acknowledge":"common","again":"common","audience":"common","caution":"common","confirm":"common","doubt_busy":"common","goodbye":"common","guardian":"common","guardian_away":"common","identity":"common","nobody_said":"common","officer":"common","officer_busy":"common","officer_doubt":"common","officer_paid":"common","opening":"common","paid_account":"common","paid_amount":"common","paid_end":"common","paid_when":"common","unsure":"common","wrong_person":"common"},"start":"opening","title":{"en":"Online romance","zh":"网络婚恋交友"},"variables":{"bureau":{"defaults":{"en":"the city anti-fraud centre","zh":"市反诈中心"},"kind":"text"},"greeting":{"kind":"time_of_day"},"hotline":{"defaults":{"en":"96110","zh":"96110"},"kind":"phone"}}}', 'romance.toml', 'extends = "common"
id = "romance"
fraud_types = ["romance"]
[title]
zh = "网络婚恋交友"
en = "Online romance"
# A robot does not win this one: one question, one sentence, and an officer.
[nodes.scene]
kind = "ask"
zh = "是不是有个网上认识、没见过面的人，带您投资，或者向您要钱？是，请按1；不是，请按2；已经转账，请按3。"
en = "Has somebody you only met online asked you to invest or to send money? Yes, press 1. No, press 2. Already paid, press 3."
timeout_seconds = 8
retries = 1
otherwise = "unsure"
[nodes.scene.choices]
1 = { next = "warn_then_officer", answer = "doubtful", phrases = "yes" }
2 = { next = "warn", phrases = "no" }
3 = { next = "officer_paid", answer = "already_paid", phrases = "paid" }
[nodes.warn_then_officer]
kind = "say"
must_say = true
zh = "请注意：没见过面就谈投资、谈钱的，都是诈骗。先把这件事告诉家里人。"
en = "Please listen: somebody you never met who talks of investing or of money is a fraud. Tell your family before you decide anything."
next = "officer_soon"
[nodes.officer_soon]
kind = "hand_over"
answer = "doubtful"
urgency = "now"
zh = "我们的民警想跟您说几句，请不要挂断。"
en = "An officer would like to talk to you. Please stay on the line."
next = "caution"
[nodes.warn]
kind = "say"
must_say = true
zh = "请注意：没见过面就谈投资、谈钱的，都是诈骗。先把这件事告诉家里人。"
en = "Please listen: somebody you never met who talks of investing or of money is a fraud. Tell your family before you decide anything."
next = "caution"
', '{"common": ["common.toml", "# What every script shares: who we are, whom we ask for, the caution, the farewell, and the ways to an officer.\n# A script takes this with `extends = \"common\"` and replaces whole nodes under the same name.\n# mn is declared without texts: a centre adds its recordings by prompt name; until then Mandarin is spoken.\n\nlanguages = [\"zh\", \"en\", \"mn\"]\ndefault_language = \"zh\"\nfallbacks = { mn = \"zh\" }\nstart = \"opening\"\n\n[again]\nzh = \"没有收到您的回答。\"\nen = \"I did not get your answer.\"\n\n[confirm]\nzh = \"为了确认，请您按键回答。\"\nen = \"To be sure, please answer with a key.\"\n\n[variables.bureau]\nkind = \"text\"\ndefaults = { zh = \"市反诈中心\", en = \"the city anti-fraud centre\" }\n\n[variables.hotline]\nkind = \"phone\"\ndefaults = { zh = \"96110\", en = \"96110\" }\n\n[variables.greeting]\nkind = \"time_of_day\"\n\n[phrases.yes]\nzh = [\"有\", \"有的\", \"是\", \"是的\", \"对\", \"对的\", \"有过\", \"有人打过\", \"听得清\"]\nen = [\"yes\", \"yes they did\", \"yes i did\", \"i can hear you\"]\n\n[phrases.no]\nzh = [\"没有\", \"没\", \"没有人\", \"没有的事\", \"不是\", \"不在\"]\nen = [\"no\", \"nobody did\", \"not at all\"]\n\n[phrases.paid]\nzh = [\"已经转了\", \"我已经转了\", \"钱转过去了\", \"已经转账了\", \"转了\", \"已经付了\"]\nen = [\"i have paid\", \"i already paid\", \"i have already paid\", \"i paid\"]\n\n[phrases.owner]\nzh = [\"是\", \"是的\", \"是我\", \"对\", \"我是\", \"我就是\", \"本人\", \"我是本人\", \"是本人\"]\nen = [\"yes\", \"yes i am\", \"speaking\", \"that''s me\", \"it''s me\"]\n\n[phrases.not_owner]\nzh = [\"不是\", \"不是我\", \"你打错了\", \"打错了\", \"不是本人\"]\nen = [\"no\", \"wrong number\", \"not me\", \"i am not\"]\n\n[phrases.understood]\nzh = [\"明白\", \"明白了\", \"知道了\", \"听明白了\", \"我不转了\", \"好的\"]\nen = [\"i understand\", \"understood\", \"okay\", \"i will not pay\"]\n\n[phrases.disbelief]\nzh = [\"不信\", \"我不信\", \"不相信\", \"你是骗子\", \"你才是骗子\"]\nen = [\"i don''t believe you\", \"i do not believe it\", \"you are the fraud\"]\n\n[phrases.saw_through]\nzh = [\"我没上当\", \"我知道是骗子\", \"识破了\", \"已经拉黑了\"]\nen = [\"i saw through it\", \"i blocked them\"]\n\n[phrases.enough]\nzh = [\"不用再打了\", \"别再打了\", \"不需要回访\"]\nen = [\"no more calls\", \"stop calling\"]\n\n[phrases.guardian]\nzh = [\"我是家长\", \"我是他妈妈\", \"我是他爸爸\", \"家长在听\"]\nen = [\"i am the parent\", \"i am his mother\", \"i am his father\"]\n\n[phrases.child]\nzh = [\"没满十八岁\", \"我还没成年\", \"未成年\"]\nen = [\"i am under eighteen\", \"i am a child\"]\n\n[phrases.officer]\nzh = [\"人工\", \"转人工\", \"找民警\", \"找警察\", \"我要跟民警说\", \"叫真人来\", \"听不懂\"]\nen = [\"officer\", \"a person\", \"human\", \"talk to someone\", \"speak to an officer\"]\n\n[phrases.repeat]\nzh = [\"再说一遍\", \"没听清\", \"重复一遍\", \"什么意思\"]\nen = [\"again\", \"repeat\", \"say that again\", \"pardon\"]\n\n[anywhere]\n0 = { next = \"officer\", answer = \"wants_officer\", phrases = \"officer\" }\n9 = { next = \"repeat\", phrases = \"repeat\" }\n\n# Sent when the phone cannot be reached, and after a verified warning: no link, no number, nothing to answer.\n[message]\nzh = \"【{bureau}】反诈预警：您可能正在遭遇诈骗：请马上停止转账，不要再和对方联系，尽快告诉家人，或到就近派出所核实。本短信无需回复。\"\nen = \"{bureau}: fraud warning. You may be in the middle of a fraud. Do not transfer any money, end all contact, tell your family, or ask at the nearest police station. No reply is needed.\"\n\n[nodes.opening]\nkind = \"say\"\nmust_say = true\nzh = \"您好，这里是{bureau}，请您先不要转账，马上挂断对方的电话。我是反诈机器人。\"\nen = \"Hello, this is {bureau}: do not transfer any money, and hang up on the other caller now. I am an automatic warning voice.\"\nnext = \"identity\"\n\n[nodes.identity]\nkind = \"ask\"\nzh = \"请问您是这个号码的机主本人吗？是本人，请按1；不是，请按2；找民警，请按0。\"\nen = \"Are you the owner of this number? Yes, press 1. No, press 2. For an officer, press 0.\"\ntimeout_seconds = 7\nretries = 2\nrepeat_from = \"opening\"\notherwise = \"nobody_said\"\n\n[nodes.identity.choices]\n1 = { next = \"audience\", contact = \"verified\", phrases = \"owner\" }\n2 = { next = \"wrong_person\", answer = \"wrong_person\", needs_key = true, phrases = \"not_owner\" }\n\n# A child''s phone: the guardian is who has to hear this.\n[nodes.audience]\nkind = \"branch\"\non = \"tag\"\ncases = { minor = \"guardian\" }\notherwise = \"scene\"\n\n[nodes.guardian]\nkind = \"ask\"\nzh = \"请把电话交给家长。家长在听，请按1；家长不在，请按2；已经转账，请按3。\"\nen = \"Please give the phone to a parent. Parent listening, press 1. No parent here, press 2. Already paid, press 3.\"\ntimeout_seconds = 15\nretries = 1\notherwise = \"guardian_away\"\n[nodes.guardian.choices]\n1 = { next = \"scene\", phrases = \"guardian\" }\n2 = { next = \"guardian_away\", phrases = \"no\" }\n3 = { next = \"officer_paid\", answer = \"already_paid\", phrases = \"paid\" }\n\n[nodes.guardian_away]\nkind = \"end\"\ncontact = \"verified\"\nanswer = \"doubtful\"\nurgency = \"now\"\nmust_say = true\nzh = \"请马上告诉家长，先不要给任何人转账。我们的民警会联系你的家长。再见。\"\nen = \"Please tell your parents at once, and pay nobody. An officer will contact your parents. Goodbye.\"\n\n[nodes.scene]\nkind = \"ask\"\nzh = \"有没有人打电话、在网上让您转账，或者要您的验证码？有，请按1；没有，请按2；已经转账，请按3。\"\nen = \"Has somebody asked you by telephone or online for a transfer, an advance or a code? Yes, press 1. No, press 2. Already paid, press 3.\"\ntimeout_seconds = 8\nretries = 2\notherwise = \"unsure\"\n[nodes.scene.choices]\n1 = { next = \"warn\", phrases = \"yes\" }\n2 = { next = \"warn\", phrases = \"no\" }\n3 = { next = \"officer_paid\", answer = \"already_paid\", phrases = \"paid\" }\n\n[nodes.warn]\nkind = \"say\"\nmust_say = true\nzh = \"请注意：不认识的人让您转账，不管说什么理由，都先停下来。要验证码、要共享屏幕的，都是诈骗。\"\nen = \"Please listen: if a stranger asks for a transfer, stop, whatever the reason. Anybody who wants your code or your screen is a fraud.\"\nnext = \"caution\"\n\n[nodes.caution]\nkind = \"say\"\nmust_say = true\nzh = \"有骗子会说，我们是假警察。不放心，就请挂断，打区号加{hotline}，或者110，也可以去派出所问清楚。\"\nen = \"Fraudsters say that we are fake police. If in doubt, hang up and dial your area code and {hotline}, or 110, or go to a police station.\"\nnext = \"acknowledge\"\n\n[nodes.acknowledge]\nkind = \"ask\"\nmust_say = true\nzh = \"听明白了，不再转账，请按1；不相信，请按2；找民警，请按0；重听，请按9。\"\nen = \"If you understand and will not pay, press 1. If you do not believe it, press 2. For an officer, press 0. To hear it again, press 9.\"\ntimeout_seconds = 8\nretries = 2\nrepeat_from = \"warn\"\notherwise = \"unsure\"\n\n[nodes.acknowledge.choices]\n1 = { next = \"goodbye\", answer = \"acknowledged\", needs_key = true, phrases = \"understood\" }\n2 = { next = \"officer_doubt\", phrases = \"disbelief\" }\n\n[nodes.goodbye]\nkind = \"end\"\ncontact = \"verified\"\nanswer = \"acknowledged\"\nurgency = \"none\"\nmust_say = true\nzh = \"谢谢您。请记住，不要转账，不要告诉别人验证码。再见。\"\nen = \"Thank you. Remember: do not transfer money, and tell nobody a code. Goodbye.\"\n\n[nodes.nobody_said]\nkind = \"end\"\ncontact = \"unverified\"\nanswer = \"doubtful\"\nurgency = \"now\"\nzh = \"没有听到您的答复，我们的民警会再联系您。请先不要转账，再见。\"\nen = \"I heard no answer. An officer will contact you. Do not transfer any money. Goodbye.\"\n\n[nodes.unsure]\nkind = \"end\"\ncontact = \"verified\"\nanswer = \"doubtful\"\nurgency = \"now\"\nzh = \"没有听到您的答复，我们的民警会再联系您。请先不要转账，再见。\"\nen = \"I heard no answer. An officer will contact you. Do not transfer any money. Goodbye.\"\n\n[nodes.wrong_person]\nkind = \"end\"\ncontact = \"unverified\"\nanswer = \"wrong_person\"\nurgency = \"soon\"\nzh = \"对不起，打扰了。如果您认识机主，请让他尽快联系派出所。再见。\"\nen = \"Sorry to trouble you. If you know the owner of this number, please ask them to contact a police station soon. Goodbye.\"\n\n[nodes.officer]\nkind = \"hand_over\"\nanswer = \"wants_officer\"\nurgency = \"now\"\nzh = \"好的，马上请民警接电话，请不要挂断。这段时间不要转账。\"\nen = \"Very well, I am calling an officer for you. Please stay on the line, and do not transfer any money.\"\nnext = \"officer_busy\"\n\n[nodes.officer_busy]\nkind = \"end\"\ncontact = \"verified\"\nanswer = \"wants_officer\"\nurgency = \"now\"\nzh = \"现在民警都在忙，会尽快给您回电话。请先不要转账，再见。\"\nen = \"All officers are busy. One will ring you back very soon. Do not transfer any money. Goodbye.\"\n\n[nodes.officer_doubt]\nkind = \"hand_over\"\nanswer = \"refuses\"\nurgency = \"now\"\nzh = \"您有顾虑，我们理解。马上请民警跟您说，请不要挂断。\"\nen = \"We understand your doubts. An officer will talk to you now. Please stay on the line.\"\nnext = \"doubt_busy\"\n\n[nodes.doubt_busy]\nkind = \"end\"\ncontact = \"verified\"\nanswer = \"refuses\"\nurgency = \"now\"\nzh = \"现在民警都在忙，会尽快给您回电话。请先不要转账，再见。\"\nen = \"All officers are busy. One will ring you back very soon. Do not transfer any money. Goodbye.\"\n\n[nodes.officer_paid]\nkind = \"hand_over\"\nanswer = \"already_paid\"\nurgency = \"now\"\nmust_say = true\nzh = \"已经转账，时间很要紧。马上请民警接电话，请不要挂断。\"\nen = \"You have paid, so every minute counts. I am calling an officer. Please stay on the line.\"\nnext = \"paid_amount\"\n\n[nodes.paid_amount]\nkind = \"ask\"\nzh = \"我们的民警会马上给您回电话。请输入转账的金额，然后按井号键。\"\nen = \"An officer will ring you back at once. Please type the amount you paid, in yuan, and then the hash key.\"\ntimeout_seconds = 10\nretries = 1\notherwise = \"paid_account\"\ncollect = \"paid_yuan\"\nmax_digits = 8\nnext = \"paid_account\"\n\n[nodes.paid_account]\nkind = \"ask\"\nzh = \"如果知道对方的收款账号，请输入最后四位，然后按井号键。\"\nen = \"If you know the account you paid into, type its last four digits, and then the hash key.\"\ntimeout_seconds = 8\nretries = 0\notherwise = \"paid_when\"\ncollect = \"payee_account_last4\"\nmax_digits = 4\nnext = \"paid_when\"\n\n[nodes.paid_when]\nkind = \"ask\"\nzh = \"刚刚转的，请按1；几个小时以前，请按2；昨天或者更早，请按3。\"\nen = \"If you have only just paid, press 1. Earlier today, press 2. Before today, press 3.\"\ntimeout_seconds = 7\nretries = 1\notherwise = \"paid_end\"\ncollect = \"paid_when\"\n\n[nodes.paid_when.choices]\n1 = { next = \"paid_end\" }\n2 = { next = \"paid_end\" }\n3 = { next = \"paid_end\" }\n\n[nodes.paid_end]\nkind = \"end\"\ncontact = \"verified\"\nanswer = \"already_paid\"\nurgency = \"now\"\nmust_say = true\nzh = \"已经记下。请您马上拨打110报警，保留好转账记录。不要再转账了，再见。\"\nen = \"That is noted. Please ring 110 now, and keep the record of your transfer. Do not pay any more. Goodbye.\"\n"]}', 'shipped', '2026-11-26 19:56:14.203986+00'),
	(13, 'shopping', 1, '9e393b8ec1641e45944b570fa20f13191ed90287e99326abb930cb18b5e96d7f', '{"again":{"en":"I did not get your answer.","zh":"没有收到您的回答。"},"anywhere":{"0":{"answer":"wants_officer","next":"officer","phrases":"officer"},"9":{"next":"repeat","phrases":"repeat"}},"confirm":{"en":"To be sure, please answer with a key.","zh":"为了确认，请您按键回答。"},"default_language":"zh","fallbacks":{"mn":"zh"},"fraud_types":["shopping"],"id":"shopping","languages":["zh","en","mn"],"message":{"en":"{bureau}: fraud warning. You may be in the middle of a fraud. Do not transfer any money, end all contact, tell your family, or ask at the nearest police station. No reply is needed.","zh":"【{bureau}】反诈预警：您可能正在遭遇诈骗：请马上停止转账，不要再和对方联系，尽快告诉家人，或到就近派出所核实。本短信无需回复。"},"nodes":{"acknowledge":{"choices":{"1":{"answer":"acknowledged","needs_key":true,"next":"goodbye","phrases":"understood"},"2":{"next":"officer_doubt","phrases":"disbelief"}},"en":"If you understand and will not pay, press 1. If you do not believe it, press 2. For an officer, press 0. To hear it again, press 9.","kind":"ask","must_say":true,"otherwise":"unsure","repeat_from":"warn","retries":2,"timeout_seconds":8,"zh":"听明白了，不再转账，请按1；不相信，请按2；找民警，请按0；重听，请按9。"},"audience":{"cases":{"minor":"guardian"},"kind":"branch","on":"tag","otherwise":"scene"},"caution":{"en":"Fraudsters say that we are fake police. If in doubt, hang up and dial your area code and {hotline}, or 110, or go to a police station.","kind":"say","must_say":true,"next":"acknowledge","zh":"有骗子会说，我们是假警察。不放心，就请挂断，打区号加{hotline}，或者110，也可以去派出所问清楚。"},"doubt_busy":{"answer":"refuses","contact":"verified","en":"All officers are busy. One will ring you back very soon. Do not transfer any money. Goodbye.","kind":"end","urgency":"now","zh":"现在民警都在忙，会尽快给您回电话。请先不要转账，再见。"},"goodbye":{"answer":"acknowledged","contact":"verified","en":"Thank you. Remember: do not transfer money, and tell nobody a code. Goodbye.","kind":"end","must_say":true,"urgency":"none","zh":"谢谢您。请记住，不要转账，不要告诉别人验证码。再见。"},"guardian":{"choices":{"1":{"next":"scene","phrases":"guardian"},"2":{"next":"guardian_away","phrases":"no"},"3":{"answer":"already_paid","next":"officer_paid","phrases":"paid"}},"en":"Please give the phone to a parent. Parent listening, press 1. No parent here, press 2. Already paid, press 3.","kind":"ask","otherwise":"guardian_away","retries":1,"timeout_seconds":15,"zh":"请把电话交给家长。家长在听，请按1；家长不在，请按2；已经转账，请按3。"},"guardian_away":{"answer":"doubtful","contact":"verified","en":"Please tell your parents at once, and pay nobody. An officer will contact your parents. Goodbye.","kind":"end","must_say":true,"urgency":"now","zh":"请马上告诉家长，先不要给任何人转账。我们的民警会联系你的家长。再见。"},"identity":{"choices":{"1":{"contact":"verified","next":"audience","phrases":"owner"},"2":{"answer":"wrong_person","needs_key":true,"next":"wrong_person","phrases":"not_owner"}},"en":"Are you the owner of this number? Yes, press 1. No, press 2. For an officer, press 0.","kind":"ask","otherwise":"nobody_said","repeat_from":"opening","retries":2,"timeout_seconds":7,"zh":"请问您是这个号码的机主本人吗？是本人，请按1；不是，请按2；找民警，请按0。"},"nobody_said":{"answer":"doubtful","contact":"unverified","en":"I heard no answer. An officer will contact you. Do not transfer any money. Goodbye.","kind":"end","urgency":"now","zh":"没有听到您的答复，我们的民警会再联系您。请先不要转账，再见。"},"officer":{"answer":"wants_officer","en":"Very well, I am calling an officer for you. Please stay on the line, and do not transfer any money.","kind":"hand_over","next":"officer_busy","urgency":"now","zh":"好的，马上请民警接电话，请不要挂断。这段时间不要转账。"},"officer_busy":{"answer":"wants_officer","contact":"verified","en":"All officers are busy. One will ring you back very soon. Do not transfer any money. Goodbye.","kind":"end","urgency":"now","zh":"现在民警都在忙，会尽快给您回电话。请先不要转账，再见。"},"officer_doubt":{"answer":"refuses","en":"We understand your doubts. An officer will talk to you now. Please stay on the line.","kind":"hand_over","next":"doubt_busy","urgency":"now","zh":"您有顾虑，我们理解。马上请民警跟您说，请不要挂断。"},"officer_paid":{"answer":"already_paid","en":"You have paid, so every minute counts. I am calling an officer. Please stay on the line.","kind":"hand_over","must_say":true,"next":"paid_amount","urgency":"now","zh":"已经转账，时间很要紧。马上请民警接电话，请不要挂断。"},"opening":{"en":"Hello, this is {bureau}: do not transfer any money, and hang up on the other caller now. I am an automatic warning voice.","kind":"say","must_say":true,"next":"identity","zh":"您好，这里是{bureau}，请您先不要转账，马上挂断对方的电话。我是反诈机器人。"},"paid_account":{"collect":"payee_account_last4","en":"If you know the account you paid into, type its last four digits, and then the hash key.","kind":"ask","max_digits":4,"next":"paid_when","otherwise":"paid_when","retries":0,"timeout_seconds":8,"zh":"如果知道对方的收款账号，请输入最后四位，然后按井号键。"},"paid_amount":{"collect":"paid_yuan","en":"An officer will ring you back at once. Please type the amount you paid, in yuan, and then the hash key.","kind":"ask","max_digits":8,"next":"paid_account","otherwise":"paid_account","retries":1,"timeout_seconds":10,"zh":"我们的民警会马上给您回电话。请输入转账的金额，然后按井号键。"},"paid_end":{"answer":"already_paid","contact":"verified","en":"That is noted. Please ring 110 now, and keep the record of your transfer. Do not pay any more. Goodbye.","kind":"end","must_say":true,"urgency":"now","zh":"已经记下。请您马上拨打110报警，保留好转账记录。不要再转账了，再见。"},"paid_when":{"choices":{"1":{"next":"paid_end"},"2":{"next":"paid_end"},"3":{"next":"paid_end"}},"collect":"paid_when","en":"If you have only just paid, press 1. Earlier today, press 2. Before today, press 3.","kind":"ask","otherwise":"paid_end","retries":1,"timeout_seconds":7,"zh":"刚刚转的，请按1；几个小时以前，请按2；昨天或者更早，请按3。"},"scene":{"choices":{"1":{"next":"warn","phrases":"yes"},"2":{"next":"warn","phrases":"no"},"3":{"answer":"already_paid","next":"officer_paid","phrases":"paid"}},"en":"Did a seller ask you to pay outside the shopping platform? Yes, press 1. No, press 2. Already paid, press 3.","kind":"ask","otherwise":"unsure","retries":2,"timeout_seconds":8,"zh":"网上买东西，有没有人让您离开平台，私下付款？有，请按1；没有，请按2；已经转账，请按3。"},"unsure":{"answer":"doubtful","contact":"verified","en":"I heard no answer. An officer will contact you. Do not transfer any money. Goodbye.","kind":"end","urgency":"now","zh":"没有听到您的答复，我们的民警会再联系您。请先不要转账，再见。"},"warn":{"en":"Please listen: a seller who has you pay outside the platform is a fraud. Never pay another fee or deposit.","kind":"say","must_say":true,"next":"caution","zh":"请注意：让您离开平台付款的，就是诈骗。再让您补手续费、保证金，一分钱也不要给。"},"wrong_person":{"answer":"wrong_person","contact":"unverified","en":"Sorry to trouble you. If you know the owner of this number, please ask them to contact a police station soon. Goodbye.","kind":"end","urgency":"soon","zh":"对不起，打扰了。如果您认识机主，请让他尽快联系派出所。再见。"}},"phrases":{"child":{"en":["i am under eighteen","i am a child"],"zh":["没满十八岁","我还没成年","未成年"]},"disbelief":{"en":["i don''t believe you","i do not believe it","you are the fraud"],"zh":["不信","我不信","不相信","你是骗子","你才是骗子"]},"enough":{"en":["no more calls","stop calling"],"zh":["不用再打了","别再打了","不需要回访"]},"guardian":{"en":["i am the parent","i am his mother","i am his father"],"zh":["我是家长","我是他妈妈","我是他爸爸","家长在听"]},"no":{"en":["no","nobody did","not at all"],"zh":["没有","没","没有人","没有的事","不是","不在"]},"not_owner":{"en":["no","wrong number","not me","i am not"],"zh":["不是","不是我","你打错了","打错了","不是本人"]},"officer":{"en":["officer","a person","human","talk to someone","speak to an officer"],"zh":["人工","转人工","找民警","找警察","我要跟民警说","叫真人来","听不懂"]},"owner":{"en":["yes","yes i am","speaking","that''s me","it''s me"],"zh":["是","是的","是我","对","我是","我就是","本人","我是本人","是本人"]},"paid":{"en":["i have paid","i already paid","i have already paid","i paid"],"zh":["已经转了","我已经转了","钱转过去了","已经转账了","转了","已经付了"]},"repeat":{"en":["again","repeat","say that again","pardon"],"zh":["再说一遍","没听清","重复一遍","什么意思"]},"saw_through":{"en":["i saw through it","i blocked them"],"zh":["我没上当","我知道是骗子","识破了","已经拉黑了"]},"understood":{"en":["i understand","understood","okay","i will not pay"],"zh":["明白","明白了","知道了","听明白了","我不转了","好的"]},"yes":{"en":["yes","yes they did","yes i did","i can hear you"],"zh":["有","有的","是","是的","对","对的","有过","有人打过","听得清"]}},"said_in":{"acknowledge":"common","again":"common","audience":"common","caution":"common","confirm":"common","doubt_busy":"common","goodbye":"common","guardian":"common","guardian_away":"common","identity":"common","nobody_said":"common","officer":"common","officer_busy":"common","officer_doubt":"common","officer_paid":"common","opening":"common","paid_account":"common","paid_amount":"common","paid_end":"common","paid_when":"common","unsure":"common","wrong_person":"common"},"start":"opening","title":{"en":"False shopping and services","zh":"虚假购物服务"},"variables":{"bureau":{"defaults":{"en":"the city anti-fraud centre","zh":"市反诈中心"},"kind":"text"},"greeting":{"kind":"time_of_day"},"hotline":{"defaults":{"en":"96110","zh":"96110"},"kind":"phone"}}}', 'shopping.toml', 'extends = "common"
id = "shopping"
fraud_types = ["shopping"]
[title]
zh = "虚假购物服务"
en = "False shopping and services"
[nodes.scene]
kind = "ask"
zh = "网上买东西，有没有人让您离开平台，私下付款？有，请按1；没有，请按2；已经转账，请按3。"
en = "Did a seller ask you to pay outside the shopping platform? Yes, press 1. No, press 2. Already paid, press 3."
timeout_seconds = 8
retries = 2
otherwise = "unsure"
[nodes.scene.choices]
1 = { next = "warn", phrases = "yes" }
2 = { next = "warn", phrases = "no" }
3 = { next = "officer_paid", answer = "already_paid", phrases = "paid" }
[nodes.warn]
kind = "say"
must_say = true
zh = "请注意：让您离开平台付款的，就是诈骗。再让您补手续费、保证金，一分钱也不要给。"
en = "Please listen: a seller who has you pay outside the platform is a fraud. Never pay another fee or deposit."
next = "caution"
', '{"common": ["common.toml", "# What every script shares: who we are, whom we ask for, the caution, the farewell, and the ways to an officer.\n# A script takes this with `extends = \"common\"` and replaces whole nodes under the same name.\n# mn is declared without texts: a centre adds its recordings by prompt name; until then Mandarin is spoken.\n\nlanguages = [\"zh\", \"en\", \"mn\"]\ndefault_language = \"zh\"\nfallbacks = { mn = \"zh\" }\nstart = \"opening\"\n\n[again]\nzh = \"没有收到您的回答。\"\nen = \"I did not get your answer.\"\n\n[confirm]\nzh = \"为了确认，请您按键回答。\"\nen = \"To be sure, please answer with a key.\"\n\n[variables.bureau]\nkind = \"text\"\ndefaults = { zh = \"市反诈中心\", en = \"the city anti-fraud centre\" }\n\n[variables.hotline]\nkind = \"phone\"\ndefaults = { zh = \"96110\", en = \"96110\" }\n\n[variables.greeting]\nkind = \"time_of_day\"\n\n[phrases.yes]\nzh = [\"有\", \"有的\", \"是\", \"是的\", \"对\", \"对的\", \"有过\", \"有人打过\", \"听得清\"]\nen = [\"yes\", \"yes they did\", \"yes i did\", \"i can hear you\"]\n\n[phrases.no]\nzh = [\"没有\", \"没\", \"没有人\", \"没有的事\", \"不是\", \"不在\"]\nen = [\"no\", \"nobody did\", \"not at all\"]\n\n[phrases.paid]\nzh = [\"已经转了\", \"我已经转了\", \"钱转过去了\", \"已经转账了\", \"转了\", \"已经付了\"]\nen = [\"i have paid\", \"i already paid\", \"i have already paid\", \"i paid\"]\n\n[phrases.owner]\nzh = [\"是\", \"是的\", \"是我\", \"对\", \"我是\", \"我就是\", \"本人\", \"我是本人\", \"是本人\"]\nen = [\"yes\", \"yes i am\", \"speaking\", \"that''s me\", \"it''s me\"]\n\n[phrases.not_owner]\nzh = [\"不是\", \"不是我\", \"你打错了\", \"打错了\", \"不是本人\"]\nen = [\"no\", \"wrong number\", \"not me\", \"i am not\"]\n\n[phrases.understood]\nzh = [\"明白\", \"明白了\", \"知道了\", \"听明白了\", \"我不转了\", \"好的\"]\nen = [\"i understand\", \"understood\", \"okay\", \"i will not pay\"]\n\n[phrases.disbelief]\nzh = [\"不信\", \"我不信\", \"不相信\", \"你是骗子\", \"你才是骗子\"]\nen = [\"i don''t believe you\", \"i do not believe it\", \"you are the fraud\"]\n\n[phrases.saw_through]\nzh = [\"我没上当\", \"我知道是骗子\", \"识破了\", \"已经拉黑了\"]\nen = [\"i saw through it\", \"i blocked them\"]\n\n[phrases.enough]\nzh = [\"不用再打了\", \"别再打了\", \"不需要回访\"]\nen = [\"no more calls\", \"stop calling\"]\n\n[phrases.guardian]\nzh = [\"我是家长\", \"我是他妈妈\", \"我是他爸爸\", \"家长在听\"]\nen = [\"i am the parent\", \"i am his mother\", \"i am his father\"]\n\n[phrases.child]\nzh = [\"没满十八岁\", \"我还没成年\", \"未成年\"]\nen = [\"i am under eighteen\", \"i am a child\"]\n\n[phrases.officer]\nzh = [\"人工\", \"转人工\", \"找民警\", \"找警察\", \"我要跟民警说\", \"叫真人来\", \"听不懂\"]\nen = [\"officer\", \"a person\", \"human\", \"talk to someone\", \"speak to an officer\"]\n\n[phrases.repeat]\nzh = [\"再说一遍\", \"没听清\", \"重复一遍\", \"什么意思\"]\nen = [\"again\", \"repeat\", \"say that again\", \"pardon\"]\n\n[anywhere]\n0 = { next = \"officer\", answer = \"wants_officer\", phrases = \"officer\" }\n9 = { next = \"repeat\", phrases = \"repeat\" }\n\n# Sent when the phone cannot be reached, and after a verified warning: no link, no number, nothing to answer.\n[message]\nzh = \"【{bureau}】反诈预警：您可能正在遭遇诈骗：请马上停止转账，不要再和对方联系，尽快告诉家人，或到就近派出所核实。本短信无需回复。\"\nen = \"{bureau}: fraud warning. You may be in the middle of a fraud. Do not transfer any money, end all contact, tell your family, or ask at the nearest police station. No reply is needed.\"\n\n[nodes.opening]\nkind = \"say\"\nmust_say = true\nzh = \"您好，这里是{bureau}，请您先不要转账，马上挂断对方的电话。我是反诈机器人。\"\nen = \"Hello, this is {bureau}: do not transfer any money, and hang up on the other caller now. I am an automatic warning voice.\"\nnext = \"identity\"\n\n[nodes.identity]\nkind = \"ask\"\nzh = \"请问您是这个号码的机主本人吗？是本人，请按1；不是，请按2；找民警，请按0。\"\nen = \"Are you the owner of this number? Yes, press 1. No, press 2. For an officer, press 0.\"\ntimeout_seconds = 7\nretries = 2\nrepeat_from = \"opening\"\notherwise = \"nobody_said\"\n\n[nodes.identity.choices]\n1 = { next = \"audience\", contact = \"verified\", phrases = \"owner\" }\n2 = { next = \"wrong_person\", answer = \"wrong_person\", needs_key = true, phrases = \"not_owner\" }\n\n# A child''s phone: the guardian is who has to hear this.\n[nodes.audience]\nkind = \"branch\"\non = \"tag\"\ncases = { minor = \"guardian\" }\notherwise = \"scene\"\n\n[nodes.guardian]\nkind = \"ask\"\nzh = \"请把电话交给家长。家长在听，请按1；家长不在，请按2；已经转账，请按3。\"\nen = \"Please give the phone to a parent. Parent listening, press 1. No parent here, press 2. Already paid, press 3.\"\ntimeout_seconds = 15\nretries = 1\notherwise = \"guardian_away\"\n[nodes.guardian.choices]\n1 = { next = \"scene\", phrases = \"guardian\" }\n2 = { next = \"guardian_away\", phrases = \"no\" }\n3 = { next = \"officer_paid\", answer = \"already_paid\", phrases = \"paid\" }\n\n[nodes.guardian_away]\nkind = \"end\"\ncontact = \"verified\"\nanswer = \"doubtful\"\nurgency = \"now\"\nmust_say = true\nzh = \"请马上告诉家长，先不要给任何人转账。我们的民警会联系你的家长。再见。\"\nen = \"Please tell your parents at once, and pay nobody. An officer will contact your parents. Goodbye.\"\n\n[nodes.scene]\nkind = \"ask\"\nzh = \"有没有人打电话、在网上让您转账，或者要您的验证码？有，请按1；没有，请按2；已经转账，请按3。\"\nen = \"Has somebody asked you by telephone or online for a transfer, an advance or a code? Yes, press 1. No, press 2. Already paid, press 3.\"\ntimeout_seconds = 8\nretries = 2\notherwise = \"unsure\"\n[nodes.scene.choices]\n1 = { next = \"warn\", phrases = \"yes\" }\n2 = { next = \"warn\", phrases = \"no\" }\n3 = { next = \"officer_paid\", answer = \"already_paid\", phrases = \"paid\" }\n\n[nodes.warn]\nkind = \"say\"\nmust_say = true\nzh = \"请注意：不认识的人让您转账，不管说什么理由，都先停下来。要验证码、要共享屏幕的，都是诈骗。\"\nen = \"Please listen: if a stranger asks for a transfer, stop, whatever the reason. Anybody who wants your code or your screen is a fraud.\"\nnext = \"caution\"\n\n[nodes.caution]\nkind = \"say\"\nmust_say = true\nzh = \"有骗子会说，我们是假警察。不放心，就请挂断，打区号加{hotline}，或者110，也可以去派出所问清楚。\"\nen = \"Fraudsters say that we are fake police. If in doubt, hang up and dial your area code and {hotline}, or 110, or go to a police station.\"\nnext = \"acknowledge\"\n\n[nodes.acknowledge]\nkind = \"ask\"\nmust_say = true\nzh = \"听明白了，不再转账，请按1；不相信，请按2；找民警，请按0；重听，请按9。\"\nen = \"If you understand and will not pay, press 1. If you do not believe it, press 2. For an officer, press 0. To hear it again, press 9.\"\ntimeout_seconds = 8\nretries = 2\nrepeat_from = \"warn\"\notherwise = \"unsure\"\n\n[nodes.acknowledge.choices]\n1 = { next = \"goodbye\", answer = \"acknowledged\", needs_key = true, phrases = \"understood\" }\n2 = { next = \"officer_doubt\", phrases = \"disbelief\" }\n\n[nodes.goodbye]\nkind = \"end\"\ncontact = \"verified\"\nanswer = \"acknowledged\"\nurgency = \"none\"\nmust_say = true\nzh = \"谢谢您。请记住，不要转账，不要告诉别人验证码。再见。\"\nen = \"Thank you. Remember: do not transfer money, and tell nobody a code. Goodbye.\"\n\n[nodes.nobody_said]\nkind = \"end\"\ncontact = \"unverified\"\nanswer = \"doubtful\"\nurgency = \"now\"\nzh = \"没有听到您的答复，我们的民警会再联系您。请先不要转账，再见。\"\nen = \"I heard no answer. An officer will contact you. Do not transfer any money. Goodbye.\"\n\n[nodes.unsure]\nkind = \"end\"\ncontact = \"verified\"\nanswer = \"doubtful\"\nurgency = \"now\"\nzh = \"没有听到您的答复，我们的民警会再联系您。请先不要转账，再见。\"\nen = \"I heard no answer. An officer will contact you. Do not transfer any money. Goodbye.\"\n\n[nodes.wrong_person]\nkind = \"end\"\ncontact = \"unverified\"\nanswer = \"wrong_person\"\nurgency = \"soon\"\nzh = \"对不起，打扰了。如果您认识机主，请让他尽快联系派出所。再见。\"\nen = \"Sorry to trouble you. If you know the owner of this number, please ask them to contact a police station soon. Goodbye.\"\n\n[nodes.officer]\nkind = \"hand_over\"\nanswer = \"wants_officer\"\nurgency = \"now\"\nzh = \"好的，马上请民警接电话，请不要挂断。这段时间不要转账。\"\nen = \"Very well, I am calling an officer for you. Please stay on the line, and do not transfer any money.\"\nnext = \"officer_busy\"\n\n[nodes.officer_busy]\nkind = \"end\"\ncontact = \"verified\"\nanswer = \"wants_officer\"\nurgency = \"now\"\nzh = \"现在民警都在忙，会尽快给您回电话。请先不要转账，再见。\"\nen = \"All officers are busy. One will ring you back very soon. Do not transfer any money. Goodbye.\"\n\n[nodes.officer_doubt]\nkind = \"hand_over\"\nanswer = \"refuses\"\nurgency = \"now\"\nzh = \"您有顾虑，我们理解。马上请民警跟您说，请不要挂断。\"\nen = \"We understand your doubts. An officer will talk to you now. Please stay on the line.\"\nnext = \"doubt_busy\"\n\n[nodes.doubt_busy]\nkind = \"end\"\ncontact = \"verified\"\nanswer = \"refuses\"\nurgency = \"now\"\nzh = \"现在民警都在忙，会尽快给您回电话。请先不要转账，再见。\"\nen = \"All officers are busy. One will ring you back very soon. Do not transfer any money. Goodbye.\"\n\n[nodes.officer_paid]\nkind = \"hand_over\"\nanswer = \"already_paid\"\nurgency = \"now\"\nmust_say = true\nzh = \"已经转账，时间很要紧。马上请民警接电话，请不要挂断。\"\nen = \"You have paid, so every minute counts. I am calling an officer. Please stay on the line.\"\nnext = \"paid_amount\"\n\n[nodes.paid_amount]\nkind = \"ask\"\nzh = \"我们的民警会马上给您回电话。请输入转账的金额，然后按井号键。\"\nen = \"An officer will ring you back at once. Please type the amount you paid, in yuan, and then the hash key.\"\ntimeout_seconds = 10\nretries = 1\notherwise = \"paid_account\"\ncollect = \"paid_yuan\"\nmax_digits = 8\nnext = \"paid_account\"\n\n[nodes.paid_account]\nkind = \"ask\"\nzh = \"如果知道对方的收款账号，请输入最后四位，然后按井号键。\"\nen = \"If you know the account you paid into, type its last four digits, and then the hash key.\"\ntimeout_seconds = 8\nretries = 0\notherwise = \"paid_when\"\ncollect = \"payee_account_last4\"\nmax_digits = 4\nnext = \"paid_when\"\n\n[nodes.paid_when]\nkind = \"ask\"\nzh = \"刚刚转的，请按1；几个小时以前，请按2；昨天或者更早，请按3。\"\nen = \"If you have only just paid, press 1. Earlier today, press 2. Before today, press 3.\"\ntimeout_seconds = 7\nretries = 1\notherwise = \"paid_end\"\ncollect = \"paid_when\"\n\n[nodes.paid_when.choices]\n1 = { next = \"paid_end\" }\n2 = { next = \"paid_end\" }\n3 = { next = \"paid_end\" }\n\n[nodes.paid_end]\nkind = \"end\"\ncontact = \"verified\"\nanswer = \"already_paid\"\nurgency = \"now\"\nmust_say = true\nzh = \"已经记下。请您马上拨打110报警，保留好转账记录。不要再转账了，再见。\"\nen = \"That is noted. Please ring 110 now, and keep the record of your transfer. Do not pay any more. Goodbye.\"\n"]}', 'shipped', '2026-11-26 19:56:14.203986+00');
INSERT INTO public.service_clock VALUES
	(1, 1795723069.2812207, '2026-11-27 01:33:19.827179+00', 1);
INSERT INTO public.staff VALUES
	(1, 'clerk', '演示录入员', '$argon2id$v=19$m=65536,t=3,p=4$wbDbZX09w79h/uCH1+aKlw$zThxdcufx76VPaChS4wu0GEuad1WvGRvPUd2UQf66vA', 'clerk', NULL, 'zh', false, 1, '2026-11-26 19:56:40.655877+00', 'demo', '2026-11-26 19:56:40.655877+00', NULL, NULL, NULL, ''),
	(3, 'officer', '演示民警', '$argon2id$v=19$m=65536,t=3,p=4$cHHlZ7GYh2nz8UVGg3Lqkw$F0OJdVKTKBO//mOiOcifEZxgo5AbaPkwSi0I/Ngt7hI', 'officer', 2, 'zh', false, 1, '2026-11-26 19:56:48.053961+00', 'demo', '2026-11-26 19:56:48.053961+00', NULL, NULL, NULL, ''),
	(5, 'administrator', '演示管理员', '$argon2id$v=19$m=65536,t=3,p=4$APjM5/sknYLG5Pvd6NNi8g$Bby9UzyMDLgzRkwi7uXVv1VoJ4NtcnoW0MjHwecsr0w', 'administrator', NULL, 'zh', false, 1, '2026-11-26 19:56:54.005802+00', 'demo', '2026-11-26 19:56:54.005802+00', NULL, NULL, NULL, ''),
	(6, 'auditor', '演示审计员', '$argon2id$v=19$m=65536,t=3,p=4$mGVjYz8CipXjPj+T8qWD+g$esbKI37axmRh3agV9ZDEjr6X7aGG54rxIVzCZe690WQ', 'auditor', NULL, 'zh', false, 1, '2026-11-26 19:56:56.493388+00', 'demo', '2026-11-26 19:56:56.493388+00', NULL, NULL, NULL, ''),
	(2, 'caller', '演示劝阻员', '$argon2id$v=19$m=65536,t=3,p=4$ByGJxN4Pm8AATR17ii63Ow$A5aEajZH1BxwRUHqtHKPFLaCsC1JH5yOZA22hb3+tXM', 'caller', NULL, 'zh', false, 1, '2026-11-26 19:56:44.4847+00', 'demo', '2026-11-26 19:56:44.4847+00', NULL, NULL, NULL, '8001'),
	(4, 'supervisor', '演示值班领导', '$argon2id$v=19$m=65536,t=3,p=4$nVj/2ekBLSKZbe+JhT4i9A$8uyAyEqJWbJOVJHphvdzHk7lfyeiUBEk2uhvyn1mDjg', 'supervisor', NULL, 'zh', false, 1, '2026-11-26 19:56:50.837948+00', 'demo', '2026-11-26 19:56:50.837948+00', NULL, NULL, NULL, '8002');
INSERT INTO public.tally VALUES
	(true, false, '2026-11-27', 1, 0, 2),
	(true, false, '2026-11-27', 1, 1, 2),
	(true, false, '2026-11-27', 1, 64, 2),
	(true, false, '2026-11-27', 1, 65, 2),
	(true, false, '2026-11-27', 1, 73, 2),
	(true, false, '2026-11-27', 1, 89, 2),
	(true, false, '2026-11-27', 1, 90, 2),
	(true, false, '2026-11-27', 1, 93, 2),
	(true, false, '2026-11-27', 1, 128, 2),
	(true, false, '2026-11-27', 1, 129, 2),
	(true, false, '2026-11-27', 1, 402, 2),
	(true, false, '2026-11-27', 2, 0, 5),
	(true, false, '2026-11-27', 2, 1, 5),
	(true, false, '2026-11-27', 2, 64, 5),
	(true, false, '2026-11-27', 2, 65, 5),
	(true, false, '2026-11-27', 2, 73, 5),
	(true, false, '2026-11-27', 2, 89, 5),
	(true, false, '2026-11-27', 2, 90, 5),
	(true, false, '2026-11-27', 2, 93, 5),
	(true, false, '2026-11-27', 2, 66, 0),
	(true, false, '2026-11-27', 2, 402, 5),
	(true, false, '2026-11-27', 3, 0, 3),
	(true, false, '2026-11-27', 3, 1, 3),
	(true, false, '2026-11-27', 3, 64, 3),
	(true, false, '2026-11-27', 3, 65, 3),
	(true, false, '2026-11-27', 3, 73, 3),
	(true, false, '2026-11-27', 3, 89, 3),
	(true, false, '2026-11-27', 3, 90, 3),
	(true, false, '2026-11-27', 3, 93, 3),
	(true, false, '2026-11-27', 3, 402, 3),
	(true, false, '2026-11-27', 16, 0, 2),
	(true, false, '2026-11-27', 16, 1, 2),
	(true, false, '2026-11-27', 16, 64, 2),
	(true, false, '2026-11-27', 16, 65, 2),
	(true, false, '2026-11-27', 16, 73, 2),
	(true, false, '2026-11-27', 16, 89, 2),
	(true, false, '2026-11-27', 16, 90, 2),
	(true, false, '2026-11-27', 16, 93, 2),
	(true, false, '2026-11-27', 16, 402, 2),
	(true, false, '2026-11-27', 18, 0, 1),
	(true, false, '2026-11-27', 18, 1, 1),
	(true, false, '2026-11-27', 18, 64, 1),
	(true, false, '2026-11-27', 18, 65, 1),
	(true, false, '2026-11-27', 18, 73, 1),
	(true, false, '2026-11-27', 18, 89, 1),
	(true, false, '2026-11-27', 18, 90, 1),
	(true, false, '2026-11-27', 18, 93, 1),
	(true, false, '2026-11-27', 18, 128, 1),
	(true, false, '2026-11-27', 18, 129, 1),
	(true, false, '2026-11-27', 18, 402, 1),
	(true, false, '2026-11-27', 19, 0, 4),
	(true, false, '2026-11-27', 19, 1, 4),
	(true, false, '2026-11-27', 19, 64, 4),
	(true, false, '2026-11-27', 19, 65, 4),
	(true, false, '2026-11-27', 19, 73, 4),
	(true, false, '2026-11-27', 19, 89, 4),
	(true, false, '2026-11-27', 19, 90, 4),
	(true, false, '2026-11-27', 19, 93, 4),
	(true, false, '2026-11-27', 19, 402, 4),
	(true, false, '2026-11-27', 20, 0, 1),
	(true, false, '2026-11-27', 20, 1, 1),
	(true, false, '2026-11-27', 20, 64, 1),
	(true, false, '2026-11-27', 20, 65, 1),
	(true, false, '2026-11-27', 20, 73, 1),
	(true, false, '2026-11-27', 20, 89, 1),
	(true, false, '2026-11-27', 20, 90, 1),
	(true, false, '2026-11-27', 20, 93, 1),
	(true, false, '2026-11-27', 20, 402, 1),
	(true, false, '2026-11-27', 21, 0, 1),
	(true, false, '2026-11-27', 21, 1, 1),
	(true, false, '2026-11-27', 21, 64, 1),
	(true, false, '2026-11-27', 21, 65, 1),
	(true, false, '2026-11-27', 21, 73, 1),
	(true, false, '2026-11-27', 21, 89, 1),
	(true, false, '2026-11-27', 21, 90, 1),
	(true, false, '2026-11-27', 21, 93, 1),
	(true, false, '2026-11-27', 21, 402, 1),
	(true, false, '2026-11-27', 22, 0, 1),
	(true, false, '2026-11-27', 22, 1, 1),
	(true, false, '2026-11-27', 22, 64, 1),
	(true, false, '2026-11-27', 22, 65, 1),
	(true, false, '2026-11-27', 22, 73, 1),
	(true, false, '2026-11-27', 22, 89, 1),
	(true, false, '2026-11-27', 22, 90, 1),
	(true, false, '2026-11-27', 22, 93, 1),
	(true, false, '2026-11-27', 22, 128, 1),
	(true, false, '2026-11-27', 22, 129, 1),
	(true, false, '2026-11-27', 22, 402, 1),
	(true, true, '2026-11-01', 1, 0, 2),
	(true, true, '2026-11-01', 1, 1, 2),
	(true, true, '2026-11-01', 1, 64, 2),
	(true, true, '2026-11-01', 1, 65, 2),
	(true, true, '2026-11-01', 1, 73, 2),
	(true, true, '2026-11-01', 1, 89, 2),
	(true, true, '2026-11-01', 1, 90, 2),
	(true, true, '2026-11-01', 1, 93, 2),
	(true, true, '2026-11-01', 1, 128, 2),
	(true, true, '2026-11-01', 1, 129, 2),
	(true, true, '2026-11-01', 1, 402, 2),
	(true, true, '2026-11-01', 2, 0, 5);
INSERT INTO public.tally VALUES
	(true, true, '2026-11-01', 2, 1, 5),
	(true, true, '2026-11-01', 2, 64, 5),
	(true, true, '2026-11-01', 2, 65, 5),
	(true, true, '2026-11-01', 2, 73, 5),
	(true, true, '2026-11-01', 2, 89, 5),
	(true, true, '2026-11-01', 2, 90, 5),
	(true, true, '2026-11-01', 2, 93, 5),
	(true, true, '2026-11-01', 2, 402, 5),
	(true, true, '2026-11-01', 3, 0, 3),
	(true, true, '2026-11-01', 3, 1, 3),
	(true, true, '2026-11-01', 3, 64, 3),
	(true, true, '2026-11-01', 3, 65, 3),
	(true, true, '2026-11-01', 3, 73, 3),
	(true, true, '2026-11-01', 3, 89, 3),
	(true, true, '2026-11-01', 3, 90, 3),
	(true, true, '2026-11-01', 3, 93, 3),
	(true, true, '2026-11-01', 3, 402, 3),
	(true, true, '2026-11-01', 16, 0, 2),
	(true, false, '2026-11-27', 3, 66, 0),
	(true, false, '2026-11-27', 2, 128, 13),
	(true, false, '2026-11-27', 1, 66, 0),
	(true, false, '2026-11-27', 1, 133, 0),
	(true, false, '2026-11-27', 22, 66, 0),
	(true, false, '2026-11-27', 3, 128, 4),
	(true, false, '2026-11-27', 2, 67, 5),
	(true, false, '2026-11-27', 2, 129, 13),
	(true, false, '2026-11-27', 16, 128, 6),
	(true, false, '2026-11-27', 16, 129, 6),
	(true, false, '2026-11-27', 3, 129, 4),
	(true, false, '2026-11-27', 21, 66, 0),
	(true, false, '2026-11-27', 21, 128, 2),
	(true, false, '2026-11-27', 2, 79, 4),
	(true, false, '2026-11-27', 19, 128, 6),
	(true, false, '2026-11-27', 21, 129, 2),
	(true, false, '2026-11-27', 19, 129, 6),
	(true, false, '2026-11-27', 2, 76, 5),
	(true, false, '2026-11-27', 19, 66, 0),
	(true, false, '2026-11-27', 2, 77, 5),
	(true, false, '2026-11-27', 2, 78, 5),
	(true, false, '2026-11-27', 2, 84, 5),
	(true, false, '2026-11-27', 2, 193, 4),
	(true, false, '2026-11-27', 2, 196, 4),
	(true, true, '2026-11-01', 3, 128, 4),
	(true, true, '2026-11-01', 3, 129, 4),
	(true, true, '2026-11-01', 16, 1, 2),
	(true, true, '2026-11-01', 16, 64, 2),
	(true, true, '2026-11-01', 16, 65, 2),
	(true, true, '2026-11-01', 16, 73, 2),
	(true, true, '2026-11-01', 16, 89, 2),
	(true, true, '2026-11-01', 16, 90, 2),
	(true, true, '2026-11-01', 16, 93, 2),
	(true, true, '2026-11-01', 16, 402, 2),
	(true, true, '2026-11-01', 18, 0, 1),
	(true, true, '2026-11-01', 18, 1, 1),
	(true, true, '2026-11-01', 18, 64, 1),
	(true, true, '2026-11-01', 18, 65, 1),
	(true, true, '2026-11-01', 18, 73, 1),
	(true, true, '2026-11-01', 18, 89, 1),
	(true, true, '2026-11-01', 18, 90, 1),
	(true, true, '2026-11-01', 18, 93, 1),
	(true, true, '2026-11-01', 18, 128, 1),
	(true, true, '2026-11-01', 18, 129, 1),
	(true, true, '2026-11-01', 18, 402, 1),
	(true, true, '2026-11-01', 19, 0, 4),
	(true, true, '2026-11-01', 19, 1, 4),
	(true, true, '2026-11-01', 19, 64, 4),
	(true, true, '2026-11-01', 19, 65, 4),
	(true, false, '2026-11-27', 2, 88, 4),
	(true, true, '2026-11-01', 19, 73, 4),
	(true, true, '2026-11-01', 19, 89, 4),
	(true, true, '2026-11-01', 19, 90, 4),
	(true, true, '2026-11-01', 19, 93, 4),
	(true, true, '2026-11-01', 19, 402, 4),
	(true, true, '2026-11-01', 20, 0, 1),
	(true, true, '2026-11-01', 20, 1, 1),
	(true, true, '2026-11-01', 20, 64, 1),
	(true, true, '2026-11-01', 20, 65, 1),
	(true, true, '2026-11-01', 20, 73, 1),
	(true, true, '2026-11-01', 20, 89, 1),
	(true, true, '2026-11-01', 20, 90, 1),
	(true, true, '2026-11-01', 20, 93, 1),
	(true, true, '2026-11-01', 20, 402, 1),
	(true, true, '2026-11-01', 21, 0, 1),
	(true, true, '2026-11-01', 21, 1, 1),
	(true, true, '2026-11-01', 21, 64, 1),
	(true, true, '2026-11-01', 21, 65, 1),
	(true, true, '2026-11-01', 21, 73, 1),
	(true, true, '2026-11-01', 21, 89, 1),
	(true, true, '2026-11-01', 21, 90, 1),
	(true, true, '2026-11-01', 21, 93, 1),
	(true, true, '2026-11-01', 21, 402, 1),
	(true, true, '2026-11-01', 22, 0, 1),
	(true, true, '2026-11-01', 22, 1, 1),
	(true, true, '2026-11-01', 22, 64, 1),
	(true, true, '2026-11-01', 22, 65, 1),
	(true, true, '2026-11-01', 22, 73, 1),
	(true, true, '2026-11-01', 22, 89, 1),
	(true, true, '2026-11-01', 22, 90, 1),
	(true, true, '2026-11-01', 22, 93, 1),
	(true, true, '2026-11-01', 22, 128, 1);
INSERT INTO public.tally VALUES
	(true, true, '2026-11-01', 22, 129, 1),
	(true, true, '2026-11-01', 22, 402, 1),
	(true, false, '2026-11-27', 2, 192, 4),
	(true, false, '2026-11-27', 18, 66, 0),
	(true, false, '2026-11-27', 18, 67, 1),
	(true, false, '2026-11-27', 18, 76, 1),
	(true, false, '2026-11-27', 2, 144, 1),
	(true, false, '2026-11-27', 18, 77, 1),
	(true, false, '2026-11-27', 18, 78, 1),
	(true, false, '2026-11-27', 18, 79, 1),
	(true, false, '2026-11-27', 18, 84, 1),
	(true, false, '2026-11-27', 18, 193, 1),
	(true, false, '2026-11-27', 18, 194, 0),
	(true, false, '2026-11-27', 18, 196, 1),
	(true, false, '2026-11-27', 16, 75, 1),
	(true, false, '2026-11-27', 18, 74, 1),
	(true, false, '2026-11-27', 18, 88, 1),
	(true, false, '2026-11-27', 18, 130, 1),
	(true, false, '2026-11-27', 18, 133, 0),
	(true, false, '2026-11-27', 18, 144, 1),
	(true, false, '2026-11-27', 18, 192, 1),
	(true, false, '2026-11-27', 18, 205, 1),
	(true, false, '2026-11-27', 21, 74, 1),
	(true, false, '2026-11-27', 21, 75, 1),
	(true, false, '2026-11-27', 21, 133, 0),
	(true, false, '2026-11-27', 18, 206, 1),
	(true, false, '2026-11-27', 18, 207, 0),
	(true, true, '2026-11-01', 2, 144, 1),
	(true, false, '2026-11-27', 21, 130, 2),
	(true, true, '2026-11-01', 16, 75, 1),
	(true, true, '2026-11-01', 18, 74, 1),
	(true, true, '2026-11-01', 18, 88, 1),
	(true, true, '2026-11-01', 18, 130, 1),
	(true, true, '2026-11-01', 18, 133, 0),
	(true, true, '2026-11-01', 18, 144, 1),
	(true, true, '2026-11-01', 18, 192, 1),
	(true, false, '2026-11-27', 21, 131, 2),
	(true, true, '2026-11-01', 21, 74, 1),
	(true, true, '2026-11-01', 21, 75, 1),
	(true, true, '2026-11-01', 21, 133, 0),
	(true, true, '2026-11-01', 18, 66, 0),
	(true, false, '2026-11-27', 2, 194, 0),
	(true, false, '2026-11-27', 2, 74, 5),
	(true, false, '2026-11-27', 16, 74, 2),
	(true, false, '2026-11-27', 2, 75, 3),
	(true, false, '2026-11-27', 16, 130, 6),
	(true, true, '2026-11-01', 16, 74, 2),
	(true, false, '2026-11-27', 21, 137, 2),
	(true, true, '2026-11-01', 16, 128, 6),
	(true, false, '2026-11-27', 1, 67, 2),
	(true, false, '2026-11-27', 1, 74, 2),
	(true, true, '2026-11-01', 22, 66, 0),
	(true, true, '2026-11-01', 22, 133, 0),
	(true, true, '2026-11-01', 16, 129, 6),
	(true, true, '2026-11-01', 21, 66, 0),
	(true, true, '2026-11-01', 21, 128, 2),
	(true, true, '2026-11-01', 19, 128, 6),
	(true, true, '2026-11-01', 21, 129, 2),
	(true, true, '2026-11-01', 19, 129, 6),
	(true, true, '2026-11-01', 21, 130, 2),
	(true, true, '2026-11-01', 21, 131, 2),
	(true, true, '2026-11-01', 21, 137, 2),
	(true, false, '2026-11-27', 2, 205, 4),
	(true, false, '2026-11-27', 2, 206, 4),
	(true, false, '2026-11-27', 2, 207, 0),
	(true, true, '2026-11-01', 2, 66, 0),
	(true, true, '2026-11-01', 2, 67, 5),
	(true, true, '2026-11-01', 2, 76, 5),
	(true, false, '2026-11-27', 16, 131, 3),
	(true, false, '2026-11-27', 16, 133, 0),
	(true, true, '2026-11-01', 2, 77, 5),
	(true, true, '2026-11-01', 2, 78, 5),
	(true, true, '2026-11-01', 2, 84, 5),
	(true, true, '2026-11-01', 2, 193, 4),
	(true, true, '2026-11-01', 2, 196, 4),
	(true, true, '2026-11-01', 2, 205, 4),
	(true, true, '2026-11-01', 2, 206, 4),
	(true, true, '2026-11-01', 16, 66, 0),
	(true, true, '2026-11-01', 2, 79, 4),
	(true, true, '2026-11-01', 20, 66, 0),
	(true, false, '2026-11-27', 18, 201, 1),
	(true, false, '2026-11-27', 18, 202, 1),
	(true, false, '2026-11-27', 18, 203, 0),
	(true, false, '2026-11-27', 20, 74, 1),
	(true, false, '2026-11-27', 20, 75, 1),
	(true, true, '2026-11-01', 18, 201, 1),
	(true, true, '2026-11-01', 18, 202, 1),
	(true, true, '2026-11-01', 18, 203, 0),
	(true, true, '2026-11-01', 20, 74, 1),
	(true, true, '2026-11-01', 20, 75, 1),
	(true, true, '2026-11-01', 2, 203, 0),
	(true, false, '2026-11-27', 19, 67, 4),
	(true, true, '2026-11-01', 2, 74, 5),
	(true, false, '2026-11-27', 19, 75, 4),
	(true, false, '2026-11-27', 19, 76, 4),
	(true, true, '2026-11-01', 18, 67, 1),
	(true, true, '2026-11-01', 18, 76, 1),
	(true, true, '2026-11-01', 18, 77, 1),
	(true, true, '2026-11-01', 18, 78, 1),
	(true, true, '2026-11-01', 18, 79, 1);
INSERT INTO public.tally VALUES
	(true, true, '2026-11-01', 18, 84, 1),
	(true, true, '2026-11-01', 18, 193, 1),
	(true, true, '2026-11-01', 18, 194, 0),
	(true, true, '2026-11-01', 18, 196, 1),
	(true, true, '2026-11-01', 18, 205, 1),
	(true, true, '2026-11-01', 18, 206, 1),
	(true, true, '2026-11-01', 18, 207, 0),
	(true, false, '2026-11-27', 3, 67, 2),
	(true, false, '2026-11-27', 3, 74, 3),
	(true, false, '2026-11-27', 3, 75, 3),
	(true, false, '2026-11-27', 3, 76, 2),
	(true, false, '2026-11-27', 3, 77, 2),
	(true, false, '2026-11-27', 3, 78, 2),
	(true, false, '2026-11-27', 3, 79, 2),
	(true, false, '2026-11-27', 3, 84, 2),
	(true, false, '2026-11-27', 3, 132, 2),
	(true, false, '2026-11-27', 3, 133, 0),
	(true, false, '2026-11-27', 3, 130, 4),
	(true, false, '2026-11-27', 19, 74, 4),
	(true, false, '2026-11-27', 3, 131, 4),
	(true, false, '2026-11-27', 3, 137, 4),
	(true, true, '2026-11-01', 3, 66, 0),
	(true, false, '2026-11-27', 19, 77, 4),
	(true, false, '2026-11-27', 1, 75, 2),
	(true, false, '2026-11-27', 1, 76, 2),
	(true, false, '2026-11-27', 1, 77, 2),
	(true, false, '2026-11-27', 1, 78, 2),
	(true, false, '2026-11-27', 1, 79, 2),
	(true, false, '2026-11-27', 1, 84, 2),
	(true, false, '2026-11-27', 1, 130, 2),
	(true, false, '2026-11-27', 1, 131, 2),
	(true, false, '2026-11-27', 1, 132, 2),
	(true, false, '2026-11-27', 1, 137, 2),
	(true, true, '2026-11-01', 1, 66, 0),
	(true, true, '2026-11-01', 1, 67, 2),
	(true, true, '2026-11-01', 1, 74, 2),
	(true, true, '2026-11-01', 1, 75, 2),
	(true, true, '2026-11-01', 1, 76, 2),
	(true, true, '2026-11-01', 1, 77, 2),
	(true, true, '2026-11-01', 1, 78, 2),
	(true, true, '2026-11-01', 1, 79, 2),
	(true, true, '2026-11-01', 1, 84, 2),
	(true, true, '2026-11-01', 1, 130, 2),
	(true, true, '2026-11-01', 1, 131, 2),
	(true, true, '2026-11-01', 1, 132, 2),
	(true, true, '2026-11-01', 1, 133, 0),
	(true, true, '2026-11-01', 1, 137, 2),
	(true, false, '2026-11-27', 19, 78, 4),
	(true, false, '2026-11-27', 19, 79, 4),
	(true, false, '2026-11-27', 19, 84, 4),
	(true, false, '2026-11-27', 19, 130, 6),
	(true, false, '2026-11-27', 19, 131, 4),
	(true, false, '2026-11-27', 19, 132, 4),
	(true, true, '2026-11-01', 20, 133, 0),
	(true, true, '2026-11-01', 16, 142, 3),
	(true, false, '2026-11-27', 19, 137, 4),
	(true, true, '2026-11-01', 2, 75, 3),
	(true, true, '2026-11-01', 2, 130, 13),
	(true, true, '2026-11-01', 20, 130, 3),
	(true, true, '2026-11-01', 20, 131, 3),
	(true, true, '2026-11-01', 2, 131, 7),
	(true, true, '2026-11-01', 2, 133, 0),
	(true, true, '2026-11-01', 20, 137, 3),
	(true, true, '2026-11-01', 2, 137, 7),
	(true, false, '2026-11-27', 2, 130, 13),
	(true, false, '2026-11-27', 2, 131, 7),
	(true, false, '2026-11-27', 2, 139, 2),
	(true, false, '2026-11-27', 19, 139, 2),
	(true, false, '2026-11-27', 2, 133, 0),
	(true, false, '2026-11-27', 2, 137, 7),
	(true, true, '2026-11-01', 2, 139, 2),
	(true, false, '2026-11-27', 2, 201, 4),
	(true, true, '2026-11-01', 19, 139, 2),
	(true, false, '2026-11-27', 2, 142, 3),
	(true, false, '2026-11-27', 16, 142, 3),
	(true, false, '2026-11-27', 20, 130, 3),
	(true, false, '2026-11-27', 20, 131, 3),
	(true, false, '2026-11-27', 20, 137, 3),
	(true, true, '2026-11-01', 2, 142, 3),
	(true, false, '2026-11-27', 2, 202, 4),
	(true, false, '2026-11-27', 2, 203, 0),
	(true, true, '2026-11-01', 2, 201, 4),
	(true, true, '2026-11-01', 2, 202, 4),
	(true, true, '2026-11-01', 3, 67, 2),
	(true, true, '2026-11-01', 3, 74, 3),
	(true, true, '2026-11-01', 3, 75, 3),
	(true, true, '2026-11-01', 3, 76, 2),
	(true, true, '2026-11-01', 3, 77, 2),
	(true, true, '2026-11-01', 3, 78, 2),
	(true, true, '2026-11-01', 3, 79, 2),
	(true, true, '2026-11-01', 3, 84, 2),
	(true, true, '2026-11-01', 3, 132, 2),
	(true, true, '2026-11-01', 3, 133, 0),
	(true, true, '2026-11-01', 19, 74, 4),
	(true, false, '2026-11-27', 22, 67, 1),
	(true, false, '2026-11-27', 22, 74, 1),
	(true, false, '2026-11-27', 22, 75, 1),
	(true, false, '2026-11-27', 22, 76, 1),
	(true, false, '2026-11-27', 22, 77, 1),
	(true, false, '2026-11-27', 22, 78, 1);
INSERT INTO public.tally VALUES
	(true, false, '2026-11-27', 22, 79, 1),
	(true, false, '2026-11-27', 22, 84, 1),
	(true, false, '2026-11-27', 22, 130, 1),
	(true, false, '2026-11-27', 22, 131, 1),
	(true, false, '2026-11-27', 22, 132, 1),
	(true, false, '2026-11-27', 22, 133, 0),
	(true, false, '2026-11-27', 22, 137, 1),
	(true, true, '2026-11-01', 22, 67, 1),
	(true, true, '2026-11-01', 22, 74, 1),
	(true, true, '2026-11-01', 22, 75, 1),
	(true, true, '2026-11-01', 22, 76, 1),
	(true, true, '2026-11-01', 22, 77, 1),
	(true, true, '2026-11-01', 22, 78, 1),
	(true, true, '2026-11-01', 22, 79, 1),
	(true, true, '2026-11-01', 22, 84, 1),
	(true, true, '2026-11-01', 22, 130, 1),
	(true, true, '2026-11-01', 22, 131, 1),
	(true, true, '2026-11-01', 22, 132, 1),
	(true, true, '2026-11-01', 22, 137, 1),
	(true, true, '2026-11-01', 19, 84, 4),
	(true, true, '2026-11-01', 19, 130, 6),
	(true, true, '2026-11-01', 19, 131, 4),
	(true, true, '2026-11-01', 19, 132, 4),
	(true, true, '2026-11-01', 19, 133, 0),
	(true, true, '2026-11-01', 19, 137, 4),
	(true, true, '2026-11-01', 3, 130, 4),
	(true, true, '2026-11-01', 20, 201, 1),
	(true, true, '2026-11-01', 20, 202, 1),
	(true, true, '2026-11-01', 20, 203, 0),
	(true, false, '2026-11-27', 16, 137, 3),
	(true, false, '2026-11-27', 20, 128, 3),
	(true, false, '2026-11-27', 16, 201, 2),
	(true, false, '2026-11-27', 16, 202, 2),
	(true, false, '2026-11-27', 16, 203, 0),
	(true, true, '2026-11-01', 16, 201, 2),
	(true, true, '2026-11-01', 16, 131, 3),
	(true, true, '2026-11-01', 16, 133, 0),
	(true, true, '2026-11-01', 16, 137, 3),
	(true, true, '2026-11-01', 20, 128, 3),
	(true, true, '2026-11-01', 16, 202, 2),
	(true, false, '2026-11-27', 20, 133, 0),
	(true, true, '2026-11-01', 16, 203, 0),
	(true, false, '2026-11-27', 16, 88, 2),
	(true, false, '2026-11-27', 16, 192, 2),
	(true, false, '2026-11-27', 20, 207, 0),
	(true, false, '2026-11-27', 20, 88, 1),
	(true, false, '2026-11-27', 20, 129, 3),
	(true, false, '2026-11-27', 20, 192, 1),
	(true, true, '2026-11-01', 2, 88, 4),
	(true, true, '2026-11-01', 2, 128, 13),
	(true, true, '2026-11-01', 2, 129, 13),
	(true, true, '2026-11-01', 2, 192, 4),
	(true, true, '2026-11-01', 3, 131, 4),
	(true, true, '2026-11-01', 3, 137, 4),
	(true, true, '2026-11-01', 16, 88, 2),
	(true, true, '2026-11-01', 16, 130, 6),
	(true, true, '2026-11-01', 16, 192, 2),
	(true, true, '2026-11-01', 20, 67, 1),
	(true, true, '2026-11-01', 20, 88, 1),
	(true, true, '2026-11-01', 20, 129, 3),
	(true, true, '2026-11-01', 20, 192, 1),
	(true, false, '2026-11-27', 2, 132, 1),
	(true, false, '2026-11-27', 19, 133, 0),
	(true, false, '2026-11-27', 20, 201, 1),
	(true, false, '2026-11-27', 20, 202, 1),
	(true, false, '2026-11-27', 20, 203, 0),
	(true, true, '2026-11-01', 2, 132, 1),
	(true, true, '2026-11-01', 19, 66, 0),
	(true, true, '2026-11-01', 19, 67, 4),
	(true, true, '2026-11-01', 19, 75, 4),
	(true, true, '2026-11-01', 19, 76, 4),
	(true, true, '2026-11-01', 19, 77, 4),
	(true, true, '2026-11-01', 19, 78, 4),
	(true, true, '2026-11-01', 19, 79, 4),
	(true, false, '2026-11-27', 16, 79, 1),
	(true, false, '2026-11-27', 2, 4097, 0),
	(true, false, '2026-11-27', 20, 4096, 50000),
	(true, true, '2026-11-01', 16, 79, 1),
	(true, false, '2026-11-27', 20, 66, 0),
	(true, false, '2026-11-27', 20, 67, 1),
	(true, false, '2026-11-27', 20, 76, 1),
	(true, false, '2026-11-27', 20, 77, 1),
	(true, false, '2026-11-27', 20, 78, 1),
	(true, false, '2026-11-27', 20, 79, 1),
	(true, false, '2026-11-27', 20, 84, 1),
	(true, false, '2026-11-27', 20, 193, 1),
	(true, false, '2026-11-27', 20, 194, 0),
	(true, false, '2026-11-27', 20, 196, 1),
	(true, false, '2026-11-27', 20, 205, 1),
	(true, false, '2026-11-27', 20, 206, 1),
	(true, true, '2026-11-01', 20, 76, 1),
	(true, true, '2026-11-01', 20, 77, 1),
	(true, true, '2026-11-01', 20, 78, 1),
	(true, true, '2026-11-01', 20, 79, 1),
	(true, true, '2026-11-01', 20, 84, 1),
	(true, true, '2026-11-01', 20, 193, 1),
	(true, true, '2026-11-01', 20, 194, 0),
	(true, true, '2026-11-01', 20, 196, 1),
	(true, true, '2026-11-01', 20, 205, 1),
	(true, true, '2026-11-01', 20, 206, 1);
INSERT INTO public.tally VALUES
	(true, true, '2026-11-01', 20, 207, 0),
	(true, false, '2026-11-27', 2, 4096, 50000),
	(true, false, '2026-11-27', 20, 4097, 0),
	(true, true, '2026-11-01', 2, 4096, 50000),
	(true, true, '2026-11-01', 2, 4097, 0),
	(true, true, '2026-11-01', 20, 4096, 50000),
	(true, true, '2026-11-01', 20, 4097, 0),
	(true, false, '2026-11-27', 16, 66, 0),
	(true, false, '2026-11-27', 16, 67, 2),
	(true, false, '2026-11-27', 16, 76, 2),
	(true, false, '2026-11-27', 16, 77, 2),
	(true, false, '2026-11-27', 2, 81, 1),
	(true, false, '2026-11-27', 16, 78, 2),
	(true, false, '2026-11-27', 16, 81, 1),
	(true, false, '2026-11-27', 16, 84, 2),
	(true, false, '2026-11-27', 16, 193, 2),
	(true, false, '2026-11-27', 16, 194, 0),
	(true, false, '2026-11-27', 16, 196, 2),
	(true, false, '2026-11-27', 16, 205, 2),
	(true, false, '2026-11-27', 16, 206, 2),
	(true, false, '2026-11-27', 16, 207, 0),
	(true, true, '2026-11-01', 2, 81, 1),
	(true, true, '2026-11-01', 2, 194, 0),
	(true, true, '2026-11-01', 2, 207, 0),
	(true, true, '2026-11-01', 16, 67, 2),
	(true, true, '2026-11-01', 16, 76, 2),
	(true, true, '2026-11-01', 16, 77, 2),
	(true, true, '2026-11-01', 16, 78, 2),
	(true, true, '2026-11-01', 16, 81, 1),
	(true, true, '2026-11-01', 16, 84, 2),
	(true, true, '2026-11-01', 16, 193, 2),
	(true, true, '2026-11-01', 16, 194, 0),
	(true, true, '2026-11-01', 16, 196, 2),
	(true, true, '2026-11-01', 16, 205, 2),
	(true, true, '2026-11-01', 16, 206, 2),
	(true, true, '2026-11-01', 16, 207, 0),
	(true, false, '2026-11-27', 3, 70, 1),
	(true, false, '2026-11-27', 3, 85, 1),
	(true, false, '2026-11-27', 21, 70, 1),
	(true, false, '2026-11-27', 21, 85, 1),
	(true, true, '2026-11-01', 3, 70, 1),
	(true, true, '2026-11-01', 3, 85, 1),
	(true, true, '2026-11-01', 21, 70, 1),
	(true, true, '2026-11-01', 21, 85, 1);
INSERT INTO public.tally_case VALUES
	(3, '{19795933763993603,55824731421605387,91853527801922079,163911121839849618}', 738801, '2026-11-27', 1, 3, true, NULL, NULL, NULL),
	(4, '{19936671252348931,55965468909960715,91994265290277407,164051859328204946}', 738801, '2026-11-27', 3, 3, true, NULL, NULL, NULL),
	(1, '{19303352554749955,55332150229136907,91360946592743431,127389743611667987,163418540630605970}', 738801, '2026-11-27', 2, 2, true, NULL, NULL, NULL),
	(9, '{19936671252348931,55965468909960715,91994265290277407,164051859328204946}', 738801, '2026-11-27', 3, 3, true, NULL, NULL, NULL),
	(8, '{21484783624257539,57513581281869323,93542377662186015,165599971700113554}', 738801, '2026-11-27', 1, 6, true, NULL, NULL, NULL),
	(5, '{19866302508171267,55895100165783051,91923896546099743,91923896546101255,91923896546101255,163981490584027282}', 738801, '2026-11-27', 2, 3, true, NULL, NULL, NULL),
	(2, '{18177452647907331,54206250322296331,90235046685835791,90235046685835791,90235046685835791,126263843704825363,162292640723763346}', 738801, '2026-11-27', 2, 0, true, NULL, NULL, NULL),
	(6, '{20429252461592579,56458050135981579,92486846499521039,92486846499521039,92486846499521039,128515643518510611,164544440537448594}', 738801, '2026-11-27', 2, 4, true, NULL, '{200573237556412417}', '{50000}'),
	(7, '{18177452647907331,54206250322392587,90235046685851655,90235046685851655,90235046685851655,126263843704825363,162292640723763346}', 738801, '2026-11-27', 2, 0, true, NULL, NULL, NULL),
	(10, '{21062571159191555,57091368817790531,93120165197120015,93120165197120015,165177759235047570}', 738801, '2026-11-27', 3, 5, true, NULL, NULL, NULL);
INSERT INTO public.unit VALUES
	(1, '巴彦淖尔市公安局', NULL, '市', '{1}', true),
	(2, '临河区公安分局', 1, '旗县区', '{1,2}', true),
	(3, '新华派出所', 2, '所', '{1,2,3}', true),
	(4, '河畔社区警务室', 3, '警务室', '{1,2,3,4}', true),
	(5, '新华东社区警务室', 3, '警务室', '{1,2,3,5}', true),
	(6, '胜利路派出所', 2, '所', '{1,2,6}', true),
	(7, '团结派出所', 2, '所', '{1,2,7}', true),
	(8, '河套大街派出所', 2, '所', '{1,2,8}', true),
	(9, '城关派出所', 2, '所', '{1,2,9}', true),
	(10, '五原县公安局', 1, '旗县区', '{1,10}', true),
	(11, '建设路派出所', 10, '所', '{1,10,11}', true),
	(12, '红旗街派出所', 10, '所', '{1,10,12}', true),
	(13, '城关派出所', 10, '所', '{1,10,13}', true),
	(14, '磴口县公安局', 1, '旗县区', '{1,14}', true),
	(15, '长安路派出所', 14, '所', '{1,14,15}', true),
	(16, '沙渡派出所', 14, '所', '{1,14,16}', true),
	(17, '乌拉特前旗公安局', 1, '旗县区', '{1,17}', true),
	(18, '解放街派出所', 17, '所', '{1,17,18}', true),
	(19, '青湖派出所', 17, '所', '{1,17,19}', true),
	(20, '白桦沟派出所', 17, '所', '{1,17,20}', true),
	(21, '乌拉特中旗公安局', 1, '旗县区', '{1,21}', true),
	(22, '草原路派出所', 21, '所', '{1,21,22}', true),
	(23, '石河派出所', 21, '所', '{1,21,23}', true),
	(24, '乌拉特后旗公安局', 1, '旗县区', '{1,24}', true),
	(25, '北山派出所', 24, '所', '{1,24,25}', true),
	(26, '驼泉派出所', 24, '所', '{1,24,26}', true),
	(27, '杭锦后旗公安局', 1, '旗县区', '{1,27}', true),
	(28, '西渠派出所', 27, '所', '{1,27,28}', true),
	(29, '西渠镇警务室', 28, '警务室', '{1,27,28,29}', true),
	(30, '柳林派出所', 27, '所', '{1,27,30}', true),
	(31, '城南派出所', 27, '所', '{1,27,31}', true);
INSERT INTO public.unit_alias VALUES
	(1, 1, '市局', '市局', 'demo', '2026-11-27 01:00:15.828283+00'),
	(2, 2, '临河公安', '临河公安', 'demo', '2026-11-27 01:00:15.828283+00'),
	(3, 2, '临河分局', '临河分局', 'demo', '2026-11-27 01:00:15.828283+00'),
	(4, 3, '新华所', '新华所', 'demo', '2026-11-27 01:00:15.828283+00'),
	(5, 6, '胜利路所', '胜利路所', 'demo', '2026-11-27 01:00:15.828283+00'),
	(6, 8, '河套所', '河套所', 'demo', '2026-11-27 01:00:15.828283+00'),
	(7, 10, '五原公安', '五原公安', 'demo', '2026-11-27 01:00:15.828283+00'),
	(8, 17, '前旗公安局', '前旗公安局', 'demo', '2026-11-27 01:00:15.828283+00'),
	(9, 18, '解放街所', '解放街所', 'demo', '2026-11-27 01:00:15.828283+00'),
	(10, 21, '中旗公安局', '中旗公安局', 'demo', '2026-11-27 01:00:15.828283+00'),
	(11, 24, '后旗公安局', '后旗公安局', 'demo', '2026-11-27 01:00:15.828283+00'),
	(12, 27, '杭后公安局', '杭后公安局', 'demo', '2026-11-27 01:00:15.828283+00'),
	(13, 28, '西渠所', '西渠所', 'demo', '2026-11-27 01:00:15.828283+00');
INSERT INTO public.warning VALUES
	(1, 1, 1, 1, '银行', 'YJ26112500210', 'web_app', 'shopping', 'medium', '临河区公安分局新华派出所', NULL, NULL, NULL, '{}', false, true, '[]', NULL, '2026-11-24 21:52:00+00', NULL, '2026-11-27 01:00:38.870304+00', '\x0100011074522bf29837c0702b16f5da0576224046cfdcf62d3f66cfa1a1766c1795ded85647c3704856a970a9cdbe8dbb496bc611ff1f8c7e14585b70303acac9ac4ab1277eb89f99ed4f344f94c86c071dc3b0e20440bd6cafbfd9e0eb4422345f4309c3fa38d520b56e3dc7d125190a85c42971e1c8cdb36810f0f0ba23aca7bc0a3409b6f1a62b1f59b31b681e215f4af4efdf5a06db8cee052b76cbec19a3d735b82dca312ef3542a5855433bdb4f3e6725681fb89a005e0caefa1798a4d8164dfc8fd65dbd33d55bc2ea8900a9bb7ba518ace5c5b8473e8b79290809ce132356c3fca608a0be988f001d138bb20093b254b90f96e1cff4bed38a4cb3d0aeb9a8b11270'),
	(2, 2, 2, 1, '运营商', 'YJ26112500204', 'telecom', 'fake_order_rebate', 'medium', '乌拉特中旗公安局石河派出所', NULL, NULL, 1738, '{elderly}', false, true, '[]', NULL, '2026-11-24 17:11:00+00', '2026-12-01 16:00:00+00', '2026-11-27 01:00:38.870304+00', '\x0100019a800da84223abc18c1983f121ece44c5dd8d67e610e90fd0bdfecc910f8ad861b43db5fbb7c7c4e54663f224af7113b8b012b117d9ca56f5f1b466b85d67b3a8e46e4f0052fb65ad45a34e6e57ec969b29dd5bd8db1f2638a7017d07a55bcebadba91967289d5876109b37292644b6d9819ed99debb49b500e1545decb11c80638ec5fd888fada60a85ac98d504eccb9696e12b8d56eb6d69f7ad3c5a4b4e4484a5fe3734c4cd4aa439e4bacb1ea81de6b7afbace0aed77806572613606ffd1cf857740bc1f9b38cac16b14dc5a2c142eec8549cffd29fa56a27cad191989c83141f85851c775df872b581d9e254fc58774db427c571553476b'),
	(3, 3, 3, 1, '自治区反诈中心', 'YJ26112500378', 'telecom', 'fake_customer_service', 'high', '乌拉特前旗', 23000000, NULL, 1409, '{}', false, true, '[]', NULL, '2026-11-24 19:42:00+00', NULL, '2026-11-27 01:00:38.870304+00', '\x0100011346f4e856b7952fab373b1d0fd96c47757e23df6ba54fa489aed3721b2362ca6fd68194de28d3e267bbae8d0d6d0bab17fdfd865d14d23ad19cc91ede257f27528741c8f253f918c1482f1afce46913f723138fd7dad1f7613f484f3dd1b67efeb55db7ba3a1c5f0fd67c9aab7ad758f5902e9dc2fa1edf67bece48386a724d74b8af42e0acb2bf576edb77eee0a3dd9dfc91c1e9d1efed04666241838b15dce5d7d719a33d6ea129893ee4ee61c6d86bc292ba5e7d49317f17e953daa002f8a700e7bce6a17d1f8e5d1a1f4c39a19609b4bc260ae504c403de76f4ec311a72941a1bedfbb0f8484e347fe9b96a542376713ce912ae33e33b85'),
	(4, 4, 4, 1, '国家反诈中心', 'YJ26112590002', 'telecom', 'fake_customer_service', 'low', '杭锦后旗公安局', NULL, NULL, 388, '{}', false, true, '[]', NULL, '2026-11-25 00:57:00+00', NULL, '2026-11-27 01:00:38.870304+00', '\x010001bdc1f0b3fc755a167f53cce1f3d73099d20dc1784b3f5f7c728b937f9e715bd6b55a8e063d0084194783e3058a817263e91fb37e9e39bfcb1494c35b94e41b95e927b6f7668a56c4aab16a1d039b2829f4fcea42fdcf00f32f00ea6f50868bdfa761feb670515742df4bd16639369bb6be709bdf76873e3cf1bf01f6be57f81a1ed7a67719bdfa85b8f1c12b4ba65b5822aaafee9c54a6ee6c0ff7e18eb53196760aa7c1901fe73aa596de310bb7c953e5960c180ed2b2a27bf2418ed70f6307ab2a974aec76cdd7690a397dd52e05cadcd334c4c4fd324f02a5bf80b731bf53e50c7d5375555daed2a934ceabcf6812f6df2fc7cc9a5ef640b768d003e63869c9db15'),
	(5, 5, 5, 1, '运营商', 'YJ26112500040', 'telecom', 'fake_customer_service', 'medium', '五原县公安局建设路派出所', 3000000, NULL, 1665, '{mongolian}', false, true, '[]', NULL, '2026-11-24 16:23:00+00', NULL, '2026-11-27 01:00:38.870304+00', '\x010001298d61f0a200bbc46a2987bcf6736078768ba425c98a01f825bd489e2b0f16af5931eca8382e3763f6d6254fec41da72a85b120f300ea9162cbaf7214a6bf3a9875e7e3ce6f9147fbc5667e470073ab56eeab20d5eab070b2be0f791a2a11c8ac9982eb94ecd7095b7f0833e8b9dd3057df50a83355f9c5fbeada2eee2d74821753ecb3e1a524a67aef3d070f9ba8fb45509e4eb18a021073bed509d1c6807f6769a46e73c963ec3dd113ae3a1b9710807d244471c42ec01338a7615a595e644efc5260730d252b46cfd7a393040442519b554425735f6d40d6ce79bb5a65c87d5b9aeb20ba95747d5e64ae2ad8beb78b6396a4a6e9cf1954cac'),
	(6, 6, 6, 1, '银行', 'YJ26112500454', 'web_app', 'loan', 'medium', '城南派出所', 50000, NULL, NULL, '{}', false, true, '[]', NULL, '2026-11-24 18:39:00+00', '2026-11-27 16:00:00+00', '2026-11-27 01:00:38.870304+00', '\x010001f938a4f9cf74f833109dafda1406dd9d1538ac1a017f2557580e4f7ae653509fbce51392a44277d5e48608a37fb716f80f35cecacde6b6c3cc328f98b18e4bfdda7f037b6222e15f11e65f5a5a8d9281c72d204106890bba2367594f43c1cdb371b5434161f05b20c15901eb5791c56f730030fd5a9bbea32612cfcb27f69d56fd180835569b3130c99ce720e95a86cd4bbfd7ef07b029bae178e9663b54c0c3e0c746e8c1e008dc44c9f4e1bbaf9cb345a44a592bec464f06e4786214ef8f3d1461b3d537d10e3c281ad26fea3e20e91470fe5cac5ed94e9d5c81ab6b2c2df0092486b9e03b00be8e68604886f022e855b6356576d70db55448c8bdd2c991fc61dca9fb6270b150dd5e7d48e84e3370d65cc9'),
	(7, 7, 7, 1, '运营商', 'YJ26112500258', 'telecom', 'fake_order_rebate', 'medium', '乌拉特前旗公安局解放街派出所', 23000000, NULL, 1383, '{}', false, true, '[]', NULL, '2026-11-24 17:44:00+00', NULL, '2026-11-27 01:00:38.870304+00', '\x01000161005338a300bdf80dc3bf8b2076f7008be031176386a7824896b294cb87cb601c22f2b5e20c2e36e856bcb025cf33e0723df9d668390c99510a8471b2f495476c8ea3256a555edff0b03bbcc20a396ecf6549ad95d14e135be6bc66402cdb1c73ffe0ece44a1ea90b7ff752e91cff84590ed39f3ea5022bfc35dcffbe6411b6d200ee194c7e467e2e20f180389d78a85467c3dad5a7448f13b92e42f99ba3aa8ae962701aea9e0b429e20306b8c97b07bceddc9fa302c64032dce9e748838c8439ef35080c72c14202127036e3a76331d7f3d2730b5c2f3414204fd929fd7cdb8755601eece0f9e0eee1051c319fc147dc08eece746819c69a8'),
	(8, 8, 8, 1, '国家反诈中心', 'YJ26112500490', 'telecom', 'boss_or_acquaintance', 'high', '杭锦后旗公安局', NULL, NULL, 1399, '{}', false, true, '[]', NULL, '2026-11-24 19:05:00+00', NULL, '2026-11-27 01:00:38.870304+00', '\x010001fbfb0cedc90418448d01ca59de989d038042d5ef55b7ef008c91e03b7623ea0449db64a384aed568f222041f5416bcaa0ed02c7f4d888e689a4005283777906bb153f33b47f07906691a6735e5e6858762b49da4956e9b978612086aae8aac2f11f03baf7efbd1f1847f9d844d749f2615a45b404470ed9b92fdc324bc5a90f93cec5256fab17d7fca413df0e6e0d5fa57b34235e57803b7188681ae8e59bf02d0ce8bfae17baff295f52a62dccbbefd1cc45b24e257bf90c14a779a059510fe7a2c3faf1f4868513d2995ec1b74b09ef647ecb3854ba548d78d8bbf0c2b283cb6ec45f2805cbfe4'),
	(9, 9, 9, 1, '银行', 'YJ26112500456', 'telecom', 'fake_customer_service', 'low', '五原县', 1500000, NULL, 1433, '{}', false, true, '[]', NULL, '2026-11-24 20:05:00+00', NULL, '2026-11-27 01:00:38.870304+00', '\x010001b530030d82a8af993265439780d82ccec843402d0d3b01991beba0e8afe36187f6bd039d7518427fb9e454db75b92959258ff5e9f743cbe52319e93305f0c4387b6151cc33572ac4beb9cd93b33863601acf6309bf35ea13ccd966322e48eced37775bcdafef0860482d645a062fd09173eabd8aee134b286d6f0391e46105d7ab5e36161a9b65d0a65791e730c8648126070b8e30b80396f002682c00262963451409ff8171526c1fa89793eb5cb3cda03403bd7820076628b1e117d098e9b8a2cac4a8c92146fb74e973d2813e1fc962d0b31cba0f4868a7ec99c35f7f46e3ab10193606603399ed713ba9f3f05d4d65cdd6dc39044fb33394'),
	(10, 10, 10, 1, '运营商', 'YJ26112500309', 'telecom', 'credit', 'low', '五原县公安局', NULL, NULL, 1418, '{}', false, true, '[]', NULL, '2026-11-24 17:04:00+00', NULL, '2026-11-27 01:00:38.870304+00', '\x01000110b56e6fa6d233597652f01f502a99a625c68377557e572e6f5d30c50f111408cc0e24ab99a6ac530cc6e114b3d4224907c0917e5c226e10f506805a18722bd2db0efffaa87e03eafa9404697782068e6809d763898a9dce49dbe010c4a1b7c72e7680347717718c262b4ccc1bc5481f44b05a21e30fd5fc5d374a77af6508f0794c27dec985126f26e0e900db3a4d9bf00af87c5fd09a3584216a70f28a3e77d7d91ed543f3fe7dd1aa3f9b1a5e1b8b47e4ab308003f8c11d4fe728f3194eec6e595b1a22c0143e998b10aa2056be259e1e5bf32d783cee3606358953a772c51df621221595ff40b272e60c47b0b7dda7757be2cc80ef5bc5');
SELECT pg_catalog.setval('public.alarm_id_seq', 1, false);
SELECT pg_catalog.setval('public.api_token_id_seq', 1, false);
SELECT pg_catalog.setval('public.assignment_id_seq', 4, true);
SELECT pg_catalog.setval('public.assignment_transfer_id_seq', 1, false);
SELECT pg_catalog.setval('public.audit_id_seq', 13, true);
SELECT pg_catalog.setval('public.case_id_seq', 10, true);
SELECT pg_catalog.setval('public.event_id_seq', 133, true);
SELECT pg_catalog.setval('public.filed_case_id_seq', 1, false);
SELECT pg_catalog.setval('public.hold_id_seq', 1, false);
SELECT pg_catalog.setval('public.list_load_id_seq', 1, true);
SELECT pg_catalog.setval('public.list_reject_id_seq', 1, true);
SELECT pg_catalog.setval('public.outcome_id_seq', 10, true);
SELECT pg_catalog.setval('public.person_id_seq', 10, true);
SELECT pg_catalog.setval('public.script_approval_id_seq', 13, true);
SELECT pg_catalog.setval('public.script_render_id_seq', 1, false);
SELECT pg_catalog.setval('public.script_trial_id_seq', 1, false);
SELECT pg_catalog.setval('public.script_version_id_seq', 13, true);
SELECT pg_catalog.setval('public.staff_id_seq', 6, true);
SELECT pg_catalog.setval('public.staff_link_id_seq', 1, false);
SELECT pg_catalog.setval('public.staff_session_id_seq', 1, false);
SELECT pg_catalog.setval('public.stop_payment_id_seq', 1, false);
SELECT pg_catalog.setval('public.unit_alias_id_seq', 13, true);
SELECT pg_catalog.setval('public.unit_id_seq', 31, true);
SELECT pg_catalog.setval('public.warning_id_seq', 10, true);
ALTER TABLE ONLY public.alembic_version
    ADD CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num);
ALTER TABLE ONLY public.alarm
    ADD CONSTRAINT pk_alarm PRIMARY KEY (id);
ALTER TABLE ONLY public.api_token
    ADD CONSTRAINT pk_api_token PRIMARY KEY (id);
ALTER TABLE ONLY public.assignment
    ADD CONSTRAINT pk_assignment PRIMARY KEY (id);
ALTER TABLE ONLY public.assignment_transfer
    ADD CONSTRAINT pk_assignment_transfer PRIMARY KEY (id);
ALTER TABLE ONLY public.attempt
    ADD CONSTRAINT pk_attempt PRIMARY KEY (id);
ALTER TABLE ONLY public.audit
    ADD CONSTRAINT pk_audit PRIMARY KEY (id);
ALTER TABLE ONLY public."case"
    ADD CONSTRAINT pk_case PRIMARY KEY (id);
ALTER TABLE ONLY public.desk_call
    ADD CONSTRAINT pk_desk_call PRIMARY KEY (id);
ALTER TABLE ONLY public.event
    ADD CONSTRAINT pk_event PRIMARY KEY (id);
ALTER TABLE ONLY public.filed_case
    ADD CONSTRAINT pk_filed_case PRIMARY KEY (id);
ALTER TABLE ONLY public.heartbeat
    ADD CONSTRAINT pk_heartbeat PRIMARY KEY (process);
ALTER TABLE ONLY public.hold
    ADD CONSTRAINT pk_hold PRIMARY KEY (id);
ALTER TABLE ONLY public.line_group
    ADD CONSTRAINT pk_line_group PRIMARY KEY (name);
ALTER TABLE ONLY public.list_file
    ADD CONSTRAINT pk_list_file PRIMARY KEY (load_id, part);
ALTER TABLE ONLY public.list_load
    ADD CONSTRAINT pk_list_load PRIMARY KEY (id);
ALTER TABLE ONLY public.list_mapping
    ADD CONSTRAINT pk_list_mapping PRIMARY KEY (source, heading);
ALTER TABLE ONLY public.list_reject
    ADD CONSTRAINT pk_list_reject PRIMARY KEY (id);
ALTER TABLE ONLY public.live_number
    ADD CONSTRAINT pk_live_number PRIMARY KEY (phone_blind);
ALTER TABLE ONLY public.message
    ADD CONSTRAINT pk_message PRIMARY KEY (id);
ALTER TABLE ONLY public.meta
    ADD CONSTRAINT pk_meta PRIMARY KEY (key);
ALTER TABLE ONLY public.open_count
    ADD CONSTRAINT pk_open_count PRIMARY KEY (unit_id, text, grade);
ALTER TABLE ONLY public.outcome
    ADD CONSTRAINT pk_outcome PRIMARY KEY (id);
ALTER TABLE ONLY public.outcome_approval
    ADD CONSTRAINT pk_outcome_approval PRIMARY KEY (outcome_id);
ALTER TABLE ONLY public.person
    ADD CONSTRAINT pk_person PRIMARY KEY (id);
ALTER TABLE ONLY public.person_key
    ADD CONSTRAINT pk_person_key PRIMARY KEY (name_phone_blind);
ALTER TABLE ONLY public.person_phone
    ADD CONSTRAINT pk_person_phone PRIMARY KEY (person_id, "position");
ALTER TABLE ONLY public.policy_version
    ADD CONSTRAINT pk_policy_version PRIMARY KEY (version);
ALTER TABLE ONLY public.script_approval
    ADD CONSTRAINT pk_script_approval PRIMARY KEY (id);
ALTER TABLE ONLY public.script_render
    ADD CONSTRAINT pk_script_render PRIMARY KEY (id);
ALTER TABLE ONLY public.script_sound
    ADD CONSTRAINT pk_script_sound PRIMARY KEY (audio_hash);
ALTER TABLE ONLY public.script_trial
    ADD CONSTRAINT pk_script_trial PRIMARY KEY (id);
ALTER TABLE ONLY public.script_version
    ADD CONSTRAINT pk_script_version PRIMARY KEY (id);
ALTER TABLE ONLY public.sent_act
    ADD CONSTRAINT pk_sent_act PRIMARY KEY (client_id);
ALTER TABLE ONLY public.service_clock
    ADD CONSTRAINT pk_service_clock PRIMARY KEY (id);
ALTER TABLE ONLY public.sign_in_failure
    ADD CONSTRAINT pk_sign_in_failure PRIMARY KEY (key);
ALTER TABLE ONLY public.sound_file
    ADD CONSTRAINT pk_sound_file PRIMARY KEY (file);
ALTER TABLE ONLY public.staff
    ADD CONSTRAINT pk_staff PRIMARY KEY (id);
ALTER TABLE ONLY public.staff_link
    ADD CONSTRAINT pk_staff_link PRIMARY KEY (id);
ALTER TABLE ONLY public.staff_session
    ADD CONSTRAINT pk_staff_session PRIMARY KEY (id);
ALTER TABLE ONLY public.stop_payment
    ADD CONSTRAINT pk_stop_payment PRIMARY KEY (id);
ALTER TABLE ONLY public.tally
    ADD CONSTRAINT pk_tally PRIMARY KEY (drill, whole_month, start, slice, measure);
ALTER TABLE ONLY public.tally_case
    ADD CONSTRAINT pk_tally_case PRIMARY KEY (case_id);
ALTER TABLE ONLY public.unit
    ADD CONSTRAINT pk_unit PRIMARY KEY (id);
ALTER TABLE ONLY public.unit_alias
    ADD CONSTRAINT pk_unit_alias PRIMARY KEY (id);
ALTER TABLE ONLY public.visit_photo
    ADD CONSTRAINT pk_visit_photo PRIMARY KEY (client_id);
ALTER TABLE ONLY public.warning
    ADD CONSTRAINT pk_warning PRIMARY KEY (id);
ALTER TABLE ONLY public.api_token
    ADD CONSTRAINT uq_api_token_secret_hash UNIQUE (secret_hash);
ALTER TABLE ONLY public.attempt
    ADD CONSTRAINT uq_attempt_case_id_n UNIQUE (case_id, n);
ALTER TABLE ONLY public.desk_call
    ADD CONSTRAINT uq_desk_call_sid UNIQUE (sid);
ALTER TABLE ONLY public.filed_case
    ADD CONSTRAINT uq_filed_case_case_number_case_id UNIQUE (case_number, case_id);
ALTER TABLE ONLY public.live_number
    ADD CONSTRAINT uq_live_number_attempt_id UNIQUE (attempt_id);
ALTER TABLE ONLY public.message
    ADD CONSTRAINT uq_message_case_id_purpose UNIQUE (case_id, purpose);
ALTER TABLE ONLY public.message
    ADD CONSTRAINT uq_message_sid UNIQUE (sid);
ALTER TABLE ONLY public.outcome
    ADD CONSTRAINT uq_outcome_id_recorded_by UNIQUE (id, recorded_by);
ALTER TABLE ONLY public.person
    ADD CONSTRAINT uq_person_id_number_blind UNIQUE (id_number_blind);
ALTER TABLE ONLY public.policy_version
    ADD CONSTRAINT uq_policy_version_content_hash UNIQUE (content_hash);
ALTER TABLE ONLY public.script_version
    ADD CONSTRAINT uq_script_version_id_drafted_by UNIQUE (id, drafted_by);
ALTER TABLE ONLY public.script_version
    ADD CONSTRAINT uq_script_version_script_id_content_hash UNIQUE (script_id, content_hash);
ALTER TABLE ONLY public.script_version
    ADD CONSTRAINT uq_script_version_script_id_number UNIQUE (script_id, number);
ALTER TABLE ONLY public.staff_link
    ADD CONSTRAINT uq_staff_link_token_hash UNIQUE (token_hash);
ALTER TABLE ONLY public.staff
    ADD CONSTRAINT uq_staff_login UNIQUE (login);
ALTER TABLE ONLY public.staff_session
    ADD CONSTRAINT uq_staff_session_token_hash UNIQUE (token_hash);
ALTER TABLE ONLY public.unit_alias
    ADD CONSTRAINT uq_unit_alias_key UNIQUE (key);
ALTER TABLE ONLY public.warning
    ADD CONSTRAINT uq_warning_source_instruction_no UNIQUE (source, instruction_no);
CREATE INDEX ix_alarm_case_id ON public.alarm USING btree (case_id);
CREATE INDEX ix_alarm_unseen ON public.alarm USING btree (raised_at) WHERE (seen_at IS NULL);
CREATE INDEX ix_assignment_case_id ON public.assignment USING btree (case_id);
CREATE INDEX ix_assignment_clocks ON public.assignment USING btree (unit_id, state, sign_by, due_at, feedback_by, kept_until) WHERE ((state = ANY (ARRAY['open'::text, 'signed'::text])) AND (unit_id IS NOT NULL));
CREATE INDEX ix_assignment_kept_for ON public.assignment USING btree (kept_for) WHERE ((state = 'open'::text) AND (kept_for IS NOT NULL));
CREATE INDEX ix_assignment_opened_at ON public.assignment USING btree (opened_at);
CREATE INDEX ix_assignment_signed ON public.assignment USING btree (signed_by) WHERE (state = 'signed'::text);
CREATE INDEX ix_assignment_transfer_assignment_id ON public.assignment_transfer USING btree (assignment_id);
CREATE INDEX ix_assignment_transfer_from ON public.assignment_transfer USING btree (from_unit_id, at) WHERE (state = 'asked'::text);
CREATE INDEX ix_assignment_transfer_to ON public.assignment_transfer USING btree (to_unit_id, at) WHERE (state = 'asked'::text);
CREATE INDEX ix_assignment_unit_id ON public.assignment USING btree (unit_id, urgency_at) WHERE ((state = ANY (ARRAY['open'::text, 'signed'::text])) AND (unit_id IS NOT NULL));
CREATE INDEX ix_assignment_unsigned ON public.assignment USING btree (sign_by) WHERE ((state = 'open'::text) AND (escalated_at IS NULL));
CREATE INDEX ix_assignment_waiting ON public.assignment USING btree (kind, urgency_at) WHERE (state = ANY (ARRAY['open'::text, 'signed'::text]));
CREATE INDEX ix_attempt_held ON public.attempt USING btree (case_id) WHERE held;
CREATE INDEX ix_attempt_live ON public.attempt USING btree (state, poll_at) WHERE (state = ANY (ARRAY['claimed'::text, 'sending'::text, 'accepted'::text, 'ringing'::text, 'answered'::text, 'unknown'::text]));
CREATE INDEX ix_attempt_planned ON public.attempt USING btree (not_before) WHERE (state = 'planned'::text);
CREATE INDEX ix_attempt_ready ON public.attempt USING btree (windowed, urgency_at) WHERE ((state = 'ready'::text) AND (NOT held));
CREATE INDEX ix_attempt_sent_at ON public.attempt USING brin (sent_at);
CREATE INDEX ix_audit_act_at ON public.audit USING btree (act, at);
CREATE INDEX ix_audit_at ON public.audit USING btree (at);
CREATE INDEX ix_audit_subject_at ON public.audit USING btree (subject, at);
CREATE INDEX ix_audit_who_at ON public.audit USING btree (who, at);
CREATE INDEX ix_case_due ON public."case" USING btree (due_at) WHERE (due_at IS NOT NULL);
CREATE INDEX ix_case_fraud_type ON public."case" USING btree (fraud_type, id);
CREATE INDEX ix_case_grade_rare ON public."case" USING btree (grade, id) WHERE (grade = ANY (ARRAY['extra_high'::text, 'high'::text]));
CREATE INDEX ix_case_load_id ON public."case" USING btree (load_id);
CREATE INDEX ix_case_open ON public."case" USING btree (id) WHERE (status = 'open'::text);
CREATE INDEX ix_case_opened_at ON public."case" USING btree (opened_at);
CREATE INDEX ix_case_person_id ON public."case" USING btree (person_id);
CREATE INDEX ix_case_queue ON public."case" USING btree (grade, robot_at) INCLUDE (unit_id, id) WHERE ((status = 'open'::text) AND (robot_state = 'pending'::text));
CREATE INDEX ix_case_status_rare ON public."case" USING btree (status, id) WHERE (status = ANY (ARRAY['watching'::text, 'reversed'::text]));
CREATE INDEX ix_case_tray ON public."case" USING btree (id) WHERE ((status = 'open'::text) AND (unit_id IS NULL));
CREATE INDEX ix_case_tray_text ON public."case" USING btree ("left"(unit, 100), id) WHERE ((status = 'open'::text) AND (unit_id IS NULL));
CREATE INDEX ix_case_unit_id ON public."case" USING btree (unit_id, id) WHERE (unit_id IS NOT NULL);
CREATE INDEX ix_desk_call_assignment_id ON public.desk_call USING btree (assignment_id);
CREATE INDEX ix_desk_call_by_asked_at ON public.desk_call USING btree (by, asked_at);
CREATE INDEX ix_desk_call_case_id ON public.desk_call USING btree (case_id);
CREATE INDEX ix_desk_call_open ON public.desk_call USING btree (asked_real_at) WHERE (NOT settled);
CREATE UNIQUE INDEX ix_event_attempt_id ON public.event USING btree (attempt_id, step);
CREATE INDEX ix_event_case_id ON public.event USING btree (case_id);
CREATE INDEX ix_event_unit_raised ON public.event USING btree (at) WHERE (kind = 'unit_raised'::text);
CREATE INDEX ix_list_load_unfinished ON public.list_load USING btree (id) WHERE (state <> ALL (ARRAY['done'::text, 'failed'::text, 'withdrawn'::text]));
CREATE INDEX ix_list_load_unit_id ON public.list_load USING btree (unit_id);
CREATE INDEX ix_list_reject_load_id ON public.list_reject USING btree (load_id);
CREATE INDEX ix_message_doubtful ON public.message USING btree (poll_at) WHERE (state = ANY (ARRAY['sending'::text, 'unknown'::text]));
CREATE INDEX ix_message_planned ON public.message USING btree (planned_at) WHERE (state = 'planned'::text);
CREATE INDEX ix_message_silent ON public.message USING btree (poll_at) WHERE ((state = ANY (ARRAY['accepted'::text, 'sent'::text])) AND (poll_at IS NOT NULL));
CREATE INDEX ix_outcome_at ON public.outcome USING btree (at);
CREATE INDEX ix_outcome_case_id ON public.outcome USING btree (case_id);
CREATE INDEX ix_outcome_drill ON public.outcome USING btree (at) WHERE drill;
CREATE INDEX ix_outcome_money ON public.outcome USING btree (at) WHERE (((intended_fen + stopped_fen) + returned_fen) > 0);
CREATE INDEX ix_outcome_reverses ON public.outcome USING btree (reverses) WHERE (reverses IS NOT NULL);
CREATE INDEX ix_person_key_person_id ON public.person_key USING btree (person_id);
CREATE INDEX ix_person_name_blind ON public.person USING btree (name_blind);
CREATE INDEX ix_person_phone_last4_blind ON public.person_phone USING btree (last4_blind);
CREATE INDEX ix_person_phone_phone_blind ON public.person_phone USING btree (phone_blind);
CREATE INDEX ix_script_approval_version_id ON public.script_approval USING btree (version_id);
CREATE INDEX ix_script_render_version_id ON public.script_render USING btree (version_id);
CREATE INDEX ix_script_trial_script_id ON public.script_trial USING btree (script_id);
CREATE INDEX ix_sent_act_assignment_id ON public.sent_act USING btree (assignment_id);
CREATE INDEX ix_sign_in_failure_since ON public.sign_in_failure USING btree (since);
CREATE INDEX ix_staff_session_expires_at ON public.staff_session USING btree (expires_at);
CREATE INDEX ix_staff_session_staff_id ON public.staff_session USING btree (staff_id);
CREATE INDEX ix_staff_unit_id ON public.staff USING btree (unit_id);
CREATE INDEX ix_stop_payment_waiting ON public.stop_payment USING btree (opened_at) WHERE (done_at IS NULL);
CREATE INDEX ix_tally_case_by_fraud_type ON public.tally_case USING btree (drill, fraud_type, first_us) INCLUDE (day, case_id) WHERE (first_us IS NOT NULL);
CREATE INDEX ix_tally_case_by_grade ON public.tally_case USING btree (drill, grade, first_us) INCLUDE (day, case_id) WHERE (first_us IS NOT NULL);
CREATE INDEX ix_tally_case_turns_at ON public.tally_case USING btree (turns_at) WHERE (turns_at IS NOT NULL);
CREATE INDEX ix_unit_alias_unit_id ON public.unit_alias USING btree (unit_id);
CREATE INDEX ix_unit_parent_id ON public.unit USING btree (parent_id);
CREATE INDEX ix_unit_path ON public.unit USING gin (path);
CREATE INDEX ix_visit_photo_assignment_id ON public.visit_photo USING btree (assignment_id);
CREATE INDEX ix_visit_photo_case_id ON public.visit_photo USING btree (case_id);
CREATE INDEX ix_warning_case_id ON public.warning USING btree (case_id);
CREATE INDEX ix_warning_load_id ON public.warning USING btree (load_id, case_id);
CREATE INDEX ix_warning_loaded_at ON public.warning USING btree (loaded_at);
CREATE UNIQUE INDEX uq_alarm_unseen ON public.alarm USING btree (code, COALESCE(case_id, (0)::bigint), COALESCE(load_id, (0)::bigint)) WHERE (seen_at IS NULL);
CREATE UNIQUE INDEX uq_api_token_name ON public.api_token USING btree (name) WHERE (revoked_at IS NULL);
CREATE UNIQUE INDEX uq_assignment_open ON public.assignment USING btree (case_id, kind) WHERE (state = ANY (ARRAY['open'::text, 'signed'::text]));
CREATE UNIQUE INDEX uq_assignment_transfer_asked ON public.assignment_transfer USING btree (assignment_id) WHERE (state = 'asked'::text);
CREATE UNIQUE INDEX uq_attempt_sid ON public.attempt USING btree (sid) WHERE (sid IS NOT NULL);
CREATE UNIQUE INDEX uq_case_open ON public."case" USING btree (person_id, fraud_type) WHERE (status = 'open'::text);
CREATE UNIQUE INDEX uq_hold_standing ON public.hold USING btree (scope, subject) WHERE (ended_at IS NULL);
CREATE UNIQUE INDEX uq_script_render_open ON public.script_render USING btree (version_id) WHERE (state = ANY (ARRAY['waiting'::text, 'running'::text]));
CREATE UNIQUE INDEX uq_stop_payment_open ON public.stop_payment USING btree (case_id) WHERE (done_at IS NULL);
CREATE UNIQUE INDEX uq_unit_name ON public.unit USING btree (COALESCE(parent_id, (0)::bigint), name);
CREATE TRIGGER append_only BEFORE DELETE OR UPDATE ON public.audit FOR EACH ROW EXECUTE FUNCTION public.refuse_change();
CREATE TRIGGER append_only BEFORE DELETE OR UPDATE ON public.event FOR EACH ROW EXECUTE FUNCTION public.refuse_change();
CREATE TRIGGER append_only BEFORE DELETE OR UPDATE ON public.filed_case FOR EACH ROW EXECUTE FUNCTION public.refuse_change();
CREATE TRIGGER append_only BEFORE DELETE OR UPDATE ON public.outcome FOR EACH ROW EXECUTE FUNCTION public.refuse_change();
CREATE TRIGGER append_only BEFORE DELETE OR UPDATE ON public.outcome_approval FOR EACH ROW EXECUTE FUNCTION public.refuse_change();
CREATE TRIGGER append_only BEFORE DELETE OR UPDATE ON public.script_approval FOR EACH ROW EXECUTE FUNCTION public.refuse_change();
CREATE TRIGGER append_only BEFORE DELETE OR UPDATE ON public.script_sound FOR EACH ROW EXECUTE FUNCTION public.refuse_change();
CREATE TRIGGER append_only BEFORE DELETE OR UPDATE ON public.script_trial FOR EACH ROW EXECUTE FUNCTION public.refuse_change();
CREATE TRIGGER append_only BEFORE DELETE OR UPDATE ON public.script_version FOR EACH ROW EXECUTE FUNCTION public.refuse_change();
CREATE TRIGGER append_only BEFORE DELETE OR UPDATE ON public.sound_file FOR EACH ROW EXECUTE FUNCTION public.refuse_change();
CREATE TRIGGER append_only_all BEFORE TRUNCATE ON public.audit FOR EACH STATEMENT EXECUTE FUNCTION public.refuse_change();
CREATE TRIGGER append_only_all BEFORE TRUNCATE ON public.event FOR EACH STATEMENT EXECUTE FUNCTION public.refuse_change();
CREATE TRIGGER append_only_all BEFORE TRUNCATE ON public.filed_case FOR EACH STATEMENT EXECUTE FUNCTION public.refuse_change();
CREATE TRIGGER append_only_all BEFORE TRUNCATE ON public.outcome FOR EACH STATEMENT EXECUTE FUNCTION public.refuse_change();
CREATE TRIGGER append_only_all BEFORE TRUNCATE ON public.outcome_approval FOR EACH STATEMENT EXECUTE FUNCTION public.refuse_change();
CREATE TRIGGER append_only_all BEFORE TRUNCATE ON public.script_approval FOR EACH STATEMENT EXECUTE FUNCTION public.refuse_change();
CREATE TRIGGER append_only_all BEFORE TRUNCATE ON public.script_sound FOR EACH STATEMENT EXECUTE FUNCTION public.refuse_change();
CREATE TRIGGER append_only_all BEFORE TRUNCATE ON public.script_trial FOR EACH STATEMENT EXECUTE FUNCTION public.refuse_change();
CREATE TRIGGER append_only_all BEFORE TRUNCATE ON public.script_version FOR EACH STATEMENT EXECUTE FUNCTION public.refuse_change();
CREATE TRIGGER append_only_all BEFORE TRUNCATE ON public.sound_file FOR EACH STATEMENT EXECUTE FUNCTION public.refuse_change();
CREATE TRIGGER fk_attempt_case_id_added AFTER INSERT ON public.attempt REFERENCING NEW TABLE AS fresh FOR EACH STATEMENT EXECUTE FUNCTION public.fk_attempt_case_id_added();
CREATE TRIGGER fk_attempt_case_id_changed AFTER UPDATE OF case_id ON public.attempt FOR EACH ROW WHEN (((new.case_id IS NOT NULL) AND (old.case_id IS DISTINCT FROM new.case_id))) EXECUTE FUNCTION public.fk_attempt_case_id_changed();
CREATE TRIGGER fk_attempt_case_id_orphaned AFTER DELETE ON public."case" REFERENCING OLD TABLE AS gone FOR EACH STATEMENT EXECUTE FUNCTION public.fk_attempt_case_id_orphaned();
CREATE TRIGGER fk_case_load_id_added AFTER INSERT ON public."case" REFERENCING NEW TABLE AS fresh FOR EACH STATEMENT EXECUTE FUNCTION public.fk_case_load_id_added();
CREATE TRIGGER fk_case_load_id_changed AFTER UPDATE OF load_id ON public."case" FOR EACH ROW WHEN (((new.load_id IS NOT NULL) AND (old.load_id IS DISTINCT FROM new.load_id))) EXECUTE FUNCTION public.fk_case_load_id_changed();
CREATE TRIGGER fk_case_load_id_orphaned AFTER DELETE ON public.list_load REFERENCING OLD TABLE AS gone FOR EACH STATEMENT EXECUTE FUNCTION public.fk_case_load_id_orphaned();
CREATE TRIGGER fk_case_person_id_added AFTER INSERT ON public."case" REFERENCING NEW TABLE AS fresh FOR EACH STATEMENT EXECUTE FUNCTION public.fk_case_person_id_added();
CREATE TRIGGER fk_case_person_id_changed AFTER UPDATE OF person_id ON public."case" FOR EACH ROW WHEN (((new.person_id IS NOT NULL) AND (old.person_id IS DISTINCT FROM new.person_id))) EXECUTE FUNCTION public.fk_case_person_id_changed();
CREATE TRIGGER fk_case_person_id_orphaned AFTER DELETE ON public.person REFERENCING OLD TABLE AS gone FOR EACH STATEMENT EXECUTE FUNCTION public.fk_case_person_id_orphaned();
CREATE TRIGGER fk_case_policy_version_added AFTER INSERT ON public."case" REFERENCING NEW TABLE AS fresh FOR EACH STATEMENT EXECUTE FUNCTION public.fk_case_policy_version_added();
CREATE TRIGGER fk_case_policy_version_changed AFTER UPDATE OF policy_version ON public."case" FOR EACH ROW WHEN (((new.policy_version IS NOT NULL) AND (old.policy_version IS DISTINCT FROM new.policy_version))) EXECUTE FUNCTION public.fk_case_policy_version_changed();
CREATE TRIGGER fk_case_policy_version_orphaned AFTER DELETE ON public.policy_version REFERENCING OLD TABLE AS gone FOR EACH STATEMENT EXECUTE FUNCTION public.fk_case_policy_version_orphaned();
CREATE TRIGGER fk_person_key_person_id_added AFTER INSERT ON public.person_key REFERENCING NEW TABLE AS fresh FOR EACH STATEMENT EXECUTE FUNCTION public.fk_person_key_person_id_added();
CREATE TRIGGER fk_person_key_person_id_changed AFTER UPDATE OF person_id ON public.person_key FOR EACH ROW WHEN (((new.person_id IS NOT NULL) AND (old.person_id IS DISTINCT FROM new.person_id))) EXECUTE FUNCTION public.fk_person_key_person_id_changed();
CREATE TRIGGER fk_person_key_person_id_orphaned AFTER DELETE ON public.person REFERENCING OLD TABLE AS gone FOR EACH STATEMENT EXECUTE FUNCTION public.fk_person_key_person_id_orphaned();
CREATE TRIGGER fk_person_phone_person_id_added AFTER INSERT ON public.person_phone REFERENCING NEW TABLE AS fresh FOR EACH STATEMENT EXECUTE FUNCTION public.fk_person_phone_person_id_added();
CREATE TRIGGER fk_person_phone_person_id_changed AFTER UPDATE OF person_id ON public.person_phone FOR EACH ROW WHEN (((new.person_id IS NOT NULL) AND (old.person_id IS DISTINCT FROM new.person_id))) EXECUTE FUNCTION public.fk_person_phone_person_id_changed();
CREATE TRIGGER fk_person_phone_person_id_orphaned AFTER DELETE ON public.person REFERENCING OLD TABLE AS gone FOR EACH STATEMENT EXECUTE FUNCTION public.fk_person_phone_person_id_orphaned();
CREATE TRIGGER fk_warning_case_id_added AFTER INSERT ON public.warning REFERENCING NEW TABLE AS fresh FOR EACH STATEMENT EXECUTE FUNCTION public.fk_warning_case_id_added();
CREATE TRIGGER fk_warning_case_id_changed AFTER UPDATE OF case_id ON public.warning FOR EACH ROW WHEN (((new.case_id IS NOT NULL) AND (old.case_id IS DISTINCT FROM new.case_id))) EXECUTE FUNCTION public.fk_warning_case_id_changed();
CREATE TRIGGER fk_warning_case_id_orphaned AFTER DELETE ON public."case" REFERENCING OLD TABLE AS gone FOR EACH STATEMENT EXECUTE FUNCTION public.fk_warning_case_id_orphaned();
CREATE TRIGGER fk_warning_load_id_added AFTER INSERT ON public.warning REFERENCING NEW TABLE AS fresh FOR EACH STATEMENT EXECUTE FUNCTION public.fk_warning_load_id_added();
CREATE TRIGGER fk_warning_load_id_changed AFTER UPDATE OF load_id ON public.warning FOR EACH ROW WHEN (((new.load_id IS NOT NULL) AND (old.load_id IS DISTINCT FROM new.load_id))) EXECUTE FUNCTION public.fk_warning_load_id_changed();
CREATE TRIGGER fk_warning_load_id_orphaned AFTER DELETE ON public.list_load REFERENCING OLD TABLE AS gone FOR EACH STATEMENT EXECUTE FUNCTION public.fk_warning_load_id_orphaned();
CREATE TRIGGER open_added AFTER INSERT ON public."case" REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION public.open_added();
CREATE TRIGGER open_changed AFTER UPDATE ON public."case" FOR EACH ROW WHEN (((((old.status = 'open'::text) OR (new.status = 'open'::text)) AND (((old.status IS DISTINCT FROM new.status) OR (old.unit_id IS DISTINCT FROM new.unit_id)) OR (old.grade IS DISTINCT FROM new.grade))) OR ((new.status = 'open'::text) AND (new.unit_id IS NULL) AND (old.unit <> new.unit)))) EXECUTE FUNCTION public.open_changed();
CREATE TRIGGER open_deleted AFTER DELETE ON public."case" REFERENCING OLD TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION public.open_deleted();
CREATE TRIGGER tally_added AFTER INSERT ON public.assignment REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION public.tally_marks_case_id();
CREATE TRIGGER tally_added AFTER INSERT ON public.attempt FOR EACH ROW WHEN ((new.sent_at IS NOT NULL)) EXECUTE FUNCTION public.tally_mark_case_id();
CREATE TRIGGER tally_added AFTER INSERT ON public."case" REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION public.tally_marks_id();
CREATE TRIGGER tally_added AFTER INSERT ON public.filed_case REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION public.tally_marks_case_id();
CREATE TRIGGER tally_added AFTER INSERT ON public.outcome FOR EACH ROW WHEN (((((new.intended_fen + new.stopped_fen) + new.returned_fen) > 0) OR (new.reverses IS NOT NULL))) EXECUTE FUNCTION public.tally_mark_money();
CREATE TRIGGER tally_added AFTER INSERT ON public.outcome_approval FOR EACH ROW EXECUTE FUNCTION public.tally_mark_approved();
CREATE TRIGGER tally_added AFTER INSERT ON public.warning REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION public.tally_marks_case_id();
CREATE TRIGGER tally_changed AFTER UPDATE ON public.assignment FOR EACH ROW WHEN (((((((((((old.case_id IS DISTINCT FROM new.case_id) OR (old.kind IS DISTINCT FROM new.kind)) OR (old.state IS DISTINCT FROM new.state)) OR (old.outcome IS DISTINCT FROM new.outcome)) OR (old.drill IS DISTINCT FROM new.drill)) OR (old.opened_at IS DISTINCT FROM new.opened_at)) OR (old.signed_at IS DISTINCT FROM new.signed_at)) OR (old.sign_by IS DISTINCT FROM new.sign_by)) OR (old.done_at IS DISTINCT FROM new.done_at)) OR (old.feedback_by IS DISTINCT FROM new.feedback_by))) EXECUTE FUNCTION public.tally_mark_case_id();
CREATE TRIGGER tally_changed AFTER UPDATE ON public.attempt FOR EACH ROW WHEN (((old.sent_at IS DISTINCT FROM new.sent_at) OR ((new.sent_at IS NOT NULL) AND (((((((old.case_id IS DISTINCT FROM new.case_id) OR (old.sent_at IS DISTINCT FROM new.sent_at)) OR (old.result IS DISTINCT FROM new.result)) OR (old.contact IS DISTINCT FROM new.contact)) OR (old.drill IS DISTINCT FROM new.drill)) OR ((old.state = ANY (ARRAY['planned'::text, 'ready'::text, 'claimed'::text])) IS DISTINCT FROM (new.state = ANY (ARRAY['planned'::text, 'ready'::text, 'claimed'::text])))) OR (((old.sid IS NULL) AND (old.result = 'canceled'::text)) IS DISTINCT FROM ((new.sid IS NULL) AND (new.result = 'canceled'::text))))))) EXECUTE FUNCTION public.tally_mark_case_id();
CREATE TRIGGER tally_changed AFTER UPDATE ON public."case" FOR EACH ROW WHEN ((((((((((((old.grade IS DISTINCT FROM new.grade) OR (old.fraud_type IS DISTINCT FROM new.fraud_type)) OR (old.status IS DISTINCT FROM new.status)) OR (old.outcome IS DISTINCT FROM new.outcome)) OR (old.contact IS DISTINCT FROM new.contact)) OR (old.missed IS DISTINCT FROM new.missed)) OR (old.drill IS DISTINCT FROM new.drill)) OR (old.opened_at IS DISTINCT FROM new.opened_at)) OR (old.settled_at IS DISTINCT FROM new.settled_at)) OR (old.first_attempt_at IS DISTINCT FROM new.first_attempt_at)) OR (old.policy_version IS DISTINCT FROM new.policy_version))) EXECUTE FUNCTION public.tally_mark_id();
CREATE TRIGGER tally_changed AFTER UPDATE ON public.warning FOR EACH ROW WHEN ((((((old.case_id IS DISTINCT FROM new.case_id) OR (old.grade IS DISTINCT FROM new.grade)) OR (old.fraud_type IS DISTINCT FROM new.fraud_type)) OR (old.drill IS DISTINCT FROM new.drill)) OR (old.loaded_at IS DISTINCT FROM new.loaded_at))) EXECUTE FUNCTION public.tally_mark_case_id();
CREATE TRIGGER tally_deleted AFTER DELETE ON public.assignment REFERENCING OLD TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION public.tally_marks_case_id();
CREATE TRIGGER tally_deleted AFTER DELETE ON public.attempt REFERENCING OLD TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION public.tally_marks_case_id();
CREATE TRIGGER tally_deleted AFTER DELETE ON public."case" REFERENCING OLD TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION public.tally_marks_id();
CREATE TRIGGER tally_deleted AFTER DELETE ON public.warning REFERENCING OLD TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION public.tally_marks_case_id();
ALTER TABLE ONLY public.assignment
    ADD CONSTRAINT fk_assignment_case_id FOREIGN KEY (case_id) REFERENCES public."case"(id);
ALTER TABLE ONLY public.assignment_transfer
    ADD CONSTRAINT fk_assignment_transfer_assignment_id FOREIGN KEY (assignment_id) REFERENCES public.assignment(id);
ALTER TABLE ONLY public.assignment_transfer
    ADD CONSTRAINT fk_assignment_transfer_from_unit_id FOREIGN KEY (from_unit_id) REFERENCES public.unit(id);
ALTER TABLE ONLY public.assignment_transfer
    ADD CONSTRAINT fk_assignment_transfer_to_unit_id FOREIGN KEY (to_unit_id) REFERENCES public.unit(id);
ALTER TABLE ONLY public.assignment
    ADD CONSTRAINT fk_assignment_unit_id FOREIGN KEY (unit_id) REFERENCES public.unit(id);
ALTER TABLE ONLY public."case"
    ADD CONSTRAINT fk_case_unit_id FOREIGN KEY (unit_id) REFERENCES public.unit(id);
ALTER TABLE ONLY public.desk_call
    ADD CONSTRAINT fk_desk_call_assignment_id FOREIGN KEY (assignment_id) REFERENCES public.assignment(id);
ALTER TABLE ONLY public.desk_call
    ADD CONSTRAINT fk_desk_call_case_id FOREIGN KEY (case_id) REFERENCES public."case"(id);
ALTER TABLE ONLY public.desk_call
    ADD CONSTRAINT fk_desk_call_person_id FOREIGN KEY (person_id) REFERENCES public.person(id);
ALTER TABLE ONLY public.filed_case
    ADD CONSTRAINT fk_filed_case_case_id FOREIGN KEY (case_id) REFERENCES public."case"(id);
ALTER TABLE ONLY public.hold
    ADD CONSTRAINT fk_hold_unit_id FOREIGN KEY (unit_id) REFERENCES public.unit(id);
ALTER TABLE ONLY public.list_file
    ADD CONSTRAINT fk_list_file_load_id FOREIGN KEY (load_id) REFERENCES public.list_load(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.list_load
    ADD CONSTRAINT fk_list_load_unit_id FOREIGN KEY (unit_id) REFERENCES public.unit(id);
ALTER TABLE ONLY public.list_reject
    ADD CONSTRAINT fk_list_reject_load_id FOREIGN KEY (load_id) REFERENCES public.list_load(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.message
    ADD CONSTRAINT fk_message_case_id FOREIGN KEY (case_id) REFERENCES public."case"(id);
ALTER TABLE ONLY public.message
    ADD CONSTRAINT fk_message_person_id FOREIGN KEY (person_id) REFERENCES public.person(id);
ALTER TABLE ONLY public.outcome_approval
    ADD CONSTRAINT fk_outcome_approval_outcome FOREIGN KEY (outcome_id, recorded_by) REFERENCES public.outcome(id, recorded_by);
ALTER TABLE ONLY public.outcome
    ADD CONSTRAINT fk_outcome_assignment_id FOREIGN KEY (assignment_id) REFERENCES public.assignment(id);
ALTER TABLE ONLY public.outcome
    ADD CONSTRAINT fk_outcome_case_id FOREIGN KEY (case_id) REFERENCES public."case"(id);
ALTER TABLE ONLY public.outcome
    ADD CONSTRAINT fk_outcome_reverses FOREIGN KEY (reverses) REFERENCES public.outcome(id);
ALTER TABLE ONLY public.script_approval
    ADD CONSTRAINT fk_script_approval_audio_hash FOREIGN KEY (audio_hash) REFERENCES public.script_sound(audio_hash);
ALTER TABLE ONLY public.script_approval
    ADD CONSTRAINT fk_script_approval_version FOREIGN KEY (version_id, drafted_by) REFERENCES public.script_version(id, drafted_by);
ALTER TABLE ONLY public.script_render
    ADD CONSTRAINT fk_script_render_version_id FOREIGN KEY (version_id) REFERENCES public.script_version(id);
ALTER TABLE ONLY public.script_trial
    ADD CONSTRAINT fk_script_trial_approval_id FOREIGN KEY (approval_id) REFERENCES public.script_approval(id);
ALTER TABLE ONLY public.sent_act
    ADD CONSTRAINT fk_sent_act_assignment_id FOREIGN KEY (assignment_id) REFERENCES public.assignment(id);
ALTER TABLE ONLY public.staff_session
    ADD CONSTRAINT fk_staff_session_staff_id FOREIGN KEY (staff_id) REFERENCES public.staff(id);
ALTER TABLE ONLY public.staff
    ADD CONSTRAINT fk_staff_unit_id FOREIGN KEY (unit_id) REFERENCES public.unit(id);
ALTER TABLE ONLY public.stop_payment
    ADD CONSTRAINT fk_stop_payment_case_id FOREIGN KEY (case_id) REFERENCES public."case"(id);
ALTER TABLE ONLY public.unit_alias
    ADD CONSTRAINT fk_unit_alias_unit_id FOREIGN KEY (unit_id) REFERENCES public.unit(id);
ALTER TABLE ONLY public.unit
    ADD CONSTRAINT fk_unit_parent_id FOREIGN KEY (parent_id) REFERENCES public.unit(id);
ALTER TABLE ONLY public.visit_photo
    ADD CONSTRAINT fk_visit_photo_assignment_id FOREIGN KEY (assignment_id) REFERENCES public.assignment(id);
ALTER TABLE ONLY public.visit_photo
    ADD CONSTRAINT fk_visit_photo_case_id FOREIGN KEY (case_id) REFERENCES public."case"(id);
ALTER TABLE ONLY public.visit_photo
    ADD CONSTRAINT fk_visit_photo_client_id FOREIGN KEY (client_id) REFERENCES public.sent_act(client_id);

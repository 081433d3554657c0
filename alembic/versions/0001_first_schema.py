"""First schema."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "alarm",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("case_id", sa.BigInteger(), nullable=True),
        sa.Column("load_id", sa.BigInteger(), nullable=True),
        sa.Column("facts", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("raised_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("seen_by", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_alarm")),
    )
    op.create_index("ix_alarm_case_id", "alarm", ["case_id"], unique=False)
    op.create_index(
        "ix_alarm_unseen", "alarm", ["raised_at"], unique=False, postgresql_where=sa.text("seen_at IS NULL")
    )
    op.create_table(
        "audit",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("who", sa.Text(), nullable=False),
        sa.Column("act", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("why", sa.Text(), server_default="", nullable=False),
        sa.Column("facts", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit")),
    )
    op.create_index("ix_audit_at", "audit", ["at"], unique=False)
    op.create_table(
        "event",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("attempt_id", sa.UUID(), nullable=True),
        sa.Column("case_id", sa.BigInteger(), nullable=True),
        sa.Column("step", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("by", sa.Text(), server_default="", nullable=False),
        sa.Column("facts", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("sealed", postgresql.BYTEA(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_event")),
    )
    op.create_index("ix_event_attempt_id", "event", ["attempt_id", "step"], unique=True)
    op.create_index(op.f("ix_event_case_id"), "event", ["case_id"], unique=False)
    op.create_table(
        "heartbeat",
        sa.Column("process", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("facts", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.PrimaryKeyConstraint("process", name=op.f("pk_heartbeat")),
    )
    op.create_table(
        "line_group",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("calls_per_second", sa.Double(), nullable=False),
        sa.Column("lines", sa.Integer(), nullable=False),
        sa.Column("next_slot_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("slow_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("troubles", sa.Integer(), server_default="0", nullable=False),
        sa.Column("paused_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("paused_why", sa.Text(), server_default="", nullable=False),
        sa.CheckConstraint("calls_per_second > 0 AND lines > 0", name=op.f("ck_line_group_positive")),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_line_group")),
    )
    op.create_table(
        "list_load",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("filename", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("content_hash", postgresql.BYTEA(), nullable=False),
        sa.Column("size_bytes", sa.BigInteger(), nullable=False),
        sa.Column("next_line", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("rows", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("accepted", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("merged", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("duplicate", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("rejected", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("skipped", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("notices", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("columns", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("by", sa.Text(), server_default="", nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("token", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("lease_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("paused", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.CheckConstraint(
            "state <> 'done' OR rows = accepted + duplicate + rejected", name=op.f("ck_list_load_adds_up")
        ),
        sa.CheckConstraint(
            "\"state\" IN ('waiting', 'running', 'done', 'failed')", name=op.f("ck_list_load_state")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_list_load")),
    )
    op.create_table(
        "live_number",
        sa.Column("phone_blind", postgresql.BYTEA(), nullable=False),
        sa.Column("attempt_id", sa.UUID(), nullable=True),
        sa.Column("free_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("phone_blind", name=op.f("pk_live_number")),
        sa.UniqueConstraint("attempt_id", name=op.f("uq_live_number_attempt_id")),
    )
    op.create_table(
        "meta",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("value", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_meta")),
    )
    op.create_table(
        "person",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("id_number_blind", postgresql.BYTEA(), nullable=True),
        sa.Column("name_blind", postgresql.BYTEA(), nullable=False),
        sa.Column("numbers", sa.SmallInteger(), nullable=False),
        sa.Column("sealed", postgresql.BYTEA(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_person")),
        sa.UniqueConstraint("id_number_blind", name=op.f("uq_person_id_number_blind")),
    )
    op.create_index(op.f("ix_person_name_blind"), "person", ["name_blind"], unique=False)
    op.create_table(
        "policy_version",
        sa.Column("version", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("content", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("content_hash", postgresql.BYTEA(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("version", name=op.f("pk_policy_version")),
        sa.UniqueConstraint("content_hash", name=op.f("uq_policy_version_content_hash")),
    )
    op.create_table(
        "service_clock",
        sa.Column("id", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("anchor_unix", sa.Double(), nullable=False),
        sa.Column("epoch", sa.DateTime(timezone=True), nullable=False),
        sa.Column("speed", sa.Double(), nullable=False),
        sa.CheckConstraint("id = 1", name=op.f("ck_service_clock_one_row")),
        sa.CheckConstraint("speed > 0", name=op.f("ck_service_clock_speed")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_service_clock")),
    )
    op.create_table(
        "case",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("person_id", sa.BigInteger(), nullable=False),
        sa.Column("load_id", sa.BigInteger(), nullable=True),
        sa.Column("revision", sa.Integer(), server_default="1", nullable=False),
        sa.Column("grade", sa.Text(), nullable=False),
        sa.Column("fraud_type", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("unit", sa.Text(), server_default="", nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=True),
        sa.Column("contact", sa.Text(), nullable=False),
        sa.Column("policy_version", sa.Integer(), nullable=False),
        sa.Column("numbers", sa.SmallInteger(), nullable=False),
        sa.Column("warnings", sa.Integer(), nullable=False),
        sa.Column("amount_at_risk_fen", sa.BigInteger(), nullable=True),
        sa.Column("missed", sa.Boolean(), nullable=False),
        sa.Column("opted_out", sa.Boolean(), nullable=False),
        sa.Column("drill", sa.Boolean(), nullable=False),
        sa.Column("tags", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("first_attempt_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("settled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("succeeded_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("watch_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("robot_state", sa.Text(), nullable=False),
        sa.Column("robot_attempts", sa.SmallInteger(), nullable=False),
        sa.Column("robot_tries", sa.SmallInteger(), nullable=False),
        sa.Column("robot_own_faults", sa.SmallInteger(), nullable=False),
        sa.Column("robot_number", sa.SmallInteger(), nullable=False),
        sa.Column("robot_dead_numbers", postgresql.ARRAY(sa.SmallInteger()), nullable=False),
        sa.Column("robot_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("robot_patience_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("robot_reason", sa.Text(), nullable=False),
        sa.Column("human_state", sa.Text(), nullable=False),
        sa.Column("human_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("human_tries", sa.SmallInteger(), nullable=False),
        sa.Column("human_reason", sa.Text(), nullable=False),
        sa.Column("visit_state", sa.Text(), nullable=False),
        sa.Column("visit_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("visit_tries", sa.SmallInteger(), nullable=False),
        sa.Column("visit_reason", sa.Text(), nullable=False),
        sa.CheckConstraint(
            "status <> 'open' OR due_at IS NOT NULL OR robot_state = 'pending' OR human_state IN ('scheduled', 'open') OR visit_state IN ('scheduled', 'open')",
            name=op.f("ck_case_open_has_a_future"),
        ),
        sa.CheckConstraint(
            "status NOT IN ('proven', 'reversed', 'closed') OR due_at IS NULL",
            name=op.f("ck_case_settled_waits_for_nothing"),
        ),
        sa.CheckConstraint("\"contact\" IN ('none', 'unverified', 'verified')", name=op.f("ck_case_contact")),
        sa.CheckConstraint(
            "\"fraud_type\" IN ('fake_order_rebate', 'investment', 'shopping', 'fake_customer_service', 'loan', 'credit', 'boss_or_acquaintance', 'police_impersonation', 'romance', 'game_trade', 'unknown')",
            name=op.f("ck_case_fraud_type"),
        ),
        sa.CheckConstraint(
            "\"grade\" IN ('extra_high', 'high', 'medium', 'low')", name=op.f("ck_case_grade")
        ),
        sa.CheckConstraint(
            "\"human_state\" IN ('none', 'scheduled', 'open', 'done')", name=op.f("ck_case_human_state")
        ),
        sa.CheckConstraint(
            "\"outcome\" IN ('dissuaded_by_phone', 'dissuaded_in_person', 'saw_through_it', 'half_believes', 'refuses', 'already_defrauded', 'not_the_person', 'mismatch', 'cannot_find_yet', 'cannot_find', 'duplicate', 'transferred', 'language_or_hearing', 'missed')",
            name=op.f("ck_case_outcome"),
        ),
        sa.CheckConstraint("\"robot_state\" IN ('off', 'pending', 'done')", name=op.f("ck_case_robot_state")),
        sa.CheckConstraint(
            "\"status\" IN ('open', 'watching', 'proven', 'reversed', 'closed')", name=op.f("ck_case_status")
        ),
        sa.CheckConstraint(
            "\"visit_state\" IN ('none', 'scheduled', 'open', 'done')", name=op.f("ck_case_visit_state")
        ),
        sa.ForeignKeyConstraint(["load_id"], ["list_load.id"], name=op.f("fk_case_load_id")),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_case_person_id")),
        sa.ForeignKeyConstraint(
            ["policy_version"], ["policy_version.version"], name=op.f("fk_case_policy_version")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_case")),
    )
    op.create_index(
        "ix_case_due", "case", ["due_at"], unique=False, postgresql_where=sa.text("due_at IS NOT NULL")
    )
    op.create_index(op.f("ix_case_load_id"), "case", ["load_id"], unique=False)
    op.create_index("ix_case_opened_at", "case", ["opened_at"], unique=False)
    op.create_index(op.f("ix_case_person_id"), "case", ["person_id"], unique=False)
    op.create_index(
        "uq_case_open",
        "case",
        ["person_id", "fraud_type"],
        unique=True,
        postgresql_where=sa.text("status = 'open'"),
    )
    op.create_table(
        "list_file",
        sa.Column("load_id", sa.BigInteger(), nullable=False),
        sa.Column("part", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("sealed", postgresql.BYTEA(), nullable=False),
        sa.ForeignKeyConstraint(
            ["load_id"], ["list_load.id"], name=op.f("fk_list_file_load_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("load_id", "part", name=op.f("pk_list_file")),
    )
    op.create_table(
        "list_reject",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("load_id", sa.BigInteger(), nullable=False),
        sa.Column("sheet", sa.Text(), server_default="", nullable=False),
        sa.Column("line", sa.BigInteger(), nullable=False),
        sa.Column("column", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("high_grade", sa.Boolean(), nullable=False),
        sa.Column("sealed", postgresql.BYTEA(), nullable=False),
        sa.ForeignKeyConstraint(
            ["load_id"], ["list_load.id"], name=op.f("fk_list_reject_load_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_list_reject")),
    )
    op.create_index(op.f("ix_list_reject_load_id"), "list_reject", ["load_id"], unique=False)
    op.create_table(
        "person_key",
        sa.Column("name_phone_blind", postgresql.BYTEA(), nullable=False),
        sa.Column("person_id", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_person_key_person_id")),
        sa.PrimaryKeyConstraint("name_phone_blind", name=op.f("pk_person_key")),
    )
    op.create_index(op.f("ix_person_key_person_id"), "person_key", ["person_id"], unique=False)
    op.create_table(
        "person_phone",
        sa.Column("person_id", sa.BigInteger(), nullable=False),
        sa.Column("position", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("phone_blind", postgresql.BYTEA(), nullable=False),
        sa.Column("last4_blind", postgresql.BYTEA(), nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_person_phone_person_id")),
        sa.PrimaryKeyConstraint("person_id", "position", name=op.f("pk_person_phone")),
    )
    op.create_index(op.f("ix_person_phone_last4_blind"), "person_phone", ["last4_blind"], unique=False)
    op.create_index(op.f("ix_person_phone_phone_blind"), "person_phone", ["phone_blind"], unique=False)
    op.create_table(
        "assignment",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("case_id", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("unit", sa.Text(), server_default="", nullable=False),
        sa.Column("urgency_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("sign_by", sa.DateTime(timezone=True), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("feedback_by", sa.DateTime(timezone=True), nullable=False),
        sa.Column("signed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("signed_by", sa.Text(), nullable=True),
        sa.Column("done_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("done_by", sa.Text(), nullable=True),
        sa.Column("outcome", sa.Text(), nullable=True),
        sa.Column("withdrawn_why", sa.Text(), nullable=True),
        sa.Column("drill", sa.Boolean(), nullable=False),
        sa.CheckConstraint("kind <> 'robot'", name=op.f("ck_assignment_people_only")),
        sa.CheckConstraint(
            "state <> 'done' OR (done_by IS NOT NULL AND outcome IS NOT NULL)",
            name=op.f("ck_assignment_done_by"),
        ),
        sa.CheckConstraint("\"kind\" IN ('robot', 'human', 'visit')", name=op.f("ck_assignment_kind")),
        sa.CheckConstraint(
            "\"outcome\" IN ('dissuaded_by_phone', 'dissuaded_in_person', 'saw_through_it', 'half_believes', 'refuses', 'already_defrauded', 'not_the_person', 'mismatch', 'cannot_find_yet', 'cannot_find', 'duplicate', 'transferred', 'language_or_hearing', 'missed')",
            name=op.f("ck_assignment_outcome"),
        ),
        sa.CheckConstraint(
            "\"state\" IN ('open', 'signed', 'done', 'withdrawn')", name=op.f("ck_assignment_state")
        ),
        sa.ForeignKeyConstraint(["case_id"], ["case.id"], name=op.f("fk_assignment_case_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_assignment")),
    )
    op.create_index(op.f("ix_assignment_case_id"), "assignment", ["case_id"], unique=False)
    op.create_index(
        "ix_assignment_waiting",
        "assignment",
        ["kind", "urgency_at"],
        unique=False,
        postgresql_where=sa.text("state IN ('open', 'signed')"),
    )
    op.create_index(
        "uq_assignment_open",
        "assignment",
        ["case_id", "kind"],
        unique=True,
        postgresql_where=sa.text("state IN ('open', 'signed')"),
    )
    op.create_table(
        "attempt",
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("case_id", sa.BigInteger(), nullable=False),
        sa.Column("person_id", sa.BigInteger(), nullable=False),
        sa.Column("n", sa.SmallInteger(), nullable=False),
        sa.Column("number", sa.SmallInteger(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("held", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("windowed", sa.Boolean(), nullable=False),
        sa.Column("urgency_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("not_before", sa.DateTime(timezone=True), nullable=False),
        sa.Column("planned_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("token", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("lease_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("send_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("posted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("polls", sa.SmallInteger(), server_default="0", nullable=False),
        sa.Column("poll_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("sid", sa.Text(), nullable=True),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("accepted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ringing_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("sequence", sa.SmallInteger(), server_default="-1", nullable=False),
        sa.Column("result", sa.Text(), nullable=True),
        sa.Column("contact", sa.Text(), nullable=False),
        sa.Column("answer", sa.Text(), nullable=False),
        sa.Column("last_step", sa.SmallInteger(), server_default="0", nullable=False),
        sa.Column("last_node", sa.Text(), server_default="", nullable=False),
        sa.Column("heard_seconds", sa.SmallInteger(), nullable=True),
        sa.Column("talk_seconds", sa.Integer(), nullable=True),
        sa.Column("answered_by", sa.Text(), nullable=True),
        sa.Column("sip_code", sa.SmallInteger(), nullable=True),
        sa.Column("error_code", sa.Integer(), nullable=True),
        sa.Column("cancel_asked", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("script_id", sa.Text(), server_default="", nullable=False),
        sa.Column("script_hash", sa.Text(), server_default="", nullable=False),
        sa.Column("language", sa.Text(), server_default="", nullable=False),
        sa.Column("drill", sa.Boolean(), nullable=False),
        sa.CheckConstraint(
            "state <> 'ended' OR result IS NOT NULL", name=op.f("ck_attempt_ended_has_a_result")
        ),
        sa.CheckConstraint(
            "\"answer\" IN ('none', 'acknowledged', 'saw_through', 'doubtful', 'refuses', 'already_paid', 'wants_officer', 'wrong_person', 'language_or_hearing', 'opt_out')",
            name=op.f("ck_attempt_answer"),
        ),
        sa.CheckConstraint(
            "\"contact\" IN ('none', 'unverified', 'verified')", name=op.f("ck_attempt_contact")
        ),
        sa.CheckConstraint(
            "\"result\" IN ('answered', 'busy', 'no_answer', 'forwarded', 'machine', 'rejected', 'powered_off', 'invalid_number', 'blocked', 'failed', 'canceled', 'unknown')",
            name=op.f("ck_attempt_result"),
        ),
        sa.CheckConstraint(
            "\"state\" IN ('planned', 'ready', 'claimed', 'sending', 'accepted', 'ringing', 'answered', 'unknown', 'ended')",
            name=op.f("ck_attempt_state"),
        ),
        sa.ForeignKeyConstraint(["case_id"], ["case.id"], name=op.f("fk_attempt_case_id")),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_attempt_person_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_attempt")),
        sa.UniqueConstraint("case_id", "n", name=op.f("uq_attempt_case_id_n")),
        sa.UniqueConstraint("sid", name=op.f("uq_attempt_sid")),
    )
    op.create_index(
        "ix_attempt_live",
        "attempt",
        ["state", "poll_at"],
        unique=False,
        postgresql_where=sa.text(
            "state IN ('claimed', 'sending', 'accepted', 'ringing', 'answered', 'unknown')"
        ),
    )
    op.create_index(
        "ix_attempt_planned",
        "attempt",
        ["not_before"],
        unique=False,
        postgresql_where=sa.text("state = 'planned'"),
    )
    op.create_index(
        "ix_attempt_ready",
        "attempt",
        ["windowed", "urgency_at"],
        unique=False,
        postgresql_where=sa.text("state = 'ready' AND NOT held"),
    )
    op.create_table(
        "filed_case",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("case_number", sa.Text(), nullable=False),
        sa.Column("case_id", sa.BigInteger(), nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["case_id"], ["case.id"], name=op.f("fk_filed_case_case_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_filed_case")),
        sa.UniqueConstraint("case_number", "case_id", name=op.f("uq_filed_case_case_number_case_id")),
    )
    op.create_table(
        "warning",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("person_id", sa.BigInteger(), nullable=False),
        sa.Column("case_id", sa.BigInteger(), nullable=False),
        sa.Column("load_id", sa.BigInteger(), nullable=True),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("instruction_no", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("fraud_type", sa.Text(), nullable=False),
        sa.Column("grade", sa.Text(), nullable=False),
        sa.Column("unit", sa.Text(), server_default="", nullable=False),
        sa.Column("amount_at_risk_fen", sa.BigInteger(), nullable=True),
        sa.Column("amount_paid_fen", sa.BigInteger(), nullable=True),
        sa.Column("talk_seconds", sa.Integer(), nullable=True),
        sa.Column("tags", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("missed", sa.Boolean(), nullable=False),
        sa.Column("drill", sa.Boolean(), nullable=False),
        sa.Column("notices", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("event_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("produced_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("loaded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("sealed", postgresql.BYTEA(), nullable=False),
        sa.CheckConstraint(
            "\"fraud_type\" IN ('fake_order_rebate', 'investment', 'shopping', 'fake_customer_service', 'loan', 'credit', 'boss_or_acquaintance', 'police_impersonation', 'romance', 'game_trade', 'unknown')",
            name=op.f("ck_warning_fraud_type"),
        ),
        sa.CheckConstraint(
            "\"grade\" IN ('extra_high', 'high', 'medium', 'low')", name=op.f("ck_warning_grade")
        ),
        sa.CheckConstraint(
            "\"kind\" IN ('fund', 'telecom', 'web_app', 'unknown')", name=op.f("ck_warning_kind")
        ),
        sa.CheckConstraint(
            "amount_at_risk_fen >= 0 AND amount_paid_fen >= 0", name=op.f("ck_warning_amounts")
        ),
        sa.ForeignKeyConstraint(["case_id"], ["case.id"], name=op.f("fk_warning_case_id")),
        sa.ForeignKeyConstraint(["load_id"], ["list_load.id"], name=op.f("fk_warning_load_id")),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_warning_person_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_warning")),
        sa.UniqueConstraint("source", "instruction_no", name=op.f("uq_warning_source_instruction_no")),
    )
    op.create_index(op.f("ix_warning_case_id"), "warning", ["case_id"], unique=False)
    op.create_index(op.f("ix_warning_load_id"), "warning", ["load_id"], unique=False)
    op.create_index("ix_warning_loaded_at", "warning", ["loaded_at"], unique=False)
    op.create_table(
        "outcome",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("case_id", sa.BigInteger(), nullable=False),
        sa.Column("assignment_id", sa.BigInteger(), nullable=True),
        sa.Column("attempt_id", sa.UUID(), nullable=True),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("contact", sa.Text(), nullable=False),
        sa.Column("track", sa.Text(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("intended_fen", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("stopped_fen", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("returned_fen", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("evidence_sealed", postgresql.BYTEA(), nullable=True),
        sa.Column("recorded_by", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("reverses", sa.BigInteger(), nullable=True),
        sa.Column("drill", sa.Boolean(), nullable=False),
        sa.CheckConstraint(
            "\"contact\" IN ('none', 'unverified', 'verified')", name=op.f("ck_outcome_contact")
        ),
        sa.CheckConstraint(
            "\"kind\" IN ('dissuaded_by_phone', 'dissuaded_in_person', 'saw_through_it', 'half_believes', 'refuses', 'already_defrauded', 'not_the_person', 'mismatch', 'cannot_find_yet', 'cannot_find', 'duplicate', 'transferred', 'language_or_hearing', 'missed')",
            name=op.f("ck_outcome_kind"),
        ),
        sa.CheckConstraint("\"track\" IN ('robot', 'human', 'visit')", name=op.f("ck_outcome_track")),
        sa.CheckConstraint(
            "intended_fen + stopped_fen + returned_fen = 0 OR evidence_sealed IS NOT NULL",
            name=op.f("ck_outcome_money_needs_evidence"),
        ),
        sa.CheckConstraint(
            "intended_fen >= 0 AND stopped_fen >= 0 AND returned_fen >= 0", name=op.f("ck_outcome_amounts")
        ),
        sa.ForeignKeyConstraint(["assignment_id"], ["assignment.id"], name=op.f("fk_outcome_assignment_id")),
        sa.ForeignKeyConstraint(["case_id"], ["case.id"], name=op.f("fk_outcome_case_id")),
        sa.ForeignKeyConstraint(["reverses"], ["outcome.id"], name=op.f("fk_outcome_reverses")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outcome")),
        sa.UniqueConstraint("id", "recorded_by", name=op.f("uq_outcome_id_recorded_by")),
    )
    op.create_index("ix_outcome_at", "outcome", ["at"], unique=False)
    op.create_index(op.f("ix_outcome_case_id"), "outcome", ["case_id"], unique=False)
    op.create_table(
        "outcome_approval",
        sa.Column("outcome_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("recorded_by", sa.Text(), nullable=False),
        sa.Column("approved_by", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("approved_by <> recorded_by", name=op.f("ck_outcome_approval_second_person")),
        sa.ForeignKeyConstraint(
            ["outcome_id", "recorded_by"],
            ["outcome.id", "outcome.recorded_by"],
            name="fk_outcome_approval_outcome",
        ),
        sa.PrimaryKeyConstraint("outcome_id", name=op.f("pk_outcome_approval")),
    )
    op.execute(
        """
        CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            RAISE EXCEPTION '% is append-only: a correction is a new line', TG_TABLE_NAME;
        END
        $$
        """
    )
    for table in ("outcome", "outcome_approval", "event", "audit", "filed_case"):
        op.execute(
            f"CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON {table}"
            " FOR EACH ROW EXECUTE FUNCTION refuse_change()"
        )
        op.execute(
            f"CREATE TRIGGER append_only_all BEFORE TRUNCATE ON {table}"
            " FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
        )


def downgrade() -> None:
    raise RuntimeError("the first schema is undone by restoring the backup that was made before it")

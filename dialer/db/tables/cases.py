"""Tables of the database's own facts, lists, persons, cases and warnings, and the figures that the report is summed
from. `dialer.db.tables` says what the times mean.
"""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, BYTEA, JSONB

from dialer.core.access import ErasureState
from dialer.core.case import CaseStatus, FamilyContact, RobotState, StaffTrackState
from dialer.core.rates import TREND
from dialer.core.sources import HoldReason
from dialer.core.values import (
    FINISHED_LOADS,
    Contact,
    FraudType,
    Grade,
    LoadState,
    OutcomeKind,
    Track,
    WarningKind,
)
from dialer.db.columns import (
    FOLLOWED_UP_NOW,
    belongs_to,
    claim_token,
    identity,
    metadata,
    tries_column,
    when,
    word_column,
    words,
)
from dialer.db.measures import BARS, MONEY

meta = sa.Table(
    "meta", metadata, sa.Column("key", sa.Text, primary_key=True), sa.Column("value", JSONB, nullable=False)
)
"""Facts about the whole database, one per row, such as the state of its keys and whether it is a drill."""

service_clock = sa.Table(
    "service_clock",
    metadata,
    sa.Column("id", sa.SmallInteger, primary_key=True, autoincrement=False),
    sa.Column("anchor_unix", sa.Double, nullable=False),  # real
    when("epoch", required=True),
    sa.Column("speed", sa.Double, nullable=False),
    sa.CheckConstraint("id = 1", name="one_row"),
    sa.CheckConstraint("speed > 0", name="speed"),
)

policy_version = sa.Table(
    "policy_version",
    metadata,
    sa.Column("version", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("content", JSONB, nullable=False),
    sa.Column("content_hash", BYTEA, nullable=False, unique=True),
    when("created_at", required=True),
)

plan_version = sa.Table(
    "plan_version",
    metadata,
    identity(),
    sa.Column("number", sa.Integer, nullable=False, unique=True),
    sa.Column("content_hash", sa.Text, nullable=False, unique=True),
    sa.Column("source", sa.Text, nullable=False),
    sa.Column("drafted_by", sa.Text, nullable=False),
    when("drafted_at", required=True),
    sa.UniqueConstraint("id", "drafted_by"),
    sa.CheckConstraint("number > 0 AND drafted_by <> '' AND content_hash <> ''", name="whole"),
)
"""Append-only: policy, limits of sources and pace as TOML."""

plan_approval = sa.Table(
    "plan_approval",
    metadata,
    identity(),
    sa.Column("version_id", sa.BigInteger, nullable=False),
    sa.Column("policy_version", sa.ForeignKey("policy_version.version"), nullable=False),
    sa.Column("drafted_by", sa.Text, nullable=False),
    sa.Column("approved_by", sa.Text, nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    when("at", required=True),
    sa.ForeignKeyConstraint(
        ["version_id", "drafted_by"],
        ["plan_version.id", "plan_version.drafted_by"],
        name="fk_plan_approval_version",
    ),
    sa.Index("ix_plan_approval_version_id", "version_id"),
    sa.CheckConstraint("approved_by <> drafted_by AND approved_by <> ''", name="second_person"),
    sa.CheckConstraint("reason <> ''", name="reason"),
)
"""Append-only. The newest approved version is in force; `policy_version`: the policy in it. Without any, the settings
of each process are.
"""

list_load = sa.Table(
    "list_load",
    metadata,
    identity(),
    sa.Column("filename", sa.Text, nullable=False),
    sa.Column("source", sa.Text),
    word_column("state", LoadState),
    sa.Column("content_hash", BYTEA, nullable=False),
    sa.Column("size_bytes", sa.BigInteger, nullable=False),
    sa.Column("next_line", sa.BigInteger, nullable=False, server_default="0"),
    *(
        sa.Column(name, sa.BigInteger, nullable=False, server_default="0")
        for name in ("rows", "accepted", "merged", "held", "duplicate", "rejected", "skipped", "notices")
    ),
    sa.Column("error", sa.Text),
    sa.Column("columns", JSONB),
    sa.Column("by", sa.Text, nullable=False, server_default=""),
    when("created_at", required=True),
    when("finished_at"),
    claim_token(),
    tries_column(),
    when("lease_until"),  # real
    sa.Column("paused", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("needs_approval", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("early_line", sa.BigInteger, nullable=False, server_default="0"),
    sa.Column("early_accepted", sa.BigInteger, nullable=False, server_default="0"),
    sa.Column("decided_by", sa.Text),
    when("decided_at"),
    sa.Column("unit_id", sa.ForeignKey("unit.id"), index=True),
    sa.Column("total", sa.BigInteger),
    word_column("held_for", HoldReason, required=False),
    sa.Column("extra_high", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("number_blind", BYTEA),
    sa.Column("from_load_id", sa.ForeignKey("list_load.id", ondelete="SET NULL")),
    sa.Column("amounts_doubted", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("amounts_believed", sa.Boolean),
    sa.Index(
        "ix_list_load_unfinished",
        "id",
        postgresql_where=sa.text(f"state NOT IN {words(FINISHED_LOADS)}"),
    ),
    sa.Index(
        "ix_list_load_from_load_id",
        "from_load_id",
        postgresql_where=sa.text("from_load_id IS NOT NULL"),
    ),
    sa.CheckConstraint("state <> 'done' OR rows = accepted + held + duplicate + rejected", name="adds_up"),
)

source = sa.Table(
    "source",
    metadata,
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("on_probation", sa.Boolean, nullable=False, server_default=sa.true()),
    *(
        sa.Column(f"{apart}per_{span}", sa.Integer)
        for apart in ("", "extra_high_", "signals_")
        for span in ("minute", "hour", "day")
    ),
    word_column("most_grade", Grade, required=False),
    sa.Column("most_amount_fen", sa.BigInteger),
    sa.Column("units", ARRAY(sa.Text), nullable=False, server_default="{}"),
    sa.Column("signal_kinds", ARRAY(sa.Text), nullable=False, server_default="{}"),
    sa.Column("list_kinds", ARRAY(sa.Text), nullable=False, server_default="{}"),
    sa.Column("bank_reports", sa.Boolean),
    sa.Column("sent", JSONB, nullable=False, server_default="{}"),
    # Counts of the version before, which are no longer used.
    *(when(f"{span}_at") for span in ("minute", "hour", "day")),
    *(
        sa.Column(f"{apart}in_{span}", sa.Integer, nullable=False, server_default="0")
        for apart in ("", "extra_high_")
        for span in ("minute", "hour", "day")
    ),
)
"""What each source may send without a person looking at it, and in `sent` what of it went on lately, as
`dialer.core.sources` counts it. NULL and {} of limits: as the settings have it.
"""

list_mapping = sa.Table(
    "list_mapping",
    metadata,
    sa.Column("source", sa.Text, primary_key=True),
    sa.Column("heading", sa.Text, primary_key=True),
    sa.Column("field", sa.Text, nullable=False),
    sa.Column("by", sa.Text, nullable=False),
    when("at", required=True),
)
"""How people have mapped the columns of a source; the field is '' for a column without a meaning for us."""

list_grade_word = sa.Table(
    "list_grade_word",
    metadata,
    sa.Column("source", sa.Text, primary_key=True),
    sa.Column("word", sa.Text, primary_key=True),
    word_column("grade", Grade),
    sa.Column("by", sa.Text, nullable=False),
    when("at", required=True),
)
"""Which grade people have said that a word of a source means, in half-width and lower case."""

list_file = sa.Table(
    "list_file",
    metadata,
    sa.Column("load_id", sa.ForeignKey("list_load.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("part", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("sealed", BYTEA, nullable=False),
)
"""The uploaded file, encrypted in parts; it is deleted when it has been loaded."""

held_warning = sa.Table(
    "held_warning",
    metadata,
    sa.Column("source", sa.Text, primary_key=True),
    sa.Column("instruction_no", sa.Text, primary_key=True),
    sa.Column("digest", sa.Text, primary_key=True),
    sa.Column("load_id", sa.BigInteger, nullable=False),
    sa.Column("part", sa.Integer, nullable=False),
    sa.ForeignKeyConstraint(["load_id", "part"], ["list_file.load_id", "list_file.part"], ondelete="CASCADE"),
    sa.Index("ix_held_warning_load_id", "load_id", "part"),
)
"""The warnings that wait for a person, as long as the part of the file that has them; `digest` is of their content."""

list_reject = sa.Table(
    "list_reject",
    metadata,
    identity(),
    sa.Column("load_id", sa.ForeignKey("list_load.id", ondelete="CASCADE"), nullable=False, index=True),
    sa.Column("sheet", sa.Text, nullable=False, server_default=""),
    sa.Column("line", sa.BigInteger, nullable=False),
    sa.Column("column", sa.Text, nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("high_grade", sa.Boolean, nullable=False),
    sa.Column("sealed", BYTEA, nullable=False),
)

person = sa.Table(
    "person",
    metadata,
    identity(),
    sa.Column("id_number_blind", BYTEA, unique=True),
    sa.Column("name_blind", BYTEA, nullable=False, index=True),
    sa.Column("numbers", sa.SmallInteger, nullable=False),
    sa.Column("sealed", BYTEA, nullable=False),
    sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
    when("erased_at"),
    sa.Index("ix_person_kept", "created_at", postgresql_where=sa.text("erased_at IS NULL")),
)

person_key = sa.Table(
    "person_key",
    metadata,
    sa.Column("name_phone_blind", BYTEA, primary_key=True),
    belongs_to("person_id", "person", index=True),
)
"""The person with a given name and phone: a record without an id number belongs to them."""

person_phone = sa.Table(
    "person_phone",
    metadata,
    belongs_to("person_id", "person", key=True),
    sa.Column("position", sa.SmallInteger, primary_key=True, autoincrement=False),
    sa.Column("phone_blind", BYTEA, nullable=False, index=True),
    sa.Column("last4_blind", BYTEA, nullable=False, index=True),
)

case = sa.Table(
    "case",
    metadata,
    identity(),
    belongs_to("person_id", "person", index=True),
    belongs_to("load_id", "list_load", required=False, index=True),
    sa.Column("revision", sa.Integer, nullable=False, server_default="1"),
    word_column("grade", Grade),
    word_column("fraud_type", FraudType),
    sa.Column("source", sa.Text, nullable=False),
    sa.Column("unit", sa.Text, nullable=False, server_default=""),
    sa.Column("unit_id", sa.ForeignKey("unit.id")),
    word_column("status", CaseStatus),
    word_column("outcome", OutcomeKind, required=False),
    word_column("contact", Contact),
    belongs_to("policy_version", "policy_version", kind=sa.Integer),
    sa.Column("numbers", sa.SmallInteger, nullable=False),
    sa.Column("warnings", sa.Integer, nullable=False),
    sa.Column("amount_at_risk_fen", sa.BigInteger),
    sa.Column("missed", sa.Boolean, nullable=False),
    sa.Column("opted_out", sa.Boolean, nullable=False),
    sa.Column("drill", sa.Boolean, nullable=False),
    sa.Column("tags", ARRAY(sa.Text), nullable=False),
    when("opened_at", required=True),
    when("expires_at"),
    when("first_attempt_at"),
    when("settled_at"),
    when("succeeded_at"),
    when("due_at"),
    when("watch_until"),
    word_column("robot_state", RobotState),
    sa.Column("robot_attempts", sa.SmallInteger, nullable=False),
    sa.Column("robot_tries", sa.SmallInteger, nullable=False),
    sa.Column("robot_own_faults", sa.SmallInteger, nullable=False),
    sa.Column("robot_number", sa.SmallInteger, nullable=False),
    sa.Column("robot_dead_numbers", ARRAY(sa.SmallInteger), nullable=False),
    when("robot_at"),
    when("robot_patience_at"),
    sa.Column("robot_reason", sa.Text, nullable=False),
    word_column("human_state", StaffTrackState),
    when("human_at"),
    sa.Column("human_tries", sa.SmallInteger, nullable=False),
    sa.Column("human_reason", sa.Text, nullable=False),
    word_column("visit_state", StaffTrackState),
    when("visit_at"),
    sa.Column("visit_tries", sa.SmallInteger, nullable=False),
    sa.Column("visit_reason", sa.Text, nullable=False),
    word_column("follow_up_by", Track, required=False),
    when("follow_up_at"),
    sa.Column("follow_up_tries", sa.SmallInteger, nullable=False, server_default="0"),
    sa.Column("reopened", sa.Boolean, nullable=False, server_default=sa.false()),
    word_column("family", FamilyContact, default=FamilyContact.NONE),
    when("conversation_erased_at"),
    sa.Index(
        "ix_case_conversation",
        "settled_at",
        postgresql_where=sa.text("settled_at IS NOT NULL AND conversation_erased_at IS NULL"),
    ),
    sa.Index("ix_case_due", "due_at", postgresql_where=sa.text("due_at IS NOT NULL")),
    # A case that a follow-up opened again can exist beside the case of a later warning.
    sa.Index(
        "uq_case_open",
        "person_id",
        "fraud_type",
        unique=True,
        postgresql_where=sa.text("status = 'open' AND NOT reopened"),
    ),
    sa.Index("ix_case_opened_at", "opened_at"),
    sa.Index(
        "ix_case_grade_rare", "grade", "id", postgresql_where=sa.text("grade IN ('extra_high', 'high')")
    ),
    sa.Index(
        "ix_case_status_rare", "status", "id", postgresql_where=sa.text("status IN ('watching', 'reversed')")
    ),
    sa.Index("ix_case_fraud_type", "fraud_type", "id"),
    sa.Index("ix_case_open", "id", postgresql_where=sa.text("status = 'open'")),
    sa.Index("ix_case_follow_up", "id", postgresql_where=sa.text(FOLLOWED_UP_NOW)),
    sa.Index("ix_case_open_unit", "unit_id", "grade", postgresql_where=sa.text("status = 'open'")),
    sa.Index("ix_case_unit_id", "unit_id", "id", postgresql_where=sa.text("unit_id IS NOT NULL")),
    sa.Index("ix_case_tray", "id", postgresql_where=sa.text("status = 'open' AND unit_id IS NULL")),
    sa.Index(
        "ix_case_tray_text",
        sa.text('"left"(unit, 100)'),
        "id",
        postgresql_where=sa.text("status = 'open' AND unit_id IS NULL"),
    ),
    sa.Index(
        "ix_case_queue",
        "grade",
        "robot_at",
        postgresql_include=["unit_id", "id"],
        postgresql_where=sa.text("status = 'open' AND robot_state = 'pending'"),
    ),
    sa.CheckConstraint(
        "status NOT IN ('proven', 'reversed', 'closed') OR due_at IS NULL", name="settled_waits_for_nothing"
    ),
    sa.CheckConstraint("follow_up_by IS NOT NULL OR follow_up_at IS NULL", name="follow_up_at"),
    sa.CheckConstraint("status = 'watching' OR follow_up_by IS NULL", name="follow_up_in_the_watch"),
    sa.CheckConstraint(
        "status <> 'open' OR due_at IS NOT NULL OR robot_state = 'pending'"
        " OR human_state IN ('scheduled', 'open') OR visit_state IN ('scheduled', 'open')",
        name="open_has_a_future",
    ),
)

warning = sa.Table(
    "warning",
    metadata,
    identity(),
    sa.Column("person_id", sa.BigInteger, nullable=False),
    belongs_to("case_id", "case", index=True),
    belongs_to("load_id", "list_load", required=False),
    sa.Column("source", sa.Text, nullable=False),
    sa.Column("instruction_no", sa.Text, nullable=False),
    word_column("kind", WarningKind),
    word_column("fraud_type", FraudType),
    word_column("grade", Grade),
    sa.Column("unit", sa.Text, nullable=False, server_default=""),
    sa.Column("amount_at_risk_fen", sa.BigInteger),
    sa.Column("amount_paid_fen", sa.BigInteger),
    sa.Column("talk_seconds", sa.Integer),
    sa.Column("tags", ARRAY(sa.Text), nullable=False),
    sa.Column("missed", sa.Boolean, nullable=False),
    sa.Column("drill", sa.Boolean, nullable=False),
    sa.Column("notices", JSONB, nullable=False),
    when("event_at"),
    when("produced_at"),
    when("expires_at"),
    when("loaded_at", required=True),
    sa.Column("sealed", BYTEA, nullable=False),
    sa.UniqueConstraint("source", "instruction_no"),
    sa.Index("ix_warning_loaded_at", "loaded_at"),
    sa.Index("ix_warning_load_id", "load_id", "case_id"),
    sa.CheckConstraint("amount_at_risk_fen >= 0 AND amount_paid_fen >= 0", name="amounts"),
)

erasure = sa.Table(
    "erasure",
    metadata,
    identity(),
    sa.Column("person_id", sa.BigInteger, nullable=False),
    when("person_created_at", required=True),
    word_column("state", ErasureState),
    sa.Column("asked_by", sa.Text, nullable=False),
    when("asked_at", required=True),
    sa.Column("decided_by", sa.Text),
    when("decided_at"),
    sa.Column("counts", JSONB),
    sa.Index(
        "uq_erasure_person",
        "person_id",
        "person_created_at",
        unique=True,
        postgresql_where=sa.text("state <> 'refused'"),
    ),
    sa.CheckConstraint(
        "(state = 'waiting') = (decided_by IS NULL) AND (state = 'waiting') = (decided_at IS NULL)",
        name="decided",
    ),
    sa.CheckConstraint("state <> 'erased' OR decided_by <> asked_by", name="second_person"),
)
"""Requests to erase a person, and erasures that were carried out. `person_created_at` distinguishes the person from a
later one with the same id, since ids are assigned again after a restore. `counts`: the number of erased values by
column.
"""

legal_hold = sa.Table(
    "legal_hold",
    metadata,
    identity(),
    sa.Column("person_id", sa.ForeignKey("person.id"), nullable=False),
    sa.Column("placed_by", sa.Text, nullable=False),
    when("placed_at", required=True),
    sa.Column("lifted_by", sa.Text),
    when("lifted_at"),
    sa.Index(
        "uq_legal_hold_standing", "person_id", unique=True, postgresql_where=sa.text("lifted_at IS NULL")
    ),
    sa.CheckConstraint("(lifted_by IS NULL) = (lifted_at IS NULL)", name="lifted"),
)
"""Legal holds: the person must not be erased until the hold is lifted. The reasons are in the audit."""

_LATER = frozenset(
    {
        "cases_tried", "cases_reached", "cases_called_back", "followed_up", "follow_up_calls_counted",
        "follow_up_calls_not_counted", "follow_up_calls_answered", "follow_up_calls_verified",
        "follow_up_calls_undoing",
    }
)  # fmt: skip
"""Counts that are unknown to the version before, which may still write rows."""


_SUMMED = [
    "warnings",
    "cases",
    "cases_open",
    "cases_watching",
    "cases_proven",
    "cases_reversed",
    "cases_closed",
    "cases_missed",
    "cases_not_ours",
    "cases_ours",
    "cases_rung",
    "cases_answered",
    "cases_tried",
    "cases_reached",
    "cases_called_back",
    "verified_contact",
    "succeeded",
    "dissuaded",
    "dissuaded_by_phone",
    "dissuaded_in_person",
    "saw_through_it",
    "judged",
    "defrauded_after_warning",
    "found",
    "found_nothing",
    "false_alarms",
    "raised",
    "handed_to_person",
    "followed_up",
    "first_attempt_counted",
    "first_attempt_in_time",
    "first_attempt_pending",
    "first_attempt_not_wanted",
    "first_cases",
    "calls_mentioned",
    "robot_calls",
    "robot_calls_counted",
    "robot_calls_answered",
    "robot_calls_verified",
    "robot_calls_under_way",
    "robot_calls_own_fault",
    "robot_calls_cancelled",
    "robot_calls_unknown",
    "result_answered",
    "result_busy",
    "result_no_answer",
    "result_forwarded",
    "result_machine",
    "result_rejected",
    "result_powered_off",
    "result_invalid_number",
    "result_blocked",
    "result_failed",
    "result_canceled",
    "result_dead_air",
    "result_unknown",
    "follow_up_calls_counted",
    "follow_up_calls_not_counted",
    "follow_up_calls_answered",
    "follow_up_calls_verified",
    "follow_up_calls_undoing",
    "assignments_mentioned",
    "human_calls",
    "human_calls_waiting",
    "human_calls_withdrawn",
    "human_calls_reached",
    "visits",
    "visits_waiting",
    "visits_withdrawn",
    "visits_met",
    "sign_counted",
    "signed_in_time",
    "sign_pending",
    "sign_withdrawn",
    "feedback_counted",
    "feedback_in_time",
    "feedback_pending",
    "feedback_withdrawn",
]


def _figures(*, sparse: bool = False) -> list[sa.Column[int]]:
    """The figures of the three tables in which the version before kept sums; nothing reads or writes them any more."""
    counts = [
        sa.Column(name, sa.Integer, nullable=sparse, server_default="0" if name in _LATER else None)
        for name in _SUMMED
    ]
    bars = [
        sa.Column(name, sa.Integer, nullable=sparse, server_default=None if sparse else "0") for name in BARS
    ]
    return counts + bars + [sa.Column(name, sa.BigInteger, nullable=sparse) for name in MONEY]


day_figure = sa.Table(
    "day_figure",
    metadata,
    sa.Column("day", sa.Date, nullable=False),
    sa.Column("drill", sa.Boolean, nullable=False),
    sa.Column("grade", sa.Text, nullable=False),
    sa.Column("fraud_type", sa.Text, nullable=False),
    *_figures(),
    sa.PrimaryKeyConstraint("day", "drill", "grade", "fraud_type"),
)
"""Of the version before; no longer written, as `month_figure`, `day_trend` and `case_fact`."""

month_figure = sa.Table(
    "month_figure",
    metadata,
    sa.Column("dimension", sa.Text, nullable=False),
    sa.Column("value", sa.Text, nullable=False),
    sa.Column("month", sa.Date, nullable=False),
    sa.Column("drill", sa.Boolean, nullable=False),
    sa.Column("grade", sa.Text, nullable=False),
    sa.Column("fraud_type", sa.Text, nullable=False),
    *_figures(),
    sa.PrimaryKeyConstraint("dimension", "value", "month", "drill", "grade", "fraud_type"),
)

day_trend = sa.Table(
    "day_trend",
    metadata,
    sa.Column("dimension", sa.Text, nullable=False),
    sa.Column("value", sa.Text, nullable=False),
    sa.Column("day", sa.Date, nullable=False),
    sa.Column("drill", sa.Boolean, nullable=False),
    *(sa.Column(name, sa.Integer, nullable=False) for name in TREND),
    sa.PrimaryKeyConstraint("dimension", "value", "day", "drill"),
)

kept_report = sa.Table(
    "kept_report",
    metadata,
    identity(),
    sa.Column("asked", sa.Text, nullable=False),
    when("at", required=True),
    sa.Column("report", JSONB, nullable=False),
    sa.UniqueConstraint("asked", "at"),
    sa.Index("ix_kept_report_at", "at"),
)
"""Reports as they were shown, kept for a day. `asked`: a digest of the filter and the definitions. No personal data."""

case_fact = sa.Table(
    "case_fact",
    metadata,
    sa.Column("case_id", sa.BigInteger, nullable=False, index=True),
    sa.Column("day", sa.Date, nullable=False),
    sa.Column("drill", sa.Boolean, nullable=False),
    sa.Column("grade", sa.Text, nullable=False),
    sa.Column("fraud_type", sa.Text, nullable=False),
    sa.Column("first_seconds", sa.Double),
    when("turns_at"),
    sa.Column("unit_id", sa.BigInteger),
    sa.Column("source", sa.Text),
    sa.Column("version", sa.Text),
    sa.Column("hour", sa.SmallInteger),
    sa.Column("person", sa.Text),
    *_figures(sparse=True),
    sa.Index("ix_case_fact_day", "day"),
    sa.Index("ix_case_fact_defrauded", "case_id", postgresql_where=sa.text("defrauded_after_warning > 0")),
    sa.Index("ix_case_fact_turns_at", "turns_at", postgresql_where=sa.text("turns_at IS NOT NULL")),
    sa.Index(
        "ix_case_fact_first_seconds",
        "first_seconds",
        postgresql_include=[
            *("day", "drill", "grade", "fraud_type", "case_id"),
            *("unit_id", "source", "version", "hour", "person"),
        ],
        postgresql_where=sa.text("first_seconds IS NOT NULL"),
    ),
)

tally_mark = sa.Table("tally_mark", metadata, sa.Column("case_id", sa.BigInteger, nullable=False))
"""No longer written; a trigger refuses rows of the version before."""

fact_mark = sa.Table(
    "fact_mark",
    metadata,
    sa.Column(
        "xid",
        sa.BigInteger,
        server_default=sa.text("CAST(CAST(pg_current_xact_id() AS text) AS bigint)"),
        nullable=False,
    ),
    sa.Column("case_id", sa.BigInteger, nullable=False),
    sa.Column("at", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False),
    sa.PrimaryKeyConstraint("xid", "case_id"),
)
"""Cases whose fact rows may have changed, by the transaction that changed them; written by triggers, real time. The
case 0 stands for all of them.
"""

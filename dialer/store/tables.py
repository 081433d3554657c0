"""The rows, and what the database itself refuses. Times are aware UTC of the service clock, except where the name
or the comment says real: leases, posting times, pacing slots and heartbeats run on the machine's clock.
"""

from __future__ import annotations

from enum import StrEnum

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, BYTEA, JSONB, UUID

from dialer.domain import values
from dialer.domain.attempt import AttemptState
from dialer.domain.case import CaseStatus, ErrandState, RobotState
from dialer.domain.errand import AssignmentState
from dialer.domain.load import LoadState
from dialer.domain.message import MessagePurpose, MessageState
from dialer.domain.pause import PauseScope
from dialer.domain.reach import Reach
from dialer.domain.stop_payment import StopResult

metadata = sa.MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)


def _when(name: str, *, required: bool = False) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=not required)


def _word(name: str, kind: type[StrEnum], *, required: bool = True) -> sa.Column[str]:
    """A StrEnum stored by value; the matching CHECK comes from `_one_of`."""
    return sa.Column(name, sa.Text, nullable=not required, info={"words": [member.value for member in kind]})


def _one_of(table: sa.Table) -> None:
    for column in table.columns:
        words = column.info.get("words")
        if words:
            allowed = ", ".join(f"'{word}'" for word in words)
            table.append_constraint(sa.CheckConstraint(f'"{column.name}" IN ({allowed})', name=column.name))


def _id() -> sa.Column[int]:
    return sa.Column("id", sa.BigInteger, sa.Identity(), primary_key=True)


LIVE_STATES = (
    AttemptState.CLAIMED,
    AttemptState.SENDING,
    AttemptState.ACCEPTED,
    AttemptState.RINGING,
    AttemptState.ANSWERED,
    AttemptState.UNKNOWN,
)
"""Attempts that hold a line and their number."""
_LIVE = "state IN ({})".format(", ".join(f"'{state.value}'" for state in LIVE_STATES))

meta = sa.Table(
    "meta",
    metadata,
    sa.Column("key", sa.Text, primary_key=True),
    sa.Column("value", JSONB, nullable=False),
)
"""One row a fact about the whole database: the keys' fingerprint, whether it is a drill."""

service_clock = sa.Table(
    "service_clock",
    metadata,
    sa.Column("id", sa.SmallInteger, primary_key=True, autoincrement=False),
    sa.Column("anchor_unix", sa.Double, nullable=False),  # real
    _when("epoch", required=True),
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
    _when("created_at", required=True),
)

list_load = sa.Table(
    "list_load",
    metadata,
    _id(),
    sa.Column("filename", sa.Text, nullable=False),
    sa.Column("source", sa.Text),
    _word("state", LoadState),
    sa.Column("content_hash", BYTEA, nullable=False),
    sa.Column("size_bytes", sa.BigInteger, nullable=False),
    sa.Column("next_line", sa.BigInteger, nullable=False, server_default="0"),
    *(
        sa.Column(name, sa.BigInteger, nullable=False, server_default="0")
        for name in ("rows", "accepted", "merged", "duplicate", "rejected", "skipped", "notices")
    ),
    sa.Column("error", sa.Text),
    sa.Column("columns", JSONB),
    sa.Column("by", sa.Text, nullable=False, server_default=""),
    _when("created_at", required=True),
    _when("finished_at"),
    sa.Column("token", sa.BigInteger, nullable=False, server_default="0"),
    _when("lease_until"),  # real
    sa.Column("paused", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.CheckConstraint("state <> 'done' OR rows = accepted + duplicate + rejected", name="adds_up"),
)

list_file = sa.Table(
    "list_file",
    metadata,
    sa.Column("load_id", sa.ForeignKey("list_load.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("part", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("sealed", BYTEA, nullable=False),
)
"""The uploaded bytes, encrypted in parts, until they are loaded; then deleted."""

list_reject = sa.Table(
    "list_reject",
    metadata,
    _id(),
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
    _id(),
    sa.Column("id_number_blind", BYTEA, unique=True),
    sa.Column("name_blind", BYTEA, nullable=False, index=True),
    sa.Column("numbers", sa.SmallInteger, nullable=False),
    sa.Column("sealed", BYTEA, nullable=False),
    sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
)

person_key = sa.Table(
    "person_key",
    metadata,
    sa.Column("name_phone_blind", BYTEA, primary_key=True),
    sa.Column("person_id", sa.ForeignKey("person.id"), nullable=False, index=True),
)
"""Same name and same phone: whom a record without an id number belongs to."""

person_phone = sa.Table(
    "person_phone",
    metadata,
    sa.Column("person_id", sa.ForeignKey("person.id"), primary_key=True),
    sa.Column("position", sa.SmallInteger, primary_key=True, autoincrement=False),
    sa.Column("phone_blind", BYTEA, nullable=False, index=True),
    sa.Column("last4_blind", BYTEA, nullable=False, index=True),
)

case = sa.Table(
    "case",
    metadata,
    _id(),
    sa.Column("person_id", sa.ForeignKey("person.id"), nullable=False, index=True),
    sa.Column("load_id", sa.ForeignKey("list_load.id"), index=True),
    sa.Column("revision", sa.Integer, nullable=False, server_default="1"),
    _word("grade", values.Grade),
    _word("fraud_type", values.FraudType),
    sa.Column("source", sa.Text, nullable=False),
    sa.Column("unit", sa.Text, nullable=False, server_default=""),
    _word("status", CaseStatus),
    _word("outcome", values.OutcomeKind, required=False),
    _word("contact", values.Contact),
    sa.Column("policy_version", sa.ForeignKey("policy_version.version"), nullable=False),
    sa.Column("numbers", sa.SmallInteger, nullable=False),
    sa.Column("warnings", sa.Integer, nullable=False),
    sa.Column("amount_at_risk_fen", sa.BigInteger),
    sa.Column("missed", sa.Boolean, nullable=False),
    sa.Column("opted_out", sa.Boolean, nullable=False),
    sa.Column("drill", sa.Boolean, nullable=False),
    sa.Column("tags", ARRAY(sa.Text), nullable=False),
    _when("opened_at", required=True),
    _when("expires_at"),
    _when("first_attempt_at"),
    _when("settled_at"),
    _when("succeeded_at"),
    _when("due_at"),
    _when("watch_until"),
    _word("robot_state", RobotState),
    sa.Column("robot_attempts", sa.SmallInteger, nullable=False),
    sa.Column("robot_tries", sa.SmallInteger, nullable=False),
    sa.Column("robot_own_faults", sa.SmallInteger, nullable=False),
    sa.Column("robot_number", sa.SmallInteger, nullable=False),
    sa.Column("robot_dead_numbers", ARRAY(sa.SmallInteger), nullable=False),
    _when("robot_at"),
    _when("robot_patience_at"),
    sa.Column("robot_reason", sa.Text, nullable=False),
    _word("human_state", ErrandState),
    _when("human_at"),
    sa.Column("human_tries", sa.SmallInteger, nullable=False),
    sa.Column("human_reason", sa.Text, nullable=False),
    _word("visit_state", ErrandState),
    _when("visit_at"),
    sa.Column("visit_tries", sa.SmallInteger, nullable=False),
    sa.Column("visit_reason", sa.Text, nullable=False),
    sa.Index("ix_case_due", "due_at", postgresql_where=sa.text("due_at IS NOT NULL")),
    sa.Index(
        "uq_case_open", "person_id", "fraud_type", unique=True, postgresql_where=sa.text("status = 'open'")
    ),
    sa.Index("ix_case_opened_at", "opened_at"),
    sa.Index("ix_case_open", "id", postgresql_where=sa.text("status = 'open'")),
    sa.Index(
        "ix_case_queue",
        "grade",
        "robot_at",
        postgresql_where=sa.text("status = 'open' AND robot_state = 'pending'"),
    ),
    sa.CheckConstraint(
        "status NOT IN ('proven', 'reversed', 'closed') OR due_at IS NULL", name="settled_waits_for_nothing"
    ),
    sa.CheckConstraint(
        "status <> 'open' OR due_at IS NOT NULL OR robot_state = 'pending'"
        " OR human_state IN ('scheduled', 'open') OR visit_state IN ('scheduled', 'open')",
        name="open_has_a_future",
    ),
)

warning = sa.Table(
    "warning",
    metadata,
    _id(),
    sa.Column("person_id", sa.ForeignKey("person.id"), nullable=False),
    sa.Column("case_id", sa.ForeignKey("case.id"), nullable=False, index=True),
    sa.Column("load_id", sa.ForeignKey("list_load.id"), index=True),
    sa.Column("source", sa.Text, nullable=False),
    sa.Column("instruction_no", sa.Text, nullable=False),
    _word("kind", values.WarningKind),
    _word("fraud_type", values.FraudType),
    _word("grade", values.Grade),
    sa.Column("unit", sa.Text, nullable=False, server_default=""),
    sa.Column("amount_at_risk_fen", sa.BigInteger),
    sa.Column("amount_paid_fen", sa.BigInteger),
    sa.Column("talk_seconds", sa.Integer),
    sa.Column("tags", ARRAY(sa.Text), nullable=False),
    sa.Column("missed", sa.Boolean, nullable=False),
    sa.Column("drill", sa.Boolean, nullable=False),
    sa.Column("notices", JSONB, nullable=False),
    _when("event_at"),
    _when("produced_at"),
    _when("expires_at"),
    _when("loaded_at", required=True),
    sa.Column("sealed", BYTEA, nullable=False),
    sa.UniqueConstraint("source", "instruction_no"),
    sa.Index("ix_warning_loaded_at", "loaded_at"),
    sa.CheckConstraint("amount_at_risk_fen >= 0 AND amount_paid_fen >= 0", name="amounts"),
)

attempt = sa.Table(
    "attempt",
    metadata,
    sa.Column("id", UUID(as_uuid=True), primary_key=True),
    sa.Column("case_id", sa.ForeignKey("case.id"), nullable=False),
    sa.Column("person_id", sa.ForeignKey("person.id"), nullable=False),
    sa.Column("n", sa.SmallInteger, nullable=False),
    sa.Column("number", sa.SmallInteger, nullable=False),
    _word("state", AttemptState),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("held", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("windowed", sa.Boolean, nullable=False),
    _when("urgency_at", required=True),
    _when("not_before", required=True),
    _when("planned_at", required=True),
    sa.Column("token", sa.BigInteger, nullable=False, server_default="0"),
    _when("lease_until"),  # real
    _when("send_at"),  # real: the pacing slot
    _when("posted_at"),  # real: just before the POST
    sa.Column("polls", sa.SmallInteger, nullable=False, server_default="0"),
    _when("poll_at"),  # real: when silence is asked about
    sa.Column("sid", sa.Text, unique=True),
    _when("sent_at"),
    _when("accepted_at"),
    _when("ringing_at"),
    _when("answered_at"),
    _when("ended_at"),
    sa.Column("sequence", sa.SmallInteger, nullable=False, server_default="-1"),
    _word("result", values.TelephonyResult, required=False),
    _word("contact", values.Contact),
    _word("answer", values.Answer),
    sa.Column("last_step", sa.SmallInteger, nullable=False, server_default="0"),
    sa.Column("last_node", sa.Text, nullable=False, server_default=""),
    sa.Column("spoke", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("played_seconds", sa.Double, nullable=False, server_default="0"),
    sa.Column("heard_seconds", sa.SmallInteger),
    _word("reach", Reach, required=False),
    sa.Column("talk_seconds", sa.Integer),
    sa.Column("answered_by", sa.Text),
    sa.Column("sip_code", sa.SmallInteger),
    sa.Column("error_code", sa.Integer),
    sa.Column("cancel_asked", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("script_id", sa.Text, nullable=False, server_default=""),
    sa.Column("script_hash", sa.Text, nullable=False, server_default=""),
    sa.Column("language", sa.Text, nullable=False, server_default=""),
    sa.Column("drill", sa.Boolean, nullable=False),
    sa.UniqueConstraint("case_id", "n"),
    sa.Index(
        "ix_attempt_ready", "windowed", "urgency_at", postgresql_where=sa.text("state = 'ready' AND NOT held")
    ),
    sa.Index("ix_attempt_planned", "not_before", postgresql_where=sa.text("state = 'planned'")),
    sa.Index("ix_attempt_held", "case_id", postgresql_where=sa.text("held")),
    sa.Index("ix_attempt_live", "state", "poll_at", postgresql_where=sa.text(_LIVE)),
    # Of blocks, not of rows: it costs a changing attempt nothing, and its rows lie in the order of their sending.
    sa.Index("ix_attempt_sent_at", "sent_at", postgresql_using="brin"),
    sa.CheckConstraint("state <> 'ended' OR result IS NOT NULL", name="ended_has_a_result"),
)

live_number = sa.Table(
    "live_number",
    metadata,
    sa.Column("phone_blind", BYTEA, primary_key=True),
    sa.Column("attempt_id", UUID(as_uuid=True), unique=True),
    _when("free_at"),
)
"""A number that rings or talks (`attempt_id`), or rests after a ring until `free_at`."""

line_group = sa.Table(
    "line_group",
    metadata,
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("calls_per_second", sa.Double, nullable=False),
    sa.Column("lines", sa.Integer, nullable=False),
    _when("next_slot_at", required=True),  # real
    _when("slow_until"),  # real: the carrier asked us to slow down, or does not answer
    sa.Column("troubles", sa.Integer, nullable=False, server_default="0"),
    _when("opened_at"),  # real: the breaker has been open since; NULL: closed
    sa.Column("openings", sa.Integer, nullable=False, server_default="0"),
    _when("paused_until"),
    sa.Column("paused_why", sa.Text, nullable=False, server_default=""),
    sa.CheckConstraint("calls_per_second > 0 AND lines > 0", name="positive"),
)

hold = sa.Table(
    "hold",
    metadata,
    _id(),
    _word("scope", PauseScope),
    sa.Column("subject", sa.Text, nullable=False),
    _when("until", required=True),
    sa.Column("why", sa.Text, nullable=False),
    sa.Column("by", sa.Text, nullable=False),
    _when("placed_at", required=True),
    _when("ended_at"),
    sa.Column("ended_by", sa.Text),
    sa.Index(
        "uq_hold_standing", "scope", "subject", unique=True, postgresql_where=sa.text("ended_at IS NULL")
    ),
    sa.CheckConstraint("(scope = 'all') = (subject = '')", name="subject"),
    sa.CheckConstraint("ended_at IS NOT NULL OR ended_by IS NULL", name="ended"),
)
"""A pause of dialling: who placed it, why, and until when it holds; `ended_by` NULL at the end: it ran out."""

event = sa.Table(
    "event",
    metadata,
    _id(),
    sa.Column("attempt_id", UUID(as_uuid=True)),
    sa.Column("case_id", sa.BigInteger, index=True),
    sa.Column("step", sa.Text, nullable=False),
    sa.Column("kind", sa.Text, nullable=False),
    _when("at", required=True),
    sa.Column("by", sa.Text, nullable=False, server_default=""),
    sa.Column("facts", JSONB, nullable=False),
    sa.Column("sealed", BYTEA),
    sa.Index("ix_event_attempt_id", "attempt_id", "step", unique=True),
)
"""Every provider event that we answered 2xx and every human act. `facts` holds nothing personal."""

assignment = sa.Table(
    "assignment",
    metadata,
    _id(),
    sa.Column("case_id", sa.ForeignKey("case.id"), nullable=False, index=True),
    _word("kind", values.Track),
    _word("state", AssignmentState),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("unit", sa.Text, nullable=False, server_default=""),
    _when("urgency_at", required=True),
    _when("opened_at", required=True),
    _when("sign_by", required=True),
    _when("due_at", required=True),
    _when("feedback_by", required=True),
    _when("signed_at"),
    sa.Column("signed_by", sa.Text),
    _when("done_at"),
    sa.Column("done_by", sa.Text),
    _word("outcome", values.OutcomeKind, required=False),
    sa.Column("withdrawn_why", sa.Text),
    _when("escalated_at"),
    sa.Column("drill", sa.Boolean, nullable=False),
    sa.Index(
        "ix_assignment_unsigned",
        "sign_by",
        postgresql_where=sa.text("state = 'open' AND escalated_at IS NULL"),
    ),
    sa.Index(
        "uq_assignment_open",
        "case_id",
        "kind",
        unique=True,
        postgresql_where=sa.text("state IN ('open', 'signed')"),
    ),
    sa.Index(
        "ix_assignment_waiting",
        "kind",
        "urgency_at",
        postgresql_where=sa.text("state IN ('open', 'signed')"),
    ),
    sa.Index("ix_assignment_opened_at", "opened_at"),
    sa.CheckConstraint("kind <> 'robot'", name="people_only"),
    sa.CheckConstraint("state <> 'done' OR (done_by IS NOT NULL AND outcome IS NOT NULL)", name="done_by"),
)

message = sa.Table(
    "message",
    metadata,
    sa.Column("id", UUID(as_uuid=True), primary_key=True),
    sa.Column("case_id", sa.ForeignKey("case.id"), nullable=False),
    sa.Column("person_id", sa.ForeignKey("person.id"), nullable=False),
    sa.Column("number", sa.SmallInteger, nullable=False),
    _word("purpose", MessagePurpose),
    _word("state", MessageState),
    _when("planned_at", required=True),
    _when("not_before", required=True),
    _when("posted_at"),  # real
    _when("poll_at"),  # real
    sa.Column("polls", sa.SmallInteger, nullable=False, server_default="0"),
    sa.Column("sid", sa.Text, unique=True),
    _when("sent_at"),
    _when("ended_at"),
    sa.Column("error_code", sa.Integer),
    sa.Column("drill", sa.Boolean, nullable=False),
    sa.UniqueConstraint("case_id", "purpose"),
    sa.Index("ix_message_planned", "planned_at", postgresql_where=sa.text("state = 'planned'")),
    sa.Index("ix_message_doubtful", "poll_at", postgresql_where=sa.text("state IN ('sending', 'unknown')")),
)
"""A message beside the voice, at most one a case and purpose. Its words are the script's and hold nothing personal."""

stop_payment = sa.Table(
    "stop_payment",
    metadata,
    _id(),
    sa.Column("case_id", sa.ForeignKey("case.id"), nullable=False),
    sa.Column("attempt_id", UUID(as_uuid=True)),
    _when("opened_at", required=True),
    _when("done_at"),
    sa.Column("done_by", sa.Text),
    _word("result", StopResult, required=False),
    sa.Column("drill", sa.Boolean, nullable=False),
    sa.Index("uq_stop_payment_open", "case_id", unique=True, postgresql_where=sa.text("done_at IS NULL")),
    sa.Index("ix_stop_payment_waiting", "opened_at", postgresql_where=sa.text("done_at IS NULL")),
    sa.CheckConstraint(
        "(done_at IS NULL) = (done_by IS NULL) AND (done_at IS NULL) = (result IS NULL)", name="done"
    ),
)
"""止付: somebody is to ask the bank. What was paid stands sealed in the conversation, where it was typed."""

outcome = sa.Table(
    "outcome",
    metadata,
    _id(),
    sa.Column("case_id", sa.ForeignKey("case.id"), nullable=False, index=True),
    sa.Column("assignment_id", sa.ForeignKey("assignment.id")),
    sa.Column("attempt_id", UUID(as_uuid=True)),
    _word("kind", values.OutcomeKind),
    _word("contact", values.Contact),
    _word("track", values.Track, required=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("intended_fen", sa.BigInteger, nullable=False, server_default="0"),
    sa.Column("stopped_fen", sa.BigInteger, nullable=False, server_default="0"),
    sa.Column("returned_fen", sa.BigInteger, nullable=False, server_default="0"),
    sa.Column("evidence_sealed", BYTEA),
    sa.Column("recorded_by", sa.Text, nullable=False),
    _when("at", required=True),
    sa.Column("reverses", sa.ForeignKey("outcome.id")),
    sa.Column("drill", sa.Boolean, nullable=False),
    sa.Index("ix_outcome_at", "at"),
    sa.Index(
        "ix_outcome_money",
        "at",
        postgresql_where=sa.text("intended_fen + stopped_fen + returned_fen > 0"),
    ),
    sa.Index("ix_outcome_drill", "at", postgresql_where=sa.text("drill")),
    sa.Index("ix_outcome_reverses", "reverses", postgresql_where=sa.text("reverses IS NOT NULL")),
    sa.UniqueConstraint("id", "recorded_by"),
    sa.CheckConstraint("intended_fen >= 0 AND stopped_fen >= 0 AND returned_fen >= 0", name="amounts"),
    sa.CheckConstraint(
        "intended_fen + stopped_fen + returned_fen = 0 OR evidence_sealed IS NOT NULL",
        name="money_needs_evidence",
    ),
)
"""Append-only: a trigger refuses every change. A correction is a new line that names what it reverses."""

outcome_approval = sa.Table(
    "outcome_approval",
    metadata,
    sa.Column("outcome_id", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("recorded_by", sa.Text, nullable=False),
    sa.Column("approved_by", sa.Text, nullable=False),
    _when("at", required=True),
    sa.ForeignKeyConstraint(
        ["outcome_id", "recorded_by"],
        ["outcome.id", "outcome.recorded_by"],
        name="fk_outcome_approval_outcome",
    ),
    sa.CheckConstraint("approved_by <> recorded_by", name="second_person"),
)

filed_case = sa.Table(
    "filed_case",
    metadata,
    _id(),
    sa.Column("case_number", sa.Text, nullable=False),
    sa.Column("case_id", sa.ForeignKey("case.id"), nullable=False),
    sa.Column("by", sa.Text, nullable=False),
    _when("at", required=True),
    sa.UniqueConstraint("case_number", "case_id"),
)

alarm = sa.Table(
    "alarm",
    metadata,
    _id(),
    sa.Column("code", sa.Text, nullable=False),
    sa.Column("case_id", sa.BigInteger),
    sa.Column("load_id", sa.BigInteger),
    sa.Column("facts", JSONB, nullable=False),
    _when("raised_at", required=True),
    sa.Column("times", sa.Integer, nullable=False, server_default="1"),
    _when("last_at"),
    _when("seen_at"),
    sa.Column("seen_by", sa.Text),
    sa.Index("ix_alarm_unseen", "raised_at", postgresql_where=sa.text("seen_at IS NULL")),
    sa.Index(
        "uq_alarm_unseen",
        "code",
        sa.text("coalesce(case_id, 0)"),
        sa.text("coalesce(load_id, 0)"),
        unique=True,
        postgresql_where=sa.text("seen_at IS NULL"),
    ),
    sa.Index("ix_alarm_case_id", "case_id"),
)

audit = sa.Table(
    "audit",
    metadata,
    _id(),
    _when("at", required=True),
    sa.Column("who", sa.Text, nullable=False),
    sa.Column("act", sa.Text, nullable=False),
    sa.Column("subject", sa.Text, nullable=False),
    sa.Column("why", sa.Text, nullable=False, server_default=""),
    sa.Column("facts", JSONB, nullable=False),
    sa.Index("ix_audit_at", "at"),
)

api_token = sa.Table(
    "api_token",
    metadata,
    _id(),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("secret_hash", BYTEA, nullable=False, unique=True),
    sa.Column("scopes", ARRAY(sa.Text), nullable=False),
    sa.Column("unit", sa.Text, nullable=False, server_default=""),
    _when("created_at", required=True),  # real
    _when("expires_at", required=True),  # real
    _when("revoked_at"),  # real
    sa.Column("last_used_on", sa.Date),
    sa.Index("uq_api_token_name", "name", unique=True, postgresql_where=sa.text("revoked_at IS NULL")),
    sa.CheckConstraint("octet_length(secret_hash) = 32", name="secret_hash"),
    sa.CheckConstraint("cardinality(scopes) > 0", name="scopes"),
)
"""Who may use the API. The secret itself is nowhere: only its SHA-256."""

heartbeat = sa.Table(
    "heartbeat",
    metadata,
    sa.Column("process", sa.Text, primary_key=True),
    sa.Column("kind", sa.Text, nullable=False),
    _when("at", required=True),  # real
    sa.Column("facts", JSONB, nullable=False),
)

tally = sa.Table(
    "tally",
    metadata,
    sa.Column("drill", sa.Boolean, primary_key=True),
    sa.Column("whole_month", sa.Boolean, primary_key=True),
    sa.Column("start", sa.Date, primary_key=True),
    sa.Column("slice", sa.SmallInteger, primary_key=True, autoincrement=False),
    sa.Column("measure", sa.SmallInteger, primary_key=True, autoincrement=False),
    sa.Column("n", sa.BigInteger, nullable=False),
)
"""The figures of one day, or of one month, of the centre: sums of the atoms that `tally_case` holds."""

tally_case = sa.Table(
    "tally_case",
    metadata,
    sa.Column("case_id", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("atoms", ARRAY(sa.BigInteger), nullable=False),
    sa.Column("first_us", sa.BigInteger),
    sa.Column("day", sa.Date, nullable=False),
    sa.Column("grade", sa.SmallInteger, nullable=False),
    sa.Column("fraud_type", sa.SmallInteger, nullable=False),
    sa.Column("drill", sa.Boolean, nullable=False),
    _when("turns_at"),
    sa.Index("ix_tally_case_turns_at", "turns_at", postgresql_where=sa.text("turns_at IS NOT NULL")),
    sa.Index(
        "ix_tally_case_by_grade",
        "drill",
        "grade",
        "first_us",
        postgresql_include=["day", "case_id"],
        postgresql_where=sa.text("first_us IS NOT NULL"),
    ),
    sa.Index(
        "ix_tally_case_by_fraud_type",
        "drill",
        "fraud_type",
        "first_us",
        postgresql_include=["day", "case_id"],
        postgresql_where=sa.text("first_us IS NOT NULL"),
    ),
    postgresql_with={"fillfactor": 80},
)
"""What each case adds to the tally; `turns_at`: afterwards its part changes by the passing of time alone."""

tally_mark = sa.Table("tally_mark", metadata, sa.Column("case_id", sa.BigInteger, nullable=False))
"""Cases whose figures may have changed since they were tallied, written by triggers, several times each."""

APPEND_ONLY = (outcome, outcome_approval, event, audit, filed_case)
"""A trigger refuses UPDATE and DELETE on these, whoever asks."""

for _table in metadata.tables.values():
    _one_of(_table)

"""Tables of the work of people and its outcomes, alarms, audit, tokens and webhooks. `dialer.db.tables` says what the
times mean.
"""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, BYTEA, JSONB, UUID

from dialer.core.access import StaffChangeState
from dialer.core.case import PENDING_STATES, AssignmentState, StopResult, StopState, TransferState, VisitStage
from dialer.core.offers import OfferState
from dialer.core.periods import BulletinKind, BulletinState
from dialer.core.values import (
    Contact,
    DeliveryState,
    EvidenceKind,
    FiledMatchState,
    FiledState,
    FilteredPage,
    FraudType,
    OutcomeKind,
    ScammerContact,
    Track,
    WebhookEvent,
)
from dialer.db.columns import claim_token, identity, metadata, when, word_column, words

_PENDING = f"state IN {words(PENDING_STATES)}"

NOT_NOTIFIED = (
    "assignment.state = 'open' AND (assignment.notified_token IS DISTINCT FROM assignment.token"
    " OR assignment.escalated_at > assignment.notified_at)"
)
"""A condition in SQL: nobody on duty was told of this assignment since it last changed hands or was escalated."""

assignment = sa.Table(
    "assignment",
    metadata,
    identity(),
    sa.Column("case_id", sa.ForeignKey("case.id"), nullable=False, index=True),
    word_column("kind", Track),
    word_column("state", AssignmentState),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("unit", sa.Text, nullable=False, server_default=""),
    sa.Column("unit_id", sa.ForeignKey("unit.id")),
    when("urgency_at", required=True),
    when("opened_at", required=True),
    when("sign_by", required=True),
    when("due_at", required=True),
    when("feedback_by", required=True),
    when("signed_at"),
    sa.Column("signed_by", sa.Text),
    when("done_at"),
    sa.Column("done_by", sa.Text),
    word_column("outcome", OutcomeKind, required=False),
    sa.Column("withdrawn_why", sa.Text),
    when("escalated_at"),
    sa.Column("drill", sa.Boolean, nullable=False),
    claim_token(),
    sa.Column("opened_token", sa.BigInteger),  # the claim whose holder may see the person in clear
    when("lease_until"),  # real: when a desk's claim ends by itself
    when("idle_at"),  # if nothing has happened since it was signed, it goes back to the queue then
    when("rise_at"),  # if the unit above has not signed by then, it is escalated again
    sa.Column("raises", sa.SmallInteger, nullable=False, server_default="0"),
    sa.Column("transfers", sa.SmallInteger, nullable=False, server_default="0"),
    when("call_at"),  # when the person wants to be called
    sa.Column("kept_for", sa.Text),
    when("kept_until"),
    word_column("stage", VisitStage, default=VisitStage.NONE),
    sa.Column("notified_token", sa.BigInteger),  # the token with which people on duty were told of it
    when("notified_at"),
    sa.Index("ix_assignment_not_notified", "unit_id", "kind", postgresql_where=sa.text(NOT_NOTIFIED)),
    sa.Index("ix_assignment_signed", "signed_by", postgresql_where=sa.text("state = 'signed'")),
    sa.Index(
        "ix_assignment_kept_for",
        "kept_for",
        postgresql_where=sa.text("state = 'open' AND kept_for IS NOT NULL"),
    ),
    sa.Index(
        "ix_assignment_unsigned",
        "sign_by",
        postgresql_where=sa.text("state = 'open' AND escalated_at IS NULL"),
    ),
    sa.Index("uq_assignment_open", "case_id", "kind", unique=True, postgresql_where=sa.text(_PENDING)),
    sa.Index("ix_assignment_waiting", "kind", "urgency_at", postgresql_where=sa.text(_PENDING)),
    sa.Index("ix_assignment_opened_at", "opened_at"),
    sa.Index(
        "ix_assignment_clocks",
        "unit_id",
        "state",
        "sign_by",
        "due_at",
        "feedback_by",
        "kept_until",
        postgresql_where=sa.text(f"{_PENDING} AND unit_id IS NOT NULL"),
    ),
    sa.Index(
        "ix_assignment_unit_id",
        "unit_id",
        "urgency_at",
        postgresql_where=sa.text(f"{_PENDING} AND unit_id IS NOT NULL"),
    ),
    sa.CheckConstraint("kind <> 'robot'", name="people_only"),
    sa.CheckConstraint("state <> 'done' OR (done_by IS NOT NULL AND outcome IS NOT NULL)", name="done_by"),
)

task_offer = sa.Table(
    "task_offer",
    metadata,
    identity(),
    sa.Column("assignment_id", sa.ForeignKey("assignment.id"), nullable=False),
    sa.Column("token", sa.BigInteger, nullable=False),  # of the assignment when it was offered
    sa.Column("staff_id", sa.ForeignKey("staff.id"), nullable=False),
    word_column("state", OfferState, default=OfferState.WAITING),
    when("offered_at", required=True),
    when("until", required=True),  # real: then it is passed on
    when("ended_at"),
    sa.Index("uq_task_offer_staff", "staff_id", unique=True, postgresql_where=sa.text("state = 'waiting'")),
    sa.Index(
        "uq_task_offer_assignment",
        "assignment_id",
        unique=True,
        postgresql_where=sa.text("state = 'waiting'"),
    ),
    sa.Index("ix_task_offer_assignment", "assignment_id", "token"),
    sa.Index("ix_task_offer_staff", "staff_id", "offered_at"),
    sa.Index("ix_task_offer_offered_at", "offered_at"),
    sa.CheckConstraint("(state = 'waiting') = (ended_at IS NULL)", name="ended"),
)
"""A call that is offered to somebody who is free, for some seconds. Deleted after 90 days."""

assignment_transfer = sa.Table(
    "assignment_transfer",
    metadata,
    identity(),
    sa.Column("assignment_id", sa.ForeignKey("assignment.id"), nullable=False, index=True),
    sa.Column("from_unit_id", sa.ForeignKey("unit.id")),
    sa.Column("to_unit_id", sa.ForeignKey("unit.id"), nullable=False),
    word_column("state", TransferState),
    sa.Column("by", sa.Text, nullable=False),
    sa.Column("why", sa.Text, nullable=False, server_default=""),
    sa.Column("why_sealed", BYTEA),
    when("at", required=True),
    sa.Column("answered_by", sa.Text),
    sa.Column("answer", sa.Text, nullable=False, server_default=""),
    when("answered_at"),
    sa.Index(
        "uq_assignment_transfer_asked",
        "assignment_id",
        unique=True,
        postgresql_where=sa.text("state = 'asked'"),
    ),
    sa.Index("ix_assignment_transfer_to", "to_unit_id", "at", postgresql_where=sa.text("state = 'asked'")),
    sa.Index(
        "ix_assignment_transfer_from", "from_unit_id", "at", postgresql_where=sa.text("state = 'asked'")
    ),
    sa.CheckConstraint("(state = 'asked') = (answered_at IS NULL)", name="answered"),
)
"""Transfers of assignments to another unit; an assignment stays where it is until somebody there accepts it."""

sent_act = sa.Table(
    "sent_act",
    metadata,
    sa.Column("client_id", UUID(as_uuid=True), primary_key=True),
    sa.Column("assignment_id", sa.ForeignKey("assignment.id"), nullable=False, index=True),
    sa.Column("digest", BYTEA, nullable=False),
    sa.Column("by", sa.Text, nullable=False),
    when("at", required=True),
    sa.Column("outcome_id", sa.BigInteger),
)
"""What an officer's phone has sent, by an id that the phone made: what is sent again after a lost connection counts
once.
"""

visit_photo = sa.Table(
    "visit_photo",
    metadata,
    sa.Column("client_id", sa.ForeignKey("sent_act.client_id"), primary_key=True),
    sa.Column("assignment_id", sa.ForeignKey("assignment.id"), nullable=False, index=True),
    sa.Column("case_id", sa.ForeignKey("case.id"), nullable=False, index=True),
    sa.Column("media_type", sa.Text, nullable=False),
    sa.Column("size_bytes", sa.Integer, nullable=False),
    sa.Column("stripped_bytes", sa.Integer, nullable=False),
    sa.Column("by", sa.Text, nullable=False),
    when("at", required=True),
    sa.Column("sealed", BYTEA, nullable=False),
    sa.CheckConstraint("size_bytes > 0", name="size_bytes"),
)
"""Photos of a visit, sealed. `stripped_bytes`: the size of the metadata about place and device that was removed."""

stop_payment = sa.Table(
    "stop_payment",
    metadata,
    identity(),
    sa.Column("case_id", sa.ForeignKey("case.id"), nullable=False),
    sa.Column("attempt_id", UUID(as_uuid=True)),
    when("opened_at", required=True),
    when("done_at"),
    sa.Column("done_by", sa.Text),
    word_column("result", StopResult, required=False),
    sa.Column("drill", sa.Boolean, nullable=False),
    sa.Index("uq_stop_payment_open", "case_id", unique=True, postgresql_where=sa.text("done_at IS NULL")),
    sa.Index("ix_stop_payment_waiting", "opened_at", postgresql_where=sa.text("done_at IS NULL")),
    sa.CheckConstraint(
        "(done_at IS NULL) = (done_by IS NULL) AND (done_at IS NULL) = (result IS NULL)", name="done"
    ),
)
"""Stop-payment tasks 止付: somebody has to ask the bank. The amount that the person typed is sealed in the
conversation.
"""

stop_request = sa.Table(
    "stop_request",
    metadata,
    identity(),
    sa.Column("stop_payment_id", sa.ForeignKey("stop_payment.id"), nullable=False, index=True),
    sa.Column("case_id", sa.ForeignKey("case.id"), nullable=False, index=True),
    sa.Column("bank", sa.Text, nullable=False),
    sa.Column("sealed", BYTEA, nullable=False),
    sa.Column("amount_fen", sa.BigInteger, nullable=False),
    when("asked_at", required=True),
    sa.Column("recorded_by", sa.Text, nullable=False),
    when("recorded_at", required=True),
    when("follow_up_by", required=True),
    sa.Column("times_unanswered", sa.Integer, nullable=False, server_default="0"),
    word_column("state", StopState),
    sa.Column("stopped_fen", sa.BigInteger),
    sa.Column("confirmed_by", sa.Text),
    when("confirmed_at"),
    sa.Column("drill", sa.Boolean, nullable=False),
    sa.Index(
        "ix_stop_request_follow_up",
        "follow_up_by",
        postgresql_where=sa.text("state IN ('asked', 'no_answer')"),
    ),
    sa.CheckConstraint("bank <> '' AND amount_fen > 0", name="form"),
    sa.CheckConstraint("asked_at <= recorded_at AND follow_up_by > asked_at", name="times"),
    sa.CheckConstraint(
        "(state IN ('stopped', 'refused')) = (confirmed_by IS NOT NULL)"
        " AND (confirmed_by IS NULL) = (confirmed_at IS NULL)",
        name="confirmed",
    ),
    sa.CheckConstraint("confirmed_by <> recorded_by", name="second_person"),
    sa.CheckConstraint(
        "(state = 'stopped') = (stopped_fen IS NOT NULL)"
        " AND (stopped_fen IS NULL OR stopped_fen BETWEEN 1 AND amount_fen)",
        name="stopped_fen",
    ),
)
"""Requests to a bank to hold a payment; `sealed` has the account and the receipt. `follow_up_by`: when the bank must be
asked for its answer at the latest.
"""

outcome = sa.Table(
    "outcome",
    metadata,
    identity(),
    sa.Column("case_id", sa.ForeignKey("case.id"), nullable=False, index=True),
    sa.Column("assignment_id", sa.ForeignKey("assignment.id")),
    sa.Column("attempt_id", UUID(as_uuid=True)),
    word_column("kind", OutcomeKind),
    word_column("contact", Contact),
    word_column("track", Track, required=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("intended_fen", sa.BigInteger, nullable=False, server_default="0"),
    sa.Column("stopped_fen", sa.BigInteger, nullable=False, server_default="0"),
    sa.Column("returned_fen", sa.BigInteger, nullable=False, server_default="0"),
    sa.Column("evidence_sealed", BYTEA),
    word_column("evidence_kind", EvidenceKind, required=False),
    sa.Column("evidence_fen", sa.BigInteger),  # the amount that the evidence shows
    sa.Column("recorded_by", sa.Text, nullable=False),
    when("at", required=True),
    sa.Column("reverses", sa.ForeignKey("outcome.id")),
    sa.Column("drill", sa.Boolean, nullable=False),
    word_column("scammer_contact", ScammerContact, required=False),
    sa.Column("said", ARRAY(sa.Text), nullable=False, server_default="{}"),  # points of the call guide
    when("call_at"),  # the staff call that the report is based on
    sa.Column("call_seconds", sa.Integer),
    sa.Index("ix_outcome_at", "at"),
    sa.Index(
        "ix_outcome_money", "at", postgresql_where=sa.text("intended_fen + stopped_fen + returned_fen > 0")
    ),
    sa.Index("ix_outcome_drill", "at", postgresql_where=sa.text("drill")),
    sa.Index("ix_outcome_reverses", "reverses", postgresql_where=sa.text("reverses IS NOT NULL")),
    sa.UniqueConstraint("id", "recorded_by"),
    sa.CheckConstraint("reason <> 'no_call' OR evidence_sealed IS NOT NULL", name="no_call_needs_reason"),
    sa.CheckConstraint("(call_at IS NULL) = (call_seconds IS NULL)", name="call"),
    sa.CheckConstraint("intended_fen >= 0 AND stopped_fen >= 0 AND returned_fen >= 0", name="amounts"),
    sa.CheckConstraint(
        "intended_fen + stopped_fen + returned_fen = 0 OR evidence_sealed IS NOT NULL",
        name="money_needs_evidence",
    ),
    sa.CheckConstraint("(evidence_kind IS NULL) = (evidence_fen IS NULL)", name="evidence"),
    sa.CheckConstraint(
        "evidence_kind IS NULL OR evidence_sealed IS NOT NULL", name="evidence_needs_reference"
    ),
    sa.CheckConstraint(
        "greatest(intended_fen, stopped_fen, returned_fen) <= evidence_fen", name="capped_by_evidence"
    ),
)
"""The ledger of outcomes. Append-only: a trigger refuses every change. A correction is a new line that names the line
it reverses. Lines of older versions have no kind of evidence. A trigger of `outcome_approval` refuses a second approved
amount of the same kind while the case's first one is not reversed.
"""

outcome_approval = sa.Table(
    "outcome_approval",
    metadata,
    sa.Column("outcome_id", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("recorded_by", sa.Text, nullable=False),
    sa.Column("approved_by", sa.Text, nullable=False),
    when("at", required=True),
    sa.ForeignKeyConstraint(
        ["outcome_id", "recorded_by"],
        ["outcome.id", "outcome.recorded_by"],
        name="fk_outcome_approval_outcome",
    ),
    sa.CheckConstraint("approved_by <> recorded_by", name="second_person"),
)

evidence_file = sa.Table(
    "evidence_file",
    metadata,
    sa.Column("id", UUID(as_uuid=True), primary_key=True),
    sa.Column("outcome_id", sa.ForeignKey("outcome.id"), nullable=False, index=True),
    sa.Column("case_id", sa.ForeignKey("case.id"), nullable=False, index=True),
    sa.Column("media_type", sa.Text, nullable=False),
    sa.Column("size_bytes", sa.Integer, nullable=False),
    sa.Column("stripped_bytes", sa.Integer, nullable=False),
    sa.Column("by", sa.Text, nullable=False),
    when("at", required=True),
    sa.Column("sealed", BYTEA, nullable=False),
    sa.CheckConstraint("size_bytes > 0 AND stripped_bytes >= 0", name="size_bytes"),
    sa.CheckConstraint(
        "media_type IN ('application/pdf', 'image/jpeg', 'image/png', 'image/webp')", name="media_type"
    ),
)
"""Files that prove the amounts of an outcome, sealed like the photos of a visit."""

outcome_waiting = sa.Table(
    "outcome_waiting",
    metadata,
    sa.Column("outcome_id", sa.ForeignKey("outcome.id"), primary_key=True, autoincrement=False),
)
"""Ledger lines that wait for approval and are not reversed. Triggers of the ledger maintain this table; nothing else
writes it.
"""

filed_case = sa.Table(
    "filed_case",
    metadata,
    identity(),
    sa.Column("case_number", sa.Text, nullable=False),
    sa.Column("case_id", sa.ForeignKey("case.id"), nullable=False),
    sa.Column("by", sa.Text, nullable=False),
    when("at", required=True),
    sa.UniqueConstraint("case_number", "case_id"),
)

filed_case_change = sa.Table(
    "filed_case_change",
    metadata,
    identity(),
    sa.Column("filed_case_id", sa.ForeignKey("filed_case.id"), nullable=False, index=True),
    sa.Column("case_id", sa.ForeignKey("case.id"), nullable=False, index=True),
    sa.Column("stands", sa.Boolean, nullable=False),
    sa.Column("before", JSONB(none_as_null=True)),
    sa.Column("by", sa.Text, nullable=False),
    when("at", required=True),
    sa.CheckConstraint("stands = (before IS NOT NULL)", name="before"),
)
"""A filing was recorded or undone; the newest row of a `filed_case` says whether the filing is in force (`stands`).
`before`: what the case was when it was filed.
"""

filed_record = sa.Table(
    "filed_record",
    metadata,
    identity(),
    sa.Column("case_number", sa.Text, nullable=False, index=True),
    sa.Column("sealed", BYTEA, nullable=False),
    sa.Column("amount_fen", sa.BigInteger),
    when("filed_at", required=True),
    when("event_at"),
    word_column("fraud_type", FraudType),
    sa.Column("unit", sa.Text, nullable=False),
    sa.Column("source", sa.Text, nullable=False),
    word_column("state", FiledState),
    sa.Column("by", sa.Text, nullable=False),
    when("at", required=True),
    sa.Column("drill", sa.Boolean, nullable=False),
    sa.Index("ix_filed_record_state_filed_at", "state", "filed_at", "id"),
    sa.Index("ix_filed_record_filed_at", "filed_at", "id"),
    sa.CheckConstraint("amount_fen >= 0", name="amount_fen"),
)
"""One person of one case filed with the police, as given in a list; `sealed` has the name, phones and id number."""

filed_match = sa.Table(
    "filed_match",
    metadata,
    identity(),
    sa.Column("record_id", sa.ForeignKey("filed_record.id"), nullable=False),
    sa.Column("person_id", sa.ForeignKey("person.id"), nullable=False, index=True),
    sa.Column("score", sa.SmallInteger, nullable=False),
    word_column("state", FiledMatchState),
    sa.Column("decided_by", sa.Text),
    when("decided_at"),
    sa.Column("why_sealed", BYTEA),
    sa.UniqueConstraint("record_id", "person_id"),
    sa.CheckConstraint("score BETWEEN 0 AND 100", name="score"),
    sa.CheckConstraint(
        "(state IN ('confirmed', 'rejected', 'undone')) = (decided_by IS NOT NULL AND decided_at IS NOT NULL)",
        name="decided",
    ),
)
"""A warned person who is, or may be, the person of a filed case; `score`, from 0 to 100, is the similarity."""

alarm = sa.Table(
    "alarm",
    metadata,
    identity(),
    sa.Column("code", sa.Text, nullable=False),
    sa.Column("case_id", sa.BigInteger),
    sa.Column("load_id", sa.BigInteger),
    sa.Column("facts", JSONB, nullable=False),
    when("raised_at", required=True),
    sa.Column("times", sa.Integer, nullable=False, server_default="1"),
    when("last_at"),
    when("seen_at"),
    sa.Column("seen_by", sa.Text),
    sa.Column("owner", sa.Text),
    sa.Column("comment", sa.Text, nullable=False, server_default=""),
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
    identity(),
    when("at", required=True),
    sa.Column("who", sa.Text, nullable=False),
    sa.Column("act", sa.Text, nullable=False),
    sa.Column("subject", sa.Text, nullable=False),
    sa.Column("why", sa.Text, nullable=False, server_default=""),
    sa.Column("why_sealed", BYTEA),
    sa.Column("facts", JSONB, nullable=False),
    sa.Column("number", sa.BigInteger),
    sa.Column("seal", BYTEA),
    sa.Column("chain", BYTEA),
    sa.Index("uq_audit_number", "number", unique=True),
    sa.Index("ix_audit_at", "at"),
    sa.Index("ix_audit_who_at", "who", "at"),
    sa.Index("ix_audit_act_at", "act", "at"),
    sa.Index("ix_audit_subject_at", "subject", "at"),
)

"""`number` has no gaps, `seal` covers the line and its number, `chain` the chain of the line before and the seal. Lines
from before the chain lack all three: the first line of the chain covers them with a digest, and a trigger refuses new
ones.
"""

audit_head = sa.Table(
    "audit_head",
    metadata,
    sa.Column("id", sa.SmallInteger, primary_key=True, autoincrement=False),
    sa.Column("number", sa.BigInteger, nullable=False),
    sa.Column("chain", BYTEA, nullable=False),
    sa.CheckConstraint("id = 1", name="one"),
)
"""One row: the number and chain of the last line of the audit. Each transaction that adds lines locks it."""

api_token = sa.Table(
    "api_token",
    metadata,
    identity(),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("secret_hash", BYTEA, nullable=False, unique=True),
    sa.Column("scopes", ARRAY(sa.Text), nullable=False),
    sa.Column("unit", sa.Text, nullable=False, server_default=""),
    sa.Column("unit_id", sa.ForeignKey("unit.id")),
    sa.Column("sources", ARRAY(sa.Text), nullable=False, server_default="{}"),  # beside its name
    when("created_at", required=True),  # real
    when("expires_at", required=True),  # real
    when("revoked_at"),  # real
    sa.Column("last_used_on", sa.Date),
    sa.Index("uq_api_token_name", "name", unique=True, postgresql_where=sa.text("revoked_at IS NULL")),
    sa.CheckConstraint("octet_length(secret_hash) = 32", name="secret_hash"),
    sa.CheckConstraint("cardinality(scopes) > 0", name="scopes"),
)
"""Service tokens for the API. Only the SHA-256 of the secret is stored."""

token_request = sa.Table(
    "token_request",
    metadata,
    identity(),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("scopes", ARRAY(sa.Text), nullable=False),
    sa.Column("unit", sa.Text, nullable=False),
    sa.Column("unit_id", sa.ForeignKey("unit.id")),
    sa.Column("sources", ARRAY(sa.Text), nullable=False, server_default="{}"),
    sa.Column("days", sa.Integer, nullable=False),
    sa.Column("why", sa.Text, nullable=False),
    sa.Column("asked_by", sa.Text, nullable=False),
    when("asked_at", required=True),  # real
    when("expires_at", required=True),  # real
    word_column("state", StaffChangeState),
    sa.Column("decided_by", sa.Text),
    when("decided_at"),  # real
    sa.Column("token_id", sa.ForeignKey("api_token.id")),
    sa.Index("uq_token_request_waiting", "name", unique=True, postgresql_where=sa.text("state = 'waiting'")),
    sa.CheckConstraint("cardinality(scopes) > 0 AND days > 0 AND why <> ''", name="form"),
    sa.CheckConstraint("(state = 'waiting') = (decided_at IS NULL)", name="decided_at"),
    sa.CheckConstraint("(state IN ('waiting', 'expired')) = (decided_by IS NULL)", name="decided_by"),
    sa.CheckConstraint("(state = 'confirmed') = (token_id IS NOT NULL)", name="token"),
    sa.CheckConstraint("state <> 'confirmed' OR decided_by <> asked_by", name="second_person"),
)
"""Requests of administrators for a token; the token is created when another person confirms."""

webhook = sa.Table(
    "webhook",
    metadata,
    identity(),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("url", sa.Text, nullable=False),
    sa.Column("events", ARRAY(sa.Text), nullable=False),
    sa.Column("secret_sealed", BYTEA, nullable=False),
    sa.Column("added_by", sa.Text, nullable=False),
    when("added_at", required=True),
    sa.Column("ended_by", sa.Text),
    when("ended_at"),
    sa.Index("uq_webhook_name", "name", unique=True, postgresql_where=sa.text("ended_at IS NULL")),
    sa.CheckConstraint(
        f"events <@ ARRAY[{', '.join(repr(event.value) for event in WebhookEvent)}] AND cardinality(events) > 0",
        name="events",
    ),
    sa.CheckConstraint("(ended_at IS NULL) = (ended_by IS NULL)", name="ended"),
)
"""Other systems that are notified of events. The secret is sealed; every message is signed with it."""

webhook_delivery = sa.Table(
    "webhook_delivery",
    metadata,
    identity(),
    sa.Column("message_id", UUID(as_uuid=True), server_default=sa.text("gen_random_uuid()"), nullable=False),
    sa.Column("webhook_id", sa.ForeignKey("webhook.id"), nullable=False),
    word_column("event", WebhookEvent),
    sa.Column("case_id", sa.BigInteger, nullable=False),
    sa.Column("facts", JSONB, nullable=False),
    when("occurred_at", required=True),
    sa.Column(
        "queued_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False
    ),  # real
    word_column("state", DeliveryState, default=DeliveryState.WAITING, former=("dead",)),
    sa.Column("tries", sa.Integer, server_default="0", nullable=False),
    claim_token(),
    sa.Column("due_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),  # real
    sa.Index("ix_webhook_delivery_due", "due_at", postgresql_where=sa.text("state = 'waiting'")),
    sa.Index("ix_webhook_delivery_webhook", "webhook_id", "state", "id"),
    sa.Index("ix_webhook_delivery_queued", "queued_at"),
)
"""The outbox: triggers of `case` and `filed_case_change` write it in the transaction of the event; `facts` has nothing
personal.
"""

webhook_try = sa.Table(
    "webhook_try",
    metadata,
    identity(),
    sa.Column(
        "delivery_id", sa.ForeignKey("webhook_delivery.id", ondelete="CASCADE"), nullable=False, index=True
    ),
    when("at", required=True),  # real
    sa.Column("status", sa.Integer),
    sa.Column("fault", sa.Text, server_default="", nullable=False),
    sa.Column("took_ms", sa.Integer, nullable=False),
)
"""Each request of a delivery and its answer: the HTTP status, or why there was none."""

heartbeat = sa.Table(
    "heartbeat",
    metadata,
    sa.Column("process", sa.Text, primary_key=True),
    sa.Column("kind", sa.Text, nullable=False),
    when("at", required=True),  # real
    sa.Column("facts", JSONB, nullable=False),
)

lease = sa.Table(
    "lease",
    metadata,
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("holder", sa.Text, nullable=False),
    sa.Column("token", sa.BigInteger, nullable=False),
    when("since", required=True),  # real, by the clock of the database
    when("until", required=True),  # real, by the clock of the database
    sa.CheckConstraint("token > 0", name="token"),
)
"""What only one process at a time may do; see `dialer.db.leases`."""

bulletin = sa.Table(
    "bulletin",
    metadata,
    identity(),
    word_column("kind", BulletinKind),
    sa.Column("first_day", sa.Date, nullable=False),
    sa.Column("last_day", sa.Date, nullable=False),
    sa.Column("figures", JSONB, nullable=False),
    word_column("state", BulletinState),
    sa.Column("drill", sa.Boolean, nullable=False),
    sa.Column("made_by", sa.Text, nullable=False),
    when("made_at", required=True),
    sa.Column("decided_by", sa.Text),
    when("decided_at"),
    sa.Column("why", sa.Text, nullable=False, server_default=""),
    sa.Index(
        "uq_bulletin_days", "kind", "first_day", unique=True, postgresql_where=sa.text("state <> 'refused'")
    ),
    sa.CheckConstraint("last_day >= first_day", name="days"),
    sa.CheckConstraint(
        "(state = 'draft') = (decided_by IS NULL) AND (state = 'draft') = (decided_at IS NULL)",
        name="decided",
    ),
    sa.CheckConstraint("decided_by <> made_by", name="second_person"),
    sa.CheckConstraint("state <> 'refused' OR why <> ''", name="why"),
)
"""Bulletins with their figures, as they were when the bulletin was drafted. No personal data."""

saved_filter = sa.Table(
    "saved_filter",
    metadata,
    identity(),
    sa.Column("login", sa.Text, nullable=False),
    word_column("page", FilteredPage, default=FilteredPage.RATES),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("query", sa.Text, nullable=False),
    when("at", required=True),
    sa.UniqueConstraint("login", "name"),
    sa.CheckConstraint("name <> ''", name="name"),
)
"""Filters of a page, with the name that the owner gave them; `query` is as in the address. No personal data."""

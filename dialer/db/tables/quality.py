"""Tables of the inspection of calls. `dialer.db.tables` says what the times mean."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import BYTEA, JSONB

from dialer.core.inspection import NotInspected, Outcome, TranscriptState
from dialer.db.columns import claim_token, identity, metadata, tries_column, when, word_column

transcript = sa.Table(
    "transcript",
    metadata,
    sa.Column("recording_id", sa.ForeignKey("recording.id"), primary_key=True, autoincrement=False),
    word_column("state", TranscriptState),
    word_column("reason", NotInspected, required=False),
    when("due_at"),  # real: when it may be read, or read on; NULL: it is done
    tries_column(),
    claim_token(),
    when("moved_at"),  # real: when it last went forward
    sa.Column("done_seconds", sa.Float, nullable=False, server_default="0"),
    sa.Column("sealed", BYTEA),
    sa.Column("words", sa.Integer, nullable=False, server_default="0"),
    sa.Column("unsure_words", sa.Integer, nullable=False, server_default="0"),
    when("read_at"),
    sa.Column("inspected_by", sa.ForeignKey("quality_version.id")),
    sa.Index("ix_transcript_due_at", "due_at", postgresql_where=sa.text("due_at IS NOT NULL")),
    sa.Index("ix_transcript_moved_at", "moved_at", postgresql_where=sa.text("moved_at IS NOT NULL")),
    sa.CheckConstraint("(state = 'waiting') = (due_at IS NOT NULL)", name="due"),
    sa.CheckConstraint("(state = 'not_inspected') = (reason IS NOT NULL)", name="reason_given"),
    sa.CheckConstraint("state <> 'read' OR sealed IS NOT NULL", name="read"),
    sa.CheckConstraint("state <> 'deleted' OR sealed IS NULL", name="deleted"),
    sa.CheckConstraint("words >= unsure_words AND unsure_words >= 0", name="counts"),
)
"""The words of a recorded call, sealed as one record, and until they are complete how many seconds are done. `words`
counts them, `unsure_words` those of low confidence. The words are deleted with the sound.
"""

quality_version = sa.Table(
    "quality_version",
    metadata,
    identity(),
    sa.Column("number", sa.Integer, nullable=False, unique=True),
    sa.Column("content_hash", sa.Text, nullable=False, unique=True),
    sa.Column("source", sa.Text, nullable=False),
    sa.Column("why", sa.Text, nullable=False),
    sa.Column("drafted_by", sa.Text, nullable=False),
    when("drafted_at", required=True),
    sa.UniqueConstraint("id", "drafted_by"),
    sa.CheckConstraint("number > 0 AND drafted_by <> '' AND content_hash <> '' AND why <> ''", name="whole"),
)
"""Append-only: all rules of the inspection of calls as one text."""

quality_approval = sa.Table(
    "quality_approval",
    metadata,
    identity(),
    sa.Column("version_id", sa.BigInteger, nullable=False),
    sa.Column("drafted_by", sa.Text, nullable=False),
    sa.Column("approved_by", sa.Text, nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    when("at", required=True),
    sa.ForeignKeyConstraint(
        ["version_id", "drafted_by"],
        ["quality_version.id", "quality_version.drafted_by"],
        name="fk_quality_approval_version",
    ),
    sa.Index("ix_quality_approval_version_id", "version_id"),
    sa.CheckConstraint("approved_by <> drafted_by AND approved_by <> ''", name="second_person"),
    sa.CheckConstraint("reason <> ''", name="reason"),
)
"""Append-only. Calls are inspected by the newest approved version."""

inspection = sa.Table(
    "inspection",
    metadata,
    sa.Column("recording_id", sa.ForeignKey("transcript.recording_id"), primary_key=True),
    sa.Column("rule", sa.Text, primary_key=True),
    sa.Column("version_id", sa.ForeignKey("quality_version.id"), nullable=False),
    word_column("outcome", Outcome),
    sa.Column("gate", sa.Boolean, nullable=False),
    sa.Column("points", sa.SmallInteger, nullable=False),
    sa.Column("spans", JSONB, nullable=False),
    when("at", required=True),
    sa.CheckConstraint("gate = (points = 0) AND points >= 0", name="points"),
)
"""What each rule says of a call, by the version that inspected it last; `spans`: begin and end in seconds of the
recording. No words: it stays when they are deleted.
"""
